/* model/openai as Mistral has it: what differs. */
#include "wire.h"

static const struct ai_wire *const w = &ai_wire_mistral;

static void test_chat(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":\"q\"}]");

	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}"
		     "]}"), "a plain request");
	q.max_tokens = 7;
	q.temperature = 0.5;
	q.seed = 42;
	q.effort = "high";
	q.tools = wire_value("[{\"type\":\"function\"}]");
	q.tool_choice = wire_value("\"required\"");
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ok(wire_same(wire_body(w->put_chat, &q), "{\"model\":\"m\","
		     "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}"
		     "],\"max_tokens\":7,\"temperature\":0.5,"
		     "\"random_seed\":42,\"reasoning_effort\":\"high\","
		     "\"tools\":[{\"type\":\"function\"}],\"tool_choice\":"
		     "\"any\",\"response_format\":{\"type\":"
		     "\"json_schema\",\"json_schema\":{\"name\":\"answer\","
		     "\"schema\":{\"type\":\"object\"},\"strict\":false}},\"stream\":"
		     "true}"), "a full one");
	q.tool_choice = wire_value("\"none\"");
	ok(strstr(wire_body(w->put_chat, &q), "\"tool_choice\":\"none\"") !=
	   NULL, "another choice");
	ok(ai_wire_check(w, "mistral", &q, &err) == 0, "it can do all of it");
}

static void test_openai(void)
{
	struct ai_chat_request q = wire_ask("["
		"{\"role\":\"user\",\"content\":\"q\"}]");

	q.tool_choice = wire_value("\"required\"");
	q.seed = 42;
	q.stream = true;
	ok(wire_same(wire_body(ai_wire_openai.put_chat, &q), "{\"model\":"
		     "\"m\",\"messages\":[{\"role\":\"user\","
		     "\"content\":\"q\"}],\"seed\":42,\"tool_choice\":"
		     "\"required\",\"stream\":true,\"stream_options\":{"
		     "\"include_usage\":true}}"), "OpenAI has its own names");
}

static void test_answers(void)
{
	ok(wire_get(w, "{\"model\":\"mistral-large\",\"choices\":[{"
		    "\"finish_reason\":\"stop\",\"message\":{\"content\":[{"
		    "\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\""
		    ",\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":"
		    "\"a\"}]}}],\"usage\":{\"prompt_tokens\":5,"
		    "\"completion_tokens\":7,\"total_tokens\":12}}") == 0 &&
	   wire_text("a", "stop") &&
	   wire_usage(AI_SHAPE_OPENAI, 5, 0, 0, 7),
	   "thoughts are no part of the answer");
}

static void test_stream(void)
{
	static const char *const calls[] = {
		"", "{\"choices\":[{\"delta\":{\"role\":\"assistant\","
		"\"content\":\"I look\"}}]}",
		"", "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\","
		"\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
		"\"index\":0}]},\"finish_reason\":\"tool_calls\"}],"
		"\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
		"", "[DONE]", NULL
	};

	ok(wire_feed(w, calls) == 3 && wire_text("I look", "tool_calls") &&
	   wire_call(0, "a", "f", "{}") &&
	   wire_usage(AI_SHAPE_OPENAI, 1, 0, 0, 2),
	   "a stream; it tells the usage unasked");
}

static void test_errors(void)
{
	static const char *const bad[] = { "{}", "{\"choices\":[]}", NULL };
	static const struct wire_error cases[] = {
		{ "{\"object\":\"error\",\"message\":\"m\",\"type\":"
		  "\"invalid\",\"code\":\"1910\"}", false, 0, "m", "" },
		{ "{\"detail\":[{\"loc\":[\"body\",\"x\"],\"msg\":"
		  "\"Extra inputs are not permitted\"}]}", false, 0,
		  "Extra inputs are not permitted", "" },
		{ NULL }
	};

	wire_bad(w, bad);
	wire_errors(w, cases);
}

static void test_embed(void)
{
	static const struct ai_span texts[] = { { "a", 1 } };
	struct ai_embed_request q = { "m", texts, 1, 256 };
	struct ai_buf b = AI_BUF_INIT(1000);

	w->put_embed(&q, &b);
	ok(wire_same(ai_buf_cstr(&b), "{\"model\":\"m\",\"inputs\":[\"a\"],"
		     "\"encoding_format\":\"base64\","
		     "\"output_dimension\":256}"), "embeddings");
	ai_buf_release(&b);
}

int main(void)
{
	test_chat();
	test_openai();
	test_answers();
	test_stream();
	test_errors();
	test_embed();
	ai_chat_answer_release(&chat);
	return done();
}
