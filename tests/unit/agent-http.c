/* http_get: which hosts and addresses may be asked; what servers answer. */
#include "tool/address.h"
#include "tool/builtin.h"
#include "tool/page.h"

#include "base/proc.h"

#include "agent.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct agent_sandbox sandbox;
static struct ai_err err;
static int port;

static bool says(const char *part)
{
	bool there = strstr(text(), part) != NULL ||
		     strstr(call_err.msg, part) != NULL;

	if (!there)
		printf("# text: %.600s\n# error: %s\n", text(), call_err.msg);
	return there;
}

/* ---- a server ---------------------------------------------------------------- */

#define PAGE "<html><head><title>A page</title><style>p{}</style></head>" \
	"<body><h1>Head</h1><p>One &amp; two<br>three</p><script>evil()" \
	"</script><a href=\"/x?a=1&amp;b=2\">link</a></body></html>"

static const struct {
	const char *path, *answer;
} pages[] = {
	{ "/plain", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello" },
	{ "/page", "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8"
	  "\r\n\r\n" PAGE },
	{ "/json", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
	  "{\"a\":1}" },
	{ "/none", "HTTP/1.1 204 No Content\r\n\r\n" },
	{ "/missing", "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
	  "\r\nno such page" },
	{ "/moved", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/"
	  "\r\nContent-Length: 0\r\n\r\n" },
	{ "/early", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
	  "OK\r\nContent-Type: text/plain\r\n\r\nlate" },
	{ "/binary", "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
	  "\r\n\x89PNG" },
	{ "/latin", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
	  "caf\xE9 au lait" },
	{ "/nonsense", "SSH-2.0-OpenSSH_9.2\r\n" },
};

static void answer(int fd)
{
	char request[4096];
	ssize_t n = read(fd, request, sizeof request - 1);
	static char filler[65536];

	request[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		size_t len = strlen(pages[i].path);

		if (strncmp(request + 4, pages[i].path, len) == 0 &&
		    request[4 + len] == ' ' &&
		    write(fd, pages[i].answer, strlen(pages[i].answer)) < 0)
			return;
	}
	if (strncmp(request, "GET /endless ", 13) != 0)
		return;
	memset(filler, 'x', sizeof filler);
	n = write(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
		  45);
	while (n > 0)
		n = write(fd, filler, sizeof filler);
}

static void *serve(void *listener)
{
	int fd;

	while ((fd = accept(*(int *)listener, NULL, NULL)) >= 0) {
		answer(fd);
		shutdown(fd, SHUT_RDWR);
		close(fd);
	}
	return NULL;
}

static int listen_here(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 ||
	    listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&a,
					      &n) < 0)
		return -1;
	port = ntohs(a.sin_port);
	return fd;
}

/* ---- lists ------------------------------------------------------------------- */

static const struct {
	const char *url;
	const char *list[3];
	bool allowed;
} urls[] = {
	{ "https://example.org/x?y=1#z", { "example.org" }, true },
	{ "https://EXAMPLE.org", { "example.org" }, true },
	{ "http://example.org/", { "example.org" }, true },
	{ "https://example.org:8443/", { "example.org" }, false },
	{ "https://example.org:8443/", { "example.org:8443" }, true },
	{ "https://example.org/", { "example.org:8443" }, false },
	{ "https://example.org/", { "example.org:443" }, true },
	{ "http://example.org/", { "example.org:443" }, false },
	{ "https://www.example.org/", { "example.org" }, false },
	{ "https://www.example.org/", { "*.example.org" }, true },
	{ "https://example.org/", { "*.example.org" }, false },
	{ "https://evilexample.org/", { "*.example.org" }, false },
	{ "https://example.org.evil.net/", { "example.org" }, false },
	{ "https://example.org@evil.net/", { "example.org" }, false },
	{ "https://example.org:x@evil.net/", { "example.org" }, false },
	{ "https://evil.net/", { "a", "evil.net" }, true },
	{ "https://evil.net/", { "*" }, true },
	{ "https://evil.net:22/", { "*" }, false },
	{ "ftp://example.org/", { "*" }, false },
	{ "file:///etc/passwd", { "*" }, false },
	{ "gopher://example.org/", { "*" }, false },
	{ "https://example.org./", { "example.org" }, false },
	{ "https:\\\\example.org/", { "*" }, false },
	{ "https://example.org\\@evil.net/", { "*" }, false },
	{ "https://ex\xC3\xA4mple.org/", { "*" }, false },
	{ "http://127.0.0.1/", { "*" }, false },
	{ "http://127.0.0.1/", { "127.0.0.1" }, true },
	{ "http://127.0.0.2/", { "127.0.0.1" }, false },
	{ "http://127.0.0.1/", { "*.0.0.1" }, false },
	{ "http://2130706433/", { "*" }, false },
	{ "http://0x7f000001/", { "*" }, false },
	{ "http://0177.0.0.1/", { "*" }, false },
	{ "http://127.1/", { "*" }, false },
	{ "http://0/", { "*" }, false },
	{ "http://0.0.0.0/", { "*" }, false },
	{ "http://[::1]/", { "*" }, false },
	{ "http://[::1]/", { "[::1]" }, true },
	{ "http://[0:0:0:0:0:0:0:1]/", { "[::1]" }, true },
	{ "http://[::ffff:127.0.0.1]/", { "*" }, false },
	{ "http://[::ffff:7f00:1]/", { "*" }, false },
	{ "http://[::127.0.0.1]/", { "*" }, false },
	{ "http://[64:ff9b::7f00:1]/", { "*" }, false },
	{ "http://[2002:7f00:1::]/", { "*" }, false },
	{ "http://[fe80::1%25eth0]/", { "*" }, false },
	{ "http://[fd00::1]/", { "*" }, false },
	{ "http://[2606:4700::1111]/", { "*" }, true },
	{ "http://169.254.169.254/", { "*" }, false },
	{ "http://10.1.2.3/", { "*" }, false },
	{ "http://172.16.0.1/", { "*" }, false },
	{ "http://172.32.0.1/", { "*" }, true },
	{ "http://192.168.1.1/", { "*" }, false },
	{ "http://100.64.0.1/", { "*" }, false },
	{ "http://224.0.0.1/", { "*" }, false },
	{ "http://255.255.255.255/", { "*" }, false },
	{ "http://1.1.1.1/", { "*" }, true },
	{ "http://example.org/", { NULL }, false },
	{ "http://exa mple.org/", { "*" }, false },
	{ "http://example.org/\x01", { "*" }, false },
	{ "http://example%2eorg/", { "*" }, false },
	{ "http:///example.org", { "*" }, false },
	{ "//example.org", { "*" }, false },
	{ "example.org", { "*" }, false },
};

