/*
 * text/segment.h: a table of texts with the breaks a reader would make, and
 * what must hold at every place of any text.
 */
#include "base/utf8.h"
#include "text/segment.h"

#include "tap.h"

#include <stdint.h>
#include <string.h>

/* Sentences are written with a | where one ends. */
static const char *const sentences[] = {
	"One. | Two! | Three? | Four",
	"No stop at the end",
	"It costs 3.14 dollars. | Yes.",
	"Mr. Smith met Dr. Jones at St. Paul. | They spoke.",
	"J. K. Rowling wrote it. | J. R. R. Tolkien did not.",
	"Use tools, e.g. Make, i.e. GNU Make. | Then go.",
	"See Fig. 3 and No. 5. | The answer is no. | Go on.",
	"In the U.S. Congress it passed. | NATO. | It did.",
	"He said \"Stop.\" | She did (not really.) | So.",
	"\"Really?\" he said. | \"Yes!\" | Then silence.",
	"Wait... what? | Wait... | What?",
	"\xE2\x80\x9CQuoted.\xE2\x80\x9D | Next one.",
	"Bold **ends here.** | Next.",
	"A line\nthat goes on. | And\nanother.",
	"A paragraph without a stop\n\n| Another",
	"The list:\n| - one\n| - two\n| 1. first\n| 2) second",
	"# Heading\n| Text goes on\nhere.",
	"NAME\n|        ai-chunk - cuts documents\n       into passages",
	"No. | Yes.\n| 1. One.\n| 2. Two.",
	"Version 2. | The next.",
	"Ph.D. students know etc. and so on. | Done.",
	"\xE4\xBB\x8A\xE6\x97\xA5\xE3\x80\x82|\xE6\x98\x8E\xE6\x97\xA5"
	"\xEF\xBC\x81|\xE6\x98\xA8\xE6\x97\xA5",
	"\xE3\x80\x8C\xE4\xBB\x8A\xE6\x97\xA5\xE3\x80\x82\xE3\x80\x8D|"
	"\xE6\x98\x8E\xE6\x97\xA5",
	"\xC3\x9C" "ber alles. | \xC3\x84nderung.",
	"\xD0\x94\xD0\xB0. | \xD0\x9D\xD0\xB5\xD1\x82.",
	"Was it? it was. | \xC2\xBFQu\xC3\xA9? | S\xC3\xAD.",
	"A fact. [1] | Another.[2, 3] | See [4] there. | [X] Done. [5]",
	"References:\n[1] One. | Two.\n| [2] Three.",
	"CRLF here.\r\n| Next\r\nline.\r\n\r\n| Last",
};

static const char *const paragraphs[] = {
	"One\ntwo\n\n|three\n \t\n|four",
	"Page\f|page",
	"CRLF\r\nsame\r\n\r\n|next",
	"Trailing\n\n\n\n",
	"a\xE2\x80\xA9|b",
};

static const char *const words[] = {
	"two |words", "tab\t|and\n|newline", "no\xC2\xA0" "break |here",
	"wide\xE3\x80\x80|blank", "caf\xC3\xA9 |au |lait",
	"\xE4\xBB\x8A|\xE6\x97\xA5\xE3\x80\x82|\xE6\x98\x8E", "x",
};

/*
 * Takes the marks out and compares the breaks of this kind with them.  A mark
 * stands at the first visible byte behind it.
 */
static bool agrees(const char *marked, enum ai_break kind)
{
	char text[512];
	bool want[512] = { false };
	size_t n = 0;
	bool mark = false;

	for (const char *p = marked; *p != '\0'; p++) {
		if (*p == '|') {
			mark = true;
			/* "One. | Two" stands for "One. Two". */
			if (p > marked && p[-1] == ' ' && p[1] == ' ')
				p++;
			continue;
		}
		if (mark && ai_blank_len(p, strlen(p)) == 0) {
			want[n] = true;
			mark = false;
		}
		text[n++] = *p;
	}
	for (size_t i = 1; i < n; i++) {
		bool got = (ai_break_at(text, n, i) & (unsigned)kind) != 0;

		if (got != want[i]) {
			printf("# %s a break at %zu: %.*s\n",
			       got ? "found" : "missed", i, (int)n, text);
			return false;
		}
	}
	return true;
}

