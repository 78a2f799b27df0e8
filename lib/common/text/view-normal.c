/*
 * view-normal.c: a text in plain characters: what stands for ASCII becomes it,
 * what nobody sees is taken away, unless it is a message of its own.
 *
 * Much of this is found in honest texts: a no-break blank, the joiners of emoji
 * and of Persian.  That alone makes no view: only where something is strong,
 * which an honest text rarely has, is the view made, and then all of it folded.
 */
#include "text/view-build.h"

#include "base/utf8.h"
#include "text/view-folds.h"

#include <string.h>

#define WORD_BACK 64     /* bytes looked at for the script of a word */
#define WORD_AHEAD 256
#define NEAR 4           /* bytes between neighbours */
#define KEYCAP 0x20E3    /* an honest selector may stand before it */
#define SELECTORS_MIN 3  /* variation selectors that are a message */

struct range {
	uint32_t from, to;
};

/* What is folded where a view is made, but makes none: typography, a letter of
 * Turkish, and the punctuation of East Asian languages. */
static const struct range weak_folds[] = {
	{ 0xA0, 0xA0 }, { 0xAA, 0xAA }, { 0xB2, 0xB3 }, { 0xB9, 0xBE },
	{ 0x131, 0x131 },
	{ 0x2000, 0x203F }, { 0x2044, 0x2049 }, { 0x205F, 0x205F },
	{ 0x2103, 0x2109 }, { 0x2116, 0x2122 }, { 0x3000, 0x3000 },
	{ 0xFF01, 0xFF0F }, { 0xFF1A, 0xFF20 }, { 0xFF3B, 0xFF40 },
	{ 0xFF5B, 0xFFEF },
};

static const struct range invisible[] = {
	{ 0xAD, 0xAD }, { 0x34F, 0x34F }, { 0x61C, 0x61C },
	{ 0x115F, 0x1160 }, { 0x17B4, 0x17B5 }, { 0x180B, 0x180F },
	{ 0x200B, 0x200F }, { 0x202A, 0x202E }, { 0x2060, 0x206F },
	{ 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF },
	{ 0xFFA0, 0xFFA0 }, { 0xFFF9, 0xFFFB }, { 0x1D173, 0x1D17A },
	{ 0xE0000, 0xE01EF },
};

/* Accents and what else is put on letters of any kind. */
static const struct range stacked[] = {
	{ 0x300, 0x36F }, { 0x483, 0x489 }, { 0x1AB0, 0x1AFF },
	{ 0x1DC0, 0x1DFF }, { 0x20D0, 0x20FF }, { 0xFE20, 0xFE2F },
};

/* Letters that look like Latin ones: Greek, Cyrillic and Armenian. */
#define ALIKE_FROM 0x370
#define ALIKE_TO 0x590
#define A(cp) [(cp) - ALIKE_FROM]
static const char alike[ALIKE_TO - ALIKE_FROM] = {
	A(0x391) = 'A', A(0x392) = 'B', A(0x395) = 'E', A(0x396) = 'Z',
	A(0x397) = 'H', A(0x399) = 'I', A(0x39A) = 'K', A(0x39C) = 'M',
	A(0x39D) = 'N', A(0x39F) = 'O', A(0x3A1) = 'P', A(0x3A4) = 'T',
	A(0x3A5) = 'Y', A(0x3A7) = 'X', A(0x3B1) = 'a', A(0x3B2) = 'b',
	A(0x3B3) = 'y', A(0x3B5) = 'e', A(0x3B7) = 'n', A(0x3B9) = 'i',
	A(0x3BA) = 'k', A(0x3BD) = 'v', A(0x3BF) = 'o', A(0x3C1) = 'p',
	A(0x3C3) = 'o', A(0x3C4) = 't', A(0x3C5) = 'u', A(0x3C7) = 'x',
	A(0x3C9) = 'w', A(0x3F2) = 'c', A(0x3F3) = 'j', A(0x3F9) = 'C',
	A(0x405) = 'S', A(0x406) = 'I', A(0x408) = 'J', A(0x410) = 'A',
	A(0x412) = 'B', A(0x415) = 'E', A(0x417) = '3', A(0x41A) = 'K',
	A(0x41C) = 'M', A(0x41D) = 'H', A(0x41E) = 'O', A(0x420) = 'P',
	A(0x421) = 'C', A(0x422) = 'T', A(0x423) = 'Y', A(0x425) = 'X',
	A(0x42C) = 'b', A(0x430) = 'a', A(0x432) = 'b', A(0x433) = 'r',
	A(0x435) = 'e', A(0x43A) = 'k', A(0x43C) = 'm', A(0x43D) = 'h',
	A(0x43E) = 'o', A(0x43F) = 'n', A(0x440) = 'p', A(0x441) = 'c',
	A(0x442) = 't', A(0x443) = 'y', A(0x445) = 'x', A(0x44C) = 'b',
	A(0x455) = 's', A(0x456) = 'i', A(0x458) = 'j', A(0x474) = 'V',
	A(0x475) = 'v', A(0x4AE) = 'Y', A(0x4AF) = 'y', A(0x4BA) = 'h',
	A(0x4BB) = 'h', A(0x4C0) = 'I', A(0x4CF) = 'l', A(0x501) = 'd',
	A(0x50C) = 'G', A(0x51A) = 'Q', A(0x51B) = 'q', A(0x51C) = 'W',
	A(0x51D) = 'w', A(0x54D) = 'U', A(0x555) = 'O', A(0x570) = 'h',
	A(0x578) = 'n', A(0x57D) = 'u', A(0x585) = 'o',
};
#undef A

