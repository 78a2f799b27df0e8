/*
 * chat_tokens.h: what is in chat messages: their tokens, by the rule that OpenAI's
 * cookbook gives for its models since 2023: 3 a message, the tokens of each
 * value, 1 for a name, and 3 for the beginning of the answer.  What a
 * provider counts may differ by a few.
 */
#ifndef AI_MODEL_CHAT_TOKENS_H
#define AI_MODEL_CHAT_TOKENS_H

#include "base/buf.h"
#include "base/err.h"
#include "record/json.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * How many tokens an array of messages makes.  flags: of ai_bpe_count().
 * text is for the values as they are decoded, and is changed.  AI_E_RECORD:
 * a message is no object.
 */
int ai_chat_tokens(const struct ai_bpe *bpe, unsigned flags,
		   struct ai_value messages, struct ai_buf *text,
		   size_t *count, struct ai_err *err);

/* What is not text in an array of messages: pictures, sound, files. */
struct ai_media {
	size_t n;
	bool audio; /* sound is among them */
};
struct ai_media ai_chat_media(struct ai_value messages);

#endif
