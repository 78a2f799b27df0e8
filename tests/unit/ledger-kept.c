/*
 * What the ledger keeps beside its sums: answers to use again, conversations,
 * the journals of batches, what people did, and the seals on all of it.
 */
#include "store/batch.h"
#include "store/cache.h"
#include "store/conversation.h"
#include "store/ledger-int.h"
#include "help.h"
#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-ledger-kept-XXXXXX", path[100];
static int64_t now_ms = 1795000000000;
static int syncs; /* of this process */

/* SQLite's calls come here first. */
int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static int64_t wall(void) { return now_ms; }

static struct ai_ledger *open_it(void)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	l->wall_ms = wall;
	return l;
}

static struct ai_ledger *open_new(void)
{
	static int n;

	snprintf(path, sizeof(path), "%s/%d/ledger.db", folder, n++);
	return open_it();
}

static int wrongs(struct ai_ledger *l)
{
	struct ai_err err;
	int n = 0;

	return ai_ledger_check(l, complain, &n, &err) < 0 ? -1 : n;
}

/* ---- the cache ------------------------------------------------------------------ */

static void key_of(int n, unsigned char key[AI_CACHE_KEY])
{
	char text[20];
	struct ai_span parts[2] = { AI_SPAN("https://x/v1"), { text, 0 } };

	parts[1].n = (size_t)snprintf(text, sizeof(text), "%d", n);
	ai_cache_key(parts, 2, key);
}

static int keep(struct ai_ledger *l, int n, const char *answer, size_t size,
		int64_t ttl)
{
	unsigned char key[AI_CACHE_KEY];
	struct ai_err err;

	key_of(n, key);
	return ai_cache_put(l, key, (struct ai_span){ answer, size }, ttl,
			    "Ada", &err);
}

/* The size of what is kept; -1: nothing. */
static long kept(struct ai_ledger *l, int n)
{
	struct ai_buf out = AI_BUF_INIT(AI_CACHE_VALUE);
	unsigned char key[AI_CACHE_KEY];
	struct ai_err err;
	long size = -1;

	key_of(n, key);
	if (ai_cache_get(l, key, &out, &err) == 1)
		size = (long)out.len;
	ai_buf_release(&out);
	return size;
}

static void test_keys(void)
{
	struct ai_span a[2] = { AI_SPAN("ab"), AI_SPAN("c") };
	struct ai_span b[2] = { AI_SPAN("a"), AI_SPAN("bc") };
	struct ai_span c[3] = { AI_SPAN("ab"), AI_SPAN("c"), AI_SPAN("") };
	unsigned char ka[AI_CACHE_KEY], kb[AI_CACHE_KEY], kc[AI_CACHE_KEY];

	ai_cache_key(a, 2, ka);
	ai_cache_key(b, 2, kb);
	ai_cache_key(c, 3, kc);
	ok(memcmp(ka, kb, sizeof(ka)) != 0 && memcmp(ka, kc, sizeof(ka)) != 0,
	   "where a part ends is in the key");
}

#define KEYS 40

/* Random puts, looks and clocks beside an array. */
static void test_cache_model(void)
{
	static char text[2000];
	int64_t from[KEYS] = { 0 }, until[KEYS] = { 0 }, ttl;
	struct ai_ledger *l = open_new();
	long size[KEYS] = { 0 }, wanted;
	int i, n, bad = 0;

	l->no_sync = true;
	for (i = 0; i < 4000; i++) {
		n = (int)below(KEYS);
		now_ms += below(3) == 0 ? below(2000) : 0;
		if (below(50) == 0)
			now_ms -= 5000; /* the clock is set back */
		if (below(2) == 0) {
			ttl = below(8000);
			size[n] = (long)below(sizeof(text));
			bad += keep(l, n, text, (size_t)size[n], ttl) != 0;
			if (ttl > 0) {
				from[n] = now_ms;
				until[n] = now_ms + ttl;
			} else if (until[n] > 0) {
				/* Nothing was kept: the older one is there,
				 * but its size is not known here. */
				until[n] = -until[n];
			}
			continue;
		}
		if (until[n] < 0)
			continue;
		wanted = from[n] <= now_ms && now_ms < until[n] ? size[n] : -1;
		/* One that was too old at some time is gone. */
		if (kept(l, n) != wanted && !(wanted >= 0 && kept(l, n) == -1))
			bad++;
	}
	ok(bad == 0 && wrongs(l) == 0, "4000 puts and looks agree");
	ai_ledger_close(l);
}

