/* stream.c: answers that come piece by piece. */
#include "model/exchange.h"

#include "base/clock.h"

#include <string.h>

#define EVENT_MAX ((size_t)16 << 20) /* bytes of one */

int ai_stream_hand_on(struct ai_exchange *x, size_t from, struct ai_err *err)
{
	const struct ai_buf *text = &x->chat->text;

	if (text->len == from)
		return 0;
	if (x->call->ttft_s < 0)
		x->call->ttft_s = x->client->tape.play >= 0
			? x->played.ttft_s : ai_clock_s() - x->begun_s;
	x->told = true;
	return x->delta(x->arg, (struct ai_span){ text->p + from,
						  text->len - from }, err);
}

/* ai_sse_fn: one event. */
static int take_event(void *arg, struct ai_span name, struct ai_span data,
		      struct ai_err *err)
{
	struct ai_exchange *x = arg;
	const struct ai_wire *wire = x->e->wire;
	struct ai_wire_error why = { 0 };
	size_t from = x->chat->text.len;
	int rc;

	if (x->whole) /* what comes behind the end is no part of it */
		return 0;
	if (wire->get_error(data.p, data.n, &why))
		return ai_failure_event(x, &why, err);
	rc = ai_wire_get_event(wire, name, data, x->chat, err);
	if (rc < 0)
		return -1;
	x->whole = x->whole || rc > 0;
	return ai_stream_hand_on(x, from, err);
}

/* ai_frame_fn: one of AWS's frames. */
static int take_frame(void *arg, const struct ai_frame *f, struct ai_err *err)
{
	struct ai_exchange *x = arg;
	const struct ai_wire *wire = x->e->wire;
	struct ai_wire_error why = { 0 };

	if (f->kind == AI_FRAME_EVENT)
		return take_event(arg, f->name, f->payload, err);
	wire->get_error(f->payload.p, f->payload.n, &why);
	if (wire->name_error != NULL)
		wire->name_error(f->name, &why);
	if (why.message[0] == '\0')
		ai_wire_clean(f->message.n > 0 ? f->message : f->name,
			      why.message, sizeof why.message);
	return ai_failure_event(x, &why, err);
}

void ai_stream_begin(struct ai_exchange *x)
{
	enum ai_framing framing = x->e->wire->framing;

	ai_stream_release(x);
	x->whole = false;
	ai_buf_clear(&x->raw);
	ai_chat_answer_clear(x->chat);
	if (framing == AI_FRAMING_AWS)
		ai_eventstream_init(&x->frames, EVENT_MAX, take_frame, x);
	else
		ai_sse_init(&x->sse, framing == AI_FRAMING_NDJSON
			    ? AI_SSE_LINES : AI_SSE_EVENTS, EVENT_MAX,
			    take_event, x);
}

/* A server that does not stream answers whole, and says so by the type. */
static bool is_whole(const struct ai_exchange *x)
{
	static const char json[] = "application/json";

	return x->e->wire->framing == AI_FRAMING_SSE &&
	       strncmp(x->answer.content_type, json, sizeof json - 1) == 0;
}

int ai_stream_add(void *arg, const char *p, size_t n, struct ai_err *err)
{
	struct ai_exchange *x = arg;

	if (x->client->tape.record >= 0)
		ai_buf_add(&x->raw, p, n);
	if (is_whole(x)) {
		ai_buf_add(&x->answer.body, p, n);
		return ai_buf_check(&x->answer.body, "the answer", err);
	}
	return x->e->wire->framing == AI_FRAMING_AWS
		? ai_eventstream_add(&x->frames, p, n, err)
		: ai_sse_add(&x->sse, p, n, err);
}

/* Some formats have no end mark: then there must be a reason for the end, and
 * nothing half behind it. */
int ai_stream_end(struct ai_exchange *x, struct ai_err *err)
{
	bool cut = false;

	if (x->e->wire->framing == AI_FRAMING_AWS)
		cut = ai_eventstream_cut(&x->frames);
	else if (ai_sse_end(&x->sse, &cut, err) < 0)
		return -1;
	if (x->whole || (!cut && x->chat->finish_reason[0] != '\0'))
		return 0;
	return ai_err_set(err, AI_E_UNAVAILABLE, "the answer of %s was cut off "
			  "after %zu bytes of text", x->e->provider,
			  x->chat->text.len);
}

void ai_stream_release(struct ai_exchange *x)
{
	if (!x->streams)
		return;
	if (x->e->wire->framing == AI_FRAMING_AWS)
		ai_eventstream_release(&x->frames);
	else
		ai_sse_release(&x->sse);
}
