#include "text/piece_cache.h"

#include "text/bpe_table.h"

#include <stdlib.h>
#include <sys/mman.h>

/* 64 KiB at first, 4 MiB at most. */
#define FIRST_BITS 10
#define LAST_BITS 16

/* Longer pieces: how large an entry is, how many buckets there are at first
 * and at most. */
static const struct shape {
	size_t entry;
	unsigned first_bits, last_bits;
} shapes[AI_PIECE_TABLES] = {
	[AI_PIECE_MIDDLE] = { 32, 7, 16 }, /* 16 KiB to 8 MiB */
	[AI_PIECE_LONG] = { 256, 4, 13 },   /* 16 KiB to 8 MiB */
};
#define ENTRY_HEAD 2 /* the length and the count */

#define HUGE_PAGE ((size_t)2 << 20)

#define ALL UINT64_MAX
#define LOW(n) (ALL >> (64 - 8 * (n)))

const struct ai_piece ai_piece_keep[AI_PIECE_MAX + 1] = {
	{ 0, 0 },	 { LOW(1), 0 },	   { LOW(2), 0 },   { LOW(3), 0 },
	{ LOW(4), 0 },	 { LOW(5), 0 },	   { LOW(6), 0 },   { LOW(7), 0 },
	{ ALL, 0 },	 { ALL, LOW(1) },  { ALL, LOW(2) }, { ALL, LOW(3) },
	{ ALL, LOW(4) }, { ALL, LOW(5) },  { ALL, LOW(6) }, { ALL, LOW(7) },
};

#define LEN(n) { 0, (uint64_t)(n) << 60 }

const struct ai_piece ai_piece_length[AI_PIECE_MAX + 1] = {
	LEN(0), LEN(1), LEN(2),	 LEN(3),  LEN(4),  LEN(5),  LEN(6),  LEN(7),
	LEN(8), LEN(9), LEN(10), LEN(11), LEN(12), LEN(13), LEN(14), LEN(15),
};

uint64_t ai_piece_hash(struct ai_piece key)
{
	/* Odd numbers: 2^64 over the golden ratio, and over e. */
	uint64_t h = key.lo * 0x9E3779B97F4A7C15u +
		     key.hi * 0x5E2D58D8B3BCDF1Bu;

	return (h ^ h >> 29) * 0x9E3779B97F4A7C15u;
}

void ai_piece_cache_release(struct ai_piece_cache *c)
{
	free(c->entry);
	for (size_t i = 0; i < AI_PIECE_TABLES; i++)
		free(c->table[i].entry);
	*c = (struct ai_piece_cache)AI_PIECE_CACHE_INIT;
}

/* Zeros; in huge pages where they fill one, or every probe would miss the
 * buffer of page addresses. */
static void *table_new(size_t bytes)
{
	bool huge = bytes >= HUGE_PAGE;
	void *p = aligned_alloc(huge ? HUGE_PAGE : 128, bytes);

	if (p == NULL)
		return NULL;
	if (huge)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	return memset(p, 0, bytes);
}

/* ---- short pieces ---- */

static size_t entries(unsigned bits)
{
	return (size_t)AI_PIECE_WAYS << bits;
}

/* Half full at most: then few buckets have more than four. */
static void set_size(struct ai_piece_cache *c, unsigned bits)
{
	c->shift = 64 - bits;
	c->grow_at = bits >= LAST_BITS ? SIZE_MAX : entries(bits) / 2;
}

int ai_piece_cache_ready(struct ai_piece_cache *c, ai_piece_hash_fn *hash,
			 struct ai_err *err)
{
	if (c->entry != NULL)
		return 0;
	c->entry = table_new(entries(FIRST_BITS) * sizeof *c->entry);
	if (c->entry == NULL)
		return ai_err_nomem(err);
	c->hash = hash;
	set_size(c, FIRST_BITS);
	return 0;
}

/* The bucket beside one takes what does not fit; only get() looks there. */
static struct ai_piece *beside(const struct ai_piece_cache *c,
			       const struct ai_piece *bucket)
{
	return c->entry + ((size_t)(bucket - c->entry) ^ AI_PIECE_WAYS);
}

