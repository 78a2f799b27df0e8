#include "record/dec.h"

#include <string.h>

/* Exponents beyond it are cut off here; no text reaches it by its digits. */
#define EXP_LIMIT ((int64_t)1 << 60)

static const char *skip_dot(const char *p, const char *end)
{
	return p < end && *p == '.' ? p + 1 : p;
}

static int64_t exponent(const char *p, const char *end)
{
	bool neg = *p == '-';
	int64_t e = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
		if (e < EXP_LIMIT / 10)
			e = e * 10 + (*p - '0');
		else
			e = EXP_LIMIT;
	return neg ? -e : e;
}

/* Cuts leading and trailing zeros off; exp is then that of the last digit. */
static void normalise(struct ai_dec *d, const char *dot)
{
	while (d->p < d->end && (*d->p == '0' || *d->p == '.'))
		d->p++;
	while (d->end > d->p && (d->end[-1] == '0' || d->end[-1] == '.'))
		d->end--;
	if (d->p == d->end) {
		*d = (struct ai_dec){ 0 };
		return;
	}
	d->exp += d->end <= dot ? dot - d->end : dot + 1 - d->end;
	d->digits = (size_t)(d->end - d->p) - (d->p < dot && d->end > dot);
}

struct ai_dec ai_dec_of(struct ai_span s)
{
	struct ai_dec d = { .p = s.p, .end = s.p + s.n };
	const char *e, *dot;

	if (d.p < d.end && *d.p == '-') {
		d.neg = true;
		d.p++;
	}
	for (e = d.p; e < d.end && *e != 'e' && *e != 'E'; e++)
		;
	if (e < d.end)
		d.exp = exponent(e + 1, d.end);
	d.end = e;
	dot = memchr(d.p, '.', (size_t)(d.end - d.p));
	normalise(&d, dot == NULL ? d.end : dot);
	return d;
}

/* The signs aside. */
static int cmp_magnitude(struct ai_dec a, struct ai_dec b)
{
	int64_t top_a = a.exp + (int64_t)a.digits;
	int64_t top_b = b.exp + (int64_t)b.digits;

	if (a.digits == 0 || b.digits == 0)
		return (a.digits != 0) - (b.digits != 0);
	if (top_a != top_b)
		return top_a < top_b ? -1 : 1;
	for (;;) {
		a.p = skip_dot(a.p, a.end);
		b.p = skip_dot(b.p, b.end);
		if (a.p == a.end || b.p == b.end)
			return (a.p != a.end) - (b.p != b.end);
		if (*a.p != *b.p)
			return *a.p < *b.p ? -1 : 1;
		a.p++;
		b.p++;
	}
}

int ai_dec_cmp(struct ai_dec a, struct ai_dec b)
{
	if (a.neg != b.neg)
		return a.neg ? -1 : 1;
	return a.neg ? cmp_magnitude(b, a) : cmp_magnitude(a, b);
}

bool ai_dec_whole(struct ai_dec a)
{
	return a.exp >= 0;
}

uint64_t ai_dec_hash(struct ai_dec a)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)a.exp ^ a.neg;

	for (; a.p < a.end; a.p++)
		if (*a.p != '.')
			h = (h ^ (unsigned char)*a.p) * 1099511628211u;
	return h;
}

static uint64_t mul_mod(uint64_t a, uint64_t b, uint64_t m)
{
	return (uint64_t)((unsigned __int128)a * b % m);
}

static uint64_t mod(struct ai_dec a, uint64_t m)
{
	uint64_t r = 0;

	for (; a.p < a.end; a.p++)
		if (*a.p != '.')
			r = (mul_mod(r, 10, m) + (uint64_t)(*a.p - '0')) % m;
	return r;
}

static uint64_t power_of_ten_mod(int64_t e, uint64_t m)
{
	uint64_t r = 1 % m, base = 10 % m;

	for (; e > 0; e >>= 1) {
		if (e & 1)
			r = mul_mod(r, base, m);
		base = mul_mod(base, base, m);
	}
	return r;
}

/*
 * With a = A*10^i and b = B*10^j: a/b = A*10^(i-j)/B.  If i >= j that is
 * divisibility of A*10^(i-j) by B, and only remainders are needed.  If
 * i < j, ten would have to divide A, whose last digit is not 0.
 */
bool ai_dec_multiple(struct ai_dec a, struct ai_dec b)
{
	uint64_t divisor = 0;

	if (a.digits == 0)
		return true;
	if (a.exp < b.exp)
		return false;
	for (; b.p < b.end; b.p++)
		if (*b.p != '.')
			divisor = divisor * 10 + (uint64_t)(*b.p - '0');
	return mul_mod(mod(a, divisor),
		       power_of_ten_mod(a.exp - b.exp, divisor), divisor) == 0;
}

int ai_dec_i64(struct ai_dec a, int64_t *out)
{
	char text[24];
	size_t n = 0;

	if (a.exp < 0 || a.exp > 19 || a.digits > 19)
		return -1;
	if (a.digits == 0)
		text[n++] = '0';
	if (a.neg)
		text[n++] = '-';
	for (; a.p < a.end; a.p++)
		if (*a.p != '.')
			text[n++] = *a.p;
	if (n + (size_t)a.exp > sizeof text)
		return -1;
	for (; a.exp > 0; a.exp--)
		text[n++] = '0';
	return ai_parse_i64((struct ai_span){ text, n }, out);
}
