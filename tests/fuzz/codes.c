/*
 * A file of codes: it is refused, or what is found with it makes sense.
 *
 * An input whose first byte is odd is the file.  Else a file is made of it: a
 * header with the numbers that come next, and the rest, over and over, for what
 * the header says is there.  Checksums are set right, since no input would ever
 * come past them.
 */
/* fuzz: bin/search/codes-avx2.c bin/search/codes-avx512.c bin/search/codes-build.c bin/search/codes-file.c bin/search/codes-kernel.c bin/search/codes-near.c bin/search/codes-pick.c bin/search/codes-recall.c bin/search/codes-scan.c bin/search/rotation.c bin/search/rows.c */
/* links: sqlite3 */
#include "../../bin/search/codes-file.h"
#include "../../bin/search/search.h"
#include "fuzz.h"

#include "../../bin/search/codes-kernel.h"
#include "../../bin/search/rotation.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIM_MAX 70
#define ROWS 40
#define FILE_MAX ((size_t)1 << 17)

struct input {
	const uint8_t *p;
	size_t n, at;
};

/* The next byte; the input over and over, 0 if it is empty. */
static unsigned char take(struct input *in)
{
	if (in->n == 0)
		return 0;
	if (in->at == in->n)
		in->at = 0;
	return in->p[in->at++];
}

static void seal(const unsigned char *p, size_t n, unsigned char *out)
{
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, p, n);
	codes_hash_end(&h, out);
}

/* Makes a file of the input; its length. */
static size_t make_file(struct input *in, unsigned char *file)
{
	struct codes_head h = { .recall = .5f, .seed = 7 };
	unsigned char mean[4] = { 0 }, odd, where, what, *block;
	uint64_t sum[4];
	size_t size;

	h.from = 1 + take(in) % 16;
	h.count = 1 + take(in) % (ROWS * 2);
	h.to = h.from + h.count + take(in) % 8;
	h.dim = 1 + take(in) % DIM_MAX;
	h.bits = (uint32_t)rotation_bits(h.dim);
	size = CODES_BLOCK_BYTES(h.bits);
	h.table.bytes = h.to - h.from != h.count || take(in) % 2 != 0;
	odd = take(in);
	where = take(in);
	what = take(in);
	codes_head_place(&h);
	must(h.bytes <= FILE_MAX);
	for (size_t i = CODES_HEAD; i < h.bytes; i++)
		file[i] = take(in);
	for (size_t i = 0; i < h.dim; i++) {
		/* Not too long a mean, mostly. */
		mean[3] = odd % 8 == 0 ? 0x7F : 0x3C;
		mean[2] = take(in);
		memcpy(file + CODES_HEAD + 4 * i, mean, 4);
	}
	for (size_t i = CODES_HEAD + h.dim * 4; i < h.blocks.offset; i++)
		file[i] = odd % 8 == 1;
	for (uint64_t i = 0; odd % 16 != 2 && i < h.blocks.bytes / size; i++) {
		block = file + h.blocks.offset + i * size;
		codes_sum(block, h.bits, sum);
		for (int k = 0; k < 4; k++)
			sum[k] += CODES_SUM * (i + 1);
		memcpy(block + size - CODES_SUMS, sum, sizeof(sum));
	}
	seal(file + h.mean.offset, h.mean.bytes, h.mean.hash);
	codes_head_put(&h, file);
	if (odd % 2 != 0) { /* a header of nonsense */
		file[where % 184] = what;
		seal(file, 48, file + 48);
		seal(file + 64, 240 - 64, file + 240);
	}
	return h.bytes;
}

static const char *file_of(const void *p, size_t n, int *fd, char path[40])
{
	*fd = memfd_create("codes", 0);
	must(*fd >= 0 && write(*fd, p, n) == (ssize_t)n);
	snprintf(path, 40, "/proc/self/fd/%d", *fd);
	return path;
}

/* Rows of dim, each with one 1 in it. */
static int make_rows(size_t dim, char path[40])
{
	float row[DIM_MAX] = { 0 };
	struct search_rows_writer w;
	struct ai_err err;
	int fd;

	file_of("", 0, &fd, path);
	must(search_rows_writer_open(&w, path, dim, 1, &err) == 0);
	for (int n = 1; n < ROWS; n++) {
		row[(size_t)n % dim] = 1;
		must(search_rows_add(&w, n, row, &err) == 0);
		row[(size_t)n % dim] = 0;
	}
	must(search_rows_flush(&w, false, &err) == 0);
	search_rows_writer_close(&w);
	return fd;
}

static void check(const struct search_nearest *q,
		  const struct search_nears *out)
{
	must(out->n <= q->k);
	for (size_t i = 0; i < out->n; i++) {
		must(out->v[i].n >= 1 && out->v[i].n < q->end);
		must(out->v[i].score >= -1.01f && out->v[i].score <= 1.01f);
		must(i == 0 || out->v[i].score < out->v[i - 1].score ||
		     (out->v[i].score == out->v[i - 1].score &&
		      out->v[i].n > out->v[i - 1].n));
	}
}

static void ask(const struct search_codes *c, struct search_filter *f)
{
	const struct search_codes *list[] = { c };
	float query[DIM_MAX] = { 1 };
	struct search_rows rows;
	struct search_nearest q = { .query = query, .dim = c->dim,
				    .rows = &rows, .end = 200, .codes = list,
				    .codes_n = 1, .k = 5, .rescore = 9,
				    .few_floats = 1, .filter = f };
	struct search_nears out;
	struct ai_err err = { 0 };
	char path[40];
	int fd;

	if (c->dim > DIM_MAX)
		return;
	fd = make_rows(c->dim, path);
	must(search_rows_open(&rows, path, c->dim, &err) == 0);
	for (int i = 0; i < 2; i++) {
		if (search_nearest(&q, &out, &err) == 0)
			check(&q, &out);
		else
			must(err.code == AI_E_DATA && err.msg[0] != '\0');
		search_nears_release(&out);
		q.filter = NULL;
	}
	search_rows_close(&rows);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char file[FILE_MAX];
	unsigned char bits[16] = { 0 };
	struct search_filter f = { bits, 120, 0 };
	struct input in = { data, size, 0 };
	struct search_codes c;
	struct ai_err err = { 0 };
	char path[40];
	size_t n;
	int fd;

	if (take(&in) % 2 != 0) {
		n = size - 1 < FILE_MAX ? size - 1 : FILE_MAX;
		memcpy(file, data + 1, n);
	} else {
		n = make_file(&in, file);
	}
	for (size_t i = 0; i < sizeof(bits) && i < size; i++)
		bits[i] = data[size - 1 - i];
	file_of(file, n, &fd, path);
	if (search_codes_open(&c, path, &err) == 0) {
		must(c.count >= 1 && c.from >= 1 && c.to > c.from);
		ask(&c, &f);
		(void)search_codes_verify(&c, &err);
		search_codes_close(&c);
	} else {
		must(err.code == AI_E_DATA && err.msg[0] != '\0');
	}
	close(fd);
	return 0;
}
