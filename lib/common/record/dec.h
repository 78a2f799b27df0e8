/*
 * dec.h: exact arithmetic on the text of JSON numbers, of any length.
 * Doubles would say that 0.3 is no multiple of 0.1, that 1.99999999999999999
 * is 2 and that 9007199254740993 equals 9007199254740992.
 */
#ifndef AI_RECORD_DEC_H
#define AI_RECORD_DEC_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The digits from p (one dot may stand between them) times ten to the power
 * of exp.  Normal form: the first and the last digit are not 0; 0 has no
 * digits.  Exponents are cut off at 2^60 either way.
 */
struct ai_dec {
	const char *p, *end; /* borrowed */
	size_t digits;
	int64_t exp;
	bool neg;
};

/* From the text of a JSON number (one that the scanner accepted). */
struct ai_dec ai_dec_of(struct ai_span number);
/* < 0, 0, > 0 */
int ai_dec_cmp(struct ai_dec a, struct ai_dec b);
bool ai_dec_whole(struct ai_dec a);
/* Equal numbers have equal hashes. */
uint64_t ai_dec_hash(struct ai_dec a);
/* -1: not whole, or too big. */
int ai_dec_i64(struct ai_dec a, int64_t *out);
/* Digits that a divisor may have. */
#define AI_DEC_DIVISOR_DIGITS 18
/* Whether a is a multiple of b > 0. */
bool ai_dec_multiple(struct ai_dec a, struct ai_dec b);

#endif