static void test_cache(void)
{
	static char big[1 << 20];
	struct ai_ledger *l = open_new();
	int64_t entries, bytes;
	struct ai_err err;
	int i, before;

	memset(big, 'x', sizeof(big));
	ok(kept(l, 1) == -1 && keep(l, 1, "yes", 3, 60000) == 0 &&
	   kept(l, 1) == 3 && kept(l, 2) == -1, "kept and found");
	keep(l, 1, "other", 5, 60000);
	ok(kept(l, 1) == 5, "a newer answer takes its place");
	now_ms += 60000;
	ok(kept(l, 1) == -1, "too old");
	ok(keep(l, 3, big, AI_CACHE_VALUE + 1, 60000) == 0 &&
	   kept(l, 3) == -1, "too large an answer is not kept");
	for (i = 0; i < 100; i++, now_ms++)
		keep(l, 100 + i, big, sizeof(big), 600000);
	if (ai_cache_size(l, &entries, &bytes, &err) < 0)
		entries = bytes = -1;
	ok(bytes <= AI_CACHE_BYTES && bytes > AI_CACHE_BYTES - (16 << 20),
	   "100 answers of 1 MiB: the last %lld are kept", (long long)entries);
	ok(kept(l, 199) == 1 << 20 && kept(l, 100) == -1,
	   "the oldest ones went");
	ai_ledger_close(l);
	before = syncs;
	l = open_it();
	ok(kept(l, 199) == 1 << 20 && syncs == before,
	   "opened and found without a sync");
	before = syncs;
	keep(l, 5, "yes", 3, 60000);
	ok(syncs == before, "kept without a sync of its own");
	ok(wrongs(l) == 0 && ai_cache_prune(l, true, &err) == 0 &&
	   ai_cache_size(l, &entries, &bytes, &err) == 0 && entries == 0 &&
	   bytes == 0 && wrongs(l) == 0, "all of it removed");
	ai_ledger_close(l);
}

/* ---- conversations --------------------------------------------------------------- */

struct heard {
	char text[2000];
};

static int hear(void *arg, const struct ai_message *m)
{
	struct heard *h = arg;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s:%.*s:%lld ", m->role,
		 (int)m->content.n, m->content.p, (long long)m->amount);
	return 0;
}

static enum ai_code say(struct ai_ledger *l, const struct ai_conversation *c,
			int64_t known, const char *content, struct ai_err *err)
{
	struct ai_message m[2] = {
		{ "user", ai_span_of(content), 0, 0 },
		{ "assistant", AI_SPAN("\"yes\""), 25, 0 },
	};

	return ai_conversation_add(l, c, known, m, 2, err) < 0 ? err->code
							       : AI_E_NONE;
}

