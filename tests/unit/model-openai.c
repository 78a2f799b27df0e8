/* model/openai: what is sent, and what is made of answers good and bad. */
#include "model/client.h"
#include "model/paid.h"

#include "text/vector.h"

#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ai_err err;

/* ---- requests ----------------------------------------------------------- */

static const char *chat_body(const struct ai_chat_request *q)
{
	static struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_buf_clear(&b);
	ai_wire_openai.put_chat(q, &b, &err);
	return ai_buf_check(&b, "the request", &err) < 0 ? "" : b.p;
}

static void test_put_chat(void)
{
	static const struct ai_span stop[] = { { "\n\n", 2 }, { "END", 3 } };
	struct ai_value raw;
	struct ai_chat_message m[] = {
		{ .role = "system", .text = AI_SPAN("be \"brief\"\n") },
		{ .role = "user", .text = AI_SPAN("gr\xc3\xbc\xc3\x9f dich") },
		{ .role = NULL },
	};
	struct ai_chat_request q = {
		.model = "gpt-5-mini", .messages = m, .n_messages = 2,
		.max_tokens = 4096, .temperature = NAN, .top_p = NAN,
		.seed = AI_CHAT_UNSET,
	};

	ok(strcmp(chat_body(&q), "{\"model\":\"gpt-5-mini\",\"messages\":["
		  "{\"role\":\"system\",\"content\":\"be \\\"brief\\\"\\n\"},"
		  "{\"role\":\"user\",\"content\":\"gr\xc3\xbc\xc3\x9f dich\"}],"
		  "\"max_completion_tokens\":4096}") == 0,
	   "a plain request: only what was asked for is sent");
	q.max_tokens_name = "max_tokens";
	q.temperature = 0;
	q.top_p = 0.25;
	q.seed = -7;
	q.stop = stop;
	q.n_stop = 2;
	ai_json_check("{\"role\":\"user\",\"content\":[]}", 28, &raw, NULL);
	m[2].raw = raw;
	q.n_messages = 3;
	ok(strstr(chat_body(&q), "{\"role\":\"user\",\"content\":[]}],"
		  "\"max_tokens\":4096,\"temperature\":0,\"top_p\":0.25,"
		  "\"seed\":-7,\"stop\":[\"\\n\\n\",\"END\"]}"),
	   "a full one; a message of the record as it is");
}

static void test_put_embed(void)
{
	static const struct ai_span texts[] = { { "a", 1 }, { "b\t", 2 } };
	struct ai_embed_request q = { "m", texts, 2, 0 };
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_wire_openai.put_embed(&q, &b);
	ok(strcmp(ai_buf_cstr(&b), "{\"model\":\"m\",\"input\":[\"a\",\"b\\t\"],"
		  "\"encoding_format\":\"base64\"}") == 0, "embeddings");
	ai_buf_clear(&b);
	q.dim = 256;
	ai_wire_openai.put_embed(&q, &b);
	ok(strstr(ai_buf_cstr(&b), ",\"dimensions\":256}"), "a dimension");
	ai_buf_release(&b);
}

static void test_put_all(void)
{
	struct ai_chat_message m = { .role = "user", .text = AI_SPAN("x") };
	struct ai_chat_request q = {
		.model = "m", .messages = &m, .n_messages = 1,
		.max_tokens = AI_CHAT_UNSET, .temperature = NAN,
		.top_p = NAN, .seed = AI_CHAT_UNSET, .effort = "low",
		.schema = AI_SPAN("{\"type\":\"object\"}"), .stream = true,
	};

	ai_json_check("[{\"type\":\"function\"}]", 21, &q.tools, NULL);
	ai_json_check("\"auto\"", 6, &q.tool_choice, NULL);
	ok(strstr(chat_body(&q), "],\"reasoning_effort\":\"low\",\"tools\":"
		  "[{\"type\":\"function\"}],\"tool_choice\":\"auto\","
		  "\"response_format\":{\"type\":\"json_schema\","
		  "\"json_schema\":{\"name\":\"answer\",\"schema\":"
		  "{\"type\":\"object\"},\"strict\":false}},\"stream\":true,"
		  "\"stream_options\":{\"include_usage\":true}}"),
	   "tools, a schema, a stream");
}

