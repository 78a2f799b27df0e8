#include "markdown.h"

#include <string.h>

/* A line without its newline, and what stands before its text. */
struct line {
	size_t from, end, to; /* end: without CR LF; to: with it */
	size_t text;          /* behind indentation, > and list markers */
	size_t indent;        /* columns before the text, without markers */
	int quotes;           /* how many > */
	bool item;            /* a list marker stands before the text */
};

/* ---- lines --------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Bytes of a list marker and the blank behind it, or 0. */
static size_t marker_len(const char *p, size_t n)
{
	size_t i = 0;

	if (n > 0 && p[0] != '\0' && strchr("-*+", p[0]) != NULL) {
		i = 1;
	} else {
		while (i < n && i < 9 && p[i] >= '0' && p[i] <= '9')
			i++;
		if (i == 0 || i == n || (p[i] != '.' && p[i] != ')'))
			return 0;
		i++;
	}
	return i < n && is_space(p[i]) ? i + 1 : 0;
}

/* Goes over indentation, quotation marks and list markers. */
static void read_prefix(const struct chunk_md *md, struct line *l)
{
	const char *p = md->p;

	l->text = l->from;
	l->indent = 0;
	l->quotes = 0;
	l->item = false;
	while (l->text < l->end) {
		size_t len;

		if (p[l->text] == ' ' || p[l->text] == '\t') {
			l->indent += p[l->text] == '\t' ? 4 : 1;
			l->text++;
		} else if (p[l->text] == '>' && l->indent < 4) {
			l->quotes++;
			l->indent = 0;
			l->text++;
		} else if ((l->indent < 4 || md->in_list) &&
			   (len = marker_len(p + l->text,
					     l->end - l->text)) > 0) {
			l->item = true;
			l->indent = 0;
			l->text += len;
		} else {
			break;
		}
	}
}

static bool read_line(const struct chunk_md *md, size_t at, struct line *l)
{
	const char *nl;

	if (at >= md->n)
		return false;
	nl = memchr(md->p + at, '\n', md->n - at);
	l->from = at;
	l->to = nl == NULL ? md->n : (size_t)(nl - md->p) + 1;
	l->end = nl == NULL ? md->n : l->to - 1;
	if (l->end > at && md->p[l->end - 1] == '\r')
		l->end--;
	read_prefix(md, l);
	return true;
}

/* How often c stands at p. */
static size_t run_of(const char *p, size_t n, char c)
{
	size_t i = 0;

	while (i < n && p[i] == c)
		i++;
	return i;
}

static bool only_spaces(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_space(p[i]))
			return false;
	return true;
}

/* ---- fences -------------------------------------------------------------- */

struct fence {
	char mark;
	size_t len;
	int quotes;
};

static bool opens_fence(const struct chunk_md *md, const struct line *l,
			struct fence *f)
{
	const char *p = md->p + l->text;
	size_t n = l->end - l->text;

	if (n < 3 || (p[0] != '`' && p[0] != '~') ||
	    (l->indent >= 4 && !md->in_list && !l->item))
		return false;
	f->mark = p[0];
	f->len = run_of(p, n, p[0]);
	f->quotes = l->quotes;
	if (f->len < 3)
		return false;
	/* ``a`` is code in a line of text. */
	return f->mark == '~' || memchr(p + f->len, '`', n - f->len) == NULL;
}

static bool closes_fence(const struct chunk_md *md, const struct line *l,
			 const struct fence *f)
{
	const char *p = md->p + l->text;
	size_t n = l->end - l->text, len = run_of(p, n, f->mark);

	return len >= f->len && l->quotes == f->quotes && !l->item &&
		(l->indent < 4 || md->in_list) && only_spaces(p + len, n - len);
}

