/*
 * schema-tree.h: JSON text as a tree; for schema*.c only.
 *
 * Why not json-c: its trees lose what a validator must see.  Numbers beyond
 * 64 bits are changed, a duplicate key silently wins, and equality of 1 and
 * 1.0 would need the text anyway.  This tree keeps spans of the text, finds
 * a member by binary search, knows each value's parent (messages name the
 * place) and lives in one arena that is freed at once.
 */
#ifndef AI_RECORD_SCHEMA_TREE_H
#define AI_RECORD_SCHEMA_TREE_H

#include "base/buf.h"
#include "base/err.h"
#include "record/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most values in one tree; a tree takes some 100 bytes for each. */
#define AI_TREE_VALUES 262144

/* Memory that is freed all at once. */
struct ai_arena {
	struct ai_arena_block *blocks;
};

/* Zeroed memory, or NULL. */
void *ai_arena_alloc(struct ai_arena *a, size_t n);
void ai_arena_release(struct ai_arena *a);

struct ai_node {
	struct ai_node *up;    /* the array or object it is in, or NULL */
	struct ai_node *kids;  /* elements or members as they stand */
	struct ai_node **by_key; /* of an object: the kids, sorted */
	size_t n;              /* kids */
	struct ai_span key;    /* in an object: the name, decoded */
	struct ai_span text;   /* of a string: decoded */
	struct ai_span raw;    /* the value as it is written */
	void *extra;           /* whoever owns the tree may hang on here */
	enum ai_kind kind;
	unsigned depth;        /* 0 at the top */
};

struct ai_tree {
	struct ai_arena arena;
	struct ai_node top;
	size_t values; /* in all */
};

/*
 * Reads one JSON text, which must stay while the tree is in use.  The same
 * key twice in an object is refused: programs disagree on which one counts,
 * so neither may slip past a check.  -1: AI_E_JSON, AI_E_UTF8, AI_E_RECORD,
 * AI_E_TOO_LONG, AI_E_MEMORY; nothing needs to be released then.
 */
int ai_tree_parse(struct ai_tree *t, const char *json, size_t n,
		  struct ai_err *err);
void ai_tree_release(struct ai_tree *t);

/* The member of that name, or NULL (also when it is no object). */
struct ai_node *ai_node_member(const struct ai_node *n, struct ai_span key);
/* The text of a string member; p NULL if there is none. */
struct ai_span ai_node_text(const struct ai_node *n, const char *name);
bool ai_node_is(const struct ai_node *n, enum ai_kind kind);
bool ai_node_true(const struct ai_node *n);

/* Where a value stands, as -p would name it: "messages.0.content". Nothing
 * for the top. Control characters are escaped. */
void ai_node_path(const struct ai_node *n, struct ai_buf *out);
/* The value for a message: on one line, at most some 60 bytes. */
void ai_node_show(const struct ai_node *n, struct ai_buf *out);
/* Text for a message, the same way, at most max bytes (cut with "..."). */
void ai_show_text(struct ai_span s, size_t max, struct ai_buf *out);

/*
 * Equality as JSON Schema has it: numbers by value, objects without order.
 * *steps is lowered by the number of values compared; when it reaches 0 the
 * answer is false.
 */
bool ai_node_equal(const struct ai_node *a, const struct ai_node *b,
		   uint64_t *steps);
/* Equal values have equal hashes. */
uint64_t ai_node_hash(const struct ai_node *n);

#endif
