/* The validator: messages, refused schemas, limits; and the parts it has. */
#include "record/schema.h"
#include "record/schema-int.h"
#include "record/schema-tree.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct ai_err err;

static struct ai_schema *make(const char *text)
{
	struct ai_schema *s;

	err = (struct ai_err){ .msg = "" };
	ai_schema_new(&s, text, strlen(text), &err);
	return s;
}

static int check(const struct ai_schema *s, const char *text)
{
	err = (struct ai_err){ .msg = "" };
	return ai_schema_check(s, text, strlen(text), &err);
}

/* ---- what it says ------------------------------------------------------- */

#define CONFIG                                                                 \
	"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" \
	"\"chunk\":{\"type\":\"object\",\"additionalProperties\":false,"       \
	"\"properties\":{\"size\":{\"type\":\"integer\",\"minimum\":1},"       \
	"\"by\":{\"enum\":[\"markdown\",\"fixed\"]}}},"                        \
	"\"converters\":{\"patternProperties\":{\"^\\\\.\":{\"type\":"         \
	"\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1}}}}}"

/* An empty message: valid. */
static const struct {
	const char *schema, *value, *message;
} says[] = {
	{ CONFIG, "{\"chunk\":{\"size\":100,\"by\":\"fixed\"}}", "" },
	{ CONFIG, "{\"chunk\":{\"size\":0}}",
	  "chunk.size: 0 is less than the minimum 1" },
	{ CONFIG, "{\"chunk\":{\"siez\":5}}",
	  "chunk.siez: not a known key; did you mean 'size'?" },
	{ CONFIG, "{\"chnuk\":{}}",
	  "chnuk: not a known key; did you mean 'chunk'?" },
	{ CONFIG, "{\"xyzzy\":{}}", "xyzzy: not a known key" },
	{ CONFIG, "{\"chunk\":{\"size\":1.5}}",
	  "chunk.size: expected a whole number, not 1.5" },
	{ CONFIG, "{\"chunk\":{\"size\":\"10\"}}",
	  "chunk.size: expected a whole number, not \"10\"" },
	{ CONFIG, "{\"chunk\":{\"by\":\"markdwon\"}}",
	  "chunk.by: \"markdwon\" is not one of \"markdown\", \"fixed\"; "
	  "did you mean 'markdown'?" },
	{ CONFIG, "{\"converters\":{\".pdf\":[\"x\",5]}}",
	  "converters.\\.pdf.1: expected a string, not 5" },
	{ CONFIG, "{\"converters\":{\".pdf\":[]}}",
	  "converters.\\.pdf: 0 elements, not less than 1 are allowed" },
	{ CONFIG, "[]", "expected an object, not []" },
	{ CONFIG, "{\"chunk\":{\"size\":1,\"size\":2}}",
	  "chunk.size: the key is there twice" },
	{ CONFIG, "{\"chunk\":{\"\\u001b[31m\":1}}",
	  "chunk.\\u001b[31m: not a known key" },
	{ "{\"required\":[\"a\"]}", "{}", "'a' is missing" },
	{ "{\"properties\":{\"o\":{\"required\":[\"a\"]}}}", "{\"o\":{}}",
	  "o: 'a' is missing" },
	{ "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
	  "'b' is missing beside 'a'" },
	{ "{\"type\":[\"string\",\"null\"]}", "3",
	  "expected a string or null, not 3" },
	{ "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "null",
	  "expected a string or a whole number, not null" },
	{ "{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"}}},"
	  "{\"properties\":{\"kind\":{\"const\":\"b\"},"
	  "\"n\":{\"minimum\":3}}}]}", "{\"kind\":\"b\",\"n\":1}",
	  "n: 1 is less than the minimum 3" },
	{ "{\"oneOf\":[{\"const\":1},{\"const\":2}]}", "3",
	  "matches none of the 2 forms allowed" },
	{ "{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3",
	  "matches more than one of 2 forms that exclude each other" },
	{ "{\"not\":{\"type\":\"null\"}}", "null",
	  "has a form that is not allowed" },
	{ "{\"properties\":{\"a\":false}}", "{\"a\":1}", "a: not allowed" },
	{ "{\"const\":\"x\"}", "\"y\"", "\"y\" is not the required \"x\"" },
	{ "{\"uniqueItems\":true}", "[1,2,1.0]",
	  "2: 1.0 is there twice, also as 1" },
	{ "{\"pattern\":\"^x\"}", "\"abc\"",
	  "\"abc\" does not match the pattern \"^x\"" },
	{ "{\"maxLength\":1}", "\"\\u20ac\\u20ac\"",
	  "2 characters, not more than 1 are allowed" },
	{ "{\"multipleOf\":0.01}", "19.99", "" },
	{ "{\"multipleOf\":0.01}", "19.999",
	  "19.999 is not a multiple of 0.01" },
	{ "{\"contains\":{\"type\":\"null\"}}", "[1]",
	  "0 elements are as one must be, at least 1 have to be" },
	{ "{\"unevaluatedProperties\":false,\"properties\":{\"size\":true}}",
	  "{\"sise\":1}", "sise: not a known key; did you mean 'size'?" },
	{ "{\"unevaluatedProperties\":false,\"$ref\":\"#/$defs/a\",\"$defs\":{"
	  "\"a\":{\"allOf\":[{\"properties\":{\"size\":true}}]}}}",
	  "{\"sise\":1}", "sise: not a known key; did you mean 'size'?" },
	{ "{\"allOf\":[{\"properties\":{\"size\":true}}],"
	  "\"additionalProperties\":false}", "{\"sise\":1}",
	  "sise: not a known key" },
	{ "{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1}",
	  "abc: 3 characters, not more than 2 are allowed" },
	/* Longer than a double, and than a buffer for one. */
	{ "{\"maximum\":9007199254740992}", "9007199254740993",
	  "9007199254740993 is greater than the maximum 9007199254740992" },
	{ "{\"const\":1e400}", "10e399", "" },
	{ "{\"const\":1e400}", "10e400",
	  "10e400 is not the required 1e400" },
	{ "{\"type\":\"integer\"}", "100e-2", "" },
	{ "{\"type\":\"integer\"}", "1e999999999999999999999", "" },
	{ "{\"type\":\"integer\"}", "1e-999999999999999999999",
	  "expected a whole number, not 1e-999999999999999999999" },
};

