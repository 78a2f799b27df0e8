/* form.c: what a server asks of the person (elicitation/create), as a form:
 * its fields one after the other, each with a default perhaps. */
#include "mcp/int.h"
#include "say.h"

#include "record/schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS_MAX 32
#define SHOWN 400        /* bytes of a text, on the terminal */
#define MESSAGE_MAX 4000
#define VALUE_MAX ((size_t)64 << 10)
#define TRIES_MAX 5      /* of a field */

struct field {
	struct ai_value name, schema, initial;
	bool required;
	struct ai_buf value; /* JSON; empty: it has none */
};

struct mcp_form {
	char server[80];
	struct ai_buf text;      /* what was asked, which all values are in */
	struct ai_value message;
	struct field *v;
	size_t n, at;
	int tries;
	bool shown, wrong;       /* the beginning; that the last line was none */
	bool full;               /* nothing more is to be asked */
	enum { MCP_ACCEPT, MCP_DECLINE, MCP_CANCEL } action;
};

/* ---- from what is asked ------------------------------------------------------------- */

static bool is_required(struct ai_value schema, struct ai_value name)
{
	struct ai_value list = ai_json_member(schema, AI_SPAN("required")), v;
	struct ai_json_iter it;

	if (list.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (v.kind == AI_STRING && v.s.n == name.s.n &&
		    memcmp(v.s.p, name.s.p, v.s.n) == 0)
			return true;
	return false;
}

static void read_fields(struct mcp_form *f, struct ai_value schema)
{
	struct ai_value all = ai_json_member(schema, AI_SPAN("properties"));
	struct ai_value key, v;
	struct ai_json_iter it;

	if (all.kind != AI_OBJECT)
		return;
	ai_json_iter_init(&it, all);
	while (ai_json_next(&it, &key, &v)) {
		/* Nobody fills in more. */
		if (f->n == FIELDS_MAX) {
			f->action = MCP_DECLINE;
			return;
		}
		f->v[f->n] = (struct field){
			.name = key, .schema = v,
			.initial = ai_json_member(v, AI_SPAN("default")),
			.required = is_required(schema, key),
		};
		ai_buf_init(&f->v[f->n++].value, VALUE_MAX);
	}
}

struct mcp_form *mcp_form_new(const char *server, struct ai_value params)
{
	struct mcp_form *f = calloc(1, sizeof *f);
	struct ai_value all, mode;
	struct ai_err err;

	if (f == NULL)
		return NULL;
	snprintf(f->server, sizeof f->server, "%.64s", server);
	ai_buf_init(&f->text, MCP_LINE_MAX);
	f->v = calloc(FIELDS_MAX, sizeof *f->v);
	ai_buf_add(&f->text, params.s.p == NULL ? "{}" : params.s.p,
		   params.s.p == NULL ? 2 : params.s.n);
	if (f->v == NULL || ai_json_check(ai_buf_cstr(&f->text), f->text.len,
					  &all, &err) < 0) {
		mcp_form_free(f);
		return NULL;
	}
	mode = ai_json_member(all, AI_SPAN("mode"));
	/* Nobody is sent to an address: that is not offered. */
	if (all.kind != AI_OBJECT || (mode.kind == AI_STRING &&
				      !ai_json_is(mode, AI_SPAN("form"))))
		f->action = MCP_DECLINE;
	f->message = ai_json_member(all, AI_SPAN("message"));
	read_fields(f, ai_json_member(all, AI_SPAN("requestedSchema")));
	return f;
}

void mcp_form_free(struct mcp_form *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		ai_buf_release(&f->v[i].value);
	free(f->v);
	ai_buf_release(&f->text);
	free(f);
}

/* ---- what may be chosen ------------------------------------------------------------------ */

/* The list of what a field may be: of names, or of objects with "const". */
static struct ai_value choices_of(struct ai_value schema)
{
	static const char *const places[] = { "enum", "oneOf", "items.enum",
					      "items.anyOf", "items.oneOf" };
	struct ai_value v = { 0 };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		v = ai_json_get(schema, places[i]);
		if (v.kind == AI_ARRAY)
			return v;
	}
	return (struct ai_value){ 0 };
}

static struct ai_value choice_of(struct ai_value v)
{
	return v.kind == AI_OBJECT ? ai_json_member(v, AI_SPAN("const")) : v;
}

