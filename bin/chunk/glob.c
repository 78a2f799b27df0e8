#include "glob.h"

#include <ctype.h>
#include <string.h>

/* ---- [...] --------------------------------------------------------------- */

static bool in_class(const char *name, size_t n, unsigned char c, bool *known)
{
	static const struct {
		const char *name;
		int (*is)(int c);
	} classes[] = {
		{ "alnum", isalnum }, { "alpha", isalpha },
		{ "blank", isblank }, { "cntrl", iscntrl },
		{ "digit", isdigit }, { "graph", isgraph },
		{ "lower", islower }, { "print", isprint },
		{ "punct", ispunct }, { "space", isspace },
		{ "upper", isupper }, { "xdigit", isxdigit },
	};

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (strlen(classes[i].name) == n &&
		    memcmp(classes[i].name, name, n) == 0) {
			*known = true;
			/* In every locale what it is in C. */
			return c < 0x80 && classes[i].is(c) != 0;
		}
	*known = false;
	return false;
}

struct set {
	const char *p, *end; /* what is not read yet */
	unsigned char c;     /* what is looked for */
	int before;          /* a range may begin with it; 0: none */
	bool found;
};

/* "[:alpha:]" from its second character on; false: it is none. */
static bool read_class(struct set *s, bool *good)
{
	const char *from = s->p + 2;
	const char *to = memchr(from, ']', (size_t)(s->end - from));

	*good = to != NULL;
	if (to == NULL)
		return true;
	if (to == from || to[-1] != ':' || to - 1 < from)
		return false;
	if (in_class(from, (size_t)(to - 1 - from), s->c, good))
		s->found = true;
	s->p = to + 1;
	s->before = 0;
	return true;
}

/* The character at s->p, without the backslash before it; -1: the pattern ends
 * there. */
static int read_char(struct set *s)
{
	if (s->p < s->end && *s->p == '\\')
		s->p++;
	return s->p < s->end ? (unsigned char)*s->p++ : -1;
}

/* One member of the set, or a range of them; false: it has no end. */
static bool read_member(struct set *s)
{
	bool range = *s->p == '-' && s->before > 0 && s->end - s->p > 1 &&
		s->p[1] != ']';
	bool good;
	int c;

	if (*s->p == '[' && s->end - s->p > 1 && s->p[1] == ':' &&
	    read_class(s, &good))
		return good;
	if (range)
		s->p++;
	c = read_char(s);
	if (c < 0)
		return false;
	if (range ? s->c >= s->before && s->c <= c : s->c == c)
		s->found = true;
	s->before = range ? 0 : c;
	return true;
}

/* Whether c is in the set behind the bracket at *at, which is then behind the
 * set.  One without an end holds nothing. */
static bool in_set(const char **at, const char *end, unsigned char c)
{
	struct set s = { .p = *at + 1, .end = end, .c = c };
	bool negated = s.p < end && (*s.p == '!' || *s.p == '^');

	if (negated)
		s.p++;
	do { /* a bracket that comes first is a member */
		if (s.p >= end || !read_member(&s))
			return false;
	} while (s.p < end && *s.p != ']');
	if (s.p >= end)
		return false;
	*at = s.p + 1;
	return s.found != negated && c != '/';
}

/* ---- all of it ----------------------------------------------------------- */

/* Whether what stands at *p, which is no star, stands for c; *p is then behind
 * it. */
static bool is_one(const char **p, const char *end, char c)
{
	switch (**p) {
	case '?':
		++*p;
		return c != '/';
	case '[':
		return in_set(p, end, (unsigned char)c);
	case '\\':
		if (end - *p < 2)
			return false;
		++*p;
		break;
	}
	return *(*p)++ == c;
}

/* Where to go on when what follows a star does not match: the star takes one
 * character more. */
struct retry {
	const char *p; /* behind the star; NULL: there was none */
	const char *t; /* as far as it reaches */
};

struct matching {
	struct ai_span pattern;
	const char *p, *pe, *t, *te;
	struct retry one, any; /* the last "*" and the last "**" */
};

enum taken { TAKES_ALL, GOES_ON, TAKES_TOO_LITTLE };

/* Past the star or stars at m->p. */
static enum taken take_stars(struct matching *m)
{
	const char *from = m->p;
	bool any;

	while (m->p < m->pe && *m->p == '*')
		m->p++;
	any = m->p - from > 1 && (from == m->pattern.p || from[-1] == '/') &&
		(m->p == m->pe || *m->p == '/' ||
		 (*m->p == '\\' && m->pe - m->p > 1 && m->p[1] == '/'));
	if (m->p == m->pe)
		return any || memchr(m->t, '/', (size_t)(m->te - m->t)) == NULL
			? TAKES_ALL : TAKES_TOO_LITTLE;
	if (!any) {
		m->one = (struct retry){ m->p, m->t };
		return GOES_ON;
	}
	m->any = (struct retry){ m->p, m->t };
	m->one.p = NULL;
	if (*m->p == '/') /* no folder at all */
		m->p++;
	return GOES_ON;
}

static bool try_again(struct matching *m)
{
	if (m->one.p != NULL && m->one.t < m->te && *m->one.t != '/') {
		m->p = m->one.p;
		m->t = ++m->one.t;
		return true;
	}
	if (m->any.p == NULL || m->any.t >= m->te)
		return false;
	/* What stands behind it begins with a slash. */
	m->t = memchr(m->any.t, '/', (size_t)(m->te - m->any.t));
	if (m->t == NULL)
		return false;
	m->any.t = m->t + 1;
	m->p = m->any.p;
	m->one.p = NULL;
	return true;
}

bool chunk_glob(struct ai_span pattern, struct ai_span name)
{
	struct matching m = {
		.pattern = pattern, .p = pattern.p, .pe = pattern.p + pattern.n,
		.t = name.p, .te = name.p + name.n,
	};
	enum taken taken;

	for (;;) {
		if (m.p == m.pe && m.t == m.te)
			return true;
		if (m.p < m.pe && *m.p == '*') {
			taken = take_stars(&m);
			if (taken == TAKES_ALL)
				return true;
			if (taken == GOES_ON)
				continue;
		} else if (m.p < m.pe && m.t < m.te &&
			   is_one(&m.p, m.pe, *m.t)) {
			m.t++;
			continue;
		}
		if (!try_again(&m))
			return false;
	}
}
