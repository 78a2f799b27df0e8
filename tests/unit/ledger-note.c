/*
 * Notes that runs share: random histories beside a model that is an array, in
 * processes that are killed with SIGKILL in the middle of a write; what was
 * under way then is done again, and is done once.
 *
 *	ledger-note [SEED [ROUNDS]]
 */
#include "store/ledger-int.h"
#include "store/note.h"
#include "store/run.h"
#include "help.h"
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOTS 3
#define KEYS 5
#define OPS 40

static char folder[] = "/tmp/ai-ledger-note-XXXXXX", path[100];

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

/* ---- the model ---------------------------------------------------------------- */

struct m_note {
	int text; /* 0: there is none */
	int by;
};

static struct m_note model[ROOTS][KEYS];

struct op {
	int root, key, text, by;
	int call;      /* its number */
	bool again;    /* it was done before, by another one since overtaken */
};

static void put_text(int n, char out[40])
{
	snprintf(out, 40, n == 0 ? "" : "text %d \xE2\x82\xAC", n);
}

static int put(struct ai_ledger *l, const struct op *o, struct ai_err *err)
{
	static const char *const names[] = { "", "web", "mail" };
	char root[20], key[20], text[40], call[40];
	struct ai_note n = { .by = names[o->by] };

	snprintf(root, sizeof(root), "root%d", o->root);
	snprintf(key, sizeof(key), "key %d", o->key);
	snprintf(call, sizeof(call), "call-%d", o->call);
	put_text(o->text, text);
	n.key = ai_span_of(key);
	n.text = ai_span_of(text);
	return ai_note_put(l, root, call, &n, err);
}

struct listing {
	int root, n;
	bool same;
};

static int look(void *arg, const struct ai_note *n)
{
	static const char *const names[] = { "", "web", "mail" };
	struct listing *s = arg;
	const struct m_note *m;
	char key[20], text[40];

	/* They come by their keys. */
	while (s->n < KEYS && model[s->root][s->n].text == 0)
		s->n++;
	if (s->n == KEYS) {
		s->same = false;
		return 1;
	}
	m = &model[s->root][s->n];
	snprintf(key, sizeof(key), "key %d", s->n);
	put_text(m->text, text);
	s->same &= ai_span_is(n->key, key) && ai_span_is(n->text, text) &&
		strcmp(n->by, names[m->by]) == 0 && n->created > 0;
	s->n++;
	return 0;
}

static bool agrees(struct ai_ledger *l)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	char root[20], key[20], text[40], by[AI_NOTE_BY];
	bool same = true;
	struct ai_err err;

	for (int r = 0; same && r < ROOTS; r++) {
		struct listing s = { r, 0, true };

		snprintf(root, sizeof(root), "root%d", r);
		same = ai_note_list(l, root, look, &s, &err) == 0 && s.same;
		while (s.n < KEYS && model[r][s.n].text == 0)
			s.n++;
		same = same && s.n == KEYS;
		for (int k = 0; same && k < KEYS; k++) {
			snprintf(key, sizeof(key), "key %d", k);
			ai_buf_clear(&b);
			put_text(model[r][k].text, text);
			same = ai_note_get(l, root, ai_span_of(key), &b, by,
					   &err) == (model[r][k].text != 0) &&
				strcmp(ai_buf_cstr(&b), text) == 0;
		}
	}
	ai_buf_release(&b);
	return same;
}

/* ---- histories ------------------------------------------------------------------ */

static void make_roots(void)
{
	struct ai_ledger *l = open_it();
	const struct ai_run_change end = { .status = AI_RUN_PAUSED };
	struct ai_run run;
	struct ai_err err;
	char id[20];

	for (int r = 0; r < ROOTS; r++) {
		struct ai_run_new n = { .id = id, .root = id, .cap = -1,
			.task = AI_SPAN("{}"), .setup = AI_SPAN("{}") };

		snprintf(id, sizeof(id), "root%d", r);
		ai_run_new(l, &n, &run, &err);
		ai_run_put(l, &run, NULL, 0, &end, false, &err);
	}
	ai_ledger_close(l);
}

static void choose(struct op *o, int calls)
{
	*o = (struct op){ .root = (int)below(ROOTS), .key = (int)below(KEYS),
			  .text = (int)below(6), .by = (int)below(3),
			  .call = calls };
	/* What a killed run did is done again, long after. */
	if (calls > 0 && below(4) == 0) {
		o->again = true;
		o->call = (int)below(calls);
	}
}

static void apply(const struct op *o)
{
	if (!o->again)
		model[o->root][o->key] = (struct m_note){ o->text, o->by };
}

