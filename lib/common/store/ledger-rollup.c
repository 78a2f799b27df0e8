/* ledger-rollup.c: the sums by hour and label: added to as calls end, and made
 * anew from the transfers. */
#include "store/ledger-int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND ((int64_t)1000000) /* us */
#define DAY ((int64_t)86400000)   /* ms */

const int64_t ai_rollup_bound[AI_ROLLUP_BUCKETS - 1] = {
	SECOND / 100, SECOND / 50, SECOND / 25, SECOND * 2 / 25, SECOND * 4 / 25,
	SECOND * 8 / 25, SECOND * 16 / 25, SECOND * 32 / 25, SECOND * 64 / 25,
	SECOND * 128 / 25, SECOND * 256 / 25, SECOND * 512 / 25,
	SECOND * 1024 / 25, SECOND * 2048 / 25,
};

const char *const ledger_column[AI_ROLLUP_COUNT] = {
#define NAME(name, column) #column,
	AI_ROLLUP_COLUMNS(NAME)
#undef NAME
};

/* ---- what is added ---------------------------------------------------------- */

static int bucket_of(int64_t us)
{
	int i = 0;

	while (i < AI_ROLLUP_BUCKETS - 1 && us > ai_rollup_bound[i])
		i++;
	return i;
}

static void clamp(int64_t *n, int64_t max)
{
	*n = *n < 0 ? 0 : *n > max ? max : *n;
}

void ledger_facts(struct ai_facts *f, enum ledger_kind kind, bool usage)
{
	static const enum ai_ended ended[] = {
		[LEDGER_VOID] = AI_ENDED_UNSENT,
		[LEDGER_EXPIRE] = AI_ENDED_LOST,
		[LEDGER_CORRECT] = AI_ENDED_UNTOLD,
	};
	int64_t *const tokens[] = { &f->input, &f->cached, &f->written,
				    &f->output, &f->reasoning };
	size_t i;

	if (f->ended <= 0 || f->ended >= AI_ENDED_COUNT)
		f->ended = kind != LEDGER_POST ? ended[kind] : usage
			? AI_ENDED_ANSWERED : AI_ENDED_UNTOLD;
	clamp(&f->attempt, 1000000);
	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		clamp(tokens[i], 10000 * SECOND);
	clamp(&f->time_us, 100000 * SECOND);
	clamp(&f->first_us, 100000 * SECOND);
}

static int write_one(struct ai_ledger *l, const struct ledger_rollup *r,
		     enum ledger_sql sql, bool hour, struct ai_err *err)
{
	sqlite3_stmt *st;
	int c = 0, i;

	if (LEDGER_BIND(l, sql, err, "") < 0)
		return -1;
	st = l->st[sql];
	if (hour)
		sqlite3_bind_int64(st, ++c, r->hour);
	sqlite3_bind_int64(st, ++c, r->label);
	for (i = 0; i < AI_ROLLUP_COUNT; i++)
		sqlite3_bind_int64(st, ++c, r->v[i]);
	return ai_db_run(&l->db, st, err);
}

/*
 * Totals are of the hours before one that the state has, so that a call writes
 * one row and not two: once a day they are brought up to the current hour.
 */
static int roll_on(struct ai_ledger *l, int64_t hour, struct ai_err *err)
{
	if (LEDGER_RUN(l, SQL_ROLL_ON, err, "ii", l->rolled, hour) < 0 ||
	    LEDGER_RUN(l, SQL_SET_ROLLED, err, "i", hour) < 0)
		return -1;
	l->rolled = hour;
	return 0;
}

int ledger_rollup_write(struct ai_ledger *l, struct ai_err *err)
{
	struct ledger_memo *m = &l->memo;
	int64_t last = INT64_MIN;
	size_t i;

	for (i = 0; i < m->n_rollups; i++) {
		const struct ledger_rollup *r = &m->rollup[i];

		if (write_one(l, r, SQL_ROLL_UP, true, err) < 0 ||
		    (r->hour < l->rolled &&
		     write_one(l, r, SQL_ROLL_UP_ALL, false, err) < 0))
			return -1;
		last = r->hour > last ? r->hour : last;
	}
	m->n_rollups = 0;
	return last / DAY > l->rolled / DAY ? roll_on(l, last, err) : 0;
}

