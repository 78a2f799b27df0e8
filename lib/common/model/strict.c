/*
 * strict.c: which schemas a provider can hold an answer to.  After what OpenAI
 * says of its structured outputs and what Anthropic's own SDK leaves in a schema
 * (@anthropic-ai/sdk 1.14.0): both refuse a request whose schema is outside of
 * their subset, so that what is not known to be inside counts as outside.
 */
#include "model/wire.h"

#include <string.h>

#define DEPTH_MAX 10 /* OpenAI's, of objects within objects */

enum { STRICT = 1, CLOSED = 2, BOTH = 3 };

static bool fits(struct ai_value v, unsigned subset, int depth);

/* ---- what stands behind keywords ---------------------------------------------- */

static bool any(struct ai_value v, unsigned subset, int depth)
{
	(void)v;
	(void)subset;
	(void)depth;
	return true;
}

static bool is_plain(struct ai_value v)
{
	return v.kind != AI_ARRAY && v.kind != AI_OBJECT;
}

static bool plain(struct ai_value v, unsigned subset, int depth)
{
	(void)subset;
	(void)depth;
	return is_plain(v);
}

static bool plain_list(struct ai_value v, unsigned subset, int depth)
{
	struct ai_json_iter it;
	struct ai_value one;

	(void)subset;
	(void)depth;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &one))
		if (!is_plain(one))
			return false;
	return v.kind == AI_ARRAY;
}

static bool format(struct ai_value v, unsigned subset, int depth)
{
	static const char *const known[] = {
		"date-time", "time", "date", "duration", "email", "hostname",
		"ipv4", "ipv6", "uuid",
	};

	(void)depth;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (ai_json_is(v, ai_span_of(known[i])))
			return true;
	return subset == CLOSED && ai_json_is(v, AI_SPAN("uri"));
}

/* Anthropic's may have to have one element, and no more. */
static bool min_items(struct ai_value v, unsigned subset, int depth)
{
	int64_t n;

	(void)depth;
	return ai_json_i64(v, &n) == 0 && n >= 0 &&
	       (subset == STRICT || n <= 1);
}

/* Of the dialect; it is not sent. */
static bool at_top(struct ai_value v, unsigned subset, int depth)
{
	(void)v;
	(void)subset;
	return depth == 0;
}

/* Only within the schema; to OpenAI's, it may hold itself. */
static bool reference(struct ai_value v, unsigned subset, int depth)
{
	(void)depth;
	if (v.kind != AI_STRING || v.s.n < 3 || v.s.p[1] != '#')
		return false;
	return subset == STRICT || v.s.n > 3;
}

/* A list of schemas, or an object of them. */
static bool each(struct ai_value v, unsigned subset, int depth)
{
	struct ai_json_iter it;
	struct ai_value one;

	if (v.kind != AI_ARRAY && v.kind != AI_OBJECT)
		return false;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &one))
		if (!fits(one, subset, depth + 1))
			return false;
	return true;
}

static bool inner(struct ai_value v, unsigned subset, int depth)
{
	return fits(v, subset, depth + 1);
}

static const struct keyword {
	const char *name;
	unsigned subsets;
	bool (*fits)(struct ai_value v, unsigned subset, int depth);
} keywords[] = {
	{ "$schema", BOTH, at_top }, { "type", BOTH, any },
	{ "title", BOTH, any }, { "description", BOTH, any },
	{ "enum", BOTH, plain_list }, { "const", BOTH, plain },
	{ "required", BOTH, any }, { "additionalProperties", BOTH, any },
	{ "properties", BOTH, each }, { "items", BOTH, inner },
	{ "anyOf", BOTH, each }, { "allOf", CLOSED, each },
	{ "$ref", BOTH, reference }, { "$defs", BOTH, each },
	{ "definitions", STRICT, each }, { "format", BOTH, format },
	{ "minItems", BOTH, min_items }, { "maxItems", STRICT, any },
	{ "pattern", STRICT, any }, { "multipleOf", STRICT, any },
	{ "minimum", STRICT, any }, { "exclusiveMinimum", STRICT, any },
	{ "maximum", STRICT, any }, { "exclusiveMaximum", STRICT, any },
};

