/* formats-read.c: other programs' documents as records of ours. */
#include "formats.h"

#include "text/vector.h"

#include <string.h>

bool search_must_convert(void)
{
	return search.format != SEARCH_JSONL || search.vectors != NULL;
}

/* What ours had beside metadata. */
struct own {
	struct ai_value all, id, source, chunk, embed, embedding;
	bool named; /* metadata.source was made of source.uri */
	bool related; /* the node came with relationships */
};

static struct own read_own(struct ai_value metadata)
{
	struct ai_value all = ai_json_member(metadata, AI_SPAN("aiutils"));

	if (all.kind != AI_OBJECT)
		return (struct own){ .all = { AI_NONE, { NULL, 0 } } };
	return (struct own){
		.all = all, .id = ai_json_member(all, AI_SPAN("id")),
		.source = ai_json_member(all, AI_SPAN("source")),
		.chunk = ai_json_member(all, AI_SPAN("chunk")),
		.embed = ai_json_member(all, AI_SPAN("embed")),
		.embedding = ai_json_member(all, AI_SPAN("embedding")),
		.named = ai_json_true(ai_json_member(all, AI_SPAN("named"))),
		.related = ai_json_true(ai_json_member(all,
			AI_SPAN("relationships"))),
	};
}

static void put(struct ai_buf *out, const char *key, struct ai_value v)
{
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return;
	ai_put_key_text(out, key);
	ai_put_value(out, v);
}

/* The metadata that is no part of ours; a node's relationships with it. */
static void put_meta(struct ai_buf *out, struct ai_value metadata,
		     const struct own *own, struct ai_value relationships)
{
	struct ai_value key, val;
	struct ai_json_iter it;

	ai_put_key(out, "meta");
	ai_put_open(out, '{');
	if (metadata.kind == AI_OBJECT) {
		ai_json_iter_init(&it, metadata);
		while (ai_json_next(&it, &key, &val)) {
			if ((own->all.kind == AI_OBJECT &&
			     ai_json_is(key, AI_SPAN("aiutils"))) ||
			    (own->named && ai_json_is(key, AI_SPAN("source"))))
				continue;
			ai_put_value(out, key);
			ai_buf_chr(out, ':');
			ai_put_value(out, val);
		}
	}
	/* Ours are made anew at each export. */
	if (relationships.kind == AI_OBJECT && relationships.s.n > 2 &&
	    (own->all.kind != AI_OBJECT || own->related))
		put(out, "relationships", relationships);
	ai_put_close(out, '}');
}

static void put_source(struct ai_buf *out, const struct own *own,
		       struct ai_value uri)
{
	if (own->source.kind == AI_OBJECT) {
		put(out, "source", own->source);
	} else if (own->all.kind == AI_NONE && uri.kind == AI_STRING) {
		ai_put_key(out, "source");
		ai_put_open(out, '{');
		put(out, "uri", uri);
		ai_put_close(out, '}');
	}
}

static void put_vector(struct ai_buf *out, const float *vector, size_t dim)
{
	ai_put_key(out, "embedding");
	ai_buf_chr(out, '"');
	ai_vector_to_base64(vector, dim, out);
	ai_buf_chr(out, '"');
}

struct parts {
	struct ai_value id, text, metadata, embedding, relationships, uri;
};

static int put_record(const struct parts *p, const float *vector, size_t dim,
		      struct ai_buf *out, struct ai_err *err)
{
	struct own own = read_own(p->metadata);

	if (p->metadata.kind != AI_OBJECT && p->metadata.kind != AI_NONE &&
	    p->metadata.kind != AI_NULL)
		return ai_err_set(err, AI_E_RECORD,
				  "the member 'metadata' is not an object");
	ai_put_open(out, '{');
	put(out, "id", own.id.kind != AI_NONE ? own.id : p->id);
	put(out, search_path(), p->text);
	put_meta(out, p->metadata, &own, p->relationships);
	put_source(out, &own, p->uri);
	put(out, "chunk", own.chunk);
	put(out, "embed", own.embed);
	if (vector != NULL)
		put_vector(out, vector, dim);
	else
		put(out, "embedding", p->embedding.kind != AI_NONE
		    ? p->embedding : own.embedding);
	ai_put_close(out, '}');
	return ai_buf_check(out, "a record", err);
}

static struct ai_value first_of(struct ai_value object, const char *a,
				const char *b)
{
	struct ai_value v = ai_json_get(object, a);

	return v.kind != AI_NONE && v.kind != AI_NULL ? v
						      : ai_json_get(object, b);
}

static int langchain(struct ai_value object, const float *vector, size_t dim,
		     struct ai_buf *out, struct ai_err *err)
{
	struct ai_value inner = ai_json_get(object, "kwargs");
	struct parts p = { .embedding = { AI_NONE, { NULL, 0 } } };

	if (ai_json_get(object, "lc").kind == AI_NUMBER &&
	    inner.kind == AI_OBJECT)
		object = inner;
	p.id = ai_json_get(object, "id");
	p.text = first_of(object, "page_content", "pageContent");
	p.metadata = ai_json_get(object, "metadata");
	p.uri = ai_json_get(p.metadata, "source");
	if (p.text.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD, "no LangChain document: it "
				  "has no string 'page_content'");
	return put_record(&p, vector, dim, out, err);
}

static int llamaindex(struct ai_value object, const float *vector, size_t dim,
		      struct ai_buf *out, struct ai_err *err)
{
	struct parts p = {
		.id = first_of(object, "id_", "id"),
		.text = first_of(object, "text", "text_resource.text"),
		.metadata = ai_json_get(object, "metadata"),
		.embedding = ai_json_get(object, "embedding"),
		.relationships = ai_json_get(object, "relationships"),
		.uri = ai_json_get(object, "relationships.1.node_id"),
	};

	if (p.text.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD, "no LlamaIndex node: it "
				  "has no string 'text'");
	return put_record(&p, vector, dim, out, err);
}

/* Ours but for the embedding. */
static int jsonl(struct ai_value object, const float *vector, size_t dim,
		 struct ai_buf *out, struct ai_err *err)
{
	struct ai_value key, val;
	struct ai_json_iter it;

	ai_put_open(out, '{');
	ai_json_iter_init(&it, object);
	while (ai_json_next(&it, &key, &val)) {
		if (vector != NULL && ai_json_is(key, AI_SPAN("embedding")))
			continue;
		ai_put_value(out, key);
		ai_buf_chr(out, ':');
		ai_put_value(out, val);
	}
	if (vector != NULL)
		put_vector(out, vector, dim);
	ai_put_close(out, '}');
	return ai_buf_check(out, "a record", err);
}

int search_convert(const struct ai_rec *rec, const float *vector, size_t dim,
		   struct ai_buf *out, struct ai_err *err)
{
	ai_buf_shrink(out, (size_t)1 << 20);
	if (search.format == SEARCH_LANGCHAIN)
		return langchain(rec->object, vector, dim, out, err);
	if (search.format == SEARCH_LLAMAINDEX)
		return llamaindex(rec->object, vector, dim, out, err);
	return jsonl(rec->object, vector, dim, out, err);
}