static void test_conversation(void)
{
	struct ai_conversation ada = { "trip", "acme", "Ada" };
	struct ai_conversation bob = { "trip", "acme", "Bob" };
	struct ai_ledger *l = open_new();
	struct heard h = { "" };
	struct ai_err err;
	char name[200];
	int i;

	ok(say(l, &ada, 0, "\"a\"", &err) == AI_E_NONE &&
	   say(l, &ada, 2, "[{\"type\":\"text\"}]", &err) == AI_E_NONE &&
	   ai_conversation_read(l, &ada, hear, &h, &err) == 4,
	   "two turns are said and read");
	ok(strcmp(h.text, "user:\"a\":0 assistant:\"yes\":25 user:"
		  "[{\"type\":\"text\"}]:0 assistant:\"yes\":25 ") == 0,
	   "in order, as they were: %s", h.text);
	ok(say(l, &ada, 2, "\"c\"", &err) == AI_E_TRY_LATER &&
	   strstr(err.msg, "another program") != NULL &&
	   ai_conversation_read(l, &ada, hear, &h, &err) == 4,
	   "nobody speaks into what he has not heard");
	ok(say(l, &bob, 0, "\"b\"", &err) == AI_E_NONE &&
	   ai_conversation_read(l, &bob, hear, &h, &err) == 2 &&
	   ai_conversation_read(l, &ada, hear, &h, &err) == 4,
	   "the same name of another user is another one");
	ok(say(l, &ada, -1, "not JSON", &err) == AI_E_BUG, "what is no JSON");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ok(say(l, &(struct ai_conversation){ name, "", "" }, -1, "1", &err) ==
	   AI_E_USAGE && say(l, &(struct ai_conversation){ "", "", "" }, -1,
			     "1", &err) == AI_E_USAGE &&
	   say(l, &(struct ai_conversation){ "x", "", name }, -1, "1", &err) ==
	   AI_E_USAGE, "names that are too long, or none: %s", err.msg);
	ok(ai_conversation_remove(l, &bob, &err) == 1 &&
	   ai_conversation_remove(l, &bob, &err) == 0 &&
	   ai_conversation_read(l, &bob, hear, &h, &err) == 0 &&
	   ai_conversation_read(l, &ada, hear, &h, &err) == 4, "removed");
	l->no_sync = true;
	for (i = 0; i < AI_CONVERSATION_MESSAGES / 2 - 2; i++)
		if (say(l, &ada, -1, "1", &err) != AI_E_NONE)
			break;
	ok(say(l, &ada, -1, "1", &err) == AI_E_TOO_LONG && wrongs(l) == 0,
	   "after %d turns: %s", i + 2, err.msg);
	ai_ledger_close(l);
}

/* ---- batches --------------------------------------------------------------------- */

#define LINES 30
#define WORST 1000
#define COST 7

static struct ai_batch_line line_of(int i)
{
	struct ai_batch_line line = { .ordinal = i / 10 };

	/* Ten questions, three times each. */
	key_of(i % 10, line.payload);
	return line;
}

static enum ai_line_state find_line(struct ai_ledger *l,
				    const struct ai_batch *b, int i)
{
	struct ai_batch_line line = line_of(i);
	struct ai_buf out = AI_BUF_INIT(100);
	char wanted[20];
	struct ai_err err;
	int64_t amount = 0;
	int state = ai_batch_find(l, b, &line, &out, &amount, &err);

	snprintf(wanted, sizeof(wanted), "answer %d", i);
	if (state == AI_LINE_ANSWERED &&
	    (strcmp(ai_buf_cstr(&out), wanted) != 0 || amount != COST))
		state = -1;
	ai_buf_release(&out);
	return (enum ai_line_state)state;
}

static void log_call(int fd, const unsigned char id[AI_LEDGER_ID])
{
	if (write(fd, id, AI_LEDGER_ID) != AI_LEDGER_ID)
		_exit(1);
}

/* One line on its way; fd: the log of all calls that went out. */
static int answer_line(struct ai_ledger *l, const struct ai_batch *b, int i,
		       int fd, struct ai_err *err)
{
	struct ai_batch_line line = line_of(i);
	struct ai_reserve r = { .worst = WORST };
	struct ai_post p = { .amount = COST, .usage = "{}" };
	struct ai_reserved out;
	char text[20];

	ai_ledger_id(r.id);
	memcpy(p.id, r.id, sizeof(p.id));
	snprintf(text, sizeof(text), "answer %d", i);
	if (ai_ledger_reserve(l, &r, &out, err) < 0 ||
	    ai_batch_start(l, b, &line, r.id, "Ada", err) < 0 ||
	    ai_ledger_sent(l, r.id, err) < 0)
		return -1;
	log_call(fd, r.id);
	usleep(500); /* it is on its way */
	return ai_batch_answer(l, b, &line, ai_span_of(text), COST, "{}",
			       err) < 0 || ai_ledger_post(l, &p, err) < 0 ? -1
									  : 0;
}

