/*
 * complete.c: records on their way to models and back, -j of them at once.
 *
 *	begin -> take what the record asks -> choose its models -> ask the
 *	first -> answered -> finish; or, if that failed, the next one
 */
#include "complete.h"

#include "base/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX ((size_t)1 << 17)

struct asker {
	struct ai_client *client;
	struct complete_place *places;
	struct question *all, *spare;
	struct complete_history history;
	bool stopping; /* no more calls */
	const struct ai_call *failed; /* while its record is written */
};

/* A record under way. */
struct question {
	struct question *next;  /* among the spare ones */
	struct question *older; /* among all */
	struct asker *asker;
	struct complete_request request;
	struct complete_chain chain;  /* the models it is asked of */
	struct complete_place *place; /* NULL: a built-in model's */
	struct complete_answer answer;
	struct ai_call last;          /* that failed */
	bool uncertain;               /* that it was asked before is said */
	struct complete_output output;
};

/* ---- the way of a record ------------------------------------------------- */

static struct question *question_new(struct asker *a, struct ai_task *t,
				     struct ai_err *err);
static void question_put_back(struct question *q);
static void ask(struct question *q);
static int no_model(struct ai_err *err);

/* With --resume-by. */
static int take_batch(struct complete_request *r, const struct ai_rec *rec,
		      struct ai_err *err)
{
	ai_buf_clear(&r->batch);
	if (ai_client.resume_by == NULL)
		return 0;
	return ai_rec_text(rec, ai_client.resume_by, &r->batch, err) < 0 ? -1
		: r->batch.len > 0 ? 0
		: ai_err_set(err, AI_E_RECORD, "the member '%.80s' names no "
			     "batch", ai_client.resume_by);
}

static int take(struct question *q, const struct ai_rec *rec,
		struct ai_err *err)
{
	struct complete_request *r = &q->request;

	if (take_batch(r, rec, err) < 0 ||
	    complete_params_take(&r->params, rec, err) < 0 ||
	    complete_prompt_take(&r->prompt, &r->params, rec, err) < 0 ||
	    complete_hits_take(&r->hits, rec, err) < 0 ||
	    complete_history_take(r, err) < 0 ||
	    complete_schema_take(&r->schema, r->params.schema, err) < 0 ||
	    complete_experiment_take(r, rec, &r->arm, err) < 0 ||
	    complete_route(r, rec, &r->models, err) < 0)
		return -1;
	q->answer.experiment = ai_paid.experiment;
	q->answer.arm = r->arm;
	if (r->models == NULL || *r->models == '\0')
		return no_model(err);
	if (complete_chain_check(r->models, err) < 0)
		return -1;
	complete_chain_begin(&q->chain, r->models);
	return complete_history_load(&q->asker->history, err);
}

/* With what went wrong. */
static void give_up(struct question *q, const struct ai_err *why)
{
	q->asker->failed = &q->last;
	complete_output_fail(&q->output, &q->answer, &q->chain,
			     &q->request.schema, why);
	q->asker->failed = NULL;
	question_put_back(q);
}

/* ai_filter.put_failed, with --openai-batch. */
static void put_failed(void *state, const struct ai_rec *rec,
		       unsigned long line, const struct ai_err *why,
		       struct ai_buf *out)
{
	const struct asker *a = state;

	complete_outbatch_fail(a->failed, rec, line, why, out);
}

/* The answer is paid for: if it cannot be kept, the error has it. */
static int keep(struct question *q, struct ai_err *err)
{
	if (complete_settings.count ||
	    complete_history_keep(&q->asker->history, &q->request, &q->answer,
				  err) == 0)
		return 0;
	complete_schema_note(&q->request.schema, &q->answer.chat.text,
			     err->msg);
	return -1;
}

/* With the answer. */
static void finish(struct question *q)
{
	struct ai_err err;

	q->answer.fallback = (struct ai_span){ ai_buf_cstr(&q->chain.failed),
					       q->chain.failed.len };
	if (keep(q, &err) < 0 ||
	    complete_output_answer(&q->output, &q->answer, &q->request.hits,
				   &err) < 0) {
		give_up(q, &err);
		return;
	}
	ai_task_end(q->output.task, NULL);
	question_put_back(q);
}

/* A record says it itself; -r writes none. */
static void tell_next(const struct question *q, const struct ai_err *err)
{
	char where[COMPLETE_WHERE];

	complete_where(ai_task_rec(q->output.task)->number, where);
	ai_msg(ai_loop.plain_out ? AI_MSG_WARN : AI_MSG_INFO,
	       "%s%s; now %s is asked", where, err->msg, q->chain.model);
}

