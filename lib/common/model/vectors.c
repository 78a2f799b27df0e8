/*
 * vectors.c: providers that make vectors and nothing else, Voyage (after the
 * types of voyageai 0.4.0) and Jina (after its own description of its API).
 * Both answer as OpenAI does; what a text is to be is asked for in words of
 * their own.
 */
#include "model/wire.h"

static void put_begin(const struct ai_embed_request *q, struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "model", q->model);
	ai_wire_put_texts(b, "input", q->texts, q->n);
}

/* Without truncation it says so where a text is too long. */
static void put_voyage(const struct ai_embed_request *q, struct ai_buf *b)
{
	put_begin(q, b);
	ai_wire_put_input_type(b, "input_type", q->type, "document", "query");
	ai_wire_put_bool(b, "truncation", false);
	if (q->dim > 0)
		ai_wire_put_i64(b, "output_dimension", (int64_t)q->dim);
	ai_wire_put_cstr(b, "encoding_format", "base64");
	ai_put_close(b, '}');
}

static void put_jina(const struct ai_embed_request *q, struct ai_buf *b)
{
	put_begin(q, b);
	ai_wire_put_input_type(b, "task", q->type, "retrieval.passage",
			       "retrieval.query");
	if (q->dim > 0)
		ai_wire_put_i64(b, "dimensions", (int64_t)q->dim);
	ai_wire_put_cstr(b, "embedding_type", "base64");
	ai_wire_put_bool(b, "truncate", false);
	ai_put_close(b, '}');
}

static int no_chat(const struct ai_chat_request *q, struct ai_buf *b,
		   struct ai_err *err)
{
	(void)q;
	(void)b;
	return ai_err_set(err, AI_E_CONFIG, "this provider makes vectors, and "
			  "answers no chats: use it with ai-embed");
}

static int no_answer(const char *p, size_t n, struct ai_chat_answer *a,
		     struct ai_err *err)
{
	(void)p;
	(void)n;
	(void)a;
	return ai_err_set(err, AI_E_ANSWER, "this provider answers no chats");
}

/* {"detail": ...}, {"error": ...}: whatever the servers that speak like
 * OpenAI's have. */
static bool get_error(const char *p, size_t n, struct ai_wire_error *e)
{
	return ai_wire_openai.get_error(p, n, e);
}

#define COMMON                                                  \
	.root = "/v1", .auth = AI_AUTH_BEARER,                  \
	.framing = AI_FRAMING_NONE, .path = "/chat/completions", \
	.put_chat = no_chat, .get_chat = no_answer,             \
	.get_error = get_error

/* How much goes into one request stands in their guides; of Voyage's models
 * this is what the one with the least takes. */
const struct ai_wire ai_wire_voyage = {
	COMMON,
	.name = "voyage",
	.embed = {
		.path = "/embeddings", .max = 1000, .max_tokens = 120000,
		.types = true, .list = "data", .vector = "embedding",
		.usage = "usage", .tokens = "usage.total_tokens",
	},
	.put_embed = put_voyage,
};

const struct ai_wire ai_wire_jina = {
	COMMON,
	.name = "jina",
	.embed = {
		.path = "/embeddings", .max = 2048, .max_tokens = 300000,
		.types = true, .list = "data", .vector = "embedding",
		.usage = "usage", .tokens = "usage.total_tokens",
	},
	.put_embed = put_jina,
};
