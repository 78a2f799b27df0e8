#include "text/segment.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define LOOK_BACK 4096 /* bytes of blanks looked through for a newline */
#define CLOSERS_MAX 8  /* quotes and brackets behind a full stop */
#define LINE_LOOK 256  /* bytes of a line looked at for a heading */
#define SHORT_LINE 60  /* bytes; a longer line is no heading by itself */
#define REFERENCE_MAX 24 /* bytes between brackets */
#define WORD_MAX_LEN 24 /* longer words are no abbreviations */

struct range {
	uint32_t from, to;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].from && c <= r[i].to)
			return true;
	return false;
}

#define IN(c, table) in_ranges(c, table, sizeof(table) / sizeof *(table))

/* ---- characters ---------------------------------------------------------- */

static bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

static bool is_ascii_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static uint32_t lower_ascii(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The character at p; a byte that is no UTF-8 counts as itself. */
static size_t next_char(const char *p, size_t n, uint32_t *c)
{
	size_t len;

	if (is_ascii(*p)) {
		*c = (unsigned char)*p;
		return 1;
	}
	len = ai_utf8_decode(p, n, c);
	if (len == 0) {
		*c = (unsigned char)*p;
		return 1;
	}
	return len;
}

/* The character that ends at p + at, at > 0; its length. */
static size_t prev_char(const char *p, size_t at, uint32_t *c)
{
	size_t from = at - 1, least = at < 4 ? 0 : at - 4;

	if (is_ascii(p[from])) {
		*c = (unsigned char)p[from];
		return 1;
	}
	while (from > least && ((unsigned char)p[from] & 0xC0) == 0x80)
		from--;
	if (next_char(p + from, at - from, c) == at - from)
		return at - from;
	*c = (unsigned char)p[at - 1];
	return 1;
}

/* ---- blanks -------------------------------------------------------------- */

static bool is_wide_blank(uint32_t c)
{
	return c == 0x85 || c == 0x1680 || c == 0x3000 || c == 0x205F ||
		(c >= 0x2000 && c <= 0x200A && c != 0x2007) || c == 0x2028 ||
		c == 0x2029;
}

size_t ai_blank_len(const char *p, size_t n)
{
	uint32_t c;
	size_t len;

	if (n == 0)
		return 0;
	if (is_ascii(*p))
		return is_ascii_blank(*p);
	len = ai_utf8_decode(p, n, &c);
	return len > 0 && is_wide_blank(c) ? len : 0;
}

size_t ai_blank_before(const char *p, size_t at)
{
	uint32_t c;
	size_t len;

	if (at == 0)
		return 0;
	if (is_ascii(p[at - 1]))
		return is_ascii_blank(p[at - 1]);
	len = prev_char(p, at, &c);
	return len > 1 && is_wide_blank(c) ? len : 0;
}

size_t ai_blank_skip(const char *p, size_t n, size_t at)
{
	size_t len;

	while (at < n && (len = ai_blank_len(p + at, n - at)) > 0)
		at += len;
	return at;
}

size_t ai_blank_trim(const char *p, size_t from, size_t at)
{
	size_t len;

	while (at > from && (len = ai_blank_before(p, at)) > 0)
		at -= len;
	return at < from ? from : at;
}

/* ---- punctuation --------------------------------------------------------- */

enum { STOP = 1, CLOSER = 2, OPENER = 4 };

static const unsigned char ascii[128] = {
	['.'] = STOP, ['!'] = STOP, ['?'] = STOP,
	['"'] = CLOSER | OPENER, ['\''] = CLOSER | OPENER,
	[')'] = CLOSER, [']'] = CLOSER, ['}'] = CLOSER,
	['('] = OPENER, ['['] = OPENER, ['{'] = OPENER,
	['*'] = CLOSER | OPENER, ['_'] = CLOSER | OPENER,
	['`'] = CLOSER | OPENER,
};

/* Ends a sentence if a blank follows. */
static bool is_stop(uint32_t c)
{
	static const struct range wide[] = {
		{ 0x203C, 0x203C }, { 0x2047, 0x2049 }, { 0x2026, 0x2026 },
		{ 0x0589, 0x0589 }, { 0x061F, 0x061F }, { 0x06D4, 0x06D4 },
		{ 0x0964, 0x0965 }, { 0x1362, 0x1362 }, { 0x1367, 0x1368 },
	};

	return c < 0x80 ? (ascii[c] & STOP) != 0 : IN(c, wide);
}

/* Ends a sentence without a blank: East Asian full stops. */
static bool is_wide_stop(uint32_t c)
{
	return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF0E ||
		c == 0xFF61;
}

/* What may stand between a full stop and the blank: quotes, brackets, the
 * marks of Markdown. */
static bool is_closer(uint32_t c)
{
	static const struct range wide[] = {
		{ 0xBB, 0xBB }, { 0x2018, 0x201F }, { 0x2039, 0x203A },
		{ 0x300D, 0x300D }, { 0x300F, 0x300F }, { 0x3011, 0x3011 },
		{ 0xFF09, 0xFF09 }, { 0x300B, 0x300B },
	};

	return c < 0x80 ? (ascii[c] & CLOSER) != 0 : IN(c, wide);
}

static bool is_opener(uint32_t c)
{
	static const struct range wide[] = {
		{ 0xAB, 0xAB }, { 0x2018, 0x201F }, { 0x2039, 0x203A },
		{ 0xA1, 0xA1 }, { 0xBF, 0xBF }, { 0x300C, 0x300C },
		{ 0x300E, 0x300E }, { 0x3010, 0x3010 }, { 0xFF08, 0xFF08 },
	};

	return c < 0x80 ? (ascii[c] & OPENER) != 0 : IN(c, wide);
}

static bool is_lower(uint32_t c)
{
	static const struct range wide[] = {
		{ 0xDF, 0xF6 }, { 0xF8, 0xFF }, { 0x3AC, 0x3CE },
		{ 0x430, 0x45F },
	};

	return (c >= 'a' && c <= 'z') || (c >= 0x80 && IN(c, wide));
}

static bool is_upper(uint32_t c)
{
	static const struct range wide[] = {
		{ 0xC0, 0xD6 }, { 0xD8, 0xDE }, { 0x391, 0x3AB },
		{ 0x400, 0x42F },
	};

	return (c >= 'A' && c <= 'Z') || (c >= 0x80 && IN(c, wide));
}

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xC0;
}

