/*
 * analyze.h: text as the terms that an index is searched by.
 *
 * A word is a run of letters, digits and marks, lower-cased and without
 * diacritics; which bytes those are is what FTS5's `unicode61
 * remove_diacritics 2` takes for a token, but that marks belong to the letter
 * before them in all scripts.  Scripts that put no blanks between words
 * (Chinese, Japanese, Thai, Khmer, Burmese, and Korean as is usual) give a
 * pair of characters at each character, and the last one of a run alone.
 * Bytes that are not UTF-8 separate words.  No locale, the same everywhere.
 */
#ifndef AI_TEXT_ANALYZE_H
#define AI_TEXT_ANALYZE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_TERM_MAX 120 /* bytes; a longer word is cut into several */

/* ---- words, folded -------------------------------------------------------- */

enum ai_fold_kind {
	AI_FOLD_WORD,
	AI_FOLD_PAIR, /* two characters of a script without blanks */
	AI_FOLD_LAST, /* the last one of their run */
};

/* A text, and the word of it that was found last. */
struct ai_fold {
	const char *p, *text, *end; /* p: where to look on */
	size_t from, to;            /* the bytes of the text it stands at */
	uint32_t position;          /* words and pairs before it */
	uint32_t next;              /* the position of the next one */
	enum ai_fold_kind kind;
	bool accents;               /* diacritics stay; false after init */
	bool run;                   /* the last one of a run is to come */
	bool alone;                 /* AI_FOLD_LAST: its run has no other */
	size_t n;                   /* bytes of word */
	char word[AI_TERM_MAX + 8]; /* no NUL; room for a stemmer's */
};

void ai_fold_init(struct ai_fold *f, const char *text, size_t n);
/* The next word; false behind the last. */
bool ai_fold_next(struct ai_fold *f);
/* Drops the diacritics of a word that was folded with accents, in place, and
 * returns its new length; stem has been there in between. */
size_t ai_fold_accents(char *word, size_t n);

/* ---- analyzers ------------------------------------------------------------ */

/*
 * How the words of a language become terms.  stem (or NULL) cuts a folded
 * word in place, has AI_TERM_MAX + 8 bytes and returns the new length, at
 * least 1; stop (or NULL) says whether a query drops a folded word.  With
 * state an analyzer is used by one thread at a time.
 */
struct ai_analyzer {
	const char *name;
	size_t (*stem)(const struct ai_analyzer *a, char *word, size_t n);
	bool (*stop)(const char *word, size_t n);
	bool accents; /* stem wants diacritics; they are dropped after it */
	void *state;  /* of stem */
};

/* "english" (Porter's stems, stop.h) or "none"; NULL: no such. */
const struct ai_analyzer *ai_analyzer_find(const char *name);

/* What a folded word (AI_FOLD_WORD) becomes: stem, and no diacritics. */
size_t ai_analyzer_stem(const struct ai_analyzer *a, char *word, size_t n);

struct ai_term {
	size_t at, n;      /* of the bytes of ai_terms */
	uint32_t position; /* words before it */
	size_t from, to;   /* the bytes of the text it stands at */
	bool stop;         /* a query without quotes drops it */
	bool prefix;       /* of a query: it stands for all that begin so */
};

struct ai_terms {
	char *bytes; /* owned, like v */
	size_t bytes_n, bytes_cap;
	struct ai_term *v;
	size_t n, cap;
};

/*
 * The terms of a text in its order, appended to out (zeros at first).  With
 * query, what a reader of the index must look for: pairs without the last
 * character of a run, or, where a run has but one, that as a prefix.
 */
int ai_analyze(const struct ai_analyzer *a, struct ai_span text, bool query,
	       struct ai_terms *out, struct ai_err *err);
static inline struct ai_span ai_term_span(const struct ai_terms *t, size_t i)
{
	return (struct ai_span){ t->bytes + t->v[i].at, t->v[i].n };
}
/* Keeps the memory. */
void ai_terms_clear(struct ai_terms *t);
void ai_terms_release(struct ai_terms *t);

#endif
