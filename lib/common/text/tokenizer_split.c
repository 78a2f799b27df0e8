/*
 * How tokenizers cut texts into pieces before they make tokens: each step
 * cuts what the one before it left.  Patterns that many of them share are
 * rules of bpe_split.h; all others go through PCRE2.
 */
#include "base/utf8.h"
#include "text/bpe_split.h"
#include "text/class_run.h"
#include "text/symbol-table.h"
#include "text/tokenizer_int.h"
#include "text/tokenizer_norm.h"

#define BIT(c) (1u << AI_CLASS_##c)

#define MARKS BIT(MARK)
#define LETTERS (BIT(UPPER) | BIT(LOWER) | BIT(LETTER))
#define NUMBERS BIT(NUMBER)
/* What may stand before a word and belong to it: [^\r\n\p{L}\p{N}] */
#define PREFIX (BIT(OTHER) | MARKS | BIT(SPACE))
#define ALL SIZE_MAX

/* ---- DeepSeek's third pattern ---- */

static bool is_ascii_symbol(unsigned char c)
{
	return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
	       (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static bool is_ascii_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* \p{P} or \p{S} */
static bool at_symbol(const char *p, size_t n, size_t at, size_t *end)
{
	size_t low = 0, high = sizeof symbol_ranges / sizeof symbol_ranges[0];
	size_t mid, len;
	uint32_t cp;

	*end = at + 1;
	if (at >= n || (unsigned char)p[at] < 0x80)
		return at < n && is_ascii_symbol((unsigned char)p[at]);
	len = ai_utf8_decode(p + at, n - at, &cp);
	if (len == 0)
		return false;
	*end = at + len;
	while (low < high) {
		mid = (low + high) / 2;
		if (cp > symbol_ranges[mid].to)
			low = mid + 1;
		else
			high = mid;
	}
	return low < sizeof symbol_ranges / sizeof symbol_ranges[0] &&
	       cp >= symbol_ranges[low].from;
}

static size_t deepseek_word(const char *p, size_t n, size_t at)
{
	size_t from = at, end, next;

	if (ai_class_is(p, n, at, PREFIX | NUMBERS, &next) &&
	    !at_symbol(p, n, at, &end))
		from = next;
	end = ai_class_run(p, n, from, LETTERS | MARKS, ALL);
	if (end == from && from > at) {
		from = at;
		end = ai_class_run(p, n, at, LETTERS | MARKS, ALL);
	}
	return end > from ? end : 0;
}

/* The end of what it matches at p[at], or 0. */
static size_t deepseek_match(const char *p, size_t n, size_t at)
{
	size_t end = at, next;

	if (is_ascii_symbol((unsigned char)p[at]) && at + 1 < n &&
	    is_ascii_letter((unsigned char)p[at + 1])) {
		for (end = at + 2; end < n; end++)
			if (!is_ascii_letter((unsigned char)p[end]))
				break;
		return end;
	}
	end = deepseek_word(p, n, at);
	if (end > 0)
		return end;
	end = at + (p[at] == ' ');
	if (at_symbol(p, n, end, &next)) {
		for (end = next; at_symbol(p, n, end, &next); end = next)
			;
		while (end < n && (p[end] == '\r' || p[end] == '\n'))
			end++;
		return end;
	}
	end = ai_split_blanks(p, n, at, true);
	return end > at ? end : 0;
}

size_t ai_tok_deepseek_end(const char *p, size_t n, size_t at)
{
	size_t end = deepseek_match(p, n, at), len;

	if (end > 0)
		return end;
	/* What it does not match is a piece, up to what it does. */
	for (end = at;;) {
		ai_class_at(p, n, end, &len);
		end += len;
		if (end >= n || deepseek_match(p, n, end) > 0)
			return end;
	}
}

/* ---- steps that look for something ---- */

struct found {
	size_t from, to;
};

static bool in_ranges(const char *p, size_t n, size_t at,
		      struct ai_span ranges, size_t *end)
{
	uint32_t cp, pair[2];
	size_t len = ai_utf8_decode(p + at, n - at, &cp);

	*end = at + (len > 0 ? len : 1);
	for (size_t i = 0; len > 0 && i + sizeof pair <= ranges.n;
	     i += sizeof pair) {
		memcpy(pair, ranges.p + i, sizeof pair);
		if (cp >= pair[0] && cp <= pair[1])
			return true;
	}
	return false;
}

static bool next_numbers(const char *p, size_t n, size_t at, size_t max,
			 struct found *f)
{
	size_t end;

	for (; at < n; at = end) {
		if (!ai_class_is(p, n, at, NUMBERS, &end))
			continue;
		f->from = at;
		f->to = ai_class_run(p, n, at, NUMBERS, max == 0 ? ALL : max);
		return true;
	}
	return false;
}

static bool next_ranges(const char *p, size_t n, size_t at, struct ai_span set,
			struct found *f)
{
	size_t end;

	for (; at < n; at = end) {
		if (!in_ranges(p, n, at, set, &end))
			continue;
		f->from = at;
		while (f->to = end, end < n && in_ranges(p, n, end, set, &end))
			;
		return true;
	}
	return false;
}

static bool next_string(const char *p, size_t n, size_t at, struct ai_span s,
			struct found *f)
{
	const char *hit = s.n == 0 ? NULL : memmem(p + at, n - at, s.p, s.n);

	if (hit == NULL)
		return false;
	f->from = (size_t)(hit - p);
	f->to = f->from + s.n;
	return true;
}

/* A match of nothing cuts, and the search goes on a character later. */
static int next_regex(struct ai_tok_run *r, size_t step, const char *p,
		      size_t n, size_t at, struct found *f)
{
	const struct ai_tok_step *s = &r->k->t.steps[step];
	struct ai_span hit;
	int rc = ai_regex_match(r->k->regex[step], (struct ai_span){ p, n },
				at, &hit, 1, r->err);

	if (rc < 0 && r->err->code == AI_E_TOO_LONG)
		return ai_err_set(r->err, AI_E_TOO_LONG,
				  "the tokenizer's pattern '%.*s' needs too many "
				  "steps on this text",
				  (int)ai_utf8_floor(r->k->t.text + s->text,
						     s->text_n, 200),
				  r->k->t.text + s->text);
	if (rc <= 0)
		return rc;
	f->from = (size_t)(hit.p - p);
	f->to = f->from + hit.n;
	return 1;
}

/* 1: found at or behind at, 0: not, -1: err. */
static int next_found(struct ai_tok_run *r, size_t step, const char *p,
		      size_t n, size_t at, struct found *f)
{
	const struct ai_tok_step *s = &r->k->t.steps[step];
	const struct ai_span text = { r->k->t.text + s->text, s->text_n };

	switch ((enum ai_tok_step_kind)s->kind) {
	case AI_TOK_NUMBERS:
		return next_numbers(p, n, at, s->arg, f);
	case AI_TOK_RANGES:
		return next_ranges(p, n, at, text, f);
	case AI_TOK_STRING:
		return next_string(p, n, at, text, f);
	default:
		return next_regex(r, step, p, n, at, f);
	}
}

/* ---- what becomes of what was found ---- */

/* One part after the other comes in, found or not; pieces go out. */
struct cutter {
	struct ai_tok_run *r;
	size_t step;
	const char *p;
	struct found held; /* what may yet grow; from > to: nothing */
	bool held_hit, before;
};

static int flush(struct cutter *c)
{
	struct found h = c->held;

	c->held = (struct found){ 1, 0 };
	if (h.from >= h.to)
		return 0;
	return ai_tok_split(c->r, c->step + 1, c->p + h.from, h.to - h.from);
}

static int hold(struct cutter *c, struct found part, bool hit, bool grow)
{
	if (grow && c->held.from <= c->held.to) {
		c->held.to = part.to;
		c->held_hit = hit;
		return 0;
	}
	if (flush(c) < 0)
		return -1;
	c->held = part;
	c->held_hit = hit;
	return 0;
}

static int take(struct cutter *c, struct found part, bool hit)
{
	const struct ai_tok_step *s = &c->r->k->t.steps[c->step];
	bool before = c->before;

	hit ^= s->invert != 0;
	c->before = hit;
	switch ((enum ai_tok_behaviour)s->behaviour) {
	case AI_TOK_REMOVED:
		return hit ? flush(c) : hold(c, part, hit, false);
	case AI_TOK_WITH_PREVIOUS:
		return hold(c, part, hit, hit && !before);
	case AI_TOK_WITH_NEXT:
		return hold(c, part, hit, !hit && c->held_hit);
	case AI_TOK_CONTIGUOUS:
		return hold(c, part, hit, hit == before);
	default:
		return hold(c, part, hit, false);
	}
}

static int cut(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	struct cutter c = { r, step, p, { 1, 0 }, false, false };
	size_t at = 0, scan = 0, len;
	struct found f;
	int rc = 0;

	while (scan <= n && (rc = next_found(r, step, p, n, scan, &f)) > 0) {
		if (f.from > at &&
		    take(&c, (struct found){ at, f.from }, false) < 0)
			return -1;
		if (take(&c, f, true) < 0)
			return -1;
		at = scan = f.to;
		if (f.from < f.to)
			continue;
		if (at == n)
			break;
		ai_class_at(p, n, at, &len);
		scan = at + len;
	}
	if (rc < 0 ||
	    (at < n && take(&c, (struct found){ at, n }, false) < 0))
		return -1;
	return flush(&c);
}

/* ---- steps that know where each piece ends, and such that change text ---- */

static int cut_rule(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	const struct ai_tok_step *s = &r->k->t.steps[step];
	size_t at = 0, end;

	for (; at < n; at = end) {
		end = s->kind == AI_TOK_RULE
			      ? ai_split_rule_end(s->arg, p, n, at)
			      : ai_tok_deepseek_end(p, n, at);
		if (ai_tok_split(r, step + 1, p + at, end - at) < 0)
			return -1;
	}
	return 0;
}

static int cut_bert(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	size_t at = 0, end, next;

	for (; at < n; at = next) {
		end = ai_tok_bert_end(p, n, at, &next);
		if (end > at && ai_tok_split(r, step + 1, p + at, end - at) < 0)
			return -1;
	}
	return 0;
}

static bool begins(const char *p, size_t n, const char *with, size_t with_n)
{
	return n >= with_n && memcmp(p, with, with_n) == 0;
}

static int meta(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	const struct ai_tok_step *s = &r->k->t.steps[step];
	struct ai_buf *b = &r->w->meta;

	bool has = begins(p, n, " ", 1) ||
		   begins(p, n, AI_TOK_BLANK, AI_TOK_BLANK_N);

	ai_buf_clear(b);
	if ((s->arg == AI_TOK_ALWAYS && !has) ||
	    (s->arg == AI_TOK_FIRST && p == r->start && !has) ||
	    (s->arg == AI_TOK_BEGIN && p == r->start))
		ai_buf_add(b, AI_TOK_BLANK, AI_TOK_BLANK_N);
	ai_tok_replace((struct ai_span){ p, n }, AI_SPAN(" "),
		       AI_SPAN(AI_TOK_BLANK), b);
	if (ai_buf_check(b, "the text", r->err) < 0)
		return -1;
	return ai_tok_split(r, step + 1, ai_buf_cstr(b), b->len);
}

static int prefix(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	struct ai_buf *b = &r->w->prefixed;

	if (begins(p, n, " ", 1))
		return ai_tok_split(r, step + 1, p, n);
	ai_buf_clear(b);
	ai_buf_chr(b, ' ');
	ai_buf_add(b, p, n);
	if (ai_buf_check(b, "the text", r->err) < 0)
		return -1;
	return ai_tok_split(r, step + 1, ai_buf_cstr(b), b->len);
}

int ai_tok_split(struct ai_tok_run *r, size_t step, const char *p, size_t n)
{
	if (step == r->k->t.n_steps) {
		return n == 0 ? 0 : ai_tok_piece(r, p, n);
	}
	switch ((enum ai_tok_step_kind)r->k->t.steps[step].kind) {
	case AI_TOK_RULE:
	case AI_TOK_DEEPSEEK:
		return cut_rule(r, step, p, n);
	case AI_TOK_BERT_CUT:
		return cut_bert(r, step, p, n);
	case AI_TOK_META:
		return meta(r, step, p, n);
	case AI_TOK_PREFIX:
		return prefix(r, step, p, n);
	default:
		return cut(r, step, p, n);
	}
}