static bool add_to(struct ai_piece *bucket, struct ai_piece e)
{
	for (size_t i = 0; i < AI_PIECE_WAYS; i++)
		if (bucket[i].hi == 0) {
			bucket[i] = e;
			return true;
		}
	return false;
}

static void insert(struct ai_piece_cache *c, struct ai_piece e)
{
	struct ai_piece key = { e.lo, e.hi & ~AI_PIECE_COUNT_MASK }, *own;

	own = c->entry + (ai_piece_bucket(c, c->hash(key)) - c->entry);
	if (add_to(own, e) || add_to(beside(c, own), e))
		c->used++;
	else
		own[c->turn++ % AI_PIECE_WAYS] = e;
}

static void grow(struct ai_piece_cache *c)
{
	struct ai_piece *old = c->entry;
	unsigned bits = 64 - c->shift;

	c->entry = table_new(entries(bits + 1) * sizeof *c->entry);
	if (c->entry == NULL) {
		c->entry = old;
		c->grow_at = SIZE_MAX;
		return;
	}
	set_size(c, bits + 1);
	c->used = 0;
	for (size_t i = 0; i < entries(bits); i++)
		if (old[i].hi != 0)
			insert(c, old[i]);
	free(old);
}

/* As ai_piece_key(), but nothing behind the piece is read: its ends are,
 * which overlap. */
static struct ai_piece key_of(const unsigned char *p, size_t n)
{
	struct ai_piece k = { .hi = ai_piece_length[n].hi };

	if (n > 8) {
		k.lo = ai_bpe_load64(p);
		k.hi |= ai_bpe_load64(p + n - 8) >> 8 * (16 - n);
	} else if (n == 8) {
		k.lo = ai_bpe_load64(p);
	} else if (n >= 4) {
		k.lo = ai_bpe_load32(p) |
		       (uint64_t)ai_bpe_load32(p + n - 4) << 8 * (n - 4);
	} else {
		k.lo = (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) |
		       (uint64_t)p[n - 1] << 8 * (n - 1);
	}
	return k;
}

static size_t seek_short(const struct ai_piece_cache *c,
			 const unsigned char *p, size_t n)
{
	const struct ai_piece *own = ai_piece_bucket(c, c->hash(key_of(p, n)));

	__builtin_prefetch(own);
	__builtin_prefetch(beside(c, own));
	return (size_t)(own - c->entry);
}

static unsigned short_at(const struct ai_piece_cache *c, size_t place,
			 const unsigned char *p, size_t n)
{
	struct ai_piece key = key_of(p, n);
	const struct ai_piece *own = c->entry + place;
	unsigned count = ai_piece_in_bucket(own, key);

	return count > 0 ? count : ai_piece_in_bucket(beside(c, own), key);
}

static void put_short(struct ai_piece_cache *c, const unsigned char *p,
		      size_t n, unsigned count)
{
	struct ai_piece e = key_of(p, n);

	if (c->used >= c->grow_at)
		grow(c);
	e.hi |= (uint64_t)count << AI_PIECE_COUNT_SHIFT;
	insert(c, e);
}

/* ---- longer pieces ---- */

