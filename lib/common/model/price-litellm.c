/* price-litellm.c: LiteLLM's table: what each of its keys means. */
#include "model/price-table.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- prices ---------------------------------------------------------------- */

/* A key is one of these, then perhaps a band ("_above_200k_tokens") and a tier
 * ("_priority"). */
static const struct {
	const char *name;
	enum ai_unit unit;
	int power; /* it is the price of 10^power */
} prices[] = {
	{ "input_cost_per_token", AI_UNIT_INPUT, 0 },
	{ "output_cost_per_token", AI_UNIT_OUTPUT, 0 },
	{ "cache_read_input_token_cost", AI_UNIT_CACHED, 0 },
	{ "input_cost_per_token_cache_hit", AI_UNIT_CACHED, 0 },
	{ "cache_creation_input_token_cost", AI_UNIT_WRITE_5M, 0 },
	{ "cache_creation_input_token_cost_above_1hr", AI_UNIT_WRITE_1H, 0 },
	{ "input_cost_per_audio_token", AI_UNIT_AUDIO_IN, 0 },
	{ "cache_read_input_audio_token_cost", AI_UNIT_AUDIO_CACHED, 0 },
	{ "cache_creation_input_audio_token_cost", AI_UNIT_AUDIO_WRITE, 0 },
	{ "output_cost_per_audio_token", AI_UNIT_AUDIO_OUT, 0 },
	{ "input_cost_per_image_token", AI_UNIT_IMAGE_IN, 0 },
	{ "output_cost_per_image_token", AI_UNIT_IMAGE_OUT, 0 },
	{ "output_cost_per_video_token", AI_UNIT_VIDEO_OUT, 0 },
	{ "output_cost_per_reasoning_token", AI_UNIT_REASONING, 0 },
	{ "citation_cost_per_token", AI_UNIT_CITATION, 0 },
	{ "input_cost_per_request", AI_UNIT_REQUEST, 0 },
	{ "input_cost_per_query", AI_UNIT_QUERY, 0 },
	{ "input_cost_per_image", AI_UNIT_PER_IMAGE_IN, 0 },
	{ "output_cost_per_image", AI_UNIT_PER_IMAGE_OUT, 0 },
	{ "input_cost_per_pixel", AI_UNIT_PER_PIXEL_IN, 0 },
	{ "output_cost_per_pixel", AI_UNIT_PER_PIXEL_OUT, 0 },
	{ "input_cost_per_character", AI_UNIT_PER_CHARACTER_IN, 0 },
	{ "output_cost_per_character", AI_UNIT_PER_CHARACTER_OUT, 0 },
	{ "input_cost_per_second", AI_UNIT_PER_SECOND_IN, 0 },
	{ "output_cost_per_second", AI_UNIT_PER_SECOND_OUT, 0 },
	{ "output_cost_per_second_1080p", AI_UNIT_PER_SECOND_OUT_1080P, 0 },
	{ "input_cost_per_audio_per_second", AI_UNIT_PER_AUDIO_SECOND_IN, 0 },
	{ "input_cost_per_video_per_second", AI_UNIT_PER_VIDEO_SECOND_IN, 0 },
	{ "input_cost_per_video_per_second_above_8s_interval",
	  AI_UNIT_PER_VIDEO_SECOND_IN_8S, 0 },
	{ "input_cost_per_video_per_second_above_15s_interval",
	  AI_UNIT_PER_VIDEO_SECOND_IN_15S, 0 },
	{ "output_cost_per_video_per_second", AI_UNIT_PER_VIDEO_SECOND_OUT, 0 },
	{ "ocr_cost_per_page", AI_UNIT_PER_PAGE, 0 },
	{ "annotation_cost_per_page", AI_UNIT_PER_ANNOTATED_PAGE, 0 },
	{ "ocr_cost_per_credit", AI_UNIT_PER_CREDIT, 0 },
	{ "code_interpreter_cost_per_session", AI_UNIT_PER_SESSION, 0 },
	{ "computer_use_input_cost_per_1k_tokens",
	  AI_UNIT_PER_COMPUTER_TOKEN_IN, 3 },
	{ "computer_use_output_cost_per_1k_tokens",
	  AI_UNIT_PER_COMPUTER_TOKEN_OUT, 3 },
	{ "file_search_cost_per_1k_calls", AI_UNIT_PER_FILE_SEARCH, 3 },
	{ "file_search_cost_per_gb_per_day", AI_UNIT_PER_FILE_GB_DAY, 0 },
	{ "vector_store_cost_per_gb_per_day", AI_UNIT_PER_VECTOR_GB_DAY, 0 },
};

