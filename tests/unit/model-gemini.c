/* model/gemini: what is sent, and what is made of answers good and bad. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_gemini;

/* ---- requests ----------------------------------------------------------- */

static void test_plain(void)
{
	static const struct ai_span stop[] = { { "\n", 1 }, { "END", 3 } };
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"system\",\"content\":\"be brief\"},"
		"{\"role\":\"user\",\"content\":\"a\\nb\"},"
		"{\"role\":\"system\",\"content\":\"and kind\"},"
		"{\"role\":\"assistant\",\"content\":\"c\"},"
		"{\"role\":\"user\",\"content\":\"d\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{"
		     "\"systemInstruction\":{\"parts\":[{\"text\":"
		     "\"be brief\\n\\nand kind\"}]},\"contents\":["
		     "{\"role\":\"user\",\"parts\":[{\"text\":\"a\\nb\"}]},"
		     "{\"role\":\"model\",\"parts\":[{\"text\":\"c\"}]},"
		     "{\"role\":\"user\",\"parts\":[{\"text\":\"d\"}]}],"
		     "\"generationConfig\":{}}"),
	   "a plain request");
	q = wire_ask("[{\"role\":\"user\",\"content\":\"q\"}]");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.top_p = 0.9;
	q.seed = 42;
	q.stop = stop;
	q.n_stop = 2;
	q.effort = "low";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	ok(wire_same(wire_body(w->put_chat, &q), "{\"contents\":["
		     "{\"role\":\"user\",\"parts\":[{\"text\":\"q\"}]}],"
		     "\"generationConfig\":{\"maxOutputTokens\":7,"
		     "\"temperature\":0.5,\"topP\":0.9,\"seed\":42,"
		     "\"stopSequences\":[\"\\n\",\"END\"],\"thinkingConfig\":{"
		     "\"thinkingLevel\":\"LOW\"},\"responseMimeType\":"
		     "\"application/json\",\"responseJsonSchema\":{\"type\":"
		     "\"object\"}}}"), "a full one");
	q.effort = "none";
	ok(strstr(wire_body(w->put_chat, &q), "\"thinkingConfig\":{"
		  "\"thinkingBudget\":0}") != NULL, "no effort");
	q.model = "gemini-2.5-flash";
	q.effort = "high";
	ok(strstr(wire_body(w->put_chat, &q), "\"thinkingConfig\":{"
		  "\"thinkingBudget\":24576}") != NULL,
	   "before Gemini 3 it is a budget");
	q.effort = "xhigh";
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
	ok(ai_wire_check(w, "gemini", &q, &err) == 0, "it can do all of it");
}

static void test_paths(void)
{
	static const char odd[] = "a/../b?c:d";

	ok(wire_same(wire_path(w->path, "gemini-2.5-flash"),
		     "/models/gemini-2.5-flash:generateContent"), "a path");
	ok(wire_same(wire_path(w->stream_path, odd), "/models/"
		     "a%2F..%2Fb%3Fc%3Ad:streamGenerateContent?alt=sse"),
	   "that of a stream");
	ok(wire_same(wire_path(w->count_path, odd),
		     "/models/a%2F..%2Fb%3Fc%3Ad:countTokens"),
	   "that of counts");
}

#define TALK "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":" \
	"\"q\"},{\"type\":\"image_url\",\"image_url\":{\"url\":" \
	"\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\"," \
	"\"image_url\":{\"url\":\"https://x/y.JPG?z\"}}]}," \
	"{\"role\":\"assistant\",\"content\":\"I look\",\"tool_calls\":[" \
	"{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":" \
	"\"{\\\"x\\\":1}\"}},{\"id\":\"2\",\"function\":{\"name\":\"g\"}}]}," \
	"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":" \
	"\"{\\\"y\\\":12345678901234567890}\"},{\"role\":\"tool\"," \
	"\"tool_call_id\":\"2\",\"content\":\"\"}," \
	"{\"role\":\"user\",\"content\":\"and?\"}]"

#define TALK_SENT(sign) "\"contents\":[{\"role\":\"user\",\"parts\":[" \
	"{\"text\":\"q\"},{\"inlineData\":{\"mimeType\":\"image/png\"," \
	"\"data\":\"QUJD\"}},{\"fileData\":{\"mimeType\":" \
	"\"image/jpeg\",\"fileUri\":\"https://x/y.JPG?z\"}}]},{\"role\":\"model\",\"parts\":[{\"text\":" \
	"\"I look\"},{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}}" \
	sign "},{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]}," \
	"{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":" \
	"\"f\",\"response\":{\"output\":\"{\\\"y\\\":12345678901234567890}\"}" \
	"}},{\"functionResponse\":{\"name\":\"g\",\"response\":{\"output\":" \
	"\"\"}}},{\"text\":\"and?\"}]}]"

