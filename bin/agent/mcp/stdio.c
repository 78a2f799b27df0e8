/* stdio.c: a server that is a program: its lines in, its lines out. */
#include "mcp/int.h"

#include "base/clock.h"
#include "base/sig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Room for the end of a line that is just too long. */
#define MCP_OUT_MAX (MCP_LINE_MAX + ((size_t)64 << 10))

/* ---- its stderr ------------------------------------------------------------------ */

/* The last lines of its stderr, for a message. */
static const char *last_words(const struct mcp_server *s)
{
	const char *p = ai_buf_cstr(&s->tail), *end = p + s->tail.len;
	const char *line = end;

	while (line > p && end - line < 200)
		line--;
	while (line > p && line < end && line[-1] != '\n')
		line++;
	return line < end ? line : p;
}

void mcp_stdio_add_tail(struct mcp_server *s)
{
	size_t n = strlen(s->why.msg), len;
	const char *words;

	mcp_secret_hide(&s->entry, &s->tail);
	words = last_words(s);
	len = strlen(words);
	while (len > 0 && strchr(" \t\r\n", words[len - 1]) != NULL)
		len--;
	if (len > 0)
		snprintf(s->why.msg + n, sizeof s->why.msg - n,
			 "; it said last: %.*s", (int)len, words);
}

/* What was said on stderr so far, but for what is too old. */
static void keep_tail(struct mcp_server *s)
{
	struct ai_buf *e = &s->child.errors;
	size_t n = e->len < MCP_TAIL ? e->len : MCP_TAIL;

	if (n == 0)
		return;
	if (s->tail.len + n > 2 * MCP_TAIL)
		ai_buf_consume(&s->tail, s->tail.len + n - 2 * MCP_TAIL);
	ai_buf_add(&s->tail, e->p + e->len - n, n);
	for (size_t i = 0; i < s->tail.len; i++)
		if (s->tail.p[i] == '\0')
			s->tail.p[i] = '?';
	ai_buf_clear(e);
}

/* ---- start and end ----------------------------------------------------------------- */

int mcp_stdio_start(struct mcp_server *s, struct ai_err *err)
{
	const struct agent_child_spec spec = {
		.name = s->entry.name,
		.argv = agent_strings_list(&s->entry.argv),
		.env = agent_strings_list(&s->entry.env),
		.dir = s->entry.dir != NULL ? s->entry.dir
					    : s->of->sandbox->workdir,
		.cage = s->entry.cage,
		.hold = s->of->hold, .talks = true,
		.max_out = MCP_OUT_MAX, .max_err = 16 * MCP_TAIL,
	};

	s->seen = s->skipped = 0;
	s->muted = 0;
	s->skipping = false;
	ai_buf_clear(&s->tail);
	return agent_child_start(&s->child, &spec, err);
}

void mcp_stdio_stop(struct mcp_server *s)
{
	agent_child_stop(&s->child);
	keep_tail(s);
	agent_child_release(&s->child);
}

void mcp_stdio_send(struct mcp_server *s, struct ai_buf *line)
{
	struct ai_err err;

	ai_buf_chr(line, '\n');
	if (ai_buf_check(line, "what it is asked", &err) < 0 ||
	    agent_child_send(&s->child, line->p, line->len, &err) < 0)
		mcp_server_fail(s, "cannot be written to: %.300s", err.msg);
	else if (s->child.input.len > MCP_SENT_MAX)
		mcp_server_fail(s, "does not read what it is sent");
}

/* ---- a line that is too long ------------------------------------------------------------ */

static void begin_skip(struct mcp_server *s)
{
	s->skipping = true;
	s->skipped = 0;
	mcp_skim_init(&s->skim);
}

/* The end of it. */
static void end_skip(struct mcp_server *s)
{
	int64_t id = mcp_skim_id(&s->skim);
	char why[100];

	s->skipping = false;
	snprintf(why, sizeof why, "has %zu bytes, more than the %zu that one "
		 "may have", s->skipped, MCP_LINE_MAX);
	if (mcp_blame(s, id, why))
		return;
	if (s->skim.asks || (id > 0 && id <= s->next_id))
		mcp_noise(s, "it is too long", AI_SPAN("..."));
	else
		mcp_server_fail(s, "wrote a line of %zu bytes, more than the "
				"%zu that one may have", s->skipped,
				MCP_LINE_MAX);
}

static void add_skip(struct mcp_server *s, const char *p, size_t n)
{
	mcp_skim_add(&s->skim, p, n);
	s->skipped += n;
	if (s->skipped > MCP_SKIP_MAX)
		mcp_server_fail(s, "wrote a line of over %zu bytes",
				MCP_SKIP_MAX);
}

/* ---- others ------------------------------------------------------------------------------ */

