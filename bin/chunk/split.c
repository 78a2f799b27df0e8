#include "split.h"

#include "base/utf8.h"
#include "text/segment.h"

#include "by.h"
#include "markdown.h"

#include <stdlib.h>
#include <string.h>

#define INDENT_MAX 32  /* bytes of indentation kept before a chunk */
#define CLUSTER_MAX 16 /* marks on one character that are kept with it */
#define NOWHERE SIZE_MAX

/* ---- what counts as a good place ----------------------------------------- */

struct level {
	unsigned kinds; /* all of these end there */
	bool anywhere;  /* else only in the second half */
};

#define LEVELS_MAX 5

/* Of CHUNK_CODE, beside those of text/segment.h. */
#define BREAK_DEFINITION 16u
#define BREAK_MEMBER 32u

static const struct level levels[][LEVELS_MAX] = {
	[CHUNK_PROSE] = {
		{ AI_BREAK_PARAGRAPH, false },
		{ AI_BREAK_LINE | AI_BREAK_SENTENCE, false },
		{ AI_BREAK_LINE, false },
		{ AI_BREAK_SENTENCE, false },
		{ AI_BREAK_WORD, false },
	},
	[CHUNK_SENTENCE] = {
		{ AI_BREAK_SENTENCE, true },
		{ AI_BREAK_WORD, false },
	},
	[CHUNK_PARAGRAPH] = {
		{ AI_BREAK_PARAGRAPH, true },
		{ AI_BREAK_SENTENCE, false },
		{ AI_BREAK_LINE, false },
		{ AI_BREAK_WORD, false },
	},
	[CHUNK_CODE] = {
		{ BREAK_DEFINITION, true },
		{ BREAK_MEMBER, false },
		{ AI_BREAK_PARAGRAPH, false },
		{ AI_BREAK_LINE, false },
		{ AI_BREAK_WORD, false },
	},
	[CHUNK_FIXED] = { { 0, false } },
};

/* Where an overlap may begin: the earliest break of the first kind found. */
static const struct level overlaps[][LEVELS_MAX] = {
	[CHUNK_PROSE] = {
		{ AI_BREAK_SENTENCE, false },
		{ AI_BREAK_LINE, false },
		{ AI_BREAK_SENTENCE, true },
		{ AI_BREAK_WORD, true },
	},
	[CHUNK_SENTENCE] = {
		{ AI_BREAK_SENTENCE, true },
		{ AI_BREAK_WORD, true },
	},
	[CHUNK_PARAGRAPH] = {
		{ AI_BREAK_PARAGRAPH, true },
		{ AI_BREAK_SENTENCE, true },
		{ AI_BREAK_WORD, true },
	},
	[CHUNK_CODE] = {
		{ AI_BREAK_LINE, true },
		{ AI_BREAK_WORD, true },
	},
	[CHUNK_FIXED] = { { 0, false } },
};

/* ---- the state ----------------------------------------------------------- */

struct fence {
	size_t from, to;
};

struct mark {
	size_t at;
	unsigned kind;
};

struct split {
	const char *p;
	size_t n;
	const struct chunk_how *how;
	enum chunk_by rules; /* row of the tables above */
	bool trims;          /* blanks between chunks belong to none */
	size_t covered;      /* behind the last chunk */
	size_t last_from;    /* of the last chunk; NOWHERE: none yet */

	/* CHUNK_MARKDOWN: what lies around the chunk at hand. */
	struct chunk_md md;
	struct fence *fences; /* in order */
	size_t n_fences, cap_fences;
	size_t section;      /* begin of the section at hand */
	size_t headings;     /* end of the headings at its begin; 0: none */
	size_t limit;        /* begin of the next section, or n */

	/* CHUNK_CODE: what begins around the chunk at hand. */
	struct chunk_code code;
	struct mark *marks; /* in order */
	size_t n_marks, cap_marks;
};

/* ---- Markdown ------------------------------------------------------------ */

