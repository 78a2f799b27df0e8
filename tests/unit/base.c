/* base: buffers with a limit, UTF-8 by its definition, strict numbers. */
#include "base/buf.h"
#include "base/str.h"
#include "base/tally.h"
#include "base/utf8.h"
#include "tap.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_buf(void)
{
	struct ai_buf b = AI_BUF_INIT(10);
	struct ai_err err;
	char *taken;

	ok(ai_buf_str(&b, "12345") == 0 && ai_buf_str(&b, "67890") == 0,
	   "a buffer takes its maximum");
	ok(ai_buf_chr(&b, 'x') < 0 && b.len == 10 &&
	   strcmp(b.p, "1234567890") == 0, "and not a byte more");
	ok(ai_buf_check(&b, "the text", &err) < 0 &&
	   err.code == AI_E_TOO_LONG &&
	   strcmp(err.msg, "the text exceeds 10 bytes") == 0,
	   "the failure stays until asked for: %s", err.msg);
	ai_buf_clear(&b);
	ok(ai_buf_fmt(&b, "%d-%s", 42, "ab") == 0 &&
	   strcmp(b.p, "42-ab") == 0, "formatted");
	ok(ai_buf_fmt(&b, "%s", "too much") < 0 && b.len == 5,
	   "nothing half formatted");
	ai_buf_clear(&b);
	ai_buf_str(&b, "abcdef");
	ai_buf_consume(&b, 2);
	ok(strcmp(b.p, "cdef") == 0, "consumed");
	taken = ai_buf_take(&b);
	ok(strcmp(taken, "cdef") == 0 && b.p == NULL && b.max == 10, "taken");
	free(taken);
	ok(strcmp(ai_buf_cstr(&b), "") == 0, "an empty buffer is a string");
	ok(ai_buf_reserve(&b, SIZE_MAX) < 0, "no overflow");
	ai_buf_release(&b);
}

/* Every code point there and back; every other sequence refused. */
static void test_utf8_all(void)
{
	unsigned long bad = 0;
	char s[4];
	uint32_t cp;

	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		size_t n = ai_utf8_encode(c, s);
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;

		if (ai_utf8_decode(s, n, &cp) != (surrogate ? 0 : n) ||
		    (!surrogate && cp != c))
			bad++;
		for (size_t cut = 1; cut < n; cut++)
			bad += ai_utf8_len(s, cut) != 0;
	}
	ok(bad == 0, "all code points, all cuts: %lu wrong", bad);
}

/*
 * Two-byte prefixes that RFC 3629's grammar allows; the reference is the
 * grammar itself, by table.
 */
static void test_utf8_grammar(void)
{
	static const struct { int from, to, low, high, more; } rows[] = {
		{ 0xC2, 0xDF, 0x80, 0xBF, 0 }, { 0xE0, 0xE0, 0xA0, 0xBF, 1 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 1 }, { 0xED, 0xED, 0x80, 0x9F, 1 },
		{ 0xEE, 0xEF, 0x80, 0xBF, 1 }, { 0xF0, 0xF0, 0x90, 0xBF, 2 },
		{ 0xF1, 0xF3, 0x80, 0xBF, 2 }, { 0xF4, 0xF4, 0x80, 0x8F, 2 },
	};
	unsigned long bad = 0;

	for (int a = 0x80; a < 0x100; a++)
		for (int b = 0; b < 0x100; b++) {
			char s[4] = { (char)a, (char)b, (char)0x80, (char)0x80 };
			size_t want = 0;

			for (size_t i = 0; i < 8; i++)
				if (a >= rows[i].from && a <= rows[i].to &&
				    b >= rows[i].low && b <= rows[i].high)
					want = 2 + (size_t)rows[i].more;
			bad += ai_utf8_len(s, 4) != want;
		}
	ok(bad == 0, "the grammar of RFC 3629: %lu wrong", bad);
}