static uint64_t word_at(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* n > 15. */
static uint64_t long_hash(const unsigned char *p, size_t n)
{
	struct ai_piece sum = { n, 0 };

	for (size_t i = 0; i + 16 < n; i += 16) {
		sum.lo = ai_piece_hash((struct ai_piece){
			sum.lo ^ word_at(p + i), word_at(p + i + 8) });
	}
	sum.lo ^= word_at(p + n - 16);
	sum.hi = word_at(p + n - 8);
	return ai_piece_hash(sum);
}

static size_t table_for(size_t n)
{
	return n > shapes[AI_PIECE_MIDDLE].entry - ENTRY_HEAD ? AI_PIECE_LONG
							      : AI_PIECE_MIDDLE;
}

static unsigned char *entry_at(const struct ai_piece_cache *c, size_t k,
			       size_t i)
{
	return c->table[k].entry + i * shapes[k].entry;
}

/* The first entry of its bucket. */
static size_t long_bucket(const struct ai_piece_cache *c, size_t k,
			  const unsigned char *p, size_t n)
{
	return (size_t)(long_hash(p, n) >> (64 - c->table[k].bits)) *
	       AI_PIECE_WAYS;
}

static size_t seek_long(const struct ai_piece_cache *c,
			const unsigned char *p, size_t n)
{
	size_t k = table_for(n), i;
	const unsigned char *e;

	if (c->table[k].entry == NULL)
		return 0;
	i = long_bucket(c, k, p, n);
	e = entry_at(c, k, i);
	__builtin_prefetch(e);
	__builtin_prefetch(e + 2 * shapes[k].entry);
	return i;
}

static unsigned entry_count(const unsigned char *e, const unsigned char *p,
			    size_t n)
{
	return e[0] == n && memcmp(e + ENTRY_HEAD, p, n) == 0 ? e[1] : 0;
}

static unsigned long_at(const struct ai_piece_cache *c, size_t place,
			const unsigned char *p, size_t n)
{
	size_t k = table_for(n);
	unsigned count = 0;

	if (c->table[k].entry == NULL)
		return 0;
	for (size_t i = 0; i < AI_PIECE_WAYS && count == 0; i++)
		count = entry_count(entry_at(c, k, place + i), p, n);
	return count;
}

static void insert_long(struct ai_piece_cache *c, size_t k,
			const unsigned char *p, size_t n, unsigned count)
{
	size_t first = long_bucket(c, k, p, n), i = 0;
	unsigned char *e;

	while (i < AI_PIECE_WAYS && *entry_at(c, k, first + i) != 0)
		i++;
	if (i == AI_PIECE_WAYS)
		i = c->turn++ % AI_PIECE_WAYS;
	e = entry_at(c, k, first + i);
	c->table[k].used += e[0] == 0;
	e[0] = (unsigned char)n;
	e[1] = (unsigned char)count;
	memcpy(e + ENTRY_HEAD, p, n);
}

static void grow_long(struct ai_piece_cache *c, size_t k)
{
	struct ai_piece_table old = c->table[k], *t = &c->table[k];
	size_t n = old.entry == NULL ? 0 : entries(old.bits);

	t->bits = old.entry == NULL ? shapes[k].first_bits : old.bits + 1;
	t->used = 0;
	t->entry = table_new(shapes[k].entry * entries(t->bits));
	if (t->entry == NULL) {
		*t = old;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const unsigned char *e = old.entry + i * shapes[k].entry;

		if (e[0] != 0)
			insert_long(c, k, e + ENTRY_HEAD, e[0], e[1]);
	}
	free(old.entry);
}

static void put_long(struct ai_piece_cache *c, const unsigned char *p,
		     size_t n, unsigned count)
{
	size_t k = table_for(n);
	const struct ai_piece_table *t = &c->table[k];

	if (t->entry == NULL || (t->bits < shapes[k].last_bits &&
				 t->used > entries(t->bits) / 8 * 3))
		grow_long(c, k);
	if (t->entry != NULL)
		insert_long(c, k, p, n, count);
}

/* ---- both ---- */

size_t ai_piece_cache_seek(const struct ai_piece_cache *c,
			   const unsigned char *p, size_t n)
{
	if (n <= AI_PIECE_MAX)
		return seek_short(c, p, n);
	return n <= AI_PIECE_LONG_MAX ? seek_long(c, p, n) : 0;
}

unsigned ai_piece_cache_at(const struct ai_piece_cache *c, size_t place,
			   const unsigned char *p, size_t n)
{
	if (n <= AI_PIECE_MAX)
		return short_at(c, place, p, n);
	return n <= AI_PIECE_LONG_MAX ? long_at(c, place, p, n) : 0;
}

unsigned ai_piece_cache_get(const struct ai_piece_cache *c,
			    const unsigned char *p, size_t n)
{
	return ai_piece_cache_at(c, ai_piece_cache_seek(c, p, n), p, n);
}

void ai_piece_cache_put(struct ai_piece_cache *c, const unsigned char *p,
			size_t n, unsigned count)
{
	if (n <= AI_PIECE_MAX)
		put_short(c, p, n, count);
	else if (n <= AI_PIECE_LONG_MAX)
		put_long(c, p, n, count);
}
