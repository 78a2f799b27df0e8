/*
 * postings-build.c: documents on their way to a file of postings.
 *
 * Each term has a stream of bytes, a few for each of its occurrences, in
 * chunks that double.  A word that was seen before costs a look into a table
 * whose entries hold it (struct surface): it is neither stemmed nor looked up
 * among the terms again.
 */
#include "base/buf.h"
#include "postings-int.h"

#include <stdlib.h>

#define SLAB_BYTES ((size_t)1 << 18)
#define CHUNK_FIRST 16
#define CHUNK_DOUBLE 8      /* times */
#define OCCURRENCE_MAX 16   /* bytes of one */
#define NAMES_MAX ((size_t)0xFFFFFF00u)

struct slab {
	struct slab *next;
	size_t used;
	unsigned char bytes[SLAB_BYTES];
};

struct chunk {
	struct chunk *next;
	unsigned char bytes[];
};

struct build_term {
	uint32_t name, hash; /* where it stands in names */
	uint32_t slot, spot; /* of the occurrence before; slot + 1 */
	uint32_t df;
	unsigned char name_n, chunks;
	struct chunk *first, *last;
	unsigned char *p, *end;
};

#define SURFACE_MAX 23
struct surface {
	uint32_t hash, term; /* term + 1; 0: free */
	unsigned char n;
	char word[SURFACE_MAX];
};

struct search_builder {
	const struct ai_analyzer *a;
	uint32_t *rows, *lengths;
	size_t count, cap;
	struct ai_buf names;
	struct build_term *terms;
	size_t terms_n, terms_cap;
	uint32_t *ids; /* hash table: id + 1 */
	size_t ids_cap;
	struct surface *surfaces;
	size_t surfaces_n, surfaces_cap;
	struct slab *slabs, *slab; /* all; the one in use */
	size_t taken; /* bytes of slabs */
	struct ai_buf stream, spots; /* of one term, while it is written */
};

struct search_builder *search_builder_new(const struct ai_analyzer *a,
					  struct ai_err *err)
{
	struct search_builder *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	b->a = a;
	ai_buf_init(&b->names, NAMES_MAX);
	ai_buf_init(&b->stream, SIZE_MAX / 4);
	ai_buf_init(&b->spots, SIZE_MAX / 4);
	return b;
}

void search_builder_free(struct search_builder *b)
{
	struct slab *s, *next;

	if (b == NULL)
		return;
	for (s = b->slabs; s != NULL; s = next) {
		next = s->next;
		free(s);
	}
	free(b->rows);
	free(b->lengths);
	free(b->terms);
	free(b->ids);
	free(b->surfaces);
	ai_buf_release(&b->names);
	ai_buf_release(&b->stream);
	ai_buf_release(&b->spots);
	free(b);
}

void search_builder_clear(struct search_builder *b)
{
	struct slab *s;

	for (s = b->slabs; s != NULL; s = s->next)
		s->used = 0;
	b->slab = b->slabs;
	b->count = b->terms_n = b->surfaces_n = b->taken = 0;
	ai_buf_clear(&b->names);
	if (b->ids != NULL)
		memset(b->ids, 0, b->ids_cap * sizeof(*b->ids));
	if (b->surfaces != NULL)
		memset(b->surfaces, 0, b->surfaces_cap * sizeof(*b->surfaces));
}

size_t search_builder_rows(const struct search_builder *b)
{
	return b->count;
}

size_t search_builder_memory(const struct search_builder *b)
{
	/* Tables are at most twice or four times as large as they are full. */
	return b->taken + b->count * 8 + b->names.len +
	       b->terms_n * (2 * sizeof(*b->terms) + 4 * sizeof(*b->ids)) +
	       b->surfaces_n * 4 * sizeof(*b->surfaces);
}

/* ---- streams --------------------------------------------------------------------- */

