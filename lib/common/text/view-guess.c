/*
 * view-guess.c: passages that are no language as they stand: letters moved by
 * thirteen, backwards, with digits for letters, or spaced.
 *
 * Nothing marks these, so they are guessed: a passage counts as language where
 * frequent words are in it.  One without is turned round, and shown if that
 * brings such words to light.
 */
#include "text/view-build.h"

#include "base/utf8.h"
#include "text/view-words.h"

#include <stdlib.h>
#include <string.h>

#define PASSAGE 128    /* bytes judged at once, up to the next blank */
#define PASSAGE_MORE 32
#define WORD_MAX 32    /* a longer one is none */
#define ENOUGH 4       /* the worth of two words: this is language */
#define PAIRS_ENOUGH 48 /* eighths of a bit: letters that tell as much */
#define SPACED_MIN 5   /* letters */
#define SPLIT_MIN 10   /* letters, all that there are, that are several words */
#define SPLIT_MANY 14  /* letters among others that are */
#define NOISE 8        /* of so many bytes one where case turns */
#define NOISE_AT 64    /* which has no blank so long */
#define GAP_MAX 12     /* bytes between two of them */

/* ---- words --------------------------------------------------------------------- */

/* What a word of n letters, packed, says for a text being language. */
static int worth(uint64_t word, size_t n)
{
	size_t at = (size_t)(word * WORD_FACTOR >> WORD_SHIFT);

	if (n < 2)
		return 0;
	for (; word_slots[at] != 0; at = (at + 1) % WORD_SLOTS)
		if (word_slots[at] == word)
			return n == 2 ? 1 : 2;
	return 0;
}

bool ai_view_frequent(uint64_t word, size_t n)
{
	return worth(word, n) > 0;
}

/* The letters p[0..n), packed; how one is read is up to the caller. */
static uint64_t pack(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n && i < AI_VIEW_PACKED; i++)
		word = word << 8 | (unsigned char)ai_view_lower(p[i]);
	return word;
}

static uint64_t pack_back(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n && i < AI_VIEW_PACKED; i++)
		word = word << 8 | (unsigned char)ai_view_lower(p[n - 1 - i]);
	return word;
}

static char rot13(char c)
{
	char low = ai_view_lower(c);

	if (!ai_view_alpha(c))
		return c;
	return (char)(low <= 'm' ? c + 13 : c - 13);
}

static uint64_t pack_both(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n && i < AI_VIEW_PACKED; i++)
		word = word << 8 |
		       (unsigned char)ai_view_lower(rot13(p[n - 1 - i]));
	return word;
}

static uint64_t pack_rot13(const char *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n && i < AI_VIEW_PACKED; i++)
		word = word << 8 | (unsigned char)ai_view_lower(rot13(p[i]));
	return word;
}

/* ---- passages ------------------------------------------------------------------- */

/* Where the passage that begins at at ends: behind a newline, or a blank. */
static size_t passage_end(const char *p, size_t n, size_t at)
{
	size_t left = n - at < PASSAGE ? n - at : PASSAGE, end;
	const char *line = memchr(p + at, '\n', left);

	if (line != NULL)
		return (size_t)(line - p) + 1;
	end = at + left;
	for (int i = 0; i < PASSAGE_MORE && end < n; i++, end++)
		if (ai_view_blank(p[end]))
			return end + 1;
	while (end < n && (p[end] & 0xC0) == 0x80)
		end++;
	return end;
}

/* The ways to read a passage. */
enum reading { AS_IS, ROT13, REVERSED, BOTH, READINGS };

/* How much of a language each is: by its words, and by which letters follow
 * each other, which tells in passages too short for words. */
struct worths {
	int words[READINGS], pairs[READINGS];
};

/* The next run of letters at or behind *at, before end. */
static size_t next_word(const char *p, size_t end, size_t *at)
{
	size_t from;

	while (*at < end && !ai_view_alpha(p[*at]))
		++*at;
	from = *at;
	while (*at < end && ai_view_alpha(p[*at]))
		++*at;
	return from;
}

static void judge_words(const char *p, size_t from, size_t to,
			struct worths *w)
{
	size_t word;

	for (size_t at = from; (word = next_word(p, to, &at)) < to;) {
		size_t n = at - word;

		w->words[ROT13] += worth(pack_rot13(p + word, n), n);
		w->words[REVERSED] += worth(pack_back(p + word, n), n);
		w->words[BOTH] += worth(pack_both(p + word, n), n);
	}
}

