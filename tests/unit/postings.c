/*
 * Files of postings against a search without any index: random documents in
 * random files, random queries, rows that die, files that are merged.  Scores
 * must be the same to the last bit, wherever the rows are.
 */
#include "postings-int.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS_MAX 6000
#define FIELDS 2
#define PARTS_MAX 8
#define CLAUSES 6

static uint64_t seed;

static uint64_t next_random(void)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() % n);
}

/* ---- the collection, as plain as can be ----------------------------------------- */

struct row {
	int64_t n;
	bool dead;
	char *text[FIELDS];
	unsigned weight[FIELDS];
	size_t fields;
	struct ai_terms terms[FIELDS];
};

static struct row rows[ROWS_MAX];
static size_t rows_n;
static const struct ai_analyzer *analyzer;
static char folder[] = "/tmp/postings.XXXXXX";
static unsigned files;

/* Rare words and frequent ones; many that begin alike. */
static size_t random_word(char *out, size_t words)
{
	double x = (double)(next_random() >> 11) / 9007199254740992.0;
	size_t w = (size_t)(pow((double)words, x)) - 1;

	return (size_t)snprintf(out, 32, "%c%s%zu", (int)('a' + w % 5),
				w % 3 == 0 ? "x" : "longerprefix", w);
}

static char *random_text(size_t length, size_t words)
{
	char *text = malloc(length * 32 + 1), *p = text;
	size_t i;

	for (i = 0; i < length; i++) {
		p += random_word(p, words);
		*p++ = ' ';
	}
	*p = '\0';
	return text;
}

/* longest: words of one row in the middle, if not 0. */
static void make_rows(size_t count, size_t words, size_t longest)
{
	int64_t n = (int64_t)below(3);
	struct ai_err err;
	size_t i, k;

	for (i = 0; i < count; i++) {
		struct row *r = &rows[i];

		memset(r, 0, sizeof(*r));
		r->n = n;
		n += 1 + (below(5) == 0 ? (int64_t)below(4) : 0);
		r->fields = 1 + below(FIELDS);
		for (k = 0; k < r->fields; k++) {
			size_t length = below(20) == 0 ? below(300)
						       : below(30);

			if (longest > 0 && i == count / 2 && k == 0)
				length = longest;
			r->weight[k] = k + 1 < r->fields ? 3 : 1;
			r->text[k] = random_text(length, words);
			ai_analyze(analyzer, ai_span_of(r->text[k]), false,
				   &r->terms[k], &err);
		}
	}
	rows_n = count;
}

static void free_rows(void)
{
	size_t i, k;

	for (i = 0; i < rows_n; i++)
		for (k = 0; k < rows[i].fields; k++) {
			free(rows[i].text[k]);
			ai_terms_release(&rows[i].terms[k]);
		}
	rows_n = 0;
}

static size_t fields_of(const struct row *r, struct search_field *f)
{
	size_t k;

	for (k = 0; k < r->fields; k++)
		f[k] = (struct search_field){ ai_span_of(r->text[k]),
					      r->weight[k] };
	return r->fields;
}

static bool is(const struct row *r, size_t field, size_t i, struct ai_span s)
{
	return ai_span_eq(ai_term_span(&r->terms[field], i), s);
}

static double length_of(const struct row *r)
{
	double n = 0;
	size_t k;

	for (k = 0; k < r->fields; k++)
		n += (double)(r->terms[k].n * r->weight[k]);
	return n;
}

