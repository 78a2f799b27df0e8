#include "feed.h"

#include "base/msg.h"
#include "base/start.h"
#include "base/utf8.h"
#include "record/spool.h"

#include "feed-int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAMED_MAX 10 /* files left alone that messages name */

struct feed feed;

/* ---- handing on ---------------------------------------------------------- */

/* With a state an operand waits until the tree was walked. */
int feed_hand(const char *path, char kind, const char *more,
	      struct ai_err *err)
{
	struct ai_buf *b = &feed.operand;
	uint32_t n;

	ai_buf_clear(b);
	ai_buf_add(b, path, strlen(path) + 1);
	ai_buf_chr(b, kind);
	ai_buf_add(b, more, strlen(more) + 1);
	if (ai_buf_check(b, "a file's name", err) < 0)
		return -1;
	if (feed.known == NULL)
		return feed.take(feed.to, b->p, b->len, err);
	n = (uint32_t)b->len;
	if (ai_spool_add(&feed.waiting, &n, sizeof n, err) < 0 ||
	    ai_spool_add(&feed.waiting, b->p, b->len, err) < 0)
		return -1;
	feed.n_waiting += sizeof n + b->len;
	return 0;
}

static int begin_one(void *arg, const char *operand, size_t n,
		     struct ai_err *err)
{
	char kind = operand[strlen(operand) + 1];

	(void)arg;
	(void)n;
	if ((kind != FEED_NAMED && kind != FEED_FOUND) ||
	    ai_utf8_valid(operand, strlen(operand)) < strlen(operand))
		return 0;
	return chunk_known_begin(feed.known, operand, err);
}

static int each_waiting(const char *p, ai_feed_take *take, void *to,
			struct ai_err *err)
{
	uint32_t n;

	for (size_t i = 0; i < feed.n_waiting; i += n) {
		memcpy(&n, p + i, sizeof n);
		i += sizeof n;
		if (take(to, p + i, n, err) < 0)
			return -1;
	}
	return 0;
}

/* First it is noted that they are begun. */
static int take_waiting(const char *p, struct ai_err *err)
{
	return each_waiting(p, begin_one, NULL, err) < 0 ||
	       chunk_known_save_begun(feed.known, err) < 0 ||
	       feed_hand_gone(err) < 0 ? -1
		: each_waiting(p, feed.take, feed.to, err);
}

