/* prices.c: tables of prices are imported, compared and checked. */
#include "prices.h"

#include "base/path.h"
#include "base/start.h"
#include "base/utf8.h"
#include "model/paid.h"
#include "record/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cost_prices_day(char day[AI_CATALOG_DAY], struct ai_err *err)
{
	if (ai_paid.date == NULL) {
		ai_catalog_today(day);
		return 0;
	}
	if (ai_catalog_check_when(ai_paid.date, err) < 0)
		return -1;
	memcpy(day, ai_paid.date, AI_CATALOG_DAY - 1);
	day[AI_CATALOG_DAY - 1] = '\0';
	return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

static int read_table(struct ai_import *i, const char *path,
		      struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AI_TABLE_MAX);
	struct ai_err why;
	int fd = ai_path_open(path, err), rc;

	if (fd < 0)
		return -1;
	rc = ai_buf_read(&text, fd);
	close(fd);
	if (rc < 0 && text.bad == AI_E_NONE)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot read '%.200s'",
				path);
	else
		rc = ai_buf_check(&text, path, err);
	if (rc == 0 && ai_import_read(i, (struct ai_span){ ai_buf_cstr(&text),
				text.len }, &why) < 0)
		rc = ai_err_set(err, why.code, "'%.100s', %s", path, why.msg);
	ai_buf_release(&text);
	return rc;
}

/* The files that are named, or standard input. */
static int read_tables(struct ai_import **i, int argc, char **argv,
		       struct ai_err *err)
{
	char day[AI_CATALOG_DAY];
	int rc = 0;

	*i = NULL;
	if (argc > 1)
		return ai_err_set(err, AI_E_USAGE, "one table at a time: each "
				  "has its own day");
	if (cost_prices_day(day, err) < 0 || ai_import_new(i, day, err) < 0)
		return -1;
	rc = read_table(*i, argc == 0 ? "-" : argv[0], err);
	return rc;
}

/* ---- writing ----------------------------------------------------------------------- */

static void put_rate(struct ai_buf *b, const char *key, int64_t rate)
{
	char text[AI_MONEY_TEXT];

	ai_put_key(b, key);
	if (rate == AI_NO_RATE) {
		ai_put_null(b);
		return;
	}
	ai_rate_text_million(rate, text);
	ai_put_raw(b, text, strlen(text));
}

/* A line about an item: its state, or what is odd. */
static int put_item(struct cost_out *o, const struct ai_item *item,
		    const char *state)
{
	if (o->table) {
		ai_buf_fmt(&o->line, "%-8s %s%s%s", state, item->name,
			   item->why[0] != '\0' ? ": " : "", item->why);
		return cost_put(o);
	}
	ai_put_open(&o->line, '{');
	cost_put_text(&o->line, "model", item->name);
	cost_put_text(&o->line, "state", state);
	if (item->why[0] != '\0')
		cost_put_text(&o->line, "why", item->why);
	if (item->state <= AI_ITEM_REFUSED) {
		put_rate(&o->line, "input", item->input);
		put_rate(&o->line, "output", item->output);
	}
	ai_put_close(&o->line, '}');
	return cost_put(o);
}

static int put_refused(void *arg, const struct ai_item *item)
{
	return item->state == AI_ITEM_REFUSED || item->state == AI_ITEM_WRONG
		? put_item(arg, item, ai_item_state_name(item->state)) : 0;
}

static int put_finding(void *arg, const struct ai_item *item)
{
	return item->odd ? put_item(arg, item, "odd")
		: put_refused(arg, item);
}

static int put_key(void *arg, struct ai_span key, unsigned n)
{
	struct cost_out *o = arg;
	char name[64];

	if (o->table)
		return 0;
	snprintf(name, sizeof name, "%.*s", (int)key.n, key.p);
	cost_put_int(&o->line, name, n);
	return 0;
}

static const enum ai_item_state told[] = {
	AI_ITEM_NEW, AI_ITEM_CHANGED, AI_ITEM_SAME, AI_ITEM_REFUSED,
	AI_ITEM_WRONG, AI_ITEM_UNPRICED, AI_ITEM_DOUBLE,
};

