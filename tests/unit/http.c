/*
 * net/http against a server of our own: a thread on a loopback port that
 * reads one request a connection, or several, and writes canned bytes.
 */
#include "net/http.h"

#include "base/clock.h"

#include "tap.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECRET "sk-unit-secret"

/* What one connection does. */
struct scene {
	const char *answer; /* NULL: close without a word */
	int answers;        /* on the same connection */
	int delay_ms;
	size_t filler;      /* bytes of 'x' behind the answer */
};

static struct {
	int fd, port;
	struct scene scene;
	char seen[8192]; /* the last request */
	int connections;
	pthread_mutex_t lock;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t body_length(const char *head)
{
	const char *p = strcasestr(head, "\r\nContent-Length: ");

	return p == NULL ? 0 : strtoul(p + 18, NULL, 10);
}

/* Reads one whole request into seen; 0 at the end of the connection. */
static size_t read_request(int fd, char *buf, size_t size)
{
	size_t n = 0;
	const char *end;
	ssize_t got;

	for (;;) {
		got = read(fd, buf + n, size - 1 - n);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		buf[n] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (end != NULL &&
		    n >= (size_t)(end + 4 - buf) + body_length(buf))
			return n;
	}
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		p += done;
		n -= (size_t)done;
	}
}

static void serve(int fd)
{
	static char buf[sizeof server.seen], filler[65536];
	struct scene s;
	struct timespec pause;

	pthread_mutex_lock(&server.lock);
	s = server.scene;
	server.connections++;
	pthread_mutex_unlock(&server.lock);
	memset(filler, 'x', sizeof filler);
	for (int i = 0; i < s.answers && read_request(fd, buf, sizeof buf);
	     i++) {
		pthread_mutex_lock(&server.lock);
		memcpy(server.seen, buf, sizeof buf);
		pthread_mutex_unlock(&server.lock);
		pause = (struct timespec){ s.delay_ms / 1000,
					   s.delay_ms % 1000 * 1000000L };
		nanosleep(&pause, NULL);
		if (s.answer != NULL)
			write_all(fd, s.answer, strlen(s.answer));
		for (size_t n = s.filler; n > 0;
		     n -= n < sizeof filler ? n : sizeof filler)
			write_all(fd, filler,
				  n < sizeof filler ? n : sizeof filler);
	}
	close(fd);
}

static void *server_thread(void *arg)
{
	(void)arg;
	for (;;) {
		int fd = accept(server.fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		serve(fd);
	}
}

static bool server_start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	pthread_t t;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (server.fd < 0 || bind(server.fd, (void *)&a, n) < 0 ||
	    listen(server.fd, 16) < 0 ||
	    getsockname(server.fd, (void *)&a, &n) < 0)
		return false;
	server.port = ntohs(a.sin_port);
	return pthread_create(&t, NULL, server_thread, NULL) == 0 &&
	       pthread_detach(t) == 0;
}

static void play(struct scene s)
{
	pthread_mutex_lock(&server.lock);
	if (s.answers == 0)
		s.answers = 1;
	server.scene = s;
	server.seen[0] = '\0';
	server.connections = 0;
	pthread_mutex_unlock(&server.lock);
}

/* ---- the client side ---------------------------------------------------- */

static char url[64];
static struct ai_http_answer answer;
static struct ai_err err;

static int post(struct ai_http *h, const char *body, double timeout_s)
{
	static const char *const headers[] = {
		"Content-Type: application/json",
		"Authorization: Bearer " SECRET, NULL,
	};
	struct ai_http_request q = {
		.method = "POST", .url = url, .headers = headers,
		.body = body, .n = strlen(body), .timeout_s = timeout_s,
	};

	err.code = AI_E_NONE;
	return ai_http_send(h, &q, &answer, &err);
}

/* A fresh handle: no connection is left over from the test before. */
static int once(double timeout_s)
{
	struct ai_http *h = ai_http_new(&err);
	int rc = h == NULL ? -1 : post(h, "{}", timeout_s);

	ai_http_free(h);
	return rc;
}

