/* Vectors by codes, beside an exact search. */
#include "codes-set.h"

#include "codes-scan.h"

/* ---- kernels -------------------------------------------------------------------- */

static void random_block(unsigned char *block, size_t bytes)
{
	uint64_t x;

	for (size_t i = 0; i < bytes; i += 8) {
		x = next();
		memcpy(block + i, &x, 8);
	}
}

/* Whether a kernel scans as the portable one does, bit for bit. */
static bool scans_alike(const struct codes_kernel *k, size_t bits)
{
	size_t bytes = CODES_BLOCK_BYTES(bits);
	unsigned char *block = malloc(bytes), *lut = malloc(bits * 4);
	unsigned char *wide = malloc(bits * 32);
	struct codes_query q = { .lut = lut, .wide = wide, .columns = bits / 8,
				 .scale = 3.1e-7f, .base = -.0021f,
				 .shift = .25f };
	float a[CODES_BLOCK], b[CODES_BLOCK], floor;
	uint64_t x[4], y[4];
	bool same = true;

	for (int turn = 0; turn < 50 && same; turn++) {
		random_block(block, bytes);
		for (size_t i = 0; i < bits * 4; i++)
			lut[i] = turn == 0 ? 63 : (unsigned char)(next() % 64);
		for (size_t i = 0; i < bits * 32; i++)
			wide[i] = (unsigned char)(lut[i / 256 * 32 + i % 16] +
				lut[i / 256 * 32 + 16 + i / 16 % 16]);
		floor = turn == 1 ? -INFINITY : (float)uniform() - .5f;
		same = k->scan(&q, block, floor, a, x) ==
			       codes_portable.scan(&q, block, floor, b, y) &&
		       memcmp(a, b, sizeof(a)) == 0 &&
		       memcmp(x, y, sizeof(x)) == 0;
	}
	free(block);
	free(lut);
	free(wide);
	return same;
}

static bool multiplies_alike(const struct codes_kernel *k)
{
	float a[1100], b[1100], aa, x;
	bool same = true;

	for (size_t dim = 0; dim < 1100 && same; dim++) {
		for (size_t i = 0; i < dim; i++) {
			a[i] = rough();
			b[i] = rough();
		}
		x = k->dot(a, b, dim, &aa);
		same = x == ai_vector_dot(a, b, dim) &&
		       aa == ai_vector_dot(a, a, dim);
	}
	return same;
}

static void test_kernels(void)
{
	static const size_t bits[] = { 64, 384, 448, 1024, 3072, 4096, 4160,
				       8256, 65536 };
	const struct codes_kernel *k;

	for (size_t i = 0; (k = codes_kernel_at(i)) != NULL; i++) {
		for (size_t j = 0; j < sizeof(bits) / sizeof(bits[0]); j++)
			ok(scans_alike(k, bits[j]), "%s: %zu bits", k->name,
			   bits[j]);
		ok(multiplies_alike(k), "%s: dot products are those of "
		   "vector.h", k->name);
	}
	ok(strcmp(search_codes_kernel(), codes_kernel_at(0)->name) == 0,
	   "%s is what is used", search_codes_kernel());
}

/* ---- the rotation ----------------------------------------------------------------- */

static float gauss(void)
{
	return (float)(sqrt(-2 * log(uniform())) *
		       cos(6.283185307179586 * uniform()));
}

static void turn_pair(size_t bits)
{
	struct rotation r;
	float *x = malloc(2 * bits * sizeof(*x)), *y = x + bits;
	double before = 0, after = 0, length = 0, most = 0;
	struct ai_err err;

	ok(rotation_init(&r, bits, 7, &err) == 0, "rotation of %zu", bits);
	for (size_t i = 0; i < bits; i++) {
		x[i] = gauss() / (float)bits;
		y[i] = i == bits / 3; /* all in one component */
		before += (double)x[i] * y[i];
	}
	rotation_apply(&r, x);
	rotation_apply(&r, y);
	for (size_t i = 0; i < bits; i++) {
		after += (double)x[i] * y[i];
		length += (double)y[i] * y[i];
		most = fabs((double)y[i]) > most ? fabs((double)y[i]) : most;
	}
	ok(fabs(before - after) < 1e-5 && fabs(length - 1) < 1e-4,
	   "lengths and angles stay");
	ok(most < 8 / sqrt((double)bits), "one component is spread over all "
	   "(%.3f of them)", most * sqrt((double)bits));
	rotation_release(&r);
	free(x);
}