/* A child does it, and may be killed at it; then we do it again. */
static bool do_it(const struct op *o, int *killed)
{
	struct ai_ledger *l;
	struct ai_err err;
	int status;
	long kill_at = (long)below(12);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		l = open_it();
		writes_left = kill_at;
		_exit(put(l, o, &err) < 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0;
	++*killed;
	l = open_it();
	status = put(l, o, &err);
	ai_ledger_close(l);
	return status == 0;
}

static bool round_of(int *killed)
{
	struct ai_ledger *l;
	struct op o;
	int calls = 0;
	bool same = true;

	memset(model, 0, sizeof(model));
	make_roots();
	for (int i = 0; same && i < OPS; i++) {
		choose(&o, calls);
		calls += !o.again;
		same = do_it(&o, killed);
		apply(&o);
		l = open_it();
		same = same && agrees(l);
		ai_ledger_close(l);
	}
	return same;
}

static void test_histories(int rounds)
{
	bool same = true;
	int killed = 0, wrong = 0;
	struct ai_ledger *l;
	struct ai_err err;

	for (int i = 0; same && i < rounds; i++) {
		snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, i);
		same = round_of(&killed);
	}
	printf("# %d of %d were killed\n", killed, rounds * OPS);
	ok(same && killed > 0, "%d histories of %d writings are as the "
	   "model's", rounds, OPS);
	l = open_it();
	ok(ai_ledger_check(l, complain, &wrong, &err) == 0 && wrong == 0,
	   "the ledger is whole");
	ai_ledger_close(l);
}

/* ---- the rest ---------------------------------------------------------------------- */

static int64_t notes_of(struct ai_ledger *l, const char *root)
{
	struct ai_err err;
	char sql[120];
	int64_t n = -1;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM note WHERE root='%s'",
		 root);
	ai_db_int(&l->db, sql, &n, &err);
	return n;
}

static void test_bounds(void)
{
	static char long_text[AI_NOTE_TEXT + 1];
	struct ai_note n = { AI_SPAN("k"), AI_SPAN("t"), "", 0 };
	struct ai_ledger *l;
	struct ai_err err;

	snprintf(path, sizeof(path), "%s/bounds/ledger.db", folder);
	make_roots();
	l = open_it();
	ok(ai_note_put(l, "nobody", "c", &n, &err) < 0 &&
	   err.code == AI_E_USAGE, "no note without its run");
	n.key = AI_SPAN("");
	ok(ai_note_put(l, "root0", "c", &n, &err) < 0 &&
	   err.code == AI_E_TOO_LONG, "none without a key");
	memset(long_text, 'x', sizeof(long_text));
	n.key = (struct ai_span){ long_text, AI_NOTE_KEY + 1 };
	ok(ai_note_put(l, "root0", "c", &n, &err) < 0, "none with a long one");
	n.key.n--;
	n.text = (struct ai_span){ long_text, sizeof(long_text) };
	ok(ai_note_put(l, "root0", "c", &n, &err) < 0, "none that is longer "
	   "than it may be");
	n.text.n--;
	ok(ai_note_put(l, "root0", "c", &n, &err) == 0, "what just fits, fits");
	n.text = (struct ai_span){ NULL, 0 };
	ok(ai_note_put(l, "root0", "d", &n, &err) == 0 &&
	   notes_of(l, "root0") == 2, "an empty one takes it away");
	ai_db_exec(&l->db, "INSERT INTO note SELECT 'root0', 10000, 'k', 't',"
		   " '', 'many', 1", &err);
	n.text = AI_SPAN("t");
	ok(ai_note_put(l, "root0", "e", &n, &err) < 0 &&
	   err.code == AI_E_TOO_LONG, "no more than there may be");
	ok(ai_note_put(l, "root0", "d", &n, &err) == 0, "one that was there is "
	   "no new one");
	ai_ledger_close(l);
}

static void test_with_run(void)
{
	const struct ai_step step = { .n = 1, .kind = AI_STEP_CALL,
		.state = AI_STEP_DONE, .key = "mine", .said = "",
		.intent = AI_SPAN("{}"), .result = AI_SPAN("{}") };
	const struct ai_run_change open = { .status = AI_RUN_PAUSED };
	struct ai_run_new f = { .id = "fork", .root = "fork", .cap = -1,
		.task = AI_SPAN("{}"), .setup = AI_SPAN("{}") };
	struct ai_note n = { AI_SPAN("k"), AI_SPAN("t"), "web", 0 };
	struct ai_buf b = AI_BUF_INIT(100);
	char by[AI_NOTE_BY];
	struct ai_ledger *l;
	struct ai_run run;
	struct ai_err err;

	snprintf(path, sizeof(path), "%s/run/ledger.db", folder);
	make_roots();
	l = open_it();
	ai_note_put(l, "root0", "mine", &n, &err);
	n.key = AI_SPAN("other");
	ai_note_put(l, "root0", "another's", &n, &err);
	ai_run_take(l, "root0", INT64_MAX, &run, &err);
	ai_run_put(l, &run, &step, 1, &open, false, &err);
	ok(ai_run_fork(l, &f, "root0", 2, &run, &err) == 0 &&
	   ai_note_get(l, "fork", AI_SPAN("k"), &b, by, &err) == 1 &&
	   strcmp(by, "web") == 0 && notes_of(l, "fork") == 1,
	   "a fork has the notes that its steps have written");
	ok(ai_run_remove(l, "root0", NULL, &err) == 0 &&
	   notes_of(l, "root0") == 0 &&
	   notes_of(l, "fork") == 1, "they go with the run");
	ai_buf_release(&b);
	ai_ledger_close(l);
}

int main(int argc, char **argv)
{
	int rounds = (int)number(argc, argv, 2, 6);

	seed = (uint64_t)number(argc, argv, 1, 20261129);
	printf("# seed %llu\n", (unsigned long long)seed);
	if (mkdtemp(folder) == NULL)
		return 1;
	test_histories(rounds);
	test_bounds();
	test_with_run();
	remove_folder(folder);
	return done();
}
