/* people.c: "ai-agent mcp": what MCP servers have, and calls of it, for
 * people.  No model and no run is in it. */
#include "agent.h"
#include "mcp/int.h"
#include "say.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/sig.h"
#include "record/loop.h"
#include "record/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE "usage: ai-agent mcp list [SERVER] | call [SERVER__]TOOL [JSON] | " \
	"read [SERVER] URI | prompt [SERVER__]NAME [JSON], with -t FILE or " \
	"--server URL|COMMAND"
#define NAME_OF_ONE "server" /* that --server says */
#define TURN_S 1.0

struct people {
	struct agent_sandbox sandbox;
	struct agent_tools tools;
	struct agent_servers servers;
	struct agent_mcp *mcp;
	struct ai_writer w;
	struct ai_buf line;
	struct ai_err *err;
};

static int put_line(struct people *p)
{
	int rc;

	ai_buf_chr(&p->line, '\n');
	rc = ai_buf_check(&p->line, "a line", p->err) < 0 ? -1 :
		ai_writer_add(&p->w, p->line.p, p->line.len, p->err);
	ai_buf_clear(&p->line);
	return rc;
}

/* ---- which servers -------------------------------------------------------------------- */

/* A word of a command line, with quotes as a shell has them; *s goes behind
 * it. false: there is none, or its quote is open. */
static bool take_word(const char **s, struct ai_buf *out)
{
	char quote = '\0';

	*s += strspn(*s, " \t\n");
	if (**s == '\0')
		return false;
	for (; **s != '\0' && (quote != '\0' || strchr(" \t\n", **s) == NULL);
	     ++*s) {
		if (quote == '\0' && (**s == '"' || **s == '\''))
			quote = **s;
		else if (**s == quote)
			quote = '\0';
		else if (**s == '\\' && quote != '\'' && (*s)[1] != '\0')
			ai_buf_chr(out, *++*s);
		else
			ai_buf_chr(out, **s);
	}
	return quote == '\0';
}

/* A dollar of --server is no variable of ours: the shell has seen it. */
static void put_word(struct ai_buf *b, const char *text, size_t n)
{
	struct ai_buf out = AI_BUF_INIT(1 << 20);

	for (size_t i = 0; i < n; i++)
		if (i + 1 < n && text[i] == '$' && text[i + 1] == '{')
			ai_buf_str(&out, "${AI_AGENT_NO_NAME:-$}");
		else
			ai_buf_chr(&out, text[i]);
	ai_put_str(b, ai_buf_cstr(&out), out.len);
	ai_buf_release(&out);
}

static bool put_command(struct ai_buf *b, const char *line)
{
	struct ai_buf word = AI_BUF_INIT(1 << 20);
	bool good = take_word(&line, &word);

	ai_put_key(b, "command");
	put_word(b, ai_buf_cstr(&word), word.len);
	ai_put_key(b, "args");
	ai_put_open(b, '[');
	while (good && line[strspn(line, " \t\n")] != '\0') {
		ai_buf_clear(&word);
		good = take_word(&line, &word);
		put_word(b, ai_buf_cstr(&word), word.len);
	}
	ai_put_close(b, ']');
	ai_buf_release(&word);
	return good;
}

/* A tools file with one server, which --server says. */
static int read_one(struct people *p)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	const char *s = agent.server;
	bool url = strncmp(s, "http://", 7) == 0 ||
		   strncmp(s, "https://", 8) == 0, good = true;
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "mcpServers");
	ai_put_open(&b, '{');
	ai_put_key(&b, NAME_OF_ONE);
	ai_put_open(&b, '{');
	if (url) {
		ai_put_key(&b, "url");
		put_word(&b, s, strlen(s));
	} else {
		good = put_command(&b, s);
	}
	ai_put_close(&b, '}');
	ai_put_close(&b, '}');
	ai_put_close(&b, '}');
	if (!good)
		rc = ai_err_set(p->err, AI_E_USAGE, "--server '%.200s' is no "
				"command: it is empty, or a quote is open", s);
	else
		rc = ai_buf_check(&b, "--server", p->err) < 0 ? -1 :
			agent_tools_parse(&p->tools, b.p, b.len, "--server", ".",
					  &p->sandbox, &p->servers, p->err);
	ai_buf_release(&b);
	return rc;
}

