/*
 * filter-parse.c: the language of --where.
 *
 *	expr  := and { OR and }
 *	and   := not { AND not }
 *	not   := NOT not | ( expr ) | test
 *	test  := path op value        op: = == != < <= > >=
 *
 * A value without quotes goes on to AND, OR, the parenthesis that closes, or
 * the end, so that "title=A day (draft)" needs none.
 */
#include "filter.h"

#include "record/json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 64

struct parser {
	struct search_where *w;
	const char *text, *p; /* all of it; where it stands */
	int depth;            /* of parentheses and NOT */
	int open;             /* parentheses */
	struct ai_err *err;
};

static int wrong(const struct parser *p, const char *at, const char *what)
{
	bool end = *at == '\0';

	return ai_err_set(p->err, AI_E_USAGE, "--where %.120s: byte %zu%s%.20s"
			  "%s: %s", p->text, (size_t)(at - p->text) + 1,
			  end ? ", the end" : ", at '", at, end ? "" : "'",
			  what);
}

static void blanks(struct parser *p)
{
	while (*p->p == ' ' || *p->p == '\t' || *p->p == '\n')
		p->p++;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Whether a word stands there, with a blank, a parenthesis or the end behind
 * it. */
static bool is_word(const char *p, const char *word)
{
	size_t n = strlen(word);

	return strncmp(p, word, n) == 0 &&
		(p[n] == '\0' || is_blank(p[n]) || p[n] == '(');
}

static bool take_word(struct parser *p, const char *word)
{
	blanks(p);
	if (!is_word(p->p, word))
		return false;
	p->p += strlen(word);
	return true;
}

/* ---- the tree --------------------------------------------------------------- */

static int add_node(struct parser *p, enum search_node_kind kind, int left,
		    int right)
{
	struct search_where *w = p->w;
	struct search_node *v = reallocarray(w->nodes, w->n_nodes + 1,
					     sizeof(*v));

	if (v == NULL)
		return ai_err_nomem(p->err);
	w->nodes = v;
	v[w->n_nodes] = (struct search_node){ kind, left, right };
	return (int)w->n_nodes++;
}

static int add_test(struct parser *p, struct search_test t)
{
	struct search_where *w = p->w;
	struct search_test *v = reallocarray(w->tests, w->n_tests + 1,
					     sizeof(*v));

	if (v == NULL) {
		free(t.cut);
		return ai_err_nomem(p->err);
	}
	w->tests = v;
	v[w->n_tests++] = t;
	return add_node(p, SEARCH_NODE_TEST, (int)w->n_tests - 1, 0);
}

/* Bytes that live as long as the expression. */
static int keep(struct parser *p, struct ai_span s, struct ai_span *out)
{
	struct search_where *w = p->w;
	char **v = reallocarray(w->texts, w->n_texts + 1, sizeof(*v));

	if (v == NULL)
		return ai_err_nomem(p->err);
	w->texts = v;
	v[w->n_texts] = ai_span_dup(s);
	if (v[w->n_texts] == NULL)
		return ai_err_nomem(p->err);
	*out = (struct ai_span){ v[w->n_texts++], s.n };
	return 0;
}

/* ---- a test ------------------------------------------------------------------ */

/* "...", with JSON's escapes. */
static int read_quoted(struct parser *p, struct ai_span *out)
{
	const char *from = p->p, *end = from + 1;
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	struct ai_value v;
	int rc;

	while (*end != '\0' && *end != '"')
		end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
	if (*end == '\0')
		return wrong(p, from, "the quotes are not closed");
	if (ai_json_check(from, (size_t)(end + 1 - from), &v, NULL) < 0)
		return wrong(p, from, "not a JSON string; \\ stands as \\\\");
	rc = ai_json_text(v, &b);
	if (rc < 0)
		ai_buf_check(&b, "a value of --where", p->err);
	else
		rc = keep(p, (struct ai_span){ ai_buf_cstr(&b), b.len }, out);
	ai_buf_release(&b);
	p->p = end + 1;
	return rc;
}

static bool is_operator(const char *p)
{
	return *p == '=' || *p == '<' || *p == '>' ||
		(p[0] == '!' && p[1] == '=');
}

static int read_path(struct parser *p, struct ai_span *out)
{
	const char *from, *end;

	blanks(p);
	from = p->p;
	if (*from == '"') {
		if (read_quoted(p, out) < 0)
			return -1;
	} else {
		while (*p->p != '\0' && !is_operator(p->p))
			p->p++;
		for (end = p->p; end > from && is_blank(end[-1]); end--)
			;
		if (*p->p == '\0' && end > from)
			return wrong(p, from, "write KEY=VALUE, or another "
				     "of != < <= > >=");
		if (keep(p, (struct ai_span){ from, (size_t)(end - from) },
			 out) < 0)
			return -1;
	}
	if (out->n > 5 && memcmp(out->p, "meta.", 5) == 0)
		*out = (struct ai_span){ out->p + 5, out->n - 5 };
	if (out->n == 0)
		return wrong(p, from, "write KEY=VALUE: there is no key");
	if (out->n > SEARCH_PATH_MAX)
		return wrong(p, from, "a key of more than 256 bytes");
	return 0;
}

static int read_operator(struct parser *p, enum search_compare *how, bool *not)
{
	static const struct {
		const char *text;
		enum search_compare how;
		bool not;
	} ops[] = {
		{ "==", SEARCH_IF_EQ, false }, { "=", SEARCH_IF_EQ, false },
		{ "!=", SEARCH_IF_EQ, true }, { "<=", SEARCH_IF_LE, false },
		{ "<", SEARCH_IF_LT, false }, { ">=", SEARCH_IF_GE, false },
		{ ">", SEARCH_IF_GT, false },
	};
	size_t i, n;

	blanks(p);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		n = strlen(ops[i].text);
		if (strncmp(p->p, ops[i].text, n) != 0)
			continue;
		p->p += n;
		*how = ops[i].how;
		*not = ops[i].not;
		return 0;
	}
	return wrong(p, p->p, "write KEY=VALUE, or another of != < <= > >=");
}

