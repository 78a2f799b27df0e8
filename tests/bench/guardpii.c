/*
 * guardpii.c: what the detector of personal data is worth.
 *
 *	guardpii find ROWS...     recall and precision against labelled spans
 *	guardpii benign ROWS...   what is found in harmless rows, by rule
 *	guardpii speed FILE       MB a second of CPU time
 *
 * Rows are {"text","label","source"}, and for find "spans" of
 * {"entity_type","start_position","end_position"} in characters.  Only numbers
 * are printed.
 */
#include "../../bin/guard/guard.h"

#include "base/buf.h"
#include "record/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void die(const char *what, const char *which)
{
	fprintf(stderr, "guardpii: %s '%s'\n", what, which);
	exit(65);
}

/* ---- what is compared ------------------------------------------------------------ */

/* A label and the rules that mean it. */
static const struct kind {
	const char *label, *rules;
} kinds[] = {
	{ "EMAIL_ADDRESS", " email " }, { "CREDIT_CARD", " credit-card " },
	{ "US_SSN", " us-ssn " }, { "IBAN_CODE", " iban " },
	{ "IP_ADDRESS", " ip " }, { "PHONE_NUMBER", " phone " },
	{ "US_DRIVER_LICENSE", " driver-license " },
	{ "DATE_TIME", " birth-date " },
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct count {
	size_t labels, found, exact, told, right, other;
};

static struct count counts[KINDS + 1]; /* the last: rules without a label */

static size_t kind_of_rule(const char *rule)
{
	char w[64];
	size_t i = 0;

	snprintf(w, sizeof w, " %s ", rule);
	while (i < KINDS && strstr(kinds[i].rules, w) == NULL)
		i++;
	return i;
}

static size_t kind_of_label(struct ai_span label)
{
	size_t i = 0;

	while (i < KINDS && !ai_span_is(label, kinds[i].label))
		i++;
	return i;
}

struct spot {
	size_t kind, from, to;
	bool seen;
};

/* ---- rows --------------------------------------------------------------------------- */

static struct guard_findings found;

/* Telephones, by what they were told by. */
static struct { const char *start; size_t told, right; } phones[] = {
	{ "a telephone number with", 0, 0 },
	{ "a telephone number, written", 0, 0 },
	{ "a number near a word", 0, 0 },
};

static void count_phone(const struct guard_finding *x, bool right)
{
	for (size_t i = 0; i < sizeof phones / sizeof *phones; i++)
		if (strncmp(x->why, phones[i].start,
			    strlen(phones[i].start)) == 0) {
			phones[i].told++;
			phones[i].right += right;
		}
}

static int look(void *arg, const struct ai_view *v)
{
	return guard_personal(v, GUARD_USER, &found, arg);
}

static void find(const struct ai_buf *text)
{
	struct ai_err err = { 0 };

	guard_findings_clear(&found);
	if (ai_views((struct ai_span){ text->p, text->len }, look, &err,
		     &err) < 0)
		die("no views:", err.msg);
	guard_findings_sort(&found);
}

/* The byte of the n-th character. */
static size_t byte_of(const struct ai_buf *text, int64_t n)
{
	size_t i = 0;

	for (; i < text->len && n > 0; n--)
		do
			i++;
		while (i < text->len &&
		       ((unsigned char)text->p[i] & 0xC0) == 0x80);
	return i;
}

static int64_t number(struct ai_value v)
{
	int64_t n;

	if (ai_json_i64(v, &n) < 0)
		die("no number:", "a span");
	return n;
}

static size_t spots_of(struct ai_value row, const struct ai_buf *text,
		       struct spot *out, size_t max)
{
	struct ai_json_iter it;
	struct ai_value item;
	size_t n = 0;

	ai_json_iter_init(&it, ai_json_get(row, "spans"));
	while (ai_json_next(&it, NULL, &item) && n < max) {
		struct ai_value type = ai_json_get(item, "entity_type");
		struct ai_span label = { type.s.p + 1, type.s.n - 2 };

		out[n++] = (struct spot){
			kind_of_label(label),
			byte_of(text, number(ai_json_get(item, "start_position"))),
			byte_of(text, number(ai_json_get(item, "end_position"))),
			false,
		};
	}
	return n;
}

static void compare(struct spot *spots, size_t n)
{
	for (size_t i = 0; i < found.n; i++) {
		const struct guard_finding *x = &found.v[i];
		struct count *c = &counts[kind_of_rule(x->rule)];
		bool right = false, other = false;

		c->told++;
		for (size_t k = 0; k < n; k++) {
			struct spot *s = &spots[k];

			if (s->from >= x->to || s->to <= x->from)
				continue;
			if (c != &counts[s->kind] || c == &counts[KINDS]) {
				other = true;
				continue;
			}
			right = true;
			c->found += !s->seen;
			s->seen = true;
			c->exact += s->from == x->from && s->to == x->to;
		}
		c->right += right;
		c->other += !right && other;
		if (strcmp(x->rule, "phone") == 0)
			count_phone(x, right);
	}
	for (size_t k = 0; k < n; k++)
		if (spots[k].kind < KINDS)
			counts[spots[k].kind].labels++;
}

/* ---- files ----------------------------------------------------------------------------- */

static void each_row(const char *path, void (*each)(struct ai_value row,
						    const struct ai_buf *text))
{
	FILE *f = fopen(path, "re");
	struct ai_buf text = AI_BUF_INIT(64 << 20);
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (f == NULL)
		die("cannot open", path);
	while ((len = getline(&line, &cap, f)) > 0) {
		struct ai_value row;
		struct ai_err err;

		ai_buf_clear(&text);
		if (ai_json_check(line, (size_t)len, &row, &err) < 0 ||
		    ai_json_text(ai_json_get(row, "text"), &text) < 0)
			die("bad row in", path);
		ai_buf_cstr(&text);
		each(row, &text);
	}
	free(line);
	ai_buf_release(&text);
	fclose(f);
}

static void on_labelled(struct ai_value row, const struct ai_buf *text)
{
	struct spot spots[256];
	size_t n = spots_of(row, text, spots, 256);

	find(text);
	compare(spots, n);
}

static double percent(size_t a, size_t b)
{
	return b == 0 ? 0 : 100 * (double)a / (double)b;
}

static void print_labelled(void)
{
	printf("%-20s %6s %7s %7s %9s %6s %6s\n", "label", "n", "recall",
	       "exact", "precision", "other", "none");
	for (size_t i = 0; i < KINDS; i++) {
		const struct count *c = &counts[i];

		printf("%-20s %6zu %7.1f %7.1f %9.1f %6zu %6zu\n",
		       kinds[i].label, c->labels, percent(c->found, c->labels),
		       percent(c->exact, c->labels), percent(c->right, c->told),
		       c->other, c->told - c->right - c->other);
	}
	for (size_t i = 0; i < sizeof phones / sizeof *phones; i++)
		printf("phone: %-32s... %4zu found, %5.1f %% labelled so\n",
		       phones[i].start, phones[i].told,
		       percent(phones[i].right, phones[i].told));
	printf("findings of rules that no label stands for: %zu, of these %zu within other labels\n",
	       counts[KINDS].told, counts[KINDS].other);
}

/* ---- harmless rows ------------------------------------------------------------------------ */

#define RULES 128
static struct { const char *rule; size_t n; } by_rule[RULES];
static size_t n_rows, n_flagged, n_bytes;

static void on_benign(struct ai_value row, const struct ai_buf *text)
{
	if (ai_json_get(row, "label").s.p[0] != '0')
		return;
	find(text);
	n_rows++;
	n_bytes += text->len;
	n_flagged += found.n > 0;
	for (size_t i = 0; i < found.n; i++) {
		size_t k = 0;

		while (k < RULES - 1 && by_rule[k].rule != NULL &&
		       strcmp(by_rule[k].rule, found.v[i].rule) != 0)
			k++;
		by_rule[k].rule = found.v[i].rule;
		by_rule[k].n++;
	}
}

static void print_benign(void)
{
	printf("%zu harmless rows, %.1f MB: %zu (%.2f %%) have findings\n",
	       n_rows, (double)n_bytes / 1e6, n_flagged,
	       percent(n_flagged, n_rows));
	for (size_t k = 0; k < RULES && by_rule[k].rule != NULL; k++)
		printf("  %-20s %6zu\n", by_rule[k].rule, by_rule[k].n);
}

/* ---- speed --------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t speed_bytes, speed_found;
static double speed_seconds;

/* The text only: what views cost is told elsewhere. */
static void on_speed(struct ai_value row, const struct ai_buf *text)
{
	struct ai_view v = { .name = "text", .text = { text->p, text->len } };
	struct ai_err err;
	double t = now();

	(void)row;
	for (int i = 0; i < 10; i++) {
		guard_findings_clear(&found);
		if (guard_personal(&v, GUARD_USER, &found, &err) < 0)
			die("cannot look:", err.msg);
	}
	speed_seconds += now() - t;
	speed_bytes += 10 * text->len;
	speed_found += found.n;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("see the top of guardpii.c, not",
		    argc > 1 ? argv[1] : "");
	for (int i = 2; i < argc; i++)
		each_row(argv[i], strcmp(argv[1], "find") == 0 ? on_labelled
				  : strcmp(argv[1], "benign") == 0 ? on_benign
								   : on_speed);
	if (strcmp(argv[1], "find") == 0)
		print_labelled();
	else if (strcmp(argv[1], "benign") == 0)
		print_benign();
	else
		printf("%.0f MB/s (%.1f MB, %zu found)\n",
		       (double)speed_bytes / speed_seconds / 1e6,
		       (double)speed_bytes / 1e7, speed_found);
	guard_findings_release(&found);
	return 0;
}
