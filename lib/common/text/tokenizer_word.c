/* Pieces on their way to the model: most were there before. */
#include "text/tokenizer_int.h"

static int ask_model(struct ai_tok_run *r, const char *p, size_t n)
{
	const struct ai_tok_header *h = r->k->t.head;
	uint32_t whole;

	if (h->kind == AI_TOK_UNIGRAM)
		return ai_tok_unigram(r, p, n);
	if (h->kind == AI_TOK_WORDPIECE)
		return ai_tok_wordpiece(r, p, n);
	whole = ai_tok_find(&r->k->t, p, n);
	if (whole != AI_TOK_NONE && ((h->flags & AI_TOK_WHOLE) ||
				     ai_tok_is_whole(&r->k->t, whole)))
		return ai_bpe_sink_add(r->s, whole, r->err);
	return ai_tok_merge(r, p, n);
}

static int word(struct ai_tok_run *r, const char *p, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)p;
	size_t before = r->s->count;
	unsigned count;

	if (r->s->keep != NULL)
		return ask_model(r, p, n);
	count = ai_piece_cache_get(&r->w->cache, bytes, n);
	if (count > 0) {
		r->s->count += count;
		return 0;
	}
	if (ask_model(r, p, n) < 0)
		return -1;
	if (n <= AI_PIECE_LONG_MAX)
		ai_piece_cache_put(&r->w->cache, bytes, n,
				   (unsigned)(r->s->count - before));
	return 0;
}

static bool is_sign(const char *p, size_t n)
{
	return n >= AI_TOK_BLANK_N &&
	       memcmp(p, AI_TOK_BLANK, AI_TOK_BLANK_N) == 0;
}

/* The end of a run of several signs at p[at], or 0. */
static size_t run_end(const struct ai_tok_header *h, const char *p, size_t n,
		      size_t at)
{
	size_t end = at, signs;

	if (!(h->flags & AI_TOK_RUNS))
		return 0;
	while (is_sign(p + end, n - end))
		end += AI_TOK_BLANK_N;
	signs = (end - at) / AI_TOK_BLANK_N;
	if (signs < 2 || signs > 63)
		return 0;
	return h->run_single >> signs & 1 ? end - AI_TOK_BLANK_N : end;
}

/* The next place where a word can be cut off, or n. */
static size_t word_end(const struct ai_tok_header *h, const char *p, size_t n,
		       size_t at)
{
	const char *hit = p + at + 1, *end = p + n;
	size_t run = run_end(h, p, n, at);
	unsigned char c;

	if (run > 0)
		return run;
	while (hit < end && (hit = memchr(hit, AI_TOK_BLANK[0],
					  (size_t)(end - hit))) != NULL) {
		c = (unsigned char)hit[-1];
		if (is_sign(hit, (size_t)(end - hit)) &&
		    (h->glued[c / 8] >> c % 8 & 1) == 0 &&
		    (hit - p < AI_TOK_BLANK_N ||
		     !is_sign(hit - AI_TOK_BLANK_N, AI_TOK_BLANK_N)))
			return (size_t)(hit - p);
		hit++;
	}
	return n;
}

int ai_tok_piece(struct ai_tok_run *r, const char *p, size_t n)
{
	const struct ai_tok_header *h = r->k->t.head;
	size_t at = 0, end;

	if (!(h->flags & AI_TOK_WORDS))
		return word(r, p, n);
	for (; at < n; at = end) {
		end = word_end(h, p, n, at);
		if (word(r, p + at, end - at) < 0)
			return -1;
	}
	return 0;
}