static bool is_in(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp <= r[i].to)
			return cp >= r[i].from;
	return false;
}
#define IS_IN(cp, ranges) is_in(cp, ranges, sizeof ranges / sizeof *ranges)

/* ---- one character ------------------------------------------------------------- */

struct walk {
	const char *p;
	size_t n, at;
	size_t word;      /* up to here mixed is known */
	bool mixed;       /* the word has letters of Latin and of another script */
	bool alike;       /* all of it looks Latin, and so do its neighbours */
	size_t folded;    /* behind what became a Latin letter */
	size_t latin;     /* where the last word ends that is one of these */
	size_t message;   /* up to here variation selectors are bytes */
	size_t selectors; /* up to here they were counted */
};

struct step {
	size_t len;      /* bytes of the text */
	const char *out; /* what they become; NULL: they stay */
	size_t n;
	bool strong;
	char byte;       /* out, where it is one byte */
};

static size_t decode(const struct walk *w, size_t at, uint32_t *cp)
{
	size_t len = ai_utf8_decode(w->p + at, w->n - at, cp);

	if (len > 0)
		return len;
	*cp = 0;
	return 1;
}

static void becomes(struct step *s, char c, bool strong)
{
	s->byte = c;
	s->out = &s->byte;
	s->n = 1;
	s->strong = strong;
}

/* Whether what stands before is a letter of a script that has no use for
 * joiners: by its first byte. */
static bool behind_letter(const struct walk *w)
{
	size_t at = w->at;
	unsigned char c;

	while (at > 0 && w->at - at < 3 && (w->p[at - 1] & 0xC0) == 0x80)
		at--;
	if (at == 0)
		return false;
	c = (unsigned char)w->p[at - 1];
	return c < 0x80 ? ai_view_alpha((char)c) || ai_view_digit((char)c)
			: (c >= 0xC3 && c <= 0xD3) || (c >= 0xE3 && c <= 0xED);
}

static bool before_letter(const struct walk *w, size_t at)
{
	return at < w->n &&
	       (ai_view_alpha(w->p[at]) || ai_view_digit(w->p[at]));
}

static int selector(uint32_t cp)
{
	if (cp >= 0xFE00 && cp <= 0xFE0F)
		return (int)(cp - 0xFE00);
	return cp >= 0xE0100 && cp <= 0xE01EF ? (int)(cp - 0xE0100) + 16 : -1;
}

/* Sees how long a run of variation selectors is, once for each. */
static void count_selectors(struct walk *w)
{
	size_t at = w->at, n = 0;
	uint32_t cp;

	while (at < w->n) {
		size_t len = decode(w, at, &cp);

		if (selector(cp) < 0)
			break;
		at += len;
		n++;
	}
	w->selectors = at;
	if (n >= SELECTORS_MIN)
		w->message = at;
}

