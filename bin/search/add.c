/*
 * add.c: records in, one transaction a batch.
 *
 * A batch is what could be read without waiting, at most 1000 records.  Ids
 * are acknowledged after the commit.  When a file has changed, its old
 * chunks go in the transaction that brings the last of the new ones (or at
 * the end of the input): killed before that, both are there, and the same
 * command run again finishes the work.  A file that became empty brings one
 * record, which is its first and last and leaves nothing behind.
 */
#include "search.h"

#include "text/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000
#define OPEN_MAX 64

/* A file whose old chunks are still there. */
struct replacement {
	char *uri, *doc; /* owned */
	bool complete;   /* the last of the new chunks has come */
};

struct adder {
	struct search_index ix;
	struct search_document d;
	struct replacement open[OPEN_MAX];
	size_t n_open;
	struct ai_buf acks; /* lines for after the commit */
};

static struct adder *adder;

/* ---- files that have changed ---------------------------------------------------- */

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static int finish(struct adder *a, size_t i, struct ai_err *err)
{
	struct replacement r = a->open[i];
	int rc = search_remove_stale(&a->ix, ai_span_of(r.uri),
				     ai_span_of(r.doc), err);

	free(r.uri);
	free(r.doc);
	a->open[i] = a->open[--a->n_open];
	return rc;
}

static struct replacement *find_open(struct adder *a)
{
	const struct search_document *d = &a->d;
	size_t i;

	for (i = 0; i < a->n_open; i++)
		if (ai_span_is(span_of(&d->uri), a->open[i].uri) &&
		    ai_span_is(span_of(&d->doc), a->open[i].doc))
			return &a->open[i];
	return NULL;
}

static int open_replacement(struct adder *a, struct ai_err *err)
{
	struct replacement *r;

	if (a->n_open == OPEN_MAX && finish(a, 0, err) < 0)
		return -1;
	r = &a->open[a->n_open];
	r->uri = ai_span_dup(span_of(&a->d.uri));
	r->doc = ai_span_dup(span_of(&a->d.doc));
	r->complete = false;
	if (r->uri != NULL && r->doc != NULL) {
		a->n_open++;
		return 0;
	}
	free(r->uri);
	free(r->doc);
	return ai_err_nomem(err);
}

/* Of two versions of a file within one batch the later stays: the earlier
 * one's turn to remove all others is now. */
static int supersede(struct adder *a, struct ai_err *err)
{
	const struct search_document *d = &a->d;
	size_t i = 0;

	while (i < a->n_open) {
		if (!ai_span_is(span_of(&d->uri), a->open[i].uri) ||
		    ai_span_is(span_of(&d->doc), a->open[i].doc))
			i++;
		else if (finish(a, i, err) < 0)
			return -1;
	}
	return 0;
}

/* Whether this chunk's file is in the index with other bytes. */
static int note_file(struct adder *a, struct ai_err *err)
{
	const struct search_document *d = &a->d;
	struct replacement *r;
	int64_t stale;

	if (d->uri.len == 0 || d->doc.len == 0)
		return 0;
	r = find_open(a);
	if (r == NULL) {
		if (search_find_stale(&a->ix, span_of(&d->uri),
				      span_of(&d->doc), &stale, err) < 0)
			return -1;
		if (stale == 0)
			return 0;
		if (open_replacement(a, err) < 0)
			return -1;
		r = &a->open[a->n_open - 1];
	}
	if (d->empty || (d->of > 0 && d->part == d->of - 1))
		r->complete = true;
	return 0;
}

