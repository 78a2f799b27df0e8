/*
 * validate.c: characters that have no place in a text: they hide something from
 * who reads it, or do something to the terminal it is shown on.
 *
 * Bytes that are no UTF-8 never come here: such a line is no record.
 *
 * What is done with good reason is no finding: a form feed, emoji with their
 * selectors and joiners, marks of direction among Hebrew and Arabic, flags made
 * of tags, a byte order mark, an icon of a font.
 */
#include "validate.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* How a character is judged. */
enum judge {
	ALWAYS,
	SEQUENCE,  /* escape.c */
	DIRECTION, /* bidi.c */
	TAGS, SELECTORS, BLANKS, PRIVATE,
};

/* Ranges of code points, in order. */
static const struct range {
	uint32_t from, to;
	const char *rule, *reason;
	double score;
	enum judge judge;
} ranges[] = {
	{ 0x00, 0x08, "control", "a control character", .5, ALWAYS },
	{ 0x0B, 0x0B, "control", "a control character", .3, ALWAYS },
	{ 0x0D, 0x0D, "control", "a line that is written over the one before",
	  .4, ALWAYS },
	{ 0x0E, 0x1A, "control", "a control character", .5, ALWAYS },
	{ 0x1B, 0x1B, "escape", "", 0, SEQUENCE },
	{ 0x1C, 0x1F, "control", "a control character", .5, ALWAYS },
	{ 0x7F, 0x7F, "control", "a control character", .5, ALWAYS },
	{ 0x80, 0x9F, "escape", "", 0, SEQUENCE },
	{ 0x200B, 0x200D, "invisible", "characters without width", 0, BLANKS },
	{ 0x202A, 0x202E, "bidi", "", 0, DIRECTION },
	{ 0x2060, 0x2064, "invisible", "characters without width", 0, BLANKS },
	{ 0x2066, 0x2069, "bidi", "", 0, DIRECTION },
	{ 0x206A, 0x206F, "control", "a control that is deprecated", .5,
	  ALWAYS },
	{ 0xE000, 0xF8FF, "private", "characters without a meaning", 0,
	  PRIVATE },
	{ 0xFDD0, 0xFDEF, "noncharacter", "no character", .5, ALWAYS },
	{ 0xFE00, 0xFE0F, "selectors", "", 0, SELECTORS },
	{ 0xFEFF, 0xFEFF, "invisible", "characters without width", 0, BLANKS },
	{ 0xFFF9, 0xFFFB, "control", "a note that is not shown", .5, ALWAYS },
	{ 0xFFFE, 0xFFFF, "noncharacter", "no character", .5, ALWAYS },
	{ 0x1D173, 0x1D17A, "control", "a control character", .5, ALWAYS },
	{ 0xE0000, 0xE007F, "tags", "", 0, TAGS },
	{ 0xE0100, 0xE01EF, "selectors", "", 0, SELECTORS },
	{ 0xF0000, 0xFFFFD, "private", "characters without a meaning", 0,
	  PRIVATE },
	{ 0x100000, 0x10FFFD, "private", "characters without a meaning", 0,
	  PRIVATE },
};

/* The first bytes of such characters, and of U+..FFFE and U+..FFFF. */
static const bool first[256] = {
	[0x00 ... 0x08] = true, [0x0B] = true, [0x0D ... 0x1F] = true,
	[0x7F] = true, [0xC2] = true, [0xE2] = true, [0xEE ... 0xF4] = true,
};

static const struct range *range_of(uint32_t cp)
{
	static const struct range nonchar = { 0xFFFE, 0xFFFF, "noncharacter",
					      "no character", .5, ALWAYS };

	if ((cp & 0xFFFE) == 0xFFFE)
		return &nonchar;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (cp <= ranges[i].to)
			return cp >= ranges[i].from ? &ranges[i] : NULL;
	return NULL;
}

/* A run of characters of one rule, which is judged as a whole. */
struct run {
	const struct range *r; /* NULL: none */
	size_t from, to, n;
	double score;
	uint32_t first, last;
	bool mixed; /* not one character again and again */
};

struct walk {
	const struct ai_view *v;
	struct guard_findings *f;
	struct ai_err *err;
	struct run run;
	size_t directed; /* paragraphs before this were judged by bidi.c */
	bool right, asked; /* guard_bidi_right(), and whether it was asked */
};

static int find(const struct walk *w, const char *rule, double score,
		size_t from, size_t to, const char *reason)
{
	return guard_find(w->f, w->v, GUARD_INVALID, rule, score, from, to,
			  reason, w->err);
}

/* ---- runs -------------------------------------------------------------------------- */

/* The character before; 0 if there is none. */
static uint32_t before(const struct walk *w, size_t at)
{
	const char *p = w->v->text.p;
	uint32_t cp;

	for (size_t n = 1; n <= 4 && n <= at; n++)
		if (ai_utf8_decode(p + at - n, n, &cp) == n)
			return cp;
	return 0;
}

static bool is_ideograph(uint32_t cp)
{
	return (cp >= 0x2E80 && cp <= 0xA4CF) ||
		(cp >= 0xF900 && cp <= 0xFAFF) ||
		(cp >= 0x20000 && cp <= 0x3FFFF);
}

/* U+FE0E and U+FE0F stand behind emoji, others behind what has variants. */
static double selectors_score(const struct walk *w, const struct run *r)
{
	uint32_t base = before(w, r->from);

	if (r->n > 1)
		return .9;
	if (r->first >= 0xE0100)
		return is_ideograph(base) ? 0 : .8;
	if (base <= ' ' || (base | 0x20) - 'a' < 26)
		return .5;
	return r->first < 0xFE0E && base >= 0x1F000 && base < 0x20000 ? .6 : 0;
}

