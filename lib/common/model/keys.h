/*
 * keys.h: the keys of a provider, and whose turn it is.
 *
 * Keys come from the first of these that is there: a variable
 * (OPENAI_API_KEY), the file that a variable names (OPENAI_API_KEY_FILE), and
 * in the configuration the file of key_file or the program of key_command,
 * which write one key a line.  A file must be ours, and nobody else may read
 * it.  The program is run when the first key is needed, and once a process,
 * whatever comes of it.
 *
 * Keys stand in no message, on no command line and in no record; the ledger
 * knows them by a label (ai_key_label()).
 */
#ifndef AI_MODEL_KEYS_H
#define AI_MODEL_KEYS_H

#include "base/err.h"
#include "model/wire.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>

#define AI_KEYS_MAX 64 /* bits of ai_keyring_next()'s tried */
#define AI_KEY_BYTES 4000

struct ai_key {
	char *text;
	const char *secret; /* AWS: text is the access key's id, and this signs;
			     * NULL: text goes as it is */
	const char *token;  /* AWS: of a key that is lent; it is sent as well;
			     * NULL: none */
	enum ai_auth auth;  /* in which header */
	char label[40];     /* as the ledger names it */
	uint64_t bit;       /* for tried */
};

/* Where a provider's keys are. */
struct ai_keys_from {
	const char *name;        /* of the provider: its keys are read once */
	const char *const *env;  /* two variables; NULL: no (second) one */
	const char *token_env;   /* a variable with a bearer's token; NULL */
	enum ai_auth auth;       /* of the others */
	struct ai_value command; /* AI_NONE: there is none */
	struct ai_value file;
};

/* Of one provider and process; never freed. */
struct ai_keys;

/*
 * Finds them; what is no program's is read at once.  *out NULL: there are
 * none.  AI_E_NOT_ALLOWED: a key that is none, a file that cannot be read or
 * that others can read; the message says what to do.
 */
int ai_keys_find(struct ai_keys **out, const struct ai_keys_from *from,
		 struct ai_err *err);
/* The variables that the keys of a provider are in, two; NULL: there is no
 * second one.  Those of a provider that is not known: AI_API_KEY, which is for
 * the server of --base-url. */
const char *const *ai_key_env(const char *provider);
/* Whether there is anything to take them from; it is not looked at. */
bool ai_keys_named(const struct ai_keys_from *from);
/* The i-th of those that have been read; NULL behind the last. k may be NULL. */
const struct ai_key *ai_keys_at(const struct ai_keys *k, size_t i);

/* Whose turn it is, for one model: what is limited for one may do for another.
 * It goes round, and begins anywhere.  Threads share it. */
struct ai_keyring;

/* NULL with AI_E_MEMORY. keys may be NULL. */
struct ai_keyring *ai_keyring_new(struct ai_keys *keys, struct ai_err *err);
void ai_keyring_free(struct ai_keyring *r); /* NULL is fine */
/*
 * The key for an attempt of a call that has been refused with those whose bits
 * are in tried: the next one that is not set aside, or if all are, that which
 * is so for the shortest time.  *key NULL: there are none.  -1:
 * AI_E_NOT_ALLOWED, the program has not given any.
 */
int ai_keyring_next(struct ai_keyring *r, uint64_t tried,
		    const struct ai_key **key, struct ai_err *err);
/* The key is of no use for so many seconds (HUGE_VAL: at all). */
void ai_keyring_set_aside(struct ai_keyring *r, const struct ai_key *key,
			  double s);
/* Whether there is another key than those tried that is not set aside. */
bool ai_keyring_has(struct ai_keyring *r, uint64_t tried);
/* Seconds until one is not set aside any more; HUGE_VAL: never. */
double ai_keyring_wait(struct ai_keyring *r);

/* Where a secret stands in bytes from elsewhere, as it is or as JSON may have it
 * (with a backslash before each slash), and how long that is.  NULL: nowhere. */
char *ai_key_in(char *p, size_t n, const char *secret, size_t *len);
/* Takes a secret out of a message: each word that holds it, or begins like it
 * and was masked with asterisks. */
void ai_key_hide(char *msg, const char *secret);

#endif
