/* usage.c: each provider's usage object as counts that do not overlap. */
#include "model/bill.h"

#include <stddef.h>
#include <string.h>

/* More tokens than any honest answer has; sums of such stay far from the
 * type's end. */
#define COUNT_MAX INT64_C(1000000000000)

/* ---- reading counts ----------------------------------------------------- */

/* The members of one object: a walk through it costs more than to compare all
 * the names that are looked for. */
#define LISTED_MAX 32
struct listed {
	const char *of; /* where the object's text is; NULL: none */
	size_t n;       /* more than LISTED_MAX: too many to be listed */
	struct ai_value key[LISTED_MAX], val[LISTED_MAX];
	bool plain[LISTED_MAX]; /* no escape is in the key */
};

/* What is being read, with the first thing that is wrong. */
struct reader {
	struct ai_value usage;
	struct ai_err *err;
	bool bad;
	struct listed top, part; /* of usage, and of the last one in it */
};

static void complain(struct reader *r, const char *name, const char *why)
{
	if (!r->bad)
		ai_err_set(r->err, AI_E_ANSWER, "the usage's %s %s", name,
			   why);
	r->bad = true;
}

static void list_members(struct listed *l, struct ai_value v)
{
	struct ai_value key, val;
	struct ai_json_iter it;

	l->of = v.s.p;
	l->n = 0;
	ai_json_iter_init(&it, v);
	for (; ai_json_next(&it, &key, &val); l->n++)
		if (l->n < LISTED_MAX) {
			l->key[l->n] = key;
			l->val[l->n] = val;
			l->plain[l->n] = memchr(key.s.p, '\\', key.s.n) ==
				NULL;
		}
}

/* As ai_json_member(): the last of several. */
static struct ai_value member(struct reader *r, struct ai_value v,
			      const char *name)
{
	struct listed *l = v.s.p == r->usage.s.p ? &r->top : &r->part;
	struct ai_span span = ai_span_of(name);

	if (v.kind != AI_OBJECT)
		return (struct ai_value){ AI_NONE, { NULL, 0 } };
	if (l->of != v.s.p)
		list_members(l, v);
	if (l->n > LISTED_MAX)
		return ai_json_member(v, span);
	for (size_t i = l->n; i-- > 0;)
		if (l->plain[i] ? l->key[i].s.n == span.n + 2 &&
		    memcmp(l->key[i].s.p + 1, span.p, span.n) == 0
				: ai_json_is(l->key[i], span))
			return l->val[i];
	return (struct ai_value){ AI_NONE, { NULL, 0 } };
}

static int64_t to_count(struct reader *r, struct ai_value v, const char *name)
{
	int64_t n = 0;

	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_NUMBER || ai_json_i64(v, &n) < 0)
		complain(r, name, "is not a whole number");
	else if (n < 0)
		complain(r, name, "is negative");
	else if (n > COUNT_MAX)
		complain(r, name, "is absurd");
	return r->bad ? 0 : n;
}

/* A count that may be missing. */
static int64_t count(struct reader *r, struct ai_value v, const char *name)
{
	return to_count(r, member(r, v, name), name);
}

static bool told(struct reader *r, struct ai_value v, const char *name)
{
	struct ai_value m = member(r, v, name);

	return m.kind != AI_NONE && m.kind != AI_NULL;
}

/* The first of several names that is there; one must be. */
static int64_t must_count(struct reader *r, struct ai_value v,
			  const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (told(r, v, names[i]))
			return count(r, v, names[i]);
	complain(r, names[0], "is missing");
	return 0;
}

#define ANY(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- splitting wholes --------------------------------------------------- */

#define UNTOLD (-1)

