/* complete.c: records on their way to models and back, -j of them at once. */
#include "complete.h"

#include "base/msg.h"
#include "base/start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLACES_KEPT 16

/* Where a model is: kept, since it is mostly the same. */
struct place {
	struct place *next;
	struct ai_endpoint endpoint;
	char model[AI_MODEL_NAME_MAX]; /* as it was typed */
	size_t users;                  /* questions under way */
};

struct asker {
	struct ai_client *client;
	struct place *places;     /* the latest first */
	struct question *spare;
};

/* A record under way. */
struct question {
	struct question *next; /* among the spare ones */
	struct asker *asker;
	struct ai_task *task;
	struct place *place;   /* NULL: a built-in model's */
	bool streamed;         /* some of the text has been written */
	struct complete_params params;
	struct complete_prompt prompt;
	struct complete_hits hits;
	struct complete_answer answer;
	struct ai_buf out;
};

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

static void question_free(struct question *q)
{
	complete_params_release(&q->params);
	ai_buf_release(&q->prompt.text);
	complete_hits_release(&q->hits);
	complete_answer_release(&q->answer);
	ai_buf_release(&q->out);
	free(q);
}

static void close_asker(void *state)
{
	struct asker *a = state;
	struct question *q;
	struct place *p;

	ai_client_free(a->client);
	while ((q = a->spare) != NULL) {
		a->spare = q->next;
		question_free(q);
	}
	while ((p = a->places) != NULL) {
		a->places = p->next;
		ai_endpoint_release(&p->endpoint);
		free(p);
	}
	free(a);
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
		complete_params_init(&q->params);
		ai_buf_init(&q->prompt.text, COMPLETE_TEXT_MAX);
		complete_hits_init(&q->hits);
		complete_answer_init(&q->answer);
		ai_buf_init(&q->out, (size_t)256 << 20);
	}
	q->asker = a;
	q->task = t;
	q->place = NULL;
	q->streamed = false;
	complete_answer_clear(&q->answer);
	return q;
}

