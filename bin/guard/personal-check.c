/* personal-check.c: the checksums of numbers of people, cards and firms. */
#include "personal-check.h"

#include <string.h>

static unsigned val(char c)
{
	return (unsigned)(c - '0');
}

static bool digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (val(s[i]) > 9)
			return false;
	return true;
}

static bool letter(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool all_same(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && s[i] == s[0])
		i++;
	return i == n;
}

static unsigned number(const char *s, size_t n)
{
	unsigned x = 0;

	for (size_t i = 0; i < n; i++)
		x = 10 * x + val(s[i]);
	return x;
}

/* Digits times weights. */
static unsigned weigh(const char *s, const uint8_t *w, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += val(s[i]) * w[i];
	return sum;
}

/* A day and a month that there are, in any year. */
static bool is_day(unsigned day, unsigned month)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };

	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

bool personal_luhn(const char *s, size_t n)
{
	unsigned sum = 0;

	if (n < 2 || !digits(s, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned x = val(s[n - 1 - i]) << (i & 1);

		sum += x > 9 ? x - 9 : x;
	}
	return sum % 10 == 0;
}

/* ---- cards and accounts -------------------------------------------------------- */

/* Prefixes of so many digits, from..to, and the lengths as bits. */
#define LEN(n) (1u << (n))
static const struct issuer {
	const char *name;
	unsigned size, from, to, lengths;
} issuers[] = {
	{ "Visa", 1, 4, 4, LEN(13) | LEN(16) | LEN(19) },
	{ "Mastercard", 2, 51, 55, LEN(16) },
	{ "Mastercard", 4, 2221, 2720, LEN(16) },
	{ "American Express", 2, 34, 34, LEN(15) },
	{ "American Express", 2, 37, 37, LEN(15) },
	{ "Diners Club", 3, 300, 305, LEN(14) },
	{ "Diners Club", 2, 36, 36, LEN(14) },
	{ "Diners Club", 2, 38, 39, LEN(14) },
	{ "Discover", 4, 6011, 6011, LEN(16) | LEN(19) },
	{ "Discover", 3, 644, 659, LEN(16) | LEN(19) },
	{ "JCB", 4, 3528, 3589, LEN(16) | LEN(19) },
	{ "UnionPay", 2, 62, 62, LEN(16) | LEN(17) | LEN(18) | LEN(19) },
	{ "RuPay", 2, 60, 60, LEN(16) },
	{ "RuPay", 2, 81, 82, LEN(16) },
	{ "Mir", 4, 2200, 2204, LEN(16) },
	{ "Troy", 4, 9792, 9792, LEN(16) },
	{ "Maestro", 2, 50, 50, LEN(16) | LEN(18) | LEN(19) },
	{ "Maestro", 2, 56, 58, LEN(16) | LEN(18) | LEN(19) },
	{ "Maestro", 2, 63, 63, LEN(16) | LEN(18) | LEN(19) },
	{ "Maestro", 2, 67, 67, LEN(16) | LEN(18) | LEN(19) },
};

const char *personal_card_issuer(const char *s, size_t n)
{
	if (n < 13 || n > 19 || !digits(s, n))
		return NULL;
	for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++) {
		const struct issuer *x = &issuers[i];
		unsigned head = number(s, x->size);

		if (head >= x->from && head <= x->to && x->lengths >> n & 1)
			return x->name;
	}
	return NULL;
}

