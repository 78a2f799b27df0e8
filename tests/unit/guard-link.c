/* Addresses in markdown and HTML: where they are, where they lead, and what
 * they carry; and which passages are code. */
#include "../../bin/guard/address.h"
#include "../../bin/guard/fence.h"
#include "../../bin/guard/link.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

static char told[65536];

static int note(void *arg, const struct guard_link *l)
{
	static const char uses[] = "scfrpg";
	size_t n = strlen(told);

	(void)arg;
	snprintf(told + n, sizeof told - n, "%s%c:%.*s", n > 0 ? " " : "",
		 uses[l->use], (int)l->address.n, l->address.p);
	return 0;
}

/* The addresses of a text: s(hown) c(licked) f(etched) r(un) p(osted)
 * g(one). */
static bool finds(const char *text, const char *wanted)
{
	*told = '\0';
	guard_links(ai_span_of(text), note, NULL);
	if (strcmp(told, wanted) != 0)
		printf("# got: %s\n", told);
	return strcmp(told, wanted) == 0;
}

static void markdown(void)
{
	ok(finds("see https://a.example/b?c=d.", "s:https://a.example/b?c=d"),
	   "an address, without the full stop");
	ok(finds("(https://a.example/b_(c))", "s:https://a.example/b_(c)"),
	   "parentheses that belong to it, and one that does not");
	ok(finds("<https://a.example/x>", "s:https://a.example/x"),
	   "in angle brackets");
	ok(finds("[a](https://b.example/ \"c\") ![d](e.png)",
		 "c:https://b.example/ f:e.png"), "a link and an image");
	ok(finds("![a](<https://b.example/c d>)", "f:https://b.example/c d"),
	   "an address with blanks");
	ok(finds("[![a](b.png)](https://c.example)",
		 "f:b.png c:https://c.example"), "an image that is a link");
	ok(finds("![a](\n  https://b.example/(c)d)", "f:https://b.example/(c)d"),
	   "an address in the next line, with parentheses");
	ok(finds("![a][B c] [d][e]\n\n[b  C]: https://f.example/g\n"
		 "> [e]: <https://h.example/>\n[^1]: https://i.example\n",
		 "s:https://i.example f:https://f.example/g "
		 "c:https://h.example/"), "definitions, used as images and not");
	ok(finds("[a]: https://b.example/1\n\n![a]", "f:https://b.example/1"),
	   "a definition before its use");
	ok(finds("![a][]\n\n[a]: //b.example/1", "f://b.example/1"),
	   "an address without a scheme");
	ok(finds("a [x] (y) ![z] b: c://d [e] :f", ""), "none at all");
}

static void html(void)
{
	ok(finds("<img alt=x src='https://a.example/b'>",
		 "f:https://a.example/b"), "an image");
	ok(finds("<IMG\nSRC = https://a.example/b/>",
		 "f:https://a.example/b/"), "without quotes");
	ok(finds("<img srcset=\"a.png 1x, https://b.example/c 2x\">",
		 "f:a.png f:https://b.example/c"), "several for one");
	ok(finds("<a href='https://a.example' ping=https://b.example>c</a>",
		 "c:https://a.example f:https://b.example"), "a link");
	ok(finds("<script src=//a.example/b></script><iframe src=c>",
		 "r://a.example/b r:c"), "a script and a frame");
	ok(finds("<form action=https://a.example><button formaction=b>",
		 "p:https://a.example p:b"), "forms");
	ok(finds("<meta http-equiv=refresh content=\"0; URL='//a.example'\">",
		 "g://a.example"), "a page that goes elsewhere");
	ok(finds("<p style=\"background:url( 'https://a.example/b' )\">",
		 "f:https://a.example/b"), "a style");
	ok(finds("<td background=https://a.example/b>",
		 "f:https://a.example/b"), "a background");
	ok(finds("<img src='https://a.example/?b=\nc https://d.example/",
		 "f:https://a.example/?b=\nc https://d.example/ "
		 "s:https://d.example/"),
	   "a quote that is not closed takes what follows and hides nothing");
	ok(finds("<a b=<a b=<a b=<a b=<a b=<a b=<a b=<a b=<a b=<a b=<a b=<img "
		 "src=https://a.example/ c>", "f:https://a.example/"),
	   "a tag that begins in many others");
	ok(finds("1 <a && b> c <imgsrc=x> <p src=y>", ""), "no tags");
}

