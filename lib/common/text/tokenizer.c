#include "text/tokenizer.h"

#include "base/utf8.h"
#include "text/bpe.h"
#include "text/class.h"
#include "text/tokenizer_int.h"
#include "text/tokenizer_norm.h"

#include <stdlib.h>
#include <sys/mman.h>

/* What a large text made is not kept for the small ones after it. */
#define KEEP_BYTES ((size_t)1 << 20)

/* ---- opening ---- */

static int open_regexes(struct ai_tok *k, struct ai_err *err)
{
	k->regex = calloc(k->t.n_steps + 1, sizeof(struct ai_regex *));
	if (k->regex == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < k->t.n_steps; i++) {
		const struct ai_tok_step *s = &k->t.steps[i];
		const char *p = k->t.text + s->text;
		char why[sizeof err->msg];

		if (s->kind != AI_TOK_REGEX ||
		    ai_regex_new(&k->regex[i], p, s->text_n,
				 AI_REGEX_UNICODE | AI_REGEX_LINES |
					 AI_REGEX_METERED,
				 err) == 0)
			continue;
		if (err->code != AI_E_DATA)
			return -1;
		memcpy(why, err->msg, sizeof why);
		return ai_err_set(err, AI_E_DATA, "the pattern '%.*s' is %s",
				  (int)ai_utf8_floor(p, s->text_n, 200), p,
				  why);
	}
	return 0;
}

static void look_up_chars(struct ai_tok *k)
{
	char c;

	for (int tree = 0; tree < 2; tree++) {
		for (size_t i = 0; i < 256; i++) {
			k->first[tree][i] = ai_tok_edge(&k->t, tree, 0,
							(unsigned char)i) !=
					    NULL;
			k->has[tree] |= k->first[tree][i];
		}
	}
	for (size_t i = 0; i < 128; i++) {
		c = (char)i;
		k->ascii[i] = ai_tok_find(&k->t, &c, 1);
	}
}

static void find_whole(struct ai_tok_run *r, struct ai_bpe_ids *ids,
		       uint8_t *bits, int *rc)
{
	const unsigned char *p;
	size_t n;

	for (uint32_t i = 0; *rc == 0 && i < r->k->t.head->n_ids; i++) {
		p = ai_tok_bytes(&r->k->t, i, &n);
		/* Not every token can come of a text. */
		if (p == NULL || ai_tok_find(&r->k->t, (const char *)p, n) != i)
			continue;
		ids->n = 0;
		*rc = ai_tok_merge(r, (const char *)p, n);
		if (*rc == 0 && ids->n == 1 && ids->v[0] == i)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
	}
}

static void find_single(struct ai_tok_run *r, struct ai_bpe_ids *ids,
			uint64_t *bits, int *rc)
{
	uint32_t sign = ai_tok_find(&r->k->t, AI_TOK_BLANK, AI_TOK_BLANK_N);
	char run[64 * AI_TOK_BLANK_N];

	if (!(r->k->t.head->flags & AI_TOK_RUNS))
		return;
	for (size_t i = 0; *rc == 0 && i < 64; i++) {
		memcpy(run + i * AI_TOK_BLANK_N, AI_TOK_BLANK, AI_TOK_BLANK_N);
		ids->n = 0;
		*rc = ai_tok_merge(r, run, (i + 1) * AI_TOK_BLANK_N);
		if (i < 63 && *rc == 0 && ids->v[ids->n - 1] == sign)
			*bits |= (uint64_t)1 << (i + 1);
	}
}

int ai_tok_find_whole(const void *p, size_t n, uint8_t *bits,
		      uint64_t *run_single, struct ai_err *err)
{
	struct ai_tok *k = calloc(1, sizeof *k);
	struct ai_bpe_ids ids = { 0 };
	struct ai_bpe_sink sink = { .keep = &ids, .limit = SIZE_MAX };
	struct ai_tok_work work = { .memory = NULL };
	struct ai_tok_run r = { .k = k, .w = &work, .s = &sink, .err = err };
	int rc = 0;

	if (k == NULL)
		return ai_err_nomem(err);
	if (ai_tok_table_map(&k->t, p, n) != NULL) {
		rc = ai_err_set(err, AI_E_BUG, "a table is not what it should "
				"be");
	} else {
		look_up_chars(k);
		find_whole(&r, &ids, bits, &rc);
		find_single(&r, &ids, run_single, &rc);
	}
	ai_bpe_ids_release(&ids);
	free(work.memory);
	free(k);
	return rc;
}

int ai_tok_new(struct ai_tok **out, void *p, size_t n, bool mapped,
	       struct ai_err *err)
{
	struct ai_tok *k = calloc(1, sizeof *k);
	const char *wrong;

