/* again.c: runs that are gone on with. */
#include "flags.h"
#include "flow/stored.h"
#include "flow/verb.h"
#include "strlist.h"
#include "team/team.h"
#include "worker.h"

#include "base/msg.h"
#include "base/path.h"
#include "base/sig.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/loop.h"
#include "record/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 65536

/* ---- how it was begun -------------------------------------------------------------- */

/* What options point to lives as long as the program. */
static struct agent_strings restored;
/* What is not restored: the name is known, the ledger is the one that the run
 * was found in, and its limits and what the model is told stand in the setup. */
static bool is_known(const char *name)
{
	return strcmp(name, "run") == 0 || strcmp(name, "ledger") == 0 ||
		strcmp(name, "limit") == 0 || strcmp(name, "system") == 0 ||
		strcmp(name, "system-file") == 0 ||
		strcmp(name, "team") == 0 || strcmp(name, "agent") == 0;
}

/* A flag that was given then, unless it is given now. */
static int restore(struct ai_value flag, const bool *given, struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(100), value = AI_BUF_INIT(1 << 20);
	int i, rc = 0;

	ai_json_text(ai_json_get(flag, "0"), &name);
	ai_json_text(ai_json_get(flag, "1"), &value);
	i = ai_opts_find(&ai_start_opts, (struct ai_span){
			 ai_buf_cstr(&name), name.len });
	if (i >= 0 && !given[i] && !is_known(ai_buf_cstr(&name))) {
		rc = agent_strings_take(&restored, &value, err);
		if (rc == 0)
			rc = ai_opts_set(&ai_start_opts, (size_t)i,
					 AI_SOURCE_FLAG,
					 restored.v[restored.n - 1],
					 ai_buf_cstr(&name), err);
		if (ai_json_true(ai_json_get(flag, "2")))
			agent_flags_weaken((size_t)i);
	}
	ai_buf_release(&name);
	ai_buf_release(&value);
	return rc;
}

/* A list is what it was then: what is configured now is not added to it. */
static void clear_lists(const bool *given)
{
	for (size_t i = 0; i < ai_start_opts.n; i++) {
		const struct ai_opt *o = ai_opts_at(&ai_start_opts, i);

		if (o->type == AI_OPT_LIST && !given[i] && !is_known(o->name))
			((struct ai_opt_list *)o->to)->n = 0;
	}
}

/* Where it was begun: tools begin there again. */
static int restore_folder(struct ai_value folder, struct ai_err *err)
{
	struct ai_buf path = AI_BUF_INIT(1 << 16);
	int rc = 0;

	if (folder.kind == AI_STRING && ai_json_text(folder, &path) == 0)
		rc = agent_strings_take(&restored, &path, err);
	if (rc == 0 && folder.kind == AI_STRING)
		agent.folder = restored.v[restored.n - 1];
	ai_buf_release(&path);
	return rc;
}

static int restore_all(struct ai_span setup, struct ai_err *err)
{
	bool *given = calloc(ai_start_opts.n, sizeof(*given));
	struct ai_json_iter it;
	struct ai_value v, flag;
	int rc = 0;

	if (given == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < ai_start_opts.n; i++)
		given[i] = ai_start_opts.source[i] == AI_SOURCE_FLAG;
	if (ai_json_check(setup.p, setup.n, &v, err) == 0) {
		rc = restore_folder(ai_json_get(v, "folder"), err);
		v = ai_json_get(v, "flags");
		if (v.kind == AI_ARRAY) {
			clear_lists(given);
			ai_json_iter_init(&it, v);
			while (rc == 0 && ai_json_next(&it, NULL, &flag))
				rc = restore(flag, given, err);
		}
	}
	free(given);
	return rc;
}

/* Who of a workflow it was; the file stands with the outermost run as it was
 * when that began. */
static int restore_team(struct ai_span setup, const char *root,
			struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(100);
	struct ai_value v;
	int rc = 0;

	if (ai_json_check(setup.p, setup.n, &v, err) == 0 &&
	    ai_json_get(v, "agent").kind == AI_STRING) {
		ai_json_text(ai_json_get(v, "agent"), &name);
		rc = agent_strings_take(&restored, &name, err) < 0 ||
			agent_strings_fmt(&restored, err, AGENT_TEAM_RUN "%s",
					  root) < 0 ? -1 : 0;
		if (rc == 0) {
			agent.name = restored.v[restored.n - 2];
			agent.team = restored.v[restored.n - 1];
		}
	}
	ai_buf_release(&name);
	return rc;
}

