/* subject.c: the texts of a record that are looked at. */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX ((size_t)64 << 20)

void guard_texts_init(struct guard_texts *t)
{
	memset(t, 0, sizeof *t);
	ai_buf_init(&t->names, NAMES_MAX);
	ai_buf_init(&t->path, NAMES_MAX);
}

void guard_texts_release(struct guard_texts *t)
{
	ai_buf_release(&t->names);
	ai_buf_release(&t->path);
	free(t->v);
	t->v = NULL;
}

const char *guard_texts_path(const struct guard_texts *t, size_t i)
{
	return t->names.p + t->v[i].path;
}

void guard_texts_hide(struct guard_texts *t, size_t i)
{
	const char *object = guard_texts_path(t, i);
	size_t n = t->v[i].value.s.n - 2, len = strlen(object);

	/* Those in its value follow: "object.name" and what is behind it. */
	for (size_t k = i + 1; k < t->n; k++) {
		char *path = t->names.p + t->v[k].path;

		if (strncmp(path, object, len) != 0 || path[len] != '.' ||
		    strncmp(path + len + 1, t->v[i].value.s.p + 1, n) != 0)
			break;
		memset(path + len + 1, '*', n);
	}
}

bool guard_texts_is_plain(const struct guard_texts *t, size_t i)
{
	return strcmp(guard_texts_path(t, i),
		      ai_loop.path != NULL ? ai_loop.path : "text") == 0;
}

static int add(struct guard_texts *t, struct ai_value v,
	       enum guard_context context, struct ai_err *err)
{
	struct guard_text *more;

	if (t->n == t->cap) {
		more = reallocarray(t->v, 2 * t->cap + 8, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		t->v = more;
		t->cap = 2 * t->cap + 8;
	}
	t->v[t->n++] = (struct guard_text){ v, context, t->names.len,
						false, false };
	ai_buf_add(&t->names, ai_buf_cstr(&t->path), t->path.len);
	ai_buf_chr(&t->names, '\0');
	if (ai_buf_check(&t->path, "the name of a text", err) < 0)
		return -1;
	return ai_buf_check(&t->names, "the names of its texts", err);
}

/* Goes into an item; the length of the path to go back to. */
static size_t enter_item(struct guard_texts *t, size_t i)
{
	size_t len = t->path.len;

	ai_buf_fmt(&t->path, ".%zu", i);
	return len;
}

static void leave(struct guard_texts *t, size_t len)
{
	t->path.len = len;
	t->path.p[len] = '\0';
}

static int wrong(const struct guard_texts *t, const char *what,
		 struct ai_err *err)
{
	return ai_err_set(err, AI_E_RECORD, "%.100s %s", ai_buf_cstr(&t->path),
			  what);
}

/* ---- contexts -------------------------------------------------------------------- */

/* What the option says goes before everything else. */
static enum guard_context context_or(enum guard_context context)
{
	return guard_settings.context == GUARD_AUTO ? context
		: (enum guard_context)guard_settings.context;
}

/* Of messages; what is in no row comes from nobody that is known. */
static const struct role {
	const char *name;
	enum guard_context context;
} roles[] = {
	{ "system", GUARD_SYSTEM },
	{ "developer", GUARD_SYSTEM },
	{ "user", GUARD_USER },
	{ "human", GUARD_USER },
	{ "assistant", GUARD_ANSWER },
	{ "model", GUARD_ANSWER },
	{ "tool", GUARD_TOOL },
	{ "function", GUARD_TOOL },
};

enum guard_context guard_role_context(struct ai_value role)
{
	if (role.kind == AI_STRING)
		for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
			if (ai_json_is(role, ai_span_of(roles[i].name)))
				return roles[i].context;
	return GUARD_DOCUMENT;
}

/* ---- messages -------------------------------------------------------------------- */

/* Members that hold no text of anybody's, as long as they are what they should
 * be, one word without blanks. Any word may be a secret. */
static const char *const no_text[] = {
	"type", "role", "id", "name", "tool_use_id", "tool_call_id", "call_id",
	"media_type", "mime_type", "mimeType", "format", "detail", "status",
	"signature",
};

static bool is_one_of(struct ai_value key, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ai_json_is(key, ai_span_of(names[i])))
			return true;
	return false;
}

static const char word_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	"+/=_-.:";

/* The string, from this byte on, has only such letters. */
static bool is_bare(struct ai_value v, size_t from)
{
	for (size_t i = from + 1; i + 1 < v.s.n; i++)
		if (v.s.p[i] == '\0' || strchr(word_letters, v.s.p[i]) == NULL)
			return false;
	return true;
}

