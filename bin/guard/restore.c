/* restore.c: records, deltas and plain streams on their way back. */
#include "restore.h"

#include "redact.h"
#include "restorer.h"

#include "base/start.h"
#include "crypt/hash.h"
#include "record/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAMS 64 /* answers that come in pieces at the same time */
#define PIECE ((size_t)1 << 16)
#define DELTA "delta.text"

struct guard_restore_settings guard_restore_settings;

static struct guard_map *map;

/* An answer that comes in pieces. */
struct stream {
	struct ai_buf id; /* as it stands in the record; "": without one */
	struct restorer restorer;
};

struct restoring {
	struct stream *streams[STREAMS]; /* the oldest first */
	size_t n;
	struct restorer whole;
	struct ai_buf text, out, line;
};

/* ---- streams ------------------------------------------------------------------------- */

static void stream_free(struct stream *s)
{
	restorer_release(&s->restorer);
	ai_buf_release(&s->id);
	free(s);
}

/* What is left of one: a piece of its own, in its form. */
static int end_stream(struct restoring *g, size_t i, struct ai_emit *out,
		      struct ai_err *err)
{
	struct stream *s = g->streams[i];
	struct ai_buf *b = &g->line;
	int rc;

	ai_buf_clear(&g->out);
	ai_buf_clear(b);
	rc = restorer_end(&s->restorer, &g->out, err);
	if (rc == 0 && g->out.len > 0 && ai_loop.plain_out) {
		rc = ai_emit_bytes(out, g->out.p, g->out.len, err);
	} else if (rc == 0 && g->out.len > 0) {
		ai_put_open(b, '{');
		if (s->id.len > 0) {
			ai_put_key(b, "id");
			ai_put_raw(b, s->id.p, s->id.len);
		}
		ai_put_key(b, "delta");
		ai_put_open(b, '{');
		ai_put_key(b, "text");
		ai_buf_chr(b, '"');
		ai_buf_add(b, g->out.p, g->out.len);
		ai_buf_chr(b, '"');
		ai_put_close(b, '}');
		ai_put_close(b, '}');
		rc = ai_buf_check(b, "a piece", err);
		if (rc == 0)
			rc = ai_emit_line(out, b->p, b->len, err);
	}
	stream_free(s);
	memmove(&g->streams[i], &g->streams[i + 1],
		(--g->n - i) * sizeof *g->streams);
	return rc;
}

static size_t find_stream(const struct restoring *g, struct ai_value id)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (id.kind == AI_NONE
		    ? g->streams[i]->id.len == 0
		    : ai_span_eq((struct ai_span){
				ai_buf_cstr(&g->streams[i]->id),
				g->streams[i]->id.len }, id.s))
			break;
	return i;
}

static struct stream *open_stream(struct restoring *g, struct ai_value id,
				  struct ai_emit *out, struct ai_err *err)
{
	size_t i = find_stream(g, id);
	struct stream *s;

	if (i < g->n)
		return g->streams[i];
	if (g->n == STREAMS && end_stream(g, 0, out, err) < 0)
		return NULL;
	s = calloc(1, sizeof *s);
	if (s == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	restorer_init(&s->restorer, map, guard_restore_settings.exact);
	ai_buf_init(&s->id, GUARD_TEXT_MAX);
	if (id.kind != AI_NONE)
		ai_buf_add(&s->id, id.s.p, id.s.n);
	g->streams[g->n++] = s;
	return s;
}

/* ---- records -------------------------------------------------------------------------- */

static const char *path_of(void)
{
	return ai_loop.path != NULL ? ai_loop.path
				    : ai_loop.plain_in ? "text"
						       : "completion.text";
}

/* Appends to g->out what the text at the path becomes: with -r as a text, else
 * as it is to stand in the token. */
static int take(struct restoring *g, struct restorer *r,
		const struct ai_rec *rec, const char *path, struct ai_err *err)
{
	struct ai_span text;

	ai_buf_clear(&g->out);
	if (ai_rec_text(rec, path, &g->text, err) < 0)
		return -1;
	text = (struct ai_span){ ai_buf_cstr(&g->text), g->text.len };
	if (ai_loop.plain_out)
		return restorer_add(r, text.p, text.n, &g->out, err);
	ai_buf_chr(&g->out, '"');
	return restorer_add_string(r, ai_rec_get(rec, path), text, &g->out,
				   err);
}

static int put(struct restoring *g, struct ai_rec *rec, const char *path,
	       struct ai_emit *out, struct ai_err *err)
{
	struct ai_value v = ai_rec_get(rec, path);
	struct ai_span token;

