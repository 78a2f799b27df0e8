/*
 * A fitted model, read where it is mapped.  Nothing of it is believed: what is
 * used is within the file, whatever its numbers say, and the block it is in
 * has the sum that the header vouches for.
 */
#include "text/analyze.h"
#include "text/fit-file.h"
#include "text/fit-int.h"
#include "text/ln.h"
#include "text/vector.h"
#include "crypt/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* No scale is larger; with it no sum overflows. */
#define SCALE_MAX 1e9f
#define NOTHING UINT32_MAX
#define SEEN_BITS 13
#define SEEN_MAX 27 /* bytes of a word that is kept */
/* Once so many terms are counted, unknown ones make room. */
#define PLACES ((size_t)1 << 16)

struct ai_fitted {
	const unsigned char *p;
	size_t n;
	bool mapped;
	uint64_t serial;        /* of this process; from 1 */
	struct ai_fit_header h; /* as the machine has it */
	struct ai_fit_layout l;
	const struct ai_analyzer *analyzer;
	float unknown;          /* what a word weighs that it does not know */
	float share[3];         /* square roots of the parts' shares */
	char id[AI_HASH_HEX];
	_Atomic uint64_t *good; /* a bit a block whose sum was compared */
};

/* ---- opening ------------------------------------------------------------ */

static void header_from_file(struct ai_fit_header *h, const void *p)
{
	memcpy(h, p, sizeof *h);
	h->version = le32toh(h->version);
	h->mark = le32toh(h->mark);
	h->file_len = le64toh(h->file_len);
	h->texts = le64toh(h->texts);
	h->terms = le32toh(h->terms);
	h->topics = le32toh(h->topics);
	h->words = le32toh(h->words);
	h->hash = le32toh(h->hash);
	h->slot_bits = le32toh(h->slot_bits);
	h->blob_len = le32toh(h->blob_len);
	for (int i = 0; i < 3; i++)
		h->share[i] = le32toh(h->share[i]);
}

static bool sizes_fit(const struct ai_fit_header *h)
{
	return h->terms >= 1 && h->terms <= AI_FIT_TERMS_MAX &&
	       h->topics <= AI_FIT_PART_MAX && h->words <= AI_FIT_PART_MAX &&
	       h->topics + h->words >= 1 &&
	       h->hash <= AI_FIT_PART_MAX &&
	       h->slot_bits >= 1 && h->slot_bits <= 21 &&
	       h->share[0] <= 65536 && h->share[1] <= 65536 &&
	       h->share[2] <= 65536 &&
	       memchr(h->analyzer, '\0', sizeof h->analyzer) != NULL;
}

static bool sealed(const struct ai_fitted *m)
{
	struct ai_fit_header h;
	struct ai_hash state;
	char seal[AI_HASH_HEX];

	memcpy(&h, m->p, sizeof h);
	memset(h.seal, 0, sizeof h.seal);
	ai_hash_init(&state);
	ai_hash_add(&state, &h, sizeof h);
	ai_hash_add(&state, m->p + m->l.sums, m->l.slots - m->l.sums);
	ai_hash_hex(&state, seal);
	return memcmp(seal, m->h.seal, sizeof m->h.seal) == 0;
}

/* What is wrong with it, or NULL. */
static const char *check(struct ai_fitted *m)
{
	if (m->n < sizeof m->h || !ai_fitted_magic(m->p, m->n))
		return "it is no embedding model of ai-embed fit";
	header_from_file(&m->h, m->p);
	if (m->h.mark != AI_FIT_MARK || m->h.version != AI_FIT_VERSION)
		return "it was made for another version of aiutils";
	if (!sizes_fit(&m->h))
		return "its header makes no sense";
	ai_fit_layout(&m->h, &m->l);
	if (m->n != m->h.file_len || m->n != m->l.end)
		return "its length is wrong";
	if (!sealed(m))
		return "its header is damaged";
	m->analyzer = ai_analyzer_find(m->h.analyzer);
	if (m->analyzer == NULL)
		return "its language is not known";
	return NULL;
}

int ai_fitted_of(struct ai_fitted **out, const void *p, size_t n,
		 struct ai_err *err)
{
	static _Atomic uint64_t opened;
	struct ai_fitted *m = calloc(1, sizeof *m);
	const char *wrong;