static bool is_label(struct ai_value key, struct ai_value v)
{
	return v.kind == AI_STRING && is_bare(v, 0) &&
		is_one_of(key, no_text, sizeof no_text / sizeof *no_text);
}

/* How much of an address goes before the picture, sound or page in it; 0: there
 * is none. */
static size_t media_prefix(struct ai_value v)
{
	static const char *const types[] = {
		"data:image/", "data:audio/", "data:video/",
		"data:application/pdf;",
	};
	static const char mark[] = ";base64,";
	const char *at;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t n = strlen(types[i]);

		if (v.s.n < n + 2 || memcmp(v.s.p + 1, types[i], n) != 0)
			continue;
		at = memmem(v.s.p, v.s.n, mark, sizeof mark - 1);
		n = at == NULL ? 0
			: (size_t)(at - v.s.p) - 1 + sizeof mark - 1;
		return n > 64 || memchr(v.s.p, ' ', n) != NULL ? 0 : n;
	}
	return 0;
}

/* Pictures and sounds, as they are sent: where they are sent, and nothing but
 * what they are sent in.  Anything else a model may read. */
static bool is_media(struct ai_value key, struct ai_value v,
		     struct ai_value type)
{
	static const char *const places[] = {
		"url", "image_url", "file_data", "file_url",
	};
	size_t n;

	if (ai_json_is(key, AI_SPAN("data")))
		return type.kind == AI_STRING &&
			ai_json_is(type, AI_SPAN("base64")) && is_bare(v, 0);
	if (!is_one_of(key, places, sizeof places / sizeof *places))
		return false;
	n = media_prefix(v);
	return n > 0 && is_bare(v, n);
}

/* Whoever it comes from, as far as its type says. */
static enum guard_context context_of(struct ai_value type,
				     enum guard_context context)
{
	static const struct {
		const char *type;
		enum guard_context context;
	} types[] = {
		{ "tool_result", GUARD_TOOL },
		{ "function_call_output", GUARD_TOOL },
		{ "function_call", GUARD_ANSWER },
		{ "document", GUARD_DOCUMENT },
		{ "search_result", GUARD_DOCUMENT },
	};

	if (type.kind == AI_STRING)
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
			if (ai_json_is(type, ai_span_of(types[i].type)))
				return context_or(types[i].context);
	return context;
}

static int take_all(struct guard_texts *t, struct ai_value v,
		    enum guard_context context, struct ai_err *err);

/* What formats of messages have is a word in small letters; other names may
 * hold anything. */
static bool is_word(struct ai_value key)
{
	static const char *letters = "abcdefghijklmnopqrstuvwxyz_";
	size_t n = key.s.n - 2;

	return n <= 32 && strspn(key.s.p + 1, letters) >= n;
}

static int take_name(struct guard_texts *t, struct ai_value key,
		     enum guard_context context, struct ai_err *err)
{
	if (is_word(key))
		return 0;
	if (add(t, key, context, err) < 0)
		return -1;
	t->v[t->n - 1].name = true;
	return 0;
}

/* Goes into the member whose name is the key, as it is written. */
static size_t enter_key(struct guard_texts *t, struct ai_value key)
{
	size_t len = t->path.len;

	ai_buf_fmt(&t->path, "%s%.*s", len > 0 ? "." : "",
		   (int)(key.s.n - 2), key.s.p + 1);
	return len;
}

static int take_member(struct guard_texts *t, struct ai_value key,
		       struct ai_value v, struct ai_value type,
		       enum guard_context context, struct ai_err *err)
{
	if (!is_label(key, v))
		return v.kind == AI_STRING && is_media(key, v, type) ? 0
			: take_all(t, v, context, err);
	/* Of a model's thoughts: long, and returned as it came. */
	if (ai_json_is(key, AI_SPAN("signature")))
		return 0;
	if (add(t, v, context, err) < 0)
		return -1;
	t->v[t->n - 1].label = true;
	return 0;
}

static int take_members(struct guard_texts *t, struct ai_value v,
			enum guard_context context, struct ai_err *err)
{
	struct ai_value type = ai_json_member(v, AI_SPAN("type")), key, one;
	struct ai_json_iter it;

	context = context_of(type, context);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &one)) {
		size_t len;

		if (take_name(t, key, context, err) < 0)
			return -1;
		len = enter_key(t, key);
		if (take_member(t, key, one, type, context, err) < 0)
			return -1;
		leave(t, len);
	}
	return 0;
}

/* All strings in it: what a provider will make of a member, who can know? */
static int take_all(struct guard_texts *t, struct ai_value v,
		    enum guard_context context, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value one;

	if (v.kind == AI_STRING)
		return add(t, v, context, err);
	if (v.kind == AI_OBJECT)
		return take_members(t, v, context, err);
	if (v.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &one); i++) {
		size_t len = enter_item(t, i);

		if (take_all(t, one, context, err) < 0)
			return -1;
		leave(t, len);
	}
	return 0;
}

