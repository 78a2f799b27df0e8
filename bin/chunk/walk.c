#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX ((size_t)1 << 30) /* bytes of the names in one folder */

struct place {
	dev_t dev;
	ino_t ino;
};

struct places {
	struct place *v;
	size_t n, cap;
};

struct walk {
	const struct chunk_walking *how;
	struct ai_buf path;    /* as people named it */
	struct ai_buf name;    /* in its tree, for the patterns */
	size_t base;           /* bytes of name that are the folder walked */
	struct chunk_ignore ignore;
	struct places above;   /* the folders we are in */
	struct places reached; /* those that a link led to */
};

struct entry {
	size_t at, n; /* its name */
	bool folder, link;
};

/* What a folder holds, sorted. */
struct listing {
	struct ai_buf names;
	struct entry *v;
	size_t n, cap;
	bool work_tree; /* it has a .git */
};

/* ---- telling ------------------------------------------------------------- */

static int tell(struct walk *w, const struct chunk_found *what,
		struct ai_err *err)
{
	struct chunk_found f = *what;

	f.path = ai_buf_cstr(&w->path);
	return w->how->found(w->how->arg, &f, err);
}

static int tell_skipped(struct walk *w, const char *why, struct ai_err *err)
{
	return tell(w, &(struct chunk_found){ .skipped = why }, err);
}

static int tell_failed(struct walk *w, const struct ai_err *why,
		       struct ai_err *err)
{
	return tell(w, &(struct chunk_found){ .why = why }, err);
}

static int cannot_open(struct walk *w, int e, struct ai_err *err)
{
	struct ai_err why;

	ai_err_sys(&why, AI_E_DOCUMENT, e, "cannot open '%.200s'",
		   ai_buf_cstr(&w->path));
	return tell_failed(w, &why, err);
}

/* ---- places -------------------------------------------------------------- */

static bool has_place(const struct places *ps, struct place p)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->v[i].ino == p.ino && ps->v[i].dev == p.dev)
			return true;
	return false;
}

static int add_place(struct places *ps, struct place p, struct ai_err *err)
{
	struct place *more;
	size_t cap = ps->cap * 2 + 32;

	if (ps->n == ps->cap) {
		more = reallocarray(ps->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		ps->v = more;
		ps->cap = cap;
	}
	ps->v[ps->n++] = p;
	return 0;
}

/* ---- what a folder holds ------------------------------------------------- */

/* 1: of interest, 0: not.  A link that leads nowhere is, to be told of. */
static int look_at(const struct walk *w, int fd, const struct dirent *d,
		   struct entry *e)
{
	unsigned char type = d->d_type;
	struct stat st;

	if (type == DT_UNKNOWN) {
		if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		type = IFTODT(st.st_mode);
	}
	e->link = type == DT_LNK;
	if (e->link && !w->how->follow)
		return 0;
	if (e->link)
		type = fstatat(fd, d->d_name, &st, 0) < 0 ? DT_REG
							  : IFTODT(st.st_mode);
	e->folder = type == DT_DIR;
	return type == DT_DIR || type == DT_REG;
}

static int add_entry(struct listing *l, const char *name,
		     const struct entry *what, struct ai_err *err)
{
	struct entry *more;
	size_t n = strlen(name), cap = l->cap * 2 + 64;

	if (l->n == l->cap) {
		more = reallocarray(l->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		l->v = more;
		l->cap = cap;
	}
	l->v[l->n] = *what;
	l->v[l->n].at = l->names.len;
	l->v[l->n++].n = n;
	ai_buf_add(&l->names, name, n + 1);
	return ai_buf_check(&l->names, "the list of a folder's files", err);
}

/* A folder's name sorts as if its slash were there. */
static int by_name(const void *a, const void *b, void *names)
{
	const struct entry *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	const char *p = (const char *)names + x->at;
	const char *q = (const char *)names + y->at;
	int rc = memcmp(p, q, n);
	int c, d;

	if (rc != 0)
		return rc;
	c = x->n > n ? (unsigned char)p[n] : x->folder ? '/' : '\0';
	d = y->n > n ? (unsigned char)q[n] : y->folder ? '/' : '\0';
	return c - d;
}

/* -1 with errno, or with err if that has a code. */
static int list(const struct walk *w, DIR *dir, struct listing *l,
		struct ai_err *err)
{
	struct dirent *d;
	struct entry e;

	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".git") == 0)
			l->work_tree = true;
		else if (strcmp(d->d_name, ".") != 0 &&
			 strcmp(d->d_name, "..") != 0 &&
			 (d->d_name[0] != '.' || w->how->hidden) &&
			 look_at(w, dirfd(dir), d, &e) > 0 &&
			 add_entry(l, d->d_name, &e, err) < 0)
			return -1;
	}
	if (errno != 0)
		return -1;
	if (l->n > 1)
		qsort_r(l->v, l->n, sizeof *l->v, by_name, l->names.p);
	return 0;
}

/* ---- going through it ---------------------------------------------------- */

static bool is_wanted(const struct walk *w, bool folder)
{
	struct ai_span all = { ai_buf_cstr(&w->name), w->name.len };
	struct ai_span own = { all.p + w->base, all.n - w->base };

	if (chunk_patterns_ask(&w->how->exclude, own, folder) > 0)
		return false;
	if (!folder && w->how->include.n > 0 &&
	    chunk_patterns_ask(&w->how->include, own, false) <= 0)
		return false;
	return !chunk_ignore_has(&w->ignore, all, folder);
}

