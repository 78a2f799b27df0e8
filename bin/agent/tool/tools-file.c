#include "tool/tools-file.h"
#include "place.h"

#include "base/path.h"
#include "crypt/hash.h"
#include "record/comment.h"

#include "tool/args.h"
#include "tool/program.h"
#include "tool/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define SCHEMA_MAX ((size_t)1 << 20)
#define TIMEOUT_S 30
#define OUTPUT_MAX 65536
#define PARAMETERS "{\"type\":\"object\",\"properties\":{}," \
	"\"additionalProperties\":false}"

struct reader {
	struct agent_tools *t;
	struct agent_sandbox *sandbox;
	struct agent_servers *servers;
	const char *name, *dir;
	const char *text;
	struct ai_value root;
	struct ai_err *err;
};

/* ---- messages ------------------------------------------------------------- */

static size_t line_of(const struct reader *r, struct ai_value v)
{
	return v.s.p == NULL ? 1 :
		ai_json_line(r->text, (size_t)(v.s.p - r->text));
}

__attribute__((format(printf, 4, 5)))
static int refuse(struct reader *r, struct ai_value v, enum ai_code code,
		  const char *fmt, ...)
{
	char what[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return ai_err_set(r->err, code == AI_E_MEMORY ? code : AI_E_CONFIG,
			  "%.90s:%zu: %s", r->name, line_of(r, v), what);
}

/* ---- a tool --------------------------------------------------------------- */

/* One of "tools" while it is read. */
struct entry {
	size_t n; /* of it, from 0 */
	struct ai_value all, name, description, parameters, command, input,
		allow_dash, timeout_s, max_output, max_calls, effect, writes,
		sends, trusted, targets, serial, workdir, env, sandbox;
	struct agent_program *p;
	struct agent_tool tool;
	struct agent_strings own_targets;
	struct ai_buf name_text, description_text, parameters_text;
};

static void get_members(struct entry *e)
{
	const struct ai_json_want want[] = {
		{ AI_SPAN("name"), &e->name },
		{ AI_SPAN("description"), &e->description },
		{ AI_SPAN("parameters"), &e->parameters },
		{ AI_SPAN("command"), &e->command },
		{ AI_SPAN("stdin"), &e->input },
		{ AI_SPAN("allow_dash"), &e->allow_dash },
		{ AI_SPAN("timeout_s"), &e->timeout_s },
		{ AI_SPAN("max_output"), &e->max_output },
		{ AI_SPAN("max_calls"), &e->max_calls },
		{ AI_SPAN("effect"), &e->effect },
		{ AI_SPAN("writes"), &e->writes },
		{ AI_SPAN("sends"), &e->sends },
		{ AI_SPAN("trusted"), &e->trusted },
		{ AI_SPAN("targets"), &e->targets },
		{ AI_SPAN("serial"), &e->serial },
		{ AI_SPAN("workdir"), &e->workdir },
		{ AI_SPAN("env"), &e->env },
		{ AI_SPAN("sandbox"), &e->sandbox },
	};

	ai_json_members(e->all, want, sizeof want / sizeof want[0]);
}

/* A string member as a copy; below dir unless it is absolute. */
static int take_path(struct reader *r, struct ai_value v, const char *dir,
		     char **to)
{
	struct ai_buf text = AI_BUF_INIT(8192), path = AI_BUF_INIT(16384);
	int rc;

	ai_json_text(v, &text);
	if (ai_buf_cstr(&text)[0] != '/')
		ai_buf_fmt(&path, "%s/", dir);
	ai_buf_str(&path, ai_buf_cstr(&text));
	rc = ai_buf_check(&text, "a path", r->err);
	if (rc == 0)
		rc = ai_buf_check(&path, "a path", r->err);
	if (rc == 0)
		*to = ai_buf_take(&path);
	ai_buf_release(&text);
	ai_buf_release(&path);
	return rc;
}

static int read_template(struct reader *r, const struct entry *e,
			 const char *what, struct ai_value v,
			 struct agent_template *t)
{
	struct ai_value parameters = e->parameters;
	struct ai_err why;

	if (agent_template_read(t, v, parameters, e->allow_dash, &why) == 0)
		return 0;
	return refuse(r, v, why.code, "tools.%zu.%s.%s", e->n, what, why.msg);
}

/* The program must be what the file says, not what a model says; with a slash
 * in it, but not at its beginning, it lies beside the tools file. */
static int settle_program(struct reader *r, const struct entry *e,
			  const char *what, struct ai_value v,
			  struct agent_template *t, char **file)
{
	struct agent_piece *first = t->pieces;
	char *path;

	if (t->n_elements == 0 || t->elements[0].n != 1 ||
	    t->elements[0].group != 0 || first->kind != AGENT_TEXT)
		return refuse(r, v, AI_E_CONFIG, "tools.%zu.%s.0: the program "
			      "must be a plain text", e->n, what);
	if (strchr(first->text, '/') != NULL && first->text[0] != '/') {
		if (ai_path_join(r->dir, first->text, &path, r->err) < 0)
			return -1;
		free(first->text);
		first->text = path;
	}
	*file = strdup(first->text);
	return *file == NULL ? ai_err_nomem(r->err) : 0;
}

static int read_command(struct reader *r, struct entry *e)
{
	struct agent_program *p = e->p;

	if (read_template(r, e, "command", e->command, &p->command) < 0 ||
	    settle_program(r, e, "command", e->command, &p->command,
			   &p->file) < 0)
		return -1;
	if (e->input.kind != AI_STRING)
		return 0;
	if (ai_json_is(e->input, AI_SPAN("json"))) {
		p->takes = AGENT_STDIN_JSON;
		return 0;
	}
	p->takes = AGENT_STDIN_TEXT;
	return read_template(r, e, "stdin", e->input, &p->input);
}

static int read_verify(struct reader *r, struct entry *e, struct ai_value v)
{
	struct agent_program *p = e->p;
	char *file = NULL;
	int rc;

	e->tool.effect = AGENT_VERIFY;
	if (read_template(r, e, "effect.verify", v, &p->verify) < 0 ||
	    settle_program(r, e, "effect.verify", v, &p->verify, &file) < 0)
		return -1;
	/* It runs in the tool's cage. */
	rc = file[0] != '/' ? 0 :
		agent_strings_add(&p->wish.read, ai_span_of(file), r->err);
	free(file);
	return rc;
}

static int read_effect(struct reader *r, struct entry *e)
{
	static const struct {
		const char *name;
		enum agent_effect effect;
	} effects[] = { { "pure", AGENT_PURE }, { "once", AGENT_ONCE },
			{ "idempotent", AGENT_IDEMPOTENT } };
	struct ai_value v = ai_json_get(e->effect, "verify"), table;
	struct ai_buf text = AI_BUF_INIT(256);

	for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++)
		if (e->effect.kind == AI_STRING &&
		    ai_json_is(e->effect, ai_span_of(effects[i].name)))
			e->tool.effect = effects[i].effect;
	if (e->effect.kind != AI_OBJECT)
		return 0;
	if (v.kind != AI_NONE)
		return read_verify(r, e, v);
	e->tool.effect = AGENT_TRANSACTIONAL;
	v = ai_json_get(e->effect, "transactional.database");
	table = ai_json_get(e->effect, "transactional.table");
	ai_json_text(table, &text);
	if (ai_buf_check(&text, "a name", r->err) == 0)
		e->p->table = ai_buf_take(&text);
	return e->p->table == NULL ? -1 :
		take_path(r, v, r->sandbox->workdir, &e->p->database);
}

