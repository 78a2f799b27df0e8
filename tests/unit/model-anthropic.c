/* model/anthropic: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_anthropic;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	static const struct ai_span stop[] = { { "\n\n", 2 }, { "END", 3 } };
	struct ai_chat_message m[] = {
		{ .role = "system", .text = AI_SPAN("be \"brief\"") },
		{ .role = "user", .text = AI_SPAN("gr\xc3\xbc\xc3\x9f") },
	};
	struct ai_chat_request q = wire_ask("[]");

	q.messages = m;
	q.n_messages = 2;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"max_tokens\":4096,\"system\":\"be \\\"brief\\\"\","
		     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
		     "\"text\",\"text\":\"gr\xc3\xbc\xc3\x9f\"}]}]}"),
	   "a plain request: max_tokens is always sent");
	q.max_tokens = 7;
	q.temperature = 0;
	q.top_p = 0.5;
	q.stop = stop;
	q.n_stop = 2;
	q.effort = "low";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"max_tokens\":7,\"system\":\"be \\\"brief\\\"\","
		     "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
		     "\"text\",\"text\":\"gr\xc3\xbc\xc3\x9f\"}]}],"
		     "\"output_config\":{\"effort\":\"low\",\"format\":{"
		     "\"type\":\"json_schema\",\"schema\":{\"type\":"
		     "\"object\"}}},\"temperature\":0,\"top_p\":0.5,"
		     "\"stop_sequences\":[\"\\n\\n\",\"END\"],"
		     "\"stream\":true}"),
	   "a full one");
	ok(wire_same(wire_body(w->put_count, &q), "{\"model\":\"m\","
		     "\"system\":\"be \\\"brief\\\"\",\"messages\":[{\"role\":"
		     "\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		     "\"gr\xc3\xbc\xc3\x9f\"}]}],\"output_config\":{\"effort\":"
		     "\"low\",\"format\":{\"type\":\"json_schema\",\"schema\":"
		     "{\"type\":\"object\"}}}}"), "counted is what is input");
	ok(ai_wire_check(w, "x", &q, &err) == 0, "an effort that it has");
	q.effort = "hig";
	ok(ai_wire_check(w, "x", &q, &err) < 0 && err.code == AI_E_RECORD,
	   "%s", err.msg);
	q.effort = "max";
	q.seed = 1;
	ok(ai_wire_check(w, "anthropic", &q, &err) < 0 &&
	   err.code == AI_E_RECORD, "no seed: %s", err.msg);
}

static void test_conversation(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"system\",\"content\":\"one\"},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"look\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"https://x/y.png\"}}]},"
		"{\"role\":\"developer\",\"content\":\"two\"},"
		"{\"role\":\"user\",\"content\":\"and?\"},"
		"{\"role\":\"assistant\",\"content\":\"\"},"
		"{\"role\":\"assistant\",\"content\":\"a cat\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"max_tokens\":4096,\"system\":\"one\\n\\ntwo\","
		     "\"messages\":[{\"role\":\"user\",\"content\":["
		     "{\"type\":\"text\",\"text\":\"look\"},"
		     "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
		     "\"media_type\":\"image/png\",\"data\":\"QUJD\"}},"
		     "{\"type\":\"image\",\"source\":{\"type\":\"url\","
		     "\"url\":\"https://x/y.png\"}},"
		     "{\"type\":\"text\",\"text\":\"and?\"}]},"
		     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
		     "\"text\":\"a cat\"}]}]}"),
	   "pictures; the system's texts together; no empty text");
}

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":\"q\"},"
		"{\"role\":\"assistant\",\"content\":\"let me see\","
		"\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\","
		"\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\""
		"}},{\"id\":\"2\",\"function\":{\"name\":\"g\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"},"
		"{\"role\":\"user\",\"content\":\"hurry\"},"
		"{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":\"\"}]");
	static const char *const choices[][2] = {
		{ "\"auto\"", "{\"type\":\"auto\"}}" },
		{ "\"none\"", "{\"type\":\"none\"}}" },
		{ "\"required\"", "{\"type\":\"any\"}}" },
		{ "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
		  "{\"type\":\"tool\",\"name\":\"f\"}}" },
	};

	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\",\"description\":\"d\",\"parameters\":"
			     "{\"type\":\"object\",\"properties\":{}},"
			     "\"strict\":true}},{\"type\":\"function\","
			     "\"function\":{\"name\":\"g\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"max_tokens\":4096,\"messages\":[{\"role\":\"user\","
		     "\"content\":[{\"type\":\"text\",\"text\":\"q\"}]},"
		     "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
		     "\"text\":\"let me see\"},{\"type\":\"tool_use\",\"id\":"
		     "\"1\",\"name\":\"f\",\"input\":{\"x\":1}},{\"type\":"
		     "\"tool_use\",\"id\":\"2\",\"name\":\"g\",\"input\":{}}]},"
		     "{\"role\":\"user\",\"content\":[{\"type\":"
		     "\"tool_result\",\"tool_use_id\":\"1\",\"content\":"
		     "\"r1\"},{\"type\":\"tool_result\",\"tool_use_id\":\"2\","
		     "\"content\":\"\"},{\"type\":\"text\",\"text\":"
		     "\"hurry\"}]}],\"tools\":[{\"name\":\"f\","
		     "\"description\":\"d\",\"input_schema\":{\"type\":"
		     "\"object\",\"properties\":{}},\"strict\":true},"
		     "{\"name\":\"g\",\"input_schema\":{\"type\":\"object\","
		     "\"properties\":{}}}"
		     "]}"), "tools, calls, and all results first in one "
	   "message");
	for (size_t i = 0; i < 4; i++) {
		q.tool_choice = wire_value(choices[i][0]);
		ok(strstr(wire_body(w->put_chat, &q), "\"tool_choice\":") &&
		   wire_same(strstr(wire_body(w->put_chat, &q),
				    "\"tool_choice\":") + 14, choices[i][1]),
		   "a choice: %s", choices[i][0]);
	}
	ok(strstr(wire_body(w->put_count, &q), "\"tool_choice\":"),
	   "tools are counted too");
}

static void test_unsayable(void)
{
	static const char *const lists[] = {
		"[]", "[{\"role\":\"system\",\"content\":\"x\"}]",
		"[{\"role\":\"user\",\"content\":\"\"}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"file\"}]}]",
		"[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{"
		"\"function\":{\"name\":\"f\"}}]}]",
		"[{\"role\":\"system\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"http://x\"}}]},{\"role\":\"user\","
		"\"content\":\"x\"}]",
	};
	struct ai_chat_request q;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		q = wire_ask(lists[i]);
		ok(wire_body(w->put_chat, &q) == NULL &&
		   err.code == AI_E_RECORD, "%s", err.msg);
	}
	q = wire_ask("[{\"role\":\"user\",\"content\":\"x\"}]");
	q.tools = wire_value("[{\"type\":\"web_search\"}]");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
	q.tools.kind = AI_NONE;
	q.tool_choice = wire_value("7");
	ok(wire_body(w->put_count, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_paths(void)
{
	ok(strcmp(w->path, "/messages") == 0 && w->stream_path == NULL &&
	   strcmp(w->count_path, "/messages/count_tokens") == 0 &&
	   strcmp(w->headers[0], "anthropic-version: 2023-06-01") == 0 &&
	   w->headers[1] == NULL && w->auth == AI_AUTH_X_API_KEY,
	   "paths and headers");
}

/* ---- answers ------------------------------------------------------------ */

