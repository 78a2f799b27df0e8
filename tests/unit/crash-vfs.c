#include "crash-vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES 8
#define FILES 32
#define SECTOR 512
#define REGIONS 16
#define NONE (-1)

struct image {
	unsigned char *p;
	sqlite3_int64 size, room;
};

/* The files of a disk, and what its names mean: files, or NONE. */
struct disk {
	struct image file[FILES];
	int name[NAMES];
};

/* At first, now, and after the last crash. */
static struct disk before, now, safe;
static char names[NAMES][80], log_path[300];
static int n_files, n_kept; /* kept: those that events are about */
static void *shm[REGIONS]; /* of the one database */

enum what { WRITE, TRUNCATE, SYNC, LINK, UNLINK, SYNC_FOLDER };

static struct event {
	enum what what;
	int file, name;
	sqlite3_int64 at; /* or the size, of TRUNCATE */
	int n;
	unsigned char *p;
} *events;
static long n_events, room_events, full_from = -1;
static bool remember = true;

/* What `safe` has of the events: all before `done` that are certain; the
 * others are loose. */
static long done, *loose, n_loose, room_loose;
static enum crash_kind done_kind;

/* An open file. Without a name it is a temporary one, and not remembered. */
struct handle {
	sqlite3_file base;
	int file;
	struct image own;
	bool sync_folder; /* with its first sync, as SQLite's own VFS does */
	int persist;
};

static sqlite3_syscall_ptr open_directory; /* NULL: the usual one */

static void *grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (p == NULL)
		abort();
	return p;
}

/* ---- images ----------------------------------------------------------------- */

static void make_room(struct image *i, sqlite3_int64 size)
{
	if (size <= i->room)
		return;
	i->room = size * 2;
	i->p = grow(i->p, (size_t)i->room);
}

static void resize(struct image *i, sqlite3_int64 size)
{
	make_room(i, size);
	if (size > i->size)
		memset(i->p + i->size, 0, (size_t)(size - i->size));
	i->size = size;
}

static void put(struct image *i, sqlite3_int64 at, const void *p, int n)
{
	if (at + n > i->size)
		resize(i, at + n);
	memcpy(i->p + at, p, (size_t)n);
}

static void copy(struct disk *to, const struct disk *from)
{
	int i;

	for (i = 0; i < n_files; i++) {
		to->file[i].size = 0;
		if (from->file[i].size > 0)
			put(&to->file[i], 0, from->file[i].p,
			    (int)from->file[i].size);
	}
	memcpy(to->name, from->name, sizeof(to->name));
}

static void empty(struct disk *d)
{
	int i;

	for (i = 0; i < FILES; i++)
		d->file[i].size = 0;
	for (i = 0; i < NAMES; i++)
		d->name[i] = NONE;
}

static void redo(struct disk *d, const struct event *e)
{
	if (e->what == WRITE)
		put(&d->file[e->file], e->at, e->p, e->n);
	else if (e->what == TRUNCATE)
		resize(&d->file[e->file], e->at);
	else if (e->what == LINK)
		d->name[e->name] = e->file;
	else if (e->what == UNLINK)
		d->name[e->name] = NONE;
}

static int note(struct event e, const void *p)
{
	if (e.file == NONE)
		return SQLITE_OK;
	if (full_from >= 0 && n_events >= full_from && e.what == WRITE)
		return SQLITE_FULL;
	if (!remember)
		return SQLITE_OK;
	if (n_events == room_events) {
		room_events = room_events * 2 + 256;
		events = grow(events, (size_t)room_events * sizeof(*events));
	}
	if (e.n > 0) {
		e.p = grow(NULL, (size_t)e.n);
		memcpy(e.p, p, (size_t)e.n);
	}
	events[n_events++] = e;
	return SQLITE_OK;
}

/* ---- names --------------------------------------------------------------------- */

