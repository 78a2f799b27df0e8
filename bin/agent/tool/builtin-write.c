/* builtin-write.c: writing a file, changing a part of one. */
#include "tool/builtin.h"

#include "crypt/hash.h"

#include <string.h>

#define OUTPUT_MAX 4096
#define TEXT_MAX ((size_t)4 << 20)

static const char *const targets[] = { "path", NULL };

/* Of what is there before it is written: who does it again after a crash is to
 * say the same. */
static void note_links(struct agent_call *c, const struct stat *was)
{
	ai_put_key(&c->note, "links");
	ai_put_i64(&c->note, (int64_t)was->st_nlink);
}

/* A hard link: the other names keep what they had. */
static void say_names(struct agent_call *c, int64_t links)
{
	if (links > 1)
		ai_buf_fmt(&c->text, "; it had %lld more name%s (hard links), "
			   "which keep the old text", (long long)links - 1,
			   links == 2 ? "" : "s");
}

/* ---- write_file ------------------------------------------------------------ */

static int write_prepare(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct ai_buf path = AI_BUF_INIT(4096);
	struct stat was;
	int rc = agent_call_text(c, "path", "", &path, err);

	if (rc == 0) {
		agent_below_look(&b->folder, path.p, &was);
		ai_put_open(&c->note, '{');
		ai_put_key(&c->note, "bytes");
		ai_put_i64(&c->note, (int64_t)was.st_size);
		note_links(c, &was);
		ai_put_close(&c->note, '}');
		rc = ai_buf_check(&c->note, "the note of a call", err);
	}
	ai_buf_release(&path);
	return rc;
}

static int say_written(struct agent_call *c, size_t n, struct ai_err *err)
{
	int64_t bytes = -1, links = 0;
	struct ai_value note;

	if (ai_json_check(ai_buf_cstr(&c->note), c->note.len, &note, err) < 0)
		return -1;
	ai_json_i64(ai_json_get(note, "bytes"), &bytes);
	ai_json_i64(ai_json_get(note, "links"), &links);
	ai_buf_fmt(&c->text, "wrote %zu bytes; ", n);
	if (bytes < 0)
		ai_buf_str(&c->text, "the file is new");
	else
		ai_buf_fmt(&c->text, "it replaced a file of %lld bytes",
			   (long long)bytes);
	say_names(c, links);
	return 0;
}

static int write_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct ai_buf path = AI_BUF_INIT(4096), text = AI_BUF_INIT(TEXT_MAX);
	int rc = -1;

	if (agent_call_text(c, "path", "", &path, err) == 0 &&
	    agent_call_text(c, "content", "", &text, err) == 0)
		rc = agent_below_write(&b->folder, path.p,
				       (struct ai_span){ text.p, text.len },
				       c->key, err);
	if (rc == 0)
		rc = say_written(c, text.len, err);
	ai_buf_release(&path);
	ai_buf_release(&text);
	return rc;
}

static const struct agent_tool_kind write_kind = {
	.begin = write_begin, .prepare = write_prepare,
};

const struct agent_builtin agent_builtin_write_file = {
	.name = "write_file",
	.description = "Writes a text file of the working folder. The whole "
		"file is replaced; folders that are not there are made.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the file, relative to the working folder\"},"
		"\"content\":{\"type\":\"string\",\"description\":\"all that is "
		"to be in it\"}},"
		"\"required\":[\"path\",\"content\"],"
		"\"additionalProperties\":false}",
	.kind = &write_kind, .effect = AGENT_IDEMPOTENT, .writes = true,
	.trusted = true, .targets = targets, .timeout_s = 30,
	.max_output = OUTPUT_MAX,
};

/* ---- patch_file ------------------------------------------------------------ */

struct patch {
	struct ai_buf path, old, new, before, after;
	struct stat was;
};

static void patch_release(struct patch *p)
{
	ai_buf_release(&p->path);
	ai_buf_release(&p->old);
	ai_buf_release(&p->new);
	ai_buf_release(&p->before);
	ai_buf_release(&p->after);
}

/* How often b stands in a, each anywhere; *first is where. */
static size_t count(const struct ai_buf *a, const struct ai_buf *b,
		    size_t *first)
{
	const char *p = ai_buf_cstr(a), *end = p + a->len;
	size_t n = 0;

	for (; (p = memmem(p, (size_t)(end - p), b->p, b->len)) != NULL; p++)
		if (n++ == 0)
			*first = (size_t)(p - a->p);
	return n;
}

static int splice(struct patch *p, struct ai_err *err)
{
	size_t at = 0, n = count(&p->before, &p->old, &at);

	if (n == 0)
		return ai_err_set(err, AI_E_RECORD, "'old' does not stand in "
				  "'%.200s'; read the file again and give its "
				  "text exactly, blanks too%s", p->path.p,
				  strstr(ai_buf_cstr(&p->before), "\r\n") !=
				  NULL ? " (its lines end with \\r\\n)" : "");
	if (n > 1)
		return ai_err_set(err, AI_E_RECORD, "'old' stands %zu times in "
				  "'%.200s'; give more of the text around it, "
				  "so that it stands there once", n,
				  p->path.p);
	ai_buf_add(&p->after, p->before.p, at);
	ai_buf_add(&p->after, p->new.p, p->new.len);
	ai_buf_add(&p->after, p->before.p + at + p->old.len,
		   p->before.len - at - p->old.len);
	ai_buf_add(&p->after, "", 0);
	return ai_buf_check(&p->after, "the file", err);
}

