/* model/bill: usage objects as providers write them, and their bills. The
 * rules for every model: tests/bats/prices.bats, against exact rationals. */
#include "model/bill.h"

#include "tap.h"

#include <inttypes.h>
#include <string.h>

static struct ai_err err;

static struct ai_value json(const char *text)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	if (ai_json_check(text, strlen(text), &v, &err) < 0)
		printf("# no JSON: %s\n", text);
	return v;
}

/* 1 input, 2 cached, 3 write, 4 hour, 5 audio, 6 cached audio, 7 output,
 * 8 reasoning, 9 audio out: nano-dollars a token. */
static const char rates[] =
	"{\"input\":\"0.001\",\"cached\":\"0.002\",\"cache_write\":\"0.003\","
	"\"cache_write_1h\":\"0.004\",\"audio_input\":\"0.005\","
	"\"audio_cached\":\"0.006\",\"output\":\"0.007\","
	"\"reasoning\":\"0.008\",\"audio_output\":\"0.009\","
	"\"search\":\"0.01\"}";

static const enum ai_unit order[] = {
	AI_UNIT_INPUT, AI_UNIT_CACHED, AI_UNIT_WRITE_5M, AI_UNIT_WRITE_1H,
	AI_UNIT_AUDIO_IN, AI_UNIT_AUDIO_CACHED, AI_UNIT_OUTPUT,
	AI_UNIT_REASONING, AI_UNIT_AUDIO_OUT,
};
#define ORDERED (sizeof order / sizeof *order)

