#include "flow/run.h"

#include "crypt/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 256 /* steps in one transaction */

static void free_step(struct flow_step *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->intent);
	free(s->result);
	free(s);
}

void flow_journal_release(struct flow_journal *j)
{
	for (size_t i = 0; i < j->n; i++)
		free_step(j->v[i]);
	free(j->v);
	free(j->table);
	free(j->dirty);
	j->v = NULL;
	j->table = j->dirty = NULL;
	j->n = j->cap = j->slots = j->n_dirty = j->cap_dirty = 0;
	agent_journal_release(&j->run);
}

/* ---- names ------------------------------------------------------------------- */

void flow_ask_name(const struct flow_work *w, const struct flow_job *job,
		   char kind, size_t n, bool whose, char name[FLOW_STEP_NAME])
{
	const struct flow_task *t = &w->flow->tasks[job->task];
	struct ai_buf b = AI_BUF_INIT(FLOW_STEP_NAME - 1);

	ai_buf_str(&b, t->name);
	if (job->item >= 0)
		ai_buf_fmt(&b, "[%lld]", (long long)job->item);
	if (t->loop_max > 0)
		ai_buf_fmt(&b, "#%lld", (long long)job->round);
	if (job->attempt > 0)
		ai_buf_fmt(&b, "!%lld", (long long)job->attempt);
	if (kind != 0)
		ai_buf_fmt(&b, "%c%zu%s", kind, n, whose ? "?" : "");
	snprintf(name, FLOW_STEP_NAME, "%s", ai_buf_cstr(&b));
	ai_buf_release(&b);
}

/* ---- by name ------------------------------------------------------------------ */

static size_t slot_of(const struct flow_journal *j, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t at;

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	for (at = (size_t)(h ^ h >> 32) & (j->slots - 1);
	     j->table[at] != 0 && strcmp(j->v[j->table[at] - 1]->name,
					 name) != 0;
	     at = (at + 1) & (j->slots - 1))
		;
	return at;
}

/* Half of the slots are free, at least. */
static int make_slots(struct flow_journal *j, struct ai_err *err)
{
	size_t n = j->slots == 0 ? 256 : j->slots * 2, *table;

	if (2 * (j->n + 1) <= j->slots)
		return 0;
	table = calloc(n, sizeof(*table));
	if (table == NULL)
		return ai_err_nomem(err);
	free(j->table);
	j->table = table;
	j->slots = n;
	for (size_t i = 0; i < j->n; i++)
		j->table[slot_of(j, j->v[i]->name)] = i + 1;
	return 0;
}

struct flow_step *flow_journal_find(const struct flow_journal *j,
				    const char *name)
{
	size_t at;

	if (j->slots == 0)
		return NULL;
	at = j->table[slot_of(j, name)];
	return at == 0 ? NULL : j->v[at - 1];
}

static int make_room(struct flow_journal *j, struct ai_err *err)
{
	size_t cap = j->cap == 0 ? 64 : j->cap * 2;
	struct flow_step **v;

	if (make_slots(j, err) < 0)
		return -1;
	if (j->n < j->cap)
		return 0;
	v = realloc(j->v, cap * sizeof(struct flow_step *));
	if (v == NULL)
		return ai_err_nomem(err);
	j->v = v;
	j->cap = cap;
	return 0;
}

static void make_key(const struct flow_journal *j, const char *name,
		     char key[33])
{
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, j->run.run.id, strlen(j->run.run.id) + 1);
	ai_hash_add(&h, name, strlen(name) + 1);
	ai_hash_hex(&h, key);
}

static struct flow_step *add(struct flow_journal *j, struct ai_span name,
			     struct ai_err *err)
{
	struct flow_step *s;

	if (make_room(j, err) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->name = ai_span_dup(name);
	if (s == NULL || s->name == NULL) {
		free_step(s);
		ai_err_nomem(err);
		return NULL;
	}
	s->agent = FLOW_NONE;
	s->state = AI_STEP_PLANNED;
	make_key(j, s->name, s->key);
	j->table[slot_of(j, s->name)] = j->n + 1;
	j->v[j->n++] = s;
	s->n = (int64_t)j->n;
	return s;
}

struct flow_step *flow_journal_add(struct flow_journal *j, const char *name,
				   struct ai_err *err)
{
	if (j->n >= AI_RUN_STEPS) {
		ai_err_set(err, AI_E_TOO_LONG, "the run has asked %d times, "
			   "and a run has no more steps", AI_RUN_STEPS);
		return NULL;
	}
	return add(j, ai_span_of(name), err);
}

/* ---- reading ------------------------------------------------------------------- */

struct reading {
	struct flow_journal *j;
	struct ai_err *err;
	int rc;
};

static int copy(char **to, struct ai_span s, struct ai_err *err)
{
	*to = s.p == NULL ? NULL : ai_span_dup(s);
	return s.p != NULL && *to == NULL ? ai_err_nomem(err) : 0;
}

static int damaged(struct reading *r, int64_t n)
{
	r->rc = ai_err_set(r->err, AI_E_DATA, "step %lld of the run is damaged "
			   "in the ledger", (long long)n);
	return 1;
}

static int64_t reserved_of(struct ai_value intent)
{
	int64_t n;

	return ai_json_i64(ai_json_member(intent, AI_SPAN("reserved")), &n) < 0
		? 0 : n;
}

static bool is_ours(struct ai_value intent, const struct flow_step *s)
{
	struct ai_span run = ai_json_inside(ai_json_member(intent,
							   AI_SPAN("run")));

	return run.n == strlen(s->key) + 2 &&
		memcmp(run.p + 2, s->key, run.n - 2) == 0;
}

/* Who was asked; a guardrail's command or a decision is nobody. */
static size_t agent_of(const struct flow *f, struct ai_value intent)
{
	return ai_json_member(intent, AI_SPAN("run")).kind == AI_NONE
		? FLOW_NONE : flow_find_agent(f, ai_json_inside(ai_json_member(
			intent, AI_SPAN("tool"))));
}

static int take(struct reading *r, const struct ai_step *s,
		struct ai_value intent, struct ai_span name)
{
	struct flow_step *to = add(r->j, name, r->err);

