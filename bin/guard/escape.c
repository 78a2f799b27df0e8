/*
 * escape.c: escape sequences for terminals (ECMA-48, and what xterm and its
 * kin made of it).  Who prints a text that has some does what its author wants:
 * a line is overwritten, the clipboard filled, a link leads elsewhere.
 */
#include "validate.h"

#include <string.h>

#define ESC 0x1B
#define BEL 0x07

/* ESC and a letter, and the one character of C1 that says the same. */
static const struct opener {
	char letter;
	unsigned char c1; /* U+0080 + */
	enum { CSI, OSC, OTHER_STRING } is;
} openers[] = {
	{ '[', 0x9B, CSI }, { ']', 0x9D, OSC },
	{ 'P', 0x90, OTHER_STRING }, { 'X', 0x98, OTHER_STRING },
	{ '^', 0x9E, OTHER_STRING }, { '_', 0x9F, OTHER_STRING },
};

/* What a CSI does, by its last byte. */
static const struct final {
	const char *bytes;
	double score;
	const char *reason;
} finals[] = {
	{ "m", .3, "colours for a terminal" },
	{ "ABCDEFGHfadej`s" "u", .8, "moves a terminal's cursor" },
	{ "JKXPLM@ST", .8, "erases what a terminal shows" },
	{ "nc", .9, "makes a terminal type an answer" },
	{ "hlpqrt", .8, "changes how a terminal works" },
};

/* What an OSC does, by its number. */
static const struct command {
	const char *number;
	double score;
	const char *reason;
} commands[] = {
	{ "52", .95, "fills a terminal's clipboard" },
	{ "8", .8, "a link that a terminal shows as other text" },
	{ "0", .7, "a terminal's title" }, { "1", .7, "a terminal's title" },
	{ "2", .7, "a terminal's title" },
	{ "1337", .95, "a file, or an order, for a terminal" },
	{ "50", .9, "a font, or an order, for a terminal" },
};

static bool is_in(unsigned char c, unsigned char from, unsigned char to)
{
	return c >= from && c <= to;
}

/* One that nobody sees: SGR 8. */
static bool is_concealed(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '8' && (i == 0 || p[i - 1] == ';') &&
		    (i + 1 == n || p[i + 1] == ';'))
			return true;
	return false;
}

/* p is behind the opener, which was at bytes long. */
static bool control_sequence(const char *p, size_t n, size_t at, bool c1,
			     struct guard_escape *e)
{
	size_t i = 0, params;

	while (i < n && is_in((unsigned char)p[i], 0x30, 0x3F))
		i++;
	params = i;
	while (i < n && is_in((unsigned char)p[i], 0x20, 0x2F))
		i++;
	/* U+009B is what a quotation mark becomes in the wrong encoding. */
	if (i == n || !is_in((unsigned char)p[i], 0x40, 0x7E))
		return false;
	if (c1 && params == 0)
		return false;
	*e = (struct guard_escape){ at + i + 1, .6, "an escape sequence for "
				    "terminals" };
	for (size_t k = 0; k < sizeof finals / sizeof *finals; k++)
		if (strchr(finals[k].bytes, p[i]) != NULL) {
			e->score = finals[k].score;
			e->reason = finals[k].reason;
		}
	if (p[i] == 'm' && is_concealed(p, params)) {
		e->score = .9;
		e->reason = "text that a terminal hides";
	}
	return true;
}

/* The bytes of a control string up to its end, or 0: it has none.  Another ESC,
 * or a C1 control, ends it without one. */
static size_t string_length(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == BEL)
			return i + 1;
		if (c == ESC)
			return i + 1 < n && p[i + 1] == '\\' ? i + 2 : 0;
		if (c == 0xC2 && i + 1 < n &&
		    is_in((unsigned char)p[i + 1], 0x80, 0x9F))
			return (unsigned char)p[i + 1] == 0x9C ? i + 2 : 0;
		if (c == 0x18 || c == 0x1A)
			return 0;
	}
	return 0;
}

static bool control_string(const char *p, size_t n, size_t at, bool c1,
			   bool osc, struct guard_escape *e)
{
	size_t digits = 0, length = string_length(p, n);

	while (digits < n && is_in((unsigned char)p[digits], '0', '9'))
		digits++;
	if (c1 && (length == 0 || (osc && digits == 0)))
		return false;
	/* Without an end a terminal swallows all that follows. */
	*e = (struct guard_escape){ at + (length > 0 ? length : digits), .9,
				    length > 0 ? "an order for a terminal"
				    : "an order for a terminal, without an "
				    "end" };
	for (size_t k = 0; osc && k < sizeof commands / sizeof *commands; k++)
		if (ai_span_is((struct ai_span){ p, digits },
			       commands[k].number)) {
			e->score = commands[k].score;
			e->reason = commands[k].reason;
		}
	return true;
}

static const struct opener *opener_of(bool c1, unsigned char c)
{
	for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
		if (c == (c1 ? openers[i].c1
			     : (unsigned char)openers[i].letter))
			return &openers[i];
	return NULL;
}

bool guard_escape_at(const char *p, size_t n, struct guard_escape *e)
{
	bool c1 = n > 0 && (unsigned char)*p != ESC;
	const struct opener *o = n < 2 ? NULL :
		opener_of(c1, (unsigned char)p[1]);

	if (o != NULL && (o->is == CSI
			  ? control_sequence(p + 2, n - 2, 2, c1, e)
			  : control_string(p + 2, n - 2, 2, c1, o->is == OSC,
					   e)))
		return true;
	if (n == 0 || c1)
		return false;
	/* ESC c resets it, ESC ( changes its letters; alone it waits for what
	 * comes. */
	*e = (struct guard_escape){ 1, .6, "an escape for terminals" };
	if (n > 1 && is_in((unsigned char)p[1], 0x30, 0x7E))
		e->n = 2;
	else if (n > 2 && is_in((unsigned char)p[1], 0x20, 0x2F) &&
		 is_in((unsigned char)p[2], 0x30, 0x7E))
		e->n = 3;
	return true;
}
