/*
 * Added tokens: what is looked for before a text is cut.  The leftmost is
 * found, and of several there the longest.
 */
#include "text/class.h"
#include "text/bpe.h"
#include "text/tokenizer_int.h"

struct hit {
	size_t from, to;
	const struct ai_tok_added *added;
};

/* The longest one at p[at]; 0: none. */
static size_t longest_at(const struct ai_tok *k, int tree, const char *p,
			 size_t n, size_t at, const struct ai_tok_added **added)
{
	const struct ai_tok_edge *e;
	uint32_t node = 0;
	size_t len = 0;

	for (size_t i = at; i < n; i++, node = e->child) {
		e = ai_tok_edge(&k->t, tree, node, (unsigned char)p[i]);
		if (e == NULL)
			break;
		if (e->added == 0 || e->added > k->t.n_added)
			continue;
		len = i + 1 - at;
		*added = &k->t.added[e->added - 1];
	}
	return len;
}

static bool next_hit(const struct ai_tok *k, int tree, const char *p, size_t n,
		     size_t at, struct hit *hit)
{
	const bool *first = k->first[tree];
	size_t len;

	for (; at < n; at++) {
		if (!first[(unsigned char)p[at]])
			continue;
		len = longest_at(k, tree, p, n, at, &hit->added);
		if (len == 0)
			continue;
		hit->from = at;
		hit->to = at + len;
		return true;
	}
	return false;
}

static bool is_blank(enum ai_class c)
{
	return c == AI_CLASS_SPACE || c == AI_CLASS_NEWLINE;
}

static bool is_word(enum ai_class c, char byte)
{
	return byte == '_' || (c >= AI_CLASS_UPPER && c <= AI_CLASS_NUMBER);
}

/* The class of the character before p[at], at > 0, and where it begins. */
static enum ai_class class_before(const char *p, size_t at, size_t *from)
{
	size_t back = 1, len;
	enum ai_class c;

	while (back < 4 && back < at &&
	       ((unsigned char)p[at - back] & 0xC0) == 0x80)
		back++;
	c = ai_class_at(p, at, at - back, &len);
	*from = len == back ? at - back : at - 1;
	return len == back ? c : AI_CLASS_OTHER;
}

/* Whether it stands alone, or may be part of a word. */
static bool fits(const struct hit *hit, const char *p, size_t n)
{
	size_t from, len;
	enum ai_class c;

	if (!(hit->added->flags & AI_TOK_SINGLE))
		return true;
	if (hit->from > 0) {
		c = class_before(p, hit->from, &from);
		if (is_word(c, p[from]))
			return false;
	}
	if (hit->to == n)
		return true;
	c = ai_class_at(p, n, hit->to, &len);
	return !is_word(c, p[hit->to]);
}

/* Takes the blanks around in, as far as they are free. */
static void widen(struct hit *hit, const char *p, size_t n, size_t free_from)
{
	size_t at, len;

	if (hit->added->flags & AI_TOK_LSTRIP)
		while (hit->from > free_from &&
		       is_blank(class_before(p, hit->from, &at)))
			hit->from = at;
	if (hit->added->flags & AI_TOK_RSTRIP)
		while (hit->to < n &&
		       is_blank(ai_class_at(p, n, hit->to, &len)))
			hit->to += len;
}

int ai_tok_each_added(struct ai_tok_run *r, int tree, const char *p, size_t n,
		      int (*text)(struct ai_tok_run *r, const char *p,
				  size_t n))
{
	size_t at = 0, scan = 0;
	struct hit hit = { 0 };

	if (!r->k->has[tree])
		return n > 0 ? text(r, p, n) : 0;
	while (next_hit(r->k, tree, p, n, scan, &hit)) {
		scan = hit.to;
		if ((hit.added->flags & AI_TOK_SPECIAL) &&
		    !(r->flags & AI_BPE_SPECIAL))
			continue;
		if (!fits(&hit, p, n))
			continue;
		widen(&hit, p, n, at);
		if (at < hit.from && text(r, p + at, hit.from - at) < 0)
			return -1;
		if (p == r->start && hit.from == 0 &&
		    !(hit.added->flags & AI_TOK_SPECIAL) &&
		    (r->k->t.head->flags & AI_TOK_LEAD) && text(r, p, 0) < 0)
			return -1;
		if (ai_bpe_sink_add(r->s, hit.added->id, r->err) < 0)
			return -1;
		at = hit.to;
	}
	return at < n ? text(r, p + at, n - at) : 0;
}