static void test_says(void)
{
	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		struct ai_schema *s = make(says[i].schema);
		int rc = s == NULL ? -2 : check(s, says[i].value);

		ok(rc == (*says[i].message == '\0' ? 0 : -1) &&
		   strcmp(err.msg, says[i].message) == 0,
		   "%s: %d %s", says[i].value, rc, err.msg);
		ai_schema_free(s);
	}
}

/* ---- schemas that are refused ------------------------------------------- */

static const struct {
	const char *schema;
	enum ai_code code;
	const char *message;
} refused[] = {
	{ "", AI_E_JSON, "a value is expected at byte 1" },
	{ "{\"a\":", AI_E_JSON, NULL },
	{ "\"\xFF\"", AI_E_UTF8, NULL },
	{ "3", AI_E_DATA, "a schema is an object, true or false" },
	{ "{\"type\":\"strnig\"}", AI_E_DATA,
	  "type: \"strnig\" is not one of \"array\", \"boolean\", "
	  "\"integer\", \"null\", \"number\", \"object\", \"string\"; did "
	  "you mean 'string'?" },
	{ "{\"type\":3}", AI_E_DATA, NULL },
	{ "{\"properties\":{\"a\":{\"minimum\":\"1\"}}}", AI_E_DATA,
	  "properties.a.minimum: expected a number, not \"1\"" },
	{ "{\"minLength\":-1}", AI_E_DATA,
	  "minLength: -1 is less than the minimum 0" },
	{ "{\"allOf\":[]}", AI_E_DATA,
	  "allOf: 0 elements, not less than 1 are allowed" },
	{ "{\"items\":[{}]}", AI_E_DATA,
	  "items: expected an object or true or false, not an array" },
	{ "{\"multipleOf\":0}", AI_E_DATA,
	  "multipleOf: 0 is not greater than 0" },
	{ "{\"multipleOf\":1.0000000000000000001}", AI_E_DATA,
	  "multipleOf: expected a number of at most 18 digits, not "
	  "1.0000000000000000001" },
	{ "{\"pattern\":\"(\"}", AI_E_DATA,
	  "pattern: not a regular expression: missing closing parenthesis "
	  "at byte 1" },
	{ "{\"patternProperties\":{\"[\":{}}}", AI_E_DATA, NULL },
	{ "{\"$ref\":\"#/$defs/a\"}", AI_E_DATA,
	  "$ref: '#/$defs/a' leads nowhere" },
	{ "{\"$ref\":\"#a\"}", AI_E_DATA, "$ref: '#a' leads nowhere" },
	{ "{\"$ref\":\"#/type\",\"type\":\"null\"}", AI_E_DATA,
	  "$ref: '#/type' is not a schema" },
	{ "{\"properties\":{\"a\":{\"$ref\":\"http://x/y\"}}}", AI_E_DATA,
	  "properties.a.$ref: there is no schema 'http://x/y' here, and none "
	  "is fetched" },
	{ "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema#/"
	  "properties\"}", AI_E_DATA, NULL },
	{ "{\"$schema\":\"http://x/meta\"}", AI_E_DATA,
	  "$schema: the meta-schema 'http://x/meta' is not known" },
	{ "{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}",
	  AI_E_DATA, "$defs.b: another schema here has that $id" },
	{ "{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}",
	  AI_E_DATA, NULL },
	{ "{\"$id\":\"#a\"}", AI_E_DATA, NULL },
	{ "{\"type\":\"null\",\"type\":\"null\"}", AI_E_DATA,
	  "type: the key is there twice" },
	{ "{\"required\":\"a\"}", AI_E_DATA,
	  "required: expected an array, not \"a\"" },
	/* The meta-schema does not look below unknown keywords; we do. */
	{ "{\"$ref\":\"#/x\",\"x\":{\"minLength\":\"1\"}}", AI_E_DATA,
	  "x.minLength: expected a number, not \"1\"" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct ai_schema *s = make(refused[i].schema);

		ok(s == NULL && err.code == refused[i].code &&
		   (refused[i].message == NULL ||
		    strcmp(err.msg, refused[i].message) == 0),
		   "refused: %s", err.msg);
		ai_schema_free(s);
	}
}

