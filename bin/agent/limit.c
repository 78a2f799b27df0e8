#include "limit.h"

#include "base/money.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define NAME(sym, name, initial) name,
	AGENT_LIMIT_TABLE(NAME)
#undef NAME
};

static const char *const initial[] = {
#define INITIAL(sym, name, value) value,
	AGENT_LIMIT_TABLE(INITIAL)
#undef INITIAL
};

const char *agent_limit_name(enum agent_limit l)
{
	return names[l];
}

/* ---- setting ----------------------------------------------------------------- */

static int find(const char *name)
{
	int i;

	for (i = 0; i < AGENT_LIMITS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* The value of a limit as its unit has it. */
static int parse(int i, struct ai_span text, int64_t *v)
{
	struct ai_err err;
	double s;

	if (i == AGENT_LIMIT_USD)
		return ai_money_parse(text, v, &err);
	if (i == AGENT_LIMIT_SECONDS) {
		if (ai_parse_f64(text, &s) < 0 || !(s >= 0 && s <= 1e9))
			return -1;
		*v = (int64_t)ceil(s * 1e3);
		return 0;
	}
	return ai_parse_i64(text, v) < 0 || *v < 0 ? -1 : 0;
}

static int set_tool(struct agent_limits *l, const char *name, int64_t v,
		    bool lower)
{
	size_t i;

	for (i = 0; i < l->n_tools; i++)
		if (strcmp(l->tool[i].name, name) == 0)
			break;
	if (i == l->n_tools) {
		if (i == AGENT_TOOL_LIMITS ||
		    strlen(name) >= sizeof(l->tool[i].name) || name[0] == '\0')
			return -1;
		snprintf(l->tool[i].name, sizeof(l->tool[i].name), "%s", name);
		l->tool[i].max = INT64_MAX;
		l->n_tools++;
	}
	if (!lower || v < l->tool[i].max)
		l->tool[i].max = v;
	return 0;
}

/* 0; -1: no such limit; -2: no such value; -3: no such tool. */
static int set(struct agent_limits *l, const char *name, struct ai_span text,
	       bool lower)
{
	bool tool = strncmp(name, "calls.", 6) == 0;
	int i = tool ? AGENT_LIMIT_CALLS : find(name);
	int64_t v;

	if (i < 0)
		return -1;
	if (parse(i, text, &v) < 0)
		return -2;
	if (tool)
		return set_tool(l, name + 6, v, lower) < 0 ? -3 : 0;
	if (!lower || v < l->v[i])
		l->v[i] = v;
	return 0;
}

static int complain(int rc, const char *where, const char *name,
		    struct ai_span text, enum ai_code code, struct ai_err *err)
{
	const char *near = ai_nearest(name, names, AGENT_LIMITS);

	if (rc == -3)
		return ai_err_set(err, code, "%s%.80s: 'calls.' is followed by "
				  "the name of a tool, of at most 64 bytes, and "
				  "no more than %d are limited", where, name,
				  AGENT_TOOL_LIMITS);
	if (rc == -2)
		return ai_err_set(err, code, "%s%.60s: '%.*s' is no such "
				  "limit: %s", where, name,
				  (int)(text.n < 40 ? text.n : 40), text.p,
				  strcmp(name, "usd") == 0
				  ? "dollars, from 0 to 9000000000, with at "
				    "most 9 decimals" :
				  strcmp(name, "seconds") == 0
				  ? "seconds, from 0 to 1000000000" :
				  "a whole number from 0 to "
				  "9223372036854775807");
	if (near != NULL)
		return ai_err_set(err, code, "%s'%.60s' is no limit; did you "
				  "mean '%s'?", where, name, near);
	return ai_err_set(err, code, "%s'%.60s' is no limit; there are usd, "
			  "tokens, turns, seconds, calls, calls.TOOL, output, "
			  "repeat, depth and fanout", where, name);
}

int agent_limits_init(struct agent_limits *l, const struct ai_opt_list *given,
		      struct ai_err *err)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		parse((int)i, ai_span_of(initial[i]), &l->v[i]);
	return agent_limits_set(l, given, err);
}

int agent_limits_set(struct agent_limits *l, const struct ai_opt_list *given,
		     struct ai_err *err)
{
	char name[80];

	for (size_t i = 0; i < given->n; i++) {
		const char *eq = strchr(given->v[i], '=');
		int rc;

		if (eq == NULL || (size_t)(eq - given->v[i]) >= sizeof(name))
			return ai_err_set(err, AI_E_USAGE, "--limit '%.60s' is "
					  "not NAME=VALUE, such as turns=20",
					  given->v[i]);
		snprintf(name, sizeof(name), "%.*s", (int)(eq - given->v[i]),
			 given->v[i]);
		rc = set(l, name, ai_span_of(eq + 1), false);
		if (rc < 0)
			return complain(rc, "--limit ", name,
					ai_span_of(eq + 1), AI_E_USAGE, err);
	}
	return 0;
}

static int take(struct agent_limits *l, struct ai_value object, bool lower,
		struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(100);
	struct ai_json_iter it;
	struct ai_value key, v;
	int rc = 0;

	if (object.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_RECORD, "limits is no object such "
				  "as {\"turns\":5}");
	ai_json_iter_init(&it, object);
	while (rc == 0 && ai_json_next(&it, &key, &v)) {
		ai_buf_clear(&name);
		if (ai_json_text(key, &name) < 0)
			rc = -1;
		else
			rc = v.kind != AI_NUMBER ? -2 :
				set(l, ai_buf_cstr(&name), v.s, lower);
		if (rc < 0)
			complain(rc, "limits.", ai_buf_cstr(&name), v.s,
				 AI_E_RECORD, err);
	}
	ai_buf_release(&name);
	return rc < 0 ? -1 : 0;
}

int agent_limits_lower(struct agent_limits *l, struct ai_value object,
		       struct ai_err *err)
{
	return take(l, object, true, err);
}

int agent_limits_over(struct agent_limits *l, struct ai_span json,
		      struct ai_err *err)
{
	struct ai_value v;

	return ai_json_check(json.p, json.n, &v, err) < 0 ? -1 :
		take(l, v, false, err);
}

int agent_limits_take(struct agent_limits *l, struct ai_value object,
		      struct ai_err *err)
{
	const struct ai_opt_list none = { NULL, 0 };

	return agent_limits_init(l, &none, err) < 0 ? -1 :
		take(l, object, false, err);
}

static void put_tools(const struct agent_limits *l, struct ai_buf *out)
{
	char text[80];

	for (size_t i = 0; i < l->n_tools; i++) {
		snprintf(text, sizeof(text), "calls.%s", l->tool[i].name);
		ai_put_key(out, text);
		ai_put_i64(out, l->tool[i].max);
	}
}

void agent_limits_none(struct agent_limits *l)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < AGENT_LIMITS; i++)
		l->v[i] = INT64_MAX;
}