/* The register of ISO 13616, as letters and length. */
static const struct { char country[3]; uint8_t length; } ibans[] = {
	{ "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 },
	{ "BA", 20 }, { "BE", 16 }, { "BG", 22 }, { "BH", 22 }, { "BI", 27 },
	{ "BR", 29 }, { "BY", 28 }, { "CH", 21 }, { "CR", 22 }, { "CY", 28 },
	{ "CZ", 24 }, { "DE", 22 }, { "DJ", 27 }, { "DK", 18 }, { "DO", 28 },
	{ "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 }, { "FK", 18 },
	{ "FO", 18 }, { "FR", 27 }, { "GB", 22 }, { "GE", 22 }, { "GI", 23 },
	{ "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HN", 28 }, { "HR", 21 },
	{ "HU", 28 }, { "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 },
	{ "IT", 27 }, { "JO", 30 }, { "KW", 30 }, { "KZ", 20 }, { "LB", 28 },
	{ "LC", 32 }, { "LI", 21 }, { "LT", 20 }, { "LU", 20 }, { "LV", 21 },
	{ "LY", 25 }, { "MC", 27 }, { "MD", 24 }, { "ME", 22 }, { "MK", 19 },
	{ "MN", 20 }, { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 },
	{ "NL", 18 }, { "NO", 15 }, { "OM", 23 }, { "PK", 24 }, { "PL", 28 },
	{ "PS", 29 }, { "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 },
	{ "RU", 33 }, { "SA", 24 }, { "SC", 31 }, { "SD", 18 }, { "SE", 24 },
	{ "SI", 19 }, { "SK", 24 }, { "SM", 27 }, { "SO", 23 }, { "ST", 25 },
	{ "SV", 28 }, { "TL", 23 }, { "TN", 24 }, { "TR", 26 }, { "UA", 29 },
	{ "VA", 22 }, { "VG", 24 }, { "XK", 20 }, { "YE", 30 },
};

size_t personal_iban_length(const char country[2])
{
	for (size_t i = 0; i < sizeof ibans / sizeof *ibans; i++)
		if (memcmp(ibans[i].country, country, 2) == 0)
			return ibans[i].length;
	return 0;
}

bool personal_iban(const char *s, size_t n)
{
	unsigned rest = 0;

	if (n < 15 || n != personal_iban_length(s) || !digits(s + 2, 2))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[(i + 4) % n];

		if (letter(c))
			rest = (100 * rest + (unsigned)(c - 'A') + 10) % 97;
		else if (val(c) <= 9)
			rest = (10 * rest + val(c)) % 97;
		else
			return false;
	}
	return rest == 1;
}

/* ---- North America ----------------------------------------------------------------- */

bool personal_us_ssn(const char *s, size_t n)
{
	return n == 9 && digits(s, n) && s[0] != '9' &&
	       memcmp(s, "000", 3) != 0 && memcmp(s, "666", 3) != 0 &&
	       memcmp(s + 3, "00", 2) != 0 && memcmp(s + 5, "0000", 4) != 0;
}

bool personal_us_itin(const char *s, size_t n)
{
	unsigned group = n == 9 && digits(s, n) ? number(s + 3, 2) : 0;

	return n == 9 && s[0] == '9' &&
	       ((group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
		(group >= 90 && group != 93));
}

bool personal_us_aba(const char *s, size_t n)
{
	static const uint8_t w[] = { 3, 7, 1, 3, 7, 1, 3, 7, 1 };
	unsigned bank;

	if (n != 9 || !digits(s, n) || all_same(s, n))
		return false;
	bank = number(s, 2);
	return (bank <= 12 || (bank >= 21 && bank <= 32) ||
		(bank >= 61 && bank <= 72) || bank == 80) &&
	       weigh(s, w, 9) % 10 == 0;
}

bool personal_us_npi(const char *s, size_t n)
{
	char all[15] = "80840";

	if (n != 10 || (s[0] != '1' && s[0] != '2'))
		return false;
	memcpy(all + 5, s, 10);
	return personal_luhn(all, 15);
}

/* Without the letters that look like digits: c digit, a letter, x either. */
bool personal_us_mbi(const char *s, size_t n)
{
	static const char form[] = "caxcaxcaacc";

	if (n != 11 || s[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		bool d = val(s[i]) <= 9;
		bool a = letter(s[i]) && strchr("SLOIBZ", s[i]) == NULL;

		if (!(form[i] == 'c' ? d : form[i] == 'a' ? a : a || d))
			return false;
	}
	return true;
}

bool personal_vin(const char *s, size_t n)
{
	/* A..Z; 0: never in one. */
	static const uint8_t values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4,
					  5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8,
					  9 };
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2, 10, 0,
				     9, 8, 7, 6, 5, 4, 3, 2 };
	unsigned sum = 0, letters = 0;

	if (n != 17)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned x = val(s[i]);

		if (letter(s[i])) {
			x = values[s[i] - 'A'];
			letters++;
			if (x == 0)
				return false;
		}
		if (x > 9)
			return false;
		sum += x * w[i];
	}
	sum %= 11;
	return letters > 0 && s[8] == (sum == 10 ? 'X' : (char)('0' + sum));
}

bool personal_ca_sin(const char *s, size_t n)
{
	return n == 9 && s[0] != '0' && s[0] != '8' && personal_luhn(s, n) &&
	       !all_same(s, n);
}

/* An alphabet of 37 with the Spanish N after N, so that O is 25. */
static unsigned value_curp(char c)
{
	if (letter(c))
		return (unsigned)(c - 'A') + 10 + (c > 'N');
	return val(c);
}

bool personal_mx_curp(const char *s, size_t n)
{
	unsigned sum = 0;

	if (n != 18 || !digits(s + 4, 6) || !letter(s[0]) || !letter(s[3]) ||
	    !is_day(number(s + 8, 2), number(s + 6, 2)) ||
	    strchr("HMX", s[10]) == NULL || val(s[17]) > 9)
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (!letter(s[i]) && val(s[i]) > 9)
			return false;
		sum += value_curp(s[i]) * (unsigned)(18 - i);
	}
	return (10 - sum % 10) % 10 == val(s[17]);
}

/* ---- Brazil ------------------------------------------------------------------------- */

/* The digit that the sum of the ones before it, times weights, makes. */
static bool check_br(const char *s, const uint8_t *w, size_t n)
{
	unsigned rest = weigh(s, w, n) % 11;

	return val(s[n]) == (rest < 2 ? 0 : 11 - rest);
}

bool personal_br_cpf(const char *s, size_t n)
{
	static const uint8_t w[] = { 11, 10, 9, 8, 7, 6, 5, 4, 3, 2 };

	return n == 11 && digits(s, n) && !all_same(s, n) &&
	       check_br(s, w + 1, 9) && check_br(s, w, 10);
}

bool personal_br_cnpj(const char *s, size_t n)
{
	static const uint8_t w[] = { 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2 };

	return n == 14 && digits(s, n) && !all_same(s, n) &&
	       check_br(s, w + 1, 12) && check_br(s, w, 13);
}

/* ---- Britain and Ireland -------------------------------------------------------------- */

bool personal_uk_nhs(const char *s, size_t n)
{
	static const uint8_t w[] = { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 };

	return n == 10 && digits(s, n) && !all_same(s, n) &&
	       weigh(s, w, 10) % 11 == 0;
}

bool personal_uk_nino(const char *s, size_t n)
{
	static const char *const never[] = { "BG", "GB", "KN", "NK", "NT",
					     "TN", "ZZ" };

	if (n != 9 || !letter(s[0]) || !letter(s[1]) || !digits(s + 2, 6) ||
	    s[8] < 'A' || s[8] > 'D' || strchr("DFIQUV", s[0]) != NULL ||
	    strchr("DFIQUVO", s[1]) != NULL)
		return false;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (memcmp(s, never[i], 2) == 0)
			return false;
	return true;
}

bool personal_ie_pps(const char *s, size_t n)
{
	static const uint8_t w[] = { 8, 7, 6, 5, 4, 3, 2 };
	unsigned sum;

	if ((n != 8 && n != 9) || !digits(s, 7) || !letter(s[7]) ||
	    (n == 9 && !letter(s[8])))
		return false;
	sum = weigh(s, w, 7);
	if (n == 9 && s[8] != 'W')
		sum += 9 * (unsigned)(s[8] - 'A' + 1);
	return s[7] == (sum % 23 == 0 ? 'W' : (char)('A' + sum % 23 - 1));
}

/* ---- France, Germany, Switzerland, Belgium, the Netherlands ----------------------------- */

bool personal_fr_siren(const char *s, size_t n)
{
	return n == 9 && personal_luhn(s, n) && !all_same(s, n);
}

/* The post office has too many branches for Luhn: their digits add up to a
 * multiple of five. */
bool personal_fr_siret(const char *s, size_t n)
{
	unsigned sum = 0;

	if (n != 14 || !digits(s, n) || all_same(s, n))
		return false;
	for (size_t i = 0; i < n; i++)
		sum += val(s[i]);
	return personal_luhn(s, n) ||
	       (memcmp(s, "356000000", 9) == 0 && sum % 5 == 0);
}

/* The number of social security; 2A and 2B are Corsica. */
bool personal_fr_nir(const char *s, size_t n)
{
	char t[13];
	unsigned rest = 0, minus = 0, month;

	if (n != 15 || (s[0] != '1' && s[0] != '2'))
		return false;
	memcpy(t, s, 13);
	if (t[5] == '2' && (t[6] == 'A' || t[6] == 'B')) {
		minus = t[6] == 'A' ? 1000000 : 2000000;
		t[6] = '0';
	}
	if (!digits(t, 13) || !digits(s + 13, 2))
		return false;
	month = number(t + 3, 2);
	if (month == 0 || (month > 12 && month < 20))
		return false;
	for (size_t i = 0; i < 13; i++)
		rest = (10 * rest + val(t[i])) % 97;
	rest = (rest + 97 - minus % 97) % 97;
	return number(s + 13, 2) == 97 - rest;
}

/* ISO 7064's mod 11,10; in the first ten digits one stands two or three times,
 * and no other more than once. */
bool personal_de_tax(const char *s, size_t n)
{
	unsigned p = 10, count[10] = { 0 }, twice = 0;

	if (n != 11 || !digits(s, n) || s[0] == '0')
		return false;
	for (size_t i = 0; i < 10; i++) {
		unsigned x = (val(s[i]) + p) % 10;

		p = 2 * (x == 0 ? 10 : x) % 11;
		count[val(s[i])]++;
	}
	for (size_t i = 0; i < 10; i++) {
		if (count[i] > 3)
			return false;
		twice += count[i] > 1;
	}
	return twice == 1 && val(s[10]) == (11 - p) % 10;
}

/* An article's number (EAN-13) that begins with 756. */
bool personal_ch_ahv(const char *s, size_t n)
{
	static const uint8_t w[] = { 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1 };

	return n == 13 && digits(s, n) && memcmp(s, "756", 3) == 0 &&
	       weigh(s, w, 13) % 10 == 0;
}

bool personal_be_nrn(const char *s, size_t n)
{
	unsigned head, check;

	if (n != 11 || !digits(s, n) || number(s + 2, 2) % 20 > 12 ||
	    number(s + 4, 2) > 31)
		return false;
	head = number(s, 9);
	check = number(s + 9, 2);
	/* A 2 stands before the number of who was born since 2000. */
	return check == 97 - head % 97 ||
	       check == 97 - (head % 97 + 2000000000u % 97) % 97;
}

bool personal_nl_bsn(const char *s, size_t n)
{
	static const uint8_t w[] = { 9, 8, 7, 6, 5, 4, 3, 2 };

	return n == 9 && digits(s, n) && !all_same(s, n) &&
	       weigh(s, w, 8) % 11 == val(s[8]);
}

/* ---- Spain and Italy -------------------------------------------------------------------- */

static bool es_letter(unsigned x, char c)
{
	return "TRWAGMYFPDXBNJZSQVHLCKE"[x % 23] == c;
}

bool personal_es_dni(const char *s, size_t n)
{
	return n == 9 && digits(s, 8) && es_letter(number(s, 8), s[8]);
}

bool personal_es_nie(const char *s, size_t n)
{
	return n == 9 && s[0] >= 'X' && s[0] <= 'Z' && digits(s + 1, 7) &&
	       es_letter((unsigned)(s[0] - 'X') * 10000000 + number(s + 1, 7),
			 s[8]);
}

/* Digits may be letters, where two people would have the same (LMNPQRSTUV). */
bool personal_it_codice(const char *s, size_t n)
{
	static const char form[] = "AAAAAA00A00A000A";
	static const uint8_t odd[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4,
				       18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
				       25, 24, 23 };
	unsigned sum = 0;

	if (n != 16)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool d = val(s[i]) <= 9;

		if (!letter(s[i]) && !(d && form[i] == '0'))
			return false;
		if (form[i] == '0' && !d &&
		    strchr("LMNPQRSTUV", s[i]) == NULL)
			return false;
		if (i < 15) {
			unsigned x = d ? val(s[i]) : (unsigned)(s[i] - 'A');

			sum += i % 2 == 0 ? odd[x] : x;
		}
	}
	return strchr("ABCDEHLMPRST", s[8]) != NULL &&
	       s[15] == (char)('A' + sum % 26);
}

