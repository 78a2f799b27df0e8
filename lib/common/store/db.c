#include "store/db.h"

#include "base/clock.h"

#include <errno.h>
#include <malloc.h>
#include <fcntl.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- errors -------------------------------------------------------------- */

static const struct {
	int sqlite; /* a primary result code */
	enum ai_code code;
	const char *what; /* NULL: SQLite's own message */
} failures[] = {
	{ SQLITE_BUSY, AI_E_TRY_LATER, "another program is writing to it" },
	{ SQLITE_LOCKED, AI_E_TRY_LATER, "another program is writing to it" },
	{ SQLITE_PROTOCOL, AI_E_TRY_LATER, "too many programs use it" },
	{ SQLITE_NOMEM, AI_E_MEMORY, "out of memory" },
	{ SQLITE_FULL, AI_E_IO, "no space left" },
	{ SQLITE_IOERR, AI_E_IO, NULL },
	{ SQLITE_CANTOPEN, AI_E_OPEN, "cannot open it" },
	{ SQLITE_PERM, AI_E_OPEN, NULL },
	{ SQLITE_AUTH, AI_E_OPEN, NULL },
	{ SQLITE_READONLY, AI_E_CREATE, "it cannot be written" },
	{ SQLITE_TOOBIG, AI_E_TOO_LONG, "a text is too long for it" },
	{ SQLITE_MISUSE, AI_E_BUG, NULL },
	{ SQLITE_RANGE, AI_E_BUG, NULL },
};

int ai_db_damaged(struct ai_db *db, struct ai_err *err, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return ai_err_set(err, AI_E_DATA, "%.120s is damaged: %s%s%s", db->name,
			  why, db->advice != NULL ? "; " : "",
			  db->advice != NULL ? db->advice : "");
}

int ai_db_fail(struct ai_db *db, int rc, struct ai_err *err)
{
	const char *own = db->h != NULL ? sqlite3_errmsg(db->h)
					: sqlite3_errstr(rc);
	int sys = db->h != NULL ? sqlite3_system_errno(db->h) : 0;
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].sqlite != (rc & 0xFF))
			continue;
		if (failures[i].code == AI_E_IO && sys != 0)
			return ai_err_sys(err, AI_E_IO, sys, "%s", db->name);
		if (failures[i].sqlite == SQLITE_CANTOPEN && sys != 0)
			return ai_err_sys(err, AI_E_OPEN, sys, "%s: cannot open "
					  "it", db->name);
		return ai_err_set(err, failures[i].code, "%s: %s", db->name,
				  failures[i].what != NULL ? failures[i].what
							   : own);
	}
	/* Whatever else the fixed statements of a program run into (corrupt,
	 * not a database, a table that is not there) lies in the file. */
	return ai_db_damaged(db, err, "%s", own);
}

/* ---- opening ------------------------------------------------------------- */

/* Whether the file lies where no -wal and -shm can be made beside it. */
static bool is_fixed(const char *path)
{
	char *dir = strdup(path), *slash, *wal = NULL;
	bool fixed = false;

	if (dir == NULL)
		return false;
	slash = strrchr(dir, '/');
	if (slash != NULL)
		*slash = '\0';
	if (access(slash != NULL ? dir : ".", W_OK) != 0 && errno != ENOENT) {
		wal = sqlite3_mprintf("%s-wal", path);
		fixed = wal != NULL && access(wal, F_OK) != 0;
	}
	sqlite3_free(wal);
	free(dir);
	return fixed;
}

/* SQLite would open it for reading and refuse the first write without
 * saying why. */
static int check_writable(struct ai_db *db, const char *path,
			  struct ai_err *err)
{
	char *dir, *slash;
	int rc = 0;

	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 &&
	    errno != ENOENT)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "%s: cannot write to '%.150s'", db->name,
				  path);
	dir = strdup(path);
	if (dir == NULL)
		return ai_err_nomem(err);
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	if (faccessat(AT_FDCWD, slash != NULL ? dir : ".", W_OK,
		      AT_EACCESS) != 0)
		rc = ai_err_sys(err, AI_E_CREATE, errno, "%s: cannot write to "
				"the folder '%.150s'", db->name,
				slash != NULL ? dir : ".");
	free(dir);
	return rc;
}

/* A file: URI; what means something in one is escaped. */
static char *uri_of(const char *path, bool fixed)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = strlen(path), at = 5, i;
	char *uri = malloc(n * 3 + 32);

	if (uri == NULL)
		return NULL;
	memcpy(uri, "file:", 5);
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)path[i];

		if (c == '%' || c == '?' || c == '#') {
			uri[at++] = '%';
			uri[at++] = hex[c >> 4];
			uri[at++] = hex[c & 15];
		} else {
			uri[at++] = (char)c;
		}
	}
	snprintf(uri + at, 32, "%s", fixed ? "?immutable=1" : "");
	return uri;
}

