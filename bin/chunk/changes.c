/* changes.c: what has changed since the state was written. */
#include "feed-int.h"

#include "base/start.h"
#include "record/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* ---- what decides where is cut ------------------------------------------- */

/* Each by itself: "a,b" is not "a" and "b". */
static void hash_list(struct ai_hash *h, const struct ai_opt_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		ai_hash_add(h, list->v[i], strlen(list->v[i]) + 1);
}

static void hash_option(struct ai_hash *h, const struct ai_opt *o,
			struct ai_buf *b)
{
	int i = ai_opts_find_to(&ai_start_opts, o->to);

	ai_buf_clear(b);
	if (i < 0 || o->to == &feed.set->files_from)
		return;
	ai_buf_fmt(b, "%s=", o->name);
	if (o->type != AI_OPT_LIST)
		ai_opts_show(&ai_start_opts, (size_t)i, b);
	ai_hash_add(h, ai_buf_cstr(b), b->len + 1);
	if (o->type == AI_OPT_LIST)
		hash_list(h, o->to);
}

int feed_hash_options(struct ai_span encoding, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	struct ai_hash h;
	int rc;

	ai_hash_init(&h);
	for (const struct ai_opt *o = feed.set->cutting; o->name != NULL; o++)
		hash_option(&h, o, &b);
	ai_hash_add(&h, encoding.p, encoding.n);
	if (feed.set->dedup > 0) {
		ai_buf_clear(&b);
		ai_put_f64(&b, feed.set->dedup);
		ai_buf_fmt(&b, " %d", feed.set->copies);
		ai_hash_add(&h, ai_buf_cstr(&b), b.len);
	}
	ai_hash_hex(&h, feed.options);
	rc = ai_buf_check(&b, "an option", err);
	ai_buf_release(&b);
	return rc;
}

void feed_how(const struct chunk_converter *c, char how[CHUNK_HOW_HEX])
{
	char hex[AI_HASH_HEX];
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, feed.options, sizeof feed.options);
	for (size_t i = 0; c != NULL && c->argv[i] != NULL; i++)
		ai_hash_add(&h, c->argv[i], strlen(c->argv[i]) + 1);
	ai_hash_hex(&h, hex);
	memcpy(how, hex, CHUNK_HOW_HEX - 1);
	how[CHUNK_HOW_HEX - 1] = '\0';
}

/* The same; one look in the configuration for a run of names of one kind. */
static int how_of(const char *path, const char **how, struct ai_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash : path, '.');
	struct chunk_converter c;
	int rc;

	*how = feed.how;
	if (dot == NULL)
		dot = "";
	if (feed.how[0] != '\0' && strcmp(dot, feed.suffix) == 0)
		return 0;
	rc = chunk_converter_find(&c, path, err);
	if (rc < 0)
		return -1;
	feed_how(rc > 0 ? &c : NULL, feed.how);
	if (rc > 0)
		chunk_converter_release(&c);
	feed.suffix[0] = '\0';
	if (strlen(dot) < sizeof feed.suffix)
		memcpy(feed.suffix, dot, strlen(dot) + 1);
	else
		feed.how[0] = '\0'; /* not kept */
	if (feed.how[0] == '\0')
		feed_how(NULL, feed.how);
	return 0;
}

/* ---- one document -------------------------------------------------------- */

/* Reads a file that may be as it was although its stamp is not. */
static bool same_bytes(const char *path, struct chunk_known_doc *d)
{
	struct chunk_doc doc;
	struct chunk_reading r;
	struct ai_err why;
	bool same = false;
	int fd;

	if (chunk_doc_open(path, &fd, &why) < 0)
		return false;
	chunk_doc_init(&doc);
	chunk_reading_begin(&r, fd);
	if (r.regular && chunk_doc_read(&doc, fd, path, false, &why) == 0)
		same = strcmp(doc.hash, d->doc) == 0;
	d->stamp = r.stamp;
	chunk_doc_release(&doc);
	close(fd);
	return same;
}

