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

int flow_job_holds(struct flow_work *w, struct flow_job *job,
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

int flow_job_value(struct flow_work *w, struct flow_job *job,
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

bool flow_text_names(const struct flow_text *t, enum flow_name what)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].what == what)
			return true;
	return false;
}
