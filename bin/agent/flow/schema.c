/*
 * schema.c: schemas that nothing satisfies, and paths that none of their
 * values has.
 *
 * Both look at a schema without trying values: what they refuse is sure to be
 * wrong, what they let pass may still be.
 */
#include "flow/int.h"
#include "flow/schema-all.h"

#include "record/dec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFS 32         /* within each other */
#define LOOKS 20000     /* parts that are looked at; then it may be */
#define POINTER 1024

/* ---- references ---------------------------------------------------------------- */

/* One step of a JSON pointer, without its escapes. */
static bool pointer_step(const char **p, char *name, size_t size)
{
	size_t n = 0;

	for (; **p != '\0' && **p != '/'; ++*p) {
		char c = **p;

		if (c == '~' && ((*p)[1] == '0' || (*p)[1] == '1'))
			c = *++*p == '0' ? '~' : '/';
		if (n + 1 >= size || c == '%')
			return false;
		name[n++] = c;
	}
	name[n] = '\0';
	return true;
}

static struct ai_value element(struct ai_value list, const char *number)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	struct ai_json_iter it;
	struct ai_value v;
	int64_t n;

	if (ai_parse_i64(ai_span_of(number), &n) < 0 || n < 0)
		return none;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (n-- == 0)
			return v;
	return none;
}

struct ai_value flow_schema_resolve(struct ai_value root, struct ai_value ref)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	struct ai_buf text = AI_BUF_INIT(POINTER);
	struct ai_value at = root;
	char name[POINTER];
	const char *p;

	/* What has a name of its own begins anew there. */
	if (ref.kind != AI_STRING ||
	    memmem(root.s.p, root.s.n, "\"$id\"", 5) != NULL)
		return none;
	ai_json_text(ref, &text);
	p = ai_buf_cstr(&text);
	if (text.bad != AI_E_NONE || strlen(p) != text.len || *p != '#' ||
	    (p[1] != '\0' && p[1] != '/'))
		at = none;
	for (p += *p == '#'; at.kind != AI_NONE && *p == '/';) {
		p++;
		if (!pointer_step(&p, name, sizeof name))
			at = none;
		else if (at.kind == AI_ARRAY)
			at = element(at, name);
		else
			at = ai_json_member(at, ai_span_of(name));
	}
	ai_buf_release(&text);
	return at;
}

/* ---- whether anything satisfies it --------------------------------------------- */

struct looker {
	struct ai_value root, at;
	struct ai_buf *place;
	const char *why;
	const char *within[REFS]; /* schemas that references have led into */
	size_t depth, looks;
};

static bool can(struct looker *l, struct ai_value v);

static size_t go(struct looker *l, const char *name)
{
	size_t was = l->place->len;

	ai_buf_fmt(l->place, "%s%.80s", was > 0 ? "." : "", name);
	return was;
}

static void back(struct looker *l, size_t was)
{
	if (l->place->p == NULL)
		return;
	l->place->len = was;
	l->place->p[was] = '\0';
}

static bool cannot(struct looker *l, struct ai_value at, const char *why)
{
	l->at = at;
	l->why = why;
	return false;
}

static bool can_within(struct looker *l, struct ai_value v, const char *name)
{
	size_t was = go(l, name);

	if (!can(l, v))
		return false;
	back(l, was);
	return true;
}

/* In the list: all of it; else any. */
static bool can_list(struct looker *l, struct ai_value list, const char *name,
		     bool all)
{
	size_t was = go(l, name), n = 0, inner;
	struct ai_json_iter it;
	struct ai_value v;
	char number[24];
	bool any = false;

	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &v); n++) {
		inner = l->place->len;
		snprintf(number, sizeof number, "%zu", n);
		if (can_within(l, v, number))
			any = true;
		else if (all)
			return false;
		back(l, inner);
	}
	if (!all && !any)
		return cannot(l, list, "none of these can hold");
	back(l, was);
	return true;
}

static int64_t bound(struct ai_value v, const char *name, int64_t absent)
{
	struct ai_value m = ai_json_member(v, ai_span_of(name));
	int64_t n;

	return m.kind == AI_NUMBER && ai_json_i64(m, &n) == 0 ? n : absent;
}

