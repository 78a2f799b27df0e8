/*
 * sandbox.h: where the programs of tools run: their folders, their environment
 * and their cage.
 */
#ifndef AGENT_SANDBOX_H
#define AGENT_SANDBOX_H

#include "record/json.h"

#include "cage/cage.h"
#include "cage/scratch.h"
#include "strlist.h"

#include <stdbool.h>
#include <stdint.h>

enum agent_sandbox_mode {
	AGENT_SANDBOX_ON,      /* what the kernel cannot hold is told */
	AGENT_SANDBOX_REQUIRE, /* ... is an error */
	AGENT_SANDBOX_OFF,
};

/* Of a run; it must live as long as the tools that were made with it. */
struct agent_sandbox {
	enum agent_sandbox_mode mode;
	char *workdir; /* owned; absolute, links followed */
	int abi_max;   /* see cage.h */
	/* Is told, once for each tool that it matters to, what this kernel
	 * cannot hold.  NULL: nobody is. */
	void (*missing)(void *arg, const char *tool, const char *what);
	void *arg;
	struct agent_scratch scratch; /* made when the first program starts,
				       * gone with release */
};

/* AI_E_OPEN: there is no such folder. */
int agent_sandbox_init(struct agent_sandbox *s, const char *workdir,
		       enum agent_sandbox_mode mode, struct ai_err *err);
void agent_sandbox_release(struct agent_sandbox *s);

#define AGENT_PORTS_MAX 16

/* What one program may, beside what all may: read programs and libraries, read
 * the workdir, write to the folder for temporary files. */
struct agent_wish {
	bool off;            /* no cage */
	struct agent_strings read, write; /* absolute */
	uint16_t ports[AGENT_PORTS_MAX];
	size_t n_ports;
	bool network;
	bool any_port; /* where the kernel cannot hold ports, any may be used:
			* for programs whose arguments are ours */
	int64_t cpu_s, memory, file_size, files, processes, write_total;
};

/* From the "sandbox" of a tools file, which satisfies data/schema/tools.json;
 * AI_NONE is {}.  Relative paths are below workdir. */
int agent_wish_read(struct agent_wish *w, struct ai_value sandbox,
		    const char *workdir, struct ai_err *err);
void agent_wish_release(struct agent_wish *w);

/*
 * The cage of a program (argv[0]) of a tool; *cage is NULL where there shall
 * be none.  The caller frees it.  AI_E_CONFIG: "require", and the kernel lacks
 * something or the tool wants none.
 */
int agent_sandbox_cage(struct agent_sandbox *s, const struct agent_wish *w,
		       const char *tool, const char *program,
		       struct agent_cage **cage, struct ai_err *err);

/* "NAME=value" of {"NAME":"value","OTHER":{"from":"NAME"}}, appended.
 * AI_E_CONFIG: our own environment has no such name. */
int agent_env_read(struct agent_strings *env, struct ai_value object,
		   struct ai_err *err);
/* All that a program gets: PATH, LANG, LC_*, TZ as we have them, HOME and
 * TMPDIR (both the folder for temporary files), TERM=dumb, AI_IDEMPOTENCY_KEY
 * (unless key is NULL), and its own, which go before those. */
int agent_sandbox_env(struct agent_sandbox *s, const struct agent_strings *own,
		      const char *key, struct agent_strings *env,
		      struct ai_err *err);

#endif