static const struct {
	const char *shape, *usage;
	int64_t n[ORDERED]; /* in, cached, 5m, 1h, audio, audio
				     * cached, out, reasoning, audio out */
} good[] = {
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20}",
	  { 100, 0, 0, 0, 0, 0, 20 } },
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
	  "\"total_tokens\":120,\"prompt_tokens_details\":{\"cached_tokens\":"
	  "60,\"audio_tokens\":0,\"cache_write_tokens\":10},"
	  "\"completion_tokens_details\":{\"reasoning_tokens\":15,"
	  "\"audio_tokens\":0,\"rejected_prediction_tokens\":3}}",
	  { 30, 60, 10, 0, 0, 0, 5, 15 } },
	{ "openai", "{\"input_tokens\":100,\"output_tokens\":20,"
	  "\"input_tokens_details\":{\"cached_tokens\":60,"
	  "\"cache_write_tokens\":5},\"output_tokens_details\":"
	  "{\"reasoning_tokens\":20}}", { 35, 60, 5, 0, 0, 0, 0, 20 } },
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
	  "\"prompt_tokens_details\":{\"cached_tokens\":60,"
	  "\"audio_tokens\":50},\"completion_tokens_details\":"
	  "{\"audio_tokens\":12}}", { 0, 50, 0, 0, 40, 10, 8, 0, 12 } },
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":1,"
	  "\"prompt_tokens_details\":{\"cached_tokens\":60,"
	  "\"audio_tokens\":50,\"cached_tokens_details\":"
	  "{\"audio_tokens\":45}}}", { 35, 15, 0, 0, 5, 45, 1 } },
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
	  "\"prompt_tokens_details\":null,\"completion_tokens_details\":null}",
	  { 100, 0, 0, 0, 0, 0, 20 } },
	{ "openai", "{\"prompt_tokens\":5,\"total_tokens\":5}", { 5 } },
	{ "openai", "{\"prompt_tokens\":5,\"total_tokens\":9}",
	  { 5, 0, 0, 0, 0, 0, 4 } },
	/* DeepSeek, Moonshot */
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
	  "\"prompt_cache_hit_tokens\":64,\"prompt_cache_miss_tokens\":36}",
	  { 36, 64, 0, 0, 0, 0, 20 } },
	{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
	  "\"cached_tokens\":64}", { 36, 64, 0, 0, 0, 0, 20 } },
	/* xAI: reasoning beside the output */
	{ "openai", "{\"prompt_tokens\":32,\"completion_tokens\":9,"
	  "\"total_tokens\":135,\"completion_tokens_details\":"
	  "{\"reasoning_tokens\":94}}", { 32, 0, 0, 0, 0, 0, 9, 94 } },
	{ "openai", "{\"prompt_tokens\":32,\"completion_tokens\":9,"
	  "\"completion_tokens_details\":{\"reasoning_tokens\":94}}",
	  { 32, 0, 0, 0, 0, 0, 9, 94 } },
	{ "openai", "{\"prompt_tokens\":10,\"completion_tokens\":100,"
	  "\"total_tokens\":140,\"completion_tokens_details\":"
	  "{\"reasoning_tokens\":30}}", { 10, 0, 0, 0, 0, 0, 100, 30 } },
	{ "anthropic", "{\"input_tokens\":10,\"output_tokens\":20,"
	  "\"cache_read_input_tokens\":300,\"cache_creation_input_tokens\":"
	  "50}", { 10, 300, 50, 0, 0, 0, 20 } },
	{ "anthropic", "{\"input_tokens\":10,\"output_tokens\":20,"
	  "\"cache_creation_input_tokens\":50,\"cache_creation\":"
	  "{\"ephemeral_5m_input_tokens\":20,\"ephemeral_1h_input_tokens\":"
	  "30},\"output_tokens_details\":{\"thinking_tokens\":5}}",
	  { 10, 0, 20, 30, 0, 0, 15, 5 } },
	{ "anthropic", "{\"input_tokens\":10,\"output_tokens\":20,"
	  "\"cache_read_input_tokens\":null,\"cache_creation\":"
	  "{\"ephemeral_1h_input_tokens\":30}}",
	  { 10, 0, 0, 30, 0, 0, 20 } },
	{ "gemini", "{\"promptTokenCount\":100,\"cachedContentTokenCount\":40,"
	  "\"candidatesTokenCount\":20,\"thoughtsTokenCount\":30,"
	  "\"toolUsePromptTokenCount\":7,\"totalTokenCount\":157}",
	  { 67, 40, 0, 0, 0, 0, 20, 30 } },
	{ "gemini", "{\"promptTokenCount\":100,\"cachedContentTokenCount\":40,"
	  "\"candidatesTokenCount\":20,\"promptTokensDetails\":["
	  "{\"modality\":\"TEXT\",\"tokenCount\":40},{\"modality\":\"AUDIO\","
	  "\"tokenCount\":60}],\"cacheTokensDetails\":[{\"modality\":"
	  "\"AUDIO\",\"tokenCount\":25}],\"candidatesTokensDetails\":["
	  "{\"modality\":\"AUDIO\",\"tokenCount\":20}]}",
	  { 25, 15, 0, 0, 35, 25, 0, 0, 20 } },
	{ "gemini", "{\"promptTokenCount\":9}", { 9 } }, /* blocked */
	{ "bedrock", "{\"inputTokens\":10,\"outputTokens\":20,"
	  "\"cacheReadInputTokens\":300,\"cacheWriteInputTokens\":50,"
	  "\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":30},"
	  "{\"ttl\":\"5m\",\"inputTokens\":20}]}",
	  { 10, 300, 20, 30, 0, 0, 20 } },
	{ "cohere", "{\"billed_units\":{\"input_tokens\":10.0,"
	  "\"output_tokens\":20},\"tokens\":{\"input_tokens\":500,"
	  "\"output_tokens\":30}}", { 10, 0, 0, 0, 0, 0, 20 } },
	{ "cohere", "{\"tokens\":{\"input_tokens\":5,\"output_tokens\":3}}",
	  { 5, 0, 0, 0, 0, 0, 3 } },
	{ "ollama", "{\"model\":\"m\",\"eval_count\":3}",
	  { 0, 0, 0, 0, 0, 0, 3 } },
	{ "embedding", "{\"prompt_tokens\":5,\"total_tokens\":5}", { 5 } },
	{ "embedding", "{\"total_tokens\":6}", { 6 } },
	{ "units", "{\"input\":3,\"audio_cached\":4,\"output\":5}",
	  { 3, 0, 0, 0, 0, 4, 5 } },
};

