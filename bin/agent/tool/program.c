#include "tool/program.h"

#include "base/utf8.h"
#include "store/db.h"

#include "tool/args.h"
#include "cage/child.h"
#include "tool/result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kept of what a program writes: more than is ever told, so that how much was
 * left out is known; a program that writes even more is stopped. */
#define OUTPUT_MAX ((size_t)16 << 20)
#define ERRORS_MAX ((size_t)1 << 20)
#define INPUT_MAX ((size_t)16 << 20)
/* How long somebody else's transaction may take. */
#define DATABASE_WAIT_MS 5000

struct program_run {
	struct agent_child child;
	bool started;
};

/* ---- starting ------------------------------------------------------------- */

int agent_program_cage(struct agent_program *p, const char *tool,
		       struct ai_err *err)
{
	if (p->caged)
		return 0;
	if (agent_sandbox_cage(p->sandbox, &p->wish, tool, p->file, &p->cage,
			       err) < 0)
		return -1;
	p->caged = true;
	return 0;
}

static struct ai_value args_of(const struct agent_call *c)
{
	struct ai_value v;

	ai_json_check(c->args.p, c->args.n, &v, NULL);
	return v;
}

static int fill_input(const struct agent_call *c, struct ai_buf *input,
		      struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;

	if (p->takes == AGENT_STDIN_JSON)
		ai_buf_add(input, c->args.p, c->args.n);
	else if (p->takes == AGENT_STDIN_TEXT)
		return agent_template_text(&p->input, args_of(c), c->key,
					   input, err);
	return ai_buf_check(input, "the program's input", err);
}

/* argv[0] is the tool's file, for its own command; a check may be another. */
static int start(struct agent_call *c, const struct agent_template *command,
		 const struct ai_buf *input, struct agent_child *child,
		 struct ai_err *err)
{
	struct agent_program *p = c->tool->of;
	struct agent_strings argv = { 0 }, env = { 0 };
	struct agent_child_spec spec = {
		.name = c->tool->name, .dir = p->workdir, .hold = c->hold,
		.input = { ai_buf_cstr(input), input->len },
		.max_out = OUTPUT_MAX, .max_err = ERRORS_MAX,
		.timeout_s = c->tool->timeout_s,
	};
	int rc = -1;

	if (agent_program_cage(p, c->tool->name, err) == 0 &&
	    agent_template_fill(command, args_of(c), c->key, &argv, err) == 0 &&
	    agent_sandbox_env(p->sandbox, &p->env, c->key, &env, err) == 0) {
		spec.argv = agent_strings_list(&argv);
		spec.env = agent_strings_list(&env);
		spec.cage = p->cage;
		rc = agent_child_start(child, &spec, err);
	}
	agent_strings_release(&argv);
	agent_strings_release(&env);
	return rc;
}

static int program_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;
	struct ai_buf input = AI_BUF_INIT(INPUT_MAX);
	struct program_run *run = calloc(1, sizeof *run);
	int rc = -1;

	if (run == NULL)
		return ai_err_nomem(err);
	c->state = run;
	if (fill_input(c, &input, err) == 0)
		rc = start(c, &p->command, &input, &run->child, err);
	run->started = rc == 0;
	ai_buf_release(&input);
	return rc;
}

/* ---- going on ------------------------------------------------------------- */

static void program_wait(struct agent_call *c, struct agent_poll *p)
{
	struct program_run *run = c->state;

	agent_child_wait(&run->child, p);
}

/* Statuses that speak of the program, not of what it was asked for: those of
 * sysexits(3), and those of a shell or of env(1) for what is not there. */
static bool is_its_own(int status)
{
	static const int own[] = { 69, 70, 71, 74, 75, 78, 126, 127 };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i] == status)
			return true;
	return false;
}

/* How it failed first, since a result may be cut; then what it wrote. */
static void say_failure(struct agent_call *c, const struct agent_child *child)
{
	struct ai_span out = { ai_buf_cstr(&child->output), child->output.len },
		errors = { ai_buf_cstr(&child->errors), child->errors.len };
	size_t max = (size_t)c->tool->max_output, part;

	c->failed = true;
	/* One that ends itself says how; of others nobody knows how far they
	 * came. */
	c->unknown = child->end != AGENT_CHILD_EXITED;
	c->broken = c->unknown || is_its_own(child->status);
	ai_buf_str(&c->text, "the program ");
	agent_child_say(child, &c->text);
	part = max > c->text.len + 32 ? max - c->text.len - 32 : 0;
	if (errors.n > 0) {
		ai_buf_str(&c->text, "\nstderr:\n");
		agent_result_tail(&c->text, errors, out.n > 0 ? part / 2 :
				  part);
	}
	if (out.n > 0) {
		ai_buf_str(&c->text, "\nstdout:\n");
		agent_result_text(&c->text, out, errors.n > 0 ? part / 2 :
				  part);
	}
	/* Where there is hardly room for anything. */
	if (c->text.len > max)
		c->text.len = ai_utf8_floor(c->text.p, c->text.len, max);
}

