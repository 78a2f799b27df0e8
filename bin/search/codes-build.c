/* codes-build.c: makes a segment of codes. */
#include "codes-file.h"
#include "codes-recall.h"
#include "codes-scan.h"
#include "search.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED 0x61692D7365617263u
#define FIT_ROWS 65536         /* what a mean is made of, at most */
#define OUT_BYTES ((size_t)1 << 20)

/* Four floats, and their bits; what the compiler has for them. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint32_t bits4 __attribute__((vector_size(16), aligned(4), may_alias));

struct builder {
	const struct search_codes_plan *plan;
	const char *path;
	int fd;
	struct codes_head head;
	bool copy;               /* codes of the parts may be taken over */
	float *mean;             /* dim */
	struct rotation rotation;
	float *spare, *turned;   /* a row; bits */
	unsigned char *block;    /* the one that is being filled */
	struct ai_buf out;       /* not written yet */
	struct ai_hash hash;     /* of the blocks */
	unsigned char *has;      /* a bit for each row: it has a code */
	size_t part;             /* of the plan, where the last row was found */
	int64_t slot;            /* in it */
};

/* ---- writing ----------------------------------------------------------------- */

static int write_at(struct builder *b, const void *p, size_t n, off_t at,
		    struct ai_err *err)
{
	const char *from = p;
	ssize_t done;

