#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Six digits behind the point: more are noise of the summation. */
static void put_score(struct ai_buf *b, const char *key, double v)
{
	ai_put_key(b, key);
	ai_put_f64(b, round(v * 1e6) / 1e6);
}

static void put_leg(struct ai_buf *b, const char *name,
		    const struct search_hit *h)
{
	ai_put_key(b, name);
	if (h == NULL) {
		ai_put_null(b);
		return;
	}
	ai_put_open(b, '{');
	put_score(b, "score", h->key.score);
	ai_put_key(b, "rank");
	ai_put_i64(b, h->rank);
	ai_put_close(b, '}');
}

/* JSON as it was stored. */
static void put_json(struct ai_buf *b, const char *name, struct ai_span s)
{
	ai_put_key(b, name);
	if (s.p == NULL || ai_json_check(s.p, s.n, NULL, NULL) < 0)
		ai_put_null(b);
	else
		ai_put_raw(b, s.p, s.n);
}

static void put_hit(struct ai_buf *b, const struct search_fused *f, int rank,
		    sqlite3_stmt *st)
{
	struct ai_span text = ai_db_span(st, COL_TEXT);

	ai_put_open(b, '{');
	ai_put_key(b, "rank");
	ai_put_i64(b, rank);
	ai_put_key(b, "id");
	search_put_id(b, search_id_at(st, COL_ID));
	ai_put_key(b, "text");
	ai_put_str(b, text.p, text.n);
	put_score(b, "score", f->key.score);
	put_score(b, "confidence", f->confidence);
	put_leg(b, "dense", f->dense);
	put_leg(b, "sparse", f->sparse);
	put_json(b, "source", ai_db_span(st, COL_SOURCE));
	put_json(b, "meta", ai_db_span(st, COL_META));
	ai_put_close(b, '}');
}

/* For people: where it stands, how good it is, and the text indented. */
static void write_hit(struct ai_buf *b, const struct search_fused *f, int rank,
		      sqlite3_stmt *st)
{
	struct ai_span id = ai_db_span(st, COL_ID);
	struct ai_span source = ai_db_span(st, COL_SOURCE);
	struct ai_span text = ai_db_span(st, COL_TEXT);
	struct ai_value v = { AI_NONE, { NULL, 0 } }, uri, line;
	size_t i;

	ai_buf_fmt(b, "%d. ", rank);
	if (source.p == NULL || ai_json_check(source.p, source.n, &v, NULL) < 0)
		v.kind = AI_NONE;
	uri = ai_json_get(v, "uri");
	line = ai_json_get(v, "lines.0");
	if (uri.kind == AI_STRING)
		ai_json_text(uri, b);
	else
		ai_buf_add(b, id.p, id.n);
	if (line.kind == AI_NUMBER)
		ai_buf_fmt(b, ":%.*s", (int)line.s.n, line.s.p);
	ai_buf_fmt(b, " (%.2f)\n   ", f->confidence);
	for (i = 0; i < text.n; i++) {
		ai_buf_chr(b, text.p[i]);
		if (text.p[i] == '\n' && i + 1 < text.n)
			ai_buf_str(b, "   ");
	}
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		ai_buf_chr(b, '\n');
}

/* Its row, if that is what was stored: a damaged one is no answer. */
static int load_hit(struct search_index *ix, int64_t n, float *v,
		    struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc == 0)
		return ai_db_damaged(&ix->db, err, "document %lld is not there",
				     (long long)n);
	if (rc > 0 && search_check_row(ix, st, v, err) == 0)
		return 0;
	sqlite3_reset(st);
	return -1;
}

static int write_hits(struct search_index *ix, const struct search_result *r,
		      struct ai_buf *b, struct ai_err *err)
{
	float *v = malloc(((size_t)ix->info.dim + 1) * sizeof(*v));
	sqlite3_stmt *st;
	size_t i;

	if (v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < r->n && load_hit(ix, r->v[i].key.n, v, err) == 0; i++) {
		st = ix->st[SQL_BY_N];
		if (ai_loop.plain_out)
			write_hit(b, &r->v[i], (int)i + 1, st);
		else
			put_hit(b, &r->v[i], (int)i + 1, st);
		sqlite3_reset(st);
	}
	free(v);
	return i < r->n ? -1 : ai_buf_check(b, "the hits", err);
}

static void put_search(struct search_index *ix, const struct search_result *r,
		       struct ai_buf *b)
{
	static const char *const modes[] = { "hybrid", "dense", "sparse" };
	static const char *const rules[] = { "auto", "minmax", "rrf" };

	ai_put_open(b, '{');
	ai_put_key(b, "mode");
	ai_put_cstr(b, modes[r->mode]);
	if (r->mode == SEARCH_HYBRID) {
		ai_put_key(b, "fusion");
		ai_put_cstr(b, rules[r->rule]);
	}
	ai_put_key(b, "confident");
	ai_put_bool(b, r->confident);
	ai_put_key(b, "index");
	ai_put_cstr(b, ix->folder);
	ai_put_close(b, '}');
}

static int emit_record(struct search_index *ix, struct ai_rec *rec,
		       const struct search_result *r, struct ai_buf *hits,
		       struct ai_emit *out, struct ai_err *err)
{
	struct ai_buf about = AI_BUF_INIT(1 << 16);
	int rc = -1;

	put_search(ix, r, &about);
	ai_put_open(hits, '[');
	if (write_hits(ix, r, hits, err) == 0) {
		ai_put_close(hits, ']');
		if (ai_rec_set(rec, "search", &about, err) == 0 &&
		    ai_rec_set(rec, ai_loop.as != NULL ? ai_loop.as : "hits",
			       hits, err) == 0)
			rc = ai_emit_rec(out, rec, err);
	}
	ai_buf_release(&about);
	return rc;
}

int search_emit(struct search_index *ix, struct ai_rec *rec,
		const struct search_result *r, struct ai_emit *out,
		struct ai_err *err)
{
	struct ai_buf hits = AI_BUF_INIT(SEARCH_TEXT_MAX);
	int rc;

	if (!ai_loop.plain_out) {
		rc = emit_record(ix, rec, r, &hits, out, err);
	} else {
		if (!r->confident)
			ai_buf_str(&hits, "no confident match\n");
		rc = write_hits(ix, r, &hits, err);
		/* The line ends with the answer's own newline. */
		if (rc == 0 && hits.len > 0)
			rc = ai_emit_answer(out, rec, hits.p, hits.len - 1,
					    err);
	}
	ai_buf_release(&hits);
	return rc;
}
