/* bin/complete: sentences that can be quoted, and what local/extract makes of
 * them; citations in answers. */
#include "../../bin/complete/complete.h"

#include "base/start.h"

#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct ai_err err;

#define TEN "word word word word word word word word word word"
#define LONG TEN " " TEN " " TEN " " TEN " " TEN " " TEN " " TEN "."

/* libcomplete.a is a program without its main.c. */
const struct ai_program ai_program = { .name = "extract" };

/* ---- split -------------------------------------------------------------- */

static const char *const kinds[] = {
	[COMPLETE_PROSE] = "prose", [COMPLETE_ITEM] = "item",
	[COMPLETE_ROW] = "row", [COMPLETE_CODE] = "code",
	[COMPLETE_HEADING] = "heading",
};

/* The sentences as "kind: text" lines, blanks made one; "~" marks a cut. */
static const char *split(const char *text)
{
	static struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct complete_sentences s = { NULL, 0, 0 };

	ai_buf_clear(&out);
	if (complete_split(&s, 0, ai_span_of(text), &err) < 0)
		return "failed";
	for (size_t i = 0; i < s.n; i++) {
		ai_buf_fmt(&out, "%s%s: ", s.v[i].cut ? "~" : "",
			   kinds[s.v[i].kind]);
		for (size_t k = s.v[i].from; k < s.v[i].to; k++)
			if (text[k] > ' ' || text[k] < 0)
				ai_buf_chr(&out, text[k]);
			else if (text[k + 1] > ' ' || text[k + 1] < 0)
				ai_buf_chr(&out, ' ');
		ai_buf_chr(&out, '\n');
	}
	free(s.v);
	return ai_buf_cstr(&out);
}

static void is_split(const char *name, const char *text, const char *want)
{
	const char *got = split(text);

	if (!ok(strcmp(got, want) == 0, "split: %s", name))
		printf("# got:\n%s# wanted:\n%s", got, want);
}

