/*
 * personal.h: what the files of the detector of personal data share.
 *
 * personal.c goes through a view from digit to digit (and from @ to @) and asks
 * the others what stands there.  Each of them looks at a bounded piece of the
 * text, so that time is linear.
 */
#ifndef GUARD_PERSONAL_H
#define GUARD_PERSONAL_H

#include "guard.h"
#include "personal-words.h"

/* A view while it is looked at. */
struct personal {
	const struct ai_view *v;
	const char *p;
	size_t n;
	struct guard_findings *f;
	struct ai_err *err;
	bool failed;              /* err says why */
	size_t told;              /* what was found ends there */
	bool named;               /* a _ is no part of what is looked at */
	size_t seen;              /* words before that were looked for */
	size_t last[PERSONAL_N];  /* the end of the last word of a group; 0 */
};

/* The letters and digits (of ASCII) around a digit. */
struct personal_token {
	size_t from, to;
	bool letters;             /* there are any */
};

/* ---- for those who look ------------------------------------------------------- */

/* Notes what was found; what begins before its end is not looked at again. */
bool personal_note(struct personal *s, const char *rule, double score,
		   size_t from, size_t to, const char *reason);

/* How far before byte at the last word of a group ends; SIZE_MAX: none in the
 * 96 bytes before. */
size_t personal_before(struct personal *s, enum personal_word group, size_t at);
/* Whether a word of the group stands within so many bytes before. */
bool personal_near(struct personal *s, enum personal_word group, size_t at,
		   size_t bytes);
/* Whether one begins right behind, after blanks and punctuation. */
bool personal_behind(const struct personal *s, enum personal_word group,
		     size_t at);

/* Whether something that begins or ends there is no part of something longer. */
bool personal_begins(const struct personal *s, size_t at);
bool personal_ends(const struct personal *s, size_t at);

/* The byte at i, or NUL behind the end. */
static inline char personal_at(const struct personal *s, size_t i)
{
	return i < s->n ? s->p[i] : '\0';
}

static inline bool personal_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool personal_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline bool personal_alnum(char c)
{
	return personal_digit(c) || personal_letter(c);
}

/* Whether the letter before at is that of an escape: \n, as strings have it. */
static inline bool personal_escaped(const struct personal *s, size_t at)
{
	return at >= 2 && s->p[at - 2] == '\\' &&
	       (s->p[at - 1] == 'n' || s->p[at - 1] == 'r' ||
		s->p[at - 1] == 't');
}

/* ---- those who look: whether they found (and noted) something ------------------- */

/* personal-net.c: at an @; at a token of digits and letters. */
bool personal_email(struct personal *s, size_t at);
bool personal_network(struct personal *s, const struct personal_token *t);
/* personal-phone.c */
bool personal_phone(struct personal *s, const struct personal_token *t);
/* personal-id.c: cards, accounts, numbers of people and firms, coins. */
bool personal_id(struct personal *s, const struct personal_token *t);
/* personal-date.c: only of birth. */
bool personal_date(struct personal *s, const struct personal_token *t);
/* Whether groups of 1 to 4 digits are a day, in any order. */
bool personal_is_date(const unsigned v[3], const unsigned digits[3]);

#endif
