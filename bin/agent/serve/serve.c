/* serve.c: the verb "serve": reads, lets work, writes, until the client is gone. */
#include "agent.h"
#include "serve/pool.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/path.h"
#include "base/sig.h"
#include "base/start.h"
#include "model/catalog.h"
#include "text/bpe.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)64 << 10)
/* A pipe that poll(2) calls writable takes as much without blocking. */
#define WRITE_SIZE ((size_t)PIPE_BUF)
#define LOOK_S 60.0

/* ---- the options ----------------------------------------------------------------- */

/* The name of an index: that of its folder, without ".idx". */
static char *name_of(const char *path)
{
	size_t n = strlen(path), from;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/'; from--)
		;
	if (n - from > 4 && strncmp(path + n - 4, ".idx", 4) == 0)
		n -= 4;
	return strndup(path + from, n - from);
}

static int add_index(struct serve *s, const char *path, size_t n,
		     struct ai_err *err)
{
	struct serve_index *v = realloc(s->indexes, (s->n_indexes + 1) *
					sizeof(*v)), *x;
	struct stat st;

	if (v == NULL)
		return ai_err_nomem(err);
	s->indexes = v;
	x = &v[s->n_indexes++];
	x->name = NULL;
	x->path = strndup(path, n);
	if (x->path == NULL || (x->name = name_of(x->path)) == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i + 1 < s->n_indexes; i++)
		if (strcmp(v[i].name, x->name) == 0)
			return ai_err_set(err, AI_E_USAGE, "--index: '%.150s' "
					  "and '%.150s' have the same name",
					  v[i].path, x->path);
	if (stat(x->path, &st) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%.200s'",
				  x->path);
	return 0;
}

/* Several, with commas between them; but a folder may have one in its name. */
static int find_indexes(struct serve *s, struct ai_err *err)
{
	const char *p = agent.index, *end;
	struct stat st;

	if (p == NULL)
		return 0;
	if (stat(p, &st) == 0)
		return add_index(s, p, strlen(p), err);
	for (;; p = end + 1) {
		end = strchrnul(p, ',');
		if (end > p && add_index(s, p, (size_t)(end - p), err) < 0)
			return -1;
		if (*end == '\0')
			return 0;
	}
}

static int read_system(struct serve *s, struct ai_err *err)
{
	int fd, rc;

	ai_buf_init(&s->system, 65536);
	if (agent.system != NULL && agent.system_file != NULL)
		return ai_err_set(err, AI_E_USAGE, "--system and --system-file "
				  "at once");
	if (agent.system != NULL)
		ai_buf_str(&s->system, agent.system);
	if (agent.system_file == NULL)
		return ai_buf_check(&s->system, "--system", err);
	fd = ai_path_open(agent.system_file, err);
	if (fd < 0)
		return -1;
	rc = ai_buf_read(&s->system, fd);
	close(fd);
	if (rc < 0 && s->system.bad == AI_E_NONE)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read '%s'",
				  agent.system_file);
	if (memchr(ai_buf_cstr(&s->system), '\0', s->system.len) != NULL)
		return ai_err_set(err, AI_E_DATA, "'%s' has a NUL in it",
				  agent.system_file);
	return ai_buf_check(&s->system, agent.system_file, err);
}

/* Whether ai-tokens knows how the model counts; others are counted as
 * o200k_base has it. */
static bool is_counted(const char *model)
{
	const struct ai_catalog *c;
	struct ai_model m;

	return ai_bpe_encoding_for_model(model) != NULL ||
		(strncmp(model, "local/", 6) != 0 &&
		 ai_catalog_shared(&c, NULL) == 0 &&
		 ai_catalog_find(c, ai_span_of(model), NULL, &m, NULL) == 0);
}

static int configure(struct serve *s, struct ai_err *err)
{
	if (agent.model != NULL && agent.model[0] != '\0') {
		s->model = agent.model;
		s->first_model = strndup(agent.model,
					 strcspn(agent.model, ","));
		if (s->first_model == NULL)
			return ai_err_nomem(err);
		s->counts = is_counted(s->first_model);
	}
	return read_system(s, err) < 0 || find_indexes(s, err) < 0 ? -1 : 0;
}

static void forget(struct serve *s)
{
	for (size_t i = 0; i < s->n_indexes; i++) {
		free(s->indexes[i].name);
		free(s->indexes[i].path);
	}
	free(s->indexes);
	free(s->first_model);
	ai_buf_release(&s->system);
}

/* ---- the pipe -------------------------------------------------------------------- */

struct pipe {
	bool eof, gone;   /* nothing more comes; nobody reads */
	bool socket;
	size_t sent;      /* of what there is to write */
	int in_at, out_at; /* in the set that was waited for; -1 */
};

