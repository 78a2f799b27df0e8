/*
 * report-page.c: a report as one page of HTML, which needs nothing else.
 *
 * Charts are SVG without text, stretched to the width of the page; what stands
 * beside them is HTML, so that it stays readable on a phone, and each chart has
 * its figures as a table.  What is drawn is bounded: the largest few, and
 * "others".
 */
#include "page.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOP 8
#define SERIES_MAX 200
#define HOLDS_MAX 20
#define BUDGETS_MAX 40
#define DAYS_MAX 120

/* ---- text ---------------------------------------------------------------------- */

static bool turns(uint32_t c)
{
	return (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069) || (c >= 0x7f && c < 0xa0);
}

void page_text(struct page *p, const char *s)
{
	static const struct { char c; const char *as; } marks[] = {
		{ '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};
	size_t n = strlen(s), len, i;
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		len = ai_utf8_decode(s, n, &c);
		if (len == 0 || c < 0x20 || turns(c)) {
			ai_buf_str(p->b, "\xEF\xBF\xBD");
			len = len == 0 ? 1 : len;
			continue;
		}
		for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (s[0] == marks[i].c)
				break;
		if (i < sizeof(marks) / sizeof(marks[0]))
			ai_buf_str(p->b, marks[i].as);
		else
			ai_buf_add(p->b, s, len);
	}
}

static void put_name(struct page *p, const char *name)
{
	ai_buf_str(p->b, "<bdi>");
	page_text(p, name[0] != '\0' ? name : "(none)");
	ai_buf_str(p->b, "</bdi>");
}

/* "$1 234 567.89", with thin blanks. */
static void put_digits(struct page *p, const char *text)
{
	size_t sign = strcspn(text, "0123456789"),
	       n = strspn(text + sign, "0123456789"), i;

	for (i = 0; text[i] != '\0'; i++) {
		if (i > sign && i < sign + n && (sign + n - i) % 3 == 0)
			ai_buf_str(p->b, "\xE2\x80\xAF");
		ai_buf_chr(p->b, text[i]);
	}
}

/* Digits, a sign, and the letters of a currency: nothing to be escaped. */
static void put_money(struct page *p, int64_t nano)
{
	char text[REPORT_MONEY];

	report_money_show(nano, text);
	put_digits(p, text);
}

static void put_number(struct page *p, int64_t n)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)n);
	put_digits(p, digits);
}

/* A hundredth of a part, 0 to 10000. */
static int part_of(int64_t n, int64_t all)
{
	return all <= 0 || n <= 0 ? 0 : n >= all ? 10000
		: (int)((__int128)n * 10000 / all);
}

static void put_percent(struct page *p, int64_t n, int64_t all)
{
	double x = all > 0 ? 100.0 * (double)n / (double)all : 0;

	/* What is some is not shown as none, nor what is most as all. */
	if (n > 0 && x < 0.05)
		ai_buf_str(p->b, "&lt;&nbsp;0.1&nbsp;%");
	else if (n < all && x >= 99.5)
		ai_buf_str(p->b, "&gt;&nbsp;99&nbsp;%");
	else
		ai_buf_fmt(p->b, n > 0 && x < 10 ? "%.1f&nbsp;%%"
						 : "%.0f&nbsp;%%", x);
}

static void put_seconds(struct page *p, double us)
{
	if (us < 0)
		ai_buf_str(p->b, "\xE2\x80\x93");
	else if (us < 1e6)
		ai_buf_fmt(p->b, "%.0f&nbsp;ms", us / 1e3);
	else
		ai_buf_fmt(p->b, us < 1e7 ? "%.1f&nbsp;s" : "%.0f&nbsp;s",
			   us / 1e6);
}

static void section(struct page *p, const char *id, const char *title)
{
	ai_buf_fmt(p->b, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2>",
		   id, id, title);
}

static void end_section(struct page *p)
{
	ai_buf_str(p->b, "</section>");
	cost_put(&p->r->out);
}

/* ---- rows that are drawn ------------------------------------------------------------- */

struct bar {
	char name[256];
	int64_t start, end, posted, calls;
};

struct bars {
	struct bar v[SERIES_MAX];
	size_t n;
	bool top;          /* the largest, sorted; else the last */
	struct bar others;
	size_t n_others;
	int64_t most;
};

