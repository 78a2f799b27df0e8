/*
 * schema-int.h: what the parts of the validator share; for schema*.c only.
 *
 *	schema.c        documents, meta-schemas; the public calls
 *	schema-refs.c   $id, anchors, references
 *	schema-rules.c  one table of keywords: what a value must look like,
 *	                where subschemas stand; compiles keywords to rules
 *	schema-check.c  runs rules: applicators and assertions
 *	schema-say.c    messages
 *	schema-meta.c   the text of the meta-schema
 *	schema-uri.c    references, RFC 3986
 *	schema-tree.c   JSON text as a tree
 */
#ifndef AI_RECORD_SCHEMA_INT_H
#define AI_RECORD_SCHEMA_INT_H

#include "record/dec.h"
#include "record/schema.h"
#include "record/schema-tree.h"
#include "text/regex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ai_sub;
struct ai_check;
struct ai_seen;

/* Vocabularies; a meta-schema's $vocabulary switches them. */
enum {
	AI_VOCAB_CORE = 1,
	AI_VOCAB_APPLICATOR = 2,
	AI_VOCAB_UNEVALUATED = 4,
	AI_VOCAB_VALIDATION = 8,
	AI_VOCAB_ALL = 15,
};

/* What the value of a keyword is, and so how it is compiled. */
enum ai_shape {
	AI_SHAPE_NONE,         /* nothing to compile: $id, $comment, ... */
	AI_SHAPE_SCHEMA,
	AI_SHAPE_SCHEMA_LIST,
	AI_SHAPE_SCHEMA_MAP,   /* name: schema */
	AI_SHAPE_PATTERN_MAP,  /* expression: schema */
	AI_SHAPE_DEPENDENCIES, /* name: schema or names */
	AI_SHAPE_REF,
	AI_SHAPE_DYNAMIC_REF,
	AI_SHAPE_TYPE,
	AI_SHAPE_ANY,
	AI_SHAPE_LIST,
	AI_SHAPE_NAMES,
	AI_SHAPE_NAMES_MAP,    /* name: names */
	AI_SHAPE_BOOL,
	AI_SHAPE_NUMBER,
	AI_SHAPE_DIVISOR,
	AI_SHAPE_COUNT,
	AI_SHAPE_PATTERN,
};

/* Keywords in the order in which they are evaluated. */
enum ai_keyword {
	AI_KW_TYPE,
	AI_KW_CONST,
	AI_KW_ENUM,
	AI_KW_MULTIPLE_OF,
	AI_KW_MINIMUM,
	AI_KW_EXCLUSIVE_MINIMUM,
	AI_KW_MAXIMUM,
	AI_KW_EXCLUSIVE_MAXIMUM,
	AI_KW_MIN_LENGTH,
	AI_KW_MAX_LENGTH,
	AI_KW_PATTERN,
	AI_KW_MIN_ITEMS,
	AI_KW_MAX_ITEMS,
	AI_KW_UNIQUE_ITEMS,
	AI_KW_MIN_PROPERTIES,
	AI_KW_MAX_PROPERTIES,
	AI_KW_PROPERTY_NAMES,
	/* The first of these three that is there does the work of all. */
	AI_KW_PROPERTIES,
	AI_KW_PATTERN_PROPERTIES,
	AI_KW_ADDITIONAL_PROPERTIES,
	/* Behind them: a misspelt name explains a missing one. */
	AI_KW_REQUIRED,
	AI_KW_DEPENDENT_REQUIRED,
	AI_KW_PREFIX_ITEMS,
	AI_KW_ITEMS,
	AI_KW_CONTAINS,
	AI_KW_MIN_CONTAINS,
	AI_KW_MAX_CONTAINS,
	AI_KW_REF,
	AI_KW_DYNAMIC_REF,
	AI_KW_ALL_OF,
	AI_KW_ANY_OF,
	AI_KW_ONE_OF,
	AI_KW_NOT,
	AI_KW_IF,
	AI_KW_THEN,
	AI_KW_ELSE,
	AI_KW_DEPENDENT_SCHEMAS,
	AI_KW_DEPENDENCIES,
	/* Behind all others: they ask what was left. */
	AI_KW_UNEVALUATED_ITEMS,
	AI_KW_UNEVALUATED_PROPERTIES,
	/* Only hold subschemas. */
	AI_KW_DEFS,
	AI_KW_DEFINITIONS,
	AI_KW_CONTENT_SCHEMA,
	AI_KW_COUNT
};

