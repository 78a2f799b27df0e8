#include "text/bpe_scan.h"

#include "text/bpe_many.h"

const struct ai_bpe_scanner *ai_bpe_scanner_at(size_t i)
{
	static const struct ai_bpe_scanner *const all[] = {
#if defined __x86_64__
		&ai_bpe_scan_avx512,
		&ai_bpe_scan_avx2,
#endif
		&ai_bpe_scan_portable,
	};

	for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
		if (all[k]->usable() && i-- == 0)
			return all[k];
	return NULL;
}

/* The k-th piece that the scanner did not find. */
static const unsigned char *batch_piece(const struct ai_bpe_batch *s, size_t k)
{
	return s->p + s->pos[s->miss[k]];
}

static size_t batch_length(const struct ai_bpe_batch *s, size_t k)
{
	return s->pos[s->miss[k] + 1] - s->pos[s->miss[k]];
}

/* Pieces on their way to bpe_many.h. */
struct unknown {
	struct ai_bpe_piece piece[AI_BPE_MANY];
	size_t n;
};

/* Merges them, and tells the cache. */
static void learn(const struct ai_bpe_table *t, struct ai_piece_cache *cache,
		  struct unknown *u, size_t *sum)
{
	ai_bpe_count_many(t, u->piece, u->n);
	for (size_t i = 0; i < u->n; i++) {
		/* Once: the same piece may be there several times. */
		if (ai_piece_cache_get(cache, u->piece[i].p, u->piece[i].n) ==
		    0)
			ai_piece_cache_put(cache, u->piece[i].p,
					   u->piece[i].n, u->piece[i].tokens);
		*sum += u->piece[i].tokens;
	}
	u->n = 0;
}

/*
 * Looks for the pieces that the scanner did not find: long ones, and what the
 * cache has in another place.  What is left in miss is not known.
 */
static void look_again(const struct ai_piece_cache *cache,
		       struct ai_bpe_batch *s, size_t *sum)
{
	size_t place[AI_BPE_BATCH_ROOM], left = 0;
	unsigned count;

	for (size_t k = 0; k < s->misses; k++)
		place[k] = ai_piece_cache_seek(cache, batch_piece(s, k),
					       batch_length(s, k));
	for (size_t k = 0; k < s->misses; k++) {
		count = ai_piece_cache_at(cache, place[k], batch_piece(s, k),
					  batch_length(s, k));
		*sum += count;
		s->miss[left] = s->miss[k];
		left += count == 0;
	}
	s->misses = left;
}

/* Adds the tokens of the pieces that the scanner did not find. */
static int count_misses(const struct ai_bpe_table *t,
			struct ai_piece_cache *cache, struct ai_bpe_batch *s,
			size_t *sum, struct ai_err *err)
{
	struct unknown u = { .n = 0 };

	look_again(cache, s, sum);
	for (size_t k = 0; k < s->misses; k++) {
		size_t n = batch_length(s, k);
		const unsigned char *p = batch_piece(s, k);
		struct ai_bpe_sink sink = { 0 };

		if (n <= AI_BPE_MANY_MAX) {
			u.piece[u.n++] = (struct ai_bpe_piece){
				.p = p, .n = (uint32_t)n,
			};
			if (u.n == AI_BPE_MANY)
				learn(t, cache, &u, sum);
			continue;
		}
		if (ai_bpe_merge(t, (const char *)p, n, &sink, err) < 0)
			return -1;
		if (ai_piece_cache_get(cache, p, n) == 0)
			ai_piece_cache_put(cache, p, n, (unsigned)sink.count);
		*sum += sink.count;
	}
	if (u.n > 0)
		learn(t, cache, &u, sum);
	return 0;
}

/* Merges all pieces of the batch. */
static int merge_all(const struct ai_bpe_table *t,
		     const struct ai_bpe_batch *s, struct ai_bpe_sink *sink,
		     struct ai_err *err)
{
	for (size_t i = 0; i < s->pieces; i++)
		if (ai_bpe_merge(t, (const char *)s->p + s->pos[i],
				 s->pos[i + 1] - s->pos[i], sink, err) < 0)
			return -1;
	return 0;
}

int ai_bpe_scan(const struct ai_bpe_scanner *scanner,
		const struct ai_bpe_table *t, enum ai_bpe_grammar grammar,
		struct ai_piece_cache *cache, const char *p, size_t n,
		struct ai_bpe_sink *sink, struct ai_err *err)
{
	struct ai_bpe_batch s;
	size_t end;
	int rc = 0;

	s.p = (const unsigned char *)p;
	if (scanner == NULL)
		scanner = ai_bpe_scanner_at(0);
	for (s.n = n; s.n > 0 && rc == 0; s.p += end, s.n -= end) {
		bool ids = sink->keep != NULL && sink->keep->n < sink->limit;

		scanner->pieces[grammar](&s);
		end = s.pos[s.pieces];
		if (s.pieces == 0) { /* one piece of gigabytes */
			end = ai_bpe_split[grammar]((const char *)s.p, s.n, 0);
			rc = ai_bpe_merge(t, (const char *)s.p, end, sink,
					  err);
		} else if (ids) {
			rc = merge_all(t, &s, sink, err);
		} else if (ai_piece_cache_ready(cache, scanner->hash, err) <
			   0) {
			return -1;
		} else {
			sink->count += scanner->probe(&s, cache);
			rc = count_misses(t, cache, &s, &sink->count, err);
		}
	}
	return rc;
}
