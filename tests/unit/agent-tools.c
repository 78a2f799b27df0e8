/* Tools files, argument templates, programs as tools. */
#include "tool/tools-file.h"

#include "agent.h"
#include "tool/args.h"
#include "tool/program.h"
#include "tap.h"
#include "tool/template.h"

#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[] = "/tmp/agent-tools-XXXXXX";
static struct agent_sandbox sandbox;
static struct agent_tools tools;
static struct agent_servers servers;
static struct ai_err err;

static int parse(const char *text)
{
	char *copy = strdup(text);
	int rc;

	agent_tools_release(&tools);
	agent_servers_release(&servers);
	rc = agent_tools_parse(&tools, copy, strlen(copy), "t.json", base,
			       &sandbox, &servers, &err);
	free(copy);
	return rc;
}

/* One tool with that inside, beside a name and a description. */
static int parse_tool(const char *inside)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	int rc;

	ai_buf_fmt(&b, "{\"tools\":[{\"name\":\"t\",\"description\":\"d\",%s}]}",
		   inside);
	rc = parse(b.p);
	ai_buf_release(&b);
	return rc;
}

static bool says(const char *part)
{
	bool there = strstr(text(), part) != NULL ||
		     strstr(call_err.msg, part) != NULL;

	if (!there)
		printf("# text: %.600s\n# error: %s\n", text(), call_err.msg);
	return there;
}

static bool run(const char *args)
{
	return run_tool(&tools, "t", args) == 0 && !call.failed;
}

/* ---- the file --------------------------------------------------------------- */

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "{\n\"tools\": [\n{\"name\":\"a\",}]}", "t.json:3: " },
	{ "", "t.json:1: " },
	{ "[]", "t.json:1: " },
	{ "{\"tools\":[\n{\"name\":\"a\",\"description\":\"d\","
	  "\"command\":[\"x\"],\n\"timeout\":3}]}",
	  "t.json:3: tools.0.timeout: not a known key; did you mean "
	  "'timeout_s'?" },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\"}]}",
	  "t.json:1: tools.0: " },
	{ "{\"tools\":[{\"name\":\"a b\",\"description\":\"d\","
	  "\"command\":[\"x\"]}]}", "t.json:1: tools.0.name: " },
	{ "// one\n/* two\n three */{\"tools\":[{\"name\":\"a\","
	  "\"description\":\"d\",\n\"command\":[]}]}",
	  "t.json:4: tools.0.command: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"parameters\":{\"type\":\"object\",\n\"properties\":{"
	  "\"q\":\n{\"type\":\"strin\"}}}}]}",
	  "t.json:4: tools.0.parameters.properties.q.type: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"parameters\":{}}]}", "t.json:2: tools.0.parameters: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"]},\n{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"]}]}", "t.json:2: tools.1: there is already a tool" },
	{ "{\"tools\":[{\"name\":\"a\",\"name\":\"b\",\"description\":\"d\","
	  "\"command\":[\"x\"]}]}", "t.json:1: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\n\"command\":"
	  "[\"x\",\"{q}\"]}]}",
	  "t.json:2: tools.0.command.1: '{q}' names none" },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"effect\":\"maybe\"}]}", "t.json:2: tools.0.effect: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\"effect\":\"pure\",\n\"writes\":true}]}",
	  "t.json:2: tools.0.writes: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"targets\":[\"to\"]}]}", "t.json:2: tools.0.targets: "
	  "'to' names none" },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"env\":{\"A\":{\"from\":\"AI_NO_SUCH\"}}}]}",
	  "t.json:2: tools.0.env.A: the environment has no 'AI_NO_SUCH'" },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\"sandbox\":{\n\"ports\":[0]}}]}",
	  "t.json:2: tools.0.sandbox.ports.0: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\n\"sandbox\":\"on\"}]}", "t.json:2: tools.0.sandbox: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"command\":"
	  "[\"x\"],\"effect\":\n{\"transactional\":{\"database\":\"a\","
	  "\"table\":\"a\\\"b\"}}}]}",
	  "t.json:2: tools.0.effect.transactional.table: " },
	{ "{\"mcpServers\":{\n\"a\":3}}", "t.json:2: mcpServers.a: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"parameters\":{"
	  "\"type\":\"object\",\"properties\":{\"p\":{}}},\n\"command\":"
	  "[\"{p}\"]}]}", "t.json:2: tools.0.command.0: the program must be" },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\"parameters\":{"
	  "\"type\":\"object\",\"properties\":{\"p\":{}}},\n\"command\":"
	  "[\"x\",\"a{p...}\"]}]}", "t.json:2: tools.0.command.1: " },
	{ "{\"tools\":[{\"name\":\"a\",\"description\":\"d\",\n\"command\":"
	  "[\"x\",\"{p\"]}]}", "t.json:2: tools.0.command.1: '}' is missing" },
};

