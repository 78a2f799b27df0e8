/* outcome.c: what came of a call, as its step says it. */
#include "calls-int.h"

#include <stdio.h>
#include <stdlib.h>

/* What else there is to know of one that is not trusted. */
static void put_rest(const struct agent_call *c, bool failed,
		     struct ai_buf *b)
{
	if (c->clean) {
		ai_put_key(b, "clean");
		ai_put_bool(b, true);
	} else if (c->by[0] != '\0') {
		ai_put_key(b, "by");
		ai_put_cstr(b, c->by);
	}
	if (!c->ends || failed)
		return;
	ai_put_key(b, "ends");
	ai_put_bool(b, true);
	if (c->handoff.len > 0) {
		ai_put_key(b, "handoff");
		ai_put_raw(b, c->handoff.p, c->handoff.len);
	}
}

int agent_outcome_set(struct agent_turn *t, size_t i, struct ai_span seen,
		      bool failed, const char *flag, bool trusted,
		      struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_step *s = agent_turn_step(t, i);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "text");
	ai_put_str(&b, seen.p, seen.n);
	ai_put_key(&b, "failed");
	ai_put_bool(&b, failed);
	if (flag[0] != '\0') {
		ai_put_key(&b, "guard");
		ai_put_cstr(&b, flag);
	}
	if (trusted) {
		ai_put_key(&b, "trusted");
		ai_put_bool(&b, true);
	} else {
		put_rest(&t->v[i].call, failed, &b);
	}
	if (t->v[i].call.spent > 0) {
		ai_put_key(&b, "spent");
		ai_put_i64(&b, t->v[i].call.spent);
	}
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->result, &b, err);
	ai_buf_release(&b);
	if (rc == 0)
		s->state = AI_STEP_DONE;
	return rc;
}

int agent_outcome_refuse(struct agent_turn *t, size_t i, const char *text,
			 struct ai_err *err)
{
	return agent_outcome_set(t, i, ai_span_of(text), true, "", true, err);
}

int agent_outcome_text(struct agent_turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	struct ai_buf seen = AI_BUF_INIT(AGENT_TEXT_MAX);
	char flag[16] = "";
	int rc = 0;

	/* What the run ends with no model sees. */
	if (c->tool->trusted || c->clean || c->ends)
		ai_buf_add(&seen, c->text.p, c->text.len);
	else
		rc = agent_guard_text(t->r, agent_text_of(&c->text), &seen,
				      flag, err);
	if (rc == 0)
		rc = agent_outcome_set(t, i, agent_text_of(&seen), c->failed,
				       flag, c->tool->trusted, err);
	ai_buf_release(&seen);
	return rc;
}

int agent_outcome_wait(struct agent_turn *t, size_t i, const char *why,
		       struct ai_err *err)
{
	struct agent_step *s = agent_turn_step(t, i);

	s->state = AI_STEP_WAITING;
	free(s->said);
	s->said = NULL;
	return agent_step_add(s, "why", why, err);
}

bool agent_needs_intent(const struct agent_tool *tool)
{
	return tool->effect != AGENT_PURE && tool->effect != AGENT_IDEMPOTENT;
}

int agent_outcome_find(struct agent_turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	enum agent_found found = AGENT_UNKNOWN;
	struct ai_err why;
	char text[300];

	snprintf(text, sizeof(text), AGENT_UNSEEN "nobody saw its end");
	if (c->tool->effect != AGENT_ONCE && c->tool->kind->find != NULL) {
		ai_buf_clear(&c->text);
		c->failed = false;
		if (c->tool->kind->find(c, &found, &why) < 0) {
			snprintf(text, sizeof(text), AGENT_UNSEEN
				 "whether it was done cannot be known: %.180s",
				 why.msg);
			found = AGENT_UNKNOWN;
		} else if (found == AGENT_UNKNOWN && c->text.len > 0) {
			snprintf(text, sizeof(text), AGENT_UNSEEN
				 "whether it was done cannot be known: %.180s",
				 ai_buf_cstr(&c->text));
		}
	}
	if (found == AGENT_DONE)
		return agent_outcome_text(t, i, err) < 0 ? -1 : 1;
	if (found == AGENT_NOT_DONE) {
		ai_buf_clear(&c->text);
		return 0;
	}
	return agent_outcome_wait(t, i, text, err) < 0 ? -1 : 1;
}

int agent_outcome_take(struct agent_turn *t, size_t i, struct ai_err *err)
{
	struct agent_call *c = &t->v[i].call;
	struct ai_buf told = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc;

	if (agent_breaker_end(t->r, c, err) < 0)
		return -1;
	if (c->parks)
		return agent_outcome_wait(t, i, ai_buf_cstr(&c->text), err);
	if (c->pauses) {
		ai_err_set(&t->r->stop.err, AI_E_UNAVAILABLE, "%s",
			   ai_buf_cstr(&c->text));
		return 0;
	}
	if (!c->unknown || !agent_needs_intent(c->tool))
		return agent_outcome_text(t, i, err);
	ai_buf_add(&told, c->text.p, c->text.len);
	rc = agent_outcome_find(t, i, err);
	if (rc == 0) {
		ai_buf_add(&c->text, told.p, told.len);
		c->failed = true;
		rc = agent_outcome_text(t, i, err);
	}
	ai_buf_release(&told);
	return rc < 0 ? -1 : 0;
}