static struct guard_address a;

static struct guard_address *address(const char *s)
{
	guard_address_read(ai_span_of(s), false, &a);
	return &a;
}

static bool leads(const char *s, const char *host, unsigned odd)
{
	address(s);
	if (strcmp(a.host, host) != 0 || a.odd != odd)
		printf("# got: '%s' %#x\n", a.host, a.odd);
	return strcmp(a.host, host) == 0 && a.odd == odd;
}

static void hosts(void)
{
	ok(leads("https://A.Example.:8080/b", "a.example", 0), "a host");
	ok(leads("//a.example", "a.example", 0), "without a scheme");
	ok(leads("b/c?d", "", 0) && a.scheme == GUARD_SCHEME_NONE, "relative");
	ok(leads("https://user:pw@a.example/", "a.example", 0), "a user");
	ok(leads("https://bank.example@a.example/", "a.example",
		 GUARD_ODD_USER), "a user that looks like a host");
	ok(leads("https://bank.example\\@a.example/", "bank.example",
		 GUARD_ODD_BACKSLASH), "a backslash ends the host");
	ok(leads("https:\\\\a.example", "a.example", GUARD_ODD_BACKSLASH),
	   "backslashes before it");
	ok(leads("https:///a.example", "a.example", 0), "three slashes");
	ok(leads("ht\ntps://a.exa\tmple", "a.example", 0),
	   "ends of lines and tabs in it");
	ok(leads("https://%61.example", "a.example", GUARD_ODD_PERCENT),
	   "a host that is escaped");
	ok(leads("http://2130706433/", "2130706433", GUARD_ODD_NUMBER) &&
	   leads("http://0x7f.1/", "0x7f.1", GUARD_ODD_NUMBER) &&
	   leads("http://0177.0.0.1/", "0177.0.0.1", GUARD_ODD_NUMBER) &&
	   leads("http://127.0.0.1:80/", "127.0.0.1", 0) &&
	   leads("http://[::1]:80/", "[::1]", 0), "numbers");
	ok(leads("https://b\303\274cher.example", "b\303\274cher.example", 0) &&
	   leads("https://xn--bcher-kva.example", "xn--bcher-kva.example", 0),
	   "a letter with dots is no other's");
	ok(leads("https://xn--80ak6aa92e.com", "xn--80ak6aa92e.com",
		 GUARD_ODD_ALIKE), "a word of letters that look like others");
	ok(leads("https://p\320\260ypal.com", "p\320\260ypal.com",
		 GUARD_ODD_ALIKE), "one such letter");
	ok(leads("https://xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai", 0),
	   "Cyrillic words");
	ok(leads("https://xn--99999999999", "xn--99999999999",
		 GUARD_ODD_ALIKE), "what is no word at all");
	ok(address(" JaVa\nscript:x")->scheme == GUARD_SCHEME_SCRIPT &&
	   address("data:text/html,x")->odd == GUARD_ODD_MARKUP &&
	   address("data:image/png;base64,AAAA")->odd == 0 &&
	   address("file:///etc")->scheme == GUARD_SCHEME_FILE, "schemes");
	ok(guard_host_in("a.b.example", "b.example") &&
	   guard_host_in("b.example", "B.example") &&
	   guard_host_in("a.b.example", "*.b.example") &&
	   !guard_host_in("ab.example", "b.example") &&
	   !guard_host_in("b.example", "a.b.example") &&
	   !guard_host_in("b.example", ""), "a host in a domain");
}

