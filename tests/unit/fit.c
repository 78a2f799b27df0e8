/*
 * Fitted models: against models made the naive way, of dense matrices; the
 * same bytes each time; what is damaged is noticed; memory has its limits.
 */
#include "text/analyze.h"
#include "text/fit-file.h"
#include "text/fit.h"
#include "text/svd.h"
#include "text/vector.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 33) % n);
}

/* ---- texts -------------------------------------------------------------- */

#define TEXTS 60
#define WORDS 24
#define TOPICS 4

/* Made up, and their own stems: no stop words. */
static const char *const words[WORDS] = {
	"bako", "beku", "bimo", "bolu", "bupa", "dako", "deku", "dimo",
	"dolu", "dupa", "fako", "feku", "fimo", "folu", "fupa", "gako",
	"geku", "gimo", "golu", "gupa", "kako", "keku", "kimo", "kolu",
};

static char texts[TEXTS][512];
static int at[TEXTS][100]; /* the words by number, -1 behind them */

/* Most words of a text are of one topic. */
static void make_texts(void)
{
	for (size_t i = 0; i < TEXTS; i++) {
		uint32_t topic = below(TOPICS), n = 12 + below(30);
		char *p = texts[i];

		for (uint32_t k = 0; k < n; k++) {
			int w = (int)(below(4) > 0
				      ? topic * (WORDS / TOPICS) +
					below(WORDS / TOPICS)
				      : below(WORDS));

			at[i][k] = w;
			at[i][k + 1] = -1;
			p += snprintf(p, 8, "%s%s", k > 0 ? " " : "", words[w]);
		}
	}
}

/* A model in memory. */
struct file {
	unsigned char *p;
	size_t n;
};

static int fit(const struct ai_fit_options *o, size_t n, struct file *out,
	       struct ai_err *err)
{
	struct ai_fit *f;
	int fd = memfd_create("model", 0), rc = ai_fit_new(&f, o, err);

	*out = (struct file){ 0 };
	if (rc < 0)
		goto out;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = ai_fit_add(f, texts[i % TEXTS],
				strlen(texts[i % TEXTS]), err);
	if (rc == 0)
		rc = ai_fit_write(f, fd, err);
	ai_fit_free(f);
	out->n = (size_t)lseek(fd, 0, SEEK_END);
	out->p = malloc(out->n + 1);
	if (rc == 0 && pread(fd, out->p, out->n, 0) != (ssize_t)out->n)
		rc = -1;
out:
	close(fd);
	return rc;
}

/* ---- the naive way ------------------------------------------------------ */

static double weights[WORDS];

static void weigh(void)
{
	for (int w = 0; w < WORDS; w++) {
		int df = 0;

		for (size_t i = 0; i < TEXTS; i++) {
			int *p = at[i];

			while (*p >= 0 && *p != w)
				p++;
			df += *p >= 0;
		}
		weights[w] = log(1 + (TEXTS - df + .5) / (df + .5));
	}
}

static void counts(const int *text, double tf[WORDS])
{
	memset(tf, 0, WORDS * sizeof *tf);
	for (; *text >= 0; text++)
		tf[*text]++;
	for (int w = 0; w < WORDS; w++)
		tf[w] = tf[w] > 0 ? 1 + log(tf[w]) : 0;
}

/* Eigenvectors of B, the first rank ones, a row a word. */
static void first(double *b, size_t rank, double *rows, double *gap)
{
	static double v[WORDS * WORDS];
	double values[WORDS];

	ai_svd_jacobi(b, WORDS, values, v);
	*gap = values[rank - 1] / values[rank];
	for (size_t w = 0; w < WORDS; w++)
		for (size_t k = 0; k < rank; k++)
			rows[w * rank + k] = v[k * WORDS + w];
}

static void naive_topics(size_t rank, double *rows, double *gap)
{
	static double b[WORDS * WORDS];
	double x[WORDS];

	memset(b, 0, sizeof b);
	for (size_t i = 0; i < TEXTS; i++) {
		double sum = 0;

		counts(at[i], x);
		for (int w = 0; w < WORDS; w++) {
			x[w] *= pow(weights[w], 1.5);
			sum += x[w] * x[w];
		}
		for (int w = 0; w < WORDS; w++)
			for (int u = 0; u < WORDS; u++)
				b[w * WORDS + u] += x[w] * x[u] / sum;
	}
	first(b, rank, rows, gap);
}

