/*
 * builtin-http.c: asking a server for a page, with the curl program.
 *
 * Two programs in turn: getent says at which addresses the host is, and curl,
 * in a cage that lets it reach nothing but the port, gets the page from one of
 * those that may be asked.  So nobody can give the name another address in
 * between, and curl needs no DNS.
 */
#include "tool/builtin.h"

#include "tool/address.h"
#include "tool/answer.h"
#include "cage/child.h"
#include "tool/page.h"
#include "tool/result.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OUTPUT_MAX 65536
#define PAGE_MAX ((size_t)2 << 20) /* bytes that are taken of a page */
#define TIMEOUT_S 30
#define NAMES_S 10

struct get {
	struct agent_target target;
	struct ai_buf url;
	struct agent_child child;
	struct agent_cage *cage;
	bool running, fetching;
};

/* ---- starting programs ----------------------------------------------------- */

static int start(struct agent_call *c, struct get *g,
		 const struct agent_strings *argv, const struct agent_wish *w,
		 double timeout_s, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct agent_strings env = { 0 }, none = { 0 };
	struct agent_child_spec spec = {
		.name = argv->v[0], .argv = agent_strings_list(argv),
		.dir = b->folder.path, .hold = c->hold, .input = { "", 0 },
		.max_out = PAGE_MAX, .max_err = 4096, .timeout_s = timeout_s,
	};
	int rc = agent_sandbox_cage(b->sandbox, w, c->tool->name, argv->v[0],
				    &g->cage, err);

	if (rc == 0)
		rc = agent_sandbox_env(b->sandbox, &none, NULL, &env, err);
	if (rc == 0) {
		spec.env = agent_strings_list(&env);
		spec.cage = g->cage;
		rc = agent_child_start(&g->child, &spec, err);
	}
	g->running = rc == 0;
	agent_strings_release(&env);
	return rc;
}

static int add_list(struct agent_strings *to, const char *const *from,
		    struct ai_err *err)
{
	for (; *from != NULL; from++)
		if (agent_strings_add(to, ai_span_of(*from), err) < 0)
			return -1;
	return 0;
}

/* addresses: NULL where the host is one. */
static int start_curl(struct agent_call *c, struct get *g,
		      const char *addresses, struct ai_err *err)
{
	/* -q: no .curlrc; -g: no [1-9] in addresses. */
	static const char *const options[] = {
		"curl", "-q", "-g", "-sS", "-i", "--http1.1", "--proto",
		"=http,https", "--noproxy", "*", "--max-redirs", "0",
		"--connect-timeout", "10", "-A", "ai-agent", "-H",
		"Accept: text/*, application/json, */*;q=0.1", NULL
	};
	struct agent_wish w = { .ports = { g->target.port }, .n_ports = 1,
				.any_port = true };
	struct agent_strings argv = { 0 };
	int rc = add_list(&argv, options, err);

	if (rc == 0 && addresses != NULL)
		rc = agent_strings_add(&argv, AI_SPAN("--resolve"), err);
	if (rc == 0 && addresses != NULL)
		rc = agent_strings_fmt(&argv, err, "%s:%d:%s", g->target.host,
				       g->target.port, addresses);
	if (rc == 0)
		rc = agent_strings_add(&argv, AI_SPAN("--url"), err);
	if (rc == 0)
		rc = agent_strings_add(&argv, ai_span_of(g->url.p), err);
	if (rc == 0)
		rc = start(c, g, &argv, &w, c->tool->timeout_s, err);
	g->fetching = rc == 0;
	agent_strings_release(&argv);
	return rc;
}

static int start_getent(struct agent_call *c, struct get *g,
			struct ai_err *err)
{
	const char *const args[] = { "getent", "ahosts", g->target.host, NULL };
	struct agent_wish w = { .network = true };
	struct agent_strings argv = { 0 };
	int rc = add_list(&argv, args, err);

	if (rc == 0)
		rc = start(c, g, &argv, &w, NAMES_S, err);
	agent_strings_release(&argv);
	return rc;
}

static int get_begin(struct agent_call *c, struct ai_err *err)
{
	const struct agent_builtins *b = c->tool->of;
	struct get *g = calloc(1, sizeof *g);

	if (g == NULL)
		return ai_err_nomem(err);
	c->state = g;
	ai_buf_init(&g->url, 8192);
	if (agent_call_text(c, "url", "", &g->url, err) < 0 ||
	    agent_target_of(&g->target, g->url.p,
			    agent_strings_list(&b->hosts), err) < 0)
		return -1;
	return g->target.literal ? start_curl(c, g, NULL, err) :
				   start_getent(c, g, err);
}

/* ---- what comes back -------------------------------------------------------- */

static bool is_html(struct ai_span type)
{
	return (type.n >= 9 && strncasecmp(type.p, "text/html", 9) == 0) ||
	       (type.n >= 21 &&
		strncasecmp(type.p, "application/xhtml+xml", 21) == 0);
}

/* Text, except for a few letters in another encoding. */
static bool is_text(const struct agent_answer *a)
{
	if (a->body.n > 0 && memchr(a->body.p, '\0', a->body.n) != NULL)
		return false;
	return (a->type.n >= 5 && strncasecmp(a->type.p, "text/", 5) == 0) ||
	       ai_utf8_valid(a->body.p, a->body.n) == a->body.n;
}

/* A word of the server's, on one line. */
static void put_field(struct ai_buf *out, struct ai_span value, size_t max)
{
	char *text = ai_span_dup((struct ai_span){ value.p, value.n > max ?
						   max : value.n });

	if (text != NULL)
		agent_put_name(out, text);
	free(text);
}

