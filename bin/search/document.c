#include "search.h"

#include "crypt/hash.h"
#include "record/embedding.h"
#include "text/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void search_document_init(struct search_document *d)
{
	memset(d, 0, sizeof(*d));
	ai_buf_init(&d->id, 1 << 16);
	ai_buf_init(&d->text, SEARCH_TEXT_MAX);
	ai_buf_init(&d->uri, 1 << 16);
	ai_buf_init(&d->doc, 1 << 10);
	ai_buf_init(&d->meta, SEARCH_TEXT_MAX);
}

#define KEPT_BYTES ((size_t)1 << 20)

static void clear(struct search_document *d)
{
	ai_buf_clear(&d->id);
	ai_buf_shrink(&d->text, KEPT_BYTES);
	ai_buf_clear(&d->uri);
	ai_buf_clear(&d->doc);
	ai_buf_shrink(&d->meta, KEPT_BYTES);
	free(d->vector);
	d->vector = NULL;
	d->dim = 0;
	d->run = 0;
	d->model[0] = '\0';
}

void search_document_release(struct search_document *d)
{
	clear(d);
	ai_buf_release(&d->id);
	ai_buf_release(&d->text);
	ai_buf_release(&d->uri);
	ai_buf_release(&d->doc);
	ai_buf_release(&d->meta);
}

const char *search_path(void)
{
	return ai_loop.path != NULL ? ai_loop.path : "text";
}

/* ---- ids --------------------------------------------------------------------- */

struct search_id search_document_id(const struct search_document *d)
{
	return (struct search_id){ { ai_buf_cstr(&d->id), d->id.len },
				   d->id_number };
}

struct search_id search_id_at(sqlite3_stmt *st, int column)
{
	return (struct search_id){
		ai_db_span(st, column),
		sqlite3_column_type(st, column) == SQLITE_BLOB,
	};
}

void search_put_id(struct ai_buf *b, struct search_id id)
{
	/* A damaged one is still written as JSON. */
	if (id.number && ai_json_check(id.s.p, id.s.n, NULL, NULL) == 0)
		ai_put_raw(b, id.s.p, id.s.n);
	else
		ai_put_str(b, id.s.p, id.s.n);
}

/* ---- the vector ------------------------------------------------------------- */

static int mismatch(struct ai_err *err, const struct search_info *info,
		    const char *model, size_t dim)
{
	return ai_err_set(err, AI_E_DATA, "the index '%.100s' was built with "
			  "%.80s, %lld dimensions; this embedding is from "
			  "%.80s, %zu dimensions", search.index,
			  info->model[0] != '\0' ? info->model
						 : "an unnamed model",
			  (long long)info->dim,
			  model[0] != '\0' ? model : "an unnamed model", dim);
}

int search_check_model(const struct search_info *info, const char *model,
		       size_t dim, struct ai_err *err)
{
	bool other = info->model[0] != '\0' && model[0] != '\0' &&
		strcmp(info->model, model) != 0;

	if (other || (info->dim > 0 && (size_t)info->dim != dim))
		return mismatch(err, info, model, dim);
	return 0;
}

/* An index that makes its vectors itself, or has none, takes none, and no
 * other one may be taken for such an index. */
static int check_taken(const struct search_info *info, const char *model,
		       struct ai_err *err)
{
	if (search_is_own(info))
		return ai_err_set(err, AI_E_DATA, "the index '%.100s' makes "
				  "its vectors itself, and this record has one "
				  "of %.80s: leave out ai-embed and the member "
				  "'embedding', or make another index",
				  search.index, model[0] != '\0' ? model
				  : "an unnamed model");
	if (strcmp(info->model, SEARCH_NONE) == 0)
		return ai_err_set(err, AI_E_DATA, "the index '%.100s' was made "
				  "with -m none and keeps no vectors, and this "
				  "record has one: leave out ai-embed and the "
				  "member 'embedding', or make another index",
				  search.index);
	if (strcmp(model, SEARCH_OWN) != 0 && strcmp(model, SEARCH_NONE) != 0)
		return 0;
	return ai_err_set(err, AI_E_RECORD, "no embedding is of the model "
			  "'%.20s': that name says what an index does "
			  "itself", model);
}

/* To length 1, unless it has that already but for rounding: adding again
 * what export wrote must change nothing. */