/* What is not said is taken to be unsafe. */
static int settle_effect(struct reader *r, struct entry *e)
{
	bool pure = e->effect.kind == AI_STRING &&
		    ai_json_is(e->effect, AI_SPAN("pure"));
	bool said = e->writes.kind == AI_BOOL;

	if (pure && said && ai_json_true(e->writes))
		return refuse(r, e->writes, AI_E_CONFIG, "tools.%zu.writes: a "
			      "tool that writes is not pure; its effect is "
			      "one of the others", e->n);
	e->tool.writes = said ? ai_json_true(e->writes) : !pure;
	e->tool.effect = e->tool.writes ? AGENT_ONCE : AGENT_PURE;
	return read_effect(r, e);
}

/* Names that the tool has no argument for are mistakes. */
static int check_names(struct reader *r, const struct entry *e,
		       const char *what, struct ai_value list)
{
	struct ai_value properties = ai_json_get(e->parameters, "properties");
	struct ai_json_iter it;
	struct ai_value v;
	struct ai_span name;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		name = ai_json_inside(v);
		if (ai_json_member(properties, name).kind == AI_NONE)
			return refuse(r, v, AI_E_CONFIG, "tools.%zu.%s: '%.*s' "
				      "names none of parameters.properties",
				      e->n, what,
				      (int)(name.n > 80 ? 80 : name.n),
				      name.p);
	}
	return 0;
}

