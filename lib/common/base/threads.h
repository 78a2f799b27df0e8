/*
 * threads.h: the same work on many things, side by side.
 *
 * What comes of it must not depend on who does what: each call has a place of
 * its own to write to, and nothing is added up on the way.
 */
#ifndef AI_BASE_THREADS_H
#define AI_BASE_THREADS_H

#include "base/err.h"

#include <stddef.h>

#define AI_THREADS_MAX 16

/* Processors that we may run on, 1 to AI_THREADS_MAX. */
size_t ai_threads_usable(void);

/*
 * Calls work(arg, thread, i) for each i below n, once, from up to so many
 * threads, of which this is one; thread is below their number, for what each
 * of them needs for itself.  Where no thread is to be had this one does all.
 * -1: a call returned that, others may not have been made; err has that of the
 * lowest i of those that were made and failed.
 */
int ai_threads_each(size_t threads, size_t n,
		    int (*work)(void *arg, size_t thread, size_t i,
				struct ai_err *err),
		    void *arg, struct ai_err *err);

#endif