static void test_answers(void)
{
	ok(wire_get(w, "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":"
		    "\"assistant\",\"model\":\"claude-x\",\"content\":["
		    "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":"
		    "\"s\"},{\"type\":\"text\",\"text\":\"h\\u00e9\"},"
		    "{\"type\":\"text\",\"text\":\"llo\"}],\"stop_reason\":"
		    "\"end_turn\",\"usage\":{\"input_tokens\":10,"
		    "\"cache_read_input_tokens\":5,"
		    "\"cache_creation_input_tokens\":3,\"output_tokens\":7}}")
	   == 0 && wire_text("h\xc3\xa9llo", "stop") && !chat.refusal &&
	   strcmp(chat.model, "claude-x") == 0, "an answer");
	ok(wire_usage(AI_SHAPE_ANTHROPIC, 18, 5, 3, 7), "its bill");
	ok(wire_get(w, "{\"content\":[{\"type\":\"text\",\"text\":\"so\"},"
		    "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":"
		    "\"web_search\",\"input\":{}},"
		    "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\","
		    "\"input\":{\"x\":[1, 2]}},{\"type\":\"tool_use\",\"id\":"
		    "\"b\",\"name\":\"g\"}],\"stop_reason\":\"tool_use\"}")
	   == 0 && wire_text("so", "tool_calls") && chat.n_calls == 2 &&
	   wire_call(0, "a", "f", "{\"x\":[1, 2]}") &&
	   wire_call(1, "b", "g", "{}") && chat.bill.len == 0, "calls");
	ok(wire_get(w, "{\"content\":[],\"stop_reason\":\"refusal\","
		    "\"stop_details\":{\"type\":\"refusal\",\"explanation\":"
		    "\"no\"}}") == 0 && chat.refusal &&
	   wire_text("no", "content_filter"), "a refusal, explained");
	ok(wire_get(w, "{\"content\":[{\"type\":\"text\",\"text\":\"I\"}],"
		    "\"stop_reason\":\"refusal\",\"stop_details\":null}") == 0
	   && chat.refusal && wire_text("I", "content_filter"),
	   "a refusal after some text");
	ok(wire_get(w, "{\"content\":[],\"stop_reason\":\"max_tokens\"}") == 0
	   && wire_text("", "length"), "nothing but a reason to stop");
	ok(wire_get(w, "{\"content\":[],\"stop_reason\":\"pause_turn\"}") == 0
	   && wire_text("", "pause_turn"), "a reason of its own");
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"content\":\"x\"}",
		"{\"content\":[{\"type\":\"tool_use\",\"input\":7}]}",
		"{\"content\":[{\"type\":\"text\",\"text\":\"\xff\"}]}",
		"<html>502 Bad Gateway</html>", NULL
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	wire_bad(w, bad);
	ai_buf_str(&b, "{\"content\":[{\"type\":\"text\",\"text\":\"");
	for (int i = 0; i < 70000; i++)
		ai_buf_chr(&b, 'x');
	ai_buf_str(&b, "\"}]}");
	ok(wire_get(w, ai_buf_cstr(&b)) < 0 && err.code == AI_E_TOO_LONG,
	   "a text beyond the limit: %s", err.msg);
	ai_buf_clear(&b);
	ai_buf_str(&b, "{\"content\":[");
	for (int i = 0; i < 200; i++)
		ai_buf_str(&b, "{\"type\":\"tool_use\"},");
	ai_buf_str(&b, "{}]}");
	ok(wire_get(w, ai_buf_cstr(&b)) < 0 && err.code == AI_E_ANSWER,
	   "too many calls: %s", err.msg);
	ai_buf_release(&b);
}

