/* npy.c: vectors as NumPy keeps them (format 1.0 to 3.0). */
#include "formats.h"

#include "text/vector.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void search_npy_head(char head[SEARCH_NPY_HEAD], int64_t rows, int64_t dim)
{
	char text[SEARCH_NPY_HEAD];
	int n = snprintf(text, sizeof(text), "{'descr': '<f4', "
			 "'fortran_order': False, 'shape': (%lld, %lld), }",
			 (long long)rows, (long long)dim);

	memset(head, ' ', SEARCH_NPY_HEAD);
	memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
	memcpy(head + 10, text, (size_t)n);
	head[SEARCH_NPY_HEAD - 1] = '\n';
}

/* ---- the header ------------------------------------------------------------------- */

static int wrong(const struct search_npy *n, struct ai_err *err,
		 const char *what)
{
	return ai_err_set(err, AI_E_DATA, "'%.200s': %s", n->name, what);
}

/* What stands behind 'key': in the header's dictionary; NULL: nothing. */
static const char *find(const char *dict, const char *key)
{
	const char *p = strstr(dict, key);

	if (p == NULL)
		return NULL;
	p += strlen(key);
	while (*p == ' ' || *p == ':')
		p++;
	return p;
}

static bool read_count(const char **p, int64_t *out)
{
	size_t n = 0;
	bool good;

	while (**p == ' ' || **p == '(' || **p == ',')
		++*p;
	while ((*p)[n] >= '0' && (*p)[n] <= '9')
		n++;
	good = ai_parse_i64((struct ai_span){ *p, n }, out) == 0;
	*p += n;
	return good;
}

static int read_dict(struct search_npy *n, const char *dict, struct ai_err *err)
{
	const char *type = find(dict, "'descr'"), *order, *shape;
	int64_t dim;

	order = find(dict, "'fortran_order'");
	shape = find(dict, "'shape'");
	if (type == NULL || order == NULL || shape == NULL)
		return wrong(n, err, "its header says not what is in it");
	if (strncmp(type, "'<f", 3) != 0 || type[3] < '2' || type[3] > '8' ||
	    type[4] != '\'' || strchr("248", type[3]) == NULL)
		return wrong(n, err, "it holds no <f4, <f8 or <f2");
	n->width = (size_t)(type[3] - '0');
	if (strncmp(order, "False", 5) != 0)
		return wrong(n, err, "its rows do not lie together "
			     "(fortran_order)");
	if (!read_count(&shape, &n->rows) || !read_count(&shape, &dim) ||
	    strspn(shape, " ,") != strcspn(shape, ")"))
		return wrong(n, err, "it has not two dimensions");
	if (dim < 1 || dim > AI_VECTOR_DIM_MAX)
		return ai_err_set(err, AI_E_DATA, "'%.200s': rows of %lld "
				  "numbers; 1 to %d can be used", n->name,
				  (long long)dim, AI_VECTOR_DIM_MAX);
	n->dim = (size_t)dim;
	if (n->rows > INT64_MAX / 8 / dim ||
	    (uint64_t)(n->size - n->from) <
	    (uint64_t)n->rows * n->dim * n->width)
		return wrong(n, err, "it is shorter than its header says");
	return 0;
}

static int read_head(struct search_npy *n, struct ai_err *err)
{
	char dict[4096];
	size_t long_at = 2, i, size = 0;

	if (n->size < 12 || memcmp(n->map, "\x93NUMPY", 6) != 0 ||
	    n->map[6] < 1 || n->map[6] > 3)
		return wrong(n, err, "it is no .npy file");
	if (n->map[6] > 1)
		long_at = 4;
	for (i = long_at; i-- > 0; )
		size = size << 8 | n->map[8 + i];
	n->from = 8 + long_at + size;
	if (size >= sizeof(dict) || n->from > n->size)
		return wrong(n, err, "its header is too long");
	memcpy(dict, n->map + 8 + long_at, size);
	dict[size] = '\0';
	return read_dict(n, dict, err);
}

/* ---- the file ----------------------------------------------------------------------- */

int search_npy_open(struct search_npy *n, const char *name, struct ai_err *err)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC), why;
	struct stat st = { .st_size = 0 };
	void *p = MAP_FAILED;

	*n = (struct search_npy){ .name = name };
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	why = errno;
	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, why, "cannot open '%.200s'",
				  name);
	close(fd);
	if (p == MAP_FAILED)
		return wrong(n, err, "it is no .npy file");
	n->map = p;
	n->size = (size_t)st.st_size;
	if (read_head(n, err) == 0)
		return 0;
	search_npy_close(n);
	return -1;
}

void search_npy_close(struct search_npy *n)
{
	if (n->map != NULL)
		munmap(n->map, n->size);
	n->map = NULL;
}

/* IEEE 754's half: 1 sign, 5 exponent, 10 fraction. */
static float half(uint64_t bits)
{
	int exponent = (int)(bits >> 10 & 31);
	double f = (double)(bits & 1023);

	if (exponent == 31)
		f = f == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		f = ldexp(f, -24);
	else
		f = ldexp(f + 1024, exponent - 25);
	return (float)(bits >> 15 & 1 ? -f : f);
}

void search_npy_row(const struct search_npy *n, int64_t row, float *out,
		    bool *none)
{
	const unsigned char *p = n->map + n->from +
		(size_t)row * n->dim * n->width;
	uint64_t bits;
	uint32_t bits32;
	double d;
	size_t i, k;

	*none = true;
	for (i = 0; i < n->dim; i++, p += n->width) {
		for (bits = 0, k = n->width; k-- > 0; )
			bits = bits << 8 | p[k];
		bits32 = (uint32_t)bits;
		if (n->width == 2) {
			out[i] = half(bits);
		} else if (n->width == 4) {
			memcpy(&out[i], &bits32, sizeof(bits32));
		} else {
			memcpy(&d, &bits, sizeof(d));
			out[i] = (float)d;
		}
		*none = *none && out[i] == 0;
	}
}
