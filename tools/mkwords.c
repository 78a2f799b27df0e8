/*
 * mkwords.c: for the build: turns groups of words (bin/guard/personal-words.h)
 * into C, in the order of their bytes.
 *
 *	mkwords data/guard/personal.words >personal-table.c
 */
#include "put.h"

#include "../bin/guard/personal-words.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 2048

static const char *const groups[] = {
	"",
#define X(name, text) text,
	PERSONAL_WORDS(X)
#undef X
};

struct word {
	char text[PERSONAL_WORD_MAX];
	uint8_t n, group, open;
};

struct words {
	struct word v[WORDS_MAX];
	size_t n;
};

static uint8_t group_of(struct ai_span line)
{
	for (uint8_t i = 1; i < PERSONAL_N; i++)
		if (line.n == strlen(groups[i]) + 2 &&
		    memcmp(line.p + 1, groups[i], line.n - 2) == 0 &&
		    line.p[line.n - 1] == ']')
			return i;
	return 0;
}

static int add(struct words *w, uint8_t group, struct ai_span word)
{
	bool open = word.p[word.n - 1] == '*';

	word.n -= open;
	if (group == 0 || w->n == WORDS_MAX || word.n < 2 ||
	    word.n > PERSONAL_WORD_MAX)
		return -1;
	for (size_t i = 0; i < word.n; i++)
		w->v[w->n].text[i] = (char)(word.p[i] >= 'A' &&
					    word.p[i] <= 'Z' ? word.p[i] | 0x20
							     : word.p[i]);
	w->v[w->n].n = (uint8_t)word.n;
	w->v[w->n].group = group;
	w->v[w->n++].open = open;
	return 0;
}

static int read_words(struct words *w, const struct ai_buf *in,
		      struct ai_err *err)
{
	uint8_t group = 0;
	size_t line = 0;

	for (size_t i = 0; i < in->len; line++) {
		const char *nl = memchr(in->p + i, '\n', in->len - i);
		size_t to = nl == NULL ? in->len : (size_t)(nl - in->p);
		struct ai_span s = { in->p + i, to - i };
		bool good = true;

		if (s.n > 0 && s.p[0] == '[')
			good = (group = group_of(s)) != 0;
		else if (s.n > 0 && s.p[0] != '#')
			good = add(w, group, s) == 0;
		if (!good)
			return ai_err_set(err, AI_E_DATA,
					  "line %zu: '%.*s' is no group, or a word of a wrong length",
					  line + 1, (int)s.n, s.p);
		i = to + 1;
	}
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int rc = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);

	return rc != 0 ? rc : x->n - y->n;
}

static void put_words(struct words *w)
{
	static uint16_t at[WORDS_MAX + 1], first[257];
	static uint8_t group[WORDS_MAX], open[WORDS_MAX];
	size_t k = 0;

	qsort(w->v, w->n, sizeof *w->v, by_bytes);
	puts("static const char text[] =");
	for (size_t i = 0; i < w->n; i++) {
		at[i + 1] = (uint16_t)(at[i] + w->v[i].n);
		group[i] = w->v[i].group;
		open[i] = w->v[i].open;
		putchar('"');
		for (size_t j = 0; j < w->v[i].n; j++)
			printf("\\%03o", (unsigned char)w->v[i].text[j]);
		puts("\"");
	}
	puts(";");
	for (unsigned c = 0; c <= 256; c++) {
		while (k < w->n && (unsigned char)w->v[k].text[0] < c)
			k++;
		first[c] = (uint16_t)k;
	}
	put_16("at", at, w->n + 1);
	put_16("first", first, 257);
	put_8("group", group, w->n);
	put_8("open", open, w->n);
	puts("const struct personal_words personal_words = {\n"
	     "\ttext, at, group, open, first\n};");
}

int main(int argc, char **argv)
{
	static struct words w;
	struct ai_buf in = AI_BUF_INIT(PUT_INPUT_MAX);
	struct ai_err err;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: mkwords WORDS\n");
		return 64;
	}
	rc = put_read(argv[1], &in, &err);
	if (rc == 0)
		rc = read_words(&w, &in, &err);
	if (rc < 0) {
		fprintf(stderr, "mkwords: %s: %s\n", argv[1], err.msg);
	} else {
		puts("/* Made by tools/mkwords: edit the words instead. */\n"
		     "#include \"../../bin/guard/personal-words.h\"\n");
		put_words(&w);
	}
	ai_buf_release(&in);
	return rc < 0 || fflush(stdout) != 0;
}