static unsigned letter_of(char c)
{
	return ai_view_alpha(c) ? (unsigned)(c & 31) : 0;
}

static unsigned turned(unsigned letter)
{
	return letter == 0 ? 0 : letter > 13 ? letter - 13 : letter + 13;
}

static void judge_pairs(const char *p, size_t from, size_t to,
			struct worths *w)
{
	unsigned a = 0, a13 = 0;
	size_t letters = 0, beyond = 0;

	for (size_t i = from; i < to; i++) {
		letters += ai_view_alpha(p[i]);
		beyond += letter_of(p[i]) > 'f' - 'a' + 1;
	}
	if (beyond * 4 < letters) /* a number, in hexadecimal */
		return;
	for (size_t i = from; i <= to; i++) {
		unsigned b = i < to ? letter_of(p[i]) : 0, b13 = turned(b);

		if (a + b == 0)
			continue;
		w->pairs[AS_IS] += pair_likely[a][b];
		w->pairs[ROT13] += pair_likely[a13][b13];
		w->pairs[REVERSED] += pair_likely[b][a];
		w->pairs[BOTH] += pair_likely[b13][a13];
		a = b;
		a13 = b13;
	}
}

/* What has capitals behind small letters all the time, or letters behind digits,
 * is encoded, whichever way it is turned. */
static bool is_noise(const char *p, size_t from, size_t to)
{
	size_t turns = 0;

	if (memchr(p + from, ' ', to - from < NOISE_AT ? to - from : NOISE_AT)
	    != NULL)
		return false;
	for (size_t i = from + 1; i < to; i++) {
		unsigned a = (unsigned char)p[i - 1], b = (unsigned char)p[i];
		unsigned large = b - 'A' < 26, small = b - 'a' < 26;

		turns += (large & (a - 'a' < 26)) |
			 ((large | small) & (a - '0' < 10));
	}
	return turns * NOISE > to - from;
}

/* Stops early where the passage is language. */
static struct worths judge(const char *p, size_t from, size_t to)
{
	struct worths w = { 0 };
	size_t word, words = 0;

	if (is_noise(p, from, to))
		return w;
	for (size_t at = from; (word = next_word(p, to, &at)) < to; words++) {
		size_t n = at - word;

		w.words[AS_IS] += worth(pack(p + word, n), n);
		if (w.words[AS_IS] >= ENOUGH)
			return w;
	}
	if (words > 0)
		judge_pairs(p, from, to, &w);
	for (int k = AS_IS + 1; k < READINGS; k++)
		if (w.pairs[k] > w.pairs[AS_IS]) {
			judge_words(p, from, to, &w);
			break;
		}
	return w;
}

static bool is_better(const struct worths *w, enum reading k)
{
	int than = w->words[AS_IS], undone = w->words[k];

	if (than >= ENOUGH)
		return false;
	return (undone >= ENOUGH && undone > 2 * than) ||
	       (undone >= than && w->pairs[k] >= 0 &&
		w->pairs[k] - w->pairs[AS_IS] >= PAIRS_ENOUGH);
}

/* What is undone by rot13 may have to be reversed then. */
static bool is_turned(const struct worths *w, enum reading k)
{
	return is_better(w, k) || (k == ROT13 && is_better(w, BOTH));
}

unsigned ai_view_turned(const char *p, size_t n)
{
	const unsigned all = AI_VIEW_ROT13 | AI_VIEW_REVERSED;
	unsigned marks = 0;

	for (size_t at = 0, to; at < n && marks != all; at = to) {
		struct worths w;

		to = passage_end(p, n, at);
		w = judge(p, at, to);
		if (is_turned(&w, ROT13))
			marks |= AI_VIEW_ROT13;
		if (is_turned(&w, REVERSED))
			marks |= AI_VIEW_REVERSED;
	}
	return marks;
}

/* The passages, one by one; those that follow one that was shown, and are no
 * language either, are shown with it. */
struct passages {
	const char *p;
	size_t n, from, to;
	bool shown;
};

static bool next_passage(struct passages *x, enum reading k)
{
	struct worths w;

	while (x->to < x->n) {
		x->from = x->to;
		x->to = passage_end(x->p, x->n, x->from);
		w = judge(x->p, x->from, x->to);
		x->shown = is_turned(&w, k) ||
			   (x->shown && w.words[AS_IS] < ENOUGH &&
			    w.words[k] >= w.words[AS_IS]);
		if (x->shown)
			return true;
	}
	return false;
}

