/* journal.c: the steps of a run, in memory as they stand in the ledger. */
#include "agent.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A killed run's tools are dead within a second. */
#define LOCK_WAIT_S 5.0

static void step_release(struct agent_step *s)
{
	free(s->said);
	free(s->intent);
	free(s->result);
}

void agent_journal_release(struct agent_journal *j)
{
	for (size_t i = 0; i < j->n; i++)
		step_release(&j->v[i]);
	free(j->v);
	if (j->hold >= 0)
		close(j->hold);
	j->v = NULL;
	j->n = j->cap = 0;
	j->hold = -1;
}

struct agent_step *agent_journal_step(struct agent_journal *j, size_t n,
				      enum ai_step_kind kind,
				      struct ai_err *err)
{
	struct agent_step *v;

	if (n <= j->n)
		return &j->v[n - 1];
	if (j->n == j->cap) {
		v = realloc(j->v, (j->cap + 16) * sizeof(*v));
		if (v == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		j->v = v;
		j->cap += 16;
	}
	v = &j->v[j->n++];
	memset(v, 0, sizeof(*v));
	v->n = (int64_t)j->n;
	v->kind = kind;
	v->state = AI_STEP_PLANNED;
	return v;
}

int agent_step_set(char **member, const struct ai_buf *json,
		   struct ai_err *err)
{
	char *copy;

	if (ai_buf_check(json, "a step of the run", err) < 0)
		return -1;
	copy = ai_span_dup((struct ai_span){ ai_buf_cstr(json), json->len });
	if (copy == NULL)
		return ai_err_nomem(err);
	free(*member);
	*member = copy;
	return 0;
}

/* The intent's members without one, and without the closing brace. */
static int copy_intent(const struct agent_step *s, const char *without,
		       struct ai_buf *b, struct ai_err *err)
{
	struct ai_value v, key, val;
	struct ai_json_iter it;

	if (ai_json_check(s->intent, strlen(s->intent), &v, err) < 0)
		return -1;
	ai_put_open(b, '{');
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val))
		if (!ai_json_is(key, ai_span_of(without))) {
			ai_put_value(b, key);
			ai_buf_chr(b, ':');
			ai_put_value(b, val);
		}
	return 0;
}

static int add_member(struct agent_step *s, const char *name,
		      struct ai_span json, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc = copy_intent(s, name, &b, err);

	if (rc == 0) {
		ai_put_key(&b, name);
		ai_put_raw(&b, json.p, json.n);
		ai_put_close(&b, '}');
		rc = agent_step_set(&s->intent, &b, err);
	}
	ai_buf_release(&b);
	return rc;
}

int agent_step_note(struct agent_step *s, const struct ai_buf *note,
		    struct ai_err *err)
{
	return add_member(s, "note", (struct ai_span){ note->p, note->len },
			  err);
}

int agent_step_add(struct agent_step *s, const char *name, const char *text,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	int rc;

	ai_put_cstr(&b, text);
	rc = ai_buf_check(&b, "a step of the run", err) < 0 ? -1 :
		add_member(s, name, (struct ai_span){ b.p, b.len }, err);
	ai_buf_release(&b);
	return rc;
}

/* ---- reading ------------------------------------------------------------------ */

struct reading {
	struct agent_journal *j;
	struct ai_err *err;
	int rc;
};

static int copy_json(char **to, struct ai_span s, struct ai_err *err)
{
	*to = s.p == NULL ? NULL : ai_span_dup(s);
	return s.p != NULL && *to == NULL ? ai_err_nomem(err) : 0;
}

static int read_step(void *arg, const struct ai_step *s)
{
	struct reading *r = arg;
	struct agent_step *to;

	if (s->n != (int64_t)r->j->n + 1) {
		r->rc = ai_err_set(r->err, AI_E_DATA, "step %zu of the run is "
				   "missing in the ledger", r->j->n + 1);
		return 1;
	}
	to = agent_journal_step(r->j, r->j->n + 1, s->kind, r->err);
	if (to == NULL) {
		r->rc = -1;
		return 1;
	}
	to->state = s->state;
	snprintf(to->key, sizeof(to->key), "%s", s->key);
	to->amount = s->amount;
	to->created = s->created;
	to->changed = s->changed;
	r->rc = copy_json(&to->intent, s->intent, r->err) < 0 ||
		copy_json(&to->result, s->result, r->err) < 0 ||
		copy_json(&to->said, ai_span_of(s->said), r->err) < 0 ? -1 : 0;
	return r->rc != 0;
}