static void put_summary(struct cost_out *o, const struct ai_import *i,
			const char *day)
{
	const struct ai_import_counts *c = ai_import_counts(i);
	struct ai_buf *b = &o->line;

	if (o->table) {
		ai_buf_fmt(b, "%s of %s:", ai_table_name(ai_import_form(i)),
			   day);
		for (size_t k = 0; k < sizeof told / sizeof *told; k++)
			ai_buf_fmt(b, "%s %u %s", k > 0 ? "," : "",
				   c->state[told[k]],
				   ai_item_state_name(told[k]));
		ai_buf_fmt(b, "; %u prices rounded up; %lu of %lu keys unknown",
			   c->rounded, c->unknown, c->keys);
		cost_put(o);
		return;
	}
	ai_put_open(b, '{');
	cost_put_text(b, "source", ai_table_name(ai_import_form(i)));
	cost_put_text(b, "date", day);
	for (size_t k = 0; k < sizeof told / sizeof *told; k++)
		cost_put_int(b, ai_item_state_name(told[k]),
			     c->state[told[k]]);
	cost_put_int(b, "rounded", c->rounded);
	cost_put_int(b, "keys", (int64_t)c->keys);
	cost_put_int(b, "unknown", (int64_t)c->unknown);
	ai_put_key(b, "unknown_keys");
	ai_put_open(b, '{');
	ai_import_each_key(i, put_key, o);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	cost_put(o);
}

/* ---- import ------------------------------------------------------------------------- */

static int prices_path(char **path, struct ai_err *err)
{
	if (ai_catalog_prices(path, err) < 0)
		return -1;
	return *path != NULL ? 0 : ai_err_set(err, AI_E_USAGE, "there is no "
					      "file to import into: '--prices "
					      "none' says so");
}

static int take(struct ai_import *i, struct ai_err *err)
{
	struct ai_price_file f;
	char *path;
	int rc;

	if (prices_path(&path, err) < 0)
		return -1;
	rc = ai_price_file_open(&f, path, err);
	free(path);
	if (rc < 0)
		return -1;
	rc = ai_import_judge(i, &f.old, &cost.accept, err);
	if (rc == 0)
		rc = ai_import_write(i, &f, err);
	ai_price_file_close(&f);
	return rc;
}

static int end_with(struct cost_out *o, struct ai_import *i, int rc,
		    int status, struct ai_err *err)
{
	ai_import_free(i);
	rc = cost_end(o, rc, err);
	return rc == AI_EXIT_OK ? status : rc;
}

static int import(int argc, char **argv, struct ai_err *err)
{
	const struct ai_import_counts *c;
	struct cost_out o;
	struct ai_import *i;
	char day[AI_CATALOG_DAY];
	int rc, status = AI_EXIT_OK;

	rc = read_tables(&i, argc, argv, err);
	cost_begin(&o, ai_loop.plain_out);
	if (rc == 0)
		rc = take(i, err);
	if (rc == 0 && cost_prices_day(day, err) == 0) {
		c = ai_import_counts(i);
		ai_import_each(i, put_refused, &o);
		put_summary(&o, i, day);
		if (c->state[AI_ITEM_REFUSED] + c->state[AI_ITEM_WRONG] > 0)
			status = AI_EXIT_RECORD;
	}
	return end_with(&o, i, rc, status, err);
}

/* ---- check -------------------------------------------------------------------------- */

struct in_force {
	const struct ai_catalog *c;
	struct ai_import *i;
	const char *day;
	struct ai_err *err;
};

static int add_model(void *arg, struct ai_span name)
{
	struct in_force *f = arg;
	struct ai_model m;
	struct ai_err why;

	if (ai_catalog_find(f->c, name, f->day, &m, &why) < 0)
		return why.code == AI_E_MEMORY ? -1 : 0;
	return ai_import_add_model(f->i, &m, f->err);
}

/* What is wrong with a line of the file, or NULL. */
static const char *line_fault(struct ai_span line, struct ai_span last,
			      struct ai_err *why)
{
	struct ai_model m;
	int c = ai_history_compare(last, line);

