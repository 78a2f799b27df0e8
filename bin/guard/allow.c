/* allow.c: what is known to be harmless. */
#include "allow.h"

#include "base/msg.h"
#include "base/utf8.h"
#include "text/regex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MAX ((size_t)1 << 20)
#define FILE_MAX ((size_t)64 << 20)
#define HOST_MAX 253

/* A pattern that has taken too long this often is not asked again: findings
 * may be many, and whoever wrote the text may have made them so. */
#define GIVE_UP 4

enum what { TEXT, HOST, PATTERN, WHATS };
static const char *const names[WHATS] = {
	[TEXT] = "text", [HOST] = "host", [PATTERN] = "pattern",
};

struct guard_allow_entry {
	enum what what;
	struct guard_scope scope;
	char *value; /* owned, as all below */
	size_t n;
	struct ai_regex *re;
	char *by;
	atomic_uint slow; /* how often the pattern took too long */
};

void guard_allow_release(struct guard_allow *a)
{
	for (size_t i = 0; i < a->n; i++) {
		guard_scope_release(&a->v[i].scope);
		ai_regex_free(a->v[i].re);
		free(a->v[i].value);
		free(a->v[i].by);
	}
	free(a->v);
	memset(a, 0, sizeof *a);
}

/* ---- patterns ------------------------------------------------------------------ */

static int wrong(const char *place, const char *what, struct ai_span value,
		 enum ai_code code, struct ai_err *err)
{
	return ai_err_set(err, code, "%.160s: %.120s: '%.*s'", place, what,
			  (int)(value.n < 80 ? value.n : 80), value.p);
}

#define PROBE 4096
#define UNITS 16
#define PREFIXES 8
#define LETTERS 64

/*
 * What a pattern would take long on is made from the pattern: its letters, and
 * pairs of them, many times, behind the letters that stand before a place where
 * something may be repeated.  Behind them stands what hardly anything matches, and all
 * letters of the pattern: PCRE2 does not begin where one that must be there is not.
 */
#define NOTHING "\001\n\001"
struct probes {
	char unit[UNITS][3], prefix[PREFIXES][LETTERS];
	char tail[sizeof NOTHING + LETTERS];
	size_t units, prefixes;
};

static void add_unit(struct probes *p, char a, char b)
{
	char unit[3] = { a, b, '\0' };

	for (size_t i = 0; i < p->units; i++)
		if (strcmp(p->unit[i], unit) == 0)
			return;
	if (p->units < UNITS)
		memcpy(p->unit[p->units++], unit, sizeof unit);
}

static void add_prefix(struct probes *p, const char *text, size_t n)
{
	if (n >= sizeof p->prefix[0] || p->prefixes == PREFIXES)
		return;
	for (size_t i = 0; i < p->prefixes; i++)
		if (strlen(p->prefix[i]) == n &&
		    memcmp(p->prefix[i], text, n) == 0)
			return;
	memcpy(p->prefix[p->prefixes], text, n);
	p->prefix[p->prefixes++][n] = '\0';
}

/* A character that an escape stands for, or could. */
static char sample(char escape)
{
	static const char pairs[] = "w" "ad" "0s" " S" "aW" " D" "a";
	const char *p = pairs;

	for (; *p != '\0'; p += 2)
		if (*p == escape)
			return p[1];
	return escape;
}

static void make_probes(struct probes *p, struct ai_span pattern)
{
	char literal[LETTERS];
	size_t n = 0;
	char last = '\0', c;

	memset(p, 0, sizeof *p);
	add_prefix(p, "", 0);
	for (const char *s = "a0 "; *s != '\0'; s++)
		add_unit(p, *s, '\0');
	for (size_t i = 0; i < pattern.n; i++) {
		c = pattern.p[i];
		if (strchr("([.\\", c) != NULL)
			add_prefix(p, literal, n);
		if (c == '\\' && i + 1 < pattern.n)
			c = sample(pattern.p[++i]);
		else if (strchr("()[]{}?*+|^$.\\", c) != NULL)
			continue;
		/* A unit without length would never fill a text. */
		if (c == '\0')
			continue;
		if (n < sizeof literal)
			literal[n++] = c;
		add_unit(p, c, '\0');
		if (last != '\0')
			add_unit(p, last, c);
		last = c;
	}
	snprintf(p->tail, sizeof p->tail, "%s%.*s", NOTHING, (int)n, literal);
}

/* Whether the expression takes too long on something like what it matches. */
static int check_speed(const struct ai_regex *re, const char *place,
		       struct ai_span pattern, enum ai_code code,
		       struct ai_err *err)
{
	struct probes p;
	char text[PROBE + 2 * LETTERS];
	struct ai_err why;
	size_t n, len;

