/* postings-verify.c: all that must hold of a file, read from end to end. */
#include "crypt/hash.h"
#include "postings-int.h"

#include <stdlib.h>

/* Sections follow each other, with nothing but zeros between them. */
static bool gaps_are_right(const struct search_words *w)
{
	uint64_t at = sizeof(*w->h);
	size_t i;

	for (i = 0; i < WORDS_SECTIONS; i++) {
		for (; at % 64 != 0; at++)
			if (at >= w->bytes || w->map[at] != 0)
				return false;
		if (w->h->section[i].at != at)
			return false;
		at += w->n[i];
	}
	return at == w->bytes;
}

static int check_sections(const struct search_words *w, struct ai_err *err)
{
	static const char *const names[WORDS_SECTIONS] = {
		"postings", "positions", "terms", "keys", "places", "lengths",
		"checks", "rows",
	};
	unsigned char hash[WORDS_HASH];
	size_t i;

	if (!gaps_are_right(w))
		return words_damaged(w, "something stands between its parts",
				     err);
	for (i = 0; i < WORDS_SECTIONS; i++) {
		crypto_generichash(hash, sizeof(hash), w->at[i], w->n[i], NULL,
				   0);
		if (memcmp(hash, w->h->section[i].hash, sizeof(hash)) != 0)
			return ai_err_set(err, AI_E_DATA, "'%s' is damaged: "
					  "the checksum of its %s",
					  w->path, names[i]);
	}
	return 0;
}

static int check_rows(const struct search_words *w, struct ai_err *err)
{
	uint32_t slot, count = (uint32_t)w->info.count;
	int64_t tokens = 0, row, before = -1;

	if (words_lengths_check(w, 0, count, err) < 0)
		return -1;
	for (slot = 0; slot < count; slot++) {
		row = words_row(w, slot);
		if (row <= before || row < w->info.from || row >= w->info.to)
			return words_damaged(w, "its rows", err);
		before = row;
		tokens += words_length(w, slot);
	}
	return tokens == w->info.tokens ? 0
					: words_damaged(w, "its lengths", err);
}

/* A term's postings and positions; occurrences are added to sums. */
static int check_term(const struct search_words *w,
		      const struct words_entry *e, uint64_t *sums,
		      struct ai_err *err)
{
	struct words_norm norm = words_norm(w->h->average);
	struct words_list l;
	struct words_spots spots;
	const unsigned char *p, *end;
	uint32_t count;
	size_t b, i;

	if (words_list_open(&l, w, e, err) < 0 ||
	    words_spots_open(&spots, &l, err) < 0)
		return -1;
	for (b = 0; b < l.blocks; b++) {
		uint16_t most = 0, is = e->impact, one;

		if (words_list_load(&l, b, err) < 0)
			return -1;
		for (i = 0; i < l.n; i++) {
			if (words_spots_seek(&spots, b, i, &p, &end, &count,
					     err) < 0)
				return -1;
			sums[l.slots[i]] += l.tf[i];
			one = words_impact(l.tf[i],
					   words_length(w, l.slots[i]), norm);
			most = one > most ? one : most;
			if (count == 0 || count > l.tf[i])
				return words_damaged(w, "positions", err);
		}
		if (l.blocks > 1)
			is = words_skip_at(&l, b).impact;
		if (is != most || is > e->impact)
			return words_damaged(w, "an impact", err);
	}
	return 0;
}

static int check_terms(const struct search_words *w, uint64_t *sums,
		       struct ai_err *err)
{
	struct words_walk walk, seek;
	unsigned char before[sizeof(walk.term)];
	struct ai_span term;
	size_t n = 0, terms = 0;
	bool end;
	int rc, c;

	if (words_walk_begin(&walk, w, 0, err) < 0)
		return -1;
	for (; (rc = words_walk_next(&walk, err)) > 0; terms++) {
		c = memcmp(before, walk.term, n < walk.n ? n : walk.n);
		term = (struct ai_span){ (const char *)walk.term, walk.n };
		if (terms > 0 && (c > 0 || (c == 0 && n >= walk.n)))
			return words_damaged(w, "terms out of order", err);
		if (words_seek(&seek, w, term, &end, err) != 1 ||
		    seek.entry.place != terms)
			return words_damaged(w, "a term is not found", err);
		if (check_term(w, &walk.entry, sums, err) < 0)
			return -1;
		memcpy(before, walk.term, n = walk.n);
	}
	if (rc == 0 && terms != w->h->terms)
		return words_damaged(w, "terms are missing", err);
	return rc;
}

int search_words_verify(const struct search_words *w, struct ai_err *err)
{
	uint64_t *sums;
	int64_t i;
	int rc;

	if (check_sections(w, err) < 0 || check_rows(w, err) < 0)
		return -1;
	sums = calloc((size_t)w->info.count + 1, sizeof(*sums));
	if (sums == NULL)
		return ai_err_nomem(err);
	rc = check_terms(w, sums, err);
	for (i = 0; rc == 0 && i < w->info.count; i++)
		if (sums[i] != words_length(w, (uint32_t)i))
			rc = words_damaged(w, "a row has another length", err);
	free(sums);
	return rc;
}
