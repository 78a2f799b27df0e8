/*
 * codes-set.h: rows at random for the tests of ai-search's vectors. The same
 * on every machine: no function of libm but sqrt.
 */
#ifndef TESTS_UNIT_CODES_SET_H
#define TESTS_UNIT_CODES_SET_H

#include "codes-file.h"
#include "search.h"
#include "tap.h"
#include "text/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/codes.XXXXXX";
static uint64_t state = 20261129;

__attribute__((unused)) static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

__attribute__((unused)) static double uniform(void)
{
	return ((double)(next() >> 11) + .5) / 9007199254740992.0;
}

/* Not normal, but of mean 0 and quick: what many vectors are made of. */
__attribute__((unused)) static float rough(void)
{
	uint64_t x = next();

	return (float)((double)(x & 0xFFFF) + (double)(x >> 16 & 0xFFFF) +
		       (double)(x >> 32 & 0xFFFF) - 98302.5) / 65536;
}

__attribute__((unused)) static const char *at(const char *name)
{
	static char path[4][64];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* Vectors around a few places, all leaning to one side, unevenly wide. */
__attribute__((unused)) static void fill(float *v, size_t n, size_t dim)
{
	float *place = malloc(20 * dim * sizeof(*place));

	for (size_t i = 0; i < 20 * dim; i++)
		place[i] = rough() / (float)(1 + i % dim / 8);
	for (size_t i = 0; i < n; i++, v += dim) {
		const float *p = place + (next() % 20) * dim;

		for (size_t k = 0; k < dim; k++)
			v[k] = p[k] + (k == 0 ? .3f : 0) +
			       .6f * rough() / (float)(1 + k / 8);
		ai_vector_normalise(v, dim);
	}
	free(place);
}

struct set {
	size_t dim;
	int64_t n;             /* rows 1 to n */
	float *v;              /* row k at (k - 1) * dim */
	unsigned char *hole;   /* hole[k]: row k is not there */
	struct search_rows rows;
};

/* Rows, every holes-th of which is not there (0: all are). */
__attribute__((unused)) static void make_set(struct set *s, int64_t n, size_t dim, int64_t holes)
{
	struct search_rows_writer w;
	struct ai_err err = { 0 };
	bool good = true;

	*s = (struct set){ .dim = dim, .n = n };
	s->v = malloc((size_t)n * dim * sizeof(*s->v));
	s->hole = calloc(1, (size_t)n + 1);
	fill(s->v, (size_t)n, dim);
	unlink(at("rows.f32"));
	good = search_rows_writer_open(&w, at("rows.f32"), dim, 1, &err) == 0;
	for (int64_t k = 1; k <= n && good; k++) {
		s->hole[k] = holes > 0 && k % holes == 0;
		if (!s->hole[k])
			good = search_rows_add(&w, k, s->v + (size_t)(k - 1) *
					       dim, &err) == 0;
	}
	good = good && search_rows_flush(&w, true, &err) == 0;
	search_rows_writer_close(&w);
	good = good && search_rows_open(&s->rows, at("rows.f32"), dim, &err) ==
		       0;
	if (!good)
		ok(false, "rows of %zu: %s", dim, err.msg);
}

__attribute__((unused)) static void free_set(struct set *s)
{
	search_rows_close(&s->rows);
	free(s->v);
	free(s->hole);
}

/* Builds and opens a segment. */
__attribute__((unused)) static bool make_codes(struct search_codes *c, const struct set *s,
		       const char *name, struct search_codes_plan plan)
{
	struct ai_err err = { 0 };

	plan.rows = &s->rows;
	if (plan.from == 0)
		plan.from = 1;
	if (plan.to == 0)
		plan.to = s->n + 1;
	unlink(at(name));
	*c = (struct search_codes){ 0 };
	if (search_codes_build(at(name), &plan, &err) == 0 &&
	    search_codes_open(c, at(name), &err) == 0)
		return true;
	printf("# %s\n", err.msg);
	return false;
}

__attribute__((unused)) static int ask(const struct set *s, const struct search_codes *const *codes,
	       size_t n, const float *query, struct search_nears *out,
	       struct ai_err *err)
{
	struct search_nearest q = { .query = query, .dim = s->dim,
				    .rows = &s->rows, .end = s->n + 1,
				    .codes = codes, .codes_n = n, .k = 10,
				    .rescore = 200, .few_floats = 1 };

	return search_nearest(&q, out, err);
}

/* Lets about one in `of` through. */
__attribute__((unused)) static void random_filter(struct search_filter *f, int64_t size, uint64_t of)
{
	f->size = size;
	f->count = 0;
	f->bits = calloc(1, (size_t)size / 8 + 1);
	for (int64_t i = 0; i < size; i++)
		if (next() % of == 0) {
			f->bits[i / 8] |= (unsigned char)(1 << i % 8);
			f->count++;
		}
}

__attribute__((unused)) static void remove_all(void)
{
	static const char *const files[] = { "rows.f32", "a", "b", "c", "d",
					     "e", "f", "r", "x", "known" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(at(files[i]));
	rmdir(folder);
}

#endif
