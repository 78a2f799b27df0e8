/*
 * own.c: an index that makes its vectors itself.
 *
 * Of records without an embedding a new index makes its own: from a model that
 * is fitted to its passages (text/fit.h), or, while there are too few of them
 * for that, by local/words, which was fitted to other texts.  The model is
 * fitted at the end of a writer once there are twice as many documents as the
 * last time, and all vectors are made anew; those in between are folded in.
 * What words weigh and which stand together shows as well in FITTED_MAX texts,
 * spread over all, as in more.
 *
 * Such vectors follow from the text, so they are no part of what a document is
 * checked by, and export leaves them out.
 */
#include "search.h"

#include "base/path.h"
#include "base/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FITTED_MAX 131072

void search_own_init(struct search_own *o)
{
	memset(o, 0, sizeof(*o));
	search_texts_init(&o->texts);
	/* As sort(1) has it. */
	o->threads = ai_start_said(&ai_loop.jobs) ? (size_t)ai_loop.jobs
		: ai_threads_usable();
}

bool search_is_own(const struct search_info *info)
{
	return strcmp(info->model, SEARCH_OWN) == 0;
}

/* Of a model that the index fitted itself, the index is to be rebuilt. */
static int bad_model(struct search_index *ix, struct ai_err *err)
{
	struct ai_err why = *err;

	if (ix->info.own != SEARCH_OWN_FITTED || why.code != AI_E_DATA)
		return -1;
	return ai_db_damaged(&ix->db, err, "model-%lld.emb: %.110s",
			     (long long)ix->info.fit, why.msg);
}

static int open_model(struct search_index *ix, struct ai_err *err)
{
	struct search_own *o = &ix->own;
	char *path = NULL;
	int rc = 0;

	if (ix->info.own == SEARCH_OWN_WORDS)
		rc = ai_path_data(SEARCH_WORDS_FILE, &path, err);
	else if ((path = search_file_path(ix, SEARCH_FILE_MODEL,
					  ix->info.fit)) == NULL)
		rc = ai_err_nomem(err);
	if (rc == 0)
		rc = ai_fitted_open(&o->model, path, err);
	free(path);
	if (rc < 0 && err->code == AI_E_OPEN &&
	    ix->info.own == SEARCH_OWN_FITTED)
		return ai_db_damaged(&ix->db, err, "model-%lld.emb is not "
				     "there", (long long)ix->info.fit);
	if (rc < 0)
		return bad_model(ix, err);
	o->fit = ix->info.fit;
	if ((int64_t)ai_fitted_dim(o->model) == ix->info.dim)
		return 0;
	return ai_db_damaged(&ix->db, err, "its model gives vectors of %zu "
			     "dimensions, not %lld", ai_fitted_dim(o->model),
			     (long long)ix->info.dim);
}

void search_own_forget(struct search_own *o)
{
	ai_fitted_free(o->model);
	o->model = NULL;
}

void search_own_release(struct search_own *o)
{
	search_own_forget(o);
	for (size_t i = 0; i < AI_THREADS_MAX; i++)
		ai_fitted_work_release(&o->work[i]);
	search_texts_release(&o->texts);
}

/* The model of the state at hand. */
static int have_model(struct search_index *ix, struct ai_err *err)
{
	struct search_own *o = &ix->own;

	if (o->model != NULL && o->fit != ix->info.fit)
		search_own_forget(o);
	return o->model != NULL ? 0 : open_model(ix, err);
}

int search_own_open(struct search_index *ix, struct ai_err *err)
{
	return ix->info.own == SEARCH_OWN_FITTED ? have_model(ix, err) : 0;
}

int search_own_embed(struct search_index *ix, struct ai_span text, float *v,
		     struct ai_err *err)
{
	struct search_own *o = &ix->own;

	if (have_model(ix, err) < 0)
		return -1;
	if (ai_fitted_embed(o->model, &o->work[0], text.p == NULL ? "" : text.p,
			    text.n, v, NULL, err) < 0)
		return bad_model(ix, err);
	return 0;
}

/* ---- many texts ------------------------------------------------------------------ */

static int embed_text(void *arg, size_t thread, struct ai_span text,
		      void *result, struct ai_err *err)
{
	struct search_index *ix = arg;

	return ai_fitted_embed(ix->own.model, &ix->own.work[thread], text.p,
			       text.n, result, NULL, err);
}

static int take_vector(void *arg, int64_t n, void *result, struct ai_err *err)
{
	return search_pending_vector(arg, n, result, err);
}

/* What gives texts their vectors, with the model that is open. */
static struct search_texts_use embedding(struct search_index *ix)
{
	return (struct search_texts_use){
		.size = (size_t)ix->info.dim * sizeof(float),
		.work = embed_text, .take = take_vector, .arg = ix,
	};
}

int search_own_fold_in(struct search_index *ix, int64_t n, struct ai_span text,
		       struct ai_err *err)
{
	if (search_texts_add(&ix->own.texts, n, text, err) < 0)
		return -1;
	return search_texts_is_full(&ix->own.texts)
		? search_own_flush(ix, err) : 0;
}

bool search_own_awaits(const struct search_index *ix, int64_t n)
{
	const struct search_texts *t = &ix->own.texts;

	return t->n > 0 && n >= t->v[0].row;
}

int search_own_flush(struct search_index *ix, struct ai_err *err)
{
	struct search_own *o = &ix->own;
	struct search_texts_use use;

	if (o->texts.n == 0)
		return 0;
	if (have_model(ix, err) < 0)
		return -1;
	use = embedding(ix);
	return search_texts_do(&o->texts, o->threads, &use, err) < 0
		? bad_model(ix, err) : 0;
}

