/*
 * The restorer: any text, cut anywhere, makes what it makes in one piece; and
 * what is held back may become a placeholder.
 */
/* fuzz: bin/guard/map.c bin/guard/map-file.c bin/guard/placeholder.c */
/* fuzz: bin/guard/restorer.c */
#include "../../bin/guard/placeholder.h"
#include "../../bin/guard/restorer.h"
#include "fuzz.h"

#include <string.h>

static struct guard_map *map;

static void begin(void)
{
	struct ai_err err;

	map = guard_map_new(GUARD_MAP_READ);
	must(map != NULL && guard_map_begin(map, &err) == 0);
	must(guard_map_add(map, "EMAIL", AI_SPAN("<&>"), &err) == 1);
	must(guard_map_add(map, "A_B", AI_SPAN("EMAIL_1"), &err) == 1);
	must(guard_map_add(map, "A", AI_SPAN(""), &err) == 1);
	must(guard_map_take(map, "A_2", &err) == GUARD_MAP_TAKEN);
	must(guard_map_end(map, &err) == 0);
}

static void check_held(const struct restorer *r)
{
	struct placeholder x;

	must(r->held.len < 256);
	if (r->held.len > 0) {
		must(placeholder_at(r->held.p, r->held.len, false, r->word,
				    &x) == PLACEHOLDER_PART);
		must(guard_map_prefix(map, x.body));
	}
}

static void in_pieces(const char *p, size_t n, unsigned step, bool exact,
		      struct ai_buf *out)
{
	struct restorer r;
	struct ai_err err;
	size_t some;

	restorer_init(&r, map, exact);
	for (size_t at = 0; at < n; at += some) {
		some = step == 0 ? n : 1 + (step + at * at) % step;
		some = some < n - at ? some : n - at;
		must(restorer_add(&r, p + at, some, out, &err) == 0);
		check_held(&r);
	}
	must(restorer_end(&r, out, &err) == 0);
	must(r.held.len == 0);
	restorer_release(&r);
}

/* What may be the inside of a token says the same as its text, and keeps its
 * bytes where nothing is put back.  Halves of characters apart: two may become
 * one when what stood between them goes. */
static void as_string(const char *p, size_t n, bool exact)
{
	struct ai_buf token = AI_BUF_INIT((size_t)1 << 30), text = token,
		      out = token, plain = token, got = token;
	struct ai_value v;
	struct restorer r;
	struct ai_err err;

	ai_buf_chr(&token, '"');
	ai_buf_add(&token, p, n);
	ai_buf_chr(&token, '"');
	if (ai_json_check(token.p, token.len, &v, NULL) == 0 &&
	    v.kind == AI_STRING && v.s.n == token.len) {
		must(ai_json_text(v, &text) == 0);
		restorer_init(&r, map, exact);
		ai_buf_chr(&out, '"');
		must(restorer_add_string(&r, v, (struct ai_span){
			ai_buf_cstr(&text), text.len }, &out, &err) == 0 &&
		     restorer_end(&r, &out, &err) == 0);
		ai_buf_chr(&out, '"');
		must(ai_json_check(out.p, out.len, &v, NULL) == 0 &&
		     v.kind == AI_STRING && ai_json_text(v, &got) == 0);
		in_pieces(ai_buf_cstr(&text), text.len, 0, exact, &plain);
		must(memmem(ai_buf_cstr(&text), text.len, "\xEF\xBF\xBD", 3) !=
		     NULL || (got.len == plain.len && (got.len == 0 ||
			memcmp(got.p, plain.p, got.len) == 0)));
		must(plain.len != text.len || (text.len > 0 &&
			memcmp(plain.p, text.p, text.len) != 0) ||
		     (out.len == token.len &&
		      memcmp(out.p, token.p, out.len) == 0));
		restorer_release(&r);
	}
	ai_buf_release(&token);
	ai_buf_release(&text);
	ai_buf_release(&out);
	ai_buf_release(&plain);
	ai_buf_release(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_buf whole = AI_BUF_INIT((size_t)1 << 30),
		      cut = AI_BUF_INIT((size_t)1 << 30);
	const char *p = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (map == NULL)
		begin();
	for (int exact = 0; exact < 2; exact++) {
		ai_buf_clear(&whole);
		ai_buf_clear(&cut);
		in_pieces(p, size - 1, 0, exact, &whole);
		in_pieces(p, size - 1, 1 + *data % 16, exact, &cut);
		as_string(p, size - 1, exact);
		must(whole.len == cut.len &&
		     (cut.len == 0 || memcmp(whole.p, cut.p, cut.len) == 0));
	}
	ai_buf_release(&whole);
	ai_buf_release(&cut);
	return 0;
}