struct begun {
	struct ai_buf setup;
	char root[AI_RUN_ID];
	int64_t steps, pid; /* pid: who works on it, if he lives */
	bool flow;          /* it is the run of a workflow */
};

static int keep(void *arg, const struct ai_run_row *row)
{
	struct begun *b = arg;

	ai_buf_add(&b->setup, row->setup.p, row->setup.n);
	snprintf(b->root, sizeof(b->root), "%s", row->root);
	b->steps = row->steps;
	b->flow = flow_is_setup(row->setup);
	b->pid = row->pid;
	return 0;
}

/* The run that begins like the operand; its options are in force then. */
static int find(const char *prefix, char id[AI_RUN_ID], struct begun *b,
		struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	ai_buf_init(&b->setup, AGENT_TEXT_MAX);
	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	rc = ai_run_find(l, prefix, id, err);
	if (rc == 0)
		rc = ai_run_get(l, id, keep, b, err) < 0 ? -1 : 0;
	ai_ledger_close(l);
	if (rc == 0)
		rc = restore_team((struct ai_span){ ai_buf_cstr(&b->setup),
						    b->setup.len },
				  b->root, err);
	if (rc == 0)
		rc = restore_all((struct ai_span){ ai_buf_cstr(&b->setup),
						   b->setup.len }, err);
	ai_buf_release(&b->setup);
	return rc == 0 ? agent_team_read(err) : rc;
}

/* ---- through it ----------------------------------------------------------------------- */

/* Where nobody reads any more it is no error: SIGPIPE ends us (ai_sig_die()). */
static int write_out(const struct ai_buf *out, struct ai_err *err)
{
	struct ai_writer w;
	int rc;

	ai_writer_init(&w, STDOUT_FILENO);
	rc = ai_buf_check(out, "the record", err) < 0 ||
		ai_writer_add(&w, out->p, out->len, err) < 0 ||
		ai_writer_flush(&w, err) < 0 ? -1 : 0;
	if (w.stopped)
		rc = 0;
	ai_writer_release(&w);
	return rc;
}

static int put(struct ai_rec *rec, const struct ai_buf *text,
	       const struct ai_err *why, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(4 * AGENT_TEXT_MAX);
	int rc = 0;

	if (ai_loop.plain_out) {
		ai_buf_add(&out, text->p, text->len);
		if (text->len > 0 || why->code == AI_E_NONE)
			ai_buf_chr(&out, '\n');
		if (why->code != AI_E_NONE)
			ai_msg_err(why);
	} else {
		if (why->code != AI_E_NONE) {
			static const struct ai_value none;

			rc = ai_rec_fail_with(rec, "ai-agent", why, none, err);
		} else {
			ai_rec_drop(rec, "error");
		}
		if (rc == 0)
			rc = ai_rec_write(rec, &out);
	}
	if (rc == 0)
		rc = write_out(&out, err);
	ai_buf_release(&out);
	return rc < 0 ? -1 : (int)ai_code_exit(why->code);
}

/* What it gave is written as the record that it began with. */
static int go_through(const char *id, bool replay, struct ai_buf *line,
		      struct ai_rec *rec, struct ai_buf *text,
		      struct ai_err *why, struct ai_err *err)
{
	struct agent_worker w;
	int rc = agent_worker_init(&w, err);

	if (rc == 0)
		rc = agent_worker_tools(&w, err);
	if (rc == 0)
		rc = agent_worker_resume(&w, id, replay, line, rec, text, why,
					 err);
	agent_worker_release(&w);
	return rc;
}

static int go_on(const char *id, const struct begun *b, bool replay,
		 struct ai_err *err)
{
	struct ai_buf line = AI_BUF_INIT(AGENT_TEXT_MAX),
		      text = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_err why = { .code = AI_E_NONE };
	struct ai_rec rec;
	int rc;

	ai_rec_init(&rec);
	rc = (b->flow ? flow_run_kept : go_through)(id, replay, &line, &rec,
						    &text, &why, err);
	if (rc == 0)
		rc = put(&rec, &text, &why, err);
	ai_rec_release(&rec);
	ai_buf_release(&line);
	ai_buf_release(&text);
	if (rc >= 0)
		ai_sig_die();
	return rc;
}

