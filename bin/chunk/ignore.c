#include "ignore.h"

#include "base/path.h"

#include "glob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)16 << 20) /* bytes of a file of patterns */

/* ---- patterns ------------------------------------------------------------ */

/* Without the blanks at its end that no backslash stands before. */
static size_t trimmed(const char *p, size_t n)
{
	size_t keep = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\')
			i++;
		else if (p[i] == ' ')
			continue;
		keep = i + 1;
	}
	return keep < n ? keep : n;
}

/* False: the line holds no pattern. */
static bool parse_line(struct chunk_pattern *pat, const char *p, size_t n)
{
	*pat = (struct chunk_pattern){ { NULL, 0 }, false, false, false };
	n = strnlen(p, n);
	if (n == 0 || *p == '#')
		return false;
	n = trimmed(p, n);
	if (n > 0 && *p == '!') {
		pat->negated = true;
		p++;
		n--;
	}
	if (n > 0 && p[n - 1] == '/') {
		pat->folders = true;
		n--;
	}
	pat->anywhere = n > 0 && memchr(p, '/', n) == NULL;
	if (n > 0 && *p == '/') {
		p++;
		n--;
	}
	pat->text = (struct ai_span){ p, n };
	return n > 0;
}

int chunk_patterns_parse(struct chunk_patterns *ps, char *text, size_t n,
			 struct ai_err *err)
{
	size_t lines = 1, from = 0, to;
	const char *end;

	*ps = (struct chunk_patterns){ text, NULL, 0 };
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	ps->v = calloc(lines, sizeof *ps->v);
	if (ps->v == NULL)
		return ai_err_nomem(err);
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		from = 3;
	for (; from < n; from = to + 1) {
		end = memchr(text + from, '\n', n - from);
		to = end != NULL ? (size_t)(end - text) : n;
		if (parse_line(&ps->v[ps->n], text + from, to - from -
			       (end != NULL && to > from &&
				text[to - 1] == '\r')))
			ps->n++;
	}
	return 0;
}

void chunk_patterns_release(struct chunk_patterns *ps)
{
	free(ps->text);
	free(ps->v);
	*ps = (struct chunk_patterns){ NULL, NULL, 0 };
}

static struct ai_span last_part(struct ai_span name)
{
	const char *slash = memrchr(name.p, '/', name.n);

	if (slash == NULL)
		return name;
	return (struct ai_span){ slash + 1,
				 (size_t)(name.p + name.n - slash - 1) };
}

/*
 * As git does it, what stands before the first wildcard is compared, and the
 * rest is a pattern of its own: so "**" may also stand behind a word.
 */
static bool matches(const struct chunk_pattern *pat, struct ai_span name)
{
	struct ai_span p = pat->text;
	size_t plain = 0;

	while (plain < p.n && strchr("*?[\\", p.p[plain]) == NULL)
		plain++;
	if (plain > name.n || memcmp(p.p, name.p, plain) != 0)
		return false;
	if (plain == p.n)
		return name.n == plain;
	return chunk_glob((struct ai_span){ p.p + plain, p.n - plain },
			  (struct ai_span){ name.p + plain, name.n - plain });
}

int chunk_patterns_ask(const struct chunk_patterns *ps, struct ai_span name,
		       bool folder)
{
	struct ai_span last = last_part(name);

	for (size_t i = ps->n; i-- > 0;) {
		const struct chunk_pattern *pat = &ps->v[i];

		if ((!pat->folders || folder) &&
		    matches(pat, pat->anywhere ? last : name))
			return !pat->negated;
	}
	return -1;
}

/* ---- levels -------------------------------------------------------------- */

void chunk_ignore_release(struct chunk_ignore *ig)
{
	chunk_ignore_leave(ig, (struct chunk_ignore_mark){ 0, 0 });
	free(ig->v);
	*ig = (struct chunk_ignore){ NULL, 0, 0, 0 };
}

void chunk_ignore_leave(struct chunk_ignore *ig,
			struct chunk_ignore_mark mark)
{
	while (ig->n > mark.n)
		chunk_patterns_release(&ig->v[--ig->n].patterns);
	ig->floor = mark.floor;
}

static int push(struct chunk_ignore *ig, struct ai_buf *text, size_t base,
		struct ai_err *err)
{
	struct chunk_ignore_level *more;
	size_t n = text->len, cap = ig->cap * 2 + 16;

	if (ig->n == ig->cap) {
		more = reallocarray(ig->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		ig->v = more;
		ig->cap = cap;
	}
	ig->v[ig->n].base = base;
	return chunk_patterns_parse(&ig->v[ig->n++].patterns, ai_buf_take(text),
				    n, err);
}

/* The patterns in the file of this name, if it is there, become a level. */
static int push_file(struct chunk_ignore *ig, int dir, const char *name,
		     int flags, size_t base, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(FILE_MAX);
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	int rc = 0, e;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot read '%.200s', which says what is to "
				  "be left alone", name);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		rc = ai_buf_read(&text, fd);
	e = errno;
	close(fd);
	if (rc < 0 && text.bad == AI_E_NONE)
		ai_err_sys(err, AI_E_DOCUMENT, e, "cannot read '%.200s', which "
			   "says what is to be left alone", name);
	else if (rc < 0)
		ai_buf_check(&text, name, err);
	else if (text.len > 0)
		rc = push(ig, &text, base, err);
	ai_buf_release(&text);
	return rc;
}