static void test_wrong(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		err.msg[0] = '\0';
		ok(parse(wrong[i].text) < 0 && err.code == AI_E_CONFIG &&
		   strncmp(err.msg, wrong[i].message,
			   strlen(wrong[i].message)) == 0, "%s", err.msg);
		if (strncmp(err.msg, wrong[i].message,
			    strlen(wrong[i].message)) != 0)
			printf("# wanted: %s\n", wrong[i].message);
	}
	ok(agent_tools_read(&tools, "none.json", &sandbox, &servers, &err) < 0
	   && err.code == AI_E_OPEN, "%s", err.msg);
}

static void test_defaults(void)
{
	const struct agent_tool *t;
	char *copy;

	ok(parse("// a comment\n{\"tools\": [ { \"name\": \"t\", /* x */\n"
		 "\"description\": \"d\", \"command\": [\"true\"] } ],\n"
		 "\"mcpServers\": {\"fs\": { \"command\" : \"npx\" }}}") == 0,
	   "a file with comments");
	t = agent_tools_find(&tools, AI_SPAN("t"));
	ok(t != NULL && t->effect == AGENT_ONCE && t->writes && !t->trusted &&
	   !t->sends && !t->serial && t->max_calls < 0 && t->timeout_s == 30,
	   "what is not said is unsafe");
	ok(servers.n == 1 && strcmp(servers.v[0].name, "fs") == 0 &&
	   strcmp(servers.v[0].spec, "{\"command\":\"npx\"}") == 0 &&
	   strcmp(servers.v[0].where, "t.json:4: mcpServers.fs") == 0,
	   "a server");
	ok(parse_tool("\"command\":[\"true\"],\"effect\":\"pure\"") == 0 &&
	   !tools.v[0].writes && tools.v[0].effect == AGENT_PURE, "pure");
	ok(parse_tool("\"command\":[\"true\"],\"writes\":false") == 0 &&
	   tools.v[0].effect == AGENT_PURE, "one that writes nothing");
	ok(parse_tool("\"command\":[\"true\"],\"effect\":\"pure\","
		      "\"sandbox\":{\"ports\":[443]}") == 0 && tools.v[0].sends,
	   "one that reaches a network sends");
	copy = strdup("{}");
	ok(agent_tools_parse(&tools, copy, 2, "e", base, &sandbox, &servers,
			     &err) == 0, "an empty file");
	free(copy);
}

/* ---- templates -------------------------------------------------------------- */

#define SCHEMA "{\"properties\":{\"a\":{},\"b\":{},\"list\":{},\"flag\":{}," \
	"\"key\":{}}}"

