/* builtin-read.c: reading a file, listing a folder. */
#include "tool/builtin.h"

#include "tool/walk.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 65536
#define LIST_MAX 1000 /* names that are told */
#define SEEN_MAX 100000 /* names that are looked at */

/* ---- read_file ------------------------------------------------------------ */

/* Behind the n-th line from p on; NULL: there are not so many. */
static const char *skip_lines(const char *p, const char *end, int64_t n)
{
	for (; n > 0; n--) {
		p = p == end ? NULL : memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return NULL;
		p++;
	}
	return p;
}

/* Lines, the last of which may lack its end. */
static size_t count_lines(const char *p, size_t n)
{
	return ai_count_byte(p, n, '\n') + (n > 0 && p[n - 1] != '\n');
}

/* Whole lines of at most max bytes; the first is cut if it is longer. */
static size_t fit_lines(const char *p, size_t n, size_t max, bool *within)
{
	const char *end;

	*within = false;
	if (n <= max)
		return n;
	end = memrchr(p, '\n', max);
	*within = end == NULL;
	if (end != NULL)
		return (size_t)(end + 1 - p);
	while (max > 0 && ((unsigned char)p[max] & 0xC0) == 0x80)
		max--;
	return max;
}

static void put_lines(struct agent_call *c, const struct ai_buf *text,
		      int64_t first, int64_t lines)
{
	const char *p = ai_buf_cstr(text), *end = p + text->len;
	const char *from = skip_lines(p, end, first - 1), *to;
	size_t all = count_lines(p, text->len), n, shown;
	bool within;

	if (from == NULL || (from == end && first > 1)) {
		c->failed = true;
		ai_buf_fmt(&c->text, "the file has only %zu line%s", all,
			   all == 1 ? "" : "s");
		return;
	}
	to = lines > 0 ? skip_lines(from, end, lines) : NULL;
	n = fit_lines(from, (size_t)((to != NULL ? to : end) - from),
		      (size_t)c->tool->max_output - 200, &within);
	ai_buf_add(&c->text, from, n);
	if (text->len == 0)
		ai_buf_str(&c->text, "(the file is empty)");
	shown = count_lines(from, n);
	if (from + n == end)
		return;
	if (c->text.len > 0 && c->text.p[c->text.len - 1] != '\n')
		ai_buf_chr(&c->text, '\n');
	if (within)
		ai_buf_fmt(&c->text, "[line %lld was cut: it is longer than "
			   "can be shown]", (long long)first);
	else
		ai_buf_fmt(&c->text, "[lines %lld to %lld of %zu; the next "
			   "begin with start_line %lld]", (long long)first,
			   (long long)(first + (int64_t)shown - 1), all,
			   (long long)(first + (int64_t)shown));
}

static int read_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct ai_buf path = AI_BUF_INIT(4096), text = AI_BUF_INIT(1);
	struct stat st;
	int rc = agent_call_text(c, "path", "", &path, err);

	if (rc == 0)
		rc = agent_below_read(&b->folder, path.p, &text, &st, err);
	if (rc == 0)
		put_lines(c, &text, agent_call_number(c, "start_line", 1),
			  agent_call_number(c, "lines", 0));
	ai_buf_release(&path);
	ai_buf_release(&text);
	return rc;
}

static const struct agent_tool_kind read_kind = { .begin = read_begin };

const struct agent_builtin agent_builtin_read_file = {
	.name = "read_file",
	.description = "Reads a text file of the working folder. Long files "
		"come in parts: the end of the result says where the next one "
		"begins.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the file, relative to the working folder\"},"
		"\"start_line\":{\"type\":\"integer\",\"minimum\":1,"
		"\"description\":\"the first line to read, from 1\"},"
		"\"lines\":{\"type\":\"integer\",\"minimum\":1,"
		"\"description\":\"how many lines\"}},"
		"\"required\":[\"path\"],\"additionalProperties\":false}",
	.kind = &read_kind, .effect = AGENT_PURE, .timeout_s = 30,
	.max_output = READ_MAX,
};

/* ---- list_files ------------------------------------------------------------ */

static void put_entry(struct ai_buf *out, const struct agent_entry *e)
{
	agent_put_name(out, e->path);
	if (e->kind == AGENT_ENTRY_FOLDER)
		ai_buf_chr(out, '/');
	else if (e->kind == AGENT_ENTRY_FILE)
		ai_buf_fmt(out, " (%lld bytes)", (long long)e->size);
	else
		ai_buf_str(out, e->kind == AGENT_ENTRY_LINK ? " (link)" :
			   " (not a regular file)");
	ai_buf_chr(out, '\n');
}

static int list(struct agent_call *c, const char *path, const char *glob,
		struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	size_t room = (size_t)c->tool->max_output - 100, told = 0, left = 0,
		seen;
	struct agent_entry e;
	struct agent_walk w;

	if (agent_walk_begin(&w, &b->folder, path,
			     agent_call_number(c, "depth", 1), err) < 0)
		return -1;
	for (seen = 0; seen < SEEN_MAX && agent_walk_next(&w, &e); seen++) {
		if (glob[0] != '\0' && fnmatch(glob, e.name, 0) != 0)
			continue;
		if (told == LIST_MAX ||
		    c->text.len + strlen(e.path) * 3 + 40 > room) {
			left++;
			continue;
		}
		told++;
		put_entry(&c->text, &e);
	}
	agent_walk_end(&w);
	if (told == 0)
		ai_buf_str(&c->text, "(nothing)");
	if (left > 0 || seen == SEEN_MAX)
		ai_buf_fmt(&c->text, "[%zu%s more were left out]", left,
			   seen == SEEN_MAX ? " or" : "");
	return 0;
}

static int list_begin(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf path = AI_BUF_INIT(4096), glob = AI_BUF_INIT(4096);
	int rc = agent_call_text(c, "path", ".", &path, err);

	if (rc == 0)
		rc = agent_call_text(c, "glob", "", &glob, err);
	if (rc == 0)
		rc = list(c, path.p, glob.p, err);
	ai_buf_release(&path);
	ai_buf_release(&glob);
	return rc;
}

static const struct agent_tool_kind list_kind = { .begin = list_begin };

const struct agent_builtin agent_builtin_list_files = {
	.name = "list_files",
	.description = "Lists a folder of the working folder: names in "
		"alphabetical order, folders with a / behind them, files with "
		"their sizes.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the folder; the working folder if absent\"},"
		"\"depth\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":32,"
		"\"description\":\"how many levels; 1 if absent\"},"
		"\"glob\":{\"type\":\"string\",\"description\":\"only names "
		"like this one, such as *.c\"}},"
		"\"additionalProperties\":false}",
	.kind = &list_kind, .effect = AGENT_PURE, .timeout_s = 30,
	.max_output = READ_MAX,
};
