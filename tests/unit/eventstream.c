/* net/eventstream: AWS's frames from an encoder of our own, in pieces of every
 * kind; damage, limits, ends. */
#include "net/eventstream.h"

#include "tap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- an encoder --------------------------------------------------------- */

/* Bit by bit, to differ from the table that is tried. */
static uint32_t crc_of(const char *p, size_t n)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned char)p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
	}
	return ~crc;
}

static void put_number(struct ai_buf *b, uint32_t v, int bytes)
{
	while (bytes-- > 0)
		ai_buf_chr(b, (char)(v >> 8 * bytes & 255));
}

/* A header of any type, its value as it stands in the frame. */
static void put_header(struct ai_buf *b, const char *name, int type,
		       const char *value, size_t n)
{
	put_number(b, (uint32_t)strlen(name), 1);
	ai_buf_str(b, name);
	put_number(b, (uint32_t)type, 1);
	ai_buf_add(b, value, n);
}

static void put_text(struct ai_buf *b, const char *name, const char *value)
{
	struct ai_buf v = AI_BUF_INIT(1 << 17);

	put_number(&v, (uint32_t)strlen(value), 2);
	ai_buf_str(&v, value);
	put_header(b, name, 7, v.p, v.len);
	ai_buf_release(&v);
}

static void put_frame(struct ai_buf *b, const struct ai_buf *headers,
		      const char *payload)
{
	size_t from = b->len;

	put_number(b, (uint32_t)(16 + headers->len + strlen(payload)), 4);
	put_number(b, (uint32_t)headers->len, 4);
	put_number(b, crc_of(b->p + from, 8), 4);
	ai_buf_add(b, headers->p, headers->len);
	ai_buf_str(b, payload);
	put_number(b, crc_of(b->p + from, b->len - from), 4);
}

/* A frame as Bedrock sends them. */
static void put_message(struct ai_buf *b, const char *kind,
			const char *name_of, const char *name,
			const char *payload)
{
	struct ai_buf h = AI_BUF_INIT(1 << 17);

	put_text(&h, name_of, name);
	put_text(&h, ":content-type", "application/json");
	put_text(&h, ":message-type", kind);
	put_frame(b, &h, payload);
	ai_buf_release(&h);
}

/* ---- a reader ----------------------------------------------------------- */

struct seen {
	struct ai_buf text; /* "[kind name|payload]" or "(message)" */
	int frames, stop_after;
};

static int each(void *arg, const struct ai_frame *f, struct ai_err *err)
{
	struct seen *s = arg;

	ai_buf_fmt(&s->text, "[%d %.*s|%.*s]", (int)f->kind, (int)f->name.n,
		   f->name.p, (int)f->payload.n, f->payload.p);
	if (f->message.n > 0)
		ai_buf_fmt(&s->text, "(%.*s)", (int)f->message.n,
			   f->message.p);
	if (++s->frames == s->stop_after)
		return ai_err_set(err, AI_E_REJECTED, "stop here");
	return 0;
}

/* In pieces of 1 to most bytes; " cut" behind the text if it is. */
static int read_all(const struct ai_buf *b, size_t max, size_t most,
		    struct seen *s, struct ai_err *err)
{
	static unsigned state = 1;
	struct ai_eventstream e;
	size_t k;
	int rc = 0;

	s->frames = 0;
	ai_buf_clear(&s->text);
	ai_eventstream_init(&e, max, each, s);
	for (size_t i = 0; i < b->len && rc == 0; i += k) {
		state = state * 1103515245 + 12345;
		k = most == 1 ? 1 : 1 + (state >> 16) % most;
		if (most >= b->len || k > b->len - i)
			k = b->len - i;
		rc = ai_eventstream_add(&e, b->p + i, k, err);
	}
	if (ai_eventstream_cut(&e))
		ai_buf_str(&s->text, " cut");
	ai_eventstream_release(&e);
	return rc;
}

