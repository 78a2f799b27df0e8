/*
 * The JSON Schema Test Suite, draft 2020-12: one line of TAP a file.  Its
 * server on localhost:1234 is not needed: the documents it would serve are
 * handed over with each schema.
 */
#include "record/json.h"
#include "record/schema.h"
#include "shared.h"

#define SUITE "data/suites/json-schema"
#define SERVER "http://localhost:1234/"

/* What is left out, and why. */
static const struct {
	const char *name, *why;
} excluded[] = {
	{ "optional/format-assertion.json",
	  "format is an annotation and never asserts" },
	{ "optional/cross-draft.json", "older drafts have their own rules" },
};

static struct ai_schema_doc docs[64];
static struct ai_buf texts[64];
static size_t n_docs;
static const char *server_path, *suite_folder = "";

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

static void add_doc(const char *path, const char *name)
{
	struct ai_buf uri = AI_BUF_INIT(4096);

	/* What needs the vocabulary format-assertion cannot be used. */
	if (!has_suffix(name, ".json") || n_docs == 64 ||
	    strncmp(name, "format-assertion", 16) == 0)
		return;
	if (shared_read(path, &texts[n_docs]) < 0)
		return;
	ai_buf_fmt(&uri, SERVER "%s", path + strlen(server_path) + 1);
	docs[n_docs].json = (struct ai_span){ texts[n_docs].p,
					      texts[n_docs].len };
	docs[n_docs++].uri = ai_buf_take(&uri);
}

static void add_docs(const char *folder)
{
	struct ai_buf dir = AI_BUF_INIT(4096);

	ai_buf_fmt(&dir, "%s/%s", server_path, folder);
	shared_each(dir.p, add_doc);
	ai_buf_release(&dir);
}

struct count {
	unsigned run, passed;
};

static struct count total;

static void tell(const char *what, struct ai_value group,
		 struct ai_value test, const struct ai_err *err)
{
	struct ai_value g = ai_json_get(group, "description");
	struct ai_value t = ai_json_get(test, "description");

	printf("# %s: %.*s / %.*s (%s)\n", what, (int)g.s.n, g.s.p,
	       (int)t.s.n, t.s.p, err->msg);
}

static void run_test(const struct ai_schema *schema, struct ai_value group,
		     struct ai_value test, struct count *n)
{
	struct ai_value data = ai_json_get(test, "data");
	bool valid = ai_json_true(ai_json_get(test, "valid"));
	struct ai_err err = { .msg = "accepted" };
	int rc = ai_schema_check(schema, data.s.p, data.s.n, &err);

	n->run++;
	if (valid ? rc == 0 : rc < 0 && err.code == AI_E_RECORD)
		n->passed++;
	else
		tell("wrong", group, test, &err);
}

static void run_group(struct ai_value group, struct count *n)
{
	struct ai_value text = ai_json_get(group, "schema"), test;
	struct ai_schema *schema;
	struct ai_json_iter it;
	struct ai_err err = { .msg = "" };

	ai_schema_new_with(&schema, text.s.p, text.s.n, docs, n_docs, &err);
	if (schema == NULL)
		tell("no schema", group, text, &err);
	ai_json_iter_init(&it, ai_json_get(group, "tests"));
	while (ai_json_next(&it, NULL, &test)) {
		if (schema != NULL)
			run_test(schema, group, test, n);
		else
			n->run++;
	}
	ai_schema_free(schema);
}

static void run_file(const char *path, const char *name)
{
	struct count n = { 0, 0 };
	struct ai_json_iter it;
	struct ai_value all, group;
	struct ai_buf text;
	struct ai_buf full = AI_BUF_INIT(4096);

	ai_buf_fmt(&full, "%s%s", suite_folder, name);
	for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++) {
		if (strcmp(full.p, excluded[i].name) == 0) {
			skip("%s: %s", full.p, excluded[i].why);
			ai_buf_release(&full);
			return;
		}
	}
	if (shared_read(path, &text) == 0 &&
	    ai_json_check(text.p, text.len, &all, NULL) == 0) {
		ai_json_iter_init(&it, all);
		while (ai_json_next(&it, NULL, &group))
			run_group(group, &n);
	}
	ok(n.run > 0 && n.passed == n.run, "%s: %u of %u", full.p, n.passed,
	   n.run);
	total.run += n.run;
	total.passed += n.passed;
	ai_buf_release(&text);
	ai_buf_release(&full);
}

static void run_folder(const char *tests, const char *folder, int least)
{
	struct ai_buf dir = AI_BUF_INIT(4096);
	int n;

	suite_folder = folder;
	ai_buf_fmt(&dir, "%s/%s", tests, folder);
	n = shared_each(dir.p, run_file);
	ok(n >= least, "%d files in draft2020-12/%s", n, folder);
	ai_buf_release(&dir);
}

int main(void)
{
	char *tests = shared_path(SUITE "/tests/draft2020-12");
	char *server = tests == NULL ? NULL : shared_path(SUITE "/remotes");

	if (server != NULL) {
		server_path = server;
		add_docs("draft2020-12");
		add_docs("draft2020-12/nested");
		add_docs("draft2020-12/baseUriChange");
		add_docs("draft2020-12/baseUriChangeFolder");
		add_docs("draft2020-12/baseUriChangeFolderInSubschema");
		run_folder(tests, "", 46);
		run_folder(tests, "optional/", 13);
		skip("optional/format: format is an annotation and never asserts");
		printf("# %u of %u tests\n", total.passed, total.run);
	}
	for (size_t i = 0; i < n_docs; i++) {
		free((char *)docs[i].uri);
		ai_buf_release(&texts[i]);
	}
	free(tests);
	free(server);
	return done();
}