static void run_batch(int fd, int ready)
{
	struct ai_ledger *l = open_it();
	struct ai_batch b;
	struct ai_err err;
	int i;

	if (ai_batch_open(l, "b", false, &b, &err) < 0 ||
	    write(ready, "x", 1) != 1)
		_exit(2);
	for (i = 0; i < LINES; i++)
		if (find_line(l, &b, i) != AI_LINE_ANSWERED &&
		    answer_line(l, &b, i, fd, &err) < 0)
			_exit(3);
	_exit(0);
}

/* Every call that went out is booked once: at its cost if its answer is
 * kept, else at its worst case. */
static int count_wrong(struct ai_ledger *l, const char *log, int *calls)
{
	static const char sql[] = "SELECT coalesce((SELECT sum(e.amount) FROM"
		" transfer e WHERE e.of=t.seq), -1), EXISTS(SELECT 1 FROM"
		" answer a WHERE a.transfer=t.id) FROM transfer t WHERE id=?";
	unsigned char id[AI_LEDGER_ID];
	sqlite3_stmt *st = NULL;
	struct ai_err err;
	int wrong = 0, fd = open(log, O_RDONLY);

	for (*calls = 0; read(fd, id, sizeof(id)) == sizeof(id); ++*calls) {
		if (ai_db_bind(&l->db, &st, sql, &err, "b",
			       LEDGER_BYTES(id, sizeof(id))) < 0 ||
		    ai_db_step(&l->db, st, &err) <= 0 ||
		    sqlite3_column_int64(st, 0) !=
		    (sqlite3_column_int(st, 1) ? COST : WORST))
			wrong++;
		sqlite3_reset(st);
	}
	ai_db_finish(&st);
	close(fd);
	return wrong;
}

static void test_killed_batch(void)
{
	struct ai_ledger *l = open_new();
	int fd, status = 1, kills = 0, calls, wrong, i, answered = 0;
	struct ai_batch b;
	struct ai_err err;
	char log[120], c;
	int ready[2];
	pid_t pid;

	ai_ledger_close(l);
	if (pipe(ready) < 0)
		exit(1);
	snprintf(log, sizeof(log), "%s/calls", folder);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	while (status != 0 && kills < 1000) {
		if ((pid = fork()) == 0)
			run_batch(fd, ready[1]);
		if (read(ready[0], &c, 1) == 1)
			usleep((useconds_t)below(12000 + 500 * kills));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		kills += status != 0;
	}
	close(fd);
	close(ready[0]);
	close(ready[1]);
	l = open_it();
	ai_ledger_sweep(l, &err);
	wrong = count_wrong(l, log, &calls);
	ok(status == 0 && wrong == 0 && calls >= LINES, "a batch that was "
	   "killed %d times: %d calls for %d lines, %d booked wrongly", kills,
	   calls, LINES, wrong);
	ai_batch_open(l, "b", false, &b, &err);
	for (i = 0; i < LINES; i++)
		answered += find_line(l, &b, i) == AI_LINE_ANSWERED;
	ok(answered == LINES && wrongs(l) == 0, "all answers are there, in "
	   "their places");
	ai_ledger_close(l);
}

static int read_state(void *arg, const struct ai_batch_state *s)
{
	*(struct ai_batch_state *)arg = *s;
	return 0;
}

