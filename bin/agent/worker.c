/* worker.c: a task on its way: a run is made or taken, gone through, ended, and
 * written into its record. */
#include "worker.h"
#include "tool/builtin.h"
#include "flags.h"
#include "flow/stored.h"
#include "kept.h"
#include "mcp/mcp.h"
#include "task.h"
#include "team/team.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/start.h"
#include "crypt/hash.h"
#include "model/paid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MARKER 8 /* random bytes */

/* ---- the worker ------------------------------------------------------------------ */

static int read_system(struct ai_buf *b, struct ai_err *err)
{
	const struct flow_agent *self = agent_team_self();
	int fd, rc;

	if (self != NULL)
		flow_agent_system(self, b);
	if (b->len > 0 && (agent.system != NULL || agent.system_file != NULL))
		ai_buf_str(b, "\n\n");
	if (agent.system != NULL)
		ai_buf_str(b, agent.system);
	if (agent.system_file == NULL)
		return ai_buf_check(b, "--system", err);
	if (agent.system != NULL)
		return ai_err_set(err, AI_E_USAGE, "--system and --system-file "
				  "at once");
	fd = ai_path_open(agent.system_file, err);
	if (fd < 0)
		return -1;
	rc = ai_buf_read(b, fd);
	close(fd);
	if (rc < 0 && b->bad == AI_E_NONE)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read '%s'",
				  agent.system_file);
	return ai_buf_check(b, agent.system_file, err);
}

int agent_worker_init(struct agent_worker *w, struct ai_err *err)
{
	memset(w, 0, sizeof(*w));
	agent_tools_init(&w->tools);
	ai_buf_init(&w->system, AGENT_TEXT_MAX);
	if (!ai_paid_has_ledger())
		return ai_err_set(err, AI_E_CONFIG, "ai-agent keeps its runs "
				  "in the ledger: it cannot do without one");
	return agent_team_limits(&w->limits, err) < 0 ||
		agent_approve_check(err) < 0 || read_system(&w->system, err) < 0
		? -1 : ai_ledger_open(&w->ledger, ai_paid.ledger, err);
}

static void warn_missing(void *arg, const char *tool, const char *what)
{
	(void)arg;
	ai_msg(AI_MSG_WARN, "the sandbox of '%s' is not whole: this kernel "
	       "cannot hold %s", tool, what);
}

static int add_servers(struct agent_worker *w, const struct agent_servers *s,
		       struct ai_err *err)
{
	if (s->n == 0)
		return 0;
	if (w->mcp == NULL &&
	    agent_mcp_new(&w->mcp, &w->sandbox, -1, err) < 0)
		return -1;
	/* Nobody looks at a terminal whose messages go elsewhere. */
	if (strcmp(agent.approve, "never") != 0 && isatty(STDERR_FILENO) &&
	    agent_mcp_asks(w->mcp, NULL, err) < 0)
		return -1;
	return agent_mcp_add(w->mcp, s, err);
}

static int add_builtins(struct agent_worker *w, struct ai_err *err)
{
	static const char *const usual[] = { "calc", NULL };
	static const char *const below[] = { "calc", "read_file", "list_files",
					     "search_files", NULL };
	const char **which = calloc(agent.with.n + 1, sizeof(*which)),
		   **hosts = calloc(agent.hosts.n + 1, sizeof(*hosts));
	struct agent_builtin_settings s = { .sandbox = &w->sandbox };
	int rc = -1;

	if (which != NULL && hosts != NULL) {
		for (size_t i = 0; i < agent.with.n; i++)
			which[i] = agent.with.v[i];
		for (size_t i = 0; i < agent.hosts.n; i++)
			hosts[i] = agent.hosts.v[i];
		s.hosts = hosts;
		s.which = agent.with.n > 0 ? which
			: agent.workdir != NULL ? below : usual;
		rc = agent.with.n == 1 && strcmp(which[0], "none") == 0 ? 0 :
			agent_builtins_add(&w->tools, &s, err);
	} else {
		ai_err_nomem(err);
	}
	free(which);
	free(hosts);
	return rc;
}

