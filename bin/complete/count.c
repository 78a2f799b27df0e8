/* count.c: --count, which asks how many tokens would be asked. */
#include "complete.h"

#include "base/start.h"

#include <math.h>

int complete_count_check(struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;

	if (!s->count)
		return 0;
	if (ai_start_given(&s->stream) || ai_client.resume != NULL ||
	    ai_client.resume_by != NULL)
		return ai_err_set(err, AI_E_USAGE, "--count goes neither with "
				  "--stream nor with --resume: there is no "
				  "answer");
	/* It costs nothing, so that a model without a price will do. */
	ai_paid.price = "free";
	return 0;
}

int complete_count_begin(struct ai_client *client, const struct ai_endpoint *e,
			 const struct ai_chat_request *asked,
			 struct complete_answer *a, ai_client_done *done,
			 void *arg, struct ai_err *err)
{
	struct ai_chat_request q = *asked;

	/* How it is answered is no part of what is asked. */
	q.temperature = q.top_p = NAN;
	q.seed = AI_CHAT_UNSET;
	q.n_stop = 0;
	return ai_client_begin_count(client, e, &q, &a->tokens, &a->call, done,
				     arg, err);
}

int complete_count_output(struct complete_output *o,
			  const struct complete_answer *a, struct ai_err *err)
{
	struct ai_rec *rec = ai_task_rec(o->task);
	struct ai_emit *out = ai_task_out(o->task);
	struct ai_buf *b = &o->text;

	ai_buf_clear(b);
	if (ai_loop.plain_out) {
		ai_buf_fmt(b, "%lld", (long long)a->tokens);
		return ai_emit_answer(out, rec, ai_buf_cstr(b), b->len, err);
	}
	ai_put_open(b, '{');
	ai_wire_put_i64(b, "count", a->tokens);
	ai_put_key(b, "encoding");
	ai_put_null(b);
	ai_wire_put_bool(b, "exact", true);
	ai_wire_put_cstr(b, "method", "provider");
	ai_put_close(b, '}');
	if (ai_buf_check(b, "the count", err) < 0 ||
	    ai_rec_set(rec, ai_loop.as != NULL ? ai_loop.as : "tokens", b,
		       err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}
