/* bin/agent/flow/flow.h: workflow files; the order of their tasks against one that
 * is found by looking again and again. */
#include "flow/graph.h"

#include "agent-flow.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GRAPHS 3000
#define TASKS 8 /* as many of a cycle are named */

static struct ai_err err;

/* Parses a copy. 0 or -1; err says why. */
static int parse(struct flow *f, const char *json)
{
	char *copy = strdup(json);
	int rc;

	err.msg[0] = '\0';
	err.code = AI_E_NONE;
	rc = flow_parse(f, copy, strlen(copy), "f.json", "/dir", &err);
	free(copy);
	return rc;
}

/* ---- a whole file ------------------------------------------------------------ */

static const char whole[] =
	"// a crew\n"
	"{ \"$schema\": \"x\", \"name\": \"brief\", \"at_once\": 3,\n"
	"  \"index\": \"docs.idx\", \"limits\": {\"usd\": 2, \"calls.x\": 3},\n"
	"  \"input\": {\"type\": \"object\", \"required\": [\"topic\"],\n"
	"    \"properties\": {\"topic\": {\"type\": \"string\"}}},\n"
	"  \"agents\": {\n"
	"    \"finder\": {\"role\": \"researcher\", \"goal\": \"facts\",\n"
	"      \"instructions\": \"cite\", \"model\": \"local/extract\",\n"
	"      \"tools\": [\"t.json\", \"/abs.json\"], \"with\": [\"calc\"],\n"
	"      \"index\": \"own.idx\", \"workdir\": \"w\", \"budget\": 0.25,\n"
	"      \"agents\": [\"writer\"], \"notes\": true,\n"
	"      \"breaker\": {\"failures\": 5, \"seconds\": 1.5}},\n"
	"    \"writer\": {\"handoffs\": [\"finder\"], \"remembers\": true}\n"
	"  },\n"
	"  \"tasks\": {\n"
	"    \"write\": {\"agent\": \"writer\", \"needs\": [\"look\"],\n"
	"      \"description\": \"On {{input.topic}}: {{find.facts.0}}\",\n"
	"      \"guardrail\": [{\"matches\": \"[.]$\"},\n"
	"        {\"command\": [\"./check\", \"-x\"]},\n"
	"        {\"agent\": \"finder\", \"ask\": \"is {{output}} true?\"}],\n"
	"      \"retries\": 1, \"loop\": {\"max\": 4,\n"
	"        \"until\": {\"contains\": \"done\"}},\n"
	"      \"when\": {\"any\": [{\"value\": \"{{look}}\", \"more\": 3},\n"
	"        {\"not\": {\"value\": \"{{input}}\", \"exists\": false}}]}},\n"
	"    \"find\": {\"agent\": \"finder\", \"description\": \"Find.\",\n"
	"      \"schema\": {\"type\": \"object\", \"properties\":\n"
	"        {\"facts\": {\"type\": \"array\"}}}, \"optional\": true},\n"
	"    \"look\": {\"agent\": \"finder\", \"description\": \"{{item}} of "
	"{{index}}\",\n \"map\": {\"over\": \"{{find.facts}}\", \"max\": 20,\n"
	"      \"at_once\": 2}, \"limits\": {\"turns\": 3}},\n"
	"    \"talk\": {\"description\": \"{{transcript}}\", \"chat\": {\n"
	"      \"agents\": [\"finder\", \"writer\"], \"max\": 9,\n"
	"      \"next\": {\"agent\": \"writer\"},\n"
	"      \"until\": {\"all\": [{\"contains\": \"bye\"},\n"
	"        {\"value\": \"{{usd}}\", \"less\": 1}]}}}\n"
	"  },\n"
	"  \"output\": \"{{write}} {{{{x}}\" /* two braces */ }\n";

