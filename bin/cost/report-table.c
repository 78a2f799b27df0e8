/* report-table.c: a report for people: columns and bars, as wide as the
 * terminal is. */
#include "report.h"

#include "base/utf8.h"
#include "record/loop.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define NAME_LEAST 8
#define NAME_MOST 40
#define BAR_LEAST 6
#define BAR_MOST 40

struct table {
	struct report *r;
	bool utf8, color;
	int name, calls, spent, held, bar; /* columns; 0: there is none */
	int64_t most; /* the largest sum */
};

/* ---- the terminal ----------------------------------------------------------------- */

static int width_of_terminal(void)
{
	size_t columns = cost_columns();

	return columns > 0 ? (int)columns : 80;
}

static bool wants_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (cost.color != COST_COLOR_AUTO)
		return cost.color == COST_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
		term != NULL && strcmp(term, "dumb") != 0;
}

/* Columns that the character at p takes; *len: its bytes.  What would move the
 * cursor, or turn the direction, is one '?'. */
static int columns_of(const struct table *t, const char *p, size_t n,
		      size_t *len, bool *shown)
{
	uint32_t c;
	int w;

	*len = ai_utf8_decode(p, n, &c);
	*shown = false;
	if (*len == 0) {
		*len = 1;
		return 1;
	}
	w = t->utf8 ? wcwidth((wchar_t)c) : c < 0x7f ? 1 : -1;
	if (c < 0x20 || w < 0 || (c >= 0x200e && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 1;
	*shown = true;
	return w;
}

static int text_width(const struct table *t, const char *s)
{
	size_t n = strlen(s), len;
	int w = 0;
	bool shown;

	for (; n > 0; s += len, n -= len)
		w += columns_of(t, s, n, &len, &shown);
	return w;
}

/* The text in so many columns, cut or with blanks behind it. */
static void put_text(const struct table *t, const char *s, int width)
{
	struct ai_buf *b = &t->r->out.line;
	bool cut = text_width(t, s) > width, shown;
	size_t n = strlen(s), len;
	int w;

	for (width -= cut; n > 0; s += len, n -= len) {
		w = columns_of(t, s, n, &len, &shown);
		if (w > width)
			break;
		if (shown)
			ai_buf_add(b, s, len);
		else
			ai_buf_chr(b, '?');
		width -= w;
	}
	while (width-- > 0)
		ai_buf_chr(b, ' ');
	if (cut)
		ai_buf_str(b, t->utf8 ? "\xE2\x80\xA6" : "~");
}

static void put_right(const struct table *t, const char *s, int width)
{
	struct ai_buf *b = &t->r->out.line;
	int w = (int)strlen(s);

	ai_buf_chr(b, ' ');
	for (width--; w < width; width--)
		ai_buf_chr(b, ' ');
	ai_buf_str(b, s);
}

static void put_color(const struct table *t, const char *escape)
{
	if (t->color)
		ai_buf_str(&t->r->out.line, escape);
}

/* An eighth of a column where the terminal has such letters. */
static void put_bar(const struct table *t, int64_t n)
{
	static const char *const eighth[] = {
		"", "\xE2\x96\x8F", "\xE2\x96\x8E", "\xE2\x96\x8D",
		"\xE2\x96\x8C", "\xE2\x96\x8B", "\xE2\x96\x8A", "\xE2\x96\x89",
	};
	struct ai_buf *b = &t->r->out.line;
	int64_t eighths;

	if (t->bar == 0 || t->most <= 0 || n <= 0)
		return;
	eighths = (int64_t)((__int128)n * t->bar * 8 / t->most);
	eighths = eighths == 0 ? 1 : eighths;
	ai_buf_str(b, "  ");
	put_color(t, "\033[36m");
	for (; eighths >= 8; eighths -= 8)
		ai_buf_str(b, t->utf8 ? "\xE2\x96\x88" : "#");
	if (t->utf8)
		ai_buf_str(b, eighth[eighths]);
	else if (eighths >= 4)
		ai_buf_chr(b, '#');
	put_color(t, "\033[0m");
}

/* ---- lines ------------------------------------------------------------------------ */

static void put_line(const struct table *t, const char *name,
		     const struct report_row *row, bool bar)
{
	char calls[24], money[REPORT_MONEY];

	put_text(t, name, t->name);
	snprintf(calls, sizeof(calls), "%lld", (long long)row->calls);
	if (t->calls > 0)
		put_right(t, calls, t->calls);
	report_money_show(row->posted, money);
	if (t->spent > 0)
		put_right(t, money, t->spent);
	report_money_show(row->pending, money);
	if (t->held > 0)
		put_right(t, money, t->held);
	if (bar)
		put_bar(t, row->posted);
	cost_put(&t->r->out);
}

static int longer(int a, int b)
{
	return a > b ? a : b;
}

static void measure_row(struct table *t, const struct report_row *row,
			const char *name)
{
	char money[REPORT_MONEY], calls[24];

	snprintf(calls, sizeof(calls), "%lld", (long long)row->calls);
	t->calls = longer(t->calls, 1 + (int)strlen(calls));
	report_money_show(row->posted, money);
	t->spent = longer(t->spent, 1 + (int)strlen(money));
	report_money_show(row->pending, money);
	t->held = longer(t->held, 1 + (int)strlen(money));
	t->name = longer(t->name, text_width(t, name));
	if (row->posted > t->most && row != &t->r->all)
		t->most = row->posted;
}

/* What does not fit is left out, the least important first; money is never cut. */
static void lay_out(struct table *t)
{
	const struct report *r = t->r;
	int width = width_of_terminal(), left;
	size_t i;

	t->name = text_width(t, r->by);
	t->calls = 7;
	t->spent = t->held = 8;
	for (i = 0; i < r->n; i++)
		measure_row(t, &r->rows[i], report_name(r, &r->rows[i]));
	measure_row(t, &r->all, "all");
	if (r->all.pending == 0 || NAME_LEAST + t->calls + t->spent + t->held >
	    width)
		t->held = 0;
	if (NAME_LEAST + t->calls + t->spent + t->held > width)
		t->calls = 0;
	left = width - t->calls - t->spent - t->held;
	t->name = t->name < NAME_MOST ? t->name : NAME_MOST;
	if (t->name > left)
		t->name = longer(left, 1);
	left -= t->name + 2;
	/* A long name may become shorter for a bar. */
	if (left < BAR_LEAST && t->name + left - BAR_LEAST >= 2 * NAME_LEAST) {
		t->name += left - BAR_LEAST;
		left = BAR_LEAST;
	}
	t->bar = left < BAR_LEAST ? 0 : left < BAR_MOST ? left : BAR_MOST;
}

/* As it always was: for programs that read it. */
static void plain_line(struct report *r, const char *name,
		       const struct report_row *row)
{
	char spent[REPORT_MONEY], held[REPORT_MONEY];

	report_money_show(row->posted, spent);
	report_money_show(row->pending, held);
	ai_buf_fmt(&r->out.line, "%-32s %8lld %12s %12s", name,
		   (long long)row->calls, spent, held);
	cost_put(&r->out);
}

static void plain_table(struct report *r)
{
	size_t i;

	ai_buf_fmt(&r->out.line, "%-32s %8s %12s %12s", r->by, "calls", "spent",
		   "held");
	cost_put(&r->out);
	for (i = 0; i < r->n && r->out.rc == 0; i++)
		plain_line(r, report_name(r, &r->rows[i]), &r->rows[i]);
	plain_line(r, "all", &r->all);
}

void report_table(struct report *r)
{
	struct table t = { .r = r, .color = wants_color() };
	size_t i;

	if (ai_loop.plain_out && !isatty(STDOUT_FILENO)) {
		plain_table(r);
		return;
	}
	setlocale(LC_CTYPE, "");
	t.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	lay_out(&t);
	/* Names are cleaned here, and the colors are ours. */
	r->out.table = false;
	put_color(&t, "\033[1m");
	put_text(&t, r->by, t.name);
	if (t.calls > 0)
		put_right(&t, "calls", t.calls);
	put_right(&t, "spent", t.spent);
	if (t.held > 0)
		put_right(&t, "held", t.held);
	put_color(&t, "\033[0m");
	cost_put(&r->out);
	for (i = 0; i < r->n && r->out.rc == 0; i++)
		put_line(&t, report_name(r, &r->rows[i]), &r->rows[i], true);
	put_line(&t, "all", &r->all, false);
}
