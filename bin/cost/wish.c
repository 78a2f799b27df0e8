/* wish.c: what a record asks of which model. */
#include "cost.h"

#include "base/start.h"
#include "record/loop.h"

#include <stdio.h>
#include <string.h>

/* What the command line says, looked up once: -m and --max-tokens are stronger
 * than what a record says only where they were typed. */
static struct {
	char model[COST_MODEL_MAX]; /* "": none */
	bool model_given, max_given;
} line;

/* Of "a, b" the one that is asked as long as it answers. */
static struct ai_span first_model(const char *names)
{
	struct ai_span name;

	names += strspn(names, " \t");
	name = (struct ai_span){ names, strcspn(names, ",") };
	while (name.n > 0 && strchr(" \t", name.p[name.n - 1]) != NULL)
		name.n--;
	return name;
}

/* Its name, copied. */
static int put_model(const char *names, char out[COST_MODEL_MAX],
		     struct ai_err *err)
{
	struct ai_span name = first_model(names);

	if (name.n == 0)
		return ai_err_set(err, AI_E_CONFIG, "which model? Give -m "
				  "openai/NAME; 'model' in params or body is "
				  "heeded too");
	if (name.n >= COST_MODEL_MAX)
		return ai_err_set(err, AI_E_CONFIG, "the name of a model has "
				  "at most %d bytes", COST_MODEL_MAX - 1);
	snprintf(out, COST_MODEL_MAX, "%.*s", (int)name.n, name.p);
	return 0;
}

const char *cost_wish_begin(struct ai_err *err)
{
	line.model[0] = '\0';
	line.model_given = ai_start_given(&cost.model);
	line.max_given = ai_start_given(&cost.max_tokens);
	if (cost.model != NULL && *cost.model != '\0' &&
	    put_model(cost.model, line.model, err) < 0)
		return NULL;
	return line.model;
}

static int take_model(struct cost_wish *q, struct ai_value params,
		      struct ai_err *err)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	struct ai_buf names = AI_BUF_INIT(4096);
	int rc;

	if (!line.model_given)
		v = ai_json_member(params, AI_SPAN("model"));
	q->model = line.model;
	if (v.kind != AI_STRING)
		return line.model[0] != '\0' ? 0 :
			put_model("", q->own_model, err);
	ai_json_text(v, &names);
	rc = ai_buf_check(&names, "the model's name", err);
	if (rc == 0)
		rc = put_model(ai_buf_cstr(&names), q->own_model, err);
	ai_buf_release(&names);
	q->model = q->own_model;
	return rc;
}

static int take_limit(struct cost_wish *q, struct ai_value params,
		      struct ai_err *err)
{
	static const char *const names[] = {
		"max_tokens", "max_completion_tokens",
	};
	struct ai_value v;
	size_t i;

	q->max_tokens = cost.max_tokens;
	if (params.kind != AI_OBJECT || line.max_given)
		return 0;
	for (i = 0; i < 2; i++) {
		v = ai_json_member(params, ai_span_of(names[i]));
		if (v.kind == AI_NONE || v.kind == AI_NULL)
			continue;
		if (ai_json_i64(v, &q->max_tokens) < 0 ||
		    q->max_tokens < 1 || q->max_tokens > COST_TOKENS_MAX)
			return ai_err_set(err, AI_E_RECORD, "%s is not a "
					  "whole number in range", names[i]);
	}
	return 0;
}

static int take_payload(struct cost_wish *q, const struct ai_rec *rec,
			struct ai_err *err)
{
	static const char *const usual[] = {
		"prompt", "query", "text", "messages", "body.messages", NULL
	};
	const char *path = ai_loop.path != NULL && *ai_loop.path != '\0'
		? ai_loop.path : ai_rec_first(rec, usual);

	if (path == NULL)
		return ai_err_set(err, AI_E_RECORD, "the record has no prompt, "
				  "query, text or messages");
	q->payload = ai_rec_get(rec, path);
	if (q->payload.kind != AI_STRING && q->payload.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD,
				  q->payload.kind == AI_NONE ?
				  "the record has no %.100s" : "%.100s is "
				  "neither a string nor a list of messages",
				  path);
	q->hits = ai_rec_get(rec, "hits");
	return 0;
}

int cost_wish_take(struct cost_wish *q, const struct ai_rec *rec,
		   struct ai_err *err)
{
	struct ai_value params = ai_rec_get(rec, "params");

	if (params.kind != AI_OBJECT)
		params = ai_rec_get(rec, "body");
	q->params = params;
	return take_model(q, params, err) < 0 ||
		take_limit(q, params, err) < 0 ||
		take_payload(q, rec, err) < 0 ? -1 : 0;
}