static void check_agents(const struct flow *f)
{
	const struct flow_agent *a = &f->agents[0], *b = &f->agents[1];
	struct ai_buf system = AI_BUF_INIT(1000);

	ok(f->n_agents == 2 && strcmp(a->name, "finder") == 0 &&
	   strcmp(b->name, "writer") == 0, "two agents");
	ok(a->tools.n == 2 && strcmp(a->tools.v[0], "/dir/t.json") == 0 &&
	   strcmp(a->tools.v[1], "/abs.json") == 0, "their tools files");
	ok(a->with.n == 1 && strcmp(a->with.v[0], "calc") == 0 &&
	   strcmp(a->index, "/dir/own.idx") == 0 &&
	   strcmp(a->workdir, "/dir/w") == 0, "built-ins, index, folder");
	ok(a->budget == 250000000 && b->budget < 0 && a->failures == 5 &&
	   a->rest_s == 1.5 && b->failures == 3 && b->rest_s == 60,
	   "budget and breaker");
	ok(a->notes && !a->remembers && !b->notes && b->remembers, "memory");
	ok(a->n_agents == 1 && a->agents[0] == 1 && b->n_handoffs == 1 &&
	   b->handoffs[0] == 0, "whom they ask and hand to");
	flow_agent_system(a, &system);
	ok(strcmp(ai_buf_cstr(&system), "Your role: researcher\n"
		  "Your goal: facts\n\ncite\n") == 0, "what one is told");
	ai_buf_clear(&system);
	flow_agent_system(b, &system);
	ok(system.len == 0, "another is told nothing");
	ai_buf_release(&system);
}

static void check_tasks(const struct flow *f)
{
	const struct flow_task *write = &f->tasks[0], *find = &f->tasks[1],
		*look = &f->tasks[2], *talk = &f->tasks[3];

	ok(f->n_tasks == 4 && write->line == 16 && talk->line == 31,
	   "tasks and their lines: %d, %d", write->line, talk->line);
	ok(write->n_needs == 2 && write->needs[0] == 2 &&
	   write->needs[1] == 1 && find->n_needs == 0 && look->n_needs == 1,
	   "what is said and what is named is needed");
	ok(f->order[0] == 1 && f->order[1] == 2 && f->order[2] == 0 &&
	   f->order[3] == 3, "the order");
	ok(write->n_guards == 3 && write->guards[0].cond != NULL &&
	   write->guards[1].command.n == 2 &&
	   strcmp(write->guards[1].command.v[0], "/dir/./check") == 0 &&
	   write->guards[2].agent == 0 && write->guards[2].ask.n == 3 &&
	   write->guards[1].agent == FLOW_NONE, "guardrails");
	ok(write->retries == 1 && find->retries == 2 && write->loop_max == 4 &&
	   write->until != NULL && find->loop_max == 0, "retries and loop");
	ok(find->schema != NULL && find->optional && !look->optional,
	   "schema, optional");
	ok(look->map_max == 20 && look->map_at_once == 2 && look->over.n == 1 &&
	   look->over.v[0].task == 1 &&
	   strcmp(look->over.v[0].path, "facts") == 0, "map");
	ok(talk->kind == FLOW_CHAT && talk->chat.n_agents == 2 &&
	   talk->chat.chooser == 1 && talk->chat.max == 9 &&
	   talk->chat.until != NULL && talk->agent == FLOW_NONE, "chat");
}

static void check_whole(void)
{
	struct flow f, again;
	int rc = parse(&f, whole);

	if (!ok(rc == 0, "a whole file is read: %s", err.msg)) {
		flow_release(&f);
		return;
	}
	check_agents(&f);
	check_tasks(&f);
	ok(strcmp(f.name, "brief") == 0 && f.at_once == 3 && f.input != NULL &&
	   strcmp(f.index, "/dir/docs.idx") == 0 && f.manager == FLOW_NONE &&
	   f.process == FLOW_PARALLEL, "the head");
	ok(f.output.n == 2 && f.output.v[0].task == 0 &&
	   strcmp(f.output.v[1].text, " {{x}}") == 0, "the output");
	rc = parse(&again, f.json);
	ok(rc == 0 && strcmp(f.json, again.json) == 0,
	   "what is kept reads the same: %s", err.msg);
	ok(strstr(f.json, "\"/dir/t.json\",\"/abs.json\"") != NULL &&
	   strstr(f.json, "//") == NULL, "and has absolute paths");
	flow_release(&f);
	flow_release(&again);
}

