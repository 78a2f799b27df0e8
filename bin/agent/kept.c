#include "kept.h"
#include "agent.h"

#include <string.h>

void agent_kept_init(struct agent_kept *k)
{
	memset(k, 0, sizeof(*k));
	ai_buf_init(&k->task, AGENT_TEXT_MAX);
	/* With the whole of a workflow in it. */
	ai_buf_init(&k->setup, 4 * AGENT_TEXT_MAX);
	ai_buf_init(&k->root, AI_RUN_ID);
	ai_buf_init(&k->note, AGENT_TEXT_MAX);
}

void agent_kept_release(struct agent_kept *k)
{
	ai_buf_release(&k->task);
	ai_buf_release(&k->setup);
	ai_buf_release(&k->root);
	ai_buf_release(&k->note);
}

static int keep(void *arg, const struct ai_run_row *row)
{
	struct agent_kept *k = arg;

	ai_buf_add(&k->task, row->task.p, row->task.n);
	ai_buf_add(&k->setup, row->setup.p, row->setup.n);
	ai_buf_str(&k->root, row->root);
	if (row->note.p != NULL)
		ai_buf_add(&k->note, row->note.p, row->note.n);
	k->status = row->status;
	k->spent_ms = row->spent_ms;
	return 0;
}

int agent_kept_get(struct agent_kept *k, struct ai_ledger *l, const char *id,
		   struct ai_err *err)
{
	return ai_run_get(l, id, keep, k, err);
}