/* ---- members ---------------------------------------------------------------------- */

static bool has_two(struct ai_value object, struct ai_span name)
{
	struct ai_json_iter it;
	struct ai_value key, one;
	int n = 0;

	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &one))
		n += ai_json_is(key, name);
	return n > 1;
}

/* What ai-chunk tells of a passage in words of the document. */
static int take_source(struct guard_texts *t, struct ai_value v,
		       enum guard_context context, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value key, one;

	if (v.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &one)) {
		size_t len = enter_key(t, key);

		if ((ai_json_is(key, AI_SPAN("title")) ||
		     ai_json_is(key, AI_SPAN("heading"))) &&
		    take_all(t, one, context, err) < 0)
			return -1;
		leave(t, len);
	}
	return 0;
}

/* Of two members of one name each may be the one that is read. */
static int take_passage(struct guard_texts *t, struct ai_value v,
			enum guard_context context, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value key, one;
	int rc = 0;

	ai_json_iter_init(&it, v);
	while (rc == 0 && ai_json_next(&it, &key, &one)) {
		size_t len = enter_key(t, key);

		if (ai_json_is(key, AI_SPAN("text")))
			rc = take_all(t, one, context_or(context), err);
		/* An answer asks its tools as well. */
		else if (ai_json_is(key, AI_SPAN("tool_calls")))
			rc = take_all(t, one, context_or(GUARD_ANSWER), err);
		else if (ai_json_is(key, AI_SPAN("source")))
			rc = take_source(t, one, context_or(context), err);
		leave(t, len);
	}
	return rc;
}

static int take_item(struct guard_texts *t, struct ai_value v,
		     enum guard_context context, struct ai_err *err)
{
	struct ai_value role = { AI_NONE, { NULL, 0 } }, text = role;
	struct ai_value content = role;
	enum guard_context who;
	const struct ai_json_want want[] = {
		{ AI_SPAN("role"), &role }, { AI_SPAN("text"), &text },
		{ AI_SPAN("content"), &content },
	};

	if (v.kind == AI_STRING)
		return add(t, v, context_or(context), err);
	if (v.kind != AI_OBJECT)
		return wrong(t, "is neither a message, a passage nor a string",
			     err);
	ai_json_members(v, want, 3);
	if (role.kind != AI_NONE) {
		/* Of two roles another reader may take the other. */
		who = has_two(v, AI_SPAN("role")) ? GUARD_DOCUMENT
			: guard_role_context(role);
		return take_members(t, v, context_or(who), err);
	}
	/* Of messages that are none, as answers to calls, what there is. */
	if (text.kind == AI_NONE || content.kind != AI_NONE)
		return take_members(t, v, context_or(context), err);
	return take_passage(t, v, context == GUARD_USER ? GUARD_DOCUMENT
			    : context, err);
}

/* The value that stands at t->path. */
static int take_value(struct guard_texts *t, struct ai_value v,
		      enum guard_context context, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value one;
	size_t len;

	t->any = true;
	if (v.kind == AI_STRING && t->payload.kind == AI_NONE)
		t->payload = v;
	if (v.kind == AI_STRING)
		return add(t, v, context_or(context), err);
	if (v.kind == AI_OBJECT)
		return take_item(t, v, context, err);
	if (v.kind != AI_ARRAY)
		return wrong(t, "is neither a string nor a list of messages",
			     err);
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &one); i++) {
		len = enter_item(t, i);
		if (take_item(t, one, context, err) < 0)
			return -1;
		leave(t, len);
	}
	return 0;
}

static bool is_answer(const char *path)
{
	static const char name[] = "completion";
	size_t n = sizeof name - 1;

	return strncmp(path, name, n) == 0 &&
	       (path[n] == '\0' || path[n] == '.');
}

/* Of two members of one name this program and the next one may each take
 * another: such a record cannot be vouched for. */
static int once(const struct ai_rec *rec, const char *path, struct ai_err *err)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } }, key, one;
	char name[AI_JSON_NAME];
	struct ai_json_iter it;
	struct ai_span step;
	int n = 0;

	path += ai_json_step(path, name, sizeof name, &step);
	for (size_t i = 0; i < rec->n_members; i++)
		if (ai_json_is(rec->members[i].key, step)) {
			v = rec->members[i].val;
			n++;
		}
	while (n <= 1 && v.kind == AI_OBJECT && *path != '\0') {
		struct ai_value next = { AI_NONE, { NULL, 0 } };

		path += ai_json_step(path, name, sizeof name, &step);
		n = 0;
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, &key, &one))
			if (ai_json_is(key, step)) {
				next = one;
				n++;
			}
		v = next;
	}
	return n <= 1 ? 0 : ai_err_set(err, AI_E_RECORD, "the record has %d "
				       "members '%.*s'; only one can be "
				       "looked at", n, (int)step.n, step.p);
}

