/* before.c: what a workflow needs beside its file: models that can be asked, an
 * index to remember things in, or to search.  It is looked at before anything is
 * paid for. */
#include "flow/flow.h"
#include "flow/graph.h"

#include "base/path.h"
#include "base/proc.h"
#include "model/paid.h"

#include "agent.h"
#include "flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_S 30.0
#define ARGS 32

/* "crew.json:12:5: agents.bob.model: why" */
static int refuse(const struct flow *f, size_t i, const char *member,
		  enum ai_code code, const char *why, struct ai_err *err)
{
	return ai_err_set(err, code, "%.80s:%d:%d: agents.%s%s: %.240s",
			  f->path, f->agents[i].line, f->agents[i].column,
			  f->agents[i].name, member, why);
}

/* ---- models -------------------------------------------------------------------- */

/* What it asks; NULL: nobody says. */
static const char *model_of(const struct flow_agent *a)
{
	if (a->model != NULL && !agent_flags_given(&agent.model))
		return a->model;
	return agent.model != NULL && agent.model[0] != '\0' ? agent.model
							     : NULL;
}

struct args {
	const char *v[ARGS];
	size_t n;
};

static void add(struct args *a, const char *option, const char *value)
{
	if (value == NULL)
		return;
	a->v[a->n++] = option;
	a->v[a->n++] = value;
}

/* What ai-complete says of a model before it reads any record is what it would
 * say when it is asked. */
static int ask_about(const char *self, const char *model, struct ai_buf *says,
		     int *status, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(65536);
	struct args a = { { self }, 1 };
	int rc;

	add(&a, "-m", model);
	add(&a, "--base-url", agent.base_url);
	add(&a, "--api", agent.api);
	add(&a, "--replay", agent.replay);
	add(&a, "--ledger", ai_paid.ledger);
	add(&a, "--price", ai_paid.price);
	add(&a, "--template", "");
	add(&a, "--system", "");
	a.v[a.n++] = "-q";
	a.v[a.n] = NULL;
	rc = ai_proc_capture(a.v, -1, CHECK_S, &out, says, status, err);
	ai_buf_release(&out);
	return rc;
}

/* Its first line, without its name. */
static int tell(const struct flow *f, size_t i, enum ai_code code,
		const struct ai_buf *says, struct ai_err *err)
{
	const char *line = ai_buf_cstr((struct ai_buf *)(uintptr_t)says),
		*colon = strstr(line, ": ");
	char why[300];

	if (colon != NULL)
		line = colon + 2;
	snprintf(why, sizeof(why), "%.*s", (int)strcspn(line, "\n"), line);
	return refuse(f, i, ".model", code, why, err);
}

static int check_model(const struct flow *f, size_t i, const char *self,
		       const char *model, struct ai_err *err)
{
	static const enum ai_code ours[] = { AI_E_CONFIG, AI_E_NOT_ALLOWED,
					     AI_E_USAGE, AI_E_OPEN };
	struct ai_buf says = AI_BUF_INIT(4096);
	enum ai_code code;
	int status = 0, rc = ask_about(self, model, &says, &status, err);

	code = ai_code_from_exit(status);
	/* What is out of order now may be in order by then. */
	for (size_t k = 0; rc == 0 && status != 0 && k < 4; k++)
		if (ours[k] == code)
			rc = tell(f, i, code, &says, err);
	ai_buf_release(&says);
	return rc;
}

/* Each model once. */
static int check_models(const struct flow *f, const bool *used,
			struct ai_err *err)
{
	const char *seen[FLOW_AGENTS_MAX], *model;
	size_t n = 0, k;
	char *self;
	int rc = ai_path_sibling("ai-complete", &self, err);

	for (size_t i = 0; rc == 0 && i < f->n_agents; i++) {
		if (!used[i])
			continue;
		model = model_of(&f->agents[i]);
		if (model == NULL) {
			rc = refuse(f, i, "", AI_E_CONFIG, "it has no model: "
				    "name one in the file, or with -m", err);
			continue;
		}
		for (k = 0; k < n && strcmp(seen[k], model) != 0; k++)
			;
		if (k < n)
			continue;
		seen[n++] = model;
		rc = check_model(f, i, self, model, err);
	}
	free(self);
	return rc;
}

/* ---- indexes --------------------------------------------------------------------- */

/* Which one it has; NULL: none. */
static const char *index_of(const struct flow *f, const struct flow_agent *a)
{
	if (agent_flags_given(&agent.index))
		return agent.index;
	return a->index != NULL ? a->index : f->index != NULL ? f->index
							      : agent.index;
}

/* Who remembers makes it. */
static bool is_made(const struct flow *f, const char *index, const bool *used)
{
	for (size_t i = 0; i < f->n_agents; i++) {
		const char *its = index_of(f, &f->agents[i]);

		if (used[i] && f->agents[i].remembers && its != NULL &&
		    strcmp(its, index) == 0)
			return true;
	}
	return false;
}

static int check_index(const struct flow *f, size_t i, const bool *used,
		       struct ai_err *err)
{
	const char *index = index_of(f, &f->agents[i]);
	char why[300];

	if (index == NULL || access(index, F_OK) == 0 ||
	    is_made(f, index, used))
		return 0;
	snprintf(why, sizeof(why), "there is no index '%.200s'", index);
	return refuse(f, i, f->agents[i].index != NULL ? ".index" : "",
		      AI_E_OPEN, why, err);
}

/* ---- all of it -------------------------------------------------------------------- */

int flow_check_file(const struct flow *f, struct ai_err *err)
{
	for (size_t i = 0; i < f->n_agents; i++)
		if (f->agents[i].remembers &&
		    index_of(f, &f->agents[i]) == NULL)
			return refuse(f, i, ".remembers", AI_E_CONFIG,
				      "in what? neither the file nor -i names "
				      "an 'index'", err);
	return flow_check_tools(f, err);
}

int flow_check_ready(const struct flow *f, struct ai_err *err)
{
	bool used[FLOW_AGENTS_MAX] = { false };

	flow_find_used(f, used);
	for (size_t i = 0; i < f->n_agents; i++)
		if (used[i] && check_index(f, i, used, err) < 0)
			return -1;
	return flow_check_file(f, err) < 0 ? -1 : check_models(f, used, err);
}
