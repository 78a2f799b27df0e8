/*
 * Addresses: what we accept libcurl understands in the same way, so a key goes
 * where we have looked. The first byte says whether it may have more behind its
 * path.
 * fuzz: lib/common/net/url.c
 * links: libcurl
 */
#include "net/url.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

/* What libcurl has there; NULL: nothing. */
static char *part(CURLU *u, CURLUPart which)
{
	char *text = NULL;

	return curl_url_get(u, which, &text, 0) == CURLUE_OK ? text : NULL;
}

/* Old ones leave [::0:1] as it is. */
static void shorten(char host[AI_HTTP_HOST_MAX])
{
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN], *close = strchr(host, ']');

	if (host[0] != '[' || close == NULL)
		return;
	*close = '\0';
	must(inet_pton(AF_INET6, host + 1, &v6) == 1 &&
	     inet_ntop(AF_INET6, &v6, text, sizeof text) != NULL);
	snprintf(host, AI_HTTP_HOST_MAX, "[%s]", text);
}

static void compare(CURLU *u, const struct ai_http_url *mine)
{
	char *scheme = part(u, CURLUPART_SCHEME), *host = part(u, CURLUPART_HOST),
	     *port = part(u, CURLUPART_PORT), *path = part(u, CURLUPART_PATH);
	char at[AI_HTTP_HOST_MAX + 8];

	must(scheme != NULL && host != NULL && path != NULL);
	must(strcasecmp(scheme, mine->secure ? "https" : "http") == 0);
	must(strlen(host) < AI_HTTP_HOST_MAX);
	snprintf(at, sizeof at, "%s", host);
	shorten(at);
	if (port != NULL)
		snprintf(at + strlen(at), sizeof at - strlen(at), ":%s", port);
	must(strcmp(at, mine->host) == 0);
	must(mine->bare == (strcmp(path, "/") == 0 || *path == '\0'));
	must(part(u, CURLUPART_USER) == NULL);
	must(part(u, CURLUPART_PASSWORD) == NULL);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
}

/* Goes to this machine whatever a resolver says. */
static void check_loopback(const struct ai_http_url *mine)
{
	char host[AI_HTTP_HOST_MAX + 8];
	struct in_addr v4;

	snprintf(host, sizeof host, "%s", mine->host);
	if (strncmp(host, "[::1]", 5) == 0)
		return;
	host[strcspn(host, ":")] = '\0';
	if (strcasecmp(host, "localhost") == 0)
		return;
	must(inet_pton(AF_INET, host, &v4) == 1);
	must(ntohl(v4.s_addr) >> 24 == 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_err err = { AI_E_NONE, -1, "" };
	struct ai_http_url mine;
	char *text;
	CURLU *u;
	int rc;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	u = curl_url();
	must(text != NULL && u != NULL);
	rc = data[0] & 1 ? ai_http_url(text, &mine, &err)
			 : ai_http_url_whole(text, &mine, &err);
	must(rc == 0 || err.code == AI_E_CONFIG);
	if (rc == 0) {
		must(curl_url_set(u, CURLUPART_URL, text,
				  CURLU_PATH_AS_IS) == CURLUE_OK);
		compare(u, &mine);
		if (mine.loopback)
			check_loopback(&mine);
	}
	curl_url_cleanup(u);
	free(text);
	return 0;
}