/* ---- the order --------------------------------------------------------------- */

/* needs[i][k]: task i needs task k. */
struct graph {
	size_t n;
	bool needs[TASKS][TASKS];
};

static void random_graph(struct graph *g)
{
	size_t edges = next() % 12, i, k;

	memset(g, 0, sizeof *g);
	g->n = next() % TASKS + 1;
	while (edges-- > 0) {
		i = next() % g->n;
		k = next() % g->n;
		if (i != k)
			g->needs[i][k] = true;
	}
}

/* A need is said in one of the ways that there are. */
static void put_needs(struct ai_buf *b, const struct graph *g, size_t i)
{
	bool said = next() % 2 != 0, first = true;

	ai_buf_fmt(b, "%s\"t%zu\":{\"agent\":\"a\",\"description\":\"d",
		   i > 0 ? "," : "", i);
	for (size_t k = 0; !said && k < g->n; k++)
		if (g->needs[i][k])
			ai_buf_fmt(b, " {{t%zu}}", k);
	ai_buf_str(b, "\",\"needs\":[");
	for (size_t k = 0; said && k < g->n; k++)
		if (g->needs[i][k]) {
			ai_buf_fmt(b, "%s\"t%zu\"", first ? "" : ",", k);
			first = false;
		}
	ai_buf_str(b, "]}");
}

/* Always the first of the file whose needs are all there. */
static size_t naive_order(const struct graph *g, size_t *order)
{
	bool done_already[TASKS] = { false };
	size_t n = 0, i;
	bool ready;

	for (i = 0; i < g->n; i++) {
		ready = !done_already[i];
		for (size_t k = 0; k < g->n; k++)
			ready = ready && (!g->needs[i][k] || done_already[k]);
		if (!ready)
			continue;
		done_already[i] = true;
		order[n++] = i;
		i = SIZE_MAX; /* from the first again */
	}
	return n;
}

/* The message names tasks each of which needs the next, and the first again. */
static bool is_cycle(const struct graph *g, const char *msg)
{
	const char *at = strstr(msg, "tasks.t"), *end;
	size_t first, task, need;

	if (at == NULL || strstr(msg, "none of them can be") == NULL)
		return false;
	first = task = (size_t)(at[7] - '0');
	while ((at = strstr(at, "'t")) != NULL) {
		need = (size_t)(at[2] - '0');
		if (task >= g->n || need >= g->n || !g->needs[task][need])
			return false;
		task = need;
		end = at;
		at = end + 2;
	}
	return task == first;
}

static bool same_levels(const struct flow *f, const struct graph *g)
{
	size_t *level = flow_levels(f), want[TASKS];
	bool same = level != NULL;

	for (size_t i = 0; i < g->n; i++)
		want[i] = 1;
	/* As often as the longest way can be. */
	for (size_t r = 0; r < g->n; r++)
		for (size_t i = 0; i < g->n; i++)
			for (size_t k = 0; k < g->n; k++)
				if (g->needs[i][k] && want[i] <= want[k])
					want[i] = want[k] + 1;
	for (size_t i = 0; same && i < g->n; i++)
		same = level[i] == want[i];
	free(level);
	return same;
}