int agent_worker_tools(struct agent_worker *w, struct ai_err *err)
{
	struct agent_servers servers;
	int rc = 0;

	if (w->ready)
		return 0;
	if (agent_sandbox_init(&w->sandbox, agent.workdir != NULL
			       ? agent.workdir : agent.folder != NULL
			       ? agent.folder : ".",
			       (enum agent_sandbox_mode)agent.sandbox, err) < 0)
		return -1;
	w->sandbox.abi_max = (int)agent.landlock_abi;
	w->sandbox.missing = warn_missing;
	if (add_builtins(w, err) < 0 ||
	    (agent.index != NULL && agent_retrieve_add(&w->tools, &w->current, err) < 0))
		return -1;
	for (size_t i = 0; rc == 0 && i < agent.tools.n; i++) {
		memset(&servers, 0, sizeof(servers));
		rc = agent_tools_read(&w->tools, agent.tools.v[i], &w->sandbox,
				      &servers, err);
		if (rc == 0)
			rc = add_servers(w, &servers, err);
		agent_servers_release(&servers);
	}
	if (rc == 0 && w->mcp != NULL)
		rc = agent_mcp_start(w->mcp, &w->tools, err);
	if (rc == 0 && w->limits.v[AGENT_LIMIT_DEPTH] > agent.depth &&
	    agent.delegate)
		rc = agent_delegate_add(&w->tools, &w->current,
					w->limits.v[AGENT_LIMIT_FANOUT], err);
	if (rc == 0)
		rc = agent_team_tools(&w->tools, &w->current, &w->limits, err);
	w->ready = rc == 0;
	return rc;
}

void agent_worker_release(struct agent_worker *w)
{
	agent_model_free(w->model);
	agent_guard_free(w->guard);
	agent_mcp_free(w->mcp);
	agent_tools_release(&w->tools);
	agent_sandbox_release(&w->sandbox);
	ai_buf_release(&w->system);
	ai_ledger_close(w->ledger);
	memset(w, 0, sizeof(*w));
}

/* ---- a run's state ---------------------------------------------------------------- */

static int run_init(struct agent_run *r, struct agent_worker *w,
		    struct ai_err *err)
{
	memset(r, 0, sizeof(*r));
	r->journal.ledger = w->ledger;
	r->journal.ledger_path = ai_paid.ledger;
	r->journal.hold = -1;
	r->tools = &w->tools;
	r->mcp = w->mcp;
	r->limits = w->limits;
	agent_limits_none(&r->whole);
	r->model = w->model;
	r->guard = w->guard;
	w->model = NULL;
	w->guard = NULL;
	ai_buf_init(&r->messages, AGENT_TEXT_MAX);
	ai_buf_init(&r->text, AGENT_TEXT_MAX);
	ai_buf_init(&r->last_result, AGENT_TEXT_MAX);
	ai_buf_init(&r->handoff, AGENT_TEXT_MAX);
	ai_buf_init(&r->setup, AGENT_TEXT_MAX);
	ai_buf_init(&r->system, AGENT_TEXT_MAX);
	ai_buf_init(&r->note, AGENT_TEXT_MAX);
	ai_buf_add(&r->system, w->system.p, w->system.len);
	return agent_trust_new(&r->trust, err);
}

/* What the next run can use. */
static void give_back(struct agent_run *r, struct agent_worker *w)
{
	/* It books under the outermost run, which the next one's is, too. */
	if (agent_is_within() && agent_model_is_idle(r->model)) {
		w->model = r->model;
		r->model = NULL;
	}
	if (agent_guard_is_idle(r->guard)) {
		w->guard = r->guard;
		r->guard = NULL;
	}
}

