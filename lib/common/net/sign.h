/*
 * sign.h: AWS Signature Version 4 of a request, as all services but S3 take
 * it.
 *
 * The path is signed as AWS reads it: without empty, "." and ".." segments,
 * and percent-encoded once more than it was sent.  (libcurl up to 8.x encodes
 * once only, as S3 wants it, and so signs wrongly what has a ':' in it, which
 * is most of Bedrock's model ids.)  The source is AWS's manual, "Create a
 * signed AWS API request"; tests/bats/sign.bats compares with AWS's own
 * @smithy/signature-v4.
 */
#ifndef AI_NET_SIGN_H
#define AI_NET_SIGN_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_SIGN_HEADERS_MAX 32 /* of the request, ours included */
#define AI_SIGN_QUERY_MAX 64   /* parameters */
#define AI_SIGN_SECRET_MAX 256 /* bytes */

struct ai_sign {
	const char *method; /* "POST" */
	const char *host;   /* as the Host header has it: with a port if that
			     * is not the scheme's */
	const char *path;   /* as it is sent, encoded once; "" is "/" */
	const char *query;  /* as it is sent, without '?'; NULL: none */
	const char *const *headers; /* "Name: value" to be signed beside our
			     * own; NULL ends them, or is none */
	const char *body_sha256;    /* ai_sha256_of() it */
	const char *region, *service;
	const char *access_key, *secret;
	const char *token;  /* of the session; NULL or "": none */
	int64_t time_s;     /* seconds since 1970 */
	bool content_sha256; /* send and sign X-Amz-Content-Sha256, too */
};

/* Header lines to add to the request. */
struct ai_signed {
	const char *line[5]; /* Authorization, X-Amz-Date, and, if wanted,
			      * X-Amz-Content-Sha256 and
			      * X-Amz-Security-Token; NULL ends them */
	struct ai_buf text;  /* private: what they point into */
};

/*
 * Signs; out is to be released whatever comes.  -1: AI_E_NOT_ALLOWED, a key
 * or token is empty, too long, or has blanks or control characters in it;
 * AI_E_CONFIG, so has the host, region or service, the time is no year of
 * four digits, or a header cannot be signed (no "Name: value", one of our
 * own, control characters, too many); AI_E_TOO_LONG, more parameters than the
 * maximum; AI_E_MEMORY.  What was derived from the secret is wiped.
 */
int ai_sign_aws(const struct ai_sign *q, struct ai_signed *out,
		struct ai_err *err);
/* Wipes the lines (a session's token is one of them) and frees them. */
void ai_signed_release(struct ai_signed *s);

#endif