	if (m == NULL)
		return ai_err_nomem(err);
	m->p = p;
	m->n = n;
	m->serial = atomic_fetch_add(&opened, 1) + 1;
	wrong = check(m);
	if (wrong != NULL) {
		free(m);
		return ai_err_set(err, AI_E_DATA, "the model is unusable: %s",
				  wrong);
	}
	m->good = calloc(m->l.blocks / 64 + 1, sizeof *m->good);
	if (m->good == NULL) {
		free(m);
		return ai_err_nomem(err);
	}
	for (int i = 0; i < 3; i++)
		m->share[i] = sqrtf((float)m->h.share[i] / 65536);
	/* As if four of the texts had it. */
	m->unknown = m->h.texts > 4 ? (float)ai_ln((double)m->h.texts / 4) : 1;
	memcpy(m->id, m->h.seal, sizeof m->h.seal);
	*out = m;
	return 0;
}

int ai_fitted_open(struct ai_fitted **m, const char *path, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	struct ai_err why;
	void *p;

	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				  path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return ai_err_set(err, AI_E_DATA, "'%s' is no embedding model",
				  path);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot map '%s'",
				  path);
	if (ai_fitted_of(m, p, (size_t)st.st_size, &why) < 0) {
		munmap(p, (size_t)st.st_size);
		return ai_err_set(err, why.code, "'%.200s': %s", path, why.msg);
	}
	(*m)->mapped = true;
	return 0;
}

void ai_fitted_free(struct ai_fitted *m)
{
	if (m == NULL)
		return;
	if (m->mapped)
		munmap((void *)(uintptr_t)m->p, m->n);
	free((void *)m->good);
	free(m);
}

size_t ai_fitted_dim(const struct ai_fitted *m)
{
	return m->h.topics + m->h.words + m->h.hash;
}

uint64_t ai_fitted_texts(const struct ai_fitted *m)
{
	return m->h.texts;
}

size_t ai_fitted_terms(const struct ai_fitted *m)
{
	return m->h.terms;
}

const char *ai_fitted_id(const struct ai_fitted *m)
{
	return m->id;
}

bool ai_fitted_magic(const void *p, size_t n)
{
	return n >= sizeof AI_FIT_MAGIC - 1 &&
	       memcmp(p, AI_FIT_MAGIC, sizeof AI_FIT_MAGIC - 1) == 0;
}

/* ---- reading ------------------------------------------------------------ */

static bool block_good(const struct ai_fitted *m, uint64_t block)
{
	uint64_t from = m->l.slots + block * AI_FIT_BLOCK, n, sum;

	n = m->l.end - from < AI_FIT_BLOCK ? m->l.end - from : AI_FIT_BLOCK;
	memcpy(&sum, m->p + m->l.sums + block * 8, sizeof sum);
	return le64toh(sum) == ai_fit_sum(m->p + from, n);
}

/* n > 0 bytes of the file from at on, which are within it; NULL: damaged. */
static inline const unsigned char *bytes(const struct ai_fitted *m,
					 uint64_t at, uint64_t n)
{
	uint64_t k = (at - m->l.slots) / AI_FIT_BLOCK;
	uint64_t last = (at + n - 1 - m->l.slots) / AI_FIT_BLOCK;

	for (; k <= last; k++) {
		uint64_t bit = UINT64_C(1) << k % 64;

		if (atomic_load_explicit(&m->good[k / 64],
					 memory_order_relaxed) & bit)
			continue;
		if (!block_good(m, k))
			return NULL;
		atomic_fetch_or_explicit(&m->good[k / 64], bit,
					 memory_order_relaxed);
	}
	return m->p + at;
}

static int damaged(struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "the embedding model is damaged");
}

int ai_fitted_verify(const struct ai_fitted *m, struct ai_err *err)
{
	if (!sealed(m))
		return damaged(err);
	for (uint64_t k = 0; k < m->l.blocks; k++)
		if (!block_good(m, k))
			return ai_err_set(err, AI_E_DATA, "the embedding model "
					  "is damaged at byte %llu",
					  (unsigned long long)
					  (m->l.slots + k * AI_FIT_BLOCK));
	return 0;
}

static inline uint32_t load32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