/* ---- streams ------------------------------------------------------------ */

static const char begin[] = "{\"type\":\"message_start\",\"message\":"
	"{\"model\":\"claude-x\",\"content\":[],\"stop_reason\":null,"
	"\"usage\":{\"input_tokens\":25,\"cache_read_input_tokens\":4,"
	"\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,"
	"\"ephemeral_1h_input_tokens\":6},\"cache_creation_input_tokens\":6,"
	"\"output_tokens\":1,\"service_tier\":\"standard\"}}}";

static void test_stream(void)
{
	static const char *const text[] = {
		"message_start", begin,
		"content_block_start", "{\"type\":\"content_block_start\","
		"\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":"
		"\"\"}}",
		"ping", "{\"type\":\"ping\"}",
		"content_block_delta", "{\"index\":0,\"delta\":{\"type\":"
		"\"text_delta\",\"text\":\"h\xc3\xa9\"}}",
		"content_block_delta", "{\"index\":0,\"delta\":{\"type\":"
		"\"thinking_delta\",\"thinking\":\"hm\"}}",
		"content_block_delta", "{\"index\":0,\"delta\":{\"type\":"
		"\"text_delta\",\"text\":\"llo\"}}",
		"content_block_stop", "{\"index\":0}",
		"message_delta", "{\"delta\":{\"stop_reason\":"
		"\"stop_sequence\",\"stop_sequence\":\"x\"},\"usage\":"
		"{\"input_tokens\":null,\"cache_read_input_tokens\":5,"
		"\"output_tokens\":15}}",
		"news", "{\"anything\":[]}",
		"message_stop", "{\"type\":\"message_stop\"}", NULL
	};

	ok(wire_feed(w, text) == 10 && wire_text("h\xc3\xa9llo", "stop") &&
	   strcmp(chat.model, "claude-x") == 0, "a stream of text");
	ok(wire_usage(AI_SHAPE_ANTHROPIC, 36, 5, 6, 15),
	   "its bill: the last of each count that is not null");
	ok(wire_same(chat.bill.p, "{\"input_tokens\":25,\"cache_creation\":"
		     "{\"ephemeral_5m_input_tokens\":0,"
		     "\"ephemeral_1h_input_tokens\":6},"
		     "\"cache_creation_input_tokens\":6,\"service_tier\":"
		     "\"standard\",\"cache_read_input_tokens\":5,"
		     "\"output_tokens\":15}"), "as one object");
}

