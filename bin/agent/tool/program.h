/* program.h: a tool that is a program, run for each call. */
#ifndef AGENT_PROGRAM_H
#define AGENT_PROGRAM_H

#include "cage/sandbox.h"
#include "tool/template.h"
#include "tool/tool.h"

enum agent_stdin { AGENT_STDIN_NONE, AGENT_STDIN_TEXT, AGENT_STDIN_JSON };

/* What agent_tool.of points to. */
struct agent_program {
	struct agent_sandbox *sandbox; /* borrowed */
	struct agent_template command, input, verify;
	enum agent_stdin takes;
	char *file;               /* owned; what is run */
	char *workdir;            /* owned; it begins there */
	struct agent_strings env; /* its own */
	struct agent_wish wish;
	struct agent_cage *cage;  /* made by the first call */
	bool caged;               /* it is made, or none is wanted */
	char *database, *table;   /* owned; of AGENT_TRANSACTIONAL, else NULL */
};

extern const struct agent_tool_kind agent_program_kind;

/* Makes the cage now rather than with the first call, to hear of what would
 * refuse it. */
int agent_program_cage(struct agent_program *p, const char *tool,
		       struct ai_err *err);
/* Of the struct and what is in it. */
void agent_program_free(void *program);

#endif