static bool check_graph(const struct graph *g, size_t *cycles)
{
	struct ai_buf b = AI_BUF_INIT(65536);
	size_t order[TASKS], n = naive_order(g, order);
	struct flow f;
	bool right;
	int rc;

	ai_buf_str(&b, "{\"agents\":{\"a\":{}},\"tasks\":{");
	for (size_t i = 0; i < g->n; i++)
		put_needs(&b, g, i);
	ai_buf_str(&b, "}}");
	rc = parse(&f, ai_buf_cstr(&b));
	if (n < g->n) {
		right = rc < 0 && is_cycle(g, err.msg);
		++*cycles;
	} else {
		right = rc == 0 &&
			memcmp(order, f.order, n * sizeof *order) == 0 &&
			same_levels(&f, g);
	}
	if (!right)
		printf("# %s: %s\n", ai_buf_cstr(&b), err.msg);
	flow_release(&f);
	ai_buf_release(&b);
	return right;
}

static void check_orders(void)
{
	size_t cycles = 0;
	struct graph g;
	bool right = true;

	for (size_t i = 0; i < GRAPHS && right; i++) {
		random_graph(&g);
		right = check_graph(&g, &cycles);
	}
	ok(right, "%d graphs come in order, or a cycle of them is named (%zu)",
	   GRAPHS, cycles);
	ok(cycles > GRAPHS / 10 && cycles < GRAPHS * 9 / 10,
	   "there were both kinds");
}

/* ---- inputs -------------------------------------------------------------------- */

static void check_input(const char *json, const char *input, const char *want)
{
	struct ai_value v;
	struct flow f;
	int rc;

	if (ok(parse(&f, json) == 0, "a file: %s", err.msg)) {
		ai_json_check(input, strlen(input), &v, NULL);
		rc = flow_check_input(&f, v, &err);
		ok(want == NULL ? rc == 0 : rc < 0 &&
		   strcmp(err.msg, want) == 0, "%s: %s", input,
		   rc < 0 ? err.msg : "will do");
	}
	flow_release(&f);
}

#define A "{\"agents\":{\"a\":{}},"
#define T(rest) "\"tasks\":{\"t\":{\"agent\":\"a\"," rest "}}}"

static void check_inputs(void)
{
	static const char schema[] = A "\"input\":{\"type\":\"object\","
		"\"properties\":{\"x\":{\"type\":\"integer\"},\"y\":{}},"
		"\"required\":[\"x\"]}," T("\"description\":\"{{input.y}}\"");
	static const char named[] = A T("\"description\":\"{{input.a.0.b}} "
					"{{input}}\"");
	static const char map[] = A T("\"description\":\"d\",\"map\":{"
		"\"over\":\"{{input.list}}\",\"max\":3}");
	static const char when[] = A T("\"description\":\"{{input.lang}}\","
		"\"when\":{\"value\":\"{{input.lang}}\",\"exists\":true}");

	check_input(schema, "{\"x\":1}", NULL);
	check_input(schema, "{\"x\":\"1\"}", "input.x: expected a whole "
		    "number, not \"1\"");
	check_input(schema, "{\"y\":1}", "input: 'x' is missing");
	check_input(schema, "\"words\"", "input: expected an object, not "
		    "\"words\"");
	check_input(named, "{\"a\":[{\"b\":null}]}", NULL);
	check_input(named, "{\"a\":[]}", "input.a.0.b: it is missing; "
		    "tasks.t.description (f.json:1) names it");
	check_input(named, "\"words\"", "input.a.0.b: it is missing; "
		    "tasks.t.description (f.json:1) names it");
	check_input(map, "{}", "input.list: it is missing; tasks.t.map.over "
		    "(f.json:1) names it");
	check_input(map, "{\"list\":[]}", NULL);
	check_input(when, "\"words\"", NULL);
	check_input("{\"agents\":{\"a\":{}}}", "1", "f.json: tasks: there are "
		    "none, so there is nothing to do");
}

int main(void)
{
	state = 20261128;
	find_data();
	printf("# seed %" PRIu64 "\n", state);
	check_whole();
	check_orders();
	check_inputs();
	return done();
}
