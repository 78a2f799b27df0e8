/* place.c: calls that wait for their turn at a provider (model/pace.h). */
#include "model/exchange.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_KEPT 16

static bool is_of(const struct ai_place *p, const struct ai_endpoint *e)
{
	size_t n = strlen(e->base);

	return strncmp(p->name, e->base, n) == 0 && p->name[n] == ' ' &&
	       strcmp(p->name + n + 1, e->model) == 0;
}

/* Records may name a new model each: those that nobody uses go. */
static void forget_places(struct ai_client *c)
{
	struct ai_place **at = &c->places, *p;
	size_t n = 0;

	while ((p = *at) != NULL) {
		if (++n <= PLACES_KEPT || p->users > 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

static struct ai_place *find_place(struct ai_client *c,
				   const struct ai_endpoint *e)
{
	size_t n = strlen(e->base) + 1 + strlen(e->model) + 1;
	struct ai_place *p;

	for (p = c->places; p != NULL; p = p->next)
		if (is_of(p, e))
			return p;
	p = calloc(1, sizeof *p + n);
	if (p == NULL)
		return NULL;
	snprintf(p->name, n, "%s %s", e->base, e->model);
	p->next = c->places;
	c->places = p;
	forget_places(c);
	return p;
}

void ai_place_again(struct ai_exchange *x)
{
	x->stage = EXCHANGE_QUEUE;
	x->queued_s = ai_clock_s();
	x->due_s = ai_run_end();
}

int ai_place_begin(struct ai_client *c, struct ai_exchange *x,
		   struct ai_err *err)
{
	x->place = find_place(c, x->e);
	if (x->place == NULL)
		return ai_err_nomem(err);
	x->place->users++;
	ai_place_again(x);
	return 0;
}

/* What all calls together hold in the ledger, at their worst. */
static int64_t held(const struct ai_client *c)
{
	__int128 sum = 0;

	for (const struct ai_exchange *x = c->under_way; x; x = x->next)
		if (x->payment.reserved)
			sum += x->payment.worst;
	return sum < INT64_MAX ? (int64_t)sum : INT64_MAX;
}

bool ai_place_hold(struct ai_client *c, struct ai_exchange *x)
{
	if (x->pay.held == 0 || c->stopping || held(c) < x->pay.held)
		return false;
	ai_place_leave(x, AI_PACE_OTHER);
	ai_place_again(x);
	x->stage = EXCHANGE_HELD;
	return true;
}

void ai_place_unhold(struct ai_client *c, size_t ended)
{
	bool all = held(c) == 0;

	/* As many as have ended, and one more: worst cases are alike, and to ask
	 * for all of them each time would be to ask for all, each time. */
	if (ended == 0 && !all)
		return;
	for (struct ai_exchange *x = c->under_way; x != NULL; x = x->next)
		if (x->stage == EXCHANGE_HELD && (all || ended-- > 0)) {
			x->stage = EXCHANGE_QUEUE;
			c->unheld = true;
		}
}

void ai_place_admit(struct ai_client *c)
{
	double now = ai_clock_s();

	c->unheld = false;
	for (struct ai_exchange *x = c->under_way; x != NULL; x = x->next) {
		if (x->stage != EXCHANGE_QUEUE)
			continue;
		if (ai_run_is_over("this was sent", &x->err)) {
			x->stage = EXCHANGE_OVER;
			x->rc = -1;
			continue;
		}
		x->entered = ai_pace_enter(&x->place->pace, &x->round);
		if (!x->entered)
			continue;
		x->stage = EXCHANGE_RESERVE;
		/* Its own time does not run while it lets others go first. */
		x->retry.deadline += now - x->queued_s;
		ai_run_bound(x);
	}
}

void ai_place_leave(struct ai_exchange *x, enum ai_pace_end how)
{
	if (x->entered)
		ai_pace_leave(&x->place->pace, x->round, how);
	x->entered = false;
}

void ai_place_end(struct ai_exchange *x)
{
	if (x->place == NULL)
		return;
	ai_place_leave(x, AI_PACE_OTHER);
	x->place->users--;
	x->place = NULL;
}

void ai_place_free(struct ai_client *c)
{
	struct ai_place *p;

	while ((p = c->places) != NULL) {
		c->places = p->next;
		free(p);
	}
}
