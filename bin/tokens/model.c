/*
 * model.c: which encoding a model has, what is known of it where it has none
 * that is public, and whether a text fits into it.
 *
 * Names of OpenAI's are known without the catalog, which takes a few
 * milliseconds to read; then the catalog says, and then the vendor, by the
 * name.
 */
#include "tokens.h"

#include "base/start.h"
#include "model/catalog.h"
#include "model/tokenizer.h"

#include <string.h>

struct tokens_model tokens_model;

static struct {
	int64_t context, max_output; /* 0: not known */
	int64_t reserve;
} fit;

#define RESERVE 4096 /* as ai-complete asks for */

/* instead: what else may be done. */
static int no_such(const struct ai_catalog *c, const char *name,
		   const char *instead, struct ai_err *err)
{
	char near[AI_CATALOG_NAME];
	struct ai_err why = *err;

	if (ai_tokenizer_is_known(name))
		return ai_err_set(err, AI_E_CONFIG, "'%.100s' is an encoding, "
				  "not a model; --encoding names one", name);
	if (!ai_catalog_nearest(c, ai_span_of(name), near, sizeof near))
		return ai_err_set(err, AI_E_CONFIG, "the model '%.100s' is not "
				  "known; %s", name, instead);
	if (strcmp(near, name) == 0) /* there are several */
		return ai_err_set(err, AI_E_CONFIG, "%s", why.msg);
	return ai_err_set(err, AI_E_CONFIG, "the model '%.100s' is not known; "
			  "did you mean '%.100s'? (%s)", name, near,
			  instead);
}

/* By the catalog's entry, for as long as the program runs. */
static int from_entry(const struct ai_model *m, const char *name)
{
	static char encoding[sizeof m->encoding];

	memcpy(encoding, m->encoding, sizeof encoding);
	if (encoding[0] != '\0') {
		tokens_model.encoding = encoding;
		return 0;
	}
	tokens_model.encoding = AI_BPE_DEFAULT;
	tokens_model.kin = ai_kin_of(name);
	if (tokens_model.kin == NULL)
		tokens_model.kin = ai_kin_unknown();
	return 0;
}

static int from_catalog(const struct ai_catalog *c, const char *name,
			struct ai_err *err)
{
	struct ai_model m;
	int rc = ai_catalog_find(c, ai_span_of(name), NULL, &m, err);

	if (rc == 0)
		return from_entry(&m, name);
	/* New models of a vendor whose others are known. */
	tokens_model.kin = ai_kin_of(name);
	tokens_model.encoding = AI_BPE_DEFAULT;
	return tokens_model.kin != NULL ? 0 : no_such(c, name, "name its "
			"encoding with --encoding, or let its provider count "
			"with --exact", err);
}

static int choose_encoding(const char *name, struct ai_err *err)
{
	const struct ai_catalog *c;

	tokens_model.encoding = ai_bpe_encoding_for_model(name);
	if (tokens_model.encoding != NULL)
		return 0;
	if (ai_catalog_shared(&c, err) < 0)
		return -1;
	return from_catalog(c, name, err);
}

/* ---- --fit -------------------------------------------------------------------- */

static int take_limits(const struct ai_model *m, const char *name,
		       struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	if (m->context == 0)
		return ai_err_set(err, AI_E_CONFIG, "the context of the model "
				  "'%.100s' is not known", name);
	fit.context = m->context;
	fit.max_output = m->max_output;
	if (m->gives == AI_VECTOR)
		fit.reserve = 0;
	else if (m->max_output > 0 && m->max_output < RESERVE)
		fit.reserve = m->max_output;
	else
		fit.reserve = RESERVE;
	if (s->reserve >= 0)
		fit.reserve = s->reserve;
	if (m->max_output > 0 && fit.reserve > m->max_output)
		return ai_err_set(err, AI_E_USAGE, "--reserve: '%.100s' "
				  "answers with at most %lld tokens", name,
				  (long long)m->max_output);
	return 0;
}

static int choose_fit(const char *name, struct ai_err *err)
{
	const struct ai_catalog *c;
	struct ai_model m;

	if (ai_catalog_shared(&c, err) < 0)
		return -1;
	if (ai_catalog_find(c, ai_span_of(name), NULL, &m, err) < 0)
		return no_such(c, name, "--truncate N cuts to a size that you "
			       "know", err);
	return take_limits(&m, name, err);
}

bool tokens_fit(size_t tokens, int64_t *left)
{
	*left = fit.context - (int64_t)tokens;
	if (fit.max_output > 0 && *left > fit.max_output)
		*left = fit.max_output;
	return *left >= fit.reserve;
}

void tokens_fit_put(struct ai_buf *json, size_t tokens)
{
	int64_t left;
	bool fits = tokens_fit(tokens, &left);

	ai_put_key(json, "fits");
	ai_put_bool(json, fits);
	ai_put_key(json, "left");
	ai_put_i64(json, left);
	ai_put_key(json, "context");
	ai_put_i64(json, fit.context);
}

/* --encoding on the command line is stronger than -m, anything else weaker. */
int tokens_model_choose(struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	tokens_model.encoding = s->encoding;
	tokens_model.name = s->model != NULL ? s->model : s->fit;
	if (s->fit != NULL && choose_fit(s->fit, err) < 0)
		return -1;
	if (tokens_model.name == NULL || s->exact ||
	    ai_start_given(&s->encoding))
		return 0;
	return choose_encoding(tokens_model.name, err);
}
