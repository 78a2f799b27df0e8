/* notes.c: the tools that read and write the notes that all runs of a workflow
 * share.  A note says whose words it may be, and taints who reads it. */
#include "team/team.h"
#include "tool/builtin.h"
#include "tool/result.h"

#include "store/note.h"

#include <stdio.h>
#include <string.h>

static struct agent_run *run_of(const struct agent_call *c)
{
	struct agent_run *const *current = c->tool->of;

	return *current;
}

static void take_by(struct agent_call *c, const char *by)
{
	if (by[0] == '\0')
		c->clean = c->by[0] == '\0';
	else if (c->by[0] == '\0')
		snprintf(c->by, sizeof(c->by), "%s", by);
	if (c->by[0] != '\0')
		c->clean = false;
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static int write_note(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf key = AI_BUF_INIT(AGENT_TEXT_MAX),
		      text = AI_BUF_INIT(AGENT_TEXT_MAX);
	const struct agent_run *r = run_of(c);
	const char *by = agent_trust_by(r->trust);
	struct ai_note n = { .by = by == NULL ? "" : by };
	int rc;

	rc = agent_call_text(c, "key", "", &key, err) < 0 ||
		agent_call_text(c, "text", "", &text, err) < 0 ? -1 : 0;
	n.key = span_of(&key);
	n.text = span_of(&text);
	if (rc == 0)
		rc = ai_note_put(r->journal.ledger, r->root, c->key, &n, err);
	if (rc == 0)
		ai_buf_str(&c->text, text.len > 0 ? "It is written."
						  : "It is taken away.");
	c->clean = true;
	ai_buf_release(&key);
	ai_buf_release(&text);
	return rc;
}

static int read_note(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf key = AI_BUF_INIT(AGENT_TEXT_MAX),
		      text = AI_BUF_INIT(AI_NOTE_TEXT);
	const struct agent_run *r = run_of(c);
	char by[AI_NOTE_BY] = "";
	int rc = agent_call_text(c, "key", "", &key, err);

	if (rc == 0)
		rc = ai_note_get(r->journal.ledger, r->root, span_of(&key),
				 &text, by, err);
	if (rc > 0)
		agent_result_text(&c->text, span_of(&text),
				  (size_t)c->tool->max_output);
	else if (rc == 0)
		ai_buf_str(&c->text, "There is no note with this key.");
	take_by(c, by);
	ai_buf_release(&key);
	ai_buf_release(&text);
	return rc < 0 ? -1 : 0;
}

struct listing {
	struct agent_call *c;
	struct ai_buf text;
};

static int add_note(void *arg, const struct ai_note *n)
{
	struct listing *l = arg;

	ai_buf_str(&l->text, l->text.len > 0 ? "\n" : "");
	ai_buf_add(&l->text, n->key.p, n->key.n);
	ai_buf_fmt(&l->text, " (%zu bytes)", n->text.n);
	take_by(l->c, n->by);
	return 0;
}

static int list_notes(struct agent_call *c, struct ai_err *err)
{
	struct listing l = { c, AI_BUF_INIT(AGENT_TEXT_MAX) };
	const struct agent_run *r = run_of(c);
	int rc;

	c->clean = true;
	rc = ai_note_list(r->journal.ledger, r->root, add_note, &l, err);
	if (rc == 0 && l.text.len == 0)
		ai_buf_str(&l.text, "There are no notes.");
	if (rc == 0)
		rc = ai_buf_check(&l.text, "the notes", err);
	if (rc == 0)
		agent_result_text(&c->text, span_of(&l.text),
				  (size_t)c->tool->max_output);
	ai_buf_release(&l.text);
	return rc;
}

#define KEY "\"key\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}"

static const struct {
	const char *name, *description, *parameters;
	enum agent_effect effect;
	struct agent_tool_kind kind;
} rows[] = {
	{ "notes_write", "Writes a note that all agents at this work can read; "
	  "an older one with the same key is replaced, and an empty text takes "
	  "it away.",
	  "{\"type\":\"object\",\"properties\":{" KEY ",\"text\":{\"type\":"
	  "\"string\",\"maxLength\":65536}},\"required\":[\"key\",\"text\"],"
	  "\"additionalProperties\":false}", AGENT_IDEMPOTENT,
	  { .begin = write_note } },
	{ "notes_read", "Reads a note that an agent at this work has written.",
	  "{\"type\":\"object\",\"properties\":{" KEY "},\"required\":"
	  "[\"key\"],\"additionalProperties\":false}", AGENT_PURE,
	  { .begin = read_note } },
	{ "notes_list", "Lists the keys of all notes.",
	  "{\"type\":\"object\",\"properties\":{},"
	  "\"additionalProperties\":false}", AGENT_PURE,
	  { .begin = list_notes } },
};

int agent_notes_add(struct agent_tools *t, struct agent_run **current,
		    struct ai_err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct agent_tool tool = {
			.name = rows[i].name,
			.description = rows[i].description,
			.parameters = ai_span_of(rows[i].parameters),
			.kind = &rows[i].kind, .effect = rows[i].effect,
			.max_output = AI_NOTE_TEXT + 1024, .max_calls = -1,
			.of = current,
		};

		if (agent_tools_add(t, &tool, "--team", err) < 0)
			return -1;
	}
	return 0;
}
