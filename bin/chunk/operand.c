/* operand.c: what is done with an operand, by whichever thread has it. */
#include "feed-int.h"

#include "base/msg.h"
#include "record/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKED_AT 8000 /* bytes in which text has no NUL: git's measure */

/* ---- what is gone -------------------------------------------------------- */

/*
 * It has the form of a document without passages, so that whoever keeps them
 * lets go of the old ones.
 */
static int emit_gone(struct chunk_state *s, const char *path, const char *doc,
		     struct ai_emit *out, struct ai_err *err)
{
	struct ai_buf *b = &s->json;
	char id[AI_HASH_HEX];
	struct ai_hash h;

	ai_hash_init(&h);
	ai_hash_add(&h, path, strlen(path) + 1);
	ai_hash_add(&h, "deleted", sizeof "deleted");
	ai_hash_hex(&h, id);
	ai_buf_clear(b);
	ai_put_open(b, '{');
	ai_put_key(b, "id");
	ai_put_cstr(b, id);
	ai_put_key(b, "text");
	ai_put_cstr(b, "");
	ai_put_key(b, "chunk");
	ai_put_open(b, '{');
	ai_put_key(b, "doc");
	ai_put_cstr(b, doc);
	ai_put_key(b, "n");
	ai_put_i64(b, 0);
	ai_put_key(b, "of");
	ai_put_i64(b, 0);
	ai_put_key(b, "deleted");
	ai_put_bool(b, true);
	ai_put_close(b, '}');
	ai_put_key(b, "source");
	ai_put_open(b, '{');
	ai_put_key(b, "uri");
	ai_put_cstr(b, path);
	ai_put_close(b, '}');
	ai_put_close(b, '}');
	if (ai_buf_check(b, "a record", err) < 0)
		return -1;
	return ai_emit_line(out, b->p, b->len, err);
}

/* If it was ever written. */
static int gone(struct chunk_state *s, const char *path, struct ai_emit *out,
		struct ai_err *err)
{
	struct chunk_known_doc d;
	size_t at;
	int rc = feed.known == NULL ? 0 : chunk_known_find(feed.known, path,
							  &at, err);

	if (rc <= 0)
		return rc;
	if (chunk_known_get(feed.known, at, &d, err) < 0)
		return -1;
	return d.skipped ? 0 : emit_gone(s, path, d.doc, out, err);
}

/* ---- what is no text ----------------------------------------------------- */

static bool is_executable(const char *folder, size_t n, const char *name)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 16);
	bool is;

	ai_buf_add(&b, n > 0 ? folder : ".", n > 0 ? n : 1);
	ai_buf_chr(&b, '/');
	ai_buf_str(&b, name);
	is = b.bad == AI_E_NONE && access(b.p, X_OK) == 0;
	ai_buf_release(&b);
	return is;
}

/* Where proc.c would look for it. */
static bool is_installed(const char *program)
{
	const char *path = getenv("PATH");
	size_t n;

	if (strchr(program, '/') != NULL)
		return access(program, X_OK) == 0;
	for (; path != NULL; path = path[n] == ':' ? path + n + 1 : NULL) {
		n = strcspn(path, ":");
		if (is_executable(path, n, program))
			return true;
	}
	return false;
}

static bool is_binary(int fd)
{
	char p[LOOKED_AT];
	ssize_t n = pread(fd, p, sizeof p, 0);

	return n > 0 && memchr(p, '\0', (size_t)n) != NULL;
}

/* A file that was found is left alone if nobody can have meant it. 1: it is. */
static int is_left_alone(struct chunk_state *s, const char *path,
			 struct ai_emit *out, struct ai_err *err)
{
	struct chunk_known_doc d = { .skipped = true };
	struct chunk_converter c;
	struct chunk_reading r;
	struct ai_err why;
	char needs[160];
	int rc, fd;

	rc = chunk_converter_find(&c, path, err);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		rc = !is_installed(c.argv[0]);
		snprintf(needs, sizeof needs, "it needs '%.100s', which is not "
			 "installed", c.argv[0]);
		chunk_converter_release(&c);
		if (rc > 0)
			feed_say_skipped(path, needs);
		return rc;
	}
	if (chunk_doc_open(path, &fd, &why) < 0)
		return 0; /* told when it is to be cut */
	chunk_reading_begin(&r, fd);
	rc = is_binary(fd);
	close(fd);
	if (rc == 0)
		return 0;
	feed_say_skipped(path, "it is binary");
	if (feed.known == NULL)
		return 1;
	ai_hash_of("", 0, d.doc);
	feed_how(NULL, d.how);
	d.stamp = r.stamp;
	if (gone(s, path, out, err) < 0 ||
	    chunk_known_note(feed.known, path, &d, err) < 0)
		return -1;
	return 1;
}