/* What a line is whose call went so far, or ended so. */
static void test_line_states(void)
{
	static const struct {
		bool sent;
		enum { OPEN, VOID, REFUSED, LOST, CORRECTED } end;
		enum ai_line_state state;
		const char *what;
	} ways[] = {
		{ false, OPEN, AI_LINE_UNCERTAIN, "may be sent any moment" },
		{ false, VOID, AI_LINE_NEW, "was not sent" },
		{ true, OPEN, AI_LINE_UNCERTAIN, "is under way" },
		{ true, REFUSED, AI_LINE_NEW, "was refused" },
		{ true, LOST, AI_LINE_UNCERTAIN, "got no answer" },
		{ true, CORRECTED, AI_LINE_NEW, "was settled by hand" },
	};
	struct ai_ledger *l = open_new();
	struct ai_batch b;
	struct ai_err err;
	int before;

	ai_batch_open(l, "b", false, &b, &err);
	ok(find_line(l, &b, 0) == AI_LINE_NEW, "a new line");
	for (int i = 0; i < (int)(sizeof(ways) / sizeof(*ways)); i++) {
		struct ai_reserve r = { .worst = WORST };
		struct ai_post p = { .how = AI_BOOK_WORST };
		struct ai_batch_line line = line_of(i);
		struct ai_reserved out;
		struct ai_settled was;

		ai_ledger_id(r.id);
		memcpy(p.id, r.id, sizeof(p.id));
		if (ways[i].end == REFUSED)
			p.how = AI_BOOK_AMOUNT;
		ai_ledger_reserve(l, &r, &out, &err);
		before = syncs;
		ai_batch_start(l, &b, &line, r.id, "", &err);
		if (ways[i].sent)
			ai_ledger_sent(l, r.id, &err);
		ok(syncs == before, "no sync");
		if (ways[i].end == VOID)
			ai_ledger_void(l, r.id, &err);
		else if (ways[i].end != OPEN)
			ai_ledger_post(l, &p, &err);
		if (ways[i].end == CORRECTED)
			ai_ledger_settle(l, r.id, AI_BOOK_AMOUNT, COST, false,
					 &was, &err);
		ok(find_line(l, &b, i) == ways[i].state, "a line that %s",
		   ways[i].what);
	}
	ai_ledger_close(l);
}

static void test_batch(void)
{
	struct ai_ledger *l = open_new();
	struct ai_batch_line line = line_of(3);
	struct ai_batch_state s;
	struct ai_batch b;
	struct ai_err err;
	int fd = open("/dev/null", O_WRONLY), to[2], status;
	pid_t pid = -1;
	char c;

	ai_batch_open(l, "b", false, &b, &err);
	ok(answer_line(l, &b, 3, fd, &err) == 0 &&
	   find_line(l, &b, 3) == AI_LINE_ANSWERED &&
	   find_line(l, &b, 13) == AI_LINE_NEW, "answered; its twin is not");
	line.ordinal = 5;
	ok(ai_batch_answer(l, &b, &line, AI_SPAN("x"), 1, "", &err) < 0 &&
	   err.code == AI_E_BUG, "an answer to nothing");
	ok(ai_batch_list(l, read_state, &s, &err) == 0 && s.lines == 1 &&
	   s.answered == 1 && s.pid == getpid(), "listed as ours");
	ai_batch_close(l, &b, &err);
	ok(pipe(to) == 0 && (pid = fork()) >= 0, "another process");
	if (pid == 0) {
		l = open_it();
		status = ai_batch_open(l, "b", false, &b, &err) < 0;
		if (write(to[1], "x", 1) == 1)
			sleep(60);
		_exit(status);
	}
	ok(read(to[0], &c, 1) == 1 &&
	   ai_batch_open(l, "b", false, &b, &err) < 0 &&
	   err.code == AI_E_TRY_LATER, "one at a time: %s", err.msg);
	ok(ai_batch_remove(l, "b", false, &err) < 0 &&
	   ai_batch_open(l, "b", true, &b, &err) == 0, "unless by force");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(ai_batch_remove(l, "b", false, &err) == 1 &&
	   ai_batch_remove(l, "b", false, &err) == 0 && wrongs(l) == 0,
	   "removed");
	close(fd);
	ai_ledger_close(l);
}

/* ---- forgetting ---------------------------------------------------------------- */

