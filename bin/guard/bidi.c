/*
 * bidi.c: controls of direction (Unicode Standard Annex 9).  In Hebrew and
 * Arabic texts they are needed; where nothing runs from right to left, and
 * where they are left open, they show a text in an order that it has not
 * ("Trojan Source", CVE-2021-42574).
 */
#include "validate.h"

#include "base/utf8.h"

#define DEPTH 125 /* as UAX 9 has it; deeper ones do nothing */

enum { LRE = 0x202A, RLE, PDF, LRO, RLO, LRI = 0x2066, RLI, FSI, PDI };

struct open {
	size_t at;
	uint32_t cp;
};

struct paragraph {
	const struct ai_view *v;
	struct guard_findings *f;
	struct ai_err *err;
	bool right; /* there are letters that run from right to left */
	struct open open[DEPTH];
	size_t n;
};

static bool is_right(uint32_t cp)
{
	return (cp >= 0x0590 && cp <= 0x08FF) ||
		(cp >= 0xFB1D && cp <= 0xFDFF) ||
		(cp >= 0xFE70 && cp <= 0xFEFE) ||
		(cp >= 0x10800 && cp <= 0x10FFF) ||
		(cp >= 0x1E800 && cp <= 0x1EFFF);
}

bool guard_bidi_right(const char *p, size_t n)
{
	uint32_t cp;
	size_t len;

	for (size_t at = 0; at < n; at += len > 0 ? len : 1) {
		len = ai_utf8_decode(p + at, n - at, &cp);
		if (len > 0 && is_right(cp))
			return true;
	}
	return false;
}

static int find(struct paragraph *g, size_t at, double score,
		const char *reason)
{
	return guard_find(g->f, g->v, GUARD_INVALID, "bidi", score, at, at + 3,
			  reason, g->err);
}

static bool is_isolate(uint32_t cp)
{
	return cp >= LRI && cp <= FSI;
}

/* Opened, and closed or not. */
static int judge(struct paragraph *g, const struct open *o, bool closed)
{
	bool turns = o->cp == RLE || o->cp == RLI;

	if (o->cp == LRO || o->cp == RLO) /* said when it was opened */
		return 0;
	if (!closed)
		return find(g, o->at, turns && !g->right ? .7 : .3,
			    "a direction that is not closed in its line");
	return turns && !g->right ? find(g, o->at, .6, "nothing here is "
					 "written from right to left") : 0;
}

/* Closes the innermost one of its kind; what is open inside an isolate ends
 * with it. */
static int close_one(struct paragraph *g, size_t at, bool isolate)
{
	size_t i = g->n;

	while (i > 0 && is_isolate(g->open[i - 1].cp) != isolate) {
		if (!isolate) /* an isolate bars the way */
			return 0;
		i--;
	}
	if (i == 0)
		return find(g, at, .3, "closes a direction that is not open");
	while (g->n > i)
		if (judge(g, &g->open[--g->n], false) < 0)
			return -1;
	return judge(g, &g->open[--g->n], true);
}

static int control(struct paragraph *g, size_t at, uint32_t cp)
{
	if (cp == PDF || cp == PDI)
		return close_one(g, at, cp == PDI);
	if (g->n < DEPTH)
		g->open[g->n++] = (struct open){ at, cp };
	if (cp == LRO || cp == RLO)
		return find(g, at, .9, "letters are shown in another order");
	return 0;
}

int guard_bidi(const struct ai_view *v, size_t from, size_t to, bool right,
	       struct guard_findings *f, struct ai_err *err)
{
	struct paragraph g = { .v = v, .f = f, .err = err, .right = right,
			       .n = 0 };
	const unsigned char *p = (const unsigned char *)v->text.p;

	for (size_t at = from; at + 3 <= to; at++) {
		uint32_t cp;

		if (p[at] != 0xE2 ||
		    ai_utf8_decode(v->text.p + at, to - at, &cp) == 0)
			continue;
		if (((cp >= LRE && cp <= RLO) || (cp >= LRI && cp <= PDI)) &&
		    control(&g, at, cp) < 0)
			return -1;
	}
	while (g.n > 0)
		if (judge(&g, &g.open[--g.n], false) < 0)
			return -1;
	return 0;
}
