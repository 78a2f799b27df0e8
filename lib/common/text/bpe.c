#include "text/bpe.h"

#include "base/path.h"
#include "base/utf8.h"
#include "text/bpe_merge.h"
#include "text/bpe_names.h"
#include "text/bpe_scan.h"
#include "text/bpe_table.h"
#include "text/tokenizer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many threads that count at the same time keep what they learn. */
#define CACHES 16

struct ai_bpe {
	const struct ai_bpe_encoding *encoding;
	struct ai_bpe_table table;
	void *map;
	size_t map_len;
	/* Not in use at the moment. */
	_Atomic(struct ai_piece_cache *) *idle;
	struct ai_tok *tok; /* from a file: then nothing above is set */
	char *name;
};

/* ---- caches ---- */

/*
 * One thread at a time can use a cache, so each call takes one and gives it
 * back.  A thread begins to look where no other one does, and so gets its own
 * back, which is in its processor's memory.
 */
static size_t cache_first(void)
{
	static _Thread_local char mine;
	uintptr_t at = (uintptr_t)&mine;

	return (size_t)(at >> 12 ^ at >> 20) % CACHES;
}

static struct ai_piece_cache *cache_take(const struct ai_bpe *b)
{
	size_t first = cache_first();
	struct ai_piece_cache *c;

	for (size_t i = 0; i < CACHES; i++) {
		c = atomic_exchange(&b->idle[(first + i) % CACHES], NULL);
		if (c != NULL)
			return c;
	}
	return calloc(1, sizeof *c);
}

static void cache_free(struct ai_piece_cache *c)
{
	if (c != NULL)
		ai_piece_cache_release(c);
	free(c);
}

static void cache_give(const struct ai_bpe *b, struct ai_piece_cache *c)
{
	size_t first = cache_first();

	for (size_t i = 0; i < CACHES; i++) {
		struct ai_piece_cache *none = NULL;

		if (atomic_compare_exchange_strong(
			    &b->idle[(first + i) % CACHES], &none, c))
			return;
	}
	cache_free(c);
}

/* ---- opening ---- */

static int map_fd(struct ai_bpe *b, int fd, const char *path,
		  struct ai_err *err)
{
	const char *wrong;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot read '%s'",
				  path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return ai_err_set(err, AI_E_DATA,
				  "'%s' is unusable: it is %s", path,
				  S_ISREG(st.st_mode) ? "empty" : "no file");
	b->map_len = (size_t)st.st_size;
	b->map = mmap(NULL, b->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (b->map == MAP_FAILED) {
		b->map = NULL;
		return ai_err_sys(err, AI_E_OS, errno, "cannot map '%s'",
				  path);
	}
	wrong = ai_bpe_table_map(&b->table, b->map, b->map_len);
	if (wrong != NULL)
		return ai_err_set(err, AI_E_DATA,
				  "'%s' is unusable: %s; install it again",
				  path, wrong);
	return 0;
}

static int unknown_encoding(const char *name, struct ai_err *err)
{
	struct ai_buf all = AI_BUF_INIT(256);

	for (size_t i = 0; ai_bpe_encoding_at(i) != NULL; i++)
		ai_buf_fmt(&all, "%s%s", i > 0 ? ", " : "",
			   ai_bpe_encoding_at(i));
	ai_err_set(err, AI_E_CONFIG, "no encoding '%s'; there are %s", name,
		   ai_buf_cstr(&all));
	ai_buf_release(&all);
	return -1;
}

int ai_bpe_open_file(struct ai_bpe **out, const char *encoding,
		     const char *path, struct ai_err *err)
{
	const struct ai_bpe_encoding *e = ai_bpe_encoding_find(encoding);
	struct ai_bpe *b;
	int fd;

	*out = NULL;
	if (e == NULL)
		return unknown_encoding(encoding, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				  path);
	b = calloc(1, sizeof *b);
	if (b == NULL) {
		close(fd);
		return ai_err_nomem(err);
	}
	b->encoding = e;
	b->idle = calloc(CACHES, sizeof *b->idle);
	if (b->idle == NULL ? ai_err_nomem(err) < 0
			    : map_fd(b, fd, path, err) < 0) {
		ai_bpe_close(b);
		b = NULL;
	}
	close(fd);
	*out = b;
	return b == NULL ? -1 : 0;
}

int ai_bpe_open(struct ai_bpe **out, const char *encoding, struct ai_err *err)
{
	const struct ai_bpe_encoding *e = ai_bpe_encoding_find(encoding);
	char *path;
	int rc;

	*out = NULL;
	if (e == NULL)
		return unknown_encoding(encoding, err);
	if (ai_path_data(e->table, &path, err) < 0)
		return -1;
	rc = ai_bpe_open_file(out, encoding, path, err);
	free(path);
	return rc;
}

int ai_bpe_from_tok(struct ai_bpe **out, struct ai_tok *tok, const char *name,
		    struct ai_err *err)
{
	struct ai_bpe *b = calloc(1, sizeof *b);
	char *copy = strdup(name);

