/* builtin-calc.c: arithmetic in decimals, which are what people mean. */
#include "tool/builtin.h"

#include "tool/decimal.h"

#include <string.h>

#define EXPRESSION_MAX 2000
#define DEPTH_MAX 50
#define ARGS_MAX 32
#define STEPS_MAX 20000 /* a root is most of them */

struct calc {
	const char *text, *p;
	unsigned depth, steps;
	struct ai_err *err;
};

static int sum(struct calc *k, struct agent_decimal *out);

static int wrong(struct calc *k, const char *what)
{
	return ai_err_set(k->err, AI_E_RECORD, "%s at character %zu of the "
			  "expression", what, (size_t)(k->p - k->text) + 1);
}

static void skip(struct calc *k)
{
	k->p += strspn(k->p, " \t\r\n");
}

static bool take(struct calc *k, const char *token)
{
	size_t n = strlen(token);

	skip(k);
	if (strncmp(k->p, token, n) != 0)
		return false;
	k->p += n;
	return true;
}

/* So much work is one step of a number of usual length. */
static int work(struct calc *k, unsigned steps)
{
	k->steps += steps;
	return k->steps <= STEPS_MAX ? 0 :
		wrong(k, "the expression takes too long");
}

/* ---- functions ------------------------------------------------------------ */

typedef int function(struct calc *k, struct agent_decimal *v, size_t n,
		     enum agent_rounding how);

static int f_abs(struct calc *k, struct agent_decimal *v, size_t n,
		 enum agent_rounding how)
{
	(void)k;
	(void)n;
	(void)how;
	v->neg = false;
	return 0;
}

static int f_sqrt(struct calc *k, struct agent_decimal *v, size_t n,
		  enum agent_rounding how)
{
	(void)n;
	(void)how;
	if (work(k, 200) < 0)
		return -1;
	return agent_decimal_sqrt(v, v, k->err);
}

static int f_round(struct calc *k, struct agent_decimal *v, size_t n,
		   enum agent_rounding how)
{
	int64_t digits = 0;

	if (n == 2 && agent_decimal_i64(&v[1], &digits) < 0)
		return wrong(k, "the number of digits is no whole number");
	return agent_decimal_round(v, digits, how, k->err);
}

static int f_min(struct calc *k, struct agent_decimal *v, size_t n,
		 enum agent_rounding how)
{
	(void)k;
	for (size_t i = 1; i < n; i++)
		if ((agent_decimal_cmp(&v[i], v) < 0) == (how == AGENT_FLOOR))
			*v = v[i];
	return 0;
}

static int f_sum(struct calc *k, struct agent_decimal *v, size_t n,
		 enum agent_rounding how)
{
	struct agent_decimal count;

	for (size_t i = 1; i < n; i++)
		if (agent_decimal_add(v, v, &v[i], k->err) < 0)
			return -1;
	if (how != AGENT_ROUND_EVEN)
		return 0;
	agent_decimal_of(&count, (int64_t)n);
	return agent_decimal_div(v, v, &count, k->err);
}

static const struct {
	const char *name;
	function *f;
	size_t min, max; /* arguments */
	enum agent_rounding how;
} functions[] = {
	{ "abs", f_abs, 1, 1, AGENT_TRUNC },
	{ "avg", f_sum, 1, ARGS_MAX, AGENT_ROUND_EVEN },
	{ "ceil", f_round, 1, 2, AGENT_CEIL },
	{ "floor", f_round, 1, 2, AGENT_FLOOR },
	{ "max", f_min, 1, ARGS_MAX, AGENT_CEIL },
	{ "min", f_min, 1, ARGS_MAX, AGENT_FLOOR },
	{ "round", f_round, 1, 2, AGENT_ROUND_HALF_UP },
	{ "sqrt", f_sqrt, 1, 1, AGENT_TRUNC },
	{ "sum", f_sum, 1, ARGS_MAX, AGENT_TRUNC },
	{ "trunc", f_round, 1, 2, AGENT_TRUNC },
};

#define FUNCTIONS (sizeof functions / sizeof functions[0])

static int apply(struct calc *k, size_t row, struct agent_decimal *out)
{
	struct agent_decimal v[ARGS_MAX];
	size_t n = 0;

	if (!take(k, "("))
		return wrong(k, "'(' is missing");
	do {
		if (n == functions[row].max)
			return wrong(k, "too many arguments");
		if (sum(k, &v[n++]) < 0)
			return -1;
	} while (take(k, ","));
	if (!take(k, ")"))
		return wrong(k, "')' is missing");
	if (n < functions[row].min)
		return wrong(k, "too few arguments");
	if (functions[row].f(k, v, n, functions[row].how) < 0)
		return -1;
	*out = v[0];
	return 0;
}

/* ---- expressions ---------------------------------------------------------- */

static int number(struct calc *k, struct agent_decimal *out)
{
	const char *from = k->p;
	struct ai_err why;
	size_t n;

	k->p += strspn(k->p, "0123456789.");
	if (*k->p == 'e' || *k->p == 'E') {
		n = 1 + strspn(k->p + 1, "+-");
		if (strspn(k->p + n, "0123456789") > 0)
			k->p += n + strspn(k->p + n, "0123456789");
	}
	if (agent_decimal_parse(out, (struct ai_span){ from,
				(size_t)(k->p - from) }, &why) == 0)
		return 0;
	k->p = from;
	return wrong(k, why.msg);
}

