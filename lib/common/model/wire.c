#include "model/wire.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

void ai_chat_answer_init(struct ai_chat_answer *a, size_t max_text)
{
	memset(a, 0, sizeof *a);
	ai_buf_init(&a->text, max_text);
	a->usage = (struct ai_usage){ -1, -1, -1, -1, -1 };
}

void ai_chat_answer_release(struct ai_chat_answer *a)
{
	ai_buf_release(&a->text);
}

void ai_embed_answer_release(struct ai_embed_answer *a)
{
	free(a->vectors);
	*a = (struct ai_embed_answer){ NULL, 0, 0, -1 };
}

/* C0, DEL and, in UTF-8, C1: what could move a terminal's cursor. */
static bool is_control(const char *p, size_t len)
{
	unsigned char c = (unsigned char)p[0];

	return c <= ' ' || c == 127 ||
	       (len == 2 && c == 0xC2 && (unsigned char)p[1] < 0xA0);
}

void ai_wire_clean(struct ai_span text, char *out, size_t size)
{
	static const char dots[] = "...";
	size_t n = 0, i = 0, room = size - sizeof dots;
	bool gap = false;

	while (i < text.n) {
		size_t len = ai_utf8_len(text.p + i, text.n - i);

		if (len == 0 || is_control(text.p + i, len)) {
			gap = n > 0;
			i += len == 0 ? 1 : len;
			continue;
		}
		if (n + gap + len > room) {
			memcpy(out + n, dots, sizeof dots);
			return;
		}
		if (gap)
			out[n++] = ' ';
		gap = false;
		memcpy(out + n, text.p + i, len);
		n += len;
		i += len;
	}
	out[n] = '\0';
}