static int scale(float *v, size_t dim, bool may_be_zero, struct ai_err *err)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < dim; i++)
		sum += (double)v[i] * v[i];
	if (!isfinite(sum))
		return ai_err_set(err, AI_E_RECORD, "an embedding is too long "
				  "to be scaled");
	if (sum == 0 && !may_be_zero)
		return ai_err_set(err, AI_E_RECORD, "the embedding is all "
				  "zeros; no cosine can be taken of it");
	if (fabs(sum - 1) > 1e-6)
		ai_vector_normalise(v, dim);
	return 0;
}

/* To local models a text without a word is zeros. */
static bool is_local(const struct search_info *info, const char *model)
{
	return SEARCH_IS_LOCAL(model[0] != '\0' ? model : info->model);
}

int search_read_embedding(const struct ai_rec *rec,
			  const struct search_info *info, char model[200],
			  float **vec, size_t *dim, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, "embedding");
	struct ai_value name = ai_rec_get(rec, "embed.model");
	struct ai_buf b = AI_BUF_INIT(199);
	int rc = -1;

	*vec = NULL;
	model[0] = '\0';
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (name.kind == AI_STRING && ai_json_text(name, &b) < 0)
		ai_buf_check(&b, "the name of a model", err);
	else if (ai_embedding_read_as(v, ai_rec_get(rec, "embed"), vec, dim,
				      err) == 0)
		rc = 0;
	snprintf(model, 200, "%s", ai_buf_cstr(&b));
	ai_buf_release(&b);
	if (rc == 0 && (check_taken(info, model, err) < 0 ||
			search_check_model(info, model, *dim, err) < 0 ||
			scale(*vec, *dim, is_local(info, model), err) < 0)) {
		free(*vec);
		*vec = NULL;
		rc = -1;
	}
	return rc;
}

int search_embed_locally(struct ai_span text, const struct search_info *info,
			 float **vec, size_t *dim, struct ai_err *err)
{
	*dim = info->dim > 0 ? (size_t)info->dim : AI_VECTOR_HASH_DIM;
	*vec = malloc(*dim * sizeof(**vec));
	if (*vec == NULL)
		return ai_err_nomem(err);
	if (ai_vector_hash(text.p, text.n, *dim, *vec, err) == 0)
		return 0;
	free(*vec);
	*vec = NULL;
	return -1;
}

static int read_vector(struct search_document *d, const struct ai_rec *rec,
		       const struct search_info *info, struct ai_err *err)
{
	struct ai_span text = { ai_buf_cstr(&d->text), d->text.len };

	if (search_read_embedding(rec, info, d->model, &d->vector, &d->dim,
				  err) < 0)
		return -1;
	if (d->vector != NULL || info->model[0] == '\0' ||
	    search_is_own(info) || strcmp(info->model, SEARCH_NONE) == 0)
		return 0;
	if (strcmp(info->model, SEARCH_LOCAL) != 0)
		return ai_err_set(err, AI_E_RECORD, "the record has no "
				  "embedding, and the index '%.100s' was built "
				  "with %.80s: put ai-embed -m %.80s before "
				  "ai-search", search.index, info->model,
				  info->model);
	snprintf(d->model, sizeof(d->model), "%s", SEARCH_LOCAL);
	return search_embed_locally(text, info, &d->vector, &d->dim, err);
}

/* ---- metadata ---------------------------------------------------------------- */

bool search_is_member(struct ai_value key)
{
	static const char *const names[] = {
		"id", "custom_id", "text", "source", "chunk", "embed",
		"embedding", "error", "meta", "tokens", "guard", "cost",
		"search", "hits", "completion", "run", "params",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ai_json_is(key, ai_span_of(names[i])))
			return true;
	return ai_json_is(key, ai_span_of(search_path()));
}

static void add_member(struct ai_buf *b, struct ai_value key,
		       struct ai_value val)
{
	ai_put_value(b, key);
	ai_buf_chr(b, ':');
	ai_put_value(b, val);
}

/* The members of `meta`, then those that are nothing of the toolkit's. */
static int read_meta(struct search_document *d, const struct ai_rec *rec,
		     struct ai_err *err)
{
	struct ai_value meta = ai_rec_get(rec, "meta"), key, val;
	struct ai_json_iter it;