/* This model has not answered, or not well: the next one, if there is one
 * and this is a reason to ask it. */
static void failed(struct question *q, enum complete_reason why,
		   const struct ai_err *err)
{
	struct ai_err all;

	q->last = q->answer.call;
	complete_chain_failed(&q->chain, err);
	complete_answer_again(&q->answer);
	if (!q->output.streamed && !q->asker->stopping &&
	    complete_chain_leads_on(why) && complete_chain_next(&q->chain)) {
		tell_next(q, err);
		complete_schema_next(&q->request.schema);
		ask(q);
		return;
	}
	complete_chain_error(&q->chain, &all);
	give_up(q, &all);
}

static int refused(const struct question *q, struct ai_err *err)
{
	return ai_err_set(err, AI_E_REJECTED, "%s: the model refuses to "
			  "answer (finish_reason '%.40s')",
			  q->place->endpoint.provider,
			  q->answer.chat.finish_reason);
}

/* Whether a refusal is none of an answer: another model may answer, or it is to
 * be JSON. */
static bool minds_refusal(const struct question *q)
{
	return q->request.schema.text.n > 0 ||
		(!q->output.streamed && *q->chain.left != '\0' &&
		 complete_chain_leads_on(COMPLETE_POLICY));
}

/* Whether the answer will do.  1: no, but the model may be asked again. */
static int accept(struct question *q, enum complete_reason *why,
		  struct ai_err *err)
{
	struct complete_schema *s = &q->request.schema;
	const struct ai_chat_answer *a = &q->answer.chat;
	bool again;

	*why = COMPLETE_POLICY;
	if (q->answer.call.failure == AI_CALL_POLICY && minds_refusal(q)) {
		if (s->text.n > 0)
			complete_schema_note(s, &a->text,
					     "the model refuses to answer");
		return refused(q, err);
	}
	*why = COMPLETE_SCHEMA;
	/* A count is no answer, and calls of tools are one without a text. */
	if (s->text.n == 0 || complete_settings.count ||
	    (a->text.len == 0 && a->n_calls > 0))
		return 0;
	if (complete_schema_check(s, a, &again, err) == 0)
		return 0;
	return again && !q->asker->stopping ? 1 : -1;
}

/* For people who watch. What an earlier run has paid, this one has not. */
static void tell_used(const struct question *q)
{
	const struct ai_call *call = &q->answer.call;
	const struct ai_usage *u = &q->answer.chat.usage;

	if (!call->cached && !call->resumed)
		ai_task_used(q->output.task, u->input + u->output, call->cost);
}

/* ai_client_done: the provider has answered, or it has not. */
static void answered(void *arg, int rc, const struct ai_err *why)
{
	struct question *q = arg;
	enum complete_reason reason;
	struct ai_err err;

	tell_used(q);
	complete_kept_take(&q->answer, &q->chain);
	if (rc == 0) {
		why = &err;
		rc = complete_remote_end(&q->place->endpoint, &q->request,
					 &q->answer, &err);
	}
	if (rc < 0)
		reason = complete_reason_of(q->answer.call.failure, why->code);
	else
		rc = accept(q, &reason, &err);
	if (rc < 0) {
		failed(q, reason, why);
	} else if (rc > 0) {
		complete_answer_again(&q->answer);
		ask(q);
	} else {
		finish(q);
	}
}

/* ai_client_delta */
static int more(void *arg, struct ai_span text, struct ai_err *err)
{
	return complete_output_delta(&((struct question *)arg)->output, text,
				     err);
}

/* 1: q->request.only_kept, and nothing is. */
static int ask_provider(struct question *q, struct ai_err *err)
{
	struct asker *a = q->asker;
	/* What is to be checked is not written before. */
	bool stream = complete_settings.stream &&
		q->request.schema.text.n == 0;

	complete_place_give(q->place);
	q->place = complete_place_take(&a->places, q->chain.model, err);
	if (q->place == NULL)
		return -1;
	complete_kept_put(&q->answer, &q->chain, &q->request.note);
	return complete_remote_begin(a->client, q->place, &q->request,
				     &q->answer, stream ? more : NULL, answered,
				     q, err);
}

static void tell_uncertain(struct question *q)
{
	char where[COMPLETE_WHERE];

	complete_where(ai_task_rec(q->output.task)->number, where);
	if (!q->uncertain)
		ai_msg(AI_MSG_WARN, "%sit was under way when the last run "
		       "ended, and may have been paid for; it is sent again",
		       where);
	q->uncertain = true;
}

