/*
 * personal-phone.c: numbers of telephones.
 *
 * With a country's code before it, a number must have a length that it can have
 * there.  Without, it must be written as its country writes it, if nothing else
 * says what it is; near a word for telephones other forms are numbers, too.
 */
#include "personal.h"

#include <string.h>

#define DIGITS_MAX 17
#define GROUPS_MAX 8
#define NEAR 32 /* bytes from a word for telephones to a number */

/* Codes of E.164, and how many digits may follow. */
static const struct code {
	uint16_t code;
	uint8_t least, most;
} codes[] = {
	{ 1, 10, 10 }, { 7, 10, 10 }, { 20, 8, 10 }, { 27, 9, 9 },
	{ 30, 10, 10 }, { 31, 9, 9 }, { 32, 8, 9 }, { 33, 9, 9 },
	{ 34, 9, 9 }, { 36, 8, 9 }, { 39, 6, 11 }, { 40, 9, 9 },
	{ 41, 9, 9 }, { 43, 4, 13 }, { 44, 9, 10 }, { 45, 8, 8 },
	{ 46, 7, 10 }, { 47, 8, 8 }, { 48, 9, 9 }, { 49, 5, 13 },
	{ 51, 8, 9 }, { 52, 10, 11 }, { 53, 6, 8 }, { 54, 10, 11 },
	{ 55, 10, 11 }, { 56, 9, 9 }, { 57, 8, 10 }, { 58, 10, 10 },
	{ 60, 8, 10 }, { 61, 9, 9 }, { 62, 7, 12 }, { 63, 8, 10 },
	{ 64, 8, 10 }, { 65, 8, 8 }, { 66, 8, 9 }, { 81, 9, 10 },
	{ 82, 8, 11 }, { 84, 9, 10 }, { 86, 10, 11 }, { 90, 10, 10 },
	{ 91, 10, 10 }, { 92, 9, 10 }, { 93, 9, 9 }, { 94, 9, 9 },
	{ 95, 7, 10 }, { 98, 10, 10 }, { 211, 9, 9 }, { 212, 9, 9 },
	{ 213, 8, 9 }, { 216, 8, 8 }, { 218, 8, 9 }, { 220, 7, 7 },
	{ 221, 9, 9 }, { 222, 8, 8 }, { 223, 8, 8 }, { 224, 8, 9 },
	{ 225, 8, 10 }, { 226, 8, 8 }, { 227, 8, 8 }, { 228, 8, 8 },
	{ 229, 8, 10 }, { 230, 7, 8 }, { 231, 7, 9 }, { 232, 8, 8 },
	{ 233, 9, 9 }, { 234, 7, 10 }, { 235, 8, 8 }, { 236, 8, 8 },
	{ 237, 8, 9 }, { 238, 7, 7 }, { 239, 7, 7 }, { 240, 9, 9 },
	{ 241, 7, 8 }, { 242, 9, 9 }, { 243, 7, 9 }, { 244, 9, 9 },
	{ 245, 7, 9 }, { 246, 7, 7 }, { 247, 5, 6 }, { 248, 7, 7 }, { 249, 9, 9 },
	{ 250, 8, 9 }, { 251, 9, 9 }, { 252, 7, 9 }, { 253, 8, 8 },
	{ 254, 7, 10 }, { 255, 9, 9 }, { 256, 9, 9 }, { 257, 8, 8 },
	{ 258, 8, 9 }, { 260, 9, 9 }, { 261, 9, 9 }, { 262, 9, 9 },
	{ 263, 7, 10 }, { 264, 7, 9 }, { 265, 7, 9 }, { 266, 8, 8 },
	{ 267, 7, 8 }, { 268, 8, 8 }, { 269, 7, 7 }, { 290, 4, 5 },
	{ 291, 7, 7 }, { 297, 7, 7 }, { 298, 6, 6 }, { 299, 6, 6 },
	{ 350, 8, 8 }, { 351, 9, 9 }, { 352, 6, 11 }, { 353, 7, 9 },
	{ 354, 7, 9 }, { 355, 8, 9 }, { 356, 8, 8 }, { 357, 8, 8 },
	{ 358, 6, 11 }, { 359, 7, 9 }, { 370, 8, 8 }, { 371, 8, 8 },
	{ 372, 7, 8 }, { 373, 8, 8 }, { 374, 8, 8 }, { 375, 9, 9 },
	{ 376, 6, 9 }, { 377, 8, 9 }, { 378, 6, 10 }, { 379, 6, 11 },
	{ 380, 9, 9 }, { 381, 7, 10 }, { 382, 8, 8 }, { 383, 8, 9 },
	{ 385, 8, 9 }, { 386, 8, 8 }, { 387, 8, 9 }, { 389, 8, 8 },
	{ 420, 9, 9 }, { 421, 9, 9 }, { 423, 7, 9 }, { 500, 5, 5 },
	{ 501, 7, 7 }, { 502, 8, 8 }, { 503, 8, 8 }, { 504, 8, 8 },
	{ 505, 8, 8 }, { 506, 8, 8 }, { 507, 7, 8 }, { 508, 6, 6 },
	{ 509, 8, 8 }, { 590, 9, 9 }, { 591, 8, 8 }, { 592, 7, 7 },
	{ 593, 8, 9 }, { 594, 9, 9 }, { 595, 7, 9 }, { 596, 9, 9 },
	{ 597, 6, 7 }, { 598, 8, 8 }, { 599, 7, 8 }, { 670, 7, 8 },
	{ 672, 6, 6 }, { 673, 7, 7 }, { 674, 7, 7 }, { 675, 7, 8 },
	{ 676, 5, 7 }, { 677, 5, 7 }, { 678, 5, 7 }, { 679, 7, 7 },
	{ 680, 7, 7 }, { 681, 6, 6 }, { 682, 5, 5 }, { 683, 4, 7 },
	{ 685, 5, 10 }, { 686, 5, 8 }, { 687, 6, 6 }, { 688, 5, 7 },
	{ 689, 6, 8 }, { 690, 4, 7 }, { 691, 7, 7 }, { 692, 7, 7 },
	{ 800, 8, 8 }, { 808, 8, 8 }, { 850, 8, 10 }, { 852, 8, 8 },
	{ 853, 8, 8 }, { 855, 8, 9 }, { 856, 8, 10 }, { 870, 9, 9 },
	{ 880, 8, 10 }, { 881, 8, 8 }, { 882, 7, 12 }, { 883, 9, 12 },
	{ 886, 8, 9 }, { 960, 7, 7 }, { 961, 7, 8 }, { 962, 8, 9 },
	{ 963, 8, 9 }, { 964, 8, 10 }, { 965, 8, 8 }, { 966, 8, 9 },
	{ 967, 7, 9 }, { 968, 8, 8 }, { 970, 8, 9 }, { 971, 8, 9 },
	{ 972, 8, 9 }, { 973, 8, 8 }, { 974, 8, 8 }, { 975, 7, 8 },
	{ 976, 8, 8 }, { 977, 8, 10 }, { 992, 9, 9 }, { 993, 8, 8 },
	{ 994, 9, 9 }, { 995, 9, 9 }, { 996, 9, 9 }, { 998, 9, 9 },
};

