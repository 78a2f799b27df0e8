/* model/cohere: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_cohere;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	static const struct ai_span stop[] = { { "END", 3 } };
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"developer\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\nb\",\"name\":null}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"system\",\"content\":"
		     "\"be brief\"},{\"role\":\"user\",\"content\":\"a\\nb\"}],"
		     "\"stream\":false}"), "a plain request");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.top_p = 0.9;
	q.seed = 42;
	q.stop = stop;
	q.n_stop = 1;
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"system\",\"content\":"
		     "\"be brief\"},{\"role\":\"user\",\"content\":\"a\\nb\"}],"
		     "\"max_tokens\":7,\"temperature\":0.5,\"p\":0.9,"
		     "\"seed\":42,\"stop_sequences\":[\"END\"],"
		     "\"response_format\":{\"type\":\"json_object\","
		     "\"json_schema\":{\"type\":\"object\"}},"
		     "\"stream\":true}"), "a full one");
	q.effort = "low";
	ok(ai_wire_check(w, "cohere", &q, &err) < 0, "no effort: %s", err.msg);
}

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"q\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"https://x/y.png\"}}]},"
		"{\"role\":\"assistant\",\"content\":\"I look\","
		"\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\","
		"\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"2\","
		"\"function\":{\"name\":\"g\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"},"
		"{\"role\":\"tool\",\"tool_call_id\":\"2\",\"content\":\"\"},"
		"{\"role\":\"assistant\",\"content\":\"so\"},"
		"{\"role\":\"user\",\"content\":\"and?\"},"
		"{\"role\":\"assistant\",\"content\":null}]");
	static const char *const choices[][2] = {
		{ "\"auto\"", ",\"stream\":false}" },
		{ "\"none\"", ",\"tool_choice\":\"NONE\",\"stream\":false}" },
		{ "\"required\"",
		  ",\"tool_choice\":\"REQUIRED\",\"stream\":false}" },
	};

	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\",\"description\":\"d\",\"parameters\":"
			     "{\"type\":\"object\",\"properties\":{}},"
			     "\"strict\":true}},{\"type\":\"function\","
			     "\"function\":{\"name\":\"g\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"user\",\"content\":["
		     "{\"type\":\"text\",\"text\":\"q\"},{\"type\":"
		     "\"image_url\",\"image_url\":{\"url\":"
		     "\"data:image/png;base64,QUJD\"}},{\"type\":"
		     "\"image_url\",\"image_url\":{\"url\":"
		     "\"https://x/y.png\"}}]},{\"role\":\"assistant\","
		     "\"tool_plan\":\"I look\",\"tool_calls\":[{\"id\":\"1\","
		     "\"type\":\"function\",\"function\":{\"name\":\"f\","
		     "\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"2\",\"type\":"
		     "\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
		     "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"1\","
		     "\"content\":\"r1\"},{\"role\":\"tool\",\"tool_call_id\":"
		     "\"2\",\"content\":\"\"},{\"role\":\"assistant\","
		     "\"content\":\"so\"},{\"role\":\"user\",\"content\":"
		     "\"and?\"},{\"role\":\"assistant\",\"content\":\"\"}],"
		     "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
		     "\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
		     "\"object\",\"properties\":{}}}},{\"type\":\"function\","
		     "\"function\":{\"name\":\"g\",\"parameters\":{\"type\":"
		     "\"object\",\"properties\":{}}}}],"
		     "\"strict_tools\":true,\"stream\":false}"),
	   "pictures, tools, calls and results");
	for (size_t i = 0; i < 3; i++) {
		q.tool_choice = wire_value(choices[i][0]);
		ok(strstr(wire_body(w->put_chat, &q), "_tools\":true") &&
		   wire_same(strstr(wire_body(w->put_chat, &q),
				    "_tools\":true") + 12, choices[i][1]),
		   "a choice: %s", choices[i][0]);
	}
	q.tool_choice = wire_value("{\"function\":{\"name\":\"f\"}}");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_unsayable(void)
{
	struct ai_chat_request q = wire_ask("[{\"role\":\"user\",\"content\":"
		"\"x\",\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}]");

	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
	q = wire_ask("[{\"role\":\"user\",\"content\":7}]");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
	q = wire_ask("[{\"role\":\"user\",\"content\":[{\"type\":"
		     "\"image_url\",\"image_url\":{\"url\":\"data:a\\\"b;"
		     "base64,Q\\\"\"}}]}]");
	ok(strstr(wire_body(w->put_chat, &q), "{\"url\":\"data:a\\\"b;base64,"
		  "Q\\\"\"}"), "an address is written as a string");
}

/* ---- answers ------------------------------------------------------------ */

