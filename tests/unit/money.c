/* base/money: decimals read and written exactly, sums rounded up once. */
#include "base/money.h"

#include "tap.h"

#include <inttypes.h>
#include <string.h>

static struct ai_err err;

static void gives(const char *text, int64_t nano)
{
	int64_t v = -7;

	ok(ai_money_parse(ai_span_of(text), &v, &err) == 0 && v == nano,
	   "%s is %" PRId64 " (%" PRId64 ")", text, nano, v);
}

static void refused(const char *text, const char *why)
{
	int64_t v = -7;

	err.msg[0] = '\0';
	ok(ai_money_parse(ai_span_of(text), &v, &err) < 0 && v == -7 &&
	   err.code == AI_E_USAGE && strstr(err.msg, why) != NULL &&
	   strstr(err.msg, text) != NULL,
	   "'%s' is refused: %s", text, err.msg);
}

static void test_parse(void)
{
	gives("0.50", 500000000);
	gives("$100", INT64_C(100000000000));
	gives("2.5e-06", 2500);
	gives(".5", 500000000);
	gives("5.", INT64_C(5000000000));
	gives("0", 0);
	gives("$0.00", 0);
	gives("0e99999999999999999999", 0);
	gives("0.000000001", 1);
	gives("1e-9", 1);
	gives("0.0000000010000000000000000000000000", 1);
	gives("000000000000000000000000000000000012", INT64_C(12000000000));
	gives("0.1", 100000000);
	gives("0.3", 300000000);
	gives("1234567.123456789", INT64_C(1234567123456789));
	gives("9223372036.854775807", INT64_MAX);
	gives("1E+3", INT64_C(1000000000000));
	gives("100000000000e-11", 1000000000);
	gives("0.00000000001e2", 1);
	refused("9223372036.854775808", "more than anyone");
	refused("1e10", "more than anyone");
	refused("1e18446744073709551616", "more than anyone");
	refused("99999999999999999999999999", "more than anyone");
	refused("0.0000000001", "9 decimals");
	refused("1e-10", "9 decimals");
	refused("1e-99999999999999999999", "9 decimals");
	refused("1.0000000000000000000000000001", "9 decimals");
	refused("-1", "negative");
	refused("-0", "negative");
	refused("-$5", "negative");
}

static void test_nonsense(void)
{
	static const char *const bad[] = {
		"", "$", ".", "e5", "1e", "1e+", "1e5x", "1.2.3", "+1", "1 ",
		" 1", "1,000", "0x10", "nan", "inf", "Infinity", "1_000",
		"$$1", "1$", "one", "\xEF\xBC\x91", "1e5.0", "$-1", "1e--1",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i], "is not a number");
	ok(ai_money_parse((struct ai_span){ "1\0002", 3 }, &(int64_t){ 0 },
			  &err) < 0, "a NUL is no digit");
}

static void test_rates(void)
{
	static const struct {
		const char *text;
		int64_t unit, million; /* -1: refused */
	} t[] = {
		{ "2.50", INT64_C(2500000000000), 2500000 },
		{ "0.003625", INT64_C(3625000000), 3625 },
		{ "0.000001", 1000000, 1 },
		{ "0.0000001", 100000, -1 },
		{ "2.5e-06", 2500000, -1 },
		{ "9223372.036854775807", INT64_MAX, -1 },
		{ "9223372.036854775808", -1, -1 },
		{ "0.0375", INT64_C(37500000000), 37500 },
	};
	int64_t v;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ai_span s = ai_span_of(t[i].text);

		v = ai_rate_parse(s, &v, &err) < 0 ? -1 : v;
		ok(v == t[i].unit, "%s a unit: %" PRId64, t[i].text, v);
		v = ai_rate_parse_million(s, &v, &err) < 0 ? -1 : v;
		ok(v == t[i].million, "%s a million: %" PRId64, t[i].text, v);
	}
}

static void test_up(void)
{
	static const struct {
		const char *text;
		int64_t nano;
	} t[] = {
		{ "0.00012299999999999998", 123000 },
		{ "0.000123", 123000 },
		{ "1e-30", 1 },
		{ "0.0000000011", 2 },
		{ "0.0e-30", 0 },
		{ "1e-99999999999999", 1 },
		{ "9223372036.854775806999", INT64_MAX },
		{ "9223372036.8547758071", -1 },
		{ "-0.1", -1 },
	};
	int64_t v;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ai_span s = ai_span_of(t[i].text);

		v = ai_money_parse_up(s, &v, &err) < 0 ? -1 : v;
		ok(v == t[i].nano, "%s rounds up to %" PRId64, t[i].text, v);
	}
}

