/*
 * experiment.c: models that are compared, each on its share of the records.
 *
 * Which arm a record has follows from the experiment's name and the record's
 * id alone: a rerun agrees with it, in whatever order the records come, and
 * another experiment shares them out anew.  The ledger books all arms under the
 * experiment, whose budget they share; what tells them apart is the model.
 */
#include "complete.h"

#include "base/start.h"
#include "base/utf8.h"
#include "crypt/hash.h"

#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX 1e6

struct arm {
	char *models;
	double until; /* the sum of the weights up to its own */
};

static struct {
	struct arm *v;
	size_t n;
} arms;

/* ---- the command line -------------------------------------------------------- */

/* "MODELS=WEIGHT": no model's name has a '=' in it. */
static int take_arm(size_t i, const char *text, struct ai_err *err)
{
	const char *eq = strrchr(text, '=');
	double weight;

	if (eq == NULL || eq == text ||
	    ai_parse_f64(ai_span_of(eq + 1), &weight) < 0 ||
	    !(weight > 0 && weight <= WEIGHT_MAX))
		return ai_err_set(err, AI_E_USAGE, "--arm: '%.100s' is not "
				  "MODEL=WEIGHT with a weight above 0", text);
	for (size_t k = 0; k < i; k++)
		if (strncmp(arms.v[k].models, text, (size_t)(eq - text)) == 0 &&
		    arms.v[k].models[eq - text] == '\0')
			return ai_err_set(err, AI_E_USAGE, "--arm: '%.100s' is "
					  "there twice", arms.v[k].models);
	arms.v[i].models = ai_span_dup((struct ai_span){
		text, (size_t)(eq - text) });
	if (arms.v[i].models == NULL)
		return ai_err_nomem(err);
	arms.v[i].until = weight + (i > 0 ? arms.v[i - 1].until : 0);
	return complete_chain_check(arms.v[i].models, err);
}

static int check(const struct ai_opt_list *list, struct ai_err *err)
{
	if (ai_paid.experiment == NULL || *ai_paid.experiment == '\0')
		return ai_err_set(err, AI_E_USAGE, "--arm: give the experiment "
				  "a name with --experiment");
	if (ai_utf8_valid(ai_paid.experiment, strlen(ai_paid.experiment)) !=
	    strlen(ai_paid.experiment))
		return ai_err_set(err, AI_E_USAGE,
				  "--experiment: the name is not UTF-8");
	if (list->n < 2)
		return ai_err_set(err, AI_E_USAGE, "--arm: an experiment has "
				  "two of them at least");
	if (ai_start_given(&complete_settings.model) ||
	    ai_start_given(&complete_settings.routes))
		return ai_err_set(err, AI_E_USAGE, "--arm says which models "
				  "are asked: it goes not with -m or --route");
	return 0;
}

int complete_experiment_load(struct ai_err *err)
{
	const struct ai_opt_list *list = &complete_settings.arms;

	if (list->n == 0)
		return 0;
	if (check(list, err) < 0)
		return -1;
	arms.v = calloc(list->n, sizeof *arms.v);
	if (arms.v == NULL)
		return ai_err_nomem(err);
	arms.n = list->n;
	for (size_t i = 0; i < list->n; i++)
		if (take_arm(i, list->v[i], err) < 0)
			return -1;
	return 0;
}

void complete_experiment_unload(void)
{
	for (size_t i = 0; i < arms.n; i++)
		free(arms.v[i].models);
	free(arms.v);
	arms.v = NULL;
	arms.n = 0;
}

int complete_experiment_each(int (*each)(const char *models,
					 struct ai_err *err),
			     struct ai_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < arms.n && rc == 0; i++)
		rc = each(arms.v[i].models, err);
	return rc;
}

/* ---- records -------------------------------------------------------------------- */

/* A number from 0 up to 1 that the two names have alone. */
static double place_of(const char *experiment, const struct ai_buf *id)
{
	unsigned char bytes[8];
	char hex[AI_HASH_HEX];
	struct ai_hash h;
	uint64_t n = 0;

	ai_hash_init(&h);
	ai_hash_add(&h, experiment, strlen(experiment) + 1);
	ai_hash_add(&h, id->p, id->len);
	ai_hash_hex(&h, hex);
	ai_unhex(hex, 2 * sizeof bytes, bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		n = n << 8 | bytes[i];
	/* What a double holds exactly. */
	return (double)(n >> 11) / (double)((uint64_t)1 << 53);
}

int complete_experiment_take(const struct complete_request *q,
			     const struct ai_rec *rec, const char **arm,
			     struct ai_err *err)
{
	struct ai_value v = q->prompt.messages;
	struct ai_span asked = v.kind == AI_ARRAY ? v.s : (struct ai_span){
		ai_buf_cstr(&q->prompt.text), q->prompt.text.len };
	struct ai_buf id = AI_BUF_INIT(COMPLETE_TEXT_MAX);
	size_t i = 0;
	double at;

	*arm = NULL;
	if (arms.n == 0)
		return 0;
	ai_rec_id(rec, asked.p, asked.n, &id);
	if (ai_buf_check(&id, "the record's id", err) < 0) {
		ai_buf_release(&id);
		return -1;
	}
	at = place_of(ai_paid.experiment, &id) * arms.v[arms.n - 1].until;
	ai_buf_release(&id);
	while (i + 1 < arms.n && at >= arms.v[i].until)
		i++;
	*arm = arms.v[i].models;
	return 0;
}
