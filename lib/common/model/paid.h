/*
 * paid.h: no request that costs something leaves without its place in the
 * ledger.
 *
 * Every attempt is reserved at its worst case before it is sent, and booked
 * at what it cost when the answer is there (store/ledger.h).  What is free
 * ("--price free", or a model that is free in the catalog) never opens the
 * ledger; a model without a price is refused.
 */
#ifndef AI_MODEL_PAID_H
#define AI_MODEL_PAID_H

#include "base/opt.h"
#include "model/bill.h"
#include "model/chat_tokens.h"
#include "model/price.h"
#include "store/batch.h"
#include "store/ledger.h"

#include <stdbool.h>
#include <stdint.h>

/* What the options below set; one a process. */
struct ai_paid_settings {
	const char *ledger; /* "none": without one */
	const char *price;
	const char *date;   /* whose prices hold; NULL: today's */
	double max_wait_s;  /* negative: as long as the request may take */
	int64_t media_tokens; /* of a picture, at most; 0: not told */
	const char *tenant, *user, *project, *experiment, *run;
};
extern struct ai_paid_settings ai_paid;

/* --ledger --price --tenant --user --project --experiment --run; --max-wait
 * for programs that call, --media-tokens for those with more than text. */
extern const struct ai_opt ai_paid_options[], ai_paid_option_wait[],
	ai_paid_option_media[];

/* An answer may be so long where nobody says how long; if the budget of a
 * request does not allow that, shorter, but not by more than the other. */
#define AI_OUTPUT_USUAL 4096
#define AI_OUTPUT_LEAST 64

/* Whether the user wants one. */
bool ai_paid_has_ledger(void);
/* What people must be told when the user does without a ledger; else NULL. */
const char *ai_paid_warning(void);

/* What a model costs, and whom it is booked under.  Read-only once set up. */
struct ai_tariff {
	struct ai_price price;
	enum ai_shape shape;
	int64_t max_output; /* tokens; 0: not known */
	int64_t context;    /* likewise */
	char encoding[32];  /* for ai_bpe_open(); "" if not known */
	bool played;        /* a recording answers: nothing is booked */
	struct ai_labels labels;
};

/*
 * For the model as the user typed it, at this provider, with this key (NULL:
 * none).  AI_E_CONFIG: no price is known, or the ledger's options are wrong.
 */
int ai_tariff_init(struct ai_tariff *t, const char *typed, const char *provider,
		   const char *key, struct ai_err *err);

/* Whether calls at it are booked: it costs something, and there is to be a
 * ledger. */
bool ai_tariff_booked(const struct ai_tariff *t);
/* The output limit of a request: what was asked for (0: nothing), but not
 * more than the model can do. */
int64_t ai_tariff_output(const struct ai_tariff *t, int64_t asked);
/*
 * The bounds of a request with so many bytes, so long an answer and these
 * pictures.  A token of text has at least one byte, and there is more syntax
 * in a request than what a provider puts around the messages.  How many tokens
 * a picture has only the provider knows: if nobody says, it may fill the
 * model's context.  AI_E_CONFIG: that is not known either.
 */
int ai_tariff_ask(const struct ai_tariff *t, size_t bytes, int64_t output,
		  struct ai_media media, struct ai_ask *ask,
		  struct ai_err *err);
/* Lowers ask->output, of which nobody has said anything, so that the request
 * may cost no more than cap; or leaves it, if that were too short. */
void ai_tariff_shorten(const struct ai_tariff *t, struct ai_ask *ask,
		       int64_t cap);

/* How long it is until then, in words: "3 hours". ms since 1970. */
void ai_paid_show_left(int64_t ms, char out[40]);

/* How the ledger names a key: it tells keys apart, and tells none. */
void ai_key_label(const char *key, char label[40]);

/* ---- paying ------------------------------------------------------------------ */

/* Of one thread, for all its requests; { NULL } is one that is not open. */
struct ai_payer {
	struct ai_ledger *ledger;
};

void ai_payer_release(struct ai_payer *p);
/* Opens the ledger, if it is not open: for what else stands there. */
int ai_payer_open(struct ai_payer *p, struct ai_err *err);

/* ai_tariff_shorten() to what the budgets of a request allow. */
int ai_payer_shorten(struct ai_payer *p, const struct ai_tariff *t,
		     struct ai_ask *ask, struct ai_err *err);

