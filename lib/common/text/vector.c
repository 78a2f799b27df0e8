#include "text/vector.h"

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

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned char byte_of(const float *v, size_t i)
{
	uint32_t bits;

	memcpy(&bits, v + i / 4, sizeof(bits));
	return (unsigned char)(bits >> 8 * (i % 4));
}

int ai_vector_to_base64(const float *v, size_t dim, struct ai_buf *out)
{
	size_t i, n = dim * 4;
	uint32_t w;
	char q[4];

	if (ai_buf_reserve(out, (n + 2) / 3 * 4) < 0)
		return -1;
	for (i = 0; i < n; i += 3) {
		w = (uint32_t)byte_of(v, i) << 16;
		if (i + 1 < n)
			w |= (uint32_t)byte_of(v, i + 1) << 8;
		if (i + 2 < n)
			w |= byte_of(v, i + 2);
		q[0] = alphabet[w >> 18];
		q[1] = alphabet[w >> 12 & 63];
		q[2] = i + 1 < n ? alphabet[w >> 6 & 63] : '=';
		q[3] = i + 2 < n ? alphabet[w & 63] : '=';
		if (ai_buf_add(out, q, 4) < 0)
			return -1;
	}
	return 0;
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Byte i of what the text p[0..n) encodes; n without padding. */
static int decode_byte(const char *p, size_t i, size_t n)
{
	size_t at = i / 3 * 4 + i % 3;
	int shift = 2 * (int)(i % 3) + 2, hi, lo;

	if (at + 1 >= n)
		return -1;
	hi = sextet(p[at]);
	lo = sextet(p[at + 1]);
	if (hi < 0 || lo < 0)
		return -1;
	return (hi << shift | lo >> (6 - shift)) & 0xFF;
}

static int decode_float(const char *p, size_t i, size_t n, float *out)
{
	uint32_t bits = 0;
	int k, b;

	for (k = 0; k < 4; k++) {
		b = decode_byte(p, i * 4 + (size_t)k, n);
		if (b < 0)
			return -1;
		bits |= (uint32_t)b << 8 * k;
	}
	memcpy(out, &bits, sizeof(bits));
	return 0;
}

int ai_vector_from_base64(const char *p, size_t n, float *out, size_t max_dim,
			  size_t *dim, struct ai_err *err)
{
	size_t i, bytes;

	for (i = 0; i < 2 && n > 0 && p[n - 1] == '='; i++)
		n--;
	bytes = n / 4 * 3 + (n % 4 > 1 ? n % 4 - 1 : 0);
	if (n % 4 == 1 || bytes % 4 != 0 || bytes == 0)
		return ai_err_set(err, AI_E_RECORD, "an embedding's base64 "
				  "must hold whole 4-byte floats");
	if (bytes / 4 > max_dim)
		return ai_err_set(err, AI_E_RECORD, "an embedding of %zu "
				  "dimensions; the limit is %zu", bytes / 4,
				  max_dim);
	for (i = 0; i < bytes / 4; i++) {
		if (decode_float(p, i, n, &out[i]) < 0)
			return ai_err_set(err, AI_E_RECORD,
					  "an embedding is not base64");
		if (!isfinite(out[i]))
			return ai_err_set(err, AI_E_RECORD, "component %zu "
					  "of an embedding is not finite", i);
	}
	*dim = bytes / 4;
	return 0;
}
