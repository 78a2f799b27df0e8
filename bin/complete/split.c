/*
 * split.c: text as sentences that can stand alone when quoted.
 *
 * Text comes as Markdown, as formatted manual pages, as anything.  Lines are
 * put together to runs (a paragraph, a list item, an option with what it
 * does, a name with its meaning beside it), and runs are cut into sentences;
 * a short entry of a list stays whole.  Rulers and the running titles of
 * manual pages are left out; headings, questions, rows of tables and code are
 * marked, so that they are not quoted where something better is there.
 */
#include "complete.h"

#include "base/utf8.h"
#include "text/segment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MAX 60        /* bytes of a line that names what follows */
#define SENTENCE_MAX 1000 /* bytes; nobody wants to read more at once */
#define INDENT_STEP 3
#define TAB 8
#define GAP 3             /* blanks between two columns, at least */
#define COLUMN_MAX 48     /* where the second of two columns begins */
#define ENTRY_MAX 320     /* bytes of a list entry that is quoted as a whole */

enum shape { BLANK, NOISE, HEADING, FENCE, ROW, ITEM, OPTION, TEXT };

struct line {
	size_t from, to; /* without blanks around it */
	size_t indent;
	size_t body;     /* behind the mark of a list item */
	size_t column;   /* where the second column begins; 0: there is none */
	enum shape shape;
};

struct run {
	size_t from, to;  /* to == 0: there is none */
	size_t tag_end;   /* end of a tag with more behind it; 0: no tag */
	size_t indent, lines;
	enum shape shape;
};

struct splitter {
	struct complete_sentences *out;
	size_t hit;
	const char *p;
	size_t n;
	struct run run;
	bool in_fence, before_blank;
	size_t column;    /* of the entry that goes on; 0: none */
	bool in_example;  /* a command behind "$ " and what it prints */
	size_t example;   /* its indent */
	struct ai_buf flat; /* the run with blanks for its newlines */
	struct ai_err *err;
};

/* ---- lines -------------------------------------------------------------- */

static bool letter_or_digit(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool has_words(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (letter_or_digit(p[i]))
			return true;
	return false;
}

/* Letters, and all of them capitals: "EXIT STATUS". */
static bool shouts(const char *p, size_t n)
{
	size_t letters = 0;

	for (size_t i = 0; i < n; i++) {
		if (islower((unsigned char)p[i]) || p[i] == '_' ||
		    (unsigned char)p[i] >= 0x80)
			return false;
		letters += isupper((unsigned char)p[i]) != 0;
	}
	return letters >= 2 && n <= TAG_MAX && isupper((unsigned char)p[0]);
}

/* "LS(1)      User Commands      LS(1)" and what stands at a page's foot. */
static bool running_title(const char *p, size_t n)
{
	return n >= 8 && p[n - 1] == ')' && p[n - 3] == '(' &&
	       isdigit((unsigned char)p[n - 2]) &&
	       memmem(p, n, "    ", 4) != NULL;
}

static size_t count_bars(const char *p, size_t n)
{
	size_t bars = 0;

	for (size_t i = 0; i < n; i++)
		bars += p[i] == '|';
	return bars;
}

/* Bytes of "- ", "* ", "12. " and the like with the blanks, or 0. */
static size_t item_mark(const char *p, size_t n)
{
	static const char bullet[] = "\xE2\x80\xA2";
	size_t i = 0;

	if (n > 0 && strchr("-*+", p[0]) != NULL)
		i = 1;
	else if (n > 3 && memcmp(p, bullet, 3) == 0)
		i = 3;
	else {
		while (i < n && i < 3 && isdigit((unsigned char)p[i]))
			i++;
		if (i == 0 || i == n || (p[i] != '.' && p[i] != ')'))
			return 0;
		i++;
	}
	if (i >= n || p[i] != ' ')
		return 0;
	while (i < n && p[i] == ' ')
		i++;
	return i;
}

static bool is_option(const char *p, size_t n)
{
	return n >= 2 && p[0] == '-' &&
	       (isalnum((unsigned char)p[1]) || p[1] == '-');
}

static bool is_hashes(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && i < 6 && p[i] == '#')
		i++;
	return i > 0 && i < n && p[i] == ' ';
}

