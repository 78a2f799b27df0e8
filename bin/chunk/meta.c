#include "meta.h"

#include "base/str.h"
#include "record/json.h"

#include "cut.h"

#include <string.h>

#define KEYS_MAX 200 /* more of them are left out */
#define KEY_MAX 100  /* bytes */
/* Bytes of all of it: every chunk repeats it. What does not fit is left out. */
#define META_SHOWN ((size_t)16 << 10)

static struct ai_span trim(struct ai_span s)
{
	while (s.n > 0 && strchr(" \t\r", s.p[0]) != NULL) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

/* Takes a line from what is left. */
static struct ai_span take_line(struct ai_span *left)
{
	const char *nl = memchr(left->p, '\n', left->n);
	struct ai_span line = { left->p, nl != NULL ? (size_t)(nl - left->p)
						    : left->n };
	size_t used = line.n + (nl != NULL);

	left->p += used;
	left->n -= used;
	return line;
}

/* ---- values -------------------------------------------------------------- */

/* In quotes: "" knows \" and \\, '' knows ''. */
static void put_quoted(struct ai_buf *out, struct ai_span s)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20);
	char quote = s.p[0];

	for (size_t i = 1; i + 1 < s.n; i++) {
		if (i + 2 < s.n &&
		    ((quote == '"' && s.p[i] == '\\' &&
		      (s.p[i + 1] == '"' || s.p[i + 1] == '\\')) ||
		     (quote == '\'' && s.p[i] == '\'' && s.p[i + 1] == '\'')))
			i++;
		ai_buf_chr(&text, s.p[i]);
	}
	ai_put_str(out, ai_buf_cstr(&text), text.len);
	ai_buf_release(&text);
}

static void put_scalar(struct ai_buf *out, struct ai_span s)
{
	int64_t i;

	s = trim(s);
	if (s.n > 1 && (s.p[0] == '"' || s.p[0] == '\'') &&
	    s.p[s.n - 1] == s.p[0])
		put_quoted(out, s);
	else if (ai_span_is(s, "true") || ai_span_is(s, "false"))
		ai_put_bool(out, s.p[0] == 't');
	else if (s.n < 16 && (s.n == 1 || (s.n > 1 && s.p[0] != '0')) &&
		 s.p[0] != '+' && ai_parse_i64(s, &i) == 0)
		ai_put_i64(out, i);
	else
		ai_put_str(out, s.p, s.n);
}

/* [a, "b, c"] */
static void put_flow(struct ai_buf *out, struct ai_span s)
{
	size_t from = 1, i;
	char quote = '\0';

	ai_put_open(out, '[');
	for (i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (quote != '\0') {
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == ',' || i + 1 == s.n) {
			struct ai_span item = trim(
				(struct ai_span){ s.p + from, i - from });

			if (item.n > 0)
				put_scalar(out, item);
			from = i + 1;
		}
	}
	ai_put_close(out, ']');
}

/* The lines under a key: items, or text as it stands. */
static void put_lines(struct ai_buf *out, struct ai_span lines)
{
	struct ai_span left = lines, line, text = trim(lines);
	bool items = true;

	while (left.n > 0) {
		line = trim(take_line(&left));
		items &= line.n == 0 || (line.n > 1 && line.p[0] == '-' &&
					 line.p[1] == ' ');
	}
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (!items || text.n == 0) {
		if (text.n == 0)
			ai_put_null(out);
		else
			ai_put_str(out, text.p, text.n);
		return;
	}
	ai_put_open(out, '[');
	for (left = lines; left.n > 0;) {
		line = trim(take_line(&left));
		if (line.n > 0)
			put_scalar(out, (struct ai_span){ line.p + 2,
							  line.n - 2 });
	}
	ai_put_close(out, ']');
}

/* ---- keys ---------------------------------------------------------------- */

/* "key: rest" in the first column. */
static bool read_key(struct ai_span line, struct ai_span *key,
		     struct ai_span *rest)
{
	const char *colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;

	if (colon == NULL || strchr(" \t#-:", line.p[0]) != NULL)
		return false;
	*key = trim((struct ai_span){ line.p, (size_t)(colon - line.p) });
	*rest = (struct ai_span){ colon + 1,
				  (size_t)(line.p + line.n - colon - 1) };
	if (rest->n > 0 && strchr(" \t\r", rest->p[0]) == NULL)
		return false;
	*rest = trim(*rest);
	return key->n > 0 && key->n <= KEY_MAX;
}

/* Lines that belong to the key before them. */
static struct ai_span take_under(struct ai_span *left)
{
	struct ai_span under = { left->p, 0 }, next = *left, line;

	while (next.n > 0) {
		line = take_line(&next);
		if (line.n > 0 && strchr(" \t\r-", line.p[0]) == NULL)
			break;
		if (line.n >= 3 && memcmp(line.p, "---", 3) == 0)
			break;
		*left = next;
		under.n = (size_t)(left->p - under.p);
	}
	return under;
}

static void put_title(struct ai_buf *title, const struct ai_buf *out,
		      size_t from)
{
	struct ai_value v;
	struct ai_err err;

	if (title->len == 0 &&
	    ai_json_check(out->p + from, out->len - from, &v, &err) == 0 &&
	    v.kind == AI_STRING) {
		ai_json_text(v, title);
		title->len = chunk_label(ai_buf_cstr(title), title->len).n;
	}
}

void chunk_meta_put(struct ai_buf *out, struct ai_buf *title, const char *p,
		    size_t n)
{
	struct ai_span left = { p, n }, key, rest;
	int keys = 0;

	ai_put_open(out, '{');
	take_line(&left); /* the dashes */
	while (left.n > 0) {
		struct ai_span line = take_line(&left), under;
		size_t from, len = out->len;

		if (!read_key(line, &key, &rest) || keys++ >= KEYS_MAX)
			continue;
		under = take_under(&left);
		if (rest.n + under.n > META_SHOWN)
			continue;
		ai_put_str(out, key.p, key.n);
		ai_buf_chr(out, ':');
		from = out->len;
		if (rest.n == 0 || strchr("|>", rest.p[0]) != NULL)
			put_lines(out, under);
		else if (rest.p[0] == '[' && rest.p[rest.n - 1] == ']')
			put_flow(out, rest);
		else
			put_scalar(out, rest);
		if (ai_span_is(key, "title") && out->bad == AI_E_NONE)
			put_title(title, out, from);
		if (out->len > META_SHOWN)
			out->len = len;
	}
	ai_put_close(out, '}');
}