/* ---- limits ------------------------------------------------------------- */

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void limit(const char *name, const char *schema, const char *value,
		  enum ai_code code)
{
	double t = cpu();
	struct ai_schema *s = make(schema);
	int rc = s == NULL ? -2 : check(s, value);

	t = cpu() - t;
	printf("# %s: %.0f ms\n", name, t * 1e3);
	ok(rc == (code == AI_E_NONE ? 0 : -1) && err.code == code,
	   "%s: %d %s", name, rc, err.msg);
	ai_schema_free(s);
}

/* a0 calls a1 twice, a1 calls a2 twice, ... */
static void put_exponential(struct ai_buf *b)
{
	ai_buf_str(b, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
	for (int i = 0; i < 60; i++)
		ai_buf_fmt(b, "\"a%d\":{\"allOf\":[{\"$ref\":\"#/$defs/a%d\"}"
			   ",{\"$ref\":\"#/$defs/a%d\"}]},", i, i + 1, i + 1);
	ai_buf_str(b, "\"a60\":{}}}");
}

static void put_chain(struct ai_buf *b, int n)
{
	ai_buf_str(b, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
	for (int i = 0; i < n; i++)
		ai_buf_fmt(b, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i,
			   i + 1);
	ai_buf_fmt(b, "\"a%d\":{\"type\":\"null\"}}}", n);
}

/* n pieces, each with its number wherever there is a '#'. */
static void put_many(struct ai_buf *b, const char *open, const char *each,
		     size_t n, const char *close)
{
	ai_buf_clear(b);
	ai_buf_str(b, open);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ai_buf_chr(b, ',');
		for (const char *p = each; *p != '\0'; p++)
			if (*p == '#')
				ai_buf_fmt(b, "%zu", i);
			else
				ai_buf_chr(b, *p);
	}
	ai_buf_str(b, close);
}

static void test_loops(void)
{
	limit("a loop", "{\"$ref\":\"#\"}", "1", AI_E_DATA);
	limit("a loop of two", "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":"
	      "{\"allOf\":[{\"$ref\":\"#\"}]}}}", "1", AI_E_DATA);
	limit("a loop is not false", "{\"not\":{\"$ref\":\"#\"}}", "1",
	      AI_E_DATA);
	limit("a loop in one alternative", "{\"anyOf\":[{\"$ref\":\"#\"},"
	      "true]}", "1", AI_E_DATA);
	limit("a dynamic loop", "{\"$dynamicAnchor\":\"a\",\"$dynamicRef\":"
	      "\"#a\"}", "1", AI_E_DATA);
	limit("recursion that follows the value", "{\"items\":{\"$ref\":"
	      "\"#\"}}", "[[[[[[[]]]]]]]", AI_E_NONE);
}

static void test_limits(void)
{
	struct ai_buf s = AI_BUF_INIT(32 << 20), v = AI_BUF_INIT(32 << 20);

	put_exponential(&s);
	limit("exponential $ref", s.p, "1", AI_E_TOO_LONG);
	ai_buf_clear(&s);
	put_chain(&s, 900);
	limit("a chain of 900 $ref", s.p, "null", AI_E_NONE);
	ai_buf_clear(&s);
	put_chain(&s, 2000);
	limit("a chain of 2000 $ref", s.p, "null", AI_E_TOO_LONG);

	put_many(&v, "[", "#", 200000, "]");
	limit("200000 elements", "{\"items\":{\"type\":\"integer\","
	      "\"minimum\":0,\"maximum\":200000},\"uniqueItems\":true,"
	      "\"unevaluatedItems\":false}", v.p, AI_E_NONE);
	put_many(&v, "[", "#", 300000, "]");
	limit("300000 elements", "true", v.p, AI_E_TOO_LONG);
	put_many(&v, "[", "{\"a\":[#]}", 60000, "]");
	put_many(&s, "{\"items\":{\"enum\":[", "{\"a\":[#]}", 20000, "]}}");
	limit("an enum of 20000 for each of 60000", s.p, v.p, AI_E_TOO_LONG);
	limit("exponential pattern", "{\"pattern\":\"^(a+)+$\"}",
	      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
	      AI_E_TOO_LONG);
	limit("a pattern without an answer is not false",
	      "{\"not\":{\"pattern\":\"^(a+)+$\"}}",
	      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
	      AI_E_TOO_LONG);
	put_many(&s, "{\"$id\":\"http://x/\",\"$defs\":{",
		 "\"a#\":{\"$id\":\"#.json\"}", 20000, "}}");
	ok(make(s.p) == NULL && err.code == AI_E_TOO_LONG,
	   "20000 $id: %s", err.msg);
	put_many(&s, "{\"$defs\":{", "\"a#\":{\"$anchor\":\"b#\"}",
		 20000, "},\"$ref\":\"#b19999\"}");
	limit("20000 anchors", s.p, "1", AI_E_NONE);
	put_many(&s, "{\"properties\":{", "\"p#\":{\"type\":\"null\"}",
		 20000, "}}");
	put_many(&v, "{", "\"p#\":null", 20000, "}");
	limit("20000 properties", s.p, v.p, AI_E_NONE);
	ai_buf_release(&s);
	ai_buf_release(&v);
}

static void test_depth(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16);

	for (int i = 0; i < 100; i++)
		ai_buf_str(&b, "{\"items\":");
	ai_buf_str(&b, "{}");
	for (int i = 0; i < 100; i++)
		ai_buf_chr(&b, '}');
	limit("a schema 100 deep", b.p, "[]", AI_E_NONE);
	ai_buf_clear(&b);
	for (int i = 0; i < 127; i++)
		ai_buf_chr(&b, '[');
	for (int i = 0; i < 127; i++)
		ai_buf_chr(&b, ']');
	limit("a value 127 deep", "{\"anyOf\":[{\"allOf\":[{\"items\":{"
	      "\"$ref\":\"#\"}}]}]}", b.p, AI_E_NONE);
	ai_buf_release(&b);
}

