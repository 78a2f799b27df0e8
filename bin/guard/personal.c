/* personal.c: where personal data may stand, and the words around it. */
#include "personal.h"

#include <stdint.h>
#include <string.h>

#define BACK 96        /* bytes before a number in which words are looked for */
#define TOKEN_MAX 128  /* nothing that is looked for is longer */

/* ---- words ---------------------------------------------------------------------- */

/* Whether a word may begin at i: letters of ASCII are not beside others. */
static bool may_begin(const struct personal *s, size_t i)
{
	return i == 0 || !personal_alnum(s->p[i]) ||
	       (!personal_alnum(s->p[i - 1]) && s->p[i - 1] != '_');
}

/* Where a word of the table that begins at i ends, no later than at; 0: it does
 * not stand there. */
static size_t word_at(const struct personal *s, unsigned word, size_t i,
		      size_t at)
{
	const char *w = personal_words.text + personal_words.at[word];
	size_t n = (size_t)(personal_words.at[word + 1] -
			    personal_words.at[word]);

	if (n > at - i)
		return 0;
	for (size_t k = 0; k < n; k++) {
		char c = s->p[i + k];

		if ((c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c) != w[k])
			return 0;
	}
	return personal_words.open[word] || i + n >= s->n ||
			       !personal_letter(s->p[i + n - 1]) ||
			       !personal_letter(s->p[i + n])
		       ? i + n : 0;
}

/* The words that begin with the letter at i. */
static void bucket(const struct personal *s, size_t i, unsigned *from,
		   unsigned *to)
{
	unsigned char c = (unsigned char)s->p[i];

	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	*from = personal_words.first[c];
	*to = personal_words.first[c + 1];
}

size_t personal_before(struct personal *s, enum personal_word group, size_t at)
{
	size_t i = s->seen < PERSONAL_WORD_MAX ? 0
					       : s->seen - PERSONAL_WORD_MAX;
	unsigned k, n;

	/* A word may have begun in what was seen already. */
	if (at > s->seen && at - i > BACK + PERSONAL_WORD_MAX)
		i = at - BACK - PERSONAL_WORD_MAX;
	for (; at > s->seen && i < at; i++) {
		if (!may_begin(s, i))
			continue;
		for (bucket(s, i, &k, &n); k < n; k++) {
			size_t to = word_at(s, k, i, at);
			size_t *last = &s->last[personal_words.group[k]];

			if (to > *last)
				*last = to;
		}
	}
	if (at > s->seen)
		s->seen = at;
	if (s->last[group] == 0 || s->last[group] > at ||
	    at - s->last[group] > BACK)
		return SIZE_MAX;
	return at - s->last[group];
}

bool personal_near(struct personal *s, enum personal_word group, size_t at,
		   size_t bytes)
{
	return personal_before(s, group, at) <= bytes;
}

bool personal_behind(const struct personal *s, enum personal_word group,
		     size_t at)
{
	size_t from = at;
	unsigned k, n;

	while (from < s->n && from < at + 3 && s->p[from] != '\0' &&
	       strchr(" -(,:/", s->p[from]) != NULL)
		from++;
	if (from == at || from == s->n)
		return false;
	for (bucket(s, from, &k, &n); k < n; k++)
		if (personal_words.group[k] == group &&
		    word_at(s, k, from, s->n) != 0)
			return true;
	return false;
}

/* ---- what is found ----------------------------------------------------------------- */

bool personal_note(struct personal *s, const char *rule, double score,
		   size_t from, size_t to, const char *reason)
{
	if (guard_find(s->f, s->v, GUARD_PERSONAL, rule, score, from, to,
		       reason, s->err) < 0)
		s->failed = true;
	s->told = to;
	return true;
}

bool personal_begins(const struct personal *s, size_t at)
{
	char c, before;

	if (at == 0 || personal_escaped(s, at))
		return true;
	c = s->p[at - 1];
	before = at > 1 ? s->p[at - 2] : ' ';
	if (personal_alnum(c) || (c == '_' && !s->named) || c == '@' ||
	    c == '%' || c == '$' || c == '\\')
		return false;
	return !(c == '-' || c == '/' || c == '.' || c == ',' || c == '&') ||
	       !(c == '-' || c == '/' ? personal_alnum(before)
				      : personal_digit(before));
}