/* ---- words without blanks ------------------------------------------------ */

/* Scripts that put no blanks between words: Han, kana and their marks. */
static bool is_ideograph(uint32_t c)
{
	static const struct range wide[] = {
		{ 0x2E80, 0x303F }, { 0x3041, 0x30FF }, { 0x31F0, 0x31FF },
		{ 0x3400, 0x4DBF }, { 0x4E00, 0x9FFF }, { 0xF900, 0xFAFF },
		{ 0xFF01, 0xFF9F }, { 0x20000, 0x3FFFF },
	};

	return c >= 0x2E80 && IN(c, wide);
}

/* A line may not begin with these: closing marks and small kana. */
static bool clings_back(uint32_t c)
{
	static const struct range wide[] = {
		{ 0x3001, 0x3002 }, { 0x3005, 0x3005 }, { 0x309B, 0x309E },
		{ 0x30FB, 0x30FE }, { 0xFF0C, 0xFF0C }, { 0xFF1A, 0xFF1B },
		{ 0xFF5D, 0xFF5D }, { 0xFF60, 0xFF61 }, { 0xFF63, 0xFF65 },
		{ 0x3041, 0x3041 }, { 0x3043, 0x3043 }, { 0x3045, 0x3045 },
		{ 0x3047, 0x3047 }, { 0x3049, 0x3049 }, { 0x3063, 0x3063 },
		{ 0x3083, 0x3083 }, { 0x3085, 0x3085 }, { 0x3087, 0x3087 },
		{ 0x30A1, 0x30A1 }, { 0x30A3, 0x30A3 }, { 0x30A5, 0x30A5 },
		{ 0x30A7, 0x30A7 }, { 0x30A9, 0x30A9 }, { 0x30C3, 0x30C3 },
		{ 0x30E3, 0x30E3 }, { 0x30E5, 0x30E5 }, { 0x30E7, 0x30E7 },
	};

	return is_closer(c) || is_wide_stop(c) || IN(c, wide) ||
		(c < 0x80 && c != 0 && strchr(",.;:!?", (int)c) != NULL);
}