static enum shape shape_of(const struct splitter *s, const char *p, size_t n)
{
	if (n == 0)
		return BLANK;
	if (n >= 3 && (memcmp(p, "```", 3) == 0 || memcmp(p, "~~~", 3) == 0))
		return FENCE;
	if (!has_words(p, n) || running_title(p, n))
		return NOISE;
	if (is_hashes(p, n) || (s->before_blank && shouts(p, n)))
		return HEADING;
	if (p[0] == '|' || count_bars(p, n) >= 3)
		return ROW;
	if (is_option(p, n))
		return OPTION;
	return item_mark(p, n) > 0 ? ITEM : TEXT;
}

/* The column behind the blanks at *at, which moves on. */
static size_t skip_blanks(const struct splitter *s, size_t *at, size_t to,
			  size_t column)
{
	for (; *at < to && (s->p[*at] == ' ' || s->p[*at] == '\t'); (*at)++)
		column += s->p[*at] == '\t' ? TAB - column % TAB : 1;
	return column;
}

/*
 * "ai-chunk      cuts documents": a name and what it is.  Text with both
 * margins straight has gaps too, but rarely one alone, so where there are
 * more the second column must be that of the line before.
 */
static size_t second_column(const struct splitter *s, const struct line *l)
{
	size_t at = l->from, column = l->indent, first = 0, gaps = 0, was, next;
	bool wide = false;

	for (; at < l->to; at++, column = next + 1) {
		was = at;
		next = skip_blanks(s, &at, l->to, column);
		/* Behind a full stop two blanks are one. */
		if (next < column + 2 || strchr(".!?", s->p[was - 1]) != NULL)
			continue;
		if (gaps++ > 0)
			continue;
		first = next;
		wide = next >= column + GAP;
	}
	if (gaps == 0 || first > COLUMN_MAX)
		return 0;
	/* In a list of entries a narrow gap is enough. */
	wide = wide || l->indent < s->column;
	return (gaps == 1 && wide) || first == s->column ? first : 0;
}

/* The line at *at, which moves on. */
static bool next_line(struct splitter *s, size_t *at, struct line *l)
{
	const char *p = s->p + *at, *end;
	size_t n;

	if (*at >= s->n)
		return false;
	end = memchr(p, '\n', s->n - *at);
	n = end == NULL ? s->n - *at : (size_t)(end - p);
	l->from = *at;
	l->to = *at + n;
	*at += n + (end != NULL);
	l->indent = skip_blanks(s, &l->from, l->to, 0);
	while (l->to > l->from && isspace((unsigned char)s->p[l->to - 1]))
		l->to--;
	l->shape = shape_of(s, s->p + l->from, l->to - l->from);
	l->body = l->from;
	l->column = 0;
	if (l->shape == ITEM)
		l->body += item_mark(s->p + l->from, l->to - l->from);
	else if (l->shape == TEXT)
		l->column = second_column(s, l);
	if (l->column > 0)
		l->shape = ITEM;
	if (l->column > 0 || (l->shape != BLANK && l->indent != s->column))
		s->column = l->column;
	return true;
}

/* ---- sentences ---------------------------------------------------------- */

static int add(struct splitter *s, size_t from, size_t to,
	       enum complete_kind kind, bool first, bool cut)
{
	struct complete_sentences *out = s->out;
	struct complete_sentence *more;
	size_t cap;

