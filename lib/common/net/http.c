#include "net/http.h"

#include "base/clock.h"
#include "base/sig.h"
#include "base/str.h"
#include "net/curl.h"
#include "net/hints.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define AGENT "aiutils/" PACKAGE_VERSION
#define HEADER_VALUE_MAX 256
#define CONNECTIONS 256L /* that are kept */

/* ai_http_new() has opened it. */
static const struct ai_curl *const curl = &ai_curl;

struct ai_http_transfer {
	struct ai_http_transfer *next; /* among the spare ones, or those under
					* way */
	CURL *easy;
	unsigned kind; /* that easy is set up for: ai_http.kind */
	struct curl_slist *headers;
	struct ai_http_url to;
	struct ai_http_request q;
	ai_http_done *done;
	struct ai_err err;  /* of q.data */
	char why[CURL_ERROR_SIZE];
	struct ai_http_answer *answer;
	bool whole; /* the empty line behind the headers came */
	char retry_after[HEADER_VALUE_MAX];
	char retry_after_ms[HEADER_VALUE_MAX];
	char date[HEADER_VALUE_MAX];
	char should_retry[HEADER_VALUE_MAX];
	struct ai_hints hints;
};

struct ai_http {
	CURLM *multi;
	/* The address of the last request, and what it says: most go where the
	 * one before went. */
	char *known;
	struct ai_http_url to;
	/* A handle that is set up for requests of this kind needs little more
	 * for another one; the last of the kind. */
	unsigned kind;
	struct ai_http_request last;
	struct ai_http_transfer *under_way, *spare;
	/* In a loop of others: what libcurl waits for. */
	struct pollfd *socks;
	size_t n_socks, cap_socks;
	double due; /* 0: it is not */
	bool full;  /* no memory for one of them */
};

void ai_http_answer_init(struct ai_http_answer *a, size_t max_body)
{
	memset(a, 0, sizeof *a);
	ai_buf_init(&a->body, max_body);
	a->retry_after_s = -1;
	a->should_retry = -1;
}

void ai_http_answer_release(struct ai_http_answer *a)
{
	ai_buf_release(&a->body);
}

static void answer_clear(struct ai_http_answer *a)
{
	struct ai_buf body = a->body;

	ai_buf_clear(&body);
	ai_http_answer_init(a, body.max);
	a->body = body;
}

/* ---- the handle --------------------------------------------------------- */

struct ai_http *ai_http_new(struct ai_err *err)
{
	struct ai_http *h;

	if (ai_curl_open(err) < 0)
		return NULL;
	h = calloc(1, sizeof *h);
	if (h != NULL)
		h->multi = curl->multi_init();
	if (h == NULL || h->multi == NULL) {
		ai_http_free(h);
		ai_err_nomem(err);
		return NULL;
	}
	curl->multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS);
	/* HTTP/1.1 with kept connections costs less than streams of HTTP/2. */
	curl->multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return h;
}

static void transfer_free(struct ai_http_transfer *t)
{
	curl->slist_free_all(t->headers);
	curl->easy_cleanup(t->easy);
	free(t);
}

void ai_http_free(struct ai_http *h)
{
	struct ai_http_transfer *t;

	if (h == NULL)
		return;
	while (h->under_way != NULL)
		ai_http_cancel(h, h->under_way);
	while ((t = h->spare) != NULL) {
		h->spare = t->next;
		transfer_free(t);
	}
	curl->multi_cleanup(h->multi);
	free(h->socks);
	free(h->known);
	free(h);
}

/* ---- what comes back ---------------------------------------------------- */

double ai_http_retry_after(const char *value, double from)
{
	double s;
	struct ai_err err;
	time_t then;

	if (ai_parse_f64(ai_span_of(value), &s) == 0)
		return s >= 0 ? s : -1;
	then = ai_curl_open(&err) < 0 ? -1 : curl->getdate(value, NULL);
	if (then < 0)
		return -1;
	return (double)then > from ? (double)then - from : 0;
}

