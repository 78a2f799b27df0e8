/* decode.c: ids back into text. */
#include "tokens.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define PATH_ROOM 256

/* "tokens.ids", or what --as made of it, or -p. */
static const char *ids_path(char room[PATH_ROOM])
{
	if (ai_loop.path != NULL && *ai_loop.path != '\0')
		return ai_loop.path;
	if (ai_loop.plain_in)
		return "text";
	if (ai_loop.as == NULL)
		return "tokens.ids";
	snprintf(room, PATH_ROOM, "%s.ids", ai_loop.as);
	return room;
}

static int add_id(struct tokens_worker *w, int64_t id, struct ai_err *err)
{
	if (id < 0 || id > UINT32_MAX)
		return ai_err_set(err, AI_E_RECORD, "%s has no token %lld",
				  ai_bpe_name(w->bpe), (long long)id);
	return ai_bpe_ids_add(&w->ids, (uint32_t)id, err);
}

/* What stands where an id should; not all of it if it is long. */
static int no_id(const char *p, size_t n, struct ai_err *err)
{
	return ai_err_set(err, AI_E_RECORD, "'%.*s' is no token id",
			  (int)ai_utf8_floor(p, n, 40), p);
}

static int ids_from_array(struct tokens_worker *w, struct ai_value array,
			  struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;
	int64_t id;

	ai_json_iter_init(&it, array);
	while (ai_json_next(&it, NULL, &v)) {
		if (ai_json_i64(v, &id) < 0)
			return no_id(v.s.p, v.s.n, err);
		if (add_id(w, id, err) < 0)
			return -1;
	}
	return 0;
}

/* As -r --encode writes them: numbers with blanks or commas between. */
static int ids_from_text(struct tokens_worker *w, const char *p, size_t n,
			 struct ai_err *err)
{
	static const char between[] = " \t\r\n,";
	size_t at = 0, len;
	int64_t id;

	while (at < n) {
		if (memchr(between, p[at], sizeof between - 1) != NULL) {
			at++;
			continue;
		}
		for (len = 1; at + len < n; len++)
			if (memchr(between, p[at + len],
				   sizeof between - 1) != NULL)
				break;
		if (ai_parse_i64((struct ai_span){ p + at, len }, &id) < 0)
			return no_id(p + at, len, err);
		if (add_id(w, id, err) < 0)
			return -1;
		at += len;
	}
	return 0;
}

static int read_ids(struct tokens_worker *w, const struct ai_rec *rec,
		    struct ai_err *err)
{
	char room[PATH_ROOM];
	const char *path = ids_path(room);
	struct ai_value v = ai_rec_get(rec, path);

	if (v.kind == AI_ARRAY)
		return ids_from_array(w, v, err);
	if (v.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD,
				  "there are no token ids at '%s'", path);
	if (ai_rec_text(rec, path, &w->text, err) < 0)
		return -1;
	return ids_from_text(w, w->text.p, w->text.len, err);
}

/*
 * Bytes of the broken sequence at p (n >= 1), of which Unicode makes one
 * U+FFFD: the longest beginning of a valid one, at least one byte.
 */
static size_t broken_len(const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];
	size_t want = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1, len;
	char whole[4] = { p[0], '\x80', '\x80', '\x80' };

	/* The second byte's range depends on the first: try the extremes. */
	if (want < 3 || n < 2)
		return 1;
	whole[1] = p[1];
	if (ai_utf8_len(whole, want) == 0)
		return 1;
	for (len = 2; len < want && len < n; len++)
		if (((unsigned char)p[len] & 0xC0) != 0x80)
			break;
	return len;
}

/* What is not UTF-8 becomes U+FFFD, as decoders on the web have it. */
static void add_valid(struct ai_buf *out, const char *p, size_t n)
{
	size_t good;

	while (n > 0) {
		good = ai_utf8_valid(p, n);
		ai_buf_add(out, p, good);
		p += good;
		n -= good;
		if (n > 0) {
			ai_buf_str(out, "\xEF\xBF\xBD");
			good = broken_len(p, n);
			p += good;
			n -= good;
		}
	}
}

/* The record's own encoding, unless the command line named another. */
static int choose(struct tokens_worker *w, const struct ai_rec *rec,
		  struct ai_bpe **bpe, struct ai_err *err)
{
	char path[PATH_ROOM];
	struct ai_value v;
	int rc;

	*bpe = w->bpe;
	if (tokens_encoding_given() || ai_loop.path != NULL)
		return 0;
	snprintf(path, sizeof path, "%s.encoding",
		 ai_loop.as == NULL ? "tokens" : ai_loop.as);
	v = ai_rec_get(rec, path);
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	ai_buf_clear(&w->out);
	if (v.kind == AI_STRING && ai_json_text(v, &w->out) < 0)
		return ai_buf_check(&w->out, "the encoding", err);
	/* Another encoding's ids would be another text. */
	if (v.kind != AI_STRING ||
	    strlen(ai_buf_cstr(&w->out)) != w->out.len)
		return ai_err_set(err, AI_E_RECORD, "the member '%s' names no "
				  "encoding; --encoding gives one", path);
	rc = tokens_encoding(w, ai_buf_cstr(&w->out), bpe, err);
	/* It is the record that is wrong, not the configuration. */
	if (rc < 0 && err->code == AI_E_CONFIG)
		err->code = AI_E_RECORD;
	return rc;
}

int tokens_decode(struct tokens_worker *w, struct ai_rec *rec,
		  struct ai_emit *out, struct ai_err *err)
{
	struct ai_bpe *bpe;

	if (choose(w, rec, &bpe, err) < 0 || read_ids(w, rec, err) < 0)
		return -1;
	ai_buf_clear(&w->out);
	if (ai_bpe_decode(bpe, w->ids.v, w->ids.n, &w->out, err) < 0)
		return -1;
	if (ai_loop.plain_out)
		return ai_emit_answer(out, rec, ai_buf_cstr(&w->out),
				      w->out.len, err);
	ai_buf_clear(&w->text);
	add_valid(&w->text, w->out.p, w->out.len);
	if (ai_buf_check(&w->text, "the text", err) < 0)
		return -1;
	ai_put_str(&w->json, ai_buf_cstr(&w->text), w->text.len);
	if (ai_buf_check(&w->json, "the text", err) < 0 ||
	    ai_rec_set(rec, "text", &w->json, err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}