#define CACHE_BYTES (256 << 10)
#define KEPT_BYTES (4 << 20)

/*
 * Once, before SQLite is used: where its memory comes from.
 *
 * Where nobody asks for more, its first pages lie in memory that is mapped in
 * one go: in a short run, touching them one by one costs more than the query.
 * What does not fit, or a page of another size, comes from malloc.  But once
 * these are used up, SQLite writes and reads anew rather than take more: who
 * changes many pages asks for a cache instead.
 *
 * What it frees after a transaction is kept for the next: given back to the
 * kernel and asked for again, it cost the ledger four fifths of its speed.
 */
static void set_up_memory(int page_size, bool cache)
{
	int slot = 0, n = CACHE_BYTES / page_size;
	void *p;

	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 4);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (cache)
		return;
	sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &slot);
	slot += page_size;
	p = mmap(NULL, (size_t)slot * (size_t)n, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p != MAP_FAILED)
		sqlite3_config(SQLITE_CONFIG_PAGECACHE, p, slot, n);
}

/* Once in a process, and before any of its threads opens something. */
static void set_up_once(int page_size, bool cache)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool done;

	pthread_mutex_lock(&lock);
	if (!done)
		set_up_memory(page_size, cache);
	done = true;
	pthread_mutex_unlock(&lock);
}

static int open_handle(struct ai_db *db, const char *path,
		       enum ai_db_mode mode, bool fixed, struct ai_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI |
		SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, rc;
	char *uri = uri_of(path, fixed);

	if (uri == NULL)
		return ai_err_nomem(err);
	db->still = fixed && stat(path, &db->seen) == 0;
	if (mode == AI_DB_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	if (mode == AI_DB_READ && access(path, W_OK) != 0)
		flags = (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
	rc = sqlite3_open_v2(uri, &db->h, flags, NULL);
	free(uri);
	return rc == SQLITE_OK ? 0 : ai_db_fail(db, rc, err);
}

/* Whether a -wal beside the file holds what the file does not. */
static bool has_wal(const char *path)
{
	char *wal = sqlite3_mprintf("%s-wal", path);
	struct stat st;
	bool has = wal == NULL || (stat(wal, &st) == 0 ? st.st_size > 0
						       : errno != ENOENT);

	sqlite3_free(wal);
	return has;
}

/*
 * Who reads first makes a -shm.  On a full disk there is no room for one, nor
 * for a writer's: the file stays as it is, and is read without.
 */
static int prepare_reading(struct ai_db *db, const char *path,
			   struct ai_err *err)
{
	int rc = sqlite3_exec(db->h, "PRAGMA schema_version", NULL, NULL, NULL);
	int sys = rc == SQLITE_OK ? 0 : sqlite3_system_errno(db->h);

	/* What else is wrong is told where it matters. */
	if ((sys != ENOSPC && sys != EDQUOT) || has_wal(path))
		return 0;
	ai_db_close(db);
	return open_handle(db, path, AI_DB_READ, true, err);
}

/* Two that make a file at once may each wait for the other here, and so SQLite
 * gives up without the busy timeout: it is tried again as long as that. */
static int prepare_writing(struct ai_db *db, const struct ai_db_wish *wish,
			   int page_size, struct ai_err *err)
{
	static const struct timespec pause = { 0, 5000000 };
	int64_t until = ai_clock_ns() / 1000000 + wish->wait_ms;
	char sql[200];
	int rc, n;

	n = snprintf(sql, sizeof(sql), "PRAGMA page_size=%d;"
		     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		     "PRAGMA journal_size_limit=8388608;", page_size);
	if (wish->cache > 0)
		snprintf(sql + n, sizeof(sql) - (size_t)n,
			 "PRAGMA cache_size=-%d", wish->cache / 1024);
	while (((rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL)) & 0xFF) ==
	       SQLITE_BUSY && ai_clock_ns() / 1000000 < until)
		nanosleep(&pause, NULL);
	return rc == SQLITE_OK ? 0 : ai_db_fail(db, rc, err);
}

int ai_db_open(struct ai_db *db, const char *path, enum ai_db_mode mode,
	       const struct ai_db_wish *wish, struct ai_err *err)
{
	int page_size = wish->page_size > 0 ? wish->page_size : 4096;
	bool fixed;

	db->h = NULL;
	db->advice = wish->advice;
	snprintf(db->name, sizeof(db->name), "%s", wish->name);
	set_up_once(page_size, wish->cache > 0);
	if (mode != AI_DB_READ && check_writable(db, path, err) < 0)
		goto fail;
	fixed = mode == AI_DB_READ && is_fixed(path);
	if (open_handle(db, path, mode, fixed, err) < 0)
		goto fail;
	if (mode == AI_DB_READ && !fixed && prepare_reading(db, path, err) < 0)
		goto fail;
	sqlite3_busy_timeout(db->h, wish->wait_ms);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);

	if (mode == AI_DB_READ ||
	    prepare_writing(db, wish, page_size, err) == 0)
		return 0;
fail:
	ai_db_close(db);
	return -1;
}

