/*
 * Applies compiled schemas to values.
 *
 * Annotations are kept only where an unevaluated* keyword will ask for them:
 * each schema that has one makes a set of the kids of its value, hands it to
 * the schemas applied in place, and they mark what they looked at.  A schema
 * that fails may leave marks; so whoever goes on after a failure (anyOf, if,
 * ...) hands out a set of its own and adds it only on success.
 */
#include "record/schema-int.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct ai_seen {
	uint64_t few;   /* the set itself, up to 64 kids */
	uint64_t *bits; /* &few or allocated */
	size_t n;
};

/* A rule of a schema being applied to a value. */
struct call {
	const struct ai_sub *sub;
	const struct ai_rule *rule;
	const struct ai_node *v;
	struct ai_seen *seen; /* or NULL: nobody asks */
};

static bool apply(struct ai_check *c, const struct ai_sub *sub,
		  const struct ai_node *v, struct ai_seen *seen);

/* ---- limits ------------------------------------------------------------- */

static bool nomem(struct ai_check *c)
{
	return ai_check_stop(c, AI_E_MEMORY, NULL, "out of memory");
}

static bool spend(struct ai_check *c, uint64_t n)
{
	if (c->stop)
		return false;
	if (n < c->steps) {
		c->steps -= n;
		return true;
	}
	c->steps = 0;
	return ai_check_stop(c, AI_E_TOO_LONG, NULL,
			     "checking it against the schema takes too many steps");
}

/* Too deep: the same schema on the same value further out is a loop. */
static bool too_deep(struct ai_check *c, const struct ai_frame *f)
{
	for (const struct ai_frame *o = f->outer; o != NULL; o = o->outer)
		if (o->sub == f->sub && o->value == f->value)
			return ai_check_stop(c, AI_E_DATA, NULL,
					     "the schema refers to itself without end");
	return ai_check_stop(c, AI_E_TOO_LONG, f->value,
			     "too many schemas inside each other");
}

/* ---- the kids that were evaluated --------------------------------------- */

static bool seen_init(struct ai_check *c, struct ai_seen *s, size_t n)
{
	*s = (struct ai_seen){ .n = n };
	if (n <= 64)
		return true;
	if (!spend(c, n / 64))
		return false;
	s->bits = calloc((n + 63) / 64, sizeof *s->bits);
	return s->bits != NULL || nomem(c);
}

static void seen_release(struct ai_seen *s)
{
	free(s->bits);
}

static uint64_t *seen_word(struct ai_seen *s, size_t i)
{
	return s->n <= 64 ? &s->few : &s->bits[i / 64];
}

static void mark(struct ai_seen *s, size_t i)
{
	if (s != NULL)
		*seen_word(s, i) |= (uint64_t)1 << (i % 64);
}

static bool marked(struct ai_seen *s, size_t i)
{
	return (*seen_word(s, i) >> (i % 64) & 1) != 0;
}

static void seen_merge(struct ai_seen *to, struct ai_seen *from)
{
	for (size_t i = 0; i < to->n; i += 64)
		*seen_word(to, i) |= *seen_word(from, i);
}

/* Whether the schema holds, without a message and, if not, without marks. */
static bool holds(struct ai_check *c, const struct ai_sub *sub,
		  const struct ai_node *v, struct ai_seen *seen)
{
	struct ai_seen own;
	bool yes;

	c->quiet++;
	if (seen == NULL) {
		yes = apply(c, sub, v, NULL);
	} else if ((yes = seen_init(c, &own, v->n))) {
		yes = apply(c, sub, v, &own);
		if (yes)
			seen_merge(seen, &own);
		seen_release(&own);
	}
	c->quiet--;
	return yes;
}

/* ---- assertions --------------------------------------------------------- */

static bool check_type(struct ai_check *c, const struct call *k)
{
	if (k->rule->kinds & 1u << k->v->kind)
		return true;
	if (k->v->kind == AI_NUMBER && (k->rule->kinds & AI_WHOLE) &&
	    ai_dec_whole(ai_dec_of(k->v->raw)))
		return true;
	return ai_check_fail_type(c, k->v, k->rule->kinds);
}