static void test_print(void)
{
	static const struct {
		int64_t nano;
		const char *exact, *shown, *million;
	} t[] = {
		{ 0, "0", "$0.00", "0" },
		{ 1, "0.000000001", "$0.000000001", "0.000001" },
		{ 12300000, "0.0123", "$0.0123", "12.3" },
		{ 12345678, "0.012345678", "$0.0123", "12.345678" },
		{ 500000000, "0.5", "$0.50", "500" },
		{ 999600000, "0.9996", "$1.00", "999.6" },
		{ -500000000, "-0.5", "-$0.50", "-500" },
		{ INT64_C(100000000000), "100", "$100.00", "100000" },
		{ INT64_C(12345000000), "12.345", "$12.35", "12345" },
		{ INT64_MAX, "9223372036.854775807", "$9223372036.85",
		  "9223372036854.775807" },
		{ INT64_MIN, "-9223372036.854775808", "-$9223372036.85",
		  "-9223372036854.775808" },
	};
	char out[AI_MONEY_TEXT];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ai_money_text(t[i].nano, out);
		ok(strcmp(out, t[i].exact) == 0, "%s exactly", out);
		ai_money_show(t[i].nano, out);
		ok(strcmp(out, t[i].shown) == 0, "%s for people", out);
		ai_rate_text_million(t[i].nano, out);
		ok(strcmp(out, t[i].million) == 0, "%s a million", out);
	}
}

/* What is printed reads back as the same number, for numbers of all sizes. */
static void test_round_trip(void)
{
	uint64_t x = 88172645463325252u;
	char out[AI_MONEY_TEXT];
	int bad = 0;

	for (int i = 0; i < 20000; i++) {
		int64_t nano, back;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		nano = (int64_t)(x >> (1 + i % 63));
		ai_money_text(nano, out);
		bad += ai_money_parse(ai_span_of(out), &back, &err) < 0 ||
			back != nano;
		ai_rate_text_million(nano, out);
		bad += ai_rate_parse_million(ai_span_of(out), &back, &err) <
			0 || back != nano;
	}
	ok(bad == 0, "20000 amounts come back as they were");
}

static void test_sum(void)
{
	struct ai_sum s = { 0 };
	int64_t nano = -1;

	ok(ai_sum_nano(&s, &nano) == 0 && nano == 0, "nothing costs nothing");
	ai_sum_add(&s, 1, 1);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 1, "a pico rounds up");
	ai_sum_add(&s, 999, 1);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 1, "and 1000 are no more");
	ai_sum_add(&s, 1, 1);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 2, "and 1001 are two");
	s = (struct ai_sum){ 0 };
	ai_sum_add(&s, 3, 1000);
	ai_sum_scale(&s, 1100);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 4, "3 nano and a tenth: 4");
	s = (struct ai_sum){ 0 };
	ai_sum_add(&s, 10, 1000);
	ai_sum_scale(&s, 1100);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 11, "10 and a tenth: 11");
	ai_sum_add(&s, 7, 1000);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == 18, "and 7 as they are: 18");
}

static void test_overflow(void)
{
	struct ai_sum s = { 0 };
	int64_t nano = -1;

	ai_sum_add(&s, INT64_MAX, 1000);
	ok(ai_sum_nano(&s, &nano) == 0 && nano == INT64_MAX,
	   "the most there is");
	ai_sum_add(&s, 1, 1);
	ok(ai_sum_nano(&s, &nano) < 0, "a pico more does not fit");
	s = (struct ai_sum){ 0 };
	for (int i = 0; i < 5; i++)
		ai_sum_add(&s, INT64_MAX, INT64_MAX);
	ok(s.over && ai_sum_nano(&s, &nano) < 0, "128 bits are not passed");
	ai_sum_add(&s, 0, 0);
	ok(s.over, "and that is not forgotten");
	s = (struct ai_sum){ 0 };
	ai_sum_add(&s, -1, 5);
	ok(ai_sum_nano(&s, &nano) < 0, "a negative number of tokens");
	s = (struct ai_sum){ 0 };
	ai_sum_add(&s, 5, -1);
	ok(ai_sum_nano(&s, &nano) < 0, "a negative rate");
	s = (struct ai_sum){ 0 };
	ai_sum_add(&s, INT64_MAX, INT64_MAX);
	ai_sum_scale(&s, 1100);
	ok(ai_sum_nano(&s, &nano) < 0, "a scale that overflows");
}

int main(void)
{
	test_parse();
	test_nonsense();
	test_rates();
	test_up();
	test_print();
	test_round_trip();
	test_sum();
	test_overflow();
	return done();
}
