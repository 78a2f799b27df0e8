#include "base/money.h"

#include <stdio.h>
#include <string.h>

/* ---- text to integers --------------------------------------------------- */

/* 10^18 is the last power of ten that an int64_t holds. */
#define POWER_MAX 18
/* Exponents are cut off here; no text is long enough to make up for it. */
#define EXP_LIMIT INT64_C(1000000000000)

enum fault { FINE, NO_NUMBER, NEGATIVE, TOO_FINE, TOO_BIG, TOO_SMALL };

static const char *const fault_text[] = {
	[NO_NUMBER] = "is not a number",
	[NEGATIVE] = "is negative",
	[TOO_FINE] = "has more decimals than the ledger keeps",
	[TOO_BIG] = "is more than anyone can mean",
	[TOO_SMALL] = "is less than anyone can mean",
};

/* digits x 10^exp */
struct decimal {
	const char *p, *end; /* digits and perhaps one dot */
	int64_t exp;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_exponent(const char *p, const char *end, int64_t *exp)
{
	bool neg = p < end && *p == '-';

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return false;
		if (*exp < EXP_LIMIT)
			*exp = *exp * 10 + (*p - '0');
	}
	if (neg)
		*exp = -*exp;
	return true;
}

/* Splits the text; the digits come out without zeros at either end. */
static enum fault read_decimal(struct ai_span s, struct decimal *d)
{
	const char *p = s.p, *end = s.p + s.n, *dot = NULL;
	size_t digits = 0;

	*d = (struct decimal){ 0 };
	if (p < end && *p == '-')
		return NEGATIVE;
	if (p < end && *p == '$')
		p++;
	for (d->p = p; p < end && (is_digit(*p) || (*p == '.' && !dot)); p++)
		if (*p == '.')
			dot = p;
		else
			digits++;
	d->end = p;
	if (digits == 0)
		return NO_NUMBER;
	if (p < end && ((*p != 'e' && *p != 'E') ||
			!read_exponent(p + 1, end, &d->exp)))
		return NO_NUMBER;
	dot = dot != NULL ? dot : d->end;
	while (d->p < d->end && (*d->p == '0' || *d->p == '.'))
		d->p++;
	while (d->end > d->p && (d->end[-1] == '0' || d->end[-1] == '.'))
		d->end--;
	d->exp += d->end <= dot ? dot - d->end : dot + 1 - d->end;
	return FINE;
}

static enum fault add_digit(int64_t *v, int digit)
{
	return __builtin_mul_overflow(*v, 10, v) ||
		__builtin_add_overflow(*v, digit, v) ? TOO_BIG : FINE;
}

/* The digits before the point of d x 10^scale; *rest: some lie behind it. */
static enum fault to_integer(struct decimal d, int scale, int64_t *out,
			     bool *rest)
{
	int64_t n = 0, v = 0, e = d.exp + scale;

	*rest = false;
	*out = 0;
	if (d.p == d.end)
		return FINE;
	for (const char *p = d.p; p < d.end; p++)
		n += *p != '.';
	if (n + e > POWER_MAX + 1)
		return TOO_BIG;
	*rest = e < 0;
	for (n += e; d.p < d.end && n > 0; d.p++) {
		if (*d.p == '.')
			continue;
		if (add_digit(&v, *d.p - '0') != FINE)
			return TOO_BIG;
		n--;
	}
	for (; n > 0; n--)
		if (add_digit(&v, 0) != FINE)
			return TOO_BIG;
	*out = v;
	return FINE;
}

/* digits x 10^scale, and whether something is behind it. */
static enum fault convert(struct ai_span text, int scale, int64_t *v,
			  bool *rest)
{
	struct decimal d;
	enum fault f = read_decimal(text, &d);

	return f == FINE ? to_integer(d, scale, v, rest) : f;
}

static int tell(enum fault f, struct ai_span text, int scale,
		struct ai_err *err)
{
	int shown = text.n > 60 ? 60 : (int)text.n;

	if (f == TOO_FINE)
		return ai_err_set(err, AI_E_USAGE,
				  "'%.*s' has more than %d decimals", shown,
				  text.p, scale);
	if (f != FINE)
		return ai_err_set(err, AI_E_USAGE, "'%.*s' %s", shown,
				  text.n > 0 ? text.p : "", fault_text[f]);
	return 0;
}

static int parse(struct ai_span text, int scale, bool up, int64_t *out,
		 struct ai_err *err)
{
	bool rest = false;
	int64_t v = 0;
	enum fault f = convert(text, scale, &v, &rest);

