#include "crash-vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES 8
#define SECTOR 512
#define REGIONS 16

struct image {
	unsigned char *p;
	sqlite3_int64 size, room;
	bool there;
};

static struct file {
	char name[300];
	struct image now;
	void *shm[REGIONS];
	int persist;
} files[FILES];

enum what { WRITE, TRUNCATE, SYNC, REMOVE };

static struct event {
	enum what what;
	int file;
	sqlite3_int64 at; /* or the size, of TRUNCATE */
	int n;
	unsigned char *p;
} *events;
static long n_events, room_events, full_from = -1;
static bool remember = true;

/* An open file. Without a name it is a temporary one, and not remembered. */
struct handle {
	sqlite3_file base;
	struct file *file;
	struct file own;
};

static void *grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (p == NULL)
		abort();
	return p;
}

/* ---- images ----------------------------------------------------------------- */

static void resize(struct image *i, sqlite3_int64 size)
{
	if (size > i->room) {
		i->room = size * 2;
		i->p = grow(i->p, (size_t)i->room);
	}
	if (size > i->size)
		memset(i->p + i->size, 0, (size_t)(size - i->size));
	i->size = size;
}

static void put(struct image *i, sqlite3_int64 at, const void *p, int n)
{
	i->there = true;
	if (at + n > i->size)
		resize(i, at + n);
	memcpy(i->p + at, p, (size_t)n);
}

static int note(enum what what, const struct file *f, sqlite3_int64 at,
		const void *p, int n)
{
	struct event *e;

	if (f < files || f >= files + FILES)
		return SQLITE_OK;
	if (full_from >= 0 && n_events >= full_from && what == WRITE)
		return SQLITE_FULL;
	if (!remember)
		return SQLITE_OK;
	if (n_events == room_events) {
		room_events = room_events * 2 + 256;
		events = grow(events, (size_t)room_events * sizeof(*events));
	}
	e = &events[n_events++];
	*e = (struct event){ what, (int)(f - files), at, n, NULL };
	if (n > 0) {
		e->p = grow(NULL, (size_t)n);
		memcpy(e->p, p, (size_t)n);
	}
	return SQLITE_OK;
}

/* ---- the crash -------------------------------------------------------------- */

/* Which of the sectors that a write touches reached the disk. */
static void tear(struct image *i, const struct event *e,
		 int64_t (*below)(int64_t))
{
	sqlite3_int64 at = e->at, end = e->at + e->n, next;

	for (; at < end; at = next) {
		next = (at / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (below(2) == 0)
			put(i, at, e->p + (at - e->at), (int)(next - at));
	}
}

/* Nothing after e and before `to` made it certain. */
static bool is_loose(long e, long to)
{
	long i;

	for (i = e + 1; i < to; i++)
		if (events[i].what == SYNC &&
		    (events[e].what == REMOVE ||
		     events[i].file == events[e].file))
			return false;
	return true;
}

static void redo(const struct event *e)
{
	struct image *i = &files[e->file].now;

	if (e->what == WRITE)
		put(i, e->at, e->p, e->n);
	else if (e->what == TRUNCATE)
		resize(i, e->at);
	else if (e->what == REMOVE)
		i->there = false, i->size = 0;
}

void crash_vfs_crash(long at, enum crash_kind kind, int64_t (*below)(int64_t))
{
	long e;
	int i;

	remember = false;
	full_from = -1;
	for (i = 0; i < FILES; i++) {
		files[i].now.size = 0;
		files[i].now.there = false;
	}
	for (e = 0; e < at; e++) {
		if (kind == CRASH_KILL || !is_loose(e, at))
			redo(&events[e]);
		else if (kind == CRASH_TORN && below(3) == 0)
			redo(&events[e]);
		else if (kind == CRASH_TORN && events[e].what == WRITE &&
			 below(2) == 0)
			tear(&files[events[e].file].now, &events[e], below);
	}
}

void crash_vfs_clear(void)
{
	long e;
	int i;

	for (e = 0; e < n_events; e++)
		free(events[e].p);
	n_events = 0;
	full_from = -1;
	remember = true;
	for (i = 0; i < FILES; i++) {
		free(files[i].now.p);
		files[i] = (struct file){ .name = "" };
	}
}

long crash_vfs_events(void)
{
	return n_events;
}

void crash_vfs_fill(long at)
{
	full_from = at;
}

/* ---- one file ------------------------------------------------------------------ */

static struct file *file_of(sqlite3_file *f)
{
	return ((struct handle *)f)->file;
}

static int vfs_close(sqlite3_file *f)
{
	struct file *file = file_of(f);
	int i;

	for (i = 0; i < REGIONS; i++) {
		free(file->shm[i]);
		file->shm[i] = NULL;
	}
	if (file == &((struct handle *)f)->own)
		free(file->now.p);
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct image *i = &file_of(f)->now;
	sqlite3_int64 have = i->size - at;

	if (have >= n) {
		memcpy(p, i->p + at, (size_t)n);
		return SQLITE_OK;
	}
	memset(p, 0, (size_t)n);
	if (have > 0)
		memcpy(p, i->p + at, (size_t)have);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = note(WRITE, file_of(f), at, p, n);

	if (rc == SQLITE_OK)
		put(&file_of(f)->now, at, p, n);
	return rc;
}

static int vfs_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	note(TRUNCATE, file_of(f), size, NULL, 0);
	resize(&file_of(f)->now, size);
	return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	return note(SYNC, file_of(f), 0, NULL, 0);
}

