/*
 * --where against a plain definition: random documents, which come, change and
 * go, and random expressions; dates against the C library's calendar.
 *
 * It is a program of the house (start.c has main), since the parts use the
 * loop's settings.
 */
#include "filter.h"
#include "search.h"
#include "tags.h"

#include "base/start.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DOCS 3000
#define VALUES 24
#define LONG_TEXT 300

static char folder[] = "/tmp/ai-filter-test-XXXXXX";
static struct search_index ix;
static uint64_t seed = 7;

static unsigned dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* ---- values, whose meaning is known because they were made from it ---------------- */

struct value {
	int path;
	char kind; /* s n w */
	char text[LONG_TEXT + 8];
	bool number, date;
	double num, from, to; /* to: excluded; from if it is a point */
};

static const char *const paths[] = { "a", "b.c", "tags", "when", "n" };
#define PATHS 5
#define PATH_B PATHS /* the object around b.c */

static double utc(int y, int m, int d, int h, int min, int s)
{
	struct tm tm = { .tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d,
			 .tm_hour = h, .tm_min = min, .tm_sec = s };

	return (double)timegm(&tm);
}

static void make_date(struct value *v)
{
	int y = 2019 + (int)dice(3), m = 1 + (int)dice(12);
	int d = 1 + (int)dice(28), h = (int)dice(24), min = (int)dice(60);
	int zone = (int)dice(5) - 2;

	v->kind = 's';
	v->date = true;
	switch (dice(7)) {
	case 0:
		snprintf(v->text, sizeof(v->text), "%04d", y);
		v->number = true;
		v->num = y;
		v->from = utc(y, 1, 1, 0, 0, 0);
		v->to = utc(y + 1, 1, 1, 0, 0, 0);
		return;
	case 1:
		snprintf(v->text, sizeof(v->text), "%04d-%02d", y, m);
		v->from = utc(y, m, 1, 0, 0, 0);
		v->to = utc(y, m + 1, 1, 0, 0, 0);
		return;
	case 2:
		snprintf(v->text, sizeof(v->text), "%04d-%02d-%02d", y, m, d);
		v->from = utc(y, m, d, 0, 0, 0);
		v->to = v->from + 86400;
		return;
	case 3:
		snprintf(v->text, sizeof(v->text), "%04d-%02d-%02dT%02d:%02d",
			 y, m, d, h, min);
		v->from = utc(y, m, d, h, min, 0);
		v->to = v->from + 60;
		return;
	case 4:
		snprintf(v->text, sizeof(v->text), "%04d-%02d-%02dT%02d:%02d:30.5Z", y, m, d, h,
			min);
		v->from = v->to = utc(y, m, d, h, min, 30) + .5;
		return;
	case 5:
		snprintf(v->text, sizeof(v->text), "%04d%02d%02dT%02d%02d15Z", y, m, d, h, min);
		v->from = v->to = utc(y, m, d, h, min, 15);
		return;
	default:
		snprintf(v->text, sizeof(v->text), "%04d-%02d-%02d %02d:%02d:00%+03d:30", y, m,
			d, h, min, zone);
		v->from = v->to = utc(y, m, d, h, min, 0) -
			(zone < 0 ? -1 : 1) * (abs(zone) * 3600 + 1800);
	}
}

static void make_number(struct value *v)
{
	static const char *const tails[] = { "", "", ".0", "e0" };
	int form = (int)dice(4);

	v->kind = 'n';
	v->number = true;
	v->num = (double)dice(40) - 20 + (form == 1 ? .25 * dice(4) : 0);
	snprintf(v->text, sizeof(v->text), "%.*f%s", form == 1 ? 2 : 0, v->num, tails[form]);
}

static void make_string(struct value *v)
{
	static const char *const words[] = {
		"aa", "ab", "abc", "b", "", "true", "7", "7.0", "A and B",
		"(z)", "a=b", "quo\"te\\", "\xC3\xA4\xC3\xB6",
	};
	size_t i;

	v->kind = 's';
	snprintf(v->text, sizeof(v->text), "%s", words[dice(13)]);
	if (strcmp(v->text, "7") == 0 || strcmp(v->text, "7.0") == 0) {
		v->number = true;
		v->num = 7;
	}
	if (dice(12) != 0)
		return;
	for (i = 0; i < LONG_TEXT; i++)
		v->text[i] = 'q';
	v->text[dice(2) ? 200 + dice(3) : 290 + dice(3)] = 'r';
	v->text[LONG_TEXT] = '\0';
	v->number = false;
}

