/*
 * Names in schemas: $id, $anchor and $dynamicAnchor, and what $ref and
 * $dynamicRef make of them.
 */
#include "record/schema-int.h"

#include <stdlib.h>
#include <string.h>

/* Bounds on what names may cost; each resource stores its whole URI. */
#define URI_MAX 1024
#define RESOURCES_MAX 10000

static const struct ai_span no_text = { NULL, 0 };

/* Room for one more element in a growing array. */
static int grow(struct ai_compiler *c, void *array, size_t n, size_t *cap,
		size_t size)
{
	size_t more = *cap == 0 ? 32 : 2 * *cap;
	void *p;

	if (n < *cap)
		return 0;
	memcpy(&p, array, sizeof p);
	p = realloc(p, more * size);
	if (p == NULL)
		return ai_err_nomem(c->err);
	memcpy(array, &p, sizeof p);
	*cap = more;
	return 0;
}

static struct ai_span keep(struct ai_compiler *c, struct ai_span s)
{
	char *p = ai_compiler_alloc(c, s.n + 1);

	if (p == NULL)
		return (struct ai_span){ NULL, 0 };
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct ai_span){ p, s.n };
}

/* ---- finding schemas, resources and anchors ----------------------------- */

static struct ai_sub *new_sub(struct ai_compiler *c, struct ai_node *node,
			      struct ai_resource *res)
{
	struct ai_sub *sub = ai_compiler_alloc(c, sizeof *sub);

	if (sub == NULL || grow(c, &c->subs, c->n_subs, &c->cap_subs,
				sizeof *c->subs) < 0)
		return NULL;
	sub->node = node;
	sub->res = res;
	node->extra = sub;
	c->subs[c->n_subs++] = sub;
	return sub;
}

struct ai_sub *ai_compiler_sub(struct ai_compiler *c, struct ai_node *node,
			       struct ai_sub *inside)
{
	return node->extra != NULL ? node->extra
				   : new_sub(c, node, inside->res);
}

static int add_name(struct ai_compiler *c, struct ai_span uri,
		    struct ai_resource *res)
{
	if (grow(c, &c->names, c->n_names, &c->cap_names,
		 sizeof *c->names) < 0)
		return -1;
	c->names[c->n_names++] = (struct ai_schema_name){ uri, res };
	return 0;
}

static struct ai_resource *new_resource(struct ai_compiler *c,
					struct ai_node *top,
					struct ai_span uri)
{
	struct ai_resource *res;

	if (c->n_resources == RESOURCES_MAX) {
		ai_err_set(c->err, AI_E_TOO_LONG,
			   "more than %d $id in one schema",
			   RESOURCES_MAX);
		return NULL;
	}
	res = ai_compiler_alloc(c, sizeof *res);
	if (res == NULL || grow(c, &c->resources, c->n_resources,
				&c->cap_resources, sizeof *c->resources) < 0)
		return NULL;
	res->top = top;
	res->uri = uri;
	res->owner = c->s;
	res->doc = c->doc;
	res->seq = (unsigned)c->n_resources;
	c->resources[c->n_resources++] = res;
	return add_name(c, uri, res) < 0 ? NULL : res;
}

/* Appends the URI that a reference in res means, without its fragment. */
static int absolute(struct ai_compiler *c, const struct ai_resource *res,
		    const struct ai_node *at, struct ai_buf *uri)
{
	struct ai_span relative, fragment;

	ai_uri_split(at->text, &relative, &fragment);
	ai_uri_resolve(res->uri, relative, uri);
	if (uri->bad == AI_E_TOO_LONG)
		return ai_compiler_refuse(c, at, "too long a URI", no_text);
	return ai_buf_check(uri, "a URI", c->err);
}

/* $id: the top of a document gets a new name, all else becomes a resource. */
static int rename_resource(struct ai_compiler *c, struct ai_sub *sub,
			   struct ai_span uri)
{
	struct ai_resource *res;

	uri = keep(c, uri);
	if (uri.p == NULL)
		return -1;
	if (sub->node == sub->res->top) {
		sub->res->uri = uri;
		return add_name(c, uri, sub->res);
	}
	res = new_resource(c, sub->node, uri);
	if (res == NULL)
		return -1;
	res->outer = sub->res;
	sub->res = res;
	return 0;
}

static int visit_id(struct ai_compiler *c, struct ai_sub *sub)
{
	const struct ai_node *id = ai_node_member(sub->node, AI_SPAN("$id"));
	struct ai_buf b = AI_BUF_INIT(URI_MAX);
	int rc = 0;

	/* What starts with # is wrong, as the meta-schema will say. */
	if (!ai_node_is(id, AI_STRING) ||
	    (id->text.n > 0 && id->text.p[0] == '#'))
		return 0;
	rc = absolute(c, sub->res, id, &b);
	if (rc == 0)
		rc = rename_resource(c, sub, (struct ai_span){
			ai_buf_cstr(&b), b.len });
	ai_buf_release(&b);
	return rc;
}

