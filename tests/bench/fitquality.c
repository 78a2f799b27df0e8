/*
 * fitquality: what vectors that need no key add to words, on collections with
 * judgements, in memory.
 *
 *	fitquality [-m MODEL] [-t TOPICS] [-w WORDS] [-h HASH] [-s SHARE]
 *		[-n SEEDS] [-z SIZE]... [-f RULE] DIR...
 *
 * Prints a line for the whole collection and for random samples of its
 * documents, of each SIZE (100, 300, 1000, 3000; with -z not the whole): nDCG@10 and MAP of BM25 alone, of the cosine alone, and of
 * both over their first 1000, 1 - SHARE to SHARE (.3).  RULE says how scores
 * become comparable: minmax, best (divided by the best one), bare (BM25 by its
 * best, the cosine as it is).  The model is fitted on the documents at hand, or -m's.  Of a sample those
 * queries count that have a judged document in it.
 *
 * BM25 has k1 1.2, b .75, Lucene's idf, Porter's stems; queries drop stop
 * words.  nDCG has gain 2^rel-1; MAP is over the whole list.
 */
#include "record/json.h"
#include "text/analyze.h"
#include "text/fit.h"
#include "text/vector.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEPTH 1000
#define BITS 18 /* slots of the vocabulary */

struct text {
	char id[32];
	char *p; /* title and text */
	size_t n;
	uint32_t *terms; /* of words; queries: without stop words */
	size_t n_terms;
};

struct collection {
	struct text *docs, *queries;
	size_t n_docs, n_queries;
	int8_t *gains; /* n_queries * n_docs */
};

struct figures {
	double ndcg, map;
};

static struct ai_fit_options options;
static double share = .3;
static const char *rule = "minmax";
static const char *model_file;
static char *term_text[1 << BITS];
static size_t term_count[1 << BITS];

static void die(const char *what)
{
	fprintf(stderr, "fitquality: %s\n", what);
	exit(1);
}

static void *need(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

static uint32_t term_of(struct ai_span s)
{
	uint64_t h = 14695981039346656037u;
	uint32_t i;

	for (size_t k = 0; k < s.n; k++)
		h = (h ^ (unsigned char)s.p[k]) * 1099511628211u;
	for (i = (uint32_t)(h >> 32); ; i++) {
		i &= (1 << BITS) - 1;
		if (term_text[i] == NULL)
			term_text[i] = need(strndup(s.p, s.n));
		if (strlen(term_text[i]) == s.n &&
		    memcmp(term_text[i], s.p, s.n) == 0)
			return i;
	}
}

static void analyze(struct text *t, bool query)
{
	struct ai_terms terms = { 0 };
	struct ai_err err;

	if (ai_analyze(ai_analyzer_find("english"),
		       (struct ai_span){ t->p, t->n }, query, &terms, &err) < 0)
		die(err.msg);
	t->terms = need(malloc((terms.n + 1) * sizeof *t->terms));
	for (size_t i = 0; i < terms.n; i++)
		if (!query || !terms.v[i].stop)
			t->terms[t->n_terms++] =
				term_of(ai_term_span(&terms, i));
	ai_terms_release(&terms);
}

static void add_member(struct ai_value v, const char *name, struct ai_buf *b)
{
	v = ai_json_get(v, name);
	if (v.kind == AI_STRING)
		ai_json_text(v, b);
}

static struct text *load(const char *dir, const char *name, size_t *count,
			 bool query)
{
	char path[4096];
	struct text *all = NULL;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "r");
	if (f == NULL)
		die(path);
	for (*count = 0; (n = getline(&line, &cap, f)) > 0; ++*count) {
		struct ai_buf b = AI_BUF_INIT(1 << 24);
		struct ai_value v;
		struct text *t;

		all = need(realloc(all, (*count + 1) * sizeof *all));
		t = &all[*count];
		*t = (struct text){ 0 };
		if (ai_json_check(line, (size_t)n, &v, NULL) < 0)
			die("no JSON");
		add_member(v, "_id", &b);
		snprintf(t->id, sizeof t->id, "%s", ai_buf_cstr(&b));
		ai_buf_clear(&b);
		add_member(v, "title", &b);
		if (b.len > 0)
			ai_buf_chr(&b, ' ');
		add_member(v, "text", &b);
		ai_buf_reserve(&b, 1);
		t->n = b.len;
		t->p = ai_buf_take(&b);
		analyze(t, query);
	}
	free(line);
	fclose(f);
	return all;
}

