/*
 * phrases.c: phrases that attacks share, in the major languages, and signs of
 * chat templates.
 *
 * An automaton finds words of one list of a phrase, the rarest.  The words round
 * it are compared with the phrase's lists: which words each list can end at is
 * a set of bits, so that no choice of words is tried twice.
 */
#include "phrases.h"

#include "base/utf8.h"
#include "text/class.h"

#include <stdio.h>
#include <string.h>

#define REACH 20        /* words that a phrase may take on either side */
#define BACK 160        /* bytes looked at before what was found; of others
			 * than ASCII a third of this */
#define ITEM_WORDS 6    /* of one item of a list, at most */
#define BEFORE 40       /* bytes before it that may deny or discuss it */
#define DISCUSSED 50    /* times as often a phrase is quoted, or talked about */

/* Bits of words: word k, or that one ends before it. */
typedef uint64_t words_set;
#define BIT(k) ((words_set)1 << (k))

struct look {
	const struct phrases *t;
	const struct ai_view *v;
	struct guard_findings *f;
	struct ai_err *err;
	double rate;              /* that findings may have; the score is 1 less */
	struct phrase_words w;
	size_t origin;            /* of w, in the view */
	bool read;                /* there is a w */
	size_t seen[PHRASE_LISTS_MAX];   /* behind where the list was last tried */
	size_t done[PHRASE_RULES_MAX];   /* where the rule's last finding ends */
	unsigned turns;           /* signs that were there */
};

/* ---- words ------------------------------------------------------------------------ */

/* Where words of the list that begin with word u end. */
static words_set match_at(const struct phrases *t, const struct phrase_words *w,
			  size_t u, size_t list)
{
	const char *p = w->text + w->at[u];
	size_t left = w->len - w->at[u], k;
	const uint16_t *b = &t->bucket[list][phrase_bucket(p)];
	words_set ends = 0;

	for (size_t i = b[0]; i < b[1]; i++) {
		const struct phrase_item *x = &t->items[i];

		if (x->n >= left || memcmp(p, x->text, x->n) != 0 ||
		    (!x->stem && p[x->n] != ' '))
			continue;
		for (k = u + 1; w->at[k] < w->at[u] + x->n; k++)
			;
		ends |= BIT(k);
	}
	return ends;
}

/* From the words that one list ended before, to where the next list ends. */
static words_set advance(const struct look *s, words_set from, size_t list,
			 unsigned between)
{
	const struct phrase_words *w = &s->w;
	words_set ends = 0, tried = 0;

	for (size_t r = 0; r < w->n && from >> r != 0; r++) {
		unsigned cost = 0;

		if (!(from & BIT(r)))
			continue;
		for (size_t u = r; u < w->n && cost <= 2 * between; u++) {
			words_set e = 0;

			if (!(tried & BIT(u)))
				e = match_at(s->t, w, u, list);
			tried |= BIT(u);
			ends |= e;
			cost += w->cost[u];
			if (e == 0 && match_at(s->t, w, u,
					       (size_t)s->t->not_list) != 0)
				break;
		}
	}
	return ends;
}

/* Whether one of the words begins at most so many behind where one of the ends
 * is. */
static bool is_near(const struct look *s, words_set ends, words_set words,
		    unsigned between)
{
	for (size_t r = 0; r < s->w.n; r++) {
		unsigned cost = 0;

		if (!(ends & BIT(r)))
			continue;
		for (size_t u = r; u < s->w.n && cost <= 2 * between; u++) {
			if (words & BIT(u))
				return true;
			if (match_at(s->t, &s->w, u,
				     (size_t)s->t->not_list) != 0)
				break;
			cost += s->w.cost[u];
		}
	}
	return false;
}

/* ---- what stands before ----------------------------------------------------------- */

static bool is_letter_before(const char *p, size_t at)
{
	size_t from = at;
	uint32_t cp;
	enum ai_class c;

	if (at == 0)
		return false;
	while (from > 0 && at - from < 4 && (p[--from] & 0xC0) == 0x80)
		;
	if (ai_utf8_decode(p + from, at - from, &cp) != at - from)
		return false;
	c = ai_class_of(cp);
	/* Scripts without blanks between words. */
	return c >= AI_CLASS_UPPER && c <= AI_CLASS_NUMBER &&
	       (cp < 0x2E80 || (cp >= 0xAC00 && cp < 0xD7B0));
}

