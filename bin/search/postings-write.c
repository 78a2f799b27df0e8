/* postings-write.c: a file of postings, term by term. */
#include "base/buf.h"
#include "base/temp.h"
#include "crypt/hash.h"
#include "postings-int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_BYTES 65536
#define SPOOL_BYTES ((size_t)1 << 20)
#define ALIGN 64
#define DICTIONARY_MAX ((size_t)0xFFFFFFF0u)

struct words_writer {
	struct words_plan plan;
	int fd, spool; /* spool: the positions, until the postings are there */
	bool made, ended;
	struct words_header h;
	struct words_norm norm;
	enum words_section section;
	crypto_generichash_state hash; /* of the section */
	uint64_t at;                   /* bytes of the file */
	unsigned char out[OUT_BYTES];
	size_t out_n;
	struct ai_buf spots;           /* to be spooled */
	uint64_t spooled;

	/* The dictionary. */
	struct ai_buf terms, group, keys, places;
	unsigned char term[AI_TERM_MAX + 8], before[AI_TERM_MAX + 8];
	size_t term_n, before_n;
	bool open;                     /* there is a term */
	uint64_t postings_from, positions_from, positions_n;

	/* The term's block, and what is known of those before. */
	uint32_t slots[WORDS_BLOCK], tf[WORDS_BLOCK];
	size_t n, df;
	uint16_t block_impact, impact;
	uint32_t last;
	uint64_t data_n;
	struct ai_buf skips, ends, block_spots;
};

/* ---- bytes ------------------------------------------------------------------- */

static int flush(struct words_writer *w, struct ai_err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < w->out_n) {
		n = write(w->fd, w->out + done, w->out_n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ai_err_sys(err, AI_E_IO, n < 0 ? errno : ENOSPC,
					  "cannot write '%s'", w->plan.path);
		done += (size_t)n;
	}
	w->out_n = 0;
	return 0;
}

static int put(struct words_writer *w, const void *data, size_t n,
	       struct ai_err *err)
{
	const unsigned char *p = data;
	size_t part;

	crypto_generichash_update(&w->hash, p, n);
	w->at += n;
	for (; n > 0; p += part, n -= part) {
		if (w->out_n == sizeof(w->out) && flush(w, err) < 0)
			return -1;
		part = sizeof(w->out) - w->out_n;
		part = n < part ? n : part;
		memcpy(w->out + w->out_n, p, part);
		w->out_n += part;
	}
	return 0;
}

static int section_begin(struct words_writer *w, enum words_section s,
			 struct ai_err *err)
{
	static const unsigned char zeros[ALIGN];

	if (w->at % ALIGN != 0 &&
	    put(w, zeros, ALIGN - (size_t)(w->at % ALIGN), err) < 0)
		return -1;
	crypto_generichash_init(&w->hash, NULL, 0, WORDS_HASH);
	w->section = s;
	w->h.section[s].at = w->at;
	return 0;
}

static void section_end(struct words_writer *w)
{
	enum words_section s = w->section;

	crypto_generichash_final(&w->hash, w->h.section[s].hash, WORDS_HASH);
	w->h.section[s].n = w->at - w->h.section[s].at;
}

static int section_put(struct words_writer *w, enum words_section s,
		       const void *p, size_t n, struct ai_err *err)
{
	if (section_begin(w, s, err) < 0 || put(w, p, n, err) < 0)
		return -1;
	section_end(w);
	return 0;
}

static int spool_out(struct words_writer *w, struct ai_err *err)
{
	if (w->spool < 0 && ai_temp_open(&w->spool, err) < 0)
		return -1;
	if (ai_temp_write(w->spool, w->spots.p, w->spots.len, err) < 0)
		return -1;
	w->spooled += w->spots.len;
	ai_buf_clear(&w->spots);
	return 0;
}

static int spool_back(struct words_writer *w, struct ai_err *err)
{
	char *piece;
	uint64_t at = 0;
	ssize_t n = 1;
	int rc = 0;

	if (w->spooled == 0)
		return put(w, ai_buf_cstr(&w->spots), w->spots.len, err);
	piece = malloc(SPOOL_BYTES);
	if (piece == NULL)
		return ai_err_nomem(err);
	while (rc == 0 && n > 0 && at < w->spooled) {
		n = pread(w->spool, piece, SPOOL_BYTES, (off_t)at);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n <= 0)
			rc = ai_err_sys(err, AI_E_IO, n < 0 ? errno : EIO,
					"cannot read a temporary file");
		else
			rc = put(w, piece, (size_t)n, err);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(piece);
	return rc < 0 ? -1
		      : put(w, ai_buf_cstr(&w->spots), w->spots.len, err);
}

/* ---- begin ---------------------------------------------------------------------- */