static void insert(struct bars *bars, const struct bar *one)
{
	const size_t max = bars->top ? TOP : SERIES_MAX;
	struct bar out = *one;
	size_t i = bars->n;

	if (bars->n == max) {
		if (bars->top && one->posted <= bars->v[max - 1].posted) {
			i = max;
		} else {
			out = bars->v[bars->top ? max - 1 : 0];
			if (!bars->top)
				memmove(bars->v, bars->v + 1,
					(max - 1) * sizeof(out));
			i = --bars->n;
		}
		bars->others.posted += out.posted;
		bars->others.calls += out.calls;
		bars->n_others++;
		if (i == max)
			return;
	}
	for (; bars->top && i > 0 && bars->v[i - 1].posted < one->posted; i--)
		bars->v[i] = bars->v[i - 1];
	bars->v[i] = *one;
	bars->n++;
}

static int take_bar(void *arg, const struct ai_rollup *r)
{
	struct bars *bars = arg;
	struct bar one = { .start = r->start_ms, .end = r->end_ms,
			   .posted = r->v[AI_ROLLUP_POSTED],
			   .calls = r->v[AI_ROLLUP_CALLS] + r->open };

	snprintf(one.name, sizeof(one.name), "%s", r->name);
	insert(bars, &one);
	return 0;
}

static int ask(const struct page *p, const char *by, int columns,
	       int (*each)(void *arg, const struct ai_rollup *r), void *arg,
	       struct ai_err *err)
{
	const struct ai_rollup_ask q = { .by = by, .columns = columns,
					 .since = p->r->since,
					 .until = p->r->until };

	return ai_ledger_rollups(p->r->ledger, &q, each, arg, err);
}

static int read_bars(const struct page *p, const char *by, bool top,
		     struct bars *bars, struct ai_err *err)
{
	size_t i;

	memset(bars, 0, sizeof(*bars));
	bars->top = top;
	if (ask(p, by, AI_ROLLUP_HITS, take_bar, bars, err) < 0)
		return -1;
	for (i = 0; i < bars->n; i++)
		if (bars->v[i].posted > bars->most)
			bars->most = bars->v[i].posted;
	return 0;
}

/* The figures of a chart, for who does not see it. */
static void put_figures(struct page *p, const struct bars *bars,
			const char *of)
{
	size_t i;

	ai_buf_fmt(p->b, "<details><summary>Figures</summary><table><thead>"
		   "<tr><th scope=\"col\">%s</th><th scope=\"col\">Calls</th>"
		   "<th scope=\"col\">Spent</th></tr></thead><tbody>", of);
	for (i = 0; i < bars->n; i++) {
		ai_buf_str(p->b, "<tr><th scope=\"row\">");
		put_name(p, bars->v[i].name);
		ai_buf_str(p->b, "</th><td>");
		put_number(p, bars->v[i].calls);
		ai_buf_str(p->b, "</td><td>");
		put_money(p, bars->v[i].posted);
		ai_buf_str(p->b, "</td></tr>");
	}
	ai_buf_str(p->b, "</tbody></table></details>");
}

/* ---- over time ------------------------------------------------------------------- */

static int find_cap(void *arg, const struct ai_budget_state *s)
{
	struct page *p = arg;

	if (strcmp(s->budget.scope, "all") == 0 &&
	    strcmp(s->budget.period, p->unit) == 0)
		p->cap = s->budget.cap;
	return 0;
}

static void put_series(struct page *p, const struct bars *bars)
{
	int64_t from = bars->v[0].start, to = bars->v[bars->n - 1].end,
		most = bars->most;
	bool line = p->cap >= 0 && p->cap / 3 <= most && p->cap > 0;
	double span = (double)(to - from);
	size_t i;

	if (line && p->cap > most)
		most = p->cap;
	ai_buf_str(p->b, "<div class=\"plot\"><span class=\"top\">");
	put_money(p, most);
	ai_buf_fmt(p->b, "</span><svg viewBox=\"0 0 1000 200\""
		   " preserveAspectRatio=\"none\" role=\"img\" aria-labelledby="
		   "\"t1 d1\"><title id=\"t1\">Spent by %s</title><desc id="
		   "\"d1\">Bars of what was spent each %s; the same figures "
		   "are in the table below.</desc>", p->unit, p->unit);
	for (i = 1; i <= 4; i++)
		ai_buf_fmt(p->b, "<path class=\"grid\" d=\"M0 %zuH1000\"/>",
			   200 - 50 * i);
	for (i = 0; i < bars->n; i++) {
		const struct bar *v = &bars->v[i];
		double x = (double)(v->start - from) / span * 1000,
		       w = (double)(v->end - v->start) / span * 1000,
		       h = (double)part_of(v->posted, most) / 50;

		if (v->posted > 0)
			ai_buf_fmt(p->b, "<rect class=\"a\" x=\"%.2f\" y="
				   "\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
				   x + w * .08, 200 - h, w * .84,
				   h < 1 ? 1 : h);
	}
	if (line)
		ai_buf_fmt(p->b, "<path class=\"cap\" d=\"M0 %.2fH1000\"/>",
			   200 - (double)part_of(p->cap, most) / 50);
	ai_buf_str(p->b, "</svg></div><p class=\"axis\"><span>");
	page_text(p, bars->v[0].name);
	ai_buf_str(p->b, "</span><span>");
	page_text(p, bars->v[bars->n - 1].name);
	ai_buf_str(p->b, "</span></p>");
	if (p->cap < 0)
		return;
	ai_buf_fmt(p->b, "<p class=\"note\">%sThe cap is ", line
		   ? "<span class=\"dash\"></span> " : "");
	put_money(p, p->cap);
	ai_buf_fmt(p->b, " %s %s%s.</p>", strcmp(p->unit, "hour") == 0 ? "an"
		   : "a", p->unit, line ? "" : ", far above what was spent");
}

