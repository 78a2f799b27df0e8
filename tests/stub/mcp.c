/*
 * ai-mcp [-tv] FILE...: the MCP servers of tools files, for tests.
 *
 * Writes a line {"tools":[...]} once they are ready (-t: {"ready_ms":N,
 * "cpu_ms":N} before it), then does what it reads, line by line:
 *
 *	{"calls":[{"name":TEXT, "arguments":{}, "key":TEXT, "stop_s":N}]}
 *	                  all at once; a line {"name", "text", "failed",
 *	                  "unknown"} for each, in this order, when all have ended.
 *	                  stop_s: it is stopped then
 *	{"refresh":true}  what agent_mcp_refresh() makes of the tools, as above
 *	{"wait_s":N}      lets the servers talk
 *	{"peak":true}     {"peak_kb":N}, the most memory so far
 */
#include "mcp/mcp.h"
#include "tool/tools-file.h"
#include "base/clock.h"
#include "base/msg.h"
#include "record/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALLS 64

static struct agent_tools tools;
static struct agent_mcp *mcp;

static const char *const effects[] = {
	[AGENT_PURE] = "pure", [AGENT_IDEMPOTENT] = "idempotent",
	[AGENT_VERIFY] = "verify", [AGENT_TRANSACTIONAL] = "transactional",
	[AGENT_ONCE] = "once",
};

static void put_line(struct ai_buf *b)
{
	ai_buf_chr(b, '\n');
	ai_buf_write(b, STDOUT_FILENO);
	ai_buf_clear(b);
}

static void put_bool(struct ai_buf *b, const char *key, bool v)
{
	ai_put_key(b, key);
	ai_put_bool(b, v);
}

static void put_tool(struct ai_buf *b, const struct agent_tool *t)
{
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_cstr(b, t->name);
	ai_put_key(b, "description");
	ai_put_cstr(b, t->description);
	ai_put_key(b, "effect");
	ai_put_cstr(b, effects[t->effect]);
	put_bool(b, "writes", t->writes);
	put_bool(b, "sends", t->sends);
	put_bool(b, "trusted", t->trusted);
	put_bool(b, "serial", t->serial);
	ai_put_key(b, "timeout_s");
	ai_put_f64(b, t->timeout_s);
	ai_put_key(b, "max_output");
	ai_put_i64(b, t->max_output);
	ai_put_key(b, "max_calls");
	ai_put_i64(b, t->max_calls);
	ai_put_key(b, "targets");
	ai_put_open(b, '[');
	for (size_t i = 0; t->targets != NULL && t->targets[i] != NULL; i++)
		ai_put_cstr(b, t->targets[i]);
	ai_put_close(b, ']');
	ai_put_close(b, '}');
}

static void put_tools(struct ai_buf *b)
{
	ai_put_open(b, '{');
	ai_put_key(b, "tools");
	ai_put_open(b, '[');
	for (size_t i = 0; i < tools.n; i++)
		put_tool(b, &tools.v[i]);
	ai_put_close(b, ']');
	ai_put_close(b, '}');
	put_line(b);
}

/* ---- calls ------------------------------------------------------------------ */

struct one {
	struct agent_call c;
	double stop;
	bool ended;
	struct ai_buf name;
};

static void end_with(struct one *o, const struct ai_err *err)
{
	o->ended = o->c.failed = true;
	ai_buf_str(&o->c.text, err->msg);
}

static void begin(struct one *o, struct ai_value v)
{
	struct ai_value key = ai_json_member(v, AI_SPAN("key")), stop;
	struct ai_span k = ai_json_inside(key);
	struct ai_err err;
	double s;

	memset(o, 0, sizeof *o);
	ai_buf_init(&o->name, 256);
	ai_buf_init(&o->c.text, 32 << 20);
	ai_json_text(ai_json_member(v, AI_SPAN("name")), &o->name);
	stop = ai_json_member(v, AI_SPAN("stop_s"));
	if (stop.kind == AI_NUMBER && ai_json_f64(stop, &s) == 0)
		o->stop = ai_clock_s() + s;
	o->c.hold = -1;
	o->c.args = ai_json_member(v, AI_SPAN("arguments")).s;
	if (k.n < sizeof o->c.key)
		memcpy(o->c.key, k.p == NULL ? "" : k.p, k.n);
	o->c.tool = agent_tools_find(&tools, (struct ai_span){
		ai_buf_cstr(&o->name), o->name.len });
	if (o->c.tool == NULL) {
		ai_err_set(&err, AI_E_RECORD, "no tool of this name");
		end_with(o, &err);
	} else if (o->c.tool->kind->begin(&o->c, &err) < 0) {
		end_with(o, &err);
	}
}

static bool turn(struct one *o, struct agent_poll *p)
{
	if (o->ended)
		return true;
	if (o->stop > 0 && ai_clock_s() >= o->stop) {
		o->c.tool->kind->stop(&o->c);
		o->c.failed = o->ended = true;
		ai_buf_str(&o->c.text, "(stopped)");
		return true;
	}
	o->ended = o->c.tool->kind->turn(&o->c);
	if (o->ended)
		return true;
	o->c.tool->kind->wait(&o->c, p);
	if (o->stop > 0)
		agent_poll_by(p, o->stop);
	return false;
}

