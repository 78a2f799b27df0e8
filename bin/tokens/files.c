/*
 * files.c: -R -s -r, what wc does: for each file its tokens and its name.
 *
 * A file is no record then.  It is read in pieces and may be of any length and
 * of any bytes; bytes that are not UTF-8 count as the encoding counts bytes.
 * A piece ends where two tokens must part in each of the encodings that are
 * built in, so that the sum is the count of the whole.
 */
#include "tokens.h"

#include "base/msg.h"
#include "base/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

static struct {
	int width;
	bool unnamed; /* standard input, which nobody named */
	atomic_int status; /* what those deserve that could not be counted */
} files;

bool tokens_files_asked(void)
{
	const struct tokens_settings *s = &tokens_settings;

	return ai_loop.plain_in && ai_loop.slurp && ai_loop.plain_out &&
		!s->encode && !s->decode && s->truncate < 0;
}

int tokens_files_status(void)
{
	return files.status;
}

/* ---- how it looks --------------------------------------------------------------- */

/* As wide as all bytes together, since there is no more than a token a byte;
 * 7 if a file does not tell how long it is; one file needs no room. */
void tokens_files_width(int argc, char *const *argv)
{
	uint64_t sum = 0;
	struct stat st;
	int least = 1;

	files.unnamed = argc == 0;
	if (argc < 2)
		return;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-") == 0 || stat(argv[i], &st) < 0 ||
		    !S_ISREG(st.st_mode))
			least = 7;
		else
			sum += (uint64_t)st.st_size;
	}
	files.width = snprintf(NULL, 0, "%" PRIu64, sum);
	if (files.width < least)
		files.width = least;
}

void tokens_files_put(struct ai_buf *b, size_t count, const char *name)
{
	ai_buf_fmt(b, "%*zu", files.width, count);
	if (name != NULL) {
		ai_buf_chr(b, ' ');
		ai_buf_str(b, name);
	}
	ai_buf_chr(b, '\n');
}

/* ---- where a piece may end -------------------------------------------------------- */

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		(c >= 'a' && c <= 'z');
}

/* Ideographs from U+5000 to U+9FFF. */
static bool is_ideograph(const unsigned char *p)
{
	return p[0] >= 0xE5 && p[0] <= 0xE9;
}

/* Its comma and its full stop, narrow and wide. */
static bool is_stop(const unsigned char *p)
{
	return memcmp(p, "\xE3\x80\x81", 3) == 0 ||
		memcmp(p, "\xE3\x80\x82", 3) == 0 ||
		memcmp(p, "\xEF\xBC\x8C", 3) == 0;
}

/*
 * Whether the text may be cut before p[i]: letters or digits stand before it,
 * and what goes on is neither, nor an apostrophe (don't), nor what may be
 * inside a special token.  All rules end a piece there, and none of them
 * looks back.
 */
static bool may_cut(const unsigned char *p, size_t n, size_t i)
{
	if (i >= 1 && is_word(p[i - 1]))
		return memchr(" \n\t.,;)", p[i], 7) != NULL;
	return i >= 3 && i + 3 <= n && is_ideograph(p + i - 3) &&
		is_stop(p + i);
}

/* The last such place in p[from..n), or 0. */
static size_t last_cut(const char *p, size_t from, size_t n)
{
	for (size_t i = n; i-- > from;)
		if (i > 0 && may_cut((const unsigned char *)p, n, i))
			return i;
	return 0;
}

/* ---- counting ---------------------------------------------------------------------- */

struct reading {
	struct tokens_worker *w;
	const char *path;
	int fd;
	size_t searched; /* there is no cut before this */
	bool end;
	uint64_t done;   /* bytes that were counted */
	struct ai_estimate sum;
};

/* Other encodings may see the whole text before they take it apart. */
static bool has_pieces(const struct tokens_worker *w)
{
	for (size_t i = 0; ai_bpe_encoding_at(i) != NULL; i++)
		if (strcmp(ai_bpe_encoding_at(i), ai_bpe_name(w->bpe)) == 0)
			return true;
	return false;
}