static void test_rotation(void)
{
	static const size_t bits[] = { 64, 128, 192, 384, 448, 960, 1024, 1536,
				       3072, 4160, 65536 };
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		turn_pair(bits[i]);
	ok(rotation_bits(1) == 384 && rotation_bits(384) == 384 &&
	   rotation_bits(385) == 448 && rotation_bits(65536) == 65536,
	   "bits of a dimension");
}

/* ---- the best of many ---------------------------------------------------------------- */

static int compare_nears(const void *a, const void *b)
{
	const struct search_near *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->n > y->n) - (x->n < y->n);
}

static bool picks(size_t want, size_t n, unsigned values)
{
	struct search_near *all = calloc(n + 1, sizeof(*all));
	struct codes_pick p;
	struct ai_err err;
	bool same = codes_pick_init(&p, want, &err) == 0;

	for (size_t i = 0; i < n; i++) {
		all[i] = (struct search_near){ (float)(next() % values),
					       (int64_t)i };
		if (all[i].score >= p.floor)
			codes_pick_add(&p, all[i].score, all[i].n);
	}
	qsort(all, n, sizeof(*all), compare_nears);
	codes_pick_sort(&p);
	same = same && p.n == (n < want ? n : want);
	for (size_t i = 0; i < p.n && same; i++)
		same = p.v[i].score == all[i].score && p.v[i].n == all[i].n;
	codes_pick_release(&p);
	free(all);
	return same;
}

static void test_pick(void)
{
	static const size_t want[] = { 0, 1, 2, 3, 10, 64, 200, 5000 };
	bool same = true;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		for (size_t n = 0; n < 4000 && same; n = n * 2 + 1)
			same = picks(want[i], n, 1) && picks(want[i], n, 3) &&
			       picks(want[i], n, 1000000);
	ok(same, "the best of many, as sorting has them");
}

/* ---- filters ------------------------------------------------------------------------------------ */

static void test_filters(void)
{
	struct search_filter f;
	bool same = true;
	int64_t n, want, count;

	for (int64_t size = 0; size < 300 && same; size += 7) {
		random_filter(&f, size, 1 + next() % 40);
		count = 0;
		for (int64_t k = 310; k-- > 0 && same;) {
			uint64_t word = codes_filter_word(&f, k);

			for (int i = 0; i < 64 && same; i++)
				same = (word >> i & 1) ==
				       search_filter_has(&f, k + i);
			for (want = k; want < 305; want++)
				if (search_filter_has(&f, want))
					break;
			n = k < 305 ? 305 : k;
			same = same && codes_filter_next(&f, k, n) ==
					       (want < n ? want : n);
			count += search_filter_has(&f, k);
			same = same && codes_filter_count(&f, k, 310) == count;
		}
		free(f.bits);
	}
	ok(same, "bits of a filter, wherever they lie");
	ok(codes_filter_word(NULL, 5) == ~(uint64_t)0 &&
	   codes_filter_next(NULL, 5, 9) == 5 &&
	   codes_filter_count(NULL, 5, 9) == 4, "no filter lets all through");
}

/* ---- codes beside an exact search ------------------------------------------------------- */

/* The nearest by looking at all rows that the filter lets through. */
static size_t naive(const struct set *s, const float *query,
		    const struct search_filter *f, struct search_near *best,
		    size_t k)
{
	struct search_near *all = calloc((size_t)s->n, sizeof(*all));
	size_t n = 0;

	for (int64_t i = 1; i <= s->n; i++)
		if (!s->hole[i] && (f == NULL || search_filter_has(f, i)))
			all[n++] = (struct search_near){
				ai_vector_dot(s->v + (size_t)(i - 1) * s->dim,
					      query, s->dim), i };
	qsort(all, n, sizeof(*all), compare_nears);
	n = n < k ? n : k;
	memcpy(best, all, n * sizeof(*all));
	free(all);
	return n;
}

struct quality {
	size_t found, all;
	bool sound; /* scores are exact and in order, rows may be there */
};

