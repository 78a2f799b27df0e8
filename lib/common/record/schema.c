#include "record/schema-int.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a name or another message in a message. */
#define TEXT_SHOWN 300

/* ---- helpers ------------------------------------------------------------ */

void *ai_compiler_alloc(struct ai_compiler *c, size_t n)
{
	void *p = ai_arena_alloc(&c->s->arena, n);

	if (p == NULL)
		ai_err_nomem(c->err);
	return p;
}

int ai_compiler_refuse(struct ai_compiler *c, const struct ai_node *at,
		       const char *message, struct ai_span text)
{
	struct ai_buf b = AI_BUF_INIT(8192);
	const char *gap = strstr(message, "%s");

	if (*c->docs[c->doc].uri != '\0')
		ai_buf_fmt(&b, "%s: ", c->docs[c->doc].uri);
	ai_node_path(at, &b);
	if (at->up != NULL)
		ai_buf_str(&b, ": ");
	if (gap == NULL) {
		ai_buf_str(&b, message);
	} else {
		ai_buf_add(&b, message, (size_t)(gap - message));
		ai_show_text(text, TEXT_SHOWN, &b);
		ai_buf_str(&b, gap + 2);
	}
	ai_say(c->err, AI_E_DATA, &b);
	ai_buf_release(&b);
	return -1;
}

int ai_compiler_regex(struct ai_compiler *c, const struct ai_node *at,
		      struct ai_span pattern, struct ai_regex **re)
{
	struct ai_regex_link *link = ai_compiler_alloc(c, sizeof *link);
	struct ai_err why;

	if (link == NULL)
		return -1;
	if (ai_regex_new(&link->re, pattern.p, pattern.n,
			 AI_REGEX_ECMA | AI_REGEX_METERED, &why) < 0) {
		if (why.code != AI_E_DATA)
			return ai_err_set(c->err, why.code, "%s", why.msg);
		return ai_compiler_refuse(c, at, "%s",
					  ai_span_of(why.msg));
	}
	link->next = c->s->regexes;
	c->s->regexes = link;
	*re = link->re;
	return 0;
}

/* ---- meta-schemas ------------------------------------------------------- */

#define VOCAB "https://json-schema.org/draft/2020-12/vocab/"

/* A vocabulary that a meta-schema asks for: its bit, 0 for one that asserts
 * nothing, -1 for one not known. */