static const struct {
	const char *command, *args, *want; /* | between; NULL: refused */
} templates[] = {
	{ "[\"x\",\"{a}\"]", "{\"a\":\"$(id) `id` ; 'x' \\\"y\\\"\"}",
	  "x|$(id) `id` ; 'x' \"y\"" },
	{ "[\"x\",\"{a}\"]", "{}", "x" },
	{ "[\"x\",\"--a={a}\"]", "{\"a\":12.50}", "x|--a=12.50" },
	{ "[\"x\",\"--a={a}\"]", "{\"a\":null}", "x" },
	{ "[\"x\",\"{a}{b}\"]", "{\"b\":\"q\"}", "x|q" },
	{ "[\"x\",\"{a}-{b}\"]", "{\"a\":true,\"b\":{ \"c\" : [1, 2] }}",
	  "x|true-{\"c\":[1,2]}" },
	{ "[\"x\",\"{{a}\",\"a}b\"]", "{}", "x|{a}|a}b" },
	{ "[\"x\",[\"-n\",\"{a}\"],\"y\"]", "{}", "x|y" },
	{ "[\"x\",[\"-n\",\"{a}\"],\"y\"]", "{\"a\":3}", "x|-n|3|y" },
	{ "[\"x\",\"{list...}\"]", "{\"list\":[\"a b\",2,[3]]}",
	  "x|a b|2|[3]" },
	{ "[\"x\",\"{list...}\"]", "{\"list\":[]}", "x" },
	{ "[\"x\",\"{list...}\"]", "{}", "x" },
	{ "[\"x\",\"{flag?--verbose}\"]", "{\"flag\":true}", "x|--verbose" },
	{ "[\"x\",\"{flag?--verbose}\"]", "{\"flag\":false}", "x" },
	{ "[\"x\",\"{a}\"]", "{\"a\":\"\"}", "x|" },
	{ "[\"x\",\"{a}\"]", "{\"a\":\"-rf\"}", NULL },
	{ "[\"x\",\"{a}\"]", "{\"a\":-1}", NULL },
	{ "[\"x\",\"{a}{b}\"]", "{\"a\":\"\",\"b\":\"-rf\"}", NULL },
	{ "[\"x\",\"{list...}\"]", "{\"list\":[\"a\",\"--b\"]}", NULL },
	{ "[\"x\",\"--\",\"{a}\"]", "{\"a\":\"-rf\"}", "x|--|-rf" },
	{ "[\"x\",\"{b}\",\"{a}\"]", "{\"b\":\"--\",\"a\":\"-rf\"}", NULL },
	{ "[\"x\",[\"--\",\"{b}\"],\"{a}\"]", "{\"a\":\"-rf\"}", NULL },
	{ "[\"x\",\"-{a}\"]", "{\"a\":\"-rf\"}", "x|--rf" },
	{ "[\"x\",\"{b}\"]", "{\"b\":\"-5\"}", NULL },
	{ "[\"x\",\"{a}\"]", "{\"a\":\"n\\u0000l\"}", NULL },
	{ "[\"x\",\"{a}\"]", "{\"a\":\"{b}\",\"b\":\"no\"}", "x|{b}" },
	{ "[\"x\",\"{key}\"]", "{\"key\":\"mine\"}", "x|mine" },
};

static void join(const struct agent_strings *s, struct ai_buf *out)
{
	for (size_t i = 0; i < s->n; i++)
		ai_buf_fmt(out, "%s%s", i > 0 ? "|" : "", s->v[i]);
}

static struct ai_value json(const char *text_)
{
	struct ai_value v;

	ai_json_check(text_, strlen(text_), &v, NULL);
	return v;
}

static void test_template(size_t i)
{
	struct agent_template t;
	struct agent_strings out = { 0 };
	struct ai_buf b = AI_BUF_INIT(10000);
	int rc = agent_template_read(&t, json(templates[i].command),
				     json(SCHEMA), json("[]"), &err);

	if (rc == 0)
		rc = agent_template_fill(&t, json(templates[i].args), KEY,
					 &out, &err);
	join(&out, &b);
	if (templates[i].want == NULL)
		ok(rc < 0 && err.code == AI_E_RECORD, "%s %s: %s",
		   templates[i].command, templates[i].args, err.msg);
	else
		ok(rc == 0 && strcmp(ai_buf_cstr(&b), templates[i].want) == 0,
		   "%s %s: %s", templates[i].command, templates[i].args,
		   ai_buf_cstr(&b));
	agent_strings_release(&out);
	agent_template_release(&t);
	ai_buf_release(&b);
}

