/*
 * comment.h: JSON that people write: with // and slash-star comments, and
 * messages that name its line.
 */
#ifndef AI_RECORD_COMMENT_H
#define AI_RECORD_COMMENT_H

#include <stddef.h>

/* Puts blanks where there are comments: what is left stays where it is.  One
 * without an end is left, too, and is no JSON. */
void ai_json_blank_comments(char *p, size_t n);
/* The line of an offset, from 1. */
size_t ai_json_line(const char *text, size_t at);

#endif