/* The last part of the path: all are in one folder. Its number, or NONE. */
static int find(const char *path, bool make)
{
	const char *slash = strrchr(path, '/'),
		   *name = slash != NULL ? slash + 1 : path;
	int i;

	for (i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	for (i = 0; make && i < NAMES; i++)
		if (names[i][0] == '\0') {
			snprintf(names[i], sizeof(names[i]), "%s", name);
			return i;
		}
	return NONE;
}

static void mirror(void)
{
	int at = find(log_path, false), fd;

	if (at == NONE || now.name[at] == NONE) {
		unlink(log_path);
		return;
	}
	fd = open(log_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, now.file[now.name[at]].size) < 0)
		abort();
	close(fd);
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

static bool is_sync(const struct event *e)
{
	return e->what == SYNC || e->what == SYNC_FOLDER;
}

static bool makes_certain(const struct event *sync, const struct event *e)
{
	return e->what == LINK || e->what == UNLINK
		? sync->what == SYNC_FOLDER
		: sync->what == SYNC && sync->file == e->file;
}

static void pass_sync(const struct event *sync)
{
	long i, kept = 0;

	for (i = 0; i < n_loose; i++)
		if (makes_certain(sync, &events[loose[i]]))
			redo(&safe, &events[loose[i]]);
		else
			loose[kept++] = loose[i];
	n_loose = kept;
}

static void advance(long at, enum crash_kind kind)
{
	if (at < done || done == 0 || kind != done_kind) {
		copy(&safe, &before);
		done = n_loose = 0;
		done_kind = kind;
	}
	if (n_events > room_loose) {
		room_loose = n_events;
		loose = grow(loose, (size_t)room_loose * sizeof(*loose));
	}
	for (; done < at && done < n_events; done++)
		if (kind == CRASH_KILL)
			redo(&safe, &events[done]);
		else if (is_sync(&events[done]))
			pass_sync(&events[done]);
		else
			loose[n_loose++] = done;
}

void crash_vfs_crash(long at, enum crash_kind kind, int64_t (*below)(int64_t))
{
	const struct event *e;
	long i;

	remember = false;
	full_from = -1;
	n_files = n_kept;
	advance(at, kind);
	copy(&now, &safe);
	for (i = 0; kind == CRASH_TORN && i < n_loose; i++) {
		e = &events[loose[i]];
		if (below(3) == 0)
			redo(&now, e);
		else if (e->what == WRITE && below(2) == 0)
			tear(&now.file[e->file], e, below);
	}
	mirror();
}

bool crash_vfs_same(long at, enum crash_kind kind)
{
	return at < n_events && kind != CRASH_TORN &&
		is_sync(&events[at]) == (kind == CRASH_KILL);
}

static void forget(long from)
{
	for (; n_events > from; n_events--)
		free(events[n_events - 1].p);
	done = 0;
	full_from = -1;
	remember = true;
}

void crash_vfs_kill(long at)
{
	forget(at);
	n_files = n_kept;
	advance(at, CRASH_KILL);
	copy(&now, &safe);
	done = 0;
	mirror();
}

void crash_vfs_settle(void)
{
	copy(&before, &now);
	forget(0);
	mirror();
}

void crash_vfs_clear(const char *db)
{
	snprintf(log_path, sizeof(log_path), "%s-wal", db);
	unlink(log_path);
	forget(0);
	n_files = n_kept = 0;
	memset(names, 0, sizeof(names));
	empty(&before);
	empty(&now);
	empty(&safe);
}

long crash_vfs_events(void)
{
	return n_events;
}

void crash_vfs_fill(long at)
{
	full_from = at;
}

/* ---- for another process ------------------------------------------------------- */

static bool move(FILE *f, bool out, void *p, size_t n)
{
	return n == 0 || (out ? fwrite(p, n, 1, f) : fread(p, n, 1, f)) == 1;
}

static bool move_event(FILE *f, bool out, long i)
{
	struct event e = { .n = 0 };
	void *p = NULL;
	bool good;

	if (out)
		return move(f, out, &events[i], sizeof(e)) &&
			move(f, out, events[i].p, (size_t)events[i].n);
	good = move(f, out, &e, sizeof(e));
	if (good && e.n > 0)
		p = grow(NULL, (size_t)e.n);
	good = good && move(f, out, p, (size_t)e.n) && note(e, p) == SQLITE_OK;
	free(p);
	return good;
}

static bool move_all(FILE *f, bool out)
{
	long n = n_events, i;
	struct image *m;
	bool good = move(f, out, &n_files, sizeof(n_files)) &&
		move(f, out, names, sizeof(names)) &&
		move(f, out, before.name, sizeof(before.name)) &&
		move(f, out, &n, sizeof(n));

	for (i = 0; good && i < n_files; i++) {
		sqlite3_int64 size = before.file[i].size;

		m = &before.file[i];
		good = move(f, out, &size, sizeof(size));
		make_room(m, size);
		m->size = size;
		good = good && move(f, out, m->p, (size_t)size);
	}
	for (i = 0; good && i < n; i++)
		good = move_event(f, out, i);
	return good;
}

static int move_file(const char *path, bool out)
{
	FILE *f = fopen(path, out ? "wb" : "rb");
	bool good = f != NULL && move_all(f, out);

	return (f != NULL && fclose(f) != 0) || !good ? -1 : 0;
}

int crash_vfs_save(const char *path)
{
	return move_file(path, true);
}

int crash_vfs_load(const char *path, const char *db)
{
	crash_vfs_clear(db);
	if (move_file(path, false) < 0)
		return -1;
	n_kept = n_files;
	crash_vfs_kill(n_events);
	return 0;
}

/* ---- one file ------------------------------------------------------------------ */

static struct image *image_of(sqlite3_file *f)
{
	struct handle *h = (struct handle *)f;

	return h->file == NONE ? &h->own : &now.file[h->file];
}

static int vfs_close(sqlite3_file *f)
{
	struct handle *h = (struct handle *)f;
	int i;

	for (i = 0; i < REGIONS && h->file != NONE; i++) {
		free(shm[i]);
		shm[i] = NULL;
	}
	free(h->own.p);
	if (remember)
		mirror();
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct image *i = image_of(f);
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
	int file = ((struct handle *)f)->file,
	    rc = note((struct event){ WRITE, file, NONE, at, n, NULL }, p);

	if (rc == SQLITE_OK)
		put(image_of(f), at, p, n);
	return rc;
}

static int vfs_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int file = ((struct handle *)f)->file;

	note((struct event){ TRUNCATE, file, NONE, size, 0, NULL }, NULL);
	resize(image_of(f), size);
	return SQLITE_OK;
}