static struct value make_value(int path)
{
	static const char *const words[] = { "true", "false", "null" };
	struct value v = { .path = path };

	switch (dice(4)) {
	case 0:
		make_date(&v);
		break;
	case 1:
		make_number(&v);
		break;
	case 2:
		make_string(&v);
		break;
	default:
		if (dice(3) > 0)
			return make_value(path);
		v.kind = 'w';
		snprintf(v.text, sizeof(v.text), "%s", words[dice(3)]);
	}
	return v;
}

/* ---- documents ------------------------------------------------------------------- */

struct doc {
	bool there, has[PATHS + 1];
	struct value v[VALUES];
	int n, many; /* many: so many more elements of tags, 5000 and on */
	int64_t row;
};
static struct doc docs[DOCS];

static void put_value(struct ai_buf *b, const struct value *v)
{
	if (v->kind == 's')
		ai_put_str(b, v->text, strlen(v->text));
	else
		ai_put_raw(b, v->text, strlen(v->text));
}

static void put_member(struct doc *d, int path, struct ai_buf *b)
{
	int n = dice(4) == 0 ? (int)dice(4) : 1, i;
	bool list = n != 1 || dice(5) == 0;

	d->has[path] = true;
	if (path == 1)
		d->has[PATH_B] = true;
	ai_put_key(b, path == 1 ? "b" : paths[path]);
	if (path == 1) {
		ai_put_open(b, '{');
		ai_put_key(b, "c");
	}
	if (path == 2 && dice(200) == 0) {
		d->many = 1500;
		list = true;
	}
	if (list)
		ai_put_open(b, '[');
	for (i = 0; i < n; i++) {
		d->v[d->n] = make_value(path);
		put_value(b, &d->v[d->n++]);
	}
	for (i = 0; i < d->many && path == 2; i++)
		ai_put_i64(b, 5000 + i);
	if (list)
		ai_put_close(b, ']');
	if (path == 1)
		ai_put_close(b, '}');
}

static int put(int i)
{
	struct search_document doc;
	struct doc *d = &docs[i];
	struct ai_err err;
	bool changed;
	int path, rc;

	memset(d, 0, sizeof(*d));
	d->there = true;
	search_document_init(&doc);
	ai_buf_fmt(&doc.id, "doc%d", i);
	ai_buf_fmt(&doc.text, "text %u", dice(1000000));
	ai_put_open(&doc.meta, '{');
	for (path = 0; path < PATHS; path++)
		if (dice(3) > 0)
			put_member(d, path, &doc.meta);
	ai_put_close(&doc.meta, '}');
	search_document_hash(&doc);
	rc = search_store(&ix, &doc, &changed, &err);
	search_document_release(&doc);
	return rc;
}

static int take(int i)
{
	char id[16];
	bool found;
	struct ai_err err;

	snprintf(id, sizeof(id), "doc%d", i);
	docs[i].there = false;
	return search_remove_id(&ix, (struct search_id){ ai_span_of(id), false },
				&found, &err);
}

/* ---- expressions ------------------------------------------------------------------ */

enum op { EQ, NE, LT, LE, GT, GE, PREFIX, ANY, NOT, AND, OR };

struct node {
	enum op op;
	int left, right, path;
	bool quoted;
	struct value v;
};
static struct node nodes[64];
static int n_nodes;

static bool holds_one(const struct node *t, const struct value *v)
{
	double a, b;

	if (t->quoted && t->op <= NE && v->kind != 's')
		return false;
	if (t->op == PREFIX)
		return (!t->quoted || v->kind == 's') &&
			strncmp(v->text, t->v.text, strlen(t->v.text)) == 0;
	if (t->op <= NE && v->kind == 'n' && t->v.number)
		return v->num == t->v.num;
	if (t->op <= NE)
		return strcmp(v->text, t->v.text) == 0;
	if (t->v.number && !t->quoted && v->number) {
		a = v->num;
		b = t->v.num;
	} else if (t->v.date && v->date) {
		a = v->from;
		b = t->v.from;
		if (t->v.to > b && (t->op == LE || t->op == GT))
			return (a < t->v.to) == (t->op == LE);
	} else {
		return false;
	}
	return t->op == LT ? a < b : t->op == LE ? a <= b :
		t->op == GT ? a > b : a >= b;
}