static int vfs_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = file_of(f)->now.size;
	return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *f, int lock)
{
	(void)f;
	(void)lock;
	return SQLITE_OK;
}

static int vfs_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int vfs_control(sqlite3_file *f, int op, void *arg)
{
	struct file *file = file_of(f);
	int *value = arg;

	if (op != SQLITE_FCNTL_PERSIST_WAL)
		return SQLITE_NOTFOUND;
	if (*value < 0)
		*value = file->persist;
	else
		file->persist = *value;
	return SQLITE_OK;
}

static int vfs_sector(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int vfs_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shm_map(sqlite3_file *f, int region, int size, int extend,
		   void volatile **out)
{
	struct file *file = file_of(f);

	*out = NULL;
	if (region >= REGIONS)
		return SQLITE_IOERR_SHMMAP;
	if (file->shm[region] == NULL && extend) {
		file->shm[region] = calloc(1, (size_t)size);
		if (file->shm[region] == NULL)
			abort();
	}
	*out = file->shm[region];
	return SQLITE_OK;
}

static int shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	(void)f;
	(void)at;
	(void)n;
	(void)flags;
	return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *f)
{
	(void)f;
}

static int shm_unmap(sqlite3_file *f, int remove_it)
{
	(void)f;
	(void)remove_it;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	2, vfs_close, vfs_read, vfs_write, vfs_truncate, vfs_sync, vfs_size,
	vfs_lock, vfs_lock, vfs_reserved, vfs_control, vfs_sector, vfs_traits,
	shm_map, shm_lock, shm_barrier, shm_unmap, NULL, NULL,
};

/* ---- all files --------------------------------------------------------------------- */

static struct file *find(const char *name, bool make)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	for (i = 0; make && i < FILES; i++)
		if (files[i].name[0] == '\0') {
			snprintf(files[i].name, sizeof(files[i].name), "%s",
				 name);
			return &files[i];
		}
	return NULL;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f,
		    int flags, int *out_flags)
{
	struct handle *h = (struct handle *)f;

	(void)vfs;
	memset(h, 0, sizeof(*h));
	h->file = name == NULL ? &h->own : find(name, true);
	if (h->file == NULL || (!h->file->now.there &&
				(flags & SQLITE_OPEN_CREATE) == 0))
		return SQLITE_CANTOPEN;
	h->file->now.there = true;
	h->base.pMethods = &methods;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct file *f = find(name, false);

	(void)vfs;
	if (f == NULL || !f->now.there)
		return SQLITE_IOERR_DELETE_NOENT;
	note(REMOVE, f, 0, NULL, 0);
	if (sync)
		note(SYNC, f, 0, NULL, 0);
	f->now.there = false;
	f->now.size = 0;
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	struct file *f = find(name, false);

	(void)vfs;
	(void)flags;
	*out = f != NULL && f->now.there;
	return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static sqlite3_vfs crash_vfs = {
	.iVersion = 1, .szOsFile = sizeof(struct handle), .mxPathname = 290,
	.zName = "crash", .xOpen = vfs_open, .xDelete = vfs_delete,
	.xAccess = vfs_access, .xFullPathname = vfs_path,
};

/* Time, sleep and randomness are those of the VFS it takes the place of. */
int crash_vfs_register(void)
{
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

	if (usual == NULL)
		return -1;
	crash_vfs.xRandomness = usual->xRandomness;
	crash_vfs.xSleep = usual->xSleep;
	crash_vfs.xCurrentTime = usual->xCurrentTime;
	crash_vfs.xGetLastError = usual->xGetLastError;
	return sqlite3_vfs_register(&crash_vfs, 1) == SQLITE_OK ? 0 : -1;
}
