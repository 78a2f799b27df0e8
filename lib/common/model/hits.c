/* hits.c: answers from the cache, on their way into the books. */
#include "model/exchange.h"

#include <string.h>

void ai_hits_book(struct ai_client *c)
{
	if (c->n_hits > 0)
		ai_payer_hits(&c->payer, c->hits, c->n_hits);
	c->n_hits = 0;
}

/* Where it is counted; NULL: there is no room. */
static struct ai_hit *hit_of(struct ai_client *c,
			     const struct ai_labels *labels, int64_t saved)
{
	struct ai_hit *h = c->hits;
	size_t i;

	for (i = 0; i < c->n_hits; i++)
		if (memcmp(&h[i].labels, labels, sizeof *labels) == 0 &&
		    h[i].saved <= AI_LEDGER_AMOUNT_MAX - saved)
			return &h[i];
	if (i == AI_HITS_MAX)
		return NULL;
	h[i] = (struct ai_hit){ .labels = *labels };
	c->n_hits++;
	return &h[i];
}

void ai_hits_add(struct ai_client *c, const struct ai_tariff *t,
		 int64_t saved)
{
	struct ai_hit *h = hit_of(c, &t->labels, saved);

	if (h == NULL) {
		ai_hits_book(c);
		h = hit_of(c, &t->labels, saved);
	}
	h->hits++;
	h->saved += saved;
}

void ai_hits_count(struct ai_exchange *x)
{
	const struct ai_tariff *t = &x->e->tariff;

	ai_hits_add(x->client, t, x->pay.meter == NULL ? 0 :
		    ai_tariff_cost(t, x->pay.meter));
}
