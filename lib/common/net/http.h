/*
 * http.h: HTTP requests over libcurl, many at once in one thread.
 *
 * A struct ai_http belongs to one thread and keeps its connections alive from
 * request to request.  Requests are started, and end in ai_http_wait();
 * ai_http_send() is both for just one.  libcurl itself is opened by the first
 * ai_http_new(), so a program that never asks a server never pays for it.
 *
 * Only http and https are spoken.  Redirects are never followed: the request
 * carries a key, and where it goes is the user's decision.  Proxies come from
 * the environment as curl takes them (https_proxy, no_proxy, ...), but what
 * goes to this machine itself never goes through one.  CURL_CA_BUNDLE,
 * SSL_CERT_FILE and SSL_CERT_DIR are obeyed as curl does.
 */
#ifndef AI_NET_HTTP_H
#define AI_NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "net/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_HTTP_CONNECT_S 5.0
#define AI_HTTP_TIMEOUT_S 600.0
#define AI_HTTP_BODY_MAX ((size_t)64 << 20)

struct ai_http;
struct ai_http_transfer; /* a request under way */

struct ai_http_request {
	const char *method;         /* "POST": a literal */
	const char *url;            /* ai_http_url() passed, and what stands
				     * behind it */
	const char *const *headers; /* "Name: value"; NULL ends them */
	const char *body;           /* NULL: none */
	size_t n;
	const char *cert, *cert_key; /* PEM files of who we are, for a server
				      * that asks; cert_key NULL: in cert */
	const char *passphrase;      /* of cert_key; NULL: it needs none */
	double connect_s, timeout_s; /* 0 or less: the defaults above */
	double idle_s;               /* ended when nothing comes for so long;
				      * 0: never */
	/*
	 * Takes the body of a good answer (2xx) as it comes, instead of
	 * ai_http_answer.body; what it returns ends the transfer unless it
	 * is 0, and then rc is -1 with the error that it left in *err.  May
	 * be NULL.
	 */
	int (*data)(void *arg, const char *p, size_t n, struct ai_err *err);
	void *arg;                   /* for data and done */
};

struct ai_http_answer {
	long status;          /* 0: no answer came */
	struct ai_buf body;   /* init it with a maximum; cleared by each send */
	double retry_after_s; /* Retry-After, either form, or retry-after-ms;
			       * with a 429 else net/hints.h; negative: none */
	int should_retry;     /* x-should-retry: 0 or 1; -1: not there */
	char request_id[128]; /* x-request-id or request-id; "" */
	char content_type[64]; /* as the header has it; "" */
	char error_type[64];   /* x-amzn-errortype; "" */
	char session[512];     /* mcp-session-id; "" */
	bool again;           /* without an answer: another try may help */
	bool sent;            /* bytes of the request may have arrived */
};

void ai_http_answer_init(struct ai_http_answer *a, size_t max_body);
void ai_http_answer_release(struct ai_http_answer *a);

/* NULL with AI_E_MEMORY or AI_E_OS (no libcurl). */
struct ai_http *ai_http_new(struct ai_err *err);
void ai_http_free(struct ai_http *h); /* NULL is fine */

/* What became of a request, as ai_http_send() returns it. The transfer is
 * gone; another one may be started from within. */
typedef void ai_http_done(void *arg, int rc, struct ai_err *err);

/*
 * Starts a request.  Its body and a must stay until done() was called, by a
 * later ai_http_wait(); headers and address are copied.  -1: it could not be
 * started, and done() will not be called.
 */
int ai_http_start(struct ai_http *h, const struct ai_http_request *q,
		  struct ai_http_answer *a, ai_http_done *done,
		  struct ai_http_transfer **out, struct ai_err *err);
/* Ends it without done().  Whether bytes of it may have arrived. */
bool ai_http_cancel(struct ai_http *h, struct ai_http_transfer *t);
/*
 * Works on all requests until one has ended, ms have passed (negative: as long
 * as it takes), fd (-1: none) has something to read, which *readable tells, or a
 * signal asks for something (base/sig.h).  -1: AI_E_OS, AI_E_MEMORY.
 */
int ai_http_wait(struct ai_http *h, int fd, int64_t ms, bool *readable,
		 struct ai_err *err);

/*
 * For a program that has a poll loop of its own.  ai_http_loop() comes before
 * the first request; from then on ai_http_wait() is not for this handle.
 * Whoever waits adds what ai_http_fds() tells of, sleeps no longer than
 * ai_http_due() says (base/clock.h; 0: no matter), and then lets
 * ai_http_turn() do what can be done without blocking, which ends requests as
 * ai_http_wait() does.
 */
typedef void ai_http_fd(void *arg, int fd, bool reads, bool writes);
void ai_http_loop(struct ai_http *h);
void ai_http_fds(const struct ai_http *h, ai_http_fd *each, void *arg);
double ai_http_due(const struct ai_http *h);
int ai_http_turn(struct ai_http *h, struct ai_err *err);

/*
 * Sends and waits.  0: a whole answer came, whatever its status.  -1: none
 * came (AI_E_UNAVAILABLE), its body passed the maximum (AI_E_TOO_LONG), or
 * the request cannot be made (AI_E_CONFIG, AI_E_MEMORY); a->again and
 * a->sent tell more.
 */
int ai_http_send(struct ai_http *h, const struct ai_http_request *q,
		 struct ai_http_answer *a, struct ai_err *err);

/*
 * The value of a Retry-After header in seconds: a number, or an HTTP date,
 * counted from the date given (seconds since 1970).  Negative if it is
 * neither; a date in the past is 0.
 */
double ai_http_retry_after(const char *value, double from);

#endif
