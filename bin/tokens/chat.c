/*
 * chat.c: the tokens of chat messages by the rule that OpenAI's cookbook
 * gives for its models since 2023: 3 a message, the tokens of each value, 1
 * for a name, and 3 for the beginning of the answer.  What the provider
 * counts may differ by a few, so these counts never claim to be exact.
 */
#include "tokens.h"

#define A_MESSAGE 3
#define A_NAME 1
#define THE_ANSWER 3

static int count_string(struct tokens_worker *w, struct ai_value v,
			size_t *sum, struct ai_err *err)
{
	size_t n;

	ai_buf_clear(&w->text);
	if (ai_json_text(v, &w->text) < 0)
		return ai_buf_check(&w->text, "the text", err);
	if (ai_bpe_count(w->bpe, w->text.p, w->text.len, tokens_flags(), &n,
			 err) < 0)
		return -1;
	*sum += n;
	return 0;
}

/* Content in parts: [{"type":"text","text":"..."}, ...]. Pictures and sound
 * have no text and count nothing. */
static int count_parts(struct tokens_worker *w, struct ai_value parts,
		       size_t *sum, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value part, text;

	ai_json_iter_init(&it, parts);
	while (ai_json_next(&it, NULL, &part)) {
		text = ai_json_get(part, "text");
		if (text.kind == AI_STRING &&
		    count_string(w, text, sum, err) < 0)
			return -1;
	}
	return 0;
}

/* Calls of tools and the like: their JSON, which is about what is sent. */
static int count_json(struct tokens_worker *w, struct ai_value v, size_t *sum,
		      struct ai_err *err)
{
	size_t n;

	if (ai_bpe_count(w->bpe, v.s.p, v.s.n, 0, &n, err) < 0)
		return -1;
	*sum += n;
	return 0;
}

static int count_member(struct tokens_worker *w, struct ai_value key,
			struct ai_value v, size_t *sum, struct ai_err *err)
{
	if (v.kind == AI_NULL)
		return 0;
	if (v.kind == AI_STRING) {
		if (ai_json_is(key, AI_SPAN("name")))
			*sum += A_NAME;
		return count_string(w, v, sum, err);
	}
	if (v.kind == AI_ARRAY && ai_json_is(key, AI_SPAN("content")))
		return count_parts(w, v, sum, err);
	return count_json(w, v, sum, err);
}

int tokens_chat(struct tokens_worker *w, struct ai_value messages,
		size_t *count, struct ai_err *err)
{
	struct ai_json_iter all, one;
	struct ai_value message, key, v;
	size_t n = 0;

	*count = THE_ANSWER;
	ai_json_iter_init(&all, messages);
	for (; ai_json_next(&all, NULL, &message); n++) {
		if (message.kind != AI_OBJECT)
			return ai_err_set(err, AI_E_RECORD,
					  "message %zu is no object", n);
		*count += A_MESSAGE;
		ai_json_iter_init(&one, message);
		while (ai_json_next(&one, &key, &v))
			if (count_member(w, key, v, count, err) < 0)
				return -1;
	}
	return 0;
}
