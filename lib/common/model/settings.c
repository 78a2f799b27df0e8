/* settings.c: what the options of a client set. */
#include "model/client.h"

struct ai_client_settings ai_client;

const struct ai_opt ai_client_options[] = {
	{ "base-url", 0, AI_OPT_TEXT, &ai_client.base_url, "URL",
	  "ask this server", .key = "base_url", .env = "AI_BASE_URL" },
	{ "api", 0, AI_OPT_CHOICE, &ai_client.api, "NAME",
	  "what the server of --base-url speaks", .initial = "openai",
	  .choices = AI_CLIENT_APIS, .key = "api", .env = "AI_API" },
	{ "cert", 0, AI_OPT_FILE, &ai_client.cert, "FILE",
	  "tell the server who we are by this certificate", .key = "http.cert",
	  .env = "AI_CERT" },
	{ "key", 0, AI_OPT_FILE, &ai_client.cert_key, "FILE",
	  "the key of --cert, if it is not in the same file",
	  .key = "http.key", .env = "AI_CERT_KEY" },
	{ "connect-timeout", 0, AI_OPT_REAL, &ai_client.connect_s, "SECONDS",
	  "longest wait for a connection", .initial = "5", .min = 0.01,
	  .max = 3600, .key = "http.connect_timeout",
	  .env = "AI_CONNECT_TIMEOUT" },
	{ "timeout", 0, AI_OPT_REAL, &ai_client.timeout_s, "SECONDS",
	  "longest wait for an answer, retries included", .initial = "600",
	  .min = 0.01, .max = 86400, .key = "http.timeout",
	  .env = "AI_TIMEOUT" },
	{ "deadline", 0, AI_OPT_REAL, &ai_client.deadline_s, "SECONDS",
	  "ask nothing more when the program has run so long", .min = 0.01,
	  .max = 1e7, .key = "http.deadline", .env = "AI_DEADLINE" },
	{ "idle-timeout", 0, AI_OPT_REAL, &ai_client.idle_s, "SECONDS",
	  "longest silence within an answer", .max = 3600,
	  .key = "http.idle_timeout", .env = "AI_IDLE_TIMEOUT" },
	{ "retries", 0, AI_OPT_INT, &ai_client.retries, "N",
	  "how often a failed request is tried again", .initial = "3",
	  .max = 100, .key = "http.retries", .env = "AI_RETRIES" },
	{ "record", 0, AI_OPT_FILE, &ai_client.record, "FILE",
	  "append what is sent and answered to a file", .env = "AI_RECORD" },
	{ "replay", 0, AI_OPT_FILE, &ai_client.replay, "FILE",
	  "ask a recording instead of a server", .env = "AI_REPLAY" },
	{ "insecure-http", 0, AI_OPT_FLAG, &ai_client.insecure_http, NULL,
	  "allow http:// to other machines", .key = "http.insecure" },
	{ 0 }
};

const struct ai_opt ai_client_options_cache[] = {
	{ "cache", 0, AI_OPT_CHOICE, &ai_client.cache, "HOW",
	  "use answers to the same request again", .initial = "off",
	  .choices = AI_CACHE_USES, .key = "cache.use", .env = "AI_CACHE" },
	{ "cache-ttl", 0, AI_OPT_REAL, &ai_client.cache_ttl_s, "SECONDS",
	  "how long an answer is kept", .initial = "3600", .min = 1,
	  .max = 1e9, .key = "cache.ttl", .env = "AI_CACHE_TTL" },
	{ 0 }
};

/* A vector is the same for as long as its model has its name. */
const struct ai_opt ai_client_options_vectors[] = {
	{ "cache", 0, AI_OPT_CHOICE, &ai_client.cache, "HOW",
	  "use vectors of the same text again", .initial = "paid",
	  .choices = AI_CACHE_USES "|paid", .key = "embed.cache",
	  .env = "AI_EMBED_CACHE" },
	{ "cache-ttl", 0, AI_OPT_REAL, &ai_client.cache_ttl_s, "SECONDS",
	  "how long a vector is kept", .initial = "31536000", .min = 1,
	  .max = 1e9, .key = "embed.cache_ttl" },
	{ 0 }
};

const struct ai_opt ai_client_option_cache_size[] = {
	{ "cache-size", 0, AI_OPT_INT, &ai_client.cache_bytes, "BYTES",
	  "the oldest of what is kept goes when all is more than that",
	  .initial = "1G", .min = 1 << 20, .max = 1e15, .key = "cache.bytes",
	  .env = "AI_CACHE_SIZE" },
	{ 0 }
};

const struct ai_opt ai_client_options_resume[] = {
	{ "resume", 0, AI_OPT_TEXT, &ai_client.resume, "NAME",
	  "go on with this batch; what is answered is not asked again" },
	{ "resume-by", 0, AI_OPT_TEXT, &ai_client.resume_by, "PATH",
	  "the same, and this member of each record names its batch" },
	{ "retry-uncertain", 0, AI_OPT_FLAG, &ai_client.retry_uncertain, NULL,
	  "with --resume: send again what may have been paid for",
	  .initial = "true", .key = "complete.retry_uncertain" },
	{ 0 }
};
