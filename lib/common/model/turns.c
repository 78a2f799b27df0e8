#include "model/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)64 << 20)
#define SYSTEM_MAX ((size_t)16 << 20)

/* While the text grows and may move, parts hold offsets: p is NULL, and n the
 * place behind the last byte; see resolve(). */
struct taker {
	struct ai_turns *t;
	struct ai_err *err;
	size_t message; /* under way */
	struct place {
		size_t at, n;
	} *places;      /* PLACES a part */
	size_t cap;
};

enum { TEXT, TYPE, ID, NAME, SIGNATURE, DETAIL, PLACES };

static int cannot(struct taker *k, const char *what)
{
	return ai_err_set(k->err, AI_E_RECORD, "messages.%zu: %s", k->message,
			  what);
}

/* ---- the lists ----------------------------------------------------------------- */

static int grow(void *array, size_t n, size_t *cap, size_t size,
		struct ai_err *err)
{
	void *old, *more;

	if (n < *cap)
		return 0;
	memcpy(&old, array, sizeof old);
	more = reallocarray(old, *cap * 2 + 8, size);
	if (more == NULL)
		return ai_err_nomem(err);
	*cap = *cap * 2 + 8;
	memcpy(array, &more, sizeof more);
	return 0;
}

static int add_turn(struct taker *k, enum ai_role role)
{
	struct ai_turns *t = k->t;

	if (t->n > 0 && t->v[t->n - 1].role == role)
		return 0;
	if (grow(&t->v, t->n, &t->cap, sizeof *t->v, k->err) < 0)
		return -1;
	t->v[t->n++] = (struct ai_turn){ .role = role };
	return 0;
}

static int add_part(struct taker *k, enum ai_part_kind kind)
{
	struct ai_turns *t = k->t;

	if (grow(&t->parts, t->n_parts, &t->cap_parts, sizeof *t->parts,
		 k->err) < 0 ||
	    grow(&k->places, t->n_parts, &k->cap, PLACES * sizeof *k->places,
		 k->err) < 0)
		return -1;
	memset(&k->places[PLACES * t->n_parts], 0,
	       PLACES * sizeof *k->places);
	t->parts[t->n_parts++] = (struct ai_part){ .kind = kind };
	t->v[t->n - 1].n++;
	return 0;
}

/* Puts bytes of the last part into the text. */
static void set(struct taker *k, int which, struct ai_span s)
{
	struct place *p = &k->places[PLACES * (k->t->n_parts - 1) +
				     (size_t)which];

	*p = (struct place){ k->t->text.len, s.n };
	ai_buf_add(&k->t->text, s.p, s.n);
}

/* The same with a JSON string, decoded. */
static void set_text(struct taker *k, int which, struct ai_value v)
{
	struct place *p = &k->places[PLACES * (k->t->n_parts - 1) +
				     (size_t)which];

	p->at = k->t->text.len;
	if (v.kind == AI_STRING)
		ai_json_text(v, &k->t->text);
	p->n = k->t->text.len - p->at;
}

/* The text moves no more. */
static void resolve(struct taker *k)
{
	struct ai_turns *t = k->t;
	size_t part = 0;

	for (size_t i = 0; i < t->n_parts; i++) {
		struct ai_span *to[PLACES] = {
			&t->parts[i].text, &t->parts[i].type,
			&t->parts[i].id, &t->parts[i].name,
			&t->parts[i].signature, &t->parts[i].detail,
		};

		for (size_t w = 0; w < PLACES; w++)
			*to[w] = (struct ai_span){
				ai_buf_cstr(&t->text) +
					k->places[PLACES * i + w].at,
				k->places[PLACES * i + w].n };
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].n == 0) /* perhaps there are no parts at all */
			continue;
		t->v[i].parts = t->parts + part;
		part += t->v[i].n;
	}
}

/* ---- parts ----------------------------------------------------------------------- */