static int over_time(struct page *p, struct bars *bars, struct ai_err *err)
{
	p->unit = "day";
	if (read_bars(p, "day", false, bars, err) < 0)
		return -1;
	if (bars->n + bars->n_others > DAYS_MAX)
		p->unit = "month";
	else if (bars->n <= 2)
		p->unit = "hour";
	if (p->unit[0] != 'd' && read_bars(p, p->unit, false, bars, err) < 0)
		return -1;
	p->cap = -1;
	if (ai_ledger_budgets(p->r->ledger, find_cap, p, err) < 0)
		return -1;
	section(p, "time", "Spent over time");
	if (bars->n == 0 || bars->most == 0)
		ai_buf_str(p->b, "<p class=\"note\">Nothing was spent.</p>");
	else
		put_series(p, bars);
	if (bars->n > 0)
		put_figures(p, bars, "When");
	end_section(p);
	return 0;
}

/* ---- the largest ----------------------------------------------------------------- */

static void put_bar(struct page *p, const char *class, int part)
{
	ai_buf_fmt(p->b, "<svg class=\"bar\" viewBox=\"0 0 100 10\""
		   " preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
		   "class=\"rail\" width=\"100\" height=\"10\"/><rect "
		   "class=\"%s\" width=\"%.2f\" height=\"10\"/></svg>", class,
		   part > 0 && part < 30 ? .3 : part / 100.);
}

static void put_largest(struct page *p, const struct bar *v,
			const char *name, const char *class, int64_t most)
{
	ai_buf_str(p->b, "<li><span class=\"name\">");
	put_name(p, name);
	ai_buf_str(p->b, "</span><span class=\"sum\">");
	put_money(p, v->posted);
	ai_buf_str(p->b, "</span>");
	put_bar(p, class, part_of(v->posted, most));
	ai_buf_str(p->b, "<span class=\"sub\">");
	put_number(p, v->calls);
	ai_buf_fmt(p->b, " %s</span></li>", v->calls == 1 ? "call" : "calls");
}

static int largest(struct page *p, const char *by, struct bars *bars,
		   struct ai_err *err)
{
	char name[60], title[60];
	size_t i;

	if (read_bars(p, by, true, bars, err) < 0)
		return -1;
	snprintf(title, sizeof(title), "By %s", by);
	section(p, by, title);
	if (bars->n == 0)
		ai_buf_str(p->b, "<p class=\"note\">No calls.</p>");
	ai_buf_str(p->b, "<ol class=\"list\">");
	for (i = 0; i < bars->n; i++)
		put_largest(p, &bars->v[i], bars->v[i].name, "a",
			    bars->most);
	if (bars->n_others > 0) {
		snprintf(name, sizeof(name), "%zu %s", bars->n_others,
			 bars->n_others == 1 ? "other" : "others");
		put_largest(p, &bars->others, name, "n", bars->most);
	}
	ai_buf_str(p->b, "</ol>");
	end_section(p);
	return 0;
}

/* ---- how calls went -------------------------------------------------------------- */

static int take_all(void *arg, const struct ai_rollup *r)
{
	struct page *p = arg;

	p->all = *r;
	return 0;
}

