/*
 * filter.h: --where as a tree of tests on paths.
 *
 * A document has values at paths: those of its metadata and of its source,
 * objects adding a name to the path and lists nothing.  A test holds if one
 * of the values at its path does; AND, OR and NOT combine tests.
 */
#ifndef SEARCH_FILTER_H
#define SEARCH_FILTER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "record/dec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_PATH_MAX 256  /* bytes */
#define SEARCH_VALUE_MAX 256 /* bytes that are kept of a string */
#define SEARCH_TESTS_MAX 256 /* of one command */

/* ---- values --------------------------------------------------------------- */

enum search_kind {
	SEARCH_IS_STRING = 's',
	SEARCH_IS_LONG = 'l',   /* its first SEARCH_VALUE_MAX bytes and its hash */
	SEARCH_IS_NUMBER = 'n', /* as it is written */
	SEARCH_IS_WORD = 'w',   /* true, false, null */
	SEARCH_IS_NODE = 'o',   /* an object or a list; no bytes */
};

/* A longer string as SEARCH_IS_LONG; out gets SEARCH_VALUE_MAX + 16 bytes. */
void search_long_value(struct ai_span text, struct ai_buf *out);

/*
 * A point in time, seconds and nanoseconds since 1970 in UTC; or, where less
 * than a second was written, all of them until `to`.
 */
struct search_date {
	int64_t s, to; /* to: excluded; s if it is a point */
	uint32_t ns;
};
/* ISO 8601: YYYY[-MM[-DD[Thh[:mm[:ss[.f]]]]]] and YYYYMMDDThhmm[ss[.f]], each
 * with a time also Z or +hh[:mm]; without, it is UTC.  A blank may stand for
 * the T.  Digits of a second behind the ninth do not count. */
bool search_date_read(struct ai_span s, struct search_date *d);
/* What a JSON number is, and nothing behind it. */
bool search_is_number(struct ai_span s);

/* ---- tests ---------------------------------------------------------------- */

enum search_compare {
	SEARCH_IF_EQ, SEARCH_IF_LT, SEARCH_IF_LE, SEARCH_IF_GT, SEARCH_IF_GE,
	SEARCH_IF_PREFIX, SEARCH_IF_ANY,
};

struct search_test {
	struct ai_span path, value; /* of the expression's own bytes */
	enum search_compare how;
	bool quoted;          /* stands for a string alone */
	bool is_number, is_date;
	struct ai_dec number;
	struct search_date date;
	char *cut;            /* owned: value as SEARCH_IS_LONG, or NULL */
};

bool search_test_holds(const struct search_test *t, enum search_kind kind,
		       struct ai_span value);

/* ---- expressions ---------------------------------------------------------- */

enum search_node_kind {
	SEARCH_NODE_TEST, SEARCH_NODE_NOT, SEARCH_NODE_AND, SEARCH_NODE_OR,
};

struct search_node {
	enum search_node_kind kind;
	int left, right; /* nodes, before this one; a test's number */
};

/* Zeros hold for every document. */
struct search_where {
	struct search_test *tests; /* owned, as all of it */
	size_t n_tests;
	struct search_node *nodes;
	size_t n_nodes;
	int root; /* of n_nodes > 0 */
	char **texts;
	size_t n_texts;
};

/* Adds what must hold as well.  AI_E_USAGE: what is wrong and where; release
 * it then, too. */
int search_where_add(struct search_where *w, const char *text,
		     struct ai_err *err);
void search_where_release(struct search_where *w);
/* Whether it holds, given what each test came to. */
bool search_where_holds(const struct search_where *w, const bool *tests);

/* ---- the values of a document ------------------------------------------------ */

typedef int search_value_fn(void *arg, struct ai_span path,
			    enum search_kind kind, struct ai_span value,
			    struct ai_err *err);
/*
 * Each value of a document's source and metadata with its path.  With bounds,
 * the first ones of a document that has too many to be kept in tags; *odd
 * says so, or that a path or a number is too long for them.
 */
int search_values(struct ai_span source, struct ai_span meta, bool bounds,
		  search_value_fn *each, void *arg, bool *odd,
		  struct ai_err *err);

#endif