static void test_answers(void)
{
	ok(wire_get(w, "{\"id\":\"x\",\"finish_reason\":\"COMPLETE\","
		    "\"message\":{\"role\":\"assistant\",\"content\":["
		    "{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":"
		    "\"text\",\"text\":\"h\\u00e9\"},{\"type\":\"text\","
		    "\"text\":\"llo\"}]},\"usage\":{\"billed_units\":{"
		    "\"input_tokens\":5,\"output_tokens\":7},\"tokens\":{"
		    "\"input_tokens\":71,\"output_tokens\":9}}}") == 0 &&
	   wire_text("h\xc3\xa9llo", "stop") && chat.model[0] == '\0',
	   "an answer");
	ok(wire_usage(AI_SHAPE_COHERE, 5, 0, 0, 7),
	   "its bill: the units that are billed");
	ok(wire_get(w, "{\"finish_reason\":\"TOOL_CALL\",\"message\":{"
		    "\"tool_plan\":\"I look\",\"tool_calls\":[{\"id\":\"a\","
		    "\"type\":\"function\",\"function\":{\"name\":\"f\","
		    "\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"b\","
		    "\"function\":{\"name\":\"g\"}}]}}") == 0 &&
	   wire_text("I look", "tool_calls") && chat.n_calls == 2 &&
	   wire_call(0, "a", "f", "{\"x\":1}") && wire_call(1, "b", "g", "{}"),
	   "a plan and calls");
	ok(wire_get(w, "{\"finish_reason\":\"MAX_TOKENS\",\"message\":{"
		    "\"content\":\"text\"}}") == 0 &&
	   wire_text("text", "length"), "content that is a string");
	ok(wire_get(w, "{\"finish_reason\":\"STOP_SEQUENCE\",\"message\":{}}")
	   == 0 && wire_text("", "stop"), "nothing before the stop");
	ok(wire_get(w, "{\"finish_reason\":\"TIMEOUT\",\"message\":{}}") == 0 &&
	   wire_text("", "TIMEOUT"), "a reason of its own");
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"message\":\"x\"}",
		"{\"message\":{\"content\":7}}",
		"{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":7}"
		"}]}}", "<html>", NULL
	};

	wire_bad(w, bad);
}

/* ---- streams ------------------------------------------------------------ */

static void test_stream(void)
{
	static const char *const text[] = {
		"message-start", "{\"type\":\"message-start\",\"id\":\"x\","
		"\"delta\":{\"message\":{\"role\":\"assistant\"}}}",
		"content-start", "{\"index\":0,\"delta\":{\"message\":{"
		"\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}}",
		"content-delta", "{\"index\":0,\"delta\":{\"message\":{"
		"\"content\":{\"thinking\":\"hm\"}}}}",
		"content-end", "{\"index\":0}",
		"content-start", "{\"index\":1,\"delta\":{\"message\":{"
		"\"content\":{\"type\":\"text\",\"text\":\"\"}}}}",
		"content-delta", "{\"index\":1,\"delta\":{\"message\":{"
		"\"content\":{\"text\":\"h\xc3\xa9\"}}}}",
		"content-delta", "{\"index\":1,\"delta\":{\"message\":{"
		"\"content\":{\"text\":\"llo\"}}}}",
		"citation-start", "{\"index\":0,\"delta\":{}}",
		"content-end", "{\"index\":1}",
		"message-end", "{\"delta\":{\"finish_reason\":\"COMPLETE\","
		"\"usage\":{\"billed_units\":{\"input_tokens\":1,"
		"\"output_tokens\":2}}}}", NULL
	}, *const calls[] = {
		"", "{\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{"
		"\"tool_plan\":\"I look\"}}}",
		"", "{\"type\":\"tool-call-start\",\"index\":0,\"delta\":{"
		"\"message\":{\"tool_calls\":{\"id\":\"a\",\"type\":"
		"\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"
		"}}}}",
		"", "{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{"
		"\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"
		"\"{\\\"x\\\"\"}}}}}",
		"", "{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{"
		"\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"
		"\":1}\"}}}}}",
		"", "{\"type\":\"tool-call-end\",\"index\":0}",
		"", "{\"type\":\"tool-call-start\",\"index\":1,\"delta\":{"
		"\"message\":{\"tool_calls\":{\"id\":\"b\",\"function\":{"
		"\"name\":\"g\"}}}}}",
		"", "{\"type\":\"tool-call-end\",\"index\":1}",
		"", "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
		"\"TOOL_CALL\"}}", NULL
	}, *const early[] = {
		"tool-call-delta", "{\"index\":0}", NULL
	}, *const done[] = { "", "[DONE]", NULL }, *const bad[] = {
		"message-end", "{", NULL
	};

	ok(wire_feed(w, text) == 10 && wire_text("h\xc3\xa9llo", "stop") &&
	   wire_usage(AI_SHAPE_COHERE, 1, 0, 0, 2), "a stream of text");
	ok(wire_feed(w, calls) == 8 && wire_text("I look", "tool_calls") &&
	   chat.n_calls == 2 && wire_call(0, "a", "f", "{\"x\":1}") &&
	   wire_call(1, "b", "g", "{}"),
	   "a stream of calls, its events without names");
	ok(wire_feed(w, early) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(wire_feed(w, done) == 1, "[DONE]");
	ok(wire_feed(w, bad) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
}

/* ---- errors ------------------------------------------------------------- */

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"id\":\"x\",\"message\":\"invalid\\napi token\"}", true,
		  0, "invalid api token", "" },
		{ "{\"finish_reason\":\"ERROR\",\"message\":{\"content\":[]}}",
		  true, 0, "the generation failed", "" },
		{ "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
		  "\"ERROR\",\"error\":\"broke\"}}", true, 0, "broke", "" },
		{ "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
		  "\"COMPLETE\",\"error\":null}}", false, 0, "", "" },
		{ "{\"finish_reason\":\"COMPLETE\",\"message\":{\"role\":\"x\""
		  "}}", false, 0, "", "" },
		{ "{}", false, 0, "", "" }, { "x", false, 0, "", "" },
		{ "{\"error\":{\"message\":\"slow\",\"code\":\"busy\"}}", true,
		  0, "slow", "busy" },
		{ NULL }
	};

	wire_errors(w, cases);
}