static void put_choices(struct ai_value list, struct ai_buf *out)
{
	struct ai_json_iter it;
	struct ai_value v, title;
	bool first = true;

	if (list.kind != AI_ARRAY)
		return;
	ai_json_iter_init(&it, list);
	ai_buf_str(out, "; one of ");
	while (ai_json_next(&it, NULL, &v)) {
		if (!first)
			ai_buf_str(out, ", ");
		first = false;
		agent_say_text(out, ai_json_inside(choice_of(v)), SHOWN);
		title = v.kind == AI_OBJECT ? ai_json_member(v, AI_SPAN("title"))
					    : (struct ai_value){ 0 };
		if (title.kind != AI_STRING)
			continue;
		ai_buf_str(out, " (");
		agent_say_text(out, ai_json_inside(title), SHOWN);
		ai_buf_chr(out, ')');
	}
}

static bool is_type(struct ai_value schema, const char *type)
{
	struct ai_value v = ai_json_member(schema, AI_SPAN("type"));

	return v.kind == AI_STRING && ai_json_is(v, ai_span_of(type));
}

/* ---- on the terminal ------------------------------------------------------------------------- */

static void put_text(struct ai_value v, struct ai_buf *out, size_t max)
{
	struct ai_buf text = AI_BUF_INIT(MCP_LINE_MAX);

	if (v.kind == AI_STRING)
		ai_json_text(v, &text);
	agent_say_lines(out, (struct ai_span){ ai_buf_cstr(&text), text.len },
			max, 4);
	ai_buf_release(&text);
}

static void put_field(const struct field *x, struct ai_buf *out)
{
	struct ai_value said = ai_json_member(x->schema,
					      AI_SPAN("description"));

	if (said.kind != AI_STRING)
		said = ai_json_member(x->schema, AI_SPAN("title"));
	ai_buf_str(out, "\n  ");
	agent_say_text(out, ai_json_inside(x->name), SHOWN);
	if (said.kind == AI_STRING) {
		ai_buf_str(out, " (");
		agent_say_text(out, ai_json_inside(said), SHOWN);
		ai_buf_chr(out, ')');
	}
	put_choices(choices_of(x->schema), out);
	if (is_type(x->schema, "boolean"))
		ai_buf_str(out, "; yes or no");
	if (is_type(x->schema, "array"))
		ai_buf_str(out, "; several with commas");
	if (x->initial.kind != AI_NONE) {
		ai_buf_str(out, " [");
		agent_say_text(out, x->initial.s, SHOWN);
		ai_buf_chr(out, ']');
	} else if (!x->required) {
		ai_buf_str(out, " []");
	}
	ai_buf_str(out, ": ");
}

void mcp_form_put(struct mcp_form *f, struct ai_buf *out)
{
	if (!f->shown) {
		ai_buf_fmt(out, "\nThe MCP server '%s' asks: ", f->server);
		put_text(f->message, out, MESSAGE_MAX);
		ai_buf_str(out, f->n > 0
			   ? "\n(an empty line takes what stands in brackets; "
			     "one dot: no answer)"
			   : "\n(yes, or one dot: no)");
	}
	f->shown = true;
	if (f->wrong)
		ai_buf_str(out, "  That is none; again:");
	f->wrong = false;
	if (f->at < f->n)
		put_field(&f->v[f->at], out);
	else
		ai_buf_str(out, "\nYour answer: ");
}

static bool is_choice(struct ai_value list, struct ai_span text)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (list.kind != AI_ARRAY)
		return true;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		v = choice_of(v);
		if (v.kind == AI_STRING && ai_json_is(v, text))
			return true;
	}
	return false;
}

static bool one_word(struct ai_span line, const char *const *words)
{
	for (; *words != NULL; words++)
		if (line.n == strlen(*words) &&
		    strncasecmp(line.p, *words, line.n) == 0)
			return true;
	return false;
}

static const char *const yes[] = { "y", "yes", "true", NULL };
static const char *const no[] = { "n", "no", "false", NULL };

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
		s.p++, s.n--;
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

static bool put_list(const struct field *x, struct ai_span line,
		     struct ai_buf *out)
{
	bool good = true;

	ai_put_open(out, '[');
	while (line.n > 0) {
		const char *comma = memchr(line.p, ',', line.n);
		size_t n = comma != NULL ? (size_t)(comma - line.p) : line.n;
		struct ai_span word = trim((struct ai_span){ line.p, n });

		good = good && is_choice(choices_of(x->schema), word);
		ai_put_str(out, word.p, word.n);
		n += comma != NULL;
		line.p += n, line.n -= n;
	}
	ai_put_close(out, ']');
	return good;
}

