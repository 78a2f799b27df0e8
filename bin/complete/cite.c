/*
 * cite.c: from the [n] in an answer to the hits they mean.
 *
 * A citation is a bracket with numbers from 1 in it: [1], [1, 3], [2-4].
 * What stands in code (between backticks, in a fenced block) is no citation,
 * nor is a link of Markdown, [1](address).
 */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

/* Longer numbers count as this one, which every reader of JSON takes. */
#define NUMBER_MAX 999999999999999
/* Nobody reads more; hostile answers must not cost more. */
#define CITED_MAX 1000
#define RANGE_MAX 100
#define CODE_MAX ((size_t)1 << 18)

static int add_invalid(struct complete_answer *a, int64_t n)
{
	for (size_t i = 0; i < a->n_invalid; i++)
		if (a->invalid[i] == n)
			return 0;
	if (a->n_invalid < sizeof a->invalid / sizeof *a->invalid)
		a->invalid[a->n_invalid++] = n;
	return 0;
}

int complete_cite_add(struct complete_answer *a, size_t n, struct ai_err *err)
{
	size_t *more, cap;

	for (size_t i = 0; i < a->n_cited; i++)
		if (a->cited[i] == n)
			return 0;
	if (a->n_cited == CITED_MAX)
		return 0;
	if (a->n_cited == a->cap_cited) {
		cap = a->cap_cited * 2 + 8;
		more = reallocarray(a->cited, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		a->cited = more;
		a->cap_cited = cap;
	}
	a->cited[a->n_cited++] = n;
	return 0;
}

static int add_number(struct complete_answer *a, int64_t n, size_t n_hits,
		      struct ai_err *err)
{
	if (n < 1 || (uint64_t)n > n_hits)
		return add_invalid(a, n);
	return complete_cite_add(a, (size_t)n - 1, err);
}

/* A number at p[*i], or -1. */
static int64_t number(struct ai_span s, size_t *i)
{
	int64_t n = -1;

	while (*i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9') {
		n = (n < 0 ? 0 : n) * 10 + (s.p[(*i)++] - '0');
		n = n > NUMBER_MAX ? NUMBER_MAX : n;
	}
	return n;
}

static void blanks(struct ai_span s, size_t *i)
{
	while (*i < s.n && s.p[*i] == ' ')
		(*i)++;
}

/* Bytes of a hyphen or an en dash at p[i], or 0. */
static size_t dash(struct ai_span s, size_t i)
{
	if (i < s.n && s.p[i] == '-')
		return 1;
	return i + 3 <= s.n && memcmp(s.p + i, "\xE2\x80\x93", 3) == 0 ? 3 : 0;
}

/* "3" or "2-4"; a range counts up to n_hits and one beyond, of one that is
 * too long both its ends. */
static int one_range(struct complete_answer *a, struct ai_span s, size_t *i,
		     size_t n_hits, bool count, struct ai_err *err)
{
	int64_t from, to;
	size_t len;

	blanks(s, i);
	from = to = number(s, i);
	len = dash(s, *i);
	if (len > 0) {
		*i += len;
		to = number(s, i);
	}
	blanks(s, i);
	if (from < 0 || to < from)
		return -1;
	if (count && to - from > RANGE_MAX &&
	    add_number(a, to, n_hits, err) < 0)
		return -1;
	if (to - from > RANGE_MAX)
		to = from;
	for (int64_t n = from; count && n <= to; n++) {
		if (add_number(a, n, n_hits, err) < 0)
			return -1;
		if (n > (int64_t)n_hits)
			break;
	}
	return 0;
}

/*
 * The bracket at s.p[at]: bytes of the citation, 0 if it is none, or -1.
 * First it is looked at, then counted.
 */
static ssize_t bracket(struct complete_answer *a, struct ai_span s, size_t at,
		       size_t n_hits, struct ai_err *err)
{
	for (int count = 0; count < 2; count++) {
		size_t i = at;

		do {
			i++;
			if (one_range(a, s, &i, n_hits, count, err) < 0)
				return count ? -1 : 0;
		} while (i < s.n && s.p[i] == ',');
		if (i == s.n || s.p[i] != ']' ||
		    (i + 1 < s.n && s.p[i + 1] == '('))
			return 0;
		if (count)
			return (ssize_t)(i + 1 - at);
	}
	return 0;
}

/* Behind the code that begins with the backticks at s.p[at]; behind the
 * backticks if it never ends. */
static size_t skip_code(struct ai_span s, size_t at)
{
	size_t n = 0, run = 0;

	while (at + n < s.n && s.p[at + n] == '`')
		n++;
	for (size_t i = at + n; i < s.n && i - at < CODE_MAX; i++) {
		run = s.p[i] == '`' ? run + 1 : 0;
		if (run == n && (i + 1 == s.n || s.p[i + 1] != '`'))
			return i + 1;
	}
	return at + n;
}

int complete_cite(struct complete_answer *a, size_t n_hits, struct ai_err *err)
{
	struct ai_span s = { ai_buf_cstr(&a->chat.text), a->chat.text.len };
	size_t i = 0;
	ssize_t len;

	while (i < s.n) {
		if (s.p[i] == '`') {
			i = skip_code(s, i);
			continue;
		}
		len = s.p[i] == '[' ? bracket(a, s, i, n_hits, err) : 0;
		if (len < 0)
			return -1;
		i += len > 0 ? (size_t)len : 1;
	}
	return 0;
}
