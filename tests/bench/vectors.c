/*
 * vectors.c: makes vectors, and measures bin/search's codes on them.
 *
 *	vectors make KIND N DIM ROWS QUERIES Q   KIND: clustered, anisotropic
 *	vectors build ROWS N DIM FOLDER          rows.f32 and codes-1.idx
 *	vectors truth FOLDER N DIM QUERIES OUT   the ten nearest, exactly
 *	vectors ask FOLDER N DIM QUERIES TRUTH [R]   recall, CPU, rows scored;
 *	                                         R: candidates, all scored
 *	vectors once FOLDER N DIM QUERIES        opens, asks once; silent
 *	vectors scan N DIM                       each kernel, codes at random
 *
 * ROWS has N rows of floats, from row 0 on; FOLDER/rows.f32 has them from row 1
 * on.  Times are CPU time of this process.
 */
#include "codes-file.h"
#include "codes-scan.h"
#include "search.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CLUSTERS 500
#define LAYERS 24
#define K 10

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "vectors: %s\n", what);
	exit(1);
}

static void *room(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		die("out of memory");
	return p;
}

static long number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*end != '\0' || n < 1)
		die("a number is wrong");
	return n;
}

static const float *map(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	*n = (size_t)st.st_size;
	p = mmap(NULL, *n, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

/* ---- making ------------------------------------------------------------------ */

static uint64_t state = 7;

static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static double uniform(void)
{
	return ((double)(next() >> 11) + .5) / 9007199254740992.0;
}

/* Box and Muller's, two at a time. */
static void gauss(float *x, size_t n)
{
	double r, a;

	for (size_t i = 0; i < n; i += 2) {
		r = sqrt(-2 * log(uniform()));
		a = 6.283185307179586 * uniform();
		x[i] = (float)(r * cos(a));
		if (i + 1 < n)
			x[i + 1] = (float)(r * sin(a));
	}
}

/* A random orthogonal map: layers of plane rotations of random pairs. */
struct turn {
	uint32_t a, b;
	float c, s;
};

static struct turn *make_turns(size_t dim)
{
	struct turn *t = room(LAYERS * (dim / 2) * sizeof(*t));
	uint32_t *at = room(dim * sizeof(*at)), k, x;
	size_t n = 0;

	for (size_t i = 0; i < dim; i++)
		at[i] = (uint32_t)i;
	for (int layer = 0; layer < LAYERS; layer++) {
		for (size_t i = dim - 1; i > 0; i--) {
			k = (uint32_t)(next() % (i + 1));
			x = at[i];
			at[i] = at[k];
			at[k] = x;
		}
		for (size_t i = 0; i + 1 < dim; i += 2) {
			double angle = 6.283185307179586 * uniform();

			t[n++] = (struct turn){ at[i], at[i + 1],
						(float)cos(angle),
						(float)sin(angle) };
		}
	}
	free(at);
	return t;
}

static void turn(const struct turn *t, size_t dim, float *x)
{
	for (size_t i = 0; i < LAYERS * (dim / 2); i++) {
		float a = x[t[i].a], b = x[t[i].b];

		x[t[i].a] = a * t[i].c - b * t[i].s;
		x[t[i].b] = a * t[i].s + b * t[i].c;
	}
}

struct mixture {
	size_t dim;
	float *spectrum, *center, *common;
	double *upto; /* of clusters, cumulated */
	float noise;
	struct turn *turns;
};

/* Clusters whose sizes fall like 1/sqrt(i); components that fall like a power
 * of theirs.  Anisotropic: falling faster, and all vectors lean to one side. */
static void make_mixture(struct mixture *m, const char *kind, size_t dim)
{
	bool lean = strcmp(kind, "anisotropic") == 0;
	double sum = 0;

	m->dim = dim;
	m->spectrum = room(dim * sizeof(float));
	m->common = room(dim * sizeof(float));
	m->center = room(CLUSTERS * dim * sizeof(float));
	m->upto = room(CLUSTERS * sizeof(double));
	m->noise = .7f;
	for (size_t i = 0; i < dim; i++)
		m->spectrum[i] = powf(1 + (float)i, lean ? -.8f : -.5f);
	gauss(m->common, dim);
	for (size_t i = 0; i < dim; i++)
		m->common[i] *= lean ? .25f : 0;
	gauss(m->center, CLUSTERS * dim);
	for (size_t i = 0; i < CLUSTERS * dim; i++)
		m->center[i] *= m->spectrum[i % dim];
	for (int i = 0; i < CLUSTERS; i++)
		m->upto[i] = sum += 1 / sqrt(1 + (double)i);
	for (int i = 0; i < CLUSTERS; i++)
		m->upto[i] /= sum;
	m->turns = make_turns(dim);
}

static void draw(const struct mixture *m, float *x)
{
	double u = uniform(), sum = 0;
	size_t k = 0;

	while (k < CLUSTERS - 1 && m->upto[k] < u)
		k++;
	gauss(x, m->dim);
	for (size_t i = 0; i < m->dim; i++)
		x[i] = m->common[i] + m->center[k * m->dim + i] +
		       m->noise * m->spectrum[i] * x[i];
	turn(m->turns, m->dim, x);
	for (size_t i = 0; i < m->dim; i++)
		sum += (double)x[i] * x[i];
	for (size_t i = 0; i < m->dim; i++)
		x[i] = (float)(x[i] / sqrt(sum));
}

static void make_file(const struct mixture *m, long n, const char *path)
{
	float *x = room(m->dim * sizeof(*x));
	FILE *f = fopen(path, "w");

	if (f == NULL)
		die(path);
	for (long i = 0; i < n; i++) {
		draw(m, x);
		if (fwrite(x, sizeof(*x), m->dim, f) != m->dim)
			die("write");
	}
	if (fclose(f) != 0)
		die("write");
	free(x);
}

static void cmd_make(char **a)
{
	struct mixture m;

	make_mixture(&m, a[0], (size_t)number(a[2]));
	make_file(&m, number(a[1]), a[3]);
	make_file(&m, number(a[5]), a[4]);
}

/* ---- building ----------------------------------------------------------------- */

static char *in(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = room(n);

	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

static void check(int rc, const struct ai_err *err)
{
	if (rc < 0)
		die(err->msg);
}

static void write_rows(const float *v, long n, size_t dim, const char *path)
{
	struct search_rows_writer w;
	struct ai_err err;

	unlink(path);
	check(search_rows_writer_open(&w, path, dim, 1, &err), &err);
	for (long i = 0; i < n; i++)
		check(search_rows_add(&w, i + 1, v + (size_t)i * dim, &err),
		      &err);
	check(search_rows_flush(&w, true, &err), &err);
	search_rows_writer_close(&w);
}

static void cmd_build(char **a)
{
	size_t dim = (size_t)number(a[2]), bytes;
	const float *v = map(a[0], &bytes);
	char *rows = in(a[3], "rows.f32"), *codes = in(a[3], "codes-1.idx");
	struct search_codes_plan plan = { .from = 1, .sample = -1 };
	struct search_rows r;
	struct search_codes c;
	struct ai_err err;
	double start = now(), written, built, done;

	plan.to = number(a[1]) + 1;
	write_rows(v, number(a[1]), dim, rows);
	written = now();
	check(search_rows_open(&r, rows, dim, &err), &err);
	plan.rows = &r;
	unlink(codes);
	plan.sample = 0;
	check(search_codes_build(codes, &plan, &err), &err);
	built = now();
	unlink(codes);
	plan.sample = -1;
	check(search_codes_build(codes, &plan, &err), &err);
	done = now();
	check(search_codes_open(&c, codes, &err), &err);
	printf("%.3f %.3f %.3f %.2f %.4f %lld\n", (written - start) / 1e3,
	       (built - written) / 1e3, (done - built) / 1e3,
	       (double)c.bytes / (double)c.count, c.recall,
	       (long long)c.sample);
}

/* ---- asking -------------------------------------------------------------------- */

struct asked {
	struct search_rows rows;
	struct search_codes codes;
	const struct search_codes *list[1];
	struct search_nearest q;
};

static void open_all(struct asked *s, char **a)
{
	size_t dim = (size_t)number(a[2]);
	struct ai_err err;

	check(search_rows_open(&s->rows, in(a[0], "rows.f32"), dim, &err),
	      &err);
	check(search_codes_open(&s->codes, in(a[0], "codes-1.idx"), &err),
	      &err);
	s->list[0] = &s->codes;
	s->q = (struct search_nearest){
		.dim = dim, .rows = &s->rows, .end = number(a[1]) + 1,
		.codes = s->list, .codes_n = 1, .k = K,
	};
}

static void cmd_truth(char **a)
{
	struct asked s;
	struct search_nears out;
	struct ai_err err;
	size_t bytes;
	const float *v = map(a[3], &bytes);
	FILE *f = fopen(a[4], "w");
	double start = now();
	size_t n;

	open_all(&s, a);
	n = bytes / (s.q.dim * sizeof(float));
	for (size_t i = 0; i < n; i++) {
		s.q.query = v + i * s.q.dim;
		s.q.exact = true;
		check(search_nearest(&s.q, &out, &err), &err);
		if (f == NULL || fwrite(out.v, sizeof(*out.v), K, f) != K)
			die("write");
		search_nears_release(&out);
	}
	fclose(f);
	printf("%.3f\n", (now() - start) / (double)n);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void cmd_ask(char **a)
{
	struct asked s;
	struct search_nears out;
	struct ai_err err;
	size_t bytes, n, found = 0;
	int64_t scored = 0;
	const float *v = map(a[3], &bytes);
	const struct search_near *truth = (const void *)map(a[4], &bytes);
	double *ms, start;

	open_all(&s, a);
	n = bytes / (K * sizeof(*truth));
	ms = room(n * sizeof(*ms));
	for (size_t i = 0; i < n; i++) {
		start = now();
		s.q.query = v + i * s.q.dim;
		s.q.few_floats = 1;
		if (a[5] != NULL)
			s.q.rescore = (size_t)number(a[5]);
		check(search_nearest(&s.q, &out, &err), &err);
		ms[i] = now() - start;
		for (size_t k = 0; k < out.n; k++)
			found += out.v[k].score >= truth[i * K + K - 1].score;
		scored += out.scored;
		search_nears_release(&out);
	}
	qsort(ms, n, sizeof(*ms), compare);
	printf("%.4f %.3f %.3f %lld\n", (double)found / (double)(n * K),
	       ms[n / 2], ms[n * 95 / 100], (long long)scored / (long long)n);
}

static void cmd_once(char **a)
{
	struct asked s;
	struct search_nears out;
	struct ai_err err;
	size_t bytes;

	s.q.query = NULL;
	open_all(&s, a);
	s.q.query = map(a[3], &bytes);
	s.q.few_floats = 1;
	check(search_nearest(&s.q, &out, &err), &err);
	printf("%lld %.4f\n", (long long)out.v[0].n, (double)out.v[0].score);
}

/* ---- kernels -------------------------------------------------------------------- */

static double time_kernel(const struct codes_kernel *k,
			  const struct search_codes *c, const float *query)
{
	struct codes_scan scan;
	struct codes_pick pick;
	struct ai_err err;
	double best = INFINITY, start;

	for (int i = 0; i < 9; i++) {
		codes_scan_init(&scan, query, c->dim, k);
		check(codes_pick_init(&pick, 200, &err), &err);
		start = now();
		if (codes_scan(&scan, c, NULL, &pick, &err) < 0)
			die(err.msg);
		if (now() - start < best)
			best = now() - start;
		codes_scan_release(&scan);
		codes_pick_release(&pick);
	}
	return best;
}

/* What a query wants to see behind a block of a number. */
static void set_sums(uint64_t *block, size_t bits, uint64_t number)
{
	size_t at = (CODES_BLOCK_BYTES(bits) - CODES_SUMS) / 8;

	codes_sum((unsigned char *)block, bits, block + at);
	for (int i = 0; i < 4; i++)
		block[at + (size_t)i] += CODES_SUM * (number + 1);
}

static void cmd_scan(char **a)
{
	struct search_codes c = { .from = 1 };
	size_t bytes;
	uint64_t *w;
	float *query;

	c.count = number(a[0]);
	c.to = c.count + 1;
	c.dim = (size_t)number(a[1]);
	c.bits = rotation_bits(c.dim);
	bytes = (size_t)codes_blocks(c.count) * CODES_BLOCK_BYTES(c.bits);
	w = room(bytes);
	for (size_t i = 0; i < bytes / 8; i++)
		w[i] = next();
	for (int64_t i = 0; i < codes_blocks(c.count); i++)
		set_sums(w + (size_t)i * CODES_BLOCK_BYTES(c.bits) / 8, c.bits,
			 (uint64_t)i);
	c.blocks = (unsigned char *)w;
	query = room(2 * c.dim * sizeof(*query));
	gauss(query, c.dim);
	memset(query + c.dim, 0, c.dim * sizeof(*query));
	c.mean = query + c.dim;
	for (size_t i = 0; codes_kernel_at(i) != NULL; i++)
		printf("%s %.3f\n", codes_kernel_at(i)->name,
		       time_kernel(codes_kernel_at(i), &c, query));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least;
		void (*run)(char **);
	} all[] = {
		{ "make", 6, cmd_make }, { "build", 4, cmd_build },
		{ "truth", 5, cmd_truth }, { "ask", 5, cmd_ask },
		{ "once", 4, cmd_once }, { "scan", 2, cmd_scan },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(argv[1], all[i].name) == 0 &&
		    argc - 2 >= all[i].least) {
			all[i].run(argv + 2);
			return fflush(stdout) != 0;
		}
	die("see the head of vectors.c");
}
