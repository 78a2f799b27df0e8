#include "flow/schema-all.h"

#include "record/dec.h"

#include <math.h>
#include <string.h>

#define ALL_MAX 48  /* schemas that are drawn in; what is beyond may be */
#define DEPTH 6     /* of members that must be there, within each other */
#define WHOLE 1e15  /* what doubles count exactly */

enum {
	IS_NULL = 1, IS_BOOL = 2, IS_WHOLE = 4, IS_FRACTION = 8, IS_STRING = 16,
	IS_ARRAY = 32, IS_OBJECT = 64, IS_ANY = 127,
	IS_NUMBER = IS_WHOLE | IS_FRACTION,
};

/* All that one value must satisfy. */
struct all {
	struct ai_value v[ALL_MAX];
	size_t n;
};

struct asker {
	struct ai_value root, at;
	size_t *looks;
	const char *why;
	size_t depth;
};

static bool cannot(struct asker *a, struct ai_value at, const char *why)
{
	a->at = at;
	a->why = why;
	return false;
}

static struct ai_value member(struct ai_value v, const char *name)
{
	return ai_json_member(v, ai_span_of(name));
}

/* ---- drawing in ------------------------------------------------------------------ */

bool flow_schema_is_all(struct ai_value schema)
{
	static const char *const words[] = { "title", "description", "$comment",
		"examples", "default", "$defs", "definitions", "$schema",
		"deprecated", "readOnly", "writeOnly" };
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t i;

	if (schema.kind != AI_OBJECT)
		return schema.kind == AI_BOOL && ai_json_true(schema);
	ai_json_iter_init(&it, schema);
	while (ai_json_next(&it, &key, &v)) {
		for (i = 0; i < sizeof words / sizeof words[0]; i++)
			if (ai_json_is(key, ai_span_of(words[i])))
				break;
		if (i == sizeof words / sizeof words[0])
			return false;
	}
	return true;
}

static void draw(struct asker *a, struct all *all, struct ai_value v)
{
	struct ai_json_iter it;
	struct ai_value m, to;

	if (v.kind != AI_OBJECT && v.kind != AI_BOOL)
		return;
	if (all->n == ALL_MAX || *a->looks == 0)
		return;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].s.p == v.s.p)
			return;
	--*a->looks;
	all->v[all->n++] = v;
	if (v.kind != AI_OBJECT)
		return;
	m = member(v, "allOf");
	ai_json_iter_init(&it, m);
	while (m.kind == AI_ARRAY && ai_json_next(&it, NULL, &to))
		draw(a, all, to);
	draw(a, all, flow_schema_resolve(a->root, member(v, "$ref")));
	if (member(v, "if").kind != AI_NONE &&
	    flow_schema_is_all(member(v, "if")))
		draw(a, all, member(v, "then"));
}

/* ---- types ------------------------------------------------------------------------ */

static unsigned type_of(struct ai_value name)
{
	static const struct { const char *name; unsigned bits; } types[] = {
		{ "null", IS_NULL }, { "boolean", IS_BOOL },
		{ "integer", IS_WHOLE }, { "number", IS_NUMBER },
		{ "string", IS_STRING }, { "array", IS_ARRAY },
		{ "object", IS_OBJECT },
	};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (ai_json_is(name, ai_span_of(types[i].name)))
			return types[i].bits;
	return IS_ANY;
}

static unsigned kind_of(struct ai_value v)
{
	static const unsigned kinds[] = {
		[AI_NULL] = IS_NULL, [AI_BOOL] = IS_BOOL,
		[AI_NUMBER] = IS_NUMBER, [AI_STRING] = IS_STRING,
		[AI_ARRAY] = IS_ARRAY, [AI_OBJECT] = IS_OBJECT,
	};

	return kinds[v.kind];
}

static unsigned types_of(struct ai_value v)
{
	struct ai_value type = member(v, "type"), list = member(v, "enum"),
			one = member(v, "const");
	unsigned bits = IS_ANY, named = 0;
	struct ai_json_iter it;
	struct ai_value m;

	if (v.kind == AI_BOOL)
		return ai_json_true(v) ? IS_ANY : 0;
	if (type.kind == AI_STRING)
		bits = type_of(type);
	ai_json_iter_init(&it, type);
	while (type.kind == AI_ARRAY && ai_json_next(&it, NULL, &m))
		named |= type_of(m);
	if (type.kind == AI_ARRAY)
		bits = named;
	if (one.kind != AI_NONE)
		bits &= kind_of(one);
	named = 0;
	ai_json_iter_init(&it, list);
	while (list.kind == AI_ARRAY && ai_json_next(&it, NULL, &m))
		named |= kind_of(m);
	return list.kind == AI_ARRAY ? bits & named : bits;
}