static int finish_files(struct adder *a, bool all, struct ai_err *err)
{
	size_t i = 0;

	while (i < a->n_open) {
		if (!all && !a->open[i].complete)
			i++;
		else if (finish(a, i, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- a batch ---------------------------------------------------------------------- */

/* --model names the model of a new index and is checked with an old one. */
static int apply_model(struct search_info *info, struct ai_err *err)
{
	if (search.model == NULL || search.model[0] == '\0')
		return 0;
	if (info->model[0] == '\0') {
		snprintf(info->model, sizeof(info->model), "%s", search.model);
		return 0;
	}
	if (strcmp(info->model, search.model) == 0)
		return 0;
	return ai_err_set(err, AI_E_DATA, "the index '%.150s' was built with "
			  "%.80s, not with %.80s", search.index, info->model,
			  search.model);
}

static int begin(struct adder *a, struct ai_err *err)
{
	if (search_index_begin(&a->ix, true, err) < 0)
		return -1;
	if (apply_model(&a->ix.info, err) == 0)
		return 0;
	ai_db_rollback(&a->ix.db);
	return -1;
}

static void acknowledge(struct adder *a)
{
	if (!search.ack)
		return;
	ai_put_open(&a->acks, '{');
	ai_put_key(&a->acks, "id");
	search_put_id(&a->acks, search_document_id(&a->d));
	ai_put_close(&a->acks, '}');
	ai_buf_chr(&a->acks, '\n');
}

/* A record that is wrong comes out as an error; what the database refuses
 * ends everything. */
static int add_record(struct adder *a, struct ai_rec *rec, struct ai_emit *out,
		      struct ai_err *err)
{
	struct ai_err why = { AI_E_NONE, -1, "" };
	bool changed;

	if (search_document_read(&a->d, rec, &a->ix.info, &why) < 0)
		return ai_emit_fail(out, rec, &why, err);
	if (supersede(a, err) < 0 ||
	    (!a->d.empty && search_store(&a->ix, &a->d, &changed, err) < 0) ||
	    note_file(a, err) < 0)
		return -1;
	acknowledge(a);
	return 0;
}

static int many(void *state, struct ai_rec *const *recs, size_t n,
		struct ai_emit *out, struct ai_err *err)
{
	struct adder *a = adder;
	int rc = 0;
	size_t i;

	(void)state;
	ai_buf_clear(&a->acks);
	if (begin(a, err) < 0)
		return -1;
	for (i = 0; i < n && rc == 0; i++)
		rc = add_record(a, recs[i], out, err);
	if (rc == 0)
		rc = finish_files(a, false, err);
	if (rc == 0)
		rc = ai_buf_check(&a->acks, "the acknowledgements", err);
	if (rc < 0) {
		ai_db_rollback(&a->ix.db);
		return -1;
	}
	if (search_index_commit(&a->ix, err) < 0)
		return -1;
	if (a->acks.len == 0)
		return 0;
	return ai_emit_line(out, a->acks.p, a->acks.len - 1, err);
}

static int finish_input(struct adder *a, struct ai_err *err)
{
	if (a->n_open == 0)
		return 0;
	if (begin(a, err) < 0)
		return -1;
	if (finish_files(a, true, err) == 0)
		return search_index_commit(&a->ix, err);
	ai_db_rollback(&a->ix.db);
	return -1;
}

int search_add(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.batch = BATCH, .many = many, .empty = true,
	};
	struct adder *a = calloc(1, sizeof(*a));
	int status;

	if (a == NULL)
		return ai_err_nomem(err);
	if (search_index_open(&a->ix, AI_DB_CREATE, err) < 0) {
		free(a);
		return -1;
	}
	search_document_init(&a->d);
	ai_buf_init(&a->acks, (size_t)1 << 28);
	adder = a;
	/* One writer: more would only wait for each other. */
	ai_loop.jobs = 1;
	status = ai_loop_run(&filter, argc, argv, err);
	if (status >= 0 && finish_input(a, err) < 0)
		status = -1;
	while (a->n_open > 0) {
		free(a->open[--a->n_open].uri);
		free(a->open[a->n_open].doc);
	}
	ai_buf_release(&a->acks);
	search_document_release(&a->d);
	search_index_close(&a->ix);
	free(a);
	return status;
}
