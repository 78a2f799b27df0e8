/*
 * The parts of ai-search against plain definitions: BM25 by counting words
 * while documents come and go, vectors by comparing all, fusion, diversity, the
 * heap.
 *
 * It is a program of the house (start.c has main), since the parts use the
 * loop's settings.
 */
#include "search.h"

#include "base/start.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCS 300
#define WORDS 40 /* distinct; a text has up to 30 */
#define LONGEST 30

static char folder[] = "/tmp/ai-search-test-XXXXXX";
static struct search_index ix;
static uint64_t seed = 42;

static unsigned dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* ---- an index beside a model of it ------------------------------------------ */

static int texts[DOCS][LONGEST], lengths[DOCS]; /* length -1: not there */

/* Rare and frequent words; digits, which no stemmer touches. */
static void make_text(int d)
{
	int i;

	lengths[d] = (int)dice(LONGEST);
	for (i = 0; i < lengths[d]; i++)
		texts[d][i] = (int)(dice(WORDS) * dice(WORDS) / WORDS);
}

static int put(int d)
{
	struct search_document doc;
	struct ai_err err;
	bool changed;
	int i, rc;

	search_document_init(&doc);
	ai_buf_fmt(&doc.id, "doc%04d", d);
	for (i = 0; i < lengths[d]; i++)
		ai_buf_fmt(&doc.text, "%s%d", i ? ", " : "", 1000 + texts[d][i]);
	search_document_hash(&doc);
	rc = search_store(&ix, &doc, &changed, &err);
	search_document_release(&doc);
	return rc;
}

static int take(int d)
{
	char id[16];
	bool found;
	struct ai_err err;

	snprintf(id, sizeof(id), "doc%04d", d);
	lengths[d] = -1;
	return search_remove_id(&ix, (struct search_id){ ai_span_of(id), false },
				&found, &err);
}

static int tf_of(int d, int word)
{
	int i, tf = 0;

	for (i = 0; i < lengths[d]; i++)
		tf += texts[d][i] == word;
	return tf;
}

/* The definition, term by term. */
static double naive(int d, const int *query, int n)
{
	double total = 0, docs = 0, df, score = 0, tf;
	int i, k;

	for (i = 0; i < DOCS; i++) {
		docs += lengths[i] >= 0;
		total += lengths[i] > 0 ? lengths[i] : 0;
	}
	for (k = 0; k < n; k++) {
		for (df = 0, i = 0; i < DOCS; i++)
			df += tf_of(i, query[k]) > 0;
		tf = tf_of(d, query[k]);
		score += log(1 + (docs - df + .5) / (df + .5)) * tf * 2.2 /
			(tf + 1.2 * (.25 + .75 * lengths[d] / (total / docs)));
	}
	return score;
}

static int number_of(int64_t n)
{
	struct ai_err err;
	int d = -1;

	if (SEARCH_BIND(&ix, SQL_ID_OF, &err, "i", n) == 0 &&
	    ai_db_step(&ix.db, ix.st[SQL_ID_OF], &err) > 0)
		sscanf((const char *)sqlite3_column_text(ix.st[SQL_ID_OF], 0),
		       "doc%d", &d);
	sqlite3_reset(ix.st[SQL_ID_OF]);
	return d;
}

/* How many documents have any of the words. */
static size_t match_count(const int *query, int n)
{
	size_t count = 0;

	for (int d = 0; d < DOCS; d++) {
		int tf = 0;

		for (int k = 0; k < n; k++)
			tf += tf_of(d, query[k]);
		count += tf > 0;
	}
	return count;
}

static int sparse(struct ai_span query, const struct search_filter *f,
		  struct search_top *top, struct ai_err *err)
{
	struct search_asked asked;
	int rc = search_asked_read(&asked, &ix, query, err);

	if (rc == 0)
		rc = search_sparse(&ix, &asked, f, top, err);
	search_asked_release(&asked);
	return rc;
}