static void pipe_init(struct pipe *p)
{
	struct stat st;

	*p = (struct pipe){ .in_at = -1, .out_at = -1 };
	p->socket = fstat(STDOUT_FILENO, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool is_ready(const struct agent_poll *poll, int at)
{
	return at >= 0 && poll->fds[at].revents != 0;
}

static void await_pipe(struct pipe *p, const struct serve *s,
		       struct agent_poll *poll)
{
	p->in_at = p->out_at = -1;
	if (!p->eof && serve_has_room(s)) {
		p->in_at = (int)poll->n;
		agent_poll_add(poll, STDIN_FILENO, POLLIN);
	}
	if (!p->gone && s->out.len > p->sent) {
		p->out_at = (int)poll->n;
		agent_poll_add(poll, STDOUT_FILENO, POLLOUT);
	}
}

static int take(struct pipe *p, struct serve *s, struct ai_err *err)
{
	char chunk[READ_SIZE];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 :
			ai_err_sys(err, AI_E_IO, errno,
				   "cannot read standard input");
	if (n > 0) {
		serve_take(s, chunk, (size_t)n);
	} else {
		p->eof = true;
		serve_end(s);
	}
	return 0;
}

static ssize_t write_some(const struct pipe *p, const char *b, size_t n)
{
	return p->socket ? send(STDOUT_FILENO, b, n, MSG_DONTWAIT | MSG_NOSIGNAL)
		: write(STDOUT_FILENO, b, n < WRITE_SIZE ? n : WRITE_SIZE);
}

static int give(struct pipe *p, struct serve *s, struct ai_err *err)
{
	ssize_t n = write_some(p, s->out.p + p->sent, s->out.len - p->sent);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		p->gone = true;
		return 0;
	}
	if (n < 0)
		return ai_err_sys(err, AI_E_IO, errno,
				  "cannot write standard output");
	p->sent += (size_t)n;
	if (p->sent == s->out.len) {
		ai_buf_shrink(&s->out, READ_SIZE);
		p->sent = 0;
	} else if (p->sent > READ_SIZE && p->sent > s->out.len / 2) {
		/* So each byte is moved once at most. */
		ai_buf_consume(&s->out, p->sent);
		p->sent = 0;
	}
	return 0;
}

/* ---- the loop -------------------------------------------------------------------- */

static int await(struct pipe *p, const struct serve_pool *pool,
		 struct agent_poll *poll, struct ai_err *err)
{
	agent_poll_clear(poll, LOOK_S);
	await_pipe(p, pool->serve, poll);
	agent_poll_add(poll, ai_sig_fd(), POLLIN);
	serve_pool_wait(pool, poll);
	agent_poll_by(poll, serve_next_tick(pool->serve));
	return agent_poll_wait(poll, err);
}

/* Whether there is nothing left to do. */
static bool is_over(const struct pipe *p, const struct serve *s)
{
	enum ai_sig sig = ai_sig_asked();

	return p->gone || sig == AI_SIG_NOW ||
		((p->eof || sig == AI_SIG_SOON) && s->n_calls == 0 &&
		 s->out.len == p->sent);
}

static int loop(struct pipe *p, struct serve_pool *pool, struct ai_err *err)
{
	struct agent_poll poll = { NULL, 0, 0, 0, false };
	struct serve *s = pool->serve;
	int rc = 0;

	while (rc == 0 && !is_over(p, s)) {
		rc = await(p, pool, &poll, err);
		if (ai_sig_asked() != AI_SIG_NO)
			p->eof = true;
		if (rc == 0 && is_ready(&poll, p->out_at))
			rc = give(p, s, err);
		if (rc == 0 && !p->eof && is_ready(&poll, p->in_at))
			rc = take(p, s, err);
		serve_pool_turn(pool);
		serve_tick(s, ai_clock_s());
		if (rc == 0 && s->failed)
			rc = ai_err_nomem(err);
	}
	agent_poll_release(&poll);
	return rc;
}

static int serve(struct serve *s, struct ai_err *err)
{
	struct serve_pool pool;
	struct pipe p;
	int rc;

	if (configure(s, err) < 0 || serve_init(s, err) < 0 ||
	    serve_pool_init(&pool, s, err) < 0)
		return -1;
	if (ai_sig_catch(err) < 0)
		return -1;
	if (isatty(STDIN_FILENO))
		ai_msg(AI_MSG_WARN, "this is for programs that speak the Model "
		       "Context Protocol; Ctrl-D ends it");
	pipe_init(&p);
	rc = loop(&p, &pool, err);
	serve_pool_release(&pool);
	if (rc == 0 && p.gone && !ai_sig_pipe())
		rc = ai_err_set(err, AI_E_IO, "cannot write standard output: "
				"nobody reads it");
	return rc;
}

int agent_serve(int argc, char **argv, struct ai_err *err)
{
	struct serve s = { .last = NULL };
	int rc;

	(void)argv;
	if (argc > 0)
		return ai_err_set(err, AI_E_USAGE, "serve takes no operands");
	if (!agent.mcp)
		return ai_err_set(err, AI_E_USAGE, "serve what? --mcp is the "
				  "Model Context Protocol on standard input "
				  "and output");
	rc = serve(&s, err);
	serve_release(&s);
	forget(&s);
	return rc < 0 ? -1 : AI_EXIT_OK;
}
