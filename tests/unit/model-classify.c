/* model-classify: what the errors of each provider mean. */
#include "model/exchange.h"
#include "tap.h"

#include <string.h>

static const struct {
	const struct ai_wire *wire;
	long status;
	const char *name; /* beside the body */
	const char *body;
	enum ai_call_failure kind;
	enum ai_code code;
	bool final;
} all[] = {
	/* OpenAI, and what speaks like it. */
	{ &ai_wire_openai, 401, NULL, "{\"error\":{\"message\":\"Incorrect API "
	  "key provided: sk-x.\",\"type\":\"invalid_request_error\",\"param\":"
	  "null,\"code\":\"invalid_api_key\"}}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_openai, 403, NULL, "{\"error\":{\"message\":\"Country, "
	  "region, or territory not supported\",\"type\":"
	  "\"request_forbidden\",\"param\":null,\"code\":"
	  "\"unsupported_country_region_territory\"}}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, false },
	{ &ai_wire_openai, 404, NULL, "{\"error\":{\"message\":\"The model `x` "
	  "does not exist or you do not have access to it.\",\"type\":"
	  "\"invalid_request_error\",\"param\":null,\"code\":"
	  "\"model_not_found\"}}", AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"message\":\"This model's "
	  "maximum context length is 128000 tokens. However, your messages "
	  "resulted in 190000 tokens.\",\"type\":\"invalid_request_error\","
	  "\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"message\":\"Invalid "
	  "'messages[0].content': string too long.\",\"type\":"
	  "\"invalid_request_error\",\"param\":\"messages[0].content\","
	  "\"code\":\"string_above_max_length\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"message\":\"Your request "
	  "was rejected as a result of our safety system.\",\"type\":"
	  "\"invalid_request_error\",\"param\":null,\"code\":"
	  "\"content_policy_violation\"}}",
	  AI_CALL_POLICY, AI_E_REJECTED, true },
	{ &ai_wire_openai, 429, NULL, "{\"error\":{\"message\":\"You exceeded "
	  "your current quota\",\"type\":\"insufficient_quota\",\"param\":"
	  "null,\"code\":\"insufficient_quota\"}}",
	  AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_openai, 429, NULL, "{\"error\":{\"message\":\"Rate limit "
	  "reached for gpt-x on tokens per min (TPM)\",\"type\":\"tokens\","
	  "\"param\":null,\"code\":\"rate_limit_exceeded\"}}",
	  AI_CALL_LIMITED, AI_E_TRY_LATER, false },
	{ &ai_wire_openai, 500, NULL, "{\"error\":{\"message\":\"The server had "
	  "an error\",\"type\":\"server_error\",\"param\":null,\"code\":"
	  "null}}", AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"message\":\"max_tokens is "
	  "too large: 1000000. This model supports at most 16384 completion "
	  "tokens\",\"type\":\"invalid_request_error\",\"param\":"
	  "\"max_tokens\",\"code\":\"invalid_value\"}}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	/* Azure. */
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"message\":\"The response "
	  "was filtered due to the prompt triggering Azure OpenAI's content "
	  "management policy.\",\"type\":null,\"param\":\"prompt\",\"code\":"
	  "\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
	  "\"ResponsibleAIPolicyViolation\"}}}",
	  AI_CALL_POLICY, AI_E_REJECTED, true },
	{ &ai_wire_openai, 401, NULL, "{\"error\":{\"code\":\"401\","
	  "\"message\":\"Access denied due to invalid subscription key or "
	  "wrong API endpoint.\"}}", AI_CALL_KEY, AI_E_NOT_ALLOWED, false },
	{ &ai_wire_openai, 404, NULL, "{\"error\":{\"code\":"
	  "\"DeploymentNotFound\",\"message\":\"The API deployment for this "
	  "resource does not exist.\"}}", AI_CALL_OTHER, AI_E_REJECTED, false },
	/* OpenRouter, xAI, llama.cpp, vLLM, DeepSeek. */
	{ &ai_wire_openai, 402, NULL, "{\"error\":{\"code\":402,\"message\":"
	  "\"Insufficient credits\"}}",
	  AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_openai, 403, NULL, "{\"error\":{\"code\":403,\"message\":"
	  "\"x requires moderation on y. Your input was flagged for "
	  "\\\"violence\\\".\"}}", AI_CALL_POLICY, AI_E_REJECTED, true },
	{ &ai_wire_openai, 400, NULL, "{\"code\":\"Client specified an invalid "
	  "argument\",\"error\":\"Incorrect API key provided: xa***.\"}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_openai, 400, NULL, "{\"code\":\"Client specified an invalid "
	  "argument\",\"error\":\"This model's maximum prompt length is "
	  "131072 but the request contains 537812 tokens.\"}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_openai, 400, NULL, "{\"error\":{\"code\":400,\"message\":"
	  "\"the request exceeds the available context size\",\"type\":"
	  "\"exceed_context_size_error\",\"n_prompt_tokens\":9000}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_openai, 400, NULL, "{\"object\":\"error\",\"message\":\"This "
	  "model's maximum context length is 4096 tokens.\",\"type\":"
	  "\"BadRequestError\",\"param\":null,\"code\":400}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_openai, 402, NULL, "{\"error\":{\"message\":\"Insufficient "
	  "Balance\",\"type\":\"unknown_error\",\"param\":null,\"code\":"
	  "\"invalid_request_error\"}}",
	  AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_openai, 413, NULL, "<html>too large</html>",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, false },
	{ &ai_wire_openai, 502, NULL, "{\"error\":{\"message\":\"context "
	  "length?\"}}", AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
	/* OpenAI's responses. */
	{ &ai_wire_responses, 400, NULL, "{\"error\":{\"message\":\"Your input "
	  "exceeds the context window of this model.\",\"type\":"
	  "\"invalid_request_error\",\"param\":\"input\",\"code\":"
	  "\"context_length_exceeded\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_responses, 400, NULL, "{\"error\":{\"message\":\"Invalid "
	  "prompt: your prompt was flagged as potentially violating our usage "
	  "policy.\",\"type\":\"invalid_request_error\",\"param\":null,"
	  "\"code\":\"invalid_prompt\"}}",
	  AI_CALL_POLICY, AI_E_REJECTED, true },
	{ &ai_wire_responses, 200, NULL, "{\"status\":\"failed\",\"response\":{"
	  "\"error\":{\"code\":\"bio_policy\",\"message\":\"no\"}}}",
	  AI_CALL_POLICY, AI_E_REJECTED, true },
	/* Anthropic. */
	{ &ai_wire_anthropic, 401, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"authentication_error\",\"message\":\"invalid "
	  "x-api-key\"},\"request_id\":\"r\"}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_anthropic, 404, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"not_found_error\",\"message\":\"model: x\"}}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_anthropic, 400, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"invalid_request_error\",\"message\":\"prompt is too "
	  "long: 210000 tokens > 200000 maximum\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_anthropic, 400, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"invalid_request_error\",\"message\":\"input length and "
	  "`max_tokens` exceed context limit: 190000 + 20000 > 200000\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_anthropic, 413, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"request_too_large\",\"message\":\"Request exceeds the "
	  "maximum size\"}}", AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_anthropic, 400, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"invalid_request_error\",\"message\":\"Output blocked by "
	  "content filtering policy\"}}",
	  AI_CALL_POLICY, AI_E_REJECTED, true },
	{ &ai_wire_anthropic, 400, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"invalid_request_error\",\"message\":\"You have reached "
	  "your specified API usage limits.\"}}",
	  AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_anthropic, 429, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"rate_limit_error\",\"message\":\"m\",\"details\":{"
	  "\"error_code\":\"enforced_spend_limit_reached\"}}}",
	  AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_anthropic, 429, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"rate_limit_error\",\"message\":\"m\"}}",
	  AI_CALL_LIMITED, AI_E_TRY_LATER, false },
	{ &ai_wire_anthropic, 529, NULL, "{\"type\":\"error\",\"error\":{"
	  "\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
	  AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
	/* Gemini. */
	{ &ai_wire_gemini, 400, NULL, "{\"error\":{\"code\":400,\"message\":"
	  "\"API key not valid. Please pass a valid API key.\",\"status\":"
	  "\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"type.googleapis.com/"
	  "google.rpc.ErrorInfo\",\"reason\":\"API_KEY_INVALID\"}]}}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_gemini, 403, NULL, "{\"error\":{\"code\":403,\"message\":"
	  "\"m\",\"status\":\"PERMISSION_DENIED\"}}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, false },
	{ &ai_wire_gemini, 404, NULL, "{\"error\":{\"code\":404,\"message\":"
	  "\"models/x is not found for API version v1beta\",\"status\":"
	  "\"NOT_FOUND\"}}", AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_gemini, 400, NULL, "{\"error\":{\"code\":400,\"message\":"
	  "\"The input token count (1200000) exceeds the maximum number of "
	  "tokens allowed (1048576).\",\"status\":\"INVALID_ARGUMENT\"}}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_gemini, 429, NULL, "[{\"error\":{\"code\":429,\"message\":"
	  "\"You exceeded your current quota\",\"status\":"
	  "\"RESOURCE_EXHAUSTED\"}}]",
	  AI_CALL_LIMITED, AI_E_TRY_LATER, false },
	{ &ai_wire_gemini, 503, NULL, "{\"error\":{\"code\":503,\"message\":"
	  "\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}",
	  AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
	/* Bedrock: the name is a header, or a frame's. */
	{ &ai_wire_bedrock, 403, "AccessDeniedException", "{\"message\":\"You "
	  "don't have access to the model with the specified model ID.\"}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_bedrock, 403, "UnrecognizedClientException:http://i/",
	  "{\"message\":\"The security token included in the request is "
	  "invalid.\"}", AI_CALL_KEY, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_bedrock, 400, "ValidationException", "{\"message\":\"Input "
	  "is too long for requested model.\"}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_bedrock, 400, "ValidationException", "{\"message\":\"The "
	  "provided model identifier is invalid.\"}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_bedrock, 404, "ResourceNotFoundException", "{\"message\":"
	  "\"Could not resolve the foundation model\"}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_bedrock, 400, "ServiceQuotaExceededException",
	  "{\"message\":\"m\"}", AI_CALL_LIMITED, AI_E_NOT_ALLOWED, true },
	{ &ai_wire_bedrock, 429, "ThrottlingException", "{\"message\":\"Too "
	  "many tokens, please wait before trying again.\"}",
	  AI_CALL_LIMITED, AI_E_TRY_LATER, false },
	{ &ai_wire_bedrock, 503, "ServiceUnavailableException",
	  "{\"message\":\"m\"}", AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
	/* Mistral, Cohere, Ollama. */
	{ &ai_wire_mistral, 401, NULL, "{\"detail\":\"Unauthorized\"}",
	  AI_CALL_KEY, AI_E_NOT_ALLOWED, false },
	{ &ai_wire_mistral, 400, NULL, "{\"object\":\"error\",\"message\":"
	  "\"Invalid model: x\",\"type\":\"invalid_model\",\"param\":null,"
	  "\"code\":\"1500\"}", AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_mistral, 400, NULL, "{\"object\":\"error\",\"message\":"
	  "\"Prompt contains 40000 tokens, too large for model with 32768 "
	  "maximum context length\",\"type\":\"invalid_request_error\","
	  "\"code\":\"3051\"}", AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_cohere, 401, NULL, "{\"id\":\"i\",\"message\":\"invalid api "
	  "token\"}", AI_CALL_KEY, AI_E_NOT_ALLOWED, false },
	{ &ai_wire_cohere, 404, NULL, "{\"message\":\"model 'x' not found\"}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_cohere, 400, NULL, "{\"message\":\"too many tokens: size "
	  "limit exceeded by 11326 tokens.\"}",
	  AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_cohere, 429, NULL, "{\"message\":\"You are past the per "
	  "minute request limit\"}", AI_CALL_LIMITED, AI_E_TRY_LATER, false },
	{ &ai_wire_ollama, 404, NULL, "{\"error\":\"model 'x' not found\"}",
	  AI_CALL_OTHER, AI_E_REJECTED, false },
	{ &ai_wire_ollama, 500, NULL, "{\"error\":\"the input length exceeds "
	  "the context length\"}", AI_CALL_TOO_LONG, AI_E_TOO_LONG, true },
	{ &ai_wire_ollama, 500, NULL, "{\"error\":\"llama runner process has "
	  "terminated\"}", AI_CALL_DOWN, AI_E_UNAVAILABLE, false },
};

static void test_bodies(void)
{
	struct ai_wire_error why;
	struct ai_failure f;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *body = all[i].body;

		all[i].wire->get_error(body, strlen(body), &why);
		if (all[i].name != NULL)
			all[i].wire->name_error(ai_span_of(all[i].name), &why);
		ai_failure_classify(all[i].status, &why, &f);
		if (!ok(f.kind == all[i].kind && f.code == all[i].code &&
			f.final == all[i].final, "%s %ld %.60s",
			all[i].wire->name, all[i].status, body))
			printf("# kind %d, %s, %s; code '%s', '%s'\n", f.kind,
			       ai_code_name(f.code), f.final ? "final" : "",
			       why.code, why.message);
	}
}

static void test_statuses(void)
{
	struct ai_wire_error none = { 0 };
	struct ai_failure f;
	bool good = true;

	for (long s = 0; s <= 999; s++) {
		ai_failure_classify(s, &none, &f);
		good = good && f.kind != AI_CALL_OK && f.code != AI_E_NONE &&
			!f.final;
	}
	ok(good, "every status means something");
	ok(ai_failure_of(AI_E_UNAVAILABLE) == AI_CALL_DOWN &&
	   ai_failure_of(AI_E_ANSWER) == AI_CALL_DOWN &&
	   ai_failure_of(AI_E_TRY_LATER) == AI_CALL_LIMITED &&
	   ai_failure_of(AI_E_NOT_ALLOWED) == AI_CALL_KEY &&
	   ai_failure_of(AI_E_BUDGET) == AI_CALL_OTHER, "other failures");
}

int main(void)
{
	test_bodies();
	test_statuses();
	return done();
}
