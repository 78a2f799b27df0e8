/*
 * complete.c: records on their way to models and back, -j of them at once.
 *
 *	begin -> take what the record asks -> ask a model of it
 *	      -> answered -> finish
 */
#include "complete.h"

#include "base/msg.h"

#include <stdlib.h>

struct asker {
	struct ai_client *client;
	struct complete_place *places;
	struct question *spare;
};

/* A record under way. */
struct question {
	struct question *next; /* among the spare ones */
	struct asker *asker;
	struct complete_request request;
	struct complete_place *place; /* NULL: a built-in model's */
	struct complete_answer answer;
	struct complete_output output;
};

/* ---- the way of a record ------------------------------------------------- */

static struct question *question_new(struct asker *a, struct ai_task *t,
				     struct ai_err *err);
static void question_put_back(struct question *q);

/* The end of it: with the answer, or with what went wrong. */
static void finish(struct question *q, int rc, const struct ai_err *why)
{
	struct ai_task *t = q->output.task;
	struct ai_err err;

	if (rc == 0 && complete_output_answer(&q->output, &q->answer,
					      &q->request.hits, &err) < 0) {
		rc = -1;
		why = &err;
	}
	if (rc < 0)
		complete_output_cut(&q->output);
	question_put_back(q);
	ai_task_end(t, rc < 0 ? why : NULL);
}

/* ai_client_done: the provider has answered, or it has not. */
static void answered(void *arg, int rc, const struct ai_err *why)
{
	struct question *q = arg;
	struct ai_err err;

	if (rc == 0 && complete_remote_end(&q->place->endpoint,
					   &q->request.hits, &q->answer,
					   &err) < 0) {
		rc = -1;
		why = &err;
	}
	finish(q, rc, why);
}

/* ai_client_delta */
static int more(void *arg, struct ai_span text, struct ai_err *err)
{
	return complete_output_delta(&((struct question *)arg)->output, text,
				     err);
}

static int ask_provider(struct question *q, const char *model,
			struct ai_err *err)
{
	struct asker *a = q->asker;

	q->place = complete_place_take(&a->places, model, err);
	if (q->place == NULL ||
	    complete_remote_begin(a->client, &q->place->endpoint, &q->request,
				  &q->answer, complete_settings.stream
				  ? more : NULL, answered, q, err) < 0)
		return -1;
	if (q->answer.call.uncertain)
		ai_msg(AI_MSG_WARN, "line %lu: it was under way when the last "
		       "run ended, and may have been paid for; it is sent "
		       "again", ai_task_rec(q->output.task)->number);
	return 0;
}

static int no_model(struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "no model: give -m openai/NAME (with "
			  "OPENAI_API_KEY), -m NAME with --base-url, or "
			  "-m " COMPLETE_LOCAL ", which needs no key");
}

/* 1: it is under way; 0: it is answered. */
static int ask(struct question *q, struct ai_err *err)
{
	const char *model = q->request.params.model;

	if (model == NULL || *model == '\0')
		return no_model(err);
	if (!complete_is_local(model))
		return ask_provider(q, model, err) < 0 ? -1 : 1;
	return complete_local_check(model, err) < 0 ? -1 :
		complete_local_ask(&q->request, &q->answer, err);
}

static int take(struct complete_request *q, const struct ai_rec *rec,
		struct ai_err *err)
{
	return complete_params_take(&q->params, rec, err) < 0 ||
		complete_prompt_take(&q->prompt, rec, err) < 0 ||
		complete_hits_take(&q->hits, rec, err) < 0 ? -1 : 0;
}

static int begin(void *state, struct ai_task *t, struct ai_err *err)
{
	struct question *q = question_new(state, t, err);
	int rc;

	if (q == NULL)
		return -1;
	rc = take(&q->request, ai_task_rec(t), err);
	if (rc == 0)
		rc = ask(q, err);
	if (rc <= 0)
		finish(q, rc, err);
	return 0;
}

static int turn(void *state, int fd, bool *readable, struct ai_err *err)
{
	return ai_client_turn(((struct asker *)state)->client, fd, readable,
			      err);
}

/* ---- what is kept from one record to the next ---------------------------- */

static void question_free(struct question *q)
{
	complete_params_release(&q->request.params);
	ai_buf_release(&q->request.prompt.text);
	complete_hits_release(&q->request.hits);
	complete_answer_release(&q->answer);
	ai_buf_release(&q->output.text);
	free(q);
}

static struct question *question_new(struct asker *a, struct ai_task *t,
				     struct ai_err *err)
{
	struct question *q = a->spare;

	if (q != NULL) {
		a->spare = q->next;
	} else {
		q = calloc(1, sizeof *q);
		if (q == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		complete_params_init(&q->request.params);
		ai_buf_init(&q->request.prompt.text, COMPLETE_TEXT_MAX);
		complete_hits_init(&q->request.hits);
		complete_answer_init(&q->answer);
		ai_buf_init(&q->output.text, (size_t)256 << 20);
	}
	q->asker = a;
	q->place = NULL;
	q->output.task = t;
	q->output.streamed = false;
	complete_answer_clear(&q->answer);
	return q;
}

static void question_put_back(struct question *q)
{
	struct asker *a = q->asker;

	complete_place_give(q->place);
	ai_buf_shrink(&q->output.text, (size_t)1 << 16);
	ai_buf_shrink(&q->request.prompt.text, (size_t)1 << 16);
	q->next = a->spare;
	a->spare = q;
}

static int open_asker(void **state, struct ai_err *err)
{
	struct asker *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ai_err_nomem(err);
	a->client = ai_client_new(err);
	if (a->client == NULL) {
		free(a);
		return -1;
	}
	*state = a;
	return 0;
}

static void close_asker(void *state)
{
	struct asker *a = state;
	struct question *q;

	ai_client_free(a->client);
	while ((q = a->spare) != NULL) {
		a->spare = q->next;
		question_free(q);
	}
	complete_places_release(&a->places);
	free(a);
}

/* ---- the program ----------------------------------------------------------- */

static void stop(void *state, bool now)
{
	struct asker *a = state;

	if (a->client != NULL)
		ai_client_stop(a->client, now);
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
	if (complete_is_local(model))
		return complete_local_check(model, err);
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
		.batch = 1, .eager = true, .begin = begin, .turn = turn, .stop = stop,
		.open = open_asker, .close = close_asker, .words = "prompt",
	};
	int rc = -1;

	ai_client_run_begins();
	if (complete_params_load(err) == 0 && check(argc, err) == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	complete_params_unload();
	return rc;
}
