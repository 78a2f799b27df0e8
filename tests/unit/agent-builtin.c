/* The tools that come with ai-agent: files below a folder, arithmetic, pages. */
#include "tool/builtin.h"

#include "agent.h"
#include "tool/decimal.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/agent-builtin-XXXXXX";
static char outside[] = "/tmp/agent-outside-XXXXXX";
static struct agent_tools tools;
static struct agent_sandbox sandbox;

static void put_bytes(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		printf("# cannot write %s\n", path);
}

static void put(const char *path, const char *content)
{
	put_bytes(path, content, strlen(content));
}

static bool is_file(const char *path, const char *content)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);
	int fd = open(path, O_RDONLY);
	bool same = fd >= 0 && ai_buf_read(&b, fd) == 0 &&
		    strcmp(ai_buf_cstr(&b), content) == 0;

	if (fd >= 0)
		close(fd);
	ai_buf_release(&b);
	return same;
}

static bool says(const char *part)
{
	bool there = strstr(text(), part) != NULL ||
		     strstr(call_err.msg, part) != NULL;

	if (!there)
		printf("# text: %.600s\n# error: %s\n", text(), call_err.msg);
	return there;
}

static bool run(const char *name, const char *args)
{
	return run_tool(&tools, name, args) == 0 && !call.failed;
}

/* ---- files ---------------------------------------------------------------- */

static void test_read(void)
{
	char path[100];

	put("a.txt", "one\ntwo\nthree\nfour");
	ok(run("read_file", "{\"path\":\"a.txt\"}") &&
	   strcmp(text(), "one\ntwo\nthree\nfour") == 0, "a file is read");
	ok(run("read_file", "{\"path\":\"a.txt\",\"start_line\":2,\"lines\":2}")
	   && strcmp(text(), "two\nthree\n[lines 2 to 3 of 4; the next begin "
		     "with start_line 4]") == 0, "some of its lines");
	ok(run("read_file", "{\"path\":\"a.txt\",\"start_line\":4}") &&
	   strcmp(text(), "four") == 0, "the last line");
	ok(!run("read_file", "{\"path\":\"a.txt\",\"start_line\":5}") &&
	   says("only 4 lines"), "a line that is not there");
	put("empty", "");
	ok(run("read_file", "{\"path\":\"empty\"}") && says("is empty"),
	   "an empty file says so");
	put_bytes("bin", "\x7f" "ELF\0\0", 6);
	ok(!run("read_file", "{\"path\":\"bin\"}") && says("binary"),
	   "a binary file is refused");
	put("latin", "caf\xE9\n");
	ok(!run("read_file", "{\"path\":\"latin\"}") && says("UTF-8"),
	   "what is no UTF-8 is refused");
	ok(!run("read_file", "{\"path\":\".\"}") && says("is a folder"),
	   "a folder is refused");
	ok(!run("read_file", "{\"path\":\"none\"}") && says("No such file"),
	   "what is not there");
	mkfifo("fifo", 0600);
	ok(!run("read_file", "{\"path\":\"fifo\"}") &&
	   says("not a regular file"), "a FIFO does not hang it");
	snprintf(path, sizeof path, "{\"path\":\"%s/a.txt\"}", base);
	ok(run("read_file", path), "the whole path of a file below is taken");
	ok(!run("read_file", "{}") && says("path"), "no path");
	ok(!run("read_file", "{\"path\":\"a\\u0000b\"}") && says("NUL"),
	   "a NUL in a path");
}

static void test_long(void)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	for (int i = 1; i <= 20000; i++)
		ai_buf_fmt(&b, "line %d\n", i);
	put("long", b.p);
	ok(run("read_file", "{\"path\":\"long\"}") && call.text.len <= 65536 &&
	   says("of 20000; the next begin with start_line "),
	   "a long file comes in parts");
	ai_buf_clear(&b);
	for (int i = 0; i < 50000; i++)
		ai_buf_str(&b, "\xC3\xA4\xE2\x82\xAC");
	put("wide", b.p);
	ok(run("read_file", "{\"path\":\"wide\"}") && says("was cut"),
	   "a line that is too long is cut");
	ai_buf_release(&b);
}

