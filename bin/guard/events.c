/* events.c: see events.h. */
#include "events.h"

#include "crypt/hash.h"
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX ((size_t)1 << 18) /* written at once, and one more */
#define DETAILS_MAX ((size_t)64 << 20)
#define FLUSH_AT ((size_t)1 << 20)  /* so many bytes of them are too many */
#define ID_MAX ((size_t)16 << 20)
#define RULES_MAX 16                /* named in an event of the ledger */
#define TRACEPARENT 55
#define TIME_TEXT 32
#define RUN_BYTES 8

struct guard_events_settings guard_events_settings;

/* Of the run; only read once workers run. */
static int file = -1;
static unsigned char key[AI_SEAL_BYTES];
static char run[2 * RUN_BYTES + 1];
static const char *traceparent;

/* ---- the run ----------------------------------------------------------------------- */

/* Version 0 of W3C's Trace Context; what is malformed is not passed on. */
static const char *take_traceparent(void)
{
	const char *p = getenv("TRACEPARENT");

	if (p == NULL || strlen(p) != TRACEPARENT || memcmp(p, "00-", 3) != 0)
		return NULL;
	for (size_t i = 3; i < TRACEPARENT; i++)
		if (i == 35 || i == 52 ? p[i] != '-'
		    : strchr("0123456789abcdef", p[i]) == NULL)
			return NULL;
	return p;
}

int guard_events_start(struct ai_err *err)
{
	const char *name = guard_events_settings.file;
	unsigned char id[RUN_BYTES];

	ai_random(key, sizeof key);
	ai_random(id, sizeof id);
	ai_hex(id, sizeof id, run);
	traceparent = take_traceparent();
	if (name == NULL || *name == '\0')
		return 0;
	file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
		    0600);
	return file >= 0 ? 0 : ai_err_sys(err, AI_E_CREATE, errno,
					  "cannot write events to '%.200s'",
					  name);
}

int guard_events_end(struct ai_err *err)
{
	int fd = file;

	file = -1;
	ai_wipe(key, sizeof key);
	return fd < 0 || close(fd) == 0 ? 0 :
		ai_err_sys(err, AI_E_IO, errno, "cannot write events to "
			   "'%.200s'", guard_events_settings.file);
}

void guard_events_init(struct guard_events *e)
{
	memset(e, 0, sizeof *e);
	ai_buf_init(&e->lines, LINES_MAX * 2);
	ai_buf_init(&e->details, DETAILS_MAX);
	ai_buf_init(&e->id, ID_MAX);
	ai_buf_init(&e->path, ID_MAX);
}

void guard_events_release(struct guard_events *e)
{
	ai_buf_release(&e->lines);
	ai_buf_release(&e->details);
	ai_buf_release(&e->id);
	ai_buf_release(&e->path);
	ai_ledger_close(e->ledger);
	e->ledger = NULL;
}

/* ---- lines of the file ---------------------------------------------------------------- */

static void put(struct ai_buf *b, const char *name, const char *text)
{
	ai_put_key(b, name);
	ai_put_cstr(b, text);
}

static void put_int(struct ai_buf *b, const char *name, size_t v)
{
	ai_put_key(b, name);
	ai_put_i64(b, (int64_t)v);
}

static void put_time(struct ai_buf *b)
{
	struct timespec now;
	char text[TIME_TEXT];
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%03dZ",
		 (int)(now.tv_nsec / 1000000));
	put(b, "time", text);
}

/* The id that the record has; one made of its payload would be a hash that
 * anybody can try values with. */
static int take_id(struct guard_events *e, const struct ai_rec *rec,
		   struct ai_err *err)
{
	ai_buf_clear(&e->id);
	if (ai_rec_id_value(rec).kind == AI_NONE)
		return 0;
	ai_rec_id(rec, "", 0, &e->id);
	return ai_buf_check(&e->id, "the id", err);
}

/* An id may name somebody: its hash is enough to ask whether a record is there,
 * in the file and in the ledger, whose chain is kept for ever. */
