/*
 * Redaction there and back: the first bytes say what was found and where the
 * text is cut into pieces; restore(redact(x)) is x, in one map for all inputs.
 */
/* fuzz: bin/guard/redact.c bin/guard/map.c bin/guard/map-file.c */
/* fuzz: bin/guard/placeholder.c bin/guard/restorer.c bin/guard/find.c */
#include "../../bin/guard/redact.h"
#include "../../bin/guard/restorer.h"
#include "fuzz.h"
#include "map.h"

#include "base/start.h"

#include <string.h>

#define FOUND 4

static struct guard_redactor *redactor;
static struct guard_map *back;

/* base/start.h: there is no command line. */
bool ai_start_given(const void *to)
{
	(void)to;
	return false;
}

static void begin(void)
{
	static char map[64], key[64];
	struct ai_err err;

	fuzz_map_begin(map, key);
	guard_redact_settings.map = map;
	guard_redact_settings.key = key;
	redactor = guard_redactor_new(NULL, &err);
	back = guard_map_open(map, key, GUARD_MAP_READ, &err);
	must(redactor != NULL && back != NULL);
}

static void find(struct guard_findings *f, const uint8_t *d, size_t n)
{
	static const char *const rules[] = { "email", "text", "phone", "1" };

	for (size_t i = 0; i < FOUND; i++) {
		size_t from = d[2 * i] % (n + 1);

		f->v[f->n++] = (struct guard_finding){
			.rule = rules[d[2 * i] % 4], .view = "text",
			.score = d[2 * i + 1] / 255., .from = from,
			.to = from + d[2 * i + 1] % 16,
			.action = d[2 * i + 1] >= 240 ? GUARD_FLAG
						      : GUARD_REDACT,
		};
	}
	guard_findings_sort(f);
}

static void come_back(const struct ai_buf *from, unsigned step, bool exact,
		      const char *p, size_t n)
{
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 30);
	struct restorer r;
	struct ai_err err;
	size_t at, some;

	restorer_init(&r, back, exact);
	for (at = 0; at < from->len; at += some) {
		some = 1 + (step + at) % (1 + step % 7);
		some = some < from->len - at ? some : from->len - at;
		must(restorer_add(&r, from->p + at, some, &out, &err) == 0);
	}
	must(restorer_end(&r, &out, &err) == 0);
	must(out.len == n && (n == 0 || memcmp(out.p, p, n) == 0));
	restorer_release(&r);
	ai_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_finding v[FOUND];
	struct guard_findings f = { .v = v, .cap = FOUND };
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 30);
	const char *p = (const char *)data + 2 * FOUND + 1;
	struct ai_err err;
	size_t n;

	if (size <= 2 * FOUND)
		return 0;
	if (redactor == NULL)
		begin();
	n = size - 2 * FOUND - 1;
	find(&f, data, n);
	must(guard_redact(redactor, (struct ai_span){ p, n }, &f, NULL, &out,
			  &err) >= 0);
	come_back(&out, data[2 * FOUND], false, p, n);
	come_back(&out, data[2 * FOUND], true, p, n);
	ai_buf_release(&out);
	return 0;
}
