/* model/bedrock: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_bedrock;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	static const struct ai_span stop[] = { { "END", 3 } };
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"system\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\nb\"},"
		"{\"role\":\"system\",\"content\":\"be kind\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{"
		     "\"system\":[{\"text\":\"be brief\\n\\nbe kind\"}],"
		     "\"messages\":[{\"role\":"
		     "\"user\",\"content\":[{\"text\":\"a\\nb\"}]}],"
		     "\"inferenceConfig\":{}}"), "a plain request");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.top_p = 1;
	q.stop = stop;
	q.n_stop = 1;
	q.effort = "high";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	ok(wire_same(wire_body(w->put_chat, &q), "{"
		     "\"system\":[{\"text\":\"be brief\\n\\nbe kind\"}],"
		     "\"messages\":[{\"role\":"
		     "\"user\",\"content\":[{\"text\":\"a\\nb\"}]}],"
		     "\"inferenceConfig\":{\"maxTokens\":7,\"temperature\":0.5,"
		     "\"topP\":1,\"stopSequences\":[\"END\"]},"
		     "\"outputConfig\":{\"textFormat\":{\"type\":"
		     "\"json_schema\",\"structure\":{\"jsonSchema\":{"
		     "\"schema\":\"{\\\"type\\\":\\\"object\\\"}\",\"name\":"
		     "\"answer\"}}},\"effort\":\"high\"}}"),
	   "a full one: the schema is text");
	ok(wire_same(wire_body(w->put_count, &q), "{\"input\":{\"converse\":{"
		     "\"system\":[{\"text\":\"be brief\\n\\nbe kind\"}],"
		     "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":"
		     "\"a\\nb\"}]}]}}}"), "counted is what is "
	   "input");
	ok(ai_wire_check(w, "x", &q, &err) == 0, "an effort that it has");
	q.effort = "hig";
	ok(ai_wire_check(w, "x", &q, &err) < 0 && err.code == AI_E_RECORD,
	   "%s", err.msg);
	q.effort = "max";
	q.seed = 1;
	ok(ai_wire_check(w, "bedrock", &q, &err) < 0, "no seed: %s", err.msg);
}

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"q\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		"\"data:image/jpg;base64,QUJD\"}},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:image/webp;base64,QUJE\"}}]},"
		"{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\","
		"\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\""
		"}},{\"id\":\"2\",\"function\":{\"name\":\"g\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"},"
		"{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":\"\"},"
		"{\"role\":\"user\",\"content\":\"and?\"}]");
	static const char *const choices[][2] = {
		{ "\"auto\"", "{\"auto\":{}}}}" },
		{ "\"required\"", "{\"any\":{}}}}" },
		{ "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
		  "{\"tool\":{\"name\":\"f\"}}}}" },
	};

	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\",\"description\":\"d\",\"parameters\":"
			     "{\"type\":\"object\",\"properties\":{}},"
			     "\"strict\":true}},{\"type\":\"function\","
			     "\"function\":{\"name\":\"g\",\"description\":"
			     "\"\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), "{\"messages\":[{\"role\":"
		     "\"user\",\"content\":[{\"text\":\"q\"},{\"image\":{"
		     "\"format\":\"jpeg\",\"source\":{\"bytes\":\"QUJD\"}}},"
		     "{\"image\":{\"format\":\"webp\",\"source\":{\"bytes\":"
		     "\"QUJE\"}}}]},{\"role\":\"assistant\",\"content\":["
		     "{\"toolUse\":{\"toolUseId\":\"1\",\"name\":\"f\","
		     "\"input\":{\"x\":1}}},{\"toolUse\":{\"toolUseId\":\"2\","
		     "\"name\":\"g\",\"input\":{}}}]},{\"role\":\"user\","
		     "\"content\":[{\"toolResult\":{\"toolUseId\":\"1\","
		     "\"content\":[{\"text\":\"r1\"}]}},{\"toolResult\":{"
		     "\"toolUseId\":\"2\",\"content\":[]}},{\"text\":"
		     "\"and?\"}]}],\"inferenceConfig\":{},\"toolConfig\":{"
		     "\"tools\":[{\"toolSpec\":{\"name\":\"f\","
		     "\"description\":\"d\",\"inputSchema\":{\"json\":{"
		     "\"type\":\"object\",\"properties\":{}}},\"strict\":true"
		     "}},{\"toolSpec\":{\"name\":\"g\",\"inputSchema\":{"
		     "\"json\":{\"type\":\"object\",\"properties\":{}}}}}]}}"),
	   "pictures, tools, calls and results");
	for (size_t i = 0; i < 3; i++) {
		q.tool_choice = wire_value(choices[i][0]);
		ok(strstr(wire_body(w->put_chat, &q), "\"toolChoice\":") &&
		   wire_same(strstr(wire_body(w->put_chat, &q),
				    "\"toolChoice\":") + 13, choices[i][1]),
		   "a choice: %s", choices[i][0]);
	}
	q.tool_choice = wire_value("\"none\"");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_unsayable(void)
{
	static const char *const lists[] = {
		"[]", "[{\"role\":\"system\",\"content\":\"x\"}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"https://x/y.png\"}}]}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:text/plain;base64,QUJD\"}}]}]",
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:image/;base64,QUJD\"}}]}]",
	};
	struct ai_chat_request q;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		q = wire_ask(lists[i]);
		ok(wire_body(w->put_chat, &q) == NULL &&
		   err.code == AI_E_RECORD, "%s", err.msg);
	}
	q = wire_ask("[{\"role\":\"user\",\"content\":\"x\"}]");
	q.tools = wire_value("[{}]");
	ok(wire_body(w->put_count, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_paths(void)
{
	ok(wire_same(wire_path(w->path, "amazon.nova-lite-v1:0"),
		     "/model/amazon.nova-lite-v1%3A0/converse"), "a path");
	ok(wire_same(wire_path(w->stream_path, "arn:aws:bedrock:eu-west-1:1:"
			       "inference-profile/eu.x"),
		     "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3A"
		     "inference-profile%2Feu.x/converse-stream"),
	   "that of a stream, for an ARN");
	ok(wire_same(wire_path(w->count_path, "m"), "/model/m/count-tokens"),
	   "that of counts");
}

/* ---- answers ------------------------------------------------------------ */