	ai_buf_chr(&g->out, '"');
	if (ai_buf_check(&g->out, "the restored text", err) < 0)
		return -1;
	token = (struct ai_span){ g->out.p, g->out.len };
	if (!ai_span_eq(token, v.s) &&
	    ai_rec_rewrite_token(rec, v, token, err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

static int each_delta(struct restoring *g, struct ai_rec *rec,
		      struct ai_emit *out, struct ai_err *err)
{
	struct stream *s = open_stream(g, ai_rec_id_value(rec), out, err);

	if (s == NULL || take(g, &s->restorer, rec, DELTA, err) < 0)
		return -1;
	return ai_loop.plain_out
		? ai_emit_bytes(out, g->out.p, g->out.len, err)
		: put(g, rec, DELTA, out, err);
}

/* The whole answer; with -r that of which the pieces were written needs but its
 * end of the line. */
static int each_whole(struct restoring *g, struct ai_rec *rec,
		      struct ai_emit *out, struct ai_err *err)
{
	size_t i = find_stream(g, ai_rec_id_value(rec));
	bool streamed = i < g->n;

	if (streamed && end_stream(g, i, out, err) < 0)
		return -1;
	restorer_clear(&g->whole); /* of one that failed */
	if (take(g, &g->whole, rec, path_of(), err) < 0 ||
	    restorer_end(&g->whole, &g->out, err) < 0)
		return -1;
	if (!ai_loop.plain_out)
		return put(g, rec, path_of(), out, err);
	return streamed ? ai_emit_bytes(out, "\n", 1, err)
		: ai_emit_line(out, ai_buf_cstr(&g->out), g->out.len, err);
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct restoring *g = state;

	ai_buf_clear(&g->text);
	return ai_rec_get(rec, path_of()).kind == AI_NONE &&
	       ai_rec_get(rec, DELTA).kind == AI_STRING
		? each_delta(g, rec, out, err) : each_whole(g, rec, out, err);
}

static int end_all(void *state, struct ai_emit *out, struct ai_err *err)
{
	struct restoring *g = state;

	while (g->n > 0)
		if (end_stream(g, 0, out, err) < 0)
			return -1;
	return 0;
}

static int open_restoring(void **state, struct ai_err *err)
{
	struct restoring *g = calloc(1, sizeof *g);

	if (g == NULL)
		return ai_err_nomem(err);
	restorer_init(&g->whole, map, guard_restore_settings.exact);
	ai_buf_init(&g->text, GUARD_TEXT_MAX);
	ai_buf_init(&g->out, 4 * GUARD_TEXT_MAX);
	ai_buf_init(&g->line, SIZE_MAX);
	*state = g;
	return 0;
}

static void wipe(struct ai_buf *b)
{
	if (b->cap > 0)
		ai_wipe(b->p, b->cap);
	ai_buf_release(b);
}

static void close_restoring(void *state)
{
	struct restoring *g = state;

	while (g->n > 0)
		stream_free(g->streams[--g->n]);
	restorer_release(&g->whole);
	wipe(&g->text);
	wipe(&g->out);
	wipe(&g->line);
	free(g);
}

/* ---- plain streams --------------------------------------------------------------------- */

static bool would_block(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

static int pass_fd(int fd, const char *name, struct restorer *r,
		   struct ai_writer *w, struct ai_buf *out, struct ai_err *err)
{
	char in[PIECE];
	ssize_t n;

	for (;;) {
		if (would_block(fd) && ai_writer_flush(w, err) < 0)
			return -1;
		n = read(fd, in, sizeof in);
		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1,
			     -1);
		else if (n < 0 && errno != EINTR)
			return ai_err_sys(err, AI_E_IO, errno,
					  "cannot read '%.200s'", name);
		if (n < 0)
			continue;
		if (n == 0)
			return 0;
		ai_buf_clear(out);
		if (restorer_add(r, in, (size_t)n, out, err) < 0 ||
		    ai_writer_add(w, out->p, out->len, err) < 0)
			return -1;
	}
}

static int pass_file(const char *path, struct restorer *r, struct ai_writer *w,
		     struct ai_buf *out, struct ai_err *err)
{
	int fd, rc;

	if (strcmp(path, "-") == 0)
		return pass_fd(STDIN_FILENO, "standard input", r, w, out, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%.200s'",
				  path);
	rc = pass_fd(fd, path, r, w, out, err);
	close(fd);
	return rc;
}

/* Bytes as they come, of which nobody knows where a record ends. */
static int restore_plain(int argc, char **argv, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 31);
	struct ai_writer w;
	struct restorer r;
	int rc = 0;

	ai_writer_init(&w, STDOUT_FILENO);
	restorer_init(&r, map, guard_restore_settings.exact);
	if (argc == 0)
		rc = pass_file("-", &r, &w, &out, err);
	for (int i = 0; i < argc && rc == 0; i++)
		rc = pass_file(argv[i], &r, &w, &out, err);
	ai_buf_clear(&out);
	if (rc == 0)
		rc = restorer_end(&r, &out, err);
	if (rc == 0)
		rc = ai_writer_add(&w, out.p, out.len, err);
	/* What was restored goes out even when the rest failed. */
	if (ai_writer_flush(&w, rc < 0 ? NULL : err) < 0)
		rc = -1;
	restorer_release(&r);
	ai_writer_release(&w);
	wipe(&out);
	return rc;
}

/* ---- the verb ----------------------------------------------------------------------------- */

/* In a pipeline who makes the map starts when we do, but has made it before it
 * writes anything. */
static void wait_for_map(const char *path)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };

	while (access(path, F_OK) < 0 && errno == ENOENT &&
	       poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
}

int guard_restore(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .open = open_restoring, .close = close_restoring,
		.end = end_all,
	};
	const struct guard_redact_settings *s = &guard_redact_settings;
	int rc;

	if (s->map == NULL || s->key == NULL)
		return ai_err_set(err, AI_E_USAGE, "restore needs the map and "
				  "its key: give --map and --map-key");
	if (argc == 0)
		wait_for_map(s->map);
	map = guard_map_open(s->map, s->key, GUARD_MAP_READ, err);
	if (map == NULL)
		return -1;
	/* The pieces of an answer follow one another. */
	ai_loop.jobs = 1;
	rc = ai_loop.plain_in && ai_loop.plain_out
		? restore_plain(argc, argv, err)
		: ai_loop_run(&filter, argc, argv, err);
	guard_map_free(map);
	map = NULL;
	return rc;
}