/* ---- numbers ----------------------------------------------------------------------- */

struct range {
	struct ai_value low, high; /* AI_NONE: none */
	bool open_low, open_high;
};

/* The narrowest of all. */
static struct range range_of(const struct all *all)
{
	static const struct {
		const char *name;
		bool high, open;
	} words[] = { { "minimum", false, false },
		      { "exclusiveMinimum", false, true },
		      { "maximum", true, false },
		      { "exclusiveMaximum", true, true } };
	struct range r = { .open_low = false };

	for (size_t i = 0; i < 4 * all->n; i++) {
		bool high = words[i % 4].high, open = words[i % 4].open;
		struct ai_value m = member(all->v[i / 4], words[i % 4].name),
			*to = high ? &r.high : &r.low;
		int cmp = to->kind != AI_NUMBER || m.kind != AI_NUMBER ? 1 :
			ai_dec_cmp(ai_dec_of(m.s), ai_dec_of(to->s));

		if (m.kind != AI_NUMBER)
			continue;
		if (to->kind == AI_NUMBER && high)
			cmp = -cmp;
		if (cmp > 0 || (cmp == 0 && open)) {
			*to = m;
			*(high ? &r.open_high : &r.open_low) = open;
		}
	}
	return r;
}

/* The whole numbers from *low to *high; false: there are not two such bounds
 * that a double has exactly. */
static bool whole_range(const struct range *r, double *low, double *high)
{
	if (r->low.kind != AI_NUMBER || r->high.kind != AI_NUMBER ||
	    ai_json_f64(r->low, low) < 0 || ai_json_f64(r->high, high) < 0 ||
	    fabs(*low) > WHOLE || fabs(*high) > WHOLE)
		return false;
	/* Rounding to a double passes no whole number. */
	*low = r->open_low ? floor(*low) + 1 : ceil(*low);
	*high = r->open_high ? ceil(*high) - 1 : floor(*high);
	return true;
}

static bool can_number(struct asker *a, const struct all *all, bool whole)
{
	struct range r = range_of(all);
	double low, high;
	int64_t m;
	int cmp;

	if (r.low.kind != AI_NUMBER || r.high.kind != AI_NUMBER)
		return true;
	cmp = ai_dec_cmp(ai_dec_of(r.low.s), ai_dec_of(r.high.s));
	if (cmp > 0 || (cmp == 0 && (r.open_low || r.open_high)))
		return cannot(a, r.low, "no number is that large and that "
			      "small");
	if (!whole_range(&r, &low, &high))
		return true;
	if (whole && low > high)
		return cannot(a, r.low, "no whole number is within its bounds");
	for (size_t i = 0; i < all->n; i++) {
		struct ai_value v = member(all->v[i], "multipleOf");

		/* Of a whole number all multiples are. */
		if (v.kind != AI_NUMBER || ai_json_i64(v, &m) < 0 || m <= 0 ||
		    m > (int64_t)WHOLE)
			continue;
		if (ceil(low / (double)m) * (double)m > high)
			return cannot(a, v, "no multiple is within its "
				      "bounds");
	}
	return true;
}

/* ---- lengths ------------------------------------------------------------------------ */

/* The largest, or the smallest, of all that there are. */
static int64_t bound(const struct all *all, const char *name, bool largest,
		     int64_t absent)
{
	int64_t n;

	for (size_t i = 0; i < all->n; i++) {
		struct ai_value m = member(all->v[i], name);

		if (m.kind == AI_NUMBER && ai_json_i64(m, &n) == 0 &&
		    (largest ? n > absent : n < absent))
			absent = n;
	}
	return absent;
}

static struct ai_value first(const struct all *all, const char *name)
{
	struct ai_value m = { AI_NONE, { NULL, 0 } };

	for (size_t i = 0; i < all->n && m.kind == AI_NONE; i++)
		m = member(all->v[i], name);
	return m;
}

