/* report.h: what the files of "ai-cost report" share. */
#ifndef REPORT_H
#define REPORT_H

#include "cost.h"
#include "store/rollup.h"

/* A row as all forms show it. */
struct report_row {
	size_t name; /* where it begins in the report's names */
	int64_t calls; /* those that have not ended, too */
	int64_t failed, unanswered, retries;
	int64_t posted, pending, hits, saved;
	int64_t input, cached, written, output, reasoning;
};

struct report {
	struct ai_ledger *ledger;
	struct cost_out out;
	char by[16];
	int64_t since, until; /* ms; INT64_MIN, INT64_MAX: no bound */
	struct report_row all; /* their sums; its name is "all" */
	/* Kept only for tables. */
	bool keep;
	struct report_row *rows;
	size_t n, max;
	struct ai_buf names;
	struct ai_err err; /* of keeping them */
	int rc;
};

/* "(none)" for nobody. */
const char *report_name(const struct report *r, const struct report_row *row);

/* ---- report-range.c ------------------------------------------------------------- */

/* The times that --since and --until mean, in the ledger's calendar.
 * AI_E_USAGE: no such time, or the range ends before it starts. */
int report_range(int64_t *since, int64_t *until, struct ai_err *err);

/* ---- report-money.c ------------------------------------------------------------- */

/* Reads --currency and --rate. AI_E_USAGE: they make no sense. */
int report_currency(struct ai_err *err);
#define REPORT_MONEY 64
/* Exact, a JSON number, in the currency; for people, with its sign or code. */
void report_money_text(int64_t nano, char out[REPORT_MONEY]);
void report_money_show(int64_t nano, char out[REPORT_MONEY]);
/* The code in small letters: "usd". */
const char *report_code(void);

/* ---- the forms ------------------------------------------------------------------- */

void report_json(struct report *r, const struct report_row *row,
		 const char *name);
void report_csv_head(struct report *r);
void report_csv(struct report *r, const struct report_row *row,
		const char *name);
/* Lines of a table, with bars if there is room. */
void report_table(struct report *r);
/* A page of HTML. */
int report_page(struct report *r, struct ai_err *err);

#endif
