#include "text/tokenizer_build.h"

#include "text/tokenizer_int.h"
#include "text/tokenizer_norm.h"

#include <stdlib.h>

/* ---- a spec that grows ---- */

void ai_tok_spec_init(struct ai_tok_spec *s)
{
	*s = (struct ai_tok_spec){ .head.unknown = AI_TOK_NONE };
	memset(s->head.byte, 0xFF, sizeof s->head.byte);
	ai_buf_init(&s->bytes, AI_TOK_TEXT_MAX);
	ai_buf_init(&s->contents, AI_TOK_TEXT_MAX);
	ai_buf_init(&s->text, AI_TOK_TEXT_MAX);
}

void ai_tok_spec_release(struct ai_tok_spec *s)
{
	free(s->token);
	free(s->pair);
	free(s->added);
	free(s->content);
	free(s->norm);
	free(s->step);
	free(s->slots);
	ai_buf_release(&s->bytes);
	ai_buf_release(&s->contents);
	ai_buf_release(&s->text);
}

/* Makes room for n entries of this size. */
static int room(void *array, size_t *cap, size_t n, size_t size,
		struct ai_err *err)
{
	size_t want = *cap == 0 ? 256 : *cap;
	void *p;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	p = reallocarray(*(void **)array, want, size);
	if (p == NULL)
		return ai_err_nomem(err);
	*(void **)array = p;
	*cap = want;
	return 0;
}

/* Makes id one of those that there are. */
static int reach(struct ai_tok_spec *s, uint32_t id, struct ai_err *err)
{
	if (id >= AI_TOK_IDS_MAX)
		return ai_err_set(err, AI_E_DATA,
				  "the id %u is too large; ids are below %u",
				  id, AI_TOK_IDS_MAX);
	if (id < s->n_ids)
		return 0;
	if (room(&s->token, &s->cap_ids, (size_t)id + 1, sizeof *s->token,
		 err) < 0)
		return -1;
	memset(s->token + s->n_ids, 0,
	       (id + 1 - s->n_ids) * sizeof *s->token);
	s->n_ids = (size_t)id + 1;
	return 0;
}

int ai_tok_spec_token(struct ai_tok_spec *s, uint32_t id, const char *p,
		      size_t n, bool match, double score, struct ai_err *err)
{
	if (reach(s, id, err) < 0)
		return -1;
	if (s->token[id].known)
		return ai_err_set(err, AI_E_DATA, "two tokens have the id %u",
				  id);
	s->token[id] = (struct ai_tok_token){ s->bytes.len, (uint32_t)n, true,
					      match && n > 0, score };
	ai_buf_add(&s->bytes, p, n);
	return ai_buf_check(&s->bytes, "the vocabulary", err);
}

static struct ai_span text_of(const struct ai_tok_spec *s, uint32_t id)
{
	return (struct ai_span){ ai_buf_cstr(&s->bytes) + s->token[id].at,
				 s->token[id].n };
}

static uint64_t hash_of(const char *p, size_t n)
{
	return ai_bpe_hash((const unsigned char *)p, n);
}

static int insert(struct ai_tok_spec *s, uint32_t id, struct ai_err *err)
{
	struct ai_span text = text_of(s, id);
	uint64_t h = hash_of(text.p, text.n);
	size_t i = (uint32_t)h & (s->n_slots - 1);
	uint32_t probe = 0, other;

	for (; s->slots[i] != 0; i = (i + 1) & (s->n_slots - 1), probe++) {
		other = (uint32_t)s->slots[i] - 1;
		if (s->slots[i] >> 32 == h >> 32 &&
		    ai_span_eq(text_of(s, other), text))
			return ai_err_set(err, AI_E_DATA,
					  "the tokens %u and %u are the same",
					  other, id);
	}
	s->slots[i] = h >> 32 << 32 | (id + 1);
	if (probe > s->head.slot_probe)
		s->head.slot_probe = probe;
	if (text.n > s->head.max_len)
		s->head.max_len = (uint32_t)text.n;
	return 0;
}

/* A power of two with at most 5/8 of it full. */
static size_t slots_for(size_t n)
{
	size_t slots = 8;

	while (slots * 5 < n * 8)
		slots *= 2;
	return slots;
}