static bool equal(struct ai_check *c, const struct ai_node *a,
		  const struct ai_node *b)
{
	bool yes = ai_node_equal(a, b, &c->steps);

	/* With no steps left the answer means nothing. */
	return spend(c, 1) && yes;
}

static bool check_const(struct ai_check *c, const struct call *k)
{
	return equal(c, k->v, k->rule->val) ||
	       ai_check_fail_const(c, k->v, k->rule->val);
}

static bool check_enum(struct ai_check *c, const struct call *k)
{
	for (size_t i = 0; i < k->rule->val->n && !c->stop; i++)
		if (equal(c, k->v, &k->rule->val->kids[i]))
			return true;
	return ai_check_fail_enum(c, k->v, k->rule->val);
}

static bool check_number(struct ai_check *c, const struct call *k)
{
	static const char *const why[] = {
		[AI_KW_MULTIPLE_OF] = "is not a multiple of",
		[AI_KW_MINIMUM] = "is less than the minimum",
		[AI_KW_EXCLUSIVE_MINIMUM] = "is not greater than",
		[AI_KW_MAXIMUM] = "is greater than the maximum",
		[AI_KW_EXCLUSIVE_MAXIMUM] = "is not less than",
	};
	struct ai_dec d;
	bool yes = true;

	if (k->v->kind != AI_NUMBER)
		return true;
	d = ai_dec_of(k->v->raw);
	if (k->rule->key == AI_KW_MULTIPLE_OF)
		yes = ai_dec_multiple(d, k->rule->number);
	else if (k->rule->key == AI_KW_MINIMUM)
		yes = ai_dec_cmp(d, k->rule->number) >= 0;
	else if (k->rule->key == AI_KW_EXCLUSIVE_MINIMUM)
		yes = ai_dec_cmp(d, k->rule->number) > 0;
	else if (k->rule->key == AI_KW_MAXIMUM)
		yes = ai_dec_cmp(d, k->rule->number) <= 0;
	else
		yes = ai_dec_cmp(d, k->rule->number) < 0;
	return yes || ai_check_fail_value(c, k->v, why[k->rule->key], k->rule->val);
}

/* The six keywords that count something. */
static bool check_size(struct ai_check *c, const struct call *k)
{
	static const struct {
		enum ai_keyword min, max;
		enum ai_kind kind;
		const char *unit;
	} counted[] = {
		{ AI_KW_MIN_LENGTH, AI_KW_MAX_LENGTH, AI_STRING, "character" },
		{ AI_KW_MIN_ITEMS, AI_KW_MAX_ITEMS, AI_ARRAY, "element" },
		{ AI_KW_MIN_PROPERTIES, AI_KW_MAX_PROPERTIES, AI_OBJECT,
		  "member" },
	};
	size_t i = 0, n;

	while (k->rule->key != counted[i].min && k->rule->key != counted[i].max)
		i++;
	if (k->v->kind != counted[i].kind)
		return true;
	n = k->v->kind == AI_STRING ? ai_utf8_count(k->v->text.p, k->v->text.n) : k->v->n;
	if (k->rule->key == counted[i].min ? n >= k->rule->count : n <= k->rule->count)
		return true;
	return ai_check_fail(c, k->v, AI_WEIGHT_VALUE,
			     "%zu %s%s, %s %zu are allowed", n,
			     counted[i].unit, n == 1 ? "" : "s",
			     k->rule->key == counted[i].min ? "not less than"
						      : "not more than",
			     k->rule->count);
}

/* Whether the text matches; the run stops where no answer is found. */
static bool matches(struct ai_check *c, const struct ai_regex *re,
		    struct ai_span text, const struct ai_node *at)
{
	struct ai_err why;
	int found;

	if (!spend(c, 8 + text.n / 16))
		return false;
	found = ai_regex_match(re, text, 0, NULL, 0, &why);
	if (found < 0)
		return ai_check_stop(c, why.code, at, why.msg);
	return found > 0;
}

static bool check_pattern(struct ai_check *c, const struct call *k)
{
	if (k->v->kind != AI_STRING || matches(c, k->rule->regexes[0], k->v->text, k->v))
		return true;
	return ai_check_fail_value(c, k->v, "does not match the pattern",
				   k->rule->val);
}

struct hashed {
	uint64_t hash;
	const struct ai_node *node;
};