static void put_id(struct ai_buf *b, const struct guard_events *e)
{
	char hex[AI_HASH_HEX];

	if (e->id.len == 0)
		return;
	ai_hash_of(e->id.p, e->id.len, hex);
	put(b, "record_blake2b", hex);
}

/* Steps of a path that are no names of the record's maker. */
static const char *const steps[] = {
	"arguments", "body", "choices", "completion", "content", "context",
	"data", "delta", "function", "function_call", "hits", "input",
	"instructions", "message", "messages", "output", "params", "parts",
	"prompt", "query", "source", "system", "template", "text", "title",
	"tool_calls",
};

static bool is_plain(const char *step, size_t n)
{
	if (strspn(step, "0123456789") >= n)
		return true;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strlen(steps[i]) == n && memcmp(steps[i], step, n) == 0)
			return true;
	return false;
}

/* Names in it may be of anybody, and name somebody: only those that are usual
 * are told, and what -p has. */
static void put_path(struct guard_events *e, struct ai_buf *b,
		     const struct guard_case *c)
{
	const char *own = c->named != NULL ? c->named : "", *path = c->path;
	size_t n = strlen(own);

	ai_buf_clear(&e->path);
	if (n > 0 && strncmp(path, own, n) == 0 &&
	    (path[n] == '.' || path[n] == '\0')) {
		ai_buf_add(&e->path, own, n);
		path += n + (path[n] == '.');
	}
	while (*path != '\0') {
		n = strcspn(path, ".");
		ai_buf_fmt(&e->path, "%s%.*s", e->path.len > 0 ? "." : "",
			   is_plain(path, n) ? (int)n : 1,
			   is_plain(path, n) ? path : "*");
		path += n + (path[n] == '.');
	}
	put(b, "path", ai_buf_cstr(&e->path));
}

static void put_value(struct ai_buf *b, struct ai_span text,
		      const struct guard_finding *x)
{
	unsigned char hash[AI_SEAL_BYTES];
	char hex[AI_HASH_HEX];
	struct ai_seal s;

	if (x->to <= x->from || x->to > text.n)
		return;
	ai_seal_init(&s, key);
	ai_seal_add(&s, text.p + x->from, x->to - x->from);
	ai_seal_end(&s, hash);
	ai_hex(hash, AI_HASH_BYTES, hex);
	put(b, "value", hex);
}

/* A finding's reason stays away: words of the text are in it. */
static void put_line(struct guard_events *e, const struct guard_case *c,
		     const struct guard_finding *x)
{
	struct ai_buf *b = &e->lines;

	ai_put_open(b, '{');
	put_time(b);
	put(b, "program", "ai-guard");
	put(b, "run", run);
	put_id(b, e);
	put_int(b, "line", c->rec->number);
	put_path(e, b, c);
	put(b, "context", guard_context_names[c->context]);
	put(b, "kind", guard_kind_names[x->kind]);
	put(b, "rule", x->rule);
	put(b, "action", guard_action_names[x->action]);
	put(b, "view", x->view);
	ai_put_key(b, "span");
	ai_put_open(b, '[');
	ai_put_i64(b, (int64_t)x->from);
	ai_put_i64(b, (int64_t)x->to);
	ai_put_close(b, ']');
	ai_put_key(b, "score");
	ai_put_f64(b, round(x->score * 1e4) / 1e4);
	put_value(b, c->text, x);
	if (traceparent != NULL)
		put(b, "traceparent", traceparent);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

static int write_lines(struct guard_events *e, struct ai_err *err)
{
	if (ai_buf_check(&e->lines, "an event", err) < 0)
		return -1;
	if (ai_buf_write(&e->lines, file) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write events to "
				  "'%.200s'", guard_events_settings.file);
	ai_buf_clear(&e->lines);
	return 0;
}

/* Many at once, and no part of one, so that lines of several programs do not
 * mix. */
static int write_file(struct guard_events *e, const struct guard_case *c,
		      struct ai_err *err)
{
	ai_buf_clear(&e->lines);
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].action > GUARD_PASS)
			put_line(e, c, &c->v[i]);
		if (e->lines.len > LINES_MAX && write_lines(e, err) < 0)
			return -1;
	}
	return write_lines(e, err);
}

