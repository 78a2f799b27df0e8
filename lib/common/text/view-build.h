/*
 * view-build.h: what the files of text/view share: a view that is being made.
 */
#ifndef AI_TEXT_VIEW_BUILD_H
#define AI_TEXT_VIEW_BUILD_H

#include "text/view.h"

#include <stdbool.h>

/* What a text has that may be worth a closer look. */
enum {
	AI_VIEW_WIDE = 1,    /* bytes beyond ASCII */
	AI_VIEW_PERCENT = 2,
	AI_VIEW_AMP = 4,
	AI_VIEW_BACKSLASH = 8,
	AI_VIEW_LESS = 16,
	AI_VIEW_LEET = 32,   /* a letter beside a digit or @ or $ */
	AI_VIEW_SPACED = 64, /* letters with one character between them */
	AI_VIEW_ROT13 = 128, /* passages that may be ... */
	AI_VIEW_REVERSED = 256,
	AI_VIEW_LINK = 512, /* ](, ]: */
	AI_VIEW_ALWAYS = 1024, /* no mark, but what every text has */
	AI_VIEW_RUN64 = 2048,  /* digits of base64, base32, ... in a row */
	AI_VIEW_RUN32 = 4096,
	AI_VIEW_RUN16 = 8192,
};

/* Which of these p[0..n) has, but for those below.  Some may be wrongly told,
 * none is missed. */
unsigned ai_view_marks(const char *p, size_t n);
/* AI_VIEW_ROT13 and AI_VIEW_REVERSED (view-guess.c). */
unsigned ai_view_turned(const char *p, size_t n);
/* AI_VIEW_RUN64 and those behind it (view-decode.c). */
unsigned ai_view_runs(const char *p, size_t n);

/* A view in the making: bytes are put with from..to of the view it is of. */
struct ai_view_build {
	const struct ai_view *of;
	char *p;         /* owned, like the next two */
	uint32_t *at, *end;
	size_t n, cap;
	size_t max;      /* n never exceeds this; more is cut off */
	bool back;       /* it runs backwards */
	bool full, nomem; /* no more is taken */
};

void ai_view_build_release(struct ai_view_build *b);
/* Both return false when nothing more is taken. */
bool ai_view_put(struct ai_view_build *b, const char *bytes, size_t n,
		 size_t from, size_t to);
/* Each byte from..to as it is. */
bool ai_view_copy(struct ai_view_build *b, size_t from, size_t to);
/* Begins a piece: a newline, if there is one before it. */
bool ai_view_piece(struct ai_view_build *b);
/* Makes UTF-8 of what was put from byte start on: other bytes become '?', and
 * NUL a blank. */
void ai_view_clean(struct ai_view_build *b, size_t start);

/* ---- the ways to make one -------------------------------------------------- */

/* Looks at b->of and puts what comes out; nothing: there is no such view. */
typedef void ai_view_make(struct ai_view_build *b);

ai_view_make ai_view_normal;                               /* view-normal.c */
ai_view_make ai_view_base64, ai_view_base32, ai_view_hex;  /* view-decode.c */
ai_view_make ai_view_codes;                                /* view-codes.c */
ai_view_make ai_view_percent, ai_view_entity, ai_view_escape; /* -escape.c */
ai_view_make ai_view_hidden, ai_view_link;                 /* view-html.c */
ai_view_make ai_view_rot13, ai_view_reversed, ai_view_leet,
	ai_view_spaced;                                    /* view-guess.c */

#define AI_VIEW_PACKED 8 /* letters of a word that count */
/* Whether letters, packed with the first of eight highest and in small, are a
 * frequent word of n letters (view-guess.c). */
bool ai_view_frequent(uint64_t word, size_t n);
/* Parts letters into words (view-split.c): blank[i], if a word begins or ends
 * before p[i].  Returns how many letters that is known of, at most
 * AI_VIEW_SPLIT; the others are for another call. */
#define AI_VIEW_SPLIT 192
size_t ai_view_split(const char *p, size_t n, bool *blank);

/* Where the next digit stands at or behind at, or n. */
size_t ai_view_next_digit(const char *p, size_t at, size_t n);

/* What a digit or a sign is read as that stands for a letter, or '\0'; a 1 may
 * be an l, too. */
extern const char ai_view_leet_letters[256];

/* ---- ASCII ------------------------------------------------------------------- */

static inline bool ai_view_alpha(char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26;
}

static inline bool ai_view_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline char ai_view_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ai_view_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a hexadecimal digit, or -1. */
static inline int ai_view_nibble(char c)
{
	if (ai_view_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