/* Marks that belong to the character before them. */
static bool is_mark(uint32_t c)
{
	static const struct range wide[] = {
		{ 0x300, 0x36F }, { 0x483, 0x489 }, { 0x591, 0x5BD },
		{ 0x610, 0x61A }, { 0x64B, 0x65F }, { 0x900, 0x903 },
		{ 0x93A, 0x94F }, { 0xE31, 0xE31 }, { 0xE34, 0xE3A },
		{ 0xE47, 0xE4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF },
		{ 0x200C, 0x200D }, { 0x20D0, 0x20F0 }, { 0x3099, 0x309A },
		{ 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0x1F3FB, 0x1F3FF },
		{ 0xE0020, 0xE01EF },
	};

	return c >= 0x300 && IN(c, wide);
}

bool ai_break_splits_char(const char *p, size_t n, size_t at)
{
	uint32_t before, after;

	if (at == 0 || at >= n || (is_ascii(p[at]) && p[at] != '\n'))
		return false;
	prev_char(p, at, &before);
	next_char(p + at, n - at, &after);
	return (before == '\r' && after == '\n') || is_mark(after) ||
		(before == 0x200D && after >= 0x2190);
}

/* ---- sentences ----------------------------------------------------------- */

/* Abbreviations that stand before something: no sentence ends with them. */
static const char abbreviations[] =
	" mr mrs ms dr prof st rev hon gen capt lt sgt cmdr adm gov sen rep "
	"pres supt messrs mme mlle sr sra vs cf viz approx ca resp incl excl "
	"e.g i.e eg ie al op cit ibid z.b d.h u.a bzw vgl s.o s.u p.ex ";
/* Those that are words too, or end a sentence, unless a number follows. */
static const char before_numbers[] =
	" no nos nr fig figs eq eqs sec sect ch chap art vol vols ed p pp "
	"jan feb mar apr jun jul aug sep sept oct nov dec ver v ";

static bool is_in_list(const char *list, const char *word, size_t n)
{
	char key[WORD_MAX_LEN + 3];

	if (n == 0 || n > WORD_MAX_LEN || memchr(word, ' ', n) != NULL)
		return false;
	key[0] = ' ';
	for (size_t i = 0; i < n; i++)
		key[i + 1] = (char)lower_ascii((unsigned char)word[i]);
	key[n + 1] = ' ';
	key[n + 2] = '\0';
	return strstr(list, key) != NULL;
}

/* Where the word that ends at end begins: letters, digits, dots. */
static size_t word_start(const char *p, size_t end)
{
	size_t at = end;
	uint32_t c;

	while (at > 0 && end - at <= WORD_MAX_LEN) {
		size_t len = prev_char(p, at, &c);

		if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-')
			break;
		at -= len;
	}
	return at;
}

/* "1." at the start of a line numbers what follows. */
static bool is_list_number(const char *p, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		if (!is_digit((unsigned char)p[i]))
			return false;
	while (from > 0 && (p[from - 1] == ' ' || p[from - 1] == '\t'))
		from--;
	return from == 0 || p[from - 1] == '\n';
}

/* Whether the full stop at p[end] only shortens the word before it, when
 * next is what follows. */