static double tf_naive(const struct row *r, const struct search_clause *c)
{
	struct ai_span s;
	double tf = 0;
	size_t k, i, j;

	for (k = 0; k < r->fields; k++)
		for (i = 0; i < r->terms[k].n; i++) {
			s = ai_term_span(&r->terms[k], i);
			if (c->kind == SEARCH_CLAUSE_WORD &&
			    ai_span_eq(s, c->terms[0]))
				tf += r->weight[k];
			if (c->kind == SEARCH_CLAUSE_PREFIX && s.n >= c->terms[0].n &&
			    memcmp(s.p, c->terms[0].p, c->terms[0].n) == 0)
				tf += r->weight[k];
			else if (c->kind == SEARCH_CLAUSE_PREFIX && c->n > 1 &&
				 ai_span_eq(s, c->terms[1]))
				tf += r->weight[k];
			if (c->kind != SEARCH_CLAUSE_PHRASE)
				continue;
			for (j = 0; j < c->n; j++) {
				size_t at = i + c->positions[j];

				if (at >= r->terms[k].n ||
				    !is(r, k, at, c->terms[j]))
					break;
			}
			tf += j == c->n;
		}
	return tf;
}

struct naive {
	double score, exact, covered;
	int64_t n;
};

static int best_first(const void *a, const void *b)
{
	const struct naive *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

static double count_of(const struct search_clause *c)
{
	return c->weight > 0 ? c->weight / 1024. : c->count;
}

/* All rows that match, best first. */
static size_t search_naive(const struct search_words_query *q,
			   struct naive *out)
{
	static double tf[CLAUSES][ROWS_MAX];
	double live = 0, tokens = 0, average, idf, all = 0, part;
	double df[CLAUSES] = { 0 }, share;
	size_t c, i, n = 0;

	for (i = 0; i < rows_n; i++) {
		if (rows[i].dead)
			continue;
		live++;
		tokens += length_of(&rows[i]);
		for (c = 0; c < q->clauses_n; c++) {
			tf[c][i] = tf_naive(&rows[i], &q->clauses[c]);
			df[c] += tf[c][i] > 0;
		}
	}
	average = tokens / live;
	for (i = 0; i < rows_n; i++) {
		struct naive h = { 0, 0, 0, rows[i].n };
		bool any = false;

		if (rows[i].dead || !(q->bits[h.n / 8] >> h.n % 8 & 1))
			continue;
		for (c = 0, all = 0; c < q->clauses_n; c++) {
			if (q->clauses[c].not)
				continue;
			idf = log(1 + (live - df[c] + .5) / (df[c] + .5));
			idf = nearbyint(idf * 1073741824) / 1073741824;
			share = log(1 + (fmax(live, SEARCH_COVERED_ROWS) -
					 df[c] + .5) / (df[c] + .5));
			share = nearbyint(share * 1073741824) / 1073741824;
			if (q->clauses[c].extra)
				share = 0;
			all += share;
			if (tf[c][i] == 0)
				continue;
			part = 2.2 * idf * count_of(&q->clauses[c]) * tf[c][i] /
			       (tf[c][i] + (1.2 * (1 - .75) +
					    1.2 * .75 / average *
						    length_of(&rows[i])));
			h.exact += part;
			h.score += nearbyint(part * 1073741824) / 1073741824;
			h.covered += share;
			any = true;
		}
		h.covered /= all > 0 ? all : 1;
		if (any && h.score >= q->min_score)
			out[n++] = h;
	}
	qsort(out, n, sizeof(*out), best_first);
	return n;
}

/* ---- files ---------------------------------------------------------------------------- */

static struct search_words *words[PARTS_MAX];
static struct search_dead dead[PARTS_MAX];
static struct search_part parts[PARTS_MAX];
static char paths[PARTS_MAX][64];
static size_t parts_n;

static bool build_part(size_t from, size_t to, struct search_builder *b,
		       struct ai_err *err)
{
	struct search_field f[FIELDS];
	uint32_t length;
	size_t i;
	int64_t first = from < to ? rows[from].n : 0;
	int64_t last = from < to ? rows[to - 1].n + 1 : 0;

	search_builder_clear(b);
	for (i = from; i < to; i++) {
		if (search_builder_add(b, rows[i].n, f, fields_of(&rows[i], f),
				       &length, err) < 0 ||
		    length != length_of(&rows[i]))
			return false;
	}
	snprintf(paths[parts_n], sizeof(paths[0]), "%s/words-%u", folder,
		 files++);
	if (search_builder_write(b, paths[parts_n], first, last, err) < 0)
		return false;
	words[parts_n] = search_words_open(paths[parts_n], err);
	if (words[parts_n] == NULL ||
	    search_words_verify(words[parts_n], err) < 0)
		return false;
	memset(&dead[parts_n], 0, sizeof(dead[0]));
	parts[parts_n] = (struct search_part){ words[parts_n],
					       &dead[parts_n] };
	parts_n++;
	return true;
}

static bool build_parts(size_t count, struct ai_err *err)
{
	struct search_builder *b = search_builder_new(analyzer, err);
	size_t from = 0, to, i;
	bool well = b != NULL;

	parts_n = 0;
	for (i = 0; well && i < count; i++) {
		to = i + 1 == count ? rows_n : from + below(rows_n - from + 1);
		well = build_part(from, to, b, err);
		from = to;
	}
	search_builder_free(b);
	return well;
}

static void close_parts(void)
{
	size_t i;

	for (i = 0; i < parts_n; i++) {
		search_words_close(words[i]);
		search_dead_release(&dead[i]);
		unlink(paths[i]);
	}
	parts_n = 0;
}

static size_t part_of(int64_t n)
{
	size_t i;

	for (i = 0; i < parts_n; i++)
		if (n >= words[i]->info.from && n < words[i]->info.to)
			return i;
	return 0;
}

static bool kill_rows(size_t one_in, struct ai_err *err)
{
	struct search_field f[FIELDS];
	size_t i, p;

	for (i = 0; i < rows_n; i++) {
		struct row *r = &rows[i];

		if (r->dead || below(one_in) != 0)
			continue;
		p = part_of(r->n);
		r->dead = true;
		if (search_dead_add(&dead[p], words[p], analyzer, r->n, f,
				    fields_of(r, f), err) < 0 ||
		    search_dead_add(&dead[p], words[p], analyzer, r->n, f,
				    fields_of(r, f), err) < 0)
			return false;
	}
	return true;
}

/* As blobs and back. */
static bool store_dead(struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20), again = AI_BUF_INIT(1 << 20);
	bool well = true;
	size_t i;

	for (i = 0; well && i < parts_n; i++) {
		ai_buf_clear(&b);
		ai_buf_clear(&again);
		search_dead_put(&dead[i], &b);
		search_dead_release(&dead[i]);
		well = search_dead_read(&dead[i], words[i],
					(struct ai_span){ b.p, b.len },
					err) == 0 &&
		       search_dead_put(&dead[i], &again) == 0 &&
		       again.len == b.len &&
		       memcmp(again.p, b.p, b.len) == 0;
	}
	ai_buf_release(&b);
	ai_buf_release(&again);
	return well;
}

