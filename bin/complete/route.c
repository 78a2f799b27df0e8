/*
 * route.c: rules that choose a model for each record.
 *
 *	{"when": {"longer_than": 8000}, "model": "openai/gpt-5"}
 *	{"when": [{"field": "lang", "equals": "de"},
 *		  {"field": "guard.score", "at_least": 0.5}], "model": "..."}
 *
 * Every condition of a rule must hold, and the first rule that holds wins.  A
 * member that is not there satisfies nothing but "exists": false.
 */
#include "complete.h"

#include "base/start.h"
#include "text/regex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONDITIONS_MAX 16

struct condition {
	char *field;             /* NULL: none */
	int64_t longer, shorter; /* bytes; -1: not asked */
	struct ai_value equals;  /* AI_NONE: not asked, likewise below */
	struct ai_regex *matches;
	double least, most;      /* NAN */
	struct ai_value exists;
};

struct rule {
	char *model;
	struct condition when[CONDITIONS_MAX];
	size_t n;
};

static struct {
	struct rule *v;
	size_t n;
} rules;

/* ---- reading rules -------------------------------------------------------- */

/* Where a mistake is. */
struct place {
	size_t rule;
	const char *member;
};

static int wrong(const struct place *at, const char *what, struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG, "complete.routes.%zu.%s: %s",
			  at->rule, at->member, what);
}