/* 1: it is as it was. */
static int is_same(const char *path, const struct stat *st, size_t at,
		   struct ai_err *err)
{
	struct chunk_known_doc d;
	struct chunk_stamp now, old;
	const char *how;

	if (chunk_known_get(feed.known, at, &d, err) < 0 ||
	    how_of(path, &how, err) < 0)
		return -1;
	if (d.begun || strcmp(how, d.how) != 0)
		return 0;
	chunk_stamp_of(&now, st, chunk_stamp_now());
	chunk_known_set(feed.known, at, CHUNK_STAYS);
	if (chunk_stamp_same(&d.stamp, &now))
		return 1;
	old = d.stamp;
	if (d.skipped || now.size != old.size || !same_bytes(path, &d))
		return 0;
	/* Young still: nothing to be told but what is known. */
	old.young = false;
	if (d.stamp.young && chunk_stamp_same(&old, &d.stamp))
		return 1;
	if (chunk_known_note(feed.known, path, &d, err) < 0)
		return -1;
	chunk_known_set(feed.known, at, CHUNK_TOUCHED);
	return 1;
}

int feed_check(const char *path, const struct stat *st, char kind,
	       struct ai_err *err)
{
	size_t at;
	int rc = chunk_known_find(feed.known, path, &at, err);

	if (rc > 0 && chunk_known_fate(feed.known, at) != CHUNK_UNSEEN)
		return 0; /* named a second time */
	if (rc > 0) {
		rc = is_same(path, st, at, err);
		if (rc == 0)
			chunk_known_set(feed.known, at, CHUNK_CHANGES);
	}
	feed.n_same += rc > 0;
	return rc != 0 ? rc < 0 ? -1 : 0 : feed_hand(path, kind, "", err);
}

/* ---- what is gone -------------------------------------------------------- */

int feed_gone(size_t at, struct ai_err *err)
{
	struct ai_buf uri = AI_BUF_INIT((size_t)1 << 20);
	struct chunk_known_doc d;
	int rc = 0;

	if (chunk_known_get(feed.known, at, &d, err) < 0)
		return -1;
	chunk_known_set(feed.known, at, CHUNK_GOES);
	if (d.skipped) /* nothing was ever said of it */
		return 0;
	feed.n_gone++;
	rc = chunk_known_uri(feed.known, at, &uri, err);
	if (rc == 0)
		rc = chunk_known_begin(feed.known, uri.p, err);
	ai_buf_release(&uri);
	return rc;
}

static int hand_gone(size_t at, struct ai_buf *operand, struct ai_err *err)
{
	struct chunk_known_doc d;

	if (chunk_known_get(feed.known, at, &d, err) < 0 ||
	    chunk_known_uri(feed.known, at, operand, err) < 0)
		return -1;
	ai_buf_chr(operand, '\0');
	ai_buf_chr(operand, FEED_GONE);
	ai_buf_chr(operand, '\0');
	if (ai_buf_check(operand, "a file's name", err) < 0)
		return -1;
	return d.skipped ? 0 : feed.take(feed.to, operand->p, operand->len,
					 err);
}

int feed_hand_gone(struct ai_err *err)
{
	struct ai_buf operand = AI_BUF_INIT((size_t)1 << 20);
	size_t n = feed.n_gone > 0 && !feed.told_gone
		? chunk_known_count(feed.known) : 0;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (chunk_known_fate(feed.known, i) == CHUNK_GOES)
			rc = hand_gone(i, &operand, err);
	ai_buf_release(&operand);
	feed.told_gone = true;
	return rc;
}

static bool stat_folder(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".")
		: strndup(path, slash == path ? 1 : (size_t)(slash - path));
	bool is = folder != NULL && stat(folder, st) == 0;

	free(folder);
	return is;
}

