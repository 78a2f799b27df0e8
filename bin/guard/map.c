#include "map.h"

#include "map-file.h"
#include "placeholder.h"

#include "crypt/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 4096
#define BLOCK ((size_t)1 << 16)

/* An entry of the file is facts, one behind the other; numbers are
 * little-endian:
 *
 *	1 label's length (1) label number (4) length (4) value
 *	2 label's length (1) label number (4)
 *
 * and as many zeros as hide its length. */
enum fact { FACT_END, FACT_VALUE, FACT_TAKEN };
#define HIDE 64

/* Wiped when the map goes. */
struct block {
	struct block *next;
	size_t used, size;
	char p[];
};

struct value {
	uint32_t n;
	char p[];
};

struct slot {
	struct ai_short name; /* of what, see name_of() */
	uintptr_t what;       /* 0: empty */
};
/* What a body (LABEL_1) is, besides a pointer to its value. */
#define IS_TAKEN ((uintptr_t)1)
#define IS_VALUE ((uintptr_t)2)

struct label {
	char name[PLACEHOLDER_LABEL + 1];
	uint32_t last; /* number that was given */
};

struct guard_map {
	enum guard_map_use use;
	bool has_file;
	struct map_file file;
	uint64_t synced;
	pthread_mutex_t lock, syncing;
	unsigned char key[3][AI_SHORT_KEY];
	struct slot *slots;
	size_t n, cap;
	struct label *labels;
	size_t n_labels, cap_labels;
	struct block *blocks;
	struct ai_buf fresh; /* facts to be written */
};

/* ---- what is known ---------------------------------------------------------------- */

static void wipe(struct ai_buf *b)
{
	if (b->cap > 0)
		ai_wipe(b->p, b->cap);
	ai_buf_clear(b);
}

/* Of a value of a label, and of a body: each with a key of its own. */
static struct ai_short name_of(const struct guard_map *m, const char *label,
			       struct ai_span value)
{
	struct ai_short a = ai_short_of(m->key[0], label, strlen(label));
	struct ai_short b = ai_short_of(m->key[1], value.p, value.n);

	a.v[0] ^= b.v[0];
	a.v[1] ^= b.v[1];
	return a;
}

static struct ai_short name_of_body(const struct guard_map *m, const char *body)
{
	return ai_short_of(m->key[2], body, strlen(body));
}

static struct slot *slot_of(const struct guard_map *m, struct ai_short name)
{
	size_t i = (size_t)name.v[0] & (m->cap - 1);

	while (m->slots[i].what != 0 &&
	       memcmp(&m->slots[i].name, &name, sizeof name) != 0)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static uintptr_t get(const struct guard_map *m, struct ai_short name)
{
	return m->cap == 0 ? 0 : slot_of(m, name)->what;
}

static int grow(struct guard_map *m, struct ai_err *err)
{
	struct guard_map more = *m;

	more.cap = m->cap == 0 ? 256 : 2 * m->cap;
	more.slots = calloc(more.cap, sizeof *more.slots);
	if (more.slots == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].what != 0)
			*slot_of(&more, m->slots[i].name) = m->slots[i];
	free(m->slots);
	m->slots = more.slots;
	m->cap = more.cap;
	return 0;
}

static int put(struct guard_map *m, struct ai_short name, uintptr_t what,
	       struct ai_err *err)
{
	struct slot *s;

	if (4 * (m->n + 1) > 3 * m->cap && grow(m, err) < 0)
		return -1;
	s = slot_of(m, name);
	m->n += s->what == 0;
	*s = (struct slot){ name, what };
	return 0;
}

static struct label *label_of(struct guard_map *m, const char *name,
			      struct ai_err *err)
{
	struct label *more;