static void test_templates(void)
{
	struct agent_template t;
	struct agent_strings out = { 0 };
	struct ai_buf args = AI_BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++)
		test_template(i);
	ok(agent_template_read(&t, json("[\"x\",\"{a}\"]"), json(SCHEMA),
			       json("[\"a\"]"), &err) == 0 &&
	   agent_template_fill(&t, json("{\"a\":\"-5\"}"), KEY, &out,
			       &err) == 0 && strcmp(out.v[1], "-5") == 0,
	   "allow_dash");
	ai_buf_str(&args, "{\"a\":\"");
	for (int i = 0; i < 200000; i++)
		ai_buf_chr(&args, 'x');
	ai_buf_str(&args, "\"}");
	ok(agent_template_fill(&t, json(args.p), KEY, &out, &err) < 0 &&
	   err.code == AI_E_RECORD && strstr(err.msg, "too long") != NULL,
	   "%s", err.msg);
	agent_strings_release(&out);
	agent_template_release(&t);
	ok(agent_template_read(&t, json("[\"x\",\"{key}\"]"), json("{}"),
			       json("[]"), &err) == 0 &&
	   agent_template_fill(&t, json("{}"), KEY, &out, &err) == 0 &&
	   strcmp(out.v[1], KEY) == 0, "the idempotency key");
	agent_strings_release(&out);
	agent_template_release(&t);
	ai_buf_release(&args);
}

/* ---- arguments -------------------------------------------------------------- */

static bool check(const char *args, const char *want)
{
	struct ai_buf b = AI_BUF_INIT(AGENT_ARGS_MAX);
	int rc = agent_args_check(&tools.v[0], ai_span_of(args), &b, &call_err);
	bool good = want == NULL ? rc < 0 && call_err.code == AI_E_RECORD :
		    rc == 0 && strcmp(b.p, want) == 0;

	if (!good)
		printf("# %s: %s\n", ai_buf_cstr(&b), call_err.msg);
	ai_buf_release(&b);
	return good;
}

static void test_args(void)
{
	parse_tool("\"command\":[\"true\"],\"parameters\":{\"type\":\"object\","
		   "\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1},"
		   "\"s\":{\"type\":\"string\"}},"
		   "\"additionalProperties\":false}");
	ok(check("", "{}") && check("  ", "{}") && check("null", "{}") &&
	   check("\"\"", "{}") && check("{}", "{}") && check("\"{}\"", "{}"),
	   "nothing in its many forms");
	ok(check(" { \"n\" : 2 ,\n\"s\":\" \\\" x \"} ",
		 "{\"n\":2,\"s\":\" \\\" x \"}"), "blanks between go");
	ok(check("\"{\\\"n\\\": 3}\"", "{\"n\":3}"),
	   "an object in a string is taken out");
	ok(check("{\"n\":}", NULL) && says("not JSON"), "%s", call_err.msg);
	ok(check("{\"n\":1", NULL), "%s", call_err.msg);
	ok(check("[1]", NULL) && says("an array"), "%s", call_err.msg);
	ok(check("\"hello\"", NULL) && says("a string"), "%s", call_err.msg);
	ok(check("\"\\\"{}\\\"\"", NULL), "%s", call_err.msg);
	ok(check("{\"n\":0}", NULL) && says("n: 0 is less"), "%s",
	   call_err.msg);
	ok(check("{\"N\":1}", NULL) && says("not a known key"), "%s",
	   call_err.msg);
	ok(check("{\"n\":\"1\"}", NULL), "%s", call_err.msg);
	ok(check("{\"n\":1,\"n\":2}", NULL), "%s", call_err.msg);
	ok(check("{\"s\":\"\xFF\"}", NULL), "%s", call_err.msg);
}

/* ---- programs --------------------------------------------------------------- */

#define SH(script) "\"command\":[\"sh\",\"-c\",\"" script "\"]"
#define ONE(name) ",\"parameters\":{\"type\":\"object\",\"properties\":{\"" \
	name "\":{\"type\":\"string\"}}}"