static const size_t most[] = { 1, 2, 5, 13, 40, 200, SIZE_MAX };
#define PIECES (sizeof most / sizeof *most)

static void same(const struct ai_buf *b, const char *want, const char *what)
{
	struct seen s = { AI_BUF_INIT(1 << 20), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	bool good = true;

	for (size_t i = 0; i < PIECES; i++)
		if (read_all(b, 1 << 16, most[i], &s, &err) < 0 ||
		    strcmp(ai_buf_cstr(&s.text), want) != 0) {
			good = false;
			printf("# %zu: %s %s\n", most[i],
			       ai_buf_cstr(&s.text), err.msg);
		}
	ok(good, "%s", what);
	ai_buf_release(&s.text);
}

/* Whatever the pieces, the stream is refused with this in the message. */
static void refused(const struct ai_buf *b, size_t max, enum ai_code code,
		    const char *part, const char *what)
{
	struct seen s = { AI_BUF_INIT(1 << 20), 0, 0 };
	bool good = true;

	for (size_t i = 0; i < PIECES; i++) {
		struct ai_err err = { AI_E_NONE, -1, "" };

		if (read_all(b, max, most[i], &s, &err) == -1 &&
		    err.code == code && strstr(err.msg, part) != NULL)
			continue;
		good = false;
		printf("# %zu: %s '%s'\n", most[i], ai_buf_cstr(&s.text),
		       err.msg);
	}
	ok(good, "%s", what);
	ai_buf_release(&s.text);
}

/* ---- the tests ---------------------------------------------------------- */

/* Bytes from AWS's own tests of the format: the sums are theirs. */
static void test_published(void)
{
	static const char empty[] = "\0\0\0\x10\0\0\0\0\x05\xC2\x48\xEB"
				    "\x7D\x98\xC8\xFF";
	static const char payload[] = "\0\0\0\x1D\0\0\0\0\xFD\x52\x8C\x5A"
				      "{'foo':'bar'}\xC3\x65\x39\x36";
	struct ai_buf b = AI_BUF_INIT(4096);

	ai_buf_add(&b, empty, sizeof empty - 1);
	refused(&b, 4096, AI_E_ANSWER, "neither event", "the empty message");
	ai_buf_clear(&b);
	ai_buf_add(&b, payload, sizeof payload - 1);
	refused(&b, 4096, AI_E_ANSWER, "neither event",
		"a payload without headers");
	ok(crc_of("123456789", 9) == 0xCBF43926, "the check of CRC-32");
	ai_buf_release(&b);
}

static void test_messages(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16), h = AI_BUF_INIT(4096);

	same(&b, "", "no frame");
	put_message(&b, "event", ":event-type", "messageStart",
		    "{\"role\":\"assistant\"}");
	put_message(&b, "event", ":event-type", "contentBlockDelta",
		    "{\"delta\":{\"text\":\"\xE2\x82\xAC\"}}");
	put_message(&b, "event", ":event-type", "empty", "");
	put_message(&b, "exception", ":exception-type", "throttlingException",
		    "{\"message\":\"slow down\"}");
	same(&b, "[0 messageStart|{\"role\":\"assistant\"}]"
	     "[0 contentBlockDelta|{\"delta\":{\"text\":\"\xE2\x82\xAC\"}}]"
	     "[0 empty|][1 throttlingException|{\"message\":\"slow down\"}]",
	     "events and an exception");
	ai_buf_clear(&b);
	put_text(&h, ":message-type", "error");
	put_text(&h, ":error-code", "InternalError");
	put_text(&h, ":error-message", "it broke");
	put_frame(&b, &h, "");
	same(&b, "[2 InternalError|](it broke)", "an error and its message");
	ai_buf_clear(&b);
	ai_buf_clear(&h);
	put_text(&h, ":message-type", "error");
	put_frame(&b, &h, "x");
	same(&b, "[2 |x]", "an error that says nothing");
	ai_buf_release(&h);
	ai_buf_release(&b);
}