/* All parts become one; rows that are dead are gone. */
static bool merge_parts(struct ai_err *err)
{
	char path[64];
	int64_t from = rows_n > 0 ? rows[0].n : 0;
	int64_t to = rows_n > 0 ? rows[rows_n - 1].n + 1 : 0;

	snprintf(path, sizeof(path), "%s/words-%u", folder, files++);
	if (search_words_merge(parts, parts_n, path, from, to, err) < 0)
		return false;
	close_parts();
	words[0] = search_words_open(path, err);
	if (words[0] == NULL || search_words_verify(words[0], err) < 0)
		return false;
	memcpy(paths[0], path, sizeof(path));
	memset(&dead[0], 0, sizeof(dead[0]));
	parts[0] = (struct search_part){ words[0], &dead[0] };
	parts_n = 1;
	return true;
}

/* ---- queries ------------------------------------------------------------------------------ */

struct random_query {
	struct search_words_query q;
	struct search_clause clauses[CLAUSES];
	struct ai_span terms[CLAUSES][4];
	uint32_t positions[CLAUSES][4];
	char bytes[CLAUSES][4][32];
	unsigned char bits[ROWS_MAX * 4 / 8 + 1];
};

static void random_term(struct random_query *r, size_t c, size_t k,
			size_t vocabulary)
{
	size_t n = random_word(r->bytes[c][k], vocabulary);

	r->terms[c][k] = (struct ai_span){ r->bytes[c][k], n };
	r->positions[c][k] = (uint32_t)k;
}