static void test_good(void)
{
	struct ai_price p;

	ok(ai_price_read(json(rates), &p, &err) == 0, "rates: %s", err.msg);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int shape = ai_shape_of(ai_span_of(good[i].shape));
		struct ai_meter m;
		int64_t sum = 0, nano = -1;
		bool same = true;

		err.msg[0] = '\0';
		if (ai_meter_read((enum ai_shape)shape, json(good[i].usage),
				  &m, &err) < 0)
			same = false;
		for (size_t u = 0; u < ORDERED; u++) {
			same = same && m.n[order[u]] == good[i].n[u];
			sum += good[i].n[u] * (int64_t)(u + 1);
		}
		ok(same, "%s %s %s", good[i].shape, good[i].usage, err.msg);
		ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
		   nano == sum, "its bill is %" PRId64 " (%" PRId64 ")", sum,
		   nano);
	}
}

/* Pictures count apart as far as they are not cached, and cost as much as text
 * where they have no price of their own. */
static void test_images(void)
{
	static const char priced[] = "{\"input\":\"0.001\",\"output\":"
		"\"0.002\",\"cached\":\"0.003\",\"image_input\":\"0.1\","
		"\"image_output\":\"1\"}";
	static const struct {
		const char *shape, *usage;
		int64_t nano;
	} t[] = {
		{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
		  "\"prompt_tokens_details\":{\"image_tokens\":60},"
		  "\"completion_tokens_details\":{\"image_tokens\":15}}",
		  40 + 60 * 100 + 5 * 2 + 15 * 1000 },
		{ "openai", "{\"prompt_tokens\":100,\"completion_tokens\":20,"
		  "\"prompt_tokens_details\":{\"image_tokens\":60,"
		  "\"cached_tokens\":90}}", 90 * 3 + 10 * 100 + 20 * 2 },
		{ "gemini", "{\"promptTokenCount\":100,"
		  "\"candidatesTokenCount\":20,\"promptTokensDetails\":["
		  "{\"modality\":\"IMAGE\",\"tokenCount\":60}],"
		  "\"candidatesTokensDetails\":[{\"modality\":\"IMAGE\","
		  "\"tokenCount\":15}]}",
		  40 + 60 * 100 + 5 * 2 + 15 * 1000 },
	};
	struct ai_price p;
	struct ai_meter m;
	int64_t nano = -1;

	ok(ai_price_read(json(priced), &p, &err) == 0, "pictures: %s",
	   err.msg);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(ai_meter_read((enum ai_shape)ai_shape_of(
			ai_span_of(t[i].shape)), json(t[i].usage), &m,
				 &err) == 0 &&
		   ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
		   nano == t[i].nano, "%s: %" PRId64 " is %" PRId64,
		   t[i].shape, t[i].nano, nano);
}

/* Units that no request of ours makes: a rate, or no bill. */
static void test_pieces(void)
{
	static const char film[] = "{\"input\":null,\"output\":null,"
		"\"per_second_out\":\"0.05\",\"query\":\"0.001\",\"eu\":"
		"\"1.1\",\"above\":[{\"results\":10,\"query\":\"0.002\"},"
		"{\"results\":20,\"query\":\"0.003\"}]}";
	struct ai_price p;
	struct ai_meter m = { .reported = -1, .tier = -1 };
	int64_t nano = -1;

	err.msg[0] = '\0';
	ok(ai_price_read(json(film), &p, &err) == 0, "no tokens: %s", err.msg);
	m.n[AI_UNIT_PER_SECOND_OUT] = 3;
	m.n[AI_UNIT_PER_SECOND_OUT_1080P] = 1;
	ok(ai_bill(&p, &m, AI_TIER_BATCH, &nano, &err) == 0 &&
	   nano == 200000000, "seconds, also of 1080 lines: %" PRId64, nano);
	m.n[AI_UNIT_PER_SECOND_OUT] = m.n[AI_UNIT_PER_SECOND_OUT_1080P] = 0;
	m.n[AI_UNIT_QUERY] = 2;
	m.n[AI_UNIT_RESULT] = 20;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
	   nano == 4000000, "a query costs by its results: %" PRId64, nano);
	m.n[AI_UNIT_RESULT] = 21;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
	   nano == 6000000, "and more with more: %" PRId64, nano);
	m.n[AI_UNIT_OUTPUT] = 1;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) < 0 &&
	   err.code == AI_E_CONFIG && strstr(err.msg, "'output'") != NULL,
	   "what has no rate has no bill: %s", err.msg);
	ok(ai_bill_worst(&p, &(struct ai_ask){ .output = 1 }, &nano,
			 &err) < 0 && ai_bill_worst(&p, &(struct ai_ask){
				 .input = 0 }, &nano, &err) == 0,
	   "nor a worst one");
}