int chunk_feed_operand(struct chunk_state *s, const char *operand,
		       struct ai_emit *out, struct ai_err *err)
{
	const char *kind = operand + strlen(operand) + 1;
	int rc = 0;

	if (*kind == FEED_GONE)
		return gone(s, operand, out, err);
	if (*kind == FEED_FAILED)
		return ai_err_set(err, AI_E_DOCUMENT, "%s", kind + 1);
	if (*kind == FEED_FOUND)
		rc = is_left_alone(s, operand, out, err);
	return rc != 0 ? rc < 0 ? -1 : 0
		: chunk_document(s, operand, out, err);
}

/* ---- copies -------------------------------------------------------------- */

int chunk_copies_decide(struct chunk_state *s, const char *uri,
			struct ai_err *err)
{
	struct chunk_copy *more;
	size_t owner = DEDUP_NOBODY;

	if (s->prints.n > s->cap_copies) {
		more = reallocarray(s->copies, s->prints.n, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		s->copies = more;
		s->cap_copies = s->prints.n;
	}
	if (feed.known != NULL && uri != NULL &&
	    chunk_known_find(feed.known, uri, &owner, err) < 0)
		return -1;
	if (chunk_dedup_decide(s->dedup, &s->prints, owner, s->copies,
			       &s->kept_from, err) < 0)
		return -1;
	for (size_t i = 0; i < s->prints.n; i++)
		s->n_copies += s->copies[i].is_copy;
	return 0;
}

void chunk_copies_print(struct chunk_state *s)
{
	struct ai_hash h;

	if (s->n_copies == 0)
		return;
	ai_hash_init(&h);
	ai_hash_add(&h, s->cutter.print, AI_HASH_HEX);
	for (size_t i = 0; i < s->prints.n; i++)
		ai_hash_add(&h, s->copies[i].is_copy ? "1" : "0", 1);
	ai_hash_hex(&h, s->cutter.print);
}

/* ---- what was read ------------------------------------------------------- */

void chunk_reading_begin(struct chunk_reading *r, int fd)
{
	int64_t now = chunk_stamp_now();
	struct stat st;

	memset(r, 0, sizeof *r);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	r->regular = true;
	chunk_stamp_of(&r->stamp, &st, now);
}

static void put_copies(struct ai_buf *b, const struct chunk_state *s)
{
	char hex[AI_HASH_HEX];

	ai_put_open(b, '[');
	for (size_t i = 0; i < s->prints.n; i++)
		if (s->copies[i].is_copy) {
			ai_hex(s->copies[i].of.b, AI_HASH_BYTES, hex);
			ai_put_cstr(b, hex);
		}
	ai_put_close(b, ']');
}

static int note(struct chunk_state *s, const char *path,
		struct chunk_known_doc *d, struct ai_err *err)
{
	struct ai_buf kept = AI_BUF_INIT((size_t)1 << 30);
	struct ai_buf copies = AI_BUF_INIT((size_t)1 << 30);
	int rc = 0;

	if (s->dedup != NULL) {
		put_copies(&copies, s);
		rc = chunk_dedup_save(s->dedup, s->kept_from, &kept, err) < 0 ||
		     ai_buf_check(&copies, "the list of copies", err) < 0
			? -1 : 0;
		d->kept = (struct ai_value){ AI_ARRAY, { kept.p, kept.len } };
		d->copies = (struct ai_value){ AI_ARRAY, { copies.p,
							   copies.len } };
	}
	if (rc == 0)
		rc = chunk_known_note(feed.known, path, d, err);
	ai_buf_release(&kept);
	ai_buf_release(&copies);
	return rc;
}

int chunk_reading_done(struct chunk_state *s, const struct chunk_reading *r,
		       const char *path, const struct chunk_converter *c,
		       struct ai_err *err)
{
	struct chunk_known_doc d = { .stamp = r->stamp };

	pthread_mutex_lock(&feed.mutex);
	feed.n_read++;
	feed.n_passages += s->cutter.count;
	feed.n_copies += s->n_copies;
	pthread_mutex_unlock(&feed.mutex);
	if (feed.known == NULL || !r->regular || strcmp(path, "-") == 0)
		return 0;
	memcpy(d.doc, s->doc.hash, sizeof d.doc);
	feed_how(c, d.how);
	d.passages = (int64_t)(s->cutter.count -
			       (s->mark ? 0 : s->n_copies));
	return note(s, path, &d, err);
}