/* Where the transaction counts this. */
static int row_of(struct ai_ledger *l, int64_t created, int64_t label,
		  struct ledger_rollup **out, struct ai_err *err)
{
	struct ledger_memo *m = &l->memo;
	size_t i;

	if (created < l->hour_start || created >= l->hour_end)
		ledger_hour(created, &l->hour_start, &l->hour_end);
	for (i = 0; i < m->n_rollups; i++)
		if (m->rollup[i].label == label &&
		    m->rollup[i].hour == l->hour_start) {
			*out = &m->rollup[i];
			return 0;
		}
	if (m->n_rollups == LEDGER_MEMO_ROLLUPS &&
	    ledger_rollup_write(l, err) < 0)
		return -1;
	*out = &m->rollup[m->n_rollups++];
	memset(*out, 0, sizeof(**out));
	(*out)->hour = l->hour_start;
	(*out)->label = label;
	return 0;
}

int ledger_rollup_end(struct ai_ledger *l, const struct ledger_reserved *r,
		      const struct ledger_ending *e, int64_t corrections,
		      struct ai_err *err)
{
	const struct ai_facts *f = &e->facts;
	struct ledger_rollup *to;
	int64_t *v;

	if (row_of(l, r->created, r->label, &to, err) < 0)
		return -1;
	v = to->v;
	v[AI_ROLLUP_CALLS]++;
	v[AI_ROLLUP_UNTOLD + f->ended]++;
	v[AI_ROLLUP_UNANSWERED] += e->kind == LEDGER_EXPIRE;
	v[AI_ROLLUP_POSTED] += e->amount;
	v[AI_ROLLUP_CORRECTIONS] += corrections;
	v[AI_ROLLUP_RETRIES] += f->attempt > 1;
	v[AI_ROLLUP_INPUT] += f->input;
	v[AI_ROLLUP_CACHED] += f->cached;
	v[AI_ROLLUP_WRITTEN] += f->written;
	v[AI_ROLLUP_OUTPUT] += f->output;
	v[AI_ROLLUP_REASONING] += f->reasoning;
	v[AI_ROLLUP_TIME_US] += f->time_us;
	v[AI_ROLLUP_FIRST_US] += f->first_us;
	if (f->time_us > 0)
		v[AI_ROLLUP_TIME + bucket_of(f->time_us)]++;
	if (f->first_us > 0)
		v[AI_ROLLUP_FIRST + bucket_of(f->first_us)]++;
	return 0;
}

int ledger_rollup_correct(struct ai_ledger *l, const struct ledger_reserved *r,
			  int64_t delta, bool lost, struct ai_err *err)
{
	struct ledger_rollup *to;

	if (row_of(l, r->created, r->label, &to, err) < 0)
		return -1;
	to->v[AI_ROLLUP_POSTED] += delta;
	to->v[AI_ROLLUP_CORRECTIONS]++;
	to->v[AI_ROLLUP_UNANSWERED] -= lost;
	return 0;
}

/* ---- answers from the cache ------------------------------------------------------ */

void ledger_hit_seal(const struct ai_ledger *l, int64_t seq, int64_t created,
		     int64_t label, int64_t hits, int64_t saved,
		     unsigned char out[LEDGER_HASH])
{
	struct ai_seal s;

	ai_seal_init(&s, l->key);
	ledger_seal_text(&s, AI_SPAN("hit"));
	ledger_seal_int(&s, seq);
	ledger_seal_int(&s, created);
	ledger_seal_int(&s, label);
	ledger_seal_int(&s, hits);
	ledger_seal_int(&s, saved);
	ai_seal_end(&s, out);
}

