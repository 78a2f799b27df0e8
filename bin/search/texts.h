/*
 * texts.h: texts of documents, gathered, so that several threads work on them.
 *
 * What comes of a text is taken in the order in which they were added, by one
 * thread: the index is the same, however many there are.
 */
#ifndef SEARCH_TEXTS_H
#define SEARCH_TEXTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search_texts {
	struct ai_buf bytes;
	struct search_text {
		int64_t row;
		size_t at, n;
	} *v;
	size_t n, cap;
};

void search_texts_init(struct search_texts *t);
void search_texts_release(struct search_texts *t);
void search_texts_clear(struct search_texts *t);
/* The text is copied. */
int search_texts_add(struct search_texts *t, int64_t row, struct ai_span text,
		     struct ai_err *err);
/* Whether it has as many as are worth a start of threads. */
bool search_texts_is_full(const struct search_texts *t);

struct search_texts_use {
	size_t size; /* bytes of a result; those of all begin as zeros */
	/* In any thread. */
	int (*work)(void *arg, size_t thread, struct ai_span text,
		    void *result, struct ai_err *err);
	/* In this one, in order. */
	int (*take)(void *arg, int64_t row, void *result, struct ai_err *err);
	/* Of each result, whatever happens; NULL: nothing. */
	void (*release)(void *result);
	void *arg;
};

/* All of them, from so many threads at most; none are left, if it fails, too. */
int search_texts_do(struct search_texts *t, size_t threads,
		    const struct search_texts_use *use, struct ai_err *err);

#endif
