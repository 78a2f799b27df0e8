/* fields.c: what of a document is searched by words. */
#include "search.h"

#include <string.h>

static struct ai_value parse(struct ai_span s)
{
	struct ai_value v;

	if (s.p == NULL || ai_json_check(s.p, s.n, &v, NULL) < 0)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return v;
}

static void put(struct search_fields *f, const struct ai_buf *b, int64_t boost)
{
	if (b->len == 0 || boost == 0)
		return;
	f->v[f->n++] = (struct search_field){ { b->p, b->len },
					      (unsigned)boost };
}

/* The headings above a passage, a line each. */
static void read_heading(struct ai_value heading, struct ai_buf *out)
{
	struct ai_json_iter it;
	struct ai_value key, v;

	if (heading.kind == AI_STRING) {
		ai_json_text(heading, out);
		return;
	}
	if (heading.kind != AI_ARRAY)
		return;
	ai_json_iter_init(&it, heading);
	while (ai_json_next(&it, &key, &v)) {
		if (v.kind != AI_STRING)
			continue;
		ai_json_text(v, out);
		ai_buf_chr(out, '\n');
	}
}

int search_fields_of(struct search_fields *f, int64_t boost,
		     struct ai_span text, struct ai_span source,
		     struct ai_span meta, struct ai_err *err)
{
	struct ai_value title;

	memset(f, 0, sizeof(*f));
	ai_buf_init(&f->title, SEARCH_TEXT_MAX);
	ai_buf_init(&f->heading, SEARCH_TEXT_MAX);
	f->v[f->n++] = (struct search_field){ text, 1 };
	title = ai_json_get(parse(meta), "title");
	if (title.kind == AI_STRING)
		ai_json_text(title, &f->title);
	read_heading(ai_json_get(parse(source), "heading"), &f->heading);
	put(f, &f->title, boost);
	put(f, &f->heading, boost);
	if (ai_buf_check(&f->title, "a title", err) < 0)
		return -1;
	return ai_buf_check(&f->heading, "a heading", err);
}

void search_fields_release(struct search_fields *f)
{
	ai_buf_release(&f->title);
	ai_buf_release(&f->heading);
}

int64_t search_fields_length(const struct search_fields *f,
			     const struct ai_analyzer *a)
{
	struct ai_fold words;
	int64_t length = 0;

	for (size_t i = 0; i < f->n; i++) {
		ai_fold_init(&words, f->v[i].text.p, f->v[i].text.n);
		words.accents = a->accents;
		while (ai_fold_next(&words))
			length += f->v[i].weight;
	}
	return length;
}
