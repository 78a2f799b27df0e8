/* JSON: what is written is read back, numbers and texts as they were. */
#include "record/json.h"

#include "base/utf8.h"
#include "tap.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct ai_buf b = AI_BUF_INIT(1 << 20);
static struct ai_err err;

static struct ai_value value(const char *json)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	ai_json_check(json, strlen(json), &v, &err);
	return v;
}

static void test_text(void)
{
	static const struct { const char *json, *text; size_t n; } cases[] = {
		{ "\"\"", "", 0 }, { "\"a\\nb\"", "a\nb", 3 },
		{ "\"\\u0000x\"", "\0x", 2 }, { "\"\\u00e9\"", "\xC3\xA9", 2 },
		{ "\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80", 4 },
		{ "\"\\ud83d\"", "\xEF\xBF\xBD", 3 },
		{ "\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD", 6 },
		{ "\"\\ud83d\\ud83d\\ude00\"",
		  "\xEF\xBF\xBD\xF0\x9F\x98\x80", 7 },
		{ "\"\\\"\\\\\\/\\b\\f\\r\\t\"", "\"\\/\b\f\r\t", 7 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ai_span want = { cases[i].text, cases[i].n };
		struct ai_value v = value(cases[i].json);

		ai_buf_clear(&b);
		ok(ai_json_text(v, &b) == 0 &&
		   ai_span_eq((struct ai_span){ b.p, b.len }, want) &&
		   ai_json_is(v, want), "text of %s", cases[i].json);
	}
}

static void test_splice(void)
{
	static const char token[] = "\"a\\u00e9\\ud83d\\ude00\\/\\ud800z\"";
	struct ai_value v = { AI_STRING, { token, sizeof token - 1 } };
	struct ai_splice s;

	/* Decoded: a, 2 bytes, 4 bytes, /, 3 bytes, z. */
	ai_buf_clear(&b);
	ai_splice_string(&s, v, &b);
	ai_splice_keep(&s, 3);
	ai_splice_put(&s, "\"\n", 2);
	ai_splice_keep(&s, 5);
	ai_splice_skip(&s, 3);
	ai_splice_keep(&s, 1);
	ok(strcmp(ai_buf_cstr(&b), "a\\u00e9\\\"\\n\\ud83d\\ude00\\/z") == 0,
	   "a string in parts");
	ai_buf_clear(&b);
	ai_splice_string(&s, v, &b);
	ai_splice_keep(&s, 2);
	ai_splice_skip(&s, 2);
	ai_splice_keep(&s, 100);
	ok(strcmp(ai_buf_cstr(&b), "a\\u00e9\\/\\ud800z") == 0,
	   "an escape has one place");
	ai_buf_clear(&b);
	ai_splice_plain(&s, AI_SPAN("a\\u00e9\"b"), &b);
	ai_splice_keep(&s, 1);
	ai_splice_skip(&s, 6);
	ai_splice_put(&s, "\"", 1);
	ai_splice_keep(&s, 2);
	ok(strcmp(ai_buf_cstr(&b), "a\"\"b") == 0,
	   "a text in parts");
}

static void test_put(void)
{
	char every[256];

	for (int i = 0; i < 128; i++)
		every[i] = (char)i;
	ai_buf_clear(&b);
	ai_put_open(&b, '{');
	ai_put_key(&b, "s");
	ai_put_str(&b, every, 128);
	ai_put_key(&b, "a");
	ai_put_open(&b, '[');
	ai_put_i64(&b, INT64_MIN);
	ai_put_f64(&b, 0.1);
	ai_put_f64(&b, NAN);
	ai_put_bool(&b, true);
	ai_put_open(&b, '{');
	ai_put_close(&b, '}');
	ai_put_cstr(&b, NULL);
	ai_put_close(&b, ']');
	ai_put_key(&b, "e");
	ai_put_cstr(&b, "");
	ai_put_close(&b, '}');
	ok(ai_json_is(ai_json_get(value(b.p), "s"),
		      (struct ai_span){ every, 128 }), "all of ASCII");
	ok(strstr(b.p, "\"a\":[-9223372036854775808,0.1,null,true,{},null],"
		       "\"e\":\"\"}") != NULL, "commas where they belong");
}

static void test_doubles(void)
{
	unsigned long bad = 0;
	uint64_t bits = 88172645463325252u;
	double d, back;

	for (int i = 0; i < 200000; i++) {
		bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
		memcpy(&d, &bits, sizeof d);
		if (!isfinite(d))
			continue;
		ai_buf_clear(&b);
		ai_put_f64(&b, d);
		bad += ai_json_f64(value(b.p), &back) < 0 || back != d;
	}
	ok(bad == 0, "doubles come back as they were: %lu wrong", bad);
}

static void test_whole(void)
{
	static const struct { const char *s; int good; int64_t v; } cases[] = {
		{ "3", 1, 3 }, { "3.0", 1, 3 }, { "3e2", 1, 300 },
		{ "-0", 1, 0 }, { "3.5", 0, 0 }, { "1e300", 0, 0 },
		{ "9223372036854775807", 1, INT64_MAX },
		{ "9223372036854775808", 0, 0 }, { "\"3\"", 0, 0 },
	};
	int64_t v;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = ai_json_i64(value(cases[i].s), &v);

		ok((rc == 0) == cases[i].good && (rc < 0 || v == cases[i].v),
		   "whole number %s", cases[i].s);
	}
}

