#include "base/tally.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 64 /* a power of two, as all sizes */

void ai_tally_release(struct ai_tally *t)
{
	free(t->v);
	*t = (struct ai_tally){ NULL, 0, 0 };
}

/* The row of the key, or the free one where it belongs. */
static struct ai_tally_row *row_of(const struct ai_tally *t,
				   const unsigned char *key)
{
	uint64_t at;

	memcpy(&at, key, sizeof at);
	for (;; at++) {
		struct ai_tally_row *r = &t->v[at & (t->cap - 1)];

		if (r->n == 0 || memcmp(r->key, key, AI_TALLY_KEY) == 0)
			return r;
	}
}

static int grow(struct ai_tally *t, struct ai_err *err)
{
	struct ai_tally more = { NULL, t->n, t->cap == 0 ? FIRST_ROWS
							 : 2 * t->cap };

	more.v = calloc(more.cap, sizeof *more.v);
	if (more.v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->cap; i++)
		if (t->v[i].n > 0)
			*row_of(&more, t->v[i].key) = t->v[i];
	free(t->v);
	*t = more;
	return 0;
}

int64_t ai_tally_add(struct ai_tally *t, const unsigned char key[AI_TALLY_KEY],
		     struct ai_err *err)
{
	struct ai_tally_row *r;

	if (4 * t->n >= 3 * t->cap && grow(t, err) < 0)
		return -1;
	r = row_of(t, key);
	if (r->n == 0) {
		memcpy(r->key, key, AI_TALLY_KEY);
		t->n++;
	} else if (r->n == UINT32_MAX) {
		return ai_err_set(err, AI_E_TOO_LONG,
				  "the same came four billion times");
	}
	return r->n++;
}
