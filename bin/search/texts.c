#include "texts.h"

#include "base/threads.h"

#include <stdlib.h>

#define TEXTS_FULL 1024
#define BYTES_FULL ((size_t)4 << 20)
#define BYTES_MAX ((size_t)1 << 32)
#define BYTES_KEPT ((size_t)16 << 20) /* a long text's room is given back */

void search_texts_init(struct search_texts *t)
{
	*t = (struct search_texts){ .n = 0 };
	ai_buf_init(&t->bytes, BYTES_MAX);
}

void search_texts_release(struct search_texts *t)
{
	ai_buf_release(&t->bytes);
	free(t->v);
	search_texts_init(t);
}

void search_texts_clear(struct search_texts *t)
{
	t->n = 0;
	ai_buf_clear(&t->bytes);
	ai_buf_shrink(&t->bytes, BYTES_KEPT);
}

int search_texts_add(struct search_texts *t, int64_t row, struct ai_span text,
		     struct ai_err *err)
{
	struct search_text *more;
	size_t cap = t->cap < 64 ? 64 : 2 * t->cap;

	if (t->n == t->cap) {
		more = reallocarray(t->v, cap, sizeof(*more));
		if (more == NULL)
			return ai_err_nomem(err);
		t->v = more;
		t->cap = cap;
	}
	t->v[t->n++] = (struct search_text){ row, t->bytes.len, text.n };
	if (text.n > 0)
		ai_buf_add(&t->bytes, text.p, text.n);
	return ai_buf_check(&t->bytes, "the texts of a batch", err);
}

bool search_texts_is_full(const struct search_texts *t)
{
	return t->n >= TEXTS_FULL || t->bytes.len >= BYTES_FULL;
}

struct doing {
	const struct search_texts *t;
	const char *bytes;
	const struct search_texts_use *use;
	char *results;
};

static int work(void *arg, size_t thread, size_t i, struct ai_err *err)
{
	const struct doing *d = arg;
	const struct search_text *x = &d->t->v[i];

	return d->use->work(d->use->arg, thread, (struct ai_span){
			    d->bytes + x->at, x->n },
			    d->results + i * d->use->size, err);
}

int search_texts_do(struct search_texts *t, size_t threads,
		    const struct search_texts_use *use, struct ai_err *err)
{
	struct doing d = { t, ai_buf_cstr(&t->bytes), use,
			   calloc(t->n + 1, use->size) };
	int rc = 0;

	if (d.results == NULL)
		return ai_err_nomem(err);
	if (t->n > 0)
		rc = ai_threads_each(threads, t->n, work, &d, err);
	for (size_t i = 0; rc == 0 && i < t->n; i++)
		rc = use->take(use->arg, t->v[i].row, d.results + i * use->size,
			       err);
	for (size_t i = 0; use->release != NULL && i < t->n; i++)
		use->release(d.results + i * use->size);
	free(d.results);
	search_texts_clear(t);
	return rc;
}
