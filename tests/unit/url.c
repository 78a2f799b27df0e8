/* url.c: addresses of servers; tests/fuzz/url.c compares them with libcurl. */
#include "net/url.h"
#include "tap.h"

#include <string.h>

static struct ai_err err;

static void test_cases(void)
{
	static const struct {
		const char *url;
		bool good, secure, loopback, bare;
		const char *host;
	} cases[] = {
		{ "https://api.openai.com/v1", 1, 1, 0, 0, "api.openai.com" },
		{ "http://localhost:8080", 1, 0, 1, 1, "localhost:8080" },
		{ "http://LOCALHOST/", 1, 0, 1, 1, "LOCALHOST" },
		{ "HTTPS://host:65535/", 1, 1, 0, 1, "host:65535" },
		{ "http://127.0.0.1/v1/", 1, 0, 1, 0, "127.0.0.1" },
		{ "http://127.8.9.1", 1, 0, 1, 1, "127.8.9.1" },
		{ "http://[::1]:99/x", 1, 0, 1, 0, "[::1]:99" },
		{ "http://[0:0::0:1]/x", 1, 0, 1, 0, "[::1]" },
		{ "http://[fe80::1%25eth0]:8/", 1, 0, 0, 1, "[fe80::1]:8" },
		{ "http://127.0.0.1.evil.example/", 1, 0, 0, 1,
		  "127.0.0.1.evil.example" },
		{ "http://localhost.evil.example/", 1, 0, 0, 1,
		  "localhost.evil.example" },
		{ "http://10.0.0.1/v1", 1, 0, 0, 0, "10.0.0.1" },
		{ "https://h\xC3\xB6st.example/v1", 1, 1, 0, 0,
		  "h\xC3\xB6st.example" },
		/* Not those of a stranger, whoever resolves them. */
		{ "http://127.1/", 0 },
		{ "http://0x7f.0.0.1/", 0 },
		{ "http://127.0.0.1.5/", 0 },
		{ "http://127.0.0.1./", 0 },
		{ "http://2130706433/", 0 },
		{ "http://host\\@evil.example/", 0 },
		{ "http://host%2eexample/", 0 },
		{ "http://[::1]x/", 0 },
		{ "http://[::1/", 0 },
		{ "http://[v1.x]/", 0 },
		{ "http://host:0/", 0 },
		{ "http://host:65536/", 0 },
		{ "http://host:080/", 0 },
		{ "http://host:/", 0 },
		{ "http://host:80:80/", 0 },
		{ "http:///host/", 0 },
		{ "http:/host/", 0 },
		{ "file:///etc/passwd", 0 },
		{ "ftp://x/", 0 },
		{ "localhost:8080", 0 },
		{ "", 0 },
		{ "https://", 0 },
		{ "https://user:pw@host/v1", 0 },
		{ "https://host/v1?key=1", 0 },
		{ "https://host/v1#x", 0 },
		{ "http://ho st/", 0 },
		{ "http://host/a b", 0 },
		{ "http://host/\n", 0 },
	};
	struct ai_http_url u;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool good = ai_http_url(cases[i].url, &u, &err) == 0;

		ok(good == cases[i].good &&
		   (!good || (u.secure == cases[i].secure &&
			      u.loopback == cases[i].loopback &&
			      u.bare == cases[i].bare &&
			      strcmp(u.host, cases[i].host) == 0)),
		   "case %zu: address '%.60s' %.200s", i,
		   strchr(cases[i].url, '\n') ? "..." : cases[i].url,
		   good ? u.host : strchr(err.msg, '\n') ? "..." : err.msg);
	}
}

static void test_long(void)
{
	struct ai_http_url u;
	char url[400] = "https://";

	memset(url + 8, 'a', 255);
	ok(ai_http_url(url, &u, &err) == 0 && strlen(u.host) == 255,
	   "a host of 255 bytes");
	memcpy(url + 8 + 255, ":12345", 7);
	ok(ai_http_url(url, &u, &err) == 0 && strlen(u.host) == 261,
	   "and its port");
	memset(url + 8, 'a', 256);
	url[8 + 256] = '\0';
	ok(ai_http_url(url, &u, &err) < 0, "one of 256 is none");
}

static void test_password(void)
{
	static const char *const with[] = {
		"https://user:hunter2@host/", "https://user:hunter2@ho st/",
		"https://hunter2/x@host/v1", "https://u:hun?ter2@host",
		"user:hunter2@host", "ftp://user:hunter2@host/",
		"https://a@hunter2@host/?x",
	};
	struct ai_http_url u;

	for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
		err.msg[0] = '\0';
		ai_http_url(with[i], &u, &err);
		ok(!strstr(err.msg, "hun"), "a password is not printed: %s",
		   err.msg);
	}
}

int main(void)
{
	struct ai_http_url u;

	test_cases();
	test_long();
	test_password();
	ok(ai_http_url_whole("http://localhost/v1?a=b#c", &u, &err) == 0 &&
	   u.loopback && !u.bare, "more behind the path, where it may be");
	return done();
}
