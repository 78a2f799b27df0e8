#include "restorer.h"

#include "placeholder.h"

#include "crypt/hash.h"

#include <string.h>

/* A form is shorter: LABEL_1 with each '_' escaped, and brackets. */
#define HELD_MAX ((size_t)256)
#define RAW_MAX (6 * HELD_MAX) /* each byte escaped */

void restorer_init(struct restorer *r, struct guard_map *map, bool exact)
{
	memset(r, 0, sizeof *r);
	r->map = map;
	r->exact = exact;
	ai_buf_init(&r->held, SIZE_MAX);
	ai_buf_init(&r->raw, SIZE_MAX);
}

void restorer_clear(struct restorer *r)
{
	ai_buf_clear(&r->held);
	ai_buf_clear(&r->raw);
	r->word = false;
}

static void wipe(struct ai_buf *b)
{
	if (b->cap > 0)
		ai_wipe(b->p, b->cap);
	ai_buf_release(b);
}

void restorer_release(struct restorer *r)
{
	wipe(&r->held);
	wipe(&r->raw);
}

/* Within HTML's entities a value is one, too. */
static void put_value(struct ai_splice *to, struct ai_span v, bool html)
{
	size_t done = 0;

	for (size_t i = 0; html && i < v.n; i++) {
		const char *as = v.p[i] == '<' ? "&lt;" :
			v.p[i] == '>' ? "&gt;" : v.p[i] == '&' ? "&amp;" : NULL;

		if (as == NULL)
			continue;
		ai_splice_put(to, v.p + done, i - done);
		ai_splice_put(to, as, strlen(as));
		done = i + 1;
	}
	ai_splice_put(to, v.p + done, v.n - done);
}

/* One piece on its way. */
struct piece {
	struct restorer *r;
	const char *p;
	size_t n, done; /* done: written */
	bool end, fresh; /* fresh: the map was looked at for this piece */
	struct ai_splice to;
};

static void put_until(struct piece *x, size_t at)
{
	ai_splice_keep(&x->to, at - x->done);
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
	ai_splice_skip(&x->to, ph->len);
	put_value(&x->to, value, ph->form == PLACEHOLDER_HTML);
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

/* Behind what is held stands this; what becomes of both. */
static int join(struct ai_buf *held, struct ai_span *s, struct ai_err *err)
{
	if (held->len == 0)
		return 0;
	ai_buf_add(held, s->p, s->n);
	*s = (struct ai_span){ held->p, held->len };
	return ai_buf_check(held, "the text", err);
}

/* Holds these bytes, which may be some of its own, and no others. */
static int hold(struct ai_buf *held, const char *p, size_t n, size_t max,
		struct ai_err *err)
{
	char rest[RAW_MAX];

	if (n > max)
		return ai_err_set(err, AI_E_BUG, "too much is held back");
	memcpy(rest, p, n);
	ai_buf_clear(held);
	ai_buf_add(held, rest, n);
	ai_wipe(rest, n);
	return ai_buf_check(held, "the text", err);
}

/* raw: the inside of the token whose text this is, if it is a string. */
static int go_on(struct restorer *r, struct ai_span text, struct ai_span raw,
		 bool end, struct ai_buf *out, struct ai_err *err)
{
	struct piece x = { .r = r, .end = end };

	if (join(&r->held, &text, err) < 0 ||
	    (r->json && join(&r->raw, &raw, err) < 0))
		return -1;
	x.p = text.p;
	x.n = text.n;
	if (r->json)
		ai_splice_inside(&x.to, raw, out);
	else
		ai_splice_plain(&x.to, text, out);
	if (restore(&x, err) < 0)
		return -1;
	if (r->json && hold(&r->raw, x.to.p, (size_t)(x.to.end - x.to.p),
			    RAW_MAX, err) < 0)
		return -1;
	if (hold(&r->held, x.p + x.done, x.n - x.done, HELD_MAX, err) < 0)
		return -1;
	return ai_buf_check(out, "the restored text", err);
}

int restorer_add(struct restorer *r, const char *p, size_t n,
		 struct ai_buf *out, struct ai_err *err)
{
	const struct ai_span text = { p, n };

	r->json = false;
	return n == 0 ? 0 : go_on(r, text, text, false, out, err);
}

int restorer_add_string(struct restorer *r, struct ai_value string,
			struct ai_span text, struct ai_buf *out,
			struct ai_err *err)
{
	r->json = true;
	return text.n == 0 ? 0 : go_on(r, text, (struct ai_span){
		string.s.p + 1, string.s.n - 2 }, false, out, err);
}

int restorer_end(struct restorer *r, struct ai_buf *out, struct ai_err *err)
{
	const struct ai_span none = AI_SPAN("");
	int rc = r->held.len == 0 ? 0 : go_on(r, none, none, true, out, err);

	r->word = false;
	return rc;
}