/* ---- documents, vocabularies, meta-schemas ------------------------------ */

static void test_docs(void)
{
	static const struct ai_schema_doc docs[] = {
		{ "http://x/a.json", { NULL, 0 } },
		{ "http://x/dir/b.json", { NULL, 0 } },
	};
	static const char *const texts[] = {
		"{\"$ref\":\"dir/b.json#/$defs/n\"}",
		"{\"$defs\":{\"n\":{\"type\":\"integer\"}}}",
	};
	struct ai_schema_doc with[2];
	struct ai_span top = AI_SPAN("{\"$ref\":\"http://x/a.json\"}");
	struct ai_schema *s;

	for (int i = 0; i < 2; i++)
		with[i] = (struct ai_schema_doc){ docs[i].uri,
						  ai_span_of(texts[i]) };
	ok(ai_schema_new_with(&s, top.p, top.n, with, 2, &err) == 0 &&
	   check(s, "1") == 0 && check(s, "\"1\"") < 0,
	   "documents that are handed over");
	ai_schema_free(s);
	with[1].json = AI_SPAN("{\"$defs\":{\"n\":{\"type\":1}}}");
	ok(ai_schema_new_with(&s, top.p, top.n, with, 2, &err) < 0 &&
	   strncmp(err.msg, "http://x/dir/b.json: $defs.n.type: ", 35) == 0,
	   "a mistake in one names it: %s", err.msg);
	with[1].json = AI_SPAN("{\"a\":}");
	ok(ai_schema_new_with(&s, top.p, top.n, with, 2, &err) < 0 &&
	   strncmp(err.msg, "http://x/dir/b.json: ", 21) == 0,
	   "no JSON either: %s", err.msg);
}

