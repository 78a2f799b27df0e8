#include "tool/answer.h"

#include <string.h>
#include <strings.h>

/* A line of the head; its end is cut off. false: the head ends here. */
static bool next_line(struct ai_span *rest, struct ai_span *line)
{
	const char *eol = rest->n == 0 ? NULL :
		memchr(rest->p, '\n', rest->n);
	size_t n = eol == NULL ? rest->n : (size_t)(eol - rest->p);

	*line = (struct ai_span){ rest->p, n };
	if (n > 0 && line->p[n - 1] == '\r')
		line->n--;
	n += eol != NULL;
	rest->p += n;
	rest->n -= n;
	return line->n > 0;
}

static bool take_field(struct ai_span line, const char *name,
		       struct ai_span *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' ||
	    strncasecmp(line.p, name, n) != 0)
		return false;
	for (n++; n < line.n && (line.p[n] == ' ' || line.p[n] == '\t');)
		n++;
	*value = (struct ai_span){ line.p + n, line.n - n };
	return true;
}

bool agent_answer_read(struct ai_span all, struct agent_answer *a)
{
	struct ai_span line;
	int64_t status = 0;

	do {
		*a = (struct agent_answer){ 0 };
		if (!next_line(&all, &line) || line.n < 12 ||
		    strncmp(line.p, "HTTP/", 5) != 0)
			return false;
		for (size_t i = 0; i + 4 <= line.n; i++)
			if (line.p[i] == ' ') {
				ai_parse_i64((struct ai_span){ line.p + i + 1,
							       3 }, &status);
				break;
			}
		while (next_line(&all, &line))
			if (!take_field(line, "Content-Type", &a->type))
				take_field(line, "Location", &a->location);
	} while (status >= 100 && status < 200);
	a->status = (int)status;
	a->body = all;
	return status >= 200;
}