static void test_bad(void)
{
	static const struct {
		const char *shape, *usage, *why;
	} t[] = {
		{ "openai", "null", "no usage" },
		{ "openai", "[1]", "no usage" },
		{ "openai", "{}", "prompt_tokens is missing" },
		{ "openai", "{\"prompt_tokens\":1}", "completion_tokens" },
		{ "openai", "{\"prompt_tokens\":5,\"total_tokens\":4}",
		  "total_tokens is less" },
		{ "openai", "{\"prompt_tokens\":-1,\"completion_tokens\":1}",
		  "negative" },
		{ "openai", "{\"prompt_tokens\":1.5,\"completion_tokens\":1}",
		  "whole" },
		{ "openai", "{\"prompt_tokens\":\"1\",\"completion_tokens\":1}",
		  "whole" },
		{ "openai", "{\"prompt_tokens\":1e300,\"completion_tokens\":1}",
		  "whole" },
		{ "openai", "{\"prompt_tokens\":9223372036854775807,"
		  "\"completion_tokens\":1}", "absurd" },
		{ "openai", "{\"prompt_tokens\":10,\"completion_tokens\":1,"
		  "\"prompt_tokens_details\":{\"cached_tokens\":11}}",
		  "less than its parts" },
		{ "openai", "{\"prompt_tokens\":10,\"completion_tokens\":1,"
		  "\"prompt_tokens_details\":{\"cached_tokens\":9,"
		  "\"audio_tokens\":11}}", "less than its parts" },
		{ "openai", "{\"prompt_tokens\":10,\"completion_tokens\":1,"
		  "\"completion_tokens_details\":{\"audio_tokens\":2}}",
		  "less than its parts" },
		{ "anthropic", "{\"input_tokens\":1}", "output_tokens" },
		{ "anthropic", "{\"input_tokens\":1,\"output_tokens\":1,"
		  "\"cache_creation\":{\"ephemeral_1h_input_tokens\":-5}}",
		  "negative" },
		{ "gemini", "{\"candidatesTokenCount\":1}", "promptToken" },
		{ "gemini", "{\"promptTokenCount\":1,"
		  "\"cachedContentTokenCount\":2}", "less than" },
		{ "bedrock", "{\"inputTokens\":1}", "outputTokens" },
		{ "cohere", "{}", "billed_units" },
		{ "cohere", "{\"billed_units\":{}}", "missing" },
		{ "reported", "{\"cost\":-1,\"prompt_tokens\":1,"
		  "\"completion_tokens\":1}", "cost is not an amount" },
		{ "embedding", "{}", "missing" },
	};
	struct ai_meter m;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int shape = ai_shape_of(ai_span_of(t[i].shape));

		err.msg[0] = '\0';
		ok(ai_meter_read((enum ai_shape)shape, json(t[i].usage), &m,
				 &err) < 0 && err.code == AI_E_ANSWER &&
		   strstr(err.msg, t[i].why) != NULL, "%s: %s", t[i].usage,
		   err.msg);
	}
}