static int cmp_hashed(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool all_differ(struct ai_check *c, const struct hashed *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && h[k].hash == h[i].hash; k++)
			if (equal(c, h[i].node, h[k].node))
				return ai_check_fail_value(c, h[k].node,
							   "is there twice, also as",
							   h[i].node);
	return !c->stop;
}

static bool check_unique(struct ai_check *c, const struct call *k)
{
	struct hashed *h;
	bool yes;

	if (k->v->kind != AI_ARRAY || k->v->n < 2 || !ai_node_true(k->rule->val))
		return true;
	if (!spend(c, k->v->n + k->v->raw.n / 16))
		return false;
	h = calloc(k->v->n, sizeof *h);
	if (h == NULL)
		return nomem(c);
	for (size_t i = 0; i < k->v->n; i++)
		h[i] = (struct hashed){ ai_node_hash(&k->v->kids[i]),
					&k->v->kids[i] };
	qsort(h, k->v->n, sizeof *h, cmp_hashed);
	yes = all_differ(c, h, k->v->n);
	free(h);
	return yes;
}

static bool has_all(struct ai_check *c, const struct ai_node *v,
		    const struct ai_node *names, struct ai_span beside)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!spend(c, 1))
			return false;
		if (ai_node_member(v, names->kids[i].text) == NULL)
			return ai_check_fail_missing(c, v,
						     names->kids[i].text,
						     beside);
	}
	return true;
}

static bool check_required(struct ai_check *c, const struct call *k)
{
	return k->v->kind != AI_OBJECT ||
	       has_all(c, k->v, k->rule->val, (struct ai_span){ NULL, 0 });
}

static bool check_dependent_required(struct ai_check *c, const struct call *k)
{
	for (size_t i = 0; k->v->kind == AI_OBJECT && i < k->rule->val->n; i++) {
		const struct ai_node *names = &k->rule->val->kids[i];

		if (ai_node_member(k->v, names->key) != NULL &&
		    !has_all(c, k->v, names, names->key))
			return false;
	}
	return true;
}

/* ---- members and elements ----------------------------------------------- */

struct members {
	const struct ai_sub *sub;
	const struct ai_rule *named, *patterns, *others;
};

static bool check_member(struct ai_check *c, const struct members *m,
			 const struct ai_node *kid, bool *known)
{
	const struct ai_node *p;

	*known = false;
	if (m->named != NULL &&
	    (p = ai_node_member(m->named->val, kid->key)) != NULL) {
		*known = true;
		if (!apply(c, m->named->subs[p - m->named->val->kids], kid,
			   NULL))
			return false;
	}
	for (size_t i = 0; m->patterns != NULL && i < m->patterns->val->n;
	     i++) {
		if (!matches(c, m->patterns->regexes[i], kid->key, kid))
			continue;
		*known = true;
		if (!apply(c, m->patterns->subs[i], kid, NULL))
			return false;
	}
	if (*known || m->others == NULL)
		return !c->stop;
	*known = true;
	c->rule = m->others;
	if (m->others->sub->never)
		return ai_check_fail_key(c, kid, m->sub, false);
	return apply(c, m->others->sub, kid, NULL);
}

/* properties, patternProperties and additionalProperties at once. */
static bool check_members(struct ai_check *c, const struct call *k)
{
	struct members m = {
		k->sub, ai_sub_rule(k->sub, AI_KW_PROPERTIES),
		ai_sub_rule(k->sub, AI_KW_PATTERN_PROPERTIES),
		ai_sub_rule(k->sub, AI_KW_ADDITIONAL_PROPERTIES),
	};
	bool known;

	if (k->v->kind != AI_OBJECT ||
	    k->rule != (m.named != NULL ? m.named :
		  m.patterns != NULL ? m.patterns : m.others))
		return true;
	for (size_t i = 0; i < k->v->n; i++) {
		if (!spend(c, 1) ||
		    !check_member(c, &m, &k->v->kids[i], &known))
			return false;
		if (known)
			mark(k->seen, i);
	}
	return true;
}

