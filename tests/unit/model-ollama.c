/* model/ollama: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_ollama;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	static const struct ai_span stop[] = { { "\n", 1 }, { "END", 3 } };
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"developer\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\nb\"},"
		"{\"role\":\"user\",\"content\":\"\"},"
		"{\"role\":\"user\",\"content\":\"c\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"system\",\"content\":"
		     "\"be brief\"},{\"role\":\"user\",\"content\":"
		     "\"a\\nb\\n\\nc\"}],\"options\":{},\"truncate\":"
		     "false,\"shift\":false,\"stream\":false}"),
	   "a plain request");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.top_p = 0.9;
	q.seed = 42;
	q.stop = stop;
	q.n_stop = 2;
	q.effort = "low";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"system\",\"content\":"
		     "\"be brief\"},{\"role\":\"user\",\"content\":"
		     "\"a\\nb\\n\\nc\"}],\"options\":{\"num_predict\":7,"
		     "\"temperature\":0.5,\"top_p\":0.9,\"seed\":42,"
		     "\"stop\":[\"\\n\",\"END\"]},\"think\":\"low\","
		     "\"format\":{\"type\":\"object\"},\"truncate\":false,"
		     "\"shift\":false,\"stream\":true}"),
	   "a full one");
	q.effort = "none";
	ok(strstr(wire_body(w->put_chat, &q), "\"think\":false,") != NULL,
	   "no effort");
	ok(strcmp(w->path, "/chat") == 0 && strcmp(w->root, "/api") == 0,
	   "the path");
	q.tool_choice = wire_value("\"auto\"");
	ok(wire_body(w->put_chat, &q) != NULL, "a free choice");
	q.tool_choice = wire_value("\"required\"");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"q\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:image/gif;base64,REVG\"}}]},"
		"{\"role\":\"assistant\",\"content\":\"I look\","
		"\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\","
		"\"arguments\":\"{\\\"x\\\":1}\"}},{\"function\":{\"name\":"
		"\"g\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r1\"},"
		"{\"role\":\"tool\",\"name\":\"g\",\"content\":\"r2\"},"
		"{\"role\":\"tool\",\"content\":\"r3\"}]");

	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"user\",\"content\":\"q\","
		     "\"images\":[\"QUJD\",\"REVG\"]},{\"role\":\"assistant\","
		     "\"content\":\"I look\",\"tool_calls\":[{\"id\":\"1\","
		     "\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}},"
		     "{\"function\":{\"name\":\"g\",\"arguments\":{}}}]},"
		     "{\"role\":\"tool\",\"content\":\"r1\",\"tool_name\":"
		     "\"f\",\"tool_call_id\":\"1\"},{\"role\":\"tool\","
		     "\"content\":\"r2\",\"tool_name\":\"g\"},{\"role\":"
		     "\"tool\",\"content\":\"r3\"}],\"options\":{},\"tools\":"
		     "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
		     "\"truncate\":false,\"shift\":false,\"stream\":false}"),
	   "pictures, tools, calls, results");
}

static void test_unsayable(void)
{
	static const char *const bad[] = {
		"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"https://x/y.png\"}}]}]",
		"[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{"
		"\"function\":{\"name\":\"f\"}}]}]",
		"[{\"role\":\"user\",\"content\":7}]",
		"[{\"role\":\"judge\",\"content\":\"x\"}]",
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
	ok(wire_get(w, "{\"model\":\"llama3.2\",\"created_at\":\"x\","
		    "\"message\":{\"role\":\"assistant\",\"content\":"
		    "\"h\\u00e9llo\",\"thinking\":\"hm\"},\"done\":true,"
		    "\"done_reason\":\"stop\",\"total_duration\":5,"
		    "\"prompt_eval_count\":26,\"eval_count\":298}") == 0 &&
	   wire_text("h\xc3\xa9llo", "stop") &&
	   strcmp(chat.model, "llama3.2") == 0, "an answer");
	ok(wire_same(chat.bill.p, "{\"prompt_eval_count\":26,"
		     "\"eval_count\":298}") &&
	   wire_usage(AI_SHAPE_OLLAMA, 26, 0, 0, 298), "its bill");
	ok(wire_get(w, "{\"message\":{\"content\":\"\",\"tool_calls\":[{"
		    "\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}},"
		    "{\"id\":\"k\",\"function\":{\"name\":\"g\"}},"
		    "{\"function\":{\"name\":\"h\",\"arguments\":\"{}\"}}]},"
		    "\"done\":true,\"done_reason\":\"stop\"}") == 0 &&
	   wire_text("", "tool_calls") && chat.n_calls == 3 &&
	   wire_call(0, "call_0", "f", "{\"x\":1}") &&
	   wire_call(1, "k", "g", "{}") && wire_call(2, "call_2", "h", "{}"),
	   "calls, with ids that are made");
	ok(chat.bill.len == 0, "no counts, no bill");
	ok(wire_get(w, "{\"message\":{\"content\":\"a\"},\"done_reason\":"
		    "\"length\",\"eval_count\":3}") == 0 &&
	   wire_text("a", "length") &&
	   wire_usage(AI_SHAPE_OLLAMA, 0, 0, 0, 3),
	   "cut off; the prompt was in the cache");
	ok(wire_get(w, "{\"message\":{\"content\":\"\"},\"done\":true,"
		    "\"done_reason\":\"load\"}") == 0 && wire_text("", "load"),
	   "a reason of its own");
	ok(wire_get(w, "{\"message\":{},\"eval_count\":[1]}") == 0 &&
	   !wire_usage(AI_SHAPE_OLLAMA, 0, 0, 0, 0), "a bad count: %s",
	   err.msg);
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"message\":\"x\"}", "<html>",
		"{\"message\":{\"content\":7}}",
		"{\"message\":{\"content\":\"a\"},\"done\":false}",
		"{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":"
		"7}}]}}",
		"{\"message\":{\"content\":\"a\"},\"done\":true}\n{}", NULL
	};

	wire_bad(w, bad);
}

/* ---- streams ------------------------------------------------------------ */