/* In the order in which ai-complete looks for what is asked, but all of them:
 * who made the record may have another program in mind. */
static const char *const usual[] = {
	"prompt", "query", "text", "messages", "body.messages", "body.input",
	"body.prompt", "params.messages", "hits", "contextual", "hidden",
};
#define N_ASKED 9 /* the others only beside ai-chunk's members */

/* What ai-chunk writes; others may mean something else by these names. */
static bool is_passage(const char *name)
{
	static const char *const members[] = { "text", "contextual", "hidden" };

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (strcmp(members[i], name) == 0)
			return true;
	return false;
}

const char *const guard_prompts_at[] = {
	"instructions", "system", "template", "params.system",
	"params.instructions", "body.instructions", "body.system", NULL,
};

/* System prompts that are no messages: all strings that there are. */
static int take_prompts(struct guard_texts *t, const struct ai_rec *rec,
			struct ai_err *err)
{
	for (const char *const *p = guard_prompts_at; *p != NULL; p++) {
		struct ai_value v = ai_rec_get(rec, *p);

		if (v.kind == AI_NONE)
			continue;
		if (once(rec, *p, err) < 0)
			return -1;
		ai_buf_clear(&t->path);
		ai_buf_str(&t->path, *p);
		if (take_all(t, v, context_or(GUARD_SYSTEM), err) < 0)
			return -1;
	}
	return 0;
}

static int take_usual(struct guard_texts *t, const struct ai_rec *rec,
		      struct ai_err *err)
{
	/* A passage of ai-chunk is a document's. */
	bool passage = ai_rec_get(rec, "chunk").kind == AI_OBJECT;

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		struct ai_value v = ai_rec_get(rec, usual[i]);
		bool document = strcmp(usual[i], "hits") == 0 ||
			(passage && is_passage(usual[i]));

		if (v.kind == AI_NONE || v.kind == AI_NULL ||
		    (!passage && !document && i >= N_ASKED))
			continue;
		if (once(rec, usual[i], err) < 0)
			return -1;
		ai_buf_clear(&t->path);
		ai_buf_str(&t->path, usual[i]);
		if (take_value(t, v, document ? GUARD_DOCUMENT : GUARD_USER,
			       err) < 0)
			return -1;
	}
	ai_buf_clear(&t->path);
	ai_buf_str(&t->path, "source");
	if (passage && t->any && take_source(t, ai_rec_get(rec, "source"),
					     context_or(GUARD_DOCUMENT), err) < 0)
		return -1;
	if (!t->any)
		return ai_err_set(err, AI_E_RECORD, "the record has no text, "
				  "prompt, query, messages or hits; name what "
				  "is to be looked at with -p");
	return take_prompts(t, rec, err);
}

static int take_named(struct guard_texts *t, const struct ai_rec *rec,
		      struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, ai_loop.path);

	if (v.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "the record has no %.100s",
				  ai_loop.path);
	if (once(rec, ai_loop.path, err) < 0)
		return -1;
	ai_buf_str(&t->path, ai_loop.path);
	return take_value(t, v, is_answer(ai_loop.path) ? GUARD_ANSWER
							: GUARD_USER, err);
}

static int by_place(const void *a, const void *b)
{
	const struct guard_text *x = a, *y = b;

	return (x->value.s.p > y->value.s.p) - (x->value.s.p < y->value.s.p);
}

static enum guard_context context_of_all(const struct guard_texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].context != GUARD_SYSTEM)
			return t->v[i].context;
	return t->n > 0 ? GUARD_SYSTEM : context_or(GUARD_USER);
}

int guard_texts_take(struct guard_texts *t, const struct ai_rec *rec,
		     struct ai_err *err)
{
	int rc;

	t->n = 0;
	t->any = false;
	t->payload = (struct ai_value){ AI_NONE, { NULL, 0 } };
	ai_buf_shrink(&t->names, 1 << 16);
	ai_buf_clear(&t->path);
	rc = ai_loop.path == NULL ? take_usual(t, rec, err)
				  : take_named(t, rec, err);
	/* Texts that are rewritten in their order cost no search each. */
	if (rc == 0 && t->n > 1)
		qsort(t->v, t->n, sizeof *t->v, by_place);
	t->context = context_of_all(t);
	return rc;
}
