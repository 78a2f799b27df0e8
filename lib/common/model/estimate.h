/*
 * estimate.h: how many tokens a text has for a model whose tokenizer is not
 * public, or not here: the count of an encoding that is, times a factor for
 * the vendor and for the kind of text, with a band around it.
 *
 * A text is looked at in blocks of a kilobyte; each is English, another
 * language in Latin letters, code, or one of three groups of other scripts.
 * Nineteen of twenty texts have a count within the band; where the factors
 * come from stands in HACKING.
 */
#ifndef AI_MODEL_ESTIMATE_H
#define AI_MODEL_ESTIMATE_H

#include "base/err.h"
#include "text/bpe.h"

#include <stddef.h>

enum ai_script {
	AI_SCRIPT_ENGLISH,
	AI_SCRIPT_LATIN, /* with accents: German, French, Polish, ... */
	AI_SCRIPT_CODE,  /* much punctuation, many digits */
	AI_SCRIPT_CJK,
	AI_SCRIPT_CYRILLIC,
	AI_SCRIPT_OTHER,
	AI_SCRIPTS
};

/* Models whose tokenizers are alike: "claude-3", "gemini". */
struct ai_kin;

/* The kin of a model, by its name behind the last slash; NULL: none is known.
 * The names live as long as the program. */
const struct ai_kin *ai_kin_of(const char *model);
/* Of a model of which nothing is known but that it exists: a wide band. */
const struct ai_kin *ai_kin_unknown(void);
const char *ai_kin_name(const struct ai_kin *kin);

struct ai_range {
	size_t low, count, high;
};
/* Adds what is the same in all three. */
void ai_range_add(struct ai_range *r, size_t n);

/* Tokens in the encoding that is counted in, by what the text is. { 0 }. */
struct ai_estimate {
	size_t tokens[AI_SCRIPTS];
};

/* Counts p[0..n) in bpe and adds that.  flags: of ai_bpe_count(). */
int ai_estimate_add(struct ai_estimate *e, const struct ai_bpe *bpe,
		    const char *p, size_t n, unsigned flags,
		    struct ai_err *err);
/* What the kin's tokenizer makes of all that. kin NULL: the very count. */
struct ai_range ai_estimate_of(const struct ai_estimate *e,
			       const struct ai_kin *kin);

/* What most of p[0..n) is; for tests. */
enum ai_script ai_script_of(const char *p, size_t n);

#endif