int ledger_hit(struct ai_ledger *l, struct ledger_item *it, struct ai_err *err)
{
	const struct ai_hit *h = it->in.hit;
	struct ai_labels labels = h->labels;
	unsigned char seal[LEDGER_HASH];
	struct ledger_rollup *to;
	int64_t label, seq;

	if (h->hits <= 0 || h->saved < 0 || h->saved > AI_LEDGER_AMOUNT_MAX)
		return ledger_refuse(it, AI_E_BUG, "no answers, or they save "
				     "less than nothing");
	if (ledger_person(l, labels.user, err) < 0 ||
	    ledger_label(l, &labels, &label, err) < 0 ||
	    ai_db_int(&l->db, "SELECT coalesce(max(seq), 0) + 1 FROM hit", &seq,
		      err) < 0)
		return -1;
	ledger_hit_seal(l, seq, it->now_ms, label, h->hits, h->saved, seal);
	if (LEDGER_RUN(l, SQL_INSERT_HIT, err, "iiiiib", seq, it->now_ms, label,
		       h->hits, h->saved, LEDGER_BYTES(seal, LEDGER_HASH)) < 0 ||
	    row_of(l, it->now_ms, label, &to, err) < 0)
		return -1;
	to->v[AI_ROLLUP_HITS] += h->hits;
	to->v[AI_ROLLUP_SAVED] += h->saved;
	return 0;
}

/* ---- counted anew ------------------------------------------------------------ */

/*
 * What a row adds to each column, NULL: nothing.  e is the end, or the
 * correction, of reservation p; of older calls nobody has said how they ended.
 */
#define ENDED \
	"CASE WHEN e.ended<>0 THEN e.ended WHEN e.kind=3 THEN 8 WHEN e.kind=4" \
	" THEN 6 WHEN e.usage<>'' THEN 1 ELSE 0 END"

static const struct source {
	const char *end, *correction, *hit;
} source[AI_ROLLUP_COUNT] = {
	[AI_ROLLUP_CALLS] = { "1", NULL, NULL },
	[AI_ROLLUP_UNANSWERED] = { "e.kind=4 AND NOT EXISTS (SELECT 1 FROM"
		" transfer c WHERE c.of=e.of AND c.kind=5)", NULL, NULL },
	[AI_ROLLUP_POSTED] = { "e.amount", "e.amount", NULL },
	[AI_ROLLUP_HITS] = { NULL, NULL, "hits" },
	[AI_ROLLUP_SAVED] = { NULL, NULL, "saved" },
	[AI_ROLLUP_UNTOLD] = { "0=" ENDED, NULL, NULL },
	[AI_ROLLUP_ANSWERED] = { "1=" ENDED, NULL, NULL },
	[AI_ROLLUP_UNUSABLE] = { "2=" ENDED, NULL, NULL },
	[AI_ROLLUP_REFUSED] = { "3=" ENDED, NULL, NULL },
	[AI_ROLLUP_LIMITED] = { "4=" ENDED, NULL, NULL },
	[AI_ROLLUP_FAILED] = { "5=" ENDED, NULL, NULL },
	[AI_ROLLUP_LOST] = { "6=" ENDED, NULL, NULL },
	[AI_ROLLUP_LEFT] = { "7=" ENDED, NULL, NULL },
	[AI_ROLLUP_UNSENT] = { "8=" ENDED, NULL, NULL },
	[AI_ROLLUP_CORRECTIONS] = { NULL, "1", NULL },
	[AI_ROLLUP_RETRIES] = { "e.attempt>1", NULL, NULL },
	[AI_ROLLUP_INPUT] = { "e.input", NULL, NULL },
	[AI_ROLLUP_CACHED] = { "e.cached", NULL, NULL },
	[AI_ROLLUP_WRITTEN] = { "e.written", NULL, NULL },
	[AI_ROLLUP_OUTPUT] = { "e.output", NULL, NULL },
	[AI_ROLLUP_REASONING] = { "e.reasoning", NULL, NULL },
	[AI_ROLLUP_TIME_US] = { "e.time_us", NULL, NULL },
	[AI_ROLLUP_FIRST_US] = { "e.first_us", NULL, NULL },
};

/* A bucket of a histogram; false: column c is none. */
static bool put_bucket(struct ai_buf *b, int c)
{
	const char *of = c >= AI_ROLLUP_FIRST ? "e.first_us" : "e.time_us";
	int i = c - (c >= AI_ROLLUP_FIRST ? AI_ROLLUP_FIRST : AI_ROLLUP_TIME);

	if (i < 0)
		return false;
	if (i == AI_ROLLUP_BUCKETS - 1)
		ai_buf_fmt(b, "%s>%lld", of,
			   (long long)ai_rollup_bound[AI_ROLLUP_BUCKETS - 2]);
	else
		ai_buf_fmt(b, "%s>%lld AND %s<=%lld", of, i == 0 ? 0 :
			   (long long)ai_rollup_bound[i - 1], of,
			   (long long)ai_rollup_bound[i]);
	return true;
}

