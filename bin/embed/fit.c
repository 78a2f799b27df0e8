/*
 * fit.c: models that are fitted on texts (text/fit.h): making one with the
 * verb fit, using one of a file, and local/words, the one that comes along.
 */
#include "embed.h"

#include "base/msg.h"
#include "base/path.h"
#include "base/start.h"
#include "text/fit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_FILE "words.emb"

struct embed_fit_settings embed_fit_settings;

/* ---- fit ---------------------------------------------------------------- */

/* The model that is fitted; one thread adds to it. */
static struct ai_fit *fit;

static int fit_open(void **state, struct ai_err *err)
{
	struct ai_buf *text = calloc(1, sizeof *text);

	if (text == NULL)
		return ai_err_nomem(err);
	ai_buf_init(text, (size_t)ai_loop.max_line);
	*state = text;
	return 0;
}

static void fit_close(void *state)
{
	ai_buf_release(state);
	free(state);
}

/* Nothing is written of a record that could be used. */
static int fit_each(void *state, struct ai_rec *rec, struct ai_emit *out,
		    struct ai_err *err)
{
	struct ai_buf *text = state;

	(void)out;
	ai_buf_clear(text);
	if (embed_text(rec, text, err) < 0)
		return -1;
	return ai_fit_add(fit, ai_buf_cstr(text), text->len, err);
}

/* Writes it to this file, which is made or is no regular one. */
static int write_to(const char *path, int flags, struct ai_err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666), rc;

	if (fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%s'",
				  path);
	rc = ai_fit_write(fit, fd, err);
	/* A pipe cannot be synced, and says so. */
	if (rc == 0 && fsync(fd) < 0 && flags != 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%s'", path);
	if (close(fd) < 0 && rc == 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%s'", path);
	return rc;
}

/* To a file beside it, which then takes its name: whoever has the old model
 * mapped keeps it.  Two that write at once have two such files. */
static int replace_model(const char *path, struct ai_err *err)
{
	char *part = NULL;
	int rc;

	if (asprintf(&part, "%s.part-%ld", path, (long)getpid()) < 0)
		return ai_err_nomem(err);
	rc = write_to(part, O_CREAT | O_TRUNC, err);
	if (rc == 0 && rename(part, path) < 0)
		rc = ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%s'",
				path);
	if (rc < 0)
		unlink(part);
	free(part);
	return rc;
}

/* What a link leads to is replaced, and not the link; a device or a pipe is
 * written to. */
static int write_model(const char *path, struct ai_err *err)
{
	struct stat st;
	char *real;
	int rc;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_to(path, 0, err);
	real = realpath(path, NULL);
	rc = replace_model(real != NULL ? real : path, err);
	free(real);
	return rc;
}

static int fit_options(struct ai_fit_options *o, struct ai_err *err)
{
	int64_t dim = embed_settings.dim;

	if (embed_fit_settings.output == NULL)
		return ai_err_set(err, AI_E_USAGE, "fit: -o FILE says where "
				  "the model goes");
	if (dim > 0 && (dim % 2 != 0 || dim > 2 * AI_FIT_PART_MAX))
		return ai_err_set(err, AI_E_USAGE, "--dim: a fitted model has "
				  "an even number of dimensions, %d at most",
				  2 * AI_FIT_PART_MAX);
	*o = (struct ai_fit_options){ .topics = (uint32_t)dim / 2,
				      .words = (uint32_t)dim / 2 };
	/* The order of the texts is part of the model. */
	ai_loop.jobs = 1;
	return 0;
}

int embed_fit_run(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = fit_each, .open = fit_open, .close = fit_close,
	};
	struct ai_fit_options o;
	int rc = fit_options(&o, err);
	uint64_t texts;

	if (rc == 0)
		rc = ai_fit_new(&fit, &o, err);
	if (rc < 0)
		return rc;
	rc = ai_loop_run(&filter, argc, argv, err);
	texts = ai_fit_texts(fit);
	/* A file is begun only when it will soon be whole. */
	if (rc >= 0 && (ai_fit_make(fit, err) < 0 ||
			write_model(embed_fit_settings.output, err) < 0))
		rc = -1;
	if (rc >= 0 && texts < AI_FIT_TEXTS_MIN)
		ai_msg(AI_MSG_WARN, "%llu texts are few to fit a model on; "
		       "below %d " EMBED_WORDS " usually is the better one",
		       (unsigned long long)texts, AI_FIT_TEXTS_MIN);
	ai_fit_free(fit);
	fit = NULL;
	return rc;
}

/* ---- with a model ------------------------------------------------------- */

static struct ai_fitted *model;

struct worker {
	struct ai_buf text;
	struct ai_fitted_work work;
	float vector[3 * AI_FIT_PART_MAX];
};

static int fitted_open(void **state, struct ai_err *err)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&w->text, (size_t)ai_loop.max_line);
	*state = w;
	return 0;
}

static void fitted_close(void *state)
{
	struct worker *w = state;

	ai_fitted_work_release(&w->work);
	ai_buf_release(&w->text);
	free(w);
}

static int fitted_each(void *state, struct ai_rec *rec, struct ai_emit *out,
		       struct ai_err *err)
{
	struct worker *w = state;

	ai_buf_clear(&w->text);
	if (embed_text(rec, &w->text, err) < 0 ||
	    ai_fitted_embed(model, &w->work, ai_buf_cstr(&w->text),
			    w->text.len, w->vector, NULL, err) < 0 ||
	    embed_set(rec, w->vector, ai_fitted_dim(model), err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

bool embed_is_fitted(const char *name)
{
	char head[8];
	ssize_t n;
	int fd;

	if (strcmp(name, EMBED_WORDS) == 0)
		return true;
	if (ai_client.base_url != NULL && *ai_client.base_url != '\0')
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	n = read(fd, head, sizeof head);
	close(fd);
	return n > 0 && ai_fitted_magic(head, (size_t)n);
}

static int open_model(struct ai_err *err)
{
	char *path = NULL;
	int rc;

	if (strcmp(embed_settings.model, EMBED_WORDS) != 0)
		return ai_fitted_open(&model, embed_settings.model, err);
	rc = ai_path_data(WORDS_FILE, &path, err);
	if (rc == 0)
		rc = ai_fitted_open(&model, path, err);
	free(path);
	return rc;
}

int embed_fitted_run(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = fitted_each, .open = fitted_open,
		.close = fitted_close,
	};
	int rc = open_model(err);

	if (rc == 0 && embed_settings.dim > 0 &&
	    (size_t)embed_settings.dim != ai_fitted_dim(model))
		rc = ai_err_set(err, AI_E_USAGE, "--dim: '%.200s' has %zu "
				"dimensions and no others",
				embed_settings.model, ai_fitted_dim(model));
	if (rc == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	ai_fitted_free(model);
	model = NULL;
	return rc;
}
