#include "search.h"

#include "text/stop.h"

#include <stdlib.h>
#include <string.h>

struct search_tokenizer {
	fts5_tokenizer how;
	Fts5Tokenizer *it;
};

/* The way to FTS5's tokenizers that its documentation gives. */
static fts5_api *fts5_api_of(struct search_index *ix)
{
	sqlite3_stmt *st = NULL;
	fts5_api *api = NULL;

	if (sqlite3_prepare_v2(ix->db.h, "SELECT fts5(?1)", -1, &st, NULL) ==
	    SQLITE_OK) {
		sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
		sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return api;
}

int search_tokenizer_open(struct search_index *ix, struct ai_err *err)
{
	/* As in the schema. */
	const char *args[] = { "unicode61", "remove_diacritics", "2" };
	fts5_api *api = fts5_api_of(ix);
	struct search_tokenizer *t;
	void *context;

	if (api == NULL)
		return ai_err_set(err, AI_E_CONFIG,
				  "this machine's SQLite has no FTS5");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ai_err_nomem(err);
	ix->tokenizer = t;
	if (api->xFindTokenizer(api, "porter", &context, &t->how) != SQLITE_OK ||
	    t->how.xCreate(context, args, 3, &t->it) != SQLITE_OK)
		return ai_err_set(err, AI_E_CONFIG, "this machine's SQLite "
				  "has no Porter stemmer");
	return 0;
}

void search_tokenizer_close(struct search_index *ix)
{
	if (ix->tokenizer == NULL)
		return;
	if (ix->tokenizer->it != NULL)
		ix->tokenizer->how.xDelete(ix->tokenizer->it);
	free(ix->tokenizer);
	ix->tokenizer = NULL;
}

typedef int (*search_token_fn)(void *, int, const char *, int, int, int);

static int tokenize(struct search_index *ix, int flags, struct ai_span text,
		    void *arg, search_token_fn each, struct ai_err *err)
{
	struct search_tokenizer *t = ix->tokenizer;
	int rc;

	if (text.n > SEARCH_TEXT_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "a text of %zu bytes",
				  text.n);
	if (text.n == 0)
		return 0;
	rc = t->how.xTokenize(t->it, arg, flags, text.p, (int)text.n, each);
	if (rc != SQLITE_OK)
		return ai_err_nomem(err);
	return 0;
}

static int count_one(void *arg, int flags, const char *token, int n, int start,
		     int end)
{
	int64_t *count = arg;

	(void)token;
	(void)n;
	(void)start;
	(void)end;
	*count += !(flags & FTS5_TOKEN_COLOCATED);
	return SQLITE_OK;
}

int search_count_terms(struct search_index *ix, struct ai_span text,
		       int64_t *count, struct ai_err *err)
{
	*count = 0;
	return tokenize(ix, FTS5_TOKENIZE_DOCUMENT, text, count, count_one,
			err);
}

/* ---- the terms of a query ------------------------------------------------ */

struct collect {
	struct ai_span query;
	struct search_terms *terms;
	bool keep_stop;
};

/* The word as it stands in the query, before it was stemmed. */
static bool is_stop(struct ai_span query, int start, int end)
{
	char word[16];
	int i, n = end - start;

	if (start < 0 || n <= 0 || (size_t)end > query.n ||
	    n > (int)sizeof(word))
		return false;
	for (i = 0; i < n; i++) {
		char c = query.p[start + i];

		word[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return ai_stop_word(word, (size_t)n);
}

static int add_term(struct search_terms *t, const char *token, size_t n)
{
	struct search_term *more;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->v[i].n == n && memcmp(t->v[i].text, token, n) == 0) {
			t->v[i].count++;
			return SQLITE_OK;
		}
	}
	/* A whole document as a query: its first words stand for it. */
	if (t->n == SEARCH_TERMS_MAX)
		return SQLITE_OK;
	more = reallocarray(t->v, t->n + 1, sizeof(*more));
	if (more == NULL)
		return SQLITE_NOMEM;
	t->v = more;
	more[t->n] = (struct search_term){ malloc(n + 1), n, 1 };
	if (more[t->n].text == NULL)
		return SQLITE_NOMEM;
	memcpy(more[t->n].text, token, n);
	more[t->n++].text[n] = '\0';
	return SQLITE_OK;
}

static int collect_one(void *arg, int flags, const char *token, int n,
		       int start, int end)
{
	struct collect *c = arg;

	if (flags & FTS5_TOKEN_COLOCATED)
		return SQLITE_OK;
	if (!c->keep_stop && is_stop(c->query, start, end))
		return SQLITE_OK;
	return add_term(c->terms, token, (size_t)n);
}

int search_terms_of(struct search_index *ix, struct ai_span query,
		    struct search_terms *terms, struct ai_err *err)
{
	struct collect c = { query, terms, false };

	*terms = (struct search_terms){ NULL, 0 };
	if (tokenize(ix, FTS5_TOKENIZE_QUERY, query, &c, collect_one, err) < 0)
		return -1;
	if (terms->n > 0)
		return 0;
	c.keep_stop = true;
	return tokenize(ix, FTS5_TOKENIZE_QUERY, query, &c, collect_one, err);
}

void search_terms_release(struct search_terms *terms)
{
	size_t i;

	for (i = 0; i < terms->n; i++)
		free(terms->v[i].text);
	free(terms->v);
	*terms = (struct search_terms){ NULL, 0 };
}
