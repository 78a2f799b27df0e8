/* record.c: from a record to records, one a chunk. */
#include "chunk.h"

#include <string.h>

/* What the record says about where its text came from. */
struct origin {
	struct ai_value source;     /* the old member, if it is an object */
	struct ai_value converted;
	struct ai_value heading, page;
	int64_t byte, line;         /* what to add; -1: not known */
	bool is_converted;          /* they count in what a converter made */
	bool is_part;               /* the record is not all of its document */
};

struct writing {
	struct chunk_state *state;
	struct ai_emit *out;
	struct ai_rec *rec;
	struct ai_value string;     /* the text in the record's line */
	char doc[AI_HASH_HEX];
	struct origin origin;
	bool has_meta;
};

/* ---- where it came from -------------------------------------------------- */

static int64_t element(struct ai_value list, const char *i)
{
	int64_t v;

	return ai_json_i64(ai_json_get(list, i), &v) == 0 && v >= 0 ? v : -1;
}

/*
 * If the record is a chunk itself and its text is still as long as the bytes
 * it names, ours are counted on from there; else in the text.
 */
static void read_place(struct origin *o, struct ai_value place, size_t len)
{
	struct ai_value bytes = ai_json_get(place, "bytes");
	int64_t from = element(bytes, "0"), to = element(bytes, "1");

	if (from < 0 || to < from || (size_t)(to - from) != len)
		return;
	o->byte = from;
	o->line = element(ai_json_get(place, "lines"), "0");
}

/* A page, or a passage that was cut before: there are others of its document,
 * and none of them is another version of it. */
static bool is_part(const struct ai_rec *rec, struct ai_value source)
{
	static const char *const places[] = { "bytes", "lines", "page" };

	if (ai_rec_get(rec, "chunk").kind == AI_OBJECT)
		return true;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct ai_value v = ai_json_get(source, places[i]);

		if (v.kind != AI_NONE && v.kind != AI_NULL)
			return true;
	}
	return false;
}

static void read_origin(struct origin *o, const struct ai_rec *rec, size_t len)
{
	memset(o, 0, sizeof *o);
	o->byte = o->line = -1;
	o->source = ai_rec_get(rec, "source");
	o->is_part = is_part(rec, o->source);
	if (o->source.kind != AI_OBJECT) {
		o->source.kind = AI_NONE;
		return;
	}
	o->heading = ai_json_get(o->source, "heading");
	o->page = ai_json_get(o->source, "page");
	o->converted = ai_json_get(o->source, "converted");
	read_place(o, o->source, len);
	if (o->byte < 0 && o->converted.kind == AI_OBJECT) {
		read_place(o, o->converted, len);
		o->is_converted = o->byte >= 0;
	}
}

/* ---- writing ------------------------------------------------------------- */

static bool is_ours(const struct chunk_state *s, struct ai_value key)
{
	static const char *const names[] = {
		"uri", "bytes", "lines", "heading", "page", "converted",
	};

	if (ai_json_is(key, AI_SPAN("title")))
		return s->title.len > 0;
	if (ai_json_is(key, AI_SPAN("links")))
		return s->cutter.how.by == CHUNK_HTML;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ai_json_is(key, ai_span_of(names[i])))
			return true;
	return false;
}

/* Members of the old source that are not ours stay as they are. */
static void put_others(struct ai_buf *b, const struct chunk_state *s,
		       struct ai_value source)
{
	struct ai_json_iter it;
	struct ai_value key, val;

	if (source.kind != AI_OBJECT)
		return;
	ai_json_iter_init(&it, source);
	while (ai_json_next(&it, &key, &val))
		if (!is_ours(s, key)) {
			ai_put_value(b, key);
			ai_buf_chr(b, ':');
			ai_buf_add(b, val.s.p, val.s.n);
		}
}

static void put_places(struct ai_buf *b, const struct origin *o,
		       const struct chunk_cut *c)
{
	size_t byte = o->byte < 0 ? 0 : (size_t)o->byte;
	size_t line = o->line < 1 ? 0 : (size_t)o->line - 1;

	chunk_put_range(b, "bytes", c->at + byte, c->end + byte);
	if (o->byte >= 0 && o->line < 1) {
		ai_put_key(b, "lines");
		ai_put_null(b);
	} else {
		chunk_put_range(b, "lines", c->line_from + line,
				c->line_to + line);
	}
}

static void put_converted(struct ai_buf *b, const struct origin *o,
			  const struct chunk_cut *c)
{
	ai_put_key(b, "bytes");
	ai_put_null(b);
	ai_put_key(b, "lines");
	ai_put_null(b);
	ai_put_key(b, "converted");
	ai_put_open(b, '{');
	ai_put_key(b, "by");
	ai_put_value(b, ai_json_get(o->converted, "by"));
	put_places(b, o, c);
	ai_put_close(b, '}');
}

static void put_page(struct ai_buf *b, const struct origin *o,
		     const struct chunk_cut *c)
{
	int64_t page;

	ai_put_key(b, "page");
	if (ai_json_i64(o->page, &page) == 0 && page >= 0)
		ai_put_i64(b, page + (c->page > 0 ? (int64_t)c->page - 1 : 0));
	else if (c->page > 0)
		ai_put_i64(b, (int64_t)c->page);
	else
		ai_put_null(b);
}