static void look_invisible(struct walk *w, struct step *s, uint32_t cp)
{
	uint32_t next;

	if (cp >= 0xE0020 && cp <= 0xE007E) {
		becomes(s, (char)(cp - 0xE0000), true);
		return;
	}
	if (selector(cp) >= 0 && w->at >= w->selectors)
		count_selectors(w);
	if (selector(cp) >= 0 && w->at < w->message) {
		becomes(s, (char)selector(cp), true);
		return;
	}
	s->out = "";
	if (decode(w, w->at + s->len, &next) > 0 && next == KEYCAP)
		return;
	s->strong = behind_letter(w) ||
		    (w->at > 0 && before_letter(w, w->at + s->len));
}

static const char *fold_of(uint32_t cp, char *one)
{
	unsigned x;

	if (cp >= FOLD_LIMIT)
		return NULL;
	x = fold_blocks[fold_index[cp / FOLD_BLOCK] * FOLD_BLOCK +
			cp % FOLD_BLOCK];
	if (x >= 128)
		return fold_strings[x - 128];
	*one = (char)x;
	return x == 0 ? NULL : one;
}

static bool is_alike(uint32_t cp)
{
	return cp >= ALIKE_FROM && cp < ALIKE_TO && alike[cp - ALIKE_FROM];
}

/* Whether a Latin word, or one that became one, stands right before from or
 * behind to. */
static bool among_latin(const struct walk *w, size_t from, size_t to)
{
	size_t at = from;

	while (at > 0 && from - at < NEAR && !(w->p[at - 1] & 0x80) &&
	       !ai_view_alpha(w->p[at - 1]))
		at--;
	if (at > 0 && (ai_view_alpha(w->p[at - 1]) || at == w->latin))
		return true;
	for (at = to; at < w->n && at - to < NEAR; at++)
		if ((w->p[at] & 0x80) || ai_view_alpha(w->p[at]))
			return ai_view_alpha(w->p[at]);
	return false;
}

/* Whether the word around has Latin letters too, or only such as look like
 * them, among Latin words; and where it ends. */
static void look_word(struct walk *w)
{
	size_t at = w->at, len;
	bool only = at == 0 || !(w->p[at - 1] & 0x80);
	const char *as;
	uint32_t cp;
	char one;

	w->mixed = at > 0 && w->folded == at;
	w->alike = false;
	while (at > 0 && w->at - at < WORD_BACK &&
	       ((w->p[at - 1] & 0x80) || ai_view_alpha(w->p[at - 1])))
		w->mixed |= ai_view_alpha(w->p[--at]);
	for (at = w->at; at < w->n && at - w->at < WORD_AHEAD; at += len) {
		len = decode(w, at, &cp);
		if (cp < 0x80 && !ai_view_alpha((char)cp))
			break;
		if (cp >= 0x80 && !is_alike(cp) &&
		    (as = fold_of(cp, &one)) != NULL && ai_view_alpha(*as))
			cp = (unsigned char)*as;
		if (cp >= ALIKE_TO && !IS_IN(cp, invisible))
			break;
		w->mixed |= cp < 0x80;
		only &= cp < 0x80 || is_alike(cp);
	}
	w->word = at > w->at ? at : w->at + 1;
	if (!w->mixed && only)
		w->alike = among_latin(w, w->at, w->word);
	if (w->mixed || w->alike)
		w->latin = w->word;
}

/* The letter that a sign of money looks like; 0: it is none. */
static char coin_letter(uint32_t cp)
{
	switch (cp) {
	case 0x20AC:
		return 'e';
	case 0xA2:
		return 'c';
	case 0xA3:
		return 'l';
	case 0xA5:
		return 'y';
	}
	return 0;
}

/* Whether a letter, or a sign that may be one, stands there. */
static bool is_lettery(const struct walk *w, size_t at)
{
	uint32_t cp;

	if (at >= w->n)
		return false;
	if (!(w->p[at] & 0x80))
		return ai_view_alpha(w->p[at]);
	decode(w, at, &cp);
	return coin_letter(cp) != 0;
}

/* A sign of money in a word is a letter of it; "k€" and "€m" are
 * amounts. */
