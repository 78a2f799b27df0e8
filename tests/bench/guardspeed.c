/*
 * guardspeed FILE: what all detectors take for a text, in one thread.
 *
 * FILE has records with a text each.  Each text is looked at in all its views by
 * all detectors, as ai-guard does it, ROUNDS times; what counts is the CPU time
 * of its best round, so that what the machine did meanwhile does not.  Prints
 * texts, MB, MB a second, and microseconds a text: median, 99th of a hundred, and
 * the most.
 */
#include "../../bin/guard/flow.h"
#include "../../bin/guard/policy.h"

#include "base/start.h"
#include "record/config.h"
#include "record/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 3

struct one {
	struct guard_findings found;
	struct ai_err err;
};

static int look(void *arg, const struct ai_view *v)
{
	struct one *o = arg;

	for (size_t i = 0; i < guard_rows_n; i++)
		if (guard_policy_wants(GUARD_DOCUMENT, guard_rows[i].kind) &&
		    guard_rows[i].look(v, GUARD_DOCUMENT, &o->found, &o->err) < 0)
			return -1;
	return 0;
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int measure(struct one *o, struct ai_span text, double *us)
{
	double begun;

	*us = 0;
	for (int round = 0; round < ROUNDS; round++) {
		guard_findings_clear(&o->found);
		guard_findings_begin(&o->found, 0);
		begun = cpu_us();
		if (ai_views(text, look, o, &o->err) < 0)
			return -1;
		begun = cpu_us() - begun;
		if (round == 0 || begun < *us)
			*us = begun;
	}
	return 0;
}

static void print(double *us, size_t n, size_t bytes)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += us[i];
	qsort(us, n, sizeof *us, by_size);
	printf("%zu %.1f %.1f %.0f %.0f %.0f\n", n, (double)bytes / 1e6,
	       (double)bytes / sum, us[n / 2], us[n * 99 / 100], us[n - 1]);
}

static int each_line(FILE *f, struct one *o, double **us, size_t *n,
		     size_t *bytes)
{
	struct ai_buf text = AI_BUF_INIT(GUARD_TEXT_MAX);
	size_t most = 0, room = 0;
	struct ai_value v;
	char *line = NULL;
	double *more;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &room, f)) > 0) {
		ai_buf_clear(&text);
		rc = ai_json_check(line, (size_t)len, &v, &o->err);
		if (rc < 0 || ai_json_text(ai_json_get(v, "text"), &text) < 0)
			break;
		if (*n == most) {
			most = 2 * most + 64;
			more = reallocarray(*us, most, sizeof *more);
			if (more == NULL)
				abort();
			*us = more;
		}
		rc = measure(o, (struct ai_span){ ai_buf_cstr(&text), text.len },
			     *us + *n);
		*n += 1;
		*bytes += text.len;
	}
	free(line);
	ai_buf_release(&text);
	return rc;
}

static int run(int argc, char **argv, struct ai_err *err)
{
	struct one o = { .err.code = AI_E_NONE };
	FILE *f = argc == 1 ? fopen(argv[0], "r") : NULL;
	size_t n = 0, bytes = 0;
	double *us = NULL;
	int rc;

	if (f == NULL)
		return ai_err_set(err, AI_E_USAGE, "one file of records");
	guard_policy_settings.name = "balanced";
	rc = guard_policy_load(&o.err);
	if (rc == 0)
		rc = each_line(f, &o, &us, &n, &bytes);
	if (rc < 0)
		*err = o.err;
	else if (n > 0)
		print(us, n, bytes);
	free(us);
	fclose(f);
	guard_findings_release(&o.found);
	guard_policy_unload();
	return rc;
}

static const struct ai_opt *const tables[] = { NULL };

const struct ai_program ai_program = {
	.name = "guardspeed", .summary = "what all detectors take for a text",
	.synopsis = "FILE\n", .examples = "  guardspeed file\n",
	.options = tables, .configure = ai_config_apply, .run = run,
};