/* ---- Poland and the North --------------------------------------------------------------- */

bool personal_pl_pesel(const char *s, size_t n)
{
	static const uint8_t w[] = { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1 };

	return n == 11 && digits(s, n) &&
	       is_day(number(s + 4, 2), number(s + 2, 2) % 20) &&
	       weigh(s, w, 11) % 10 == 0;
}

bool personal_pl_nip(const char *s, size_t n)
{
	static const uint8_t w[] = { 6, 5, 7, 2, 3, 4, 5, 6, 7 };

	return n == 10 && digits(s, n) && !all_same(s, n) && s[0] != '0' &&
	       weigh(s, w, 9) % 11 == val(s[9]);
}

/* With the century or without; of who has no number yet, the day is 60 more. */
bool personal_se_person(const char *s, size_t n)
{
	unsigned day;

	if (n == 12 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0)) {
		s += 2;
		n -= 2;
	}
	if (n != 10 || !personal_luhn(s, n))
		return false;
	day = number(s + 4, 2);
	return is_day(day > 60 ? day - 60 : day, number(s + 2, 2));
}

/* What stands in the middle is the century, and may be left out. */
bool personal_fi_hetu(const char *s, size_t n)
{
	char t[9];

	if (n != 10 && (n != 11 || strchr("+-ABCDEFYXWVU", s[6]) == NULL))
		return false;
	if (!digits(s, 6) || !digits(s + n - 4, 3) ||
	    !is_day(number(s, 2), number(s + 2, 2)))
		return false;
	memcpy(t, s, 6);
	memcpy(t + 6, s + n - 4, 3);
	return s[n - 1] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(t, 9) % 31];
}