static size_t index_of(const struct text *all, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n && strcmp(all[i].id, id) != 0; i++)
		;
	return i;
}

static void load_judgements(struct collection *c, const char *dir)
{
	char path[4096], q[32], d[32];
	int gain;
	FILE *f;

	snprintf(path, sizeof path, "%s/qrels.tsv", dir);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%*[^\n]") < 0)
		die(path);
	c->gains = need(calloc(c->n_queries, c->n_docs));
	while (fscanf(f, "%31s %31s %d", q, d, &gain) == 3) {
		size_t i = index_of(c->queries, c->n_queries, q);
		size_t k = index_of(c->docs, c->n_docs, d);

		if (i < c->n_queries && k < c->n_docs && gain > 0)
			c->gains[i * c->n_docs + k] = (int8_t)gain;
	}
	fclose(f);
}

/* ---- the legs ----------------------------------------------------------- */

/* A part of the documents, by their numbers, and what it is searched with. */
struct part {
	const struct collection *c;
	const uint32_t *docs;
	size_t n;
	float *vectors;
	size_t dim;
	struct ai_fitted *m;
	struct ai_fitted_work work;
	double average;
	uint32_t *df; /* of each term */
};

static void count_words(struct part *p)
{
	static uint32_t last[1 << BITS], now;
	size_t sum = 0;

	p->df = need(calloc(1 << BITS, sizeof *p->df));
	for (size_t i = 0; i < p->n; i++) {
		const struct text *t = &p->c->docs[p->docs[i]];

		now++;
		sum += t->n_terms;
		for (size_t k = 0; k < t->n_terms; k++)
			if (last[t->terms[k]] != now) {
				last[t->terms[k]] = now;
				p->df[t->terms[k]]++;
			}
	}
	p->average = (double)sum / (double)p->n;
}

static void bm25(const struct part *p, const struct text *q, float *score)
{
	static float weight[1 << BITS];
	double n = (double)p->n;

	for (size_t k = 0; k < q->n_terms; k++) {
		double df = p->df[q->terms[k]];

		weight[q->terms[k]] += (float)log(1 + (n - df + .5) / (df + .5));
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct text *t = &p->c->docs[p->docs[i]];
		double norm = 1.2 * (.25 + .75 * (double)t->n_terms /
				     p->average);
		double sum = 0;

		for (size_t k = 0; k < t->n_terms; k++)
			if (weight[t->terms[k]] > 0)
				term_count[t->terms[k]]++;
		for (size_t k = 0; k < t->n_terms; k++) {
			size_t *tf = &term_count[t->terms[k]];

			if (*tf > 0)
				sum += weight[t->terms[k]] * (double)*tf * 2.2 /
				       ((double)*tf + norm);
			*tf = 0;
		}
		score[i] = (float)sum;
	}
	for (size_t k = 0; k < q->n_terms; k++)
		weight[q->terms[k]] = 0;
}

static void embed(struct part *p, const struct text *t, float *v)
{
	struct ai_err err;

	if (ai_fitted_embed(p->m, &p->work, t->p, t->n, v, NULL, &err) < 0)
		die(err.msg);
}

static void cosine(struct part *p, const struct text *q, float *score)
{
	float *v = need(malloc(p->dim * sizeof *v));

	embed(p, q, v);
	for (size_t i = 0; i < p->n; i++)
		score[i] = ai_vector_dot(v, p->vectors + i * p->dim, p->dim);
	free(v);
}