static int one_operand(int argc, char **argv, const char *usage,
		       struct ai_err *err)
{
	return argc == 1 ? 0 : ai_err_set(err, AI_E_USAGE, argv[argc] == NULL &&
		argc == 0 ? "which run? usage: ai-agent %s"
			  : "usage: ai-agent %s", usage);
}

/* ---- all of them ------------------------------------------------------------------------- */

struct ids {
	char (*v)[AI_RUN_ID];
	size_t n;
	bool failed;
};

/* What may go on without anybody's word. */
static bool may_go_on(const struct ai_run_row *row)
{
	return (row->status == AI_RUN_OPEN || row->status == AI_RUN_PAUSED) &&
		row->pid == 0 && strcmp(row->id, row->root) == 0;
}

static int add_open(void *arg, const struct ai_run_row *row)
{
	struct ids *ids = arg;
	void *v;

	if (!may_go_on(row))
		return 0;
	v = realloc(ids->v, (ids->n + 1) * sizeof(ids->v[0]));
	if (v == NULL) {
		ids->failed = true;
		return 1;
	}
	ids->v = v;
	memcpy(ids->v[ids->n++], row->id, AI_RUN_ID);
	return 0;
}

static bool is_all(const void *to, const char *name)
{
	(void)name;
	return to == &agent.all;
}

/* It shares our terminal and our output, so that it can ask a person, and
 * Ctrl-C reaches it; what only we are sent, it gets from us. */
static int run_to_end(const char *const *argv, int *status, struct ai_err *err)
{
	pid_t pid = fork();
	int how = 0;

	if (pid < 0)
		return ai_err_sys(err, AI_E_OS, errno, "cannot start '%s'",
				  argv[0]);
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		if (ai_sig_asked() == AI_SIG_NOW)
			kill(pid, SIGTERM);
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	return 0;
}

/* Each by a process of its own, as each has options of its own. */
static int resume_one(const char *id, int *worst, struct ai_err *err)
{
	struct agent_strings argv = { NULL, 0, 0 };
	int status = 0, rc;
	char *self;

	if (ai_path_sibling("ai-agent", &self, err) < 0)
		return -1;
	rc = agent_strings_add(&argv, ai_span_of(self), err) < 0 ||
		agent_strings_add(&argv, AI_SPAN("resume"), err) < 0 ||
		agent_flags_argv(&argv, is_all, err) < 0 ||
		agent_strings_add(&argv, ai_span_of(id), err) < 0 ? -1 :
		run_to_end(agent_strings_list(&argv), &status, err);
	free(self);
	agent_strings_release(&argv);
	/* Nobody reads any more. */
	if (rc == 0 && status == 128 + SIGPIPE)
		ai_sig_pipe();
	/* What it has said itself does not always name the run. */
	else if (rc == 0 && status != 0)
		ai_msg(AI_MSG_WARN, "the run '%s' ended with status %d", id,
		       status);
	if (rc == 0 && status > *worst)
		*worst = status;
	return rc;
}

static int look_again(void *arg, const struct ai_run_row *row)
{
	*(bool *)arg = may_go_on(row);
	return 0;
}

static int resume_all(struct ai_err *err)
{
	struct ids ids = { NULL, 0, false };
	struct ai_ledger *l;
	int rc, worst = 0;
	bool goes;

	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	rc = ai_run_list(l, add_open, &ids, err);
	if (rc == 0 && ids.failed)
		rc = ai_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < ids.n &&
	     ai_sig_asked() == AI_SIG_NO; i++) {
		/* Somebody else may have gone on with it in the meantime. */
		goes = false;
		rc = ai_run_get(l, ids.v[i], look_again, &goes, err) < 0 ? -1 :
			goes ? resume_one(ids.v[i], &worst, err) : 0;
	}
	ai_ledger_close(l);
	free(ids.v);
	if (rc >= 0)
		ai_sig_die();
	return rc < 0 ? -1 : worst;
}

/* ---- verbs -------------------------------------------------------------------------------- */

int agent_resume(int argc, char **argv, struct ai_err *err)
{
	char id[AI_RUN_ID];
	struct begun b;

	if (ai_sig_catch(err) < 0)
		return -1;
	if (agent.all)
		return argc == 0 ? resume_all(err) :
			ai_err_set(err, AI_E_USAGE, "--all and a run");
	return one_operand(argc, argv, "resume RUN | --all", err) < 0 ||
		find(argv[0], id, &b, err) < 0 ? -1 : go_on(id, &b, false, err);
}

