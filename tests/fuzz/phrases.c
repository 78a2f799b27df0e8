/*
 * Phrases: what is found in any bytes lies in them, and is of this detector.
 */
/* fuzz: bin/guard/phrases.c bin/guard/phrase-words.c bin/guard/find.c build/bin/guard/phrase-table.c */
#include "fuzz.h"

#include "../../bin/guard/phrases.h"

struct seen {
	struct guard_findings f;
	struct ai_err err;
};

static int each(void *arg, const struct ai_view *v)
{
	struct seen *s = arg;

	return phrases_find(v, .5, &s->f, &s->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = { 0 };

	must(ai_views((struct ai_span){ (const char *)data, size }, each, &s,
		      &s.err) == 0);
	for (size_t i = 0; i < s.f.n; i++) {
		const struct guard_finding *x = &s.f.v[i];

		must(x->kind == GUARD_INJECTION && x->rule != NULL);
		must(x->from < x->to && x->to <= size);
		must(x->score > 0 && x->score <= 1 && x->why[0] != '\0');
	}
	guard_findings_release(&s.f);
	return 0;
}
