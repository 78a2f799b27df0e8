#include "task.h"
#include "worker.h"

#include "base/money.h"
#include "base/start.h"
#include "record/loop.h"

#include <string.h>

int agent_task_limits(struct agent_run *r, const struct ai_rec *rec,
		      struct ai_err *err)
{
	static const enum agent_limit each[] = {
		AGENT_LIMIT_REPEAT, AGENT_LIMIT_DEPTH, AGENT_LIMIT_FANOUT };
	struct ai_value v = ai_rec_get(rec, "limits"),
			whole = ai_rec_get(rec, "whole");

	/* Who we work for says it; of anybody else it is data. */
	if (agent_is_within() && whole.kind == AI_OBJECT) {
		if (agent_limits_lower(&r->whole, whole, err) < 0)
			return -1;
		for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
			if (r->whole.v[each[i]] < r->limits.v[each[i]])
				r->limits.v[each[i]] = r->whole.v[each[i]];
	}
	return v.kind == AI_NONE ? 0 : agent_limits_lower(&r->limits, v, err);
}

/* ---- the first messages ---------------------------------------------------------- */

/* The task may be the word of what another run has read: its record says so, and
 * what is trusted instead (see delegate.c). Whether the task itself is. */
static bool is_trusted(struct agent_run *r, const struct ai_rec *rec)
{
	struct ai_value by = ai_rec_get(rec, "taint.by"),
			trusted = ai_rec_get(rec, "taint.trusted");
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);

	if (ai_rec_get(rec, "taint").kind != AI_OBJECT)
		return true;
	if (by.kind == AI_STRING)
		ai_json_text(by, &b);
	agent_trust_taint(r->trust, b.len > 0 ? ai_buf_cstr(&b) : "another "
			  "run");
	ai_buf_clear(&b);
	if (trusted.kind == AI_STRING)
		ai_json_text(trusted, &b);
	agent_trust_add(r->trust, (struct ai_span){ ai_buf_cstr(&b), b.len });
	ai_buf_release(&b);
	return false;
}

/* The texts of a content: a string, or the texts of its parts. */
static void trust_content(struct agent_run *r, struct ai_value content)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_json_iter it;
	struct ai_value part;

	if (content.kind == AI_STRING) {
		ai_json_text(content, &text);
		agent_trust_add(r->trust, (struct ai_span){
				ai_buf_cstr(&text), text.len });
	} else if (content.kind == AI_ARRAY) {
		ai_json_iter_init(&it, content);
		while (ai_json_next(&it, NULL, &part))
			trust_content(r, ai_json_get(part, "text"));
	}
	ai_buf_release(&text);
}

/* A conversation that goes on: what its person has said is trusted. */
static int take_messages(struct agent_run *r, struct ai_value list,
			 bool trusted, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value m, role;
	size_t n = 0;

	if (list.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD, "messages is no list");
	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &m); n++) {
		if (m.kind != AI_OBJECT)
			return ai_err_set(err, AI_E_RECORD, "messages.%zu is "
					  "no object", n);
		role = ai_json_get(m, "role");
		if (ai_json_is(role, AI_SPAN("user")) ||
		    ai_json_is(role, AI_SPAN("system")) ||
		    ai_json_is(role, AI_SPAN("developer"))) {
			if (trusted)
				trust_content(r, ai_json_get(m, "content"));
		} else if (!ai_json_is(role, AI_SPAN("assistant"))) {
			agent_trust_taint(r->trust, "messages");
		}
		ai_put_raw(&r->messages, m.s.p, m.s.n);
	}
	return n > 0 ? 0 : ai_err_set(err, AI_E_RECORD, "messages is empty");
}

static int take_text(struct agent_run *r, const struct ai_rec *rec,
		     const char *path, bool trusted, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc = ai_rec_text(rec, path, &text, err);

	if (rc == 0 && text.len == 0)
		rc = ai_err_set(err, AI_E_RECORD, "the task is empty");
	if (rc == 0) {
		if (trusted)
			agent_trust_add(r->trust, (struct ai_span){ text.p,
								    text.len });
		agent_run_say(r, "user", (struct ai_span){ text.p, text.len });
	}
	ai_buf_release(&text);
	return rc;
}

