/*
 * What a server answers: no bytes break the parser, what it accepts is whole.
 * The first byte says how many texts were sent and whether a dimension was
 * asked for.
 * fuzz: lib/common/model/lists.c lib/common/model/openai.c lib/common/model/wire.c
 */
#include "base/utf8.h"
#include "model/wire.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>

static bool printable(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size || ai_utf8_valid(s, n) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 127)
			return false;
	return true;
}

static void try_chat(const char *p, size_t n)
{
	struct ai_chat_answer a;
	struct ai_err err = { AI_E_NONE, -1, "" };

	ai_chat_answer_init(&a, 64);
	if (ai_wire_openai.get_chat(p, n, &a, &err) == 0) {
		must(a.text.len <= 64);
		must(ai_utf8_valid(ai_buf_cstr(&a.text), a.text.len) ==
		     a.text.len);
		must(printable(a.model, sizeof a.model));
		must(printable(a.finish_reason, sizeof a.finish_reason));
		must(a.usage.input >= -1 && a.usage.output >= -1);
	} else {
		must(err.code == AI_E_ANSWER || err.code == AI_E_TOO_LONG);
	}
	ai_chat_answer_release(&a);
}

static void try_embed(const char *p, size_t n, size_t texts, size_t dim)
{
	static const struct ai_span text[8];
	struct ai_embed_request q = { "m", text, texts, dim };
	struct ai_embed_answer a;
	struct ai_err err = { AI_E_NONE, -1, "" };

	if (ai_wire_get_embed(&ai_wire_openai, p, n, &q, &a, &err) == 0) {
		must(a.n == texts && a.dim > 0);
		must(dim == 0 || a.dim == dim);
		for (size_t i = 0; i < a.n * a.dim; i++)
			must(isfinite(a.vectors[i]));
	} else {
		must(err.code == AI_E_ANSWER && a.vectors == NULL);
	}
	ai_embed_answer_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_wire_error e;
	const char *p;

	if (size == 0)
		return 0;
	p = (const char *)data + 1;
	try_chat(p, size - 1);
	try_embed(p, size - 1, 1 + (data[0] & 3), data[0] & 4 ? 2 : 0);
	ai_wire_openai.get_error(p, size - 1, &e);
	must(printable(e.message, sizeof e.message));
	must(printable(e.code, sizeof e.code));
	must(printable(e.param, sizeof e.param));
	must(e.status == 0 || (e.status >= 400 && e.status <= 599));
	return 0;
}
