/* The file of a model, made in memory and written at once. */
#include "text/fit-file.h"
#include "text/fit-int.h"

#include "crypt/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put32(unsigned char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static void put_float(unsigned char *p, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	put32(p, bits);
}

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static struct ai_fit_header make_header(const struct ai_fit *f)
{
	struct ai_fit_header h = {
		.magic = AI_FIT_MAGIC, .version = AI_FIT_VERSION,
		.mark = AI_FIT_MARK, .texts = f->texts, .terms = f->n,
		.topics = f->o.topics, .words = f->o.words, .hash = f->o.hash,
	};
	const uint32_t parts[3] = { h.topics, h.words, h.hash };
	uint32_t used = (parts[0] > 0) + (parts[1] > 0) + (parts[2] > 0);

	while ((UINT32_C(1) << h.slot_bits) < h.terms * 2)
		h.slot_bits++;
	for (uint32_t i = 0; i < f->n; i++)
		h.blob_len += f->terms[f->order[i]].n;
	for (int i = 0; i < 3; i++)
		h.share[i] = parts[i] > 0 ? 65536 / used : 0;
	snprintf(h.analyzer, sizeof h.analyzer, "%s", f->analyzer->name);
	return h;
}

/* In the order of the file: the same on every machine. */
static void header_to_file(struct ai_fit_header *h)
{
	h->version = htole32(h->version);
	h->mark = htole32(h->mark);
	h->file_len = htole64(h->file_len);
	h->texts = htole64(h->texts);
	h->terms = htole32(h->terms);
	h->topics = htole32(h->topics);
	h->words = htole32(h->words);
	h->hash = htole32(h->hash);
	h->slot_bits = htole32(h->slot_bits);
	h->blob_len = htole32(h->blob_len);
	for (int i = 0; i < 3; i++)
		h->share[i] = htole32(h->share[i]);
}

static void put_slot(unsigned char *slots, uint32_t mask, struct ai_span term,
		     uint32_t id)
{
	uint32_t i = (uint32_t)ai_fit_sum(term.p, term.n), k;

	for (k = 0; k < AI_FIT_PROBES; k++, i++) {
		if (get32(slots + (i & mask) * (size_t)4) == 0) {
			put32(slots + (i & mask) * (size_t)4, id + 1);
			return;
		}
	}
}

static void put_terms(const struct ai_fit *f, unsigned char *file,
		      const struct ai_fit_header *h,
		      const struct ai_fit_layout *l)
{
	uint32_t mask = (UINT32_C(1) << h->slot_bits) - 1, at = 0, i;
	unsigned char *scales;

	for (i = 0; i < f->n; i++) {
		const struct ai_fit_term *t = &f->terms[f->order[i]];
		struct ai_span s = { f->bytes + t->at, t->n };

		put32(file + l->at + i * (uint64_t)4, at);
		memcpy(file + l->blob + at, s.p, s.n);
		put_slot(file + l->slots, mask, s, i);
		at += t->n;
		scales = file + l->scales + i * (uint64_t)AI_FIT_SCALES;
		put_float(scales, f->scales[i * 2]);
		put_float(scales + 4, f->scales[i * 2 + 1]);
		put_float(scales + 8, f->weight[i]);
	}
	put32(file + l->at + i * (uint64_t)4, at);
	memcpy(file + l->rows, f->rows,
	       f->n * (size_t)(f->o.topics + f->o.words));
}

static void put_sums(unsigned char *file, const struct ai_fit_layout *l)
{
	uint64_t from = l->slots, n, sum;

	for (uint64_t i = 0; i < l->blocks; i++, from += n) {
		n = l->end - from < AI_FIT_BLOCK ? l->end - from : AI_FIT_BLOCK;
		sum = htole64(ai_fit_sum(file + from, n));
		memcpy(file + l->sums + i * 8, &sum, sizeof sum);
	}
}

static int put_all(int fd, const unsigned char *p, uint64_t n,
		   struct ai_err *err)
{
	ssize_t done;

	for (; n > 0; p += done, n -= (uint64_t)done) {
		done = write(fd, p, n > 1 << 20 ? 1 << 20 : n);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done < 0)
			return ai_err_sys(err, AI_E_IO, errno,
					  "cannot write the model");
	}
	return 0;
}

int ai_fit_save(const struct ai_fit *f, int fd, struct ai_err *err)
{
	struct ai_fit_header h = make_header(f);
	struct ai_fit_layout l;
	char seal[AI_HASH_HEX];
	unsigned char *file;
	int rc;

	ai_fit_layout(&h, &l);
	h.file_len = l.end;
	file = calloc(1, l.end);
	if (file == NULL)
		return ai_err_nomem(err);
	put_terms(f, file, &h, &l);
	put_sums(file, &l);
	header_to_file(&h);
	memcpy(file, &h, sizeof h);
	/* The sums follow the header: one run of bytes. */
	ai_hash_of(file, l.slots, seal);
	memcpy(h.seal, seal, sizeof h.seal);
	memcpy(file, &h, sizeof h);
	rc = put_all(fd, file, l.end, err);
	free(file);
	return rc;
}