/* All types of headers are passed over, and only strings are read. */
static void test_headers(void)
{
	static const char zeros[16];
	static const size_t width[] = { 0, 0, 1, 2, 4, 8, 2, 2, 8, 16 };
	struct ai_buf b = AI_BUF_INIT(1 << 16), h = AI_BUF_INIT(4096);

	for (int type = 0; type < 10; type++)
		put_header(&h, "x", type, zeros, width[type]);
	put_header(&h, ":event-type", 4, "abcd", 4);
	put_header(&h, "bytes", 6, "\0\3abc", 5);
	put_text(&h, ":event-type", "e");
	put_header(&h, ":event-type", 6, "\0\1f", 3);
	put_text(&h, ":event-typ", "g");
	put_text(&h, ":message-type", "event");
	put_frame(&b, &h, "p");
	same(&b, "[0 e|p]", "all types of headers");
	ai_buf_release(&h);
	ai_buf_release(&b);
}

static void one_header(const char *name, int type, const char *value,
		       size_t n, const char *part, const char *what)
{
	struct ai_buf b = AI_BUF_INIT(4096), h = AI_BUF_INIT(4096);

	put_header(&h, name, type, value, n);
	put_frame(&b, &h, "payload");
	refused(&b, 4096, AI_E_ANSWER, part, what);
	ai_buf_release(&h);
	ai_buf_release(&b);
}

static void test_bad_headers(void)
{
	static const char bad[] = "header that cannot be read";

	one_header("", 0, "", 0, bad, "a header without a name");
	one_header("a", 10, "", 0, bad, "an unknown type");
	one_header("a", 255, "", 0, bad, "another one");
	one_header("a", 9, "123456789012345", 15, bad, "a value cut");
	one_header("a", 7, "\0\2x", 3, bad,
		   "a string that reaches into the payload");
	one_header("a", 7, "\0", 1, bad, "half a length");
	one_header(":message-type", 7, "\0\5other", 7, "neither event",
		   "a kind that is unknown");
	one_header(":message-type", 6, "\0\5event", 7, "neither event",
		   "a kind that is no text");
	one_header(":message-type", 7, "\0\5event", 7, "no :event-type",
		   "an event without its type");
}

static void test_damage(void)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct seen s = { AI_BUF_INIT(1 << 20), 0, 0 };
	unsigned accepted = 0, flips = 0;

	put_message(&b, "event", ":event-type", "e", "{\"text\":\"x\"}");
	for (size_t i = 0; i < b.len; i++)
		for (int bit = 0; bit < 8; bit++, flips++) {
			struct ai_err err = { AI_E_NONE, -1, "" };

			b.p[i] ^= (char)(1 << bit);
			if (read_all(&b, 4096, most[(i + bit) % PIECES], &s,
				     &err) != -1 || err.code != AI_E_ANSWER)
				accepted++;
			b.p[i] ^= (char)(1 << bit);
		}
	ok(flips == 8 * b.len && accepted == 0,
	   "each of %u bits that flip is seen", flips);
	ai_buf_clear(&b);
	ai_buf_str(&b, "{\"message\":\"The security token is invalid\"}");
	refused(&b, 4096, AI_E_ANSWER, "no event stream",
		"JSON is no event stream");
	ai_buf_release(&s.text);
	ai_buf_release(&b);
}

/* A prelude with a right sum, and lengths that are wrong. */
static void prelude(uint32_t total, uint32_t headers, enum ai_code code,
		    const char *part, const char *what)
{
	struct ai_buf b = AI_BUF_INIT(4096);

	put_number(&b, total, 4);
	put_number(&b, headers, 4);
	put_number(&b, crc_of(b.p, 8), 4);
	refused(&b, 4096, code, part, what);
	ai_buf_release(&b);
}

