/* entry.c: one of "mcpServers": how the server is run, and what is believed
 * of its tools. */
#include "mcp/int.h"

#include "net/url.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_S 60
#define START_TIMEOUT_S 30
#define OUTPUT_MAX 65536
#define STRING_MAX ((size_t)1 << 17)

struct reading {
	struct mcp_entry *e;
	const char *where;
	struct agent_sandbox *sandbox;
	struct ai_value all;
	struct ai_buf text, out;
	struct ai_err *err;
};

static struct ai_value member(const struct reading *r, const char *name)
{
	return ai_json_member(r->all, ai_span_of(name));
}

static bool is_true(const struct reading *r, const char *name)
{
	return ai_json_true(member(r, name));
}

/* ---- strings with variables in them --------------------------------------------- */

/* "${NAME}" or "${NAME:-instead}" at p, where other programs write
 * "${env:NAME}"; its length. 0: it is none. */
static size_t expand_one(struct reading *r, const char *p, const char *key,
			 int *rc)
{
	const char *end = strchr(p, '}'), *from, *other, *value;
	size_t n;
	char name[256];

	if (strncmp(p, "${", 2) != 0 || end == NULL)
		return 0;
	/* What we do not ask for is not sent as it stands. */
	if (strncmp(p, "${input:", 8) == 0)
		*rc = ai_err_set(r->err, AI_E_CONFIG, "%.160s.%.60s: '%.*s' is "
				 "asked for by another program; write ${NAME}, "
				 "a variable of the environment", r->where, key,
				 (int)(end - p < 60 ? end - p + 1 : 60), p);
	from = strncmp(p, "${env:", 6) == 0 ? p + 6 : p + 2;
	n = strcspn(from, ":}");
	if (n == 0 || n >= sizeof name || *rc < 0)
		return 0;
	other = strncmp(from + n, ":-", 2) == 0 ? from + n + 2 : NULL;
	if (other == NULL && from[n] != '}')
		return 0;
	memcpy(name, from, n);
	name[n] = '\0';
	value = getenv(name);
	if (value != NULL && (value[0] != '\0' || other == NULL))
		ai_buf_str(&r->out, value);
	else if (other != NULL)
		ai_buf_add(&r->out, other, (size_t)(end - other));
	else
		*rc = ai_err_set(r->err, AI_E_CONFIG, "%.160s.%.60s: the "
				 "environment has no '%.80s'; set it, or write "
				 "\"${%.80s:-...}\"", r->where, key, name, name);
	return (size_t)(end - p) + 1;
}

/* r->out becomes the text of v. */
static int expand(struct reading *r, struct ai_value v, const char *key)
{
	const char *p;
	size_t n;
	int rc = 0;

	ai_buf_clear(&r->text);
	ai_buf_clear(&r->out);
	ai_json_text(v, &r->text);
	p = ai_buf_cstr(&r->text);
	if (strlen(p) != r->text.len)
		return ai_err_set(r->err, AI_E_CONFIG, "%.160s.%.60s: a NUL "
				  "cannot be in it", r->where, key);
	while (*p != '\0' && rc == 0) {
		n = expand_one(r, p, key, &rc);
		if (n == 0)
			ai_buf_chr(&r->out, *p++);
		p += n;
	}
	if (rc < 0 || ai_buf_check(&r->text, key, r->err) < 0)
		return -1;
	return ai_buf_check(&r->out, key, r->err);
}

static int add_expanded(struct reading *r, struct ai_value v, const char *key,
			struct agent_strings *to)
{
	if (expand(r, v, key) < 0)
		return -1;
	return agent_strings_add(to, (struct ai_span){ ai_buf_cstr(&r->out),
						       r->out.len }, r->err);
}

static int read_argv(struct reading *r)
{
	struct ai_json_iter it;
	struct ai_value args = member(r, "args"), v;

	if (add_expanded(r, member(r, "command"), "command", &r->e->argv) < 0)
		return -1;
	if (args.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, args);
	while (ai_json_next(&it, NULL, &v))
		if (add_expanded(r, v, "args", &r->e->argv) < 0)
			return -1;
	return 0;
}

/* ---- one that is asked over HTTP ------------------------------------------------- */

static bool is_header_name(struct ai_span name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] > '~' ||
		    strchr("\"(),/:;<=>?@[\\]{}", name.p[i]) != NULL)
			return false;
	return name.n > 0;
}