static void put_body(struct agent_call *c, const struct agent_answer *a, bool cut)
{
	struct ai_buf page = AI_BUF_INIT(4 * PAGE_MAX);
	size_t max = (size_t)c->tool->max_output - c->text.len - 80;
	struct ai_span text = a->body;

	/* The last letter may be cut in the middle. */
	while (cut && text.n > 0 && ((unsigned char)text.p[text.n - 1] &
				     0x80) != 0)
		text.n--;
	if (!is_text(&(struct agent_answer){ a->status, a->type, a->location,
				       text })) {
		ai_buf_fmt(&c->text, "(%zu bytes that are no text are not "
			   "shown)", a->body.n);
		return;
	}
	if (is_html(a->type)) {
		agent_page_text(text, &page);
		text = (struct ai_span){ ai_buf_cstr(&page), page.len };
	}
	if (text.n == 0)
		ai_buf_str(&c->text, "(no text)");
	else
		agent_result_text(&c->text, text, max);
	if (cut)
		ai_buf_fmt(&c->text, "\n[only the first %zu bytes were taken]",
			   PAGE_MAX);
	ai_buf_release(&page);
}

static void put_answer(struct agent_call *c, const struct agent_answer *a, bool cut)
{
	c->failed = a->status >= 400;
	ai_buf_fmt(&c->text, "HTTP %d", a->status);
	if (a->type.n > 0) {
		ai_buf_str(&c->text, ", ");
		put_field(&c->text, a->type, 100);
	}
	if (a->location.n > 0 && a->status >= 300 && a->status < 400) {
		ai_buf_str(&c->text, "\nIt leads to ");
		put_field(&c->text, a->location, 2048);
		ai_buf_str(&c->text, " (not followed: ask for that address if "
			   "you want it)");
	}
	ai_buf_str(&c->text, "\n\n");
	put_body(c, a, cut);
}

static void fail(struct agent_call *c, const char *what,
		 const struct agent_child *child)
{
	struct ai_span errors = { ai_buf_cstr(&child->errors),
				  child->errors.len };

	c->failed = true;
	ai_buf_fmt(&c->text, "%s ", what);
	agent_child_say(child, &c->text);
	if (errors.n > 0) {
		ai_buf_str(&c->text, ": ");
		agent_result_tail(&c->text, errors, 1000);
	}
}

/* ---- going on ------------------------------------------------------------- */

static void end_child(struct get *g)
{
	if (g->running)
		agent_child_release(&g->child);
	g->running = false;
	agent_cage_free(g->cage);
	g->cage = NULL;
}

/* The host's addresses have come. true: that is the end. */
static bool have_names(struct agent_call *c, struct get *g)
{
	struct ai_buf addresses = AI_BUF_INIT(1024);
	struct ai_span out = { ai_buf_cstr(&g->child.output),
			       g->child.output.len };
	struct ai_err err;
	int rc;

	/* 2: there is no such host. */
	if (g->child.end != AGENT_CHILD_EXITED ||
	    (g->child.status != 0 && g->child.status != 2)) {
		fail(c, "looking for the host failed: getent",
		     &g->child);
		return true;
	}
	rc = agent_target_addresses(&g->target, out, &addresses, &err);
	end_child(g);
	if (rc == 0)
		rc = start_curl(c, g, addresses.p, &err);
	ai_buf_release(&addresses);
	if (rc == 0)
		return false;
	c->failed = true;
	ai_buf_str(&c->text, err.msg);
	return true;
}

static bool have_page(struct agent_call *c, struct get *g)
{
	struct ai_span all = { ai_buf_cstr(&g->child.output),
			       g->child.output.len };
	bool cut = g->child.end == AGENT_CHILD_OUTPUT;
	struct agent_answer a;

	if ((cut || (g->child.end == AGENT_CHILD_EXITED &&
		     g->child.status == 0)) && agent_answer_read(all, &a))
		put_answer(c, &a, cut);
	else
		fail(c, "the page could not be got: curl", &g->child);
	return true;
}

static void get_wait(struct agent_call *c, struct agent_poll *p)
{
	struct get *g = c->state;

	agent_child_wait(&g->child, p);
}

static bool get_turn(struct agent_call *c)
{
	struct get *g = c->state;

	if (!agent_child_turn(&g->child))
		return false;
	return g->fetching ? have_page(c, g) : have_names(c, g);
}

static void get_stop(struct agent_call *c)
{
	struct get *g = c->state;

	if (g != NULL && g->running)
		agent_child_stop(&g->child);
}

static void get_release(struct agent_call *c)
{
	struct get *g = c->state;

	if (g == NULL)
		return;
	end_child(g);
	ai_buf_release(&g->url);
	free(g);
	c->state = NULL;
}

static const struct agent_tool_kind get_kind = {
	.begin = get_begin, .wait = get_wait, .turn = get_turn,
	.stop = get_stop, .release = get_release,
};

static const char *const targets[] = { "url", NULL };

const struct agent_builtin agent_builtin_http_get = {
	.name = "http_get",
	.description = "Gets a page by http or https and returns its text. "
		"Only certain hosts may be asked. Redirects are not followed, "
		"but told.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"url\":{\"type\":\"string\",\"minLength\":8,"
		"\"maxLength\":4096,\"description\":\"the whole address, such "
		"as https://example.org/page\"}},"
		"\"required\":[\"url\"],\"additionalProperties\":false}",
	.kind = &get_kind, .effect = AGENT_PURE, .sends = true,
	.targets = targets, .timeout_s = TIMEOUT_S, .max_output = OUTPUT_MAX,
	.needs_hosts = true,
};
