/*
 * shape.c: whether a record, and the text in it, have the shape they should:
 * JSON Schemas, the length of a text, halves of characters.
 */
#include "shape.h"

#include "policy.h"

#include "base/utf8.h"
#include "record/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_MAX ((size_t)1 << 20)

struct guard_shape_settings guard_shape_settings;

/* What the options name, compiled; shared by all threads. */
static struct ai_schema *of_record, *of_text;

/* ---- schemas ------------------------------------------------------------------- */

static int read_file(const char *path, struct ai_buf *b, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = -1;

	if (fd >= 0)
		rc = ai_buf_read(b, fd);
	if (rc < 0 && (fd < 0 || b->bad == AI_E_NONE))
		ai_err_sys(err, AI_E_OPEN, errno, "cannot read '%.200s'",
			   path);
	else if (rc < 0 && b->bad != AI_E_MEMORY)
		ai_err_set(err, AI_E_DATA, "'%.200s' is longer than %zu bytes",
			   path, SCHEMA_MAX);
	else if (rc < 0)
		ai_err_nomem(err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int compile(const char *path, struct ai_schema **schema,
		   struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(SCHEMA_MAX);
	struct ai_err why;
	int rc;

	if (path == NULL || *path == '\0')
		return 0;
	rc = read_file(path, &b, err);
	if (rc == 0) {
		rc = ai_schema_new(schema, ai_buf_cstr(&b), b.len, &why);
		if (rc < 0)
			ai_err_set(err, why.code == AI_E_MEMORY ? AI_E_MEMORY
				   : AI_E_DATA, "'%.150s' is no schema: %.200s",
				   path, why.msg);
	}
	ai_buf_release(&b);
	return rc;
}

int guard_shape_open(struct ai_err *err)
{
	if (compile(guard_shape_settings.schema, &of_record, err) < 0 ||
	    compile(guard_shape_settings.text_schema, &of_text, err) < 0) {
		guard_shape_close();
		return -1;
	}
	return 0;
}

void guard_shape_close(void)
{
	ai_schema_free(of_record);
	ai_schema_free(of_text);
	of_record = of_text = NULL;
}

/* What hits a limit of the checker is an error, and no answer. */
static bool is_answer(const struct ai_err *why)
{
	return why->code == AI_E_RECORD || why->code == AI_E_JSON ||
		why->code == AI_E_UTF8;
}

/* Messages quote values and names, which may be what is taken out elsewhere;
 * then the place in the schema has to do. */
static void say(const struct ai_err *why, const struct ai_buf *where,
		char reason[GUARD_REASON])
{
	const char *p = ai_buf_cstr(where);

	if (why->code != AI_E_RECORD)
		snprintf(reason, GUARD_REASON, "no JSON: %.80s", why->msg);
	else if (!guard_policy_withholds())
		snprintf(reason, GUARD_REASON, "%.80s", why->msg);
	else
		snprintf(reason, GUARD_REASON, "the schema's %.*s is violated",
			 (int)ai_utf8_floor(p, where->len, where->len < 70
					    ? where->len : 70), p);
}

/* 1: json satisfies the schema; 0: reason says why not; -1: nobody knows. */
static int check(const struct ai_schema *schema, struct ai_span json,
		 char reason[GUARD_REASON], struct ai_err *err)
{
	struct ai_buf where = AI_BUF_INIT(1 << 16);
	struct ai_err why;
	int rc = 1;

	if (schema != NULL && ai_schema_check_where(schema, json.p, json.n,
						    &where, &why) < 0) {
		rc = is_answer(&why) ? 0 : -1;
		say(&why, &where, reason);
		if (rc < 0)
			*err = why;
	}
	ai_buf_release(&where);
	return rc;
}

/* That it does not is a finding in 0..to. */
static int find_shape(const struct ai_schema *schema, const char *rule,
		      struct ai_span json, const struct ai_view *v, size_t to,
		      struct guard_findings *f, struct ai_err *err)
{
	char reason[GUARD_REASON];
	int rc = check(schema, json, reason, err);

	return rc != 0 ? (rc < 0 ? -1 : 0)
		: guard_find(f, v, GUARD_INVALID, rule, 1, 0, to, reason, err);
}

/* ---- halves of characters ---------------------------------------------------------- */

/* The four digits behind "\u"; the text passed ai_json_check(). */
static unsigned unit_of(const char *p)
{
	char digits[5] = { p[0], p[1], p[2], p[3], '\0' };

	return (unsigned)strtoul(digits, NULL, 16);
}

static bool is_low(const char *p, const char *end)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
		unit_of(p + 2) >= 0xDC00 && unit_of(p + 2) <= 0xDFFF;
}

/* An escape: how many bytes it is and becomes, and whether it is half a
 * character. */
static size_t escape(const char *p, const char *end, size_t *becomes,
		     bool *half)
{
	unsigned u;

	*half = false;
	*becomes = 1;
	if (p[1] != 'u')
		return 2;
	u = unit_of(p + 2);
	*becomes = u < 0x80 ? 1 : u < 0x800 ? 2 : 3;
	if (u < 0xD800 || u > 0xDFFF)
		return 6;
	if (u < 0xDC00 && is_low(p + 6, end)) {
		*becomes = 4;
		return 12;
	}
	*half = true; /* it becomes U+FFFD */
	return 6;
}

static int find_halves(struct ai_value string, const struct ai_view *v,
		       struct guard_findings *f, struct ai_err *err)
{
	const char *p = string.s.p + 1, *end = string.s.p + string.s.n - 1;
	size_t at = 0, becomes;
	bool half;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));

		if (slash == NULL)
			break;
		at += (size_t)(slash - p);
		p = slash + escape(slash, end, &becomes, &half);
		if (half && guard_find(f, v, GUARD_INVALID, "surrogate", .6,
				       at, at + becomes, "half a character",
				       err) < 0)
			return -1;
		at += becomes;
	}
	return 0;
}

/* ---- all of it -------------------------------------------------------------------- */

static int find_length(struct ai_span text, const struct ai_view *v,
		       struct guard_findings *f, struct ai_err *err)
{
	int64_t max = guard_shape_settings.max_text;
	char reason[GUARD_REASON];

	if (max == 0 || text.n <= (uint64_t)max)
		return 0;
	snprintf(reason, sizeof reason, "%zu bytes; at most %" PRId64
		 " are wanted", text.n, max);
	return guard_find(f, v, GUARD_INVALID, "size", 1, (size_t)max, text.n,
			  reason, err);
}

int guard_shape_text(struct ai_value string, struct ai_span text,
		     struct guard_findings *f, struct ai_err *err)
{
	const struct ai_view v = { .name = "text", .text = text };

	if (find_length(text, &v, f, err) < 0 ||
	    find_shape(of_text, "text-schema", text, &v, text.n, f, err) < 0)
		return -1;
	if (string.kind != AI_STRING ||
	    memmem(text.p, text.n, "\xEF\xBF\xBD", 3) == NULL)
		return 0;
	return find_halves(string, &v, f, err);
}

int guard_shape_record(const struct ai_rec *rec, struct guard_findings *f,
		       struct ai_err *err)
{
	static const struct ai_view none = { .name = "record" };

	return find_shape(of_record, "schema", rec->line, &none, 0, f, err);
}

int guard_shape_empty(const struct ai_rec *rec, struct ai_err *err)
{
	char reason[GUARD_REASON];
	int rc = check(of_record, rec->line, reason, err);

	return rc != 0 ? (rc < 0 ? -1 : 0)
		: ai_err_set(err, AI_E_RECORD, "%s", reason);
}