/* The words of the same sentence before at. */
static void read_before(const struct look *s, size_t at, struct phrase_words *w)
{
	const char *p = s->v->text.p;
	size_t from = at, least = at > BEFORE ? at - BEFORE : 0;

	while (from > least && p[from - 1] != '.' && p[from - 1] != '!' &&
	       p[from - 1] != '?' && p[from - 1] != '\n')
		from--;
	/* No half word. */
	if (from == least && from > 0)
		while (from < at && (p[from] & 0x80 || p[from] != ' '))
			from++;
	phrase_words_read(w, p + from, at - from, PHRASE_WORDS);
}

static bool has_of(const struct look *s, const struct phrase_words *w,
		   int list, size_t last)
{
	for (size_t u = w->n > last ? w->n - last : 0; u < w->n; u++)
		if (match_at(s->t, w, u, (size_t)list) != 0)
			return true;
	return false;
}

/* The quotation mark that ends before at, or 0 bytes. */
static bool is_quote(const char *p, size_t n, size_t at, bool before)
{
	static const char *const quotes[] = {
		"\"", "'", "`", "\xE2\x80\x9C", "\xE2\x80\x9D",
		"\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x9E", "\xC2\xAB",
		"\xC2\xBB", "\xE3\x80\x8C", "\xE3\x80\x8D",
	};

	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
		size_t len = strlen(quotes[i]);

		if (before ? at >= len && memcmp(p + at - len, quotes[i],
						 len) == 0
			   : n - at >= len && memcmp(p + at, quotes[i],
						     len) == 0)
			return true;
	}
	return false;
}

static bool is_quoted(const struct ai_span text, size_t from, size_t to)
{
	if (!is_quote(text.p, text.n, from, true))
		return false;
	if (to < text.n && (text.p[to] == '.' || text.p[to] == '!' ||
			    text.p[to] == '?' || text.p[to] == ','))
		to++;
	return is_quote(text.p, text.n, to, false);
}

/* ---- findings ---------------------------------------------------------------------- */

static int note(struct look *s, const struct phrase *x, size_t from, size_t to)
{
	struct phrase_words before;
	char reason[GUARD_REASON];
	double rate = x->rate;
	const char *how = "";

	read_before(s, from, &before);
	if (has_of(s, &before, s->t->not_list, 2))
		return 0;
	if (is_quoted(s->v->text, from, to)) {
		rate *= DISCUSSED;
		how = ", quoted";
	} else if (has_of(s, &before, s->t->talk_list, 5)) {
		rate *= DISCUSSED;
		how = ", talked about";
	}
	if (rate > s->rate || from < s->done[x->rule])
		return 0;
	s->done[x->rule] = to;
	snprintf(reason, sizeof reason, "%s%s", x->reason, how);
	return guard_find(s->f, s->v, GUARD_INJECTION, s->t->rules[x->rule],
			  1 - rate, from, to, reason, s->err);
}

/* Where what is looked at before at begins: with the sentence, or a word. */
static size_t begin(const char *p, size_t at)
{
	size_t from = at;
	int left = BACK;

	while (from > 0 && left > 0 &&
	       !((p[from] == ' ' || p[from] == '\n') &&
		 (p[from - 1] == '.' || p[from - 1] == '!' ||
		  p[from - 1] == '?' || p[from - 1] == '\n'))) {
		from--;
		left -= p[from] & 0x80 ? 3 : 1;
	}
	while (from < at && (p[from] & 0xC0) == 0x80)
		from++;
	return from;
}

/* Sees that the word at byte start is in the window; which it is, or
 * SIZE_MAX. */
static size_t window(struct look *s, size_t start)
{
	struct phrase_words *w = &s->w;
	size_t u = w->n, left;

	if (s->read && start >= s->origin)
		for (u = 0; u < w->n && s->origin + w->from[u] < start; u++)
			;
	if (u < w->n && (u + REACH <= w->n || w->ended) &&
	    s->origin + w->from[u] == start)
		return u;
	s->origin = begin(s->v->text.p, start);
	s->read = true;
	left = s->v->text.n - s->origin;
	phrase_words_read(w, s->v->text.p + s->origin,
			  left < PHRASE_BYTES ? left : PHRASE_BYTES,
			  PHRASE_WORDS);
	for (u = 0; u < w->n && s->origin + w->from[u] < start; u++)
		;
	return u < w->n && s->origin + w->from[u] == start ? u : SIZE_MAX;
}

/* The words, before or at u, with which items of the list begin that end
 * behind u; *ends: where those end. */
