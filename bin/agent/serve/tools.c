/* tools.c: the tools that clients are offered, and what they are told of
 * them. */
#include "agent.h"
#include "serve/serve.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA_MAX ((size_t)1 << 20)

/* ---- arguments --------------------------------------------------------------- */

/* A member of "properties": the inside of its schema, and what it means. */
static void property(struct ai_buf *b, const char *name, const char *inside,
		     const char *meaning)
{
	ai_put_key(b, name);
	ai_put_open(b, '{');
	ai_put_raw(b, inside, strlen(inside));
	ai_put_key(b, "description");
	ai_put_cstr(b, meaning);
	ai_put_close(b, '}');
}

static const char text_type[] = "\"type\":\"string\",\"minLength\":1";
static const char messages_type[] =
	"\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\","
	"\"properties\":{\"role\":{\"enum\":[\"system\",\"user\","
	"\"assistant\"]},\"content\":{\"type\":\"string\"}},"
	"\"required\":[\"role\",\"content\"],\"additionalProperties\":false}";
static const char documents_type[] =
	"\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	"\"text\":{\"type\":\"string\"},\"id\":{\"type\":\"string\"},"
	"\"uri\":{\"type\":\"string\"}},\"required\":[\"text\"],"
	"\"additionalProperties\":false}";

static void search_input(const struct serve *s, struct ai_buf *p,
			 struct ai_buf *required)
{
	struct ai_buf names = AI_BUF_INIT(SCHEMA_MAX);

	property(p, "query", text_type, "words or a question");
	ai_put_cstr(required, "query");
	if (s->n_indexes > 1) {
		ai_buf_str(&names, "\"enum\":");
		ai_put_open(&names, '[');
		for (size_t i = 0; i < s->n_indexes; i++)
			ai_put_cstr(&names, s->indexes[i].name);
		ai_put_close(&names, ']');
		property(p, "index", ai_buf_cstr(&names), "where to look");
		ai_put_cstr(required, "index");
	}
	property(p, "k", "\"type\":\"integer\",\"minimum\":1,\"maximum\":100",
		 "how many passages at most");
	property(p, "where", text_type, "only documents whose metadata is so: "
		 "KEY=VALUE, KEY<VALUE, joined by AND, OR, NOT");
	ai_buf_release(&names);
}

static void complete_input(const struct serve *s, struct ai_buf *p,
			   struct ai_buf *required)
{
	(void)required;
	property(p, "prompt", text_type, "what the model is asked");
	property(p, "messages", messages_type, "instead of a prompt: a "
		 "conversation");
	property(p, "documents", documents_type, "with a prompt: the model "
		 "answers it from these texts, and cites them");
	if (s->system.len == 0)
		property(p, "system", text_type, "what the model is told "
			 "before it");
	property(p, "max_tokens", "\"type\":\"integer\",\"minimum\":1,"
		 "\"maximum\":10000000", "the longest answer in tokens");
	property(p, "temperature", "\"type\":\"number\",\"minimum\":0,"
		 "\"maximum\":2", "how freely the model chooses");
	property(p, "schema", "\"type\":\"object\"", "a JSON Schema that the "
		 "answer, as JSON, is to satisfy");
}

static void guard_input(const struct serve *s, struct ai_buf *p,
			struct ai_buf *required)
{
	(void)s;
	property(p, "text", "\"type\":\"string\"", "the text to look at");
	ai_put_cstr(required, "text");
	property(p, "context", "\"enum\":[\"user\",\"document\",\"tool\","
		 "\"answer\"]", "where it comes from: user if not given");
	property(p, "redact", "\"type\":\"boolean\"", "replace secrets and "
		 "personal data, and give back the text");
}

static void text_input(struct ai_buf *p)
{
	property(p, "text", "\"type\":\"string\"", "a text");
	property(p, "messages", messages_type, "or a conversation");
}

static void tokens_input(const struct serve *s, struct ai_buf *p,
			 struct ai_buf *required)
{
	(void)required;
	text_input(p);
	property(p, "model", text_type, s->counts ? "as this model counts; if not given, the one that "
		 "'complete' asks" : "as this model counts, such as "
		 "openai/gpt-5-mini; if not given, o200k_base");
}

static void cost_input(const struct serve *s, struct ai_buf *p,
		       struct ai_buf *required)
{
	text_input(p);
	property(p, "model", text_type, "the model to be asked, such as "
		 "openai/gpt-5-mini");
	if (s->first_model == NULL)
		ai_put_cstr(required, "model");
	property(p, "max_tokens", "\"type\":\"integer\",\"minimum\":1,"
		 "\"maximum\":10000000", "the longest answer in tokens");
}