static void put_source(struct ai_buf *b, const struct writing *w,
		       const struct chunk_cut *c)
{
	const struct origin *o = &w->origin;

	ai_put_open(b, '{');
	ai_put_key(b, "uri");
	ai_put_value(b, ai_json_get(o->source, "uri"));
	if (o->is_converted)
		put_converted(b, o, c);
	else
		put_places(b, o, c);
	if (c->n_headings == 0 && o->heading.kind == AI_ARRAY) {
		ai_put_key(b, "heading");
		ai_put_value(b, o->heading);
	} else {
		chunk_put_headings(b, c);
	}
	chunk_put_page(b, w->state, c);
	put_page(b, o, c);
	put_others(b, w->state, o->source);
	ai_put_close(b, '}');
}

/* One record cut in several pieces needs several ids. */
static int set_id(struct writing *w, const struct chunk_cut *cut,
		  struct ai_err *err)
{
	struct ai_buf *b = &w->state->json;
	struct ai_buf *id = &w->state->id;
	size_t n = id->len;
	int rc;

	if (cut->count < 2)
		return 0;
	ai_buf_clear(b);
	ai_buf_fmt(id, "#%zu", cut->number);
	ai_put_str(b, ai_buf_cstr(id), id->len);
	rc = ai_buf_check(id, "an id", err);
	if (rc == 0)
		rc = ai_rec_set(w->rec, "id", b, err);
	id->len = n;
	return rc;
}

/* What a document has as well; the record's own meta stays. */
static int set_others(struct writing *w, const struct chunk_cut *cut,
		      struct ai_err *err)
{
	struct chunk_state *s = w->state;
	struct ai_buf *b = &s->json;

	if (s->meta.len > 0 && !w->has_meta &&
	    ai_rec_set(w->rec, "meta", &s->meta, err) < 0)
		return -1;
	ai_buf_clear(b);
	if (chunk_put_hidden(b, s, cut) &&
	    ai_rec_set(w->rec, "hidden", b, err) < 0)
		return -1;
	ai_buf_clear(b);
	return chunk_put_contextual(b, s, cut)
		? ai_rec_set(w->rec, "contextual", b, err) : 0;
}

static int put(void *arg, const struct chunk_cut *cut, struct ai_err *err)
{
	struct writing *w = arg;
	struct ai_buf *b = &w->state->json;

	ai_rec_revert(w->rec);
	if (ai_rec_rewrite_value(w->rec, w->string, cut->p + cut->from,
				 cut->to - cut->from, err) < 0 ||
	    set_id(w, cut, err) < 0)
		return -1;
	ai_buf_clear(b);
	chunk_put_chunk(b, cut, !w->origin.is_part, w->doc, &w->state->cutter);
	if (ai_rec_set(w->rec, "chunk", b, err) < 0)
		return -1;
	ai_buf_clear(b);
	put_source(b, w, cut);
	if (ai_rec_set(w->rec, "source", b, err) < 0 ||
	    set_others(w, cut, err) < 0)
		return -1;
	return ai_emit_rec(w->out, w->rec, err);
}

/* A record never vanishes: one without visible text is one chunk. */
static int put_blank(struct writing *w, struct ai_err *err)
{
	const struct ai_buf *t = &w->state->text;
	bool html = w->state->cutter.how.by == CHUNK_HTML;
	struct chunk_cut cut = { .p = ai_buf_cstr(t), .to = html ? 0 : t->len,
				 .end = t->len, .count = 1, .line_from = 1, .line_to = 1 };

	return put(w, &cut, err);
}

static int cut_record(struct writing *w, struct ai_err *err)
{
	struct chunk_state *s = w->state;
	struct ai_buf uri = AI_BUF_INIT(4096);
	struct ai_span text = { ai_buf_cstr(&s->text), s->text.len };
	struct ai_value v;
	int rc;

	v = ai_json_get(w->origin.source, "uri");
	if (v.kind == AI_STRING)
		ai_json_text(v, &uri);
	rc = chunk_prepare(s, ai_buf_cstr(&uri), &text, err);
	ai_buf_release(&uri);
	if (rc < 0)
		return -1;
	w->has_meta = ai_rec_get(w->rec, "meta").kind != AI_NONE;
	ai_hash_of(s->text.p, s->text.len, w->doc);
	ai_buf_clear(&s->id);
	if (ai_rec_id(w->rec, s->text.p, s->text.len, &s->id) < 0)
		return ai_buf_check(&s->id, "the id", err);
	if (chunk_cut(&s->cutter, text.p, text.n, put, w, err) < 0)
		return -1;
	return s->cutter.count == 0 ? put_blank(w, err) : 0;
}

int chunk_record(struct chunk_state *s, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err)
{
	const char *path = ai_loop.path != NULL ? ai_loop.path : "text";
	struct writing w = { .state = s, .out = out, .rec = rec };
	int rc;

	ai_buf_clear(&s->text);
	rc = ai_rec_text(rec, path, &s->text, err);
	if (rc == 0) {
		w.string = ai_rec_get(rec, path);
		read_origin(&w.origin, rec, s->text.len);
		rc = cut_record(&w, err);
	}
	ai_buf_shrink(&s->text, 1 << 20);
	ai_buf_shrink(&s->json, 1 << 20);
	return rc;
}