static int visit_anchor(struct ai_compiler *c, struct ai_sub *sub,
			const char *keyword, bool dynamic)
{
	struct ai_span name = ai_node_text(sub->node, keyword);

	if (name.p == NULL)
		return 0;
	if (grow(c, &c->anchors, c->n_anchors, &c->cap_anchors,
		 sizeof *c->anchors) < 0)
		return -1;
	c->anchors[c->n_anchors++] = (struct ai_pending){
		sub->res, { name, sub->node, dynamic }
	};
	return 0;
}

struct visit {
	struct ai_compiler *c;
	struct ai_resource *res;
};

static int visit_kid(void *arg, struct ai_node *node)
{
	struct visit *v = arg;

	return new_sub(v->c, node, v->res) == NULL ? -1 : 0;
}

static int visit(struct ai_compiler *c, struct ai_sub *sub)
{
	struct visit v = { .c = c };

	if (visit_id(c, sub) < 0 ||
	    visit_anchor(c, sub, "$anchor", false) < 0 ||
	    visit_anchor(c, sub, "$dynamicAnchor", true) < 0)
		return -1;
	v.res = sub->res;
	return ai_rules_walk(sub->node, visit_kid, &v);
}

/* Everything that can be found without following references. */
int ai_compiler_visit(struct ai_compiler *c, struct ai_tree *tree)
{
	struct ai_span uri = ai_span_of(c->docs[c->doc].uri), fragment;
	struct ai_resource *res;
	size_t i = c->n_subs;

	if (tree->top.kind != AI_OBJECT && tree->top.kind != AI_BOOL)
		return ai_compiler_refuse(c, &tree->top,
					  "a schema is an object, true or false",
					  no_text);
	ai_uri_split(uri, &uri, &fragment);
	uri = keep(c, uri);
	res = uri.p == NULL ? NULL : new_resource(c, &tree->top, uri);
	if (res == NULL || new_sub(c, &tree->top, res) == NULL)
		return -1;
	for (; i < c->n_subs; i++)
		if (visit(c, c->subs[i]) < 0)
			return -1;
	return 0;
}

/* ---- names -------------------------------------------------------------- */