/* One of the three kinds of rows, each as a row of the rollup. */
static void put_source(struct ai_buf *b, const char *created, const char *label,
		       size_t which, const char *from)
{
	const char *s;
	int c;

	ai_buf_fmt(b, "SELECT hour_of(%s) AS hour, %s AS label", created, label);
	for (c = 0; c < AI_ROLLUP_COUNT; c++) {
		ai_buf_str(b, ", ");
		s = which == 0 ? source[c].end : which == 1
			? source[c].correction : source[c].hit;
		if (which != 0 || !put_bucket(b, c))
			ai_buf_str(b, s == NULL ? "0" : s);
		ai_buf_fmt(b, " AS %s", ledger_column[c]);
	}
	ai_buf_fmt(b, " FROM %s", from);
}

/* All of them, by hour and label, in this order. */
static void put_recount(struct ai_buf *b)
{
	int c;

	ai_buf_str(b, "SELECT hour, label");
	for (c = 0; c < AI_ROLLUP_COUNT; c++)
		ai_buf_fmt(b, ", sum(%s)", ledger_column[c]);
	ai_buf_str(b, " FROM (");
	put_source(b, "p.created", "p.label", 0, "transfer e CROSS JOIN"
		   " transfer p ON p.seq=e.of WHERE e.kind BETWEEN 2 AND 4");
	ai_buf_str(b, " UNION ALL ");
	put_source(b, "p.created", "p.label", 1, "transfer e CROSS JOIN"
		   " transfer p ON p.seq=e.of WHERE e.kind=5");
	ai_buf_str(b, " UNION ALL ");
	put_source(b, "created", "label", 2, "hit");
	ai_buf_str(b, ") GROUP BY hour, label ORDER BY hour, label");
}

static void put_totals(struct ai_buf *b)
{
	int c;

	ai_buf_str(b, "SELECT label");
	for (c = 0; c < AI_ROLLUP_COUNT; c++)
		ai_buf_fmt(b, ", sum(%s)", ledger_column[c]);
	ai_buf_str(b, " FROM rollup WHERE hour<(SELECT rolled FROM state)"
		   " GROUP BY label ORDER BY label");
}

/* The function hour_of(ms) of SQL: the same hour mostly comes again. */
struct hour {
	int64_t start, end;
};

static void hour_of(sqlite3_context *context, int n, sqlite3_value **v)
{
	struct hour *h = sqlite3_user_data(context);
	int64_t ms = sqlite3_value_int64(v[0]);

	(void)n;
	if (ms < h->start || ms >= h->end)
		ledger_hour(ms, &h->start, &h->end);
	sqlite3_result_int64(context, h->start);
}

static int add_function(struct ai_ledger *l, struct hour *h,
			struct ai_err *err)
{
	int rc;

	*h = (struct hour){ 0, 0 };
	rc = sqlite3_create_function(l->db.h, "hour_of", 1, SQLITE_UTF8 |
				     SQLITE_DETERMINISTIC, h, hour_of, NULL,
				     NULL);
	return rc == SQLITE_OK ? 0 : ai_db_fail(&l->db, rc, err);
}

static void remove_function(struct ai_ledger *l)
{
	sqlite3_create_function(l->db.h, "hour_of", 1, SQLITE_UTF8, NULL, NULL,
				NULL, NULL);
}

#define SQL_MAX ((size_t)1 << 16)

int ledger_rollup_make(struct ai_ledger *l, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SQL_MAX);
	struct hour h;
	int64_t end;
	int rc = add_function(l, &h, err);

	ledger_hour(l->wall_ms(), &l->rolled, &end);
	ai_buf_fmt(&b, "UPDATE state SET rolled=%lld; DELETE FROM rollup;"
		   "DELETE FROM total; INSERT INTO rollup ",
		   (long long)l->rolled);
	put_recount(&b);
	ai_buf_str(&b, "; INSERT INTO total ");
	put_totals(&b);
	if (rc == 0)
		rc = ai_buf_check(&b, "a query", err);
	if (rc == 0)
		rc = ai_db_exec(&l->db, ai_buf_cstr(&b), err);
	remove_function(l);
	ai_buf_release(&b);
	return rc;
}

