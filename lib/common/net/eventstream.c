#include "net/eventstream.h"

#include <stdint.h>
#include <string.h>

#define PRELUDE 12u /* two lengths and their sum */
#define SUM 4u

/* ---- bytes -------------------------------------------------------------- */

/* CRC-32/ISO-HDLC, reflected, by half bytes: of each value its remainder. */
static uint32_t crc32_of(const unsigned char *p, size_t n)
{
	static const uint32_t of[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
		0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
		0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
		0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ of[crc & 15];
		crc = crc >> 4 ^ of[crc & 15];
	}
	return ~crc;
}

static uint32_t u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* ---- headers ------------------------------------------------------------ */

/* What is left to read. */
struct cursor {
	const unsigned char *p;
	size_t n;
};

enum { TYPE_BYTES = 6, TYPE_STRING = 7, TYPES = 10 };

/* Takes the next n bytes: false if there are not so many. */
static bool take(struct cursor *c, size_t n, struct ai_span *out)
{
	if (n > c->n)
		return false;
	*out = (struct ai_span){ (const char *)c->p, n };
	c->p += n;
	c->n -= n;
	return true;
}

/* A length of so many bytes, and then what it counts. */
static bool take_counted(struct cursor *c, size_t bytes, struct ai_span *out)
{
	struct ai_span s;
	size_t n = 0;

	if (!take(c, bytes, &s))
		return false;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)s.p[i];
	return take(c, n, out);
}

/* One header; value.p is NULL if it is no string. */
static bool take_header(struct cursor *c, struct ai_span *name,
			struct ai_span *value)
{
	/* true, false, byte, short, int, long, bytes, string, time, uuid */
	static const size_t width[TYPES] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };
	struct ai_span s;
	unsigned type;
	bool whole;

	if (!take_counted(c, 1, name) || name->n == 0 || !take(c, 1, &s))
		return false;
	type = (unsigned char)s.p[0];
	if (type >= TYPES)
		return false;
	whole = type == TYPE_BYTES || type == TYPE_STRING ?
		take_counted(c, 2, &s) : take(c, width[type], &s);
	*value = type == TYPE_STRING ? s : (struct ai_span){ NULL, 0 };
	return whole;
}

/* The headers that say what a message is. */
struct facts {
	struct ai_span kind, event, exception, code, message;
};

static int read_headers(struct cursor c, struct facts *f, struct ai_err *err)
{
	const struct {
		const char *name;
		struct ai_span *to;
	} wanted[] = {
		{ ":message-type", &f->kind },
		{ ":event-type", &f->event },
		{ ":exception-type", &f->exception },
		{ ":error-code", &f->code },
		{ ":error-message", &f->message },
	};
	struct ai_span name, value;

	while (c.n > 0) {
		if (!take_header(&c, &name, &value))
			return ai_err_set(err, AI_E_ANSWER,
					  "a frame of the event stream has a "
					  "header that cannot be read");
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (value.p != NULL &&
			    ai_span_is(name, wanted[i].name))
				*wanted[i].to = value;
	}
	return 0;
}

static int read_kind(const struct facts *f, struct ai_frame *out,
		     struct ai_err *err)
{
	const struct {
		const char *kind;
		struct ai_span name;
	} kinds[] = {
		[AI_FRAME_EVENT] = { "event", f->event },
		[AI_FRAME_EXCEPTION] = { "exception", f->exception },
		[AI_FRAME_ERROR] = { "error", f->code },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!ai_span_is(f->kind, kinds[i].kind))
			continue;
		out->kind = (enum ai_frame_kind)i;
		out->name = kinds[i].name;
		/* A failure without a name is one still; an event is not. */
		if (i == AI_FRAME_EVENT && out->name.n == 0)
			return ai_err_set(err, AI_E_ANSWER,
					  "a frame of the event stream has no "
					  ":event-type");
		return 0;
	}
	return ai_err_set(err, AI_E_ANSWER,
			  "a frame of the event stream is neither event, "
			  "exception nor error");
}

/* ---- frames ------------------------------------------------------------- */

static int check_prelude(const unsigned char *p, size_t max,
			 struct ai_err *err)
{
	uint32_t total = u32(p), headers = u32(p + 4);

	if (crc32_of(p, PRELUDE - SUM) != u32(p + PRELUDE - SUM))
		return ai_err_set(err, AI_E_ANSWER,
				  "this is no event stream of AWS, or it is "
				  "damaged (the sum of a frame's lengths is "
				  "wrong)");
	if (total < PRELUDE + SUM || headers > total - PRELUDE - SUM)
		return ai_err_set(err, AI_E_ANSWER,
				  "a frame of the event stream has lengths "
				  "that contradict each other");
	if (total > max)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "a frame of the event stream exceeds %zu "
				  "bytes", max);
	return 0;
}

