#include "record/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 17)
#define KEPT_BYTES ((size_t)1 << 20) /* of lines that were copied */

void ai_reader_init(struct ai_reader *r, int fd, size_t max_line)
{
	memset(r, 0, sizeof *r);
	r->fd = fd;
	r->max_line = max_line;
	ai_buf_init(&r->buf, max_line + 2 * READ_SIZE);
}

void ai_reader_release(struct ai_reader *r)
{
	ai_buf_release(&r->buf);
}

void ai_reader_copied(struct ai_reader *r)
{
	struct ai_buf less;

	if (r->pos < KEPT_BYTES)
		return;
	ai_buf_init(&less, r->buf.max);
	if (ai_buf_add(&less, r->buf.p + r->pos, r->buf.len - r->pos) < 0)
		return;
	ai_buf_release(&r->buf);
	r->buf = less;
	r->pos = 0;
}

/* Reads more behind what is there. 1: something came, 0: the end. */
static int fill(struct ai_reader *r, struct ai_err *err)
{
	ssize_t n;

	if (r->eof)
		return 0;
	if (r->pos > 0) {
		ai_buf_consume(&r->buf, r->pos);
		r->pos = 0;
	}
	if (ai_buf_reserve(&r->buf, READ_SIZE) < 0)
		return ai_buf_check(&r->buf, "the line", err);
	if (r->before != NULL && r->before(r->arg, r->fd, err) < 0)
		return -1;
	do
		n = read(r->fd, r->buf.p + r->buf.len, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot read");
	if (n == 0)
		r->eof = true;
	r->buf.len += (size_t)n;
	return n > 0;
}

static struct ai_span rest(const struct ai_reader *r)
{
	return (struct ai_span){ r->buf.len ? r->buf.p + r->pos : "",
				 r->buf.len - r->pos };
}

/* Reads past the line that begins at pos and is longer than the limit. */
static int skip_long(struct ai_reader *r, struct ai_line *line,
		     struct ai_err *err)
{
	struct ai_hash hash;
	const char *nl;
	int more = 1;

	ai_hash_init(&hash);
	do {
		struct ai_span have = rest(r);

		nl = have.n > 0 ? memchr(have.p, '\n', have.n) : NULL;
		if (nl != NULL)
			have.n = (size_t)(nl - have.p);
		ai_hash_add(&hash, have.p, have.n);
		line->length += have.n;
		r->pos += have.n + (nl != NULL);
	} while (nl == NULL && (more = fill(r, err)) > 0);
	if (more < 0)
		return -1;
	line->too_long = true;
	ai_hash_hex(&hash, line->hash);
	return 1;
}

static int found(struct ai_reader *r, struct ai_line *line, struct ai_span s,
		 size_t used)
{
	r->pos += used;
	line->text = s;
	line->length = s.n;
	return 1;
}

static void begin(struct ai_reader *r, struct ai_line *line)
{
	memset(line, 0, sizeof *line);
	line->number = ++r->number;
}

int ai_reader_next(struct ai_reader *r, struct ai_line *line,
		   struct ai_err *err)
{
	size_t seen = 0;
	int more;

	begin(r, line);
	for (;;) {
		struct ai_span have = rest(r);
		const char *nl = have.n > seen
			? memchr(have.p + seen, '\n', have.n - seen) : NULL;

		seen = nl != NULL ? (size_t)(nl - have.p) : have.n;
		if (seen > r->max_line)
			return skip_long(r, line, err);
		if (nl != NULL)
			return found(r, line, (struct ai_span){ have.p, seen },
				     seen + 1);
		more = fill(r, err);
		if (more < 0)
			return -1;
		if (more == 0)
			break;
	}
	/* The last line may lack its newline. */
	return seen == 0 ? 0 : found(r, line, rest(r), seen);
}

int ai_reader_all(struct ai_reader *r, struct ai_line *line,
		  struct ai_err *err)
{
	struct ai_hash hash;
	int more;

	if (r->eof)
		return 0;
	begin(r, line);
	while (rest(r).n <= r->max_line)
		if ((more = fill(r, err)) <= 0)
			return more < 0 ? -1
				: found(r, line, rest(r), rest(r).n);
	ai_hash_init(&hash);
	do {
		struct ai_span have = rest(r);

		ai_hash_add(&hash, have.p, have.n);
		line->length += have.n;
		r->pos += have.n;
	} while ((more = fill(r, err)) > 0);
	line->too_long = true;
	ai_hash_hex(&hash, line->hash);
	return more < 0 ? -1 : 1;
}
