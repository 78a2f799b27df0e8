#include "record/schema-tree.h"

#include "base/utf8.h"
#include "record/dec.h"

#include <stdlib.h>
#include <string.h>

/* ---- the arena ---------------------------------------------------------- */

#define BLOCK_MIN 4096
#define BLOCK_MAX (1 << 20)

struct ai_arena_block {
	struct ai_arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void *ai_arena_alloc(struct ai_arena *a, size_t n)
{
	struct ai_arena_block *b = a->blocks;
	size_t size;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (b == NULL || n > b->size - b->used) {
		size = b == NULL ? BLOCK_MIN : 2 * b->size;
		if (size > BLOCK_MAX)
			size = BLOCK_MAX;
		if (size < n)
			size = n;
		b = calloc(1, sizeof *b + size);
		if (b == NULL)
			return NULL;
		b->size = size;
		b->next = a->blocks;
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += n;
	return p;
}

void ai_arena_release(struct ai_arena *a)
{
	struct ai_arena_block *next;

	for (; a->blocks != NULL; a->blocks = next) {
		next = a->blocks->next;
		free(a->blocks);
	}
}

/* ---- building ----------------------------------------------------------- */

/*
 * One pass over text that ai_json_check() accepted, so nothing can be wrong
 * with the syntax and the recursion is bounded by AI_JSON_DEPTH.  Finished
 * values wait on a stack until their container closes.
 */
struct build {
	struct ai_arena *arena;
	struct ai_node *stack;
	size_t n, cap;
	size_t values;
	struct ai_buf scratch;
	struct ai_err *err;
};

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

static const char *string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static int decode(struct build *b, struct ai_span raw, struct ai_span *text)
{
	struct ai_value v = { AI_STRING, raw };
	char *copy;

	*text = (struct ai_span){ raw.p + 1, raw.n - 2 };
	if (memchr(text->p, '\\', text->n) == NULL)
		return 0;
	ai_buf_clear(&b->scratch);
	if (ai_json_text(v, &b->scratch) < 0)
		return ai_buf_check(&b->scratch, "a string", b->err);
	copy = ai_arena_alloc(b->arena, b->scratch.len + 1);
	if (copy == NULL)
		return ai_err_nomem(b->err);
	if (b->scratch.len > 0)
		memcpy(copy, b->scratch.p, b->scratch.len);
	*text = (struct ai_span){ copy, b->scratch.len };
	return 0;
}

static int push(struct build *b, const struct ai_node *node)
{
	struct ai_node *p;
	size_t cap;

	if (++b->values > AI_TREE_VALUES)
		return ai_err_set(b->err, AI_E_TOO_LONG,
				  "more than %d values in one text",
				  AI_TREE_VALUES);
	if (b->n == b->cap) {
		cap = b->cap == 0 ? 16 : 2 * b->cap;
		p = realloc(b->stack, cap * sizeof *p);
		if (p == NULL)
			return ai_err_nomem(b->err);
		b->stack = p;
		b->cap = cap;
	}
	b->stack[b->n++] = *node;
	return 0;
}

/* Moves what is above from on the stack into the container. */
static int adopt(struct build *b, struct ai_node *node, size_t from)
{
	node->n = b->n - from;
	if (node->n == 0)
		return 0;
	node->kids = ai_arena_alloc(b->arena, node->n * sizeof *node->kids);
	if (node->kids == NULL)
		return ai_err_nomem(b->err);
	memcpy(node->kids, b->stack + from, node->n * sizeof *node->kids);
	b->n = from;
	return 0;
}

static const char *build_value(struct build *b, const char *p,
			       struct ai_node *node);

/* Behind the opening bracket; returns behind the closing one, or NULL. */
static const char *build_kids(struct build *b, const char *p,
			      struct ai_node *node)
{
	size_t from = b->n;
	const char *end;

	p = skip_blanks(p);
	while (*p != ']' && *p != '}') {
		struct ai_node kid = { 0 };

		if (node->kind == AI_OBJECT) {
			end = string_end(p);
			kid.key = (struct ai_span){ p, (size_t)(end - p) };
			if (decode(b, kid.key, &kid.key) < 0)
				return NULL;
			p = skip_blanks(skip_blanks(end) + 1);
		}
		kid.depth = node->depth + 1;
		p = build_value(b, p, &kid);
		if (p == NULL || push(b, &kid) < 0)
			return NULL;
		p = skip_blanks(p);
		if (*p == ',')
			p = skip_blanks(p + 1);
	}
	return adopt(b, node, from) < 0 ? NULL : p + 1;
}

static enum ai_kind kind_of(char c)
{
	switch (c) {
	case '{': return AI_OBJECT;
	case '[': return AI_ARRAY;
	case '"': return AI_STRING;
	case 'n': return AI_NULL;
	case 't':
	case 'f': return AI_BOOL;
	}
	return AI_NUMBER;
}

static const char *build_value(struct build *b, const char *p,
			       struct ai_node *node)
{
	const char *start = p;

