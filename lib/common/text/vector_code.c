#include "text/vector_code.h"

#include "crypt/base64.h"
#include "text/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "f32", "f16", "int8", "binary" };

const char *ai_vector_code_name(enum ai_vector_code code)
{
	return names[code];
}

int ai_vector_code_of(struct ai_span name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (ai_span_is(name, names[i]))
			return (int)i;
	return -1;
}

/* ---- half precision ------------------------------------------------------ */

/* So many low bits go; to the nearest, of two the even one. */
static uint32_t shift_round(uint32_t m, unsigned bits)
{
	uint32_t half = 1u << (bits - 1), rest = m & ((half << 1) - 1);

	m >>= bits;
	return m + (rest > half || (rest == half && (m & 1)));
}

uint16_t ai_to_half(float v)
{
	uint32_t bits, sign, m;
	int e;

	memcpy(&bits, &v, sizeof bits);
	sign = bits >> 16 & 0x8000;
	e = (int)(bits >> 23 & 0xFF) - 127 + 15;
	m = bits & 0x7FFFFF;
	if ((bits >> 23 & 0xFF) == 0xFF) /* infinite, or no number */
		return (uint16_t)(sign | 0x7C00 | (m != 0 ? 0x200 : 0));
	if (e >= 31)
		return (uint16_t)(sign | 0x7C00);
	if (e > 0) /* a carry goes up into the exponent, as it should */
		return (uint16_t)(sign + (((uint32_t)e << 10) +
					  shift_round(m, 13)));
	if (e < -10)
		return (uint16_t)sign;
	return (uint16_t)(sign + shift_round(m | 0x800000,
					     (unsigned)(14 - e)));
}

float ai_from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31;
	uint32_t m = h & 0x3FF, bits;
	float v;

	if (e == 0) {
		v = (float)m * 0x1p-24f;
		return sign != 0 ? -v : v;
	}
	bits = sign | (e == 31 ? 0xFFu << 23 : (e + 112) << 23) | m << 13;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* ---- rounding ------------------------------------------------------------ */

static void round_int8(float *v, size_t dim)
{
	float most = 0, scale, x;

	for (size_t i = 0; i < dim; i++)
		most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
	scale = 127 / most;
	if (most <= 0 || !isfinite(scale))
		return;
	for (size_t i = 0; i < dim; i++) {
		x = v[i] * scale;
		v[i] = (float)(int)(x + copysignf(0.5f, x));
	}
}

void ai_vector_round(enum ai_vector_code code, float *v, size_t dim)
{
	if (code == AI_VECTOR_INT8)
		round_int8(v, dim);
	for (size_t i = 0; i < dim; i++)
		if (code == AI_VECTOR_F16)
			v[i] = ai_from_half(ai_to_half(v[i]));
		else if (code == AI_VECTOR_BINARY)
			v[i] = v[i] > 0 ? 1 : -1;
}

/* ---- bytes --------------------------------------------------------------- */

static size_t bytes_of(enum ai_vector_code code, size_t dim)
{
	return code == AI_VECTOR_F32 ? dim * 4 : code == AI_VECTOR_F16 ? dim * 2
		: code == AI_VECTOR_INT8 ? dim : (dim + 7) / 8;
}

static void put_bytes(enum ai_vector_code code, const float *v, size_t dim,
		      unsigned char *p)
{
	uint16_t h;

	if (code == AI_VECTOR_INT8)
		for (size_t i = 0; i < dim; i++)
			p[i] = (unsigned char)(int)v[i];
	else if (code == AI_VECTOR_BINARY)
		for (size_t i = 0; i < dim; i++)
			p[i / 8] |= (unsigned char)((v[i] > 0) << (7 - i % 8));
	else
		for (size_t i = 0; i < dim; i++) {
			h = ai_to_half(v[i]);
			p[2 * i] = (unsigned char)h;
			p[2 * i + 1] = (unsigned char)(h >> 8);
		}
}

int ai_vector_encode(enum ai_vector_code code, const float *v, size_t dim,
		     struct ai_buf *out)
{
	/* Whole groups of three bytes, so that nothing is padded between. */
	unsigned char room[768];
	size_t n;

	if (code == AI_VECTOR_F32)
		return ai_vector_to_base64(v, dim, out);
	for (; dim > 0; v += n, dim -= n) {
		n = dim < 384 ? dim : 384;
		memset(room, 0, sizeof room);
		put_bytes(code, v, n, room);
		if (ai_base64_encode(out, room, bytes_of(code, n)) < 0)
			return -1;
	}
	return 0;
}

static void get_numbers(enum ai_vector_code code, const unsigned char *p,
			float *out, size_t dim)
{
	for (size_t i = 0; i < dim; i++)
		if (code == AI_VECTOR_F16)
			out[i] = ai_from_half((uint16_t)(p[2 * i] |
							 p[2 * i + 1] << 8));
		else if (code == AI_VECTOR_INT8)
			out[i] = (int8_t)p[i];
		else
			out[i] = p[i / 8] >> (7 - i % 8) & 1 ? 1 : -1;
}

int ai_vector_decode(enum ai_vector_code code, const char *p, size_t n,
		     float *out, size_t dim, struct ai_err *err)
{
	unsigned char *room;
	size_t got = 0;
	int rc = 0;

	if (code == AI_VECTOR_F32) {
		rc = ai_vector_from_base64(p, n, out, dim, &got, err);
		return rc == 0 && got != dim
			? ai_err_set(err, AI_E_RECORD, "an embedding of %zu "
				     "dimensions that should have %zu", got,
				     dim) : rc;
	}
	while (n > 0 && p[n - 1] == '=')
		n--;
	if (ai_base64_bytes(n) != bytes_of(code, dim))
		return ai_err_set(err, AI_E_RECORD, "an embedding's base64 is "
				  "not %zu dimensions of %s", dim,
				  names[code]);
	room = malloc(bytes_of(code, dim) + 1);
	if (room == NULL)
		return ai_err_nomem(err);
	if (ai_base64_decode(p, n, room) < 0)
		rc = ai_err_set(err, AI_E_RECORD,
				"an embedding is not base64");
	else
		get_numbers(code, room, out, dim);
	free(room);
	for (size_t i = 0; rc == 0 && i < dim; i++)
		if (!isfinite(out[i]))
			rc = ai_err_set(err, AI_E_RECORD, "component %zu of an "
					"embedding is not finite", i);
	return rc;
}