bool personal_ends(const struct personal *s, size_t at)
{
	char c = personal_at(s, at), next = personal_at(s, at + 1);

	if (personal_alnum(c) || (c == '_' && !s->named) || c == '@' ||
	    c == '%')
		return false;
	return !(c == '-' || c == '.' || c == ',' || c == '/' || c == ':') ||
	       !personal_digit(next);
}

/* ---- the way through the text -------------------------------------------------------- */

#define ONES (~UINT64_C(0) / 255)
#define HIGH (ONES * 128)

/* Whether one of eight bytes is a digit or an @: bytes below 10 after the
 * digits were moved to zero, and a zero where an @ was.  It may say yes where
 * there is none (behind one that is), never no where there is. */
static bool has_anchor(uint64_t x)
{
	uint64_t d = x ^ ONES * '0', at = x ^ ONES * '@';

	return (((d - ONES * 10) & ~d) | ((at - ONES) & ~at)) & HIGH;
}

static size_t next_anchor(const char *p, size_t i, size_t n)
{
	for (;;) {
		uint64_t a, b;

		for (; i + 16 <= n; i += 16) {
			memcpy(&a, p + i, 8);
			memcpy(&b, p + i + 8, 8);
			if (has_anchor(a) | has_anchor(b))
				break;
		}
		for (size_t end = i + 16 < n ? i + 16 : n; i < end; i++)
			if (personal_digit(p[i]) || p[i] == '@')
				return i;
		if (i >= n)
			return n;
	}
}

/* What can follow or precede a digit in a number of several groups. */
static bool joins(char c)
{
	return c != '\0' && strchr(" -./()+:", c) != NULL;
}

/* One short number by itself, as prose has them: at most a day. */
static bool is_plain(const struct personal *s, const struct personal_token *t)
{
	char c = personal_at(s, t->to), d = personal_at(s, t->to + 1);
	char b = t->from > 0 ? s->p[t->from - 1] : ' ';

	return !t->letters && t->to - t->from <= 5 && b != '(' && b != '+' &&
	       b != ':' && c != ':' &&
	       !(joins(c) && (personal_digit(d) || d == '(' || d == '-'));
}

/* Around the digit at i; returns where to go on. */
static size_t number(struct personal *s, size_t i)
{
	struct personal_token t = { i, i, false };
	size_t least = s->told;

	if (i - least > TOKEN_MAX)
		least = i - TOKEN_MAX;
	while (t.from > least && personal_alnum(s->p[t.from - 1]))
		t.from--;
	while (t.to < s->n && personal_alnum(s->p[t.to]))
		t.to++;
	if (t.from < i && personal_escaped(s, t.from + 1))
		t.from++;
	for (size_t k = t.from; !t.letters && k < t.to; k++)
		t.letters = !personal_digit(s->p[k]);
	if (is_plain(s, &t))
		personal_date(s, &t);
	else if (t.to - t.from <= TOKEN_MAX)
		/* What has a country's code needs no word, and heeds none. */
		(void)((t.from > 0 && s->p[t.from - 1] == '+' &&
			personal_phone(s, &t)) ||
		       personal_network(s, &t) || personal_id(s, &t) ||
		       personal_date(s, &t) || personal_phone(s, &t));
	return s->told > t.to ? s->told : t.to;
}

int guard_personal(const struct ai_view *v, enum guard_context context,
		   struct guard_findings *f, struct ai_err *err)
{
	struct personal s = { .v = v, .p = v->text.p, .n = v->text.n, .f = f,
			      .err = err };

	(void)context;
	/* There digits were made letters. */
	if (strcmp(v->name, "leet") == 0)
		return 0;
	for (size_t i = 0; !s.failed && (i = next_anchor(s.p, i, s.n)) < s.n;)
		if (s.p[i] != '@')
			i = number(&s, i);
		else
			i = personal_email(&s, i) ? s.told : i + 1;
	return s.failed ? -1 : 0;
}