static void init_buffers(struct words_writer *w)
{
	struct ai_buf *const all[] = { &w->terms, &w->group, &w->keys,
				       &w->places, &w->skips, &w->ends,
				       &w->block_spots, &w->spots };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ai_buf_init(all[i], DICTIONARY_MAX);
}

static int create(struct words_writer *w, struct ai_err *err)
{
	static const unsigned char zeros[sizeof(struct words_header)];

	w->fd = open(w->plan.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (w->fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%s'",
				  w->plan.path);
	w->made = true;
	crypto_generichash_init(&w->hash, NULL, 0, WORDS_HASH);
	if (put(w, zeros, sizeof(zeros), err) < 0)
		return -1;
	return section_begin(w, WORDS_POSTINGS, err);
}

struct words_writer *words_writer_new(const struct words_plan *plan,
				      struct ai_err *err)
{
	struct words_writer *w = calloc(1, sizeof(*w));
	struct words_header *h;
	size_t i;

	if (w == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	w->plan = *plan;
	w->fd = w->spool = -1;
	init_buffers(w);
	h = &w->h;
	memcpy(h->magic, WORDS_MAGIC, sizeof(h->magic));
	h->version = WORDS_VERSION;
	h->order = WORDS_ORDER;
	h->from = (uint64_t)plan->from;
	h->to = (uint64_t)plan->to;
	h->count = plan->count;
	memcpy(h->analyzer, plan->analyzer,
	       strnlen(plan->analyzer, sizeof(h->analyzer) - 1));
	h->width = 2;
	for (i = 0; i < plan->count; i++) {
		h->tokens += plan->lengths[i];
		if (plan->lengths[i] > UINT16_MAX)
			h->width = 4;
	}
	h->average = plan->count > 0 ? (double)h->tokens / (double)plan->count
				     : 0;
	w->norm = words_norm(h->average);
	if (create(w, err) < 0) {
		words_writer_free(w);
		return NULL;
	}
	return w;
}

/* ---- a term's blocks ---------------------------------------------------------------- */

/* As varints; the gap of the first is counted from last, or from -1. */
static unsigned char *put_tail(const struct words_writer *w, bool first,
			       unsigned char *p)
{
	uint32_t before = first ? UINT32_MAX : w->last;
	size_t i;

	for (i = 0; i < w->n; i++) {
		p = words_put(p, w->slots[i] - before - 1);
		p = words_put(p, w->tf[i] - 1);
		before = w->slots[i];
	}
	return p;
}

static unsigned char *put_packed(const struct words_writer *w, bool first,
				 struct words_skip *s, unsigned char *p)
{
	uint32_t gaps[WORDS_BLOCK], tf[WORDS_BLOCK];
	uint32_t before = first ? UINT32_MAX : w->last;
	size_t i;

	for (i = 0; i < WORDS_BLOCK; i++) {
		gaps[i] = w->slots[i] - before - 1;
		tf[i] = w->tf[i] - 1;
		before = w->slots[i];
	}
	s->gap_bits = (unsigned char)words_bits(gaps);
	s->tf_bits = (unsigned char)words_bits(tf);
	words_pack(gaps, s->gap_bits, p);
	p += 16u * s->gap_bits;
	words_pack(tf, s->tf_bits, p);
	return p + 16u * s->tf_bits;
}

/* Writes the block; not the only one. */
static int put_block(struct words_writer *w, struct ai_err *err)
{
	unsigned char data[WORDS_BLOCK * 10], *end;
	struct words_skip s = { .impact = w->block_impact };
	struct words_place place;
	bool first = w->skips.len == 0;
	size_t n;

	end = w->n == WORDS_BLOCK ? put_packed(w, first, &s, data)
				  : put_tail(w, first, data);
	n = (size_t)(end - data);
	w->data_n += n;
	w->positions_n += w->block_spots.len;
	if (w->data_n > UINT32_MAX || w->positions_n > UINT32_MAX)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "'%s' would have too many occurrences of "
				  "one word", w->plan.path);
	s.last = w->last = w->slots[w->n - 1];
	s.end = (uint32_t)w->data_n;
	s.check = words_check(data, n);
	ai_buf_add(&w->skips, &s, sizeof(s));
	place.end = (uint32_t)w->positions_n;
	place.check = words_check(ai_buf_cstr(&w->block_spots),
				  w->block_spots.len);
	ai_buf_add(&w->ends, &place, sizeof(place));
	ai_buf_add(&w->spots, w->block_spots.p, w->block_spots.len);
	ai_buf_clear(&w->block_spots);
	w->n = 0;
	w->block_impact = 0;
	return put(w, data, n, err);
}

int words_writer_add(struct words_writer *w, uint32_t slot, uint32_t tf,
		     const unsigned char *spots, size_t spots_n,
		     struct ai_err *err)
{
	uint16_t impact;

	if (w->n == WORDS_BLOCK && put_block(w, err) < 0)
		return -1;
	w->slots[w->n] = slot;
	w->tf[w->n++] = tf;
	w->df++;
	impact = words_impact(tf, w->plan.lengths[slot], w->norm);
	w->block_impact = impact > w->block_impact ? impact : w->block_impact;
	w->impact = impact > w->impact ? impact : w->impact;
	if (ai_buf_add(&w->block_spots, spots, spots_n) < 0)
		return ai_buf_check(&w->block_spots, "the positions", err);
	if (w->spots.len > SPOOL_BYTES)
		return spool_out(w, err);
	return 0;
}

/* The only block of a term, and its check; positions likewise. */
static int put_only(struct words_writer *w, struct ai_err *err)
{
	unsigned char data[WORDS_BLOCK * 10 + 2], *end;
	uint16_t check;

	end = put_tail(w, true, data);
	check = (uint16_t)words_check(data, (size_t)(end - data));
	memcpy(end, &check, 2);
	w->data_n = (uint64_t)(end - data) + 2;
	check = (uint16_t)words_check(ai_buf_cstr(&w->block_spots),
				      w->block_spots.len);
	ai_buf_add(&w->block_spots, &check, 2);
	ai_buf_add(&w->spots, w->block_spots.p, w->block_spots.len);
	w->positions_n = w->block_spots.len;
	return put(w, data, (size_t)w->data_n, err);
}

static int put_many(struct words_writer *w, struct ai_err *err)
{
	uint32_t check;

	if (put_block(w, err) < 0)
		return -1;
	check = words_check(ai_buf_cstr(&w->skips), w->skips.len);
	ai_buf_add(&w->skips, &check, 4);
	check = words_check(ai_buf_cstr(&w->ends), w->ends.len);
	ai_buf_add(&w->ends, &check, 4);
	ai_buf_add(&w->spots, w->ends.p, w->ends.len);
	w->positions_n += w->ends.len;
	w->data_n += w->skips.len;
	if (ai_buf_check(&w->ends, "a word", err) < 0 ||
	    ai_buf_check(&w->skips, "a word", err) < 0)
		return -1;
	return put(w, w->skips.p, w->skips.len, err);
}

/* ---- the dictionary ---------------------------------------------------------------------- */

static int end_group(struct words_writer *w, struct ai_err *err)
{
	uint32_t check;

	if (w->group.len == 0)
		return 0;
	check = words_check(w->group.p, w->group.len);
	ai_buf_add(&w->terms, &check, 4);
	ai_buf_add(&w->terms, w->group.p, w->group.len);
	ai_buf_clear(&w->group);
	return ai_buf_check(&w->terms, "the dictionary", err);
}

static void begin_group(struct words_writer *w)
{
	uint32_t place = (uint32_t)w->terms.len;
	unsigned char base[20], *p = base;
	uint64_t key = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		key = key << 8 | (i < w->term_n ? w->term[i] : 0);
	ai_buf_add(&w->keys, &key, 8);
	ai_buf_add(&w->places, &place, 4);
	p = words_put(p, w->postings_from);
	p = words_put(p, w->positions_from);
	ai_buf_add(&w->group, base, (size_t)(p - base));
	w->before_n = 0;
}

static void put_entry(struct words_writer *w)
{
	unsigned char entry[40], *p = entry;
	size_t common = 0;

	while (common < w->before_n && common < w->term_n &&
	       w->term[common] == w->before[common])
		common++;
	entry[0] = (unsigned char)common;
	entry[1] = (unsigned char)(w->term_n - common);
	ai_buf_add(&w->group, entry, 2);
	ai_buf_add(&w->group, w->term + common, w->term_n - common);
	memcpy(p, &w->impact, 2);
	p = words_put(p + 2, w->df);
	p = words_put(p, w->data_n);
	p = words_put(p, w->positions_n);
	ai_buf_add(&w->group, entry, (size_t)(p - entry));
	memcpy(w->before, w->term, w->term_n);
	w->before_n = w->term_n;
}

/* The term is complete. A term without postings is none. */
static int end_term(struct words_writer *w, struct ai_err *err)
{
	if (!w->open || w->df == 0)
		return 0;
	if ((w->df <= WORDS_BLOCK ? put_only(w, err) : put_many(w, err)) < 0)
		return -1;
	if (w->h.terms % WORDS_GROUP == 0) {
		if (end_group(w, err) < 0)
			return -1;
		begin_group(w);
	}
	put_entry(w);
	w->h.terms++;
	w->postings_from += w->data_n;
	w->positions_from += w->positions_n;
	return ai_buf_check(&w->spots, "the positions", err);
}

int words_writer_term(struct words_writer *w, struct ai_span term,
		      struct ai_err *err)
{
	if (end_term(w, err) < 0)
		return -1;
	w->open = true;
	w->term_n = term.n < sizeof(w->term) ? term.n : sizeof(w->term);
	memcpy(w->term, term.p, w->term_n);
	w->n = w->df = 0;
	w->impact = w->block_impact = 0;
	w->data_n = w->positions_n = 0;
	ai_buf_clear(&w->skips);
	ai_buf_clear(&w->ends);
	ai_buf_clear(&w->block_spots);
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Whether n is not simply from + slot. */
static bool has_rows(const struct words_writer *w)
{
	return w->plan.count != (size_t)(w->plan.to - w->plan.from);
}

static int put_lengths(struct words_writer *w, struct ai_err *err)
{
	const uint32_t *v = w->plan.lengths;
	unsigned char chunk[WORDS_CHUNK * 4];
	struct ai_buf checks = AI_BUF_INIT(DICTIONARY_MAX);
	size_t i, k, n, width = w->h.width;
	struct ai_span rows = { NULL, 0 };
	uint32_t check;
	int rc = section_begin(w, WORDS_LENGTHS, err);

	for (i = 0; rc == 0 && i < w->plan.count; i += n) {
		n = w->plan.count - i;
		n = n < WORDS_CHUNK ? n : WORDS_CHUNK;
		for (k = 0; k < n; k++) {
			uint16_t two = (uint16_t)v[i + k];

			memcpy(chunk + k * width,
			       width == 2 ? (const void *)&two : &v[i + k],
			       width);
		}
		if (has_rows(w))
			rows = (struct ai_span){
				(const char *)(w->plan.rows + i), n * 4,
			};
		check = words_chunk_check(
			(struct ai_span){ (const char *)chunk, n * width },
			rows);
		ai_buf_add(&checks, &check, 4);
		rc = put(w, chunk, n * width, err);
	}
	section_end(w);
	if (rc == 0)
		rc = ai_buf_check(&checks, "the lengths", err);
	if (rc == 0)
		rc = section_put(w, WORDS_CHECKS, ai_buf_cstr(&checks),
				 checks.len, err);
	ai_buf_release(&checks);
	return rc;
}

static int put_header(struct words_writer *w, struct ai_err *err)
{
	struct words_header *h = &w->h;

	h->bytes = w->at;
	memset(h->hash, 0, sizeof(h->hash));
	crypto_generichash(h->hash, sizeof(h->hash), (const unsigned char *)h,
			   sizeof(*h), NULL, 0);
	if (pwrite(w->fd, h, sizeof(*h), 0) != sizeof(*h) ||
	    fdatasync(w->fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write '%s'",
				  w->plan.path);
	return 0;
}

int words_writer_end(struct words_writer *w, struct ai_err *err)
{
	bool rows = has_rows(w);
	uint32_t place;
	int fd;

	if (end_term(w, err) < 0 || end_group(w, err) < 0)
		return -1;
	section_end(w);
	place = (uint32_t)w->terms.len;
	ai_buf_add(&w->places, &place, 4);
	if (ai_buf_check(&w->keys, "the dictionary", err) < 0 ||
	    ai_buf_check(&w->places, "the dictionary", err) < 0 ||
	    section_begin(w, WORDS_POSITIONS, err) < 0 ||
	    spool_back(w, err) < 0)
		return -1;
	section_end(w);
	if (section_put(w, WORDS_TERMS, ai_buf_cstr(&w->terms), w->terms.len,
			err) < 0 ||
	    section_put(w, WORDS_KEYS, ai_buf_cstr(&w->keys), w->keys.len,
			err) < 0 ||
	    section_put(w, WORDS_PLACES, w->places.p, w->places.len, err) < 0 ||
	    put_lengths(w, err) < 0 ||
	    section_put(w, WORDS_ROWS, rows ? w->plan.rows : NULL,
			rows ? w->plan.count * 4 : 0, err) < 0 ||
	    flush(w, err) < 0 || put_header(w, err) < 0)
		return -1;
	fd = w->fd;
	w->fd = -1;
	if (close(fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write '%s'",
				  w->plan.path);
	w->ended = true;
	return 0;
}

void words_writer_free(struct words_writer *w)
{
	struct ai_buf *const all[] = { &w->terms, &w->group, &w->keys,
				       &w->places, &w->skips, &w->ends,
				       &w->block_spots, &w->spots };
	size_t i;

	if (w->fd >= 0)
		close(w->fd);
	if (w->spool >= 0)
		close(w->spool);
	if (w->made && !w->ended)
		unlink(w->plan.path);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ai_buf_release(all[i]);
	free(w);
}
