#include "codes-scan.h"

#include "codes-file.h"
#include "search.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- filters ----------------------------------------------------------------- */

uint64_t codes_filter_word(const struct search_filter *f, int64_t n)
{
	uint64_t word = 0, size;
	const unsigned char *p;
	unsigned shift = (unsigned)(n % 8);

	if (f == NULL || f->bits == NULL)
		return ~(uint64_t)0;
	if (n >= f->size)
		return 0;
	p = f->bits + n / 8;
	size = (uint64_t)((f->size + 7) / 8 - n / 8);
	for (unsigned i = 0; i < 8 && i < size; i++)
		word |= (uint64_t)p[i] << 8 * i;
	word >>= shift;
	if (shift > 0 && size > 8)
		word |= (uint64_t)p[8] << (64 - shift);
	if (f->size - n < 64)
		word &= ((uint64_t)1 << (f->size - n)) - 1;
	return word;
}

int64_t codes_filter_next(const struct search_filter *f, int64_t n, int64_t end)
{
	uint64_t word;

	if (f == NULL || f->bits == NULL)
		return n < end ? n : end;
	for (; n < end && n < f->size; n += 64) {
		word = codes_filter_word(f, n);
		if (word != 0) {
			n += __builtin_ctzll(word);
			return n < end ? n : end;
		}
	}
	return end;
}

int64_t codes_filter_count(const struct search_filter *f, int64_t from,
			   int64_t to)
{
	int64_t count = 0;
	uint64_t word;

	if (f == NULL || f->bits == NULL)
		return to > from ? to - from : 0;
	for (int64_t n = from; n < to; n += 64) {
		word = codes_filter_word(f, n);
		if (to - n < 64)
			word &= ((uint64_t)1 << (to - n)) - 1;
		count += __builtin_popcountll(word);
	}
	return count;
}

/* ---- a query made ready ------------------------------------------------------- */

void codes_scan_init(struct codes_scan *s, const float *query, size_t dim,
		     const struct codes_kernel *kernel)
{
	*s = (struct codes_scan){ .query = query, .dim = dim };
	s->kernel = kernel != NULL ? kernel : codes_kernel();
}

void codes_scan_release(struct codes_scan *s)
{
	rotation_release(&s->rotation);
	free(s->turned);
	free(s->lut);
	free(s->wide);
	*s = (struct codes_scan){ 0 };
}

static int make_room(struct codes_scan *s, const struct search_codes *c,
		     struct ai_err *err)
{
	if (s->turned == NULL) {
		s->turned = malloc(c->bits * sizeof(*s->turned));
		s->lut = malloc(c->bits * 4);
		if (s->kernel->wide)
			s->wide = malloc(c->bits * 32);
		if (s->turned == NULL || s->lut == NULL ||
		    (s->kernel->wide && s->wide == NULL))
			return ai_err_nomem(err);
	}
	if (s->rotation.signs != NULL && s->seed == c->seed)
		return 0;
	rotation_release(&s->rotation);
	s->seed = c->seed;
	return rotation_init(&s->rotation, c->bits, c->seed, err);
}

/* The sums of each set of four components, less the least of them: the least
 * is that of the negative ones. */
static float sums_of(const float *x, float sum[16])
{
	float least = 0;

	for (int i = 0; i < 4; i++)
		least += x[i] < 0 ? x[i] : 0;
	for (int set = 0; set < 16; set++) {
		sum[set] = -least;
		for (int i = 0; i < 4; i++)
			if (set >> i & 1)
				sum[set] += x[i];
	}
	return least;
}

/* The widest range of the sums of four components. */
static float widest(const float *x, size_t bits)
{
	float most = 0, range;

	for (size_t i = 0; i < bits; i += 4) {
		range = fabsf(x[i]) + fabsf(x[i + 1]) + fabsf(x[i + 2]) +
			fabsf(x[i + 3]);
		if (range > most)
			most = range;
	}
	return most;
}

/*
 * With b the bits of a code, sum sign(r_i) x_i = 2 sum b_i x_i - sum x_i, and
 * sum b_i x_i is what the tables have for its groups of four, less what was
 * taken off to begin at 0.
 */
static void make_tables(struct codes_scan *s, size_t bits)
{
	const float *x = s->turned;
	float step = widest(x, bits) / CODES_LUT_MAX, sum[16];
	float one = 1 / (CODES_F_ONE * sqrtf((float)bits));
	double least = 0, all = 0;
	long value;

	for (size_t i = 0; i < bits; i += 4) {
		least += (double)sums_of(x + i, sum);
		all += ((double)x[i] + x[i + 1]) + ((double)x[i + 2] +
						    x[i + 3]);
		for (int set = 0; set < 16; set++) {
			value = step > 0 ? lrintf(sum[set] / step) : 0;
			if (value < 0)
				value = 0;
			if (value > CODES_LUT_MAX)
				value = CODES_LUT_MAX;
			s->lut[4 * i + (size_t)set] = (unsigned char)value;
		}
	}
	s->q.lut = s->lut;
	s->q.columns = bits / 8;
	s->q.scale = 2 * step * one;
	s->q.base = (float)(2 * least - all) * one;
}