/* Memory that is given back with all the rest; 8 bytes aligned. */
static void *take(struct search_builder *b, size_t n)
{
	struct slab *s;
	void *p;

	while (b->slab != NULL && SLAB_BYTES - b->slab->used < n)
		b->slab = b->slab->next;
	if (b->slab == NULL) {
		s = malloc(sizeof(*s));
		if (s == NULL)
			return NULL;
		s->next = b->slabs;
		s->used = 0;
		b->slab = b->slabs = s;
	}
	p = b->slab->bytes + b->slab->used;
	n = (n + 7) & ~(size_t)7;
	b->slab->used += n;
	b->taken += n;
	return p;
}

static size_t chunk_size(unsigned k)
{
	return (size_t)CHUNK_FIRST << (k < CHUNK_DOUBLE ? k : CHUNK_DOUBLE);
}

static int add_chunk(struct search_builder *b, struct build_term *t)
{
	size_t n = chunk_size(t->chunks);
	struct chunk *c = take(b, sizeof(*c) + n);

	if (c == NULL)
		return -1;
	if (t->first == NULL)
		t->first = c;
	else
		t->last->next = c;
	c->next = NULL;
	t->last = c;
	t->p = c->bytes;
	t->end = c->bytes + n;
	if (t->chunks < CHUNK_DOUBLE)
		t->chunks++;
	return 0;
}

/* Bytes that may go on in the next chunk. */
static int put_slowly(struct search_builder *b, struct build_term *t,
		      const unsigned char *p, size_t n)
{
	for (; n > 0; n--) {
		if (t->p == t->end && add_chunk(b, t) < 0)
			return -1;
		*t->p++ = *p++;
	}
	return 0;
}

/*
 * An occurrence: a varint whose lowest bits say whether the document is a new
 * one and whether there is a weight, and that counts documents or else words
 * from the occurrence before; of a new document also the position; the weight.
 */
static int put_occurrence(struct search_builder *b, struct build_term *t,
			  uint32_t slot, uint32_t spot, unsigned weight)
{
	unsigned char bytes[OCCURRENCE_MAX], *p = bytes;
	bool roomy = t->end - t->p >= OCCURRENCE_MAX;
	unsigned heavy = weight != 1 ? 2 : 0;

	if (roomy)
		p = t->p;
	if (t->slot != slot + 1) {
		p = words_put(p, (uint64_t)(slot + 1 - t->slot) << 2 | heavy |
					 1);
		p = words_put(p, spot);
		t->slot = slot + 1;
		t->df++;
	} else {
		p = words_put(p, (uint64_t)(spot - t->spot) << 2 | heavy);
	}
	if (heavy)
		*p++ = (unsigned char)weight;
	t->spot = spot;
	if (!roomy)
		return put_slowly(b, t, bytes, (size_t)(p - bytes));
	t->p = p;
	return 0;
}

/* ---- words and terms ---------------------------------------------------------------- */

/* word has 8 bytes behind its end that can be read. */
static uint32_t hash_of(const char *word, size_t n)
{
	uint64_t h = n * 0x9E3779B97F4A7C15u, part;

	for (; n > 8; n -= 8, word += 8) {
		memcpy(&part, word, 8);
		h = (h ^ part) * 0xD6E8FEB86659FD93u;
		h ^= h >> 32;
	}
	memcpy(&part, word, 8);
	part &= n == 8 ? ~(uint64_t)0 : ((uint64_t)1 << 8 * n) - 1;
	h = (h ^ part) * 0xD6E8FEB86659FD93u;
	h ^= h >> 32;
	h *= 0xD6E8FEB86659FD93u;
	return (uint32_t)(h >> 32);
}

