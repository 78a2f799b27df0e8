/*
 * personal-words.h: words that say what a number near them is; the build makes
 * a table of data/guard/personal.words.
 */
#ifndef GUARD_PERSONAL_WORDS_H
#define GUARD_PERSONAL_WORDS_H

#include <stdint.h>

/* The groups of the file, under their names there. */
#define PERSONAL_WORDS(X)                                                      \
	X(PHONE, "phone") X(LABEL, "label") X(ORDER, "order")                  \
	X(VERSION, "version") X(BIRTH, "birth") X(IP, "ip")                    \
	X(CARD, "card") X(PASSPORT, "passport") X(LICENCE, "licence")          \
	X(ACCOUNT, "account") X(MEDICAL, "medical") X(TAX, "tax")              \
	X(PERSON, "person") X(SSN, "ssn") X(ABA, "aba") X(NPI, "npi")          \
	X(VIN, "vin") X(NHS, "nhs") X(FIRM, "firm") X(MEDICARE, "medicare")    \
	X(AADHAAR, "aadhaar")

enum personal_word {
	PERSONAL_NONE,
#define X(name, text) PERSONAL_##name,
	PERSONAL_WORDS(X)
#undef X
	PERSONAL_N
};

/* Longer ones are refused. */
#define PERSONAL_WORD_MAX 40

/* A table of few bytes: words are looked for near numbers only, and an automaton
 * of all these scripts would be as large as the rest of the program. */
struct personal_words {
	const char *text;       /* all of them, in small letters (of ASCII) */
	const uint16_t *at;     /* where each begins in it, and the end */
	const uint8_t *group;   /* enum personal_word */
	const uint8_t *open;    /* it may go on: "telefon*" */
	const uint16_t *first;  /* [257]: the first word that begins so */
};

/* What the build makes of data/guard/personal.words. */
extern const struct personal_words personal_words;

#endif
