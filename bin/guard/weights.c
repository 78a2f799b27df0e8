#include "weights.h"

#include "features.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_HASHED offsetof(struct weights_header, head_hash)

const double weights_rates[WEIGHTS_POINTS] = { .001, .01, .02, .05 };

/* Against damage, not against forgery. */
static uint64_t checksum(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = UINT64_C(0x9E3779B97F4A7C15) * (n + 1), x;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&x, s, 8);
		h = (h ^ le64toh(x)) * UINT64_C(0xD1B54A32D192ED03);
		h ^= h >> 32;
	}
	for (; n > 0; s++, n--)
		h = (h ^ *s) * UINT64_C(0x100000001B3);
	return h ^ h >> 29;
}

static void swap_float(float *f)
{
	uint32_t x;

	memcpy(&x, f, sizeof x);
	x = le32toh(x);
	memcpy(f, &x, sizeof x);
}

/* To the machine's order or from it. */
static void swap_header(struct weights_header *h)
{
	h->version = le32toh(h->version);
	h->bits = le32toh(h->bits);
	h->body_hash = le64toh(h->body_hash);
	h->head_hash = le64toh(h->head_hash);
	for (size_t t = 0; t < WEIGHTS_TABLES; t++) {
		swap_float(&h->table[t].bias);
		swap_float(&h->table[t].step);
		for (size_t i = 0; i < WEIGHTS_POINTS; i++)
			swap_float(&h->table[t].points[i]);
	}
}

static bool is_sane(const struct weights_header *h)
{
	if (h->bits < 8 || h->bits > WEIGHTS_BITS_MAX)
		return false;
	for (size_t t = 0; t < WEIGHTS_TABLES; t++) {
		if (!isfinite(h->table[t].bias) ||
		    !isfinite(h->table[t].step) || h->table[t].step <= 0)
			return false;
		for (size_t i = 0; i < WEIGHTS_POINTS; i++)
			if (!isfinite(h->table[t].points[i]) ||
			    (i > 0 && h->table[t].points[i] >=
				      h->table[t].points[i - 1]))
				return false;
	}
	return true;
}

const char *weights_read(struct weights *w, const void *p, size_t n)
{
	const char *body = (const char *)p + sizeof w->head;

	memset(w, 0, sizeof *w);
	if (n < sizeof w->head)
		return "it is too short";
	memcpy(&w->head, p, sizeof w->head);
	swap_header(&w->head);
	if (memcmp(w->head.magic, WEIGHTS_MAGIC, sizeof w->head.magic) != 0)
		return "it is no file of weights";
	if (w->head.version > WEIGHTS_VERSION)
		return "a newer version of ai-guard made it";
	if (w->head.version != WEIGHTS_VERSION)
		return "it was made for another version of ai-guard";
	if (w->head.head_hash != checksum(p, HEAD_HASHED))
		return "its header is damaged";
	if (!is_sane(&w->head))
		return "its header makes no sense";
	if (n != sizeof w->head + ((size_t)WEIGHTS_TABLES << w->head.bits))
		return "its length is wrong";
	if (w->head.body_hash != checksum(body, n - sizeof w->head))
		return "it is damaged";
	for (size_t t = 0; t < WEIGHTS_TABLES; t++)
		w->table[t] = (const signed char *)body + (t << w->head.bits);
	return NULL;
}

int weights_open(struct weights *w, const char *path, struct ai_err *err)
{
	struct stat st;
	const char *wrong;
	void *p = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(w, 0, sizeof *w);
	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				  path);
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	close(fd);
	if (p == MAP_FAILED)
		return ai_err_set(err, AI_E_DATA, "cannot use '%s': it is empty "
				  "or no file; make it with 'ai-guard train'",
				  path);
	wrong = weights_read(w, p, (size_t)st.st_size);
	if (wrong != NULL) {
		munmap(p, (size_t)st.st_size);
		return ai_err_set(err, AI_E_DATA, "cannot use '%s': %s; make it "
				  "anew with 'ai-guard train'", path, wrong);
	}
	w->map = p;
	w->map_len = (size_t)st.st_size;
	return 0;
}

void weights_close(struct weights *w)
{
	if (w->map != NULL)
		munmap(w->map, w->map_len);
	memset(w, 0, sizeof *w);
}

static int write_file(const char *path, const char *part,
		      const unsigned char *p, size_t n, struct ai_err *err)
{
	FILE *f = fopen(part, "wbe");
	bool good;

	if (f == NULL)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot create '%s'", part);
	good = fwrite(p, 1, n, f) == n && fflush(f) == 0 &&
	       fsync(fileno(f)) == 0;
	good = fclose(f) == 0 && good;
	if (!good || rename(part, path) != 0) {
		ai_err_sys(err, AI_E_IO, errno, "cannot write '%s'", path);
		unlink(part);
		return -1;
	}
	return 0;
}

int weights_write(struct weights *w, const char *path, struct ai_err *err)
{
	size_t size = (size_t)1 << w->head.bits;
	size_t n = sizeof w->head + WEIGHTS_TABLES * size;
	unsigned char *p = malloc(n);
	char *part = NULL;
	int rc;

	if (p == NULL || asprintf(&part, "%s.part", path) < 0) {
		free(p);
		return ai_err_nomem(err);
	}
	for (size_t t = 0; t < WEIGHTS_TABLES; t++)
		memcpy(p + sizeof w->head + t * size, w->table[t], size);
	memcpy(w->head.magic, WEIGHTS_MAGIC, sizeof w->head.magic);
	w->head.version = WEIGHTS_VERSION;
	w->head.body_hash = checksum(p + sizeof w->head, n - sizeof w->head);
	memcpy(p, &w->head, sizeof w->head);
	swap_header((struct weights_header *)(void *)p);
	w->head.head_hash = checksum(p, HEAD_HASHED);
	memcpy(p, &w->head, sizeof w->head);
	swap_header((struct weights_header *)(void *)p);
	rc = write_file(path, part, p, n, err);
	free(part);
	free(p);
	return rc;
}

/* ---- rates ------------------------------------------------------------------- */

/* The pair of points between or next to which a value lies. */
static size_t pair_of_score(const float *points, double score)
{
	size_t i = 0;

	while (i + 2 < WEIGHTS_POINTS && score < (double)points[i + 1])
		i++;
	return i;
}

double weights_rate(const struct weights *w, enum weights_table t,
		    double score)
{
	const float *p = w->head.table[t].points;
	size_t i = pair_of_score(p, score);
	double a = log(weights_rates[i]), b = log(weights_rates[i + 1]);
	double x = (score - (double)p[i]) / ((double)p[i + 1] - (double)p[i]);

	return fmin(1, exp(a + x * (b - a)));
}

double weights_score(const struct weights *w, enum weights_table t,
		     double rate)
{
	const float *p = w->head.table[t].points;
	size_t i = 0;
	double a, b;

	while (i + 2 < WEIGHTS_POINTS && rate > weights_rates[i + 1])
		i++;
	a = log(weights_rates[i]);
	b = log(weights_rates[i + 1]);
	return (double)p[i] + (log(rate) - a) / (b - a) *
			      ((double)p[i + 1] - (double)p[i]);
}
