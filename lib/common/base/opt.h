/*
 * opt.h: one const table of options a program.
 *
 * The table gives parsing, range errors, --help, --dump-options (from which
 * the completions are generated and the man pages are checked), the
 * environment variables and the configuration keys.  A value goes through
 * ai_opt_set() wherever it comes from, so that a bad value reads the same
 * in a flag, in the environment and in config.json.
 *
 *	static int64_t size;
 *	static const struct ai_opt options[] = {
 *		{ "size", 0, AI_OPT_INT, &size, "N", "characters in a chunk",
 *		  .initial = "1000", .min = 1, .max = 1e6, .key = "chunk.size" },
 *		{ 0 }
 *	};
 */
#ifndef AI_BASE_OPT_H
#define AI_BASE_OPT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ai_opt_type {
	AI_OPT_FLAG,   /* bool *: present or --no-NAME */
	AI_OPT_INT,    /* int64_t *, within min..max; suffixes K M G (1024) */
	AI_OPT_REAL,   /* double *, within min..max */
	AI_OPT_TEXT,   /* const char ** */
	AI_OPT_FILE,   /* const char **; completions offer file names */
	AI_OPT_CHOICE, /* int *: the index within choices */
	AI_OPT_LIST,   /* struct ai_opt_list *: may be given many times */
};

/* The values of an AI_OPT_LIST in the order given; borrowed strings. */
struct ai_opt_list {
	const char **v;
	size_t n;
};

struct ai_opt {
	const char *name; /* long name without dashes; NULL ends the table */
	char letter;      /* the short name, or 0 */
	enum ai_opt_type type;
	void *to;            /* where the value goes; its type as above */
	const char *arg;     /* what --help calls the value; NULL for flags */
	const char *help;    /* one line */
	const char *initial; /* the built-in value as text, or NULL: untouched */
	const char *choices; /* "recursive|markdown", AI_OPT_CHOICE */
	double min, max;     /* AI_OPT_INT and AI_OPT_REAL */
	const char *key;     /* key in config.json: "chunk.size", or NULL */
	const char *env;     /* environment variable, or NULL */
	/* AI_OPT_CHOICE: what the option means without a value, or NULL: it
	 * needs one. The next word is its value only if it is a choice. */
	const char *bare;
};

/* A verb is a first operand that selects what the program does. */
struct ai_verb {
	const char *name; /* NULL ends the table */
	const char *help; /* one line */
};

/* Where a value came from, weakest first. */
enum ai_source {
	AI_SOURCE_NONE,
	AI_SOURCE_BUILTIN,
	AI_SOURCE_CONFIG,
	AI_SOURCE_PROFILE,
	AI_SOURCE_ENV,
	AI_SOURCE_FLAG,
};

/* All options of the running program; set up by base/start.c. */
struct ai_opts {
	const struct ai_opt *const *tables; /* NULL-terminated */
	enum ai_source *source;             /* one an option, in table order */
	size_t n;
	bool operand_first; /* argv began with one: where a verb stands */
};

int ai_opts_init(struct ai_opts *o, const struct ai_opt *const *tables,
		 struct ai_err *err);
void ai_opts_release(struct ai_opts *o);
/* The i-th option over all tables, or NULL behind the last. */
const struct ai_opt *ai_opts_at(const struct ai_opts *o, size_t i);
/* Index of the option with this long name or letter, or -1. */
int ai_opts_find(const struct ai_opts *o, struct ai_span name);
int ai_opts_find_letter(const struct ai_opts *o, char letter);
/* Index of the option that writes to this place, or -1. */
int ai_opts_find_to(const struct ai_opts *o, const void *to);

/*
 * Gives option i a value unless a stronger source already did.  what names
 * the place for messages: "--size", "AI_MODEL", "config.json: chunk.size".
 * The text is borrowed and must live as long as the program.
 */
int ai_opts_set(struct ai_opts *o, size_t i, enum ai_source source,
		const char *text, const char *what, struct ai_err *err);
/* "flag", "int", ...: the word --dump-options prints. */
const char *ai_opt_type_name(enum ai_opt_type type);
/* The value of option i as text, for --print-config; writes to out. */
struct ai_buf;
int ai_opts_show(const struct ai_opts *o, size_t i, struct ai_buf *out);

/*
 * Reads argv: options anywhere, "--" ends them.  *operands gets the rest
 * (pointers into argv; argv is reordered).
 */
int ai_opts_parse(struct ai_opts *o, int argc, char **argv, int *operands,
		  struct ai_err *err);
int ai_opts_from_env(struct ai_opts *o, struct ai_err *err);
int ai_opts_from_builtin(struct ai_opts *o, struct ai_err *err);

#endif