static int read_servers(struct people *p)
{
	if (agent.server != NULL)
		return read_one(p);
	for (size_t i = 0; i < agent.tools.n; i++)
		if (agent_tools_read(&p->tools, agent.tools.v[i], &p->sandbox,
				     &p->servers, p->err) < 0)
			return -1;
	if (p->servers.n == 0)
		return ai_err_set(p->err, AI_E_USAGE, "no server: name a file "
				  "that has \"mcpServers\" (-t FILE), or one "
				  "server (--server URL|COMMAND)");
	return 0;
}

/* What servers that ask are told is seen before anybody asks. */
static int check_answer(struct people *p)
{
	const char *s = agent.answer;
	struct ai_value v;
	struct ai_err why;

	if (s == NULL)
		return 0;
	if (ai_json_check(s, strlen(s), &v, &why) < 0)
		return ai_err_set(p->err, AI_E_USAGE, "--answer is no JSON: %.200s",
				  why.msg);
	return v.kind == AI_OBJECT ? 0 : ai_err_set(p->err, AI_E_USAGE,
		"--answer is no JSON object");
}

/* Starts this one, or all (NULL). */
static int start(struct people *p, const char *name)
{
	struct agent_servers one;

	if (check_answer(p) < 0 ||
	    agent_mcp_new(&p->mcp, &p->sandbox, -1, p->err) < 0)
		return -1;
	if ((agent.answer != NULL || isatty(STDERR_FILENO)) &&
	    agent_mcp_asks(p->mcp, agent.answer, p->err) < 0)
		return -1;
	for (size_t i = 0; i < p->servers.n; i++) {
		one = (struct agent_servers){ &p->servers.v[i], 1 };
		if ((name == NULL || strcmp(one.v->name, name) == 0) &&
		    agent_mcp_add(p->mcp, &one, p->err) < 0)
			return -1;
	}
	return agent_mcp_start(p->mcp, &p->tools, p->err);
}

/* The server that a word begins with the name of, and "__"; the only one has no
 * need of that.  *rest: what of the word is behind.  NULL: none, as err says. */
static const char *find_server(struct people *p, const char *word,
			       const char **rest)
{
	const char *best = NULL;

	for (size_t i = 0; i < p->servers.n; i++) {
		const char *name = p->servers.v[i].name;
		size_t n = strlen(name);

		if (strncmp(word, name, n) == 0 &&
		    strncmp(word + n, "__", 2) == 0 && word[n + 2] != '\0' &&
		    (best == NULL || n > strlen(best))) {
			best = name;
			*rest = word + n + 2;
		}
	}
	if (best == NULL && p->servers.n == 1) {
		best = p->servers.v[0].name;
		*rest = word;
	}
	if (best == NULL)
		ai_err_set(p->err, AI_E_USAGE, "'%.100s' is of no server: write "
			   "the server's name and two underscores before it",
			   word);
	return best;
}

/* ---- a call -------------------------------------------------------------------------------- */

struct doing {
	struct agent_tool row;
	struct agent_call c;
	struct ai_buf raw; /* the result, JSON; empty: there is none */
};

static void doing_release(struct doing *d)
{
	if (d->c.state != NULL)
		d->row.kind->release(&d->c);
	ai_buf_release(&d->c.text);
	ai_buf_release(&d->raw);
}

static int await(struct people *p, struct doing *d)
{
	struct agent_poll poll = { 0 };
	int rc = 0;

	while (rc == 0 && !d->row.kind->turn(&d->c)) {
		if (ai_sig_asked() != AI_SIG_NO) {
			rc = ai_err_set(p->err, AI_E_UNAVAILABLE,
					"interrupted");
			break;
		}
		agent_poll_clear(&poll, TURN_S);
		d->row.kind->wait(&d->c, &poll);
		agent_poll_add(&poll, ai_sig_fd(), POLLIN);
		rc = agent_poll_wait(&poll, p->err);
	}
	agent_poll_release(&poll);
	return rc;
}

