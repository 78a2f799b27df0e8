#include "map-file.h"

#include "crypt/hash.h"
#include "crypt/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_VERSION 1
#define ENTRY_MAX ((uint64_t)1 << 30)
#define PIECE ((size_t)1 << 18)
#define SALT 32

static const char magic[8] = "ai-map\n";

/* Numbers are little-endian. */
struct header {
	char magic[8];
	unsigned char version[4], size[4];
	unsigned char salt[SALT];
	unsigned char check[AI_HASH_BYTES]; /* of all before it: not damaged */
	unsigned char proof[AI_HASH_BYTES]; /* made with the key */
	unsigned char synced[8];            /* the one thing that changes */
};
#define HEADER sizeof(struct header)
#define SYNCED_AT offsetof(struct header, synced)
_Static_assert(HEADER == 88, "a header has no gaps");

static void put_number(uint64_t v, unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t number(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

/* ---- the header -------------------------------------------------------------------- */

static void check_of(const struct header *h, unsigned char out[AI_HASH_BYTES])
{
	char hex[AI_HASH_HEX];

	ai_hash_of(h, offsetof(struct header, check), hex);
	ai_unhex(hex, AI_HASH_HEX - 1, out);
}

/* The key of the entries, and what shows that it is the right one. */
static void keys_of(const struct header *h,
		    const unsigned char master[AI_BOX_KEY],
		    unsigned char key[AI_BOX_KEY],
		    unsigned char proof[AI_HASH_BYTES])
{
	unsigned char all[AI_BOX_KEY];

	ai_box_derive(master, "aiutils map entries", h->salt, SALT, key);
	ai_box_derive(master, "aiutils map proof", h->salt, SALT, all);
	memcpy(proof, all, AI_HASH_BYTES);
	ai_wipe(all, sizeof all);
}

static int damaged(const struct map_file *f, uint64_t at, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "the map '%.200s' is damaged at byte "
			  "%llu; restore it from a backup", f->path,
			  (unsigned long long)at);
}

static int shorter(const struct map_file *f, uint64_t size, uint64_t was,
		   struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "the map '%.160s' is cut off: it has "
			  "%llu bytes and had %llu; restore it from a backup",
			  f->path, (unsigned long long)size,
			  (unsigned long long)was);
}

static int check_header(struct map_file *f, const struct header *h, size_t n,
			const unsigned char master[AI_BOX_KEY],
			struct ai_err *err)
{
	unsigned char check[AI_HASH_BYTES], proof[AI_HASH_BYTES];

	if (n < sizeof h->magic ||
	    memcmp(h->magic, magic, sizeof magic) != 0)
		return ai_err_set(err, AI_E_DATA, "'%.200s' is no map of "
				  "ai-guard", f->path);
	if (n >= 12 && number(h->version, 4) > MAP_VERSION)
		return ai_err_set(err, AI_E_CONFIG, "the map '%.200s' is of a "
				  "newer version (%llu) than this program "
				  "knows (%d): update aiutils", f->path,
				  (unsigned long long)number(h->version, 4),
				  MAP_VERSION);
	if (n < HEADER)
		return shorter(f, n, HEADER, err);
	check_of(h, check);
	if (memcmp(h->check, check, sizeof check) != 0)
		return damaged(f, 0, err);
	keys_of(h, master, f->key, proof);
	if (memcmp(h->proof, proof, sizeof proof) != 0)
		return ai_err_set(err, AI_E_NOT_ALLOWED, "the map '%.200s' was "
				  "made with another key: give its own with "
				  "--map-key", f->path);
	return 0;
}