static void test_urls(void)
{
	struct agent_target t;

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		int rc = agent_target_of(&t, urls[i].url, urls[i].list, &err);

		ok(urls[i].allowed ? rc == 0 :
		   rc < 0 && err.code == AI_E_RECORD, "%s with %s: %s",
		   urls[i].url, urls[i].list[0], rc == 0 ? "yes" : err.msg);
	}
}

static void test_addresses(void)
{
	static const char out[] = "10.0.0.1  STREAM x\n10.0.0.1  DGRAM\n"
		"1.1.1.1 STREAM\n1.1.1.1 RAW\n2606:4700::1 STREAM\n"
		"::1 STREAM\nnonsense\n11.1.1.1 STREAM";
	struct agent_target t = { .host = "x" };
	struct ai_buf b = AI_BUF_INIT(1000);

	ok(agent_target_addresses(&t, AI_SPAN(out), &b, &err) == 0 &&
	   strcmp(b.p, "1.1.1.1,[2606:4700::1],11.1.1.1") == 0,
	   "only the public ones: %s", ai_buf_cstr(&b));
	ai_buf_clear(&b);
	t.named = true;
	ok(agent_target_addresses(&t, AI_SPAN(out), &b, &err) == 0 &&
	   strcmp(b.p, "10.0.0.1,1.1.1.1,[2606:4700::1],[::1],11.1.1.1") == 0,
	   "all of a host that is named: %s", ai_buf_cstr(&b));
	t.named = false;
	ai_buf_clear(&b);
	ok(agent_target_addresses(&t, AI_SPAN("127.0.0.1 STREAM\n"), &b,
				  &err) < 0, "%s", err.msg);
	ok(agent_target_addresses(&t, AI_SPAN(""), &b, &err) < 0, "%s",
	   err.msg);
	ai_buf_release(&b);
}

/* ---- pages -------------------------------------------------------------------- */

static bool get(const struct agent_tools *t, const char *host,
		const char *path)
{
	char args[300];

	snprintf(args, sizeof args, "{\"url\":\"http://%s:%d%s\"}", host, port,
		 path);
	return run_tool(t, "http_get", args) == 0 && !call.failed;
}

static void add(struct agent_tools *t, const char *host)
{
	const char *const hosts[] = { host, NULL };
	struct agent_builtin_settings s = { &sandbox, hosts, NULL };

	agent_tools_init(t);
	if (agent_builtins_add(t, &s, &err) < 0)
		printf("# %s\n", err.msg);
}