/* ---- the table --------------------------------------------------------------- */

static bool has_index(const struct serve *s)
{
	return s->n_indexes > 0;
}

static bool has_model(const struct serve *s)
{
	return s->model != NULL;
}

static bool always(const struct serve *s)
{
	(void)s;
	return true;
}

#define OBJECT(properties, required) \
	"{\"type\":\"object\",\"properties\":{" properties \
	"},\"required\":[" required "]}"

const struct serve_kind serve_kinds[] = {
	{ .name = "search", .title = "Search documents",
	  .description = "Looks something up in the documents that are at "
	  "hand, by words and by meaning, and gives back the passages that fit "
	  "best, each with its source. 'confident' says whether anything fits "
	  "well.",
	  .program = "ai-search", .doing = "searching", .reads = true,
	  .timeout_s = 120, .offered = has_index, .input = search_input,
	  .ask = serve_ask_search, .answer = serve_answer_search,
	  .output = OBJECT("\"hits\":{\"type\":\"array\",\"items\":"
		OBJECT("\"rank\":{\"type\":\"integer\"},\"id\":{\"type\":"
		       "[\"string\",\"number\"]},\"text\":{\"type\":"
		       "\"string\"},\"score\":{\"type\":\"number\"},"
		       "\"confidence\":{\"type\":\"number\"},\"source\":"
		       "{\"type\":\"object\"},\"meta\":{\"type\":"
		       "\"object\"}", "\"rank\",\"id\",\"text\"")
		"},\"confident\":{\"type\":\"boolean\"},\"confidence\":"
		"{\"type\":\"number\"}", "\"hits\"") },
	{ .name = "complete", .title = "Ask a model",
	  .description = "Asks a language model, within a budget: what it "
	  "costs is booked, and what may not be spent is refused. Give "
	  "'prompt' or 'messages'; with 'documents' the answer is drawn from "
	  "them and cites them by number.",
	  .program = "ai-complete", .doing = "asking the model", .waits = true,
	  .timeout_s = 600, .offered = has_model, .input = complete_input,
	  .ask = serve_ask_complete, .answer = serve_answer_complete,
	  .output = OBJECT("\"text\":{\"type\":\"string\"},\"model\":{"
		"\"type\":\"string\"},\"provider\":{\"type\":\"string\"},"
		"\"finish_reason\":{\"type\":[\"string\",\"null\"]},\"usage\":{"
		"\"type\":\"object\"},\"cost_usd\":{\"type\":\"number\"},"
		"\"cached\":{\"type\":\"boolean\"},\"citations\":{\"type\":"
		"\"array\",\"items\":{\"type\":\"object\"}}",
		"\"text\",\"model\"") },
	{ .name = "guard", .title = "Check a text",
	  .description = "Looks for prompt injection, secrets and personal "
	  "data in a text. 'verdict' is pass, flag, redact or block; "
	  "'findings' say what was found, and at which bytes. With 'redact' "
	  "secrets and personal data become placeholders, and if there were "
	  "any 'text' is the text with them.",
	  .program = "ai-guard", .doing = "looking", .reads = true,
	  .timeout_s = 120, .offered = always, .input = guard_input,
	  .ask = serve_ask_guard, .answer = serve_answer_guard,
	  .output = OBJECT("\"verdict\":{\"enum\":[\"pass\",\"flag\","
		"\"redact\",\"block\"]},\"score\":{\"type\":\"number\"},"
		"\"context\":{\"type\":\"string\"},\"findings\":{\"type\":"
		"\"array\",\"items\":{\"type\":\"object\"}},\"text\":{"
		"\"type\":\"string\"}", "\"verdict\",\"findings\"") },
	{ .name = "tokens", .title = "Count tokens",
	  .description = "Counts the tokens of a text or a conversation as a "
	  "model does. Where 'exact' is false, nineteen of twenty counts lie "
	  "between 'low' and 'high'.",
	  .program = "ai-tokens", .doing = "counting", .reads = true,
	  .timeout_s = 120, .offered = always, .input = tokens_input,
	  .ask = serve_ask_tokens, .answer = serve_answer_tokens,
	  .output = OBJECT("\"count\":{\"type\":\"integer\"},\"encoding\":{"
		"\"type\":[\"string\",\"null\"]},\"exact\":{\"type\":"
		"\"boolean\"},\"method\":{\"type\":\"string\"},\"low\":{"
		"\"type\":\"integer\"},\"high\":{\"type\":\"integer\"}",
		"\"count\",\"exact\"") },
	{ .name = "cost", .title = "Estimate what a model costs",
	  .description = "Estimates what it costs to ask a model a text or a "
	  "conversation, in dollars: expected and at worst, and whether the "
	  "budgets allow it.",
	  .program = "ai-cost", .doing = "estimating", .reads = true,
	  .timeout_s = 120, .offered = always, .input = cost_input,
	  .ask = serve_ask_cost, .answer = serve_answer_cost,
	  .output = OBJECT("\"model\":{\"type\":\"string\"},\"input_tokens\":{"
		"\"type\":\"integer\"},\"output_tokens\":{\"type\":"
		"\"integer\"},\"max_tokens\":{\"type\":\"integer\"},"
		"\"expected_usd\":{\"type\":\"number\"},\"worst_usd\":{"
		"\"type\":\"number\"},\"left_usd\":{\"type\":[\"number\","
		"\"null\"]},\"fits\":{\"type\":\"boolean\"}",
		"\"model\",\"expected_usd\",\"worst_usd\",\"fits\"") },
};