static ssize_t read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(fd, (char *)p + done, n - done,
			    (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static int write_at(int fd, const void *p, size_t n, uint64_t at)
{
	ssize_t got;

	for (size_t done = 0; done < n; done += (size_t)got) {
		got = pwrite(fd, (const char *)p + done, n - done,
			     (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			return -1;
	}
	return 0;
}

static int cannot(const struct map_file *f, enum ai_code code, const char *what,
		  struct ai_err *err)
{
	return ai_err_sys(err, code, errno, "cannot %s the map '%.200s'", what,
			  f->path);
}

/* ---- opening ------------------------------------------------------------------------ */

/* That its name is on the disk. */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd, rc = -1;

	if (copy == NULL)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		rc = fsync(fd);
		close(fd);
	}
	free(copy);
	/* Some file systems cannot. */
	return rc < 0 && errno != EINVAL ? -1 : 0;
}

/* Under another name first: what has the name is never half a header. */
static int make(struct map_file *f, const unsigned char master[AI_BOX_KEY],
		struct ai_err *err)
{
	struct header h;
	char *name = NULL;
	int fd, rc = -1;

	memset(&h, 0, sizeof h);
	memcpy(h.magic, magic, sizeof magic);
	put_number(MAP_VERSION, h.version, 4);
	put_number(HEADER, h.size, 4);
	ai_random(h.salt, SALT);
	check_of(&h, h.check);
	keys_of(&h, master, f->key, h.proof);
	put_number(HEADER, h.synced, 8);
	if (asprintf(&name, "%s.XXXXXX", f->path) < 0)
		return ai_err_nomem(err);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0) {
		rc = write_at(fd, &h, HEADER, 0) < 0 || fsync(fd) < 0 ||
			(link(name, f->path) < 0 && errno != EEXIST) ||
			sync_folder(f->path) < 0 ? -1 : 0;
		if (rc < 0)
			cannot(f, AI_E_CREATE, "make", err);
		unlink(name);
		close(fd);
	} else {
		cannot(f, AI_E_CREATE, "make", err);
	}
	free(name);
	return rc;
}

static int check_owner(const struct map_file *f, struct ai_err *err)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return cannot(f, AI_E_OPEN, "look at", err);
	if (!S_ISREG(st.st_mode))
		return ai_err_set(err, AI_E_DATA, "the map '%.200s' is no file",
				  f->path);
	if ((st.st_mode & 077) != 0)
		return ai_err_set(err, AI_E_NOT_ALLOWED, "others may use the "
				  "map '%.140s' (mode %04o): chmod 600 "
				  "'%.140s'", f->path,
				  (unsigned)st.st_mode & 07777, f->path);
	return 0;
}

static int begin(struct map_file *f, const unsigned char master[AI_BOX_KEY],
		 struct ai_err *err)
{
	struct header h;
	struct stat st;
	ssize_t n = read_at(f->fd, &h, sizeof h, 0);

	if (n < 0 || fstat(f->fd, &st) < 0)
		return cannot(f, AI_E_IO, "read", err);
	if (check_header(f, &h, (size_t)n, master, err) < 0)
		return -1;
	f->at = HEADER;
	if (number(h.synced, 8) > (uint64_t)st.st_size)
		return shorter(f, (uint64_t)st.st_size, number(h.synced, 8),
			       err);
	return 0;
}

int map_file_open(struct map_file *f, const char *path, const char *key,
		  bool writes, struct ai_err *err)
{
	int flags = (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
	unsigned char master[AI_BOX_KEY];
	int rc = 0;

	memset(f, 0, sizeof *f);
	f->path = path;
	f->fd = -1;
	ai_buf_init(&f->buf, SIZE_MAX);
	if (ai_keyfile_read(key, master, err) < 0)
		return -1;
	f->fd = open(path, flags);
	if (f->fd < 0 && errno == ENOENT && writes) {
		rc = make(f, master, err);
		if (rc == 0)
			f->fd = open(path, flags);
	}
	if (rc == 0)
		rc = f->fd < 0 ? cannot(f, AI_E_OPEN, "open", err)
			       : check_owner(f, err);
	if (rc == 0)
		rc = begin(f, master, err);
	ai_wipe(master, sizeof master);
	if (rc < 0)
		map_file_close(f);
	return rc;
}

void map_file_close(struct map_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	ai_wipe(f->key, sizeof f->key);
	if (f->buf.cap > 0)
		ai_wipe(f->buf.p, f->buf.cap);
	ai_buf_release(&f->buf);
}

int map_file_lock(struct map_file *f, bool alone, struct ai_err *err)
{
	struct flock lock = { .l_type = alone ? F_WRLCK : F_RDLCK,
			      .l_whence = SEEK_SET };

	while (fcntl(f->fd, F_OFD_SETLKW, &lock) < 0)
		if (errno != EINTR)
			return cannot(f, AI_E_OS, "lock", err);
	return 0;
}

void map_file_unlock(struct map_file *f)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	fcntl(f->fd, F_OFD_SETLK, &lock);
}

/* ---- entries -------------------------------------------------------------------------- */

/* A piece of the file in f->buf. */
struct window {
	uint64_t from, size; /* of the file */
};

/* n bytes at this place, which are in the file; NULL: cannot be read. */
static unsigned char *look(struct map_file *f, struct window *w, uint64_t at,
			   size_t n, struct ai_err *err)
{
	size_t want = n > PIECE ? n : PIECE;
	ssize_t got;

	if (at >= w->from && at + n <= w->from + f->buf.len)
		return (unsigned char *)f->buf.p + (at - w->from);
	if (want > w->size - at)
		want = (size_t)(w->size - at);
	ai_buf_clear(&f->buf);
	if (ai_buf_reserve(&f->buf, want) < 0) {
		ai_err_nomem(err);
		return NULL;
	}
	got = read_at(f->fd, f->buf.p, want, at);
	if (got < 0 || (size_t)got < want) {
		errno = got < 0 ? errno : EIO;
		cannot(f, AI_E_IO, "read", err);
		return NULL;
	}
	f->buf.len = want;
	w->from = at;
	return (unsigned char *)f->buf.p;
}

