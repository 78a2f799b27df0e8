/*
 * Rules for secrets: any bytes are rules, or an error with its line.
 */
/* fuzz: bin/guard/rules.c */
#include "fuzz.h"

#include "../../bin/guard/rules.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_rules_text t = { 0 };
	struct ai_err err;

	if (guard_rules_read(&t, (struct ai_span){ (const char *)data, size },
			     &err) < 0) {
		must(err.code == AI_E_DATA);
		must(strncmp(err.msg, "line ", 5) == 0);
	}
	for (size_t i = 0; i < t.n; i++) {
		must(t.rules[i].name != NULL && t.rules[i].form != GUARD_NONE);
		must(t.rules[i].reach <= GUARD_REACH_MAX);
	}
	for (size_t i = 0; i < t.n_keys; i++)
		must(t.keys[i].rule < t.n && strlen(t.keys[i].word) >= 2);
	guard_rules_release(&t);
	return 0;
}