/* Whether term id has these bytes: 1 or 0; -1: damaged. */
static int is_term(const struct ai_fitted *m, uint32_t id, struct ai_span s)
{
	const unsigned char *p = bytes(m, m->l.at + id * (uint64_t)4, 8);
	uint32_t from, to;

	if (p == NULL)
		return -1;
	from = load32(p);
	to = load32(p + 4);
	if (from >= to || to > m->h.blob_len)
		return -1;
	if (to - from != s.n)
		return 0;
	p = bytes(m, m->l.blob + from, s.n);
	return p == NULL ? -1 : memcmp(p, s.p, s.n) == 0;
}

/* The term's number, at most terms - 1; or terms: unknown.  -1: damaged. */
static int find(const struct ai_fitted *m, struct ai_span s, uint64_t hash,
		uint32_t *id)
{
	uint32_t mask = (UINT32_C(1) << m->h.slot_bits) - 1, slot;
	uint32_t i = (uint32_t)hash, k;
	const unsigned char *p;
	int is;

	*id = m->h.terms;
	for (k = 0; k < AI_FIT_PROBES; k++, i++) {
		p = bytes(m, m->l.slots + (i & mask) * (uint64_t)4, 4);
		if (p == NULL)
			return -1;
		slot = load32(p);
		if (slot == 0)
			return 0;
		if (slot > m->h.terms)
			return -1;
		is = is_term(m, slot - 1, s);
		if (is < 0)
			return -1;
		if (is > 0) {
			*id = slot - 1;
			return 0;
		}
	}
	return 0;
}

/* ---- the terms of a text ------------------------------------------------ */

/* A term of the text, so many times. */
struct found {
	uint64_t hash; /* of its bytes */
	uint32_t id;   /* terms: unknown */
	uint32_t count;
};

/* A word that was seen before, and its term: few words make most of a text. */
struct seen {
	uint64_t hash; /* of the term */
	uint32_t id;   /* NOTHING: it is no term that counts */
	unsigned char n; /* 0: free */
	char word[SEEN_MAX];
};

/* What ai_fitted_work holds. */
struct work {
	struct found *v;
	size_t n, cap;
	uint32_t *places; /* while a text is read, a hash table: number in v +
			   * 1; 2 * cap of them */
	uint64_t model;   /* whose words these are */
	bool used;        /* before this text */
	struct seen *seen; /* once it pays; NULL */
};

void ai_fitted_work_release(struct ai_fitted_work *w)
{
	struct work *k = w->p;

	if (k == NULL)
		return;
	free(k->seen);
	free(k->places);
	free(k->v);
	free(k);
	*w = (struct ai_fitted_work){ 0 };
}

static struct work *work_of(const struct ai_fitted *m,
			    struct ai_fitted_work *w)
{
	struct work *k = w->p;

	if (k == NULL)
		w->p = k = calloc(1, sizeof *k);
	if (k == NULL)
		return NULL;
	if (k->used && k->seen == NULL)
		k->seen = calloc((size_t)1 << SEEN_BITS, sizeof *k->seen);
	else if (k->seen != NULL && k->model != m->serial)
		memset(k->seen, 0, ((size_t)1 << SEEN_BITS) * sizeof *k->seen);
	k->model = m->serial;
	k->used = true;
	return k;
}

static int look_up(const struct ai_fitted *m, struct ai_fold *word,
		   struct found *f)
{
	if (!ai_fit_term(word, m->analyzer)) {
		f->id = NOTHING;
		return 0;
	}
	f->hash = ai_fit_sum(word->word, word->n);
	return find(m, (struct ai_span){ word->word, word->n }, f->hash,
		    &f->id);
}

/* The term that comes of a word; -1: damaged. */
static int term_of(const struct ai_fitted *m, struct work *k,
		   struct ai_fold *word, struct found *f)
{
	struct seen *s, own;

	*f = (struct found){ .count = 1 };
	if (k->seen == NULL || word->kind != AI_FOLD_WORD ||
	    word->n > SEEN_MAX)
		return look_up(m, word, f);
	s = &k->seen[ai_fit_sum(word->word, word->n) >> (64 - SEEN_BITS)];
	if (s->n == word->n && memcmp(s->word, word->word, s->n) == 0) {
		f->hash = s->hash;
		f->id = s->id;
		return 0;
	}
	own.n = (unsigned char)word->n;
	memcpy(own.word, word->word, word->n);
	if (look_up(m, word, f) < 0)
		return -1;
	own.hash = f->hash;
	own.id = f->id;
	*s = own;
	return 0;
}

