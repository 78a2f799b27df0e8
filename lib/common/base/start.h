/*
 * start.h: how every program starts and ends.
 *
 * Each bin/X/main.c defines ai_program; main() stands once, in start.c.  It
 * makes sure that descriptors 0 to 2 are open, reads the options from their
 * layers, answers --help, --version, --dump-options and --print-config,
 * calls run() and turns an error into a message and an exit status.
 */
#ifndef AI_BASE_START_H
#define AI_BASE_START_H

#include "base/err.h"
#include "base/opt.h"

struct ai_program {
	const char *name;     /* "ai-chunk" */
	const char *summary;  /* one line, as in the man page's NAME */
	const char *synopsis; /* lines behind the name, '\n' between them */
	const char *examples; /* for --help: lines that can be pasted */
	const struct ai_opt *const *options; /* NULL-terminated tables */
	const struct ai_verb *verbs;         /* or NULL */
	/* Applies the configuration file; record/config.c has the one. */
	int (*configure)(struct ai_opts *o, struct ai_err *err);
	/*
	 * Does the work.  Returns an exit status, or -1 with err, which
	 * start.c prints and turns into the status of its code.
	 */
	int (*run)(int argc, char **argv, struct ai_err *err);
};

extern const struct ai_program ai_program;

/* The options of the running program; for run() and what it calls. */
extern struct ai_opts ai_start_opts;

/* Whether a flag, not some weaker layer, set the option at this place. */
bool ai_start_given(const void *to);
/* Whether anybody has set it: a flag, the environment, the configuration. */
bool ai_start_said(const void *to);

/* Where the value of the option at this place comes from, for a message:
 * "--policy", "AI_GUARD_POLICY", or the key in the configuration.  Returns the
 * code of a mistake in it: AI_E_USAGE for a flag, else AI_E_CONFIG. */
enum ai_code ai_start_place(const void *to, char *place, size_t size);

/* The verbs that heed an option, with '|' around each: "|add|delete|". */
struct ai_opt_use {
	const void *to; /* NULL ends a table */
	const char *verbs;
};
/* The first option of the table that a flag set and that this verb does not
 * heed; NULL: none.  Options that stand in no row are for all verbs. */
const struct ai_opt *ai_start_misplaced(const struct ai_opt_use *uses,
					const char *verb);

/*
 * The options all programs have stand in start.c (--config, --profile,
 * --log-format, -q, -v and those that print something instead of running).
 * Two of them matter to record/config.c.
 */
struct ai_start_settings {
	const char *config;  /* --config, or NULL */
	const char *profile; /* --profile, or NULL */
};
/* In opt.c: who links record/config.c need not take our main(). */
extern struct ai_start_settings ai_start;

#define AI_START_TABLES_MAX 16

#endif