/* What a power failure may leave behind the end: bytes never written. */
static bool is_blank(struct map_file *f, struct window *w, struct ai_err *err)
{
	const unsigned char *p;

	for (uint64_t at = f->at; at < w->size; at++) {
		p = look(f, w, at, 1, err);
		if (p == NULL || *p != 0)
			return false;
	}
	return true;
}

/* An entry that is not whole: left by a program that was killed, which had
 * printed nothing of it; or else lost. */
static int torn(struct map_file *f, const struct window *w, struct ai_err *err)
{
	unsigned char synced[8];

	if (read_at(f->fd, synced, 8, SYNCED_AT) != 8)
		return cannot(f, AI_E_IO, "read", err);
	return number(synced, 8) <= f->at ? 0
		: shorter(f, w->size, number(synced, 8), err);
}

bool map_file_has_more(const struct map_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) < 0 || (uint64_t)st.st_size != f->at;
}

int map_file_read(struct map_file *f, map_file_fn *each, void *arg,
		  struct ai_err *err)
{
	struct window w = { 0, 0 };
	struct stat st;
	unsigned char *p;
	uint64_t left, n;

	if (fstat(f->fd, &st) < 0)
		return cannot(f, AI_E_IO, "look at", err);
	w.size = (uint64_t)st.st_size;
	if (w.size < f->at)
		return shorter(f, w.size, f->at, err);
	ai_buf_clear(&f->buf);
	while ((left = w.size - f->at) > 0) {
		if (left < 4 + AI_BOX_MORE)
			return torn(f, &w, err);
		p = look(f, &w, f->at, 4, err);
		if (p == NULL)
			return -1;
		n = number(p, 4);
		if (n < AI_BOX_MORE || n > ENTRY_MAX)
			return is_blank(f, &w, err) ? torn(f, &w, err)
						    : damaged(f, f->at, err);
		if (n > left - 4)
			return torn(f, &w, err);
		p = look(f, &w, f->at, 4 + (size_t)n, err);
		if (p == NULL)
			return -1;
		p += 4;
		/* Opened where it lies: the rest of the window is not yet. */
		if (ai_box_open(f->key, f->at, p, (size_t)n,
				p + AI_BOX_NONCE) < 0)
			return damaged(f, f->at, err);
		if (each(arg, p + AI_BOX_NONCE, (size_t)n - AI_BOX_MORE,
			 err) < 0)
			return err->code == AI_E_DATA ? damaged(f, f->at, err)
						      : -1;
		ai_wipe(p, (size_t)n);
		f->at += 4 + n;
	}
	return 0;
}

int map_file_add(struct map_file *f, const void *p, size_t n,
		 struct ai_err *err)
{
	size_t all = 4 + n + AI_BOX_MORE;
	struct stat st;

	if (n + AI_BOX_MORE > ENTRY_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "the values are too long "
				  "for a map");
	ai_buf_clear(&f->buf);
	if (ai_buf_reserve(&f->buf, all) < 0)
		return ai_err_nomem(err);
	put_number(n + AI_BOX_MORE, (unsigned char *)f->buf.p, 4);
	ai_box_seal(f->key, f->at, p, n, (unsigned char *)f->buf.p + 4);
	if (fstat(f->fd, &st) < 0 ||
	    ((uint64_t)st.st_size > f->at &&
	     ftruncate(f->fd, (off_t)f->at) < 0))
		return cannot(f, AI_E_IO, "write", err);
	if (write_at(f->fd, f->buf.p, all, f->at) < 0) {
		cannot(f, AI_E_IO, "write", err);
		/* If that fails, the next program does it. */
		if (ftruncate(f->fd, (off_t)f->at) < 0)
			return -1;
		return -1;
	}
	f->at += all;
	return 0;
}

int map_file_sync(struct map_file *f, uint64_t at, struct ai_err *err)
{
	unsigned char synced[8];

	if (fdatasync(f->fd) < 0)
		return cannot(f, AI_E_IO, "write", err);
	/* Need not be on the disk itself: what is too low finds less. */
	put_number(at, synced, 8);
	return write_at(f->fd, synced, 8, SYNCED_AT) < 0
		? cannot(f, AI_E_IO, "write", err) : 0;
}
