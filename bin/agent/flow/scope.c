/* scope.c: what names in texts stand for. */
#include "flow/run.h"

#include "base/money.h"
#include "store/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scope {
	const struct flow_work *w;
	const struct flow_job *job;
	bool trusted;          /* only what is */
	const char *by;        /* who has tainted what was named; NULL */
	/* Of each name that is not kept as JSON. */
	struct ai_buf made[FLOW_OUTPUT + 1];
	struct ai_buf *notes;  /* owned; those that were looked up */
	size_t n_notes;
	char note_by[AI_NOTE_BY]; /* who has tainted one */
};

static struct ai_value value_of(const struct ai_buf *b)
{
	static const struct { char c; enum ai_kind kind; } kinds[] = {
		{ '"', AI_STRING }, { '{', AI_OBJECT }, { '[', AI_ARRAY },
		{ 't', AI_BOOL }, { 'f', AI_BOOL }, { 'n', AI_NULL },
	};
	struct ai_value v = { AI_NONE, { b->p, b->len } };

	if (b->len == 0)
		return v;
	v.kind = AI_NUMBER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (b->p[0] == kinds[i].c)
			v.kind = kinds[i].kind;
	return v;
}

static void make(const struct scope *s, enum flow_name what, struct ai_buf *b)
{
	const struct flow_talk *t = &s->job->talk;
	char money[AI_MONEY_TEXT];

	switch (what) {
	case FLOW_ROUND:
		ai_put_i64(b, s->job->round);
		break;
	case FLOW_INDEX:
		ai_put_i64(b, s->job->item);
		break;
	case FLOW_SPEAKER:
		ai_put_cstr(b, t->speaker == FLOW_NONE ? "" :
			    s->w->flow->agents[t->speaker].name);
		break;
	case FLOW_MESSAGES:
		ai_put_i64(b, (int64_t)t->n);
		break;
	case FLOW_TRANSCRIPT:
		ai_buf_chr(b, '"');
		ai_buf_add(b, t->transcript.p, t->transcript.len);
		ai_buf_chr(b, '"');
		break;
	case FLOW_USD:
		ai_money_text(t->nano, money);
		ai_put_raw(b, money, strlen(money));
		break;
	case FLOW_TOKENS:
		ai_put_i64(b, t->tokens);
		break;
	default:
		ai_put_f64(b, t->seconds);
		break;
	}
}

/* Who has tainted what a piece stands for; NULL: nobody. */
static const char *taint_of(const struct scope *s, const struct flow_piece *p)
{
	const char *by = "";

	switch (p->what) {
	case FLOW_TASK:
		by = s->w->tasks[p->task].by;
		break;
	case FLOW_ITEM:
		by = s->w->tasks[s->job->task].by;
		break;
	case FLOW_LAST:
	case FLOW_OUTPUT:
	case FLOW_MESSAGE:
	case FLOW_TRANSCRIPT:
		by = s->job->by;
		break;
	default:
		break;
	}
	return by[0] != '\0' ? by : NULL;
}

/* A shared note, as it is now; what cannot be read is not there. */
static struct ai_value note(struct scope *s, const char *key)
{
	struct ai_buf *v = realloc(s->notes, (s->n_notes + 1) * sizeof(*v)),
		      text = AI_BUF_INIT(AI_NOTE_TEXT);
	struct ai_value none = { AI_NONE, { NULL, 0 } };
	char by[AI_NOTE_BY] = "";
	struct ai_err err;
	bool there;

	if (v == NULL)
		return none;
	s->notes = v;
	there = ai_note_get(s->w->journal.run.ledger, s->w->root,
			    ai_span_of(key), &text, by, &err) > 0;
	if (there && by[0] != '\0') {
		there = !s->trusted;
		snprintf(s->note_by, sizeof(s->note_by), "%s", by);
		s->by = s->note_by;
	}
	if (!there) {
		ai_buf_release(&text);
		return none;
	}
	v = &s->notes[s->n_notes++];
	ai_buf_init(v, 8 * AI_NOTE_TEXT);
	ai_put_str(v, ai_buf_cstr(&text), text.len);
	ai_buf_release(&text);
	return value_of(v);
}

static struct ai_value get(void *arg, const struct flow_piece *p)
{
	static const struct ai_value none = { AI_NONE, { NULL, 0 } };
	struct scope *s = arg;
	const char *by = taint_of(s, p);

	if (by != NULL) {
		if (s->trusted)
			return none;
		s->by = by;
	}
	switch (p->what) {
	case FLOW_NO_NAME:
		return none;
	case FLOW_NOTES:
		return note(s, p->path);
	case FLOW_TASK:
		return value_of(&s->w->tasks[p->task].value);
	case FLOW_INPUT:
		return s->w->input;
	case FLOW_LAST:
		return value_of(&s->job->last);
	case FLOW_ITEM:
		return s->job->item_v;
	case FLOW_MESSAGE:
		return value_of(&s->job->talk.message);
	case FLOW_OUTPUT:
		return value_of(&s->job->value);
	default:
		if (s->made[p->what].len == 0)
			make(s, p->what, &s->made[p->what]);
		return value_of(&s->made[p->what]);
	}
}

