/*
 * msg.h: what people read on stderr.  Only start.c, the loop and the
 * programs use it; the rest of the library returns its errors.
 *
 *	ai-chunk: cannot open 'x': No such file or directory
 *
 * With --log-format json each message is one JSON line.
 */
#ifndef AI_BASE_MSG_H
#define AI_BASE_MSG_H

#include "base/err.h"

enum ai_msg_level { AI_MSG_ERROR, AI_MSG_WARN, AI_MSG_INFO };
enum ai_msg_format { AI_MSG_TEXT, AI_MSG_JSON };

/* -q shows errors only, -v also AI_MSG_INFO. */
void ai_msg_setup(const char *program, enum ai_msg_level shown,
		  enum ai_msg_format format);
/* Whether more than errors is shown, as text. */
bool ai_msg_is_for_people(void);
/* Whether AI_MSG_INFO is shown: for who would have to ask for what it tells. */
bool ai_msg_tells(void);
void ai_msg(enum ai_msg_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The message of err at AI_MSG_ERROR, with its code in JSON. */
void ai_msg_err(const struct ai_err *err);

#endif
