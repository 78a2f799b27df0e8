/* segments.c: what a reader has open of an index. */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------- */

char *search_file_path(const struct search_index *ix, enum search_file_kind kind,
		       int64_t number)
{
	static const char *const names[][2] = {
		[SEARCH_FILE_WORDS] = { "words", "idx" },
		[SEARCH_FILE_CODES] = { "codes", "idx" },
		[SEARCH_FILE_ROWS] = { "rows", "f32" },
		[SEARCH_FILE_MODEL] = { "model", "emb" },
	};
	char *path = NULL;

	if (asprintf(&path, "%s/%s-%lld.%s", ix->folder, names[kind][0],
		     (long long)number, names[kind][1]) < 0)
		return NULL;
	return path;
}

/* ---- one segment --------------------------------------------------------------- */

void search_segment_free(struct search_segment *s)
{
	if (s == NULL)
		return;
	search_dead_release(&s->dead);
	if (s->kind == SEARCH_FILE_WORDS)
		search_words_close(s->words);
	else
		search_codes_close(&s->codes);
	free(s);
}

int search_segment_open(struct search_index *ix, struct search_segment *s,
			struct ai_err *err)
{
	char *path = search_file_path(ix, s->kind, s->number);
	int rc = 0;

	if (path == NULL)
		return ai_err_nomem(err);
	if (s->kind == SEARCH_FILE_CODES)
		rc = search_codes_open(&s->codes, path, err);
	else if ((s->words = search_words_open(path, err)) == NULL)
		rc = -1;
	free(path);
	/* index.db names it: without it, the index is not whole. */
	if (rc < 0 && err->code == AI_E_OPEN)
		ai_db_damaged(&ix->db, err, "%s-%lld.idx is not there",
			      s->kind == SEARCH_FILE_WORDS ? "words"
							      : "codes",
			      (long long)s->number);
	return rc;
}

int search_segments_put(struct search_segments *all, struct search_segment *s,
			struct ai_err *err)
{
	struct search_segment **v = reallocarray(all->v, all->n + 1,
						 sizeof(*v));

	if (v == NULL)
		return ai_err_nomem(err);
	all->v = v;
	v[all->n++] = s;
	return 0;
}

static void clear(struct search_segments *all)
{
	for (size_t i = 0; i < all->n; i++)
		search_segment_free(all->v[i]);
	free(all->v);
	*all = (struct search_segments){ NULL, 0 };
}

/* ---- all of them ----------------------------------------------------------------- */

void search_files_release(struct search_files *f)
{
	clear(&f->words);
	clear(&f->codes);
	search_rows_close(&f->rows);
	free(f->live);
	memset(f, 0, sizeof(*f));
}

/* Takes the segment with this number out of what was open before. */
static struct search_segment *reuse(struct search_segments *old,
				    int64_t number)
{
	struct search_segment *s;

	for (size_t i = 0; i < old->n; i++) {
		s = old->v[i];
		if (s == NULL || s->number != number)
			continue;
		old->v[i] = NULL;
		return s;
	}
	return NULL;
}

static int load_one(struct search_index *ix, sqlite3_stmt *st,
		    struct search_files *old, struct ai_err *err)
{
	int64_t number = sqlite3_column_int64(st, 0);
	bool words = sqlite3_column_int(st, 1) == SEARCH_FILE_WORDS;
	struct search_segment *s = reuse(words ? &old->words : &old->codes,
					 number);
	bool kept = s != NULL;

	if (!kept)
		s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ai_err_nomem(err);
	s->number = number;
	s->kind = words ? SEARCH_FILE_WORDS : SEARCH_FILE_CODES;
	s->from = sqlite3_column_int64(st, 2);
	s->to = sqlite3_column_int64(st, 3);
	if (!kept && search_segment_open(ix, s, err) < 0) {
		free(s);
		return -1;
	}
	search_dead_release(&s->dead);
	s->dirty = s->fresh = false;
	if ((words && search_dead_read(&s->dead, s->words, ai_db_span(st, 4),
				       err) < 0) ||
	    search_segments_put(words ? &ix->files.words : &ix->files.codes, s,
				err) < 0) {
		search_segment_free(s);
		return -1;
	}
	return 0;
}