#define CHECK(table, kind)                                                     \
	do                                                                     \
		for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++)   \
			ok(agrees((table)[i], kind), #table " %zu", i + 1);    \
	while (0)

static void test_blanks(void)
{
	static const char s[] = " \t\r\n\xE3\x80\x80\xE2\x80\x83x\xC2\xA0 ";
	size_t n = sizeof s - 1;

	ok(ai_blank_skip(s, n, 0) == 10, "blanks of all widths are skipped");
	ok(ai_blank_trim(s, 0, 10) == 0, "and trimmed");
	ok(ai_blank_trim(s, 0, n) == n - 1, "a no-break space is no blank");
	ok(ai_blank_trim(s, 4, 7) == 4 && ai_blank_trim(s, 7, 7) == 7,
	   "trimming stops at its start");
	ok(ai_blank_skip(s, n, n) == n && ai_blank_len(s, 0) == 0,
	   "nothing behind the end");
}

static void test_units(void)
{
	static const char s[] = "  One two.\n Three.\n\nFour  ";
	struct ai_span u;
	size_t at = 0, n = sizeof s - 1, count = 0;

	ok(ai_segment_next(s, n, &at, AI_BREAK_SENTENCE, &u) &&
		   ai_span_is(u, "One two."), "the first sentence");
	ok(ai_segment_next(s, n, &at, AI_BREAK_SENTENCE, &u) &&
		   ai_span_is(u, "Three."), "the second");
	ok(ai_segment_next(s, n, &at, AI_BREAK_SENTENCE, &u) &&
		   ai_span_is(u, "Four"), "the last, without its blanks");
	ok(!ai_segment_next(s, n, &at, AI_BREAK_SENTENCE, &u), "no more");
	for (at = 0; ai_segment_next(s, n, &at, AI_BREAK_WORD, &u);)
		count++;
	ok(count == 4, "four words");
}

static void test_clusters(void)
{
	static const char accent[] = "e\xCC\x81x";
	static const char family[] =
		"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7";

	ok(ai_break_splits_char(accent, 4, 1), "an accent clings");
	ok(!ai_break_splits_char(accent, 4, 3), "the next letter does not");
	ok(ai_break_splits_char("\r\n", 2, 1), "CR LF");
	ok(ai_break_splits_char(family, 11, 4) &&
		   ai_break_splits_char(family, 11, 7), "a joined emoji");
}

static uint32_t rnd_state = 1;

static uint32_t rnd(uint32_t n)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (rnd_state >> 8) % n;
}

/* Random text of pieces that the rules look at. */
static size_t make_text(char *out, size_t max)
{
	static const char *const parts[] = {
		"a", "B", "word", ".", "!", "?", " ", " ", "\n", "\n\n", "\r\n",
		"\t", "\xC3\xA9", "\xE3\x80\x82", "\xE4\xBB\x8A", "\"", "(",
		"- ", "#", "1", "Mr.", "\xE2\x80\x9D", "\xF0\x9F\x91\xA9",
		"\xE2\x80\x8D", "\xE3\x80\x80", "\f", "`", "e.g.", ",",
	};
	size_t n = 0, want = 1 + rnd((uint32_t)max - 8);

	while (n < want) {
		const char *s = parts[rnd(sizeof parts / sizeof *parts)];
		size_t len = strlen(s);

		memcpy(out + n, s, len);
		n += len;
	}
	return n;
}

/* What must hold wherever a break is found. */
static const char *broken_rule(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		unsigned kinds = ai_break_at(p, n, i);

		if (kinds == 0)
			continue;
		if ((kinds & AI_BREAK_WORD) == 0)
			return "every break ends a word";
		if (ai_utf8_floor(p, n, i) != i)
			return "no break inside a character";
		if (ai_blank_len(p + i, n - i) > 0)
			return "no break before a blank";
		if ((kinds & AI_BREAK_PARAGRAPH) && kinds != AI_BREAK_ALL)
			return "a paragraph's end is all kinds";
		if ((kinds & AI_BREAK_LINE) && ai_blank_before(p, i) == 0)
			return "a line ends with a newline";
	}
	return NULL;
}

/* Units tile the text: between them are blanks only. */
static bool tiles(const char *p, size_t n, enum ai_break kind)
{
	size_t at = 0, end = 0;
	struct ai_span u;

	while (ai_segment_next(p, n, &at, kind, &u)) {
		size_t from = (size_t)(u.p - p);

		if (u.n == 0 || ai_blank_skip(p, n, end) != from)
			return false;
		end = from + u.n;
	}
	return ai_blank_skip(p, n, end) == n;
}

static void test_random(void)
{
	static const enum ai_break kinds[] = {
		AI_BREAK_WORD, AI_BREAK_SENTENCE, AI_BREAK_LINE,
		AI_BREAK_PARAGRAPH,
	};
	char text[256];
	const char *rule = NULL;
	int untiled = 0;

	for (int i = 0; i < 20000 && rule == NULL; i++) {
		size_t n = make_text(text, sizeof text);

		rule = broken_rule(text, n);
		for (int k = 0; k < 4; k++)
			untiled += !tiles(text, n, kinds[k]);
		/* Bytes that are no UTF-8 must only be safe. */
		for (int k = 0; k < 8; k++)
			text[rnd((uint32_t)n)] = (char)rnd(256);
		for (size_t k = 0; k <= n; k++)
			ai_break_at(text, n, k);
	}
	ok(rule == NULL, "20000 random texts: %s", rule ? rule : "all rules");
	ok(untiled == 0, "their units tile them");
}

int main(void)
{
	CHECK(sentences, AI_BREAK_SENTENCE);
	CHECK(paragraphs, AI_BREAK_PARAGRAPH);
	CHECK(words, AI_BREAK_WORD);
	test_blanks();
	test_units();
	test_clusters();
	test_random();
	return done();
}