/* A whole frame, whose prelude was checked. */
static int read_frame(struct ai_eventstream *s, const unsigned char *p)
{
	size_t total = u32(p), headers = u32(p + 4);
	struct ai_frame f = { AI_FRAME_EVENT, .payload = {
		(const char *)p + PRELUDE + headers,
		total - PRELUDE - headers - SUM,
	} };
	struct facts facts = { AI_SPAN(""), AI_SPAN(""), AI_SPAN(""),
			       AI_SPAN(""), AI_SPAN("") };

	if (crc32_of(p, total - SUM) != u32(p + total - SUM))
		return ai_err_set(&s->why, AI_E_ANSWER,
				  "the event stream is damaged (the sum of a "
				  "frame is wrong)");
	if (read_headers((struct cursor){ p + PRELUDE, headers }, &facts,
			 &s->why) < 0 || read_kind(&facts, &f, &s->why) < 0)
		return -1;
	f.message = facts.message;
	return s->each(s->arg, &f, &s->why);
}

/* Takes the frames that lie whole in p; returns the bytes used.  Behind them
 * is a part of a frame, whose prelude was checked if it is there. */
static size_t add_whole(struct ai_eventstream *s, const unsigned char *p,
			size_t n)
{
	size_t at = 0;

	while (s->rc == 0 && n - at >= PRELUDE) {
		s->rc = check_prelude(p + at, s->part.max, &s->why);
		if (s->rc < 0 || u32(p + at) > n - at)
			break;
		s->rc = read_frame(s, p + at);
		at += u32(p + at);
	}
	return at;
}

/* Appends what the frame in s->part lacks of want bytes; returns how many of
 * n were taken. */
static size_t fill(struct ai_eventstream *s, size_t want,
		   const unsigned char *p, size_t n)
{
	size_t lack = want > s->part.len ? want - s->part.len : 0;

	if (lack > n)
		lack = n;
	if (ai_buf_add(&s->part, p, lack) < 0)
		s->rc = ai_buf_check(&s->part, "a frame of the event stream",
				     &s->why);
	return lack;
}

/* Goes on with the frame that the pieces before began. */
static size_t add_part(struct ai_eventstream *s, const unsigned char *p,
		       size_t n)
{
	const unsigned char *frame;
	size_t used = 0;

	if (s->part.len < PRELUDE) {
		used = fill(s, PRELUDE, p, n);
		if (s->rc != 0 || s->part.len < PRELUDE)
			return used;
		s->rc = check_prelude((const unsigned char *)s->part.p,
				      s->part.max, &s->why);
		if (s->rc != 0)
			return used;
	}
	used += fill(s, u32((const unsigned char *)s->part.p), p + used,
		     n - used);
	frame = (const unsigned char *)s->part.p;
	if (s->rc == 0 && s->part.len == u32(frame)) {
		s->rc = read_frame(s, frame);
		ai_buf_clear(&s->part);
	}
	return used;
}

/* ---- the stream --------------------------------------------------------- */

void ai_eventstream_init(struct ai_eventstream *s, size_t max,
			 ai_frame_fn *each, void *arg)
{
	memset(s, 0, sizeof *s);
	s->each = each;
	s->arg = arg;
	/* Less than the least frame is no maximum that could be kept. */
	ai_buf_init(&s->part, max < PRELUDE + SUM ? PRELUDE + SUM : max);
	s->why.retry_after_s = -1;
}

void ai_eventstream_release(struct ai_eventstream *s)
{
	ai_buf_release(&s->part);
}

int ai_eventstream_add(struct ai_eventstream *s, const void *piece, size_t n,
		       struct ai_err *err)
{
	const unsigned char *p = piece;
	size_t at = 0;

	if (s->rc == 0 && s->part.len > 0)
		at = add_part(s, p, n);
	if (s->rc == 0 && s->part.len == 0) {
		at += add_whole(s, p + at, n - at);
		if (s->rc == 0 && at < n)
			fill(s, n - at, p + at, n - at);
	}
	if (s->rc == -1 && err != NULL)
		*err = s->why;
	return s->rc;
}

bool ai_eventstream_cut(const struct ai_eventstream *s)
{
	return s->rc == 0 && s->part.len > 0;
}
