/* formats-write.c: documents for other programs. */
#include "formats.h"

#include "text/vector.h"

static bool is_json(struct ai_span s)
{
	return s.p != NULL && ai_json_check(s.p, s.n, NULL, NULL) == 0;
}

static void put_json(struct ai_buf *b, const char *key, struct ai_span s)
{
	if (!is_json(s))
		return;
	ai_put_key_text(b, key);
	ai_put_raw(b, s.p, s.n);
}

static void put_embed(const struct search_info *i, struct ai_buf *b)
{
	ai_put_key(b, "embed");
	ai_put_open(b, '{');
	ai_put_key(b, "model");
	ai_put_cstr(b, i->model[0] != '\0' ? i->model : NULL);
	ai_put_key(b, "dim");
	ai_put_i64(b, i->dim);
	ai_put_key(b, "norm");
	ai_put_cstr(b, "l2");
	ai_put_close(b, '}');
}

static void put_base64(const struct search_info *i, const float *v,
		       struct ai_buf *b)
{
	ai_put_key(b, "embedding");
	ai_buf_chr(b, '"');
	ai_vector_to_base64(v, (size_t)i->dim, b);
	ai_buf_chr(b, '"');
}

/* ---- what the others have no place for ---------------------------------------------- */

static struct ai_value parse(struct ai_span s)
{
	struct ai_value v;

	if (s.p == NULL || ai_json_check(s.p, s.n, &v, NULL) < 0)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return v;
}

static void put_members(struct ai_value object, bool relationships,
			struct ai_buf *b)
{
	struct ai_value key, val;
	struct ai_json_iter it;

	if (object.kind != AI_OBJECT)
		return;
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &val)) {
		if (!relationships &&
		    ai_json_is(key, AI_SPAN("relationships")) &&
		    val.kind == AI_OBJECT)
			continue;
		ai_put_value(b, key);
		ai_buf_chr(b, ':');
		ai_put_value(b, val);
	}
}

/* metadata, with `source` as others look for it, and the rest of ours. */
static void put_metadata(const struct search_info *i, sqlite3_stmt *st,
			 const float *v, struct ai_buf *b)
{
	bool node = search.format == SEARCH_LLAMAINDEX;
	struct search_id id = search_id_at(st, COL_ID);
	struct ai_value meta = parse(ai_db_span(st, COL_META));
	struct ai_value uri = ai_json_get(parse(ai_db_span(st, COL_SOURCE)),
					  "uri");
	bool foreign = node && ai_json_member(meta, AI_SPAN("relationships"))
		.kind == AI_OBJECT;
	bool named = uri.kind == AI_STRING &&
		ai_json_member(meta, AI_SPAN("source")).kind == AI_NONE;

	ai_put_key(b, "metadata");
	ai_put_open(b, '{');
	put_members(meta, !node, b);
	if (named) {
		ai_put_key(b, "source");
		ai_put_value(b, uri);
	}
	ai_put_key(b, "aiutils");
	ai_put_open(b, '{');
	if (id.number) {
		ai_put_key(b, "id");
		search_put_id(b, id);
	}
	if (named) {
		ai_put_key(b, "named");
		ai_put_bool(b, true);
	}
	/* Which came with it, not from us. */
	if (foreign) {
		ai_put_key(b, "relationships");
		ai_put_bool(b, true);
	}
	put_json(b, "source", ai_db_span(st, COL_SOURCE));
	put_json(b, "chunk", ai_db_span(st, COL_CHUNK));
	if (v != NULL) {
		put_embed(i, b);
		if (!node && search.vectors == NULL)
			put_base64(i, v, b);
	}
	ai_put_close(b, '}');
	ai_put_close(b, '}');
}

/* Others know strings alone. */
static void put_text_id(struct ai_buf *b, const char *key, struct search_id id)
{
	ai_put_key_text(b, key);
	ai_put_str(b, id.s.p, id.s.n);
}

/* ---- the shapes -------------------------------------------------------------------------- */

static void put_native(const struct search_info *i, sqlite3_stmt *st,
		       const float *v, struct ai_buf *b)
{
	struct ai_span text = ai_db_span(st, COL_TEXT);

	ai_put_key(b, "id");
	search_put_id(b, search_id_at(st, COL_ID));
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	put_json(b, "source", ai_db_span(st, COL_SOURCE));
	put_json(b, "chunk", ai_db_span(st, COL_CHUNK));
	put_json(b, "meta", ai_db_span(st, COL_META));
	if (v == NULL)
		return;
	put_embed(i, b);
	if (search.vectors == NULL)
		put_base64(i, v, b);
}