	node->kind = kind_of(*p);
	if (node->kind == AI_OBJECT || node->kind == AI_ARRAY) {
		p = build_kids(b, p + 1, node);
		if (p == NULL)
			return NULL;
	} else if (node->kind == AI_STRING) {
		p = string_end(p);
	} else {
		while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		       *p == '-' || *p == '+' || *p == '.' || *p == 'E')
			p++;
	}
	node->raw = (struct ai_span){ start, (size_t)(p - start) };
	if (node->kind == AI_STRING && decode(b, node->raw, &node->text) < 0)
		return NULL;
	return p;
}

static int cmp_key(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *a, const void *b)
{
	return cmp_key((*(struct ai_node *const *)a)->key,
		       (*(struct ai_node *const *)b)->key);
}

static int duplicate(const struct ai_node *node, struct ai_err *err)
{
	struct ai_buf path = AI_BUF_INIT(4096);

	ai_node_path(node, &path);
	ai_err_set(err, AI_E_RECORD, "%s: the key is there twice",
		   ai_buf_cstr(&path));
	ai_buf_release(&path);
	return -1;
}

static int sort_keys(struct ai_arena *arena, struct ai_node *node,
		     struct ai_err *err)
{
	if (node->n == 0)
		return 0;
	node->by_key = ai_arena_alloc(arena, node->n * sizeof *node->by_key);
	if (node->by_key == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < node->n; i++)
		node->by_key[i] = &node->kids[i];
	qsort(node->by_key, node->n, sizeof *node->by_key, by_key);
	for (size_t i = 1; i < node->n; i++)
		if (ai_span_eq(node->by_key[i - 1]->key, node->by_key[i]->key))
			return duplicate(node->by_key[i], err);
	return 0;
}

/* Parents can be told only now, when no value moves any more. */
static int link_up(struct ai_arena *arena, struct ai_node *node,
		   struct ai_err *err)
{
	for (size_t i = 0; i < node->n; i++)
		node->kids[i].up = node;
	if (node->kind == AI_OBJECT && sort_keys(arena, node, err) < 0)
		return -1;
	for (size_t i = 0; i < node->n; i++)
		if (node->kids[i].n > 0 &&
		    link_up(arena, &node->kids[i], err) < 0)
			return -1;
	return 0;
}

/* A text that is nothing else: no bracket behind it ends the number. */
static int scalar(struct build *b, struct ai_value v, struct ai_node *node)
{
	node->kind = v.kind;
	node->raw = v.s;
	return v.kind == AI_STRING ? decode(b, v.s, &node->text) : 0;
}

int ai_tree_parse(struct ai_tree *t, const char *json, size_t n,
		  struct ai_err *err)
{
	struct build b = { .arena = &t->arena, .err = err };
	struct ai_value v;
	int rc = -1;

	*t = (struct ai_tree){ 0 };
	if (ai_json_check(json, n, &v, err) < 0)
		return -1;
	ai_buf_init(&b.scratch, n + 1);
	if (v.kind != AI_OBJECT && v.kind != AI_ARRAY)
		rc = scalar(&b, v, &t->top);
	else if (build_value(&b, v.s.p, &t->top) != NULL)
		rc = link_up(&t->arena, &t->top, err);
	t->values = b.values + 1;
	free(b.stack);
	ai_buf_release(&b.scratch);
	if (rc < 0)
		ai_tree_release(t);
	return rc;
}

void ai_tree_release(struct ai_tree *t)
{
	ai_arena_release(&t->arena);
}

/* ---- looking ------------------------------------------------------------ */

struct ai_node *ai_node_member(const struct ai_node *n, struct ai_span key)
{
	size_t lo = 0, hi = n->kind == AI_OBJECT ? n->n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = cmp_key(key, n->by_key[mid]->key);

