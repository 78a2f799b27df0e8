/*
 * tokenizer-cache.c: a tokenizer's file is compiled once.
 *
 * A table is named by the hash of what it was made from, in a folder of the
 * user's cache.  So that ten megabytes need not be read and hashed each time,
 * a link stands beside it whose name is the hash of where the file is and when
 * it was last changed (device, inode, size, both times).  The time of the last
 * change of the inode cannot be set back, so a file that is edited is seen; one
 * that was changed just now, within what a clock tells apart, gets no link.
 *
 * Everything here may fail, and then the table is made in memory.  What is in
 * the folder is used only if it is ours and whole.
 */
#include "model/tokenizer.h"

#include "base/path.h"
#include "crypt/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "tokenizers"
#define TABLE_MAX ((size_t)1 << 31)
/* Seconds: clocks of file systems are as coarse as this. */
#define SETTLED 2
/* A table that somebody began to write so long ago is not written any more. */
#define ABANDONED 60
#define NAME_MAX_HERE (AI_HASH_HEX + 8)

struct cache {
	int dir;           /* -1: there is none */
	char link[NAME_MAX_HERE]; /* "" if the file has no place */
	char name[NAME_MAX_HERE];
};

/* ---- the folder ---- */

static int make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

/* It and the two above it, as far as they are missing. */
static int make_folders(char *path)
{
	char *cuts[2], *cut = path + strlen(path);
	size_t n = 0;
	int rc = 0;

	while (n < 2 && cut > path + 1)
		if (*--cut == '/')
			cuts[n++] = cut;
	while (rc == 0 && n > 0) {
		*cuts[--n] = '\0';
		rc = make_folder(path);
		*cuts[n] = '/';
	}
	return rc == 0 ? make_folder(path) : -1;
}

static int open_folder(bool make)
{
	struct ai_err ignored;
	char *path;
	int dir;

	if (ai_path_cache(FOLDER, &path, &ignored) < 0)
		return -1;
	if (make)
		make_folders(path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	return dir;
}

/* ---- a table in it ---- */

static struct ai_tok *map_table(int fd, const char *source)
{
	struct ai_err ignored;
	struct ai_tok *tok;
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || st.st_size <= 0)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ,
		 MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED ||
	    ai_tok_new(&tok, p, (size_t)st.st_size, true, &ignored) < 0)
		return NULL;
	if (memcmp(ai_tok_head(tok)->source, source,
		   sizeof ai_tok_head(tok)->source) == 0)
		return tok;
	ai_tok_free(tok);
	return NULL;
}

/* The table of this name, or NULL; source is what it must be made from. */
static struct ai_tok *find_table(const struct cache *c, const char *name,
				 const char *source)
{
	struct ai_tok *tok;
	int fd;

	if (c->dir < 0)
		return NULL;
	fd = openat(c->dir, name,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	tok = map_table(fd, source);
	close(fd);
	return tok;
}

/* What the link leads to: a table whose name says what it is made from. */
static struct ai_tok *follow_link(const struct cache *c)
{
	char name[NAME_MAX_HERE];
	ssize_t n;

	if (c->dir < 0 || c->link[0] == '\0')
		return NULL;
	n = readlinkat(c->dir, c->link, name, sizeof name - 1);
	if (n != AI_HASH_HEX - 1 + 4)
		return NULL;
	name[n] = '\0';
	return find_table(c, name, name);
}

static int create(int dir, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir, name, flags, 0600);
	struct stat st;

	if (fd >= 0 || errno != EEXIST ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    time(NULL) - st.st_mtime < ABANDONED)
		return fd;
	unlinkat(dir, name, 0);
	return openat(dir, name, flags, 0600);
}

static void keep_table(struct cache *c, const struct ai_buf *table)
{
	char fresh[NAME_MAX_HERE];
	int fd, rc;

	snprintf(fresh, sizeof fresh, "%.32s.new", c->name);
	fd = create(c->dir, fresh);
	if (fd < 0)
		return;
	rc = ai_buf_write(table, fd);
	if (close(fd) < 0)
		rc = -1;
	if (rc < 0 || renameat(c->dir, fresh, c->dir, c->name) < 0)
		unlinkat(c->dir, fresh, 0);
}

