#include "model/tape.h"

#include "base/utf8.h"
#include "crypt/base64.h"
#include "model/exchange.h"
#include "record/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)256 << 20)

#define RUN_BYTES 8

/* An attempt. */
struct ai_tape_entry {
	char key[AI_HASH_HEX];
	char run[2 * RUN_BYTES + 1]; /* of the program that recorded it */
	int64_t n;    /* which of the same requests in that run it was; then, in
		       * all runs */
	off_t run_at; /* the first of its key and run, in the file */
	off_t at;     /* of its line, and the bytes of that */
	size_t bytes;
	size_t played; /* of the first of its call: how many were played */
};

/* ---- keys -------------------------------------------------------------------- */

static const char *path_of(const struct ai_exchange *x)
{
	return x->url.p + strlen(x->e->base);
}

int ai_tape_name(struct ai_tape *t, struct ai_exchange *x, int64_t *ordinal,
		 struct ai_err *err)
{
	unsigned char key[AI_HASH_BYTES];
	struct ai_hash h;

	if (x->tape_key[0] != '\0' || (t->record < 0 && t->play < 0))
		return 0;
	ai_hash_init(&h);
	ai_hash_add(&h, path_of(x), strlen(path_of(x)) + 1);
	ai_hash_add(&h, x->body.p, x->body.len);
	ai_hash_hex(&h, x->tape_key);
	x->tape_n = ordinal != NULL ? *ordinal : -1;
	if (x->tape_n >= 0)
		return 0;
	ai_unhex(x->tape_key, AI_HASH_HEX - 1, key);
	x->tape_n = ai_tally_add(&t->tally, key, err);
	if (ordinal != NULL)
		*ordinal = x->tape_n;
	return x->tape_n < 0 ? -1 : 0;
}

static int by_run(const void *a, const void *b)
{
	const struct ai_tape_entry *x = a, *y = b;
	int rc = strcmp(x->key, y->key);

	if (rc == 0)
		rc = strcmp(x->run, y->run);
	return rc != 0 ? rc : x->at < y->at ? -1 : x->at > y->at;
}

/* Runs in the order in which they began, and attempts in that in which they
 * ended. */
static int by_call(const void *a, const void *b)
{
	const struct ai_tape_entry *x = a, *y = b;
	int rc = strcmp(x->key, y->key);

	if (rc == 0)
		rc = x->run_at < y->run_at ? -1 : x->run_at > y->run_at;
	if (rc == 0)
		rc = x->n < y->n ? -1 : x->n > y->n;
	return rc != 0 ? rc : x->at < y->at ? -1 : x->at > y->at;
}

static bool is_of(const struct ai_tape_entry *x, const struct ai_tape_entry *y)
{
	return strcmp(x->key, y->key) == 0 && strcmp(x->run, y->run) == 0;
}

/* Calls are numbered through: those of a second run come after those of the
 * first. */
static void sort(struct ai_tape *t)
{
	struct ai_tape_entry *v = t->v;
	int64_t before = 0;

	if (t->n == 0)
		return;
	qsort(v, t->n, sizeof *v, by_run);
	for (size_t i = 0; i < t->n; i++)
		v[i].run_at = i > 0 && is_of(&v[i], &v[i - 1])
			? v[i - 1].run_at : v[i].at;
	qsort(v, t->n, sizeof *v, by_call);
	for (size_t i = 0; i < t->n; i++) {
		if (i == 0 || strcmp(v[i].key, v[i - 1].key) != 0)
			before = 0;
		else if (!is_of(&v[i], &v[i - 1]))
			before = v[i - 1].n + 1;
		v[i].n += before;
	}
}

/* ---- opening ------------------------------------------------------------------- */

static int no_line(const struct ai_line *line, struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "'%.200s', line %lu: this is no line "
			  "of a recording", ai_client.replay, line->number);
}

static int add_entry(struct ai_tape *t, const struct ai_line *line, off_t at,
		     struct ai_err *err)
{
	struct ai_value v, key;
	struct ai_tape_entry *e;

	if (t->n == t->cap) {
		e = reallocarray(t->v, 2 * t->cap + 16, sizeof *e);
		if (e == NULL)
			return ai_err_nomem(err);
		t->v = e;
		t->cap = 2 * t->cap + 16;
	}
	e = &t->v[t->n];
	*e = (struct ai_tape_entry){ .at = at, .bytes = line->text.n };
	if (line->too_long ||
	    ai_json_check(line->text.p, line->text.n, &v, NULL) < 0)
		return no_line(line, err);
	key = ai_json_get(v, "key");
	if (key.kind != AI_STRING || key.s.n != 2 + AI_HASH_HEX - 1)
		return no_line(line, err);
	memcpy(e->key, key.s.p + 1, sizeof e->key - 1);
	ai_wire_copy(v, "run", e->run, sizeof e->run);
	/* No run has so many. */
	if (ai_json_i64(ai_json_get(v, "n"), &e->n) < 0 || e->n < 0 ||
	    e->n > UINT32_MAX)
		e->n = 0;
	t->n++;
	return 0;
}