/*
 * How numbers are written at home.  0 to 9: itself, n: 2 to 9, m: 1 to 9, d:
 * any, a class in [], and a blank: here a group ends; ( and ): around the
 * first.  Those whose score alone is 0 need a word.
 */
static const struct home {
	const char *country, *form;
	double alone;
} homes[] = {
	{ "US", "(ndd) ndd dddd", .95 }, { "US", "ndd ndd dddd", .85 },
	{ "US", "1 ndd ndd dddd", .9 }, { "US", "nddndddddd", 0 },
	{ "US", "1 (ndd) ndd dddd", .95 },
	{ "GB", "0ddd ddd dddd", .85 }, { "GB", "0dddd dddddd", .85 },
	{ "GB", "0dddd ddd ddd", .85 }, { "GB", "02d dddd dddd", .85 },
	{ "GB", "07ddd ddd ddd", .9 }, { "GB", "(0ddd) ddd dddd", .95 },
	{ "GB", "(0dddd) dddddd", .95 }, { "GB", "(0dddd) ddd ddd", .95 },
	{ "GB", "(02d) dddd dddd", .95 }, { "GB", "07ddddddddd", 0 },
	{ "FR", "0m dd dd dd dd", .95 }, { "FR", "06dd dd dd dd", .9 }, { "FR", "0mdddddddd", 0 },
	{ "DE", "01[567]d ddddddd", .85 }, { "DE", "01[567]dd ddddddd", .85 }, { "DE", "01[567]d dddddddd", .85 },
	{ "DE", "01[567]d ddd dddd", .85 }, { "DE", "01[567]d dddd dddd", .8 },
	{ "DE", "0dd dddddddd", .7 }, { "DE", "0ddd ddddddd", .7 },
	{ "DE", "0dd dddd dddd", .7 }, { "DE", "0dd ddddddd", .7 },
	{ "DE", "0ddd dddddd", .6 }, { "DE", "0dddd dddddd", .7 },
	{ "DE", "(0dd) dddddddd", .9 }, { "DE", "(0ddd) ddddddd", .9 },
	{ "DE", "(0dddd) dddddd", .9 }, { "DE", "(0ddd) dddddd", .9 },
	{ "DE", "(0dddd) ddddd", .9 }, { "DE", "(0dd) ddddddd", .9 },
	{ "DE", "(0dd) dddddd", .9 },
	{ "ES", "[6789]dd ddd ddd", 0 }, { "ES", "[6789]dd dd dd dd", .85 },
	{ "ES", "9d ddd dd dd", .8 }, { "ES", "[6789]dddddddd", 0 },
	{ "IT", "3dd ddd dddd", .85 }, { "IT", "3dd ddddddd", .8 },
	{ "IT", "0d dddd dddd", .8 }, { "IT", "0d dddddddd", .7 },
	{ "IT", "0dd ddddddd", .7 }, { "IT", "3ddddddddd", 0 },
	{ "NL", "06 dddddddd", .85 }, { "NL", "06 dd dd dd dd", .95 },
	{ "NL", "06 dddd dddd", .85 }, { "NL", "0dd ddd dddd", .8 },
	{ "NL", "0dd ddd dd dd", .85 }, { "NL", "0ddd dddddd", .6 },
	{ "BE", "04dd dd dd dd", .95 }, { "BE", "0d ddd dd dd", .9 },
	{ "BE", "0dd dd dd dd", .9 }, { "BE", "04dd ddd ddd", .9 },
	{ "CH", "0dd ddd dd dd", .95 }, { "AT", "06dd ddddddd", .8 },
	{ "AT", "06dd ddd dddd", .85 }, { "AT", "06dd dddddddd", .8 },
	{ "AU", "04dd ddd ddd", .95 }, { "AU", "0[2378] dddd dddd", .95 },
	{ "AU", "(0[2378]) dddd dddd", 1 }, { "AU", "1[38]00 ddd ddd", .85 },
	{ "NZ", "0d ddd dddd", .85 }, { "NZ", "02d ddd dddd", .9 },
	{ "NZ", "02d ddd ddd", .8 }, { "NZ", "(0d) ddd dddd", .95 },
	{ "IN", "[6789]dddd ddddd", .8 }, { "IN", "0[6789]dddd ddddd", .9 },
	{ "IN", "[6789]ddddddddd", 0 }, { "IN", "0dd dddd dddd", .85 },
	{ "JP", "0[789]0 dddd dddd", .95 }, { "JP", "0d dddd dddd", .9 },
	{ "JP", "0dd ddd dddd", .85 }, { "JP", "0120 ddd ddd", .9 },
	{ "CN", "1[3-9]d dddd dddd", .9 }, { "CN", "1[3-9]ddddddddd", 0 },
	{ "CN", "0dd dddddddd", .8 }, { "CN", "0ddd dddddddd", .8 },
	{ "BR", "(dd) 9dddd dddd", 1 }, { "BR", "(dd) dddd dddd", .95 },
	{ "BR", "dd 9dddd dddd", .9 }, { "MX", "[1-9]d dddd dddd", 0 },
	{ "MX", "[1-9]dd ddd dddd", .7 }, { "MX", "ddd ddd dd dd", .7 },
	{ "ZA", "0dd ddd dddd", .85 }, { "ZA", "(0dd) ddd dddd", .95 },
	{ "SE", "07d ddd dd dd", .95 }, { "SE", "0d ddd ddd dd", .85 },
	{ "SE", "0dd ddd dd dd", .9 }, { "SE", "0ddd ddd dd", .8 },
	{ "SE", "07d ddddddd", .8 }, { "NO", "[49]dd dd ddd", 0 },
	{ "NO", "[2-9]d dd dd dd", 0 }, { "DK", "[2-9]d dd dd dd", 0 },
	{ "FI", "04d ddd dddd", .9 }, { "FI", "050 ddd dddd", .9 },
	{ "FI", "0d ddd dddd", .85 }, { "FI", "04d ddddddd", .8 },
	{ "PL", "[4-8]dd ddd ddd", 0 }, { "PL", "dd ddd dd dd", .7 },
	{ "PT", "9[1236]d ddd ddd", 0 }, { "PT", "2dd ddd ddd", 0 },
	{ "IE", "08d ddd dddd", .95 }, { "IE", "0d ddd dddd", .85 },
	{ "IE", "(0d) ddd dddd", .95 }, { "IE", "0dd ddd dddd", .85 },
	{ "KR", "010 dddd dddd", .95 }, { "KR", "02 dddd dddd", .9 },
	{ "RU", "8 (ddd) ddd dd dd", 1 }, { "RU", "8 ddd ddd dd dd", .95 },
	{ "RU", "(ddd) ddd dd dd", .9 }, { "RU", "89ddddddddd", 0 },
	{ "TR", "05dd ddd dd dd", .95 }, { "TR", "0 (ddd) ddd dd dd", 1 },
	{ "TR", "0ddd ddd dd dd", .9 }, { "IL", "05d ddd dddd", .95 },
	{ "IL", "0d ddd dddd", .85 }, { "HU", "06 dd ddd dddd", .95 },
	{ "AR", "011 dddd dddd", .9 },
};