/* The day of who has a D number is 40 more. */
bool personal_no_fnr(const char *s, size_t n)
{
	static const uint8_t a[] = { 3, 7, 6, 1, 8, 9, 4, 5, 2, 1 };
	static const uint8_t b[] = { 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1 };
	unsigned day;

	if (n != 11 || !digits(s, n))
		return false;
	day = number(s, 2);
	return is_day(day > 40 ? day - 40 : day, number(s + 2, 2)) &&
	       weigh(s, a, 10) % 11 == 0 && weigh(s, b, 11) % 11 == 0;
}

/* There is no checksum any more. */
bool personal_dk_cpr(const char *s, size_t n)
{
	return n == 10 && digits(s, n) &&
	       is_day(number(s, 2), number(s + 2, 2));
}

/* ---- Asia and Africa --------------------------------------------------------------------- */

bool personal_tr_tckn(const char *s, size_t n)
{
	unsigned odd = 0, even = 0;

	if (n != 11 || !digits(s, n) || s[0] == '0')
		return false;
	for (size_t i = 0; i < 9; i++)
		*(i % 2 == 0 ? &odd : &even) += val(s[i]);
	return val(s[9]) == (7 * odd + 9 * even) % 10 &&
	       val(s[10]) == (odd + even + val(s[9])) % 10;
}