	for (size_t i = 0; i < m->n_labels; i++)
		if (strcmp(m->labels[i].name, name) == 0)
			return &m->labels[i];
	if (m->n_labels == LABELS_MAX) {
		ai_err_set(err, AI_E_TOO_LONG, "a map has at most %d labels",
			   LABELS_MAX);
		return NULL;
	}
	if (m->n_labels == m->cap_labels) {
		more = reallocarray(m->labels, 2 * m->cap_labels + 16,
				    sizeof *more);
		if (more == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		m->labels = more;
		m->cap_labels = 2 * m->cap_labels + 16;
	}
	more = &m->labels[m->n_labels++];
	memset(more, 0, sizeof *more);
	memcpy(more->name, name, strlen(name));
	return more;
}

/* A copy that is wiped with the map. */
static struct value *keep(struct guard_map *m, struct ai_span value,
			  struct ai_err *err)
{
	size_t n = (sizeof(struct value) + value.n + 7) & ~(size_t)7;
	size_t size = n > BLOCK ? n : BLOCK;
	struct block *b = m->blocks;
	struct value *v;

	if (b == NULL || b->size - b->used < n) {
		b = malloc(sizeof *b + size);
		if (b == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		*b = (struct block){ m->blocks, 0, size };
		m->blocks = b;
	}
	v = (struct value *)(void *)(b->p + b->used);
	b->used += n;
	v->n = (uint32_t)value.n;
	memcpy(v->p, value.p, value.n);
	return v;
}

/* LABEL_1 */
static void body_of(const char *label, uint32_t n, char *body)
{
	struct ai_buf b = AI_BUF_INIT(PLACEHOLDER_BODY);

	ai_buf_fmt(&b, "%s_%u", label, n);
	memcpy(body, ai_buf_cstr(&b), b.len + 1);
	ai_buf_release(&b);
}

static int know_value(struct guard_map *m, const char *label, uint32_t n,
		      struct ai_span value, struct ai_err *err)
{
	char body[PLACEHOLDER_BODY + 1];
	struct label *l = label_of(m, label, err);
	uintptr_t what = IS_VALUE;

	if (l == NULL)
		return -1;
	if (n > l->last)
		l->last = n;
	if (m->use == GUARD_MAP_READ) {
		what = (uintptr_t)keep(m, value, err);
		if (what == 0)
			return -1;
	} else if (put(m, name_of(m, label, value), n, err) < 0) {
		return -1;
	}
	body_of(label, n, body);
	return put(m, name_of_body(m, body), what, err);
}

/* ---- the file --------------------------------------------------------------------- */

static uint32_t number(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		(uint32_t)p[3] << 24;
}

/* Makes room without leaving copies behind. */
static int make_room(struct ai_buf *b, size_t n)
{
	struct ai_buf more = AI_BUF_INIT(b->max);

	if (b->len + n < b->cap)
		return 0;
	if (ai_buf_reserve(&more, 2 * (b->len + n)) < 0)
		return -1;
	ai_buf_add(&more, b->p, b->len);
	wipe(b);
	ai_buf_release(b);
	*b = more;
	return 0;
}

static void put_number(struct ai_buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		ai_buf_chr(b, (char)(unsigned char)(v >> (8 * i)));
}

/* With room for its value of size bytes. */
static void put_fact(struct ai_buf *b, enum fact fact, const char *label,
		     uint32_t n, size_t size)
{
	if (make_room(b, PLACEHOLDER_BODY + size + HIDE) < 0)
		b->bad = AI_E_MEMORY;
	ai_buf_chr(b, (char)fact);
	ai_buf_chr(b, (char)strlen(label));
	ai_buf_str(b, label);
	put_number(b, n);
}

/* One fact of those in p[0..n); its length, or 0. */
static size_t take_fact(struct guard_map *m, const unsigned char *p, size_t n,
			struct ai_err *err)
{
	char label[PLACEHOLDER_LABEL + 1] = "", body[PLACEHOLDER_BODY + 1];
	uint32_t id, size;
	size_t at;

