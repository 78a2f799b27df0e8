/* answer.c: the member completion, and what -r prints. */
#include "complete.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void complete_answer_init(struct complete_answer *a)
{
	memset(a, 0, sizeof *a);
	ai_chat_answer_init(&a->chat, COMPLETE_TEXT_MAX);
	a->max_tokens = AI_CHAT_UNSET;
	a->call.ttft_s = -1;
}

void complete_answer_release(struct complete_answer *a)
{
	ai_chat_answer_release(&a->chat);
	free(a->cited);
	complete_answer_init(a);
}

void complete_answer_clear(struct complete_answer *a)
{
	size_t *cited = a->cited, cap = a->cap_cited;
	struct ai_chat_answer chat = a->chat;

	ai_chat_answer_clear(&chat);
	complete_answer_init(a);
	a->chat = chat;
	a->cited = cited;
	a->cap_cited = cap;
}

void complete_answer_again(struct complete_answer *a)
{
	int attempts = a->attempts + a->call.attempts;
	int64_t cost = a->cost + a->call.cost;
	const char *experiment = a->experiment, *arm = a->arm;

	complete_answer_clear(a);
	a->experiment = experiment;
	a->arm = arm;
	a->attempts = attempts;
	a->cost = cost;
}

/* Names that are "" were not told: null. */
static void put_name(struct ai_buf *b, const char *key, const char *name)
{
	ai_put_key(b, key);
	ai_put_cstr(b, name != NULL && name[0] != '\0' ? name : NULL);
}

static void put_count(struct ai_buf *b, const char *key, int64_t n)
{
	ai_put_key(b, key);
	if (n < 0)
		ai_put_null(b);
	else
		ai_put_i64(b, n);
}

static void put_usage(struct ai_buf *b, const struct ai_usage *u)
{
	ai_put_key(b, "usage");
	ai_put_open(b, '{');
	put_count(b, "input", u->input);
	put_count(b, "cached_read", u->cached_read);
	put_count(b, "cache_write", u->cache_write);
	put_count(b, "output", u->output);
	put_count(b, "reasoning", u->reasoning);
	ai_put_close(b, '}');
}

/*
 * Where in the document the quoted words stand.  Only if the hit's text still
 * has as many bytes as its source says: it may have been redacted since.
 */
static void put_quotes(struct ai_buf *b, const struct complete_answer *a,
		       const struct complete_hits *h, size_t i)
{
	int64_t from, to;

	if (ai_json_i64(ai_json_get(h->v[i].source, "bytes.0"), &from) < 0 ||
	    ai_json_i64(ai_json_get(h->v[i].source, "bytes.1"), &to) < 0 ||
	    from < 0 || to < from || (uint64_t)(to - from) != h->v[i].n)
		return;
	ai_put_key(b, "quotes");
	ai_put_open(b, '[');
	for (size_t k = 0; k < a->n_quotes; k++) {
		if (a->quotes[k].hit != i)
			continue;
		ai_put_open(b, '[');
		ai_put_i64(b, from + (int64_t)a->quotes[k].from);
		ai_put_i64(b, from + (int64_t)a->quotes[k].to);
		ai_put_close(b, ']');
	}
	ai_put_close(b, ']');
}