	*out = NULL;
	if (k == NULL) {
		if (mapped)
			munmap(p, n);
		else
			free(p);
		return ai_err_nomem(err);
	}
	k->map = p;
	k->map_len = n;
	k->mapped = mapped;
	wrong = ai_tok_table_map(&k->t, p, n);
	if (wrong != NULL) {
		ai_tok_free(k);
		return ai_err_set(err, AI_E_DATA,
				  "the tokenizer's table is unusable: %s",
				  wrong);
	}
	if (open_regexes(k, err) < 0) {
		ai_tok_free(k);
		return -1;
	}
	look_up_chars(k);
	*out = k;
	return 0;
}

static void work_free(struct ai_tok_work *w)
{
	if (w == NULL)
		return;
	ai_buf_release(&w->normal);
	ai_buf_release(&w->meta);
	ai_buf_release(&w->prefixed);
	free(w->memory);
	ai_piece_cache_release(&w->cache);
	free(w);
}

void ai_tok_free(struct ai_tok *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; k->regex != NULL && i < k->t.n_steps; i++)
		ai_regex_free(k->regex[i]);
	free(k->regex);
	for (size_t i = 0; i < AI_TOK_SPARES; i++)
		work_free(atomic_load(&k->spare[i]));
	if (k->mapped)
		munmap(k->map, k->map_len);
	else
		free(k->map);
	free(k);
}

const struct ai_tok_header *ai_tok_head(const struct ai_tok *k)
{
	return k->t.head;
}

const unsigned char *ai_tok_token(const struct ai_tok *k, uint32_t id,
				  size_t *n)
{
	return ai_tok_bytes(&k->t, id, n);
}

/* ---- what a call works with ---- */

static struct ai_tok_work *work_take(const struct ai_tok *k)
{
	/* The slots are all that changes, and atomically. */
	_Atomic(struct ai_tok_work *) *spare = ((struct ai_tok *)k)->spare;
	struct ai_tok_work *w;

	for (size_t i = 0; i < AI_TOK_SPARES; i++)
		if (atomic_load(&spare[i]) != NULL &&
		    (w = atomic_exchange(&spare[i], NULL)) != NULL)
			return w;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	ai_buf_init(&w->normal, AI_TOK_NORMAL_MAX);
	ai_buf_init(&w->meta, AI_TOK_NORMAL_MAX);
	ai_buf_init(&w->prefixed, AI_TOK_NORMAL_MAX);
	return w;
}

static void work_give(const struct ai_tok *k, struct ai_tok_work *w)
{
	_Atomic(struct ai_tok_work *) *spare = ((struct ai_tok *)k)->spare;

	ai_buf_shrink(&w->normal, KEEP_BYTES);
	ai_buf_shrink(&w->meta, KEEP_BYTES);
	ai_buf_shrink(&w->prefixed, KEEP_BYTES);
	if (w->memory_n > KEEP_BYTES) {
		free(w->memory);
		w->memory = NULL;
		w->memory_n = 0;
	}
	for (size_t i = 0; w != NULL && i < AI_TOK_SPARES; i++)
		if (atomic_load(&spare[i]) == NULL)
			w = atomic_exchange(&spare[i], w);
	work_free(w);
}

void *ai_tok_memory(struct ai_tok_run *r, size_t n)
{
	void *p;

	if (n <= r->w->memory_n)
		return r->w->memory;
	p = malloc(n);
	if (p == NULL) {
		ai_err_nomem(r->err);
		return NULL;
	}
	free(r->w->memory);
	r->w->memory = p;
	r->w->memory_n = n;
	return p;
}

/* ---- encoding ---- */

static int split(struct ai_tok_run *r, const char *p, size_t n)
{
	return ai_tok_split(r, 0, p, n);
}

/* Whether a normaliser takes blanks away from the beginning: what is left does
 * not begin where the text does. */
static bool loses_blanks(const struct ai_tok_table *t, const char *p, size_t n)
{
	size_t len;
	enum ai_class c = ai_class_at(p, n, 0, &len);

	if (c != AI_CLASS_SPACE && c != AI_CLASS_NEWLINE)
		return false;
	for (size_t i = 0; i < t->n_norms; i++)
		if (t->norms[i].kind == AI_TOK_STRIP && (t->norms[i].arg & 1))
			return true;
	return false;
}

/* What stands between the added tokens of the text as it is. */
static int between(struct ai_tok_run *r, const char *p, size_t n)
{
	const struct ai_tok_table *t = &r->k->t;
	const struct ai_span text = { p, n };
	const char *start = r->start;
	int rc;

	/* Only an empty word before an added token is nothing here. */
	if (n == 0)
		return split(r, p, n);

	if (!ai_tok_is_normal(t->norms, t->n_norms, text)) {
		ai_buf_clear(&r->w->normal);
		if (ai_tok_normalise(t->norms, t->n_norms, t->text, text,
				     (p == start ? AI_TOK_BEGINS : 0) |
					     (p + n == r->end ? AI_TOK_ENDS
							      : 0),
				     &r->w->normal, r->err) < 0)
			return -1;
		r->start = p == start && !loses_blanks(t, p, n)
				   ? ai_buf_cstr(&r->w->normal)
				   : NULL;
		p = ai_buf_cstr(&r->w->normal);
		n = r->w->normal.len;
	}
	rc = ai_tok_each_added(r, 1, p, n, split);
	r->start = start;
	return rc;
}