/* Reads on to the end of the fence that began in line l. */
static void read_fence(struct chunk_md *md, const struct line *first,
		       const struct fence *f)
{
	struct line l;

	md->next.kind = CHUNK_MD_FENCE;
	md->next.from = first->from;
	while (md->next.from < first->text && is_space(md->p[md->next.from]))
		md->next.from++;
	md->pos = first->to;
	while (read_line(md, md->pos, &l) && l.quotes >= f->quotes) {
		md->pos = l.to;
		if (closes_fence(md, &l, f))
			break;
	}
	md->next.to = md->pos;
	md->after_text = false;
}

/* ---- headings ------------------------------------------------------------ */

static struct ai_span trimmed(const char *p, size_t n)
{
	while (n > 0 && is_space(p[0])) {
		p++;
		n--;
	}
	while (n > 0 && is_space(p[n - 1]))
		n--;
	return (struct ai_span){ p, n };
}

static bool is_plain(const struct line *l)
{
	return l->indent < 4 && l->quotes == 0 && !l->item;
}

static bool read_atx(struct chunk_md *md, const struct line *l)
{
	const char *p = md->p + l->text;
	size_t n = l->end - l->text, level = run_of(p, n, '#'), tail;
	struct ai_span t;

	if (!is_plain(l) || level < 1 || level > 6 ||
	    (level < n && !is_space(p[level])))
		return false;
	t = trimmed(p + level, n - level);
	for (tail = t.n; tail > 0 && t.p[tail - 1] == '#'; tail--)
		;
	if (tail < t.n && (tail == 0 || is_space(t.p[tail - 1])))
		t = trimmed(t.p, tail);
	md->next = (struct chunk_md_event){ CHUNK_MD_HEADING, l->text, l->to,
					    (int)level, t };
	md->pos = l->to;
	md->after_text = false;
	return true;
}

static bool is_dashes(const struct chunk_md *md, const struct line *l)
{
	const char *p = md->p + l->from;
	size_t n = l->end - l->from;

	return n >= 3 && (memcmp(p, "---", 3) == 0 ||
			  memcmp(p, "...", 3) == 0) &&
		only_spaces(p + 3, n - 3);
}

/* A line of = or - under a line of text that begins a paragraph. */
static bool read_setext(struct chunk_md *md, const struct line *l)
{
	struct line under;
	const char *p;
	size_t n, len;

	if (!is_plain(l) || md->after_text || l->text == l->end ||
	    is_dashes(md, l) || !read_line(md, l->to, &under))
		return false;
	p = md->p + under.text;
	n = under.end - under.text;
	if (!is_plain(&under) || n == 0 || (*p != '=' && *p != '-'))
		return false;
	len = run_of(p, n, *p);
	if (!only_spaces(p + len, n - len))
		return false;
	md->next = (struct chunk_md_event){
		CHUNK_MD_HEADING, l->text, under.to, *p == '=' ? 1 : 2,
		trimmed(md->p + l->text, l->end - l->text)
	};
	md->pos = under.to;
	return true;
}

/* ---- lists and tables ---------------------------------------------------- */

static bool is_empty(const struct line *l)
{
	return l->text == l->end;
}

/* The line under the head of a table: only | - : and blanks. */
static bool is_rule(const struct chunk_md *md, const struct line *l)
{
	bool bar = false, dash = false;

	for (size_t i = l->from; i < l->end; i++) {
		char c = md->p[i];

		bar |= c == '|';
		dash |= c == '-';
		if (c != '|' && c != '-' && c != ':' && !is_space(c))
			return false;
	}
	return bar && dash;
}

static bool begins_table(const struct chunk_md *md, const struct line *l)
{
	struct line under;

	return l->quotes == 0 && l->indent < 4 && !is_empty(l) &&
		memchr(md->p + l->from, '|', l->end - l->from) != NULL &&
		read_line(md, l->to, &under) && is_rule(md, &under);
}

static size_t table_end(const struct chunk_md *md, size_t at, size_t most)
{
	struct line l;

	while (at < most && read_line(md, at, &l) && !is_empty(&l) &&
	       memchr(md->p + l.from, '|', l.end - l.from) != NULL)
		at = l.to;
	return at;
}