static void test_answers(const struct agent_tools *t)
{
	ok(get(t, "127.0.0.1", "/plain") &&
	   strcmp(text(), "HTTP 200, text/plain\n\nhello") == 0, "a text");
	ok(get(t, "127.0.0.1", "/page") &&
	   strcmp(text(), "HTTP 200, text/html; charset=utf-8\n\nA page\n\n"
		  "Head\n\nOne & two\nthree\n\nlink </x?a=1&b=2>") == 0,
	   "a page");
	ok(get(t, "127.0.0.1", "/json") && says("{\"a\":1}"), "JSON");
	ok(get(t, "127.0.0.1", "/none") && says("HTTP 204\n\n(no text)"),
	   "nothing");
	ok(!get(t, "127.0.0.1", "/missing") && says("HTTP 404") &&
	   says("no such page"), "an error");
	ok(get(t, "127.0.0.1", "/moved") && says("It leads to "
	   "http://169.254.169.254/ (not followed"), "a redirect");
	ok(get(t, "127.0.0.1", "/early") && says("HTTP 200") && says("late"),
	   "early hints");
	ok(get(t, "127.0.0.1", "/binary") && says("(4 bytes that are no text"),
	   "a picture");
	ok(get(t, "127.0.0.1", "/latin") && says("au lait"),
	   "another encoding");
	ok(!get(t, "127.0.0.1", "/nonsense") && says("could not be got"),
	   "no HTTP");
	ok(get(t, "127.0.0.1", "/endless") && call.text.len <= 65536 + 100 &&
	   says("[only the first "), "a page without an end");
}

static void test_hosts(void)
{
	char host[64];
	struct agent_tools t;

	snprintf(host, sizeof host, "localhost:%d", port);
	add(&t, host);
	ok(get(&t, "localhost", "/plain"), "a host that is named");
	ok(!get(&t, "127.0.0.1", "/plain") && says("may be asked"),
	   "its address is not");
	agent_tools_release(&t);
	snprintf(host, sizeof host, "*:%d", port);
	add(&t, host);
	ok(!get(&t, "localhost", "/plain") && says("no public address"),
	   "one that is not named has no address here");
	ok(!get(&t, "no-such-host.invalid", "/") && says("no address"),
	   "one that there is not");
	agent_tools_release(&t);
}

/* A server that others have written: chunks, a connection that stays open, a
 * page that is made while it is read. */
static void test_node(void)
{
	static const char script[] =
		"const s = require('http').createServer((q, r) => {"
		"r.setHeader('Content-Type', 'text/html');"
		"r.write('<p>' + q.method + ' ' + q.url + ' ' +"
		" q.headers['user-agent']);"
		"setTimeout(() => r.end('<p>' + q.headers.host), 50)});"
		"s.listen(0, '127.0.0.1', () => console.log(s.address().port))";
	const char *const argv[] = { "node", "-e", script, NULL };
	struct ai_proc node = AI_PROC_INIT;
	struct ai_buf line = AI_BUF_INIT(100);
	struct agent_tools t;
	char host[64], want[200];
	int64_t at;

	if (ai_proc_start(&node, argv, &err) < 0 ||
	    ai_proc_recv(&node, &line, &err) < 0 ||
	    ai_parse_i64((struct ai_span){ line.p, line.len }, &at) < 0) {
		skip("no node: %s", err.msg);
		return;
	}
	port = (int)at;
	snprintf(host, sizeof host, "localhost:%d", port);
	add(&t, host);
	snprintf(want, sizeof want, "HTTP 200, text/html\n\nGET /a?b=[1-3]{x} "
		 "ai-agent\n\n%s", host);
	ok(get(&t, "localhost", "/a?b=[1-3]{x}#c") &&
	   strcmp(text(), want) == 0, "a server of Node");
	agent_tools_release(&t);
	node.timeout_s = 0.1;
	ai_proc_stop(&node, NULL, &err);
	ai_buf_release(&line);
}

/* What a page may do to the reader. */
static void test_pages(void)
{
	static const char *const broken[] = {
		"<", "<a", "<a href", "<a href='", "<!--", "<!", "</", "&", "&#",
		"<script>", "<script></scrip", "<p", "a<b", "<a href=x><a>",
		"<style></STYLE>x", "<td>1<td>2",
	};
	struct ai_buf b = AI_BUF_INIT(10000);

	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		ai_buf_clear(&b);
		agent_page_text(ai_span_of(broken[i]), &b);
		ok(b.bad == AI_E_NONE, "%s: %s", broken[i], ai_buf_cstr(&b));
	}
	ai_buf_release(&b);
}

int main(void)
{
	static int listener;
	char host[64], base[] = "/tmp/agent-http-XXXXXX";
	struct agent_tools t;
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	listener = listen_here();
	if (mkdtemp(base) == NULL || listener < 0 ||
	    pthread_create(&thread, NULL, serve, &listener) != 0 ||
	    agent_sandbox_init(&sandbox, base, AGENT_SANDBOX_ON, &err) < 0)
		return 1;
	test_urls();
	test_addresses();
	test_pages();
	snprintf(host, sizeof host, "127.0.0.1:%d", port);
	add(&t, host);
	test_answers(&t);
	agent_tools_release(&t);
	test_hosts();
	test_node();
	agent_sandbox_release(&sandbox);
	call_release();
	rmdir(base);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	return done();
}
