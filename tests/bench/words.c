/*
 * words FILE FOLDER K [QUERIES]: what words.sh measures of postings and of
 * FTS5.  FILE has a passage a line.  Prints CPU times: of building, of QUERIES
 * (300) with 2 to 6 words of one passage each, joined by OR, for the K best;
 * and writes the queries to FOLDER/queries.  FTS5 is left out with K < 0.
 */
#include "base/buf.h"
#include "postings.h"
#include "text/stop.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 6
#define MEMORY ((size_t)192 << 20) /* of the builder, before a file is written */
#define PARTS 256

struct query {
	char word[WORDS_MAX][64];
	size_t n;
};

static struct ai_span *lines;
static size_t lines_n;
static const struct ai_analyzer *analyzer;

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct ai_err *err)
{
	fprintf(stderr, "words: %s: %s\n", what, err == NULL ? "" : err->msg);
	exit(70);
}

static void read_lines(struct ai_buf *b, const char *path)
{
	char *p, *end, *stop;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ai_buf_read(b, fd) < 0)
		die(path, NULL);
	close(fd);
	lines = malloc((ai_count_byte(b->p, b->len, '\n') + 1) *
		       sizeof(*lines));
	if (lines == NULL)
		die("memory", NULL);
	for (p = b->p, stop = p + b->len; p < stop; p = end + 1) {
		end = memchr(p, '\n', (size_t)(stop - p));
		if (end == NULL)
			break;
		lines[lines_n++] = (struct ai_span){ p, (size_t)(end - p) };
	}
}

/* ---- queries ---------------------------------------------------------------------- */

static uint64_t seed = 7;

static size_t below(size_t n)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (size_t)((z ^ z >> 31) % n);
}

static bool add_word(struct query *q, const struct ai_fold *f)
{
	size_t i;

	if (f->n < 3 || f->n > 60 || ai_stop_word(f->word, f->n))
		return false;
	for (i = 0; i < f->n; i++)
		if (f->word[i] < 'a' || f->word[i] > 'z')
			return false;
	for (i = 0; i < q->n; i++)
		if (strlen(q->word[i]) == f->n &&
		    memcmp(q->word[i], f->word, f->n) == 0)
			return false;
	memcpy(q->word[q->n], f->word, f->n);
	q->word[q->n++][f->n] = '\0';
	return true;
}

/* Words of one passage, any of them equally likely. */
static void make_query(struct query *q)
{
	size_t want = 2 + below(WORDS_MAX - 1), tries = 0, i, at;
	struct ai_span s;
	struct ai_fold f;

	do {
		q->n = 0;
		s = lines[below(lines_n)];
		for (tries = 0; q->n < want && tries < 60; tries++) {
			ai_fold_init(&f, s.p, s.n);
			at = below(40);
			for (i = 0; i <= at && ai_fold_next(&f); i++)
				;
			if (i > at)
				add_word(q, &f);
		}
	} while (q->n < want);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(const char *what, double *ms, size_t n)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += ms[i];
	qsort(ms, n, sizeof(*ms), by_size);
	printf("%-34s p50 %8.3f  p95 %8.3f  mean %8.3f ms\n", what, ms[n / 2],
	       ms[n * 95 / 100], sum / (double)n);
}

/* ---- ours ---------------------------------------------------------------------------- */

static struct search_words *words[PARTS];
static struct search_part parts[PARTS];
static size_t parts_n;

static void put_part(struct search_builder *b, const char *folder, size_t from,
		     size_t to)
{
	struct ai_err err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/words-%zu", folder, parts_n);
	unlink(path);
	if (parts_n == PARTS ||
	    search_builder_write(b, path, (int64_t)from, (int64_t)to, &err) < 0)
		die("write", &err);
	words[parts_n] = search_words_open(path, &err);
	if (words[parts_n] == NULL)
		die("open", &err);
	parts[parts_n] = (struct search_part){ words[parts_n], NULL };
	parts_n++;
	search_builder_clear(b);
}