static void test_reported(void)
{
#define TOKENS "\"prompt_tokens\":1,\"completion_tokens\":1,"
	static const struct {
		const char *usage;
		int64_t nano;
	} t[] = {
		{ "{" TOKENS "\"cost\":0.0015}", 1500000 },
		{ "{" TOKENS "\"cost\":\"0.0015\"}", 1500000 },
		{ "{" TOKENS "\"cost\":1.2000000000000002e-7}", 121 },
		{ "{" TOKENS "\"cost\":0.01,\"cost_details\":"
		  "{\"upstream_inference_cost\":null}}", 10000000 },
		{ "{" TOKENS "\"cost\":0.95,\"cost_details\":"
		  "{\"upstream_inference_cost\":19}}", INT64_C(19950000000) },
		{ "{" TOKENS "\"cost\":0.01,\"is_byok\":false,"
		  "\"cost_details\":{\"upstream_inference_cost\":0.02}}",
		  10000000 },
		{ "{" TOKENS "\"cost\":0,\"is_byok\":true,\"cost_details\":"
		  "{\"upstream_inference_cost\":0.02}}", 20000000 },
		{ "{" TOKENS "\"cost\":{\"total_cost\":0.006}}", 6000000 },
		{ "{" TOKENS "\"cost_in_usd_ticks\":232856001}", 23285601 },
		{ "{" TOKENS "\"cost\":null}", 8 }, /* by the tokens then */
	};
	struct ai_price p, none;
	struct ai_meter m;
	int64_t nano;

	ai_price_read(json(rates), &p, &err);
	ai_price_read(json("null"), &none, &err);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		nano = -1;
		err.msg[0] = '\0';
		ok(ai_meter_read(AI_SHAPE_REPORTED, json(t[i].usage), &m,
				 &err) == 0 &&
		   ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
		   nano == t[i].nano, "%s: %" PRId64 " %s", t[i].usage, nano,
		   err.msg);
	}
	ai_meter_read(AI_SHAPE_REPORTED, json(t[0].usage), &m, &err);
	ok(ai_bill(&none, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
	   nano == 1500000, "what is charged needs no price");
	ai_meter_read(AI_SHAPE_OPENAI, json(t[0].usage), &m, &err);
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 && nano == 8,
	   "nobody but them is asked what it cost");
}

static void test_tiers(void)
{
	static const char two[] = "{\"input\":\"0.001\",\"output\":\"0.002\","
		"\"cached\":\"0.0001\",\"us\":\"1.1\",\"search\":\"0.01\","
		"\"above\":[{\"tokens\":10,\"input\":\"0.003\","
		"\"output\":\"0.004\"}],\"batch\":{\"input\":\"0.0005\","
		"\"output\":\"0.001\"}}";
	static const char geo[] = "{\"input_tokens\":5,\"output_tokens\":5,"
		"\"inference_geo\":\"us\",\"server_tool_use\":"
		"{\"web_search_requests\":2}}";
	struct ai_price p;
	struct ai_meter m = { .reported = -1, .tier = -1 };
	int64_t nano = -1;

	ok(ai_price_read(json(two), &p, &err) == 0, "a price with bands");
	m.n[AI_UNIT_INPUT] = 10;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 && nano == 10,
	   "10 tokens are not above 10");
	m.n[AI_UNIT_CACHED] = 1;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 && nano == 33,
	   "11 are, and all are dearer, cached too: %" PRId64, nano);
	ok(ai_bill(&p, &m, AI_TIER_BATCH, &nano, &err) == 0 && nano == 31,
	   "a batch beyond what it says: as standard, %" PRId64, nano);
	m.n[AI_UNIT_CACHED] = 0;
	ok(ai_bill(&p, &m, AI_TIER_BATCH, &nano, &err) == 0 && nano == 5,
	   "a batch below: half");
	ok(ai_bill(&p, &m, AI_TIER_FLEX, &nano, &err) == 0 && nano == 10,
	   "a discount nobody knows of is none");
	ok(ai_bill(&p, &m, AI_TIER_PRIORITY, &nano, &err) < 0 &&
	   err.code == AI_E_CONFIG, "a surcharge nobody knows of: %s",
	   err.msg);
	ai_meter_read(AI_SHAPE_ANTHROPIC, json(geo), &m, &err);
	ok(m.us && ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
	   nano == 17 + 20000000, "a tenth more on tokens, not on searches");
	m.fast = true;
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) < 0 &&
	   err.code == AI_E_CONFIG, "faster at no price: %s", err.msg);
	ai_meter_read(AI_SHAPE_ANTHROPIC, json("{\"input_tokens\":5,"
		"\"output_tokens\":5,\"service_tier\":\"batch\"}"), &m, &err);
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 && nano == 8,
	   "the usage says that it was a batch: %" PRId64, nano);
}