/* What the file would be. */
static int make_patch(const struct agent_call *c, struct patch *p,
		      struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;

	*p = (struct patch){ AI_BUF_INIT(4096), AI_BUF_INIT(TEXT_MAX),
			     AI_BUF_INIT(TEXT_MAX), AI_BUF_INIT(1),
			     AI_BUF_INIT(AGENT_FILE_MAX), { .st_nlink = 0 } };
	if (agent_call_text(c, "path", "", &p->path, err) < 0 ||
	    agent_call_text(c, "old", "", &p->old, err) < 0 ||
	    agent_call_text(c, "new", "", &p->new, err) < 0 ||
	    agent_below_read(&b->folder, p->path.p, &p->before, &p->was,
			     err) < 0)
		return -1;
	return splice(p, err);
}

/* The line of the old text, which stands there once. */
static int64_t line_of(const struct patch *p)
{
	size_t at = 0;

	count(&p->before, &p->old, &at);
	return (int64_t)(1 + ai_count_byte(p->before.p, at, '\n'));
}

/* A patch that cannot be made says so when it begins. */
static int patch_prepare(struct agent_call *c, struct ai_err *err)
{
	char before[AI_HASH_HEX], after[AI_HASH_HEX];
	struct patch p;

	if (make_patch(c, &p, NULL) == 0) {
		ai_hash_of(p.before.p, p.before.len, before);
		ai_hash_of(p.after.p, p.after.len, after);
		ai_put_open(&c->note, '{');
		ai_put_key(&c->note, "before");
		ai_put_cstr(&c->note, before);
		ai_put_key(&c->note, "after");
		ai_put_cstr(&c->note, after);
		ai_put_key(&c->note, "line");
		ai_put_i64(&c->note, line_of(&p));
		note_links(c, &p.was);
		ai_put_close(&c->note, '}');
	}
	patch_release(&p);
	return ai_buf_check(&c->note, "the note of a call", err);
}

static void say_patched(struct agent_call *c, int64_t line, int64_t links)
{
	ai_buf_fmt(&c->text, "replaced the text, which began at line %lld",
		   (long long)line);
	say_names(c, links);
}

static int patch_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct patch p;
	int rc = make_patch(c, &p, err);

	if (rc == 0)
		rc = agent_below_write(&b->folder, p.path.p,
				       (struct ai_span){ p.after.p,
							 p.after.len },
				       c->key, err);
	if (rc == 0)
		say_patched(c, line_of(&p), (int64_t)p.was.st_nlink);
	patch_release(&p);
	return rc;
}

/* Whether the file is as it was, or as it was to become. */
static int patch_find(struct agent_call *c, enum agent_found *found,
		      struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct ai_buf path = AI_BUF_INIT(4096), text = AI_BUF_INIT(1);
	char now[AI_HASH_HEX];
	struct ai_value note;
	int64_t line = 0, links = 0;
	struct stat st;
	int rc = -1;

	*found = AGENT_UNKNOWN;
	if (agent_call_text(c, "path", "", &path, err) == 0) {
		agent_below_clean(&b->folder, path.p, c->key);
		rc = agent_below_read(&b->folder, path.p, &text, &st, err);
	}
	if (rc == 0 && ai_json_check(ai_buf_cstr(&c->note), c->note.len, &note,
				     NULL) == 0) {
		ai_hash_of(ai_buf_cstr(&text), text.len, now);
		if (ai_json_is(ai_json_get(note, "after"), ai_span_of(now)))
			*found = AGENT_DONE;
		else if (ai_json_is(ai_json_get(note, "before"),
				    ai_span_of(now)))
			*found = AGENT_NOT_DONE;
	} else if (rc == 0) {
		/* Nothing was to be replaced when it was prepared. */
		*found = c->note.len == 0 ? AGENT_NOT_DONE : AGENT_UNKNOWN;
	}
	if (rc == 0 && *found == AGENT_DONE) {
		ai_json_i64(ai_json_get(note, "line"), &line);
		ai_json_i64(ai_json_get(note, "links"), &links);
		say_patched(c, line, links);
	}
	if (rc == 0 && *found == AGENT_UNKNOWN)
		ai_buf_fmt(&c->text, "'%.200s' has been changed since by "
			   "somebody else", path.p);
	ai_buf_release(&path);
	ai_buf_release(&text);
	return rc;
}

static const struct agent_tool_kind patch_kind = {
	.begin = patch_begin, .find = patch_find, .prepare = patch_prepare,
};

const struct agent_builtin agent_builtin_patch_file = {
	.name = "patch_file",
	.description = "Replaces a text in a file of the working folder by "
		"another. The old text must stand in the file exactly once, "
		"letter for letter.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the file, relative to the working folder\"},"
		"\"old\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the text as it stands there\"},"
		"\"new\":{\"type\":\"string\",\"description\":\"what is to "
		"stand there instead\"}},"
		"\"required\":[\"path\",\"old\",\"new\"],"
		"\"additionalProperties\":false}",
	.kind = &patch_kind, .effect = AGENT_VERIFY, .writes = true,
	.trusted = true, .targets = targets, .timeout_s = 30,
	.max_output = OUTPUT_MAX,
};
