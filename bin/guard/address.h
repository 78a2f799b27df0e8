/*
 * address.h: where an address leads, and what it may carry there.
 *
 * Read as browsers read it, which take more for an address than RFC 3986 does:
 * what they would do with it is what counts here.
 */
#ifndef GUARD_ADDRESS_H
#define GUARD_ADDRESS_H

#include "base/str.h"

#include <stdbool.h>

enum guard_scheme {
	GUARD_SCHEME_NONE,   /* relative: it leads nowhere else */
	GUARD_SCHEME_WEB,    /* http, https, ws, wss, ftp, "//host" */
	GUARD_SCHEME_MAIL,
	GUARD_SCHEME_SCRIPT, /* javascript, vbscript */
	GUARD_SCHEME_DATA,
	GUARD_SCHEME_FILE,
	GUARD_SCHEME_OTHER,
};

/* What there is no honest reason for. */
enum guard_odd {
	GUARD_ODD_USER = 1,      /* a name before '@' that looks like a host */
	GUARD_ODD_BACKSLASH = 2, /* before the path */
	GUARD_ODD_PERCENT = 4,   /* in the host */
	GUARD_ODD_NUMBER = 8,    /* an IP address that is not four numbers */
	GUARD_ODD_ALIKE = 16,    /* letters that look like others */
	GUARD_ODD_MARKUP = 32,   /* data: that is a page or a picture with
				    scripts */
};

#define GUARD_HOST_MAX 256
#define GUARD_ADDRESS_MAX 8192 /* more of one is not looked at */

struct guard_address {
	enum guard_scheme scheme;
	unsigned odd;
	/* Small letters, without user and port, no dot at its end; "" if there
	 * is none, or it is too long. */
	char host[GUARD_HOST_MAX];
	/* Bytes that may be data: */
	size_t text;  /* of a text that was encoded in base64 or hex */
	size_t coded; /* that look random, in its query */
	size_t coded_path; /* and in the rest */
	size_t words; /* of the query's values; in a path: of long sentences */
	bool open;    /* the query waits to be filled: "?q=", "?q={data}" */
};

/* Without what stands behind '#' if it is fetched: that is not sent. */
void guard_address_read(struct ai_span address, bool fetched,
			struct guard_address *a);

/* Whether host is this domain or in it. */
bool guard_host_in(const char *host, const char *domain);

#endif