	make_probes(&p, pattern);
	for (size_t i = 0; i < p.prefixes * p.units; i++) {
		const char *unit = p.unit[i % p.units];

		n = strlen(p.prefix[i / p.units]);
		memcpy(text, p.prefix[i / p.units], n);
		len = strlen(unit);
		for (; n < PROBE; n += len)
			memcpy(text + n, unit, len);
		memcpy(text + n, p.tail, strlen(p.tail));
		n += strlen(p.tail);
		/* Half a character is no text. */
		if (ai_utf8_valid(text, n) < n)
			continue;
		if (ai_regex_match(re, (struct ai_span){ text, n }, 0, NULL, 0,
				   &why) < 0 && why.code == AI_E_TOO_LONG)
			return wrong(place, "this pattern takes too long on "
				     "long texts; let nothing that is repeated "
				     "be read in two ways", pattern, code, err);
	}
	return 0;
}

static int compile(struct guard_allow_entry *e, const char *place,
		   enum ai_code code, struct ai_err *err)
{
	static const unsigned flags = AI_REGEX_UNICODE | AI_REGEX_METERED;
	struct ai_span pattern = { e->value, e->n };
	struct ai_buf all = AI_BUF_INIT(AI_REGEX_PATTERN_MAX);
	struct ai_regex *alone;
	struct ai_err why;
	int rc;

	/* Alone first: "a)|(b" is none. */
	if (ai_regex_new(&alone, e->value, e->n, flags, &why) < 0)
		return wrong(place, why.msg, pattern, code, err);
	ai_regex_free(alone);
	ai_buf_str(&all, "\\A(?:");
	ai_buf_add(&all, e->value, e->n);
	ai_buf_str(&all, ")\\z");
	rc = ai_buf_check(&all, "a pattern", err);
	if (rc == 0 && ai_regex_new(&e->re, all.p, all.len, flags, &why) < 0)
		rc = wrong(place, why.msg, pattern, code, err);
	ai_buf_release(&all);
	return rc < 0 ? -1 : check_speed(e->re, place, pattern, code, err);
}

/* ---- reading ------------------------------------------------------------------- */

static struct ai_span word(struct ai_span *rest)
{
	struct ai_span w = { rest->p, 0 };

	while (w.n < rest->n && rest->p[w.n] != ' ' && rest->p[w.n] != '\t')
		w.n++;
	rest->p += w.n;
	rest->n -= w.n;
	if (rest->n > 0) {
		rest->p++;
		rest->n--;
	}
	return w;
}

static int what_of(struct ai_span name)
{
	for (int i = 0; i < WHATS; i++)
		if (ai_span_is(name, names[i]))
			return i;
	return -1;
}

/* In small letters; the dot at its end is no part of it. */
static int take_host(struct guard_allow_entry *e, const char *place,
		     enum ai_code code, struct ai_err *err)
{
	if (e->n > 0 && e->value[e->n - 1] == '.')
		e->n--;
	for (size_t i = 0; i < e->n; i++) {
		if (e->value[i] >= 'A' && e->value[i] <= 'Z')
			e->value[i] |= 0x20;
		if (strchr("/:@ \t", e->value[i]) != NULL ||
		    (e->value[i] == '*' && (i > 0 || e->n < 3 ||
					    e->value[1] != '.')))
			return wrong(place, "this is no host like "
				     "'docs.example.com' or '*.example.com'",
				     (struct ai_span){ e->value, e->n }, code,
				     err);
	}
	return 0;
}

static int take_entry(struct guard_allow_entry *e, struct ai_span entry,
		      const char *place, enum ai_code code,
		      struct ai_err *err)
{
	struct ai_span rest = entry, first = word(&rest), about = AI_SPAN("");
	int what = what_of(first);

	if (what < 0) {
		about = first;
		what = what_of(word(&rest));
	}
	if (what < 0 || rest.n == 0)
		return wrong(place, "write 'text VALUE', 'pattern REGEX' or "
			     "'host NAME'", entry,
			     code, err);
	if (what == HOST && about.n > 0)
		return wrong(place, "a host is allowed in all contexts; leave "
			     "out what stands before it", entry, code, err);
	if (guard_scope_read(&e->scope, about, place, code, err) < 0)
		return -1;
	e->what = (enum what)what;
	e->value = ai_span_dup(rest);
	e->n = rest.n;
	if (e->value == NULL ||
	    asprintf(&e->by, "%s: %.*s", place, (int)(entry.n < 200 ? entry.n :
						       200), entry.p) < 0)
		return ai_err_nomem(err);
	if (what == HOST)
		return take_host(e, place, code, err);
	return what == PATTERN ? compile(e, place, code, err) : 0;
}

