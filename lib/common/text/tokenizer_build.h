/*
 * tokenizer_build.h: from what a tokenizer's file says to its mapped form.
 *
 * A reader fills in tokens, calls ai_tok_spec_index(), fills in the rest with
 * the help of ai_tok_spec_find(), and calls ai_tok_build().  All texts are
 * copied.
 */
#ifndef AI_TEXT_TOKENIZER_BUILD_H
#define AI_TEXT_TOKENIZER_BUILD_H

#include "base/buf.h"
#include "text/tokenizer_table.h"

/* All texts together. */
#define AI_TOK_TEXT_MAX ((size_t)1 << 28)

struct ai_tok_token {
	size_t at;   /* in bytes of the spec */
	uint32_t n;
	bool known;
	bool match;  /* it can come of a text */
	double score;
};

struct ai_tok_spec {
	/* The reader sets kind, flags, unknown, unknown_score and byte[],
	 * which ai_tok_spec_init() filled with AI_TOK_NONE. */
	struct ai_tok_header head;
	struct ai_tok_token *token; /* by id; owned, as all below */
	size_t n_ids, cap_ids;
	struct ai_buf bytes;        /* what the tokens are */
	struct ai_tok_pair *pair;
	size_t n_pairs, cap_pairs;
	struct ai_tok_added *added;
	struct ai_span *content;    /* their texts, in contents */
	size_t n_added, cap_added;
	struct ai_buf contents;
	struct ai_tok_step *norm, *step;
	size_t n_norms, n_steps;
	struct ai_buf text;         /* of the steps */
	uint64_t *slots;
	size_t n_slots;
};

void ai_tok_spec_init(struct ai_tok_spec *s);
void ai_tok_spec_release(struct ai_tok_spec *s);

/* A token of the vocabulary.  AI_E_DATA: the id has one, or is too large. */
int ai_tok_spec_token(struct ai_tok_spec *s, uint32_t id, const char *p,
		      size_t n, bool match, double score, struct ai_err *err);
/* All tokens are there.  AI_E_DATA: two are the same, or there is none. */
int ai_tok_spec_index(struct ai_tok_spec *s, struct ai_err *err);
/* The token with these bytes, after that; or AI_TOK_NONE. */
uint32_t ai_tok_spec_find(const struct ai_tok_spec *s, const char *p,
			  size_t n);

/* What left and right merge to; a pair that comes twice has the later one. */
int ai_tok_spec_pair(struct ai_tok_spec *s, struct ai_tok_pair pair,
		     struct ai_err *err);

/* An added token, flags of enum ai_tok_added_flag.  If its id has no token of
 * the vocabulary, this is the text of it. */
int ai_tok_spec_added(struct ai_tok_spec *s, uint32_t id, const char *p,
		      size_t n, uint32_t flags, struct ai_err *err);

/* A normaliser or a splitter; text and more may be empty. */
int ai_tok_spec_norm(struct ai_tok_spec *s, struct ai_tok_step step,
		     struct ai_span text, struct ai_span more,
		     struct ai_err *err);
int ai_tok_spec_step(struct ai_tok_spec *s, struct ai_tok_step step,
		     struct ai_span text, struct ai_span more,
		     struct ai_err *err);

/* Appends the table to out.  AI_E_DATA, AI_E_MEMORY. */
int ai_tok_build(struct ai_tok_spec *s, struct ai_buf *out,
		 struct ai_err *err);

#endif
