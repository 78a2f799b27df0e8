/* Policies, allow lists, and findings: kept once, in order, whatever their
 * number. */
#include "../../bin/guard/allow.h"
#include "base/start.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* base/start.h: flags are given; the library asks which. */
static bool given;

enum ai_code ai_start_place(const void *to, char *place, size_t size)
{
	(void)to;
	snprintf(place, size, "--policy");
	return AI_E_USAGE;
}

bool ai_start_given(const void *to)
{
	(void)to;
	return given;
}

static void is_str(const char *got, const char *wanted, const char *what)
{
	ok(got != NULL && strcmp(got, wanted) == 0, "%s: %s", what,
	   got != NULL ? got : "(none)");
}

static struct guard_finding finding(enum guard_kind kind, const char *rule,
				    double score, size_t from, size_t to)
{
	return (struct guard_finding){ .kind = kind, .rule = rule,
		.score = score, .from = from, .to = to, .view = "text",
		.why = "" };
}

static const char text[] = "mail bob@shop.example or ring 123";

static enum guard_action decide(enum guard_context context,
				struct guard_finding x, const char **by)
{
	guard_policy_decide(context, ai_span_of(text), &x, by);
	return x.action;
}

static void loads(const char *name)
{
	struct ai_err err = { 0 };

	guard_policy_settings.name = name;
	ok(guard_policy_load(&err) == 0, "%s: %s", name, err.msg);
}

static void adds(const char *rule)
{
	struct ai_err err = { 0 };

	ok(guard_policy_add(rule, "here", AI_E_USAGE, &err) == 0, "%s: %s",
	   rule, err.msg);
}

static void refuses(const char *rule)
{
	struct ai_err err = { 0 };

	ok(guard_policy_add(rule, "here", AI_E_USAGE, &err) < 0 &&
	   err.code == AI_E_USAGE && strncmp(err.msg, "here: ", 6) == 0,
	   "'%s' is refused: %s", rule, err.msg);
}

static void policies(void)
{
	const struct guard_finding email =
		finding(GUARD_PERSONAL, "email", 1, 5, 21);
	const char *by;

	loads("strict");
	ok(decide(GUARD_USER, email, &by) == GUARD_REDACT, "redacted");
	is_str(by, "policy strict: personal=redact", "the rule is named");
	ok(decide(GUARD_USER, finding(GUARD_INJECTION, "classifier", .98, 0, 4),
		  NULL) == GUARD_FLAG, "a weak finding is flagged");
	ok(decide(GUARD_TOOL, finding(GUARD_INJECTION, "classifier", .98, 0, 4),
		  NULL) == GUARD_FLAG, "from a tool as well");
	ok(decide(GUARD_USER, finding(GUARD_INJECTION, "classifier", .997, 0,
				      4), NULL) == GUARD_BLOCK,
	   "a sure one is blocked");
	ok(guard_policy_rate(GUARD_USER, GUARD_INJECTION) == .04, "rate");
	loads("permissive");
	ok(!guard_policy_wants(GUARD_USER, GUARD_PERSONAL), "not wanted");
	ok(guard_policy_wants(GUARD_USER, GUARD_SECRET), "wanted");
	ok(guard_policy_rate(GUARD_TOOL, GUARD_INJECTION) == .001, "rate");
	guard_policy_lenient(true);
	ok(guard_policy_rate(GUARD_TOOL, GUARD_INJECTION) == .2, "lenient");
	guard_policy_lenient(false);
	loads("balanced");
	adds("answer:personal/email=drop");
	guard_policy_ready();
	ok(decide(GUARD_ANSWER, email, &by) == GUARD_DROP, "the last decides");
	is_str(by, "here: answer:personal/email=drop", "and is named");
	ok(decide(GUARD_USER, email, NULL) == GUARD_FLAG, "elsewhere not");
	guard_policy_unload();
}

static void mistakes(void)
{
	loads("balanced");
	refuses("");
	refuses("=");
	refuses("flag");
	refuses("all=");
	refuses("x=flag");
	refuses(":x=flag");
	refuses("user:=x");
	refuses("secret/=flag");
	refuses("all/x=flag");
	refuses("secret@=flag");
	refuses("secret@0=flag");
	refuses("secret@nan=flag");
	refuses("secret=0");
	refuses("secret=1.5");
	refuses("secret@.1=.1");
	adds("user:=flag");
	adds(".5");
	adds("user:secret=1");
	guard_policy_unload();
}

/* ---- allow lists --------------------------------------------------------------- */

static struct guard_allow list;

static void allow(const char *entry)
{
	struct ai_err err = { 0 };

	ok(guard_allow_add(&list, ai_span_of(entry), "here", AI_E_USAGE,
			   &err) == 0, "%s: %s", entry, err.msg);
}

static bool allowed(struct guard_finding x)
{
	return guard_allow_find(&list, GUARD_USER, ai_span_of(text), &x) !=
		NULL;
}

static bool host(const char *name)
{
	return guard_allow_host(&list, name, strlen(name));
}