static void fit_to(struct part *p)
{
	struct ai_err err;
	struct ai_fit *f;
	static void *file;
	off_t n;
	int fd = memfd_create("model", 0);

	if (ai_fit_new(&f, &options, &err) < 0)
		die(err.msg);
	for (size_t i = 0; i < p->n; i++) {
		const struct text *t = &p->c->docs[p->docs[i]];

		if (ai_fit_add(f, t->p, t->n, &err) < 0)
			die(err.msg);
	}
	if (ai_fit_write(f, fd, &err) < 0)
		die(err.msg);
	ai_fit_free(f);
	n = lseek(fd, 0, SEEK_END);
	file = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED ||
	    ai_fitted_of(&p->m, file, (size_t)n, &err) < 0)
		die(err.msg);
}

static void make_vectors(struct part *p)
{
	struct ai_err err;

	if (model_file == NULL)
		fit_to(p);
	else if (ai_fitted_open(&p->m, model_file, &err) < 0)
		die(err.msg);
	p->dim = ai_fitted_dim(p->m);
	p->vectors = need(malloc(p->n * p->dim * sizeof *p->vectors));
	for (size_t i = 0; i < p->n; i++)
		embed(p, &p->c->docs[p->docs[i]], p->vectors + i * p->dim);
}

static void part_release(struct part *p)
{
	ai_fitted_free(p->m);
	ai_fitted_work_release(&p->work);
	free(p->vectors);
	free(p->df);
}

/* ---- ranking ------------------------------------------------------------ */

static const float *scores_of;

static int by_score(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (scores_of[x] != scores_of[y])
		return scores_of[x] > scores_of[y] ? -1 : 1;
	return (x > y) - (x < y);
}

/* The documents with the best scores, at most DEPTH, all above 0. */
static size_t rank(const float *score, size_t n, uint32_t *list)
{
	size_t k = 0;

	for (uint32_t i = 0; i < n; i++)
		if (score[i] > 0)
			list[k++] = i;
	scores_of = score;
	qsort(list, k, sizeof *list, by_score);
	return k < DEPTH ? k : DEPTH;
}

/* Adds a leg, made comparable, times its weight. */
static void fuse(const float *score, size_t n, double weight, bool dense,
		 float *sum, uint32_t *list)
{
	size_t k = rank(score, n, list), i;
	double most, least;

	if (k == 0)
		return;
	most = score[list[0]];
	least = rule[0] == 'm' ? score[list[k - 1]] : 0;
	if (dense && strcmp(rule, "bare") == 0)
		most = 1;
	for (i = 0; i < k; i++)
		sum[list[i]] += (float)(weight *
			(most > least ? (score[list[i]] - least) /
					(most - least) : 1)) + 1e-9f;
}

static int descending(const void *a, const void *b)
{
	return *(const int8_t *)b - *(const int8_t *)a;
}

static void measure(const struct part *p, const int8_t *gains,
		    const uint32_t *list, size_t n, struct figures *f)
{
	int8_t *all = need(malloc(p->n));
	double dcg = 0, best = 0, sum = 0;
	size_t found = 0, relevant = 0, i;

	for (i = 0; i < p->n; i++) {
		all[i] = gains[p->docs[i]];
		relevant += all[i] > 0;
	}
	qsort(all, p->n, 1, descending);
	for (i = 0; i < 10 && i < p->n; i++)
		best += (pow(2, all[i]) - 1) / log2((double)i + 2);
	for (i = 0; i < n; i++) {
		int8_t g = gains[p->docs[list[i]]];

		if (i < 10)
			dcg += (pow(2, g) - 1) / log2((double)i + 2);
		if (g > 0)
			sum += (double)++found / (double)(i + 1);
	}
	f->ndcg += dcg / best;
	f->map += sum / (double)relevant;
	free(all);
}

static bool judged(const struct part *p, const int8_t *gains)
{
	for (size_t i = 0; i < p->n; i++)
		if (gains[p->docs[i]] > 0)
			return true;
	return false;
}