struct input {
	int64_t all; /* everything, the parts below included */
	int64_t cached, write_5m, write_1h;
	int64_t audio;        /* cached audio included */
	int64_t image;        /* counts as far as it is not cached */
	int64_t audio_cached; /* UNTOLD: as little as the counts allow */
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void split_input(struct reader *r, struct ai_meter *m,
			const struct input *in)
{
	int64_t fresh = in->all - in->cached - in->write_5m - in->write_1h;
	int64_t both = in->audio_cached, text;

	if (both == UNTOLD) /* what is cached is text, as far as it goes */
		both = in->audio > fresh ? in->audio - fresh : 0;
	text = fresh - (in->audio - both);
	if (fresh < 0 || text < 0 || both > least(in->cached, in->audio))
		complain(r, "input", "is less than its parts");
	m->n[AI_UNIT_IMAGE_IN] = least(in->image, text);
	m->n[AI_UNIT_INPUT] = text - m->n[AI_UNIT_IMAGE_IN];
	m->n[AI_UNIT_CACHED] = in->cached - both;
	m->n[AI_UNIT_WRITE_5M] = in->write_5m;
	m->n[AI_UNIT_WRITE_1H] = in->write_1h;
	m->n[AI_UNIT_AUDIO_IN] = in->audio - both;
	m->n[AI_UNIT_AUDIO_CACHED] = both;
}

static void split_output(struct reader *r, struct ai_meter *m, int64_t all,
			 int64_t reasoning, int64_t audio, int64_t image)
{
	int64_t rest = all - reasoning - audio;

	if (rest < 0)
		complain(r, "output", "is less than its parts");
	m->n[AI_UNIT_IMAGE_OUT] = least(image, rest);
	m->n[AI_UNIT_OUTPUT] = rest - m->n[AI_UNIT_IMAGE_OUT];
	m->n[AI_UNIT_REASONING] = reasoning;
	m->n[AI_UNIT_AUDIO_OUT] = audio;
}

/* ---- OpenAI and those who write as it does ------------------------------ */

static struct ai_value either(struct reader *r, struct ai_value v,
			      const char *a, const char *b)
{
	return told(r, v, a) ? member(r, v, a) : member(r, v, b);
}

static void openai_input(struct reader *r, struct ai_meter *m, int64_t all)
{
	struct ai_value d = either(r, r->usage, "prompt_tokens_details",
				   "input_tokens_details");
	struct ai_value c = member(r, d, "cached_tokens_details");
	struct input in = { .all = all };

	in.cached = count(r, d, "cached_tokens");
	if (!told(r, d, "cached_tokens")) /* DeepSeek, Moonshot */
		in.cached = told(r, r->usage, "prompt_cache_hit_tokens")
			? count(r, r->usage, "prompt_cache_hit_tokens")
			: count(r, r->usage, "cached_tokens");
	in.write_5m = count(r, d, "cache_write_tokens");
	in.audio = count(r, d, "audio_tokens");
	in.image = count(r, d, "image_tokens");
	in.audio_cached = told(r, c, "audio_tokens")
		? count(r, c, "audio_tokens") : UNTOLD;
	split_input(r, m, &in);
}

/* Answers without any output, as those to embeddings, tell only the total
 * besides. */
static int64_t openai_output(struct reader *r, int64_t in)
{
	int64_t total = count(r, r->usage, "total_tokens");

	if (told(r, r->usage, "completion_tokens") ||
	    told(r, r->usage, "output_tokens") ||
	    !told(r, r->usage, "total_tokens"))
		return must_count(r, r->usage, ANY("completion_tokens",
						   "output_tokens"));
	if (total < in)
		complain(r, "total_tokens", "is less than its parts");
	return total - in;
}

/*
 * xAI counts reasoning beside the output, everyone else inside.  The total
 * tells; without one, so does more reasoning than output.
 */
static void openai(struct reader *r, struct ai_meter *m)
{
	struct ai_value d = either(r, r->usage, "completion_tokens_details",
				   "output_tokens_details");
	int64_t in = must_count(r, r->usage, ANY("prompt_tokens",
						 "input_tokens"));
	int64_t out = openai_output(r, in);
	int64_t total = count(r, r->usage, "total_tokens");
	int64_t reasoning = count(r, d, "reasoning_tokens");

	if (total == in + out + reasoning || reasoning > out)
		out += reasoning;
	openai_input(r, m, in);
	split_output(r, m, out, reasoning, count(r, d, "audio_tokens"),
		     count(r, d, "image_tokens"));
}

static int64_t money(struct reader *r, struct ai_value v, const char *name)
{
	struct ai_span text = v.s;
	struct ai_err why;
	int64_t nano = 0;

	if (v.kind == AI_STRING)
		text = (struct ai_span){ v.s.p + 1, v.s.n - 2 };
	if ((v.kind != AI_NUMBER && v.kind != AI_STRING) ||
	    ai_money_parse_up(text, &nano, &why) < 0)
		complain(r, name, "is not an amount");
	return nano;
}

/*
 * OpenRouter's cost is what it charges; with a key of the user's own that is
 * its fee alone, and what the provider asks of that key comes on top.
 */
static int64_t openrouter(struct reader *r, struct ai_value cost)
{
	struct ai_value up = member(r, member(r, r->usage, "cost_details"),
				    "upstream_inference_cost");
	struct ai_value own = member(r, r->usage, "is_byok");
	int64_t charged = money(r, cost, "cost"), theirs = 0;

	if (up.kind == AI_NONE || up.kind == AI_NULL)
		return charged;
	theirs = money(r, up, "cost_details.upstream_inference_cost");
	if (own.kind == AI_BOOL ? !ai_json_true(own) : theirs <= charged)
		return charged;
	if (__builtin_add_overflow(charged, theirs, &charged))
		complain(r, "cost", "is absurd");
	return charged;
}

static void reported(struct reader *r, struct ai_meter *m)
{
	struct ai_value cost = member(r, r->usage, "cost");
	struct ai_value ticks = member(r, r->usage, "cost_in_usd_ticks");
	struct ai_value total = member(r, cost, "total_cost");
	int64_t n;

	if (total.kind != AI_NONE)
		m->reported = money(r, total, "cost.total_cost");
	else if (cost.kind == AI_NUMBER || cost.kind == AI_STRING)
		m->reported = openrouter(r, cost);
	else if (ticks.kind == AI_NUMBER) { /* 10^10 a dollar */
		if (ai_json_i64(ticks, &n) < 0 || n < 0)
			complain(r, "cost_in_usd_ticks", "is not an amount");
		else
			m->reported = n / 10 + (n % 10 != 0);
	}
	openai(r, m);
}

static void embedding(struct reader *r, struct ai_meter *m)
{
	m->n[AI_UNIT_INPUT] = must_count(r, r->usage, ANY("prompt_tokens",
							  "total_tokens",
							  "input_tokens"));
}

/* ---- the others --------------------------------------------------------- */

static bool names(struct ai_value v, const char *text)
{
	return ai_json_is(v, ai_span_of(text));
}

static void anthropic(struct reader *r, struct ai_meter *m)
{
	struct ai_value w = member(r, r->usage, "cache_creation");
	int64_t written = count(r, r->usage, "cache_creation_input_tokens");
	int64_t w5 = count(r, w, "ephemeral_5m_input_tokens");
	int64_t w1 = count(r, w, "ephemeral_1h_input_tokens");

	if (written > w5 + w1) /* what has no term is of 5 minutes */
		w5 = written - w1;
	m->n[AI_UNIT_INPUT] = must_count(r, r->usage, ANY("input_tokens"));
	m->n[AI_UNIT_CACHED] = count(r, r->usage, "cache_read_input_tokens");
	m->n[AI_UNIT_WRITE_5M] = w5;
	m->n[AI_UNIT_WRITE_1H] = w1;
	split_output(r, m, must_count(r, r->usage, ANY("output_tokens")),
		     count(r, member(r, r->usage, "output_tokens_details"),
			   "thinking_tokens"), 0, 0);
	m->n[AI_UNIT_SEARCH] = count(r, member(r, r->usage, "server_tool_use"),
				     "web_search_requests");
	/* Its priority tier is paid in advance; tokens have no other price. */
	if (names(member(r, r->usage, "service_tier"), "batch"))
		m->tier = AI_TIER_BATCH;
	m->us = names(member(r, r->usage, "inference_geo"), "us");
	m->fast = names(member(r, r->usage, "speed"), "fast");
}

/* Of a list of { modality, tokenCount } one modality. */
static int64_t gemini_part(struct reader *r, const char *name,
			   const char *modality)
{
	struct ai_value list = member(r, r->usage, name), v;
	struct ai_json_iter it;
	int64_t n = 0;

	ai_json_iter_init(&it, list);
	while (list.kind == AI_ARRAY && ai_json_next(&it, NULL, &v))
		if (names(member(r, v, "modality"), modality) &&
		    n <= COUNT_MAX)
			n += count(r, v, "tokenCount");
	return n;
}

static void gemini(struct reader *r, struct ai_meter *m)
{
	struct ai_value u = r->usage;
	int64_t thoughts = count(r, u, "thoughtsTokenCount");
	struct input in = { 0 };

	in.all = must_count(r, u, ANY("promptTokenCount"));
	in.all += count(r, u, "toolUsePromptTokenCount");
	in.cached = count(r, u, "cachedContentTokenCount");
	in.audio = gemini_part(r, "promptTokensDetails", "AUDIO") +
		gemini_part(r, "toolUsePromptTokensDetails", "AUDIO");
	in.image = gemini_part(r, "promptTokensDetails", "IMAGE");
	in.audio_cached = told(r, u, "cacheTokensDetails")
		? gemini_part(r, "cacheTokensDetails", "AUDIO") : UNTOLD;
	split_input(r, m, &in);
	split_output(r, m, count(r, u, "candidatesTokenCount") + thoughts,
		     thoughts, gemini_part(r, "candidatesTokensDetails",
					   "AUDIO"),
		     gemini_part(r, "candidatesTokensDetails", "IMAGE"));
}

static void bedrock(struct reader *r, struct ai_meter *m)
{
	struct ai_value list = member(r, r->usage, "cacheDetails"), v;
	int64_t written = count(r, r->usage, "cacheWriteInputTokens"), hour = 0;
	struct ai_json_iter it;

	ai_json_iter_init(&it, list);
	while (list.kind == AI_ARRAY && ai_json_next(&it, NULL, &v))
		if (names(member(r, v, "ttl"), "1h") && hour <= COUNT_MAX)
			hour += count(r, v, "inputTokens");
	m->n[AI_UNIT_INPUT] = must_count(r, r->usage, ANY("inputTokens"));
	m->n[AI_UNIT_CACHED] = count(r, r->usage, "cacheReadInputTokens");
	m->n[AI_UNIT_WRITE_5M] = written > hour ? written - hour : 0;
	m->n[AI_UNIT_WRITE_1H] = hour;
	m->n[AI_UNIT_OUTPUT] = must_count(r, r->usage, ANY("outputTokens"));
}

static void cohere(struct reader *r, struct ai_meter *m)
{
	struct ai_value b = either(r, r->usage, "billed_units", "tokens");

	if (b.kind != AI_OBJECT)
		complain(r, "billed_units", "is missing");
	m->n[AI_UNIT_INPUT] = count(r, b, "input_tokens");
	m->n[AI_UNIT_OUTPUT] = count(r, b, "output_tokens");
	m->n[AI_UNIT_SEARCH] = count(r, b, "search_units");
	if (!told(r, b, "input_tokens") && !told(r, b, "search_units"))
		complain(r, "billed_units.input_tokens", "is missing");
}

static void ollama(struct reader *r, struct ai_meter *m)
{
	m->n[AI_UNIT_INPUT] = count(r, r->usage, "prompt_eval_count");
	m->n[AI_UNIT_OUTPUT] = count(r, r->usage, "eval_count");
}

/* What is kept of a usage object when it is too long (model/paid.c), and what is
 * billed without a provider. */
static void own_units(struct reader *r, struct ai_meter *m)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	struct ai_span name;
	int unit;