int agent_replay(int argc, char **argv, struct ai_err *err)
{
	char id[AI_RUN_ID];
	struct begun b;

	return one_operand(argc, argv, "replay RUN", err) < 0 ||
		find(argv[0], id, &b, err) < 0 ? -1 : go_on(id, &b, true, err);
}

/* RUN or RUN@STEP. */
static int split(const char *operand, char prefix[AI_RUN_ID], int64_t *n,
		 struct ai_err *err)
{
	const char *at = strchr(operand, '@');
	size_t len = at != NULL ? (size_t)(at - operand) : strlen(operand);

	*n = 0;
	if (len >= AI_RUN_ID || (at != NULL && (ai_parse_i64(
			ai_span_of(at + 1), n) < 0 || *n < 1)))
		return ai_err_set(err, AI_E_USAGE, "'%.80s' is not RUN or "
				  "RUN@STEP", operand);
	memcpy(prefix, operand, len);
	prefix[len] = '\0';
	return 0;
}

/* What waits, and which word of a person it needs. */
enum word { ALLOW, ANSWER, OUTCOME };

struct waiting {
	int64_t n;    /* that is meant; 0: all */
	enum word said;
	bool wrong;
	enum word needs; /* of the first that needs another */
};

static enum word word_of(const struct ai_step *s)
{
	struct ai_value v, why;
	struct ai_err err;

	if (s->intent.p == NULL ||
	    ai_json_check(s->intent.p, s->intent.n, &v, &err) < 0)
		return ALLOW;
	why = ai_json_get(v, "why");
	if (ai_json_is(ai_json_get(v, "tool"), AI_SPAN("ask_user")))
		return ANSWER;
	return why.kind == AI_STRING && memmem(why.s.p, why.s.n,
		AGENT_UNSEEN, strlen(AGENT_UNSEEN)) != NULL ? OUTCOME : ALLOW;
}

static int look(void *arg, const struct ai_step *s)
{
	struct waiting *w = arg;

	if (s->state != AI_STEP_WAITING || (w->n > 0 && s->n != w->n) ||
	    w->wrong || word_of(s) == w->said)
		return 0;
	w->wrong = true;
	w->needs = word_of(s);
	w->n = s->n;
	return 0;
}

/* Which word it needs: an error for who has said another one. */
static int say_needs(enum word w, const char *id, int64_t n,
		     struct ai_err *err)
{
	static const char *const needs[] = {
		[ALLOW] = "waits to be allowed: 'ai-agent approve %s@%lld' or "
			  "'deny'",
		[ANSWER] = "is a question: 'ai-agent approve %s@%lld --answer "
			   "TEXT'",
		[OUTCOME] = "is a call whose end nobody saw: look whether it was "
			    "done, and say 'ai-agent approve %s@%lld' with "
			    "--done or --again",
	};
	struct ai_buf text = AI_BUF_INIT(1000);

	for (const char *p = needs[w]; *p != '\0'; p++)
		if (strncmp(p, "%s@%lld", 7) == 0) {
			ai_buf_fmt(&text, "%s@%lld", id, (long long)n);
			p += 6;
		} else {
			ai_buf_chr(&text, *p);
		}
	ai_err_set(err, AI_E_USAGE, "step %lld %s", (long long)n,
		   ai_buf_cstr(&text));
	ai_buf_release(&text);
	return -1;
}

static int check_flags(struct ai_err *err)
{
	return (agent.answer != NULL) + agent.done + agent.again <= 1 ? 0 :
		ai_err_set(err, AI_E_USAGE, "--answer, --done and --again are "
			   "one or the other");
}

static enum word said_word(void)
{
	return agent.answer != NULL ? ANSWER : agent.done || agent.again
		? OUTCOME : ALLOW;
}

static int check_word(struct ai_ledger *l, const char *id, int64_t n,
		      struct ai_err *err)
{
	struct waiting w = { .n = n, .said = said_word() };

	if (check_flags(err) < 0 || ai_run_steps(l, id, look, &w, err) < 0)
		return -1;
	return w.wrong ? say_needs(w.needs, id, w.n, err) : 0;
}

/* ---- of a workflow: what waits stands in the runs below it ------------------------- */

#define LEAVES 1000 /* steps that wait, in one workflow */
#define DEEP 20