static int read_entries(struct ai_tape *t, struct ai_err *err)
{
	struct ai_reader r;
	struct ai_line line;
	off_t at = 0;
	int rc;

	ai_reader_init(&r, t->play, LINE_MAX_BYTES);
	while ((rc = ai_reader_next(&r, &line, err)) > 0) {
		if (line.text.n > 0 && add_entry(t, &line, at, err) < 0) {
			rc = -1;
			break;
		}
		at += (off_t)(line.too_long ? line.length : line.text.n) + 1;
	}
	ai_reader_release(&r);
	sort(t);
	return rc;
}

static int open_play(struct ai_tape *t, const char *path, struct ai_err *err)
{
	struct stat s;

	t->play = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->play < 0 || fstat(t->play, &s) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot replay "
				  "'%.200s'", path);
	if (!S_ISREG(s.st_mode))
		return ai_err_set(err, AI_E_OPEN, "cannot replay '%.200s': it "
				  "must be a file, since it is read more than "
				  "once", path);
	return read_entries(t, err);
}

int ai_tape_open(struct ai_tape *t, struct ai_err *err)
{
	const char *record = ai_client.record, *replay = ai_client.replay;
	unsigned char id[RUN_BYTES];

	*t = (struct ai_tape){ .record = -1, .play = -1 };
	ai_buf_init(&t->line, LINE_MAX_BYTES);
	ai_random(id, sizeof id);
	ai_hex(id, sizeof id, t->run);
	if (record != NULL && replay != NULL)
		return ai_err_set(err, AI_E_USAGE,
				  "--record and --replay: give one");
	if (record != NULL) {
		t->record = open(record, O_WRONLY | O_CREAT | O_APPEND |
				 O_CLOEXEC, 0600);
		if (t->record < 0)
			return ai_err_sys(err, AI_E_CREATE, errno,
					  "cannot record to '%.200s'", record);
	}
	return replay == NULL ? 0 : open_play(t, replay, err);
}

void ai_tape_release(struct ai_tape *t)
{
	if (t->line.max == 0)
		return;
	if (t->record >= 0)
		close(t->record);
	if (t->play >= 0)
		close(t->play);
	free(t->v);
	ai_tally_release(&t->tally);
	ai_buf_release(&t->line);
	*t = (struct ai_tape){ .record = -1, .play = -1 };
}

/* ---- recording ------------------------------------------------------------------- */

static void mask(struct ai_buf *b, const char *secret)
{
	char *p = b->p;
	size_t n;

	while (b->len > 0 &&
	       (p = ai_key_in(p, b->len - (size_t)(p - b->p), secret, &n))) {
		memset(p, '*', n);
		p += n;
	}
}

/* A server that says a key back must not write it into the file. */
static void put_body(struct ai_buf *b, const struct ai_buf *body,
		     const struct ai_endpoint *e)
{
	struct ai_buf clean = AI_BUF_INIT(body->max);
	const char *secret;

	ai_buf_add(&clean, body->p, body->len);
	for (size_t i = 0; (secret = ai_endpoint_secret(e, i)) != NULL; i++)
		mask(&clean, secret);
	if (ai_utf8_valid(ai_buf_cstr(&clean), clean.len) == clean.len) {
		ai_put_key(b, "body");
		ai_put_str(b, ai_buf_cstr(&clean), clean.len);
	} else {
		ai_put_key(b, "body_base64");
		ai_buf_chr(b, '"');
		ai_base64_encode(b, clean.p, clean.len);
		ai_buf_chr(b, '"');
	}
	ai_buf_release(&clean);
}

static void put_answer(struct ai_buf *b, const struct ai_http_answer *a)
{
	ai_wire_put_i64(b, "status", a->status);
	ai_wire_put_cstr(b, "content_type", a->content_type);
	ai_wire_put_cstr(b, "request_id", a->request_id);
	ai_wire_put_cstr(b, "error_type", a->error_type);
	ai_put_key(b, "retry_after_s");
	ai_put_f64(b, a->retry_after_s < 0 ? NAN : a->retry_after_s);
	ai_wire_put_i64(b, "should_retry", a->should_retry);
}

/* No answer came. */
static void put_failure(struct ai_buf *b, const struct ai_http_answer *a,
			const struct ai_err *why)
{
	ai_put_key(b, "failed");
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "code", ai_code_name(why->code));
	ai_wire_put_cstr(b, "message", why->msg);
	ai_put_key(b, "again");
	ai_put_bool(b, a->again);
	ai_put_key(b, "sent");
	ai_put_bool(b, a->sent);
	ai_put_close(b, '}');
}

