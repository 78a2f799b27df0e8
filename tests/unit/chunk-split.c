/*
 * bin/chunk/split.h: what must hold for the chunks of any text, tried on
 * random texts in all modes, sizes and overlaps; and a few texts cut by hand.
 */
#include "../../bin/chunk/split.h"
#include "base/utf8.h"
#include "text/segment.h"

#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 6000
#define PIECES_MAX 8192

static uint32_t rnd_state = 7;

static uint32_t rnd(uint32_t n)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (rnd_state >> 8) % n;
}

/* ---- collecting ---------------------------------------------------------- */

static struct chunk_piece pieces[PIECES_MAX];
static size_t n_pieces;

static int collect(void *arg, const struct chunk_piece *piece,
		   struct ai_err *err)
{
	(void)arg;
	if (n_pieces == PIECES_MAX)
		return ai_err_set(err, AI_E_BUG, "too many chunks");
	pieces[n_pieces++] = *piece;
	return 0;
}

static int split(const char *p, size_t n, const struct chunk_how *how)
{
	struct ai_err err = { 0 };

	n_pieces = 0;
	return chunk_split(p, n, how, collect, NULL, &err);
}

/* ---- texts cut by hand --------------------------------------------------- */

static const struct {
	const char *name;
	enum chunk_by by;
	size_t size, overlap;
	const char *text, *chunks; /* chunks: each followed by | */
} cases[] = {
	{ "nothing", CHUNK_PROSE, 10, 0, "", "" },
	{ "only blanks", CHUNK_PROSE, 10, 0, " \n\t\n", "" },
	{ "one chunk, trimmed", CHUNK_PROSE, 10, 0, "\n\none two\n",
	  "one two|" },
	{ "paragraphs", CHUNK_PROSE, 12, 0, "one two\n\nthree\n\nfour\n",
	  "one two|three\n\nfour|" },
	{ "lines", CHUNK_PROSE, 10, 0, "aaa bbb\nccc ddd\neee",
	  "aaa bbb|ccc ddd|eee|" },
	{ "sentences", CHUNK_PROSE, 12, 0, "Aa bb. Cc dd ee.",
	  "Aa bb.|Cc dd ee.|" },
	{ "words", CHUNK_PROSE, 8, 0, "aaa bbb ccc ddd",
	  "aaa bbb|ccc ddd|" },
	{ "characters", CHUNK_PROSE, 4, 0, "aaaabbbbcc", "aaaa|bbbb|cc|" },
	{ "a long word is cut by itself", CHUNK_PROSE, 8, 0,
	  "a bbbbbbbbbbbb", "a|bbbbbbbb|bbbb|" },
	{ "code points, not bytes", CHUNK_PROSE, 2, 0,
	  "\xC3\xA9\xC3\xA9\xC3\xA9", "\xC3\xA9\xC3\xA9|\xC3\xA9|" },
	{ "an accent stays with its letter", CHUNK_PROSE, 3, 0,
	  "abe\xCC\x81z", "ab|e\xCC\x81z|" },
	{ "overlap of whole words", CHUNK_PROSE, 11, 4,
	  "aaa bbb ccc ddd eee", "aaa bbb ccc|ccc ddd eee|" },
	{ "overlap of whole sentences", CHUNK_SENTENCE, 13, 7,
	  "Aa bb. Cc. Dd ee. Ff.", "Aa bb. Cc.|Cc. Dd ee.|Dd ee. Ff.|" },
	{ "whole sentences", CHUNK_SENTENCE, 14, 0,
	  "Aa bb. Cc. Dd ee ff gg. Hh.", "Aa bb. Cc.|Dd ee ff gg.|Hh.|" },
	{ "a sentence that is too long", CHUNK_SENTENCE, 8, 0,
	  "Aa bb cc dd ee. F.", "Aa bb cc|dd ee.|F.|" },
	{ "whole paragraphs", CHUNK_PARAGRAPH, 14, 0,
	  "Aa. Bb.\n\nCc.\n\nDd. Ee. Ff.\n\nGg.",
	  "Aa. Bb.\n\nCc.|Dd. Ee. Ff.|Gg.|" },
	{ "fixed", CHUNK_FIXED, 4, 1, "ab cdefg\nh", "ab c|cdef|fg\nh|" },
	{ "fixed drops what is blank", CHUNK_FIXED, 2, 0, "ab  cd", "ab|cd|" },
	{ "indentation of the first line", CHUNK_PROSE, 24, 0,
	  "if x:\n    aaaaaaaaaa\n    bbbbbbbbbb\n",
	  "if x:\n    aaaaaaaaaa|    bbbbbbbbbb|" },
	{ "a byte order mark", CHUNK_PROSE, 9, 0, "\xEF\xBB\xBFone", "one|" },
	{ "headings begin chunks", CHUNK_MARKDOWN, 99, 20,
	  "# A\n\none\n\n## B\n\ntwo\n", "# A\n\none|## B\n\ntwo|" },
	{ "headings without text go with the next", CHUNK_MARKDOWN, 99, 0,
	  "# A\n\n## B\n\ntwo\n# C\n", "# A\n\n## B\n\ntwo|# C|" },
	{ "a fence stays whole", CHUNK_MARKDOWN, 20, 0,
	  "text text\n\n```\na\n\nb\n```\n\nmore\n",
	  "text text|```\na\n\nb\n```\n\nmore|" },
	{ "even if it is too long", CHUNK_MARKDOWN, 8, 4,
	  "text\n```\naa aa\n\nbb bb\n```\nmore", "text|```\naa aa\n\nbb bb\n```|more|" },
	{ "no overlap begins in a fence", CHUNK_MARKDOWN, 16, 8,
	  "a\n\n```\nb b b\n```\nmore more more", "a\n\n```\nb b b\n```|more more more|" },
	{ "plain text knows no fences", CHUNK_PROSE, 8, 0,
	  "```\naa aa\n\nbb bb\n```", "```|aa aa|bb bb|```|" },
	{ "definitions stay whole", CHUNK_CODE, 30, 5,
	  "int a;\nint f(void)\n{\n\tx;\n\n\ty;\n}\nint b;\n",
	  "int a;|int f(void)\n{\n\tx;\n\n\ty;\n}|int b;|" },
	{ "one that is too long is cut at lines", CHUNK_CODE, 20, 0,
	  "int f(void)\n{\n\txx;\n\n\tyy;\n\tzz;\n}\nint b;\n",
	  "int f(void)\n{\n\txx;|\tyy;\n\tzz;\n}\nint b;|" },
	{ "East Asian text", CHUNK_PROSE, 4, 0,
	  "\xE4\xBB\x8A\xE6\x97\xA5\xE3\x80\x82\xE6\x98\x8E\xE6\x97\xA5",
	  "\xE4\xBB\x8A\xE6\x97\xA5\xE3\x80\x82|\xE6\x98\x8E\xE6\x97\xA5|" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct chunk_how how = { cases[i].by, cases[i].size,
					 cases[i].overlap,
					 &chunk_measure_chars, NULL,
					 chunk_lang_of("a.c") };
		const char *text = cases[i].text;
		char got[256];
		size_t n = 0;

		split(text, strlen(text), &how);
		for (size_t k = 0; k < n_pieces; k++) {
			size_t len = pieces[k].to - pieces[k].from;

			memcpy(got + n, text + pieces[k].from, len);
			n += len;
			got[n++] = '|';
		}
		got[n] = '\0';
		if (!ok(strcmp(got, cases[i].chunks) == 0, "%s",
			cases[i].name))
			printf("# got: %s\n", got);
	}
}