int ai_tok_spec_index(struct ai_tok_spec *s, struct ai_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_ids; i++)
		n += s->token[i].match;
	if (n == 0)
		return ai_err_set(err, AI_E_DATA, "its vocabulary is empty");
	s->n_slots = slots_for(n);
	s->slots = calloc(s->n_slots, sizeof *s->slots);
	if (s->slots == NULL)
		return ai_err_nomem(err);
	for (uint32_t i = 0; i < s->n_ids; i++)
		if (s->token[i].match && insert(s, i, err) < 0)
			return -1;
	return 0;
}

uint32_t ai_tok_spec_find(const struct ai_tok_spec *s, const char *p, size_t n)
{
	const struct ai_span text = { p, n };
	uint64_t h;
	size_t i;

	if (n == 0 || n > s->head.max_len)
		return AI_TOK_NONE;
	h = hash_of(p, n);
	i = (uint32_t)h & (s->n_slots - 1);
	for (; s->slots[i] != 0; i = (i + 1) & (s->n_slots - 1))
		if (s->slots[i] >> 32 == h >> 32 &&
		    ai_span_eq(text_of(s, (uint32_t)s->slots[i] - 1), text))
			return (uint32_t)s->slots[i] - 1;
	return AI_TOK_NONE;
}

int ai_tok_spec_pair(struct ai_tok_spec *s, struct ai_tok_pair pair,
		     struct ai_err *err)
{
	if (pair.rank >= AI_TOK_RANKS_MAX)
		return ai_err_set(err, AI_E_DATA, "it has more than %u merges",
				  AI_TOK_RANKS_MAX);
	if (room(&s->pair, &s->cap_pairs, s->n_pairs + 1, sizeof *s->pair,
		 err) < 0)
		return -1;
	s->pair[s->n_pairs++] = pair;
	return 0;
}

int ai_tok_spec_added(struct ai_tok_spec *s, uint32_t id, const char *p,
		      size_t n, uint32_t flags, struct ai_err *err)
{
	size_t cap = s->cap_added;

	if (n == 0)
		return ai_err_set(err, AI_E_DATA, "the added token %u is empty",
				  id);
	if (reach(s, id, err) < 0 ||
	    room(&s->added, &cap, s->n_added + 1, sizeof *s->added, err) < 0 ||
	    room(&s->content, &s->cap_added, s->n_added + 1,
		 sizeof *s->content, err) < 0)
		return -1;
	if (!s->token[id].known &&
	    ai_tok_spec_token(s, id, p, n, false, 0, err) < 0)
		return -1;
	s->added[s->n_added] = (struct ai_tok_added){ id, flags };
	/* The buffer moves: what p is becomes known in the end. */
	s->content[s->n_added++] = (struct ai_span){ NULL, n };
	ai_buf_add(&s->contents, p, n);
	return ai_buf_check(&s->contents, "the added tokens", err);
}

static int step_add(struct ai_tok_spec *s, struct ai_tok_step **steps,
		    size_t *n, struct ai_tok_step step, struct ai_span text,
		    struct ai_span more, struct ai_err *err)
{
	struct ai_tok_step *v = reallocarray(*steps, *n + 1, sizeof *v);

	if (v == NULL)
		return ai_err_nomem(err);
	*steps = v;
	step.text = (uint32_t)s->text.len;
	step.text_n = (uint32_t)text.n;
	ai_buf_add(&s->text, text.p, text.n);
	step.more = (uint32_t)s->text.len;
	step.more_n = (uint32_t)more.n;
	ai_buf_add(&s->text, more.p, more.n);
	v[(*n)++] = step;
	return ai_buf_check(&s->text, "its patterns", err);
}

int ai_tok_spec_norm(struct ai_tok_spec *s, struct ai_tok_step step,
		     struct ai_span text, struct ai_span more,
		     struct ai_err *err)
{
	return step_add(s, &s->norm, &s->n_norms, step, text, more, err);
}

int ai_tok_spec_step(struct ai_tok_spec *s, struct ai_tok_step step,
		     struct ai_span text, struct ai_span more,
		     struct ai_err *err)
{
	return step_add(s, &s->step, &s->n_steps, step, text, more, err);
}

/* ---- the table ---- */

