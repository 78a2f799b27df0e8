#include "text/bpe_names.h"

#include "base/str.h"
#include "text/bpe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Names and ids: tiktoken_ext/openai_public.py of tiktoken 0.14. */

static const struct ai_bpe_special special_50k[] = {
	{ "<|endoftext|>", 50256 },
	{ NULL },
};

static const struct ai_bpe_special special_p50k_edit[] = {
	{ "<|endoftext|>", 50256 },
	{ "<|fim_prefix|>", 50281 },
	{ "<|fim_middle|>", 50282 },
	{ "<|fim_suffix|>", 50283 },
	{ NULL },
};

static const struct ai_bpe_special special_cl100k[] = {
	{ "<|endoftext|>", 100257 },
	{ "<|fim_prefix|>", 100258 },
	{ "<|fim_middle|>", 100259 },
	{ "<|fim_suffix|>", 100260 },
	{ "<|endofprompt|>", 100276 },
	{ NULL },
};

static const struct ai_bpe_special special_o200k[] = {
	{ "<|endoftext|>", 199999 },
	{ "<|endofprompt|>", 200018 },
	{ NULL },
};

/* 200018 has two names; <|endofprompt|> is the one that is decoded. */
static const struct ai_bpe_special special_harmony[] = {
	{ "<|startoftext|>", 199998 },
	{ "<|endoftext|>", 199999 },
	{ "<|reserved_200000|>", 200000 },
	{ "<|reserved_200001|>", 200001 },
	{ "<|return|>", 200002 },
	{ "<|constrain|>", 200003 },
	{ "<|reserved_200004|>", 200004 },
	{ "<|channel|>", 200005 },
	{ "<|start|>", 200006 },
	{ "<|end|>", 200007 },
	{ "<|message|>", 200008 },
	{ "<|reserved_200009|>", 200009 },
	{ "<|reserved_200010|>", 200010 },
	{ "<|reserved_200011|>", 200011 },
	{ "<|call|>", 200012 },
	{ "<|endofprompt|>", 200018 },
	{ NULL },
};

static const struct ai_bpe_encoding encodings[] = {
	{ "o200k_base", "o200k_base.bpe", AI_BPE_O200K, special_o200k },
	{ "o200k_harmony", "o200k_base.bpe", AI_BPE_O200K,
	  special_harmony, 200013, 201088 },
	{ "cl100k_base", "cl100k_base.bpe", AI_BPE_CL100K,
	  special_cl100k },
	{ "p50k_base", "p50k_base.bpe", AI_BPE_R50K, special_50k },
	{ "p50k_edit", "p50k_base.bpe", AI_BPE_R50K,
	  special_p50k_edit },
	{ "r50k_base", "r50k_base.bpe", AI_BPE_R50K, special_50k },
	{ "gpt2", "r50k_base.bpe", AI_BPE_R50K, special_50k },
	{ NULL },
};

const char *ai_bpe_encoding_at(size_t i)
{
	if (i >= sizeof encodings / sizeof encodings[0])
		return NULL;
	return encodings[i].name;
}