static void test_escapes(void)
{
	static const char *const out[] = {
		"../x", "../../../../../../etc/passwd", "/etc/passwd",
		"link-out", "link-etc/passwd", "sub/../../x", "link-abs",
		"/proc/self/root/etc/passwd", "sub/up/etc/passwd", "//etc/passwd",
	};
	char args[200], secret[200];

	snprintf(secret, sizeof secret, "%s/secret", outside);
	put(secret, "SECRET");
	if (mkdir("sub", 0700) < 0 || symlink(secret, "link-out") < 0 ||
	    symlink("/etc", "link-etc") < 0 || symlink("/", "sub/up") < 0 ||
	    symlink("/etc/passwd", "link-abs") < 0 ||
	    symlink("a.txt", "link-in") < 0)
		printf("# %s\n", strerrorname_np(errno));
	for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
		snprintf(args, sizeof args, "{\"path\":\"%s\"}", out[i]);
		ok(!run("read_file", args) && strstr(text(), "SECRET") == NULL &&
		   says("out of the working folder"), "read: %s", out[i]);
		snprintf(args, sizeof args, "{\"path\":\"%s\",\"content\":"
			 "\"HACK\"}", out[i]);
		ok(!run("write_file", args), "write: %s", out[i]);
	}
	ok(is_file(secret, "SECRET"), "nothing outside was written");
	ok(run("read_file", "{\"path\":\"link-in\"}"), "a link within");
	ok(run("read_file", "{\"path\":\"sub/../a.txt\"}"), "'..' within");
	ok(run("list_files", "{\"depth\":5}") && strstr(text(), "passwd") ==
	   NULL && says("link-etc (link)"), "listing follows no link");
	ok(run("search_files", "{\"pattern\":\"root:\"}") &&
	   says("(no match)"), "neither does searching");
	ok(!run("list_files", "{\"path\":\"link-etc\"}") &&
	   says("out of the working folder"), "a folder behind a link");
}

/* Somebody turns a folder into a link and back, as fast as can be. */
static volatile bool racing = true;

static void *swap_links(void *unused)
{
	(void)unused;
	while (racing) {
		rename("race", "race-folder");
		rename("race-link", "race");
		rename("race", "race-link");
		rename("race-folder", "race");
	}
	return NULL;
}

static void test_race(void)
{
	int read_in = 0, leaks = 0, wrote = 0;
	pthread_t thread;
	char path[200];

	mkdir("race", 0700);
	put("race/secret", "inside");
	if (symlink(outside, "race-link") < 0 ||
	    pthread_create(&thread, NULL, swap_links, NULL) != 0) {
		ok(false, "the race begins");
		return;
	}
	for (int i = 0; i < 20000; i++) {
		if (run("read_file", "{\"path\":\"race/secret\"}"))
			read_in += strcmp(text(), "inside") == 0;
		leaks += strstr(text(), "SECRET") != NULL;
		if (i % 50 == 0)
			wrote += run("write_file", "{\"path\":\"race/new\","
				     "\"content\":\"HACK\"}");
	}
	racing = false;
	pthread_join(thread, NULL);
	snprintf(path, sizeof path, "%s/new", outside);
	ok(leaks == 0 && access(path, F_OK) != 0, "nothing leads out while "
	   "folders become links (%d of 20000 read, %d of 400 written)",
	   read_in, wrote);
}

static void test_write(void)
{
	struct stat st;

	ok(run("write_file", "{\"path\":\"deep/er/new.txt\",\"content\":"
	       "\"x\\n\"}") && says("the file is new") &&
	   is_file("deep/er/new.txt", "x\n"), "a file in new folders");
	put("mode", "old");
	chmod("mode", 0640);
	ok(run("write_file", "{\"path\":\"mode\",\"content\":\"new\"}") &&
	   says("replaced a file of 3 bytes") && stat("mode", &st) == 0 &&
	   (st.st_mode & 07777) == 0640 && is_file("mode", "new"),
	   "it keeps its mode");
	ok(!run("write_file", "{\"path\":\"link-in\",\"content\":\"\"}") &&
	   says("is a link"), "a link is not written through");
	ok(!run("write_file", "{\"path\":\"sub\",\"content\":\"\"}") &&
	   says("is a folder"), "a folder is not written");
	ok(!run("write_file", "{\"path\":\"sub/\",\"content\":\"\"}") &&
	   says("does not name a file"), "a name that ends with /");
	if (link("mode", "other") < 0)
		printf("# link: %s\n", strerrorname_np(errno));
	ok(run("write_file", "{\"path\":\"mode\",\"content\":\"newer\"}") &&
	   says("hard links") && is_file("other", "new"),
	   "a hard link keeps the old text, and it says so");
	put(".ai-agent-" KEY ".tmp", "left by a kill");
	ok(run("write_file", "{\"path\":\"again\",\"content\":\"\"}") &&
	   access(".ai-agent-" KEY ".tmp", F_OK) != 0,
	   "what a kill left is taken away");
	ok(run("write_file", "{\"path\":\"nul\",\"content\":\"\"}") &&
	   is_file("nul", ""), "nothing as content");
}

