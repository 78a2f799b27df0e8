/* tools.c: a set of tools. */
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* What was allocated for a set, the last first. */
struct agent_tools_owned {
	struct agent_tools_owned *next;
	void *p;
	void (*free_it)(void *);
};

void agent_tools_init(struct agent_tools *t)
{
	memset(t, 0, sizeof *t);
}

void agent_tools_release(struct agent_tools *t)
{
	struct agent_tools_owned *o, *next;

	for (o = t->owned; o != NULL; o = next) {
		next = o->next;
		o->free_it(o->p);
		free(o);
	}
	free(t->v);
	agent_tools_init(t);
}

int agent_tools_own(struct agent_tools *t, void *p, void (*free_it)(void *),
		    struct ai_err *err)
{
	struct agent_tools_owned *o = malloc(sizeof *o);

	if (o == NULL) {
		free_it(p);
		return ai_err_nomem(err);
	}
	*o = (struct agent_tools_owned){ t->owned, p, free_it };
	t->owned = o;
	return 0;
}

/* A copy that lives as long as the set; NULL: no memory. */
static char *keep(struct agent_tools *t, struct ai_span s, struct ai_err *err)
{
	char *copy = ai_span_dup(s);

	if (copy == NULL)
		ai_err_nomem(err);
	else if (agent_tools_own(t, copy, free, err) < 0)
		return NULL;
	return copy;
}

static int keep_targets(struct agent_tools *t, struct agent_tool *tool,
			struct ai_err *err)
{
	const char *const *from = tool->targets;
	const char **to;
	size_t n = 0;

	if (from == NULL)
		return 0;
	while (from[n] != NULL)
		n++;
	to = calloc(n + 1, sizeof *to);
	if (to == NULL)
		return ai_err_nomem(err);
	if (agent_tools_own(t, to, free, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		to[i] = keep(t, ai_span_of(from[i]), err);
		if (to[i] == NULL)
			return -1;
	}
	tool->targets = to;
	return 0;
}

static void free_schema(void *p)
{
	ai_schema_free(p);
}

static int compile(struct agent_tools *t, struct agent_tool *tool,
		   const char *where, struct ai_err *err)
{
	struct ai_err why;

	if (ai_schema_new(&tool->schema, tool->parameters.p,
			  tool->parameters.n, &why) < 0)
		return ai_err_set(err, why.code == AI_E_MEMORY ? AI_E_MEMORY :
				  AI_E_CONFIG, "%.160s.parameters: %.220s",
				  where, why.msg);
	return agent_tools_own(t, tool->schema, free_schema, err);
}

static int check_name(const struct agent_tools *t, const char *name,
		      const char *where, struct ai_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_BYTES || strspn(name, letters) < n)
		return ai_err_set(err, AI_E_CONFIG, "%.160s: '%.80s' is no name "
				  "of a tool: 1 to 64 letters, digits, _ and -",
				  where, name);
	if (agent_tools_find(t, ai_span_of(name)) != NULL)
		return ai_err_set(err, AI_E_CONFIG, "%.160s: there is already a "
				  "tool with the name '%s'; rename one",
				  where, name);
	return 0;
}

/* Room for one more. */
static int grow(struct agent_tools *t, struct ai_err *err)
{
	struct agent_tool *more;

	if (t->n < t->cap)
		return 0;
	more = reallocarray(t->v, t->cap * 2 + 8, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(err);
	t->v = more;
	t->cap = t->cap * 2 + 8;
	return 0;
}

int agent_tools_add(struct agent_tools *t, const struct agent_tool *tool,
		    const char *where, struct ai_err *err)
{
	struct agent_tool own = *tool;

	if (check_name(t, tool->name, where, err) < 0 || grow(t, err) < 0)
		return -1;
	own.name = keep(t, ai_span_of(tool->name), err);
	if (own.name == NULL)
		return -1;
	own.description = keep(t, ai_span_of(tool->description), err);
	if (own.description == NULL)
		return -1;
	own.parameters.p = keep(t, tool->parameters, err);
	if (own.parameters.p == NULL || keep_targets(t, &own, err) < 0 ||
	    compile(t, &own, where, err) < 0)
		return -1;
	t->v[t->n++] = own;
	return 0;
}

const struct agent_tool *agent_tools_find(const struct agent_tools *t,
					  struct ai_span name)
{
	for (size_t i = 0; i < t->n; i++)
		if (ai_span_is(name, t->v[i].name))
			return &t->v[i];
	return NULL;
}