static void test_run(void)
{
	parse_tool("\"command\":[\"printf\",\"%s.\",\"{a}\",\"b\"]" ONE("a"));
	ok(run("{\"a\":\"$HOME * \\\"\"}") && strcmp(text(), "$HOME * \".b.")
	   == 0, "an argument is one argument");
	parse_tool("\"command\":[\"cat\"],\"stdin\":\"<{a}>\"" ONE("a"));
	ok(run("{\"a\":\"-x\\ny\"}") && strcmp(text(), "<-x\ny>") == 0,
	   "a text as its input");
	parse_tool("\"command\":[\"cat\"],\"stdin\":\"json\"" ONE("a"));
	ok(run("{ \"a\": \"x\"}") && strcmp(text(), "{\"a\":\"x\"}") == 0,
	   "the arguments as its input");
	parse_tool("\"command\":[\"cat\"]");
	ok(run("") && strcmp(text(), "(no output)") == 0,
	   "no input, no output");
	parse_tool("\"command\":[\"env\"],\"env\":{\"MINE\":\"a=b\",\"TERM\":"
		   "\"x\",\"P\":{\"from\":\"PASS_ME\"}}");
	ok(run("") && says("AI_IDEMPOTENCY_KEY=" KEY "\n") &&
	   says("MINE=a=b\n") && says("TERM=x\n") && says("P=passed\n") &&
	   strstr(text(), "SECRET") == NULL && strstr(text(), "_KEY=sk") ==
	   NULL, "its environment has no keys of ours");
	parse_tool("\"command\":[\"pwd\"]");
	ok(run("") && says(base), "it begins in the working folder");
	mkdir("sub", 0700);
	parse_tool("\"command\":[\"pwd\"],\"workdir\":\"sub\"");
	ok(run("") && says("/sub\n"), "or below it");
	parse_tool("\"command\":[\"./no-such-program\"]");
	ok(!run("") && says("no-such-program"), "a program that is not there");
}

static void test_hostile(void)
{
	double from;

	parse_tool(SH("yes | head -c 1000000000")
		   ",\"max_output\":1000,\"timeout_s\":60");
	ok(!run("") && call.text.len <= 1000 && says("y\ny\n"),
	   "a gigabyte is stopped");
	parse_tool(SH("yes | head -c 100000") ",\"max_output\":1000");
	ok(run("") && call.text.len <= 1000 && says(" more bytes were left "
	   "out]"), "100 kB are cut");
	parse_tool(SH("yes >&2 & exec sleep 1000") ",\"timeout_s\":0.5");
	from = ai_clock_s();
	ok(!run("") && ai_clock_s() - from < 5 && says("took too long") &&
	   call.unknown, "one that never ends");
	parse_tool(SH("echo only here >&2"));
	ok(run("") && strcmp(text(), "(no output)") == 0,
	   "stderr of one that succeeds is not told");
	parse_tool(SH("echo out; echo why >&2; exit 3"));
	ok(!run("") && !call.unknown && says("exited with status 3") && says("stderr:\nwhy\n")
	   && says("stdout:\nout\n"), "of one that fails it is");
	parse_tool(SH("kill -SEGV $$"));
	ok(!run("") && says("signal 11") && call.unknown, "a signal");
	parse_tool(SH("printf 'a\\\\377b\\\\000c'"));
	ok(run("") && strncmp(text(), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "c\n[2 ",
			      strlen("a???b???c\n[2 ")) == 0,
	   "bytes that are no text");
	parse_tool(SH("head -c 200000 /dev/zero") ",\"max_output\":1000");
	ok(run("") && call.text.len <= 1000, "nothing but NUL");
	parse_tool(SH("head -c 1500000 /dev/zero >&2; exit 1")
		   ",\"max_output\":1000");
	ok(!run("") && call.text.len <= 1000, "and on stderr");
	parse_tool(SH("head -c 9000 /dev/zero | tee /dev/stderr; exit 1")
		   ",\"max_output\":256");
	ok(!run("") && call.text.len <= 256, "and on both, with no room");
	parse_tool(SH("cat >/dev/null; echo read") ",\"stdin\":\"{a}\"" ONE("a"));
	ok(run("{\"a\":\"x\"}") && says("read"), "it reads");
	parse_tool(SH("exec true") ",\"stdin\":\"{a}\"" ONE("a"));
	ok(run("{\"a\":\"x\"}"), "it does not read");
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* ---- the cage --------------------------------------------------------------- */

static char missed[300];

static void note_missing(void *arg, const char *tool, const char *what)
{
	(void)arg;
	snprintf(missed, sizeof missed, "%s: %s", tool, what);
}

static void put(const char *path, const char *content, mode_t mode)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(content, f) < 0 || fclose(f) != 0 ||
	    chmod(path, mode) < 0)
		printf("# cannot write %s\n", path);
}

