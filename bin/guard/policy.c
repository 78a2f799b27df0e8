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
		/* Of harmless texts at most 5 % are to be told of and 1 %
		 * blocked: tests/bench/guard-policy.sh. */
		"all=flag", ".04", "injection@.003=block", "secret=redact", "personal=redact",
		"leak=block", "exfiltration=block", NULL } },
	{ "balanced", { "all=flag", ".02", NULL } },
	{ "permissive", {
		"all=flag", ".001", "invalid=pass", "personal=pass", NULL } },
};

/* ---- the configuration ------------------------------------------------------------- */

/* Where policies stand: at the top of the file, or in one of its profiles. */
struct layer {
	struct ai_value policies;
	char prefix[80]; /* "", or "profiles.NAME." */
	bool others;     /* it is not in use: files that it names may be on
			    another machine, and are not read */
};

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
			bool files, struct ai_err *err)
{
	static const struct { const char *name; take_fn *take; } members[] = {
		{ "rate", take_rule }, { "action", take_rule },
		{ "allow", take_allow }, { "allow_file", take_file },
	};

	char path[40];
	struct ai_value v;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *name = members[i].name;

		if (members[i].take == take_file && !files)
			continue;
		snprintf(path, sizeof path, "guard.%s", name);
		v = own != NULL ? ai_json_member(*own, ai_span_of(name))
				: ai_config_get(path);
		if (each_of(v, where, name, members[i].take, err) < 0)
			return -1;
	}
	return 0;
}

static int unknown_policy(const char *name, const char *place,
			  enum ai_code code, struct ai_err *err)
{
	static const char *const known[] = { "strict", "balanced",
					     "permissive" };
	const char *near = ai_nearest(name, known, 3);

	return ai_err_set(err, code,
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
static int add_named(const struct layer *l, const char *name,
		     const char *place, enum ai_code code, int depth,
		     struct ai_err *err)
{
	struct ai_value own = ai_json_member(l->policies, ai_span_of(name)), v;
	struct ai_buf base = AI_BUF_INIT(200);
	char where[180];
	int rc = 0;

	if (own.kind != AI_OBJECT) {
		for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
			if (strcmp(builtins[i].name, name) == 0)
				return add_builtin(&builtins[i], err);
		return unknown_policy(name, place, code, err);
	}
	snprintf(where, sizeof where, "%sguard.policies.%.60s", l->prefix,
		 name);
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
		rc = add_named(l, ai_buf_cstr(&base), where, AI_E_CONFIG,
			       depth + 1, err);
	ai_buf_release(&base);
	return rc < 0 ? -1 : take_members(&own, where, !l->others, err);
}

/* ---- policies that are not in use ------------------------------------------------------ */

/* Each as if it were the chosen one. */
static int check_policies(const struct layer *l, struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(200);
	struct ai_json_iter it;
	struct ai_value key, v;
	char place[100];
	int rc = 0;

	snprintf(place, sizeof place, "%sguard.policies", l->prefix);
	ai_json_iter_init(&it, l->policies);
	while (rc == 0 && l->policies.kind == AI_OBJECT &&
	       ai_json_next(&it, &key, &v)) {
		ai_buf_clear(&name);
		rc = text_of(key, place, &name, err);
		guard_policy_unload();
		if (rc == 0)
			rc = add_named(l, ai_buf_cstr(&name), place,
				       AI_E_CONFIG, 0, err);
	}
	ai_buf_release(&name);
	return rc;
}

/* The policy that is chosen there, if one is. */
static int check_choice(const struct layer *l, struct ai_value policy,
			const char *place, struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(4096);
	int rc = 0;

	guard_policy_unload();
	if (policy.kind == AI_STRING)
		rc = text_of(policy, place, &name, err);
	if (policy.kind == AI_STRING && rc == 0)
		rc = add_named(l, ai_buf_cstr(&name), place, AI_E_CONFIG, 0,
			       err);
	ai_buf_release(&name);
	return rc;
}

/* What stands in a profile, whether that is chosen or not; root: the policies
 * at the top. */
static int check_profile(struct ai_value key, struct ai_value profile,
			 struct ai_value root, struct ai_err *err)
{
	struct ai_value guard = ai_json_member(profile, AI_SPAN("guard"));
	struct layer l = { .others = true };
	char where[100];

	snprintf(l.prefix, sizeof l.prefix, "profiles.%.*s.",
		 (int)(key.s.n - 2 < 60 ? key.s.n - 2 : 60), key.s.p + 1);
	l.policies = ai_json_member(guard, AI_SPAN("policies"));
	if (l.policies.kind != AI_OBJECT)
		l.policies = root;
	snprintf(where, sizeof where, "%sguard", l.prefix);
	guard_policy_unload();
	if (guard.kind != AI_OBJECT)
		return 0;
	if (take_members(&guard, where, false, err) < 0 ||
	    (l.policies.s.p != root.s.p && check_policies(&l, err) < 0))
		return -1;
	snprintf(where, sizeof where, "%sguard.policy", l.prefix);
	return check_choice(&l, ai_json_member(guard, AI_SPAN("policy")),
			    where, err);
}

/* A mistake in one shows when it is made, not when it is needed. */
static int check_others(const struct layer *used, struct ai_err *err)
{
	struct ai_value root = ai_config_root(), key, v;
	struct layer l = { ai_json_get(root, "guard.policies"), "", true };
	struct ai_json_iter it;

	v = ai_json_get(root, "guard");
	guard_policy_unload();
	/* A profile may stand before some of these. */
	if ((v.kind == AI_OBJECT &&
	     take_members(&v, "guard", false, err) < 0) ||
	    check_policies(used, err) < 0 ||
	    (l.policies.s.p != used->policies.s.p &&
	     check_policies(&l, err) < 0) ||
	    check_choice(&l, ai_json_get(root, "guard.policy"), "guard.policy",
			 err) < 0)
		return -1;
	v = ai_json_get(root, "profiles");
	if (v.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &v))
		if (check_profile(key, v, l.policies, err) < 0)
			return -1;
	return 0;
}

static void take_layer(struct layer *l)
{
	struct ai_value root = ai_config_root();

	*l = (struct layer){ .policies = ai_config_get("guard.policies") };
	if (ai_start.profile != NULL && l->policies.s.p !=
	    ai_json_get(root, "guard.policies").s.p)
		snprintf(l->prefix, sizeof l->prefix, "profiles.%.60s.",
			 ai_start.profile);
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
	const char *name = guard_policy_settings.name;
	enum ai_code code;
	struct layer l;
	char place[300];

	take_layer(&l);
	code = ai_start_place(&guard_policy_settings.name, place, sizeof place);
	if (ai_config_root().kind != AI_NONE && check_others(&l, err) < 0)
		return -1;
	guard_policy_unload();
	if (add_named(&l, name, place, code, 0, err) < 0 ||
	    take_members(NULL, "guard", true, err) < 0 ||
	    add_flags(err) < 0)
		return -1;
	guard_policy_ready();
	return 0;
}

const char *guard_policy_name(void)
{
	return guard_policy_settings.name;
}
