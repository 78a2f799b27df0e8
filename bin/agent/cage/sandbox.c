#include "cage/sandbox.h"

#include "base/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

/* What programs need of a system, and what tells nothing about its users: no
 * home, no /etc as a whole, no /proc but for the machine's figures. */
static const char *const system_read[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
	"/etc/alternatives", "/etc/ca-certificates", "/etc/fonts",
	"/etc/gai.conf", "/etc/gitconfig", "/etc/group", "/etc/host.conf", "/etc/hosts",
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
	"/etc/locale.alias", "/etc/localtime", "/etc/magic",
	"/etc/mime.types", "/etc/nsswitch.conf", "/etc/os-release",
	"/etc/passwd", "/etc/perl", "/etc/pki/tls/certs", "/etc/protocols",
	"/etc/resolv.conf", "/etc/services", "/etc/ssl/certs",
	"/etc/ssl/openssl.cnf", "/etc/terminfo", "/etc/timezone",
	"/dev/full", "/dev/random", "/dev/urandom", "/dev/zero",
	"/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
	"/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
	/* Where Debian has the link of /etc/resolv.conf, if it is one. */
	"/run/systemd/resolve/stub-resolv.conf",
};

static const char *const system_write[] = { "/dev/null" };

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* ---- folders -------------------------------------------------------------- */

int agent_sandbox_init(struct agent_sandbox *s, const char *workdir,
		       enum agent_sandbox_mode mode, struct ai_err *err)
{
	struct stat st;