struct leaf {
	char run[AI_RUN_ID];
	int64_t n;
	bool below; /* it waits for a run of its own, which is in the list */
	bool chosen; /* it is decided about */
	size_t parent; /* that waits for its run; SIZE_MAX: none does */
	int64_t top; /* the step of the workflow that it is, or is below */
	enum word needs;
};

struct leaves {
	struct leaf *v; /* owned */
	size_t n;
	const char *run;
	int64_t only; /* this step; 0: all */
	size_t parent;
	char (*keys)[33];
};

static int add_leaf(void *arg, const struct ai_step *s)
{
	struct leaves *l = arg;

	if (s->state != AI_STEP_WAITING || (l->only > 0 && s->n != l->only) ||
	    l->n == LEAVES)
		return 0;
	snprintf(l->keys[l->n], sizeof(l->keys[0]), "%s", s->key);
	l->v[l->n] = (struct leaf){ .n = s->n, .needs = word_of(s),
		.parent = l->parent, .top = l->parent == SIZE_MAX ? s->n
			: l->v[l->parent].top };
	snprintf(l->v[l->n++].run, AI_RUN_ID, "%s", l->run);
	return 0;
}

static int look_parked(void *arg, const struct ai_run_row *row)
{
	*(bool *)arg = row->status == AI_RUN_PARKED;
	return 0;
}

/* What waits in a run, and in those that it waits for. */
static int find_leaves(struct ai_ledger *l, struct leaves *to, const char *run,
		       int64_t only, int deep, size_t parent,
		       struct ai_err *err)
{
	size_t from = to->n, end;
	char child[AI_RUN_ID];
	bool parked;

	to->run = run;
	to->only = only;
	to->parent = parent;
	if (ai_run_steps(l, run, add_leaf, to, err) < 0)
		return -1;
	end = to->n;
	for (size_t i = from; i < end; i++) {
		parked = false;
		snprintf(child, sizeof(child), "d-%s", to->keys[i]);
		if (ai_run_get(l, child, look_parked, &parked, err) < 0)
			return -1;
		to->v[i].below = parked && deep < DEEP;
		if (to->v[i].below && find_leaves(l, to, child, 0, deep + 1,
						  i, err) < 0)
			return -1;
	}
	return 0;
}

static int look_spent(void *arg, const struct ai_run_row *row)
{
	*(int64_t *)arg = row->spent_ms;
	return 0;
}

/* Who has decided owns the run; it is for the workflow's agents to go on. */
static int give_back(struct ai_ledger *l, const char *id, struct ai_err *err)
{
	struct ai_run_change c = { .status = AI_RUN_PARKED };
	struct ai_run run;

	return ai_run_get(l, id, look_spent, &c.spent_ms, err) < 0 ||
		ai_run_take(l, id, INT64_MAX, &run, err) < 0 ? -1 :
		ai_run_put(l, &run, NULL, 0, &c, true, err);
}

/* What the word fits, and what waits for that; false: nothing. */
static bool choose(const struct leaves *of, const char *id, bool check)
{
	bool any = false;

	for (size_t i = 0; i < of->n; i++) {
		const struct leaf *leaf = &of->v[i];

		if (leaf->below || (check && strcmp(leaf->run, id) != 0 &&
				    leaf->needs != said_word()))
			continue;
		any = true;
		for (size_t k = i; k != SIZE_MAX; k = of->v[k].parent)
			of->v[k].chosen = true;
	}
	return any;
}

static int decide_leaves(struct ai_ledger *l, const struct leaves *of,
			 const char *id, const char *said, bool check,
			 struct ai_err *err)
{
	if (check && check_flags(err) < 0)
		return -1;
	if (!choose(of, id, check)) {
		for (size_t i = 0; i < of->n; i++)
			if (!of->v[i].below)
				return say_needs(of->v[i].needs, id,
						 of->v[i].top, err);
		return ai_err_set(err, AI_E_USAGE, "nothing in the workflow's "
				  "run '%.80s' waits for a decision", id);
	}
	for (size_t i = of->n; i-- > 0;) {
		const struct leaf *leaf = &of->v[i];
		bool own = strcmp(leaf->run, id) == 0;

		if (leaf->chosen &&
		    (ai_run_decide(l, leaf->run, leaf->n, leaf->below || own
				   ? "yes" : said, err) < 0 ||
		     (!own && give_back(l, leaf->run, err) < 0)))
			return -1;
	}
	return 0;
}

