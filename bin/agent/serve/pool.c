#include "serve/pool.h"

#include "agent.h"
#include "cage/child.h"
#include "tool/result.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/loop.h"
#include "store/owner.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define JOBS 4          /* at once, if nobody says */
#define GRACE_S 5.0     /* programs keep their own time */
#define BOOK_S 1.0      /* what is under way when we end may be booked */
#define OUT_MAX ((size_t)64 << 20)
#define ERRORS_MAX ((size_t)65536)
#define TAIL_MAX 1024   /* of what a program has said last */

struct serve_worker {
	struct serve_worker *next;
	struct agent_child child;
	struct agent_strings argv; /* what it is */
	struct serve_call *call;   /* NULL: it is idle */
	double deadline;           /* of that */
	size_t seen;               /* of its output, without a newline */
	struct ai_buf tail;        /* the end of its stderr */
};

/* ---- what may be spent ----------------------------------------------------------- */

/* Whether asking the model costs anything that can be held. */
static bool is_paid(const struct serve *s)
{
	return s->model != NULL && ai_paid_has_ledger() &&
		!(ai_paid.price != NULL && strcmp(ai_paid.price, "free") == 0) &&
		(strncmp(s->model, "local/", 6) != 0 ||
		 strchr(s->model, ',') != NULL);
}

/* The name of a run that nobody else has, and that says whose it is: of a boot's
 * name, eight digits tell it from others. */
#define RUN_NAME "serve-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%.8s"
#define RUN_SCAN "serve-%" SCNx64 "-%" SCNx64 "-%" SCNx64 "-%8[0-9a-f]%n"

static int name_run(struct serve_pool *p, struct ai_err *err)
{
	struct ai_owner o;

	if (ai_owner_self(&o, err) < 0)
		return -1;
	snprintf(p->run, sizeof(p->run), RUN_NAME, (uint64_t)o.pid,
		 (uint64_t)o.start, (uint64_t)o.space, o.boot);
	return 0;
}

/* Whether it is one of a server that was killed. */
static bool is_left(const char *name)
{
	struct ai_owner o, self;
	uint64_t pid, start, space;
	char boot[9];
	int n = 0;

	if (ai_owner_self(&self, NULL) < 0 ||
	    sscanf(name, RUN_SCAN, &pid, &start, &space, boot, &n) != 4 ||
	    n == 0 || name[n] != '\0')
		return false;
	o = (struct ai_owner){ .pid = (int64_t)pid, .start = (int64_t)start,
			       .space = (int64_t)space };
	snprintf(o.boot, sizeof(o.boot), "%s",
		 strncmp(self.boot, boot, 8) == 0 ? self.boot : boot);
	return ai_owner_state(&o) == AI_OWNER_DEAD ||
		ai_owner_state(&o) == AI_OWNER_REBOOTED;
}

static int find_left(void *arg, const struct ai_budget_state *b)
{
	struct agent_strings *names = arg;

	return strcmp(b->budget.scope, "run") != 0 ||
		strcmp(b->budget.period, "total") != 0 ||
		!is_left(b->budget.name) ? 0 :
		agent_strings_add(names, ai_span_of(b->budget.name), NULL);
}

static int set_one(struct ai_ledger *l, const char *name, int64_t cap,
		   struct ai_err *err)
{
	struct ai_budget b = { .scope = "run", .period = "total", .cap = cap };

	snprintf(b.name, sizeof(b.name), "%s", name);
	return ai_ledger_set_budget(l, &b, err);
}

/* Those that were killed could not do it themselves. */
static int sweep(struct ai_ledger *l, struct ai_err *err)
{
	struct agent_strings names = { NULL, 0, 0 };
	int rc = ai_ledger_budgets(l, find_left, &names, err);

	for (size_t i = 0; rc == 0 && i < names.n; i++)
		rc = set_one(l, names.v[i], -1, err);
	agent_strings_release(&names);
	return rc;
}

