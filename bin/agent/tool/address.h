/*
 * address.h: which hosts http_get may ask, and at which of their addresses.
 *
 * A list has "host", "host:port", "*.host" (those below it), "*" (any), each
 * with ":port" or without: then 80 for http and 443 for https.  Addresses that
 * are not public (loopback, private, link-local and the like, also when they
 * are packed into IPv6) are asked only for a host that the list names itself,
 * so that a name that somebody else gives an address to leads nowhere inside.
 */
#ifndef AGENT_ADDRESS_H
#define AGENT_ADDRESS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_target {
	char host[264]; /* lower case; IPv6 in brackets */
	uint16_t port;
	bool literal;   /* the host is an address */
	bool named;     /* the list names it itself */
};

/* Takes an address apart and looks for its host in the list.  AI_E_RECORD: it
 * is no http or https, or anybody might read it differently; its host is not
 * in the list, or an address that is not public. */
int agent_target_of(struct agent_target *t, const char *url,
		    const char *const *list, struct ai_err *err);
/* Whether an entry of a list is right; AI_E_USAGE. */
int agent_host_check(const char *entry, struct ai_err *err);

/* "203.0.113.1", "2001:db8::1" (without brackets). */
bool agent_address_is_public(const char *text);

/*
 * Appends those addresses of what "getent ahosts" writes that may be asked, with
 * commas between them, as curl's --resolve takes them.  AI_E_RECORD: there is
 * none, or none that is allowed.
 */
int agent_target_addresses(const struct agent_target *t, struct ai_span getent,
			   struct ai_buf *out, struct ai_err *err);

#endif