static int decide_flow(struct ai_ledger *l, const char *id, int64_t n,
		       const char *said, bool check, struct ai_err *err)
{
	struct leaves of = { .v = calloc(LEAVES, sizeof(*of.v)),
			     .keys = calloc(LEAVES, sizeof(*of.keys)) };
	int rc = of.v == NULL || of.keys == NULL ? ai_err_nomem(err) :
		find_leaves(l, &of, id, n, 0, SIZE_MAX, err);

	if (rc == 0)
		rc = decide_leaves(l, &of, id, said, check, err);
	free(of.v);
	free(of.keys);
	return rc;
}

static int decide(const char *operand, const char *said, bool check,
		  struct ai_err *err)
{
	char prefix[AI_RUN_ID], id[AI_RUN_ID];
	struct ai_ledger *l;
	struct begun b;
	int64_t n;
	int rc;

	if (split(operand, prefix, &n, err) < 0 || ai_sig_catch(err) < 0 ||
	    find(prefix, id, &b, err) < 0 ||
	    ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	if (b.flow) {
		rc = decide_flow(l, id, n, said, check, err);
	} else {
		rc = check ? check_word(l, id, n, err) : 0;
		if (rc == 0)
			rc = ai_run_decide(l, id, n, said, err) < 0 ? -1 : 0;
	}
	ai_ledger_close(l);
	return rc < 0 ? -1 : go_on(id, &b, false, err);
}

int agent_approve(int argc, char **argv, struct ai_err *err)
{
	struct ai_buf said = AI_BUF_INIT(SAID_MAX);
	int rc;

	if (one_operand(argc, argv, "approve RUN[@STEP] [--answer TEXT | --done "
			"| --again]", err) < 0)
		return -1;
	if (agent.answer != NULL)
		ai_buf_fmt(&said, "answer:%s", agent.answer);
	else
		ai_buf_str(&said, agent.done ? "done" : agent.again ? "again"
								    : "yes");
	rc = ai_buf_check(&said, "--answer", err) < 0 ? -1 :
		decide(argv[0], ai_buf_cstr(&said), true, err);
	ai_buf_release(&said);
	return rc;
}

int agent_deny(int argc, char **argv, struct ai_err *err)
{
	return one_operand(argc, argv, "deny RUN[@STEP]", err) < 0 ? -1 :
		decide(argv[0], "no", false, err);
}

struct under_way {
	int64_t before, n; /* n: the step; 0: none is */
};

static int look_under_way(void *arg, const struct ai_step *s)
{
	struct under_way *u = arg;

	if (s->n < u->before && s->state == AI_STEP_STARTED)
		u->n = s->n;
	return u->n > 0;
}

/* What somebody does at this moment is not yet known to be done or not; whose
 * end nobody will see is looked at when the fork goes on (decide.c). */
static int check_at_rest(const char *id, int64_t before, const struct begun *b,
			 struct ai_err *err)
{
	struct under_way u = { before, 0 };
	struct ai_ledger *l;
	int rc;

	if (b->pid == 0)
		return 0;
	if (ai_ledger_open(&l, ai_paid.ledger, err) < 0)
		return -1;
	rc = ai_run_steps(l, id, look_under_way, &u, err);
	ai_ledger_close(l);
	return rc < 0 || u.n == 0 ? rc :
		ai_err_set(err, AI_E_TRY_LATER, "step %lld of the run '%s' is "
			   "under way (process %lld); wait for its end",
			   (long long)u.n, id, (long long)b->pid);
}

int agent_fork(int argc, char **argv, struct ai_err *err)
{
	char prefix[AI_RUN_ID], from[AI_RUN_ID], id[AI_RUN_ID];
	struct agent_worker w;
	struct begun b;
	int64_t n;
	int rc;

	if (one_operand(argc, argv, "fork RUN@STEP", err) < 0 ||
	    split(argv[0], prefix, &n, err) < 0 || ai_sig_catch(err) < 0 ||
	    find(prefix, from, &b, err) < 0)
		return -1;
	if (n > b.steps + 1)
		return ai_err_set(err, AI_E_USAGE, "the run '%s' has only %lld "
				  "steps", from, (long long)b.steps);
	if (n == 0)
		n = b.steps + 1;
	if (check_at_rest(from, n, &b, err) < 0)
		return -1;
	rc = agent_worker_init(&w, err);
	if (rc == 0)
		rc = agent_worker_fork(&w, from, n, id, err);
	agent_worker_release(&w);
	return rc < 0 ? -1 : go_on(id, &b, false, err);
}