static void naive_words(size_t rank, double *rows, double *gap)
{
	static double c[WORDS][WORDS], m[WORDS][WORDS], b[WORDS * WORDS];
	double sums[WORDS] = { 0 }, total = 0;

	memset(c, 0, sizeof c);
	for (size_t i = 0; i < TEXTS; i++)
		for (int p = 0; at[i][p] >= 0; p++)
			for (int q = 0; at[i][q] >= 0; q++)
				if (p != q && abs(p - q) <= 15)
					c[at[i][p]][at[i][q]]++;
	for (int w = 0; w < WORDS; w++) {
		for (int u = 0; u < WORDS; u++)
			sums[w] += c[w][u];
		total += pow(sums[w], .75);
	}
	for (int w = 0; w < WORDS; w++) {
		for (int u = 0; u < WORDS; u++) {
			double x = c[w][u] * total /
				   (sums[w] * pow(sums[u], .75));

			m[w][u] = x > 1 ? log(x) : 0;
		}
	}
	for (int w = 0; w < WORDS; w++) {
		for (int u = 0; u < WORDS; u++) {
			b[w * WORDS + u] = 0;
			for (int k = 0; k < WORDS; k++)
				b[w * WORDS + u] += m[w][k] * m[u][k];
		}
	}
	first(b, rank, rows, gap);
	for (int w = 0; w < WORDS; w++) {
		double sum = 0;

		for (size_t k = 0; k < rank; k++)
			sum += rows[w * rank + k] * rows[w * rank + k];
		for (size_t k = 0; k < rank; k++)
			rows[w * rank + k] /= sqrt(sum);
	}
}

static void naive_vector(const int *text, const double *rows, size_t rank,
			 double power, double *v)
{
	double tf[WORDS], sum = 0;

	counts(text, tf);
	for (size_t k = 0; k < rank; k++) {
		v[k] = 0;
		for (size_t w = 0; w < WORDS; w++)
			v[k] += tf[w] * pow(weights[w], power) *
				rows[w * rank + k];
		sum += v[k] * v[k];
	}
	for (size_t k = 0; k < rank; k++)
		v[k] /= sqrt(sum);
}

/* Cosines of all pairs of texts: signs and rotations do not matter. */
static double compare(struct ai_fitted *m, const double *rows, size_t rank,
		      double power)
{
	static float v[TEXTS][WORDS];
	static double u[TEXTS][WORDS];
	struct ai_fitted_work work = { 0 };
	double worst = 0;

	for (size_t i = 0; i < TEXTS; i++) {
		if (ai_fitted_embed(m, &work, texts[i], strlen(texts[i]), v[i],
				    NULL, NULL) < 0)
			return 9;
		naive_vector(at[i], rows, rank, power, u[i]);
	}
	for (size_t i = 0; i < TEXTS; i++) {
		for (size_t k = 0; k < TEXTS; k++) {
			double dot = 0;

			for (size_t j = 0; j < rank; j++)
				dot += u[i][j] * u[k][j];
			dot = fabs(dot - ai_vector_dot(v[i], v[k], rank));
			worst = dot > worst ? dot : worst;
		}
	}
	ai_fitted_work_release(&work);
	return worst;
}

static void test_naive(bool topics, uint32_t rank)
{
	const struct ai_fit_options o = {
		.topics = topics ? rank : 0, .words = topics ? 0 : rank,
	};
	static double rows[WORDS * WORDS];
	struct ai_fitted *m;
	struct ai_err err;
	struct file f;
	double gap, off;

	if (!ok(fit(&o, TEXTS, &f, &err) == 0 &&
		ai_fitted_of(&m, f.p, f.n, &err) == 0, "%u %s", rank,
		topics ? "topics" : "dimensions of words"))
		return;
	ok(ai_fitted_dim(m) == rank && ai_fitted_terms(m) == WORDS &&
	   ai_fitted_texts(m) == TEXTS && ai_fitted_verify(m, &err) == 0,
	   "the model says what it is");
	(topics ? naive_topics : naive_words)(rank, rows, &gap);
	off = compare(m, rows, rank, topics ? 1.5 : 1);
	ok(off < .02, "cosines are those of the naive model within %.3f "
	   "(gap %.2f)", off, gap);
	ai_fitted_free(m);
	free(f.p);
}

