/*
 * evaltool: the small programs that `make eval` needs beside the real ones.
 *
 *	evaltool docs <docs.jsonl      records for ai-embed and ai-search add
 *	evaltool sample N SEED <records   N of them, at random
 *	evaltool queries QRELS <queries.jsonl   records with judged queries
 *	evaltool score QRELS <hits     nDCG@10 and MAP of ai-search's answers
 *
 * The measures are trec_eval's: nDCG with gain 2^rel-1 and discount
 * log2(rank+1); MAP over the whole list, averaged over judged queries.
 */
#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGED_MAX 20000

struct judgement {
	char query[32], doc[32];
	int gain;
};

static struct judgement judged[JUDGED_MAX];
static size_t n_judged;

static void die(const char *what)
{
	fprintf(stderr, "evaltool: %s\n", what);
	exit(1);
}

static void load(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[200];

	if (f == NULL)
		die("cannot open the judgements");
	while (fgets(line, sizeof(line), f) != NULL) {
		struct judgement *j = &judged[n_judged];

		if (n_judged == JUDGED_MAX)
			die("too many judgements");
		/* The first line holds the names of the columns. */
		if (sscanf(line, "%31s %31s %d", j->query, j->doc,
			   &j->gain) == 3 && j->gain > 0)
			n_judged++;
	}
	fclose(f);
}

/* Those of the query at hand. */
static struct judgement *of_query[JUDGED_MAX];
static size_t n_of_query;

static size_t select_query(const char *query)
{
	size_t i;

	n_of_query = 0;
	for (i = 0; i < n_judged; i++)
		if (strcmp(judged[i].query, query) == 0)
			of_query[n_of_query++] = &judged[i];
	return n_of_query;
}

static int gain(const char *doc)
{
	size_t i;

	for (i = 0; i < n_of_query; i++)
		if (strcmp(of_query[i]->doc, doc) == 0)
			return of_query[i]->gain;
	return 0;
}

static const char *text_at(struct ai_value v, const char *path,
			   struct ai_buf *b)
{
	v = ai_json_get(v, path);
	ai_buf_clear(b);
	if (v.kind == AI_STRING)
		ai_json_text(v, b);
	return ai_buf_cstr(b);
}

/* Title and text as one text: the titles count (keyless retrieval figures
 * are for this form). */
static void convert(struct ai_value v, bool query)
{
	struct ai_buf out = AI_BUF_INIT(1 << 24), b = AI_BUF_INIT(1 << 24);
	const char *s = text_at(v, "_id", &b);

	if (query && select_query(s) == 0)
		goto out;
	ai_put_open(&out, '{');
	ai_put_key(&out, "id");
	ai_put_cstr(&out, s);
	ai_put_key(&out, query ? "query" : "text");
	ai_buf_chr(&out, '"');
	s = text_at(v, "title", &b);
	if (*s != '\0') {
		struct ai_value title = ai_json_get(v, "title");

		ai_buf_add(&out, title.s.p + 1, title.s.n - 2);
		ai_buf_chr(&out, ' ');
	}
	v = ai_json_get(v, "text");
	ai_buf_add(&out, v.s.p + 1, v.s.n - 2);
	ai_buf_str(&out, "\"}");
	puts(ai_buf_cstr(&out));
out:
	ai_buf_release(&out);
	ai_buf_release(&b);
}

static int descending(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

static double ideal(void)
{
	static int gains[JUDGED_MAX];
	double sum = 0;
	size_t i;

	for (i = 0; i < n_of_query; i++)
		gains[i] = of_query[i]->gain;
	qsort(gains, n_of_query, sizeof(*gains), descending);
	for (i = 0; i < n_of_query && i < 10; i++)
		sum += (pow(2, gains[i]) - 1) / log2((double)i + 2);
	return sum;
}

static void score(struct ai_value v, double *ndcg, double *ap)
{
	struct ai_buf id = AI_BUF_INIT(256), doc = AI_BUF_INIT(256);
	size_t relevant = select_query(text_at(v, "id", &id));
	struct ai_json_iter it;
	struct ai_value hit;
	double dcg = 0, sum = 0;
	size_t found = 0, i = 0;
	int g;

	if (ai_json_get(v, "hits").kind != AI_ARRAY || relevant == 0)
		die("a record without hits, or a query without judgements");
	ai_json_iter_init(&it, ai_json_get(v, "hits"));
	for (; ai_json_next(&it, NULL, &hit); i++) {
		g = gain(text_at(hit, "id", &doc));
		if (i < 10)
			dcg += (pow(2, g) - 1) / log2((double)i + 2);
		if (g > 0)
			sum += (double)++found / (double)(i + 1);
	}
	*ndcg += dcg / ideal();
	*ap += sum / (double)relevant;
	ai_buf_release(&id);
	ai_buf_release(&doc);
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t next(uint64_t *state)
{
	uint64_t h = *state += UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* Each line instead of one of those kept so far, as often as is fair. */
static int sample(size_t n, uint64_t seed)
{
	char **kept = calloc(n + 1, sizeof(*kept)), *line = NULL;
	size_t cap = 0, seen = 0, at, i;

	if (kept == NULL)
		die("out of memory");
	for (; getline(&line, &cap, stdin) > 0; seen++) {
		at = seen < n ? seen : next(&seed) % (seen + 1);
		if (at >= n)
			continue;
		free(kept[at]);
		kept[at] = strdup(line);
	}
	for (i = 0; i < n && i < seen; i++)
		fputs(kept[i], stdout);
	for (i = 0; i < n; i++)
		free(kept[i]);
	free(kept);
	free(line);
	return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
	double ndcg = 0, ap = 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int queries = 0;
	struct ai_value v;
	struct ai_err err;

	if (argc < 2)
		die("docs, queries QRELS or score QRELS");
	if (strcmp(argv[1], "sample") == 0)
		return argc == 4 ? sample(strtoul(argv[2], NULL, 10),
					  strtoul(argv[3], NULL, 10)) : 1;
	if (argc > 2)
		load(argv[2]);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (ai_json_check(line, (size_t)n, &v, &err) < 0)
			die(err.msg);
		if (argv[1][0] == 's')
			score(v, &ndcg, &ap);
		else
			convert(v, argv[1][0] == 'q');
		queries++;
	}
	free(line);
	if (argv[1][0] == 's' && queries > 0)
		printf("%.4f %.4f %d\n", ndcg / queries, ap / queries, queries);
	return fflush(stdout) != 0;
}
