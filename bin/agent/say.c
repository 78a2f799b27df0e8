#include "say.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* Characters that nobody sees, or that make others be seen elsewhere. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		(c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
		(c >= 0xe0000 && c <= 0xe007f);
}

static void put(struct ai_buf *out, struct ai_span text, size_t max,
		bool lines, size_t indent)
{
	size_t i = 0, n;
	uint32_t c;

	while (i < text.n && i < max) {
		n = ai_utf8_decode(text.p + i, text.n - i, &c);
		if (n == 0) {
			ai_buf_fmt(out, "\\x%02x", (unsigned char)text.p[i++]);
			continue;
		}
		if (c == '\n' && lines)
			ai_buf_fmt(out, "\n%*s", (int)indent, "");
		else if (c == '\t' && lines)
			ai_buf_chr(out, '\t');
		else if (c < 0x20)
			ai_buf_fmt(out, c == '\n' ? " " : "\\x%02x",
				   (unsigned)c);
		else if (is_hidden(c))
			ai_buf_fmt(out, "\\u{%04x}", (unsigned)c);
		else
			ai_buf_add(out, text.p + i, n);
		i += n;
	}
	if (i < text.n)
		ai_buf_fmt(out, "... (%zu bytes more)", text.n - i);
}

void agent_say_text(struct ai_buf *out, struct ai_span text, size_t max)
{
	put(out, text, max, false, 0);
}

void agent_say_lines(struct ai_buf *out, struct ai_span text, size_t max,
		     size_t indent)
{
	put(out, text, max, true, indent);
}
