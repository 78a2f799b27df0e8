/*
 * Cutting: the first three bytes choose the rule, the size and the overlap,
 * the rest is the text.  What must hold for all chunks holds for these.
 */
/* fuzz: bin/chunk/cut.c bin/chunk/split.c bin/chunk/markdown.c bin/chunk/measure.c */
#include "base/utf8.h"
#include "fuzz.h"
#include "text/segment.h"

#include "../../bin/chunk/cut.h"

#include <string.h>

struct seen {
	const struct chunk_how *how;
	const char *p;
	size_t n, from, to, number, lines;
};

static size_t newlines(const char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += p[i] == '\n';
	return k;
}

static int check(void *arg, const struct chunk_cut *c, struct ai_err *err)
{
	struct seen *s = arg;
	size_t len = c->to - c->from;

	(void)err;
	must(c->from < c->to && c->to <= s->n);
	must(c->number == s->number++ && c->number < c->count);
	must(c->number == 0 || (c->from > s->from && c->to > s->to));
	/* Nothing visible stands between two chunks. */
	must(c->from <= s->to ||
	     ai_blank_skip(s->p, c->from, s->to) == c->from);
	must(ai_utf8_valid(s->p + c->from, len) == len);
	must(c->oversize == (ai_utf8_count(s->p + c->from, len) >
			     s->how->size));
	must(!c->oversize || s->how->by == CHUNK_MARKDOWN);
	must(c->from >= s->to ||
	     ai_utf8_count(s->p + c->from, s->to - c->from) <=
		     s->how->overlap);
	must(c->line_from == 1 + newlines(s->p, c->from));
	must(c->line_to == 1 + newlines(s->p, c->to - 1));
	s->from = c->from;
	s->to = c->to;
	return 0;
}

static void cut(const char *p, size_t n, const struct chunk_how *how,
		size_t keep)
{
	struct chunk_cutter cutter = { .how = *how, .keep = keep };
	struct seen s = { .how = how, .p = p, .n = n };
	struct ai_err err;

	/* A byte order mark is in no chunk. */
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		s.to = 3;
	must(chunk_cut(&cutter, p, n, check, &s, &err) == 0);
	must(s.number == cutter.count);
	must(ai_blank_skip(p, n, s.to) == n);
	chunk_cutter_release(&cutter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk_how how = { .measure = &chunk_measure_chars };
	const char *p = (const char *)data + 3;

	if (size < 3)
		return 0;
	how.by = (enum chunk_by)(data[0] % 5);
	how.size = data[1] + 1u;
	how.overlap = data[2] % how.size;
	size -= 3;
	/* Looking is safe for any bytes, cutting takes UTF-8. */
	for (size_t i = 0; i <= size; i++)
		ai_break_at(p, size, i);
	if (ai_utf8_valid(p, size) != size)
		return 0;
	cut(p, size, &how, CHUNK_KEEP);
	cut(p, size, &how, 1);
	return 0;
}
