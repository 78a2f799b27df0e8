/*
 * cut.c: --truncate.
 *
 * The text is encoded once, and cut where a token ends and a character does.
 * But what is before or behind a cut may be other tokens than it was with what
 * stood beside it: so the result is counted, and while it has too many, more is
 * cut: seldom more than one.
 *
 * Of an estimate, it is the upper end of its band that must not exceed N.
 */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

struct cutter {
	struct tokens_worker *w;
	const char *p; /* the text, n bytes */
	size_t n;
	uint32_t *ends; /* owned; where each of its tokens ends */
	size_t all;     /* tokens */
	size_t max;     /* N */
	int keep;
	struct ai_buf *out; /* what may be the answer */
};

/* ---- where tokens end ------------------------------------------------------------ */

static int find_ends(struct cutter *c, struct ai_err *err)
{
	struct ai_bpe_ids *ids = &c->w->ids;
	struct ai_buf *b = c->out;
	size_t at = 0;

	ids->n = 0;
	if (ai_bpe_encode(c->w->bpe, c->p, c->n, tokens_flags(), ids, err) < 0)
		return -1;
	c->all = ids->n;
	c->ends = calloc(ids->n + 1, sizeof *c->ends);
	if (c->ends == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < ids->n; i++) {
		ai_buf_clear(b);
		if (ai_bpe_decode(c->w->bpe, ids->v + i, 1, b, err) < 0)
			return -1;
		at += b->len;
		c->ends[i + 1] = (uint32_t)at;
	}
	ids->n = 0;
	if (at == c->n)
		return 0;
	/* An encoding that changes the text first: no token says which of its
	 * bytes it is. */
	free(c->ends);
	c->ends = NULL;
	return 0;
}

static bool is_border(const struct cutter *c, size_t at)
{
	return at >= c->n || ((unsigned char)c->p[at] & 0xC0) != 0x80;
}

/* Where the first k tokens end, or a little before; with ceil a little
 * behind. */
static int border_of(const struct cutter *c, size_t k, bool ceil, size_t *at,
		     struct ai_err *err)
{
	struct ai_bpe_cut cut;

	if (c->ends == NULL && k > 0) {
		if (ai_bpe_truncate(c->w->bpe, c->p, c->n, tokens_flags(), k,
				    &cut, err) < 0)
			return -1;
		*at = cut.keep;
		return 0;
	}
	while (k > 0 && k < c->all && !is_border(c, c->ends[k]))
		k = ceil ? k + 1 : k - 1;
	*at = k == 0 ? 0 : c->ends[k];
	return 0;
}

/* ---- what is left ------------------------------------------------------------------ */

/* Puts together what is left if k tokens are to stay. */
static int compose(const struct cutter *c, size_t k, struct ai_err *err)
{
	size_t tail = c->keep == TOKENS_HEAD ? 0
		    : c->keep == TOKENS_TAIL ? k : k / 2;
	size_t to, from = c->n;

	if (border_of(c, k - tail, false, &to, err) < 0 ||
	    (tail > 0 && border_of(c, c->all - tail, true, &from, err) < 0))
		return -1;
	if (from < to)
		from = to;
	ai_buf_clear(c->out);
	ai_buf_add(c->out, c->p, to);
	if (c->keep == TOKENS_MIDDLE)
		ai_buf_str(c->out, tokens_settings.mark);
	ai_buf_add(c->out, c->p + from, c->n - from);
	return ai_buf_check(c->out, "the text", err);
}

/* How many tokens fewer to try when it has this many. */
static size_t fewer(const struct cutter *c, size_t k, size_t has, int tries)
{
	size_t less = has - c->max;

	/* Of an estimate, in proportion. */
	if (tokens_model.kin != NULL)
		less = less * k / has;
	if (less == 0)
		less = 1;
	return tries > 8 ? less * 2 + (size_t)tries : less;
}

/* Less and less until it is little enough; in the end it is nothing. */
static int search(const struct cutter *c, size_t k, struct ai_range *now,
		  struct ai_err *err)
{
	size_t less;

	for (int tries = 1;; tries++) {
		if (compose(c, k, err) < 0 ||
		    tokens_range(c->w, ai_buf_cstr(c->out), c->out->len, now,
				 err) < 0)
			return -1;
		if (now->high <= c->max)
			return 0;
		if (k == 0) {
			ai_buf_clear(c->out);
			*now = (struct ai_range){ 0, 0, 0 };
			return 0;
		}
		less = fewer(c, k, now->high, tries);
		k -= less < k ? less : k;
	}
}

/* Where the mark alone is too much, there is no middle to be marked. */
static int choose_part(struct cutter *c, struct ai_err *err)
{
	const char *mark = tokens_settings.mark;
	struct ai_range n;

	c->keep = tokens_settings.keep;
	if (c->keep != TOKENS_MIDDLE)
		return 0;
	if (tokens_range(c->w, mark, strlen(mark), &n, err) < 0)
		return -1;
	if (n.high >= c->max)
		c->keep = TOKENS_HEAD;
	return 0;
}

int tokens_cut(struct tokens_worker *w, struct ai_range *now,
	       struct ai_range *before, bool *cut, struct ai_err *err)
{
	struct cutter c = {
		.w = w, .p = ai_buf_cstr(&w->text), .n = w->text.len,
		.max = (size_t)tokens_settings.truncate, .out = &w->out,
	};
	struct ai_buf swap;
	int rc = 0;

	if (tokens_range(w, c.p, c.n, before, err) < 0)
		return -1;
	*now = *before;
	*cut = before->high > c.max;
	if (!*cut)
		return 0;
	if (choose_part(&c, err) < 0 || find_ends(&c, err) < 0 ||
	    search(&c, c.max < c.all ? c.max : c.all, now, err) < 0)
		rc = -1;
	free(c.ends);
	if (rc < 0)
		return -1;
	swap = w->text;
	w->text = w->out;
	w->out = swap;
	ai_buf_clear(&w->out);
	return 0;
}