static void put_call(struct ai_buf *b, struct one *o)
{
	ai_put_open(b, '{');
	ai_put_key(b, "name");
	ai_put_str(b, ai_buf_cstr(&o->name), o->name.len);
	ai_put_key(b, "text");
	ai_put_str(b, ai_buf_cstr(&o->c.text), o->c.text.len);
	put_bool(b, "failed", o->c.failed);
	put_bool(b, "unknown", o->c.tool != NULL && agent_mcp_unknown(&o->c));
	ai_put_close(b, '}');
	put_line(b);
}

static int do_calls(struct ai_buf *b, struct ai_value list, struct ai_err *err)
{
	static struct one v[CALLS];
	struct agent_poll p = { 0 };
	struct ai_json_iter it;
	struct ai_value call;
	size_t n = 0, left = 1;
	int rc = 0;

	ai_json_iter_init(&it, list);
	while (n < CALLS && ai_json_next(&it, NULL, &call))
		begin(&v[n++], call);
	while (left > 0 && rc == 0) {
		agent_poll_clear(&p, 10);
		left = 0;
		for (size_t i = 0; i < n; i++)
			left += !turn(&v[i], &p);
		if (left > 0)
			rc = agent_poll_wait(&p, err);
	}
	for (size_t i = 0; i < n; i++) {
		put_call(b, &v[i]);
		if (v[i].c.tool != NULL)
			v[i].c.tool->kind->release(&v[i].c);
		ai_buf_release(&v[i].c.text);
		ai_buf_release(&v[i].name);
	}
	agent_poll_release(&p);
	return rc;
}

static int do_wait(double s, struct ai_err *err)
{
	double until = ai_clock_s() + s;
	struct agent_poll p = { 0 };
	int rc = 0;

	while (rc == 0 && ai_clock_s() < until) {
		agent_poll_clear(&p, until - ai_clock_s());
		agent_mcp_wait(mcp, &p);
		rc = agent_poll_wait(&p, err);
		agent_mcp_turn(mcp);
	}
	agent_poll_release(&p);
	return rc;
}

/* ---- lines --------------------------------------------------------------------- */

static int do_line(struct ai_buf *b, const char *line, size_t n,
		   struct ai_err *err)
{
	struct ai_value v, w;
	struct rusage r;
	double s;

	if (ai_json_check(line, n, &v, err) < 0)
		return -1;
	w = ai_json_member(v, AI_SPAN("calls"));
	if (w.kind == AI_ARRAY)
		return do_calls(b, w, err);
	w = ai_json_member(v, AI_SPAN("wait_s"));
	if (w.kind == AI_NUMBER && ai_json_f64(w, &s) == 0)
		return do_wait(s, err);
	if (ai_json_member(v, AI_SPAN("peak")).kind == AI_BOOL) {
		getrusage(RUSAGE_SELF, &r);
		ai_buf_fmt(b, "{\"peak_kb\":%ld}", r.ru_maxrss);
		put_line(b);
		return 0;
	}
	if (agent_mcp_refresh(mcp, &tools, 60, err) < 0)
		return -1;
	put_tools(b);
	return 0;
}

/* Of this process, without its servers. */
static double cpu_ms(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return 1000.0 * (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000.0;
}

static int do_all(bool timed, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)64 << 20);
	double begun = ai_clock_s();
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = agent_mcp_start(mcp, &tools, err);

	if (rc == 0) {
		if (timed) {
			ai_buf_fmt(&b, "{\"ready_ms\":%.1f,\"cpu_ms\":%.2f}",
				   1000 * (ai_clock_s() - begun), cpu_ms());
			put_line(&b);
		}
		put_tools(&b);
	}
	while (rc == 0 && (n = getline(&line, &size, stdin)) > 0)
		rc = do_line(&b, line, (size_t)n, err);
	free(line);
	ai_buf_release(&b);
	return rc;
}

static void missing(void *arg, const char *tool, const char *what)
{
	(void)arg;
	ai_msg(AI_MSG_WARN, "%s: %s", tool, what);
}

int main(int argc, char **argv)
{
	struct agent_servers servers = { 0 };
	struct agent_sandbox sandbox;
	struct ai_err err;
	bool timed = false, verbose = false;
	int opt, rc;

	while ((opt = getopt(argc, argv, "tv")) != -1) {
		timed = timed || opt == 't';
		verbose = verbose || opt == 'v';
	}
	ai_msg_setup("ai-mcp", verbose ? AI_MSG_INFO : AI_MSG_WARN, AI_MSG_TEXT);
	agent_tools_init(&tools);
	rc = agent_sandbox_init(&sandbox, ".", AGENT_SANDBOX_ON, &err);
	sandbox.missing = missing;
	for (int i = optind; rc == 0 && i < argc; i++)
		rc = agent_tools_read(&tools, argv[i], &sandbox, &servers, &err);
	if (rc == 0)
		rc = agent_mcp_new(&mcp, &sandbox, -1, &err);
	if (rc == 0)
		rc = agent_mcp_add(mcp, &servers, &err);
	if (rc == 0)
		rc = do_all(timed, &err);
	agent_tools_release(&tools);
	agent_mcp_free(mcp);
	agent_servers_release(&servers);
	agent_sandbox_release(&sandbox);
	if (rc == 0)
		return 0;
	ai_msg_err(&err);
	return ai_code_exit(err.code);
}