static int read_targets(struct reader *r, struct entry *e)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (check_names(r, e, "targets", e->targets) < 0 ||
	    check_names(r, e, "allow_dash", e->allow_dash) < 0)
		return -1;
	ai_json_iter_init(&it, e->targets);
	while (ai_json_next(&it, NULL, &v))
		if (agent_strings_add(&e->own_targets, ai_json_inside(v),
				      r->err) < 0)
			return -1;
	if (e->own_targets.n > 0)
		e->tool.targets = agent_strings_list(&e->own_targets);
	return 0;
}

static void read_numbers(struct entry *e)
{
	struct agent_tool *tool = &e->tool;

	tool->timeout_s = TIMEOUT_S;
	tool->max_output = OUTPUT_MAX;
	tool->max_calls = -1;
	if (e->timeout_s.kind == AI_NUMBER)
		ai_json_f64(e->timeout_s, &tool->timeout_s);
	if (e->max_output.kind == AI_NUMBER)
		ai_json_i64(e->max_output, &tool->max_output);
	if (e->max_calls.kind == AI_NUMBER)
		ai_json_i64(e->max_calls, &tool->max_calls);
	/* What may reach a network can send something there. */
	tool->sends = e->sends.kind == AI_BOOL ? ai_json_true(e->sends) :
		e->p->wish.network || e->p->wish.n_ports > 0;
	tool->trusted = e->trusted.kind == AI_BOOL && ai_json_true(e->trusted);
	tool->serial = e->serial.kind == AI_BOOL && ai_json_true(e->serial);
}

static int read_place(struct reader *r, struct entry *e)
{
	struct agent_program *p = e->p;
	struct ai_err why;

	p->sandbox = r->sandbox;
	if (e->workdir.kind == AI_STRING) {
		if (take_path(r, e->workdir, r->sandbox->workdir,
			      &p->workdir) < 0)
			return -1;
	} else {
		p->workdir = strdup(r->sandbox->workdir);
		if (p->workdir == NULL)
			return ai_err_nomem(r->err);
	}
	if (agent_env_read(&p->env, e->env, &why) < 0)
		return refuse(r, e->env, why.code, "tools.%zu.env.%s", e->n,
			      why.msg);
	if (agent_wish_read(&p->wish, e->sandbox, r->sandbox->workdir,
			    r->err) < 0)
		return -1;
	/* Where it begins it may read, as it may in the working folder. */
	return agent_strings_add(&p->wish.read, ai_span_of(p->workdir),
				 r->err);
}

/* ---- parameters ----------------------------------------------------------- */

