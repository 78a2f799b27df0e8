/*
 * eventstream.h: the messages of an application/vnd.amazon.eventstream, which
 * is how AWS streams answers, from bytes in pieces of any size.
 *
 * A frame, all numbers with the most significant byte first:
 *
 *	total length 4, length of the headers 4, CRC-32 of these eight bytes 4,
 *	headers, payload, CRC-32 of all before it 4
 *
 * and a header: length of the name 1, name, type 1, value. Both sums are
 * checked (the CRC of ISO-HDLC, as in zip and Ethernet), the first before
 * the lengths are believed. The source is AWS's own description ("Amazon
 * Transcribe: event stream encoding", the same for all its services).
 *
 * What is kept between two pieces is one frame at most, which has a maximum;
 * a frame that lies in one piece is not copied.
 */
#ifndef AI_NET_EVENTSTREAM_H
#define AI_NET_EVENTSTREAM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* The header ":message-type". */
enum ai_frame_kind {
	AI_FRAME_EVENT,
	AI_FRAME_EXCEPTION, /* one that the service's model names */
	AI_FRAME_ERROR,     /* any other */
};

struct ai_frame {
	enum ai_frame_kind kind;
	struct ai_span name;    /* :event-type, :exception-type or
				 * :error-code; "" if an exception or error
				 * has none */
	struct ai_span message; /* :error-message, or "" */
	struct ai_span payload;
};

/*
 * Takes one message, borrowed until it returns: bytes of unknown quality.  0:
 * go on.  Anything else ends the stream: what comes behind is not looked at,
 * and ai_eventstream_add() returns it; -1 leaves an error in err.
 */
typedef int ai_frame_fn(void *arg, const struct ai_frame *f,
			struct ai_err *err);

struct ai_eventstream {
	/* private */
	ai_frame_fn *each;
	void *arg;
	struct ai_buf part; /* of a frame that is not whole yet */
	int rc;             /* what ended the stream, or 0 */
	struct ai_err why;  /* if rc is -1 */
};

/* max: bytes in a frame, all of it. */
void ai_eventstream_init(struct ai_eventstream *s, size_t max,
			 ai_frame_fn *each, void *arg);
void ai_eventstream_release(struct ai_eventstream *s);

/*
 * The next bytes.  0, what each() returned if not 0, or -1: AI_E_ANSWER (a
 * sum is wrong, lengths contradict each other, a header cannot be read),
 * AI_E_TOO_LONG, AI_E_MEMORY.  After anything but 0 it does nothing but return
 * the same again.
 */
int ai_eventstream_add(struct ai_eventstream *s, const void *p, size_t n,
		       struct ai_err *err);

/* No more bytes come: whether the stream was cut within a frame. */
bool ai_eventstream_cut(const struct ai_eventstream *s);

#endif