		if (c == 0)
			return n->by_key[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

struct ai_span ai_node_text(const struct ai_node *n, const char *name)
{
	const struct ai_node *m = ai_node_member(n, ai_span_of(name));

	return ai_node_is(m, AI_STRING) ? m->text
					: (struct ai_span){ NULL, 0 };
}

bool ai_node_is(const struct ai_node *n, enum ai_kind kind)
{
	return n != NULL && n->kind == kind;
}

bool ai_node_true(const struct ai_node *n)
{
	return ai_node_is(n, AI_BOOL) && *n->raw.p == 't';
}

/* ---- showing ------------------------------------------------------------ */

/* Longest name in a path. */
#define NAME_SHOWN 60
#define VALUE_SHOWN 60

void ai_show_text(struct ai_span s, size_t max, struct ai_buf *out)
{
	size_t n = s.n > max ? ai_utf8_floor(s.p, s.n, max) : s.n, len;
	uint32_t c;

	for (size_t i = 0; i < n; i += len) {
		len = ai_utf8_decode(s.p + i, n - i, &c);
		if (len == 0)
			return;
		/* C0, DEL and C1 steer terminals. */
		if (c < 0x20 || (c >= 0x7F && c < 0xA0))
			ai_buf_fmt(out, "\\u%04x", (unsigned)c);
		else
			ai_buf_add(out, s.p + i, len);
	}
	if (n < s.n)
		ai_buf_str(out, "...");
}

void ai_node_show(const struct ai_node *n, struct ai_buf *out)
{
	switch (n->kind) {
	case AI_OBJECT:
		ai_buf_str(out, n->n == 0 ? "{}" : "an object");
		break;
	case AI_ARRAY:
		ai_buf_str(out, n->n == 0 ? "[]" : "an array");
		break;
	case AI_STRING:
		ai_buf_chr(out, '"');
		ai_show_text(n->text, VALUE_SHOWN, out);
		ai_buf_chr(out, '"');
		break;
	default:
		ai_show_text(n->raw, VALUE_SHOWN, out);
	}
}

static void show_name(struct ai_span key, struct ai_buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < key.n && i < NAME_SHOWN; i++) {
		if (key.p[i] != '.')
			continue;
		ai_show_text((struct ai_span){ key.p + from, i - from },
			     NAME_SHOWN, out);
		ai_buf_str(out, "\\.");
		from = i + 1;
	}
	ai_show_text((struct ai_span){ key.p + from, key.n - from },
		     NAME_SHOWN > from ? NAME_SHOWN - from : 0, out);
}

void ai_node_path(const struct ai_node *n, struct ai_buf *out)
{
	if (n->up == NULL)
		return;
	ai_node_path(n->up, out);
	if (n->up->up != NULL)
		ai_buf_chr(out, '.');
	if (n->up->kind == AI_OBJECT)
		show_name(n->key, out);
	else
		ai_buf_fmt(out, "%zu", (size_t)(n - n->up->kids));
}

/* ---- equality ----------------------------------------------------------- */

static bool spend(uint64_t *steps, uint64_t n)
{
	*steps -= n < *steps ? n : *steps;
	return *steps > 0;
}

static bool equal_kids(const struct ai_node *a, const struct ai_node *b,
		       uint64_t *steps)
{
	bool object = a->kind == AI_OBJECT;

	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct ai_node *x = object ? a->by_key[i] : &a->kids[i];
		const struct ai_node *y = object ? b->by_key[i] : &b->kids[i];

		if (object && !ai_span_eq(x->key, y->key))
			return false;
		if (!ai_node_equal(x, y, steps))
			return false;
	}
	return true;
}

bool ai_node_equal(const struct ai_node *a, const struct ai_node *b,
		   uint64_t *steps)
{
	if (!spend(steps, 1) || a->kind != b->kind)
		return false;
	switch (a->kind) {
	case AI_NULL:
		return true;
	case AI_BOOL:
		return *a->raw.p == *b->raw.p;
	case AI_NUMBER:
		return spend(steps, (a->raw.n + b->raw.n) / 64) &&
		       ai_dec_cmp(ai_dec_of(a->raw), ai_dec_of(b->raw)) == 0;
	case AI_STRING:
		return ai_span_eq(a->text, b->text);
	default:
		return equal_kids(a, b, steps);
	}
}

static uint64_t hash_bytes(struct ai_span s, uint64_t h)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

uint64_t ai_node_hash(const struct ai_node *n)
{
	uint64_t h = 14695981039346656037u + n->kind;

	switch (n->kind) {
	case AI_BOOL:
		return h ^ (unsigned char)*n->raw.p;
	case AI_NUMBER:
		return ai_dec_hash(ai_dec_of(n->raw));
	case AI_STRING:
		return hash_bytes(n->text, h);
	case AI_OBJECT:
		for (size_t i = 0; i < n->n; i++)
			h = hash_bytes(n->by_key[i]->key, h * 31) ^
			    ai_node_hash(n->by_key[i]);
		return h;
	case AI_ARRAY:
		for (size_t i = 0; i < n->n; i++)
			h = (h ^ ai_node_hash(&n->kids[i])) * 1099511628211u;
		return h;
	default:
		return h;
	}
}
