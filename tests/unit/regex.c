/* Regular expressions: what matches, what is refused, what is stopped. */
#include "text/regex.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ECMA (AI_REGEX_ECMA | AI_REGEX_METERED)

static struct ai_err err;

static struct ai_regex *make(const char *pattern, unsigned flags)
{
	struct ai_regex *re;

	err.msg[0] = '\0';
	ai_regex_new(&re, pattern, strlen(pattern), flags, &err);
	return re;
}

/* 1, 0 or -1 as ai_regex_match(); -2 if the pattern is refused. */
static int match(const char *pattern, unsigned flags, const char *text)
{
	struct ai_regex *re = make(pattern, flags);
	int rc = -2;

	if (re != NULL)
		rc = ai_regex_match(re, ai_span_of(text), 0, NULL, 0, &err);
	ai_regex_free(re);
	return rc;
}

static const struct {
	const char *pattern;
	unsigned flags;
	const char *text;
	int want;
} cases[] = {
	{ "", 0, "", 1 },
	{ "b+", 0, "abbc", 1 },
	{ "^b", 0, "a\nb", 0 },
	{ "^b", AI_REGEX_LINES, "a\nb", 1 },
	{ "STRASSE", AI_REGEX_CASELESS, "strasse", 1 },
	{ "\xC3\x84", AI_REGEX_CASELESS, "\xC3\xA4", 1 },
	{ "^.$", 0, "\xE2\x82\xAC", 1 }, /* one character, three bytes */
	{ "^\\d$", 0, "\xD9\xA3", 0 },   /* ARABIC-INDIC DIGIT THREE */
	{ "^\\d$", AI_REGEX_UNICODE, "\xD9\xA3", 1 },
	{ "\\bx", AI_REGEX_UNICODE, "\xC3\xA9x", 0 },
	{ "a$", 0, "a\n", 1 },
	{ "a", 0, "\xFF", -1 },
	{ "a", 0, "a\xED\xA0\x80", -1 }, /* a surrogate */
	{ "(", 0, "", -2 },
	{ "\\C", 0, "", -2 },
	{ "\xFF", 0, "", -2 },

	/* What ECMA-262 means by them. */
	{ "^abc$", ECMA, "abc\n", 0 },
	{ "^.$", ECMA, "\r", 0 },
	{ "^[^]$", ECMA, "\n", 1 },
	{ "a[]", ECMA, "a", 0 },
	{ "^\\s$", ECMA, "\xEF\xBB\xBF", 1 },
	{ "^\\s$", ECMA, "\xC2\x85", 0 }, /* NEL */
	{ "^[\\s]$", ECMA, "\xC2\xA0", 1 },
	{ "^[^\\S]$", ECMA, "\xC2\xA0", 1 },
	{ "^\\S$", ECMA, "\xE2\x80\xA9", 0 },
	{ "^\\v$", ECMA, "\n", 0 },
	{ "^\\v$", ECMA, "\x0b", 1 },
	{ "^\\w$", ECMA, "\xC3\xA9", 0 },
	{ "^\\u20ac$", ECMA, "\xE2\x82\xAC", 1 },
	{ "^\\u{1f600}$", ECMA, "\xF0\x9F\x98\x80", 1 },
	{ "^\\ud83d\\ude00$", ECMA, "\xF0\x9F\x98\x80", 1 },
	{ "^[\\ud83d\\ude00]$", ECMA, "\xF0\x9F\x98\x80", 1 },
	{ "\\ud83d", ECMA, "", -2 },
	{ "\\u12", ECMA, "", -2 },
	{ "\\u{110000}", ECMA, "", -2 },
	{ "\\u{12", ECMA, "", -2 },
	{ "^\\p{Letter}$", ECMA, "\xC3\xA9", 1 },
	{ "^\\P{Letter}$", ECMA, "\xC3\xA9", 0 },
	{ "^\\p{gc=Uppercase_Letter}$", ECMA, "\xC3\x89", 1 },
	{ "^\\p{General_Category=Lu}$", ECMA, "\xC3\xA9", 0 },
	{ "^\\p{Script=Greek}$", ECMA, "\xCE\xB1", 1 },
	{ "^\\p{Assigned}$", ECMA, "a", 1 },
	{ "\\p{NoSuchThing}", ECMA, "", -2 },
	{ "\\p{", ECMA, "", -2 },
	{ "\\pL", ECMA, "", -2 },
	{ "\\", ECMA, "", -2 },
	{ "^[[:alpha:]]$", ECMA, "a", 0 },
	{ "^[[:alpha:]]$", ECMA, ":]", 1 }, /* a class, then a bracket */
	{ "^[[]$", ECMA, "[", 1 },
	{ "(*ACCEPT)", ECMA, "", -2 },
	{ "[(*]", ECMA, "*", 1 },
	{ "\\Qa.c\\E", ECMA, "", -2 },
	{ "(?<year>\\d{4})-\\k<year>", ECMA, "2026-2026", 1 },
	{ "^(?:\\1(a))$", ECMA, "a", 1 }, /* an unset group is empty */
	{ "^\\/\\-\\.$", ECMA, "/-.", 1 },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int got = match(cases[i].pattern, cases[i].flags,
				cases[i].text);

		ok(got == cases[i].want, "%s (%u) on case %zu: %d%s%s",
		   strstr(cases[i].pattern, "\xFF") ? "?" : cases[i].pattern,
		   cases[i].flags, i, got, got < 0 ? ", " : "",
		   got < 0 ? err.msg : "");
	}
}

