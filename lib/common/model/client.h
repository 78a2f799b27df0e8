/*
 * client.h: a model named by the user, asked over the network.
 *
 *	openai/gpt-5-mini            a known provider and its model
 *	--base-url URL, gpt-oss-20b  any compatible server; the name is sent
 *	                             as it is
 *
 * Keys (model/keys.h) are sent only to the host the user named, never over
 * plain http beyond this machine unless --insecure-http allows it, and stand in
 * no message.  A server on this machine needs none.  What else is said of a
 * provider, or of a --base-url by its host, stands in the configuration:
 *
 *	"providers": { "openai": { "base_url": "https://gateway.example/v1",
 *				   "key_command": ["pass", "openai"] } }
 */
#ifndef AI_MODEL_CLIENT_H
#define AI_MODEL_CLIENT_H

#include "base/opt.h"
#include "model/headers.h"
#include "model/paid.h"
#include "model/wire.h"
#include "store/cache.h"

/* What the options below set; one a process. */
struct ai_client_settings {
	const char *base_url;
	int api;            /* what it speaks, of AI_CLIENT_APIS */
	bool insecure_http;
	const char *cert, *cert_key; /* PEM files, for servers that ask who we
				      * are; cert_key NULL: it is in cert */
	double connect_s, timeout_s;
	double deadline_s;  /* of the whole run; 0: none */
	double idle_s;      /* nothing of an answer for so long; 0: no matter */
	int64_t retries;
	int cache;          /* enum ai_cache_use */
	double cache_ttl_s; /* how long an answer is kept */
	int64_t cache_bytes; /* of all that is kept */
	const char *record, *replay; /* files; NULL: none */
	const char *resume; /* the batch's name; NULL: none */
	const char *resume_by; /* the member of a record that names its own;
				* NULL: none */
	bool retry_uncertain;
};

/* What is done with answers that were kept, or are to be. */
enum ai_cache_use {
	AI_CACHE_OFF,
	AI_CACHE_ON,    /* look, ask, keep */
	AI_CACHE_READ,  /* look, ask */
	AI_CACHE_WRITE, /* ask, keep */
	AI_CACHE_ONLY,  /* look, and do without */
	AI_CACHE_PAID,  /* of vectors: on, of what costs something */
};
#define AI_CACHE_USES "off|on|read|write|only"

extern struct ai_client_settings ai_client;

/* In the order of endpoint.c's table. */
#define AI_CLIENT_APIS "openai|anthropic|bedrock|cohere|gemini|mistral|ollama|" \
	"responses|voyage|jina"

/* --base-url --api --cert --key --connect-timeout --timeout --deadline
 * --idle-timeout --retries --record --replay --insecure-http; for chats --cache
 * --cache-ttl, --resume --retry-uncertain. */
extern const struct ai_opt ai_client_options[], ai_client_options_cache[],
	ai_client_options_resume[];
/* For vectors another --cache and --cache-ttl; --cache-size of both. */
extern const struct ai_opt ai_client_options_vectors[],
	ai_client_option_cache_size[];

#define AI_MODEL_NAME_MAX 256

/* Where a model is and what goes there. Read-only once set up, but for whose
 * turn it is of its keys: threads share it.  Not to be copied. */
struct ai_endpoint {
	const struct ai_wire *wire;
	struct ai_wire own_wire;          /* wire, if it is not as the
					   * provider's mostly is */
	char provider[AI_MODEL_NAME_MAX]; /* "openai"; else the host */
	char model[AI_MODEL_NAME_MAX];    /* the name sent */
	const char *max_tokens_name;      /* for ai_chat_request */
	char *base;                       /* address without a slash behind */
	char query[200];                  /* what stands behind paths; "" */
	struct ai_keys *keys;             /* NULL: none */
	struct ai_keyring *ring;
	struct ai_headers headers;        /* beside the key's */
	char host[AI_MODEL_NAME_MAX + 16]; /* with a port; for signatures */
	char region[64];
	struct ai_tariff tariff;
};

/*
 * Finds the endpoint of a model name.  AI_E_CONFIG: no such provider, a bad
 * address; AI_E_NOT_ALLOWED: no key, or no safe way to send it.
 */
int ai_endpoint_init(struct ai_endpoint *e, const char *model,
		     struct ai_err *err);
/* That of a provider, for what no model is needed for, or of --base-url
 * (NULL).  Nothing it is asked for is booked. */