static const struct {
	const char *suffix;
	enum ai_tier tier;
} tiers[] = {
	{ "_batches", AI_TIER_BATCH },
	{ "_flex", AI_TIER_FLEX },
	{ "_priority", AI_TIER_PRIORITY },
};

/* What is no price, and known; a star stands for the rest.  DBUs are what
 * Databricks counts in: the dollars stand beside them. */
static const char *const facts[] = {
	"audio_transcription_config", "bedrock_*", "comment",
	"deprecation_date", "gemini_audio_only_live", "gemini_native_audio",
	"input_dbu_cost_per_token", "max_tokens", "metadata",
	"output_dbu_cost_per_token", "output_vector_size",
	"prompt_cache_min_tokens", "rpm", "rules", "source",
	"supported_endpoints", "supported_modalities", "supported_regions",
	"supported_output_modalities", "supports_*", "tpm",
	"use_openai_responses_path",
	"uses_embed_content", "web_search_billing_unit",
};

struct place {
	enum ai_unit unit;
	int power;
	enum ai_tier tier;
	int64_t above;
};

static bool ends(struct ai_span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n > n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

/* Cuts "_above_200k_tokens" off. */
static void cut_band(struct ai_span *s, int64_t *above)
{
	static const char front[] = "_above_", back[] = "k_tokens";
	size_t n, digits;
	struct ai_span number;

	if (!ends(*s, back))
		return;
	n = s->n - strlen(back);
	for (digits = 0; n > digits && s->p[n - digits - 1] >= '0' &&
	     s->p[n - digits - 1] <= '9' && digits < 10; digits++)
		;
	number = (struct ai_span){ s->p + n - digits, digits };
	if (!ends((struct ai_span){ s->p, n - digits }, front) ||
	    ai_parse_i64(number, above) < 0)
		return;
	*above *= 1000;
	s->n = n - digits - strlen(front);
}

static bool find_place(struct ai_span key, struct place *at)
{
	*at = (struct place){ .tier = AI_TIER_STANDARD };
	for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++)
		if (ends(key, tiers[i].suffix)) {
			key.n -= strlen(tiers[i].suffix);
			at->tier = tiers[i].tier;
			break;
		}
	cut_band(&key, &at->above);
	for (size_t i = 0; i < sizeof prices / sizeof *prices; i++)
		if (ai_span_is(key, prices[i].name)) {
			at->unit = prices[i].unit;
			at->power = prices[i].power;
			/* Fees have no tiers. */
			return at->tier == AI_TIER_STANDARD ||
				at->unit < AI_UNITS_TOKENS;
		}
	return false;
}

static int put_rate(struct ai_offer *o, const struct place *at,
		    struct ai_value v, struct ai_err *err)
{
	int band = ai_price_band(&o->given, at->above, false);

	if (band < 0)
		return ai_err_set(err, AI_E_DATA, "has more than %d bands",
				  AI_BANDS);
	return ai_offer_rate(o, v, at->power,
			     &o->given.rate[at->tier][band][at->unit], err);
}

/* ---- objects and lists ------------------------------------------------------- */

/* A name of the model's own; a member of this kind that nobody knows makes all
 * of its object unknown. */
typedef int member_fn(struct ai_offer *o, struct ai_value key,
		      struct ai_value v, struct ai_err *err);

/* { "search_context_size_low": ... }: a search of no known size costs as the
 * dearest. */