/* Every line begins with it. */
static void put_request(struct ai_buf *b, const struct ai_tape *t,
			const struct ai_exchange *x)
{
	struct ai_value v;

	ai_buf_clear(b);
	ai_put_open(b, '{');
	ai_wire_put_cstr(b, "key", x->tape_key);
	ai_wire_put_cstr(b, "run", t->run);
	ai_wire_put_i64(b, "n", x->tape_n);
	ai_wire_put_cstr(b, "provider", x->e->provider);
	ai_wire_put_cstr(b, "path", path_of(x));
	if (ai_json_check(ai_buf_cstr(&x->body), x->body.len, &v, NULL) == 0) {
		ai_put_key(b, "request");
		ai_put_value(b, v);
	}
}

/* The line is whole.  In one write, so that lines of several programs do not
 * mix; a pipe may take several. */
static int append(struct ai_tape *t, struct ai_err *err)
{
	ai_put_close(&t->line, '}');
	ai_buf_chr(&t->line, '\n');
	if (ai_buf_check(&t->line, "the line of the recording", err) < 0)
		return -1;
	return ai_buf_write(&t->line, t->record) == 0 ? 0 :
		ai_err_sys(err, AI_E_IO, errno, "cannot write to '%.200s'",
			   ai_client.record);
}

int ai_tape_add(struct ai_tape *t, const struct ai_exchange *x, int rc,
		const struct ai_err *why, struct ai_err *err)
{
	struct ai_buf *b = &t->line;

	if (t->record < 0)
		return 0;
	put_request(b, t, x);
	put_answer(b, &x->answer);
	if (rc < 0)
		put_failure(b, &x->answer, why);
	if (x->other_key) {
		ai_put_key(b, "other_key");
		ai_put_bool(b, true);
	}
	ai_wire_put_i64(b, "max_tokens", x->call->max_tokens);
	ai_wire_put_i64(b, "created", x->call->created_s);
	ai_wire_put_f64(b, "latency_s", x->call->latency_s);
	if (x->call->ttft_s >= 0)
		ai_wire_put_f64(b, "ttft_s", x->call->ttft_s);
	put_body(b, x->raw.len > 0 ? &x->raw : &x->answer.body, x->e);
	return append(t, err);
}

int ai_tape_add_refused(struct ai_tape *t, const struct ai_exchange *x,
			const struct ai_err *why, struct ai_err *err)
{
	static const struct ai_http_answer none;
	struct ai_buf *b = &t->line;

	if (t->record < 0)
		return 0;
	put_request(b, t, x);
	ai_put_key(b, "refused");
	ai_put_bool(b, true);
	ai_put_key(b, "retry_after_s");
	ai_put_f64(b, why->retry_after_s < 0 ? NAN : why->retry_after_s);
	put_failure(b, &none, why);
	return append(t, err);
}

/* ---- playing ----------------------------------------------------------------------- */