/* ---- as they are listed ------------------------------------------------------ */

static void put_schema(const struct serve *s, const struct serve_kind *k,
		       struct ai_buf *b)
{
	struct ai_buf p = AI_BUF_INIT(SCHEMA_MAX), r = AI_BUF_INIT(SCHEMA_MAX);

	k->input(s, &p, &r);
	ai_buf_str(b, "{\"type\":\"object\",\"properties\":{");
	ai_buf_str(b, ai_buf_cstr(&p));
	ai_buf_str(b, "},\"required\":[");
	ai_buf_str(b, ai_buf_cstr(&r));
	ai_buf_str(b, "],\"additionalProperties\":false}");
	ai_buf_release(&p);
	ai_buf_release(&r);
}

static void put_hints(const struct serve_kind *k, struct ai_buf *b)
{
	ai_put_key(b, "annotations");
	ai_put_open(b, '{');
	ai_put_key(b, "readOnlyHint");
	ai_put_bool(b, k->reads);
	if (!k->reads) {
		ai_put_key(b, "destructiveHint");
		ai_put_bool(b, false);
		ai_put_key(b, "idempotentHint");
		ai_put_bool(b, false);
	}
	ai_put_key(b, "openWorldHint");
	ai_put_bool(b, k->waits);
	ai_put_close(b, '}');
}

static int make_tool(const struct serve *s, const struct serve_kind *k,
		     struct serve_tool *t, struct ai_err *err)
{
	struct ai_buf schema = AI_BUF_INIT(SCHEMA_MAX),
		      b = AI_BUF_INIT(2 * SCHEMA_MAX);
	int rc;

	put_schema(s, k, &schema);
	ai_put_open(&b, '{');
	ai_put_key(&b, "name");
	ai_put_cstr(&b, k->name);
	ai_put_key(&b, "title");
	ai_put_cstr(&b, k->title);
	ai_put_key(&b, "description");
	ai_put_cstr(&b, k->description);
	ai_put_key(&b, "inputSchema");
	ai_put_raw(&b, schema.p, schema.len);
	ai_put_key(&b, "outputSchema");
	ai_put_raw(&b, k->output, strlen(k->output));
	put_hints(k, &b);
	ai_put_close(&b, '}');
	t->kind = k;
	rc = ai_buf_check(&schema, k->name, err) < 0 ||
		ai_buf_check(&b, k->name, err) < 0 ? -1 :
		ai_schema_new_unchecked(&t->schema, schema.p, schema.len, err);
	t->json = ai_buf_take(&b);
	ai_buf_release(&schema);
	return rc;
}

int serve_tools_init(struct serve *s, struct ai_err *err)
{
	for (size_t i = 0; i < SERVE_KINDS; i++)
		if (serve_kinds[i].offered(s) &&
		    make_tool(s, &serve_kinds[i], &s->tools[s->n_tools++],
			      err) < 0)
			return -1;
	return 0;
}

void serve_tools_release(struct serve *s)
{
	for (size_t i = 0; i < s->n_tools; i++) {
		ai_schema_free(s->tools[i].schema);
		free(s->tools[i].json);
	}
	s->n_tools = 0;
}

const struct serve_tool *serve_find_tool(const struct serve *s,
					 struct ai_value name)
{
	for (size_t i = 0; i < s->n_tools; i++)
		if (ai_json_is(name, ai_span_of(s->tools[i].kind->name)))
			return &s->tools[i];
	return NULL;
}
