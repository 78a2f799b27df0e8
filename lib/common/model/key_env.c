/* key_env.c: in which variables the keys of a provider are. */
#include "model/keys.h"

#include <string.h>

/* As the providers' own tools have them. */
static const struct {
	const char *provider, *env[2];
} keys[] = {
	{ "openai", { "OPENAI_API_KEY" } },
	{ "anthropic", { "ANTHROPIC_API_KEY" } },
	{ "azure", { "AZURE_OPENAI_API_KEY" } },
	{ "bedrock", { "AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID" } },
	{ "cohere", { "CO_API_KEY", "COHERE_API_KEY" } },
	{ "gemini", { "GEMINI_API_KEY", "GOOGLE_API_KEY" } },
	{ "mistral", { "MISTRAL_API_KEY" } },
	{ "ollama", { "OLLAMA_API_KEY" } },
	{ "openrouter", { "OPENROUTER_API_KEY" } },
	{ "groq", { "GROQ_API_KEY" } },
	{ "deepseek", { "DEEPSEEK_API_KEY" } },
	{ "xai", { "XAI_API_KEY" } },
	{ "voyage", { "VOYAGE_API_KEY" } },
	{ "jina", { "JINA_API_KEY" } },
};

const char *const *ai_key_env(const char *provider)
{
	static const char *const own[2] = { "AI_API_KEY" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i].provider, provider) == 0)
			return keys[i].env;
	return own;
}
