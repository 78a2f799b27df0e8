/* What ai-guard tells of findings: lines of a file, events of the ledger. */
#include "../../bin/guard/events.h"
#include "help.h"
#include "tap.h"

#include "crypt/hash.h"

#include "store/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/guard-events-XXXXXX", ledger[64], lines[64];
static struct ai_err err;

#define TEXT "mail me at anna@example.org or anna@example.org"

/* The mail twice, and something that is only flagged. */
static struct guard_finding found[] = {
	{ .kind = GUARD_PERSONAL, .rule = "email", .view = "text", .score = 1,
	  .from = 11, .to = 27, .action = GUARD_REDACT,
	  .why = "anna@example.org is a mail" },
	{ .kind = GUARD_PERSONAL, .rule = "email", .view = "text", .score = 1,
	  .from = 31, .to = 47, .action = GUARD_REDACT },
	{ .kind = GUARD_INVALID, .rule = "schema", .view = "record",
	  .score = .5, .action = GUARD_FLAG },
	{ .kind = GUARD_INJECTION, .rule = "phrase", .view = "text",
	  .score = .25, .from = 0, .to = 4, .action = GUARD_PASS },
};

static int note(struct guard_events *e, const char *line, size_t n)
{
	struct ai_rec rec;
	const struct guard_case c = {
		.rec = &rec, .path = "text", .text = AI_SPAN(TEXT),
		.v = found, .n = n };
	int rc;

	ai_rec_init(&rec);
	rc = ai_rec_parse(&rec, ai_span_of(line), 7, &err);
	if (rc == 0)
		rc = guard_events_note(e, &c, &err);
	ai_rec_release(&rec);
	return rc;
}

/* The member at the path of line n of the file; "" if there is none. */
static const char *member(size_t n, const char *path)
{
	static struct ai_buf file = AI_BUF_INIT(1 << 20),
			     value = AI_BUF_INIT(1 << 20);
	FILE *f = fopen(lines, "r");
	struct ai_value v;
	char *p, *end;

	ai_buf_clear(&file);
	ai_buf_clear(&value);
	ai_buf_read(&file, fileno(f));
	fclose(f);
	for (p = file.p; n > 0 && p != NULL; n--)
		p = strchr(p, '\n') + 1;
	end = strchr(p, '\n');
	if (end == NULL || ai_json_check(p, (size_t)(end - p), &v, &err) < 0)
		return "";
	v = ai_json_get(v, path);
	if (v.kind == AI_STRING)
		ai_json_text(v, &value);
	else
		ai_buf_add(&value, v.s.p, v.s.n);
	return ai_buf_cstr(&value);
}

static void test_file(void)
{
	struct guard_events e;
	struct stat st;
	char *value, hash[AI_HASH_HEX];

	guard_events_settings.file = lines;
	ok(guard_events_start(&err) == 0, "the file is made");
	ok(stat(lines, &st) == 0 && (st.st_mode & 0777) == 0600,
	   "nobody else reads it");
	guard_events_init(&e);
	ok(note(&e, "{\"id\":\"a\\\"b\"}", 4) == 0, "a record is told of");
	ai_hash_of("a\"b", 3, hash);
	ok(strcmp(member(0, "record_blake2b"), hash) == 0 &&
	   *member(0, "record") == '\0' && strcmp(member(0, "line"), "7") == 0,
	   "which it is, by a hash of its id");
	ok(strcmp(member(0, "kind"), "personal") == 0 &&
	   strcmp(member(0, "rule"), "email") == 0 &&
	   strcmp(member(0, "action"), "redact") == 0 &&
	   strcmp(member(0, "span"), "[11,27]") == 0, "what and where");
	ok(strcmp(member(2, "kind"), "invalid") == 0 &&
	   *member(2, "value") == '\0', "what has no bytes has no hash");
	ok(*member(3, "kind") == '\0', "what passes is not told");
	value = strdup(member(0, "value"));
	ok(strlen(value) == 32 && strcmp(member(1, "value"), value) == 0,
	   "the same value has the same hash");
	ok(strcmp(member(0, "traceparent"), "00-0af7651916cd43dd8448eb211c80319c"
		  "-b7ad6b7169203331-01") == 0, "the trace is passed on");
	guard_events_release(&e);
	ok(guard_events_end(&err) == 0 && guard_events_start(&err) == 0,
	   "another run");
	guard_events_init(&e);
	ok(note(&e, "{}", 1) == 0 && *member(3, "record_blake2b") == '\0' &&
	   strlen(member(3, "value")) == 32 &&
	   strcmp(member(3, "value"), value) != 0,
	   "appends, and has another key");
	guard_events_release(&e);
	guard_events_end(&err);
	free(value);
}