int guard_allow_add(struct guard_allow *a, struct ai_span entry,
		    const char *place, enum ai_code code, struct ai_err *err)
{
	struct guard_allow_entry *more;

	if (a->n == ENTRIES_MAX)
		return ai_err_set(err, code, "%.200s: more than %zu entries are "
				  "allowed", place, ENTRIES_MAX);
	if (a->n == a->cap) {
		more = reallocarray(a->v, 2 * a->cap + 8, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		a->v = more;
		a->cap = 2 * a->cap + 8;
	}
	memset(&a->v[a->n], 0, sizeof *a->v);
	a->ready = false;
	/* What is read in part is to be released, too. */
	return take_entry(&a->v[a->n++], entry, place, code, err);
}

static int take_lines(struct guard_allow *a, const struct ai_buf *b,
		      const char *path, struct ai_err *err)
{
	const char *p = ai_buf_cstr(b), *end = p + b->len, *stop;
	struct ai_span line;
	char place[300];

	for (size_t number = 1; p < end; number++, p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		line = (struct ai_span){ p, (size_t)(stop - p) };
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		snprintf(place, sizeof place, "%.200s:%zu", path, number);
		if (ai_utf8_valid(line.p, line.n) < line.n ||
		    memchr(line.p, '\0', line.n) != NULL)
			return ai_err_set(err, AI_E_CONFIG,
					  "%s: the line is no UTF-8 text",
					  place);
		if (guard_allow_add(a, line, place, AI_E_CONFIG, err) < 0)
			return -1;
	}
	return 0;
}

int guard_allow_file(struct guard_allow *a, const char *path,
		     const char *place, enum ai_code code, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(FILE_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc;

	if (fd < 0)
		return ai_err_sys(err, code, errno, "%.100s: cannot open "
				  "'%.200s'", place, path);
	rc = ai_buf_read(&b, fd);
	if (rc < 0)
		rc = b.bad != AI_E_NONE ? ai_buf_check(&b, path, err) :
			ai_err_sys(err, code, errno, "%.100s: cannot read "
				   "'%.200s'", place, path);
	else
		rc = take_lines(a, &b, path, err);
	close(fd);
	ai_buf_release(&b);
	return rc;
}

/* ---- asking -------------------------------------------------------------------- */

static int compare(enum what what, struct ai_span value,
		   const struct guard_allow_entry *e)
{
	size_t n = value.n < e->n ? value.n : e->n;
	int c;

	if (what != e->what)
		return what < e->what ? -1 : 1;
	c = n > 0 ? memcmp(value.p, e->value, n) : 0;
	return c != 0 ? c : (value.n > e->n) - (value.n < e->n);
}

static int by_value(const void *a, const void *b)
{
	const struct guard_allow_entry *x = a;

	return compare(x->what, (struct ai_span){ x->value, x->n }, b);
}

void guard_allow_ready(struct guard_allow *a)
{
	/* Patterns are last, and in no order. */
	if (a->n > 1)
		qsort(a->v, a->n, sizeof *a->v, by_value);
	for (a->n_texts = 0; a->n_texts < a->n &&
	     a->v[a->n_texts].what != PATTERN;)
		a->n_texts++;
	a->ready = true;
}

/* The first entry of this value, or where it would stand. */
static size_t first_of(const struct guard_allow *a, enum what what,
		       struct ai_span value)
{
	size_t low = 0, high = a->n_texts;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(what, value, &a->v[mid]) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool matches(struct guard_allow_entry *e, struct ai_span value)
{
	struct ai_err why;
	int rc;

	if (atomic_load(&e->slow) >= GIVE_UP)
		return false;
	rc = ai_regex_match(e->re, value, 0, NULL, 0, &why);
	if (rc < 0 && why.code == AI_E_TOO_LONG &&
	    atomic_fetch_add(&e->slow, 1) + 1 == GIVE_UP)
		ai_msg(AI_MSG_WARN, "%s: the pattern takes too long, and allows "
		       "nothing from now on", e->by);
	return rc > 0;
}

const char *guard_allow_find(const struct guard_allow *a,
			     enum guard_context context, struct ai_span text,
			     const struct guard_finding *x)
{
	struct ai_span value;

	if (a->n == 0)
		return NULL;
	value = (struct ai_span){ text.p + x->from, x->to - x->from };
	for (size_t i = first_of(a, TEXT, value);
	     i < a->n_texts && compare(TEXT, value, &a->v[i]) == 0; i++)
		if (guard_scope_fits(&a->v[i].scope, context, x))
			return a->v[i].by;
	for (size_t i = a->n_texts; i < a->n; i++)
		if (guard_scope_fits(&a->v[i].scope, context, x) &&
		    matches(&a->v[i], value))
			return a->v[i].by;
	return NULL;
}

static bool has_host(const struct guard_allow *a, struct ai_span host)
{
	size_t i = first_of(a, HOST, host);

	return i < a->n_texts && compare(HOST, host, &a->v[i]) == 0;
}

bool guard_allow_hosts(const struct guard_allow *a)
{
	return first_of(a, HOST, AI_SPAN("")) < a->n_texts;
}

bool guard_allow_host(const struct guard_allow *a, const char *host, size_t n)
{
	char name[HOST_MAX + 2];

	if (n > 0 && host[n - 1] == '.')
		n--;
	if (n == 0 || n > HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)(host[i] >= 'A' && host[i] <= 'Z'
				 ? host[i] | 0x20 : host[i]);
	if (has_host(a, (struct ai_span){ name, n }))
		return true;
	/* "*" and what stands behind a name of it. */
	for (size_t i = 1; i < n; i++)
		if (name[i] == '.') {
			name[i - 1] = '*';
			if (has_host(a, (struct ai_span){ name + i - 1,
							  n - i + 1 }))
				return true;
		}
	return false;
}