static void put_langchain(const struct search_info *i, sqlite3_stmt *st,
			  const float *v, struct ai_buf *b)
{
	struct ai_span text = ai_db_span(st, COL_TEXT);

	put_text_id(b, "id", search_id_at(st, COL_ID));
	ai_put_key(b, "page_content");
	ai_put_str(b, text.p, text.n);
	put_metadata(i, st, v, b);
	ai_put_key(b, "type");
	ai_put_cstr(b, "Document");
}

static void put_relation(struct ai_buf *b, const char *key, struct ai_span id,
			 const char *type)
{
	ai_put_key_text(b, key);
	ai_put_open(b, '{');
	ai_put_key(b, "node_id");
	ai_put_str(b, id.p, id.n);
	ai_put_key(b, "node_type");
	ai_put_cstr(b, type);
	ai_put_key(b, "metadata");
	ai_put_open(b, '{');
	ai_put_close(b, '}');
	ai_put_key(b, "hash");
	ai_put_null(b);
	ai_put_key(b, "class_name");
	ai_put_cstr(b, "RelatedNodeInfo");
	ai_put_close(b, '}');
}

/* The passage before or behind, if it is there. */
static int put_neighbour(struct search_index *ix, sqlite3_stmt *st, int step,
			 struct ai_buf *b, struct ai_err *err)
{
	int64_t part = sqlite3_column_int64(st, COL_PART);
	struct ai_span uri = ai_db_span(st, COL_URI);
	sqlite3_stmt *other;
	int rc;

	if (uri.p == NULL || part < 0 || part + step < 0)
		return 0;
	if (SEARCH_BIND(ix, SQL_PART, err, "tti", uri, ai_db_span(st, COL_DOC),
			part + step) < 0)
		return -1;
	other = ix->st[SQL_PART];
	rc = ai_db_step(&ix->db, other, err);
	if (rc > 0)
		put_relation(b, step < 0 ? "2" : "3",
			     search_id_at(other, COL_ID).s, "1");
	sqlite3_reset(other);
	return rc < 0 ? -1 : 0;
}

static int put_relationships(struct search_index *ix, sqlite3_stmt *st,
			     struct ai_buf *b, struct ai_err *err)
{
	struct ai_value own = ai_json_member(parse(ai_db_span(st, COL_META)),
					     AI_SPAN("relationships"));
	struct ai_span uri = ai_db_span(st, COL_URI);
	int rc = 0;

	ai_put_key(b, "relationships");
	if (own.kind == AI_OBJECT) {
		ai_put_value(b, own);
		return 0;
	}
	ai_put_open(b, '{');
	if (uri.p != NULL)
		put_relation(b, "1", uri, "4");
	if (put_neighbour(ix, st, -1, b, err) < 0 ||
	    put_neighbour(ix, st, 1, b, err) < 0)
		rc = -1;
	ai_put_close(b, '}');
	return rc;
}

static int put_llamaindex(struct search_index *ix, sqlite3_stmt *st,
			  const float *v, struct ai_buf *b, struct ai_err *err)
{
	struct ai_span text = ai_db_span(st, COL_TEXT);
	int64_t i;

	put_text_id(b, "id_", search_id_at(st, COL_ID));
	ai_put_key(b, "embedding");
	if (v == NULL || search.vectors != NULL) {
		ai_put_null(b);
	} else {
		ai_put_open(b, '[');
		for (i = 0; i < ix->info.dim; i++)
			ai_put_f64(b, v[i]);
		ai_put_close(b, ']');
	}
	put_metadata(&ix->info, st, v, b);
	if (put_relationships(ix, st, b, err) < 0)
		return -1;
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	ai_put_key(b, "mimetype");
	ai_put_cstr(b, "text/plain");
	ai_put_key(b, "class_name");
	ai_put_cstr(b, "TextNode");
	return 0;
}

int search_put_document(struct search_index *ix, sqlite3_stmt *st,
			const float *v, struct ai_buf *b, struct ai_err *err)
{
	int rc = 0;

	if (sqlite3_column_int(st, COL_VECTOR) == 0)
		v = NULL;
	ai_put_open(b, '{');
	if (search.format == SEARCH_LANGCHAIN)
		put_langchain(&ix->info, st, v, b);
	else if (search.format == SEARCH_LLAMAINDEX)
		rc = put_llamaindex(ix, st, v, b, err);
	else
		put_native(&ix->info, st, v, b);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
	return rc;
}