static void test_captures(void)
{
	struct ai_regex *re = make("(?<k>\\w+)=(\\d+)?;", 0);
	struct ai_span text = AI_SPAN("x=1;yy=;"), caps[5];

	ok(ai_regex_groups(re) == 2 && ai_regex_group(re, "k") == 1 &&
	   ai_regex_group(re, "no") == 0, "groups have numbers and names");
	ok(ai_regex_match(re, text, 0, caps, 5, &err) == 1 &&
	   ai_span_is(caps[0], "x=1;") && ai_span_is(caps[1], "x") &&
	   ai_span_is(caps[2], "1") && caps[3].p == NULL &&
	   caps[4].p == NULL, "captures");
	ok(ai_regex_match(re, text, 4, caps, 3, &err) == 1 &&
	   ai_span_is(caps[0], "yy=;") && caps[2].p == NULL &&
	   caps[0].p == text.p + 4, "from behind the first match");
	ok(ai_regex_match(re, text, 8, caps, 3, &err) == 0, "none at the end");
	ok(ai_regex_match(re, text, 9, caps, 3, &err) == -1,
	   "not beyond the end");
	ai_regex_free(re);

	re = make("(?<=a)b", 0);
	ok(ai_regex_match(re, AI_SPAN("ab"), 1, caps, 1, &err) == 1,
	   "what stands before is seen");
	ok(ai_regex_match(re, AI_SPAN("\xC3\xA4"), 1, caps, 1, &err) == -1,
	   "a match does not start inside a character");
	ok(ai_regex_match(re, (struct ai_span){ NULL, 0 }, 0, caps, 1,
			  &err) == 0, "no text is empty text");
	ai_regex_free(re);
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * On a text of n bytes "aaa...!" these need time without a bound. Classes
 * instead of one letter, or PCRE2 would see at once that it is not there.
 */
static void test_limits(void)
{
	static const struct {
		const char *pattern;
		size_t n;
	} bad[] = {
		{ "(a+)+$", 40 },           /* exponential */
		{ "(a|aa)+$", 100 },
		{ "^(?:a|a)*[bc]", 60 },
		{ "a*[bc]", 1 << 20 },      /* quadratic, one item a start */
		{ "a.*[bc].*[bc]", 1 << 20 },
		{ "^(?:a*?)(.*+)[xy]", 1 << 20 },
		{ "(?:(?=(a*))\\1)*[bc]", 1 << 20 },
		{ "(a(?1)?[bc])", 1 << 20 },
	};
	char *text = malloc(1 << 20);

	memset(text, 'a', 1 << 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ai_regex *re = make(bad[i].pattern, ECMA);
		struct ai_span s = { text, bad[i].n };
		double t = cpu();
		int rc;

		text[bad[i].n - 1] = '!';
		rc = re == NULL ? -2 : ai_regex_match(re, s, 0, NULL, 0, &err);
		text[bad[i].n - 1] = 'a';
		t = cpu() - t;
		printf("# %s on %zu bytes: %.0f ms\n", bad[i].pattern,
		       bad[i].n, t * 1e3);
		ok(rc == -1 && err.code == AI_E_TOO_LONG,
		   "%s is stopped (%d, %s)", bad[i].pattern, rc, err.msg);
		ai_regex_free(re);
	}
	free(text);
	ok(match("(a+)+$", 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!") == -1,
	   "without the meter the match limit holds");
}

/* What people write has to pass on long texts too. */
static void test_room(void)
{
	static const char *const fine[] = {
		"^[a-z, ]+$", "^(?:[a-z]+(?:, )?)*$", "[^\\s]+$",
		"^[\\s\\S]*$", "^(?=.*b)(?=.*a).*$", "zzz|abc",
	};
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	while (b.len < 100000)
		ai_buf_str(&b, "abc, bcd, ");
	ai_buf_str(&b, "abc");
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		ok(match(fine[i], ECMA, b.p) == 1, "%s has room (%s)",
		   fine[i], err.msg);
	ai_buf_release(&b);
}

static void test_size(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	for (int i = 0; i < 300; i++)
		ai_buf_str(&b, "(");
	ok(match(b.p, ECMA, "") == -2, "300 brackets: %s", err.msg);
	while (b.len <= AI_REGEX_PATTERN_MAX)
		ai_buf_chr(&b, 'a');
	ok(match(b.p, ECMA, "") == -2, "too long: %s", err.msg);
	ok(match("((a{1,1000}){1,1000}){1,1000}", ECMA, "") == -2,
	   "too large: %s", err.msg);
	ai_buf_release(&b);
}

static void *many(void *arg)
{
	const struct ai_regex *re = arg;
	struct ai_span caps[2];
	char text[32];

	for (int i = 0; i < 2000; i++) {
		int n = snprintf(text, sizeof text, "id=%d;", i);

		if (ai_regex_match(re, (struct ai_span){ text, (size_t)n }, 0,
				   caps, 2, NULL) != 1 ||
		    caps[1].n != (size_t)n - 4)
			return arg;
	}
	return NULL;
}

static void test_threads(void)
{
	struct ai_regex *re = make("id=(\\d+);", AI_REGEX_METERED);
	pthread_t t[4];
	void *failed = NULL, *result;

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, many, re);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		if (result != NULL)
			failed = result;
	}
	ok(failed == NULL, "four threads share one expression");
	ai_regex_free(re);
}

