/* report.c: what was spent: the sums, and the lines they are written as. */
#include "report.h"

#include "base/start.h"
#include "record/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The i-th word of COST_BY. */
static void by_name(char *out, size_t size)
{
	const char *p = COST_BY;
	int i;

	for (i = 0; i < cost.by; i++)
		p = strchr(p, '|') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(p, "|"), p);
}

const char *report_name(const struct report *r, const struct report_row *row)
{
	const char *name = ai_buf_cstr(&r->names) + row->name;

	return name[0] != '\0' ? name : "(none)";
}

/* ---- lines of JSON and CSV ----------------------------------------------------------- */

static void put_money(struct report *r, const char *what, int64_t nano)
{
	struct ai_buf *b = &r->out.line;
	char key[40], text[REPORT_MONEY];

	snprintf(key, sizeof(key), "%s_usd", what);
	cost_put_usd(b, key, nano);
	if (strcmp(report_code(), "usd") == 0)
		return;
	snprintf(key, sizeof(key), "%s_%s", what, report_code());
	ai_put_key(b, key);
	report_money_text(nano, text);
	ai_put_raw(b, text, strlen(text));
}

/* What there is none of is left out. */
static void put_count(struct report *r, const char *key, int64_t n)
{
	if (n != 0)
		cost_put_int(&r->out.line, key, n);
}

void report_json(struct report *r, const struct report_row *row,
		 const char *name)
{
	struct ai_buf *b = &r->out.line;

	ai_put_open(b, '{');
	cost_put_text(b, r->by, name[0] != '\0' ? name : NULL);
	cost_put_int(b, "calls", row->calls);
	put_money(r, "spent", row->posted);
	put_money(r, "held", row->pending);
	put_count(r, "unanswered", row->unanswered);
	put_count(r, "failed", row->failed);
	put_count(r, "retries", row->retries);
	put_count(r, "input_tokens", row->input);
	put_count(r, "cached_tokens", row->cached);
	put_count(r, "cache_write_tokens", row->written);
	put_count(r, "output_tokens", row->output);
	put_count(r, "reasoning_tokens", row->reasoning);
	if (row->hits != 0) {
		cost_put_int(b, "cache_hits", row->hits);
		put_money(r, "saved", row->saved);
	}
	ai_put_close(b, '}');
	cost_put(&r->out);
}

/* RFC 4180, which has no control characters; and what a spreadsheet would take
 * for a formula is none. */
static void put_cell(struct ai_buf *b, const char *text)
{
	unsigned char c;
	bool formula = text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL;

	ai_buf_chr(b, '"');
	if (formula)
		ai_buf_chr(b, '\'');
	for (; *text != '\0'; text++) {
		c = (unsigned char)*text;
		if (c == '"')
			ai_buf_chr(b, '"');
		ai_buf_chr(b, c < 0x20 || c == 0x7f ? '?' : *text);
	}
	ai_buf_chr(b, '"');
}

void report_csv_head(struct report *r)
{
	const char *code = report_code();

	ai_buf_fmt(&r->out.line, "%s,calls,spent_%s,held_%s,unanswered,failed,"
		   "retries,input_tokens,cached_tokens,cache_write_tokens,"
		   "output_tokens,reasoning_tokens,cache_hits,saved_%s\r",
		   r->by, code, code, code);
	cost_put(&r->out);
}

void report_csv(struct report *r, const struct report_row *row,
		const char *name)
{
	struct ai_buf *b = &r->out.line;
	char spent[REPORT_MONEY], held[REPORT_MONEY], saved[REPORT_MONEY];

	report_money_text(row->posted, spent);
	report_money_text(row->pending, held);
	report_money_text(row->saved, saved);
	put_cell(b, name);
	ai_buf_fmt(b, ",%lld,%s,%s,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,"
		   "%lld,%s\r", (long long)row->calls, spent, held,
		   (long long)row->unanswered, (long long)row->failed,
		   (long long)row->retries, (long long)row->input,
		   (long long)row->cached, (long long)row->written,
		   (long long)row->output, (long long)row->reasoning,
		   (long long)row->hits, saved);
	cost_put(&r->out);
}