static bool can_number(struct looker *l, struct ai_value v, bool whole)
{
	struct ai_value least = ai_json_member(v, AI_SPAN("minimum")),
		most = ai_json_member(v, AI_SPAN("maximum")),
		above = ai_json_member(v, AI_SPAN("exclusiveMinimum")),
		below = ai_json_member(v, AI_SPAN("exclusiveMaximum"));
	bool open_low = false, open_high = false;
	double low, high;
	int cmp;

	/* The narrower of both kinds of bounds. */
	if (above.kind == AI_NUMBER && (least.kind != AI_NUMBER ||
	    ai_dec_cmp(ai_dec_of(above.s), ai_dec_of(least.s)) >= 0)) {
		least = above;
		open_low = true;
	}
	if (below.kind == AI_NUMBER && (most.kind != AI_NUMBER ||
	    ai_dec_cmp(ai_dec_of(below.s), ai_dec_of(most.s)) <= 0)) {
		most = below;
		open_high = true;
	}
	if (least.kind != AI_NUMBER || most.kind != AI_NUMBER)
		return true;
	cmp = ai_dec_cmp(ai_dec_of(least.s), ai_dec_of(most.s));
	if (cmp > 0 || (cmp == 0 && (open_low || open_high)))
		return cannot(l, least, "no number is that large and that "
			      "small");
	if (!whole || ai_json_f64(least, &low) < 0 ||
	    ai_json_f64(most, &high) < 0 || fabs(low) > 1e15 ||
	    fabs(high) > 1e15)
		return true;
	/* Rounding to a double passes no whole number. */
	low = open_low ? floor(low) + 1 : ceil(low);
	high = open_high ? ceil(high) - 1 : floor(high);
	return low <= high ||
		cannot(l, least, "no whole number is within its bounds");
}

static bool can_string(struct looker *l, struct ai_value v)
{
	return bound(v, "minLength", 0) <= bound(v, "maxLength", INT64_MAX) ||
		cannot(l, ai_json_member(v, AI_SPAN("minLength")),
		       "minLength is above maxLength");
}

static bool can_array(struct looker *l, struct ai_value v)
{
	int64_t least = bound(v, "minItems", 0),
		most = bound(v, "maxItems", INT64_MAX), n = 0;
	struct ai_value prefix = ai_json_member(v, AI_SPAN("prefixItems")),
		items = ai_json_member(v, AI_SPAN("items")),
		contains = ai_json_member(v, AI_SPAN("contains")), inner;
	size_t was = l->place->len;
	struct ai_json_iter it;
	char number[24];

	if (least > most)
		return cannot(l, ai_json_member(v, AI_SPAN("minItems")),
			      "minItems is above maxItems");
	if (prefix.kind == AI_ARRAY) {
		go(l, "prefixItems");
		ai_json_iter_init(&it, prefix);
		for (; n < least && ai_json_next(&it, NULL, &inner); n++) {
			snprintf(number, sizeof number, "%lld", (long long)n);
			if (!can_within(l, inner, number))
				return false;
		}
		back(l, was);
	}
	if (items.kind != AI_NONE && n < least && !can_within(l, items, "items"))
		return false;
	if (contains.kind == AI_NONE || bound(v, "minContains", 1) == 0)
		return true;
	if (bound(v, "minContains", 1) > most)
		return cannot(l, contains, "minContains is above maxItems");
	return can_within(l, contains, "contains");
}

/* A member that must be there can be. */
static bool can_member(struct looker *l, struct ai_value v, struct ai_value name)
{
	struct ai_value properties = ai_json_member(v, AI_SPAN("properties")),
		more = ai_json_member(v, AI_SPAN("additionalProperties")), m;
	struct ai_buf text = AI_BUF_INIT(65536);
	size_t was = l->place->len;
	bool rc = true;

	if (ai_json_text(name, &text) < 0 || text.len == 0) {
		ai_buf_release(&text);
		return true;
	}
	m = ai_json_member(properties, (struct ai_span){ text.p, text.len });
	if (m.kind != AI_NONE) {
		go(l, "properties");
		rc = can_within(l, m, text.p);
	} else if (more.kind == AI_BOOL && !ai_json_true(more) &&
		   ai_json_member(v, AI_SPAN("patternProperties")).kind ==
		   AI_NONE) {
		go(l, "required");
		rc = cannot(l, name, "it requires a member that "
			    "additionalProperties forbids");
	}
	if (rc)
		back(l, was);
	ai_buf_release(&text);
	return rc;
}

static bool can_object(struct looker *l, struct ai_value v)
{
	struct ai_value required = ai_json_member(v, AI_SPAN("required")),
		more = ai_json_member(v, AI_SPAN("additionalProperties")), name;
	int64_t least = bound(v, "minProperties", 0),
		most = bound(v, "maxProperties", INT64_MAX), n = 0;
	struct ai_json_iter it;

	ai_json_iter_init(&it, required);
	for (; required.kind == AI_ARRAY && ai_json_next(&it, NULL, &name); n++)
		if (name.kind == AI_STRING && !can_member(l, v, name))
			return false;
	if (n > least)
		least = n;
	if (least > most)
		return cannot(l, ai_json_member(v, AI_SPAN("maxProperties")),
			      "it must have more members than it may");
	if (more.kind != AI_BOOL || ai_json_true(more) ||
	    ai_json_member(v, AI_SPAN("patternProperties")).kind != AI_NONE)
		return true;
	n = (int64_t)flow_count(ai_json_member(v, AI_SPAN("properties")));
	return least <= n || cannot(l, more, "it must have more members than "
				    "there are properties");
}