/* ---- chat answers ------------------------------------------------------- */

static struct ai_chat_answer chat;

static int get_chat(const char *body)
{
	ai_chat_answer_release(&chat);
	ai_chat_answer_init(&chat, 1 << 16);
	return ai_wire_openai.get_chat(body, strlen(body), &chat, &err);
}

static int feed(const char *const *events)
{
	int rc = 0;

	ai_chat_answer_release(&chat);
	ai_chat_answer_init(&chat, 1 << 16);
	for (; rc == 0 && *events != NULL; events++)
		rc = ai_wire_get_event(&ai_wire_openai, AI_SPAN(""), ai_span_of(*events),
					      &chat, &err);
	return rc;
}

static void test_events(void)
{
	static const char *const text[] = {
		"{\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
		"{\"role\":\"assistant\",\"content\":\"\"}}]}",
		"{\"choices\":[{\"delta\":{\"content\":\"h\u00e9\"}}]}",
		"{\"choices\":[{\"delta\":{\"content\":\"llo\"}}]}",
		"{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}",
		"{\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
		"\"completion_tokens\":2}}",
		"[DONE]", NULL
	}, *const calls[] = {
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
		"\"id\":\"a\",\"function\":{\"name\":\"f\","
		"\"arguments\":\"\"}}]}}]}",
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,"
		"\"id\":\"b\",\"function\":{\"name\":\"g\","
		"\"arguments\":\"{}\"}}]}}]}",
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
		"\"function\":{\"arguments\":\"{\\\"x\\\":1}\"}}]}}]}",
		NULL
	}, *const bare[] = {
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
		"\"id\":\"a\",\"function\":{\"name\":\"f\"},"
		"\"extra_content\":{\"google\":{\"thought_signature\":"
		"\"c2ln\"}}}]}}]}",
		"{\"choices\":[{\"delta\":{},\"finish_reason\":"
		"\"tool_calls\"}]}", NULL
	}, *const bad[] = { "{\"choices\":[{\"delta\":{\"content\":7}}]}",
			    NULL };

	ok(feed(text) == 1 && strcmp(chat.text.p, "h\xc3\xa9llo") == 0 &&
	   strcmp(chat.finish_reason, "stop") == 0 &&
	   strstr(chat.bill.p, "\"completion_tokens\":2") != NULL,
	   "a stream: text, end, usage");
	ok(feed(calls) == 0 && chat.n_calls == 2 &&
	   strcmp(ai_buf_cstr(&chat.calls[0].id), "a") == 0 &&
	   strcmp(chat.calls[0].arguments.p, "{\"x\":1}") == 0 &&
	   strcmp(chat.calls[1].name, "g") == 0 &&
	   strcmp(chat.calls[1].arguments.p, "{}") == 0,
	   "a stream: calls in pieces");
	ok(feed(bare) == 0 && chat.n_calls == 1 &&
	   strcmp(chat.calls[0].arguments.p, "{}") == 0 &&
	   strcmp(chat.calls[0].signature.p, "c2ln") == 0,
	   "one without arguments, with Gemini's signature");
	ok(feed(bad) < 0 && err.code == AI_E_ANSWER, "a piece that is no text");
}

static int read_usage(struct ai_usage *u)
{
	struct ai_value v;
	struct ai_meter m;

	if (ai_json_check(ai_buf_cstr(&chat.bill), chat.bill.len, &v, NULL) < 0 ||
	    ai_meter_read(AI_SHAPE_OPENAI, v, &m, &err) < 0)
		return -1;
	*u = ai_usage_of(&m);
	return 0;
}