bool chunk_ignore_has(const struct chunk_ignore *ig, struct ai_span name,
		      bool folder)
{
	for (size_t i = ig->n; i-- > ig->floor;) {
		const struct chunk_ignore_level *level = &ig->v[i];
		struct ai_span seen = { name.p + level->base,
					name.n - level->base };
		int rc = chunk_patterns_ask(&level->patterns, seen, folder);

		if (rc >= 0)
			return rc;
	}
	return false;
}

/* ---- git's own files ----------------------------------------------------- */

/* The first line of a small file, behind this word; false: there is none, or
 * (errno says why) it cannot be read. */
static bool read_line(int dir, const char *name, const char *word,
		      char line[PATH_MAX])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t n = strlen(word);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, line, PATH_MAX - 1);
	close(fd);
	if (got >= 0)
		errno = ENOENT;
	if (got < (ssize_t)n || memcmp(line, word, n) != 0)
		return false;
	line[got] = '\0';
	memmove(line, line + n, (size_t)got - n + 1);
	line[strcspn(line, "\r\n")] = '\0';
	return line[0] != '\0';
}

/* git's folder of a work tree: .git, or what a file of this name says, and
 * then what all work trees of a repository have in common. -1: none, as errno
 * says. */
static int open_git(int root)
{
	char line[PATH_MAX];
	int git, common, flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	git = openat(root, ".git", flags);
	if (git < 0 && errno == ENOTDIR &&
	    read_line(root, ".git", "gitdir: ", line))
		git = openat(root, line, flags);
	if (git < 0)
		return -1;
	if (!read_line(git, "commondir", "", line)) {
		if (errno == ENOENT)
			return git;
		close(git);
		return -1;
	}
	common = openat(git, line, flags);
	close(git);
	return common;
}

/* Those of the user, $XDG_CONFIG_HOME/git/ignore. */
static int push_user(struct chunk_ignore *ig, size_t base, struct ai_err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool own = config != NULL && *config != '\0';
	char *path;
	int rc;

	if (!own && (home == NULL || *home == '\0'))
		return 0;
	if (ai_path_join(own ? config : home,
			 own ? "git/ignore" : ".config/git/ignore", &path,
			 err) < 0)
		return -1;
	rc = push_file(ig, AT_FDCWD, path, 0, base, err);
	free(path);
	return rc;
}

/* What holds in all of a work tree. */
static int push_tree(struct chunk_ignore *ig, int root, size_t base,
		     struct ai_err *err)
{
	int git, rc;

	ig->floor = ig->n;
	if (push_user(ig, base, err) < 0)
		return -1;
	git = open_git(root);
	if (git < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
			: ai_err_sys(err, AI_E_DOCUMENT, errno, "cannot open "
				     "'.git', which says what is to be left "
				     "alone");
	rc = push_file(ig, git, "info/exclude", 0, base, err);
	close(git);
	return rc;
}

int chunk_ignore_enter(struct chunk_ignore *ig, int fd, size_t base,
		       bool work_tree, struct chunk_ignore_mark *mark,
		       struct ai_err *err)
{
	*mark = (struct chunk_ignore_mark){ ig->n, ig->floor };
	if ((work_tree && push_tree(ig, fd, base, err) < 0) ||
	    push_file(ig, fd, ".gitignore", O_NOFOLLOW, base, err) < 0) {
		chunk_ignore_leave(ig, *mark);
		return -1;
	}
	return 0;
}

/* ---- above the folder that was named ------------------------------------- */

/* The length of the path of the work tree that holds this folder; 0: none
 * does. */
static size_t find_tree(const char *folder)
{
	char path[PATH_MAX + 8];
	size_t n = strlen(folder);
	struct stat st;

	while (n > 0) {
		memcpy(path, folder, n);
		memcpy(path + n, "/.git", sizeof "/.git");
		if (lstat(path, &st) == 0)
			return n;
		while (n > 0 && folder[--n] != '/')
			;
	}
	return 0;
}

/* Enters the folder that is the first n bytes of the path; tree of them are
 * the work tree's. */
static int enter_above(struct chunk_ignore *ig, const char *path, size_t n,
		       size_t tree, struct ai_err *err)
{
	struct chunk_ignore_mark mark;
	char folder[PATH_MAX];
	int fd, rc;

	memcpy(folder, path, n);
	folder[n] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot open '%.200s', which may say what is "
				  "to be left alone", folder);
	rc = chunk_ignore_enter(ig, fd, n == tree ? 0 : n - tree, n == tree,
				&mark, err);
	close(fd);
	return rc;
}

int chunk_ignore_begin(struct chunk_ignore *ig, const char *path,
		       struct ai_buf *name, struct ai_err *err)
{
	char real[PATH_MAX];
	size_t tree, n;
	int rc = 0;

	if (realpath(path, real) == NULL)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot open '%.200s'", path);
	tree = find_tree(real);
	n = strlen(real);
	if (tree == 0 || tree == n)
		return 0;
	ai_buf_str(name, real + tree + 1);
	ai_buf_chr(name, '/');
	for (size_t i = tree; rc == 0 && i < n; i++)
		if (i == tree || real[i] == '/')
			rc = enter_above(ig, real, i, tree, err);
	return rc < 0 ? -1 : ai_buf_check(name, "a file's name", err);
}
