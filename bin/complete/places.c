/* places.c: where models are, from one record to the next. */
#include "complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_KEPT 16

static void place_free(struct complete_place *p)
{
	ai_endpoint_release(&p->endpoint);
	ai_bpe_close(p->bpe);
	free(p);
}

/* Records may name a new model each: those that nobody uses go. */
static void forget(struct complete_place **all)
{
	struct complete_place **at = all, *p;
	size_t n = 0;

	while ((p = *at) != NULL) {
		if (++n <= PLACES_KEPT || p->users > 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		place_free(p);
	}
}

static struct complete_place *place_new(const char *model, struct ai_err *err)
{
	struct complete_place *p = calloc(1, sizeof *p);

	if (p == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	if (ai_endpoint_init(&p->endpoint, model, err) < 0) {
		place_free(p);
		return NULL;
	}
	snprintf(p->model, sizeof p->model, "%s", model);
	return p;
}

struct complete_place *complete_place_take(struct complete_place **all,
					   const char *model,
					   struct ai_err *err)
{
	struct complete_place *p = *all;

	while (p != NULL && strcmp(p->model, model) != 0)
		p = p->next;
	if (p == NULL) {
		p = place_new(model, err);
		if (p == NULL)
			return NULL;
		p->next = *all;
		*all = p;
	}
	p->users++;
	forget(all);
	return p;
}

void complete_place_give(struct complete_place *p)
{
	if (p != NULL)
		p->users--;
}

void complete_places_release(struct complete_place **all)
{
	struct complete_place *p;

	while ((p = *all) != NULL) {
		*all = p->next;
		place_free(p);
	}
}
