/* bin/agent/flow/text.c and flow/cond.c: texts and conditions, against readers
 * that were written another way, on random ones. */
#include "flow/flow.h"

#include "agent-flow.h"
#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 3000
#define TREES 1500

static struct ai_err err;

/* A file whose task x has this description and condition; p, q, r are tasks. */
static int parse(struct flow *f, const char *text, const char *when)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	int rc;

	ai_buf_str(&b, "{\"agents\":{\"a\":{}},\"tasks\":{\"x\":{\"agent\":"
		       "\"a\",\"description\":");
	ai_put_str(&b, text, strlen(text));
	if (when != NULL)
		ai_buf_fmt(&b, ",\"when\":%s", when);
	ai_buf_str(&b, "}");
	for (const char *t = "pqr"; *t != '\0'; t++)
		ai_buf_fmt(&b, ",\"%c\":{\"agent\":\"a\",\"description\":\"d\","
			   "\"schema\":true}", *t);
	ai_buf_str(&b, "}}");
	err.msg[0] = '\0';
	rc = flow_parse(f, b.p, b.len, "f", "/", &err);
	ai_buf_release(&b);
	return rc;
}

/* ---- the values ---------------------------------------------------------------- */

static const char *values[256]; /* by the first letter of the name; JSON */

static struct ai_value get(void *arg, const struct flow_piece *p)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };
	const char *json = values[(unsigned char)p->name[0]];

	(void)arg;
	if (json != NULL)
		ai_json_check(json, strlen(json), &v, NULL);
	return v;
}

static const struct flow_scope scope = { get, NULL };

/* ---- texts, against one that marks them ---------------------------------------- */

/* The same rules from their description: four braces are two; of three the
 * first stands alone; two begin a name that ends at the next two. false: it is
 * none.  out: the text with the values in it. */
static bool naive(const char *s, struct ai_buf *out)
{
	size_t i = 0, n = strlen(s), k;
	const char *end;
	char name[100];

	while (i < n) {
		if (strncmp(s + i, "{{{{", 4) == 0) {
			ai_buf_str(out, "{{");
			i += 4;
			continue;
		}
		if (strncmp(s + i, "{{", 2) != 0 ||
		    (strncmp(s + i, "{{{", 3) == 0)) {
			ai_buf_chr(out, s[i++]);
			continue;
		}
		end = strstr(s + i, "}}");
		if (end == NULL || (size_t)(end - s) - i - 2 >= sizeof name)
			return false;
		k = (size_t)(end - s) - i - 2;
		memcpy(name, s + i + 2, k);
		name[k] = '\0';
		i += k + 4;
		while (k > 0 && name[k - 1] == ' ')
			name[--k] = '\0';
		end = name + strspn(name, " ");
		if (strcmp(end, "p") == 0)
			ai_buf_str(out, "{\"k\":[1,\"two\"]}");
		else if (strcmp(end, "p.k.1") == 0)
			ai_buf_str(out, "two");
		else if (strcmp(end, "q") == 0)
			ai_buf_str(out, "a{{b");
		else if (strcmp(end, "r") != 0 && strcmp(end, "r.k") != 0 &&
			 strcmp(end, "q.k") != 0 && strcmp(end, "p.x") != 0)
			return false;
	}
	return true;
}

static void random_text(char *s, size_t max)
{
	static const char *const parts[] = { "{", "}", "{{", "}}", "{{p}}",
		"{{ p.k.1 }}", "{{q}}", "{{r}}", "p", "q", ".k", ".", " ", "r",
		"\\", "x", "{{p.x}}", "{{q.k}}", "{{r.k}}" };
	size_t n = next() % 8 + 1;

	s[0] = '\0';
	while (n-- > 0) {
		const char *part = parts[next() % (sizeof parts /
						   sizeof parts[0])];

		if (strlen(s) + strlen(part) + 1 < max)
			memcpy(s + strlen(s), part, strlen(part) + 1);
	}
}