	if (to - from > SENTENCE_MAX)
		return 0;
	if (out->n == out->cap) {
		cap = out->cap * 2 + 32;
		more = reallocarray(out->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(s->err);
		out->v = more;
		out->cap = cap;
	}
	out->v[out->n++] = (struct complete_sentence){
		s->hit, from, to, kind, first, cut
	};
	return 0;
}

/* Whether it ends like a sentence, not in the middle or with a colon. */
static bool ends_well(const char *p, size_t n)
{
	static const char *const wide[] = {
		"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F", "\xE2\x80\xA6",
	};

	while (n > 0 && strchr("\"')]}*_`", p[n - 1]) != NULL)
		n--;
	if (n > 0 && strchr(".!?", p[n - 1]) != NULL)
		return true;
	for (size_t i = 0; n >= 3 && i < sizeof wide / sizeof *wide; i++)
		if (memcmp(p + n - 3, wide[i], 3) == 0)
			return true;
	return false;
}

/* Symbols make code: a fifth of what can be seen. */
static bool looks_like_code(const char *p, size_t n)
{
	size_t seen = 0, odd = 0;

	if (n >= 2 && (memcmp(p, "$ ", 2) == 0 || memcmp(p, "#!", 2) == 0))
		return true;
	for (size_t i = 0; i < n; i++) {
		seen += !isspace((unsigned char)p[i]);
		odd += (unsigned char)p[i] < 0x80 &&
		       strchr("{}()[]<>=|&;$\\/_+*~^@%\"", p[i]) != NULL;
	}
	return odd * 5 > seen;
}

/* What asks does not answer, but says what is answered. */
static bool asks(const char *p, size_t n)
{
	static const char wide[] = "\xEF\xBC\x9F";

	while (n > 0 && strchr("\"')]}*_", p[n - 1]) != NULL)
		n--;
	return n > 0 && (p[n - 1] == '?' ||
			 (n >= 3 && memcmp(p + n - 3, wide, 3) == 0));
}

static bool begins_small(const char *p)
{
	return islower((unsigned char)p[0]);
}

static bool is_entry(const struct run *r)
{
	return r->shape == ITEM || r->shape == OPTION || r->tag_end > 0;
}

static int add_sentence(struct splitter *s, const struct run *r,
			struct ai_span u, bool first)
{
	size_t from = (size_t)(u.p - s->p), to = from + u.n;
	bool end = ends_well(u.p, u.n), cut;
	enum complete_kind kind = COMPLETE_PROSE;

