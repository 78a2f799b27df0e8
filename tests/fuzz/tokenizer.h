/*
 * tokenizer.h: a tokenizer's file, and a text for it. The text is what stands
 * behind the last byte 0xFF; both readers get what is before it.
 */
#ifndef TESTS_FUZZ_TOKENIZER_H
#define TESTS_FUZZ_TOKENIZER_H

#include "fuzz.h"
#include "base/utf8.h"
#include "model/tokenizer.h"

#include <string.h>

#define TEXT_MAX 4000

static void try_text(struct ai_bpe *b, bool plain, const char *p, size_t n)
{
	struct ai_buf back = AI_BUF_INIT(1 << 24);
	struct ai_bpe_ids ids = { 0 };
	struct ai_bpe_cut cut;
	struct ai_err err;
	size_t count, again;

	if (ai_bpe_encode(b, p, n, AI_BPE_SPECIAL, &ids, &err) < 0) {
		must(ai_bpe_count(b, p, n, AI_BPE_SPECIAL, &count, &err) < 0);
		ai_bpe_ids_release(&ids);
		return;
	}
	/* The second time, it is the cache that counts. */
	for (int i = 0; i < 2; i++) {
		must(ai_bpe_count(b, p, n, AI_BPE_SPECIAL, &count, &err) == 0);
		must(count == ids.n);
	}
	if (ai_bpe_decode(b, ids.v, ids.n, &back, &err) == 0 && plain)
		must(back.len == n && (n == 0 || memcmp(back.p, p, n) == 0));
	if (ai_bpe_truncate(b, p, n, 0, n / 8, &cut, &err) == 0) {
		must(cut.keep <= n && cut.tokens <= n / 8);
		must(ai_bpe_count(b, p, cut.keep, 0, &again, &err) == 0);
		must(again == cut.tokens);
		must(ai_utf8_floor(p, n, cut.keep) == cut.keep);
	}
	ai_buf_release(&back);
	ai_bpe_ids_release(&ids);
}

typedef int reader(struct ai_tok_spec *s, const char *p, size_t n,
		   struct ai_err *err);

static void try_file(reader *read, const char *p, size_t n, const char *text,
		     size_t text_n)
{
	struct ai_buf table = AI_BUF_INIT((size_t)1 << 30);
	struct ai_tok_spec spec;
	struct ai_tok *tok;
	struct ai_bpe *b;
	struct ai_err err;
	bool plain;
	int rc;

	ai_tok_spec_init(&spec);
	rc = read(&spec, p, n, &err);
	if (rc == 0)
		rc = ai_tok_build(&spec, &table, &err);
	ai_tok_spec_release(&spec);
	if (rc < 0) {
		must(err.msg[0] != '\0' && err.code != AI_E_BUG);
		ai_buf_release(&table);
		return;
	}
	/* Only a pattern can be wrong now. */
	if (ai_tok_new(&tok, table.p, table.len, false, &err) < 0) {
		must(strstr(err.msg, "the pattern") == err.msg);
		return;
	}
	plain = (ai_tok_head(tok)->flags & AI_TOK_PLAIN) != 0;
	must(ai_bpe_from_tok(&b, tok, "fuzz", &err) == 0);
	try_text(b, plain, text, text_n);
	ai_bpe_close(b);
}

static void try_input(reader *read, const uint8_t *data, size_t size)
{
	size_t cut = size;

	while (cut > 0 && data[cut - 1] != 0xFF)
		cut--;
	if (cut == 0)
		try_file(read, (const char *)data, size, "", 0);
	else if (size - cut <= TEXT_MAX)
		try_file(read, (const char *)data, cut - 1,
			 (const char *)data + cut, size - cut);
}

#endif