/* ---- fitting -------------------------------------------------------------------- */

bool search_own_is_due(const struct search_index *ix, bool last)
{
	const struct search_info *i = &ix->info;

	/* A model that nobody has named yet, and no vectors: its own. */
	if (!search_is_own(i) && (i->model[0] != '\0' || i->dim > 0))
		return false;
	if (i->documents == 0)
		return false;
	if (i->documents < AI_FIT_TEXTS_MIN)
		return last && i->own == SEARCH_OWN_NONE;
	if (i->own == SEARCH_OWN_FITTED)
		return i->documents >= (last ? 2 : 8) * i->fitted;
	/* Of fewer texts, or of texts that gave none. */
	return last && (i->fitted < AI_FIT_TEXTS_MIN ||
			i->documents >= 2 * i->fitted);
}

/* The texts of all documents, or of one row in step. */
static int each_text(struct search_index *ix, int64_t step,
		     const struct search_texts_use *u, struct ai_err *err)
{
	struct search_texts *t = &ix->own.texts;
	sqlite3_stmt *st;
	int rc;

	search_texts_clear(t);
	if (SEARCH_BIND(ix, SQL_TEXTS, err, "i", step) < 0)
		return -1;
	st = ix->st[SQL_TEXTS];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0) {
		if (search_texts_add(t, sqlite3_column_int64(st, 0),
				     ai_db_span(st, 1), err) == 0 &&
		    (!search_texts_is_full(t) ||
		     search_texts_do(t, ix->own.threads, u, err) == 0))
			continue;
		sqlite3_reset(st);
		return -1;
	}
	return rc < 0 ? -1 : search_texts_do(t, ix->own.threads, u, err);
}

struct fitting {
	struct ai_fit *fit;
	struct ai_fit_seen *seen[AI_THREADS_MAX];
};

_Static_assert(AI_FIT_READ_MAX / 7 * 3 >= SEARCH_TEXT_MAX,
	       "the terms of the longest text have room");

static int read_text(void *arg, size_t thread, struct ai_span text,
		     void *result, struct ai_err *err)
{
	struct fitting *f = arg;
	struct ai_buf *terms = result;

	if (f->seen[thread] == NULL &&
	    (f->seen[thread] = ai_fit_seen_new()) == NULL)
		return ai_err_nomem(err);
	ai_buf_init(terms, AI_FIT_READ_MAX);
	ai_fit_read(f->fit, text.p, text.n, f->seen[thread], terms);
	return 0;
}

static int fit_text(void *arg, int64_t n, void *result, struct ai_err *err)
{
	(void)n;
	return ai_fit_take(((struct fitting *)arg)->fit, result, err);
}

static void release_terms(void *result)
{
	ai_buf_release(result);
}

static int fit_texts(struct search_index *ix, struct ai_fit *fit,
		     struct ai_err *err)
{
	struct fitting f = { .fit = fit };
	const struct search_texts_use use = {
		.size = sizeof(struct ai_buf), .work = read_text,
		.take = fit_text, .release = release_terms, .arg = &f,
	};
	int64_t n = ix->info.documents;
	int rc = each_text(ix, (n + FITTED_MAX - 1) / FITTED_MAX, &use, err);

	for (size_t i = 0; i < AI_THREADS_MAX; i++)
		ai_fit_seen_free(f.seen[i]);
	return rc;
}

static int write_model(struct search_index *ix, struct ai_fit *fit,
		       struct ai_err *err)
{
	char *path;
	int fd, rc;

	if (search_new_file(ix, SEARCH_FILE_MODEL, &ix->info.fit, &path,
			    err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	rc = fd < 0 ? ai_err_sys(err, AI_E_CREATE, errno,
				 "cannot create '%.200s'", path)
		    : ai_fit_write(fit, fd, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* Sets info's own, fit and fitted.  Texts that have no two words in common
 * give no model; words of other texts must do. */
static int fit_model(struct search_index *ix, struct ai_err *err)
{
	struct ai_fit *fit;
	int rc;

	ix->info.own = SEARCH_OWN_WORDS;
	ix->info.fit = 0;
	ix->info.fitted = ix->info.documents;
	if (ix->info.documents < AI_FIT_TEXTS_MIN)
		return 0;
	if (ai_fit_new(&fit, NULL, err) < 0)
		return -1;
	rc = fit_texts(ix, fit, err);
	if (rc == 0)
		rc = ai_fit_make(fit, err);
	if (rc == 0) {
		ix->info.own = SEARCH_OWN_FITTED;
		rc = write_model(ix, fit, err);
	} else if (err->code == AI_E_DATA) {
		rc = 0;
	}
	ai_fit_free(fit);
	return rc;
}

/* The dimension comes from the model. */
static int adopt(struct search_index *ix, struct ai_err *err)
{
	struct search_info *i = &ix->info;
	struct search_own *o = &ix->own;

	search_own_forget(o);
	i->dim = 0;
	if (open_model(ix, err) < 0 && o->model == NULL)
		return -1;
	i->dim = (int64_t)ai_fitted_dim(o->model);
	memcpy(i->model, SEARCH_OWN, sizeof(SEARCH_OWN));
	search_default_fusion(i);
	return 0;
}

int search_own_fit(struct search_index *ix, struct ai_err *err)
{
	struct search_texts_use use;

	if (search_retire(ix, SEARCH_FILE_MODEL, ix->info.fit, err) < 0 ||
	    fit_model(ix, err) < 0)
		return -1;
	if (adopt(ix, err) < 0)
		return -1;
	if (search_new_rows(ix, err) < 0)
		return -1;
	use = embedding(ix);
	return each_text(ix, 1, &use, err);
}
