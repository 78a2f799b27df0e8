#include "tool/decimal.h"

#include <stdlib.h>
#include <string.h>

#define BASE 1000000000u
#define BASE_DIGITS 9
#define LIMBS AGENT_DECIMAL_LIMBS

/* ---- whole numbers, without sign ------------------------------------------ */

static void trim(struct agent_decimal *d)
{
	while (d->n > 0 && d->limb[d->n - 1] == 0)
		d->n--;
	if (d->n == 0) {
		d->neg = false;
		d->scale = 0;
	}
}

static int digits_of(const struct agent_decimal *d)
{
	uint32_t top;
	int n;

	if (d->n == 0)
		return 0;
	n = (d->n - 1) * BASE_DIGITS;
	for (top = d->limb[d->n - 1]; top > 0; top /= 10)
		n++;
	return n;
}

/* d = d * m + add; false: no room. */
static bool times_small(struct agent_decimal *d, uint32_t m, uint32_t add)
{
	uint64_t carry = add;

	for (int i = 0; i < d->n; i++) {
		carry += (uint64_t)d->limb[i] * m;
		d->limb[i] = (uint32_t)(carry % BASE);
		carry /= BASE;
	}
	if (carry == 0)
		return true;
	if (d->n == LIMBS)
		return false;
	d->limb[d->n++] = (uint32_t)carry;
	return true;
}

/* Returns what is left. */
static uint32_t over_small(struct agent_decimal *d, uint32_t m)
{
	uint64_t left = 0;

	for (int i = d->n; i-- > 0;) {
		left = left * BASE + d->limb[i];
		d->limb[i] = (uint32_t)(left / m);
		left %= m;
	}
	while (d->n > 0 && d->limb[d->n - 1] == 0)
		d->n--;
	return (uint32_t)left;
}

/* Times 10 to the power of k >= 0. */
static bool shift_up(struct agent_decimal *d, int k)
{
	int whole = k / BASE_DIGITS;

	if (d->n == 0)
		return true;
	if (d->n + whole > LIMBS)
		return false;
	memmove(d->limb + whole, d->limb, (size_t)d->n * sizeof d->limb[0]);
	memset(d->limb, 0, (size_t)whole * sizeof d->limb[0]);
	d->n += whole;
	for (k %= BASE_DIGITS; k > 0; k--)
		if (!times_small(d, 10, 0))
			return false;
	return true;
}

