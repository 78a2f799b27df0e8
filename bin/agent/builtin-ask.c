/* builtin-ask.c: a question to whoever sits at the terminal. */
#include "builtin.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 8192
#define TIMEOUT_S 600

struct ask {
	int tty;
	double deadline;
	struct ai_buf answer;
};

/* On a terminal a text must not do anything: lines, and what can be seen. */
static void put_plain(struct ai_buf *out, struct ai_span text)
{
	size_t at = 0, n;
	uint32_t cp;

	for (; at < text.n; at += n) {
		n = ai_utf8_decode(text.p + at, text.n - at, &cp);
		if (n == 0) {
			n = 1;
			cp = AI_UTF8_REPLACEMENT;
		}
		/* C0, DEL, C1, and what turns the direction of writing. */
		if ((cp < ' ' && cp != '\n') || (cp >= 0x7F && cp < 0xA0) ||
		    (cp >= 0x200E && cp <= 0x200F) ||
		    (cp >= 0x202A && cp <= 0x202E) ||
		    (cp >= 0x2066 && cp <= 0x2069))
			ai_buf_chr(out, '?');
		else
			ai_buf_add(out, text.p + at, n);
	}
}

/* Nobody is there: the run waits for somebody. */
static int park(struct agent_call *c, const struct ai_buf *question)
{
	c->parks = true;
	ai_buf_clear(&c->text);
	put_plain(&c->text, (struct ai_span){ question->p, question->len });
	return 0;
}

static int put_question(int tty, const struct ai_buf *question,
			struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(65536);
	int rc;

	ai_buf_str(&out, "\nThe model asks: ");
	put_plain(&out, (struct ai_span){ question->p, question->len });
	ai_buf_str(&out, "\nYour answer: ");
	rc = ai_buf_check(&out, "the question", err);
	if (rc == 0 && ai_buf_write(&out, tty) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write to the "
				"terminal");
	ai_buf_release(&out);
	return rc;
}

static int ask_begin(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf question = AI_BUF_INIT(16384);
	struct ask *a = calloc(1, sizeof *a);
	int rc;

	if (a == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&a->answer, ANSWER_MAX);
	a->tty = -1;
	a->deadline = ai_clock_s() + c->tool->timeout_s;
	c->state = a;
	rc = agent_call_text(c, "question", "", &question, err);
	if (rc == 0)
		a->tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (rc == 0)
		rc = a->tty < 0 ? park(c, &question) :
			put_question(a->tty, &question, err);
	ai_buf_release(&question);
	return rc;
}

static void ask_wait(struct agent_call *c, struct agent_poll *p)
{
	const struct ask *a = c->state;

	agent_poll_add(p, a->tty, POLLIN);
	agent_poll_by(p, a->deadline);
}

/* Nobody answers: as if nobody were there. */
static bool is_late(struct agent_call *c, const struct ask *a)
{
	struct ai_buf question = AI_BUF_INIT(16384);

	if (ai_clock_s() < a->deadline)
		return false;
	if (agent_call_text(c, "question", "", &question, NULL) == 0)
		park(c, &question);
	ai_buf_release(&question);
	return true;
}

/* A terminal hands out a line at once. */
static bool ask_turn(struct agent_call *c)
{
	struct ask *a = c->state;
	struct pollfd can = { a->tty, POLLIN, 0 };
	char line[4096];
	ssize_t n;

	if (c->parks)
		return true;
	if (poll(&can, 1, 0) <= 0)
		return is_late(c, a);
	n = read(a->tty, line, sizeof line);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0)
		ai_buf_add(&a->answer, line, (size_t)n);
	if (n > 0 && a->answer.bad == AI_E_NONE &&
	    a->answer.p[a->answer.len - 1] != '\n')
		return false;
	while (a->answer.len > 0 && a->answer.p[a->answer.len - 1] == '\n')
		a->answer.len--;
	if (a->answer.len == 0)
		ai_buf_str(&c->text, "(the answer is empty)");
	put_plain(&c->text, (struct ai_span){ ai_buf_cstr(&a->answer),
					      a->answer.len });
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
	if (a->tty >= 0)
		close(a->tty);
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
