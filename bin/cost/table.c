/* table.c: what people look at: bars, spans of time, lines that fit. */
#include "cost.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LEAST 20

size_t cost_columns(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

int cost_percent(int64_t part, int64_t whole)
{
	__int128 p;

	if (part <= 0)
		return 0;
	if (whole <= 0)
		return 100;
	p = (__int128)part * 100 / whole;
	return p > 999 ? 999 : (int)p;
}

void cost_bar(struct ai_buf *b, int64_t part, int64_t whole, int cells)
{
	int i, full = cost_percent(part, whole) * cells / 100;

	/* What is not nothing does not look like it. */
	if (full == 0 && part > 0)
		full = 1;
	ai_buf_chr(b, '[');
	for (i = 0; i < cells; i++)
		ai_buf_chr(b, i < full ? '#' : '.');
	ai_buf_chr(b, ']');
}

void cost_age(int64_t ms, char out[40])
{
	static const struct { int64_t s; const char *one, *many; } units[] = {
		{ 86400, "day", "days" }, { 3600, "hour", "hours" },
		{ 60, "minute", "minutes" }, { 1, "second", "seconds" },
	};
	int64_t s = (int64_t)time(NULL) - ms / 1000, n;
	size_t i = 0;

	s = s > 0 ? s : 0;
	while (i < 3 && s < 2 * units[i].s && s != units[i].s)
		i++;
	n = s / units[i].s;
	snprintf(out, 40, "%lld %s", (long long)n,
		 n == 1 ? units[i].one : units[i].many);
}

/* The bytes of the first characters of p that fit into so many columns, at a
 * blank if there is one. */
static size_t fitting(const char *p, size_t n, size_t columns)
{
	size_t i = 0, at = 0, chars = 0, len;

	while (i < n && chars < columns) {
		if (p[i] == ' ')
			at = i;
		len = ai_utf8_len(p + i, n - i);
		i += len > 0 ? len : 1;
		chars++;
	}
	if (i == n || p[i] == ' ')
		return i;
	return at > 0 ? at : i;
}

int cost_put_folded(struct cost_out *o, size_t columns)
{
	struct ai_buf all = AI_BUF_INIT(1 << 16);
	size_t at = 0, n, indent = 0;
	int rc = 0;

	if (columns == 0)
		return cost_put(o);
	columns = columns < LEAST ? LEAST : columns;
	ai_buf_add(&all, o->line.p, o->line.len);
	ai_buf_clear(&o->line);
	while (rc == 0 && all.bad == AI_E_NONE && at < all.len) {
		n = fitting(all.p + at, all.len - at, columns - indent);
		ai_buf_fmt(&o->line, "%*s%.*s", (int)indent, "", (int)n,
			   all.p + at);
		rc = cost_put(o);
		at += n;
		while (at < all.len && all.p[at] == ' ')
			at++;
		indent = 4;
	}
	ai_buf_release(&all);
	return rc;
}