static int read_headers(struct reading *r)
{
	struct ai_value headers = member(r, "headers"), key, v;
	struct ai_json_iter it;

	if (headers.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, headers);
	while (ai_json_next(&it, &key, &v)) {
		struct ai_span name = ai_json_inside(key);

		if (!is_header_name(name))
			return ai_err_set(r->err, AI_E_CONFIG, "%.160s.headers: "
					  "'%.*s' cannot be the name of one",
					  r->where,
					  (int)(name.n < 60 ? name.n : 60),
					  name.p);
		if (expand(r, v, "headers") < 0)
			return -1;
		for (const char *p = ai_buf_cstr(&r->out); *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 127)
				return ai_err_set(r->err, AI_E_CONFIG,
						  "%.160s.headers: there is a "
						  "control character in '%.*s'",
						  r->where, (int)(name.n < 60
						  ? name.n : 60), name.p);
		if (mcp_secret_add(r->e, name, ai_buf_cstr(&r->out),
				   r->err) < 0)
			return -1;
		if (agent_strings_fmt(&r->e->headers, r->err, "%.*s%s%s",
				      (int)name.n, name.p, r->out.len > 0
				      ? ": " : ";", ai_buf_cstr(&r->out)) < 0)
			return -1;
	}
	return 0;
}

/* Under whatever name it stands. */
static struct ai_value url_of(const struct reading *r)
{
	static const char *const names[] = { "url", "serverUrl", "httpUrl" };
	struct ai_value v = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names &&
	     v.kind != AI_STRING; i++)
		v = member(r, names[i]);
	return v;
}

static int read_url(struct reading *r)
{
	struct ai_value type = member(r, "type");
	struct ai_http_url parts;
	struct ai_err why;

	if (member(r, "command").kind == AI_STRING)
		return ai_err_set(r->err, AI_E_CONFIG, "%.200s: it has both a "
				  "command and a url", r->where);
	if (member(r, "sandbox").kind != AI_NONE)
		return ai_err_set(r->err, AI_E_CONFIG, "%.200s.sandbox: what "
				  "is asked over HTTP runs in no sandbox of "
				  "ours", r->where);
	if (expand(r, url_of(r), "url") < 0)
		return -1;
	if (ai_http_url_whole(ai_buf_cstr(&r->out), &parts, &why) < 0)
		return ai_err_set(r->err, AI_E_CONFIG, "%.160s.url: %.200s",
				  r->where, why.msg);
	r->e->url = strdup(ai_buf_cstr(&r->out));
	if (r->e->url == NULL)
		return ai_err_nomem(r->err);
	r->e->sse = type.kind == AI_STRING && ai_json_is(type, AI_SPAN("sse"));
	r->e->networks = true;
	if (read_headers(r) < 0)
		return -1;
	if (r->e->headers.n == 0 || parts.secure || parts.loopback ||
	    is_true(r, "insecure_http"))
		return 0;
	return ai_err_set(r->err, AI_E_NOT_ALLOWED, "%.160s: its headers would "
			  "go to %.100s unencrypted: use https://, or "
			  "\"insecure_http\": true in a network you trust",
			  r->where, parts.host);
}

static int read_env(struct reading *r)
{
	struct agent_strings own = { 0 };
	struct ai_json_iter it;
	struct ai_value env = member(r, "env"), key, v;
	struct ai_span name;
	int rc = 0;

	if (env.kind == AI_OBJECT) {
		ai_json_iter_init(&it, env);
		while (rc == 0 && ai_json_next(&it, &key, &v)) {
			name = ai_json_inside(key);
			rc = expand(r, v, "env");
			if (rc == 0)
				rc = mcp_secret_add(r->e, name,
						    ai_buf_cstr(&r->out),
						    r->err);
			if (rc == 0)
				rc = agent_strings_fmt(&own, r->err, "%.*s=%s",
						       (int)name.n, name.p,
						       ai_buf_cstr(&r->out));
		}
	}
	if (rc == 0)
		rc = agent_sandbox_env(r->sandbox, &own, NULL, &r->e->env,
				       r->err);
	agent_strings_release(&own);
	return rc;
}

