#include "model/chat_tokens.h"

#include "model/image_tokens.h"

#include <string.h>

/*
 * OpenAI's cookbook, "How to count tokens with tiktoken".  Claude's frames
 * were measured by others (7 tokens around one message up to 4.6, 11 in 4.7,
 * 6 in 5); the prompt about tools is the one that Anthropic's price list has
 * for Claude 4, the rest follows from the example of its guide.  Gemini's
 * follow from the examples of Google's guide to token counting.
 */
static const struct ai_chat_rule rules[] = {
	{ "gpt-4o", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	{ "gpt-4.", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	{ "gpt-4", 3, 3, 1, true, false, 12, 10, 3, 3, -3, 3, 0 },
	{ "gpt-3", 3, 3, 1, true, false, 12, 10, 3, 3, -3, 3, 0 },
	{ "claude-opus-4-7", 9, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-opus-4.7", 9, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-opus-4-8", 9, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-opus-4.8", 9, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-opus-4", 5, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-sonnet-4", 5, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-haiku-4", 5, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-3", 5, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude-2", 5, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "claude", 4, 2, 0, false, true, 346, 6, 0, 6, 0, 1, 250 },
	{ "gemini", 0, 1, 0, false, false, 0, 14, 0, 11, 0, 1, 250 },
	{ "gpt-", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	{ "o1", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	{ "o3", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	{ "o4", 3, 3, 1, true, false, 12, 7, 3, 3, -3, 3, 0 },
	/* Templates of open models differ: 3 to 5 around a message. */
	{ NULL, 3, 4, 1, true, false, 20, 15, 3, 5, 0, 2, 500 },
};

static const struct ai_chat_rule *rule_of(const char *model)
{
	const struct ai_chat_rule *r = rules;
	const char *slash = model == NULL ? NULL : strrchr(model, '/');

	if (model == NULL)
		return r;
	if (slash != NULL)
		model = slash + 1;
	while (r->stem != NULL && strcasestr(model, r->stem) == NULL)
		r++;
	return r;
}

/* ---- texts ----------------------------------------------------------------- */

int ai_chat_add_bytes(struct ai_chat_sum *c, const char *p, size_t n,
		      unsigned flags, struct ai_err *err)
{
	const struct ai_chat *chat = c->chat;
	size_t tokens;

	if (chat->kin != NULL)
		return ai_estimate_add(&c->texts, chat->bpe, p, n, flags, err);
	if (ai_bpe_count(chat->bpe, p, n, flags, &tokens, err) < 0)
		return -1;
	c->texts.tokens[0] += tokens;
	return 0;
}

int ai_chat_add_string(struct ai_chat_sum *c, struct ai_value v,
		       struct ai_err *err)
{
	ai_buf_clear(c->text);
	if (ai_json_text(v, c->text) < 0)
		return ai_buf_check(c->text, "the text", err);
	return ai_chat_add_bytes(c, ai_buf_cstr(c->text), c->text->len,
				 c->chat->flags, err);
}

/* ---- parts of a content ------------------------------------------------------ */

/* {"type":"image_url","image_url":{"url":...}}, and the like of others: an
 * address, or base64 that stands alone. */
static struct ai_value address_of(struct ai_value part, bool *bare)
{
	static const char *const places[] = { "image_url.url", "image_url",
					      "source.url", "source.data" };
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		v = ai_json_get(part, places[i]);
		*bare = i == 3;
		if (v.kind == AI_STRING)
			return v;
	}
	return v;
}

static enum ai_detail detail_of(struct ai_value part)
{
	struct ai_value v = ai_json_get(part, "image_url.detail");

	if (v.kind == AI_NONE)
		v = ai_json_get(part, "detail");
	return ai_json_is(v, AI_SPAN("low")) ? AI_DETAIL_LOW
	     : ai_json_is(v, AI_SPAN("high")) ? AI_DETAIL_HIGH
					      : AI_DETAIL_AUTO;
}

static int add_image(struct ai_chat_sum *c, struct ai_value part,
		     struct ai_err *err)
{
	struct ai_image_size size = { 0, 0 };
	struct ai_range r;
	bool bare;
	struct ai_value v = address_of(part, &bare);

	ai_buf_clear(c->text);
	if (bare)
		ai_buf_str(c->text, "data:;base64,");
	if (v.kind == AI_STRING)
		ai_json_text(v, c->text);
	if (ai_buf_check(c->text, "the picture", err) < 0)
		return -1;
	ai_image_size_of_url((struct ai_span){ ai_buf_cstr(c->text),
					       c->text->len }, &size);
	r = ai_image_tokens(c->chat->model, size, detail_of(part));
	c->media.low += r.low;
	c->media.count += r.count;
	c->media.high += r.high;
	return 0;
}

static bool is_image(struct ai_value part)
{
	struct ai_value type = ai_json_get(part, "type");

	return ai_json_is(type, AI_SPAN("image_url")) ||
		ai_json_is(type, AI_SPAN("input_image")) ||
		ai_json_is(type, AI_SPAN("image"));
}

/* Content in parts: [{"type":"text","text":"..."}, ...].  Sound and files
 * count nothing. */
static int add_parts(struct ai_chat_sum *c, struct ai_value parts,
		     struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part, text;

	ai_json_iter_init(&it, parts);
	while (ai_json_next(&it, NULL, &part)) {
		text = ai_json_get(part, "text");
		if (text.kind == AI_STRING &&
		    ai_chat_add_string(c, text, err) < 0)
			return -1;
		if (is_image(part) &&
		    add_image(c, part, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- messages ----------------------------------------------------------------- */

/* Calls of tools and the like count as their JSON, which is about what is
 * sent. */
static int add_member(struct ai_chat_sum *c, struct ai_value key,
		      struct ai_value v, struct ai_err *err)
{
	if (v.kind == AI_NULL)
		return 0;
	if (v.kind == AI_STRING) {
		if (ai_json_is(key, AI_SPAN("name")))
			c->frame += c->rule->name;
		if (ai_json_is(key, AI_SPAN("role")) && !c->rule->roles)
			return 0;
		return ai_chat_add_string(c, v, err);
	}
	if (v.kind == AI_ARRAY && ai_json_is(key, AI_SPAN("content")))
		return add_parts(c, v, err);
	return ai_chat_add_bytes(c, v.s.p, v.s.n, 0, err);
}

static int add_message(struct ai_chat_sum *c, struct ai_value message,
		       struct ai_err *err)
{
	struct ai_value role = ai_json_get(message, "role"), key, v;
	struct ai_json_iter it;

	if (!c->rule->plain_system || !(ai_json_is(role, AI_SPAN("system")) ||
					ai_json_is(role, AI_SPAN("developer"))))
		c->frame += c->rule->message;
	ai_json_iter_init(&it, message);
	while (ai_json_next(&it, &key, &v))
		if (add_member(c, key, v, err) < 0)
			return -1;
	return 0;
}

static int add_messages(struct ai_chat_sum *c, struct ai_value messages,
			struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value message;
	size_t n = 0;

	c->frame = c->rule->answer;
	ai_json_iter_init(&it, messages);
	for (; ai_json_next(&it, NULL, &message); n++) {
		if (message.kind != AI_OBJECT)
			return ai_err_set(err, AI_E_RECORD,
					  "message %zu is no object", n);
		if (add_message(c, message, err) < 0)
			return -1;
	}
	return 0;
}

#define TOOLS_SLACK 150

static void add_slack(struct ai_range *r, int64_t sum, unsigned slack)
{
	size_t n = sum > 0 ? (size_t)sum : 0;
	size_t part = (n * slack + 999) / 1000;

	r->low += n - part;
	r->count += n;
	r->high += n + part;
}

/* What the rule says, as sure as it is. */
static void add_frame(const struct ai_chat_sum *c, struct ai_range *r)
{
	unsigned slack = c->rule->slack;

	add_slack(r, c->frame, slack);
	add_slack(r, c->tools, slack > TOOLS_SLACK ? slack : TOOLS_SLACK);
	r->low += c->media.low;
	r->count += c->media.count;
	r->high += c->media.high;
}

int ai_chat_count(const struct ai_chat *chat, struct ai_value messages,
		  struct ai_value tools, struct ai_buf *text,
		  struct ai_range *range, struct ai_err *err)
{
	struct ai_chat_sum c = { .chat = chat, .rule = rule_of(chat->model),
				 .text = text };

	if (add_messages(&c, messages, err) < 0 ||
	    ai_chat_add_tools(&c, tools, err) < 0)
		return -1;
	*range = ai_estimate_of(&c.texts, chat->kin);
	add_frame(&c, range);
	return 0;
}

int ai_chat_tokens(const struct ai_bpe *bpe, unsigned flags,
		   struct ai_value messages, struct ai_buf *text,
		   size_t *count, struct ai_err *err)
{
	const struct ai_chat chat = { bpe, flags, NULL, NULL };
	struct ai_chat_sum c = { .chat = &chat, .rule = rules, .text = text };

	if (add_messages(&c, messages, err) < 0)
		return -1;
	*count = ai_estimate_of(&c.texts, NULL).count + (size_t)c.frame;
	return 0;
}

/* ---- what is no text -------------------------------------------------------- */

static void look_at_part(struct ai_value part, struct ai_media *m)
{
	struct ai_value type = ai_json_get(part, "type");

	if (ai_json_is(type, AI_SPAN("text")) ||
	    ai_json_is(type, AI_SPAN("refusal")))
		return;
	m->n++;
	m->audio = m->audio || ai_json_is(type, AI_SPAN("input_audio"));
}

struct ai_media ai_chat_media(struct ai_value messages)
{
	struct ai_media m = { 0, false };
	struct ai_json_iter all, parts;
	struct ai_value message, part;

	ai_json_iter_init(&all, messages);
	while (ai_json_next(&all, NULL, &message)) {
		part = ai_json_get(message, "content");
		if (part.kind != AI_ARRAY)
			continue;
		ai_json_iter_init(&parts, part);
		while (ai_json_next(&parts, NULL, &part))
			look_at_part(part, &m);
	}
	return m;
}
