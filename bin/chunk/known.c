#include "known-int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Times of files are no finer than this everywhere. */
#define YOUNG_NS INT64_C(2000000000)

/* ---- stamps -------------------------------------------------------------- */

static int64_t ns_of(struct timespec t)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)t.tv_sec, INT64_C(1000000000),
				   &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns))
		return INT64_MAX; /* then it is never old enough */
	return ns;
}

int64_t chunk_stamp_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ns_of(t);
}

void chunk_stamp_of(struct chunk_stamp *s, const struct stat *st,
		    int64_t read_at)
{
	*s = (struct chunk_stamp){
		.size = st->st_size, .mtime = ns_of(st->st_mtim),
		.ctime = ns_of(st->st_ctim), .ino = (int64_t)st->st_ino,
	};
	s->young = s->mtime > read_at - YOUNG_NS ||
		s->ctime > read_at - YOUNG_NS;
}

bool chunk_stamp_same(const struct chunk_stamp *old,
		      const struct chunk_stamp *now)
{
	return !old->young && old->size == now->size &&
		old->mtime == now->mtime && old->ctime == now->ctime &&
		old->ino == now->ino;
}

/* ---- the documents of the earlier runs ----------------------------------- */

bool chunk_known_is_new(const struct chunk_known *k)
{
	return k->sum[0] == '\0';
}

uint64_t chunk_known_seed(const struct chunk_known *k)
{
	return k->seed;
}

size_t chunk_known_count(const struct chunk_known *k)
{
	return k->n;
}

enum chunk_known_fate chunk_known_fate(const struct chunk_known *k, size_t at)
{
	return k->fates[at];
}

void chunk_known_set(struct chunk_known *k, size_t at,
		     enum chunk_known_fate fate)
{
	k->fates[at] = (unsigned char)fate;
	if (fate == CHUNK_GOES)
		k->goes = true;
}

struct ai_span known_line(const struct chunk_known *k, size_t i)
{
	const char *p = k->map + k->lines[i];
	size_t left = k->mapped - k->lines[i];

	return (struct ai_span){
		p, (size_t)((const char *)memchr(p, '\n', left) - p),
	};
}

/* Behind {"uri":, with its quotes. */
struct ai_span known_name(struct ai_span line)
{
	static const char head[] = "{\"uri\":\"";
	size_t i = sizeof head - 1;

	if (line.n <= i || memcmp(line.p, head, i) != 0)
		return (struct ai_span){ NULL, 0 };
	for (; i < line.n && line.p[i] != '"'; i++)
		if (line.p[i] == '\\')
			i++;
	if (i >= line.n)
		return (struct ai_span){ NULL, 0 };
	return (struct ai_span){ line.p + sizeof head - 2,
				 i - sizeof head + 3 };
}

int known_compare(struct ai_span a, struct ai_span b)
{
	int rc = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	if (rc != 0)
		return rc;
	return a.n < b.n ? -1 : a.n > b.n;
}

int chunk_known_find(const struct chunk_known *k, const char *uri, size_t *at,
		     struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(KNOWN_LINE);
	size_t from = 0, to = k->n, mid;
	int rc = 1;

	if (k->n == 0)
		return 0;
	ai_put_cstr(&name, uri);
	if (ai_buf_check(&name, "a file's name", err) < 0)
		return -1;
	while (from < to && rc != 0) {
		mid = from + (to - from) / 2;
		rc = known_compare((struct ai_span){ name.p, name.len },
				   known_name(known_line(k, mid)));
		if (rc < 0)
			to = mid;
		else if (rc > 0)
			from = mid + 1;
		else
			*at = mid;
	}
	ai_buf_release(&name);
	return rc == 0;
}

static bool copy_hex(struct ai_value v, char *out, size_t size)
{
	unsigned char bytes[AI_HASH_BYTES];

	if (v.kind != AI_STRING || v.s.n != size + 1 ||
	    ai_unhex(v.s.p + 1, size - 1, bytes) < 0)
		return false;
	memcpy(out, v.s.p + 1, size - 1);
	out[size - 1] = '\0';
	return true;
}

static bool read_stamp(struct ai_value v, struct chunk_stamp *s)
{
	int64_t *const to[] = { &s->size, &s->mtime, &s->ctime, &s->ino };
	struct ai_json_iter it;
	struct ai_value item;
	size_t n = 0;

	if (v.kind != AI_ARRAY)
		return false;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &item))
		if (n == 4 || ai_json_i64(item, to[n++]) < 0)
			return false;
	return n == 4;
}

int chunk_known_get(const struct chunk_known *k, size_t at,
		    struct chunk_known_doc *d, struct ai_err *err)
{
	struct ai_value doc, how, stat, young, passages, skipped, begun, v;
	struct ai_span line = known_line(k, at);
	const struct ai_json_want want[] = {
		{ AI_SPAN("doc"), &doc }, { AI_SPAN("how"), &how },
		{ AI_SPAN("stat"), &stat }, { AI_SPAN("young"), &young },
		{ AI_SPAN("passages"), &passages },
		{ AI_SPAN("skipped"), &skipped }, { AI_SPAN("begun"), &begun },
		{ AI_SPAN("kept"), &d->kept }, { AI_SPAN("copies"), &d->copies },
	};
	struct ai_err why;

