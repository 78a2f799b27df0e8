/* model/turns: conversations taken apart. */
#include "model/turns.h"

#include "tap.h"

#include <string.h>

static struct ai_turns t;
static struct ai_err err;

/* The messages of a JSON list. */
static int take(const char *list)
{
	struct ai_chat_message m[8] = { { .role = NULL } };
	struct ai_json_iter it;
	struct ai_value v;
	size_t n = 0;

	ai_turns_release(&t);
	if (ai_json_check(list, strlen(list), &v, &err) < 0)
		return -1;
	ai_json_iter_init(&it, v);
	while (n < 8 && ai_json_next(&it, NULL, &v))
		m[n++].raw = v;
	return ai_turns_take(&t, m, n, &err);
}

static bool part_is(size_t turn, size_t part, enum ai_part_kind kind,
		    const char *text)
{
	const struct ai_part *p;

	if (turn >= t.n || part >= t.v[turn].n)
		return false;
	p = &t.v[turn].parts[part];
	return p->kind == kind && ai_span_is(p->text, text);
}

static void test_texts(void)
{
	ok(take("[{\"role\":\"developer\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\u00e9\"},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"b\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"https://x/y.png\"}}]},"
		"{\"role\":\"assistant\",\"content\":\"c\"}]") == 0,
	   "roles and parts");
	ok(t.n == 3 && t.v[0].role == AI_ROLE_SYSTEM &&
	   part_is(0, 0, AI_PART_TEXT, "be brief"), "the system's");
	ok(t.v[1].role == AI_ROLE_USER && t.v[1].n == 4 &&
	   part_is(1, 0, AI_PART_TEXT, "a\xc3\xa9") &&
	   part_is(1, 1, AI_PART_TEXT, "b"), "two of a role are one turn");
	ok(part_is(1, 2, AI_PART_IMAGE_DATA, "QUJD") &&
	   ai_span_is(t.v[1].parts[2].type, "image/png") &&
	   part_is(1, 3, AI_PART_IMAGE_URL, "https://x/y.png"), "pictures");
}

static void test_tools(void)
{
	ok(take("[{\"role\":\"user\",\"content\":\"q\"},"
		"{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
		"{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":"
		"\"f\",\"arguments\":\"{\\\"x\\\":1}\"}},"
		"{\"id\":\"2\",\"type\":\"function\",\"function\":{\"name\":"
		"\"g\",\"arguments\":\"\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"},"
		"{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":["
		"{\"type\":\"text\",\"text\":\"r\"},{\"type\":\"text\","
		"\"text\":\"2\"}]}]") == 0 && t.n == 3, "calls and results");
	ok(t.v[1].n == 2 && part_is(1, 0, AI_PART_CALL, "{\"x\":1}") &&
	   part_is(1, 1, AI_PART_CALL, "{}") &&
	   ai_span_is(t.v[1].parts[0].id, "1") &&
	   ai_span_is(t.v[1].parts[1].name, "g"), "the calls");
	ok(t.v[2].role == AI_ROLE_TOOL && t.v[2].n == 2 &&
	   part_is(2, 0, AI_PART_RESULT, "r1") &&
	   part_is(2, 1, AI_PART_RESULT, "r2") &&
	   ai_span_is(t.v[2].parts[1].id, "2") &&
	   ai_span_is(t.v[2].parts[1].name, "g"),
	   "the results, with the names of their tools");
}

static void test_bad(void)
{
	static const char *const lists[] = {
		"[{\"role\":\"root\",\"content\":\"x\"}]",
		"[{\"content\":\"x\"}]",
		"[{\"role\":\"user\",\"content\":7}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:image/png,xx\"}}]}]",
		"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\"}]}]",
		"[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":"
		"{\"name\":\"f\",\"arguments\":\"[1]\"}}]}]",
		"[{\"role\":\"tool\",\"content\":[{\"type\":\"image_url\"}]}]",
	};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		ok(take(lists[i]) < 0 && err.code == AI_E_RECORD &&
		   strncmp(err.msg, "messages.0: ", 12) == 0, "%s", err.msg);
}

static void test_pair(void)
{
	struct ai_buf system = AI_BUF_INIT(100);

	ok(take("[{\"role\":\"system\",\"content\":\"one\"},"
		"{\"role\":\"user\",\"content\":\"q\"},"
		"{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
		"{\"id\":\"1\",\"function\":{\"name\":\"f\"}}]},"
		"{\"role\":\"user\",\"content\":\"hurry\"},"
		"{\"role\":\"system\",\"content\":[{\"text\":\"two\"},"
		"{\"text\":\"\"}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":"
		"\"r\"},{\"role\":\"assistant\"}]") == 0 &&
	   ai_turns_pair(&t, &system, &err) == 0, "two roles");
	ok(t.n == 3 && t.v[0].role == AI_ROLE_USER && t.v[0].n == 1 &&
	   t.v[1].role == AI_ROLE_ASSISTANT && t.v[1].n == 1 &&
	   part_is(1, 0, AI_PART_CALL, "{}") &&
	   t.v[2].role == AI_ROLE_USER && t.v[2].n == 2 &&
	   part_is(2, 0, AI_PART_RESULT, "r") &&
	   part_is(2, 1, AI_PART_TEXT, "hurry"),
	   "results first; nothing that is empty");
	ok(strcmp(ai_buf_cstr(&system), "one\n\ntwo") == 0, "the system's");
	ok(take("[]") == 0 && ai_turns_pair(&t, &system, &err) < 0 &&
	   err.code == AI_E_RECORD, "nothing: %s", err.msg);
	ok(take("[{\"role\":\"user\"}]") == 0 &&
	   ai_turns_pair(&t, &system, &err) < 0, "nothing in a message");
	ok(take("[{\"role\":\"user\",\"content\":\"a\"},{\"role\":"
		"\"assistant\"},{\"role\":\"user\",\"content\":\"b\"}]") ==
	   0 && ai_turns_pair(&t, &system, &err) == 0 && t.n == 1 &&
	   part_is(0, 1, AI_PART_TEXT, "b"), "neighbours by what is left out");
	ai_buf_release(&system);
}

static struct ai_value value(const char *json)
{
	struct ai_value v;

	ai_json_check(json, strlen(json), &v, NULL);
	return v;
}

static void test_lists(void)
{
	static const char list[] = "[{\"type\":\"function\",\"function\":"
		"{\"name\":\"f\",\"parameters\":{}}},{\"function\":{}}]";
	struct ai_tool_choice c;
	struct ai_value v = value(list);
	struct ai_tool tool;
	size_t i = 0;

	ok(ai_tool_next(v, &i, &tool, &err) == 1 &&
	   ai_json_is(tool.name, AI_SPAN("f")) &&
	   tool.description.kind == AI_NONE &&
	   tool.parameters.kind == AI_OBJECT, "a tool");
	ok(ai_tool_next(v, &i, &tool, &err) < 0 &&
	   strstr(err.msg, "tools.1") != NULL, "one without a name");
	v = value("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
	ok(ai_tool_choice_take(v, &c, &err) == 0 &&
	   c.kind == AI_CHOICE_NAMED, "a choice by name");
	ok(ai_tool_choice_take(value("\"required\""), &c, &err) == 0 && c.kind == AI_CHOICE_ANY,
	   "any");
	ok(ai_tool_choice_take(value("\"some\""), &c, &err) < 0, "none of these");
}

int main(void)
{
	test_texts();
	test_tools();
	test_bad();
	test_pair();
	test_lists();
	ai_turns_release(&t);
	return done();
}