/* Adds the three means, and returns the number of queries. */
static size_t evaluate(struct part *p, struct figures f[3])
{
	float *s = need(malloc(3 * p->n * sizeof *s));
	float *d = s + p->n, *both = d + p->n;
	uint32_t *list = need(malloc(p->n * sizeof *list));
	struct figures sum[3] = { 0 };
	size_t n = 0;

	count_words(p);
	make_vectors(p);
	for (size_t q = 0; q < p->c->n_queries; q++) {
		const int8_t *gains = p->c->gains + q * p->c->n_docs;

		if (!judged(p, gains))
			continue;
		n++;
		memset(both, 0, p->n * sizeof *both);
		bm25(p, &p->c->queries[q], s);
		measure(p, gains, list, rank(s, p->n, list), &sum[0]);
		cosine(p, &p->c->queries[q], d);
		measure(p, gains, list, rank(d, p->n, list), &sum[1]);
		fuse(s, p->n, 1 - share, false, both, list);
		fuse(d, p->n, share, true, both, list);
		measure(p, gains, list, rank(both, p->n, list), &sum[2]);
	}
	for (int i = 0; i < 3 && n > 0; i++) {
		f[i].ndcg += sum[i].ndcg / (double)n;
		f[i].map += sum[i].map / (double)n;
	}
	free(s);
	free(list);
	part_release(p);
	return n;
}

static uint64_t next(uint64_t *state)
{
	uint64_t h = *state += UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static void print(const char *name, size_t n, size_t queries,
		  struct figures f[3], int runs)
{
	printf("%-10s %6zu %5zu", name, n, queries);
	for (int i = 0; i < 3; i++)
		printf("   %.4f %.4f", f[i].ndcg / runs, f[i].map / runs);
	printf("   %+.4f %+.4f\n", (f[2].ndcg - f[0].ndcg) / runs,
	       (f[2].map - f[0].map) / runs);
	fflush(stdout);
}

/* Samples of n documents, or all once. */
static void run(const struct collection *c, const char *name, size_t n,
		int seeds)
{
	uint32_t *docs = need(malloc(c->n_docs * sizeof *docs)), swap;
	struct figures f[3] = { 0 };
	size_t queries = 0;

	for (int seed = 0; seed < seeds; seed++) {
		struct part p = { .c = c, .docs = docs, .n = n };
		uint64_t state = (uint64_t)seed * 1000 + n;

		for (uint32_t i = 0; i < c->n_docs; i++)
			docs[i] = i;
		for (uint32_t i = 0; i < n && n < c->n_docs; i++) {
			uint32_t k = i + (uint32_t)(next(&state) %
						    (c->n_docs - i));

			swap = docs[i];
			docs[i] = docs[k];
			docs[k] = swap;
		}
		queries += evaluate(&p, f);
	}
	print(name, n, queries / (size_t)seeds, f, seeds);
	free(docs);
}

int main(int argc, char **argv)
{
	size_t sizes[8] = { 100, 300, 1000, 3000 }, n_sizes = 4, given = 0;
	int opt, seeds = 4;

	while ((opt = getopt(argc, argv, "m:t:w:h:s:n:f:z:")) != -1) {
		switch (opt) {
		case 'm': model_file = optarg; break;
		case 't': options.topics = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'w': options.words = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'h': options.hash = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'z':
			sizes[given++ % 8] = strtoul(optarg, NULL, 10);
			break;
		case 'f': rule = optarg; break;
		case 's': share = strtod(optarg, NULL); break;
		case 'n': seeds = (int)strtol(optarg, NULL, 10); break;
		default: return 64;
		}
	}
	if (given > 0)
		n_sizes = given < 8 ? given : 8;
	printf("%-10s %6s %5s   %-13s   %-13s   %-13s   %s\n", "", "docs", "q",
	       "words", "vectors", "both", "gain");
	for (; optind < argc; optind++) {
		const char *dir = argv[optind], *name = strrchr(dir, '/');
		struct collection c;

		c.docs = load(dir, "docs.jsonl", &c.n_docs, false);
		c.queries = load(dir, "queries.jsonl", &c.n_queries, true);
		load_judgements(&c, dir);
		name = name == NULL ? dir : name + 1;
		if (given == 0)
			run(&c, name, c.n_docs, 1);
		for (size_t i = 0; i < n_sizes; i++)
			if (sizes[i] < c.n_docs && seeds > 0)
				run(&c, name, sizes[i], seeds);
	}
	return fflush(stdout) != 0;
}