/* ---- random texts -------------------------------------------------------- */

struct fence {
	size_t from, to;
};

static char text[TEXT_MAX + 600];
static size_t text_len;
static struct fence fences[TEXT_MAX];
static size_t n_fences;

static void put(const char *s)
{
	size_t n = strlen(s);

	memcpy(text + text_len, s, n);
	text_len += n;
}

static void put_words(uint32_t n)
{
	static const char *const some[] = {
		"a", "word", "Longer", "sentence.", "End!", "e.g.",
		"\xC3\xBC" "ber", "\xE4\xBB\x8A\xE6\x97\xA5\xE3\x80\x82",
		"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7", "x\xCC\x81",
		"supercalifragilisticexpialidocious", "1.", "-", "`code`",
	};
	static const char *const between[] = {
		" ", " ", " ", "\n", "  ", "\t", "\xE3\x80\x80", ". ", "",
	};

	while (n-- > 0 && text_len < TEXT_MAX) {
		put(some[rnd(sizeof some / sizeof *some)]);
		put(between[rnd(sizeof between / sizeof *between)]);
	}
}

static void put_fence(void)
{
	static const char *const marks[] = { "```", "~~~~", "`````" };
	const char *mark = marks[rnd(3)];
	uint32_t lines = rnd(8);

	put("\n");
	fences[n_fences].from = text_len;
	put(mark);
	put(rnd(2) ? "sh\n" : "\n");
	while (lines-- > 0)
		put(rnd(3) ? "code code code\n" : rnd(2) ? "\n" : "# no\n");
	put(mark);
	put("\n");
	fences[n_fences++].to = text_len;
}