/* ---- embeddings --------------------------------------------------------- */

static struct ai_embed_answer embed;

static int get_embed(const char *body, size_t n, size_t dim)
{
	static const struct ai_span texts[3] = { { "a", 1 }, { "b", 1 },
						 { "c", 1 } };
	struct ai_embed_request q = { "m", texts, n, dim };

	ai_embed_answer_release(&embed);
	return ai_wire_get_embed(w, body, strlen(body), &q, &embed, &err);
}

static void test_embed(void)
{
	static const struct ai_span texts[] = { { "a", 1 }, { "b\t", 2 } };
	struct ai_embed_request q = { "m", texts, 2, 256 };
	struct ai_buf b = AI_BUF_INIT(1000);

	w->put_embed(&q, &b);
	ok(wire_same(ai_buf_cstr(&b), "{\"model\":\"m\",\"texts\":[\"a\","
		     "\"b\\t\"],\"input_type\":\"search_document\","
		     "\"embedding_types\":[\"float\"],\"output_dimension\":"
		     "256}"), "a request");
	ai_buf_clear(&b);
	q.dim = 0;
	w->put_embed(&q, &b);
	ok(!strstr(ai_buf_cstr(&b), "dimension"), "as the model has it");
	ai_buf_release(&b);
	ok(get_embed("{\"id\":\"x\",\"embeddings\":{\"float\":[[1,2],[3,-4.5]]"
		     "},\"meta\":{\"billed_units\":{\"input_tokens\":5}}}", 2,
		     2) == 0 && embed.n == 2 && embed.dim == 2 &&
	   embed.vectors[1] == 2 && embed.vectors[3] == -4.5 &&
	   embed.tokens == 5, "an answer");
	ok(get_embed("{\"embeddings\":{\"float\":[[1]]}}", 1, 0) == 0 &&
	   embed.tokens == -1, "without a count");
	ok(w->embed.max == 96 && w->models.path == NULL,
	   "96 at once; models are elsewhere");
}

static void test_bad_embed(void)
{
	static const char *const bad[] = {
		"", "{}", "{\"embeddings\":[[1,2],[3,4]]}",
		"{\"embeddings\":{\"float\":[]}}",
		"{\"embeddings\":{\"float\":[[1,2]]}}",
		"{\"embeddings\":{\"float\":[[1],[2],[3]]}}",
		"{\"embeddings\":{\"float\":[[1],[2,3]]}}",
		"{\"embeddings\":{\"float\":[[1],null]}}",
		"{\"embeddings\":{\"float\":[[],[]]}}",
		"{\"embeddings\":{\"float\":[[1],[1e99]]}}",
		"{\"embeddings\":{\"float\":[[1],[\"1\"]]}}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(get_embed(bad[i], 2, 0) < 0 && err.code == AI_E_ANSWER &&
		   embed.vectors == NULL, "bad embeddings %zu: %s", i,
		   err.msg);
	ok(get_embed("{\"embeddings\":{\"float\":[[1,2]]}}", 1, 3) < 0,
	   "not the dimension asked for: %s", err.msg);
}

int main(void)
{
	test_plain();
	test_tools();
	test_unsayable();
	test_answers();
	test_bad();
	test_stream();
	test_errors();
	test_embed();
	test_bad_embed();
	ai_chat_answer_release(&chat);
	ai_embed_answer_release(&embed);
	return done();
}