struct ai_rule {
	enum ai_keyword key;
	const struct ai_node *val; /* the keyword's value in the schema */
	/* By shape: */
	struct ai_sub *sub;        /* SCHEMA, REF, DYNAMIC_REF */
	struct ai_sub **subs;      /* one a kid of val; NULL: not a schema */
	struct ai_regex **regexes; /* one a kid of val, or one */
	struct ai_span anchor;     /* DYNAMIC_REF: the name, or none */
	struct ai_dec number;      /* NUMBER, DIVISOR */
	size_t count;              /* COUNT */
	unsigned kinds;            /* TYPE: bits 1 << enum ai_kind, AI_WHOLE */
};

/* In ai_rule.kinds: "integer", a number that must be whole. */
#define AI_WHOLE (1u << 31)

/* A schema resource: a document, or what an $id makes one of its own. */
struct ai_resource {
	struct ai_span uri;       /* absolute if any $id was; no fragment */
	struct ai_node *top;
	struct ai_resource *outer; /* the one it is embedded in, or NULL */
	const struct ai_schema *owner;
	unsigned doc, seq;        /* index of its document, and its own */
	unsigned vocab;
	struct ai_anchor *anchors; /* sorted by name */
	size_t n_anchors;
};

struct ai_anchor {
	struct ai_span name;
	struct ai_node *node;
	bool dynamic;
};

/* One schema: an object or a boolean. */
struct ai_sub {
	struct ai_node *node;
	struct ai_resource *res;
	struct ai_rule *rules; /* sorted by key */
	size_t n_rules;
	bool never;            /* false */
	bool watches;          /* has an unevaluated* rule */
};

struct ai_schema_name {
	struct ai_span uri;
	struct ai_resource *res;
};

struct ai_regex_link {
	struct ai_regex *re;
	struct ai_regex_link *next;
};

struct ai_schema {
	struct ai_tree *trees; /* the schema's, then the documents' */
	size_t n_trees;
	struct ai_arena arena; /* all that is compiled */
	struct ai_regex_link *regexes;
	struct ai_schema_name *names; /* sorted by URI, the first of each wins */
	size_t n_names;
	struct ai_sub *top;
};

/* Anchors wait here until all are known. */
struct ai_pending {
	struct ai_resource *res;
	struct ai_anchor anchor;
};

/* What is needed while a schema is compiled. */
struct ai_compiler {
	struct ai_schema *s;
	const struct ai_schema *meta; /* NULL: it is being made, or not asked */
	const struct ai_schema_doc *docs;
	struct ai_sub **subs; /* a work list too: new ones go to its end */
	size_t n_subs, cap_subs;
	struct ai_resource **resources;
	size_t n_resources, cap_resources;
	struct ai_schema_name *names;
	size_t n_names, cap_names;
	struct ai_pending *anchors;
	size_t n_anchors, cap_anchors;
	unsigned doc;
	struct ai_err *err;
};

/* ---- schema.c ----------------------------------------------------------- */

/* A compiled expression that the schema will own. */
int ai_compiler_regex(struct ai_compiler *c, const struct ai_node *at,
		      struct ai_span pattern, struct ai_regex **re);
void *ai_compiler_alloc(struct ai_compiler *c, size_t n);
/*
 * AI_E_DATA with "place: " in front; a "%s" in the message stands for text,
 * which is shown without control characters.  Returns -1.
 */
int ai_compiler_refuse(struct ai_compiler *c, const struct ai_node *at,
		       const char *message, struct ai_span text);

/* Checks a tree; what ai_schema_check_where() does behind parsing. */
int ai_sub_check(const struct ai_sub *sub, const struct ai_tree *value,
		 struct ai_buf *where, struct ai_err *err);

/* ---- schema-refs.c ------------------------------------------------------ */

/* Finds all schemas, resources and anchors of document c->doc. */
int ai_compiler_visit(struct ai_compiler *c, struct ai_tree *tree);
/* Makes names and anchors searchable, once all documents were visited. */
int ai_compiler_sort(struct ai_compiler *c);
/* The resource of that URI in a schema, or NULL. */
struct ai_resource *ai_schema_find(const struct ai_schema *s,
				   struct ai_span uri);
/* The schema at a node; new and to be compiled if nobody met it before.
 * NULL: out of memory. */
struct ai_sub *ai_compiler_sub(struct ai_compiler *c, struct ai_node *node,
			       struct ai_sub *inside);
/* What the reference in a string leads to; *anchor is the name of a dynamic
 * anchor, if it is one. */
int ai_compiler_resolve(struct ai_compiler *c, struct ai_sub *from,
			const struct ai_node *ref, struct ai_sub **to,
			struct ai_span *anchor);
const struct ai_anchor *ai_resource_anchor(const struct ai_resource *r,
					   struct ai_span name);