/* Without the blanks around it. */
static struct ai_span header_value(struct ai_span v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
		v.p++, v.n--;
	while (v.n > 0 && (unsigned char)v.p[v.n - 1] <= ' ')
		v.n--;
	return v;
}

/* What of it can be printed. */
static void header_copy(struct ai_span v, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < v.n && n + 1 < size; i++)
		if (v.p[i] >= ' ' && v.p[i] < 127)
			out[n++] = v.p[i];
	out[n] = '\0';
}

static void header_forget(struct ai_http_transfer *t)
{
	t->whole = false;
	t->retry_after[0] = t->retry_after_ms[0] = '\0';
	t->date[0] = t->should_retry[0] = '\0';
	ai_hints_clear(&t->hints);
	t->answer->request_id[0] = t->answer->content_type[0] = '\0';
	t->answer->error_type[0] = t->answer->session[0] = '\0';
}

/* The headers that are kept: where, in the transfer or in its answer. */
static const struct {
	struct ai_span name;
	bool of_answer;
	size_t at, size;
} kept_headers[] = {
#define KEPT(name, of_answer, type, member) \
	{ AI_SPAN(name), of_answer, offsetof(struct type, member), \
	  sizeof ((struct type *)NULL)->member }
	KEPT("retry-after", false, ai_http_transfer, retry_after),
	KEPT("retry-after-ms", false, ai_http_transfer, retry_after_ms),
	KEPT("date", false, ai_http_transfer, date),
	KEPT("x-should-retry", false, ai_http_transfer, should_retry),
	KEPT("x-request-id", true, ai_http_answer, request_id),
	KEPT("request-id", true, ai_http_answer, request_id),
	KEPT("x-amzn-requestid", true, ai_http_answer, request_id),
	KEPT("x-amzn-errortype", true, ai_http_answer, error_type),
	KEPT("content-type", true, ai_http_answer, content_type),
	KEPT("mcp-session-id", true, ai_http_answer, session),
#undef KEPT
};

static void header_line(struct ai_http_transfer *t, struct ai_span line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct ai_span name, value;
	char *of;

	if (colon == NULL) {
		/* The status line of an answer: what an earlier one (100,
		 * or a proxy's) said does not count. */
		header_forget(t);
		return;
	}
	name = (struct ai_span){ line.p, (size_t)(colon - line.p) };
	value = header_value((struct ai_span){ colon + 1,
					       line.n - name.n - 1 });
	ai_hints_take(&t->hints, name, value);
	for (size_t i = 0; i < sizeof kept_headers / sizeof *kept_headers; i++)
		if (kept_headers[i].name.n == name.n &&
		    strncasecmp(kept_headers[i].name.p, name.p, name.n) == 0) {
			of = kept_headers[i].of_answer ? (char *)t->answer
						       : (char *)t;
			header_copy(value, of + kept_headers[i].at,
				    kept_headers[i].size);
		}
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct ai_span line = { p, size * n };
	struct ai_http_transfer *t = arg;

	if (line.n > 2)
		header_line(t, line);
	else
		t->whole = true;
	return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct ai_http_transfer *t = arg;

	long status = 0;

	if (t->q.data != NULL)
		curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status <= 299)
		return t->q.data(t->q.arg, p, size * n, &t->err) != 0
			? 0 : size * n;
	return ai_buf_add(&t->answer->body, p, size * n) < 0 ? 0 : size * n;
}

/* By the server's clock if it told: ours may be wrong. */
static double server_time(const struct ai_http_transfer *t)
{
	time_t date = t->date[0] != '\0' ? curl->getdate(t->date, NULL) : -1;

	return (double)(date >= 0 ? date : time(NULL));
}

