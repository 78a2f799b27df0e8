#include "tool/builtin.h"

#include "tool/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct agent_builtin *const rows[] = {
	&agent_builtin_read_file, &agent_builtin_list_files,
	&agent_builtin_search_files, &agent_builtin_write_file,
	&agent_builtin_patch_file, &agent_builtin_http_get,
	&agent_builtin_calc, &agent_builtin_ask_user,
};

#define ROWS (sizeof rows / sizeof rows[0])

/* ---- adding ---------------------------------------------------------------- */

static void free_builtins(void *p)
{
	struct agent_builtins *b = p;

	if (b->folder.fd >= 0)
		close(b->folder.fd);
	agent_strings_release(&b->hosts);
	free(b);
}

static int add_row(struct agent_tools *t, const struct agent_builtin *row,
		   struct agent_builtins *b, struct ai_err *err)
{
	struct agent_tool tool = {
		.name = row->name, .description = row->description,
		.parameters = ai_span_of(row->parameters), .kind = row->kind,
		.effect = row->effect, .writes = row->writes,
		.sends = row->sends, .trusted = row->trusted,
		.person = row->person, .targets = row->targets,
		.serial = row->serial, .timeout_s = row->timeout_s,
		.max_output = row->max_output, .max_calls = -1, .of = b,
	};

	return agent_tools_add(t, &tool, "built-in tools", err);
}

static int add_named(struct agent_tools *t, const char *name,
		     struct agent_builtins *b, struct ai_err *err)
{
	const char *names[ROWS], *near;

	for (size_t i = 0; i < ROWS; i++) {
		names[i] = rows[i]->name;
		if (strcmp(name, names[i]) != 0)
			continue;
		if (rows[i]->needs_hosts && b->hosts.n == 0)
			return ai_err_set(err, AI_E_USAGE, "'%s' needs to know "
					  "the hosts it may ask: --allow-host",
					  name);
		return add_row(t, rows[i], b, err);
	}
	near = ai_nearest(name, names, ROWS);
	return ai_err_set(err, AI_E_USAGE, "there is no built-in tool '%.80s'"
			  "%s%s%s", name, near == NULL ? "" :
			  "; did you mean '", near == NULL ? "" : near,
			  near == NULL ? "" : "'?");
}

static int add_all(struct agent_tools *t, struct agent_builtins *b,
		   struct ai_err *err)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((!rows[i]->needs_hosts || b->hosts.n > 0) &&
		    add_row(t, rows[i], b, err) < 0)
			return -1;
	return 0;
}

int agent_builtins_add(struct agent_tools *t,
		       const struct agent_builtin_settings *s,
		       struct ai_err *err)
{
	struct agent_builtins *b = calloc(1, sizeof *b);

	if (b == NULL)
		return ai_err_nomem(err);
	b->sandbox = s->sandbox;
	b->folder = (struct agent_folder){ -1, s->sandbox->workdir };
	if (agent_tools_own(t, b, free_builtins, err) < 0)
		return -1;
	b->folder.fd = open(b->folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->folder.fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open the "
				  "folder '%.200s'", b->folder.path);
	for (size_t i = 0; s->hosts != NULL && s->hosts[i] != NULL; i++)
		if (agent_host_check(s->hosts[i], err) < 0 ||
		    agent_strings_add(&b->hosts, ai_span_of(s->hosts[i]),
				      err) < 0)
			return -1;
	if (s->which == NULL)
		return add_all(t, b, err);
	for (size_t i = 0; s->which[i] != NULL; i++)
		if (add_named(t, s->which[i], b, err) < 0)
			return -1;
	return 0;
}