	if (f == FINE && rest && !up)
		f = TOO_FINE;
	if (f == FINE && rest && __builtin_add_overflow(v, 1, &v))
		f = TOO_BIG;
	if (f == FINE)
		*out = v;
	return tell(f, text, scale, err);
}

int ai_rate_parse_up(struct ai_span text, int power, int64_t *pico,
		     bool *rounded, struct ai_err *err)
{
	int64_t v = 0;
	enum fault f = convert(text, 12 - power, &v, rounded);

	if (f == FINE && *rounded && v == 0)
		f = TOO_SMALL;
	if (f == FINE && *rounded && __builtin_add_overflow(v, 1, &v))
		f = TOO_BIG;
	if (f == FINE)
		*pico = v;
	return tell(f, text, 12 - power, err);
}

int ai_money_parse(struct ai_span text, int64_t *nano, struct ai_err *err)
{
	return parse(text, 9, false, nano, err);
}

int ai_money_parse_up(struct ai_span text, int64_t *nano, struct ai_err *err)
{
	return parse(text, 9, true, nano, err);
}

int ai_rate_parse(struct ai_span text, int64_t *pico, struct ai_err *err)
{
	return parse(text, 12, false, pico, err);
}

int ai_rate_parse_million(struct ai_span text, int64_t *pico,
			  struct ai_err *err)
{
	return parse(text, 6, false, pico, err);
}

/* ---- integers to text --------------------------------------------------- */

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* v / 10^decimals without zeros at the end, but at least so many decimals. */
static void put_decimal(const char *before, uint64_t v, int decimals,
			int least, char out[AI_MONEY_TEXT])
{
	char digits[AI_MONEY_TEXT], *p = digits + sizeof digits;
	int n = 0;

	*--p = '\0';
	for (; n < decimals; n++, v /= 10)
		if (*p != '\0' || v % 10 != 0 || decimals - n <= least)
			*--p = (char)('0' + v % 10);
	if (*p != '\0')
		*--p = '.';
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	while (*before != '\0')
		*out++ = *before++;
	memcpy(out, p, (size_t)(digits + sizeof digits - p));
}

void ai_money_text(int64_t nano, char out[AI_MONEY_TEXT])
{
	put_decimal(nano < 0 ? "-" : "", magnitude(nano), 9, 0, out);
}

void ai_rate_text_million(int64_t pico, char out[AI_MONEY_TEXT])
{
	put_decimal(pico < 0 ? "-" : "", magnitude(pico), 6, 0, out);
}

void ai_rate_text(int64_t pico, char out[AI_MONEY_TEXT])
{
	put_decimal(pico < 0 ? "-" : "", magnitude(pico), 12, 0, out);
}

void ai_money_show(int64_t nano, char out[AI_MONEY_TEXT])
{
	uint64_t v = magnitude(nano), unit = 10000000; /* a cent */

	while (unit > 1 && v < unit * 100)
		unit /= 10;
	v = (v + unit / 2) / unit * unit;
	put_decimal(nano < 0 ? "-$" : "$", v, 9, 2, out);
}

/* ---- sums --------------------------------------------------------------- */

void ai_sum_add(struct ai_sum *s, int64_t units, int64_t pico_rate)
{
	unsigned __int128 product;

	if (units < 0 || pico_rate < 0) {
		s->over = true;
		return;
	}
	product = (unsigned __int128)units * (unsigned __int128)pico_rate;
	for (unsigned i = 0; i < s->thousands; i++)
		if (__builtin_mul_overflow(product, (unsigned)1000, &product))
			s->over = true;
	if (__builtin_add_overflow(s->pico, product, &s->pico))
		s->over = true;
}

void ai_sum_scale(struct ai_sum *s, int64_t thousandths)
{
	if (thousandths < 0 ||
	    __builtin_mul_overflow(s->pico, (unsigned __int128)thousandths,
				   &s->pico))
		s->over = true;
	s->thousands++;
}

int ai_sum_nano(const struct ai_sum *s, int64_t *nano)
{
	unsigned __int128 v = s->pico, divisor = 1000, rest;

	if (s->over || s->thousands > 8)
		return -1;
	for (unsigned i = 0; i < s->thousands; i++)
		divisor *= 1000;
	rest = v % divisor;
	v = v / divisor + (rest != 0);
	if (v > INT64_MAX)
		return -1;
	*nano = (int64_t)v;
	return 0;
}
