/* Embeddings in fewer bytes, and base64 by tables, beside slow ways that are
 * plainly right. */
#include "crypt/base64.h"
#include "tap.h"
#include "text/vector.h"
#include "text/vector_code.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 42;

static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* What the bits of a half say. */
static double slow_from(uint16_t h)
{
	int e = h >> 10 & 31;
	double m = h & 1023, v = e == 0 ? ldexp(m, -24)
		: e == 31 ? (m == 0 ? INFINITY : NAN)
		: ldexp(1024 + m, e - 25);

	return h & 0x8000 ? -v : v;
}

static void test_from_half(void)
{
	long wrong = 0;

	for (unsigned h = 0; h < 0x10000; h++) {
		double want = slow_from((uint16_t)h);
		float got = ai_from_half((uint16_t)h);

		wrong += isnan(want) ? !isnan(got) : (double)got != want ||
			!signbit(got) != !signbit(want);
	}
	ok(wrong == 0, "all halves as floats (%ld wrong)", wrong);
}

/* The nearest half of all, the even one of two. */
static uint16_t slow_to(float v)
{
	uint16_t sign = signbit(v) ? 0x8000 : 0, low = 0, high = 0x7C00, mid;
	double a = fabs((double)v), below, above;

	if (a >= 65520)
		return sign | 0x7C00;
	while (high - low > 1) {
		mid = (uint16_t)((low + high) / 2);
		if (slow_from(mid) <= a)
			low = mid;
		else
			high = mid;
	}
	below = a - slow_from(low);
	above = (high == 0x7C00 ? 65536 : slow_from(high)) - a;
	if (above < below || (above == below && (low & 1)))
		return sign | high;
	return sign | low;
}

static void test_to_half(void)
{
	long wrong = 0;

	for (unsigned h = 0; h < 0x7C00; h++)
		wrong += ai_to_half(ai_from_half((uint16_t)h)) != h;
	ok(wrong == 0, "there and back");
	for (int i = 0; i < 300000; i++) {
		uint32_t bits = (uint32_t)next();
		float v;

		/* Most of all near those that halves can have, and often right
		 * between two. */
		if (i % 3 > 0)
			bits = (bits & 0x87FFFFFF) | 0x38000000;
		if (i % 5 == 0)
			bits &= ~0xFFFu;
		if (i % 7 == 0)
			bits = (bits & 0x80FFFFFF) | 0x33000000;
		memcpy(&v, &bits, sizeof v);
		if (isnan(v))
			wrong += !isnan(ai_from_half(ai_to_half(v)));
		else
			wrong += ai_to_half(v) != slow_to(v);
	}
	ok(wrong == 0, "300,000 floats to the nearest half (%ld wrong)",
	   wrong);
}

static void test_codes(void)
{
	enum { MOST = 900 };
	static float v[MOST], was[MOST], again[MOST];
	struct ai_buf b = AI_BUF_INIT(1 << 16);
	struct ai_err err;
	long wrong = 0, far = 0;

	for (int i = 0; i < 2000; i++) {
		enum ai_vector_code code = (enum ai_vector_code)(i % 4);
		size_t dim = 1 + next() % MOST;
		float dot;

		for (size_t k = 0; k < dim; k++)
			v[k] = (float)((double)(next() >> 11) * 0x1p-52 - 1);
		ai_vector_normalise(v, dim);
		memcpy(was, v, sizeof v);
		ai_vector_round(code, v, dim);
		ai_buf_clear(&b);
		if (ai_vector_encode(code, v, dim, &b) < 0 ||
		    ai_vector_decode(code, b.p, b.len, again, dim, &err) < 0 ||
		    memcmp(v, again, dim * sizeof *v) != 0)
			wrong++;
		ai_vector_round(code, again, dim);
		wrong += memcmp(v, again, dim * sizeof *v) != 0;
		ai_vector_normalise(v, dim);
		dot = ai_vector_dot(v, was, dim);
		far += dot < (code == AI_VECTOR_BINARY ? 0.5f : 0.999f);
		/* One more or less than there is. */
		wrong += ai_vector_decode(code, b.p, b.len, again,
			dim + (code == AI_VECTOR_BINARY ? 8 : 1), &err) == 0;
	}
	ok(wrong == 0, "2000 vectors, rounded, written, read (%ld wrong)",
	   wrong);
	ok(far == 0, "each near what it was (%ld far)", far);
	memset(v, 0, sizeof v);
	ai_vector_round(AI_VECTOR_INT8, v, 8);
	ok(v[0] == 0 && ai_vector_code_of(AI_SPAN("int8")) == AI_VECTOR_INT8 &&
	   ai_vector_code_of(AI_SPAN("int4")) < 0, "zeros stay; names");
	ok(ai_vector_decode(AI_VECTOR_F16, "AHw=", 4, again, 1, &err) < 0 &&
	   err.code == AI_E_RECORD, "an infinite half is refused");
	ok(ai_vector_decode(AI_VECTOR_INT8, "AH!=", 4, again, 2, &err) < 0,
	   "what is no base64, too");
	ai_buf_release(&b);
}

static void test_base64(void)
{
	unsigned char raw[260], back[260];
	char want[400], text[400];
	struct ai_buf b = AI_BUF_INIT(1000);
	long wrong = 0, accepts = 0;
	size_t got;

	for (int i = 0; i < 20000; i++) {
		size_t n = next() % 256, m;
		bool wide = false, theirs;

		for (size_t k = 0; k < n; k++)
			raw[k] = (unsigned char)next();
		sodium_bin2base64(want, sizeof want, raw, n,
				  sodium_base64_VARIANT_ORIGINAL);
		ai_buf_clear(&b);
		if (ai_base64_encode(&b, raw, n) < 0 ||
		    b.len != strlen(want) || memcmp(ai_buf_cstr(&b), want,
						    b.len) != 0)
			wrong++;
		m = strcspn(want, "=");
		if (ai_base64_bytes(m) != n ||
		    ai_base64_decode(want, m, back) < 0 ||
		    memcmp(raw, back, n) != 0)
			wrong++;
		/* Damaged: taken exactly where libsodium takes it, but that
		 * libsodium 1.0.18 takes some bytes beyond ASCII. */
		memcpy(text, want, m);
		if (m > 0)
			text[next() % m] = (char)(next() % 3 > 0
				? next() : (unsigned char)want[next() % m]);
		for (size_t k = 0; k < m; k++)
			wide |= (unsigned char)text[k] >= 0x80;
		theirs = !wide && sodium_base642bin(back, sizeof back, text, m,
			NULL, &got, NULL,
			sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
			got == n;

		wrong += (ai_base64_decode(text, m, back) == 0) != theirs;
		accepts += theirs;
	}
	ok(wrong == 0 && accepts > 1000, "20,000 texts of base64, good and "
	   "damaged, as libsodium has them (%ld wrong, %ld taken)", wrong,
	   accepts);
	ai_buf_release(&b);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_from_half();
	test_to_half();
	test_codes();
	test_base64();
	return done();
}
