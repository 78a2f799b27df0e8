/* tokens.c: which encoding, and one worker's life. */
#include "tokens.h"

#include "base/start.h"

#include <stdlib.h>
#include <string.h>

struct tokens_settings tokens_settings = { .truncate = -1 };

/* What a large record made is not kept for the small ones after it. */
#define KEEP_BYTES ((size_t)1 << 20)

static const char *encoding_name; /* what the options say */

unsigned tokens_flags(void)
{
	return tokens_settings.special ? AI_BPE_SPECIAL : 0;
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

	while (i + 1 < TOKENS_ENCODINGS && ai_bpe_encoding_at(i) != NULL &&
	       strcmp(ai_bpe_encoding_at(i), name) != 0)
		i++;
	if (w->open[i] == NULL && ai_bpe_open(&w->open[i], name, err) < 0)
		return -1;
	*bpe = w->open[i];
	return 0;
}

static void worker_close(void *state)
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

static int worker_open(void **state, struct ai_err *err)
{
	struct tokens_worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&w->text, TOKENS_TEXT_MAX);
	ai_buf_init(&w->json, TOKENS_TEXT_MAX);
	ai_buf_init(&w->out, TOKENS_TEXT_MAX);
	if (tokens_encoding(w, encoding_name, &w->bpe, err) < 0) {
		worker_close(w);
		return -1;
	}
	*state = w;
	return 0;
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct tokens_worker *w = state;
	int rc;

	ai_buf_shrink(&w->text, KEEP_BYTES);
	ai_buf_shrink(&w->json, KEEP_BYTES);
	ai_buf_shrink(&w->out, KEEP_BYTES);
	if (w->ids.cap > KEEP_BYTES / sizeof *w->ids.v)
		ai_bpe_ids_release(&w->ids);
	w->ids.n = 0;
	rc = tokens_settings.decode ? tokens_decode(w, rec, out, err)
				    : tokens_count(w, rec, out, err);
	return rc;
}

/* --encoding on the command line is stronger than -m, anything else weaker. */
static int choose_encoding(struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	encoding_name = ai_bpe_encoding_at((size_t)s->encoding);
	if (s->model == NULL || ai_start_given(&s->encoding))
		return 0;
	encoding_name = ai_bpe_encoding_for_model(s->model);
	if (encoding_name == NULL)
		return ai_err_set(err, AI_E_CONFIG,
				  "the encoding of model '%s' is not known; "
				  "name one with --encoding, or ask its "
				  "provider with --exact", s->model);
	return 0;
}

int tokens_run(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .open = worker_open, .close = worker_close,
	};
	static const struct ai_filter exact = {
		.batch = TOKENS_BATCH, .eager = true,
		.many = tokens_exact_many, .open = tokens_exact_open,
		.close = tokens_exact_close,
	};
	const struct tokens_settings *s = &tokens_settings;

	if (s->exact)
		return tokens_exact_check(err) < 0 ? -1 :
			ai_loop_run(&exact, argc, argv, err);
	if (s->decode && (s->encode || s->truncate >= 0))
		return ai_err_set(err, AI_E_USAGE, "--decode goes neither "
				  "with --encode nor with --truncate");
	if (choose_encoding(err) < 0)
		return -1;
	return ai_loop_run(&filter, argc, argv, err);
}