static bool holds_test(const struct node *t, const struct doc *d)
{
	int i;

	if (t->op == ANY)
		return d->has[t->path];
	for (i = 0; i < d->n; i++)
		if (d->v[i].path == t->path && holds_one(t, &d->v[i]))
			return true;
	/* The many elements are numbers from 5000 on. */
	if (d->many == 0 || t->path != 2)
		return false;
	for (i = 0; i < d->many; i++) {
		struct value v = { .kind = 'n', .number = true };

		v.num = 5000 + i;
		snprintf(v.text, sizeof(v.text), "%d", 5000 + i);
		if (holds_one(t, &v))
			return true;
	}
	return false;
}

static bool holds(int at, const struct doc *d)
{
	const struct node *t = &nodes[at];

	switch (t->op) {
	case NOT:
		return !holds(t->left, d);
	case AND:
		return holds(t->left, d) && holds(t->right, d);
	case OR:
		return holds(t->left, d) || holds(t->right, d);
	case NE:
		return !holds_test(t, d);
	default:
		return holds_test(t, d);
	}
}

static void make_test(struct node *t, struct ai_buf *b)
{
	static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=" };
	static const char *const blanks[] = { "", " " };
	bool any = dice(10) == 0, prefix = !any && dice(6) == 0;

	t->op = any ? ANY : prefix ? PREFIX : (enum op)dice(6);
	t->path = (int)dice(any ? PATHS + 1 : PATHS);
	do
		t->v = make_value(t->path);
	while (t->op >= LT && t->op <= GE && !t->v.number && !t->v.date);
	if (dice(20) == 0) {
		t->v = (struct value){ .kind = 'n', .number = true };
		t->v.num = 5000 + dice(2000);
		snprintf(t->v.text, sizeof(t->v.text), "%.0f", t->v.num);
		/* It could be a year as well. */
		t->v.date = true;
		t->v.from = utc((int)t->v.num, 1, 1, 0, 0, 0);
		t->v.to = utc((int)t->v.num + 1, 1, 1, 0, 0, 0);
	}
	/* A string that stays the same without quotes. */
	t->quoted = t->v.kind == 's' && !(t->v.date && dice(2)) &&
		(t->v.text[0] != 'a' || dice(2));
	if (t->op >= LT && t->op <= GE && t->quoted && !t->v.date)
		t->quoted = false;
	if (prefix)
		t->v.text[dice(4)] = '\0';
	if (prefix && (unsigned char)t->v.text[0] > 127)
		t->v.text[0] = '\0';
	if (prefix && t->v.text[0] == '\0')
		t->quoted = true;
	ai_buf_str(b, t->path == PATH_B ? "b" : paths[t->path]);
	ai_buf_str(b, blanks[dice(2)]);
	ai_buf_str(b, any || prefix ? "=" : ops[t->op]);
	ai_buf_str(b, blanks[dice(2)]);
	if (any) {
		ai_buf_chr(b, '*');
		return;
	}
	if (t->quoted) {
		struct ai_buf s = AI_BUF_INIT(1000);

		ai_put_str(&s, t->v.text, strlen(t->v.text));
		ai_buf_add(b, s.p, s.len);
		ai_buf_release(&s);
	} else {
		ai_buf_str(b, t->v.text);
	}
	if (prefix)
		ai_buf_chr(b, '*');
}

static int make_node(int depth, struct ai_buf *b)
{
	int at = n_nodes++;
	unsigned kind = depth == 0 ? 0 : dice(6);

	ai_buf_str(b, kind == 0 ? "" : kind == 1 ? "NOT (" :
		   kind < 4 ? "(" : "((");
	if (kind == 0) {
		make_test(&nodes[at], b);
		return at;
	}
	nodes[at].op = kind == 1 ? NOT : kind < 4 ? AND : OR;
	nodes[at].left = make_node(depth - 1, b);
	if (kind > 1) {
		ai_buf_str(b, kind < 4 ? " AND " : ") OR (");
		nodes[at].right = make_node(depth - 1, b);
	}
	ai_buf_str(b, kind < 4 ? ")" : "))");
	return at;
}

/* ---- the tests -------------------------------------------------------------------- */

static void find_rows(void)
{
	sqlite3_stmt *st = NULL;
	struct ai_err err;
	struct ai_span s;
	int64_t i;

	ai_db_bind(&ix.db, &st, "SELECT n, id FROM docs", &err, "");
	while (ai_db_step(&ix.db, st, &err) > 0) {
		s = ai_db_span(st, 1);
		if (ai_parse_i64((struct ai_span){ s.p + 3, s.n - 3 }, &i) == 0)
			docs[i].row = sqlite3_column_int64(st, 0);
	}
	ai_db_finish(&st);
}