static void test_depth(void)
{
	char deep[2 * AI_JSON_DEPTH + 3];

	memset(deep, '[', AI_JSON_DEPTH);
	memset(deep + AI_JSON_DEPTH, ']', AI_JSON_DEPTH);
	ok(ai_json_check(deep, 2 * AI_JSON_DEPTH, NULL, &err) == 0,
	   "%d deep is accepted", AI_JSON_DEPTH);
	memset(deep, '[', AI_JSON_DEPTH + 1);
	memset(deep + AI_JSON_DEPTH + 1, ']', AI_JSON_DEPTH + 1);
	ok(ai_json_check(deep, 2 * AI_JSON_DEPTH + 2, NULL, &err) < 0,
	   "one more is not: %s", err.msg);
}

/* The eight-bytes-at-once path stops at every byte that matters. */
static void test_strings_everywhere(void)
{
	char s[40];
	unsigned long bad = 0;

	for (size_t at = 1; at < 30; at++)
		for (int c = 0; c < 256; c++) {
			memset(s, 'x', sizeof s);
			s[0] = s[31] = '"';
			s[at] = (char)c;
			bad += (ai_json_check(s, 32, NULL, NULL) == 0) !=
				(c >= 0x20 && c < 0x80 && c != '"' &&
				 c != '\\');
		}
	/* "\x" is no escape, and neither is a backslash before the quote. */
	ok(bad == 0, "each byte at each place of a string: %lu wrong", bad);
}

/* xorshift64: the same each time. */
static unsigned rnd(unsigned n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 32) % n;
}

/* A text is the same however much room there is: for what stands for it, or
 * just for itself; and one byte less is too little. */
static void test_room(void)
{
	static const char *const parts[] = {
		"a", "\\n", "\\\"", "\\u00e9", "\\ud83d\\ude00", "\xC3\xA9",
		"0123456789abcdef", "\\\\", "\\ud800",
	};
	struct ai_buf json = AI_BUF_INIT(4096), tight = AI_BUF_INIT(0);
	bool same = true, refused = true;

	for (int i = 0; i < 20000; i++) {
		struct ai_value v;

		ai_buf_clear(&json);
		ai_buf_chr(&json, '"');
		for (unsigned k = rnd(12); k > 0; k--)
			ai_buf_str(&json, parts[rnd(9)]);
		ai_buf_chr(&json, '"');
		v = value(json.p);
		ai_buf_clear(&b);
		same = same && v.kind == AI_STRING && ai_json_text(v, &b) == 0;
		ai_buf_release(&tight);
		tight.max = b.len;
		same = same && ai_json_text(v, &tight) == 0 &&
		       tight.len == b.len && memcmp(b.p, tight.p, b.len) == 0;
		ai_buf_release(&tight);
		tight.max = b.len > 0 ? b.len - 1 : 0;
		refused = refused &&
			  (b.len == 0 || ai_json_text(v, &tight) < 0);
	}
	ok(same, "20000 texts are the same with just enough room");
	ok(refused, "and too long for less");
	ai_buf_release(&json);
	ai_buf_release(&tight);
}

static void test_counts(void)
{
	char text[100];
	bool right = true;

	for (int i = 0; i < 20000; i++) {
		size_t n = rnd(sizeof text), bytes = 0, chars = 0;

		for (size_t k = 0; k < n; k++) {
			text[k] = (char)(rnd(4) == 0 ? '\n' : rnd(256));
			bytes += text[k] == '\n';
			chars += ((unsigned char)text[k] & 0xC0) != 0x80;
		}
		right = right && ai_count_byte(text, n, '\n') == bytes &&
			ai_utf8_count(text, n) == chars;
	}
	ok(right, "bytes and characters are counted as one by one");
}

/* Every byte at every place, and every length. */
static void test_length(void)
{
	struct ai_buf out = AI_BUF_INIT(1 << 12);
	char text[70];
	unsigned seed = 1;
	int bad = 0;

	for (int run = 0; run < 20000; run++) {
		size_t n = (size_t)run % sizeof text;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (char)((seed >> 16) % (run % 2 ? 256 : 48));
		}
		ai_buf_clear(&out);
		ai_put_inside(&out, text, n);
		bad += ai_put_length(text, n) != out.len;
	}
	ok(bad == 0, "the length of what is written");
	ai_buf_release(&out);
}

int main(void)
{
	test_text();
	test_room();
	test_counts();
	test_splice();
	test_put();
	test_doubles();
	test_whole();
	test_depth();
	test_strings_everywhere();
	ai_buf_release(&b);
	test_length();
	return done();
}