static bool can_be(struct looker *l, struct ai_value v, struct ai_value type)
{
	if (ai_json_is(type, AI_SPAN("object")))
		return can_object(l, v);
	if (ai_json_is(type, AI_SPAN("array")))
		return can_array(l, v);
	if (ai_json_is(type, AI_SPAN("string")))
		return can_string(l, v);
	if (ai_json_is(type, AI_SPAN("integer")))
		return can_number(l, v, true);
	return !ai_json_is(type, AI_SPAN("number")) || can_number(l, v, false);
}

/* Of the types that it names one can be; without "type" some other could. */
static bool can_types(struct looker *l, struct ai_value v)
{
	struct ai_value type = ai_json_member(v, AI_SPAN("type")), one;
	struct ai_json_iter it;
	size_t was = l->place->len;

	if (type.kind == AI_STRING)
		return can_be(l, v, type);
	if (type.kind != AI_ARRAY)
		return true;
	ai_json_iter_init(&it, type);
	while (ai_json_next(&it, NULL, &one)) {
		back(l, was);
		if (one.kind != AI_STRING || can_be(l, v, one)) {
			back(l, was);
			return true;
		}
	}
	return false;
}

/* One of the values that it names satisfies the rest, too. */
static bool can_values(struct looker *l, struct ai_value v)
{
	struct ai_value list = ai_json_member(v, AI_SPAN("enum")),
		one = ai_json_member(v, AI_SPAN("const"));
	struct ai_schema *schema = NULL;
	struct ai_json_iter it;
	bool found = false;
	struct ai_err err;

	if (list.kind != AI_ARRAY && one.kind == AI_NONE)
		return true;
	/* A part with references is no schema of its own. */
	if (memmem(v.s.p, v.s.n, "ef\"", 3) != NULL ||
	    ai_schema_new_unchecked(&schema, v.s.p, v.s.n, &err) < 0)
		return true;
	if (one.kind != AI_NONE) {
		list = one;
		found = ai_schema_check(schema, one.s.p, one.s.n, &err) == 0 ||
			err.code != AI_E_RECORD;
	} else {
		ai_json_iter_init(&it, list);
		while (!found && ai_json_next(&it, NULL, &one))
			found = ai_schema_check(schema, one.s.p, one.s.n,
						&err) == 0 ||
				err.code != AI_E_RECORD;
	}
	ai_schema_free(schema);
	return found || cannot(l, list, "the values it names do not satisfy "
			       "the rest of it");
}

/* A schema that has to be within itself has no end. */
static bool can_ref(struct looker *l, struct ai_value v)
{
	struct ai_value ref = ai_json_member(v, AI_SPAN("$ref")), to;
	bool rc;

	to = flow_schema_resolve(l->root, ref);
	if (to.kind != AI_OBJECT && to.kind != AI_BOOL)
		return true;
	for (size_t i = 0; i < l->depth; i++)
		if (l->within[i] == to.s.p)
			return cannot(l, ref, "it is within itself without "
				      "end");
	if (l->depth == REFS)
		return true;
	l->within[l->depth++] = to.s.p;
	rc = can_within(l, to, "$ref");
	l->depth--;
	return rc;
}

static bool can(struct looker *l, struct ai_value v)
{
	static const struct {
		const char *name;
		bool all;
	} lists[] = { { "allOf", true }, { "anyOf", false },
		      { "oneOf", false } };
	const char *why;
	struct ai_value m;

	if (l->looks-- == 0) {
		l->looks = 0;
		return true;
	}
	if (v.kind == AI_BOOL)
		return ai_json_true(v) || cannot(l, v, "it is false");
	if (v.kind != AI_OBJECT)
		return true;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		m = ai_json_member(v, ai_span_of(lists[i].name));
		if (m.kind == AI_ARRAY &&
		    !can_list(l, m, lists[i].name, lists[i].all))
			return false;
	}
	m = ai_json_member(v, AI_SPAN("not"));
	if (m.kind != AI_NONE && flow_schema_is_all(m))
		return cannot(l, m, "not everything is nothing");
	if (!can_ref(l, v) || !can_types(l, v) || !can_values(l, v))
		return false;
	return flow_schema_together(l->root, v, &l->looks, &m, &why) ||
		cannot(l, m, why);
}

bool flow_schema_can(struct ai_value schema, struct ai_value *at,
		     struct ai_buf *place, const char **why)
{
	struct looker l = { .root = schema, .place = place, .looks = LOOKS,
			    .within = { schema.s.p }, .depth = 1 };

	if (can(&l, schema))
		return true;
	*at = l.at.s.p == NULL ? schema : l.at;
	*why = l.why;
	return false;
}