	if (meta.kind != AI_NONE && meta.kind != AI_OBJECT &&
	    meta.kind != AI_NULL)
		return ai_err_set(err, AI_E_RECORD,
				  "the member 'meta' is not an object");
	ai_put_open(&d->meta, '{');
	if (meta.kind == AI_OBJECT) {
		ai_json_iter_init(&it, meta);
		while (ai_json_next(&it, &key, &val))
			add_member(&d->meta, key, val);
	}
	ai_json_iter_init(&it, rec->object);
	while (ai_json_next(&it, &key, &val))
		if (!search_is_member(key))
			add_member(&d->meta, key, val);
	ai_put_close(&d->meta, '}');
	if (d->meta.len == 2)
		ai_buf_clear(&d->meta);
	return ai_buf_check(&d->meta, "metadata", err);
}

/* ---- the whole ----------------------------------------------------------------- */

static struct ai_span object_at(const struct ai_rec *rec, const char *name)
{
	struct ai_value v = ai_rec_get(rec, name);

	if (v.kind != AI_OBJECT)
		return (struct ai_span){ NULL, 0 };
	return v.s;
}

static int read_string(const struct ai_rec *rec, const char *path,
		       struct ai_buf *out, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, path);

	if (v.kind == AI_STRING && ai_json_text(v, out) < 0)
		return ai_buf_check(out, path, err);
	return 0;
}

/*
 * The record's own id, else a hash of the payload; with a source also of
 * where it stands, since two files may hold the same passage.
 */
static int read_id(struct search_document *d, const struct ai_rec *rec,
		   struct ai_err *err)
{
	char hex[AI_HASH_HEX];
	struct ai_hash h;
	struct ai_value part = ai_rec_get(rec, "chunk.n");

	enum ai_kind own = ai_rec_id_value(rec).kind;

	d->id_number = own == AI_NUMBER;
	if (own != AI_NONE || d->uri.len == 0) {
		if (ai_rec_id(rec, ai_buf_cstr(&d->text), d->text.len,
			      &d->id) < 0)
			return ai_buf_check(&d->id, "an id", err);
		return 0;
	}
	ai_hash_init(&h);
	ai_hash_add(&h, d->uri.p, d->uri.len + 1);
	ai_hash_add(&h, part.s.p, part.s.n);
	ai_hash_add(&h, "", 1);
	ai_hash_add(&h, ai_buf_cstr(&d->text), d->text.len);
	ai_hash_hex(&h, hex);
	ai_buf_str(&d->id, hex);
	return ai_buf_check(&d->id, "an id", err);
}

/* Which bytes, into how many, by which rule, and where each was cut. */
static int read_version(struct search_document *d, const struct ai_rec *rec,
			struct ai_err *err)
{
	struct ai_value of = ai_rec_get(rec, "chunk.of"),
			whole = ai_rec_get(rec, "chunk.whole");

	/* A part that was cut by itself replaces nothing: the other parts of
	 * its document are no older versions of it. */
	if (whole.kind == AI_BOOL && !ai_json_true(whole))
		return 0;
	d->exact = ai_rec_get(rec, "chunk.cut").kind == AI_STRING;
	if (read_string(rec, "chunk.doc", &d->doc, err) < 0 || d->doc.len == 0)
		return d->doc.bad == AI_E_NONE ? 0 : -1;
	ai_buf_fmt(&d->doc, "/%.*s/", (int)of.s.n, of.s.p == NULL ? "" : of.s.p);
	if (read_string(rec, "chunk.by", &d->doc, err) < 0)
		return -1;
	ai_buf_chr(&d->doc, '/');
	return read_string(rec, "chunk.cut", &d->doc, err);
}

/* ---- the fingerprint ----------------------------------------------------------- */

static void hash_part(struct ai_hash *h, struct ai_span s)
{
	uint64_t n = s.n;
	unsigned char le[8];
	int i;

	for (i = 0; i < 8; i++)
		le[i] = (unsigned char)(n >> 8 * i);
	ai_hash_add(h, le, sizeof(le));
	ai_hash_add(h, s.p == NULL ? "" : s.p, s.n);
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

/* All that is kept of a document. */
struct row {
	struct search_id id;
	struct ai_span uri, doc, source, chunk, meta, text;
	int64_t part;
	const float *vector; /* NULL: none */
	size_t dim;
};

static void hash_row(const struct row *r, unsigned char hash[16])
{
	const struct ai_span vector = {
		(const char *)r->vector,
		r->vector == NULL ? 0 : r->dim * sizeof(float),
	};
	const struct ai_span part = { (const char *)&r->part,
				      sizeof(r->part) };
	char hex[AI_HASH_HEX];
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, r->id.number ? "n" : "s", 1);
	hash_part(&h, r->id.s);
	hash_part(&h, r->uri);
	hash_part(&h, r->doc);
	hash_part(&h, part);
	hash_part(&h, r->source);
	hash_part(&h, r->chunk);
	hash_part(&h, r->meta);
	hash_part(&h, r->text);
	hash_part(&h, vector);
	ai_hash_hex(&h, hex);
	ai_unhex(hex, AI_HASH_HEX - 1, hash);
}

