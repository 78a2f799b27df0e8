/*
 * money.h: dollars as integers.
 *
 * Amounts are nano-dollars, rates pico-dollars a unit (a token, a request),
 * both int64_t: 9.2 billion dollars, and 9.2 million a unit.  Text is
 * decimal and is read exactly, never through a double.  A bill is a sum of
 * units x rate in 128 bits with one rounding, up, at its end.
 */
#ifndef AI_BASE_MONEY_H
#define AI_BASE_MONEY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define AI_NANO_DOLLAR INT64_C(1000000000)
#define AI_PICO_DOLLAR INT64_C(1000000000000)

/*
 * Dollars as nano-dollars.  The text is digits with at most one dot and at
 * most one exponent, and perhaps a $ before them: "100", "$100", ".5", "5.",
 * "2.5e-06".  No sign, no blanks, no separators.  -1 with AI_E_USAGE naming
 * the text: not a number, negative, more than 9 decimals (zeros at the end
 * aside), more than 9.2 billion dollars.
 */
int ai_money_parse(struct ai_span text, int64_t *nano, struct ai_err *err);
/* The same, but what lies between two nano-dollars is rounded up: for what
 * a provider tells, whose decimals often come out of a double. */
int ai_money_parse_up(struct ai_span text, int64_t *nano, struct ai_err *err);

/* Rates as pico-dollars a unit, from dollars a unit ("0.01": 12 decimals)
 * or dollars a million units ("2.50": 6 decimals); else as above. */
int ai_rate_parse(struct ai_span text, int64_t *pico, struct ai_err *err);
int ai_rate_parse_million(struct ai_span text, int64_t *pico,
			  struct ai_err *err);

/*
 * The same from a table that somebody else made: dollars for 10^power units
 * (0, 3 or 6), what lies between two pico-dollars rounded up, which *rounded
 * tells.  What is less than one pico-dollar but not 0 is refused, too.
 */
int ai_rate_parse_up(struct ai_span text, int power, int64_t *pico,
		     bool *rounded, struct ai_err *err);

#define AI_MONEY_TEXT 24

/* The shortest exact decimal, a JSON number: "0.0123", "100", "-0.5". */
void ai_money_text(int64_t nano, char out[AI_MONEY_TEXT]);
/* For people: "$12.50", "$0.0123", "-$0.50".  Two decimals; below a dollar
 * as many as three significant digits need.  Rounded to nearest, so that
 * what is not zero never looks like zero. */
void ai_money_show(int64_t nano, char out[AI_MONEY_TEXT]);
/* A rate as exact dollars a million units: "2.5". */
void ai_rate_text_million(int64_t pico, char out[AI_MONEY_TEXT]);
/* The same as dollars a unit: "0.01". */
void ai_rate_text(int64_t pico, char out[AI_MONEY_TEXT]);

/* A bill in the making; { 0 } is an empty one. */
struct ai_sum {
	unsigned __int128 pico;
	unsigned thousands; /* pico is to be divided by 1000 so many times */
	bool over;          /* too big for 128 bits; stays */
};

/* Adds units x rate; a negative number of either makes the sum overflow,
 * because no honest caller has one. */
void ai_sum_add(struct ai_sum *s, int64_t units, int64_t pico_rate);
/* Multiplies all so far by so many thousandths (1100: 10 % more), exactly;
 * what is added later is not multiplied. */
void ai_sum_scale(struct ai_sum *s, int64_t thousandths);
/* The sum in nano-dollars, rounded up.  -1: it does not fit. */
int ai_sum_nano(const struct ai_sum *s, int64_t *nano);

#endif