/* A document of paragraphs, headings, fences and blanks. */
static void make_text(void)
{
	size_t want = rnd(4) == 0 ? rnd(60) : rnd(TEXT_MAX);

	text_len = n_fences = 0;
	while (text_len < want) {
		switch (rnd(8)) {
		case 0:
			put_fence();
			break;
		case 1:
			put("\n\n## Heading ");
			put_words(2);
			put("\n");
			break;
		case 2:
			put(rnd(2) ? "\n \t \n\n" : "\r\n\r\n");
			break;
		default:
			put_words(rnd(60));
			put("\n\n");
		}
	}
}

static size_t units(const struct chunk_how *how, size_t from, size_t to)
{
	struct ai_err err;
	size_t cost = 0;

	how->measure->cost(how->measure, text + from, to - from, &cost, &err);
	return cost;
}

static bool is_blank(size_t from, size_t to)
{
	return from >= to || ai_blank_skip(text, to, from) >= to;
}

/* Whether a boundary at this place cuts a fence. */
static bool cuts_fence(size_t at)
{
	for (size_t i = 0; i < n_fences; i++)
		if (at > fences[i].from && at < fences[i].to - 1)
			return true;
	return false;
}

static bool is_fence(size_t from, size_t to)
{
	for (size_t i = 0; i < n_fences; i++)
		if (from == fences[i].from && to == fences[i].to - 1)
			return true;
	return false;
}

/* What is wrong with chunk i, or NULL. */
static const char *wrong_piece(const struct chunk_how *how, size_t i)
{
	const struct chunk_piece *c = &pieces[i];
	bool fixed = how->by == CHUNK_FIXED;
	size_t end = i > 0 ? pieces[i - 1].to : 0;

	if (c->from >= c->to || c->to > text_len)
		return "a chunk has text";
	if (ai_utf8_valid(text + c->from, c->to - c->from) != c->to - c->from)
		return "no character is cut";
	if (!fixed && ai_blank_before(text, c->to) > 0)
		return "a chunk ends with something visible";
	if (!fixed && ai_blank_len(text + c->from, 4) > 0 &&
	    !(c->from == 0 || text[c->from - 1] == '\n'))
		return "a chunk begins with something visible";
	if (c->oversize != (units(how, c->from, c->to) > how->size))
		return "oversize is marked";
	if (c->oversize && !is_fence(c->from, c->to))
		return "only a fence is oversize";
	if (i > 0 && (c->from <= pieces[i - 1].from || c->to <= end))
		return "chunks go forward";
	if (c->from > end && !is_blank(end, c->from))
		return "nothing visible is between chunks";
	if (c->from < end && units(how, c->from, end) > how->overlap)
		return "the overlap is at most as asked";
	if (how->by == CHUNK_MARKDOWN &&
	    (cuts_fence(c->from) || cuts_fence(c->to)))
		return "no fence is cut";
	return NULL;
}

static const char *wrong(const struct chunk_how *how)
{
	const char *what;

	if (split(text, text_len, how) != 0)
		return "splitting works";
	for (size_t i = 0; i < n_pieces; i++) {
		what = wrong_piece(how, i);
		if (what != NULL)
			return what;
	}
	return is_blank(n_pieces > 0 ? pieces[n_pieces - 1].to : 0, text_len)
		? NULL : "the last chunk reaches the end";
}

