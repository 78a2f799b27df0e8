/* hits.c: what a search found, as the record carries it. */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 200

void complete_hits_init(struct complete_hits *h)
{
	memset(h, 0, sizeof *h);
	ai_buf_init(&h->text, SIZE_MAX / 2);
}

void complete_hits_release(struct complete_hits *h)
{
	free(h->v);
	ai_buf_release(&h->text);
	complete_hits_init(h);
}

static struct complete_hit *add(struct complete_hits *h)
{
	struct complete_hit *more;
	size_t cap;

	if (h->n == h->cap) {
		cap = h->cap * 2 + 8;
		more = reallocarray(h->v, cap, sizeof *more);
		if (more == NULL)
			return NULL;
		h->v = more;
		h->cap = cap;
	}
	return &h->v[h->n++];
}

static int take_one(struct complete_hits *h, struct ai_value v,
		    struct ai_err *err)
{
	struct ai_value text = ai_json_get(v, "text");
	struct complete_hit *hit;

	if (text.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD,
				  "hits.%zu.text is not a string", h->n);
	hit = add(h);
	if (hit == NULL)
		return ai_err_nomem(err);
	hit->at = h->text.len;
	ai_json_text(text, &h->text);
	hit->n = h->text.len - hit->at;
	hit->id = ai_json_get(v, "id");
	hit->source = ai_json_get(v, "source");
	return ai_buf_check(&h->text, "the text of the hits", err);
}

int complete_hits_take(struct complete_hits *h, const struct ai_rec *rec,
		       struct ai_err *err)
{
	struct ai_value hits = ai_rec_get(rec, "hits"), v;
	struct ai_value sure = ai_rec_get(rec, "search.confident");
	struct ai_json_iter it;

	h->n = 0;
	ai_buf_shrink(&h->text, (size_t)1 << 20);
	h->given = hits.kind == AI_ARRAY;
	h->confident = sure.kind != AI_BOOL || ai_json_true(sure);
	if (hits.kind == AI_NONE || hits.kind == AI_NULL)
		return 0;
	if (hits.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_RECORD, "hits is not a list");
	ai_json_iter_init(&it, hits);
	while (ai_json_next(&it, NULL, &v))
		if (take_one(h, v, err) < 0)
			return -1;
	return 0;
}

struct ai_span complete_hit_text(const struct complete_hits *h, size_t i)
{
	return (struct ai_span){ ai_buf_cstr(&h->text) + h->v[i].at,
				 h->v[i].n };
}

static bool put_string(struct ai_value v, struct ai_buf *out)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 20);
	char line[LABEL_MAX];

	if (v.kind != AI_STRING || ai_json_text(v, &b) < 0) {
		ai_buf_release(&b);
		return false;
	}
	ai_wire_clean((struct ai_span){ ai_buf_cstr(&b), b.len }, line,
		      sizeof line);
	ai_buf_release(&b);
	ai_buf_str(out, line);
	return line[0] != '\0';
}

static void put_lines(struct ai_value source, struct ai_buf *out)
{
	int64_t from, to;

	if (ai_json_i64(ai_json_get(source, "lines.0"), &from) < 0 ||
	    ai_json_i64(ai_json_get(source, "lines.1"), &to) < 0)
		return;
	if (from == to)
		ai_buf_fmt(out, ":%lld", (long long)from);
	else
		ai_buf_fmt(out, ":%lld-%lld", (long long)from, (long long)to);
}

void complete_hit_label(const struct complete_hits *h, size_t i,
			struct ai_buf *out)
{
	const struct complete_hit *hit = &h->v[i];

	if (put_string(ai_json_get(hit->source, "uri"), out))
		put_lines(hit->source, out);
	else if (!put_string(hit->id, out))
		ai_buf_fmt(out, "hit %zu", i + 1);
}
