/* bpe_scan_portable.c: bpe_scan.h in plain C. */
#include "text/class.h"

#define SCAN_TARGET
#include "text/bpe_scan_body.h"
#include "text/bpe_scan_kinds.h"

/* Bit i of each byte of v, as a number of 8 bits. */
static inline uint64_t bits_of(uint64_t v, unsigned i)
{
	return (v >> i & 0x0101010101010101u) * 0x0102040810204080u >> 56;
}

static inline uint64_t equal_bits(uint64_t v, unsigned char c)
{
	uint64_t x = v ^ 0x0101010101010101u * c;

	/* The high bit of each byte that is not zero. */
	x = ((x & 0x7F7F7F7F7F7F7F7Fu) + 0x7F7F7F7F7F7F7F7Fu) | x;
	return bits_of(~x, 7);
}

static inline void add_eight(struct ai_bpe_block *b, uint64_t *wide,
			     const unsigned char *p, unsigned at)
{
	uint64_t k = 0, v = 0;

	for (unsigned i = 0; i < 8; i++) {
		k |= (uint64_t)kinds[p[i]] << 8 * i;
		v |= (uint64_t)p[i] << 8 * i;
	}
	b->upper |= bits_of(k, 0) << at;
	b->lower |= bits_of(k, 1) << at;
	b->number |= bits_of(k, 2) << at;
	b->space |= bits_of(k, 3) << at;
	b->blank |= bits_of(k, 4) << at;
	b->newline |= bits_of(k, 5) << at;
	b->other |= bits_of(k, 6) << at;
	*wide |= bits_of(k, 7) << at;
	b->apostrophe |= equal_bits(v, '\'') << at;
	b->slashes |= equal_bits(v, '/') << at;
}

static void keep_below(struct ai_bpe_block *b, unsigned len)
{
	uint64_t m = BELOW(len);

	b->upper &= m;
	b->lower &= m;
	b->number &= m;
	b->space &= m;
	b->blank &= m;
	b->newline &= m;
	b->other &= m;
	b->apostrophe &= m;
	b->slashes &= m;
}

SCAN_INLINE void scan_load(struct ai_bpe_block *b, const unsigned char *p,
			     size_t n)
{
	unsigned char copy[64] = { 0 };
	const unsigned char *from = p;
	uint64_t wide = 0;

	*b = (struct ai_bpe_block){ .p = p, .heads = ~(uint64_t)0 };
	b->final = n <= 64;
	b->len = b->final ? (unsigned)n : 64;
	if (p[0] >= 0x80) {
		b->len = 0;
		return;
	}
	if (n < 64) {
		memcpy(copy, p, n);
		from = copy;
	}
	for (unsigned i = 0; i < 64; i += 8)
		add_eight(b, &wide, from + i, i);
	if (wide != 0) {
		b->len = (unsigned)__builtin_ctzll(wide);
		b->final = false;
	}
	if (b->len < 64)
		keep_below(b, b->len);
}

SCAN_INLINE size_t scan_emit(uint32_t *pos, uint32_t base,
			       const struct ai_bpe_block *b, uint64_t starts)
{
	size_t k = 0;

	(void)b;
	for (; starts != 0; starts &= starts - 1)
		pos[k++] = base + (uint32_t)__builtin_ctzll(starts);
	return k;
}

/* The key of piece i; none if it is too long. */
static struct ai_piece key_of(const struct ai_bpe_batch *s, size_t i)
{
	uint32_t at = s->pos[i], n = s->pos[i + 1] - at;
	unsigned char room[16] = { 0 };

	if (n > AI_PIECE_MAX)
		return AI_PIECE_NONE;
	if (s->n - at >= sizeof room)
		return ai_piece_key(s->p + at, n);
	memcpy(room, s->p + at, n);
	return ai_piece_key(room, n);
}

static size_t probe(struct ai_bpe_batch *s, const struct ai_piece_cache *c)
{
	size_t sum = 0;

	s->misses = 0;
	for (size_t i = 0; i < s->pieces; i++) {
		struct ai_piece key = key_of(s, i);
		unsigned count = ai_piece_in_bucket(
			ai_piece_bucket(c, ai_piece_hash(key)), key);

		sum += count;
		s->miss[s->misses] = (uint16_t)i;
		s->misses += count == 0;
	}
	return sum;
}

static bool usable(void)
{
	return true;
}

const struct ai_bpe_scanner ai_bpe_scan_portable = {
	"portable", usable, ai_piece_hash,
	{ scan_pieces_r50k, scan_pieces_cl100k, scan_pieces_o200k }, probe,
};
