#include "record/config.h"

#include "base/path.h"
#include "base/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)

/* The file as read, and the option texts made from it; they live as long
 * as the program, since options borrow them. */
static struct {
	char *path;
	struct ai_buf text;
	struct ai_value root, profile;
	struct ai_opt_list values;
} config = { .text = AI_BUF_INIT(CONFIG_MAX) };

static int read_whole(int fd, struct ai_err *err)
{
	struct ai_buf *b = &config.text;
	ssize_t n;

	for (;;) {
		if (ai_buf_reserve(b, 4096) < 0)
			return ai_err_set(err, AI_E_CONFIG,
					  "'%.200s' is larger than %zu bytes",
					  config.path, b->max);
		n = read(fd, b->p + b->len, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ai_err_sys(err, AI_E_CONFIG, errno,
					  "cannot read '%.200s'", config.path);
		if (n == 0)
			return 0;
		b->len += (size_t)n;
	}
}

/* Where the comment that begins at p[i] ends; i itself if none does. */
static size_t comment_end(const char *p, size_t n, size_t i)
{
	const char *end;

	if (i + 1 >= n || p[i] != '/')
		return i;
	if (p[i + 1] == '/') {
		end = memchr(p + i, '\n', n - i);
		return end == NULL ? n : (size_t)(end - p);
	}
	if (p[i + 1] == '*') {
		end = memmem(p + i + 2, n - i - 2, "*/", 2);
		return end == NULL ? n : (size_t)(end - p) + 2;
	}
	return i;
}

/* Comments become blanks, so that every byte keeps its place. */
static void blank_comments(char *p, size_t n)
{
	bool string = false;

	for (size_t i = 0; i < n; i++) {
		size_t end = string ? i : comment_end(p, n, i);

		for (; i < end; i++)
			if (p[i] != '\n')
				p[i] = ' ';
		if (i == n)
			break;
		if (string && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			string = !string;
	}
}

static size_t line_of(const char *at)
{
	size_t line = 1;

	for (const char *p = config.text.p; p < at; p++)
		line += *p == '\n';
	return line;
}

static int parse(struct ai_err *err)
{
	struct ai_buf *b = &config.text;
	struct ai_err why;

	blank_comments(b->p, b->len);
	if (ai_json_check(b->p, b->len, &config.root, &why) < 0)
		return ai_err_set(err, AI_E_CONFIG, "%.150s:%zu: %.200s",
				  config.path, line_of(config.root.s.p),
				  why.msg);
	return 0;
}

static int choose_profile(struct ai_err *err)
{
	struct ai_value all = ai_json_get(config.root, "profiles");
	const char *name = ai_start.profile;

	if (name == NULL)
		return 0;
	config.profile = ai_json_member(all, ai_span_of(name));
	if (config.profile.kind == AI_OBJECT)
		return 0;
	return ai_err_set(err, AI_E_CONFIG, "%.150s has no profile '%.80s'",
			  config.path, name);
}

/* The file is optional unless it was named. */
static int load(struct ai_err *err)
{
	const char *named = ai_start.config;
	int fd, rc;

	if (named != NULL) {
		config.path = strdup(named);
		if (config.path == NULL)
			return ai_err_nomem(err);
	} else if (ai_path_config("config.json", &config.path, NULL) < 0) {
		return 0;
	}
	fd = open(config.path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && named == NULL &&
	    ai_start.profile == NULL)
		return 0;
	if (fd < 0)
		return ai_err_sys(err, AI_E_CONFIG, errno, "cannot open '%.200s'",
				  config.path);
	rc = read_whole(fd, err);
	close(fd);
	if (rc < 0 || parse(err) < 0)
		return -1;
	return choose_profile(err);
}

/* ---- options ------------------------------------------------------------ */

/* The value as the text of an option, kept for good. */
static const char *keep_text(struct ai_value v, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(CONFIG_MAX);
	const char **more;
	char *text;

	if (v.kind == AI_STRING)
		ai_json_text(v, &b);
	else
		ai_buf_add(&b, v.s.p, v.s.n);
	more = realloc(config.values.v, (config.values.n + 1) * sizeof *more);
	if (more != NULL)
		config.values.v = more;
	text = more == NULL || b.bad != AI_E_NONE ? NULL : ai_buf_take(&b);
	ai_buf_release(&b);
	if (text == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	config.values.v[config.values.n++] = text;
	return text;
}

static int set_one(struct ai_opts *o, size_t i, enum ai_source source,
		   struct ai_value v, struct ai_err *err)
{
	const char *text = keep_text(v, err);
	char what[400];

	if (text == NULL)
		return -1;
	snprintf(what, sizeof what, "%.200s: %s", config.path,
		 ai_opts_at(o, i)->key);
	return ai_opts_set(o, i, source, text, what, err);
}

static int set_from(struct ai_opts *o, size_t i, enum ai_source source,
		    struct ai_value root, struct ai_err *err)
{
	struct ai_value v = ai_json_get(root, ai_opts_at(o, i)->key), item;
	struct ai_json_iter it;

	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_ARRAY)
		return set_one(o, i, source, v, err);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &item))
		if (set_one(o, i, source, item, err) < 0)
			return -1;
	return 0;
}

int ai_config_apply(struct ai_opts *o, struct ai_err *err)
{
	if (load(err) < 0)
		return -1;
	if (config.root.kind == AI_NONE)
		return 0;
	for (size_t i = 0; i < o->n; i++) {
		if (ai_opts_at(o, i)->key == NULL)
			continue;
		if (set_from(o, i, AI_SOURCE_PROFILE, config.profile, err) < 0 ||
		    set_from(o, i, AI_SOURCE_CONFIG, config.root, err) < 0)
			return -1;
	}
	return 0;
}

struct ai_value ai_config_get(const char *path)
{
	struct ai_value v = ai_json_get(config.profile, path);

	return v.kind != AI_NONE ? v : ai_json_get(config.root, path);
}
