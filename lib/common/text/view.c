/* view.c: which views a text has, and in what order they are shown. */
#include "text/view.h"

#include "text/view-build.h"

#include <string.h>

/* What views may have besides what is a multiple of the text. */
#define ROOM 65536

static const struct way {
	const char *name;
	unsigned marks; /* tried where the text has one of these */
	ai_view_make *make;
} ways[] = {
	{ "base64", AI_VIEW_RUN64, ai_view_base64 },
	{ "base32", AI_VIEW_RUN32, ai_view_base32 },
	{ "hex", AI_VIEW_RUN16, ai_view_hex },
	{ "codes", AI_VIEW_ALWAYS, ai_view_codes },
	{ "percent", AI_VIEW_PERCENT, ai_view_percent },
	{ "entity", AI_VIEW_AMP, ai_view_entity },
	{ "escape", AI_VIEW_BACKSLASH, ai_view_escape },
	{ "hidden", AI_VIEW_LESS, ai_view_hidden },
	{ "hidden", AI_VIEW_LINK, ai_view_link },
	{ "rot13", AI_VIEW_ROT13, ai_view_rot13 },
	{ "reversed", AI_VIEW_REVERSED, ai_view_reversed },
	{ "leet", AI_VIEW_LEET, ai_view_leet },
	{ "spaced", AI_VIEW_SPACED, ai_view_spaced },
};

struct show {
	int (*each)(void *arg, const struct ai_view *v);
	void *arg;
	/* Bytes that may still be made: at a depth at most 1, and deeper. So
	 * what is nested cannot crowd out what is not. */
	size_t left[2];
	struct ai_err *err;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

void ai_view_span(const struct ai_view *v, size_t from, size_t to,
		  size_t *original_from, size_t *original_to)
{
	if (v->at == NULL) {
		*original_from = from;
		*original_to = to;
	} else if (from >= to) {
		*original_from = *original_to = v->at[from];
	} else {
		*original_from = least(v->at[from], v->at[to - 1]);
		*original_to = most(v->end[from], v->end[to - 1]);
	}
}

static int show(struct show *s, struct ai_view *v);

/* A view, and what it is made in. */
struct made {
	struct ai_view_build b;
	struct ai_view v;
};

/* Makes one view of v, to be released.  1; 0: there is none; -1. */
static int make_view(struct show *s, const struct ai_view *v, const char *name,
		     ai_view_make *make, int depth, struct made *m)
{
	size_t *left = &s->left[depth > 1];
	struct ai_view_build *b = &m->b;

	*b = (struct ai_view_build){ .of = v, .max = *left, .back = v->back };
	m->v = (struct ai_view){ .name = name, .of = v, .depth = depth };
	make(b);
	if (b->nomem)
		return ai_err_nomem(s->err);
	if (b->n == 0)
		return 0;
	*left -= b->n;
	b->at[b->n] = b->back ? b->at[b->n - 1] : b->end[b->n - 1];
	m->v.text = (struct ai_span){ b->p, b->n };
	m->v.at = b->at;
	m->v.end = b->end;
	m->v.back = b->back;
	return 1;
}

/* Makes one view of v and shows it and its own. */
static int try(struct show *s, const struct ai_view *v, const char *name,
	       ai_view_make *make)
{
	struct made m;
	int r = make_view(s, v, name, make, v->depth + 1, &m);

	if (r > 0)
		r = show(s, &m.v);
	ai_view_build_release(&m.b);
	return r;
}

static int decode(struct show *s, const struct ai_view *v, unsigned marks)
{
	int r = 0;

	if (v->depth == AI_VIEW_DEPTH)
		return 0;
	marks |= ai_view_turned(v->text.p, v->text.n) |
		 ai_view_runs(v->text.p, v->text.n);
	for (size_t i = 0; i < sizeof ways / sizeof *ways && r == 0; i++)
		if (marks & ways[i].marks)
			r = try(s, v, ways[i].name, ways[i].make);
	return r;
}

/* The normal view stands for what it is made of from there on: whatever is
 * encoded in the one is in the other too. */
static int show(struct show *s, struct ai_view *v)
{
	static const char normal[] = "normal";
	unsigned marks = ai_view_marks(v->text.p, v->text.n);
	struct made m = { 0 };
	size_t from = 0, to = 0;
	int r = 0;

	if (v->name != normal && marks & AI_VIEW_WIDE)
		r = make_view(s, v, normal, ai_view_normal, v->depth, &m);
	if (r < 0)
		goto out;
	v->better = r > 0 && !m.b.full;
	/* Most that look so at first have none, and need not be asked twice. */
	if (marks & AI_VIEW_SPACED && !ai_view_next_spaced(v->text, &from, &to))
		marks &= ~(unsigned)AI_VIEW_SPACED;
	v->spaced = (marks & AI_VIEW_SPACED) != 0;
	if (r > 0) {
		r = s->each(s->arg, v);
		if (r == 0)
			r = show(s, &m.v);
	} else {
		r = s->each(s->arg, v);
		if (r == 0)
			r = decode(s, v, marks);
	}
out:
	ai_view_build_release(&m.b);
	return r;
}

int ai_views(struct ai_span text,
	     int (*each)(void *arg, const struct ai_view *v), void *arg,
	     struct ai_err *err)
{
	struct ai_view whole = { .name = "text", .text = text };
	struct show s = { .each = each, .arg = arg, .err = err,
			  .left = { 3 * text.n + ROOM, text.n + ROOM } };

	if (text.n >= UINT32_MAX)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "the text is longer than 4 GiB");
	return show(&s, &whole);
}
