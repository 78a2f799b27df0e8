/*
 * headers.c: what of a call stands in the headers of its request, too, since
 * 2026-07-28: arguments whose schema has "x-mcp-header".  Only those are allowed
 * that a chain of "properties" leads to, of the types string, integer and
 * boolean, with names that a header can have and that occur once.
 */
#include "mcp/int.h"

#include "crypt/base64.h"

#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64  /* of a tool */
#define DEPTH_MAX 32    /* of the objects that arguments are in */
#define NAME_MAX_BYTES 100

struct reading {
	struct agent_strings *pairs;
	struct ai_value path[DEPTH_MAX]; /* the names of properties, JSON */
	size_t depth;
	const char *why;
	struct ai_err *err;
};

static int wrong(struct reading *r, const char *why)
{
	r->why = why;
	return 1;
}

/* ---- one of them --------------------------------------------------------------- */

static bool is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr(others, *s) != NULL))
			return false;
	return true;
}

static bool has_type(struct ai_value schema)
{
	static const char *const types[] = { "string", "integer", "boolean" };
	struct ai_value type = ai_json_member(schema, AI_SPAN("type"));

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (type.kind == AI_STRING &&
		    ai_json_is(type, ai_span_of(types[i])))
			return true;
	return false;
}

static bool is_taken(const struct agent_strings *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i += 2)
		if (strcasecmp(pairs->v[i], name) == 0)
			return true;
	return false;
}

static int add_pair(struct reading *r, const char *name)
{
	struct ai_buf path = AI_BUF_INIT(MCP_SCHEMA_MAX);
	int rc;

	ai_put_open(&path, '[');
	for (size_t i = 0; i < r->depth; i++)
		ai_put_value(&path, r->path[i]);
	ai_put_close(&path, ']');
	rc = agent_strings_add(r->pairs, ai_span_of(name), r->err);
	if (rc == 0)
		rc = agent_strings_take(r->pairs, &path, r->err);
	ai_buf_release(&path);
	return rc;
}

static int read_one(struct reading *r, struct ai_value schema,
		    struct ai_value header, bool reachable)
{
	struct ai_buf name = AI_BUF_INIT(NAME_MAX_BYTES);
	const char *s;
	int rc;

	if (!reachable)
		return wrong(r, "an x-mcp-header stands where no argument has "
			     "one place");
	if (header.kind != AI_STRING)
		return wrong(r, "an x-mcp-header is no string");
	ai_json_text(header, &name);
	s = ai_buf_cstr(&name);
	if (name.bad != AI_E_NONE || name.len == 0 || strlen(s) != name.len ||
	    !is_token(s))
		rc = wrong(r, "an x-mcp-header is no name of a header");
	else if (!has_type(schema))
		rc = wrong(r, "an x-mcp-header is of an argument that is no "
			   "string, integer or boolean");
	else if (is_taken(r->pairs, s))
		rc = wrong(r, "an x-mcp-header occurs twice");
	else if (r->pairs->n >= 2 * HEADERS_MAX)
		rc = wrong(r, "it has too many x-mcp-headers");
	else
		rc = add_pair(r, s);
	ai_buf_release(&name);
	return rc;
}

/* ---- all of a schema ---------------------------------------------------------------- */

static bool is_one_of(struct ai_value key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (ai_json_is(key, ai_span_of(*list)))
			return true;
	return false;
}

static int walk(struct reading *r, struct ai_value schema, bool reachable);

/* Names of anybody's choice, each with a schema. */
static int walk_names(struct reading *r, struct ai_value map, bool reachable)
{
	struct ai_json_iter it;
	struct ai_value key, v;
	int rc = 0;

	if (map.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, map);
	while (rc == 0 && ai_json_next(&it, &key, &v)) {
		bool fits = reachable && r->depth < DEPTH_MAX;

		if (fits)
			r->path[r->depth++] = key;
		rc = walk(r, v, fits);
		if (fits)
			r->depth--;
	}
	return rc;
}

static int walk_array(struct reading *r, struct ai_value list)
{
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0;

	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v))
		rc = walk(r, v, false);
	return rc;
}

