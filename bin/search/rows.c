#include "rows.h"

#include "codes-kernel.h"
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

#define WRITE_BYTES ((size_t)1 << 20)
#define LENGTH_SLACK 1e-3f
/* Rows so near each other are asked for at once. */
#define WANT_GAP ((size_t)1 << 16)
/* So many are looked at to know whether they are in memory. */
#define SOME 16

static int check_dim(size_t dim, struct ai_err *err)
{
	if (dim >= 1 && dim <= AI_VECTOR_DIM_MAX)
		return 0;
	return ai_err_set(err, AI_E_USAGE, "vectors have 1 to %d dimensions, "
			  "not %zu", AI_VECTOR_DIM_MAX, dim);
}

/* From the file's order of bytes to the machine's, or back. */
static void swap_floats(float *to, const float *from, size_t dim)
{
	uint32_t bits;

	for (size_t i = 0; i < dim; i++) {
		memcpy(&bits, from + i, sizeof(bits));
		bits = le32toh(bits);
		memcpy(to + i, &bits, sizeof(bits));
	}
}

/* ---- reading ----------------------------------------------------------------- */

static int map_file(struct search_rows *r, int fd, struct ai_err *err)
{
	size_t row = r->dim * sizeof(float);
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot read '%s'",
				  r->path);
	if (!S_ISREG(st.st_mode))
		return ai_err_set(err, AI_E_DATA, "'%s' is damaged: it is no "
				  "regular file", r->path);
	r->n = st.st_size / (int64_t)row;
	r->bytes = (size_t)r->n * row;
	if (r->bytes == 0)
		return 0;
	map = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return ai_err_sys(err, AI_E_OS, errno, "cannot map '%s'",
				  r->path);
	r->v = map;
	return 0;
}

int search_rows_open(struct search_rows *r, const char *path, size_t dim,
		     struct ai_err *err)
{
	int fd, rc;

	*r = (struct search_rows){ .dim = dim };
	if (check_dim(dim, err) < 0)
		return -1;
	r->path = strdup(path);
	if (r->path == NULL)
		return ai_err_nomem(err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	rc = fd < 0 ? ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				 path) : map_file(r, fd, err);
	if (fd >= 0)
		r->fd = fd;
	if (rc < 0)
		search_rows_close(r);
	return rc;
}

void search_rows_close(struct search_rows *r)
{
	if (r->v != NULL)
		munmap((void *)(uintptr_t)r->v, r->bytes);
	if (r->fd > 0)
		close(r->fd);
	free(r->path);
	*r = (struct search_rows){ 0 };
}

const float *search_rows_at(const struct search_rows *r, int64_t n, float *spare)
{
	const float *v;

	if (n < 1 || n >= r->n)
		return NULL;
	v = r->v + (size_t)n * r->dim;
	if (v[0] == 0 && ai_vector_is_zero(v, r->dim))
		return NULL;
	if (__BYTE_ORDER == __LITTLE_ENDIAN)
		return v;
	swap_floats(spare, v, r->dim);
	return spare;
}

/* Whether some of these rows, from all over them, are in memory. */
static bool are_here(const struct search_rows *r, const int64_t *n,
		     size_t count, size_t page)
{
	size_t step = count > SOME ? count / SOME : 1;
	unsigned char there;
	uintptr_t at;

	for (size_t i = 0; i < count; i += step) {
		if (n[i] < 1 || n[i] >= r->n)
			continue;
		at = (uintptr_t)(r->v + (size_t)n[i] * r->dim);
		/* 1 for what may not be told. */
		if (mincore((void *)(at - at % page), 1, &there) == 0 &&
		    (there & 1) == 0)
			return false;
	}
	return true;
}

void search_rows_want(const struct search_rows *r, const int64_t *n,
		      size_t count)
{
	size_t row = r->dim * sizeof(float), from, to, i = 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (are_here(r, n, count, page))
		return;
	while (i < count) {
		if (n[i] < 1 || n[i] >= r->n) {
			i++;
			continue;
		}
		from = (size_t)n[i] * row;
		to = from + row;
		for (i++; i < count && n[i] < r->n &&
			  (size_t)n[i] * row < to + WANT_GAP; i++)
			to = (size_t)n[i] * row + row;
		from -= from % page;
		/* Advice: that it fails changes nothing. */
		(void)madvise((char *)(uintptr_t)r->v + from, to - from,
			      MADV_WILLNEED);
	}
}

/* A row that lies anywhere is read sooner than its page is mapped. */
static const float *read_row(const struct search_rows *r, int64_t n,
			     float *spare)
{
	size_t row = r->dim * sizeof(float);

	if (__BYTE_ORDER != __LITTLE_ENDIAN || r->fd <= 0 || n < 1 ||
	    n >= r->n ||
	    pread(r->fd, spare, row, (off_t)((size_t)n * row)) != (ssize_t)row)
		return search_rows_at(r, n, spare);
	return spare[0] == 0 && ai_vector_is_zero(spare, r->dim) ? NULL : spare;
}

