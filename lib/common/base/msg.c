#include "base/msg.h"

#include "base/term.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *program;
	enum ai_msg_level shown;
	enum ai_msg_format format;
} msg = { "aiutils", AI_MSG_WARN, AI_MSG_TEXT };

static const char *const level_names[] = { "error", "warn", "info" };

void ai_msg_setup(const char *program, enum ai_msg_level shown,
		  enum ai_msg_format format)
{
	msg.program = program;
	msg.shown = shown;
	msg.format = format;
}

bool ai_msg_is_for_people(void)
{
	return msg.shown >= AI_MSG_WARN && msg.format == AI_MSG_TEXT;
}

bool ai_msg_tells(void)
{
	return msg.shown >= AI_MSG_INFO;
}

/* Controls: C0, DEL, C1, and what turns the direction of writing. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		(c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069);
}

/* Copies text with controls, and bytes that are no UTF-8, replaced, so that no
 * message can forge another line or drive the terminal. */
static void clean(char *dst, size_t size, const char *src)
{
	size_t left = strlen(src), to = 0, n, step;
	uint32_t c;

	for (; left > 0; src += step, left -= step) {
		n = ai_utf8_decode(src, left, &c);
		step = n > 0 ? n : 1;
		if (to + step >= size)
			break;
		if (n == 0 || is_control(c)) {
			dst[to++] = '?';
			continue;
		}
		memcpy(dst + to, src, n);
		to += n;
	}
	dst[to] = '\0';
}

/* The text as the inside of a JSON string. */
static void escape(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (; *src != '\0' && n + 2 < size; src++) {
		if (*src == '"' || *src == '\\')
			dst[n++] = '\\';
		dst[n++] = *src;
	}
	dst[n] = '\0';
}

/* One write a message, so that messages of several threads stay whole. */
static void print(enum ai_msg_level level, const char *code, const char *text)
{
	char safe[1024], inner[1200], line[1600];
	ssize_t done;
	int n;

	clean(safe, sizeof safe, text);
	if (msg.format == AI_MSG_TEXT) {
		n = snprintf(line, sizeof line, "%s: %s\n", msg.program, safe);
	} else {
		escape(inner, sizeof inner, safe);
		n = snprintf(line, sizeof line,
			     "{\"level\":\"%s\",\"service.name\":\"%s\"%s%s%s,"
			     "\"body\":\"%s\"}\n",
			     level_names[level], msg.program,
			     code ? ",\"error.type\":\"" : "", code ? code : "",
			     code ? "\"" : "", inner);
	}
	if (n < 0)
		return;
	ai_term_clear();
	/* There is nobody left to tell when stderr itself fails. */
	done = write(STDERR_FILENO, line,
		     (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
	(void)done;
}

void ai_msg(enum ai_msg_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (level > msg.shown)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	print(level, NULL, text);
}

void ai_msg_err(const struct ai_err *err)
{
	print(AI_MSG_ERROR, ai_code_name(err->code), err->msg);
}