static void test_answers(void)
{
	static const char *const reasons[][2] = {
		{ "end_turn", "stop" }, { "stop_sequence", "stop" },
		{ "max_tokens", "length" },
		{ "content_filtered", "content_filter" },
		{ "malformed_tool_use", "malformed_tool_use" },
	};
	char body[200];

	ok(wire_get(w, "{\"output\":{\"message\":{\"role\":\"assistant\","
		    "\"content\":[{\"reasoningContent\":{\"reasoningText\":{"
		    "\"text\":\"hm\"}}},{\"text\":\"h\\u00e9\"},{\"text\":"
		    "\"llo\"}]}},\"stopReason\":\"end_turn\",\"usage\":{"
		    "\"inputTokens\":10,\"outputTokens\":7,\"totalTokens\":25,"
		    "\"cacheReadInputTokens\":5,\"cacheWriteInputTokens\":3},"
		    "\"metrics\":{\"latencyMs\":5}}") == 0 &&
	   wire_text("h\xc3\xa9llo", "stop") && !chat.refusal, "an answer");
	ok(wire_usage(AI_SHAPE_BEDROCK, 18, 5, 3, 7), "its bill");
	ok(wire_get(w, "{\"output\":{\"message\":{\"content\":[{\"text\":"
		    "\"so\"},{\"toolUse\":{\"toolUseId\":\"a\",\"name\":\"f\","
		    "\"input\":{\"x\":1}}},{\"toolUse\":{\"toolUseId\":\"b\","
		    "\"name\":\"g\"}},{\"toolUse\":{\"toolUseId\":\"c\","
		    "\"name\":\"h\",\"type\":\"server_tool_use\"}}]}},"
		    "\"stopReason\":\"tool_use\"}") == 0 &&
	   wire_text("so", "tool_calls") && chat.n_calls == 2 &&
	   wire_call(0, "a", "f", "{\"x\":1}") && wire_call(1, "b", "g", "{}"),
	   "calls");
	ok(wire_get(w, "{\"output\":{\"message\":{\"content\":[{\"text\":"
		    "\"not here\"}]}},\"stopReason\":\"guardrail_intervened\"}")
	   == 0 && chat.refusal && wire_text("not here", "content_filter"),
	   "a guardrail");
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		snprintf(body, sizeof body, "{\"output\":{\"message\":{"
			 "\"content\":[]}},\"stopReason\":\"%s\"}",
			 reasons[i][0]);
		ok(wire_get(w, body) == 0 && wire_text("", reasons[i][1]),
		   "%s is %s", reasons[i][0], reasons[i][1]);
	}
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"output\":{\"message\":{}}}",
		"{\"output\":{\"message\":{\"content\":{}}}}",
		"{\"output\":{\"message\":{\"content\":[{\"toolUse\":{"
		"\"input\":[1]}}]}}}", "<html>", NULL
	};

	wire_bad(w, bad);
}

/* ---- streams ------------------------------------------------------------ */

