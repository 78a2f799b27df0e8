/* builtin.h: the tools that come with the program. */
#ifndef AGENT_BUILTIN_H
#define AGENT_BUILTIN_H

#include "record/json.h"

#include "tool/below.h"
#include "cage/sandbox.h"
#include "tool/tool.h"

struct agent_builtin_settings {
	struct agent_sandbox *sandbox;   /* its workdir is the tools'; it must
					  * live as long as they */
	const char *const *hosts; /* "host[:port]", "*.host", "*"; NULL ends;
				   * may be NULL */
	const char *const *which; /* names, NULL ends; NULL: all, http_get only
				   * if there are hosts */
};

/* AI_E_USAGE: no built-in has that name, or it cannot work; AI_E_CONFIG, AI_E_OPEN,
 * AI_E_MEMORY. */
int agent_builtins_add(struct agent_tools *t,
		       const struct agent_builtin_settings *s,
		       struct ai_err *err);

/* ---- for builtin-*.c -------------------------------------------------------- */

/* What agent_tool.of of all of them points to. */
struct agent_builtins {
	struct agent_sandbox *sandbox;
	struct agent_folder folder;
	struct agent_strings hosts;
};

/* A row: what is not said is false, NULL or 0. */
struct agent_builtin {
	const char *name, *description, *parameters;
	const struct agent_tool_kind *kind;
	enum agent_effect effect;
	bool writes, sends, trusted, person, serial;
	const char *const *targets;
	double timeout_s;
	int64_t max_output;
	bool needs_hosts;
};

extern const struct agent_builtin agent_builtin_read_file,
	agent_builtin_list_files, agent_builtin_search_files,
	agent_builtin_write_file, agent_builtin_patch_file,
	agent_builtin_http_get, agent_builtin_calc, agent_builtin_ask_user;

/* The arguments, which satisfy the schema; of a call that was checked. */
struct ai_value agent_call_args(const struct agent_call *c);
/* Replaces text by a string argument, or by what it is when it is absent.
 * AI_E_RECORD: a NUL is in it. */
int agent_call_text(const struct agent_call *c, const char *name,
		    const char *absent, struct ai_buf *text,
		    struct ai_err *err);
int64_t agent_call_number(const struct agent_call *c, const char *name,
			  int64_t absent);
bool agent_call_flag(const struct agent_call *c, const char *name);
/* Appends what somebody else chose as a name, on one line. */
void agent_put_name(struct ai_buf *out, const char *name);

#endif
