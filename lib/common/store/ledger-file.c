/* ledger-file.c: the file: where it lies, and opening it. */
#include "store/ledger-int.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ADVICE "see 'ai-cost ledger check', and 'ai-cost ledger restore'"
#define WAIT_MS 10000 /* for a backup or a vacuum that holds the lock */

/* ---- where ------------------------------------------------------------------ */

/* Locks on these are not what they are on a disk of this machine. */
static int check_disk(const char *path, struct ai_err *err)
{
	static const struct { long magic; const char *name; } network[] = {
		{ NFS_SUPER_MAGIC, "NFS" }, { SMB_SUPER_MAGIC, "SMB" },
		{ 0xFF534D42, "CIFS" }, { 0xFE534D42, "SMB2" },
		{ AFS_SUPER_MAGIC, "AFS" }, { CODA_SUPER_MAGIC, "Coda" },
		{ V9FS_MAGIC, "9P" }, { 0x00C36400, "Ceph" },
	};
	struct statfs fs;
	size_t i;

	if (statfs(path, &fs) < 0)
		return 0;
	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if ((uint32_t)fs.f_type == (uint32_t)network[i].magic)
			return ai_err_set(err, AI_E_CONFIG, "the ledger "
					  "'%.200s' lies on a network file "
					  "system (%s), where it is not safe; "
					  "name one on a local disk with "
					  "--ledger or AI_LEDGER", path,
					  network[i].name);
	return 0;
}

/* A new folder's name is on the disk when the one above it is: else a power
 * failure could take the ledger with it. Not all file systems can do it. */
