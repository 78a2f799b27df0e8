/*
 * From the pattern language of ECMA-262 (with its "u" flag), which JSON
 * Schema prescribes, to that of PCRE2.  Only what differs is rewritten.
 */
#include "text/regex.h"

#include "base/utf8.h"

#include <string.h>

/* White space and line terminators of ECMA-262, and all the rest. */
#define SPACES                                                                 \
	"\\x09-\\x0d\\x20\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"  \
	"\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                              \
	"\\x00-\\x08\\x0e-\\x1f\\x21-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}"  \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"            \
	"\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

struct ecma {
	const char *p;
	size_t n, i;
	bool in_class;
	struct ai_buf *out;
	struct ai_err *err;
};

/* General categories: the long names of Unicode, which PCRE2 lacks. */
static const struct {
	const char *name, *brief;
} categories[] = {
	{ "Cased_Letter", "L&" },         { "Close_Punctuation", "Pe" },
	{ "Combining_Mark", "M" },        { "Connector_Punctuation", "Pc" },
	{ "Control", "Cc" },              { "Currency_Symbol", "Sc" },
	{ "Dash_Punctuation", "Pd" },     { "Decimal_Number", "Nd" },
	{ "Enclosing_Mark", "Me" },       { "Final_Punctuation", "Pf" },
	{ "Format", "Cf" },               { "Initial_Punctuation", "Pi" },
	{ "LC", "L&" },                   { "Letter", "L" },
	{ "Letter_Number", "Nl" },        { "Line_Separator", "Zl" },
	{ "Lowercase_Letter", "Ll" },     { "Mark", "M" },
	{ "Math_Symbol", "Sm" },          { "Modifier_Letter", "Lm" },
	{ "Modifier_Symbol", "Sk" },      { "Nonspacing_Mark", "Mn" },
	{ "Number", "N" },                { "Open_Punctuation", "Ps" },
	{ "Other", "C" },                 { "Other_Letter", "Lo" },
	{ "Other_Number", "No" },         { "Other_Punctuation", "Po" },
	{ "Other_Symbol", "So" },         { "Paragraph_Separator", "Zp" },
	{ "Private_Use", "Co" },          { "Punctuation", "P" },
	{ "Separator", "Z" },             { "Space_Separator", "Zs" },
	{ "Spacing_Mark", "Mc" },         { "Surrogate", "Cs" },
	{ "Symbol", "S" },                { "Titlecase_Letter", "Lt" },
	{ "Unassigned", "Cn" },           { "Uppercase_Letter", "Lu" },
	{ "cntrl", "Cc" },                { "digit", "Nd" },
	{ "punct", "P" },
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly four hexadecimal digits at offset at, or -1. */
static long hex4(const struct ecma *e, size_t at)
{
	long v = 0;

	if (at > e->n || e->n - at < 4)
		return -1;
	for (size_t k = 0; k < 4; k++) {
		int d = hex_digit(e->p[at + k]);

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static int refuse(const struct ecma *e, const char *what)
{
	return ai_err_set(e->err, AI_E_DATA,
			  "not a regular expression: %s at byte %zu", what,
			  e->i);
}

static void copy(struct ecma *e, size_t n)
{
	ai_buf_add(e->out, e->p + e->i, n);
	e->i += n;
}

/* \uXXXX, a pair of them, or \u{X...}; i is at the backslash. */
static int unicode_escape(struct ecma *e)
{
	long hi = hex4(e, e->i + 2), lo;
	size_t end;

	if (hi < 0 && e->i + 2 < e->n && e->p[e->i + 2] == '{') {
		end = e->i + 3;
		while (end < e->n && hex_digit(e->p[end]) >= 0)
			end++;
		if (end == e->n || e->p[end] != '}')
			return refuse(e, "\\u{ without }");
		ai_buf_str(e->out, "\\x");
		e->i += 2;
		copy(e, end + 1 - e->i);
		return 0;
	}
	if (hi < 0)
		return refuse(e, "\\u without four hexadecimal digits");
	e->i += 6;
	if (hi >= 0xD800 && hi < 0xDC00 && e->n - e->i >= 6 &&
	    e->p[e->i] == '\\' && e->p[e->i + 1] == 'u') {
		lo = hex4(e, e->i + 2);
		if (lo >= 0xDC00 && lo < 0xE000) {
			hi = 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
			e->i += 6;
		}
	}
	if (hi >= 0xD800 && hi < 0xE000)
		return refuse(e, "half a surrogate pair before");
	ai_buf_fmt(e->out, "\\x{%lx}", (unsigned long)hi);
	return 0;
}

static struct ai_span without_prefix(struct ai_span s, const char *prefix)
{
	size_t k = strlen(prefix);

	if (s.n > k && memcmp(s.p, prefix, k) == 0)
		return (struct ai_span){ s.p + k, s.n - k };
	return s;
}

/* \p{Name} and \P{Name}; i is at the backslash. */
static int property(struct ecma *e)
{
	const char *from = e->p + e->i + 3, *close;
	struct ai_span name;

	if (e->n - e->i < 4 || e->p[e->i + 2] != '{')
		return refuse(e, "\\p without {");
	close = memchr(from, '}', e->n - e->i - 3);
	if (close == NULL)
		return refuse(e, "\\p{ without }");
	name = (struct ai_span){ from, (size_t)(close - from) };
	name = without_prefix(name, "General_Category=");
	name = without_prefix(name, "gc=");
	for (size_t k = 0; k < sizeof categories / sizeof *categories; k++) {
		if (ai_span_is(name, categories[k].name)) {
			name = ai_span_of(categories[k].brief);
			break;
		}
	}
	ai_buf_chr(e->out, '\\');
	if (ai_span_is(name, "Assigned")) {
		ai_buf_chr(e->out, e->p[e->i + 1] == 'p' ? 'P' : 'p');
		name = AI_SPAN("Cn");
	} else {
		ai_buf_chr(e->out, e->p[e->i + 1]);
	}
	ai_buf_chr(e->out, '{');
	ai_buf_add(e->out, name.p, name.n);
	ai_buf_chr(e->out, '}');
	e->i = (size_t)(close - e->p) + 1;
	return 0;
}

static int set(struct ecma *e, const char *chars)
{
	ai_buf_fmt(e->out, e->in_class ? "%s" : "[%s]", chars);
	e->i += 2;
	return 0;
}

static int escape(struct ecma *e)
{
	size_t len;

	if (e->i + 1 == e->n)
		return refuse(e, "\\ at the end");
	switch (e->p[e->i + 1]) {
	case 'u':
		return unicode_escape(e);
	case 'p':
	case 'P':
		return property(e);
	case 's':
		return set(e, SPACES);
	case 'S':
		return set(e, NO_SPACES);
	case 'v':
		ai_buf_str(e->out, "\\x0b");
		e->i += 2;
		return 0;
	case 'Q':
	case 'E':
		return refuse(e, "\\Q or \\E");
	}
	len = ai_utf8_len(e->p + e->i + 1, e->n - e->i - 1);
	copy(e, 1 + (len == 0 ? 1 : len));
	return 0;
}

static int next(struct ecma *e)
{
	char c = e->p[e->i];

	if (c == '\\')
		return escape(e);
	if (e->in_class && c == '[') /* no [:alpha:] */
		ai_buf_chr(e->out, '\\');
	else if (c == '[')
		e->in_class = true;
	else if (c == ']')
		e->in_class = false;
	else if (c == '(' && !e->in_class && e->i + 1 < e->n &&
		 e->p[e->i + 1] == '*')
		return refuse(e, "(*");
	copy(e, 1);
	return 0;
}

int ai_regex_from_ecma(const char *pattern, size_t n, struct ai_buf *out,
		       struct ai_err *err)
{
	struct ecma e = { .p = pattern, .n = n, .out = out, .err = err };

	while (e.i < e.n)
		if (next(&e) < 0)
			return -1;
	return 0;
}