static void test_stream(void)
{
	static const char *const text[] = {
		"", "{\"model\":\"q\",\"message\":{\"role\":\"assistant\","
		"\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}",
		"", "{\"model\":\"q\",\"message\":{\"content\":\"h\xc3\xa9\"},"
		"\"done\":false}",
		"", "{\"model\":\"q\",\"message\":{\"content\":\"llo\"},"
		"\"done\":false}",
		"", "{\"model\":\"q\",\"message\":{\"content\":\"\"},\"done\":"
		"true,\"done_reason\":\"stop\",\"prompt_eval_count\":1,"
		"\"eval_count\":2}", NULL
	}, *const calls[] = {
		"", "{\"message\":{\"content\":\"I look\"},\"done\":false}",
		"", "{\"message\":{\"content\":\"\",\"tool_calls\":[{"
		"\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"x\":"
		"1}}}]},\"done\":false}",
		"", "{\"message\":{\"content\":\"\",\"tool_calls\":[{"
		"\"function\":{\"index\":1,\"name\":\"g\",\"arguments\":{}}}"
		"]},\"done\":false}",
		"", "{\"done\":true,\"done_reason\":\"stop\"}", NULL
	}, *const cut[] = {
		"", "{\"message\":{\"content\":\"a\"},\"done\":false}", NULL
	}, *const bad[] = {
		"", "{\"done\":false}", NULL
	}, *const junk[] = { "", "{", NULL };

	ok(wire_feed(w, text) == 4 && wire_text("h\xc3\xa9llo", "stop") &&
	   strcmp(chat.model, "q") == 0 &&
	   wire_usage(AI_SHAPE_OLLAMA, 1, 0, 0, 2), "a stream of text");
	ok(wire_feed(w, calls) == 4 && wire_text("I look", "tool_calls") &&
	   chat.n_calls == 2 && wire_call(0, "call_0", "f", "{\"x\":1}") &&
	   wire_call(1, "call_1", "g", "{}"), "a stream of calls");
	ok(wire_feed(w, cut) == 0 && wire_text("a", ""), "one that is cut");
	ok(wire_feed(w, bad) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(wire_feed(w, junk) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
	ok(w->framing == AI_FRAMING_NDJSON, "a line is an event");
}

/* ---- errors, models ------------------------------------------------------- */

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"error\":\"model \\\"x\\\" not found\\n\"}", true, 0,
		  "model \"x\" not found", "" },
		{ "{\"error\":{\"message\":\"m\",\"type\":\"api_error\"}}",
		  true, 0, "m", "api_error" },
		{ "{\"message\":{\"content\":\"a\"},\"done\":false}", false, 0,
		  "", "" },
		{ "404 page not found", false, 0, "", "" },
		{ NULL }
	};

	wire_errors(w, cases);
}

static void test_models(void)
{
	ok(wire_same(wire_models(w, "{\"models\":[{\"name\":\"a:latest\","
		"\"model\":\"a\"},{\"model\":\"b\"},{\"name\":\"c:7b\"}]}"),
		"a:latest c:7b "), "models");
	ok(wire_models(w, "{}") == NULL && err.code == AI_E_ANSWER, "%s",
	   err.msg);
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
	ok(wire_same(ai_buf_cstr(&b), "{\"model\":\"m\",\"input\":[\"a\","
		     "\"b\\t\"],\"truncate\":false,\"dimensions\":256}"),
	   "a request");
	ai_buf_clear(&b);
	q.dim = 0;
	w->put_embed(&q, &b);
	ok(!strstr(ai_buf_cstr(&b), "dimension"), "as the model has it");
	ai_buf_release(&b);
	ok(get_embed("{\"model\":\"m\",\"embeddings\":[[1,2],[3,-4.5]],"
		     "\"prompt_eval_count\":5}", 2, 2) == 0 && embed.n == 2 &&
	   embed.dim == 2 && embed.vectors[1] == 2 &&
	   embed.vectors[3] == -4.5 && embed.tokens == 5, "an answer");
	ok(get_embed("{\"embeddings\":[[1]]}", 1, 0) == 0 &&
	   embed.tokens == -1, "without a count");
}

static void test_bad_embed(void)
{
	static const char *const bad[] = {
		"", "{}", "{\"embedding\":[1,2]}", "{\"embeddings\":{}}",
		"{\"embeddings\":[]}", "{\"embeddings\":[[1,2]]}",
		"{\"embeddings\":[[1],[2],[3]]}", "{\"embeddings\":[[1],[2,3]]}",
		"{\"embeddings\":[[1],null]}", "{\"embeddings\":[[],[]]}",
		"{\"embeddings\":[[1],[1e99]]}", "{\"embeddings\":[[1],[null]]}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(get_embed(bad[i], 2, 0) < 0 && err.code == AI_E_ANSWER &&
		   embed.vectors == NULL, "bad embeddings %zu: %s", i,
		   err.msg);
	ok(get_embed("{\"embeddings\":[[1,2]]}", 1, 3) < 0,
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
	test_models();
	test_embed();
	test_bad_embed();
	ai_chat_answer_release(&chat);
	ai_embed_answer_release(&embed);
	return done();
}