/* From the tables of half bytes those of whole ones. */
static void widen(struct codes_scan *s, size_t columns)
{
	const unsigned char *lut = s->lut;
	unsigned char *wide = s->wide;

	for (size_t c = 0; c < columns; c++, lut += 32, wide += 256)
		for (unsigned byte = 0; byte < 256; byte++)
			wide[byte] = (unsigned char)(lut[byte & 15] +
						     lut[16 + (byte >> 4)]);
}

static bool same_mean(const struct search_codes *a,
		      const struct search_codes *b)
{
	return a != NULL && a->seed == b->seed && a->dim == b->dim &&
	       memcmp(a->mean, b->mean, a->dim * sizeof(float)) == 0;
}

int codes_scan_make(struct codes_scan *s, const struct search_codes *c,
		    struct ai_err *err)
{
	double along = 0, mean = 0, far;

	if (same_mean(s->made, c))
		return 0;
	if (make_room(s, c, err) < 0)
		return -1;
	memset(s->turned, 0, c->bits * sizeof(*s->turned));
	for (size_t i = 0; i < s->dim; i++) {
		s->turned[i] = s->query[i] - c->mean[i];
		along += (double)s->query[i] * c->mean[i];
		mean += (double)c->mean[i] * c->mean[i];
	}
	rotation_apply(&s->rotation, s->turned);
	make_tables(s, c->bits);
	if (s->wide != NULL)
		widen(s, c->bits / 8);
	s->q.wide = s->wide;
	/* v.q = r.(q - m) + v.m + (m.q - m.m), where r = v - m. */
	s->q.shift = (float)(along - mean);
	/*
	 * An estimate is off by |r| |q - m| tan(a) / sqrt(bits), where a is the
	 * angle of r and its code: tan(a) is about sqrt(pi / 2 - 1).  Rows near
	 * the query are about as far from the mean as it is.
	 */
	far = 1 - 2 * along + mean;
	if (far < 1 - mean)
		far = sqrt(far > 0 ? far * (1 - mean) : 0);
	s->spread = .7555f * (float)far / sqrtf((float)c->bits);
	s->made = c;
	return 0;
}

/* ---- the scan ------------------------------------------------------------------ */

/* Whether a row of slots [slot, slot + n) may be let through; *mask has a bit
 * for each slot of which that is already known. */
static bool any_of(const struct search_codes *c,
		   const struct search_filter *f, int64_t slot, int64_t n,
		   uint64_t *mask)
{
	int64_t first, last;

	*mask = n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
	if (f == NULL || f->bits == NULL)
		return true;
	if (c->rows == NULL) {
		*mask &= codes_filter_word(f, c->from + slot);
		return *mask != 0;
	}
	first = codes_row(c, slot);
	last = codes_row(c, slot + n - 1);
	if (first < 0 || last < first)
		return true; /* damaged; the bits are looked at one by one */
	return codes_filter_next(f, first, last + 1) <= last;
}

/* Of the estimates of a block those that are high enough. */
static void gather(const struct search_codes *c, const struct search_filter *f,
		   int64_t slot, uint64_t above, const float *score,
		   struct codes_pick *pick)
{
	int64_t n;
	int i;

	for (; above != 0; above &= above - 1) {
		i = __builtin_ctzll(above);
		n = codes_row(c, slot + i);
		if (n < 0 || !(score[i] > pick->floor))
			continue;
		if (c->rows != NULL && (codes_filter_word(f, n) & 1) == 0)
			continue;
		codes_pick_add(pick, score[i], n);
	}
}

/* Whether the words of a block have the sums that lie behind them. */
static bool is_sound(const unsigned char *sums, uint64_t number,
		     const uint64_t sum[4])
{
	uint64_t want, wrong = 0;

	for (int i = 0; i < 4; i++) {
		memcpy(&want, sums + 8 * i, sizeof(want));
		wrong |= le64toh(want) ^ (sum[i] + CODES_SUM * (number + 1));
	}
	return wrong == 0;
}

int64_t codes_scan(struct codes_scan *s, const struct search_codes *c,
		   const struct search_filter *filter, struct codes_pick *pick,
		   struct ai_err *err)
{
	size_t size = CODES_BLOCK_BYTES(c->bits);
	const unsigned char *block = c->blocks;
	float score[CODES_BLOCK];
	int64_t seen = 0, n;
	uint64_t mask, above, sum[4];

	if (codes_scan_make(s, c, err) < 0)
		return -1;
	for (int64_t slot = 0; slot < c->count; slot += CODES_BLOCK) {
		n = c->count - slot < CODES_BLOCK ? c->count - slot :
						    CODES_BLOCK;
		if (any_of(c, filter, slot, n, &mask)) {
			above = s->kernel->scan(&s->q, block, pick->floor,
						score, sum) & mask;
			seen += n;
			if (!is_sound(block + size - CODES_SUMS,
				      (uint64_t)(slot / CODES_BLOCK), sum))
				return codes_damaged(c, slot, err);
			if (above != 0)
				gather(c, filter, slot, above, score, pick);
		}
		block += size;
	}
	return seen;
}