static words_set match_round(const struct look *s, size_t u, size_t list,
			     words_set *ends)
{
	size_t from = u > ITEM_WORDS ? u - ITEM_WORDS : 0;
	words_set begins = 0;

	*ends = 0;
	for (size_t k = from; k <= u; k++) {
		words_set e = match_at(s->t, &s->w, k, list) &
			      ~(BIT(u + 1) - 1);

		if (e != 0)
			begins |= BIT(k);
		*ends |= e;
	}
	return begins;
}

/* The slots before the anchor, which begins with one of these words: the word
 * they begin with, or SIZE_MAX. */
static size_t match_before(const struct look *s, const struct phrase *x,
			   words_set anchor)
{
	size_t last = 0;

	while (anchor >> last > 1)
		last++;
	for (size_t k = last; k-- > 0 && last - k <= REACH;) {
		words_set ends = match_at(s->t, &s->w, k, x->list[0]);

		for (unsigned j = 1; j < x->anchor && ends != 0; j++)
			ends = advance(s, ends, x->list[j], x->between[j]);
		if (ends != 0 && is_near(s, ends, anchor,
					 x->between[x->anchor]))
			return k;
	}
	return SIZE_MAX;
}

static int try_phrase(struct look *s, const struct phrase *x, words_set begins,
		      words_set ends)
{
	size_t first = 0, last = 1;

	while (!(begins & BIT(first)))
		first++;
	if (x->anchor > 0)
		first = match_before(s, x, begins);
	if (first == SIZE_MAX)
		return 0;
	for (unsigned j = x->anchor + 1u; j < x->n && ends != 0; j++)
		ends = advance(s, ends, x->list[j], x->between[j]);
	if (ends == 0)
		return 0;
	while (!(ends & BIT(last)))
		last++;
	return note(s, x, s->origin + s->w.from[first],
		    s->origin + s->w.to[last - 1]);
}

/* A word of the list begins at byte start. */
static int try_phrases(struct look *s, size_t list, size_t start)
{
	const struct phrases *t = s->t;
	size_t u = window(s, start);
	words_set begins, ends;

	if (u == SIZE_MAX)
		return 0;
	begins = match_round(s, u, list, &ends);
	for (size_t i = t->of_list[list];
	     begins != 0 && i < t->of_list[list + 1]; i++)
		if (try_phrase(s, &t->phrases[i], begins, ends) < 0)
			return -1;
	return 0;
}

/* ---- signs -------------------------------------------------------------------------- */

static int try_sign(struct look *s, const struct phrase_sign *x, size_t start,
		    size_t end)
{
	const char *p = s->v->text.p;
	bool line = x->text[0] == '\n';

	if (line && start > 0 && p[start - 1] != '\n')
		return 0;
	if (x->turn == 0 && memcmp(x->text + line, p + start, end - start) != 0)
		return 0;
	if (x->turn != 0) {
		bool follows = (s->turns & x->after) != 0;

		s->turns |= x->turn;
		if (!follows)
			return 0;
	}
	if (x->rate > s->rate)
		return 0;
	return guard_find(s->f, s->v, GUARD_INJECTION, s->t->rules[x->rule],
			  1 - x->rate, start, end, x->reason, s->err);
}

static int on_key(void *arg, unsigned key, size_t end)
{
	struct look *s = arg;
	size_t start = end - s->t->key_len[key], k = s->t->key_of[key];

	if (k >= s->t->n_lists)
		return try_sign(s, &s->t->signs[k - s->t->n_lists], start, end);
	if (s->t->key_whole[key] && end < s->v->text.n &&
	    ai_class_ascii[s->v->text.p[end] & 0x7F] - AI_CLASS_UPPER + 0u <=
		    AI_CLASS_NUMBER - AI_CLASS_UPPER &&
	    !(s->v->text.p[end] & 0x80))
		return 0;
	if (s->seen[k] > start || is_letter_before(s->v->text.p, start))
		return 0;
	s->seen[k] = start + 1;
	return try_phrases(s, k, start);
}

int phrases_find(const struct ai_view *v, double rate, struct guard_findings *f,
		 struct ai_err *err)
{
	struct look s;

	s.t = &guard_phrases;
	s.rate = rate;
	s.v = v;
	s.f = f;
	s.err = err;
	s.w.n = 0;
	s.read = false;
	s.turns = 0;
	memset(s.seen, 0, sizeof s.seen);
	memset(s.done, 0, sizeof s.done);
	return ai_match_scan(s.t->match, v->text, on_key, &s) != 0 ? -1 : 0;
}