static void test_exchange(void)
{
	struct ai_http *h = ai_http_new(&err);

	play((struct scene){
		"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n"
		"X-Request-Id: req_42\r\n\r\n{\"a\":1}\n", 2, 0, 0 });
	ok(post(h, "{\"q\":1}", 0) == 0, "a request is answered");
	ok(answer.status == 200 && answer.body.len == 8 &&
	   memcmp(answer.body.p, "{\"a\":1}\n", 8) == 0, "status and body");
	ok(strcmp(answer.request_id, "req_42") == 0, "the request id");
	ok(answer.retry_after_s < 0 && answer.should_retry < 0,
	   "nothing about retries");
	ok(strncmp(server.seen, "POST /v1/x HTTP/1.1\r\n", 21) == 0,
	   "method, path, HTTP/1.1");
	ok(strstr(server.seen, "\r\nAuthorization: Bearer " SECRET "\r\n"),
	   "the headers given");
	ok(strstr(server.seen, "\r\nUser-Agent: aiutils/"), "who we are");
	ok(!strcasestr(server.seen, "expect:"), "no Expect");
	ok(strstr(server.seen, "\r\n\r\n{\"q\":1}"), "the body");
	ok(post(h, "{}", 0) == 0 && server.connections == 1,
	   "the second request uses the same connection");
	ai_http_free(h);
}

static void test_headers(void)
{
	play((struct scene){
		"HTTP/1.1 100 Continue\r\nRetry-After: 99\r\n\r\n"
		"HTTP/1.1 429 Too Many\r\nretry-after: 7\r\n"
		"request-id:  a\tb  \r\nContent-Length: 0\r\n\r\n", 1, 0, 0 });
	ok(once(0) == 0 && answer.status == 429, "429 is an answer");
	ok(answer.retry_after_s == 7, "Retry-After in seconds");
	ok(strcmp(answer.request_id, "ab") == 0, "no control bytes in the id");
	play((struct scene){
		"HTTP/1.1 503 No\r\nRetry-After: 20\r\nretry-after-ms: 1500\r\n"
		"x-should-retry: false\r\nContent-Length: 0\r\n\r\n", 1, 0, 0 });
	ok(once(0) == 0 && answer.retry_after_s == 1.5 &&
	   answer.should_retry == 0, "retry-after-ms and x-should-retry");
	play((struct scene){
		"HTTP/1.1 503 No\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
		"Retry-After: Sun, 22 Nov 2026 10:01:30 GMT\r\n"
		"x-should-retry: true\r\nContent-Length: 0\r\n\r\n", 1, 0, 0 });
	ok(once(0) == 0 && answer.retry_after_s == 90 &&
	   answer.should_retry == 1, "a date, by the server's clock");
	ok(ai_http_retry_after("-3", 0) < 0 &&
	   ai_http_retry_after("soon", 0) < 0 &&
	   ai_http_retry_after("1e999", 0) < 0 &&
	   ai_http_retry_after("", 0) < 0 &&
	   ai_http_retry_after("2.5", 0) == 2.5 &&
	   ai_http_retry_after("Thu, 01 Jan 1970 00:00:10 GMT", 20) == 0,
	   "other Retry-Afters");
}

static void test_failures(void)
{
	play((struct scene){ NULL, 1, 0, 0 });
	ok(once(0) < 0 && err.code == AI_E_UNAVAILABLE && answer.again &&
	   answer.sent && answer.status == 0, "closed without an answer");
	play((struct scene){ "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
			     1, 0, 0 });
	ok(once(0) < 0 && err.code == AI_E_UNAVAILABLE && answer.again,
	   "an answer that was cut off: %s", err.msg);
	play((struct scene){ "SSH-2.0-OpenSSH_9.2\r\n", 1, 0, 0 });
	ok(once(0) < 0 && !answer.again, "not HTTP: %s", err.msg);
	play((struct scene){ "HTTP/1.1 200 OK\r\n\r\n", 1, 600, 0 });
	ok(once(0.2) < 0 && err.code == AI_E_UNAVAILABLE && answer.again &&
	   strstr(err.msg, "timed out"), "a timeout: %s", err.msg);
	ok(!strstr(err.msg, SECRET), "no key in messages");
	play((struct scene){
		"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", 1, 0,
		(size_t)3 << 20 });
	ok(once(0) < 0 && err.code == AI_E_TOO_LONG && !answer.again &&
	   answer.body.len <= (size_t)1 << 20, "a huge body: %s", err.msg);
	play((struct scene){
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
		"Content-Length: 0\r\n\r\n", 1, 0, 0 });
	ok(once(0) == 0 && answer.status == 302, "redirects are not followed");
}

static void test_refused(void)
{
	char was[sizeof url];

	memcpy(was, url, sizeof url);
	snprintf(url, sizeof url, "http://127.0.0.1:1/v1/x");
	ok(once(0) < 0 && err.code == AI_E_UNAVAILABLE && answer.again &&
	   !answer.sent && strstr(err.msg, "Connection refused"),
	   "nobody listens: %s", err.msg);
	snprintf(url, sizeof url, "http://no-such-host.invalid/v1/x");
	ok(once(0) < 0 && err.code == AI_E_UNAVAILABLE && !answer.sent,
	   "no such host: %s", err.msg);
	memcpy(url, was, sizeof url);
}

