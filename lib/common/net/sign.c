#include "net/sign.h"

#include "base/str.h"
#include "crypt/hash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define DATE_N 8 /* of "20150830T123600Z" the day */

struct header {
	struct ai_span name, value;
};

/* A request under way. */
struct work {
	const struct ai_sign *q;
	char time[20];       /* "20150830T123600Z" */
	struct ai_buf scope; /* "20150830/us-east-1/bedrock/aws4_request" */
	struct header header[AI_SIGN_HEADERS_MAX]; /* sorted by name */
	size_t headers;
	struct ai_buf names;  /* theirs: "host;x-amz-date" */
	struct ai_sha256 sum; /* of the canonical request */
};

/* ---- percent-encoding --------------------------------------------------- */

/* RFC 3986's unreserved characters, in ASCII whatever the locale. */
static bool unreserved(unsigned char c)
{
	unsigned char low = c | 0x20;

	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static int hex_digit(unsigned char c)
{
	unsigned char low = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static void put_encoded(struct ai_buf *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char code[3] = { '%', digits[c >> 4], digits[c & 15] };

	if (unreserved(c))
		ai_buf_add(out, &c, 1);
	else
		ai_buf_add(out, code, sizeof code);
}

/* A part of a query, however it was encoded, as AWS encodes it. */
static void put_recoded(struct ai_buf *out, struct ai_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		int high = -1, low = -1;

		if (c == '%' && s.n - i > 2) {
			high = hex_digit((unsigned char)s.p[i + 1]);
			low = hex_digit((unsigned char)s.p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		put_encoded(out, c);
	}
}

/* ---- the path ----------------------------------------------------------- */

/* Appends a path without empty, "." and ".." segments. */
static void put_plain_path(struct ai_buf *out, const char *path)
{
	const char *p = path;
	size_t n;

	for (;;) {
		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			break;
		if (n == 2 && memcmp(p, "..", 2) == 0) {
			while (out->len > 0 && out->p[--out->len] != '/')
				;
		} else if (n != 1 || p[0] != '.') {
			ai_buf_chr(out, '/');
			ai_buf_add(out, p, n);
		}
		p += n;
	}
	if (out->len == 0 || p[-1] == '/')
		ai_buf_chr(out, '/');
}

static int sum_path(struct work *w, struct ai_err *err)
{
	size_t n = strlen(w->q->path);
	struct ai_buf plain = AI_BUF_INIT(n + 1);
	struct ai_buf coded = AI_BUF_INIT(3 * (n + 1));
	int rc;

	put_plain_path(&plain, w->q->path);
	for (size_t i = 0; i < plain.len; i++)
		if (plain.p[i] == '/')
			ai_buf_chr(&coded, '/');
		else
			put_encoded(&coded, (unsigned char)plain.p[i]);
	rc = ai_buf_check(&plain, "the path", err);
	if (rc == 0)
		rc = ai_buf_check(&coded, "the path", err);
	if (rc == 0)
		ai_sha256_add(&w->sum, coded.p, coded.len);
	ai_buf_release(&coded);
	ai_buf_release(&plain);
	return rc;
}

/* ---- the query ---------------------------------------------------------- */

static int span_order(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int diff = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return diff != 0 ? diff : (a.n > b.n) - (a.n < b.n);
}

/* By name, then by value: not as "name=value", for '=' is more than '-'. */
static int pair_order(const void *x, const void *y)
{
	const struct header *a = x, *b = y;
	int diff = span_order(a->name, b->name);

	return diff != 0 ? diff : span_order(a->value, b->value);
}

static struct ai_span put_part(struct ai_buf *out, struct ai_span s)
{
	size_t from = out->len;

	put_recoded(out, s);
	return (struct ai_span){ out->p + from, out->len - from };
}

/* Parameters into pair, encoded in text, which has room and does not move.
 * -1: too many. */
static int read_query(const char *query, struct ai_buf *text,
		      struct header *pair)
{
	int count = 0;
	size_t n, name;

	for (const char *p = query; *p != '\0'; p += n) {
		p += strspn(p, "&");
		n = strcspn(p, "&");
		if (n == 0)
			break;
		if (count == AI_SIGN_QUERY_MAX)
			return -1;
		name = strcspn(p, "=&");
		pair[count].name = put_part(text, (struct ai_span){ p, name });
		if (name < n)
			name++;
		pair[count].value = put_part(text, (struct ai_span){
			p + name, n - name });
		count++;
	}
	return count;
}

static void sum_span(struct work *w, struct ai_span s)
{
	ai_sha256_add(&w->sum, s.p, s.n);
}

static int sum_query(struct work *w, struct ai_err *err)
{
	const char *query = w->q->query != NULL ? w->q->query : "";
	struct ai_buf text = AI_BUF_INIT(3 * strlen(query));
	struct header pair[AI_SIGN_QUERY_MAX];
	int count;

	if (ai_buf_reserve(&text, text.max) < 0)
		return ai_err_nomem(err);
	count = read_query(query, &text, pair);
	if (count > 1)
		qsort(pair, (size_t)count, sizeof *pair, pair_order);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			sum_span(w, AI_SPAN("&"));
		sum_span(w, pair[i].name);
		sum_span(w, AI_SPAN("="));
		sum_span(w, pair[i].value);
	}
	ai_buf_release(&text);
	return count >= 0 ? 0 :
	       ai_err_set(err, AI_E_TOO_LONG,
			  "a request that is to be signed has more than %d "
			  "parameters", AI_SIGN_QUERY_MAX);
}

/* ---- headers ------------------------------------------------------------ */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Names of headers, as they are in lower case. */
static int name_order(struct ai_span a, struct ai_span b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int diff = (unsigned char)lower(a.p[i]) -
			   (unsigned char)lower(b.p[i]);

		if (diff != 0)
			return diff;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Into its place, behind those of the same name. */
static int add_header(struct work *w, struct ai_span name,
		      struct ai_span value, struct ai_err *err)
{
	size_t at = w->headers;

	if (at == AI_SIGN_HEADERS_MAX)
		return ai_err_set(err, AI_E_CONFIG,
				  "more than %d headers are to be signed",
				  AI_SIGN_HEADERS_MAX);
	while (value.n > 0 && blank(value.p[0]))
		value.p++, value.n--;
	while (value.n > 0 && blank(value.p[value.n - 1]))
		value.n--;
	for (; at > 0 && name_order(w->header[at - 1].name, name) > 0; at--)
		w->header[at] = w->header[at - 1];
	w->header[at] = (struct header){ name, value };
	w->headers++;
	return 0;
}

/* Those that we write ourselves. */
static bool is_ours(struct ai_span name)
{
	static const char *const ours[] = {
		"authorization", "host", "x-amz-content-sha256", "x-amz-date",
		"x-amz-security-token",
	};

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (name_order(name, ai_span_of(ours[i])) == 0)
			return true;
	return false;
}

/* "Name: value", where the name is a token and the value one line. */
static int add_line(struct work *w, const char *line, struct ai_err *err)
{
	static const char separators[] = "()<>@,;:\\\"/[]?={}";
	struct ai_span name = { line, strcspn(line, ":") };
	bool good = name.n > 0 && line[name.n] == ':' && !is_ours(name);

	for (size_t i = 0; i < name.n; i++)
		good = good && line[i] > ' ' && line[i] < 127 &&
		       strchr(separators, line[i]) == NULL;
	if (!good)
		return ai_err_set(err, AI_E_CONFIG,
				  "the header '%.*s' cannot be signed",
				  (int)(name.n < 64 ? name.n : 64), line);
	for (const char *p = line + name.n; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return ai_err_set(err, AI_E_CONFIG,
					  "the header '%.*s' has a control "
					  "character in it",
					  (int)(name.n < 64 ? name.n : 64),
					  line);
	return add_header(w, name, ai_span_of(line + name.n + 1), err);
}

static bool has_token(const struct ai_sign *q)
{
	return q->token != NULL && q->token[0] != '\0';
}

static int collect_headers(struct work *w, struct ai_err *err)
{
	const struct ai_sign *q = w->q;
	const struct {
		const char *name, *value;
	} ours[] = {
		{ "host", q->host },
		{ "x-amz-date", w->time },
		{ "x-amz-content-sha256",
		  q->content_sha256 ? q->body_sha256 : NULL },
		{ "x-amz-security-token", has_token(q) ? q->token : NULL },
	};

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (ours[i].value != NULL &&
		    add_header(w, ai_span_of(ours[i].name),
			       ai_span_of(ours[i].value), err) < 0)
			return -1;
	for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
		if (add_line(w, *h, err) < 0)
			return -1;
	return 0;
}

/* A value, its runs of blanks as one each. */
static void sum_value(struct work *w, struct ai_span v)
{
	size_t from = 0;

	for (size_t i = 0; i < v.n; i++) {
		if (!blank(v.p[i]))
			continue;
		ai_sha256_add(&w->sum, v.p + from, i - from);
		sum_span(w, AI_SPAN(" "));
		while (blank(v.p[i + 1]))
			i++;
		from = i + 1;
	}
	ai_sha256_add(&w->sum, v.p + from, v.n - from);
}

/* Headers of one name are one, their values with commas between. */
static void sum_headers(struct work *w)
{
	for (size_t i = 0; i < w->headers; i++) {
		const struct header *h = &w->header[i];

		if (i > 0 && name_order(h[-1].name, h->name) == 0) {
			sum_span(w, AI_SPAN(","));
			sum_value(w, h->value);
			continue;
		}
		if (i > 0) {
			sum_span(w, AI_SPAN("\n"));
			ai_buf_chr(&w->names, ';');
		}
		for (size_t k = 0; k < h->name.n; k++) {
			char c = lower(h->name.p[k]);

			ai_sha256_add(&w->sum, &c, 1);
			ai_buf_chr(&w->names, c);
		}
		sum_span(w, AI_SPAN(":"));
		sum_value(w, h->value);
	}
	sum_span(w, AI_SPAN("\n\n"));
}

/* ---- the signature ------------------------------------------------------ */

/* The canonical request is summed as it is made: a session's token is in it,
 * and so leaves no copies behind. */
static int sum_request(struct work *w, char hex[AI_SHA256_HEX],
		       struct ai_err *err)
{
	unsigned char sum[AI_SHA256_BYTES];
	int rc;

	ai_sha256_init(&w->sum);
	sum_span(w, ai_span_of(w->q->method));
	sum_span(w, AI_SPAN("\n"));
	rc = sum_path(w, err);
	sum_span(w, AI_SPAN("\n"));
	if (rc == 0)
		rc = sum_query(w, err);
	sum_span(w, AI_SPAN("\n"));
	sum_headers(w);
	sum_span(w, (struct ai_span){ ai_buf_cstr(&w->names), w->names.len });
	sum_span(w, AI_SPAN("\n"));
	sum_span(w, ai_span_of(w->q->body_sha256));
	ai_sha256_end(&w->sum, sum);
	ai_hex(sum, sizeof sum, hex);
	return rc;
}

/* The secret, keyed with the day, the region, the service and the end. */
static void derive(const struct work *w, unsigned char key[AI_SHA256_BYTES])
{
	char first[4 + AI_SIGN_SECRET_MAX] = "AWS4";
	size_t n = strlen(w->q->secret);
	const struct ai_span steps[] = {
		{ w->time, DATE_N }, ai_span_of(w->q->region),
		ai_span_of(w->q->service), AI_SPAN(TERMINATOR),
	};

	memcpy(first + 4, w->q->secret, n);
	ai_hmac_sha256(first, 4 + n, steps[0].p, steps[0].n, key);
	ai_wipe(first, sizeof first);
	for (size_t i = 1; i < sizeof steps / sizeof *steps; i++)
		ai_hmac_sha256(key, AI_SHA256_BYTES, steps[i].p, steps[i].n,
			       key);
}

static int sign(struct work *w, char hex[AI_SHA256_HEX], struct ai_err *err)
{
	unsigned char key[AI_SHA256_BYTES], sum[AI_SHA256_BYTES];
	struct ai_buf text = AI_BUF_INIT(4096);
	int rc;

	if (sum_request(w, hex, err) < 0)
		return -1;
	ai_buf_fmt(&text, ALGORITHM "\n%s\n%s\n%s", w->time,
		   ai_buf_cstr(&w->scope), hex);
	rc = ai_buf_check(&text, "what is signed", err);
	if (rc == 0) {
		derive(w, key);
		ai_hmac_sha256(key, sizeof key, text.p, text.len, sum);
		ai_wipe(key, sizeof key);
		ai_hex(sum, sizeof sum, hex);
	}
	ai_buf_release(&text);
	return rc;
}

/* ---- the lines ---------------------------------------------------------- */

/* Whether it is 1 to max printable characters without blanks. */
static bool is_word(const char *s, size_t max)
{
	size_t n = 0;

	for (; s != NULL && s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] >= 127 || n == max)
			return false;
	return n > 0;
}

static int check(const struct ai_sign *q, struct ai_err *err)
{
	const struct {
		const char *what, *value;
		size_t max;
		enum ai_code code;
	} words[] = {
		{ "access key id", q->access_key, 256, AI_E_NOT_ALLOWED },
		{ "secret access key", q->secret, AI_SIGN_SECRET_MAX,
		  AI_E_NOT_ALLOWED },
		{ "session token", has_token(q) ? q->token : "-", 16384,
		  AI_E_NOT_ALLOWED },
		{ "host", q->host, 256, AI_E_CONFIG },
		{ "region", q->region, 256, AI_E_CONFIG },
		{ "service", q->service, 256, AI_E_CONFIG },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!is_word(words[i].value, words[i].max))
			return ai_err_set(err, words[i].code,
					  "the AWS %s is missing, too long, or "
					  "has a blank or control character "
					  "in it", words[i].what);
	return 0;
}

static int begin(struct work *w, struct ai_err *err)
{
	time_t at = (time_t)w->q->time_s;
	struct tm tm;

	if (w->q->time_s < 0 || gmtime_r(&at, &tm) == NULL ||
	    tm.tm_year + 1900 > 9999)
		return ai_err_set(err, AI_E_CONFIG,
				  "the clock is wrong: no year that AWS knows");
	strftime(w->time, sizeof w->time, "%Y%m%dT%H%M%SZ", &tm);
	ai_buf_init(&w->scope, 1024);
	ai_buf_fmt(&w->scope, "%.*s/%s/%s/" TERMINATOR, DATE_N, w->time,
		   w->q->region, w->q->service);
	ai_buf_init(&w->names, 16384);
	return collect_headers(w, err);
}

/* The memory is asked for once: growing would leave copies of the token. */
static int put_lines(const struct work *w, const char *signature,
		     struct ai_signed *out, struct ai_err *err)
{
	const struct ai_sign *q = w->q;
	struct ai_buf *t = &out->text;
	size_t at[4], count = 0;

	ai_buf_init(t, 512 + strlen(q->access_key) + w->scope.len +
		    w->names.len + (has_token(q) ? strlen(q->token) : 0));
	ai_buf_reserve(t, t->max);
	at[count++] = t->len;
	ai_buf_fmt(t, "Authorization: " ALGORITHM " Credential=%s/%s, "
		   "SignedHeaders=%s, Signature=%s", q->access_key,
		   ai_buf_cstr(&w->scope), ai_buf_cstr(&w->names), signature);
	ai_buf_chr(t, '\0');
	at[count++] = t->len;
	ai_buf_fmt(t, "X-Amz-Date: %s%c", w->time, '\0');
	if (q->content_sha256) {
		at[count++] = t->len;
		ai_buf_fmt(t, "X-Amz-Content-Sha256: %s%c", q->body_sha256,
			   '\0');
	}
	if (has_token(q)) {
		at[count++] = t->len;
		ai_buf_fmt(t, "X-Amz-Security-Token: %s%c", q->token, '\0');
	}
	if (ai_buf_check(t, "the headers of a signed request", err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		out->line[i] = t->p + at[i];
	return 0;
}

int ai_sign_aws(const struct ai_sign *q, struct ai_signed *out,
		struct ai_err *err)
{
	struct work w = { .q = q };
	char signature[AI_SHA256_HEX];
	int rc;

	memset(out, 0, sizeof *out);
	if (check(q, err) < 0)
		return -1;
	rc = begin(&w, err);
	if (rc == 0)
		rc = sign(&w, signature, err);
	if (rc == 0)
		rc = ai_buf_check(&w.names, "the list of signed headers", err);
	if (rc == 0)
		rc = ai_buf_check(&w.scope, "the region", err);
	if (rc == 0)
		rc = put_lines(&w, signature, out, err);
	ai_buf_release(&w.names);
	ai_buf_release(&w.scope);
	return rc;
}

void ai_signed_release(struct ai_signed *s)
{
	if (s->text.p != NULL)
		ai_wipe(s->text.p, s->text.cap);
	ai_buf_release(&s->text);
	memset(s->line, 0, sizeof s->line);
}
