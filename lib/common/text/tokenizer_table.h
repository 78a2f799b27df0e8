/*
 * tokenizer_table.h: the mapped form of a tokenizer that was read from a file;
 * for tokenizer*.c, and for what builds it.
 *
 * A table is made on the machine that reads it, so its numbers are as the
 * machine has them.  Behind the header stand sections, each on a boundary of
 * 8 bytes.  The hash of all that follows the header is compared each time a
 * table is mapped: a millisecond or two, and nothing that is damaged is used.
 */
#ifndef AI_TEXT_TOKENIZER_TABLE_H
#define AI_TEXT_TOKENIZER_TABLE_H

#include "base/err.h"
#include "base/str.h"
#include "text/bpe_split.h"
#include "text/bpe_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_TOK_MAGIC "AITOK\r\n\032"
#define AI_TOK_VERSION 3
#define AI_TOK_MARK 0x01020304u /* another order of bytes shows */

/* Ids are below this; what has more is refused. */
#define AI_TOK_IDS_MAX (1u << 22)
#define AI_TOK_NONE UINT32_MAX
/* And ranks of merges below this. */
#define AI_TOK_RANKS_MAX (1u << 24)

enum ai_tok_kind { AI_TOK_BPE = 1, AI_TOK_UNIGRAM, AI_TOK_WORDPIECE };

/* Of WordPiece: bytes before what goes on in a word ("##"), and characters of
 * a word that is not looked up. */
#define AI_TOK_PREFIX_MAX 16
#define AI_TOK_WORD_MAX 256

enum ai_tok_flag {
	AI_TOK_BYTES = 1,     /* each byte is a character of the vocabulary */
	AI_TOK_WHOLE = 2,     /* a piece that is a token is not merged */
	AI_TOK_FALLBACK = 4,  /* characters without a token become bytes */
	AI_TOK_FUSE = 8,      /* several unknown characters are one token */
	AI_TOK_WORDS = 16,    /* pieces can be cut before the blank's sign */
	AI_TOK_PLAIN = 32,    /* the tokens' bytes are those of the text */
	AI_TOK_RUNS = 128,    /* and behind runs of several of them */
	AI_TOK_LEAD = 64,     /* a text that begins with an added token that
			       * is not special has an empty word before it */
	/* How tokens become text. */
	AI_TOK_D_BLANK = 256, /* the blank's sign becomes a blank */
	AI_TOK_D_BYTES = 512, /* "<0x41>" becomes a byte */
	AI_TOK_D_FIRST = 1024, /* the first token loses the signs instead */
	AI_TOK_D_STRIP = 2048, /* a blank at the beginning is taken away */
	AI_TOK_D_NONE = 4096, /* not known */
};

/* U+2581, which stands for a blank in SentencePiece's vocabularies. */
#define AI_TOK_BLANK "\xE2\x96\x81"
#define AI_TOK_BLANK_N 3

/* What normalises a text, in order, and what cuts it into pieces. */
enum ai_tok_step_kind {
	AI_TOK_NFC = 1,  /* normalisers */
	AI_TOK_PREPEND,  /* text, before a text that is not empty */
	AI_TOK_REPLACE,  /* text by more */
	AI_TOK_STRIP,    /* white space; arg: 1 left, 2 right */
	AI_TOK_SQUEEZE,  /* runs of blanks, and those at the ends */
	AI_TOK_BERT,     /* arg: of enum ai_tok_bert_flag */
	AI_TOK_RULE,     /* splitters: a struct ai_tok_rule as arg */
	AI_TOK_DEEPSEEK, /* the third of DeepSeek's */
	AI_TOK_NUMBERS,  /* runs of at most arg numbers; 0: of any length */
	AI_TOK_RANGES,   /* runs of characters from the ranges in text */
	AI_TOK_STRING,   /* text */
	AI_TOK_REGEX,    /* text, a pattern for PCRE2 */
	AI_TOK_META,     /* blanks become signs; arg: when one is put before */
	AI_TOK_PREFIX,   /* a blank is put before, if there is none */
	AI_TOK_BERT_CUT, /* at blanks, which go, and at each punctuation */
	AI_TOK_STEP_END,
};