/* Whether a test could begin here: a word, then an operator. */
static bool looks_like_test(const char *p)
{
	while (is_blank(*p))
		p++;
	if (*p == '(')
		return true;
	while (*p != '\0' && !is_blank(*p) && !is_operator(p))
		p++;
	while (is_blank(*p))
		p++;
	return is_operator(p);
}

/* Up to AND, OR, the parenthesis that closes a group, or the end. */
static int read_plain(struct parser *p, struct ai_span *out)
{
	const char *from = p->p, *end;
	int inner = 0;

	for (; *p->p != '\0'; p->p++) {
		inner += *p->p == '(';
		if (*p->p == ')' && inner-- == 0) {
			if (p->open > 0)
				break;
			inner = 0;
		}
		if (!is_blank(*p->p))
			continue;
		if (is_word(p->p + 1, "AND") || is_word(p->p + 1, "OR"))
			break;
		if ((is_word(p->p + 1, "and") &&
		     looks_like_test(p->p + 4)) ||
		    (is_word(p->p + 1, "or") && looks_like_test(p->p + 3)))
			return wrong(p, p->p + 1, "write AND and OR in "
				     "capitals, or put the value in quotes");
	}
	for (end = p->p; end > from && is_blank(end[-1]); end--)
		;
	return keep(p, (struct ai_span){ from, (size_t)(end - from) }, out);
}

static int read_value(struct parser *p, struct search_test *t)
{
	blanks(p);
	t->quoted = *p->p == '"';
	if ((t->quoted ? read_quoted(p, &t->value)
		       : read_plain(p, &t->value)) < 0)
		return -1;
	if (t->how == SEARCH_IF_EQ && t->quoted && *p->p == '*') {
		p->p++;
		t->how = SEARCH_IF_PREFIX;
	} else if (t->how == SEARCH_IF_EQ && !t->quoted && t->value.n > 0 &&
		   t->value.p[t->value.n - 1] == '*') {
		t->value.n--;
		t->how = SEARCH_IF_PREFIX;
	}
	if (t->how == SEARCH_IF_PREFIX && t->value.n == 0 && !t->quoted)
		t->how = SEARCH_IF_ANY;
	return 0;
}

