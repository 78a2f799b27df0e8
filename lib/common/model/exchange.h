/*
 * exchange.h: one call on its way, for the files that make up the client.
 *
 * QUEUE -> RESERVE -> WAIT -> FLY -> SETTLE -> over, or RETRY -> QUEUE
 */
#ifndef AI_MODEL_EXCHANGE_H
#define AI_MODEL_EXCHANGE_H

#include "crypt/hash.h"
#include "model/client.h"
#include "model/pace.h"
#include "model/resume.h"
#include "model/tape.h"
#include "net/eventstream.h"
#include "net/http.h"
#include "net/retry.h"
#include "net/sign.h"
#include "net/sse.h"
#include "store/cache.h"

/* The pace at one endpoint, by its address and model. */
struct ai_place {
	struct ai_place *next;
	struct ai_pace pace;
	size_t users; /* calls that are not over */
	char name[];
};

#define AI_HITS_MAX 4

struct ai_client {
	struct ai_http *http; /* NULL until the first request */
	struct ai_payer payer;
	struct ai_resume resume;
	struct ai_tape tape;
	struct ai_exchange *under_way, *spare;
	struct ai_place *places; /* the latest first */
	size_t landed; /* calls at EXCHANGE_SETTLE */
	struct ai_hit hits[AI_HITS_MAX]; /* answers from the cache, not booked yet */
	size_t n_hits;
	bool stopping; /* nothing more is sent */
	bool unheld;   /* some may ask for their place anew */
};

struct ai_exchange {
	struct ai_exchange *next;
	struct ai_client *client;
	const struct ai_endpoint *e;
	enum {
		EXCHANGE_QUEUE,   /* for its turn among those at the place */
		EXCHANGE_RESERVE, /* wants its worst case in the ledger */
		EXCHANGE_HELD,    /* for what other calls of this program hold
				   * of a budget, and may give back */
		EXCHANGE_WAIT,    /* for its place at the rate limit: due_s */
		EXCHANGE_FLY,     /* at the provider's */
		EXCHANGE_SETTLE,  /* what it cost is to be booked */
		EXCHANGE_RETRY,   /* waits for another attempt: due_s */
		EXCHANGE_OVER,
	} stage;
	double due_s, begun_s, queued_s; /* by CLOCK_MONOTONIC */
	struct ai_place *place;
	unsigned round; /* of its pace */
	bool entered;   /* it has a turn there */

	const char *method; /* "POST" */
	struct ai_buf url, body;
	const struct ai_tariff *tariff; /* what it is booked by */
	struct ai_ask ask;
	int64_t most; /* nano-dollars; 0: as budgets allow */
	struct ai_payment payment;
	int places; /* that it has given back */
	struct ai_pay pay;
	struct ai_meter meter; /* that pay may point to */
	struct ai_retry retry;
	const struct ai_key *key; /* of this attempt; NULL: none */
	uint64_t tried;           /* keys that refused it */
	double aside_s;           /* the last one is of no use for so long;
				   * negative: nothing is wrong with it */
	bool other_key;           /* and another is to do it, at once */
	struct ai_http_transfer *transfer; /* while it flies */
	struct ai_http_answer answer;

	/* Of an answer that streams: one of the two parsers. */
	bool streams;
	struct ai_sse sse;
	struct ai_eventstream frames;
	bool whole; /* its end was seen */
	bool told;  /* some of its text was handed on: no second attempt */
	ai_client_delta *delta;
	struct ai_buf raw; /* its bytes, if they are recorded */
	char tape_key[AI_HASH_HEX]; /* what a recording knows it by; "" */
	int64_t tape_n;
	struct {
		double latency_s, ttft_s;
		int64_t created_s;
	} played; /* what a recording says of the attempt */

	/* Reads a good answer to where it goes, and says in pay.usage what is
	 * billed.  -1: AI_E_ANSWER, or what its reader says. */
	int (*take)(struct ai_exchange *x, struct ai_err *err);
	struct ai_chat_answer *chat; /* NULL: it is no chat */
	void *to;                    /* of what is no chat (queries.c) */
	const void *asked;
	struct ai_embed_begin embed; /* of vectors (vector-query.c) */

	unsigned char cache_key[AI_CACHE_KEY]; /* of a chat to be kept */
	bool keep;
	struct ai_named_batch *named; /* that it is of; NULL: none */
	struct ai_buf kept; /* the answer as the batch's journal has it */
	struct ai_span note; /* that goes there with it */

	struct ai_call *call;
	ai_client_done *done;
	void *arg;

	int rc;             /* of the last attempt, with err */
	struct ai_err err;
	bool more;          /* another attempt may help */
};

/* ---- client.c --------------------------------------------------------------------- */

/* A new one, with the address of the endpoint in it; NULL: AI_E_MEMORY. */
struct ai_exchange *ai_exchange_new(struct ai_client *c,
				    const struct ai_endpoint *e,
				    struct ai_err *err);
void ai_exchange_put_back(struct ai_client *c, struct ai_exchange *x);
/* To whom it reports. */
void ai_exchange_report(struct ai_exchange *x, struct ai_call *call,
			ai_client_done *done, void *arg);
/* Its request is written: it may go.  -1: it may not. */
int ai_exchange_prepare(struct ai_exchange *x, int64_t max_output,
			struct ai_media media, struct ai_err *err);
