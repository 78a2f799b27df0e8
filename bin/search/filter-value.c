/* filter-value.c: what a value in a document and one in --where say of each
 * other. */
#include "filter.h"

#include "crypt/hash.h"

#include <string.h>

void search_long_value(struct ai_span text, struct ai_buf *out)
{
	unsigned char raw[(AI_HASH_HEX - 1) / 2];
	char hex[AI_HASH_HEX];
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, text.p, text.n);
	ai_hash_hex(&h, hex);
	ai_unhex(hex, AI_HASH_HEX - 1, raw);
	ai_buf_add(out, text.p, SEARCH_VALUE_MAX);
	ai_buf_add(out, raw, sizeof(raw));
}

/* ---- numbers ---------------------------------------------------------------- */

static size_t digits(struct ai_span s, size_t i)
{
	size_t from = i;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

bool search_is_number(struct ai_span s)
{
	size_t i = s.n > 0 && s.p[0] == '-', n = digits(s, i);

	if (n == 0 || (n > 1 && s.p[i] == '0'))
		return false;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		n = digits(s, ++i);
		i += n;
		if (n == 0)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		n = digits(s, i);
		i += n;
		if (n == 0)
			return false;
	}
	return i == s.n;
}

/* ---- dates -------------------------------------------------------------------- */

/* Days from 1970-01-01 in the calendar of today, carried back. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	/* Years that begin in March have their odd day at the end. */
	int64_t years = m <= 2 ? y - 1 : y, month = (m + 9) % 12;
	int64_t cycle = (years + 400) / 400 - 1, of = years - cycle * 400;
	int64_t day = (153 * month + 2) / 5 + d - 1;

	return cycle * 146097 + of * 365 + of / 4 - of / 100 + day - 719468;
}

