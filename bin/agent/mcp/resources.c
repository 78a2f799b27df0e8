/* resources.c: resources of MCP servers, as tools that list and read them. */
#include "mcp/int.h"

static const struct {
	enum mcp_what what;
	const char *name, *description, *parameters;
	const char *const *targets;
} rows[] = {
	{ MCP_LIST_RESOURCES, "list_resources",
	  "Lists what this server has to be read: addresses, names and what "
	  "they are. With templates: the forms of addresses that can be "
	  "made. What is more than a page comes with the cursor.",
	  "{\"type\":\"object\",\"properties\":{"
	  "\"templates\":{\"type\":\"boolean\"},"
	  "\"cursor\":{\"type\":\"string\",\"maxLength\":65536}},"
	  "\"additionalProperties\":false}", NULL },
	{ MCP_READ_RESOURCE, "read_resource",
	  "Reads one resource of this server, by its address as list_resources "
	  "gives it.",
	  "{\"type\":\"object\",\"properties\":{"
	  "\"uri\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8192}},"
	  "\"required\":[\"uri\"],\"additionalProperties\":false}",
	  (const char *const[]){ "uri", NULL } },
};
#define ROWS (sizeof rows / sizeof *rows)

/* Both only read; where the server can reach a network, what is asked for may
 * go there. */
static int add(struct mcp_server *s, struct agent_tools *tools, size_t i,
	       struct ai_err *err)
{
	struct mcp_tool *of = mcp_tool_new(s, rows[i].name, rows[i].what, err);
	struct ai_value said = { .s = ai_span_of(rows[i].parameters) };
	struct agent_tool t;

	if (of == NULL)
		return -1;
	mcp_tool_row(s, of, &t);
	t.description = rows[i].description;
	t.parameters = said.s;
	t.effect = AGENT_PURE;
	t.writes = false;
	t.sends = s->entry.networks;
	t.targets = rows[i].targets;
	return mcp_tool_add(s, tools, &t, said, err);
}

int mcp_resources_add(struct mcp_server *s, struct agent_tools *tools,
		      struct ai_err *err)
{
	if (s->reads || !s->can.resources || !s->entry.resources)
		return 0;
	s->reads = true;
	for (size_t i = 0; i < ROWS; i++)
		if (mcp_entry_wants(&s->entry, rows[i].name) &&
		    add(s, tools, i, err) < 0)
			return -1;
	return 0;
}
