#include "text/bpe_table.h"

#define HEAD_HASHED offsetof(struct ai_bpe_header, head_hash)

static uint64_t file_length(const struct ai_bpe_table *t)
{
	return sizeof(struct ai_bpe_header) + (256 + AI_BPE_BYTE_PAIRS) * sizeof(uint32_t) +
	       (sizeof(uint32_t) << t->slot_bits) +
	       (sizeof(uint64_t) << (t->pair_bits - AI_BPE_FILTER_SHIFT)) +
	       (sizeof(uint64_t) << t->pair_bits) +
	       (t->n_ids + (uint64_t)1) * sizeof(uint32_t) + t->blob_len;
}

static bool sizes_fit(const struct ai_bpe_table *t)
{
	return t->slot_bits >= 1 && t->slot_bits <= 24 && t->pair_bits >= 9 &&
	       t->pair_bits <= 24 && t->n_ids >= 1 &&
	       t->n_ids < AI_BPE_NO_ID && t->max_len >= 1 &&
	       t->max_len <= AI_BPE_MAX_TOKEN;
}

const char *ai_bpe_table_map(struct ai_bpe_table *t, const void *p, size_t n)
{
	struct ai_bpe_header h;
	const uint32_t *words;

	if (n < sizeof h)
		return "it is too short";
	memcpy(&h, p, sizeof h);
	if (memcmp(h.magic, AI_BPE_MAGIC, sizeof h.magic) != 0)
		return "it is no vocabulary table";
	if (le32toh(h.version) != AI_BPE_VERSION)
		return "it was made for another version of aiutils";
	if (le64toh(h.head_hash) != ai_bpe_hash(p, HEAD_HASHED))
		return "its header is damaged";
	t->n_ids = le32toh(h.n_ids);
	t->slot_bits = le32toh(h.slot_bits);
	t->max_len = le32toh(h.max_len);
	t->max_probe = le32toh(h.max_probe);
	t->blob_len = le32toh(h.blob_len);
	t->pair_bits = le32toh(h.pair_bits);
	t->max_pair_probe = le32toh(h.max_pair_probe);
	if (!sizes_fit(t))
		return "its header makes no sense";
	if (n != le64toh(h.file_len) || n != file_length(t))
		return "its length is wrong";
	/* A mapping is page-aligned; all before the pairs is a multiple of 8. */
	words = (const uint32_t *)(const void *)((const char *)p + sizeof h);
	t->byte_id = words;
	t->byte_pair = t->byte_id + 256;
	t->slots = t->byte_pair + AI_BPE_BYTE_PAIRS;
	t->filter = (const uint64_t *)(const void *)
		(t->slots + ((size_t)1 << t->slot_bits));
	t->pairs = t->filter +
		   ((size_t)1 << (t->pair_bits - AI_BPE_FILTER_SHIFT));
	t->at = (const uint32_t *)(const void *)
		(t->pairs + ((size_t)1 << t->pair_bits));
	t->blob = (const unsigned char *)(t->at + t->n_ids + 1);
	return NULL;
}