static void lists(void)
{
	struct guard_finding mail = finding(GUARD_PERSONAL, "email", 1, 5, 21);
	struct guard_finding phone = finding(GUARD_PERSONAL, "phone", 1, 30, 33);

	guard_allow_ready(&list);
	ok(!allowed(mail) && !host("a.example"), "nothing is allowed");
	allow("personal/email text bob@shop.example");
	allow("text bob");
	allow("personal/phone pattern [0-9]{3}");
	allow("host Shop.example.");
	allow("host *.cdn.example");
	allow("answer:personal text 123");
	guard_allow_ready(&list);
	ok(allowed(mail), "a text");
	mail.to--;
	ok(!allowed(mail), "not a part of it");
	mail.to = 8;
	ok(allowed(mail), "another text");
	mail = finding(GUARD_SECRET, "email", 1, 5, 21);
	ok(!allowed(mail), "not of another kind");
	ok(allowed(phone), "a pattern");
	phone.from--;
	ok(!allowed(phone), "that matches all of it");
	phone = finding(GUARD_PERSONAL, "id", 1, 30, 33);
	ok(!allowed(phone), "not of another rule or context");
	ok(host("shop.example") && host("SHOP.EXAMPLE."), "a host");
	ok(!host("a.shop.example") && !host("xshop.example") && !host(""),
	   "and none beside it");
	ok(host("a.cdn.example") && host("a.b.cdn.example"), "all below one");
	ok(!host("cdn.example") && !host("acdn.example"), "without itself");
	guard_allow_release(&list);
}

/* A pattern that is slow, but on nothing that its own letters make. */
static void slow(void)
{
	static const char letter[] = "\xD0\xB6";
	struct guard_finding x = finding(GUARD_SECRET, "key", 1, 0, 0);
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	bool found = false;

	for (int i = 0; i < 8192; i++)
		ai_buf_str(&b, letter);
	ai_buf_str(&b, "z!");
	x.to = b.len;
	allow("pattern \\p{Cyrillic}*\\p{Cyrillic}*\\p{Cyrillic}*z");
	guard_allow_ready(&list);
	for (int i = 0; i < 100; i++)
		found |= guard_allow_find(&list, GUARD_USER, (struct ai_span){
			b.p, b.len }, &x) != NULL;
	ok(!found, "what takes too long allows nothing");
	x.to = 3;
	ok(guard_allow_find(&list, GUARD_USER, AI_SPAN("\xD0\xB6zz"), &x) ==
	   NULL, "and is not asked any more");
	guard_allow_release(&list);
	ai_buf_release(&b);
}

/* ---- findings ------------------------------------------------------------------ */

#define MANY 200000

static struct guard_findings found;

static void finds(const struct ai_view *v, const char *rule, double score,
		  size_t from, size_t to, const char *reason)
{
	struct ai_err err = { 0 };

	if (guard_find(&found, v, GUARD_SECRET, rule, score, from, to, reason,
		       &err) < 0)
		ok(false, "guard_find: %s", err.msg);
}

static void findings(void)
{
	struct ai_view plain = { .name = "text" }, normal = { .name = "normal" };
	char reason[2 * GUARD_REASON];

	guard_findings_begin(&found, 0);
	for (int twice = 0; twice < 2; twice++)
		for (size_t i = 0; i < MANY; i++)
			finds(&plain, "a", .5, 10 * (MANY - i),
			      10 * (MANY - i) + 5, "because");
	ok(found.n == MANY && found.more == 0, "each once");
	guard_findings_begin(&found, 1);
	finds(&plain, "a", .5, 10, 15, NULL);
	ok(found.n == MANY + 1, "and once in each text");
	guard_findings_sort(&found);
	ok(found.v[0].from == 10 && found.v[MANY - 1].from == 10 * (size_t)MANY
	   && found.v[MANY].text == 1, "sorted by place");
	is_str(found.v[7].why, "because", "with its reason");
	is_str(found.v[MANY].why, "", "or none");
	guard_findings_clear(&found);
	ok(found.n == 0 && found.cap == 0, "very many leave nothing behind");

	guard_findings_begin(&found, 0);
	finds(&plain, "a", .5, 10, 20, "plain");
	finds(&normal, "a", .9, 15, 25, "normal");
	finds(&normal, "b", .9, 15, 25, "other");
	finds(&plain, "a", .5, 24, 30, "plain");
	finds(&plain, "c", .5, 24, 30, "plain");
	finds(&plain, "c", .5, 28, 31, "same view");
	guard_findings_sort(&found);
	ok(found.n == 4 && found.v[0].from == 10 && found.v[0].to == 30 &&
	   found.v[0].score == .9, "the same seen twice is one");
	ok(found.v[3].from == 28, "two of one view are two");
	is_str(found.v[0].view, "normal", "as it was seen most surely");
	is_str(found.v[0].why, "normal", "for that reason");
	guard_findings_clear(&found);
	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	for (size_t i = 0; i < 100000; i++) {
		snprintf(reason, 12, "%zu", i);
		reason[strlen(reason)] = 'x';
		finds(&plain, "a", .5, i, i + 1, reason);
	}
	ok(found.n == 100000 && strlen(found.v[0].why) == GUARD_REASON - 1,
	   "long reasons are cut, and many do no harm");
	guard_findings_release(&found);
}

int main(void)
{
	policies();
	mistakes();
	lists();
	slow();
	findings();
	return done();
}
