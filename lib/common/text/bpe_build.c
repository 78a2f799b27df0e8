#include "text/bpe_build.h"

#include "text/bpe_table.h"

#include <stdlib.h>

/* At most this full: 3/8 to 6/8 of the slots stay empty. */
#define FULL_NUM 5
#define FULL_DEN 8

struct build {
	const struct ai_span *token;
	size_t n_ids, n_slots, n_pairs;
	uint32_t *slots;
	uint64_t *filter, *pairs;
	uint32_t byte_id[256];
	struct ai_bpe_header head;
};

static void put32(struct ai_buf *out, uint32_t v)
{
	v = htole32(v);
	ai_buf_add(out, &v, sizeof v);
}

static void put64(struct ai_buf *out, uint64_t v)
{
	v = htole64(v);
	ai_buf_add(out, &v, sizeof v);
}

static const unsigned char *bytes_of(const struct build *b, size_t id)
{
	return (const unsigned char *)b->token[id].p;
}

static int measure(struct build *b, struct ai_err *err)
{
	size_t tokens = 0, total = 0, max = 0;

	if (b->n_ids == 0 || b->n_ids >= AI_BPE_NO_ID)
		return ai_err_set(err, AI_E_DATA, "%zu ids are too many",
				  b->n_ids);
	for (size_t i = 0; i < b->n_ids; i++) {
		size_t n = b->token[i].n;

		tokens += n > 0;
		total += n;
		max = n > max ? n : max;
		if (n > AI_BPE_MAX_TOKEN)
			return ai_err_set(err, AI_E_DATA,
					  "token %zu has %zu bytes", i, n);
	}
	while (((size_t)FULL_NUM << b->head.slot_bits) < tokens * FULL_DEN)
		b->head.slot_bits++;
	b->n_slots = (size_t)1 << b->head.slot_bits;
	b->head.pair_bits = b->head.slot_bits;
	b->n_pairs = (size_t)1 << b->head.pair_bits;
	b->head.max_len = (uint32_t)max;
	b->head.blob_len = (uint32_t)total;
	return 0;
}

static int insert(struct build *b, size_t id, struct ai_err *err)
{
	const unsigned char *p = bytes_of(b, id);
	size_t n = b->token[id].n;
	uint64_t h = ai_bpe_hash(p, n);
	uint32_t i = (uint32_t)h & (uint32_t)(b->n_slots - 1);
	uint32_t probe = 0, other;

	while (b->slots[i] != 0) {
		other = (b->slots[i] & AI_BPE_ID_MASK) - 1;
		if (ai_span_eq(b->token[other], b->token[id]))
			return ai_err_set(err, AI_E_DATA,
					  "tokens %u and %zu are the same",
					  other, id);
		i = (i + 1) & (uint32_t)(b->n_slots - 1);
		probe++;
	}
	b->slots[i] = (uint32_t)(h >> 50) << AI_BPE_ID_BITS |
		      ((uint32_t)id + 1);
	if (probe > b->head.max_probe)
		b->head.max_probe = probe;
	return 0;
}

static int find_byte_ids(struct build *b, struct ai_err *err)
{
	memset(b->byte_id, 0xFF, sizeof b->byte_id);
	for (size_t i = 0; i < b->n_ids; i++)
		if (b->token[i].n == 1)
			b->byte_id[bytes_of(b, i)[0]] = (uint32_t)i;
	for (size_t c = 0; c < 256; c++)
		if (b->byte_id[c] == AI_BPE_NONE)
			return ai_err_set(err, AI_E_DATA,
					  "byte %zu has no token", c);
	return 0;
}

/* The token with these bytes, as ai_bpe_find() will find it. */
static uint32_t find(const struct build *b, const unsigned char *p, size_t n)
{
	uint64_t h;
	uint32_t i, id, mask = (uint32_t)(b->n_slots - 1);

	if (n > b->head.max_len)
		return AI_BPE_NONE;
	h = ai_bpe_hash(p, n);
	for (i = (uint32_t)h & mask; b->slots[i] != 0; i = (i + 1) & mask) {
		id = (b->slots[i] & AI_BPE_ID_MASK) - 1;
		if (b->slots[i] >> AI_BPE_ID_BITS == (uint32_t)(h >> 50) &&
		    b->token[id].n == n && memcmp(bytes_of(b, id), p, n) == 0)
			return id;
	}
	return AI_BPE_NONE;
}

/*
 * Merges the bytes of token id, by looking at every two neighbours' bytes
 * each time, until two parts are left.  Returns where the second begins; 0 if
 * the token never comes about, as it does in no published vocabulary.
 */
static size_t halves(const struct build *b, size_t id)
{
	const unsigned char *p = bytes_of(b, id);
	size_t from[AI_BPE_MAX_TOKEN + 1], n = b->token[id].n, best;
	uint32_t pair[AI_BPE_MAX_TOKEN];

	for (size_t i = 0; i <= n; i++)
		from[i] = i;
	for (size_t i = 0; i + 1 < n; i++)
		pair[i] = find(b, p + i, 2);
	while (n > 2) {
		best = 0;
		for (size_t i = 1; i + 1 < n; i++)
			if (pair[i] < pair[best])
				best = i;
		if (pair[best] == AI_BPE_NONE)
			return 0;
		n--;
		memmove(from + best + 1, from + best + 2,
			(n - best) * sizeof *from);
		memmove(pair + best, pair + best + 1,
			(n - best) * sizeof *pair);
		for (size_t i = best > 0 ? best - 1 : 0;
		     i <= best && i + 1 < n; i++)
			pair[i] = find(b, p + from[i],
				       from[i + 2] - from[i]);
	}
	return from[1];
}

