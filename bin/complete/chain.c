/*
 * chain.c: models that are asked one after the other, "a,b,c", until one
 * answers.
 *
 * A call that failed is tried again by the client, as often as --retries says.
 * Only then the next model has its turn, and only for the reasons that
 * --fallback-on names: a key that is refused is a mistake that somebody has to
 * repair, and a refusal a decision, and both would go unnoticed.
 */
#include "complete.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define SAID_MAX ((size_t)4096)
#define FAILED_MAX ((size_t)1 << 16)

/* ---- names --------------------------------------------------------------- */

/* The next name of *left, without the blanks around it. */
static struct ai_span next_name(const char **left)
{
	const char *p = *left;
	size_t n = strcspn(p, ",");

	*left = p + n + (p[n] == ',');
	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct ai_span){ p, n };
}

static int check_name(struct ai_span name, const char *names,
		      struct ai_err *err)
{
	char text[AI_MODEL_NAME_MAX];

	if (name.n == 0)
		return ai_err_set(err, AI_E_CONFIG, "a model without a name in "
				  "'%.200s'", names);
	if (ai_utf8_valid(name.p, name.n) != name.n)
		return ai_err_set(err, AI_E_CONFIG,
				  "the name of a model is not UTF-8");
	if (name.n >= sizeof text)
		return ai_err_set(err, AI_E_CONFIG, "the name of a model has "
				  "at most %zu bytes: '%.40s...'",
				  sizeof text - 1, name.p);
	snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
	return complete_is_local(text) ? complete_local_check(text, err) : 0;
}

int complete_chain_check(const char *names, struct ai_err *err)
{
	const char *left = names;
	bool more = true;

	for (size_t n = 0; more; n++) {
		if (n == COMPLETE_CHAIN_MAX)
			return ai_err_set(err, AI_E_CONFIG, "more than %d "
					  "models in '%.200s'",
					  COMPLETE_CHAIN_MAX, names);
		more = strchr(left, ',') != NULL;
		if (check_name(next_name(&left), names, err) < 0)
			return -1;
	}
	return 0;
}

void complete_chain_init(struct complete_chain *c)
{
	memset(c, 0, sizeof *c);
	ai_buf_init(&c->failed, FAILED_MAX);
	ai_buf_init(&c->said, SAID_MAX);
}

void complete_chain_release(struct complete_chain *c)
{
	ai_buf_release(&c->failed);
	ai_buf_release(&c->said);
}

void complete_chain_begin(struct complete_chain *c, const char *names)
{
	c->left = names;
	c->n = 0;
	ai_buf_clear(&c->failed);
	ai_buf_clear(&c->said);
}

bool complete_chain_next(struct complete_chain *c)
{
	struct ai_span name;

	if (*c->left == '\0')
		return false;
	name = next_name(&c->left);
	snprintf(c->model, sizeof c->model, "%.*s", (int)name.n, name.p);
	return true;
}

/* ---- reasons ---------------------------------------------------------------- */

static const struct {
	const char *name;
	enum complete_reason reason;
} reasons[] = {
	{ "down", COMPLETE_DOWN }, { "limited", COMPLETE_LIMITED },
	{ "too_long", COMPLETE_TOO_LONG }, { "policy", COMPLETE_POLICY },
	{ "key", COMPLETE_KEY }, { "budget", COMPLETE_BUDGET },
	{ "schema", COMPLETE_SCHEMA }, { "other", COMPLETE_OTHER },
};

static unsigned leads_on; /* bits of enum complete_reason */

static int add_reason(struct ai_span name, struct ai_err *err)
{
	size_t n = sizeof reasons / sizeof *reasons;
	struct ai_buf all = AI_BUF_INIT(256);

	for (size_t i = 0; i < n; i++) {
		if (ai_span_is(name, reasons[i].name)) {
			leads_on |= reasons[i].reason;
			ai_buf_release(&all);
			return 0;
		}
		ai_buf_fmt(&all, "%s%s", i == 0 ? "" : ", ", reasons[i].name);
	}
	ai_err_set(err, AI_E_USAGE, "--fallback-on: '%.*s' is none of %s",
		   (int)(name.n > 40 ? 40 : name.n), name.p,
		   ai_buf_cstr(&all));
	ai_buf_release(&all);
	return -1;
}

int complete_chain_load(struct ai_err *err)
{
	const char *left = complete_settings.fallback_on;

	leads_on = 0;
	if (strcmp(left, "none") == 0)
		return 0;
	while (*left != '\0')
		if (add_reason(next_name(&left), err) < 0)
			return -1;
	return 0;
}