static void run_release(struct agent_run *r, struct agent_worker *w)
{
	give_back(r, w);
	agent_model_free(r->model);
	agent_guard_free(r->guard);
	agent_trust_free(r->trust);
	agent_journal_release(&r->journal);
	ai_buf_release(&r->messages);
	ai_buf_release(&r->text);
	ai_buf_release(&r->last_result);
	ai_buf_release(&r->handoff);
	ai_buf_release(&r->setup);
	ai_buf_release(&r->system);
	ai_buf_release(&r->note);
}

/* ---- how it is worked on, as it is kept ---------------------------------------------- */

/* The outermost run has the workflow's file as it is now, for all that are
 * within it. */
static void put_team(struct ai_buf *b)
{
	const struct flow_agent *self = agent_team_self();

	if (self == NULL)
		return;
	ai_put_key(b, "agent");
	ai_put_cstr(b, self->name);
	if (agent_is_within())
		return;
	ai_put_key(b, "flow");
	ai_put_raw(b, agent_team()->json, strlen(agent_team()->json));
}

static int make_setup(struct agent_run *r, struct ai_err *err)
{
	unsigned char random[MARKER];
	struct ai_buf *b = &r->setup;

	if (getrandom(random, sizeof(random), 0) < 0)
		return ai_err_sys(err, AI_E_OS, errno, "no random numbers");
	ai_hex(random, sizeof(random), r->marker);
	r->marker[0] = 'm'; /* ai-guard's may not end as they begin */
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, agent.model);
	ai_put_key(b, "marker");
	ai_put_cstr(b, r->marker);
	ai_put_key(b, "system");
	ai_put_str(b, ai_buf_cstr(&r->system), r->system.len);
	ai_put_key(b, "limits");
	agent_limits_put(&r->limits, b);
	put_team(b);
	if (agent_flags_put(b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return ai_buf_check(b, "how the run is worked on", err);
}

/* What was kept, with what is said now before it. */
static int take_setup(struct agent_run *r, struct ai_span setup,
		      struct ai_err *err)
{
	struct ai_buf marker = AI_BUF_INIT(sizeof(r->marker) - 1);
	struct ai_value v;

	if (ai_json_check(setup.p, setup.n, &v, err) < 0)
		return ai_err_set(err, AI_E_DATA, "the run '%s' is damaged in "
				  "the ledger", r->journal.run.id);
	ai_json_text(ai_json_get(v, "marker"), &marker);
	snprintf(r->marker, sizeof(r->marker), "%s", ai_buf_cstr(&marker));
	ai_buf_release(&marker);
	ai_buf_clear(&r->system);
	ai_json_text(ai_json_get(v, "system"), &r->system);
	if (agent_limits_take(&r->limits, ai_json_get(v, "limits"), err) < 0)
		return -1;
	return ai_start_given(&agent.limits)
		? agent_limits_set(&r->limits, &agent.limits, err) : 0;
}

/* ---- through it ------------------------------------------------------------------------- */

static void put_note(const struct agent_run *r, struct ai_buf *note)
{
	const char *by = agent_trust_by(r->trust);

	if (r->stop.limit == NULL && r->stop.err.code == AI_E_NONE &&
	    by == NULL)
		return;
	ai_put_open(note, '{');
	if (by != NULL) {
		ai_put_key(note, "tainted_by");
		ai_put_cstr(note, by);
	}
	if (r->stop.limit != NULL) {
		ai_put_key(note, "limit");
		ai_put_cstr(note, r->stop.limit);
	}
	if (r->stop.err.code != AI_E_NONE) {
		ai_put_key(note, "error");
		ai_put_cstr(note, r->stop.err.msg);
		ai_put_key(note, "code");
		ai_put_cstr(note, ai_code_name(r->stop.err.code));
	}
	ai_put_close(note, '}');
}

/* What servers say of their tools is not asked of them again. */
static void recall_taint(struct agent_run *r)
{
	struct ai_buf by = AI_BUF_INIT(100);
	struct ai_value v;
	struct ai_err err;

	if (r->note.len > 0 &&
	    ai_json_check(r->note.p, r->note.len, &v, &err) == 0 &&
	    ai_json_get(v, "tainted_by").kind == AI_STRING) {
		ai_json_text(ai_json_get(v, "tainted_by"), &by);
		agent_trust_taint(r->trust, ai_buf_cstr(&by));
	}
	ai_buf_release(&by);
}

/* One that is only gone through ends as it had ended. */
static void recall_stop(struct agent_run *r)
{
	struct ai_buf text = AI_BUF_INIT(400), code = AI_BUF_INIT(64);
	struct ai_value v, error;
	struct ai_err err;
	size_t i;

	r->stop.status = r->was == AI_RUN_OPEN ? AI_RUN_PAUSED : r->was;
	if (r->note.len > 0 &&
	    ai_json_check(r->note.p, r->note.len, &v, &err) == 0) {
		for (i = 0; i < AGENT_LIMITS; i++)
			if (ai_json_is(ai_json_get(v, "limit"), ai_span_of(
				       agent_limit_name((enum agent_limit)i))))
				r->stop.limit = agent_limit_name(
					(enum agent_limit)i);
		error = ai_json_get(v, "error");
		ai_json_text(ai_json_get(v, "code"), &code);
		if (error.kind == AI_STRING && ai_json_text(error, &text) == 0)
			ai_err_set(&r->stop.err, ai_code_from_name(
				ai_buf_cstr(&code), code.len), "%s",
				ai_buf_cstr(&text));
	}
	if (r->stop.status == AI_RUN_PARTIAL && r->stop.limit == NULL)
		r->stop.limit = "max_tokens";
	if (r->stop.status == AI_RUN_FAILED &&
	    r->stop.err.code == AI_E_NONE)
		ai_err_set(&r->stop.err, AI_E_ANSWER, "the run has failed");
	ai_buf_release(&text);
	ai_buf_release(&code);
}

/* Why a run that has not ended well is an error record. */
static void explain(const struct agent_run *r, struct ai_err *why)
{
	const char *id = r->journal.run.id;

	*why = r->stop.err;
	switch (r->stop.status) {
	case AI_RUN_PARTIAL:
		if (why->code == AI_E_BUDGET)
			break;
		if (strcmp(r->stop.limit, "usd") == 0)
			ai_err_set(why, AI_E_BUDGET, "the run has spent what "
				   "it may; 'ai-agent resume --limit usd=N %s' "
				   "goes on with it", id);
		else if (strcmp(r->stop.limit, "max_tokens") == 0)
			ai_err_set(why, AI_E_LIMIT, "the last reply was cut "
				   "short by the limit of its tokens; see "
				   "--max-tokens, and 'ai-agent fork %s@%zu'",
				   id, r->journal.n);
		else
			ai_err_set(why, AI_E_LIMIT, "the run has reached its "
				   "limit '%s'; 'ai-agent resume --limit "
				   "%s=N %s' goes on with it", r->stop.limit,
				   r->stop.limit, id);
		break;
	case AI_RUN_PARKED:
		ai_err_set(why, AI_E_PARKED, "the run waits for a decision; "
			   "'ai-agent show %s' tells which, and 'ai-agent "
			   "approve %s' or 'ai-agent deny %s' goes on with it",
			   id, id, id);
		break;
	case AI_RUN_PAUSED:
		if (why->code == AI_E_NONE)
			ai_err_set(why, AI_E_TRY_LATER, "the run was paused; "
				   "'ai-agent resume %s' goes on with it", id);
		break;
	default:
		break;
	}
}

static int go(struct agent_run *r, struct agent_worker *w,
	      struct ai_rec *rec, struct ai_buf *text, struct ai_err *why,
	      struct ai_err *err)
{
	struct ai_buf note = AI_BUF_INIT(1 << 16), run =
		AI_BUF_INIT(2 * AGENT_TEXT_MAX);
	int rc = agent_task_begin(r, rec, &r->system, err);

	w->current = r;
	if (agent_is_within())
		r->asked_by = ai_rec_get(rec, "asked_by");
	if (rc == 0)
		rc = agent_budget_take(r, err);
	if (rc == 0 && r->stop.status == 0)
		rc = agent_run_go(r, err);
	w->current = NULL;
	if (rc == 0 && r->journal.replay)
		recall_taint(r);
	if (rc == 0 && r->journal.replay && r->stop.status == AI_RUN_PAUSED)
		recall_stop(r);
	if (rc < 0) {
		/* The task itself is wrong: it will not be better later. */
		if (err->code == AI_E_RECORD) {
			ai_put_open(&note, '{');
			ai_put_key(&note, "error");
			ai_put_cstr(&note, err->msg);
			ai_put_close(&note, '}');
			agent_journal_end(&r->journal, AI_RUN_FAILED, &note,
					  NULL);
		}
		ai_buf_release(&note);
		return -1;
	}
	/* One that is at something keeps the answer until it has ended. */
	if (!agent_model_is_idle(r->model)) {
		agent_model_free(r->model);
		r->model = NULL;
	}
	put_note(r, &note);
	rc = agent_budget_end(r, err) < 0 ? -1 :
		agent_journal_end(&r->journal, r->stop.status, &note, err);
	if (rc == 0) {
		agent_task_put(r, &run);
		rc = ai_buf_check(&run, "the run", err) < 0 ? -1 :
			ai_rec_set(rec, "run", &run, err);
		ai_buf_add(text, r->text.p, r->text.len);
		explain(r, why);
	}
	ai_buf_release(&note);
	ai_buf_release(&run);
	return rc;
}

/* ---- a record that names its run -------------------------------------------------------- */

bool agent_is_within(void)
{
	return agent.root != NULL && agent.root[0] != '\0';
}

/* Only who works for another run, which has said so by --root, is told names by
 * its records: in all others `run_id` is a member as any other. */

static bool names_run(const struct ai_rec *rec)
{
	return agent_is_within() && ai_rec_get(rec, "run_id").kind == AI_STRING;
}

/* It is of the run that we work for, and may use what it may now. */
static int take_named(struct agent_run *r, const struct agent_worker *w,
		      const struct ai_rec *rec, struct ai_err *err)
{
	if (!names_run(rec))
		return 0;
	if (strcmp(r->root, agent.root) != 0)
		return ai_err_set(err, AI_E_USAGE, "the run '%s' is of "
				  "another run than '%.80s'",
				  r->journal.run.id, agent.root);
	r->limits = w->limits;
	return agent_task_limits(r, rec, err);
}

/* ---- a new one, or one of that name ----------------------------------------------------- */

/* The next member that is not `limits`, nor those of the whole. */
static bool next_member(struct ai_json_iter *it, struct ai_value *key,
			struct ai_value *v)
{
	do {
		if (!ai_json_next(it, key, v))
			return false;
	} while (ai_json_is(*key, AI_SPAN("limits")) ||
		 ai_json_is(*key, AI_SPAN("whole")));
	return true;
}

/* Whether two records differ in nothing but their limits, which may be others
 * each time. */
static bool are_same(struct ai_value a, struct ai_value b)
{
	struct ai_json_iter i, k;
	struct ai_value ka, va, kb, vb;
	bool more;

	if (a.kind != AI_OBJECT || b.kind != AI_OBJECT)
		return false;
	ai_json_iter_init(&i, a);
	ai_json_iter_init(&k, b);
	while ((more = next_member(&i, &ka, &va)))
		if (!next_member(&k, &kb, &vb) || !ai_span_eq(ka.s, kb.s) ||
		    !ai_span_eq(va.s, vb.s))
			return false;
	return !next_member(&k, &kb, &vb);
}

static int same_task(const struct ai_rec *rec, const struct agent_kept *k,
		     const char *id, struct ai_err *err)
{
	struct ai_span was = { ai_buf_cstr(&k->task), k->task.len };
	struct ai_value v;
	struct ai_err why;

	if (ai_span_eq(rec->line, was) ||
	    (names_run(rec) && ai_json_check(was.p, was.n, &v, &why) == 0 &&
	     are_same(v, rec->object)))
		return 0;
	return ai_err_set(err, AI_E_USAGE, "the run '%s' was begun with "
			  "another task", id);
}

/* Takes the run of this id, and all that is known of it. It has to have begun
 * with rec, if that is not NULL. */
static int take(struct agent_run *r, struct agent_worker *w, const char *id,
		const struct ai_rec *rec, struct agent_kept *k, bool replay,
		struct ai_err *err)
{
	int rc = agent_kept_get(k, w->ledger, id, err);

	if (rc == 0)
		return ai_err_set(err, AI_E_USAGE, "there is no run '%.80s'",
				  id);
	if (rc < 0 || (rec != NULL && same_task(rec, k, id, err) < 0))
		return -1;
	r->was = k->status;
	ai_buf_add(&r->note, k->note.p, k->note.len);
	snprintf(r->journal.run.id, sizeof(r->journal.run.id), "%s", id);
	snprintf(r->root, sizeof(r->root), "%s", ai_buf_cstr(&k->root));
	r->journal.spent_ms = k->spent_ms;
	r->journal.replay = replay || k->status == AI_RUN_DONE ||
		k->status == AI_RUN_FAILED;
	if (take_setup(r, (struct ai_span){ k->setup.p,
							 k->setup.len }, err) < 0 ||
	    (rec != NULL && take_named(r, w, rec, err) < 0))
		return -1;
	if (!r->journal.replay &&
	    (ai_run_take(w->ledger, id, r->limits.v[AGENT_LIMIT_USD],
			 &r->journal.run, err) < 0 ||
	     agent_journal_lock(&r->journal, err) < 0))
		return -1;
	return agent_journal_read(&r->journal, id, err);
}

static void make_id(char id[AI_RUN_ID])
{
	unsigned char bytes[AI_LEDGER_ID];

	ai_ledger_id(bytes);
	ai_hex(bytes, sizeof(bytes), id);
}

/* The name that a record has for it. */
static int take_name(const struct ai_rec *rec, char id[AI_RUN_ID],
		     struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(AI_RUN_ID - 1);
	int rc = ai_rec_text(rec, "run_id", &name, err);

	if (rc < 0 && name.bad == AI_E_TOO_LONG)
		ai_err_set(err, AI_E_RECORD, "run_id is too long: a run's name "
			   "has at most %d bytes", AI_RUN_ID - 1);
	if (rc == 0)
		snprintf(id, AI_RUN_ID, "%s", ai_buf_cstr(&name));
	ai_buf_release(&name);
	return rc;
}

int agent_worker_name(unsigned long number, char id[AI_RUN_ID],
		      struct ai_err *err)
{
	int n = 0;

	if (ai_paid.run == NULL)
		make_id(id);
	else if (number <= 1)
		n = snprintf(id, AI_RUN_ID, "%s", ai_paid.run);
	else
		n = snprintf(id, AI_RUN_ID, "%s.%lu", ai_paid.run, number);
	return n < AI_RUN_ID ? 0 :
		ai_err_set(err, AI_E_USAGE, "--run '%.80s' is too long: a "
			   "run's name has at most %d bytes", ai_paid.run,
			   AI_RUN_ID - 1);
}

static int make(struct agent_run *r, struct agent_worker *w,
		const struct ai_rec *rec, struct ai_err *err)
{
	struct ai_run_new n = { .tenant = ai_paid.tenant, .user = ai_paid.user,
				.task = rec->line };
	char id[AI_RUN_ID];
	int rc;

	if ((names_run(rec) ? take_name(rec, id, err)
			    : agent_worker_name(rec->number, id, err)) < 0)
		return -1;
	snprintf(r->root, sizeof(r->root), "%s", agent_is_within() ? agent.root : id);
	if (agent_task_limits(r, rec, err) < 0 || make_setup(r, err) < 0)
		return -1;
	n.id = id;
	n.root = r->root;
	n.setup = (struct ai_span){ r->setup.p, r->setup.len };
	n.cap = r->limits.v[AGENT_LIMIT_USD];
	rc = ai_run_new(w->ledger, &n, &r->journal.run, err);
	if (rc > 0)
		snprintf(r->journal.run.id, sizeof(r->journal.run.id), "%s",
			 id);
	return rc;
}

int agent_worker_task(struct agent_worker *w, struct ai_rec *rec,
		      struct ai_buf *text, struct ai_err *why,
		      struct ai_err *err)
{
	struct agent_run r;
	char id[AI_RUN_ID];
	struct agent_kept k;
	int rc;

	agent_kept_init(&k);
	rc = run_init(&r, w, err);
	if (rc == 0)
		rc = make(&r, w, rec, err);
	if (rc == 0) {
		r.own = true;
		rc = agent_journal_lock(&r.journal, err);
	} else if (rc > 0) {
		snprintf(id, sizeof(id), "%s", r.journal.run.id);
		rc = take(&r, w, id, rec, &k, false, err);
	}
	if (rc == 0)
		rc = go(&r, w, rec, text, why, err);
	run_release(&r, w);
	agent_kept_release(&k);
	return rc;
}

int agent_worker_resume(struct agent_worker *w, const char *id, bool replay,
			struct ai_buf *line, struct ai_rec *rec,
			struct ai_buf *text, struct ai_err *why,
			struct ai_err *err)
{
	struct agent_run r;
	struct agent_kept k;
	int rc;

	agent_kept_init(&k);
	rc = run_init(&r, w, err);
	if (rc == 0)
		rc = take(&r, w, id, NULL, &k, replay, err);
	if (rc == 0) {
		ai_buf_clear(line);
		ai_buf_add(line, k.task.p, k.task.len);
		rc = ai_rec_parse(rec, (struct ai_span){ line->p, line->len },
				  0, err);
	}
	if (rc == 0)
		rc = go(&r, w, rec, text, why, err);
	run_release(&r, w);
	agent_kept_release(&k);
	return rc;
}

/* A fork is an outermost run, whatever it was made of: the workflow has to stand
 * in it. */
static int add_team(struct ai_buf *setup, struct ai_err *err)
{
	struct ai_value v;

	if (agent_team() == NULL ||
	    ai_json_check(ai_buf_cstr(setup), setup->len, &v, err) < 0 ||
	    ai_json_member(v, AI_SPAN("flow")).kind != AI_NONE)
		return 0;
	while (setup->len > 0 && setup->p[setup->len - 1] != '}')
		setup->len--;
	setup->len--;
	flow_put_kept(agent_team(), setup);
	ai_put_close(setup, '}');
	return ai_buf_check(setup, "how the run is worked on", err);
}

int agent_worker_fork(struct agent_worker *w, const char *from, int64_t n,
		      char id[AI_RUN_ID], struct ai_err *err)
{
	struct ai_run_new new = { .tenant = ai_paid.tenant,
				  .user = ai_paid.user, .id = id, .root = id };
	struct agent_run r;
	struct ai_run run;
	struct agent_kept k;
	int rc;

	if (agent_worker_name(1, id, err) < 0)
		return -1;
	agent_kept_init(&k);
	rc = run_init(&r, w, err);
	if (rc == 0) {
		rc = agent_kept_get(&k, w->ledger, from, err);
		if (rc == 0)
			rc = ai_err_set(err, AI_E_USAGE, "there is no run "
					"'%.80s'", from);
		rc = rc < 0 ? -1 : 0;
	}
	if (rc == 0)
		rc = take_setup(&r, (struct ai_span){ k.setup.p,
							 k.setup.len }, err);
	if (rc == 0)
		rc = add_team(&k.setup, err);
	if (rc == 0) {
		new.task = (struct ai_span){ k.task.p, k.task.len };
		new.setup = (struct ai_span){ k.setup.p, k.setup.len };
		new.cap = r.limits.v[AGENT_LIMIT_USD];
		rc = ai_run_fork(w->ledger, &new, from, n, &run, err);
	}
	run_release(&r, w);
	agent_kept_release(&k);
	return rc;
}
