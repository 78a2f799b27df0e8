/*
 * gemini.c: the wire format of Google's Gemini, /v1beta/models/NAME:METHOD.
 * After the types of its own SDK (@google/genai 2.32.0) and what that was
 * seen to send.
 */
#include "model/turns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * From Gemini 3 on a call that goes back must bear the signature of the
 * thoughts it came with.  This word is said to do for histories that have
 * none; no real server was asked, nor which models want it: that goes by their
 * names.
 */
#define NO_SIGNATURE "skip_thought_signature_validator"

/* ---- parts -------------------------------------------------------------- */

/* The type of a picture elsewhere, which is to be told as well: by its name,
 * and not at all if that says nothing. */
static const char *type_of(struct ai_span url)
{
	static const char *const types[][2] = {
		{ ".png", "image/png" }, { ".jpg", "image/jpeg" },
		{ ".jpeg", "image/jpeg" }, { ".webp", "image/webp" },
		{ ".gif", "image/gif" }, { ".heic", "image/heic" },
	};
	size_t n = 0, len;

	while (n < url.n && url.p[n] != '?' && url.p[n] != '#')
		n++;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		len = strlen(types[i][0]);
		if (n > len &&
		    strncasecmp(url.p + n - len, types[i][0], len) == 0)
			return types[i][1];
	}
	return NULL;
}

static void put_blob(struct ai_buf *b, const struct ai_part *p)
{
	if (p->kind == AI_PART_IMAGE_URL) {
		ai_wire_put_in(b, "fileData", '{');
		ai_wire_put_cstr(b, "mimeType", type_of(p->text));
		ai_wire_put_span(b, "fileUri", p->text);
	} else {
		ai_wire_put_in(b, "inlineData", '{');
		ai_wire_put_span(b, "mimeType", p->type);
		ai_wire_put_span(b, "data", p->text);
	}
	ai_put_close(b, '}');
}

static void put_call(struct ai_buf *b, const struct ai_part *p)
{
	ai_wire_put_in(b, "functionCall", '{');
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_json(b, "args", p->text);
	ai_put_close(b, '}');
}

/* A result must be an object.  It stays text inside of one, though it may be
 * JSON itself: long numbers would not survive as Google's Struct. */
static int put_result(struct ai_buf *b, const struct ai_part *p,
		      struct ai_err *err)
{
	if (p->name.n == 0)
		return ai_err_set(err, AI_E_RECORD, "a tool's answer that "
				  "names neither a call before it nor a tool");
	ai_wire_put_in(b, "functionResponse", '{');
	ai_wire_put_span(b, "name", p->name);
	ai_wire_put_in(b, "response", '{');
	ai_wire_put_span(b, "output", p->text);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	return 0;
}

static int put_said(struct ai_buf *b, const struct ai_part *p,
		    struct ai_err *err)
{
	switch (p->kind) {
	case AI_PART_TEXT:
		ai_wire_put_span(b, "text", p->text);
		break;
	case AI_PART_IMAGE_DATA:
	case AI_PART_IMAGE_URL:
		if (ai_part_no_detail(p, err) < 0)
			return -1;
		put_blob(b, p);
		break;
	case AI_PART_CALL:
		put_call(b, p);
		break;
	case AI_PART_RESULT:
		return put_result(b, p, err);
	}
	return 0;
}

/* Whether it is of Gemini 2.5 or older. */
static bool is_old(const char *model)
{
	static const char *const old[] = { "gemini-1", "gemini-2" };

	for (size_t i = 0; i < sizeof old / sizeof *old; i++)
		if (strncmp(model, old[i], strlen(old[i])) == 0)
			return true;
	return false;
}

/* Models before Gemini 3, and those that are no Gemini, know no signatures;
 * names without a number ("gemini-flash-latest") are new ones. */
static bool wants_signature(const char *model)
{
	return !is_old(model) && strncmp(model, "gemma", 5) != 0 &&
	       strncmp(model, "learnlm", 7) != 0;
}

static bool is_first_call(const struct ai_turn *t, size_t i)
{
	while (i-- > 0)
		if (t->parts[i].kind == AI_PART_CALL)
			return false;
	return true;
}

/* Of calls at the same time the first bears a signature. */
static int put_part(struct ai_buf *b, const struct ai_chat_request *q,
		    const struct ai_turn *t, size_t i, struct ai_err *err)
{
	const struct ai_part *p = &t->parts[i];

	ai_put_open(b, '{');
	if (put_said(b, p, err) < 0)
		return -1;
	if (p->kind == AI_PART_CALL && p->signature.n > 0)
		ai_wire_put_span(b, "thoughtSignature", p->signature);
	else if (p->kind == AI_PART_CALL && wants_signature(q->model) &&
		 is_first_call(t, i))
		ai_wire_put_cstr(b, "thoughtSignature", NO_SIGNATURE);
	ai_put_close(b, '}');
	return 0;
}