/* Verhoeff 1969: the dihedral group of the pentagon. */
bool personal_in_aadhaar(const char *s, size_t n)
{
	static const uint8_t first[] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	unsigned c = 0;

	if (n != 12 || !digits(s, n) || s[0] < '2' || all_same(s, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned x = val(s[n - 1 - i]);

		for (size_t k = 0; k < i % 8; k++)
			x = first[x];
		if (c < 5)
			c = x < 5 ? (c + x) % 5 : (c + x) % 5 + 5;
		else
			c = x < 5 ? (c - x) % 5 + 5 : (c + 5 - x) % 5;
	}
	return c == 0;
}

bool personal_in_pan(const char *s, size_t n)
{
	if (n != 10 || !digits(s + 5, 4) || !letter(s[9]) ||
	    strchr("PCHFATBLJG", s[3]) == NULL)
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!letter(s[i]))
			return false;
	return true;
}

bool personal_cn_id(const char *s, size_t n)
{
	static const uint8_t w[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5,
				     8, 4, 2 };
	unsigned century;

	if (n != 18 || !digits(s, 17) || s[0] == '0')
		return false;
	century = number(s + 6, 2);
	return (century == 19 || century == 20) &&
	       is_day(number(s + 12, 2), number(s + 10, 2)) &&
	       s[17] == "10X98765432"[weigh(s, w, 17) % 11];
}