static int set_cap(const struct serve_pool *p, int64_t cap, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	rc = set_one(l, p->serve->run, cap, err);
	if (rc == 0 && cap >= 0)
		rc = sweep(l, err);
	ai_ledger_close(l);
	return rc;
}

/* Before the first call that could spend something. */
static int hold(struct serve_pool *p, struct ai_err *err)
{
	if (p->capped || p->cap < 0)
		return 0;
	if (set_cap(p, p->cap, err) < 0)
		return -1;
	p->capped = true;
	return 0;
}

static int find_cap(struct serve_pool *p, struct ai_err *err)
{
	struct agent_limits limits;

	for (size_t i = 0; i < agent.limits.n; i++)
		if (ai_start_given(&agent.limits) &&
		    strncmp(agent.limits.v[i], "usd=", 4) != 0)
			return ai_err_set(err, AI_E_USAGE, "--limit '%.80s': "
					  "a server has no other limit than "
					  "usd=N", agent.limits.v[i]);
	if (agent_limits_init(&limits, &agent.limits, err) < 0)
		return -1;
	p->cap = -1;
	p->serve->run = ai_paid.run;
	if (!is_paid(p->serve))
		return 0;
	p->cap = limits.v[AGENT_LIMIT_USD];
	if (ai_paid.run != NULL)
		return 0;
	if (name_run(p, err) < 0)
		return -1;
	p->serve->run = p->run;
	p->ours = true;
	return 0;
}

int serve_pool_init(struct serve_pool *p, struct serve *s, struct ai_err *err)
{
	memset(p, 0, sizeof(*p));
	p->serve = s;
	p->jobs = ai_loop.jobs > 1 || ai_start_given(&ai_loop.jobs)
		? (size_t)ai_loop.jobs : JOBS;
	return find_cap(p, err);
}

/* ---- workers ---------------------------------------------------------------------- */

static void free_worker(struct serve_pool *p, struct serve_worker *w)
{
	struct serve_worker **at = &p->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	p->n--;
	agent_child_release(&w->child);
	agent_strings_release(&w->argv);
	ai_buf_release(&w->tail);
	free(w);
}