/* What is said of it reads back as the same. */
static bool says_itself(const struct flow_text *t)
{
	struct ai_buf said = AI_BUF_INIT(4096), a = AI_BUF_INIT(4096),
		b = AI_BUF_INIT(4096);
	struct flow f;
	bool same;

	flow_text_say(t, &said);
	same = parse(&f, ai_buf_cstr(&said), NULL) == 0 &&
		flow_text_put(t, &scope, &a, &err) == 0 &&
		flow_text_put(&f.tasks[0].description, &scope, &b, &err) == 0 &&
		strcmp(ai_buf_cstr(&a), ai_buf_cstr(&b)) == 0;
	flow_release(&f);
	ai_buf_release(&said);
	ai_buf_release(&a);
	ai_buf_release(&b);
	return same;
}

static void check_texts(void)
{
	size_t taken = 0, refused = 0;
	bool same = true, back = true;
	char s[200];

	values['p'] = "{\"k\":[1,\"two\"]}";
	values['q'] = "\"a{{b\"";
	values['r'] = NULL;
	for (size_t i = 0; i < TEXTS && same && back; i++) {
		struct ai_buf want = AI_BUF_INIT(4096), got = AI_BUF_INIT(4096);
		struct flow f;
		bool is;

		random_text(s, sizeof s);
		is = naive(s, &want);
		if (parse(&f, s, NULL) < 0) {
			same = !is;
			refused++;
		} else {
			const struct flow_text *t = &f.tasks[0].description;

			same = is && flow_text_put(t, &scope, &got, &err) == 0 &&
				strcmp(ai_buf_cstr(&got),
				       ai_buf_cstr(&want)) == 0;
			back = says_itself(t);
			taken++;
		}
		flow_release(&f);
		ai_buf_release(&want);
		ai_buf_release(&got);
		if (!same || !back)
			printf("# text '%s': %s\n", s, err.msg);
	}
	ok(same, "%zu texts are read as they are described, %zu refused", taken,
	   refused);
	ok(back, "what is said of them reads the same");
	ok(taken > TEXTS / 10 && refused > TEXTS / 10, "there were both kinds");
}

/* ---- conditions: the tests ----------------------------------------------------- */

static int holds_of(const char *when)
{
	struct flow f;
	bool holds = false;
	int rc = parse(&f, "d", when);

	if (rc == 0)
		rc = flow_cond_holds(f.tasks[0].when, &scope, &holds, &err);
	flow_release(&f);
	return rc < 0 ? -1 : holds;
}

static void check_tests(void)
{
	static const struct {
		const char *value, *test; /* of {{p}} */
		bool holds;
	} rows[] = {
		{ "1", "\"is\":1", true }, { "1.0", "\"is\":1", true },
		{ "10e-1", "\"is\":1", true }, { "\"1\"", "\"is\":1", true },
		{ "\"1.00\"", "\"is\":1", true }, { "1", "\"is\":\"1\"", true },
		{ "2", "\"is\":1", false }, { "true", "\"is\":\"true\"", true },
		{ "\"true\"", "\"is\":true", true },
		{ "null", "\"is\":null", true }, { NULL, "\"is\":null", false },
		{ NULL, "\"is\":\"\"", true }, { "\"\"", "\"is\":\"\"", true },
		{ "[1,2]", "\"is\":[1,2.0]", true },
		{ "[2,1]", "\"is\":[1,2]", false },
		{ "{\"a\":1,\"b\":2}", "\"is\":{\"b\":2,\"a\":1}", true },
		{ "\"{\\\"a\\\": 1}\"", "\"is\":{\"a\":1}", true },
		{ "12345678901234567890123", "\"is\":12345678901234567890124",
		  false },
		{ "\"yes, it is\"", "\"contains\":\"it\"", true },
		{ "\"yes\"", "\"contains\":\"no\"", false },
		{ "\"yes\"", "\"contains\":\"\"", true },
		{ NULL, "\"contains\":\"x\"", false },
		{ "[\"ab\",\"c\"]", "\"contains\":\"c\"", true },
		{ "[\"ab\",\"c\"]", "\"contains\":\"b\"", false },
		{ "{\"k\":\"abc\"}", "\"contains\":\"bc\"", true },
		{ "\"line\\nOK\"", "\"matches\":\"OK$\"", true },
		{ "\"OKAY\"", "\"matches\":\"^OK$\"", false },
		{ NULL, "\"matches\":\"^$\"", true },
		{ "3", "\"less\":3.5", true }, { "3", "\"less\":3", false },
		{ "\"3\"", "\"more\":2", true }, { "\"x\"", "\"more\":2", false },
		{ "\" 3 \"", "\"more\":2", true },
		{ NULL, "\"less\":5", false }, { "null", "\"less\":5", false },
		{ "1e400", "\"more\":1e399", true },
		{ "0.1", "\"exists\":true", true },
		{ "null", "\"exists\":true", false },
		{ "\"\"", "\"exists\":true", false },
		{ NULL, "\"exists\":false", true },
		{ "[]", "\"exists\":true", true },
		{ "false", "\"exists\":false", false },
	};
	char when[300];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		values['p'] = rows[i].value;
		snprintf(when, sizeof when, "{\"value\":\"{{p}}\",%s}",
			 rows[i].test);
		ok(holds_of(when) == rows[i].holds, "%s: {%s} %s", rows[i].value
		   == NULL ? "nothing" : rows[i].value, rows[i].test,
		   rows[i].holds ? "holds" : "does not hold");
	}
	values['p'] = "7";
	ok(holds_of("{\"value\":\"a{{p}}b\",\"is\":\"a7b\"}") == 1,
	   "a text with a name in it");
	values['p'] = "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"";
	ok(holds_of("{\"value\":\"{{p}}\",\"matches\":\"^(a+a+)+(a+)+$\"}") ==
	   -1 && err.code == AI_E_TOO_LONG, "a pattern that takes too long is "
	   "an error: %s", err.msg);
}