/* Where it stands in the table, or where it belongs. */
static uint32_t *place_of(const struct ai_fitted *m, const struct work *k,
			  const struct found *f)
{
	size_t mask = 2 * k->cap - 1;
	size_t i = f->id == m->h.terms ? (size_t)(f->hash >> 32)
				       : f->id * UINT32_C(2654435761) >> 8;
	const struct found *e;

	for (;; i++) {
		uint32_t *at = &k->places[i & mask];

		if (*at == 0)
			return at;
		e = &k->v[*at - 1];
		if (e->id == f->id && (f->id < m->h.terms || e->hash == f->hash))
			return at;
	}
}

/* All that is counted, into the table, which is new or zeros. */
static void fill_places(const struct ai_fitted *m, struct work *k)
{
	for (size_t i = 0; i < k->n; i++)
		*place_of(m, k, &k->v[i]) = (uint32_t)i + 1;
}

/* Zeros again. */
static void clear_places(const struct ai_fitted *m, struct work *k)
{
	/* A short text after a long one: one by one, the last one first, so that
	 * each is still found. */
	if (k->n < k->cap / 8)
		for (size_t i = k->n; i > 0; i--)
			*place_of(m, k, &k->v[i - 1]) = 0;
	else if (k->places != NULL)
		memset(k->places, 0, 2 * k->cap * sizeof *k->places);
}

static bool is_before(const struct found *a, const struct found *b)
{
	return a->id != b->id ? a->id < b->id : a->hash < b->hash;
}

/* By their numbers, so that the order of words does not matter; Shell's. */
static void sort(struct found *v, size_t n)
{
	static const size_t gaps[] = { 22927, 8929, 3905, 1750, 701, 301, 132,
				       57, 23, 10, 4, 1 };
	struct found x;
	size_t i, k;

	for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
		for (i = gaps[g]; i < n; i++) {
			x = v[i];
			for (k = i; k >= gaps[g] &&
				    is_before(&x, &v[k - gaps[g]]);
			     k -= gaps[g])
				v[k] = v[k - gaps[g]];
			v[k] = x;
		}
}

/* ---- embedding ---------------------------------------------------------- */

/* out += w * row, a column's sum in the order of the terms. */
#define ADD_ROW(name, attribute)                                               \
	attribute static void name(float *out, const unsigned char *row,       \
				   size_t n, float w)                          \
	{                                                                      \
		size_t i;                                                      \
									       \
		for (i = 0; i + 8 <= n; i += 8)                                \
			*(run_t *)(out + i) += w * __builtin_convertvector(    \
				*(const small_t *)(row + i), run_t);           \
		for (; i < n; i++)                                             \
			out[i] += w * (float)(int8_t)row[i];                   \
	}
typedef int8_t small_t __attribute__((vector_size(8), aligned(1), may_alias));
typedef float run_t __attribute__((vector_size(32), aligned(4), may_alias));

ADD_ROW(add_row_plain, )
#ifdef __x86_64__
ADD_ROW(add_row_avx2, __attribute__((target("avx2"))))
#endif

static void add_row(float *out, const unsigned char *row, size_t n, float w)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		add_row_avx2(out, row, n, w);
		return;
	}
#endif
	add_row_plain(out, row, n, w);
}

/* Feature hashing (Weinberger et al., ICML 2009). */
static void add_hash(const struct ai_fitted *m, uint64_t hash, float w,
		     float *out)
{
	if (m->h.hash > 0)
		out[hash % m->h.hash] += hash >> 63 ? -w : w;
}

static float often(uint32_t count)
{
	return count == 1 ? 1 : (float)(1 + ai_ln(count));
}

static void add_unknown(const struct ai_fitted *m, const struct found *f,
			float *out)
{
	add_hash(m, f->hash, m->unknown * often(f->count), out);
}

/* Those that the model does not know go into the hash, and are gone. */
static void hash_unknown(const struct ai_fitted *m, struct work *k, float *out)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		const struct found *f = &k->v[i];

		if (f->id == m->h.terms)
			add_unknown(m, f, out);
		else
			k->v[n++] = *f;
	}
	k->n = n;
}

/*
 * Room for one more.  What is counted is at most what the model knows: many
 * different unknown words are hashed in several goes.
 */
static int make_room(const struct ai_fitted *m, struct work *k, float *out,
		     struct ai_err *err)
{
	size_t cap = k->cap == 0 ? 256 : k->cap * 2;
	struct found *more;
	uint32_t *places;

