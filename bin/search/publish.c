/*
 * publish.c: the files that a transaction adds.
 *
 * Words come as one new file a transaction, vectors at the end of rows-N.f32.
 * Small files are merged into larger ones: while a writer goes on, eight of
 * about a size; at its end, from the first on that is no larger than all behind
 * it.  So a document is rewritten a number of times that grows with the logarithm of
 * the index, and a query opens few files.
 */
#include "search.h"

#include "text/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GONE_PER SEARCH_GONE_PER
#define KINDS SEARCH_FILE_KINDS
#define FAN 8                            /* files of a size that are merged */
#define WORDS_BYTES ((size_t)16 << 20)   /* of texts, for a file of words */
#define CODES_BATCH 65536                /* rows, while more are to come */
#define SMALL 512                        /* rows: cheaper merged than opened */

/* ---- lists ------------------------------------------------------------------- */

static int put_number(int64_t **v, size_t *n, int64_t number,
		      struct ai_err *err)
{
	int64_t *more = reallocarray(*v, *n + 1, sizeof(**v));

	if (more == NULL)
		return ai_err_nomem(err);
	*v = more;
	more[(*n)++] = number;
	return 0;
}

static struct search_gone *put_gone(struct search_pending *p, int64_t n)
{
	size_t cap = p->gone_cap == 0 ? 64 : p->gone_cap * 2;
	struct search_gone *v;

	if (p->gone_n == p->gone_cap) {
		v = reallocarray(p->gone, cap, sizeof(*v));
		if (v == NULL)
			return NULL;
		p->gone = v;
		p->gone_cap = cap;
	}
	v = &p->gone[p->gone_n++];
	*v = (struct search_gone){ .n = n };
	return v;
}

static void free_texts(struct search_gone *g)
{
	free(g->text);
	free(g->source);
	free(g->meta);
	g->text = g->source = g->meta = NULL;
}

static void clear_gone(struct search_pending *p)
{
	for (size_t i = 0; i < p->gone_n; i++)
		free_texts(&p->gone[i]);
	p->gone_n = 0;
}

/* ---- vectors that come ---------------------------------------------------------- */

/* The first vector of a transaction opens the file where the last one that
 * was committed ends. */
static int open_rows(struct search_index *ix, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	char *path;
	int rc;

	if (p->rows_open)
		return 0;
	if (ix->info.rows > 0)
		path = search_file_path(ix, SEARCH_FILE_ROWS, ix->info.rows);
	else if (search_new_file(ix, SEARCH_FILE_ROWS, &ix->info.rows, &path,
				 err) < 0)
		return -1;
	if (path == NULL)
		return ai_err_nomem(err);
	rc = search_rows_writer_open(&p->rows, path, (size_t)ix->info.dim,
				     p->base, err);
	p->rows_open = rc == 0;
	free(path);
	return rc;
}

int search_pending_vector(struct search_index *ix, int64_t n, const float *v,
			  struct ai_err *err)
{
	if (ai_vector_is_zero(v, (size_t)ix->info.dim))
		return 0;
	if (open_rows(ix, err) < 0 ||
	    search_rows_add(&ix->pending.rows, n, v, err) < 0 ||
	    search_mean_add(ix, v, 1, err) < 0)
		return -1;
	ix->info.vectors++;
	return 0;
}

/* ---- documents that go ----------------------------------------------------------- */

static int bury(struct search_index *ix, int64_t n, struct ai_span text,
		struct ai_span source, struct ai_span meta, struct ai_err *err)
{
	struct search_segment *s = search_words_of(&ix->files, n);
	struct search_fields f;
	int rc;

	if (s == NULL)
		return ai_db_damaged(&ix->db, err, "document %lld: no file "
				     "has its words", (long long)n);
	ix->info.tokens += s->dead.tokens;
	rc = search_fields_of(&f, ix->info.boost, text, source, meta, err);
	if (rc == 0)
		rc = search_dead_add(&s->dead, s->words, ix->analyzer, n, f.v,
				     f.n, err);
	search_fields_release(&f);
	ix->info.tokens -= s->dead.tokens;
	s->dirty = true;
	return rc;
}