static bool shortens(const char *p, size_t end, char next)
{
	size_t from = word_start(p, end), i = from, letters = 0, dots = 0;
	uint32_t c = 0;
	bool upper = true;

	if (from == end)
		return false;
	if (is_in_list(abbreviations, p + from, end - from) ||
	    (is_digit((unsigned char)next) &&
	     is_in_list(before_numbers, p + from, end - from)) ||
	    is_list_number(p, from, end))
		return true;
	while (i < end) {
		i += next_char(p + i, end - i, &c);
		dots += c == '.';
		letters += c != '.';
		upper = upper && (c == '.' || is_upper(c));
	}
	/* Initials: "J." and "U.S.", but not "NATO." */
	return upper && letters == dots + 1;
}

/* Whether something begins at p that no sentence goes on with: a list item,
 * a heading, a row of a table, a quotation, a fence. */
static bool begins_block(const char *p, size_t n)
{
	size_t i = 0;

	if (n >= 3 && (memcmp(p, "```", 3) == 0 || memcmp(p, "~~~", 3) == 0))
		return true;
	if (n >= 2 && strchr("-*+|>", p[0]) != NULL && p[0] != '\0')
		return p[1] == ' ' || p[1] == '\t' || p[0] == '|';
	if (n >= 4 && memcmp(p, "\xE2\x80\xA2 ", 4) == 0) /* a bullet */
		return true;
	while (i < n && i < 6 && p[i] == '#')
		i++;
	if (i > 0)
		return i < n && p[i] == ' ';
	while (i < n && i < 3 && is_digit((unsigned char)p[i]))
		i++;
	return i > 0 && i + 1 < n && (p[i] == '.' || p[i] == ')') &&
		p[i + 1] == ' ';
}

/*
 * Whether the line that ends at end is one by itself, when the next begins
 * at at: a heading in Markdown, or a short line over an indented one.
 */
static bool stands_alone(const char *p, size_t end, size_t at)
{
	size_t from = end, next = at, i;

	while (from > 0 && p[from - 1] != '\n' && end - from <= LINE_LOOK)
		from--;
	if (from > 0 && p[from - 1] != '\n')
		return false;
	for (i = from; i < end && i - from < 6 && p[i] == '#'; i++)
		;
	if (i > from && i < end && p[i] == ' ')
		return true;
	while (next > end && (p[next - 1] == ' ' || p[next - 1] == '\t'))
		next--;
	for (i = from; i < end && (p[i] == ' ' || p[i] == '\t'); i++)
		;
	return end - from <= SHORT_LINE && at - next >= i - from + 3;
}

/* Whether the sentence goes on with what stands at at. */
static bool goes_on(const char *p, size_t n, size_t at)
{
	uint32_t c = 0;

	for (int i = 0; i < CLOSERS_MAX && at < n; i++) {
		at += next_char(p + at, n - at, &c);
		if (!is_opener(c))
			return is_lower(c);
	}
	return false;
}

/* Bytes of a reference like [1] or [2, 3] at p, or 0. */
static size_t reference_len(const char *p, size_t n)
{
	size_t i = 1;

	if (n < 3 || p[0] != '[' || !is_digit((unsigned char)p[1]))
		return 0;
	while (i < n && i < REFERENCE_MAX &&
	       (is_digit((unsigned char)p[i]) || p[i] == ',' || p[i] == ' ' ||
		p[i] == '-'))
		i++;
	return i < n && p[i] == ']' ? i + 1 : 0;
}

/* References behind a full stop belong to the sentence before it: the end
 * of what stands before them. */
static size_t before_references(const char *p, size_t end)
{
	size_t from, stop;

	while (end > 0 && p[end - 1] == ']') {
		for (from = end - 1; from > 0 && p[from] != '[' &&
		     end - from < REFERENCE_MAX; from--)
			;
		if (reference_len(p + from, end - from) != end - from)
			break;
		stop = ai_blank_trim(p, from < LINE_LOOK ? 0 : from - LINE_LOOK,
				     from);
		if (memchr(p + stop, '\n', from - stop) != NULL)
			break;
		end = stop;
	}
	return end;
}

/*
 * Whether the text before end (no blanks there) ends a sentence, when what
 * follows begins at at.
 */
