#include "text/vector.h"

#include "crypt/base64.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 16

float ai_vector_dot(const float *a, const float *b, size_t dim)
{
	float lane[LANES] = { 0 }, sum = 0;
	size_t i, k;

	/* Independent sums, so that the compiler may use vector registers
	 * without changing the result. */
	for (i = 0; i + LANES <= dim; i += LANES)
		for (k = 0; k < LANES; k++)
			lane[k] += a[i + k] * b[i + k];
	for (; i < dim; i++)
		sum += a[i] * b[i];
	for (k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

bool ai_vector_is_zero(const float *v, size_t dim)
{
	for (size_t i = 0; i < dim; i++)
		if (v[i] != 0)
			return false;
	return true;
}

void ai_vector_normalise(float *v, size_t dim)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < dim; i++)
		sum += (double)v[i] * v[i];
	if (sum <= 0)
		return;
	sum = 1 / sqrt(sum);
	for (i = 0; i < dim; i++)
		v[i] = (float)(v[i] * sum);
}

int ai_vector_to_base64(const float *v, size_t dim, struct ai_buf *out)
{
	uint32_t le[192]; /* whole groups of three bytes: no padding between */
	size_t i, n;

	for (; dim > 0; v += n, dim -= n) {
		n = dim < 192 ? dim : 192;
		memcpy(le, v, n * sizeof(*le));
		for (i = 0; i < n; i++)
			le[i] = htole32(le[i]);
		if (ai_base64_encode(out, le, n * sizeof(*le)) < 0)
			return -1;
	}
	return 0;
}

static void from_little_endian(float *v, size_t dim)
{
	uint32_t bits;
	size_t i;

	for (i = 0; i < dim; i++) {
		memcpy(&bits, v + i, sizeof(bits));
		bits = le32toh(bits);
		memcpy(v + i, &bits, sizeof(bits));
	}
}

int ai_vector_from_base64(const char *p, size_t n, float *out, size_t max_dim,
			  size_t *dim, struct ai_err *err)
{
	size_t i, bytes;

	for (i = 0; i < 2 && n > 0 && p[n - 1] == '='; i++)
		n--;
	bytes = ai_base64_bytes(n);
	if (bytes == SIZE_MAX || bytes % sizeof(float) != 0 || bytes == 0)
		return ai_err_set(err, AI_E_RECORD, "an embedding's base64 "
				  "must hold whole 4-byte floats");
	*dim = bytes / sizeof(float);
	if (*dim > max_dim)
		return ai_err_set(err, AI_E_RECORD, "an embedding of %zu "
				  "dimensions; the limit is %zu", *dim,
				  max_dim);
	if (ai_base64_decode(p, n, out) < 0)
		return ai_err_set(err, AI_E_RECORD,
				  "an embedding is not base64");
	from_little_endian(out, *dim);
	for (i = 0; i < *dim; i++)
		if (!isfinite(out[i]))
			return ai_err_set(err, AI_E_RECORD, "component %zu "
					  "of an embedding is not finite", i);
	return 0;
}