	if (n < 6 || p[1] == 0 || p[1] > PLACEHOLDER_LABEL ||
	    (at = 6 + (size_t)p[1]) > n || memchr(p + 2, 0, p[1]) != NULL ||
	    (*p != FACT_VALUE && *p != FACT_TAKEN))
		goto bad;
	memcpy(label, p + 2, p[1]);
	id = number(p + at - 4);
	if (id == 0 || id > PLACEHOLDER_N)
		goto bad;
	if (*p == FACT_TAKEN) {
		body_of(label, id, body);
		return put(m, name_of_body(m, body), IS_TAKEN, err) < 0
			? 0 : at;
	}
	if (n - at < 4 || (size = number(p + at)) > n - at - 4)
		goto bad;
	at += 4;
	return know_value(m, label, id, (struct ai_span){
				  (const char *)p + at, size }, err) < 0
		? 0 : at + size;
bad:
	ai_err_set(err, AI_E_DATA, "an entry of the map makes no sense");
	return 0;
}

static int take_entry(void *map, const unsigned char *p, size_t n,
		      struct ai_err *err)
{
	size_t took;

	while (n > 0 && *p != FACT_END) {
		took = take_fact(map, p, n, err);
		if (took == 0)
			return -1;
		p += took;
		n -= took;
	}
	return 0;
}

static int write_fresh(struct guard_map *m, struct ai_err *err)
{
	static const char zeros[HIDE];
	size_t over = m->fresh.len % HIDE;

	if (over > 0)
		ai_buf_add(&m->fresh, zeros, HIDE - over);
	if (ai_buf_check(&m->fresh, "the map's entry", err) < 0)
		return -1;
	return map_file_add(&m->file, m->fresh.p, m->fresh.len, err);
}

/* ---- a map's life ------------------------------------------------------------------- */

struct guard_map *guard_map_new(enum guard_map_use use)
{
	struct guard_map *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->use = use;
	m->file.fd = -1;
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->syncing, NULL);
	ai_random(m->key, sizeof m->key);
	ai_buf_init(&m->fresh, (size_t)1 << 30);
	return m;
}

struct guard_map *guard_map_open(const char *path, const char *key,
				 enum guard_map_use use, struct ai_err *err)
{
	struct guard_map *m = guard_map_new(use);

	if (m == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	if (map_file_open(&m->file, path, key, use == GUARD_MAP_WRITE,
			  err) == 0) {
		m->has_file = true;
		if (guard_map_refresh(m, err) == 0)
			return m;
	}
	guard_map_free(m);
	return NULL;
}

void guard_map_free(struct guard_map *m)
{
	struct block *b;

	if (m == NULL)
		return;
	if (m->has_file)
		map_file_close(&m->file);
	while ((b = m->blocks) != NULL) {
		m->blocks = b->next;
		ai_wipe(b->p, b->size);
		free(b);
	}
	wipe(&m->fresh);
	ai_buf_release(&m->fresh);
	ai_wipe(m->key, sizeof m->key);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->syncing);
	free(m->slots);
	free(m->labels);
	free(m);
}

/* ---- asking -------------------------------------------------------------------------- */

uint32_t guard_map_find(struct guard_map *m, const char *label,
			struct ai_span value)
{
	uint32_t n;

	pthread_mutex_lock(&m->lock);
	n = (uint32_t)get(m, name_of(m, label, value));
	pthread_mutex_unlock(&m->lock);
	return n;
}

enum guard_map_state guard_map_get(struct guard_map *m, const char *body,
				   struct ai_span *value)
{
	const struct value *v;
	uintptr_t what;