static void test_get_chat(void)
{
	struct ai_usage u;

	ok(get_chat("{\"id\":\"x\",\"object\":\"chat.completion\",\"model\":"
		    "\"gpt-5-mini-2026\",\"choices\":[{\"index\":0,\"message\":"
		    "{\"role\":\"assistant\",\"content\":\"h\\u00e9llo\\n\","
		    "\"refusal\":null},\"finish_reason\":\"stop\"}],\"usage\":"
		    "{\"prompt_tokens\":12,\"completion_tokens\":30,"
		    "\"prompt_tokens_details\":{\"cached_tokens\":8},"
		    "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}")
	   == 0, "an answer");
	ok(strcmp(ai_buf_cstr(&chat.text), "h\xc3\xa9llo\n") == 0, "its text");
	ok(strcmp(chat.model, "gpt-5-mini-2026") == 0 &&
	   strcmp(chat.finish_reason, "stop") == 0 && !chat.refusal,
	   "its model and end");
	ok(read_usage(&u) == 0 && u.input == 12 && u.cached_read == 8 &&
	   u.cache_write == 0 && u.output == 30 && u.reasoning == 20,
	   "its usage");
	ok(get_chat("{\"choices\":[{\"message\":{\"content\":\"x\"}}]}") == 0 &&
	   chat.bill.len == 0 && chat.usage.reasoning == -1 &&
	   chat.finish_reason[0] == '\0',
	   "without usage and reason: not told, not zero");
	ok(get_chat("{\"choices\":[{\"message\":{\"content\":null,\"refusal\":"
		    "\"I will not\"},\"finish_reason\":\"stop\"}]}") == 0 &&
	   chat.refusal && strcmp(ai_buf_cstr(&chat.text), "I will not") == 0,
	   "a refusal");
	ok(get_chat("{\"choices\":[{\"message\":{\"content\":null},"
		    "\"finish_reason\":\"length\"}]}") == 0 &&
	   chat.text.len == 0 && strcmp(chat.finish_reason, "length") == 0,
	   "nothing but a reason to stop");
	ok(get_chat("{\"choices\":[{\"message\":{\"content\":[{\"type\":"
		    "\"thinking\",\"thinking\":[]},{\"type\":\"text\",\"text\":"
		    "\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}}]}") == 0 &&
	   strcmp(ai_buf_cstr(&chat.text), "ab") == 0, "content in parts");
	ok(get_chat("{\"choices\":[{\"message\":{\"content\":\"\"}}],\"usage\":"
		    "{\"prompt_tokens\":-5,\"completion_tokens\":1.5}}") == 0 &&
	   read_usage(&u) < 0,
	   "counts that make no sense are not told");
	ok(get_chat("{\"model\":\"a\\u001b[2Jb\",\"choices\":[{\"message\":"
		    "{\"content\":\"\"}}]}") == 0 &&
	   strcmp(chat.model, "a [2Jb") == 0, "no control bytes in names");
}

