/* approve.c: who may say that a call goes on. */
#include "agent.h"
#include "mcp/mcp.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/proc.h"
#include "base/sig.h"
#include "base/temp.h"
#include "base/utf8.h"

#include "say.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ASK_S 600 /* a person, or a command */
#define SIGNAL_S 1 /* the longest that a signal waits */
#define SHOWN 600 /* bytes of an argument, on a terminal */
#define SHOWN_TARGET 8000 /* of one that says where the effect goes */

static const char *const words[] = { "always", "writes", "never" };

static enum agent_approve policy(void)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(agent.approve, words[i]) == 0)
			return (enum agent_approve)i;
	return AGENT_ASK_COMMAND;
}

int agent_approve_check(struct ai_err *err)
{
	const char *near;

	/* A command has a path or arguments; what looks like a slip is none. */
	if (policy() != AGENT_ASK_COMMAND || strpbrk(agent.approve, "/ ") != NULL)
		return 0;
	near = ai_nearest(agent.approve, words, 3);
	if (near != NULL)
		return ai_err_set(err, AI_E_USAGE, "--approve '%.60s'; did you "
				  "mean '%s'?", agent.approve, near);
	return 0;
}

bool agent_approve_asks(const struct agent_tool *tool)
{
	switch (policy()) {
	case AGENT_ASK_ALWAYS:
		return true;
	case AGENT_ASK_NEVER:
		return false;
	default:
		return tool->writes;
	}
}

/* ---- a terminal ------------------------------------------------------------------ */

/* The first letter of a line, or 0 if none comes. Which of several threads a
 * signal interrupts nobody knows; and servers may ask us meanwhile. */
static char read_answer(int tty, struct agent_mcp *mcp)
{
	double until = ai_clock_s() + ASK_S;
	struct pollfd fds[] = { { tty, POLLIN, 0 },
				{ ai_sig_fd(), POLLIN, 0 } };
	char line[4096];
	ssize_t n;

	while (ai_sig_asked() == AI_SIG_NO && ai_clock_s() < until) {
		if (mcp != NULL)
			agent_mcp_turn(mcp);
		if (poll(fds, 2, SIGNAL_S * 1000) <= 0 || fds[0].revents == 0)
			continue;
		n = read(tty, line, sizeof(line));
		if (n > 0)
			return line[0] != '\0' ? line[0] : '?';
		if (n == 0 || errno != EINTR)
			break;
	}
	return '\0';
}

/* A member a line, and the targets whole: nothing that is long may push what
 * matters out of sight. */
static void put_arguments(struct ai_buf *b, const struct agent_tool *tool,
			  struct ai_span args)
{
	struct ai_value v, key, val;
	struct ai_json_iter it;
	struct ai_err err;

	if (ai_json_check(args.p, args.n, &v, &err) < 0)
		return;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		bool target = tool->targets == NULL;

		for (size_t i = 0; !target && tool->targets[i] != NULL; i++)
			target = ai_json_is(key, ai_span_of(tool->targets[i]));
		ai_buf_str(b, "\n    ");
		agent_say_text(b, ai_json_inside(key), SHOWN);
		ai_buf_str(b, ": ");
		agent_say_text(b, val.s, target ? SHOWN_TARGET : SHOWN);
	}
}

static void put_call_for_people(struct ai_buf *b, const struct agent_run *r,
				const struct agent_tool *tool,
				struct ai_span args, const char *why)
{
	ai_buf_fmt(b, "\nai-agent: the run %s wants to call %s",
		   r->journal.run.id, tool->name);
	put_arguments(b, tool, args);
	if (why[0] != '\0') {
		ai_buf_str(b, "\n    why: ");
		agent_say_text(b, ai_span_of(why), SHOWN);
	}
}

/* Gives the terminal back. */
static enum agent_answer ask_terminal(int tty, const struct agent_run *r,
				      const struct agent_tool *tool,
				      struct ai_span args, const char *why)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);
	char c;

	put_call_for_people(&b, r, tool, args, why);
	do {
		ai_buf_str(&b, "\nGo on? [y]es, [n]o, [p]ark: ");
		c = agent_terminal_say(tty, &b) < 0 ? '\0'
			: read_answer(tty, r->mcp);
	} while (memchr("yYnNpP", c, 7) == NULL);
	agent_terminal_give(tty, c != '\0');
	ai_buf_release(&b);
	return c == 'y' || c == 'Y' ? AGENT_YES
		: c == 'n' || c == 'N' ? AGENT_NO : AGENT_PARK;
}

/* Waits until nobody else is asked something; who has pressed Ctrl-C is asked
 * no more. */