/* From now on it is ai_client_turn()'s. */
void ai_exchange_enqueue(struct ai_client *c, struct ai_exchange *x);

/* ---- queries.c ------------------------------------------------------------------- */

/* Sends what has no chat in it, or gives it back. */
int ai_query_go(struct ai_client *c, struct ai_exchange *x,
		struct ai_media media, struct ai_call *call,
		ai_client_done *done, void *arg, struct ai_err *err);

/* ---- hits.c ---------------------------------------------------------------------- */

/* It was answered from the cache: counted, and booked with others of its turn. */
void ai_hits_count(struct ai_exchange *x);
/* The same of what would have cost so much there. */
void ai_hits_add(struct ai_client *c, const struct ai_tariff *t,
		 int64_t saved);
/* Those that are not booked yet: before anybody has the answer. */
void ai_hits_book(struct ai_client *c);

/* ---- ending.c -------------------------------------------------------------------- */

/* No attempt goes on when the run is to be over. */
void ai_run_bound(struct ai_exchange *x);
/* Whether it is; then err says so, and what it came before. */
bool ai_run_is_over(const char *before, struct ai_err *err);
/* Its end on the clock; HUGE_VAL: none. */
double ai_run_end(void);

/* ---- place.c --------------------------------------------------------------------- */

/* Puts it into the queue of its place: for its first attempt, or another one. */
int ai_place_begin(struct ai_client *c, struct ai_exchange *x,
		   struct ai_err *err);
void ai_place_again(struct ai_exchange *x);
/* It waits for others to give back what they hold of a budget, if they hold
 * what is missing.  Else false. */
bool ai_place_hold(struct ai_client *c, struct ai_exchange *x);
/* So many of these have ended: who waits for them may ask again, and all do if
 * none is left. */
void ai_place_unhold(struct ai_client *c, size_t ended);
/* Those whose turn it is go on; those whose time is over end. */
void ai_place_admit(struct ai_client *c);
/* Its attempt has ended: the turn is another one's. */
void ai_place_leave(struct ai_exchange *x, enum ai_pace_end how);
/* It is over. */
void ai_place_end(struct ai_exchange *x);
void ai_place_free(struct ai_client *c);

/* ---- failure.c ------------------------------------------------------------------ */

/* Takes the keys out of what its headers say. */
void ai_failure_hide(struct ai_exchange *x);
/* Whether the answer looks so much like a good one that it may be taken for
 * one first: to look for an error in every answer costs a scan of it. */
bool ai_failure_unlikely(const struct ai_exchange *x);
/* What the answer that came says of itself: 0, or -1 and err; whether it is
 * worth another try is in x->more then. */
int ai_failure_take(struct ai_exchange *x, struct ai_err *err);
/* An error that came within a stream. Returns -1. */
int ai_failure_event(struct ai_exchange *x, struct ai_wire_error *why,
		     struct ai_err *err);
/* An answer that came with a good status and is none of a model, as err says.
 * Returns -1. */
int ai_failure_no_answer(const struct ai_exchange *x, struct ai_err *err);
/* How a failed attempt ended, for the ledger. */
enum ai_end ai_failure_end(const struct ai_http_answer *a);

/* ---- keyed.c ----------------------------------------------------------------------- */

/* Each attempt has a key of its own, unless it has one already.
 * AI_E_NOT_ALLOWED: there are none to be had. */
int ai_keyed_take(struct ai_exchange *x, struct ai_err *err);

struct ai_head {
	const char *line[AI_HEADERS_MAX + 12]; /* NULL ends them */
	char key[AI_HEADER_KEY];
	struct ai_signed signed_by; /* to be released, in any case */
};
/* What stands above the request. */
int ai_keyed_head(const struct ai_exchange *x, struct ai_head *h,
		  struct ai_err *err);
/* Whether another key may do what this one may not: at once, and not counted
 * among the retries.  If so, this one is let go. */
bool ai_keyed_other(struct ai_exchange *x);
/* An attempt has ended: sets a key aside that is of no use, and other_key. */
void ai_keyed_ended(struct ai_exchange *x);
/* How long its provider wants it to wait, at least: of several keys that are
 * all limited, until the first may be used again. */
double ai_keyed_wait(struct ai_exchange *x);

/* ---- classify.c ------------------------------------------------------------------ */

/* What an error of a provider means. */
struct ai_failure {
	enum ai_call_failure kind;
	enum ai_code code;
	bool final; /* it would be the same whenever it is asked again */
};
void ai_failure_classify(long status, const struct ai_wire_error *why,
			 struct ai_failure *f);
/* The kind of a failure that no provider has put into words. */
enum ai_call_failure ai_failure_of(enum ai_code code);

/* ---- stream.c --------------------------------------------------------------------- */

/* The parser of a stream, anew for each attempt. */
void ai_stream_begin(struct ai_exchange *x);
/* ai_http_request.data: more of it. */
int ai_stream_add(void *arg, const char *p, size_t n, struct ai_err *err);
/* Hands on the text of the answer from this byte on. */
int ai_stream_hand_on(struct ai_exchange *x, size_t from, struct ai_err *err);
/* It has ended: 0, or -1 if it was cut off. */
int ai_stream_end(struct ai_exchange *x, struct ai_err *err);
void ai_stream_release(struct ai_exchange *x);

#endif