void ai_view_rot13(struct ai_view_build *b)
{
	struct passages x = { .p = b->of->text.p, .n = b->of->text.n };
	size_t last = 0, start;

	while (next_passage(&x, ROT13)) {
		if (x.from != last && !ai_view_piece(b))
			break;
		start = b->n;
		if (!ai_view_copy(b, x.from, x.to))
			break;
		for (size_t i = start; i < b->n; i++)
			b->p[i] = rot13(b->p[i]);
		last = x.to;
	}
	ai_view_clean(b, 0);
}

/* ---- backwards -------------------------------------------------------------------- */

/* Puts from..to backwards, character by character. */
static bool put_back(struct ai_view_build *b, size_t from, size_t to)
{
	const char *p = b->of->text.p;
	bool more = true;

	while (more && to > from) {
		size_t at = to - 1;

		while (at > from && to - at < 4 && (p[at] & 0xC0) == 0x80)
			at--;
		if (ai_utf8_len(p + at, to - at) != to - at)
			at = to - 1;
		more = ai_view_put(b, p + at, to - at, at, to);
		to = at;
	}
	return more;
}

/* The last passage first, so that the whole view runs backwards. */
void ai_view_reversed(struct ai_view_build *b)
{
	struct passages x = { .p = b->of->text.p, .n = b->of->text.n };
	struct ai_span *found = NULL, *more; /* n: where it ends */
	size_t n = 0, cap = 0;

	b->back = !b->of->back;
	while (next_passage(&x, REVERSED)) {
		if (n > 0 && found[n - 1].n == x.from) {
			found[n - 1].n = x.to;
			continue;
		}
		if (n == cap) {
			more = reallocarray(found, 2 * cap + 8, sizeof *more);
			if (more == NULL) {
				b->nomem = true;
				break;
			}
			found = more;
			cap = 2 * cap + 8;
		}
		found[n++] = (struct ai_span){ x.p + x.from, x.to };
	}
	while (n-- > 0 && ai_view_piece(b) &&
	       put_back(b, (size_t)(found[n].p - x.p), found[n].n))
		;
	free(found);
	ai_view_clean(b, 0);
}

/* ---- digits for letters ------------------------------------------------------------- */

const char ai_view_leet_letters[256] = {
	['0'] = 'o', ['1'] = 'i', ['3'] = 'e', ['4'] = 'a', ['@'] = 'a',
	['5'] = 's', ['$'] = 's', ['7'] = 't', ['8'] = 'b', ['9'] = 'g',
	['2'] = 'z', ['6'] = 'g', ['!'] = 'i', ['|'] = 'i',
};

static char unleet(char c, char one)
{
	char letter = ai_view_leet_letters[(unsigned char)c];

	return c == '1' ? one : letter == '\0' ? c : letter;
}

static bool is_leet(char c)
{
	return ai_view_alpha(c) ||
	       ai_view_leet_letters[(unsigned char)c] != '\0';
}

/* The next word at or behind *at that may have digits for letters. */
static size_t next_leet(const char *p, size_t end, size_t *at)
{
	size_t from;

	while (*at < end && !is_leet(p[*at]))
		++*at;
	from = *at;
	while (*at < end && is_leet(p[*at]))
		++*at;
	return from;
}

/* The word as it is meant to be read, and what it is worth; a 1 is an i or an
 * l.  Of a long word, as much as out[] has room for. */
static int read_leet(const char *p, size_t n, char *out, size_t *letters)
{
	int best = -1, ways = 1;

	if (n > PASSAGE)
		n = PASSAGE;
	if (memchr(p, '1', n) != NULL)
		ways = 2;
	for (int k = 0; k < ways; k++) {
		char word[PASSAGE];
		size_t m = n;
		int x;

		/* A mark of exclamation ends a sentence. */
		while (m > 1 && p[m - 1] == '!')
			m--;
		for (size_t i = 0; i < m; i++)
			word[i] = unleet(p[i], "il"[k]);
		x = worth(pack(word, m), m);
		if (x == 0) /* it may be reversed, too */
			x = worth(pack_back(word, m), m);
		if (x > best) {
			best = x;
			memcpy(out, word, m);
			*letters = m;
		}
	}
	return best;
}

/* Of letters, of others that may be read as such, or of both. */
enum { LETTERS = 1, OTHERS = 2 };

static int made_of(const char *p, size_t n)
{
	int made = 0;

	for (size_t i = 0; i < n; i++)
		made |= ai_view_alpha(p[i]) ? LETTERS : OTHERS;
	return made;
}