static void test_bytes(void)
{
	struct ai_regex *re = make("\\G\\b(?i)key=(\\w+)", AI_REGEX_BYTES);
	struct ai_span caps[2], text = AI_SPAN("\xFFkey=ab\xC3\xA9 KEY=12");

	ok(ai_regex_match(re, text, 1, caps, 2, &err) == 1 &&
		   ai_span_is(caps[1], "ab"),
	   "bytes need not be UTF-8, and only ASCII has letters");
	ok(ai_regex_match(re, text, 0, caps, 2, &err) == 0 &&
		   ai_regex_match(re, text, 2, caps, 2, &err) == 0,
	   "a match that begins where it is asked to, or nowhere");
	ok(ai_regex_match(re, text, 10, caps, 2, &err) == 1 &&
		   ai_span_is(caps[1], "12"),
	   "what is not a whole character may stand before");
	ai_regex_free(re);
	re = make("(?:a|a)*(?:b|c)", AI_REGEX_BYTES);
	ok(ai_regex_match(re, AI_SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
			  0, NULL, 0, &err) == -1 && err.code == AI_E_TOO_LONG,
	   "machine code has the limits, too (%s)", err.msg);
	ai_regex_free(re);
}

int main(void)
{
	test_cases();
	test_captures();
	test_limits();
	test_room();
	test_bytes();
	test_size();
	test_threads();
	return done();
}