int ai_endpoint_init_provider(struct ai_endpoint *e, const char *provider,
			      struct ai_err *err);
void ai_endpoint_release(struct ai_endpoint *e);
/* The name of the i-th provider that is known, and whether there is a key for
 * it; NULL: there are no more. */
const char *ai_provider_at(size_t i, bool *has_key);
/* The i-th text that nobody may see in a message; NULL behind the last. */
const char *ai_endpoint_secret(const struct ai_endpoint *e, size_t i);

/* Why a call failed, for who asks another model then. */
enum ai_call_failure {
	AI_CALL_OK,
	AI_CALL_DOWN,     /* no answer, a server's error, or an answer that is
			   * none of a model */
	AI_CALL_LIMITED,  /* a rate limit, ours or theirs; no quota or credit
			   * left */
	AI_CALL_TOO_LONG, /* for the model's context */
	AI_CALL_POLICY,   /* what was asked, or what would have been answered,
			   * is against the provider's rules: also where the
			   * answer itself says it, and the call succeeded */
	AI_CALL_KEY,      /* missing, wrong, expired, or not for this model */
	AI_CALL_OTHER,
};

/* How a call went, whether it succeeded or not. */
struct ai_call {
	enum ai_call_failure failure; /* set before done() is called, and if
				       * ai_client_begin() fails */
	int attempts;
	double latency_s;     /* of the last attempt */
	double ttft_s;        /* until its first text; negative: it did not
			       * stream */
	char request_id[128]; /* of the last attempt; "" */
	long status;          /* HTTP status of the last attempt; 0: none */
	char param[64];       /* what the provider's error is about; "" */
	int64_t cost;         /* nano-dollars, of all attempts */
	int64_t max_tokens;   /* that was sent; 0: none */
	int64_t created_s;    /* when the answer came, since 1970; 0: none has */
	bool cached;          /* it was kept: nothing was sent */
	bool resumed;         /* an earlier run of the batch had the answer,
			       * and all of the above is that run's */
	bool uncertain;       /* an earlier run had sent it, and nobody knows
			       * what became of that */
	struct ai_span note;  /* of ai_chat_begin, as it was kept with the
			       * answer; borrowed, until done() returns */
};

/* From now on the time of --deadline runs.  When it is over, calls end with
 * AI_E_TRY_LATER, and none is sent. */
void ai_client_run_begins(void);

/*
 * One a thread, for any number of calls at once.  Nothing is set up for the
 * network before the first call.  NULL: AI_E_MEMORY, what --record, --replay
 * or --resume names cannot be opened (model/tape.h), or another process works on
 * the batch (AI_E_TRY_LATER).
 */
struct ai_client;
struct ai_client *ai_client_new(struct ai_err *err);
/* Opens the ledger, which the first call that costs something would do: who
 * knows that there will be one learns before it that it cannot be opened. */
int ai_client_open_ledger(struct ai_client *c, struct ai_err *err);
/*
 * Nothing more is sent: what waits for a rate limit or another attempt ends, and
 * a later turn tells.  With now, what is at the provider's ends as well; it
 * stays booked at its worst case.  No call may be begun after it.
 */
void ai_client_stop(struct ai_client *c, bool now);
/* What is under way is given up, and stands in the ledger as it must: given
 * back if it was not sent, else at its worst case.  NULL is fine. */
void ai_client_free(struct ai_client *c);

/* What became of a call: rc and err as of ai_client_chat().  Another call may
 * be begun from within. */
typedef void ai_client_done(void *arg, int rc, const struct ai_err *err);

/* More text of an answer that streams; -1 ends the call, with what it leaves in
 * err. */
typedef int ai_client_delta(void *arg, struct ai_span text,
			    struct ai_err *err);

/* A chat to be begun. */
struct ai_chat_begin {
	const struct ai_endpoint *endpoint; /* must stay until done() */
	const struct ai_chat_request *request; /* used up; not its stream */
	enum ai_cache_use cache;        /* whether a kept answer will do */
	struct ai_chat_answer *answer;  /* these must stay, too */
	struct ai_call *call;
	ai_client_delta *delta;         /* NULL: the answer comes at once */
	ai_client_done *done;
	void *arg;                      /* for both */
	/* With --resume: the models that are asked one after the other, as the
	 * user named them, and which of the same requests this is (-1: the
	 * next one; the later models get what the first has got). */
	struct ai_span scope;
	int64_t *ordinal;
	/* The batch that this one is of, if not that of --resume: no two of its
	 * requests are the same.  n 0: that one, if there is one. */
	struct ai_span batch;
	struct ai_span note; /* JSON to be kept with the answer; n 0: none */
	bool only_kept;      /* begin it only if an earlier run has the answer */
};