static void build(const char *folder)
{
	struct search_builder *b = search_builder_new(analyzer, NULL);
	double t = cpu_s(), adding;
	char path[4096];
	struct ai_err err;
	size_t i, from = 0;

	for (i = 0; i < lines_n; i++) {
		struct search_field f = { lines[i], 1 };

		if (search_builder_add(b, (int64_t)i, &f, 1, NULL, &err) < 0)
			die("add", &err);
		if (search_builder_memory(b) > MEMORY) {
			put_part(b, folder, from, i + 1);
			from = i + 1;
		}
	}
	put_part(b, folder, from, lines_n);
	adding = cpu_s() - t;
	printf("ours: %.2f s, %.0f passages a second, %zu files\n", adding,
	       (double)lines_n / adding, parts_n);
	search_builder_free(b);
	t = cpu_s();
	snprintf(path, sizeof(path), "%s/words", folder);
	unlink(path);
	if (search_words_merge(parts, parts_n, path, 0, (int64_t)lines_n,
			       &err) < 0)
		die("merge", &err);
	for (i = 0; i < parts_n; i++)
		search_words_close(words[i]);
	words[0] = search_words_open(path, &err);
	parts_n = 1;
	parts[0].words = words[0];
	printf("ours: merged in %.2f s (%.0f a second); %.1f MB, %lld terms\n",
	       cpu_s() - t, (double)lines_n / (cpu_s() - t),
	       (double)search_words_info(words[0])->bytes / 1e6,
	       (long long)search_words_info(words[0])->terms);
}

static void ask(const struct query *q, size_t k)
{
	struct search_clause clauses[WORDS_MAX];
	struct ai_span terms[WORDS_MAX];
	struct search_words_query sq = {
		.parts = parts, .parts_n = parts_n, .clauses = clauses,
		.clauses_n = q->n, .k = k,
	};
	struct ai_terms t = { NULL, 0, 0, NULL, 0, 0 };
	struct search_words_hit *hits;
	struct ai_err err;
	size_t i, n;

	for (i = 0; i < q->n; i++)
		if (ai_analyze(analyzer, ai_span_of(q->word[i]), true, &t,
			       &err) < 0)
			die("query", &err);
	for (i = 0; i < q->n; i++) {
		terms[i] = ai_term_span(&t, i);
		clauses[i] = (struct search_clause){
			.kind = SEARCH_CLAUSE_WORD, .count = 1, .terms = &terms[i],
			.n = 1,
		};
	}
	if (search_words_find(&sq, &hits, &n, &err) < 0)
		die("find", &err);
	free(hits);
	ai_terms_release(&t);
}

static void time_ours(const struct query *q, size_t n, size_t k, double *ms)
{
	char what[64], path[4096];
	struct ai_err err;
	size_t i, round;
	double t;

	for (round = 0; round < 2; round++) /* the second one counts */
		for (i = 0; i < n; i++) {
			t = cpu_s();
			ask(&q[i], k);
			ms[i] = (cpu_s() - t) * 1e3;
		}
	snprintf(what, sizeof(what), "ours, k = %zu", k);
	report(what, ms, n);
	if (readlink("/proc/self/exe", path, 1) < 0)
		return;
	for (i = 0; i < n; i++) {
		char *name = getenv("WORDS_FILE");

		search_words_close(words[0]);
		t = cpu_s();
		words[0] = search_words_open(name, &err);
		if (words[0] == NULL)
			die("open", &err);
		parts[0].words = words[0];
		ask(&q[i], k);
		ms[i] = (cpu_s() - t) * 1e3;
	}
	snprintf(what, sizeof(what), "ours, k = %zu, opened anew", k);
	report(what, ms, n);
}