/* A number as it stands. */
struct phone {
	size_t from;              /* with its + or parenthesis */
	char d[DIGITS_MAX + 1];
	unsigned n;
	/* Of each group: the digits before its end, and where it ends. */
	unsigned upto[GROUPS_MAX];
	size_t end[GROUPS_MAX];
	bool round[GROUPS_MAX];   /* it stands in parentheses */
	char sep[GROUPS_MAX];     /* what stands behind it */
	unsigned groups;
	bool plus;
};

/* ---- reading ------------------------------------------------------------------------ */

/* What may stand between two groups: its length, 0: nothing does. */
static size_t between(const struct personal *s, size_t i, bool round)
{
	size_t from = i;
	char c;

	if (round) {
		if (personal_at(s, i) != ')')
			return 0;
		i++;
	}
	c = personal_at(s, i);
	if (c == ' ' && personal_at(s, i + 1) == '-' &&
	    personal_at(s, i + 2) == ' ')
		i += 3;
	else if (c != '\0' && strchr(" -./", c) != NULL)
		i++;
	return i - from;
}

static bool read_phone(const struct personal *s, size_t at, struct phone *x)
{
	size_t i = at;

	memset(x, 0, sizeof *x);
	x->from = at;
	/* "(020) ...", "+(44) ...", "(+44) ..." */
	for (int k = 0; k < 2 && x->from > s->told; k++) {
		char c = s->p[x->from - 1];

		if (c == '(' && !x->round[0])
			x->round[0] = true;
		else if (c == '+' && !x->plus)
			x->plus = true;
		else
			break;
		x->from--;
	}
	while (x->groups < GROUPS_MAX) {
		unsigned g = x->groups;
		size_t gap;

		while (personal_digit(personal_at(s, i))) {
			if (x->n == DIGITS_MAX)
				return false;
			x->d[x->n++] = s->p[i++];
		}
		x->upto[g] = x->n;
		x->end[g] = i;
		x->groups++;
		gap = between(s, i, x->round[g]);
		/* The parenthesis is around more than it. */
		if (x->round[g] && gap == 0) {
			if (g > 0) {
				x->n = x->upto[g - 1];
				x->groups--;
				break;
			}
			x->round[0] = false;
			x->plus = at > s->told && s->p[at - 1] == '+';
			x->from = at - x->plus;
			gap = between(s, i, false);
		}
		x->sep[g] = personal_at(s, i + gap - (gap > 0));
		if (x->groups == GROUPS_MAX)
			break;
		i += gap;
		if (personal_at(s, i) == '(' &&
		    personal_digit(personal_at(s, i + 1))) {
			x->round[x->groups] = true;
			i++;
		} else if (gap == 0) {
			break;
		}
		if (!personal_digit(personal_at(s, i)))
			break;
	}
	return true;
}