int agent_journal_read(struct agent_journal *j, const char *id,
		       struct ai_err *err)
{
	struct reading r = { j, err, 0 };

	if (ai_run_steps(j->ledger, id, read_step, &r, err) < 0)
		return -1;
	return r.rc;
}

/* ---- the lock ------------------------------------------------------------------ */

/*
 * One byte of a file beside the ledger is locked for each run that is worked
 * on.  The lock belongs to the open file, which the wardens of its tools have
 * too (child.h): as long as any of them lives, nobody else gets it.
 */
int agent_journal_lock(struct agent_journal *j, struct ai_err *err)
{
	char path[4096], ledger[4000];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = j->run.n, .l_len = 1 };
	double until = ai_clock_s() + LOCK_WAIT_S;

	ai_ledger_path(j->ledger_path, ledger, sizeof(ledger));
	snprintf(path, sizeof(path), "%s-runs", ledger);
	j->hold = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->hold < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot open '%s'",
				  path);
	while (fcntl(j->hold, F_OFD_SETLK, &lock) < 0) {
		const struct timespec nap = { 0, 10000000 };

		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return ai_err_sys(err, AI_E_OS, errno,
					  "cannot lock '%s'", path);
		if (ai_clock_s() > until)
			return ai_err_set(err, AI_E_TRY_LATER, "tools of the "
					  "run '%s' are still alive", j->run.id);
		nanosleep(&nap, NULL);
	}
	j->since = ai_clock_s();
	return 0;
}

/* ---- writing -------------------------------------------------------------------- */

int64_t agent_journal_spent_ms(const struct agent_journal *j)
{
	return j->replay ? j->spent_ms : j->spent_ms +
		(int64_t)((ai_clock_s() - j->since) * 1e3);
}

static struct ai_span span_of(const char *s)
{
	return s == NULL ? (struct ai_span){ NULL, 0 } : ai_span_of(s);
}

#define AT_ONCE 256 /* steps in one transaction */

static int put(struct agent_journal *j, size_t from, size_t to,
	       const struct ai_run_change *c, bool durable, struct ai_err *err)
{
	struct ai_step steps[AT_ONCE];
	size_t n = 0;

	for (; from <= to && n < AT_ONCE; from++, n++) {
		const struct agent_step *s = &j->v[from - 1];

		steps[n] = (struct ai_step){ .n = s->n, .kind = s->kind,
			.state = s->state, .key = s->key,
			.said = s->said != NULL ? s->said : "",
			.intent = span_of(s->intent),
			.result = span_of(s->result), .amount = s->amount };
	}
	return ai_run_put(j->ledger, &j->run, steps, n, c, durable, err);
}

int agent_journal_put(struct agent_journal *j, size_t from, size_t to,
		      bool durable, struct ai_err *err)
{
	const struct ai_run_change c = { .status = AI_RUN_OPEN,
		.spent_ms = agent_journal_spent_ms(j) };

	if (j->replay)
		return 0;
	if (to + 1 - from > AT_ONCE)
		return ai_err_set(err, AI_E_TOO_LONG, "more than %d calls in "
				  "a turn", AT_ONCE);
	return put(j, from, to, &c, durable, err);
}

int agent_journal_end(struct agent_journal *j, enum ai_run_status status,
		      const struct ai_buf *note, struct ai_err *err)
{
	const struct ai_run_change c = { .status = status,
		.spent_ms = agent_journal_spent_ms(j),
		.note = note->len == 0 ? (struct ai_span){ NULL, 0 }
			: (struct ai_span){ note->p, note->len } };

	return j->replay ? 0 : put(j, 1, 0, &c, false, err);
}
