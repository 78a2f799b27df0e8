/* The record: bytes that are not touched stay. */
#include "record/rec.h"
#include "tap.h"

#include <string.h>

static struct ai_rec rec;
static struct ai_buf out = AI_BUF_INIT(1 << 20);
static struct ai_err err;

static int parse(const char *line)
{
	return ai_rec_parse(&rec, ai_span_of(line), 7, &err);
}

static int written_is(const char *want)
{
	ai_buf_clear(&out);
	ai_rec_write(&rec, &out);
	if (out.len > 0)
		out.p[--out.len] = '\0';
	if (strcmp(ai_buf_cstr(&out), want) == 0)
		return 1;
	printf("# got  %s\n# want %s\n", ai_buf_cstr(&out), want);
	return 0;
}

static void set(const char *name, const char *json)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_buf_str(&b, json);
	ai_rec_set(&rec, name, &b, &err);
	ai_buf_release(&b);
}

static void test_untouched(void)
{
	static const char *const lines[] = {
		"{}", " { } ", "{\"a\":1}", "{\"a\":123456789012345678901234567890}",
		"{\"a\":1,\"a\":2}", "{\"t\":\"\\u0000\\/\"}", "\t{\"a\" : [1 , 2]}\r",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ok(parse(lines[i]) == 0 && written_is(lines[i]),
		   "untouched: %zu", i);
}

static void test_set(void)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "{}", "{\"n\":3}" },
		{ "{ }", "{ \"n\":3}" },
		{ "{\"a\":1}", "{\"a\":1,\"n\":3}" },
		{ "{\"a\":1 } ", "{\"a\":1 ,\"n\":3} " },
		{ "{\"n\":0}", "{\"n\":3}" },
		{ "{\"n\":0,\"a\":1}", "{\"a\":1,\"n\":3}" },
		{ "{\"a\":1, \"n\":0}", "{\"a\":1,\"n\":3}" },
		{ "{\"a\":1, \"n\":0 , \"b\":2}", "{\"a\":1 , \"b\":2,\"n\":3}" },
		{ "{\"n\":0,\"n\":1,\"a\":[2]}", "{\"a\":[2],\"n\":3}" },
		{ "{\"n\":0,\"n\":1}", "{\"n\":3}" },
		{ "{\"\\u006e\":0,\"a\":1,\"n\":1}", "{\"a\":1,\"n\":3}" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		parse(cases[i].in);
		set("n", "3");
		ok(written_is(cases[i].out), "set: %s", cases[i].in);
	}
	parse("{\"a\":1}");
	set("n", "1");
	set("m", "2");
	set("n", "{}");
	ok(written_is("{\"a\":1,\"n\":{},\"m\":2}"), "set twice");
	ai_rec_drop(&rec, "n");
	ok(written_is("{\"a\":1,\"m\":2}"), "a new member can be dropped");
	ai_rec_revert(&rec);
	ok(written_is("{\"a\":1}"), "revert");
}

static void test_rewrite(void)
{
	parse("{\"z\":\"x\\ty\",\"m\":[{\"c\":\"old\"} ,2],\"n\":1}");
	ok(ai_rec_rewrite(&rec, "m.0.c", "n\"w", 3, &err) == 0, "rewrite");
	ok(written_is("{\"z\":\"x\\ty\",\"m\":[{\"c\":\"n\\\"w\"} ,2],\"n\":1}"),
	   "only that token changes");
	ai_rec_rewrite(&rec, "z", "", 0, &err);
	ai_rec_rewrite(&rec, "m.0.c", "again", 5, &err);
	set("n", "2");
	ok(written_is("{\"z\":\"\",\"m\":[{\"c\":\"again\"} ,2],\"n\":2}"),
	   "several edits and a member");
	ai_rec_drop(&rec, "m");
	ok(written_is("{\"z\":\"\",\"n\":2}"), "an edit in a dropped member");
	ok(ai_rec_rewrite(&rec, "n", "x", 1, &err) < 0 &&
	   err.code == AI_E_RECORD, "a number is not rewritten");
}

static void test_paths(void)
{
	struct ai_value v;
	int64_t n;

	parse("{\"a.b\":{\"c\":[10,{\"d\":20}]},\"a\":1,\"a\":2}");
	v = ai_rec_get(&rec, "a\\.b.c.1.d");
	ok(ai_json_i64(v, &n) == 0 && n == 20, "a path with all steps");
	v = ai_rec_get(&rec, "a");
	ok(ai_json_i64(v, &n) == 0 && n == 2, "the last of two counts");
	ok(ai_rec_get(&rec, "a\\.b.c.2").kind == AI_NONE, "behind the end");
	ok(ai_rec_get(&rec, "a\\.b.c.x").kind == AI_NONE, "not an index");
	ok(ai_rec_get(&rec, "a.b").kind == AI_NONE, "into a number");
}

static void test_errors(void)
{
	struct ai_err why = { AI_E_TRY_LATER, 2.5, "wait" };

	ok(parse("[1]") < 0 && err.code == AI_E_JSON, "an array is no record");
	ok(parse("{\"a\":\"\xff\"}") < 0 && err.code == AI_E_UTF8, "not UTF-8");
	parse("{\"error\":{\"tool\":\"x\",\"code\":\"y\"}}");
	ok(ai_rec_is_error(&rec), "an error record");
	parse("{\"error\":{\"tool\":\"x\"}}");
	ok(!ai_rec_is_error(&rec), "an error object that is data");
	parse("{\"error\":null,\"text\":\"t\"}");
	set("half", "1");
	ai_rec_fail(&rec, "ai-x", &why, &err);
	ok(written_is("{\"text\":\"t\",\"error\":{\"tool\":\"ai-x\",\"code\":"
		      "\"try_later\",\"message\":\"wait\",\"retryable\":true,"
		      "\"retry_after_s\":2.5,\"line\":7}}"),
	   "a failed record is as it came, and says why");
}

int main(void)
{
	ai_rec_init(&rec);
	test_untouched();
	test_set();
	test_rewrite();
	test_paths();
	test_errors();
	ai_rec_release(&rec);
	ai_buf_release(&out);
	return done();
}