/* " x123", " ext. 123": where it ends, or i. */
static size_t extension(const struct personal *s, size_t i)
{
	static const char *const words[] = { "x", "ext.", "ext", "extension",
					     "#", "poste", "durchwahl" };
	size_t at = i + (personal_at(s, i) == ' ');

	at += personal_at(s, i) == ',' && personal_at(s, i + 1) == ' ' ? 2 : 0;
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		size_t n = strlen(words[k]), to = at + n, from;

		if (s->n - at < n || memcmp(s->p + at, words[k], n) != 0)
			continue;
		to += personal_at(s, to) == ' ';
		for (from = to; personal_digit(personal_at(s, to)); to++)
			;
		if (to > from && to - from <= 6 &&
		    !personal_letter(personal_at(s, to)))
			return to;
	}
	return i;
}

/* ---- what it may be --------------------------------------------------------------------- */

/* The code that the digits begin with, or NULL. */
static const struct code *code_of(const char *d, unsigned n)
{
	unsigned v = 0;

	for (unsigned k = 0; k < 3 && k < n; k++) {
		v = 10 * v + (unsigned)(d[k] - '0');
		for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
			if (codes[i].code == v)
				return &codes[i];
	}
	return NULL;
}

static unsigned length_of(unsigned v)
{
	return v > 99 ? 3 : v > 9 ? 2 : 1;
}

