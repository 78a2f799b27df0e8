/*
 * Templates: the first line is a record, the rest a template.  What is taken
 * as one renders without a step beyond its text; a field's value is inserted
 * once and never looked at again.
 * fuzz: bin/complete/template.c
 */
#include "../../bin/complete/complete.h"
#include "fuzz.h"

#include <string.h>

/* One that has no fields renders as itself, but for four braces, which are
 * two. */
static void check_plain(struct ai_span text, const struct ai_buf *out)
{
	struct ai_buf want = AI_BUF_INIT((size_t)1 << 24);

	for (size_t i = 0; i < text.n; i++) {
		ai_buf_chr(&want, text.p[i]);
		if (i + 4 <= text.n && memcmp(text.p + i, "{{{{", 4) == 0) {
			ai_buf_chr(&want, '{');
			i += 3;
		}
	}
	must(want.len == out->len && memcmp(want.p, out->p, want.len) == 0);
	ai_buf_release(&want);
}

static bool has_fields(struct ai_span text)
{
	size_t run = 0;

	for (size_t i = 0; i <= text.n; i++) {
		if (i < text.n && text.p[i] == '{') {
			run++;
			continue;
		}
		if (run % 4 >= 2)
			return true;
		run = 0;
	}
	return false;
}

static void check_render(const struct complete_template *t,
			 struct ai_span text, struct ai_rec *rec)
{
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 24);
	struct ai_err err;
	int rc = complete_template_render(t, rec, &out, &err);

	must(rc == 0 || err.code == AI_E_RECORD || err.code == AI_E_TOO_LONG);
	if (rc == 0 && !has_fields(text))
		check_plain(text, &out);
	ai_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end;
	struct complete_template t;
	struct ai_span text;
	struct ai_rec rec;
	struct ai_err err;

	end = size == 0 ? NULL : memchr(p, '\n', size);
	if (end == NULL)
		return 0;
	text = (struct ai_span){ end + 1, size - (size_t)(end + 1 - p) };
	complete_template_init(&t);
	ai_rec_init(&rec);
	if (complete_template_parse(&t, text, "t", &err) < 0)
		must(err.code == AI_E_DATA);
	else if (ai_rec_parse(&rec, (struct ai_span){ p, (size_t)(end - p) },
			      1, &err) == 0)
		check_render(&t, text, &rec);
	ai_rec_release(&rec);
	complete_template_release(&t);
	return 0;
}