enum search_rows_state search_rows_score(const struct search_rows *r, int64_t n,
					 bool alone, const float *query,
					 float *spare, float *score)
{
	const float *v = alone ? read_row(r, n, spare)
			       : search_rows_at(r, n, spare);
	float aa;

	if (v == NULL)
		return SEARCH_ROWS_HOLE;
	*score = codes_kernel()->dot(v, query, r->dim, &aa);
	/* So that what is not a number fails, too. */
	if (!(fabsf(aa - 1) <= 2 * LENGTH_SLACK))
		return SEARCH_ROWS_BAD;
	return SEARCH_ROWS_OK;
}

bool search_rows_is_whole(const float *v, size_t dim)
{
	float aa;

	(void)codes_kernel()->dot(v, v, dim, &aa);
	return fabsf(aa - 1) <= 2 * LENGTH_SLACK;
}

int search_rows_damaged(const struct search_rows *r, int64_t n,
			struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "%.200s is damaged: row %lld is no "
			  "vector of length 1", r->path, (long long)n);
}

int search_rows_verify(const struct search_rows *r, int64_t from, int64_t to,
		       int64_t *count, struct ai_err *err)
{
	float *spare = malloc(r->dim * sizeof(*spare)), score;
	enum search_rows_state state;
	const float *v;
	int rc = 0;

	*count = 0;
	if (spare == NULL)
		return ai_err_nomem(err);
	if (to > r->n)
		to = r->n; /* holes */
	for (int64_t n = from < 1 ? 1 : from; n < to && rc == 0; n++) {
		v = search_rows_at(r, n, spare);
		if (v == NULL)
			continue;
		state = search_rows_score(r, n, false, v, spare, &score);
		if (state == SEARCH_ROWS_BAD)
			rc = search_rows_damaged(r, n, err);
		++*count;
	}
	free(spare);
	return rc;
}

/* ---- writing ----------------------------------------------------------------- */

static int begin(struct search_rows_writer *w, struct ai_err *err)
{
	off_t size = (off_t)w->next * (off_t)(w->dim * sizeof(float));
	struct stat st;

	if (fstat(w->fd, &st) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read '%s'",
				  w->path);
	if (st.st_size > size && ftruncate(w->fd, size) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot cut '%s'",
				  w->path);
	return 0;
}

int search_rows_writer_open(struct search_rows_writer *w, const char *path,
			    size_t dim, int64_t next, struct ai_err *err)
{
	size_t row = dim * sizeof(float);

	*w = (struct search_rows_writer){ .fd = -1, .dim = dim, .start = next,
					  .next = next };
	if (check_dim(dim, err) < 0)
		return -1;
	if (next < 1 || next > UINT32_MAX)
		return ai_err_set(err, AI_E_USAGE, "row %lld is out of range",
				  (long long)next);
	w->path = strdup(path);
	w->buf = malloc(row > WRITE_BYTES ? row : WRITE_BYTES / row * row);
	if (w->path == NULL || w->buf == NULL) {
		search_rows_writer_close(w);
		return ai_err_nomem(err);
	}
	w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (w->fd < 0) {
		ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%s'", path);
		search_rows_writer_close(w);
		return -1;
	}
	if (begin(w, err) < 0) {
		search_rows_writer_close(w);
		return -1;
	}
	return 0;
}

static int write_out(struct search_rows_writer *w, struct ai_err *err)
{
	off_t at = (off_t)w->start * (off_t)(w->dim * sizeof(float));
	size_t done = 0;
	ssize_t n;

	while (done < w->used) {
		n = pwrite(w->fd, w->buf + done, w->used - done,
			   at + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ai_err_sys(err, AI_E_IO, n < 0 ? errno : ENOSPC,
					  "cannot write '%s'", w->path);
		done += (size_t)n;
	}
	w->used = 0;
	w->start = w->next;
	return 0;
}

int search_rows_add(struct search_rows_writer *w, int64_t n, const float *v,
		    struct ai_err *err)
{
	size_t row = w->dim * sizeof(float);
	size_t room = row > WRITE_BYTES ? row : WRITE_BYTES / row * row;
	float aa;

	(void)codes_kernel()->dot(v, v, w->dim, &aa);
	if (n < w->next || n >= UINT32_MAX ||
	    !(fabsf(aa - 1) <= LENGTH_SLACK))
		return ai_err_set(err, AI_E_BUG, "row %lld cannot be added",
				  (long long)n);
	if ((n != w->next || w->used + row > room) && write_out(w, err) < 0)
		return -1;
	if (w->used == 0)
		w->start = n;
	memcpy(w->buf + w->used, v, row);
	if (__BYTE_ORDER != __LITTLE_ENDIAN)
		swap_floats((float *)(void *)(w->buf + w->used), v, w->dim);
	w->used += row;
	w->next = n + 1;
	return 0;
}

int search_rows_flush(struct search_rows_writer *w, bool sync,
		      struct ai_err *err)
{
	if (write_out(w, err) < 0)
		return -1;
	if (sync && fdatasync(w->fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot sync '%s'",
				  w->path);
	return 0;
}

void search_rows_writer_close(struct search_rows_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	free(w->path);
	*w = (struct search_rows_writer){ .fd = -1 };
}
