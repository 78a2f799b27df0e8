/*
 * tokenizer-bert.c: what in a tokenizer.json is of one family of models: how
 * GPT-2's write bytes, and the parts of BERT's.
 */
#include "model/tokenizer.h"

#include "base/utf8.h"
#include "record/json.h"

#include <string.h>

/* ---- the byte-level alphabet ---- */

/*
 * GPT-2's way to write bytes as printable characters: those of Latin-1 that
 * print stand for themselves, the 68 others for U+0100 and on, in order.
 */
static bool prints(unsigned c)
{
	return (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || c >= 174;
}

static int byte_of(uint32_t cp)
{
	if (cp < 256)
		return prints(cp) ? (int)cp : -1;
	cp -= 256;
	for (unsigned c = 0; c < 256; c++)
		if (!prints(c) && cp-- == 0)
			return (int)c;
	return -1;
}

bool ai_tokenizer_unmap(struct ai_span t, struct ai_buf *out)
{
	uint32_t cp;
	size_t len;
	int byte;

	ai_buf_clear(out);
	for (size_t i = 0; i < t.n; i += len) {
		len = ai_utf8_decode(t.p + i, t.n - i, &cp);
		byte = len == 0 ? -1 : byte_of(cp);
		if (byte < 0)
			return false;
		ai_buf_chr(out, (char)byte);
	}
	return true;
}

/* ---- BERT's ---- */

static bool flag(struct ai_value v, const char *name, bool otherwise)
{
	struct ai_value f = ai_json_member(v, ai_span_of(name));

	return f.kind == AI_BOOL ? ai_json_true(f) : otherwise;
}

bool ai_tokenizer_bert(struct ai_value v, struct ai_span type, unsigned *flags)
{
	bool lower;

	*flags = 0;
	if (ai_span_is(type, "Lowercase"))
		*flags = AI_TOK_BERT_LOWER;
	else if (ai_span_is(type, "StripAccents"))
		*flags = AI_TOK_BERT_MARKS;
	if (!ai_span_is(type, "BertNormalizer"))
		return *flags != 0;
	lower = flag(v, "lowercase", true);
	if (flag(v, "clean_text", true))
		*flags |= AI_TOK_BERT_CLEAN;
	if (flag(v, "handle_chinese_chars", true))
		*flags |= AI_TOK_BERT_CJK;
	/* null is as lowercase. */
	if (flag(v, "strip_accents", lower))
		*flags |= AI_TOK_BERT_PARTS | AI_TOK_BERT_ACCENTS;
	if (lower)
		*flags |= AI_TOK_BERT_LOWER;
	return true;
}

static int read_prefix(struct ai_tok_header *h, struct ai_value v,
		       struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(sizeof h->prefix);
	int rc = 0;

	memcpy(h->prefix, "##", 2);
	h->prefix_n = 2;
	if (v.kind != AI_STRING)
		return 0;
	if (ai_json_text(v, &b) < 0)
		rc = ai_err_set(err, AI_E_DATA, "its "
				"continuing_subword_prefix is longer than %zu "
				"bytes", sizeof h->prefix);
	else
		memcpy(h->prefix, ai_buf_cstr(&b), b.len);
	h->prefix_n = (uint32_t)b.len;
	ai_buf_release(&b);
	return rc;
}

int ai_tokenizer_wordpiece(struct ai_tok_spec *s, struct ai_value model,
			   struct ai_err *err)
{
	struct ai_value v = ai_json_member(model,
					   AI_SPAN("max_input_chars_per_word"));
	int64_t most = 100;

	s->head.kind = AI_TOK_WORDPIECE;
	if (v.kind != AI_NONE &&
	    (ai_json_i64(v, &most) < 0 || most < 1 || most > AI_TOK_WORD_MAX))
		return ai_err_set(err, AI_E_DATA, "max_input_chars_per_word "
				  "is not from 1 to %d", AI_TOK_WORD_MAX);
	s->head.word_max = (uint32_t)most;
	return read_prefix(&s->head, ai_json_member(model,
			   AI_SPAN("continuing_subword_prefix")), err);
}