static char *copy_of(struct ai_span s, size_t *n)
{
	char *p = malloc(s.n + 1);

	*n = s.p == NULL ? 0 : s.n;
	if (p != NULL && *n > 0)
		memcpy(p, s.p, *n);
	return p;
}

int search_pending_remove(struct search_index *ix, int64_t n,
			  struct ai_span text, struct ai_span source,
			  struct ai_span meta, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	struct search_gone *g = put_gone(p, n);

	if (g == NULL)
		return ai_err_nomem(err);
	if (p->from == 0 || n < p->from)
		return bury(ix, n, text, source, meta, err);
	/* It is in no file yet: once it is, it is dead in there. */
	g->text = copy_of(text, &g->text_n);
	g->source = copy_of(source, &g->source_n);
	g->meta = copy_of(meta, &g->meta_n);
	if (g->text == NULL || g->source == NULL || g->meta == NULL)
		return ai_err_nomem(err);
	return 0;
}

/* ---- files of words ---------------------------------------------------------------- */

static int64_t rows_of(const struct search_segment *s)
{
	return s->kind == SEARCH_FILE_CODES
		? s->codes.count
		: search_words_info(s->words)->count - s->dead.rows;
}

int search_new_file(struct search_index *ix, enum search_file_kind kind,
		    int64_t *number, char **path, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;

	*number = ix->info.files++;
	*path = search_file_path(ix, kind, *number);
	if (*path == NULL)
		return ai_err_nomem(err);
	if (put_number(&p->made, &p->made_n, *number * KINDS + (int64_t)kind,
		       err) == 0)
		return 0;
	free(*path);
	*path = NULL;
	return -1;
}

int search_retire(struct search_index *ix, enum search_file_kind kind,
		  int64_t number, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;

	return number == 0 ? 0 :
		put_number(&p->old, &p->old_n, number * KINDS + (int64_t)kind,
			   err);
}