#define SIGNED ",\"thoughtSignature\":\"skip_thought_signature_validator\""

static void test_tools(void)
{
	struct ai_chat_request q = wire_ask(TALK);
	static const char *const choices[][2] = {
		{ "\"auto\"", "{\"mode\":\"AUTO\"}" },
		{ "\"none\"", "{\"mode\":\"NONE\"}" },
		{ "\"required\"", "{\"mode\":\"ANY\"}" },
		{ "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
		  "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}" },
	};

	q.model = "gemini-2.5-pro";
	q.tools = wire_value("[{\"type\":\"function\",\"function\":{\"name\":"
			     "\"f\",\"description\":\"d\",\"parameters\":"
			     "{\"type\":\"object\",\"properties\":{}},"
			     "\"strict\":false}},{\"type\":\"function\","
			     "\"function\":{\"name\":\"g\"}}]");
	ok(wire_same(wire_body(w->put_chat, &q), "{" TALK_SENT("") ","
		     "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","
		     "\"description\":\"d\",\"parametersJsonSchema\":{"
		     "\"type\":\"object\",\"properties\":{}}},{\"name\":"
		     "\"g\"}]}],\"generationConfig\":{}}"),
	   "pictures, tools, calls and results");
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		char want[200];

		snprintf(want, sizeof want, "\"toolConfig\":{"
			 "\"functionCallingConfig\":%s}", choices[i][1]);
		q.tool_choice = wire_value(choices[i][0]);
		ok(strstr(wire_body(w->put_chat, &q), want) != NULL,
		   "a choice: %s", choices[i][0]);
	}
	q.tool_choice = wire_value("7");
	ok(wire_body(w->put_chat, &q) == NULL && err.code == AI_E_RECORD,
	   "%s", err.msg);
}

static void test_signature(void)
{
	struct ai_chat_request q = wire_ask(TALK);

	q.model = "gemini-3-pro-preview";
	ok(wire_same(wire_body(w->put_chat, &q), "{" TALK_SENT(SIGNED) ","
		     "\"generationConfig\":{}}"),
	   "to Gemini 3 the first call says that it has no signature");
	q.model = "gemini-flash-latest";
	ok(strstr(wire_body(w->put_chat, &q), SIGNED) != NULL,
	   "and to what is the latest");
}

/* A signature comes with a call, and goes back with it. */
static void test_signature_back(void)
{
	struct ai_buf b = AI_BUF_INIT(1000), m = AI_BUF_INIT(1000);
	struct ai_chat_answer kept;
	struct ai_chat_request q;

	ok(wire_get(w, "{\"candidates\":[{\"content\":{\"parts\":["
		    "{\"text\":\"hm\",\"thought\":true},"
		    "{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}},"
		    "\"thoughtSignature\":\"c2ln\"},"
		    "{\"functionCall\":{\"name\":\"g\"}}]},\"finishReason\":"
		    "\"STOP\"}]}") == 0 && chat.n_calls == 2 &&
	   strcmp(ai_buf_cstr(&chat.calls[0].signature), "c2ln") == 0 &&
	   chat.calls[1].signature.len == 0, "a call with a signature");
	ai_chat_calls_put(&chat, &b);
	ok(wire_same(ai_buf_cstr(&b), "[{\"id\":\"call_0\",\"type\":"
		     "\"function\",\"function\":{\"name\":\"f\","
		     "\"arguments\":\"{\\\"x\\\":1}\"},\"extra_content\":{"
		     "\"google\":{\"thought_signature\":\"c2ln\"}}},{\"id\":"
		     "\"call_1\",\"type\":\"function\",\"function\":{\"name\":"
		     "\"g\",\"arguments\":\"{}\"}}]"), "in OpenAI's form");
	ai_buf_fmt(&m, "[{\"role\":\"user\",\"content\":\"q\"},{\"role\":"
		   "\"assistant\",\"tool_calls\":%s}]", ai_buf_cstr(&b));
	q = wire_ask(ai_buf_cstr(&m));
	q.model = "gemini-2.5-pro";
	ok(strstr(wire_body(w->put_chat, &q), "{\"functionCall\":{\"name\":"
		  "\"f\",\"args\":{\"x\":1}},\"thoughtSignature\":\"c2ln\"},"
		  "{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]") != NULL,
	   "and back");
	ai_buf_clear(&b);
	ai_chat_answer_put(&chat, &b);
	ai_chat_answer_init(&kept, 1 << 16);
	ok(ai_chat_answer_take((struct ai_span){ b.p, b.len }, &kept,
			       &err) == 0 && kept.n_calls == 2 &&
	   strcmp(kept.calls[0].name, "f") == 0 &&
	   strcmp(ai_buf_cstr(&kept.calls[0].signature), "c2ln") == 0 &&
	   strcmp(ai_buf_cstr(&kept.calls[1].arguments), "{}") == 0,
	   "kept, and taken again");
	ai_chat_answer_release(&kept);
	ai_buf_release(&b);
	ai_buf_release(&m);
}