static bool keyword_fits(struct ai_value key, struct ai_value v,
			 unsigned subset, int depth)
{
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (ai_json_is(key, ai_span_of(keywords[i].name)))
			return (keywords[i].subsets & subset) != 0 &&
			       keywords[i].fits(v, subset, depth);
	return false;
}

/* ---- schemas ------------------------------------------------------------------- */

static bool has(struct ai_value list, struct ai_value text)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (v.s.n == text.s.n && memcmp(v.s.p, text.s.p, v.s.n) == 0)
			return true;
	return false;
}

static bool is_object(struct ai_value v)
{
	static const struct ai_value object = {
		AI_STRING, { "\"object\"", sizeof "\"object\"" - 1 }
	};
	struct ai_value type = ai_json_get(v, "type");

	return ai_json_is(type, AI_SPAN("object")) || has(type, object) ||
	       ai_json_get(v, "properties").kind != AI_NONE;
}

/* It has no other members than those named; strictly, it has all of them. */
static bool is_closed(struct ai_value v, unsigned subset)
{
	struct ai_value more = ai_json_get(v, "additionalProperties");
	struct ai_value required = ai_json_get(v, "required"), key, one;
	struct ai_json_iter it;

	if (more.kind != AI_BOOL || ai_json_true(more))
		return false;
	ai_json_iter_init(&it, ai_json_get(v, "properties"));
	while (subset == STRICT && ai_json_next(&it, &key, &one))
		if (!has(required, key))
			return false;
	return true;
}

/* One that says nothing at all is in neither subset. */
static bool says_something(struct ai_value v)
{
	static const char *const enough[] = {
		"type", "enum", "const", "anyOf", "allOf", "$ref",
	};

	for (size_t i = 0; i < sizeof enough / sizeof *enough; i++)
		if (ai_json_get(v, enough[i]).kind != AI_NONE)
			return true;
	return false;
}

static bool fits(struct ai_value v, unsigned subset, int depth)
{
	struct ai_json_iter it;
	struct ai_value key, value;

	if (v.kind != AI_OBJECT || depth > 2 * DEPTH_MAX || !says_something(v))
		return false;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &value))
		if (!keyword_fits(key, value, subset, depth))
			return false;
	return !is_object(v) || is_closed(v, subset);
}

static bool is_of(struct ai_span schema, unsigned subset)
{
	struct ai_value v;

	return ai_json_check(schema.p, schema.n, &v, NULL) == 0 &&
	       ai_json_is(ai_json_get(v, "type"), AI_SPAN("object")) &&
	       fits(v, subset, 0);
}

bool ai_schema_is_closed(struct ai_span schema)
{
	return is_of(schema, CLOSED);
}

bool ai_schema_is_strict(struct ai_span schema)
{
	return is_of(schema, STRICT);
}

void ai_schema_put(struct ai_buf *b, struct ai_span schema)
{
	struct ai_json_iter it;
	struct ai_value v, key;

	if (ai_json_check(schema.p, schema.n, &v, NULL) < 0 ||
	    v.kind != AI_OBJECT) {
		ai_put_raw(b, schema.p, schema.n);
		return;
	}
	ai_put_open(b, '{');
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &v)) {
		if (ai_json_is(key, AI_SPAN("$schema")))
			continue;
		ai_put_raw(b, key.s.p, key.s.n);
		ai_buf_chr(b, ':');
		ai_put_value(b, v);
	}
	ai_put_close(b, '}');
}

bool ai_wire_has_schema(const struct ai_wire *wire, struct ai_span schema)
{
	return (wire->lacks & AI_CHAT_SCHEMA) == 0 &&
	       (wire->schemas == AI_SCHEMA_ANY || ai_schema_is_closed(schema));
}
