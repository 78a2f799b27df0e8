/*
 * err.h: the one table of everything that can go wrong.
 *
 * A row gives the enumerator, the "code" of a JSON error object, the exit
 * status, whether trying again may help, and the line the man page prints.
 * tests/lint compares the table with aiutils(7).
 *
 * Convention of the whole library: a function that can fail returns 0 or -1
 * and fills a struct ai_err; ai_err_set() returns -1, so that
 *
 *	return ai_err_set(err, AI_E_OPEN, "cannot open '%s'", path);
 *
 * is one line.  The library never prints and never exits.
 */
#ifndef AI_BASE_ERR_H
#define AI_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses: sysexits(3) where it has the meaning, else our own. */
enum ai_exit {
	AI_EXIT_OK = 0,
	AI_EXIT_NO = 1,
	AI_EXIT_RECORD = 2,
	AI_EXIT_BUDGET = 3,
	AI_EXIT_PARKED = 4,
	AI_EXIT_USAGE = 64,
	AI_EXIT_DATA = 65,
	AI_EXIT_OPEN = 66,
	AI_EXIT_UNAVAILABLE = 69,
	AI_EXIT_BUG = 70,
	AI_EXIT_OS = 71,
	AI_EXIT_CREATE = 73,
	AI_EXIT_IO = 74,
	AI_EXIT_TEMPFAIL = 75,
	AI_EXIT_NOPERM = 77,
	AI_EXIT_CONFIG = 78,
};

#define AI_ERR_TABLE(X)                                                        \
	X(AI_E_JSON, "invalid_json", AI_EXIT_RECORD, false,                    \
	  "the line is not one JSON object")                                   \
	X(AI_E_UTF8, "invalid_utf8", AI_EXIT_RECORD, false,                    \
	  "the input is not UTF-8")                                            \
	X(AI_E_TOO_LONG, "too_long", AI_EXIT_RECORD, false,                    \
	  "the line, text or answer exceeds its limit")                        \
	X(AI_E_RECORD, "invalid_record", AI_EXIT_RECORD, false,                \
	  "a member is missing or has the wrong type")                         \
	X(AI_E_DOCUMENT, "unreadable_document", AI_EXIT_RECORD, false,         \
	  "a document cannot be opened, is binary, or has no converter")       \
	X(AI_E_REJECTED, "request_rejected", AI_EXIT_RECORD, false,            \
	  "the provider refused the request as wrong")                         \
	X(AI_E_ANSWER, "invalid_answer", AI_EXIT_RECORD, false,                \
	  "the provider's answer makes no sense")                              \
	X(AI_E_BLOCKED, "blocked", AI_EXIT_RECORD, false,                      \
	  "a guard's policy stops the record")                                 \
	X(AI_E_LIMIT, "limit", AI_EXIT_RECORD, false,                          \
	  "a limit of the run has ended it")                                   \
	X(AI_E_BUDGET, "budget_exceeded", AI_EXIT_BUDGET, false,               \
	  "a budget refused the request")                                      \
	X(AI_E_PARKED, "parked", AI_EXIT_PARKED, false,                        \
	  "the run waits for a decision")                                      \
	X(AI_E_USAGE, "usage", AI_EXIT_USAGE, false,                           \
	  "the command line is wrong")                                         \
	X(AI_E_DATA, "unusable_input", AI_EXIT_DATA, false,                    \
	  "an index or data file cannot be used")                              \
	X(AI_E_OPEN, "cannot_open", AI_EXIT_OPEN, false,                       \
	  "an input file cannot be opened")                                    \
	X(AI_E_UNAVAILABLE, "unavailable", AI_EXIT_UNAVAILABLE, true,          \
	  "the provider cannot be reached or failed")                          \
	X(AI_E_BUG, "internal", AI_EXIT_BUG, false,                            \
	  "a mistake in the program itself")                                   \
	X(AI_E_MEMORY, "out_of_memory", AI_EXIT_OS, true,                      \
	  "memory ran out")                                                    \
	X(AI_E_OS, "system", AI_EXIT_OS, true,                                 \
	  "the operating system refused something")                            \
	X(AI_E_CREATE, "cannot_create", AI_EXIT_CREATE, false,                 \
	  "an output file or folder cannot be created")                        \
	X(AI_E_IO, "io", AI_EXIT_IO, false,                                    \
	  "reading or writing failed")                                         \
	X(AI_E_TRY_LATER, "try_later", AI_EXIT_TEMPFAIL, true,                 \
	  "a rate limit or a lock; try again later")                           \
	X(AI_E_NOT_ALLOWED, "not_allowed", AI_EXIT_NOPERM, false,              \
	  "the key is missing or was refused")                                 \
	X(AI_E_CONFIG, "configuration", AI_EXIT_CONFIG, false,                 \
	  "the configuration is wrong or incomplete")

enum ai_code {
	AI_E_NONE = 0,
#define AI_ERR_ENUM(sym, name, status, retry, text) sym,
	AI_ERR_TABLE(AI_ERR_ENUM)
#undef AI_ERR_ENUM
	AI_E_COUNT
};

struct ai_err {
	enum ai_code code;
	double retry_after_s; /* seconds; negative: not known */
	char msg[400];        /* one line, no capital, no full stop */
};

/* The JSON code, exit status and advice that belong to an error. */
const char *ai_code_name(enum ai_code code);
const char *ai_code_text(enum ai_code code);
enum ai_exit ai_code_exit(enum ai_code code);
bool ai_code_retryable(enum ai_code code);

/* The code with this name (n bytes), or AI_E_NONE. */
enum ai_code ai_code_from_name(const char *name, size_t n);

/* The first code with this exit status, or AI_E_NONE: what another program
 * of ours means by how it ended. */
enum ai_code ai_code_from_exit(int status);

/* Fills err (which may be NULL) and returns -1. */
int ai_err_set(struct ai_err *err, enum ai_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": strerror(errnum)" after the message. */
int ai_err_sys(struct ai_err *err, enum ai_code code, int errnum,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Out of memory, the most frequent message. Returns -1. */
int ai_err_nomem(struct ai_err *err);

#endif
