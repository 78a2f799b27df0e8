/*
 * schema.c: answers as JSON that must satisfy a schema.
 *
 * A provider that can hold a model to a schema is asked to; every answer is
 * checked here all the same: not all of them keep what they promise, and an
 * answer that was cut off is no JSON.
 */
#include "complete.h"

#include "record/schema.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA_MAX ((size_t)1 << 20)
#define ERRORS_MAX ((size_t)1 << 16)

/* What --schema says, for all records. */
static struct {
	struct ai_buf text;
	struct ai_value v; /* the same without blanks around it */
	struct ai_schema *compiled;
} all = { .text = AI_BUF_INIT(SCHEMA_MAX + COMPLETE_FILE_ROOM) };

int complete_schema_load(struct ai_err *err)
{
	const char *path = complete_settings.schema;
	const struct complete_file file = { .path = path, .name = path,
		.max = SCHEMA_MAX, .code = AI_E_OPEN };
	struct ai_err why;

	if (path == NULL || *path == '\0')
		return 0;
	if (complete_file_read(&file, &all.text, err) < 0)
		return -1;
	if (ai_schema_new(&all.compiled, ai_buf_cstr(&all.text), all.text.len,
			  &why) < 0 ||
	    ai_json_check(all.text.p, all.text.len, &all.v, &why) < 0)
		return ai_err_set(err, why.code == AI_E_MEMORY ? AI_E_MEMORY
				  : AI_E_DATA, "'%.150s' is no schema: %.200s",
				  path, why.msg);
	if (all.v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "'%.150s' is no schema that "
				  "can be sent: it is not an object", path);
	return 0;
}

void complete_schema_unload(void)
{
	ai_schema_free(all.compiled);
	all.compiled = NULL;
	ai_buf_release(&all.text);
}

void complete_schema_init(struct complete_schema *s)
{
	memset(s, 0, sizeof *s);
	ai_buf_init(&s->answer, COMPLETE_TEXT_MAX);
	ai_buf_init(&s->why, ERRORS_MAX);
	ai_buf_init(&s->errors, ERRORS_MAX);
}

void complete_schema_release(struct complete_schema *s)
{
	complete_schema_clear(s);
	ai_buf_release(&s->answer);
	ai_buf_release(&s->why);
	ai_buf_release(&s->errors);
}

void complete_schema_clear(struct complete_schema *s)
{
	ai_schema_free(s->own);
	s->own = NULL;
	s->compiled = NULL;
	s->text = (struct ai_span){ NULL, 0 };
	s->asked = 0;
	ai_buf_shrink(&s->answer, (size_t)1 << 16);
	ai_buf_clear(&s->why);
	ai_buf_clear(&s->errors);
}

int complete_schema_take(struct complete_schema *s, struct ai_span own,
			 struct ai_err *err)
{
	struct ai_err why;

	complete_schema_clear(s);
	if (own.n == 0) {
		s->compiled = all.compiled;
		if (all.compiled != NULL)
			s->text = all.v.s;
		return 0;
	}
	if (ai_schema_new(&s->own, own.p, own.n, &why) < 0)
		return ai_err_set(err, why.code == AI_E_MEMORY ? AI_E_MEMORY
				  : AI_E_RECORD, "the record's schema is none: "
				  "%.200s", why.msg);
	s->compiled = s->own;
	s->text = own;
	return 0;
}

/* ---- answers --------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Within a fence of Markdown, which many models put around it: ```json */
static struct ai_span unfence(struct ai_span s)
{
	const char *end;

	s = trim(s);
	if (s.n < 6 || memcmp(s.p, "```", 3) != 0 ||
	    memcmp(s.p + s.n - 3, "```", 3) != 0)
		return s;
	end = memchr(s.p, '\n', s.n - 3);
	if (end == NULL)
		return s;
	s.n -= 3 + (size_t)(end - s.p);
	s.p = end;
	return trim(s);
}

void complete_schema_strip(struct ai_buf *text)
{
	struct ai_span s = unfence((struct ai_span){ ai_buf_cstr(text),
						     text->len });

	if (s.n == text->len)
		return;
	memmove(text->p, s.p, s.n);
	text->len = s.n;
	text->p[s.n] = '\0';
}

void complete_schema_note(struct complete_schema *s, const struct ai_buf *text,
			  const char *why)
{
	if (s->asked++ == 0)
		ai_buf_clear(&s->errors);
	ai_buf_shrink(&s->answer, (size_t)1 << 16);
	ai_buf_add(&s->answer, text->p, text->len);
	ai_buf_clear(&s->why);
	ai_buf_str(&s->why, why);
	ai_put_cstr(&s->errors, why);
}

int complete_schema_check(struct complete_schema *s,
			  const struct ai_chat_answer *a, bool *again,
			  struct ai_err *err)
{
	char what[300];
	struct ai_err why;

	*again = false;
	if (ai_schema_check(s->compiled, ai_buf_cstr(&a->text), a->text.len,
			    &why) == 0)
		return 0;
	if (why.code == AI_E_MEMORY) {
		*err = why;
		return -1;
	}
	snprintf(what, sizeof what, "%s%.250s", why.code == AI_E_JSON
		 ? "it is not JSON: " : "", why.msg);
	complete_schema_note(s, &a->text, what);
	/* The next one would be cut off as well. */
	if (strcmp(a->finish_reason, "length") == 0)
		return ai_err_set(err, AI_E_ANSWER, "the answer was cut off by "
				  "its limit and does not satisfy the schema: "
				  "%.200s; give a larger --max-tokens",
				  what);
	*again = s->asked <= complete_settings.schema_retries;
	return ai_err_set(err, AI_E_ANSWER, "the answer does not satisfy the "
			  "schema%s: %.250s", s->asked > 1 ? ", nor did those "
			  "before it" : "", what);
}

void complete_schema_next(struct complete_schema *s)
{
	s->asked = 0;
}