static int cmp_span(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int cmp_name(const void *a, const void *b)
{
	const struct ai_schema_name *x = a, *y = b;
	int c = cmp_span(x->uri, y->uri);

	if (c != 0)
		return c;
	return (x->res->seq > y->res->seq) - (x->res->seq < y->res->seq);
}

static int sort_names(struct ai_compiler *c)
{
	struct ai_schema_name *to;
	size_t n = 0;

	qsort(c->names, c->n_names, sizeof *c->names, cmp_name);
	to = ai_compiler_alloc(c, c->n_names * sizeof *to);
	if (to == NULL)
		return -1;
	for (size_t i = 0; i < c->n_names; i++) {
		const struct ai_schema_name *here = &c->names[i];

		if (n == 0 || !ai_span_eq(to[n - 1].uri, here->uri)) {
			to[n++] = *here;
			continue;
		}
		if (to[n - 1].res == here->res ||
		    to[n - 1].res->doc != here->res->doc)
			continue;
		c->doc = here->res->doc;
		return ai_compiler_refuse(c, here->res->top,
					  "another schema here has that $id",
					  no_text);
	}
	c->s->names = to;
	c->s->n_names = n;
	return 0;
}

struct ai_resource *ai_schema_find(const struct ai_schema *s,
				   struct ai_span uri)
{
	size_t lo = 0, hi = s->n_names;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = cmp_span(uri, s->names[mid].uri);

		if (c == 0)
			return s->names[mid].res;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static int cmp_pending(const void *a, const void *b)
{
	const struct ai_pending *x = a, *y = b;

	if (x->res != y->res)
		return x->res->seq < y->res->seq ? -1 : 1;
	return cmp_span(x->anchor.name, y->anchor.name);
}

/* Hands each resource its anchors, sorted by name. */
static int sort_anchors(struct ai_compiler *c)
{
	struct ai_anchor *all;

	if (c->n_anchors == 0)
		return 0;
	qsort(c->anchors, c->n_anchors, sizeof *c->anchors, cmp_pending);
	all = ai_compiler_alloc(c, c->n_anchors * sizeof *all);
	if (all == NULL)
		return -1;
	for (size_t i = 0; i < c->n_anchors; i++) {
		struct ai_resource *res = c->anchors[i].res;

		all[i] = c->anchors[i].anchor;
		if (res->n_anchors++ == 0)
			res->anchors = &all[i];
		else if (ai_span_eq(all[i].name, all[i - 1].name) &&
			 all[i].node != all[i - 1].node) {
			c->doc = res->doc;
			return ai_compiler_refuse(c, all[i].node,
						  "another schema here has that anchor",
						  no_text);
		}
	}
	return 0;
}

int ai_compiler_sort(struct ai_compiler *c)
{
	return sort_names(c) < 0 || sort_anchors(c) < 0 ? -1 : 0;
}

const struct ai_anchor *ai_resource_anchor(const struct ai_resource *r,
					   struct ai_span name)
{
	size_t lo = 0, hi = r->n_anchors;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = cmp_span(name, r->anchors[mid].name);

		if (c == 0)
			return &r->anchors[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* ---- references --------------------------------------------------------- */

/* One token of a JSON pointer. */
static struct ai_node *step(const struct ai_node *at, struct ai_span token)
{
	int64_t i;

	if (at->kind == AI_OBJECT)
		return ai_node_member(at, token);
	if (at->kind != AI_ARRAY || token.n == 0 || token.p[0] == '-' ||
	    (token.n > 1 && token.p[0] == '0') ||
	    ai_parse_i64(token, &i) < 0 || (uint64_t)i >= at->n)
		return NULL;
	return &at->kids[i];
}

/* In place: ~1 is a slash, ~0 a tilde. */
static struct ai_span unescape(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		p[to++] = p[i];
		if (p[i] != '~' || i + 1 == n)
			continue;
		if (p[i + 1] == '0' || p[i + 1] == '1')
			p[to - 1] = p[++i] == '0' ? '~' : '/';
	}
	return (struct ai_span){ p, to };
}

/* The value at a JSON pointer "/...", which is overwritten. */
static struct ai_node *follow(struct ai_node *at, char *p, size_t n)
{
	char *end = p + n, *slash;

	while (p < end && at != NULL) {
		p++;
		slash = memchr(p, '/', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		at = step(at, unescape(p, (size_t)(slash - p)));
		p = slash;
	}
	return at;
}

/* *node stays NULL if the fragment leads nowhere. */
static int follow_fragment(struct ai_compiler *c,
			   const struct ai_resource *res,
			   struct ai_span fragment, struct ai_node **node,
			   struct ai_span *dynamic)
{
	struct ai_buf b = AI_BUF_INIT(fragment.n + 1);
	const struct ai_anchor *a;

	ai_uri_decode(fragment, &b);
	if (ai_buf_check(&b, "a reference", c->err) < 0) {
		ai_buf_release(&b);
		return -1;
	}
	if (b.len == 0) {
		*node = res->top;
	} else if (b.p[0] == '/') {
		*node = follow(res->top, b.p, b.len);
	} else {
		a = ai_resource_anchor(res, (struct ai_span){ b.p, b.len });
		if (a != NULL) {
			*node = a->node;
			if (a->dynamic)
				*dynamic = a->name;
		}
	}
	ai_buf_release(&b);
	return 0;
}

/* The schema at a node that a reference found, perhaps below a keyword that
 * is none: then it belongs to the resource around it. */
static struct ai_sub *sub_at(struct ai_compiler *c, struct ai_node *node)
{
	const struct ai_node *n = node;

	while (n->extra == NULL)
		n = n->up;
	return ai_compiler_sub(c, node, n->extra);
}

/* The resource that a reference names; NULL with err set. */
static struct ai_resource *named(struct ai_compiler *c, struct ai_sub *from,
				 const struct ai_node *ref)
{
	struct ai_buf b = AI_BUF_INIT(URI_MAX);
	struct ai_resource *res = NULL;
	struct ai_span uri;

	if (ref->text.n == 0 || ref->text.p[0] == '#')
		return from->res;
	if (absolute(c, from->res, ref, &b) == 0) {
		uri = (struct ai_span){ ai_buf_cstr(&b), b.len };
		res = ai_schema_find(c->s, uri);
		if (res == NULL && c->meta != NULL)
			res = ai_schema_find(c->meta, uri);
		if (res == NULL)
			ai_compiler_refuse(c, ref,
					   "there is no schema '%s' here, and none is fetched",
					   uri);
	}
	ai_buf_release(&b);
	return res;
}

int ai_compiler_resolve(struct ai_compiler *c, struct ai_sub *from,
			const struct ai_node *ref, struct ai_sub **to,
			struct ai_span *anchor)
{
	struct ai_resource *res = named(c, from, ref);
	struct ai_node *node = NULL;
	struct ai_span uri, fragment;

	ai_uri_split(ref->text, &uri, &fragment);
	if (res == NULL ||
	    follow_fragment(c, res, fragment, &node, anchor) < 0)
		return -1;
	if (node == NULL)
		return ai_compiler_refuse(c, ref, "'%s' leads nowhere",
					  ref->text);
	/* Nothing is added to the meta-schema, which all schemas share. */
	if ((node->kind != AI_OBJECT && node->kind != AI_BOOL) ||
	    (node->extra == NULL && res->owner != c->s))
		return ai_compiler_refuse(c, ref, "'%s' is not a schema",
					  ref->text);
	*to = sub_at(c, node);
	return *to == NULL ? -1 : 0;
}
