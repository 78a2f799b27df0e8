#include "record/json.h"

#include "base/utf8.h"
#include "record/dec.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

/* ---- the scanner -------------------------------------------------------- */

struct scan {
	const char *start, *p, *end;
	int depth;
	const char *why; /* what was expected, once something failed */
	ai_json_member_fn *member; /* told of the outermost members */
	void *arg;
};

static bool fail(struct scan *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	return false;
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
				 *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool at(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

/*
 * The high bit of the first byte of w (a word in memory's order) that is a quote
 * or a backslash; 0: none is.  The usual trick: x - 1 borrows into the high bit
 * where a byte of x is zero; what stands above the first means nothing.
 */
static uint64_t find_stop(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');

	return (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

/* The same; a control character and what is not ASCII are found as well. */
static uint64_t find_odd(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;

	return find_stop(w) | ((w | (w - ones * 0x20)) & high);
}

/* Over what is plain. */
static void skip_plain(struct scan *s)
{
	uint64_t w, odd;

#if defined __SSE2__
	/* As signed bytes, what is not ASCII is below a blank, too. */
	const __m128i blank = _mm_set1_epi8(' '), quote = _mm_set1_epi8('"'),
		      slash = _mm_set1_epi8('\\');

	for (; s->end - s->p >= 16; s->p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)s->p);
		unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(
			_mm_cmplt_epi8(v, blank),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote),
				     _mm_cmpeq_epi8(v, slash))));

		if (found != 0) {
			s->p += __builtin_ctz(found);
			return;
		}
	}
#endif
	for (; s->end - s->p >= 8; s->p += 8) {
		memcpy(&w, s->p, 8);
		odd = find_odd(le64toh(w));
		if (odd != 0) {
			s->p += __builtin_ctzll(odd) / 8;
			return;
		}
	}
	while (s->p < s->end && *s->p >= 0x20 && *s->p < 0x7F &&
	       *s->p != '"' && *s->p != '\\')
		s->p++;
}

/* One character that is not ASCII, or more of them. */
static bool scan_utf8(struct scan *s)
{
	size_t n;

	do {
		n = ai_utf8_len(s->p, (size_t)(s->end - s->p));
		if (n == 0)
			return fail(s, "not UTF-8");
		s->p += n;
	} while (s->p < s->end && (unsigned char)*s->p >= 0x80);
	return true;
}

static bool hex4(const char *p, const char *end, unsigned *out)
{
	unsigned v = 0;

	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i], d = c - '0';

		if (d > 9) {
			d = (c | 0x20) - 'a';
			if (d > 5)
				return false;
			d += 10;
		}
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