static void take_result(struct agent_call *c, const struct agent_child *child)
{
	struct ai_span out = { ai_buf_cstr(&child->output), child->output.len };

	if (child->end == AGENT_CHILD_EXITED && child->status == 0)
		agent_result_text(&c->text, out, (size_t)c->tool->max_output);
	else
		say_failure(c, child);
}

static bool program_turn(struct agent_call *c)
{
	struct program_run *run = c->state;

	if (!agent_child_turn(&run->child))
		return false;
	take_result(c, &run->child);
	return true;
}

static void program_stop(struct agent_call *c)
{
	struct program_run *run = c->state;

	if (run != NULL && run->started)
		agent_child_stop(&run->child);
}

static void program_release(struct agent_call *c)
{
	struct program_run *run = c->state;

	if (run != NULL && run->started)
		agent_child_release(&run->child);
	free(run);
	c->state = NULL;
}

/* ---- finding out ---------------------------------------------------------- */

/* Until it has ended; its own time limit sees to that. */
static int run_to_end(struct agent_child *child, struct ai_err *err)
{
	struct agent_poll poll = { 0 };
	int rc = 0;

	while (rc == 0 && !agent_child_turn(child)) {
		agent_poll_clear(&poll, 1);
		agent_child_wait(child, &poll);
		rc = agent_poll_wait(&poll, err);
	}
	agent_poll_release(&poll);
	return rc;
}

static int ask_verify(struct agent_call *c, enum agent_found *found,
		      struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;
	struct ai_buf none = AI_BUF_INIT(1);
	struct agent_child child;
	int rc;

	if (start(c, &p->verify, &none, &child, err) < 0)
		return -1;
	rc = run_to_end(&child, err);
	*found = AGENT_UNKNOWN;
	if (rc == 0 && child.end == AGENT_CHILD_EXITED && child.status <= 1)
		*found = child.status == 0 ? AGENT_DONE : AGENT_NOT_DONE;
	if (rc == 0 && *found != AGENT_NOT_DONE)
		take_result(c, &child);
	c->failed = c->unknown = false;
	agent_child_release(&child);
	return rc;
}

/* 1: there is such a table, 0: not. */
static int has_table(struct ai_db *db, const char *table, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (ai_db_bind(db, &st, "SELECT 1 FROM sqlite_master WHERE type IN "
		       "('table','view') AND name = ?1 COLLATE NOCASE", err,
		       "t", ai_span_of(table)) == 0)
		rc = ai_db_step(db, st, err);
	ai_db_finish(&st);
	return rc;
}

static int look_up(struct agent_call *c, struct ai_db *db,
		   enum agent_found *found, struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;
	sqlite3_stmt *st = NULL;
	char sql[200];
	int rc = has_table(db, p->table, err);

	*found = AGENT_NOT_DONE;
	if (rc <= 0)
		return rc;
	/* The name is a word: the schema of tools files sees to it. */
	snprintf(sql, sizeof sql, "SELECT result FROM \"%s\" WHERE key = ?1",
		 p->table);
	rc = ai_db_bind(db, &st, sql, err, "t", ai_span_of(c->key)) < 0 ? -1 :
		ai_db_step(db, st, err);
	if (rc > 0) {
		struct ai_span result = ai_db_span(st, 0);

		*found = AGENT_DONE;
		agent_result_text(&c->text, result,
				  (size_t)c->tool->max_output);
	}
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

static int ask_database(struct agent_call *c, enum agent_found *found,
			struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;
	struct ai_db db = AI_DB_INIT;
	struct ai_db_wish wish = { "the tool's database", NULL,
				   DATABASE_WAIT_MS, 0, 0 };
	int rc;

	*found = AGENT_NOT_DONE;
	if (access(p->database, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (ai_db_open(&db, p->database, AI_DB_READ, &wish, err) < 0)
		return -1;
	rc = look_up(c, &db, found, err);
	ai_db_close(&db);
	return rc;
}

static int program_find(struct agent_call *c, enum agent_found *found,
			struct ai_err *err)
{
	const struct agent_program *p = c->tool->of;

	*found = AGENT_UNKNOWN;
	if (c->tool->effect == AGENT_VERIFY)
		return ask_verify(c, found, err);
	if (c->tool->effect == AGENT_TRANSACTIONAL && p->database != NULL)
		return ask_database(c, found, err);
	ai_buf_str(&c->text, "nobody can tell whether it was done");
	return 0;
}

void agent_program_free(void *program)
{
	struct agent_program *p = program;

	if (p == NULL)
		return;
	agent_template_release(&p->command);
	agent_template_release(&p->input);
	agent_template_release(&p->verify);
	agent_strings_release(&p->env);
	agent_wish_release(&p->wish);
	agent_cage_free(p->cage);
	free(p->file);
	free(p->workdir);
	free(p->database);
	free(p->table);
	free(p);
}

const struct agent_tool_kind agent_program_kind = {
	.begin = program_begin, .wait = program_wait, .turn = program_turn,
	.stop = program_stop, .find = program_find, .release = program_release,
};