static void question_put_back(struct question *q)
{
	struct asker *a = q->asker;

	if (q->place != NULL)
		q->place->users--;
	ai_buf_shrink(&q->out, (size_t)1 << 16);
	ai_buf_shrink(&q->prompt.text, (size_t)1 << 16);
	q->next = a->spare;
	a->spare = q;
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

/* Records may name a new model each: those that nobody uses go. */
static void forget_places(struct asker *a)
{
	struct place **at = &a->places, *p;
	size_t n = 0;

	while ((p = *at) != NULL) {
		if (++n <= PLACES_KEPT || p->users > 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		ai_endpoint_release(&p->endpoint);
		free(p);
	}
}

static struct place *find_place(struct asker *a, const char *model,
				struct ai_err *err)
{
	struct place *p;

	for (p = a->places; p != NULL; p = p->next)
		if (strcmp(p->model, model) == 0)
			return p;
	p = calloc(1, sizeof *p);
	if (p == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	if (ai_endpoint_init(&p->endpoint, model, err) < 0) {
		ai_endpoint_release(&p->endpoint);
		free(p);
		return NULL;
	}
	snprintf(p->model, sizeof p->model, "%s", model);
	p->next = a->places;
	a->places = p;
	forget_places(a);
	return p;
}

static int local(struct question *q, struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	struct ai_span question = { ai_buf_cstr(&q->prompt.text),
				    q->prompt.text.len };
	struct timespec t0, t1;
	int rc;

	if (!q->hits.given)
		return ai_err_set(err, AI_E_RECORD,
				  COMPLETE_LOCAL " quotes from hits, and the "
				  "record has none: put ai-search before it");
	clock_gettime(CLOCK_MONOTONIC, &t0);
	rc = complete_extract(&q->hits, question, (size_t)s->sentences,
			      s->threshold, &q->answer, err);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	q->answer.call.attempts = 1;
	q->answer.call.latency_s = (double)(t1.tv_sec - t0.tv_sec) +
		(double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	return rc;
}

/* With -r there is no member that lists them. */
static void tell_invalid(const struct question *q, const struct ai_rec *rec)
{
	const struct complete_answer *a = &q->answer;
	struct ai_buf list = AI_BUF_INIT(4096);

	for (size_t i = 0; i < a->n_invalid; i++)
		ai_buf_fmt(&list, "%s[%" PRId64 "]", i > 0 ? ", " : "",
			   a->invalid[i]);
	if (list.len > 0)
		ai_msg(AI_MSG_WARN, "line %lu: the answer cites %s, but has "
		       "%zu source%s", rec->number, ai_buf_cstr(&list),
		       q->hits.n, q->hits.n == 1 ? "" : "s");
	ai_buf_release(&list);
}

static int emit(struct question *q, struct ai_err *err)
{
	const char *name = ai_loop.as != NULL ? ai_loop.as : "completion";
	struct ai_rec *rec = ai_task_rec(q->task);
	struct ai_emit *out = ai_task_out(q->task);

	ai_buf_clear(&q->out);
	if (ai_loop.plain_out && q->streamed) {
		complete_answer_rest(&q->answer, &q->hits,
				     complete_settings.sources, &q->out);
		tell_invalid(q, rec);
	} else if (ai_loop.plain_out) {
		complete_answer_plain(&q->answer, &q->hits,
				      complete_settings.sources, &q->out);
		tell_invalid(q, rec);
	} else {
		complete_answer_put(&q->answer, &q->hits, &q->out);
	}
	if (ai_buf_check(&q->out, "the completion", err) < 0)
		return -1;
	if (q->hits.given && q->answer.n_cited == 0)
		ai_emit_no(out);
	if (!ai_loop.plain_out && ai_rec_set(rec, name, &q->out, err) < 0)
		return -1;
	if (ai_loop.plain_out && q->streamed)
		return ai_emit_bytes(out, q->out.p, q->out.len, err);
	return ai_emit_answer(out, rec, ai_buf_cstr(&q->out), q->out.len, err);
}

/* A piece of an answer as a record of its own: {"id":...,"delta":{...}}. */
static void put_delta(struct question *q, struct ai_span text)
{
	struct ai_value id = ai_rec_id_value(ai_task_rec(q->task));
	struct ai_buf *b = &q->out;

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

/* ai_client_delta: it is written as soon as it is its turn. */
static int take_delta(void *arg, struct ai_span text, struct ai_err *err)
{
	struct question *q = arg;
	struct ai_emit *out = ai_task_out(q->task);
	int rc;

	q->streamed = true;
	if (ai_loop.plain_out) {
		rc = ai_emit_bytes(out, text.p, text.n, err);
	} else {
		put_delta(q, text);
		rc = ai_emit_line(out, ai_buf_cstr(&q->out), q->out.len, err);
	}
	return rc < 0 ? -1 : ai_task_flush(q->task, err);
}

/* The end of it: with the answer, or with what went wrong. */
static void finish(struct question *q, int rc, const struct ai_err *why)
{
	struct ai_task *t = q->task;
	struct ai_err err, ignored;

	if (rc == 0 && emit(q, &err) < 0) {
		rc = -1;
		why = &err;
	}
	if (rc < 0 && q->streamed && ai_loop.plain_out)
		ai_emit_bytes(ai_task_out(t), "\n", 1, &ignored);
	question_put_back(q);
	ai_task_end(t, rc < 0 ? why : NULL);
}

/* ai_client_done: the provider has answered, or it has not. */
static void answered(void *arg, int rc, const struct ai_err *why)
{
	struct question *q = arg;
	struct ai_err err;

	if (rc == 0 && complete_remote_end(&q->place->endpoint, &q->hits,
					   &q->answer, &err) < 0) {
		rc = -1;
		why = &err;
	}
	finish(q, rc, why);
}

static int ask_provider(struct question *q, struct ai_err *err)
{
	struct asker *a = q->asker;

	q->place = find_place(a, q->params.model, err);
	if (q->place == NULL)
		return -1;
	q->place->users++;
	if (complete_remote_begin(a->client, &q->place->endpoint, &q->params,
				  &q->prompt, &q->hits, &q->answer,
				  complete_settings.stream ? take_delta : NULL,
				  answered, q, err) < 0)
		return -1;
	if (q->answer.call.uncertain)
		ai_msg(AI_MSG_WARN, "line %lu: it was under way when the last "
		       "run ended, and may have been paid for; it is sent "
		       "again", ai_task_rec(q->task)->number);
	return 0;
}

/* 1: it is under way; 0: it is answered. */
static int ask(struct question *q, struct ai_err *err)
{
	struct ai_rec *rec = ai_task_rec(q->task);
	const char *model;

	if (complete_params_take(&q->params, rec, err) < 0 ||
	    complete_prompt_take(&q->prompt, rec, err) < 0 ||
	    complete_hits_take(&q->hits, rec, err) < 0)
		return -1;
	model = q->params.model;
	if (model == NULL || *model == '\0')
		return no_model(err);
	if (is_local(model))
		return check_local(model, err) < 0 ? -1 : local(q, err);
	return ask_provider(q, err) < 0 ? -1 : 1;
}

static int begin(void *state, struct ai_task *t, struct ai_err *err)
{
	struct question *q = question_new(state, t, err);
	int rc;

	if (q == NULL)
		return -1;
	rc = ask(q, err);
	if (rc < 0)
		question_put_back(q);
	else if (rc == 0)
		finish(q, 0, NULL);
	return rc < 0 ? -1 : 0;
}

static int turn(void *state, int fd, bool *readable, struct ai_err *err)
{
	return ai_client_turn(((struct asker *)state)->client, fd, readable,
			      err);
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
		.batch = 1, .eager = true, .begin = begin, .turn = turn,
		.open = open_asker, .close = close_asker, .words = "prompt",
	};
	int rc = -1;

	if (complete_params_load(err) == 0 && check(argc, err) == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	complete_params_unload();
	return rc;
}