/* A list or table that is no longer than a chunk is like a fence. */
static int fits(const struct split *s, const struct chunk_md_event *e,
		bool *yes, struct ai_err *err)
{
	const struct chunk_measure *m = s->how->measure;
	size_t units = 0;

	*yes = e->to - e->from <= CHUNK_FENCE_MAX;
	if (!*yes || e->kind != CHUNK_MD_BLOCK)
		return 0;
	if (m->cost(m, s->p + e->from, e->to - e->from, &units, err) < 0)
		return -1;
	*yes = units <= s->how->size;
	return 0;
}

static int add_fence(struct split *s, const struct chunk_md_event *e,
		     struct ai_err *err)
{
	struct fence *more;
	size_t cap;
	bool yes;

	if (s->n_fences > 0 && e->from < s->fences[s->n_fences - 1].to)
		return 0; /* in a list that stays whole */
	if (fits(s, e, &yes, err) < 0)
		return -1;
	if (!yes)
		return 0;
	if (s->n_fences == s->cap_fences) {
		cap = s->cap_fences * 2 + 16;
		more = reallocarray(s->fences, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		s->fences = more;
		s->cap_fences = cap;
	}
	s->fences[s->n_fences++] = (struct fence){ e->from, e->to };
	return 0;
}

/* Forgets the fences that the next chunk cannot overlap. */
static void drop_fences(struct split *s)
{
	size_t k = 0;

	if (s->last_from == NOWHERE)
		return;
	while (k < s->n_fences && s->fences[k].to <= s->last_from)
		k++;
	if (k == 0)
		return;
	s->n_fences -= k;
	memmove(s->fences, s->fences + k, s->n_fences * sizeof *s->fences);
}

/* A heading that only blanks part from the headings that begin the section
 * begins none itself: it would be a chunk without text. */
static bool joins_headings(const struct split *s, size_t from)
{
	return s->headings > 0 &&
		ai_blank_skip(s->p, s->n, s->headings) >= from;
}

/* Takes in what the document has up to this place, for a chunk whose own
 * text begins at next; sets limit if a section begins there. */
static int look_ahead(struct split *s, size_t next, size_t to,
		      struct ai_err *err)
{
	const struct chunk_md_event *e = &s->md.next;

