/*
 * bpe_scan_body.h: the loops of bpe_scan.h, once for each instruction set.
 *
 * Who includes it has defined SCAN_TARGET (the attribute of its functions)
 * and
 *
 *	void scan_load(struct ai_bpe_block *b, const unsigned char *p, size_t n)
 *		the masks of the characters at p[0..n), of which it may take
 *		fewer than 64; len 0 if it can make nothing of the first one
 *	size_t scan_emit(uint32_t *pos, uint32_t base,
 *			 const struct ai_bpe_block *b, uint64_t starts)
 *		writes where the characters begin, returns how many; may
 *		write 64 numbers
 */
#include "text/bpe_block.h"
#include "text/bpe_scan.h"

#define SCAN_INLINE BLOCK_INLINE

SCAN_INLINE void scan_load(struct ai_bpe_block *b, const unsigned char *p,
			   size_t n);
SCAN_INLINE size_t scan_emit(uint32_t *pos, uint32_t base,
			     const struct ai_bpe_block *b, uint64_t starts);

static const struct ai_bpe_rule scan_r50k = { 0 };
static const struct ai_bpe_rule scan_cl100k = {
	.prefix = true, .fold = true, .lines = true, .digits = 3,
};
static const struct ai_bpe_rule scan_o200k = {
	.cased = true, .prefix = true, .joined = true, .fold = true,
	.lines = true, .slash = true, .digits = 3,
};

/* The byte at which character i of the block begins. */
SCAN_INLINE size_t scan_byte(const struct ai_bpe_block *b, unsigned i)
{
	return (size_t)(block_at(b, i) - b->p);
}

/* Pieces that the masks cannot judge, up to the next ASCII character. */
SCAN_INLINE size_t scan_slowly(struct ai_bpe_batch *s, size_t at,
			       ai_bpe_split_fn *split)
{
	const char *p = (const char *)s->p;

	do {
		s->pos[s->pieces++] = (uint32_t)at;
		at = split(p, s->n, at);
	} while (at < s->n && s->p[at] >= 0x80 && at <= UINT32_MAX / 2 &&
		 s->pieces < AI_BPE_BATCH);
	return at;
}

SCAN_INLINE void scan_pieces(struct ai_bpe_batch *s, struct ai_bpe_rule rule,
			     ai_bpe_split_fn *split)
{
	struct ai_bpe_block b;
	size_t at = 0;

	s->pieces = 0;
	while (s->pieces < AI_BPE_BATCH && at < s->n &&
	       at <= UINT32_MAX / 2) {
		unsigned usable, last;
		uint64_t starts;

		scan_load(&b, s->p + at, s->n - at);
		usable = b.len == 0 ? 0 : block_usable(&b, rule);
		if (usable < b.len || usable == 0)
			b.final = false;
		if (b.final) {
			starts = block_starts(&b, rule);
			s->pieces += scan_emit(s->pos + s->pieces,
					       (uint32_t)at, &b, starts);
			at = s->n;
			break;
		}
		if (usable > AI_BPE_AHEAD) {
			starts = block_certain(&b, block_starts(&b, rule),
					       usable);
			last = 63 - (unsigned)__builtin_clzll(starts);
			if (last > 0) {
				starts ^= BIT64(last);
				s->pieces += scan_emit(s->pos + s->pieces,
						       (uint32_t)at, &b,
						       starts);
				at += scan_byte(&b, last);
				continue;
			}
		}
		at = scan_slowly(s, at, split);
	}
	if (at > UINT32_MAX)
		at = s->pos[--s->pieces]; /* a piece for bpe_merge.c to refuse */
	s->pos[s->pieces] = (uint32_t)at;
}

SCAN_TARGET static void scan_pieces_r50k(struct ai_bpe_batch *s)
{
	scan_pieces(s, scan_r50k, ai_bpe_split_r50k);
}

SCAN_TARGET static void scan_pieces_cl100k(struct ai_bpe_batch *s)
{
	scan_pieces(s, scan_cl100k, ai_bpe_split_cl100k);
}

SCAN_TARGET static void scan_pieces_o200k(struct ai_bpe_batch *s)
{
	scan_pieces(s, scan_o200k, ai_bpe_split_o200k);
}