static void test_embed(void)
{
	static const struct ai_span texts[] = { { "a", 1 }, { "b\t", 2 } };
	struct ai_embed_request q = { "m-1", texts, 2, 256 };
	struct ai_buf b = AI_BUF_INIT(1000);
	struct ai_embed_answer a;
	static const char answer[] = "{\"embeddings\":[{\"values\":[1,2]},"
		"{\"values\":[3,-4.5]}],\"usageMetadata\":{"
		"\"promptTokenCount\":5}}", short_of[] = "{\"embeddings\":["
		"{\"values\":[1,2]}]}", other[] = "{\"embedding\":{}}";

	w->put_embed(&q, &b);
	ok(wire_same(ai_buf_cstr(&b), "{\"requests\":[{\"model\":"
		     "\"models/m-1\",\"content\":{\"parts\":[{\"text\":"
		     "\"a\"}]},\"outputDimensionality\":256},{\"model\":"
		     "\"models/m-1\",\"content\":{\"parts\":[{\"text\":"
		     "\"b\\t\"}]},\"outputDimensionality\":256}]}"),
	   "texts for vectors");
	ok(wire_same(wire_path(w->embed.path, "m-1"),
		     "/models/m-1:batchEmbedContents"), "their path");
	q.dim = 0;
	ok(ai_wire_get_embed(w, answer, sizeof answer - 1, &q, &a,
			     &err) == 0 && a.n == 2 && a.dim == 2 &&
	   a.vectors[3] == -4.5f && a.tokens == 5, "vectors");
	ai_embed_answer_release(&a);
	ok(ai_wire_get_embed(w, short_of, sizeof short_of - 1, &q, &a,
			     &err) < 0 && a.vectors == NULL, "%s", err.msg);
	ok(ai_wire_get_embed(w, other, sizeof other - 1, &q, &a, &err) < 0 &&
	   err.code == AI_E_ANSWER, "%s", err.msg);
	ai_buf_release(&b);
}

static void test_count(void)
{
	struct ai_chat_request q = wire_ask(TALK);
	int64_t tokens = -1;

	q.model = "gemini-2.5-pro";
	q.max_tokens = 7;
	ok(wire_same(wire_body(w->put_count, &q), "{"
		     "\"generateContentRequest\":{\"model\":"
		     "\"models/gemini-2.5-pro\"," TALK_SENT("") "}}"),
	   "to be counted: what is input");
	ok(ai_wire_get_count(w, "{\"totalTokens\":31}", 18, &tokens, &err) == 0 &&
	   tokens == 31, "counted");
	ok(ai_wire_get_count(w, "{\"totalTokens\":-1}", 18, &tokens, &err) < 0 &&
	   err.code == AI_E_ANSWER, "%s", err.msg);
	ok(ai_wire_get_count(w, "{}", 2, &tokens, &err) < 0, "%s", err.msg);
}

static void test_unsayable(void)
{
	static const char *const bad[] = {
		"[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{"
		"\"function\":{\"name\":\"f\"}}]}]",
		"[{\"role\":\"user\",\"content\":7}]",
		"[{\"role\":\"system\",\"content\":\"x\"}]",
		"[{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":"
		"\"r\"}]",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ai_chat_request q = wire_ask(bad[i]);

		ok(wire_body(w->put_chat, &q) == NULL &&
		   err.code == AI_E_RECORD, "%s", err.msg);
		ok(wire_body(w->put_count, &q) == NULL, "nor counted");
	}
}

/* ---- answers ------------------------------------------------------------ */

