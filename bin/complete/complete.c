/* complete.c: one record after the other, each to its model. */
#include "complete.h"

#include "base/msg.h"
#include "base/start.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What one worker thread has. */
struct worker {
	struct ai_client *client; /* NULL until a provider is asked */
	struct ai_endpoint endpoint;
	char model[AI_MODEL_NAME_MAX]; /* that endpoint is of; "": none */
	struct complete_params params;
	struct complete_prompt prompt;
	struct complete_hits hits;
	struct complete_answer answer;
	struct ai_buf out;
};

static int open_worker(void **state, struct ai_err *err)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ai_err_nomem(err);
	complete_params_init(&w->params);
	ai_buf_init(&w->prompt.text, COMPLETE_TEXT_MAX);
	complete_hits_init(&w->hits);
	complete_answer_init(&w->answer);
	ai_buf_init(&w->out, (size_t)256 << 20);
	*state = w;
	return 0;
}

static void close_worker(void *state)
{
	struct worker *w = state;

	ai_client_free(w->client);
	ai_endpoint_release(&w->endpoint);
	complete_params_release(&w->params);
	ai_buf_release(&w->prompt.text);
	complete_hits_release(&w->hits);
	complete_answer_release(&w->answer);
	ai_buf_release(&w->out);
	free(w);
}

static int no_model(struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "no model: give -m openai/NAME (with "
			  "OPENAI_API_KEY), -m NAME with --base-url, or "
			  "-m " COMPLETE_LOCAL ", which needs no key");
}

static bool is_local(const char *model)
{
	return strncmp(model, "local/", 6) == 0;
}

static int check_local(const char *model, struct ai_err *err)
{
	if (strcmp(model, COMPLETE_LOCAL) == 0)
		return 0;
	return ai_err_set(err, AI_E_CONFIG,
			  "no model '%.100s': the built-in one is "
			  COMPLETE_LOCAL, model);
}

/* Where the record's model is; kept, since it is mostly the same. */
static int find_endpoint(struct worker *w, const char *model,
			 struct ai_err *err)
{
	if (w->client == NULL && (w->client = ai_client_new(err)) == NULL)
		return -1;
	if (w->model[0] != '\0' && strcmp(w->model, model) == 0)
		return 0;
	ai_endpoint_release(&w->endpoint);
	w->model[0] = '\0';
	if (ai_endpoint_init(&w->endpoint, model, err) < 0)
		return -1;
	memcpy(w->model, model, strlen(model) + 1);
	return 0;
}

static int local(struct worker *w, struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	struct ai_span question = { ai_buf_cstr(&w->prompt.text),
				    w->prompt.text.len };
	struct timespec t0, t1;
	int rc;

	if (!w->hits.given)
		return ai_err_set(err, AI_E_RECORD,
				  COMPLETE_LOCAL " quotes from hits, and the "
				  "record has none: put ai-search before it");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	rc = complete_extract(&w->hits, question, (size_t)s->sentences,
			      s->threshold, &w->answer, err);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	w->answer.call.attempts = 1;
	w->answer.call.latency_s = (double)(t1.tv_sec - t0.tv_sec) +
		(double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	return rc;
}

static int answer(struct worker *w, struct ai_err *err)
{
	const char *model = w->params.model;

	if (model == NULL || *model == '\0')
		return no_model(err);
	if (is_local(model))
		return check_local(model, err) < 0 ? -1 : local(w, err);
	if (find_endpoint(w, model, err) < 0)
		return -1;
	return complete_remote(w->client, &w->endpoint, &w->params,
			       &w->prompt, &w->hits, &w->answer, err);
}

/* With -r there is no member that lists them. */
static void tell_invalid(const struct worker *w, const struct ai_rec *rec)
{
	const struct complete_answer *a = &w->answer;
	struct ai_buf list = AI_BUF_INIT(4096);

	for (size_t i = 0; i < a->n_invalid; i++)
		ai_buf_fmt(&list, "%s[%" PRId64 "]", i > 0 ? ", " : "",
			   a->invalid[i]);
	if (list.len > 0)
		ai_msg(AI_MSG_WARN, "line %lu: the answer cites %s, but has "
		       "%zu source%s", rec->number, ai_buf_cstr(&list),
		       w->hits.n, w->hits.n == 1 ? "" : "s");
	ai_buf_release(&list);
}

static int emit(struct worker *w, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	const char *name = ai_loop.as != NULL ? ai_loop.as : "completion";

	ai_buf_shrink(&w->out, (size_t)1 << 20);
	if (ai_loop.plain_out) {
		complete_answer_plain(&w->answer, &w->hits,
				      complete_settings.sources, &w->out);
		tell_invalid(w, rec);
	} else {
		complete_answer_put(&w->answer, &w->hits, &w->out);
	}
	if (ai_buf_check(&w->out, "the completion", err) < 0)
		return -1;
	if (w->hits.given && w->answer.n_cited == 0)
		ai_emit_no(out);
	if (!ai_loop.plain_out && ai_rec_set(rec, name, &w->out, err) < 0)
		return -1;
	return ai_emit_answer(out, rec, ai_buf_cstr(&w->out), w->out.len, err);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct worker *w = state;

	complete_answer_clear(&w->answer);
	if (complete_params_take(&w->params, rec, err) < 0 ||
	    complete_prompt_take(&w->prompt, rec, err) < 0 ||
	    complete_hits_take(&w->hits, rec, err) < 0 || answer(w, err) < 0)
		return -1;
	return emit(w, rec, out, err);
}

/*
 * Finds what is wrong for every record before reading any.  Records may name
 * models of their own, so that no model at all is no mistake of the command
 * line alone; but for words there is no record.
 */
static int check(int argc, struct ai_err *err)
{
	const char *model = complete_settings.model;
	struct ai_endpoint e;
	int rc;

	if (model == NULL || *model == '\0')
		return argc > 0 ? no_model(err) : 0;
	if (is_local(model))
		return check_local(model, err);
	if (ai_paid_warning() != NULL)
		ai_msg(AI_MSG_WARN, "%s", ai_paid_warning());
	rc = ai_endpoint_init(&e, model, err);
	ai_endpoint_release(&e);
	return rc;
}

int complete_run(int argc, char **argv, struct ai_err *err)
{
	/* A request takes so long that each is a job of its own. */
	static const struct ai_filter filter = {
		.batch = 1, .eager = true, .each = each, .open = open_worker,
		.close = close_worker, .words = "prompt",
	};
	int rc = -1;

	if (complete_params_load(err) == 0 && check(argc, err) == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	complete_params_unload();
	return rc;
}
