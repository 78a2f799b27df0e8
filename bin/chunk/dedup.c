#include "dedup.h"

#include "crypt/base64.h"
#include "record/json.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define VERIFIED 32 /* how many are compared as a whole, the likeliest first */
#define NONE UINT32_MAX

struct kept {
	struct chunk_key key;
	size_t at;     /* in hashes */
	size_t owner;
	uint32_t n;    /* of its hashes */
	uint16_t met;  /* hashes found so far, while others are looked for */
	bool dead;
};

/* A hash, and which passages have it among their smallest. */
struct slot {
	uint32_t hash, first, count; /* count 0: free */
};

struct posting {
	uint32_t passage, next;
};

struct chunk_dedup {
	double threshold;
	uint64_t seed;
	pthread_mutex_t mutex;
	struct kept *kept;
	uint32_t *hashes;
	struct slot *slots; /* 2^bits */
	struct posting *postings;
	uint32_t *met;      /* passages with met > 0 */
	size_t n_kept, cap_kept, n_hashes, cap_hashes, n_slots, cap_slots;
	size_t n_postings, cap_postings, n_met, cap_met;
};

/* ---- memory -------------------------------------------------------------- */

/* Room for n more elements of size bytes behind the first used. */
static int room(void **v, size_t used, size_t *cap, size_t n, size_t size,
		struct ai_err *err)
{
	size_t want = *cap + *cap / 2 + n + 64;
	void *more;

	if (used + n <= *cap)
		return 0;
	if (want >= NONE && size != sizeof(uint32_t))
		return ai_err_set(err, AI_E_MEMORY, "too many passages for "
				  "--dedup; cut the tree in several runs");
	more = reallocarray(*v, want, size);
	if (more == NULL)
		return ai_err_nomem(err);
	*v = more;
	*cap = want;
	return 0;
}

int chunk_dedup_new(struct chunk_dedup **dedup, double threshold,
		    uint64_t seed, struct ai_err *err)
{
	struct chunk_dedup *d = calloc(1, sizeof *d);

	if (d == NULL)
		return ai_err_nomem(err);
	d->threshold = threshold;
	d->seed = seed;
	pthread_mutex_init(&d->mutex, NULL);
	*dedup = d;
	return 0;
}

void chunk_dedup_free(struct chunk_dedup *d)
{
	if (d == NULL)
		return;
	pthread_mutex_destroy(&d->mutex);
	free(d->kept);
	free(d->hashes);
	free(d->slots);
	free(d->postings);
	free(d->met);
	free(d);
}

uint64_t chunk_dedup_seed(const struct chunk_dedup *d)
{
	return d->seed;
}

size_t chunk_dedup_bytes(const struct chunk_dedup *d)
{
	return d->cap_kept * sizeof *d->kept +
		d->cap_hashes * sizeof *d->hashes +
		d->cap_slots * sizeof *d->slots +
		d->cap_postings * sizeof *d->postings;
}

/* ---- the table ----------------------------------------------------------- */

/* Of the hash, or the free one where it belongs; there always is one. */
static struct slot *slot_of(struct slot *slots, size_t cap, uint32_t hash)
{
	size_t i = (hash * UINT32_C(2654435769)) & (cap - 1);

