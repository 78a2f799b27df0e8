/* ln.h: logarithms whose last bit does not depend on the C library. */
#ifndef AI_TEXT_LN_H
#define AI_TEXT_LN_H

#include <math.h>

/* ln(x) of a finite x > 0, by the series of 2 atanh((m-1)/(m+1)). */
static inline double ai_ln(double x)
{
	int shift, k;
	double m = frexp(x, &shift), t, sum = 0; /* frexp() is exact */

	if (m < 0.70710678118654752440) {
		m *= 2;
		shift--;
	}
	t = (m - 1) / (m + 1);
	for (k = 27; k > 0; k -= 2)
		sum = sum * t * t + 1.0 / k;
	return 2 * t * sum + shift * 0.69314718055994530942;
}

#endif
