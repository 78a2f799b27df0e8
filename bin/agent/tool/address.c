#include "tool/address.h"

#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADDRESSES_MAX 8 /* that are tried */

/* ---- public or not -------------------------------------------------------- */

/* What IANA has set aside. */
static const struct {
	uint32_t net;
	int bits;
} v4_special[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0A000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* shared by carriers' customers */
	{ 0x7F000000, 8 },  /* loopback */
	{ 0xA9FE0000, 16 }, /* link-local; clouds' metadata */
	{ 0xAC100000, 12 }, /* private */
	{ 0xC0000000, 24 }, /* protocols */
	{ 0xC0000200, 24 }, /* documentation */
	{ 0xC0586300, 24 }, /* 6to4 relays */
	{ 0xC0A80000, 16 }, /* private */
	{ 0xC6120000, 15 }, /* benchmarks */
	{ 0xC6336400, 24 }, /* documentation */
	{ 0xCB007100, 24 }, /* documentation */
	{ 0xE0000000, 3 },  /* multicast, reserved, broadcast */
};

static bool v4_is_public(uint32_t a)
{
	for (size_t i = 0; i < sizeof v4_special / sizeof v4_special[0]; i++)
		if ((a ^ v4_special[i].net) >> (32 - v4_special[i].bits) == 0)
			return false;
	return true;
}

static uint32_t word(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* Only 2000::/3 is public, and not all of it. */
static bool v6_is_public(const unsigned char a[16])
{
	static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	static const unsigned char nat64[12] = { 0, 0x64, 0xFF, 0x9B };

	if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
		return v4_is_public(word(a + 12));
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		return v4_is_public(word(a + 2));
	if (word(a) >> 9 == 0x20010000u >> 9) /* protocols, Teredo */
		return false;
	if (word(a) == 0x20010DB8u || word(a) >> 12 == 0x3FFF0000u >> 12)
		return false; /* documentation */
	return (a[0] & 0xE0) == 0x20;
}

bool agent_address_is_public(const char *text)
{
	unsigned char a[16];

	if (inet_pton(AF_INET, text, a) == 1)
		return v4_is_public(word(a));
	return inet_pton(AF_INET6, text, a) == 1 && v6_is_public(a);
}

/* ---- hosts ---------------------------------------------------------------- */

/* Takes ":port" off a host; -1: there is none. */
static int split_port(char *host)
{
	char *colon = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	int64_t port;

	if (colon != NULL && *colon == ']')
		colon = colon[1] == ':' ? colon + 1 : NULL;
	if (colon == NULL)
		return -1;
	*colon = '\0';
	return ai_parse_i64(ai_span_of(colon + 1), &port) == 0 ? (int)port : -1;
}

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

/* An entry's host, in the form that an address's is compared in. */
static int read_entry(const char *entry, char host[264], int *port,
		      bool *below, struct ai_err *err)
{
	struct ai_http_url url;
	char text[300];

	*below = strncmp(entry, "*.", 2) == 0;
	if (entry[0] == '*' && (entry[1] == '\0' || entry[1] == ':'))
		snprintf(text, sizeof text, "http://any%.20s", entry + 1);
	else
		snprintf(text, sizeof text, "http://%.280s",
			 entry + (*below ? 2 : 0));
	if (strpbrk(entry, "/?#@%") != NULL ||
	    ai_http_url(text, &url, NULL) < 0)
		return ai_err_set(err, AI_E_USAGE, "'%.100s' is not a host such "
				  "as example.org, example.org:8080, "
				  "*.example.org, [2001:db8::1] or *", entry);
	memcpy(host, url.host, sizeof url.host);
	*port = split_port(host);
	lower(host);
	if (entry[0] == '*' && !*below)
		host[0] = '\0';
	return 0;
}

int agent_host_check(const char *entry, struct ai_err *err)
{
	char host[264];
	int port;
	bool below;

	return read_entry(entry, host, &port, &below, err);
}

static bool is_below(const char *host, const char *domain)
{
	size_t n = strlen(host), m = strlen(domain);

	return n > m + 1 && host[n - m - 1] == '.' &&
	       strcmp(host + n - m, domain) == 0;
}

/* Whether the list has it; the usual port goes without saying. */
static bool look_up(struct agent_target *t, bool usual,
		    const char *const *list)
{
	char host[264];
	bool found = false, below, fits;
	int port;

	for (; list != NULL && *list != NULL; list++) {
		if (read_entry(*list, host, &port, &below, NULL) < 0)
			continue;
		if (port < 0 ? !usual : port != t->port)
			continue;
		fits = host[0] == '\0' ? true :
		       below ? is_below(t->host, host) && !t->literal :
			       strcmp(t->host, host) == 0;
		found |= fits;
		t->named |= fits && !below && host[0] != '\0';
	}
	return found;
}

/* The address without brackets. */
static void bare(const struct agent_target *t, char out[264])
{
	size_t n = strlen(t->host);

	if (t->host[0] == '[' && n >= 2) {
		memcpy(out, t->host + 1, n - 2);
		out[n - 2] = '\0';
	} else {
		memcpy(out, t->host, n + 1);
	}
}

static int check_host(struct agent_target *t, struct ai_err *err)
{
	unsigned char a[16];
	char text[264];
	size_t n = strlen(t->host);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)t->host[i] >= 0x80)
			return ai_err_set(err, AI_E_RECORD, "'%.100s': write "
					  "the host in ASCII (xn--...)",
					  t->host);
	if (t->host[n - 1] == '.')
		return ai_err_set(err, AI_E_RECORD, "'%.100s': leave out the "
				  "dot at the end", t->host);
	bare(t, text);
	t->literal = inet_pton(AF_INET, text, a) == 1 ||
		     inet_pton(AF_INET6, text, a) == 1;
	return 0;
}