/* Words that stand side by side somewhere, sometimes with one left out. */
static void random_phrase(struct random_query *r, size_t c, size_t vocabulary)
{
	struct search_clause *clause = &r->clauses[c];
	const struct row *row = &rows[below(rows_n)];
	size_t at, k, n = 2 + below(2), gap = below(4) == 0;

	clause->n = n;
	for (k = 0; k < n; k++)
		random_term(r, c, k, vocabulary);
	if (row->terms[0].n < n + gap)
		return;
	at = below(row->terms[0].n - n - gap + 1);
	for (k = 0; k < n; k++) {
		size_t i = k + (k + 1 == n ? gap : 0);

		r->positions[c][k] = (uint32_t)i;
		r->terms[c][k] = ai_term_span(&row->terms[0], at + i);
	}
}

static void make_query(struct random_query *r, size_t vocabulary)
{
	size_t c, i;

	memset(r, 0, sizeof(*r));
	r->q = (struct search_words_query){
		.parts = parts, .parts_n = parts_n, .clauses = r->clauses,
		.clauses_n = 1 + below(CLAUSES), .bits = r->bits,
		.bits_n = (int64_t)sizeof(r->bits) * 8,
		.k = below(4) == 0 ? 1 + below(2000) : 1 + below(30),
		.min_score = below(8) == 0 ? 2.5 : 0,
	};
	memset(r->bits, 0xFF, sizeof(r->bits));
	for (i = 0; i < rows_n; i++)
		if (rows[i].dead)
			r->bits[rows[i].n / 8] &=
				(unsigned char)~(1 << rows[i].n % 8);
	if (below(3) == 0)
		for (i = 0; i < sizeof(r->bits); i++)
			r->bits[i] &= (unsigned char)next_random();
	for (c = 0; c < r->q.clauses_n; c++) {
		struct search_clause *clause = &r->clauses[c];

		clause->kind = below(4) == 0 ? SEARCH_CLAUSE_PHRASE
			       : below(5) == 0 ? SEARCH_CLAUSE_PREFIX
					       : SEARCH_CLAUSE_WORD;
		clause->count = 1 + (int)(below(5) == 0);
		clause->weight = below(3) == 0 ? 1 + (uint32_t)below(9999) : 0;
		clause->extra = below(4) == 0;
		clause->not = below(7) == 0;
		clause->must = !clause->not && below(9) == 0;
		clause->terms = r->terms[c];
		clause->positions = r->positions[c];
		clause->n = 1;
		if (clause->kind == SEARCH_CLAUSE_PHRASE && rows_n > 0)
			random_phrase(r, c, vocabulary);
		else
			random_term(r, c, 0, vocabulary);
		if (clause->kind == SEARCH_CLAUSE_PREFIX) {
			r->terms[c][0].n = 1 + below(r->terms[c][0].n);
			clause->n += below(2);
			random_term(r, c, 1, vocabulary);
		}
	}
}

/* Takes the rows out that clauses forbid; whether both say the same. */
static bool restrict_both(struct random_query *r, struct ai_err *err)
{
	static unsigned char naive[sizeof(r->bits)], before[sizeof(r->bits)];
	const struct search_words_query *q = &r->q;
	bool any, wanted = false;
	size_t i, c;

	memcpy(before, r->bits, sizeof(before));
	memset(naive, 0, sizeof(naive));
	for (i = 0; i < rows_n; i++) {
		bool out = false;

		for (c = 0; c < q->clauses_n; c++) {
			bool has = tf_naive(&rows[i], &q->clauses[c]) > 0;

			out = out || (q->clauses[c].not && has) ||
			      (q->clauses[c].must && !has);
		}
		if (!out)
			naive[rows[i].n / 8] |=
				(unsigned char)(1 << rows[i].n % 8);
	}
	for (c = 0; c < q->clauses_n; c++)
		wanted = wanted || q->clauses[c].not || q->clauses[c].must;
	if (search_words_restrict(q, r->bits, q->bits_n, &any, err) < 0 ||
	    any != wanted)
		return false;
	for (i = 0; any && i < rows_n; i++) {
		int64_t n = rows[i].n;
		bool was = before[n / 8] >> n % 8 & 1;
		bool may = naive[n / 8] >> n % 8 & 1;

		if ((r->bits[n / 8] >> n % 8 & 1) != (was && may))
			return false;
	}
	return true;
}

