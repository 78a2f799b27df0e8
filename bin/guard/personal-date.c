/* personal-date.c: days on which somebody was born: only where a word says so. */
#include "personal.h"

#include <string.h>
#include <strings.h>

#define NEAR 40 /* bytes from the word to the day */

/* How months begin, in the languages of Europe; what follows are letters. */
static const char *const months[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct",
	"nov", "dec", "jän", "mär", "mai", "okt", "dez", "fév", "fev", "avr",
	"juin", "juil", "août", "aoû", "aout", "déc", "ene", "abr", "ago",
	"dic", "gen", "mag", "giu", "lug", "set", "ott", "maj", "maa", "mei",
	"mrt", "out", "mayo", "kwi", "lut", "cze", "lip", "sie", "wrz", "paź",
	"lis", "gru", "янв", "фев", "мар", "апр", "мая", "май", "июн", "июл",
	"авг", "сен", "окт", "ноя", "дек", "oca", "şub", "nis", "haz", "tem",
	"ağu", "eyl", "eki", "kas", "ara",
};

static bool name_byte(char c)
{
	return personal_letter(c) || (unsigned char)c & 0x80;
}

static bool is_month(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
		size_t len = strlen(months[i]);

		if (len <= n && n <= 24 && strncasecmp(p, months[i], len) == 0)
			return true;
	}
	return false;
}

/* So many digits at i, as a number; *i is moved behind them. */
static unsigned digits(const struct personal *s, size_t *i, unsigned *n)
{
	unsigned v = 0;

	*n = 0;
	while (personal_digit(personal_at(s, *i)) && *n < 5) {
		v = 10 * v + (unsigned)(s->p[*i] - '0');
		++*i;
		++*n;
	}
	return v;
}

static bool is_year(unsigned v, unsigned n)
{
	return n == 2 || (n == 4 && v >= 1850 && v <= 2100);
}

static bool is_day_and_month(unsigned a, unsigned b)
{
	return a >= 1 && b >= 1 && ((a <= 31 && b <= 12) ||
				    (a <= 12 && b <= 31));
}

bool personal_is_date(const unsigned v[3], const unsigned n[3])
{
	if (n[0] == 4)
		return is_year(v[0], 4) && n[1] <= 2 && n[2] <= 2 &&
		       is_day_and_month(v[1], v[2]);
	return n[0] <= 2 && n[1] <= 2 && is_year(v[2], n[2]) &&
	       is_day_and_month(v[0], v[1]);
}

/* 1980-03-12, 12.3.1980, 3/12/80, 12. 3. 1980, 1980年3月12日: its end, or 0. */
static size_t numbers(const struct personal *s, size_t from)
{
	static const char *const cjk[] = { "年", "月", "日", "년", "월", "일" };
	unsigned v[3], n[3];
	size_t i = from;
	char sep = '\0';

	for (int k = 0; k < 3; k++) {
		char c;

		v[k] = digits(s, &i, &n[k]);
		if (n[k] == 0)
			return 0;
		c = personal_at(s, i);
		for (int j = k; c & 0x80 && j < 6; j += 3)
			if (s->n - i >= 3 && memcmp(s->p + i, cjk[j], 3) == 0) {
				i += 3;
				c = '\0';
				sep = 'y';
				if (k < 2 && personal_at(s, i) == ' ')
					i++;
			}
		if (k == 2 || sep == 'y')
			continue;
		if (c == '\0' || strchr("-/.", c) == NULL ||
		    (sep != '\0' && c != sep))
			return 0;
		sep = c;
		i++;
		if (c == '.' && personal_at(s, i) == ' ')
			i++;
	}
	return personal_is_date(v, n) && !personal_alnum(personal_at(s, i))
		       ? i : 0;
}

/* Blanks, commas and "of", "de" between a day, a month and a year. */
static size_t skip(const struct personal *s, size_t i)
{
	static const char *const words[] = { "of ", "de ", "del ", "st ",
					     "nd ", "rd ", "th ", "st, ",
					     "nd, ", "rd, ", "th, " };
	size_t end = i + 3;

	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		size_t n = strlen(words[k]);

		if (s->n - i >= n && memcmp(s->p + i, words[k], n) == 0) {
			i += n;
			end = i + 3;
			break;
		}
	}
	while (i < end && i < s->n && s->p[i] != '\0' &&
	       strchr(" .,-/", s->p[i]) != NULL)
		i++;
	for (size_t k = 0; k < 3; k++) {
		size_t n = strlen(words[k]);

		if (s->n - i >= n && memcmp(s->p + i, words[k], n) == 0)
			return i + n;
	}
	return i;
}

/* 12 March 1980; 12th of March, 1980: its end, or 0. */
static size_t day_month(const struct personal *s, size_t day_end)
{
	size_t i = skip(s, day_end), from = i;
	unsigned n, v;

	while (i < s->n && i - from < 24 && name_byte(s->p[i]))
		i++;
	if (i - from < 3 || !is_month(s->p + from, i - from))
		return 0;
	i = skip(s, i);
	v = digits(s, &i, &n);
	return n == 4 && is_year(v, n) ? i : 0;
}

/* March 12, 1980: its end, or 0; *from is where the month begins. */
static size_t month_day(const struct personal *s, size_t *from, size_t day_end)
{
	size_t i = *from, to, least = s->told;
	unsigned n, v;

	if (i - least > 26)
		least = i - 26;
	while (i > least && (s->p[i - 1] == ' ' || s->p[i - 1] == '.'))
		i--;
	to = i;
	while (i > least && name_byte(s->p[i - 1]))
		i--;
	if (to == *from || to - i < 3 || !is_month(s->p + i, to - i))
		return 0;
	to = skip(s, day_end);
	v = digits(s, &to, &n);
	*from = i;
	return n == 4 && is_year(v, n) ? to : 0;
}

/* The number that the token begins with: "12th" is 12. */
static size_t ordinal(const struct personal *s, const struct personal_token *t)
{
	size_t i = t->from;

	while (i < t->to && personal_digit(s->p[i]))
		i++;
	return i - t->from <= 2 && t->to - i <= 2 ? i : t->from;
}

bool personal_date(struct personal *s, const struct personal_token *t)
{
	size_t from = t->from, to = 0, day = ordinal(s, t);
	char c = personal_at(s, t->to);

	if (!t->letters && t->to - t->from <= 4 &&
	    (c == '-' || c == '/' || c == '.' || c & 0x80))
		to = numbers(s, t->from);
	if (to == 0 && day > t->from) {
		to = day_month(s, day);
		if (to == 0)
			to = month_day(s, &from, day);
	}
	if (to == 0 || !personal_near(s, PERSONAL_BIRTH, from, NEAR))
		return false;
	return personal_note(s, "birth-date", .9, from, to,
			     "a date after a word for birth");
}