static void test_meta(void)
{
	const struct ai_schema_doc *d = ai_schema_meta;
	struct ai_schema *s = make("{\"$ref\":\"" AI_META_URI "\"}");
	struct ai_schema *own;

	for (size_t i = 0; i < ai_schema_n_meta; i++)
		ok(ai_schema_check(s, d[i].json.p, d[i].json.n, &err) == 0,
		   "the meta-schema accepts %s", d[i].uri);
	ok(check(s, "{\"type\":\"strnig\"}") < 0 && check(s, "1") < 0,
	   "the meta-schema refuses what is none");
	ok(ai_schema_new(&own, d->json.p, d->json.n, &err) == 0 &&
	   ai_schema_check(own, d->json.p, d->json.n, &err) == 0,
	   "as a schema of its own it accepts itself");
	ai_schema_free(own);
	ai_schema_free(s);

	s = make("{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
		 "\"definitions\":{\"a\":{\"type\":\"null\"}},"
		 "\"$ref\":\"#/definitions/a\"}");
	ok(s != NULL && check(s, "null") == 0 && check(s, "1") < 0,
	   "a schema of draft 7");
	ai_schema_free(s);
}

/* ---- threads ------------------------------------------------------------ */

static void *many(void *arg)
{
	const struct ai_schema *s = arg;
	struct ai_schema *mine;
	void *failed = NULL;

	for (int i = 0; i < 300; i++)
		if (ai_schema_check(s, "{\"a\":\"xx\"}", 10, NULL) != 0 ||
		    ai_schema_check(s, "{\"a\":\"y\"}", 9, NULL) == 0)
			failed = arg;
	if (ai_schema_new(&mine, "{\"type\":\"null\"}", 15, NULL) < 0)
		failed = arg;
	ai_schema_free(mine);
	return failed;
}

