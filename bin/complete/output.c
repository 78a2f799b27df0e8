/* output.c: what is written of a record: its answer, in pieces or whole. */
#include "complete.h"

#include "base/msg.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *complete_where(unsigned long line, char where[COMPLETE_WHERE])
{
	where[0] = '\0';
	if (line > 0)
		snprintf(where, COMPLETE_WHERE, "line %lu: ", line);
	return where;
}

/* With -r there is no member that lists them. */
static void tell_invalid(const struct complete_answer *a,
			 const struct complete_hits *h,
			 const struct ai_rec *rec)
{
	struct ai_buf list = AI_BUF_INIT(4096);
	char where[COMPLETE_WHERE];

	for (size_t i = 0; i < a->n_invalid; i++)
		ai_buf_fmt(&list, "%s[%" PRId64 "]", i > 0 ? ", " : "",
			   a->invalid[i]);
	if (list.len > 0)
		ai_msg(AI_MSG_WARN, "%sthe answer cites %s, but has %zu "
		       "source%s", complete_where(rec->number, where),
		       ai_buf_cstr(&list), h->n, h->n == 1 ? "" : "s");
	ai_buf_release(&list);
}

static int put_plain(struct complete_output *o,
		     const struct complete_answer *a,
		     const struct complete_hits *h, struct ai_err *err)
{
	bool sources = complete_settings.sources;
	struct ai_emit *out = ai_task_out(o->task);
	struct ai_rec *rec = ai_task_rec(o->task);
	struct ai_buf *b = &o->text;

	if (o->streamed)
		complete_answer_rest(a, h, sources, b);
	else
		complete_answer_plain(a, h, sources, b);
	tell_invalid(a, h, rec);
	if (ai_buf_check(b, "the completion", err) < 0)
		return -1;
	return o->streamed ? ai_emit_bytes(out, b->p, b->len, err) :
		ai_emit_answer(out, rec, ai_buf_cstr(b), b->len, err);
}

static int put_line(struct complete_output *o,
		    const struct complete_answer *a, struct ai_err *err)
{
	complete_outbatch_put(a, ai_task_rec(o->task), &o->text);
	if (ai_buf_check(&o->text, "the completion", err) < 0)
		return -1;
	return ai_emit_line(ai_task_out(o->task), o->text.p, o->text.len, err);
}

static int put_record(struct complete_output *o,
		      const struct complete_answer *a,
		      const struct complete_hits *h, struct ai_err *err)
{
	const char *name = ai_loop.as != NULL ? ai_loop.as : "completion";
	struct ai_rec *rec = ai_task_rec(o->task);

	complete_answer_put(a, h, &o->text);
	if (ai_buf_check(&o->text, "the completion", err) < 0 ||
	    ai_rec_set(rec, name, &o->text, err) < 0)
		return -1;
	return ai_emit_rec(ai_task_out(o->task), rec, err);
}

int complete_output_answer(struct complete_output *o,
			   const struct complete_answer *a,
			   const struct complete_hits *h, struct ai_err *err)
{
	if (complete_settings.count)
		return complete_count_output(o, a, err);
	ai_buf_clear(&o->text);
	if (h->given && a->n_cited == 0)
		ai_emit_no(ai_task_out(o->task));
	if (complete_settings.openai_batch)
		return put_line(o, a, err);
	return ai_loop.plain_out ? put_plain(o, a, h, err)
				 : put_record(o, a, h, err);
}

/* A piece of an answer as a record of its own: {"id":...,"delta":{...}}. */
static void put_delta(struct complete_output *o, struct ai_span text)
{
	struct ai_value id = ai_rec_id_value(ai_task_rec(o->task));
	struct ai_buf *b = &o->text;

	ai_buf_clear(b);
	ai_put_open(b, '{');
	if (id.kind != AI_NONE) {
		ai_put_key(b, "id");
		ai_put_value(b, id);
	}
	ai_put_key(b, "delta");
	ai_put_open(b, '{');
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

int complete_output_delta(struct complete_output *o, struct ai_span text,
			  struct ai_err *err)
{
	struct ai_emit *out = ai_task_out(o->task);
	int rc;

	o->streamed = true;
	if (ai_loop.plain_out) {
		rc = ai_emit_bytes(out, text.p, text.n, err);
	} else {
		put_delta(o, text);
		rc = ai_emit_line(out, ai_buf_cstr(&o->text), o->text.len,
				  err);
	}
	return rc < 0 ? -1 : ai_task_flush(o->task, err);
}

/* What goes into an error beside the usual. */
static void put_tried(const struct complete_answer *a,
		      const struct complete_chain *c,
		      const struct complete_schema *s, struct ai_buf *b)
{
	char cost[AI_MONEY_TEXT];

	ai_put_open(b, '{');
	if (s->errors.len > 0) {
		ai_put_key(b, "answer");
		ai_put_str(b, ai_buf_cstr(&s->answer), s->answer.len);
		ai_put_key(b, "errors");
		ai_put_open(b, '[');
		ai_put_raw(b, s->errors.p, s->errors.len);
		ai_put_close(b, ']');
	}
	complete_answer_put_experiment(a, b);
	if (c->n > 1) {
		ai_put_key(b, "fallback");
		ai_put_open(b, '[');
		ai_put_raw(b, c->failed.p, c->failed.len);
		ai_put_close(b, ']');
	}
	if (a->cost + a->call.cost > 0) {
		ai_money_text(a->cost + a->call.cost, cost);
		ai_put_key(b, "cost_usd");
		ai_put_raw(b, cost, strlen(cost));
	}
	ai_put_close(b, '}');
}

void complete_output_fail(struct complete_output *o,
			  const struct complete_answer *a,
			  const struct complete_chain *c,
			  const struct complete_schema *s,
			  const struct ai_err *why)
{
	struct ai_value tried = { AI_NONE, { NULL, 0 } };
	struct ai_err ignored;

	/* What ends a text that was begun; on a terminal the message stands
	 * behind it. */
	if (o->streamed && ai_loop.plain_out &&
	    ai_emit_bytes(ai_task_out(o->task), "\n", 1, &ignored) == 0)
		ai_task_flush(o->task, &ignored);
	ai_buf_clear(&o->text);
	put_tried(a, c, s, &o->text);
	if (o->text.bad == AI_E_NONE)
		ai_json_check(o->text.p, o->text.len, &tried, &ignored);
	ai_task_fail(o->task, why, tried);
}
