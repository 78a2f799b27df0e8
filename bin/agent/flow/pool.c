#include "flow/pool.h"
#include "agent.h"
#include "flags.h"
#include "strlist.h"

#include "base/clock.h"
#include "base/path.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define LINES_MAX (4 * AGENT_TEXT_MAX) /* of output that was not taken yet */
#define ASK_S 600.0  /* what ai-complete takes for a question at most, if
		      * nobody says */
#define DAY_S 86400.0
#define KIND_S 5.0   /* for one that is to end by itself ... */
#define TERM_S 1.0   /* ... and for one that was told to */

/* ---- starting ------------------------------------------------------------------- */

/* Flags that are the workflow's own. */
static const char *const own[] = { "run", "depth", "root", "limit", "path",
				   "as", "raw-output", "jobs", "max-line",
				   "raw-input", "slurp", "exit-status",
				   "unordered", "answer", "again", "done",
				   "all", "team", "agent" };

static bool is_own(const void *to, const char *name)
{
	(void)to;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

static int put_argv(const struct flow_pool *p, size_t agent_at,
		    struct agent_strings *argv, struct ai_err *err)
{
	int64_t jobs = flow_width(p->flow, agent_at, p->at_once);
	char *self;
	int rc;

	if (jobs > FLOW_AT_ONCE_MAX)
		jobs = FLOW_AT_ONCE_MAX;
	if (ai_path_sibling("ai-agent", &self, err) < 0)
		return -1;
	rc = agent_strings_add(argv, ai_span_of(self), err);
	free(self);
	return rc < 0 || agent_flags_argv(argv, is_own, err) < 0 ||
		agent_strings_fmt(argv, err, "--team=run:%s", p->run) < 0 ||
		agent_strings_fmt(argv, err, "--agent=%s",
				  p->flow->agents[agent_at].name) < 0 ||
		agent_strings_fmt(argv, err, "--root=%s", p->root) < 0 ||
		agent_strings_fmt(argv, err, "--depth=%lld",
				  (long long)p->depth) < 0 ||
		agent_strings_fmt(argv, err, "--jobs=%lld",
				  (long long)(jobs > 0 ? jobs : 1)) < 0 ||
		agent_strings_add(argv, AI_SPAN("--unordered"), err) < 0
		? -1 : 0;
}

int flow_pool_linger_ms(void)
{
	double s = agent.timeout > 0 ? agent.timeout : ASK_S;

	return (int)((s < DAY_S ? s : DAY_S) + 10) * 1000;
}

static int start(struct flow_pool *p, size_t agent_at, struct ai_err *err)
{
	struct agent_strings argv = { NULL, 0, 0 };
	struct agent_child_spec s = { .name = p->flow->agents[agent_at].name,
		.env = (const char *const *)environ, .hold = p->hold,
		.talks = true, .max_out = LINES_MAX, .max_err = 1 << 16,
		.grace_ms = FLOW_POOL_GRACE_MS,
		.linger_ms = flow_pool_linger_ms() };
	struct flow_worker *w = &p->v[agent_at];
	char cwd[4096];
	int rc;

	if (w->runs)
		return 0;
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return ai_err_set(err, AI_E_OS, "the current folder is gone");
	rc = put_argv(p, agent_at, &argv, err);
	if (rc == 0) {
		s.argv = agent_strings_list(&argv);
		s.dir = cwd;
		rc = agent_child_start(&w->child, &s, err);
	}
	w->runs = rc == 0;
	agent_strings_release(&argv);
	return rc;
}

int flow_pool_init(struct flow_pool *p, const struct flow *f, const char *run,
		   const char *root, int64_t at_once, int64_t depth, int hold,
		   struct ai_err *err)
{
	*p = (struct flow_pool){ .flow = f, .run = run, .root = root,
				 .hold = hold, .at_once = at_once,
				 .depth = depth };
	p->v = calloc(f->n_agents > 0 ? f->n_agents : 1, sizeof(*p->v));
	return p->v == NULL ? ai_err_nomem(err) : 0;
}

/* ---- talking -------------------------------------------------------------------- */

int flow_pool_send(struct flow_pool *p, size_t agent_at, struct ai_span line,
		   struct ai_err *err)
{
	struct flow_worker *w = &p->v[agent_at];

	if (start(p, agent_at, err) < 0)
		return -1;
	w->asked++;
	/* One that has died is found out by the next turn. */
	if (w->child.in < 0)
		return 0;
	return agent_child_send(&w->child, line.p, line.n, err) < 0 ||
		agent_child_send(&w->child, "\n", 1, err) < 0 ? -1 : 0;
}

void flow_pool_wait(const struct flow_pool *p, struct agent_poll *poll)
{
	for (size_t i = 0; i < p->flow->n_agents; i++)
		if (p->v[i].runs)
			agent_child_wait(&p->v[i].child, poll);
}

/* What it has to say to people is said by us. */
static void pass_errors(const struct flow_pool *p, struct flow_worker *w)
{
	if (w->child.errors.len == 0)
		return;
	if (!p->quiet)
		ai_buf_write(&w->child.errors, STDERR_FILENO);
	ai_buf_clear(&w->child.errors);
}

/* Its whole lines. */
static int take_lines(struct flow_worker *w, size_t agent_at,
		      flow_pool_fn *each, void *arg, struct ai_err *err)
{
	struct ai_buf *b = &w->child.output;
	size_t from = 0, n;
	const char *eol;
	int rc = 0;

	while (rc == 0 && from < b->len) {
		eol = memchr(b->p + from, '\n', b->len - from);
		if (eol == NULL)
			break;
		n = (size_t)(eol - b->p) - from;
		w->asked -= w->asked > 0;
		w->deaths = 0;
		rc = each(arg, agent_at, (struct ai_span){ b->p + from, n },
			  err);
		from += n + 1;
	}
	if (from > 0)
		ai_buf_consume(b, from);
	/* No record is as long as that. */
	if (rc == 0 && b->len >= w->child.max_out)
		agent_child_stop(&w->child);
	return rc;
}

static int turn(struct flow_pool *p, size_t i, flow_pool_fn *each, void *arg,
		struct ai_err *err)
{
	struct flow_worker *w = &p->v[i];
	bool ended = agent_child_turn(&w->child);
	int rc = take_lines(w, i, each, arg, err);
	size_t asked = w->asked;

	pass_errors(p, w);
	if (rc < 0 || !(ended || w->child.end != AGENT_CHILD_RUNS))
		return rc;
	agent_child_release(&w->child);
	w->runs = false;
	w->asked = 0;
	w->deaths += asked > 0;
	return asked == 0 ? 0 :
		each(arg, i, (struct ai_span){ NULL, 0 }, err);
}

int flow_pool_turn(struct flow_pool *p, flow_pool_fn *each, void *arg,
		   struct ai_err *err)
{
	for (size_t i = 0; i < p->flow->n_agents; i++)
		if (p->v[i].runs && turn(p, i, each, arg, err) < 0)
			return -1;
	return 0;
}

/* ---- ending --------------------------------------------------------------------- */

void flow_pool_signal(struct flow_pool *p, int signal)
{
	p->signal = signal;
	/* That they end by it is nothing new. */
	p->quiet = true;
	for (size_t i = 0; i < p->flow->n_agents; i++)
		if (p->v[i].runs)
			agent_child_signal(&p->v[i].child, signal);
}

static int drop(void *arg, size_t agent_at, struct ai_span line,
		struct ai_err *err)
{
	(void)arg;
	(void)agent_at;
	(void)line;
	(void)err;
	return 0;
}

static bool any_runs(const struct flow_pool *p)
{
	for (size_t i = 0; i < p->flow->n_agents; i++)
		if (p->v[i].runs)
			return true;
	return false;
}

void flow_pool_release(struct flow_pool *p)
{
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	double until = ai_clock_s() + (p->signal == SIGTERM ? TERM_S : KIND_S);
	struct ai_err err;

	if (p->v == NULL)
		return;
	for (size_t i = 0; i < p->flow->n_agents; i++) {
		if (!p->v[i].runs)
			continue;
		/* What it is at is of no use any more. */
		if (p->v[i].asked > 0 && p->signal != SIGTERM)
			agent_child_signal(&p->v[i].child, SIGTERM);
		agent_child_finish(&p->v[i].child);
	}
	/* That some of their records have failed is told already. */
	p->quiet = true;
	while (any_runs(p) && ai_clock_s() < until) {
		agent_poll_clear(&poll, 1);
		agent_poll_by(&poll, until);
		flow_pool_wait(p, &poll);
		if (agent_poll_wait(&poll, &err) < 0 ||
		    flow_pool_turn(p, drop, NULL, &err) < 0)
			break;
	}
	agent_poll_release(&poll);
	for (size_t i = 0; i < p->flow->n_agents; i++)
		if (p->v[i].runs)
			agent_child_release(&p->v[i].child);
	free(p->v);
	p->v = NULL;
}