/* What the escapes of one character stand for; 0: there is no such. */
static const char escapes[256] = {
	['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Another one, behind the backslash. */
static bool scan_escape(struct scan *s)
{
	unsigned unit;

	if (s->p == s->end)
		return fail(s, "a string does not end");
	if (*s->p == 'u') {
		if (!hex4(s->p + 1, s->end, &unit))
			return fail(s, "\\u needs four hex digits");
		s->p += 5;
		return true;
	}
	return fail(s, "no such escape in a string");
}

/* Behind the opening quote; ends behind the closing one. */
static bool scan_string(struct scan *s)
{
	for (;;) {
		skip_plain(s);
		if (s->p == s->end)
			return fail(s, "a string does not end");
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p == '\\') {
			s->p++;
			/* A line of text ends every few words. */
			if (s->p < s->end &&
			    escapes[(unsigned char)*s->p] != 0)
				s->p++;
			else if (!scan_escape(s))
				return false;
		} else if ((unsigned char)*s->p < 0x20) {
			return fail(s, "a control character in a string");
		} else if (!scan_utf8(s)) {
			return false;
		}
	}
}

static size_t scan_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static bool scan_number(struct scan *s)
{
	if (at(s, '-'))
		s->p++;
	if (at(s, '0'))
		s->p++;
	else if (scan_digits(s) == 0)
		return fail(s, "a value is expected");
	if (at(s, '.')) {
		s->p++;
		if (scan_digits(s) == 0)
			return fail(s, "a digit is expected");
	}
	if (at(s, 'e') || at(s, 'E')) {
		s->p++;
		if (at(s, '+') || at(s, '-'))
			s->p++;
		if (scan_digits(s) == 0)
			return fail(s, "a digit is expected");
	}
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return fail(s, "a value is expected");
	s->p += n;
	return true;
}

static bool scan_value(struct scan *s, struct ai_value *v);

static bool scan_member(struct scan *s)
{
	struct ai_value key = { AI_STRING, { s->p, 0 } }, val;

	if (!at(s, '"'))
		return fail(s, "a member name in quotes is expected");
	s->p++;
	if (!scan_string(s))
		return false;
	key.s.n = (size_t)(s->p - key.s.p);
	skip_blanks(s);
	if (!at(s, ':'))
		return fail(s, "':' is expected");
	s->p++;
	skip_blanks(s);
	if (!scan_value(s, &val))
		return false;
	if (s->depth == 1 && s->member != NULL &&
	    s->member(s->arg, key, val) < 0)
		return fail(s, "out of memory");
	return true;
}

/* Behind the opening bracket; the same for both, as both are lists. */
static bool scan_list(struct scan *s, char close)
{
	struct ai_value v;

	if (++s->depth > AI_JSON_DEPTH)
		return fail(s, "nested too deep");
	skip_blanks(s);
	if (at(s, close)) {
		s->p++;
		s->depth--;
		return true;
	}
	for (;;) {
		skip_blanks(s);
		if (close == '}' ? !scan_member(s) : !scan_value(s, &v))
			return false;
		skip_blanks(s);
		if (at(s, close))
			break;
		if (!at(s, ','))
			return fail(s, close == '}' ? "',' or '}' is expected"
						    : "',' or ']' is expected");
		s->p++;
	}
	s->p++;
	s->depth--;
	return true;
}

static bool scan_value(struct scan *s, struct ai_value *v)
{
	const char *from = s->p;
	bool good;

	if (s->p == s->end)
		return fail(s, "a value is expected");
	switch (*s->p) {
	case '{':
		v->kind = AI_OBJECT;
		s->p++;
		good = scan_list(s, '}');
		break;
	case '[':
		v->kind = AI_ARRAY;
		s->p++;
		good = scan_list(s, ']');
		break;
	case '"':
		v->kind = AI_STRING;
		s->p++;
		good = scan_string(s);
		break;
	case 't':
		v->kind = AI_BOOL;
		good = scan_word(s, "true");
		break;
	case 'f':
		v->kind = AI_BOOL;
		good = scan_word(s, "false");
		break;
	case 'n':
		v->kind = AI_NULL;
		good = scan_word(s, "null");
		break;
	default:
		v->kind = AI_NUMBER;
		good = scan_number(s);
	}
	v->s = (struct ai_span){ from, (size_t)(s->p - from) };
	return good;
}

int ai_json_scan(const char *p, size_t n, struct ai_value *v,
		 ai_json_member_fn *member, void *arg, struct ai_err *err)
{
	struct scan s = { p, p, p + n, 0, NULL, member, arg };
	struct ai_value value;
	bool good;

	skip_blanks(&s);
	good = n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0
		? fail(&s, "a byte order mark, which JSON does not have,")
		: scan_value(&s, &value);
	if (good) {
		skip_blanks(&s);
		good = s.p == s.end || fail(&s, "something follows the value");
	}
	if (!good && v != NULL)
		*v = (struct ai_value){ AI_NONE, { s.p, 0 } };
	if (!good)
		return ai_err_set(err,
				  strcmp(s.why, "not UTF-8") == 0 ? AI_E_UTF8
								  : AI_E_JSON,
				  "%s at byte %zu", s.why,
				  (size_t)(s.p - s.start) + 1);
	if (v != NULL)
		*v = value;
	return 0;
}

int ai_json_check(const char *p, size_t n, struct ai_value *v,
		  struct ai_err *err)
{
	return ai_json_scan(p, n, v, NULL, NULL, err);
}

/* ---- walking checked text ----------------------------------------------- */

static const char *blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' ||
			   *p == '\r'))
		p++;
	return p;
}

