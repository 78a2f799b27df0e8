/*
 * policy.c: the policy of the settings: a built-in one or one of the
 * configuration, then what the configuration and the command line add.
 */
#include "policy.h"

#include "allow.h"

#include "base/start.h"
#include "record/config.h"
#include "text/regex.h"

#include <stdio.h>
#include <string.h>

#define BASES_MAX 8

struct guard_policy_settings guard_policy_settings;

const struct ai_opt guard_policy_options[] = {
	{ "policy", 0, AI_OPT_TEXT, &guard_policy_settings.name, "NAME",
	  "strict, balanced, permissive, or one of the configuration",
	  .initial = "balanced", .key = "guard.policy",
	  .env = "AI_GUARD_POLICY" },
	{ "action", 0, AI_OPT_LIST, &guard_policy_settings.action, "RULE",
	  "what is done: [CONTEXT:]KIND[/RULE]=flag|redact|block|drop|pass",
	  .key = "guard.action" },
	{ "redact", 0, AI_OPT_FLAG, &guard_policy_settings.redact, NULL,
	  "as --action secret=redact --action personal=redact" },
	{ "rate", 0, AI_OPT_LIST, &guard_policy_settings.rate, "RATE",
	  "harmless texts that may be flagged: [[CONTEXT:]KIND=]0.02",
	  .key = "guard.rate" },
	{ "allow", 0, AI_OPT_LIST, &guard_policy_settings.allow, "ENTRY",
	  "what is harmless: 'text VALUE', 'pattern REGEX' or 'host NAME'",
	  .key = "guard.allow" },
	{ "allow-file", 0, AI_OPT_LIST, &guard_policy_settings.files, "FILE",
	  "a file of such entries, a line each",
	  .key = "guard.allow_file" },
	{ 0 }
};

/* What the policies that everybody has say, first rules first. */
static const struct builtin {
	const char *name;
	const char *rules[16];
} builtins[] = {
	{ "strict", {
		"all=flag", ".05", "injection@.01=block",
		"document:injection@.03=block", "tool:injection@.03=block",
		"secret=redact", "personal=redact", "leak=block",
		"exfiltration=block", NULL } },
	{ "balanced", { "all=flag", ".02", NULL } },
	{ "permissive", {
		"all=flag", ".001", "invalid=pass", "personal=pass", NULL } },
};

/* ---- the configuration ------------------------------------------------------------- */

/* One value of a list, or the only one. */
typedef int take_fn(struct ai_value v, const char *place, struct ai_err *err);

static int text_of(struct ai_value v, const char *place, struct ai_buf *b,
		   struct ai_err *err)
{
	int rc = v.kind == AI_STRING ? ai_json_text(v, b)
				     : ai_buf_add(b, v.s.p, v.s.n);

	if (rc < 0)
		return ai_buf_check(b, place, err);
	if (strlen(ai_buf_cstr(b)) < b->len)
		return ai_err_set(err, AI_E_CONFIG, "%.200s: there is a NUL in "
				  "it", place);
	return 0;
}

static int take_rule(struct ai_value v, const char *place, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(1000);
	int rc = text_of(v, place, &b, err);

	if (rc == 0)
		rc = guard_policy_add(ai_buf_cstr(&b), place, AI_E_CONFIG,
				      err);
	ai_buf_release(&b);
	return rc;
}

static int take_allow(struct ai_value v, const char *place, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AI_REGEX_PATTERN_MAX + 200);
	int rc = text_of(v, place, &b, err);

	if (rc == 0)
		rc = guard_allow_add(guard_policy_allow(), (struct ai_span){
			ai_buf_cstr(&b), b.len }, place, AI_E_CONFIG, err);
	ai_buf_release(&b);
	return rc;
}

static int take_file(struct ai_value v, const char *place, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	int rc = text_of(v, place, &b, err);

	if (rc == 0)
		rc = guard_allow_file(guard_policy_allow(), ai_buf_cstr(&b), place,
				      AI_E_CONFIG, err);
	ai_buf_release(&b);
	return rc;
}

/* Each value of a list, or the only one, or none. */
static int each_of(struct ai_value v, const char *where, const char *name,
		   take_fn *take, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value one;
	char place[200];

	snprintf(place, sizeof place, "%.120s.%s", where, name);
	if (v.kind == AI_NONE)
		return 0;
	if (v.kind != AI_ARRAY)
		return take(v, place, err);
	ai_json_iter_init(&it, v);
	for (size_t i = 0; ai_json_next(&it, NULL, &one); i++) {
		snprintf(place, sizeof place, "%.120s.%s.%zu", where, name, i);
		if (take(one, place, err) < 0)
			return -1;
	}
	return 0;
}

/* The members of a policy, or (NULL) of the configuration as such: there a
 * profile may have some of them, and the file others. */
static int take_members(const struct ai_value *own, const char *where,
			struct ai_err *err)
{
	static const struct { const char *name; take_fn *take; } members[] = {
		{ "rate", take_rule }, { "action", take_rule },
		{ "allow", take_allow }, { "allow_file", take_file },
	};