static void test_expressions(int count)
{
	struct search_filter f;
	struct ai_err err = { .msg = "" };
	int k, i, bad = 0, there = 0, some = 0;

	search_index_begin(&ix, false, &err);
	find_rows();
	for (k = 0; k < count && bad < 5; k++) {
		struct ai_buf b = AI_BUF_INIT(1 << 20);
		const char *text;
		struct ai_opt_list where = { &text, 1 };
		int64_t found = 0;

		n_nodes = 0;
		memset(nodes, 0, sizeof(nodes));
		make_node((int)dice(4), &b);
		text = ai_buf_cstr(&b);
		if (search_filter_init(&f, &ix, &where, &err) < 0) {
			printf("# %s\n# %s\n", text, err.msg);
			bad++;
			ai_buf_release(&b);
			continue;
		}
		for (i = there = 0; i < DOCS; i++) {
			bool is = docs[i].there && holds(0, &docs[i]);

			there += docs[i].there;
			found += is;
			if (docs[i].there &&
			    is != search_filter_has(&f, docs[i].row)) {
				printf("# doc%d: %s should be %d\n", i, text,
				       is);
				bad++;
				break;
			}
		}
		if (i == DOCS && found != f.count) {
			printf("# %s: %lld, not %lld\n", text,
			       (long long)f.count, (long long)found);
			bad++;
		}
		some += found > 0 && found < there;
		search_filter_release(&f);
		ai_buf_release(&b);
	}
	ok(bad == 0, "%d expressions over %d documents", count, there);
	ok(some > count / 3, "%d of them hold for some and not for others",
	   some);
	search_index_rollback(&ix);
}

static int verify(void)
{
	struct ai_err err;
	sqlite3_stmt *st = NULL;
	int rc = 0;

	search_index_begin(&ix, false, &err);
	ai_db_bind(&ix.db, &st, "SELECT n, source, meta FROM docs ORDER BY n",
		   &err, "");
	while (rc == 0 && ai_db_step(&ix.db, st, &err) > 0)
		rc = search_tags_check(&ix, sqlite3_column_int64(st, 0),
				       ai_db_span(st, 1), ai_db_span(st, 2),
				       &err);
	ai_db_finish(&st);
	if (rc == 0)
		rc = search_tags_check_end(&ix, &err);
	if (rc < 0)
		printf("# %s\n", err.msg);
	search_index_rollback(&ix);
	search_tags_release(&ix);
	return rc;
}

static void test_index(void)
{
	struct ai_err err;
	int i, rc = 0;

	search_index_begin(&ix, true, &err);
	for (i = 0; i < DOCS && rc == 0; i++) {
		rc = put(i);
		if (dice(400) == 0) {
			rc |= search_index_commit(&ix, false, &err);
			rc |= search_index_begin(&ix, true, &err);
		}
	}
	ok(rc == 0 && search_index_commit(&ix, false, &err) == 0, "%d documents", i);
	ok(verify() == 0, "the tags are those of the documents");
	test_expressions(600);
	search_index_begin(&ix, true, &err);
	for (i = 0; i < DOCS && rc == 0; i++) {
		rc = dice(4) == 0 ? put((int)dice(DOCS)) :
			dice(4) == 0 ? take((int)dice(DOCS)) : 0;
		/* Twice in one transaction. */
		if (dice(50) == 0)
			rc |= put(i) | put(i);
	}
	ok(rc == 0 && search_index_commit(&ix, false, &err) == 0,
	   "some changed, some went");
	ok(verify() == 0, "the tags are those of the documents");
	test_expressions(600);
	search_index_begin(&ix, true, &err);
	for (i = 0; i < 100; i++)
		rc |= search_remove(&ix, docs[i].row, &err);
	search_index_rollback(&ix);
	ok(rc == 0 && verify() == 0, "what is rolled back is not done");
}