static int grow_ids(struct search_builder *b)
{
	size_t cap = b->ids_cap == 0 ? 1024 : b->ids_cap * 2, i, at;
	uint32_t *ids = calloc(cap, sizeof(*ids));

	if (ids == NULL)
		return -1;
	for (i = 0; i < b->terms_n; i++) {
		for (at = b->terms[i].hash & (cap - 1); ids[at] != 0;)
			at = (at + 1) & (cap - 1);
		ids[at] = (uint32_t)i + 1;
	}
	free(b->ids);
	b->ids = ids;
	b->ids_cap = cap;
	return 0;
}

static int grow_terms(struct search_builder *b)
{
	size_t cap = b->terms_cap == 0 ? 512 : b->terms_cap * 2;
	struct build_term *v = reallocarray(b->terms, cap, sizeof(*v));

	if (v == NULL)
		return -1;
	b->terms = v;
	b->terms_cap = cap;
	return 0;
}

/* The id of a term, which is made if need be. */
static int find_term(struct search_builder *b, const char *word, size_t n,
		     uint32_t *id)
{
	uint32_t hash = hash_of(word, n);
	struct build_term *t;
	size_t at;

	if (b->terms_n * 2 >= b->ids_cap && grow_ids(b) < 0)
		return -1;
	for (at = hash & (b->ids_cap - 1); b->ids[at] != 0;
	     at = (at + 1) & (b->ids_cap - 1)) {
		t = &b->terms[b->ids[at] - 1];
		if (t->hash == hash && t->name_n == n &&
		    memcmp(b->names.p + t->name, word, n) == 0) {
			*id = b->ids[at] - 1;
			return 0;
		}
	}
	if (b->terms_n == b->terms_cap && grow_terms(b) < 0)
		return -1;
	t = &b->terms[b->terms_n];
	*t = (struct build_term){
		.name = (uint32_t)b->names.len, .hash = hash,
		.name_n = (unsigned char)n,
	};
	if (ai_buf_add(&b->names, word, n) < 0)
		return -1;
	*id = (uint32_t)b->terms_n++;
	b->ids[at] = *id + 1;
	return 0;
}

static int grow_surfaces(struct search_builder *b)
{
	size_t cap = b->surfaces_cap == 0 ? 1024 : b->surfaces_cap * 2, i, at;
	struct surface *v = calloc(cap, sizeof(*v));

	if (v == NULL)
		return -1;
	for (i = 0; i < b->surfaces_cap; i++) {
		if (b->surfaces[i].term == 0)
			continue;
		for (at = b->surfaces[i].hash & (cap - 1); v[at].term != 0;)
			at = (at + 1) & (cap - 1);
		v[at] = b->surfaces[i];
	}
	free(b->surfaces);
	b->surfaces = v;
	b->surfaces_cap = cap;
	return 0;
}

/* The id of the term that a folded word becomes. */
static int term_of(struct search_builder *b, struct ai_fold *f, uint32_t *id)
{
	struct surface *s;
	uint32_t hash;
	size_t at, n = f->n;
	char word[SURFACE_MAX + 1];

	if (f->kind != AI_FOLD_WORD || b->a->stem == NULL)
		return find_term(b, f->word, f->n, id);
	if (n > SURFACE_MAX) {
		f->n = ai_analyzer_stem(b->a, f->word, f->n);
		return find_term(b, f->word, f->n, id);
	}
	if (b->surfaces_n * 2 >= b->surfaces_cap && grow_surfaces(b) < 0)
		return -1;
	hash = hash_of(f->word, n);
	for (at = hash & (b->surfaces_cap - 1); b->surfaces[at].term != 0;
	     at = (at + 1) & (b->surfaces_cap - 1)) {
		s = &b->surfaces[at];
		if (s->hash == hash && s->n == n &&
		    memcmp(s->word, f->word, n) == 0) {
			*id = s->term - 1;
			return 0;
		}
	}
	memcpy(word, f->word, n);
	f->n = ai_analyzer_stem(b->a, f->word, n);
	if (find_term(b, f->word, f->n, id) < 0)
		return -1;
	s = &b->surfaces[at];
	s->hash = hash;
	s->term = *id + 1;
	s->n = (unsigned char)n;
	memcpy(s->word, word, n);
	b->surfaces_n++;
	return 0;
}

