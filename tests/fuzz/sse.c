/*
 * Streams of events: whatever the pieces, the events are those that a reader
 * finds who has the whole text and goes by the standard, step by step. The
 * first byte says which framing, how the text is cut and how long events may
 * be.
 * fuzz: lib/common/net/sse.c
 */
#include "net/sse.h"
#include "record/json.h"
#include "fuzz.h"

#include <string.h>

static int each(void *arg, struct ai_span name, struct ai_span data,
		struct ai_err *err)
{
	struct ai_buf *out = arg;

	(void)err;
	ai_buf_fmt(out, "%zu,%zu:", name.n, data.n);
	ai_buf_add(out, name.p, name.n);
	ai_buf_add(out, data.p, data.n);
	return 0;
}

/* Feeds p[0..n) in pieces of 1 to most bytes; what came is in out. */
static int push(enum ai_sse_framing framing, size_t max, const char *p,
		size_t n, size_t most, struct ai_buf *out)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_sse s;
	unsigned state = (unsigned)n;
	bool cut = false;
	size_t k;
	int rc = 0;

	ai_sse_init(&s, framing, max, each, out);
	for (size_t i = 0; i < n && rc == 0; i += k) {
		state = state * 1103515245 + 12345;
		k = 1 + (state >> 16) % most;
		k = k < n - i ? k : n - i;
		rc = ai_sse_add(&s, p + i, k, &err);
		must(s.data.len <= max && s.name.len <= AI_SSE_NAME_MAX);
	}
	if (rc == 0)
		rc = ai_sse_end(&s, &cut, &err);
	must(rc == 0 || (rc == -1 && err.code == AI_E_TOO_LONG));
	ai_sse_release(&s);
	ai_buf_fmt(out, rc < 0 ? "long" : cut ? "cut" : "whole");
	return rc;
}

/* ---- the slow reader ---------------------------------------------------- */

struct slow {
	struct ai_buf name, data, *out;
	size_t max;
};

/* One line of an event stream, without its end: -1 if it is too long. */
static int slow_field(struct slow *s, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	size_t name = colon == NULL ? n : (size_t)(colon - p);
	struct ai_span field = { p, name }, value = { p + n, 0 };

	if (colon != NULL)
		value = (struct ai_span){ colon + 1, n - name - 1 };
	if (value.n > 0 && value.p[0] == ' ')
		value.p++, value.n--;
	if (ai_span_is(field, "event")) {
		ai_buf_clear(&s->name);
		ai_buf_add(&s->name, value.p, value.n);
		return value.n > AI_SSE_NAME_MAX ? -1 : 0;
	}
	if (ai_span_is(field, "data")) {
		ai_buf_add(&s->data, value.p, value.n);
		ai_buf_chr(&s->data, '\n');
		return s->data.len - 1 > s->max ? -1 : 0;
	}
	return 0;
}

static void slow_dispatch(struct slow *s)
{
	if (s->data.len > 0)
		each(s->out, (struct ai_span){ ai_buf_cstr(&s->name),
					       s->name.len },
		     (struct ai_span){ ai_buf_cstr(&s->data),
				       s->data.len - 1 }, NULL);
	ai_buf_clear(&s->name);
	ai_buf_clear(&s->data);
}

static const char *slow_events(struct slow *s, const char *p, size_t n)
{
	size_t from = 0, i = 0;

	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		from = i = 3;
	while (i < n) {
		if (p[i] != '\n' && p[i] != '\r') {
			i++;
			continue;
		}
		if (i == from)
			slow_dispatch(s);
		else if (slow_field(s, p + from, i - from) < 0)
			return "long";
		i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n' ? 2 : 1;
		from = i;
	}
	/* A line that is not ended may be too long as soon as it has a
	 * value. */
	if (memchr(p + from, ':', n - from) != NULL &&
	    slow_field(s, p + from, n - from) < 0)
		return "long";
	return from < n || s->data.len > 0 || s->name.len > 0 ? "cut" :
	       "whole";
}

static const char *slow_lines(struct slow *s, const char *p, size_t n)
{
	static const char blanks[] = " \t\r";
	struct ai_value v;
	const char *lf;

	for (const char *end = p + n; p < end; p = lf + 1) {
		struct ai_span line;

		lf = memchr(p, '\n', (size_t)(end - p));
		line = (struct ai_span){ p, (size_t)((lf ? lf : end) - p) };
		if (line.n > s->max)
			return "long";
		while (line.n > 0 && memchr(blanks, line.p[0], 3) != NULL)
			line.p++, line.n--;
		while (line.n > 0 &&
		       memchr(blanks, line.p[line.n - 1], 3) != NULL)
			line.n--;
		if (lf == NULL && line.n > 0 &&
		    (ai_json_check(line.p, line.n, &v, NULL) < 0 ||
		     v.kind == AI_NUMBER))
			return "cut";
		if (line.n > 0)
			each(s->out, AI_SPAN(""), line, NULL);
		if (lf == NULL)
			break;
	}
	return "whole";
}

static void slow(enum ai_sse_framing framing, size_t max, const char *p,
		 size_t n, struct ai_buf *out)
{
	struct slow s = { AI_BUF_INIT(2 * n + 2), AI_BUF_INIT(2 * n + 2), out,
			  max };

	ai_buf_str(out, framing == AI_SSE_LINES ? slow_lines(&s, p, n) :
		   slow_events(&s, p, n));
	ai_buf_release(&s.name);
	ai_buf_release(&s.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t most[] = { 1, 3, 17, 300 };
	enum ai_sse_framing framing;
	struct ai_buf want = AI_BUF_INIT((size_t)1 << 26);
	struct ai_buf got = AI_BUF_INIT((size_t)1 << 26);
	const char *p = (const char *)data + 1;
	size_t max;

	if (size == 0)
		return 0;
	framing = data[0] & 1 ? AI_SSE_LINES : AI_SSE_EVENTS;
	max = data[0] & 2 ? 12 : 1 << 20;
	slow(framing, max, p, size - 1, &want);
	for (size_t i = 0; i < 1 + sizeof most / sizeof *most; i++) {
		ai_buf_clear(&got);
		push(framing, max, p, size - 1, i == 4 ? size : most[i], &got);
		must(got.len == want.len &&
		     memcmp(got.p, want.p, got.len) == 0);
	}
	ai_buf_release(&got);
	ai_buf_release(&want);
	return 0;
}
