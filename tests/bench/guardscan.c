/*
 * guardscan FILE [REPEATS]: how fast the keys of all rules for secrets are
 * found in a file (the automaton alone, its fast skip and its callback), and
 * how fast secrets are (all rules on), in MB a second of CPU time; and how long
 * the first text takes, when expressions are compiled.
 */
#include "base/buf.h"
#include "text/match.h"

#include "../../bin/guard/guard.h"
#include "../../bin/guard/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static size_t hits;

static int hit(void *arg, unsigned word, size_t end)
{
	(void)arg;
	(void)word;
	(void)end;
	hits++;
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Line by line, as records are. */
static void run(struct ai_span text, struct guard_findings *f)
{
	struct ai_err err;

	for (size_t i = 0; i < text.n;) {
		size_t to = i;

		while (to < text.n && text.p[to] != '\n')
			to++;
		struct ai_view v = { .name = "text",
				     .text = { text.p + i, to - i } };
		if (guard_secret(&v, GUARD_USER, f, &err) < 0)
			fprintf(stderr, "guardscan: %s\n", err.msg);
		i = to + 1;
	}
}

int main(int argc, char **argv)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 30);
	struct guard_findings f = { 0 };
	const struct ai_match *m = guard_secret_rules.match;
	int repeats = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	FILE *in = argc > 1 ? fopen(argv[1], "r") : NULL;
	char chunk[65536];
	double t, mb;
	size_t n;

	if (in == NULL) {
		fprintf(stderr, "usage: guardscan FILE [REPEATS]\n");
		return 64;
	}
	while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
		ai_buf_add(&b, chunk, n);
	fclose(in);
	mb = (double)b.len / 1e6;
	printf("%zu rules, %u states of %u classes: %zu bytes\n",
	       guard_secret_rules.n, m->states, m->classes,
	       (size_t)m->states * (m->classes + 1) * 2 + m->n_words * 2 +
		       AI_MATCH_BEGINS + 256);
	t = now();
	for (int i = 0; i < repeats; i++)
		ai_match_scan(m, (struct ai_span){ b.p, b.len }, hit, NULL);
	t = now() - t;
	printf("keys     %8.1f MB/s, one key in %.0f bytes\n",
	       mb * repeats / t,
	       (double)b.len * repeats / (double)(hits + 1));
	t = now();
	run((struct ai_span){ b.p, b.len }, &f);
	printf("first    %8.1f MB/s, %zu found\n", mb / (now() - t),
	       f.n + f.more);
	t = now();
	for (int i = 0; i < repeats; i++) {
		guard_findings_clear(&f);
		run((struct ai_span){ b.p, b.len }, &f);
	}
	printf("secrets  %8.1f MB/s\n", mb * repeats / (now() - t));
	guard_findings_release(&f);
	ai_buf_release(&b);
	return 0;
}
