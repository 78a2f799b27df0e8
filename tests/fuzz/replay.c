/*
 * replay [-x FOLDER] [FILE...]: runs a fuzz target on files, or on all of
 * its corpus (FUZZ_NAME), and prints TAP.
 *
 * A file whose name ends in .seeds holds many inputs, each on its own line;
 * "\n", "\r", "\0", "\xHH" and "\\" stand for bytes; an empty line and what
 * starts with "# " are skipped. Any other file is one input. Every input is
 * also tried cut off at each of its first 512 bytes, and with each of them
 * changed: the cheap half of fuzzing, the same on every machine.
 * -x writes the inputs into a folder, for libFuzzer to start from.
 */
#include "base/buf.h"
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define INPUT_MAX ((size_t)1 << 20)
#define EDGE 512

static const char *expand_to;
static unsigned tests, inputs;

/* Runs one input in memory of exactly its size, so that ASan sees a step
 * beyond it. */
static void run(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n == 0 ? 1 : n);

	must(copy != NULL);
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(n == 0 ? copy + 1 : copy, n);
	free(copy);
}

static void run_near(unsigned char *p, size_t n)
{
	static const unsigned char odd[] = "\0\"\\{}[],:-1e.u\x80\xC3\xED\xFF";

	run(p, n);
	for (size_t i = 0; i < n && i < EDGE; i++) {
		unsigned char was = p[i];

		run(p, i);
		p[i] = odd[(i * 7 + n) % (sizeof odd - 1)];
		run(p, n);
		p[i] = was;
	}
}

static void write_out(const unsigned char *p, size_t n)
{
	struct ai_buf name = AI_BUF_INIT(4096);
	FILE *f;

	ai_buf_fmt(&name, "%s/seed-%05u", expand_to, inputs);
	f = fopen(ai_buf_cstr(&name), "wb");
	must(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
	ai_buf_release(&name);
}

static void input(unsigned char *p, size_t n)
{
	inputs++;
	if (expand_to != NULL)
		write_out(p, n);
	else
		run_near(p, n);
}

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; returns the new length. */
static size_t unescape(unsigned char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char next = i + 1 < n ? p[i + 1] : 0;

		if (p[i] != '\\' || strchr("nr0\\x", next) == NULL ||
		    next == 0) {
			p[to++] = p[i];
			continue;
		}
		i++;
		if (next == 'x' && n - i > 2 && hex(p[i + 1]) >= 0 &&
		    hex(p[i + 2]) >= 0) {
			p[to++] = (unsigned char)(hex(p[i + 1]) << 4 |
						  hex(p[i + 2]));
			i += 2;
		} else {
			p[to++] = next == 'n' ? '\n' : next == 'r' ? '\r' :
				  next == '0' ? '\0' : next;
		}
	}
	return to;
}

static void seeds(unsigned char *p, size_t n)
{
	unsigned char *end = p + n, *line, *stop;

	for (line = p; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (stop == line || (line[0] == '#' && line[1] == ' '))
			continue;
		input(line, unescape(line, (size_t)(stop - line)));
	}
}

static void file(const char *path)
{
	size_t n, len = strlen(path);
	unsigned char *p = malloc(INPUT_MAX + 1);
	FILE *f = fopen(path, "rb");

	if (f == NULL || p == NULL) {
		printf("not ok %u - cannot read %s\n", ++tests, path);
		exit(1);
	}
	n = fread(p, 1, INPUT_MAX, f);
	p[n] = '\n';
	if (len > 6 && strcmp(path + len - 6, ".seeds") == 0)
		seeds(p, n);
	else
		input(p, n);
	fclose(f);
	free(p);
	printf("%sok %u - %s: %u inputs\n", inputs > 0 ? "" : "not ",
	       ++tests, path, inputs);
	inputs = expand_to == NULL ? 0 : inputs;
}

static void folder(const char *path)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort);

	if (n < 0) {
		printf("not ok %u - cannot read %s\n", ++tests, path);
		return;
	}
	for (int i = 0; i < n; i++) {
		struct ai_buf full = AI_BUF_INIT(4096);

		ai_buf_fmt(&full, "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			file(ai_buf_cstr(&full));
		ai_buf_release(&full);
		free(list[i]);
	}
	free(list);
}

int main(int argc, char **argv)
{
	const char *root = getenv("SRCDIR");
	struct ai_buf path = AI_BUF_INIT(4096);
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "-x") == 0) {
		expand_to = argv[2];
		i = 3;
	}
	ai_buf_fmt(&path, "%s/tests/fuzz/corpus/%s",
		   root == NULL ? "." : root, FUZZ_NAME);
	if (i == argc)
		folder(ai_buf_cstr(&path));
	ai_buf_release(&path);
	for (; i < argc; i++)
		file(argv[i]);
	printf("1..%u\n", tests);
	return tests == 0 || fflush(stdout) != 0;
}