static void test_stream_calls(void)
{
	static const char *const calls[] = {
		"", begin,
		"", "{\"type\":\"content_block_start\",\"index\":0,"
		"\"content_block\":{\"type\":\"text\",\"text\":\"so\"}}",
		"", "{\"type\":\"content_block_start\",\"index\":1,"
		"\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\","
		"\"name\":\"f\",\"input\":{}}}",
		"", "{\"type\":\"content_block_start\",\"index\":2,"
		"\"content_block\":{\"type\":\"tool_use\",\"id\":\"b\","
		"\"name\":\"g\",\"input\":{}}}",
		"", "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
		"{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"x\"}}",
		"", "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
		"{\"type\":\"input_json_delta\",\"partial_json\":\"\\\":1}\"}}",
		"", "{\"type\":\"content_block_start\",\"index\":3,"
		"\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"c\","
		"\"name\":\"web_search\",\"input\":{}}}",
		"", "{\"type\":\"content_block_delta\",\"index\":3,\"delta\":"
		"{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}",
		"", "{\"type\":\"content_block_stop\",\"index\":1}",
		"", "{\"type\":\"content_block_stop\",\"index\":2}",
		"", "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
		"\"tool_use\"},\"usage\":{\"output_tokens\":9}}",
		"", "{\"type\":\"message_stop\"}", NULL
	};

	ok(wire_feed(w, calls) == 12 && wire_text("so", "tool_calls") &&
	   chat.n_calls == 2 && wire_call(0, "a", "f", "{\"x\":1}") &&
	   wire_call(1, "b", "g", "{}"),
	   "a stream of calls, its events without names");
}

