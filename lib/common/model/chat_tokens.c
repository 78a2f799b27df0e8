#include "model/chat_tokens.h"

#define A_MESSAGE 3
#define A_NAME 1
#define THE_ANSWER 3

struct chat {
	const struct ai_bpe *bpe;
	unsigned flags;
	struct ai_buf *text;
	size_t sum;
};

static int count_bytes(struct chat *c, const char *p, size_t n,
		       unsigned flags, struct ai_err *err)
{
	size_t tokens;

	if (ai_bpe_count(c->bpe, p, n, flags, &tokens, err) < 0)
		return -1;
	c->sum += tokens;
	return 0;
}

static int count_string(struct chat *c, struct ai_value v, struct ai_err *err)
{
	ai_buf_clear(c->text);
	if (ai_json_text(v, c->text) < 0)
		return ai_buf_check(c->text, "the text", err);
	return count_bytes(c, c->text->p, c->text->len, c->flags, err);
}

/* Content in parts: [{"type":"text","text":"..."}, ...]. Pictures and sound
 * have no text and count nothing. */
static int count_parts(struct chat *c, struct ai_value parts,
		       struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part, text;

	ai_json_iter_init(&it, parts);
	while (ai_json_next(&it, NULL, &part)) {
		text = ai_json_get(part, "text");
		if (text.kind == AI_STRING && count_string(c, text, err) < 0)
			return -1;
	}
	return 0;
}

/* Calls of tools and the like count as their JSON, which is about what is
 * sent. */
static int count_member(struct chat *c, struct ai_value key,
			struct ai_value v, struct ai_err *err)
{
	if (v.kind == AI_NULL)
		return 0;
	if (v.kind == AI_STRING) {
		if (ai_json_is(key, AI_SPAN("name")))
			c->sum += A_NAME;
		return count_string(c, v, err);
	}
	if (v.kind == AI_ARRAY && ai_json_is(key, AI_SPAN("content")))
		return count_parts(c, v, err);
	return count_bytes(c, v.s.p, v.s.n, 0, err);
}

int ai_chat_tokens(const struct ai_bpe *bpe, unsigned flags,
		   struct ai_value messages, struct ai_buf *text,
		   size_t *count, struct ai_err *err)
{
	struct chat c = { bpe, flags, text, THE_ANSWER };
	struct ai_json_iter all, one;
	struct ai_value message, key, v;
	size_t n = 0;

	ai_json_iter_init(&all, messages);
	for (; ai_json_next(&all, NULL, &message); n++) {
		if (message.kind != AI_OBJECT)
			return ai_err_set(err, AI_E_RECORD,
					  "message %zu is no object", n);
		c.sum += A_MESSAGE;
		ai_json_iter_init(&one, message);
		while (ai_json_next(&one, &key, &v))
			if (count_member(&c, key, v, err) < 0)
				return -1;
	}
	*count = c.sum;
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