/* ---- the ledger ------------------------------------------------------------------------- */

static enum guard_action worst(const struct guard_case *c)
{
	enum guard_action worst = GUARD_PASS;

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].action > worst)
			worst = c->v[i].action;
	return worst;
}

static bool is_named(const struct guard_finding *const *named, size_t n,
		     const struct guard_finding *x)
{
	for (size_t i = 0; i < n; i++)
		if (named[i]->kind == x->kind &&
		    strcmp(named[i]->rule, x->rule) == 0)
			return true;
	return false;
}

static void put_rules(struct ai_buf *b, const struct guard_case *c)
{
	const struct guard_finding *named[RULES_MAX];
	size_t n = 0;
	char name[128];

	ai_put_key(b, "rules");
	ai_put_open(b, '[');
	for (size_t i = 0; i < c->n && n < RULES_MAX; i++) {
		const struct guard_finding *x = &c->v[i];

		if (x->action < GUARD_REDACT || is_named(named, n, x))
			continue;
		snprintf(name, sizeof name, "%s/%.100s",
			 guard_kind_names[x->kind], x->rule);
		ai_put_cstr(b, name);
		named[n++] = x;
	}
	ai_put_close(b, ']');
}

static void put_detail(struct guard_events *e, const struct guard_case *c)
{
	struct ai_buf *b = &e->details;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].action >= GUARD_REDACT;
	ai_put_open(b, '{');
	put(b, "program", "ai-guard");
	put(b, "run", run);
	put_id(b, e);
	put_int(b, "line", c->rec->number);
	put_path(e, b, c);
	put(b, "context", guard_context_names[c->context]);
	put(b, "action", guard_action_names[worst(c)]);
	put_int(b, "findings", n);
	put_rules(b, c);
	if (traceparent != NULL)
		put(b, "traceparent", traceparent);
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
	e->n++;
}

static bool audits(void)
{
	const char *ledger = guard_events_settings.ledger;

	return guard_events_settings.audit &&
		(ledger == NULL || strcmp(ledger, "none") != 0);
}

int guard_events_note(struct guard_events *e, const struct guard_case *c,
		      struct ai_err *err)
{
	enum guard_action action = worst(c);
	bool audit = action >= GUARD_REDACT && audits();

	if (action == GUARD_PASS || (file < 0 && !audit))
		return 0;
	if (take_id(e, c->rec, err) < 0 ||
	    (file >= 0 && write_file(e, c, err) < 0))
		return -1;
	if (!audit)
		return 0;
	put_detail(e, c);
	return e->details.len < FLUSH_AT ? 0 : guard_events_flush(e, err);
}

/* Who has only asked for something to be redacted may not know of a ledger. */
static int open_ledger(struct guard_events *e, struct ai_err *err)
{
	struct ai_err why;

	if (ai_ledger_open(&e->ledger, guard_events_settings.ledger, &why) == 0)
		return 0;
	ai_err_set(err, why.code, "%.250s; what is taken away is noted there: "
		   "name another with --ledger, or note nothing with "
		   "--no-audit or --ledger none", why.msg);
	return -1;
}

int guard_events_flush(struct guard_events *e, struct ai_err *err)
{
	struct ai_event *v;
	char *p = e->details.p, *end;
	int rc = 0;

	if (e->n == 0)
		return 0;
	if (ai_buf_check(&e->details, "what goes into the ledger", err) < 0)
		return -1;
	v = calloc(e->n, sizeof *v);
	if (v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < e->n; i++, p = end + 1) {
		end = strchr(p, '\n');
		*end = '\0';
		v[i] = (struct ai_event){ .kind = "guard", .detail = p };
	}
	if (e->ledger == NULL)
		rc = open_ledger(e, err);
	if (rc == 0)
		rc = ai_ledger_note(e->ledger, v, e->n, err);
	free(v);
	ai_buf_shrink(&e->details, (size_t)1 << 16);
	e->n = 0;
	return rc;
}