/* Asks for it, with these arguments; what comes is in d. */
static int ask(struct people *p, struct doing *d, struct ai_span args)
{
	struct mcp_call *call;

	d->row.max_output = AGENT_TEXT_MAX;
	d->c = (struct agent_call){ .tool = &d->row, .args = args, .hold = -1 };
	ai_buf_init(&d->c.text, AGENT_TEXT_MAX + 1024);
	ai_buf_init(&d->raw, 2 * AGENT_TEXT_MAX);
	if (d->row.kind->begin(&d->c, p->err) < 0)
		return -1;
	call = d->c.state;
	call->raw = &d->raw;
	return await(p, d);
}

/* A row for something that is in no set. */
static int special(struct people *p, const char *name, enum mcp_what what,
		   struct agent_tool *row)
{
	struct mcp_server *s = p->mcp->v[0];
	struct mcp_tool *of = mcp_tool_new(s, name, what, p->err);

	if (of == NULL)
		return -1;
	mcp_tool_row(s, of, row);
	return 0;
}

/* The result, as a record or as its text; what has failed is an error. */
static int put_result(struct people *p, struct doing *d, const char *key,
		      const char *name)
{
	const struct mcp_tool *of = d->row.of;
	struct ai_buf *b = &p->line;

	if (ai_loop.plain_out && isatty(STDOUT_FILENO)) {
		/* The terminal is driven by nobody else. */
		agent_say_lines(b, (struct ai_span){ ai_buf_cstr(&d->c.text),
				d->c.text.len }, AGENT_TEXT_MAX, 0);
	} else if (ai_loop.plain_out) {
		ai_buf_add(b, ai_buf_cstr(&d->c.text), d->c.text.len);
	} else {
		ai_put_open(b, '{');
		ai_put_key(b, "server");
		ai_put_cstr(b, of->server->entry.name);
		ai_put_key_text(b, key);
		ai_put_cstr(b, name);
		ai_put_key(b, "failed");
		ai_put_bool(b, d->c.failed);
		ai_put_key(b, "text");
		ai_put_str(b, ai_buf_cstr(&d->c.text), d->c.text.len);
		if (d->raw.len > 0) {
			ai_put_key(b, "result");
			ai_put_raw(b, d->raw.p, d->raw.len);
		}
		ai_put_close(b, '}');
	}
	if (put_line(p) < 0)
		return -1;
	return !d->c.failed ? 0 : ai_err_set(p->err, AI_E_REJECTED, "'%.100s' of "
		"the MCP server '%.64s' failed", name, of->server->entry.name);
}

/* The operand, or {}; "-": all of standard input. */
static int read_json(const char *word, struct ai_buf *b, struct ai_err *err)
{
	bool given = word == NULL || strcmp(word, "-") != 0;
	struct ai_value v;
	struct ai_err why;

	if (!given) {
		if (ai_buf_read(b, STDIN_FILENO) < 0 && b->bad == AI_E_NONE)
			return ai_err_sys(err, AI_E_IO, errno, "cannot read "
					  "standard input");
	} else {
		ai_buf_str(b, word == NULL ? "{}" : word);
	}
	if (ai_buf_check(b, "the arguments", err) < 0)
		return -1;
	if (ai_json_check(ai_buf_cstr(b), b->len, &v, &why) < 0)
		return ai_err_set(err, given ? AI_E_USAGE : AI_E_DATA,
				  "the arguments are no JSON: %.200s", why.msg);
	return v.kind == AI_OBJECT ? 0 : ai_err_set(err, AI_E_USAGE,
		"the arguments are no JSON object");
}

/* ---- call, read, prompt ------------------------------------------------------------------------- */

/* By the name that the server has for it, or ours. */
static const struct agent_tool *find_tool(struct people *p, const char *name,
					  const char *word)
{
	for (size_t i = 0; i < p->tools.n; i++) {
		const struct agent_tool *t = &p->tools.v[i];
		const struct mcp_tool *of = t->of;

		if (agent_mcp_is(t) && of->what == MCP_TOOL &&
		    (strcmp(of->name, name) == 0 || strcmp(t->name, word) == 0))
			return t;
	}
	ai_err_set(p->err, AI_E_USAGE, "the MCP server '%.64s' offers no tool "
		   "'%.100s'; see ai-agent mcp list", p->mcp->v[0]->entry.name,
		   name);
	return NULL;
}