struct build {
	struct ai_tok_spec *s;
	struct ai_tok_header head;
	struct ai_buf *out;
	size_t base;
};

static void begin(struct build *b, int section)
{
	static const char zeros[8];

	ai_buf_add(b->out, zeros, (8 - (b->out->len - b->base) % 8) % 8);
	b->head.from[section] = b->out->len - b->base;
}

static void end(struct build *b, int section)
{
	b->head.len[section] =
		b->out->len - b->base - b->head.from[section];
}

static void put(struct build *b, int section, const void *p, size_t n)
{
	begin(b, section);
	ai_buf_add(b->out, p, n);
	end(b, section);
}

static void put_tokens(struct build *b)
{
	const struct ai_tok_spec *s = b->s;
	uint32_t at = 0;

	begin(b, AI_TOK_S_AT);
	for (size_t i = 0; i <= s->n_ids; i++) {
		ai_buf_add(b->out, &at, sizeof at);
		if (i < s->n_ids)
			at += s->token[i].n;
	}
	end(b, AI_TOK_S_AT);
	begin(b, AI_TOK_S_BLOB);
	for (uint32_t i = 0; i < s->n_ids; i++)
		ai_buf_add(b->out, text_of(s, i).p, s->token[i].n);
	end(b, AI_TOK_S_BLOB);
	begin(b, AI_TOK_S_WHOLE);
	for (size_t i = 0; i < s->n_ids; i += 8)
		ai_buf_chr(b->out, '\0');
	end(b, AI_TOK_S_WHOLE);
	put(b, AI_TOK_S_SLOTS, s->slots, s->n_slots * sizeof *s->slots);
	begin(b, AI_TOK_S_SCORES);
	for (size_t i = 0; s->head.kind == AI_TOK_UNIGRAM && i < s->n_ids; i++)
		ai_buf_add(b->out, &s->token[i].score,
			   sizeof s->token[i].score);
	end(b, AI_TOK_S_SCORES);
}

static int put_pairs(struct build *b, struct ai_err *err)
{
	const struct ai_tok_spec *s = b->s;
	size_t n = slots_for(s->n_pairs), i;
	struct ai_tok_pair *v = calloc(n, sizeof *v);
	uint64_t *filter = calloc(n / 8, sizeof *filter);
	uint32_t probe, bit;

	if (v == NULL || filter == NULL) {
		free(v);
		free(filter);
		return ai_err_nomem(err);
	}
	for (i = 0; i < n; i++)
		v[i].left = AI_TOK_NONE;
	for (size_t k = 0; k < s->n_pairs; k++) {
		struct ai_tok_pair p = s->pair[k];

		bit = ai_tok_pair_hash(p.left, p.right) >>
		      ai_tok_filter_shift(n / 8);
		filter[bit / 64] |= (uint64_t)1 << bit % 64;
		i = ai_tok_pair_hash(p.left, p.right) & (n - 1);
		for (probe = 0; v[i].left != AI_TOK_NONE; probe++) {
			if (v[i].left == p.left && v[i].right == p.right)
				break;
			i = (i + 1) & (n - 1);
		}
		v[i] = p;
		if (probe > b->head.pair_probe)
			b->head.pair_probe = probe;
	}
	put(b, AI_TOK_S_PAIRS, v, n * sizeof *v);
	put(b, AI_TOK_S_FILTER, filter, n / 8 * sizeof *filter);
	free(v);
	free(filter);
	return 0;
}

/* ---- the trees of added tokens ---- */

struct tree {
	struct ai_tok_edge *v; /* owned */
	size_t n, used;
	uint32_t nodes, probe;
};

static struct ai_tok_edge *tree_at(struct tree *t, uint32_t node,
				   unsigned char byte)
{
	size_t i = ai_tok_pair_hash(node, byte) & (t->n - 1);
	uint32_t probe = 0;

	for (; t->v[i].node != AI_TOK_NONE; i = (i + 1) & (t->n - 1), probe++)
		if (t->v[i].node == node && t->v[i].byte == byte)
			return &t->v[i];
	if (probe > t->probe)
		t->probe = probe;
	return &t->v[i];
}