/* Where it begins; relative to the workdir. */
static int read_dir(struct reading *r)
{
	struct ai_value v = member(r, "cwd");
	struct ai_buf path = AI_BUF_INIT(STRING_MAX + PATH_MAX);
	int rc = 0;

	if (v.kind != AI_STRING)
		return 0;
	if (expand(r, v, "cwd") < 0)
		return -1;
	if (ai_buf_cstr(&r->out)[0] != '/')
		ai_buf_fmt(&path, "%s/", r->sandbox->workdir);
	ai_buf_str(&path, ai_buf_cstr(&r->out));
	rc = ai_buf_check(&path, "cwd", r->err);
	if (rc == 0)
		r->e->dir = ai_buf_take(&path);
	ai_buf_release(&path);
	return rc;
}

/* ---- the cage ----------------------------------------------------------------------- */

/* Folders that are too much to give for a file that lies in them. */
static bool is_broad(const char *dir)
{
	const char *home = getenv("HOME");
	size_t n = strlen(dir);

	return n < 2 || (home != NULL && strncmp(home, dir, n) == 0 &&
			 (home[n] == '\0' || home[n] == '/'));
}

/* The folder that a script's modules are in: up to the outermost node_modules
 * on its path, or its own. */
static int add_modules(struct agent_strings *read, const char *file,
		       struct ai_err *err)
{
	static const char modules[] = "/node_modules/";
	char *real = realpath(file, NULL), *cut;
	struct stat st;
	int rc = 0;

	if (real == NULL)
		return 0;
	if (stat(real, &st) == 0 && S_ISREG(st.st_mode)) {
		rc = agent_strings_add(read, ai_span_of(real), err);
		cut = strstr(real, modules);
		if (cut != NULL)
			cut[sizeof modules - 2] = '\0';
		else
			*strrchr(real, '/') = '\0';
		if (rc == 0 && !is_broad(real))
			rc = agent_strings_add(read, ai_span_of(real), err);
	}
	free(real);
	return rc;
}

/* What an interpreter beside us needs, such as one of nvm or a venv. */
static int add_prefix(struct agent_strings *read, const char *program,
		      struct ai_err *err)
{
	static const char *const parts[] = { "bin", "lib", "lib64", "libexec",
					     "share", "pyvenv.cfg" };
	char dir[PATH_MAX], *slash;

	snprintf(dir, sizeof dir, "%s", program);
	slash = strrchr(dir, '/');
	if (slash == NULL || slash == dir)
		return 0;
	*slash = '\0';
	slash = strrchr(dir, '/');
	if (slash == NULL || strcmp(slash, "/bin") != 0)
		return 0;
	*slash = '\0';
	if (is_broad(dir) || dir[0] == '\0')
		return 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (agent_strings_fmt(read, err, "%s/%s", dir, parts[i]) < 0)
			return -1;
	return 0;
}

/* The program as the shell would find it; false: nowhere. */
static bool find_program(const char *name, char path[PATH_MAX])
{
	const char *p = getenv("PATH"), *end;

	if (strchr(name, '/') != NULL) {
		snprintf(path, PATH_MAX, "%s", name);
		return true;
	}
	for (; p != NULL; p = *end == '\0' ? NULL : end + 1) {
		end = strchrnul(p, ':');
		snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - p), p, name);
		if (path[0] == '/' && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The program and its scripts, which the entry names. */
static int add_needs(struct reading *r, struct agent_wish *w)
{
	const struct agent_strings *argv = &r->e->argv;
	const char *dir = r->e->dir != NULL ? r->e->dir : r->sandbox->workdir;
	char path[PATH_MAX], *real;
	int rc = 0;

	if (find_program(argv->v[0], path)) {
		rc = add_prefix(&w->read, path, r->err);
		real = realpath(path, NULL);
		if (rc == 0 && real != NULL)
			rc = add_prefix(&w->read, real, r->err);
		if (rc == 0 && real != NULL &&
		    strstr(real, "/node_modules/") != NULL)
			rc = add_modules(&w->read, real, r->err);
		free(real);
	}
	for (size_t i = 1; rc == 0 && i < argv->n; i++) {
		const char *arg = argv->v[i];

		if (arg[0] == '/')
			snprintf(path, sizeof path, "%s", arg);
		else
			snprintf(path, sizeof path, "%s/%s", dir, arg);
		rc = add_modules(&w->read, path, r->err);
	}
	return rc;
}

static int read_cage(struct reading *r, struct ai_value sandbox)
{
	struct agent_wish w;
	int rc;

	if (agent_wish_read(&w, sandbox, r->sandbox->workdir, r->err) < 0)
		return -1;
	r->e->networks = w.off || w.network || w.n_ports > 0 ||
		r->sandbox->mode == AGENT_SANDBOX_OFF;
	rc = add_needs(r, &w);
	if (rc == 0)
		rc = agent_sandbox_cage(r->sandbox, &w, r->e->name,
					r->e->argv.v[0], &r->e->cage, r->err);
	agent_wish_release(&w);
	return rc;
}

/* ---- what is believed ------------------------------------------------------------------ */

static int read_names(struct agent_strings *to, struct ai_value list,
		      struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(STRING_MAX);
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0;

	if (list.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v)) {
		ai_buf_clear(&text);
		ai_json_text(v, &text);
		rc = ai_buf_check(&text, "a name", err);
		if (rc == 0)
			rc = agent_strings_add(to, (struct ai_span){
				ai_buf_cstr(&text), text.len }, err);
	}
	ai_buf_release(&text);
	return rc;
}

