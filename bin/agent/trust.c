/*
 * trust.c: who has chosen the target of an effect.
 *
 * Texts of the person who gave the task, and results of trusted tools, are
 * trusted; all other results taint the run.  In a tainted run a call with an
 * effect goes on only if each of its targets stands, as a whole word, in what
 * is trusted: then the person has named it, whatever a text from elsewhere
 * has talked the model into.
 */
#include "agent.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent_trust {
	struct ai_buf text;
	char by[65]; /* the tool that has tainted it; "": none */
	bool hearsay; /* by what is said of it, not by its result */
};

int agent_trust_new(struct agent_trust **t, struct ai_err *err)
{
	*t = calloc(1, sizeof(**t));
	if (*t == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&(*t)->text, AGENT_TEXT_MAX);
	return 0;
}

void agent_trust_free(struct agent_trust *t)
{
	if (t == NULL)
		return;
	ai_buf_release(&t->text);
	free(t);
}

void agent_trust_add(struct agent_trust *t, struct ai_span text)
{
	ai_buf_add(&t->text, text.p, text.n);
	ai_buf_chr(&t->text, '\n'); /* no word goes over it */
}

void agent_trust_taint(struct agent_trust *t, const char *by)
{
	if (t->by[0] == '\0')
		snprintf(t->by, sizeof(t->by), "%s", by);
}

void agent_trust_hear(struct agent_trust *t, const char *tool)
{
	if (t->by[0] == '\0')
		t->hearsay = true;
	agent_trust_taint(t, tool);
}

const char *agent_trust_by(const struct agent_trust *t)
{
	return t->by[0] == '\0' ? NULL : t->by;
}

struct ai_span agent_trust_text(const struct agent_trust *t)
{
	return (struct ai_span){ ai_buf_cstr(&t->text), t->text.len };
}

/* Bytes that a name, a path, an address or a number goes on with. */
static bool goes_on(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || strchr("_-/@%+=&#~\\", c) != NULL;
}

/* A full stop, a colon or a question mark ends a sentence, or is in a word. */
static bool goes_on_at(const char *p, const char *end)
{
	if (p == end || *p == '\0')
		return false;
	if (strchr(".:?", *p) != NULL)
		return p + 1 < end && goes_on((unsigned char)p[1]);
	/* 1 and 000 are not what 1,000 is. */
	if (*p == ',')
		return isdigit((unsigned char)p[-1]) && p + 1 < end &&
			isdigit((unsigned char)p[1]);
	return goes_on((unsigned char)*p);
}

/* Likewise before a word, which does not begin the text. */
static bool goes_on_before(const char *begin, const char *p)
{
	if (strchr(".:?", *p) != NULL)
		return p > begin && goes_on((unsigned char)p[-1]);
	if (*p == ',')
		return p > begin && isdigit((unsigned char)p[-1]) &&
			isdigit((unsigned char)p[1]);
	return goes_on((unsigned char)*p);
}

static bool stands_in(const struct ai_buf *text, struct ai_span word)
{
	const char *p = ai_buf_cstr(text), *end = p + text->len, *hit;

	if (word.n == 0)
		return true;
	while ((hit = memmem(p, (size_t)(end - p), word.p, word.n)) != NULL) {
		const char *begin = ai_buf_cstr(text);
		bool open = hit == begin || !goes_on_before(begin, hit - 1);

		if (open && !goes_on_at(hit + word.n, end))
			return true;
		p = hit + 1;
	}
	return false;
}

static bool word_stands(const struct agent_trust *t, struct ai_value v,
			struct ai_buf *word)
{
	ai_buf_clear(word);
	if (v.kind == AI_STRING)
		ai_json_text(v, word);
	else
		ai_buf_add(word, v.s.p, v.s.n);
	return word->bad == AI_E_NONE &&
		stands_in(&t->text, (struct ai_span){ ai_buf_cstr(word),
						      word->len });
}

/* A name that the tool's schema has is the tool's; another one is the model's
 * choice, as {"mallory@example.com": true}. */
static bool key_stands(const struct agent_trust *t,
		       const struct agent_tool *tool, struct ai_value key,
		       struct ai_buf *word)
{
	return memmem(tool->parameters.p, tool->parameters.n, key.s.p,
		      key.s.n) != NULL || word_stands(t, key, word);
}

/* The value's strings and numbers, each; true and false choose nothing. */
static bool value_stands(const struct agent_trust *t,
			 const struct agent_tool *tool, struct ai_value v,
			 struct ai_buf *word)
{
	struct ai_json_iter it;
	struct ai_value key, inner;

	if (v.kind == AI_ARRAY || v.kind == AI_OBJECT) {
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, &key, &inner))
			if ((v.kind == AI_OBJECT &&
			     !key_stands(t, tool, key, word)) ||
			    !value_stands(t, tool, inner, word))
				return false;
		return true;
	}
	return (v.kind != AI_STRING && v.kind != AI_NUMBER) ||
		word_stands(t, v, word);
}

/* An argument that the schema does not have may be anything to the tool. */
static bool is_declared(const struct agent_tool *tool, struct ai_value key)
{
	struct ai_value schema, list, name, v;
	struct ai_json_iter it;
	struct ai_err err;

	if (ai_json_check(tool->parameters.p, tool->parameters.n, &schema,
			  &err) < 0)
		return false;
	list = ai_json_member(schema, AI_SPAN("properties"));
	if (list.kind != AI_OBJECT)
		return false;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, &name, &v))
		if (ai_span_eq(name.s, key.s))
			return true;
	return false;
}

static bool is_target(const struct agent_tool *tool, struct ai_value key)
{
	const char *const *t = tool->targets;

	if (t == NULL || *t == NULL)
		return true;
	for (; *t != NULL; t++)
		if (ai_json_is(key, ai_span_of(*t)))
			return true;
	return !is_declared(tool, key);
}

bool agent_trust_covers(const struct agent_trust *t,
			const struct agent_tool *tool, struct ai_span args)
{
	struct ai_buf word = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_value object;
	struct ai_err err;
	bool covers = t->by[0] == '\0' ||
		(ai_json_check(args.p, args.n, &object, &err) == 0 &&
		 value_stands(t, tool, object, &word));

	ai_buf_release(&word);
	return covers;
}

bool agent_trust_allows(const struct agent_trust *t,
			const struct agent_tool *tool, struct ai_span args,
			struct ai_buf *why)
{
	struct ai_buf word = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_value object, key, v;
	struct ai_json_iter it;
	struct ai_err err;
	bool allowed = true;

	if (agent.taint == AGENT_TAINT_OFF || !(tool->writes || tool->sends) ||
	    t->by[0] == '\0')
		return true;
	if (ai_json_check(args.p, args.n, &object, &err) < 0)
		return false;
	ai_json_iter_init(&it, object);
	while (allowed && ai_json_next(&it, &key, &v)) {
		if (!is_target(tool, key) ||
		    (key_stands(t, tool, key, &word) &&
		     value_stands(t, tool, v, &word)))
			continue;
		allowed = false;
		ai_buf_str(why, "its ");
		ai_json_text(key, why);
		ai_buf_fmt(why, " '%.100s' is not named in the task, and the "
			   "run has read what %s", ai_buf_cstr(&word),
			   t->hearsay ? "a server says of " : "");
		ai_buf_fmt(why, t->hearsay ? "'%s'" : "'%s' gave back", t->by);
	}
	ai_buf_release(&word);
	return allowed;
}
