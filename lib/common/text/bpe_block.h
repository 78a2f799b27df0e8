/*
 * bpe_block.h: where pieces begin, for 64 characters at once.
 *
 * bpe_split.h finds the end of one piece by looking at one character after
 * the other.  Here a block of characters is a handful of 64-bit masks, one a
 * class, and the rules of the encodings are a few dozen operations on them,
 * whatever the text: no loop over characters, hardly a branch.
 *
 * A block begins where a piece begins, so that nothing before it matters.
 * What it says near its end may depend on what follows, so only beginnings
 * that are certain are given; the next block begins at the last of them.
 *
 * Bit i of a mask is character i.  A program that makes the masks knows
 * where each character's bytes are; here it matters only for contractions.
 */
#ifndef AI_TEXT_BPE_BLOCK_H
#define AI_TEXT_BPE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an encoding cuts; what differs between them. */
struct ai_bpe_rule {
	/* A capital after a small letter begins a word; marks are letters. */
	bool cased;
	/* A symbol or blank may belong to the word behind it; if not, U+0020
	 * may, and to the number behind it as well. */
	bool prefix;
	/* 's is a part of the word before it; if not, a piece of its own. */
	bool joined;
	/* 'S is as good as 's. */
	bool fold;
	/* Newlines belong to the symbols before them, and to the blanks. */
	bool lines;
	/* Slashes, too, after symbols and newlines. */
	bool slash;
	/* So many digits are a piece; 0: all of a number. */
	unsigned digits;
};

struct ai_bpe_block {
	uint64_t upper, lower, letter, mark, number; /* as in text/class.h */
	uint64_t space;   /* U+0020 */
	uint64_t blank;   /* the other white space, without newlines */
	uint64_t newline; /* CR and LF */
	uint64_t other;
	uint64_t apostrophe, slashes; /* these are in other, too */
	const unsigned char *p; /* the block's bytes */
	uint64_t heads;   /* the bytes that begin a character */
	unsigned len;     /* characters, 1 to 64; no bits beyond them are set */
	bool final;       /* the text ends here */
};

/* So much of what follows can change whether a piece begins somewhere. */
#define AI_BPE_AHEAD 3

/* SCAN_TARGET: the instruction set, as an attribute of functions. */
#define BLOCK_INLINE SCAN_TARGET static inline __attribute__((always_inline))
#define BIT64(i) ((uint64_t)1 << (i))
#define BELOW(i) ((i) >= 64 ? ~(uint64_t)0 : BIT64(i) - 1)

/* The bits of runs in m that begin at from (a subset of m), to their ends. */
BLOCK_INLINE uint64_t block_fill(uint64_t from, uint64_t m)
{
	for (unsigned i = 1; i < 64; i *= 2) {
		from |= m & (from << i);
		m &= m << i;
	}
	return from;
}

/*
 * Characters of 's 't 'm 'd 're 've 'll at p, or 0.  Where case is ignored
 * it is Unicode's folding: the long s (U+017F) is an s.
 */
BLOCK_INLINE unsigned block_contraction(const unsigned char *p, unsigned avail,
					bool fold)
{
	unsigned a, b, bit = fold ? 0x20 : 0;

	if (avail < 2)
		return 0;
	a = p[1] | bit;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if (fold && p[1] == 0xC5 && p[2] == 0xBF)
		return 2;
	if (avail < 3)
		return 0;
	b = p[2] | bit;
	return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') ||
	       (a == 'l' && b == 'l') ? 3 : 0;
}

BLOCK_INLINE const unsigned char *block_at(const struct ai_bpe_block *b,
					   unsigned i)
{
#ifdef BLOCK_DEPOSIT
	if (b->heads != ~(uint64_t)0)
		return b->p + __builtin_ctzll(BLOCK_DEPOSIT(BIT64(i),
							    b->heads));
#endif
	return b->p + i;
}

/*
 * Contractions: candidates are apostrophes at which one may stand.  Takes
 * back the beginnings inside, and lets a letter behind it begin a piece.
 */
BLOCK_INLINE uint64_t block_contract(const struct ai_bpe_block *b,
				     struct ai_bpe_rule rule, uint64_t word,
				     uint64_t candidates, uint64_t starts)
{
	while (candidates != 0) {
		unsigned q = (unsigned)__builtin_ctzll(candidates);
		unsigned n = block_contraction(block_at(b, q), b->len - q,
					       rule.fold);
		uint64_t behind;

		candidates &= candidates - 1;
		if (n == 0)
			continue;
		starts &= ~((rule.joined ? BELOW(n) : BELOW(n) - 1) << q);
		behind = q + n < 64 ? BIT64(q + n) : 0;
		starts |= behind & word;
		/* After a contraction the word is over. */
		if (rule.joined)
			candidates &= ~behind;
	}
	return starts;
}

/* Of each run of blanks: its first one, what follows its last newline, and
 * its last one if that is no newline and something follows. */