static void test_patch(void)
{
	enum agent_found found;
	char note[300];

	put("p.c", "int a;\nint b;\nint a;\n");
	ok(!run("patch_file", "{\"path\":\"p.c\",\"old\":\"int a;\","
		"\"new\":\"\"}") && says("stands 2 times"),
	   "an old text that is not unique");
	ok(!run("patch_file", "{\"path\":\"p.c\",\"old\":\"int c;\","
		"\"new\":\"\"}") && says("does not stand"),
	   "one that is not there");
	put("aaa", "aaa");
	ok(!run("patch_file", "{\"path\":\"aaa\",\"old\":\"aa\",\"new\":\"\"}")
	   && says("stands 2 times"), "one that overlaps itself");
	ok(run("patch_file", "{\"path\":\"p.c\",\"old\":\"int b;\","
	       "\"new\":\"int B;\"}") && says("line 2") &&
	   is_file("p.c", "int a;\nint B;\nint a;\n"), "a patch");
	snprintf(note, sizeof note, "%s", ai_buf_cstr(&call.note));
#define PATCH "{\"path\":\"p.c\",\"old\":\"int b;\",\"new\":\"int B;\"}"
	ok(find_call(&tools, "patch_file", PATCH, note, &found) == 0 &&
	   found == AGENT_DONE, "it was done");
	put("p.c", "int a;\nint b;\nint a;\n");
	ok(find_call(&tools, "patch_file", PATCH, note, &found) == 0 &&
	   found == AGENT_NOT_DONE, "it was not done");
	put("p.c", "int a;\nint b;\nint x;\n");
	ok(find_call(&tools, "patch_file", PATCH, note, &found) == 0 &&
	   found == AGENT_UNKNOWN && says("changed since"),
	   "somebody else changed the file");
	unlink("p.c");
	ok(find_call(&tools, "patch_file", PATCH, note, &found) < 0,
	   "the file is gone");
}

static void test_search(void)
{
	put("s1.txt", "alpha\nBeta [x]\ngamma\n");
	mkdir("dir", 0700);
	put("dir/s2.txt", "beta\nalpha beta\n");
	ok(run("search_files", "{\"pattern\":\"beta\"}") &&
	   says("dir/s2.txt:1: beta\n") && says("dir/s2.txt:2: alpha beta\n") &&
	   strstr(text(), "s1.txt") == NULL, "a text");
	ok(run("search_files", "{\"pattern\":\"beta\",\"ignore_case\":true}") &&
	   says("s1.txt:2: Beta [x]\n"), "in any case");
	ok(run("search_files", "{\"pattern\":\"[x]\"}") &&
	   says("s1.txt:2: Beta [x]\n"), "a text with signs in it");
	ok(run("search_files", "{\"pattern\":\"^a.*a$\",\"regex\":true,"
	       "\"glob\":\"s*.txt\"}") && says("s1.txt:1: alpha"),
	   "an expression");
	ok(!run("search_files", "{\"pattern\":\"(\",\"regex\":true}") &&
	   says("the pattern is wrong"), "one that is wrong");
	ok(run("search_files", "{\"pattern\":\"a\",\"max_results\":1}") &&
	   says("there are more"), "more than are told");
	ok(run("search_files", "{\"pattern\":\"beta\",\"path\":\"dir\"}") &&
	   says("s2.txt:1: beta"), "below a folder");
	ok(run("search_files", "{\"pattern\":\"^\",\"regex\":true,"
	       "\"path\":\"dir\"}") && says("s2.txt:2: ") &&
	   strstr(text(), "s2.txt:3") == NULL, "empty matches end");
	put("evil\nname", "alpha");
	ok(run("list_files", "{\"glob\":\"evil*\"}") &&
	   strcmp(text(), "evil\xEF\xBF\xBDname (5 bytes)\n") == 0,
	   "a name stays on its line");
	ok(run("list_files", "{\"path\":\"dir\"}") &&
	   strcmp(text(), "s2.txt (16 bytes)\n") == 0, "a folder");
	ok(run("list_files", "{\"glob\":\"nothing-like-it\"}") &&
	   says("(nothing)"), "no names");
}