/* What the value may be compared as. */
static int weigh_value(struct parser *p, const char *at, struct search_test *t)
{
	struct ai_buf b = AI_BUF_INIT(1 << 10);

	t->is_number = !t->quoted && search_is_number(t->value);
	if (t->is_number)
		t->number = ai_dec_of(t->value);
	if (t->how == SEARCH_IF_PREFIX && t->value.n > SEARCH_VALUE_MAX)
		return wrong(p, at, "a beginning of more than 256 bytes "
			     "cannot be looked up");
	if (t->how == SEARCH_IF_PREFIX || t->how == SEARCH_IF_ANY)
		return 0;
	if (t->how != SEARCH_IF_EQ) {
		t->is_date = search_date_read(t->value, &t->date);
		return t->is_number || t->is_date ? 0 :
			wrong(p, at, "< and > take a number or a date as "
			      "2026-11-29T12:00Z");
	}
	if (t->value.n <= SEARCH_VALUE_MAX)
		return 0;
	search_long_value(t->value, &b);
	t->cut = ai_buf_take(&b);
	return t->cut == NULL ? ai_err_nomem(p->err) : 0;
}

static int read_test(struct parser *p)
{
	struct search_test t = { .how = SEARCH_IF_EQ };
	const char *at;
	bool not = false;
	int node;

	if (p->w->n_tests == SEARCH_TESTS_MAX)
		return wrong(p, p->p, "more than 256 tests");
	if (read_path(p, &t.path) < 0 || read_operator(p, &t.how, &not) < 0)
		return -1;
	blanks(p);
	at = p->p;
	if (read_value(p, &t) < 0 || weigh_value(p, at, &t) < 0)
		return -1;
	node = add_test(p, t);
	return node < 0 || !not ? node : add_node(p, SEARCH_NODE_NOT, node, 0);
}

/* ---- the rest ----------------------------------------------------------------- */

static int read_or(struct parser *p);

static int read_group(struct parser *p)
{
	const char *from = p->p++;
	int node;

	p->open++;
	node = read_or(p);
	p->open--;
	if (node < 0)
		return -1;
	blanks(p);
	if (*p->p != ')')
		return wrong(p, from, "the parenthesis is not closed");
	p->p++;
	return node;
}

static int read_not(struct parser *p)
{
	int node;

	blanks(p);
	if (p->depth == DEPTH)
		return wrong(p, p->p, "nested too deep");
	if (is_word(p->p, "AND") || is_word(p->p, "OR"))
		return wrong(p, p->p, "KEY=VALUE should stand here");
	p->depth++;
	if (take_word(p, "NOT")) {
		node = read_not(p);
		if (node >= 0)
			node = add_node(p, SEARCH_NODE_NOT, node, 0);
	} else {
		node = *p->p == '(' ? read_group(p) : read_test(p);
	}
	p->depth--;
	return node;
}

static int read_and(struct parser *p)
{
	int left = read_not(p), right;

	while (left >= 0 && take_word(p, "AND")) {
		right = read_not(p);
		left = right < 0 ? -1
				 : add_node(p, SEARCH_NODE_AND, left, right);
	}
	return left;
}

static int read_or(struct parser *p)
{
	int left = read_and(p), right;

	while (left >= 0 && take_word(p, "OR")) {
		right = read_and(p);
		left = right < 0 ? -1
				 : add_node(p, SEARCH_NODE_OR, left, right);
	}
	return left;
}

int search_where_add(struct search_where *w, const char *text,
		     struct ai_err *err)
{
	struct parser p = { .w = w, .text = text, .p = text, .err = err };
	int before = w->n_nodes > 0 ? w->root : -1, node = read_or(&p);

	if (node < 0)
		return -1;
	blanks(&p);
	if (*p.p != '\0')
		return wrong(&p, p.p, "AND, OR or the end should stand here");
	if (before >= 0)
		node = add_node(&p, SEARCH_NODE_AND, before, node);
	w->root = node;
	return node < 0 ? -1 : 0;
}

void search_where_release(struct search_where *w)
{
	size_t i;

	for (i = 0; i < w->n_tests; i++)
		free(w->tests[i].cut);
	for (i = 0; i < w->n_texts; i++)
		free(w->texts[i]);
	free(w->tests);
	free(w->nodes);
	free(w->texts);
	memset(w, 0, sizeof(*w));
}

static bool holds(const struct search_where *w, int at, const bool *tests)
{
	const struct search_node *n = &w->nodes[at];

	switch (n->kind) {
	case SEARCH_NODE_TEST:
		return tests[n->left];
	case SEARCH_NODE_NOT:
		return !holds(w, n->left, tests);
	case SEARCH_NODE_AND:
		return holds(w, n->left, tests) && holds(w, n->right, tests);
	default:
		return holds(w, n->left, tests) || holds(w, n->right, tests);
	}
}

bool search_where_holds(const struct search_where *w, const bool *tests)
{
	return w->n_nodes == 0 || holds(w, w->root, tests);
}