enum ai_tok_bert_flag {
	AI_TOK_BERT_CLEAN = 1,   /* controls go, white space becomes a blank */
	AI_TOK_BERT_CJK = 2,     /* blanks around each Chinese character */
	AI_TOK_BERT_PARTS = 4,   /* characters become what they are made of */
	AI_TOK_BERT_ACCENTS = 8, /* marks without a width go */
	AI_TOK_BERT_LOWER = 16,  /* capitals become small letters */
	AI_TOK_BERT_MARKS = 32,  /* all marks go */
};

enum ai_tok_behaviour {
	AI_TOK_ISOLATED,
	AI_TOK_REMOVED,
	AI_TOK_WITH_PREVIOUS,
	AI_TOK_WITH_NEXT,
	AI_TOK_CONTIGUOUS,
};

/* When the sign of a blank is put before a text. */
enum ai_tok_prepend {
	AI_TOK_ALWAYS, /* if none is there */
	AI_TOK_FIRST,  /* at the beginning of all, if none is there */
	AI_TOK_NEVER,
	AI_TOK_BEGIN,  /* at the beginning of all, even if one is there */
};

struct ai_tok_step {
	uint32_t kind, arg; /* of AI_TOK_RULE: as in bpe_split.h */
	uint32_t behaviour, invert;
	uint32_t text, text_n, more, more_n; /* in the section of texts */
};

enum ai_tok_added_flag {
	AI_TOK_SPECIAL = 1,
	AI_TOK_LSTRIP = 2,
	AI_TOK_RSTRIP = 4,
	AI_TOK_SINGLE = 8,
	AI_TOK_NORMAL = 16, /* looked for in the normalised text */
};

struct ai_tok_added {
	uint32_t id, flags;
};

struct ai_tok_pair {
	uint32_t left, right; /* left AI_TOK_NONE: empty */
	uint32_t rank, id;
};

/* An edge of the tree of added tokens: from node by byte to child. */
struct ai_tok_edge {
	uint32_t node, byte; /* node AI_TOK_NONE: empty */
	uint32_t child;
	uint32_t added;      /* what ends there, + 1; 0: nothing */
};

enum ai_tok_section {
	AI_TOK_S_AT,     /* uint32[n_ids + 1]: where tokens begin */
	AI_TOK_S_BLOB,   /* their bytes */
	AI_TOK_S_SLOTS,  /* uint64[]: tokens by bytes; hash << 32 | id + 1 */
	AI_TOK_S_PAIRS,  /* struct ai_tok_pair[], by hash */
	AI_TOK_S_FILTER, /* uint64[pairs / 8]: a bit for each of eight parts of
			  * a slot: whether a pair hashes there */
	AI_TOK_S_WHOLE,  /* a bit a token: its own bytes merge to it */
	AI_TOK_S_SCORES, /* double[n_ids] */
	AI_TOK_S_ADDED,  /* struct ai_tok_added[] */
	AI_TOK_S_RAW,    /* struct ai_tok_edge[]: in the text as it is */
	AI_TOK_S_NORMAL, /* and in the normalised one */
	AI_TOK_S_NORMS,  /* struct ai_tok_step[]: normalisers */
	AI_TOK_S_STEPS,  /* and splitters */
	AI_TOK_S_TEXT,   /* their texts */
	AI_TOK_SECTIONS,
};

struct ai_tok_header {
	char magic[8];
	uint32_t mark, version;
	uint32_t kind, flags;
	uint32_t n_ids, unknown; /* unknown: the token, or AI_TOK_NONE */
	uint32_t max_len;        /* bytes of the longest token */
	uint32_t slot_probe, pair_probe, edge_probe;
	double unknown_score;
	uint32_t byte[256];      /* their tokens, or AI_TOK_NONE */
	/* Of WordPiece. */
	uint32_t word_max, prefix_n;
	char prefix[AI_TOK_PREFIX_MAX];
	/* A word cannot be cut behind these bytes (AI_TOK_WORDS). */
	uint8_t glued[32];
	/* A run of so many signs ends in a token of one sign, which belongs
	 * to what follows (AI_TOK_RUNS). */
	uint64_t run_single;
	uint64_t from[AI_TOK_SECTIONS], len[AI_TOK_SECTIONS];
	uint64_t file_len, body_hash;
	char source[32];         /* the hash of the file it was made from */
	uint64_t head_hash;      /* of the header before this */
};