/* Whether the passage is more of a language with letters for digits. */
static bool is_leet_passage(const char *p, size_t from, size_t to)
{
	int as_is = 0, undone = 0;
	size_t mixed = 0, at = from, word, n, letters;
	char out[PASSAGE];

	if (!(ai_view_marks(p + from, to - from) & AI_VIEW_LEET))
		return false;
	while ((word = next_leet(p, to, &at)) < to) {
		int made;

		n = at - word;
		/* What is encoded is no word. */
		if (n > WORD_MAX || (word > from && (p[word - 1] == '%' ||
					ai_view_digit(p[word - 1]))) ||
		    (at < to && ai_view_digit(p[at])))
			continue;
		made = made_of(p + word, n);
		if (made == LETTERS) {
			int x = worth(pack(p + word, n), n);

			undone += x;
			as_is += x;
		} else if (made & LETTERS) {
			mixed++;
			undone += read_leet(p + word, n, out, &letters);
		}
	}
	return mixed >= 2 && undone >= as_is + 2;
}

static bool put_leet(struct ai_view_build *b, size_t from, size_t to)
{
	const char *p = b->of->text.p;
	size_t at = from, word, done = from, letters;
	char out[PASSAGE];

	while ((word = next_leet(p, to, &at)) < to) {
		if (at - word > PASSAGE)
			at = word + PASSAGE;
		if (!ai_view_copy(b, done, at))
			return false;
		done = at;
		if (at - word > 1 && made_of(p + word, at - word) == OTHERS &&
		    read_leet(p + word, at - word, out, &letters) == 0)
			continue;
		read_leet(p + word, at - word, out, &letters);
		if (at - word > 1)
			memcpy(b->p + b->n - (at - word), out, letters);
	}
	return ai_view_copy(b, done, to);
}

void ai_view_leet(struct ai_view_build *b)
{
	const char *p = b->of->text.p;
	size_t n = b->of->text.n, last = 0;

	for (size_t at = 0, to; at < n; at = to) {
		to = passage_end(p, n, at);
		if (!is_leet_passage(p, at, to))
			continue;
		if ((at != last && !ai_view_piece(b)) || !put_leet(b, at, to))
			break;
		last = to;
	}
	ai_view_clean(b, 0);
}

/* ---- spaced --------------------------------------------------------------------------- */

static bool is_part(char c)
{
	return ai_view_alpha(c) || ai_view_digit(c) || (c & 0x80);
}

/* What stands between two letters, and what it is when they are together. */
struct gap {
	size_t n;      /* bytes */
	bool tight;    /* it is no more than what is between any two */
	bool blank_before, blank_behind; /* of the signs in it */
	bool line;
};

/* The gap at p[at]; between is what the run has between any two, '\0' before
 * the first.  n is 0 where there is none. */
static struct gap read_gap(const char *p, size_t n, size_t at, char between)
{
	size_t end = n - at < GAP_MAX ? n : at + GAP_MAX, i, blanks = 0;
	struct gap g = { 0 };
	bool signs = false;

	for (i = at; i < end && !is_part(p[i]) && p[i] != '\0'; i++) {
		if (ai_view_blank(p[i])) {
			g.line |= p[i] == '\n';
			blanks++;
		} else if (p[i] != between && i > at) {
			g.blank_before |= !signs && blanks > 2;
			signs = true;
			blanks = 0;
		}
	}
	if (i == end || !is_part(p[i]) || i == at)
		return g;
	g.n = i - at;
	g.tight = g.n == 1 && (between == '\0' || p[at] == between) &&
		  p[at] != '\n';
	g.blank_behind = signs ? blanks > 1 : !g.tight;
	/* A sign that is none of between's. */
	if (between != '\0' && p[at] != between && !ai_view_blank(p[at]))
		g.n = 0;
	return g;
}

struct letters {
	size_t n, tight; /* gaps that are */
	size_t alpha;
	char between;
};

/*
 * The letters that begin at p[at] with one and the same character between any
 * two; *to is behind the last.  A wider gap is one between words, or has a
 * sign in it: the run goes on there.
 */
static struct letters spaced_run(const char *p, size_t n, size_t at, size_t *to)
{
	struct letters x = { 0 };
	struct gap g;