	ai_json_iter_init(&it, r->usage);
	while (ai_json_next(&it, &key, &val)) {
		name = (struct ai_span){ key.s.p + 1, key.s.n - 2 };
		unit = ai_unit_of(name);
		if (unit >= 0)
			m->n[unit] = to_count(r, val, ai_unit_name(
				(enum ai_unit)unit));
		else if (!ai_span_is(name, "us") && !ai_span_is(name, "eu") &&
			 !ai_span_is(name, "fast"))
			complain(r, "unit", "is none that has a price");
	}
	m->us = ai_json_true(member(r, r->usage, "us"));
	m->eu = ai_json_true(member(r, r->usage, "eu"));
	m->fast = ai_json_true(member(r, r->usage, "fast"));
}

/* ---- the table ---------------------------------------------------------- */

static const struct shape {
	const char *name;
	void (*read)(struct reader *r, struct ai_meter *m);
} shapes[] = {
	[AI_SHAPE_OPENAI] = { "openai", openai },
	[AI_SHAPE_REPORTED] = { "reported", reported },
	[AI_SHAPE_ANTHROPIC] = { "anthropic", anthropic },
	[AI_SHAPE_GEMINI] = { "gemini", gemini },
	[AI_SHAPE_BEDROCK] = { "bedrock", bedrock },
	[AI_SHAPE_COHERE] = { "cohere", cohere },
	[AI_SHAPE_OLLAMA] = { "ollama", ollama },
	[AI_SHAPE_EMBEDDING] = { "embedding", embedding },
	[AI_SHAPE_UNITS] = { "units", own_units },
};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