/* ---- arithmetic ------------------------------------------------------------ */

static const struct {
	const char *expression, *result; /* NULL: an error */
} sums[] = {
	{ "1+2*3", "7" }, { "(1+2)*3", "9" }, { "0.1+0.2", "0.3" },
	{ "-2^2", "-4" }, { "2^-1", "0.5" }, { "2^3^2", "512" },
	{ "7%3", "1" }, { "-7%3", "-1" }, { "7.5 % 2", "1.5" },
	{ "1/3", "0.3333333333333333333333333333333333" },
	{ "2/3", "0.6666666666666666666666666666666667" },
	{ "1/8", "0.125" }, { "10/4", "2.5" }, { "1e3/1e-3", "1000000" },
	{ "100/10", "10" }, { "0/5", "0" }, { "-0", "0" },
	{ "2^100", "1267650600228229401496703205376" },
	{ "9007199254740993 - 9007199254740992", "1" },
	{ "round(2.5)", "3" }, { "round(-2.5)", "-3" },
	{ "round(1299.99*1.19, 2)", "1546.99" }, { "round(1234,-2)", "1200" },
	{ "floor(-1.5)", "-2" }, { "ceil(-1.5)", "-1" }, { "trunc(-1.9)", "-1" },
	{ "floor(1.999, 2)", "1.99" }, { "ceil(0.001,1)", "0.1" },
	{ "sqrt(2)", "1.414213562373095048801688724209698" },
	{ "sqrt(144)", "12" }, { "sqrt(0)", "0" }, { "sqrt(0.25)", "0.5" },
	{ "sqrt(1e-4)", "0.01" }, { "sqrt(2e10)",
	  "141421.3562373095048801688724209698" },
	{ "min(3,-1,2)", "-1" }, { "max(3,-1,2)", "3" }, { "abs(-5)", "5" },
	{ "sum(1,2,3)", "6" }, { "avg(1,2)", "1.5" }, { "--5", "5" },
	{ "2**3", "8" }, { "6\xC3\xB7" "3\xC3\x97" "2", "4" }, { ".5+5.", "5.5" },
	{ "1.10", "1.1" }, { "1000*1000000", "1000000000" },
	{ "999999999*999999999", "999999998000000001" },
	{ "123456789012345678901234567890/987654321",
	  "124999998873437499901.5820312398552" },
	{ "0^0", "1" }, { "1.05^10", "1.62889462677744140625" },
	{ "", NULL }, { "1/0", NULL }, { "1%0", NULL }, { "sqrt(-1)", NULL },
	{ "2^0.5", NULL }, { "1 2", NULL }, { "(1", NULL }, { "1+", NULL },
	{ "foo(1)", NULL }, { "1..2", NULL }, { "round()", NULL },
	{ "abs(1,2)", NULL }, { "9^9^9", NULL }, { "1e2000", NULL },
	{ "1e-1001", NULL }, { "1,000", NULL }, { "system(1)", NULL },
	{ "2^99999999999999999999", NULL }, { "0^-1", NULL },
};

