/*
 * calibrate: is ai-search's confidence what it says?
 *
 *	calibrate OWN FOREIGN [OWN FOREIGN]...
 *
 * Each file holds answers of ai-search --explain to queries that an index can
 * answer (OWN) or, being another collection's, cannot (FOREIGN).  For each pair
 * it prints how many answers were called confident, and of search.confidence
 * the Brier score, the mean error over ten classes (ECE) and the probability
 * that an own query's is above a foreign one's (AUC); then, over all pairs, the
 * classes; and last the numbers for bin/search/confidence.c, fitted anew, own
 * and foreign queries of each pair weighing the same.
 */
#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS 20000
#define HITS 4

struct answer {
	bool own, confident;
	double weight, said;
	double covered[HITS], near[HITS];
	int n;
};
static struct answer v[ANSWERS];
static int n;

static void die(const char *what)
{
	fprintf(stderr, "calibrate: %s\n", what);
	exit(1);
}

static double real_at(struct ai_value from, const char *path)
{
	double d = 0;

	return ai_json_f64(ai_json_get(from, path), &d) == 0 ? d : 0;
}

static void read_answer(struct ai_value r, struct answer *a)
{
	struct ai_json_iter it;
	struct ai_value hit;

	a->confident = ai_json_true(ai_json_get(r, "search.confident"));
	a->said = real_at(r, "search.confidence");
	if (ai_json_get(r, "hits").kind != AI_ARRAY)
		die("a record without hits");
	ai_json_iter_init(&it, ai_json_get(r, "hits"));
	for (; a->n < HITS && ai_json_next(&it, NULL, &hit); a->n++) {
		a->covered[a->n] = real_at(hit, "explain.sparse.covered");
		a->near[a->n] = real_at(hit, "explain.dense.nearness");
	}
}

static int load(const char *name, bool own)
{
	FILE *f = fopen(name, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	struct ai_value r;
	struct ai_err err;
	int from = n, i;

	if (f == NULL)
		die("cannot open the answers");
	while ((len = getline(&line, &cap, f)) > 0) {
		if (n == ANSWERS)
			die("too many answers");
		if (ai_json_check(line, (size_t)len, &r, &err) < 0)
			die(err.msg);
		v[n].own = own;
		read_answer(r, &v[n++]);
	}
	for (i = from; i < n; i++)
		v[i].weight = .5 / (n - from);
	free(line);
	fclose(f);
	return n - from;
}

/* ---- figures ------------------------------------------------------------------ */

static double auc(int from)
{
	double above = 0, pairs = 0;
	int i, k;

	for (i = from; i < n; i++)
		for (k = from; k < n && v[i].own; k++)
			if (!v[k].own) {
				above += v[i].said > v[k].said ? 1 :
					v[i].said == v[k].said ? .5 : 0;
				pairs++;
			}
	return above / pairs;
}

/* The mean error over ten classes; with print a line each. */
static double classes(int from, bool print)
{
	double weight, said, is, all = 0, sum = 0;
	int c, i, count;

	for (i = from; i < n; i++)
		all += v[i].weight;
	for (c = 0; c < 10; c++) {
		weight = said = is = 0;
		for (i = from, count = 0; i < n; i++) {
			int of = (int)(v[i].said * 10);

			if ((of > 9 ? 9 : of) != c)
				continue;
			count++;
			weight += v[i].weight;
			said += v[i].weight * v[i].said;
			is += v[i].weight * v[i].own;
		}
		if (count == 0)
			continue;
		sum += fabs(said - is) / all;
		if (print)
			printf("  %.2f  %.2f  %5d\n", said / weight,
			       is / weight, count);
	}
	return sum;
}

static void figures(const char *name, int from)
{
	double brier = 0, all = 0, yes[2] = { 0, 0 }, count[2] = { 0, 0 };
	int i;

	for (i = from; i < n; i++) {
		brier += v[i].weight * pow(v[i].said - v[i].own, 2);
		all += v[i].weight;
		yes[v[i].own] += v[i].confident;
		count[v[i].own]++;
	}
	printf("%-28s %4.0f%% %8.0f%% %6.3f %6.3f %6.3f\n", name,
	       100 * yes[1] / count[1], 100 * yes[0] / count[0], brier / all,
	       classes(from, false), auc(from));
}

/* ---- fitting --------------------------------------------------------------------- */

/* The hit of an answer that these numbers like best. */
static int best(const struct answer *a, const double b[3])
{
	int i, at = 0;

	for (i = 1; i < a->n; i++)
		if (b[1] * a->covered[i] + b[2] * a->near[i] >
		    b[1] * a->covered[at] + b[2] * a->near[at])
			at = i;
	return at;
}

/* One step of Newton's, on those of the numbers that are used. */
static void step(double b[3], const bool use[3])
{
	double m[3][4] = { { 0 } }, x[3], p, f;
	int i, j, k, at;

	for (i = 0; i < n; i++) {
		at = best(&v[i], b);
		x[0] = 1;
		x[1] = use[1] && v[i].n > 0 ? v[i].covered[at] : 0;
		x[2] = use[2] && v[i].n > 0 ? v[i].near[at] : 0;
		p = 1 / (1 + exp(-(b[0] + b[1] * x[1] + b[2] * x[2])));
		for (j = 0; j < 3; j++) {
			for (k = 0; k < 3; k++)
				m[j][k] += v[i].weight * p * (1 - p) * x[j] *
					x[k];
			m[j][3] += v[i].weight * (v[i].own - p) * x[j];
		}
	}
	for (j = 0; j < 3; j++)
		m[j][j] += 1e-6;
	for (j = 0; j < 3; j++)
		for (i = 0; i < 3; i++) {
			if (i == j)
				continue;
			f = m[i][j] / m[j][j];
			for (k = 0; k < 4; k++)
				m[i][k] -= f * m[j][k];
		}
	for (j = 0; j < 3; j++)
		if (use[j])
			b[j] += m[j][3] / m[j][j];
}

static void fit(const char *name, bool covered, bool near)
{
	const bool use[3] = { true, covered, near };
	double b[3] = { 0, covered ? .01 : 0, near ? .01 : 0 };
	int i;

	for (i = 0; i < 60; i++)
		step(b, use);
	printf("  [%s] = { %.2f, %.2f, %.2f },\n", name, b[0], b[1], b[2]);
}

int main(int argc, char **argv)
{
	int i, from;

	if (argc < 3 || argc % 2 == 0)
		die("OWN FOREIGN [OWN FOREIGN]...");
	printf("%-28s %5s %9s %6s %6s %6s\n", "answers", "own", "foreign",
	       "Brier", "ECE", "AUC");
	for (i = 1; i < argc; i += 2) {
		from = n;
		if (load(argv[i], true) == 0 || load(argv[i + 1], false) == 0)
			die("no answers");
		figures(argv[i], from);
	}
	printf("\n  said  is    answers\n");
	classes(0, true);
	printf("\nfitted anew (if the answers are hybrid):\n");
	fit("SEARCH_HYBRID", true, true);
	fit("SEARCH_DENSE", false, true);
	fit("SEARCH_SPARSE", true, false);
	return fflush(stdout) != 0;
}