static int tree_room(struct tree *t, size_t edges, struct ai_err *err)
{
	t->n = slots_for(edges);
	t->v = calloc(t->n, sizeof *t->v);
	if (t->v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->n; i++)
		t->v[i].node = AI_TOK_NONE;
	t->nodes = 1;
	return 0;
}

/* Of two tokens with one text, the first is found. */
static void tree_add(struct tree *t, const char *p, size_t n, uint32_t added)
{
	struct ai_tok_edge *e = NULL;
	uint32_t node = 0;

	for (size_t i = 0; i < n; i++) {
		e = tree_at(t, node, (unsigned char)p[i]);
		if (e->node == AI_TOK_NONE)
			*e = (struct ai_tok_edge){ node, (unsigned char)p[i],
						   t->nodes++, 0 };
		node = e->child;
	}
	if (e != NULL && e->added == 0)
		e->added = added + 1;
}

/* What the tree is made of, one behind the other: what is looked for in the
 * normalised text is normalised itself. */
static int tree_texts(const struct ai_tok_spec *s, bool normal, size_t *len,
		      struct ai_buf *all, struct ai_err *err)
{
	struct ai_buf made = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_added; i++) {
		struct ai_span text = s->content[i];

		if (((s->added[i].flags & AI_TOK_NORMAL) != 0) != normal)
			continue;
		ai_buf_clear(&made);
		if (normal) {
			rc = ai_tok_normalise(s->norm, s->n_norms,
					      ai_buf_cstr(&s->text), text,
					      AI_TOK_BEGINS | AI_TOK_ENDS,
					      &made, err);
			text = (struct ai_span){ ai_buf_cstr(&made), made.len };
		}
		ai_buf_add(all, text.p, text.n);
		len[i] = text.n;
	}
	ai_buf_release(&made);
	return rc < 0 ? -1 : ai_buf_check(all, "the added tokens", err);
}

static int tree_fill(struct build *b, struct tree *t, bool normal,
		     struct ai_err *err)
{
	struct ai_buf all = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	size_t *len = calloc(b->s->n_added + 1, sizeof *len);
	const char *p;
	int rc = -1;

	if (len == NULL)
		ai_err_nomem(err);
	else
		rc = tree_texts(b->s, normal, len, &all, err);
	if (rc == 0)
		rc = tree_room(t, all.len, err);
	p = ai_buf_cstr(&all);
	for (size_t i = 0; rc == 0 && i < b->s->n_added; p += len[i++])
		if (len[i] > 0)
			tree_add(t, p, len[i], (uint32_t)i);
	free(len);
	ai_buf_release(&all);
	return rc;
}

static int put_tree(struct build *b, int section, bool normal,
		    struct ai_err *err)
{
	struct tree t = { 0 };
	int rc = tree_fill(b, &t, normal, err);

	put(b, section, t.v, t.n * sizeof *t.v);
	if (t.probe > b->head.edge_probe)
		b->head.edge_probe = t.probe;
	free(t.v);
	return rc;
}

/* ---- where words can be cut ---- */

/* Whether a text ends in the sign, and how much of it is signs. */
static bool ends_blank(struct ai_span t)
{
	return t.n >= AI_TOK_BLANK_N &&
	       memcmp(t.p + t.n - AI_TOK_BLANK_N, AI_TOK_BLANK,
		      AI_TOK_BLANK_N) == 0;
}

static bool all_blank(struct ai_span t)
{
	while (ends_blank(t))
		t.n -= AI_TOK_BLANK_N;
	return t.n == 0;
}

/*
 * Whether a run of several signs and the word behind it can be merged apart:
 * if no token has two signs and something else, and signs are merged with each
 * other before they are with anything else, then only a last sign that finds
 * no other one merges with the word.
 */
static bool runs_apart(const struct ai_tok_spec *s)
{
	const char two[] = AI_TOK_BLANK AI_TOK_BLANK;
	uint32_t last_run = 0, first_word = UINT32_MAX;

	for (size_t i = 0; i < s->n_pairs; i++) {
		struct ai_span t = text_of(s, s->pair[i].id);
		uint32_t rank = s->pair[i].rank;

		if (all_blank(t))
			last_run = rank > last_run ? rank : last_run;
		else if (memmem(t.p, t.n, two, sizeof two - 1) != NULL)
			return false;
		else if (ends_blank(text_of(s, s->pair[i].left)))
			first_word = rank < first_word ? rank : first_word;
	}
	return last_run < first_word;
}