static int text_of(struct ai_value v, const struct place *at, char **out,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AI_REGEX_PATTERN_MAX);

	free(*out);
	*out = NULL;
	if (v.kind != AI_STRING || v.s.n == 2)
		return wrong(at, "this is no text", err);
	ai_json_text(v, &b);
	if (ai_buf_check(&b, at->member, err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	*out = ai_buf_take(&b);
	return 0;
}

static int take_length(struct ai_value v, const struct place *at, int64_t *to,
		       struct ai_err *err)
{
	return ai_json_i64(v, to) == 0 && *to >= 0 ? 0 :
		wrong(at, "this is no number of bytes", err);
}

static int take_bound(struct ai_value v, const struct place *at, double *to,
		      struct ai_err *err)
{
	return ai_json_f64(v, to) == 0 ? 0 :
		wrong(at, "this is no number", err);
}

static int take_pattern(struct ai_value v, const struct place *at,
			struct condition *c, struct ai_err *err)
{
	struct ai_err why;
	char *pattern = NULL;
	int rc = text_of(v, at, &pattern, err);

	if (rc == 0 && ai_regex_new(&c->matches, pattern, strlen(pattern),
				    AI_REGEX_UNICODE | AI_REGEX_METERED,
				    &why) < 0)
		rc = wrong(at, why.msg, err);
	free(pattern);
	return rc;
}

static int take_member(struct condition *c, struct ai_value key,
		       struct ai_value v, struct place *at,
		       struct ai_err *err)
{
	struct ai_span name = { key.s.p + 1, key.s.n - 2 };

	if (ai_span_is(name, at->member = "field"))
		return text_of(v, at, &c->field, err);
	if (ai_span_is(name, at->member = "longer_than"))
		return take_length(v, at, &c->longer, err);
	if (ai_span_is(name, at->member = "shorter_than"))
		return take_length(v, at, &c->shorter, err);
	if (ai_span_is(name, at->member = "at_least"))
		return take_bound(v, at, &c->least, err);
	if (ai_span_is(name, at->member = "at_most"))
		return take_bound(v, at, &c->most, err);
	if (ai_span_is(name, at->member = "matches"))
		return take_pattern(v, at, c, err);
	if (ai_span_is(name, at->member = "equals")) {
		c->equals = v;
		return v.kind != AI_ARRAY && v.kind != AI_OBJECT ? 0 :
			wrong(at, "this is no text, number, true, false or "
			      "null", err);
	}
	if (ai_span_is(name, at->member = "exists")) {
		c->exists = v;
		return v.kind == AI_BOOL ? 0 :
			wrong(at, "this is neither true nor false", err);
	}
	at->member = "when";
	return wrong(at, "a condition has a member that is none of field, "
		     "equals, matches, at_least, at_most, exists, longer_than "
		     "and shorter_than", err);
}

static int take_condition(struct rule *r, struct ai_value when,
			  struct place *at, struct ai_err *err)
{
	struct condition *c = &r->when[r->n];
	struct ai_json_iter it;
	struct ai_value key, v;
	bool asks;

	if (r->n == CONDITIONS_MAX)
		return wrong(at, "too many conditions", err);
	if (when.kind != AI_OBJECT)
		return wrong(at, "a condition is no object", err);
	r->n++;
	*c = (struct condition){ .longer = -1, .shorter = -1, .least = NAN,
				 .most = NAN };
	ai_json_iter_init(&it, when);
	while (ai_json_next(&it, &key, &v))
		if (take_member(c, key, v, at, err) < 0)
			return -1;
	at->member = "when";
	asks = c->equals.kind != AI_NONE || c->exists.kind != AI_NONE ||
		c->matches != NULL || !isnan(c->least) || !isnan(c->most);
	if (asks != (c->field != NULL))
		return wrong(at, asks ? "which field?" : "a field is named, "
			     "and nothing is asked of it", err);
	if (!asks && c->longer < 0 && c->shorter < 0)
		return wrong(at, "a condition asks nothing", err);
	return 0;
}

static int take_when(struct rule *r, struct ai_value when, struct place *at,
		     struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;

	at->member = "when";
	if (when.kind == AI_NONE)
		return 0;
	if (when.kind != AI_ARRAY)
		return take_condition(r, when, at, err);
	ai_json_iter_init(&it, when);
	while (ai_json_next(&it, NULL, &v))
		if (take_condition(r, v, at, err) < 0)
			return -1;
	return 0;
}

/* The text lives as long as the options. */
static int take_rule(struct rule *r, size_t i, const char *text,
		     struct ai_err *err)
{
	struct place at = { i, "model" };
	struct ai_value v, key, member;
	struct ai_json_iter it;

	if (ai_json_check(text, strlen(text), &v, NULL) < 0 ||
	    v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_CONFIG, "complete.routes.%zu: "
				  "'%.60s' is no rule like {\"when\": "
				  "{\"longer_than\": 8000}, \"model\": "
				  "\"NAME\"}", i, text);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &member))
		if (!ai_json_is(key, AI_SPAN("when")) &&
		    !ai_json_is(key, AI_SPAN("model")))
			return ai_err_set(err, AI_E_CONFIG, "complete.routes."
					  "%zu: a rule has \"when\" and "
					  "\"model\", not %.*s", i,
					  (int)(key.s.n > 60 ? 60 : key.s.n),
					  key.s.p);
	if (text_of(ai_json_get(v, "model"), &at, &r->model, err) < 0 ||
	    complete_chain_check(r->model, err) < 0)
		return -1;
	return take_when(r, ai_json_get(v, "when"), &at, err);
}

int complete_routes_load(struct ai_err *err)
{
	const struct ai_opt_list *list = &complete_settings.routes;

	if (list->n == 0)
		return 0;
	rules.v = calloc(list->n, sizeof *rules.v);
	if (rules.v == NULL)
		return ai_err_nomem(err);
	/* What is read in part is to be released, too. */
	rules.n = list->n;
	for (size_t i = 0; i < list->n; i++)
		if (take_rule(&rules.v[i], i, list->v[i], err) < 0)
			return -1;
	return 0;
}

void complete_routes_unload(void)
{
	for (size_t i = 0; i < rules.n; i++) {
		struct rule *r = &rules.v[i];

		for (size_t k = 0; k < r->n; k++) {
			free(r->when[k].field);
			ai_regex_free(r->when[k].matches);
		}
		free(r->model);
	}
	free(rules.v);
	rules.v = NULL;
	rules.n = 0;
}

int complete_routes_each(int (*each)(const char *models, struct ai_err *err),
			 struct ai_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < rules.n && rc == 0; i++)
		rc = each(rules.v[i].model, err);
	return rc;
}

/* ---- whether they hold ----------------------------------------------------- */