static bool ends_sentence(const char *p, size_t n, size_t end, size_t at)
{
	uint32_t c = 0;

	if (at < n && reference_len(p + at, n - at) > 0 &&
	    memchr(p + end, '\n', at - end) == NULL)
		return false;
	end = before_references(p, end);
	for (int i = 0; i <= CLOSERS_MAX && end > 0; i++) {
		end -= prev_char(p, end, &c);
		if (is_stop(c) || is_wide_stop(c) || !is_closer(c))
			break;
	}
	if (is_wide_stop(c))
		return true;
	if (!is_stop(c) || goes_on(p, n, at))
		return false;
	return c != '.' || !shortens(p, end, at < n ? p[at] : '\0');
}

/* ---- breaks -------------------------------------------------------------- */

/* Without a blank between them. */
static unsigned break_between(const char *p, size_t n, size_t at)
{
	uint32_t before, after;

	if (is_ascii(p[at - 1]) && is_ascii(p[at]))
		return 0;
	prev_char(p, at, &before);
	next_char(p + at, n - at, &after);
	if ((!is_ideograph(before) && !is_ideograph(after)) ||
	    is_mark(after) || clings_back(after) ||
	    (is_opener(before) && before >= 0x80) || before == 0x200D)
		return 0;
	if (is_wide_stop(before) ||
	    (is_closer(before) && is_ideograph(before) &&
	     ends_sentence(p, n, at, at)))
		return AI_BREAK_WORD | AI_BREAK_SENTENCE;
	return AI_BREAK_WORD;
}

/* Goes back over the blanks before *at and says what they hold. */
static unsigned look_back(const char *p, size_t *at)
{
	size_t from = *at, len, newlines = 0;
	uint32_t c;

	while (*at > 0 && from - *at < LOOK_BACK &&
	       (len = ai_blank_before(p, *at)) > 0) {
		prev_char(p, *at, &c);
		*at -= len;
		newlines += c == '\n' || c == 0x2028 || c == 0x85;
		if (newlines == 2 || c == '\f' || c == 0x2029)
			return AI_BREAK_ALL;
	}
	return newlines > 0 ? AI_BREAK_WORD | AI_BREAK_LINE : AI_BREAK_WORD;
}

unsigned ai_break_in(const char *p, size_t n, size_t at, unsigned want)
{
	size_t end = at;
	unsigned kinds;

	if (at == 0 || at >= n)
		return want;
	if (is_ascii(p[at]) ? is_ascii_blank(p[at])
			    : ai_blank_len(p + at, n - at) > 0)
		return 0;
	if (((unsigned char)p[at] & 0xC0) == 0x80) /* inside a character */
		return 0;
	if (ai_blank_before(p, at) == 0)
		return break_between(p, n, at) & want;
	kinds = look_back(p, &end);
	if (kinds == AI_BREAK_ALL || end == 0)
		return want;
	if ((want & AI_BREAK_SENTENCE) != 0 &&
	    (ends_sentence(p, n, end, at) ||
	     ((kinds & AI_BREAK_LINE) != 0 &&
	      (begins_block(p + at, n - at) || stands_alone(p, end, at)))))
		kinds |= AI_BREAK_SENTENCE;
	return kinds & want;
}

unsigned ai_break_at(const char *p, size_t n, size_t at)
{
	return ai_break_in(p, n, at, AI_BREAK_ALL);
}

size_t ai_break_next(const char *p, size_t n, size_t at, unsigned kinds)
{
	for (at++; at < n; at++)
		if (ai_break_in(p, n, at, kinds) != 0)
			return at;
	return n;
}

bool ai_segment_next(const char *p, size_t n, size_t *at, enum ai_break kind,
		     struct ai_span *unit)
{
	size_t from = ai_blank_skip(p, n, *at);

	if (from >= n)
		return false;
	*at = ai_break_next(p, n, from, kind);
	unit->p = p + from;
	unit->n = ai_blank_trim(p, from, *at) - from;
	return true;
}