/* ---- schema-rules.c ----------------------------------------------------- */

/* What it calls: a schema that stands inside another, below a keyword. */
typedef int ai_sub_fn(void *arg, struct ai_node *schema);

/* Calls fn for each subschema that a schema object's keywords hold. */
int ai_rules_walk(const struct ai_node *schema, ai_sub_fn *fn, void *arg);
/* Compiles the keywords of sub->node into sub->rules. */
int ai_rules_compile(struct ai_compiler *c, struct ai_sub *sub);
/* The rule for a keyword, or NULL. */
const struct ai_rule *ai_sub_rule(const struct ai_sub *sub, enum ai_keyword key);
const char *ai_keyword_name(enum ai_keyword key);

/* ---- schema-check.c ----------------------------------------------------- */

/* The deepest that schemas may call each other for one value. */
#define AI_SCHEMA_DEPTH 1024
/* Steps that every check may take, and more for each value. */
#define AI_SCHEMA_STEPS 2000000
#define AI_SCHEMA_STEPS_PER_VALUE 64

/* A schema being applied to a value; they stand on the C stack. */
struct ai_frame {
	const struct ai_sub *sub;
	const struct ai_node *value;
	const struct ai_frame *outer;
	unsigned depth;
};

struct ai_check {
	const struct ai_frame *frame; /* the innermost */
	const struct ai_rule *rule;   /* of its schema; NULL: none yet */
	uint64_t steps;               /* left */
	int quiet;                    /* > 0: a failure is no message */
	unsigned miss;                /* how far the last failure came */
	bool stop;                    /* a limit or memory: no answer */
	struct ai_err *err;
	struct ai_buf *where;         /* in the schema; or NULL */
};

/* ---- schema-say.c ------------------------------------------------------- */

/* Fills err, or does nothing without one; too long a text is cut between
 * characters. */
void ai_say(struct ai_err *err, enum ai_code code, const struct ai_buf *text);

/*
 * A value fails: fills err unless the check is quiet.  All of these return
 * false.  How far a failure came is its depth and, of two at one depth, its
 * weight: what has the wrong type or another constant was meant for another
 * alternative.
 */
enum { AI_WEIGHT_TYPE, AI_WEIGHT_CONST, AI_WEIGHT_ENUM, AI_WEIGHT_VALUE };
#define AI_MISS(node, weight) (4 * ((node)->depth + 1) + (unsigned)(weight))
bool ai_check_fail(struct ai_check *c, const struct ai_node *at, int weight,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* No answer can be given, for a reason at the value (or NULL). */
bool ai_check_stop(struct ai_check *c, enum ai_code code,
		   const struct ai_node *at, const char *message);
/* "expected a string or null, not 3" */
bool ai_check_fail_type(struct ai_check *c, const struct ai_node *at,
			unsigned kinds);
/* "3 is not the required 4" */
bool ai_check_fail_const(struct ai_check *c, const struct ai_node *at,
			 const struct ai_node *required);
/* "3 is not one of 1, 2" */
bool ai_check_fail_enum(struct ai_check *c, const struct ai_node *at,
			const struct ai_node *list);
/* "not a known key; did you mean 'size'?", from those that sub knows; with
 * in_place also from those that schemas applied in place know. */
bool ai_check_fail_key(struct ai_check *c, const struct ai_node *member,
		       const struct ai_sub *sub, bool in_place);
/* "0 is less than the minimum 1" */
bool ai_check_fail_value(struct ai_check *c, const struct ai_node *at,
			 const char *relation, const struct ai_node *to);
/* "'size' is missing", and if beside.p is not NULL " beside 'unit'" */
bool ai_check_fail_missing(struct ai_check *c, const struct ai_node *at,
			   struct ai_span name, struct ai_span beside);

/* ---- schema-uri.c ------------------------------------------------------- */

/* A reference's part before '#', and the fragment behind it, p NULL if
 * there is no '#'. */
void ai_uri_split(struct ai_span ref, struct ai_span *uri,
		  struct ai_span *fragment);
/* The URI that ref (without fragment) means relative to base, RFC 3986 §5.2;
 * an empty base leaves it as it is, without dot segments. */
void ai_uri_resolve(struct ai_span base, struct ai_span ref,
		    struct ai_buf *out);
/* Percent-decodes; a % that is none stays. */
void ai_uri_decode(struct ai_span s, struct ai_buf *out);

/* ---- schema-meta.c ------------------------------------------------------ */

#define AI_META_URI "https://json-schema.org/draft/2020-12/schema"

extern const struct ai_schema_doc ai_schema_meta[];
extern const size_t ai_schema_n_meta;

#endif
