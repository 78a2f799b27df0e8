/* builtin-search.c: looking for text in files, a few hundredths of a second at
 * a time, so that other calls go on meanwhile. */
#include "tool/builtin.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "text/regex.h"

#include "tool/walk.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define FILE_SEARCHED_MAX ((size_t)8 << 20)
#define SLICE_S 0.02
#define LINE_SHOWN 300 /* bytes */
#define MATCHES 100
#define TIMEOUT_S 30

struct search {
	struct agent_walk walk;
	bool walking;
	struct ai_regex *re;
	struct ai_buf path, glob, pattern, text;
	int64_t left;     /* matches that may still be told */
	bool more;        /* there are others */
	size_t found, files, skipped, costly;
	double deadline;
};

/* ---- beginning ------------------------------------------------------------ */

/* A text that is meant as it is, as a pattern. */
static void quote(struct ai_buf *pattern)
{
	struct ai_buf out = AI_BUF_INIT(AI_REGEX_PATTERN_MAX);

	for (size_t i = 0; i < pattern->len; i++) {
		if (strchr("\\^$.[]|()?*+{}#-/ ", pattern->p[i]) != NULL)
			ai_buf_chr(&out, '\\');
		ai_buf_chr(&out, pattern->p[i]);
	}
	ai_buf_release(pattern);
	*pattern = out;
}

static int compile(struct agent_call *c, struct search *s, struct ai_err *err)
{
	unsigned flags = AI_REGEX_UNICODE | AI_REGEX_LINES | AI_REGEX_METERED;
	struct ai_err why;

	if (agent_call_flag(c, "ignore_case"))
		flags |= AI_REGEX_CASELESS;
	if (!agent_call_flag(c, "regex"))
		quote(&s->pattern);
	if (ai_buf_check(&s->pattern, "the pattern", err) < 0)
		return -1;
	if (ai_regex_new(&s->re, s->pattern.p, s->pattern.len, flags,
			 &why) < 0)
		return ai_err_set(err, AI_E_RECORD, "the pattern is wrong: "
				  "%.250s", why.msg);
	return 0;
}

static int search_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct search *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ai_err_nomem(err);
	c->state = s;
	ai_buf_init(&s->path, 4096);
	ai_buf_init(&s->glob, 4096);
	ai_buf_init(&s->pattern, AI_REGEX_PATTERN_MAX);
	ai_buf_init(&s->text, 1);
	s->left = agent_call_number(c, "max_results", MATCHES);
	s->deadline = ai_clock_s() + c->tool->timeout_s;
	if (agent_call_text(c, "path", ".", &s->path, err) < 0 ||
	    agent_call_text(c, "glob", "", &s->glob, err) < 0 ||
	    agent_call_text(c, "pattern", "", &s->pattern, err) < 0 ||
	    compile(c, s, err) < 0 ||
	    agent_walk_begin(&s->walk, &b->folder, s->path.p,
			     AGENT_WALK_DEPTH, err) < 0)
		return -1;
	s->walking = true;
	return 0;
}

/* ---- a file --------------------------------------------------------------- */

static void put_match(struct agent_call *c, struct search *s,
		      const struct agent_entry *e, size_t line,
		      struct ai_span text)
{
	s->found++;
	if (s->left <= 0 || c->text.len + strlen(e->path) * 3 + LINE_SHOWN +
	    200 > (size_t)c->tool->max_output) {
		s->left = 0;
		s->more = true;
		return;
	}
	s->left--;
	agent_put_name(&c->text, e->path);
	ai_buf_fmt(&c->text, ":%zu: ", line);
	ai_buf_add(&c->text, text.p, text.n > LINE_SHOWN ?
		   ai_utf8_floor(text.p, text.n, LINE_SHOWN) : text.n);
	ai_buf_str(&c->text, text.n > LINE_SHOWN ? "...\n" : "\n");
}

/* The line that p stands in. */
static struct ai_span line_at(struct ai_span all, const char *p)
{
	const char *from = p, *end = all.p + all.n, *to;

	while (from > all.p && from[-1] != '\n')
		from--;
	to = p == end ? NULL : memchr(p, '\n', (size_t)(end - p));
	if (to == NULL)
		to = end;
	return (struct ai_span){ from, (size_t)(to - from) };
}

