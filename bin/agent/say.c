#include "say.h"

#include "base/utf8.h"


bool agent_say_hides(uint32_t c)
{
	static const struct { uint32_t from, to; } hidden[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].from && c <= hidden[i].to)
			return true;
	return false;
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
		else if (agent_say_hides(c))
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