static void test_split(void)
{
	is_split("prose over several lines",
		 "One sentence goes\nover two lines. Another one.\n\nThird.\n",
		 "prose: One sentence goes over two lines.\n"
		 "prose: Another one.\nprose: Third.\n");
	is_split("a manual page",
		 "LS(1)             User Commands            LS(1)\n\n"
		 "DESCRIPTION\n"
		 "       List information about files.  Sort entries\n"
		 "       by name.\n\n"
		 "       -a, --all\n"
		 "              do not ignore entries\n"
		 "              starting with .\n\n"
		 "       -b     short form\n"
		 "       -i[SUFFIX], --in-place[=SUFFIX]\n\n"
		 "              edit files in place\n\n"
		 "GNU coreutils 9.1    September 2022    LS(1)\n",
		 "heading: DESCRIPTION\n"
		 "prose: List information about files.\n"
		 "prose: Sort entries by name.\n"
		 "item: -a, --all do not ignore entries starting with .\n"
		 "item: -b short form\n"
		 "item: -i[SUFFIX], --in-place[=SUFFIX] edit files in place\n");
	is_split("Markdown",
		 "# Install `it`\n\nRun this:\n\n```sh\nmake x=1 | sh\n```\n\n"
		 "- first item,\n  goes on.\n- second\n1. third.\n\n"
		 "| a | b |\n|---|---|\n| 1 | 2 |\n\nTitle\n-----\nText.\n",
		 "heading: # Install `it`\n~prose: Run this:\n"
		 "code: make x=1 | sh\n"
		 "item: first item, goes on.\nitem: second\nitem: third.\n"
		 "row: | a | b |\nrow: | 1 | 2 |\nheading: Title\n"
		 "prose: Text.\n");
	is_split("a name over its meaning",
		 "AI_CONFIG\n    The configuration file.\n    More.\n",
		 "item: AI_CONFIG The configuration file. More.\n");
	is_split("names and what they are, in two columns",
		 "Run these:\n\n    make check         the tests. All of\n"
		 "                       them.\n    make check-long    more\n"
		 "    ai-x --very-long1  two blanks, the same column\n"
		 "    ai-x  two blanks\n    make\n"
		 "\n    This  is  text  with straight margins.\n",
		 "~prose: Run these:\n"
		 "item: make check the tests. All of them.\n"
		 "item: make check-long more\n"
		 "item: ai-x --very-long1 two blanks, the same column\n"
		 "item: ai-x two blanks\n"
		 "~prose: make\n"
		 "prose: This is text with straight margins.\n");
	is_split("tabs, as col(1) writes them",
		 "       -n, --number\n\t      number\tall  lines\n\n"
		 "       -s\n\t      squeeze\n",
		 "item: -n, --number number all lines\nitem: -s squeeze\n");
	is_split("a question is no answer",
		 "Does it rain? It does.\n\n- Why?\n- So.\n",
		 "heading: Does it rain?\nprose: It does.\n"
		 "heading: Why?\nitem: So.\n");
	is_split("a long entry as its sentences, a short one as a whole",
		 "- One. Two.\n- " LONG " Then this.\n",
		 "item: One. Two.\nitem: " LONG "\nitem: Then this.\n");
	is_split("a long entry that the end of the passage cuts",
		 "- One.\n- Two. A " TEN " " TEN " and\n",
		 "item: One.\nitem: Two.\n~item: A " TEN " " TEN " and\n");
	is_split("a passage that begins and ends in the middle",
		 "of the whole. Complete here. And then it",
		 "~prose: of the whole.\nprose: Complete here.\n"
		 "~prose: And then it\n");
	is_split("code by its symbols",
		 "$ rm -rf /\n\nif (a[i] == b->c) { x(); }\n",
		 "code: $ rm -rf /\n"
		 "code: if (a[i] == b->c) { x(); }\n");
	is_split("an example of a shell and what it prints",
		 "Like so:\n\n    $ a b |\n    >   c\n    It prints this.\n\n"
		 "    Indented.\n",
		 "~prose: Like so:\ncode: $ a b |\ncode: > c\n"
		 "code: It prints this.\nprose: Indented.\n");
	is_split("nothing", "", "");
	is_split("blanks and rulers", " \n\t\n-----\n====\n***\n", "");
}

/* No input makes it read outside or loop. */
static void test_split_hostile(void)
{
	static const char letters[] = " \n\n#-*|`$ab.1)\t~=(\xE2\x80\xA2\xC3";
	struct complete_sentences s = { NULL, 0, 0 };
	bool good = true;
	unsigned r = 1;

	for (int round = 0; round < 3000; round++) {
		char *text = malloc(200);
		size_t n = (size_t)round % 200;

		for (size_t i = 0; i < n; i++) {
			r = r * 1103515245 + 12345;
			text[i] = letters[(r >> 16) % (sizeof letters - 1)];
		}
		/* Exactly n bytes, so that a sanitizer sees every step out. */
		text = realloc(text, n > 0 ? n : 1);
		s.n = 0;
		good = good && complete_split(&s, 0, (struct ai_span){
			text, n }, &err) == 0;
		for (size_t i = 0; i < s.n; i++)
			good = good && s.v[i].from < s.v[i].to &&
			       s.v[i].to <= n;
		free(text);
	}
	ok(good, "random bytes");
	free(s.v);
}

/* ---- extract ------------------------------------------------------------ */

static struct ai_rec rec;
static struct complete_hits hits;
static struct complete_answer answer;

static void take_hits(const char *json)
{
	if (ai_rec_parse(&rec, ai_span_of(json), 1, &err) < 0 ||
	    complete_hits_take(&hits, &rec, &err) < 0)
		ok(false, "hits: %s", err.msg);
}

static const char *extract(const char *question, size_t sentences)
{
	complete_answer_clear(&answer);
	if (complete_extract(&hits, ai_span_of(question), sentences, 0.5,
			     &answer, &err) < 0)
		return err.msg;
	return ai_buf_cstr(&answer.chat.text);
}