static void test_answers(void)
{
	ok(wire_get(w, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
		    "\"hm\",\"thought\":true},{\"text\":\"h\\u00e9\"},"
		    "{\"text\":\"llo\",\"thoughtSignature\":\"QQ==\"}],"
		    "\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":"
		    "0}],\"usageMetadata\":{\"promptTokenCount\":10,"
		    "\"cachedContentTokenCount\":4,\"candidatesTokenCount\":5,"
		    "\"thoughtsTokenCount\":7,\"totalTokenCount\":22},"
		    "\"modelVersion\":\"gemini-2.5-flash\"}") == 0 &&
	   wire_text("h\xc3\xa9llo", "stop") && !chat.refusal &&
	   strcmp(chat.model, "gemini-2.5-flash") == 0, "an answer");
	ok(wire_usage(AI_SHAPE_GEMINI, 10, 4, 0, 12), "its bill");
	ok(wire_get(w, "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
		    "\"I look\"},{\"functionCall\":{\"name\":\"f\",\"args\":{"
		    "\"x\":1}},\"thoughtSignature\":\"QQ==\"},{"
		    "\"functionCall\":{\"id\":\"k\",\"name\":\"g\"}}]},"
		    "\"finishReason\":\"STOP\"}]}") == 0 &&
	   wire_text("I look", "tool_calls") && chat.n_calls == 2 &&
	   wire_call(0, "call_0", "f", "{\"x\":1}") &&
	   wire_call(1, "k", "g", "{}") && chat.bill.len == 0, "calls");
	ok(wire_get(w, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
		    "\"usageMetadata\":{\"promptTokenCount\":3}}") == 0 &&
	   wire_text("the prompt was blocked: SAFETY", "content_filter") &&
	   chat.refusal && wire_usage(AI_SHAPE_GEMINI, 3, 0, 0, 0),
	   "a prompt that is blocked");
	ok(wire_get(w, "{\"candidates\":[],\"promptFeedback\":{\"blockReason\""
		    ":\"OTHER\",\"blockReasonMessage\":\"not\\nthis\"}}") == 0
	   && wire_text("the prompt was blocked: OTHER: not this",
			"content_filter"), "and why");
}

static void test_reasons(void)
{
	static const char *const reasons[][2] = {
		{ "STOP", "stop" }, { "MAX_TOKENS", "length" },
		{ "SAFETY", "content_filter" },
		{ "RECITATION", "content_filter" },
		{ "BLOCKLIST", "content_filter" },
		{ "PROHIBITED_CONTENT", "content_filter" },
		{ "SPII", "content_filter" },
		{ "FUNCTION_CALL", "tool_calls" },
		{ "MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL" },
	};
	char body[200];

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		snprintf(body, sizeof body, "{\"candidates\":[{"
			 "\"finishReason\":\"%s\"}]}", reasons[i][0]);
		ok(wire_get(w, body) == 0 && wire_text("", reasons[i][1]),
		   "the end: %s", reasons[i][0]);
	}
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "{\"candidates\":[]}", "<html>",
		"{\"candidates\":{}}", "{\"candidates\":[7]}",
		"{\"promptFeedback\":{}}",
		"{\"candidates\":[{\"content\":{\"parts\":\"x\"}}]}",
		"{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{"
		"\"name\":\"f\",\"args\":[1]}}]}}]}", NULL
	};

	wire_bad(w, bad);
}

/* ---- streams ------------------------------------------------------------ */

static void test_stream(void)
{
	static const char *const text[] = {
		"", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\""
		",\"thought\":true}]}}],\"usageMetadata\":{"
		"\"promptTokenCount\":9},\"modelVersion\":\"g\"}",
		"", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
		"\"h\xc3\xa9\"}]}}],\"usageMetadata\":{\"promptTokenCount\":9,"
		"\"candidatesTokenCount\":1},\"modelVersion\":\"g\"}",
		"", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
		"\"llo\"}]},\"finishReason\":\"STOP\"}],\"modelVersion\":"
		"\"g\"}",
		"", "{\"usageMetadata\":{\"promptTokenCount\":9,"
		"\"candidatesTokenCount\":2,\"thoughtsTokenCount\":3}}", NULL
	}, *const calls[] = {
		"", "{\"candidates\":[{\"content\":{\"parts\":[{"
		"\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1}}}]}}]}",
		"", "{\"candidates\":[{\"content\":{\"parts\":[{"
		"\"functionCall\":{\"name\":\"g\",\"args\":{}}}]}}]}",
		"", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]"
		"},\"finishReason\":\"STOP\"}]}", NULL
	}, *const cut[] = {
		"", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}"
		"]}}]}", NULL
	}, *const blocked[] = {
		"", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", NULL
	}, *const bad[] = { "", "[", NULL };

	ok(wire_feed(w, text) == 0 && wire_text("h\xc3\xa9llo", "stop") &&
	   strcmp(chat.model, "g") == 0 &&
	   wire_usage(AI_SHAPE_GEMINI, 9, 0, 0, 5),
	   "a stream of text; the last counts are the bill");
	ok(wire_feed(w, calls) == 0 && wire_text("", "tool_calls") &&
	   chat.n_calls == 2 && wire_call(0, "call_0", "f", "{\"x\":1}") &&
	   wire_call(1, "call_1", "g", "{}"), "a stream of calls");
	ok(wire_feed(w, cut) == 0 && wire_text("a", ""),
	   "one that is cut has no reason to end");
	ok(wire_feed(w, blocked) == 0 && chat.refusal, "one that is blocked");
	ok(wire_feed(w, bad) < 0 && err.code == AI_E_ANSWER, "%s", err.msg);
}

