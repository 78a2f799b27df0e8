#include "indexer.h"

#include "base/beside.h"
#include "search.h"

#include <stdlib.h>
#include <string.h>

#define JOB_BYTES ((size_t)256 << 10)
#define QUEUE_BYTES (8 * JOB_BYTES)
#define COPIED_MAX (4 * JOB_BYTES) /* of a text: a longer one is waited for */

/* Documents, and then perhaps a file of all that there are. */
struct task {
	struct ai_beside_job job;
	struct ai_buf bytes; /* of all entries, one behind the other */
	struct entry {
		int64_t n;
		size_t text, source, meta; /* bytes; SIZE_MAX: it has none */
	} *v;
	size_t n, cap;
	char *path; /* NULL: no file */
	int64_t from, to;
};

struct search_indexer {
	struct search_builder *builder; /* the thread's, while it has a task */
	int64_t boost;
	struct ai_beside *beside;
	struct task *task; /* that is being filled; or NULL */
	size_t rows, bytes;
};

static void task_free(struct task *t)
{
	if (t == NULL)
		return;
	ai_buf_release(&t->bytes);
	free(t->v);
	free(t->path);
	free(t);
}

/* ---- what is done beside ----------------------------------------------------- */

static struct ai_span next_span(const char **p, size_t n)
{
	struct ai_span s = { *p, n };

	if (n == SIZE_MAX)
		return (struct ai_span){ NULL, 0 };
	*p += n;
	return s;
}

static int add_words(struct search_indexer *x, int64_t n, struct ai_span text,
		     struct ai_span source, struct ai_span meta,
		     struct ai_err *err)
{
	struct search_fields f;
	int rc = search_fields_of(&f, x->boost, text, source, meta, err);

	if (rc == 0)
		rc = search_builder_add(x->builder, n, f.v, f.n, NULL, err);
	search_fields_release(&f);
	return rc;
}

static int add_entry(struct search_indexer *x, const struct entry *e,
		     const char **p, struct ai_err *err)
{
	struct ai_span text = next_span(p, e->text);
	struct ai_span source = next_span(p, e->source);
	struct ai_span meta = next_span(p, e->meta);

	return add_words(x, e->n, text, source, meta, err);
}

static int work(void *arg, struct ai_beside_job *job, bool drop,
		struct ai_err *err)
{
	struct search_indexer *x = arg;
	struct task *t = (struct task *)job;
	const char *p = ai_buf_cstr(&t->bytes);
	int rc = 0;

	for (size_t i = 0; i < t->n && rc == 0 && !drop; i++)
		rc = add_entry(x, &t->v[i], &p, err);
	if (rc == 0 && !drop && t->path != NULL) {
		rc = search_builder_write(x->builder, t->path, t->from, t->to,
					  err);
		search_builder_clear(x->builder);
	}
	task_free(t);
	return rc;
}

/* ---- the owner's side ---------------------------------------------------------- */

struct search_indexer *search_indexer_new(const struct ai_analyzer *a,
					  int64_t boost, bool beside,
					  struct ai_err *err)
{
	struct search_indexer *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	x->boost = boost;
	x->builder = search_builder_new(a, err);
	if (x->builder == NULL) {
		free(x);
		return NULL;
	}
	x->beside = ai_beside_new(work, x, beside);
	if (x->beside != NULL)
		return x;
	ai_err_nomem(err);
	search_indexer_free(x);
	return NULL;
}

void search_indexer_free(struct search_indexer *x)
{
	if (x == NULL)
		return;
	ai_beside_free(x->beside);
	task_free(x->task);
	search_builder_free(x->builder);
	free(x);
}

static int have_task(struct search_indexer *x, struct ai_err *err)
{
	if (x->task != NULL)
		return 0;
	x->task = calloc(1, sizeof(*x->task));
	if (x->task == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&x->task->bytes, SIZE_MAX / 4);
	return 0;
}

static int give(struct search_indexer *x, struct ai_err *err)
{
	struct task *t = x->task;

	if (t == NULL)
		return 0;
	x->task = NULL;
	t->job.bytes = t->bytes.len;
	return ai_beside_give(x->beside, &t->job, QUEUE_BYTES, err);
}

/* Beside nothing, which spares the copy. */
static int add_now(struct search_indexer *x, int64_t n, struct ai_span text,
		   struct ai_span source, struct ai_span meta,
		   struct ai_err *err)
{
	return search_indexer_wait(x, err) < 0 ? -1
		: add_words(x, n, text, source, meta, err);
}

static size_t put_span(struct ai_buf *b, struct ai_span s)
{
	if (s.p == NULL)
		return SIZE_MAX;
	ai_buf_add(b, s.p, s.n);
	return s.n;
}

int search_indexer_add(struct search_indexer *x, int64_t n, struct ai_span text,
		       struct ai_span source, struct ai_span meta,
		       struct ai_err *err)
{
	struct entry *more;
	struct task *t;

	x->rows++;
	x->bytes += text.n;
	if (text.n > COPIED_MAX)
		return add_now(x, n, text, source, meta, err);
	if (have_task(x, err) < 0)
		return -1;
	t = x->task;
	if (t->n == t->cap) {
		more = reallocarray(t->v, t->cap + 256, sizeof(*more));
		if (more == NULL)
			return ai_err_nomem(err);
		t->v = more;
		t->cap += 256;
	}
	t->v[t->n++] = (struct entry){ n, put_span(&t->bytes, text),
				       put_span(&t->bytes, source),
				       put_span(&t->bytes, meta) };
	if (ai_buf_check(&t->bytes, "documents", err) < 0)
		return -1;
	return t->bytes.len < JOB_BYTES ? 0 : give(x, err);
}

size_t search_indexer_rows(const struct search_indexer *x)
{
	return x->rows;
}

size_t search_indexer_bytes(const struct search_indexer *x)
{
	return x->bytes;
}

int search_indexer_write(struct search_indexer *x, const char *path,
			 int64_t from, int64_t to, struct ai_err *err)
{
	if (have_task(x, err) < 0)
		return -1;
	x->task->path = strdup(path);
	if (x->task->path == NULL)
		return ai_err_nomem(err);
	x->task->from = from;
	x->task->to = to;
	x->rows = x->bytes = 0;
	return give(x, err);
}

int search_indexer_wait(struct search_indexer *x, struct ai_err *err)
{
	return give(x, err) < 0 ? -1 : ai_beside_wait(x->beside, err);
}