void search_document_hash(struct search_document *d)
{
	const struct row r = {
		.id = search_document_id(d), .uri = span_of(&d->uri),
		.doc = span_of(&d->doc), .source = d->source,
		.chunk = d->chunk, .meta = span_of(&d->meta),
		.text = span_of(&d->text), .part = d->part,
		.vector = d->vector, .dim = d->dim,
	};

	hash_row(&r, d->hash);
}

/* Whether the columns are of the types that were written. */
static bool has_types(sqlite3_stmt *st)
{
	static const enum search_column texts[] = {
		COL_TEXT, COL_SOURCE, COL_CHUNK, COL_META, COL_URI, COL_DOC,
	};
	size_t i;
	int type;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		type = sqlite3_column_type(st, (int)texts[i]);
		if (type != SQLITE_TEXT && type != SQLITE_NULL)
			return false;
	}
	return sqlite3_column_type(st, COL_PART) == SQLITE_INTEGER;
}

static int read_row(struct search_index *ix, sqlite3_stmt *st, float *v,
		    struct row *r, struct ai_err *err)
{
	int64_t n = sqlite3_column_int64(st, COL_N);

	*r = (struct row){
		.id = search_id_at(st, COL_ID),
		.uri = ai_db_span(st, COL_URI), .doc = ai_db_span(st, COL_DOC),
		.source = ai_db_span(st, COL_SOURCE),
		.chunk = ai_db_span(st, COL_CHUNK),
		.meta = ai_db_span(st, COL_META),
		.text = ai_db_span(st, COL_TEXT),
		.part = sqlite3_column_int64(st, COL_PART),
		.dim = (size_t)ix->info.dim,
	};
	if (sqlite3_column_int(st, COL_VECTOR) == 0)
		return 0;
	if (r->dim == 0)
		return ai_db_damaged(&ix->db, err, "document %lld: a vector, "
				     "but the index has none", (long long)n);
	r->vector = v;
	return search_vector_of(ix, n, v, err);
}

int search_check_row(struct search_index *ix, sqlite3_stmt *st, float *v,
		     struct ai_err *err)
{
	struct ai_span kept = ai_db_span(st, COL_HASH);
	unsigned char hash[16];
	struct row r;

	if (read_row(ix, st, v, &r, err) < 0)
		return -1;
	hash_row(&r, hash);
	if (has_types(st) && kept.n == sizeof(hash) &&
	    memcmp(kept.p, hash, kept.n) == 0)
		return 0;
	return ai_db_damaged(&ix->db, err, "document %lld: its checksum is "
			     "wrong",
			     (long long)sqlite3_column_int64(st, COL_N));
}

/* ---- reading ------------------------------------------------------------------- */

int search_document_read(struct search_document *d, const struct ai_rec *rec,
			 const struct search_info *info, struct ai_err *err)
{
	clear(d);
	d->empty = ai_rec_is_empty(rec);
	/* At once, where growing would take half as much again. */
	ai_buf_reserve(&d->text, ai_rec_get(rec, search_path()).s.n);
	if ((!d->empty &&
	     ai_rec_text(rec, search_path(), &d->text, err) < 0) ||
	    read_string(rec, "source.uri", &d->uri, err) < 0 ||
	    read_version(d, rec, err) < 0 ||
	    read_id(d, rec, err) < 0 || read_meta(d, rec, err) < 0)
		return -1;
	d->source = object_at(rec, "source");
	d->chunk = object_at(rec, "chunk");
	if (ai_json_i64(ai_rec_get(rec, "chunk.of"), &d->of) < 0)
		d->of = -1;
	if (ai_json_i64(ai_rec_get(rec, "chunk.n"), &d->part) < 0)
		d->part = -1;
	if (d->empty)
		return 0;
	if (read_vector(d, rec, info, err) < 0)
		return -1;
	search_document_hash(d);
	return 0;
}