/*
 * Begins a call; a later ai_client_turn() calls done().  -1: it could not be
 * begun, and done() will not be called.  AI_E_UNAVAILABLE: AI_CACHE_ONLY, and
 * no answer is kept; or it is uncertain, and is not to be sent again.  1: the
 * same, as only_kept wants it, and call->uncertain says more.
 */
int ai_client_begin(struct ai_client *c, const struct ai_chat_begin *b,
		    struct ai_err *err);
/*
 * Works on all calls until one has ended, something else has happened (a signal,
 * or a second has passed), or fd
 * (-1: none) has something to read, which *readable tells.  What goes to the
 * ledger at once goes in one transaction.  -1: no call can go on.
 */
int ai_client_turn(struct ai_client *c, int fd, bool *readable,
		   struct ai_err *err);
/* Calls that have ended at the provider and are not booked: the next turn does
 * that, together with the reservations of what is begun before it. */
size_t ai_client_landed(const struct ai_client *c);

/* Texts whose vectors are asked for, in one request. */
struct ai_embed_begin {
	const struct ai_endpoint *endpoint; /* this and all below must stay
					     * until done() */
	const struct ai_embed_request *request;
	struct ai_embed_answer *answer; /* to be released, in any case */
	struct ai_call *call;
	/* Where each vector is kept, cut to keep_dim (0: as it is), before the
	 * request is booked.  NULL: nowhere. */
	const unsigned char (*keys)[AI_CACHE_KEY];
	size_t keep_dim;
	ai_client_done *done;
	void *arg;
};
/* As ai_client_begin(). */
int ai_client_begin_embed(struct ai_client *c, const struct ai_embed_begin *b,
			  struct ai_err *err);
/* What the vector of q's first text, which was asked for with all that q says,
 * is known by: where it goes, whose it is, and what is sent. */
int ai_vector_key(const struct ai_endpoint *e,
		  const struct ai_embed_request *q, struct ai_buf *room,
		  unsigned char key[AI_CACHE_KEY], struct ai_err *err);
/* 1: it is kept, and *v is it, to be freed; that it was of use is booked.
 * 0: it is not. */
int ai_client_kept_vector(struct ai_client *c, const struct ai_endpoint *e,
			  const unsigned char key[AI_CACHE_KEY], float **v,
			  size_t *dim, struct ai_err *err);

/*
 * Begins to ask how many tokens the request has, likewise; *tokens is the
 * provider's answer.  That costs nothing, and providers count it against no
 * limit of calls: nothing of it stands in the ledger.  AI_E_CONFIG: this
 * provider does not tell.
 */
int ai_client_begin_count(struct ai_client *c, const struct ai_endpoint *e,
			  const struct ai_chat_request *q, int64_t *tokens,
			  struct ai_call *call, ai_client_done *done,
			  void *arg, struct ai_err *err);

/*
 * Ask and wait, with retries, until ai_client.timeout_s has passed.  -1:
 * AI_E_NOT_ALLOWED (401, 402, 403, no credit), AI_E_TRY_LATER (429),
 * AI_E_REJECTED (other 4xx, redirects), AI_E_UNAVAILABLE (no answer, 5xx),
 * AI_E_ANSWER (an answer that makes no sense), AI_E_TOO_LONG (of what is asked
 * for the model's context, or of the answer for us); and what AI_PAY_RESERVE
 * refuses (paid.h), before anything is sent.
 * err->retry_after_s is what the provider asked for.  a is to be released
 * in any case.
 */
int ai_client_chat(struct ai_client *c, const struct ai_endpoint *e,
		   const struct ai_chat_request *q, struct ai_chat_answer *a,
		   struct ai_call *call, struct ai_err *err);
/* Hands on all models that the key can see, page by page; each()
 * returns -1, with what it leaves in err, to end that.  Errors as above;
 * AI_E_CONFIG: this provider's models cannot be listed.  The endpoint need
 * not have a model. */
int ai_client_models(struct ai_client *c, const struct ai_endpoint *e,
		     ai_model_each *each, void *arg, struct ai_err *err);

#endif