static int no_server(struct people *p)
{
	return ai_err_set(p->err, AI_E_USAGE, "there is no such server, or its "
			  "entry is disabled");
}

static int do_call(struct people *p, const char *word, const char *json)
{
	struct ai_buf args = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct doing d = { .c = { 0 } };
	const struct agent_tool *t = NULL;
	const char *name = NULL, *server = find_server(p, word, &name);
	int rc = server == NULL ? -1 : read_json(json, &args, p->err);

	if (rc == 0)
		rc = start(p, server);
	if (rc == 0 && p->mcp->n == 0)
		rc = no_server(p);
	if (rc == 0 && (t = find_tool(p, name, word)) == NULL)
		rc = -1;
	if (rc == 0) {
		d.row = *t;
		rc = ask(p, &d, (struct ai_span){ args.p, args.len });
	}
	if (rc == 0)
		rc = put_result(p, &d, "tool", name);
	doing_release(&d);
	ai_buf_release(&args);
	return rc;
}

static int do_prompt(struct people *p, const char *word, const char *json)
{
	struct ai_buf args = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct doing d = { .c = { 0 } };
	const char *name = NULL, *server = find_server(p, word, &name);
	int rc = server == NULL ? -1 : read_json(json, &args, p->err);

	if (rc == 0)
		rc = start(p, server);
	if (rc == 0 && p->mcp->n == 0)
		rc = no_server(p);
	if (rc == 0)
		rc = special(p, name, MCP_GET_PROMPT, &d.row);
	if (rc == 0)
		rc = ask(p, &d, (struct ai_span){ args.p, args.len });
	if (rc == 0)
		rc = put_result(p, &d, "prompt", name);
	doing_release(&d);
	ai_buf_release(&args);
	return rc;
}

static int do_read(struct people *p, const char *server, const char *uri)
{
	struct ai_buf args = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct doing d = { .c = { 0 } };
	int rc = 0;

	if (server == NULL && p->servers.n > 1)
		rc = ai_err_set(p->err, AI_E_USAGE, "of which server? write its "
				"name before the address");
	if (rc == 0)
		rc = start(p, server);
	if (rc == 0 && p->mcp->n == 0)
		rc = no_server(p);
	if (rc == 0)
		rc = special(p, "read_resource", MCP_READ_RESOURCE, &d.row);
	ai_put_open(&args, '{');
	ai_put_key(&args, "uri");
	ai_put_cstr(&args, uri);
	ai_put_close(&args, '}');
	if (rc == 0)
		rc = ask(p, &d, (struct ai_span){ args.p, args.len });
	if (rc == 0)
		rc = put_result(p, &d, "uri", uri);
	doing_release(&d);
	ai_buf_release(&args);
	return rc;
}

/* ---- list ------------------------------------------------------------------------------------------ */

/* The column of a text that may be anything. */
static void put_column(struct ai_buf *b, struct ai_value v, int width)
{
	struct ai_buf text = AI_BUF_INIT(AGENT_TEXT_MAX);
	size_t from = b->len;

	if (v.kind == AI_STRING)
		ai_json_text(v, &text);
	agent_say_text(b, (struct ai_span){ ai_buf_cstr(&text), text.len },
		       100);
	while (b->len < from + (size_t)width)
		ai_buf_chr(b, ' ');
	ai_buf_release(&text);
}

