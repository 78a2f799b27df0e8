/* interval.c: confidence intervals; the names of their methods are in the
 * header. */
#include "interval.h"

#include <math.h>
#include <stdbool.h>

static const struct cost_interval unknown = { NAN, NAN };

void cost_sample_add(struct cost_sample *s, double x)
{
	double off = x - s->mean;

	s->n++;
	s->mean += off / (double)s->n;
	s->squares += off * (x - s->mean);
}

/* ---- Student's distribution ------------------------------------------------------- */

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by
 * Lentz' method. */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), h, step, f;
	int m, odd;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	h = d;
	for (m = 1; m < 10000; m++) {
		for (odd = 0; odd < 2; odd++) {
			f = odd ? -(a + m) * (a + b + m) * x /
					((a + 2 * m) * (a + 2 * m + 1))
				: m * (b - m) * x /
					((a + 2 * m - 1) * (a + 2 * m));
			d = 1 + f * d;
			c = 1 + f / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			step = c * d;
			h *= step;
		}
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return h;
}

/* The regularized incomplete beta function I_x(a, b); y is 1 - x. */
static double beta(double a, double b, double x, double y)
{
	double front;

	if (x <= 0 || y <= 0)
		return x <= 0 ? 0 : 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) +
		    b * log(y));
	return x < (a + 1) / (a + b + 2)
		? front * beta_fraction(a, b, x) / a
		: 1 - front * beta_fraction(b, a, y) / b;
}

/* The probability of more than t, which is not negative. */
static double tail_of(double t, double df)
{
	if (isinf(df))
		return erfc(t / sqrt(2)) / 2;
	return beta(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t)) / 2;
}

double cost_student_t(double tail, double df)
{
	double low = 0, high = 1, middle;
	int i;

	/* With 1e9 of them it is the normal one in all digits that count. */
	if (df > 1e9)
		df = INFINITY;
	if (!(tail > 0) || !(df > 0))
		return INFINITY;
	while (tail_of(high, df) > tail && high < 1e12)
		high *= 2;
	for (i = 0; i < 200 && high - low > high * 1e-15; i++) {
		middle = (low + high) / 2;
		*(tail_of(middle, df) > tail ? &low : &high) = middle;
	}
	return (low + high) / 2;
}

/* ---- proportions ------------------------------------------------------------------- */

struct cost_interval cost_wilson(int64_t k, int64_t n, double level)
{
	double z = cost_student_t((1 - level) / 2, INFINITY), N = (double)n,
		p = (double)k / N, middle, half;

	if (n <= 0 || k < 0 || k > n)
		return unknown;
	middle = (p + z * z / (2 * N)) / (1 + z * z / N);
	half = z * sqrt(p * (1 - p) / N + z * z / (4 * N * N)) /
		(1 + z * z / N);
	/* At the ends they are just these; the roots are not, quite. */
	return (struct cost_interval){ k == 0 ? 0 : middle - half,
				       k == n ? 1 : middle + half };
}

struct cost_interval cost_newcombe(int64_t a, int64_t m, int64_t b, int64_t n,
				   double level)
{
	struct cost_interval x = cost_wilson(a, m, level),
		y = cost_wilson(b, n, level);
	double p = (double)a / (double)m, q = (double)b / (double)n;

	return (struct cost_interval){
		p - q - hypot(p - x.low, y.high - q),
		p - q + hypot(x.high - p, q - y.low),
	};
}

/* ---- means -------------------------------------------------------------------------- */

static double variance(const struct cost_sample *s)
{
	return s->squares / (double)(s->n - 1);
}

static struct cost_interval around(double middle, double error, double df,
				   double level)
{
	double half = error > 0 ? error * cost_student_t((1 - level) / 2, df)
				: 0;

	return (struct cost_interval){ middle - half, middle + half };
}

struct cost_interval cost_student(const struct cost_sample *s, double level)
{
	if (s->n < 2)
		return unknown;
	return around(s->mean, sqrt(variance(s) / (double)s->n),
		      (double)(s->n - 1), level);
}

struct cost_interval cost_welch(const struct cost_sample *a,
				const struct cost_sample *b, double level)
{
	double x, y, df;

	if (a->n < 2 || b->n < 2)
		return unknown;
	x = variance(a) / (double)a->n;
	y = variance(b) / (double)b->n;
	/* Welch and Satterthwaite. */
	df = (x + y) * (x + y) / (x * x / (double)(a->n - 1) +
				  y * y / (double)(b->n - 1));
	return around(a->mean - b->mean, sqrt(x + y), df, level);
}
