#include "text/stem.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LONGEST 64 /* as many as a mask has bits */

/* A word, and a bit for each vowel in it. */
struct word {
	char *p;
	size_t n;
	uint64_t vowels;
};

static void find_vowels(struct word *w)
{
	bool before = false;
	size_t i;

	w->vowels = 0;
	for (i = 0; i < w->n; i++) {
		switch (w->p[i]) {
		case 'a': case 'e': case 'i': case 'o': case 'u':
			before = true;
			break;
		case 'y': /* a vowel behind a consonant */
			before = i > 0 && !before;
			break;
		default:
			before = false;
		}
		w->vowels |= (uint64_t)before << i;
	}
}

static uint64_t first(size_t n)
{
	return n >= LONGEST ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

/* How often a vowel is followed by a consonant in the first n letters: the
 * paper's m. */
static int measure(const struct word *w, size_t n)
{
	return n < 2 ? 0
		     : __builtin_popcountll(w->vowels & ~(w->vowels >> 1) &
					    first(n - 1));
}

/* The paper's *v*. */
static bool has_vowel(const struct word *w, size_t n)
{
	return (w->vowels & first(n)) != 0;
}

static bool is_vowel(const struct word *w, size_t i)
{
	return (w->vowels >> i & 1) != 0;
}

/* The paper's *d, of the whole word. */
static bool is_double(const struct word *w)
{
	return w->n >= 2 && w->p[w->n - 1] == w->p[w->n - 2] &&
	       !is_vowel(w, w->n - 1);
}

/* The paper's *o: the first n letters end in consonant, vowel, consonant, the
 * last one not w, x or y. */
static bool is_short(const struct word *w, size_t n)
{
	char last;

	if (n < 3 || is_vowel(w, n - 3) || !is_vowel(w, n - 2) ||
	    is_vowel(w, n - 1))
		return false;
	last = w->p[n - 1];
	return last != 'w' && last != 'x' && last != 'y';
}

struct rule {
	unsigned char n, m;
	char from[8], to[4];
};
#define RULE(from, to) { sizeof(from) - 1, sizeof(to) - 1, from, to }

/* At least two letters, the last two of which tell most words apart. */
static inline bool ends(const struct word *w, const char *with, size_t n)
{
	const char *p = w->p + w->n;

	return w->n >= n && p[-1] == with[n - 1] && p[-2] == with[n - 2] &&
	       (n == 2 || memcmp(p - n, with, n) == 0);
}

/* Puts the to of a rule in place of its from, which the word ends with. */
static void replace(struct word *w, const char *to, size_t from, size_t n)
{
	memcpy(w->p + w->n - from, to, n);
	w->n = w->n - from + n;
	find_vowels(w);
}

/* The first rule whose ending is there decides: it is the longest one. */
static void apply(struct word *w, const struct rule *rules, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!ends(w, rules[i].from, rules[i].n))
			continue;
		if (measure(w, w->n - rules[i].n) > 0)
			replace(w, rules[i].to, rules[i].n, rules[i].m);
		return;
	}
}

static void plural(struct word *w)
{
	if (w->p[w->n - 1] != 's')
		return;
	if (ends(w, "sses", 4) || ends(w, "ies", 3))
		w->n -= 2;
	else if (!ends(w, "ss", 2))
		w->n--;
}

/* What the removal of -ed and -ing leaves. */
static void mend(struct word *w)
{
	char last = w->n > 0 ? w->p[w->n - 1] : '\0';

	if (ends(w, "at", 2) || ends(w, "bl", 2) || ends(w, "iz", 2) ||
	    (!is_double(w) && measure(w, w->n) == 1 && is_short(w, w->n)))
		replace(w, "e", 0, 1);
	else if (is_double(w) && last != 'l' && last != 's' && last != 'z')
		w->n--;
}

static void past(struct word *w)
{
	size_t cut = ends(w, "ed", 2) ? 2 : ends(w, "ing", 3) ? 3 : 0;

	if (ends(w, "eed", 3)) {
		if (measure(w, w->n - 3) > 0)
			w->n--;
		return;
	}
	if (cut == 0 || !has_vowel(w, w->n - cut))
		return;
	w->n -= cut;
	mend(w);
}

static void step1(struct word *w)
{
	plural(w);
	past(w);
	if (w->n > 0 && w->p[w->n - 1] == 'y' && has_vowel(w, w->n - 1))
		replace(w, "i", 1, 1);
}

static void step2(struct word *w)
{
	static const struct rule rules[] = {
		RULE("ational", "ate"), RULE("tional", "tion"),
		RULE("enci", "ence"), RULE("anci", "ance"), RULE("izer", "ize"),
		RULE("abli", "able"), RULE("alli", "al"), RULE("entli", "ent"),
		RULE("eli", "e"), RULE("ousli", "ous"),
		RULE("ization", "ize"), RULE("ation", "ate"),
		RULE("ator", "ate"), RULE("alism", "al"),
		RULE("iveness", "ive"), RULE("fulness", "ful"),
		RULE("ousness", "ous"), RULE("aliti", "al"),
		RULE("iviti", "ive"), RULE("biliti", "ble"),
	};

	apply(w, rules, sizeof(rules) / sizeof(rules[0]));
}

static void step3(struct word *w)
{
	static const struct rule rules[] = {
		RULE("icate", "ic"), RULE("ative", ""), RULE("alize", "al"),
		RULE("iciti", "ic"), RULE("ical", "ic"), RULE("ful", ""),
		RULE("ness", ""),
	};

	apply(w, rules, sizeof(rules) / sizeof(rules[0]));
}

static void step4(struct word *w)
{
	static const struct rule rules[] = {
		RULE("al", ""), RULE("ance", ""), RULE("ence", ""),
		RULE("er", ""), RULE("ic", ""), RULE("able", ""),
		RULE("ible", ""), RULE("ant", ""), RULE("ement", ""),
		RULE("ment", ""), RULE("ent", ""), RULE("ion", ""),
		RULE("ou", ""), RULE("ism", ""), RULE("ate", ""),
		RULE("iti", ""), RULE("ous", ""), RULE("ive", ""),
		RULE("ize", ""),
	};
	size_t i, left;
	char before;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!ends(w, rules[i].from, rules[i].n))
			continue;
		left = w->n - rules[i].n;
		before = left > 0 ? w->p[left - 1] : '\0';
		if (rules[i].from[1] == 'o' && rules[i].n == 3 &&
		    rules[i].from[0] == 'i' && before != 's' && before != 't')
			return;
		if (measure(w, left) > 1)
			w->n = left;
		return;
	}
}

static void step5(struct word *w)
{
	int m;

	if (w->n > 0 && w->p[w->n - 1] == 'e') {
		m = measure(w, w->n - 1);
		if (m > 1 || (m == 1 && !is_short(w, w->n - 1)))
			w->n--;
	}
	if (ends(w, "ll", 2) && measure(w, w->n) > 1)
		w->n--;
}

size_t ai_stem_porter(char *word, size_t n)
{
	struct word w = { word, n, 0 };

	if (n < 3 || n > LONGEST)
		return n;
	find_vowels(&w);
	step1(&w);
	step2(&w);
	step3(&w);
	step4(&w);
	step5(&w);
	return w.n > 0 ? w.n : n;
}