/* How sure it is that n digits begin with a country's code. */
static double with_code(const char *d, unsigned n)
{
	const struct code *c = code_of(d, n);
	unsigned rest;

	if (c == NULL)
		return 0;
	d += length_of(c->code);
	rest = n - length_of(c->code);
	/* "+44 (0)20": a zero that is dialled at home only. */
	if (d[0] == '0' && c->code != 39 && rest > c->most) {
		d++;
		rest--;
	}
	if (rest < c->least || rest > c->most)
		return 0;
	return c->code == 1 && (d[0] < '2' || d[3] < '2') ? .7 : .95;
}

/* Whether the first n digits, in g groups, are written so. */
static bool fits(const struct phone *x, unsigned groups, const char *form)
{
	unsigned n = x->upto[groups - 1], k = 0, g = 0;
	bool round = false;

	for (; *form != '\0'; form++) {
		unsigned char c, low, high;
		bool good = false;

		if (*form == '(') {
			if (!x->round[g])
				return false;
			round = true;
			continue;
		}
		if (*form == ')')
			continue;
		if (*form == ' ') {
			if (k != x->upto[g] || ++g == groups)
				return false;
			if (x->round[g] && form[1] != '(')
				return false;
			continue;
		}
		if (k == n || k == x->upto[g])
			return false;
		c = (unsigned char)x->d[k++];
		if (*form != '[') {
			low = *form == 'n' ? '2' : *form == 'm' ? '1'
			      : *form == 'd' ? '0' : (unsigned char)*form;
			high = personal_digit(*form) ? low : '9';
			good = c >= low && c <= high;
		} else {
			while (*++form != ']')
				if (form[1] == '-') {
					good |= c >= (unsigned char)form[0] &&
						c <= (unsigned char)form[2];
					form += 2;
				} else {
					good |= c == (unsigned char)*form;
				}
		}
		if (!good)
			return false;
	}
	return k == n && g + 1 == groups && (round || !x->round[0]);
}

static const struct home *home_of(const struct phone *x, unsigned groups)
{
	const struct home *best = NULL;

	for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
		if ((best == NULL || homes[i].alone > best->alone) &&
		    fits(x, groups, homes[i].form))
			best = &homes[i];
	return best;
}

/* A day, a span of years, an amount: no number of a telephone. */
static bool is_other(const struct phone *x, unsigned groups)
{
	unsigned v[GROUPS_MAX] = { 0 }, n[GROUPS_MAX];

	for (unsigned g = 0, k = 0; g < groups; g++) {
		n[g] = x->upto[g] - k;
		for (; k < x->upto[g]; k++)
			v[g] = 10 * v[g] + (unsigned)(x->d[k] - '0');
	}
	if (groups >= 3 && x->sep[0] != ' ' && x->sep[0] == x->sep[1] &&
	    personal_is_date(v, n) && (n[0] == 4 || n[2] == 4))
		return true;
	if (groups == 2 && n[0] == 4 && n[1] == 4 && v[0] >= 1500 &&
	    v[0] <= 2100 && v[1] >= 1500 && v[1] <= 2100)
		return true;
	/* "0.123456": a fraction. */
	return groups == 2 && x->sep[0] == '.';
}

/* ---- deciding ------------------------------------------------------------------------------ */

