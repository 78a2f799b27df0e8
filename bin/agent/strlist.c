#include "strlist.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Takes text over, also when it fails. */
static int push(struct agent_strings *s, char *text, struct ai_err *err)
{
	char **more;

	if (text == NULL)
		return ai_err_nomem(err);
	if (s->n + 1 >= s->cap) {
		more = reallocarray(s->v, s->cap * 2 + 8, sizeof *more);
		if (more == NULL) {
			free(text);
			return ai_err_nomem(err);
		}
		s->v = more;
		s->cap = s->cap * 2 + 8;
	}
	s->v[s->n++] = text;
	s->v[s->n] = NULL;
	return 0;
}

int agent_strings_add(struct agent_strings *s, struct ai_span text,
		      struct ai_err *err)
{
	return push(s, ai_span_dup(text), err);
}

int agent_strings_fmt(struct agent_strings *s, struct ai_err *err,
		      const char *fmt, ...)
{
	struct ai_buf b = AI_BUF_INIT(SIZE_MAX / 2);
	va_list ap;

	va_start(ap, fmt);
	ai_buf_vfmt(&b, fmt, ap);
	va_end(ap);
	return agent_strings_take(s, &b, err);
}

int agent_strings_take(struct agent_strings *s, struct ai_buf *b,
		       struct ai_err *err)
{
	ai_buf_add(b, "", 0); /* has memory even if it is empty */
	if (ai_buf_check(b, "a string", err) < 0) {
		ai_buf_release(b);
		return -1;
	}
	return push(s, ai_buf_take(b), err);
}

const char *const *agent_strings_list(const struct agent_strings *s)
{
	static const char *const none[] = { NULL };

	return s->v == NULL ? none : (const char *const *)s->v;
}

void agent_strings_release(struct agent_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	memset(s, 0, sizeof *s);
}
