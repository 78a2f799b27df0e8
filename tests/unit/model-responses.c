/* model/responses: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_responses;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"system\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\nb\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"instructions\":\"be brief\",\"input\":[{\"type\":"
		     "\"message\",\"role\":\"user\",\"content\":[{\"type\":"
		     "\"input_text\",\"text\":\"a\\nb\"}]}],\"store\":false}"),
	   "a plain request");
	q = wire_ask("[{\"role\":\"user\",\"content\":\"q\"}]");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.top_p = 0.9;
	q.effort = "low";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"input\":[{\"type\":\"message\",\"role\":\"user\","
		     "\"content\":[{\"type\":\"input_text\",\"text\":\"q\"}]"
		     "}],\"reasoning\":{\"effort\":\"low\"},\"text\":{"
		     "\"format\":{\"type\":\"json_schema\",\"name\":"
		     "\"answer\",\"schema\":{\"type\":\"object\"},"
		     "\"strict\":false}},"
		     "\"max_output_tokens\":7,\"temperature\":0.5,\"top_p\":"
		     "0.9,\"store\":false,\"stream\":true}"), "a full one");
	ok(strcmp(w->path, "/responses") == 0 &&
	   strcmp(w->count_path, "/responses/input_tokens") == 0, "the paths");
	ok(ai_wire_check(w, "openai", &q, &err) == 0, "it can do all of it");
	q.seed = 1;
	ok(ai_wire_check(w, "openai", &q, &err) < 0, "%s", err.msg);
	q.seed = AI_CHAT_UNSET;
	q.n_stop = 1;
	ok(ai_wire_check(w, "openai", &q, &err) < 0, "%s", err.msg);
}

#define TALK "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":" \
	"\"q\"},{\"type\":\"image_url\",\"image_url\":{\"url\":" \
	"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\"," \
	"\"image_url\":{\"url\":\"https://x/y.png\"}}]}," \
	"{\"role\":\"assistant\",\"content\":\"I look\",\"tool_calls\":[" \
	"{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":" \
	"\"{\\\"x\\\":1}\"}},{\"id\":\"2\",\"function\":{\"name\":\"g\"}}]}," \
	"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"}," \
	"{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":\"\"}," \
	"{\"role\":\"assistant\",\"content\":\"so\"}," \
	"{\"role\":\"user\",\"content\":\"and?\"}]"

#define TALK_SENT "{\"model\":\"m\",\"input\":[{\"type\":\"message\"," \
	"\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":" \
	"\"q\"},{\"type\":\"input_image\",\"detail\":\"auto\",\"image_url\":" \
	"\"data:image/png;base64,QUJD\"},{\"type\":\"input_image\"," \
	"\"detail\":\"auto\",\"image_url\":\"https://x/y.png\"}]},{\"type\":" \
	"\"message\",\"role\":\"assistant\",\"content\":\"I look\"},{" \
	"\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\"," \
	"\"arguments\":\"{\\\"x\\\":1}\"},{\"type\":\"function_call\"," \
	"\"call_id\":\"2\",\"name\":\"g\",\"arguments\":\"{}\"},{\"type\":" \
	"\"function_call_output\",\"call_id\":\"1\",\"output\":\"r1\"},{" \
	"\"type\":\"function_call_output\",\"call_id\":\"2\",\"output\":\"\"" \
	"},{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"so\"}," \
	"{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":" \
	"\"input_text\",\"text\":\"and?\"}]}]"

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask(TALK);
	static const char *const choices[][2] = {
		{ "\"auto\"", "\"auto\"" }, { "\"none\"", "\"none\"" },
		{ "\"required\"", "\"required\"" },
		{ "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
		  "{\"type\":\"function\",\"name\":\"f\"}" },
	};

	ok(wire_same(wire_body(w->put_count, &q), TALK_SENT "}"),
	   "to be counted: what is input");
	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\",\"description\":\"d\",\"parameters\":"
			     "{\"type\":\"object\",\"properties\":{}},"
			     "\"strict\":true}},{\"type\":\"function\","
			     "\"function\":{\"name\":\"g\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), TALK_SENT ",\"tools\":[{"
		     "\"type\":\"function\",\"name\":\"f\",\"description\":"
		     "\"d\",\"parameters\":{\"type\":\"object\","
		     "\"properties\":{}},\"strict\":true},{\"type\":"
		     "\"function\",\"name\":\"g\",\"parameters\":{\"type\":"
		     "\"object\",\"properties\":{}},\"strict\":false}],"
		     "\"store\":false}"), "pictures, tools, calls and results");
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		char want[100];

		snprintf(want, sizeof want, ",\"tool_choice\":%s,\"store\"",
			 choices[i][1]);
		q.tool_choice = wire_value(choices[i][0]);
		ok(strstr(wire_body(w->put_chat, &q), want) != NULL,
		   "a choice: %s", choices[i][0]);
	}
	q.tool_choice = wire_value("7");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_unsayable(void)
{
	static const char *const bad[] = {
		"[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{"
		"\"id\":\"1\",\"function\":{\"name\":\"f\"}}]}]",
		"[{\"role\":\"user\",\"content\":7}]",
		"[{\"role\":\"system\",\"content\":\"x\"}]",
		"[{\"role\":\"tool\",\"content\":\"r\"}]",
		"[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{"
		"\"name\":\"f\"}}]}]",
		"[{\"role\":\"assistant\",\"content\":[{\"type\":"
		"\"image_url\",\"image_url\":\"https://x\"}]}]",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ai_chat_request q = wire_ask(bad[i]);

		ok(wire_body(w->put_chat, &q) == NULL &&
		   err.code == AI_E_RECORD, "%s", err.msg);
	}
}

/* ---- answers ------------------------------------------------------------ */