static bool explained(const struct search_words_query *q,
		      const struct search_words_hit *h, struct ai_err *err)
{
	struct search_words_share shares[CLAUSES];
	int64_t length;
	double average, sum = 0;
	size_t c;

	if (search_words_explain(q, h->n, shares, &length, &average, err) < 0)
		return false;
	for (c = 0; c < q->clauses_n; c++)
		sum += shares[c].score;
	return sum == h->score;
}

static bool compare(struct random_query *r, struct ai_err *err)
{
	static struct naive all[ROWS_MAX];
	struct search_words_hit *hits;
	size_t n, i, wanted;
	bool same;

	if (!restrict_both(r, err) ||
	    search_words_find(&r->q, &hits, &n, err) < 0)
		return false;
	wanted = search_naive(&r->q, all);
	wanted = wanted < r->q.k ? wanted : r->q.k;
	same = n == wanted;
	for (i = 0; same && i < n; i++) {
		same = hits[i].n == all[i].n && hits[i].score == all[i].score &&
		       fabs(hits[i].score - all[i].exact) < 1e-7 &&
		       fabs(hits[i].covered - all[i].covered) < 1e-7;
		if (!same)
			printf("# hit %zu of %zu: row %lld %.17g, not %lld "
			       "%.17g\n", i, n, (long long)hits[i].n,
			       hits[i].score, (long long)all[i].n,
			       all[i].score);
	}
	if (n != wanted)
		printf("# %zu hits, not %zu\n", n, wanted);
	same = same && (n == 0 || explained(&r->q, &hits[below(n)], err));
	free(hits);
	return same;
}

static void show(const struct search_words_query *q)
{
	size_t c, k;

	for (c = 0; c < q->clauses_n; c++) {
		const struct search_clause *l = &q->clauses[c];

		printf("#   %s%s%s", l->not ? "not " : "", l->must ? "must " : "",
		       l->kind == SEARCH_CLAUSE_PREFIX ? "prefix" : "");
		for (k = 0; k < l->n; k++)
			printf(" %.*s@%u", (int)l->terms[k].n, l->terms[k].p,
			       l->positions[k]);
		printf(" x %g%s\n", count_of(l), l->extra ? " extra" : "");
	}
}

static size_t compare_many(size_t count, size_t vocabulary)
{
	static struct random_query r;
	struct ai_err err = { .msg = "" };
	size_t i, bad = 0;

	for (i = 0; i < count; i++) {
		make_query(&r, vocabulary);
		if (!compare(&r, &err)) {
			bad++;
			printf("# query %zu: %s\n", i, err.msg);
			show(&r.q);
		}
	}
	return bad;
}

static void collection(uint64_t with, size_t count, size_t vocabulary,
		       size_t split, size_t queries, size_t longest)
{
	struct ai_err err = { .msg = "" };

	seed = with;
	make_rows(count, vocabulary, longest);
	ok(build_parts(split, &err), "%zu rows in %zu files (seed %llu) %s",
	   count, split, (unsigned long long)with, err.msg);
	ok(compare_many(queries, vocabulary) == 0, "are found as without");
	ok(kill_rows(7, &err) && store_dead(&err), "some die %s", err.msg);
	ok(compare_many(queries, vocabulary) == 0, "and count no more");
	ok(merge_parts(&err), "one file %s", err.msg);
	ok(compare_many(queries, vocabulary) == 0, "finds the same");
	ok(kill_rows(3, &err) && merge_parts(&err), "more die, and it is "
	   "written again %s", err.msg);
	ok(compare_many(queries / 2, vocabulary) == 0, "and finds the same");
	close_parts();
	free_rows();
}

