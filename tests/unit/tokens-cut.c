/*
 * tokens-cut.c: --truncate over random texts: what is left has at most N tokens
 * when it is counted again, is cut only where characters and tokens part, and
 * is the part that was to be kept.
 */
#include "tokens.h"

#include "base/start.h"
#include "base/utf8.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS 400

static uint64_t seed = 88172645463325252u;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* What texts are made of: words, marks, blanks, scripts, emoji, digits. */
static const char *const bits[] = {
	"the", "The", " tokenizer", "unbelievable", " a", "\n", "\n\n", "   ",
	"\t", ".", ", ", "'s", "don't", "12345", "9", "(x)", "<|endoftext|>",
	"é", "Fluß", " мир", "привет", "今日は", "。", "한국어", "ภาษา", "हिन्दी",
	"😀", "👩‍👧", "🫨", "e\u0301", "\u00a0", "\u3000", "/", "\r\n", "ſ", "Ⅷ",
	"{\"k\":", "_", "----", "aaaaaaaaaaaa",
};

static void make(struct ai_buf *b)
{
	uint32_t n = 1 + rnd(60);

	ai_buf_clear(b);
	while (n-- > 0)
		ai_buf_str(b, bits[rnd(sizeof bits / sizeof *bits)]);
}

struct seen {
	int long_, broken, border, other, idle;
};

/* Whether a token of the whole text ends at this byte. */
static bool token_ends(const struct tokens_worker *w, const struct ai_buf *text,
		       size_t at)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	struct ai_bpe_ids ids = { 0 };
	struct ai_err err;
	bool found = at == 0 || at == text->len;

	ai_bpe_encode(w->bpe, text->p, text->len, tokens_flags(), &ids, &err);
	for (size_t i = 0; i < ids.n && !found; i++) {
		ai_bpe_decode(w->bpe, ids.v + i, 1, &b, &err);
		found = b.len == at;
	}
	ai_bpe_ids_release(&ids);
	ai_buf_release(&b);
	return found;
}

/* Where the text was cut: the end of what is left of its beginning, and the
 * beginning of what is left of its end. false: it is not made of those. */
static bool parts_of(const struct ai_buf *text, const struct ai_buf *left,
		     size_t *to, size_t *from)
{
	const char *mark = tokens_settings.mark;
	size_t n = strlen(mark);

	if (tokens_settings.keep == TOKENS_TAIL) {
		*to = 0;
		*from = text->len - left->len;
		return memcmp(text->p + *from, ai_buf_cstr(left), left->len)
			== 0;
	}
	*from = text->len;
	for (*to = left->len;; --*to) {
		if (memcmp(text->p, ai_buf_cstr(left), *to) == 0) {
			if (*to == left->len)
				return true; /* a beginning */
			if (tokens_settings.keep == TOKENS_MIDDLE &&
			    left->len - *to >= n &&
			    memcmp(left->p + *to, mark, n) == 0) {
				*from = text->len - (left->len - *to - n);
				return memcmp(left->p + *to + n,
					      text->p + *from,
					      text->len - *from) == 0;
			}
		}
		if (*to == 0)
			return false;
	}
}

static void look(struct tokens_worker *w, const struct ai_buf *text, int64_t n,
		 struct seen *s)
{
	struct ai_range now, before, again;
	struct ai_err err;
	size_t to, from;
	bool cut;

	tokens_settings.truncate = n;
	ai_buf_clear(&w->text);
	ai_buf_add(&w->text, text->p, text->len);
	if (tokens_cut(w, &now, &before, &cut, &err) < 0 ||
	    tokens_range(w, ai_buf_cstr(&w->text), w->text.len, &again, &err) <
	    0) {
		s->other++;
		return;
	}
	s->long_ += again.high > (size_t)n && cut;
	s->other += again.count != now.count || again.high != now.high ||
		cut != (before.high > (size_t)n);
	s->broken += ai_utf8_valid(ai_buf_cstr(&w->text), w->text.len) !=
		w->text.len;
	if (!cut)
		s->other += w->text.len != text->len;
	else if (!parts_of(text, &w->text, &to, &from))
		s->other++;
	else if (!token_ends(w, text, to) || !token_ends(w, text, from))
		s->border++;
	/* It must not give up at once where something fits. */
	s->idle += cut && n >= 12 && w->text.len == 0;
}

static void try(const char *encoding, const char *model, int keep, int special)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20);
	struct seen s = { 0 };
	struct ai_err err = { AI_E_NONE, -1, "" };
	void *w = NULL;

	tokens_settings.keep = keep;
	tokens_settings.special = special;
	tokens_model.encoding = encoding;
	tokens_model.kin = model == NULL ? NULL : ai_kin_of(model);
	if (tokens_worker_open(&w, &err) < 0) {
		ok(false, "%s", err.msg);
		return;
	}
	for (int i = 0; i < TEXTS; i++) {
		make(&text);
		look(w, &text, rnd(4) == 0 ? rnd(4) : rnd(100), &s);
	}
	ok(s.long_ == 0 && s.broken == 0 && s.border == 0 && s.other == 0 &&
	   s.idle == 0, "%s%s, keep %d, special %d: %d too long, %d broken, "
	   "%d inside a token, %d wrong, %d of nothing", encoding,
	   model == NULL ? "" : " for a model", keep, special, s.long_,
	   s.broken, s.border, s.other, s.idle);
	tokens_worker_close(w);
	ai_buf_release(&text);
}

static int run(int argc, char **argv, struct ai_err *err)
{
	static const char *const encodings[] = { "o200k_base", "cl100k_base",
						 "r50k_base" };
	char path[4096];

	/* The tables are where the build put them. */
	if (getenv("BUILDDIR") != NULL) {
		snprintf(path, sizeof path, "%s/share/aiutils",
			 getenv("BUILDDIR"));
		setenv("AI_DATADIR", path, 0);
	}
	for (int keep = TOKENS_HEAD; keep <= TOKENS_MIDDLE; keep++) {
		for (size_t i = 0; i < 3; i++)
			for (int s = TOKENS_TEXT; s <= TOKENS_ALLOW; s++)
				try(encodings[i], NULL, keep, s);
		try("o200k_base", "claude-opus-5", keep, TOKENS_TEXT);
	}
	(void)argc, (void)argv, (void)err;
	return done();
}

static const struct ai_opt *const tables[] = { NULL };

const struct ai_program ai_program = {
	.name = "tokens-cut", .summary = "", .synopsis = "",
	.options = tables, .run = run,
};
