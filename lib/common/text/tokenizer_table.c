#include "text/tokenizer_table.h"

/* A hash has no more bits. */
#define FILTER_MAX (sizeof(uint64_t) << 26)

/* The size of one entry of each section; 0: the number is a power of two. */
static const struct {
	size_t size;
	bool power;
} sections[AI_TOK_SECTIONS] = {
	[AI_TOK_S_AT] = { sizeof(uint32_t) },
	[AI_TOK_S_BLOB] = { 1 },
	[AI_TOK_S_SLOTS] = { sizeof(uint64_t), true },
	[AI_TOK_S_PAIRS] = { sizeof(struct ai_tok_pair), true },
	[AI_TOK_S_FILTER] = { sizeof(uint64_t), true },
	[AI_TOK_S_WHOLE] = { 1 },
	[AI_TOK_S_SCORES] = { sizeof(double) },
	[AI_TOK_S_ADDED] = { sizeof(struct ai_tok_added) },
	[AI_TOK_S_RAW] = { sizeof(struct ai_tok_edge), true },
	[AI_TOK_S_NORMAL] = { sizeof(struct ai_tok_edge), true },
	[AI_TOK_S_NORMS] = { sizeof(struct ai_tok_step) },
	[AI_TOK_S_STEPS] = { sizeof(struct ai_tok_step) },
	[AI_TOK_S_TEXT] = { 1 },
};

static bool section_fits(const struct ai_tok_header *h, int i)
{
	uint64_t n = h->len[i] / sections[i].size;

	if (h->from[i] % 8 != 0 || h->from[i] < sizeof *h ||
	    h->from[i] > h->file_len || h->len[i] > h->file_len - h->from[i] ||
	    h->len[i] % sections[i].size != 0)
		return false;
	if (sections[i].power)
		return n > 0 && n <= UINT32_MAX && (n & (n - 1)) == 0;
	return true;
}

static bool sizes_fit(const struct ai_tok_header *h)
{
	for (int i = 0; i < AI_TOK_SECTIONS; i++)
		if (!section_fits(h, i))
			return false;
	return h->n_ids >= 1 && h->n_ids <= AI_TOK_IDS_MAX &&
	       h->len[AI_TOK_S_AT] ==
		       (h->n_ids + (uint64_t)1) * sizeof(uint32_t) &&
	       h->len[AI_TOK_S_FILTER] <= FILTER_MAX &&
	       h->len[AI_TOK_S_FILTER] ==
		       h->len[AI_TOK_S_PAIRS] / sizeof(struct ai_tok_pair) &&
	       h->len[AI_TOK_S_WHOLE] == (h->n_ids + (uint64_t)7) / 8 &&
	       h->len[AI_TOK_S_SCORES] ==
		       (h->kind == AI_TOK_UNIGRAM ? h->n_ids * sizeof(double)
						  : 0) &&
	       h->kind >= AI_TOK_BPE && h->kind <= AI_TOK_WORDPIECE &&
	       h->word_max <= AI_TOK_WORD_MAX &&
	       h->prefix_n <= AI_TOK_PREFIX_MAX;
}

static const char *check_head(const struct ai_tok_header *h, size_t n)
{
	if (n < sizeof *h)
		return "it is too short";
	if (memcmp(h->magic, AI_TOK_MAGIC, sizeof h->magic) != 0)
		return "it is no tokenizer table";
	if (h->mark != AI_TOK_MARK || h->version != AI_TOK_VERSION)
		return "it was made for another version of aiutils";
	if (h->head_hash !=
	    ai_bpe_hash((const unsigned char *)h,
			offsetof(struct ai_tok_header, head_hash)))
		return "its header is damaged";
	if (h->file_len != n || !sizes_fit(h))
		return "its length is wrong";
	return NULL;
}

/* Four at once: what comes of one multiplication is not waited for. */
uint64_t ai_tok_body_hash(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t h[4] = { AI_BPE_K0, AI_BPE_K1, ~AI_BPE_K0, ~AI_BPE_K1 };
	size_t all = n;

	for (; n >= 64; p += 64, n -= 64)
		for (size_t i = 0; i < 4; i++)
			h[i] = ai_bpe_mix(
				ai_bpe_load64(p + 16 * i) ^ h[i],
				ai_bpe_load64(p + 16 * i + 8) ^ AI_BPE_K1);
	if (n > 0)
		h[0] ^= ai_bpe_hash(p, n);
	for (size_t i = 0; i < 4; i++)
		all = ai_bpe_mix(all ^ h[i], AI_BPE_K0 + i);
	return all;
}

