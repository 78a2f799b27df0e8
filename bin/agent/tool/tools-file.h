/*
 * tools-file.h: tools that are declared in a JSON file (data/schema/tools.json;
 * // and slash-star comments may stand in it): programs, and the MCP servers
 * whose tools somebody else will ask for.
 */
#ifndef AGENT_TOOLS_FILE_H
#define AGENT_TOOLS_FILE_H

#include "cage/sandbox.h"
#include "tool/tool.h"

/* One of "mcpServers", as it stands there; only that it is an object was
 * checked. */
struct agent_server {
	char *name;  /* owned */
	char *where; /* owned; "FILE:LINE: mcpServers.NAME", for messages */
	char *spec;  /* owned; a JSON object, without comments and blanks */
};

struct agent_servers {
	struct agent_server *v;
	size_t n;
};

void agent_servers_release(struct agent_servers *s);

/*
 * Adds what a file declares; several may be read one after the other.  The
 * sandbox must live as long as the tools.  -1: AI_E_OPEN; AI_E_CONFIG says the
 * file, the line and the place ("tools.json:12: tools.1.parameters: ...").
 */
int agent_tools_read(struct agent_tools *t, const char *path,
		     struct agent_sandbox *sandbox,
		     struct agent_servers *servers, struct ai_err *err);
/* The same of a text, in which comments become blanks.  name is for messages;
 * programs with a slash in their name are looked for in dir. */
int agent_tools_parse(struct agent_tools *t, char *text, size_t n,
		      const char *name, const char *dir,
		      struct agent_sandbox *sandbox,
		      struct agent_servers *servers, struct ai_err *err);

#endif