static void test_dates(void)
{
	struct search_date d;
	char text[40];
	int64_t s;
	int bad = 0, k;

	for (k = 0; k < 100000; k++) {
		time_t t = (time_t)(((uint64_t)dice(1U << 30) << 8 |
				     dice(256)) % UINT64_C(253402300800)) -
			(k % 2 ? INT64_C(62167219200) : 0);
		struct tm tm;

		if (t < INT64_C(-62167219200))
			continue;
		gmtime_r(&t, &tm);
		if (tm.tm_year + 1900 > 9999)
			continue;
		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			 tm.tm_hour, tm.tm_min, tm.tm_sec);
		s = (int64_t)t;
		if (!search_date_read(ai_span_of(text), &d) || d.s != s ||
		    d.to != s) {
			printf("# %s: %lld, not %lld\n", text, (long long)d.s,
			       (long long)s);
			bad++;
		}
	}
	ok(bad == 0, "points in time from year 0 to 9999");
	for (k = bad = 0; k < 100000; k++) {
		size_t n = dice(24), i;

		for (i = 0; i < n; i++)
			text[i] = "0123456789-T:Z+. "[dice(17)];
		bad += search_date_read((struct ai_span){ text, n }, &d) &&
			d.to < d.s;
	}
	ok(bad == 0, "what is no date is none");
	ok(!search_date_read(AI_SPAN("2021-02-29"), &d) &&
	   search_date_read(AI_SPAN("2024-02-29"), &d) &&
	   !search_date_read(AI_SPAN("1900-02-29"), &d) &&
	   search_date_read(AI_SPAN("2016-12-31T23:59:60Z"), &d) &&
	   search_date_read(AI_SPAN("2016-12-31T24:00"), &d) &&
	   !search_date_read(AI_SPAN("2016-12-31T24:01"), &d) &&
	   !search_date_read(AI_SPAN("20161231"), &d) &&
	   !search_date_read(AI_SPAN("2016-13"), &d), "leap days and others");
}

/* Any bytes for a block: an answer or a refusal, and nothing read outside. */
static void test_blocks(void)
{
	struct search_tag_iter it;
	struct search_tag_value v;
	unsigned char bits[SEARCH_TAG_BITS] = { 0 };
	char *p;
	size_t n, i;
	int k, read = 0;

	for (k = 0; k < 20000; k++) {
		n = 1 + dice(60);
		p = malloc(n);
		for (i = 0; i < n; i++)
			p[i] = (char)(dice(3) ? dice(4) : dice(256));
		it.p = (unsigned char *)p;
		it.end = it.p + n;
		while (search_tag_next(&it, &v) > 0) {
			search_tag_mark(&v, bits);
			read++;
		}
		free(p);
	}
	ok(read > 0, "blocks of any bytes");
}

static void test_errors(void)
{
	static const char *const wrongs[] = {
		"", "a", "=", "=1", "a<", "a<x", "a=1 AND", "a=1 OR OR b=2",
		"(a=1", "a=1 and b=2", "a=1 or (b=2)", "NOT", "NOT NOT",
		"\"a", "\"a\"", "a=\"x", "a=\"x\" b", "a=\"\\x\"", "()",
		"a>\"abc\"",
	};
	static const char *const rights[] = {
		"a=", "a=b c (d)", "a=1)", "a = \"x\"*", "a==b=c", "NOTE=1",
		"NOT NOT a=1", "((a=1))", "a=Black and white", "a!=*",
		"\"x y\"=z", "a>=2020-01-01T00:00+02:00 AND a<1e400",
	};
	char deep[1000];
	struct ai_err err;
	size_t i;

	for (i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		struct search_where w = { NULL };

		err.msg[0] = '\0';
		ok(search_where_add(&w, wrongs[i], &err) < 0 &&
		   err.code == AI_E_USAGE && strstr(err.msg, "byte ") != NULL,
		   "refused: %s: %s", wrongs[i], err.msg);
		search_where_release(&w);
	}
	for (i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
		struct search_where w = { NULL };

		err.msg[0] = '\0';
		ok(search_where_add(&w, rights[i], &err) == 0, "%s: %s",
		   rights[i], err.msg);
		search_where_release(&w);
	}
	memset(deep, '(', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	{
		struct search_where w = { NULL };

		ok(search_where_add(&w, deep, &err) < 0 &&
		   strstr(err.msg, "too deep") != NULL, "%s", err.msg);
		search_where_release(&w);
	}
}

static int run(int argc, char **argv, struct ai_err *err)
{
	char path[64];
	static const char *const files[] = {
		"index.db", "index.db-wal", "index.db-shm",
	};
	size_t i;

	(void)argc;
	(void)argv;
	test_dates();
	test_blocks();
	test_errors();
	if (mkdtemp(folder) == NULL)
		return ai_err_set(err, AI_E_OS, "no folder");
	search.index = folder;
	if (search_index_open(&ix, AI_DB_CREATE, err) < 0)
		return -1;
	test_index();
	search_index_close(&ix);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
	return done();
}

static const struct ai_opt *const tables[] = { NULL };

const struct ai_program ai_program = {
	.name = "search-filter", .summary = "a test", .options = tables,
	.run = run,
};
