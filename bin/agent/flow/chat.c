/* chat.c: several agents who talk until a condition holds. */
#include "flow/run.h"

#include "base/msg.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void flow_talk_init(struct flow_talk *t)
{
	memset(t, 0, sizeof(*t));
	t->speaker = t->next = FLOW_NONE;
	ai_buf_init(&t->message, AGENT_TEXT_MAX);
	ai_buf_init(&t->transcript, AGENT_TEXT_MAX);
}

void flow_talk_release(struct flow_talk *t)
{
	ai_buf_release(&t->message);
	ai_buf_release(&t->transcript);
}

int flow_chat_begin(struct flow_work *w, struct flow_job *job,
		    struct ai_err *err)
{
	(void)w;
	(void)err;
	flow_talk_release(&job->talk);
	flow_talk_init(&job->talk);
	job->at = FLOW_AT_CHOOSE;
	return 0;
}

static const struct flow_chat *chat_of(const struct flow_work *w,
				       const struct flow_job *job)
{
	return &w->flow->tasks[job->task].chat;
}

/* What was said so far, as text. */
static void put_transcript(const struct flow_job *job, struct ai_buf *b)
{
	struct ai_buf json = AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	struct ai_value v = { AI_STRING, { NULL, 0 } };

	ai_buf_chr(&json, '"');
	ai_buf_add(&json, job->talk.transcript.p, job->talk.transcript.len);
	ai_buf_chr(&json, '"');
	v.s = (struct ai_span){ ai_buf_cstr(&json), json.len };
	ai_json_text(v, b);
	ai_buf_release(&json);
}

/* The task, and the conversation unless the task's text has it, behind what
 * comes first. */
static int put_task(struct flow_work *w, struct flow_job *job,
		    const char *first, struct ai_err *err)
{
	const struct flow_text *t = &w->flow->tasks[job->task].description;

	ai_buf_clear(&job->ask);
	ai_buf_clear(&job->trusted);
	ai_buf_str(&job->ask, first);
	if (flow_job_text(w, job, t, &job->ask, err) < 0)
		return -1;
	if (job->talk.n == 0 || flow_text_names(t, FLOW_TRANSCRIPT))
		return 0;
	ai_buf_str(&job->ask, "\n\nThe conversation so far:\n\n");
	put_transcript(job, &job->ask);
	return 0;
}

/* ---- who is next ------------------------------------------------------------------ */

static size_t in_turn(const struct flow_chat *c, const struct flow_talk *t)
{
	return c->agents[t->n % c->n_agents];
}

static void put_speakers(const struct flow_work *w, const struct flow_chat *c,
			 struct ai_buf *b)
{
	for (size_t i = 0; i < c->n_agents; i++) {
		const struct flow_agent *a = &w->flow->agents[c->agents[i]];

		ai_buf_fmt(b, "\n- %s", a->name);
		if (a->role != NULL)
			ai_buf_fmt(b, ": %s", a->role);
	}
}

static int choose(struct flow_work *w, struct flow_job *job,
		  struct ai_err *err)
{
	const struct flow_chat *c = chat_of(w, job);
	char name[FLOW_STEP_NAME];
	int rc;

	job->at = FLOW_AT_CHOSEN;
	if (job->talk.next != FLOW_NONE || c->chooser == FLOW_NONE ||
	    c->n_agents == 1) {
		if (job->talk.next == FLOW_NONE)
			job->talk.next = in_turn(c, &job->talk);
		job->at = FLOW_AT_SPEAK;
		return 1;
	}
	job->agent = c->chooser;
	if (put_task(w, job, "You say who speaks next in a conversation. Its "
		     "task:\n\n", err) < 0)
		return -1;
	ai_buf_str(&job->ask, "\n\nThose who may speak:");
	put_speakers(w, c, &job->ask);
	ai_buf_str(&job->ask, "\n\nAnswer with the name of the one who is to "
		   "speak next, and nothing else.");
	flow_ask_name(w, job, '@', job->talk.n + 1, true, name);
	rc = flow_ask(w, job, name, err);
	if (job->waits)
		job->at = FLOW_AT_CHOOSE;
	return rc;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Where the name stands in the text as a word of its own; NULL: nowhere. */
static const char *find_name(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *p;

	for (p = strcasestr(text, name); p != NULL;
	     p = strcasestr(p + 1, name))
		if ((p == text || !is_word(p[-1])) && !is_word(p[n]))
			return p;
	return NULL;
}

/* Whether what stands before p speaks of who it is not: "Not ann again". */
static bool is_denied(const char *text, const char *p)
{
	static const char *const words[] = { "not", "nor", "never", "without",
					     "than", "after", "except" };
	const char *end;
	size_t n;

	while (p > text && strchr(" \t\r\n*_\"'`", p[-1]) != NULL)
		p--;
	for (end = p; p > text && is_word(p[-1]); p--)
		;
	n = (size_t)(end - p);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == n && strncasecmp(p, words[i], n) == 0)
			return true;
	return end - text >= 3 && strncasecmp(end - 3, "n't", 3) == 0;
}

/* The first that is named, unless that is said of who it is not to be;
 * FLOW_NONE: nobody is. */
static size_t find_chosen(const struct flow_work *w, const struct flow_chat *c,
			  const char *text)
{
	size_t best = FLOW_NONE;
	const char *first = NULL, *p;

	for (size_t i = 0; i < c->n_agents; i++) {
		const char *name = w->flow->agents[c->agents[i]].name;

		p = find_name(text, name);
		while (p != NULL && is_denied(text, p))
			p = find_name(p + strlen(name), name);
		if (p != NULL && (first == NULL || p < first)) {
			first = p;
			best = c->agents[i];
		}
	}
	return best;
}