/* Behind the string whose opening quote is at p. */
static const char *string_end(const char *p, const char *end)
{
	uint64_t w, stop;

	for (p++; end - p >= 8;) {
		memcpy(&w, p, 8);
		stop = find_stop(le64toh(w));
		if (stop == 0) {
			p += 8;
			continue;
		}
		p += __builtin_ctzll(stop) / 8;
		if (*p == '"')
			return p + 1;
		p += 2;
	}
	for (; p < end && *p != '"'; p++)
		p += *p == '\\';
	return p < end ? p + 1 : end;
}

/* Behind the object or array that begins at p. */
static const char *list_end(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		char c = *p;

		if (c == '"') {
			p = string_end(p, end);
			continue;
		}
		p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return p;
}

static struct ai_value value_at(const char *p, const char *end)
{
	struct ai_value v = { AI_NUMBER, { p, 0 } };
	const char *q = p;

	if (p >= end)
		return (struct ai_value){ AI_NONE, { p, 0 } };
	switch (*p) {
	case '{':
	case '[':
		v.kind = *p == '{' ? AI_OBJECT : AI_ARRAY;
		q = list_end(p, end);
		break;
	case '"':
		v.kind = AI_STRING;
		q = string_end(p, end);
		break;
	default:
		v.kind = *p == 't' || *p == 'f' ? AI_BOOL
			: *p == 'n' ? AI_NULL : AI_NUMBER;
		while (q < end && *q != ',' && *q != '}' && *q != ']' &&
		       *q > ' ')
			q++;
	}
	v.s.n = (size_t)(q - p);
	return v;
}

void ai_json_iter_init(struct ai_json_iter *it, struct ai_value v)
{
	bool list = v.kind == AI_OBJECT || v.kind == AI_ARRAY;

	it->object = v.kind == AI_OBJECT;
	it->p = list ? v.s.p + 1 : NULL;
	it->end = list ? v.s.p + v.s.n - 1 : NULL;
}

bool ai_json_next(struct ai_json_iter *it, struct ai_value *key,
		  struct ai_value *val)
{
	struct ai_value name = { AI_NONE, { NULL, 0 } };

	it->p = blanks(it->p, it->end);
	if (it->p < it->end && *it->p == ',')
		it->p = blanks(it->p + 1, it->end);
	if (it->p >= it->end)
		return false;
	if (it->object) {
		name = value_at(it->p, it->end);
		it->p = blanks(name.s.p + name.s.n, it->end);
		if (it->p < it->end) /* the colon */
			it->p = blanks(it->p + 1, it->end);
	}
	*val = value_at(it->p, it->end);
	it->p = val->s.p + val->s.n;
	if (key != NULL)
		*key = name;
	return true;
}

struct ai_span ai_json_inside(struct ai_value v)
{
	if (v.kind != AI_STRING)
		return (struct ai_span){ "", 0 };
	return (struct ai_span){ v.s.p + 1, v.s.n - 2 };
}

bool ai_json_is(struct ai_value string, struct ai_span text)
{
	struct ai_span inner;
	struct ai_buf b;
	bool same;

	if (string.kind != AI_STRING)
		return false;
	inner = (struct ai_span){ string.s.p + 1, string.s.n - 2 };
	/* An escape takes more bytes than what it stands for. */
	if (inner.n < text.n ||
	    (inner.n == text.n && !ai_span_eq(inner, text)))
		return false;
	if (inner.n == 0 || memchr(inner.p, '\\', inner.n) == NULL)
		return inner.n == text.n;
	ai_buf_init(&b, inner.n);
	same = ai_json_text(string, &b) == 0 &&
		ai_span_eq((struct ai_span){ b.p, b.len }, text);
	ai_buf_release(&b);
	return same;
}

struct ai_value ai_json_member(struct ai_value object, struct ai_span name)
{
	struct ai_value key, val, found = { AI_NONE, { NULL, 0 } };
	struct ai_json_iter it;

	if (object.kind != AI_OBJECT)
		return found;
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &val))
		if (ai_json_is(key, name))
			found = val;
	return found;
}