/* No byte of what was found is in the file, whatever is told of it. */
static void test_secret(void)
{
	struct ai_buf file = AI_BUF_INIT(1 << 20);
	FILE *f = fopen(lines, "r");

	ai_buf_read(&file, fileno(f));
	fclose(f);
	ok(file.len > 0 && strstr(file.p, "anna") == NULL &&
	   strstr(file.p, "mail ") == NULL, "no word of the text is told");
	ai_buf_release(&file);
}

static void test_fails(void)
{
	struct guard_events e;

	guard_events_settings.file = "/dev/full";
	ok(guard_events_start(&err) == 0, "a full disk");
	guard_events_init(&e);
	ok(note(&e, "{}", 1) < 0 && err.code == AI_E_IO, "is told: %s",
	   err.msg);
	guard_events_release(&e);
	guard_events_end(&err);
	guard_events_settings.file = "/nowhere/events";
	ok(guard_events_start(&err) < 0 && err.code == AI_E_CREATE,
	   "no such folder: %s", err.msg);
	guard_events_settings.file = NULL;
}

struct seen {
	int n;
	char detail[512];
};

static int see(void *arg, const struct ai_event *e)
{
	struct seen *s = arg;

	if (strcmp(e->kind, "guard") != 0)
		return 0;
	s->n++;
	snprintf(s->detail, sizeof s->detail, "%s", e->detail);
	return 0;
}

static void test_ledger(void)
{
	struct seen s = { 0, "" };
	struct guard_events e;
	struct ai_ledger *l;
	int wrong = 0;

	guard_events_settings.audit = true;
	guard_events_settings.ledger = ledger;
	guard_events_start(&err);
	guard_events_init(&e);
	found[0].action = GUARD_FLAG;
	ok(note(&e, "{}", 1) == 0 && guard_events_flush(&e, &err) == 0 &&
	   access(ledger, F_OK) < 0, "a flag alone opens no ledger");
	found[0].action = GUARD_REDACT;
	ok(note(&e, "{\"id\":5}", 4) == 0 && note(&e, "{\"id\":6}", 4) == 0 &&
	   access(ledger, F_OK) < 0, "it waits for the turn's end");
	ok(guard_events_flush(&e, &err) == 0, "and is noted then");
	ok(note(&e, "{\"id\":7}", 4) == 0 && guard_events_flush(&e, &err) == 0,
	   "as is the next turn");
	guard_events_release(&e);
	guard_events_settings.audit = false;
	guard_events_init(&e);
	ok(note(&e, "{}", 4) == 0 && guard_events_flush(&e, &err) == 0,
	   "nothing without --audit");
	guard_events_release(&e);
	guard_events_end(&err);
	ok(ai_ledger_open(&l, ledger, &err) == 0, "the ledger opens");
	ok(ai_ledger_events(l, see, &s, &err) == 0 && s.n == 3,
	   "an event a record");
	ok(strstr(s.detail, "\"action\":\"redact\",\"findings\":2,"
		  "\"rules\":[\"personal/email\"]") != NULL &&
	   strstr(s.detail, "anna") == NULL, "what was done: %s", s.detail);
	ok(ai_ledger_check(l, complain, &wrong, &err) == 0 && wrong == 0,
	   "the chain is whole");
	ok(ai_ledger_note(l, &(struct ai_event){ .kind = "budget",
			  .detail = "{}" }, 1, &err) < 0 &&
	   ai_ledger_note(l, &(struct ai_event){ .kind = "guard",
			  .detail = "{" }, 1, &err) < 0,
	   "what is no event of a program is refused");
	ai_ledger_close(l);
}

int main(void)
{
	setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-"
	       "b7ad6b7169203331-01", 1);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(ledger, sizeof ledger, "%s/ledger.db", dir);
	snprintf(lines, sizeof lines, "%s/events", dir);
	test_file();
	test_secret();
	test_fails();
	test_ledger();
	remove_folder(dir);
	return done();
}