bool feed_is_beside(const char *a, const char *b)
{
	struct stat x, y;

	return stat_folder(a, &x) && stat_folder(b, &y) &&
		x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/*
 * Gone is what lies below a folder that was walked and was not met there; and
 * what is not there any more in a folder of which files were named, as the
 * shell does for docs/(star).  Nothing is said of the rest: it is not what was
 * asked about, or could not be looked at.
 */
static bool is_gone(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (feed_is_below(&feed.unread, path))
		return false;
	if (feed_is_below(&feed.roots, path))
		return true;
	return feed_has_name(&feed.folders, path, slash == NULL
			     ? 0 : (size_t)(slash - path)) &&
		lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

int feed_find_gone(struct ai_err *err)
{
	struct ai_buf uri = AI_BUF_INIT((size_t)1 << 20);
	size_t n = chunk_known_count(feed.known);
	int rc = 0;

	feed_sort_names(&feed.folders);
	feed_sort_names(&feed.unread);
	feed_sort_names(&feed.roots);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (chunk_known_fate(feed.known, i) != CHUNK_UNSEEN)
			continue;
		rc = chunk_known_uri(feed.known, i, &uri, err);
		if (rc == 0 && is_gone(uri.p))
			rc = feed_gone(i, err);
	}
	ai_buf_release(&uri);
	return rc;
}

/* ---- copies -------------------------------------------------------------- */

static bool stays(size_t at)
{
	enum chunk_known_fate fate = chunk_known_fate(feed.known, at);

	return fate == CHUNK_UNSEEN || fate == CHUNK_STAYS ||
		fate == CHUNK_TOUCHED;
}

static int load_kept(size_t at, struct ai_err *err)
{
	struct chunk_known_doc d;
	struct ai_json_iter it;
	struct ai_value v;

	if (chunk_known_get(feed.known, at, &d, err) < 0)
		return -1;
	if (d.kept.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, d.kept);
	while (ai_json_next(&it, NULL, &v)) {
		if (v.kind == AI_STRING &&
		    chunk_dedup_load(feed.dedup, at, v.s.p + 1, v.s.n - 2,
				     err) == 0)
			continue;
		if (v.kind == AI_STRING && err->code != AI_E_NONE)
			return -1;
		return ai_err_set(err, AI_E_DATA, "the state '%.200s' has "
				  "hashes of a passage that are none; remove "
				  "it", feed.set->state);
	}
	return 0;
}

int feed_load_kept(struct ai_err *err)
{
	size_t n = chunk_known_count(feed.known);

	for (size_t i = 0; i < n; i++)
		if (stays(i) && load_kept(i, err) < 0)
			return -1;
	return 0;
}

struct keys {
	struct chunk_key *v;
	size_t n, cap;
};

static int add_key(struct keys *keys, struct chunk_key key, struct ai_err *err)
{
	size_t cap = keys->cap * 2 + 64;
	struct chunk_key *more;

	if (keys->n == keys->cap) {
		more = reallocarray(keys->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		keys->v = more;
		keys->cap = cap;
	}
	keys->v[keys->n++] = key;
	return 0;
}

static bool has_key(const struct keys *keys, struct chunk_key key)
{
	return keys->n > 0 && bsearch(&key, keys->v, keys->n, sizeof key,
				      chunk_key_compare) != NULL;
}

/* Those of passages that were kept and are no more. */
static int find_lost(struct keys *lost, struct ai_err *err)
{
	struct keys now = { NULL, 0, 0 };
	size_t n = chunk_known_count(feed.known);
	struct chunk_known_doc d;
	struct ai_json_iter it;
	struct chunk_key key;
	struct ai_value v;
	int rc = chunk_dedup_keys(feed.dedup, &now.v, &now.n, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (stays(i) ||
		    chunk_known_fate(feed.known, i) == CHUNK_CHANGES)
			continue;
		rc = chunk_known_get(feed.known, i, &d, err);
		if (rc < 0 || d.kept.kind != AI_ARRAY)
			continue;
		ai_json_iter_init(&it, d.kept);
		while (rc == 0 && ai_json_next(&it, NULL, &v))
			if (v.kind == AI_STRING &&
			    chunk_dedup_key(v.s.p + 1, v.s.n - 2, &key) &&
			    !has_key(&now, key))
				rc = add_key(lost, key, err);
	}
	free(now.v);
	if (rc == 0 && lost->n > 1)
		qsort(lost->v, lost->n, sizeof *lost->v, chunk_key_compare);
	return rc;
}

/* 1: a passage of it was left out for one that is lost. */
static int misses(size_t at, const struct keys *lost, struct ai_err *err)
{
	struct chunk_known_doc d;
	struct ai_json_iter it;
	struct chunk_key key;
	struct ai_value v;

	if (chunk_known_get(feed.known, at, &d, err) < 0)
		return -1;
	if (d.copies.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, d.copies);
	while (ai_json_next(&it, NULL, &v))
		if (v.kind == AI_STRING && v.s.n == 2 * sizeof key.b + 2 &&
		    ai_unhex(v.s.p + 1, 2 * sizeof key.b, key.b) == 0 &&
		    has_key(lost, key))
			return 1;
	return 0;
}

int chunk_feed_look_again(bool *more, struct ai_err *err)
{
	struct keys lost = { NULL, 0, 0 };
	size_t n;
	int rc;

	*more = false;
	if (feed.known == NULL || feed.dedup == NULL)
		return 0;
	n = chunk_known_count(feed.known);
	rc = find_lost(&lost, err);
	if (rc == 0 && lost.n > 0) {
		feed.again = calloc(n, sizeof *feed.again);
		if (feed.again == NULL)
			rc = ai_err_nomem(err);
	}
	for (size_t i = 0; i < n && rc >= 0 && lost.n > 0; i++) {
		rc = stays(i) ? misses(i, &lost, err) : 0;
		if (rc > 0)
			feed.again[feed.n_again++] = i;
	}
	free(lost.v);
	*more = feed.n_again > 0;
	return rc < 0 ? -1 : 0;
}

int chunk_feed_again(int argc, char **argv, ai_feed_take *take, void *to,
		     struct ai_err *err)
{
	struct ai_buf uri = AI_BUF_INIT((size_t)1 << 20);
	int rc = 0;

	(void)argc;
	(void)argv;
	feed.take = take;
	feed.to = to;
	for (size_t i = 0; i < feed.n_again && rc == 0; i++) {
		rc = chunk_known_uri(feed.known, feed.again[i], &uri, err);
		if (rc == 0)
			rc = feed_hand(uri.p, FEED_FOUND, "", err);
	}
	ai_buf_release(&uri);
	return rc == 0 ? feed_hand_waiting(err) : -1;
}

/* ---- before the state is changed ----------------------------------------- */

/* A pipe or socket is read empty, or nobody reads it. */
static int await_pipe(unsigned long request, struct ai_err *err)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO };
	struct timespec nap = { 0, 1000000 };
	int unread;

	while (ioctl(STDOUT_FILENO, request, &unread) == 0 && unread > 0) {
		if (poll(&pfd, 1, 0) > 0 &&
		    (pfd.revents & (POLLERR | POLLHUP))) {
			raise(SIGPIPE); /* as a write would */
			return ai_err_set(err, AI_E_IO, "whoever reads standard "
					  "output ended too early: the state "
					  "stays as it was");
		}
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 50000000)
			nap.tv_nsec *= 2;
	}
	return 0;
}

int feed_await_reader(struct ai_err *err)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "no standard output");
	if (S_ISFIFO(st.st_mode))
		return await_pipe(FIONREAD, err);
	if (S_ISSOCK(st.st_mode))
		return await_pipe(TIOCOUTQ, err);
	if (S_ISREG(st.st_mode) && fsync(STDOUT_FILENO) < 0)
		return ai_err_sys(err, AI_E_IO, errno,
				  "cannot write to standard output");
	return 0;
}
