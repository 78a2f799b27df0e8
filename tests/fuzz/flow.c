/*
 * Workflow files: what is refused is refused with file and line; of what is
 * taken the tasks are in order, the text that is kept reads as the same, and
 * texts and conditions can be worked out.
 * fuzz: bin/agent/tool/args.c bin/agent/flow/check.c bin/agent/flow/cond.c bin/agent/flow/file.c bin/agent/flow/graph.c bin/agent/flow/read.c bin/agent/flow/schema.c bin/agent/flow/task.c bin/agent/flow/text.c bin/agent/limit.c bin/agent/say.c bin/agent/strlist.c
 */
#include "flow/graph.h"
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#define OUT_MAX ((size_t)256 << 20)

/* The schema of workflow files is where the build put it, or in the sources;
 * the fuzzer runs elsewhere. */
static void find_schema(void)
{
	static const char *const tries[] = { "data", "../../../data",
					     "../../../../data" };
	const char *top = getenv("SRCDIR");
	char path[4096];

	if (top != NULL) {
		snprintf(path, sizeof path, "%s/data", top);
		setenv("AI_DATADIR", path, 0);
	}
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		snprintf(path, sizeof path, "%s/schema/flow.json", tries[i]);
		if (access(path, R_OK) == 0)
			setenv("AI_DATADIR", tries[i], 0);
	}
}

static struct ai_value get(void *arg, const struct flow_piece *piece)
{
	static const char *const json[] = { "\"a text\"", "3", "[1,\"x\"]",
		"{\"a\":{\"b\":\"c\"}}", "null", "true" };
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	size_t i = strlen(piece->name) + strlen(piece->path) + piece->what;

	(void)arg;
	if (i % 7 < 6)
		ai_json_check(json[i % 7], strlen(json[i % 7]), &v, NULL);
	return v;
}

static void check_text(const struct flow_text *t)
{
	const struct flow_scope scope = { get, NULL };
	struct ai_buf b = AI_BUF_INIT(OUT_MAX);

	must(flow_text_put(t, &scope, &b, NULL) == 0);
	for (size_t i = 0; i < t->n; i++)
		must((t->v[i].text == NULL) != (t->v[i].name == NULL));
	ai_buf_release(&b);
}

static void check_cond(const struct flow_cond *c)
{
	const struct flow_scope scope = { get, NULL };
	struct ai_err err = { 0 };
	bool holds;

	if (c != NULL && flow_cond_holds(c, &scope, &holds, &err) < 0)
		must(err.code == AI_E_TOO_LONG);
}

static void check_task(const struct flow *f, const struct flow_task *t)
{
	must(t->name[0] != '\0' && t->line > 0);
	must(t->kind == FLOW_CHAT ? t->chat.n_agents > 0 && t->chat.max > 0 :
	     t->agent < f->n_agents);
	check_text(&t->description);
	check_text(&t->over);
	must((t->over.n == 1) == (t->map_max > 0));
	check_cond(t->when);
	check_cond(t->until);
	check_cond(t->chat.until);
	for (size_t i = 0; i < t->n_guards; i++) {
		const struct flow_guardrail *g = &t->guards[i];

		must((g->cond != NULL) + (g->command.n > 0) +
		     (g->agent != FLOW_NONE) == 1);
		check_cond(g->cond);
		check_text(&g->ask);
	}
}

/* Each once, behind what it needs. */
static void check_order(const struct flow *f)
{
	size_t *place = calloc(f->n_tasks + 1, sizeof *place);

	must(place != NULL);
	for (size_t i = 0; i < f->n_tasks; i++) {
		must(f->order[i] < f->n_tasks && place[f->order[i]] == 0);
		place[f->order[i]] = i + 1;
	}
	for (size_t i = 0; i < f->n_tasks; i++)
		for (size_t k = 0; k < f->tasks[i].n_needs; k++)
			must(place[f->tasks[i].needs[k]] < place[i]);
	free(place);
}

static void check_kept(const struct flow *f)
{
	char *copy = strdup(f->json);
	struct ai_err err = { 0 };
	struct flow again;

	must(copy != NULL);
	must(flow_parse(&again, copy, strlen(copy), "f", "/d", &err) == 0);
	must(strcmp(again.json, f->json) == 0);
	must(again.n_tasks == f->n_tasks && again.n_agents == f->n_agents);
	flow_release(&again);
	free(copy);
}

static void check_flow(const struct flow *f)
{
	static const struct ai_value words = { AI_STRING, AI_SPAN("\"words\"") };
	struct ai_buf b = AI_BUF_INIT(OUT_MAX);
	struct ai_err err = { 0 };

	for (size_t i = 0; i < f->n_tasks; i++)
		check_task(f, &f->tasks[i]);
	check_text(&f->output);
	check_order(f);
	check_kept(f);
	flow_put_plan(f, &b);
	must(b.bad == AI_E_NONE && b.len > 0);
	ai_buf_clear(&b);
	flow_put_dot(f, &b);
	must(b.bad == AI_E_NONE && b.p[b.len - 2] == '}');
	ai_buf_release(&b);
	if (flow_check_input(f, words, &err) < 0)
		must(err.code != AI_E_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool found;
	struct ai_err err = { 0 };
	struct flow f;
	char *text;

	if (!found)
		find_schema();
	found = true;
	text = malloc(size + 1);
	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (flow_parse(&f, text, size, "f", "/d", &err) < 0)
		must(err.code == AI_E_CONFIG && strncmp(err.msg, "f:", 2) == 0);
	else
		check_flow(&f);
	flow_release(&f);
	free(text);
	return 0;
}
