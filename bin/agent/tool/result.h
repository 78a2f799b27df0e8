/*
 * result.h: what a tool writes, as a text for a model: UTF-8, not too long,
 * and never silently less than it was.
 */
#ifndef AGENT_RESULT_H
#define AGENT_RESULT_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

/* A result may always have as much. */
#define AGENT_RESULT_MIN 256
#define AGENT_RESULT_MAX ((int64_t)16 << 20)

/* Appends raw, at most max bytes of it together with what is said of the rest;
 * what is no UTF-8, and NUL, becomes U+FFFD and is counted. Nothing at all is
 * "(no output)". */
void agent_result_text(struct ai_buf *out, struct ai_span raw, size_t max);
/* The same of the end of raw: for messages of programs, whose last are the most
 * telling. Nothing stays nothing. */
void agent_result_tail(struct ai_buf *out, struct ai_span raw, size_t max);

#endif