	while (slots[i].count > 0 && slots[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static int grow(struct chunk_dedup *d, size_t more, struct ai_err *err)
{
	size_t cap = d->cap_slots == 0 ? 1024 : d->cap_slots;
	struct slot *slots;

	while ((d->n_slots + more) * 4 > cap * 3)
		cap *= 2;
	if (cap == d->cap_slots)
		return 0;
	slots = calloc(cap, sizeof *slots);
	if (slots == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < d->cap_slots; i++)
		if (d->slots[i].count > 0)
			*slot_of(slots, cap, d->slots[i].hash) = d->slots[i];
	free(d->slots);
	d->slots = slots;
	d->cap_slots = cap;
	return 0;
}

/* How many of n hashes are looked up: two sets that share T of what they have
 * together have one in common among these. */
static size_t looked_up(const struct chunk_dedup *d, size_t n)
{
	size_t same = (size_t)ceil(d->threshold * (double)n - 1e-9);

	return n - (same > 0 ? same : 1) + 1;
}

static void link_in(struct chunk_dedup *d, uint32_t hash, uint32_t passage)
{
	struct slot *s = slot_of(d->slots, d->cap_slots, hash);

	if (s->count == 0) {
		*s = (struct slot){ hash, NONE, 0 };
		d->n_slots++;
	}
	if (s->count > DEDUP_COMMON)
		return;
	d->postings[d->n_postings] = (struct posting){ passage, s->first };
	s->first = (uint32_t)d->n_postings++;
	s->count++;
}

static int keep(struct chunk_dedup *d, const uint32_t *hashes, size_t n,
		struct chunk_key key, size_t owner, struct ai_err *err)
{
	size_t few = looked_up(d, n);

	if (room((void **)&d->kept, d->n_kept, &d->cap_kept, 1,
		 sizeof *d->kept, err) < 0 ||
	    room((void **)&d->hashes, d->n_hashes, &d->cap_hashes, n,
		 sizeof *d->hashes, err) < 0 ||
	    room((void **)&d->postings, d->n_postings, &d->cap_postings, few,
		 sizeof *d->postings, err) < 0 ||
	    room((void **)&d->met, d->n_kept, &d->cap_met, 1, sizeof *d->met,
		 err) < 0 ||
	    grow(d, few, err) < 0)
		return -1;
	d->kept[d->n_kept] = (struct kept){
		.key = key, .at = d->n_hashes, .owner = owner,
		.n = (uint32_t)n,
	};
	memcpy(d->hashes + d->n_hashes, hashes, n * sizeof *hashes);
	d->n_hashes += n;
	for (size_t i = 0; i < few; i++)
		link_in(d, hashes[i], (uint32_t)d->n_kept);
	d->n_kept++;
	return 0;
}

/* ---- looking ------------------------------------------------------------- */

static double jaccard(const uint32_t *a, size_t n, const uint32_t *b, size_t k)
{
	size_t i = 0, j = 0, both = 0;

	while (i < n && j < k) {
		uint32_t x = a[i], y = b[j];

		both += x == y;
		i += x <= y;
		j += y <= x;
	}
	return (double)both / (double)(n + k - both);
}

/* Passages that have one of these hashes go to d->met. */
static void meet(struct chunk_dedup *d, const uint32_t *hashes, size_t n,
		 size_t owner)
{
	size_t few = looked_up(d, n);
	double least = d->threshold * (double)n - 1e-9;

	d->n_met = 0;
	for (size_t i = 0; i < few && d->n_kept > 0; i++) {
		const struct slot *s = slot_of(d->slots, d->cap_slots,
					       hashes[i]);

		if (s->count == 0 || s->count > DEDUP_COMMON)
			continue;
		for (uint32_t p = s->first; p != NONE;
		     p = d->postings[p].next) {
			struct kept *k = &d->kept[d->postings[p].passage];

			/* What is much shorter or longer is no copy. */
			if (k->dead || (double)k->n < least ||
			    (double)k->n * d->threshold >
				    (double)n + 1e-9 ||
			    (owner != DEDUP_NOBODY && k->owner == owner))
				continue;
			if (k->met == 0)
				d->met[d->n_met++] = d->postings[p].passage;
			k->met += k->met < UINT16_MAX;
		}
	}
}

/* The passage with most hashes met, of the same the first; NONE: no more. */
static uint32_t likeliest(struct chunk_dedup *d)
{
	uint32_t best = NONE;

	for (size_t i = 0; i < d->n_met; i++) {
		uint32_t p = d->met[i];
		unsigned met = d->kept[p].met;

		if (met > 0 && (best == NONE || met > d->kept[best].met ||
				(met == d->kept[best].met && p < best)))
			best = p;
	}
	return best;
}

static void find(struct chunk_dedup *d, const uint32_t *hashes, size_t n,
		 size_t owner, struct chunk_copy *copy)
{
	uint32_t p;

	*copy = (struct chunk_copy){ .is_copy = false };
	meet(d, hashes, n, owner);
	for (int i = 0; i < VERIFIED && copy->similarity < 1 &&
	     (p = likeliest(d)) != NONE; i++) {
		struct kept *k = &d->kept[p];
		double s = jaccard(hashes, n, d->hashes + k->at, k->n);

		k->met = 0;
		if (s + 1e-9 < d->threshold || s <= copy->similarity)
			continue;
		*copy = (struct chunk_copy){ true, s, k->key };
	}
	for (size_t i = 0; i < d->n_met; i++)
		d->kept[d->met[i]].met = 0;
}

int chunk_dedup_decide(struct chunk_dedup *d, const struct chunk_prints *ps,
		       size_t owner, struct chunk_copy *copies, size_t *from,
		       struct ai_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&d->mutex);
	*from = d->n_kept;
	for (size_t i = 0; i < ps->n && rc == 0; i++) {
		const struct chunk_print *print = &ps->v[i];
		const uint32_t *hashes = ps->hashes + print->at;

		find(d, hashes, print->n, owner, &copies[i]);
		if (!copies[i].is_copy)
			rc = keep(d, hashes, print->n, print->key,
				  DEDUP_NOBODY, err);
	}
	pthread_mutex_unlock(&d->mutex);
	if (rc < 0)
		chunk_dedup_retract(d, *from);
	return rc;
}

void chunk_dedup_retract(struct chunk_dedup *d, size_t from)
{
	pthread_mutex_lock(&d->mutex);
	for (size_t i = from; i < d->n_kept; i++)
		d->kept[i].dead = true;
	pthread_mutex_unlock(&d->mutex);
}

/* ---- the state ----------------------------------------------------------- */

/* A key, and the hashes with the byte of least weight first. */
static void save_one(const struct chunk_dedup *d, const struct kept *k,
		     struct ai_buf *raw, struct ai_buf *text,
		     struct ai_buf *json)
{
	ai_buf_clear(raw);
	ai_buf_clear(text);
	ai_buf_add(raw, k->key.b, sizeof k->key.b);
	for (size_t i = 0; i < k->n; i++)
		for (int b = 0; b < 32; b += 8)
			ai_buf_chr(raw, (char)(d->hashes[k->at + i] >> b));
	ai_base64_encode(text, raw->p, raw->len);
	while (text->len > 0 && text->p[text->len - 1] == '=')
		text->len--;
	ai_put_str(json, text->p, text->len);
}

int chunk_dedup_save(struct chunk_dedup *d, size_t from, struct ai_buf *json,
		     struct ai_err *err)
{
	struct ai_buf raw = AI_BUF_INIT((size_t)1 << 30);
	struct ai_buf text = AI_BUF_INIT((size_t)1 << 31);
	int rc;

	pthread_mutex_lock(&d->mutex);
	ai_put_open(json, '[');
	for (size_t i = from; i < d->n_kept; i++)
		save_one(d, &d->kept[i], &raw, &text, json);
	ai_put_close(json, ']');
	pthread_mutex_unlock(&d->mutex);
	rc = ai_buf_check(&raw, "the hashes of a passage", err) < 0 ||
	     ai_buf_check(&text, "the hashes of a passage", err) < 0 ||
	     ai_buf_check(json, "the hashes of a document", err) < 0 ? -1 : 0;
	ai_buf_release(&raw);
	ai_buf_release(&text);
	return rc;
}

int chunk_dedup_load(struct chunk_dedup *d, size_t owner, const char *p,
		     size_t n, struct ai_err *err)
{
	size_t bytes = ai_base64_bytes(n), k;
	struct chunk_key key;
	unsigned char *raw;
	uint32_t *hashes;
	int rc = -1;

	err->code = AI_E_NONE;
	if (bytes == SIZE_MAX || bytes < sizeof key.b + 4 || bytes % 4 != 0)
		return -1;
	k = (bytes - sizeof key.b) / 4;
	raw = malloc(bytes);
	hashes = calloc(k, sizeof *hashes);
	if (raw == NULL || hashes == NULL) {
		rc = ai_err_nomem(err);
	} else if (ai_base64_decode(p, n, raw) == 0) {
		memcpy(key.b, raw, sizeof key.b);
		for (size_t i = 0; i < 4 * k; i++)
			hashes[i / 4] |= (uint32_t)raw[sizeof key.b + i]
				<< i % 4 * 8;
		rc = 0;
		for (size_t i = 1; i < k; i++)
			if (hashes[i] <= hashes[i - 1])
				rc = -1;
		if (rc == 0)
			rc = keep(d, hashes, k, key, owner, err);
	}
	free(raw);
	free(hashes);
	return rc;
}

bool chunk_dedup_key(const char *p, size_t n, struct chunk_key *key)
{
	unsigned char raw[18]; /* of 24 characters: two bytes are hashes' */

	if (n < 24 || ai_base64_decode(p, 24, raw) < 0)
		return false;
	memcpy(key->b, raw, sizeof key->b);
	return true;
}

int chunk_key_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct chunk_key));
}

int chunk_dedup_keys(const struct chunk_dedup *d, struct chunk_key **keys,
		     size_t *n, struct ai_err *err)
{
	*n = 0;
	*keys = calloc(d->n_kept + 1, sizeof **keys);
	if (*keys == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < d->n_kept; i++)
		if (!d->kept[i].dead)
			(*keys)[(*n)++] = d->kept[i].key;
	if (*n > 1)
		qsort(*keys, *n, sizeof **keys, chunk_key_compare);
	return 0;
}