static void test_stream_ends(void)
{
	static const char *const refused[] = {
		"message_delta", "{\"delta\":{\"stop_reason\":\"refusal\","
		"\"stop_details\":{\"explanation\":\"no\"}}}", NULL
	}, *const bad[] = { "message_start", "x", NULL }, *const odd[] = {
		"message_start", "{\"message\":{\"usage\":{\"output_tokens\":"
		"1}}}", "message_delta", "{\"delta\":{},\"usage\":[1]}",
		"message_delta", "{}", NULL
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	const char *large[] = { "message_start", begin, "message_delta", NULL,
				NULL };

	ok(wire_feed(w, refused) == 0 && chat.refusal &&
	   wire_text("no", "content_filter"), "a refusal");
	ok(wire_feed(w, bad) < 0 && err.code == AI_E_ANSWER, "no JSON");
	ok(wire_feed(w, odd) == 0 &&
	   !wire_usage(AI_SHAPE_ANTHROPIC, 0, 0, 0, 1),
	   "counts without an input are no bill");
	ai_buf_str(&b, "{\"usage\":{\"output_tokens\":5");
	for (int i = 0; i < 1000; i++)
		ai_buf_fmt(&b, ",\"m%d\":%d", i, i);
	ai_buf_str(&b, "}}");
	large[3] = ai_buf_cstr(&b);
	ok(wire_feed(w, large) == 0 && chat.bill.len == 0,
	   "what is too large for a usage is none");
	ai_buf_release(&b);
}

/* ---- the rest ------------------------------------------------------------- */

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"type\":\"error\",\"error\":{\"type\":"
		  "\"overloaded_error\",\"message\":\"Over\\nloaded\"},"
		  "\"request_id\":\"r\"}", true, 529, "Over loaded",
		  "overloaded_error" },
		{ "{\"type\":\"error\",\"error\":{\"type\":"
		  "\"rate_limit_error\",\"message\":\"m\",\"details\":{"
		  "\"error_code\":\"enforced_spend_limit_reached\"}}}", true,
		  429, "m", "enforced_spend_limit_reached" },
		{ "{\"type\":\"error\",\"error\":{\"type\":\"new_error\"}}",
		  true, 0, "", "new_error" },
		{ "{\"error\":\"model 'x' not found\"}", true, 0,
		  "model 'x' not found", "" },
		{ "{\"message\":\"no route\"}", false, 0, "no route", "" },
		{ "{\"type\":\"message\",\"content\":[]}", false, 0, "", "" },
		{ "{\"error\":null}", false, 0, "", "" },
		{ "<html>", false, 0, "", "" }, { "[]", false, 0, "", "" },
		{ NULL }
	};

	wire_errors(w, cases);
}

static void test_lists(void)
{
	int64_t n = 0;

	ok(ai_wire_get_count(w, "{\"input_tokens\":2095}", 21, &n, &err) == 0 &&
	   n == 2095, "a count");
	ok(ai_wire_get_count(w, "{\"input_tokens\":-1}", 19, &n, &err) < 0 &&
	   err.code == AI_E_ANSWER, "no count: %s", err.msg);
	ok(ai_wire_get_count(w, "<", 1, &n, &err) < 0, "no JSON");
	ok(wire_same(wire_models(w, "{\"data\":[{\"type\":\"model\",\"id\":"
		"\"a\"},{\"id\":7},{\"id\":\"b\\n\"}],\"has_more\":false,"
		"\"last_id\":\"b\"}"), "a b\n "), "models");
	ok(wire_same(wire_models(w, "{\"data\":[{\"id\":\"a\"}],\"has_more\":"
		"true,\"last_id\":\"a b\"}"), "a > a b"), "and more of them");
	ok(wire_models(w, "{}") == NULL && err.code == AI_E_ANSWER,
	   "no models: %s", err.msg);
}

int main(void)
{
	test_plain();
	test_conversation();
	test_tools();
	test_unsayable();
	test_paths();
	test_answers();
	test_bad();
	test_stream();
	test_stream_calls();
	test_stream_ends();
	test_errors();
	test_lists();
	ai_chat_answer_release(&chat);
	return done();
}
