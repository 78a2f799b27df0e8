#include "tool/result.h"

#include "base/utf8.h"

#include <string.h>

#define NOTE_MAX 120 /* bytes that are said about what is missing */

/* Where good text ends, going through a text once. */
struct scan {
	struct ai_span raw;
	size_t at, nul; /* nul: the next one's offset, or raw.n */
};

static void scan_begin(struct scan *s, struct ai_span raw)
{
	const char *nul = memchr(raw.p, '\0', raw.n);

	*s = (struct scan){ raw, 0, nul == NULL ? raw.n :
			    (size_t)(nul - raw.p) };
}

/* The bytes from s->at on that may stay as they are. */
static size_t good_run(struct scan *s)
{
	const char *nul;

	if (s->nul < s->at) {
		nul = memchr(s->raw.p + s->at, '\0', s->raw.n - s->at);
		s->nul = nul == NULL ? s->raw.n : (size_t)(nul - s->raw.p);
	}
	return ai_utf8_valid(s->raw.p + s->at, s->nul - s->at);
}

/* Appends raw as UTF-8, at most room bytes; returns how many bytes of raw that
 * are, and adds those that were replaced to *bad. */
static size_t add_utf8(struct ai_buf *out, struct ai_span raw, size_t room,
		       size_t *bad)
{
	struct scan s;
	size_t n, all;

	for (scan_begin(&s, raw); s.at < raw.n; s.at++, ++*bad) {
		all = n = good_run(&s);
		if (n > room)
			n = ai_utf8_floor(raw.p + s.at, n, room);
		ai_buf_add(out, raw.p + s.at, n);
		s.at += n;
		room -= n;
		if (s.at == raw.n || n < all || room < 3)
			break;
		ai_buf_str(out, "\xEF\xBF\xBD");
		room -= 3;
	}
	return s.at;
}

static bool is_good(struct ai_span raw)
{
	struct scan s;

	scan_begin(&s, raw);
	return good_run(&s) == raw.n;
}

static void add_notes(struct ai_buf *out, size_t left, size_t bad)
{
	if (left == 0 && bad == 0)
		return;
	if (out->len > 0 && out->p[out->len - 1] != '\n')
		ai_buf_chr(out, '\n');
	if (bad > 0)
		ai_buf_fmt(out, "[%zu byte%s no UTF-8 text and replaced]%s",
			   bad, bad == 1 ? " was" : "s were",
			   left > 0 ? "\n" : "");
	if (left > 0)
		ai_buf_fmt(out, "[%zu more byte%s left out]", left,
			   left == 1 ? " was" : "s were");
}

void agent_result_text(struct ai_buf *out, struct ai_span raw, size_t max)
{
	size_t bad = 0, used, room = max > NOTE_MAX ? max - NOTE_MAX : 0;

	if (raw.n == 0) {
		ai_buf_str(out, "(no output)");
		return;
	}
	/* Only what is whole may use the room of the notes. */
	if (raw.n <= max && is_good(raw))
		room = max;
	used = add_utf8(out, raw, room, &bad);
	add_notes(out, raw.n - used, bad);
}

void agent_result_tail(struct ai_buf *out, struct ai_span raw, size_t max)
{
	size_t bad = 0, left = 0, room = max > NOTE_MAX ? max - NOTE_MAX : 0;

	if (raw.n > room) {
		left = raw.n - room;
		/* Not in the middle of a character. */
		while (left < raw.n && ((unsigned char)raw.p[left] & 0xC0) ==
		       0x80)
			left++;
		ai_buf_fmt(out, "[%zu bytes left out]\n", left);
	}
	raw.p += left;
	raw.n -= left;
	/* What is replaced grows. */
	left = raw.n - add_utf8(out, raw, room, &bad);
	add_notes(out, left, bad);
}