const struct ai_bpe_encoding *ai_bpe_encoding_find(const char *name)
{
	for (const struct ai_bpe_encoding *e = encodings; e->name; e++)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

/* ---- special tokens ---- */

#define RESERVED "<|reserved_"
#define CLOSE "|>"

static size_t reserved_at(const struct ai_bpe_encoding *e, const char *p,
			  size_t n, uint32_t *id)
{
	const size_t open = sizeof RESERVED - 1, shut = sizeof CLOSE - 1;
	const size_t digits = 6;
	int64_t v;

	if (e->reserved_to == 0 || n < open + digits + shut ||
	    memcmp(p, RESERVED, open) != 0 ||
	    memcmp(p + open + digits, CLOSE, shut) != 0 ||
	    ai_parse_i64((struct ai_span){ p + open, digits }, &v) < 0 ||
	    v < e->reserved_from || v >= e->reserved_to)
		return 0;
	*id = (uint32_t)v;
	return open + digits + shut;
}

size_t ai_bpe_special_at(const struct ai_bpe_encoding *e, const char *p,
			 size_t n, uint32_t *id)
{
	for (const struct ai_bpe_special *s = e->special; s->text; s++) {
		size_t len = strlen(s->text);

		if (len <= n && memcmp(s->text, p, len) == 0) {
			*id = s->id;
			return len;
		}
	}
	return reserved_at(e, p, n, id);
}

const char *ai_bpe_special_text(const struct ai_bpe_encoding *e, uint32_t id,
				char *buf, size_t *n)
{
	for (const struct ai_bpe_special *s = e->special; s->text; s++) {
		if (s->id == id) {
			*n = strlen(s->text);
			return s->text;
		}
	}
	if (id < e->reserved_from || id >= e->reserved_to)
		return NULL;
	*n = (size_t)snprintf(buf, AI_BPE_SPECIAL_MAX, RESERVED "%u" CLOSE,
			      (unsigned)id);
	return buf;
}

/* ---- models ---- */

/* The first that fits: a name, or with a star a beginning. */
static const struct {
	const char *model, *encoding;
} models[] = {
	{ "gpt-oss*", "o200k_harmony" },
	{ "gpt-5*", "o200k_base" },
	{ "gpt-4.1*", "o200k_base" },
	{ "gpt-4.5*", "o200k_base" },
	{ "gpt-4o*", "o200k_base" },
	{ "chatgpt-4o*", "o200k_base" },
	{ "o1", "o200k_base" },
	{ "o1-*", "o200k_base" },
	{ "o3", "o200k_base" },
	{ "o3-*", "o200k_base" },
	{ "o4-*", "o200k_base" },
	{ "codex-mini*", "o200k_base" },
	{ "gpt-4", "cl100k_base" },
	{ "gpt-4-*", "cl100k_base" },
	{ "gpt-3.5*", "cl100k_base" },
	{ "gpt-35*", "cl100k_base" },
	{ "text-embedding-3-*", "cl100k_base" },
	{ "text-embedding-ada-002", "cl100k_base" },
	{ "davinci-002", "cl100k_base" },
	{ "babbage-002", "cl100k_base" },
	{ "text-davinci-edit-001", "p50k_edit" },
	{ "code-davinci-edit-001", "p50k_edit" },
	{ "text-davinci-003", "p50k_base" },
	{ "text-davinci-002", "p50k_base" },
	{ "code-davinci-*", "p50k_base" },
	{ "code-cushman-*", "p50k_base" },
	{ "davinci-codex", "p50k_base" },
	{ "cushman-codex", "p50k_base" },
	{ "text-davinci-001", "r50k_base" },
	{ "text-curie-001", "r50k_base" },
	{ "text-babbage-001", "r50k_base" },
	{ "text-ada-001", "r50k_base" },
	{ "text-similarity-*", "r50k_base" },
	{ "text-search-*", "r50k_base" },
	{ "code-search-*", "r50k_base" },
	{ "davinci", "r50k_base" },
	{ "curie", "r50k_base" },
	{ "babbage", "r50k_base" },
	{ "ada", "r50k_base" },
	{ "gpt2", "r50k_base" },
	{ "gpt-2", "r50k_base" },
};

static bool fits(const char *model, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return strncmp(model, pattern, n - 1) == 0;
	return strcmp(model, pattern) == 0;
}

const char *ai_bpe_encoding_for_model(const char *model)
{
	const char *slash = strrchr(model, '/');

	if (slash != NULL)
		model = slash + 1;
	/* A fine-tuned model: "ft:gpt-4o-mini:organisation:name:id". */
	if (strncmp(model, "ft:", 3) == 0)
		model += 3;
	for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
		if (fits(model, models[i].model))
			return models[i].encoding;
	return NULL;
}
