/*
 * tokenizer.h: encodings by name, or from a tokenizer's file.
 *
 * Read are HuggingFace's tokenizer.json (BPE and Unigram) and SentencePiece's
 * .model.  A file is compiled once, to a table below $XDG_CACHE_HOME that is
 * mapped from then on; where none can be written, the table is made anew each
 * time.
 */
#ifndef AI_MODEL_TOKENIZER_H
#define AI_MODEL_TOKENIZER_H

#include "record/json.h"
#include "text/bpe.h"
#include "text/tokenizer.h"
#include "text/tokenizer_build.h"

/* Whether this names an encoding that is built in. */
bool ai_tokenizer_is_known(const char *name);
/* Whether this names a file (or a folder with a tokenizer.json) and none of
 * the encodings that are built in. */
bool ai_tokenizer_is_file(const char *name);

/*
 * As ai_bpe_open(), and the name may be that of a file, or of a folder that
 * has a tokenizer.json.  AI_E_OPEN; AI_E_DATA: it is none, or needs something
 * that is not supported, with its name.
 */
int ai_tokenizer_open(struct ai_bpe **out, const char *name,
		      struct ai_err *err);

/* ---- for the parts of it, and their tests ---- */

/* Larger files are refused. */
#define AI_TOKENIZER_FILE_MAX ((size_t)1 << 28)

/* Fills a spec that was initialised from what a file has; AI_E_DATA,
 * AI_E_JSON, AI_E_MEMORY. */
int ai_tokenizer_read_json(struct ai_tok_spec *s, const char *p, size_t n,
			   struct ai_err *err);
int ai_tokenizer_read_model(struct ai_tok_spec *s, const char *p, size_t n,
			    struct ai_err *err);
/* Whichever of the two it is, as a table. */
int ai_tokenizer_compile(const char *p, size_t n, const char *source,
			 struct ai_buf *out, struct ai_err *err);

/* A step for a pattern as Split has it: a rule that is known, or PCRE2. */
int ai_tokenizer_pattern(struct ai_tok_spec *s, struct ai_span pattern,
			 enum ai_tok_behaviour behaviour, bool invert,
			 struct ai_err *err);

/* A token in GPT-2's way to write bytes as those bytes, into out anew; false:
 * it has other characters, and is none. */
bool ai_tokenizer_unmap(struct ai_span t, struct ai_buf *out);
/* Whether a normalizer of this type is one of AI_TOK_BERT, and how. */
bool ai_tokenizer_bert(struct ai_value v, struct ai_span type,
		       unsigned *flags);
/* What a WordPiece model says beside its tokens. */
int ai_tokenizer_wordpiece(struct ai_tok_spec *s, struct ai_value model,
			   struct ai_err *err);

/* What both kinds of files need when all tokens are there: the tokens of
 * single bytes, and whether the fallback to them is complete. */
int ai_tokenizer_bytes(struct ai_tok_spec *s, struct ai_err *err);

/* The table for a file that is open as fd, from the cache or made anew and
 * then kept there. */
int ai_tokenizer_cached(struct ai_tok **out, int fd, struct ai_err *err);

#endif
