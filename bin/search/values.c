/* values.c: the values of a document that --where can find. */
#include "filter.h"

#include "record/json.h"

#include <string.h>

/* More than this of one document are looked up in the document itself. */
#define VALUES_MAX 1000
#define VALUES_BYTES ((size_t)64 << 10)

struct walk {
	search_value_fn *each;
	void *arg;
	bool bounds, odd;
	size_t count, bytes;
	struct ai_buf path, text, cut;
	struct ai_err *err;
};

static int give(struct walk *w, enum search_kind kind, struct ai_span value)
{
	struct ai_span path = { ai_buf_cstr(&w->path), w->path.len };

	if (path.n == 0)
		return 0;
	if (path.n > SEARCH_PATH_MAX || (kind == SEARCH_IS_NUMBER &&
					 value.n > SEARCH_VALUE_MAX)) {
		w->odd = true;
		if (w->bounds || path.n > SEARCH_PATH_MAX)
			return 0;
	}
	if (w->bounds && (w->count == VALUES_MAX ||
			  w->bytes + path.n + value.n > VALUES_BYTES)) {
		w->odd = true;
		return 0;
	}
	w->count++;
	w->bytes += path.n + value.n;
	return w->each(w->arg, path, kind, value, w->err);
}

static int give_string(struct walk *w, struct ai_value v)
{
	struct ai_span text;

	ai_buf_clear(&w->text);
	if (ai_json_text(v, &w->text) < 0)
		return ai_buf_check(&w->text, "metadata", w->err);
	text = (struct ai_span){ ai_buf_cstr(&w->text), w->text.len };
	if (text.n <= SEARCH_VALUE_MAX)
		return give(w, SEARCH_IS_STRING, text);
	ai_buf_clear(&w->cut);
	search_long_value(text, &w->cut);
	if (ai_buf_check(&w->cut, "metadata", w->err) < 0)
		return -1;
	return give(w, SEARCH_IS_LONG, (struct ai_span){ w->cut.p, w->cut.len });
}

/* Objects add a name to the path, lists do not: tags=["a","b"] is found by
 * tags=a.  Depth is bounded by the scanner's. */
static int walk(struct walk *w, struct ai_value v)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	size_t len = w->path.len;
	int rc;

	if (v.kind == AI_NONE)
		return 0;
	if (v.kind == AI_STRING)
		return give_string(w, v);
	if (v.kind == AI_NUMBER)
		return give(w, SEARCH_IS_NUMBER, v.s);
	if (v.kind != AI_OBJECT && v.kind != AI_ARRAY)
		return give(w, SEARCH_IS_WORD, v.s);
	rc = give(w, SEARCH_IS_NODE, (struct ai_span){ "", 0 });
	ai_json_iter_init(&it, v);
	while (rc == 0 && ai_json_next(&it, &key, &val)) {
		if (v.kind == AI_OBJECT) {
			if (len > 0)
				ai_buf_chr(&w->path, '.');
			ai_json_text(key, &w->path);
		}
		rc = ai_buf_check(&w->path, "the names of metadata", w->err);
		if (rc == 0)
			rc = walk(w, val);
		w->path.len = len;
	}
	return rc;
}

/* Where a passage begins and ends is nothing to look for. */
static int walk_source(struct walk *w, struct ai_value source)
{
	static const char *const names[] = { "uri", "page", "heading" };
	size_t i;
	int rc = 0;

	for (i = 0; i < 3 && rc == 0; i++) {
		ai_buf_clear(&w->path);
		ai_buf_fmt(&w->path, "source.%s", names[i]);
		rc = walk(w, ai_json_member(source, ai_span_of(names[i])));
	}
	return rc;
}

static struct ai_value parse(struct ai_span s)
{
	struct ai_value v;

	if (s.p == NULL || ai_json_check(s.p, s.n, &v, NULL) < 0)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	return v;
}

int search_values(struct ai_span source, struct ai_span meta, bool bounds,
		  search_value_fn *each, void *arg, bool *odd,
		  struct ai_err *err)
{
	struct walk w = { .each = each, .arg = arg, .bounds = bounds,
			  .err = err };
	int rc;

	ai_buf_init(&w.path, (size_t)1 << 31);
	ai_buf_init(&w.text, (size_t)1 << 31);
	ai_buf_init(&w.cut, SEARCH_VALUE_MAX + 16);
	rc = walk(&w, parse(meta));
	if (rc == 0)
		rc = walk_source(&w, parse(source));
	ai_buf_release(&w.path);
	ai_buf_release(&w.text);
	ai_buf_release(&w.cut);
	*odd = w.odd;
	return rc;
}
