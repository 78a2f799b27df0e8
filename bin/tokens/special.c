/*
 * special.c: --special=refuse.  A text has a special token in it if it is
 * encoded differently with and without them.  The token before it may differ,
 * too ("a <|x|>": a blank alone, or one with the bracket), so what differs
 * first need not be the special one.
 */
#include "tokens.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define NAME_SHOWN 60

/* Whether this text is the token id and no other. */
static int is_token(struct tokens_worker *w, const struct ai_buf *text,
		    unsigned flags, uint32_t id, bool *is, struct ai_err *err)
{
	struct ai_bpe_ids ids = { 0 };
	int rc = ai_bpe_encode(w->bpe, text->p, text->len, flags, &ids, err);

	*is = rc == 0 && ids.n == 1 && ids.v[0] == id;
	ai_bpe_ids_release(&ids);
	return rc;
}

/* Whether it is special; its text is in b then. */
static int is_special(struct tokens_worker *w, uint32_t id, struct ai_buf *b,
		      bool *is, struct ai_err *err)
{
	bool plain;

	ai_buf_clear(b);
	if (ai_bpe_decode(w->bpe, &id, 1, b, err) < 0 ||
	    is_token(w, b, AI_BPE_SPECIAL, id, is, err) < 0 ||
	    is_token(w, b, 0, id, &plain, err) < 0)
		return -1;
	*is = *is && !plain;
	return 0;
}

/* The text p[0..n) differs from its token i on. */
static int name_it(struct tokens_worker *w, const struct ai_bpe_ids *with,
		   size_t i, const char *p, size_t n, uint64_t base,
		   struct ai_err *err)
{
	struct ai_buf *b = &w->json;
	const char *at = NULL;
	bool is = false;

	for (int rc = 0; i < with->n && !is && rc == 0; i++) {
		rc = is_special(w, with->v[i], b, &is, err);
		if (rc < 0 && err->code != AI_E_RECORD)
			return -1;
	}
	if (is)
		at = memmem(p, n, b->p, b->len);
	if (at == NULL) /* not all encodings can tell */
		ai_err_set(err, AI_E_RECORD, "the text has a special token; "
			   "--special=text takes it as text");
	else
		ai_err_set(err, AI_E_RECORD, "the text has the special token "
			   "'%.*s' at byte %" PRIu64 "; --special=text takes "
			   "it as text",
			   (int)ai_utf8_floor(b->p, b->len, NAME_SHOWN), b->p,
			   base + (uint64_t)(at - p));
	ai_buf_clear(b);
	return -1;
}

int tokens_refuse_special(struct tokens_worker *w, const char *p, size_t n,
			  uint64_t base, struct ai_err *err)
{
	struct ai_bpe_ids with = { 0 }, without = { 0 };
	size_t i = 0, fewer;
	int rc = -1;

	if (ai_bpe_encode(w->bpe, p, n, AI_BPE_SPECIAL, &with, err) < 0 ||
	    ai_bpe_encode(w->bpe, p, n, 0, &without, err) < 0)
		goto out;
	fewer = with.n < without.n ? with.n : without.n;
	while (i < fewer && with.v[i] == without.v[i])
		i++;
	rc = i == with.n && i == without.n ? 0 : name_it(w, &with, i, p, n,
						   base, err);
out:
	ai_bpe_ids_release(&with);
	ai_bpe_ids_release(&without);
	return rc;
}
