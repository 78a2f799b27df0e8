/*
 * remote.c: vectors from a provider, many texts a request.
 *
 * A batch of records becomes as few requests as its bytes allow.  Where the
 * provider refuses a request because of one text, it is asked again with each
 * half, so that only the bad text's record fails.
 */
#include "embed.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

/* Of text in one request. OpenAI takes 300,000 tokens, and a token is hardly
 * ever less than a byte. */
#define REQUEST_BYTES ((size_t)256 << 10)
/* So many texts refused one by one and none taken: it is not the texts. */
#define ALL_REFUSED 4

struct item {
	struct ai_rec *rec;
	size_t at, n; /* its text, in remote.text */
	bool failed;
	struct ai_err why;
};

struct remote {
	struct ai_client *client;
	struct ai_buf text;
	struct item items[AI_EMBED_TEXTS_MAX];
	struct item *todo[AI_EMBED_TEXTS_MAX]; /* those that have a text */
	struct ai_span spans[AI_EMBED_TEXTS_MAX];
	size_t refused, taken; /* within this batch */
};

static struct ai_endpoint endpoint;

int embed_remote_init(struct ai_err *err)
{
	ai_client_run_begins();
	return ai_endpoint_init(&endpoint, embed_settings.model, err);
}

void embed_remote_release(void)
{
	ai_endpoint_release(&endpoint);
}

int embed_remote_open(void **state, struct ai_err *err)
{
	struct remote *r = calloc(1, sizeof *r);

	if (r == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&r->text, SIZE_MAX / 2);
	r->client = ai_client_new(err);
	if (r->client == NULL) {
		free(r);
		return -1;
	}
	*state = r;
	return 0;
}

void embed_remote_close(void *state)
{
	struct remote *r = state;

	ai_client_free(r->client);
	ai_buf_release(&r->text);
	free(r);
}

static void fail_all(struct item *const *items, size_t n,
		     const struct ai_err *why)
{
	for (size_t i = 0; i < n; i++) {
		items[i]->failed = true;
		items[i]->why = *why;
	}
}

static void take_answer(struct item *const *items, size_t n,
			const struct ai_embed_answer *a)
{
	for (size_t i = 0; i < n; i++) {
		float *v = a->vectors + i * a->dim;

		ai_vector_normalise(v, a->dim);
		if (ai_vector_dot(v, v, a->dim) < 0.5f)
			ai_err_set(&items[i]->why, AI_E_ANSWER,
				   "the model gave a vector of length 0");
		else if (embed_set(items[i]->rec, v, a->dim,
				   &items[i]->why) == 0)
			continue;
		items[i]->failed = true;
	}
}

/* Whether asking with fewer texts may help. */
static bool worth_splitting(const struct ai_call *call)
{
	if (call->status != 400 && call->status != 413 && call->status != 422)
		return false;
	return call->param[0] == '\0' ||
	       strncmp(call->param, "input", 5) == 0;
}

static int request(struct remote *r, struct item *const *items, size_t n,
		   struct ai_call *call, struct ai_err *why)
{
	struct ai_embed_request q = {
		.model = endpoint.model, .texts = r->spans, .n = n,
		.dim = (size_t)embed_settings.dim,
	};
	struct ai_embed_answer a;
	int rc;

	for (size_t i = 0; i < n; i++)
		r->spans[i] = (struct ai_span){ r->text.p + items[i]->at,
						items[i]->n };
	rc = ai_client_embed(r->client, &endpoint, &q, &a, call, why);
	if (rc == 0)
		take_answer(items, n, &a);
	ai_embed_answer_release(&a);
	return rc;
}

/* All items of the run get a vector or an error. At most 11 levels deep. */
static void embed_items(struct remote *r, struct item *const *items, size_t n)
{
	struct ai_call call;
	struct ai_err why;

	if (request(r, items, n, &call, &why) == 0) {
		r->taken += n;
		return;
	}
	if (n == 1 || !worth_splitting(&call)) {
		r->refused++;
		fail_all(items, n, &why);
		return;
	}
	embed_items(r, items, n / 2);
	if (r->taken == 0 && r->refused >= ALL_REFUSED)
		fail_all(items + n / 2, n - n / 2, &why);
	else
		embed_items(r, items + n / 2, n - n / 2);
}

/* The texts of the records, and what is wrong with those that have none. */
static size_t gather(struct remote *r, struct ai_rec *const *recs, size_t n)
{
	size_t todo = 0;

	ai_buf_shrink(&r->text, (size_t)1 << 20);
	for (size_t i = 0; i < n; i++) {
		struct item *it = &r->items[i];

		it->rec = recs[i];
		it->at = r->text.len;
		it->failed = embed_text(recs[i], &r->text, &it->why) < 0;
		it->n = r->text.len - it->at;
		if (!it->failed && it->n == 0)
			it->failed = ai_err_set(&it->why, AI_E_RECORD,
						"the text is empty") < 0;
		if (!it->failed)
			r->todo[todo++] = it;
	}
	return todo;
}

static void embed_todo(struct remote *r, size_t n)
{
	size_t from = 0, bytes = 0, max = endpoint.wire->embed.max;

	r->refused = r->taken = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > from && (bytes + r->todo[i]->n > REQUEST_BYTES ||
				 i - from == max)) {
			embed_items(r, r->todo + from, i - from);
			from = i;
			bytes = 0;
		}
		bytes += r->todo[i]->n;
	}
	if (n > from)
		embed_items(r, r->todo + from, n - from);
}

int embed_remote_many(void *state, struct ai_rec *const *recs, size_t n,
		      struct ai_emit *out, struct ai_err *err)
{
	struct remote *r = state;
	int rc = 0;

	if (n > AI_EMBED_TEXTS_MAX)
		return ai_err_set(err, AI_E_BUG, "%zu records at once", n);
	embed_todo(r, gather(r, recs, n));
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct item *it = &r->items[i];

		rc = it->failed ? ai_emit_fail(out, it->rec, &it->why, err)
				: ai_emit_rec(out, it->rec, err);
	}
	return rc;
}