static int truth(struct ai_value v)
{
	return v.kind == AI_BOOL ? ai_json_true(v) : -1;
}

static int effect_of(struct ai_value v)
{
	static const struct {
		const char *name;
		enum agent_effect effect;
	} effects[] = {
		{ "pure", AGENT_PURE }, { "idempotent", AGENT_IDEMPOTENT },
		{ "once", AGENT_ONCE },
	};

	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
		if (v.kind == AI_STRING &&
		    ai_json_is(v, ai_span_of(effects[i].name)))
			return (int)effects[i].effect;
	return -1;
}

static double seconds(struct ai_value v, double otherwise)
{
	double s;

	return v.kind == AI_NUMBER && ai_json_f64(v, &s) == 0 && s > 0
		? s : otherwise;
}

static int64_t whole(struct ai_value v, int64_t otherwise)
{
	int64_t n;

	return v.kind == AI_NUMBER && ai_json_i64(v, &n) == 0 && n >= 0
		? n : otherwise;
}

static int read_rule(struct mcp_rule *r, struct ai_value key, struct ai_value v,
		     struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(STRING_MAX);
	struct ai_value effect, writes, sends, trusted, serial, timeout_s,
		max_output, max_calls, targets;
	const struct ai_json_want want[] = {
		{ AI_SPAN("effect"), &effect }, { AI_SPAN("writes"), &writes },
		{ AI_SPAN("sends"), &sends }, { AI_SPAN("trusted"), &trusted },
		{ AI_SPAN("serial"), &serial },
		{ AI_SPAN("timeout_s"), &timeout_s },
		{ AI_SPAN("max_output"), &max_output },
		{ AI_SPAN("max_calls"), &max_calls },
		{ AI_SPAN("targets"), &targets },
	};

	ai_json_members(v, want, sizeof want / sizeof *want);
	r->effect = effect_of(effect);
	r->writes = truth(writes);
	r->sends = truth(sends);
	r->trusted = truth(trusted);
	r->serial = truth(serial);
	r->timeout_s = seconds(timeout_s, 0);
	r->max_output = whole(max_output, -1);
	r->max_calls = whole(max_calls, -1);
	r->has_targets = targets.kind == AI_ARRAY;
	ai_json_text(key, &name);
	ai_buf_add(&name, "", 0);
	if (ai_buf_check(&name, "a name", err) < 0) {
		ai_buf_release(&name);
		return -1;
	}
	r->name = ai_buf_take(&name);
	return read_names(&r->targets, targets, err);
}

static int read_rules(struct reading *r)
{
	struct ai_value tools = member(r, "tools"), key, v;
	struct ai_json_iter it;
	size_t n = 0;

	if (tools.kind != AI_OBJECT)
		return 0;
	ai_json_iter_init(&it, tools);
	while (ai_json_next(&it, NULL, &v))
		n++;
	r->e->rules = calloc(n + 1, sizeof *r->e->rules);
	if (r->e->rules == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, tools);
	while (ai_json_next(&it, &key, &v))
		if (read_rule(&r->e->rules[r->e->n_rules++], key, v,
			      r->err) < 0)
			return -1;
	return 0;
}