static void test_calc(void)
{
	struct ai_buf b = AI_BUF_INIT(100000);
	char args[300];

	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
		snprintf(args, sizeof args, "{\"expression\":\"%s\"}",
			 sums[i].expression);
		if (sums[i].result == NULL)
			ok(!run("calc", args), "no result: %s", call_err.msg);
		else
			ok(run("calc", args) && strcmp(text(), sums[i].result)
			   == 0, "%s = %s%s%s", sums[i].expression, text(),
			   strcmp(text(), sums[i].result) == 0 ? "" : ", not ",
			   strcmp(text(), sums[i].result) == 0 ? "" :
			   sums[i].result);
	}
	ai_buf_str(&b, "{\"expression\":\"");
	for (int i = 0; i < 900; i++)
		ai_buf_chr(&b, '(');
	ai_buf_str(&b, "\"}");
	ok(!run("calc", b.p) && says("too many parentheses"), "too deep");
	ai_buf_clear(&b);
	ai_buf_str(&b, "{\"expression\":\"0");
	for (int i = 0; i < 150; i++)
		ai_buf_str(&b, "+sqrt(2e999)");
	ai_buf_str(&b, "\"}");
	ok(!run("calc", b.p) && says("takes too long"), "too much work");
	ai_buf_release(&b);
}

/* Numbers of all lengths, with zeroes and nines in bad places. */
static void make_number(struct agent_decimal *d, unsigned *seed, int most)
{
	char p[300];
	int n = 1 + (int)(rand_r(seed) % (unsigned)most), at = 0, dot;

	dot = (int)(rand_r(seed) % (unsigned)(n + 2));
	for (int i = 0; i < n; i++) {
		if (i == dot)
			p[at++] = '.';
		p[at++] = "0123456789009999"[rand_r(seed) % 16];
	}
	agent_decimal_parse(d, (struct ai_span){ p, (size_t)at }, &call_err);
	d->neg = d->n > 0 && rand_r(seed) % 2 == 1;
}

#define OP(name, out, a, b) agent_decimal_##name(&out, &a, &b, &call_err)

/* What holds of all numbers; a sum, product or quotient that is wrong in one
 * digit breaks one of these. */
static bool holds(unsigned *seed)
{
	struct agent_decimal a, b, c, ab, ac, bc, l, r, zero;

	agent_decimal_of(&zero, 0);
	make_number(&a, seed, 100);
	make_number(&b, seed, 100);
	make_number(&c, seed, 100);
	/* (a + b) * c = a * c + b * c; (a - b) + b = a */
	if (OP(add, ab, a, b) < 0 || OP(mul, l, ab, c) < 0 ||
	    OP(mul, ac, a, c) < 0 || OP(mul, bc, b, c) < 0 ||
	    OP(add, r, ac, bc) < 0 || agent_decimal_cmp(&l, &r) != 0 ||
	    OP(sub, l, a, b) < 0 || OP(add, l, l, b) < 0 ||
	    agent_decimal_cmp(&l, &a) != 0)
		return false;
	/* a % b is less than b, and a less it a whole multiple */
	if (b.n > 0) {
		r = b;
		r.neg = false;
		if (OP(rem, l, a, b) < 0 || OP(sub, c, a, l) < 0 ||
		    OP(rem, c, c, b) < 0 || c.n != 0 ||
		    (l.n > 0 && l.neg != a.neg))
			return false;
		l.neg = false;
		if (agent_decimal_cmp(&l, &r) >= 0)
			return false;
	}
	/* (a * b) / b = a, the root of a * a is a: up to 34 digits */
	make_number(&a, seed, 34);
	make_number(&b, seed, 34);
	if (b.n > 0 && (OP(mul, l, a, b) < 0 || OP(div, l, l, b) < 0 ||
			agent_decimal_cmp(&l, &a) != 0))
		return false;
	a.neg = false;
	return OP(mul, l, a, a) == 0 &&
	       agent_decimal_sqrt(&l, &l, &call_err) == 0 &&
	       agent_decimal_cmp(&l, &a) == 0 &&
	       agent_decimal_cmp(&a, &zero) >= 0;
}

static void test_laws(void)
{
	unsigned seed = 1, kept = 0;

	for (int i = 0; i < 5000; i++)
		kept += holds(&seed);
	ok(kept == 5000, "the laws of arithmetic: kept by %u of 5000", kept);
}

/* ---- questions ---------------------------------------------------------------- */

#define QUESTION "{\"question\":\"Red \\u001b[31m or\\u202e blue?\"}"

/* In a child without a terminal, or with one of its own; what the tool says
 * comes out of *from. */