	char path[40];
	struct ai_value v;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *name = members[i].name;

		snprintf(path, sizeof path, "guard.%s", name);
		v = own != NULL ? ai_json_member(*own, ai_span_of(name))
				: ai_config_get(path);
		if (each_of(v, where, name, members[i].take, err) < 0)
			return -1;
	}
	return 0;
}

static int unknown_policy(const char *name, const char *place,
			  struct ai_err *err)
{
	static const char *const known[] = { "strict", "balanced",
					     "permissive" };
	const char *near = ai_nearest(name, known, 3);
	bool flag = strcmp(place, "--policy") == 0 &&
		ai_start_given(&guard_policy_settings.name);

	return ai_err_set(err, flag ? AI_E_USAGE : AI_E_CONFIG,
			  "%.160s: there is no policy '%.60s'%s%s%s; those of "
			  "your own stand in guard.policies of the "
			  "configuration", place, name,
			  near != NULL ? "; did you mean '" : "",
			  near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int add_builtin(const struct builtin *b, struct ai_err *err)
{
	char place[64];

	snprintf(place, sizeof place, "policy %s", b->name);
	for (size_t i = 0; b->rules[i] != NULL; i++)
		if (guard_policy_add(b->rules[i], place, AI_E_BUG, err) < 0)
			return -1;
	return 0;
}

/* The policy of this name, behind the one that it is based on. */
static int add_named(const char *name, const char *place, int depth,
		     struct ai_err *err)
{
	struct ai_value all = ai_config_get("guard.policies"), own, v;
	struct ai_buf base = AI_BUF_INIT(200);
	char where[120];
	int rc = 0;

	own = ai_json_member(all, ai_span_of(name));
	if (own.kind != AI_OBJECT) {
		for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
			if (strcmp(builtins[i].name, name) == 0)
				return add_builtin(&builtins[i], err);
		return unknown_policy(name, place, err);
	}
	snprintf(where, sizeof where, "guard.policies.%.60s", name);
	if (depth == BASES_MAX)
		return ai_err_set(err, AI_E_CONFIG, "%s: more than %d policies "
				  "are based on each other", where, BASES_MAX);
	v = ai_json_member(own, AI_SPAN("base"));
	if (v.kind == AI_STRING)
		rc = text_of(v, where, &base, err);
	else
		ai_buf_str(&base, "balanced");
	/* One that has the name of ours stands on ours. */
	if (rc == 0 && strcmp(ai_buf_cstr(&base), name) == 0)
		rc = ai_err_set(err, AI_E_CONFIG, "%s.base: it is based on "
				"itself; give it a name of its own", where);
	if (rc == 0)
		rc = add_named(ai_buf_cstr(&base), where, depth + 1, err);
	ai_buf_release(&base);
	return rc < 0 ? -1 : take_members(&own, where, err);
}

/* ---- the policy ----------------------------------------------------------------------- */

/* A list from the command line; one from the configuration was taken with its
 * places. */
static int each_flag(const struct ai_opt_list *list, const char *name,
		     int (*take)(const char *text, const char *name,
				 struct ai_err *err), struct ai_err *err)
{
	int rc = 0;

	if (!ai_start_given(list))
		return 0;
	for (size_t i = 0; i < list->n && rc == 0; i++)
		rc = take(list->v[i], name, err);
	return rc;
}

static int rule_flag(const char *text, const char *name, struct ai_err *err)
{
	return guard_policy_add(text, name, AI_E_USAGE, err);
}

static int allow_flag(const char *text, const char *name, struct ai_err *err)
{
	return guard_allow_add(guard_policy_allow(), ai_span_of(text), name,
			       AI_E_USAGE, err);
}

static int file_flag(const char *path, const char *name, struct ai_err *err)
{
	return guard_allow_file(guard_policy_allow(), path, name, AI_E_OPEN, err);
}

static int add_flags(struct ai_err *err)
{
	const struct guard_policy_settings *s = &guard_policy_settings;

	/* Before those that say it more exactly. */
	if (s->redact && (rule_flag("secret=redact", "--redact", err) < 0 ||
			  rule_flag("personal=redact", "--redact", err) < 0))
		return -1;
	if (each_flag(&s->rate, "--rate", rule_flag, err) < 0 ||
	    each_flag(&s->action, "--action", rule_flag, err) < 0 ||
	    each_flag(&s->allow, "--allow", allow_flag, err) < 0)
		return -1;
	return each_flag(&s->files, "--allow-file", file_flag, err);
}

int guard_policy_load(struct ai_err *err)
{
	guard_policy_unload();
	if (add_named(guard_policy_settings.name, "--policy", 0, err) < 0 ||
	    take_members(NULL, "guard", err) < 0 ||
	    add_flags(err) < 0)
		return -1;
	guard_policy_ready();
	return 0;
}

const char *guard_policy_name(void)
{
	return guard_policy_settings.name;
}