static void insert_pair(struct build *b, size_t id)
{
	const unsigned char *p = bytes_of(b, id);
	size_t n = b->token[id].n, cut = halves(b, id);
	uint32_t left, right, i, bit, probe = 0;
	uint64_t key, hash;

	if (cut == 0)
		return;
	left = find(b, p, cut);
	right = find(b, p + cut, n - cut);
	key = ai_bpe_pair_key(left, right);
	hash = ai_bpe_pair_hash(key);
	bit = ai_bpe_pair_bit(hash, b->head.pair_bits);
	b->filter[bit / 64] |= (uint64_t)1 << bit % 64;
	i = ai_bpe_pair_bucket(hash, b->head.pair_bits);
	for (; b->pairs[i] != 0 && b->pairs[i + 1] != 0; probe++) {
		b->pairs[i] |= AI_BPE_PAIR_MORE;
		i = (i + 2) & (uint32_t)(b->n_pairs - 1);
	}
	b->pairs[i + (b->pairs[i] != 0)] =
		key | ((uint64_t)id + 1) << AI_BPE_PAIR_BITS;
	if (probe > b->head.max_pair_probe)
		b->head.max_pair_probe = probe;
}

static void put_tokens(const struct build *b, struct ai_buf *out)
{
	uint32_t at = 0;

	for (size_t i = 0; i < 256; i++)
		put32(out, b->byte_id[i]);
	for (size_t i = 0; i < AI_BPE_BYTE_PAIRS; i++)
		put32(out, find(b, (const unsigned char[2]){
			(unsigned char)(i >> 8), (unsigned char)i }, 2));
	for (size_t i = 0; i < b->n_slots; i++)
		put32(out, b->slots[i]);
	for (size_t i = 0; i < b->n_pairs >> AI_BPE_FILTER_SHIFT; i++)
		put64(out, b->filter[i]);
	for (size_t i = 0; i < b->n_pairs; i++)
		put64(out, b->pairs[i]);
	for (size_t i = 0; i < b->n_ids; i++) {
		put32(out, at);
		at += (uint32_t)b->token[i].n;
	}
	put32(out, at);
	for (size_t i = 0; i < b->n_ids; i++)
		ai_buf_add(out, b->token[i].p, b->token[i].n);
}

/* The header goes in last, when all that it describes is there. */
static void finish_head(struct build *b, struct ai_buf *out)
{
	struct ai_bpe_header *h = &b->head;
	const unsigned char *p = (const unsigned char *)out->p;

	memcpy(h->magic, AI_BPE_MAGIC, sizeof h->magic);
	h->version = htole32(AI_BPE_VERSION);
	h->n_ids = htole32((uint32_t)b->n_ids);
	h->slot_bits = htole32(h->slot_bits);
	h->max_len = htole32(h->max_len);
	h->max_probe = htole32(h->max_probe);
	h->blob_len = htole32(h->blob_len);
	h->pair_bits = htole32(h->pair_bits);
	h->max_pair_probe = htole32(h->max_pair_probe);
	h->file_len = htole64(out->len);
	h->body_hash = htole64(ai_bpe_hash(p + sizeof *h,
					   out->len - sizeof *h));
	h->head_hash = htole64(ai_bpe_hash(
		(const unsigned char *)h,
		offsetof(struct ai_bpe_header, head_hash)));
	memcpy(out->p, h, sizeof *h);
}

static int build(struct build *b, struct ai_buf *out, struct ai_err *err)
{
	for (size_t i = 0; i < b->n_ids; i++)
		if (b->token[i].n > 0 && insert(b, i, err) < 0)
			return -1;
	if (find_byte_ids(b, err) < 0)
		return -1;
	for (size_t i = 0; i < b->n_ids; i++)
		if (b->token[i].n > 1)
			insert_pair(b, i);
	ai_buf_add(out, &b->head, sizeof b->head);
	put_tokens(b, out);
	if (ai_buf_check(out, "the vocabulary table", err) < 0)
		return -1;
	finish_head(b, out);
	return 0;
}

int ai_bpe_build(const struct ai_span *token, size_t n_ids,
		 struct ai_buf *out, struct ai_err *err)
{
	struct build b = { .token = token, .n_ids = n_ids };
	int rc;

	b.head.slot_bits = 9;
	if (measure(&b, err) < 0)
		return -1;
	b.slots = calloc(b.n_slots, sizeof *b.slots);
	b.pairs = calloc(b.n_pairs, sizeof *b.pairs);
	b.filter = calloc(b.n_pairs >> AI_BPE_FILTER_SHIFT, sizeof *b.filter);
	if (b.slots == NULL || b.pairs == NULL || b.filter == NULL)
		rc = ai_err_nomem(err);
	else
		rc = build(&b, out, err);
	free(b.slots);
	free(b.pairs);
	free(b.filter);
	return rc;
}