static bool step_fits(const struct ai_tok_table *t,
		      const struct ai_tok_step *s)
{
	uint64_t all = t->head->len[AI_TOK_S_TEXT];

	return s->kind >= AI_TOK_NFC && s->kind < AI_TOK_STEP_END &&
	       s->text <= all && s->text_n <= all - s->text &&
	       s->more <= all && s->more_n <= all - s->more;
}

static const void *section(const struct ai_tok_header *h, int i)
{
	return (const char *)h + h->from[i];
}

static uint32_t mask_of(const struct ai_tok_header *h, int i)
{
	return (uint32_t)(h->len[i] / sections[i].size - 1);
}

const char *ai_tok_table_map(struct ai_tok_table *t, const void *p, size_t n)
{
	const struct ai_tok_header *h = p;
	const char *wrong = check_head(h, n);

	if (wrong != NULL)
		return wrong;
	if (h->body_hash != ai_tok_body_hash((const char *)p + sizeof *h,
					     n - sizeof *h))
		return "it is damaged";
	t->head = h;
	t->at = section(h, AI_TOK_S_AT);
	t->blob = section(h, AI_TOK_S_BLOB);
	t->slots = section(h, AI_TOK_S_SLOTS);
	t->pairs = section(h, AI_TOK_S_PAIRS);
	t->filter = section(h, AI_TOK_S_FILTER);
	t->filter_shift = ai_tok_filter_shift(h->len[AI_TOK_S_FILTER] /
					      sizeof *t->filter);
	t->whole = section(h, AI_TOK_S_WHOLE);
	t->scores = section(h, AI_TOK_S_SCORES);
	t->added = section(h, AI_TOK_S_ADDED);
	t->edges[0] = section(h, AI_TOK_S_RAW);
	t->edges[1] = section(h, AI_TOK_S_NORMAL);
	t->norms = section(h, AI_TOK_S_NORMS);
	t->steps = section(h, AI_TOK_S_STEPS);
	t->text = section(h, AI_TOK_S_TEXT);
	t->n_added = h->len[AI_TOK_S_ADDED] / sizeof *t->added;
	t->n_norms = h->len[AI_TOK_S_NORMS] / sizeof *t->norms;
	t->n_steps = h->len[AI_TOK_S_STEPS] / sizeof *t->steps;
	t->n_blob = h->len[AI_TOK_S_BLOB];
	t->slot_mask = mask_of(h, AI_TOK_S_SLOTS);
	t->pair_mask = mask_of(h, AI_TOK_S_PAIRS);
	t->edge_mask[0] = mask_of(h, AI_TOK_S_RAW);
	t->edge_mask[1] = mask_of(h, AI_TOK_S_NORMAL);
	for (size_t i = 0; i < t->n_norms; i++)
		if (!step_fits(t, &t->norms[i]))
			return "its steps make no sense";
	for (size_t i = 0; i < t->n_steps; i++)
		if (!step_fits(t, &t->steps[i]))
			return "its steps make no sense";
	return NULL;
}

uint32_t ai_tok_find(const struct ai_tok_table *t, const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text, *bytes;
	uint32_t i, id;
	uint64_t h, slot;
	size_t len;

	if (n == 0 || n > t->head->max_len)
		return AI_TOK_NONE;
	h = ai_bpe_hash(p, n);
	i = (uint32_t)h;
	for (uint32_t k = 0; k <= t->head->slot_probe; k++, i++) {
		slot = t->slots[i & t->slot_mask];
		if (slot == 0)
			break;
		if (slot >> 32 != h >> 32)
			continue;
		id = (uint32_t)slot - 1;
		bytes = ai_tok_bytes(t, id, &len);
		if (bytes != NULL && len == n && memcmp(bytes, p, n) == 0)
			return id;
	}
	return AI_TOK_NONE;
}
