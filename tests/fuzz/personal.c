/*
 * Personal data: whatever a text is, what is found lies in it, one after the
 * other, and has a rule, a reason and a score.
 */
/* fuzz: bin/guard/personal.c bin/guard/personal-id.c bin/guard/personal-net.c */
/* fuzz: bin/guard/personal-date.c bin/guard/personal-phone.c */
/* fuzz: bin/guard/personal-check.c bin/guard/personal-coin.c */
/* fuzz: bin/guard/find.c build/bin/guard/personal-table.c */
#include "fuzz.h"

#include "../../bin/guard/guard.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own: no byte behind it may be read. */
	char *text = malloc(size + 1);
	struct guard_findings f = { 0 };
	struct ai_err err;
	size_t end = 0;

	must(text != NULL);
	text = realloc(text, size > 0 ? size : 1);
	must(text != NULL);
	memcpy(text, data, size);
	struct ai_view v = { .name = "text", .text = { text, size } };

	must(guard_personal(&v, GUARD_USER, &f, &err) == 0);
	for (size_t i = 0; i < f.n; i++) {
		must(f.v[i].kind == GUARD_PERSONAL);
		must(f.v[i].from < f.v[i].to && f.v[i].to <= size);
		must(f.v[i].from >= end);
		must(f.v[i].score > 0 && f.v[i].score <= 1);
		must(f.v[i].rule[0] != '\0' && f.v[i].why[0] != '\0');
		end = f.v[i].to;
	}
	guard_findings_release(&f);
	free(text);
	return 0;
}