int ai_db_map(struct ai_db *db, struct ai_err *err)
{
	return ai_db_exec(db, "PRAGMA mmap_size=1099511627776", err);
}

bool ai_db_is_stale(const struct ai_db *db)
{
	const struct stat *old = &db->seen;
	const char *path;
	struct stat now;

	if (db->h == NULL || !db->still)
		return false;
	path = sqlite3_db_filename(db->h, "main");
	return path == NULL || has_wal(path) || stat(path, &now) < 0 ||
	       now.st_dev != old->st_dev || now.st_ino != old->st_ino ||
	       now.st_size != old->st_size ||
	       now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
}

void ai_db_close(struct ai_db *db)
{
	sqlite3_close(db->h);
	db->h = NULL;
}

/* ---- statements ---------------------------------------------------------- */

int ai_db_exec(struct ai_db *db, const char *sql, struct ai_err *err)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : ai_db_fail(db, rc, err);
}

int ai_db_int(struct ai_db *db, const char *sql, int64_t *out,
	      struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	*out = 0;
	if (ai_db_bind(db, &st, sql, err, "") < 0)
		return -1;
	rc = ai_db_step(db, st, err);
	if (rc > 0)
		*out = sqlite3_column_int64(st, 0);
	ai_db_finish(&st);
	return rc < 0 ? -1 : 0;
}

int ai_db_begin(struct ai_db *db, bool write, struct ai_err *err)
{
	return ai_db_exec(db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

bool ai_db_is_gone(struct ai_db *db)
{
	int moved = 0;

	return sqlite3_file_control(db->h, "main", SQLITE_FCNTL_HAS_MOVED,
				    &moved) == SQLITE_OK && moved != 0;
}

int ai_db_commit(struct ai_db *db, struct ai_err *err)
{
	if (ai_db_exec(db, "COMMIT", err) == 0)
		return 0;
	ai_db_rollback(db);
	return -1;
}

void ai_db_rollback(struct ai_db *db)
{
	if (db->h != NULL && !sqlite3_get_autocommit(db->h))
		sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
}

static int bind_span(sqlite3_stmt *st, int i, struct ai_span s, bool blob)
{
	if (s.p == NULL)
		return sqlite3_bind_null(st, i);
	if (blob)
		return sqlite3_bind_blob64(st, i, s.p, s.n, SQLITE_STATIC);
	return sqlite3_bind_text64(st, i, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_one(sqlite3_stmt *st, int i, char type, va_list *ap)
{
	switch (type) {
	case 'i':
		return sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
	case 'd':
		return sqlite3_bind_double(st, i, va_arg(*ap, double));
	case 't':
	case 'b':
		return bind_span(st, i, va_arg(*ap, struct ai_span),
				 type == 'b');
	case 'n':
		return sqlite3_bind_null(st, i);
	default:
		return SQLITE_MISUSE;
	}
}

int ai_db_bind(struct ai_db *db, sqlite3_stmt **st, const char *sql,
	       struct ai_err *err, const char *types, ...)
{
	va_list ap;
	int rc = SQLITE_OK, i;

	if (*st == NULL)
		rc = sqlite3_prepare_v3(db->h, sql, -1,
					SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (rc != SQLITE_OK)
		return ai_db_fail(db, rc, err);
	sqlite3_reset(*st);
	va_start(ap, types);
	for (i = 0; types[i] != '\0' && rc == SQLITE_OK; i++)
		rc = bind_one(*st, i + 1, types[i], &ap);
	va_end(ap);
	return rc == SQLITE_OK ? 0 : ai_db_fail(db, rc, err);
}

int ai_db_step(struct ai_db *db, sqlite3_stmt *st, struct ai_err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		ai_db_fail(db, rc, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int ai_db_run(struct ai_db *db, sqlite3_stmt *st, struct ai_err *err)
{
	int rc;

	do
		rc = ai_db_step(db, st, err);
	while (rc > 0);
	return rc;
}

struct ai_span ai_db_span(sqlite3_stmt *st, int column)
{
	struct ai_span s;

	s.p = sqlite3_column_blob(st, column);
	s.n = (size_t)sqlite3_column_bytes(st, column);
	if (s.p == NULL && sqlite3_column_type(st, column) != SQLITE_NULL)
		s.p = "";
	return s;
}

void ai_db_finish(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
	*st = NULL;
}