static int put_entry(struct people *p, const struct mcp_server *s,
		     const char *kind, struct ai_value v)
{
	struct ai_buf *b = &p->line;
	struct ai_value name = ai_json_member(v, AI_SPAN("uri"));

	if (name.kind == AI_NONE)
		name = ai_json_member(v, AI_SPAN("uriTemplate"));
	if (name.kind == AI_NONE)
		name = ai_json_member(v, AI_SPAN("name"));
	if (ai_loop.plain_out) {
		ai_buf_fmt(b, "%-8s  ", kind);
		if (p->servers.n > 1)
			ai_buf_fmt(b, "%-12s  ", s->entry.name);
		put_column(b, name, 32);
		ai_buf_str(b, "  ");
		put_column(b, ai_json_member(v, AI_SPAN("description")), 0);
		return put_line(p);
	}
	ai_put_open(b, '{');
	ai_put_key(b, "server");
	ai_put_cstr(b, s->entry.name);
	ai_put_key(b, "kind");
	ai_put_cstr(b, kind);
	ai_put_key(b, "name");
	ai_put_value(b, name);
	ai_put_key(b, "is");
	ai_put_value(b, v);
	ai_put_close(b, '}');
	return put_line(p);
}

/* Its tools, as the run would have them. */
static int put_tools(struct people *p, const struct mcp_server *s)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	struct ai_value v;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->tools.n; i++) {
		const struct agent_tool *t = &p->tools.v[i];
		const struct mcp_tool *of = t->of;

		if (!agent_mcp_is(t) || of->server != s || of->what != MCP_TOOL)
			continue;
		ai_buf_clear(&b);
		ai_put_open(&b, '{');
		ai_put_key(&b, "name");
		ai_put_cstr(&b, of->name);
		ai_put_key(&b, "tool");
		ai_put_cstr(&b, t->name);
		ai_put_key(&b, "description");
		ai_put_cstr(&b, t->description);
		ai_put_key(&b, "inputSchema");
		ai_put_raw(&b, t->parameters.p, t->parameters.n);
		ai_put_close(&b, '}');
		rc = ai_buf_check(&b, "a tool", p->err) < 0 ? -1 :
			ai_json_check(b.p, b.len, &v, p->err);
		if (rc == 0)
			rc = put_entry(p, s, "tool", v);
	}
	ai_buf_release(&b);
	return rc;
}

/* A page of it; *cursor becomes that of the next, or empty. */
static int put_page(struct people *p, struct mcp_server *s, struct doing *d,
		    const char *member, const char *kind, struct ai_buf *cursor)
{
	struct ai_value all, list, next, v;
	struct ai_json_iter it;
	int rc = 0;

	ai_buf_clear(cursor);
	if (d->raw.len == 0)
		return 0; /* it has none, it says */
	if (ai_json_check(d->raw.p, d->raw.len, &all, p->err) < 0)
		return -1;
	list = ai_json_member(all, ai_span_of(member));
	next = ai_json_member(all, AI_SPAN("nextCursor"));
	if (list.kind == AI_ARRAY) {
		ai_json_iter_init(&it, list);
		while (rc == 0 && ai_json_next(&it, NULL, &v))
			if (v.kind == AI_OBJECT)
				rc = put_entry(p, s, kind, v);
	}
	if (next.kind == AI_STRING)
		ai_json_text(next, cursor);
	return rc;
}

static const struct {
	enum mcp_what what;
	bool templates;
	const char *member, *kind;
} lists[] = {
	{ MCP_LIST_RESOURCES, false, "resources", "resource" },
	{ MCP_LIST_RESOURCES, true, "resourceTemplates", "template" },
	{ MCP_LIST_PROMPTS, false, "prompts", "prompt" },
};

static void put_asked(struct ai_buf *b, bool templates, const struct ai_buf *at)
{
	ai_buf_clear(b);
	ai_put_open(b, '{');
	if (templates) {
		ai_put_key(b, "templates");
		ai_put_bool(b, true);
	}
	if (at->len > 0) {
		ai_put_key(b, "cursor");
		ai_put_str(b, at->p, at->len);
	}
	ai_put_close(b, '}');
}

/* Whether there is another page, and not the same one once more. */
static bool is_further(const struct ai_buf *cursor, const struct ai_buf *last)
{
	return cursor->len > 0 &&
		(cursor->len != last->len ||
		 memcmp(cursor->p, last->p, cursor->len) != 0);
}