static void test_bad_chat(void)
{
	static const char *const bad[] = {
		"", "null", "[]", "{}", "\"text\"", "{\"choices\":[]}",
		"{\"choices\":{\"0\":1}}", "{\"choices\":[{}]}",
		"{\"choices\":[{\"message\":\"x\"}]}",
		"{\"choices\":[{\"message\":{\"content\":7}}]}",
		"{\"choices\":[{\"message\":{\"content\":\"cut",
		"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}",
		"<html>502 Bad Gateway</html>",
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(get_chat(bad[i]) < 0 && err.code == AI_E_ANSWER,
		   "bad answer %zu: %s", i, err.msg);
	ai_buf_str(&b, "{\"choices\":[{\"message\":{\"content\":\"");
	for (int i = 0; i < 70000; i++)
		ai_buf_chr(&b, 'x');
	ai_buf_str(&b, "\"}}]}");
	ok(get_chat(ai_buf_cstr(&b)) < 0 && err.code == AI_E_TOO_LONG,
	   "a text beyond the limit: %s", err.msg);
	ai_buf_release(&b);
}

/* ---- embeddings --------------------------------------------------------- */

static struct ai_embed_answer embed;

static int get_embed(const char *body, size_t n, size_t dim)
{
	static const struct ai_span texts[3] = { { "a", 1 }, { "b", 1 },
						 { "c", 1 } };
	struct ai_embed_request q = { "m", texts, n, dim };

	ai_embed_answer_release(&embed);
	return ai_wire_get_embed(&ai_wire_openai, body, strlen(body), &q,
				 &embed, &err);
}

static bool vector_is(size_t i, float a, float b)
{
	return embed.dim == 2 && embed.vectors[2 * i] == a &&
	       embed.vectors[2 * i + 1] == b;
}

static void test_get_embed(void)
{
	ok(get_embed("{\"data\":[{\"index\":1,\"embedding\":[3,4e0]},"
		     "{\"index\":0,\"embedding\":[1.5,-2]}],"
		     "\"usage\":{\"prompt_tokens\":5}}", 2, 0) == 0 &&
	   embed.n == 2 && vector_is(0, 1.5, -2) && vector_is(1, 3, 4) &&
	   embed.tokens == 5, "numbers, put in order by index");
	/* 1.0f 2.0f; 0.5f -1.0f */
	ok(get_embed("{\"data\":[{\"index\":0,\"embedding\":"
		     "\"AACAPwAAAEA=\"},{\"index\":1,\"embedding\":"
		     "\"AAAAPwAAgL8\"}]}", 2, 2) == 0 &&
	   vector_is(0, 1, 2) && vector_is(1, 0.5, -1) && embed.tokens == -1,
	   "base64, padded or not");
	ok(get_embed("{\"data\":[{\"index\":0,\"embedding\":"
		     "\"AACAPwAAAEA=\"},{\"index\":1,\"embedding\":[7,8]}]}",
		     2, 0) == 0 && vector_is(1, 7, 8), "both in one answer");
	ok(get_embed("{\"data\":[{\"embedding\":[1,2]},{\"embedding\":[3,4]}]}",
		     2, 0) == 0 && vector_is(1, 3, 4),
	   "without index: in order");
	ok(get_embed("{\"data\":[{\"index\":0,\"embedding\":"
		     "\"\\/\\/9\\/P\\/\\/\\/\\/z8=\"}]}", 1, 0) == 0 &&
	   embed.dim == 2, "escaped slashes in base64");
}

static void test_bad_embed(void)
{
	static const char *const bad[] = {
		"", "{}", "[1]", "{\"data\":{}}", "{\"data\":[]}",
		/* counts */
		"{\"data\":[{\"index\":0,\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,"
		"\"embedding\":[1]},{\"index\":2,\"embedding\":[1]}]}",
		/* indexes */
		"{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":2,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":-1,\"embedding\":[1]},{\"index\":0,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":\"0\",\"embedding\":[1]},{\"index\":1,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":1e99,\"embedding\":[1]},{\"index\":1,"
		"\"embedding\":[1]}]}",
		/* vectors */
		"{\"data\":[{\"index\":0},{\"index\":1}]}",
		"{\"data\":[{\"index\":0,\"embedding\":null},{\"index\":1}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[]},{\"index\":1,"
		"\"embedding\":[]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":1,"
		"\"embedding\":[1,2]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[\"1\"]},{\"index\":1,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1e39]},{\"index\":1,"
		"\"embedding\":[1]}]}",
		"{\"data\":[{\"index\":0,\"embedding\":\"\"},{\"index\":1,"
		"\"embedding\":\"\"}]}",
		"{\"data\":[{\"index\":0,\"embedding\":\"AACAPw==\"},{\"index\""
		":1,\"embedding\":\"AACAP\"}]}",
		"{\"data\":[{\"index\":0,\"embedding\":\"AACAP*==\"},{\"index\""
		":1,\"embedding\":\"AACAPw==\"}]}",
		/* NaN in base64 */
		"{\"data\":[{\"index\":0,\"embedding\":\"AADAfw==\"},{\"index\""
		":1,\"embedding\":\"AADAfw==\"}]}",
		"{\"data\":[{\"index\":0,\"embedding\":[1",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(get_embed(bad[i], 2, 0) < 0 && err.code == AI_E_ANSWER &&
		   embed.vectors == NULL, "bad embeddings %zu: %s", i,
		   err.msg);
	ok(get_embed("{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", 1, 3) <
	   0, "not the dimension asked for: %s", err.msg);
}

/* A vector so long that its size would matter. */
static void test_long_embed(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 22);

	ai_buf_str(&b, "{\"data\":[{\"index\":0,\"embedding\":\"");
	for (int i = 0; i < 700000; i++)
		ai_buf_chr(&b, 'A');
	ai_buf_str(&b, "\"}]}");
	ok(get_embed(ai_buf_cstr(&b), 1, 0) < 0 && err.code == AI_E_ANSWER,
	   "an endless vector: %s", err.msg);
	ai_buf_release(&b);
}

/* ---- errors ------------------------------------------------------------- */

static void test_errors(void)
{
	static const struct {
		const char *body;
		bool error;
		long status;
		const char *message, *code, *param;
	} cases[] = {
		{ "{\"error\":{\"message\":\"Rate limit\\nreached\",\"type\":"
		  "\"requests\",\"param\":null,\"code\":"
		  "\"rate_limit_exceeded\"}}", true, 0, "Rate limit reached",
		  "rate_limit_exceeded", "" },
		{ "{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota"
		  "\",\"param\":\"input\",\"code\":null}}", true, 0, "m",
		  "insufficient_quota", "input" },
		{ "{\"error\":{\"message\":\"m\",\"code\":429}}", true, 429,
		  "m", "", "" },
		{ "{\"error\":{\"code\":99}}", true, 0, "", "", "" },
		{ "{\"error\":\"model 'x' not found\"}", true, 0,
		  "model 'x' not found", "", "" },
		{ "[{\"error\":{\"code\":400,\"message\":\"m\"}}]", true, 400,
		  "m", "", "" },
		{ "{\"detail\":\"Unauthorized\"}", false, 0, "Unauthorized",
		  "", "" },
		{ "{\"object\":\"error\",\"message\":\"m\"}", false, 0, "m",
		  "", "" },
		{ "{\"error\":null,\"choices\":[]}", false, 0, "", "", "" },
		{ "<html>", false, 0, "", "", "" },
		{ "", false, 0, "", "", "" },
		{ "7", false, 0, "", "", "" },
	};
	struct ai_wire_error e;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool error = ai_wire_openai.get_error(
			cases[i].body, strlen(cases[i].body), &e);

		ok(error == cases[i].error && e.status == cases[i].status &&
		   strcmp(e.message, cases[i].message) == 0 &&
		   strcmp(e.code, cases[i].code) == 0 &&
		   strcmp(e.param, cases[i].param) == 0, "error %s",
		   cases[i].body);
	}
}