/* What one question found; recall counts by score, equal rows being equal. */
static void judge(const struct set *s, const struct search_nears *out,
		  const float *query, const struct search_filter *f, size_t k,
		  struct quality *q)
{
	struct search_near best[64];
	size_t n = naive(s, query, f, best, k);
	int64_t row;

	q->sound = q->sound && out->n == n;
	for (size_t i = 0; i < out->n && q->sound; i++) {
		row = out->v[i].n;
		q->sound = row >= 1 && row <= s->n && !s->hole[row] &&
			   (f == NULL || search_filter_has(f, row)) &&
			   out->v[i].score == ai_vector_dot(
				s->v + (size_t)(row - 1) * s->dim, query,
				s->dim) &&
			   (i == 0 || compare_nears(&out->v[i - 1],
						    &out->v[i]) < 0);
		q->found += n > 0 && out->v[i].score >= best[n - 1].score;
	}
	q->all += n;
}

static void compare_all(const struct set *s, struct search_nearest q,
			const char *what, double bar)
{
	struct quality quality = { .sound = true };
	struct search_nears out;
	struct ai_err err;
	float *query = malloc(s->dim * sizeof(*query));
	int rc = 0;

	q.rows = &s->rows;
	q.dim = s->dim;
	q.end = s->n + 1;
	q.query = query;
	for (int i = 0; i < 40 && rc == 0; i++) {
		/* Near a row, and not quite like any. */
		memcpy(query, s->v + (size_t)(next() % (uint64_t)s->n) *
				      s->dim, s->dim * sizeof(*query));
		for (size_t k = 0; k < s->dim; k++)
			query[k] += .5f * rough() / sqrtf((float)s->dim);
		ai_vector_normalise(query, s->dim);
		rc = search_nearest(&q, &out, &err);
		judge(s, &out, query, q.filter, q.k, &quality);
		search_nears_release(&out);
	}
	ok(rc == 0 && quality.sound, "%zu dimensions, %s: scores and order",
	   s->dim, what);
	ok((double)quality.found >= bar * (double)quality.all,
	   "%zu dimensions, %s: recall %.4f", s->dim, what,
	   (double)quality.found / (double)quality.all);
	free(query);
}

static void test_dimension(size_t dim, int64_t n, int64_t holes)
{
	struct search_codes a, b;
	const struct search_codes *both[] = { &a, &b };
	struct search_nearest q = { .codes = both, .codes_n = 2, .k = 10,
				    .few_floats = 1 };
	struct search_filter f;
	struct set s;
	struct ai_err err;

	make_set(&s, n, dim, holes);
	ok(make_codes(&a, &s, "a", (struct search_codes_plan){
		   .from = 1, .to = n / 3, .sample = -1 }) &&
	   make_codes(&b, &s, "b", (struct search_codes_plan){
		   .from = n / 3, .to = n - 100 }), "codes of %zu", dim);
	ok(search_codes_verify(&a, &err) == 0 &&
	   search_codes_verify(&b, &err) == 0 &&
	   (holes == 0) == (a.rows == NULL), "they are right");
	ok(a.recall >= .9 && a.recall <= 1 && a.sample > 0 &&
	   isnan(b.recall), "its recall was measured: %.3f", a.recall);
	compare_all(&s, q, "codes and a rest", .98);
	q.exact = true;
	compare_all(&s, q, "exactly", 1);
	q.exact = false;
	q.k = 40;
	compare_all(&s, q, "40 of them", .98);
	random_filter(&f, n - 300, 3);
	q.k = 10;
	q.filter = &f;
	compare_all(&s, q, "a third of them", .98);
	free(f.bits);
	random_filter(&f, n + 300, 100);
	compare_all(&s, q, "one in a hundred", 1);
	free(f.bits);
	search_codes_close(&a);
	search_codes_close(&b);
	free_set(&s);
}

static void test_dimensions(void)
{
	static const size_t dim[] = { 1, 2, 63, 64, 65, 100, 384, 1024 };

	for (size_t i = 0; i < sizeof(dim) / sizeof(dim[0]); i++) {
		test_dimension(dim[i], 3000, 0);
		test_dimension(dim[i], 3000, 7);
	}
	test_dimension(3072, 1500, 11);
}

