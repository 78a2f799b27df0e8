#include "record/schema-int.h"

#include <string.h>

#define SPAN(literal) { (literal), sizeof(literal) - 1 }

struct row {
	struct ai_span name;
	enum ai_shape shape;
	unsigned vocab;
};

#define CORE AI_VOCAB_CORE
#define APPL AI_VOCAB_APPLICATOR
#define UNEV AI_VOCAB_UNEVALUATED
#define VALI AI_VOCAB_VALIDATION

static const struct row rows[AI_KW_COUNT] = {
	[AI_KW_TYPE] = { SPAN("type"), AI_SHAPE_TYPE, VALI },
	[AI_KW_CONST] = { SPAN("const"), AI_SHAPE_ANY, VALI },
	[AI_KW_ENUM] = { SPAN("enum"), AI_SHAPE_LIST, VALI },
	[AI_KW_MULTIPLE_OF] = { SPAN("multipleOf"), AI_SHAPE_DIVISOR, VALI },
	[AI_KW_MINIMUM] = { SPAN("minimum"), AI_SHAPE_NUMBER, VALI },
	[AI_KW_EXCLUSIVE_MINIMUM] = { SPAN("exclusiveMinimum"),
				      AI_SHAPE_NUMBER, VALI },
	[AI_KW_MAXIMUM] = { SPAN("maximum"), AI_SHAPE_NUMBER, VALI },
	[AI_KW_EXCLUSIVE_MAXIMUM] = { SPAN("exclusiveMaximum"),
				      AI_SHAPE_NUMBER, VALI },
	[AI_KW_MIN_LENGTH] = { SPAN("minLength"), AI_SHAPE_COUNT, VALI },
	[AI_KW_MAX_LENGTH] = { SPAN("maxLength"), AI_SHAPE_COUNT, VALI },
	[AI_KW_PATTERN] = { SPAN("pattern"), AI_SHAPE_PATTERN, VALI },
	[AI_KW_MIN_ITEMS] = { SPAN("minItems"), AI_SHAPE_COUNT, VALI },
	[AI_KW_MAX_ITEMS] = { SPAN("maxItems"), AI_SHAPE_COUNT, VALI },
	[AI_KW_UNIQUE_ITEMS] = { SPAN("uniqueItems"), AI_SHAPE_BOOL, VALI },
	[AI_KW_MIN_PROPERTIES] = { SPAN("minProperties"), AI_SHAPE_COUNT,
				   VALI },
	[AI_KW_MAX_PROPERTIES] = { SPAN("maxProperties"), AI_SHAPE_COUNT,
				   VALI },
	[AI_KW_PROPERTY_NAMES] = { SPAN("propertyNames"), AI_SHAPE_SCHEMA,
				   APPL },
	[AI_KW_PROPERTIES] = { SPAN("properties"), AI_SHAPE_SCHEMA_MAP, APPL },
	[AI_KW_PATTERN_PROPERTIES] = { SPAN("patternProperties"),
				       AI_SHAPE_PATTERN_MAP, APPL },
	[AI_KW_ADDITIONAL_PROPERTIES] = { SPAN("additionalProperties"),
					  AI_SHAPE_SCHEMA, APPL },
	[AI_KW_REQUIRED] = { SPAN("required"), AI_SHAPE_NAMES, VALI },
	[AI_KW_DEPENDENT_REQUIRED] = { SPAN("dependentRequired"),
				       AI_SHAPE_NAMES_MAP, VALI },
	[AI_KW_PREFIX_ITEMS] = { SPAN("prefixItems"), AI_SHAPE_SCHEMA_LIST,
				 APPL },
	[AI_KW_ITEMS] = { SPAN("items"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_CONTAINS] = { SPAN("contains"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_MIN_CONTAINS] = { SPAN("minContains"), AI_SHAPE_COUNT, VALI },
	[AI_KW_MAX_CONTAINS] = { SPAN("maxContains"), AI_SHAPE_COUNT, VALI },
	[AI_KW_REF] = { SPAN("$ref"), AI_SHAPE_REF, CORE },
	[AI_KW_DYNAMIC_REF] = { SPAN("$dynamicRef"), AI_SHAPE_DYNAMIC_REF,
				CORE },
	[AI_KW_ALL_OF] = { SPAN("allOf"), AI_SHAPE_SCHEMA_LIST, APPL },
	[AI_KW_ANY_OF] = { SPAN("anyOf"), AI_SHAPE_SCHEMA_LIST, APPL },
	[AI_KW_ONE_OF] = { SPAN("oneOf"), AI_SHAPE_SCHEMA_LIST, APPL },
	[AI_KW_NOT] = { SPAN("not"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_IF] = { SPAN("if"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_THEN] = { SPAN("then"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_ELSE] = { SPAN("else"), AI_SHAPE_SCHEMA, APPL },
	[AI_KW_DEPENDENT_SCHEMAS] = { SPAN("dependentSchemas"),
				      AI_SHAPE_SCHEMA_MAP, APPL },
	[AI_KW_DEPENDENCIES] = { SPAN("dependencies"), AI_SHAPE_DEPENDENCIES,
				 APPL },
	[AI_KW_UNEVALUATED_ITEMS] = { SPAN("unevaluatedItems"),
				      AI_SHAPE_SCHEMA, UNEV },
	[AI_KW_UNEVALUATED_PROPERTIES] = { SPAN("unevaluatedProperties"),
					   AI_SHAPE_SCHEMA, UNEV },
	[AI_KW_DEFS] = { SPAN("$defs"), AI_SHAPE_SCHEMA_MAP, CORE },
	[AI_KW_DEFINITIONS] = { SPAN("definitions"), AI_SHAPE_SCHEMA_MAP,
				CORE },
	[AI_KW_CONTENT_SCHEMA] = { SPAN("contentSchema"), AI_SHAPE_SCHEMA,
				   CORE },
};

const char *ai_keyword_name(enum ai_keyword key)
{
	return rows[key].name.p;
}

static enum ai_keyword keyword_of(struct ai_span name)
{
	for (int k = 0; k < AI_KW_COUNT; k++)
		if (ai_span_eq(name, rows[k].name))
			return (enum ai_keyword)k;
	return AI_KW_COUNT;
}

static bool is_schema(const struct ai_node *n)
{
	return n->kind == AI_OBJECT || n->kind == AI_BOOL;
}

const struct ai_rule *ai_sub_rule(const struct ai_sub *sub,
				  enum ai_keyword key)
{
	for (size_t i = 0; i < sub->n_rules && sub->rules[i].key <= key; i++)
		if (sub->rules[i].key == key)
			return &sub->rules[i];
	return NULL;
}

/* ---- where subschemas stand --------------------------------------------- */

int ai_rules_walk(const struct ai_node *schema, ai_sub_fn *fn, void *arg)
{
	for (size_t i = 0; i < schema->n; i++) {
		struct ai_node *val = &schema->kids[i];
		enum ai_keyword key = keyword_of(val->key);

		if (key == AI_KW_COUNT)
			continue;
		switch (rows[key].shape) {
		case AI_SHAPE_SCHEMA:
			if (is_schema(val) && fn(arg, val) < 0)
				return -1;
			break;
		case AI_SHAPE_SCHEMA_LIST:
		case AI_SHAPE_SCHEMA_MAP:
		case AI_SHAPE_PATTERN_MAP:
		case AI_SHAPE_DEPENDENCIES:
			for (size_t k = 0; k < val->n; k++)
				if (is_schema(&val->kids[k]) &&
				    fn(arg, &val->kids[k]) < 0)
					return -1;
			break;
		default:
			break;
		}
	}
	return 0;
}

/* ---- compiling, one function a shape ------------------------------------ */

struct job {
	struct ai_compiler *c;
	struct ai_sub *sub;
	struct ai_rule *rule;
	const struct ai_node *val;
};

static int wrong(const struct job *j, const struct ai_node *at,
		 const char *expected)
{
	struct ai_buf b = AI_BUF_INIT(256);

	ai_buf_fmt(&b, "expected %s, not ", expected);
	ai_node_show(at, &b);
	ai_compiler_refuse(j->c, at, "%s", (struct ai_span){
		ai_buf_cstr(&b), b.len });
	ai_buf_release(&b);
	return -1;
}

static int do_schema(struct job *j)
{
	/* The compiler hangs its schema on the node: it owns the tree. */
	struct ai_node *val = (struct ai_node *)j->val;

	if (!is_schema(val))
		return wrong(j, val, "a schema");
	j->rule->sub = ai_compiler_sub(j->c, val, j->sub);
	return j->rule->sub == NULL ? -1 : 0;
}

static int make_subs(struct job *j)
{
	j->rule->subs = ai_compiler_alloc(j->c,
					  j->val->n * sizeof *j->rule->subs);
	return j->rule->subs == NULL ? -1 : 0;
}

/* The schemas that a list or a map holds. */
static int fill_subs(struct job *j)
{
	if (make_subs(j) < 0)
		return -1;
	for (size_t i = 0; i < j->val->n; i++) {
		if (!is_schema(&j->val->kids[i]))
			return wrong(j, &j->val->kids[i], "a schema");
		j->rule->subs[i] = ai_compiler_sub(j->c, &j->val->kids[i],
						   j->sub);
		if (j->rule->subs[i] == NULL)
			return -1;
	}
	return 0;
}

static int do_schema_list(struct job *j)
{
	if (j->val->kind != AI_ARRAY || j->val->n == 0)
		return wrong(j, j->val, "an array of schemas");
	return fill_subs(j);
}

static int do_schema_map(struct job *j)
{
	if (j->val->kind != AI_OBJECT)
		return wrong(j, j->val, "an object of schemas");
	return fill_subs(j);
}

static int do_pattern_map(struct job *j)
{
	struct ai_regex **re;

	if (do_schema_map(j) < 0)
		return -1;
	re = ai_compiler_alloc(j->c, j->val->n * sizeof *re);
	if (re == NULL)
		return -1;
	for (size_t i = 0; i < j->val->n; i++)
		if (ai_compiler_regex(j->c, &j->val->kids[i],
				      j->val->kids[i].key, &re[i]) < 0)
			return -1;
	j->rule->regexes = re;
	return 0;
}

static int do_names_at(struct job *j, const struct ai_node *list)
{
	if (list->kind != AI_ARRAY)
		return wrong(j, list, "an array of strings");
	for (size_t i = 0; i < list->n; i++)
		if (list->kids[i].kind != AI_STRING)
			return wrong(j, &list->kids[i], "a string");
	return 0;
}

static int do_names(struct job *j)
{
	return do_names_at(j, j->val);
}

static int do_names_map(struct job *j)
{
	if (j->val->kind != AI_OBJECT)
		return wrong(j, j->val, "an object");
	for (size_t i = 0; i < j->val->n; i++)
		if (do_names_at(j, &j->val->kids[i]) < 0)
			return -1;
	return 0;
}

static int do_dependencies(struct job *j)
{
	if (j->val->kind != AI_OBJECT)
		return wrong(j, j->val, "an object");
	if (make_subs(j) < 0)
		return -1;
	for (size_t i = 0; i < j->val->n; i++) {
		struct ai_node *kid = &j->val->kids[i];

		if (!is_schema(kid)) {
			if (do_names_at(j, kid) < 0)
				return -1;
			continue;
		}
		j->rule->subs[i] = ai_compiler_sub(j->c, kid, j->sub);
		if (j->rule->subs[i] == NULL)
			return -1;
	}
	return 0;
}

static int do_any_ref(struct job *j, struct ai_span *anchor)
{
	if (j->val->kind != AI_STRING)
		return wrong(j, j->val, "a string");
	return ai_compiler_resolve(j->c, j->sub, j->val, &j->rule->sub,
				   anchor);
}

static int do_ref(struct job *j)
{
	struct ai_span anchor;

	return do_any_ref(j, &anchor);
}

static int do_dynamic_ref(struct job *j)
{
	return do_any_ref(j, &j->rule->anchor);
}

static int add_type(struct job *j, const struct ai_node *name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} types[] = {
		{ "null", 1u << AI_NULL },     { "boolean", 1u << AI_BOOL },
		{ "number", 1u << AI_NUMBER }, { "integer", AI_WHOLE },
		{ "string", 1u << AI_STRING }, { "array", 1u << AI_ARRAY },
		{ "object", 1u << AI_OBJECT },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (name->kind == AI_STRING &&
		    ai_span_is(name->text, types[i].name)) {
			j->rule->kinds |= types[i].bit;
			return 0;
		}
	}
	return wrong(j, name, "the name of a type");
}

static int do_type(struct job *j)
{
	if (j->val->kind != AI_ARRAY)
		return add_type(j, j->val);
	for (size_t i = 0; i < j->val->n; i++)
		if (add_type(j, &j->val->kids[i]) < 0)
			return -1;
	return 0;
}

static int do_list(struct job *j)
{
	return j->val->kind == AI_ARRAY ? 0 : wrong(j, j->val, "an array");
}

static int do_bool(struct job *j)
{
	return j->val->kind == AI_BOOL ? 0
				       : wrong(j, j->val, "true or false");
}

static int do_number(struct job *j)
{
	if (j->val->kind != AI_NUMBER)
		return wrong(j, j->val, "a number");
	j->rule->number = ai_dec_of(j->val->raw);
	return 0;
}

static int do_divisor(struct job *j)
{
	if (do_number(j) < 0)
		return -1;
	if (j->rule->number.neg || j->rule->number.digits == 0)
		return wrong(j, j->val, "a number above 0");
	if (j->rule->number.digits > AI_DEC_DIVISOR_DIGITS)
		return wrong(j, j->val, "a number of at most 18 digits");
	return 0;
}

static int do_count(struct job *j)
{
	int64_t count;

	if (do_number(j) < 0)
		return -1;
	if (j->rule->number.neg || !ai_dec_whole(j->rule->number))
		return wrong(j, j->val, "a whole number from 0 up");
	j->rule->count = ai_dec_i64(j->rule->number, &count) == 0
				 ? (size_t)count : SIZE_MAX;
	return 0;
}

static int do_pattern(struct job *j)
{
	if (j->val->kind != AI_STRING)
		return wrong(j, j->val, "a string");
	j->rule->regexes = ai_compiler_alloc(j->c, sizeof *j->rule->regexes);
	if (j->rule->regexes == NULL)
		return -1;
	return ai_compiler_regex(j->c, j->val, j->val->text,
				 j->rule->regexes);
}

static int do_any(struct job *j)
{
	(void)j;
	return 0;
}

static int (*const compile[])(struct job *) = {
	[AI_SHAPE_SCHEMA] = do_schema,
	[AI_SHAPE_SCHEMA_LIST] = do_schema_list,
	[AI_SHAPE_SCHEMA_MAP] = do_schema_map,
	[AI_SHAPE_PATTERN_MAP] = do_pattern_map,
	[AI_SHAPE_DEPENDENCIES] = do_dependencies,
	[AI_SHAPE_REF] = do_ref,
	[AI_SHAPE_DYNAMIC_REF] = do_dynamic_ref,
	[AI_SHAPE_TYPE] = do_type,
	[AI_SHAPE_ANY] = do_any,
	[AI_SHAPE_LIST] = do_list,
	[AI_SHAPE_NAMES] = do_names,
	[AI_SHAPE_NAMES_MAP] = do_names_map,
	[AI_SHAPE_BOOL] = do_bool,
	[AI_SHAPE_NUMBER] = do_number,
	[AI_SHAPE_DIVISOR] = do_divisor,
	[AI_SHAPE_COUNT] = do_count,
	[AI_SHAPE_PATTERN] = do_pattern,
};

/* ---- a whole schema ----------------------------------------------------- */

/* Keeps the rules sorted; a schema has few. */
static void insert(struct ai_sub *sub, const struct ai_rule *rule)
{
	size_t i = sub->n_rules++;

	for (; i > 0 && sub->rules[i - 1].key > rule->key; i--)
		sub->rules[i] = sub->rules[i - 1];
	sub->rules[i] = *rule;
}

int ai_rules_compile(struct ai_compiler *c, struct ai_sub *sub)
{
	const struct ai_node *node = sub->node;
	size_t max = node->n < AI_KW_COUNT ? node->n : AI_KW_COUNT;

	if (node->kind == AI_BOOL) {
		sub->never = !ai_node_true(node);
		return 0;
	}
	sub->rules = ai_compiler_alloc(c, max * sizeof *sub->rules);
	if (sub->rules == NULL)
		return -1;
	for (size_t i = 0; i < node->n; i++) {
		struct ai_rule rule = { .val = &node->kids[i] };
		struct job j = { c, sub, &rule, rule.val };

		rule.key = keyword_of(rule.val->key);
		if (rule.key >= AI_KW_DEFS ||
		    (rows[rule.key].vocab & sub->res->vocab) == 0)
			continue;
		if (compile[rows[rule.key].shape](&j) < 0)
			return -1;
		if (rule.key == AI_KW_UNEVALUATED_ITEMS ||
		    rule.key == AI_KW_UNEVALUATED_PROPERTIES)
			sub->watches = true;
		insert(sub, &rule);
	}
	return 0;
}
