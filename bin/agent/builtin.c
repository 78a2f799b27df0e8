#include "builtin.h"

#include "base/utf8.h"

#include "address.h"

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

/* ---- arguments ------------------------------------------------------------ */

struct ai_value agent_call_args(const struct agent_call *c)
{
	struct ai_value v;

	ai_json_check(c->args.p, c->args.n, &v, NULL);
	return v;
}

static struct ai_value get(const struct agent_call *c, const char *name)
{
	return ai_json_member(agent_call_args(c), ai_span_of(name));
}

int agent_call_text(const struct agent_call *c, const char *name,
		    const char *absent, struct ai_buf *text,
		    struct ai_err *err)
{
	struct ai_value v = get(c, name);

	ai_buf_clear(text);
	if (v.kind == AI_STRING)
		ai_json_text(v, text);
	else
		ai_buf_str(text, absent);
	ai_buf_add(text, "", 0);
	if (ai_buf_check(text, name, err) < 0)
		return -1;
	if (memchr(text->p, '\0', text->len) == NULL)
		return 0;
	return ai_err_set(err, AI_E_RECORD, "'%s' has a NUL in it", name);
}

int64_t agent_call_number(const struct agent_call *c, const char *name,
			  int64_t absent)
{
	int64_t n;

	return ai_json_i64(get(c, name), &n) == 0 ? n : absent;
}

bool agent_call_flag(const struct agent_call *c, const char *name)
{
	struct ai_value v = get(c, name);

	return v.kind == AI_BOOL && ai_json_true(v);
}

void agent_put_name(struct ai_buf *out, const char *name)
{
	size_t n = strlen(name), at = 0, len;

	while (at < n) {
		len = ai_utf8_len(name + at, n - at);
		if (len == 0 || (unsigned char)name[at] < ' ' ||
		    name[at] == 127)
			ai_buf_str(out, "\xEF\xBF\xBD");
		else
			ai_buf_add(out, name + at, len);
		at += len > 0 ? len : 1;
	}
}

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
		.sends = row->sends, .trusted = row->trusted, .targets = row->targets,
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