static void open_scope(struct scope *s, const struct flow_work *w,
		       const struct flow_job *job, bool trusted)
{
	*s = (struct scope){ .w = w, .job = job, .trusted = trusted };
	for (size_t i = 0; i <= FLOW_OUTPUT; i++)
		ai_buf_init(&s->made[i], 2 * AGENT_TEXT_MAX);
}

static void close_scope(struct scope *s)
{
	for (size_t i = 0; i <= FLOW_OUTPUT; i++)
		ai_buf_release(&s->made[i]);
	for (size_t i = 0; i < s->n_notes; i++)
		ai_buf_release(&s->notes[i]);
	free(s->notes);
}

static void taint(struct flow_job *job, const char *by)
{
	if (by != NULL && job->by[0] == '\0')
		snprintf(job->by, sizeof(job->by), "%s", by);
}

static int put(const struct flow_work *w, struct flow_job *job,
	       const struct flow_text *t, bool trusted, struct ai_buf *b,
	       struct ai_err *err)
{
	struct flow_scope scope = { get, NULL };
	struct scope s;
	int rc;

	open_scope(&s, w, job, trusted);
	scope.arg = &s;
	rc = flow_text_put(t, &scope, b, err);
	if (!trusted && rc == 0)
		taint(job, s.by);
	close_scope(&s);
	return rc;
}

int flow_job_text(struct flow_work *w, struct flow_job *job,
		  const struct flow_text *t, struct ai_buf *b,
		  struct ai_err *err)
{
	return put(w, job, t, true, &job->trusted, err) < 0 ? -1 :
		put(w, job, t, false, b, err);
}

/* ---- what is decided ------------------------------------------------------------ */

/* Whether what it is may change while the workflow runs. */
static bool looks_at_notes(const struct flow_cond *c)
{
	if (flow_text_names(&c->value, FLOW_NOTES))
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (looks_at_notes(&c->of[i]))
			return true;
	return false;
}

static struct flow_step *find_decision(const struct flow_work *w,
				       const struct flow_job *job, char kind,
				       size_t n, char name[FLOW_STEP_NAME])
{
	char of[FLOW_STEP_NAME];

	flow_ask_name(w, job, kind, n, false, of);
	snprintf(name, FLOW_STEP_NAME, "%.*s=", FLOW_STEP_NAME - 2, of);
	return flow_journal_find(&w->journal, name);
}

/* result: an object without its closing brace. */
static int set_decision(struct flow_step *s, const struct ai_buf *said,
			struct ai_buf *result, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX);
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "tool");
	ai_put_cstr(&b, "decision");
	ai_put_key(&b, "step");
	ai_put_cstr(&b, s->name);
	ai_put_key(&b, "arguments");
	ai_put_open(&b, '{');
	ai_put_key(&b, "of");
	ai_put_str(&b, ai_buf_cstr(said), said->len);
	ai_put_close(&b, '}');
	ai_put_close(&b, '}');
	ai_put_close(result, '}');
	rc = agent_step_set(&s->intent, &b, err) < 0 ||
		agent_step_set(&s->result, result, err) < 0 ? -1 : 0;
	ai_buf_release(&b);
	s->state = AI_STEP_DONE;
	return rc;
}

/* In a replay nothing is written, and what was not written down is as it is
 * now. */
static int write_decision(struct flow_work *w, const char *name,
			  const struct ai_buf *said, struct ai_buf *result,
			  struct ai_err *err)
{
	struct flow_step *s;

	if (w->journal.run.replay)
		return 0;
	s = flow_journal_add(&w->journal, name, err);
	return s == NULL || set_decision(s, said, result, err) < 0 ? -1 :
		flow_journal_touch(&w->journal, s, err);
}

static int read_decision(const struct flow_step *s, struct ai_value *v,
			 struct ai_err *err)
{
	return s->state == AI_STEP_DONE && s->result != NULL &&
		ai_json_check(s->result, strlen(s->result), v, err) == 0 ? 0 :
		ai_err_set(err, AI_E_DATA, "step %lld of the run is damaged in "
			   "the ledger", (long long)s->n);
}

static int test(struct flow_work *w, struct flow_job *job,
		const struct flow_cond *c, bool *holds, struct ai_err *err)
{
	struct flow_scope scope = { get, NULL };
	struct scope s;
	int rc;

	open_scope(&s, w, job, false);
	scope.arg = &s;
	rc = flow_cond_holds(c, &scope, holds, err);
	close_scope(&s);
	/* Such as a pattern that takes too long: it would later, too. */
	if (rc < 0 && err->code != AI_E_MEMORY) {
		*holds = false;
		flow_job_fail(job, "a condition cannot be told: %s", err->msg);
		return 0;
	}
	return rc;
}

