/* document.c: from a file's name to its chunks. */
#include "chunk.h"

#include "base/utf8.h"

#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SHOWN 200 /* bytes of a name in a message */

struct writing {
	struct chunk_state *state;
	struct ai_emit *out;
	const char *uri;       /* NULL: standard input */
	const char *converter; /* NULL: the bytes are the file's own */
	size_t number;         /* of what is written next */
};

static void put_places(struct ai_buf *b, const struct chunk_cut *cut)
{
	chunk_put_range(b, "bytes", cut->at, cut->end);
	chunk_put_range(b, "lines", cut->line_from, cut->line_to);
}

/* bytes and lines are always those of the file itself; those of what a
 * converter made of it stand apart. */
static void put_source(struct ai_buf *b, const struct writing *w,
		       const struct chunk_cut *cut)
{
	ai_put_key(b, "source");
	ai_put_open(b, '{');
	ai_put_key(b, "uri");
	ai_put_cstr(b, w->uri);
	if (w->converter == NULL) {
		put_places(b, cut);
	} else {
		ai_put_key(b, "bytes");
		ai_put_null(b);
		ai_put_key(b, "lines");
		ai_put_null(b);
	}
	chunk_put_headings(b, cut);
	chunk_put_page(b, w->state, cut);
	ai_put_key(b, "page");
	if (cut->page > 0)
		ai_put_i64(b, (int64_t)cut->page);
	else
		ai_put_null(b);
	if (w->converter != NULL) {
		ai_put_key(b, "converted");
		ai_put_open(b, '{');
		ai_put_key(b, "by");
		ai_put_cstr(b, w->converter);
		put_places(b, cut);
		ai_put_close(b, '}');
	}
	ai_put_close(b, '}');
}

static void put_others(struct ai_buf *b, struct chunk_state *s,
		       const struct chunk_cut *cut)
{
	size_t len = b->len;

	if (s->meta.len > 0) {
		ai_put_key(b, "meta");
		ai_put_raw(b, s->meta.p, s->meta.len);
		len = b->len;
	}
	ai_put_key(b, "hidden");
	if (chunk_put_hidden(b, s, cut))
		len = b->len;
	b->len = len;
	ai_put_key(b, "contextual");
	if (chunk_put_contextual(b, s, cut))
		len = b->len;
	b->len = len;
}

static void put_duplicate_of(struct ai_buf *b, const struct chunk_copy *copy)
{
	char id[AI_HASH_HEX];

	ai_hex(copy->of.b, sizeof copy->of.b, id);
	ai_put_key(b, "duplicate_of");
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_cstr(b, id);
	ai_put_key(b, "similarity");
	ai_put_f64(b, copy->similarity);
	ai_put_close(b, '}');
}

static const char *id_of(struct writing *w, const struct chunk_cut *cut,
			 struct ai_err *err)
{
	struct chunk_state *s = w->state;

	return chunk_id(&s->ids, &s->cutter, cut,
			w->uri != NULL ? w->uri : s->doc.hash, err);
}

/* id: of the chunk as it was cut; NULL: there is none, as err says. */
static int put_cut(struct writing *w, const struct chunk_cut *cut,
		   const char *id, const struct chunk_copy *copy,
		   struct ai_err *err)
{
	struct ai_buf *b = &w->state->json;

	if (id == NULL)
		return -1;
	ai_buf_clear(b);
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_str(b, id, AI_HASH_HEX - 1);
	if (copy != NULL && copy->is_copy)
		put_duplicate_of(b, copy);
	ai_put_key(b, "text");
	ai_put_str(b, cut->p + cut->from, cut->to - cut->from);
	ai_put_key(b, "chunk");
	chunk_put_chunk(b, cut, true, w->state->doc.hash, &w->state->cutter);
	put_source(b, w, cut);
	put_others(b, w->state, cut);
	ai_put_close(b, '}');
	if (ai_buf_check(b, "a chunk", err) < 0)
		return -1;
	return ai_emit_line(w->out, b->p, b->len, err);
}

/* The passages that are written count, and make the document's version. */
static int put(void *arg, const struct chunk_cut *cut, struct ai_err *err)
{
	struct writing *w = arg;
	struct chunk_state *s = w->state;
	const struct chunk_copy *copy =
		s->dedup != NULL ? &s->copies[cut->number] : NULL;
	struct chunk_cut left = *cut;

	if (copy == NULL || s->mark)
		return put_cut(w, cut, id_of(w, cut, err), copy, err);
	if (copy->is_copy)
		return 0;
	if (w->number == 0)
		chunk_copies_print(s);
	left.number = w->number++;
	left.count = cut->count - s->n_copies;
	left.copies = s->n_copies;
	return put_cut(w, &left, id_of(w, cut, err), NULL, err);
}

/* A document without a passage says so: else what an index has of its former
 * ones would stay there. */
static int put_empty(struct writing *w, const char *p, struct ai_err *err)
{
	struct chunk_cut none = { .p = p, .line_from = 1, .line_to = 1,
				  .copies = w->state->n_copies };

	chunk_copies_print(w->state);
	w->state->ids.n = 0; /* not that of a passage that is left out */
	return put_cut(w, &none, id_of(w, &none, err), NULL, err);
}