/* Whether the schema of the field itself has nothing against it. */
static bool is_valid(const struct field *x)
{
	struct ai_schema *schema = NULL;
	struct ai_err err;
	bool good = true;

	if (ai_schema_new(&schema, x->schema.s.p, x->schema.s.n, &err) == 0)
		good = ai_schema_check(schema, x->value.p, x->value.len,
				       &err) == 0;
	ai_schema_free(schema);
	return good;
}

static bool take_value(struct field *x, struct ai_span line)
{
	struct ai_value v;
	struct ai_err err;
	bool good = true;

	ai_buf_clear(&x->value);
	if (is_type(x->schema, "boolean")) {
		good = one_word(line, yes) || one_word(line, no);
		ai_put_bool(&x->value, one_word(line, yes));
	} else if (is_type(x->schema, "integer") ||
		   is_type(x->schema, "number")) {
		good = ai_json_check(line.p, line.n, &v, &err) == 0 &&
			v.kind == AI_NUMBER;
		ai_buf_add(&x->value, line.p, line.n);
	} else if (is_type(x->schema, "array")) {
		good = put_list(x, line, &x->value);
	} else {
		good = is_choice(choices_of(x->schema), line);
		ai_put_str(&x->value, line.p, line.n);
	}
	good = good && x->value.bad == AI_E_NONE && is_valid(x);
	if (!good)
		ai_buf_clear(&x->value);
	return good;
}

static void take_initial(struct field *x)
{
	ai_buf_clear(&x->value);
	ai_buf_add(&x->value, x->initial.s.p, x->initial.s.n);
}

bool mcp_form_take(struct mcp_form *f, struct ai_span line)
{
	struct field *x = f->at < f->n ? &f->v[f->at] : NULL;
	bool good = true;

	line = trim(line);
	if (f->action == MCP_DECLINE || ai_span_is(line, ".")) {
		f->action = MCP_DECLINE;
		return true;
	}
	if (x == NULL) {
		if (!one_word(line, yes))
			f->action = MCP_DECLINE;
		f->full = true;
		return true;
	}
	if (line.n > 0)
		good = take_value(x, line);
	else if (x->initial.kind != AI_NONE)
		take_initial(x);
	else
		good = !x->required;
	f->wrong = !good;
	if (!good && ++f->tries >= TRIES_MAX) {
		f->action = MCP_CANCEL;
		return true;
	}
	if (good)
		f->tries = 0;
	f->at += good;
	f->full = f->at == f->n;
	return f->full;
}

bool mcp_form_is_full(const struct mcp_form *f)
{
	return f->full || f->action != MCP_ACCEPT;
}

/* ---- without a person ---------------------------------------------------------------------- */

void mcp_form_fill(struct mcp_form *f, struct ai_value answers)
{
	struct ai_buf name = AI_BUF_INIT(VALUE_MAX);

	if (f->action != MCP_ACCEPT)
		return;
	if (answers.kind != AI_OBJECT)
		f->action = MCP_CANCEL;
	for (size_t i = 0; i < f->n && f->action == MCP_ACCEPT; i++) {
		struct field *x = &f->v[i];
		struct ai_value v;

		ai_buf_clear(&name);
		ai_json_text(x->name, &name);
		v = ai_json_member(answers, (struct ai_span){
			ai_buf_cstr(&name), name.len });
		if (v.kind != AI_NONE)
			ai_buf_add(&x->value, v.s.p, v.s.n);
		else if (x->initial.kind != AI_NONE)
			take_initial(x);
		else if (x->required)
			f->action = MCP_CANCEL;
	}
	ai_buf_release(&name);
}

void mcp_form_result(const struct mcp_form *f, struct ai_buf *out)
{
	static const char *const actions[] = { "accept", "decline", "cancel" };

	ai_put_open(out, '{');
	ai_put_key(out, "action");
	ai_put_cstr(out, actions[f->action]);
	if (f->action == MCP_ACCEPT) {
		ai_put_key(out, "content");
		ai_put_open(out, '{');
		for (size_t i = 0; i < f->n; i++) {
			const struct field *x = &f->v[i];

			if (x->value.len == 0)
				continue;
			/* The name as it was written. */
			if (out->p[out->len - 1] != '{')
				ai_buf_chr(out, ',');
			ai_buf_add(out, x->name.s.p, x->name.s.n);
			ai_buf_chr(out, ':');
			ai_buf_add(out, x->value.p, x->value.len);
		}
		ai_put_close(out, '}');
	}
	ai_put_close(out, '}');
}