	pthread_mutex_lock(&m->lock);
	what = get(m, name_of_body(m, body));
	pthread_mutex_unlock(&m->lock);
	if (what == 0)
		return GUARD_MAP_FREE;
	if (what == IS_TAKEN)
		return GUARD_MAP_TAKEN;
	if (what != IS_VALUE && value != NULL) {
		v = (const struct value *)what;
		*value = (struct ai_span){ v->p, v->n };
	}
	return GUARD_MAP_VALUE;
}

static int refresh(struct guard_map *m, bool alone, struct ai_err *err)
{
	int rc;

	if (map_file_lock(&m->file, alone, err) < 0)
		return -1;
	rc = map_file_read(&m->file, take_entry, m, err);
	if (!alone || rc < 0)
		map_file_unlock(&m->file);
	return rc;
}

int guard_map_refresh(struct guard_map *m, struct ai_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	if (m->has_file && map_file_has_more(&m->file))
		rc = refresh(m, false, err);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

/* LABEL, or the beginning of it, or LABEL_ and digits. */
static bool may_become(const char *body, const char *label)
{
	size_t n = strlen(body), l = strlen(label);

	if (n <= l)
		return memcmp(body, label, n) == 0;
	if (memcmp(body, label, l) != 0 || body[l] != '_')
		return false;
	for (l++; l < n; l++)
		if (body[l] < '0' || body[l] > '9')
			return false;
	return true;
}

bool guard_map_prefix(struct guard_map *m, const char *body)
{
	bool may = false;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n_labels && !may; i++)
		may = may_become(body, m->labels[i].name);
	pthread_mutex_unlock(&m->lock);
	return may;
}

int guard_map_sync(struct guard_map *m, struct ai_err *err)
{
	uint64_t at;
	int rc = 0;

	if (!m->has_file)
		return 0;
	pthread_mutex_lock(&m->syncing);
	pthread_mutex_lock(&m->lock);
	at = m->file.at;
	pthread_mutex_unlock(&m->lock);
	if (at != m->synced) {
		rc = map_file_sync(&m->file, at, err);
		if (rc == 0)
			m->synced = at;
	}
	pthread_mutex_unlock(&m->syncing);
	return rc;
}

/* ---- adding ---------------------------------------------------------------------------- */

int guard_map_begin(struct guard_map *m, struct ai_err *err)
{
	pthread_mutex_lock(&m->lock);
	wipe(&m->fresh);
	if (!m->has_file || refresh(m, true, err) == 0)
		return 0;
	pthread_mutex_unlock(&m->lock);
	return -1;
}

uint32_t guard_map_add(struct guard_map *m, const char *label,
		       struct ai_span value, struct ai_err *err)
{
	char body[PLACEHOLDER_BODY + 1];
	struct label *l;
	uint32_t n = (uint32_t)get(m, name_of(m, label, value));

	if (n != 0)
		return n;
	l = label_of(m, label, err);
	if (l == NULL)
		return 0;
	n = l->last;
	do {
		if (n >= PLACEHOLDER_N) {
			ai_err_set(err, AI_E_TOO_LONG, "no number is left for "
				   "'%s'; begin a new map", label);
			return 0;
		}
		body_of(label, ++n, body);
	} while (get(m, name_of_body(m, body)) != 0);
	if (know_value(m, label, n, value, err) < 0)
		return 0;
	if (m->has_file) {
		put_fact(&m->fresh, FACT_VALUE, label, n, value.n);
		put_number(&m->fresh, (uint32_t)value.n);
		ai_buf_add(&m->fresh, value.p, value.n);
	}
	return n;
}

enum guard_map_state guard_map_take(struct guard_map *m, const char *body,
				    struct ai_err *err)
{
	struct ai_short name = name_of_body(m, body);
	char label[PLACEHOLDER_LABEL + 1] = "";
	const char *last = strrchr(body, '_');
	int64_t n;

	if (get(m, name) != 0)
		return get(m, name) == IS_TAKEN ? GUARD_MAP_TAKEN
						: GUARD_MAP_VALUE;
	if (last == NULL || last - body > PLACEHOLDER_LABEL ||
	    ai_parse_i64(ai_span_of(last + 1), &n) < 0) {
		ai_err_set(err, AI_E_BUG, "'%s' is no placeholder", body);
		return GUARD_MAP_FREE;
	}
	if (put(m, name, IS_TAKEN, err) < 0)
		return GUARD_MAP_FREE;
	memcpy(label, body, (size_t)(last - body));
	if (m->has_file)
		put_fact(&m->fresh, FACT_TAKEN, label, (uint32_t)n, 0);
	return GUARD_MAP_TAKEN;
}

int guard_map_end(struct guard_map *m, struct ai_err *err)
{
	int rc = 0;

	if (m->has_file) {
		if (m->fresh.len > 0)
			rc = write_fresh(m, err);
		map_file_unlock(&m->file);
	}
	wipe(&m->fresh);
	pthread_mutex_unlock(&m->lock);
	/* What has a number here has none there. */
	if (rc < 0)
		err->code = AI_E_IO;
	return rc;
}
