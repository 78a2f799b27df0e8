#include "net/sse.h"

#include "record/json.h"

#include <string.h>

/* Where the next byte stands. */
enum {
	AT_START,  /* of the stream: a byte order mark may come */
	IN_FIELD,  /* the name of a field, or the start of a line */
	AT_VALUE,  /* behind the colon: one blank is dropped */
	IN_VALUE,
	IN_REST,   /* of a line that means nothing: a comment */
};

void ai_sse_init(struct ai_sse *s, enum ai_sse_framing framing, size_t max,
		 ai_sse_fn *each, void *arg)
{
	memset(s, 0, sizeof *s);
	s->framing = framing;
	s->each = each;
	s->arg = arg;
	s->state = AT_START;
	ai_buf_init(&s->name, AI_SSE_NAME_MAX);
	ai_buf_init(&s->data, max);
	s->why.retry_after_s = -1;
	s->retry_ms = -1;
}

void ai_sse_release(struct ai_sse *s)
{
	ai_buf_release(&s->name);
	ai_buf_release(&s->data);
}

/* Copies the error that ended the stream, if one did. */
static int result(const struct ai_sse *s, struct ai_err *err)
{
	if (s->rc == -1 && err != NULL)
		*err = s->why;
	return s->rc;
}

/* Appends to a buffer of the event; if it is full, the stream has ended. */
static void keep(struct ai_sse *s, struct ai_buf *b, const char *p, size_t n)
{
	const char *what = b == &s->name ? "the name of an event" :
			   s->framing == AI_SSE_LINES ? "a line of the answer" :
			   "an event of the answer";

	if (ai_buf_add(b, p, n) < 0)
		s->rc = ai_buf_check(b, what, &s->why);
}

static void tell(struct ai_sse *s, struct ai_span name, struct ai_span data)
{
	s->rc = s->each(s->arg, name, data, &s->why);
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

/* ---- server-sent events ------------------------------------------------- */

static bool field_is(const struct ai_sse *s, const char *name)
{
	return ai_span_is((struct ai_span){ s->field, s->field_n }, name);
}

/* The name of a field is whole: where its value goes. */
static void begin_value(struct ai_sse *s)
{
	s->into = NULL;
	s->state = AT_VALUE;
	s->is_id = field_is(s, "id");
	s->is_retry = field_is(s, "retry");
	s->text_n = 0;
	if (field_is(s, "data")) {
		if (s->has_data)
			keep(s, &s->data, "\n", 1);
		s->has_data = true;
		s->into = &s->data;
	} else if (field_is(s, "event")) {
		ai_buf_clear(&s->name);
		s->into = &s->name;
	}
	s->field_n = 0;
}

static void add_text(struct ai_sse *s, const char *p, size_t n)
{
	if (n > AI_SSE_ID_MAX - (s->text_n < AI_SSE_ID_MAX ? s->text_n
							  : AI_SSE_ID_MAX))
		s->text_n = AI_SSE_ID_MAX + 1;
	if (s->text_n > AI_SSE_ID_MAX)
		return;
	memcpy(s->text + s->text_n, p, n);
	s->text_n += n;
}

/* The value of an id or a retry is whole. */
static void end_text(struct ai_sse *s)
{
	struct ai_span text = { s->text, s->text_n };
	int64_t ms;

	if (s->is_id && text.n <= AI_SSE_ID_MAX &&
	    memchr(text.p, '\0', text.n) == NULL) {
		memcpy(s->next_id, text.p, text.n);
		s->next_id[text.n] = '\0';
		s->has_id = true;
	}
	if (s->is_retry && text.n > 0 && text.n <= 15 &&
	    strspn(text.p, "0123456789") >= text.n &&
	    ai_parse_i64(text, &ms) == 0)
		s->retry_ms = ms;
	s->is_id = s->is_retry = false;
}

/* An empty line: the event ends, and is one if it has data. */
static void end_event(struct ai_sse *s)
{
	if (s->has_id)
		memcpy(s->id, s->next_id, sizeof s->id);
	s->has_id = false;
	if (s->has_data)
		tell(s, span_of(&s->name), span_of(&s->data));
	s->has_data = false;
	ai_buf_clear(&s->name);
	ai_buf_clear(&s->data);
}

static void end_line(struct ai_sse *s)
{
	if (s->state == IN_FIELD && s->field_n == 0)
		end_event(s);
	else if (s->state == IN_FIELD)
		begin_value(s); /* a name without a colon: an empty value */
	if (s->is_id || s->is_retry)
		end_text(s);
	s->state = IN_FIELD;
}

/* Takes bytes of a field's name; returns how many. */
static size_t add_field(struct ai_sse *s, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != ':' && p[i] != '\n' && p[i] != '\r') {
		/* Names that do not fit are of no field we know. */
		if (s->field_n < sizeof s->field)
			s->field[s->field_n++] = p[i];
		i++;
	}
	if (i == n || p[i] != ':')
		return i;
	if (s->field_n == 0)
		s->state = IN_REST;
	else
		begin_value(s);
	return i + 1;
}