/* The depth of JSON text is limited (AI_JSON_DEPTH), and so is this. */
static int walk(struct reading *r, struct ai_value schema, bool reachable)
{
	static const char *const maps[] = { "patternProperties", "$defs",
		"definitions", "dependentSchemas", NULL };
	static const char *const data[] = { "enum", "const", "default",
		"examples", NULL };
	struct ai_json_iter it;
	struct ai_value key, v;
	int rc = 0;

	if (schema.kind == AI_ARRAY)
		return walk_array(r, schema);
	if (schema.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, schema);
	while (rc == 0 && ai_json_next(&it, &key, &v)) {
		if (ai_json_is(key, AI_SPAN("x-mcp-header")))
			rc = read_one(r, schema, v, reachable && r->depth > 0);
		else if (ai_json_is(key, AI_SPAN("properties")))
			rc = walk_names(r, v, reachable);
		else if (is_one_of(key, maps))
			rc = walk_names(r, v, false);
		else if (!is_one_of(key, data))
			rc = walk(r, v, false);
	}
	return rc;
}

int mcp_headers_read(struct ai_value schema, struct agent_strings *pairs,
		     const char **why, struct ai_err *err)
{
	struct reading r = { .pairs = pairs, .err = err };
	int rc = walk(&r, schema, true);

	*why = r.why;
	return rc;
}

/* ---- a call's ------------------------------------------------------------------------ */

static bool is_plain(struct ai_span v)
{
	static const char begin[] = "=?base64?";

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < ' ' || v.p[i] > '~')
			return false;
	if (v.n > 0 && (v.p[0] == ' ' || v.p[v.n - 1] == ' '))
		return false;
	return v.n < sizeof begin + 1 ||
	       memcmp(v.p, begin, sizeof begin - 1) != 0 ||
	       memcmp(v.p + v.n - 2, "?=", 2) != 0;
}

int mcp_header_add(struct agent_strings *to, const char *name,
		   struct ai_span text, struct ai_err *err)
{
	struct ai_buf line = AI_BUF_INIT(MCP_SENT_MAX);
	int rc;

	/* libcurl's way to write one that is empty. */
	ai_buf_fmt(&line, text.n == 0 ? "%s;" : "%s: ", name);
	if (is_plain(text)) {
		ai_buf_add(&line, text.p == NULL ? "" : text.p, text.n);
	} else {
		ai_buf_str(&line, "=?base64?");
		ai_base64_encode(&line, text.p, text.n);
		ai_buf_str(&line, "?=");
	}
	rc = ai_buf_check(&line, "a header", err) < 0 ? -1 :
		agent_strings_take(to, &line, err);
	ai_buf_release(&line);
	return rc;
}

/* What the arguments have at a path. */
static struct ai_value value_at(struct ai_value args, const char *path)
{
	struct ai_buf name = AI_BUF_INIT(MCP_SCHEMA_MAX);
	struct ai_value list, v = args, key;
	struct ai_json_iter it;
	struct ai_err err;

	if (ai_json_check(path, strlen(path), &list, &err) < 0)
		return (struct ai_value){ 0 };
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &key)) {
		ai_buf_clear(&name);
		ai_json_text(key, &name);
		v = v.kind != AI_OBJECT ? (struct ai_value){ 0 } :
			ai_json_member(v, (struct ai_span){
				ai_buf_cstr(&name), name.len });
	}
	ai_buf_release(&name);
	return v;
}

static int add_value(const char *header, struct ai_value v,
		     struct agent_strings *to, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(MCP_SENT_MAX);
	char name[NAME_MAX_BYTES + 16];
	int64_t n;
	int rc = 0;

	snprintf(name, sizeof name, "Mcp-Param-%s", header);
	if (v.kind == AI_STRING)
		ai_json_text(v, &text);
	else if (v.kind == AI_NUMBER && ai_json_i64(v, &n) == 0)
		ai_buf_fmt(&text, "%lld", (long long)n);
	else if (v.kind == AI_BOOL || v.kind == AI_NUMBER)
		ai_buf_add(&text, v.s.p, v.s.n);
	else
		return 0;
	rc = ai_buf_check(&text, "an argument", err) < 0 ? -1 :
		mcp_header_add(to, name, (struct ai_span){
			ai_buf_cstr(&text), text.len }, err);
	ai_buf_release(&text);
	return rc;
}

int mcp_headers_add(const struct agent_strings *pairs, struct ai_span args,
		    struct agent_strings *to, struct ai_err *err)
{
	struct ai_value all;
	int rc = 0;

	if (pairs->n == 0)
		return 0;
	if (ai_json_check(args.p, args.n, &all, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i + 1 < pairs->n; i += 2)
		rc = add_value(pairs->v[i], value_at(all, pairs->v[i + 1]), to,
			       err);
	return rc;
}