static pid_t ask(bool terminal, int *tty, int *from)
{
	int out[2];
	pid_t pid;

	if (pipe(out) < 0)
		return -1;
	pid = terminal ? forkpty(tty, NULL, NULL, NULL) : fork();
	if (pid == 0) {
		if (!terminal)
			setsid();
		run_tool(&tools, "ask_user", QUESTION);
		dprintf(out[1], "%s|%s", call.parks ? "parks" : "answered",
			text());
		_exit(0);
	}
	close(out[1]);
	*from = out[0];
	return pid;
}

/* All that a child said, and its end. */
static void listen_to(pid_t pid, int from, struct ai_buf *b)
{
	ai_buf_clear(b);
	ai_buf_read(b, from);
	ai_buf_add(b, "", 0);
	close(from);
	waitpid(pid, NULL, 0);
}

static void test_ask(void)
{
	struct ai_buf b = AI_BUF_INIT(10000), seen = AI_BUF_INIT(10000);
	int tty, from;
	pid_t pid = ask(false, NULL, &from);
	char p[1000];
	ssize_t n;

	listen_to(pid, from, &b);
	ok(strcmp(b.p, "parks|Red \\x1b[31m or\\u{202e} blue?") == 0,
	   "nobody to ask: %s", b.p);
	fflush(stdout);
	pid = ask(true, &tty, &from);
	while (strstr(ai_buf_cstr(&seen), "Your answer: ") == NULL &&
	       (n = read(tty, p, sizeof p)) > 0)
		ai_buf_add(&seen, p, (size_t)n);
	ok(strstr(ai_buf_cstr(&seen), "The model asks: Red \\x1b[31m or\\u{202e} "
		   "blue?")
	   != NULL, "what is asked does nothing to the terminal");
	n = write(tty, "blue \x1b[0m\n", 10);
	listen_to(pid, from, &b);
	ok(n == 10 && strcmp(b.p, "answered|blue ?[0m") == 0, "an answer: %s",
	   b.p);
	close(tty);
	ai_buf_release(&b);
	ai_buf_release(&seen);
}

/* ---- all of them ------------------------------------------------------------ */

static void test_settings(void)
{
	const char *const one[] = { "calc", NULL }, *const no[] = { "calk", NULL },
		*const get[] = { "http_get", NULL },
		*const bad[] = { "http://x/", NULL };
	struct agent_builtin_settings s = { &sandbox, NULL, one };
	struct agent_tools t;
	struct ai_err err;

	agent_tools_init(&t);
	ok(agent_builtins_add(&t, &s, &err) == 0 && t.n == 1, "one of them");
	ok(agent_builtins_add(&t, &s, &err) < 0 &&
	   strstr(err.msg, "already a tool") != NULL, "not twice: %s", err.msg);
	s.which = no;
	ok(agent_builtins_add(&t, &s, &err) < 0 && err.code == AI_E_USAGE &&
	   strstr(err.msg, "did you mean 'calc'?") != NULL, "%s", err.msg);
	s.which = get;
	ok(agent_builtins_add(&t, &s, &err) < 0 && err.code == AI_E_USAGE,
	   "%s", err.msg);
	s.hosts = bad;
	ok(agent_builtins_add(&t, &s, &err) < 0 && err.code == AI_E_USAGE,
	   "%s", err.msg);
	agent_tools_release(&t);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int main(void)
{
	struct agent_builtin_settings s = { &sandbox, NULL, NULL };
	struct ai_err err;

	if (mkdtemp(base) == NULL || mkdtemp(outside) == NULL ||
	    chdir(base) < 0)
		return 1;
	agent_tools_init(&tools);
	ok(agent_sandbox_init(&sandbox, ".", AGENT_SANDBOX_ON, &err) == 0 &&
	   agent_builtins_add(&tools, &s, &err) == 0 && tools.n == 7,
	   "all but http_get, which has no hosts");
	test_read();
	test_long();
	test_escapes();
	test_race();
	test_write();
	test_patch();
	test_search();
	test_calc();
	test_laws();
	test_ask();
	test_settings();
	agent_tools_release(&tools);
	agent_sandbox_release(&sandbox);
	call_release();
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(outside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