static bool can_string(struct asker *a, const struct all *all)
{
	return bound(all, "minLength", true, 0) <=
		bound(all, "maxLength", false, INT64_MAX) ||
		cannot(a, first(all, "minLength"), "minLength is above "
		       "maxLength");
}

/* How many values it has at most; -1: nobody can say. */
static int64_t count_of(struct ai_value v)
{
	struct all one = { { v }, 1 };
	unsigned types = types_of(v);
	int64_t n = ((types & IS_NULL) != 0) + ((types & IS_BOOL) != 0 ? 2 : 0);
	struct range r;
	double low, high;

	if (types == 0)
		return 0;
	if (member(v, "const").kind != AI_NONE)
		return 1;
	if (member(v, "enum").kind == AI_ARRAY)
		return (int64_t)flow_count(member(v, "enum"));
	if ((types & ~(unsigned)(IS_NULL | IS_BOOL | IS_WHOLE)) != 0)
		return -1;
	if ((types & IS_WHOLE) == 0)
		return n;
	r = range_of(&one);
	if (!whole_range(&r, &low, &high))
		return -1;
	return low > high ? n : n + (int64_t)(high - low) + 1;
}

static bool can_array(struct asker *a, const struct all *all)
{
	int64_t least = bound(all, "minItems", true, 0), n;
	struct ai_value items;
	bool unique = false;

	if (least > bound(all, "maxItems", false, INT64_MAX))
		return cannot(a, first(all, "minItems"), "minItems is above "
			      "maxItems");
	for (size_t i = 0; i < all->n; i++)
		unique = unique || ai_json_true(member(all->v[i],
						       "uniqueItems"));
	for (size_t i = 0; unique && i < all->n; i++) {
		items = member(all->v[i], "items");
		if (items.kind != AI_OBJECT)
			continue;
		n = count_of(items);
		if (n >= 0 && least - (int64_t)flow_count(member(all->v[i],
				"prefixItems")) > n)
			return cannot(a, items, "there are not so many "
				      "different ones");
	}
	return true;
}

/* ---- objects ------------------------------------------------------------------------ */

/* Its name is one that it may have. */
static bool may_be_named(struct ai_value schema, struct ai_value name)
{
	struct ai_schema *s = NULL;
	struct ai_err err;
	bool may;

	if (schema.kind == AI_BOOL)
		return ai_json_true(schema);
	/* A part with references is no schema of its own. */
	if (schema.kind != AI_OBJECT ||
	    memmem(schema.s.p, schema.s.n, "ef\"", 3) != NULL ||
	    ai_schema_new_unchecked(&s, schema.s.p, schema.s.n, &err) < 0)
		return true;
	may = ai_schema_check(s, name.s.p, name.s.n, &err) == 0 ||
		err.code != AI_E_RECORD;
	ai_schema_free(s);
	return may;
}

static bool can_all(struct asker *a, const struct all *all);

static bool can_member(struct asker *a, const struct all *all,
		       struct ai_value name)
{
	struct ai_buf text = AI_BUF_INIT(65536);
	struct all inner = { .n = 0 };
	bool can = true;

	if (ai_json_text(name, &text) < 0 || text.len == 0 ||
	    memchr(text.p, '\0', text.len) != NULL) {
		ai_buf_release(&text);
		return true;
	}
	for (size_t i = 0; can && i < all->n; i++) {
		struct ai_value v = all->v[i], m, more, names;

		m = ai_json_member(member(v, "properties"),
				   (struct ai_span){ text.p, text.len });
		more = member(v, "additionalProperties");
		names = member(v, "propertyNames");
		if (names.kind != AI_NONE && !may_be_named(names, name))
			can = cannot(a, name, "it requires a member whose name "
				     "propertyNames forbids");
		else if (m.kind != AI_NONE)
			draw(a, &inner, m);
		else if (more.kind == AI_BOOL && !ai_json_true(more) &&
			 member(v, "patternProperties").kind == AI_NONE)
			can = cannot(a, name, "it requires a member that "
				     "additionalProperties forbids");
	}
	ai_buf_release(&text);
	if (!can || inner.n < 2 || a->depth == DEPTH)
		return can;
	a->depth++;
	can = can_all(a, &inner);
	a->depth--;
	return can;
}

