#include "text/analyze.h"

#include "base/utf8.h"
#include "text/class.h"
#include "text/normal-table.h"
#include "text/stem.h"
#include "text/stop.h"
#include "text/words.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WIDE_MAX 16  /* bytes that one code point may become */
#define NEAR 0x800   /* code points of at most two bytes */
#define UNIT_MARKS 7 /* of one character of a script without blanks */

/* ---- what a character becomes -------------------------------------------- */

/* Marks that a reader leaves out as often as not: Latin, Greek and Cyrillic
 * accents, the points of Hebrew and Arabic.  U+3099 and U+309A are none. */
static bool is_diacritic(uint32_t cp)
{
	return (cp >= 0x300 && cp <= 0x36F) || (cp >= 0x483 && cp <= 0x487) ||
	       (cp >= 0x591 && cp <= 0x5C7) || (cp >= 0x64B && cp <= 0x65F) ||
	       cp == 0x670;
}

/* The step of a code point's canonical decomposition, or -1. */
static int step_of(uint32_t cp)
{
	size_t low = 0, high = COUNT(normal_steps), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (cp > normal_steps[mid].cp)
			low = mid + 1;
		else
			high = mid;
	}
	return low < COUNT(normal_steps) && normal_steps[low].cp == cp
		       ? (int)low
		       : -1;
}

/* Lower cases that ai_lower() leaves out, most of them of African languages;
 * the long s, the micro sign and the sigma that ends a word. */
static uint32_t lower(uint32_t cp)
{
	static const uint16_t more[][2] = {
		{ 0xB5, 0x3BC },   { 0x17F, 's' },    { 0x181, 0x253 },
		{ 0x182, 0x183 },  { 0x184, 0x185 },  { 0x186, 0x254 },
		{ 0x187, 0x188 },  { 0x189, 0x256 },  { 0x18A, 0x257 },
		{ 0x18B, 0x18C },  { 0x18E, 0x1DD },  { 0x18F, 0x259 },
		{ 0x190, 0x25B },  { 0x191, 0x192 },  { 0x193, 0x260 },
		{ 0x194, 0x263 },  { 0x196, 0x269 },  { 0x197, 0x268 },
		{ 0x198, 0x199 },  { 0x19C, 0x26F },  { 0x19D, 0x272 },
		{ 0x19F, 0x275 },  { 0x1A2, 0x1A3 },  { 0x1A4, 0x1A5 },
		{ 0x1A6, 0x280 },  { 0x1A7, 0x1A8 },  { 0x1A9, 0x283 },
		{ 0x1AC, 0x1AD },  { 0x1AE, 0x288 },  { 0x1B1, 0x28A },
		{ 0x1B2, 0x28B },  { 0x1B3, 0x1B4 },  { 0x1B5, 0x1B6 },
		{ 0x1B7, 0x292 },  { 0x1B8, 0x1B9 },  { 0x1BC, 0x1BD },
		{ 0x1C4, 0x1C6 },  { 0x1C5, 0x1C6 },  { 0x1C7, 0x1C9 },
		{ 0x1C8, 0x1C9 },  { 0x1CA, 0x1CC },  { 0x1CB, 0x1CC },
		{ 0x1F1, 0x1F3 },  { 0x1F2, 0x1F3 },  { 0x1F6, 0x195 },
		{ 0x1F7, 0x1BF },  { 0x220, 0x19E },  { 0x241, 0x242 },
		{ 0x3C2, 0x3C3 },
	};
	size_t i;

	for (i = 0; cp < NEAR && i < COUNT(more) && more[i][0] <= cp; i++)
		if (more[i][0] == cp)
			return more[i][1];
	return ai_lower(cp);
}

/* Decomposes, drops diacritics, lowers.  Kana keep their voicing mark.  With
 * accents, the character stays composed. */
static size_t put_folded(uint32_t cp, bool accents, char *out)
{
	uint32_t tail[3], last;
	size_t tails = 0, n;
	int step;

	while (!accents && (step = step_of(cp)) >= 0) {
		last = normal_steps[step].last;
		if (last == 0x3099 || last == 0x309A)
			break;
		if (last != 0 && !is_diacritic(last) && tails < COUNT(tail))
			tail[tails++] = last;
		cp = normal_steps[step].first;
	}
	if (cp >= 0xFF01 && cp <= 0xFF5E)
		cp -= 0xFEE0; /* the wide forms of ASCII */
	cp = lower(cp);
	n = !accents && is_diacritic(cp) ? 0 : ai_utf8_encode(cp, out);
	while (tails > 0)
		n += ai_utf8_encode(tail[--tails], out + n);
	return n;
}

/*
 * Scripts without blanks, in order; what is no letter, mark or number in
 * these ranges separates as elsewhere.
 */
