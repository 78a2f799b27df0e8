/*
 * Schema and value, with a byte between them that no UTF-8 has (0xFF): no
 * answer without an end, the same answer twice, messages people can read.
 */
#include "base/utf8.h"
#include "record/schema.h"
#include "fuzz.h"

#include <string.h>

static void check_message(const struct ai_err *err)
{
	size_t n = strlen(err->msg);

	must(n > 0 && ai_utf8_valid(err->msg, n) == n);
	for (size_t i = 0; i < n; i++)
		must((unsigned char)err->msg[i] >= 0x20);
}

static void check_value(const struct ai_schema *s, const char *p, size_t n)
{
	struct ai_err err = { .msg = "" }, again;
	int rc = ai_schema_check(s, p, n, &err);

	must(ai_schema_check(s, p, n, &again) == rc);
	if (rc == 0)
		return;
	check_message(&err);
	must(strcmp(err.msg, again.msg) == 0 && err.code == again.code);
	must(err.code == AI_E_RECORD || err.code == AI_E_JSON ||
	     err.code == AI_E_UTF8 || err.code == AI_E_TOO_LONG ||
	     err.code == AI_E_DATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *cut;
	struct ai_schema *s;
	struct ai_err err = { .msg = "" };

	if (size > 65536)
		return 0;
	cut = memchr(p, 0xFF, size);
	if (cut == NULL)
		cut = end;
	if (ai_schema_new(&s, p, (size_t)(cut - p), &err) < 0) {
		must(s == NULL);
		check_message(&err);
		return 0;
	}
	if (cut < end)
		check_value(s, cut + 1, (size_t)(end - cut) - 1);
	/* A schema is a value, too. */
	check_value(s, p, (size_t)(cut - p));
	ai_schema_free(s);
	return 0;
}
