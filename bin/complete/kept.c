/*
 * kept.c: what is kept with an answer, for when the batch goes on (--resume).
 *
 * An answer of the second model does not say why the first one has not given
 * it, nor what that has cost.  Both are kept beside it, so that the same record
 * comes out again, without asking the first one.
 */
#include "complete.h"

void complete_kept_put(const struct complete_answer *a,
		       const struct complete_chain *c, struct ai_buf *note)
{
	ai_buf_clear(note);
	if ((ai_client.resume == NULL && ai_client.resume_by == NULL) ||
	    (c->n == 0 && a->attempts == 0))
		return;
	ai_put_open(note, '{');
	ai_put_key(note, "attempts");
	ai_put_i64(note, a->attempts);
	ai_put_key(note, "cost");
	ai_put_i64(note, a->cost);
	ai_put_key(note, "failed");
	ai_put_open(note, '[');
	ai_put_raw(note, c->failed.p, c->failed.len);
	ai_put_close(note, ']');
	ai_put_close(note, '}');
	/* Without it, there is less to say. */
	if (note->bad != AI_E_NONE)
		ai_buf_clear(note);
}

void complete_kept_take(struct complete_answer *a, struct complete_chain *c)
{
	struct ai_value v;
	int64_t n;

	if (!a->call.resumed || a->call.note.n == 0 ||
	    ai_json_check(a->call.note.p, a->call.note.n, &v, NULL) < 0)
		return;
	if (ai_json_i64(ai_json_get(v, "attempts"), &n) == 0)
		a->attempts = (int)n;
	if (ai_json_i64(ai_json_get(v, "cost"), &n) == 0)
		a->cost = n;
	complete_chain_restore(c, ai_json_get(v, "failed"));
}