/* ---- errors, models ------------------------------------------------------- */

static void test_errors(void)
{
	static const struct wire_error cases[] = {
		{ "{\"error\":{\"code\":429,\"message\":\"You exceeded\\nit\","
		  "\"status\":\"RESOURCE_EXHAUSTED\"}}", true, 429,
		  "You exceeded it", "RESOURCE_EXHAUSTED" },
		{ "[{\"error\":{\"code\":503,\"message\":\"m\",\"status\":"
		  "\"UNAVAILABLE\"}}]", true, 503, "m", "UNAVAILABLE" },
		{ "{\"error\":{\"code\":400,\"message\":\"m\",\"status\":"
		  "\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"x/ErrorInfo"
		  "\",\"reason\":\"API_KEY_INVALID\"}]}}", true, 400, "m",
		  "API_KEY_INVALID" },
		{ "{\"error\":{\"message\":\"m\",\"code\":\"busy\"}}", true, 0,
		  "m", "busy" },
		{ "{\"candidates\":[]}", false, 0, "", "" },
		{ "[]", false, 0, "", "" }, { "x", false, 0, "", "" },
		{ NULL }
	};

	wire_errors(w, cases);
}

static void test_details(void)
{
	static const struct {
		const char *delay;
		double s;
	} delays[] = {
		{ "\"12s\"", 12 }, { "\"0.5s\"", 0.5 }, { "\"12\"", 0 },
		{ "\"s\"", 0 }, { "\"-3s\"", 0 }, { "\"xs\"", 0 }, { "12", 0 },
	};
	struct ai_wire_error e;
	char body[300];

	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		snprintf(body, sizeof body, "{\"error\":{\"code\":429,"
			 "\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{},{"
			 "\"retryDelay\":%s}]}}", delays[i].delay);
		ok(w->get_error(body, strlen(body), &e) &&
		   e.retry_after_s == delays[i].s, "a delay: %s",
		   delays[i].delay);
	}
	snprintf(body, sizeof body, "{\"error\":{\"status\":"
		 "\"INVALID_ARGUMENT\",\"details\":[{\"fieldViolations\":[{"
		 "\"field\":\"contents[0]\"}]}]}}");
	ok(w->get_error(body, strlen(body), &e) &&
	   strcmp(e.param, "contents[0]") == 0, "what it is about");
}

static void test_models(void)
{
	ok(wire_same(wire_models(w, "{\"models\":[{\"name\":\"models/a-1\","
		"\"inputTokenLimit\":1000,\"outputTokenLimit\":7},"
		"{\"displayName\":\"b\"},{\"name\":\"models/\"},{\"name\":"
		"\"tunedModels/c\"}]}"), "a-1(1000,7) models/ tunedModels/c "),
	   "models");
	ok(wire_same(wire_models(w, "{\"models\":[],\"nextPageToken\":\"t/1\"}"
		), "> t/1"), "and more of them");
	ok(wire_models(w, "{}") == NULL && err.code == AI_E_ANSWER, "%s",
	   err.msg);
}

int main(void)
{
	test_plain();
	test_paths();
	test_tools();
	test_signature();
	test_signature_back();
	test_embed();
	test_count();
	test_unsayable();
	test_answers();
	test_reasons();
	test_bad();
	test_stream();
	test_errors();
	test_details();
	test_models();
	ai_chat_answer_release(&chat);
	return done();
}
