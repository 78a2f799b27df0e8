/* bin/agent/flow/schema.c: what it says nothing satisfies, nothing does; and
 * which paths there are. */
#include "flow/int.h"

#include "agent-flow.h"
#include "tap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMAS 8000

static struct ai_err err;

/* ---- random schemas, against all small values ---------------------------------- */

static const char *pick(const char *const *of, size_t n)
{
	return of[next() % n];
}

#define PICK(list) pick(list, sizeof list / sizeof list[0])

static void put_schema(struct ai_buf *b, size_t depth);

static void put_list(struct ai_buf *b, const char *name, size_t depth)
{
	ai_put_key(b, name);
	ai_put_open(b, '[');
	for (size_t n = next() % 2 + 1; n > 0; n--)
		put_schema(b, depth);
	ai_put_close(b, ']');
}

static void put_number(struct ai_buf *b, const char *name)
{
	static const char *const numbers[] = { "0", "1", "2", "1.5", "-1" };

	if (next() % 3 != 0)
		return;
	ai_put_key_text(b, name);
	ai_buf_str(b, PICK(numbers));
}

static void put_count(struct ai_buf *b, const char *name)
{
	if (next() % 3 != 0)
		return;
	ai_put_key_text(b, name);
	ai_put_i64(b, (int64_t)(next() % 3));
}

static void put_parts(struct ai_buf *b, const char *type, size_t depth)
{
	if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
		put_number(b, "minimum");
		put_number(b, "maximum");
		put_number(b, "exclusiveMinimum");
		put_number(b, "exclusiveMaximum");
		if (next() % 4 == 0) {
			ai_put_key(b, "multipleOf");
			ai_buf_str(b, next() % 2 != 0 ? "2" : "3");
		}
	} else if (strcmp(type, "string") == 0) {
		put_count(b, "minLength");
		put_count(b, "maxLength");
	} else if (strcmp(type, "array") == 0) {
		put_count(b, "minItems");
		put_count(b, "maxItems");
		put_count(b, "minContains");
		if (next() % 2 != 0) {
			ai_put_key(b, "items");
			put_schema(b, depth);
		}
		if (next() % 3 == 0) {
			ai_put_key(b, "contains");
			put_schema(b, depth);
		}
		if (next() % 3 == 0)
			put_list(b, "prefixItems", depth);
		if (next() % 3 == 0) {
			ai_put_key(b, "uniqueItems");
			ai_put_bool(b, true);
		}
	} else if (strcmp(type, "object") == 0) {
		put_count(b, "minProperties");
		put_count(b, "maxProperties");
		ai_put_key(b, "properties");
		ai_put_open(b, '{');
		ai_put_key(b, "a");
		put_schema(b, depth);
		if (next() % 2 != 0) {
			ai_put_key(b, "b");
			put_schema(b, depth);
		}
		ai_put_close(b, '}');
		if (next() % 2 != 0) {
			ai_put_key(b, "required");
			ai_put_open(b, '[');
			ai_put_cstr(b, next() % 2 != 0 ? "a" : "b");
			ai_put_close(b, ']');
		}
		if (next() % 2 != 0) {
			ai_put_key(b, "additionalProperties");
			ai_put_bool(b, next() % 2 != 0);
		}
		if (next() % 6 == 0) {
			ai_put_key(b, "propertyNames");
			ai_buf_str(b, next() % 2 != 0 ? "{\"enum\":[\"a\"]}"
						      : "{\"minLength\":2}");
		}
	}
}

static void put_part(struct ai_buf *b, const char *name, size_t depth)
{
	ai_put_key_text(b, name);
	put_schema(b, depth);
}

