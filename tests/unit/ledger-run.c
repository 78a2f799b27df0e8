/*
 * The journal of runs: random histories beside a model, in processes that are
 * killed with SIGKILL in the middle of a write; and what else the ledger does
 * with runs.
 *
 *	ledger-run [SEED [LIVES]]
 */
#include "store/batch.h"
#include "store/ledger-int.h"
#include "store/run.h"
#include "ask.h"
#include "help.h"
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-ledger-run-XXXXXX", path[100];

/* ---- being killed -------------------------------------------------------------- */

static long writes_left = -1; /* before this process is killed; -1: it is not */

/* SQLite's calls come here first. */
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	if (writes_left >= 0 && writes_left-- == 0)
		kill(getpid(), SIGKILL);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

static struct ai_ledger *open_it(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	l->no_sync = true;
	return l;
}

static void new_path(void)
{
	static int n;

	snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, n++);
}

/* ---- the model ------------------------------------------------------------------- */

#define RUNS 6
#define STEPS 6
#define USERS 3

static const char *const user_name[USERS] = { NULL, "ada", "bob" };

struct m_step {
	int state, text; /* state 0: it is not there; text: of its result */
	int said;
	int64_t amount;
};

struct m_run {
	bool there, ours; /* ours: this process may write to it */
	int root, user, text, status, note;
	int64_t cap, spent;
	struct m_step step[STEPS];
};

struct model {
	struct m_run run[RUNS];
	bool budget[RUNS];
	int64_t cap[RUNS]; /* of the budget */
};

enum what { NEW, TAKE, PUT, DECIDE, FORK, REMOVE, FORGET, OPS };

struct op {
	enum what what;
	int run, other, n, user, text, status, state, to;
	int64_t cap, amount;
	bool durable;
};

static bool ended(int status)
{
	return status >= AI_RUN_DONE;
}

static void set_budget(struct model *m, int run, int64_t cap)
{
	m->budget[run] = cap >= 0;
	m->cap[run] = cap >= 0 ? cap : 0;
}

static void make(struct model *m, const struct op *o)
{
	struct m_run *r = &m->run[o->run];

	memset(r, 0, sizeof(*r));
	r->there = r->ours = true;
	r->root = o->what == FORK ? o->run : o->other;
	r->user = o->user;
	r->text = o->text;
	r->status = AI_RUN_OPEN;
	r->cap = o->cap;
	if (r->root == o->run && o->cap >= 0)
		set_budget(m, o->run, o->cap);
}

static int steps_of(const struct m_run *r)
{
	int n = 0;

	while (n < STEPS && r->step[n].state != 0)
		n++;
	return n;
}

static int64_t m_decide(struct m_run *r, const struct op *o)
{
	int64_t n = 0;

	for (int i = 0; i < STEPS; i++)
		if (r->step[i].state == AI_STEP_WAITING &&
		    (o->n == 0 || o->n == i + 1)) {
			r->step[i].said = o->text;
			n++;
		}
	return n > 0 ? n : -1;
}

static int64_t m_put(struct model *m, const struct op *o)
{
	struct m_run *r = &m->run[o->run];

	for (int i = o->n; i <= o->to; i++)
		r->step[i - 1] = (struct m_step){ o->state, o->text,
			o->state == AI_STEP_WAITING ? 0 : o->text % 4,
			o->amount };
	r->status = o->status;
	r->spent += 7;
	r->note = o->status == AI_RUN_OPEN ? 0 : o->text;
	if (o->status == AI_RUN_OPEN)
		return 0;
	r->ours = false;
	if (ended(o->status) && r->root == o->run)
		set_budget(m, o->run, -1);
	return 0;
}

static int64_t m_take(struct model *m, const struct op *o)
{
	struct m_run *r = &m->run[o->run];

	if (!r->there)
		return -1;
	r->ours = true;
	if (o->cap != INT64_MAX)
		r->cap = o->cap;
	if (r->root == o->run)
		set_budget(m, o->run, r->cap);
	return 0;
}

static void drop(struct model *m, int run)
{
	if (m->run[run].root == run)
		set_budget(m, run, -1);
	memset(&m->run[run], 0, sizeof(m->run[run]));
}

