#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ai_buf_init(struct ai_buf *b, size_t max)
{
	*b = (struct ai_buf)AI_BUF_INIT(max);
}

void ai_buf_release(struct ai_buf *b)
{
	free(b->p);
	ai_buf_init(b, b->max);
}

void ai_buf_clear(struct ai_buf *b)
{
	b->len = 0;
	b->bad = AI_E_NONE;
	if (b->p != NULL)
		b->p[0] = '\0';
}

void ai_buf_shrink(struct ai_buf *b, size_t keep)
{
	if (b->cap > keep)
		ai_buf_release(b);
	else
		ai_buf_clear(b);
}

int ai_buf_reserve(struct ai_buf *b, size_t n)
{
	size_t need, cap;
	char *p;

	if (b->bad != AI_E_NONE)
		return -1;
	if (n > b->max - b->len) {
		b->bad = AI_E_TOO_LONG;
		return -1;
	}
	need = b->len + n + 1;
	if (need <= b->cap)
		return 0;
	cap = b->cap < 64 ? 64 : b->cap + b->cap / 2;
	if (cap < need)
		cap = need;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->bad = AI_E_MEMORY;
		return -1;
	}
	b->p = p;
	b->cap = cap;
	return 0;
}

int ai_buf_add(struct ai_buf *b, const void *p, size_t n)
{
	if (ai_buf_reserve(b, n) < 0)
		return -1;
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
	return 0;
}

int ai_buf_str(struct ai_buf *b, const char *s)
{
	return ai_buf_add(b, s, strlen(s));
}

int ai_buf_vfmt(struct ai_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || ai_buf_reserve(b, (size_t)n) < 0)
		return -1;
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int ai_buf_fmt(struct ai_buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = ai_buf_vfmt(b, fmt, ap);
	va_end(ap);
	return rc;
}

int ai_buf_read(struct ai_buf *b, int fd)
{
	char part[4096];
	size_t room;
	ssize_t n;

	do {
		/* Into the room that there is; a part finds out whether what
		 * comes is more than the buffer may hold. */
		room = b->cap - b->len;
		if (room > b->max - b->len)
			room = b->max - b->len + 1;
		if (room > sizeof part) {
			n = read(fd, b->p + b->len, room - 1);
			b->len += n > 0 ? (size_t)n : 0;
			b->p[b->len] = '\0';
			continue;
		}
		n = read(fd, part, sizeof part);
		if (n > 0 && ai_buf_add(b, part, (size_t)n) < 0)
			return -1;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : 0;
}

int ai_buf_write(const struct ai_buf *b, int fd)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = write(fd, b->p + at, b->len - at);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

void ai_buf_consume(struct ai_buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
	} else {
		memmove(b->p, b->p + n, b->len - n);
		b->len -= n;
	}
	if (b->p != NULL)
		b->p[b->len] = '\0';
}

const char *ai_buf_cstr(const struct ai_buf *b)
{
	return b->p == NULL ? "" : b->p;
}

char *ai_buf_take(struct ai_buf *b)
{
	char *p = b->p;

	ai_buf_init(b, b->max);
	return p;
}

int ai_buf_check(const struct ai_buf *b, const char *what, struct ai_err *err)
{
	if (b->bad == AI_E_NONE)
		return 0;
	if (b->bad == AI_E_MEMORY)
		return ai_err_nomem(err);
	return ai_err_set(err, AI_E_TOO_LONG, "%s exceeds %zu bytes", what,
			  b->max);
}