/* ---- whether its values have something at a path ------------------------------- */

/* Words that say more than a look at `properties` tells. */
static bool is_more(struct ai_value v)
{
	static const char *const words[] = { "allOf", "anyOf", "oneOf", "if",
		"$dynamicRef", "dependentSchemas" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (ai_json_member(v, ai_span_of(words[i])).kind != AI_NONE)
			return true;
	return false;
}

static bool may_be(struct ai_value v, const char *type)
{
	struct ai_value said = ai_json_member(v, AI_SPAN("type")), one;
	struct ai_json_iter it;

	if (said.kind == AI_STRING)
		return ai_json_is(said, ai_span_of(type));
	if (said.kind != AI_ARRAY)
		return true;
	ai_json_iter_init(&it, said);
	while (ai_json_next(&it, NULL, &one))
		if (one.kind == AI_STRING && ai_json_is(one, ai_span_of(type)))
			return true;
	return false;
}

static bool lacks(struct ai_value properties, struct ai_span step,
		  struct ai_buf *why)
{
	const char *near, *names[64];
	struct ai_buf texts[64];
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t n = 0;
	char *name = ai_span_dup(step);

	ai_json_iter_init(&it, properties);
	for (; n < 64 && ai_json_next(&it, &key, &v); n++) {
		ai_buf_init(&texts[n], 256);
		ai_json_text(key, &texts[n]);
		names[n] = ai_buf_cstr(&texts[n]);
	}
	near = name == NULL ? NULL : ai_nearest(name, names, n);
	ai_buf_fmt(why, "the schema has no property '%.*s'",
		   (int)(step.n > 60 ? 60 : step.n), step.p);
	if (near != NULL)
		ai_buf_fmt(why, "; is it '%.60s'?", near);
	for (size_t i = 0; i < n; i++)
		ai_buf_release(&texts[i]);
	free(name);
	return false;
}

/* One step down. false: there is nothing. *v AI_NONE: nobody can say. */
static bool step_down(struct ai_value *v, struct ai_span step, struct ai_buf *why)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	struct ai_value properties = ai_json_member(*v, AI_SPAN("properties")),
		more = ai_json_member(*v, AI_SPAN("additionalProperties")),
		items = ai_json_member(*v, AI_SPAN("items")), m;
	bool object = may_be(*v, "object"), array = may_be(*v, "array"), number;
	int64_t i;

	number = ai_parse_i64(step, &i) == 0 && i >= 0;
	m = ai_json_member(properties, step);
	if (object && m.kind != AI_NONE) {
		*v = m;
		return true;
	}
	if (array && number) {
		*v = ai_json_member(*v, AI_SPAN("prefixItems")).kind !=
			AI_NONE || object ? none : items;
		return true;
	}
	if (!object) {
		ai_buf_fmt(why, "by the schema there is nothing named '%.*s' "
			   "below %s", (int)(step.n > 60 ? 60 : step.n), step.p,
			   array ? "a list" : "it");
		return false;
	}
	if (properties.kind == AI_OBJECT &&
	    (more.kind == AI_NONE || (more.kind == AI_BOOL &&
				      !ai_json_true(more))) &&
	    ai_json_member(*v, AI_SPAN("patternProperties")).kind == AI_NONE)
		return lacks(properties, step, why);
	*v = none;
	return true;
}

/* The schema at a path. false: there is nothing. *v AI_NONE: nobody can say. */
static bool walk(struct ai_value schema, const char *path, struct ai_value *v,
		 struct ai_buf *why)
{
	const struct ai_value none = { AI_NONE, { NULL, 0 } };
	char name[AI_JSON_NAME];
	struct ai_span step;
	struct ai_value to;

	*v = schema;
	for (;;) {
		for (size_t i = 0; i < REFS; i++) {
			to = ai_json_member(*v, AI_SPAN("$ref"));
			if (to.kind == AI_NONE)
				break;
			*v = flow_schema_resolve(schema, to);
		}
		if (v->kind != AI_OBJECT || is_more(*v) ||
		    ai_json_member(*v, AI_SPAN("$ref")).kind != AI_NONE) {
			*v = none;
			return true;
		}
		if (*path == '\0')
			return true;
		path += ai_json_step(path, name, sizeof name, &step);
		if (!step_down(v, step, why))
			return false;
	}
}

bool flow_schema_has(struct ai_value schema, const char *path,
		     struct ai_buf *why)
{
	struct ai_value v;

	return walk(schema, path, &v, why);
}

bool flow_schema_lists(struct ai_value schema, const char *path)
{
	struct ai_buf why = AI_BUF_INIT(200);
	struct ai_value v;
	bool has = walk(schema, path, &v, &why);

	ai_buf_release(&why);
	return has && (v.kind != AI_OBJECT || may_be(v, "array"));
}