static void tile(struct page *p, const char *name)
{
	ai_buf_fmt(p->b, "<div class=\"tile\"><dt>%s</dt><dd>", name);
}

static void put_tiles(struct page *p)
{
	const struct report_row *all = &p->r->all;

	ai_buf_str(p->b, "<dl class=\"tiles\">");
	tile(p, "Spent");
	put_money(p, all->posted);
	ai_buf_str(p->b, "</dd></div>");
	tile(p, "Held by calls under way");
	put_money(p, all->pending);
	ai_buf_str(p->b, "</dd></div>");
	tile(p, "Calls");
	put_number(p, all->calls);
	ai_buf_str(p->b, "</dd></div>");
	tile(p, "Failed");
	put_percent(p, all->failed, all->calls);
	ai_buf_str(p->b, "</dd></div>");
	tile(p, "Saved by the cache");
	put_money(p, all->saved);
	ai_buf_str(p->b, "</dd></div></dl>");
	cost_put(&p->r->out);
}

static void put_endings(struct page *p)
{
	static const struct { const char *name; int column; } endings[] = {
		{ "answered", AI_ROLLUP_ANSWERED },
		{ "not told", AI_ROLLUP_UNTOLD },
		{ "answer of no use", AI_ROLLUP_UNUSABLE },
		{ "refused (4xx)", AI_ROLLUP_REFUSED },
		{ "too many requests (429)", AI_ROLLUP_LIMITED },
		{ "server failed (5xx)", AI_ROLLUP_FAILED },
		{ "no answer came", AI_ROLLUP_LOST },
		{ "not waited for", AI_ROLLUP_LEFT },
		{ "never sent", AI_ROLLUP_UNSENT },
	};
	const int64_t *v = p->all.v;
	size_t i;

	section(p, "endings", "How calls ended");
	ai_buf_str(p->b, "<ol class=\"list\">");
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		int64_t n = v[endings[i].column];

		if (n == 0)
			continue;
		ai_buf_fmt(p->b, "<li><span class=\"name\">%s</span><span "
			   "class=\"sum\">", endings[i].name);
		put_percent(p, n, v[AI_ROLLUP_CALLS]);
		ai_buf_str(p->b, "</span>");
		put_bar(p, i == 0 ? "c" : i == 1 || i == 8 ? "n" : "e",
			part_of(n, v[AI_ROLLUP_CALLS]));
		ai_buf_str(p->b, "<span class=\"sub\">");
		put_number(p, n);
		ai_buf_str(p->b, "</span></li>");
	}
	ai_buf_str(p->b, "</ol><p class=\"note\">");
	put_number(p, v[AI_ROLLUP_RETRIES]);
	ai_buf_str(p->b, " were another attempt; ");
	put_number(p, v[AI_ROLLUP_UNANSWERED]);
	ai_buf_str(p->b, " stand at the most they can have cost.</p>");
	end_section(p);
}

static void put_histogram(struct page *p, const char *id, const char *title,
			  const int64_t *h)
{
	int64_t most = 0, n = ai_rollup_counted(h);
	int i;

	section(p, id, title);
	if (n == 0) {
		ai_buf_str(p->b, "<p class=\"note\">No call has told it.</p>");
		end_section(p);
		return;
	}
	for (i = 0; i < AI_ROLLUP_BUCKETS; i++)
		most = h[i] > most ? h[i] : most;
	ai_buf_fmt(p->b, "<p class=\"big\">");
	put_seconds(p, ai_rollup_quantile(h, .5));
	ai_buf_str(p->b, " <span>median</span> ");
	put_seconds(p, ai_rollup_quantile(h, .95));
	ai_buf_fmt(p->b, " <span>95th percentile</span></p><svg class=\"hist\" "
		   "viewBox=\"0 0 150 60\" preserveAspectRatio=\"none\" "
		   "role=\"img\" aria-labelledby=\"%s-t %s-d\"><title "
		   "id=\"%s-t\">%s</title><desc id=\"%s-d\">A histogram; the "
		   "same figures are in the table below.</desc>", id, id, id,
		   title, id);
	for (i = 0; i < AI_ROLLUP_BUCKETS; i++)
		if (h[i] > 0)
			ai_buf_fmt(p->b, "<rect class=\"a\" x=\"%.1f\" y="
				   "\"%.2f\" width=\"9\" height=\"%.2f\"/>",
				   i * 10 + .5,
				   60 - (double)part_of(h[i], most) * .006,
				   (double)part_of(h[i], most) * .006);
	ai_buf_str(p->b, "</svg><p class=\"axis\"><span>10 ms</span><span>1.3 s"
		   "</span><span>over 82 s</span></p><details><summary>Figures"
		   "</summary><table><thead><tr><th scope=\"col\">Up to</th>"
		   "<th scope=\"col\">Calls</th></tr></thead><tbody>");
	for (i = 0; i < AI_ROLLUP_BUCKETS; i++) {
		ai_buf_str(p->b, "<tr><th scope=\"row\">");
		if (i < AI_ROLLUP_BUCKETS - 1)
			put_seconds(p, (double)ai_rollup_bound[i]);
		else
			ai_buf_str(p->b, "longer");
		ai_buf_str(p->b, "</th><td>");
		put_number(p, h[i]);
		ai_buf_str(p->b, "</td></tr>");
	}
	ai_buf_str(p->b, "</tbody></table></details>");
	end_section(p);
}