/* ---- documents -------------------------------------------------------------------------- */

static int add_field(struct search_builder *b, uint32_t slot,
		     const struct search_field *field, uint64_t *spot,
		     uint64_t *length, struct ai_err *err)
{
	struct ai_fold f;
	uint32_t id;

	if (field->weight < 1 || field->weight > SEARCH_WEIGHT_MAX)
		return ai_err_set(err, AI_E_BUG, "a field weighs %u",
				  field->weight);
	ai_fold_init(&f, field->text.p, field->text.n);
	f.accents = b->a->accents;
	while (ai_fold_next(&f)) {
		*length += field->weight;
		if (*length >= WORDS_TF_MAX ||
		    *spot + f.position >= WORDS_TF_MAX)
			return ai_err_set(err, AI_E_TOO_LONG,
					  "a text has too many words");
		if (term_of(b, &f, &id) < 0 ||
		    put_occurrence(b, &b->terms[id], slot,
				   (uint32_t)(*spot + f.position),
				   field->weight) < 0)
			return ai_err_nomem(err);
	}
	*spot += f.next + WORDS_FIELD_GAP;
	return 0;
}

static int make_room(struct search_builder *b)
{
	size_t cap = b->cap == 0 ? 256 : b->cap * 2;
	uint32_t *v;

	if (b->count < b->cap)
		return 0;
	v = reallocarray(b->rows, cap, sizeof(*v));
	if (v == NULL)
		return -1;
	b->rows = v;
	v = reallocarray(b->lengths, cap, sizeof(*v));
	if (v == NULL)
		return -1;
	b->lengths = v;
	b->cap = cap;
	return 0;
}

