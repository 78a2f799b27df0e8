/* local.c: models that are built in. */
#include "complete.h"

#include "base/clock.h"

#include <string.h>

bool complete_is_local(const char *model)
{
	return strncmp(model, "local/", 6) == 0;
}

int complete_local_check(const char *model, struct ai_err *err)
{
	if (complete_settings.count)
		return ai_err_set(err, AI_E_CONFIG, "%.100s asks nobody: there "
				  "is nothing to count", model);
	if (strcmp(model, COMPLETE_LOCAL) == 0)
		return 0;
	return ai_err_set(err, AI_E_CONFIG,
			  "no model '%.100s': the built-in one is "
			  COMPLETE_LOCAL, model);
}

int complete_local_ask(const struct complete_request *q,
		       struct complete_answer *a, struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	struct ai_span question = { ai_buf_cstr(&q->prompt.text),
				    q->prompt.text.len };
	double begun_s;
	int rc;

	if (complete_params_local(&q->params, &q->prompt, err) < 0)
		return -1;
	if (!q->hits.given)
		return ai_err_set(err, AI_E_RECORD,
				  COMPLETE_LOCAL " quotes from hits, and the "
				  "record has none: put ai-search before it");
	begun_s = ai_clock_s();
	rc = complete_extract(&q->hits, question, (size_t)s->sentences,
			      s->threshold, a, err);
	a->call.attempts = 1;
	a->call.latency_s = ai_clock_s() - begun_s;
	return rc;
}