/* ---- compared ------------------------------------------------------------------ */

/* Rows of so many keys, and what they are to be, by key. */
struct comparison {
	const char *is;
	void (*put_should)(struct ai_buf *b);
	int keys;
	void (*tell)(void *arg, const char *what);
	void *arg;
};

static int order_of(sqlite3_stmt *a, sqlite3_stmt *b, int keys)
{
	int64_t x, y;
	int i;

	for (i = 0; i < keys; i++) {
		x = sqlite3_column_int64(a, i);
		y = sqlite3_column_int64(b, i);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static void name_row(const struct comparison *c, sqlite3_stmt *st,
		     char out[100])
{
	time_t s = (time_t)(sqlite3_column_int64(st, 0) / 1000);
	char when[40] = "a time that there is not";
	struct tm t;

	if (c->keys == 1) {
		snprintf(out, 100, "total of label %lld",
			 (long long)sqlite3_column_int64(st, 0));
		return;
	}
	if (localtime_r(&s, &t) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z", &t);
	snprintf(out, 100, "rollup of %s and label %lld", when,
		 (long long)sqlite3_column_int64(st, 1));
}

/* order: as of the two rows; below 0 there is no b, above it no a. */
static void tell_row(const struct comparison *c, int order, sqlite3_stmt *a,
		     sqlite3_stmt *b)
{
	const char *from = c->keys == 1 ? "rollups" : "transfers";
	char name[100], text[300];
	int64_t x, y;
	int i;

	name_row(c, order > 0 ? b : a, name);
	if (order != 0) {
		snprintf(text, sizeof(text), order > 0 ? "%s: it is missing" :
			 "%s: no %s make it", name, from);
		c->tell(c->arg, text);
		return;
	}
	for (i = 0; i < AI_ROLLUP_COUNT; i++) {
		x = sqlite3_column_int64(a, c->keys + i);
		y = sqlite3_column_int64(b, c->keys + i);
		if (x == y)
			continue;
		snprintf(text, sizeof(text), "%s: %s is %lld; its %s make %lld",
			 name, ledger_column[i], (long long)x, from,
			 (long long)y);
		c->tell(c->arg, text);
	}
}

static int compare(struct ai_ledger *l, const struct comparison *c,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SQL_MAX);
	sqlite3_stmt *is = NULL, *should = NULL;
	int ra, rb, order = 0;

	c->put_should(&b);
	ra = ai_buf_check(&b, "a query", err);
	if (ra == 0)
		ra = ai_db_bind(&l->db, &is, c->is, err, "");
	rb = ra < 0 ? -1 : ai_db_bind(&l->db, &should, ai_buf_cstr(&b), err,
				      "");
	for (;;) {
		if (ra >= 0 && rb >= 0 && order <= 0)
			ra = ai_db_step(&l->db, is, err);
		if (ra >= 0 && rb >= 0 && order >= 0)
			rb = ai_db_step(&l->db, should, err);
		if (ra < 0 || rb < 0 || (ra == 0 && rb == 0))
			break;
		order = ra == 0 ? 1 : rb == 0 ? -1 :
			order_of(is, should, c->keys);
		tell_row(c, order, is, should);
	}
	ai_db_finish(&is);
	ai_db_finish(&should);
	ai_buf_release(&b);
	return ra < 0 || rb < 0 ? -1 : 0;
}

int ledger_rollup_check(struct ai_ledger *l,
			void (*tell)(void *arg, const char *what), void *arg,
			struct ai_err *err)
{
	const struct comparison
		hours = { "SELECT * FROM rollup ORDER BY hour, label",
			  put_recount, 2, tell, arg },
		totals = { "SELECT * FROM total ORDER BY label", put_totals, 1,
			   tell, arg };
	struct hour h;
	int rc = add_function(l, &h, err);

	if (rc == 0)
		rc = compare(l, &hours, err);
	if (rc == 0)
		rc = compare(l, &totals, err);
	remove_function(l);
	return rc;
}
