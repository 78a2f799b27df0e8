/* terminal.h: the person at the terminal, who is asked one thing at a time,
 * however many runs there are. */
#ifndef AGENT_TERMINAL_H
#define AGENT_TERMINAL_H

#include "base/buf.h"

#include <stdbool.h>

#define AGENT_TERMINAL_NONE (-1) /* nobody is there */
#define AGENT_TERMINAL_BUSY (-2) /* somebody is asked something */

/* A descriptor of it, for the caller alone until he gives it back, or one of
 * those.  What was typed before is forgotten: it answers nothing. */
int agent_terminal_take(void);
/* Gives it back; a negative one is nothing.  answered: a line was typed; else
 * one is begun. */
void agent_terminal_give(int tty, bool answered);
/* Writes b, which is cleared then. -1: errno says why. */
int agent_terminal_say(int tty, struct ai_buf *b);

#endif