	for (; e->kind != CHUNK_MD_END && e->from <= to;
	     chunk_md_next(&s->md)) {
		if (e->kind != CHUNK_MD_HEADING) {
			if (add_fence(s, e, err) < 0)
				return -1;
			continue;
		}
		if (e->from <= next)
			s->section = next;
		else if (!joins_headings(s, e->from))
			break;
		s->headings = e->to;
	}
	if (e->kind == CHUNK_MD_HEADING && e->from <= to)
		s->limit = e->from;
	return 0;
}

static void enter_section(struct split *s)
{
	s->section = s->limit;
	s->limit = s->n;
	s->headings = 0;
}

/* The fence that this place would cut, or NULL. */
static const struct fence *cut_fence(const struct split *s, size_t at)
{
	size_t lo = 0, hi = s->n_fences;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->fences[mid].from < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && at < s->fences[lo - 1].to ? &s->fences[lo - 1] : NULL;
}

/* ---- code ----------------------------------------------------------------- */

static int add_mark(struct split *s, struct ai_err *err)
{
	struct mark *more;
	size_t cap;

	if (s->n_marks == s->cap_marks) {
		cap = s->cap_marks * 2 + 64;
		more = reallocarray(s->marks, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		s->marks = more;
		s->cap_marks = cap;
	}
	s->marks[s->n_marks++] = (struct mark){
		s->code.next.at, s->code.next.level == 0 ? BREAK_DEFINITION
							 : BREAK_MEMBER
	};
	return 0;
}

/* Takes in what begins up to this place, and forgets what lies behind. */
static int look_at_code(struct split *s, size_t to, struct ai_err *err)
{
	size_t k = 0;

	while (k < s->n_marks && s->marks[k].at < s->covered)
		k++;
	s->n_marks -= k;
	if (k > 0)
		memmove(s->marks, s->marks + k, s->n_marks * sizeof *s->marks);
	for (; s->code.next.at <= to && s->code.next.at < s->n;
	     chunk_code_next(&s->code))
		if (add_mark(s, err) < 0)
			return -1;
	return 0;
}

static unsigned mark_at(const struct split *s, size_t at)
{
	size_t lo = 0, hi = s->n_marks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->marks[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n_marks && s->marks[lo].at == at ? s->marks[lo].kind
							: 0;
}

/* ---- small steps --------------------------------------------------------- */

static size_t skip_blanks(const struct split *s, size_t at)
{
	return s->trims ? ai_blank_skip(s->p, s->n, at) : at;
}

static size_t trim(const struct split *s, size_t from, size_t at)
{
	return s->trims ? ai_blank_trim(s->p, from, at) : at;
}

/* Most places are inside a word: say so without a call. */
static unsigned break_in(const struct split *s, size_t at, unsigned kinds)
{
	unsigned char c = (unsigned char)s->p[at];
	unsigned char b = (unsigned char)s->p[at - 1];

	if (c == ' ' || (c >= '\t' && c <= '\r') ||
	    (b > ' ' && b < 0x80 && c < 0x80))
		return 0;
	return ai_break_in(s->p, s->n, at, kinds);
}

static bool all_of(unsigned kinds, unsigned wanted)
{
	return (kinds & wanted) == wanted;
}

/* The kinds of break at at, but sentences, which are dear, only if that
 * makes it one of the first n levels. */
static unsigned break_for(const struct split *s, size_t at,
			  const struct level *l, size_t n)
{
	unsigned kinds = break_in(s, at, AI_BREAK_ALL & ~AI_BREAK_SENTENCE);

	if (s->rules == CHUNK_CODE)
		return kinds == 0 ? 0 : kinds | mark_at(s, at);
	if (kinds == 0 || all_of(kinds, AI_BREAK_PARAGRAPH))
		return kinds == 0 ? 0 : AI_BREAK_ALL;
	for (size_t i = 0; i < n; i++)
		if (!all_of(kinds, l[i].kinds) &&
		    all_of(kinds | AI_BREAK_SENTENCE, l[i].kinds))
			return kinds | break_in(s, at, AI_BREAK_SENTENCE);
	return kinds;
}

/* The first line of a chunk keeps its indentation, if it is a small one. */
static size_t with_indent(const struct split *s, size_t at, size_t floor)
{
	size_t from = at, most = s->how->size / 4;

	if (s->rules != CHUNK_PROSE && s->rules != CHUNK_CODE)
		return at;
	if (most > INDENT_MAX)
		most = INDENT_MAX;
	while (from > floor && at - from < most &&
	       (s->p[from - 1] == ' ' || s->p[from - 1] == '\t'))
		from--;
	return from == 0 || s->p[from - 1] == '\n' ? from : at;
}

static size_t next_char(const struct split *s, size_t at)
{
	size_t len = ai_utf8_len(s->p + at, s->n - at);

	return at + (len > 0 ? len : 1);
}

/* ---- where a chunk begins ------------------------------------------------ */

/* The first place in lo..hi where all these kinds end. */
static size_t first_break(const struct split *s, size_t lo, size_t hi,
			  unsigned kinds)
{
	for (size_t at = lo; at < hi; at++)
		if (all_of(break_in(s, at, kinds), kinds) &&
		    cut_fence(s, at) == NULL)
			return at;
	return NOWHERE;
}

/* Between any two characters, the first place behind lo. */
static size_t first_cut(const struct split *s, size_t lo, size_t hi)
{
	while (s->trims && lo < hi &&
	       ai_break_splits_char(s->p, s->n, lo))
		lo = next_char(s, lo);
	lo = skip_blanks(s, lo);
	return lo < hi && cut_fence(s, lo) == NULL ? lo : NOWHERE;
}

/* Where the overlap begins, within lo..covered. */
static size_t overlap_start(const struct split *s, size_t lo)
{
	const struct level *l = overlaps[s->rules];
	size_t half = lo + (s->covered - lo) / 2, at;

	for (int i = 0; i < LEVELS_MAX && l[i].kinds != 0; i++) {
		at = first_break(s, lo, l[i].anywhere ? s->covered : half,
				 l[i].kinds);
		if (at != NOWHERE)
			return with_indent(s, at, lo);
	}
	return first_cut(s, lo, s->covered);
}

/* Where the chunk whose own text begins at next begins. */
static int choose_start(const struct split *s, size_t next, size_t *start,
			struct ai_err *err)
{
	const struct chunk_measure *m = s->how->measure;
	size_t floor, bytes, at;

	*start = with_indent(s, next, s->covered);
	if (s->how->overlap == 0 || s->last_from == NOWHERE ||
	    next <= s->section)
		return 0;
	if (s->rules == CHUNK_CODE && mark_at(s, next) == BREAK_DEFINITION)
		return 0;
	floor = next_char(s, s->last_from);
	if (floor < s->section)
		floor = s->section;
	if (floor >= s->covered)
		return 0;
	if (m->back(m, s->p + floor, s->covered - floor, s->how->overlap,
		    &bytes, err) < 0)
		return -1;
	at = overlap_start(s, s->covered - bytes);
	if (at != NOWHERE)
		*start = at;
	return 0;
}

/* ---- where it ends ------------------------------------------------------- */

/* The first level that this break belongs to, of those before n; else n. */
static size_t level_of(const struct level *l, size_t n, unsigned kinds,
		       bool second_half)
{
	for (size_t i = 0; i < n && l[i].kinds != 0; i++)
		if (all_of(kinds, l[i].kinds) &&
		    (second_half || l[i].anywhere))
			return i;
	return n;
}

/*
 * The best break in lo+1..hi, of a chunk whose second half begins at half:
 * the last one of the first level that has any there, else whatever comes
 * last before it.
 */
static size_t best_break(const struct split *s, size_t lo, size_t hi,
			 size_t half)
{
	const struct level *l = levels[s->rules];
	size_t best = NOWHERE, level = LEVELS_MAX, i;
	const struct fence *f;
	unsigned kinds;

	for (size_t at = hi; at > lo && level > 0; at--) {
		if (at < half && best != NOWHERE && !l[0].anywhere)
			break;
		kinds = break_for(s, at, l, level);
		if (kinds == 0)
			continue;
		f = cut_fence(s, at);
		if (f != NULL) {
			at = f->from + 1;
			continue;
		}
		i = level_of(l, level, kinds, at >= half);
		if (i < level || best == NOWHERE) {
			level = i;
			best = at;
		}
	}
	return best;
}

/* Between two characters, at at or a little before; behind floor. */
static size_t last_cut(const struct split *s, size_t at, size_t floor)
{
	size_t cut = at;

	if (!s->trims)
		return at;
	for (int i = 0; i < CLUSTER_MAX && cut > floor; i++) {
		if (!ai_break_splits_char(s->p, s->n, cut))
			return cut;
		cut = ai_utf8_floor(s->p, s->n, cut - 1);
	}
	return at;
}

/* What may not be cut although it is too long: a fence, one character. */
static void take_whole(const struct split *s, size_t next, size_t reached,
		       struct chunk_piece *c)
{
	const struct fence *f = cut_fence(s, reached > next ? reached
							     : next + 1);

	c->to = trim(s, next, f != NULL ? f->to : next_char(s, next));
	c->oversize = true;
}

/*
 * Ends the chunk c that begins at c->from and whose own text begins at next,
 * with at most size units.  *stuck: there is no end behind next.
 */
static int end_within(struct split *s, size_t next, size_t size,
		      struct chunk_piece *c, bool *stuck, struct ai_err *err)
{
	const struct chunk_measure *m = s->how->measure;
	size_t bytes, reached, after, at;

	if (m->reach(m, s->p + c->from, s->n - c->from, size, &bytes, err) < 0)
		return -1;
	reached = c->from + bytes;
	after = skip_blanks(s, reached);
	if ((s->how->by == CHUNK_MARKDOWN || s->how->by == CHUNK_HTML) &&
	    look_ahead(s, next, after, err) < 0)
		return -1;
	if (s->how->by == CHUNK_CODE && look_at_code(s, after, err) < 0)
		return -1;
	*stuck = false;
	c->oversize = false;
	if (after >= s->limit) {
		c->to = trim(s, next, s->limit);
		return 0;
	}
	at = s->trims ? best_break(s, next, after,
				   c->from + (reached - c->from) / 2)
		      : NOWHERE;
	if (at == NOWHERE && reached > next &&
	    cut_fence(s, reached) == NULL)
		at = last_cut(s, reached, next);
	*stuck = at == NOWHERE || at <= next;
	if (*stuck)
		take_whole(s, next, reached, c);
	else
		c->to = trim(s, next, at);
	return 0;
}

/* Tokens: a prefix may have more of them than what it was cut from. */
static int end_exactly(struct split *s, size_t next, struct chunk_piece *c,
		       bool *stuck, struct ai_err *err)
{
	const struct chunk_measure *m = s->how->measure;
	size_t size = s->how->size, units;

	for (;;) {
		if (end_within(s, next, size, c, stuck, err) < 0)
			return -1;
		if (m->monotone && !*stuck)
			return 0;
		if (m->cost(m, s->p + c->from, c->to - c->from, &units,
			    err) < 0)
			return -1;
		c->oversize = units > s->how->size;
		if (!c->oversize || *stuck)
			return 0;
		units -= s->how->size;
		size = size > units ? size - units : 0;
	}
}

static int choose_end(struct split *s, size_t next, struct chunk_piece *c,
		      struct ai_err *err)
{
	size_t own = with_indent(s, next, s->covered);
	bool stuck;

	if (end_exactly(s, next, c, &stuck, err) < 0)
		return -1;
	/* What overlaps must not make too long what is not by itself. */
	while (stuck && c->from < next) {
		c->from = c->from < own ? own : next;
		if (end_exactly(s, next, c, &stuck, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of it ----------------------------------------------------------- */

static bool is_visible(const struct split *s, const struct chunk_piece *c)
{
	return ai_blank_skip(s->p, c->to, c->from) < c->to;
}

static int split_all(struct split *s,
		     int (*sink)(void *, const struct chunk_piece *,
				 struct ai_err *),
		     void *arg, struct ai_err *err)
{
	struct chunk_piece c;
	size_t next;
	int rc = 0;

	while (rc == 0 && (next = skip_blanks(s, s->covered)) < s->n) {
		if (next >= s->limit)
			enter_section(s);
		if (choose_start(s, next, &c.from, err) < 0 ||
		    choose_end(s, next, &c, err) < 0)
			return -1;
		s->covered = c.to;
		s->last_from = c.from;
		drop_fences(s);
		if (s->trims || is_visible(s, &c))
			rc = sink(arg, &c, err);
	}
	return rc;
}

int chunk_split(const char *p, size_t n, const struct chunk_how *how,
		int (*sink)(void *arg, const struct chunk_piece *piece,
			    struct ai_err *err),
		void *arg, struct ai_err *err)
{
	struct split s = {
		.p = p, .n = n, .how = how, .rules = how->by,
		.trims = how->by != CHUNK_FIXED, .last_from = NOWHERE,
		.limit = n,
	};
	int rc;

	if (how->by == CHUNK_RECURSIVE)
		return chunk_split_recursive(p, n, how, sink, arg, err);
	if (how->by == CHUNK_TOKENS)
		return chunk_split_tokens(p, n, how, sink, arg, err);
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		s.covered = 3;
	if (how->by == CHUNK_MARKDOWN) {
		s.rules = CHUNK_PROSE;
		chunk_md_init(&s.md, p, n);
		if (s.md.body > 0)
			s.covered = s.md.body;
	}
	if (how->by == CHUNK_HTML) {
		s.rules = CHUNK_PROSE;
		chunk_md_init_list(&s.md, n, how->page->events,
				   how->page->n_events);
	}
	if (how->by == CHUNK_CODE)
		chunk_code_init(&s.code, p, n, how->lang);
	rc = split_all(&s, sink, arg, err);
	free(s.marks);
	free(s.fences);
	return rc;
}
