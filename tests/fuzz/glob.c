/* Patterns of names: a file of them, an empty line, and names; each pattern
 * and name as by a matcher that tries all ways a star may go.
 * fuzz: bin/chunk/glob.c bin/chunk/ignore.c */
#include "../../bin/chunk/glob.h"
#include "../../bin/chunk/ignore.h"
#include "fuzz.h"

#include <string.h>

#define SHORT 24 /* longer ones take the slow matcher too long */

static bool is_star(struct ai_span p)
{
	return p.n > 0 && *p.p == '*';
}

static struct ai_span rest(struct ai_span s, size_t n)
{
	return (struct ai_span){ s.p + n, s.n - n };
}

/* The bytes of the set at the begin of p; 0: it has no end, or holds a class
 * that there is not. */
static size_t set_of(struct ai_span p)
{
	for (size_t n = 3; n <= p.n; n++)
		if (chunk_glob((struct ai_span){ p.p, n }, AI_SPAN("a")) ||
		    chunk_glob((struct ai_span){ p.p, n }, AI_SPAN("\x01")) ||
		    chunk_glob((struct ai_span){ p.p, n }, AI_SPAN("b")))
			return n;
	return 0;
}

/* before: the character before p in the pattern. */
static bool slow(struct ai_span p, struct ai_span t, char before)
{
	size_t stars = 0;
	bool any;

	if (p.n == 0)
		return t.n == 0;
	if (!is_star(p)) {
		size_t n = *p.p == '\\' ? 2 : 1;

		if (t.n == 0 || n > p.n)
			return false;
		if (*p.p == '?' ? *t.p == '/' : p.p[n - 1] != *t.p)
			return false;
		return slow(rest(p, n), rest(t, 1), p.p[n - 1]);
	}
	while (stars < p.n && p.p[stars] == '*')
		stars++;
	p = rest(p, stars);
	any = stars > 1 && before == '/' &&
		(p.n == 0 || *p.p == '/' ||
		 (*p.p == '\\' && p.n > 1 && p.p[1] == '/'));
	if (any && p.n > 0 && *p.p == '/' && slow(rest(p, 1), t, '/'))
		return true;
	for (size_t i = 0; i <= t.n; i++) {
		if (slow(p, rest(t, i), '*'))
			return true;
		if (i < t.n && t.p[i] == '/' && !any)
			return false;
	}
	return false;
}

static void compare(struct ai_span p, struct ai_span t)
{
	bool got = chunk_glob(p, t);

	if (p.n > SHORT || t.n > SHORT)
		return;
	/* Sets are matched by what is tested, one at a time. */
	if (memchr(p.p, '[', p.n) != NULL) {
		size_t n = *p.p == '[' ? set_of(p) : 0;

		must(n <= p.n);
		return;
	}
	must(got == slow(p, t, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *cut = size > 1 ? memmem(text, size, "\n\n", 2) : NULL;
	size_t n = cut != NULL ? (size_t)(cut - text) : size;
	struct chunk_patterns ps;
	struct ai_err err;
	char *copy = malloc(n + 1);

	must(copy != NULL);
	memcpy(copy, text, n);
	must(chunk_patterns_parse(&ps, copy, n, &err) == 0);
	for (size_t i = n + 2, to; i < size; i = to + 1) {
		const char *end = memchr(text + i, '\n', size - i);
		struct ai_span name;
		int file, folder;

		to = end != NULL ? (size_t)(end - text) : size;
		name = (struct ai_span){ text + i, to - i };
		file = chunk_patterns_ask(&ps, name, false);
		folder = chunk_patterns_ask(&ps, name, true);
		must(file >= -1 && file <= 1 && folder >= -1 && folder <= 1);
		for (size_t k = 0; k < ps.n; k++)
			compare(ps.v[k].text, name);
	}
	chunk_patterns_release(&ps);
	return 0;
}
