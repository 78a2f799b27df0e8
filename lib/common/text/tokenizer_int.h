/* tokenizer_int.h: what the parts of a tokenizer share; tokenizer*.c only. */
#ifndef AI_TEXT_TOKENIZER_INT_H
#define AI_TEXT_TOKENIZER_INT_H

#include "text/piece_cache.h"
#include "text/regex.h"
#include "text/tokenizer.h"

#include <stdatomic.h>

/* A text that is normalised has at most so many bytes. */
#define AI_TOK_NORMAL_MAX ((size_t)1 << 32)

/* What one call works with; kept for the next one. */
struct ai_tok_work {
	struct ai_buf normal; /* the normalised text */
	struct ai_buf meta;   /* with the signs of blanks */
	struct ai_buf prefixed;
	void *memory;         /* of a window, or of a best path */
	size_t memory_n;
	struct ai_piece_cache cache; /* for counting */
};

/* As many threads at once need not make theirs anew. */
#define AI_TOK_SPARES 16

struct ai_tok {
	struct ai_tok_table t;
	void *map;
	size_t map_len;
	bool mapped;
	struct ai_regex **regex; /* by step; NULL where it needs none */
	uint32_t ascii[128];     /* tokens of single characters */
	bool first[2][256];      /* the bytes that added tokens begin with */
	bool has[2];             /* whether there are any in the tree */
	_Atomic(struct ai_tok_work *) spare[AI_TOK_SPARES];
};

/* A text on its way. */
struct ai_tok_run {
	const struct ai_tok *k;
	struct ai_tok_work *w;
	struct ai_bpe_sink *s;
	struct ai_err *err;
	unsigned flags;
	const char *start; /* the beginning of the whole text, or NULL */
	const char *end;   /* of the text as it is */
};

/* Memory for n bytes in r->w, or NULL with r->err. */
void *ai_tok_memory(struct ai_tok_run *r, size_t n);

/* tokenizer_split.c: cuts p[0..n) as the steps from number step on have it,
 * and gives the pieces to the model. */
int ai_tok_split(struct ai_tok_run *r, size_t step, const char *p, size_t n);
size_t ai_tok_deepseek_end(const char *p, size_t n, size_t at);

/* tokenizer_added.c: what stands between added tokens goes to text(), the
 * tokens to the sink.  tree: 0 for the text as it is, 1 for a normalised
 * one. */
int ai_tok_each_added(struct ai_tok_run *r, int tree, const char *p, size_t n,
		      int (*text)(struct ai_tok_run *r, const char *p,
				  size_t n));

/* tokenizer_word.c: the tokens of a piece, from the cache or from the model,
 * all of it or, if that is the same, word by word. */
int ai_tok_piece(struct ai_tok_run *r, const char *p, size_t n);

/* Sets a bit for each token whose own bytes merge to it, in the table p[0..n);
 * bits may be in it.  A piece that is such a token need not be merged.  And
 * sets a bit in run_single for each run of signs of blanks that ends in one of
 * a single sign. */
int ai_tok_find_whole(const void *p, size_t n, uint8_t *bits,
		      uint64_t *run_single, struct ai_err *err);

/* The models: p[0..n), n >= 1, is a piece. */
int ai_tok_merge(struct ai_tok_run *r, const char *p, size_t n);
int ai_tok_unigram(struct ai_tok_run *r, const char *p, size_t n);
int ai_tok_wordpiece(struct ai_tok_run *r, const char *p, size_t n);

/* tokenizer_bert.c: the end of the piece at p[at], or at where a blank is
 * (then *next is behind it). */
size_t ai_tok_bert_end(const char *p, size_t n, size_t at, size_t *next);

#endif
