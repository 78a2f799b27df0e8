/*
 * tokenizer_bert.c: what BERT's tokenizers do: how they normalise a text, cut
 * it into words and signs, and take each word apart from the left, the longest
 * known piece first (WordPiece; Schuster and Nakajima, ICASSP 2012).
 */
#include "base/utf8.h"
#include "text/bert-table.h"
#include "text/bpe_merge.h"
#include "text/class.h"
#include "text/normal.h"
#include "text/tokenizer_int.h"
#include "text/tokenizer_norm.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define REPLACEMENT 0xFFFDu

static bool within(const struct bert_range *r, size_t n, uint32_t cp)
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (cp > r[mid].to)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && cp >= r[low].from;
}

/* ---- normalising ---------------------------------------------------------- */

static uint32_t lower(uint32_t cp)
{
	size_t low = 0, high = COUNT(bert_lowers), mid;
	const struct bert_lower *l;

	if (cp < 0x80)
		return cp - 'A' < 26u ? cp + 32 : cp;
	while (low < high) {
		mid = (low + high) / 2;
		if (cp > bert_lowers[mid].to)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == COUNT(bert_lowers))
		return cp;
	l = &bert_lowers[low];
	return cp >= l->from && (cp - l->from) % l->step == 0
		? cp + (uint32_t)l->delta : cp;
}

static bool is_chinese(uint32_t cp)
{
	static const struct bert_range chinese[] = {
		{ 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },
		{ 0xF900, 0xFAFF },   { 0x20000, 0x2A6DF },
		{ 0x2A700, 0x2B73F }, { 0x2B740, 0x2B81F },
		{ 0x2B920, 0x2CEAF }, { 0x2F800, 0x2FA1F },
	};

	return cp >= 0x3400 && within(chinese, COUNT(chinese), cp);
}

static bool is_control(uint32_t cp)
{
	if (cp < 0x80)
		return (cp < 32 && cp != '\t' && cp != '\n' && cp != '\r') ||
			cp == 127;
	return cp == REPLACEMENT ||
		within(bert_controls, COUNT(bert_controls), cp);
}

static void put(uint32_t cp, unsigned flags, struct ai_buf *out)
{
	char room[4];

	if ((flags & AI_TOK_BERT_ACCENTS) && cp >= 0x300 &&
	    within(bert_marks, COUNT(bert_marks), cp))
		return;
	if ((flags & AI_TOK_BERT_MARKS) && cp >= 0x300 &&
	    ai_class_of(cp) == AI_CLASS_MARK)
		return;
	/* The only capital that becomes two: the second is a mark. */
	if (cp == 0x130 && (flags & AI_TOK_BERT_LOWER)) {
		ai_buf_add(out, "i\xCC\x87", 3);
		return;
	}
	if (flags & AI_TOK_BERT_LOWER)
		cp = lower(cp);
	ai_buf_add(out, room, ai_utf8_encode(cp, room));
}

static void put_wide(uint32_t cp, bool blank, unsigned flags,
		     struct ai_buf *out)
{
	uint32_t part[AI_NORMAL_PARTS] = { cp };
	size_t n = 1;

	if (flags & AI_TOK_BERT_CLEAN) {
		if (is_control(cp))
			return;
		if (blank)
			part[0] = ' ';
	}
	if ((flags & AI_TOK_BERT_CJK) && is_chinese(cp)) {
		ai_buf_chr(out, ' ');
		put_wide(cp, false, flags & ~(unsigned)AI_TOK_BERT_CJK, out);
		ai_buf_chr(out, ' ');
		return;
	}
	if (flags & AI_TOK_BERT_PARTS)
		n = ai_normal_parts(part[0], part);
	for (size_t i = 0; i < n; i++)
		put(part[i], flags, out);
}

/* ASCII, of which a run is done at once; where it ends. */
static size_t put_ascii(const char *p, size_t n, unsigned flags,
			struct ai_buf *out)
{
	size_t i = 0;
	char *q;

	if (ai_buf_reserve(out, n) < 0)
		return n;
	q = out->p + out->len;
	for (; i < n && (unsigned char)p[i] < 0x80; i++) {
		char c = p[i];

		if ((flags & AI_TOK_BERT_CLEAN) && (c < ' ' || c == 127)) {
			if (is_control((uint32_t)c))
				continue;
			c = ' ';
		}
		if ((flags & AI_TOK_BERT_LOWER) && c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		*q++ = c;
	}
	out->len = (size_t)(q - out->p);
	*q = '\0';
	return i;
}

void ai_tok_bert_normalise(struct ai_span t, unsigned flags,
			   struct ai_buf *out)
{
	enum ai_class class;
	size_t len, used;
	uint32_t cp;

