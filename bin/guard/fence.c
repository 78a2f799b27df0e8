#include "fence.h"

#include <string.h>

/* Code between backticks is no longer than this: so each of them is looked at
 * a bounded number of times. */
#define CODE_MAX 512

void guard_fence_init(struct guard_fence *f, struct ai_span text)
{
	memset(f, 0, sizeof *f);
	f->text = text;
}

static size_t run_of(const char *p, size_t n, size_t at, char c)
{
	size_t from = at;

	while (at < n && p[at] == c)
		at++;
	return at - from;
}

/* Takes the line at f->line: it opens or closes a fence, or does not. */
static void next_line(struct guard_fence *f)
{
	const char *p = f->text.p, *nl;
	size_t n = f->text.n, at = f->line, len;

	nl = memchr(p + at, '\n', n - at);
	f->line = nl != NULL ? (size_t)(nl - p) + 1 : n;
	/* What is quoted or in a list has fences as well. */
	while (at < f->line && (p[at] == ' ' || p[at] == '\t' || p[at] == '>'))
		at++;
	if (at == f->line || (p[at] != '`' && p[at] != '~'))
		return;
	len = run_of(p, f->line, at, p[at]);
	if (len < 3)
		return;
	if (!f->in) {
		/* ```code``` in one line is none. */
		if (p[at] == '`' &&
		    memchr(p + at + len, '`', f->line - at - len) != NULL)
			return;
		f->in = true;
		f->mark = p[at];
		f->length = len;
	} else if (p[at] == f->mark && len >= f->length) {
		f->in = false;
	}
}

/* Where a run of exactly len backticks begins in from..end, or end. */
static size_t closing(const char *p, size_t from, size_t end, size_t len)
{
	while (from < end) {
		const char *c = memchr(p + from, '`', end - from);
		size_t run;

		if (c == NULL)
			break;
		from = (size_t)(c - p);
		run = run_of(p, end, from, '`');
		if (run == len)
			return from;
		from += run;
	}
	return end;
}

/* Goes on to the code between backticks that at may be in. */
static void next_ticks(struct guard_fence *f, size_t at)
{
	const char *p = f->text.p;

	while (f->to <= at && f->tick <= at) {
		const char *open = memchr(p + f->tick, '`', f->line - f->tick);
		size_t from, end, len;

		f->tick = open != NULL ? (size_t)(open - p) : f->line;
		if (f->tick > at || open == NULL)
			return;
		len = run_of(p, f->line, f->tick, '`');
		f->tick = from = f->tick + len;
		end = f->line - from > CODE_MAX ? from + CODE_MAX : f->line;
		f->to = closing(p, from, end, len);
		if (f->to < end) {
			f->from = from;
			f->tick = f->to + len;
		} else {
			f->to = 0;
		}
	}
}

bool guard_fence_at(struct guard_fence *f, size_t at)
{
	while (f->line <= at && f->line < f->text.n) {
		f->tick = f->line;
		f->from = f->to = 0;
		next_line(f);
	}
	if (f->in)
		return true;
	next_ticks(f, at);
	return at >= f->from && at < f->to;
}