	while (n > 0) {
		done = at < 0 ? write(b->fd, from, n) :
				pwrite(b->fd, from, n, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return ai_err_sys(err, AI_E_IO,
					  done < 0 ? errno : ENOSPC,
					  "cannot write '%s'", b->path);
		from += done;
		n -= (size_t)done;
		at += at < 0 ? 0 : done;
	}
	return 0;
}

static int flush(struct builder *b, struct ai_err *err)
{
	if (ai_buf_check(&b->out, "a block of codes", err) < 0 ||
	    write_at(b, b->out.p, b->out.len, -1, err) < 0)
		return -1;
	ai_buf_clear(&b->out);
	return 0;
}

static int put_bytes(struct builder *b, const void *p, size_t n,
		     struct ai_err *err)
{
	if (b->out.len + n > OUT_BYTES && b->out.len > 0 && flush(b, err) < 0)
		return -1;
	ai_buf_add(&b->out, p, n);
	return ai_buf_check(&b->out, "a block of codes", err);
}

/* The last block, of which all codes are there. */
static int put_block(struct builder *b, struct ai_err *err)
{
	size_t n = CODES_BLOCK_BYTES(b->head.bits);
	uint64_t number = (b->head.count - 1) / CODES_BLOCK, sum[4];

	codes_sum(b->block, b->head.bits, sum);
	for (size_t i = 0; i < 4; i++) {
		sum[i] = htole64(sum[i] + CODES_SUM * (number + 1));
		memcpy(b->block + n - CODES_SUMS + 8 * i, &sum[i], 8);
	}
	ai_hash_add(&b->hash, b->block, n);
	if (put_bytes(b, b->block, n, err) < 0)
		return -1;
	memset(b->block, 0, n);
	return 0;
}

/* ---- the mean ------------------------------------------------------------------ */

static bool is_live(const struct builder *b, int64_t n)
{
	return (codes_filter_word(b->plan->live, n) & 1) != 0;
}

/* Adds up every step-th row that is there; how many there were. */
static int64_t add_up(struct builder *b, int64_t step, double *sum)
{
	const struct search_codes_plan *p = b->plan;
	int64_t count = 0;
	const float *v;

	for (int64_t n = p->from; n < p->to; n += step) {
		v = is_live(b, n) ? search_rows_at(p->rows, n, b->spare) : NULL;
		for (size_t i = 0; v != NULL && i < b->head.dim; i++)
			sum[i] += v[i];
		count += v != NULL;
	}
	return count;
}

static int fit_mean(struct builder *b, struct ai_err *err)
{
	int64_t step = (b->plan->to - b->plan->from) / FIT_ROWS, count;
	double *sum = calloc(b->head.dim, sizeof(*sum));
	int rc = 0;

	if (sum == NULL)
		return ai_err_nomem(err);
	count = step > 1 ? add_up(b, step, sum) : 0;
	if (count == 0) /* few, or few that are there */
		count = add_up(b, 1, sum);
	if (count == 0)
		rc = ai_err_set(err, AI_E_USAGE, "no row of %lld to %lld has a "
				"vector", (long long)b->plan->from,
				(long long)b->plan->to - 1);
	for (size_t i = 0; i < b->head.dim && rc == 0; i++) {
		b->mean[i] = (float)(sum[i] / (double)count);
		if (!(fabsf(b->mean[i]) <= 2))
			rc = ai_err_set(err, AI_E_DATA, "%.200s is damaged: "
					"a row is no vector of length 1",
					b->plan->rows->path);
	}
	free(sum);
	return rc;
}

static bool agree(const struct search_codes *a, const struct search_codes *b)
{
	return a->dim == b->dim && a->seed == b->seed &&
	       a->fitted == b->fitted &&
	       memcmp(a->mean, b->mean, a->dim * sizeof(float)) == 0;
}

/* Whose mean can be used again, or NULL. */
static const struct search_codes *old_mean(const struct builder *b)
{
	const struct search_codes_plan *p = b->plan;
	const struct search_codes *c = p->like;
	int64_t count = codes_filter_count(p->live, p->from, p->to);
	size_t i;

	if (p->parts_n > 0) {
		for (i = 1; i < p->parts_n && agree(p->parts[0], p->parts[i]);)
			i++;
		c = i == p->parts_n ? p->parts[0] : NULL;
	}
	if (c == NULL || c->dim != b->head.dim || c->seed != SEED ||
	    c->fitted < count / 4)
		return NULL;
	return c;
}

static int choose_mean(struct builder *b, struct ai_err *err)
{
	const struct search_codes *old = old_mean(b);

	b->mean = malloc(b->head.dim * sizeof(*b->mean));
	if (b->mean == NULL)
		return ai_err_nomem(err);
	if (old == NULL)
		return fit_mean(b, err);
	memcpy(b->mean, old->mean, b->head.dim * sizeof(*b->mean));
	b->head.fitted = (uint32_t)old->fitted;
	b->copy = b->plan->parts_n > 0;
	return 0;
}

/* ---- codes ----------------------------------------------------------------------- */

static void put16(unsigned char *p, long x, long least, long most)
{
	uint16_t le;

	x = x < least ? least : x > most ? most : x;
	le = htole16((uint16_t)x);
	memcpy(p, &le, sizeof(le));
}

/* |r|^2 / sum |r_i|, times sqrt(bits). */
static float factor_of(const float *r, size_t bits)
{
	four squares = { 0 }, sizes = { 0 };
	float square = 0, size = 0;

	for (size_t i = 0; i < bits; i += 4) {
		four x = *(const four *)(r + i);
		bits4 y = (bits4)x & 0x7FFFFFFFu;

		squares += x * x;
		sizes += (four)y;
	}
	for (int i = 0; i < 4; i++) {
		square += squares[i];
		size += sizes[i];
	}
	return size > 0 ? square / size * sqrtf((float)bits) : 0;
}

/* The signs of eight components; 1 is positive. */
static unsigned char signs_of(const float *r)
{
	unsigned byte = 0;
	uint32_t x;

	for (unsigned i = 0; i < 8; i++) {
		memcpy(&x, r + i, sizeof(x));
		byte |= (~x >> 31) << i;
	}
	return (unsigned char)byte;
}

static int encode(struct builder *b, int64_t n, const float *v, size_t at,
		  struct ai_err *err)
{
	size_t dim = b->head.dim, bits = b->head.bits;
	unsigned char *f = b->block + bits / 8 * CODES_BLOCK;
	float *r = b->turned, along, aa;