static int read_trust(struct reading *r)
{
	struct mcp_entry *e = r->e;
	struct ai_value roots = member(r, "roots");
	struct ai_value resources = member(r, "resources");
	struct ai_value protocol = member(r, "protocol");

	e->timeout_s = seconds(member(r, "timeout_s"), TIMEOUT_S);
	e->start_timeout_s = seconds(member(r, "start_timeout_s"),
				     START_TIMEOUT_S);
	e->max_output = whole(member(r, "max_output"), OUTPUT_MAX);
	e->optional = is_true(r, "optional");
	e->trusted = is_true(r, "trusted");
	e->trust_annotations = is_true(r, "trust_annotations");
	e->roots = roots.kind != AI_BOOL || ai_json_true(roots);
	e->resources = resources.kind != AI_BOOL || ai_json_true(resources);
	if (protocol.kind == AI_STRING && !ai_json_is(protocol, AI_SPAN("auto")))
		e->era = ai_json_is(protocol, AI_SPAN(MCP_MODERN_VERSION))
			? MCP_MODERN : MCP_LEGACY;
	e->has_allow = member(r, "allow").kind == AI_ARRAY;
	if (read_names(&e->allow, member(r, "allow"), r->err) < 0 ||
	    read_names(&e->deny, member(r, "deny"), r->err) < 0)
		return -1;
	return read_rules(r);
}

/* As it was written, and what the variables in it have become.  Not those of
 * env and headers: a token may be renewed. */
static void make_seal(struct mcp_entry *e, const char *spec)
{
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, spec, strlen(spec) + 1);
	for (size_t i = 0; i < e->argv.n; i++)
		ai_hash_add(&h, e->argv.v[i], strlen(e->argv.v[i]) + 1);
	if (e->dir != NULL)
		ai_hash_add(&h, e->dir, strlen(e->dir));
	if (e->url != NULL)
		ai_hash_add(&h, e->url, strlen(e->url));
	ai_hash_hex(&h, e->seal);
}

static int read_all(struct reading *r)
{
	if (is_true(r, "disabled"))
		return 1;
	if (url_of(r).kind == AI_STRING)
		return read_url(r) < 0 ? -1 : read_trust(r);
	if (member(r, "command").kind != AI_STRING)
		return ai_err_set(r->err, AI_E_CONFIG, "%.200s: it has no "
				  "command and no url", r->where);
	if (read_argv(r) < 0 || read_dir(r) < 0 || read_trust(r) < 0 ||
	    read_env(r) < 0)
		return -1;
	return read_cage(r, member(r, "sandbox"));
}

int mcp_entry_read(struct mcp_entry *e, const struct agent_server *from,
		   struct agent_sandbox *sandbox, struct ai_err *err)
{
	struct reading r = { .e = e, .where = from->where, .sandbox = sandbox,
			     .err = err };
	int rc;

	e->name = strdup(from->name);
	if (e->name == NULL)
		return ai_err_nomem(err);
	if (ai_json_check(from->spec, strlen(from->spec), &r.all, err) < 0)
		return -1;
	ai_buf_init(&r.text, STRING_MAX);
	ai_buf_init(&r.out, STRING_MAX);
	rc = read_all(&r);
	if (rc == 0)
		make_seal(e, from->spec);
	ai_buf_release(&r.text);
	ai_buf_release(&r.out);
	return rc;
}

struct mcp_rule *mcp_entry_rule(struct mcp_entry *e, const char *name)
{
	for (size_t i = 0; i < e->n_rules; i++)
		if (strcmp(e->rules[i].name, name) == 0)
			return &e->rules[i];
	return NULL;
}

static bool is_listed(const struct agent_strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], name) == 0)
			return true;
	return false;
}

bool mcp_entry_wants(const struct mcp_entry *e, const char *name)
{
	return (!e->has_allow || is_listed(&e->allow, name)) &&
		!is_listed(&e->deny, name);
}

void mcp_entry_release(struct mcp_entry *e)
{
	for (size_t i = 0; i < e->n_rules; i++) {
		free(e->rules[i].name);
		agent_strings_release(&e->rules[i].targets);
	}
	free(e->rules);
	free(e->name);
	free(e->dir);
	free(e->url);
	agent_strings_release(&e->headers);
	agent_strings_release(&e->secrets);
	agent_cage_free(e->cage);
	agent_strings_release(&e->argv);
	agent_strings_release(&e->env);
	agent_strings_release(&e->allow);
	agent_strings_release(&e->deny);
	memset(e, 0, sizeof *e);
}