/* "data:image/png;base64,..." is taken apart; other addresses stay. */
static int add_image(struct taker *k, struct ai_value url,
		     struct ai_value detail)
{
	struct ai_span text, type;
	const char *comma, *mark;
	size_t at;

	if (url.kind != AI_STRING)
		return cannot(k, "an image_url without a url");
	if (add_part(k, AI_PART_IMAGE_URL) < 0)
		return -1;
	if (!ai_json_is(detail, AI_SPAN("auto")))
		set_text(k, DETAIL, detail);
	set_text(k, TEXT, url);
	at = k->places[PLACES * (k->t->n_parts - 1)].at;
	if (ai_buf_check(&k->t->text, "the messages", k->err) < 0)
		return -1;
	text = (struct ai_span){ k->t->text.p + at, k->t->text.len - at };
	if (text.n < 5 || strncasecmp(text.p, "data:", 5) != 0)
		return 0;
	comma = memchr(text.p, ',', text.n);
	mark = comma == NULL ? NULL
		: memmem(text.p, (size_t)(comma - text.p), ";base64", 7);
	if (mark == NULL)
		return cannot(k, "a data: picture that is not base64");
	type = (struct ai_span){ text.p + 5, (size_t)(mark - text.p) - 5 };
	k->t->parts[k->t->n_parts - 1].kind = AI_PART_IMAGE_DATA;
	k->places[PLACES * (k->t->n_parts - 1) + TYPE] =
		(struct place){ at + 5, type.n };
	k->places[PLACES * (k->t->n_parts - 1) + TEXT] = (struct place){
		at + (size_t)(comma + 1 - text.p),
		text.n - (size_t)(comma + 1 - text.p) };
	return 0;
}

static int add_text(struct taker *k, struct ai_value text)
{
	if (add_part(k, AI_PART_TEXT) < 0)
		return -1;
	set_text(k, TEXT, text);
	return 0;
}

/* A part says by its type which of its members counts; one without is a text,
 * or nothing. */
static int add_typed(struct taker *k, struct ai_value part)
{
	static const char *const texts[] = { "text", "refusal" };
	struct ai_value type = ai_json_get(part, "type"), v;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		v = ai_json_get(part, texts[i]);
		if (v.kind == AI_STRING &&
		    (type.kind == AI_NONE ||
		     ai_json_is(type, ai_span_of(texts[i]))))
			return add_text(k, v);
	}
	v = ai_json_get(part, "image_url");
	if (!ai_json_is(type, AI_SPAN("image_url")))
		return cannot(k, "a part that is neither text nor image_url");
	return add_image(k, v.kind == AI_OBJECT ? ai_json_get(v, "url") : v,
			 ai_json_get(v, "detail"));
}

static int add_content(struct taker *k, struct ai_value content)
{
	struct ai_json_iter it;
	struct ai_value part;

	if (content.kind == AI_STRING)
		return add_text(k, content);
	if (content.kind != AI_ARRAY && content.kind != AI_NULL &&
	    content.kind != AI_NONE)
		return cannot(k, "content that is neither text nor a list");
	ai_json_iter_init(&it, content);
	while (ai_json_next(&it, NULL, &part))
		if (add_typed(k, part) < 0)
			return -1;
	return 0;
}

/* The arguments must be JSON: some formats have an object there, not text. */
static int set_arguments(struct taker *k, struct ai_value arguments)
{
	struct ai_turns *t = k->t;
	size_t at = t->text.len;
	struct ai_value v;

	if (arguments.kind == AI_OBJECT)
		set(k, TEXT, arguments.s);
	else if (arguments.kind == AI_STRING && arguments.s.n > 2)
		set_text(k, TEXT, arguments);
	else
		set(k, TEXT, AI_SPAN("{}"));
	if (ai_buf_check(&t->text, "the messages", k->err) < 0)
		return -1;
	if (ai_json_check(t->text.p + at, t->text.len - at, &v, NULL) < 0 ||
	    v.kind != AI_OBJECT)
		return cannot(k, "a call's arguments are no JSON object");
	return 0;
}