static void put_schema(struct ai_buf *b, size_t depth)
{
	static const char *const types[] = { "null", "boolean", "integer",
		"number", "string", "array", "object" };
	static const char *const enums[] = { "[1]", "[\"\",\"aa\"]", "[null,2]",
		"[[],{}]" };
	const char *type = PICK(types), *other = PICK(types);

	if (depth == 0 || next() % 12 == 0) {
		if (next() % 4 == 0) {
			ai_put_open(b, '{');
			ai_put_close(b, '}');
		} else {
			ai_put_bool(b, next() % 3 != 0);
		}
		return;
	}
	ai_put_open(b, '{');
	if (next() % 12 == 0) {
		ai_put_key(b, "$ref");
		ai_put_cstr(b, next() % 2 != 0 ? "#" : "#/$defs/d~1e");
	}
	if (next() % 4 != 0) {
		ai_put_key(b, "type");
		if (next() % 4 == 0 && strcmp(type, other) != 0) {
			ai_put_open(b, '[');
			ai_put_cstr(b, type);
			ai_put_cstr(b, other);
			ai_put_close(b, ']');
		} else {
			ai_put_cstr(b, type);
		}
	}
	put_parts(b, type, depth - 1);
	if (next() % 8 == 0) {
		ai_put_key(b, "enum");
		ai_buf_str(b, PICK(enums));
	}
	if (next() % 8 == 0)
		put_list(b, "allOf", depth - 1);
	if (next() % 8 == 0)
		put_list(b, "anyOf", depth - 1);
	if (next() % 8 == 0)
		put_list(b, "oneOf", depth - 1);
	if (next() % 10 == 0)
		put_part(b, "not", depth - 1);
	if (next() % 10 == 0) {
		put_part(b, "if", depth - 1);
		put_part(b, next() % 3 != 0 ? "then" : "else", depth - 1);
	}
	ai_put_close(b, '}');
}

/* Values that are small, and all that are made of two of them. */
static struct agent_strings domain;

static void fill_domain(void)
{
	static const char *const small[] = { "null", "true", "false", "0", "1",
		"2", "3", "-1", "1.5", "0.5", "\"\"", "\"a\"", "\"aa\"",
		"\"aaa\"", "[]", "{}" };
	const size_t n = sizeof small / sizeof small[0];

	for (size_t i = 0; i < n; i++)
		agent_strings_add(&domain, ai_span_of(small[i]), &err);
	for (size_t i = 0; i < n; i++) {
		agent_strings_fmt(&domain, &err, "[%s]", small[i]);
		agent_strings_fmt(&domain, &err, "{\"a\":%s}", small[i]);
		agent_strings_fmt(&domain, &err, "{\"b\":%s}", small[i]);
		agent_strings_fmt(&domain, &err, "{\"c\":%s}", small[i]);
		agent_strings_fmt(&domain, &err, "[[%s]]", small[i]);
		agent_strings_fmt(&domain, &err, "{\"a\":{\"a\":%s}}", small[i]);
		for (size_t k = 0; k < n; k++) {
			agent_strings_fmt(&domain, &err, "[%s,%s]", small[i],
					  small[k]);
			agent_strings_fmt(&domain, &err, "{\"a\":%s,\"b\":%s}",
					  small[i], small[k]);
		}
	}
}

/* One of them that satisfies it; NULL: none does. */
static const char *find_value(const struct ai_schema *schema)
{
	for (size_t i = 0; i < domain.n; i++)
		if (ai_schema_check(schema, domain.v[i], strlen(domain.v[i]),
				    &err) == 0)
			return domain.v[i];
	return NULL;
}

static void check_random(void)
{
	size_t no = 0, missed = 0, tried = 0;
	bool right = true;

	for (size_t i = 0; i < SCHEMAS && right; i++) {
		struct ai_buf b = AI_BUF_INIT(1 << 20), place = AI_BUF_INIT(4096);
		struct ai_schema *schema = NULL;
		const char *why = NULL, *value;
		struct ai_value v, at;

		put_schema(&b, 3);
		if (b.p[0] == '{') {
			b.p[--b.len] = '\0';
			ai_put_key(&b, "$defs");
			ai_buf_str(&b, "{\"d/e\":{\"type\":\"string\","
				       "\"minLength\":2}}}");
		}
		if (ai_json_check(b.p, b.len, &v, &err) < 0 ||
		    ai_schema_new(&schema, b.p, b.len, &err) < 0) {
			printf("# %s: %s\n", b.p, err.msg);
			right = false;
		} else {
			tried++;
			value = find_value(schema);
			if (!flow_schema_can(v, &at, &place, &why)) {
				no++;
				right = value == NULL && why != NULL &&
					at.s.p >= b.p &&
					at.s.p + at.s.n <= b.p + b.len;
				if (!right)
					printf("# %s: %s is said not to be: %s "
					       "%s\n", b.p, value,
					       ai_buf_cstr(&place), why);
			} else if (value == NULL) {
				missed++;
			}
		}
		ai_schema_free(schema);
		ai_buf_release(&b);
		ai_buf_release(&place);
	}
	ok(right, "of %zu schemas %zu are refused, and rightly", tried, no);
	ok(no > SCHEMAS / 10 && missed < no, "%zu that no small value satisfies "
	   "pass", missed);
}

