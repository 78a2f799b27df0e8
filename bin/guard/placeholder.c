#include "placeholder.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

bool placeholder_word(char c)
{
	return is_digit(c) || is_capital(c) || is_small(c) || c == '_';
}

/* ---- reading ------------------------------------------------------------------- */

/* Where we are in the text. */
struct at {
	const char *p;
	size_t n, i;
	bool end;
};

/* Takes the word if it is next. */
static enum placeholder_fit take(struct at *a, const char *word)
{
	size_t n = strlen(word), have = a->n - a->i;

	if (have >= n) {
		if (memcmp(a->p + a->i, word, n) != 0)
			return PLACEHOLDER_NO;
		a->i += n;
		return PLACEHOLDER_YES;
	}
	return !a->end && (have == 0 || memcmp(a->p + a->i, word, have) == 0)
		? PLACEHOLDER_PART : PLACEHOLDER_NO;
}

/* LABEL_1: *escaped: with \_ in it; *small: with small letters. */
static enum placeholder_fit take_body(struct at *a, struct placeholder *x,
				      bool *escaped, bool *small)
{
	size_t n = 0;
	enum placeholder_fit fit;
	char c;

	*escaped = *small = false;
	for (; a->i < a->n; a->i++) {
		c = a->p[a->i];
		if (c == '\\') {
			fit = take(a, "\\_");
			if (fit == PLACEHOLDER_PART)
				goto part;
			if (fit == PLACEHOLDER_NO)
				break;
			a->i--;
			c = '_';
			*escaped = true;
		}
		if (!placeholder_word(c))
			break;
		if (n == PLACEHOLDER_BODY ||
		    (c == '_' && (n == 0 || x->body[n - 1] == '_')))
			return PLACEHOLDER_NO;
		*small = *small || is_small(c);
		x->body[n++] = (char)(is_small(c) ? c - 32 : c);
	}
	if (a->i == a->n && !a->end)
		goto part;
	x->body[n] = '\0';
	return PLACEHOLDER_YES;
part:
	x->body[n] = '\0';
	return PLACEHOLDER_PART;
}

/* Where the label ends in a body, and the number. */
static bool split(struct placeholder *x)
{
	const char *last = strrchr(x->body, '_'), *d;
	bool letter = false;

	if (last == NULL || last - x->body > PLACEHOLDER_LABEL ||
	    last[1] == '0' || last[1] == '\0' || strlen(last + 1) > 9)
		return false;
	x->n = 0;
	for (d = last + 1; *d != '\0'; d++) {
		if (!is_digit(*d))
			return false;
		x->n = 10 * x->n + (uint32_t)(*d - '0');
	}
	x->label = (size_t)(last - x->body);
	for (size_t i = 0; i < x->label; i++)
		letter = letter || is_capital(x->body[i]);
	return letter;
}

struct style {
	const char *open, *close[2];
	enum placeholder_form form;
	bool escaped; /* only if the body is, too: else \ is no part of it */
};

static const struct style styles[] = {
	{ "<", { ">", "\\>" }, PLACEHOLDER_EXACT, false },
	{ "[", { "]", "\\]" }, PLACEHOLDER_NEAR, false },
	{ "&lt;", { "&gt;" }, PLACEHOLDER_HTML, false },
	{ "\\<", { ">", "\\>" }, PLACEHOLDER_NEAR, true },
	{ "\\[", { "]", "\\]" }, PLACEHOLDER_NEAR, true },
};

static enum placeholder_fit bracketed(const struct style *s, struct at *a,
				      struct placeholder *x)
{
	enum placeholder_fit fit = take(a, s->open);
	bool escaped, small;
	int i;

	if (fit == PLACEHOLDER_YES)
		fit = take_body(a, x, &escaped, &small);
	if (fit != PLACEHOLDER_YES)
		return fit;
	if (!split(x) || (s->escaped && !escaped))
		return PLACEHOLDER_NO;
	for (i = 0; i < 2 && s->close[i] != NULL; i++) {
		fit = take(a, s->close[i]);
		if (fit == PLACEHOLDER_PART)
			return fit;
		if (fit == PLACEHOLDER_YES)
			break;
	}
	if (fit != PLACEHOLDER_YES || (i > 0 && !escaped))
		return PLACEHOLDER_NO;
	x->form = s->form == PLACEHOLDER_EXACT && (escaped || small)
		? PLACEHOLDER_NEAR : s->form;
	x->len = a->i;
	return PLACEHOLDER_YES;
}

/* LABEL_1 without brackets, in capitals, as a word of its own. */
static enum placeholder_fit bare(struct at *a, struct placeholder *x)
{
	bool escaped, small;
	enum placeholder_fit fit = take_body(a, x, &escaped, &small);

	if (small)
		return PLACEHOLDER_NO;
	if (fit != PLACEHOLDER_YES)
		return fit;
	if (!split(x))
		return PLACEHOLDER_NO;
	x->form = PLACEHOLDER_NEAR;
	x->len = a->i;
	return PLACEHOLDER_YES;
}

enum placeholder_fit placeholder_at(const char *p, size_t n, bool end,
				    bool word, struct placeholder *x)
{
	struct at a;
	enum placeholder_fit fit;

	memset(x, 0, sizeof *x);
	if (n == 0)
		return PLACEHOLDER_NO;
	for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
		if (styles[i].open[0] != *p)
			continue;
		a = (struct at){ p, n, 0, end };
		fit = bracketed(&styles[i], &a, x);
		if (fit != PLACEHOLDER_NO)
			goto found;
	}
	if (word || !(is_capital(*p) || is_digit(*p)))
		return PLACEHOLDER_NO;
	a = (struct at){ p, n, 0, end };
	fit = bare(&a, x);
found:
	if (fit != PLACEHOLDER_YES)
		x->label = x->n = 0;
	return fit;
}

size_t placeholder_skip(const char *p, size_t n, bool *word)
{
	size_t i;

	for (i = 0; i < n; i++) {
		char c = p[i];

		if (c == '<' || c == '[' || c == '&' || c == '\\' ||
		    (!*word && (is_capital(c) || is_digit(c))))
			break;
		*word = placeholder_word(c);
	}
	return i;
}

/* ---- writing --------------------------------------------------------------------- */

void placeholder_label(const char *rule, char label[PLACEHOLDER_LABEL + 1])
{
	bool letter = false;
	size_t n = 0;

	for (; *rule != '\0' && n < PLACEHOLDER_LABEL; rule++) {
		char c = (char)(is_small(*rule) ? *rule - 32 : *rule);

		if (!is_capital(c) && !is_digit(c))
			c = '_';
		if (c == '_' && (n == 0 || label[n - 1] == '_'))
			continue;
		letter = letter || is_capital(c);
		label[n++] = c;
	}
	while (n > 0 && label[n - 1] == '_')
		n--;
	label[n] = '\0';
	if (!letter)
		memcpy(label, "VALUE", sizeof "VALUE");
}