static int add_calls(struct taker *k, struct ai_value calls)
{
	struct ai_json_iter it;
	struct ai_value call, function;

	ai_json_iter_init(&it, calls);
	while (ai_json_next(&it, NULL, &call)) {
		function = ai_json_get(call, "function");
		if (function.kind != AI_OBJECT)
			return cannot(k, "a tool call without a function");
		if (add_part(k, AI_PART_CALL) < 0)
			return -1;
		set_text(k, ID, ai_json_get(call, "id"));
		set_text(k, NAME, ai_json_get(function, "name"));
		set_text(k, SIGNATURE, ai_json_get(call, AI_SIGNATURE));
		if (set_arguments(k, ai_json_get(function, "arguments")) < 0)
			return -1;
	}
	return 0;
}

/* The name of the tool that the call with this id was of: a place, since
 * nothing is resolved yet. */
static struct place name_of_call(const struct taker *k, struct ai_span id)
{
	const struct place *p;

	for (size_t i = k->t->n_parts; i-- > 0;) {
		p = &k->places[PLACES * i];
		if (k->t->parts[i].kind == AI_PART_CALL && p[ID].n == id.n &&
		    memcmp(k->t->text.p + p[ID].at, id.p, id.n) == 0)
			return p[NAME];
	}
	return (struct place){ 0, 0 };
}

/* All that the tool says is one text. */
static int add_result(struct taker *k, struct ai_value message)
{
	struct ai_value content = ai_json_get(message, "content"), part;
	struct ai_turns *t = k->t;
	struct ai_json_iter it;
	struct place *p;

	if (add_part(k, AI_PART_RESULT) < 0)
		return -1;
	set_text(k, ID, ai_json_get(message, "tool_call_id"));
	set_text(k, NAME, ai_json_get(message, "name"));
	if (ai_buf_check(&t->text, "the messages", k->err) < 0)
		return -1;
	p = &k->places[PLACES * (t->n_parts - 1)];
	if (p[NAME].n == 0 && p[ID].n > 0)
		p[NAME] = name_of_call(k, (struct ai_span){
			t->text.p + p[ID].at, p[ID].n });
	p[TEXT].at = t->text.len;
	if (content.kind == AI_STRING)
		ai_json_text(content, &t->text);
	else if (content.kind != AI_ARRAY && content.kind > AI_NULL)
		return cannot(k, "a tool's answer that is no text");
	ai_json_iter_init(&it, content);
	while (content.kind == AI_ARRAY && ai_json_next(&it, NULL, &part)) {
		part = ai_json_get(part, "text");
		if (part.kind != AI_STRING)
			return cannot(k, "a tool's answer that is no text");
		ai_json_text(part, &t->text);
	}
	p[TEXT].n = t->text.len - p[TEXT].at;
	return 0;
}

/* ---- messages -------------------------------------------------------------------- */

static int role_of(struct ai_span name)
{
	static const struct { const char *name; enum ai_role role; } roles[] = {
		{ "system", AI_ROLE_SYSTEM }, { "developer", AI_ROLE_SYSTEM },
		{ "user", AI_ROLE_USER }, { "assistant", AI_ROLE_ASSISTANT },
		{ "tool", AI_ROLE_TOOL },
	};

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (ai_span_is(name, roles[i].name))
			return (int)roles[i].role;
	return -1;
}

/* What only OpenAI's own format can say. */
static int check_members(struct taker *k, struct ai_value m, int role)
{
	static const char *const own[] = { "audio", "function_call", "name" };
	char what[64];

	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		/* A tool's name helps to find its call. */
		if (ai_json_get(m, own[i]).kind <= AI_NULL ||
		    (role == AI_ROLE_TOOL && strcmp(own[i], "name") == 0))
			continue;
		snprintf(what, sizeof what, "'%s', which this provider has no "
			 "place for", own[i]);
		return cannot(k, what);
	}
	return 0;
}

