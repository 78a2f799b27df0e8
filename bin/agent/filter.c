/* filter.c: records as tasks. */
#include "task.h"
#include "team/team.h"
#include "worker.h"

#include "base/sig.h"
#include "model/paid.h"
#include "record/loop.h"

#include <stdlib.h>
#include <string.h>

static int open_worker(void **state, struct ai_err *err)
{
	struct agent_worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ai_err_nomem(err);
	if (agent_worker_init(w, err) < 0) {
		agent_worker_release(w);
		free(w);
		return -1;
	}
	*state = w;
	return 0;
}

static void close_worker(void *state)
{
	agent_worker_release(state);
	free(state);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct agent_worker *w = state;
	struct ai_err why = { .code = AI_E_NONE };
	int rc = 0;

	if (ai_sig_asked() != AI_SIG_NO)
		rc = ai_err_set(err, AI_E_TRY_LATER, "it was not begun: %s came "
				"before", ai_sig_name());
	if (rc == 0)
		rc = agent_worker_tools(w, err);
	if (rc == 0)
		rc = agent_worker_task(w, rec, &text, &why, err);
	if (rc == 0)
		rc = agent_task_emit(rec, &text, &why, out, err);
	ai_buf_release(&text);
	return rc;
}

/* ".2", ".3" and so on is added for the records behind the first; said before
 * the first is paid for. */
static int check_name(struct ai_err *err)
{
	const size_t most = AI_RUN_ID - 1 - sizeof(".18446744073709551615") + 1;

	return ai_paid.run == NULL || strlen(ai_paid.run) <= most ? 0 :
		ai_err_set(err, AI_E_USAGE, "--run '%.80s' is too long: for "
			   "records a name has at most %zu bytes, as '.2' and "
			   "so on is added to it", ai_paid.run, most);
}

int agent_filter(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.eager = true, .signals = true, .each = each,
		/* One a job, or -j would keep a line's tasks together. */
		.batch = 1, .words = "task",
		.open = open_worker, .close = close_worker,
	};

	return (argc == 0 && check_name(err) < 0) || agent_team_read(err) < 0
		? -1 : ai_loop_run(&filter, argc, argv, err);
}