static int read_texts(struct reader *r, struct entry *e)
{
	static const struct ai_span none = { PARAMETERS,
					     sizeof PARAMETERS - 1 };
	struct ai_value type;

	ai_json_text(e->name, &e->name_text);
	ai_json_text(e->description, &e->description_text);
	if (e->parameters.kind == AI_NONE)
		ai_json_check(none.p, none.n, &e->parameters, NULL);
	type = ai_json_get(e->parameters, "type");
	if (type.kind != AI_STRING || !ai_json_is(type, AI_SPAN("object")))
		return refuse(r, e->parameters, AI_E_CONFIG,
			      "tools.%zu.parameters: \"type\": \"object\" is "
			      "missing", e->n);
	agent_json_compact(e->parameters, &e->parameters_text);
	if (ai_buf_check(&e->name_text, "a name", r->err) < 0 ||
	    ai_buf_check(&e->description_text, "a description", r->err) < 0)
		return -1;
	return ai_buf_check(&e->parameters_text, "a schema", r->err);
}

/* What is wrong with the schema, with the line of that. */
static int refuse_schema(struct reader *r, const struct entry *e)
{
	struct ai_schema *schema = NULL;
	struct ai_err why;

	if (ai_schema_new(&schema, e->parameters_text.p,
			  e->parameters_text.len, &why) == 0) {
		ai_schema_free(schema); /* it was something else */
		return -1;
	}
	return refuse(r, agent_place_of(e->parameters, why.msg), why.code,
		      "tools.%zu.parameters.%s", e->n, why.msg);
}

static int add_entry(struct reader *r, struct entry *e)
{
	char where[120];

	e->tool.name = ai_buf_cstr(&e->name_text);
	e->tool.description = ai_buf_cstr(&e->description_text);
	e->tool.parameters = (struct ai_span){ e->parameters_text.p,
					       e->parameters_text.len };
	e->tool.kind = &agent_program_kind;
	e->tool.of = e->p;
	ai_hash_of(e->all.s.p, e->all.s.n, e->tool.seal);
	snprintf(where, sizeof where, "%.80s:%zu: tools.%zu", r->name,
		 line_of(r, e->name), e->n);
	if (agent_tools_add(r->t, &e->tool, where, r->err) < 0)
		return refuse_schema(r, e);
	return 0;
}

static int fill_entry(struct reader *r, struct entry *e)
{
	get_members(e);
	if (read_texts(r, e) < 0 || read_place(r, e) < 0 ||
	    read_command(r, e) < 0 || settle_effect(r, e) < 0 ||
	    read_targets(r, e) < 0)
		return -1;
	read_numbers(e);
	return add_entry(r, e);
}

static int read_tool(struct reader *r, size_t n, struct ai_value v)
{
	struct entry e = {
		.n = n, .all = v, .p = calloc(1, sizeof *e.p),
		.name_text = AI_BUF_INIT(256),
		.description_text = AI_BUF_INIT(65536),
		.parameters_text = AI_BUF_INIT(FILE_MAX),
	};
	int rc;

	if (e.p == NULL)
		return ai_err_nomem(r->err);
	rc = agent_tools_own(r->t, e.p, agent_program_free, r->err);
	if (rc == 0)
		rc = fill_entry(r, &e);
	if (rc == 0 && r->sandbox->mode == AGENT_SANDBOX_REQUIRE)
		rc = agent_program_cage(e.p, e.tool.name, r->err);
	agent_strings_release(&e.own_targets);
	ai_buf_release(&e.name_text);
	ai_buf_release(&e.description_text);
	ai_buf_release(&e.parameters_text);
	return rc;
}

/* ---- servers -------------------------------------------------------------- */

void agent_servers_release(struct agent_servers *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].where);
		free(s->v[i].spec);
	}
	free(s->v);
	memset(s, 0, sizeof *s);
}

/* of: the member that it stands in. */
static int read_server(struct reader *r, const char *of, struct ai_value key,
		       struct ai_value v)
{
	struct agent_servers *s = r->servers;
	struct ai_buf name = AI_BUF_INIT(4096), spec = AI_BUF_INIT(FILE_MAX),
		where = AI_BUF_INIT(8192);
	struct agent_server *more;
	int rc = -1;

