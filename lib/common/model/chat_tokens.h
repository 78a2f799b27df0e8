/*
 * chat_tokens.h: what is in chat messages: their tokens, by the rules that
 * vendors publish or that were measured on their answers.
 *
 * OpenAI's, since 2023: 3 a message, the tokens of each value, 1 for a name,
 * and 3 for the beginning of the answer.  Anthropic's and Google's messages
 * have a frame, too, and their roles no tokens of their own.  Tools are told
 * to a model in a form that no vendor publishes; pictures count by their size
 * (model/image_tokens.h).  What a provider counts may differ by a few.
 */
#ifndef AI_MODEL_CHAT_TOKENS_H
#define AI_MODEL_CHAT_TOKENS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/estimate.h"
#include "record/json.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stddef.h>

/* For whom is counted, and in what. */
struct ai_chat {
	const struct ai_bpe *bpe;
	unsigned flags;           /* of ai_bpe_count() */
	const char *model;        /* or NULL: gpt-4o */
	const struct ai_kin *kin; /* NULL: bpe is the model's own encoding */
};

/*
 * How many tokens an array of messages and one of tools (AI_NONE, AI_NULL:
 * none) make.  text is for the values as they are decoded, and is changed.
 * AI_E_RECORD: a message or a tool is no object, or tools no array.
 */
int ai_chat_count(const struct ai_chat *chat, struct ai_value messages,
		  struct ai_value tools, struct ai_buf *text,
		  struct ai_range *range, struct ai_err *err);

/* The same for messages alone, by OpenAI's rule, without pictures. */
int ai_chat_tokens(const struct ai_bpe *bpe, unsigned flags,
		   struct ai_value messages, struct ai_buf *text,
		   size_t *count, struct ai_err *err);

/* What is not text in an array of messages: pictures, sound, files. */
struct ai_media {
	size_t n;
	bool audio; /* sound is among them */
};
struct ai_media ai_chat_media(struct ai_value messages);

/* ---- for chat_tokens.c and tool_tokens.c only ------------------------------ */

/* What stands around the texts, in tokens. */
struct ai_chat_rule {
	const char *stem; /* in the model's name; NULL: all others */
	uint8_t answer, message, name;
	bool roles;       /* a role counts as a value */
	bool plain_system; /* a system message has no frame */
	/* All tools together, each, its parameters if any, each of them, a
	 * list of values, each value. */
	int16_t tools, tool, parameters, parameter, list, value;
	uint16_t slack;   /* thousandths: how sure all this is; of tools, no
			   * rule is surer than TOOLS_SLACK */
};

struct ai_chat_sum {
	const struct ai_chat *chat;
	const struct ai_chat_rule *rule;
	struct ai_buf *text;
	struct ai_estimate texts;
	int64_t frame;      /* of the messages, by the rule */
	int64_t tools;      /* of the tools */
	struct ai_range media;
};

/* Counts the bytes, or a decoded string, as a text of its own. */
int ai_chat_add_bytes(struct ai_chat_sum *c, const char *p, size_t n,
		      unsigned flags, struct ai_err *err);
int ai_chat_add_string(struct ai_chat_sum *c, struct ai_value v,
		       struct ai_err *err);
int ai_chat_add_tools(struct ai_chat_sum *c, struct ai_value tools,
		      struct ai_err *err);

#endif