static int take_raw(struct taker *k, struct ai_value m)
{
	struct ai_value refusal = ai_json_get(m, "refusal");
	char name[16];
	int role;

	ai_wire_copy(m, "role", name, sizeof name);
	role = role_of(ai_span_of(name));
	if (role < 0)
		return cannot(k, "a role that is none of system, user, "
			      "assistant and tool");
	if (check_members(k, m, role) < 0 ||
	    add_turn(k, (enum ai_role)role) < 0)
		return -1;
	if (role == AI_ROLE_TOOL)
		return add_result(k, m);
	if (add_content(k, ai_json_get(m, "content")) < 0)
		return -1;
	if (refusal.kind == AI_STRING && add_text(k, refusal) < 0)
		return -1;
	return add_calls(k, ai_json_get(m, "tool_calls"));
}

static int take_message(struct taker *k, const struct ai_chat_message *m)
{
	int role;

	if (m->role == NULL)
		return take_raw(k, m->raw);
	role = role_of(ai_span_of(m->role));
	if (role < 0 || add_turn(k, (enum ai_role)role) < 0 ||
	    add_part(k, AI_PART_TEXT) < 0)
		return role < 0 ? cannot(k, "an unknown role") : -1;
	set(k, TEXT, m->text);
	return 0;
}

int ai_turns_take(struct ai_turns *t, const struct ai_chat_message *messages,
		  size_t n, struct ai_err *err)
{
	struct taker k = { .t = t, .err = err };
	int rc = 0;

	memset(t, 0, sizeof *t);
	ai_buf_init(&t->text, TEXT_MAX);
	/* Those that the record has are counted, or the number would be of use
	 * to nobody. */
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = take_message(&k, &messages[i]);
		k.message += messages[i].role == NULL;
	}
	if (rc == 0)
		rc = ai_buf_check(&t->text, "the messages", err);
	if (rc == 0)
		resolve(&k);
	free(k.places);
	return rc;
}

void ai_turns_release(struct ai_turns *t)
{
	free(t->v);
	free(t->parts);
	ai_buf_release(&t->text);
	memset(t, 0, sizeof *t);
}

/* ---- two roles -------------------------------------------------------------------- */

static int check_part(enum ai_role role, const struct ai_part *p,
		      struct ai_err *err)
{
	if (p->kind == AI_PART_CALL && role != AI_ROLE_ASSISTANT)
		return ai_err_set(err, AI_E_RECORD, "a tool call that is not "
				  "the assistant's");
	if (p->kind != AI_PART_TEXT && role == AI_ROLE_SYSTEM)
		return ai_err_set(err, AI_E_RECORD, "a system message that is "
				  "not only text");
	return 0;
}

static int take_system(const struct ai_turns *t, struct ai_buf *system,
		       struct ai_err *err)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i].n; k++) {
			const struct ai_part *p = &t->v[i].parts[k];

			if (check_part(t->v[i].role, p, err) < 0)
				return -1;
			if (t->v[i].role != AI_ROLE_SYSTEM || p->text.n == 0)
				continue;
			if (system->len > 0)
				ai_buf_str(system, "\n\n");
			ai_buf_add(system, p->text.p, p->text.n);
		}
	return ai_buf_check(system, "the system's text", err);
}

/* Copies a turn's results of tools, or all but those. */
static size_t copy_parts(const struct ai_turn *turn, bool results,
			 struct ai_part *to)
{
	size_t n = 0;

	for (size_t i = 0; i < turn->n; i++) {
		const struct ai_part *p = &turn->parts[i];

		if ((p->kind == AI_PART_RESULT) == results &&
		    (p->kind != AI_PART_TEXT || p->text.n > 0))
			to[n++] = *p;
	}
	return n;
}

static bool is_assistant(const struct ai_turn *turn)
{
	return turn->role == AI_ROLE_ASSISTANT;
}

/* The turns from *i on that belong to one of the two roles, as one; the
 * system's do not part them. */
static struct ai_turn pair_next(const struct ai_turns *t, size_t *i,
				struct ai_part *to)
{
	struct ai_turn turn = { AI_ROLE_USER, to, 0 };
	size_t from = *i, end = from;

