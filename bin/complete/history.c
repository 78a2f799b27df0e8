/*
 * history.c: -c NAME: what was said before goes before what is asked, and both
 * are kept in the ledger.
 *
 * The records of one run are turns, one after the other.  What is kept is what
 * was asked and answered, without sources and without the system prompt.
 */
#include "complete.h"

#include "base/start.h"
#include "base/utf8.h"
#include "store/conversation.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX ((size_t)64 << 20)

/* A message as JSON, in complete_history.text. */
struct complete_said {
	size_t at, n;
	bool user;
};

static struct ai_conversation name_of(void)
{
	return (struct ai_conversation){ complete_settings.conversation,
					 ai_paid.tenant, ai_paid.user };
}

int complete_history_check(struct ai_err *err)
{
	const char *name = complete_settings.conversation;
	const char *with = ai_client.resume != NULL ? "--resume" :
		ai_client.resume_by != NULL ? "--resume-by" :
		complete_settings.openai_batch ? "--openai-batch" :
		!ai_paid_has_ledger() ? "--ledger none, where it is kept" :
		ai_loop.jobs > 1 && ai_start_given(&ai_loop.jobs)
			? "-j: its turns come one after the other" : NULL;

	if (name == NULL)
		return 0;
	if (*name == '\0')
		return ai_err_set(err, AI_E_USAGE,
				  "--conversation: a conversation has a name");
	if (ai_utf8_valid(name, strlen(name)) != strlen(name))
		return ai_err_set(err, AI_E_USAGE,
				  "--conversation: the name is not UTF-8");
	if (with != NULL)
		return ai_err_set(err, AI_E_USAGE, "--conversation goes not "
				  "with %s", with);
	ai_loop.jobs = 1;
	return 0;
}

void complete_history_init(struct complete_history *h)
{
	memset(h, 0, sizeof *h);
	ai_buf_init(&h->text, HISTORY_MAX);
	ai_buf_init(&h->asked, HISTORY_MAX);
}

void complete_history_release(struct complete_history *h)
{
	ai_ledger_close(h->ledger);
	ai_buf_release(&h->text);
	ai_buf_release(&h->asked);
	free(h->v);
}

/* ---- what was said ---------------------------------------------------------- */

/* Those before the last ones are not needed. */
static void forget(struct complete_history *h, size_t keep)
{
	size_t cut = h->n - keep, bytes = cut < h->n ? h->v[cut].at
						     : h->text.len;

	if (h->n == 0)
		return;
	ai_buf_consume(&h->text, bytes);
	memmove(h->v, h->v + cut, keep * sizeof *h->v);
	h->n = keep;
	for (size_t i = 0; i < keep; i++)
		h->v[i].at -= bytes;
}

static int say(struct complete_history *h, const char *role,
	       struct ai_span content, struct ai_err *err)
{
	size_t keep = (size_t)complete_settings.history;
	struct complete_said *v;

	if (h->n >= 2 * keep + 2)
		forget(h, keep);
	if (h->n == h->cap) {
		v = reallocarray(h->v, 2 * h->cap + 16, sizeof *v);
		if (v == NULL)
			return ai_err_nomem(err);
		h->v = v;
		h->cap = 2 * h->cap + 16;
	}
	v = &h->v[h->n];
	*v = (struct complete_said){ .at = h->text.len,
				     .user = strcmp(role, "user") == 0 };
	ai_buf_str(&h->text, "{\"role\":");
	ai_put_cstr(&h->text, role);
	ai_buf_str(&h->text, ",\"content\":");
	ai_buf_add(&h->text, content.p, content.n);
	ai_buf_chr(&h->text, '}');
	v->n = h->text.len - v->at;
	h->n++;
	return ai_buf_check(&h->text, "the conversation", err);
}

struct reading {
	struct complete_history *history;
	struct ai_err *err;
	bool failed;
};

static int read_one(void *arg, const struct ai_message *m)
{
	struct reading *r = arg;

	r->failed = say(r->history, m->role, m->content, r->err) < 0;
	return r->failed;
}

int complete_history_load(struct complete_history *h, struct ai_err *err)
{
	const struct ai_conversation c = name_of();
	struct reading r = { h, err, false };

	if (c.name == NULL || h->loaded)
		return 0;
	if (h->ledger == NULL &&
	    ai_ledger_open(&h->ledger, ai_paid.ledger, err) < 0)
		return -1;
	forget(h, 0);
	h->known = ai_conversation_read(h->ledger, &c, read_one, &r, err);
	if (h->known < 0 || r.failed)
		return -1;
	h->loaded = true;
	return 0;
}

size_t complete_history_count(const struct complete_history *h)
{
	size_t most = (size_t)complete_settings.history, n = h->n;

	if (n > most)
		n = most;
	/* Nobody answers first. */
	while (n > 0 && !h->v[h->n - n].user)
		n--;
	return n;
}