static void headers_digest(struct ai_http_transfer *t)
{
	struct ai_http_answer *a = t->answer;
	double ms;

	if (t->retry_after[0] != '\0')
		a->retry_after_s = ai_http_retry_after(t->retry_after,
						       server_time(t));
	if (t->retry_after_ms[0] != '\0' &&
	    ai_parse_f64(ai_span_of(t->retry_after_ms), &ms) == 0 && ms >= 0)
		a->retry_after_s = ms / 1000;
	if (a->retry_after_s < 0 && a->status == 429)
		a->retry_after_s = ai_hints_wait(&t->hints, server_time(t));
	if (strcasecmp(t->should_retry, "true") == 0)
		a->should_retry = 1;
	else if (strcasecmp(t->should_retry, "false") == 0)
		a->should_retry = 0;
}

/* ---- what goes wrong ---------------------------------------------------- */

/* Codes that are not AI_E_UNAVAILABLE or not final. */
static const struct failure {
	CURLcode rc;
	enum ai_code code;
	bool again;
	const char *text; /* NULL: libcurl's own words */
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, AI_E_UNAVAILABLE, true,
	  "the name cannot be resolved" },
	{ CURLE_COULDNT_RESOLVE_PROXY, AI_E_UNAVAILABLE, true, NULL },
	{ CURLE_COULDNT_CONNECT, AI_E_UNAVAILABLE, true, NULL },
	{ CURLE_SSL_CONNECT_ERROR, AI_E_UNAVAILABLE, true, NULL },
	{ CURLE_OPERATION_TIMEDOUT, AI_E_UNAVAILABLE, true, NULL },
	{ CURLE_GOT_NOTHING, AI_E_UNAVAILABLE, true,
	  "the connection was closed without an answer" },
	{ CURLE_SEND_ERROR, AI_E_UNAVAILABLE, true,
	  "the connection broke while sending" },
	{ CURLE_RECV_ERROR, AI_E_UNAVAILABLE, true,
	  "the connection broke before the answer was whole" },
	{ CURLE_PARTIAL_FILE, AI_E_UNAVAILABLE, true,
	  "the answer was cut off" },
	{ CURLE_WEIRD_SERVER_REPLY, AI_E_ANSWER, false,
	  "what answers does not speak HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, AI_E_CONFIG, false, NULL },
	{ CURLE_URL_MALFORMAT, AI_E_CONFIG, false, NULL },
	{ CURLE_SSL_CACERT_BADFILE, AI_E_CONFIG, false, NULL },
	{ CURLE_SSL_CERTPROBLEM, AI_E_CONFIG, false, NULL },
	{ CURLE_OUT_OF_MEMORY, AI_E_MEMORY, false, NULL },
};

static const struct failure *failure_of(CURLcode rc)
{
	static const struct failure other = {
		CURLE_OK, AI_E_UNAVAILABLE, false, NULL,
	};

	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		if (failures[i].rc == rc)
			return &failures[i];
	return &other;
}