int search_builder_add(struct search_builder *b, int64_t n,
		       const struct search_field *fields, size_t count,
		       uint32_t *length, struct ai_err *err)
{
	uint64_t spot = 0, all = 0;
	size_t i;

	if (n < 0 || n > SEARCH_ROW_MAX || b->count >= WORDS_SLOTS ||
	    (b->count > 0 && n <= (int64_t)b->rows[b->count - 1]))
		return ai_err_set(err, AI_E_BUG, "row %lld is out of order",
				  (long long)n);
	if (make_room(b) < 0)
		return ai_err_nomem(err);
	for (i = 0; i < count; i++)
		if (add_field(b, (uint32_t)b->count, &fields[i], &spot, &all,
			      err) < 0)
			return -1;
	b->rows[b->count] = (uint32_t)n;
	b->lengths[b->count++] = (uint32_t)all;
	if (length != NULL)
		*length = (uint32_t)all;
	return 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

struct order {
	uint64_t key; /* the first 8 bytes */
	uint32_t id;
	const unsigned char *name;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	int c;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	c = memcmp(x->name, y->name, x->n < y->n ? x->n : y->n);
	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

static struct order *sort_terms(const struct search_builder *b)
{
	struct order *v = malloc((b->terms_n + 1) * sizeof(*v));
	size_t i, k;

	for (i = 0; v != NULL && i < b->terms_n; i++) {
		const struct build_term *t = &b->terms[i];

		v[i].id = (uint32_t)i;
		v[i].name = (const unsigned char *)b->names.p + t->name;
		v[i].n = t->name_n;
		v[i].key = 0;
		for (k = 0; k < 8; k++)
			v[i].key = v[i].key << 8 |
				   (k < t->name_n ? v[i].name[k] : 0);
	}
	if (v != NULL)
		qsort(v, b->terms_n, sizeof(*v), by_name);
	return v;
}

/* A term's stream in one piece, in b->stream. */
static int gather(struct search_builder *b, const struct build_term *t)
{
	const struct chunk *c;
	unsigned k = 0;

	ai_buf_clear(&b->stream);
	for (c = t->first; c != NULL; c = c->next, k++)
		ai_buf_add(&b->stream, c->bytes,
			   c == t->last ? (size_t)(t->p - c->bytes)
					: chunk_size(k));
	return b->stream.bad == AI_E_NONE ? 0 : -1;
}

/* One document's occurrences of a term. */
struct found {
	uint32_t slot, tf, count;
};

static int put_found(struct search_builder *b, struct words_writer *w,
		     const struct found *f, struct ai_err *err)
{
	unsigned char all[16];
	size_t n = (size_t)(words_put(all, f->count) - all);

	/* The count stands before the gaps: usually one byte. */
	if (n == 1) {
		b->spots.p[0] = (char)all[0];
		return words_writer_add(w, f->slot, f->tf,
					(unsigned char *)b->spots.p,
					b->spots.len, err);
	}
	ai_buf_add(&b->spots, all, n); /* room, and then to the front */
	if (b->spots.bad != AI_E_NONE)
		return ai_err_nomem(err);
	memmove(b->spots.p + n, b->spots.p + 1, b->spots.len - n - 1);
	memcpy(b->spots.p, all, n);
	b->spots.len--;
	return words_writer_add(w, f->slot, f->tf, (unsigned char *)b->spots.p,
				b->spots.len, err);
}

static int write_term(struct search_builder *b, struct words_writer *w,
		      const struct build_term *t, struct ai_err *err)
{
	const unsigned char *p, *end;
	struct found f = { UINT32_MAX, 0, 0 };
	uint32_t next = 0, weight;
	unsigned char bytes[10];
	uint64_t v, spot;

	if (gather(b, t) < 0)
		return ai_err_nomem(err);
	p = (const unsigned char *)b->stream.p;
	end = p + b->stream.len;
	while (p < end) {
		p = words_get(p, end, &v);
		spot = v >> 2;
		if (v & 1) {
			if (f.count > 0 && put_found(b, w, &f, err) < 0)
				return -1;
			next += (uint32_t)(v >> 2);
			p = words_get(p, end, &spot);
			f = (struct found){ next - 1, 0, 0 };
			ai_buf_clear(&b->spots);
			ai_buf_chr(&b->spots, '\0'); /* for the count */
		}
		weight = v & 2 ? *p++ : 1;
		f.tf += weight;
		f.count++;
		ai_buf_add(&b->spots, bytes,
			   (size_t)(words_put(bytes, spot) - bytes));
		if (b->spots.bad != AI_E_NONE)
			return ai_err_nomem(err);
	}
	return f.count > 0 ? put_found(b, w, &f, err) : 0;
}

int search_builder_write(struct search_builder *b, const char *path,
			 int64_t from, int64_t to, struct ai_err *err)
{
	struct words_plan plan = { path, b->a->name, from, to, b->rows,
				   b->lengths, b->count };
	struct words_writer *w;
	struct order *order;
	size_t i;
	int rc = 0;

	if (from < 0 || from > to || to > SEARCH_ROW_MAX + 1 ||
	    (b->count > 0 && (b->rows[0] < from ||
			      b->rows[b->count - 1] >= to)))
		return ai_err_set(err, AI_E_BUG, "rows beyond '%s'", path);
	order = sort_terms(b);
	if (order == NULL)
		return ai_err_nomem(err);
	w = words_writer_new(&plan, err);
	if (w == NULL) {
		free(order);
		return -1;
	}
	for (i = 0; rc == 0 && i < b->terms_n; i++) {
		struct ai_span name = { (const char *)order[i].name,
					order[i].n };

		rc = words_writer_term(w, name, err);
		if (rc == 0)
			rc = write_term(b, w, &b->terms[order[i].id], err);
	}
	if (rc == 0)
		rc = words_writer_end(w, err);
	words_writer_free(w);
	free(order);
	return rc;
}
