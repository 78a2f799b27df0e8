/*
 * The automaton: words are the lines up to an empty one, the text is the rest.
 * Every word is found where it is, and nowhere else.
 */
/* fuzz: lib/common/text/match.c lib/common/text/match_build.c */
#include "fuzz.h"
#include "text/match.h"

#include <string.h>

#define WORDS 64

struct seen {
	const struct ai_span *words;
	struct ai_span text;
	size_t n, last;
};

static int hit(void *arg, unsigned word, size_t end)
{
	struct seen *s = arg;
	struct ai_span w = s->words[word];

	must(end >= s->last && end >= w.n && end <= s->text.n);
	must(memcmp(s->text.p + end - w.n, w.p, w.n) == 0);
	s->last = end;
	s->n++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct ai_span words[WORDS];
	struct seen s = { .words = words };
	struct ai_match *m;
	struct ai_err err;
	size_t n = 0, at = 0, wanted = 0;

	while (at < size && n < WORDS && p[at] != '\n') {
		const char *nl = memchr(p + at, '\n', size - at);
		size_t to = nl == NULL ? size : (size_t)(nl - p);

		words[n++] = (struct ai_span){ p + at, to - at };
		at = to + (to < size);
	}
	s.text = (struct ai_span){ p + at, size - at };
	if (ai_match_new(&m, words, n, 0, &err) < 0) {
		must(err.code == AI_E_DATA);
		return 0;
	}
	must(ai_match_scan(m, s.text, hit, &s) == 0);
	for (size_t i = 0; i < s.text.n; i++)
		for (size_t w = 0; w < n; w++)
			wanted += words[w].n <= s.text.n - i &&
				  memcmp(s.text.p + i, words[w].p,
					 words[w].n) == 0;
	must(s.n == wanted);
	ai_match_free(m);
	return 0;
}
