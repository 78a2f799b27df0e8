#include "text/html.h"

#include "text/view-build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_name(char c)
{
	return !ai_view_blank(c) && c != '>' && c != '/' && c != '=' &&
	       c != '<' && c != '\0';
}

static size_t skip_blanks(const char *p, size_t end, size_t at)
{
	while (at < end && ai_view_blank(p[at]))
		at++;
	return at;
}

size_t ai_attribute_name(const char *p, size_t end, size_t at)
{
	while (at < end && is_name(p[at]))
		at++;
	return at;
}

bool ai_attribute_next(const char *p, size_t end, size_t *at,
		       struct ai_attribute *a)
{
	size_t i = *at, from;

	while (i < end && (ai_view_blank(p[i]) || p[i] == '/' || p[i] == '='))
		i++;
	from = i;
	i = ai_attribute_name(p, end, i);
	*a = (struct ai_attribute){ { p + from, i - from }, { p + i, 0 } };
	if (i == from)
		return false;
	*at = i;
	i = skip_blanks(p, end, i);
	if (i >= end || p[i] != '=')
		return true;
	i = skip_blanks(p, end, i + 1);
	if (i < end && (p[i] == '"' || p[i] == '\'')) {
		const char *quote = memchr(p + i + 1, p[i], end - i - 1);

		from = i + 1;
		i = quote != NULL ? (size_t)(quote - p) : end;
		*at = i < end ? i + 1 : end;
	} else {
		from = i;
		while (i < end && !ai_view_blank(p[i]) && p[i] != '>')
			i++;
		*at = i;
	}
	a->value = (struct ai_span){ p + from, i - from };
	return true;
}

bool ai_html_is(struct ai_span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

bool ai_html_is_one_of(struct ai_span s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (ai_html_is(s, *words))
			return true;
	return false;
}

/* ---- what hides ---------------------------------------------------------- */

#define STYLE_MAX 512

/* Declarations that hide: of a value, or of a number of at most this. */
static const struct {
	const char *property, *value; /* "": most counts */
	double most;
} hiding[] = {
	{ "display", "none", 0 }, { "visibility", "hidden", 0 },
	{ "visibility", "collapse", 0 }, { "color", "transparent", 0 },
	{ "transform", "scale(0)", 0 }, { "clip", "rect(0,0,0,0)", 0 },
	{ "font-size", "", 2 }, { "font", "", 2 }, { "opacity", "", .05 },
	{ "max-height", "", 0 }, { "height", "", 0 }, { "width", "", 0 },
	{ "line-height", "", 0 }, { "left", "", -500 }, { "top", "", -500 },
	{ "right", "", -500 }, { "text-indent", "", -500 },
	{ "margin-left", "", -500 },
};

/* A number in pixels, or without a unit; 1000 where there is none. */
static double number_of(const char *value)
{
	char *end;
	double x;

	if (strchr("-+.0123456789", *value) == NULL || *value == '\0')
		return 1000;
	x = strtod(value, &end);
	if (end == value)
		return 1000;
	if (end[0] == 'e' || end[0] == 'r') /* em, rem */
		x *= 16;
	else if (end[0] == '%')
		x *= .16;
	return x;
}

static bool declaration_hides(const char *property, const char *value)
{
	for (size_t i = 0; i < sizeof hiding / sizeof *hiding; i++) {
		if (*hiding[i].property != *property ||
		    strcmp(hiding[i].property, property) != 0)
			continue;
		if (*hiding[i].value == '\0' ? number_of(value) <=
						       hiding[i].most
					     : strcmp(hiding[i].value,
						      value) == 0)
			return true;
	}
	return false;
}

static bool is_white(const char *color)
{
	static const char *const white[] = {
		"white", "#fff", "#ffffff", "rgb(255,255,255)", "#fefefe",
		NULL,
	};

	return ai_html_is_one_of(ai_span_of(color), white);
}

/* The next declaration of a style without blanks, cut out; or NULL. */
static char *next_declaration(char **style, char **value)
{
	char *x = strsep(style, ";");

	if (x == NULL)
		return NULL;
	*value = x + strcspn(x, ":");
	if (**value == ':')
		*(*value)++ = '\0';
	(*value)[strcspn(*value, "!")] = '\0'; /* !important */
	return x;
}

bool ai_style_hides(struct ai_span style)
{
	char all[STYLE_MAX + 1], *rest = all, *property, *value;
	const char *color = "", *behind = NULL;
	size_t n = 0;

	for (size_t i = 0; i < style.n && n < STYLE_MAX; i++)
		if (!ai_view_blank(style.p[i]) && style.p[i] != '\0')
			all[n++] = ai_view_lower(style.p[i]);
	all[n] = '\0';
	while ((property = next_declaration(&rest, &value)) != NULL) {
		if (declaration_hides(property, value))
			return true;
		if (strcmp(property, "color") == 0)
			color = value;
		else if (strncmp(property, "background", 10) == 0)
			behind = value;
	}
	/* Letters of the colour of what is behind them. */
	return *color != '\0' && (behind == NULL ? is_white(color)
						: strcmp(color, behind) == 0);
}

static bool is_name_part(char c)
{
	return ai_view_alpha(c) || ai_view_digit(c) || c == '-' || c == '_' ||
	       c & 0x80;
}

void ai_hiding_note(struct ai_hiding *h, struct ai_span names)
{
	const char *p = names.p;
	size_t from = 0, at;

	while (from < names.n && h->n < AI_HIDING_MAX) {
		at = from++;
		if (p[at] != '.' && p[at] != '#')
			continue;
		while (from < names.n && is_name_part(p[from]))
			from++;
		if (from > at + 1)
			h->v[h->n++] = (struct ai_span){ p + at, from - at };
	}
}

/* Whether a style sheet hides what has this class or id. */
static bool name_hides(const struct ai_hiding *h, char sign, struct ai_span names)
{
	for (size_t i = 0; i < h->n; i++) {
		struct ai_span x = { h->v[i].p + 1, h->v[i].n - 1 };
		const char *hit = h->v[i].p[0] == sign && names.n >= x.n
					  ? memmem(names.p, names.n, x.p, x.n)
					  : NULL;

		if (hit != NULL &&
		    (hit == names.p || ai_view_blank(hit[-1])) &&
		    (hit + x.n == names.p + names.n || ai_view_blank(hit[x.n])))
			return true;
	}
	return false;
}

bool ai_attribute_hides(const struct ai_hiding *h,
			const struct ai_attribute *a)
{
	return ai_html_is(a->name, "hidden") ||
	       (ai_html_is(a->name, "style") && ai_style_hides(a->value)) ||
	       (ai_html_is(a->name, "class") && name_hides(h, '.', a->value)) ||
	       (ai_html_is(a->name, "id") && name_hides(h, '#', a->value));
}