static int name(struct calc *k, struct agent_decimal *out)
{
	size_t n = strspn(k->p, "abcdefghijklmnopqrstuvwxyz_"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (size_t i = 0; i < FUNCTIONS; i++) {
		if (strlen(functions[i].name) != n ||
		    strncmp(functions[i].name, k->p, n) != 0)
			continue;
		k->p += n;
		return apply(k, i, out);
	}
	if (n == 0)
		return wrong(k, *k->p == '\0' ? "a number is missing" :
			     "this is neither a number nor a function");
	return wrong(k, "no such function; there are abs, avg, ceil, floor, "
		     "max, min, round, sqrt, sum and trunc");
}

static int primary(struct calc *k, struct agent_decimal *out)
{
	skip(k);
	if (strchr("0123456789.", *k->p) != NULL && *k->p != '\0')
		return number(k, out);
	if (!take(k, "("))
		return name(k, out);
	if (sum(k, out) < 0)
		return -1;
	return take(k, ")") ? 0 : wrong(k, "')' is missing");
}

/* -2^2 is -4, and 2^-1 a half; 2^3^2 is 2^9. */
static int signed_power(struct calc *k, struct agent_decimal *out)
{
	struct agent_decimal exponent;
	bool neg = false;
	int64_t n;
	int rc;

	if (++k->depth > DEPTH_MAX)
		return wrong(k, "too many parentheses and signs");
	for (;;)
		if (take(k, "-"))
			neg = !neg;
		else if (!take(k, "+"))
			break;
	rc = primary(k, out);
	if (rc == 0 && (take(k, "^") || take(k, "**"))) {
		rc = signed_power(k, &exponent);
		if (rc == 0 && agent_decimal_i64(&exponent, &n) < 0)
			rc = wrong(k, "only whole numbers can be exponents "
				   "(sqrt(x) is a root)");
		if (rc == 0)
			rc = work(k, 20);
		if (rc == 0)
			rc = agent_decimal_pow(out, out, n, k->err);
	}
	if (rc == 0 && out->n > 0)
		out->neg ^= neg;
	k->depth--;
	return rc;
}

static int product(struct calc *k, struct agent_decimal *out)
{
	struct agent_decimal b;
	int rc = signed_power(k, out);
	char op;

	while (rc == 0) {
		op = take(k, "*") || take(k, "\xC3\x97") ? '*' :
		     take(k, "/") || take(k, "\xC3\xB7") ? '/' :
		     take(k, "%") ? '%' : '\0';
		if (op == '\0')
			break;
		rc = signed_power(k, &b);
		if (rc == 0)
			rc = work(k, op == '*' ? 1 : 10);
		if (rc == 0)
			rc = op == '*' ? agent_decimal_mul(out, out, &b,
							   k->err) :
			     op == '/' ? agent_decimal_div(out, out, &b,
							   k->err) :
			     agent_decimal_rem(out, out, &b, k->err);
	}
	return rc;
}

static int sum(struct calc *k, struct agent_decimal *out)
{
	struct agent_decimal b;
	int rc;
	bool minus;

	if (++k->depth > DEPTH_MAX)
		return wrong(k, "too many parentheses and signs");
	rc = product(k, out);
	while (rc == 0) {
		minus = take(k, "-");
		if (!minus && !take(k, "+"))
			break;
		rc = product(k, &b);
		if (rc == 0)
			rc = work(k, 1);
		if (rc == 0)
			rc = minus ? agent_decimal_sub(out, out, &b, k->err) :
				     agent_decimal_add(out, out, &b, k->err);
	}
	k->depth--;
	return rc;
}

static int calc_begin(struct agent_call *c, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(EXPRESSION_MAX * 4);
	struct agent_decimal v;
	struct calc k = { .err = err };
	int rc = agent_call_text(c, "expression", "", &text, err);

	if (rc == 0) {
		k.text = k.p = text.p;
		rc = sum(&k, &v);
		skip(&k);
		if (rc == 0 && *k.p != '\0')
			rc = wrong(&k, "an operator is missing");
	}
	if (rc == 0)
		agent_decimal_put(&v, &c->text);
	ai_buf_release(&text);
	return rc;
}

static const struct agent_tool_kind calc_kind = { .begin = calc_begin };

const struct agent_builtin agent_builtin_calc = {
	.name = "calc",
	.description = "Computes an expression exactly, in decimals: + - * / % "
		"(remainder) ^ (whole exponents), parentheses, abs, avg, ceil, "
		"floor, max, min, round(x, digits), sqrt, sum, trunc. What "
		"does not come out even is rounded to 34 digits.",
	.parameters = "{\"type\":\"object\",\"properties\":{"
		"\"expression\":{\"type\":\"string\",\"minLength\":1,"
		"\"maxLength\":2000,\"description\":\"such as "
		"round(1299.99 * 1.19, 2)\"}},"
		"\"required\":[\"expression\"],\"additionalProperties\":false}",
	.kind = &calc_kind, .effect = AGENT_PURE, .trusted = true,
	.timeout_s = 10, .max_output = 4096,
};
