/* tokens.c: which encoding, and one worker's life. */
#include "tokens.h"

#include "base/names.h"
#include "base/start.h"
#include "model/tokenizer.h"

#include <stdlib.h>
#include <string.h>

struct tokens_settings tokens_settings = {
	.truncate = -1, .reserve = -1, .mark = " [...]",
};

/* What a large record made is not kept for the small ones after it. */
#define KEEP_BYTES ((size_t)1 << 20)

static struct ai_bpe *asked_for; /* the encoding, for all threads */

unsigned tokens_flags(void)
{
	return tokens_settings.special == TOKENS_ALLOW ? AI_BPE_SPECIAL : 0;
}

bool tokens_encoding_given(void)
{
	return ai_start_given(&tokens_settings.encoding) ||
	       ai_start_given(&tokens_settings.model);
}

int tokens_encoding(struct tokens_worker *w, const char *name,
		    struct ai_bpe **bpe, struct ai_err *err)
{
	size_t i = 0;

	/* A file that a record names is not opened, if it is not this one. */
	if (asked_for != NULL && strcmp(name, tokens_model.encoding) == 0) {
		*bpe = asked_for;
		return 0;
	}
	while (i + 1 < TOKENS_ENCODINGS && ai_bpe_encoding_at(i) != NULL &&
	       strcmp(ai_bpe_encoding_at(i), name) != 0)
		i++;
	if (w->open[i] == NULL && ai_bpe_open(&w->open[i], name, err) < 0)
		return -1;
	*bpe = w->open[i];
	return 0;
}

void tokens_worker_close(void *state)
{
	struct tokens_worker *w = state;

	if (w == NULL)
		return;
	for (size_t i = 0; i < TOKENS_ENCODINGS; i++)
		ai_bpe_close(w->open[i]);
	ai_bpe_ids_release(&w->ids);
	ai_buf_release(&w->text);
	ai_buf_release(&w->json);
	ai_buf_release(&w->out);
	free(w);
}

int tokens_worker_open(void **state, struct ai_err *err)
{
	struct tokens_worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&w->text, TOKENS_TEXT_MAX);
	ai_buf_init(&w->json, TOKENS_TEXT_MAX);
	ai_buf_init(&w->out, TOKENS_TEXT_MAX);
	if (tokens_encoding(w, tokens_model.encoding, &w->bpe, err) < 0) {
		tokens_worker_close(w);
		return -1;
	}
	*state = w;
	return 0;
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct tokens_worker *w = state;

	ai_buf_shrink(&w->text, KEEP_BYTES);
	ai_buf_shrink(&w->json, KEEP_BYTES);
	ai_buf_shrink(&w->out, KEEP_BYTES);
	if (w->ids.cap > KEEP_BYTES / sizeof *w->ids.v)
		ai_bpe_ids_release(&w->ids);
	w->ids.n = 0;
	return tokens_settings.decode ? tokens_decode(w, rec, out, err)
				      : tokens_count(w, rec, out, err);
}

/* ---- what was asked for ------------------------------------------------------- */

static int check(struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	if (s->decode && (s->encode || s->truncate >= 0 || s->total ||
			  s->top > 0 || s->fit != NULL))
		return ai_err_set(err, AI_E_USAGE, "--decode goes neither "
				  "with --encode nor with --truncate, --fit, "
				  "--total, --top");
	if (s->top > 0 && (s->encode || s->truncate >= 0))
		return ai_err_set(err, AI_E_USAGE, "--top only counts: it "
				  "goes neither with --encode nor with "
				  "--truncate");
	if (s->reserve >= 0 && s->fit == NULL)
		return ai_err_set(err, AI_E_USAGE, "--reserve is for --fit");
	if (s->truncate < 0 && (ai_start_given(&s->keep) ||
				ai_start_given(&s->mark)))
		return ai_err_set(err, AI_E_USAGE, "--keep and --mark are for "
				  "--truncate");
	if (ai_start_given(&s->mark) && s->keep != TOKENS_MIDDLE)
		return ai_err_set(err, AI_E_USAGE, "--mark is for --keep "
				  "middle");
	if (ai_loop.exit_no && s->truncate < 0 && s->fit == NULL)
		return ai_err_set(err, AI_E_USAGE, "-e is for --fit and "
				  "--truncate: nothing else can be answered "
				  "with no");
	if (s->exact)
		return tokens_exact_check(err);
	if (tokens_model_choose(err) < 0)
		return -1;
	if (tokens_model.kin != NULL && (s->encode || s->decode))
		return ai_err_set(err, AI_E_CONFIG, "the ids of '%.100s' are "
				  "not known, only how many there are; name "
				  "an encoding with --encoding",
				  tokens_model.name);
	if (ai_tokenizer_open(&asked_for, tokens_model.encoding, err) == 0)
		return 0;
	if (err->code == AI_E_CONFIG && ai_start_given(&s->encoding) &&
	    !ai_tokenizer_is_known(s->encoding))
		err->code = AI_E_USAGE;
	return -1;
}

static const struct ai_filter *filter_of(void)
{
	static const struct ai_filter records = {
		.each = each, .open = tokens_worker_open,
		.close = tokens_worker_close,
	};
	static const struct ai_filter files = {
		.each = each, .operand = tokens_file,
		.open = tokens_worker_open, .close = tokens_worker_close,
	};
	static const struct ai_filter exact = {
		.batch = TOKENS_BATCH, .eager = true,
		.many = tokens_exact_many, .open = tokens_exact_open,
		.close = tokens_exact_close,
	};

	return tokens_settings.exact ? &exact
		: tokens_files_asked() ? &files : &records;
}

/* All the input, and then what is said of it. */
static int run_all(int argc, char **argv, struct ai_err *err)
{
	static char stdin_name[] = "-";
	char *only_stdin[] = { stdin_name };
	const struct tokens_settings *s = &tokens_settings;
	const struct ai_filter *f = filter_of();
	bool total = s->total || (tokens_files_asked() && argc > 1 &&
				  s->top == 0);
	unsigned long inputs = argc > 0 ? (unsigned long)argc : 1;
	int status;

	tokens_files_width(argc, argv);
	if (f->operand != NULL && argc == 0)
		status = ai_loop_run(f, 1, only_stdin, err);
	else
		status = ai_loop_run(f, argc, argv, err);
	if (status < 0)
		return -1;
	if (f->operand == NULL)
		inputs = ai_loop_files;
	if ((total || s->top > 0) && tokens_sum_write(inputs, total, err) < 0)
		return -1;
	return tokens_files_status() != 0 ? tokens_files_status() : status;
}

int tokens_run(int argc, char **argv, struct ai_err *err)
{
	const char *list = tokens_settings.files_from;
	struct ai_names names;
	int rc = -1;

	if (list != NULL && argc > 0)
		return ai_err_set(err, AI_E_USAGE, "--files0-from and files "
				  "named one by one exclude each other");
	if (check(err) < 0)
		return -1;
	if (list == NULL) {
		rc = run_all(argc, argv, err);
	} else {
		if (ai_names_read(&names, list, err) == 0)
			/* An empty list is no reason to read standard
			 * input. */
			rc = names.n > 0 ? run_all(names.n, names.v, err)
			   : tokens_sum_write(0, tokens_settings.total, err);
		ai_names_release(&names);
	}
	ai_bpe_close(asked_for);
	return rc;
}
