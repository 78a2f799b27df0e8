/* put.c: writing JSON text; the second half of json.h. */
#include "record/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A comma, unless what was written last opens a list or awaits a value. */
static void comma(struct ai_buf *b)
{
	char last = b->len > 0 ? b->p[b->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':' && last != '\n')
		ai_buf_chr(b, ',');
}

void ai_put_open(struct ai_buf *b, char bracket)
{
	comma(b);
	ai_buf_chr(b, bracket);
}

void ai_put_close(struct ai_buf *b, char bracket)
{
	ai_buf_chr(b, bracket);
}

static void quote(struct ai_buf *b, const char *p, size_t n)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	size_t i = 0, plain;

	ai_buf_chr(b, '"');
	while (i < n) {
		unsigned char c;
		const char *at;

		for (plain = i; i < n; i++) {
			c = (unsigned char)p[i];
			if (c < 0x20 || c == '"' || c == '\\')
				break;
		}
		ai_buf_add(b, p + plain, i - plain);
		if (i == n)
			break;
		c = (unsigned char)p[i++];
		at = c == 0 ? NULL : strchr(from, c);
		if (at != NULL)
			ai_buf_fmt(b, "\\%c", to[at - from]);
		else
			ai_buf_fmt(b, "\\u%04x", c);
	}
	ai_buf_chr(b, '"');
}

void ai_put_key(struct ai_buf *b, const char *name)
{
	comma(b);
	quote(b, name, strlen(name));
	ai_buf_chr(b, ':');
}

void ai_put_str(struct ai_buf *b, const char *p, size_t n)
{
	comma(b);
	quote(b, p, n);
}

void ai_put_cstr(struct ai_buf *b, const char *s)
{
	if (s == NULL)
		ai_put_null(b);
	else
		ai_put_str(b, s, strlen(s));
}

void ai_put_i64(struct ai_buf *b, int64_t v)
{
	comma(b);
	ai_buf_fmt(b, "%" PRId64, v);
}

void ai_put_f64(struct ai_buf *b, double v)
{
	char text[32];

	if (!isfinite(v)) {
		ai_put_null(b);
		return;
	}
	/* 17 digits always suffice; most numbers need far fewer. */
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	comma(b);
	ai_buf_str(b, text);
}

void ai_put_bool(struct ai_buf *b, bool v)
{
	comma(b);
	ai_buf_str(b, v ? "true" : "false");
}

void ai_put_null(struct ai_buf *b)
{
	comma(b);
	ai_buf_str(b, "null");
}

void ai_put_raw(struct ai_buf *b, const char *p, size_t n)
{
	comma(b);
	ai_buf_add(b, p, n);
}

void ai_put_value(struct ai_buf *b, struct ai_value v)
{
	if (v.kind == AI_NONE)
		ai_put_null(b);
	else
		ai_put_raw(b, v.s.p, v.s.n);
}
