/* net/sse: the standard's own examples and its corners, in pieces of every
 * kind; limits; what cuts a stream. */
#include "net/sse.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* What came of a stream, as text: "[name|data]" for each event. */
struct seen {
	struct ai_buf text;
	int stop_after; /* events; 0: never */
	int events;
};

static int each(void *arg, struct ai_span name, struct ai_span data,
		struct ai_err *err)
{
	struct seen *s = arg;

	ai_buf_chr(&s->text, '[');
	ai_buf_add(&s->text, name.p, name.n);
	ai_buf_chr(&s->text, '|');
	ai_buf_add(&s->text, data.p, data.n);
	ai_buf_chr(&s->text, ']');
	if (++s->events == s->stop_after)
		return ai_err_set(err, AI_E_ANSWER, "stop here");
	return 0;
}

/* How a stream is cut: the next piece's length, of at most n. */
enum pieces { WHOLE, BYTES, RANDOM };

static size_t piece(enum pieces how, size_t n)
{
	static unsigned state = 1;
	size_t k = n;

	state = state * 1103515245 + 12345;
	if (how == BYTES)
		k = 1;
	else if (how == RANDOM)
		k = (state >> 16) % 7;
	return k < n ? k : n;
}

/* Reads p[0..n); the events are in s, and " cut" behind them if it is. */
static int read_all(enum ai_sse_framing framing, size_t max, const char *p,
		    size_t n, enum pieces how, struct seen *s,
		    struct ai_err *err)
{
	struct ai_sse sse;
	bool cut = false;
	size_t k;
	int rc = 0;

	s->events = 0;
	ai_buf_clear(&s->text);
	ai_sse_init(&sse, framing, max, each, s);
	for (size_t i = 0; i < n && rc == 0; i += k) {
		k = piece(how, n - i);
		rc = ai_sse_add(&sse, p + i, k, err);
	}
	if (rc == 0)
		rc = ai_sse_end(&sse, &cut, err);
	if (cut)
		ai_buf_str(&s->text, " cut");
	ai_sse_release(&sse);
	return rc;
}