	memset(s, 0, sizeof *s);
	s->mode = mode;
	s->workdir = realpath(workdir, NULL);
	if (s->workdir == NULL)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open the "
				  "folder '%.200s'", workdir);
	if (stat(s->workdir, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	agent_sandbox_release(s);
	return ai_err_set(err, AI_E_OPEN, "'%.200s' is not a folder", workdir);
}

void agent_sandbox_release(struct agent_sandbox *s)
{
	agent_scratch_release(&s->scratch);
	free(s->workdir);
	memset(s, 0, sizeof *s);
}

static int make_scratch(struct agent_sandbox *s, struct ai_err *err)
{
	return s->scratch.path != NULL ? 0 : agent_scratch_make(&s->scratch,
								err);
}

/* ---- wishes --------------------------------------------------------------- */

static int read_paths(struct agent_strings *to, struct ai_value list,
		      const char *workdir, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(65536);
	struct ai_json_iter it;
	struct ai_value v;
	int rc = 0;

	ai_json_iter_init(&it, list);
	while (rc == 0 && ai_json_next(&it, NULL, &v)) {
		ai_buf_clear(&text);
		ai_json_text(v, &text);
		if (ai_buf_check(&text, "a path", err) < 0)
			rc = -1;
		else if (ai_buf_cstr(&text)[0] == '/')
			rc = agent_strings_add(to, ai_span_of(text.p), err);
		else
			rc = agent_strings_fmt(to, err, "%s/%s", workdir,
					       ai_buf_cstr(&text));
	}
	ai_buf_release(&text);
	return rc;
}

static void read_ports(struct agent_wish *w, struct ai_value list)
{
	struct ai_json_iter it;
	struct ai_value v;
	int64_t port;

	ai_json_iter_init(&it, list);
	while (w->n_ports < AGENT_PORTS_MAX && ai_json_next(&it, NULL, &v))
		if (ai_json_i64(v, &port) == 0)
			w->ports[w->n_ports++] = (uint16_t)port;
}

int agent_wish_read(struct agent_wish *w, struct ai_value sandbox,
		    const char *workdir, struct ai_err *err)
{
	struct ai_value read, write, ports, network, cpu_s, memory, file_size,
		files, processes, write_total;
	const struct ai_json_want want[] = {
		{ AI_SPAN("read"), &read }, { AI_SPAN("write"), &write },
		{ AI_SPAN("ports"), &ports }, { AI_SPAN("network"), &network },
		{ AI_SPAN("cpu_s"), &cpu_s }, { AI_SPAN("memory"), &memory },
		{ AI_SPAN("file_size"), &file_size },
		{ AI_SPAN("files"), &files },
		{ AI_SPAN("processes"), &processes },
		{ AI_SPAN("write_total"), &write_total },
	};
	const struct {
		const struct ai_value *from;
		int64_t *to;
	} numbers[] = {
		{ &cpu_s, &w->cpu_s }, { &memory, &w->memory },
		{ &file_size, &w->file_size }, { &files, &w->files },
		{ &processes, &w->processes },
		{ &write_total, &w->write_total },
	};

	memset(w, 0, sizeof *w);
	w->off = sandbox.kind == AI_STRING; /* "off" */
	if (sandbox.kind != AI_OBJECT)
		return 0;
	ai_json_members(sandbox, want, sizeof want / sizeof want[0]);
	w->network = network.kind == AI_BOOL && ai_json_true(network);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (numbers[i].from->kind == AI_NUMBER)
			ai_json_i64(*numbers[i].from, numbers[i].to);
	read_ports(w, ports);
	if (read_paths(&w->read, read, workdir, err) == 0 &&
	    read_paths(&w->write, write, workdir, err) == 0)
		return 0;
	agent_wish_release(w);
	return -1;
}

void agent_wish_release(struct agent_wish *w)
{
	agent_strings_release(&w->read);
	agent_strings_release(&w->write);
	memset(w, 0, sizeof *w);
}

/* ---- the cage ------------------------------------------------------------- */

static const char *search_path(void)
{
	const char *path = getenv("PATH");

	return path != NULL && path[0] != '\0' ? path : DEFAULT_PATH;
}

/* The program itself, which may be anywhere along PATH, and where it really
 * is. What is not found is told when it is started. */
static int add_program(struct agent_strings *to, const char *program,
		       struct ai_err *err)
{
	const char *p = search_path(), *end;
	char path[4096], *real;

	snprintf(path, sizeof path, "%s", program);
	for (; strchr(program, '/') == NULL; p = end + 1) {
		end = strchrnul(p, ':');
		snprintf(path, sizeof path, "%.*s/%s", (int)(end - p), p,
			 program);
		if (path[0] == '/' && access(path, X_OK) == 0)
			break;
		if (*end == '\0')
			return 0;
	}
	real = realpath(path, NULL);
	if (real == NULL)
		return 0;
	if (agent_strings_add(to, ai_span_of(path), err) == 0 &&
	    agent_strings_add(to, ai_span_of(real), err) == 0) {
		free(real);
		return 0;
	}
	free(real);
	return -1;
}

static int add_all(struct agent_strings *to, const char *const *from, size_t n,
		   struct ai_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (agent_strings_add(to, ai_span_of(from[i]), err) < 0)
			return -1;
	return 0;
}

static int add_paths(const struct agent_sandbox *s, const struct agent_wish *w,
		     const char *program, struct agent_strings *read,
		     struct agent_strings *write, struct ai_err *err)
{
	if (add_all(read, system_read,
		    sizeof system_read / sizeof system_read[0], err) < 0 ||
	    agent_strings_add(read, ai_span_of(s->workdir), err) < 0 ||
	    add_program(read, program, err) < 0 ||
	    add_all(read, (const char *const *)w->read.v, w->read.n, err) < 0)
		return -1;
	if (add_all(write, system_write,
		    sizeof system_write / sizeof system_write[0], err) < 0 ||
	    agent_strings_add(write, ai_span_of(s->scratch.path), err) < 0)
		return -1;
	return add_all(write, (const char *const *)w->write.v, w->write.n, err);
}

static int tell_missing(struct agent_sandbox *s, const char *tool,
			const struct ai_buf *missing, struct ai_err *err)
{
	if (missing->len == 0)
		return 0;
	if (s->mode == AGENT_SANDBOX_REQUIRE)
		return ai_err_set(err, AI_E_CONFIG, "the sandbox of '%.80s' "
				  "cannot be held by this kernel: %.240s; "
				  "--sandbox require refuses that", tool,
				  ai_buf_cstr(missing));
	if (s->missing != NULL)
		s->missing(s->arg, tool, ai_buf_cstr(missing));
	return 0;
}

static int new_cage(struct agent_sandbox *s, const struct agent_wish *w,
		    const char *tool, const char *program,
		    struct agent_cage **cage, struct ai_err *err)
{
	struct agent_strings read = { 0 }, write = { 0 };
	struct ai_buf missing = AI_BUF_INIT(1024);
	int rc = add_paths(s, w, program, &read, &write, err);
	struct agent_cage_spec spec = {
		.read = agent_strings_list(&read),
		.write = agent_strings_list(&write),
		.ports = w->ports, .n_ports = w->n_ports,
		.network = w->network, .cpu_s = w->cpu_s,
		.memory = w->memory, .file_size = w->file_size,
		.files = w->files, .processes = w->processes,
		.write_total = w->write_total, .abi_max = s->abi_max,
	};

	if (rc == 0)
		rc = agent_cage_new(cage, &spec, &missing, err);
	if (rc == 0 && w->any_port && s->mode == AGENT_SANDBOX_ON &&
	    strstr(ai_buf_cstr(&missing), "TCP ports") != NULL) {
		agent_cage_free(*cage);
		spec.network = true;
		ai_buf_clear(&missing);
		rc = agent_cage_new(cage, &spec, &missing, err);
		ai_buf_fmt(&missing, "%sTCP ports (an older Landlock), so that "
			   "any may be used", missing.len > 0 ? ", " : "");
	}
	if (rc == 0 && tell_missing(s, tool, &missing, err) < 0) {
		agent_cage_free(*cage);
		*cage = NULL;
		rc = -1;
	}
	ai_buf_release(&missing);
	agent_strings_release(&read);
	agent_strings_release(&write);
	return rc;
}

int agent_sandbox_cage(struct agent_sandbox *s, const struct agent_wish *w,
		       const char *tool, const char *program,
		       struct agent_cage **cage, struct ai_err *err)
{
	*cage = NULL;
	if (w->off && s->mode == AGENT_SANDBOX_REQUIRE)
		return ai_err_set(err, AI_E_CONFIG, "the tool '%.80s' has "
				  "\"sandbox\": \"off\"; --sandbox require "
				  "refuses that", tool);
	if (s->mode == AGENT_SANDBOX_OFF || w->off)
		return 0;
	if (make_scratch(s, err) < 0)
		return -1;
	return new_cage(s, w, tool, program, cage, err);
}

/* ---- the environment ------------------------------------------------------ */

/* The text of a string or of {"from":"NAME"}. */
static int env_value(struct ai_value v, struct ai_span key,
		     struct ai_buf *text, struct ai_err *err)
{
	const char *value;

	ai_buf_clear(text);
	if (v.kind == AI_STRING) {
		ai_json_text(v, text);
		if (text->len > 0 && memchr(text->p, '\0', text->len) != NULL)
			return ai_err_set(err, AI_E_CONFIG, "%.*s: a NUL cannot "
					  "be in it", (int)key.n, key.p);
		return ai_buf_check(text, "a variable", err);
	}
	ai_json_text(ai_json_member(v, AI_SPAN("from")), text);
	if (ai_buf_check(text, "a name", err) < 0)
		return -1;
	value = getenv(ai_buf_cstr(text));
	if (value == NULL)
		return ai_err_set(err, AI_E_CONFIG, "%.*s: the environment has "
				  "no '%.80s'; set it, or leave this out",
				  (int)key.n, key.p, ai_buf_cstr(text));
	ai_buf_clear(text);
	ai_buf_str(text, value);
	return ai_buf_check(text, "a variable", err);
}

int agent_env_read(struct agent_strings *env, struct ai_value object,
		   struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT((size_t)1 << 17);
	struct ai_json_iter it;
	struct ai_value key, v;
	struct ai_span name;
	int rc = 0;

	ai_json_iter_init(&it, object);
	while (rc == 0 && ai_json_next(&it, &key, &v)) {
		name = ai_json_inside(key);
		rc = env_value(v, name, &text, err);
		if (rc == 0)
			rc = agent_strings_fmt(env, err, "%.*s=%s",
					       (int)name.n, name.p,
					       ai_buf_cstr(&text));
	}
	ai_buf_release(&text);
	return rc;
}

static bool is_set(const struct agent_strings *env, const char *entry)
{
	size_t n = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], entry, n) == 0)
			return true;
	return false;
}