bool complete_chain_leads_on(enum complete_reason why)
{
	return (leads_on & why) != 0;
}

enum complete_reason complete_reason_of(enum ai_call_failure failure,
					enum ai_code code)
{
	static const enum complete_reason of[] = {
		[AI_CALL_DOWN] = COMPLETE_DOWN,
		[AI_CALL_LIMITED] = COMPLETE_LIMITED,
		[AI_CALL_TOO_LONG] = COMPLETE_TOO_LONG,
		[AI_CALL_POLICY] = COMPLETE_POLICY,
		[AI_CALL_KEY] = COMPLETE_KEY, [AI_CALL_OTHER] = COMPLETE_OTHER,
	};

	if (code == AI_E_BUDGET)
		return COMPLETE_BUDGET;
	if (failure != AI_CALL_OK)
		return of[failure];
	/* Before there was a call, or in spite of its success. */
	return code == AI_E_NOT_ALLOWED ? COMPLETE_KEY :
	       code == AI_E_ANSWER ? COMPLETE_DOWN : COMPLETE_OTHER;
}

/* ---- what failed ---------------------------------------------------------------- */

/* The error of all of them is that of the first one that may work later, or
 * else the last; one waits for the one that is back first. */
static void merge(struct ai_err *all, const struct ai_err *why)
{
	double wait_s = all->retry_after_s;

	if (ai_code_retryable(why->code) && why->retry_after_s >= 0 &&
	    (wait_s < 0 || why->retry_after_s < wait_s))
		wait_s = why->retry_after_s;
	if (!ai_code_retryable(all->code))
		*all = *why;
	else
		all->retry_after_s = wait_s;
}

void complete_chain_failed(struct complete_chain *c, const struct ai_err *why)
{
	if (c->n++ == 0)
		c->err = *why;
	else
		merge(&c->err, why);
	ai_put_open(&c->failed, '{');
	ai_put_key(&c->failed, "model");
	ai_put_cstr(&c->failed, c->model);
	ai_put_key(&c->failed, "code");
	ai_put_cstr(&c->failed, ai_code_name(why->code));
	ai_put_key(&c->failed, "message");
	ai_put_str(&c->failed, why->msg,
		   ai_utf8_valid(why->msg, strlen(why->msg)));
	ai_put_close(&c->failed, '}');
	ai_buf_str(&c->said, c->model);
	ai_buf_chr(&c->said, '\0');
	ai_buf_str(&c->said, why->msg);
	ai_buf_chr(&c->said, '\0');
}

void complete_chain_restore(struct complete_chain *c, struct ai_value list)
{
	char now[sizeof c->model], code[64];
	struct ai_json_iter it;
	struct ai_value v;

	memcpy(now, c->model, sizeof now);
	ai_buf_clear(&c->failed);
	ai_buf_clear(&c->said);
	c->n = 0;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		struct ai_err why = { AI_E_NONE, -1, "" };

		ai_wire_copy(v, "model", c->model, sizeof c->model);
		ai_wire_copy(v, "code", code, sizeof code);
		ai_wire_copy(v, "message", why.msg, sizeof why.msg);
		why.code = ai_code_from_name(code, strlen(code));
		complete_chain_failed(c, &why);
	}
	memcpy(c->model, now, sizeof now);
}

/* As much of text as there is room for, cut at a character. */
static void add_part(char *out, size_t size, const char *text, size_t room)
{
	size_t at = strlen(out), n = strlen(text);

	if (room > size - 1 - at)
		room = size - 1 - at;
	if (n > room) {
		n = room;
		while (n > 0 && (text[n] & 0xC0) == 0x80)
			n--;
	}
	memcpy(out + at, text, n);
	out[at + n] = '\0';
}

void complete_chain_error(const struct complete_chain *c, struct ai_err *err)
{
	const char *p = ai_buf_cstr(&c->said);
	size_t share = (sizeof err->msg - 40) / c->n;

	*err = c->err;
	if (c->n < 2)
		return;
	snprintf(err->msg, sizeof err->msg, "none of %zu models answered", c->n);
	for (size_t i = 0; i < c->n; i++) {
		size_t n = strlen(p);

		add_part(err->msg, sizeof err->msg, i == 0 ? ": " : "; ", 2);
		add_part(err->msg, sizeof err->msg, p, share - 2);
		p += n + 1;
		if (n + 6 < share) {
			add_part(err->msg, sizeof err->msg, ": ", 2);
			add_part(err->msg, sizeof err->msg, p, share - n - 4);
		}
		p += strlen(p) + 1;
	}
}