static bool check_names(struct ai_check *c, const struct call *k)
{
	for (size_t i = 0; k->v->kind == AI_OBJECT && i < k->v->n; i++) {
		const struct ai_node *kid = &k->v->kids[i];
		struct ai_node name = { .up = kid->up, .key = kid->key,
					.text = kid->key, .kind = AI_STRING,
					.depth = kid->depth };

		if (!apply(c, k->rule->sub, &name, NULL))
			return false;
	}
	return true;
}

static bool check_prefix(struct ai_check *c, const struct call *k)
{
	size_t n = k->rule->val->n < k->v->n ? k->rule->val->n : k->v->n;

	for (size_t i = 0; k->v->kind == AI_ARRAY && i < n; i++) {
		if (!apply(c, k->rule->subs[i], &k->v->kids[i], NULL))
			return false;
		mark(k->seen, i);
	}
	return true;
}

static bool check_items(struct ai_check *c, const struct call *k)
{
	const struct ai_rule *prefix = ai_sub_rule(k->sub, AI_KW_PREFIX_ITEMS);

	if (k->v->kind != AI_ARRAY)
		return true;
	for (size_t i = prefix == NULL ? 0 : prefix->val->n; i < k->v->n; i++) {
		if (!apply(c, k->rule->sub, &k->v->kids[i], NULL))
			return false;
		mark(k->seen, i);
	}
	return true;
}

static bool check_contains(struct ai_check *c, const struct call *k)
{
	const struct ai_rule *min = ai_sub_rule(k->sub, AI_KW_MIN_CONTAINS);
	const struct ai_rule *max = ai_sub_rule(k->sub, AI_KW_MAX_CONTAINS);
	size_t least = min == NULL ? 1 : min->count, n = 0;

	if (k->v->kind != AI_ARRAY)
		return true;
	for (size_t i = 0; i < k->v->n && !c->stop; i++) {
		if (!holds(c, k->rule->sub, &k->v->kids[i], NULL))
			continue;
		n++;
		mark(k->seen, i);
		if (n >= least && max == NULL && k->seen == NULL)
			return true;
	}
	if (n < least)
		return ai_check_fail(c, k->v, AI_WEIGHT_VALUE,
				     "%zu elements are as one must be, at least %zu have to be",
				     n, least);
	if (max != NULL && n > max->count)
		return ai_check_fail(c, k->v, AI_WEIGHT_VALUE,
				     "%zu elements are as only %zu may be", n,
				     max->count);
	return !c->stop;
}

/* ---- schemas applied in place ------------------------------------------- */

static bool check_ref(struct ai_check *c, const struct call *k)
{
	return apply(c, k->rule->sub, k->v, k->seen);
}

/*
 * If the target stands at a dynamic anchor, the outermost resource that is
 * being applied and has a dynamic anchor of that name takes its place.
 */
static bool check_dynamic_ref(struct ai_check *c, const struct call *k)
{
	const struct ai_sub *to = k->rule->sub;
	const struct ai_resource *last = NULL;
	const struct ai_anchor *a;

	for (const struct ai_frame *f = c->frame;
	     k->rule->anchor.p != NULL && f != NULL; f = f->outer) {
		if (f->sub->res == last)
			continue;
		last = f->sub->res;
		if (!spend(c, 1))
			return false;
		a = ai_resource_anchor(last, k->rule->anchor);
		if (a != NULL && a->dynamic)
			to = a->node->extra;
	}
	return apply(c, to, k->v, k->seen);
}

static bool check_all_of(struct ai_check *c, const struct call *k)
{
	for (size_t i = 0; i < k->rule->val->n; i++)
		if (!apply(c, k->rule->subs[i], k->v, k->seen))
			return false;
	return true;
}

/* The types that alternatives want, if all of them say; else 0. */
static unsigned types_of(const struct ai_rule *r)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < r->val->n; i++) {
		const struct ai_rule *t = ai_sub_rule(r->subs[i],
						      AI_KW_TYPE);

		if (t == NULL)
			return 0;
		kinds |= t->kinds;
	}
	return kinds;
}

/* The alternatives tried: which came furthest, and whether others as far. */
struct race {
	size_t n, best;
	unsigned miss;
	bool tie;
};

/*
 * None of the alternatives holds: the one that came furthest explains why.
 * Several that only wanted another constant are a choice, not a mistake in
 * the first of them.
 */