/* What it gives back, and what it makes of the model. */
static int64_t apply(struct model *m, const struct op *o)
{
	struct m_run *r = &m->run[o->run], *from = &m->run[o->other];
	int64_t n = 0;

	switch (o->what) {
	case NEW:
		if (r->there)
			return 1;
		make(m, o);
		return 0;
	case TAKE:
		return m_take(m, o);
	case PUT:
		return m_put(m, o);
	case DECIDE:
		return r->there ? m_decide(r, o) : -1;
	case FORK:
		if (r->there || !from->there)
			return -1;
		make(m, o);
		memcpy(r->step, from->step, sizeof(r->step[0]) *
		       (size_t)(o->n - 1));
		for (int i = 0; i < STEPS; i++)
			r->step[i].amount = 0;
		return 0;
	case REMOVE:
		if (!r->there)
			return -1;
		drop(m, o->run);
		for (int i = 0; i < RUNS; i++)
			if (m->run[i].there && m->run[i].root == o->run)
				drop(m, i);
		return 0;
	default:
		for (int i = 0; i < RUNS; i++)
			if (m->run[i].there && m->run[i].user == o->user) {
				drop(m, i);
				n++;
			}
		return n;
	}
}

/* ---- the real one ------------------------------------------------------------------ */

static const char *id_of(int run)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e", "f" };

	return ids[run];
}

static struct ai_span json_of(int text, char buf[40])
{
	return (struct ai_span){ buf, (size_t)snprintf(buf, 40, "{\"t\":%d}",
						       text) };
}

static struct ai_run handle[RUNS];

static int64_t real_put(struct ai_ledger *l, const struct op *o, int64_t spent,
			struct ai_err *err)
{
	static const char *const said[] = { "", "yes", "no", "done" };
	char result[40], note[40];
	struct ai_step steps[STEPS];
	struct ai_run_change c = { .status = (enum ai_run_status)o->status,
				   .spent_ms = spent + 7 };
	size_t n = 0;

	if (o->status != AI_RUN_OPEN)
		c.note = json_of(o->text, note);
	for (int i = o->n; i <= o->to; i++)
		steps[n++] = (struct ai_step){ .n = i, .kind = AI_STEP_CALL,
			.state = (enum ai_step_state)o->state, .key = "k",
			.said = o->state == AI_STEP_WAITING ? ""
				: said[o->text % 4],
			.intent = AI_SPAN("{}"),
			.result = json_of(o->text, result),
			.amount = o->amount };
	return ai_run_put(l, &handle[o->run], steps, n, &c, o->durable, err);
}

static int64_t real(struct ai_ledger *l, const struct op *o,
		    const struct model *m, struct ai_err *err)
{
	static const char *const said[] = { "", "yes", "no", "done" };
	struct ai_forgotten gone = { 0 };
	char task[40];
	struct ai_run_new r = {
		.id = id_of(o->run), .user = user_name[o->user], .cap = o->cap,
		.root = id_of(o->what == FORK ? o->run : o->other),
		.task = json_of(o->text, task), .setup = AI_SPAN("{}"),
	};

	switch (o->what) {
	case NEW:
		return ai_run_new(l, &r, &handle[o->run], err);
	case TAKE:
		return ai_run_take(l, id_of(o->run), o->cap, &handle[o->run],
				   err);
	case PUT:
		return real_put(l, o, m->run[o->run].spent, err);
	case DECIDE:
		return ai_run_decide(l, id_of(o->run), o->n, said[o->text], err);
	case FORK:
		return ai_run_fork(l, &r, id_of(o->other), o->n,
				   &handle[o->run], err);
	case REMOVE:
		return ai_run_remove(l, id_of(o->run), NULL, err);
	default:
		return ai_ledger_forget(l, user_name[o->user], &gone, err) < 0
			? -1 : gone.runs;
	}
}

/* ---- what stands there --------------------------------------------------------------- */

struct view {
	struct model seen;
	int wrong;
};

static int text_of(struct ai_span s)
{
	int n = 0;

	return s.p == NULL ? 0 : sscanf(s.p, "{\"t\":%d}", &n) == 1 ? n : -1;
}

static int number_of(const char *id)
{
	return id[0] - 'a';
}