static int read_search(struct ai_offer *o, struct ai_value key,
		       struct ai_value v, struct ai_err *err)
{
	static const struct {
		const char *name;
		enum ai_unit unit;
	} sizes[] = {
		{ "search_context_size_low", AI_UNIT_SEARCH_LOW },
		{ "search_context_size_medium", AI_UNIT_SEARCH_MEDIUM },
		{ "search_context_size_high", AI_UNIT_SEARCH_HIGH },
	};
	int64_t *row = o->given.rate[AI_TIER_STANDARD][0];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		if (!ai_json_is(key, ai_span_of(sizes[i].name)))
			continue;
		if (ai_offer_rate(o, v, 0, &row[sizes[i].unit], err) < 0)
			return -1;
		if (row[sizes[i].unit] > row[AI_UNIT_SEARCH])
			row[AI_UNIT_SEARCH] = row[sizes[i].unit];
		return 0;
	}
	return 1;
}

static int read_factor(struct ai_value v, int64_t *factor, struct ai_err *err)
{
	int64_t pico = 0;
	struct ai_err why;

	if (v.kind != AI_NUMBER ||
	    ai_rate_parse_million(v.s, &pico, &why) < 0 ||
	    pico % 1000 != 0 || pico < 1000000 || pico > 1000000000)
		return ai_err_set(err, AI_E_DATA, "'%.*s' multiplies nothing: "
				  "from 1 to 1000, with at most three decimals",
				  (int)ai_utf8_floor(v.s.p, v.s.n, 40),
				  v.s.p);
	*factor = pico / 1000;
	return 0;
}

static int read_special(struct ai_offer *o, struct ai_value key,
			struct ai_value v, struct ai_err *err)
{
	if (ai_json_is(key, AI_SPAN("us")))
		return read_factor(v, &o->given.us, err);
	if (ai_json_is(key, AI_SPAN("eu")))
		return read_factor(v, &o->given.eu, err);
	if (ai_json_is(key, AI_SPAN("fast")))
		return read_factor(v, &o->given.fast, err);
	return ai_json_is(key, AI_SPAN("bedrock_invocation_schema")) ? 0 : 1;
}

static int read_members(struct ai_offer *o, struct ai_value v, member_fn *fn,
			struct ai_err *err)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	int rc = 0, got;

	if (v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "is no object");
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		got = fn(o, key, val, err);
		if (got < 0)
			return -1;
		rc |= got;
	}
	return rc;
}

/* "range": [0, 256000]: tokens above 0. "max_results_range": [11, 20]: results
 * above 10. */
static int read_range(struct ai_value band, int64_t *above, bool *by_results,
		      struct ai_err *err)
{
	struct ai_value tokens = ai_json_member(band, AI_SPAN("range")),
		results = ai_json_member(band, AI_SPAN("max_results_range"));
	struct ai_value v = tokens.kind != AI_NONE ? tokens : results;

	*by_results = tokens.kind == AI_NONE;
	if (v.kind != AI_ARRAY || ai_json_i64(ai_json_get(v, "0"), above) < 0 ||
	    *above < 0)
		return ai_err_set(err, AI_E_DATA, "a band needs a range of two "
				  "whole numbers");
	if (*by_results && *above > 0)
		--*above;
	return 0;
}

static int read_band(struct ai_offer *o, struct ai_value list,
		     struct ai_err *err)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	struct place at;
	int64_t above = 0;
	bool by_results;
	int rc = 0, band;

	if (list.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "a band is no object");
	if (read_range(list, &above, &by_results, err) < 0)
		return -1;
	band = ai_price_band(&o->given, above, by_results);
	if (band < 0)
		return ai_err_set(err, AI_E_DATA, "has more than %d bands",
				  AI_BANDS);
	ai_json_iter_init(&it, list);
	while (rc >= 0 && ai_json_next(&it, &key, &val)) {
		if (ai_json_is(key, AI_SPAN("range")) ||
		    ai_json_is(key, AI_SPAN("max_results_range")))
			continue;
		if (!find_place(ai_json_inside(key), &at) || at.above != 0)
			rc = 1;
		else if (ai_offer_rate(o, val, at.power, &o->given.rate
				       [at.tier][band][at.unit], err) < 0)
			rc = -1;
	}
	return rc;
}

static int read_bands(struct ai_offer *o, struct ai_value list,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0, got;

	if (list.kind != AI_ARRAY)
		return ai_err_set(err, AI_E_DATA, "is no list");
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		got = read_band(o, v, err);
		if (got < 0)
			return -1;
		rc |= got;
	}
	return rc;
}

/* ---- a model ------------------------------------------------------------------ */