static void put_text(struct ai_buf *b, struct ai_span text)
{
	ai_wire_put_in(b, "parts", '[');
	ai_put_open(b, '{');
	ai_wire_put_span(b, "text", text);
	ai_put_close(b, '}');
	ai_put_close(b, ']');
}

static void put_system(struct ai_buf *b, struct ai_span text)
{
	ai_wire_put_in(b, "systemInstruction", '{');
	put_text(b, text);
	ai_put_close(b, '}');
}

static const struct ai_turns_form form = {
	.list = "contents", .assistant = "model", .parts = "parts",
	.put = put_part, .put_system = put_system,
};

/* ---- tools -------------------------------------------------------------- */

static void put_tool(struct ai_buf *b, const struct ai_tool *tool)
{
	ai_put_open(b, '{');
	ai_wire_put_value(b, "name", tool->name);
	ai_wire_put_value(b, "description", tool->description);
	if (tool->parameters.kind == AI_OBJECT)
		ai_wire_put_value(b, "parametersJsonSchema",
				  tool->parameters);
	ai_put_close(b, '}');
}

static int put_tool_choice(struct ai_value v, struct ai_buf *b,
			   struct ai_err *err)
{
	static const char *const modes[] = {
		[AI_CHOICE_AUTO] = "AUTO", [AI_CHOICE_NONE] = "NONE",
		[AI_CHOICE_ANY] = "ANY", [AI_CHOICE_NAMED] = "ANY",
	};
	struct ai_tool_choice choice;

	if (v.kind == AI_NONE)
		return 0;
	if (ai_tool_choice_take(v, &choice, err) < 0)
		return -1;
	ai_wire_put_in(b, "toolConfig", '{');
	ai_wire_put_in(b, "functionCallingConfig", '{');
	ai_wire_put_cstr(b, "mode", modes[choice.kind]);
	if (choice.kind == AI_CHOICE_NAMED) {
		ai_wire_put_in(b, "allowedFunctionNames", '[');
		ai_put_value(b, choice.name);
		ai_put_close(b, ']');
	}
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	return 0;
}

static int put_tools(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	if (ai_tools_no_strict(q->tools, "gemini", err) < 0)
		return -1;
	if (q->tools.kind != AI_NONE) {
		ai_wire_put_in(b, "tools", '[');
		ai_put_open(b, '{');
		if (ai_tools_put(q->tools, "functionDeclarations", put_tool, b,
				 err) < 0)
			return -1;
		ai_put_close(b, '}');
		ai_put_close(b, ']');
	}
	return put_tool_choice(q->tool_choice, b, err);
}

/* ---- requests ----------------------------------------------------------- */

/* Levels are those of Gemini 3. Before, there were budgets: these are the ones
 * that Google's own imitation of OpenAI makes of the words. To think nothing
 * at all is a budget still. */
static const struct {
	const char *effort;
	int64_t budget;
} budgets[] = {
	{ "none", 0 }, { "minimal", 1024 }, { "low", 1024 },
	{ "medium", 8192 }, { "high", 24576 },
};

static int64_t budget_of(const char *effort)
{
	for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++)
		if (strcmp(effort, budgets[i].effort) == 0)
			return budgets[i].budget;
	return AI_CHAT_UNSET;
}

static int put_effort(struct ai_buf *b, const struct ai_chat_request *q,
		      struct ai_err *err)
{
	char level[32];
	size_t n = 0;

	if (q->effort == NULL)
		return 0;
	ai_wire_put_in(b, "thinkingConfig", '{');
	if (is_old(q->model) && budget_of(q->effort) == AI_CHAT_UNSET)
		return ai_err_set(err, AI_E_RECORD, "%.60s has no effort "
				  "'%.20s': none, low, medium and high are "
				  "those it has", q->model, q->effort);
	if (is_old(q->model) || strcmp(q->effort, "none") == 0) {
		ai_wire_put_i64(b, "thinkingBudget", budget_of(q->effort));
	} else {
		for (; q->effort[n] != '\0' && n < sizeof level - 1; n++)
			level[n] = (char)toupper((unsigned char)q->effort[n]);
		level[n] = '\0';
		ai_wire_put_cstr(b, "thinkingLevel", level);
	}
	ai_put_close(b, '}');
	return 0;
}