int agent_task_begin(struct agent_run *r, const struct ai_rec *rec,
		     const struct ai_buf *system, struct ai_err *err)
{
	static const char *const paths[] = { "task", "prompt", "text", "query",
					     "messages", NULL };
	const char *path = ai_start_given(&ai_loop.path) ? ai_loop.path
		: ai_rec_first(rec, paths);
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	bool trusted = is_trusted(r, rec);
	struct ai_value v;

	ai_buf_add(&text, system->p, system->len);
	agent_trust_add(r->trust, (struct ai_span){ ai_buf_cstr(&text),
						    text.len });
	if (text.len > 0)
		ai_buf_str(&text, "\n\n");
	agent_guard_rules(r, &text);
	agent_run_say(r, "system", (struct ai_span){ ai_buf_cstr(&text),
						      text.len });
	ai_buf_release(&text);
	r->offered = ai_rec_get(rec, "tools");
	if (r->offered.kind != AI_NONE && r->offered.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD, "tools is no list of "
				  "names");
	if (path == NULL)
		return ai_err_set(err, AI_E_RECORD, "there is no task: no "
				  "member task, text or messages");
	v = ai_rec_get(rec, path);
	return (v.kind == AI_ARRAY || strcmp(path, "messages") == 0
		? take_messages(r, v, trusted, err)
		: take_text(r, rec, path, trusted, err)) < 0 ? -1 :
		ai_buf_check(&r->messages, "the task", err);
}

/* ---- the member `run` --------------------------------------------------------------- */

/* The calls that wait for a person. */
static void put_waiting(const struct agent_run *r, struct ai_buf *out)
{
	static const char *const members[] = { "tool", "arguments", "why" };
	struct ai_value v, m;
	struct ai_err err;

	ai_put_key(out, "waiting");
	ai_put_open(out, '[');
	for (size_t i = 0; i < r->journal.n; i++) {
		const struct agent_step *s = &r->journal.v[i];

		if (s->state != AI_STEP_WAITING || s->intent == NULL ||
		    ai_json_check(s->intent, strlen(s->intent), &v, &err) < 0)
			continue;
		ai_put_open(out, '{');
		ai_put_key(out, "step");
		ai_put_i64(out, s->n);
		for (size_t k = 0; k < 3; k++) {
			m = ai_json_get(v, members[k]);
			if (m.kind != AI_NONE) {
				ai_put_key(out, members[k]);
				ai_put_value(out, m);
			}
		}
		ai_put_close(out, '}');
	}
	ai_put_close(out, ']');
}

void agent_task_put_used(const struct agent_used *used,
			 const struct agent_journal *j, int64_t steps,
			 const char *limit, struct ai_buf *out)
{
	char money[AI_MONEY_TEXT];

	ai_put_key(out, "steps");
	ai_put_i64(out, steps);
	ai_put_key(out, "turns");
	ai_put_i64(out, used->turns);
	ai_put_key(out, "calls");
	ai_put_i64(out, used->calls);
	ai_put_key(out, "usage");
	ai_put_open(out, '{');
	ai_put_key(out, "input");
	ai_put_i64(out, used->input);
	ai_put_key(out, "output");
	ai_put_i64(out, used->output_tokens);
	ai_put_close(out, '}');
	ai_money_text(used->nano, money);
	ai_put_key(out, "cost_usd");
	ai_put_raw(out, money, strlen(money));
	ai_put_key(out, "seconds");
	ai_put_f64(out, (double)agent_journal_spent_ms(j) / 1e3);
	ai_put_key(out, "limit");
	ai_put_cstr(out, limit);
}

void agent_task_put(const struct agent_run *r, struct ai_buf *out)
{
	const char *by = agent_trust_by(r->trust);

	ai_put_open(out, '{');
	ai_put_key(out, "id");
	ai_put_cstr(out, r->journal.run.id);
	ai_put_key(out, "status");
	ai_put_cstr(out, ai_run_status_name(r->stop.status));
	ai_put_key(out, "text");
	ai_put_str(out, ai_buf_cstr(&r->text), r->text.len);
	agent_task_put_used(&r->used, &r->journal, (int64_t)r->journal.n,
			    r->stop.limit, out);
	if (r->of_whole) {
		ai_put_key(out, "whole");
		ai_put_bool(out, true);
	}
	if (by != NULL) {
		ai_put_key(out, "tainted_by");
		ai_put_cstr(out, by);
	}
	if (r->handoff.len > 0) {
		ai_put_key(out, "handoff");
		ai_put_raw(out, r->handoff.p, r->handoff.len);
	}
	if (r->stop.status == AI_RUN_PARKED)
		put_waiting(r, out);
	ai_put_close(out, '}');
}

/* An error record has what there is of an answer all the same. */
int agent_task_emit(struct ai_rec *rec, const struct ai_buf *text,
		    const struct ai_err *why, struct ai_emit *out,
		    struct ai_err *err)
{
	static const struct ai_value none;

	if (why->code == AI_E_NONE)
		return ai_emit_answer(out, rec, ai_buf_cstr(text), text->len,
				      err);
	if (ai_loop.plain_out && text->len > 0 &&
	    (ai_emit_bytes(out, text->p, text->len, err) < 0 ||
	     ai_emit_bytes(out, "\n", 1, err) < 0))
		return -1;
	return ai_emit_fail_with(out, rec, why, none, err);
}
