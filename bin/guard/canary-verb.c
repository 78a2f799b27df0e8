/* canary-verb.c: ai-guard canary: records get their canary. */
#include "canary.h"

#include "text/view-build.h"

#include <stdio.h>
#include <string.h>

static void put_marker(struct ai_buf *b, const struct guard_canary *c)
{
	for (size_t i = 0; i < GUARD_CANARY_LETTERS; i++) {
		if (i > 0 && i % 5 == 0)
			ai_buf_chr(b, '-');
		ai_buf_chr(b, c->letters[i]);
	}
}

/* The line that goes behind the instructions. */
static void put_line(struct ai_buf *b, const struct ai_rec *rec)
{
	bool repeat = guard_canary_settings.repeat;
	struct guard_canary c;

	guard_canary_make(&c, repeat ? GUARD_CANARY_REPEAT : GUARD_CANARY_LEAK,
			  rec);
	ai_buf_str(b, repeat ? "End every answer with this line as it is: "
			       "(ref. "
			     : "(ref. ");
	put_marker(b, &c);
	ai_buf_chr(b, ')');
}

/* Puts the line behind the text at the path. */
static int append(struct ai_rec *rec, const char *path, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)256 << 20);
	int rc = ai_rec_text(rec, path, &b, err);

	if (rc == 0) {
		if (b.len > 0)
			ai_buf_str(&b, b.p[b.len - 1] == '\n' ? "\n" : "\n\n");
		put_line(&b, rec);
		rc = ai_buf_check(&b, "the text", err) < 0
			     ? -1
			     : ai_rec_rewrite(rec, path, b.p, b.len, err);
	}
	ai_buf_release(&b);
	return rc;
}

/* Sets a member to what it is with the line put before the rest: an array gets
 * a message, an object a member. */
static int insert(struct ai_rec *rec, const char *name, struct ai_value v,
		  struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)256 << 20);
	struct ai_buf line = AI_BUF_INIT(1024);
	bool array = v.kind == AI_ARRAY;
	size_t from = 1;
	int rc;

	put_line(&line, rec);
	ai_put_open(&b, array ? '[' : '{');
	if (array) {
		ai_put_open(&b, '{');
		ai_put_key(&b, "role");
		ai_put_cstr(&b, "system");
	}
	ai_put_key(&b, array ? "content" : "system");
	ai_put_cstr(&b, ai_buf_cstr(&line));
	if (array)
		ai_put_close(&b, '}');
	while (from < v.s.n && ai_view_blank(v.s.p[from]))
		from++;
	if (from + 1 < v.s.n)
		ai_buf_chr(&b, ',');
	if (v.s.n > from)
		ai_buf_add(&b, v.s.p + from, v.s.n - from);
	else
		ai_put_close(&b, array ? ']' : '}');
	rc = ai_buf_check(&b, name, err);
	if (rc == 0)
		rc = ai_rec_set(rec, name, &b, err);
	ai_buf_release(&b);
	ai_buf_release(&line);
	return rc;
}

/* The first message of the system with a text: its path; false: none. */
static bool system_path(struct ai_value messages, char *path, size_t size)
{
	struct ai_json_iter it;
	struct ai_value m, content, role;

	ai_json_iter_init(&it, messages);
	for (size_t i = 0; ai_json_next(&it, NULL, &m); i++) {
		if (m.kind != AI_OBJECT)
			continue;
		role = ai_json_member(m, AI_SPAN("role"));
		content = ai_json_member(m, AI_SPAN("content"));
		if (role.kind != AI_STRING ||
		    (!ai_json_is(role, AI_SPAN("system")) &&
		     !ai_json_is(role, AI_SPAN("developer"))))
			continue;
		snprintf(path, size, "messages.%zu.content", i);
		if (content.kind == AI_STRING)
			return true;
		snprintf(path, size, "messages.%zu.content.0.text", i);
		if (ai_json_get(content, "0.text").kind == AI_STRING)
			return true;
	}
	return false;
}

static int plant(struct ai_rec *rec, struct ai_err *err)
{
	struct ai_value messages = ai_rec_get(rec, "messages"), params;
	char path[64];

	if (ai_loop.path != NULL)
		return append(rec, ai_loop.path, err);
	if (messages.kind == AI_ARRAY)
		return system_path(messages, path, sizeof path)
			       ? append(rec, path, err)
			       : insert(rec, "messages", messages, err);
	if (ai_rec_get(rec, "instructions").kind == AI_STRING)
		return append(rec, "instructions", err);
	if (ai_rec_get(rec, "params.system").kind == AI_STRING)
		return append(rec, "params.system", err);
	params = ai_rec_get(rec, "params");
	if (params.kind != AI_NONE && params.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_RECORD, "'params' is no object");
	return insert(rec, "params", params, err);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	(void)state;
	return plant(rec, err) < 0 ? -1 : ai_emit_rec(out, rec, err);
}

int guard_canary(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = { .each = each };
	int rc;

	if (guard_canary_settings.key == NULL)
		return ai_err_set(err, AI_E_USAGE, "canary needs --canary-key");
	if (guard_canary_load(err) < 0)
		return -1;
	rc = ai_loop_run(&filter, argc, argv, err);
	guard_canary_unload();
	return rc;
}
