/*
 * The classifier: a file of weights is refused or whole; the words are those of
 * text/words.h; windows are in order and within the text.
 */
/* fuzz: bin/guard/weights.c bin/guard/score.c bin/guard/features.c */
#include "../../bin/guard/features.h"
#include "../../bin/guard/weights.h"
#include "fuzz.h"

#include "text/words.h"

#include <math.h>
#include <string.h>

#define BITS 8

struct seen {
	size_t n, to;
};

static int each(void *arg, const struct weights_window *x)
{
	struct seen *s = arg;

	must(x->from < x->to && x->to <= s->n && x->to > s->to);
	must(isfinite(x->score));
	s->to = x->to;
	return 0;
}

static void score(const struct weights *w, const char *p, size_t n)
{
	struct seen s = { n, 0 };
	struct weights_window x = { 0, 0, n };
	char reason[40];

	weights_narrow(w, WEIGHTS_DOCUMENT, p, n, &x);
	must(x.from <= x.to && x.to <= n);
	must(weights_windows(w, WEIGHTS_USER, p, n, each, &s) == 0);
	weights_reason(w, WEIGHTS_DOCUMENT, p, n, reason, sizeof reason);
	must(strlen(reason) < sizeof reason);
}

/* As many words as text/words.h finds, where no sign stands for a letter. */
static void count_words(const char *p, size_t n)
{
	struct ai_words a;
	struct feature_words b;
	struct feature_word x;
	const bool same = memchr(p, '@', n) == NULL &&
			  memchr(p, '$', n) == NULL;
	size_t words = 0, at = 0;

	for (ai_words_init(&a, p, n); ai_words_next(&a);)
		words++;
	for (feature_words_init(&b, p, n); feature_words_next(&b, &x);) {
		must(x.from >= at && x.to > x.from && x.to <= n);
		at = x.to;
		must(!same || words-- > 0);
	}
	must(!same || words == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static signed char table[1 << BITS];
	struct weights w;

	if (weights_read(&w, data, size) == NULL)
		score(&w, (const char *)data, size);
	count_words((const char *)data, size);
	memset(&w, 0, sizeof w);
	w.head.bits = BITS;
	for (size_t i = 0; i < sizeof table; i++)
		table[i] = (signed char)(i < size ? data[i] : i);
	for (int t = 0; t < WEIGHTS_TABLES; t++) {
		w.head.table[t].step = .1f;
		w.table[t] = table;
	}
	score(&w, (const char *)data, size);
	return 0;
}