struct wanted {
	const struct ai_json_want *w;
	size_t n;
};

static int take_member(void *arg, struct ai_value key, struct ai_value val)
{
	const struct wanted *wanted = arg;

	for (size_t i = 0; i < wanted->n; i++)
		if (ai_json_is(key, wanted->w[i].name))
			*wanted->w[i].to = val;
	return 0;
}

void ai_json_members(struct ai_value object, const struct ai_json_want *w,
		     size_t n)
{
	struct wanted wanted = { w, n };
	struct ai_value key, val;
	struct ai_json_iter it;

	for (size_t i = 0; i < n; i++)
		*w[i].to = (struct ai_value){ AI_NONE, { NULL, 0 } };
	if (object.kind != AI_OBJECT)
		return;
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &val))
		take_member(&wanted, key, val);
}

int ai_json_check_members(const char *p, size_t size, struct ai_value *v,
			  const struct ai_json_want *w, size_t n,
			  struct ai_err *err)
{
	struct wanted wanted = { w, n };

	for (size_t i = 0; i < n; i++)
		*w[i].to = (struct ai_value){ AI_NONE, { NULL, 0 } };
	return ai_json_scan(p, size, v, take_member, &wanted, err);
}

static struct ai_value element(struct ai_value array, struct ai_span index)
{
	struct ai_value val, none = { AI_NONE, { NULL, 0 } };
	struct ai_json_iter it;
	int64_t i;

	if (ai_parse_i64(index, &i) < 0 || i < 0)
		return none;
	ai_json_iter_init(&it, array);
	while (ai_json_next(&it, NULL, &val))
		if (i-- == 0)
			return val;
	return none;
}

size_t ai_json_step(const char *path, char *name, size_t size,
		    struct ai_span *step)
{
	size_t i = 0, n = 0;

	for (; path[i] != '\0' && path[i] != '.'; i++) {
		if (path[i] == '\\' && path[i + 1] == '.')
			i++;
		if (n < size)
			name[n] = path[i];
		n++;
	}
	if (n > size) { /* no key holds this byte */
		name[0] = (char)0xFF;
		n = 1;
	}
	*step = (struct ai_span){ name, n };
	return i + (path[i] == '.');
}

struct ai_value ai_json_get(struct ai_value v, const char *path)
{
	char name[AI_JSON_NAME];
	struct ai_span step;

	while (*path != '\0' && v.kind != AI_NONE) {
		path += ai_json_step(path, name, sizeof name, &step);
		v = v.kind == AI_ARRAY ? element(v, step)
				       : ai_json_member(v, step);
	}
	return v;
}

/* ---- values ------------------------------------------------------------- */

/* The text of the escape behind a backslash at p; returns its length. */
static size_t unescape(const char *p, const char *end, char out[4], size_t *n)
{
	unsigned unit = 0, low = 0;
	uint32_t cp;

	if (*p != 'u') {
		out[0] = escapes[(unsigned char)*p];
		*n = 1;
		return 1;
	}
	hex4(p + 1, end, &unit);
	cp = unit;
	if (unit >= 0xD800 && unit <= 0xDFFF) {
		cp = AI_UTF8_REPLACEMENT;
		if (unit < 0xDC00 && end - p >= 11 && p[5] == '\\' &&
		    p[6] == 'u' && hex4(p + 7, end, &low) && low >= 0xDC00 &&
		    low <= 0xDFFF) {
			cp = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
			*n = ai_utf8_encode(cp, out);
			return 11;
		}
	}
	*n = ai_utf8_encode(cp, out);
	return 5;
}

/*
 * Copies up to the next backslash, and returns where that is; *out goes on
 * with it.  A text is never longer than what stands for it, so there is room
 * for as many bytes as are left.
 */
static const char *copy_plain(const char *p, const char *end, char **out)
{
	const char *slash;
	size_t n;

#if defined __SSE2__
	for (; end - p >= 16; p += 16, *out += 16) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)p);
		unsigned found = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

		_mm_storeu_si128((__m128i_u *)*out, v);
		if (found != 0) {
			*out += __builtin_ctz(found);
			return p + __builtin_ctz(found);
		}
	}