static int see_run(void *arg, const struct ai_run_row *row)
{
	struct view *v = arg;
	struct m_run *r = &v->seen.run[number_of(row->id)];

	v->wrong += r->there;
	r->there = true;
	r->root = number_of(row->root);
	r->text = text_of(row->task);
	r->status = row->status;
	r->note = text_of(row->note);
	r->cap = row->cap;
	r->spent = row->spent_ms;
	r->ours = row->steps > 0; /* compared with the steps below */
	return 0;
}

struct steps {
	struct m_run *r;
	int64_t n;
};

static int see_step(void *arg, const struct ai_step *s)
{
	static const char *const said[] = { "", "yes", "no", "done" };
	struct steps *v = arg;
	struct m_step *to;

	if (s->n != ++v->n || s->n > STEPS)
		return 1;
	to = &v->r->step[s->n - 1];
	to->state = s->state;
	to->text = text_of(s->result);
	to->amount = s->amount;
	while (to->said < 3 && strcmp(said[to->said], s->said) != 0)
		to->said++;
	return 0;
}

static int see_budgets(struct ai_ledger *l, struct model *m)
{
	sqlite3_stmt *st = NULL;
	struct ai_err err;
	int rc = ai_db_bind(&l->db, &st, "SELECT name, cap FROM budget WHERE"
			    " scope='run'", &err, "");

	while (rc >= 0 && (rc = ai_db_step(&l->db, st, &err)) > 0) {
		int n = number_of((const char *)sqlite3_column_text(st, 0));

		m->budget[n] = true;
		m->cap[n] = sqlite3_column_int64(st, 1);
	}
	ai_db_finish(&st);
	return rc;
}

static bool same_run(const struct m_run *a, const struct m_run *b)
{
	if (a->there != b->there)
		return false;
	return !a->there || (a->root == b->root && a->text == b->text &&
		a->status == b->status && a->note == b->note &&
		a->cap == b->cap && a->spent == b->spent &&
		memcmp(a->step, b->step, sizeof(a->step)) == 0);
}

/* Whether the ledger stands as the model does. */
static bool agrees(struct ai_ledger *l, const struct model *m)
{
	static struct view v;
	struct ai_err err;

	memset(&v, 0, sizeof(v));
	if (ai_run_list(l, see_run, &v, &err) < 0 ||
	    see_budgets(l, &v.seen) < 0)
		return false;
	for (int i = 0; i < RUNS; i++) {
		struct steps s = { &v.seen.run[i], 0 };

		if (ai_run_steps(l, id_of(i), see_step, &s, &err) < 0 ||
		    !same_run(&v.seen.run[i], &m->run[i]) ||
		    v.seen.budget[i] != m->budget[i] ||
		    v.seen.cap[i] != m->cap[i])
			return false;
	}
	return v.wrong == 0;
}

/* ---- a life ------------------------------------------------------------------------------ */

/* Shared with the processes that are killed. */
static struct shared {
	struct model model;
	struct op op;
	bool pending;
	long ops, differ, cut;
} *shared;

static int64_t some_cap(void)
{
	return below(4) == 0 ? -1 : below(1000);
}

static struct op choose(const struct model *m)
{
	struct op o = { .what = (enum what)below(OPS - (below(4) != 0)),
			.run = (int)below(RUNS), .user = (int)below(USERS),
			.text = 1 + (int)below(3), .cap = some_cap(),
			.durable = below(2) == 0 };
	const struct m_run *r = &m->run[o.run];
	int there;

	o.other = below(3) == 0 ? (int)below(RUNS) : o.run;
	if (o.what == TAKE && below(2) == 0)
		o.cap = INT64_MAX;
	if (o.what != NEW && o.what != FORK && r->ours)
		o.what = below(8) == 0 ? o.what : PUT;
	if (o.what == PUT && !r->ours)
		o.what = r->there ? TAKE : NEW;
	if (o.what == PUT) {
		there = steps_of(r);
		o.n = 1 + (int)below(there < STEPS ? there + 1 : STEPS);
		o.to = o.n - 1 + (int)below(STEPS - o.n + 2);
		if (o.to < there && below(2) == 0)
			o.to = o.n;
		o.state = 1 + (int)below(4);
		o.status = below(3) > 0 ? AI_RUN_OPEN : 1 + (int)below(6);
		o.amount = below(100);
	}
	if (o.what == DECIDE)
		o.n = (int)below(STEPS + 1);
	if (o.what == FORK)
		o.n = 1 + (int)below(STEPS);
	if (o.what == FORGET && o.user == 0)
		o.user = 1;
	return o;
}