static void look_coin(struct walk *w, struct step *s, char letter)
{
	size_t at = w->at, to = at + s->len;
	bool left = at > 0 && (w->folded == at || ai_view_alpha(w->p[at - 1]));
	bool left2 = left && at > 1 && ai_view_alpha(w->p[at - 2]);
	bool right = is_lettery(w, to);
	bool right2 = right && ai_view_alpha(w->p[to]) &&
		      is_lettery(w, to + 1);

	if ((left && right) || left2 || right2) {
		becomes(s, letter, true);
		w->folded = to;
	}
}

/* What becomes of the character at w->at, which is not ASCII. */
static void look(struct walk *w, struct step *s)
{
	uint32_t cp;

	*s = (struct step){ .len = decode(w, w->at, &cp) };
	if (is_alike(cp)) {
		if (w->at >= w->word)
			look_word(w);
		if (w->mixed || w->alike)
			becomes(s, alike[cp - ALIKE_FROM], w->mixed);
		return;
	}
	if (coin_letter(cp) != 0) {
		look_coin(w, s, coin_letter(cp));
		return;
	}
	s->out = fold_of(cp, &s->byte);
	if (s->out != NULL) {
		s->n = s->out == &s->byte ? 1 : strlen(s->out);
		s->strong = !IS_IN(cp, weak_folds);
		if (ai_view_alpha(*s->out))
			w->folded = w->at + s->len;
	} else if (IS_IN(cp, invisible)) {
		look_invisible(w, s, cp);
	} else if (IS_IN(cp, stacked)) {
		s->out = "";
		s->strong = behind_letter(w);
	}
}

/* ---- the text -------------------------------------------------------------------- */

/* The next byte at or behind at that may be of interest: not ASCII, and not of
 * the ideographs and Hangul, which stay as they are. */
static size_t skip(const char *p, size_t n, size_t at)
{
	uint64_t x;

	for (;;) {
		while (at + 8 <= n) {
			memcpy(&x, p + at, 8);
			if (x & 0x8080808080808080u)
				break;
			at += 8;
		}
		while (at < n && !(p[at] & 0x80))
			at++;
		while (at + 3 <= n && (unsigned char)p[at] >= 0xE4 &&
		       (unsigned char)p[at] <= 0xED &&
		       (p[at + 1] & 0xC0) == 0x80 && (p[at + 2] & 0xC0) == 0x80)
			at += 3;
		if (at >= n || p[at] & 0x80)
			return at;
	}
}

static bool is_greek(const char *p, size_t n, size_t at)
{
	return at + 1 < n && (unsigned char)p[at] >= 0xCE &&
	       (unsigned char)p[at] <= 0xD1 && (p[at + 1] & 0xC0) == 0x80;
}

/* Behind a word that is all of Greek or Cyrillic letters, or at: such a word
 * needs no closer look. */
static size_t skip_greek(const char *p, size_t n, size_t at)
{
	size_t to = at;

	if (at > 0 && (ai_view_alpha(p[at - 1]) || p[at - 1] & 0x80))
		return at;
	while (is_greek(p, n, to))
		to += 2;
	return to < n && (ai_view_alpha(p[to]) || p[to] & 0x80) ? at : to;
}

static bool is_needed(const struct ai_view *v)
{
	struct walk w = { .p = v->text.p, .n = v->text.n };
	struct step s;

	while ((w.at = skip(w.p, w.n, w.at)) < w.n) {
		size_t to = skip_greek(w.p, w.n, w.at);

		if (to > w.at) {
			w.at = to;
			continue;
		}
		look(&w, &s);
		if (s.strong)
			return true;
		w.at += s.len;
	}
	return false;
}

void ai_view_normal(struct ai_view_build *b)
{
	struct walk w = { .p = b->of->text.p, .n = b->of->text.n };
	struct step s;
	size_t done = 0;
	bool more = true;

	if (!is_needed(b->of))
		return;
	while (more && (w.at = skip(w.p, w.n, w.at)) < w.n) {
		look(&w, &s);
		if (s.out != NULL) {
			more = ai_view_copy(b, done, w.at) &&
			       ai_view_put(b, s.out, s.n, w.at, w.at + s.len);
			done = w.at + s.len;
		}
		w.at += s.len;
	}
	if (more)
		ai_view_copy(b, done, w.n);
	ai_view_clean(b, 0);
}