static void test_proxy(void)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	play((struct scene){ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1,
			     0, 0 });
	ok(once(0) == 0, "what goes to this machine goes through no proxy");
	unsetenv("http_proxy");
}

/* ---- in a loop of ours ----------------------------------------------------- */

struct mine {
	struct ai_http_answer answer;
	struct ai_buf came;
	int ended, rc;
};

static int take(void *arg, const char *p, size_t n, struct ai_err *e)
{
	struct mine *m = arg;

	(void)e;
	return ai_buf_add(&m->came, p, n);
}

static void end(void *arg, int rc, struct ai_err *e)
{
	struct mine *m = arg;

	(void)e;
	m->ended++;
	m->rc = rc;
}

struct fds {
	struct pollfd v[16];
	nfds_t n;
};

static void add_fd(void *arg, int fd, bool reads, bool writes)
{
	struct fds *f = arg;

	if (f->n < 16)
		f->v[f->n++] = (struct pollfd){ fd, (short)((reads ? POLLIN : 0) |
			(writes ? POLLOUT : 0)), 0 };
}

/* Until that many have ended; how often it was woken up. */
static int loop(struct ai_http *h, const struct mine *m, size_t n, int want)
{
	struct fds f;
	double due, left;
	int ended, turns = 0;

	do {
		f.n = 0;
		ai_http_fds(h, add_fd, &f);
		due = ai_http_due(h);
		left = due > 0 ? (due - ai_clock_s()) * 1e3 + 1 : 1000;
		if (poll(f.v, f.n, left < 0 ? 0 : (int)left) < 0 ||
		    ai_http_turn(h, &err) < 0)
			return -1;
		ended = 0;
		for (size_t i = 0; i < n; i++)
			ended += m[i].ended;
	} while (ended < want && ++turns < 20000);
	return turns;
}

static void test_loop(void)
{
	struct ai_http *h = ai_http_new(&err);
	struct ai_http_transfer *t;
	struct mine m[3] = { 0 };
	struct ai_http_request q = {
		.method = "POST", .url = url, .body = "{}", .n = 2,
		.timeout_s = 5, .data = take,
	};
	int turns;

	play((struct scene){ "HTTP/1.1 200 OK\r\nMcp-Session-Id: s1\r\n"
			     "Content-Length: 100000\r\n\r\n", 1, 50,
			     100000 });
	ai_http_loop(h);
	for (size_t i = 0; i < 3; i++) {
		ai_http_answer_init(&m[i].answer, 1000);
		ai_buf_init(&m[i].came, 1 << 20);
		q.arg = &m[i];
		ok(ai_http_start(h, &q, &m[i].answer, end, &t, &err) == 0,
		   "a request begins");
	}
	turns = loop(h, m, 3, 3);
	ok(turns >= 0 && turns < 2000, "they end, without being asked all the "
	   "time (%d)", turns);
	for (size_t i = 0; i < 3; i++)
		ok(m[i].ended == 1 && m[i].rc == 0 &&
		   m[i].answer.status == 200 && m[i].came.len == 100000 &&
		   strcmp(m[i].answer.session, "s1") == 0, "each whole, once");
	play((struct scene){ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
			     1, 300, 9 });
	m[0].ended = m[1].ended = m[2].ended = 0;
	q.arg = &m[0];
	q.timeout_s = 0.1;
	ok(ai_http_start(h, &q, &m[0].answer, end, &t, &err) == 0 &&
	   loop(h, m, 3, 1) >= 0 && m[0].ended == 1 && m[0].rc < 0,
	   "one takes too long");
	q.arg = &m[1];
	q.timeout_s = 5;
	ok(ai_http_start(h, &q, &m[1].answer, end, &t, &err) == 0, "one begins");
	ai_http_turn(h, &err);
	ai_http_cancel(h, t);
	ok(ai_http_turn(h, &err) == 0 && m[1].ended == 0, "and is ended by us");
	for (size_t i = 0; i < 3; i++) {
		ai_http_answer_release(&m[i].answer);
		ai_buf_release(&m[i].came);
	}
	ai_http_free(h);
}

int main(void)
{
	ai_http_answer_init(&answer, (size_t)1 << 20);
	ok(server_start(), "a server");
	snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/x", server.port);
	test_exchange();
	test_headers();
	test_failures();
	test_refused();
	test_proxy();
	test_loop();
	ai_http_answer_release(&answer);
	return done();
}
