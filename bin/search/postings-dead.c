/* postings-dead.c: the dead rows of a file, and what they took with them. */
#include "base/buf.h"
#include "postings-int.h"

#include <stdlib.h>

static size_t slot_place(const struct search_dead *d, uint32_t slot)
{
	size_t low = 0, high = d->slots_n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (d->slots[mid] < slot)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool words_is_dead(const struct search_dead *d, uint32_t slot)
{
	size_t i = slot_place(d, slot);

	return i < d->slots_n && d->slots[i] == slot;
}

static size_t term_place(const struct search_dead *d, uint32_t term)
{
	size_t low = 0, high = d->terms_n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (d->terms[mid].term < term)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t words_dead_rows(const struct search_dead *d, uint32_t place)
{
	size_t i = term_place(d, place);

	return i < d->terms_n && d->terms[i].term == place ? d->terms[i].rows
							   : 0;
}

static int grow(void **v, size_t *cap, size_t n, size_t size,
		struct ai_err *err)
{
	size_t more = *cap < 16 ? 16 : *cap * 2;
	void *p;

	if (n <= *cap)
		return 0;
	more = more < n ? n : more;
	p = reallocarray(*v, more, size);
	if (p == NULL)
		return ai_err_nomem(err);
	*v = p;
	*cap = more;
	return 0;
}

/* ---- a row dies ---------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The places in the file of a document's terms; sorted, each once. */
static int find_places(const struct search_words *w, struct ai_terms *t,
		       uint32_t **places, size_t *n, struct ai_err *err)
{
	struct words_walk walk;
	size_t i;
	bool end;
	int rc;

	*n = 0;
	*places = malloc((t->n + 1) * sizeof(**places));
	if (*places == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < t->n; i++) {
		rc = words_seek(&walk, w, ai_term_span(t, i), &end, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return words_damaged(w, "it lacks a word of a document",
					     err);
		(*places)[i] = walk.entry.place;
	}
	qsort(*places, t->n, sizeof(**places), by_place);
	for (i = 0; i < t->n; i++)
		if (i == 0 || (*places)[i] != (*places)[*n - 1])
			(*places)[(*n)++] = (*places)[i];
	return 0;
}

/* Adds one row to each of these terms: two sorted lists become one. */
static int add_places(struct search_dead *d, const uint32_t *places, size_t n,
		      struct ai_err *err)
{
	size_t i, fresh = 0, to, from;

	for (i = 0; i < n; i++)
		fresh += words_dead_rows(d, places[i]) == 0;
	if (grow((void **)&d->terms, &d->terms_cap, d->terms_n + fresh,
		 sizeof(*d->terms), err) < 0)
		return -1;
	from = d->terms_n;
	d->terms_n += fresh;
	/* From the end, so that nothing is overwritten. */
	for (to = d->terms_n, i = n; i > 0; i--) {
		while (from > 0 && d->terms[from - 1].term > places[i - 1])
			d->terms[--to] = d->terms[--from];
		if (from > 0 && d->terms[from - 1].term == places[i - 1]) {
			d->terms[--to] = d->terms[--from];
			d->terms[to].rows++;
		} else {
			d->terms[--to] = (struct search_dead_term){
				places[i - 1], 1,
			};
		}
	}
	return 0;
}

static int add_slot(struct search_dead *d, uint32_t slot, uint32_t length,
		    struct ai_err *err)
{
	size_t at = slot_place(d, slot);

	if (grow((void **)&d->slots, &d->slots_cap, d->slots_n + 1,
		 sizeof(*d->slots), err) < 0)
		return -1;
	memmove(d->slots + at + 1, d->slots + at,
		(d->slots_n - at) * sizeof(*d->slots));
	d->slots[at] = slot;
	d->slots_n++;
	d->rows++;
	d->tokens += length;
	return 0;
}

int search_dead_add(struct search_dead *d, const struct search_words *w,
		    const struct ai_analyzer *a, int64_t n,
		    const struct search_field *fields, size_t count,
		    struct ai_err *err)
{
	int64_t slot = words_slot(w, n);
	struct ai_terms terms = { NULL, 0, 0, NULL, 0, 0 };
	uint32_t *places = NULL;
	uint64_t length = 0;
	size_t i, before = 0, places_n;
	int rc = 0;

	if (slot < 0)
		return words_damaged(w, "it lacks a row", err);
	if (words_is_dead(d, (uint32_t)slot))
		return 0;
	if (words_lengths_check(w, (uint32_t)slot, (uint32_t)slot + 1, err) < 0)
		return -1;
	for (i = 0; rc == 0 && i < count; i++) {
		rc = ai_analyze(a, fields[i].text, false, &terms, err);
		length += (terms.n - before) * fields[i].weight;
		before = terms.n;
	}
	if (rc == 0 && length != words_length(w, (uint32_t)slot))
		rc = words_damaged(w, "a row has another length", err);
	if (rc == 0)
		rc = find_places(w, &terms, &places, &places_n, err);
	if (rc == 0)
		rc = add_places(d, places, places_n, err);
	if (rc == 0)
		rc = add_slot(d, (uint32_t)slot, (uint32_t)length, err);
	free(places);
	ai_terms_release(&terms);
	return rc;
}

/* ---- as bytes --------------------------------------------------------------------- */

/*
 * Varints: how many slots, their gaps, how many terms, their gaps and rows;
 * behind them a check of four bytes.
 */
int search_dead_put(const struct search_dead *d, struct ai_buf *out)
{
	unsigned char bytes[20], *p;
	size_t i, from = out->len;
	uint32_t before, check;

	ai_buf_add(out, bytes, (size_t)(words_put(bytes, d->slots_n) - bytes));
	for (i = 0, before = 0; i < d->slots_n; before = d->slots[i++]) {
		p = words_put(bytes, d->slots[i] - before);
		ai_buf_add(out, bytes, (size_t)(p - bytes));
	}
	ai_buf_add(out, bytes, (size_t)(words_put(bytes, d->terms_n) - bytes));
	for (i = 0, before = 0; i < d->terms_n; before = d->terms[i++].term) {
		p = words_put(bytes, d->terms[i].term - before);
		p = words_put(p, d->terms[i].rows);
		ai_buf_add(out, bytes, (size_t)(p - bytes));
	}
	check = words_check(ai_buf_cstr(out) + from, out->len - from);
	return ai_buf_add(out, &check, 4);
}

/* A number of items that may be there, each at least so many bytes. */
static const unsigned char *get_count(const unsigned char *p,
				      const unsigned char *end, size_t each,
				      uint64_t limit, uint64_t *n)
{
	p = words_get(p, end, n);
	return p == NULL || *n > limit || *n * each > (uint64_t)(end - p)
		       ? NULL
		       : p;
}

static const unsigned char *read_slots(struct search_dead *d,
				       const struct search_words *w,
				       const unsigned char *p,
				       const unsigned char *end, uint64_t n)
{
	uint64_t gap, slot = 0;

	for (; d->slots_n < n; d->slots_n++) {
		p = words_get(p, end, &gap);
		if (p == NULL || gap > WORDS_SLOTS ||
		    (gap == 0 && d->slots_n > 0))
			return NULL;
		slot += gap;
		if (slot >= w->h->count)
			return NULL;
		d->slots[d->slots_n] = (uint32_t)slot;
		d->tokens += words_length(w, (uint32_t)slot);
	}
	d->rows = (int64_t)n;
	return p;
}

static const unsigned char *read_terms(struct search_dead *d,
				       const struct search_words *w,
				       const unsigned char *p,
				       const unsigned char *end, uint64_t n)
{
	uint64_t gap, term = 0, rows;

	for (; d->terms_n < n; d->terms_n++) {
		p = words_get(p, end, &gap);
		p = words_get(p, end, &rows);
		if (p == NULL || gap > UINT32_MAX ||
		    (gap == 0 && d->terms_n > 0))
			return NULL;
		term += gap;
		if (term >= w->h->terms || rows > (uint64_t)d->rows)
			return NULL;
		d->terms[d->terms_n] = (struct search_dead_term){
			(uint32_t)term, (uint32_t)rows,
		};
	}
	return p;
}

int search_dead_read(struct search_dead *d, const struct search_words *w,
		     struct ai_span blob, struct ai_err *err)
{
	const unsigned char *p = (const unsigned char *)blob.p, *end;
	uint64_t n = 0;
	uint32_t check;

	memset(d, 0, sizeof(*d));
	if (blob.n == 0)
		return 0;
	if (blob.n < 4)
		return words_damaged(w, "what is known of its dead", err);
	end = p + blob.n - 4;
	memcpy(&check, end, 4);
	if (check != words_check(p, (size_t)(end - p)))
		return words_damaged(w, "what is known of its dead", err);
	p = get_count(p, end, 1, w->h->count, &n);
	if (p != NULL && grow((void **)&d->slots, &d->slots_cap, (size_t)n,
			      sizeof(*d->slots), err) < 0)
		return -1;
	p = p == NULL ? NULL : read_slots(d, w, p, end, n);
	p = p == NULL ? NULL : get_count(p, end, 2, w->h->terms, &n);
	if (p != NULL && grow((void **)&d->terms, &d->terms_cap, (size_t)n,
			      sizeof(*d->terms), err) < 0)
		goto fail;
	p = p == NULL ? NULL : read_terms(d, w, p, end, n);
	if (p == end && d->tokens <= w->info.tokens)
		return 0;
	words_damaged(w, "what is known of its dead", err);
fail:
	search_dead_release(d);
	return -1;
}

void search_dead_release(struct search_dead *d)
{
	free(d->slots);
	free(d->terms);
	memset(d, 0, sizeof(*d));
}