static void test_clean(void)
{
	char out[16];

	ai_wire_clean(AI_SPAN("  a\x1b[31m\r\n\tb \xc2\x9b" "c  "), out,
		      sizeof out);
	ok(strcmp(out, "a [31m b c") == 0, "control bytes become blanks");
	ai_wire_clean(AI_SPAN("0123456789\xc3\xa9\xc3\xa9\xc3\xa9"), out,
		      sizeof out);
	ok(strcmp(out, "0123456789\xc3\xa9...") == 0,
	   "cut at a character: %s", out);
	ai_wire_clean(AI_SPAN("\xff\xfe x"), out, sizeof out);
	ok(strcmp(out, "x") == 0, "no bytes that are not UTF-8");
}

/* ---- endpoints ---------------------------------------------------------- */

static bool endpoint(const char *model, const char *base, const char *key_env,
		     const char *key, struct ai_endpoint *e)
{
	bool good;

	unsetenv("OPENAI_API_KEY");
	unsetenv("AI_API_KEY");
	if (key_env != NULL)
		setenv(key_env, key, 1);
	ai_client.base_url = base;
	ai_paid.price = "free"; /* not what is tried here */
	good = ai_endpoint_init(e, model, &err) == 0;
	if (!good)
		ai_endpoint_release(e);
	return good;
}

/* Whether this is the one key. */
static bool has_key(const struct ai_endpoint *e, const char *text)
{
	const struct ai_key *key = ai_keys_at(e->keys, 0);

	return key != NULL && strcmp(key->text, text) == 0 &&
	       ai_keys_at(e->keys, 1) == NULL;
}