	if (ai_history_name(line).n == 0)
		return "it is no line of prices";
	if (last.p != NULL && c >= 0)
		return c == 0 ? "the same day stands twice"
			      : "it is not sorted: nothing finds it";
	if (ai_history_is(line).n == 0 &&
	    ai_history_read(line, (struct ai_span){ "", 0 }, &m, why) < 0)
		return why->msg;
	return NULL;
}

/* A file that somebody has edited or merged; so many lines are wrong. */
static unsigned check_lines(struct cost_out *o, const struct ai_history *h)
{
	struct ai_span line = { NULL, 0 }, last = { NULL, 0 };
	struct ai_item item = { .state = AI_ITEM_WRONG };
	struct ai_err why;
	const char *fault;
	unsigned n = 0;

	for (; (line = ai_history_next(h, line)).p != NULL; last = line) {
		fault = line_fault(line, last, &why);
		if (fault == NULL)
			continue;
		n++;
		snprintf(item.name, sizeof item.name, "%.*s",
			 (int)ai_utf8_floor(ai_history_name(line).p,
					    ai_history_name(line).n, 99),
			 ai_history_name(line).p);
		snprintf(item.why, sizeof item.why, "%.*s",
			 (int)ai_utf8_floor(fault, strlen(fault), 199), fault);
		put_item(o, &item, "wrong");
	}
	return n;
}

/* All prices that hold on a day. */
static int add_in_force(struct ai_import **i, struct cost_out *o,
			unsigned *wrong, struct ai_err *err)
{
	struct ai_catalog *c;
	struct in_force f = { .err = err };
	char day[AI_CATALOG_DAY];
	int rc;

	*i = NULL;
	if (cost_prices_day(day, err) < 0 || ai_import_new(i, day, err) < 0 ||
	    ai_catalog_open(&c, NULL, err) < 0)
		return -1;
	f.c = c;
	f.i = *i;
	f.day = day;
	*wrong = check_lines(o, ai_catalog_history(c));
	rc = ai_catalog_each(c, add_model, &f);
	ai_catalog_free(c);
	return rc < 0 ? -1 : ai_import_judge(*i, NULL, NULL, err);
}

/* Against what there is, without a lock. */
static int compare(struct ai_import *i, const struct ai_opt_list *accept,
		   struct ai_err *err)
{
	struct ai_catalog *c;
	int rc;

	if (ai_catalog_open(&c, NULL, err) < 0)
		return -1;
	rc = ai_import_judge(i, ai_catalog_history(c), accept, err);
	ai_catalog_free(c);
	return rc;
}

static int check(int argc, char **argv, struct ai_err *err)
{
	const struct ai_import_counts *c;
	struct cost_out o;
	struct ai_import *i;
	unsigned wrong = 0;
	int rc, status = AI_EXIT_OK;

	cost_begin(&o, ai_loop.plain_out);
	rc = argc > 0 ? read_tables(&i, argc, argv, err)
		      : add_in_force(&i, &o, &wrong, err);
	if (rc == 0 && argc > 0)
		rc = compare(i, &cost.accept, err);
	if (rc == 0) {
		c = ai_import_counts(i);
		ai_import_each(i, put_finding, &o);
		if (ai_loop.exit_no && c->state[AI_ITEM_REFUSED] +
		    c->state[AI_ITEM_WRONG] + c->odd + wrong > 0)
			status = AI_EXIT_NO;
	}
	return end_with(&o, i, rc, status, err);
}

/* ---- diff --------------------------------------------------------------------------- */

/* In tenths of a percent; 0: no such number. */
static int64_t percent(int64_t is, int64_t was)
{
	__int128 d = (__int128)is - was;

	if (was <= 0 || is < 0)
		return 0;
	d = d * 1000 / was;
	return d > 999999 ? 999999 : (int64_t)d;
}

static const char *how_changed(const struct ai_item *item)
{
	int64_t more = (item->input > item->old_input) +
		(item->output > item->old_output),
		less = (item->input < item->old_input) +
		(item->output < item->old_output);

	return more > 0 && less == 0 ? "dearer"
		: less > 0 && more == 0 ? "cheaper" : "changed";
}