static bool is_fact(struct ai_span key)
{
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		size_t n = strcspn(facts[i], "*");

		if (facts[i][n] == '*' ? key.n > n &&
		    memcmp(key.p, facts[i], n) == 0
				       : ai_span_is(key, facts[i]))
			return true;
	}
	return false;
}

static int read_mode(struct ai_offer *o, struct ai_value v)
{
	o->chat = ai_json_is(v, AI_SPAN("chat")) ||
		ai_json_is(v, AI_SPAN("completion")) ||
		ai_json_is(v, AI_SPAN("responses"));
	return 0;
}

/* What runs on the user's own machine. */
static int read_provider(struct ai_offer *o, struct ai_value v)
{
	static const char *const local[] = { "lemonade", "lm_studio",
		"llamafile", "ollama", "ollama_chat", "searxng", "vllm" };

	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		o->local |= ai_json_is(v, ai_span_of(local[i]));
	return 0;
}

/* 0: understood, 1: not, -1: wrong. */
static int read_key(struct ai_offer *o, struct ai_span key, struct ai_value v,
		    struct ai_err *err)
{
	struct place at;

	if (find_place(key, &at))
		return put_rate(o, &at, v, err);
	if (ai_span_is(key, "max_input_tokens"))
		return ai_offer_limit(v, &o->context, err);
	if (ai_span_is(key, "max_output_tokens"))
		return ai_offer_limit(v, &o->max_output, err);
	if (ai_span_is(key, "mode"))
		return read_mode(o, v);
	if (ai_span_is(key, "litellm_provider"))
		return read_provider(o, v);
	if (ai_span_is(key, "search_context_cost_per_query"))
		return read_members(o, v, read_search, err);
	if (ai_span_is(key, "provider_specific_entry"))
		return read_members(o, v, read_special, err);
	if (ai_span_is(key, "tiered_pricing"))
		return read_bands(o, v, err);
	if (ai_span_is(key, "regional_processing_uplift_multiplier_us"))
		return read_factor(v, &o->given.us, err);
	if (ai_span_is(key, "regional_processing_uplift_multiplier_eu"))
		return read_factor(v, &o->given.eu, err);
	return is_fact(key) ? 0 : 1;
}

static int read_model(struct ai_offer *o, struct ai_value model,
		      struct ai_value entry, struct ai_err *err)
{
	struct ai_value key, val;
	struct ai_json_iter it;
	struct ai_err why;
	int rc;

	if (entry.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_DATA, "is no object");
	ai_json_iter_init(&it, entry);
	while (ai_json_next(&it, &key, &val)) {
		o->keys++;
		rc = read_key(o, ai_json_inside(key), val, &why);
		if (rc < 0)
			return ai_err_set(err, AI_E_DATA, "%.*s: %s",
					  (int)ai_utf8_floor(key.s.p + 1,
							     key.s.n - 2, 90),
					  key.s.p + 1, why.msg);
		if (rc > 0)
			ai_offer_keep(o, key, val);
	}
	if (!o->priced) /* such as its table of rules for other names */
		return 0;
	if (ai_offer_name(o, ai_json_inside(ai_json_member(entry, AI_SPAN(
		"litellm_provider"))), ai_json_inside(model), err) < 0)
		return -1;
	return ai_buf_check(&o->other, "what is not known of it", err);
}

int ai_table_litellm(struct ai_value v, ai_offer_fn *each, void *arg,
		     struct ai_err *err)
{
	struct ai_offer *o = calloc(1, sizeof *o);
	struct ai_value key, entry;
	struct ai_json_iter it;
	struct ai_err why;
	int rc = 0;

	if (o == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&o->other, 1 << 16);
	ai_json_iter_init(&it, v);
	while (rc == 0 && ai_json_next(&it, &key, &entry)) {
		if (ai_json_is(key, AI_SPAN("sample_spec")))
			continue;
		ai_offer_init(o);
		snprintf(o->name, sizeof o->name, "%.*s",
			 (int)ai_utf8_floor(key.s.p + 1, key.s.n - 2, 120),
			 key.s.p + 1);
		rc = read_model(o, key, entry, &why) < 0
			? each(arg, o, &why) : each(arg, o, NULL);
	}
	ai_buf_release(&o->other);
	free(o);
	return rc;
}
