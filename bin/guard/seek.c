/*
 * seek.c: an automaton finds the keys of all rules in one pass; at a key its
 * rules' patterns are tried, on a piece of the text that is bounded.  No rule
 * looks at a byte much more often than it has keys there, so time is linear in
 * the text.
 */
#include "seek.h"

#include "text/match.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS 16
#define LINES 5

struct seek {
	const struct guard_rules *r;
	struct guard_seek_cache *cache;
	struct ai_span text;
	guard_seek_fn *each;
	void *arg;
	struct ai_err *err;
	size_t done[GUARD_SEEK_RULES]; /* no match of a rule begins before */
	/* For near and lines: looked for when no key is near any more. */
	size_t from[GUARD_SEEK_RULES], to[GUARD_SEEK_RULES];
};

struct ai_regex *guard_seek_regex(_Atomic(struct ai_regex *) *slot,
				 const char *pattern, struct ai_err *err)
{
	struct ai_regex *re = atomic_load(slot), *none = NULL;

	if (re != NULL)
		return re;
	if (ai_regex_new(&re, pattern, strlen(pattern), AI_REGEX_BYTES,
			 err) < 0)
		return NULL;
	if (atomic_compare_exchange_strong(slot, &none, re))
		return re;
	ai_regex_free(re); /* another thread was first */
	return none;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

/*
 * One match of a rule that begins at or behind at and ends before end.  What
 * stands before is seen.  1: found, and done[rule] is its end; 0; -1.
 */
static int try_at(struct seek *s, unsigned rule, size_t at, size_t end)
{
	const struct guard_rule *x = &s->r->rules[rule];
	struct ai_regex *re = guard_seek_regex(&s->cache->patterns[rule],
						x->pattern, s->err);
	size_t before = at > 0, to, from;
	struct ai_span text = { s->text.p + at - before,
				end - at + before };
	struct ai_span caps[GROUPS] = { 0 };
	const char *p = s->text.p;
	unsigned group = 1;
	int rc;

	if (re == NULL)
		return -1;
	rc = ai_regex_match(re, text, before, caps, GROUPS, s->err);
	if (rc < 0 && s->err->code == AI_E_TOO_LONG)
		return 0; /* its limits: as if it were not there */
	if (rc <= 0)
		return rc;
	s->done[rule] = (size_t)(caps[0].p - p) + caps[0].n + (caps[0].n == 0);
	while (group < GROUPS && caps[group].p == NULL)
		group++;
	if (group == GROUPS)
		group = 0;
	from = (size_t)(caps[group].p - p);
	to = from + caps[group].n;
	/* One that is longer than what was looked at. */
	while (to == end && end < s->text.n &&
	       (is_word(p[end]) || strchr("+/=.-", p[end]) != NULL) &&
	       p[end] != '\0')
		to = ++end;
	if (to > s->done[rule])
		s->done[rule] = to;
	return s->each(s->arg, rule, caps[0], from, to) < 0 ? -1 : 1;
}

/* ---- rules whose match need not begin at a key ------------------------------------ */

/* All matches in what the keys of a rule were near to. */
static int search(struct seek *s, unsigned rule)
{
	size_t at = s->from[rule], end = s->to[rule];
	int rc = 1;

	while (rc > 0 && at < end) {
		rc = try_at(s, rule, at, end);
		at = s->done[rule];
	}
	s->from[rule] = s->to[rule] = 0;
	if (rc >= 0 && s->done[rule] < end)
		s->done[rule] = end;
	return rc < 0 ? -1 : 0;
}

static size_t end_of_lines(const struct seek *s, size_t from, size_t end)
{
	const char *p = s->text.p, *nl;

	for (int lines = 0; from < end; lines++) {
		nl = memchr(p + from, '\n', end - from);
		if (nl == NULL)
			return end;
		from = (size_t)(nl - p);
		if (lines == LINES)
			return from;
		/* An empty line and the end of the one before it are one. */
		from += from + 1 < end && p[from + 1] == '\n' ? 2 : 1;
	}
	return end;
}

/* What lies around a key is looked at together with what lies around the
 * next one, if they touch: no byte is looked at twice. */
static int near(struct seek *s, unsigned rule, size_t from, size_t to)
{
	if (s->to[rule] > 0 && from > s->to[rule] && search(s, rule) < 0)
		return -1;
	if (s->to[rule] == 0)
		s->from[rule] = from > s->done[rule] ? from : s->done[rule];
	if (to > s->to[rule])
		s->to[rule] = to;
	return 0;
}

/* ---- at a key --------------------------------------------------------------------------- */

/* Whether an assignment may follow: what its expression begins with. */
static bool assigned(const struct seek *s, size_t i, size_t slack)
{
	const char *p = s->text.p;
	size_t n = s->text.n, end = i + 20 + slack;

	while (i < n && i < end &&
	       (is_word(p[i]) || p[i] == ' ' || p[i] == '\t' || p[i] == '.' ||
		p[i] == '-'))
		i++;
	end = i + 3;
	while (i < n && i < end &&
	       (p[i] == '\'' || p[i] == '"' || p[i] == ' ' ||
		(p[i] >= '\t' && p[i] <= '\r')))
		i++;
	return i < n && p[i] != '\0' && strchr("=>:|?,", p[i]) != NULL;
}

static int on_key(void *arg, unsigned key, size_t end)
{
	struct seek *s = arg;
	unsigned rule = s->r->rule_of[key];
	const struct guard_rule *x = &s->r->rules[rule];
	size_t at = end - s->r->length_of[key], n = s->text.n, len;
	size_t stop = n - end > x->reach ? end + x->reach : n;
	const char *p = s->text.p;

	if (x->form == GUARD_NEAR)
		return near(s, rule, at > x->before ? at - x->before : 0, stop);
	if (x->form == GUARD_LINES)
		return (at > 0 && is_word(p[at - 1])) ||
				       (end < n && is_word(p[end]))
			       ? 0
			       : near(s, rule, at, end_of_lines(s, at, stop));
	if (at < s->done[rule])
		return 0;
	len = strlen(x->literal);
	if ((x->word && at > 0 && is_word(p[at - 1]) == is_word(p[at])) ||
	    n - at < len || memcmp(p + at, x->literal, len) != 0 ||
	    (x->form == GUARD_NAME && !assigned(s, end, x->slack)))
		return 0;
	return try_at(s, rule, at, stop) < 0 ? -1 : 0;
}

int guard_seek(const struct guard_rules *r, struct guard_seek_cache *cache,
	       struct ai_span text, guard_seek_fn *each, void *arg,
	       struct ai_err *err)
{
	struct seek s;

	s.r = r;
	s.cache = cache;
	s.text = text;
	s.each = each;
	s.arg = arg;
	s.err = err;
	if (r->n > GUARD_SEEK_RULES)
		return ai_err_set(err, AI_E_BUG, "too many rules");
	memset(s.done, 0, r->n * sizeof *s.done);
	memset(s.from, 0, r->n * sizeof *s.from);
	memset(s.to, 0, r->n * sizeof *s.to);
	if (ai_match_scan(r->match, text, on_key, &s) != 0)
		return -1;
	for (unsigned i = 0; i < r->n; i++)
		if (s.to[i] > 0 && search(&s, i) < 0)
			return -1;
	return 0;
}
