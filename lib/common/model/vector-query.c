/*
 * vector-query.c: vectors of many texts in one request, and those that were
 * paid for once and are kept.
 *
 * What is kept of one vector: what it cost (its share of the request, by its
 * bytes), its dimension, and its floats as the provider gave them.
 */
#include "model/exchange.h"

#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MARK 0x31564941u /* "AIV1" */

struct kept {
	uint32_t mark, dim;
	int64_t cost; /* nano-dollars; the machine's order of bytes, as the
		       * ledger's file is of one machine */
};

static const struct ai_media no_media;

/* ---- what is kept -------------------------------------------------------- */

int ai_vector_key(const struct ai_endpoint *e,
		  const struct ai_embed_request *q, struct ai_buf *room,
		  unsigned char key[AI_CACHE_KEY], struct ai_err *err)
{
	const struct ai_labels *l = &e->tariff.labels;
	struct ai_embed_request one = *q;
	struct ai_buf url = AI_BUF_INIT(4 * AI_MODEL_NAME_MAX + 64);
	char dim[32];
	int rc;

	one.n = 1;
	ai_buf_clear(room);
	e->wire->put_embed(&one, room);
	ai_wire_put_path(&url, e->wire->embed.path, q->model);
	rc = ai_buf_check(room, "the text", err) < 0 ||
		ai_buf_check(&url, "the address", err) < 0 ? -1 : 0;
	/* It may have been asked without, and cut. */
	snprintf(dim, sizeof dim, "vector %zu", q->dim);
	if (rc == 0)
		ai_cache_key((struct ai_span[]){
			ai_span_of(dim), ai_span_of(e->base),
			{ url.p, url.len }, ai_span_of(e->query),
			ai_span_of(l->tenant), ai_span_of(l->user),
			{ room->p, room->len } }, 7, key);
	ai_buf_release(&url);
	return rc;
}

/* The vectors of an answer, each with its share of what all cost. */
static void put_kept(struct ai_exchange *x, struct ai_buf *all,
		     struct ai_cache_item *items)
{
	const struct ai_embed_begin *b = &x->embed;
	const struct ai_embed_request *q = b->request;
	const struct ai_embed_answer *a = b->answer;
	const size_t dim = b->keep_dim > 0 && b->keep_dim < a->dim
		? b->keep_dim : a->dim;
	const size_t size = sizeof(struct kept) + dim * sizeof(float);
	struct kept k = { .mark = KEPT_MARK, .dim = (uint32_t)dim };
	int64_t cost = 0;
	double bytes = 0;

	if (ai_meter_read(x->tariff->shape, x->pay.usage, &x->meter,
			  NULL) == 0)
		cost = ai_tariff_cost(x->tariff, &x->meter);
	for (size_t i = 0; i < q->n; i++)
		bytes += (double)q->texts[i].n;
	for (size_t i = 0; i < q->n; i++) {
		k.cost = (int64_t)((double)cost * (double)q->texts[i].n /
				   bytes);
		ai_buf_add(all, (const char *)&k, sizeof k);
		ai_buf_add(all, (const char *)(a->vectors + i * a->dim),
			   dim * sizeof(float));
	}
	for (size_t i = 0; i < q->n && all->bad == AI_E_NONE; i++) {
		memcpy(items[i].key, b->keys[i], AI_CACHE_KEY);
		items[i].answer = (struct ai_span){ all->p + i * size, size };
	}
}

/* That they cannot be kept is no reason to lose them. */
static void keep(struct ai_exchange *x)
{
	struct ai_payer *payer = &x->client->payer;
	struct ai_buf all = AI_BUF_INIT(SIZE_MAX / 2);
	size_t n = x->embed.request->n;
	struct ai_cache_item *items = calloc(n, sizeof *items);
	struct ai_err err;

	if (items != NULL && ai_payer_open(payer, &err) == 0) {
		put_kept(x, &all, items);
		ai_cache_limit(payer->ledger, ai_client.cache_bytes);
		if (all.bad == AI_E_NONE)
			ai_cache_put_many(payer->ledger, items, n,
				(int64_t)(ai_client.cache_ttl_s * 1000),
				x->e->tariff.labels.user, &err);
	}
	free(items);
	ai_buf_release(&all);
}

/* What the cache has is checked like everything that comes from outside. */
static int take_kept(const struct ai_buf *b, struct kept *k, float **v,
		     struct ai_err *err)
{
	if (b->len < sizeof *k)
		return 0;
	memcpy(k, b->p, sizeof *k);
	if (k->mark != KEPT_MARK || k->dim == 0 || k->cost < 0 ||
	    k->dim > AI_VECTOR_DIM_MAX ||
	    b->len != sizeof *k + k->dim * sizeof(float))
		return 0;
	*v = malloc(k->dim * sizeof(float));
	if (*v == NULL)
		return ai_err_nomem(err);
	memcpy(*v, b->p + sizeof *k, k->dim * sizeof(float));
	return 1;
}

int ai_client_kept_vector(struct ai_client *c, const struct ai_endpoint *e,
			  const unsigned char key[AI_CACHE_KEY], float **v,
			  size_t *dim, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AI_CACHE_VALUE);
	struct kept k;
	int rc = ai_payer_open(&c->payer, err);

	if (rc == 0)
		rc = ai_cache_get(c->payer.ledger, key, &b, err);
	if (rc > 0)
		rc = take_kept(&b, &k, v, err);
	ai_buf_release(&b);
	if (rc <= 0)
		return rc;
	*dim = k.dim;
	ai_hits_add(c, &e->tariff, k.cost);
	return 1;
}

/* ---- asking -------------------------------------------------------------- */

static int take_embed(struct ai_exchange *x, struct ai_err *err)
{
	const struct ai_wire *wire = x->e->wire;
	const char *p = ai_buf_cstr(&x->answer.body);
	size_t n = x->answer.body.len;
	struct ai_value v;

	if (ai_json_check(p, n, &v, NULL) == 0)
		x->pay.usage = ai_json_get(v, wire->embed.usage);
	ai_embed_answer_release(x->embed.answer);
	if (ai_wire_get_embed(wire, p, n, x->embed.request, x->embed.answer,
			      err) < 0)
		return -1;
	if (x->embed.keys != NULL)
		keep(x);
	return 0;
}

int ai_client_begin_embed(struct ai_client *c, const struct ai_embed_begin *b,
			  struct ai_err *err)
{
	const struct ai_endpoint *e = b->endpoint;
	struct ai_exchange *x;

	*b->answer = (struct ai_embed_answer){ NULL, 0, 0, -1 };
	*b->call = (struct ai_call){ .ttft_s = -1 };
	if (e->wire->embed.path == NULL)
		return ai_err_set(err, AI_E_CONFIG, "%.100s makes no vectors",
				  e->provider);
	x = ai_exchange_new(c, e, err);
	if (x == NULL)
		return -1;
	x->take = take_embed;
	x->embed = *b;
	ai_wire_put_path(&x->url, e->wire->embed.path, b->request->model);
	ai_buf_clear(&x->body);
	e->wire->put_embed(b->request, &x->body);
	return ai_query_go(c, x, no_media, b->call, b->done, b->arg, err);
}
