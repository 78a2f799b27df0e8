/*
 * term.h: one line on standard error that is written over again and again, such
 * as how far a program is.
 *
 * It is made of a carriage return and blanks, so that any terminal can show it.
 * Who writes something else there takes it away first; msg.c does.
 */
#ifndef AI_BASE_TERM_H
#define AI_BASE_TERM_H

#include <stdbool.h>
#include <stddef.h>

/* Whether people see standard error, on a terminal that can write over a line;
 * and whether they type there, which a line would disturb. */
bool ai_term_is_seen(void);
/* Whether the program is in the background of that terminal. */
bool ai_term_is_behind(void);
/* Whether standard output goes to the same place. */
bool ai_term_is_shared(void);
/* Columns that a line may have. */
size_t ai_term_width(void);

/* Shows a line of printable ASCII instead of the one there; it is cut to the
 * width. */
void ai_term_show(const char *text);
void ai_term_clear(void);

#endif
