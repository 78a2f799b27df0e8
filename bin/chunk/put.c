#include "chunk.h"

/* Digits of the fingerprint: it tells apart the few ways one document was
 * ever cut, so that half of it will do. */
#define CUT_SHOWN 16

void chunk_put_chunk(struct ai_buf *b, const struct chunk_cut *cut, bool whole,
		     const char *doc, const struct chunk_cutter *cutter)
{
	ai_put_open(b, '{');
	ai_put_key(b, "doc");
	ai_put_cstr(b, doc);
	ai_put_key(b, "n");
	ai_put_i64(b, (int64_t)cut->number);
	ai_put_key(b, "of");
	ai_put_i64(b, (int64_t)cut->count);
	ai_put_key(b, "by");
	ai_put_cstr(b, chunk_by_name(cutter->how.by));
	ai_put_key(b, "cut");
	ai_put_str(b, cutter->print, CUT_SHOWN);
	if (!whole) {
		ai_put_key(b, "whole");
		ai_put_bool(b, false);
	}
	if (cut->copies > 0) {
		ai_put_key(b, "copies");
		ai_put_i64(b, (int64_t)cut->copies);
	}
	if (cut->oversize) {
		ai_put_key(b, "oversize");
		ai_put_bool(b, true);
	}
	ai_put_close(b, '}');
}

void chunk_put_range(struct ai_buf *b, const char *name, size_t from,
		     size_t to)
{
	ai_put_key(b, name);
	ai_put_open(b, '[');
	ai_put_i64(b, (int64_t)from);
	ai_put_i64(b, (int64_t)to);
	ai_put_close(b, ']');
}

void chunk_put_headings(struct ai_buf *b, const struct chunk_cut *cut)
{
	ai_put_key(b, "heading");
	ai_put_open(b, '[');
	for (size_t i = 0; i < cut->n_headings; i++)
		ai_put_str(b, cut->heading[i].p, cut->heading[i].n);
	ai_put_close(b, ']');
}
