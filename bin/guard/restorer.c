#include "restorer.h"

#include "placeholder.h"

#include "crypt/hash.h"

#include <string.h>

/* A form is shorter: LABEL_1 with each '_' escaped, and brackets. */
#define HELD_MAX ((size_t)256)

void restorer_init(struct restorer *r, struct guard_map *map, bool exact)
{
	memset(r, 0, sizeof *r);
	r->map = map;
	r->exact = exact;
	ai_buf_init(&r->held, SIZE_MAX);
}

void restorer_release(struct restorer *r)
{
	if (r->held.cap > 0)
		ai_wipe(r->held.p, r->held.cap);
	ai_buf_release(&r->held);
}

/* Within HTML's entities a value is one, too. */
static void put_value(struct ai_buf *out, struct ai_span v, bool html)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (!html || (c != '<' && c != '>' && c != '&'))
			ai_buf_chr(out, c);
		else
			ai_buf_str(out, c == '<' ? "&lt;" :
					c == '>' ? "&gt;" : "&amp;");
	}
}

/* One piece on its way. */
struct piece {
	struct restorer *r;
	const char *p;
	size_t n, done; /* done: written */
	bool end, fresh; /* fresh: the map was looked at for this piece */
	struct ai_buf *out;
};

static void put_until(struct piece *x, size_t at)
{
	ai_buf_add(x->out, x->p + x->done, at - x->done);
	x->done = at;
}

/* Another program may have given the number a moment ago: before it wrote the
 * placeholder, which is now here. */
static enum guard_map_state what_is(struct piece *x, const char *body,
				    struct ai_span *value, struct ai_err *err)
{
	enum guard_map_state s = guard_map_get(x->r->map, body, value);

	err->code = AI_E_NONE;
	if (s != GUARD_MAP_FREE || guard_map_refresh(x->r->map, err) < 0)
		return s;
	return guard_map_get(x->r->map, body, value);
}

static int whole(struct piece *x, size_t at, const struct placeholder *ph,
		 struct ai_err *err)
{
	struct ai_span value = { NULL, 0 };
	enum guard_map_state s;

	if (x->r->exact && ph->form != PLACEHOLDER_EXACT)
		return 0;
	s = what_is(x, ph->body, &value, err);
	if (err->code != AI_E_NONE)
		return -1;
	if (s != GUARD_MAP_VALUE)
		return 0;
	put_until(x, at);
	put_value(x->out, value, ph->form == PLACEHOLDER_HTML);
	x->done = at + ph->len;
	return 0;
}

/* 1: it may become one of those that the map has. */
static int may_be(struct piece *x, size_t at, const char *body,
		  struct ai_err *err)
{
	if (x->r->exact && x->p[at] != '<')
		return 0;
	if (guard_map_prefix(x->r->map, body))
		return 1;
	if (!x->fresh && guard_map_refresh(x->r->map, err) < 0)
		return -1;
	x->fresh = true;
	return guard_map_prefix(x->r->map, body);
}

static int restore(struct piece *x, struct ai_err *err)
{
	struct restorer *r = x->r;
	struct placeholder ph;
	size_t at = 0;
	int rc;

	for (;;) {
		at += placeholder_skip(x->p + at, x->n - at, &r->word);
		if (at == x->n)
			break;
		switch (placeholder_at(x->p + at, x->n - at, x->end, r->word,
				       &ph)) {
		case PLACEHOLDER_YES:
			if (whole(x, at, &ph, err) < 0)
				return -1;
			at += ph.len;
			r->word = false;
			continue;
		case PLACEHOLDER_PART:
			rc = may_be(x, at, ph.body, err);
			if (rc < 0)
				return -1;
			if (rc > 0) {
				put_until(x, at);
				return 0;
			}
			break;
		case PLACEHOLDER_NO:
			break;
		}
		r->word = placeholder_word(x->p[at++]);
	}
	put_until(x, at);
	return 0;
}

static int go_on(struct restorer *r, const char *p, size_t n, bool end,
		 struct ai_buf *out, struct ai_err *err)
{
	struct piece x = { .r = r, .p = p, .n = n, .end = end, .out = out };
	char rest[HELD_MAX];
	size_t left;

	if (r->held.len > 0) {
		ai_buf_add(&r->held, p, n);
		if (ai_buf_check(&r->held, "the text", err) < 0)
			return -1;
		x.p = r->held.p;
		x.n = r->held.len;
	}
	if (restore(&x, err) < 0)
		return -1;
	left = x.n - x.done;
	if (left > sizeof rest)
		return ai_err_set(err, AI_E_BUG, "too much is held back");
	memcpy(rest, x.p + x.done, left);
	ai_buf_clear(&r->held);
	ai_buf_add(&r->held, rest, left);
	return ai_buf_check(&r->held, "the text", err) < 0
		? -1 : ai_buf_check(out, "the restored text", err);
}

int restorer_add(struct restorer *r, const char *p, size_t n,
		 struct ai_buf *out, struct ai_err *err)
{
	return n == 0 ? 0 : go_on(r, p, n, false, out, err);
}

int restorer_end(struct restorer *r, struct ai_buf *out, struct ai_err *err)
{
	int rc = r->held.len == 0 ? 0 : go_on(r, "", 0, true, out, err);

	r->word = false;
	return rc;
}
