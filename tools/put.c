/* put.c: tables as C, for the tools of the build. */
#include "put.h"

#include <stdio.h>

int put_read(const char *path, struct ai_buf *in, struct ai_err *err)
{
	char chunk[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return ai_err_set(err, AI_E_OPEN, "cannot open it");
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		ai_buf_add(in, chunk, n);
	fclose(f);
	return ai_buf_check(in, "the file", err);
}

void put_string(const char *s)
{
	if (s == NULL) {
		fputs("NULL, ", stdout);
		return;
	}
	putchar('"');
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\' || *s == '?')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			printf("\\%03o", (unsigned char)*s);
		else
			putchar(*s);
	fputs("\", ", stdout);
}

void put_8(const char *name, const uint8_t *v, size_t n)
{
	printf("static const uint8_t %s[] = {\n", name);
	for (size_t i = 0; i < n; i++)
		printf("%u,%s", v[i], i % 24 == 23 ? "\n" : "");
	puts("};");
}

void put_16(const char *name, const uint16_t *v, size_t n)
{
	printf("static const uint16_t %s[] = {\n", name);
	for (size_t i = 0; i < n; i++)
		printf("%u,%s", v[i], i % 16 == 15 ? "\n" : "");
	puts("};");
}

void put_match(const struct ai_match *m)
{
	put_8("class_of", m->class_of, 256);
	put_8("begins", m->begins, AI_MATCH_BEGINS);
	put_16("next", m->next, (size_t)m->states * m->classes);
	put_16("ends", m->ends, m->states + 1);
	put_16("words", m->words, m->n_words);
	printf("static const struct ai_match match = {\n"
	       "\tclass_of, begins, next, ends, words, %u, %u, %u, %u\n};\n",
	       m->states, m->classes, m->deep, m->n_words);
}
