/*
 * The requests of model/openai against OpenAI's published description of its
 * interface, and against requests made wrong on purpose, so that the check is
 * known to check.  The file is not part of this repository: AI_SHARED.
 */
#include "model/wire.h"

#include "openapi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void is_invalid(const struct ai_schema *s, const char *body)
{
	if (s != NULL)
		ok(ai_schema_check(s, body, strlen(body), &err) < 0 &&
		   err.code == AI_E_RECORD, "not valid: %s", body);
}

static void test_chat(void)
{
	struct ai_schema *s = schema_of("CreateChatCompletionRequest");
	static const struct ai_span stop[] = { { "\n", 1 }, { "END", 3 } };
	static const struct ai_chat_message m[] = {
		{ .role = "system", .text = { "be brief", 8 } },
		{ .role = "user", .text = { "why?", 4 } },
	};
	struct ai_chat_request q = {
		.model = "gpt-5-mini", .messages = m, .n_messages = 2,
		.max_tokens = 4096, .temperature = NAN, .top_p = NAN,
		.seed = AI_CHAT_UNSET,
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_wire_openai.put_chat(&q, &b, NULL);
	is_valid(s, ai_buf_cstr(&b), "a plain chat request");
	ai_buf_clear(&b);
	q.max_tokens_name = "max_tokens";
	q.temperature = 0.7;
	q.top_p = 1;
	q.seed = -5;
	q.stop = stop;
	q.n_stop = 2;
	ai_wire_openai.put_chat(&q, &b, NULL);
	is_valid(s, ai_buf_cstr(&b), "a full chat request");
	is_invalid(s, "{\"model\":\"m\",\"messages\":\"hello\"}");
	is_invalid(s, "{\"model\":\"m\",\"messages\":[]}");
	is_invalid(s, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
	is_invalid(s, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
		   "\"content\":\"x\"}],\"temperature\":9}");
	ai_schema_free(s);
	ai_buf_release(&b);
}

static void test_embed(void)
{
	struct ai_schema *s = schema_of("CreateEmbeddingRequest");
	static const struct ai_span texts[] = { { "a", 1 }, { "b", 1 } };
	struct ai_embed_request q = { "text-embedding-3-small", texts, 2, 256 };
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_wire_openai.put_embed(&q, &b);
	is_valid(s, ai_buf_cstr(&b), "an embedding request");
	is_invalid(s, "{\"model\":\"m\"}");
	is_invalid(s, "{\"model\":\"m\",\"input\":[\"a\"],\"dimensions\":0}");
	is_invalid(s, "{\"model\":\"m\",\"input\":[\"a\"],"
		   "\"encoding_format\":\"hex\"}");
	ai_schema_free(s);
	ai_buf_release(&b);
}

/* Messages of all kinds, with tools. */
static const char talk[] = "{\"messages\":["
	"{\"role\":\"system\",\"content\":\"be brief\"},"
	"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"},"
	"{\"type\":\"image_url\",\"image_url\":{\"url\":"
	"\"data:image/png;base64,QUJD\"}}]},"
	"{\"role\":\"assistant\",\"content\":\"I look\",\"tool_calls\":["
	"{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	"\"arguments\":\"{}\"}}]},"
	"{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"r\"}],"
	"\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
	"\"choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}";

static void take_talk(struct ai_chat_request *q, struct ai_chat_message m[4])
{
	struct ai_json_iter it;
	struct ai_value v, raw;

	if (!ok(ai_json_check(talk, sizeof talk - 1, &v, &err) == 0,
		"messages of all kinds"))
		return;
	ai_json_iter_init(&it, ai_json_get(v, "messages"));
	for (q->n_messages = 0; ai_json_next(&it, NULL, &raw);)
		m[q->n_messages++] = (struct ai_chat_message){ .raw = raw };
	q->tools = ai_json_get(v, "tools");
	q->tool_choice = ai_json_get(v, "choice");
}

/*
 * A message of a user whose content is a list has two of the forms of an
 * InputItem, of which the description lets it have one: there is no request
 * with a picture that it calls valid.  Here it may have several.
 */
static bool mend_api(void)
{
	static const char name[] = "\"InputItem\":", one[] = "\"oneOf\"";
	char *p = memmem(api.p, api.len, name, sizeof name - 1);

	p = p == NULL ? NULL : memmem(p, 200, one, sizeof one - 1);
	if (p != NULL)
		memcpy(p, "\"anyOf\"", sizeof one - 1);
	return p != NULL;
}

static void test_responses(void)
{
	bool mended = ok(mend_api(), "the description is mended");
	struct ai_schema *s = mended ? schema_of("CreateResponse") : NULL;
	struct ai_schema *count = schema_of("TokenCountsBody");
	struct ai_chat_message m[4] = {
		{ .role = "user", .text = { "why?", 4 } },
	};
	struct ai_chat_request q = {
		.model = "gpt-5-mini", .messages = m, .n_messages = 1,
		.max_tokens = AI_CHAT_UNSET, .temperature = NAN,
		.top_p = NAN, .seed = AI_CHAT_UNSET,
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_wire_responses.put_chat(&q, &b, &err);
	is_valid(s, ai_buf_cstr(&b), "a plain response request");
	take_talk(&q, m);
	q.max_tokens = 4096;
	q.temperature = 0.7;
	q.top_p = 1;
	q.effort = "low";
	q.schema = AI_SPAN("{\"type\":\"object\"}");
	q.stream = true;
	ai_buf_clear(&b);
	ai_wire_responses.put_chat(&q, &b, &err);
	is_valid(s, ai_buf_cstr(&b), "a full response request");
	ai_buf_clear(&b);
	ai_wire_responses.put_count(&q, &b, &err);
	is_valid(count, ai_buf_cstr(&b), "a request to count");
	is_invalid(s, "{\"model\":\"m\",\"input\":[{\"type\":"
		   "\"function_call\",\"name\":\"f\"}]}");
	is_invalid(s, "{\"model\":\"m\",\"input\":\"x\",\"temperature\":9}");
	is_invalid(s, "{\"model\":\"m\",\"input\":\"x\",\"tools\":[{"
		   "\"type\":\"function\"}]}");
	ai_schema_free(s);
	ai_schema_free(count);
	ai_buf_release(&b);
}

int main(void)
{
	const char *must = getenv("AI_REQUIRE_SHARED");

	if (read_api()) {
		test_chat();
		test_embed();
		test_responses();
	} else if (must != NULL && strcmp(must, "1") == 0) {
		ok(false, "%s is there", PLACE);
	} else {
		skip("no %s in AI_SHARED", PLACE);
	}
	ai_buf_release(&api);
	return done();
}
