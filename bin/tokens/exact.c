/*
 * exact.c: --exact, counts that the provider makes.  ai-complete --count asks
 * it: a co-process that is fed as many lines as a batch has, and gives one back
 * for each.
 */
#include "tokens.h"

#include "base/proc.h"
#include "base/start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_TEXT 24

struct exact {
	struct ai_proc counter;
	bool answered;         /* by the one that runs */
	struct ai_buf text, line;
	bool sent[TOKENS_BATCH];
	struct ai_err why[TOKENS_BATCH]; /* of those that were not */
	size_t broken;         /* from this one on it took no more */
};

static char jobs[JOBS_TEXT]; /* how many requests at once */

int tokens_exact_check(struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	if (s->model == NULL || *s->model == '\0')
		return ai_err_set(err, AI_E_USAGE, "--exact: give -m "
				  "PROVIDER/MODEL, whose provider counts");
	if (s->encode || s->decode || s->truncate >= 0 ||
	    s->special != TOKENS_TEXT || ai_start_given(&s->encoding))
		return ai_err_set(err, AI_E_USAGE, "--exact only counts: it "
				  "goes neither with an --encoding nor with "
				  "--encode, --decode, --truncate, --special");
	/* One co-process, with that many requests at once. */
	snprintf(jobs, sizeof jobs, "%" PRId64, ai_loop.jobs);
	ai_loop.jobs = 1;
	return tokens_model_choose(err);
}

int tokens_exact_open(void **state, struct ai_err *err)
{
	struct exact *x = calloc(1, sizeof *x);

	if (x == NULL)
		return ai_err_nomem(err);
	x->counter = (struct ai_proc)AI_PROC_INIT;
	ai_buf_init(&x->text, TOKENS_TEXT_MAX);
	ai_buf_init(&x->line, TOKENS_TEXT_MAX);
	*state = x;
	return 0;
}

void tokens_exact_close(void *state)
{
	struct exact *x = state;

	ai_proc_stop(&x->counter, NULL, NULL);
	ai_buf_release(&x->text);
	ai_buf_release(&x->line);
	free(x);
}

/* ---- the co-process ------------------------------------------------------- */

/* What a configured --system says is no part of a text. */
static int start(struct exact *x, struct ai_err *err)
{
	const char *argv[] = { "ai-complete", "--count", "-m", tokens_settings.model,
			       "--system", "", "-j", jobs, NULL };
	struct ai_err why;

	if (x->counter.pid != 0)
		return 0;
	x->answered = false;
	if (ai_proc_sibling(&x->counter, argv, err) < 0) {
		why = *err;
		return ai_err_set(err, why.code, "--exact asks ai-complete: "
				  "%.300s; put it beside ai-tokens or on PATH",
				  why.msg);
	}
	/* It limits its requests by itself, and answers each line. */
	x->counter.timeout_s = AI_PROC_TIMEOUT_S * 24;
	x->counter.pending.max = TOKENS_TEXT_MAX;
	return 0;
}

/* Puts the class of its exit status on what went wrong. */
static int ended(struct exact *x, struct ai_err *err)
{
	int status;
	enum ai_code c = ai_proc_ended(&x->counter, &status);

	if (c == AI_E_NONE)
		return -1;
	return ai_err_set(err, c, "ai-complete --count -m %.100s ended with "
			  "status %d (%s)", tokens_settings.model, status,
			  ai_code_text(c));
}

/* ---- a batch -------------------------------------------------------------- */

/* ai-complete takes them where a batch has them, and refuses what is none. */
static void put_tools(struct exact *x, const struct ai_rec *rec)
{
	struct ai_value tools = ai_rec_get(rec, "tools");

	if (tools.kind == AI_NONE || tools.kind == AI_NULL)
		return;
	ai_put_key(&x->line, "params");
	ai_put_open(&x->line, '{');
	ai_put_key(&x->line, "tools");
	ai_put_value(&x->line, tools);
	ai_put_close(&x->line, '}');
}

static int put_line(struct exact *x, const struct ai_rec *rec,
		    struct ai_err *err)
{
	struct ai_value messages = tokens_messages(rec);

