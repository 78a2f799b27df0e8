/*
 * Unigram: of all ways to cut a piece into tokens the one with the highest
 * sum of scores.  HuggingFace's order of trying is kept, so that of equal
 * sums the same one is found.
 */
#include "base/utf8.h"
#include "text/tokenizer_int.h"

/* The best way to come to a byte. */
struct step {
	double score;
	uint32_t from, id; /* from AI_TOK_NONE: there is none */
};

static void offer(struct step *to, double score, size_t from, uint32_t id)
{
	if (to->from != AI_TOK_NONE && score <= to->score)
		return;
	*to = (struct step){ score, (uint32_t)from, id };
}

static size_t char_len(const char *p, size_t n)
{
	size_t len = ai_utf8_len(p, n);

	return len > 0 ? len : 1;
}

/* All tokens that begin at at, and the unknown one if none of them is just
 * one character. */
static int offer_all(struct ai_tok_run *r, struct step *best, const char *p,
		     size_t n, size_t at, size_t first)
{
	const struct ai_tok_table *t = &r->k->t;
	double so_far = best[at].score;
	bool single = false;
	uint32_t id;

	for (size_t end = at + first; end <= n && end - at <= t->head->max_len;
	     end += char_len(p + end, n - end)) {
		id = ai_tok_find(t, p + at, end - at);
		if (id != AI_TOK_NONE) {
			offer(&best[end], so_far + t->scores[id], at, id);
			single |= end == at + first;
		}
		if (end == n)
			break;
	}
	if (single)
		return 0;
	if (t->head->unknown == AI_TOK_NONE)
		return ai_err_set(r->err, AI_E_RECORD,
				  "the tokenizer has no token for what stands at "
				  "byte %zu of a word, and none for what it does "
				  "not know", at);
	offer(&best[at + first], so_far + t->head->unknown_score, at,
	      t->head->unknown);
	return 0;
}

static int give_unknown(struct ai_tok_run *r, const char *p, size_t n)
{
	const struct ai_tok_header *h = r->k->t.head;

	uint32_t id = ai_tok_find(&r->k->t, p, n);

	/* The name of the unknown token can stand in a text, too, and several
	 * of them together can be another token. */
	if (id != AI_TOK_NONE || !(h->flags & AI_TOK_FALLBACK))
		return ai_bpe_sink_add(r->s, id != AI_TOK_NONE ? id : h->unknown,
				       r->err);
	for (size_t i = 0; i < n; i++)
		if (ai_bpe_sink_add(r->s, h->byte[(unsigned char)p[i]],
				    r->err) < 0)
			return -1;
	return 0;
}

/* The path is found from its end: turned round in place, so that from of a
 * step says where the next one begins. */
static int give(struct ai_tok_run *r, struct step *best, const char *p,
		size_t n)
{
	const struct ai_tok_header *h = r->k->t.head;
	uint32_t at = (uint32_t)n, next = AI_TOK_NONE, from, id = 0, to_id;
	size_t run = AI_TOK_NONE;

	/* best[x].from becomes the end of the token at x, id its token. */
	while (at != 0) {
		from = best[at].from;
		to_id = best[at].id;
		best[at].from = next;
		best[at].id = id;
		next = at;
		id = to_id;
		at = from;
	}
	best[0].from = next;
	best[0].id = id;
	for (at = 0; at < n; at = next) {
		next = best[at].from;
		id = best[at].id;
		if (id == h->unknown && (h->flags & AI_TOK_FUSE)) {
			run = run == AI_TOK_NONE ? at : run;
			if (next < n && best[next].id == h->unknown)
				continue;
			if (give_unknown(r, p + run, next - run) < 0)
				return -1;
			run = AI_TOK_NONE;
		} else if (id == h->unknown) {
			if (give_unknown(r, p + at, next - at) < 0)
				return -1;
		} else if (ai_bpe_sink_add(r->s, id, r->err) < 0) {
			return -1;
		}
	}
	return 0;
}

int ai_tok_unigram(struct ai_tok_run *r, const char *p, size_t n)
{
	struct step *best;
	size_t len;

	if (n >= AI_TOK_NONE)
		return ai_err_set(r->err, AI_E_TOO_LONG,
				  "a word of %zu bytes is too long", n);
	best = ai_tok_memory(r, (n + 1) * sizeof *best);
	if (best == NULL)
		return -1;
	for (size_t i = 0; i <= n; i++)
		best[i] = (struct step){ 0, AI_TOK_NONE, 0 };
	for (size_t at = 0; at < n; at += len) {
		len = char_len(p + at, n - at);
		if (offer_all(r, best, p, n, at, len) < 0)
			return -1;
	}
	return give(r, best, p, n);
}