/* Bytes of what is asked, sources included. */
static int64_t length_of(const struct complete_request *q)
{
	size_t n = q->prompt.messages.kind == AI_ARRAY
		? q->prompt.messages.s.n : q->prompt.text.len;

	return (int64_t)(n + q->hits.text.len);
}

/* Numbers by their value, texts as they are decoded. */
static bool same(struct ai_value v, struct ai_value wanted)
{
	struct ai_buf text = AI_BUF_INIT(AI_REGEX_PATTERN_MAX);
	double a, b;
	bool is;

	if (v.kind != wanted.kind)
		return false;
	if (v.kind == AI_NUMBER)
		return ai_json_f64(v, &a) == 0 && ai_json_f64(wanted, &b) == 0
			&& a == b;
	if (v.kind != AI_STRING)
		return ai_span_eq(v.s, wanted.s);
	ai_json_text(wanted, &text);
	is = text.bad == AI_E_NONE &&
		ai_json_is(v, (struct ai_span){ ai_buf_cstr(&text),
						text.len });
	ai_buf_release(&text);
	return is;
}

static int matches(const struct ai_regex *re, struct ai_value v,
		   struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(COMPLETE_TEXT_MAX);
	int rc = 0;

	if (v.kind != AI_STRING)
		return 0;
	ai_json_text(v, &text);
	rc = ai_buf_check(&text, "a member that is looked at", err);
	if (rc == 0)
		rc = ai_regex_match(re, (struct ai_span){ ai_buf_cstr(&text),
							  text.len },
				    0, NULL, 0, err);
	ai_buf_release(&text);
	return rc;
}

static bool is_between(struct ai_value v, double least, double most)
{
	double d;

	if (isnan(least) && isnan(most))
		return true;
	return ai_json_f64(v, &d) == 0 && !(d < least) && !(d > most);
}

static int holds(const struct condition *c, const struct complete_request *q,
		 const struct ai_rec *rec, struct ai_err *err)
{
	int64_t n = length_of(q);
	struct ai_value v;

	if ((c->longer >= 0 && n <= c->longer) ||
	    (c->shorter >= 0 && n >= c->shorter))
		return 0;
	if (c->field == NULL)
		return 1;
	v = ai_rec_get(rec, c->field);
	if (c->exists.kind != AI_NONE &&
	    ai_json_true(c->exists) != (v.kind != AI_NONE))
		return 0;
	if ((c->equals.kind != AI_NONE && !same(v, c->equals)) ||
	    !is_between(v, c->least, c->most))
		return 0;
	return c->matches == NULL ? 1 : matches(c->matches, v, err);
}

static int all_hold(const struct rule *r, const struct complete_request *q,
		    const struct ai_rec *rec, struct ai_err *err)
{
	int rc = 1;

	for (size_t i = 0; i < r->n && rc > 0; i++)
		rc = holds(&r->when[i], q, rec, err);
	return rc;
}

static enum ai_source source_of(const void *to)
{
	int i = ai_opts_find_to(&ai_start_opts, to);

	return i < 0 ? AI_SOURCE_NONE : ai_start_opts.source[i];
}

/* Rules stand for the model of the layer that they are in, and of weaker
 * ones: flag, params, environment, profile, configuration. */
static bool count(const struct complete_request *q)
{
	enum ai_source mine = source_of(&complete_settings.routes);

	if (mine == AI_SOURCE_FLAG)
		return true;
	return !q->params.has_model &&
		source_of(&complete_settings.model) <= mine;
}

int complete_route(const struct complete_request *q, const struct ai_rec *rec,
		   const char **models, struct ai_err *err)
{
	int rc = 0;

	*models = q->arm != NULL ? q->arm : q->params.model;
	if (q->arm != NULL || rules.n == 0 || !count(q))
		return 0;
	for (size_t i = 0; i < rules.n && rc == 0; i++) {
		rc = all_hold(&rules.v[i], q, rec, err);
		if (rc > 0)
			*models = rules.v[i].model;
	}
	return rc < 0 ? -1 : 0;
}