/* Estimates are near the scores, and with every kernel the same. */
static void test_estimates(void)
{
	const struct codes_kernel *k;
	struct codes_pick first, pick;
	struct codes_scan scan;
	struct search_codes c;
	struct ai_err err;
	struct set s;
	double off = 0, e;

	make_set(&s, 2000, 384, 0);
	ok(make_codes(&c, &s, "c", (struct search_codes_plan){ 0 }), "codes");
	for (size_t i = 0; (k = codes_kernel_at(i)) != NULL; i++) {
		codes_pick_init(&pick, 2000, &err);
		codes_scan_init(&scan, s.v, s.dim, k);
		ok(codes_scan(&scan, &c, NULL, &pick, &err) == 2000 &&
		   pick.n == 2000, "%s: all are estimated", k->name);
		codes_scan_release(&scan);
		if (i == 0)
			first = pick;
		else
			ok(memcmp(first.v, pick.v, 2000 * sizeof(*pick.v)) ==
			   0, "%s: the same estimates", k->name);
		if (i > 0)
			codes_pick_release(&pick);
	}
	for (size_t i = 0; i < first.n; i++) {
		e = (double)first.v[i].score - (double)ai_vector_dot(
			s.v, s.v + (size_t)(first.v[i].n - 1) * s.dim, s.dim);
		off += e * e;
	}
	ok(sqrt(off / 2000) < 1 / sqrt(384), "estimates are off by %.4f",
	   sqrt(off / 2000));
	codes_pick_release(&first);
	search_codes_close(&c);
	free_set(&s);
}

/* ---- the edges ------------------------------------------------------------------------------ */

static void test_edges(void)
{
	struct search_nearest q = { .end = 1, .dim = 4, .k = 10 };
	struct search_rows none;
	struct search_nears out;
	struct ai_err err;
	float query[4] = { 1, 0, 0, 0 };
	struct set s;

	search_rows_open(&none, at("nothing"), 4, &err);
	q.rows = &none;
	q.query = query;
	ok(search_nearest(&q, &out, &err) == 0 && out.n == 0 && out.exact,
	   "an empty index");
	search_nears_release(&out);
	search_rows_close(&none);
	make_set(&s, 5, 4, 0);
	q.rows = &s.rows;
	q.end = 6;
	q.k = SIZE_MAX;
	ok(search_nearest(&q, &out, &err) == 0 && out.n == 5, "more than all");
	search_nears_release(&out);
	q.k = 0;
	ok(search_nearest(&q, &out, &err) == 0 && out.n == 0, "none wanted");
	search_nears_release(&out);
	q.dim = 3;
	ok(search_nearest(&q, &out, &err) < 0, "another dimension");
	q.dim = 4;
	query[2] = NAN;
	ok(search_nearest(&q, &out, &err) < 0, "a query that is no number");
	free_set(&s);
}

/* Rows that are all the same: the first ones are found. */
static void test_equal(void)
{
	struct search_rows_writer w;
	struct search_codes c;
	const struct search_codes *list[] = { &c };
	struct search_nears out;
	struct ai_err err;
	float v[8] = { .6f, .8f };
	struct set s = { .dim = 8, .n = 1000 };
	bool right = true;

	unlink(at("rows.f32"));
	search_rows_writer_open(&w, at("rows.f32"), 8, 1, &err);
	for (int64_t n = 1; n <= 1000; n++)
		search_rows_add(&w, n, v, &err);
	search_rows_flush(&w, false, &err);
	search_rows_writer_close(&w);
	search_rows_open(&s.rows, at("rows.f32"), 8, &err);
	make_codes(&c, &s, "c", (struct search_codes_plan){ .sample = -1 });
	ok(c.recall == 1, "codes of equal rows: recall %.2f", c.recall);
	right = ask(&s, list, 1, v, &out, &err) == 0 && out.n == 10 &&
		!out.exact && out.scored == 200;
	for (size_t i = 0; right && i < 10; i++)
		right = out.v[i].n == (int64_t)i + 1 && out.v[i].score == 1;
	ok(right, "of equal ones the first");
	search_nears_release(&out);
	search_codes_close(&c);
	free_set(&s);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	printf("# seed %llu\n", (unsigned long long)state);
	test_kernels();
	test_rotation();
	test_pick();
	test_filters();
	test_dimensions();
	test_estimates();
	test_edges();
	test_equal();
	remove_all();
	return done();
}