/* Items, what is indented under them, and lines that go on with them; a fence
 * in one is passed whole. */
static size_t list_end(const struct chunk_md *md, size_t at, size_t most)
{
	struct chunk_md in = *md;
	size_t end = at;
	bool gap = false;
	struct fence f;
	struct line l;

	in.in_list = true;
	for (in.pos = at; in.pos < most && read_line(&in, in.pos, &l);) {
		if (is_empty(&l)) {
			gap = true;
			in.pos = l.to;
			continue;
		}
		if (l.quotes > 0 ||
		    (!l.item && l.indent < 2 &&
		     (gap || md->p[l.text] == '#')))
			break;
		if (opens_fence(&in, &l, &f))
			read_fence(&in, &l, &f);
		else
			in.pos = l.to;
		end = in.pos;
		gap = false;
	}
	return end;
}

/* A list or table that begins in line l; the lines are read once more. */
static bool read_block(struct chunk_md *md, const struct line *l)
{
	bool list = l->item && l->quotes == 0;
	size_t most, end;

	if (l->from < md->block_end || (!list && !begins_table(md, l)))
		return false;
	most = md->n - l->from < CHUNK_MD_BLOCK_MAX
		? md->n : l->from + CHUNK_MD_BLOCK_MAX;
	end = list ? list_end(md, l->from, most)
		   : table_end(md, l->from, most);
	md->block_end = end;
	if (end <= l->from || (end >= most && most < md->n))
		return false;
	md->next = (struct chunk_md_event){ CHUNK_MD_BLOCK, l->from, end, 0,
					    { NULL, 0 } };
	while (is_space(md->p[md->next.from]))
		md->next.from++;
	return true;
}

/* ---- the document -------------------------------------------------------- */

/* Metadata at the top: its lines are no headings. */
static void skip_metadata(struct chunk_md *md)
{
	struct line l;
	size_t at;

	if (!read_line(md, md->pos, &l) || !is_dashes(md, &l) ||
	    md->p[l.from] != '-')
		return;
	for (at = l.to; read_line(md, at, &l) && l.from < l.end; at = l.to)
		if (is_dashes(md, &l)) {
			md->pos = md->body = l.to;
			return;
		}
}

void chunk_md_init(struct chunk_md *md, const char *p, size_t n)
{
	*md = (struct chunk_md){ .p = p, .n = n };
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		md->pos = 3;
	skip_metadata(md);
	chunk_md_next(md);
}

void chunk_md_init_list(struct chunk_md *md, size_t n,
			const struct chunk_md_event *list, size_t n_list)
{
	static const struct chunk_md_event none;

	*md = (struct chunk_md){ .n = n, .n_list = n_list,
				 .list = n_list > 0 ? list : &none };
	chunk_md_next(md);
}

/* A line that is neither heading nor fence. */
static void pass_line(struct chunk_md *md, const struct line *l)
{
	bool blank = l->text == l->end;

	if (l->item)
		md->in_list = true;
	else if (!blank && l->indent == 0 && !md->after_text)
		md->in_list = false;
	md->after_text = !blank;
	md->pos = l->to;
}

void chunk_md_next(struct chunk_md *md)
{
	struct fence f;
	struct line l;

	if (md->list != NULL && md->pos < md->n_list) {
		md->next = md->list[md->pos++];
		return;
	}
	while (md->list == NULL && read_line(md, md->pos, &l)) {
		if (read_block(md, &l))
			return;
		if (opens_fence(md, &l, &f)) {
			md->in_list = md->in_list || l.item;
			read_fence(md, &l, &f);
			return;
		}
		if (read_atx(md, &l) || read_setext(md, &l))
			return;
		pass_line(md, &l);
	}
	md->next = (struct chunk_md_event){ CHUNK_MD_END, md->n, md->n, 0,
					    { NULL, 0 } };
}
