/*
 * classify.c: what providers mean by their errors.
 *
 * Statuses are too coarse: a key that is wrong is 400 at Google and xAI, a
 * quota that is used up is 429 at OpenAI, as one request too many is, and a
 * text that is too long is 400 nearly everywhere.  Codes tell more; where there
 * are none, the words that the message has in all its versions do.
 */
#include "model/exchange.h"

#include "net/retry.h"

#include <string.h>

/* Errors that are the same however often one asks. */
static const struct group {
	enum ai_call_failure kind;
	enum ai_code code;
	const char *codes[12], *phrases[12];
} groups[] = {
	{ AI_CALL_LIMITED, AI_E_NOT_ALLOWED,
	  { "insufficient_quota", "billing_hard_limit_reached",
	    "billing_not_active", "enforced_spend_limit_reached",
	    "billing_error", "BILLING_DISABLED",
	    "ServiceQuotaExceededException" },
	  { "credit balance is too low", "insufficient balance",
	    "insufficient credits", "specified api usage limits" } },
	{ AI_CALL_KEY, AI_E_NOT_ALLOWED,
	  { "invalid_api_key", "authentication_error", "permission_error",
	    "API_KEY_INVALID", "AccessDeniedException",
	    "ExpiredTokenException", "IncompleteSignatureException",
	    "InvalidSignatureException", "UnrecognizedClientException" },
	  { "api key not valid", "incorrect api key", "invalid api key" } },
	{ AI_CALL_TOO_LONG, AI_E_TOO_LONG,
	  { "context_length_exceeded", "exceed_context_size_error",
	    "request_too_large", "string_above_max_length" },
	  { "available context size", "context length", "context limit",
	    "context window", "exceeds the maximum number of tokens",
	    "input is too long", "maximum prompt length",
	    "prompt is too long", "reduce the length", "too many tokens" } },
	{ AI_CALL_POLICY, AI_E_REJECTED,
	  { "content_filter", "content_policy_violation",
	    "image_content_policy_violation", "bio_policy", "invalid_prompt",
	    "moderation_blocked" },
	  { "content filtering policy", "content management policy",
	    "content policy", "responsible ai", "usage polic",
	    "was flagged" } },
};

/* What a status means that nobody has explained. */
static const struct {
	long from, to;
	enum ai_call_failure kind;
	enum ai_code code;
} statuses[] = {
	{ 401, 401, AI_CALL_KEY, AI_E_NOT_ALLOWED },
	{ 402, 402, AI_CALL_LIMITED, AI_E_NOT_ALLOWED },
	{ 403, 403, AI_CALL_KEY, AI_E_NOT_ALLOWED },
	{ 407, 407, AI_CALL_KEY, AI_E_NOT_ALLOWED },
	{ 408, 409, AI_CALL_DOWN, AI_E_UNAVAILABLE },
	{ 413, 413, AI_CALL_TOO_LONG, AI_E_TOO_LONG },
	{ 425, 425, AI_CALL_DOWN, AI_E_UNAVAILABLE },
	{ 429, 429, AI_CALL_LIMITED, AI_E_TRY_LATER },
	{ 300, 499, AI_CALL_OTHER, AI_E_REJECTED },
	{ 500, 999, AI_CALL_DOWN, AI_E_UNAVAILABLE },
	{ 0, 299, AI_CALL_DOWN, AI_E_ANSWER },
};

static bool names(const struct group *g, const char *code)
{
	for (const char *const *p = g->codes; *p != NULL; p++)
		if (strcmp(*p, code) == 0)
			return true;
	return false;
}

static bool says(const struct group *g, const char *message)
{
	for (const char *const *p = g->phrases; *p != NULL; p++)
		if (strcasestr(message, *p) != NULL)
			return true;
	return false;
}

/* "Too many tokens, please wait": where the status says that waiting helps, the
 * words do not say otherwise.  500 is what some servers call all errors. */
static bool has_words(long status)
{
	return status == 500 || !ai_retry_status(status);
}

static const struct group *group_of(long status,
				    const struct ai_wire_error *why)
{
	const struct group *end = groups + sizeof groups / sizeof *groups;

	for (const struct group *g = groups; g < end; g++)
		if (names(g, why->code))
			return g;
	for (const struct group *g = groups; g < end; g++)
		if (has_words(status) && says(g, why->message))
			return g;
	return NULL;
}

void ai_failure_classify(long status, const struct ai_wire_error *why,
			 struct ai_failure *f)
{
	const struct group *g = group_of(status, why);
	size_t i = 0;

	if (g != NULL) {
		*f = (struct ai_failure){ g->kind, g->code, true };
		return;
	}
	while (status < statuses[i].from || status > statuses[i].to)
		i++;
	*f = (struct ai_failure){ statuses[i].kind, statuses[i].code, false };
}

enum ai_call_failure ai_failure_of(enum ai_code code)
{
	switch (code) {
	case AI_E_UNAVAILABLE:
	case AI_E_ANSWER:
		return AI_CALL_DOWN;
	case AI_E_TRY_LATER:
		return AI_CALL_LIMITED;
	case AI_E_NOT_ALLOWED:
		return AI_CALL_KEY;
	default:
		return AI_CALL_OTHER;
	}
}