static const uint32_t paired[][2] = {
	{ 0xE00, 0xEFF },     { 0x1000, 0x109F },   { 0x1780, 0x17FF },
	{ 0x3005, 0x3007 },   { 0x3040, 0x30FF },   { 0x31F0, 0x31FF },
	{ 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },   { 0xAC00, 0xD7A3 },
	{ 0xF900, 0xFAFF },   { 0xFF66, 0xFF9F },   { 0x20000, 0x3FFFF },
};

static bool is_paired(uint32_t cp)
{
	size_t i;

	for (i = 0; i < COUNT(paired) && cp >= paired[i][0]; i++)
		if (cp <= paired[i][1])
			return true;
	return false;
}

#define BIT(class) (1u << AI_CLASS_##class)
#define LETTERS (BIT(UPPER) | BIT(LOWER) | BIT(LETTER) | BIT(NUMBER))

/*
 * Of the code points in two bytes: 0 for what separates, 1 for what is a part
 * of a word and leaves nothing, 2 for a mark, 3 for what takes longer, else
 * what it becomes.  None of them is paired.
 */
enum { NEAR_GAP, NEAR_NOTHING, NEAR_MARK, NEAR_MORE };
static uint16_t near_table[NEAR];
static pthread_once_t near_once = PTHREAD_ONCE_INIT;

static void near_make(void)
{
	char out[WIDE_MAX];
	uint32_t cp, to;
	size_t n;

	for (cp = 0x80; cp < NEAR; cp++) {
		unsigned class = 1u << ai_class_of(cp);

		if (class & BIT(MARK)) {
			near_table[cp] = is_diacritic(cp) ? NEAR_NOTHING
							  : NEAR_MARK;
		} else if (class & LETTERS) {
			n = put_folded(cp, false, out);
			near_table[cp] = n > 0 && ai_utf8_decode(out, n, &to) ==
							  n && to < NEAR
						 ? (uint16_t)to
						 : NEAR_MORE;
		}
	}
}

/* ---- words ---------------------------------------------------------------- */

void ai_fold_init(struct ai_fold *f, const char *text, size_t n)
{
	f->p = f->text = text;
	f->end = text + n;
	f->from = f->to = f->n = 0;
	f->position = f->next = 0;
	f->kind = AI_FOLD_WORD;
	f->accents = f->run = f->alone = false;
}

/* The bytes of one character of a script without blanks, with its marks; 0:
 * there is none here. */
static size_t unit_at(const struct ai_fold *f, const char *p)
{
	size_t n, len;
	uint32_t cp;
	int marks;

	n = ai_utf8_decode(p, (size_t)(f->end - p), &cp);
	if (n < 3 || !is_paired(cp) || !(1u << ai_class_of(cp) & LETTERS))
		return 0;
	for (marks = 0; marks < UNIT_MARKS; marks++, n += len) {
		len = ai_utf8_decode(p + n, (size_t)(f->end - p) - n, &cp);
		if (len == 0 || ai_class_of(cp) != AI_CLASS_MARK)
			break;
	}
	return n;
}

static void fold_unit(struct ai_fold *f, const char *p, size_t n)
{
	uint32_t cp;
	size_t i, len;

	for (i = 0; i < n && f->n + WIDE_MAX <= AI_TERM_MAX; i += len) {
		len = ai_utf8_decode(p + i, n - i, &cp);
		f->n += put_folded(cp, false, f->word + f->n);
	}
}

/* A pair that begins at f->p, or the last of a run. */
static void take_pair(struct ai_fold *f, size_t one)
{
	size_t two = unit_at(f, f->p + one);

	f->from = (size_t)(f->p - f->text);
	f->to = f->from + one + two;
	fold_unit(f, f->p, one);
	fold_unit(f, f->p + one, two);
	f->p += one;
	f->kind = two > 0 ? AI_FOLD_PAIR : AI_FOLD_LAST;
	f->alone = two == 0 && !f->run;
	f->run = two > 0;
}

/*
 * Looks at a character beyond ASCII: takes it into the word, or skips it where
 * there is no word yet.  False: the word ends before it.
 */
static bool take_wide(struct ai_fold *f)
{
	size_t len, n = f->n;
	unsigned near = NEAR_MORE, class;
	uint32_t cp;

	len = ai_utf8_decode(f->p, (size_t)(f->end - f->p), &cp);
	if (len == 2 && !f->accents) {
		pthread_once(&near_once, near_make);
		near = near_table[cp];
	}
	if (near > NEAR_MORE) {
		f->n += ai_utf8_encode(near, f->word + f->n);
	} else {
		class = len == 0 ? 0 : 1u << ai_class_of(cp);
		if (n > 0 && (!(class & (LETTERS | BIT(MARK))) ||
			      (class & LETTERS && is_paired(cp))))
			return false;
		if (class & LETTERS || (class & BIT(MARK) && n > 0))
			f->n += put_folded(cp, f->accents, f->word + f->n);
	}
	if (n == 0 && f->n > 0)
		f->from = (size_t)(f->p - f->text);
	f->p += len == 0 ? 1 : len;
	return true;
}

