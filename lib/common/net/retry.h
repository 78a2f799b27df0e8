/*
 * retry.h: whether to try again, and when.
 *
 * The delay before retry n (from 0) is drawn evenly from 1 s up to 2^(n+1) s,
 * but never more than 60 s: "full jitter", so that a herd of cron jobs does
 * not come back as a herd.  A Retry-After of the server is a floor, not a
 * hint: at most a tenth is added to it.  No wait reaches beyond the deadline.
 *
 *	struct ai_retry r;
 *
 *	ai_retry_init(&r, 3, 600, NULL);
 *	do
 *		rc = try(ai_retry_left(&r), &wait_s);
 *	while (rc < 0 && worth_it && ai_retry_wait(&r, wait_s));
 */
#ifndef AI_NET_RETRY_H
#define AI_NET_RETRY_H

#include <stdbool.h>

#define AI_RETRY_MIN_S 1.0
#define AI_RETRY_MAX_S 60.0

/* Time and chance, replaceable by the tests. */
struct ai_retry_clock {
	double (*now)(void *arg);             /* seconds, never going back */
	void (*sleep)(void *arg, double s);
	double (*chance)(void *arg);          /* evenly from [0, 1) */
	void *arg;
};

struct ai_retry {
	int left;          /* retries still allowed */
	int done;          /* retries made */
	double deadline;   /* on the clock */
	const struct ai_retry_clock *clock;
};

/* timeout_s bounds all tries and waits together. clock NULL: the real one. */
void ai_retry_init(struct ai_retry *r, int retries, double timeout_s,
		   const struct ai_retry_clock *clock);

/* Seconds until the deadline; 0 or less: it has passed. */
double ai_retry_left(const struct ai_retry *r);

/*
 * After a failed try: how long to wait before the next one, in seconds; or
 * negative: there is none.
 */
double ai_retry_next(struct ai_retry *r, double retry_after_s);

/*
 * The same, but sleeps and returns true if there is another one, or
 * returns false at once.  retry_after_s is what the server asked for, or
 * negative.
 */
bool ai_retry_wait(struct ai_retry *r, double retry_after_s);

/*
 * Whether an HTTP status is worth another try: 408, 409 (a lock at the
 * provider), 425, 429 and all of 5xx but 501 and 505.
 */
bool ai_retry_status(long status);

#endif
