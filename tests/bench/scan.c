/*
 * scan.c: how fast tokens are counted, in this process, with each instruction
 * set that this processor has.
 *
 *	tests/bench/scan ENCODING FILE...
 *
 * Prints megabytes a second of processor time: "cold", with nothing known
 * yet, and "warm", the same text again (best of nine each).  All instruction
 * sets must count the same, or the status is 1.
 */
#include "text/bpe_names.h"
#include "text/bpe_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TIMES 9

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const char *map(const char *path, size_t *n)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *p;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return NULL;
	*n = (size_t)st.st_size;
	p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

struct text {
	const char *name, *p;
	size_t n;
};

struct run {
	const struct ai_bpe_table *table;
	enum ai_bpe_grammar grammar;
	const struct ai_bpe_scanner *scanner;
};

static size_t count(const struct run *r, struct ai_piece_cache *cache,
		    const struct text *t, double *least)
{
	struct ai_bpe_sink sink = { 0 };
	struct ai_err err;
	double from = now(), took;

	if (ai_bpe_scan(r->scanner, r->table, r->grammar, cache, t->p, t->n,
			&sink, &err) < 0)
		exit(70);
	took = now() - from;
	*least = took < *least ? took : *least;
	return sink.count;
}

static size_t measure(const struct run *r, const struct text *t)
{
	struct ai_piece_cache cache = AI_PIECE_CACHE_INIT;
	double cold = 1e9, warm = 1e9, mb = (double)t->n / 1e6;
	size_t tokens = 0;

	for (int i = 0; i < TIMES; i++) {
		ai_piece_cache_release(&cache);
		tokens = count(r, &cache, t, &cold);
	}
	for (int i = 0; i < TIMES; i++)
		if (count(r, &cache, t, &warm) != tokens)
			exit(1);
	ai_piece_cache_release(&cache);
	printf("%-22s %-9s %9.1f %9.1f\n", t->name, r->scanner->name,
	       mb / cold, mb / warm);
	return tokens;
}

int main(int argc, char **argv)
{
	const struct ai_bpe_encoding *e = argc > 2 ?
		ai_bpe_encoding_find(argv[1]) : NULL;
	const char *build = getenv("BUILDDIR"), *wrong;
	struct ai_bpe_table table;
	char path[4096];
	const char *file;
	size_t n;
	int status = 0;

	if (e == NULL) {
		fputs("usage: scan ENCODING FILE...\n", stderr);
		return 64;
	}
	snprintf(path, sizeof path, "%s/share/aiutils/%s",
		 build == NULL ? "." : build, e->table);
	file = map(path, &n);
	wrong = file == NULL ? "no such file" :
			       ai_bpe_table_map(&table, file, n);
	if (wrong != NULL) {
		fprintf(stderr, "scan: '%s': %s\n", path, wrong);
		return 66;
	}
	printf("%-22s %-9s %9s %9s  MB/s\n", argv[1], "", "cold", "warm");
	for (int i = 2; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/');
		struct run r = { .table = &table, .grammar = e->grammar };
		struct text t = { .name = slash == NULL ? argv[i] : slash + 1 };
		size_t tokens = 0;

		t.p = map(argv[i], &t.n);
		if (t.p == NULL) {
			fprintf(stderr, "scan: cannot read '%s'\n", argv[i]);
			return 66;
		}
		for (size_t k = 0; (r.scanner = ai_bpe_scanner_at(k)); k++) {
			size_t got = measure(&r, &t);

			status |= k > 0 && got != tokens;
			tokens = got;
		}
	}
	return status;
}