/* More of the file behind what is there; in larger steps the more that is. */
static int read_more(struct reading *r, struct ai_err *err)
{
	struct ai_buf *b = &r->w->text;
	size_t want = b->len < PIECE ? PIECE : b->len, got = 0;
	ssize_t n;

	if (ai_buf_reserve(b, want) < 0)
		return ai_buf_check(b, "the file", err);
	while (got < want && !r->end) {
		n = read(r->fd, b->p + b->len, want - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ai_err_sys(err, AI_E_OPEN, errno,
					  "cannot read '%.200s'", r->path);
		r->end = n == 0;
		b->len += (size_t)n;
		got += (size_t)n;
	}
	return 0;
}

static int refuse(struct reading *r, const char *p, size_t n,
		  struct ai_err *err)
{
	struct ai_err why;

	if (tokens_refuse_special(r->w, p, n, r->done, &why) == 0)
		return 0;
	return ai_err_set(err, why.code, "'%.150s': %.240s", r->path, why.msg);
}

static int add(struct reading *r, size_t n, struct ai_err *err)
{
	struct tokens_worker *w = r->w;
	const char *p = ai_buf_cstr(&w->text);
	size_t tokens;

	if (tokens_settings.special == TOKENS_REFUSE &&
	    refuse(r, p, n, err) < 0)
		return -1;
	if (tokens_model.kin != NULL) {
		if (ai_estimate_add(&r->sum, w->bpe, p, n, tokens_flags(),
				    err) < 0)
			return -1;
	} else {
		if (ai_bpe_count(w->bpe, p, n, tokens_flags(), &tokens,
				 err) < 0)
			return -1;
		r->sum.tokens[0] += tokens;
	}
	ai_buf_consume(&w->text, n);
	r->searched = 0;
	r->done += n;
	return 0;
}

static int count_file(struct reading *r, struct ai_err *err)
{
	struct ai_buf *b = &r->w->text;
	bool pieces = has_pieces(r->w);
	size_t cut;

	while (!r->end) {
		if (read_more(r, err) < 0)
			return -1;
		cut = r->end ? b->len : !pieces ? 0
			: last_cut(ai_buf_cstr(b), r->searched, b->len);
		if (cut == 0 && b->len > (size_t)ai_loop.max_line)
			return ai_err_set(err, AI_E_TOO_LONG, "'%.150s' has no "
				"place in %zu bytes where it could be counted "
				"in parts; --max-line allows %" PRId64
				" at once, and takes up to 1G", r->path,
				b->len, ai_loop.max_line);
		/* A comma of three bytes may have come in two parts. */
		r->searched = b->len < 3 ? 0 : b->len - 3;
		if (cut > 0 && add(r, cut, err) < 0)
			return -1;
	}
	return 0;
}

static int read_file(struct reading *r, struct ai_err *err)
{
	int rc;

	ai_buf_clear(&r->w->text);
	r->fd = ai_path_open(r->path, err);
	if (r->fd < 0)
		return -1;
	rc = count_file(r, err);
	close(r->fd);
	ai_buf_shrink(&r->w->text, 4 * PIECE);
	return rc;
}

/* ---- an operand ----------------------------------------------------------------------- */

/* Told of and passed over, as wc does. */
static int passed_over(const struct ai_err *why)
{
	int status = ai_code_exit(why->code), none = 0;

	ai_msg_err(why);
	if (status == AI_EXIT_OPEN)
		files.status = status;
	else
		atomic_compare_exchange_strong(&files.status, &none, status);
	return 0;
}

int tokens_file(void *state, const char *path, struct ai_emit *out,
		struct ai_err *err)
{
	struct reading r = { .w = state, .path = path };
	const char *name = files.unnamed ? NULL : path;
	struct tokens_answer a = { .exact = tokens_model.kin == NULL };
	struct ai_err why;
	int64_t left;

	if (read_file(&r, &why) < 0)
		return passed_over(&why);
	a.n = ai_estimate_of(&r.sum, tokens_model.kin);
	if (tokens_settings.fit != NULL && !tokens_fit(a.n.high, &left))
		ai_emit_no(out);
	if (tokens_sum_add(NULL, name, &a, err) < 0)
		return -1;
	if (tokens_settings.top > 0)
		return 0;
	ai_buf_clear(&r.w->out);
	tokens_files_put(&r.w->out, a.n.count, name);
	return ai_emit_bytes(out, r.w->out.p, r.w->out.len, err);
}