static void test_stream(void)
{
	static const char *const text[] = {
		"initial-response", "",
		"messageStart", "{\"role\":\"assistant\"}",
		"contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":"
		"{\"text\":\"h\xc3\xa9\"},\"p\":\"abcd\"}",
		"contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":"
		"{\"reasoningContent\":{\"text\":\"hm\"}}}",
		"contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":"
		"{\"text\":\"llo\"}}",
		"contentBlockStop", "{\"contentBlockIndex\":0}",
		"messageStop", "{\"stopReason\":\"end_turn\"}",
		"metadata", "{\"usage\":{\"inputTokens\":1,\"outputTokens\":2,"
		"\"totalTokens\":3},\"metrics\":{\"latencyMs\":1}}", NULL
	}, *const calls[] = {
		"contentBlockStart", "{\"contentBlockIndex\":1,\"start\":{"
		"\"toolUse\":{\"toolUseId\":\"a\",\"name\":\"f\"}}}",
		"contentBlockStart", "{\"contentBlockIndex\":2,\"start\":{"
		"\"toolUse\":{\"toolUseId\":\"b\",\"name\":\"g\"}}}",
		"contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{"
		"\"toolUse\":{\"input\":\"{\\\"x\\\"\"}}}",
		"contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{"
		"\"toolUse\":{\"input\":\":1}\"}}}",
		"contentBlockDelta", "{\"contentBlockIndex\":9,\"delta\":{"
		"\"toolUse\":{\"input\":\"server's\"}}}",
		"contentBlockStop", "{\"contentBlockIndex\":1}",
		"contentBlockStop", "{\"contentBlockIndex\":2}",
		"metadata", "{\"usage\":{\"inputTokens\":1,\"outputTokens\":2}}",
		"news", "{}",
		"messageStop", "{\"stopReason\":\"tool_use\"}", NULL
	};

	ok(wire_feed(w, text) == 8 && wire_text("h\xc3\xa9llo", "stop") &&
	   wire_usage(AI_SHAPE_BEDROCK, 1, 0, 0, 2),
	   "a stream: text, end, usage");
	ok(wire_feed(w, calls) == 10 && wire_text("", "tool_calls") &&
	   chat.n_calls == 2 && wire_call(0, "a", "f", "{\"x\":1}") &&
	   wire_call(1, "b", "g", "{}"), "calls; usage before the end");
}

static void test_exceptions(void)
{
	static const char *const bare[] = { "throttlingException", "{}", NULL },
		*const bad[] = { "contentBlockDelta", "[]", NULL };
	struct ai_wire_error e;

	ok(wire_feed(w, bare) < 0 && err.code == AI_E_ANSWER &&
	   strstr(err.msg, "throttlingException"), "%s", err.msg);
	ok(wire_feed(w, bad) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(w->get_error("{\"message\":\"slow\"}", 18, &e) &&
	   e.status == 0 && e.code[0] == '\0', "an exception's data");
	w->name_error(AI_SPAN("throttlingException"), &e);
	ok(e.status == 429 && strcmp(e.code, "ThrottlingException") == 0,
	   "with its event's name");
	e.status = 400;
	w->name_error(AI_SPAN("AccessDeniedException:http://internal/"), &e);
	ok(e.status == 400 && strcmp(e.code, "AccessDeniedException") == 0,
	   "a header's; the status there is stands");
	w->name_error(AI_SPAN(""), &e);
	ok(strcmp(e.code, "AccessDeniedException") == 0, "none");
}

/* ---- the rest ------------------------------------------------------------- */

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"message\":\"The\\nmodel\"}", true, 0, "The model", "" },
		{ "{\"Message\":\"User is not authorized\"}", true, 0,
		  "User is not authorized", "" },
		{ "{\"__type\":\"com.amazon.coral.service#"
		  "ThrottlingException\",\"message\":\"slow\"}", true, 429,
		  "slow", "ThrottlingException" },
		{ "{\"__type\":\"ValidationException:http://x\"}", true, 400,
		  "", "ValidationException" },
		{ "{\"__type\":\"#\"}", true, 0, "", "" },
		{ "{\"output\":{\"message\":{\"content\":[]}}}", false, 0, "",
		  "" },
		{ "{\"message\":{}}", false, 0, "", "" },
		{ "{\"error\":{\"message\":\"slow\",\"code\":\"busy\"}}", true,
		  0, "slow", "busy" },
		{ "<html>", false, 0, "", "" }, { NULL }
	};

	wire_errors(w, cases);
}

static void test_count(void)
{
	int64_t n = 0;

	ok(ai_wire_get_count(w, "{\"inputTokens\":12}", 18, &n, &err) == 0 && n == 12,
	   "a count");
	ok(ai_wire_get_count(w, "{\"input_tokens\":12}", 19, &n, &err) < 0 &&
	   err.code == AI_E_ANSWER, "no count: %s", err.msg);
	ok(w->models.path == NULL && w->embed.path == NULL &&
	   w->auth == AI_AUTH_AWS && w->framing == AI_FRAMING_AWS,
	   "neither models nor vectors");
}

int main(void)
{
	test_plain();
	test_tools();
	test_unsayable();
	test_paths();
	test_answers();
	test_bad();
	test_stream();
	test_exceptions();
	test_errors();
	test_count();
	ai_chat_answer_release(&chat);
	return done();
}