static void test_cage(void)
{
	char inside[300], beside[] = "/tmp/agent-beside-XXXXXX", path[100];

	if (mkdtemp(beside) == NULL)
		return;
	put("in", "inside", 0600);
	snprintf(path, sizeof path, "%s/out", beside);
	put(path, "outside", 0644);
	parse_tool("\"command\":[\"cat\",\"--\",\"{a}\"]" ONE("a"));
	ok(run("{\"a\":\"in\"}") && says("inside"), "the workdir is read");
	snprintf(inside, sizeof inside, "{\"a\":\"%s\"}", path);
	ok(!run(inside) && says("ermission denied"), "nothing beside it");
	ok(!run("{\"a\":\"/proc/self/environ\"}"), "nor /proc");
	ok(!run("{\"a\":\"/etc/shadow\"}"), "nor /etc/shadow");
	parse_tool("\"command\":[\"cat\",\"--\",\"{a}\"],\"sandbox\":\"off\""
		   ONE("a"));
	ok(run(inside) && says("outside"), "without a cage it is read");
	parse_tool(SH("echo x >new"));
	ok(!run("") && access("new", F_OK) != 0, "the workdir is not written");
	parse_tool(SH("echo x >new && echo y >$TMPDIR/y && cat $TMPDIR/y")
		   ",\"sandbox\":{\"write\":[\".\"]}");
	ok(run("") && access("new", F_OK) == 0 && says("y"),
	   "unless it may be; and TMPDIR");
	snprintf(inside, sizeof inside, "\"command\":[\"cat\",\"%s\"],"
		 "\"sandbox\":{\"read\":[\"%s\"]}", path, beside);
	parse_tool(inside);
	ok(run("") && says("outside"), "what may be read is read");
	snprintf(path, sizeof path, "%s/tool.sh", beside);
	put(path, "#!/bin/sh\necho script $1\n", 0755);
	snprintf(inside, sizeof inside, "{\"tools\":[{\"name\":\"t\","
		 "\"description\":\"d\",\"command\":[\"./tool.sh\",\"1\"]}]}");
	snprintf(path, sizeof path, "%s/tools.json", beside);
	put(path, inside, 0644);
	agent_tools_release(&tools);
	ok(agent_tools_read(&tools, path, &sandbox, &servers, &err) == 0 &&
	   run("") && says("script 1"), "a script beside the tools file");
	parse_tool("\"command\":[\"true\"],\"sandbox\":{\"ports\":[443]}");
	sandbox.abi_max = 2;
	sandbox.missing = note_missing;
	ok(run("") && strstr(missed, "t: TCP ports") != NULL,
	   "what an older kernel lacks is told: %s", missed);
	sandbox.mode = AGENT_SANDBOX_REQUIRE;
	ok(parse_tool("\"command\":[\"true\"],\"sandbox\":{\"ports\":[443]}")
	   < 0 && err.code == AI_E_CONFIG, "%s", err.msg);
	ok(parse_tool("\"command\":[\"true\"],\"sandbox\":\"off\"") < 0 &&
	   err.code == AI_E_CONFIG, "%s", err.msg);
	sandbox.abi_max = 0;
	sandbox.missing = NULL;
	sandbox.mode = AGENT_SANDBOX_OFF;
	parse_tool("\"command\":[\"cat\",\"/proc/self/environ\"]");
	ok(run(""), "no sandbox at all");
	sandbox.mode = AGENT_SANDBOX_ON;
	nftw(beside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- finding out ------------------------------------------------------------ */

static void test_verify(void)
{
	enum agent_found found;

	parse_tool("\"command\":[\"true\"],\"effect\":{\"verify\":[\"sh\","
		   "\"-c\",\"echo found $1; exit $2\",\"sh\",\"{key}\","
		   "\"{a}\"]}" ONE("a"));
	ok(tools.v[0].effect == AGENT_VERIFY && tools.v[0].writes, "verify");
	ok(find_call(&tools, "t", "{\"a\":\"0\"}", "", &found) == 0 &&
	   found == AGENT_DONE && strcmp(text(), "found " KEY "\n") == 0,
	   "0 is done, and what it writes the result");
	ok(find_call(&tools, "t", "{\"a\":\"1\"}", "", &found) == 0 &&
	   found == AGENT_NOT_DONE, "1 is not done");
	ok(find_call(&tools, "t", "{\"a\":\"2\"}", "", &found) == 0 &&
	   found == AGENT_UNKNOWN && says("status 2"), "2 is not known");
}

static void test_transactional(void)
{
	struct ai_db_wish wish = { "test", NULL, 0, 0, 0 };
	struct ai_db db = AI_DB_INIT;
	enum agent_found found;

	parse_tool("\"command\":[\"true\"],\"effect\":{\"transactional\":{"
		   "\"database\":\"n.db\",\"table\":\"ai_effects\"}}");
	ok(find_call(&tools, "t", "", "", &found) == 0 &&
	   found == AGENT_NOT_DONE, "no database");
	if (ai_db_open(&db, "n.db", AI_DB_CREATE, &wish, &err) < 0)
		printf("# %s\n", err.msg);
	ok(ai_db_exec(&db, "CREATE TABLE x(a)", &err) == 0 &&
	   find_call(&tools, "t", "", "", &found) == 0 &&
	   found == AGENT_NOT_DONE, "no table");
	ok(ai_db_exec(&db, "CREATE TABLE ai_effects(key TEXT PRIMARY KEY, "
		      "result TEXT); INSERT INTO ai_effects VALUES('other',"
		      "'r')", &err) == 0 &&
	   find_call(&tools, "t", "", "", &found) == 0 &&
	   found == AGENT_NOT_DONE, "no row");
	ok(ai_db_exec(&db, "BEGIN; INSERT INTO ai_effects VALUES('" KEY
		      "','noted')", &err) == 0 &&
	   find_call(&tools, "t", "", "", &found) == 0 &&
	   found == AGENT_NOT_DONE, "a row that is not committed");
	ok(ai_db_exec(&db, "COMMIT", &err) == 0 &&
	   find_call(&tools, "t", "", "", &found) == 0 &&
	   found == AGENT_DONE && strcmp(text(), "noted") == 0, "a row");
	ok(ai_db_exec(&db, "DROP TABLE ai_effects; CREATE TABLE ai_effects(k)",
		      &err) == 0 &&
	   find_call(&tools, "t", "", "", &found) < 0, "another table: %s",
	   call_err.msg);
	ai_db_close(&db);
}

/* The schema is where the build put it. */
static void find_data(void)
{
	char path[4096];

	if (getenv("BUILDDIR") == NULL)
		return;
	snprintf(path, sizeof path, "%s/share/aiutils", getenv("BUILDDIR"));
	setenv("AI_DATADIR", path, 0);
}

int main(void)
{
	find_data();
	signal(SIGPIPE, SIG_IGN); /* as the program has it */
	if (mkdtemp(base) == NULL || chdir(base) < 0)
		return 1;
	setenv("PASS_ME", "passed", 1);
	setenv("MY_SECRET", "x", 1);
	setenv("OPENAI_API_KEY", "sk-1", 1);
	agent_tools_init(&tools);
	if (agent_sandbox_init(&sandbox, ".", AGENT_SANDBOX_ON, &err) < 0)
		return 1;
	test_wrong();
	test_defaults();
	test_templates();
	test_args();
	test_run();
	test_hostile();
	test_cage();
	test_verify();
	test_transactional();
	agent_tools_release(&tools);
	agent_servers_release(&servers);
	agent_sandbox_release(&sandbox);
	call_release();
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