static void test_answers(void)
{
	ok(wire_get(w, "{\"id\":\"r\",\"object\":\"response\",\"status\":"
		    "\"completed\",\"error\":null,\"incomplete_details\":null,"
		    "\"model\":\"gpt-5-mini\",\"output\":[{\"type\":"
		    "\"reasoning\",\"summary\":[{\"text\":\"hm\"}]},{\"type\":"
		    "\"message\",\"role\":\"assistant\",\"content\":[{"
		    "\"type\":\"output_text\",\"text\":\"h\\u00e9\","
		    "\"annotations\":[]},{\"type\":\"output_text\",\"text\":"
		    "\"llo\"}]}],\"usage\":{\"input_tokens\":10,"
		    "\"input_tokens_details\":{\"cached_tokens\":4},"
		    "\"output_tokens\":9,\"output_tokens_details\":{"
		    "\"reasoning_tokens\":6},\"total_tokens\":19}}") == 0 &&
	   wire_text("h\xc3\xa9llo", "stop") && !chat.refusal &&
	   strcmp(chat.model, "gpt-5-mini") == 0, "an answer");
	ok(wire_usage(AI_SHAPE_OPENAI, 10, 4, 0, 9), "its bill");
	ok(wire_get(w, "{\"status\":\"completed\",\"output\":[{\"type\":"
		    "\"message\",\"content\":[{\"type\":\"output_text\","
		    "\"text\":\"I look\"}]},{\"type\":\"function_call\","
		    "\"id\":\"fc\",\"call_id\":\"a\",\"name\":\"f\","
		    "\"arguments\":\"{\\\"x\\\":1}\"},{\"type\":"
		    "\"function_call\",\"call_id\":\"b\",\"name\":\"g\","
		    "\"arguments\":\"\"}]}") == 0 &&
	   wire_text("I look", "tool_calls") && chat.n_calls == 2 &&
	   wire_call(0, "a", "f", "{\"x\":1}") && wire_call(1, "b", "g", "{}"),
	   "calls");
	ok(wire_get(w, "{\"status\":\"completed\",\"output\":[{\"type\":"
		    "\"message\",\"content\":[{\"type\":\"refusal\","
		    "\"refusal\":\"no\"}]}]}") == 0 && wire_text("no", "stop")
	   && chat.refusal, "a refusal");
	ok(wire_get(w, "{\"status\":\"incomplete\",\"incomplete_details\":{"
		    "\"reason\":\"max_output_tokens\"},\"output\":[{\"type\":"
		    "\"message\",\"content\":[{\"text\":\"a\"}]}]}") == 0 &&
	   wire_text("a", "length"), "cut off");
	ok(wire_get(w, "{\"status\":\"incomplete\",\"incomplete_details\":{"
		    "\"reason\":\"content_filter\"},\"output\":[]}") == 0 &&
	   wire_text("", "content_filter"), "filtered");
	ok(wire_get(w, "{\"status\":\"cancelled\",\"output\":[]}") == 0 &&
	   wire_text("", "cancelled"), "a state of its own");
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"output\":{}}", "<html>",
		"{\"output\":[{\"type\":\"message\",\"content\":7}]}",
		"{\"output\":[{\"type\":\"function_call\",\"arguments\":7}]}",
		NULL
	};

	wire_bad(w, bad);
}