BLOCK_INLINE uint64_t block_blanks(const struct ai_bpe_block *b,
				   struct ai_bpe_rule rule, uint64_t swallowed)
{
	uint64_t lines = rule.lines ? b->newline & ~swallowed : 0;
	uint64_t blank = b->space | b->blank | (rule.lines ? 0 : b->newline);
	uint64_t all = blank | lines;
	uint64_t first = all & ~(all << 1);
	uint64_t last = blank & ~(all >> 1);
	uint64_t after = blank & (lines << 1);
	uint64_t before; /* newlines behind blanks */

	if (b->final)
		last &= ~BIT64(b->len - 1);
	if (after == 0)
		return first | last;
	/* Blanks between newlines begin nothing. */
	before = lines & (blank << 1);
	while (before != 0) {
		unsigned end = (unsigned)__builtin_ctzll(before);
		uint64_t gap = ~blank & BELOW(end);

		before &= before - 1;
		/* The run is what lies between the last gap and end. */
		if (gap != 0)
			after &= ~BIT64(64 - __builtin_clzll(gap));
	}
	return first | last | after;
}

BLOCK_INLINE uint64_t block_numbers(const struct ai_bpe_block *b,
				    struct ai_bpe_rule rule)
{
	uint64_t n = b->number, starts = n & ~(n << 1), more, inside;

	if (rule.digits == 1)
		return n;
	if (rule.digits != 3)
		return starts;
	inside = n & n << 1 & n << 2 & n << 3;
	for (more = starts; (more = more << 3 & inside) != 0;)
		starts |= more;
	return starts;
}

/* Newlines and slashes that belong to the symbols before them. */
BLOCK_INLINE uint64_t block_swallowed(const struct ai_bpe_block *b,
				      struct ai_bpe_rule rule, uint64_t symbol)
{
	uint64_t from = b->newline & (symbol << 1);

	if (!rule.lines || from == 0)
		return 0;
	if (rule.slash && (b->slashes & (b->newline << 1)) != 0)
		return block_fill(from, b->newline | b->slashes);
	return ((b->newline + from) ^ b->newline) & b->newline;
}

/*
 * How many of the block's characters the masks can judge: the rules for
 * words with capitals behind letters without case, and for marks that follow
 * no letter, are left to bpe_split.h; both are rare.
 */
BLOCK_INLINE unsigned block_usable(const struct ai_bpe_block *b,
				   struct ai_bpe_rule rule)
{
	uint64_t word = b->upper | b->lower | b->letter | b->mark, odd;

	if (!rule.cased)
		return b->len;
	odd = (b->upper & ((b->letter | b->mark) << 1)) |
	      (b->mark & ~(word << 1));
	return odd == 0 ? b->len : (unsigned)__builtin_ctzll(odd);
}

/*
 * The beginnings of pieces in the block that are certain; character 0 always
 * is one.  If it is the only one and the block is not final, a longer look is
 * needed.
 */
BLOCK_INLINE uint64_t block_starts(const struct ai_bpe_block *b,
				   struct ai_bpe_rule rule)
{
	uint64_t symbol = b->other | (rule.cased ? 0 : b->mark);
	uint64_t word = b->upper | b->lower | b->letter |
			(rule.cased ? b->mark : 0);
	uint64_t gone = block_swallowed(b, rule, symbol);
	uint64_t sym, sym_first, word_first, number, glue, starts;

	sym = symbol & ~gone;
	sym_first = sym & ~(sym << 1) & ~(b->space << 1);
	word_first = word & ~(word << 1);
	if (rule.cased)
		word_first |= b->upper & (b->lower << 1);
	number = block_numbers(b, rule);
	if (rule.prefix) {
		/* A symbol alone, or the last blank, goes with the word. */
		glue = (sym_first & ~(sym >> 1)) | b->space | b->blank;
		word_first &= ~(glue << 1);
	} else {
		word_first &= ~(b->space << 1);
		number &= ~(b->space << 1);
	}
	starts = sym_first | word_first | number |
		 block_blanks(b, rule, gone) | 1;
	if (b->apostrophe != 0)
		starts = block_contract(b, rule, word, b->apostrophe &
			(rule.joined ? word << 1 : sym_first), starts);
	return starts;
}

/* Leaves out what is not certain in a block of len characters. */
BLOCK_INLINE uint64_t block_certain(const struct ai_bpe_block *b,
				    uint64_t starts, unsigned len)
{
	uint64_t blank = b->space | b->blank | b->newline, tail;

	starts &= len > AI_BPE_AHEAD ? BELOW(len - AI_BPE_AHEAD) : 1;
	/* A run of blanks that goes on: only its first one is certain. */
	if ((blank & BIT64(len - 1)) == 0)
		return starts | 1;
	tail = ~blank & BELOW(len);
	tail = tail == 0 ? 1 : BIT64(63 - __builtin_clzll(tail)) << 1;
	return (starts & (tail | (tail - 1))) | 1;
}

#endif