/* One query; whether every score is the definition's, and all are found. */
static bool agrees(const int *query, int n)
{
	struct search_filter all = { NULL, 0, 0 };
	struct search_top top;
	struct ai_buf q = AI_BUF_INIT(1000);
	struct ai_err err;
	bool same = true;
	size_t i;
	int k;

	for (k = 0; k < n; k++)
		ai_buf_fmt(&q, "the %d ", 1000 + query[k]);
	search_top_init(&top, SEARCH_DEPTH, &err);
	if (sparse((struct ai_span){ q.p, q.len }, &all, &top, &err) < 0) {
		printf("# %s\n", err.msg);
		same = false;
	}
	for (i = 0; i < top.n && same; i++) {
		same = fabs(top.v[i].key.score -
			    naive(number_of(top.v[i].key.n), query, n)) < 1e-8;
		if (i > 0 && top.v[i].key.score > top.v[i - 1].key.score)
			same = false;
	}
	if (top.n != match_count(query, n))
		same = false;
	search_top_release(&top);
	ai_buf_release(&q);
	return same;
}

static bool all_agree(void)
{
	int query[6], n, i, round;

	for (round = 0; round < 60; round++) {
		n = 1 + (int)dice(6);
		for (i = 0; i < n; i++)
			query[i] = (int)dice(WORDS);
		if (!agrees(query, n))
			return false;
	}
	return true;
}

static void test_bm25(void)
{
	struct ai_err err;
	int d, rc = 0;

	rc |= search_index_begin(&ix, true, &err);
	for (d = 0; d < DOCS; d++) {
		make_text(d);
		rc |= put(d);
	}
	rc |= search_index_commit(&ix, false, &err);
	ok(rc == 0, "%d documents are added", DOCS);
	search_index_begin(&ix, false, &err);
	ok(all_agree(), "60 queries score as defined");
	search_index_rollback(&ix);

	rc |= search_index_begin(&ix, true, &err);
	for (d = 0; d < DOCS; d += 3)
		rc |= take(d);
	for (d = 1; d < DOCS; d += 5) {
		make_text(d);
		rc |= put(d);
	}
	rc |= search_index_commit(&ix, false, &err);
	ok(rc == 0, "a third removed, a fifth replaced");
	search_index_begin(&ix, false, &err);
	ok(all_agree(), "60 queries again");
	search_index_rollback(&ix);
}

/* Documents come, change and go, in transactions of any size, some of them
 * undone; files are merged, and at times all is written anew. */
static void test_history(void)
{
	static int old_texts[DOCS][LONGEST], old_lengths[DOCS];
	struct ai_err err = { AI_E_NONE, -1, "" };
	bool same = true;
	int rc = 0;

	for (int round = 0; round < 120 && rc == 0 && same; round++) {
		bool undo = dice(5) == 0;

		memcpy(old_texts, texts, sizeof(texts));
		memcpy(old_lengths, lengths, sizeof(lengths));
		rc = search_index_begin(&ix, true, &err);
		for (unsigned i = dice(40); i > 0 && rc == 0; i--) {
			int d = (int)dice(DOCS);

			if (dice(3) == 0) {
				rc = take(d);
			} else {
				make_text(d);
				rc = put(d);
			}
		}
		if (rc == 0 && dice(20) == 0)
			rc = search_compact_files(&ix, &err);
		if (rc == 0 && undo) {
			search_index_rollback(&ix);
			memcpy(texts, old_texts, sizeof(texts));
			memcpy(lengths, old_lengths, sizeof(lengths));
		} else if (rc == 0) {
			rc = search_index_commit(&ix, dice(4) == 0, &err);
		}
		if (rc == 0 && round % 4 == 0) {
			rc = search_index_begin(&ix, false, &err);
			same = rc == 0 && all_agree();
			search_index_rollback(&ix);
		}
	}
	if (rc < 0)
		printf("# %s\n", err.msg);
	ok(rc == 0 && same, "120 transactions, 1,800 queries score as defined");
}

