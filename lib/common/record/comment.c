#include "record/comment.h"

#include "base/str.h"

#include <string.h>

size_t ai_json_line(const char *text, size_t at)
{
	return 1 + ai_count_byte(text, at, '\n');
}

/* Behind the string that begins at p[i]. */
static size_t string_end(const char *p, size_t i, size_t n)
{
	for (i++; i < n && p[i] != '"'; i++)
		if (p[i] == '\\')
			i++;
	return i < n ? i + 1 : n;
}

/* Behind the comment that begins at p[i]; i if there is none, or it has no end:
 * half a file must not look whole. */
static size_t comment_end(const char *p, size_t i, size_t n)
{
	const char *end = NULL;

	if (n - i < 2 || p[i] != '/' || (p[i + 1] != '/' && p[i + 1] != '*'))
		return i;
	if (p[i + 1] == '/')
		end = memchr(p + i, '\n', n - i);
	else
		end = memmem(p + i + 2, n - i - 2, "*/", 2);
	if (end == NULL)
		return p[i + 1] == '/' ? n : i;
	return (size_t)(end - p) + (p[i + 1] == '*' ? 2 : 0);
}

void ai_json_blank_comments(char *p, size_t n)
{
	size_t i = 0, end;

	while (i < n) {
		if (p[i] == '"') {
			i = string_end(p, i, n);
			continue;
		}
		end = comment_end(p, i, n);
		if (end == i)
			i++;
		for (; i < end; i++)
			if (p[i] != '\n')
				p[i] = ' ';
	}
}
