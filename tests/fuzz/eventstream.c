/*
 * AWS's frames: no bytes break the reader, and whatever the pieces, the
 * frames are the same and end the same way. With the first bit of the first
 * byte set, the rest is made into frames whose sums are right (else none
 * would get past them): of each, one byte for the length of its headers, one
 * for that of its payload, and both.
 * fuzz: lib/common/net/eventstream.c
 */
#include "net/eventstream.h"
#include "fuzz.h"

#include <string.h>

#define MAX 256

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

static void put_u32(struct ai_buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		ai_buf_chr(b, (char)(v >> shift & 255));
}

static void make_frames(struct ai_buf *b, const uint8_t *p, size_t n)
{
	while (n >= 2) {
		size_t from = b->len, headers = p[0], payload = p[1];

		p += 2, n -= 2;
		headers = headers < n ? headers : n;
		payload = payload < n - headers ? payload : n - headers;
		put_u32(b, (uint32_t)(16 + headers + payload));
		put_u32(b, (uint32_t)headers);
		put_u32(b, crc_of(b->p + from, 8));
		ai_buf_add(b, p, headers + payload);
		put_u32(b, crc_of(b->p + from, b->len - from));
		p += headers + payload;
		n -= headers + payload;
	}
	/* The rest is a frame that is cut, or rubbish. */
	ai_buf_add(b, p, n);
}

static int each(void *arg, const struct ai_frame *f, struct ai_err *err)
{
	struct ai_buf *out = arg;

	(void)err;
	must(f->kind != AI_FRAME_EVENT || f->name.n > 0);
	ai_buf_fmt(out, "%d,%zu,%zu,%zu:", (int)f->kind, f->name.n,
		   f->message.n, f->payload.n);
	ai_buf_add(out, f->name.p, f->name.n);
	ai_buf_add(out, f->message.p, f->message.n);
	ai_buf_add(out, f->payload.p, f->payload.n);
	return 0;
}

/* In pieces of 1 to most bytes, each in memory of its own for ASan. */
static void push(const char *p, size_t n, size_t most, struct ai_buf *out)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_eventstream s;
	unsigned state = (unsigned)n;
	size_t k;
	int rc = 0;

	ai_eventstream_init(&s, MAX, each, out);
	for (size_t i = 0; i < n && rc == 0; i += k) {
		char *piece;

		state = state * 1103515245 + 12345;
		k = 1 + (state >> 16) % most;
		k = most < n && k < n - i ? k : most < n ? n - i : n;
		piece = malloc(k);
		must(piece != NULL);
		memcpy(piece, p + i, k);
		rc = ai_eventstream_add(&s, piece, k, &err);
		free(piece);
		must(s.part.len <= MAX);
	}
	must(rc == 0 || (rc == -1 && (err.code == AI_E_ANSWER ||
				      err.code == AI_E_TOO_LONG)));
	ai_buf_fmt(out, "%d %s", ai_eventstream_cut(&s), err.msg);
	ai_eventstream_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t most[] = { 1, 3, 11, 90 };
	struct ai_buf in = AI_BUF_INIT((size_t)1 << 26);
	struct ai_buf want = AI_BUF_INIT((size_t)1 << 26);
	struct ai_buf got = AI_BUF_INIT((size_t)1 << 26);

	if (size == 0)
		return 0;
	if (data[0] & 1)
		make_frames(&in, data + 1, size - 1);
	else
		ai_buf_add(&in, data + 1, size - 1);
	push(in.p, in.len, SIZE_MAX, &want);
	for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
		ai_buf_clear(&got);
		push(in.p, in.len, most[i], &got);
		must(got.len == want.len &&
		     memcmp(got.p, want.p, got.len) == 0);
	}
	ai_buf_release(&got);
	ai_buf_release(&want);
	ai_buf_release(&in);
	return 0;
}