/* ---- the heap, fusion, diversity ------------------------------------------------ */

static int descending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static void test_top(void)
{
	double all[500];
	struct search_top top;
	struct search_hit h = { .rank = 0 };
	struct ai_err err;
	bool same = true, shared = true;
	size_t i;

	search_top_init(&top, 37, &err);
	for (i = 0; i < 500; i++) {
		h.key.score = all[i] = dice(1000000);
		h.key.n = (int64_t)i + 1;
		search_top_push(&top, h);
	}
	qsort(all, 500, sizeof(*all), descending);
	search_top_finish(&top);
	ok(top.n == 37, "37 of 500 are kept");
	for (i = 0; i < 37; i++)
		same = same && top.v[i].key.score == all[i] &&
			top.v[i].rank == (int)i + 1;
	ok(same, "they are the best, in order");
	top.n = 0;
	for (i = 0; i < 6; i++) {
		static const double scores[] = { 2, 5, 2, 7, 5, 1 };

		h.key.score = scores[i];
		h.key.n = (int64_t)i + 1;
		search_top_push(&top, h);
	}
	search_top_finish(&top);
	for (i = 0; i < 6; i++) {
		static const int ranks[] = { 1, 2, 2, 4, 4, 6 };

		shared = shared && top.v[i].rank == ranks[i];
	}
	ok(shared, "equal scores share a rank");
	search_top_release(&top);
}

static struct search_hit dense_hits[] = {
	{ { .8, 7 }, .5, 1 }, { { .4, 3 }, .2, 2 },
}, sparse_hits[] = {
	{ { 10, 3 }, .9, 1 }, { { 5, 9 }, .3, 2 },
};