#endif
	slash = memchr(p, '\\', (size_t)(end - p));
	n = (size_t)((slash == NULL ? end : slash) - p);
	memcpy(*out, p, n);
	*out += n;
	return p + n;
}

/* Where out may not hold as many bytes as the string has, but perhaps those
 * of its text. */
static int add_in_parts(const char *p, const char *end, struct ai_buf *out)
{
	const char *slash;
	char text[4];
	size_t n;

	while (p < end) {
		slash = memchr(p, '\\', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		ai_buf_add(out, p, (size_t)(slash - p));
		p = slash;
		if (p < end) {
			p += 1 + unescape(p + 1, end, text, &n);
			ai_buf_add(out, text, n);
		}
	}
	return out->bad == AI_E_NONE ? 0 : -1;
}

int ai_json_text(struct ai_value string, struct ai_buf *out)
{
	const char *p, *end;
	char *to;
	size_t n;

	if (string.kind != AI_STRING)
		return -1;
	p = string.s.p + 1;
	end = string.s.p + string.s.n - 1;
	if ((size_t)(end - p) > out->max - out->len)
		return add_in_parts(p, end, out);
	if (ai_buf_reserve(out, (size_t)(end - p)) < 0)
		return -1;
	for (to = out->p + out->len;; to += n) {
		p = copy_plain(p, end, &to);
		if (p == end)
			break;
		n = 1;
		*to = escapes[(unsigned char)p[1]];
		p += *to != '\0' ? 2 : 1 + unescape(p + 1, end, to, &n);
	}
	*to = '\0';
	out->len = (size_t)(to - out->p);
	return 0;
}

/* ---- writing a string anew in parts ---------------------------------------- */

void ai_splice_inside(struct ai_splice *s, struct ai_span inside,
		      struct ai_buf *out)
{
	*s = (struct ai_splice){ inside.p, inside.p + inside.n, true, 0, out };
}

void ai_splice_string(struct ai_splice *s, struct ai_value string,
		      struct ai_buf *out)
{
	ai_splice_inside(s, (struct ai_span){ string.s.p + 1, string.s.n - 2 },
			 out);
}

void ai_splice_plain(struct ai_splice *s, struct ai_span text,
		     struct ai_buf *out)
{
	*s = (struct ai_splice){ text.p, text.p + text.n, false, 0, out };
}

/* Behind the bytes that stand for the next n of the decoded text. */
static const char *pass(struct ai_splice *s, size_t n)
{
	const char *p = s->p, *slash;
	size_t done = s->over, bytes;
	char text[4];

	while (done < n && p < s->end) {
		bytes = (size_t)(s->end - p);
		bytes = bytes < n - done ? bytes : n - done;
		slash = s->json ? memchr(p, '\\', bytes) : NULL;
		if (slash != p) {
			bytes = slash == NULL ? bytes : (size_t)(slash - p);
			p += bytes;
		} else {
			p += 1 + unescape(p + 1, s->end, text, &bytes);
		}
		done += bytes;
	}
	s->over = done > n ? done - n : 0;
	return p;
}

void ai_splice_keep(struct ai_splice *s, size_t n)
{
	const char *to = pass(s, n);

	ai_buf_add(s->out, s->p, (size_t)(to - s->p));
	s->p = to;
}

void ai_splice_skip(struct ai_splice *s, size_t n)
{
	s->p = pass(s, n);
}

void ai_splice_put(struct ai_splice *s, const char *p, size_t n)
{
	if (s->json)
		ai_put_inside(s->out, p, n);
	else
		ai_buf_add(s->out, p, n);
}

int ai_json_i64(struct ai_value v, int64_t *out)
{
	if (v.kind != AI_NUMBER)
		return -1;
	if (ai_parse_i64(v.s, out) == 0)
		return 0;
	return ai_dec_i64(ai_dec_of(v.s), out);
}

int ai_json_f64(struct ai_value v, double *out)
{
	return v.kind == AI_NUMBER ? ai_parse_f64(v.s, out) : -1;
}

bool ai_json_true(struct ai_value v)
{
	return v.kind == AI_BOOL && *v.s.p == 't';
}