/* As its readers see it; pointers into the mapping. */
struct ai_tok_table {
	const struct ai_tok_header *head;
	const uint32_t *at;
	const unsigned char *blob;
	const uint64_t *slots;
	const struct ai_tok_pair *pairs;
	const uint64_t *filter;
	const uint8_t *whole;
	const double *scores;
	const struct ai_tok_added *added;
	const struct ai_tok_edge *edges[2];
	const struct ai_tok_step *norms, *steps;
	const char *text;
	size_t n_added, n_norms, n_steps, n_blob;
	uint32_t slot_mask, pair_mask, edge_mask[2];
	unsigned filter_shift; /* of a hash to its bit's number */
};

/* Checks all of it and sets t up; what is wrong with it, or NULL. */
const char *ai_tok_table_map(struct ai_tok_table *t, const void *p, size_t n);

/* The hash of what follows the header. */
uint64_t ai_tok_body_hash(const void *p, size_t n);

static inline bool ai_tok_is_whole(const struct ai_tok_table *t, uint32_t id)
{
	return (t->whole[id / 8] >> id % 8 & 1) != 0;
}

/* The bytes of a token, its length in *n; NULL if id is none. */
static inline const unsigned char *ai_tok_bytes(const struct ai_tok_table *t,
						uint32_t id, size_t *n)
{
	uint32_t from, to;

	if (id >= t->head->n_ids)
		return NULL;
	from = t->at[id];
	to = t->at[id + 1];
	if (from >= to || to > t->n_blob)
		return NULL;
	*n = to - from;
	return t->blob + from;
}

/* The token with these bytes, or AI_TOK_NONE. */
uint32_t ai_tok_find(const struct ai_tok_table *t, const char *p, size_t n);

static inline uint32_t ai_tok_pair_hash(uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * AI_BPE_K0;

	return (uint32_t)((h ^ h >> 29) * AI_BPE_K1 >> 32);
}

/* How far a pair's hash is shifted to its bit's number, among so many words of
 * the filter. */
static inline unsigned ai_tok_filter_shift(uint64_t words)
{
	return 32 - 6 - (unsigned)__builtin_ctzll(words);
}

/*
 * What two tokens merge to, as rank << 32 | id; AI_TOK_NO_PAIR: nothing.  Most
 * make nothing, and the filter, which a processor's nearer caches hold, knows
 * nine of ten of these.
 */
#define AI_TOK_NO_PAIR UINT64_MAX
static inline uint64_t ai_tok_pair(const struct ai_tok_table *t, uint32_t left,
				   uint32_t right)
{
	uint32_t i = ai_tok_pair_hash(left, right), bit = i >> t->filter_shift;
	const struct ai_tok_pair *e;

	if ((t->filter[bit / 64] >> bit % 64 & 1) == 0)
		return AI_TOK_NO_PAIR;
	for (uint32_t k = 0; k <= t->head->pair_probe; k++, i++) {
		e = &t->pairs[i & t->pair_mask];
		if (e->left == left && e->right == right)
			return (uint64_t)e->rank << 32 | e->id;
		if (e->left == AI_TOK_NONE)
			break;
	}
	return AI_TOK_NO_PAIR;
}

/* The edge of a tree (0: of the text, 1: of the normalised one), or NULL. */
static inline const struct ai_tok_edge *
ai_tok_edge(const struct ai_tok_table *t, int tree, uint32_t node,
	    unsigned char byte)
{
	uint32_t i = ai_tok_pair_hash(node, byte);
	const struct ai_tok_edge *e;

	for (uint32_t k = 0; k <= t->head->edge_probe; k++, i++) {
		e = &t->edges[tree][i & t->edge_mask[tree]];
		if (e->node == node && e->byte == byte)
			return e;
		if (e->node == AI_TOK_NONE)
			break;
	}
	return NULL;
}

#endif