/* ---- FTS5 ------------------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
	char *msg = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK) {
		fprintf(stderr, "words: %s: %s\n", sql, msg);
		exit(70);
	}
}

static sqlite3 *build_fts(const char *folder)
{
	char path[4096];
	sqlite3_stmt *st;
	double t = cpu_s();
	sqlite3 *db;
	size_t i;

	snprintf(path, sizeof(path), "%s/fts.db", folder);
	unlink(path);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path, NULL);
	run(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		"CREATE VIRTUAL TABLE t USING fts5(text, content = '', "
		"tokenize = 'porter unicode61 remove_diacritics 2'); BEGIN");
	sqlite3_prepare_v2(db, "INSERT INTO t(rowid, text) VALUES (?1, ?2)", -1,
			   &st, NULL);
	for (i = 0; i < lines_n; i++) {
		sqlite3_bind_int64(st, 1, (sqlite3_int64)i + 1);
		sqlite3_bind_text(st, 2, lines[i].p, (int)lines[i].n,
				  SQLITE_STATIC);
		sqlite3_step(st);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	run(db, "COMMIT; INSERT INTO t(t) VALUES ('optimize')");
	t = cpu_s() - t;
	printf("FTS5: %.2f s, %.0f passages a second\n", t,
	       (double)lines_n / t);
	return db;
}

static void time_fts(sqlite3 *db, const struct query *q, size_t n, size_t k,
		     double *ms)
{
	sqlite3_stmt *st;
	char match[1024], what[64];
	size_t i, j, at, round;
	double t;

	sqlite3_prepare_v2(db, "SELECT rowid, rank FROM t WHERE t MATCH ?1 "
			   "ORDER BY rank LIMIT ?2", -1, &st, NULL);
	for (round = 0; round < 2; round++)
		for (i = 0; i < n; i++) {
			for (j = 0, at = 0; j < q[i].n; j++)
				at += (size_t)snprintf(
					match + at, sizeof(match) - at,
					"%s\"%s\"", j > 0 ? " OR " : "",
					q[i].word[j]);
			t = cpu_s();
			sqlite3_bind_text(st, 1, match, -1, SQLITE_STATIC);
			sqlite3_bind_int64(st, 2, (sqlite3_int64)k);
			while (sqlite3_step(st) == SQLITE_ROW)
				;
			sqlite3_reset(st);
			ms[i] = (cpu_s() - t) * 1e3;
		}
	sqlite3_finalize(st);
	snprintf(what, sizeof(what), "FTS5 (porter), k = %zu", k);
	report(what, ms, n);
}

int main(int argc, char **argv)
{
	size_t n = argc > 4 ? (size_t)strtoul(argv[4], NULL, 10) : 300, i, j;
	struct ai_buf text = AI_BUF_INIT((size_t)1 << 32);
	struct query *q = calloc(n, sizeof(*q));
	double *ms = calloc(n, sizeof(*ms));
	char path[4096];
	long k;
	FILE *f;

	if (argc < 4 || q == NULL || ms == NULL)
		return 64;
	k = strtol(argv[3], NULL, 10);
	analyzer = ai_analyzer_find("english");
	read_lines(&text, argv[1]);
	snprintf(path, sizeof(path), "%s/queries", argv[2]);
	f = fopen(path, "w");
	if (f == NULL)
		return 73;
	for (i = 0; i < n; i++) {
		make_query(&q[i]);
		for (j = 0; j < q[i].n; j++)
			fprintf(f, "%s%s", j > 0 ? " " : "", q[i].word[j]);
		fprintf(f, "\n");
	}
	fclose(f);
	printf("%zu passages, %.1f MB\n", lines_n, (double)text.len / 1e6);
	build(argv[2]);
	snprintf(path, sizeof(path), "%s/words", argv[2]);
	setenv("WORDS_FILE", path, 1);
	if (k > 0) {
		sqlite3 *db = build_fts(argv[2]);

		time_ours(q, n, (size_t)k, ms);
		time_fts(db, q, n, (size_t)k, ms);
		sqlite3_close(db);
	} else {
		time_ours(q, n, 10, ms);
		time_ours(q, n, 200, ms);
		time_ours(q, n, 1000, ms);
	}
	search_words_close(words[0]);
	free(q);
	free(ms);
	free(lines);
	ai_buf_release(&text);
	return 0;
}
