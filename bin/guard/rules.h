/* rules.h: rules for secrets; data/guard/secrets.rules says what they say. */
#ifndef GUARD_RULES_H
#define GUARD_RULES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "text/match.h"

#include <stdbool.h>

#define GUARD_RULES_MAX 4096
#define GUARD_REACH_MAX 65535

enum guard_form { GUARD_NONE, GUARD_START, GUARD_NAME, GUARD_NEAR, GUARD_LINES };
/* From GUARD_GENERIC on: told only if no other rule knows better. */
enum guard_check {
	GUARD_NO_CHECK, GUARD_GITHUB, GUARD_JWT, GUARD_GENERIC, GUARD_PASSWORD,
	GUARD_BASIC, GUARD_LAST
};

/* Strings may be NULL where nothing was said. */
struct guard_rule {
	const char *name;
	const char *pattern; /* whole, for PCRE2 */
	const char *literal; /* what a match begins with, exactly; or "" */
	const char *unless, *unless_name;
	double entropy, score;
	unsigned before, reach;
	unsigned slack;      /* bytes of the name behind the key, at most */
	enum guard_form form;
	enum guard_check check;
	bool word;           /* a match begins where a word does */
	size_t line;         /* of its [NAME]; 0 in what the build made */
};

/* Rules, their keys, and the automaton that finds these. */
struct guard_rules {
	const struct guard_rule *rules;
	size_t n;
	const unsigned short *rule_of;   /* of each key */
	const unsigned char *length_of;
	const struct ai_match *match;
};

/* What the build makes of data/guard/secrets.rules and code.rules. */
extern const struct guard_rules guard_secret_rules, guard_code_rules;

/* Rules while they are read.  Owns everything. */
struct guard_rules_text {
	struct guard_rule *rules;
	size_t n, cap;
	struct guard_key { char *word; unsigned short rule; } *keys;
	size_t n_keys, keys_cap;
};

/* Reads rules.  -1: AI_E_DATA with the number of the line, AI_E_MEMORY. */
int guard_rules_read(struct guard_rules_text *t, struct ai_span text,
		     struct ai_err *err);
void guard_rules_release(struct guard_rules_text *t);

#endif