static void test_threads(void)
{
	struct ai_schema *s = make("{\"properties\":{\"a\":{\"pattern\":"
				   "\"^x+$\"}},\"unevaluatedProperties\":"
				   "false}");
	void *failed = NULL, *result;
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, many, s);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		if (result != NULL)
			failed = result;
	}
	ok(failed == NULL, "four threads share one schema");
	ai_schema_free(s);
}

/* ---- parts -------------------------------------------------------------- */

static void test_uri(void)
{
	/* RFC 3986, section 5.4, and more. */
	static const struct {
		const char *base, *ref, *want;
	} cases[] = {
#define RFC "http://a/b/c/d;p?q"
		{ RFC, "g:h", "g:h" },
		{ RFC, "g", "http://a/b/c/g" },
		{ RFC, "./g", "http://a/b/c/g" },
		{ RFC, "g/", "http://a/b/c/g/" },
		{ RFC, "/g", "http://a/g" },
		{ RFC, "//g", "http://g" },
		{ RFC, "?y", "http://a/b/c/d;p?y" },
		{ RFC, "g?y", "http://a/b/c/g?y" },
		{ RFC, ";x", "http://a/b/c/;x" },
		{ RFC, "", "http://a/b/c/d;p?q" },
		{ RFC, ".", "http://a/b/c/" },
		{ RFC, "./", "http://a/b/c/" },
		{ RFC, "..", "http://a/b/" },
		{ RFC, "../", "http://a/b/" },
		{ RFC, "../g", "http://a/b/g" },
		{ RFC, "../..", "http://a/" },
		{ RFC, "../../g", "http://a/g" },
		{ RFC, "../../../g", "http://a/g" },
		{ RFC, "/./g", "http://a/g" },
		{ RFC, "/../g", "http://a/g" },
		{ RFC, "g.", "http://a/b/c/g." },
		{ RFC, "..g", "http://a/b/c/..g" },
		{ RFC, "./../g", "http://a/b/g" },
		{ RFC, "./g/.", "http://a/b/c/g/" },
		{ RFC, "g/./h", "http://a/b/c/g/h" },
		{ RFC, "g/../h", "http://a/b/c/h" },
		{ RFC, "g;x=1/../y", "http://a/b/c/y" },
		{ RFC, "g?y/../x", "http://a/b/c/g?y/../x" },
		{ RFC, "http:g", "http:g" },
		{ "", "a/./b", "a/b" },
		{ "", "../a", "a" },
		{ "a", "b", "b" },
		{ "a/b", "c", "a/c" },
		{ "http://x", "y", "http://x/y" },
		{ "urn:a:b", "", "urn:a:b" },
		{ "file:///d/e", "f", "file:///d/f" },
	};
	struct ai_buf b = AI_BUF_INIT(256);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ai_buf_clear(&b);
		ai_uri_resolve(ai_span_of(cases[i].base),
			       ai_span_of(cases[i].ref), &b);
		ok(strcmp(ai_buf_cstr(&b), cases[i].want) == 0,
		   "'%s' at '%s' is '%s'", cases[i].ref, cases[i].base,
		   ai_buf_cstr(&b));
	}
	ai_buf_release(&b);
}