static bool none_holds(struct ai_check *c, const struct call *k,
		       const struct race *race)
{
	unsigned kinds = types_of(k->rule);

	if (c->quiet > 0 || c->stop)
		return false;
	if (k->rule->val->n == 1 ||
	    (race->miss > AI_MISS(k->v, AI_WEIGHT_TYPE) &&
	     !(race->tie && race->miss % 4 == AI_WEIGHT_CONST)))
		return apply(c, k->rule->subs[race->best], k->v, NULL);
	if (kinds != 0)
		return ai_check_fail_type(c, k->v, kinds);
	return ai_check_fail(c, k->v, AI_WEIGHT_TYPE,
			     "matches none of the %zu forms allowed",
			     k->rule->val->n);
}

/* anyOf and oneOf. */
static bool check_some_of(struct ai_check *c, const struct call *k)
{
	bool one = k->rule->key == AI_KW_ONE_OF;
	unsigned before = c->miss;
	struct race race = { 0 };

	for (size_t i = 0; i < k->rule->val->n && !c->stop; i++) {
		c->miss = 0;
		race.n += holds(c, k->rule->subs[i], k->v, k->seen);
		if (c->miss >= race.miss) {
			race.tie = c->miss == race.miss && i > 0;
			race.best = race.tie ? race.best : i;
			race.miss = c->miss;
		}
		if (one ? race.n == 2 : race.n == 1 && k->seen == NULL)
			break;
	}
	c->miss = before > race.miss ? before : race.miss;
	if (race.n == 0)
		return none_holds(c, k, &race);
	if (one && race.n > 1)
		return ai_check_fail(c, k->v, AI_WEIGHT_VALUE,
				     "matches more than one of %zu forms that exclude each other",
				     k->rule->val->n);
	return !c->stop;
}

static bool check_not(struct ai_check *c, const struct call *k)
{
	if (!holds(c, k->rule->sub, k->v, NULL))
		return !c->stop;
	return ai_check_fail(c, k->v, AI_WEIGHT_VALUE,
			     "has a form that is not allowed");
}

static bool check_if(struct ai_check *c, const struct call *k)
{
	bool yes = holds(c, k->rule->sub, k->v, k->seen);
	const struct ai_rule *next = ai_sub_rule(k->sub, yes ? AI_KW_THEN
							  : AI_KW_ELSE);

	return next == NULL ? !c->stop : apply(c, next->sub, k->v, k->seen);
}

/* dependentSchemas, and both kinds of the older dependencies. */
static bool check_dependencies(struct ai_check *c, const struct call *k)
{
	for (size_t i = 0; k->v->kind == AI_OBJECT && i < k->rule->val->n; i++) {
		const struct ai_node *dep = &k->rule->val->kids[i];

		if (ai_node_member(k->v, dep->key) == NULL)
			continue;
		if (k->rule->subs[i] != NULL ? !apply(c, k->rule->subs[i], k->v, k->seen)
				       : !has_all(c, k->v, dep, dep->key))
			return false;
	}
	return true;
}

/* ---- what is left ------------------------------------------------------- */

static bool check_unevaluated(struct ai_check *c, const struct call *k)
{
	bool members = k->rule->key == AI_KW_UNEVALUATED_PROPERTIES;

	if (k->v->kind != (members ? AI_OBJECT : AI_ARRAY))
		return true;
	for (size_t i = 0; i < k->v->n; i++) {
		if (marked(k->seen, i))
			continue;
		if (members && k->rule->sub->never)
			return ai_check_fail_key(c, &k->v->kids[i], k->sub,
						 true);
		if (!apply(c, k->rule->sub, &k->v->kids[i], NULL))
			return false;
		mark(k->seen, i);
	}
	return true;
}

/* ---- running ------------------------------------------------------------ */

typedef bool check_fn(struct ai_check *c, const struct call *k);

