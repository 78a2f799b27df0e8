/* known-file.c: the file of --state: locked, read, checked, replaced. */
#include "known-int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define WRITE_SIZE ((size_t)1 << 18)
#define TAIL_MAX 128 /* bytes of the last line, at most */

int known_damaged(const char *path, const char *what, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "the state '%.120s' is damaged: %s; "
			  "put a copy of it back, or remove it: then all "
			  "documents are written once more, and none is told "
			  "of that is gone since", path, what);
}

static int name_of(const char *path, const char *suffix, char **name,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(PATH_MAX);

	ai_buf_str(&b, path);
	ai_buf_str(&b, suffix);
	if (ai_buf_check(&b, "the name of the state", err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	*name = ai_buf_take(&b);
	return 0;
}

/* ---- the lock ------------------------------------------------------------ */

static bool is_at(int fd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(name, &b) == 0 &&
		a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Its holder takes the name away at its end: then it is tried again. */
static int lock(const char *path, int *fd, struct ai_err *err)
{
	char *name;
	int rc = 0;

	if (name_of(path, ".lock", &name, err) < 0)
		return -1;
	do {
		*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (*fd < 0) {
			rc = ai_err_sys(err, AI_E_CREATE, errno,
					"cannot make '%.200s'", name);
		} else if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
			rc = ai_err_set(err, AI_E_TRY_LATER, "another ai-chunk "
					"works with the state '%.200s'; wait "
					"for its end", path);
			close(*fd);
			*fd = -1;
		} else if (!is_at(*fd, name)) {
			close(*fd);
			*fd = -1;
		}
	} while (rc == 0 && *fd < 0);
	free(name);
	return rc;
}

static void unlock(const char *path, int fd)
{
	char *name;

	if (fd < 0)
		return;
	if (name_of(path, ".lock", &name, NULL) == 0) {
		unlink(name);
		free(name);
	}
	close(fd);
}

/* ---- reading ------------------------------------------------------------- */

void known_unmap(struct chunk_known *k)
{
	if (k->mapped > 0)
		munmap((void *)(uintptr_t)k->map, k->mapped);
	k->map = NULL;
	k->mapped = 0;
}

static int map_file(struct chunk_known *k, const char *path,
		    struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *p;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		int e = fd < 0 ? errno : EINVAL;

		if (fd >= 0)
			close(fd);
		return ai_err_sys(err, AI_E_OPEN, e, "cannot open the state "
				  "'%.200s'", path);
	}
	if (st.st_size == 0) {
		close(fd);
		return known_damaged(path, "it is empty", err);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot map the state "
				  "'%.200s'", path);
	k->map = p;
	k->mapped = (size_t)st.st_size;
	return 1;
}

/* The last line: where it begins, how many documents there are, and the hash
 * of what is before it. */
static int read_tail(struct chunk_known *k, const char *path, size_t *end,
		     struct ai_err *err)
{
	struct ai_value v, sum;
	const char *before;
	int64_t n;

	*end = 0;
	if (k->map[k->mapped - 1] == '\n') {
		before = memrchr(k->map, '\n', k->mapped - 1);
		*end = before == NULL ? 0 : (size_t)(before + 1 - k->map);
	}
	if (*end == 0 || k->mapped - *end > TAIL_MAX ||
	    ai_json_check(k->map + *end, k->mapped - *end - 1, &v, NULL) < 0 ||
	    ai_json_i64(ai_json_get(v, "documents"), &n) < 0 || n < 0 ||
	    (uint64_t)n > k->mapped)
		return known_damaged(path, "its end is missing", err);
	ai_hash_of(k->map, *end, k->sum);
	sum = ai_json_get(v, "blake2b");
	k->n = (size_t)n;
	return ai_json_is(sum, ai_span_of(k->sum)) ? 0
		: known_damaged(path, "its checksum is wrong", err);
}

/* *n: the bytes of the first line. */
static int read_head(struct chunk_known *k, const char *path, size_t end,
		     size_t *n, struct ai_err *err)
{
	const char *nl = memchr(k->map, '\n', end);
	unsigned char seed[8];
	struct ai_value v;
	int64_t version;

	*n = nl == NULL ? 0 : (size_t)(nl + 1 - k->map);
	if (nl == NULL || ai_json_check(k->map, *n - 1, &v, NULL) < 0 ||
	    ai_json_i64(ai_json_get(v, "ai-chunk-state"), &version) < 0)
		return known_damaged(path, "it is no state of ai-chunk", err);
	if (version != KNOWN_VERSION)
		return ai_err_set(err, AI_E_DATA, "the state '%.150s' is of "
				  "version %lld, and this ai-chunk knows only "
				  "%d: use the newer one, or another state",
				  path, (long long)version, KNOWN_VERSION);
	v = ai_json_get(v, "seed");
	if (v.kind != AI_STRING || v.s.n != 18 ||
	    ai_unhex(v.s.p + 1, 16, seed) < 0)
		return known_damaged(path, "its first line is wrong", err);
	memcpy(&k->seed, seed, sizeof k->seed);
	return 0;
}

/* Where the lines are; each must have a name behind the one before it. */
static int index_lines(struct chunk_known *k, const char *path, size_t from,
		       size_t end, struct ai_err *err)
{
	struct ai_span last = { NULL, 0 }, name;
	size_t i = 0;

	k->lines = calloc(k->n + 1, sizeof *k->lines);
	k->fates = calloc(k->n + 1, sizeof *k->fates);
	if (k->lines == NULL || k->fates == NULL)
		return ai_err_nomem(err);
	for (; from < end && i < k->n; i++) {
		const char *nl = memchr(k->map + from, '\n', end - from);

		name = known_name((struct ai_span){
			k->map + from, (size_t)(nl - k->map) - from });
		if (name.p == NULL ||
		    (last.p != NULL && known_compare(last, name) >= 0))
			break;
		last = name;
		k->lines[i] = from;
		from = (size_t)(nl + 1 - k->map);
	}
	return i == k->n && from == end ? 0
		: known_damaged(path, "its lines are not in order", err);
}

int known_read(struct chunk_known *k, const char *path, struct ai_err *err)
{
	size_t end, head;
	int rc = map_file(k, path, err);

	if (rc <= 0)
		return rc;
	if (read_tail(k, path, &end, err) < 0 ||
	    read_head(k, path, end, &head, err) < 0)
		return -1;
	return index_lines(k, path, head, end, err);
}

/* ---- opening ------------------------------------------------------------- */

/* What a run before this one left pending was never adopted: this one finds
 * all of it once more. */
static int drop_pending(const char *path, struct ai_err *err)
{
	char *name;
	int rc = 0;

	if (name_of(path, ".pending", &name, err) < 0)
		return -1;
	if (unlink(name) < 0 && errno != ENOENT)
		rc = ai_err_sys(err, AI_E_CREATE, errno, "cannot remove "
				"'%.200s'", name);
	free(name);
	return rc;
}

int chunk_known_open(struct chunk_known **known, const char *path,
		     bool pending, struct ai_err *err)
{
	struct chunk_known *k = calloc(1, sizeof *k);

	if (k == NULL)
		return ai_err_nomem(err);
	k->path = path;
	k->pending = pending;
	k->lock = -1;
	pthread_mutex_init(&k->mutex, NULL);
	ai_spool_init(&k->spool);
	ai_random(&k->seed, sizeof k->seed);
	if (lock(path, &k->lock, err) < 0 || known_read(k, path, err) < 0 ||
	    drop_pending(path, err) < 0) {
		chunk_known_close(k);
		return -1;
	}
	*known = k;
	return 0;
}

void chunk_known_close(struct chunk_known *k)
{
	if (k == NULL)
		return;
	known_unmap(k);
	unlock(k->path, k->lock);
	ai_spool_release(&k->spool);
	pthread_mutex_destroy(&k->mutex);
	free(k->lines);
	free(k->fates);
	free(k->notes);
	free(k);
}

/* ---- writing ------------------------------------------------------------- */

struct out {
	const char *name;
	int fd;
	struct ai_buf buf;
	struct ai_hash hash;
	size_t n; /* documents */
	char sum[AI_HASH_HEX];
};

static int out_flush(struct out *o, struct ai_err *err)
{
	ai_hash_add(&o->hash, ai_buf_cstr(&o->buf), o->buf.len);
	if (ai_buf_check(&o->buf, "the state", err) < 0)
		return -1;
	if (ai_buf_write(&o->buf, o->fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write "
				  "'%.200s'", o->name);
	ai_buf_clear(&o->buf);
	return 0;
}

/* A line with its newline. */
static int out_line(struct out *o, const char *p, size_t n,
		    struct ai_err *err)
{
	o->n++;
	ai_buf_add(&o->buf, p, n);
	return o->buf.len < WRITE_SIZE ? 0 : out_flush(o, err);
}

static void put_head(struct ai_buf *b, const struct chunk_known *k)
{
	char seed[17];

	ai_hex(&k->seed, sizeof k->seed, seed);
	ai_put_open(b, '{');
	ai_put_key(b, "ai-chunk-state");
	ai_put_i64(b, KNOWN_VERSION);
	ai_put_key(b, "seed");
	ai_put_cstr(b, seed);
	ai_put_key(b, "on");
	ai_put_cstr(b, k->sum);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

static int put_tail(struct out *o, struct ai_err *err)
{
	if (out_flush(o, err) < 0)
		return -1;
	ai_hash_hex(&o->hash, o->sum);
	ai_put_open(&o->buf, '{');
	ai_put_key(&o->buf, "documents");
	ai_put_i64(&o->buf, (int64_t)o->n);
	ai_put_key(&o->buf, "blake2b");
	ai_put_cstr(&o->buf, o->sum);
	ai_put_close(&o->buf, '}');
	ai_buf_chr(&o->buf, '\n');
	ai_hash_init(&o->hash);
	return out_flush(o, err);
}

/* The last one noted of a name comes last. */
static int by_name(const void *a, const void *b, void *lines)
{
	const struct known_note *x = a, *y = b;
	struct ai_span p = { (const char *)lines + x->at, x->n };
	struct ai_span q = { (const char *)lines + y->at, y->n };
	int rc = known_compare(known_name(p), known_name(q));

	return rc != 0 ? rc : x->order < y->order ? -1 : 1;
}

/* Both sides of the merge. */
struct merge {
	struct out *o;
	const struct chunk_known *k;
	const char *fresh; /* the lines of the notes */
	bool early;        /* nothing was written yet: what goes is begun */
	size_t i, j;
};

static struct ai_span note_line(const struct merge *m, size_t j)
{
	return (struct ai_span){ m->fresh + m->k->notes[j].at,
				 m->k->notes[j].n };
}

/* Of all that was noted of one name the last counts. */
static struct ai_span take_note(struct merge *m)
{
	struct ai_span line = note_line(m, m->j), next;

	while (++m->j < m->k->n_notes) {
		next = note_line(m, m->j);
		if (known_compare(known_name(line), known_name(next)) != 0)
			break;
		line = next;
	}
	return line;
}

/* Which comes next: the old one (-1), the new one (1), or two of one name. */
static int side(const struct merge *m)
{
	if (m->i == m->k->n)
		return 1;
	if (m->j == m->k->n_notes)
		return -1;
	return known_compare(known_name(known_line(m->k, m->i)),
			     known_name(note_line(m, m->j)));
}

static int put_docs(struct merge *m, struct ai_err *err)
{
	const struct chunk_known *k = m->k;
	int rc = 0;

	while (rc == 0 && (m->i < k->n || m->j < k->n_notes)) {
		struct ai_span line = { NULL, 0 };
		int which = side(m);
		bool goes = which <= 0 && !m->early &&
			k->fates[m->i] == CHUNK_GOES;

		if (which < 0) {
			line = known_line(k, m->i);
			line.n++; /* its newline */
		} else {
			line = take_note(m);
		}
		m->i += which <= 0;
		if (!goes)
			rc = out_line(m->o, line.p, line.n, err);
	}
	return rc;
}

static int write_docs(struct out *o, struct chunk_known *k, bool early,
		      struct ai_err *err)
{
	struct merge m = { .o = o, .k = k, .early = early };
	char *fresh = NULL;
	int fd, rc;

	if (k->n_notes > 0) {
		if (ai_spool_fd(&k->spool, &fd, err) < 0)
			return -1;
		fresh = mmap(NULL, k->spooled, PROT_READ, MAP_PRIVATE, fd, 0);
		if (fresh == MAP_FAILED)
			return ai_err_sys(err, AI_E_OS, errno,
					  "cannot map a temporary file");
		lseek(fd, 0, SEEK_END); /* more may follow */
		qsort_r(k->notes, k->n_notes, sizeof *k->notes, by_name,
			fresh);
	}
	m.fresh = fresh;
	rc = put_docs(&m, err);
	if (fresh != NULL)
		munmap(fresh, k->spooled);
	return rc;
}

static int write_all(struct out *o, struct chunk_known *k, bool early,
		     struct ai_err *err)
{
	int rc;

	ai_hash_init(&o->hash);
	put_head(&o->buf, k);
	rc = write_docs(o, k, early, err) < 0 ? -1 : put_tail(o, err);
	if (rc == 0 && fsync(o->fd) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				o->name);
	return rc;
}

static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : slash == path
		? strdup("/") : strndup(path, (size_t)(slash - path));
	int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY |
					    O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

static int put_in_place(const char *from, const char *to, struct ai_err *err)
{
	if (rename(from, to) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot rename "
				  "'%.150s' to '%.150s'", from, to);
	sync_folder(to);
	return 0;
}

static int write_as(struct chunk_known *k, const char *draft, bool early,
		    struct ai_err *err)
{
	struct out o = { .name = draft, .buf = AI_BUF_INIT(KNOWN_LINE * 2) };
	int rc;

	o.fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (o.fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot make "
				  "'%.200s'", draft);
	rc = write_all(&o, k, early, err);
	ai_buf_release(&o.buf);
	if (close(o.fd) < 0 && rc == 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				draft);
	if (rc < 0)
		unlink(draft);
	else if (early)
		memcpy(k->sum, o.sum, sizeof k->sum);
	return rc;
}

static int replace(struct chunk_known *k, bool early, struct ai_err *err)
{
	bool beside = k->pending && !early;
	char *draft = NULL, *target = NULL;
	int rc = name_of(k->path, ".new", &draft, err) < 0 ||
		 name_of(k->path, beside ? ".pending" : "", &target, err) < 0
		? -1 : write_as(k, draft, early, err);

	if (rc == 0)
		rc = put_in_place(draft, target, err);
	free(draft);
	free(target);
	return rc;
}

int chunk_known_save_begun(struct chunk_known *k, struct ai_err *err)
{
	if (!k->begins)
		return 0;
	k->begins = false;
	return replace(k, true, err);
}

int chunk_known_commit(struct chunk_known *k, struct ai_err *err)
{
	if (k->n_notes == 0 && !k->goes && !chunk_known_is_new(k))
		return 0;
	return replace(k, false, err);
}

/* ---- --commit ------------------------------------------------------------ */

/* Whether what is pending was made from the state as it is now. */
static int check_base(const struct chunk_known *next,
		      const struct chunk_known *k, struct ai_err *err)
{
	const char *nl = memchr(next->map, '\n', next->mapped);
	struct ai_value v;

	ai_json_check(next->map, (size_t)(nl - next->map), &v, NULL);
	if (ai_json_is(ai_json_get(v, "on"), ai_span_of(k->sum)))
		return 0;
	return ai_err_set(err, AI_E_DATA, "'%.150s.pending' was not made from "
			  "the state as it is now; run ai-chunk once more",
			  k->path);
}

static int adopt(struct chunk_known *k, const char *name, struct ai_err *err)
{
	struct chunk_known next = { .path = name, .lock = -1 };
	int rc = known_read(k, k->path, err) < 0 ||
		 known_read(&next, name, err) < 0 ? -1 : 0;

	if (rc == 0 && next.mapped > 0) {
		rc = check_base(&next, k, err);
		if (rc == 0)
			rc = put_in_place(name, k->path, err);
	}
	known_unmap(&next);
	free(next.lines);
	free(next.fates);
	return rc;
}

int chunk_known_adopt(const char *path, struct ai_err *err)
{
	struct chunk_known *k = calloc(1, sizeof *k);
	char *name = NULL;
	int rc;

	if (k == NULL)
		return ai_err_nomem(err);
	k->path = path;
	k->lock = -1;
	pthread_mutex_init(&k->mutex, NULL);
	ai_spool_init(&k->spool);
	rc = name_of(path, ".pending", &name, err) < 0 ||
	     lock(path, &k->lock, err) < 0 ? -1 : adopt(k, name, err);
	free(name);
	chunk_known_close(k);
	return rc;
}
