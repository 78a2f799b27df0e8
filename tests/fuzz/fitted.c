/*
 * Fitted models, whose reader believes nothing.  The first byte: 0x01 the rest
 * is the file itself; else the rest patches a small real one, three bytes
 * each: where (16 bits), and what is added to that byte.  0x02: then the sums
 * and the seal are made anew, so that what lies behind them is reached; 0x04:
 * the model is cut at the first patch.
 */
#include "crypt/hash.h"
#include "fuzz.h"
#include "text/fit-file.h"
#include "text/fit.h"
#include "text/vector.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM ((size_t)1 << 16)

/* Aligned as a mapping is. */
static uint64_t real[ROOM / 8], file[ROOM / 8];
static size_t real_n;

static void make_model(void)
{
	static const char *const texts[] = {
		"boats sail over water", "water carries boats to harbours",
		"ovens bake bread of flour", "flour makes bread, ovens bake it",
		"sail to the harbour", "bake the bread, carry the flour",
	};
	const struct ai_fit_options o = {
		.topics = 4, .words = 4, .hash = 8,
	};
	int fd = memfd_create("model", 0);
	struct ai_fit *f;
	ssize_t n;

	must(ai_fit_new(&f, &o, NULL) == 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		must(ai_fit_add(f, texts[i], strlen(texts[i]), NULL) == 0);
	must(ai_fit_write(f, fd, NULL) == 0);
	ai_fit_free(f);
	n = pread(fd, real, sizeof real, 0);
	must(n > 0 && (size_t)n < sizeof real);
	real_n = (size_t)n;
	close(fd);
}

/* As who wrote the file on purpose would. */
static void seal(unsigned char *p, size_t n)
{
	struct ai_fit_header h;
	struct ai_fit_layout l;
	char hex[AI_HASH_HEX];
	uint64_t sum, from;

	if (n < sizeof h)
		return;
	memcpy(&h, p, sizeof h);
	h.terms = le32toh(h.terms);
	h.topics = le32toh(h.topics);
	h.words = le32toh(h.words);
	h.slot_bits = le32toh(h.slot_bits);
	h.blob_len = le32toh(h.blob_len);
	if (h.terms > AI_FIT_TERMS_MAX || h.topics > AI_FIT_PART_MAX ||
	    h.words > AI_FIT_PART_MAX || h.slot_bits > 21)
		return;
	ai_fit_layout(&h, &l);
	if (l.end != n)
		return;
	for (uint64_t i = 0; i < l.blocks; i++) {
		from = l.slots + i * AI_FIT_BLOCK;
		sum = htole64(ai_fit_sum(p + from, n - from < AI_FIT_BLOCK
						   ? n - from : AI_FIT_BLOCK));
		memcpy(p + l.sums + i * 8, &sum, sizeof sum);
	}
	memset(p + offsetof(struct ai_fit_header, seal), 0, AI_FIT_SEAL);
	ai_hash_of(p, l.slots, hex);
	memcpy(p + offsetof(struct ai_fit_header, seal), hex, AI_FIT_SEAL);
}

static void check_text(const struct ai_fitted *m, struct ai_fitted_work *w,
		       const char *text, size_t n)
{
	static float v[3 * AI_FIT_PART_MAX], again[3 * AI_FIT_PART_MAX];
	size_t dim = ai_fitted_dim(m), known = 0;
	struct ai_err err;
	float norm;

	must(dim > 0 && dim <= 3 * AI_FIT_PART_MAX);
	if (ai_fitted_embed(m, w, text, n, v, &known, &err) < 0) {
		must(err.code == AI_E_DATA);
		return;
	}
	norm = ai_vector_dot(v, v, dim);
	must(norm == 0 || fabsf(norm - 1) < 1e-3f);
	must(ai_fitted_embed(m, w, text, n, again, NULL, &err) == 0);
	must(memcmp(v, again, dim * sizeof *v) == 0);
}

static void check_model(const void *p, size_t n)
{
	static const char text[] = "Boats of flour bake the harbours' water; "
				   "bread, bread, unknown 77 \xff\xc3";
	struct ai_fitted_work w = { 0 };
	struct ai_fitted *m;
	struct ai_err err;

	if (ai_fitted_of(&m, p, n, &err) < 0) {
		must(err.code == AI_E_DATA);
		return;
	}
	must(strlen(ai_fitted_id(m)) == AI_FIT_SEAL);
	check_text(m, &w, text, sizeof text - 1);
	check_text(m, &w, "harbour", 7);
	check_text(m, &w, "", 0);
	(void)ai_fitted_verify(m, &err);
	ai_fitted_work_release(&w);
	ai_fitted_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *p = (unsigned char *)file;
	size_t n, at;

	if (size < 1)
		return 0;
	if (data[0] & 1) {
		n = size - 1 < ROOM ? size - 1 : ROOM;
		memcpy(p, data + 1, n);
		if (data[0] & 2)
			seal(p, n);
		check_model(p, n);
		return 0;
	}
	if (real_n == 0)
		make_model();
	memcpy(p, real, real_n);
	n = real_n;
	for (size_t i = 1; i + 2 < size; i += 3) {
		at = (data[i] | (size_t)data[i + 1] << 8) % real_n;
		if (data[0] & 4 && i == 1)
			n = at;
		p[at] = (unsigned char)(p[at] + data[i + 2]);
	}
	if (data[0] & 2)
		seal(p, n);
	check_model(p, n);
	return 0;
}