int ai_shape_of(struct ai_span name)
{
	for (size_t i = 0; i < N_SHAPES; i++)
		if (ai_span_is(name, shapes[i].name))
			return (int)i;
	return -1;
}

enum ai_shape ai_shape_of_provider(struct ai_span provider)
{
	static const struct {
		const char *name;
		enum ai_shape shape;
	} t[] = {
		{ "anthropic", AI_SHAPE_ANTHROPIC },
		{ "gemini", AI_SHAPE_GEMINI },
		{ "google", AI_SHAPE_GEMINI },
		{ "bedrock", AI_SHAPE_BEDROCK },
		{ "cohere", AI_SHAPE_COHERE },
		{ "jina", AI_SHAPE_EMBEDDING },
		{ "voyage", AI_SHAPE_EMBEDDING },
		{ "ollama", AI_SHAPE_OLLAMA },
		{ "openrouter", AI_SHAPE_REPORTED },
		{ "perplexity", AI_SHAPE_REPORTED },
		{ "xai", AI_SHAPE_REPORTED },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (ai_span_is(provider, t[i].name))
			return t[i].shape;
	return AI_SHAPE_OPENAI;
}

int ai_meter_read(enum ai_shape shape, struct ai_value usage,
		  struct ai_meter *m, struct ai_err *err)
{
	struct reader r;

	/* The lists are filled when they are needed. */
	r.usage = usage;
	r.err = err;
	r.bad = false;
	r.top.of = r.part.of = NULL;
	memset(m, 0, sizeof *m);
	m->reported = -1;
	m->tier = -1;
	m->n[AI_UNIT_REQUEST] = 1;
	if (usage.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_ANSWER, "the answer tells no usage");
	shapes[shape].read(&r, m);
	if (!r.bad)
		return 0;
	memset(m, 0, sizeof *m);
	m->reported = -1;
	m->tier = -1;
	return -1;
}
