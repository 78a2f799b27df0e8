/*
 * A new ledger whose names are not on the disk yet: those of its log, which
 * SQLite makes and syncs, and of the folders above it.
 *
 * One process makes a ledger and dies before any of its writes; a second one
 * finds what it had done (and so a log, perhaps, that was never synced), and
 * its call is acknowledged; then the power fails.  What either was told must
 * be there.
 */
#include "crash-vfs.h"
#include "help.h"
#include "store/ledger-int.h"
#include "tap.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/ai-ledger-names-XXXXXX", path[80];
static int broken; /* of this process */

/* Of all processes. */
static struct shared {
	long crashes, first_ack;
	unsigned char first_id[AI_LEDGER_ID];
	int broken;
} *shared;

static void fail(const char *what, int64_t killed, long at)
{
	char text[560];

	snprintf(text, sizeof(text), "killed before event %lld, power lost "
		 "before event %ld: %s", (long long)killed, at, what);
	complain(&broken, text);
}

/* What a process finds out about itself is new in each. */
static void in_child(void (*what)(int64_t), int64_t n)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		what(n);
		fflush(stdout);
		_exit(broken > 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		shared->broken++;
}

static struct ai_ledger *open_it(int64_t killed)
{
	struct ai_ledger *l;
	struct ai_err err;

	if (ai_ledger_open(&l, path, &err) < 0)
		fail(err.msg, killed, 0);
	return l;
}

/* ---- the log ------------------------------------------------------------------- */

static int one_call(struct ai_ledger *l, unsigned char id[AI_LEDGER_ID])
{
	struct ai_post p = { .amount = 3, .usage = "" };
	struct ai_reserve r = { .worst = 5 };
	struct ai_reserved out;
	struct ai_err err;

	ai_ledger_id(id);
	memcpy(r.id, id, AI_LEDGER_ID);
	memcpy(p.id, id, AI_LEDGER_ID);
	return l == NULL || ai_ledger_reserve(l, &r, &out, &err) < 0 ||
		out.verdict != AI_GRANTED ||
		ai_ledger_post(l, &p, &err) < 0 ? -1 : 0;
}

static bool is_posted(struct ai_ledger *l, const unsigned char *id)
{
	struct ai_settled out = { .is = -1 };
	struct ai_err err;

	/* It has cost that already. */
	return ai_ledger_settle(l, id, AI_BOOK_AMOUNT, 3, true, &out,
				&err) == 0 && out.was == 3;
}

static void name_first(char out[120])
{
	snprintf(out, 120, "%s/first", folder);
}

/* Makes a ledger, and is told that its call is booked. */
static void first_process(int64_t n)
{
	struct ai_ledger *l;
	char name[120];

	crash_vfs_clear(path);
	l = open_it(n);
	if (one_call(l, shared->first_id) < 0)
		fail("no call", n, 0);
	shared->first_ack = crash_vfs_events();
	ai_ledger_close(l);
	name_first(name);
	if (crash_vfs_save(name) < 0)
		fail("cannot save", n, 0);
}

static void power_loss(long at, enum crash_kind kind, int64_t killed,
		       const unsigned char *second)
{
	struct ai_ledger *l;

	if (crash_vfs_same(at, kind))
		return; /* the next one is this one */
	shared->crashes++;
	crash_vfs_crash(at, kind, below);
	l = open_it(killed);
	if (l == NULL)
		return;
	if (shared->first_ack <= killed && !is_posted(l, shared->first_id))
		fail("the first one's call is lost", killed, at);
	if (second != NULL && !is_posted(l, second))
		fail("the second one's call is lost", killed, at);
	ai_ledger_close(l);
}

/* The power fails before each of its writes, and right after the last. */
static void second_process(int64_t killed)
{
	unsigned char id[AI_LEDGER_ID];
	struct ai_ledger *l;
	char name[120];
	long told, at, end;

	name_first(name);
	if (crash_vfs_load(name, path) < 0) {
		fail("cannot load", killed, 0);
		return;
	}
	crash_vfs_kill((long)killed);
	l = open_it(killed);
	if (one_call(l, id) < 0)
		fail("no call", killed, 0);
	told = crash_vfs_events();
	ai_ledger_close(l);
	end = crash_vfs_events();
	for (at = (long)killed; at <= end; at++)
		power_loss(at, CRASH_POWER, killed, at < told ? NULL : id);
	for (at = 0; at < 3; at++)
		power_loss(end, CRASH_TORN, killed, id);
}

static void test_log(void)
{
	long at;

	snprintf(path, sizeof(path), "%s/l.db", folder);
	in_child(first_process, 0);
	for (at = 0; at <= shared->first_ack && shared->broken == 0; at++)
		in_child(second_process, at);
	ok(shared->broken == 0 && shared->first_ack > 0,
	   "the first call of a new ledger, and of one who found it at any of "
	   "%ld moments, outlive %ld power failures", shared->first_ack + 1,
	   shared->crashes);
}

/* ---- the folders --------------------------------------------------------------- */

static ino_t synced[8];
static int n_synced;

/* The library's alone: SQLite's files are not real. */
int fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && n_synced < 8)
		synced[n_synced++] = st.st_ino;
	return 0;
}

static bool was_synced(const char *name)
{
	struct stat st;
	int i;

	for (i = 0; i < n_synced && stat(name, &st) == 0; i++)
		if (synced[i] == st.st_ino)
			return true;
	return false;
}

static void open_in_new_folders(int64_t n)
{
	struct ai_ledger *l;
	char above[100];

	snprintf(above, sizeof(above), "%s/a", folder);
	snprintf(path, sizeof(path), "%s/a/b/l.db", folder);
	crash_vfs_clear(path);
	l = open_it(n);
	if (!was_synced(folder) || !was_synced(above))
		fail("a new folder's name is loose", n, 0);
	ai_ledger_close(l);
}

static void test_folders(void)
{
	shared->broken = 0;
	in_child(open_in_new_folders, 0);
	ok(shared->broken == 0, "the names of new folders are synced");
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdtemp(folder) == NULL ||
	    crash_vfs_register() < 0)
		return 1;
	setenv("TZ", "UTC", 1);
	test_log();
	test_folders();
	remove_folder(folder);
	return done();
}