/* libcurl's sentence as part of ours: no capital, no control bytes. */
static const char *own_words(struct ai_http_transfer *t, CURLcode rc)
{
	if (t->why[0] == '\0')
		snprintf(t->why, sizeof t->why, "%s", curl->easy_strerror(rc));
	for (char *p = t->why; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	if (t->why[0] >= 'A' && t->why[0] <= 'Z' &&
	    t->why[1] >= 'a' && t->why[1] <= 'z')
		t->why[0] = (char)(t->why[0] - 'A' + 'a');
	return t->why;
}

/* on_body() took no more. */
static int fail_body(struct ai_http_transfer *t, struct ai_err *err)
{
	char what[AI_HTTP_HOST_MAX + 32];

	if (t->err.code != AI_E_NONE) {
		*err = t->err;
		return -1;
	}
	snprintf(what, sizeof what, "the answer of %s", t->to.host);
	if (ai_buf_check(&t->answer->body, what, err) < 0)
		return -1;
	return ai_err_set(err, AI_E_BUG, "%s",
			  own_words(t, CURLE_WRITE_ERROR));
}

/*
 * A server that does not like who we are says so by an alert of TLS, which may
 * come when the request is on its way already (TLS 1.3): nobody has read that,
 * and another try is no better.
 */
static bool is_alert(struct ai_http_transfer *t, CURLcode rc)
{
	static const char *const alerts[] = {
		"alert certificate", "alert bad certificate",
		"alert handshake failure", "alert unknown ca",
		"alert access denied", "alert unsupported certificate",
	};

	if (rc != CURLE_RECV_ERROR && rc != CURLE_SEND_ERROR &&
	    rc != CURLE_SSL_CONNECT_ERROR)
		return false;
	for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
		if (strstr(t->why, alerts[i]) != NULL)
			return true;
	return false;
}

static int fail(struct ai_http_transfer *t, CURLcode rc, struct ai_err *err)
{
	const struct failure *f;
	char sys[128];
	long number = 0;

	if (rc == CURLE_WRITE_ERROR)
		return fail_body(t, err);
	if (is_alert(t, rc)) {
		t->answer->sent = false;
		return ai_err_set(err, AI_E_NOT_ALLOWED, "%s refuses us%s: "
				  "%.200s", t->to.host, t->q.cert != NULL
				  ? " and this certificate" : ", maybe for "
				  "want of a certificate (--cert)",
				  own_words(t, rc));
	}
	/* An answer without a status line is HTTP/0.9 to libcurl, which it is
	 * not allowed to speak. */
	if (rc == CURLE_UNSUPPORTED_PROTOCOL && t->answer->sent)
		rc = CURLE_WEIRD_SERVER_REPLY;
	f = failure_of(rc);
	t->answer->again = f->again;
	if (rc == CURLE_COULDNT_CONNECT)
		curl->easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
	if (number != 0)
		return ai_err_set(err, f->code, "cannot connect to %s: %s",
				  t->to.host,
				  strerror_r((int)number, sys, sizeof sys));
	return ai_err_set(err, f->code, "no answer from %s: %.200s", t->to.host,
			  f->text != NULL ? f->text : own_words(t, rc));
}

/* ---- the request -------------------------------------------------------- */

static long milliseconds(double s, double standard)
{
	double ms = (s > 0 ? s : standard) * 1000;

	/* libcurl takes 0 for "for ever". */
	return ms < 1 ? 1 : ms > 2e9 ? 2000000000 : (long)ms;
}

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

static void set_trust(CURL *e)
{
	const char *file = env("CURL_CA_BUNDLE"), *dir = env("SSL_CERT_DIR");

	if (file == NULL)
		file = env("SSL_CERT_FILE");
	if (file != NULL)
		curl->easy_setopt(e, CURLOPT_CAINFO, file);
	if (dir != NULL)
		curl->easy_setopt(e, CURLOPT_CAPATH, dir);
}

static void set_identity(CURL *e, const struct ai_http_request *q)
{
	if (q->cert == NULL)
		return;
	curl->easy_setopt(e, CURLOPT_SSLCERT, q->cert);
	if (q->cert_key != NULL)
		curl->easy_setopt(e, CURLOPT_SSLKEY, q->cert_key);
	/* Without one OpenSSL would ask at the terminal, within a pipeline. */
	curl->easy_setopt(e, CURLOPT_KEYPASSWD,
			  q->passphrase != NULL ? q->passphrase : "");
}

static void set_protocols(CURL *e)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl->easy_setopt(e, CURLOPT_PROTOCOLS,
			  (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* Nothing of a request of another kind stays but the connection. */
static void set_up(struct ai_http_transfer *t)
{
	const struct ai_http_request *q = &t->q;
	CURL *e = t->easy;

	curl->easy_reset(e);
	curl->easy_setopt(e, CURLOPT_ERRORBUFFER, t->why);
	curl->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(e, CURLOPT_URL, q->url);
	set_protocols(e);
	set_trust(e);
	set_identity(e, q);
	if (t->to.loopback)
		curl->easy_setopt(e, CURLOPT_PROXY, "");
	curl->easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl->easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl->easy_setopt(e, CURLOPT_USERAGENT, AGENT);
	/* What is called ".." stands in a path as that. */
	curl->easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	/* Asks for none, and undoes what comes all the same. */
	curl->easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "identity");
	curl->easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			  milliseconds(q->connect_s, AI_HTTP_CONNECT_S));
	if (q->idle_s > 0) {
		curl->easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl->easy_setopt(e, CURLOPT_LOW_SPEED_TIME,
				  q->idle_s < 1 ? 1L : (long)q->idle_s);
	}
	curl->easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl->easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
	curl->easy_setopt(e, CURLOPT_PRIVATE, t);
}

/* What each request has of its own. */
static void set_request(struct ai_http_transfer *t)
{
	const struct ai_http_request *q = &t->q;
	CURL *e = t->easy;

	t->why[0] = '\0';
	curl->easy_setopt(e, CURLOPT_TIMEOUT_MS,
			  milliseconds(q->timeout_s, AI_HTTP_TIMEOUT_S));
	if (q->body != NULL) {
		curl->easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
				  (curl_off_t)q->n);
		curl->easy_setopt(e, CURLOPT_POSTFIELDS, q->body);
	}
	curl->easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
}

