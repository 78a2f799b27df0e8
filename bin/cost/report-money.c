/* report-money.c: amounts in another currency: only to be looked at. */
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NANO 1000000000
#define RATE_MAX ((int64_t)1000000 * NANO)

static char code[4] = "usd";
static int64_t rate = NANO; /* of a dollar, in thousand millionths */

int report_currency(struct ai_err *err)
{
	const char *c = cost.currency;
	size_t i;

	if (c == NULL && cost.rate == NULL)
		return 0;
	if (c == NULL || cost.rate == NULL)
		return ai_err_set(err, AI_E_USAGE, "--currency and --rate go "
				  "together: --currency EUR --rate 0.92 (euros "
				  "for a dollar)");
	if (strlen(c) != 3 || !isalpha((unsigned char)c[0]) ||
	    !isalpha((unsigned char)c[1]) || !isalpha((unsigned char)c[2]))
		return ai_err_set(err, AI_E_USAGE, "--currency: '%.20s' is no "
				  "code of three letters, such as EUR", c);
	if (ai_money_parse(ai_span_of(cost.rate), &rate, err) < 0)
		return -1;
	if (rate <= 0 || rate > RATE_MAX)
		return ai_err_set(err, AI_E_USAGE, "--rate: '%.40s' is not "
				  "between 0.000000001 and a million",
				  cost.rate);
	for (i = 0; i < 3; i++)
		code[i] = (char)tolower((unsigned char)c[i]);
	return 0;
}

const char *report_code(void)
{
	return code;
}

/* Both have nine decimals; so the product has eighteen, and is exact. */
void report_money_text(int64_t nano, char out[REPORT_MONEY])
{
	__int128 all = (__int128)nano * rate;
	unsigned __int128 n = all < 0 ? -(unsigned __int128)all
				      : (unsigned __int128)all;
	char digits[48];
	int len = 0, i, at = 0, last = 0;

	for (; n > 0 || len < 19; n /= 10)
		digits[len++] = (char)('0' + (int)(n % 10));
	while (last < 18 && digits[last] == '0')
		last++;
	if (all < 0)
		out[at++] = '-';
	for (i = len - 1; i >= last || i >= 18; i--) {
		if (i == 17)
			out[at++] = '.';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

void report_money_show(int64_t nano, char out[REPORT_MONEY])
{
	__int128 v = (__int128)nano * rate, half = NANO / 2;
	char text[AI_MONEY_TEXT], *sign;
	size_t i;

	v = (v + (v < 0 ? -half : half)) / NANO;
	if (v > INT64_MAX || v < INT64_MIN) {
		snprintf(out, REPORT_MONEY, "?");
		return;
	}
	ai_money_show((int64_t)v, text);
	if (strcmp(code, "usd") == 0) {
		snprintf(out, REPORT_MONEY, "%s", text);
		return;
	}
	sign = strchr(text, '$');
	if (sign != NULL)
		memmove(sign, sign + 1, strlen(sign));
	snprintf(out, REPORT_MONEY, "%s %s", text, code);
	for (i = strlen(text); out[i] != '\0'; i++)
		out[i] = (char)toupper((unsigned char)out[i]);
}
