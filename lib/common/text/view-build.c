/* view-build.c: a view that is being made, and a first look at a text. */
#include "text/view-build.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void ai_view_build_release(struct ai_view_build *b)
{
	free(b->p);
	free(b->at);
	free(b->end);
	memset(b, 0, sizeof *b);
}

/* The old block stays owned by *p when there is no memory. */
static bool resize(void *p, size_t n, size_t size)
{
	void **old = p, *more = reallocarray(*old, n, size);

	if (more != NULL)
		*old = more;
	return more != NULL;
}

static bool grow(struct ai_view_build *b, size_t n)
{
	size_t cap = b->cap;

	if (b->full || b->nomem)
		return false;
	if (n > b->max - b->n) {
		b->full = true;
		return false;
	}
	if (b->n + n <= cap)
		return true;
	while (cap < b->n + n)
		cap = 2 * cap + 256;
	/* And one more: at[] has an end. */
	if (!resize(&b->p, cap + 1, 1) ||
	    !resize(&b->at, cap + 1, sizeof *b->at) ||
	    !resize(&b->end, cap + 1, sizeof *b->end)) {
		b->nomem = true;
		return false;
	}
	b->cap = cap;
	return true;
}

bool ai_view_put(struct ai_view_build *b, const char *bytes, size_t n,
		 size_t from, size_t to)
{
	size_t at, end;

	if (!grow(b, n))
		return false;
	ai_view_span(b->of, from, to, &at, &end);
	for (size_t i = 0; i < n; i++) {
		b->p[b->n] = bytes[i];
		b->at[b->n] = (uint32_t)at;
		b->end[b->n++] = (uint32_t)end;
	}
	return true;
}

bool ai_view_copy(struct ai_view_build *b, size_t from, size_t to)
{
	const struct ai_view *of = b->of;
	size_t n = to - from;

	if (!grow(b, n))
		return false;
	if (n == 0)
		return true;
	memcpy(b->p + b->n, of->text.p + from, n);
	if (of->at != NULL) {
		memcpy(b->at + b->n, of->at + from, n * sizeof *b->at);
		memcpy(b->end + b->n, of->end + from, n * sizeof *b->end);
	} else {
		for (size_t i = 0; i < n; i++) {
			b->at[b->n + i] = (uint32_t)(from + i);
			b->end[b->n + i] = (uint32_t)(from + i + 1);
		}
	}
	b->n += n;
	return true;
}

bool ai_view_piece(struct ai_view_build *b)
{
	uint32_t at;

	if (b->n == 0)
		return true;
	if (!grow(b, 1))
		return false;
	at = b->back ? b->at[b->n - 1] : b->end[b->n - 1];
	b->p[b->n] = '\n';
	b->at[b->n] = b->end[b->n] = at;
	b->n++;
	return true;
}

void ai_view_clean(struct ai_view_build *b, size_t start)
{
	size_t len;

	for (size_t i = start; i < b->n; i += len) {
		len = ai_utf8_len(b->p + i, b->n - i);
		if (len == 0) {
			b->p[i] = '?';
			len = 1;
		} else if (b->p[i] == '\0') {
			b->p[i] = ' ';
		}
	}
}

/* ---- marks ------------------------------------------------------------------- */

#define WIDTH 16 /* bytes a step */
#define AHEAD 4  /* and those behind it that it looks at */

typedef unsigned char vec __attribute__((vector_size(WIDTH)));
typedef uint64_t vec64 __attribute__((vector_size(WIDTH)));

struct marks {
	vec wide, percent, amp, backslash, less, link, leet, spaced;
};

static inline vec load(const char *p)
{
	vec x;

	memcpy(&x, p, sizeof x);
	return x;
}

static inline vec alpha_of(vec x)
{
	return (vec)((x | 0x20) - 'a' < 26);
}

static inline void step(struct marks *m, const char *p)
{
	vec x0 = load(p), x1 = load(p + 1), a0 = alpha_of(x0),
	    a1 = alpha_of(x1), a2 = alpha_of(load(p + 2)),
	    a3 = alpha_of(load(p + 3)), a4 = alpha_of(load(p + 4)), d0, d1;

	d0 = (vec)(x0 - '0' < 10) | (vec)(x0 == '@') | (vec)(x0 == '$');
	d1 = (vec)(x1 - '0' < 10) | (vec)(x1 == '@') | (vec)(x1 == '$');
	m->wide |= x0;
	m->percent |= (vec)(x0 == '%');
	m->amp |= (vec)(x0 == '&');
	m->backslash |= (vec)(x0 == '\\');
	m->less |= (vec)(x0 == '<');
	m->link |= (vec)(x0 == ']') & ((vec)(x1 == '(') | (vec)(x1 == ':'));
	m->leet |= (a0 & d1) | (d0 & a1);
	m->spaced |= ~a0 & a1 & ~a2 & a3 & ~a4;
}

size_t ai_view_next_digit(const char *p, size_t at, size_t n)
{
	for (; at + WIDTH <= n; at += WIDTH) {
		vec64 y = (vec64)(vec)(load(p + at) - '0' < 10);

		if ((y[0] | y[1]) != 0)
			break;
	}
	while (at < n && !ai_view_digit(p[at]))
		at++;
	return at;
}

static unsigned any(vec x, unsigned mark)
{
	vec64 y = (vec64)x;

	return (y[0] | y[1]) != 0 ? mark : 0;
}

unsigned ai_view_marks(const char *p, size_t n)
{
	struct marks m = { 0 };
	char rest[2 * (WIDTH + AHEAD)] = { 0 };
	size_t i = 0;

	for (; i + WIDTH + AHEAD <= n; i += WIDTH)
		step(&m, p + i);
	memcpy(rest, p + i, n - i);
	step(&m, rest);
	step(&m, rest + WIDTH);
	return any(m.wide & 0x80, AI_VIEW_WIDE) |
	       any(m.percent, AI_VIEW_PERCENT) | any(m.amp, AI_VIEW_AMP) |
	       any(m.backslash, AI_VIEW_BACKSLASH) |
	       any(m.less, AI_VIEW_LESS) | any(m.link, AI_VIEW_LINK) |
	       any(m.leet, AI_VIEW_LEET) |
	       any(m.spaced, AI_VIEW_SPACED) | AI_VIEW_ALWAYS;
}
