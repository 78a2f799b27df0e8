/*
 * add.c: records in, one transaction for many.
 *
 * With --ack a transaction is a batch, which is what could be read without
 * waiting, at most BATCH records, and ids are acknowledged after the commit.
 * Else it goes on for as long as there is something to read, up to
 * TRANSACTION_BYTES and TRANSACTION_S: each costs syncs, and pages of the
 * index of ids that are written once more.  When a file has changed, its old
 * passages go in the transaction that brings the last one missing of the new
 * ones: killed before that, both are there, and the same command run again
 * finishes the work.  A file that became empty brings one record, which is
 * its first and last and leaves nothing behind.
 */
#include "formats.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define BATCH 16384
#define BATCH_BYTES ((size_t)512 << 10)
#define LINGER_MS 100 /* a pipe gives 64 KiB, for which a batch is dear */
#define REST_MS 400
#define TRANSACTION_BYTES ((size_t)64 << 20) /* of texts */
#define TRANSACTION_S 2

struct adder {
	struct search_index ix;
	struct search_document d;
	struct search_replacements files;
	int64_t run;        /* the number of this one, above 0 */
	bool open, changed; /* a transaction is; it is more than it was */
	double since;       /* ai_clock_s() of its begin */
	size_t bytes;       /* of texts in it */
	struct ai_buf acks; /* lines for after the commit */
	struct ai_buf line; /* a record of another shape as one of ours */
	struct search_npy npy;
	int64_t row;        /* of npy: the next one */
	float *vector;      /* owned, or NULL */
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

/* How words are read is decided before the first document. */
static int apply_words(struct search_index *ix, struct ai_err *err)
{
	struct search_info *i = &ix->info;
	bool new = i->next == 1;

	if (search.analyzer != NULL && search.analyzer[0] != '\0') {
		if (!new && strcmp(i->analyzer, search.analyzer) != 0)
			return ai_err_set(err, AI_E_DATA, "the index '%.150s' "
					  "was built with the analyzer %s, not "
					  "with %.40s", search.index,
					  i->analyzer, search.analyzer);
		snprintf(i->analyzer, sizeof(i->analyzer), "%s",
			 search.analyzer);
	}
	if (new)
		i->boost = search.title_weight;
	/* Not to give it is to take the index's own. */
	if (i->boost != search.title_weight &&
	    ai_start_said(&search.title_weight))
		return ai_err_set(err, AI_E_DATA, "the index '%.150s' was "
				  "built with the title weight %lld, not with "
				  "%lld", search.index, (long long)i->boost,
				  (long long)search.title_weight);
	return search_index_analyzer(ix, err);
}

/* A name that is none is told before there is an index. */
static int check_analyzer(struct ai_err *err)
{
	struct ai_analyzer *a;

	if (search.analyzer == NULL || search.analyzer[0] == '\0')
		return 0;
	a = search_analyzer_new(search.analyzer, err);
	search_analyzer_free(a);
	return a == NULL ? -1 : 0;
}

/* Unless one is open already. */
static int begin(struct adder *a, struct ai_err *err)
{
	if (a->open)
		return 0;
	if (search_index_begin(&a->ix, true, err) < 0)
		return -1;
	if (apply_model(&a->ix.info, err) == 0 &&
	    apply_words(&a->ix, err) == 0) {
		a->open = true;
		a->changed = false;
		a->bytes = 0;
		a->since = ai_clock_s();
		return 0;
	}
	search_index_rollback(&a->ix);
	return -1;
}

/* Another writer looks every tenth of a second whether it may (SQLite's busy
 * handler), and would look in vain: our next transaction begins sooner. */
static int commit(struct adder *a, bool last, struct ai_err *err)
{
	static const struct timespec turn = { 0, 150000000 };

	a->open = false;
	if (search_index_commit(&a->ix, last, err) < 0)
		return -1;
	if (!last && search_index_is_wanted(&a->ix))
		nanosleep(&turn, NULL);
	return 0;
}

/* Undoes what is open, after a failure. */
static int undo(struct adder *a, struct ai_err *err)
{
	a->open = false;
	search_index_rollback(&a->ix);
	return search_damaged(&a->ix, err);
}

static bool is_large(const struct adder *a)
{
	return a->bytes >= TRANSACTION_BYTES ||
	       ai_clock_s() - a->since >= TRANSACTION_S;
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

static int next_vector(struct adder *a, float **vector, struct ai_err *err)
{
	bool none;

	*vector = NULL;
	if (search.vectors == NULL)
		return 0;
	if (a->row++ >= a->npy.rows)
		return ai_err_set(err, AI_E_RECORD, "'%.200s' has %lld rows; "
				  "this is record %lld", search.vectors,
				  (long long)a->npy.rows, (long long)a->row);
	search_npy_row(&a->npy, a->row - 1, a->vector, &none);
	if (!none)
		*vector = a->vector;
	return 0;
}

static int read_record(struct adder *a, struct ai_rec *rec, struct ai_err *err)
{
	struct ai_rec own;
	float *vector;
	int rc = -1;

	if (!search_must_convert())
		return search_document_read(&a->d, rec, &a->ix.info, err);
	if (next_vector(a, &vector, err) < 0 ||
	    search_convert(rec, vector, a->npy.dim, &a->line, err) < 0)
		return -1;
	ai_rec_init(&own);
	if (ai_rec_parse(&own, (struct ai_span){ a->line.p, a->line.len },
			 rec->number, err) == 0)
		rc = search_document_read(&a->d, &own, &a->ix.info, err);
	ai_rec_release(&own);
	return rc;
}

static int open_input(struct adder *a, struct ai_err *err)
{
	if (search.format == SEARCH_NPY)
		return ai_err_set(err, AI_E_USAGE, "a .npy file has vectors "
				  "alone: name it with --vectors, and give the "
				  "records in another --format");
	if (search.vectors == NULL)
		return 0;
	if (search_npy_open(&a->npy, search.vectors, err) < 0)
		return -1;
	a->vector = malloc((a->npy.dim + 1) * sizeof(*a->vector));
	return a->vector == NULL ? ai_err_nomem(err) : 0;
}

/* A record that is wrong comes out as an error; what the database refuses
 * ends everything. */
static int add_record(struct adder *a, struct ai_rec *rec, struct ai_emit *out,
		      struct ai_err *err)
{
	struct ai_err why = { AI_E_NONE, -1, "" };
	bool changed = false;

	if (read_record(a, rec, &why) < 0)
		return ai_emit_fail(out, rec, &why, err);
	a->d.run = run_of(a);
	if (search_replace_before(&a->files, &a->ix, &a->d, err) < 0 ||
	    (!a->d.empty && search_store(&a->ix, &a->d, &changed, err) < 0) ||
	    search_replace_after(&a->files, &a->ix, &a->d, err) < 0)
		return -1;
	a->bytes += a->d.text.len;
	a->changed |= changed;
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
	if (rc < 0)
		return undo(a, err);
	if ((search.ack || is_large(a)) && commit(a, false, err) < 0)
		return -1;
	if (a->acks.len == 0)
		return 0;
	return ai_emit_line(out, a->acks.p, a->acks.len - 1, err);
}

/* Nothing more comes for a while: who searches finds what has come. */
static int rest(void *state, struct ai_err *err)
{
	(void)state;
	return adder->open ? commit(adder, false, err) : 0;
}

/* The status: the input may have been cut short. */
static int finish_input(struct adder *a, struct ai_err *err)
{
	bool any = search_replace_any(&a->files);
	int64_t incomplete;

	if (!any && !a->ix.untidy && !(a->open && a->changed))
		return a->open ? commit(a, false, err) : AI_EXIT_OK;
	if (begin(a, err) < 0)
		return -1;
	if (search_replace_end(&a->files, &a->ix, &incomplete, err) < 0)
		return undo(a, err);
	if (commit(a, true, err) < 0)
		return -1;
	return incomplete > 0 ? AI_EXIT_DATA : AI_EXIT_OK;
}

static int run_adder(struct adder *a, int argc, char **argv,
		     struct ai_err *err)
{
	const struct ai_filter filter = {
		.batch = BATCH, .many = many, .empty = true,
		/* Who asks for acknowledgements waits for them. */
		.batch_bytes = search.ack ? 0 : BATCH_BYTES,
		.linger_ms = search.ack ? 0 : LINGER_MS,
		.rest = rest, .rest_ms = REST_MS,
	};
	struct ai_err why;
	int status, end;

	if (getrandom(&a->run, sizeof(a->run), 0) < 0)
		return ai_err_sys(err, AI_E_OS, errno, "no random numbers");
	a->run = (a->run & INT64_MAX) | 1;
	adder = a;
	/* One writer: more would only wait for each other. */
	ai_loop.jobs = 1;
	status = ai_loop_run(&filter, argc, argv, err);
	if (status < 0) {
		/* What was read before the input failed stays. */
		if (a->open)
			commit(a, false, &why);
		return -1;
	}
	end = finish_input(a, err);
	return end < 0 || status == AI_EXIT_OK ? end : status;
}

int search_add(int argc, char **argv, struct ai_err *err)
{
	struct adder *a = calloc(1, sizeof(*a));
	int status;

	if (a == NULL)
		return ai_err_nomem(err);
	if (check_analyzer(err) < 0 || open_input(a, err) < 0 ||
	    search_index_open(&a->ix, AI_DB_CREATE, err) < 0) {
		search_npy_close(&a->npy);
		free(a->vector);
		free(a);
		return -1;
	}
	search_document_init(&a->d);
	ai_buf_init(&a->acks, (size_t)1 << 28);
	ai_buf_init(&a->line, (size_t)1 << 31);
	status = run_adder(a, argc, argv, err);
	search_replace_release(&a->files);
	if (status == AI_EXIT_OK && a->row < a->npy.rows)
		ai_msg(AI_MSG_WARN, "'%s' has %lld rows, but only %lld records "
		       "came", search.vectors, (long long)a->npy.rows,
		       (long long)a->row);
	search_npy_close(&a->npy);
	free(a->vector);
	ai_buf_release(&a->line);
	ai_buf_release(&a->acks);
	search_document_release(&a->d);
	search_index_close(&a->ix);
	free(a);
	return status;
}
