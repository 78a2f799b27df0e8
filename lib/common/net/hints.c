#include "net/hints.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define SECONDS_MAX 1e9

void ai_hints_clear(struct ai_hints *h)
{
	for (int i = 0; i < AI_HINTS; i++)
		h->of[i] = (struct ai_hint){ .reset = -1 };
}

/* ---- what is told ------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The unit that text begins with, in seconds; its length in *n. */
static double unit_of(struct ai_span text, size_t *n)
{
	static const struct {
		const char *name;
		double s;
	} units[] = {
		/* The longer of two that begin alike comes first. */
		{ "ms", 1e-3 }, { "us", 1e-6 }, { "\xC2\xB5s", 1e-6 },
		{ "ns", 1e-9 }, { "h", 3600 }, { "m", 60 }, { "s", 1 },
	};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		*n = strlen(units[i].name);
		if (*n <= text.n && memcmp(text.p, units[i].name, *n) == 0)
			return units[i].s;
	}
	return -1;
}

double ai_hints_duration(struct ai_span text)
{
	double sum = 0, v, unit;
	size_t n, used;

	if (ai_parse_f64(text, &v) == 0)
		return v > 0 && v < SECONDS_MAX ? v : -1;
	if (text.n == 0)
		return -1;
	while (text.n > 0) {
		n = 0;
		while (n < text.n && (is_digit(text.p[n]) || text.p[n] == '.'))
			n++;
		if (ai_parse_f64((struct ai_span){ text.p, n }, &v) < 0)
			return -1;
		text = (struct ai_span){ text.p + n, text.n - n };
		unit = unit_of(text, &used);
		if (unit < 0)
			return -1;
		text = (struct ai_span){ text.p + used, text.n - used };
		sum += v * unit;
	}
	return sum > 0 && sum < SECONDS_MAX ? sum : -1;
}

/* Whether text has a digit where the form has 0, and else the same. */
static bool has_form(struct ai_span text, const char *form)
{
	if (text.n < strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == '0' ? !is_digit(text.p[i])
				   : text.p[i] != form[i])
			return false;
	return true;
}

/* The number of n digits. */
static int number(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++)
		v = v * 10 + p[i] - '0';
	return v;
}

/* "Z", "+02:00", ".25Z": what fraction and zone add, in seconds. */
static int take_zone(struct ai_span text, double *s)
{
	double part = 0.1;
	size_t i = 0;
	int east;

	*s = 0;
	if (text.n > 0 && text.p[0] == '.')
		for (i = 1; i < text.n && is_digit(text.p[i]); i++, part /= 10)
			*s += (text.p[i] - '0') * part;
	text = (struct ai_span){ text.p + i, text.n - i };
	if (ai_span_is(text, "Z"))
		return 0;
	if (text.n != 6 || (text.p[0] != '+' && text.p[0] != '-') ||
	    !has_form((struct ai_span){ text.p + 1, 5 }, "00:00"))
		return -1;
	east = number(text.p + 1, 2) * 3600 + number(text.p + 4, 2) * 60;
	*s += text.p[0] == '+' ? -east : east;
	return 0;
}

double ai_hints_date(struct ai_span text)
{
	static const char form[] = "0000-00-00T00:00:00";
	const size_t n = sizeof form - 1;
	struct tm t = { .tm_isdst = 0 };
	double more;
	time_t s;

	if (!has_form(text, form) ||
	    take_zone((struct ai_span){ text.p + n, text.n - n }, &more) < 0)
		return -1;
	t.tm_year = number(text.p, 4) - 1900;
	t.tm_mon = number(text.p + 5, 2) - 1;
	t.tm_mday = number(text.p + 8, 2);
	t.tm_hour = number(text.p + 11, 2);
	t.tm_min = number(text.p + 14, 2);
	t.tm_sec = number(text.p + 17, 2);
	if (t.tm_mon < 0 || t.tm_mon > 11 || t.tm_mday < 1 ||
	    t.tm_mday > 31 || t.tm_hour > 23 || t.tm_min > 59 ||
	    t.tm_sec > 60)
		return -1;
	s = timegm(&t);
	return s < 0 ? -1 : (double)s + more;
}

/* ---- headers ------------------------------------------------------------ */

enum { REQUESTS, TOKENS, INPUT, OUTPUT };

static const struct {
	struct ai_span name;
	int of;
	enum { RESET_IN, RESET_AT, LEFT } what;
} headers[] = {
	{ AI_SPAN("x-ratelimit-reset-requests"), REQUESTS, RESET_IN },
	{ AI_SPAN("x-ratelimit-reset-tokens"), TOKENS, RESET_IN },
	{ AI_SPAN("x-ratelimit-remaining-requests"), REQUESTS, LEFT },
	{ AI_SPAN("x-ratelimit-remaining-tokens"), TOKENS, LEFT },
	{ AI_SPAN("anthropic-ratelimit-requests-reset"), REQUESTS, RESET_AT },
	{ AI_SPAN("anthropic-ratelimit-tokens-reset"), TOKENS, RESET_AT },
	{ AI_SPAN("anthropic-ratelimit-input-tokens-reset"), INPUT, RESET_AT },
	{ AI_SPAN("anthropic-ratelimit-output-tokens-reset"), OUTPUT, RESET_AT },
	{ AI_SPAN("anthropic-ratelimit-requests-remaining"), REQUESTS, LEFT },
	{ AI_SPAN("anthropic-ratelimit-tokens-remaining"), TOKENS, LEFT },
	{ AI_SPAN("anthropic-ratelimit-input-tokens-remaining"), INPUT, LEFT },
	{ AI_SPAN("anthropic-ratelimit-output-tokens-remaining"), OUTPUT, LEFT },
};

void ai_hints_take(struct ai_hints *h, struct ai_span name,
		   struct ai_span value)
{
	struct ai_hint *hint;
	int64_t left;

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		if (headers[i].name.n != name.n ||
		    strncasecmp(headers[i].name.p, name.p, name.n) != 0)
			continue;
		hint = &h->of[headers[i].of];
		if (headers[i].what == LEFT) {
			hint->none = ai_parse_i64(value, &left) == 0 &&
				left == 0;
			return;
		}
		hint->dated = headers[i].what == RESET_AT;
		hint->reset = hint->dated ? ai_hints_date(value)
					  : ai_hints_duration(value);
		return;
	}
}

double ai_hints_wait(const struct ai_hints *h, double now)
{
	double longest[2] = { -1, -1 }, s; /* of all; of those used up */

	for (int i = 0; i < AI_HINTS; i++) {
		const struct ai_hint *one = &h->of[i];

		if (one->reset < 0)
			continue;
		s = one->dated ? one->reset - now : one->reset;
		if (s <= 0)
			continue;
		if (s > longest[0])
			longest[0] = s;
		if (one->none && s > longest[1])
			longest[1] = s;
	}
	return longest[1] > 0 ? longest[1] : longest[0];
}