/* ---- bytes and limits --------------------------------------------------- */

static const struct ai_fit_options small = {
	.topics = 4, .words = 4, .hash = 64,
};

static void test_same(void)
{
	struct ai_fit_options few = small;
	struct file a, b;
	struct ai_fitted *m;
	struct ai_err err;

	ok(fit(&small, TEXTS, &a, &err) == 0 && fit(&small, TEXTS, &b, &err) == 0 &&
	   a.n == b.n && memcmp(a.p, b.p, a.n) == 0,
	   "the same texts give the same bytes");
	free(b.p);
	free(a.p);
	few.sample_max = 300;
	ok(fit(&few, 20 * TEXTS, &a, &err) == 0 &&
	   fit(&few, 20 * TEXTS, &b, &err) == 0 && a.n == b.n &&
	   memcmp(a.p, b.p, a.n) == 0, "so does a sample");
	ok(ai_fitted_of(&m, a.p, a.n, &err) == 0 &&
	   ai_fitted_texts(m) == 20 * TEXTS && ai_fitted_terms(m) == WORDS,
	   "a sample's model counts all texts");
	ai_fitted_free(m);
	free(a.p);
	free(b.p);
}

static float norm(const float *v, size_t n)
{
	return ai_vector_dot(v, v, n);
}

static void test_texts(void)
{
	struct ai_fit_options o = small;
	struct ai_fitted_work work = { 0 };
	struct ai_fitted *m;
	struct ai_err err;
	struct file f;
	float v[72], w[72];
	size_t known;

	o.hash = 0;
	ok(fit(&o, TEXTS, &f, &err) == 0 &&
	   ai_fitted_of(&m, f.p, f.n, &err) == 0, "a model without hash");
	ok(ai_fitted_embed(m, &work, "", 0, v, &known, &err) == 0 &&
	   known == 0 && norm(v, 8) == 0, "no text gives zeros");
	ok(ai_fitted_embed(m, &work, "the of 42 \xff\xc3 unknown", 20, v,
			   &known, &err) == 0 && known == 0 && norm(v, 8) == 0,
	   "so do stop words, numbers, bytes, and words nobody knows");
	ok(ai_fitted_embed(m, &work, "Bako BEKU, the bako", 19, v, &known,
			   &err) == 0 && known == 2 &&
	   fabsf(norm(v, 8) - 1) < 1e-5f, "two words: length 1");
	ok(ai_fitted_embed(m, &work, "beku bako bako", 14, w, &known, &err) ==
	   0 && memcmp(v, w, 8 * sizeof *v) == 0,
	   "neither order nor stop words matter");
	ai_fitted_free(m);
	free(f.p);
	ok(fit(&small, TEXTS, &f, &err) == 0 &&
	   ai_fitted_of(&m, f.p, f.n, &err) == 0, "a model with hash");
	ok(ai_fitted_embed(m, &work, "unknown", 7, v, &known, &err) == 0 &&
	   known == 0 && fabsf(norm(v, 72) - 1) < 1e-5f && norm(v, 8) == 0,
	   "hashes what nobody knows");
	ok(ai_fitted_embed(m, &work, "bako unknown", 12, v, &known, &err) ==
	   0 && fabsf(norm(v, 4) - 1.0f / 3) < 1e-4f &&
	   fabsf(norm(v + 8, 64) - 1.0f / 3) < 1e-4f, "parts weigh the same");
	ai_fitted_work_release(&work);
	ai_fitted_free(m);
	free(f.p);
}