/* One that was under way: it was done, or it was not. */
static void settle(struct ai_ledger *l)
{
	static struct model after;

	for (int i = 0; i < RUNS; i++)
		shared->model.run[i].ours = false;
	after = shared->model;
	if (shared->pending) {
		apply(&after, &shared->op);
		for (int i = 0; i < RUNS; i++)
			after.run[i].ours = false;
		shared->cut++;
		if (!agrees(l, &shared->model))
			shared->model = after;
	}
	shared->pending = false;
}

static void tell(const struct op *o, int64_t got, int64_t want)
{
	printf("# op %d run %d other %d n %d..%d user %d text %d status %d "
	       "state %d cap %lld: %lld, not %lld\n", o->what, o->run, o->other,
	       o->n, o->to, o->user, o->text, o->status, o->state,
	       (long long)o->cap, (long long)got, (long long)want);
	fflush(stdout);
}

static void live(int ops)
{
	struct ai_ledger *l = open_it();
	struct model *m = &shared->model;
	int64_t got, want;
	struct ai_err err;
	struct op o;
	int wrong = 0;

	settle(l);
	if (!agrees(l, m) || ai_ledger_check(l, complain, &wrong, &err) < 0 ||
	    wrong > 0) {
		printf("# it is not as it was left\n");
		shared->differ++;
	}
	writes_left = below(3) == 0 ? -1 : below(150);
	for (int i = 0; i < ops && shared->differ == 0; i++) {
		static struct model before;

		o = shared->op = choose(m);
		before = *m;
		shared->pending = true;
		got = real(l, &o, m, &err);
		shared->pending = false;
		want = apply(m, &o);
		shared->ops++;
		if (got != want || (below(8) == 0 && !agrees(l, m))) {
			tell(&o, got, want);
			shared->differ++;
		}
		(void)before;
	}
	if (below(2) == 0)
		kill(getpid(), SIGKILL);
	ai_ledger_close(l);
	_exit(0);
}

static void test_histories(uint64_t first, int64_t lives)
{
	int64_t i, killed = 0;
	int ws;

	for (i = 0; i < lives && shared->differ == 0; i++) {
		pid_t pid;

		if (i % 40 == 0) {
			new_path();
			memset(&shared->model, 0, sizeof(shared->model));
			shared->pending = false;
		}
		fflush(stdout);
		seed = first + (uint64_t)i * 1000003;
		pid = fork();
		if (pid == 0)
			live(1 + (int)below(40));
		waitpid(pid, &ws, 0);
		killed += WIFSIGNALED(ws);
		if (WIFEXITED(ws) && WEXITSTATUS(ws) != 0)
			shared->differ++;
	}
	ok(shared->differ == 0, "%ld operations by %lld processes, %lld of "
	   "them killed, %ld in the middle, seed %llu", shared->ops,
	   (long long)i, (long long)killed, shared->cut,
	   (unsigned long long)first);
	ok(killed > i / 4 && shared->cut > i / 10, "they were killed");
}

/* ---- one by one -------------------------------------------------------------------------- */

static int new_run(struct ai_ledger *l, const char *id, const char *user,
		   struct ai_run *run)
{
	const struct ai_run_new r = { .id = id, .root = id, .user = user,
		.task = AI_SPAN("{\"task\":\"x\"}"), .setup = AI_SPAN("{}"),
		.cap = 1000 };
	struct ai_err err;

	return ai_run_new(l, &r, run, &err);
}

static int put_steps(struct ai_ledger *l, const struct ai_run *run, int64_t n,
		     enum ai_run_status status)
{
	const struct ai_run_change c = { .status = status };
	struct ai_err err;

	for (int64_t i = 1; i <= n; i++) {
		const struct ai_step s = { .n = i, .kind = AI_STEP_MODEL,
			.state = AI_STEP_DONE, .key = "", .said = "",
			.result = AI_SPAN("{\"text\":\"\xc3\xa9\"}") };

		if (ai_run_put(l, run, &s, 1, &c, false, &err) < 0)
			return -1;
	}
	return 0;
}