int feed_hand_waiting(struct ai_err *err)
{
	int fd, rc;
	void *p;

	if (feed.known == NULL)
		return 0;
	if (feed.n_waiting == 0)
		return take_waiting(NULL, err);
	if (ai_spool_fd(&feed.waiting, &fd, err) < 0)
		return -1;
	p = mmap(NULL, feed.n_waiting, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return ai_err_sys(err, AI_E_OS, errno,
				  "cannot map a temporary file");
	rc = take_waiting(p, err);
	munmap(p, feed.n_waiting);
	ai_spool_release(&feed.waiting);
	ai_spool_init(&feed.waiting);
	feed.n_waiting = 0;
	return rc;
}

void feed_say_skipped(const char *path, const char *why)
{
	bool told;

	pthread_mutex_lock(&feed.mutex);
	told = feed.n_skipped++ < NAMED_MAX;
	pthread_mutex_unlock(&feed.mutex);
	ai_msg(told ? AI_MSG_WARN : AI_MSG_INFO, "left alone: '%.200s': %s",
	       path, why);
}

/* ---- the operands -------------------------------------------------------- */

/* Of a name that is met again nothing is written again where that would not be
 * the same: what is a copy of itself would be gone. */
static int is_new(const char *path, struct ai_err *err)
{
	if (feed.operands == 1 || (feed.known == NULL && feed.dedup == NULL))
		return 1;
	return feed_set_add(&feed.met, path, err);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* What this very run writes is none of its documents. */
static bool is_ours(const char *path, const struct stat *st)
{
	static const char *const suffixes[] = {
		"", ".lock", ".new", ".pending",
	};
	const char *slash = strrchr(path, '/'), *state = feed.set->state;
	const char *base = slash != NULL ? slash + 1 : path;
	const char *own;
	size_t n;

	if (S_ISREG(feed.output.st_mode) && is_same_file(&feed.output, st))
		return true;
	if (state == NULL)
		return false;
	own = strrchr(state, '/') != NULL ? strrchr(state, '/') + 1 : state;
	n = strlen(own);
	if (strncmp(base, own, n) != 0)
		return false;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcmp(base + n, suffixes[i]) == 0)
			return feed_is_beside(path, state);
	return false;
}

static int found(void *arg, const struct chunk_found *f, struct ai_err *err)
{
	int rc;

	(void)arg;
	if (f->skipped != NULL) {
		feed_say_skipped(f->path, f->skipped);
		return 0;
	}
	if (f->why != NULL) {
		if (feed_add_name(&feed.unread, f->path, strlen(f->path),
				  err) < 0)
			return -1;
		return feed_hand(f->path, FEED_FAILED, f->why->msg, err);
	}
	if (is_ours(f->path, f->st)) {
		feed_say_skipped(f->path, "this run writes it");
		return 0;
	}
	rc = is_new(f->path, err);
	if (rc <= 0)
		return rc;
	return feed.known != NULL
		? feed_check(f->path, f->st, FEED_FOUND, err)
		: feed_hand(f->path, FEED_FOUND, "", err);
}

static size_t without_slashes(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

/* A file that was named and is gone, if it is known, is no error. */
static int named_gone(const char *path, int e, struct ai_err *err)
{
	size_t at;
	int rc = 0;

	if (feed.known != NULL && (e == ENOENT || e == ENOTDIR))
		rc = chunk_known_find(feed.known, path, &at, err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return feed_gone(at, err);
	if (feed_add_name(&feed.unread, path, without_slashes(path), err) < 0)
		return -1;
	return feed_hand(path, FEED_OTHER, "", err);
}

static int named_file(const char *path, const struct stat *st,
		      struct ai_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	int rc = is_new(path, err);

	if (rc <= 0)
		return rc;
	if (feed.known == NULL || !S_ISREG(st->st_mode))
		return feed_hand(path, FEED_OTHER, "", err);
	if (feed_add_name(&feed.folders, path, n, err) < 0)
		return -1;
	return feed_check(path, st, FEED_NAMED, err);
}

static int do_named(const char *path, struct ai_err *err)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return feed_hand(path, FEED_OTHER, "", err);
	if (stat(path, &st) < 0)
		return named_gone(path, errno, err);
	if (!S_ISDIR(st.st_mode))
		return named_file(path, &st, err);
	if (feed_add_name(&feed.roots, path, without_slashes(path), err) < 0)
		return -1;
	return chunk_walk(&feed.walking, path, err);
}

int chunk_feed(int argc, char **argv, ai_feed_take *take, void *to,
	       struct ai_err *err)
{
	int rc = 0;

	feed.take = take;
	feed.to = to;
	feed.operands = argc;
	for (int i = 0; i < argc && rc == 0; i++)
		rc = do_named(argv[i], err);
	if (rc == 0 && feed.known != NULL)
		rc = feed_find_gone(err);
	if (rc == 0 && feed.known != NULL && feed.set->dedup > 0)
		rc = feed_load_kept(err);
	return rc == 0 ? feed_hand_waiting(err) : -1;
}

/* ---- beginning and end --------------------------------------------------- */

static int take_patterns(struct chunk_patterns *ps,
			 const struct ai_opt_list *list, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 24);
	size_t n;

	for (size_t i = 0; i < list->n; i++) {
		ai_buf_str(&b, list->v[i]);
		ai_buf_chr(&b, '\n');
	}
	if (ai_buf_check(&b, "the list of patterns", err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	n = b.len;
	return list->n == 0 ? 0 : chunk_patterns_parse(ps, ai_buf_take(&b), n,
						       err);
}

static int set_up(const struct chunk_settings *set, struct ai_err *err)
{
	feed.set = set;
	pthread_mutex_init(&feed.mutex, NULL);
	ai_buf_init(&feed.operand, (size_t)1 << 20);
	ai_spool_init(&feed.waiting);
	if (fstat(STDOUT_FILENO, &feed.output) < 0)
		memset(&feed.output, 0, sizeof feed.output);
	feed.walking = (struct chunk_walking){
		.no_ignore = !set->ignore, .hidden = set->hidden,
		.follow = set->follow, .max_file = set->max_file,
		.found = found,
	};
	return take_patterns(&feed.walking.include, &set->include, err) < 0
		? -1 : take_patterns(&feed.walking.exclude, &set->exclude,
				     err);
}

int chunk_feed_begin(const struct chunk_settings *set, struct ai_span encoding,
		     struct ai_err *err)
{
	uint64_t seed;

	if (set_up(set, err) < 0)
		return -1;
	if (set->state != NULL &&
	    (feed_hash_options(encoding, err) < 0 ||
	     chunk_known_open(&feed.known, set->state, set->pending, err) < 0))
		return -1;
	if (feed.known != NULL && chunk_known_is_new(feed.known))
		ai_msg(AI_MSG_INFO, "the state '%.200s' is new: all documents "
		       "are", set->state);
	if (set->dedup <= 0)
		return 0;
	/* Who is kept, and who its copy, must not depend on who was faster. */
	ai_loop.unordered = false;
	ai_random(&seed, sizeof seed);
	if (feed.known != NULL)
		seed = chunk_known_seed(feed.known);
	return chunk_dedup_new(&feed.dedup, set->dedup, seed, err);
}

struct chunk_dedup *chunk_feed_dedup(void)
{
	return feed.dedup;
}

void chunk_feed_release(void)
{
	chunk_known_close(feed.known);
	chunk_dedup_free(feed.dedup);
	chunk_patterns_release(&feed.walking.include);
	chunk_patterns_release(&feed.walking.exclude);
	feed_release_names(&feed.roots);
	feed_release_names(&feed.unread);
	feed_release_names(&feed.folders);
	feed_release_set(&feed.met);
	ai_spool_release(&feed.waiting);
	ai_buf_release(&feed.operand);
	free(feed.again);
	feed.known = NULL;
	feed.dedup = NULL;
	feed.again = NULL;
}

static void say_all(void)
{
	if (feed.n_skipped > NAMED_MAX)
		ai_msg(AI_MSG_WARN, "%zu files were left alone (-v names all)",
		       feed.n_skipped);
	if (feed.known != NULL)
		ai_msg(AI_MSG_INFO, "%zu documents are as they were, %zu new "
		       "or changed, %zu gone", feed.n_same, feed.n_read,
		       feed.n_gone);
	if (feed.dedup != NULL)
		ai_msg(AI_MSG_INFO, "%zu of %zu passages are near copies of "
		       "others; looking for them took %zu KiB", feed.n_copies,
		       feed.n_passages, chunk_dedup_bytes(feed.dedup) / 1024);
}

int chunk_feed_end(struct ai_err *err)
{
	say_all();
	if (feed.known == NULL)
		return 0;
	return feed_await_reader(err) < 0
		? -1 : chunk_known_commit(feed.known, err);
}