static struct chunk_how random_how(enum chunk_by by)
{
	struct chunk_how how = { by, 1 + rnd(rnd(2) ? 40 : 1500), 0,
				 &chunk_measure_chars };

	how.lang = chunk_lang_of(rnd(2) ? "a.py" : rnd(2) ? "a.c" : "a.js");
	if (rnd(3) > 0)
		how.overlap = rnd((uint32_t)how.size);
	return how;
}

static void test_random(enum chunk_by by, const char *name)
{
	const char *what = NULL;
	struct chunk_how how = { 0 };

	for (int i = 0; i < 3000 && what == NULL; i++) {
		make_text();
		how = random_how(by);
		what = wrong(&how);
	}
	ok(what == NULL, "3000 random texts by %s: %s", name,
	   what ? what : "all rules");
	if (what != NULL)
		printf("# size %zu, overlap %zu, text:\n%.*s\n", how.size,
		       how.overlap, (int)text_len, text);
}

/* Fixed chunks are exactly as long, and overlap exactly as far, as asked. */
static void test_fixed(void)
{
	struct chunk_how how = { CHUNK_FIXED, 50, 20, &chunk_measure_chars };
	size_t bad = 0;

	text_len = 0;
	put_words(500);
	split(text, text_len, &how);
	for (size_t i = 0; i < n_pieces; i++) {
		bad += i + 1 < n_pieces &&
			units(&how, pieces[i].from, pieces[i].to) != 50;
		bad += i > 0 && units(&how, pieces[i].from,
				      pieces[i - 1].to) != 20;
	}
	ok(n_pieces > 10 && bad == 0, "fixed: exactly 50, overlapping by 20");
}

/* Prose fills its chunks: at least half, since breaks are dense in it. */
static void test_fill(void)
{
	struct chunk_how how = { CHUNK_PROSE, 200, 50,
				 &chunk_measure_chars };
	size_t bad = 0, without = 0;

	text_len = 0;
	while (text_len < TEXT_MAX)
		put("Some words make a sentence. ");
	split(text, text_len, &how);
	for (size_t i = 0; i + 1 < n_pieces; i++) {
		bad += units(&how, pieces[i].from, pieces[i].to) < 100;
		without += pieces[i + 1].from >= pieces[i].to;
	}
	ok(bad == 0, "chunks of prose are at least half full");
	ok(without == 0, "each overlaps the one before");
}

/* A fence beyond the limit is cut after all. */
static void test_giant_fence(void)
{
	size_t n = CHUNK_FENCE_MAX + 100, most = 0;
	struct chunk_how how = { CHUNK_MARKDOWN, 1000, 0,
				 &chunk_measure_chars };
	char *p = malloc(n);

	memset(p, 'x', n);
	memcpy(p, "```\n", 4);
	for (size_t i = 80; i < n; i += 80)
		p[i] = '\n';
	split(p, n, &how);
	for (size_t i = 0; i < n_pieces; i++)
		if (pieces[i].to - pieces[i].from > most)
			most = pieces[i].to - pieces[i].from;
	ok(n_pieces > 1000 && most <= 1000, "a giant fence is cut");
	free(p);
}

static int stop(void *arg, const struct chunk_piece *piece,
		struct ai_err *err)
{
	(void)piece;
	(void)err;
	return ++*(int *)arg == 3 ? 5 : 0;
}

int main(void)
{
	struct chunk_how how = { CHUNK_FIXED, 1, 0, &chunk_measure_chars };
	struct ai_err err;
	int calls = 0;

	test_cases();
	test_random(CHUNK_PROSE, "prose");
	test_random(CHUNK_MARKDOWN, "markdown");
	test_random(CHUNK_SENTENCE, "sentence");
	test_random(CHUNK_PARAGRAPH, "paragraph");
	test_random(CHUNK_FIXED, "fixed");
	test_random(CHUNK_CODE, "code");
	test_fixed();
	test_fill();
	test_giant_fence();
	ok(chunk_split("abcdef", 6, &how, stop, &calls, &err) == 5 &&
		   calls == 3, "the sink can stop it");
	return done();
}
