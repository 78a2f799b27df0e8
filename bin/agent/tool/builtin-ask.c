/* builtin-ask.c: a question to whoever sits at the terminal. */
#include "tool/builtin.h"
#include "say.h"
#include "terminal.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 8192
#define TIMEOUT_S 600

#define BUSY_S 0.1 /* until we look whether the terminal is ours */

struct ask {
	int tty;
	double deadline;
	bool answered;
	struct ai_buf question, answer;
};

/* Nobody is there: the run waits for somebody. */
static bool park(struct agent_call *c)
{
	const struct ask *a = c->state;

	c->parks = true;
	ai_buf_clear(&c->text);
	agent_say_text(&c->text, (struct ai_span){ a->question.p,
		       a->question.len }, a->question.len);
	return true;
}

/* What a person types is text in UTF-8, whatever the terminal sends. */
static void put_answer(struct ai_buf *out, const struct ai_buf *answer)
{
	size_t at = 0, n;
	uint32_t c;

	for (; at < answer->len; at += n > 0 ? n : 1) {
		n = ai_utf8_decode(answer->p + at, answer->len - at, &c);
		if (n == 0 || (c < ' ' && c != '\t') || c == 0x7F)
			ai_buf_chr(out, '?');
		else
			ai_buf_add(out, answer->p + at, n);
	}
}

/* On a terminal a text must not do anything: lines, and what can be seen. */
static int put_question(const struct ask *a)
{
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	int rc;

	ai_buf_str(&out, "\nThe model asks: ");
	agent_say_lines(&out, (struct ai_span){ a->question.p,
			a->question.len }, a->question.len, 4);
	ai_buf_str(&out, "\nYour answer: ");
	rc = agent_terminal_say(a->tty, &out);
	ai_buf_release(&out);
	return rc;
}

/* true: the question is asked. false: nobody is there, or not yet. */
static bool reach(struct agent_call *c)
{
	struct ask *a = c->state;

	if (a->tty >= 0)
		return true;
	a->tty = agent_terminal_take();
	if (a->tty == AGENT_TERMINAL_NONE ||
	    (a->tty >= 0 && put_question(a) < 0))
		park(c);
	return a->tty >= 0 && !c->parks;
}

static int ask_begin(struct agent_call *c, struct ai_err *err)
{
	struct ask *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&a->question, 16384);
	ai_buf_init(&a->answer, ANSWER_MAX);
	a->tty = AGENT_TERMINAL_BUSY;
	a->deadline = ai_clock_s() + c->tool->timeout_s;
	c->state = a;
	if (agent_call_text(c, "question", "", &a->question, err) < 0)
		return -1;
	reach(c);
	return 0;
}

static void ask_wait(struct agent_call *c, struct agent_poll *p)
{
	const struct ask *a = c->state;

	agent_poll_add(p, a->tty, POLLIN);
	agent_poll_by(p, a->tty >= 0 ? a->deadline : ai_clock_s() + BUSY_S);
}

/* A terminal hands out a line at once.  Its end (Ctrl-D) without a word is no
 * answer, as if nobody were there. */
static bool ask_turn(struct agent_call *c)
{
	struct ask *a = c->state;
	struct pollfd can = { a->tty, POLLIN, 0 };
	char line[4096];
	ssize_t n;

	if (c->parks || (a->tty < 0 && !reach(c)))
		return c->parks;
	if (poll(&can, 1, 0) <= 0)
		return ai_clock_s() >= a->deadline && park(c);
	n = read(a->tty, line, sizeof line);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0 && a->answer.len == 0)
		return park(c);
	if (n > 0)
		ai_buf_add(&a->answer, line, (size_t)n);
	if (n > 0 && a->answer.bad == AI_E_NONE &&
	    a->answer.p[a->answer.len - 1] != '\n')
		return false;
	a->answered = true;
	while (a->answer.len > 0 && a->answer.p[a->answer.len - 1] == '\n')
		a->answer.len--;
	if (a->answer.len == 0)
		ai_buf_str(&c->text, "(the answer is empty)");
	put_answer(&c->text, &a->answer);
	return true;
}

static void ask_stop(struct agent_call *c)
{
	(void)c;
}

static void ask_release(struct agent_call *c)
{
	struct ask *a = c->state;

	if (a == NULL)
		return;
	agent_terminal_give(a->tty, a->answered);
	ai_buf_release(&a->question);
	ai_buf_release(&a->answer);
	free(a);
	c->state = NULL;
}

static const struct agent_tool_kind ask_kind = {
	.begin = ask_begin, .wait = ask_wait, .turn = ask_turn,
	.stop = ask_stop, .release = ask_release,
};

const struct agent_builtin agent_builtin_ask_user = {
	.name = "ask_user",
	.description = "Asks the person who started the work a question and "
		"returns the answer. Only for what nobody else can know or "
		"decide.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"question\":{\"type\":\"string\",\"minLength\":1,"
		"\"maxLength\":2000}},"
		"\"required\":[\"question\"],\"additionalProperties\":false}",
	.kind = &ask_kind, .effect = AGENT_PURE, .trusted = true,
	.person = true, .serial = true, .timeout_s = TIMEOUT_S, .max_output = 16384,
};