static void test_utf8_text(void)
{
	const char *s = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
	char text[64];

	ok(ai_utf8_count(s, 11) == 5, "five code points");
	ok(ai_utf8_offset(s, 11, 3) == 6 && ai_utf8_offset(s, 11, 9) == 11,
	   "offset of a code point");
	ok(ai_utf8_floor(s, 11, 8) == 6 && ai_utf8_floor(s, 11, 6) == 6 &&
	   ai_utf8_floor(s, 11, 99) == 11, "no sequence is cut");
	memset(text, 'a', sizeof text);
	ok(ai_utf8_valid(text, 64) == 64, "ASCII");
	for (size_t at = 0; at < 64; at++) {
		text[at] = (char)0xFF;
		if (ai_utf8_valid(text, 64) != at)
			break;
		text[at] = 'a';
		if (at == 63)
			ok(true, "an invalid byte is found at every place");
	}
}

static void test_numbers(void)
{
	static const struct { const char *s; int good; int64_t v; } ints[] = {
		{ "0", 1, 0 }, { "-7", 1, -7 }, { "9223372036854775807", 1,
		  INT64_MAX }, { "-9223372036854775808", 1, INT64_MIN },
		{ "9223372036854775808", 0, 0 },
		{ "-9223372036854775809", 0, 0 }, { "", 0, 0 }, { "-", 0, 0 },
		{ "+1", 0, 0 }, { " 1", 0, 0 }, { "1 ", 0, 0 }, { "1a", 0, 0 },
		{ "99999999999999999999", 0, 0 },
	};
	static const struct { const char *s; int good; double v; } reals[] = {
		{ "1.5", 1, 1.5 }, { "-2e3", 1, -2000 }, { "1e999", 0, 0 },
		{ "nan", 0, 0 }, { "inf", 0, 0 }, { "0x10", 0, 0 },
		{ "", 0, 0 }, { "1,5", 0, 0 }, { " 1", 0, 0 },
	};
	int64_t v;
	double d;

	for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
		int rc = ai_parse_i64(ai_span_of(ints[i].s), &v);

		ok((rc == 0) == ints[i].good && (rc < 0 || v == ints[i].v),
		   "whole number '%s'", ints[i].s);
	}
	for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
		int rc = ai_parse_f64(ai_span_of(reals[i].s), &d);

		ok((rc == 0) == reals[i].good &&
		   (rc < 0 || fabs(d - reals[i].v) < 1e-12),
		   "number '%s'", reals[i].s);
	}
}

static void test_nearest(void)
{
	static const char *const names[] = { "size", "overlap", "unit", "by" };

	ok(ai_distance("kitten", "sitting") == 3, "edit distance");
	ok(ai_distance("ab", "ba") == 1, "a transposition is one step");
	ok(strcmp(ai_nearest("overlpa", names, 4), "overlap") == 0, "nearest");
	ok(strcmp(ai_nearest("siez", names, 4), "size") == 0, "nearest");
	ok(ai_nearest("verbosity", names, 4) == NULL, "none is near");
}

/* Keys that begin alike, so that they want the same row, and many of them. */
static void test_tally(void)
{
	struct ai_tally t = { NULL, 0, 0 };
	unsigned char key[AI_TALLY_KEY] = { 7 };
	struct ai_err err;
	int wrong = 0;

	for (int64_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < 5000; i++) {
			memcpy(key + (i % 2 == 0 ? 0 : 8), &i, sizeof i);
			wrong += ai_tally_add(&t, key, &err) != round;
			memset(key, 0, sizeof key);
		}
	ok(wrong == 0 && t.n == 5000, "%zu keys, three times each: %d counted "
	   "wrongly", t.n, wrong);
	ok(4 * t.n <= 3 * t.cap, "a quarter of the rows is free");
	ai_tally_release(&t);
	ok(ai_tally_add(&t, key, &err) == 0, "empty again");
	ai_tally_release(&t);
}

int main(void)
{
	test_tally();
	test_buf();
	test_utf8_all();
	test_utf8_grammar();
	test_utf8_text();
	test_numbers();
	test_nearest();
	return done();
}
