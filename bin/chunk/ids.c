#include "ids.h"

#include <string.h>

/* The i-th chunk behind cut; as far as they are known. */
static struct chunk_piece piece_of(const struct chunk_cutter *cutter,
				   const struct chunk_cut *cut, size_t i)
{
	if (i == 0)
		return (struct chunk_piece){ cut->from, cut->to, false };
	return cutter->pieces[cut->number + i];
}

static size_t known(const struct chunk_cutter *cutter,
		    const struct chunk_cut *cut)
{
	size_t left = cut->count > cut->number ? cut->count - cut->number : 1;

	if (cutter->n_kept < cutter->count)
		return 1;
	return left < CHUNK_IDS_MANY ? left : CHUNK_IDS_MANY;
}

static void put_head(struct ai_buf *b, const char *name, size_t at, size_t end)
{
	ai_buf_add(b, name, strlen(name) + 1);
	ai_buf_fmt(b, "%zu-%zu", at, end);
	ai_buf_chr(b, '\0');
}

static int make(struct chunk_ids *ids, const struct chunk_cutter *cutter,
		const struct chunk_cut *cut, const char *name,
		struct ai_err *err)
{
	struct ai_hash_item items[CHUNK_IDS_MANY];
	size_t ends[CHUNK_IDS_MANY], at, end, from = 0;
	const struct chunk_page *page = cutter->how.page;
	size_t n = known(cutter, cut);

	ai_buf_clear(&ids->heads);
	for (size_t i = 0; i < n; i++) {
		struct chunk_piece c = piece_of(cutter, cut, i);

		at = i == 0 ? cut->at : c.from;
		end = i == 0 ? cut->end : c.to;
		if (i > 0 && cutter->how.by == CHUNK_HTML)
			chunk_page_span(page, c.from, c.to, &at, &end);
		put_head(&ids->heads, name, at, end);
		ends[i] = ids->heads.len;
		items[i].text = (struct ai_span){ cut->p + c.from,
						  c.to - c.from };
	}
	if (ai_buf_check(&ids->heads, "the name of a document", err) < 0)
		return -1;
	for (size_t i = 0; i < n; from = ends[i++])
		items[i].head = (struct ai_span){ ids->heads.p + from,
						  ends[i] - from };
	ai_hash_many(items, n, ids->hex, AI_HASH_BEST);
	ids->first = cut->number;
	ids->n = n;
	return 0;
}

const char *chunk_id(struct chunk_ids *ids, const struct chunk_cutter *cutter,
		     const struct chunk_cut *cut, const char *name,
		     struct ai_err *err)
{
	if ((ids->n == 0 || cut->number < ids->first ||
	     cut->number - ids->first >= ids->n) &&
	    make(ids, cutter, cut, name, err) < 0)
		return NULL;
	return ids->hex[cut->number - ids->first];
}
