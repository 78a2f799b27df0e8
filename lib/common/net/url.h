/*
 * url.h: the address of a server, taken apart before a key goes there.
 *
 * By ourselves, since libcurl is opened only when something is sent.  What is
 * accepted here libcurl understands in the same way; what servers, libcurl and
 * people might read differently is none (127.1, 0x7f.0.0.1, http:///host,
 * percent signs in a host's name).
 */
#ifndef AI_NET_URL_H
#define AI_NET_URL_H

#include "base/err.h"

#include <stdbool.h>

#define AI_HTTP_HOST_MAX 256

/* What matters about it. */
struct ai_http_url {
	char host[AI_HTTP_HOST_MAX + 8]; /* with ":port" if one is given */
	bool secure;   /* https */
	bool loopback; /* localhost, 127.0.0.0/8, [::1] */
	bool bare;     /* no path, or "/" only */
};

/*
 * Of a base address, which ends with its path.  AI_E_CONFIG: no address, not
 * http or https, or with a user, password, query or fragment in it.
 */
int ai_http_url(const char *url, struct ai_http_url *out, struct ai_err *err);
/* Of an address with all that stands behind it. */
int ai_http_url_whole(const char *url, struct ai_http_url *out,
		      struct ai_err *err);

#endif
