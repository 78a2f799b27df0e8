/* The scanner, walking what it accepted, and writing it again. */
#include "base/utf8.h"
#include "record/dec.h"
#include "record/json.h"
#include "record/schema-tree.h"
#include "fuzz.h"

#include <string.h>

static struct ai_buf text = AI_BUF_INIT(1 << 24);

static void check_string(struct ai_value v)
{
	struct ai_span s;

	ai_buf_clear(&text);
	must(v.kind == AI_STRING && ai_json_text(v, &text) == 0);
	s = (struct ai_span){ ai_buf_cstr(&text), text.len };
	must(ai_utf8_valid(s.p, s.n) == s.n);
	must(ai_json_is(v, s));
}

static void check_number(struct ai_value v)
{
	struct ai_buf b = AI_BUF_INIT(32);
	int64_t i;
	double d;

	if (ai_json_i64(v, &i) == 0) {
		ai_put_i64(&b, i);
		must(ai_dec_cmp(ai_dec_of(v.s), ai_dec_of((struct ai_span){
			b.p, b.len })) == 0);
		ai_buf_release(&b);
	}
	if (ai_json_f64(v, &d) == 0)
		must(d == d);
	must(ai_dec_cmp(ai_dec_of(v.s), ai_dec_of(v.s)) == 0);
}

/* Every value inside is a value by itself; writes it all to out. */
static void walk(struct ai_value v, struct ai_buf *out)
{
	struct ai_value key, val, again;
	struct ai_json_iter it;

	must(ai_json_check(v.s.p, v.s.n, &again, NULL) == 0);
	must(again.kind == v.kind && again.s.p == v.s.p &&
	     again.s.n == v.s.n);
	if (v.kind == AI_STRING)
		check_string(v);
	if (v.kind == AI_NUMBER)
		check_number(v);
	if (v.kind != AI_ARRAY && v.kind != AI_OBJECT) {
		ai_put_value(out, v);
		return;
	}
	ai_put_open(out, v.kind == AI_OBJECT ? '{' : '[');
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		must((key.kind == AI_STRING) == (v.kind == AI_OBJECT));
		if (key.kind == AI_STRING) {
			check_string(key);
			must(ai_json_member(v, (struct ai_span){
				ai_buf_cstr(&text), text.len }).kind !=
			     AI_NONE);
			ai_put_str(out, ai_buf_cstr(&text), text.len);
			ai_buf_chr(out, ':');
		}
		walk(val, out);
	}
	ai_put_close(out, v.kind == AI_OBJECT ? '}' : ']');
}

/* What is written is accepted, and written the same a second time. */
static void check_written(struct ai_value v)
{
	struct ai_buf once = AI_BUF_INIT(1 << 24);
	struct ai_buf twice = AI_BUF_INIT(1 << 24);
	struct ai_value again;

	walk(v, &once);
	must(once.bad == AI_E_NONE);
	must(ai_json_check(once.p, once.len, &again, NULL) == 0);
	must(again.kind == v.kind);
	walk(again, &twice);
	must(once.len == twice.len && memcmp(once.p, twice.p, once.len) == 0);
	ai_buf_release(&once);
	ai_buf_release(&twice);
}

static void check_tree(const char *p, size_t n, bool accepted)
{
	struct ai_tree t;
	struct ai_err err;
	uint64_t steps = UINT64_MAX;

	if (ai_tree_parse(&t, p, n, &err) < 0) {
		must(!accepted || err.code == AI_E_RECORD);
		return;
	}
	must(accepted && ai_node_equal(&t.top, &t.top, &steps));
	ai_tree_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	struct ai_err err = { .msg = "" };

	/* Walking each value again costs its depth times its size. */
	if (size > 65536)
		return 0;
	if (ai_json_check(p, size, &v, &err) < 0) {
		must(v.kind == AI_NONE && err.msg[0] != '\0');
		check_tree(p, size, false);
		return 0;
	}
	must(v.kind != AI_NONE && ai_utf8_valid(p, size) == size);
	must(v.s.p >= p && v.s.n > 0 && v.s.p + v.s.n <= p + size);
	check_written(v);
	check_tree(p, size, true);
	return 0;
}