static int vocab_bit(struct ai_span uri)
{
	static const struct {
		const char *uri;
		int bit;
	} known[] = {
		{ VOCAB "core", AI_VOCAB_CORE },
		{ VOCAB "applicator", AI_VOCAB_APPLICATOR },
		{ VOCAB "unevaluated", AI_VOCAB_UNEVALUATED },
		{ VOCAB "validation", AI_VOCAB_VALIDATION },
		{ VOCAB "meta-data", 0 },
		{ VOCAB "format-annotation", 0 },
		{ VOCAB "content", 0 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (ai_span_is(uri, known[i].uri))
			return known[i].bit;
	return -1;
}

/* The meta-schema that a schema names, without an empty fragment. */
static struct ai_span dialect_of(const struct ai_node *top)
{
	struct ai_span uri = ai_node_text(top, "$schema"), fragment;

	if (uri.p != NULL)
		ai_uri_split(uri, &uri, &fragment);
	return uri;
}

static bool is_older_draft(struct ai_span uri)
{
	static const char *const drafts[] = {
		"http://json-schema.org/schema",
		"http://json-schema.org/draft-06/schema",
		"http://json-schema.org/draft-07/schema",
		"https://json-schema.org/draft/2019-09/schema",
	};

	for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++)
		if (ai_span_is(uri, drafts[i]))
			return true;
	return false;
}

static int vocab_of_meta(struct ai_compiler *c, const struct ai_node *at,
			 const struct ai_node *meta, unsigned *vocab)
{
	const struct ai_node *list = ai_node_member(meta,
						    AI_SPAN("$vocabulary"));

	if (!ai_node_is(list, AI_OBJECT)) {
		*vocab = AI_VOCAB_ALL;
		return 0;
	}
	*vocab = AI_VOCAB_CORE;
	for (size_t i = 0; i < list->n; i++) {
		int bit = vocab_bit(list->kids[i].key);

		if (bit >= 0)
			*vocab |= (unsigned)bit;
		else if (ai_node_true(&list->kids[i]))
			return ai_compiler_refuse(c, at,
						  "it needs the vocabulary '%s', which is not known",
						  list->kids[i].key);
	}
	return 0;
}

/* Which vocabularies hold in a resource. */
static int choose_vocab(struct ai_compiler *c, struct ai_resource *res)
{
	struct ai_span uri = dialect_of(res->top);
	const struct ai_node *at = ai_node_member(res->top,
						  AI_SPAN("$schema"));
	const struct ai_resource *meta;

	res->vocab = res->outer != NULL ? res->outer->vocab : AI_VOCAB_ALL;
	if (uri.p == NULL || ai_span_is(uri, AI_META_URI))
		return 0;
	c->doc = res->doc;
	meta = ai_schema_find(c->s, uri);
	if (meta == NULL && c->meta != NULL)
		meta = ai_schema_find(c->meta, uri);
	if (meta != NULL)
		return vocab_of_meta(c, at, meta->top, &res->vocab);
	if (is_older_draft(uri))
		return 0;
	return ai_compiler_refuse(c, at, "the meta-schema '%s' is not known",
				  uri);
}

/* The schema for a document's $schema: own tells whether it is among the
 * documents, and so must be compiled first. */
static const struct ai_sub *meta_of(const struct ai_compiler *c,
				    const struct ai_node *top, bool *own)
{
	struct ai_span uri = dialect_of(top);
	const struct ai_resource *res = NULL;

	*own = false;
	if (uri.p != NULL) {
		res = ai_schema_find(c->s, uri);
		*own = res != NULL;
		if (res == NULL)
			res = ai_schema_find(c->meta, uri);
	}
	return res != NULL ? res->top->extra : c->meta->top;
}

static int check_meta(struct ai_compiler *c, const struct ai_tree *tree,
		      bool own)
{
	const struct ai_sub *meta;
	struct ai_err why;
	bool is_own;

	meta = meta_of(c, &tree->top, &is_own);
	if (is_own != own || ai_sub_check(meta, tree, NULL, &why) == 0)
		return 0;
	if (why.code != AI_E_RECORD)
		return ai_err_set(c->err, why.code, "%s", why.msg);
	/* The message already names the place. */
	return ai_compiler_refuse(c, &tree->top, "%s", ai_span_of(why.msg));
}

/* ---- the whole ---------------------------------------------------------- */

static int visit_all(struct ai_compiler *c)
{
	for (c->doc = 0; c->doc < c->s->n_trees; c->doc++)
		if (ai_compiler_visit(c, &c->s->trees[c->doc]) < 0)
			return -1;
	if (ai_compiler_sort(c) < 0)
		return -1;
	for (size_t i = 0; i < c->n_resources; i++)
		if (choose_vocab(c, c->resources[i]) < 0)
			return -1;
	return 0;
}

static int check_all(struct ai_compiler *c, bool own)
{
	if (c->meta == NULL)
		return 0;
	for (c->doc = 0; c->doc < c->s->n_trees; c->doc++)
		if (check_meta(c, &c->s->trees[c->doc], own) < 0)
			return -1;
	return 0;
}

static int compile_all(struct ai_compiler *c)
{
	for (size_t i = 0; i < c->n_subs; i++) {
		c->doc = c->subs[i]->res->doc;
		if (ai_rules_compile(c, c->subs[i]) < 0)
			return -1;
	}
	return 0;
}

static void release_compiler(struct ai_compiler *c)
{
	free(c->subs);
	free(c->resources);
	free(c->names);
	free(c->anchors);
}

static int parse_docs(struct ai_schema *s, const struct ai_schema_doc *docs,
		      size_t n, struct ai_err *err)
{
	struct ai_err why;

	s->trees = calloc(n, sizeof *s->trees);
	if (s->trees == NULL)
		return ai_err_nomem(err);
	for (; s->n_trees < n; s->n_trees++) {
		const struct ai_schema_doc *d = &docs[s->n_trees];
		char *text = ai_arena_alloc(&s->arena, d->json.n + 1);

		if (text == NULL)
			return ai_err_nomem(err);
		if (d->json.n > 0)
			memcpy(text, d->json.p, d->json.n);
		if (ai_tree_parse(&s->trees[s->n_trees], text, d->json.n,
				  &why) == 0)
			continue;
		if (why.code == AI_E_RECORD)
			why.code = AI_E_DATA;
		return ai_err_set(err, why.code, "%s%s%s", d->uri,
				  *d->uri == '\0' ? "" : ": ", why.msg);
	}
	return 0;
}

/* docs[0] is the schema itself. */
static int schema_new(struct ai_schema **out, const struct ai_schema *meta,
		      const struct ai_schema_doc *docs, size_t n,
		      struct ai_err *err)
{
	struct ai_schema *s = calloc(1, sizeof *s);
	struct ai_err ignored;
	struct ai_compiler c = { .s = s, .meta = meta, .docs = docs,
				 .err = err != NULL ? err : &ignored };
	int rc;

	*out = NULL;
	if (s == NULL)
		return ai_err_nomem(err);
	rc = parse_docs(s, docs, n, c.err);
	if (rc == 0)
		rc = visit_all(&c);
	if (rc == 0)
		rc = check_all(&c, false);
	if (rc == 0)
		rc = compile_all(&c);
	if (rc == 0)
		rc = check_all(&c, true);
	release_compiler(&c);
	if (rc < 0) {
		ai_schema_free(s);
		return -1;
	}
	s->top = s->trees[0].top.extra;
	*out = s;
	return 0;
}

/* The meta-schema is compiled when it is first needed, and stays. */
static int get_meta(const struct ai_schema **meta, struct ai_err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct ai_schema *made;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (made == NULL)
		rc = schema_new(&made, NULL, ai_schema_meta, ai_schema_n_meta,
				err);
	*meta = made;
	pthread_mutex_unlock(&lock);
	return rc;
}

int ai_schema_new_with(struct ai_schema **schema, const char *json, size_t n,
		       const struct ai_schema_doc *docs, size_t n_docs,
		       struct ai_err *err)
{
	const struct ai_schema *meta;
	struct ai_schema_doc *all;
	int rc;

	*schema = NULL;
	if (get_meta(&meta, err) < 0)
		return -1;
	all = calloc(n_docs + 1, sizeof *all);
	if (all == NULL)
		return ai_err_nomem(err);
	all[0] = (struct ai_schema_doc){ "", { json, n } };
	if (n_docs > 0)
		memcpy(all + 1, docs, n_docs * sizeof *all);
	rc = schema_new(schema, meta, all, n_docs + 1, err);
	free(all);
	return rc;
}

int ai_schema_new(struct ai_schema **schema, const char *json, size_t n,
		  struct ai_err *err)
{
	return ai_schema_new_with(schema, json, n, NULL, 0, err);
}

int ai_schema_new_unchecked(struct ai_schema **schema, const char *json,
			    size_t n, struct ai_err *err)
{
	struct ai_schema_doc doc = { "", { json, n } };

	return schema_new(schema, NULL, &doc, 1, err);
}

void ai_schema_free(struct ai_schema *s)
{
	if (s == NULL)
		return;
	for (struct ai_regex_link *l = s->regexes; l != NULL; l = l->next)
		ai_regex_free(l->re);
	for (size_t i = 0; i < s->n_trees; i++)
		ai_tree_release(&s->trees[i]);
	free(s->trees);
	ai_arena_release(&s->arena);
	free(s);
}

int ai_schema_check_where(const struct ai_schema *schema, const char *json,
			  size_t n, struct ai_buf *where, struct ai_err *err)
{
	struct ai_tree t;
	int rc;

	if (ai_tree_parse(&t, json, n, err) < 0)
		return -1;
	rc = ai_sub_check(schema->top, &t, where, err);
	ai_tree_release(&t);
	return rc;
}

int ai_schema_check(const struct ai_schema *schema, const char *json, size_t n,
		    struct ai_err *err)
{
	return ai_schema_check_where(schema, json, n, NULL, err);
}