static void is_answer(const char *question, const char *want)
{
	const char *got = extract(question, 3);

	if (!ok(strcmp(got, want) == 0, "asked: %s", question))
		printf("# got:    %s\n# wanted: %s\n", got, want);
}

static void test_extract(void)
{
	take_hits("{\"hits\":["
		  "{\"id\":\"a\",\"text\":\"A batch holds at most 500 lines. "
		  "Cats sleep all day long.\"},"
		  "{\"id\":\"b\",\"text\":\"A BATCH holds, at most, 500 lines!"
		  " Set the limit of lines with --limit.\"},"
		  "{\"id\":\"c\",\"text\":\"The rain in Spain stays mainly in "
		  "the plain.\"}]}");
	is_answer("how many lines does a batch hold?",
		  "A batch holds at most 500 lines. [1]");
	is_answer("where does the rain stay?",
		  "The rain in Spain stays mainly in the plain. [3]");
	is_answer("Setting limits for the lines",
		  "Set the limit of lines with --limit. [2]");
	is_answer("zebra crossing", "the documents do not say");
	is_answer("500 zebras", "the documents do not say");
	is_answer("plain", "The rain in Spain stays mainly in the plain. [3]");
	is_answer("", "the documents do not say");
	is_answer("?!", "the documents do not say");
	is_answer("the of and", "the documents do not say");
	ok(answer.extractive && answer.n_cited == 0 && answer.score < 0.5 &&
	   strcmp(answer.chat.model, "local/extract") == 0, "its marks");
}

static void test_order(void)
{
	take_hits("{\"hits\":["
		  "{\"text\":\"Pears are yellow in autumn. Bread is dry.\"},"
		  "{\"text\":\"Apples from the garden ripen in autumn. Milk is "
		  "white. Apples and pears are fruit.\"}]}");
	is_answer("apples pears fruit autumn",
		  "Apples from the garden ripen in autumn. [2]\n"
		  "Apples and pears are fruit. [2]");
	ok(answer.n_cited == 1 && answer.cited[0] == 1 &&
	   answer.n_quotes == 2, "one hit cited, two sentences quoted");
	ok(strchr(extract("apples pears fruit autumn", 1), '\n') == NULL,
	   "one sentence if one is asked for");
}

static void test_entries(void)
{
	take_hits("{\"hits\":[{\"text\":\"How do I sort numbers?\\n\\n"
		  "Programs:\\n\\n  ai-cut     cuts texts\\n"
		  "  ai-sort    sorts numbers\\n  ai-sum     adds them\\n\\n"
		  "\\t-r\\tsort the numbers in reverse. The last is first.\\n"
		  "\"}]}");
	ok(strcmp(extract("how do I sort numbers?", 1),
		  "ai-sort sorts numbers [1]") == 0, "an entry by itself");
	is_answer("reverse numbers", "-r sort the numbers in reverse. "
		  "The last is first. [1]");
}

static void test_about(void)
{
	take_hits("{\"hits\":[{\"text\":\"The exit status is 2 if an error "
		  "occurred.\",\"source\":{\"uri\":\"man/grep.txt\","
		  "\"heading\":[\"EXIT STATUS\"]}}]}");
	is_answer("exit status of grep",
		  "The exit status is 2 if an error occurred. [1]");
	ok(answer.score > 0.6 && answer.score < 1,
	   "the document's name counts, but less: %g", answer.score);
	take_hits("{\"hits\":[{\"text\":\"of con\xE2\x80\x90\\n   fig files "
		  "is\\n   the  config option used.\"}]}");
	is_answer("config option used",
		  "of config files is the config option used. [1]");
	take_hits("{\"search\":{\"confident\":false},\"hits\":[{\"text\":"
		  "\"A batch is long.\"}]}");
	is_answer("batch", "the documents do not say");
}

