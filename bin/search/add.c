/*
 * add.c: records in, one transaction a batch.
 *
 * A batch is what could be read without waiting, at most 1000 records.  Ids
 * are acknowledged after the commit.  When a file has changed, its old
 * passages go in the transaction that brings the last one missing of the new
 * ones: killed before that, both are there, and the same command run again
 * finishes the work.  A file that became empty brings one record, which is
 * its first and last and leaves nothing behind.
 */
#include "search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BATCH 1000

struct adder {
	struct search_index ix;
	struct search_document d;
	struct search_replacements files;
	int64_t run;        /* the number of this one, above 0 */
	struct ai_buf acks; /* lines for after the commit */
};

static struct adder *adder;

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

/* What a chunker says of how it cut tells one version from the next, unless
 * some of its passages were left out on purpose. */
static int64_t run_of(const struct adder *a)
{
	const struct search_document *d = &a->d;

	return d->doc.len == 0 || (d->exact && !search.partial) ? 0 : a->run;
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
	a->d.run = run_of(a);
	if (search_replace_before(&a->files, &a->ix, &a->d, err) < 0 ||
	    (!a->d.empty && search_store(&a->ix, &a->d, &changed, err) < 0) ||
	    search_replace_after(&a->files, &a->ix, &a->d, err) < 0)
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
		rc = search_replace_ready(&a->files, &a->ix, err);
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

/* The status: the input may have been cut short. */
static int finish_input(struct adder *a, struct ai_err *err)
{
	int64_t incomplete;

	if (!search_replace_any(&a->files))
		return AI_EXIT_OK;
	if (begin(a, err) < 0)
		return -1;
	if (search_replace_end(&a->files, &a->ix, &incomplete, err) < 0) {
		ai_db_rollback(&a->ix.db);
		return -1;
	}
	if (search_index_commit(&a->ix, err) < 0)
		return -1;
	return incomplete > 0 ? AI_EXIT_DATA : AI_EXIT_OK;
}

static int run_adder(struct adder *a, int argc, char **argv,
		     struct ai_err *err)
{
	static const struct ai_filter filter = {
		.batch = BATCH, .many = many, .empty = true,
	};
	int status, end;

	if (getrandom(&a->run, sizeof(a->run), 0) < 0)
		return ai_err_sys(err, AI_E_OS, errno, "no random numbers");
	a->run = (a->run & INT64_MAX) | 1;
	adder = a;
	/* One writer: more would only wait for each other. */
	ai_loop.jobs = 1;
	status = ai_loop_run(&filter, argc, argv, err);
	if (status < 0)
		return -1;
	end = finish_input(a, err);
	return end < 0 || status == AI_EXIT_OK ? end : status;
}

int search_add(int argc, char **argv, struct ai_err *err)
{
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
	status = run_adder(a, argc, argv, err);
	search_replace_release(&a->files);
	ai_buf_release(&a->acks);
	search_document_release(&a->d);
	search_index_close(&a->ix);
	free(a);
	return status;
}