/* Whether a file below the folder has these bytes. */
static bool is_anywhere(const char *what)
{
	static char bytes[64 << 20];
	char file[400];
	struct dirent *e;
	bool found = false;
	DIR *d;
	size_t n;
	FILE *f;

	snprintf(file, sizeof(file), "%s/forget", folder);
	d = opendir(file);
	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(file, sizeof(file), "%s/forget/%s", folder, e->d_name);
		f = fopen(file, "rb");
		n = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
		if (f != NULL)
			fclose(f);
		if (n > 0 && memmem(bytes, n, what, strlen(what)) != NULL) {
			printf("# it is in %s\n", file);
			found = true;
		}
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* As SQLite is built where nobody thought of it. */
static int forgetful(sqlite3 *db, const char **why,
		     const struct sqlite3_api_routines *api)
{
	(void)why;
	(void)api;
	return sqlite3_exec(db, "PRAGMA secure_delete=OFF", NULL, NULL, NULL);
}

static void test_overwritten(void)
{
	struct ai_ledger *l;
	int64_t on = 0;
	struct ai_err err;

	sqlite3_auto_extension((void (*)(void))forgetful);
	l = open_new();
	sqlite3_reset_auto_extension();
	ok(ai_db_int(&l->db, "PRAGMA secure_delete", &on, &err) == 0 && on == 1,
	   "what is removed is overwritten, however SQLite was built");
	ai_ledger_close(l);
}

/* Killed with the name in its slot, before anything was done. */
static int die_with_it(void *arg, void *const *items, size_t n,
		       struct ai_err *err)
{
	(void)arg;
	(void)items;
	(void)n;
	(void)err;
	return kill(getpid(), SIGKILL);
}

static void ask_and_die(const struct ai_reserve *r)
{
	struct ai_ledger *l = open_it();
	struct ledger_item it = { .what = LEDGER_DO_RESERVE, .now_ms = now_ms,
				  .owner = l->owner, .in.reserve = *r };
	struct ai_err err;

	ai_ledger_id(it.in.reserve.id);
	ai_queue_do(&l->queue, &it, sizeof(it), die_with_it, l, &err);
	_exit(1);
}

static void leave_file(const char *tail)
{
	char file[200];
	FILE *f;

	snprintf(file, sizeof(file), "%s%s", path, tail);
	f = fopen(file, "w");
	if (f == NULL || fputs("Ada Lovelace", f) < 0 || fclose(f) != 0)
		ok(false, "cannot write %s", file);
}

static void count_damaged(void *arg, const char *file)
{
	char name[200];

	snprintf(name, sizeof(name), "%s.damaged-1", path);
	*(int *)arg += strcmp(file, name) == 0 ? 1 : 100;
}

/* What stands beside the ledger. */
static void test_forget_beside(struct ai_ledger *l)
{
	struct ai_forgotten f;
	struct ai_err err;
	char file[200];
	int fd, n = 0;

	leave_file(".restore");
	snprintf(file, sizeof(file), "%s.restore", path);
	fd = open(file, O_RDWR);
	ok(flock(fd, LOCK_EX) == 0 &&
	   ai_ledger_forget(l, "Ada Lovelace", &f, &err) == 0 && f.restoring &&
	   access(file, F_OK) == 0, "a restore that is under way is told");
	close(fd);
	leave_file("-queue1");
	ok(ai_ledger_forget(l, "Ada Lovelace", &f, &err) == 0 && !f.restoring &&
	   !is_anywhere("Ada Lovelace"), "what a killed one left is removed, "
	   "and the queue of an older version");
	leave_file(".damaged-1");
	ok(ai_ledger_beside(l, count_damaged, &n, &err) == 0 && n == 1,
	   "what was put aside is named");
	snprintf(file, sizeof(file), "%s.damaged-1", path);
	unlink(file);
}

static void test_forget(void)
{
	struct ai_conversation c = { "trip", "", "Ada Lovelace" };
	struct ai_message m = { "user", AI_SPAN("\"to Turin\""), 0, 0 };
	struct ai_reserve r = { .worst = 9, .labels = {
		.user = "Ada Lovelace" } };
	struct ai_budget b = { "user", "Ada Lovelace", "day", 100 };
	struct ai_forgotten f;
	struct ai_reserved out;
	struct ai_ledger *l;
	struct ai_err err;
	int64_t calls = 0;
	pid_t pid;
	int i;

	snprintf(path, sizeof(path), "%s/forget/ledger.db", folder);
	l = open_it();
	ai_ledger_set_budget(l, &b, &err);
	ai_conversation_add(l, &c, 0, &m, 1, &err);
	/* Others leave their traces in the queue and in the log. */
	for (i = 0; i < 8; i++) {
		if ((pid = fork()) != 0) {
			waitpid(pid, NULL, 0);
			continue;
		}
		l = open_it();
		ai_ledger_id(r.id);
		ai_ledger_reserve(l, &r, &out, &err);
		kill(getpid(), SIGKILL);
	}
	if ((pid = fork()) == 0)
		ask_and_die(&r);
	waitpid(pid, NULL, 0);
	ok(is_anywhere("Ada Lovelace") && is_anywhere("to Turin"),
	   "a name and what was said are in the files");
	ok(ai_ledger_forget(l, "Ada Lovelace", &f, &err) == 1 &&
	   f.messages == 1 && f.budgets == 1 && !f.log, "forgotten");
	ok(!is_anywhere("Ada Lovelace") && !is_anywhere("to Turin"),
	   "no byte of it is left");
	ok(ai_ledger_forget(l, "Ada Lovelace", &f, &err) == 0 &&
	   wrongs(l) == 0 &&
	   ai_db_int(&l->db, "SELECT count(*) FROM transfer WHERE kind=1",
		     &calls, &err) == 0 && calls == 9,
	   "the calls are, and all agrees");
	test_forget_beside(l);
	ai_ledger_close(l);
}

/* ---- events and seals ------------------------------------------------------------ */

static int count_kind(void *arg, const struct ai_event *e)
{
	char *seen = arg;

	snprintf(seen + strlen(seen), 500 - strlen(seen), "%s ", e->kind);
	return 0;
}

/* What a hand with sqlite3 does is seen. */
static void tamper(struct ai_ledger *l, const char *sql, const char *what)
{
	struct ai_err err;
	int before = wrongs(l), after;

	ai_db_exec(&l->db, sql, &err);
	after = wrongs(l);
	ok(before == 0 && after > 0, "%s: seen", what);
}

static void test_events(void)
{
	struct ai_budget b = { "tenant", "acme", "day", 5 };
	struct ai_limit q = { "*", "m", 10, 0 };
	struct ai_ledger *l = open_new();
	char seen[500] = "";
	struct ai_err err;
	int i;

	ai_ledger_set_budget(l, &b, &err);
	ai_ledger_set_limit(l, &q, &err);
	b.cap = -1;
	ai_ledger_set_budget(l, &b, &err);
	ok(ai_ledger_events(l, count_kind, seen, &err) == 0 &&
	   strcmp(seen, "budget limit budget removed ") == 0,
	   "events: %s", seen);
	tamper(l, "DROP TRIGGER no_event_update; UPDATE event SET"
	       " detail=replace(detail, '10', '1000') WHERE kind='limit'",
	       "an event that was changed");
	ai_ledger_close(l);
	for (i = 0; i < 4; i++) {
		static const struct { const char *sql, *what; } hands[] = {
			{ "DROP TRIGGER no_event_delete; DELETE FROM event"
			  " WHERE seq=1", "the first event removed" },
			{ "DROP TRIGGER no_event_delete; DELETE FROM event"
			  " WHERE seq=2", "the last event removed" },
			{ "UPDATE label SET tenant='other'",
			  "a call moved to another tenant" },
			{ "UPDATE label SET n=n+7", "labels with new numbers" },
		};
		struct ai_reserve r = { .worst = 1,
					.labels = { .tenant = "acme" } };
		struct ai_reserved out;

		l = open_new();
		ai_ledger_set_limit(l, &q, &err);
		ai_ledger_set_limit(l, &q, &err);
		ai_ledger_id(r.id);
		ai_ledger_reserve(l, &r, &out, &err);
		tamper(l, hands[i].sql, hands[i].what);
		ai_ledger_close(l);
	}
}

int main(int argc, char **argv)
{
	seed = (uint64_t)number(argc, argv, 1, 1);
	if (mkdtemp(folder) == NULL)
		return 1;
	test_keys();
	test_cache();
	test_cache_model();
	test_conversation();
	test_line_states();
	test_batch();
	test_killed_batch();
	test_overwritten();
	test_forget();
	test_events();
	remove_folder(folder);
	return done();
}
