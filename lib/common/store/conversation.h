/*
 * conversation.h: what was said, by turns, so that a later call can go on.
 *
 * A conversation has a name and belongs to a tenant and a user ("" for
 * neither): the same name of another user is another one.  It goes when its
 * user is forgotten.
 */
#ifndef AI_STORE_CONVERSATION_H
#define AI_STORE_CONVERSATION_H

#include "base/str.h"
#include "store/ledger.h"

#define AI_CONVERSATION_MESSAGES 10000 /* at most */

struct ai_conversation {
	const char *name, *tenant, *user;
};

struct ai_message {
	const char *role;       /* "system", "user", "assistant", "tool" */
	struct ai_span content; /* a JSON value, as a request has it */
	int64_t amount;         /* nano-dollars that it cost */
	int64_t created;        /* ms; of one that is read */
};

/*
 * Appends messages, all or none.  known: how many there were when the caller
 * read it (0: it is to be new); -1: no matter.  AI_E_TRY_LATER: somebody has
 * added to it since.
 */
int ai_conversation_add(struct ai_ledger *l, const struct ai_conversation *c,
			int64_t known, const struct ai_message *m, size_t n,
			struct ai_err *err);
/* Calls each() with every message, oldest first; what it returns ends it
 * unless it is 0.  How many there were; 0 also if there is no such
 * conversation. */
int64_t ai_conversation_read(struct ai_ledger *l,
			     const struct ai_conversation *c,
			     int (*each)(void *arg, const struct ai_message *m),
			     void *arg, struct ai_err *err);
/* One that is kept. */
struct ai_conversation_state {
	const char *name;
	int64_t messages, amount; /* amount: nano-dollars of all of them */
	int64_t created, changed; /* ms */
};
/* Calls each() with every conversation of this tenant and user, by name; what
 * it returns ends it unless it is 0. */
int ai_conversation_list(struct ai_ledger *l, const char *tenant,
			 const char *user,
			 int (*each)(void *arg,
				     const struct ai_conversation_state *c),
			 void *arg, struct ai_err *err);
/* 1: it was there, 0: not. */
int ai_conversation_remove(struct ai_ledger *l,
			   const struct ai_conversation *c,
			   struct ai_err *err);

#endif