static void test_endpoints(void)
{
	struct ai_endpoint e;

	unsetenv("OPENAI_BASE_URL");
	ok(endpoint("openai/gpt-5-mini", NULL, "OPENAI_API_KEY", "k1", &e) &&
	   strcmp(e.base, "https://api.openai.com/v1") == 0 &&
	   strcmp(e.model, "gpt-5-mini") == 0 && has_key(&e, "k1") &&
	   strcmp(e.provider, "openai") == 0 && e.max_tokens_name == NULL,
	   "a known provider");
	ai_endpoint_release(&e);
	setenv("OPENAI_BASE_URL", "https://gate.example/openai/v1/", 1);
	ok(endpoint("openai/x", NULL, "OPENAI_API_KEY", "k1", &e) &&
	   strcmp(e.base, "https://gate.example/openai/v1") == 0,
	   "OPENAI_BASE_URL");
	ai_endpoint_release(&e);
	unsetenv("OPENAI_BASE_URL");
	ok(endpoint("openai/gpt-oss", "http://localhost:8080", NULL, NULL,
		    &e) && strcmp(e.base, "http://localhost:8080/v1") == 0 &&
	   strcmp(e.model, "openai/gpt-oss") == 0 && e.keys == NULL &&
	   strcmp(e.provider, "localhost:8080") == 0 &&
	   strcmp(e.max_tokens_name, "max_tokens") == 0,
	   "a server on this machine needs no key; the name is kept");
	ai_endpoint_release(&e);
	ok(endpoint("m", "https://x.example/api", "AI_API_KEY", "k2", &e) &&
	   strcmp(e.base, "https://x.example/api") == 0 &&
	   has_key(&e, "k2"), "a path given is kept");
	ai_endpoint_release(&e);
	ai_client.insecure_http = true;
	ok(endpoint("m", "http://10.0.0.5:8000", NULL, NULL, &e) &&
	   e.keys == NULL, "--insecure-http: a server in the house, no key");
	ai_endpoint_release(&e);
	ai_client.insecure_http = false;
}

static void test_no_endpoint(void)
{
	struct ai_endpoint e;

	ok(!endpoint("gpt-5-mini", NULL, "OPENAI_API_KEY", "k", &e) &&
	   err.code == AI_E_CONFIG, "no provider: %s", err.msg);
	ok(!endpoint("openai/", NULL, "OPENAI_API_KEY", "k", &e) &&
	   err.code == AI_E_CONFIG, "no name");
	ok(!endpoint("openai/x", NULL, "AI_API_KEY", "k", &e) &&
	   err.code == AI_E_NOT_ALLOWED && strstr(err.msg, "OPENAI_API_KEY"),
	   "no key: %s", err.msg);
	ok(!endpoint("openai/x", NULL, "OPENAI_API_KEY", "", &e) &&
	   err.code == AI_E_NOT_ALLOWED, "an empty key is none");
	ok(!endpoint("m", "https://x.example", "OPENAI_API_KEY", "k", &e) &&
	   err.code == AI_E_NOT_ALLOWED,
	   "OpenAI's key does not go elsewhere: %s", err.msg);
	ok(!endpoint("m", "http://x.example", "AI_API_KEY", "k9secret", &e) &&
	   err.code == AI_E_NOT_ALLOWED && !strstr(err.msg, "k9secret"),
	   "a key over plain http: %s", err.msg);
	ok(!endpoint("m", "http://10.0.0.5", NULL, NULL, &e) &&
	   err.code == AI_E_NOT_ALLOWED, "plain http without a key");
	ok(!endpoint("m", "https://x.example", "AI_API_KEY", "a\r\nEvil: 1",
		     &e) && err.code == AI_E_NOT_ALLOWED &&
	   !strstr(err.msg, "Evil"), "a key that would add a header: %s",
	   err.msg);
	ok(!endpoint("m", "gopher://x", "AI_API_KEY", "k", &e) &&
	   err.code == AI_E_CONFIG, "no such scheme");
	ai_client.base_url = NULL;
}

int main(void)
{
	test_put_chat();
	test_put_embed();
	test_put_all();
	test_get_chat();
	test_events();
	test_bad_chat();
	test_get_embed();
	test_bad_embed();
	test_long_embed();
	test_errors();
	test_clean();
	test_endpoints();
	test_no_endpoint();
	ai_chat_answer_release(&chat);
	ai_embed_answer_release(&embed);
	return done();
}
