/*
 * sum.c: what is said of all records at the end: their sum (--total), and the
 * largest of them (--top).  Of each of these only the answer, the id and the
 * source are kept, never the text: memory is bounded by N.
 */
#include "tokens.h"

#include "record/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_BYTES 4096 /* of an id or a source; longer ones are left out */

struct large {
	size_t count;
	char *file;         /* owned; NULL: standard input */
	unsigned long line; /* 0: all of the file */
	char *json;         /* owned; NULL with -r */
};

static struct {
	pthread_mutex_t lock;
	struct ai_range n;
	unsigned long records;
	bool guessed;       /* not all are exact */
	struct large *top;  /* a heap, the least at its root */
	size_t n_top;
} sum = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Whether a is larger; of those that are alike the first is. */
static bool is_larger(const struct large *a, const struct large *b)
{
	int order;

	if (a->count != b->count)
		return a->count > b->count;
	order = strcmp(a->file == NULL ? "" : a->file,
		       b->file == NULL ? "" : b->file);
	return order != 0 ? order < 0 : a->line < b->line;
}

/* ---- the heap ----------------------------------------------------------------- */

static void rise(struct large *h, size_t i)
{
	struct large one = h[i];

	for (; i > 0 && is_larger(&h[(i - 1) / 2], &one); i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = one;
}

static void sink(struct large *h, size_t n)
{
	struct large one = h[0];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && is_larger(&h[child], &h[child + 1]))
			child++;
		if (!is_larger(&one, &h[child]))
			break;
		h[i] = h[child];
		i = child;
	}
	h[i] = one;
}

/* ---- adding ------------------------------------------------------------------- */

static void put_short(struct ai_buf *b, const char *name, struct ai_value v)
{
	if (v.kind == AI_NONE || v.s.n > KEPT_BYTES)
		return;
	ai_put_key(b, name);
	ai_put_value(b, v);
}

/* {"id":...,"source":...,"tokens":{...,"file":...,"line":...}} */
static char *describe(const struct ai_rec *rec, const struct large *one,
		      struct ai_value member, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1 << 16);

	ai_put_open(&b, '{');
	put_short(&b, "id", ai_rec_id_value(rec));
	put_short(&b, "source", ai_rec_get(rec, "source"));
	ai_put_key(&b, ai_loop.as == NULL ? "tokens" : ai_loop.as);
	/* All but the bracket that closes it. */
	ai_put_raw(&b, member.s.p, member.s.n - 1);
	ai_put_key(&b, "file");
	ai_put_cstr(&b, one->file);
	ai_put_key(&b, "line");
	ai_put_i64(&b, (int64_t)one->line);
	ai_put_close(&b, '}');
	ai_put_close(&b, '}');
	if (ai_buf_check(&b, "the record", err) < 0) {
		ai_buf_release(&b);
		return NULL;
	}
	return ai_buf_take(&b);
}

static void release(struct large *one)
{
	free(one->file);
	free(one->json);
}

/* What one becomes when it is kept: nothing in it is borrowed any more. */
static int keep(struct large *one, const struct ai_rec *rec,
		const struct tokens_answer *a, struct ai_err *err)
{
	if (one->file != NULL && (one->file = strdup(one->file)) == NULL)
		return ai_err_nomem(err);
	if (rec == NULL || ai_loop.plain_out)
		return 0;
	one->json = describe(rec, one, a->member, err);
	if (one->json != NULL)
		return 0;
	release(one);
	return -1;
}

static int add_large(const struct ai_rec *rec, struct large one,
		     const struct tokens_answer *a, struct ai_err *err)
{
	size_t room = (size_t)tokens_settings.top;

	if (sum.top == NULL)
		sum.top = calloc(room, sizeof *sum.top);
	if (sum.top == NULL)
		return ai_err_nomem(err);
	if (sum.n_top == room && !is_larger(&one, &sum.top[0]))
		return 0;
	if (keep(&one, rec, a, err) < 0)
		return -1;
	if (sum.n_top < room) {
		sum.top[sum.n_top] = one;
		rise(sum.top, sum.n_top++);
		return 0;
	}
	release(&sum.top[0]);
	sum.top[0] = one;
	sink(sum.top, sum.n_top);
	return 0;
}

int tokens_sum_add(const struct ai_rec *rec, const char *file,
		   const struct tokens_answer *a, struct ai_err *err)
{
	struct large one = { a->n.count, (char *)file, 0, NULL };
	int rc = 0;

	if (rec != NULL && !tokens_files_asked())
		one.line = rec->number;
	pthread_mutex_lock(&sum.lock);
	sum.n.low += a->n.low;
	sum.n.count += a->n.count;
	sum.n.high += a->n.high;
	sum.guessed |= !a->exact;
	sum.records++;
	if (tokens_settings.top > 0)
		rc = add_large(rec, one, a, err);
	pthread_mutex_unlock(&sum.lock);
	return rc;
}

/* ---- writing ------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	return is_larger(a, b) ? -1 : is_larger(b, a);
}

static void put_large(struct ai_buf *b, const struct large *l)
{
	char place[4200];

	if (l->json != NULL) {
		ai_buf_str(b, l->json);
		ai_buf_chr(b, '\n');
		return;
	}
	if (l->line == 0) {
		tokens_files_put(b, l->count, l->file);
		return;
	}
	snprintf(place, sizeof place, "%s:%lu",
		 l->file == NULL ? "-" : l->file, l->line);
	tokens_files_put(b, l->count, place);
}

static void put_total(struct ai_buf *b, unsigned long files)
{
	if (ai_loop.plain_out) {
		tokens_files_put(b, sum.n.count, "total");
		return;
	}
	ai_put_open(b, '{');
	ai_put_key(b, "total");
	ai_put_open(b, '{');
	ai_put_key(b, "files");
	ai_put_i64(b, (int64_t)files);
	ai_put_key(b, "records");
	ai_put_i64(b, (int64_t)sum.records);
	ai_put_key(b, "tokens");
	ai_put_i64(b, (int64_t)sum.n.count);
	ai_put_key(b, "exact");
	ai_put_bool(b, !sum.guessed);
	if (sum.n.low != sum.n.high) {
		ai_put_key(b, "low");
		ai_put_i64(b, (int64_t)sum.n.low);
		ai_put_key(b, "high");
		ai_put_i64(b, (int64_t)sum.n.high);
	}
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

int tokens_sum_write(unsigned long files, bool total, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 31);
	struct ai_writer w;
	int rc;

	if (sum.n_top > 0)
		qsort(sum.top, sum.n_top, sizeof *sum.top, by_size);
	for (size_t i = 0; i < sum.n_top; i++) {
		put_large(&b, &sum.top[i]);
		release(&sum.top[i]);
	}
	free(sum.top);
	if (total)
		put_total(&b, files);
	ai_writer_init(&w, STDOUT_FILENO);
	rc = ai_buf_check(&b, "the sum", err);
	if (rc == 0 && b.len > 0 &&
	    (ai_writer_add(&w, b.p, b.len, err) < 0 ||
	     ai_writer_flush(&w, err) < 0))
		rc = w.stopped ? 0 : -1; /* ends by the signal then */
	ai_writer_release(&w);
	ai_buf_release(&b);
	return rc;
}