/* Every quote is the hit's words. */
static bool quotes_hold(void)
{
	const char *p = ai_buf_cstr(&answer.chat.text);

	for (size_t i = 0; i < answer.n_quotes; i++) {
		const struct complete_quote *q = &answer.quotes[i];
		const char *s = complete_hit_text(&hits, q->hit).p;
		size_t k = q->from;

		while (k < q->to) {
			if (s[k] == ' ' || s[k] == '\n') {
				k++;
			} else if (*p == ' ') {
				p++;
			} else if (*p++ != s[k++]) {
				return false;
			}
		}
		p = strchr(p, '\n');
		if (p == NULL)
			return i + 1 == answer.n_quotes;
		p++;
	}
	return answer.n_quotes > 0;
}

static void test_many(void)
{
	struct ai_buf b = AI_BUF_INIT((size_t)16 << 20);

	ai_buf_str(&b, "{\"hits\":[");
	for (int h = 0; h < 200; h++) {
		ai_buf_fmt(&b, "%s{\"text\":\"", h > 0 ? "," : "");
		for (int i = 0; i < 100; i++)
			ai_buf_fmt(&b, "Word%d said\\n of number%d x%d y%d z%d. ",
				   (h * 7 + i) % 50, i * h % 97, i, h,
				   i ^ h);
		ai_buf_str(&b, "\"}");
	}
	ai_buf_str(&b, "]}");
	take_hits(b.p);
	extract("what is said of number5 and word7 and number12", 8);
	ok(answer.n_quotes > 1 && answer.n_quotes <= 8, "20,000 sentences: "
	   "%zu quoted", answer.n_quotes);
	ok(quotes_hold(), "every quote stands in its hit");
	ai_rec_release(&rec);
	ai_rec_init(&rec);
	ai_buf_release(&b);
}

/* ---- citations ---------------------------------------------------------- */

static const char *cite(const char *text, size_t n_hits)
{
	static char out[512];
	size_t n = 0;

	complete_answer_clear(&answer);
	ai_buf_str(&answer.chat.text, text);
	if (complete_cite(&answer, n_hits, &err) < 0)
		return "failed";
	out[0] = '\0';
	for (size_t i = 0; i < answer.n_cited && n < 400; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%zu ",
				      answer.cited[i] + 1);
	for (size_t i = 0; i < answer.n_invalid && n < 400; i++)
		n += (size_t)snprintf(out + n, sizeof out - n,
				      "!%" PRId64 " ", answer.invalid[i]);
	return out;
}

static void test_cite(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "A [1]. B [3][2]. C [1].", "1 3 2 " },
		{ "[1, 2,4]", "1 2 4 " },
		{ "[2-4]", "2 3 4 " },
		{ "[2\xE2\x80\x93" "3]", "2 3 " },
		{ "[ 2 ]", "2 " },
		{ "[0] [5] [9] [5]", "!0 !5 !9 " },
		{ "[3-9]", "3 4 !5 " },
		{ "[4-2] [1-] [-1] [] [a] [1;2] [1,] [1", "" },
		{ "[99999999999999999999999]", "!999999999999999 " },
		{ "[1-4000000]", "1 !4000000 " },
		{ "[2](http://x) [3]: y", "3 " },
		{ "`a[1]` ``b[2]` `` [3]", "3 " },
		{ "```\n[1]\n```\n[2]", "2 " },
		{ "an unmatched ` and [1]", "1 " },
		{ "word[1] and (see [2])", "1 2 " },
		{ "[[1]]", "1 " },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = cite(cases[i].text, 4);

		ok(strcmp(got, cases[i].want) == 0, "citations %zu: '%s'", i,
		   got);
	}
	ok(strcmp(cite("[1]", 0), "!1 ") == 0, "no hits, no citation");
}

int main(void)
{
	ai_rec_init(&rec);
	complete_hits_init(&hits);
	complete_answer_init(&answer);
	test_split();
	test_split_hostile();
	test_extract();
	test_order();
	test_entries();
	test_about();
	test_many();
	test_cite();
	complete_answer_release(&answer);
	complete_hits_release(&hits);
	ai_rec_release(&rec);
	return done();
}