bool personal_kr_rrn(const char *s, size_t n)
{
	static const uint8_t w[] = { 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5 };

	return n == 13 && digits(s, n) &&
	       is_day(number(s + 4, 2), number(s + 2, 2)) &&
	       (11 - weigh(s, w, 12) % 11) % 10 == val(s[12]);
}

bool personal_jp_my(const char *s, size_t n)
{
	static const uint8_t w[] = { 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2 };
	unsigned rest;

	if (n != 12 || !digits(s, n) || all_same(s, n))
		return false;
	rest = weigh(s, w, 11) % 11;
	return val(s[11]) == (rest <= 1 ? 0 : 11 - rest);
}

bool personal_sg_nric(const char *s, size_t n)
{
	static const uint8_t w[] = { 2, 7, 6, 5, 4, 3, 2 };
	unsigned sum;

	if (n != 9 || strchr("STFGM", s[0]) == NULL || !digits(s + 1, 7))
		return false;
	sum = weigh(s + 1, w, 7);
	if (s[0] == 'M')
		return s[8] == "XWUTRQPNJLK"[(sum + 3) % 11];
	if (s[0] == 'T' || s[0] == 'G')
		sum += 4;
	return s[8] == (s[0] == 'S' || s[0] == 'T' ? "JZIHGFEDCBA"
						  : "XWUTRQPNMLK")[sum % 11];
}

bool personal_za_id(const char *s, size_t n)
{
	return n == 13 && digits(s, n) &&
	       is_day(number(s + 4, 2), number(s + 2, 2)) && s[10] <= '2' &&
	       personal_luhn(s, n);
}

/* ---- Australia ----------------------------------------------------------------------------- */

bool personal_au_tfn(const char *s, size_t n)
{
	static const uint8_t w[] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 };

	return n == 9 && digits(s, n) && !all_same(s, n) &&
	       weigh(s, w, 9) % 11 == 0;
}

bool personal_au_abn(const char *s, size_t n)
{
	static const uint8_t w[] = { 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 };

	return n == 11 && digits(s, n) && s[0] != '0' &&
	       (weigh(s, w, 11) - 10) % 89 == 0;
}

bool personal_au_medicare(const char *s, size_t n)
{
	static const uint8_t w[] = { 1, 3, 7, 9, 1, 3, 7, 9 };

	return (n == 10 || n == 11) && digits(s, n) && s[0] >= '2' &&
	       s[0] <= '6' && weigh(s, w, 8) % 10 == val(s[8]);
}
