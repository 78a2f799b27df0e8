/*
 * wire.h: what a program asks of a model, and how a provider writes it.
 *
 * A wire format is one const struct ai_wire in a file of its own: it turns
 * requests into JSON and answers back.  It sees no network, no key and no
 * clock; model/client.h brings those together.
 */
#ifndef AI_MODEL_WIRE_H
#define AI_MODEL_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/chat_tokens.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_CHAT_UNSET INT64_MIN /* no limit, no seed */
#define AI_EMBED_TEXTS_MAX 2048

/* One message: either a role and a text, or an object as the record has it. */
struct ai_chat_message {
	const char *role; /* "system", "user"; NULL: raw */
	struct ai_span text;
	struct ai_value raw;
};

struct ai_chat_request {
	const char *model;
	const struct ai_chat_message *messages;
	size_t n_messages;
	int64_t max_tokens;       /* AI_CHAT_UNSET: not sent */
	bool may_shorten;         /* max_tokens is nobody's wish: the budget of
				   * a request may lower it */
	const char *max_tokens_name; /* NULL: as the provider's own server has
				      * it; older servers want "max_tokens" */
	struct ai_media media;     /* what is in the raw messages */
	double temperature, top_p; /* NAN: not sent */
	int64_t seed;              /* AI_CHAT_UNSET: not sent */
	const struct ai_span *stop;
	size_t n_stop;
};

/*
 * Tokens; -1 where the provider told nothing.  input counts all of the
 * input: cached_read and cache_write are parts of it, as reasoning is a part
 * of output.
 */
struct ai_usage {
	int64_t input, cached_read, cache_write, output, reasoning;
};

struct ai_chat_answer {
	struct ai_buf text;
	char model[128];        /* as the provider names it; "" if it does not */
	char finish_reason[32]; /* "stop", "length", ...; "" if not told */
	bool refusal;           /* text says why the model would not answer */
	char tool[64];          /* the first tool it calls; "" */
	struct ai_usage usage;
};

void ai_chat_answer_init(struct ai_chat_answer *a, size_t max_text);
void ai_chat_answer_release(struct ai_chat_answer *a);

struct ai_embed_request {
	const char *model;
	const struct ai_span *texts; /* UTF-8, none empty */
	size_t n;                    /* 1 to AI_EMBED_TEXTS_MAX */
	size_t dim;                  /* 0: as the model has it */
};

struct ai_embed_answer {
	float *vectors; /* n rows of dim, in the order of the texts; owned */
	size_t n, dim;
	int64_t tokens; /* of the whole request; -1: not told */
};

void ai_embed_answer_release(struct ai_embed_answer *a);

/* What the body of a failed request says. */
struct ai_wire_error {
	long status;       /* that the body names, or 0 */
	char message[256]; /* one line; "" if there is none */
	char code[64];     /* "insufficient_quota", ...; "" */
	char param[64];    /* the member of the request it is about; "" */
};

struct ai_wire {
	const char *name;       /* "openai" */
	const char *chat_path;  /* behind the base address: "/chat/completions" */
	const char *embed_path;
	const char *auth;       /* header before the key: "Authorization: Bearer " */

	/* Requests: appended to out, which the caller checks. */
	void (*put_chat)(const struct ai_chat_request *q, struct ai_buf *out);
	void (*put_embed)(const struct ai_embed_request *q,
			  struct ai_buf *out);
	/*
	 * Answers, from bytes of unknown quality: 0, or -1 with AI_E_ANSWER
	 * (or AI_E_MEMORY, AI_E_TOO_LONG), the message saying what is wrong.
	 */
	int (*get_chat)(const char *p, size_t n, struct ai_chat_answer *a,
			struct ai_err *err);
	int (*get_embed)(const char *p, size_t n,
			 const struct ai_embed_request *q,
			 struct ai_embed_answer *a, struct ai_err *err);
	/* Whether the body is an error's; if so, what it says. */
	bool (*get_error)(const char *p, size_t n, struct ai_wire_error *e);
};

extern const struct ai_wire ai_wire_openai;

/*
 * Copies text for a message: control bytes and runs of blanks become one
 * blank, what does not fit is cut at a character with "..." behind it.
 */
void ai_wire_clean(struct ai_span text, char *out, size_t size);

#endif