/* Of more words than are counted at once. */
static void test_long(void)
{
	struct ai_fit_options o = small;
	struct ai_fitted_work work = { 0 };
	struct ai_fitted *m;
	struct ai_err err;
	struct file f;
	size_t room = (size_t)8 << 20, known[2] = { 0 };
	char *text = malloc(room), *p;
	float v[2][8];

	o.hash = 0;
	if (!ok(text != NULL && fit(&o, TEXTS, &f, &err) == 0 &&
		ai_fitted_of(&m, f.p, f.n, &err) == 0, "a model"))
		return;
	for (int back = 0; back < 2; back++) {
		p = text;
		for (int i = 0; i < 300000; i++) {
			int k = back ? 299999 - i : i;

			p += snprintf(p, 24, "%s x%d ", words[k % 7], k);
		}
		ai_fitted_embed(m, &work, text, (size_t)(p - text), v[back],
				&known[back], &err);
	}
	ok(known[0] == 7 && known[1] == 7 &&
	   memcmp(v[0], v[1], sizeof v[0]) == 0,
	   "600,000 words: neither their order nor their number matters");
	ai_fitted_work_release(&work);
	ai_fitted_free(m);
	free(f.p);
	free(text);
}

static void test_nothing(void)
{
	struct ai_fit_options o = small;
	struct ai_fit *f;
	struct ai_err err;
	int fd = memfd_create("model", 0);

	ok(ai_fit_new(&f, NULL, &err) == 0 &&
	   ai_fit_write(f, fd, &err) == -1 && err.code == AI_E_DATA,
	   "no texts make no model");
	ai_fit_free(f);
	ok(ai_fit_new(&f, NULL, &err) == 0 &&
	   ai_fit_add(f, "one apple", 9, &err) == 0 &&
	   ai_fit_add(f, "two 2 2", 7, &err) == 0 &&
	   ai_fit_write(f, fd, &err) == -1 && err.code == AI_E_DATA,
	   "nor do texts without a word in common");
	ok(ai_fit_write(f, fd, &err) == -1 && err.code == AI_E_BUG,
	   "and what is none is not written");
	ai_fit_free(f);
	ok(ai_fit_new(&f, NULL, &err) == 0 &&
	   ai_fit_add(f, "apple", 5, &err) == 0 &&
	   ai_fit_add(f, "apple", 5, &err) == 0 &&
	   ai_fit_write(f, fd, &err) == 0, "a single word in two texts does");
	ok(ai_fit_make(f, &err) == -1 && err.code == AI_E_BUG,
	   "a model is made once");
	ai_fit_free(f);
	o.topics = AI_FIT_PART_MAX + 1;
	ok(ai_fit_new(&f, &o, &err) == -1 && err.code == AI_E_USAGE,
	   "too many dimensions");
	ok(ai_fit_new(&f, &small, &err) == 0 &&
	   ai_fit_add(f, texts[0], strlen(texts[0]), &err) == 0 &&
	   ai_fit_add(f, texts[0], strlen(texts[0]), &err) == 0 &&
	   ai_fit_write(f, -1, &err) == -1 && err.code == AI_E_IO,
	   "a file that cannot be written");
	ai_fit_free(f);
	close(fd);
}

/* More words than are counted at once; the ones that matter come often. */
static void test_many_words(void)
{
	struct ai_fit *f;
	struct ai_fitted *m;
	struct ai_err err;
	struct file out;
	char text[4096], *p;
	unsigned long n = 0;
	int rc, fd = memfd_create("model", 0);

	rc = ai_fit_new(&f, &small, &err);
	for (size_t i = 0; i < 6000 && rc == 0; i++) {
		p = text + snprintf(text, 512, "%s", texts[i % TEXTS]);
		for (int k = 0; k < 200; k++)
			p += snprintf(p, 16, " x%luz", n++);
		rc = ai_fit_add(f, text, (size_t)(p - text), &err);
	}
	ok(rc == 0 && ai_fit_write(f, fd, &err) == 0,
	   "%lu words that come once", n);
	ai_fit_free(f);
	out.n = (size_t)lseek(fd, 0, SEEK_END);
	out.p = malloc(out.n);
	ok(pread(fd, out.p, out.n, 0) == (ssize_t)out.n &&
	   ai_fitted_of(&m, out.p, out.n, &err) == 0 &&
	   ai_fitted_terms(m) == WORDS, "are not in the model");
	ai_fitted_free(m);
	free(out.p);
	close(fd);
}

/* ---- damage ------------------------------------------------------------- */