static int add_unless_set(struct agent_strings *env, struct ai_err *err,
			  const char *name, const char *value)
{
	char head[64];

	snprintf(head, sizeof head, "%s=", name);
	if (is_set(env, head))
		return 0;
	return agent_strings_fmt(env, err, "%s=%s", name, value);
}

static int add_locale(struct agent_strings *env, struct ai_err *err)
{
	for (char **e = environ; *e != NULL; e++)
		if ((strncmp(*e, "LC_", 3) == 0 ||
		     strncmp(*e, "LANG=", 5) == 0 ||
		     strncmp(*e, "TZ=", 3) == 0) && !is_set(env, *e) &&
		    agent_strings_add(env, ai_span_of(*e), err) < 0)
			return -1;
	return 0;
}

int agent_sandbox_env(struct agent_sandbox *s, const struct agent_strings *own,
		      const char *key, struct agent_strings *env,
		      struct ai_err *err)
{
	if (make_scratch(s, err) < 0)
		return -1;
	if (key != NULL && agent_strings_fmt(env, err, "AI_IDEMPOTENCY_KEY=%s",
					     key) < 0)
		return -1;
	for (size_t i = 0; i < own->n; i++)
		if (!is_set(env, own->v[i]) &&
		    agent_strings_add(env, ai_span_of(own->v[i]), err) < 0)
			return -1;
	/* The workdir as HOME would have its files configure the programs. */
	if (add_unless_set(env, err, "PATH", search_path()) < 0 ||
	    add_unless_set(env, err, "HOME", s->scratch.path) < 0 ||
	    add_unless_set(env, err, "TMPDIR", s->scratch.path) < 0 ||
	    add_unless_set(env, err, "TERM", "dumb") < 0)
		return -1;
	return add_locale(env, err);
}
