/*
 * secret.c: what an entry gives a server that nobody else is to see.  A server
 * may say it again, in an error, a log or a list of its environment, and what it
 * says goes to a model, into the journal and to standard error.
 */
#include "mcp/int.h"

#include <string.h>
#include <strings.h>

#define SECRET_MIN 8 /* bytes: what is shorter stands anywhere by chance */
#define QUOTE_MAX ((size_t)4096) /* bytes that are looked at for a message */

static const char hidden[] = "[hidden]";

static bool has_word(const char *name, size_t n, const char *word)
{
	size_t w = strlen(word);

	for (size_t at = 0; at + w <= n; at++)
		if (strncasecmp(name + at, word, w) == 0)
			return true;
	return false;
}

static bool sounds_secret(const char *name, size_t n)
{
	static const char *const words[] = { "key", "token", "secret", "passw",
		"passphrase", "pwd", "authoriz", "credential", "cookie" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (has_word(name, n, words[i]))
			return true;
	/* But no "author". */
	return has_word(name, n, "auth") && !has_word(name, n, "author");
}

/* Behind "Bearer" and its like, which may stand anywhere. */
static const char *behind_scheme(const char *value)
{
	static const char *const schemes[] = { "bearer ", "basic ", "token " };

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strncasecmp(value, schemes[i], strlen(schemes[i])) == 0)
			return value + strlen(schemes[i]);
	return value;
}

int mcp_secret_add(struct mcp_entry *e, struct ai_span name, const char *value,
		   struct ai_err *err)
{
	value = behind_scheme(value);
	return !sounds_secret(name.p, name.n) || strlen(value) < SECRET_MIN ? 0 :
		agent_strings_add(&e->secrets, ai_span_of(value), err);
}

static void hide_one(struct ai_buf *b, const char *secret)
{
	struct ai_buf out = AI_BUF_INIT(b->max);
	size_t n = strlen(secret), from = 0;
	const char *at;

	while ((at = memmem(b->p + from, b->len - from, secret, n)) != NULL) {
		ai_buf_add(&out, b->p + from, (size_t)(at - b->p) - from);
		ai_buf_str(&out, hidden);
		from = (size_t)(at - b->p) + n;
	}
	if (from > 0) {
		ai_buf_add(&out, b->p + from, b->len - from);
		ai_buf_clear(b);
		if (out.bad == AI_E_NONE)
			ai_buf_add(b, out.p, out.len);
	}
	ai_buf_release(&out);
}

void mcp_secret_hide(const struct mcp_entry *e, struct ai_buf *b)
{
	for (size_t i = 0; i < e->secrets.n && b->len > 0; i++)
		hide_one(b, e->secrets.v[i]);
}

void mcp_secret_quote(const struct mcp_entry *e, struct ai_span text,
		      struct ai_buf *out)
{
	ai_buf_init(out, QUOTE_MAX * (sizeof hidden - 1) / SECRET_MIN + 1);
	if (text.n > 0)
		ai_buf_add(out, text.p, text.n < QUOTE_MAX ? text.n : QUOTE_MAX);
	mcp_secret_hide(e, out);
}