static size_t add_value(struct ai_sse *s, const char *p, size_t n)
{
	size_t i = 0;

	if (s->state == AT_VALUE) {
		s->state = IN_VALUE;
		if (p[0] == ' ')
			return 1;
	}
	while (i < n && p[i] != '\n' && p[i] != '\r')
		i++;
	if (s->into != NULL && s->state == IN_VALUE)
		keep(s, s->into, p, i);
	else if ((s->is_id || s->is_retry) && s->state == IN_VALUE)
		add_text(s, p, i);
	return i;
}

/* The mark, cut anywhere.  What only began like one is the name of a field
 * that nobody knows, whatever its bytes. */
static size_t add_start(struct ai_sse *s, char c)
{
	static const char mark[] = "\xEF\xBB\xBF";

	if (c == mark[s->bom]) {
		if (++s->bom == sizeof mark - 1)
			s->state = IN_FIELD;
		return 1;
	}
	s->state = IN_FIELD;
	s->field_n = s->bom;
	memcpy(s->field, mark, s->bom);
	return 0;
}

/* Takes some of n bytes, at least one unless the state changes. */
static size_t add_some(struct ai_sse *s, const char *p, size_t n)
{
	bool lf = s->cr && p[0] == '\n';

	s->cr = false;
	if (lf)
		return 1;
	if (s->state == AT_START)
		return add_start(s, p[0]);
	if (p[0] == '\n' || p[0] == '\r') {
		s->cr = p[0] == '\r';
		end_line(s);
		return 1;
	}
	return s->state == IN_FIELD ? add_field(s, p, n) : add_value(s, p, n);
}

static void add_events(struct ai_sse *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n && s->rc == 0;)
		i += add_some(s, p + i, n - i);
}

/* Whether the event stream stands within a line or an event. */
static bool within(const struct ai_sse *s)
{
	if (s->state == AT_START)
		return s->bom > 0;
	return s->state != IN_FIELD || s->field_n > 0 || s->has_data ||
	       s->name.len > 0;
}

/* ---- newline-delimited JSON --------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct ai_span trim(struct ai_span v)
{
	while (v.n > 0 && blank(v.p[0]))
		v.p++, v.n--;
	while (v.n > 0 && blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

static void tell_line(struct ai_sse *s, struct ai_span line)
{
	line = trim(line);
	if (line.n > 0)
		tell(s, AI_SPAN(""), line);
}

/* A line that lies in one piece is not copied. */
static void end_json(struct ai_sse *s, const char *p, size_t n)
{
	if (s->data.len == 0 && n <= s->data.max) {
		tell_line(s, (struct ai_span){ p, n });
		return;
	}
	keep(s, &s->data, p, n);
	if (s->rc == 0)
		tell_line(s, span_of(&s->data));
	ai_buf_clear(&s->data);
}

static void add_lines(struct ai_sse *s, const char *p, size_t n)
{
	const char *end = p + n, *lf;

	while (s->rc == 0 && p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL) {
			keep(s, &s->data, p, (size_t)(end - p));
			return;
		}
		end_json(s, p, (size_t)(lf - p));
		p = lf + 1;
	}
}

/* The last line, which has no newline; returns whether it is cut. */
static bool end_lines(struct ai_sse *s)
{
	struct ai_span rest = trim(span_of(&s->data));
	struct ai_value v;

	if (rest.n == 0)
		return false;
	if (ai_json_check(rest.p, rest.n, &v, NULL) < 0 ||
	    v.kind == AI_NUMBER)
		return true;
	tell(s, AI_SPAN(""), rest);
	ai_buf_clear(&s->data);
	return false;
}

/* ---- both --------------------------------------------------------------- */

int ai_sse_add(struct ai_sse *s, const char *p, size_t n, struct ai_err *err)
{
	if (s->framing == AI_SSE_LINES)
		add_lines(s, p, n);
	else
		add_events(s, p, n);
	return result(s, err);
}

int ai_sse_end(struct ai_sse *s, bool *cut, struct ai_err *err)
{
	*cut = false;
	if (s->rc == 0)
		*cut = s->framing == AI_SSE_LINES ? end_lines(s) : within(s);
	return result(s, err);
}