	for (;;) {
		size_t len = ai_utf8_len(p + at, n - at);

		if (len == 0 || (at + len < n && is_part(p[at + len])))
			return x;
		x.n++;
		x.alpha += !ai_view_digit(p[at]);
		*to = at += len;
		g = at < n ? read_gap(p, n, at, x.between)
			   : (struct gap){ 0 };
		if (g.n == 0)
			return x;
		if (x.between == '\0')
			x.between = p[at];
		x.tight += g.tight;
		at += g.n;
	}
}

static bool is_spaced(const struct letters *x)
{
	return x->n >= SPACED_MIN && x->tight * 2 >= x->n &&
	       x->alpha * 3 >= x->n;
}

static bool put_gap(struct ai_view_build *b, size_t at, const struct gap *g,
		    char between)
{
	const char *p = b->of->text.p;
	bool more = true;

	if (g->tight)
		return true;
	if (g->blank_before)
		more = ai_view_put(b, " ", 1, at, at + 1);
	for (size_t i = at; more && i < at + g->n; i++)
		if (!ai_view_blank(p[i]) && p[i] != between)
			more = ai_view_copy(b, i, i + 1);
	if (more && (g->blank_behind || g->line))
		more = ai_view_put(b, g->line ? "\n" : " ", 1, at + g->n - 1,
				   at + g->n);
	return more;
}

/* Puts letters that stand next to each other with blanks between words. */
static bool put_letters(struct ai_view_build *b, size_t from, size_t to)
{
	const char *p = b->of->text.p;
	char letters[AI_VIEW_SPLIT];
	size_t at[AI_VIEW_SPLIT + 1], n;
	bool blank[AI_VIEW_SPLIT], first = true;

	while (from < to) {
		n = 0;
		for (size_t i = from; i < to && n < AI_VIEW_SPLIT; i++)
			if (is_part(p[i])) {
				at[n] = i;
				letters[n++] = p[i];
			}
		if (n == 0)
			break;
		at[n] = to;
		n = ai_view_split(letters, n, blank);
		for (size_t i = 0; i < n; i++) {
			if (blank[i] && !(first && i == 0) &&
			    !ai_view_put(b, " ", 1, at[i], at[i]))
				return false;
			if (!ai_view_copy(b, at[i], at[i] + 1))
				return false;
		}
		from = at[n - 1] + 1;
		first = false;
	}
	return true;
}

/* The letters that begin at at with nothing but the sign between any two: how
 * many; *end is behind the last. */
static size_t stretch(const char *p, size_t at, size_t to, char between,
		      size_t *end, struct gap *g)
{
	for (size_t n = 1;; n++) {
		*end = at += ai_utf8_len(p + at, to - at);
		*g = at < to ? read_gap(p, to, at, between)
			     : (struct gap){ 0 };
		if (g->n == 0 || !g->tight)
			return n;
		at += g->n;
	}
}

/* Where no gap is wider than the others, or many letters stand together, the
 * words are guessed. */
static bool put_spaced(struct ai_view_build *b, size_t from, size_t to)
{
	const char *p = b->of->text.p;
	size_t at = from, end, n;
	char between = p[from + ai_utf8_len(p + from, to - from)];
	struct gap g;

	for (;;) {
		n = stretch(p, at, to, between, &end, &g);
		if (n >= (at == from && end >= to ? SPLIT_MIN : SPLIT_MANY)) {
			if (!put_letters(b, at, end))
				return false;
		} else {
			for (size_t i = at; i < end; i++)
				if (is_part(p[i]) && !ai_view_copy(b, i, i + 1))
					return false;
		}
		if (g.n == 0 || !put_gap(b, end, &g, between))
			return g.n == 0;
		at = end + g.n;
	}
}

bool ai_view_next_spaced(struct ai_span text, size_t *from, size_t *to)
{
	const char *p = text.p;
	size_t n = text.n, at = *to;
	struct letters x;

	while (at < n) {
		/* A letter alone, and another one behind it. */
		if (!is_part(p[at]) || (at > 0 && is_part(p[at - 1])) ||
		    (p[at] & 0xC0) == 0x80) {
			at++;
			continue;
		}
		*from = *to = at;
		x = spaced_run(p, n, at, to);
		if (is_spaced(&x))
			return true;
		/* What is between them may be another sign from here on. */
		at = *to > at && x.n >= SPACED_MIN ? *to : at + 1;
	}
	return false;
}

void ai_view_spaced(struct ai_view_build *b)
{
	size_t from, to = 0;

	while (ai_view_next_spaced(b->of->text, &from, &to) &&
	       ai_view_piece(b) && put_spaced(b, from, to))
		;
	ai_view_clean(b, 0);
}
