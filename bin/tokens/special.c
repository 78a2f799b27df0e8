/*
 * special.c: --special=refuse.  A text has a special token in it if it is
 * encoded differently with and without them; the first id that differs tells
 * where, and which.
 */
#include "tokens.h"

#include "base/utf8.h"

#include <inttypes.h>

#define NAME_SHOWN 60

static int name_it(struct tokens_worker *w, const struct ai_bpe_ids *with,
		   size_t i, uint64_t base, struct ai_err *err)
{
	struct ai_buf *b = &w->json;
	size_t at;
	int rc;

	ai_buf_clear(b);
	if (ai_bpe_decode(w->bpe, with->v, i, b, err) < 0)
		return -1;
	at = b->len;
	if (i < with->n && ai_bpe_decode(w->bpe, with->v + i, 1, b, err) < 0)
		return -1;
	rc = ai_err_set(err, AI_E_RECORD, "the text has the special token "
			"'%.*s' at byte %" PRIu64 "; --special=text takes it "
			"as text", (int)ai_utf8_floor(b->p + at, b->len - at,
						      NAME_SHOWN),
			b->p + at, base + at);
	ai_buf_clear(b);
	return rc;
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
	rc = i == with.n && i == without.n ? 0 : name_it(w, &with, i, base, err);
out:
	ai_bpe_ids_release(&with);
	ai_bpe_ids_release(&without);
	return rc;
}