static int header_list(const struct ai_http_request *q,
		       struct curl_slist **list, struct ai_err *err)
{
	/* Waiting for "100 Continue" costs a second where it is ignored. */
	struct curl_slist *l = curl->slist_append(NULL, "Expect:"), *longer;

	for (const char *const *s = q->headers;
	     l != NULL && s != NULL && *s != NULL; s++) {
		longer = curl->slist_append(l, *s);
		if (longer == NULL)
			curl->slist_free_all(l);
		l = longer;
	}
	*list = l;
	return l == NULL ? ai_err_nomem(err) : 0;
}

static bool was_sent(CURL *e)
{
	curl_off_t up = 0;
	long header = 0;

	curl->easy_getinfo(e, CURLINFO_SIZE_UPLOAD_T, &up);
	curl->easy_getinfo(e, CURLINFO_REQUEST_SIZE, &header);
	return up > 0 || header > 0;
}

/* ---- transfers ---------------------------------------------------------- */

static struct ai_http_transfer *transfer_new(struct ai_http *h)
{
	struct ai_http_transfer *t = h->spare;

	if (t != NULL) {
		h->spare = t->next;
		return t;
	}
	t = calloc(1, sizeof *t);
	if (t != NULL && (t->easy = curl->easy_init()) == NULL) {
		free(t);
		t = NULL;
	}
	return t;
}

/* Kept for the next one. */
static void transfer_put_back(struct ai_http *h, struct ai_http_transfer *t)
{
	curl->slist_free_all(t->headers);
	t->headers = NULL;
	t->next = h->spare;
	h->spare = t;
}

