/* ask.c: a call as the command line and the record of the program that
 * does it.  Nothing that a client says is an option by itself, and no path of
 * his reaches a program. */
#include "agent.h"
#include "serve/serve.h"

#include "model/paid.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- command lines ----------------------------------------------------------- */

static int begin(struct agent_strings *argv, const char *program,
		 struct ai_err *err)
{
	return agent_strings_fmt(argv, err, "%s", program) < 0 ? -1 :
		agent_strings_fmt(argv, err, "-q");
}

/* "--name=value", if there is one. */
static int option(struct agent_strings *argv, const char *name,
		  const char *value, struct ai_err *err)
{
	return value == NULL ? 0 :
		agent_strings_fmt(argv, err, "--%s=%s", name, value);
}

/* The same of an argument, which is a string or there is none. */
static int argument(struct agent_strings *argv, const char *name,
		    struct ai_value v, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(65536);
	int rc;

	if (v.kind != AI_STRING)
		return 0;
	ai_json_text(v, &text);
	rc = ai_buf_check(&text, name, err);
	if (rc == 0 && memchr(text.p, '\0', text.len) != NULL)
		rc = ai_err_set(err, AI_E_RECORD, "%s: it has a NUL in it",
				name);
	if (rc == 0)
		rc = option(argv, name, ai_buf_cstr(&text), err);
	ai_buf_release(&text);
	return rc;
}

/* Where and under whom it is booked. */
static int paid(const struct serve *s, struct agent_strings *argv,
		struct ai_err *err)
{
	return option(argv, "ledger", ai_paid.ledger, err) < 0 ||
		option(argv, "price", ai_paid.price, err) < 0 ||
		option(argv, "tenant", ai_paid.tenant, err) < 0 ||
		option(argv, "user", ai_paid.user, err) < 0 ||
		option(argv, "project", ai_paid.project, err) < 0 ||
		option(argv, "experiment", ai_paid.experiment, err) < 0 ||
		option(argv, "run", s->run, err) < 0 ? -1 : 0;
}

/* ---- records ----------------------------------------------------------------- */

static void copy(struct ai_buf *b, const char *name, struct ai_value v)
{
	if (v.kind == AI_NONE)
		return;
	ai_put_key_text(b, name);
	ai_put_value(b, v);
}

static void copy_argument(struct ai_buf *b, const char *name,
			  struct ai_value args)
{
	copy(b, name, ai_json_member(args, ai_span_of(name)));
}

/* One of two, and not both. */
static int one_of(struct ai_value args, const char *a, const char *b,
		  struct ai_err *err)
{
	bool has_a = ai_json_member(args, ai_span_of(a)).kind != AI_NONE,
	     has_b = ai_json_member(args, ai_span_of(b)).kind != AI_NONE;

	return has_a != has_b ? 0 :
		ai_err_set(err, AI_E_RECORD, "give '%s' or '%s'%s", a, b,
			   has_a ? ", not both" : "");
}

/* ---- search ------------------------------------------------------------------ */

int serve_ask_search(const struct serve *s, struct ai_value args,
		     struct agent_strings *argv, struct ai_buf *record,
		     struct ai_err *err)
{
	struct ai_value name = ai_json_member(args, AI_SPAN("index")),
			k = ai_json_member(args, AI_SPAN("k"));
	int64_t hits = agent.search_k;
	size_t i = 0;

	while (i + 1 < s->n_indexes &&
	       !ai_json_is(name, ai_span_of(s->indexes[i].name)))
		i++;
	if (k.kind == AI_NUMBER && ai_json_i64(k, &hits) < 0)
		return ai_err_set(err, AI_E_RECORD, "k: it is no whole number");
	if (begin(argv, "ai-search", err) < 0 ||
	    option(argv, "index", s->indexes[i].path, err) < 0 ||
	    agent_strings_fmt(argv, err, "--hits=%lld", (long long)hits) < 0 ||
	    argument(argv, "where", ai_json_member(args, AI_SPAN("where")),
		     err) < 0)
		return -1;
	ai_put_open(record, '{');
	copy_argument(record, "query", args);
	ai_put_close(record, '}');
	return 0;
}

/* ---- complete ---------------------------------------------------------------- */

static int complete_argv(const struct serve *s, struct agent_strings *argv,
			 struct ai_err *err)
{
	if (begin(argv, "ai-complete", err) < 0 ||
	    option(argv, "model", s->model, err) < 0 ||
	    option(argv, "base-url", agent.base_url, err) < 0 ||
	    option(argv, "api", agent.api, err) < 0 ||
	    option(argv, "effort", agent.effort, err) < 0 ||
	    option(argv, "cache", agent.cache, err) < 0 ||
	    option(argv, "record", agent.record, err) < 0 ||
	    option(argv, "replay", agent.replay, err) < 0 ||
	    (agent.timeout > 0 &&
	     agent_strings_fmt(argv, err, "--timeout=%g", agent.timeout) < 0) ||
	    (s->system.len > 0 &&
	     option(argv, "system", ai_buf_cstr(&s->system), err) < 0))
		return -1;
	/* What is configured for other prompts is not to change these. */
	return option(argv, "template", "", err) < 0 ? -1 : paid(s, argv, err);
}

/* No longer than the command line allows. */
static int put_max_tokens(struct ai_buf *b, struct ai_value v,
			  struct ai_err *err)
{
	int64_t n = agent.max_tokens, asked;