	along = codes_kernel()->dot(v, b->mean, dim, &aa);
	if (!(fabsf(aa - 1) <= 2e-3f))
		return search_rows_damaged(b->plan->rows, n, err);
	for (size_t i = 0; i < dim; i++)
		r[i] = v[i] - b->mean[i];
	memset(r + dim, 0, (bits - dim) * sizeof(*r));
	rotation_apply(&b->rotation, r);
	for (size_t c = 0; c < bits / 8; c++)
		b->block[c * CODES_BLOCK + at] = signs_of(r + 8 * c);
	put16(f + 2 * at, lrintf(factor_of(r, bits) * CODES_F_ONE), 0, 65535);
	put16(f + 2 * CODES_BLOCK + 2 * at, lrintf(along * CODES_G_ONE),
	      -32767, 32767);
	return 0;
}

/* Copies what a part has of row n; false if it has nothing. */
static bool copy_code(struct builder *b, int64_t n, size_t at)
{
	const struct search_codes_plan *p = b->plan;
	const struct search_codes *c;
	const unsigned char *from;
	size_t columns = b->head.bits / 8, i;

	while (b->part < p->parts_n && n >= p->parts[b->part]->to) {
		b->part++;
		b->slot = 0;
	}
	if (b->part == p->parts_n || n < p->parts[b->part]->from)
		return false;
	c = p->parts[b->part];
	while (b->slot < c->count && codes_row(c, b->slot) < n)
		b->slot++;
	if (b->slot == c->count || codes_row(c, b->slot) != n)
		return false;
	from = c->blocks + (size_t)(b->slot / CODES_BLOCK) *
			   CODES_BLOCK_BYTES(b->head.bits);
	i = (size_t)b->slot % CODES_BLOCK;
	for (size_t k = 0; k < columns; k++)
		b->block[k * CODES_BLOCK + at] = from[k * CODES_BLOCK + i];
	from += columns * CODES_BLOCK;
	memcpy(b->block + columns * CODES_BLOCK + 2 * at, from + 2 * i, 2);
	memcpy(b->block + columns * CODES_BLOCK + 2 * (CODES_BLOCK + at),
	       from + 2 * (CODES_BLOCK + i), 2);
	return true;
}

static int put_codes(struct builder *b, struct ai_err *err)
{
	const struct search_codes_plan *p = b->plan;
	int64_t n, off;
	const float *v;

	ai_hash_init(&b->hash);
	for (n = codes_filter_next(p->live, p->from, p->to); n < p->to;
	     n = codes_filter_next(p->live, n + 1, p->to)) {
		size_t at = b->head.count % CODES_BLOCK;

		if (!b->copy || !copy_code(b, n, at)) {
			v = search_rows_at(p->rows, n, b->spare);
			if (v == NULL)
				continue;
			if (encode(b, n, v, at, err) < 0)
				return -1;
		}
		off = n - p->from;
		b->has[off / 8] |= (unsigned char)(1 << off % 8);
		if (++b->head.count % CODES_BLOCK == 0 && put_block(b, err) < 0)
			return -1;
	}
	if (b->head.count % CODES_BLOCK != 0 && put_block(b, err) < 0)
		return -1;
	codes_hash_end(&b->hash, b->head.blocks.hash);
	return 0;
}

/* Which row each slot has; nothing if slot k has row from + k. */
static int put_table(struct builder *b, struct ai_err *err)
{
	int64_t rows = b->plan->to - b->plan->from;
	struct ai_hash h;
	uint32_t le;

	if (b->head.count == rows)
		return 0;
	b->head.table.bytes = 1; /* it is there */
	ai_hash_init(&h);
	for (int64_t off = 0; off < rows; off++) {
		if ((b->has[off / 8] >> off % 8 & 1) == 0)
			continue;
		le = htole32((uint32_t)off);
		ai_hash_add(&h, &le, sizeof(le));
		if (put_bytes(b, &le, sizeof(le), err) < 0)
			return -1;
	}
	codes_hash_end(&h, b->head.table.hash);
	return 0;
}

/* The header, as zeros, and the mean. */
static int put_mean(struct builder *b, struct ai_err *err)
{
	unsigned char zero[CODES_HEAD] = { 0 };
	struct ai_hash h;
	uint32_t le;

	if (put_bytes(b, zero, CODES_HEAD, err) < 0)
		return -1;
	ai_hash_init(&h);
	for (size_t i = 0; i < b->head.dim; i++) {
		memcpy(&le, b->mean + i, sizeof(le));
		le = htole32(le);
		ai_hash_add(&h, &le, sizeof(le));
		if (put_bytes(b, &le, sizeof(le), err) < 0)
			return -1;
	}
	codes_hash_end(&h, b->head.mean.hash);
	return put_bytes(b, zero, (0 - (size_t)b->head.dim * 4) % CODES_ALIGN,
			 err);
}

static int put_head(struct builder *b, struct ai_err *err)
{
	unsigned char head[CODES_HEAD];

	codes_head_place(&b->head);
	codes_head_put(&b->head, head);
	return write_at(b, head, sizeof(head), 0, err);
}

/* ---- all of it --------------------------------------------------------------------- */

static int check_plan(const struct search_codes_plan *p, struct ai_err *err)
{
	if (p->from < 1 || p->to <= p->from || p->to > UINT32_MAX ||
	    p->to - p->from > INT32_MAX)
		return ai_err_set(err, AI_E_USAGE, "rows %lld to %lld are no "
				  "segment", (long long)p->from,
				  (long long)p->to);
	return 0;
}

static int make_room(struct builder *b, struct ai_err *err)
{
	int64_t rows = b->plan->to - b->plan->from;

	b->spare = malloc(b->head.dim * sizeof(*b->spare));
	b->turned = malloc(b->head.bits * sizeof(*b->turned));
	b->block = calloc(1, CODES_BLOCK_BYTES(b->head.bits));
	b->has = calloc(1, (size_t)rows / 8 + 1);
	if (b->spare == NULL || b->turned == NULL || b->block == NULL ||
	    b->has == NULL)
		return ai_err_nomem(err);
	return rotation_init(&b->rotation, b->head.bits, SEED, err);
}

static int measure(struct builder *b, struct ai_err *err)
{
	struct codes_recall r;
	int rc;

	if (b->plan->sample == 0)
		return 0;
	rc = codes_recall(b->path, b->plan->rows, b->plan->sample, &r, err);
	b->head.recall = (float)r.recall;
	b->head.sample = (uint32_t)r.sample;
	b->head.rescored = (uint32_t)r.rescored;
	return rc;
}

static int build(struct builder *b, struct ai_err *err)
{
	if (make_room(b, err) < 0 || choose_mean(b, err) < 0 ||
	    put_mean(b, err) < 0 || put_codes(b, err) < 0)
		return -1;
	if (b->head.count == 0)
		return ai_err_set(err, AI_E_USAGE, "no row of %lld to %lld has "
				  "a vector", (long long)b->plan->from,
				  (long long)b->plan->to - 1);
	if (b->head.fitted == 0)
		b->head.fitted = b->head.count;
	if (put_table(b, err) < 0 || flush(b, err) < 0 ||
	    put_head(b, err) < 0 || measure(b, err) < 0 ||
	    put_head(b, err) < 0)
		return -1;
	if (fdatasync(b->fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot sync '%s'",
				  b->path);
	return 0;
}

int search_codes_build(const char *path, const struct search_codes_plan *plan,
		       struct ai_err *err)
{
	struct builder b = { .plan = plan, .path = path };
	int rc;

	if (check_plan(plan, err) < 0)
		return -1;
	b.head.from = (uint32_t)plan->from;
	b.head.to = (uint32_t)plan->to;
	b.head.dim = (uint32_t)plan->rows->dim;
	b.head.bits = (uint32_t)rotation_bits(plan->rows->dim);
	b.head.seed = SEED;
	b.head.recall = NAN;
	ai_buf_init(&b.out, OUT_BYTES + CODES_BLOCK_BYTES(b.head.bits));
	b.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (b.fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot create '%s'", path);
	rc = build(&b, err);
	close(b.fd);
	if (rc < 0)
		unlink(path);
	rotation_release(&b.rotation);
	ai_buf_release(&b.out);
	free(b.mean);
	free(b.spare);
	free(b.turned);
	free(b.block);
	free(b.has);
	return rc;
}