	*out = b;
	if (b == NULL || copy == NULL) {
		*out = NULL;
		free(b);
		free(copy);
		ai_tok_free(tok);
		return ai_err_nomem(err);
	}
	b->tok = tok;
	b->name = copy;
	return 0;
}

struct ai_span ai_bpe_source(const struct ai_bpe *b)
{
	const struct ai_tok_header *head =
		b->tok != NULL ? ai_tok_head(b->tok) : NULL;

	return head != NULL
		? (struct ai_span){ head->source, sizeof head->source }
		: (struct ai_span){ "", 0 };
}

void ai_bpe_close(struct ai_bpe *b)
{
	if (b == NULL)
		return;
	ai_tok_free(b->tok);
	free(b->name);
	if (b->map != NULL)
		munmap(b->map, b->map_len);
	for (size_t i = 0; b->idle != NULL && i < CACHES; i++)
		cache_free(atomic_load(&b->idle[i]));
	free(b->idle);
	free(b);
}

const char *ai_bpe_name(const struct ai_bpe *b)
{
	return b->tok != NULL ? b->name : b->encoding->name;
}

const char *ai_bpe_method(const struct ai_bpe *b)
{
	static const char *const names[] = {
		[AI_TOK_BPE] = "bpe", [AI_TOK_UNIGRAM] = "unigram",
		[AI_TOK_WORDPIECE] = "wordpiece",
	};

	return names[b->tok != NULL ? ai_tok_head(b->tok)->kind : AI_TOK_BPE];
}

uint32_t ai_bpe_unknown(const struct ai_bpe *b)
{
	return b->tok != NULL ? ai_tok_head(b->tok)->unknown : UINT32_MAX;
}

int ai_bpe_check(const struct ai_bpe *b, struct ai_err *err)
{
	const size_t head = sizeof(struct ai_bpe_header);
	const unsigned char *p = b->map, *bytes;
	struct ai_bpe_header h;
	size_t n;

	/* One from a file was checked when it was opened. */
	if (b->tok != NULL)
		return 0;
	memcpy(&h, p, head);
	if (ai_bpe_hash(p + head, b->map_len - head) != le64toh(h.body_hash))
		return ai_err_set(err, AI_E_DATA, "the table of %s is damaged",
				  ai_bpe_name(b));
	for (uint32_t i = 0; i < b->table.n_ids; i++) {
		bytes = ai_bpe_bytes(&b->table, i, &n);
		if (bytes != NULL && ai_bpe_find(&b->table, bytes, n) != i)
			return ai_err_set(err, AI_E_DATA,
					  "token %u of %s cannot be found", i,
					  ai_bpe_name(b));
	}
	return 0;
}

/* ---- ids ---- */

void ai_bpe_ids_release(struct ai_bpe_ids *ids)
{
	free(ids->v);
	*ids = (struct ai_bpe_ids){ 0 };
}

int ai_bpe_ids_add(struct ai_bpe_ids *ids, uint32_t id, struct ai_err *err)
{
	size_t cap;
	uint32_t *v;

	if (ids->n == ids->cap) {
		cap = ids->cap == 0 ? 64 : ids->cap + ids->cap / 2;
		v = reallocarray(ids->v, cap, sizeof *v);
		if (v == NULL)
			return ai_err_nomem(err);
		ids->v = v;
		ids->cap = cap;
	}
	ids->v[ids->n++] = id;
	return 0;
}

/* ---- encoding ---- */

/* The first special token: its place (n if none), length and id. */
static size_t next_special(const struct ai_bpe *b, const char *p, size_t n,
			   size_t *len, uint32_t *id)
{
	const char *hit = p;

	while ((hit = memmem(hit, n - (size_t)(hit - p), "<|", 2)) != NULL) {
		*len = ai_bpe_special_at(b->encoding, hit,
					 n - (size_t)(hit - p), id);
		if (*len > 0)
			return (size_t)(hit - p);
		hit++;
	}
	return n;
}

static int encode_plain(const struct ai_bpe *b, struct ai_piece_cache *cache,
			const char *p, size_t n, struct ai_bpe_sink *s,
			struct ai_err *err)
{
	return ai_bpe_scan(NULL, &b->table, b->encoding->grammar, cache, p, n,
			   s, err);
}

static int encode_with(const struct ai_bpe *b, struct ai_piece_cache *cache,
		       const char *p, size_t n, unsigned flags,
		       struct ai_bpe_sink *s, struct ai_err *err)
{
	size_t at, len = 0;
	uint32_t id;