int flow_job_holds(struct flow_work *w, struct flow_job *job,
		   const struct flow_cond *c, char kind, size_t n, bool *holds,
		   struct ai_err *err)
{
	struct ai_buf said = AI_BUF_INIT(FLOW_FILE_MAX),
		      result = AI_BUF_INIT(100);
	char name[FLOW_STEP_NAME];
	struct flow_step *s;
	struct ai_value v;
	int rc;

	if (!looks_at_notes(c))
		return test(w, job, c, holds, err);
	s = find_decision(w, job, kind, n, name);
	if (s != NULL) {
		rc = read_decision(s, &v, err);
		if (rc == 0)
			*holds = ai_json_true(ai_json_member(v,
							AI_SPAN("holds")));
		return rc;
	}
	rc = test(w, job, c, holds, err);
	if (rc < 0 || job->at == FLOW_AT_FAILED)
		return rc;
	flow_cond_say(c, &said);
	ai_put_open(&result, '{');
	ai_put_key(&result, "text");
	ai_put_cstr(&result, *holds ? "it holds" : "it does not hold");
	ai_put_key(&result, "holds");
	ai_put_bool(&result, *holds);
	rc = write_decision(w, name, &said, &result, err);
	ai_buf_release(&said);
	ai_buf_release(&result);
	return rc;
}

static int look_up(struct flow_work *w, struct flow_job *job,
		   const struct flow_text *t, struct ai_buf *b,
		   struct ai_err *err)
{
	struct flow_scope scope = { get, NULL };
	struct ai_value v;
	struct scope s;

	open_scope(&s, w, job, false);
	scope.arg = &s;
	v = flow_text_value(t, &scope);
	ai_buf_clear(b);
	if (v.kind != AI_NONE)
		ai_buf_add(b, v.s.p, v.s.n);
	taint(job, s.by);
	close_scope(&s);
	return ai_buf_check(b, "a value of the workflow", err);
}

/* A note is a text; one that is a list in JSON is that list. */
static void unwrap(struct ai_buf *b)
{
	struct ai_buf text = AI_BUF_INIT(AI_NOTE_TEXT);
	struct ai_value v = value_of(b);

	if (v.kind == AI_STRING && ai_json_text(v, &text) == 0 &&
	    ai_json_check(ai_buf_cstr(&text), text.len, &v, NULL) == 0 &&
	    v.kind == AI_ARRAY) {
		ai_buf_clear(b);
		ai_buf_add(b, v.s.p, v.s.n);
	}
	ai_buf_release(&text);
}

static int take_value(struct flow_job *job, struct flow_step *s,
		      struct ai_buf *b, struct ai_err *err)
{
	struct ai_buf by = AI_BUF_INIT(AI_NOTE_BY);
	struct ai_value v, m;

	if (read_decision(s, &v, err) < 0)
		return -1;
	ai_buf_clear(b);
	m = ai_json_member(v, AI_SPAN("value"));
	if (m.kind != AI_NONE)
		ai_buf_add(b, m.s.p, m.s.n);
	m = ai_json_member(v, AI_SPAN("tainted_by"));
	if (m.kind == AI_STRING && ai_json_text(m, &by) == 0)
		taint(job, ai_buf_cstr(&by));
	ai_buf_release(&by);
	flow_journal_taken(s);
	return ai_buf_check(b, "a value of the workflow", err);
}

int flow_job_value(struct flow_work *w, struct flow_job *job,
		   const struct flow_text *t, struct ai_buf *b,
		   struct ai_err *err)
{
	struct ai_buf said = AI_BUF_INIT(FLOW_FILE_MAX),
		      result = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	char name[FLOW_STEP_NAME];
	struct flow_step *s;
	int rc;

	if (!flow_text_names(t, FLOW_NOTES))
		return look_up(w, job, t, b, err);
	s = find_decision(w, job, '[', 0, name);
	if (s != NULL)
		return take_value(job, s, b, err);
	rc = look_up(w, job, t, b, err);
	if (rc < 0)
		return rc;
	unwrap(b);
	flow_text_say(t, &said);
	ai_put_open(&result, '{');
	if (b->len > 0) {
		ai_put_key(&result, "value");
		ai_put_raw(&result, b->p, b->len);
	}
	if (job->by[0] != '\0') {
		ai_put_key(&result, "tainted_by");
		ai_put_cstr(&result, job->by);
	}
	rc = write_decision(w, name, &said, &result, err);
	ai_buf_release(&said);
	ai_buf_release(&result);
	return rc;
}

bool flow_text_names(const struct flow_text *t, enum flow_name what)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].what == what)
			return true;
	return false;
}