/*
 * A text that is one piece, as Gemma's are, is merged word by word where that
 * is the same: no token that a merge makes has the sign of a blank behind the
 * byte before it, so no merge passes there.  Tokens of bytes and the unknown
 * one do not say what they stand for, so they must take no part in merges.
 */
static void find_words(struct build *b)
{
	const struct ai_tok_spec *s = b->s;
	const char *p;
	bool odd[2] = { false };

	if (s->head.kind != AI_TOK_BPE ||
	    s->head.flags & (AI_TOK_BYTES | AI_TOK_WHOLE) ||
	    ai_tok_spec_find(s, AI_TOK_BLANK, AI_TOK_BLANK_N) == AI_TOK_NONE)
		return;
	for (size_t i = 0; i < s->n_pairs; i++) {
		struct ai_span t = text_of(s, s->pair[i].id);

		odd[0] |= s->pair[i].left == s->head.unknown ||
			  s->pair[i].right == s->head.unknown;
		for (size_t k = 0; k < 256; k++)
			if (s->pair[i].left == s->head.byte[k] ||
			    s->pair[i].right == s->head.byte[k])
				odd[1] = true;
		for (p = t.p; (p = memmem(p, (size_t)(t.p + t.n - p),
					  AI_TOK_BLANK, AI_TOK_BLANK_N)) !=
			      NULL; p++)
			if (p > t.p)
				b->head.glued[(unsigned char)p[-1] / 8] |=
					(uint8_t)(1u << (unsigned char)p[-1] % 8);
	}
	if (!odd[0] && !odd[1])
		b->head.flags |= AI_TOK_WORDS | (runs_apart(s) ? AI_TOK_RUNS
							       : 0);
}

static void finish(struct build *b)
{
	struct ai_tok_header *h = &b->head;
	char *p = b->out->p + b->base;

	memcpy(h->magic, AI_TOK_MAGIC, sizeof h->magic);
	h->mark = AI_TOK_MARK;
	h->version = AI_TOK_VERSION;
	h->file_len = b->out->len - b->base;
	h->body_hash = ai_tok_body_hash(p + sizeof *h,
					h->file_len - sizeof *h);
	h->head_hash = hash_of((const char *)h,
			       offsetof(struct ai_tok_header, head_hash));
	memcpy(p, h, sizeof *h);
}

int ai_tok_build(struct ai_tok_spec *s, struct ai_buf *out, struct ai_err *err)
{
	struct build b = { .s = s, .out = out, .base = out->len };
	const char *p = ai_buf_cstr(&s->contents);

	for (size_t i = 0; i < s->n_added; p += s->content[i++].n)
		s->content[i].p = p;
	b.head = s->head;
	b.head.n_ids = (uint32_t)s->n_ids;
	find_words(&b);
	ai_buf_add(out, &b.head, sizeof b.head);
	put_tokens(&b);
	if (put_pairs(&b, err) < 0)
		return -1;
	put(&b, AI_TOK_S_ADDED, s->added, s->n_added * sizeof *s->added);
	if (put_tree(&b, AI_TOK_S_RAW, false, err) < 0 ||
	    put_tree(&b, AI_TOK_S_NORMAL, true, err) < 0)
		return -1;
	put(&b, AI_TOK_S_NORMS, s->norm, s->n_norms * sizeof *s->norm);
	put(&b, AI_TOK_S_STEPS, s->step, s->n_steps * sizeof *s->step);
	put(&b, AI_TOK_S_TEXT, ai_buf_cstr(&s->text), s->text.len);
	if (ai_buf_check(out, "the tokenizer's table", err) < 0)
		return -1;
	finish(&b);
	if (s->head.kind != AI_TOK_BPE || (s->head.flags & AI_TOK_WHOLE))
		return 0;
	if (ai_tok_find_whole(out->p + b.base, out->len - b.base,
			      (uint8_t *)out->p + b.base +
				      b.head.from[AI_TOK_S_WHOLE],
			      &b.head.run_single, err) < 0)
		return -1;
	finish(&b);
	return 0;
}
