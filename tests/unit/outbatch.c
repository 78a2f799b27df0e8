/* Lines of --openai-batch: their bodies are what OpenAI's own schema has. */
#include "../../bin/complete/complete.h"

#include "base/start.h"

#include "openapi.h"

/* libcomplete.a is a program without its main.c. */
const struct ai_program ai_program = { .name = "outbatch" };

static const char line[] = "{\"custom_id\":\"a\",\"prompt\":\"x\"}";

/* The answer as a line, of which the body must be valid. */
static void check(const struct ai_schema *s, const struct complete_answer *a,
		  const char *what)
{
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct ai_value v, body = { AI_NONE, { NULL, 0 } };
	struct ai_rec rec;

	ai_rec_init(&rec);
	ai_rec_parse(&rec, ai_span_of(line), 1, &err);
	complete_outbatch_put(a, &rec, &out);
	if (ok(ai_json_check(out.p, out.len, &v, &err) == 0, "JSON: %s", what))
		body = ai_json_get(v, "response.body");
	if (s != NULL &&
	    !ok(ai_schema_check(s, body.s.p, body.s.n, &err) == 0,
		"valid: %s", what))
		printf("# %s\n# %s\n", err.msg, out.p);
	ai_rec_release(&rec);
	ai_buf_release(&out);
}

static void check_all(const struct ai_schema *s)
{
	struct complete_answer a;
	struct ai_tool_call *call;

	complete_answer_init(&a);
	ai_buf_str(&a.chat.text, "Hello \"you\"");
	snprintf(a.chat.model, sizeof a.chat.model, "m");
	snprintf(a.chat.finish_reason, sizeof a.chat.finish_reason,
		 "length");
	a.chat.usage = (struct ai_usage){ 5, 0, -1, 7, -1 };
	check(s, &a, "a text");
	a.chat.refusal = true;
	a.chat.usage.input = -1;
	check(s, &a, "a refusal that nobody counted");
	ai_buf_clear(&a.chat.text);
	a.chat.refusal = false;
	a.chat.finish_reason[0] = '\0';
	call = ai_chat_call(&a.chat, 1, &err);
	snprintf(call->name, sizeof call->name, "f");
	ai_buf_str(&call->arguments, "{\"a\":1}");
	check(s, &a, "calls of tools");
	complete_answer_release(&a);
}

int main(void)
{
	const char *must = getenv("AI_REQUIRE_SHARED");
	struct ai_schema *s;

	if (!read_api()) {
		if (must != NULL && strcmp(must, "1") == 0)
			ok(false, "%s is there", PLACE);
		else
			skip("no %s in AI_SHARED", PLACE);
		return done();
	}
	s = schema_of("CreateChatCompletionResponse");
	check_all(s);
	is_valid(s, "{\"id\":\"a\",\"object\":\"chat.completion\","
		 "\"created\":1,\"model\":\"m\",\"choices\":[]}",
		 "no choices at all");
	ok(s != NULL && ai_schema_check(s, "{\"id\":\"a\"}", 10, &err) < 0,
	   "not valid: an id alone");
	ai_schema_free(s);
	ai_buf_release(&api);
	return done();
}