static bool can_object(struct asker *a, const struct all *all)
{
	int64_t least = bound(all, "minProperties", true, 0), n;
	struct ai_json_iter it;
	struct ai_value name;

	for (size_t i = 0; i < all->n; i++) {
		struct ai_value required = member(all->v[i], "required");

		n = 0;
		ai_json_iter_init(&it, required);
		for (; required.kind == AI_ARRAY &&
		       ai_json_next(&it, NULL, &name); n++)
			if (name.kind == AI_STRING &&
			    !can_member(a, all, name))
				return false;
		if (n > least)
			least = n;
	}
	return least <= bound(all, "maxProperties", false, INT64_MAX) ||
		cannot(a, first(all, "maxProperties"), "it must have more "
		       "members than it may");
}

/* ---- all of it ------------------------------------------------------------------------ */

/* One of the values that a schema names satisfies all others. */
static bool can_value(struct asker *a, const struct all *all, size_t which)
{
	struct ai_value list = member(all->v[which], "enum"),
			one = member(all->v[which], "const"), v;
	struct ai_json_iter it;
	bool found = false, fits;

	if (list.kind != AI_ARRAY && one.kind == AI_NONE)
		return true;
	if (one.kind != AI_NONE)
		list = one;
	ai_json_iter_init(&it, list);
	while (!found && (one.kind != AI_NONE
			  || ai_json_next(&it, NULL, &v))) {
		if (one.kind != AI_NONE)
			v = one;
		fits = true;
		for (size_t i = 0; fits && i < all->n; i++)
			fits = i == which || may_be_named(all->v[i], v);
		found = fits;
		if (one.kind != AI_NONE)
			break;
	}
	return found || cannot(a, list, "the values it names do not satisfy "
			       "the rest of it");
}

/* Without its branches. */
static bool can_base(struct asker *a, const struct all *all)
{
	unsigned types = IS_ANY, before;

	for (size_t i = 0; i < all->n; i++) {
		before = types;
		types &= types_of(all->v[i]);
		if (types == 0 && before != 0)
			return cannot(a, all->v[i], "no value is of all the "
				      "types that it asks for");
	}
	for (size_t i = 0; all->n > 1 && i < all->n; i++)
		if (!can_value(a, all, i))
			return false;
	/* One that needs nothing more, or one of the others. */
	return (types & (IS_NULL | IS_BOOL)) != 0 ||
		((types & IS_NUMBER) != 0 &&
		 can_number(a, all, (types & IS_FRACTION) == 0)) ||
		((types & IS_STRING) != 0 && can_string(a, all)) ||
		((types & IS_ARRAY) != 0 && can_array(a, all)) ||
		((types & IS_OBJECT) != 0 && can_object(a, all));
}

/* Of each list of branches one can hold beside all else; of those of which only
 * one may, no two do always. */
static bool can_branch(struct asker *a, const struct all *all,
		       struct ai_value list, bool only_one)
{
	struct ai_json_iter it;
	struct ai_value branch;
	size_t always = 0;
	bool any = false;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &branch)) {
		struct all with = *all;

		always += flow_schema_is_all(branch);
		draw(a, &with, branch);
		any = any || *a->looks == 0 || can_base(a, &with);
	}
	if (only_one && always > 1)
		return cannot(a, list, "several of these hold always, and only "
			      "one may");
	return any || cannot(a, list, "none of these can hold beside the rest");
}

static bool can_all(struct asker *a, const struct all *all)
{
	if (*a->looks == 0)
		return true;
	if (!can_base(a, all))
		return false;
	for (size_t i = 0; i < all->n; i++) {
		struct ai_value any = member(all->v[i], "anyOf"),
				one = member(all->v[i], "oneOf"),
				not = member(all->v[i], "not");

		if (not.kind != AI_NONE && flow_schema_is_all(not))
			return cannot(a, not, "not everything is nothing");
		if ((any.kind == AI_ARRAY && !can_branch(a, all, any, false)) ||
		    (one.kind == AI_ARRAY && !can_branch(a, all, one, true)))
			return false;
	}
	return true;
}

bool flow_schema_together(struct ai_value root, struct ai_value schema,
			  size_t *looks, struct ai_value *at,
			  const char **why)
{
	struct asker a = { .root = root, .looks = looks };
	struct all all = { .n = 0 };

	draw(&a, &all, schema);
	if (can_all(&a, &all))
		return true;
	*at = a.at.s.p == NULL ? schema : a.at;
	*why = a.why;
	return false;
}
