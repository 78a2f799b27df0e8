/*
 * asked.c: what a query asks for: words for one leg, a text for the other,
 * and what of the metadata must hold.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

/* ---- keys ---------------------------------------------------------------------- */

static bool has_path(struct search_index *ix, struct ai_span path)
{
	struct ai_err err;
	bool found;

	if (SEARCH_BIND(ix, SQL_PATH_FIND, &err, "t", path) < 0)
		return false;
	found = ai_db_step(&ix->db, ix->st[SQL_PATH_FIND], &err) > 0;
	sqlite3_reset(ix->st[SQL_PATH_FIND]);
	return found;
}

/* The path that a key stands for: uri is source.uri, too.  False: none. */
static bool put_path(struct search_index *ix, struct ai_span key,
		     struct ai_buf *out)
{
	if (key.n == 0 || key.n > SEARCH_PATH_MAX)
		return false;
	ai_buf_clear(out);
	ai_buf_add(out, key.p, key.n);
	if (has_path(ix, (struct ai_span){ out->p, out->len }))
		return true;
	ai_buf_clear(out);
	ai_buf_str(out, "source.");
	ai_buf_add(out, key.p, key.n);
	return has_path(ix, (struct ai_span){ out->p, out->len });
}

static bool is_key(void *arg, struct ai_span key)
{
	struct ai_buf path = AI_BUF_INIT(SEARCH_PATH_MAX + 16);
	bool is = put_path(arg, key, &path);

	ai_buf_release(&path);
	return is;
}

/* ---- the filter ------------------------------------------------------------------ */

/* Numbers and names as they are, which finds numbers too; all else in
 * quotes. */
static bool is_plain(struct ai_span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (strchr("0123456789.-+eE", value.p[i]) == NULL)
			return false;
	return value.n > 0;
}

static int put_pair(struct search_index *ix, const struct search_pair *p,
		    struct ai_buf *out)
{
	struct ai_buf path = AI_BUF_INIT(SEARCH_PATH_MAX + 16);

	if (p->not)
		ai_buf_str(out, "NOT ");
	put_path(ix, p->key, &path);
	ai_buf_add(out, path.p, path.len);
	ai_buf_release(&path);
	ai_buf_chr(out, '=');
	if (is_plain(p->value))
		ai_buf_add(out, p->value.p, p->value.n);
	else
		ai_put_str(out, p->value.p, p->value.n);
	return out->bad == AI_E_NONE ? 0 : -1;
}

/* --where and the pairs of the query. */
static int filter_of(const struct search_asked *a, struct search_index *ix,
		     struct search_filter *f, struct ai_err *err)
{
	const struct search_language *l = &a->language;
	size_t n = search.where.n + l->pairs_n, made = 0;
	const char **v = calloc(n + 1, sizeof(*v));
	struct ai_opt_list where = { v, n };
	struct ai_buf *pairs = calloc(l->pairs_n + 1, sizeof(*pairs));
	int rc = v == NULL || pairs == NULL ? ai_err_nomem(err) : 0;

	if (rc == 0 && search.where.n > 0)
		memcpy(v, search.where.v, search.where.n * sizeof(*v));
	for (size_t i = 0; i < l->pairs_n && rc == 0; i++) {
		ai_buf_init(&pairs[made++], 1 << 16);
		rc = put_pair(ix, &l->pairs[i], &pairs[i]);
		v[search.where.n + i] = ai_buf_cstr(&pairs[i]);
		if (rc < 0)
			ai_buf_check(&pairs[i], "the query", err);
	}
	if (rc == 0)
		rc = search_filter_init(f, ix, &where, err);
	for (size_t i = 0; i < made; i++)
		ai_buf_release(&pairs[i]);
	free(pairs);
	free(v);
	return rc;
}

static void count_bits(struct search_filter *f)
{
	f->count = 0;
	for (int64_t i = 0; i < (f->size + 7) / 8; i++)
		f->count += __builtin_popcount(f->bits[i]);
}

/* Words that must be there, or must not, count for both legs. */
static int restrict_words(const struct search_asked *a, struct search_index *ix,
			  struct search_filter *f, struct ai_err *err)
{
	struct search_filter scope;
	const struct search_filter *in = search_scope(ix, f, &scope);
	size_t bytes = (size_t)(ix->info.next + 7) / 8;
	bool any = false;

	for (size_t i = 0; i < a->words.clauses_n; i++)
		any |= a->words.clauses[i].not || a->words.clauses[i].must;
	if (!any)
		return 0;
	if (f->bits == NULL) {
		f->bits = malloc(bytes);
		if (f->bits == NULL)
			return ai_err_nomem(err);
		f->size = ix->info.next;
		if (in == NULL)
			memset(f->bits, 0xFF, bytes);
		else
			memcpy(f->bits, in->bits, bytes);
	}
	if (search_words_restrict(&a->words, f->bits, f->size, &any, err) < 0)
		return -1;
	count_bits(f);
	return 0;
}

int search_asked_filter(const struct search_asked *a, struct search_index *ix,
			struct search_filter *f, struct ai_err *err)
{
	if (filter_of(a, ix, f, err) < 0)
		return -1;
	return restrict_words(a, ix, f, err);
}

/* ---- the text --------------------------------------------------------------------- */

/* The query without what it does not want, and without pairs. */
static int put_text(struct search_asked *a, struct ai_span query,
		    struct ai_err *err)
{
	const struct search_language *l = &a->language;

	ai_buf_add(&a->text, query.p, query.n);
	if (ai_buf_check(&a->text, "the query", err) < 0)
		return -1;
	for (size_t i = 0; i < l->clauses_n; i++)
		if (l->clauses[i].not)
			memset(a->text.p + l->places[i].from, ' ',
			       l->places[i].to - l->places[i].from);
	for (size_t i = 0; i < l->pairs_n; i++) {
		const struct search_pair *p = &l->pairs[i];
		size_t from = (size_t)(p->key.p - query.p);

		memset(a->text.p + from, ' ',
		       (size_t)(p->value.p + p->value.n - p->key.p));
	}
	return 0;
}

static int list_parts(struct search_asked *a, const struct search_segments *w,
		      struct ai_err *err)
{
	a->parts = calloc(w->n + 1, sizeof(*a->parts));
	if (a->parts == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		a->parts[i] = (struct search_part){ w->v[i]->words,
						    &w->v[i]->dead };
	a->words.parts = a->parts;
	a->words.parts_n = w->n;
	return 0;
}

int search_asked_read(struct search_asked *a, struct search_index *ix,
		      struct ai_span query, struct ai_err *err)
{
	memset(a, 0, sizeof(*a));
	ai_buf_init(&a->text, SEARCH_TEXT_MAX);
	if (search_language_read(&a->language, ix->analyzer, query, is_key, ix,
				 err) < 0 ||
	    list_parts(a, &ix->files.words, err) < 0 ||
	    put_text(a, query, err) < 0)
		return -1;
	a->words.clauses = a->language.clauses;
	a->words.clauses_n = a->language.clauses_n;
	a->words.min_score = search.min_sparse;
	return search_pairs(a, ix->analyzer, search.phrase_bonus, err);
}

void search_asked_release(struct search_asked *a)
{
	search_language_release(&a->language);
	search_more_release(&a->pairs);
	search_more_release(&a->feedback);
	ai_buf_release(&a->text);
	free(a->parts);
}