static void test_dec(void)
{
	/* In order; the same number in several ways on one line. */
	static const char *const order[][4] = {
		{ "-1e5", "-100000", "-100000.0", "-0.1e6" },
		{ "-10.5", "-1.05e1", "-1050E-2", "-10.50" },
		{ "-10", "-1e1", "-10.0", "-0.10e+2" },
		{ "-1e-400", "-0.1e-399", "-10e-401", "-1.0e-400" },
		{ "0", "-0", "0.00", "0e99" },
		{ "1e-400", "0.1e-399", "10e-401", "1.0e-400" },
		{ "0.1", "1e-1", "0.10", "0.01e1" },
		{ "1", "1.0", "10e-1", "0.001e3" },
		{ "9007199254740992", "9007199254740992.0",
		  "9.007199254740992e15", "90071992547409920e-1" },
		{ "9007199254740993", "9007199254740993.00",
		  "9.007199254740993e15", "90071992547409930e-1" },
		{ "1e400", "10e399", "0.1e401", "1.0e400" },
	};
	static const struct {
		const char *a, *b;
		bool yes;
	} multiples[] = {
		{ "0.3", "0.1", true }, { "0.35", "0.1", false },
		{ "1e400", "7", false }, { "7e400", "7", true },
		{ "1e400", "0.0001", true }, { "1", "1e400", false },
		{ "-4.5", "1.5", true }, { "0", "3", true },
		{ "123456789012345678901234567891", "123456789", false },
		{ "121932631112635269", "123456789", true },
		{ "999999999999999999999999999999", "999999999999999",
		  true },
	};
	static const struct {
		const char *text;
		int rc;
		int64_t value;
	} whole[] = {
		{ "0", 0, 0 }, { "-0.0", 0, 0 }, { "3.0", 0, 3 },
		{ "0.3e1", 0, 3 }, { "-120e-1", 0, -12 }, { "1e18", 0,
		  1000000000000000000 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "0.9223372036854775807e19", 0, INT64_MAX },
		{ "-9223372036854775808.0", 0, INT64_MIN },
		{ "9223372036854775808", -1, 0 }, { "1e19", -1, 0 },
		{ "1e999999999999999999999", -1, 0 }, { "1e308", -1, 0 },
		{ "1.5", -1, 0 }, { "1.999999999999999999999", -1, 0 },
		{ "9007199254740993.0", 0, 9007199254740993 },
	};
	size_t n = sizeof order / sizeof *order, bad = 0;

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		int64_t v = 0;
		int rc = ai_dec_i64(ai_dec_of(ai_span_of(whole[i].text)), &v);

		ok(rc == whole[i].rc && (rc < 0 || v == whole[i].value),
		   "%s as an integer: %d %lld", whole[i].text, rc,
		   (long long)v);
	}
	for (size_t i = 0; i < 4 * n; i++) {
		for (size_t k = 0; k < 4 * n; k++) {
			struct ai_dec a = ai_dec_of(ai_span_of(
				order[i / 4][i % 4]));
			struct ai_dec b = ai_dec_of(ai_span_of(
				order[k / 4][k % 4]));
			int c = ai_dec_cmp(a, b);

			if ((c > 0) - (c < 0) != (i / 4 > k / 4) -
			    (i / 4 < k / 4) ||
			    (c == 0 && ai_dec_hash(a) != ai_dec_hash(b))) {
				printf("# %s against %s: %d\n",
				       order[i / 4][i % 4],
				       order[k / 4][k % 4], c);
				bad++;
			}
		}
	}
	ok(bad == 0, "numbers compare exactly");
	for (size_t i = 0; i < sizeof multiples / sizeof *multiples; i++)
		ok(ai_dec_multiple(ai_dec_of(ai_span_of(multiples[i].a)),
				   ai_dec_of(ai_span_of(multiples[i].b))) ==
		   multiples[i].yes, "%s is %sa multiple of %s",
		   multiples[i].a, multiples[i].yes ? "" : "not ",
		   multiples[i].b);
}

