#include "text/html.h"

#include "text/view-build.h"

#include <string.h>

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