	while (end < t->n && (t->v[end].role == AI_ROLE_SYSTEM ||
			      is_assistant(&t->v[end]) ==
			      is_assistant(&t->v[from])))
		end++;
	if (is_assistant(&t->v[from]))
		turn.role = AI_ROLE_ASSISTANT;
	for (int results = 1; results >= 0; results--)
		for (size_t k = from; k < end; k++)
			if (t->v[k].role != AI_ROLE_SYSTEM)
				turn.n += copy_parts(&t->v[k], results,
						     to + turn.n);
	*i = end;
	return turn;
}

int ai_turns_pair(struct ai_turns *t, struct ai_buf *system,
		  struct ai_err *err)
{
	struct ai_part *parts;
	size_t n = 0, used = 0, i = 0;

	if (take_system(t, system, err) < 0)
		return -1;
	parts = calloc(t->n_parts + 1, sizeof *parts);
	if (parts == NULL)
		return ai_err_nomem(err);
	while (i < t->n) {
		struct ai_turn turn = pair_next(t, &i, parts + used);

		used += turn.n;
		if (turn.n > 0 && n > 0 && t->v[n - 1].role == turn.role)
			t->v[n - 1].n += turn.n;
		else if (turn.n > 0)
			t->v[n++] = turn;
	}
	free(t->parts);
	t->parts = parts;
	t->cap_parts = t->n_parts + 1;
	t->n_parts = used;
	t->n = n;
	return n > 0 ? 0 : ai_err_set(err, AI_E_RECORD, "there is no message "
				      "beside the system's");
}

/* ---- writing ----------------------------------------------------------------------- */

static int put_turn(struct ai_buf *b, const struct ai_chat_request *q,
		    const struct ai_turns_form *form, const struct ai_turn *t,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "role", is_assistant(t) ? form->assistant
						    : "user");
	ai_wire_put_in(b, form->parts, '[');
	for (size_t i = 0; i < t->n; i++)
		if (form->put(b, q, t, i, err) < 0)
			return -1;
	ai_put_close(b, ']');
	ai_put_close(b, '}');
	return 0;
}

static int put_turns(struct ai_buf *b, const struct ai_chat_request *q,
		     const struct ai_turns_form *form,
		     const struct ai_turns *t, struct ai_err *err)
{
	if (form->put_all != NULL)
		return form->put_all(b, t, err);
	ai_wire_put_in(b, form->list, '[');
	for (size_t i = 0; i < t->n; i++)
		if (put_turn(b, q, form, &t->v[i], err) < 0)
			return -1;
	ai_put_close(b, ']');
	return 0;
}

int ai_turns_put(const struct ai_chat_request *q,
		 const struct ai_turns_form *form, struct ai_buf *b,
		 struct ai_err *err)
{
	struct ai_buf system = AI_BUF_INIT(SYSTEM_MAX);
	struct ai_turns t;
	int rc = ai_turns_take(&t, q->messages, q->n_messages, err);

	if (rc == 0)
		rc = ai_turns_pair(&t, &system, err);
	if (rc == 0 && system.len > 0)
		form->put_system(b, (struct ai_span){ system.p, system.len });
	if (rc == 0)
		rc = put_turns(b, q, form, &t, err);
	ai_buf_release(&system);
	ai_turns_release(&t);
	return rc;
}

int ai_turns_put_each(const struct ai_chat_request *q,
		      int (*put)(struct ai_buf *b, const struct ai_turn *t,
				 struct ai_err *err),
		      struct ai_buf *b, struct ai_err *err)
{
	struct ai_turns t;
	int rc = ai_turns_take(&t, q->messages, q->n_messages, err);

	ai_wire_put_in(b, "messages", '[');
	for (size_t i = 0; rc == 0 && i < t.n; i++)
		rc = put(b, &t.v[i], err);
	ai_put_close(b, ']');
	ai_turns_release(&t);
	return rc;
}