static void same(enum ai_sse_framing framing, const char *p, size_t n,
		 const char *want, const char *what)
{
	struct seen s = { AI_BUF_INIT(1 << 20), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	bool good = true;

	/* Random cuts a few times: each is another one. */
	for (int how = WHOLE; how <= RANDOM + 8; how++) {
		enum pieces h = how > RANDOM ? RANDOM : (enum pieces)how;

		if (read_all(framing, 4096, p, n, h, &s, &err) == 0 &&
		    strcmp(ai_buf_cstr(&s.text), want) == 0)
			continue;
		good = false;
		printf("# pieces %d: %s\n", how, ai_buf_cstr(&s.text));
	}
	ok(good, "%s", what);
	ai_buf_release(&s.text);
}

#define EVENTS(text, want, what)                                               \
	same(AI_SSE_EVENTS, text, sizeof(text) - 1, want, what)
#define LINES(text, want, what)                                                \
	same(AI_SSE_LINES, text, sizeof(text) - 1, want, what)

/* The examples of the standard's section 9.2.6. */
static void test_standard(void)
{
	EVENTS("data: YHOO\ndata: +2\ndata: 10\n\n", "[|YHOO\n+2\n10]",
	       "three lines of data are one event");
	EVENTS(": test stream\n\ndata: first event\nid: 1\n\n"
	       "data:second event\nid\n\ndata:  third event\n",
	       "[|first event][|second event] cut",
	       "a comment, ids, and a last event that is not ended");
	EVENTS("data\n\ndata\ndata\n\ndata:", "[|][|\n] cut",
	       "data without a colon is empty");
	EVENTS("data:test\n\ndata: test\n\n", "[|test][|test]",
	       "the blank behind the colon does not matter");
}

static void test_fields(void)
{
	EVENTS("event: ping\ndata: 1\n\ndata: 2\n\n", "[ping|1][|2]",
	       "a name holds for one event");
	EVENTS("data: 1\nevent: a\nevent: b\n\n", "[b|1]",
	       "of two names the last counts, wherever it stands");
	EVENTS("event: a\nevent\ndata: 1\n\n", "[|1]", "a name is taken back");
	EVENTS("event: a\n\ndata: 1\n\n", "[|1]",
	       "an event without data is none, and its name is gone");
	EVENTS("id: 7\nretry: 10\nretry: x\nid: a\0b\n\ndata: 1\n\n", "[|1]",
	       "id and retry alone make no event");
	EVENTS("Data: 1\n data: 2\ndata : 3\ndatax: 4\ndat: 5\n"
	       "a-very-long-field-name: 6\ndatadatadata: 7\n\n", "",
	       "other fields are none of ours");
	EVENTS("data:  a: b \n\n", "[| a: b ]",
	       "only one blank is dropped, and only the first colon counts");
	EVENTS(": c\n:\n:data: 1\ndata: 2\n: c\ndata: 3\n\n: end\n",
	       "[|2\n3]", "comments, within an event too");
	EVENTS("data: {\"a\":\ndata: 1}\n\n", "[|{\"a\":\n1}]",
	       "JSON over two lines");
}

static void test_line_ends(void)
{
	EVENTS("data: 1\r\n\r\ndata: 2\r\n\r\n", "[|1][|2]", "CRLF");
	EVENTS("data: 1\r\rdata: 2\r\r", "[|1][|2]", "CR");
	EVENTS("data: 1\n\r\ndata: 2\r\n\ndata: 3\r\n\r", "[|1][|2][|3]",
	       "all of them");
	EVENTS("data: 1\r\ndata: 2\n\r", "[|1\n2]", "CRLF is one end");
	EVENTS("\n\n\r\r\n\ndata: 1\n\n\n\n", "[|1]", "empty lines");
	EVENTS("data: 1\r\n\r\n\r\n", "[|1]", "one more of them");
}

static void test_bytes(void)
{
	EVENTS("\xEF\xBB\xBF" "data: 1\n\n", "[|1]", "a byte order mark");
	EVENTS("\xEF\xBB\xBF\xEF\xBB\xBF" "data: 1\n\n", "",
	       "a second one is part of a name");
	EVENTS("\xEF\xBB" "data: 1\n\ndata: 2\n\n", "[|2]",
	       "what only begins like one is, too");
	EVENTS("\xEF\n\ndata: 2\n\n", "[|2]", "one byte of it");
	EVENTS("data: \xEF\xBB\xBF\n\n", "[|\xEF\xBB\xBF]",
	       "elsewhere it is data");
	EVENTS("data: \xE2\x82\xAC\xF0\x9F\x98\x80\n\n",
	       "[|\xE2\x82\xAC\xF0\x9F\x98\x80]", "UTF-8, cut anywhere");
	EVENTS("data: \xFF\xC0\n\n", "[|\xFF\xC0]",
	       "what is no UTF-8 is passed on");
}

static void test_ends(void)
{
	EVENTS("", "", "nothing at all is whole");
	EVENTS("\xEF\xBB\xBF", "", "so is a byte order mark");
	EVENTS("\xEF\xBB", " cut", "but not half of one");
	EVENTS("data: 1\n\n", "[|1]", "an event and its end");
	EVENTS("data: 1\n", " cut", "an event without its end");
	EVENTS("data: 1\n\ndata: 2", "[|1] cut", "within a line");
	EVENTS("data: 1\n\nda", "[|1] cut", "within a name");
	EVENTS("data: 1\n\nevent: a\n", "[|1] cut", "behind a name");
	EVENTS("data: 1\n\n: alive\n", "[|1]", "a comment loses nothing");
	EVENTS("data: 1\n\n: ali", "[|1] cut", "within a comment");
	EVENTS("data: 1\n\nretry: 5\n", "[|1]", "nor does retry");
}

static void test_lines(void)
{
	LINES("{\"a\":1}\n{\"b\":2}\n", "[|{\"a\":1}][|{\"b\":2}]", "lines");
	LINES("{\"a\":1}\r\n\r\n \n\n {\"b\":2} \n",
	      "[|{\"a\":1}][|{\"b\":2}]", "blanks around, blank lines");
	LINES("{\"a\":1}\n{\"b\":2}", "[|{\"a\":1}][|{\"b\":2}]",
	      "the last without its newline");
	LINES("{\"a\":1}\n{\"b\":2", "[|{\"a\":1}] cut", "the last cut");
	LINES("{\"a\":1}\n{\"b\":2}}", "[|{\"a\":1}] cut", "no JSON either");
	LINES("12\n34", "[|12] cut", "a number might go on");
	LINES("\"a\"\nnull", "[|\"a\"][|null]", "a word cannot");
	LINES("not json\n", "[|not json]", "what is ended is passed on");
	LINES("", "", "nothing is whole");
	LINES(" \r\n  ", "", "nor are blanks cut");
}

static void test_limits(void)
{
	static const char just[] = "data: 1234\ndata: 678\n\n";
	static const char more[] = "data: 1234\ndata: 6789\n\n";
	static const char line[] = "[1,2,3]\n[1,2,34]\n";
	struct seen s = { AI_BUF_INIT(4096), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	char name[AI_SSE_NAME_MAX + 16];

	for (enum pieces how = WHOLE; how <= RANDOM; how++) {
		ok(read_all(AI_SSE_EVENTS, 8, just, sizeof just - 1, how, &s,
			    &err) == 0, "data as long as it may be");
		err.code = AI_E_NONE;
		ok(read_all(AI_SSE_EVENTS, 8, more, sizeof more - 1, how, &s,
			    &err) == -1 && err.code == AI_E_TOO_LONG &&
		   s.events == 0, "one byte more: %s", err.msg);
		err.code = AI_E_NONE;
		ok(read_all(AI_SSE_LINES, 7, line, sizeof line - 1, how, &s,
			    &err) == -1 && err.code == AI_E_TOO_LONG &&
		   s.events == 1, "a line of JSON likewise: %s", err.msg);
	}
	memset(name, 'x', sizeof name);
	memcpy(name, "event:", 6);
	ok(read_all(AI_SSE_EVENTS, 8, name, 6 + AI_SSE_NAME_MAX, RANDOM, &s,
		    &err) == 0, "a name as long as it may be");
	ok(read_all(AI_SSE_EVENTS, 8, name, 7 + AI_SSE_NAME_MAX, RANDOM, &s,
		    &err) == -1 && err.code == AI_E_TOO_LONG,
	   "one byte more: %s", err.msg);
	ai_buf_release(&s.text);
}

/* What means nothing is not kept, and so may be as long as it likes. */
static void test_memory(void)
{
	struct seen s = { AI_BUF_INIT(4096), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_sse sse;
	char x[1024];
	bool cut;
	int rc;

	memset(x, 'x', sizeof x);
	ai_sse_init(&sse, AI_SSE_EVENTS, 16, each, &s);
	rc = ai_sse_add(&sse, ":", 1, &err);
	for (int i = 0; i < 4096; i++)
		rc |= ai_sse_add(&sse, x, sizeof x, &err);
	rc |= ai_sse_add(&sse, "\n", 1, &err);
	for (int i = 0; i < 4096; i++)
		rc |= ai_sse_add(&sse, x, sizeof x, &err);
	rc |= ai_sse_add(&sse, "\ndata: 1\n\n", 10, &err);
	ok(rc == 0 && strcmp(ai_buf_cstr(&s.text), "[|1]") == 0 &&
	   sse.data.cap <= 64 && sse.name.cap <= 64,
	   "megabytes of a comment and of an unknown field are not kept");
	ok(ai_sse_end(&sse, &cut, &err) == 0 && !cut, "and the end is whole");
	ai_sse_release(&sse);
	ai_buf_release(&s.text);
}

/* One event of megabytes in tiny pieces: a second at most, where the
 * square of it would be hours. */
static void test_long(void)
{
	static const char *const begin[] = { "data:", "[1," };
	static const char *const end[] = { "\n\n", "]\n" };
	enum { BIG = 4 << 20 };
	struct seen s = { AI_BUF_INIT(BIG + 64), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_sse sse;

	for (int framing = 0; framing < 2; framing++) {
		int rc;

		s.events = 0;
		ai_buf_clear(&s.text);
		ai_sse_init(&sse, (enum ai_sse_framing)framing, BIG + 16, each,
			    &s);
		rc = ai_sse_add(&sse, begin[framing], strlen(begin[framing]),
				&err);
		for (int i = 0; i < BIG / 4; i++)
			rc |= ai_sse_add(&sse, "1234", 4, &err);
		rc |= ai_sse_add(&sse, end[framing], 2, &err);
		ok(rc == 0 && s.events == 1 && s.text.len > BIG,
		   "an event of 4 MiB, four bytes at a time");
		ai_sse_release(&sse);
	}
	ai_buf_release(&s.text);
}

static void test_stop(void)
{
	static const char text[] = "data: 1\n\ndata: 2\n\ndata: 3\n\n";
	static const char lines[] = "1\n2\n3\n";
	struct seen s = { AI_BUF_INIT(4096), 2, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_sse sse;
	bool cut = true;

	ai_sse_init(&sse, AI_SSE_EVENTS, 64, each, &s);
	ok(ai_sse_add(&sse, text, sizeof text - 1, &err) == -1 &&
	   err.code == AI_E_ANSWER && s.events == 2,
	   "who takes the events can end them");
	err.code = AI_E_NONE;
	ok(ai_sse_add(&sse, text, sizeof text - 1, &err) == -1 &&
	   err.code == AI_E_ANSWER && s.events == 2, "for good");
	err.code = AI_E_NONE;
	ok(ai_sse_end(&sse, &cut, &err) == -1 && err.code == AI_E_ANSWER &&
	   !cut, "its error is that of the end, too");
	ai_sse_release(&sse);
	ok(read_all(AI_SSE_LINES, 64, lines, sizeof lines - 1, WHOLE, &s,
		    NULL) == -1 && s.events == 2, "and with lines");
	ai_buf_release(&s.text);
}

/* What id and retry are after p[0..n), in pieces of this kind. */
static bool keeps(const char *p, size_t n, enum pieces how, const char *id,
		  int64_t retry_ms)
{
	struct seen s = { AI_BUF_INIT(1 << 20), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_sse sse;
	bool good = true;
	size_t k;

	ai_sse_init(&sse, AI_SSE_EVENTS, 4096, each, &s);
	for (size_t i = 0; i < n; i += k) {
		k = piece(how, n - i);
		good = good && ai_sse_add(&sse, p + i, k, &err) == 0;
	}
	good = good && strcmp(sse.id, id) == 0 && sse.retry_ms == retry_ms;
	if (!good)
		printf("# id '%s', retry %lld\n", sse.id,
		       (long long)sse.retry_ms);
	ai_sse_release(&sse);
	ai_buf_release(&s.text);
	return good;
}

static void ids(const char *p, size_t n, const char *id, int64_t retry_ms,
		const char *what)
{
	bool good = true;

	for (int how = WHOLE; how <= RANDOM + 8; how++)
		good = keeps(p, n, how > RANDOM ? RANDOM : (enum pieces)how, id,
			     retry_ms) && good;
	ok(good, "%s", what);
}

#define IDS(text, id, retry_ms, what)                                          \
	ids(text, sizeof(text) - 1, id, retry_ms, what)

static void test_ids(void)
{
	char longer[AI_SSE_ID_MAX + 32];

	IDS("data: 1\n\n", "", -1, "without id and retry");
	IDS("id: 7\nretry: 500\ndata: 1\n\n", "7", 500, "with both");
	IDS("id: 7\n\nid: 8\ndata: 1\n", "7", -1,
	    "an id is that of the last event that is whole");
	IDS("id: 7\n\ndata: 1\n\n", "7", -1, "and stays");
	IDS("id: 7\n\nid\n\n", "", -1, "one without a colon takes it back");
	IDS("id:  a b\r\n\r\n", " a b", -1, "one blank is dropped");
	IDS("id: 7\n\nid: a\0b\n\n", "7", -1, "one with a NUL is none");
	IDS("retry: 1x\nretry:\nretry: -5\nretry: 1.5\n\n", "", -1,
	    "only digits say how long");
	IDS("retry: 9999999999999999\nretry: 20\n\n", "", 20,
	    "and not too many");
	IDS("identity: 7\nretrying: 8\n\n", "", -1, "longer names are others");
	memset(longer, 'x', sizeof longer);
	memcpy(longer, "id: ", 4);
	memcpy(longer + AI_SSE_ID_MAX + 4, "\n\n", 2);
	ok(keeps(longer, AI_SSE_ID_MAX + 6, RANDOM, (char[AI_SSE_ID_MAX + 1]){ 0 },
		 -1) == false, "the longest id is one");
	longer[AI_SSE_ID_MAX + 4] = 'x';
	memcpy(longer + AI_SSE_ID_MAX + 5, "\n\n", 2);
	ok(keeps(longer, AI_SSE_ID_MAX + 7, RANDOM, "", -1),
	   "a longer one is none");
}

int main(void)
{
	test_ids();
	test_standard();
	test_fields();
	test_line_ends();
	test_bytes();
	test_ends();
	test_lines();
	test_limits();
	test_memory();
	test_long();
	test_stop();
	return done();
}