static bool same_argv(const struct agent_strings *a,
		      const struct agent_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static struct serve_worker *find_idle(struct serve_pool *p,
				      const struct agent_strings *argv)
{
	struct serve_worker *w = p->first;

	while (w != NULL && (w->call != NULL || !same_argv(&w->argv, argv)))
		w = w->next;
	return w;
}

/* The one that has been idle longest makes room. */
static void make_room(struct serve_pool *p)
{
	struct serve_worker *w, *oldest = NULL;

	if (p->n < p->jobs + SERVE_IDLE_MAX)
		return;
	for (w = p->first; w != NULL; w = w->next)
		if (w->call == NULL)
			oldest = w;
	if (oldest != NULL)
		free_worker(p, oldest);
}

/* argv with the program's own path. */
static int place(const struct agent_strings *argv, struct agent_strings *out,
		 struct ai_err *err)
{
	char *path;
	int rc;

	if (ai_path_sibling(argv->v[0], &path, err) < 0)
		return -1;
	rc = agent_strings_add(out, ai_span_of(path), err);
	free(path);
	for (size_t i = 1; rc == 0 && i < argv->n; i++)
		rc = agent_strings_add(out, ai_span_of(argv->v[i]), err);
	return rc;
}

static int start(struct serve_worker *w, struct ai_err *err)
{
	struct agent_strings argv = { NULL, 0, 0 };
	struct agent_child_spec spec = {
		.name = w->argv.v[0], .env = (const char *const *)environ,
		.hold = -1, .talks = true, .max_out = OUT_MAX,
		.max_err = ERRORS_MAX,
	};
	char cwd[4096];
	int rc;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return ai_err_set(err, AI_E_OS, "the current folder is gone");
	spec.dir = cwd;
	rc = place(&w->argv, &argv, err);
	spec.argv = agent_strings_list(&argv);
	if (rc == 0)
		rc = agent_child_start(&w->child, &spec, err);
	agent_strings_release(&argv);
	return rc;
}

/* One that does such calls; NULL: err. */
static struct serve_worker *get_worker(struct serve_pool *p,
				       struct serve_call *c, struct ai_err *err)
{
	struct serve_worker *w = find_idle(p, &c->argv);

	if (w != NULL)
		return w;
	make_room(p);
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	ai_buf_init(&w->tail, (size_t)4 << 20);
	w->argv = c->argv;
	c->argv = (struct agent_strings){ NULL, 0, 0 };
	if (start(w, err) < 0) {
		agent_strings_release(&w->argv);
		free(w);
		return NULL;
	}
	w->next = p->first;
	p->first = w;
	p->n++;
	return w;
}

/* ---- calls ------------------------------------------------------------------------- */

static double timeout_of(const struct serve_call *c)
{
	double s = c->tool->kind->timeout_s;

	if (c->tool->kind->waits && agent.timeout > 0)
		s = agent.timeout;
	return s + GRACE_S;
}

static int begin(struct serve_pool *p, struct serve_call *c, struct ai_err *err)
{
	struct serve_worker *w;

	/* What models cost is told by what they may. */
	if ((c->tool->kind->waits ||
	     strcmp(c->tool->kind->name, "cost") == 0) && hold(p, err) < 0)
		return -1;
	w = get_worker(p, c, err);
	if (w == NULL)
		return -1;
	ai_buf_clear(&w->tail);
	w->deadline = ai_clock_s() + timeout_of(c);
	ai_buf_chr(&c->record, '\n');
	if (ai_buf_check(&c->record, "the call", err) < 0)
		return -1;
	if (agent_child_send(&w->child, c->record.p, c->record.len, err) < 0) {
		free_worker(p, w);
		return -1;
	}
	w->call = c;
	p->busy++;
	return 0;
}

static void begin_all(struct serve_pool *p)
{
	struct serve_call *c;
	struct ai_err err;

	while (p->busy < p->jobs && p->serve->out.len < SERVE_OUT_MAX &&
	       (c = serve_next(p->serve)) != NULL) {
		err = (struct ai_err){ .retry_after_s = -1 };
		if (begin(p, c, &err) < 0)
			serve_done(p->serve, c, (struct ai_span){ NULL, 0 },
				   &err);
	}
}

static void end_call(struct serve_pool *p, struct serve_worker *w,
		     struct ai_span record, const struct ai_err *why)
{
	struct serve_call *c = w->call;

	w->call = NULL;
	p->busy--;
	serve_done(p->serve, c, record, why);
}

/* What it says goes to our own stderr, and its end to who asked. */
static void take_errors(struct serve_worker *w)
{
	struct ai_buf *e = &w->child.errors;
	size_t n = e->len < TAIL_MAX ? e->len : TAIL_MAX;

	if (e->len == 0)
		return;
	ai_buf_write(e, STDERR_FILENO);
	ai_buf_add(&w->tail, e->p + e->len - n, n);
	if (w->tail.len > TAIL_MAX)
		ai_buf_consume(&w->tail, w->tail.len - TAIL_MAX);
	ai_buf_clear(e);
}

/* It has ended, which it should not: a key that is missing, an index that is
 * none. Its status says which class of mistake that is. */
static void end_worker(struct serve_pool *p, struct serve_worker *w)
{
	struct ai_err err = { .retry_after_s = -1 };
	struct ai_buf said = AI_BUF_INIT(4096), how = AI_BUF_INIT(400);
	enum ai_code code = w->child.end == AGENT_CHILD_EXITED
		? ai_code_from_exit(w->child.status) : AI_E_NONE;

	if (w->call != NULL) {
		agent_child_say(&w->child, &how);
		agent_result_tail(&said, (struct ai_span){
				  ai_buf_cstr(&w->tail), w->tail.len }, 300);
		while (said.len > 0 && said.p[said.len - 1] == '\n')
			said.p[--said.len] = '\0';
		if (said.len > 0)
			ai_err_set(&err, code != AI_E_NONE ? code
				   : AI_E_UNAVAILABLE, "%s", said.p);
		else
			ai_err_set(&err, code != AI_E_NONE ? code
				   : AI_E_UNAVAILABLE, "%s %s",
				   w->argv.v[0], ai_buf_cstr(&how));
		end_call(p, w, (struct ai_span){ NULL, 0 }, &err);
	}
	ai_buf_release(&said);
	ai_buf_release(&how);
	free_worker(p, w);
}

/* A line of its output is there: whether it may do more. */
static bool take_line(struct serve_pool *p, struct serve_worker *w)
{
	struct ai_buf *o = &w->child.output;
	const char *nl = o->len > w->seen
		? memchr(o->p + w->seen, '\n', o->len - w->seen) : NULL;

	w->seen = o->len;
	if (nl == NULL)
		return o->len < OUT_MAX;
	/* It was asked one thing. */
	if (w->call == NULL || nl != o->p + o->len - 1)
		return false;
	end_call(p, w, (struct ai_span){ o->p, o->len - 1 }, NULL);
	ai_buf_shrink(o, ERRORS_MAX);
	w->seen = 0;
	return true;
}

static void time_out(struct serve_pool *p, struct serve_worker *w)
{
	struct ai_err err = { .retry_after_s = -1 };

	ai_err_set(&err, AI_E_UNAVAILABLE, "%s did not answer within %g s",
		   w->argv.v[0], timeout_of(w->call));
	agent_child_stop(&w->child);
	end_call(p, w, (struct ai_span){ NULL, 0 }, &err);
	free_worker(p, w);
}

static void turn_worker(struct serve_pool *p, struct serve_worker *w)
{
	bool ended = agent_child_turn(&w->child), fine;

	take_errors(w);
	fine = take_line(p, w);
	if (ended)
		end_worker(p, w);
	else if (!fine && w->call != NULL)
		end_call(p, w, (struct ai_span){ NULL, 0 },
			 &(struct ai_err){ .code = AI_E_ANSWER,
			 .retry_after_s = -1, .msg = "it wrote too much" }),
		free_worker(p, w);
	else if (!fine)
		free_worker(p, w);
	else if (w->call != NULL && ai_clock_s() >= w->deadline)
		time_out(p, w);
}

static void turn_all(struct serve_pool *p)
{
	struct serve_worker *w, *next;

	for (w = p->first; w != NULL; w = next) {
		next = w->next;
		turn_worker(p, w);
	}
}

void serve_pool_turn(struct serve_pool *p)
{
	turn_all(p);
	begin_all(p);
}

void serve_pool_wait(const struct serve_pool *p, struct agent_poll *poll)
{
	for (const struct serve_worker *w = p->first; w != NULL; w = w->next) {
		agent_child_wait(&w->child, poll);
		if (w->call != NULL)
			agent_poll_by(poll, w->deadline);
	}
}

/* ---- the end ------------------------------------------------------------------------- */

/* They read end of file; what a model is asked is waited for a little. */
static void let_end(struct serve_pool *p)
{
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	double until = ai_clock_s() + BOOK_S;
	struct serve_worker *w, *next;

	for (w = p->first; w != NULL; w = w->next)
		agent_child_finish(&w->child);
	while (p->first != NULL && ai_clock_s() < until) {
		agent_poll_clear(&poll, 0.1);
		for (w = p->first; w != NULL; w = w->next)
			agent_child_wait(&w->child, &poll);
		if (agent_poll_wait(&poll, NULL) < 0)
			break;
		for (w = p->first; w != NULL; w = next) {
			next = w->next;
			if (agent_child_turn(&w->child))
				free_worker(p, w);
		}
	}
	agent_poll_release(&poll);
}

void serve_pool_release(struct serve_pool *p)
{
	struct ai_err err;

	let_end(p);
	while (p->first != NULL)
		free_worker(p, p->first);
	if (p->capped && p->ours && set_cap(p, -1, &err) < 0)
		ai_msg(AI_MSG_WARN, "the budget of run '%s' is left behind: "
		       "%s", p->run, err.msg);
}