static void test_lengths(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16);
	struct seen s = { AI_BUF_INIT(1 << 16), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };

	prelude(0, 0, AI_E_ANSWER, "contradict", "a frame of no bytes");
	prelude(15, 0, AI_E_ANSWER, "contradict", "one byte too few");
	prelude(20, 5, AI_E_ANSWER, "contradict", "headers beyond the frame");
	prelude(20, UINT32_MAX, AI_E_ANSWER, "contradict", "far beyond it");
	prelude(4097, 0, AI_E_TOO_LONG, "exceeds 4096 bytes",
		"a frame too long is refused by its first 12 bytes");
	prelude(UINT32_MAX, 0, AI_E_TOO_LONG, "exceeds", "4 GiB");
	put_message(&b, "event", ":event-type", "e", "");
	ok(read_all(&b, b.len, 5, &s, &err) == 0 && s.frames == 1,
	   "as long as it may be");
	refused(&b, b.len - 1, AI_E_TOO_LONG, "exceeds", "one byte more");
	refused(&b, 0, AI_E_TOO_LONG, "exceeds", "a maximum of nothing");
	ai_buf_release(&s.text);
	ai_buf_release(&b);
}

/* A second at most, where the square of it would be hours. */
static void test_long(void)
{
	enum { BIG = 4 << 20 };
	struct ai_buf b = AI_BUF_INIT(2 * BIG), text = AI_BUF_INIT(BIG);
	struct seen s = { AI_BUF_INIT(2 * BIG), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };

	for (int i = 0; i < BIG / 8; i++)
		ai_buf_str(&text, "12345678");
	put_message(&b, "event", ":event-type", "e", ai_buf_cstr(&text));
	ok(read_all(&b, 2 * BIG, 5, &s, &err) == 0 && s.frames == 1 &&
	   s.text.len > BIG, "a frame of 4 MiB in pieces of 1 to 5 bytes");
	ai_buf_release(&s.text);
	ai_buf_release(&text);
	ai_buf_release(&b);
}

static void test_ends(void)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct seen s = { AI_BUF_INIT(1 << 16), 0, 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	size_t whole, bad = 0;

	put_message(&b, "event", ":event-type", "e", "1");
	whole = b.len;
	put_message(&b, "event", ":event-type", "e", "2");
	for (size_t n = 0; n <= 2 * whole; n++) {
		bool cut = n % whole != 0;

		b.len = n;
		if (read_all(&b, 4096, most[n % PIECES], &s, &err) < 0 ||
		    s.frames != (int)(n / whole) ||
		    (strstr(ai_buf_cstr(&s.text), " cut") != NULL) != cut)
			bad++;
	}
	ok(bad == 0, "cut anywhere but between two frames is cut");
	b.len = 2 * whole;
	s.stop_after = 1;
	for (size_t i = 0; i < PIECES; i++)
		ok(read_all(&b, 4096, most[i], &s, &err) == -1 &&
		   err.code == AI_E_REJECTED && s.frames == 1,
		   "who takes the frames can end them");
	ai_buf_release(&s.text);
	ai_buf_release(&b);
}

static void test_stopped(void)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct seen s = { AI_BUF_INIT(1 << 16), 0, 1 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_eventstream e;

	put_message(&b, "event", ":event-type", "e", "1");
	ai_eventstream_init(&e, 4096, each, &s);
	ok(ai_eventstream_add(&e, b.p, b.len, NULL) == -1, "stopped");
	ok(ai_eventstream_add(&e, b.p, b.len, &err) == -1 && s.frames == 1 &&
	   err.code == AI_E_REJECTED, "for good, with the same error");
	ok(!ai_eventstream_cut(&e), "which is not to be cut");
	ai_eventstream_release(&e);
	ai_buf_release(&s.text);
	ai_buf_release(&b);
}

int main(void)
{
	test_published();
	test_messages();
	test_headers();
	test_bad_headers();
	test_damage();
	test_lengths();
	test_long();
	test_ends();
	test_stopped();
	return done();
}
