/*
 * policy.h: what is done about what is found, and what is not looked for.
 *
 * A policy is a list of rules, in order: those of the named policy, of the
 * configuration and of the command line.  Of the rules that fit a finding the
 * last one decides.  It is made once, before the workers start, and only read
 * from then on.
 *
 *	[CONTEXT:]KIND[/RULE][@RATE]=ACTION    tool:injection@.01=block
 *	[[CONTEXT:]KIND=]RATE                  document:injection=.005
 */
#ifndef GUARD_POLICY_H
#define GUARD_POLICY_H

#include "guard.h"

struct guard_policy_settings {
	const char *name;          /* --policy */
	struct ai_opt_list action; /* --action */
	struct ai_opt_list rate;   /* --rate */
	struct ai_opt_list allow;  /* --allow */
	struct ai_opt_list files;  /* --allow-file */
	bool redact;               /* --redact */
};
extern struct guard_policy_settings guard_policy_settings;
extern const struct ai_opt guard_policy_options[];

/* Makes the policy of the settings and the configuration.  AI_E_USAGE,
 * AI_E_CONFIG, AI_E_OPEN: the message names the place of the mistake. */
int guard_policy_load(struct ai_err *err);
void guard_policy_unload(void);
/* The policy's name. */
const char *guard_policy_name(void);

/* ---- the parts of it ------------------------------------------------------------ */

/* One more rule, behind the others.  place names it in messages and reasons;
 * code is that of a mistake in it. */
int guard_policy_add(const char *rule, const char *place, enum ai_code code,
		     struct ai_err *err);
/* What is allowed, to add to. */
struct guard_allow *guard_policy_allow(void);
/* After the last; before the first question. */
void guard_policy_ready(void);

/* ---- for detectors ------------------------------------------------------------- */

/* The rate of false positives that findings of the kind may have: a detector
 * that knows the rates of its scores notes those at most as frequent.  Before
 * a policy is loaded it is that of the balanced one. */
double guard_policy_rate(enum guard_context context, enum guard_kind kind);
/* Whether anything is done about any finding of the kind. */
bool guard_policy_wants(enum guard_context context, enum guard_kind kind);
/* Whether anything may have to be replaced in a text. */
bool guard_policy_redacts(void);
/* Whether anything may have to be taken away: redacted, blocked or dropped. */
bool guard_policy_withholds(void);
/* Whether a host may stand in what a model writes. */
bool guard_policy_host(const char *host, size_t n);
/* Whether there is any that may: then no others are meant to. */
bool guard_policy_hosts(void);

/* ---- for guard.c ------------------------------------------------------------------ */

/* Sets x->action by the rules, and GUARD_PASS for what is allowed.  text is
 * all of the original.  by (may be NULL) becomes the rule or the entry that
 * decided, for people. */
void guard_policy_decide(enum guard_context context, struct ai_span text,
			 struct guard_finding *x, const char **by);
/* While a thread is lenient, guard_policy_rate() tells it a rate that finds
 * what has almost been found: for --explain. */
void guard_policy_lenient(bool lenient);

/* ---- what both files of rules share ---------------------------------------------- */

/* What a rule is about. */
struct guard_scope {
	int context, kind; /* -1: any */
	char *rule;        /* owned; NULL: any */
	double least;      /* score */
};
/* Reads "[CONTEXT:]KIND[/RULE][@RATE]"; the empty text is everything. */
int guard_scope_read(struct guard_scope *s, struct ai_span text,
		     const char *place, enum ai_code code, struct ai_err *err);
void guard_scope_release(struct guard_scope *s);
bool guard_scope_fits(const struct guard_scope *s, enum guard_context context,
		      const struct guard_finding *x);

#endif