/* What index.db says of a file must be what the file says of itself. */
static int check_ranges(struct search_index *ix, struct ai_err *err)
{
	const struct search_files *f = &ix->files;
	const struct search_words_info *w;
	int64_t end = 1;

	for (size_t i = 0; i < f->words.n; i++) {
		const struct search_segment *s = f->words.v[i];

		w = search_words_info(s->words);
		if (s->from < end || s->to > ix->info.next || w->from != s->from ||
		    w->to != s->to ||
		    strcmp(w->analyzer, ix->info.analyzer) != 0)
			return ai_db_damaged(&ix->db, err, "words-%lld.idx "
					     "is of another index",
					     (long long)s->number);
		end = s->to;
	}
	end = 1;
	for (size_t i = 0; i < f->codes.n; i++) {
		const struct search_segment *s = f->codes.v[i];

		if (s->from < end || s->to > ix->info.next ||
		    s->codes.from != s->from || s->codes.to != s->to ||
		    (int64_t)s->codes.dim != ix->info.dim)
			return ai_db_damaged(&ix->db, err, "codes-%lld.idx "
					     "is of another index",
					     (long long)s->number);
		end = s->to;
	}
	return 0;
}

static int load_segments(struct search_index *ix, struct search_files *old,
			 struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_SEGMENTS, err, "") < 0)
		return -1;
	st = ix->st[SQL_SEGMENTS];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0) {
		if (load_one(ix, st, old, err) < 0) {
			sqlite3_reset(st);
			return -1;
		}
	}
	return rc < 0 ? -1 : check_ranges(ix, err);
}

static int load_live(struct search_index *ix, struct ai_err *err)
{
	size_t bytes = (size_t)(ix->info.next + 7) / 8;
	struct ai_span bits;
	sqlite3_stmt *st;
	int64_t block;
	size_t at, n;
	int rc;

	if (ix->info.gone == 0)
		return 0;
	ix->files.live = malloc(bytes);
	if (ix->files.live == NULL)
		return ai_err_nomem(err);
	memset(ix->files.live, 0xFF, bytes);
	if (SEARCH_BIND(ix, SQL_GONE_ALL, err, "") < 0)
		return -1;
	st = ix->st[SQL_GONE_ALL];
	while ((rc = ai_db_step(&ix->db, st, err)) > 0) {
		block = sqlite3_column_int64(st, 0);
		bits = ai_db_span(st, 1);
		if (bits.n != SEARCH_GONE_PER / 8 || block < 0 ||
		    block > ix->info.next / SEARCH_GONE_PER) {
			sqlite3_reset(st);
			return ai_db_damaged(&ix->db, err,
					     "what is deleted makes no sense");
		}
		at = (size_t)block * (SEARCH_GONE_PER / 8);
		n = bytes - at < bits.n ? bytes - at : bits.n;
		for (size_t i = 0; i < n; i++)
			ix->files.live[at + i] &=
				(unsigned char)~(unsigned char)bits.p[i];
	}
	return rc;
}

static int load_rows(struct search_index *ix, struct ai_err *err)
{
	char *path;
	int rc;

	if (ix->info.dim == 0 || ix->info.rows == 0)
		return 0;
	path = search_file_path(ix, SEARCH_FILE_ROWS, ix->info.rows);
	if (path == NULL)
		return ai_err_nomem(err);
	rc = search_rows_open(&ix->files.rows, path, (size_t)ix->info.dim,
			      err);
	free(path);
	/* Row 0 is none.  Without the file, or with one that was cut off, the
	 * vectors would seem to be holes. */
	if (rc == 0 && ix->files.rows.n <= ix->info.vectors &&
	    (ix->files.rows.n == 0 || !ix->rescue))
		return ai_db_damaged(&ix->db, err, "rows-%lld.f32 %s",
				     (long long)ix->info.rows,
				     ix->files.rows.n == 0 ? "is not there"
							   : "is too short");
	return rc;
}

int search_files_load(struct search_index *ix, struct ai_err *err)
{
	struct search_files old = ix->files;
	int rc;

	if (old.generation == ix->info.generation)
		return 0;
	memset(&ix->files, 0, sizeof(ix->files));
	rc = ix->rescue ? 0 : load_segments(ix, &old, err);
	if (rc == 0)
		rc = load_live(ix, err);
	if (rc == 0)
		rc = load_rows(ix, err);
	search_files_release(&old);
	if (rc < 0) {
		search_files_release(&ix->files);
		return -1;
	}
	ix->files.generation = ix->info.generation;
	return 0;
}

/* ---- what is asked of them --------------------------------------------------------- */

struct search_segment *search_words_of(const struct search_files *f, int64_t n)
{
	size_t low = 0, high = f->words.n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (f->words.v[mid]->to <= n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->words.n && f->words.v[low]->from <= n
		? f->words.v[low] : NULL;
}

const struct search_filter *search_scope(const struct search_index *ix,
					 const struct search_filter *f,
					 struct search_filter *scope)
{
	if (f != NULL && f->bits != NULL)
		return f; /* tags are of live rows */
	if (ix->files.live == NULL)
		return NULL;
	*scope = (struct search_filter){
		ix->files.live, ix->info.next,
		ix->info.next - 1 - ix->info.gone,
	};
	return scope;
}