/* What one attempt holds in the ledger; { 0 } is nothing. */
struct ai_payment {
	unsigned char id[AI_LEDGER_ID];
	bool reserved;
	bool limited;     /* start_ns is its place in a rate limit */
	bool sent;        /* it counts as sent, since it need not wait */
	int64_t worst;
	int64_t start_ns; /* it may not go out before, CLOCK_BOOTTIME */
	int64_t until_ms; /* its wait has to be over then, likewise */
	bool lost;        /* its place, when it was to be sent */
};

/* Whether its place was slept through, because the machine was suspended or the
 * program stopped.  All that have such a place would go out at once, and in a
 * minute that is full: it is to be given back. */
bool ai_payment_is_late(const struct ai_payment *p);

/* How an attempt ended. */
enum ai_end {
	AI_END_UNSENT,   /* nothing left this machine */
	AI_END_LOST,     /* sent, but no answer came: nobody knows its cost */
	AI_END_LEFT,     /* the same, but nobody waited for it: that says
			  * nothing of the server */
	AI_END_REFUSED,  /* an answer that costs nothing: somebody is there */
	AI_END_LIMITED,  /* the same: too many requests */
	AI_END_FAILED,   /* the same, and the server is at fault */
	AI_END_ANSWERED,
};

/* A step of an attempt's way through the ledger. */
struct ai_pay {
	enum {
		AI_PAY_RESERVE, /* its worst case, for ask, within left_s */
		AI_PAY_SENT,    /* before its first byte goes out */
		AI_PAY_VOID,    /* it does not go out */
		AI_PAY_SETTLE,  /* it has ended */
	} what;
	struct ai_payment *payment;
	const struct ai_tariff *tariff;
	struct ai_ask ask;        /* AI_PAY_RESERVE, and the three below */
	int64_t most;             /* nano-dollars that it may cost; 0: as
				   * budgets allow */
	double left_s;
	const char *key;          /* its label; NULL: the tariff's */
	bool of_key;              /* out: with another key it may be granted */
	int64_t held;             /* out: so much, of what calls under way hold,
				   * is missing in a budget; 0: no matter */
	enum ai_end end;          /* AI_PAY_SETTLE, and the rest */
	struct ai_value usage;    /* the provider's; any kind but an object:
				   * not told, and the worst case stands */
	const struct ai_meter *meter; /* what usage says, if that has been read;
				   * else NULL */
	double retry_after_s;     /* as the provider asked, or negative */
	int64_t attempt;          /* 1: the first */
	double latency_s, ttft_s; /* until its end, until its first text;
				   * 0 or negative: not known */
	bool unusable;            /* an answer, and of no use */
	/* A batch's line: its journal learns of AI_PAY_RESERVE, and of the
	 * answer (p NULL: there is none) at AI_PAY_SETTLE.  NULL: no batch. */
	const struct ai_batch *batch;
	struct ai_batch_line line;
	struct ai_span answer;
	int64_t cost;             /* out: nano-dollars */
	/*
	 * 0: done.  1, AI_PAY_SENT only: it may not go out any more, since
	 * its provider asked to wait or failed too often meanwhile; reserve
	 * anew.  -1: err; of AI_PAY_RESERVE AI_E_BUDGET, AI_E_TRY_LATER (a
	 * limit), AI_E_UNAVAILABLE (the breaker is open), AI_E_CONFIG (no
	 * such tier), or what is wrong with the ledger.
	 */
	int rc;
	struct ai_err err;
};

/* What an answer with this meter would cost there; 0: nobody knows. */
int64_t ai_tariff_cost(const struct ai_tariff *t, const struct ai_meter *m);
/* Books answers from the cache, each with what it would have cost.  Without a
 * ledger, or if it cannot be written, nothing is booked. */
void ai_payer_hits(struct ai_payer *p, const struct ai_hit *hits, size_t n);

/* What AI_PAY_SETTLE will put into cost. */
int64_t ai_pay_cost(const struct ai_pay *pay);

/* Takes all steps, those that need the ledger in one transaction.  Each has
 * its own result. */
void ai_payer_do(struct ai_payer *p, struct ai_pay *const *steps, size_t n);

#endif
