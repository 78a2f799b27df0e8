/* Marked texts: undone, they are what they were, unless something was broken in
 * them; no sign of a template and no marker of their own is left.
 * fuzz: bin/guard/mark.c */
#include "../../bin/guard/mark.h"
#include "fuzz.h"

#include <string.h>

static void try(enum guard_mark_mode mode, const char *marker,
		struct ai_span text)
{
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 30);
	struct ai_buf back = AI_BUF_INIT((size_t)1 << 30);
	size_t broken = guard_mark_put(&out, mode, marker, text.n % 3, text);
	const char *end;

	must(out.bad == AI_E_NONE);
	must(guard_mark_undo(&back, mode, marker,
			     (struct ai_span){ ai_buf_cstr(&out), out.len }) ==
	     0);
	if (broken == 0)
		must(back.len == text.n &&
		     (text.n == 0 || memcmp(back.p, text.p, text.n) == 0));
	else
		must(back.len > text.n);
	if (mode == GUARD_MARK_DELIMIT) {
		/* The marker stands where it was put, and nowhere else. */
		end = memmem(out.p, out.len, marker, strlen(marker));
		end = memmem(end + 1, (size_t)(out.p + out.len - end) - 1,
			     marker, strlen(marker));
		must(end != NULL && end + strlen(marker) + 2 ==
					    out.p + out.len);
		must(memmem(out.p, out.len, "<|", 2) == NULL);
	}
	ai_buf_release(&out);
	ai_buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const markers[] = { "^abc", "0123456789abcdef", "xy" };
	struct ai_span text = { (const char *)data, size };

	for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
		for (int mode = 0; mode <= GUARD_MARK_ENCODE; mode++)
			try((enum guard_mark_mode)mode, markers[i], text);
	return 0;
}