/* ---- damage ------------------------------------------------------------------------------- */

static void put_bytes(const char *path, const unsigned char *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		exit(1);
}

/* The hits of one query of all kinds, or an error: -1. */
static int answer(const char *path, struct random_query *r,
		  struct search_words_hit **hits, size_t *n, bool *verified)
{
	struct search_words *w;
	struct search_part part;
	struct ai_err err;
	bool any;
	int rc;

	*verified = false;
	w = search_words_open(path, &err);
	if (w == NULL)
		return -1;
	*verified = search_words_verify(w, &err) == 0;
	part = (struct search_part){ w, NULL };
	r->q.parts = &part;
	r->q.parts_n = 1;
	memset(r->bits, 0xFF, sizeof(r->bits));
	rc = search_words_restrict(&r->q, r->bits, r->q.bits_n, &any, &err);
	if (rc == 0)
		rc = search_words_find(&r->q, hits, n, &err);
	search_words_close(w);
	return rc;
}

/* Every bit of a file: verify finds it, and a query answers as before or says
 * that the file is damaged. */
static void flipped_bits(void)
{
	static struct random_query r;
	struct search_words_hit *good, *hits;
	size_t good_n, n, size, i, unseen = 0, wrong = 0, refused = 0;
	unsigned char *bytes;
	char path[64];
	bool verified;
	struct ai_err err;
	FILE *f;

	seed = 9;
	make_rows(150, 60, 0);
	build_parts(1, &err);
	do
		make_query(&r, 60);
	while (r.q.clauses_n < 5);
	r.q.min_score = 0;
	size = (size_t)words[0]->info.bytes;
	bytes = malloc(size);
	f = fopen(paths[0], "rb");
	if (bytes == NULL || f == NULL || fread(bytes, 1, size, f) != size)
		exit(1);
	fclose(f);
	snprintf(path, sizeof(path), "%s/flipped", folder);
	put_bytes(path, bytes, size);
	i = (size_t)answer(path, &r, &good, &good_n, &verified);
	ok(i == 0 && verified && good_n > 0, "a good file of %zu bytes, %zu hits", size, good_n);
	for (i = 0; i < size; i++) {
		bytes[i] ^= (unsigned char)(1 << i % 8);
		put_bytes(path, bytes, size);
		bytes[i] ^= (unsigned char)(1 << i % 8);
		if (answer(path, &r, &hits, &n, &verified) < 0) {
			refused++;
		} else {
			wrong += n != good_n ||
				 memcmp(hits, good, n * sizeof(*hits)) != 0;
			free(hits);
		}
		unseen += verified;
	}
	ok(unseen == 0, "verify finds any flipped bit (%zu it does not)",
	   unseen);
	ok(wrong == 0 && refused > 512, "no answer is wrong: %zu refused, %zu "
	   "wrong", refused, wrong);
	unlink(path);
	free(good);
	free(bytes);
	close_parts();
	free_rows();
}

int main(void)
{
	analyzer = ai_analyzer_find("none");
	if (mkdtemp(folder) == NULL)
		return 1;
	collection(1, 1, 5, 1, 50, 0);
	collection(2, 40, 30, 3, 200, 0);
	collection(3, 700, 200, 4, 200, 0);
	collection(4, 3000, 60, 5, 50, 0);
	collection(5, 6000, 20000, 2, 40, 0);
	collection(6, 129, 3, 1, 100, 0);
	collection(7, 5000, 800, 8, 40, 0);
	collection(8, 200, 40, 2, 15, 70000);
	flipped_bits();
	rmdir(folder);
	return done();
}
