/*
 * cache.h: answers that were paid for, to be used again.
 *
 * They stand in the ledger's file.  To look one up opens no transaction; that
 * it was found is booked (AI_LEDGER_HIT) without a sync; to keep one is durable with the next commit of the ledger
 * that is (the settling of the call it came from).  Entries end by age, and
 * the oldest ones go when all together pass the limit.
 */
#ifndef AI_STORE_CACHE_H
#define AI_STORE_CACHE_H

#include "base/buf.h"
#include "base/str.h"
#include "store/ledger.h"

#define AI_CACHE_KEY 32
#define AI_CACHE_BYTES ((int64_t)64 << 20) /* the limit, if none is set */
/* A larger answer is not kept: a few of them would be the whole cache. */
#define AI_CACHE_VALUE ((size_t)8 << 20)

/*
 * The key of a request, from parts whose borders count: where it goes, the
 * tenant, and the body as it is sent, so that every parameter that changes
 * the answer changes the key.
 */
void ai_cache_key(const struct ai_span *parts, size_t n,
		  unsigned char key[AI_CACHE_KEY]);

/* 1: the answer is appended to out; 0: there is none, or it is too old. */
int ai_cache_get(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		 struct ai_buf *out, struct ai_err *err);
/* Keeps it for ttl_ms, and for as long as its user ("": nobody) is not
 * forgotten.  An older answer to the same request goes. */
int ai_cache_put(struct ai_ledger *l, const unsigned char key[AI_CACHE_KEY],
		 struct ai_span answer, int64_t ttl_ms, const char *user,
		 struct ai_err *err);
/* The same of many, in one transaction. */
struct ai_cache_item {
	unsigned char key[AI_CACHE_KEY];
	struct ai_span answer;
};
int ai_cache_put_many(struct ai_ledger *l, const struct ai_cache_item *items,
		      size_t n, int64_t ttl_ms, const char *user,
		      struct ai_err *err);
/* All together pass no more than this from the next put on; 0: the usual. */
void ai_cache_limit(struct ai_ledger *l, int64_t bytes);
/* Removes those that are too old, or all. */
int ai_cache_prune(struct ai_ledger *l, bool all, struct ai_err *err);
int ai_cache_size(struct ai_ledger *l, int64_t *entries, int64_t *bytes,
		  struct ai_err *err);

#endif