/* The fused score of a row, or -1. */
static double fused(enum search_rule rule, double ws, double wd, int64_t n,
		    double *confidence)
{
	struct search_top dense = { dense_hits, 2, 2 };
	struct search_top sparse = { sparse_hits, 2, 2 };
	struct search_info info = { .sparse_weight = ws, .dense_weight = wd };
	struct search_list l;
	struct ai_err err;
	double score = -1;
	size_t i;

	if (search_fuse(&dense, &sparse, SEARCH_HYBRID, rule, &info, &l,
			&err) < 0 || l.n != 3)
		return -2;
	for (i = 0; i < l.n; i++) {
		if (l.v[i].key.n == n) {
			score = l.v[i].key.score;
			*confidence = l.v[i].confidence;
		}
	}
	search_list_release(&l);
	return score;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void test_fusion(void)
{
	double c, both = search_confidence(SEARCH_HYBRID, .9, .2);

	ok(near(fused(SEARCH_MINMAX, .8, .2, 3, &c), .8 + .2 * .4) &&
	   near(c, both), "min-max: in both legs");
	ok(near(fused(SEARCH_MINMAX, .8, .2, 9, &c), .4) &&
	   near(c, search_confidence(SEARCH_HYBRID, .3, 0)),
	   "min-max: sparse only");
	ok(near(fused(SEARCH_MINMAX, .8, .2, 7, &c), .16) &&
	   near(c, search_confidence(SEARCH_HYBRID, 0, .5)),
	   "min-max: dense only");
	for (c = 0; c < 1; c += .01)
		if (search_confidence(SEARCH_HYBRID, c, .3) >=
		    search_confidence(SEARCH_HYBRID, c + .01, .3) ||
		    search_confidence(SEARCH_SPARSE, c, 0) >=
		    search_confidence(SEARCH_SPARSE, c + .01, 0) ||
		    search_confidence(SEARCH_DENSE, 0, c) >=
		    search_confidence(SEARCH_DENSE, 0, c + .01))
			break;
	ok(c >= 1 && search_confidence(SEARCH_HYBRID, 0, 0) < .01 &&
	   search_confidence(SEARCH_SPARSE, 1, 0) > .99,
	   "confidence grows with what was found");
	ok(near(fused(SEARCH_RRF, 1, 1, 3, &c), 1. / 61 + 1. / 62),
	   "reciprocal ranks: in both");
	ok(near(fused(SEARCH_RRF, 1, 1, 7, &c), 1. / 61),
	   "reciprocal ranks: in one");
}

static void add_text(const char *id, const char *text)
{
	struct search_document d;
	struct ai_err err;
	bool changed;

	search_document_init(&d);
	ai_buf_str(&d.id, id);
	ai_buf_str(&d.text, text);
	search_document_hash(&d);
	search_store(&ix, &d, &changed, &err);
	search_document_release(&d);
}

static void test_mmr(void)
{
	struct search_filter all = { NULL, 0, 0 };
	struct search_top top, none = { NULL, 0, 0 };
	struct search_list l;
	struct ai_err err;
	int64_t first;

	search_index_begin(&ix, true, &err);
	add_text("m1", "zebra stripes on the savanna");
	add_text("m2", "zebra stripes on the savanna again");
	add_text("m3", "zebra crossing: a pedestrian law in the city of today");
	search_index_commit(&ix, false, &err);
	search_index_begin(&ix, false, &err);
	search_top_init(&top, 10, &err);
	sparse(AI_SPAN("zebra stripes"), &all, &top, &err);
	search_fuse(&none, &top, SEARCH_SPARSE, SEARCH_RRF, &ix.info, &l, &err);
	search_sort(l.v, l.n, sizeof(*l.v), l.n, &ix, &err);
	first = l.v[0].key.n;
	ok(l.n == 3 && l.v[1].key.n == first + 1, "near doubles come together");
	ok(search_mmr(&l, &ix, 3, .3, &err) == 0 && l.v[0].key.n == first &&
	   l.v[1].key.n == first + 2,
	   "diversity puts another text between them");
	search_list_release(&l);
	search_top_release(&top);
	search_index_rollback(&ix);
}

/* Equal scores: by id, whatever the rows. */
static void test_ties(void)
{
	struct search_key keys[3];
	struct ai_err err;
	int64_t n;
	int i;

	search_index_begin(&ix, true, &err);
	add_text("tc", "tie one");
	ai_db_int(&ix.db, "SELECT max(n) FROM docs", &n, &err);
	add_text("tb", "tie two");
	add_text("ta", "tie three");
	for (i = 0; i < 3; i++)
		keys[i] = (struct search_key){ 1, n + i };
	ok(search_sort(keys, 3, sizeof(*keys), 1, &ix, &err) == 0 &&
	   keys[0].n == n + 2 && keys[2].n == n, "equal scores go by id");
	for (i = 0; i < 3; i++)
		keys[i] = (struct search_key){ i == 2 ? 2 : 1, n + i };
	ok(search_sort(keys, 3, sizeof(*keys), 1, &ix, &err) == 0 &&
	   keys[0].n == n + 2 && keys[1].n == n && keys[2].n == n + 1,
	   "but not behind the first that are asked for");
	search_index_rollback(&ix);
}

static int run(int argc, char **argv, struct ai_err *err)
{
	char data[4096];

	(void)argc;
	(void)argv;
	if (getenv("BUILDDIR") != NULL) {
		snprintf(data, sizeof(data), "%s/share/aiutils",
			 getenv("BUILDDIR"));
		setenv("AI_DATADIR", data, 1);
	}
	if (mkdtemp(folder) == NULL)
		return ai_err_set(err, AI_E_OS, "no folder for the test");
	search.index = folder;
	search.wait_s = 5;
	if (search_index_open(&ix, AI_DB_CREATE, err) < 0)
		return -1;
	test_bm25();
	test_history();
	test_top();
	test_fusion();
	test_mmr();
	test_ties();
	search_index_close(&ix);
	done();
	if (tap_bad > 0)
		return 1;
	execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return 1;
}

static const struct ai_opt *const tables[] = { NULL };

const struct ai_program ai_program = {
	.name = "search-test", .summary = "", .synopsis = "",
	.options = tables, .run = run,
};