static void search_text(struct agent_call *c, struct search *s,
			const struct agent_entry *e)
{
	struct ai_span all = { ai_buf_cstr(&s->text), s->text.len }, cap, line;
	size_t from = 0, number = 1, counted = 0;
	int rc = 0;

	while (!s->more && from <= all.n &&
	       (rc = ai_regex_match(s->re, all, from, &cap, 1, NULL)) > 0) {
		line = line_at(all, cap.p);
		number += ai_count_byte(all.p + counted,
					(size_t)(line.p - all.p) - counted,
					'\n');
		counted = (size_t)(line.p - all.p);
		/* What matches behind the last line's end is no line. */
		if (counted == all.n && all.n > 0)
			break;
		put_match(c, s, e, number, line);
		from = counted + line.n + 1;
	}
	s->costly += rc < 0;
}

static void search_file(struct agent_call *c, struct search *s,
			const struct agent_entry *e)
{
	struct stat st;
	int fd, rc;

	if (s->glob.len > 0 && fnmatch(s->glob.p, e->name, 0) != 0)
		return;
	fd = e->size > (int64_t)FILE_SEARCHED_MAX ? -1 :
		openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
		       O_NOCTTY | O_CLOEXEC);
	rc = fd < 0 ? -1 : agent_text_read(fd, e->path, &s->text, &st, NULL);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		s->skipped++;
		return;
	}
	s->files++;
	search_text(c, s, e);
}

/* ---- going on ------------------------------------------------------------- */

static void say_rest(struct agent_call *c, const struct search *s, bool late)
{
	if (s->found == 0)
		ai_buf_str(&c->text, "(no match)\n");
	if (s->more)
		ai_buf_str(&c->text, "[there are more matches]\n");
	if (late)
		ai_buf_str(&c->text, "[stopped: it took too long]\n");
	if (s->costly > 0)
		ai_buf_fmt(&c->text, "[the pattern takes too many steps in %zu "
			   "file%s]\n", s->costly, s->costly == 1 ? "" : "s");
	ai_buf_fmt(&c->text, "[%zu file%s searched", s->files,
		   s->files == 1 ? "" : "s");
	if (s->skipped > 0)
		ai_buf_fmt(&c->text, ", %zu not: binary, too large or not to "
			   "be opened", s->skipped);
	ai_buf_chr(&c->text, ']');
}

static void search_wait(struct agent_call *c, struct agent_poll *p)
{
	(void)c;
	agent_poll_by(p, ai_clock_s());
}

static bool search_turn(struct agent_call *c)
{
	struct search *s = c->state;
	double now = ai_clock_s(), until = now + SLICE_S;
	struct agent_entry e;

	while (!s->more && now < until && now < s->deadline) {
		if (!agent_walk_next(&s->walk, &e)) {
			say_rest(c, s, false);
			return true;
		}
		if (e.kind == AGENT_ENTRY_FILE)
			search_file(c, s, &e);
		now = ai_clock_s();
	}
	if (!s->more && now < s->deadline)
		return false;
	say_rest(c, s, !s->more);
	return true;
}

static void search_stop(struct agent_call *c)
{
	(void)c;
}

static void search_release(struct agent_call *c)
{
	struct search *s = c->state;

	if (s == NULL)
		return;
	if (s->walking)
		agent_walk_end(&s->walk);
	ai_regex_free(s->re);
	ai_buf_release(&s->path);
	ai_buf_release(&s->glob);
	ai_buf_release(&s->pattern);
	ai_buf_release(&s->text);
	free(s);
	c->state = NULL;
}

static const struct agent_tool_kind search_kind = {
	.begin = search_begin, .wait = search_wait, .turn = search_turn,
	.stop = search_stop, .release = search_release,
};

const struct agent_builtin agent_builtin_search_files = {
	.name = "search_files",
	.description = "Looks for a text in all files below a folder of the "
		"working folder. Each matching line comes with its file and "
		"number.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"pattern\":{\"type\":\"string\",\"minLength\":1,"
		"\"maxLength\":4096,\"description\":\"what to look for\"},"
		"\"regex\":{\"type\":\"boolean\",\"description\":\"the pattern "
		"is a regular expression (PCRE)\"},"
		"\"ignore_case\":{\"type\":\"boolean\"},"
		"\"path\":{\"type\":\"string\",\"minLength\":1,\"description\":"
		"\"the folder; the working folder if absent\"},"
		"\"glob\":{\"type\":\"string\",\"description\":\"only files "
		"whose names are like this, such as *.c\"},"
		"\"max_results\":{\"type\":\"integer\",\"minimum\":1,"
		"\"maximum\":1000,\"description\":\"100 if absent\"}},"
		"\"required\":[\"pattern\"],\"additionalProperties\":false}",
	.kind = &search_kind, .effect = AGENT_PURE, .timeout_s = TIMEOUT_S,
	.max_output = OUTPUT_MAX,
};