void agent_limits_put_whole(const struct agent_limits *l, struct ai_buf *out)
{
	static const enum agent_limit all[] = {
		AGENT_LIMIT_TOKENS, AGENT_LIMIT_TURNS, AGENT_LIMIT_CALLS,
		AGENT_LIMIT_REPEAT, AGENT_LIMIT_DEPTH, AGENT_LIMIT_FANOUT };
	bool any = l->n_tools > 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		any |= l->v[all[i]] < INT64_MAX;
	if (!any)
		return;
	ai_put_key(out, "whole");
	ai_put_open(out, '{');
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (l->v[all[i]] < INT64_MAX) {
			ai_put_key(out, names[all[i]]);
			ai_put_i64(out, l->v[all[i]]);
		}
	put_tools(l, out);
	ai_put_close(out, '}');
}

int64_t agent_limits_tool(const struct agent_limits *l, const char *tool)
{
	for (size_t i = 0; i < l->n_tools; i++)
		if (strcmp(l->tool[i].name, tool) == 0)
			return l->tool[i].max;
	return -1;
}

void agent_limits_put(const struct agent_limits *l, struct ai_buf *out)
{
	char text[AI_MONEY_TEXT];
	size_t i;

	ai_put_open(out, '{');
	for (i = 0; i < AGENT_LIMITS; i++) {
		ai_put_key(out, names[i]);
		if (i == AGENT_LIMIT_USD) {
			ai_money_text(l->v[i], text);
			ai_put_raw(out, text, strlen(text));
		} else if (i == AGENT_LIMIT_SECONDS) {
			ai_put_f64(out, (double)l->v[i] / 1e3);
		} else {
			ai_put_i64(out, l->v[i]);
		}
	}
	put_tools(l, out);
	ai_put_close(out, '}');
}

/* ---- using -------------------------------------------------------------------- */

static int64_t *count_of(struct agent_used *u, const char *tool)
{
	size_t i;

	for (i = 0; i < u->n_tools; i++)
		if (strcmp(u->tool[i].name, tool) == 0)
			return &u->tool[i].calls;
	if (i == sizeof(u->tool) / sizeof(u->tool[0]))
		return NULL;
	snprintf(u->tool[i].name, sizeof(u->tool[i].name), "%s", tool);
	u->tool[i].calls = 0;
	u->n_tools++;
	return &u->tool[i].calls;
}

bool agent_used_call(struct agent_used *u, const struct agent_limits *l,
		     const char *tool, int64_t of_tool, const char **limit)
{
	int64_t *count = count_of(u, tool), max = of_tool < 0 ? INT64_MAX
							     : of_tool;
	size_t i;

	for (i = 0; i < l->n_tools; i++)
		if (strcmp(l->tool[i].name, tool) == 0 && l->tool[i].max < max)
			max = l->tool[i].max;
	if (u->calls >= l->v[AGENT_LIMIT_CALLS]) {
		*limit = names[AGENT_LIMIT_CALLS];
		return false;
	}
	if (count != NULL && *count >= max) {
		*limit = NULL; /* the tool's own: the model may go on without */
		return false;
	}
	u->calls++;
	if (count != NULL)
		(*count)++;
	return true;
}

size_t agent_used_turn(struct agent_used *u, uint64_t hash)
{
	size_t times = 1;

	for (size_t p = 0; p < 2; p++) {
		u->same[p] = u->n_turns > p && u->turn[p] == hash
			? u->same[p] + 1 : 0;
		/* The first p + 1 turns of a period are as none before. */
		if (u->same[p] / (p + 1) + 1 > times)
			times = u->same[p] / (p + 1) + 1;
	}
	u->turn[1] = u->turn[0];
	u->turn[0] = hash;
	u->n_turns++;
	return times;
}

const char *agent_used_over(const struct agent_used *u,
			    const struct agent_limits *l, int64_t spent_ms)
{
	const int64_t used[] = {
		[AGENT_LIMIT_USD] = u->nano,
		[AGENT_LIMIT_TOKENS] = u->input + u->output_tokens,
		[AGENT_LIMIT_TURNS] = u->turns,
		[AGENT_LIMIT_SECONDS] = spent_ms,
		[AGENT_LIMIT_CALLS] = -1, /* told when one is asked for */
		[AGENT_LIMIT_OUTPUT] = u->output,
	};
	size_t i;

	for (i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (used[i] >= l->v[i] &&
		    (i != AGENT_LIMIT_USD || used[i] > 0))
			return names[i];
	return NULL;
}