	ai_buf_clear(&x->line);
	ai_put_open(&x->line, '{');
	if (messages.kind == AI_ARRAY) {
		ai_put_key(&x->line, "messages");
		ai_put_value(&x->line, messages);
		put_tools(x, rec);
	} else {
		ai_buf_clear(&x->text);
		if (ai_rec_text(rec, tokens_path(), &x->text, err) < 0)
			return -1;
		ai_put_key(&x->line, "text");
		ai_put_str(&x->line, ai_buf_cstr(&x->text), x->text.len);
	}
	ai_put_close(&x->line, '}');
	return ai_buf_check(&x->line, "the text", err);
}

/* What it has answered stays to be read when it takes no more.  -1: there is
 * nobody to ask. */
static int send_all(struct exact *x, struct ai_rec *const *recs, size_t n,
		    struct ai_err *err)
{
	for (size_t i = 0; i < n; i++)
		ai_err_set(&x->why[i], AI_E_UNAVAILABLE,
			   "ai-complete ended before it had counted");
	x->broken = n;
	for (size_t i = 0; i < n && x->broken == n; i++) {
		x->sent[i] = put_line(x, recs[i], &x->why[i]) == 0;
		if (!x->sent[i])
			continue;
		if (start(x, err) < 0)
			return -1;
		if (ai_proc_send(&x->counter, x->line.p, x->line.len,
				 &x->why[i]) < 0)
			x->broken = i;
	}
	return 0;
}

/* The member as ai-complete made it, and whether that many fit. */
static int emit_count(struct exact *x, struct ai_rec *rec, struct ai_value v,
		      int64_t count, struct ai_emit *out, struct ai_err *err)
{
	size_t n = count < 0 ? 0 : (size_t)count;
	struct tokens_answer a = { .n = { n, n, n }, .exact = true,
				   .member = v, .made = &x->text };

	ai_buf_clear(&x->text);
	if (ai_loop.plain_out) {
		ai_buf_fmt(&x->text, "%" PRId64, count);
		return tokens_emit(rec, &a, out, err);
	}
	ai_put_raw(&x->text, v.s.p, v.s.n - 1);
	if (tokens_settings.fit != NULL)
		tokens_fit_put(&x->text, n);
	ai_put_close(&x->text, '}');
	a.member = (struct ai_value){ AI_OBJECT, { ai_buf_cstr(&x->text),
						   x->text.len } };
	return tokens_emit(rec, &a, out, err);
}

/* The member of the answer in x->line. */
static int take_tokens(struct exact *x, struct ai_rec *rec,
		       struct ai_emit *out, struct ai_err *err)
{
	const struct ai_rec *answer;
	struct ai_rec parsed;
	struct ai_value v;
	int64_t count;
	int rc = -1;

	ai_rec_init(&parsed);
	answer = &parsed;
	if (ai_rec_parse(&parsed, (struct ai_span){ x->line.p, x->line.len }, 0,
			 err) < 0)
		goto out;
	v = ai_rec_get(answer, "tokens");
	if (ai_rec_is_error(answer)) {
		ai_rec_take_error(answer, "it could not be counted", err);
	} else if (ai_json_i64(ai_json_get(v, "count"), &count) < 0) {
		ai_err_set(err, AI_E_ANSWER, "ai-complete gave no count");
	} else {
		rc = emit_count(x, rec, v, count, out, err);
	}
out:
	ai_rec_release(&parsed);
	return rc;
}

static int receive(struct exact *x, size_t i, struct ai_rec *rec,
		   struct ai_emit *out)
{
	struct ai_err *why = &x->why[i];

	if (i < x->broken && !x->sent[i])
		return -1;
	if (x->counter.pid == 0)
		return -1;
	if (i >= x->broken)
		return ended(x, why);
	if (ai_proc_recv(&x->counter, &x->line, why) < 0)
		return ended(x, why);
	x->answered = true;
	return take_tokens(x, rec, out, why);
}

/* One that ends before it has answered anything would do so again. */
static bool is_hopeless(const struct exact *x, const struct ai_err *why)
{
	return x->counter.pid == 0 && !x->answered &&
	       (why->code == AI_E_NOT_ALLOWED || why->code == AI_E_CONFIG ||
		why->code == AI_E_USAGE);
}

int tokens_exact_many(void *state, struct ai_rec *const *recs, size_t n,
		      struct ai_emit *out, struct ai_err *err)
{
	struct exact *x = state;

	if (send_all(x, recs, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (receive(x, i, recs[i], out) == 0)
			continue;
		if (is_hopeless(x, &x->why[i])) {
			*err = x->why[i];
			return -1;
		}
		if (ai_emit_fail(out, recs[i], &x->why[i], err) < 0)
			return -1;
	}
	return 0;
}