/* If nobody is named, who is in turn. */
static size_t chosen(const struct flow_work *w, const struct flow_job *job,
		     const char *text)
{
	const struct flow_chat *c = chat_of(w, job);
	size_t best = find_chosen(w, c, text), next = in_turn(c, &job->talk);

	if (best != FLOW_NONE)
		return best;
	ai_msg(AI_MSG_WARN, "the task '%s': %s was asked who speaks next, and "
	       "names nobody: it is %s, in turn",
	       w->flow->tasks[job->task].name,
	       w->flow->agents[c->chooser].name, w->flow->agents[next].name);
	return next;
}

static void use(struct flow_talk *t, const struct flow_answer *a)
{
	t->nano += a->nano;
	t->tokens += a->input + a->output;
	t->seconds += a->seconds;
}

static int take_choice(struct flow_work *w, struct flow_job *job,
		       struct ai_err *err)
{
	struct flow_answer a;
	bool there;
	int rc;

	flow_answer_init(&a);
	rc = flow_ask_take(w, job, &a, &there, err);
	if (rc == 0 && there) {
		rc = 1;
		use(&job->talk, &a);
		job->at = FLOW_AT_SPEAK;
		if (a.failed)
			flow_job_blame(job, &a, "nobody said who speaks next");
		else
			job->talk.next = chosen(w, job, ai_buf_cstr(&a.text));
	}
	flow_answer_release(&a);
	return rc;
}

/* ---- a message ---------------------------------------------------------------------- */

static int speak(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	const struct flow_task *t = &w->flow->tasks[job->task];
	char name[FLOW_STEP_NAME];
	int rc;

	job->agent = job->talk.next;
	if (put_task(w, job, "", err) < 0)
		return -1;
	ai_buf_fmt(&job->ask, "\n\nYou are %s. Say what you have to say next, "
		   "without your name before it.",
		   w->flow->agents[job->agent].name);
	if (job->why.len > 0)
		ai_buf_fmt(&job->ask, "\n\nThe last conversation came to a "
			   "result that was not taken: %s",
			   ai_buf_cstr(&job->why));
	flow_guard_say_schema(t, &job->ask);
	flow_ask_name(w, job, '@', job->talk.n + 1, false, name);
	rc = flow_ask(w, job, name, err);
	if (!job->waits)
		job->at = FLOW_AT_SPOKEN;
	return rc;
}

static bool is_in(const struct flow_chat *c, size_t agent_at)
{
	for (size_t i = 0; i < c->n_agents; i++)
		if (c->agents[i] == agent_at)
			return true;
	return false;
}

/* Who hands on says who is next. */
static void take_message(const struct flow_work *w, struct flow_job *job,
			 const struct flow_answer *a)
{
	const struct ai_buf *text = a->text.len == 0 && a->task.len > 0
		? &a->task : &a->text;
	const char *name = w->flow->agents[job->agent].name;
	struct flow_talk *t = &job->talk;
	size_t next = a->to.len == 0 ? FLOW_NONE : flow_find_agent(w->flow,
		(struct ai_span){ a->to.p, a->to.len });

	use(t, a);
	t->n++;
	t->speaker = job->agent;
	t->next = next != FLOW_NONE && is_in(chat_of(w, job), next) ? next
		: FLOW_NONE;
	ai_buf_clear(&t->message);
	ai_put_str(&t->message, ai_buf_cstr(text), text->len);
	if (t->transcript.len > 0)
		ai_buf_str(&t->transcript, "\\n\\n");
	ai_put_inside(&t->transcript, name, strlen(name));
	ai_buf_str(&t->transcript, ": ");
	ai_put_inside(&t->transcript, ai_buf_cstr(text), text->len);
	ai_buf_clear(&job->text);
	ai_buf_add(&job->text, text->p, text->len);
}

static int take_speech(struct flow_work *w, struct flow_job *job,
		       struct ai_err *err)
{
	const struct flow_chat *c = chat_of(w, job);
	struct flow_answer a;
	bool there, holds = false;
	char what[FLOW_NAME + 20];
	int rc;

	flow_answer_init(&a);
	rc = flow_ask_take(w, job, &a, &there, err);
	if (rc == 0 && there) {
		rc = 1;
		if (a.failed) {
			snprintf(what, sizeof(what), "%s could not speak",
				 w->flow->agents[job->agent].name);
			flow_job_blame(job, &a, what);
		} else {
			take_message(w, job, &a);
			if (c->until != NULL &&
			    flow_job_holds(w, job, c->until, '@', job->talk.n,
					   &holds, err) < 0)
				rc = -1;
			if (job->at != FLOW_AT_FAILED)
				job->at = holds ||
					(int64_t)job->talk.n >= c->max
					? FLOW_AT_CHECK : FLOW_AT_CHOOSE;
		}
		if (rc > 0 && ai_buf_check(&job->talk.transcript,
					   "the conversation", err) < 0)
			rc = -1;
	}
	flow_answer_release(&a);
	return rc;
}

int flow_chat_go(struct flow_work *w, struct flow_job *job, struct ai_err *err)
{
	switch (job->at) {
	case FLOW_AT_CHOOSE:
		return choose(w, job, err);
	case FLOW_AT_CHOSEN:
		return take_choice(w, job, err);
	case FLOW_AT_SPEAK:
		return speak(w, job, err);
	default:
		return take_speech(w, job, err);
	}
}