struct ai_value complete_history_at(const struct complete_history *h,
				    size_t n, size_t i)
{
	const struct complete_said *s = &h->v[h->n - n + i];

	return (struct ai_value){ AI_OBJECT, { h->text.p + s->at, s->n } };
}

/* ---- what is said now ---------------------------------------------------------- */

static const char *const roles[] = { "user", "assistant", "system",
				     "developer" };

/* What a message says beside role and content would be lost. */
static int check_message(struct ai_value m, struct ai_err *err)
{
	struct ai_value role = ai_json_member(m, AI_SPAN("role"));
	struct ai_json_iter it;
	struct ai_value key, v;
	bool known = false;

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		known = known || ai_json_is(role, ai_span_of(roles[i]));
	v = ai_json_member(m, AI_SPAN("content"));
	if (!known || (v.kind != AI_STRING && v.kind != AI_ARRAY))
		return ai_err_set(err, AI_E_RECORD, "a conversation keeps what "
				  "the user, the assistant and the system say: "
				  "a message is none of it");
	ai_json_iter_init(&it, m);
	while (ai_json_next(&it, &key, &v))
		if (!ai_json_is(key, AI_SPAN("role")) &&
		    !ai_json_is(key, AI_SPAN("content")))
			return ai_err_set(err, AI_E_RECORD, "a conversation "
					  "keeps role and content of a "
					  "message, and not %.*s",
					  (int)(key.s.n > 40 ? 40 : key.s.n),
					  key.s.p);
	return 0;
}

int complete_history_take(const struct complete_request *q, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value m;

	if (complete_settings.conversation == NULL)
		return 0;
	if (q->params.tools.kind != AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "a conversation that is "
				  "kept has no tools");
	if (q->prompt.messages.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, q->prompt.messages);
	while (ai_json_next(&it, NULL, &m))
		if (check_message(m, err) < 0)
			return -1;
	return 0;
}

#define ROLE_MAX 32

/* What a turn adds, at most: the messages of a record, and the answer. */
struct turn {
	struct ai_message *v;
	char (*roles)[ROLE_MAX];
	size_t n;
};

static size_t count(struct ai_value list)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		n++;
	return n;
}

static void turn_add(struct turn *t, const char *role, struct ai_span content,
		     int64_t amount)
{
	t->v[t->n++] = (struct ai_message){ .role = role, .content = content,
					    .amount = amount };
}

static void turn_asked(struct turn *t, struct complete_history *h,
		       const struct complete_request *q)
{
	struct ai_json_iter it;
	struct ai_value m;
	struct ai_buf *b = &h->asked;

	if (q->prompt.messages.kind != AI_ARRAY) {
		ai_put_str(b, ai_buf_cstr(&q->prompt.text),
			   q->prompt.text.len);
		turn_add(t, "user", (struct ai_span){ ai_buf_cstr(b),
						      b->len }, 0);
		return;
	}
	ai_json_iter_init(&it, q->prompt.messages);
	while (ai_json_next(&it, NULL, &m)) {
		ai_wire_copy(m, "role", t->roles[t->n], ROLE_MAX);
		turn_add(t, t->roles[t->n],
			 ai_json_member(m, AI_SPAN("content")).s, 0);
	}
}

static int keep(struct complete_history *h, const struct turn *t,
		struct ai_err *err)
{
	const struct ai_conversation c = name_of();

	if (ai_conversation_add(h->ledger, &c, h->known, t->v, t->n, err) < 0) {
		/* Somebody else has gone on with it. */
		h->loaded = false;
		return -1;
	}
	h->known += (int64_t)t->n;
	for (size_t i = 0; i < t->n; i++)
		if (say(h, t->v[i].role, t->v[i].content, err) < 0)
			return -1;
	return 0;
}

int complete_history_keep(struct complete_history *h,
			  const struct complete_request *q,
			  const struct complete_answer *a, struct ai_err *err)
{
	size_t n = 1 + (q->prompt.messages.kind == AI_ARRAY
			? count(q->prompt.messages) : 1);
	struct ai_buf text = AI_BUF_INIT(HISTORY_MAX);
	struct turn t = { calloc(n, sizeof *t.v), calloc(n, sizeof *t.roles),
			  0 };
	int rc = -1;

	if (complete_settings.conversation == NULL)
		rc = 0;
	else if (t.v == NULL || t.roles == NULL)
		ai_err_nomem(err);
	else {
		ai_buf_clear(&h->asked);
		turn_asked(&t, h, q);
		ai_put_str(&text, ai_buf_cstr(&a->chat.text),
			   a->chat.text.len);
		turn_add(&t, "assistant",
			 (struct ai_span){ ai_buf_cstr(&text), text.len },
			 a->cost + a->call.cost);
		rc = ai_buf_check(&text, "the answer", err);
		if (rc == 0)
			rc = keep(h, &t, err);
	}
	ai_buf_release(&text);
	free(t.v);
	free(t.roles);
	return rc;
}