static int month_days(int y, int m)
{
	static const signed char days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* What is left to read. */
struct text {
	const char *p;
	size_t n;
};

static bool take(struct text *t, char c)
{
	if (t->n == 0 || *t->p != c)
		return false;
	t->p++;
	t->n--;
	return true;
}

/* So many digits, at least low and at most high. */
static bool number(struct text *t, size_t n, int low, int high, int *out)
{
	size_t i;

	if (t->n < n)
		return false;
	for (*out = 0, i = 0; i < n; i++) {
		if (t->p[i] < '0' || t->p[i] > '9')
			return false;
		*out = *out * 10 + t->p[i] - '0';
	}
	t->p += n;
	t->n -= n;
	return *out >= low && *out <= high;
}

static bool fraction(struct text *t, uint32_t *ns)
{
	uint32_t unit = 100000000;
	size_t n = 0;

	for (; t->n > 0 && *t->p >= '0' && *t->p <= '9'; t->p++, t->n--) {
		*ns += (uint32_t)(*t->p - '0') * unit;
		unit /= 10;
		n++;
	}
	return n > 0;
}

/* Z, or how far local time is ahead. */
static bool zone(struct text *t, int64_t *ahead)
{
	int hours, minutes = 0;
	bool minus;

	*ahead = 0;
	if (t->n == 0 || take(t, 'Z') || take(t, 'z'))
		return true;
	minus = take(t, '-');
	if ((!minus && !take(t, '+')) || !number(t, 2, 0, 23, &hours))
		return false;
	if (take(t, ':') ? !number(t, 2, 0, 59, &minutes)
			 : t->n > 0 && !number(t, 2, 0, 59, &minutes))
		return false;
	*ahead = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

/* hh[:mm[:ss[.f]]] and a zone; *unit is how much of time was written. */
static bool clock_time(struct text *t, bool basic, struct search_date *d,
		       int64_t *unit)
{
	int h, m = 0, s = 0;
	int64_t ahead;

	*unit = 3600;
	if (!number(t, 2, 0, 24, &h))
		return false;
	if (basic ? t->n > 0 && *t->p >= '0' && *t->p <= '9' : take(t, ':')) {
		*unit = 60;
		if (!number(t, 2, 0, 59, &m))
			return false;
		if (basic ? t->n > 0 && *t->p >= '0' && *t->p <= '9'
			  : take(t, ':')) {
			*unit = 0;
			if (!number(t, 2, 0, 60, &s))
				return false;
			if ((take(t, '.') || take(t, ',')) &&
			    !fraction(t, &d->ns))
				return false;
		}
	}
	/* The day's last moment is the next one's first. */
	if ((h == 24 && (m != 0 || s != 0 || d->ns != 0)) || !zone(t, &ahead))
		return false;
	d->s += h * 3600 + m * 60 + s - ahead;
	return true;
}

static bool with_time(struct text *t, bool basic, int64_t day,
		      struct search_date *d)
{
	int64_t unit = 86400;

	d->s = day * 86400;
	if (t->n > 0) {
		if (!take(t, 'T') && !take(t, 't') && !take(t, ' '))
			return false;
		if (!clock_time(t, basic, d, &unit))
			return false;
	}
	d->to = d->s + unit;
	return t->n == 0;
}

bool search_date_read(struct ai_span s, struct search_date *d)
{
	struct text t = { s.p, s.n };
	int y, m = 1, day = 1;

	*d = (struct search_date){ 0, 0, 0 };
	if (!number(&t, 4, 0, 9999, &y))
		return false;
	if (t.n > 4 && *t.p != '-') {
		/* Eight digits alone are a number. */
		return number(&t, 2, 1, 12, &m) &&
			number(&t, 2, 1, month_days(y, m), &day) && t.n > 0 &&
			with_time(&t, true, days_of(y, m, day), d);
	}
	d->s = days_of(y, 1, 1) * 86400;
	if (t.n == 0) {
		d->to = days_of(y + 1, 1, 1) * 86400;
		return true;
	}
	if (!take(&t, '-') || !number(&t, 2, 1, 12, &m))
		return false;
	d->s = days_of(y, m, 1) * 86400;
	if (t.n == 0) {
		d->to = d->s + month_days(y, m) * 86400;
		return true;
	}
	return take(&t, '-') && number(&t, 2, 1, month_days(y, m), &day) &&
		with_time(&t, false, days_of(y, m, day), d);
}

/* ---- tests -------------------------------------------------------------------- */

/* Whether a comparison that came to < 0, 0 or > 0 is what is asked for. */
static bool is_so(enum search_compare how, int order)
{
	switch (how) {
	case SEARCH_IF_LT:
		return order < 0;
	case SEARCH_IF_LE:
		return order <= 0;
	case SEARCH_IF_GT:
		return order > 0;
	case SEARCH_IF_GE:
		return order >= 0;
	default:
		return order == 0;
	}
}

/* A day, month or year in --where stands for all of it: <= its end. */
static bool date_holds(const struct search_test *t, const struct search_date *v)
{
	const struct search_date *d = &t->date;
	int order;

	if (d->to > d->s && (t->how == SEARCH_IF_LE || t->how == SEARCH_IF_GT))
		return (v->s < d->to) == (t->how == SEARCH_IF_LE);
	order = (v->s > d->s) - (v->s < d->s);
	if (order == 0)
		order = (v->ns > d->ns) - (v->ns < d->ns);
	return is_so(t->how, order);
}

static bool range_holds(const struct search_test *t, enum search_kind kind,
			struct ai_span value)
{
	struct search_date date;

	if (t->is_number &&
	    (kind == SEARCH_IS_NUMBER ||
	     (kind == SEARCH_IS_STRING && search_is_number(value))))
		return is_so(t->how, ai_dec_cmp(ai_dec_of(value), t->number));
	return t->is_date && kind == SEARCH_IS_STRING &&
		search_date_read(value, &date) && date_holds(t, &date);
}

static bool equals(const struct search_test *t, enum search_kind kind,
		   struct ai_span value)
{
	if (kind == SEARCH_IS_LONG)
		return t->cut != NULL &&
			value.n == SEARCH_VALUE_MAX + 16 &&
			memcmp(value.p, t->cut, value.n) == 0;
	if (t->quoted && kind != SEARCH_IS_STRING)
		return false;
	if (kind == SEARCH_IS_NUMBER && t->is_number)
		return ai_dec_cmp(ai_dec_of(value), t->number) == 0;
	return value.n == t->value.n &&
		memcmp(value.p, t->value.p, value.n) == 0;
}

bool search_test_holds(const struct search_test *t, enum search_kind kind,
		       struct ai_span value)
{
	if (t->how == SEARCH_IF_ANY)
		return true;
	if (kind == SEARCH_IS_NODE)
		return false;
	if (t->how == SEARCH_IF_EQ)
		return equals(t, kind, value);
	if (t->how != SEARCH_IF_PREFIX)
		return range_holds(t, kind, value);
	if (t->quoted && kind != SEARCH_IS_STRING && kind != SEARCH_IS_LONG)
		return false;
	/* The hash behind a long one is none of its letters. */
	if (kind == SEARCH_IS_LONG)
		value.n = SEARCH_VALUE_MAX;
	return value.n >= t->value.n &&
		memcmp(value.p, t->value.p, t->value.n) == 0;
}
