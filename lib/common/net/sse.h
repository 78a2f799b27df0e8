/*
 * sse.h: the events of a streamed answer, from bytes in pieces of any size.
 *
 * Two framings.  Server-sent events are read as the WHATWG's HTML standard
 * has it (section "Interpreting an event stream"): a byte order mark, lines
 * that end in LF, CR or CRLF, comments, data over several lines.  "id" and
 * "retry" are kept for clients that connect again.  One
 * thing is done otherwise: bytes that are no UTF-8 are not replaced but
 * passed on, so that what reads the data can refuse them.  The other framing
 * is newline-delimited JSON, where each line that is not blank is an event.
 *
 * An event is told of as soon as the byte that ends it is there.  What is
 * kept between two pieces is one event at most, which has a maximum; each byte
 * is looked at once (twice in the last line of a JSON stream).
 *
 *	struct ai_sse s;
 *
 *	ai_sse_init(&s, AI_SSE_EVENTS, 1 << 20, each, arg);
 *	while (rc == 0 && (n = read(fd, p, sizeof p)) > 0)
 *		rc = ai_sse_add(&s, p, n, &err);
 *	if (rc == 0)
 *		rc = ai_sse_end(&s, &cut, &err);
 *	ai_sse_release(&s);
 */
#ifndef AI_NET_SSE_H
#define AI_NET_SSE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_SSE_NAME_MAX 256 /* bytes in the name of an event */
#define AI_SSE_ID_MAX 1024  /* bytes of an id; a longer one is none */

enum ai_sse_framing {
	AI_SSE_EVENTS, /* text/event-stream */
	AI_SSE_LINES,  /* newline-delimited JSON */
};

/*
 * Takes one event: its name ("" if it has none) and data, borrowed until it
 * returns.  0: go on.  Anything else ends the stream: what comes behind is
 * not looked at, and the calls below return it; -1 leaves an error in err.
 */
typedef int ai_sse_fn(void *arg, struct ai_span name, struct ai_span data,
		      struct ai_err *err);

struct ai_sse {
	/* For who connects again, to be read between calls: */
	char id[AI_SSE_ID_MAX + 1]; /* of the last event that was whole; "" */
	int64_t retry_ms;           /* what the server has said last; -1 */
	/* private */
	enum ai_sse_framing framing;
	ai_sse_fn *each;
	void *arg;
	int state;           /* where in a line the next byte stands */
	unsigned bom;        /* bytes of a byte order mark seen */
	bool cr;             /* a CR came last: a LF belongs to it */
	bool has_data;       /* the event has a line of data */
	char field[8];       /* the name of the field, as far as it matters */
	size_t field_n;
	struct ai_buf *into; /* takes the field's value; NULL: nobody */
	bool is_id, is_retry; /* it goes into text */
	char text[AI_SSE_ID_MAX + 1];
	size_t text_n;       /* over AI_SSE_ID_MAX: too long */
	bool has_id;
	char next_id[AI_SSE_ID_MAX + 1]; /* of the event that is not whole */
	struct ai_buf name, data;
	int rc;              /* what ended the stream, or 0 */
	struct ai_err why;   /* if rc is -1 */
};

/* max: bytes in the data of one event, or in a line of JSON. */
void ai_sse_init(struct ai_sse *s, enum ai_sse_framing framing, size_t max,
		 ai_sse_fn *each, void *arg);
void ai_sse_release(struct ai_sse *s);

/*
 * The next bytes.  0, what each() returned if not 0, or -1 with AI_E_TOO_LONG
 * or AI_E_MEMORY.  After anything but 0 it does nothing but return the same
 * again.
 */
int ai_sse_add(struct ai_sse *s, const char *p, size_t n, struct ai_err *err);

/*
 * No more bytes come.  A last line of JSON without its newline is an event if
 * it is whole (but no number, which might have gone on); an event of the other
 * framing that lacks its empty line is none, as the standard has it.  *cut
 * tells whether the stream ended within a line or an event.  Returns as
 * ai_sse_add() does.
 */
int ai_sse_end(struct ai_sse *s, bool *cut, struct ai_err *err);

#endif