/* Whether the model gives a text the vector that it gave before. */
static bool gives(struct ai_fitted *m, const char *text, const float *want,
		  bool *failed)
{
	struct ai_fitted_work work = { 0 };
	float v[72];

	*failed = ai_fitted_embed(m, &work, text, strlen(text), v, NULL,
				  NULL) < 0;
	ai_fitted_work_release(&work);
	return *failed || memcmp(v, want, sizeof v) == 0;
}

static void test_damage(void)
{
	struct ai_fitted_work work = { 0 };
	struct ai_fitted *m;
	struct ai_err err;
	struct file f;
	float want[72];
	size_t missed = 0, wrong = 0, late = 0;
	bool failed;

	if (fit(&small, TEXTS, &f, &err) < 0 ||
	    ai_fitted_of(&m, f.p, f.n, &err) < 0 ||
	    ai_fitted_embed(m, &work, texts[0], strlen(texts[0]), want, NULL,
			    &err) < 0) {
		ok(false, "%s", err.msg);
		return;
	}
	ai_fitted_free(m);
	for (size_t i = 0; i < f.n * 8; i++) {
		f.p[i / 8] ^= (unsigned char)(1 << i % 8);
		if (ai_fitted_of(&m, f.p, f.n, &err) == 0) {
			missed += ai_fitted_verify(m, &err) == 0;
			wrong += !gives(m, texts[0], want, &failed);
			late += failed;
			ai_fitted_free(m);
		}
		f.p[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	ok(missed == 0, "each of %zu bits that is wrong is found", f.n * 8);
	ok(wrong == 0 && late > 0, "and none of them makes another vector");
	for (missed = 0, failed = true; failed && missed < f.n; missed++)
		failed = ai_fitted_of(&m, f.p, missed, &err) < 0 &&
			 err.code == AI_E_DATA;
	ok(failed, "a file that was cut is none");
	free(f.p);
	ai_fitted_work_release(&work);
}

static void test_open(void)
{
	struct ai_fitted *m;
	struct ai_err err;

	ok(ai_fitted_open(&m, "/nowhere/at/all", &err) == -1 &&
	   err.code == AI_E_OPEN, "no file");
	ok(ai_fitted_open(&m, "/", &err) == -1 && err.code == AI_E_DATA,
	   "a folder");
	ok(ai_fitted_open(&m, "/proc/self/exe", &err) == -1 &&
	   err.code == AI_E_DATA, "another file");
}

/* Of no text are the terms longer than who reads one makes room for. */
static void test_room(void)
{
	static const char *const kinds[] = {
		"\xe6\xbc\xa2", "\xe5\xad\x97", "\xe3\x81\x82",
		"\xe0\xb8\x81", "\xf0\xa0\x80\x80", "\xc3\xa9", "\xc3\x9f",
		"\xc8\xba", "\xd0\xaf", "a", "ing", "7", " ",
	};
	struct ai_buf text = AI_BUF_INIT(1 << 20), terms = AI_BUF_INIT(1 << 22);
	double most = 0, share;
	struct ai_fit *f;
	struct ai_err err;
	bool fits = true;

	if (ai_fit_new(&f, NULL, &err) < 0) {
		ok(false, "%s", err.msg);
		return;
	}
	for (int i = 0; i < 400; i++) {
		uint32_t n = 1 + below(13), from = below(14 - n);

		ai_buf_clear(&text);
		for (int k = 0; k < 500; k++)
			ai_buf_str(&text, kinds[from + below(n)]);
		ai_fit_read(f, text.p, text.len, NULL, &terms);
		share = (double)terms.len / (double)text.len;
		most = share > most ? share : most;
		fits = fits && terms.len / 3 * ((size_t)1 << 30) /
			text.len * 3 <= AI_FIT_READ_MAX;
	}
	ok(fits && most > 2, "terms take up to %.3f of a text's bytes", most);
	ai_fit_free(f);
	ai_buf_release(&text);
	ai_buf_release(&terms);
}

int main(void)
{
	printf("# seed %llu\n", (unsigned long long)state);
	make_texts();
	weigh();
	test_naive(true, 4);
	test_naive(false, 4);
	test_naive(true, 8);
	test_naive(false, 8);
	test_same();
	test_texts();
	test_long();
	test_nothing();
	test_many_words();
	test_damage();
	test_open();
	test_room();
	return done();
}
