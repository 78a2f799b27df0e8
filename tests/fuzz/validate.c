/*
 * Layer 0: every finding is within the text, at whole characters, and says
 * something; halves of characters are where U+FFFD is.
 */
/* fuzz: bin/guard/validate.c bin/guard/bidi.c bin/guard/escape.c bin/guard/shape.c bin/guard/find.c */
#include "../../bin/guard/shape.h"
#include "fuzz.h"

#include "base/utf8.h"

#include <string.h>

static bool is_boundary(const char *p, size_t n, size_t at)
{
	return at == n || ((unsigned char)p[at] & 0xC0) != 0x80;
}

static void check(const struct guard_findings *f, const char *p, size_t n)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct guard_finding *x = &f->v[i];

		must(x->from < x->to && x->to <= n);
		must(x->score > 0 && x->score <= 1);
		must(x->why[0] != '\0');
		must(is_boundary(p, n, x->from) && is_boundary(p, n, x->to));
		if (strcmp(x->rule, "surrogate") == 0)
			must(x->to - x->from == 3 &&
			     memcmp(p + x->from, "\xEF\xBF\xBD", 3) == 0);
	}
}

/* The data as a text, if it is UTF-8; without findings where all of it is
 * printable ASCII. */
static void text(const char *p, size_t n, struct guard_findings *f)
{
	const struct ai_view v = { .name = "text", .text = { p, n } };
	struct ai_err err;
	bool plain = true;

	if (ai_utf8_valid(p, n) != n)
		return;
	for (size_t i = 0; i < n; i++)
		plain &= p[i] >= ' ' && p[i] < 0x7F;
	guard_findings_clear(f);
	must(guard_validate(&v, GUARD_USER, f, &err) == 0);
	check(f, p, n);
	must(!plain || f->n == 0);
}

/* The data as a string of JSON. */
static void token(const char *p, size_t n, struct guard_findings *f)
{
	struct ai_buf decoded = AI_BUF_INIT((size_t)1 << 24);
	struct ai_value v;
	struct ai_err err;

	if (ai_json_check(p, n, &v, &err) == 0 && v.kind == AI_STRING &&
	    ai_json_text(v, &decoded) == 0) {
		guard_findings_clear(f);
		must(guard_shape_text(v, (struct ai_span){
			ai_buf_cstr(&decoded), decoded.len }, f, &err) == 0);
		check(f, ai_buf_cstr(&decoded), decoded.len);
		text(ai_buf_cstr(&decoded), decoded.len, f);
	}
	ai_buf_release(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_findings f = { .n = 0 };

	text((const char *)data, size, &f);
	token((const char *)data, size, &f);
	guard_findings_release(&f);
	return 0;
}