/* Whether a word, before or behind, says that it is a telephone's. */
static bool is_called(struct personal *s, const struct phone *x, size_t end)
{
	size_t phone = personal_before(s, PERSONAL_PHONE, x->from);

	/* A short number in one piece may be anything. */
	if (phone <= (x->groups == 1 && x->n < 9 ? NEAR / 2 : NEAR) &&
	    personal_before(s, PERSONAL_ORDER, x->from) >= phone)
		return true;
	/* "Office: ..." */
	return personal_near(s, PERSONAL_LABEL, x->from, 3) ||
	       personal_behind(s, PERSONAL_PHONE, end) ||
	       personal_behind(s, PERSONAL_LABEL, end);
}

/* "252.227-7013": numbers of telephones with points have them throughout. */
static bool is_mixed(const struct phone *x, unsigned groups)
{
	bool point = false, other = false;

	for (unsigned g = 0; g + 1 < groups; g++) {
		point |= x->sep[g] == '.';
		other |= x->sep[g] != '.' && !x->round[g];
	}
	return point && other;
}

/* Whether groups go on before or behind it, so that it may be a part. */
static bool is_part(const struct personal *s, const struct phone *x, size_t end,
		    bool before)
{
	if (x->sep[0] != ' ' || x->round[0] || x->plus)
		return false;
	return before ? x->from >= 2 && s->p[x->from - 1] == ' ' &&
				personal_digit(s->p[x->from - 2])
		      : personal_at(s, end) == ' ' &&
				personal_digit(personal_at(s, end + 1));
}

/* How sure the first groups are a number; 0: they are none. */
static double sure(struct personal *s, const struct phone *x, unsigned groups,
		   const char **reason)
{
	unsigned n = x->upto[groups - 1], k = 0;
	size_t end = x->end[groups - 1];
	const struct home *home;
	double score = 0;

	if (n < 6 || n > DIGITS_MAX)
		return 0;
	*reason = "a telephone number with its country's code";
	if (x->plus)
		return with_code(x->d, n);
	if (x->d[0] == '0' && x->d[1] == '0' && x->upto[0] >= 2 && n > 9 &&
	    !is_part(s, x, end, true) && !is_part(s, x, end, false))
		k = 2;
	if (memcmp(x->d, "011", 3) == 0 && x->upto[0] == 3 && n > 11)
		k = 3;
	if (k > 0)
		score = with_code(x->d + k, n - k);
	if (score > 0 && ((groups > 1 && groups < 7) || is_called(s, x, end)))
		return groups > 2 ? .9 : .8;
	*reason = "a telephone number, written as in its country";
	if (is_part(s, x, end, true))
		return 0;
	home = home_of(x, groups);
	if (is_mixed(x, groups) && !is_called(s, x, end))
		return 0;
	if (is_part(s, x, end, false))
		return home != NULL && is_called(s, x, end) ? .85 : 0;
	if (home != NULL && home->alone >= .85)
		return home->alone;
	if (n > 13 || is_other(x, groups) || !is_called(s, x, end))
		return home != NULL && home->alone > 0 &&
		       personal_before(s, PERSONAL_ORDER, x->from) > 24
			       ? home->alone : 0;
	*reason = "a number near a word for telephones";
	return home != NULL ? .95 : .75;
}

/* Whether it stands by itself. */
static bool begins(const struct personal *s, const struct phone *x)
{
	char c = x->from > 0 ? s->p[x->from - 1] : ' ';

	if (x->plus)
		return !personal_alnum(c) || personal_escaped(s, x->from);
	if (x->round[0])
		return c != '_' && !personal_alnum(c);
	return c != '#' && personal_begins(s, x->from);
}

static bool ends(const struct personal *s, size_t i, bool plus)
{
	char c = personal_at(s, i);

	return c != '/' && c != '=' && (plus && c == '_' ? true
							 : personal_ends(s, i));
}

bool personal_phone(struct personal *s, const struct personal_token *t)
{
	struct phone x;
	const char *reason;

	if (t->from < s->told || !personal_digit(s->p[t->from]) ||
	    !read_phone(s, t->from, &x) || x.n < 6 || !begins(s, &x))
		return false;
	for (unsigned g = x.groups; g > 0; g--) {
		size_t end = x.end[g - 1], to;
		double score;

		if (x.upto[g - 1] < 6)
			break;
		to = extension(s, end);
		if (to == end && !ends(s, end, x.plus))
			continue;
		score = sure(s, &x, g, &reason);
		if (score <= 0)
			continue;
		return personal_note(s, "phone", score,
				     x.from, to, reason);
	}
	return false;
}
