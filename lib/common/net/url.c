#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ZONE_MAX 15 /* of an address such as fe80::1%25eth0 */

/* A password that stands in it, perhaps in the wrong place, is not printed. */
static int no_address(const char *url, struct ai_err *err)
{
	if (strchr(url, '@') != NULL)
		return ai_err_set(err, AI_E_CONFIG, "this is not an address "
				  "such as https://host/v1; it has an '@' in "
				  "it, so it is not shown");
	return ai_err_set(err, AI_E_CONFIG, "'%.200s' is not an address such "
			  "as https://host/v1", url);
}

/* ---- hosts ---------------------------------------------------------------- */

/* The part of a name behind its last dot is a number: then all of it is one,
 * in one of several ways to write those. */
static bool ends_in_number(const char *host)
{
	size_t n = strlen(host), from;

	n -= n > 0 && host[n - 1] == '.';
	for (from = n; from > 0 && host[from - 1] != '.';)
		from--;
	if (n - from >= 2 && host[from] == '0' &&
	    (host[from + 1] == 'x' || host[from + 1] == 'X'))
		return true;
	return n > from && strspn(host + from, DIGITS) >= n - from;
}

/* A name, or four decimal numbers. Names in other scripts are libcurl's. */
static bool take_name(const char *p, size_t n, char host[AI_HTTP_HOST_MAX])
{
	struct in_addr v4;

	if (n == 0 || n >= AI_HTTP_HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x80 &&
		    strchr(LETTERS DIGITS "-._~", p[i]) == NULL)
			return false;
	memcpy(host, p, n);
	host[n] = '\0';
	return !ends_in_number(host) || inet_pton(AF_INET, host, &v4) == 1;
}

/* %25eth0: through which interface, for addresses that hold on any of them. */
static bool is_zone(const char *p, size_t n)
{
	return n > 3 && n <= 3 + ZONE_MAX && strncmp(p, "%25", 3) == 0 &&
	       strspn(p + 3, LETTERS DIGITS "-._") >= n - 3;
}

/* p[0..n) stands between the brackets; it is written in the shortest form. */
static bool take_v6(const char *p, size_t n, char host[AI_HTTP_HOST_MAX])
{
	const char *zone = memchr(p, '%', n);
	size_t own = zone != NULL ? (size_t)(zone - p) : n;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;

	if (own >= sizeof text || (zone != NULL && !is_zone(zone, n - own)))
		return false;
	memcpy(text, p, own);
	text[own] = '\0';
	if (inet_pton(AF_INET6, text, &v6) != 1 ||
	    inet_ntop(AF_INET6, &v6, text, sizeof text) == NULL)
		return false;
	snprintf(host, AI_HTTP_HOST_MAX, "[%s]", text);
	return true;
}

/* 1 to 65535, in the usual way. */
static bool is_port(const char *p, size_t n)
{
	long port = 0;

	if (n == 0 || n > 5 || p[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		port = port * 10 + p[i] - '0';
	}
	return port <= 65535;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	return strcasecmp(host, "localhost") == 0 ||
	       strcmp(host, "[::1]") == 0 ||
	       (strncmp(host, "127.", 4) == 0 &&
		inet_pton(AF_INET, host, &v4) == 1);
}

/* "host" or "host:port". */
static bool take_host(const char *p, size_t n, struct ai_http_url *out)
{
	const char *close = n > 0 && *p == '[' ? memchr(p, ']', n) : NULL;
	const char *end = close != NULL ? close + 1 : memchr(p, ':', n);
	size_t own = end != NULL ? (size_t)(end - p) : n;

	if (close != NULL ? !take_v6(p + 1, own - 2, out->host)
			  : !take_name(p, own, out->host))
		return false;
	out->loopback = is_loopback(out->host);
	if (own == n)
		return true;
	if (p[own] != ':' || !is_port(p + own + 1, n - own - 1))
		return false;
	snprintf(out->host + strlen(out->host), sizeof "65535" + 1, "%.*s",
		 (int)(n - own), p + own);
	return true;
}

/* ---- addresses ------------------------------------------------------------ */

/* What stands behind "://"; NULL: it is no address, or of something else. */
static const char *take_scheme(const char *url, bool *secure,
			       struct ai_err *err)
{
	size_t n = strspn(url, LETTERS DIGITS "+-.");

	if (n == 0 || strncmp(url + n, "://", 3) != 0) {
		no_address(url, err);
		return NULL;
	}
	*secure = n == 5 && strncasecmp(url, "https", 5) == 0;
	if (*secure || (n == 4 && strncasecmp(url, "http", 4) == 0))
		return url + n + 3;
	if (strchr(url, '@') != NULL)
		no_address(url, err);
	else
		ai_err_set(err, AI_E_CONFIG, "'%.200s' is neither http:// nor "
			   "https://", url);
	return NULL;
}

static int examine(const char *url, bool base, struct ai_http_url *out,
		   struct ai_err *err)
{
	const char *p, *path, *user;
	size_t n;

	memset(out, 0, sizeof *out);
	p = take_scheme(url, &out->secure, err);
	if (p == NULL)
		return -1;
	for (const char *c = p; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 127)
			return no_address(url, err);
	n = strcspn(p, "/?#");
	path = p + n;
	user = memrchr(p, '@', n);
	if (user != NULL)
		n -= (size_t)(user + 1 - p), p = user + 1;
	if (!take_host(p, n, out))
		return no_address(url, err);
	if (user != NULL)
		return ai_err_set(err, AI_E_CONFIG, "the address of '%s' has "
				  "a user or password in it; keys come from "
				  "the environment", out->host);
	if (base && strpbrk(path, "?#") != NULL)
		return ai_err_set(err, AI_E_CONFIG, "'%.200s' has a query or "
				  "fragment in it; the address must end with "
				  "the path", url);
	n = strcspn(path, "?#");
	out->bare = n == 0 || (n == 1 && *path == '/');
	return 0;
}

int ai_http_url(const char *url, struct ai_http_url *out, struct ai_err *err)
{
	return examine(url, true, out, err);
}

int ai_http_url_whole(const char *url, struct ai_http_url *out,
		      struct ai_err *err)
{
	return examine(url, false, out, err);
}
