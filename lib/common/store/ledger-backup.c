/* ledger-backup.c: copies of the ledger: made, and put back; and the space
 * that nothing uses any more. */
#include "store/cache.h"
#include "store/ledger-int.h"

#include "base/money.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH 4096
#define RESTORE ".restore" /* behind the ledger's name: the draft of one */

/* ---- a file that gets its name when it is complete ------------------------- */

struct draft {
	char path[PATH];
	int fd; /* its lock tells who writes it; what a dead one left is used
		 * again */
};

static const char *path_of(struct ai_ledger *l)
{
	return sqlite3_db_filename(l->db.h, "main");
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int draft_open(struct draft *d, const char *target, const char *tail,
		      struct ai_err *err)
{
	struct stat own, named;

	if (snprintf(d->path, PATH, "%s%s", target, tail) >= PATH)
		return ai_err_set(err, AI_E_USAGE, "the path '%.80s...' is "
				  "too long", target);
	d->fd = open(d->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot create '%.200s'", d->path);
	/* Who had it until now may just have given it its name. */
	if (flock(d->fd, LOCK_EX | LOCK_NB) < 0 || fstat(d->fd, &own) < 0 ||
	    stat(d->path, &named) < 0 || !is_same(&own, &named)) {
		close(d->fd);
		return ai_err_set(err, AI_E_TRY_LATER, "another program is "
				  "writing '%.200s'", d->path);
	}
	if (fchmod(d->fd, 0600) == 0 && ftruncate(d->fd, 0) == 0)
		return 0;
	ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'", d->path);
	unlink(d->path);
	close(d->fd);
	return -1;
}

/* Away with it, if it has not got its name. */
static void draft_close(struct draft *d, bool named)
{
	if (!named)
		unlink(d->path);
	close(d->fd);
}

int ledger_drop_draft(struct ai_ledger *l, bool *in_use, struct ai_err *err)
{
	struct stat own, named;
	char path[PATH];
	int fd, rc = 0;

	*in_use = false;
	snprintf(path, sizeof(path), "%s" RESTORE, path_of(l));
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 :
			ai_err_sys(err, AI_E_OPEN, errno,
				   "cannot open '%.200s'", path);
	/* Whoever opens it meanwhile sees that it has no name any more. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		*in_use = true;
	else if (fstat(fd, &own) == 0 && stat(path, &named) == 0 &&
		 is_same(&own, &named) && unlink(path) < 0)
		rc = ai_err_sys(err, AI_E_CREATE, errno,
				"cannot remove '%.200s'", path);
	close(fd);
	return rc;
}

/* The folder too, so that a name is still there after a power failure. */
static int sync_folder(const char *path, struct ai_err *err)
{
	char dir[PATH];
	char *slash;
	int fd, rc;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : fsync(fd);
	if (rc < 0 && errno != EINVAL)
		ai_err_sys(err, AI_E_IO, errno, "cannot sync the folder "
			   "'%.200s'", dir);
	else
		rc = 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int draft_name(struct draft *d, const char *target, bool replace,
		      struct ai_err *err)
{
	int rc = renameat2(AT_FDCWD, d->path, AT_FDCWD, target,
			   replace ? 0 : RENAME_NOREPLACE);

	/* Not every file system knows how not to replace. */
	if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
		rc = rename(d->path, target);
	if (rc < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot name the "
				  "copy '%.200s'", target);
	return sync_folder(target, err);
}

/* ---- copies ------------------------------------------------------------------ */

static int copy_pages(struct ai_db *from, struct ai_db *to, struct ai_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to->h, "main", from->h, "main");
	int rc;

	if (b == NULL)
		return ai_db_fail(to, sqlite3_extended_errcode(to->h), err);
	/* All in one go: between two steps others would write, and it would
	 * begin again. They do not wait for it. */
	sqlite3_backup_step(b, -1);
	rc = sqlite3_backup_finish(b);
	return rc == SQLITE_OK ? 0 : ai_db_fail(to, rc, err);
}

/* The draft as a database without a log; l->db.name is what it is called. */
static int draft_db(struct ai_ledger **out, const struct draft *d,
		    const char *name, struct ai_err *err)
{
	struct ai_db_wish wish = { name, NULL, 0, 4096, 0 };
	struct ai_ledger *l = ledger_new(err);

	*out = NULL;
	if (l == NULL)
		return -1;
	if (ai_db_open(&l->db, d->path, AI_DB_READ, &wish, err) < 0 ||
	    ai_db_exec(&l->db, "PRAGMA journal_mode=MEMORY;"
		       "PRAGMA synchronous=OFF; PRAGMA secure_delete=ON",
		       err) < 0) {
		ai_ledger_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

/*
 * A copy of a database with a log says in its header that it has one, too
 * (bytes 18 and 19: 2), and SQLite would make one as soon as somebody opens
 * it. It has none, and shall not need one.
 */
static int without_log(const struct draft *d, struct ai_err *err)
{
	static const unsigned char plain[2] = { 1, 1 };

	return pwrite(d->fd, plain, 2, 18) == 2 && fsync(d->fd) == 0 ? 0 :
		ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
			   d->path);
}

static int draft_fill(const struct draft *d, struct ai_db *from,
		      const char *name, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (draft_db(&l, d, name, err) < 0)
		return -1;
	rc = copy_pages(from, &l->db, err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : without_log(d, err);
}

struct findings {
	char first[200];
	long n;
};

static void found(void *arg, const char *what)
{
	struct findings *f = arg;

	if (f->n++ == 0)
		snprintf(f->first, sizeof(f->first), "%s", what);
}

static int check_copy(struct ai_ledger *l, struct ai_err *err)
{
	struct findings f = { .n = 0 };

	if (ai_ledger_check(l, found, &f, err) < 0)
		return -1;
	return f.n == 0 ? 0 : ai_err_set(err, AI_E_DATA, "%s contradicts "
		"itself in %ld places: %s", l->db.name, f.n, f.first);
}

/* Of a version that this program knows, and without a contradiction. An older
 * one is brought forward; so it must be a copy. */
static int accept(struct ai_ledger *l, const char *path, struct ai_err *err)
{
	int64_t id, version;

	if (ai_db_int(&l->db, "PRAGMA application_id", &id, err) < 0 ||
	    ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (id != LEDGER_APPLICATION || version <= 0)
		return ai_err_set(err, AI_E_DATA, "%s is no ledger",
				  l->db.name);
	return ledger_schema(l, path, err) < 0 ? -1 : check_copy(l, err);
}

/* ---- making one ---------------------------------------------------------------- */

/* Whether file is the ledger at path, or one of those beside it. */
static bool is_of_ledger(const char *file, const char *path)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[PATH];
	struct stat a, b;
	int i, version;

	if (stat(file, &a) < 0)
		return false;
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		if (stat(name, &b) == 0 && is_same(&a, &b))
			return true;
	}
	for (version = 1; version <= LEDGER_VERSION; version++) {
		ledger_queue_path(path, version, name, sizeof(name));
		if (stat(name, &b) == 0 && is_same(&a, &b))
			return true;
	}
	return false;
}

static int check_target(const char *to, const char *path, bool force,
			struct ai_err *err)
{
	static const char *const beside[] = { "-wal", "-journal" };
	char name[PATH];
	struct stat st;
	int i;

	if (to[0] == '\0' || strcmp(to, "-") == 0)
		return ai_err_set(err, AI_E_USAGE, "a backup is made in a "
				  "file that is named, not on a pipe");
	if (is_of_ledger(to, path))
		return ai_err_set(err, AI_E_USAGE, "'%.200s' is the ledger "
				  "itself", to);
	if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return ai_err_set(err, AI_E_CREATE, "'%.200s' is not a file",
				  to);
	if (lstat(to, &st) == 0 && !force)
		return ai_err_set(err, AI_E_CREATE, "'%.200s' is there already; "
				  "--force replaces it", to);
	/* They would be taken for the new one's. */
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", to, beside[i]);
		if (access(name, F_OK) == 0)
			return ai_err_set(err, AI_E_CREATE, "'%.200s' lies "
					  "there: a program uses '%.100s' as a "
					  "database of its own", name, to);
	}
	return 0;
}

static int make_copy(struct ai_ledger *l, struct draft *d, const char *to,
		     bool force, struct ai_err *err)
{
	struct ai_ledger *copy;
	char name[200];
	int rc;

	snprintf(name, sizeof(name), "the backup '%.180s'", to);
	if (draft_fill(d, &l->db, name, err) < 0)
		return -1;
	snprintf(name, sizeof(name), "the ledger's copy '%.170s'", to);
	if (draft_db(&copy, d, name, err) < 0)
		return -1;
	rc = accept(copy, d->path, err);
	ai_ledger_close(copy);
	return rc < 0 ? -1 : draft_name(d, to, force, err);
}

int ai_ledger_backup(struct ai_ledger *l, const char *to, bool force,
		     struct ai_err *err)
{
	struct draft d;
	int rc;

	if (check_target(to, path_of(l), force, err) < 0 ||
	    draft_open(&d, to, ".part", err) < 0)
		return -1;
	rc = make_copy(l, &d, to, force, err);
	draft_close(&d, rc == 0);
	return rc;
}

/* ---- putting one back ------------------------------------------------------------ */

struct restoring {
	const char *from;
	char path[PATH];
	bool force;
	struct draft draft;
	struct ai_ledger *copy; /* the draft, open */
	struct ai_restored *out;
};

/* The backup, copied beside the ledger and found right. */
static int take_backup(struct restoring *r, struct ai_err *err)
{
	char name[200];
	struct ai_db_wish wish = { name, NULL, 0, 4096, 0 };
	struct ai_db db = AI_DB_INIT;
	int64_t id;
	int rc;

	snprintf(name, sizeof(name), "'%.190s'", r->from);
	if (access(r->from, R_OK) != 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%.200s'",
				  r->from);
	if (ai_db_open(&db, r->from, AI_DB_READ, &wish, err) < 0)
		return -1;
	/* The header, before all of it is copied. */
	rc = ai_db_int(&db, "PRAGMA application_id", &id, err);
	if (rc == 0 && id != LEDGER_APPLICATION)
		rc = ai_err_set(err, AI_E_DATA, "%s is no ledger", name);
	if (rc == 0)
		rc = draft_fill(&r->draft, &db, "the copy beside the ledger",
				err);
	ai_db_close(&db);
	if (rc < 0 || draft_db(&r->copy, &r->draft, name, err) < 0)
		return -1;
	return accept(r->copy, r->draft.path, err);
}

struct living {
	char who[160];
	int n;
};

static int note_living(void *arg, const struct ai_hold *h)
{
	struct living *a = arg;
	size_t at = strlen(a->who);

	if (h->alive && a->n++ < 3)
		snprintf(a->who + at, sizeof(a->who) - at, "%s%s (process %lld)",
			 at > 0 ? ", " : "", h->tool, (long long)h->pid);
	return 0;
}

static int refuse_living(struct ai_ledger *l, struct ai_err *err)
{
	struct living a = { .n = 0 };

	if (ai_ledger_holds(l, note_living, &a, err) < 0)
		return -1;
	return a.n == 0 ? 0 : ai_err_set(err, AI_E_TRY_LATER, "%d calls are "
		"under way: %s%s; wait for them, or restore with --force and "
		"lose what they cost", a.n, a.who, a.n > 3 ? ", ..." : "");
}

/* What the ledger has and the copy has not: their chains are the same up to
 * some link. */
static int count_lost(struct restoring *r, struct ai_err *err)
{
	static const char same[] =
		"SELECT coalesce(max(a.seq), 0) FROM transfer a"
		" JOIN live.transfer b ON b.seq=a.seq AND b.link=a.link",
		same_event[] = "SELECT coalesce(max(a.seq), 0) FROM event a"
		" JOIN live.event b ON b.seq=a.seq AND b.link=a.link";
	struct ai_db *db = &r->copy->db;
	char sql[160];
	int64_t seq, event;

	if (ai_db_int(db, same, &seq, err) < 0 ||
	    ai_db_int(db, same_event, &event, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM live.transfer"
		 " WHERE seq>%lld", (long long)seq);
	if (ai_db_int(db, sql, &r->out->transfers, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "SELECT sum(amount) FROM live.transfer"
		 " WHERE seq>%lld AND kind<>1", (long long)seq);
	if (ai_db_int(db, sql, &r->out->nano, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM live.event WHERE"
		 " seq>%lld AND kind NOT IN ('restore', 'version')",
		 (long long)event);
	return ai_db_int(db, sql, &r->out->events, err);
}

/* How fast calls went until now is no history: limits hold on. */
static const char keep_rates[] =
	"DELETE FROM bucket; INSERT INTO bucket SELECT * FROM live.bucket;"
	"DELETE FROM breaker; INSERT INTO breaker SELECT * FROM live.breaker";

static int compare(struct restoring *r, struct ai_ledger *live,
		   struct ai_err *err)
{
	struct ai_db *db = &r->copy->db;
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(db, &st, "ATTACH ? AS live", err, "t",
			    ai_span_of(path_of(live)));

	if (rc == 0)
		rc = ai_db_run(db, st, err);
	ai_db_finish(&st);
	if (rc < 0)
		return -1;
	rc = count_lost(r, err);
	if (rc == 0)
		rc = ai_db_exec(db, keep_rates, err);
	return rc < 0 || ai_db_exec(db, "DETACH live", err) < 0 ? -1 : 0;
}

static int refuse_loss(const struct restoring *r, struct ai_err *err)
{
	char usd[AI_MONEY_TEXT];

	if (r->out->transfers == 0 && r->out->events == 0)
		return 0;
	ai_money_show(r->out->nano, usd);
	return ai_err_set(err, AI_E_CREATE, "the ledger is in order and has "
			  "%lld transfers (%s spent) and %lld changes by hand "
			  "that '%.100s' has not; --force drops them",
			  (long long)r->out->transfers, usd,
			  (long long)r->out->events, r->from);
}

/* It is told in the ledger that it becomes. */
static int tell_restored(struct restoring *r, struct ai_err *err)
{
	struct ai_ledger *l = r->copy;
	const struct ledger_who who = { getuid(), l->wall_ms() };

	if (ai_db_begin(&l->db, true, err) < 0)
		return -1;
	if (ledger_state_load(l, err) == 0 &&
	    ledger_tell(l, &who, err, "restore", "iim", "transfers_dropped",
			r->out->transfers, "events_dropped", r->out->events,
			"spent_dropped_usd", r->out->nano) == 0 &&
	    ledger_state_save(l, err) == 0)
		return ai_db_commit(&l->db, err);
	ai_db_rollback(&l->db);
	return -1;
}

static void name_aside(struct restoring *r)
{
	time_t now = (time_t)(r->copy->wall_ms() / 1000);
	char when[40] = "";
	struct tm t;

	if (gmtime_r(&now, &t) != NULL)
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &t);
	snprintf(r->out->aside, sizeof(r->out->aside), "%.4000s.damaged-%s",
		 r->path, when);
}

/* What can still be read of a ledger that contradicts itself. */
static int keep_aside(struct restoring *r, struct ai_ledger *live,
		      struct ai_err *err)
{
	struct draft d;
	int rc;

	name_aside(r);
	if (draft_open(&d, r->out->aside, "", err) < 0)
		return -1;
	rc = draft_fill(&d, &live->db, r->out->aside, err);
	draft_close(&d, rc == 0);
	return rc;
}

/*
 * Page by page into the ledger as it stands, in one transaction of SQLite's:
 * killed at any moment, it is the old one or the new one.  Programs that have
 * it open see the next version of the same file, and go on.
 */
static int put_into(struct restoring *r, struct ai_ledger *live,
		    struct ai_err *err)
{
	struct findings f = { .n = 0 };
	struct ai_err ignored;
	int64_t busy;

	if (!r->force && refuse_living(live, err) < 0)
		return -1;
	if (ai_ledger_check(live, found, &f, &ignored) < 0 || f.n > 0) {
		if (keep_aside(r, live, err) < 0)
			return -1;
	} else if (compare(r, live, err) < 0 ||
		   (!r->force && refuse_loss(r, err) < 0)) {
		return -1;
	}
	if (tell_restored(r, err) < 0 ||
	    copy_pages(&r->copy->db, &live->db, err) < 0)
		return -1;
	ai_db_int(&live->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy,
		  &ignored);
	return 0;
}

static int restore_into(struct restoring *r, struct ai_ledger *live,
			struct ai_err *err)
{
	int rc;

	if (ai_queue_lock(&live->queue, err) < 0)
		return -1;
	rc = put_into(r, live, err);
	ai_queue_unlock(&live->queue);
	return rc;
}

/* ---- in place of what cannot be opened --------------------------------------------- */

static int give_to_owner(const struct restoring *r)
{
	struct stat st;

	return stat(r->path, &st) == 0 && st.st_uid != geteuid()
		? fchown(r->draft.fd, st.st_uid, st.st_gid) : 0;
}

/*
 * The damaged file keeps its name until the copy takes it, so that nobody
 * finds none and makes a new one; its log goes first, or it would be taken
 * for the copy's.
 */
static int put_in_place(struct restoring *r, struct ai_err *err)
{
	char log[PATH + 8], aside[PATH + 8];

	name_aside(r);
	if (tell_restored(r, err) < 0)
		return -1;
	ai_ledger_close(r->copy);
	r->copy = NULL;
	if (fsync(r->draft.fd) < 0 || give_to_owner(r) < 0 ||
	    link(r->path, r->out->aside) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot put the damaged "
				  "ledger aside as '%.200s'", r->out->aside);
	snprintf(log, sizeof(log), "%s-wal", r->path);
	snprintf(aside, sizeof(aside), "%s-wal", r->out->aside);
	if (rename(log, aside) < 0 && errno != ENOENT)
		return ai_err_sys(err, AI_E_IO, errno, "cannot put '%.200s' "
				  "aside", log);
	snprintf(log, sizeof(log), "%s-shm", r->path);
	unlink(log);
	return draft_name(&r->draft, r->path, true, err);
}

static int restore_in_place(struct restoring *r, struct ai_err *err)
{
	struct ai_queue queue = AI_QUEUE_INIT;
	struct ai_owner self;
	char name[PATH];
	int rc;

	ledger_queue_path(r->path, LEDGER_VERSION, name, sizeof(name));
	if (ai_owner_self(&self, err) < 0 ||
	    ai_queue_open(&queue, name, &self, err) < 0)
		return -1;
	rc = ai_queue_lock(&queue, err);
	if (rc == 0) {
		/* They would go on with the file that is put aside. */
		if (!r->force && ai_queue_shared(&queue))
			rc = ai_err_set(err, AI_E_TRY_LATER, "the ledger "
					"'%.200s' is damaged, and programs have "
					"it open; end them, or restore with "
					"--force", r->path);
		else
			rc = put_in_place(r, err);
		ai_queue_unlock(&queue);
	}
	ai_queue_close(&queue);
	return rc;
}

static int restore(struct restoring *r, bool *named, struct ai_err *err)
{
	struct ai_ledger *live;
	int rc;

	if (take_backup(r, err) < 0)
		return -1;
	if (ai_ledger_open(&live, r->path, err) == 0) {
		rc = restore_into(r, live, err);
		ai_ledger_close(live);
		return rc;
	}
	if (err->code != AI_E_DATA)
		return -1;
	rc = restore_in_place(r, err);
	*named = rc == 0;
	return rc;
}

int ai_ledger_restore(const char *path, const char *from, bool force,
		      struct ai_restored *out, struct ai_err *err)
{
	struct restoring r = { .from = from, .force = force, .out = out };
	bool named = false;
	int rc;

	memset(out, 0, sizeof(*out));
	ai_ledger_path(path, r.path, sizeof(r.path));
	if (r.path[0] != '\0' && is_of_ledger(from, r.path))
		return ai_err_set(err, AI_E_USAGE, "'%.200s' is the ledger "
				  "itself", from);
	if (r.path[0] == '\0' || access(r.path, F_OK) != 0) {
		struct ai_ledger *l;

		/* Its folder is made with it. */
		if (ai_ledger_open(&l, path, err) < 0)
			return -1;
		ai_ledger_close(l);
	}
	if (draft_open(&r.draft, r.path, RESTORE, err) < 0)
		return -1;
	rc = restore(&r, &named, err);
	ai_ledger_close(r.copy);
	draft_close(&r.draft, named);
	return rc;
}

/* ---- space ----------------------------------------------------------------------- */

/* Of the file and its log, bytes. */
static int64_t size_of(struct ai_ledger *l)
{
	char log[PATH];
	struct stat st;
	int64_t n = stat(path_of(l), &st) == 0 ? st.st_size : 0;

	snprintf(log, sizeof(log), "%s-wal", path_of(l));
	return n + (stat(log, &st) == 0 ? st.st_size : 0);
}

int ai_ledger_vacuum(struct ai_ledger *l, int64_t *before, int64_t *after,
		     struct ai_err *err)
{
	int64_t busy;
	int rc;

	if (ai_cache_prune(l, false, err) < 0 ||
	    ai_queue_lock(&l->queue, err) < 0)
		return -1;
	*before = size_of(l);
	rc = ai_db_exec(&l->db, "VACUUM", err);
	/* Busy: somebody reads the log still, and it stays as it is. */
	if (rc == 0)
		rc = ai_db_int(&l->db, "PRAGMA wal_checkpoint(TRUNCATE)",
			       &busy, err);
	*after = size_of(l);
	ai_queue_unlock(&l->queue);
	return rc;
}