static void test_text(void)
{
	static const char *const wrong[] = {
		"", "1", "1,2,3,4", "a,b", ",", "1,", "-1,2", "1,2,", "nan,1",
		"1;2", "Free", "99999999999999999999,1", "1,0.0000001",
	};
	struct ai_price p;
	struct ai_meter m = { .reported = -1, .tier = -1 };
	int64_t nano = -1;

	m.n[AI_UNIT_INPUT] = m.n[AI_UNIT_OUTPUT] = m.n[AI_UNIT_CACHED] = 1000;
	ok(ai_price_parse(ai_span_of("0.25,2,.025"), &p, &err) == 0 &&
	   ai_bill(&p, &m, AI_TIER_PRIORITY, &nano, &err) == 0 &&
	   nano == 2275000, "--price 0.25,2,.025: %" PRId64, nano);
	ok(ai_price_parse(ai_span_of("$0.25,$2"), &p, &err) == 0 &&
	   ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 &&
	   nano == 2500000, "without a price for it cached input is input");
	ok(ai_price_parse(ai_span_of("free"), &p, &err) == 0 &&
	   ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) == 0 && nano == 0,
	   "--price free");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		err.msg[0] = '\0';
		ok(ai_price_parse(ai_span_of(wrong[i]), &p, &err) < 0 &&
		   err.code == AI_E_USAGE, "--price '%s': %s", wrong[i],
		   err.msg);
	}
	ai_price_read(json("null"), &p, &err);
	ok(ai_bill(&p, &m, AI_TIER_STANDARD, &nano, &err) < 0 &&
	   ai_code_exit(err.code) == AI_EXIT_CONFIG, "no price: %s", err.msg);
}

static void test_worst(void)
{
	static const struct {
		struct ai_ask ask;
		int64_t nano; /* -1: refused */
	} t[] = {
		{ { 10, 10, 0, 0, 0 }, 30 + 80 },
		{ { 10, 10, 0, 0, AI_MAY_WRITE_1H }, 40 + 80 },
		{ { 10, 10, 0, 0, AI_MAY_AUDIO_IN }, 60 + 80 },
		{ { 10, 10, 2, 0, AI_MAY_ALL }, 60 + 90 + 20000000 },
		{ { 0, 0, 0, 0, 0 }, 0 },
		{ { -1, 0, 0, 0, 0 }, -1 },
		{ { 0, -1, 0, 0, 0 }, -1 },
		{ { INT64_MAX, INT64_MAX, INT64_MAX, 0, 0 }, -1 },
		{ { 10, 10, 0, AI_TIER_PRIORITY, 0 }, -1 },
	};
	struct ai_price p;
	int64_t nano;

	ai_price_read(json(rates), &p, &err);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		nano = -1;
		if (ai_bill_worst(&p, &t[i].ask, &nano, &err) < 0)
			nano = err.code == AI_E_CONFIG ? -1 : -2;
		ok(nano == t[i].nano, "worst case %zu is %" PRId64 " (%" PRId64
		   ")", i, t[i].nano, nano);
	}
	ai_price_read(json("{\"input\":\"1\",\"output\":\"1\",\"us\":\"1.1\","
			   "\"request\":\"0.000000003\"}"), &p, &err);
	ok(ai_bill_worst(&p, &(struct ai_ask){ 1000000, 0, 0, 0, AI_MAY_US },
			 &nano, &err) == 0 && nano == 1100000003,
	   "a tenth more and a fee: %" PRId64, nano);
	ai_price_read(json("\"free\""), &p, &err);
	ok(ai_bill_worst(&p, &(struct ai_ask){ .input = 9 }, &nano, &err) ==
	   0 && nano == 0, "what is free costs nothing");
}

int main(void)
{
	test_good();
	test_images();
	test_pieces();
	test_bad();
	test_reported();
	test_tiers();
	test_text();
	test_worst();
	ok(ai_shape_of_provider(AI_SPAN("xai")) == AI_SHAPE_REPORTED &&
	   ai_shape_of_provider(AI_SPAN("azure")) == AI_SHAPE_OPENAI,
	   "providers have shapes");
	ok(ai_tier_of(AI_SPAN("default")) == AI_TIER_STANDARD &&
	   ai_tier_of(AI_SPAN("flex")) == AI_TIER_FLEX &&
	   ai_tier_of(AI_SPAN("scale")) == -1, "tiers have names");
	return done();
}