/* While another process has it, nobody else gets it. */
static void test_owner(void)
{
	struct ai_ledger *l;
	struct ai_run run;
	struct ai_err err;
	int p[2], ws;
	pid_t pid;
	char c;

	new_path();
	l = open_it();
	if (pipe(p) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		struct ai_ledger *mine = open_it();

		new_run(mine, "held", NULL, &run);
		if (write(p[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	ok(read(p[0], &c, 1) == 1 &&
	   ai_run_take(l, "held", INT64_MAX, &run, &err) < 0 &&
	   err.code == AI_E_TRY_LATER && strstr(err.msg, "works on") != NULL,
	   "a run that somebody works on cannot be taken");
	ok(ai_run_remove(l, "held", NULL, &err) < 0 && err.code == AI_E_TRY_LATER,
	   "nor removed");
	ok(ai_run_decide(l, "held", 0, "yes", &err) < 0 &&
	   err.code == AI_E_TRY_LATER, "nor decided about");
	kill(pid, SIGKILL);
	/* Not waited for: a zombie works on nothing. */
	for (int i = 0; i < 500 && ai_run_take(l, "held", INT64_MAX, &run,
					       &err) < 0; i++)
		usleep(10000);
	ok(put_steps(l, &run, 2, AI_RUN_OPEN) == 0 &&
	   ask(l, "SELECT count(*) FROM step") == 2,
	   "once he is killed it can");
	waitpid(pid, &ws, 0);
	close(p[0]);
	close(p[1]);
	ai_ledger_close(l);
}

/* What ai-complete has kept for a run goes with it. */
static void keep_answer(struct ai_ledger *l, const char *name)
{
	struct ai_batch b;
	struct ai_err err;

	ok(ai_batch_open(l, name, false, &b, &err) == 0 &&
	   ai_batch_close(l, &b, &err) == 0, "answers are kept for %s", name);
}

static void test_ends(void)
{
	struct ai_ledger *l;
	struct ai_run run;
	struct ai_err err;

	new_path();
	l = open_it();
	new_run(l, "one", NULL, &run);
	keep_answer(l, AI_RUN_BATCH "one");
	ok(ask(l, "SELECT cap FROM budget WHERE scope='run' AND name='one'") ==
	   1000, "a run has a budget");
	ok(put_steps(l, &run, 1, AI_RUN_DONE) == 0 &&
	   ask(l, "SELECT count(*) FROM budget WHERE scope='run'") == 0 &&
	   ask(l, "SELECT count(*) FROM batch") == 0,
	   "its end takes budget and answers along");
	new_run(l, "two", NULL, &run);
	put_steps(l, &run, 1, AI_RUN_PARTIAL);
	ai_run_take(l, "two", 5, &run, &err);
	keep_answer(l, AI_RUN_BATCH "two");
	ok(ai_run_remove(l, "two", NULL, &err) == 0 &&
	   ask(l, "SELECT count(*) FROM budget WHERE scope='run'") == 0 &&
	   ask(l, "SELECT count(*) FROM batch") == 0 &&
	   ask(l, "SELECT count(*) FROM step") == 1,
	   "removed while it is gone on with, it leaves nothing");
	ok(ai_run_remove(l, "two", NULL, &err) < 0 && err.code == AI_E_USAGE,
	   "twice is a mistake");
	ai_ledger_close(l);
}

static void test_forget(void)
{
	struct ai_forgotten gone = { 0 };
	struct ai_ledger *l;
	struct ai_run run;
	struct ai_err err;
	int wrong = 0;

	new_path();
	l = open_it();
	new_run(l, "hers", "ada", &run);
	put_steps(l, &run, 3, AI_RUN_OPEN);
	keep_answer(l, AI_RUN_BATCH "hers");
	new_run(l, "his", "bob", &run);
	put_steps(l, &run, 2, AI_RUN_OPEN);
	ok(ai_ledger_forget(l, "ada", &gone, &err) == 1 && gone.runs == 1,
	   "a user's runs are forgotten with him");
	ok(ask(l, "SELECT count(*) FROM run") == 1 &&
	   ask(l, "SELECT count(*) FROM step") == 2,
	   "steps, too; those of others stay");
	ok(ask(l, "SELECT count(*) FROM budget WHERE scope='run'") == 1 &&
	   ask(l, "SELECT count(*) FROM batch") == 0,
	   "no budget and no answers of it are left");
	ok(ai_ledger_check(l, complain, &wrong, &err) == 0 && wrong == 0,
	   "the ledger agrees with itself");
	ai_ledger_close(l);
}

/* ---- as text ------------------------------------------------------------------------------ */

static struct ai_buf lines;
static size_t at;

static int add_line(void *arg, const struct ai_buf *line)
{
	(void)arg;
	ai_buf_add(&lines, line->p, line->len);
	ai_buf_chr(&lines, '\n');
	return 0;
}

static int next_line(void *arg, struct ai_span *line, struct ai_err *err)
{
	const char *nl;

	(void)arg;
	(void)err;
	if (at == lines.len)
		return 0;
	nl = memchr(lines.p + at, '\n', lines.len - at);
	*line = (struct ai_span){ lines.p + at, (size_t)(nl - lines.p) - at };
	at = (size_t)(nl - lines.p) + 1;
	return 1;
}

static void test_text(void)
{
	struct ai_ledger *l;
	struct ai_buf first = AI_BUF_INIT(1 << 24);
	struct ai_run run;
	struct ai_err err;
	long rows = 0;
	int wrong = 0;

	ai_buf_init(&lines, 1 << 24);
	new_path();
	l = open_it();
	new_run(l, "one", "ada", &run);
	put_steps(l, &run, 3, AI_RUN_PARKED);
	new_run(l, "two", NULL, &run);
	put_steps(l, &run, 2, AI_RUN_DONE);
	ok(ai_ledger_export(l, add_line, NULL, &err) == 0, "an export");
	ai_ledger_close(l);
	ai_buf_add(&first, lines.p, lines.len);
	new_path();
	l = open_it();
	at = 0;
	ok(ai_ledger_import(l, next_line, NULL, &rows, &err) == 0 && rows > 7,
	   "an import: %s", err.code == AI_E_NONE ? "" : err.msg);
	ok(ask(l, "SELECT count(*) FROM run") == 2 &&
	   ask(l, "SELECT count(*) FROM step") == 5 &&
	   ai_ledger_check(l, complain, &wrong, &err) == 0 && wrong == 0,
	   "runs and steps come with it");
	ai_buf_clear(&lines);
	ok(ai_ledger_export(l, add_line, NULL, &err) == 0 &&
	   lines.len == first.len &&
	   memcmp(lines.p, first.p, lines.len) == 0,
	   "exported again it is the same");
	ok(ai_run_take(l, "one", INT64_MAX, &run, &err) == 0 &&
	   put_steps(l, &run, 4, AI_RUN_DONE) == 0, "it can be gone on with");
	ai_ledger_close(l);
	ai_buf_release(&first);
	ai_buf_release(&lines);
}

/* ---- damage ------------------------------------------------------------------------------- */

static void test_damage(void)
{
	static const struct {
		const char *sql, *what;
	} damages[] = {
		{ "PRAGMA foreign_keys=OFF; DELETE FROM run WHERE id='one'",
		  "steps without a run" },
		{ "DELETE FROM step WHERE n=2", "a step that is missing" },
		{ "UPDATE run SET person='*gone' WHERE id='one'",
		  "a user who is not there" },
		{ "UPDATE step SET state=9 WHERE n=1", "a state that is none" },
		{ "UPDATE run SET status=0", "a status that is none" },
		{ "UPDATE step SET result='{' WHERE n=1",
		  "a result that is no JSON" },
	};
	struct ai_ledger *l;
	struct ai_run run;
	struct ai_err err;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		int wrong = 0, before = 0;

		new_path();
		l = open_it();
		new_run(l, "one", "ada", &run);
		put_steps(l, &run, 3, AI_RUN_PARKED);
		ai_ledger_check(l, complain, &before, &err);
		ok(before == 0 && ai_db_exec(&l->db, damages[i].sql, &err) == 0
		   && ai_ledger_check(l, complain, &wrong, &err) == 0 &&
		   wrong > 0, "check finds %s", damages[i].what);
		ai_ledger_close(l);
	}
}

int main(int argc, char **argv)
{
	/* As an argument would be. */
	char *lives[] = { getenv("AI_TEST_LIVES") };

	if (mkdtemp(folder) == NULL)
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	test_owner();
	test_ends();
	test_forget();
	test_text();
	test_damage();
	test_histories((uint64_t)number(argc, argv, 1, 1),
		       number(argc, argv, 2, number(lives[0] != NULL, lives, 0,
						    400)));
	remove_folder(folder);
	return done();
}
