/* match.c: the automaton finds what a search for each word finds. */
#include "base/buf.h"
#include "tap.h"
#include "text/match.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 40
#define TEXT 600
#define HITS 65536

static uint64_t seed = 88172645463325252u;

static unsigned next(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

struct hits {
	struct { unsigned word; size_t end; } v[HITS];
	size_t n, stop;
};
static struct hits got;

static int hit(void *arg, unsigned word, size_t end)
{
	struct hits *h = arg;

	if (h->n < HITS) {
		h->v[h->n].word = word;
		h->v[h->n].end = end;
	}
	return ++h->n == h->stop ? 7 : 0;
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same(const char *a, const char *b, size_t n, bool caseless)
{
	for (size_t i = 0; i < n; i++)
		if (caseless ? small(a[i]) != small(b[i]) : a[i] != b[i])
			return false;
	return true;
}

/* As often as it should, each at its place, and in the order of the text. */
static bool agrees(const struct ai_span *words, size_t n, const char *text,
		   size_t len, bool caseless)
{
	size_t wanted = 0;

	for (size_t i = 1; i < got.n && i < HITS; i++)
		if (got.v[i].end < got.v[i - 1].end)
			return false;
	for (size_t end = 0; end <= len; end++)
		for (size_t w = 0; w < n; w++)
			wanted += words[w].n <= end &&
				  same(text + end - words[w].n, words[w].p,
				       words[w].n, caseless);
	for (size_t i = 0; i < got.n && i < HITS; i++) {
		struct ai_span w = words[got.v[i].word];

		if (got.v[i].end < w.n || got.v[i].end > len ||
		    !same(text + got.v[i].end - w.n, w.p, w.n, caseless))
			return false;
		for (size_t k = i; k-- > 0 && got.v[k].end == got.v[i].end;)
			if (got.v[k].word == got.v[i].word)
				return false;
	}
	return wanted == got.n;
}

/* Random words of so many letters in a random text of them. */
static bool random_one(unsigned letters, bool caseless)
{
	static const char alphabet[] = "abABcCdDeE_-fghij\0klmnopqrstuvwxyz\xC3\xA9";
	char pool[WORDS][8], *text = malloc(TEXT);
	struct ai_span words[WORDS];
	size_t n = 1 + next(WORDS), len = next(TEXT);
	struct ai_match *m;
	struct ai_err err;
	bool good;

	for (size_t w = 0; w < n; w++) {
		words[w] = (struct ai_span){ pool[w], 2 + next(6) };
		for (size_t i = 0; i < words[w].n; i++)
			pool[w][i] = alphabet[next(letters)];
	}
	for (size_t i = 0; i < len; i++)
		text[i] = alphabet[next(letters)];
	if (ai_match_new(&m, words, n, caseless ? AI_MATCH_CASELESS : 0,
			 &err) < 0) {
		free(text);
		return false;
	}
	got.n = got.stop = 0;
	/* Memory of just that size: ASan sees a step beyond it. */
	text = realloc(text, len + !len);
	ai_match_scan(m, (struct ai_span){ text, len }, hit, &got);
	good = agrees(words, n, text, len, caseless);
	ai_match_free(m);
	free(text);
	return good;
}

static void test_random(void)
{
	static const unsigned letters[] = { 1, 2, 3, 5, 11, 36 };

	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		for (int caseless = 0; caseless < 2; caseless++) {
			int bad = 0;

			for (int k = 0; k < 500; k++)
				bad += !random_one(letters[i], caseless);
			ok(bad == 0, "500 sets of words of %u letters%s: %d wrong",
			   letters[i], caseless ? ", in any case" : "", bad);
		}
}

static void test_edges(void)
{
	struct ai_span words[] = { AI_SPAN("he"), AI_SPAN("she"),
				   AI_SPAN("hers"), AI_SPAN("he") };
	struct ai_span one = AI_SPAN("x");
	struct ai_match *m;
	struct ai_err err;

	ok(ai_match_new(&m, words, 4, 0, &err) == 0, "a word may come twice");
	got.n = got.stop = 0;
	ok(ai_match_scan(m, AI_SPAN("ushers"), hit, &got) == 0 && got.n == 4 &&
		   got.v[3].word == 2 && got.v[3].end == 6,
	   "words in words are all found");
	got.n = 0;
	got.stop = 2;
	ok(ai_match_scan(m, AI_SPAN("ushers"), hit, &got) == 7 && got.n == 2,
	   "a callback ends the scan");
	got.n = got.stop = 0;
	ok(ai_match_scan(m, (struct ai_span){ NULL, 0 }, hit, &got) == 0 &&
		   got.n == 0,
	   "an empty text has none");
	ai_match_free(m);
	ok(ai_match_new(&m, &one, 1, 0, &err) < 0 && err.code == AI_E_DATA,
	   "a word of one byte is refused: %s", err.msg);
	ok(ai_match_new(&m, NULL, 0, 0, &err) == 0 &&
		   ai_match_scan(m, AI_SPAN("text"), hit, &got) == 0,
	   "no words are possible");
	ai_match_free(m);
}

int main(void)
{
	test_edges();
	test_random();
	return done();
}