	for (size_t at = 0; at < t.n && out->bad == AI_E_NONE;) {
		if ((unsigned char)t.p[at] < 0x80) {
			at += put_ascii(t.p + at, t.n - at, flags, out);
			continue;
		}
		class = ai_class_at(t.p, t.n, at, &len);
		used = ai_utf8_decode(t.p + at, t.n - at, &cp);
		if (used == 0)
			cp = REPLACEMENT;
		put_wide(cp, class == AI_CLASS_SPACE ||
			 class == AI_CLASS_NEWLINE, flags, out);
		at += len;
	}
}

/* ---- cutting ---------------------------------------------------------------- */

enum kind { WORD, SIGN, BLANK };

static enum kind kind_at(const char *p, size_t n, size_t at, size_t *len)
{
	unsigned char c = (unsigned char)p[at];
	enum ai_class class;
	uint32_t cp;

	*len = 1;
	if (c < 0x80) {
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			return WORD;
		if (c == ' ' || (c >= '\t' && c <= '\r'))
			return BLANK;
		return c > ' ' && c < 127 && !(c >= 'A' && c <= 'Z') ? SIGN
								    : WORD;
	}
	class = ai_class_at(p, n, at, len);
	if (class == AI_CLASS_SPACE || class == AI_CLASS_NEWLINE)
		return BLANK;
	if (class != AI_CLASS_OTHER ||
	    ai_utf8_decode(p + at, n - at, &cp) == 0)
		return WORD;
	return within(bert_punctuation, COUNT(bert_punctuation), cp) ? SIGN
								   : WORD;
}

size_t ai_tok_bert_end(const char *p, size_t n, size_t at, size_t *next)
{
	size_t end = at, len;
	enum kind kind = kind_at(p, n, at, &len);

	if (kind != WORD) {
		*next = at + len;
		return kind == SIGN ? at + len : at;
	}
	do
		end += len;
	while (end < n && (kind = kind_at(p, n, end, &len)) == WORD);
	*next = end < n && kind == BLANK ? end + len : end;
	return end;
}

/* ---- words ------------------------------------------------------------------ */

static size_t count_chars(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)p[i] & 0xC0) != 0x80;
	return count;
}

/* The longest token that begins at w[at], which stands behind what may be
 * overwritten; its end in *end.  AI_TOK_NONE: there is none. */
static uint32_t longest(const struct ai_tok *k, char *w, size_t n, size_t at,
			size_t *end)
{
	const struct ai_tok_header *h = k->t.head;
	size_t pre = at > 0 ? h->prefix_n : 0, to = n;
	char *from = w + at - pre;
	uint32_t id;

	memcpy(from, h->prefix, pre);
	if (pre >= h->max_len)
		return AI_TOK_NONE;
	if (to - at > h->max_len - pre)
		to = at + h->max_len - pre;
	for (; to > at; to--) {
		if (to < n && ((unsigned char)w[to] & 0xC0) == 0x80)
			continue;
		id = ai_tok_find(&k->t, from, pre + to - at);
		if (id != AI_TOK_NONE) {
			*end = to;
			return id;
		}
	}
	return AI_TOK_NONE;
}

int ai_tok_wordpiece(struct ai_tok_run *r, const char *p, size_t n)
{
	const struct ai_tok_header *h = r->k->t.head;
	char room[AI_TOK_PREFIX_MAX + 4 * AI_TOK_WORD_MAX];
	char *w = room + AI_TOK_PREFIX_MAX;
	uint32_t id[4 * AI_TOK_WORD_MAX];
	size_t count = 0, at = 0, end = 0;
	bool known = n <= 4 * AI_TOK_WORD_MAX &&
		count_chars(p, n) <= h->word_max;

	if (known)
		memcpy(w, p, n);
	for (; known && at < n; at = end) {
		id[count] = longest(r->k, w, n, at, &end);
		known = id[count++] != AI_TOK_NONE;
	}
	if (!known) {
		id[0] = h->unknown;
		count = h->unknown != AI_TOK_NONE;
	}
	for (size_t i = 0; i < count; i++)
		if (ai_bpe_sink_add(r->s, id[i], r->err) < 0)
			return -1;
	return 0;
}
