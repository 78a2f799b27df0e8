/* keyed.c: the key of an attempt, what it puts above the request, and what
 * happens when it may not do what it is to do. */
#include "model/exchange.h"

#include "crypt/hash.h"

#include <math.h>
#include <string.h>
#include <time.h>

int ai_keyed_take(struct ai_exchange *x, struct ai_err *err)
{
	if (x->key == NULL &&
	    ai_keyring_next(x->e->ring, x->tried, &x->key, err) < 0)
		return -1;
	x->pay.key = x->key != NULL ? x->key->label : NULL;
	return 0;
}

/* ---- above the request -------------------------------------------------- */

/* By AWS's signature, over what is sent just now. */
static int sign(const struct ai_exchange *x, struct ai_signed *out,
		struct ai_err *err)
{
	const char *path = strstr(x->url.p, "://");
	char sha256[AI_SHA256_HEX];
	struct ai_sign q = {
		.method = x->method, .host = x->e->host, .body_sha256 = sha256,
		.region = x->e->region, .service = "bedrock",
		.access_key = x->key->text, .secret = x->key->secret,
		.token = x->key->token, .time_s = time(NULL),
	};

	path = path == NULL ? NULL : strchr(path + 3, '/');
	q.path = path == NULL ? "/" : path;
	ai_sha256_of(x->body.p, x->body.len, sha256);
	return ai_sign_aws(&q, out, err);
}

int ai_keyed_head(const struct ai_exchange *x, struct ai_head *h,
		  struct ai_err *err)
{
	size_t n = 0;

	h->signed_by = (struct ai_signed){ .line = { NULL } };
	h->line[n++] = "Accept: application/json";
	if (x->body.len > 0)
		h->line[n++] = "Content-Type: application/json";
	for (size_t i = 0; i < x->e->headers.n; i++)
		h->line[n++] = x->e->headers.v[i].line;
	if (x->key != NULL && x->key->secret != NULL) {
		if (sign(x, &h->signed_by, err) < 0)
			return -1;
		for (const char *const *s = h->signed_by.line; *s != NULL; s++)
			h->line[n++] = *s;
	} else if (x->key != NULL) {
		ai_header_of_key(x->key, h->key);
		h->line[n++] = h->key;
	}
	h->line[n] = NULL;
	return 0;
}

/* ---- when it may not ---------------------------------------------------- */

bool ai_keyed_other(struct ai_exchange *x)
{
	if (x->key == NULL)
		return false;
	x->tried |= x->key->bit;
	if (!ai_keyring_has(x->e->ring, x->tried) ||
	    ai_retry_left(&x->retry) <= 0)
		return false;
	x->key = NULL;
	return true;
}

void ai_keyed_ended(struct ai_exchange *x)
{
	x->other_key = x->other_key && x->rc < 0; /* as it was recorded */
	if (x->rc == 0 || x->aside_s < 0 || x->key == NULL)
		return;
	ai_keyring_set_aside(x->e->ring, x->key, x->aside_s);
	x->other_key = !x->told && ai_keyed_other(x);
}

double ai_keyed_wait(struct ai_exchange *x)
{
	double s = x->answer.retry_after_s, first;

	if (x->key == NULL || x->aside_s < 0 ||
	    ai_keys_at(x->e->keys, 1) == NULL)
		return s;
	x->key = NULL;
	first = ai_keyring_wait(x->e->ring);
	if (!isinf(first))
		s = x->err.retry_after_s = first;
	return s;
}