static int put_config(const struct ai_chat_request *q, struct ai_buf *b,
		      struct ai_err *err)
{
	ai_wire_put_in(b, "generationConfig", '{');
	ai_wire_put_i64(b, "maxOutputTokens", q->max_tokens);
	ai_wire_put_f64(b, "temperature", q->temperature);
	ai_wire_put_f64(b, "topP", q->top_p);
	ai_wire_put_i64(b, "seed", q->seed);
	ai_wire_put_texts(b, "stopSequences", q->stop, q->n_stop);
	if (put_effort(b, q, err) < 0)
		return -1;
	if (q->schema.n > 0) {
		ai_wire_put_cstr(b, "responseMimeType", "application/json");
		ai_put_key(b, "responseJsonSchema");
		ai_schema_put(b, q->schema);
	}
	ai_put_close(b, '}');
	return 0;
}

static int put_chat(const struct ai_chat_request *q, struct ai_buf *b,
		    struct ai_err *err)
{
	ai_put_open(b, '{');
	if (ai_turns_put(q, &form, b, err) < 0 ||
	    put_tools(q, b, err) < 0 || put_config(q, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* "models/NAME", where the path is not enough. */
static void put_model(struct ai_buf *b, const char *model)
{
	char name[300];

	snprintf(name, sizeof name, "models/%s", model);
	ai_wire_put_cstr(b, "model", name);
}

/* Only as a whole request may there be more than contents. */
static int put_count(const struct ai_chat_request *q, struct ai_buf *b,
		     struct ai_err *err)
{
	ai_put_open(b, '{');
	ai_wire_put_in(b, "generateContentRequest", '{');
	put_model(b, q->model);
	if (ai_turns_put(q, &form, b, err) < 0 || put_tools(q, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	return 0;
}

static void put_embed(const struct ai_embed_request *q, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_wire_put_in(b, "requests", '[');
	for (size_t i = 0; i < q->n; i++) {
		ai_put_open(b, '{');
		put_model(b, q->model);
		ai_wire_put_in(b, "content", '{');
		put_text(b, q->texts[i]);
		ai_put_close(b, '}');
		ai_wire_put_input_type(b, "taskType", q->type,
				       "RETRIEVAL_DOCUMENT",
				       "RETRIEVAL_QUERY");
		if (q->dim > 0)
			ai_wire_put_i64(b, "outputDimensionality",
					(int64_t)q->dim);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	ai_put_close(b, '}');
}

/* ---- answers ------------------------------------------------------------ */

static const struct ai_wire_word reasons[] = {
	{ "STOP", "stop" }, { "MAX_TOKENS", "length" },
	{ "SAFETY", "content_filter" }, { "RECITATION", "content_filter" },
	{ "BLOCKLIST", "content_filter" },
	{ "PROHIBITED_CONTENT", "content_filter" },
	{ "SPII", "content_filter" }, { "IMAGE_SAFETY", "content_filter" },
	{ "FUNCTION_CALL", "tool_calls" }, /* of those who imitate it */
	{ NULL, NULL }
};

/* Calls come whole, and have an id from some models only. */
static int get_call(struct ai_value part, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v = ai_json_get(part, "functionCall");
	struct ai_tool_call *call = ai_wire_call(v, "id", "name", 0, a, err);

	if (call == NULL ||
	    ai_wire_signature(ai_json_get(part, "thoughtSignature"), call,
			      err) < 0 ||
	    ai_wire_arguments(ai_json_get(v, "args"), call, err) < 0)
		return -1;
	return ai_wire_call_end(call, err);
}

static int get_part(struct ai_value part, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	if (ai_json_get(part, "functionCall").kind == AI_OBJECT &&
	    get_call(part, a, err) < 0)
		return -1;
	if (ai_json_true(ai_json_get(part, "thought")))
		return 0;
	return ai_wire_text(ai_json_get(part, "text"), a, err);
}

static int get_candidate(struct ai_value v, struct ai_chat_answer *a,
			 struct ai_err *err)
{
	struct ai_value parts = ai_json_get(v, "content.parts"), part;
	struct ai_json_iter it;

	if (parts.kind != AI_ARRAY && parts.kind > AI_NULL)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer's parts are no list");
	ai_json_iter_init(&it, parts);
	while (ai_json_next(&it, NULL, &part))
		if (get_part(part, a, err) < 0)
			return -1;
	ai_wire_finish(ai_json_get(v, "finishReason"), reasons, a);
	return 0;
}

/* The prompt itself was blocked: there is no answer, and this is why. */
static int get_blocked(struct ai_value v, struct ai_chat_answer *a,
		       struct ai_err *err)
{
	char reason[64], more[512];

	ai_wire_copy(v, "blockReason", reason, sizeof reason);
	ai_wire_copy(v, "blockReasonMessage", more, sizeof more);
	snprintf(a->finish_reason, sizeof a->finish_reason,
		 "content_filter");
	a->refusal = true;
	if (a->text.len > 0)
		return 0;
	ai_buf_fmt(&a->text, "the prompt was blocked: %s%s%s", reason,
		   more[0] == '\0' ? "" : ": ", more);
	return ai_buf_check(&a->text, "the answer's text", err);
}

/* A whole answer, or a piece of one.  1: it had something in it; 0: nothing
 * but counts; -1. */
static int get_piece(struct ai_value v, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	struct ai_value candidate = ai_json_get(v, "candidates.0");
	struct ai_value feedback = ai_json_get(v, "promptFeedback");

	if (a->model[0] == '\0')
		ai_wire_copy(v, "modelVersion", a->model, sizeof a->model);
	ai_wire_bill(ai_json_get(v, "usageMetadata"), a);
	if (candidate.kind == AI_OBJECT)
		return get_candidate(candidate, a, err) < 0 ? -1 : 1;
	if (ai_json_get(feedback, "blockReason").kind == AI_STRING)
		return get_blocked(feedback, a, err) < 0 ? -1 : 1;
	return 0;
}

static int get_chat(const char *p, size_t n, struct ai_chat_answer *a,
		    struct ai_err *err)
{
	struct ai_value v;
	int rc;

	ai_chat_answer_clear(a);
	if (ai_wire_object(p, n, &v, err) < 0)
		return -1;
	rc = get_piece(v, a, err);
	if (rc == 0)
		return ai_err_set(err, AI_E_ANSWER,
				  "the answer has no candidates");
	return rc < 0 ? -1 : 0;
}

/* Each event is an answer with the next piece in it; counts are those so
 * far.  There is no last one: an answer is whole if the stream ends after a
 * reason to end was told. */
static int get_event(struct ai_span name, struct ai_span data,
		     struct ai_chat_answer *a, struct ai_err *err)
{
	struct ai_value v;

	(void)name;
	if (ai_wire_object(data.p, data.n, &v, err) < 0)
		return -1;
	return get_piece(v, a, err) < 0 ? -1 : 0;
}

/* ---- errors ------------------------------------------------------------- */

/* "12s", "0.5s": how long to wait; there is no header that says it. */
static void get_delay(struct ai_value detail, struct ai_wire_error *e)
{
	char text[32];
	size_t n;
	double s;

	ai_wire_copy(detail, "retryDelay", text, sizeof text);
	n = strlen(text);
	if (n > 1 && text[n - 1] == 's' &&
	    ai_parse_f64((struct ai_span){ text, n - 1 }, &s) == 0 && s > 0)
		e->retry_after_s = s;
}

/* What is wrong in one word: of the details (API_KEY_INVALID) rather than of
 * the status (INVALID_ARGUMENT). */
static void get_details(struct ai_value error, struct ai_wire_error *e)
{
	struct ai_json_iter it;
	struct ai_value v;

	ai_wire_copy(error, "status", e->code, sizeof e->code);
	ai_json_iter_init(&it, ai_json_get(error, "details"));
	while (ai_json_next(&it, NULL, &v)) {
		get_delay(v, e);
		if (ai_json_get(v, "reason").kind == AI_STRING)
			ai_wire_copy(v, "reason", e->code, sizeof e->code);
		if (e->param[0] == '\0')
			ai_wire_copy(v, "fieldViolations.0.field", e->param,
				     sizeof e->param);
	}
}

/* As OpenAI's (a status as the code, perhaps in a list of one), and what that
 * does not have. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	struct ai_value v;

	if (!ai_wire_openai.get_error(p, n, e))
		return false;
	ai_json_check(p, n, &v, NULL);
	if (v.kind == AI_ARRAY)
		v = ai_json_get(v, "0");
	v = ai_json_get(v, "error");
	if (ai_json_get(v, "status").kind == AI_STRING)
		get_details(v, e);
	return true;
}

const struct ai_wire ai_wire_gemini = {
	.name = "gemini",
	.root = "/v1beta",
	.auth = AI_AUTH_GOOGLE,
	.framing = AI_FRAMING_SSE,
	.path = "/models/{}:generateContent",
	/* Without alt=sse a stream is one list of JSON. */
	.stream_path = "/models/{}:streamGenerateContent?alt=sse",
	.put_chat = put_chat,
	.get_chat = get_chat,
	.get_event = get_event,
	.get_error = get_error,
	.count_path = "/models/{}:countTokens",
	.put_count = put_count,
	.count = "totalTokens",
	/* All on one page, if the server allows it. */
	.models = {
		.path = "/models?pageSize=1000", .list = "models",
		.name = "name", .prefix = "models/",
		.next = "nextPageToken", .page = "&pageToken=",
	},
	/* Not all servers tell what they counted. */
	.embed = {
		.path = "/models/{}:batchEmbedContents", .max = 100,
		.types = true,
		.list = "embeddings", .vector = "values",
		.usage = "usageMetadata",
		.tokens = "usageMetadata.promptTokenCount",
	},
	.put_embed = put_embed,
};
