/*
 * personal-id.c: numbers of cards, accounts, people and firms.
 *
 * A rule has forms in which a number is written, a check, and a group of words.
 * Where the form and the check leave little to chance, it is one anywhere;
 * elsewhere only near one of these words.
 */
#include "personal.h"

#include "personal-check.h"

#include <stdio.h>
#include <string.h>

#define NEAR 48
#define PLAIN_MAX 40

static const struct form {
	const char *rule;
	/* 0: a digit, A: a letter, X: either, =: a hyphen, -: a hyphen or a
	 * blank (the same ones throughout), anything else: itself. */
	const char *form;
	uint8_t first;         /* characters before anything between them */
	personal_check *check;
	enum personal_word word;
	/* Without and with a word nearby; 0: it is none. */
	double alone, near;
	const char *reason;
} forms[] = {
#define S(rule, first, form, check, word, alone, near, what)                   \
	{ rule, form, first, check, PERSONAL_##word, alone, near, what },
	S("us-ssn", 3, "000=00=0000", personal_us_ssn, SSN, .9, 1,
	  "a US social security number")
	S("us-ssn", 3, "000-00-0000", personal_us_ssn, SSN, 0, .95,
	  "a US social security number")
	S("us-ssn", 9, "000000000", personal_us_ssn, SSN, 0, .9,
	  "a US social security number")
	S("us-itin", 3, "000=00=0000", personal_us_itin, TAX, .8, .95,
	  "a US taxpayer's number")
	S("us-itin", 9, "000000000", personal_us_itin, TAX, 0, .8,
	  "a US taxpayer's number")
	S("us-bank-routing", 9, "000000000", personal_us_aba, ABA, 0, .95,
	  "the number of a US bank")
	S("us-npi", 10, "0000000000", personal_us_npi, NPI, 0, .95,
	  "the number of a US doctor")
	S("us-mbi", 4, "XXXX-XXX-XXXX", personal_us_mbi, MEDICARE, .8, .95,
	  "a US Medicare number")
	S("us-mbi", 11, "XXXXXXXXXXX", personal_us_mbi, MEDICARE, 0, .9,
	  "a US Medicare number")
	S("vin", 17, "XXXXXXXXXXXXXXXXX", personal_vin, VIN, .8, 1,
	  "the number of a vehicle")
	S("ca-sin", 3, "000-000-000", personal_ca_sin, PERSON, 0, .95,
	  "a Canadian social insurance number")
	S("ca-sin", 9, "000000000", personal_ca_sin, PERSON, 0, .8,
	  "a Canadian social insurance number")
	S("mx-curp", 18, "AAAA000000XXXXXXX0", personal_mx_curp, PERSON, .95, 1,
	  "a Mexican CURP")
	S("mx-curp", 18, "AAAA000000AAAAAAX0", personal_mx_curp, PERSON, .95, 1,
	  "a Mexican CURP")
	S("br-cpf", 3, "000.000.000-00", personal_br_cpf, TAX, 1, 1,
	  "a Brazilian CPF")
	S("br-cpf", 11, "00000000000", personal_br_cpf, TAX, 0, .95,
	  "a Brazilian CPF")
	S("br-cnpj", 2, "00.000.000/0000-00", personal_br_cnpj, FIRM, 1, 1,
	  "a Brazilian CNPJ")
	S("br-cnpj", 14, "00000000000000", personal_br_cnpj, FIRM, 0, .95,
	  "a Brazilian CNPJ")
	S("uk-nhs", 3, "000-000-0000", personal_uk_nhs, NHS, 0, 1,
	  "a British NHS number")
	S("uk-nhs", 10, "0000000000", personal_uk_nhs, NHS, 0, 1,
	  "a British NHS number")
	S("uk-nino", 2, "AA-00-00-00-A", personal_uk_nino, PERSON, .9, 1,
	  "a British national insurance number")
	S("uk-nino", 9, "AA000000A", personal_uk_nino, PERSON, .7, 1,
	  "a British national insurance number")
	S("uk-nino", 2, "AA-000000-A", personal_uk_nino, PERSON, .8, 1,
	  "a British national insurance number")
	S("ie-pps", 8, "0000000A", personal_ie_pps, PERSON, 0, .95,
	  "an Irish PPS number")
	S("ie-pps", 9, "0000000AA", personal_ie_pps, PERSON, 0, .95,
	  "an Irish PPS number")
	S("fr-siren", 3, "000-000-000", personal_fr_siren, FIRM, 0, .95,
	  "the number of a French firm")
	S("fr-siren", 9, "000000000", personal_fr_siren, FIRM, 0, .95,
	  "the number of a French firm")
	S("fr-siret", 3, "000-000-000-00000", personal_fr_siret, FIRM, .7, 1,
	  "the number of a French firm's place")
	S("fr-siret", 14, "00000000000000", personal_fr_siret, FIRM, 0, 1,
	  "the number of a French firm's place")
	S("fr-nir", 1, "0-00-00-XX-000-000-00", personal_fr_nir, PERSON, 1, 1,
	  "a French social security number")
	S("fr-nir", 15, "00000XX00000000", personal_fr_nir, PERSON, .8, 1,
	  "a French social security number")
	S("de-tax-id", 2, "00-000-000-000", personal_de_tax, TAX, .8, 1,
	  "a German tax number")
	S("de-tax-id", 11, "00000000000", personal_de_tax, TAX, 0, 1,
	  "a German tax number")
	S("ch-ahv", 3, "756.0000.0000.00", personal_ch_ahv, PERSON, 1, 1,
	  "a Swiss AHV number")
	S("ch-ahv", 13, "7560000000000", personal_ch_ahv, PERSON, 0, 1,
	  "a Swiss AHV number")
	S("be-nrn", 2, "00.00.00-000.00", personal_be_nrn, PERSON, 1, 1,
	  "a Belgian national number")
	S("be-nrn", 11, "00000000000", personal_be_nrn, PERSON, 0, .95,
	  "a Belgian national number")
	S("nl-bsn", 9, "000000000", personal_nl_bsn, PERSON, 0, .95,
	  "a Dutch BSN")
	S("nl-bsn", 4, "0000.00.000", personal_nl_bsn, PERSON, .7, .95,
	  "a Dutch BSN")
	S("es-dni", 9, "00000000A", personal_es_dni, PERSON, .6, 1,
	  "a Spanish DNI")
	S("es-dni", 8, "00000000-A", personal_es_dni, PERSON, .6, 1,
	  "a Spanish DNI")
	S("es-nie", 9, "A0000000A", personal_es_nie, PERSON, .75, 1,
	  "a Spanish NIE")
	S("es-nie", 1, "A-0000000-A", personal_es_nie, PERSON, .9, 1,
	  "a Spanish NIE")
	S("it-codice-fiscale", 16, "AAAAAAXXAXXAXXXA", personal_it_codice, TAX, 1,
	  1, "an Italian codice fiscale")
	S("pl-pesel", 11, "00000000000", personal_pl_pesel, PERSON, 0, 1,
	  "a Polish PESEL")
	S("pl-nip", 3, "000-000-00-00", personal_pl_nip, TAX, .6, 1,
	  "a Polish NIP")
	S("pl-nip", 10, "0000000000", personal_pl_nip, TAX, 0, .95,
	  "a Polish NIP")
	S("se-personnummer", 6, "000000=0000", personal_se_person, PERSON, .7, 1,
	  "a Swedish personnummer")
	S("se-personnummer", 8, "00000000=0000", personal_se_person, PERSON, .8,
	  1, "a Swedish personnummer")
	S("se-personnummer", 10, "0000000000", personal_se_person, PERSON, 0, .9,
	  "a Swedish personnummer")
	S("se-personnummer", 12, "000000000000", personal_se_person, PERSON, 0,
	  .95, "a Swedish personnummer")
	S("fi-hetu", 6, "000000=000X", personal_fi_hetu, PERSON, .95, 1,
	  "a Finnish henkilötunnus")
	S("fi-hetu", 11, "000000A000X", personal_fi_hetu, PERSON, .9, 1,
	  "a Finnish henkilötunnus")
	S("no-fnr", 6, "000000=00000", personal_no_fnr, PERSON, .9, 1,
	  "a Norwegian fødselsnummer")
	S("no-fnr", 11, "00000000000", personal_no_fnr, PERSON, 0, 1,
	  "a Norwegian fødselsnummer")
	S("dk-cpr", 6, "000000=0000", personal_dk_cpr, PERSON, 0, .9,
	  "a Danish CPR number")
	S("tr-tckn", 11, "00000000000", personal_tr_tckn, PERSON, 0, 1,
	  "a Turkish identity number")
	S("in-aadhaar", 4, "0000-0000-0000", personal_in_aadhaar, AADHAAR, 0, 1,
	  "an Indian Aadhaar number")
	S("in-aadhaar", 12, "000000000000", personal_in_aadhaar, AADHAAR, 0, 1,
	  "an Indian Aadhaar number")
	S("in-pan", 10, "AAAAA0000A", personal_in_pan, TAX, .6, .95,
	  "an Indian PAN")
	S("cn-id", 18, "00000000000000000X", personal_cn_id, PERSON, .95, 1,
	  "a Chinese identity number")
	S("kr-rrn", 6, "000000=0000000", personal_kr_rrn, PERSON, .95, 1,
	  "a Korean registration number")
	S("jp-my-number", 4, "0000-0000-0000", personal_jp_my, PERSON, 0, .95,
	  "a Japanese My Number")
	S("jp-my-number", 12, "000000000000", personal_jp_my, PERSON, 0, .95,
	  "a Japanese My Number")
	S("sg-nric", 9, "A0000000A", personal_sg_nric, PERSON, .7, 1,
	  "a Singaporean NRIC")
	S("za-id", 13, "0000000000000", personal_za_id, PERSON, 0, 1,
	  "a South African identity number")
	S("za-id", 6, "000000-0000-000", personal_za_id, PERSON, .7, 1,
	  "a South African identity number")
	S("au-tfn", 3, "000-000-000", personal_au_tfn, TAX, 0, .95,
	  "an Australian tax file number")
	S("au-tfn", 9, "000000000", personal_au_tfn, TAX, 0, .9,
	  "an Australian tax file number")
	S("au-abn", 2, "00-000-000-000", personal_au_abn, FIRM, .8, 1,
	  "an Australian business number")
	S("au-abn", 11, "00000000000", personal_au_abn, FIRM, 0, 1,
	  "an Australian business number")
	S("au-medicare", 4, "0000-00000-0", personal_au_medicare, MEDICARE, .7, 1,
	  "an Australian Medicare number")
	S("au-medicare", 10, "0000000000", personal_au_medicare, MEDICARE, 0, .95,
	  "an Australian Medicare number")
#undef S
};

/* ---- forms ---------------------------------------------------------------------- */

static char capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* Reads a form at from: what it is made of, as capitals, goes to out.  Its end,
 * or 0. */
static size_t read_form(const struct personal *s, const char *form,
			size_t from, char out[PLAIN_MAX], size_t *n)
{
	size_t i = from;
	char sep = '\0';

	*n = 0;
	for (; *form != '\0'; form++, i++) {
		char c = personal_at(s, i);

		if (*form == '-') {
			if ((c != '-' && c != ' ') || (sep != '\0' && c != sep))
				return 0;
			sep = c;
		} else if (*form == '0' ? personal_digit(c)
			   : *form == 'A' ? personal_letter(c)
			   : *form == 'X' ? personal_alnum(c)
					  : false) {
			out[(*n)++] = capital(c);
		} else if (*form == (c == '-' ? '=' : c)) {
			if (personal_alnum(c))
				out[(*n)++] = c;
		} else {
			return 0;
		}
	}
	return personal_ends(s, i) ? i : 0;
}

/* Where letters are small, only what is near a word is a number. */
static bool has_small(const struct personal *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (s->p[i] >= 'a' && s->p[i] <= 'z')
			return true;
	return false;
}

static bool try_form(struct personal *s, const struct form *x, size_t from,
		     double *best, const struct form **form, size_t *end)
{
	char plain[PLAIN_MAX];
	size_t n, to = read_form(s, x->form, from, plain, &n);
	double score;

	if (to == 0 || !x->check(plain, n))
		return false;
	score = has_small(s, from, to) ? 0 : x->alone;
	if (x->near > score && personal_near(s, x->word, from, NEAR))
		score = x->near;
	if (score <= *best)
		return false;
	*best = score;
	*form = x;
	*end = to;
	return true;
}

/* Of all forms that fit the surest. */
static bool by_form(struct personal *s, size_t from, size_t first)
{
	const struct form *best = NULL;
	double score = 0;
	size_t to = 0;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (forms[i].first == first)
			try_form(s, &forms[i], from, &score, &best, &to);
	return best != NULL && personal_note(s, best->rule, score, from, to,
					     best->reason);
}

/* ---- cards ----------------------------------------------------------------------- */

/* Digits in groups, put apart by the same blank or hyphen: their number. */
static size_t read_groups(const struct personal *s, size_t from, size_t max,
			  char *out, size_t *end, bool *even)
{
	size_t i = from, n = 0, group = 0, first = 0;
	char sep = '\0';

	*even = true;
	while (n < max) {
		char c = personal_at(s, i);

		if (personal_digit(c)) {
			out[n++] = c;
			group++;
			i++;
			*end = i;
			continue;
		}
		if ((c != ' ' && c != '-') || (sep != '\0' && c != sep) ||
		    !personal_digit(personal_at(s, i + 1)))
			break;
		if (first == 0)
			first = group;
		/* 4-4-4-4, 4-6-5, 4-6-4, or digit by digit. */
		if (group != first && !(first == 4 && group == 6))
			*even = false;
		sep = c;
		group = 0;
		i++;
	}
	if (first != 0 && (first > 4 || (first != 4 && first != 1)))
		*even = false;
	if (group > 4 && sep != '\0' && group != 5)
		*even = false;
	return n;
}

static bool try_card(struct personal *s, const struct personal_token *t)
{
	char d[20], reason[64];
	size_t to = t->from, n;
	const char *issuer;
	bool even;

	if (t->letters || s->p[t->from] < '2')
		return false;
	n = read_groups(s, t->from, sizeof d, d, &to, &even);
	if (n < 13 || n > 19 || !even || !personal_ends(s, to))
		return false;
	issuer = personal_card_issuer(d, n);
	if (issuer == NULL || !personal_luhn(d, n))
		return false;
	/* Without its usual length a number may be anything. */
	if (n != 16 && n != 15 && to == t->to &&
	    !personal_near(s, PERSONAL_CARD, t->from, NEAR))
		return false;
	snprintf(reason, sizeof reason, "a card's number (%s)", issuer);
	return personal_note(s, "credit-card", 1, t->from, to, reason);
}

/* ---- accounts --------------------------------------------------------------------- */

static bool try_iban(struct personal *s, size_t from)
{
	char plain[PLAIN_MAX], country[2];
	size_t n = 0, i = from, want;

	country[0] = capital(personal_at(s, from));
	country[1] = capital(personal_at(s, from + 1));
	if (!personal_letter(country[0]) || !personal_letter(country[1]) ||
	    !personal_digit(personal_at(s, from + 2)) ||
	    !personal_digit(personal_at(s, from + 3)))
		return false;
	want = personal_iban_length(country);
	while (n < want) {
		char c = personal_at(s, i);

		if (personal_alnum(c))
			plain[n++] = capital(c);
		else if ((c != ' ' && c != '-') ||
			 !personal_alnum(personal_at(s, i + 1)))
			return false;
		i++;
	}
	if (want == 0 || personal_alnum(personal_at(s, i)) ||
	    !personal_iban(plain, n))
		return false;
	return personal_note(s, "iban", 1, from, i,
			     "an international account number");
}

/* ---- coins --------------------------------------------------------------------------- */

static bool try_coin(struct personal *s, const struct personal_token *t)
{
	const char *p = s->p + t->from;
	size_t n = t->to - t->from;
	bool checked;

	if (n == 42 && personal_eth(p, n, &checked))
		return personal_note(s, "ethereum", checked ? 1 : .7, t->from,
				     t->to, checked
				     ? "an Ethereum address whose checksum is right"
				     : "looks like an Ethereum address");
	if ((p[0] == '1' || p[0] == '3') && n >= 26 && n <= 35 &&
	    personal_btc_base58(p, n))
		return personal_note(s, "bitcoin", 1, t->from, t->to,
				     "a Bitcoin address");
	if (n >= 14 && n <= 90 && p[2] == '1' && personal_btc_bech32(p, n))
		return personal_note(s, "bitcoin", 1, t->from, t->to,
				     "a Bitcoin address");
	return false;
}

/* ---- what only a word tells ------------------------------------------------------------ */

static const struct worded {
	const char *rule;
	enum personal_word word;
	unsigned least, most, digits; /* characters; digits of them, at least */
	size_t near;
	double score;
	const char *reason;
} worded[] = {
	{ "passport", PERSONAL_PASSPORT, 6, 10, 5, 24, .8,
	  "a passport's number" },
	{ "driver-license", PERSONAL_LICENCE, 6, 18, 5, 12, .8,
	  "a driving licence's number" },
	{ "bank-account", PERSONAL_ACCOUNT, 6, 18, 6, 16, .7,
	  "an account's number" },
	{ "medical-record", PERSONAL_MEDICAL, 5, 14, 5, 16, .8,
	  "a patient's number" },
	{ "national-id", PERSONAL_PERSON, 7, 14, 6, 16, .6,
	  "a person's number" },
	{ "national-id", PERSONAL_SSN, 9, 12, 6, 16, .6,
	  "a person's number" },
	{ "tax-id", PERSONAL_TAX, 8, 14, 6, 16, .6,
	  "a taxpayer's number" },
};

static bool try_worded(struct personal *s, const struct personal_token *t)
{
	size_t n = t->to - t->from, digits = 0;

	if (n < 5 || n > 18)
		return false;
	for (size_t i = t->from; i < t->to; i++)
		digits += personal_digit(s->p[i]);
	for (size_t i = 0; digits >= 5 && i < sizeof worded / sizeof *worded;
	     i++) {
		const struct worded *x = &worded[i];

		if (n < x->least || n > x->most || digits < x->digits ||
		    !personal_ends(s, t->to) ||
		    !personal_near(s, x->word, t->from, x->near))
			continue;
		/* The nearest word is the one that is meant. */
		if (personal_before(s, PERSONAL_PHONE, t->from) <
		    personal_before(s, x->word, t->from))
			continue;
		return personal_note(s, x->rule, x->score, t->from, t->to,
				     x->reason);
	}
	return false;
}

/* "AB 12 34 56 C", "X-1234567-L": letters that are a token of their own. */
static bool with_letters(struct personal *s, size_t at)
{
	if (at < 2 || (s->p[at - 1] != ' ' && s->p[at - 1] != '-') ||
	    !personal_letter(s->p[at - 2]))
		return false;
	for (size_t n = 1; n <= 2 && at >= s->told + n + 1; n++)
		if (personal_letter(s->p[at - 1 - n]) &&
		    personal_begins(s, at - 1 - n))
			return by_form(s, at - 1 - n, n);
	return false;
}

static bool any_id(struct personal *s, const struct personal_token *t)
{
	size_t n = t->to - t->from;

	if (t->letters && (try_iban(s, t->from) || try_coin(s, t)))
		return true;
	if (!t->letters && n >= 26 && try_coin(s, t))
		return true;
	if (try_card(s, t))
		return true;
	return (n <= 18 && by_form(s, t->from, n)) || try_worded(s, t);
}

bool personal_id(struct personal *s, const struct personal_token *t)
{
	char before = t->from > 0 ? s->p[t->from - 1] : ' ';
	bool found;

	if (!t->letters && with_letters(s, t->from))
		return true;
	/* card_4111111111111111, ssn_123-45-6789_x */
	s->named = before == '_' || personal_at(s, t->to) == '_';
	found = personal_begins(s, t->from) && any_id(s, t);
	s->named = false;
	return found;
}