/* ---- near copies --------------------------------------------------------- */

/*
 * What the copies of a passage depend on: that its text is there; or, if they
 * name it, its id.
 */
static int add_print(void *arg, const struct chunk_cut *cut,
		     struct ai_err *err)
{
	struct writing *w = arg;
	struct chunk_key key;
	char hex[AI_HASH_HEX];
	const char *id = hex;

	if (w->state->mark)
		id = id_of(w, cut, err);
	else
		ai_hash_of(cut->p + cut->from, cut->to - cut->from, hex);
	if (id == NULL)
		return -1;
	ai_unhex(id, AI_HASH_HEX - 1, key.b);
	return chunk_prints_add(&w->state->prints, cut->p + cut->from,
				cut->to - cut->from, key, err);
}

/* Which passages are copies, in the order of the documents. */
static int find_copies(struct writing *w, struct ai_span text,
		       struct ai_err *err)
{
	struct chunk_state *s = w->state;

	chunk_prints_clear(&s->prints);
	if (chunk_cut(&s->cutter, text.p, text.n, add_print, w, err) < 0 ||
	    ai_emit_turn(w->out, err) < 0)
		return -1;
	return chunk_copies_decide(s, w->uri, err);
}

/* Reads the document; *text is what is to be cut. */
static int load(struct chunk_state *s, const struct chunk_converter *c,
		const char *path, int fd, struct ai_span *text,
		struct ai_err *err)
{
	char what[NAME_SHOWN + 64];

	snprintf(what, sizeof what, "'%.*s'", NAME_SHOWN, path);
	if (chunk_doc_read(&s->doc, fd, what, c == NULL, err) < 0)
		return -1;
	if (c == NULL) {
		*text = (struct ai_span){ s->doc.p, s->doc.n };
		return chunk_doc_check(text->p, text->n, what, err);
	}
	ai_buf_clear(&s->made);
	if (c->reads_stdin && lseek(fd, 0, SEEK_SET) != 0)
		return ai_err_set(err, AI_E_DOCUMENT,
				  "cannot read %s twice", what);
	if (chunk_convert(c, path, fd, &s->made, err) < 0)
		return -1;
	*text = (struct ai_span){ ai_buf_cstr(&s->made), s->made.len };
	snprintf(what, sizeof what, "what '%.40s' made of '%.*s'", c->argv[0],
		 NAME_SHOWN - 60, path);
	return chunk_doc_check(text->p, text->n, what, err);
}

static int cut_document(struct chunk_state *s, const struct chunk_converter *c,
			const char *path, int fd, struct ai_emit *out,
			struct ai_err *err)
{
	struct writing w = { s, out, strcmp(path, "-") == 0 ? NULL : path,
			     c != NULL ? c->argv[0] : NULL };
	struct ai_span text = { NULL, 0 };

	if (load(s, c, path, fd, &text, err) < 0)
		return -1;
	/* What a converter wrote is not what the name says. */
	if (chunk_prepare(s, c != NULL ? NULL : w.uri, &text, err) < 0)
		return -1;
	/* chunk.doc is the file's, and another converter, or the same one
	 * grown older, may make another text of it. */
	s->cutter.of_text = c != NULL || s->cutter.how.by == CHUNK_HTML;
	s->ids.n = 0;
	s->n_copies = 0;
	if (s->dedup != NULL && find_copies(&w, text, err) < 0)
		return -1;
	if (chunk_cut(&s->cutter, text.p, text.n, put, &w, err) < 0)
		return -1;
	return s->cutter.count == (s->mark ? 0 : s->n_copies)
		? put_empty(&w, text.p, err) : 0;
}

/* All of it, or nothing is known of it. */
static int read_document(struct chunk_state *s,
			 const struct chunk_converter *c, const char *path,
			 int fd, struct ai_emit *out, struct ai_err *err)
{
	struct chunk_reading reading;

	s->kept_from = SIZE_MAX;
	chunk_reading_begin(&reading, fd);
	if (cut_document(s, c, path, fd, out, err) == 0 &&
	    chunk_reading_done(s, &reading, path, c, err) == 0)
		return 0;
	if (s->dedup != NULL)
		chunk_dedup_retract(s->dedup, s->kept_from);
	return -1;
}

int chunk_document(struct chunk_state *s, const char *path,
		   struct ai_emit *out, struct ai_err *err)
{
	struct chunk_converter c;
	size_t valid = ai_utf8_valid(path, strlen(path));
	int fd, rc, found;

	if (path[valid] != '\0')
		return ai_err_set(err, AI_E_DOCUMENT, "the name of the file, "
				  "'%.*s' and on, is not UTF-8; rename it",
				  (int)(valid < NAME_SHOWN ? valid
							   : NAME_SHOWN),
				  path);
	if (chunk_doc_open(path, &fd, err) < 0)
		return -1;
	found = chunk_converter_find(&c, path, err);
	rc = found < 0 ? -1 : read_document(s, found > 0 ? &c : NULL, path, fd,
					    out, err);
	if (found > 0)
		chunk_converter_release(&c);
	close(fd);
	ai_buf_shrink(&s->made, 1 << 20);
	ai_buf_shrink(&s->json, 1 << 20);
	return rc;
}
