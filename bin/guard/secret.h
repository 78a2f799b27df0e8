/* secret.h: what else is looked at when a rule for secrets has matched. */
#ifndef GUARD_SECRET_H
#define GUARD_SECRET_H

#include "base/str.h"
#include "rules.h"

/* Bits a byte, as the bytes of the secret are distributed. */
double guard_entropy(struct ai_span secret);

/*
 * What a check makes of a secret: how sure it is now, from how sure the rule
 * is, 0 if it is none; *reason becomes what it saw (static).
 */
double guard_check_secret(enum guard_check check, struct ai_span secret,
			  double score, const char **reason);

#endif