bool ai_fold_next(struct ai_fold *f)
{
	unsigned char c;
	unsigned class;
	size_t one;

	for (f->n = 0; f->p < f->end;) {
		c = (unsigned char)*f->p;
		if (f->n + WIDE_MAX > AI_TERM_MAX)
			break;
		if (c >= 0x80) {
			if (f->n == 0 && c >= 0xE0 &&
			    (one = unit_at(f, f->p)) > 0) {
				take_pair(f, one);
				f->position = f->next++;
				return true;
			}
			if (!take_wide(f))
				break;
			continue;
		}
		class = ai_class_ascii[c];
		if (1u << class & LETTERS) {
			if (f->n == 0)
				f->from = (size_t)(f->p - f->text);
			f->word[f->n++] = (char)(class == AI_CLASS_UPPER
							 ? c + 32
							 : c);
		} else if (f->n > 0) {
			break;
		}
		f->p++;
	}
	f->run = false;
	if (f->n == 0)
		return false;
	f->kind = AI_FOLD_WORD;
	f->to = (size_t)(f->p - f->text);
	f->position = f->next++;
	return true;
}

size_t ai_fold_accents(char *word, size_t n)
{
	char out[AI_TERM_MAX + WIDE_MAX];
	size_t i, len, to = 0;
	uint32_t cp;

	for (i = 0; i < n && (unsigned char)word[i] < 0x80; i++)
		;
	if (i == n)
		return n;
	for (i = 0; i < n && to + WIDE_MAX <= AI_TERM_MAX; i += len) {
		len = ai_utf8_decode(word + i, n - i, &cp);
		if (len == 0)
			return n; /* a stemmer cut a character */
		to += put_folded(cp, false, out + to);
	}
	if (to == 0)
		return n;
	memcpy(word, out, to);
	return to;
}

/* ---- terms ----------------------------------------------------------------- */

static size_t porter(const struct ai_analyzer *a, char *word, size_t n)
{
	(void)a;
	return ai_stem_porter(word, n);
}

size_t ai_analyzer_stem(const struct ai_analyzer *a, char *word, size_t n)
{
	if (a->stem != NULL)
		n = a->stem(a, word, n);
	return a->accents ? ai_fold_accents(word, n) : n;
}

const struct ai_analyzer *ai_analyzer_find(const char *name)
{
	static const struct ai_analyzer all[] = {
		{ .name = "english", .stem = porter, .stop = ai_stop_word },
		{ .name = "none" },
	};
	size_t i;

	for (i = 0; i < COUNT(all); i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static int make_room(struct ai_terms *t)
{
	struct ai_term *v;
	size_t cap;
	char *bytes;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 32 : t->cap * 2;
		v = reallocarray(t->v, cap, sizeof(*v));
		if (v == NULL)
			return -1;
		t->v = v;
		t->cap = cap;
	}
	if (t->bytes_cap - t->bytes_n < AI_TERM_MAX + 8) {
		cap = t->bytes_cap == 0 ? 1024 : t->bytes_cap * 2;
		bytes = realloc(t->bytes, cap);
		if (bytes == NULL)
			return -1;
		t->bytes = bytes;
		t->bytes_cap = cap;
	}
	return 0;
}

int ai_analyze(const struct ai_analyzer *a, struct ai_span text, bool query,
	       struct ai_terms *out, struct ai_err *err)
{
	struct ai_term *term;
	struct ai_fold f;

	ai_fold_init(&f, text.p, text.n);
	f.accents = a->accents;
	while (ai_fold_next(&f)) {
		if (query && f.kind == AI_FOLD_LAST && !f.alone)
			continue;
		if (make_room(out) < 0)
			return ai_err_nomem(err);
		term = &out->v[out->n++];
		*term = (struct ai_term){
			.at = out->bytes_n, .position = f.position,
			.from = f.from, .to = f.to,
			.prefix = query && f.kind == AI_FOLD_LAST,
		};
		if (f.kind == AI_FOLD_WORD) {
			term->stop = a->stop != NULL && a->stop(f.word, f.n);
			f.n = ai_analyzer_stem(a, f.word, f.n);
		}
		memcpy(out->bytes + out->bytes_n, f.word, f.n);
		out->bytes_n += term->n = f.n;
	}
	return 0;
}

void ai_terms_clear(struct ai_terms *t)
{
	t->n = t->bytes_n = 0;
}

void ai_terms_release(struct ai_terms *t)
{
	free(t->v);
	free(t->bytes);
	*t = (struct ai_terms){ NULL, 0, 0, NULL, 0, 0 };
}
