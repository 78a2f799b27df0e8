/* codes-file.c: codes-N.idx: its header, opening, checking. */
#include "codes-file.h"

#include "codes-kernel.h"
#include "rotation.h"
#include "text/vector.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "AIcodes1"
#define FORMAT 1
#define MARK 0x01020304u

/* ---- the header -------------------------------------------------------------- */

static unsigned char *put32(unsigned char *p, uint32_t x)
{
	x = htole32(x);
	memcpy(p, &x, sizeof(x));
	return p + sizeof(x);
}

static unsigned char *put64(unsigned char *p, uint64_t x)
{
	x = htole64(x);
	memcpy(p, &x, sizeof(x));
	return p + sizeof(x);
}

static const unsigned char *get32(const unsigned char *p, uint32_t *x)
{
	memcpy(x, p, sizeof(*x));
	*x = le32toh(*x);
	return p + sizeof(*x);
}

static const unsigned char *get64(const unsigned char *p, uint64_t *x)
{
	memcpy(x, p, sizeof(*x));
	*x = le64toh(*x);
	return p + sizeof(*x);
}

void codes_hash_end(struct ai_hash *h, unsigned char out[AI_HASH_BYTES])
{
	char hex[AI_HASH_HEX];

	ai_hash_hex(h, hex);
	(void)ai_unhex(hex, 2 * AI_HASH_BYTES, out);
}

static void hash_of(const void *p, size_t n, unsigned char out[AI_HASH_BYTES])
{
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, p, n);
	codes_hash_end(&h, out);
}

static unsigned char *put_section(unsigned char *p,
				  const struct codes_section *s)
{
	p = put64(p, s->offset);
	p = put64(p, s->bytes);
	memcpy(p, s->hash, sizeof(s->hash));
	return p + sizeof(s->hash);
}

static const unsigned char *get_section(const unsigned char *p,
					struct codes_section *s)
{
	p = get64(p, &s->offset);
	p = get64(p, &s->bytes);
	memcpy(s->hash, p, sizeof(s->hash));
	return p + sizeof(s->hash);
}

void codes_head_put(const struct codes_head *h, unsigned char out[CODES_HEAD])
{
	unsigned char *p = out;
	uint32_t recall;

	memset(out, 0, CODES_HEAD);
	memcpy(p, MAGIC, 8);
	p = put32(put32(p + 8, FORMAT), MARK);
	p = put32(put32(p, h->from), h->to);
	p = put32(put32(p, h->count), h->dim);
	p = put32(put64(p, h->seed), h->bits);
	hash_of(out, 48, out + 48);
	memcpy(&recall, &h->recall, sizeof(recall));
	p = put32(put32(out + 64, h->fitted), h->sample);
	p = put32(put32(p, h->rescored), recall);
	p = put_section(p, &h->mean);
	p = put_section(p, &h->blocks);
	p = put_section(p, &h->table);
	put64(p, h->bytes);
	hash_of(out + 64, 240 - 64, out + 240);
}

static const char *check_facts(const struct codes_head *h)
{
	if (h->dim < 1 || h->dim > AI_VECTOR_DIM_MAX ||
	    h->bits != rotation_bits(h->dim))
		return "its dimension makes no sense";
	if (h->from < 1 || h->to <= h->from || h->count < 1 ||
	    h->count > h->to - h->from ||
	    (h->table.bytes == 0 && h->count != h->to - h->from))
		return "its rows make no sense";
	if (!isnan(h->recall) && !(h->recall >= 0 && h->recall <= 1))
		return "its recall makes no sense";
	return NULL;
}

/* One part lies behind the other, and the last one ends the file. */
static const char *check_places(const struct codes_head *h, uint64_t bytes)
{
	struct codes_head want = *h;

	codes_head_place(&want);
	if (h->bytes != bytes)
		return "it is cut off";
	if (want.bytes != bytes || want.mean.offset != h->mean.offset ||
	    want.mean.bytes != h->mean.bytes ||
	    want.blocks.offset != h->blocks.offset ||
	    want.blocks.bytes != h->blocks.bytes ||
	    want.table.offset != h->table.offset ||
	    want.table.bytes != h->table.bytes)
		return "its parts do not lie where they must";
	return NULL;
}

void codes_head_place(struct codes_head *h)
{
	h->mean.offset = CODES_HEAD;
	h->mean.bytes = (uint64_t)h->dim * 4;
	h->blocks.offset = (CODES_HEAD + h->mean.bytes + CODES_ALIGN - 1) /
			   CODES_ALIGN * CODES_ALIGN;
	h->blocks.bytes = (uint64_t)codes_blocks(h->count) *
			  CODES_BLOCK_BYTES((uint64_t)h->bits);
	h->table.offset = h->blocks.offset + h->blocks.bytes;
	h->table.bytes = h->table.bytes > 0 ? (uint64_t)h->count * 4 : 0;
	h->bytes = h->table.offset + h->table.bytes;
}

const char *codes_head_get(struct codes_head *h, const unsigned char *p,
			   uint64_t bytes)
{
	unsigned char hash[AI_HASH_BYTES];
	const unsigned char *q;
	uint32_t version, mark, recall;
	const char *why;

	if (bytes < CODES_HEAD || memcmp(p, MAGIC, 8) != 0)
		return "it is no file of codes";
	q = get32(get32(p + 8, &version), &mark);
	if (version != FORMAT || mark != MARK)
		return "it is of another version";
	hash_of(p, 48, hash);
	if (memcmp(hash, p + 48, sizeof(hash)) != 0)
		return "its header is not as it was written";
	hash_of(p + 64, 240 - 64, hash);
	if (memcmp(hash, p + 240, sizeof(hash)) != 0)
		return "its header is not as it was written";
	q = get32(get32(q, &h->from), &h->to);
	q = get32(get32(q, &h->count), &h->dim);
	get32(get64(q, &h->seed), &h->bits);
	q = get32(get32(p + 64, &h->fitted), &h->sample);
	q = get32(get32(q, &h->rescored), &recall);
	memcpy(&h->recall, &recall, sizeof(recall));
	q = get_section(q, &h->mean);
	q = get_section(q, &h->blocks);
	q = get_section(q, &h->table);
	get64(q, &h->bytes);
	why = check_facts(h);
	return why != NULL ? why : check_places(h, bytes);
}