	if (v.kind == AI_NUMBER) {
		if (ai_json_i64(v, &asked) < 0)
			return ai_err_set(err, AI_E_RECORD,
					  "max_tokens: it is no whole number");
		n = n > 0 && n < asked ? n : asked;
	}
	if (n > 0) {
		ai_put_key(b, "max_tokens");
		ai_put_i64(b, n);
	}
	return 0;
}

static int put_params(struct ai_value args, struct ai_buf *b,
		      struct ai_err *err)
{
	struct ai_value heat = ai_json_member(args, AI_SPAN("temperature"));

	ai_put_key(b, "params");
	ai_put_open(b, '{');
	copy_argument(b, "system", args);
	copy_argument(b, "schema", args);
	if (heat.kind == AI_NUMBER || !isnan(agent.temperature)) {
		ai_put_key(b, "temperature");
		if (heat.kind == AI_NUMBER)
			ai_put_value(b, heat);
		else
			ai_put_f64(b, agent.temperature);
	}
	if (put_max_tokens(b, ai_json_member(args, AI_SPAN("max_tokens")),
			   err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* As the hits of a search. */
static void put_documents(struct ai_value list, struct ai_buf *b)
{
	struct ai_json_iter it;
	struct ai_value doc, id, uri;
	int64_t rank = 0;
	char name[24];

	ai_put_key(b, "hits");
	ai_put_open(b, '[');
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &doc)) {
		id = ai_json_member(doc, AI_SPAN("id"));
		uri = ai_json_member(doc, AI_SPAN("uri"));
		snprintf(name, sizeof(name), "%lld", (long long)++rank);
		ai_put_open(b, '{');
		ai_put_key(b, "rank");
		ai_put_i64(b, rank);
		ai_put_key(b, "id");
		if (id.kind == AI_STRING)
			ai_put_value(b, id);
		else
			ai_put_cstr(b, name);
		copy_argument(b, "text", doc);
		if (uri.kind == AI_STRING) {
			ai_put_key(b, "source");
			ai_put_open(b, '{');
			copy(b, "uri", uri);
			ai_put_close(b, '}');
		}
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
}

int serve_ask_complete(const struct serve *s, struct ai_value args,
		       struct agent_strings *argv, struct ai_buf *record,
		       struct ai_err *err)
{
	struct ai_value prompt = ai_json_member(args, AI_SPAN("prompt")),
			docs = ai_json_member(args, AI_SPAN("documents"));

	if (one_of(args, "prompt", "messages", err) < 0)
		return -1;
	if (docs.kind == AI_ARRAY && prompt.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD, "documents: they go with "
				  "a prompt");
	if (complete_argv(s, argv, err) < 0)
		return -1;
	ai_put_open(record, '{');
	copy(record, docs.kind == AI_ARRAY ? "query" : "prompt", prompt);
	copy_argument(record, "messages", args);
	if (docs.kind == AI_ARRAY)
		put_documents(docs, record);
	if (put_params(args, record, err) < 0)
		return -1;
	ai_put_close(record, '}');
	return 0;
}

/* ---- guard ------------------------------------------------------------------- */

int serve_ask_guard(const struct serve *s, struct ai_value args,
		    struct agent_strings *argv, struct ai_buf *record,
		    struct ai_err *err)
{
	struct ai_value context = ai_json_member(args, AI_SPAN("context"));

	(void)s;
	if (begin(argv, "ai-guard", err) < 0 ||
	    (context.kind == AI_STRING
	     ? argument(argv, "context", context, err)
	     : option(argv, "context", "user", err)) < 0 ||
	    option(argv, "ledger", ai_paid.ledger, err) < 0 ||
	    (ai_json_true(ai_json_member(args, AI_SPAN("redact"))) &&
	     agent_strings_fmt(argv, err, "--redact") < 0))
		return -1;
	ai_put_open(record, '{');
	copy_argument(record, "text", args);
	ai_put_close(record, '}');
	return 0;
}

/* ---- tokens and cost --------------------------------------------------------- */

static void put_text(struct ai_value args, struct ai_buf *record)
{
	copy_argument(record, "text", args);
	copy_argument(record, "messages", args);
}

int serve_ask_tokens(const struct serve *s, struct ai_value args,
		     struct agent_strings *argv, struct ai_buf *record,
		     struct ai_err *err)
{
	struct ai_value model = ai_json_member(args, AI_SPAN("model"));

	if (one_of(args, "text", "messages", err) < 0 ||
	    begin(argv, "ai-tokens", err) < 0 ||
	    (model.kind == AI_STRING
	     ? argument(argv, "model", model, err)
	     : option(argv, "model", s->counts ? s->first_model : NULL,
		      err)) < 0)
		return -1;
	ai_put_open(record, '{');
	put_text(args, record);
	ai_put_close(record, '}');
	return 0;
}

int serve_ask_cost(const struct serve *s, struct ai_value args,
		   struct agent_strings *argv, struct ai_buf *record,
		   struct ai_err *err)
{
	struct ai_value model = ai_json_member(args, AI_SPAN("model"));

	if (one_of(args, "text", "messages", err) < 0 ||
	    begin(argv, "ai-cost", err) < 0 || paid(s, argv, err) < 0)
		return -1;
	ai_put_open(record, '{');
	put_text(args, record);
	ai_put_key(record, "params");
	ai_put_open(record, '{');
	ai_put_key(record, "model");
	if (model.kind == AI_STRING)
		ai_put_value(record, model);
	else
		ai_put_cstr(record, s->first_model);
	if (put_max_tokens(record, ai_json_member(args, AI_SPAN("max_tokens")),
			   err) < 0)
		return -1;
	ai_put_close(record, '}');
	ai_put_close(record, '}');
	return 0;
}