/* Unless somebody took the way to the folder from it. */
static void sync_folder(void)
{
	int fd, (*open_it)(const char *, int *) =
		(int (*)(const char *, int *))open_directory;

	if (open_it == NULL || open_it(log_path, &fd) == SQLITE_OK)
		note((struct event){ .what = SYNC_FOLDER }, NULL);
}

static int vfs_sync(sqlite3_file *f, int flags)
{
	struct handle *h = (struct handle *)f;

	(void)flags;
	note((struct event){ SYNC, h->file, NONE, 0, 0, NULL }, NULL);
	if (h->sync_folder)
		sync_folder();
	h->sync_folder = false;
	return SQLITE_OK;
}

static int vfs_size(sqlite3_file *f, sqlite3_int64 *size)
{
	*size = image_of(f)->size;
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
	struct handle *h = (struct handle *)f;
	int *value = arg;

	if (op != SQLITE_FCNTL_PERSIST_WAL)
		return SQLITE_NOTFOUND;
	if (*value < 0)
		*value = h->persist;
	else
		h->persist = *value;
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
	(void)f;
	*out = NULL;
	if (region >= REGIONS)
		return SQLITE_IOERR_SHMMAP;
	if (shm[region] == NULL && extend) {
		shm[region] = calloc(1, (size_t)size);
		if (shm[region] == NULL)
			abort();
	}
	*out = shm[region];
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

static int make_file(int name)
{
	if (n_files == FILES)
		abort();
	now.file[n_files].size = 0;
	now.name[name] = n_files++;
	if (remember)
		n_kept = n_files;
	note((struct event){ .what = LINK, .name = name,
			     .file = now.name[name] }, NULL);
	return now.name[name];
}

void crash_vfs_put(const char *name, const void *p, size_t n)
{
	put(&now.file[make_file(find(name, true))], 0, p, (int)n);
	crash_vfs_settle();
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f,
		    int flags, int *out_flags)
{
	struct handle *h = (struct handle *)f;
	int at = name == NULL ? NONE : find(name, true);

	(void)vfs;
	memset(h, 0, sizeof(*h));
	h->file = at == NONE ? NONE : now.name[at];
	if (at != NONE && h->file == NONE) {
		if ((flags & SQLITE_OPEN_CREATE) == 0)
			return SQLITE_CANTOPEN;
		h->file = make_file(at);
	}
	h->sync_folder = (flags & SQLITE_OPEN_CREATE) != 0 &&
		(flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	h->base.pMethods = &methods;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	int at = find(name, false);

	(void)vfs;
	if (at == NONE || now.name[at] == NONE)
		return SQLITE_IOERR_DELETE_NOENT;
	note((struct event){ .what = UNLINK, .name = at }, NULL);
	now.name[at] = NONE;
	if (sync)
		sync_folder();
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	int at = find(name, false);

	(void)vfs;
	(void)flags;
	*out = at != NONE && now.name[at] != NONE;
	return SQLITE_OK;
}

static int vfs_call(sqlite3_vfs *vfs, const char *name,
		    sqlite3_syscall_ptr call)
{
	(void)vfs;
	if (strcmp(name, "openDirectory") != 0)
		return SQLITE_NOTFOUND;
	open_directory = call;
	return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static sqlite3_vfs crash_vfs = {
	.iVersion = 3, .szOsFile = sizeof(struct handle), .mxPathname = 290,
	.zName = "crash", .xOpen = vfs_open, .xDelete = vfs_delete,
	.xAccess = vfs_access, .xFullPathname = vfs_path,
	.xSetSystemCall = vfs_call,
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
	crash_vfs.xCurrentTimeInt64 = usual->xCurrentTimeInt64;
	return sqlite3_vfs_register(&crash_vfs, 1) == SQLITE_OK ? 0 : -1;
}