static void keep_link(const struct cache *c)
{
	char fresh[NAME_MAX_HERE];

	if (c->dir < 0 || c->link[0] == '\0')
		return;
	snprintf(fresh, sizeof fresh, "%.32s.tmp", c->link);
	unlinkat(c->dir, fresh, 0);
	if (symlinkat(c->name, c->dir, fresh) == 0 &&
	    renameat(c->dir, fresh, c->dir, c->link) < 0)
		unlinkat(c->dir, fresh, 0);
}

/* ---- the file ---- */

static void name_link(struct cache *c, const struct stat *st)
{
	const struct {
		uint64_t version, dev, ino, size;
		int64_t mtime, mtime_ns, ctime, ctime_ns;
	} key = { AI_TOK_VERSION, st->st_dev, st->st_ino,
		  (uint64_t)st->st_size, st->st_mtim.tv_sec,
		  st->st_mtim.tv_nsec, st->st_ctim.tv_sec,
		  st->st_ctim.tv_nsec };
	char hex[AI_HASH_HEX];

	if (!S_ISREG(st->st_mode))
		return;
	ai_hash_of(&key, sizeof key, hex);
	snprintf(c->link, sizeof c->link, "%s.at", hex);
}

/* A file that changes while it is read, or right after, has no place that
 * would say so. */
static void forget_unsettled(struct cache *c, int fd, const struct stat *st)
{
	struct stat now;
	time_t t = time(NULL);

	if (fstat(fd, &now) < 0 || now.st_ctim.tv_sec != st->st_ctim.tv_sec ||
	    now.st_ctim.tv_nsec != st->st_ctim.tv_nsec ||
	    now.st_size != st->st_size || st->st_ctim.tv_sec > t - SETTLED ||
	    st->st_mtim.tv_sec > t - SETTLED)
		c->link[0] = '\0';
}

static int compile(struct ai_tok **out, struct cache *c,
		   const struct ai_buf *text, const char *source,
		   struct ai_err *err)
{
	struct ai_buf table = AI_BUF_INIT(TABLE_MAX);
	int dir;

	if (ai_tokenizer_compile(ai_buf_cstr(text), text->len, source, &table,
				 err) < 0) {
		ai_buf_release(&table);
		return -1;
	}
	if (ai_tok_new(out, table.p, table.len, false, err) < 0)
		return -1;
	if (c->dir < 0) {
		dir = open_folder(true);
		c->dir = dir;
	}
	if (c->dir >= 0)
		keep_table(c, &table);
	return 0;
}

static int from_text(struct ai_tok **out, struct cache *c, int fd,
		     const struct stat *st, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AI_TOKENIZER_FILE_MAX);
	char source[AI_HASH_HEX];
	int rc = -1;

	if (ai_buf_read(&text, fd) < 0) {
		if (text.bad == AI_E_TOO_LONG)
			ai_err_set(err, AI_E_DATA, "it has more than %zu MiB",
				   AI_TOKENIZER_FILE_MAX >> 20);
		else if (text.bad == AI_E_MEMORY)
			ai_err_nomem(err);
		else
			ai_err_sys(err, AI_E_DATA, errno, "cannot read it");
		ai_buf_release(&text);
		return -1;
	}
	forget_unsettled(c, fd, st);
	ai_hash_of(ai_buf_cstr(&text), text.len, source);
	snprintf(c->name, sizeof c->name, "%s.tok", source);
	*out = find_table(c, c->name, source);
	rc = *out != NULL ? 0 : compile(out, c, &text, source, err);
	if (rc == 0)
		keep_link(c);
	ai_buf_release(&text);
	return rc;
}

int ai_tokenizer_cached(struct ai_tok **out, int fd, struct ai_err *err)
{
	struct cache c = { .dir = open_folder(false) };
	struct stat st;
	int rc = 0;

	*out = NULL;
	if (fstat(fd, &st) < 0)
		rc = ai_err_sys(err, AI_E_DATA, errno, "cannot read it");
	if (rc == 0) {
		name_link(&c, &st);
		*out = follow_link(&c);
		if (*out == NULL)
			rc = from_text(out, &c, fd, &st, err);
	}
	if (c.dir >= 0)
		close(c.dir);
	return rc;
}