static void sync_above(const char *dir)
{
	char above[4096];
	char *slash;
	int fd;

	snprintf(above, sizeof(above), "%s", dir);
	slash = strrchr(above, '/');
	if (slash != NULL)
		slash[slash == above] = '\0';
	fd = open(slash != NULL ? above : ".", O_RDONLY | O_DIRECTORY |
		  O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* The folders above it, and the file, for this user alone. */
static int make_file(const char *path, struct ai_err *err)
{
	char dir[4096];
	size_t i;
	int fd;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return ai_err_set(err, AI_E_CONFIG,
				  "the ledger's path is too long");
	for (i = 1; dir[i] != '\0'; i++)
		if (dir[i] == '/') {
			dir[i] = '\0';
			if (mkdir(dir, 0700) == 0)
				sync_above(dir);
			else if (errno != EEXIST)
				return ai_err_sys(err, AI_E_CREATE, errno,
						  "cannot create '%.200s' for "
						  "the ledger", dir);
			dir[i] = '/';
		}
	/* Only a new one is opened: closing a file gives up all locks that
	 * this process has on it, those of its other handles too. */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot open the ledger '%.200s'", path);
	if (fd >= 0)
		close(fd);
	return check_disk(path, err);
}

/* ---- opening ------------------------------------------------------------------- */

int ledger_state_load(struct ai_ledger *l, struct ai_err *err)
{
	sqlite3_stmt *st;
	struct ai_span head, key, event;
	int64_t version;
	char zone[80];

	if (LEDGER_BIND(l, SQL_STATE, err, "") < 0 ||
	    ai_db_step(&l->db, l->st[SQL_STATE], err) < 0)
		return -1;
	st = l->st[SQL_STATE];
	head = ai_db_span(st, 1);
	key = ai_db_span(st, 2);
	event = ai_db_span(st, 5);
	if (head.n != LEDGER_HASH || key.n != LEDGER_HASH ||
	    event.n != LEDGER_HASH) {
		sqlite3_reset(st);
		return ai_db_damaged(&l->db, err, "the chain has no end");
	}
	l->seq = sqlite3_column_int64(st, 0);
	memcpy(l->head, head.p, LEDGER_HASH);
	memcpy(l->key, key.p, LEDGER_HASH);
	l->event_seq = sqlite3_column_int64(st, 4);
	memcpy(l->event_head, event.p, LEDGER_HASH);
	version = sqlite3_column_int64(st, 6);
	l->rolled = sqlite3_column_int64(st, 7);
	ledger_copy_column(zone, sizeof(zone), st, 3);
	sqlite3_reset(st);
	if (strcmp(l->zone, zone) != 0) {
		snprintf(l->zone, sizeof(l->zone), "%s", zone);
		l->hour_start = l->hour_end = 0;
	}
	return version == LEDGER_VERSION ? ledger_zone(zone, err) :
		ai_err_set(err, AI_E_CONFIG, "%s has got version %lld while "
			   "this program, which knows %d, was running: start "
			   "it again", l->db.name, (long long)version,
			   LEDGER_VERSION);
}

int ledger_state_save(struct ai_ledger *l, struct ai_err *err)
{
	return LEDGER_RUN(l, SQL_SET_STATE, err, "ibib", l->seq,
			  LEDGER_BYTES(l->head, LEDGER_HASH), l->event_seq,
			  LEDGER_BYTES(l->event_head, LEDGER_HASH));
}

static int no_directory(const char *file, int *fd)
{
	(void)file;
	(void)fd;
	return SQLITE_CANTOPEN;
}

/*
 * SQLite syncs the folder with the first commit of each process, because the
 * log might just have been made.  Ours is kept: where it has had a commit
 * before, its name is on the disk, and one of three syncs is saved.  A log of
 * a header or less proves nothing: who made it may have been killed, or not
 * have come to the sync, which follows the header and precedes all the rest.
 */
#define LOG_HEADER 32

static void skip_folder_sync(const char *path)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool made; /* a log, by this process */
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char log[4096];
	struct stat st;
	bool there;

	snprintf(log, sizeof(log), "%s-wal", path);
	pthread_mutex_lock(&lock);
	there = stat(log, &st) == 0 && st.st_size > LOG_HEADER && !made;
	made = !there;
	if (vfs != NULL && vfs->iVersion >= 3 && vfs->xSetSystemCall != NULL)
		vfs->xSetSystemCall(vfs, "openDirectory", there ?
				    (sqlite3_syscall_ptr)no_directory : NULL);
	pthread_mutex_unlock(&lock);
}

void ledger_queue_path(const char *path, int version, char *out, size_t size)
{
	snprintf(out, size, "%s-queue%d", path, version);
}

int ledger_file_open(struct ai_ledger *l, const char *path, struct ai_err *err)
{
	char name[200], queue[4096];
	struct ai_db_wish wish = { name, ADVICE, WAIT_MS, 4096, 0 };
	int keep = 1;

	if (make_file(path, err) < 0)
		return -1;
	skip_folder_sync(path);
	snprintf(name, sizeof(name), "the ledger '%.180s'", path);
	if (ai_db_open(&l->db, path, AI_DB_CREATE, &wish, err) < 0)
		return -1;
	/* The last to close it would copy the log back and remove it: dear,
	 * and the next one would make it again. */
	sqlite3_file_control(l->db.h, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep);
	sqlite3_db_config(l->db.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* What is removed is overwritten: a kept answer that was too old
	 * yesterday cannot be found by forgetting its user today. */
	if (ai_db_exec(&l->db, "PRAGMA secure_delete=ON", err) < 0)
		return -1;
	l->full = true;
	if (ledger_schema(l, path, err) < 0 || ledger_state_load(l, err) < 0)
		return -1;
	ledger_queue_path(path, LEDGER_VERSION, queue, sizeof(queue));
	return ai_queue_open(&l->queue, queue, &l->owner, err);
}

/* ---- only to look at ------------------------------------------------------------- */

static bool can_write(const char *path)
{
	char dir[4096];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 &&
		faccessat(AT_FDCWD, slash != NULL ? dir : ".", W_OK,
			  AT_EACCESS) == 0;
}

int ledger_file_read(struct ai_ledger *l, const char *path, struct ai_err *err)
{
	char name[200];
	struct ai_db_wish wish = { name, ADVICE, WAIT_MS, 4096, 0 };
	int64_t version;

	if (can_write(path))
		return ledger_file_open(l, path, err);
	l->fixed = true;
	snprintf(name, sizeof(name), "the ledger '%.180s'", path);
	if (ai_db_open(&l->db, path, AI_DB_READ, &wish, err) < 0 ||
	    ai_db_int(&l->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (version > 0 && version < LEDGER_VERSION)
		return ai_err_set(err, AI_E_CONFIG, "%s has version %lld and "
				  "cannot be written, so it cannot be brought "
				  "to version %d: copy it to a folder of yours",
				  l->db.name, (long long)version,
				  LEDGER_VERSION);
	return ledger_schema(l, path, err) < 0 ? -1 : ledger_state_load(l, err);
}
