/* static.c: models of a file that need no server (model/static.h). */
#include "embed.h"

#include "model/static.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ai_static *model;

/* A folder may be called as a provider is: "./openai/x" names it then. */
static bool is_providers(const char *name)
{
	const struct ai_span first = { name, strcspn(name, "/") };
	const char *p;
	bool has_key;

	for (size_t i = 0; (p = ai_provider_at(i, &has_key)) != NULL; i++)
		if (name[first.n] == '/' && ai_span_is(first, p))
			return true;
	return false;
}

bool embed_is_static(const char *name)
{
	return (ai_client.base_url == NULL || *ai_client.base_url == '\0') &&
		!is_providers(name) && ai_static_is(name);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

int embed_check_path(const char *name, struct ai_err *err)
{
	struct stat st;

	if ((ai_client.base_url != NULL && *ai_client.base_url != '\0') ||
	    is_providers(name) ||
	    (strchr(name, '/') == NULL && !ends_with(name, ".emb") &&
	     !ends_with(name, ".safetensors")))
		return 0;
	if (stat(name, &st) < 0 && errno == ENOENT)
		return 0;
	if (access(name, R_OK) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%.200s'",
				  name);
	return ai_err_set(err, AI_E_DATA, "'%.200s' is no embedding model: "
			  "ai-embed fit makes one, and a static one is a folder "
			  "with model.safetensors, tokenizer.json and "
			  "config.json", name);
}

struct worker {
	struct ai_buf text;
	struct ai_bpe_ids ids;
	size_t dim;
	float vector[];
};

static size_t dim_of(void)
{
	return embed_settings.dim > 0 ? (size_t)embed_settings.dim
				      : ai_static_dim(model);
}

static int static_open(void **state, struct ai_err *err)
{
	struct worker *w = calloc(1, sizeof *w + dim_of() * sizeof(float));

	if (w == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&w->text, (size_t)ai_loop.max_line);
	w->dim = dim_of();
	*state = w;
	return 0;
}

static void static_close(void *state)
{
	struct worker *w = state;

	ai_buf_release(&w->text);
	ai_bpe_ids_release(&w->ids);
	free(w);
}

static int static_each(void *state, struct ai_rec *rec, struct ai_emit *out,
		       struct ai_err *err)
{
	struct worker *w = state;
	const struct embed_made made = {
		.model = embed_settings.model,
		.cut_from = w->dim < ai_static_dim(model)
			? ai_static_dim(model) : 0,
	};

	ai_buf_clear(&w->text);
	if (embed_text(rec, &w->text, err) < 0 ||
	    ai_static_embed(model, ai_buf_cstr(&w->text), w->text.len, &w->ids,
			    w->vector, w->dim, err) < 0 ||
	    embed_set_made(rec, &made, w->vector, w->dim, err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

int embed_static_run(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = static_each, .open = static_open,
		.close = static_close,
	};
	int rc = ai_static_open(&model, embed_settings.model, err);

	if (rc == 0 && dim_of() > ai_static_dim(model))
		rc = ai_err_set(err, AI_E_USAGE, "--dim: '%.200s' has %zu "
				"dimensions", embed_settings.model,
				ai_static_dim(model));
	if (rc == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	ai_static_close(model);
	model = NULL;
	return rc;
}