/*
 * Which of the models from this one on has answered in an earlier run of the
 * batch: none of those before it is asked then.  0: this one has, and its
 * answer will come; 1: none has; -1: one was asked, and it is not to be asked
 * again.
 */
static int find_kept(struct question *q, bool *uncertain, struct ai_err *err)
{
	const char *left = q->chain.left;
	char model[sizeof q->chain.model];
	int64_t refused = q->request.schema.asked;
	int rc;

	*uncertain = false;
	memcpy(model, q->chain.model, sizeof model);
	q->request.only_kept = true;
	do {
		/* What cannot be asked at all is told when it is its turn. */
		q->answer.call.uncertain = false;
		rc = complete_is_local(q->chain.model) ? 1
						       : ask_provider(q, err);
		*uncertain |= q->answer.call.uncertain;
		if (rc == 0 || (rc < 0 && q->answer.call.uncertain))
			break;
		rc = 1;
		q->request.schema.asked = 0;
	} while (complete_chain_next(&q->chain));
	q->request.only_kept = false;
	if (rc == 0)
		return 0;
	q->chain.left = left;
	memcpy(q->chain.model, model, sizeof model);
	q->request.schema.asked = refused;
	return rc;
}

static int ask_or_find(struct question *q, struct ai_err *err)
{
	bool uncertain = false;
	int rc = 1;

	if ((ai_client.resume != NULL || q->request.batch.len > 0) &&
	    *q->chain.left != '\0')
		rc = find_kept(q, &uncertain, err);
	if (rc > 0) {
		q->answer.call.uncertain = false;
		rc = ask_provider(q, err);
		uncertain |= q->answer.call.uncertain;
		if (rc == 0 && uncertain)
			tell_uncertain(q);
	}
	return rc;
}

/* That nobody knows whether it was answered is no reason to pay another model
 * for it. */
static enum complete_reason reason_not_begun(const struct question *q,
					     const struct ai_err *err)
{
	return q->answer.call.uncertain ? COMPLETE_NO_REASON
		: complete_reason_of(q->answer.call.failure, err->code);
}

/* Asks the model that has its turn. */
static void ask(struct question *q)
{
	bool local = complete_is_local(q->chain.model);
	struct ai_err err;
	int rc = local ? complete_local_ask(&q->request, &q->answer, &err)
		       : ask_or_find(q, &err);

	if (rc < 0)
		failed(q, reason_not_begun(q, &err), &err);
	else if (local)
		finish(q);
}

static int begin(void *state, struct ai_task *t, struct ai_err *err)
{
	struct question *q = question_new(state, t, err);

	if (q == NULL)
		return -1;
	if (take(q, ai_task_rec(t), err) < 0)
		give_up(q, err);
	else if (complete_chain_next(&q->chain))
		ask(q);
	return 0;
}

static int turn(void *state, int fd, bool *readable, struct ai_err *err)
{
	return ai_client_turn(((struct asker *)state)->client, fd, readable,
			      err);
}

static void stop(void *state, bool now)
{
	struct asker *a = state;

	a->stopping = true;
	if (a->client != NULL)
		ai_client_stop(a->client, now);
}

/* ---- what is kept from one record to the next ---------------------------- */

static void question_free(struct question *q)
{
	complete_params_release(&q->request.params);
	complete_prompt_release(&q->request.prompt);
	complete_hits_release(&q->request.hits);
	complete_schema_release(&q->request.schema);
	complete_chain_release(&q->chain);
	ai_buf_release(&q->request.note);
	ai_buf_release(&q->request.batch);
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
		complete_prompt_init(&q->request.prompt);
		complete_hits_init(&q->request.hits);
		complete_schema_init(&q->request.schema);
		complete_chain_init(&q->chain);
		ai_buf_init(&q->request.note, NOTE_MAX);
		ai_buf_init(&q->request.batch, 4096);
		complete_answer_init(&q->answer);
		ai_buf_init(&q->output.text, (size_t)256 << 20);
		q->older = a->all;
		a->all = q;
	}
	q->asker = a;
	q->place = NULL;
	q->output.task = t;
	q->output.streamed = false;
	q->uncertain = q->request.only_kept = false;
	q->request.arm = NULL;
	q->request.history = &a->history;
	complete_chain_begin(&q->chain, "");
	q->last = (struct ai_call){ 0 };
	complete_answer_clear(&q->answer);
	return q;
}

static void question_put_back(struct question *q)
{
	struct asker *a = q->asker;

	complete_place_give(q->place);
	complete_schema_clear(&q->request.schema);
	ai_buf_shrink(&q->output.text, (size_t)1 << 16);
	complete_prompt_shrink(&q->request.prompt);
	q->next = a->spare;
	a->spare = q;
}

