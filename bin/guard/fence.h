/*
 * fence.h: which passages of a markdown text are code: between fences, or
 * between backticks in a line.  What stands there is shown, not rendered.
 */
#ifndef GUARD_FENCE_H
#define GUARD_FENCE_H

#include "base/str.h"

#include <stdbool.h>

/* A place that moves on through a text. */
struct guard_fence {
	struct ai_span text;
	size_t line;     /* where the next line begins */
	bool in;         /* the current line is between fences */
	char mark;       /* what they are made of */
	size_t length;
	size_t tick;     /* outside: looked for backticks up to here */
	size_t from, to; /* the code between backticks before tick */
};

void guard_fence_init(struct guard_fence *f, struct ai_span text);
/* Whether byte at is code; at must not be less than the last time. */
bool guard_fence_at(struct guard_fence *f, size_t at);

#endif