/* ---- ours ---------------------------------------------------------------------- */

/* The program compiles it without looking at the meta-schema. */
static void check_published(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	struct ai_schema *schema = NULL;
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/data/schema/flow.json",
		 getenv("SRCDIR") != NULL ? getenv("SRCDIR") : ".");
	fd = open(path, O_RDONLY);
	ok(fd >= 0 && ai_buf_read(&b, fd) == 0 &&
	   ai_schema_new(&schema, b.p, b.len, &err) == 0,
	   "data/schema/flow.json is a schema: %s", err.msg);
	if (fd >= 0)
		close(fd);
	ai_schema_free(schema);
	ai_buf_release(&b);
}

/* ---- by hand ------------------------------------------------------------------- */

static bool can(const char *schema)
{
	struct ai_buf place = AI_BUF_INIT(4096);
	struct ai_value v, at;
	const char *why;
	bool yes;

	ai_json_check(schema, strlen(schema), &v, NULL);
	yes = flow_schema_can(v, &at, &place, &why);
	ai_buf_release(&place);
	return yes;
}

/* What people write by mistake. */
static void check_together(void)
{
	static const struct {
		const char *schema;
		bool can;
	} rows[] = {
		{ "{\"not\":{}}", false },
		{ "{\"not\":{\"title\":\"x\"}}", false },
		{ "{\"oneOf\":[{},{}]}", false },
		{ "{\"oneOf\":[{},{\"type\":\"null\"}]}", true },
		{ "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}",
		  false },
		{ "{\"allOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}",
		  true },
		{ "{\"type\":\"number\",\"allOf\":[{\"type\":\"string\"}]}",
		  false },
		{ "{\"$ref\":\"#/$defs/s\",\"type\":\"number\",\"$defs\":"
		  "{\"s\":{\"type\":\"string\"}}}", false },
		{ "{\"type\":\"number\",\"allOf\":[{\"minimum\":5},"
		  "{\"maximum\":1}]}", false },
		{ "{\"allOf\":[{\"minimum\":5},{\"maximum\":1}]}", true },
		{ "{\"if\":{},\"then\":false}", false },
		{ "{\"if\":{\"type\":\"null\"},\"then\":false}", true },
		{ "{\"type\":\"integer\",\"minimum\":1,\"maximum\":2,"
		  "\"multipleOf\":3}", false },
		{ "{\"type\":\"integer\",\"minimum\":1,\"maximum\":3,"
		  "\"multipleOf\":3}", true },
		{ "{\"type\":\"object\",\"required\":[\"b\"],"
		  "\"propertyNames\":{\"enum\":[\"a\"]}}", false },
		{ "{\"type\":\"object\",\"required\":[\"a\"],"
		  "\"properties\":{\"a\":{\"not\":{}}}}", false },
		{ "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},"
		  "\"uniqueItems\":true,\"minItems\":3}", false },
		{ "{\"type\":\"array\",\"items\":{\"type\":[\"boolean\","
		  "\"null\"]},\"uniqueItems\":true,\"minItems\":3}", true },
		{ "{\"type\":\"string\",\"anyOf\":[{\"type\":\"null\"},"
		  "{\"type\":\"array\"}]}", false },
		{ "{\"type\":\"object\",\"required\":[\"a\"],\"allOf\":["
		  "{\"properties\":{\"a\":{\"type\":\"null\"}}},"
		  "{\"properties\":{\"a\":{\"type\":\"string\"}}}]}",
		  false },
		{ "{\"allOf\":[{\"enum\":[1,2]},{\"enum\":[3]}]}", false },
		{ "{\"type\":\"object\",\"required\":[\"a\"],\"allOf\":["
		  "{\"additionalProperties\":false}]}", false },
		{ "{\"allOf\":[{\"$id\":\"http://a/b\",\"$ref\":"
		  "\"#/$defs/x\",\"$defs\":{\"x\":{}}}],\"$defs\":"
		  "{\"x\":false}}", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ok(can(rows[i].schema) == rows[i].can, "%s: %s",
		   rows[i].can ? "can" : "cannot", rows[i].schema);
}

static void check_can(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ok(!can("{\"type\":\"integer\",\"minimum\":1.1,\"maximum\":1.9}"),
	   "no whole number");
	ok(can("{\"type\":\"number\",\"minimum\":1.1,\"maximum\":1.9}"),
	   "but a number");
	ok(!can("{\"type\":\"number\",\"minimum\":12345678901234567890.2,"
		"\"maximum\":12345678901234567890.1}"), "exact bounds");
	ok(can("{\"type\":\"integer\",\"exclusiveMinimum\":1,"
	       "\"exclusiveMaximum\":3}") &&
	   !can("{\"type\":\"integer\",\"exclusiveMinimum\":1,"
		"\"exclusiveMaximum\":2}"), "open bounds");
	ok(!can("{\"$ref\":\"#/$defs/l\",\"$defs\":{\"l\":{\"type\":\"object\","
		"\"required\":[\"n\"],\"properties\":{\"n\":{\"$ref\":"
		"\"#/$defs/l\"}}}}}"), "a list without end");
	ok(can("{\"$ref\":\"#/$defs/l\",\"$defs\":{\"l\":{\"type\":\"object\","
	       "\"required\":[\"n\"],\"properties\":{\"n\":{\"anyOf\":[{"
	       "\"type\":\"null\"},{\"$ref\":\"#/$defs/l\"}]}}}}}"),
	   "a list with an end");
	ok(can("{\"$id\":\"http://a/b\",\"$ref\":\"#/$defs/f\",\"$defs\":"
	       "{\"f\":false}}"), "what a name of its own leads to is not "
	   "followed");
	ok(!can("{\"not\":true}") && can("{\"not\":{\"type\":\"null\"}}"),
	   "not");
	/* Branches that double at each level end all the same. */
	ai_buf_str(&b, "{\"$defs\":{\"a0\":{\"type\":\"null\"}");
	for (int i = 1; i < 30; i++)
		ai_buf_fmt(&b, ",\"a%d\":{\"allOf\":[{\"$ref\":\"#/$defs/a%d\"},"
			   "{\"$ref\":\"#/$defs/a%d\"}]}", i, i - 1, i - 1);
	ai_buf_str(&b, "},\"$ref\":\"#/$defs/a29\"}");
	ok(can(ai_buf_cstr(&b)), "two to the thirtieth");
	ai_buf_release(&b);
}

static void check_has(void)
{
	static const char object[] =
		"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","
		"\"items\":{\"$ref\":\"#/$defs/i\"}},\"s\":{\"type\":\"string\"},"
		"\"any\":{},\"open\":{\"type\":\"object\",\"properties\":{\"x\":"
		"{}},\"additionalProperties\":true},\"or\":{\"anyOf\":[{},{}]},"
		"\"0\":{\"type\":\"null\"},\"t\":{\"type\":[\"object\",\"null\"],"
		"\"properties\":{\"y\":true}}},\"$defs\":{\"i\":{\"type\":"
		"\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}}}";
	static const struct {
		const char *path;
		bool has;
	} rows[] = {
		{ "a", true }, { "a.0", true }, { "a.0.n", true },
		{ "a.0.m", false }, { "a.x", false }, { "b", false },
		{ "s.x", false }, { "s.0", false }, { "any.x.y.0", true },
		{ "open.z.y", true }, { "or.q", true }, { "0", true },
		{ "0.x", false }, { "t.y.z", true }, { "t.z", false },
		{ "a.0.n.k", false }, { "", true },
	};
	struct ai_value v;

	ai_json_check(object, sizeof object - 1, &v, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ai_buf why = AI_BUF_INIT(1000);

		ok(flow_schema_has(v, rows[i].path, &why) == rows[i].has &&
		   (why.len == 0) == rows[i].has, "'%s' %s %s", rows[i].path,
		   rows[i].has ? "is there" : "is not there:",
		   ai_buf_cstr(&why));
		ai_buf_release(&why);
	}
}

/* agent-flow-schema [SEED] */
int main(int argc, char **argv)
{
	state = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261129;
	find_data();
	printf("# seed %" PRIu64 "\n", state);
	check_published();
	fill_domain();
	check_random();
	check_can();
	check_together();
	check_has();
	agent_strings_release(&domain);
	return done();
}
