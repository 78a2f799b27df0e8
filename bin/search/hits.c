#include "explain.h"
#include "shape.h"

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

/* A hit as it is shown: its row's text and source, or those of --expand. */
struct shown {
	const struct search_fused *f;
	int rank;
	sqlite3_stmt *st;
	struct ai_span text, source;
	struct ai_span about; /* p may be NULL */
};

static struct shown show(const struct search_result *r, size_t i,
			 sqlite3_stmt *st)
{
	const struct search_expansion *x = r->expanded == NULL ? NULL
		: &r->expanded[i];
	struct shown s = {
		&r->v[i], (int)i + 1, st, ai_db_span(st, COL_TEXT),
		ai_db_span(st, COL_SOURCE), { NULL, 0 },
	};

	if (x == NULL || x->about.len == 0)
		return s;
	s.text = (struct ai_span){ x->text.p, x->text.len };
	s.about = (struct ai_span){ x->about.p, x->about.len };
	if (x->source.len > 0)
		s.source = (struct ai_span){ x->source.p, x->source.len };
	return s;
}

static int put_hit(struct search_index *ix, const struct search_result *r,
		   const struct shown *s, struct ai_buf *b, struct ai_err *err)
{
	const struct search_fused *f = s->f;
	sqlite3_stmt *st = s->st;

	ai_put_open(b, '{');
	ai_put_key(b, "rank");
	ai_put_i64(b, s->rank);
	ai_put_key(b, "id");
	search_put_id(b, search_id_at(st, COL_ID));
	ai_put_key(b, "text");
	ai_put_str(b, s->text.p, s->text.n);
	put_score(b, "score", f->key.score);
	put_score(b, "confidence", f->confidence);
	put_leg(b, "dense", f->dense);
	put_leg(b, "sparse", f->sparse);
	put_json(b, "source", s->source);
	put_json(b, "meta", ai_db_span(st, COL_META));
	if (s->about.p != NULL)
		put_json(b, "expanded", s->about);
	if (search.highlight &&
	    search_put_highlights(ix, r, s->text, b, err) < 0)
		return -1;
	if (search.explain && search_put_explain(ix, r, f, b, err) < 0)
		return -1;
	ai_put_close(b, '}');
	return 0;
}

/* For people: where it stands, how good it is, and the text indented. */
static int write_hit(struct search_index *ix, const struct search_result *r,
		     const struct shown *s, struct ai_buf *b,
		     struct ai_err *err)
{
	struct ai_span id = ai_db_span(s->st, COL_ID);
	struct ai_span source = s->source, text = s->text;
	struct ai_value v = { AI_NONE, { NULL, 0 } }, uri, line;
	size_t i;

	ai_buf_fmt(b, "%d. ", s->rank);
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
	ai_buf_fmt(b, " (%.2f)\n   ", s->f->confidence);
	for (i = 0; i < text.n; i++) {
		ai_buf_chr(b, text.p[i]);
		if (text.p[i] == '\n' && i + 1 < text.n)
			ai_buf_str(b, "   ");
	}
	if (text.n == 0 || text.p[text.n - 1] != '\n')
		ai_buf_chr(b, '\n');
	return search.explain ? search_write_explain(ix, r, s->f, b, err) : 0;
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
	struct shown s;
	size_t i;
	int rc = 0;

	if (v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < r->n && rc == 0; i++) {
		rc = load_hit(ix, r->v[i].key.n, v, err);
		if (rc < 0)
			break;
		s = show(r, i, ix->st[SQL_BY_N]);
		rc = (ai_loop.plain_out ? write_hit : put_hit)(ix, r, &s, b,
							       err);
		sqlite3_reset(s.st);
	}
	free(v);
	return rc < 0 ? -1 : ai_buf_check(b, "the hits", err);
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
	put_score(b, "confidence", r->confidence);
	if (search.explain && r->mode != SEARCH_SPARSE) {
		ai_put_key(b, "recall");
		if (isnan(ix->recall))
			ai_put_null(b);
		else
			ai_put_f64(b, round(ix->recall * 1e4) / 1e4);
	}
	ai_put_key(b, "index");
	search_put_path(b, ix->folder);
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