	if (first && r->tag_end > 0)
		from = r->from;
	if (is_entry(r))
		kind = COMPLETE_ITEM;
	if (asks(u.p, u.n))
		kind = COMPLETE_HEADING;
	else if (looks_like_code(u.p, u.n))
		kind = COMPLETE_CODE;
	/* Entries often end without a full stop, but not long ones at the end
	 * of the passage. */
	cut = !end && (kind == COMPLETE_PROSE || s->p[to - 1] == ':' ||
		       (u.n > TAG_MAX && ai_blank_skip(s->p, s->n, to) == s->n));
	/* A passage that begins in the middle of a sentence. */
	cut = cut || (first && ai_blank_skip(s->p, s->n, 0) == from &&
		      r->shape == TEXT && begins_small(s->p + from));
	return add(s, from, to, kind, first, cut);
}

/* Lines were dealt with: from here on a newline is a blank like any other. */
static int flatten(struct splitter *s, size_t from, size_t to)
{
	ai_buf_clear(&s->flat);
	if (ai_buf_add(&s->flat, s->p + from, to - from) < 0)
		return ai_buf_check(&s->flat, "a passage", s->err);
	for (size_t i = 0; i < s->flat.len; i++)
		if (isspace((unsigned char)s->flat.p[i]))
			s->flat.p[i] = ' ';
	return 0;
}

/* A short entry of a list says what it says as a whole: what an option is
 * called stands before the first of its sentences only. */
static bool joins(const struct splitter *s, const struct run *r,
		  struct ai_span held, struct ai_span next)
{
	return is_entry(r) && !asks(held.p, held.n) &&
	       ends_well(next.p, next.n) &&
	       (size_t)(next.p + next.n - s->p) - r->from <= ENTRY_MAX;
}

static int end_run(struct splitter *s)
{
	struct run r = s->run;
	struct ai_span u, held = { NULL, 0 };
	size_t at = 0, base = r.tag_end > 0 ? r.tag_end : r.from;
	bool first = true;

	s->run.to = 0;
	if (r.to == 0)
		return 0;
	if (flatten(s, base, r.to) < 0)
		return -1;
	while (ai_segment_next(s->flat.p, s->flat.len, &at,
			       AI_BREAK_SENTENCE, &u)) {
		u.p = s->p + base + (u.p - s->flat.p);
		if (held.p != NULL && first && joins(s, &r, held, u)) {
			held.n = (size_t)(u.p + u.n - held.p);
			continue;
		}
		if (held.p != NULL && add_sentence(s, &r, held, first) < 0)
			return -1;
		first = held.p == NULL;
		held = u;
	}
	return held.p == NULL ? 0 : add_sentence(s, &r, held, first);
}

static void begin_run(struct splitter *s, const struct line *l)
{
	s->run = (struct run){ l->body, l->to, 0, l->indent, 1, l->shape };
}

/* A short line without a full stop over an indented one: the indented one
 * says what it is. */
static bool is_tag(const struct splitter *s, const struct line *next)
{
	const struct run *r = &s->run;

	return r->lines == 1 && r->to - r->from <= TAG_MAX &&
	       next->indent >= r->indent + INDENT_STEP &&
	       !ends_well(s->p + r->from, r->to - r->from);
}

static bool continues(const struct splitter *s, const struct line *l)
{
	const struct run *r = &s->run;

	if (r->to == 0 || l->shape != TEXT)
		return false;
	if (r->shape == ITEM || r->shape == OPTION)
		return l->indent > r->indent;
	return r->shape == TEXT && l->indent + 1 >= r->indent &&
	       (r->tag_end > 0 || l->indent < r->indent + INDENT_STEP);
}

static int take_text(struct splitter *s, const struct line *l)
{
	struct run *r = &s->run;

	if (r->to > 0 && l->shape == TEXT && is_tag(s, l) &&
	    (r->shape == OPTION || r->shape == TEXT)) {
		r->tag_end = r->to;
		r->indent = r->shape == TEXT ? l->indent : r->indent;
	} else if (!continues(s, l)) {
		if (end_run(s) < 0)
			return -1;
		begin_run(s, l);
		return 0;
	}
	r->to = l->to;
	r->lines++;
	return 0;
}

/* Some pages put an empty line between an option and what it does. */
static bool waits(const struct splitter *s)
{
	const struct run *r = &s->run;

	return r->to > 0 && r->shape == OPTION && r->lines == 1 &&
	       r->to - r->from <= TAG_MAX &&
	       !ends_well(s->p + r->from, r->to - r->from);
}

/* A line of code in an example of a shell, up to the next empty line. */
static bool is_example(struct splitter *s, const struct line *l)
{
	if (l->to - l->from >= 2 && memcmp(s->p + l->from, "$ ", 2) == 0) {
		s->in_example = true;
		s->example = l->indent;
	}
	if (l->shape == BLANK || l->indent < s->example)
		s->in_example = false;
	return s->in_example;
}

static int take_code(struct splitter *s, const struct line *l)
{
	if (end_run(s) < 0)
		return -1;
	return add(s, l->from, l->to, COMPLETE_CODE, false, false);
}

static int take_line(struct splitter *s, const struct line *l)
{
	if (l->shape == FENCE)
		s->in_fence = !s->in_fence;
	if (s->in_fence && l->shape != FENCE && l->shape != BLANK)
		return take_code(s, l);
	if (l->shape != FENCE && is_example(s, l))
		return take_code(s, l);
	if (l->shape == ITEM || l->shape == OPTION || l->shape == TEXT)
		return take_text(s, l);
	if (l->shape == BLANK && waits(s))
		return 0;
	if (end_run(s) < 0)
		return -1;
	if (l->shape == ROW)
		return add(s, l->from, l->to, COMPLETE_ROW, false, false);
	if (l->shape == HEADING)
		return add(s, l->from, l->to, COMPLETE_HEADING, false, false);
	return 0;
}

/* A line under which a ruler stands is a heading. */
static bool underlined(const struct splitter *s, size_t at)
{
	size_t i = at;

	while (i < s->n && (s->p[i] == '=' || s->p[i] == '-'))
		i++;
	return i >= at + 3 && (i == s->n || s->p[i] == '\n');
}

int complete_split(struct complete_sentences *out, size_t hit,
		   struct ai_span text, struct ai_err *err)
{
	struct splitter s = { .out = out, .hit = hit, .p = text.p,
			      .n = text.n, .before_blank = true, .err = err };
	struct line l;
	size_t at = 0;
	int rc = 0;

	ai_buf_init(&s.flat, text.n);
	while (rc == 0 && next_line(&s, &at, &l)) {
		if (l.shape == TEXT && s.run.to == 0 && underlined(&s, at))
			l.shape = HEADING;
		rc = take_line(&s, &l);
		s.before_blank = l.shape == BLANK || l.shape == NOISE;
	}
	if (rc == 0)
		rc = end_run(&s);
	ai_buf_release(&s.flat);
	return rc;
}
