/*
 * by-recursive.c: --by recursive, the boundaries of LangChain's
 * RecursiveCharacterTextSplitter.
 *
 * A text is parted at the first separator that it has.  Parts that are
 * shorter than the size are put together again until the next does not fit;
 * a part that is not is treated likewise with the separators behind.  Each
 * part is known by its place, so that a chunk is a slice of the text whatever
 * was parted.  White space at both ends of a chunk belongs to none.
 */
#include "by.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No token has more bytes: a part that is longer than so many times the size
 * need not be counted. */
#define TOKEN_BYTES_MAX 1024

#define NONE SIZE_MAX

struct part {
	size_t from, to, len; /* len in units */
};

struct recursive {
	const char *p;
	const struct chunk_how *how;
	const struct chunk_separators *sep;
	bool is_chars;
	size_t unit_max; /* bytes of a unit, at most */
	size_t between; /* units that a separator between two parts costs */
	/* The parts of the chunk at hand: v[head..n). */
	struct part *v;
	size_t head, n, cap, total;
	struct chunk_piece last; /* handed out; to 0: none was */
	int (*sink)(void *arg, const struct chunk_piece *piece,
		    struct ai_err *err);
	void *arg;
};

static const struct ai_span usual[] = {
	{ "\n\n", 2 }, { "\n", 1 }, { " ", 1 }, { "", 0 },
};

void chunk_separators_usual(struct chunk_separators *s)
{
	s->n = sizeof usual / sizeof *usual;
	memcpy(s->v, usual, sizeof usual);
}

/* ---- white space --------------------------------------------------------- */

/* What String.trim() of JavaScript takes away, so that the chunks are those
 * of its version: also no-break spaces and U+FEFF, but not U+0085. */
static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 ||
		c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
		c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
		c == 0xFEFF;
}

static void trim(const char *p, struct chunk_piece *c)
{
	uint32_t cp;

	while (c->from < c->to) {
		size_t len = ai_utf8_decode(p + c->from, c->to - c->from, &cp);

		if (len == 0 || !is_space(cp))
			break;
		c->from += len;
	}
	while (c->from < c->to) {
		size_t at = ai_utf8_floor(p, c->to, c->to - 1);

		if (ai_utf8_decode(p + at, c->to - at, &cp) == 0 ||
		    !is_space(cp))
			break;
		c->to = at;
	}
}

/* ---- counting ------------------------------------------------------------ */

static int measure(const struct recursive *r, size_t from, size_t to,
		   size_t *len, struct ai_err *err)
{
	const struct chunk_measure *m = r->how->measure;

	if (r->is_chars) {
		*len = ai_utf8_count(r->p + from, to - from);
		return 0;
	}
	return m->cost(m, r->p + from, to - from, len, err);
}

/* ---- chunks -------------------------------------------------------------- */

static int mark_oversize(const struct recursive *r, struct chunk_piece *c,
			 struct ai_err *err)
{
	size_t len = 0;

	/* A unit has at least a byte. */
	if (c->to - c->from > r->how->size &&
	    measure(r, c->from, c->to, &len, err) < 0)
		return -1;
	c->oversize = len > r->how->size;
	return 0;
}

static int hand_out(struct recursive *r, size_t from, size_t to,
		    struct ai_err *err)
{
	struct chunk_piece c = { from, to, false };

	trim(r->p, &c);
	/* White space that joined the last chunk, and was trimmed. */
	if (c.from == c.to || (c.from == r->last.from && c.to == r->last.to))
		return 0;
	if (mark_oversize(r, &c, err) < 0)
		return -1;
	r->last = c;
	return r->sink(r->arg, &c, err);
}

static int hand_out_parts(struct recursive *r, struct ai_err *err)
{
	if (r->head == r->n)
		return 0;
	return hand_out(r, r->v[r->head].from, r->v[r->n - 1].to, err);
}

/* ---- putting parts together ---------------------------------------------- */

static bool fits(const struct recursive *r, size_t len)
{
	return r->total + len + (r->n - r->head) * r->between <=
		r->how->size;
}

static int push(struct recursive *r, const struct part *part,
		struct ai_err *err)
{
	struct part *more;
	size_t cap;

	if (r->n == r->cap && r->head > r->cap / 2) {
		r->n -= r->head;
		memmove(r->v, r->v + r->head, r->n * sizeof *r->v);
		r->head = 0;
	} else if (r->n == r->cap) {
		cap = 2 * r->cap + 256;
		more = reallocarray(r->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		r->v = more;
		r->cap = cap;
	}
	r->v[r->n++] = *part;
	r->total += part->len;
	return 0;
}

/* One part more; if it does not fit, the chunk before it is done, and what
 * the next one repeats stays. */
static int merge(struct recursive *r, const struct part *part,
		 struct ai_err *err)
{
	int rc = 0;