	if (k->cap >= PLACES) {
		hash_unknown(m, k, out);
		if (k->n <= k->cap / 2)
			cap = k->cap;
	}
	more = reallocarray(k->v, cap, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(err);
	k->v = more;
	places = calloc(2 * cap, sizeof *places);
	if (places == NULL)
		return ai_err_nomem(err);
	free(k->places);
	k->places = places;
	k->cap = cap;
	fill_places(m, k);
	return 0;
}

/* Counts a term. */
static int count(const struct ai_fitted *m, struct work *k,
		 const struct found *f, float *out, struct ai_err *err)
{
	uint32_t *at;

	if (k->n == k->cap && make_room(m, k, out, err) < 0)
		return -1;
	at = place_of(m, k, f);
	if (*at != 0) {
		k->v[*at - 1].count++;
		return 0;
	}
	k->v[k->n++] = *f;
	*at = (uint32_t)k->n;
	return 0;
}

/* The terms of the text, counted; out is the hash part. */
static int count_all(const struct ai_fitted *m, struct work *k,
		    struct ai_span text, float *out, struct ai_err *err)
{
	struct ai_fold words;
	struct found f;

	ai_fold_init(&words, text.p, text.n);
	words.accents = m->analyzer->accents;
	while (ai_fold_next(&words)) {
		if (term_of(m, k, &words, &f) < 0)
			return damaged(err);
		if (f.id == NOTHING || (f.id == m->h.terms && m->h.hash == 0))
			continue;
		if (count(m, k, &f, out, err) < 0)
			return -1;
	}
	return 0;
}

/* The same, sorted. */
static int find_all(const struct ai_fitted *m, struct work *k,
		    struct ai_span text, float *out, struct ai_err *err)
{
	int rc;

	k->n = 0;
	rc = count_all(m, k, text, out, err);
	clear_places(m, k);
	sort(k->v, k->n);
	return rc;
}

static float scale_at(const unsigned char *p)
{
	uint32_t bits = load32(p);
	float v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

/* A term that the model knows. */
static int add_term(const struct ai_fitted *m, const struct found *f,
		    float *out)
{
	size_t width = m->h.topics + m->h.words;
	const unsigned char *p;
	float w[3];

	p = bytes(m, m->l.scales + f->id * (uint64_t)AI_FIT_SCALES,
		  AI_FIT_SCALES);
	if (p == NULL)
		return -1;
	for (int i = 0; i < 3; i++) {
		w[i] = scale_at(p + i * 4);
		if (!(w[i] >= 0 && w[i] <= SCALE_MAX))
			return -1;
		w[i] *= often(f->count);
	}
	p = bytes(m, m->l.rows + f->id * (uint64_t)width, width);
	if (p == NULL)
		return -1;
	add_row(out, p, m->h.topics, w[0]);
	add_row(out + m->h.topics, p + m->h.topics, m->h.words, w[1]);
	add_hash(m, f->hash, w[2], out + width);
	return 0;
}

/* The part of length 1, times the root of its share. */
static void finish_part(float *v, size_t n, float share)
{
	ai_vector_normalise(v, n);
	for (size_t i = 0; i < n; i++)
		v[i] *= share;
}

int ai_fitted_embed(const struct ai_fitted *m, struct ai_fitted_work *w,
		    const char *text, size_t n, float *out, size_t *known,
		    struct ai_err *err)
{
	size_t rows = m->h.topics + m->h.words;
	size_t count = 0;
	struct work *k = work_of(m, w);

	if (k == NULL)
		return ai_err_nomem(err);
	memset(out, 0, ai_fitted_dim(m) * sizeof *out);
	if (find_all(m, k, (struct ai_span){ text, n }, out + rows, err) < 0)
		return -1;
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].id == m->h.terms)
			add_unknown(m, &k->v[i], out + rows);
		else if (add_term(m, &k->v[i], out) < 0)
			return damaged(err);
		else
			count++;
	finish_part(out, m->h.topics, m->share[0]);
	finish_part(out + m->h.topics, m->h.words, m->share[1]);
	finish_part(out + rows, m->h.hash, m->share[2]);
	/* A part may be zeros. */
	ai_vector_normalise(out, ai_fitted_dim(m));
	if (known != NULL)
		*known = count;
	return 0;
}
