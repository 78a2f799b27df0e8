/*
 * by-tokens.c: --by tokens, so many tokens of the text as a whole, as
 * LangChain's TokenTextSplitter takes them.
 *
 * The text is encoded a window at a time.  A window ends at a newline with a
 * letter behind it, which no encoding makes one piece of, so that the tokens
 * are those of the whole text.  A token may end inside a character; a chunk
 * does not: the character is the next one's.
 */
#include "by.h"

#include "base/utf8.h"
#include "text/bpe.h"
#include "text/segment.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW ((size_t)1 << 20)

struct tokens {
	const char *p;
	size_t n;
	const struct chunk_how *how;
	struct ai_bpe_ids ids; /* of one window */
	struct ai_buf bytes;   /* of one token */
	/* Where each token behind the chunks before ends; v[0] is where they
	 * begin. */
	size_t *v, count, cap;
	size_t encoded; /* bytes of p whose tokens are known */
	struct chunk_piece last;
};

static bool is_border(const char *p, size_t at)
{
	char c = (char)(p[at] | 0x20);

	return p[at - 1] == '\n' && c >= 'a' && c <= 'z';
}

static size_t window_end(const struct tokens *t)
{
	size_t at = t->encoded;

	if (t->n - at <= WINDOW)
		return t->n;
	for (at += WINDOW; at < t->n; at++)
		if (is_border(t->p, at))
			break;
	return at;
}

static int add_end(struct tokens *t, size_t end, struct ai_err *err)
{
	size_t *more, cap;

	if (t->count == t->cap) {
		cap = 2 * t->cap + 1024;
		more = reallocarray(t->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		t->v = more;
		t->cap = cap;
	}
	t->v[t->count++] = end;
	return 0;
}

static int encode_window(struct tokens *t, struct ai_err *err)
{
	const struct ai_bpe *bpe = t->how->measure->arg;
	size_t end = window_end(t), at = t->encoded;

	t->ids.n = 0;
	if (ai_bpe_encode(bpe, t->p + at, end - at, 0, &t->ids, err) < 0)
		return -1;
	for (size_t i = 0; i < t->ids.n; i++) {
		ai_buf_clear(&t->bytes);
		if (ai_bpe_decode(bpe, &t->ids.v[i], 1, &t->bytes, err) < 0)
			return -1;
		at += t->bytes.len;
		if (add_end(t, at, err) < 0)
			return -1;
	}
	t->encoded = end;
	return 0;
}

static int mark_oversize(const struct tokens *t, struct chunk_piece *c,
			 struct ai_err *err)
{
	const struct chunk_measure *m = t->how->measure;
	size_t units;

	/* By itself it may have more tokens than it is made of. */
	if (m->cost(m, t->p + c->from, c->to - c->from, &units, err) < 0)
		return -1;
	c->oversize = units > t->how->size;
	return 0;
}

/* The next chunk, which may be none: *empty. */
static int take(struct tokens *t, struct chunk_piece *c, bool *empty,
		struct ai_err *err)
{
	size_t size = t->how->size, keep;

	while (t->count <= size && t->encoded < t->n)
		if (encode_window(t, err) < 0)
			return -1;
	if (size > t->count - 1)
		size = t->count - 1;
	c->from = ai_utf8_floor(t->p, t->n, t->v[0]);
	c->to = ai_utf8_floor(t->p, t->n, t->v[size]);
	*empty = c->to <= t->last.to ||
		ai_blank_skip(t->p, c->to, c->from) >= c->to;
	/* The next begins as many tokens before the end. */
	keep = t->v[size] >= t->n ? size : size - t->how->overlap;
	t->count -= keep;
	memmove(t->v, t->v + keep, t->count * sizeof *t->v);
	return *empty ? 0 : mark_oversize(t, c, err);
}

static int split_all(struct tokens *t,
		     int (*sink)(void *, const struct chunk_piece *,
				 struct ai_err *),
		     void *arg, struct ai_err *err)
{
	struct chunk_piece c;
	bool empty;
	int rc = add_end(t, t->encoded, err);

	while (rc == 0 && t->v[0] < t->n) {
		rc = take(t, &c, &empty, err);
		if (rc == 0 && !empty) {
			t->last = c;
			rc = sink(arg, &c, err);
		}
	}
	return rc;
}

int chunk_split_tokens(const char *p, size_t n, const struct chunk_how *how,
		       int (*sink)(void *arg, const struct chunk_piece *piece,
				   struct ai_err *err),
		       void *arg, struct ai_err *err)
{
	struct tokens t = { .p = p, .n = n, .how = how };
	int rc;

	ai_buf_init(&t.bytes, WINDOW);
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		t.encoded = 3;
	t.last.to = t.encoded;
	rc = split_all(&t, sink, arg, err);
	ai_bpe_ids_release(&t.ids);
	ai_buf_release(&t.bytes);
	free(t.v);
	return rc;
}
