/* Views: every byte of every view comes from bytes that are there, in order;
 * views are UTF-8, not too deep, and not too long. */
#include "base/utf8.h"
#include "fuzz.h"
#include "text/view.h"

struct seen {
	size_t n, bytes;
	int views;
};

static int each(void *arg, const struct ai_view *v)
{
	struct seen *s = arg;
	size_t from, to;

	if (s->views++ == 0) {
		must(v->at == NULL && v->of == NULL && v->text.n == s->n);
		return 0;
	}
	must(v->at != NULL && v->of != NULL && v->text.n > 0);
	must(v->depth <= AI_VIEW_DEPTH && v->depth >= v->of->depth);
	must(ai_utf8_valid(v->text.p, v->text.n) == v->text.n);
	for (size_t i = 0; i < v->text.n; i++) {
		must(v->at[i] <= v->end[i] && v->end[i] <= s->n);
		must(v->back ? v->at[i + 1] <= v->at[i]
			     : v->at[i + 1] >= v->at[i]);
		ai_view_span(v, i, i + 1, &from, &to);
		must(from == v->at[i] && to == v->end[i]);
	}
	ai_view_span(v, 0, v->text.n, &from, &to);
	must(from <= to && to <= s->n);
	ai_view_span(v, v->text.n, v->text.n, &from, &to);
	must(from == to && to <= s->n);
	s->bytes += v->text.n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = { .n = size };
	struct ai_err err;

	must(ai_views((struct ai_span){ (const char *)data, size }, each, &s,
		      &err) == 0);
	must(s.bytes <= 4 * size + ((size_t)1 << 17));
	return 0;
}