/* ---- streams ------------------------------------------------------------ */

static void test_stream(void)
{
	static const char *const text[] = {
		"response.created", "{\"type\":\"response.created\","
		"\"response\":{\"status\":\"in_progress\",\"output\":[]}}",
		"response.output_item.added", "{\"output_index\":0,\"item\":{"
		"\"type\":\"message\",\"content\":[]}}",
		"response.content_part.added", "{\"part\":{\"type\":"
		"\"output_text\",\"text\":\"\"}}",
		"response.output_text.delta", "{\"output_index\":0,\"delta\":"
		"\"h\xc3\xa9\"}",
		"response.output_text.delta", "{\"output_index\":0,\"delta\":"
		"\"llo\"}",
		"response.output_text.done", "{\"text\":\"h\xc3\xa9llo\"}",
		"response.output_item.done", "{\"output_index\":0,\"item\":{"
		"\"type\":\"message\",\"content\":[{\"text\":\"h\xc3\xa9llo\"}"
		"]}}",
		"response.completed", "{\"response\":{\"status\":"
		"\"completed\",\"model\":\"m1\",\"output\":[{\"type\":"
		"\"message\",\"content\":[{\"text\":\"h\xc3\xa9llo\"}]}],"
		"\"usage\":{\"input_tokens\":1,\"output_tokens\":2,"
		"\"total_tokens\":3}}}", NULL
	}, *const refused[] = {
		"response.refusal.delta", "{\"delta\":\"I \"}",
		"response.refusal.delta", "{\"delta\":\"won't\"}",
		"response.incomplete", "{\"response\":{\"status\":"
		"\"incomplete\",\"incomplete_details\":{\"reason\":"
		"\"max_output_tokens\"}}}", NULL
	}, *const late[] = {
		"response.completed", "{\"response\":{\"status\":"
		"\"completed\",\"output\":[{\"type\":\"message\",\"content\":"
		"[{\"text\":\"all\"}]}]}}", NULL
	}, *const bare[] = {
		"response.completed", "{}", NULL
	}, *const junk[] = { "response.completed", "{", NULL },
	*const done[] = { "", "[DONE]", NULL };

	ok(wire_feed(w, text) == 8 && wire_text("h\xc3\xa9llo", "stop") &&
	   strcmp(chat.model, "m1") == 0 &&
	   wire_usage(AI_SHAPE_OPENAI, 1, 0, 0, 2), "a stream of text");
	ok(wire_feed(w, refused) == 3 && wire_text("I won't", "length") &&
	   chat.refusal, "a refusal that is cut off");
	ok(wire_feed(w, late) == 1 && wire_text("all", "stop"),
	   "all of it at the end");
	ok(wire_feed(w, bare) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(wire_feed(w, junk) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(wire_feed(w, done) == 1, "[DONE]");
}

static void test_stream_calls(void)
{
	static const char *const calls[] = {
		"", "{\"type\":\"response.output_item.added\","
		"\"output_index\":1,\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"\"}}",
		"", "{\"type\":\"response.output_item.added\","
		"\"output_index\":2,\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"b\",\"name\":\"g\",\"arguments\":\"\"}}",
		"", "{\"type\":\"response.function_call_arguments.delta\","
		"\"output_index\":1,\"delta\":\"{\\\"x\\\"\"}",
		"", "{\"type\":\"response.function_call_arguments.delta\","
		"\"output_index\":1,\"delta\":\":1}\"}",
		"", "{\"type\":\"response.function_call_arguments.done\","
		"\"output_index\":1,\"arguments\":\"{\\\"x\\\":1}\"}",
		"", "{\"type\":\"response.output_item.done\","
		"\"output_index\":1,\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"a\",\"arguments\":\"{\\\"x\\\":1}\"}}",
		"", "{\"type\":\"response.output_item.done\","
		"\"output_index\":2,\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"b\",\"arguments\":\"{\\\"y\\\":2}\"}}",
		"", "{\"type\":\"response.output_item.done\","
		"\"output_index\":3,\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"c\",\"name\":\"h\"}}",
		"", "{\"type\":\"response.completed\",\"response\":{"
		"\"status\":\"completed\"}}", NULL
	}, *const early[] = {
		"response.function_call_arguments.delta",
		"{\"output_index\":0,\"delta\":\"x\"}", NULL
	};

	ok(wire_feed(w, calls) == 9 && wire_text("", "tool_calls") &&
	   chat.n_calls == 3 && wire_call(0, "a", "f", "{\"x\":1}") &&
	   wire_call(1, "b", "g", "{\"y\":2}") && wire_call(2, "c", "h", "{}"),
	   "a stream of calls, its events without names");
	ok(wire_feed(w, early) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
}

/* ---- counts, errors, models ------------------------------------------------ */

static void test_count(void)
{
	int64_t tokens = -1;

	ok(ai_wire_get_count(w, "{\"input_tokens\":123}", 20, &tokens, &err) == 0 &&
	   tokens == 123, "counted");
	ok(ai_wire_get_count(w, "{\"input_tokens\":\"\"}", 19, &tokens, &err) < 0 &&
	   err.code == AI_E_ANSWER, "%s", err.msg);
	ok(ai_wire_get_count(w, "7", 1, &tokens, &err) < 0, "%s", err.msg);
}

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"error\":{\"message\":\"m\",\"type\":"
		  "\"invalid_request_error\",\"param\":\"input\",\"code\":"
		  "null}}", true, 0, "m", "invalid_request_error" },
		{ "{\"status\":\"failed\",\"error\":{\"code\":"
		  "\"server_error\",\"message\":\"broke\"},\"output\":[]}",
		  true, 500, "broke", "server_error" },
		{ "{\"type\":\"response.failed\",\"response\":{\"status\":"
		  "\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\","
		  "\"message\":\"slow\\ndown\"}}}", true, 429, "slow down",
		  "rate_limit_exceeded" },
		{ "{\"type\":\"error\",\"code\":\"ERR_X\",\"message\":\"m\","
		  "\"param\":null,\"sequence_number\":1}", true, 0, "m",
		  "ERR_X" },
		{ "{\"type\":\"error\",\"error\":{\"code\":\"server_error\","
		  "\"message\":\"m\"}}", true, 500, "m", "server_error" },
		{ "{\"type\":\"response.created\",\"response\":{\"error\":"
		  "null}}", false, 0, "", "" },
		{ "{\"error\":null,\"status\":\"completed\",\"output\":[]}",
		  false, 0, "", "" },
		{ "[DONE]", false, 0, "", "" },
		{ NULL }
	};

	wire_errors(w, cases);
}

static void test_models(void)
{
	ok(wire_same(wire_models(w, "{\"data\":[{\"id\":\"a\"},{\"id\":"
				 "\"b\"}]}"), "a b "), "models");
}

int main(void)
{
	test_plain();
	test_tools();
	test_unsayable();
	test_answers();
	test_bad();
	test_stream();
	test_stream_calls();
	test_count();
	test_errors();
	test_models();
	ai_chat_answer_release(&chat);
	return done();
}
