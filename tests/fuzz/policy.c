/*
 * Rules of a policy and entries of an allow list: any text is one, or an error
 * that names its place; what was read can be asked.
 */
/* fuzz: bin/guard/allow.c bin/guard/decide.c bin/guard/policy.c bin/guard/scope.c */
/* fuzz: bin/guard/find.c bin/guard/names.c build/bin/guard/code-table.c */
/* fuzz: build/bin/guard/phrase-table.c build/bin/guard/secret-table.c */
#include "fuzz.h"

#include "../../bin/guard/allow.h"
#include "base/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* There is no command line. */
enum ai_code ai_start_place(const void *to, char *place, size_t size)
{
	(void)to;
	snprintf(place, size, "--policy");
	return AI_E_USAGE;
}

bool ai_start_given(const void *to)
{
	(void)to;
	return false;
}

static void ask(const struct guard_allow *a, const char *text, size_t n)
{
	struct guard_finding x = { .kind = GUARD_SECRET, .rule = "key",
				   .score = .5, .view = "text", .to = n,
				   .why = "" };
	const char *by;

	for (int c = 0; c < GUARD_CONTEXTS; c++) {
		enum guard_context context = (enum guard_context)c;
		double rate = guard_policy_rate(context, GUARD_SECRET);

		guard_policy_decide(context, (struct ai_span){ text, n }, &x,
				    &by);
		must(x.action == GUARD_PASS ||
		     guard_policy_wants(context, GUARD_SECRET));
		must(rate > 0 && rate <= 1);
		guard_allow_find(a, context, (struct ai_span){ text, n }, &x);
	}
	guard_allow_host(a, text, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct guard_allow a = { 0 };
	struct ai_err err = { 0 };

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	guard_policy_settings.name = "balanced";
	must(guard_policy_load(&err) == 0);
	if (guard_policy_add(text, "here", AI_E_CONFIG, &err) < 0)
		must(strncmp(err.msg, "here: ", 6) == 0);
	else
		guard_policy_ready();
	if (guard_allow_add(&a, (struct ai_span){ text, size }, "here",
			    AI_E_CONFIG, &err) < 0)
		must(strncmp(err.msg, "here: ", 6) == 0 ||
		     err.code == AI_E_TOO_LONG);
	else
		guard_allow_ready(&a);
	if (a.ready)
		ask(&a, text, size);
	guard_allow_release(&a);
	guard_policy_unload();
	free(text);
	return 0;
}
