/* builtin-args.c: what calls of built-in tools are given. */
#include "tool/builtin.h"

#include "base/utf8.h"

#include <string.h>

struct ai_value agent_call_args(const struct agent_call *c)
{
	struct ai_value v;

	ai_json_check(c->args.p, c->args.n, &v, NULL);
	return v;
}

static struct ai_value get(const struct agent_call *c, const char *name)
{
	return ai_json_member(agent_call_args(c), ai_span_of(name));
}

int agent_call_text(const struct agent_call *c, const char *name,
		    const char *absent, struct ai_buf *text,
		    struct ai_err *err)
{
	struct ai_value v = get(c, name);

	ai_buf_clear(text);
	if (v.kind == AI_STRING)
		ai_json_text(v, text);
	else
		ai_buf_str(text, absent);
	ai_buf_add(text, "", 0);
	if (ai_buf_check(text, name, err) < 0)
		return -1;
	if (memchr(text->p, '\0', text->len) == NULL)
		return 0;
	return ai_err_set(err, AI_E_RECORD, "'%s' has a NUL in it", name);
}

int64_t agent_call_number(const struct agent_call *c, const char *name,
			  int64_t absent)
{
	int64_t n;

	return ai_json_i64(get(c, name), &n) == 0 ? n : absent;
}

bool agent_call_flag(const struct agent_call *c, const char *name)
{
	struct ai_value v = get(c, name);

	return v.kind == AI_BOOL && ai_json_true(v);
}

void agent_put_name(struct ai_buf *out, const char *name)
{
	size_t n = strlen(name), at = 0, len;

	while (at < n) {
		len = ai_utf8_len(name + at, n - at);
		if (len == 0 || (unsigned char)name[at] < ' ' ||
		    name[at] == 127)
			ai_buf_str(out, "\xEF\xBF\xBD");
		else
			ai_buf_add(out, name + at, len);
		at += len > 0 ? len : 1;
	}
}