/* The file with the next number; what makes it is the caller's. */
static struct search_segment *new_segment(struct search_index *ix,
					  enum search_file_kind kind,
					  int64_t from, int64_t to,
					  char **path, struct ai_err *err)
{
	struct search_segment *s = calloc(1, sizeof(*s));

	*path = NULL;
	if (s == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	s->kind = kind;
	s->from = from;
	s->to = to;
	s->fresh = true;
	if (search_new_file(ix, kind, &s->number, path, err) == 0)
		return s;
	free(s);
	return NULL;
}

static int bury_pending(struct search_index *ix, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	int rc = 0;

	for (size_t i = 0; i < p->gone_n && rc == 0; i++) {
		struct search_gone *g = &p->gone[i];

		if (g->text == NULL || (p->from > 0 && g->n >= p->from))
			continue;
		rc = bury(ix, g->n, (struct ai_span){ g->text, g->text_n },
			  (struct ai_span){ g->source, g->source_n },
			  (struct ai_span){ g->meta, g->meta_n }, err);
		free_texts(g);
	}
	return rc;
}

/* Opens the file that the indexer has been writing, if there is one. */
static int open_written(struct search_index *ix, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	struct search_segment *s = p->written;

	if (s == NULL)
		return 0;
	p->written = NULL;
	if (search_indexer_wait(p->indexer, err) < 0 ||
	    search_segment_open(ix, s, err) < 0 ||
	    search_segments_put(&ix->files.words, s, err) < 0) {
		search_segment_free(s);
		return -1;
	}
	ix->info.tokens += search_words_info(s->words)->tokens;
	p->from = search_indexer_rows(p->indexer) > 0 ? s->to : 0;
	return bury_pending(ix, err);
}

/* Has the indexer write a file of what it has, up to row to. */
static int write_words(struct search_index *ix, int64_t to, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	char *path;
	int rc;

	if (open_written(ix, err) < 0)
		return -1;
	if (p->indexer == NULL || search_indexer_rows(p->indexer) == 0)
		return 0;
	p->written = new_segment(ix, SEARCH_FILE_WORDS, p->from, to, &path,
				 err);
	if (p->written == NULL)
		return -1;
	rc = search_indexer_write(p->indexer, path, p->from, to, err);
	free(path);
	return rc;
}

static int flush_words(struct search_index *ix, struct ai_err *err)
{
	return write_words(ix, ix->info.next, err) < 0 ? -1
		: open_written(ix, err);
}

static int add_words(struct search_index *ix, int64_t n, struct ai_span text,
		     struct ai_span source, struct ai_span meta,
		     struct ai_err *err)
{
	struct search_pending *p = &ix->pending;

	if (p->indexer == NULL &&
	    (p->indexer = search_indexer_new(ix->analyzer, ix->info.boost,
					     ix->own.threads > 1, err)) == NULL)
		return -1;
	if (p->from == 0)
		p->from = n;
	if (search_indexer_add(p->indexer, n, text, source, meta, err) < 0)
		return -1;
	return search_indexer_bytes(p->indexer) < WORDS_BYTES ? 0 :
		write_words(ix, n + 1, err);
}

int search_pending_add(struct search_index *ix, int64_t n, struct ai_span text,
		       struct ai_span source, struct ai_span meta,
		       const float *vector, struct ai_err *err)
{
	if (add_words(ix, n, text, source, meta, err) < 0)
		return -1;
	return vector == NULL ? 0 : search_pending_vector(ix, n, vector, err);
}

/* ---- merging --------------------------------------------------------------------- */

/* Takes segments [at, end) out; their files go once the transaction is done. */
static int drop(struct search_index *ix, struct search_segments *all,
		size_t at, size_t end, struct ai_err *err)
{
	if (at == end)
		return 0; /* all->v may be NULL */
	for (size_t i = at; i < end; i++) {
		struct search_segment *s = all->v[i];

		if (search_retire(ix, s->kind, s->number, err) < 0 ||
		    SEARCH_BIND(ix, SQL_SEGMENT_DROP, err, "i",
				s->number) < 0 ||
		    ai_db_run(&ix->db, ix->st[SQL_SEGMENT_DROP], err) < 0)
			return -1;
	}
	for (size_t i = at; i < end; i++)
		search_segment_free(all->v[i]);
	memmove(all->v + at, all->v + end, (all->n - end) * sizeof(*all->v));
	all->n -= end - at;
	return 0;
}

/* Puts s, opened, in the place of [at, end). */
static int replace(struct search_index *ix, struct search_segments *all,
		   size_t at, size_t end, struct search_segment *s,
		   struct ai_err *err)
{
	if (search_segments_put(all, s, err) < 0) {
		search_segment_free(s);
		return -1;
	}
	/* It belongs before what follows end. */
	memmove(all->v + end + 1, all->v + end,
		(all->n - 1 - end) * sizeof(*all->v));
	all->v[end] = s;
	return drop(ix, all, at, end, err);
}

static int merge_words(struct search_index *ix, size_t at, size_t end,
		       struct ai_err *err)
{
	struct search_segments *all = &ix->files.words;
	struct search_part *parts = calloc(end - at, sizeof(*parts));
	struct search_segment *s = NULL;
	int64_t rows = 0;
	char *path = NULL;
	int rc = -1;

	if (parts == NULL)
		return ai_err_nomem(err);
	for (size_t i = at; i < end; i++) {
		parts[i - at].words = all->v[i]->words;
		parts[i - at].dead = &all->v[i]->dead;
		rows += rows_of(all->v[i]);
	}
	if (rows == 0) {
		free(parts);
		return drop(ix, all, at, end, err);
	}
	s = new_segment(ix, SEARCH_FILE_WORDS, all->v[at]->from,
			all->v[end - 1]->to, &path, err);
	if (s != NULL)
		rc = search_words_merge(parts, end - at, path, s->from, s->to,
					err);
	free(path);
	free(parts);
	if (rc == 0)
		rc = search_segment_open(ix, s, err);
	if (rc == 0)
		return replace(ix, all, at, end, s, err);
	search_segment_free(s);
	return -1;
}

/* Where the files begin that are to be merged into one; all->n: none. */
static size_t merge_from(const struct search_segments *all, bool last)
{
	size_t at = all->n, from = all->n;
	int64_t sum, least;

	if (all->n < 2)
		return all->n;
	sum = least = rows_of(all->v[--at]);
	if (last) {
		/* The first one that is no larger than all behind it. */
		for (; at > 0; sum += rows_of(all->v[--at]))
			if (rows_of(all->v[at - 1]) <= sum ||
			    rows_of(all->v[at - 1]) < SMALL)
				from = at - 1;
		return from;
	}
	while (at > 0 && all->n - at < FAN &&
	       rows_of(all->v[at - 1]) < least * FAN)
		at--;
	return all->n - at < FAN ? all->n : at;
}

/* Half of what is read for nothing is too much. */
static int drop_dead(struct search_index *ix, struct ai_err *err)
{
	struct search_segments *all = &ix->files.words;

	for (size_t i = 0; i < all->n; i++) {
		struct search_segment *s = all->v[i];

		if (s->dead.rows * 2 > search_words_info(s->words)->count) {
			if (merge_words(ix, i, i + 1, err) < 0)
				return -1;
			i--;
		}
	}
	return 0;
}

static int tidy_words(struct search_index *ix, bool last, struct ai_err *err)
{
	size_t at;

	if (drop_dead(ix, err) < 0)
		return -1;
	at = merge_from(&ix->files.words, last);
	if (at == ix->files.words.n)
		return 0;
	return merge_words(ix, at, ix->files.words.n, err);
}

/* ---- files of codes ----------------------------------------------------------------- */

/* Codes of the rows [from, to), in the place of segments [at, end). */
static int make_codes(struct search_index *ix, int64_t from, int64_t to,
		      size_t at, size_t end, struct ai_err *err)
{
	struct search_segments *all = &ix->files.codes;
	const struct search_codes **parts = calloc(end - at + 1,
						   sizeof(*parts));
	struct search_filter scope;
	struct search_codes_plan plan = {
		.rows = &ix->files.rows, .from = from, .to = to,
		.live = search_scope(ix, NULL, &scope), .parts = parts,
		.parts_n = end - at, .sample = -1,
		.like = at == end && at > 0 ? &all->v[at - 1]->codes : NULL,
	};
	struct search_segment *s = NULL;
	char *path = NULL;
	int rc = -1;

	if (parts == NULL)
		return ai_err_nomem(err);
	for (size_t i = at; i < end; i++)
		parts[i - at] = &all->v[i]->codes;
	s = new_segment(ix, SEARCH_FILE_CODES, from, to, &path, err);
	if (s != NULL)
		rc = search_codes_build(path, &plan, err);
	free(path);
	free(parts);
	if (rc < 0 && s != NULL && err->code == AI_E_USAGE) {
		/* All of these rows are gone. */
		free(s);
		ix->pending.made_n--;
		return drop(ix, all, at, end, err);
	}
	if (rc == 0)
		rc = search_segment_open(ix, s, err);
	if (rc == 0)
		return replace(ix, all, at, end, s, err);
	search_segment_free(s);
	return -1;
}

static bool is_large(const struct search_index *ix)
{
	return ix->info.vectors * ix->info.dim > SEARCH_EXACT_FLOATS;
}

static int tidy_codes(struct search_index *ix, bool last, struct ai_err *err)
{
	struct search_segments *all = &ix->files.codes;
	int64_t from = all->n > 0 ? all->v[all->n - 1]->to : 1;
	int64_t least = last ? SEARCH_CODES_MIN : CODES_BATCH;
	size_t at;

	if (!is_large(ix) || ix->info.next - from < least)
		return 0;
	if (make_codes(ix, from, ix->info.next, all->n, all->n, err) < 0)
		return -1;
	at = merge_from(all, last);
	if (at == all->n)
		return 0;
	return make_codes(ix, all->v[at]->from, all->v[all->n - 1]->to, at,
			  all->n, err);
}

bool search_wants_tidying(const struct search_index *ix)
{
	const struct search_segments *w = &ix->files.words,
				     *c = &ix->files.codes;
	int64_t from = c->n > 0 ? c->v[c->n - 1]->to : 1;

	return search_own_is_due(ix, true) ||
	       merge_from(w, true) < w->n || merge_from(c, true) < c->n ||
	       (is_large(ix) && ix->info.next - from >= SEARCH_CODES_MIN);
}

/* ---- vectors ---------------------------------------------------------------------- */

/* On the disk, and to be read by who makes codes of them. */
static int flush_rows(struct search_index *ix, bool sync, struct ai_err *err)
{
	struct search_rows rows;
	char *path;
	int rc;

	if (!ix->pending.rows_open)
		return 0;
	if (search_rows_flush(&ix->pending.rows, sync, err) < 0)
		return -1;
	path = search_file_path(ix, SEARCH_FILE_ROWS, ix->info.rows);
	if (path == NULL)
		return ai_err_nomem(err);
	rc = search_rows_open(&rows, path, (size_t)ix->info.dim, err);
	free(path);
	if (rc < 0)
		return -1;
	search_rows_close(&ix->files.rows);
	ix->files.rows = rows;
	return 0;
}

int search_vector_of(struct search_index *ix, int64_t n, float *v,
		     struct ai_err *err)
{
	size_t bytes = (size_t)ix->info.dim * sizeof(*v);
	const float *row;

	if (n >= ix->pending.base && flush_rows(ix, false, err) < 0)
		return -1;
	row = search_rows_at(&ix->files.rows, n, v);
	if (row == NULL)
		memset(v, 0, bytes);
	else if (row != v)
		memcpy(v, row, bytes);
	return 0;
}

/* ---- index.db ---------------------------------------------------------------------- */

static int save_segment(struct search_index *ix, struct search_segment *s,
			struct ai_err *err)
{
	struct ai_buf dead = AI_BUF_INIT((size_t)1 << 30);
	struct ai_span blob = { NULL, 0 };
	int rc = 0;

	if (s->kind == SEARCH_FILE_WORDS && s->dead.rows > 0) {
		rc = search_dead_put(&s->dead, &dead);
		blob = (struct ai_span){ dead.p, dead.len };
		if (rc < 0)
			ai_buf_check(&dead, "what is deleted", err);
	}
	if (rc == 0)
		rc = SEARCH_BIND(ix, SQL_SEGMENT_PUT, err, "iiiib", s->number,
				 (int64_t)s->kind, s->from, s->to, blob);
	if (rc == 0)
		rc = ai_db_run(&ix->db, ix->st[SQL_SEGMENT_PUT], err);
	ai_buf_release(&dead);
	s->fresh = s->dirty = false;
	return rc;
}

static int save_segments(struct search_index *ix, struct search_segments *all,
			 struct ai_err *err)
{
	for (size_t i = 0; i < all->n; i++)
		if ((all->v[i]->fresh || all->v[i]->dirty) &&
		    save_segment(ix, all->v[i], err) < 0)
			return -1;
	return 0;
}

static int by_row(const void *a, const void *b)
{
	const struct search_gone *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

static int load_gone(struct search_index *ix, int64_t block,
		     unsigned char bits[GONE_PER / 8], struct ai_err *err)
{
	struct ai_span s;
	int rc;

	memset(bits, 0, GONE_PER / 8);
	if (SEARCH_BIND(ix, SQL_GONE_GET, err, "i", block) < 0)
		return -1;
	rc = ai_db_step(&ix->db, ix->st[SQL_GONE_GET], err);
	if (rc <= 0)
		return rc;
	s = ai_db_span(ix->st[SQL_GONE_GET], 0);
	if (s.n == GONE_PER / 8)
		memcpy(bits, s.p, s.n);
	sqlite3_reset(ix->st[SQL_GONE_GET]);
	return s.n == GONE_PER / 8 ? 0 :
		ai_db_damaged(&ix->db, err, "what is deleted makes no sense");
}

static int save_gone(struct search_index *ix, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	unsigned char bits[GONE_PER / 8];
	struct ai_span s = { (const char *)bits, sizeof(bits) };
	int64_t block;

	if (p->gone_n == 0)
		return 0;
	qsort(p->gone, p->gone_n, sizeof(*p->gone), by_row);
	for (size_t i = 0; i < p->gone_n;) {
		block = p->gone[i].n / GONE_PER;
		if (load_gone(ix, block, bits, err) < 0)
			return -1;
		for (; i < p->gone_n && p->gone[i].n / GONE_PER == block; i++)
			bits[p->gone[i].n % GONE_PER / 8] |=
				(unsigned char)(1 << p->gone[i].n % 8);
		if (SEARCH_BIND(ix, SQL_GONE_PUT, err, "ib", block, s) < 0 ||
		    ai_db_run(&ix->db, ix->st[SQL_GONE_PUT], err) < 0)
			return -1;
	}
	ix->info.gone += (int64_t)p->gone_n;
	return 0;
}

/* The names of the files are on the disk before index.db says them. */
static int sync_folder(struct search_index *ix, struct ai_err *err)
{
	int fd, rc;

	fd = open(ix->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : fsync(fd);
	if (rc < 0)
		ai_err_sys(err, AI_E_IO, errno, "cannot sync the folder "
			   "'%.200s'", ix->folder);
	if (fd >= 0)
		close(fd);
	return rc;
}

int search_publish(struct search_index *ix, bool last, struct ai_err *err)
{
	struct search_pending *p = &ix->pending;
	bool rows = p->rows_open;

	if (flush_words(ix, err) < 0 ||
	    (search_own_is_due(ix, last) ? search_own_fit(ix, err)
					 : search_own_flush(ix, err)) < 0 ||
	    flush_rows(ix, true, err) < 0)
		return -1;
	if (p->gone_n == 0 && p->made_n == 0 && !last && !ix->untidy)
		return 0;
	if (tidy_words(ix, last, err) < 0 || tidy_codes(ix, last, err) < 0 ||
	    save_segments(ix, &ix->files.words, err) < 0 ||
	    save_segments(ix, &ix->files.codes, err) < 0 ||
	    save_gone(ix, err) < 0 || search_mean_save(ix, err) < 0)
		return -1;
	ix->untidy = search_wants_tidying(ix);
	ix->info.generation++;
	return (p->made_n > 0 || rows) && sync_folder(ix, err) < 0 ? -1 : 0;
}

/* ---- all anew ----------------------------------------------------------------- */

int search_new_rows(struct search_index *ix, struct ai_err *err)
{
	struct search_segments *c = &ix->files.codes;

	if (search_retire(ix, SEARCH_FILE_ROWS, ix->info.rows, err) < 0 ||
	    drop(ix, c, 0, c->n, err) < 0)
		return -1;
	if (ix->pending.rows_open)
		search_rows_writer_close(&ix->pending.rows);
	ix->pending.rows_open = false;
	ix->pending.base = 1;
	ix->info.rows = 0;
	ix->info.vectors = 0;
	return search_mean_clear(ix, err);
}

/* The vectors that are not gone, each at its place, in another file. */
static int copy_rows(struct search_index *ix, struct ai_err *err)
{
	struct search_rows from = ix->files.rows;
	struct search_filter scope;
	const struct search_filter *live = search_scope(ix, NULL, &scope);
	float *spare = malloc(((size_t)ix->info.dim + 1) * sizeof(*spare));
	const float *v;
	int rc;

	if (spare == NULL)
		return ai_err_nomem(err);
	memset(&ix->files.rows, 0, sizeof(ix->files.rows));
	rc = search_new_rows(ix, err);
	for (int64_t n = 1; n < ix->info.next && rc == 0; n++) {
		v = live == NULL || search_filter_has(live, n)
			? search_rows_at(&from, n, spare) : NULL;
		if (v != NULL && !search_rows_is_whole(v, (size_t)ix->info.dim))
			rc = search_rows_damaged(&from, n, err);
		else if (v != NULL)
			rc = search_pending_vector(ix, n, v, err);
	}
	search_rows_close(&from);
	free(spare);
	return rc < 0 ? -1 : flush_rows(ix, true, err);
}

int search_compact_files(struct search_index *ix, struct ai_err *err)
{
	struct search_segments *w = &ix->files.words, *c = &ix->files.codes;
	bool dead = ix->info.gone > 0;

	if ((w->n > 1 || (w->n == 1 && w->v[0]->dead.rows > 0)) &&
	    merge_words(ix, 0, w->n, err) < 0)
		return -1;
	if (dead && ix->info.rows > 0 && copy_rows(ix, err) < 0)
		return -1;
	if (!is_large(ix) && c->n > 0 && drop(ix, c, 0, c->n, err) < 0)
		return -1;
	if (is_large(ix) && (dead || c->n != 1 || c->v[0]->to < ix->info.next) &&
	    make_codes(ix, 1, ix->info.next, 0, c->n, err) < 0)
		return -1;
	/* No file knows of them any more. */
	ix->info.gone = 0;
	return ai_db_exec(&ix->db, "DELETE FROM gone", err);
}

/* ---- the end of a transaction --------------------------------------------------------- */

static void remove_files(struct search_index *ix, const int64_t *numbers,
			 size_t n)
{
	char *path;

	for (size_t i = 0; i < n; i++) {
		path = search_file_path(ix, numbers[i] % KINDS,
					numbers[i] / KINDS);
		if (path != NULL)
			unlink(path);
		free(path);
	}
}

static void end(struct search_index *ix)
{
	struct search_pending *p = &ix->pending;

	if (p->rows_open)
		search_rows_writer_close(&p->rows);
	p->rows_open = false;
	clear_gone(p);
	p->from = 0;
	p->made_n = p->old_n = 0;
	/* The next transaction looks anew: rows were added. */
	ix->files.generation = 0;
}

void search_published(struct search_index *ix)
{
	remove_files(ix, ix->pending.old, ix->pending.old_n);
	end(ix);
}

void search_unpublish(struct search_index *ix)
{
	struct search_pending *p = &ix->pending;

	search_indexer_free(p->indexer);
	p->indexer = NULL;
	search_segment_free(p->written);
	p->written = NULL;
	search_texts_clear(&ix->own.texts);
	remove_files(ix, p->made, p->made_n);
	end(ix);
	search_files_release(&ix->files);
	search_mean_forget(ix);
}

void search_pending_release(struct search_index *ix)
{
	struct search_pending *p = &ix->pending;

	search_indexer_free(p->indexer);
	search_segment_free(p->written);
	clear_gone(p);
	free(p->gone);
	free(p->made);
	free(p->old);
	memset(p, 0, sizeof(*p));
}

/* ---- what was left behind -------------------------------------------------------------- */

/* The number in the name of one of our files; -1: another's. */
static int64_t number_of(const char *name, const char *before,
			 const char *behind)
{
	size_t n = strlen(before);
	char *end;
	long long number;

	if (strncmp(name, before, n) != 0 || name[n] < '0' || name[n] > '9')
		return -1;
	number = strtoll(name + n, &end, 10);
	return strcmp(end, behind) == 0 ? number : -1;
}

static bool is_named(const struct search_segments *all, int64_t number)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i]->number == number)
			return true;
	return false;
}

static bool is_orphan(const struct search_index *ix, const char *name)
{
	int64_t n;

	if ((n = number_of(name, "words-", ".idx")) >= 0)
		return !is_named(&ix->files.words, n);
	if ((n = number_of(name, "codes-", ".idx")) >= 0)
		return !is_named(&ix->files.codes, n);
	if ((n = number_of(name, "rows-", ".f32")) >= 0)
		return n != ix->info.rows;
	if ((n = number_of(name, "model-", ".emb")) >= 0)
		return n != ix->info.fit;
	return false;
}

void search_remove_orphans(struct search_index *ix)
{
	DIR *d = opendir(ix->folder);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (is_orphan(ix, e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}