/* The tags behind a black flag that make it that of England, Scotland or
 * Wales. */
static bool is_flag(const struct walk *w, const struct run *r)
{
	static const char *const names[] = { "gbeng", "gbsct", "gbwls" };
	const char *p = w->v->text.p + r->from;
	char name[6];

	if (r->n != 6 || r->last != 0xE007F || before(w, r->from) != 0x1F3F4)
		return false;
	for (size_t i = 0; i < 5; i++)
		name[i] = (char)((p[4 * i + 2] & 1) << 6 |
				 (p[4 * i + 3] & 0x3F));
	name[5] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Two that take turns say something, bit by bit. */
static double blanks_score(const struct run *r)
{
	if (r->n < 8)
		return 0;
	return r->mixed ? .8 : .4;
}

static int end_run(struct walk *w)
{
	struct run r = w->run;
	const char *reason = r.r != NULL ? r.r->reason : NULL;
	double score = r.score;
	char said[64];

	w->run.r = NULL;
	if (r.r == NULL)
		return 0;
	if (r.r->judge == TAGS && !is_flag(w, &r)) {
		score = .95;
		snprintf(said, sizeof said, "%zu letters that nobody sees",
			 r.n);
		reason = said;
	} else if (r.r->judge == SELECTORS) {
		score = selectors_score(w, &r);
		reason = r.n > 1 ? "bytes that are hidden behind a character"
				 : "a selector of a form that there is not";
	} else if (r.r->judge == BLANKS) {
		score = blanks_score(&r);
	} else if (r.r->judge == PRIVATE) {
		score = r.n < 4 ? 0 : r.first >= 0xF0000 ? .6 : .4;
	}
	return score == 0 ? 0 : find(w, r.r->rule, score, r.from, r.to,
				     reason);
}

static int add_to_run(struct walk *w, const struct range *r, uint32_t cp,
		      size_t at, size_t len)
{
	struct run *run = &w->run;

	if (run->r != NULL && run->to == at && run->r->judge == r->judge &&
	    strcmp(run->r->rule, r->rule) == 0) {
		run->mixed |= cp != run->last;
		if (r->score > run->score)
			run->score = r->score;
	} else {
		if (end_run(w) < 0)
			return -1;
		*run = (struct run){ .r = r, .score = r->score,
				      .from = at, .first = cp };
	}
	run->last = cp;
	run->to = at + len;
	run->n++;
	return 0;
}

/* ---- the others ---------------------------------------------------------------------- */

/* Of a C1 control that begins no sequence nothing is said: it is what is left
 * of a quotation mark in the wrong encoding. */
static int sequence(struct walk *w, size_t at, size_t *len)
{
	struct guard_escape e;

	if (!guard_escape_at(w->v->text.p + at, w->v->text.n - at, &e))
		return 0;
	if (find(w, "escape", e.score, at, at + e.n, e.reason) < 0)
		return -1;
	*len = e.n;
	return 0;
}

static size_t line_end(const char *p, size_t at, size_t n)
{
	const char *end = memchr(p + at, '\n', n - at);

	return end != NULL ? (size_t)(end - p) : n;
}

static int direction(struct walk *w, size_t at)
{
	const char *p = w->v->text.p;
	const char *start;
	size_t from, to;

	if (at < w->directed)
		return 0;
	to = line_end(p, at, w->v->text.n);
	start = memrchr(p + w->directed, '\n', at - w->directed);
	from = start != NULL ? (size_t)(start - p) + 1 : w->directed;
	w->directed = to;
	if (!w->asked)
		w->right = guard_bidi_right(p, w->v->text.n);
	w->asked = true;
	return guard_bidi(w->v, from, to, w->right, w->f, w->err);
}

/* A carriage return is one if something follows in the same line, and was
 * before it. */
static bool overwrites(const struct walk *w, size_t at)
{
	const char *p = w->v->text.p;

	return at > 0 && p[at - 1] != '\n' && p[at - 1] != '\r' &&
		at + 1 < w->v->text.n && p[at + 1] != '\n' &&
		p[at + 1] != '\r';
}

static int look(struct walk *w, size_t at, size_t *len)
{
	const struct range *r;
	uint32_t cp;

	*len = ai_utf8_decode(w->v->text.p + at, w->v->text.n - at, &cp);
	if (*len == 0) {
		*len = 1;
		return 0;
	}
	r = range_of(cp);
	if (r == NULL || (cp == '\r' && !overwrites(w, at)))
		return 0;
	if (r->judge == SEQUENCE)
		return sequence(w, at, len);
	if (r->judge == DIRECTION)
		return direction(w, at);
	return add_to_run(w, r, cp, at, *len);
}

int guard_validate(const struct ai_view *v, enum guard_context context,
		   struct guard_findings *f, struct ai_err *err)
{
	struct walk w = { .v = v, .f = f, .err = err };
	const unsigned char *p = (const unsigned char *)v->text.p;
	size_t n = v->text.n, len;

	(void)context;
	/* What is decoded is nobody's terminal. */
	if (v->at != NULL)
		return 0;
	for (size_t at = 0; at < n; at += len) {
		len = 1;
		if (first[p[at]] && look(&w, at, &len) < 0)
			return -1;
	}
	return end_run(&w);
}