int ai_tok_encode(const struct ai_tok *k, const char *p, size_t n,
		  unsigned flags, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct ai_tok_run r = { .k = k, .s = s, .err = err, .flags = flags,
				.start = p, .end = p + n };
	int rc;

	if (n == 0)
		return 0;
	r.w = work_take(k);
	if (r.w == NULL)
		return ai_err_nomem(err);
	rc = s->keep == NULL ? ai_piece_cache_ready(&r.w->cache, ai_piece_hash,
						    err)
			     : 0;
	if (rc == 0)
		rc = ai_tok_each_added(&r, 0, p, n, between);
	work_give(k, r.w);
	return rc;
}

/* ---- decoding ---- */

/* "<0x41>" */
static bool is_byte(const char *p, size_t n, char *byte)
{
	unsigned v = 0;

	if (n != 6 || memcmp(p, "<0x", 3) != 0 || p[5] != '>')
		return false;
	for (size_t i = 3; i < 5; i++) {
		unsigned c = (unsigned char)p[i], low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (low >= 'a' && low <= 'f')
			v = v * 16 + low - 'a' + 10;
		else
			return false;
	}
	*byte = (char)v;
	return true;
}

static void put_token(const struct ai_tok *k, struct ai_span t, bool first,
		      struct ai_buf *out)
{
	unsigned flags = k->t.head->flags;
	char byte;

	if ((flags & AI_TOK_D_BYTES) && is_byte(t.p, t.n, &byte))
		ai_buf_chr(out, byte);
	else if ((flags & AI_TOK_D_FIRST) && first)
		ai_tok_replace(t, AI_SPAN(AI_TOK_BLANK), AI_SPAN(""), out);
	else if (flags & AI_TOK_D_BLANK)
		ai_tok_replace(t, AI_SPAN(AI_TOK_BLANK), AI_SPAN(" "), out);
	else
		ai_buf_add(out, t.p, t.n);
}

int ai_tok_decode(const struct ai_tok *k, const char *name,
		  const uint32_t *ids, size_t n, struct ai_buf *out,
		  struct ai_err *err)
{
	unsigned flags = k->t.head->flags;
	size_t base = out->len;
	struct ai_span t;

	if (flags & AI_TOK_D_NONE)
		return ai_err_set(err, AI_E_RECORD, "'%.200s' does not say how "
				  "its tokens become text", name);
	for (size_t i = 0; i < n && out->bad == AI_E_NONE; i++) {
		t.p = (const char *)ai_tok_bytes(&k->t, ids[i], &t.n);
		if (t.p == NULL)
			return ai_err_set(err, AI_E_RECORD,
					  "'%.200s' has no token %u", name,
					  ids[i]);
		put_token(k, t, i == 0, out);
	}
	if ((flags & AI_TOK_D_STRIP) && out->bad == AI_E_NONE &&
	    out->len > base && out->p[base] == ' ') {
		memmove(out->p + base, out->p + base + 1, out->len - base);
		out->len--;
	}
	return ai_buf_check(out, "the decoded text", err);
}

/* ---- truncating ---- */

/* Where a character begins between low and high, or high. */
static size_t middle(const char *p, size_t n, size_t low, size_t high)
{
	size_t mid = ai_utf8_floor(p, n, low + (high - low) / 2), len;

	if (mid > low)
		return mid;
	len = ai_utf8_len(p + low, high - low);
	mid = low + (len > 0 ? len : 1);
	/* What is not UTF-8 is not cut before a byte that looks like the rest
	 * of a character. */
	while (mid < high && ((unsigned char)p[mid] & 0xC0) == 0x80)
		mid++;
	return mid;
}

/*
 * What was normalised does not say where in the text its tokens end.  So the
 * place to cut is looked for by halves; what is kept was counted.
 */
int ai_tok_truncate(const struct ai_tok *k, const char *p, size_t n,
		    unsigned flags, size_t max, struct ai_bpe_cut *cut,
		    struct ai_err *err)
{
	size_t low = 0, high = n, mid;
	struct ai_bpe_sink s = { 0 };

	if (ai_tok_encode(k, p, n, flags, &s, err) < 0)
		return -1;
	*cut = (struct ai_bpe_cut){ n, s.count, s.count };
	if (s.count <= max)
		return 0;
	cut->tokens = 0;
	while ((mid = middle(p, n, low, high)) < high) {
		s.count = 0;
		if (ai_tok_encode(k, p, mid, flags, &s, err) < 0)
			return -1;
		if (s.count <= max) {
			low = mid;
			cut->tokens = s.count;
		} else {
			high = mid;
		}
	}
	cut->keep = low;
	return 0;
}