static bool booked; /* what one of the models that are named costs */

static int open_asker(void **state, struct ai_err *err)
{
	struct asker *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ai_err_nomem(err);
	a->client = ai_client_new(err);
	if (a->client == NULL ||
	    (booked && ai_client_open_ledger(a->client, err) < 0)) {
		ai_client_free(a->client);
		free(a);
		return -1;
	}
	complete_history_init(&a->history);
	*state = a;
	return 0;
}

static void close_asker(void *state)
{
	struct asker *a = state;
	struct question *q;

	ai_client_free(a->client);
	/* Some are under way yet, if the program could not go on. */
	while ((q = a->all) != NULL) {
		a->all = q->older;
		question_free(q);
	}
	complete_places_release(&a->places);
	complete_history_release(&a->history);
	free(a);
}

/* ---- the program ----------------------------------------------------------- */

static int check_one(const char *model, struct ai_err *err)
{
	struct ai_endpoint e;
	int rc;

	if (complete_is_local(model) && complete_settings.schema != NULL)
		return ai_err_set(err, AI_E_CONFIG, "%s quotes, and writes no "
				  "JSON: it goes not with --schema", model);
	if (complete_is_local(model))
		return 0;
	rc = ai_endpoint_init(&e, model, err);
	booked = booked || (rc == 0 && ai_tariff_booked(&e.tariff));
	ai_endpoint_release(&e);
	return rc;
}

static bool warned; /* that nothing is booked */

/*
 * A model that cannot be asked is a mistake, unless its failure leads on to
 * the next one anyway: then it is only told, as long as one is left.
 */
static int check_models(const char *models, struct ai_err *err)
{
	struct complete_chain c;
	enum complete_reason why;
	bool good = false;
	int rc = complete_chain_check(models, err);

	if (rc < 0)
		return -1;
	complete_chain_init(&c);
	complete_chain_begin(&c, models);
	while (rc == 0 && complete_chain_next(&c)) {
		if (!complete_is_local(c.model) && !warned &&
		    ai_paid_warning() != NULL) {
			ai_msg(AI_MSG_WARN, "%s", ai_paid_warning());
			warned = true;
		}
		if (check_one(c.model, err) == 0) {
			good = true;
			continue;
		}
		why = complete_reason_of(AI_CALL_OK, err->code);
		if (complete_chain_leads_on(why) && (good || *c.left != '\0'))
			ai_msg(AI_MSG_WARN, "%s is passed over: %s", c.model,
			       err->msg);
		else
			rc = -1;
	}
	complete_chain_release(&c);
	return rc;
}

static int no_model(struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "no model: give -m openai/NAME (with "
			  "OPENAI_API_KEY), -m NAME with --base-url, or "
			  "-m " COMPLETE_LOCAL ", which needs no key");
}

/*
 * Finds what is wrong for every record before reading any.  Records may name
 * models of their own, so that no model at all is no mistake of the command
 * line alone; but for words there is no record.
 */
static int check(int argc, struct ai_err *err)
{
	const char *models = complete_settings.model;

	warned = booked = false;
	if (complete_chain_load(err) < 0 || complete_routes_load(err) < 0 ||
	    complete_experiment_load(err) < 0 ||
	    complete_routes_each(check_models, err) < 0 ||
	    complete_experiment_each(check_models, err) < 0)
		return -1;
	if (complete_settings.arms.n > 0)
		return 0;
	if (models != NULL && *models != '\0')
		return check_models(models, err);
	return argc > 0 && complete_settings.routes.n == 0 ? no_model(err) : 0;
}

static size_t ending(void *state)
{
	return ai_client_landed(((const struct asker *)state)->client);
}

int complete_run(int argc, char **argv, struct ai_err *err)
{
	/* A request takes so long that each is a job of its own. */
	const bool lines = complete_settings.openai_batch;
	const struct ai_filter filter = {
		.batch = 1, .eager = true, .begin = begin, .turn = turn,
		.ending = ending, .stop = stop,
		.open = open_asker, .close = close_asker, .words = "prompt",
		.empty = lines, .put_failed = lines ? put_failed : NULL,
	};
	int rc = -1;

	ai_client_run_begins();
	if (complete_count_check(err) == 0 &&
	    complete_history_check(err) == 0 &&
	    complete_params_load(err) == 0 && complete_prompt_load(err) == 0 &&
	    complete_schema_load(err) == 0 && check(argc, err) == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	complete_routes_unload();
	complete_experiment_unload();
	complete_schema_unload();
	complete_params_unload();
	complete_prompt_unload();
	return rc;
}