static void put_change(struct cost_out *o, const char *key, int64_t was,
		       int64_t is)
{
	int64_t p = percent(is, was);
	char a[AI_MONEY_TEXT] = "-", b[AI_MONEY_TEXT] = "-";

	if (o->table) {
		if (was >= 0)
			ai_rate_text_million(was, a);
		if (is >= 0)
			ai_rate_text_million(is, b);
		ai_buf_fmt(&o->line, "  %s %s -> %s", key, a, b);
		if (p != 0)
			ai_buf_fmt(&o->line, " (%s%lld.%lld %%)",
				   p < 0 ? "-" : "+",
				   (long long)llabs(p) / 10,
				   (long long)llabs(p) % 10);
		return;
	}
	ai_put_key(&o->line, key);
	ai_put_open(&o->line, '{');
	put_rate(&o->line, "was", was);
	put_rate(&o->line, "is", is);
	ai_put_key(&o->line, "percent");
	ai_put_f64(&o->line, (double)p / 10);
	ai_put_close(&o->line, '}');
}

static int put_diff(void *arg, const struct ai_item *item)
{
	struct cost_out *o = arg;
	const char *what = item->state == AI_ITEM_NEW ? "added"
		: item->state == AI_ITEM_CHANGED ? how_changed(item) : NULL;

	if (what == NULL)
		return put_refused(arg, item);
	if (o->table)
		ai_buf_fmt(&o->line, "%-8s %s", what, item->name);
	else {
		ai_put_open(&o->line, '{');
		cost_put_text(&o->line, "model", item->name);
		cost_put_text(&o->line, "state", what);
		cost_put_text(&o->line, "date", item->date);
	}
	put_change(o, "input", item->old_input, item->input);
	put_change(o, "output", item->old_output, item->output);
	if (!o->table)
		ai_put_close(&o->line, '}');
	return cost_put(o);
}

/* Whether a table that was read speaks of a name. */
struct seen {
	struct ai_span name;
	bool found;
};

static int see(void *arg, const struct ai_item *item)
{
	struct seen *s = arg;

	s->found = ai_span_is(s->name, item->name);
	return s->found;
}

/* Models of the same source that are in the table no more. */
static void put_removed(struct cost_out *o, const struct ai_import *i,
			const struct ai_history *old)
{
	struct ai_span line = { NULL, 0 }, last = { "", 0 };
	const char *source = ai_table_name(ai_import_form(i));
	struct ai_item item = { .state = AI_ITEM_ALIAS };
	struct ai_model m;
	struct seen s;

	while ((line = ai_history_next(old, line)).p != NULL) {
		s = (struct seen){ ai_history_name(line), false };
		if (ai_history_is(line).n > 0 || ai_span_eq(s.name, last) ||
		    ai_history_read(line, (struct ai_span){ "", 0 }, &m,
				    NULL) < 0)
			continue;
		last = s.name;
		if (strcmp(m.price.source, source) != 0)
			continue;
		ai_import_each(i, see, &s);
		snprintf(item.name, sizeof item.name, "%s", m.name);
		if (!s.found)
			put_item(o, &item, "removed");
	}
}

static int diff(int argc, char **argv, struct ai_err *err)
{
	struct ai_catalog *c = NULL;
	struct cost_out o;
	struct ai_import *i;
	int rc;

	rc = read_tables(&i, argc, argv, err);
	cost_begin(&o, ai_loop.plain_out);
	if (rc == 0)
		rc = ai_catalog_open(&c, NULL, err);
	if (rc == 0)
		rc = ai_import_judge(i, ai_catalog_history(c), &cost.accept,
				     err);
	if (rc == 0) {
		ai_import_each(i, put_diff, &o);
		put_removed(&o, i, ai_catalog_history(c));
	}
	ai_catalog_free(c);
	return end_with(&o, i, rc, AI_EXIT_OK, err);
}

int cost_prices(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "list", cost_prices_list }, { "show", cost_prices_show },
		{ "import", import }, { "check", check }, { "diff", diff },
		{ NULL, NULL }
	};

	return cost_pick("prices", words, argc, argv, err);
}