/* The first entry that is not before the n-th call of this key. */
static size_t find(const struct ai_tape *t, const char *key, int64_t n)
{
	size_t from = 0, to = t->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int rc = strcmp(t->v[mid].key, key);

		if (rc < 0 || (rc == 0 && t->v[mid].n < n))
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool has(const struct ai_tape *t, size_t i, const char *key)
{
	return i < t->n && strcmp(t->v[i].key, key) == 0;
}

/* The next answer to this request, or NULL.  Where there are fewer calls, it is
 * the last one before. */
static const struct ai_tape_entry *next_of(struct ai_tape *t,
					   const struct ai_exchange *x)
{
	const char *key = x->tape_key;
	size_t i = find(t, key, x->tape_n), to;

	if (!has(t, i, key) || t->v[i].n != x->tape_n) {
		if (i > 0 && has(t, i - 1, key))
			i = find(t, key, t->v[i - 1].n);
		else if (!has(t, i, key))
			return NULL;
	}
	to = i + t->v[i].played;
	if (has(t, to + 1, key) && t->v[to + 1].n == t->v[i].n)
		t->v[i].played++;
	return &t->v[to];
}

static int load(struct ai_tape *t, const struct ai_tape_entry *e,
		struct ai_value *v, struct ai_err *err)
{
	ai_buf_clear(&t->line);
	if (ai_buf_reserve(&t->line, e->bytes + 1) == 0 &&
	    pread(t->play, t->line.p, e->bytes, e->at) == (ssize_t)e->bytes)
		t->line.len = e->bytes;
	if (ai_buf_check(&t->line, "the line of the recording", err) < 0)
		return -1;
	return ai_json_check(ai_buf_cstr(&t->line), t->line.len, v, NULL) == 0
		? 0 : ai_err_set(err, AI_E_DATA, "'%.200s' has changed while "
				 "it was replayed", ai_client.replay);
}

static void take_answer(struct ai_value v, struct ai_http_answer *a)
{
	int64_t n;

	*a = (struct ai_http_answer){ .body = a->body, .should_retry = -1,
				      .retry_after_s = -1, .sent = true };
	ai_buf_clear(&a->body);
	if (ai_json_i64(ai_json_get(v, "status"), &n) == 0 && n >= 0 &&
	    n <= 999)
		a->status = (long)n;
	if (ai_json_i64(ai_json_get(v, "should_retry"), &n) == 0)
		a->should_retry = (int)n;
	a->retry_after_s = ai_wire_seconds(v, "retry_after_s");
	ai_wire_copy(v, "content_type", a->content_type,
		     sizeof a->content_type);
	ai_wire_copy(v, "request_id", a->request_id, sizeof a->request_id);
	ai_wire_copy(v, "error_type", a->error_type, sizeof a->error_type);
}

static int take_body(struct ai_value v, struct ai_buf *out, struct ai_err *err)
{
	struct ai_value body = ai_json_get(v, "body");
	struct ai_span s;
	size_t n;

	if (body.kind == AI_STRING) {
		ai_json_text(body, out);
		return ai_buf_check(out, "the answer", err);
	}
	body = ai_json_get(v, "body_base64");
	if (body.kind != AI_STRING)
		return 0;
	s = (struct ai_span){ body.s.p + 1, body.s.n - 2 };
	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	n = ai_base64_bytes(s.n);
	if (n == SIZE_MAX || ai_buf_reserve(out, n + 1) < 0 ||
	    ai_base64_decode(s.p, s.n, out->p) < 0)
		return ai_err_set(err, AI_E_DATA, "'%.200s': a body that is no "
				  "base64", ai_client.replay);
	out->len = n;
	return 0;
}

/* No answer came then, and so none comes now. */
static void take_failure(struct ai_value failed, struct ai_http_answer *a,
			 struct ai_err *err)
{
	char name[64], msg[sizeof err->msg];
	enum ai_code code;

	ai_wire_copy(failed, "code", name, sizeof name);
	ai_wire_copy(failed, "message", msg, sizeof msg);
	a->again = ai_json_true(ai_json_get(failed, "again"));
	a->sent = ai_json_true(ai_json_get(failed, "sent"));
	code = ai_code_from_name(name, strlen(name));
	ai_err_set(err, code == AI_E_NONE ? AI_E_UNAVAILABLE : code, "%s", msg);
}

int ai_tape_play(struct ai_tape *t, struct ai_exchange *x, struct ai_err *err)
{
	const struct ai_tape_entry *e = next_of(t, x);
	struct ai_http_answer *a = &x->answer;
	struct ai_value v, failed;
	bool good;

	take_answer((struct ai_value){ AI_NONE, { NULL, 0 } }, a);
	a->sent = false;
	x->played.latency_s = 0;
	x->played.created_s = 0;
	x->played.ttft_s = -1;
	if (e == NULL) {
		/* Which is a mistake, and no reason to ask another model. */
		x->call->failure = AI_CALL_OTHER;
		return ai_err_set(err, AI_E_UNAVAILABLE, "'%.200s' has no "
				  "answer to this request: record it again",
				  ai_client.replay);
	}
	if (load(t, e, &v, err) < 0)
		return -1;
	take_answer(v, a);
	x->other_key = ai_json_true(ai_json_get(v, "other_key"));
	x->played.latency_s = ai_wire_seconds(v, "latency_s");
	x->played.ttft_s = ai_wire_seconds(v, "ttft_s");
	/* A budget may have lowered it. */
	ai_json_i64(ai_json_get(v, "max_tokens"), &x->call->max_tokens);
	if (ai_json_i64(ai_json_get(v, "created"), &x->played.created_s) < 0)
		x->played.created_s = 0;
	good = a->status >= 200 && a->status <= 299;
	ai_buf_clear(&x->raw);
	if (take_body(v, x->streams && good ? &x->raw : &a->body, err) < 0 ||
	    (x->raw.len > 0 &&
	     ai_stream_add(x, x->raw.p, x->raw.len, err) < 0))
		return -1;
	failed = ai_json_get(v, "failed");
	if (failed.kind != AI_OBJECT)
		return 0;
	take_failure(failed, a, err);
	if (ai_json_true(ai_json_get(v, "refused"))) {
		x->call->attempts--;
		err->retry_after_s = a->retry_after_s;
	}
	return -1;
}