int ai_part_no_detail(const struct ai_part *p, struct ai_err *err)
{
	return p->detail.n == 0 || ai_span_is(p->detail, "high") ? 0 :
		ai_err_set(err, AI_E_RECORD, "a picture of the detail '%.*s': "
			   "this provider knows no detail",
			   (int)(p->detail.n < 20 ? p->detail.n : 20),
			   p->detail.p);
}

void ai_part_put_url(struct ai_buf *b, const char *name,
		     const struct ai_part *p)
{
	struct ai_buf url = AI_BUF_INIT(TEXT_MAX);

	if (p->kind == AI_PART_IMAGE_DATA) {
		ai_buf_str(&url, "data:");
		ai_buf_add(&url, p->type.p, p->type.n);
		ai_buf_str(&url, ";base64,");
	}
	ai_buf_add(&url, p->text.p, p->text.n);
	ai_wire_put_span(b, name,
			 (struct ai_span){ ai_buf_cstr(&url), url.len });
	if (b->bad == AI_E_NONE)
		b->bad = url.bad;
	ai_buf_release(&url);
}

/* ---- tools ------------------------------------------------------------------------- */

int ai_tool_next(struct ai_value tools, size_t *i, struct ai_tool *tool,
		 struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t at = 0;

	ai_json_iter_init(&it, tools);
	while (ai_json_next(&it, NULL, &v))
		if (at++ == *i)
			goto found;
	return 0;
found:
	++*i;
	v = ai_json_get(v, "function");
	tool->name = ai_json_get(v, "name");
	tool->description = ai_json_get(v, "description");
	tool->parameters = ai_json_get(v, "parameters");
	tool->strict = ai_json_get(v, "strict");
	if (tool->name.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD, "tools.%zu is no function "
				  "with a name", at - 1);
	return 1;
}

int ai_tools_no_strict(struct ai_value tools, const char *provider,
		       struct ai_err *err)
{
	struct ai_tool tool;
	size_t i = 0;
	int rc;

	while ((rc = ai_tool_next(tools, &i, &tool, err)) > 0)
		if (ai_json_true(tool.strict))
			return ai_err_set(err, AI_E_RECORD, "%s cannot hold a "
					  "model to a tool: leave 'strict' of "
					  "tools.%zu out", provider, i - 1);
	return rc;
}

int ai_tools_put(struct ai_value tools, const char *name,
		 void (*put)(struct ai_buf *b, const struct ai_tool *tool),
		 struct ai_buf *b, struct ai_err *err)
{
	struct ai_tool tool;
	size_t i = 0;
	int rc;

	if (tools.kind == AI_NONE)
		return 0;
	ai_wire_put_in(b, name, '[');
	while ((rc = ai_tool_next(tools, &i, &tool, err)) > 0)
		put(b, &tool);
	ai_put_close(b, ']');
	return rc;
}

void ai_tool_put_schema(struct ai_buf *b, const char *name,
			const struct ai_tool *tool)
{
	ai_wire_put_json(b, name, tool->parameters.kind == AI_OBJECT
			 ? tool->parameters.s
			 : AI_SPAN("{\"type\":\"object\",\"properties\":{}}"));
}

int ai_tool_choice_take(struct ai_value v, struct ai_tool_choice *c,
			struct ai_err *err)
{
	*c = (struct ai_tool_choice){ .kind = AI_CHOICE_AUTO };
	if (v.kind == AI_NONE || ai_json_is(v, AI_SPAN("auto")))
		return 0;
	c->name = ai_json_get(v, "function.name");
	if (ai_json_is(v, AI_SPAN("none")))
		c->kind = AI_CHOICE_NONE;
	else if (ai_json_is(v, AI_SPAN("required")))
		c->kind = AI_CHOICE_ANY;
	else if (c->name.kind == AI_STRING)
		c->kind = AI_CHOICE_NAMED;
	else
		return ai_err_set(err, AI_E_RECORD, "tool_choice is none of "
				  "auto, none, required and a function");
	return 0;
}