static int cmp_whole(const struct agent_decimal *a,
		     const struct agent_decimal *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (int i = a->n; i-- > 0;)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

/* a += b */
static bool add_whole(struct agent_decimal *a, const struct agent_decimal *b)
{
	uint32_t carry = 0;
	int n = a->n > b->n ? a->n : b->n;

	for (int i = 0; i < n; i++) {
		carry += (i < a->n ? a->limb[i] : 0) +
			 (i < b->n ? b->limb[i] : 0);
		a->limb[i] = carry % BASE;
		carry /= BASE;
	}
	a->n = n;
	if (carry == 0)
		return true;
	if (n == LIMBS)
		return false;
	a->limb[a->n++] = carry;
	return true;
}

/* a -= b, which is not more. */
static void sub_whole(struct agent_decimal *a, const struct agent_decimal *b)
{
	int64_t borrow = 0, v;

	for (int i = 0; i < a->n; i++) {
		v = (int64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0) - borrow;
		borrow = v < 0;
		a->limb[i] = (uint32_t)(v + borrow * BASE);
	}
	while (a->n > 0 && a->limb[a->n - 1] == 0)
		a->n--;
}

/* The digit of a quotient: the most q with b * q <= left. */
static uint32_t quotient_limb(const struct agent_decimal *left,
			      const struct agent_decimal *b)
{
	uint32_t low = 0, high = BASE - 1, mid;
	struct agent_decimal t;

	while (low < high) {
		mid = low + (high - low + 1) / 2;
		t = *b;
		if (times_small(&t, mid, 0) && cmp_whole(&t, left) <= 0)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* a = a / b, *rest = a % b, both whole; b is not 0. */
static void div_whole(struct agent_decimal *a, const struct agent_decimal *b,
		      struct agent_decimal *rest)
{
	struct agent_decimal t;
	uint32_t q;

	memset(rest, 0, sizeof *rest);
	for (int i = a->n; i-- > 0;) {
		/* rest < b, so that this has room. */
		if (rest->n > 0)
			memmove(rest->limb + 1, rest->limb,
				(size_t)rest->n * sizeof rest->limb[0]);
		rest->limb[0] = a->limb[i];
		rest->n++;
		while (rest->n > 0 && rest->limb[rest->n - 1] == 0)
			rest->n--;
		q = cmp_whole(rest, b) < 0 ? 0 : quotient_limb(rest, b);
		a->limb[i] = q;
		if (q == 0)
			continue;
		t = *b;
		times_small(&t, q, 0);
		sub_whole(rest, &t);
	}
	while (a->n > 0 && a->limb[a->n - 1] == 0)
		a->n--;
}

/* ---- numbers --------------------------------------------------------------- */

static int too_long(struct ai_err *err)
{
	return ai_err_set(err, AI_E_RECORD, "the number has more than %d "
			  "digits", AGENT_DECIMAL_DIGITS);
}

/* No zeroes at the end of a fraction; not too many digits. */
static int settle(struct agent_decimal *d, struct ai_err *err)
{
	struct agent_decimal t;

	trim(d);
	while (d->scale > 0) {
		t = *d;
		if (over_small(&t, 10) != 0)
			break;
		t.scale--;
		*d = t;
	}
	trim(d);
	return digits_of(d) > AGENT_DECIMAL_DIGITS ||
	       d->scale > AGENT_DECIMAL_DIGITS ? too_long(err) : 0;
}

void agent_decimal_of(struct agent_decimal *d, int64_t n)
{
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	memset(d, 0, sizeof *d);
	d->neg = n < 0;
	for (; left > 0; left /= BASE)
		d->limb[d->n++] = (uint32_t)(left % BASE);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int agent_decimal_parse(struct agent_decimal *d, struct ai_span text,
			struct ai_err *err)
{
	const char *p = text.p, *end = p + text.n;
	int64_t exponent = 0;
	bool point = false, any = false;

	memset(d, 0, sizeof *d);
	for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		if (!times_small(d, 10, (uint32_t)(*p - '0')))
			return too_long(err);
		d->scale += point;
		if (d->scale > 2 * AGENT_DECIMAL_DIGITS)
			return too_long(err);
	}
	if (p < end && any && (*p == 'e' || *p == 'E')) {
		p += p + 1 < end && p[1] == '+' ? 2 : 1;
		if (ai_parse_i64((struct ai_span){ p, (size_t)(end - p) },
				 &exponent) == 0)
			p = end;
	}
	if (!any || p < end)
		return ai_err_set(err, AI_E_RECORD, "'%.*s' is not a number",
				  (int)(text.n > 60 ? 60 : text.n), text.p);
	if (d->n == 0)
		d->scale = 0;
	if (d->n > 0 && (exponent > AGENT_DECIMAL_DIGITS ||
			 exponent < -2 * AGENT_DECIMAL_DIGITS))
		return too_long(err);
	if (d->n > 0 && exponent > d->scale) {
		if (!shift_up(d, (int)exponent - d->scale))
			return too_long(err);
		d->scale = 0;
	} else if (d->n > 0) {
		d->scale -= (int)exponent;
	}
	return settle(d, err);
}

void agent_decimal_put(const struct agent_decimal *d, struct ai_buf *out)
{
	char text[LIMBS * BASE_DIGITS + 1];
	size_t at = sizeof text;
	int n = 0, want = d->scale + 1;

	for (int i = 0; i < d->n; i++) {
		uint32_t v = d->limb[i];

		for (int k = 0; k < BASE_DIGITS; k++, v /= 10)
			text[--at] = (char)('0' + v % 10);
	}
	while (at < sizeof text && text[at] == '0')
		at++;
	n = (int)(sizeof text - at);
	if (d->neg)
		ai_buf_chr(out, '-');
	for (int i = n < want ? want : n; i > 0; i--) {
		if (i == d->scale)
			ai_buf_chr(out, '.');
		ai_buf_chr(out, i > n ? '0' : text[sizeof text - (size_t)i]);
	}
}

int agent_decimal_i64(const struct agent_decimal *d, int64_t *out)
{
	uint64_t v = 0;

	if (d->scale > 0 || d->n > 2)
		return -1;
	for (int i = d->n; i-- > 0;)
		v = v * BASE + d->limb[i];
	*out = d->neg ? -(int64_t)v : (int64_t)v;
	return 0;
}

/* The same scale for both: the greater one. */
static bool align(struct agent_decimal *a, struct agent_decimal *b)
{
	int scale = a->scale > b->scale ? a->scale : b->scale;

	if (!shift_up(a, scale - a->scale) || !shift_up(b, scale - b->scale))
		return false;
	a->scale = b->scale = scale;
	return true;
}

int agent_decimal_cmp(const struct agent_decimal *a,
		      const struct agent_decimal *b)
{
	struct agent_decimal x = *a, y = *b;
	int cmp;

	if (x.neg != y.neg)
		return x.neg ? -1 : 1;
	/* Numbers that are settled have room for that: 2000 digits. */
	align(&x, &y);
	cmp = cmp_whole(&x, &y);
	return x.neg ? -cmp : cmp;
}

int agent_decimal_add(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err)
{
	struct agent_decimal x = *a, y = *b;

	if (!align(&x, &y))
		return too_long(err);
	if (x.neg == y.neg) {
		if (!add_whole(&x, &y))
			return too_long(err);
	} else if (cmp_whole(&x, &y) >= 0) {
		sub_whole(&x, &y);
	} else {
		sub_whole(&y, &x);
		x = y;
	}
	*out = x;
	return settle(out, err);
}

int agent_decimal_sub(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err)
{
	struct agent_decimal minus = *b;

	minus.neg = b->n > 0 && !b->neg;
	return agent_decimal_add(out, a, &minus, err);
}

int agent_decimal_mul(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err)
{
	struct agent_decimal r = { .n = a->n + b->n,
				   .scale = a->scale + b->scale,
				   .neg = a->neg != b->neg };
	uint64_t carry;

	if (r.n > LIMBS)
		return too_long(err);
	for (int i = 0; i < a->n; i++) {
		carry = 0;
		for (int k = 0; k < b->n || carry > 0; k++) {
			carry += r.limb[i + k];
			if (k < b->n)
				carry += (uint64_t)a->limb[i] * b->limb[k];
			r.limb[i + k] = (uint32_t)(carry % BASE);
			carry /= BASE;
		}
	}
	*out = r;
	return settle(out, err);
}

/* ---- rounding --------------------------------------------------------------- */

/* Adds one to a whole number. */
static bool step_up(struct agent_decimal *d)
{
	struct agent_decimal one;

	agent_decimal_of(&one, 1);
	return add_whole(d, &one);
}

/* Whether d, of which rest/whole was cut off, is to become one more (in
 * absolute value); half compares twice the rest with the whole. */
static bool goes_up(const struct agent_decimal *d, bool rest, int half,
		    enum agent_rounding how)
{
	switch (how) {
	case AGENT_ROUND_EVEN:
		return half > 0 || (half == 0 && d->n > 0 &&
				    d->limb[0] % 2 == 1);
	case AGENT_ROUND_HALF_UP:
		return half >= 0;
	case AGENT_FLOOR:
		return d->neg && rest;
	case AGENT_CEIL:
		return !d->neg && rest;
	case AGENT_TRUNC:
		break;
	}
	return false;
}

/* Cuts k > 0 digits off, which scale does not count any more. */
static bool cut(struct agent_decimal *d, int k, enum agent_rounding how)
{
	struct agent_decimal whole, rest, twice;
	bool neg = d->neg;
	int half;

	agent_decimal_of(&whole, 1);
	if (!shift_up(&whole, k))
		return false;
	div_whole(d, &whole, &rest);
	twice = rest;
	half = add_whole(&twice, &rest) ? cmp_whole(&twice, &whole) : 1;
	d->neg = neg;
	if (goes_up(d, rest.n > 0, half, how) && !step_up(d))
		return false;
	return true;
}

int agent_decimal_round(struct agent_decimal *d, int64_t digits,
			enum agent_rounding how, struct ai_err *err)
{
	int k;

	if (digits >= d->scale)
		return 0;
	if (digits < -AGENT_DECIMAL_DIGITS)
		return ai_err_set(err, AI_E_RECORD, "that many digits cannot be "
				  "rounded");
	k = d->scale - (int)digits;
	if (!cut(d, k, how))
		return too_long(err);
	d->scale = digits < 0 ? 0 : (int)digits;
	if (digits < 0 && !shift_up(d, (int)-digits))
		return too_long(err);
	return settle(d, err);
}

/* ---- division and what needs it -------------------------------------------- */

/* Without the last extra digits, and with that scale, which may be negative. */
static int finish(struct agent_decimal *out, struct agent_decimal *x, int scale,
		  int extra, struct ai_err *err)
{
	if (extra > 0) {
		if (!cut(x, extra, AGENT_ROUND_EVEN))
			return too_long(err);
		scale -= extra;
	}
	if (scale < 0 && !shift_up(x, -scale))
		return too_long(err);
	x->scale = scale < 0 ? 0 : scale;
	*out = *x;
	return settle(out, err);
}

int agent_decimal_div(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err)
{
	struct agent_decimal x = *a, y = *b, rest;
	int up, scale, extra;

	if (y.n == 0)
		return ai_err_set(err, AI_E_RECORD, "division by zero");
	/* So many digits more that the quotient has two more than it shall;
	 * the last of those says that something was left. */
	up = AGENT_DECIMAL_PRECISION + 2 + digits_of(&y) - digits_of(&x);
	up = up < 0 ? 0 : up;
	if (!shift_up(&x, up))
		return too_long(err);
	scale = x.scale + up - y.scale;
	div_whole(&x, &y, &rest);
	x.neg = a->neg != b->neg;
	extra = digits_of(&x) - AGENT_DECIMAL_PRECISION;
	if (rest.n > 0) {
		/* Sticky: a half is not a half when there is more. */
		if (!times_small(&x, 10, 1))
			return too_long(err);
		scale++;
		extra++;
	} else {
		extra = 0; /* it came out even */
	}
	return finish(out, &x, scale, extra, err);
}

int agent_decimal_rem(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err)
{
	struct agent_decimal x = *a, y = *b, rest;

	if (y.n == 0)
		return ai_err_set(err, AI_E_RECORD, "division by zero");
	if (!align(&x, &y))
		return too_long(err);
	div_whole(&x, &y, &rest);
	rest.scale = x.scale;
	rest.neg = a->neg;
	*out = rest;
	return settle(out, err);
}

int agent_decimal_pow(struct agent_decimal *out, const struct agent_decimal *a,
		      int64_t exponent, struct ai_err *err)
{
	uint64_t n = exponent < 0 ? 0 - (uint64_t)exponent :
				    (uint64_t)exponent;
	struct agent_decimal base = *a, r, one;

	agent_decimal_of(&one, 1);
	r = one;
	for (; n > 0; n >>= 1) {
		if ((n & 1) != 0 && agent_decimal_mul(&r, &r, &base, err) < 0)
			return -1;
		if (n > 1 && agent_decimal_mul(&base, &base, &base, err) < 0)
			return -1;
	}
	if (exponent < 0)
		return agent_decimal_div(out, &one, &r, err);
	*out = r;
	return 0;
}

/* The whole root of a whole number, rounded down: Newton from above.  Whether
 * it came out even. */
static bool root_whole(struct agent_decimal *d)
{
	struct agent_decimal x, y, rest;

	if (d->n == 0)
		return true;
	agent_decimal_of(&x, 1);
	shift_up(&x, (digits_of(d) + 1) / 2);
	for (;;) {
		y = *d;
		div_whole(&y, &x, &rest);
		if (cmp_whole(&y, &x) >= 0)
			break;
		add_whole(&y, &x);
		over_small(&y, 2);
		x = y;
	}
	*d = x;
	return rest.n == 0 && cmp_whole(&y, &x) == 0;
}

int agent_decimal_sqrt(struct agent_decimal *out, const struct agent_decimal *a,
		       struct ai_err *err)
{
	struct agent_decimal x = *a;
	int up, extra, scale;

	if (x.neg)
		return ai_err_set(err, AI_E_RECORD, "the square root of a "
				  "number below zero");
	up = 2 * (AGENT_DECIMAL_PRECISION + 2) - digits_of(&x);
	up = up < 0 ? 0 : up;
	up += (x.scale + up) % 2;
	if (!shift_up(&x, up))
		return too_long(err);
	scale = (x.scale + up) / 2;
	if (root_whole(&x))
		return finish(out, &x, scale, 0, err);
	if (!times_small(&x, 10, 1)) /* sticky, as above */
		return too_long(err);
	extra = digits_of(&x) - AGENT_DECIMAL_PRECISION;
	return finish(out, &x, scale + 1, extra, err);
}