	if (ai_json_check_members(line.p, line.n, &v, want,
				  sizeof want / sizeof *want, &why) < 0 ||
	    v.kind != AI_OBJECT || !copy_hex(doc, d->doc, sizeof d->doc) ||
	    !copy_hex(how, d->how, sizeof d->how) ||
	    !read_stamp(stat, &d->stamp) ||
	    ai_json_i64(passages, &d->passages) < 0)
		return known_damaged(k->path, "a line is not what was written",
				     err);
	d->stamp.young = ai_json_true(young);
	d->skipped = ai_json_true(skipped);
	d->begun = ai_json_true(begun);
	return 0;
}

int chunk_known_uri(const struct chunk_known *k, size_t at, struct ai_buf *uri,
		    struct ai_err *err)
{
	struct ai_value v = { AI_STRING, known_name(known_line(k, at)) };

	ai_buf_clear(uri);
	ai_json_text(v, uri);
	if (ai_buf_check(uri, "a file's name", err) < 0)
		return -1;
	if (uri->len == 0 || memchr(uri->p, '\0', uri->len) != NULL)
		return known_damaged(k->path, "it names a file that cannot be",
				     err);
	return 0;
}

/* ---- what this run adds -------------------------------------------------- */

static void put_doc(struct ai_buf *b, const char *uri,
		    const struct chunk_known_doc *d)
{
	ai_put_open(b, '{');
	ai_put_key(b, "uri");
	ai_put_cstr(b, uri);
	ai_put_key(b, "doc");
	ai_put_cstr(b, d->doc);
	ai_put_key(b, "how");
	ai_put_cstr(b, d->how);
	ai_put_key(b, "passages");
	ai_put_i64(b, d->passages);
	ai_put_key(b, "stat");
	ai_put_open(b, '[');
	ai_put_i64(b, d->stamp.size);
	ai_put_i64(b, d->stamp.mtime);
	ai_put_i64(b, d->stamp.ctime);
	ai_put_i64(b, d->stamp.ino);
	ai_put_close(b, ']');
	if (d->stamp.young) {
		ai_put_key(b, "young");
		ai_put_bool(b, true);
	}
	if (d->skipped) {
		ai_put_key(b, "skipped");
		ai_put_bool(b, true);
	}
	if (d->begun) {
		ai_put_key(b, "begun");
		ai_put_bool(b, true);
	}
	if (d->kept.kind != AI_NONE) {
		ai_put_key(b, "kept");
		ai_put_value(b, d->kept);
	}
	if (d->copies.kind != AI_NONE) {
		ai_put_key(b, "copies");
		ai_put_value(b, d->copies);
	}
	ai_put_close(b, '}');
	ai_buf_chr(b, '\n');
}

static int add_note(struct chunk_known *k, const struct ai_buf *line,
		    struct ai_err *err)
{
	size_t cap = k->cap_notes * 2 + 256;
	struct known_note *more;

	if (k->n_notes == k->cap_notes) {
		more = reallocarray(k->notes, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		k->notes = more;
		k->cap_notes = cap;
	}
	k->notes[k->n_notes] = (struct known_note){ k->spooled, line->len,
						    k->n_notes };
	if (ai_spool_add(&k->spool, line->p, line->len, err) < 0)
		return -1;
	k->n_notes++;
	k->spooled += line->len;
	return 0;
}

static int note(struct chunk_known *k, const char *uri,
		const struct chunk_known_doc *d, struct ai_err *err)
{
	struct ai_buf line = AI_BUF_INIT(KNOWN_LINE);
	int rc;

	put_doc(&line, uri, d);
	rc = ai_buf_check(&line, "what is known of a file", err);
	if (rc == 0) {
		pthread_mutex_lock(&k->mutex);
		rc = add_note(k, &line, err);
		pthread_mutex_unlock(&k->mutex);
	}
	ai_buf_release(&line);
	return rc;
}

int chunk_known_note(struct chunk_known *k, const char *uri,
		     const struct chunk_known_doc *d, struct ai_err *err)
{
	size_t at;
	int found = chunk_known_find(k, uri, &at, err);

	if (found < 0 || note(k, uri, d, err) < 0)
		return -1;
	if (found > 0) {
		pthread_mutex_lock(&k->mutex);
		k->fates[at] = CHUNK_RENEWED;
		pthread_mutex_unlock(&k->mutex);
	}
	return 0;
}

/* What it was is kept: others may be copies of it. */
int chunk_known_begin(struct chunk_known *k, const char *uri,
		      struct ai_err *err)
{
	struct chunk_known_doc d = { .passages = 0 };
	size_t at;
	int found = chunk_known_find(k, uri, &at, err);

	if (found < 0 || (found > 0 && chunk_known_get(k, at, &d, err) < 0))
		return -1;
	if (found == 0) {
		ai_hash_of("", 0, d.doc);
		memcpy(d.how, d.doc, CHUNK_HOW_HEX - 1);
		d.how[CHUNK_HOW_HEX - 1] = '\0';
	} else if (d.begun) {
		return 0;
	}
	d.begun = true;
	d.skipped = false;
	k->begins = true;
	return note(k, uri, &d, err);
}