/* ---- conditions: trees, against truth ------------------------------------------ */

/* p is "1", q is "0", r is not there; the leaf's truth is known. Returns it. */
static bool put_tree(struct ai_buf *b, size_t depth)
{
	size_t kind = depth == 0 ? next() % 2 : next() % 6, n;
	bool truth, part;

	if (kind < 2) {
		truth = next() % 2 != 0;
		ai_buf_fmt(b, "{\"value\":\"{{%c}}\",\"is\":%d}",
			   truth ? 'p' : 'q', 1);
		return truth;
	}
	if (kind == 2) {
		ai_buf_str(b, "{\"not\":");
		truth = !put_tree(b, depth - 1);
		ai_buf_chr(b, '}');
		return truth;
	}
	ai_buf_str(b, kind % 2 != 0 ? "{\"all\":[" : "{\"any\":[");
	truth = kind % 2 != 0;
	for (n = next() % 4 + 1; n > 0; n--) {
		part = put_tree(b, depth - 1);
		truth = kind % 2 != 0 ? truth && part : truth || part;
		ai_buf_str(b, n > 1 ? "," : "]}");
	}
	return truth;
}

static void check_trees(void)
{
	size_t held = 0;
	bool same = true;

	values['p'] = "1";
	values['q'] = "0";
	for (size_t i = 0; i < TREES && same; i++) {
		struct ai_buf b = AI_BUF_INIT(1 << 20);
		bool want = put_tree(&b, next() % 5);
		int got = holds_of(ai_buf_cstr(&b));

		same = got == (int)want;
		held += got == 1;
		if (!same)
			printf("# %s: %d\n", ai_buf_cstr(&b), got);
		ai_buf_release(&b);
	}
	ok(same, "%d trees of conditions hold when they should (%zu)", TREES,
	   held);
	ok(held > TREES / 4 && held < TREES * 3 / 4, "there were both kinds");
}

static void check_said(void)
{
	struct ai_buf b = AI_BUF_INIT(4096);
	struct flow f;

	ok(parse(&f, "d", "{\"all\":[{\"any\":[{\"value\":\"{{p.k}}\","
		 "\"less\":3},{\"value\":\"{{{{{{q}}\",\"exists\":false}]},"
		 "{\"not\":{\"value\":\"x\",\"matches\":\"a\\\"b\"}}]}") == 0,
	   "a condition: %s", err.msg);
	flow_cond_say(f.tasks[0].when, &b);
	ok(strcmp(ai_buf_cstr(&b), "({{p.k}} is less than 3 or {{{{{{q}} is not "
		  "there) and not x matches \"a\\\"b\"") == 0, "is said: %s",
	   ai_buf_cstr(&b));
	flow_release(&f);
	ai_buf_release(&b);
}

int main(void)
{
	state = 20261130;
	find_data();
	printf("# seed %" PRIu64 "\n", state);
	check_texts();
	check_tests();
	check_trees();
	check_said();
	return done();
}