static void transfer_remove(struct ai_http *h, struct ai_http_transfer *t)
{
	struct ai_http_transfer **at = &h->under_way;

	curl->multi_remove_handle(h->multi, t->easy);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

bool ai_http_cancel(struct ai_http *h, struct ai_http_transfer *t)
{
	bool sent = was_sent(t->easy);

	transfer_remove(h, t);
	transfer_put_back(h, t);
	return sent;
}

/* Who shows a certificate is set up each time: its names are not kept. */
static bool same_kind(const struct ai_http_request *a,
		      const struct ai_http_request *b)
{
	return a->cert == NULL && b->cert == NULL &&
		a->connect_s == b->connect_s && a->idle_s == b->idle_s &&
		(a->body == NULL) == (b->body == NULL) &&
		a->method != NULL && strcmp(a->method, b->method) == 0;
}

/* Where it goes, and of what kind it is. */
static int know(struct ai_http *h, const struct ai_http_request *q,
		struct ai_http_url *to, struct ai_err *err)
{
	bool same = h->known != NULL && strcmp(h->known, q->url) == 0;

	if (!same) {
		free(h->known);
		h->known = NULL;
		if (ai_http_url_whole(q->url, &h->to, err) < 0)
			return -1;
		h->known = strdup(q->url);
		if (h->known == NULL)
			return ai_err_nomem(err);
	}
	if (!same || !same_kind(&h->last, q))
		h->kind++;
	h->last = *q;
	*to = h->to;
	return 0;
}

int ai_http_start(struct ai_http *h, const struct ai_http_request *q,
		  struct ai_http_answer *a, ai_http_done *done,
		  struct ai_http_transfer **out, struct ai_err *err)
{
	struct ai_http_transfer *t;

	answer_clear(a);
	t = transfer_new(h);
	if (t == NULL)
		return ai_err_nomem(err);
	t->q = *q;
	t->done = done;
	t->answer = a;
	t->err.code = AI_E_NONE;
	header_forget(t);
	if (know(h, q, &t->to, err) < 0 ||
	    header_list(q, &t->headers, err) < 0) {
		transfer_put_back(h, t);
		return -1;
	}
	if (t->kind != h->kind)
		set_up(t);
	t->kind = h->kind;
	set_request(t);
	if (curl->multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		transfer_put_back(h, t);
		return ai_err_nomem(err);
	}
	t->next = h->under_way;
	h->under_way = t;
	if (out != NULL)
		*out = t;
	return 0;
}

static void finish(struct ai_http *h, struct ai_http_transfer *t, CURLcode rc)
{
	struct ai_http_answer *a = t->answer;
	struct ai_http_request q = t->q;
	ai_http_done *done = t->done;
	struct ai_err err = { AI_E_NONE, -1, "" };
	int failed = 0;

	a->sent = was_sent(t->easy);
	/* libcurl takes headers that break off for an empty answer. */
	if (rc == CURLE_OK && !t->whole)
		rc = CURLE_PARTIAL_FILE;
	if (rc == CURLE_OK || rc == CURLE_WRITE_ERROR)
		curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
	if (rc == CURLE_OK)
		headers_digest(t);
	else
		failed = fail(t, rc, &err);
	transfer_remove(h, t);
	transfer_put_back(h, t);
	done(q.arg, failed, &err);
}

/* Ends those that are done; how many they were. */
static size_t collect(struct ai_http *h)
{
	struct ai_http_transfer *t;
	CURLMsg *msg;
	size_t n = 0;
	int left;

	while ((msg = curl->multi_info_read(h->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl->easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		finish(h, t, msg->data.result);
		n++;
	}
	return n;
}

static int multi_error(CURLMcode rc, struct ai_err *err)
{
	return rc == CURLM_OUT_OF_MEMORY ? ai_err_nomem(err) :
		ai_err_set(err, AI_E_OS, "waiting for the network: %s",
			   curl->multi_strerror(rc));
}

int ai_http_wait(struct ai_http *h, int fd, int64_t ms, bool *readable,
		 struct ai_err *err)
{
	struct curl_waitfd extra[2] = {
		{ .fd = ai_sig_fd(), .events = CURL_WAIT_POLLIN },
		{ .fd = fd, .events = CURL_WAIT_POLLIN },
	};
	unsigned first = extra[0].fd < 0, n = (fd >= 0) + 1 - first;
	double end = ai_clock_s() * 1e3 + (double)ms, left = 1000;
	CURLMcode rc;
	int running;

	*readable = false;
	for (;;) {
		rc = curl->multi_perform(h->multi, &running);
		if (rc != CURLM_OK)
			return multi_error(rc, err);
		if (collect(h) > 0 || *readable || extra[0].revents != 0)
			return 0;
		if (ms >= 0 && (left = end - ai_clock_s() * 1e3) <= 0)
			return 0;
		rc = curl->multi_poll(h->multi, extra + first, n,
				      left > 1000 ? 1000 : (int)ceil(left),
				      NULL);
		if (rc != CURLM_OK)
			return multi_error(rc, err);
		*readable = fd >= 0 && extra[1].revents != 0;
	}
}

/* ---- in the loop of somebody else ---------------------------------------- */

static struct pollfd *sock_of(struct ai_http *h, int fd)
{
	struct pollfd *more;

	for (size_t i = 0; i < h->n_socks; i++)
		if (h->socks[i].fd == fd)
			return &h->socks[i];
	if (h->n_socks == h->cap_socks) {
		more = reallocarray(h->socks, h->cap_socks + 16, sizeof *more);
		if (more == NULL) {
			h->full = true;
			return NULL;
		}
		h->socks = more;
		h->cap_socks += 16;
	}
	h->socks[h->n_socks] = (struct pollfd){ .fd = fd };
	return &h->socks[h->n_socks++];
}

static int on_socket(CURL *e, curl_socket_t fd, int what, void *arg, void *of)
{
	struct ai_http *h = arg;
	struct pollfd *s = sock_of(h, fd);

	(void)e, (void)of;
	if (s == NULL)
		return 0;
	if (what == CURL_POLL_REMOVE)
		*s = h->socks[--h->n_socks];
	else
		s->events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				    (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *m, long ms, void *arg)
{
	struct ai_http *h = arg;

	(void)m;
	h->due = ms < 0 ? 0 : ai_clock_s() + (double)ms / 1e3;
	return 0;
}

void ai_http_loop(struct ai_http *h)
{
	curl->multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl->multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl->multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl->multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
}

void ai_http_fds(const struct ai_http *h, ai_http_fd *each, void *arg)
{
	for (size_t i = 0; i < h->n_socks; i++)
		each(arg, h->socks[i].fd, h->socks[i].events & POLLIN,
		     h->socks[i].events & POLLOUT);
}

double ai_http_due(const struct ai_http *h)
{
	return h->due;
}

/* What can be read or written; libcurl changes the list meanwhile. */
static CURLMcode work(struct ai_http *h)
{
	size_t n = h->n_socks;
	struct pollfd *now = n > 0 ? malloc(n * sizeof *now) : NULL;
	CURLMcode rc = CURLM_OK;
	int mask, running;

	if (n > 0 && now == NULL)
		return CURLM_OUT_OF_MEMORY;
	if (n > 0)
		memcpy(now, h->socks, n * sizeof *now);
	if (n > 0 && poll(now, (nfds_t)n, 0) > 0)
		for (size_t i = 0; i < n && rc == CURLM_OK; i++) {
			mask = (now[i].revents & (POLLIN | POLLHUP)
				? CURL_CSELECT_IN : 0) |
			       (now[i].revents & POLLOUT
				? CURL_CSELECT_OUT : 0) |
			       (now[i].revents & (POLLERR | POLLNVAL)
				? CURL_CSELECT_ERR : 0);
			if (mask != 0)
				rc = curl->multi_socket_action(h->multi,
					now[i].fd, mask, &running);
		}
	free(now);
	if (rc == CURLM_OK && h->due > 0 && ai_clock_s() >= h->due) {
		h->due = 0;
		rc = curl->multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0,
					       &running);
	}
	return rc;
}

int ai_http_turn(struct ai_http *h, struct ai_err *err)
{
	CURLMcode rc = work(h);

	if (rc == CURLM_OK && h->full)
		rc = CURLM_OUT_OF_MEMORY;
	if (rc != CURLM_OK)
		return multi_error(rc, err);
	collect(h);
	return 0;
}

/* ---- one request, waited for -------------------------------------------- */

struct sent {
	bool over;
	int rc;
	struct ai_err *err;
};

static void note_sent(void *arg, int rc, struct ai_err *err)
{
	struct sent *s = arg;

	s->over = true;
	s->rc = rc;
	if (rc < 0)
		*s->err = *err;
}

int ai_http_send(struct ai_http *h, const struct ai_http_request *q,
		 struct ai_http_answer *a, struct ai_err *err)
{
	struct sent sent = { .err = err };
	struct ai_http_request mine = *q;
	struct ai_http_transfer *t;
	bool readable;

	mine.arg = &sent;
	mine.data = NULL;
	if (ai_http_start(h, &mine, a, note_sent, &t, err) < 0)
		return -1;
	while (!sent.over)
		if (ai_http_wait(h, -1, -1, &readable, err) < 0) {
			ai_http_cancel(h, t);
			return -1;
		}
	return sent.rc;
}