static void put_cache(struct page *p)
{
	const int64_t *v = p->all.v;
	int64_t hits = v[AI_ROLLUP_HITS], asked = hits + v[AI_ROLLUP_ANSWERED];

	section(p, "cache", "Answers from the cache");
	ai_buf_str(p->b, "<p class=\"big\">");
	put_money(p, v[AI_ROLLUP_SAVED]);
	ai_buf_str(p->b, " <span>saved by</span> ");
	put_number(p, hits);
	ai_buf_fmt(p->b, " <span>%s</span></p>", hits == 1 ? "answer"
		   : "answers");
	put_bar(p, "c", part_of(hits, asked));
	ai_buf_str(p->b, "<p class=\"note\">");
	put_percent(p, hits, asked);
	ai_buf_str(p->b, " of the answers came from the cache. Providers' own "
		   "caches had ");
	put_percent(p, v[AI_ROLLUP_CACHED], v[AI_ROLLUP_INPUT]);
	ai_buf_str(p->b, " of the ");
	put_number(p, v[AI_ROLLUP_INPUT]);
	ai_buf_str(p->b, " tokens of input; ");
	put_number(p, v[AI_ROLLUP_OUTPUT]);
	ai_buf_str(p->b, " tokens came out.</p>");
	end_section(p);
}

/* ---- budgets and holds -------------------------------------------------------------- */

static int put_budget(void *arg, const struct ai_budget_state *s)
{
	struct page *p = arg;
	const struct ai_budget *b = &s->budget;
	bool counted = s->posted >= 0, far;
	int64_t used = counted ? s->posted + s->pending : 0;
	char when[40];

	if (++p->shown > BUDGETS_MAX)
		return 0;
	far = counted && part_of(used, b->cap) >= 8000;
	ai_buf_str(p->b, "<li><span class=\"name\"><bdi>");
	page_text(p, b->scope);
	if (b->name[0] != '\0') {
		ai_buf_str(p->b, " ");
		page_text(p, b->name);
	}
	ai_buf_fmt(p->b, "</bdi> <small>%s%s</small></span><span class="
		   "\"sum\">", strcmp(b->period, "total") == 0 ? "in "
		   : "each ", b->period);
	if (counted) {
		put_money(p, b->cap > used ? b->cap - used : 0);
		ai_buf_str(p->b, " left");
	} else {
		put_money(p, b->cap);
	}
	ai_buf_str(p->b, "</span>");
	if (counted)
		put_bar(p, far ? "e" : "c", part_of(used, b->cap));
	ai_buf_str(p->b, "<span class=\"sub\">");
	if (counted) {
		put_money(p, used);
		ai_buf_str(p->b, " of ");
		put_money(p, b->cap);
	}
	if (s->resets_ms != INT64_MAX) {
		cost_time(s->resets_ms, when);
		ai_buf_fmt(p->b, "; begins anew %.10s %.5s", when, when + 11);
	}
	ai_buf_str(p->b, "</span></li>");
	return 0;
}

static int put_budgets(struct page *p, struct ai_err *err)
{
	p->shown = 0;
	section(p, "budgets", "What is left");
	ai_buf_str(p->b, "<ol class=\"list\">");
	if (ai_ledger_budgets(p->r->ledger, put_budget, p, err) < 0)
		return -1;
	ai_buf_str(p->b, "</ol>");
	if (p->shown == 0)
		ai_buf_str(p->b, "<p class=\"note\">There is no budget.</p>");
	if (p->shown > BUDGETS_MAX)
		ai_buf_fmt(p->b, "<p class=\"note\">And %d more.</p>",
			   p->shown - BUDGETS_MAX);
	end_section(p);
	return 0;
}