/* Of a line that is no JSON, or nested too deep. */
static bool is_answer(struct mcp_server *s, const char *p, size_t n,
		      const char *why)
{
	char what[160];

	if (p[0] != '{')
		return false;
	mcp_skim_init(&s->skim);
	mcp_skim_add(&s->skim, p, n);
	snprintf(what, sizeof what, "cannot be read: %.120s", why);
	return mcp_blame(s, mcp_skim_id(&s->skim), what);
}

static void take_line(struct mcp_server *s, const char *p, size_t n)
{
	struct ai_value v;
	struct ai_err err;

	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		n--;
	if (n == 0)
		return;
	if (mcp_line_check(p, n, &s->spare, &v, &err) == 0)
		mcp_take(s, v, 0);
	else if (err.code == AI_E_MEMORY)
		mcp_server_fail(s, "wrote a line for which there is no "
				"memory");
	else if (!is_answer(s, p, n, err.msg))
		mcp_noise(s, err.msg, (struct ai_span){ p, n });
	ai_buf_shrink(&s->spare, MCP_KEEP);
}

static void read_lines(struct mcp_server *s)
{
	struct ai_buf *o = &s->child.output;
	size_t from = 0;
	const char *nl;

	while (!s->broken && s->seen < o->len &&
	       (nl = memchr(o->p + s->seen, '\n', o->len - s->seen)) != NULL) {
		const char *p = o->p + from;

		if (s->skipping) {
			add_skip(s, p, (size_t)(nl - p));
			end_skip(s);
		} else {
			take_line(s, p, (size_t)(nl - p));
		}
		s->seen = from = (size_t)(nl - o->p) + 1;
	}
	if (o->len - from > MCP_LINE_MAX && !s->skipping)
		begin_skip(s);
	if (s->skipping) {
		add_skip(s, o->p + from, o->len - from);
		from = o->len;
	}
	ai_buf_consume(o, from);
	s->seen = o->len;
	if (o->len == 0)
		ai_buf_shrink(o, MCP_KEEP);
	ai_buf_shrink(&s->out, MCP_KEEP);
}

/* ---- turns ---------------------------------------------------------------------------- */

void mcp_stdio_wait(const struct mcp_server *s, struct agent_poll *p)
{
	agent_child_wait(&s->child, p);
	if (s->muted > 0)
		agent_poll_by(p, s->muted + MCP_MUTED_S);
}

static void say_end(struct mcp_server *s)
{
	struct ai_buf how = AI_BUF_INIT(256);

	s->died = true;
	agent_child_say(&s->child, &how);
	mcp_server_fail(s, "%.200s", ai_buf_cstr(&how));
	ai_buf_release(&how);
}

void mcp_stdio_turn(struct mcp_server *s)
{
	bool ended = agent_child_turn(&s->child);

	if (s->child.out < 0 && s->muted == 0)
		s->muted = ai_clock_s();
	keep_tail(s);
	read_lines(s);
	if (ended)
		say_end(s);
	else if (s->muted > 0 && ai_clock_s() >= s->muted + MCP_MUTED_S)
		mcp_server_fail(s, "has closed its output");
}

/* ---- the end of all ---------------------------------------------------------------------- */

static bool is_program(const struct mcp_server *s)
{
	return s->entry.url == NULL && mcp_server_runs(s);
}

/* Whether it has ended; what it still says is of no interest. */
static bool has_ended(struct mcp_server *s)
{
	bool ended = agent_child_turn(&s->child);

	ai_buf_clear(&s->child.output);
	ai_buf_clear(&s->child.errors);
	return ended;
}

/* How many are left then. A second signal waits for nobody. */
static size_t await_ends(struct agent_mcp *m, double until)
{
	struct agent_poll p = { 0 };
	struct ai_err err;
	size_t left;

	for (;;) {
		left = 0;
		agent_poll_clear(&p, until - ai_clock_s());
		for (size_t i = 0; i < m->n; i++)
			if (is_program(m->v[i]) && !has_ended(m->v[i])) {
				agent_child_wait(&m->v[i]->child, &p);
				left++;
			}
		if (left == 0 || ai_clock_s() >= until ||
		    ai_sig_asked() == AI_SIG_NOW ||
		    agent_poll_wait(&p, &err) < 0)
			break;
	}
	agent_poll_release(&p);
	return left;
}

void mcp_stdio_bye(struct agent_mcp *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_program(m->v[i]))
			agent_child_finish(&m->v[i]->child);
	if (await_ends(m, ai_clock_s() + MCP_END_S) == 0)
		return;
	for (size_t i = 0; i < m->n; i++)
		if (is_program(m->v[i]))
			agent_child_signal(&m->v[i]->child, SIGTERM);
	await_ends(m, ai_clock_s() + MCP_END_S);
}
