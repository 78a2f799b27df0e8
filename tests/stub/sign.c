/*
 * ai-sign: signs requests, for tests. A line of JSON in, a JSON array of the
 * header lines out, or the code of the error.
 *
 *	{"method":TEXT, "host":TEXT, "path":TEXT, "query":TEXT,
 *	 "headers":[LINE, ...], "body":TEXT, "region":TEXT, "service":TEXT,
 *	 "access_key":TEXT, "secret":TEXT, "token":TEXT, "time":SECONDS,
 *	 "content_sha256":BOOL}
 */
#include "base/buf.h"
#include "crypt/hash.h"
#include "net/sign.h"
#include "record/json.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXTS 64

/* The strings of one line; each is released with it. */
static struct ai_buf texts[TEXTS];
static size_t used;

static const char *text(struct ai_value v)
{
	struct ai_buf *b = &texts[used++];

	if (used == TEXTS)
		abort();
	ai_buf_init(b, 1 << 20);
	if (v.kind == AI_STRING)
		ai_json_text(v, b);
	return ai_buf_cstr(b);
}

static const char *get(struct ai_value line, const char *path)
{
	return text(ai_json_get(line, path));
}

static const char *body_sum(struct ai_value line, char hex[AI_SHA256_HEX])
{
	get(line, "body");
	ai_sha256_of(ai_buf_cstr(&texts[used - 1]), texts[used - 1].len, hex);
	return hex;
}

static int sign(struct ai_value line, struct ai_signed *s, struct ai_err *err)
{
	const char *headers[AI_SIGN_HEADERS_MAX + 1] = { NULL };
	char sum[AI_SHA256_HEX];
	struct ai_json_iter it;
	struct ai_value v;
	struct ai_sign q = {
		.method = get(line, "method"), .host = get(line, "host"),
		.path = get(line, "path"), .query = get(line, "query"),
		.headers = headers, .body_sha256 = body_sum(line, sum),
		.region = get(line, "region"),
		.service = get(line, "service"),
		.access_key = get(line, "access_key"),
		.secret = get(line, "secret"), .token = get(line, "token"),
		.content_sha256 = ai_json_true(ai_json_get(line,
							   "content_sha256")),
	};
	size_t n = 0;

	ai_json_i64(ai_json_get(line, "time"), &q.time_s);
	ai_json_iter_init(&it, ai_json_get(line, "headers"));
	while (n < AI_SIGN_HEADERS_MAX && ai_json_next(&it, NULL, &v))
		headers[n++] = text(v);
	return ai_sign_aws(&q, s, err);
}

static void answer(const char *p, size_t n)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct ai_value line;
	struct ai_signed s;

	if (ai_json_check(p, n, &line, &err) < 0) {
		printf("%s: %s\n", ai_code_name(err.code), err.msg);
		return;
	}
	if (sign(line, &s, &err) < 0) {
		printf("%s: %s\n", ai_code_name(err.code), err.msg);
	} else {
		ai_put_open(&out, '[');
		for (size_t i = 0; s.line[i] != NULL; i++)
			ai_put_cstr(&out, s.line[i]);
		ai_put_close(&out, ']');
		puts(ai_buf_cstr(&out));
	}
	ai_signed_release(&s);
	ai_buf_release(&out);
	while (used > 0)
		ai_buf_release(&texts[--used]);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (argc != 1) {
		fputs("usage: ai-sign <LINES\n", stderr);
		return 64;
	}
	(void)argv;
	while ((n = getline(&line, &size, stdin)) > 0)
		answer(line, (size_t)n);
	free(line);
	return fflush(stdout) != 0;
}