static int put_hold(void *arg, const struct ai_hold *h)
{
	struct page *p = arg;
	char when[40];

	if (++p->shown > HOLDS_MAX)
		return 0;
	cost_time(h->created, when);
	ai_buf_str(p->b, "<tr><th scope=\"row\">");
	put_name(p, h->tool);
	ai_buf_str(p->b, "<br><small>");
	put_name(p, h->model);
	ai_buf_fmt(p->b, "</small></th><td>%.10s %.5s</td><td>%s%s</td><td>",
		   when, when + 11, h->sent ? "sent" : "not sent",
		   h->alive ? "" : ", dead");
	put_money(p, h->amount);
	ai_buf_str(p->b, "</td></tr>");
	return 0;
}

static int put_holds(struct page *p, struct ai_err *err)
{
	p->shown = 0;
	section(p, "holds", "Who holds what");
	ai_buf_str(p->b, "<table class=\"holds\"><thead><tr><th scope=\"col\">Who</th><th "
		   "scope=\"col\">Since</th><th scope=\"col\">State</th><th "
		   "scope=\"col\">Held</th></tr></thead><tbody>");
	if (ai_ledger_holds(p->r->ledger, put_hold, p, err) < 0)
		return -1;
	ai_buf_str(p->b, "</tbody></table>");
	if (p->shown == 0)
		ai_buf_str(p->b, "<p class=\"note\">Nobody holds anything.</p>");
	if (p->shown > HOLDS_MAX)
		ai_buf_fmt(p->b, "<p class=\"note\">And %d more.</p>",
			   p->shown - HOLDS_MAX);
	end_section(p);
	return 0;
}

/* ---- the page ------------------------------------------------------------------------ */

/* "2026-11-22T10:00:00+0100" as "2026-11-22 10:00", or as the day alone if it
 * begins then. */
static void short_time(char *text)
{
	if (text[0] < '0' || text[0] > '9')
		return;
	text[strncmp(text + 11, "00:00", 5) == 0 ? 10 : 16] = '\0';
	if (text[10] != '\0')
		text[10] = ' ';
}

static void put_head(struct page *p)
{
	char from[40] = "The beginning", to[40] = "now", now[40];

	if (p->r->since != INT64_MIN)
		cost_time(p->r->since, from);
	if (p->r->until != INT64_MAX)
		cost_time(p->r->until, to);
	cost_time((int64_t)time(NULL) * 1000, now);
	short_time(from);
	short_time(to);
	ai_buf_str(p->b, report_page_head);
	ai_buf_fmt(p->b, "<header><h1>What was spent</h1><p>%s to %s. Made "
		   "%.10s %.5s (UTC%s).</p></header><main>", from, to, now,
		   now + 11, now + 19);
	cost_put(&p->r->out);
}

static bool is_time(const char *by)
{
	return strcmp(by, "hour") == 0 || strcmp(by, "day") == 0 ||
		strcmp(by, "month") == 0;
}

static int write_page(struct page *p, struct bars *bars, struct ai_err *err)
{
	const char *by = p->r->by;

	if (ask(p, "all", 0, take_all, p, err) < 0)
		return -1;
	put_head(p);
	put_tiles(p);
	if (over_time(p, bars, err) < 0)
		return -1;
	ai_buf_str(p->b, "<div class=\"columns\">");
	if (put_budgets(p, err) < 0 ||
	    largest(p, "model", bars, err) < 0 ||
	    (!is_time(by) && strcmp(by, "model") != 0 &&
	     largest(p, by, bars, err) < 0) ||
	    (strcmp(by, "tool") != 0 && largest(p, "tool", bars, err) < 0))
		return -1;
	put_endings(p);
	put_histogram(p, "latency", "Time until the answer",
		      p->all.v + AI_ROLLUP_TIME);
	put_histogram(p, "first", "Time until the first text",
		      p->all.v + AI_ROLLUP_FIRST);
	put_cache(p);
	if (put_holds(p, err) < 0)
		return -1;
	ai_buf_str(p->b, "</div></main></html>");
	cost_put(&p->r->out);
	return 0;
}

int report_page(struct report *r, struct ai_err *err)
{
	struct page p = { .r = r, .b = &r->out.line };
	struct bars *bars = malloc(sizeof(*bars));
	int rc = bars == NULL ? ai_err_nomem(err) : write_page(&p, bars, err);

	free(bars);
	return rc;
}