/* ---- opening ----------------------------------------------------------------- */

static int damaged(const char *path, const char *why, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "%.200s is damaged: %s", path, why);
}

static int map_file(struct search_codes *c, int fd, struct ai_err *err)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot read '%s'",
				  c->path);
	if (!S_ISREG(st.st_mode))
		return ai_err_set(err, AI_E_OPEN, "'%s' is no regular file",
				  c->path);
	if (st.st_size < CODES_HEAD)
		return damaged(c->path, "it is no file of codes", err);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ai_err_sys(err, AI_E_OS, errno, "cannot map '%s'",
				  c->path);
	c->map = map;
	c->bytes = (uint64_t)st.st_size;
	return 0;
}

/* A copy of the mean, once its checksum is right. */
static int read_mean(struct search_codes *c, const struct codes_section *s,
		     struct ai_err *err)
{
	unsigned char hash[AI_HASH_BYTES];
	float *mean = malloc(c->dim * sizeof(*mean));
	uint32_t bits;

	if (mean == NULL)
		return ai_err_nomem(err);
	c->mean = mean;
	hash_of(c->map + s->offset, (size_t)s->bytes, hash);
	if (memcmp(hash, s->hash, sizeof(hash)) != 0)
		return damaged(c->path, "its mean is not as it was written",
			       err);
	for (uint64_t i = s->offset + s->bytes; i % CODES_ALIGN != 0; i++)
		if (c->map[i] != 0)
			return damaged(c->path, "there is something between "
				       "its parts", err);
	for (size_t i = 0; i < c->dim; i++) {
		get32(c->map + s->offset + 4 * i, &bits);
		memcpy(mean + i, &bits, sizeof(bits));
		if (!(fabsf(mean[i]) <= 2))
			return damaged(c->path, "its mean makes no sense", err);
	}
	return 0;
}

static int read_head(struct search_codes *c, struct ai_err *err)
{
	struct codes_head h;
	const char *why = codes_head_get(&h, c->map, c->bytes);

	if (why != NULL)
		return damaged(c->path, why, err);
	c->from = h.from;
	c->to = h.to;
	c->count = h.count;
	c->dim = h.dim;
	c->bits = h.bits;
	c->seed = h.seed;
	c->recall = h.recall;
	c->sample = h.sample;
	c->rescored = h.rescored;
	c->fitted = h.fitted;
	c->blocks = c->map + h.blocks.offset;
	c->rows = h.table.bytes > 0 ? c->map + h.table.offset : NULL;
	return read_mean(c, &h.mean, err);
}

int search_codes_open(struct search_codes *c, const char *path,
		      struct ai_err *err)
{
	int fd, rc;

	*c = (struct search_codes){ .path = strdup(path) };
	if (c->path == NULL)
		return ai_err_nomem(err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	rc = fd < 0 ? ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				 path) : map_file(c, fd, err);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		rc = read_head(c, err);
	if (rc < 0)
		search_codes_close(c);
	return rc;
}

void search_codes_close(struct search_codes *c)
{
	if (c->map != NULL)
		munmap((void *)(uintptr_t)c->map, (size_t)c->bytes);
	free((void *)(uintptr_t)c->mean);
	free(c->path);
	*c = (struct search_codes){ 0 };
}

int64_t codes_row(const struct search_codes *c, int64_t slot)
{
	uint32_t off;

	if (c->rows == NULL)
		return c->from + slot;
	get32(c->rows + 4 * slot, &off);
	return (int64_t)off < c->to - c->from ? c->from + off : -1;
}

int codes_damaged(const struct search_codes *c, int64_t slot,
		  struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "%.200s is damaged: its codes of "
			  "slot %lld on are not as they were written", c->path,
			  (long long)slot);
}

/* ---- checking ---------------------------------------------------------------- */

static int check_section(const struct search_codes *c,
			 const struct codes_section *s, const char *why,
			 struct ai_err *err)
{
	unsigned char hash[AI_HASH_BYTES];

	hash_of(c->map + s->offset, (size_t)s->bytes, hash);
	if (memcmp(hash, s->hash, sizeof(hash)) != 0)
		return damaged(c->path, why, err);
	return 0;
}

int search_codes_verify(const struct search_codes *c, struct ai_err *err)
{
	struct codes_head h;
	const char *why = codes_head_get(&h, c->map, c->bytes);
	int64_t last = 0, n;

	if (why != NULL)
		return damaged(c->path, why, err);
	if (check_section(c, &h.mean, "its mean is not as it was written",
			  err) < 0 ||
	    check_section(c, &h.blocks, "its codes are not as they were "
			  "written", err) < 0)
		return -1;
	if (c->rows != NULL &&
	    check_section(c, &h.table, "its rows are not as they were written",
			  err) < 0)
		return -1;
	for (int64_t slot = 0; slot < c->count; slot++) {
		n = codes_row(c, slot);
		if (n <= last)
			return damaged(c->path, "its rows are in no order",
				       err);
		last = n;
	}
	return 0;
}
