/* ledger-many.c: several requests of one process in one transaction. */
#include "store/ledger-int.h"

#include <stdlib.h>
#include <string.h>

static void fill(struct ledger_item *it, const struct ai_ledger *l,
		 const struct ai_ledger_op *op)
{
	static const enum ledger_what what[] = {
		[AI_LEDGER_RESERVE] = LEDGER_DO_RESERVE,
		[AI_LEDGER_SENT] = LEDGER_DO_SENT,
		[AI_LEDGER_POST] = LEDGER_DO_POST,
		[AI_LEDGER_VOID] = LEDGER_DO_VOID,
		[AI_LEDGER_START] = LEDGER_DO_START,
		[AI_LEDGER_ANSWER] = LEDGER_DO_ANSWER,
		[AI_LEDGER_HIT] = LEDGER_DO_HIT,
	};

	/* All but the request, of which only what there is is copied. */
	it->code = AI_E_NONE;
	it->why[0] = '\0';
	memset(&it->out, 0, sizeof(it->out));
	it->what = what[op->what];
	it->now_ms = l->wall_ms();
	it->now_ns = l->boot_ns();
	it->uid = l->uid;
	it->owner = l->owner;
	if (op->what == AI_LEDGER_RESERVE)
		it->in.reserve = op->in.reserve;
	else if (op->what == AI_LEDGER_POST)
		it->in.post = op->in.post;
	else if (op->what == AI_LEDGER_START || op->what == AI_LEDGER_ANSWER)
		it->in.step = op->in.step;
	else if (op->what == AI_LEDGER_HIT)
		it->in.hit = op->in.hit;
	else
		memcpy(it->in.id, op->in.id, AI_LEDGER_ID);
}

static void take(struct ai_ledger_op *op, const struct ledger_item *it)
{
	op->err.code = AI_E_NONE;
	op->out = it->out;
	if (it->code != AI_E_NONE)
		ai_err_set(&op->err, it->code, "%s", it->why);
}

static int run(struct ai_ledger *l, struct ai_ledger_op *const *ops, size_t n,
	       struct ledger_item *items, void **list, struct ai_err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		fill(&items[i], l, ops[i]);
		list[i] = &items[i];
	}
	rc = ledger_together(l, list, n, err);
	for (i = 0; rc == 0 && i < n; i++)
		take(ops[i], &items[i]);
	return rc;
}

/* Whether what dead processes hold may be just what is missing. */
static bool may_sweep(const struct ai_ledger_op *op)
{
	return op->what == AI_LEDGER_RESERVE && op->err.code == AI_E_NONE &&
		op->out.verdict == AI_OVER_BUDGET && op->out.pending > 0;
}

/* What was refused, once more, if the dead gave something back. */
static int again(struct ai_ledger *l, struct ai_ledger_op **ops, size_t n,
		 struct ledger_item *items, void **list, struct ai_err *err)
{
	size_t i, refused = 0;
	int64_t swept;

	for (i = 0; i < n; i++)
		if (may_sweep(ops[i]))
			ops[refused++] = ops[i];
	if (refused == 0)
		return 0;
	if (ledger_swept(l, &swept, err) < 0)
		return -1;
	return swept == 0 ? 0 : run(l, ops, refused, items, list, err);
}

int ai_ledger_many(struct ai_ledger *l, struct ai_ledger_op **ops, size_t n,
		   struct ai_err *err)
{
	struct ledger_item *items = malloc(n * sizeof(*items));
	void **list = malloc(n * sizeof(*list));
	int rc = items == NULL || list == NULL ? ai_err_nomem(err) : 0;

	if (rc == 0)
		rc = run(l, ops, n, items, list, err);
	if (rc == 0)
		rc = again(l, ops, n, items, list, err);
	free(items);
	free(list);
	return rc;
}