static int do_file(struct walk *w, int fd, const char *name,
		   const struct entry *e, struct ai_err *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, e->link ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && !e->link
			? 0 : cannot_open(w, errno, err);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_size > w->how->max_file)
		return tell_skipped(w, "it is larger than --max-file", err);
	return tell(w, &(struct chunk_found){ .st = &st }, err);
}

static int do_folder(struct walk *w, int fd, bool link, struct ai_err *err);

static int do_entry(struct walk *w, int fd, const char *name,
		    const struct entry *e, struct ai_err *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;
	int sub;

	if (!is_wanted(w, e->folder))
		return 0;
	if (w->path.len >= PATH_MAX)
		return cannot_open(w, ENAMETOOLONG, err);
	if (!e->folder)
		return do_file(w, fd, name, e, err);
	sub = openat(fd, name, flags | (e->link ? 0 : O_NOFOLLOW));
	if (sub < 0)
		return errno == ENOENT && !e->link
			? 0 : cannot_open(w, errno, err);
	return do_folder(w, sub, e->link, err);
}

/* With the folder's own patterns in force. */
static int do_entries(struct walk *w, int fd, const struct listing *l,
		      struct ai_err *err)
{
	size_t path = w->path.len, name = w->name.len;
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++) {
		const char *own = l->names.p + l->v[i].at;

		if (path > 0 && w->path.p[path - 1] != '/')
			ai_buf_chr(&w->path, '/');
		ai_buf_str(&w->path, own);
		if (name > 0 && w->name.p[name - 1] != '/')
			ai_buf_chr(&w->name, '/');
		ai_buf_str(&w->name, own);
		if (ai_buf_check(&w->path, "a file's name", err) < 0 ||
		    ai_buf_check(&w->name, "a file's name", err) < 0)
			return -1;
		rc = do_entry(w, fd, own, &l->v[i], err);
		w->path.p[w->path.len = path] = '\0';
		w->name.p[w->name.len = name] = '\0';
	}
	return rc;
}

static int list_and_go(struct walk *w, DIR *dir, struct ai_err *err)
{
	struct listing l = { .names = AI_BUF_INIT(NAMES_MAX) };
	struct chunk_ignore_mark mark = { w->ignore.n, w->ignore.floor };
	struct ai_err why = { AI_E_NONE, -1, "" };
	size_t base = w->name.len;
	int rc;

	if (base > 0 && w->name.p[base - 1] != '/')
		base++;
	rc = list(w, dir, &l, &why);
	if (rc < 0 && why.code == AI_E_NONE)
		ai_err_sys(&why, AI_E_DOCUMENT, errno, "cannot read '%.200s'",
			   ai_buf_cstr(&w->path));
	if (rc == 0 && !w->how->no_ignore)
		rc = chunk_ignore_enter(&w->ignore, dirfd(dir), base,
					l.work_tree, &mark, &why);
	if (rc < 0 && why.code == AI_E_DOCUMENT) {
		rc = tell_failed(w, &why, err);
	} else if (rc < 0) {
		*err = why;
	} else {
		rc = do_entries(w, dirfd(dir), &l, err);
		chunk_ignore_leave(&w->ignore, mark);
	}
	ai_buf_release(&l.names);
	free(l.v);
	return rc;
}

/* fd is the folder, and is closed. */
static int do_folder(struct walk *w, int fd, bool link, struct ai_err *err)
{
	DIR *dir = fdopendir(fd);
	struct stat st;
	struct place p;
	int rc;

	if (dir == NULL || fstat(fd, &st) < 0) {
		rc = cannot_open(w, errno, err);
		if (dir != NULL)
			closedir(dir);
		else
			close(fd);
		return rc;
	}
	p = (struct place){ st.st_dev, st.st_ino };
	if (has_place(&w->above, p) || (link && has_place(&w->reached, p)))
		rc = tell_skipped(w, "a link leads there a second time", err);
	else if ((link && add_place(&w->reached, p, err) < 0) ||
		 add_place(&w->above, p, err) < 0)
		rc = -1;
	else {
		rc = list_and_go(w, dir, err);
		w->above.n--;
	}
	closedir(dir);
	return rc;
}

static int walk_from(struct walk *w, const char *path, struct ai_err *err)
{
	struct ai_err why = { AI_E_NONE, -1, "" };
	int fd;

	ai_buf_str(&w->path, path);
	while (w->path.len > 1 && w->path.p[w->path.len - 1] == '/')
		w->path.p[--w->path.len] = '\0';
	ai_buf_str(&w->name, ""); /* never NULL from here on */
	if (ai_buf_check(&w->path, "a file's name", err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(w, errno, err);
	if (!w->how->no_ignore &&
	    chunk_ignore_begin(&w->ignore, path, &w->name, &why) < 0) {
		close(fd);
		return tell_failed(w, &why, err);
	}
	w->base = w->name.len;
	return do_folder(w, fd, false, err);
}

int chunk_walk(const struct chunk_walking *how, const char *path,
	       struct ai_err *err)
{
	struct walk w = {
		.how = how, .path = AI_BUF_INIT(PATH_MAX * 2),
		.name = AI_BUF_INIT(PATH_MAX * 2),
	};
	int rc = walk_from(&w, path, err);

	ai_buf_release(&w.path);
	ai_buf_release(&w.name);
	chunk_ignore_release(&w.ignore);
	free(w.above.v);
	free(w.reached.v);
	return rc;
}