	if (to == NULL) {
		r->rc = -1;
		return 1;
	}
	to->agent = agent_of(r->j->flow, intent);
	to->state = s->state;
	to->amount = s->amount;
	to->changed = s->changed;
	/* It was copied from another run, whose it is as long as it has no
	 * end. */
	if (s->state != AI_STEP_DONE && !is_ours(intent, to)) {
		to->state = AI_STEP_PLANNED;
		return 0;
	}
	to->reserved = reserved_of(intent);
	if (s->state != AI_STEP_DONE)
		r->rc = copy(&to->intent, s->intent, r->err);
	if (r->rc == 0 && s->state == AI_STEP_DONE)
		r->rc = copy(&to->result, s->result, r->err);
	return r->rc != 0;
}

static int read_step(void *arg, const struct ai_step *s)
{
	struct ai_buf name = AI_BUF_INIT(FLOW_STEP_NAME);
	struct reading *r = arg;
	struct ai_value v;
	int rc;

	if (s->n != (int64_t)r->j->n + 1 || s->intent.p == NULL ||
	    ai_json_check(s->intent.p, s->intent.n, &v, r->err) < 0 ||
	    (s->state == AI_STEP_DONE && s->result.p == NULL))
		return damaged(r, s->n);
	ai_json_text(ai_json_member(v, AI_SPAN("step")), &name);
	rc = name.len == 0 || flow_journal_find(r->j, ai_buf_cstr(&name)) != NULL
		? damaged(r, s->n) : take(r, s, v, (struct ai_span){
					  ai_buf_cstr(&name), name.len });
	ai_buf_release(&name);
	return rc;
}

int flow_journal_read(struct flow_journal *j, struct ai_err *err)
{
	struct reading r = { j, err, 0 };

	return ai_run_steps(j->run.ledger, j->run.run.id, read_step, &r,
			    err) < 0 ? -1 : r.rc;
}

/* ---- writing ------------------------------------------------------------------- */

int flow_journal_touch(struct flow_journal *j, struct flow_step *s,
		       struct ai_err *err)
{
	size_t cap = j->cap_dirty == 0 ? 64 : j->cap_dirty * 2, *v;

	if (s->dirty)
		return 0;
	if (j->n_dirty == j->cap_dirty) {
		v = realloc(j->dirty, cap * sizeof(*v));
		if (v == NULL)
			return ai_err_nomem(err);
		j->dirty = v;
		j->cap_dirty = cap;
	}
	j->dirty[j->n_dirty++] = (size_t)s->n - 1;
	s->dirty = true;
	return 0;
}

int flow_step_end(struct flow_journal *j, struct flow_step *s, bool failed,
		  enum ai_code code, struct ai_span text, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "text");
	ai_put_str(&b, text.p, text.n);
	if (failed) {
		ai_put_key(&b, "failed");
		ai_put_bool(&b, true);
	}
	if (code != AI_E_NONE) {
		ai_put_key(&b, "code");
		ai_put_cstr(&b, ai_code_name(code));
	}
	ai_put_close(&b, '}');
	rc = agent_step_set(&s->result, &b, err);
	ai_buf_release(&b);
	s->state = AI_STEP_DONE;
	return rc < 0 ? -1 : flow_journal_touch(j, s, err);
}

static struct ai_span span_of(const char *s)
{
	return s == NULL ? (struct ai_span){ NULL, 0 } : ai_span_of(s);
}

static int put(struct flow_journal *j, size_t from, size_t n,
	       struct ai_err *err)
{
	const struct ai_run_change c = { .status = AI_RUN_OPEN,
		.spent_ms = agent_journal_spent_ms(&j->run) };
	struct ai_step steps[AT_ONCE];

	for (size_t i = 0; i < n; i++) {
		const struct flow_step *s = j->v[j->dirty[from + i]];

		steps[i] = (struct ai_step){ .n = s->n, .kind = AI_STEP_CALL,
			.state = s->state, .key = s->key, .said = "",
			.intent = span_of(s->intent),
			.result = span_of(s->result), .amount = s->amount };
	}
	return ai_run_put(j->run.ledger, &j->run.run, steps, n, &c, false, err);
}

void flow_journal_taken(struct flow_step *s)
{
	s->taken = true;
	if (s->dirty)
		return;
	free(s->intent);
	free(s->result);
	s->intent = s->result = NULL;
}

int flow_journal_flush(struct flow_journal *j, struct ai_err *err)
{
	size_t from, n;

	for (from = 0; !j->run.replay && from < j->n_dirty; from += n) {
		n = j->n_dirty - from < AT_ONCE ? j->n_dirty - from : AT_ONCE;
		if (put(j, from, n, err) < 0)
			return -1;
	}
	for (from = 0; from < j->n_dirty; from++) {
		struct flow_step *s = j->v[j->dirty[from]];

		s->dirty = false;
		if (s->taken)
			flow_journal_taken(s);
	}
	j->n_dirty = 0;
	return 0;
}