static int put_list(struct people *p, struct mcp_server *s, size_t i)
{
	struct ai_buf cursor = AI_BUF_INIT(MCP_CURSOR_MAX),
		      last = AI_BUF_INIT(MCP_CURSOR_MAX),
		      args = AI_BUF_INIT(2 * MCP_CURSOR_MAX);
	struct mcp_tool *of = mcp_tool_new(s, lists[i].member, lists[i].what,
					   p->err);
	int rc = of == NULL ? -1 : 0, page;

	for (page = 0; rc == 0 && page < MCP_PAGES_MAX &&
	     (page == 0 || is_further(&cursor, &last)); page++) {
		struct doing d = { .c = { 0 } };

		ai_buf_clear(&last);
		ai_buf_add(&last, ai_buf_cstr(&cursor), cursor.len);

		put_asked(&args, lists[i].templates, &cursor);
		mcp_tool_row(s, of, &d.row);
		rc = ask(p, &d, (struct ai_span){ args.p, args.len });
		if (rc == 0)
			rc = put_page(p, s, &d, lists[i].member, lists[i].kind,
				      &cursor);
		doing_release(&d);
	}
	if (rc == 0 && cursor.len > 0)
		ai_msg(AI_MSG_WARN, "the list of %s of MCP server '%.64s' has "
		       "no end; it is left after page %d", lists[i].member,
		       s->entry.name, page);
	ai_buf_release(&cursor);
	ai_buf_release(&last);
	ai_buf_release(&args);
	return rc;
}

static int do_list(struct people *p, const char *server)
{
	int rc = start(p, server);

	if (rc == 0 && p->mcp->n == 0)
		rc = no_server(p);
	for (size_t i = 0; rc == 0 && i < p->mcp->n; i++) {
		struct mcp_server *s = p->mcp->v[i];

		if (s->state == MCP_GONE)
			continue; /* it is optional, and was told of */
		rc = put_tools(p, s);
		for (size_t k = 0; rc == 0 && k < 3; k++)
			if (lists[k].what == MCP_LIST_PROMPTS ? s->can.prompts
			    : s->can.resources)
				rc = put_list(p, s, k);
	}
	return rc;
}

/* ---- the verb ----------------------------------------------------------------------------------------- */

static int act(struct people *p, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "";
	const char *first = argc > 1 ? argv[1] : NULL;
	const char *second = argc > 2 ? argv[2] : NULL;

	if (strcmp(what, "list") == 0 && argc <= 2)
		return do_list(p, first);
	if (strcmp(what, "call") == 0 && (argc == 2 || argc == 3))
		return do_call(p, first, second);
	if (strcmp(what, "prompt") == 0 && (argc == 2 || argc == 3))
		return do_prompt(p, first, second);
	if (strcmp(what, "read") == 0 && argc == 2)
		return do_read(p, NULL, first);
	if (strcmp(what, "read") == 0 && argc == 3)
		return do_read(p, first, second);
	return ai_err_set(p->err, AI_E_USAGE, USAGE);
}

int agent_mcp_people(int argc, char **argv, struct ai_err *err)
{
	struct people p = { .err = err };
	int rc;

	agent_tools_init(&p.tools);
	ai_writer_init(&p.w, STDOUT_FILENO);
	ai_buf_init(&p.line, 4 * AGENT_TEXT_MAX);
	rc = agent_sandbox_init(&p.sandbox, agent.workdir != NULL ? agent.workdir
				: ".", (enum agent_sandbox_mode)agent.sandbox,
				err);
	if (rc == 0)
		p.sandbox.abi_max = (int)agent.landlock_abi;
	if (rc == 0)
		rc = read_servers(&p);
	if (rc == 0)
		rc = act(&p, argc, argv);
	agent_mcp_free(p.mcp);
	agent_tools_release(&p.tools);
	agent_servers_release(&p.servers);
	agent_sandbox_release(&p.sandbox);
	/* What there is comes out, also before an error. */
	if (ai_writer_flush(&p.w, rc < 0 ? &(struct ai_err){ 0 } : err) < 0)
		rc = -1;
	ai_writer_release(&p.w);
	ai_buf_release(&p.line);
	return rc;
}