static void carried(void)
{
	ok(address("https://a.example/b?c=aGVsbG8gd29ybGQgc2VjcmV0")->text ==
	   18, "base64 in a query");
	ok(address("https://a.example/68656c6c6f20776f726c64/b.png")->text ==
	   11, "hex in a path");
	ok(address("https://aGVsbG8gd29ybGQgc2VjcmV0.a.example/")->text > 0 &&
	   address("https://aGVsbG8gd29ybGQgc2VjcmV0@a.example/")->text > 0,
	   "in a host's name, and before it");
	ok(address("https://a.example/?b=hello%20world&c=d")->words == 12 &&
	   a.text == 0 && a.coded == 0, "words");
	ok(address("https://a.example/how-to-bake-a-large-cake-2024-edition")
	   ->coded_path == 0 && a.words == 0, "a title");
	ok(address("https://a.example/?b=9f8e7d6c5b4a39281706f5e4d3c2b1a0")
	   ->coded == 32, "a number that nobody would remember");
	ok(address("https://a.example/?q=")->open &&
	   address("https://a.example/?q={data}&b=c")->open &&
	   address("https://a.example/?q=${x}")->open &&
	   !address("https://a.example/?q=1&b")->open, "queries to be filled");
	guard_address_read(AI_SPAN("https://a.example/b#hello-my-world-of-words"),
			   true, &a);
	ok(a.words == 0 &&
	   address("https://a.example/b#hello-my-world-of-words")->words == 23,
	   "what stands behind '#' is not sent");
}

static bool is_code(const char *text, const char *at)
{
	struct guard_fence f;

	guard_fence_init(&f, ai_span_of(text));
	return guard_fence_at(&f, (size_t)(strstr(text, at) - text));
}

static void code(void)
{
	const char *text = "one\n```sh\ntwo\n~~~\nthree\n```\nfour `five` "
			   "``six ` seven`` eight ` nine\n> ~~~~\n> ten\n> "
			   "~~~\n> eleven\n> ~~~~\ntwelve ```x``` y\nthirteen\n"
			   "```\nfourteen";

	ok(!is_code(text, "one") && is_code(text, "two") &&
	   is_code(text, "three") && !is_code(text, "four"), "a fence");
	ok(is_code(text, "five") && is_code(text, "six") &&
	   is_code(text, "seven") && !is_code(text, "eight") &&
	   !is_code(text, "nine"), "backticks");
	ok(is_code(text, "ten") && is_code(text, "eleven") &&
	   !is_code(text, "twelve"), "a fence in a quotation");
	ok(!is_code(text, "thirteen") && is_code(text, "fourteen"),
	   "one that is not closed");
}

static int count(void *arg, const struct guard_link *l)
{
	guard_address_read(l->address, false, &a);
	++*(size_t *)arg;
	return 0;
}

/* Nothing is looked at again and again: else this would take hours. */
static void hostile(void)
{
	static const char *const pieces[] = {
		"![](", "[](<", "[", "![[", "]: ", "\n[a]:", "<a b='", "<a ",
		"<img src=", "url(", "url('", "http://", "`", "``` ", "\n```",
		"](", "![a][", "<a b=\"<a c='", "://", "%25", "&a=", "@",
	};
	size_t n = 4u << 20;
	char *text = malloc(n);

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct guard_fence f;
		size_t len = strlen(pieces[i]), in = 0, links = 0;

		for (size_t k = 0; k < n; k++)
			text[k] = pieces[i][k % len];
		guard_links((struct ai_span){ text, n }, count, &links);
		guard_address_read((struct ai_span){ text, n }, false, &a);
		guard_fence_init(&f, (struct ai_span){ text, n });
		for (size_t k = 0; k < n; k += 7)
			in += guard_fence_at(&f, k);
		ok(in <= n && links <= 2 * n, "4 MiB of '%s'", pieces[i][0] == '\n'
			? pieces[i] + 1 : pieces[i]);
	}
	free(text);
}

int main(void)
{
	markdown();
	html();
	hosts();
	carried();
	code();
	hostile();
	return done();
}
