/* postings-merge.c: one file out of several, without the dead. */
#include "postings-int.h"

#include <stdlib.h>

/* A file that is merged. */
struct source {
	const struct search_part *part;
	const struct search_words *w;
	struct words_walk walk; /* at its next term */
	bool more;
	uint32_t *slots;        /* of each slot the new one; WORDS_SLOTS: dead */
};

struct merge {
	struct source *v;
	size_t n;
	uint32_t *rows, *lengths; /* of the new file */
	size_t count;
	struct words_writer *out;
};

static int read_rows(struct merge *m, struct source *s, struct ai_err *err)
{
	const struct search_dead *d = s->part->dead;
	uint32_t count = (uint32_t)s->w->info.count, slot, row;
	size_t dead = 0;

	s->slots = malloc(((size_t)count + 1) * sizeof(*s->slots));
	if (s->slots == NULL)
		return ai_err_nomem(err);
	if (words_lengths_check(s->w, 0, count, err) < 0)
		return -1;
	for (slot = 0; slot < count; slot++) {
		if (d != NULL && dead < d->slots_n && d->slots[dead] == slot) {
			s->slots[slot] = WORDS_SLOTS;
			dead++;
			continue;
		}
		row = (uint32_t)words_row(s->w, slot);
		if (m->count > 0 && row <= m->rows[m->count - 1])
			return words_damaged(s->w, "rows out of order", err);
		s->slots[slot] = (uint32_t)m->count;
		m->rows[m->count] = row;
		m->lengths[m->count++] = words_length(s->w, slot);
	}
	return 0;
}

static int step(struct source *s, struct ai_err *err)
{
	struct words_walk *walk = &s->walk;
	unsigned char before[sizeof(walk->term)];
	size_t n = walk->n;
	int rc, c;

	memcpy(before, walk->term, n);
	rc = words_walk_next(walk, err);
	if (rc < 0)
		return -1;
	if (rc > 0 && s->more) {
		c = memcmp(before, walk->term, n < walk->n ? n : walk->n);
		if (c > 0 || (c == 0 && n >= walk->n))
			return words_damaged(s->w, "terms out of order", err);
	}
	s->more = rc > 0;
	return 0;
}

/* Adds what is left of a term in one file. */
static int copy_postings(struct merge *m, struct source *s, struct ai_err *err)
{
	struct words_list l;
	struct words_spots spots;
	const unsigned char *p, *end;
	unsigned char head[10];
	uint32_t count, slot;
	size_t b, i, n;

	if (words_list_open(&l, s->w, &s->walk.entry, err) < 0 ||
	    words_spots_open(&spots, &l, err) < 0)
		return -1;
	for (b = 0; b < l.blocks; b++) {
		if (words_list_load(&l, b, err) < 0)
			return -1;
		for (i = 0; i < l.n; i++) {
			slot = s->slots[l.slots[i]];
			if (slot == WORDS_SLOTS)
				continue;
			if (words_spots_seek(&spots, b, i, &p, &end, &count,
					     err) < 0)
				return -1;
			/* The count stands right before the first gap. */
			n = (size_t)(words_put(head, count) - head);
			if (words_writer_add(m->out, slot, l.tf[i], p - n,
					     (size_t)(end - p) + n, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int compare(const struct words_walk *a, const struct words_walk *b)
{
	int c = memcmp(a->term, b->term, a->n < b->n ? a->n : b->n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

static int merge_terms(struct merge *m, struct ai_err *err)
{
	struct words_walk least;
	struct ai_span term;
	size_t i, first;

	for (;;) {
		for (first = m->n, i = 0; i < m->n; i++)
			if (m->v[i].more &&
			    (first == m->n || compare(&m->v[i].walk,
						      &m->v[first].walk) < 0))
				first = i;
		if (first == m->n)
			return 0;
		least.n = m->v[first].walk.n;
		memcpy(least.term, m->v[first].walk.term, least.n);
		term = (struct ai_span){ (const char *)least.term, least.n };
		if (words_writer_term(m->out, term, err) < 0)
			return -1;
		for (i = first; i < m->n; i++)
			if (m->v[i].more &&
			    compare(&m->v[i].walk, &least) == 0 &&
			    (copy_postings(m, &m->v[i], err) < 0 ||
			     step(&m->v[i], err) < 0))
				return -1;
	}
}

static int merge(struct merge *m, const char *path, int64_t from, int64_t to,
		 struct ai_err *err)
{
	struct words_plan plan = { path, m->v[0].w->info.analyzer, from, to,
				   m->rows, m->lengths, m->count };
	size_t i;
	int rc;

	m->out = words_writer_new(&plan, err);
	if (m->out == NULL)
		return -1;
	for (i = 0; i < m->n; i++) {
		if (words_walk_begin(&m->v[i].walk, m->v[i].w, 0, err) < 0 ||
		    step(&m->v[i], err) < 0)
			break;
	}
	rc = i < m->n ? -1 : merge_terms(m, err);
	if (rc == 0)
		rc = words_writer_end(m->out, err);
	words_writer_free(m->out);
	return rc;
}

int search_words_merge(const struct search_part *parts, size_t count,
		       const char *path, int64_t from, int64_t to,
		       struct ai_err *err)
{
	struct merge m = { .v = calloc(count + 1, sizeof(*m.v)), .n = count };
	size_t i, all = 0;
	int rc = 0;

	if (m.v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < count; i++) {
		m.v[i].part = &parts[i];
		m.v[i].w = parts[i].words;
		all += (size_t)parts[i].words->info.count;
		if (strcmp(m.v[i].w->info.analyzer, m.v[0].w->info.analyzer) !=
		    0)
			rc = ai_err_set(err, AI_E_BUG, "files of several "
					"analyzers cannot be merged");
	}
	if (count == 0 || all >= WORDS_SLOTS)
		rc = ai_err_set(err, AI_E_BUG, "nothing or too much to merge");
	m.rows = malloc((all + 1) * sizeof(*m.rows));
	m.lengths = malloc((all + 1) * sizeof(*m.lengths));
	if (rc == 0 && (m.rows == NULL || m.lengths == NULL))
		rc = ai_err_nomem(err);
	for (i = 0; rc == 0 && i < count; i++)
		rc = read_rows(&m, &m.v[i], err);
	if (rc == 0 && m.count > 0 &&
	    (m.rows[0] < from || m.rows[m.count - 1] >= to))
		rc = ai_err_set(err, AI_E_BUG, "rows beyond '%s'", path);
	if (rc == 0)
		rc = merge(&m, path, from, to, err);
	for (i = 0; i < count; i++)
		free(m.v[i].slots);
	free(m.v);
	free(m.rows);
	free(m.lengths);
	return rc;
}