	if (!fits(r, part->len)) {
		rc = hand_out_parts(r, err);
		while (r->head < r->n &&
		       (r->total > r->how->overlap || !fits(r, part->len)) &&
		       r->total > 0)
			r->total -= r->v[r->head++].len;
		if (r->head == r->n)
			r->head = r->n = 0;
	}
	return rc != 0 ? rc : push(r, part, err);
}

static int merge_end(struct recursive *r, struct ai_err *err)
{
	int rc = hand_out_parts(r, err);

	r->head = r->n = r->total = 0;
	return rc;
}

/* ---- parting ------------------------------------------------------------- */

/* Where the separator stands next, at or behind at; NONE: no more. */
static size_t find(const char *p, size_t at, size_t to, struct ai_span s)
{
	const char *hit;

	while (to - at >= s.n) {
		hit = memchr(p + at, s.p[0], to - at - s.n + 1);
		if (hit == NULL)
			return NONE;
		at = (size_t)(hit - p);
		if (s.n == 1 || (hit[1] == s.p[1] &&
				 memcmp(hit + 1, s.p + 1, s.n - 1) == 0))
			return at;
		at++;
	}
	return NONE;
}

/* Goes over the parts of p[from..to). */
struct parting {
	size_t at, to;    /* what is left */
	size_t hit;       /* the next separator; NONE: there is no more */
	struct ai_span s; /* of no bytes: between any two characters */
};

/* The next part, which is never empty; false: there is none. */
static bool next_part(const struct recursive *r, struct parting *g,
		      struct part *part)
{
	const char *p = r->p;

	if (g->s.n == 0) {
		if (g->at >= g->to)
			return false;
		part->from = g->at;
		g->at += ai_utf8_len(p + g->at, g->to - g->at);
		part->to = g->at;
		return true;
	}
	while (g->at < g->to) {
		part->from = g->at;
		if (r->sep->keep) {
			/* Each begins with one; they may lie one in the other. */
			if (g->hit == g->at)
				g->hit = find(p, g->at + 1, g->to, g->s);
			part->to = g->hit == NONE ? g->to : g->hit;
			g->at = part->to;
		} else {
			part->to = g->hit == NONE ? g->to : g->hit;
			g->at = g->hit == NONE ? g->to : g->hit + g->s.n;
			g->hit = find(p, g->at, g->to, g->s);
		}
		if (part->from < part->to)
			return true;
	}
	return false;
}

/*
 * The first separator from number at on that the text has; how many there
 * are: none, and it stays whole.  Behind the last one characters are parted,
 * as they are by one of no bytes.
 */
static size_t choose(const struct recursive *r, size_t at, struct parting *g)
{
	g->s = (struct ai_span){ "", 0 };
	g->hit = NONE;
	for (; at < r->sep->n; at++) {
		g->s = r->sep->v[at];
		if (g->s.n == 0)
			break;
		g->hit = find(r->p, g->at, g->to, g->s);
		if (g->hit != NONE)
			break;
	}
	return at;
}

static bool is_short(const struct recursive *r, struct part *part, int *rc,
		     struct ai_err *err)
{
	if ((part->to - part->from) / r->unit_max >= r->how->size)
		return false;
	*rc = measure(r, part->from, part->to, &part->len, err);
	return part->len < r->how->size;
}

static int part_text(struct recursive *r, size_t from, size_t to, size_t at,
		     struct ai_err *err);

/* What is too long itself is parted at the separators behind the one that
 * parted it, if there was one. */
static int part_long(struct recursive *r, const struct part *part,
		     size_t parted, struct ai_err *err)
{
	int rc = merge_end(r, err);

	if (rc != 0)
		return rc;
	if (parted >= r->sep->n || r->sep->v[parted].n == 0)
		return hand_out(r, part->from, part->to, err);
	return part_text(r, part->from, part->to, parted + 1, err);
}

/* Parts p[from..to) at the separators from number at on.  Goes as deep as
 * there are separators. */
static int part_text(struct recursive *r, size_t from, size_t to, size_t at,
		     struct ai_err *err)
{
	struct parting g = { .at = from, .to = to };
	size_t parted = choose(r, at, &g), between;
	struct part part = { 0 };
	int rc = 0;

	between = r->sep->keep ? 0 : ai_utf8_count(g.s.p, g.s.n);
	while (rc == 0 && next_part(r, &g, &part)) {
		r->between = between;
		if (!is_short(r, &part, &rc, err))
			rc = part_long(r, &part, parted, err);
		else if (rc == 0)
			rc = merge(r, &part, err);
	}
	return rc != 0 ? rc : merge_end(r, err);
}

int chunk_split_recursive(const char *p, size_t n, const struct chunk_how *how,
			  int (*sink)(void *arg,
				      const struct chunk_piece *piece,
				      struct ai_err *err),
			  void *arg, struct ai_err *err)
{
	struct recursive r = {
		.p = p, .how = how, .sink = sink, .arg = arg,
		.sep = how->separators,
		.is_chars = how->measure->cost == chunk_measure_chars.cost,
	};
	int rc;

	r.unit_max = r.is_chars ? 4 : TOKEN_BYTES_MAX;
	rc = part_text(&r, 0, n, 0, err);
	free(r.v);
	return rc;
}