	if (!(flags & AI_BPE_SPECIAL))
		return encode_plain(b, cache, p, n, s, err);
	/* What stands between two of them is a text of its own. */
	while (n > 0) {
		at = next_special(b, p, n, &len, &id);
		if (encode_plain(b, cache, p, at, s, err) < 0)
			return -1;
		if (at == n)
			return 0;
		if (ai_bpe_sink_add(s, id, err) < 0)
			return -1;
		p += at + len;
		n -= at + len;
	}
	return 0;
}

static int encode(const struct ai_bpe *b, const char *p, size_t n,
		  unsigned flags, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct ai_piece_cache *cache;
	int rc;

	if (b->tok != NULL)
		return ai_tok_encode(b->tok, p, n, flags, s, err);
	cache = cache_take(b);
	if (cache == NULL)
		return ai_err_nomem(err);
	rc = encode_with(b, cache, p, n, flags, s, err);
	cache_give(b, cache);
	return rc;
}

int ai_bpe_count(const struct ai_bpe *b, const char *p, size_t n,
		 unsigned flags, size_t *count, struct ai_err *err)
{
	struct ai_bpe_sink s = { 0 };

	if (encode(b, p, n, flags, &s, err) < 0)
		return -1;
	*count = s.count;
	return 0;
}

int ai_bpe_encode(const struct ai_bpe *b, const char *p, size_t n,
		  unsigned flags, struct ai_bpe_ids *ids, struct ai_err *err)
{
	struct ai_bpe_sink s = { 0, ids, SIZE_MAX };

	return encode(b, p, n, flags, &s, err);
}

/* ---- decoding ---- */

/* The bytes of any token; room is for special ones. */
static const char *token_bytes(const struct ai_bpe *b, uint32_t id,
			       char room[AI_BPE_SPECIAL_MAX], size_t *n)
{
	const unsigned char *p = b->tok != NULL
					 ? ai_tok_token(b->tok, id, n)
					 : ai_bpe_bytes(&b->table, id, n);

	if (p != NULL || b->tok != NULL)
		return (const char *)p;
	return ai_bpe_special_text(b->encoding, id, room, n);
}

int ai_bpe_decode(const struct ai_bpe *b, const uint32_t *ids, size_t n,
		  struct ai_buf *out, struct ai_err *err)
{
	char room[AI_BPE_SPECIAL_MAX];
	const char *p;
	size_t len;

	if (b->tok != NULL)
		return ai_tok_decode(b->tok, b->name, ids, n, out, err);
	for (size_t i = 0; i < n; i++) {
		p = token_bytes(b, ids[i], room, &len);
		if (p == NULL)
			return ai_err_set(err, AI_E_RECORD,
					  "%s has no token %u", ai_bpe_name(b),
					  ids[i]);
		if (ai_buf_add(out, p, len) < 0)
			break;
	}
	return ai_buf_check(out, "the decoded text", err);
}

/* ---- truncating ---- */

/* A special token with two names has the shorter one here: at worst, a
 * little less is kept. */
static size_t bytes_of(const struct ai_bpe *b, const struct ai_bpe_ids *ids,
		       size_t n)
{
	char room[AI_BPE_SPECIAL_MAX];
	size_t sum = 0, len;

	for (size_t i = 0; i < n; i++)
		if (token_bytes(b, ids->v[i], room, &len) != NULL)
			sum += len;
	return sum;
}

/*
 * The first max tokens of a text are the right place to cut, nearly always:
 * the beginning of a piece merges to the beginning of its tokens (as
 * bpe_merge.c explains), and pieces do not change when what follows is gone.
 * Three things can still go wrong, and make the kept bytes more than max
 * tokens: a cut moved back to the border of a character; a cut inside white
 * space or a contraction, where the rule looks ahead; a special token cut
 * off.  So the result is encoded again, and while it has too many tokens one
 * more is left out, later two more, four more: each time a shorter text, and
 * seldom more than one.
 */
static int find_cut(const struct ai_bpe *b, const char *p, size_t n,
		    unsigned flags, size_t max, const struct ai_bpe_ids *ids,
		    struct ai_bpe_cut *cut, struct ai_err *err)
{
	size_t take = ids->n, drop = 1;

	for (int tries = 1;; tries++) {
		cut->keep = ai_utf8_floor(p, n, bytes_of(b, ids, take));
		if (ai_bpe_count(b, p, cut->keep, flags, &cut->tokens, err) <
		    0)
			return -1;
		if (cut->tokens <= max)
			return 0;
		if (tries > 8)
			drop *= 2;
		take -= take < drop ? take : drop;
	}
}

int ai_bpe_truncate(const struct ai_bpe *b, const char *p, size_t n,
		    unsigned flags, size_t max, struct ai_bpe_cut *cut,
		    struct ai_err *err)
{
	struct ai_bpe_ids ids = { 0 };
	struct ai_bpe_sink s = { 0, &ids, max };
	int rc;

	if (b->tok != NULL && !(ai_tok_head(b->tok)->flags & AI_TOK_PLAIN))
		return ai_tok_truncate(b->tok, p, n, flags, max, cut, err);
	rc = encode(b, p, n, flags, &s, err);
	if (rc == 0) {
		cut->before = cut->tokens = s.count;
		cut->keep = n;
		if (s.count > max)
			rc = find_cut(b, p, n, flags, max, &ids, cut, err);
	}
	ai_bpe_ids_release(&ids);
	return rc;
}