/* NULL: another keyword asks for it. */
static check_fn *const checks[AI_KW_COUNT] = {
	[AI_KW_TYPE] = check_type,
	[AI_KW_CONST] = check_const,
	[AI_KW_ENUM] = check_enum,
	[AI_KW_MULTIPLE_OF] = check_number,
	[AI_KW_MINIMUM] = check_number,
	[AI_KW_EXCLUSIVE_MINIMUM] = check_number,
	[AI_KW_MAXIMUM] = check_number,
	[AI_KW_EXCLUSIVE_MAXIMUM] = check_number,
	[AI_KW_MIN_LENGTH] = check_size,
	[AI_KW_MAX_LENGTH] = check_size,
	[AI_KW_PATTERN] = check_pattern,
	[AI_KW_MIN_ITEMS] = check_size,
	[AI_KW_MAX_ITEMS] = check_size,
	[AI_KW_UNIQUE_ITEMS] = check_unique,
	[AI_KW_MIN_PROPERTIES] = check_size,
	[AI_KW_MAX_PROPERTIES] = check_size,
	[AI_KW_PROPERTY_NAMES] = check_names,
	[AI_KW_PROPERTIES] = check_members,
	[AI_KW_PATTERN_PROPERTIES] = check_members,
	[AI_KW_ADDITIONAL_PROPERTIES] = check_members,
	[AI_KW_REQUIRED] = check_required,
	[AI_KW_DEPENDENT_REQUIRED] = check_dependent_required,
	[AI_KW_PREFIX_ITEMS] = check_prefix,
	[AI_KW_ITEMS] = check_items,
	[AI_KW_CONTAINS] = check_contains,
	[AI_KW_REF] = check_ref,
	[AI_KW_DYNAMIC_REF] = check_dynamic_ref,
	[AI_KW_ALL_OF] = check_all_of,
	[AI_KW_ANY_OF] = check_some_of,
	[AI_KW_ONE_OF] = check_some_of,
	[AI_KW_NOT] = check_not,
	[AI_KW_IF] = check_if,
	[AI_KW_DEPENDENT_SCHEMAS] = check_dependencies,
	[AI_KW_DEPENDENCIES] = check_dependencies,
	[AI_KW_UNEVALUATED_ITEMS] = check_unevaluated,
	[AI_KW_UNEVALUATED_PROPERTIES] = check_unevaluated,
};

static bool run_rules(struct ai_check *c, const struct ai_sub *sub,
		      const struct ai_node *v, struct ai_seen *seen)
{
	struct call k = { sub, sub->rules, v, seen };

	for (size_t i = 0; i < sub->n_rules; i++, k.rule++) {
		c->rule = k.rule;
		if (checks[k.rule->key] != NULL &&
		    !checks[k.rule->key](c, &k))
			return false;
	}
	return true;
}

/* A schema with unevaluated* in it needs a set, asked for one or not. */
static bool run_watching(struct ai_check *c, const struct ai_sub *sub,
			 const struct ai_node *v, struct ai_seen *seen)
{
	struct ai_seen own;
	bool yes;

	if (!seen_init(c, &own, v->n))
		return false;
	yes = run_rules(c, sub, v, &own);
	if (yes && seen != NULL)
		seen_merge(seen, &own);
	seen_release(&own);
	return yes;
}

static bool apply(struct ai_check *c, const struct ai_sub *sub,
		  const struct ai_node *v, struct ai_seen *seen)
{
	struct ai_frame frame = {
		sub, v, c->frame, c->frame == NULL ? 1 : c->frame->depth + 1
	};
	const struct ai_rule *rule = c->rule;
	bool yes;

	/* Numbers and strings may be long, and several rules read them. */
	if (!spend(c, 1 + (v->n == 0 ? v->raw.n / 64 : 0)))
		return false;
	if (sub->never)
		return ai_check_fail(c, v, AI_WEIGHT_VALUE, "not allowed");
	if (sub->n_rules == 0)
		return true;
	if (frame.depth > AI_SCHEMA_DEPTH)
		return too_deep(c, &frame);
	c->frame = &frame;
	yes = (sub->watches ? run_watching : run_rules)(c, sub, v, seen);
	c->frame = frame.outer;
	c->rule = rule;
	return yes;
}

int ai_sub_check(const struct ai_sub *sub, const struct ai_tree *value,
		 struct ai_buf *where, struct ai_err *err)
{
	struct ai_check c = {
		.err = err, .where = where,
		.steps = AI_SCHEMA_STEPS +
			 AI_SCHEMA_STEPS_PER_VALUE * (uint64_t)value->values,
	};
	bool yes = apply(&c, sub, &value->top, NULL);

	return yes && !c.stop ? 0 : -1;
}
