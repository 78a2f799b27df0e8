/*
 * Words that were seen before, and what came of them: few words make most of a
 * text, and to ask for stop words and stem costs more than all else that is
 * done with one.
 */
#include "text/fit-file.h"
#include "text/fit-int.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_BITS 13
#define SEEN_MAX 29 /* bytes of a word that is kept */

struct ai_fit_seen {
	const struct ai_analyzer *a; /* whose terms these are */
	struct seen {
		uint32_t hash;
		unsigned char n, m; /* bytes of the two; n 0: it is free, m 0:
				     * nothing comes of the word */
		char word[SEEN_MAX], term[SEEN_MAX];
	} v[1 << SEEN_BITS];
};

struct ai_fit_seen *ai_fit_seen_new(void)
{
	return calloc(1, sizeof(struct ai_fit_seen));
}

void ai_fit_seen_free(struct ai_fit_seen *s)
{
	free(s);
}

static bool has_letter(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x80 || (c | 32u) - 'a' < 26u)
			return true;
	}
	return false;
}

bool ai_fit_term(struct ai_fold *f, const struct ai_analyzer *a)
{
	if (f->kind == AI_FOLD_WORD) {
		if (a->stop != NULL && a->stop(f->word, f->n))
			return false;
		f->n = ai_analyzer_stem(a, f->word, f->n);
	}
	return f->n > 1 && has_letter(f->word, f->n);
}

static bool recall(struct ai_fold *f, const struct ai_analyzer *a,
		   struct ai_fit_seen *seen)
{
	uint64_t hash = ai_fit_sum(f->word, f->n);
	struct seen *s = &seen->v[hash & ((1 << SEEN_BITS) - 1)];

	if (s->n == f->n && s->hash == (uint32_t)(hash >> 32) &&
	    memcmp(s->word, f->word, f->n) == 0) {
		memcpy(f->word, s->term, s->m);
		f->n = s->m;
		return s->m > 0;
	}
	s->n = (unsigned char)f->n;
	s->hash = (uint32_t)(hash >> 32);
	memcpy(s->word, f->word, f->n);
	s->m = 0;
	if (!ai_fit_term(f, a))
		return false;
	if (f->n > SEEN_MAX) {
		s->n = 0;
		return true;
	}
	s->m = (unsigned char)f->n;
	memcpy(s->term, f->word, f->n);
	return true;
}

bool ai_fit_next(struct ai_fold *f, const struct ai_analyzer *a,
		 struct ai_fit_seen *seen)
{
	if (seen != NULL && seen->a != a) {
		memset(seen, 0, sizeof *seen);
		seen->a = a;
	}
	while (ai_fold_next(f))
		if (seen != NULL && f->kind == AI_FOLD_WORD &&
		    f->n <= SEEN_MAX ? recall(f, a, seen) : ai_fit_term(f, a))
			return true;
	return false;
}