static struct ai_schema *unchecked(const char *text)
{
	struct ai_schema *s;

	ai_schema_new_unchecked(&s, text, strlen(text), &err);
	return s;
}

/* Schemas that programs use unchecked are good; and unchecked ones are safe
 * all the same. */
static void test_unchecked(void)
{
	const char *root = getenv("SRCDIR");
	struct ai_buf path = AI_BUF_INIT(4096);
	struct ai_schema *s = NULL;
	char text[65536];
	FILE *f;
	size_t n;

	ai_buf_fmt(&path, "%s/data/schema/config.json",
		   root == NULL ? "." : root);
	f = fopen(path.p, "rb");
	n = f == NULL ? 0 : fread(text, 1, sizeof text, f);
	if (f != NULL)
		fclose(f);
	ai_buf_release(&path);
	ok(ai_schema_new(&s, text, n, &err) == 0,
	   "data/schema/config.json is a schema%s%s", s == NULL ? ": " : "",
	   s == NULL ? err.msg : "");
	ai_schema_free(s);
	ok((s = unchecked("{\"minimum\":1}")) != NULL &&
	   check(s, "0") < 0 && check(s, "1") == 0, "an unchecked schema");
	ai_schema_free(s);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		s = unchecked(refused[i].schema);
		if (s == NULL)
			continue;
		check(s, "{\"a\":[1,\"\"]}");
		ai_schema_free(s);
	}
	ok(unchecked("{\"$ref\":\"" AI_META_URI "\"}") == NULL,
	   "no way to the meta-schema: %s", err.msg);
}

static void test_null(void)
{
	struct ai_schema *s;

	ok(ai_schema_new(&s, NULL, 0, NULL) < 0 && s == NULL,
	   "no text, no place for an error");
	ai_schema_free(NULL);
	s = make("true");
	ok(ai_schema_check(s, NULL, 0, NULL) < 0, "no value");
	ai_schema_free(s);
}

/* The place in the schema, with nothing of the value in it. */
static void test_where(void)
{
	static const struct {
		const char *schema, *value, *where;
	} t[] = {
		{ CONFIG, "{\"chunk\":{\"size\":0}}",
		  "properties.chunk.properties.size.minimum" },
		{ CONFIG, "{\"chunk\":{\"siez\":5}}",
		  "properties.chunk.additionalProperties" },
		{ CONFIG, "{\"converters\":{\".pdf\":[\"x\",5]}}",
		  "properties.converters.patternProperties.^\\\\..items.type" },
		{ CONFIG, "5", "type" },
		{ "{\"contains\":{\"type\":\"string\"}}", "[1,2]", "contains" },
		{ "{\"anyOf\":[{\"minimum\":3},{\"type\":\"string\"}]}", "1",
		  "anyOf.0.minimum" },
		{ "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"const\":1}}}",
		  "2", "$defs.a.const" },
		{ "{\"properties\":{\"a\":false}}", "{\"a\":1}", "properties" },
		{ "false", "1", "" },
	};
	struct ai_buf where = AI_BUF_INIT(1000);

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ai_schema *s = make(t[i].schema);

		ai_buf_clear(&where);
		ok(ai_schema_check_where(s, t[i].value, strlen(t[i].value),
					 &where, &err) < 0 &&
		   strcmp(ai_buf_cstr(&where), t[i].where) == 0,
		   "the place in %s: %s", t[i].schema, ai_buf_cstr(&where));
		ai_schema_free(s);
	}
	ai_buf_release(&where);
}

int main(void)
{
	test_says();
	test_where();
	test_refused();
	test_loops();
	test_limits();
	test_depth();
	test_docs();
	test_meta();
	test_threads();
	test_uri();
	test_dec();
	test_unchecked();
	test_null();
	return done();
}