static void put_citations(struct ai_buf *b, const struct complete_answer *a,
			  const struct complete_hits *h)
{
	ai_put_key(b, "citations");
	ai_put_open(b, '[');
	for (size_t k = 0; k < a->n_cited; k++) {
		size_t i = a->cited[k];

		ai_put_open(b, '{');
		ai_put_key(b, "n");
		ai_put_i64(b, (int64_t)i + 1);
		ai_put_key(b, "id");
		ai_put_value(b, h->v[i].id);
		ai_put_key(b, "source");
		ai_put_value(b, h->v[i].source);
		if (a->extractive)
			put_quotes(b, a, h, i);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	if (a->n_invalid == 0)
		return;
	ai_put_key(b, "invalid_citations");
	ai_put_open(b, '[');
	for (size_t k = 0; k < a->n_invalid; k++)
		ai_put_i64(b, a->invalid[k]);
	ai_put_close(b, ']');
}

void complete_answer_put_experiment(const struct complete_answer *a,
				    struct ai_buf *b)
{
	if (a->arm == NULL)
		return;
	ai_put_key(b, "experiment");
	ai_put_open(b, '{');
	put_name(b, "name", a->experiment);
	put_name(b, "arm", a->arm);
	ai_put_close(b, '}');
}

static void put_flag(struct ai_buf *b, const char *key, bool v)
{
	if (!v)
		return;
	ai_put_key(b, key);
	ai_put_bool(b, true);
}

void complete_answer_put(const struct complete_answer *a,
			 const struct complete_hits *h, struct ai_buf *b)
{
	char cost[AI_MONEY_TEXT];

	ai_put_open(b, '{');
	ai_put_key(b, "text");
	ai_put_str(b, ai_buf_cstr(&a->chat.text), a->chat.text.len);
	put_name(b, "model", a->chat.model);
	put_name(b, "provider", a->provider);
	put_flag(b, "extractive", a->extractive);
	if (a->extractive) {
		ai_put_key(b, "score");
		ai_put_f64(b, round(a->score * 1e4) / 1e4);
	}
	put_flag(b, "refusal", a->chat.refusal);
	if (a->chat.n_calls > 0) {
		ai_put_key(b, "tool_calls");
		ai_chat_calls_put(&a->chat, b);
	}
	put_name(b, "finish_reason", a->chat.finish_reason);
	put_count(b, "max_tokens", a->max_tokens);
	put_usage(b, &a->chat.usage);
	if (!a->extractive || a->attempts > 0) {
		ai_money_text(a->cost + a->call.cost, cost);
		ai_put_key(b, "cost_usd");
		ai_put_raw(b, cost, strlen(cost));
	}
	ai_put_key(b, "attempts");
	ai_put_i64(b, a->attempts + a->call.attempts);
	ai_put_key(b, "cached");
	ai_put_bool(b, a->call.cached);
	ai_put_key(b, "latency_ms");
	ai_put_i64(b, (int64_t)llround(a->call.latency_s * 1000));
	if (a->call.ttft_s >= 0) {
		ai_put_key(b, "ttft_ms");
		ai_put_i64(b, (int64_t)llround(a->call.ttft_s * 1000));
	}
	put_name(b, "request_id", a->call.request_id);
	complete_answer_put_experiment(a, b);
	if (a->fallback.n > 0) {
		ai_put_key(b, "fallback");
		ai_put_open(b, '[');
		ai_put_raw(b, a->fallback.p, a->fallback.n);
		ai_put_close(b, ']');
	}
	put_citations(b, a, h);
	ai_put_close(b, '}');
}

/* A line of JSON each; begun: the line before them is not ended. */
static void put_call_lines(const struct complete_answer *a, bool begun,
			   struct ai_buf *b)
{
	for (size_t i = 0; i < a->chat.n_calls; i++) {
		if (begun || i > 0)
			ai_buf_chr(b, '\n');
		ai_chat_call_put(&a->chat, i, b);
	}
}

static void put_sources(const struct complete_answer *a,
			const struct complete_hits *h, bool sources,
			struct ai_buf *b)
{
	if (!sources || a->n_cited == 0)
		return;
	ai_buf_str(b, a->extractive ? "\n\nquoted from:" : "\n\nsources:");
	for (size_t k = 0; k < a->n_cited; k++) {
		ai_buf_fmt(b, "\n[%zu] ", a->cited[k] + 1);
		complete_hit_label(h, a->cited[k], b);
	}
}

void complete_answer_plain(const struct complete_answer *a,
			   const struct complete_hits *h, bool sources,
			   struct ai_buf *b)
{
	ai_buf_add(b, ai_buf_cstr(&a->chat.text), a->chat.text.len);
	while (b->len > 0 && b->p[b->len - 1] == '\n')
		b->len--;
	put_call_lines(a, b->len > 0, b);
	put_sources(a, h, sources, b);
}

void complete_answer_rest(const struct complete_answer *a,
			  const struct complete_hits *h, bool sources,
			  struct ai_buf *b)
{
	const struct ai_buf *text = &a->chat.text;
	bool begun = text->len == 0 || text->p[text->len - 1] != '\n';

	put_call_lines(a, begun, b);
	put_sources(a, h, sources, b);
	/* A line is ended once. */
	if (b->len > 0 || begun)
		ai_buf_chr(b, '\n');
}
