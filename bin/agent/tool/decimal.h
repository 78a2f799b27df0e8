/*
 * decimal.h: exact decimal arithmetic, up to AGENT_DECIMAL_DIGITS digits; what
 * does not fit is an error, never another number.
 */
#ifndef AGENT_DECIMAL_H
#define AGENT_DECIMAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define AGENT_DECIMAL_DIGITS 1000
/* Of a quotient or root that does not come out even; the last is rounded, a
 * half to the even neighbour. */
#define AGENT_DECIMAL_PRECISION 34
/* Nine digits each; twice as many as a number has, for products. */
#define AGENT_DECIMAL_LIMBS 256

/* limbs, the lowest first, times 10 to the power of -scale. */
struct agent_decimal {
	uint32_t limb[AGENT_DECIMAL_LIMBS];
	int n;     /* of them; the highest is not 0; none is zero */
	int scale; /* 0 and more */
	bool neg;
};

enum agent_rounding { AGENT_ROUND_EVEN, AGENT_ROUND_HALF_UP, AGENT_FLOOR,
		      AGENT_CEIL, AGENT_TRUNC };

/* "12", "1.5", ".5", "1e6". -1: AI_E_RECORD. */
int agent_decimal_parse(struct agent_decimal *d, struct ai_span text,
			struct ai_err *err);
void agent_decimal_put(const struct agent_decimal *d, struct ai_buf *out);
void agent_decimal_of(struct agent_decimal *d, int64_t n);
/* -1: it is no whole number of this type. */
int agent_decimal_i64(const struct agent_decimal *d, int64_t *out);
int agent_decimal_cmp(const struct agent_decimal *a,
		      const struct agent_decimal *b);

/* out may be a or b.  AI_E_RECORD: too many digits, a division by zero, a root
 * of what is below zero. */
int agent_decimal_add(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err);
int agent_decimal_sub(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err);
int agent_decimal_mul(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err);
/* Exact if it has at most AGENT_DECIMAL_PRECISION digits, else rounded. */
int agent_decimal_div(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err);
/* What is left of a when b was taken out as often as goes into it; it has the
 * sign of a. */
int agent_decimal_rem(struct agent_decimal *out, const struct agent_decimal *a,
		      const struct agent_decimal *b, struct ai_err *err);
int agent_decimal_pow(struct agent_decimal *out, const struct agent_decimal *a,
		      int64_t exponent, struct ai_err *err);
int agent_decimal_sqrt(struct agent_decimal *out, const struct agent_decimal *a,
		       struct ai_err *err);
/* To so many digits behind the point; negative: before it. */
int agent_decimal_round(struct agent_decimal *d, int64_t digits,
			enum agent_rounding how, struct ai_err *err);

#endif