int agent_target_of(struct agent_target *t, const char *url,
		    const char *const *list, struct ai_err *err)
{
	const char *slashes = strstr(url, "://"), *zone;
	struct ai_http_url parts;
	struct ai_err why;
	char text[264];
	int port;

	memset(t, 0, sizeof *t);
	if (ai_http_url_whole(url, &parts, &why) < 0)
		return ai_err_set(err, AI_E_RECORD, "%.300s", why.msg);
	zone = strchr(url, '%');
	if (zone != NULL && slashes != NULL &&
	    zone < slashes + 3 + strcspn(slashes + 3, "/?#"))
		return ai_err_set(err, AI_E_RECORD, "'%.200s': a '%%' cannot be "
				  "in a host", url);
	memcpy(t->host, parts.host, sizeof parts.host);
	port = split_port(t->host);
	lower(t->host);
	t->port = (uint16_t)(port > 0 ? port : parts.secure ? 443 : 80);
	if (check_host(t, err) < 0)
		return -1;
	if (!look_up(t, t->port == (parts.secure ? 443 : 80), list))
		return ai_err_set(err, AI_E_RECORD, "the host '%.100s' (port "
				  "%d) is not one of those that may be asked",
				  t->host, t->port);
	bare(t, text);
	if (t->literal && !t->named && !agent_address_is_public(text))
		return ai_err_set(err, AI_E_RECORD, "the address '%.100s' is "
				  "not a public one", t->host);
	return 0;
}

/* ---- addresses ------------------------------------------------------------ */

static bool stands_in(const struct ai_buf *out, size_t from, const char *text)
{
	const char *p = out->len > from ? strstr(out->p + from, text) : NULL;
	size_t n = strlen(text);

	for (; p != NULL; p = strstr(p + 1, text))
		if ((p == out->p + from || p[-1] == ',' || p[-1] == '[') &&
		    (p[n] == '\0' || p[n] == ',' || p[n] == ']'))
			return true;
	return false;
}

int agent_target_addresses(const struct agent_target *t, struct ai_span getent,
			   struct ai_buf *out, struct ai_err *err)
{
	const char *p = getent.p, *end = p + getent.n, *eol;
	size_t from = out->len, n, taken = 0, refused = 0;
	char text[64];
	unsigned char a[16];

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL)
			eol = end;
		for (n = 0; p + n < eol && p[n] != ' ' && p[n] != '\t';)
			n++;
		if (n == 0 || n >= sizeof text)
			continue;
		memcpy(text, p, n);
		text[n] = '\0';
		if (inet_pton(AF_INET, text, a) != 1 &&
		    inet_pton(AF_INET6, text, a) != 1)
			continue;
		if (!t->named && !agent_address_is_public(text)) {
			refused++;
			continue;
		}
		if (taken == ADDRESSES_MAX || stands_in(out, from, text))
			continue;
		ai_buf_fmt(out, strchr(text, ':') != NULL ? "%s[%s]" : "%s%s",
			   taken++ > 0 ? "," : "", text);
	}
	if (taken > 0)
		return ai_buf_check(out, "the addresses", err);
	if (refused > 0)
		return ai_err_set(err, AI_E_RECORD, "the host '%.100s' has no "
				  "public address; --allow-host with its own "
				  "name would allow others", t->host);
	return ai_err_set(err, AI_E_RECORD, "the host '%.100s' has no address",
			  t->host);
}