	more = reallocarray(s->v, s->n + 1, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(r->err);
	s->v = more;
	ai_json_text(key, &name);
	agent_json_compact(v, &spec);
	ai_buf_fmt(&where, "%.120s:%zu: %s.%.80s", r->name, line_of(r, v), of,
		   ai_buf_cstr(&name));
	ai_buf_add(&name, "", 0);
	if (ai_buf_check(&name, "a name of a server", r->err) == 0 &&
	    ai_buf_check(&spec, "a server", r->err) == 0 &&
	    ai_buf_check(&where, "a name of a server", r->err) == 0) {
		more[s->n++] = (struct agent_server){ ai_buf_take(&name),
			ai_buf_take(&where), ai_buf_take(&spec) };
		rc = 0;
	}
	ai_buf_release(&name);
	ai_buf_release(&spec);
	ai_buf_release(&where);
	return rc;
}

/* ---- the file ------------------------------------------------------------- */

static int check_schema(struct reader *r)
{
	struct ai_buf b = AI_BUF_INIT(SCHEMA_MAX);
	struct ai_schema *schema = NULL;
	struct ai_err why;
	char *path = NULL;
	int fd = -1, rc = ai_path_data("schema/tools.json", &path, r->err);

	if (rc == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || ai_buf_read(&b, fd) < 0)
			rc = ai_err_sys(r->err, AI_E_CONFIG, errno, "cannot "
					"read '%.200s'", path);
	}
	if (rc == 0)
		rc = ai_schema_new_unchecked(&schema, b.p, b.len, r->err);
	if (rc == 0 && ai_schema_check(schema, r->root.s.p, r->root.s.n,
				       &why) < 0)
		rc = refuse(r, agent_place_of(r->root, why.msg), why.code, "%s",
			    why.msg);
	if (fd >= 0)
		close(fd);
	ai_schema_free(schema);
	ai_buf_release(&b);
	free(path);
	return rc;
}

static int read_root(struct reader *r)
{
	static const char *const servers[] = { "mcpServers", "servers" };
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t n = 0;

	if (check_schema(r) < 0)
		return -1;
	ai_json_iter_init(&it, ai_json_member(r->root, AI_SPAN("tools")));
	while (ai_json_next(&it, NULL, &v))
		if (read_tool(r, n++, v) < 0)
			return -1;
	for (size_t i = 0; i < 2; i++) {
		ai_json_iter_init(&it, ai_json_member(r->root,
						      ai_span_of(servers[i])));
		while (ai_json_next(&it, &key, &v))
			if (read_server(r, servers[i], key, v) < 0)
				return -1;
	}
	return 0;
}

int agent_tools_parse(struct agent_tools *t, char *text, size_t n,
		      const char *name, const char *dir,
		      struct agent_sandbox *sandbox,
		      struct agent_servers *servers, struct ai_err *err)
{
	struct reader r = { t, sandbox, servers, name, dir, text,
			    { AI_NONE, { NULL, 0 } }, err };
	struct ai_err why;

	ai_json_blank_comments(text, n);
	if (ai_json_check(text, n, &r.root, &why) < 0)
		return refuse(&r, r.root, why.code, "%s", why.msg);
	return read_root(&r);
}

int agent_tools_read(struct agent_tools *t, const char *path,
		     struct agent_sandbox *sandbox,
		     struct agent_servers *servers, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(FILE_MAX);
	char *real = realpath(path, NULL), *slash;
	int fd = real == NULL ? -1 : open(real, O_RDONLY | O_CLOEXEC), rc = -1;

	if (fd < 0) {
		ai_err_sys(err, AI_E_OPEN, errno, "cannot open the tools file "
			   "'%.200s'", path);
	} else if (ai_buf_read(&text, fd) < 0) {
		if (ai_buf_check(&text, "the tools file", err) == 0)
			ai_err_sys(err, AI_E_OPEN, errno, "cannot read the "
				   "tools file '%.200s'", path);
	} else {
		slash = strrchr(real, '/');
		slash[slash == real] = '\0';
		ai_buf_add(&text, "", 0);
		rc = agent_tools_parse(t, text.p, text.len, path, real,
				       sandbox, servers, err);
	}
	if (fd >= 0)
		close(fd);
	free(real);
	ai_buf_release(&text);
	return rc;
}