/* ---- rows ------------------------------------------------------------------------- */

static struct report_row row_of(const struct ai_rollup *r)
{
	const int64_t *v = r->v;

	return (struct report_row){
		.calls = v[AI_ROLLUP_CALLS] + r->open, .pending = r->pending,
		.failed = ai_rollup_failed(r),
		.unanswered = v[AI_ROLLUP_UNANSWERED],
		.retries = v[AI_ROLLUP_RETRIES], .posted = v[AI_ROLLUP_POSTED],
		.hits = v[AI_ROLLUP_HITS], .saved = v[AI_ROLLUP_SAVED],
		.input = v[AI_ROLLUP_INPUT], .cached = v[AI_ROLLUP_CACHED],
		.written = v[AI_ROLLUP_WRITTEN],
		.output = v[AI_ROLLUP_OUTPUT],
		.reasoning = v[AI_ROLLUP_REASONING],
	};
}

static void add_up(struct report_row *all, const struct report_row *row)
{
	all->calls += row->calls;
	all->posted += row->posted;
	all->pending += row->pending;
	all->failed += row->failed;
	all->unanswered += row->unanswered;
	all->retries += row->retries;
	all->hits += row->hits;
	all->saved += row->saved;
	all->input += row->input;
	all->output += row->output;
}

static int keep_row(struct report *r, struct report_row row, const char *name)
{
	if (r->n == r->max) {
		size_t max = r->max + r->max / 2 + 64;
		struct report_row *rows = realloc(r->rows,
						  max * sizeof(*rows));

		if (rows == NULL)
			return ai_err_nomem(&r->err);
		r->rows = rows;
		r->max = max;
	}
	row.name = r->names.len;
	ai_buf_add(&r->names, name, strlen(name) + 1);
	r->rows[r->n++] = row;
	return ai_buf_check(&r->names, "the names", &r->err);
}

static int take_row(void *arg, const struct ai_rollup *rollup)
{
	struct report *r = arg;
	struct report_row row = row_of(rollup);

	add_up(&r->all, &row);
	if (r->keep)
		r->rc = keep_row(r, row, rollup->name);
	else if (cost.format == COST_CSV)
		report_csv(r, &row, rollup->name);
	else if (cost.format != COST_HTML)
		report_json(r, &row, rollup->name);
	return r->rc < 0 || r->out.rc < 0;
}

/* ---- all of it --------------------------------------------------------------------- */

static int write_report(struct report *r, struct ai_err *err)
{
	struct ai_rollup_ask ask = { .by = r->by, .columns = AI_ROLLUP_TIME };

	if (report_range(&r->since, &r->until, err) < 0)
		return -1;
	ask.since = r->since;
	ask.until = r->until;
	if (cost.format == COST_CSV)
		report_csv_head(r);
	if (ai_ledger_rollups(r->ledger, &ask, take_row, r, err) < 0)
		return -1;
	if (r->rc < 0) {
		*err = r->err;
		return -1;
	}
	if (cost.format == COST_TABLE)
		report_table(r);
	return cost.format == COST_HTML ? report_page(r, err) : 0;
}

/* What nobody has chosen: a table for people, lines for programs. */
static void choose_format(void)
{
	if (cost.format == COST_AUTO)
		cost.format = ai_loop.plain_out || isatty(STDOUT_FILENO)
			? COST_TABLE : COST_JSON;
}

int cost_report(int argc, char **argv, struct ai_err *err)
{
	struct report r = { .by = "" };
	int rc;

	if (cost_no_operand(argc, argv, err) < 0 ||
	    report_currency(err) < 0 || cost_open(&r.ledger, false, err) < 0)
		return -1;
	if (r.ledger == NULL)
		return AI_EXIT_OK;
	choose_format();
	cost_begin(&r.out, cost.format == COST_TABLE);
	ai_buf_init(&r.names, (size_t)1 << 30);
	r.keep = cost.format == COST_TABLE;
	by_name(r.by, sizeof(r.by));
	rc = write_report(&r, err);
	ai_ledger_close(r.ledger);
	free(r.rows);
	ai_buf_release(&r.names);
	return cost_end(&r.out, rc, err);
}
