/*
 * cut.c: --truncate.
 *
 * ai_bpe_truncate() knows where the first tokens of a text end, at a boundary
 * of tokens that is one of characters too.  The end of a text is what is left
 * behind its first tokens, and both ends are a beginning and an end.  But what
 * is behind a cut may be other tokens than it was with what stood before it:
 * so the result is counted, and while it has too many, more is cut.
 *
 * Of an estimate, it is the upper end of its band that must not exceed N.
 */
#include "tokens.h"

#include <string.h>

struct cutter {
	struct tokens_worker *w;
	const char *p; /* the text, n bytes, all tokens of bpe */
	size_t n, all;
	size_t max;    /* N */
	int keep;
	struct ai_buf *out; /* what may be the answer */
};

/* Where the first k tokens end, or a little before. */
static int head_end(const struct cutter *c, size_t k, size_t *end,
		    struct ai_err *err)
{
	struct ai_bpe_cut cut;

	*end = 0;
	if (k == 0)
		return 0;
	if (ai_bpe_truncate(c->w->bpe, c->p, c->n, tokens_flags(), k, &cut,
			    err) < 0)
		return -1;
	*end = cut.keep;
	return 0;
}

/* Puts together what is left if k tokens are to stay. */
static int compose(const struct cutter *c, size_t k, struct ai_err *err)
{
	static const size_t parts = 2;
	const char *mark = "";
	size_t head = 0, tail = 0, from = c->n, to;

	if (c->keep == TOKENS_HEAD)
		head = k;
	else if (c->keep == TOKENS_TAIL)
		tail = k;
	else {
		mark = tokens_settings.mark;
		tail = k / parts;
		head = k - tail;
	}
	if (head_end(c, head, &to, err) < 0 ||
	    (tail > 0 && head_end(c, c->all - tail, &from, err) < 0))
		return -1;
	if (from < to)
		from = to;
	ai_buf_clear(c->out);
	ai_buf_add(c->out, c->p, to);
	ai_buf_str(c->out, mark);
	ai_buf_add(c->out, c->p + from, c->n - from);
	return ai_buf_check(c->out, "the text", err);
}

/* Less and less until it is little enough; in the end it is nothing. */
static int search(const struct cutter *c, size_t k, struct ai_range *now,
		  struct ai_err *err)
{
	size_t more, over;

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
		/* As many as are too many; of an estimate, in proportion. */
		over = now->high - c->max;
		more = tokens_model.kin == NULL ? over : over * k / now->high;
		if (more == 0)
			more = 1;
		if (tries > 8)
			more = more * 2 + (size_t)tries;
		k -= more < k ? more : k;
	}
}

int tokens_cut(struct tokens_worker *w, struct ai_range *now,
	       struct ai_range *before, bool *cut, struct ai_err *err)
{
	struct cutter c = {
		.w = w, .p = ai_buf_cstr(&w->text), .n = w->text.len,
		.max = (size_t)tokens_settings.truncate,
		.keep = tokens_settings.keep, .out = &w->out,
	};
	struct ai_range mark = { 0, 0, 0 };
	struct ai_buf swap;

	if (tokens_range(w, c.p, c.n, before, err) < 0)
		return -1;
	*now = *before;
	*cut = before->high > c.max;
	if (!*cut)
		return 0;
	/* Where the mark alone is too much, there is no middle to be marked. */
	if (c.keep == TOKENS_MIDDLE &&
	    tokens_range(w, tokens_settings.mark,
			 strlen(tokens_settings.mark), &mark, err) < 0)
		return -1;
	if (mark.high >= c.max)
		c.keep = c.keep == TOKENS_MIDDLE ? TOKENS_HEAD : c.keep;
	if (ai_bpe_count(w->bpe, c.p, c.n, tokens_flags(), &c.all, err) < 0 ||
	    search(&c, c.max < c.all ? c.max : c.all, now, err) < 0)
		return -1;
	swap = w->text;
	w->text = w->out;
	w->out = swap;
	ai_buf_clear(&w->out);
	return 0;
}