static int take_terminal(void)
{
	int tty;

	while ((tty = agent_terminal_take()) == AGENT_TERMINAL_BUSY &&
	       ai_sig_asked() == AI_SIG_NO)
		poll(NULL, 0, 50);
	if (tty < 0 || ai_sig_asked() == AI_SIG_NO)
		return tty;
	agent_terminal_give(tty, true);
	return AGENT_TERMINAL_NONE;
}

/* ---- a command --------------------------------------------------------------------- */

static void put_call(struct ai_buf *b, const struct agent_run *r,
		     const struct agent_tool *tool, struct ai_span args,
		     const char *why)
{
	ai_put_open(b, '{');
	ai_put_key(b, "run");
	ai_put_cstr(b, r->journal.run.id);
	ai_put_key(b, "tool");
	ai_put_cstr(b, tool->name);
	ai_put_key(b, "arguments");
	ai_put_raw(b, args.p, args.n);
	ai_put_key(b, "writes");
	ai_put_bool(b, tool->writes);
	ai_put_key(b, "why");
	ai_put_cstr(b, why);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

struct asking {
	const char *const *argv;
	int in, status, rc;
	int alive; /* a pipe: a byte says that the command has ended; -1 */
	struct ai_buf out;
	struct ai_err err;
};

static void *run_command(void *arg)
{
	struct asking *a = arg;

	a->rc = ai_proc_capture(a->argv, a->in, ASK_S, &a->out, NULL,
				&a->status, &a->err);
	/* Not its end: a server that is started meanwhile may have it, too. */
	if (a->alive >= 0 && write(a->alive, "", 1) < 0)
		a->alive = -1; /* cannot be: there is room */
	return NULL;
}

/* In a thread of its own, for servers may ask us meanwhile. */
static void run_beside(struct asking *a, struct agent_mcp *mcp)
{
	struct agent_poll p = { 0 };
	struct ai_err err;
	pthread_t thread;
	struct pollfd end;
	int fds[2];

	if (mcp == NULL || pipe2(fds, O_CLOEXEC) < 0) {
		run_command(a);
		return;
	}
	a->alive = fds[1];
	end = (struct pollfd){ fds[0], POLLIN, 0 };
	if (pthread_create(&thread, NULL, run_command, a) != 0) {
		run_command(a);
	} else {
		while (poll(&end, 1, 0) <= 0) {
			agent_mcp_turn(mcp);
			agent_poll_clear(&p, SIGNAL_S);
			agent_poll_add(&p, end.fd, POLLIN);
			agent_mcp_wait(mcp, &p);
			if (agent_poll_wait(&p, &err) < 0)
				break;
		}
		pthread_join(thread, NULL);
	}
	close(fds[0]);
	close(fds[1]);
	agent_poll_release(&p);
}

static enum agent_answer ask_command(const struct agent_run *r,
				     const struct agent_tool *tool,
				     struct ai_span args, const char *why)
{
	const char *argv[] = { "/bin/sh", "-c", agent.approve, NULL };
	struct asking a = { .argv = argv, .alive = -1 };
	struct ai_buf b = AI_BUF_INIT(AGENT_TEXT_MAX);

	ai_buf_init(&a.out, 1 << 16);
	put_call(&b, r, tool, args, why);
	a.rc = ai_buf_check(&b, "the call", &a.err) < 0 ? -1 :
		ai_temp_open(&a.in, &a.err);
	if (a.rc == 0) {
		a.rc = ai_temp_write(a.in, b.p, b.len, &a.err);
		if (a.rc == 0 && lseek(a.in, 0, SEEK_SET) < 0)
			a.rc = ai_err_sys(&a.err, AI_E_IO, errno, "cannot read "
					  "what was written");
		if (a.rc == 0)
			run_beside(&a, r->mcp);
		close(a.in);
	}
	ai_buf_release(&b);
	ai_buf_release(&a.out);
	if (a.rc < 0)
		ai_msg(AI_MSG_WARN, "--approve: %s", a.err.msg);
	/* One that cannot answer leaves it to a person. */
	return a.rc < 0 ? AGENT_PARK : a.status == 0 ? AGENT_YES
		: a.status == 1 ? AGENT_NO : AGENT_PARK;
}

enum agent_answer agent_approve_ask(struct agent_run *r,
				    const struct agent_tool *tool,
				    struct ai_span args, const char *why)
{
	enum agent_answer answer = AGENT_PARK;
	double since = ai_clock_s();
	int tty;

	if (policy() == AGENT_ASK_NEVER)
		return AGENT_NO;
	if (policy() == AGENT_ASK_COMMAND) {
		answer = ask_command(r, tool, args, why);
	} else if (isatty(2)) {
		/* Nobody looks at a terminal whose messages go elsewhere. */
		tty = take_terminal();
		if (tty >= 0)
			answer = ask_terminal(tty, r, tool, args, why);
	}
	/* A person who thinks is no work of the run. */
	r->journal.since += ai_clock_s() - since;
	return answer;
}
