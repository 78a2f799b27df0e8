/*
 * The reader of postings: bytes written over good files, with or without new
 * checksums, are refused or give answers of no meaning; nothing is read
 * outside of the file.  And queries, as people type them.
 */
/* fuzz: bin/search/postings-build.c bin/search/postings-dead.c */
/* fuzz: bin/search/postings-explain.c bin/search/postings-find.c */
/* fuzz: bin/search/postings-list.c bin/search/postings-merge.c */
/* fuzz: bin/search/postings-pack.c bin/search/postings-read.c */
/* fuzz: bin/search/postings-verify.c bin/search/postings-write.c */
/* fuzz: bin/search/language.c */
#include "../../bin/search/language.h"
#include "../../bin/search/postings-int.h"
#include "crypt/hash.h"
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define GOOD 2        /* files: rows without holes, with holes */
#define ROWS 400
#define CLAUSES 8

static unsigned char *good[GOOD];
static size_t good_n[GOOD];
static struct ai_buf blob = AI_BUF_INIT(1 << 20); /* of the dead of good[0] */
static int fd = -1;
static char path[64];

static void make_good(size_t which)
{
	const struct ai_analyzer *a = ai_analyzer_find("english");
	char folder[] = "/tmp/fuzz.XXXXXX", file[64], text[200];
	struct search_builder *b = search_builder_new(a, NULL);
	struct search_field f[2] = { { AI_SPAN("The title of it"), 3 } };
	struct search_dead dead = { 0 };
	struct search_words *w;
	struct ai_err err;
	int64_t i, n;
	FILE *in;

	must(b != NULL && mkdtemp(folder) != NULL);
	for (i = 0; i < ROWS; i++) {
		n = which == 0 ? i : i * 2;
		snprintf(text, sizeof(text), "common words w%lld w%lld x%lld%s",
			 (long long)i % 3, (long long)i % 50, (long long)i,
			 i % 7 == 0 ? " common phrase common phrase" : "");
		f[1] = (struct search_field){ ai_span_of(text), 1 };
		must(search_builder_add(b, n, f, 2, NULL, &err) == 0);
	}
	snprintf(file, sizeof(file), "%s/w", folder);
	must(search_builder_write(b, file, 0, which == 0 ? ROWS : ROWS * 2,
				  &err) == 0);
	search_builder_free(b);
	w = search_words_open(file, &err);
	must(w != NULL && search_words_verify(w, &err) == 0);
	if (which == 0) {
		snprintf(text, sizeof(text), "common words w0 w9 x9");
		f[1] = (struct search_field){ ai_span_of(text), 1 };
		must(search_dead_add(&dead, w, a, 9, f, 2, &err) == 0);
		must(search_dead_put(&dead, &blob) == 0);
		search_dead_release(&dead);
	}
	good_n[which] = w->bytes;
	good[which] = malloc(w->bytes);
	must(good[which] != NULL);
	in = fopen(file, "rb");
	must(in != NULL && fread(good[which], 1, w->bytes, in) == w->bytes);
	fclose(in);
	search_words_close(w);
	unlink(file);
	rmdir(folder);
}

static void put_file(const void *p, size_t n)
{
	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		must(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
}

/* So that what is behind the checksum is looked at, too. */
static void seal(unsigned char *p, size_t n)
{
	struct words_header h;

	if (n < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	h.bytes = n;
	memset(h.hash, 0, sizeof(h.hash));
	crypto_generichash(h.hash, sizeof(h.hash), (unsigned char *)&h,
			   sizeof(h), NULL, 0);
	memcpy(p, &h, sizeof(h));
}

static bool is_key(void *arg, struct ai_span key)
{
	(void)arg;
	return ai_span_is(key, "uri");
}

static void expect(int rc, const struct ai_err *err)
{
	must(rc == 0 || err->code == AI_E_DATA);
}

/* All that a reader can be asked. */
static void ask(const struct search_words *w, struct ai_span query,
		struct ai_span dead_blob)
{
	static unsigned char bits[ROWS * 2 / 8 + 1];
	struct search_words_share shares[SEARCH_CLAUSES_MAX];
	struct search_dead dead;
	struct search_part part = { w, &dead };
	struct search_language l;
	struct search_words_query q = { .parts = &part, .parts_n = 1, .k = 5 };
	struct search_words_hit *hits;
	struct ai_err err;
	double average;
	int64_t length;
	size_t n, i;
	bool any;

	expect(search_dead_read(&dead, w, dead_blob, &err), &err);
	must(search_language_read(&l, ai_analyzer_find("english"), query,
				  is_key, NULL, &err) == 0);
	q.clauses = l.clauses;
	q.clauses_n = l.clauses_n;
	expect(search_words_find(&q, &hits, &n, &err), &err);
	must(n <= 5);
	for (i = 1; i < n; i++)
		must(hits[i].score <= hits[i - 1].score);
	if (n > 0)
		expect(search_words_explain(&q, hits[0].n, shares, &length,
					    &average, &err), &err);
	free(hits);
	expect(search_words_restrict(&q, bits, ROWS * 2, &any, &err), &err);
	search_words_length(w, 3);
	search_language_release(&l);
	search_dead_release(&dead);
}

static void look(struct ai_span query, struct ai_span dead_blob)
{
	struct ai_err err = { .code = AI_E_NONE };
	struct search_words *w = search_words_open(path, &err);
	struct search_dead dead;
	struct search_part part = { w, &dead };
	char to[] = "/tmp/fuzz-merge.XXXXXX";

	if (w == NULL) {
		must(err.code == AI_E_DATA);
		return;
	}
	ask(w, AI_SPAN("common w1 x7 \"common phrase\" -x12 tit* title"),
	    dead_blob);
	ask(w, query, (struct ai_span){ NULL, 0 });
	expect(search_words_verify(w, &err), &err);
	expect(search_dead_read(&dead, w, dead_blob, &err), &err);
	must(mkdtemp(to) != NULL);
	rmdir(to);
	if (w->info.to <= ROWS * 2)
		expect(search_words_merge(&part, 1, to, 0, ROWS * 2, &err),
		       &err);
	unlink(to);
	search_dead_release(&dead);
	search_words_close(w);
}

/* Pieces: 3 bytes of place, 1 of length, and that many bytes. */
static void write_over(unsigned char *file, size_t n, const uint8_t *p,
		       size_t left)
{
	size_t at, k;

	while (left > 4) {
		at = ((size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2]) % n;
		k = p[3] % 16 + 1u;
		p += 4;
		left -= 4;
		k = k < left ? k : left;
		k = k < n - at ? k : n - at;
		memcpy(file + at, p, k);
		p += k;
		left -= k;
	}
}

static void over_good(unsigned how, const uint8_t *p, size_t n)
{
	size_t which = how % GOOD, size = good_n[which];
	unsigned char *file = malloc(size);

	must(file != NULL);
	memcpy(file, good[which], size);
	write_over(file, size, p, n);
	if (how & 2)
		seal(file, size);
	put_file(file, size);
	free(file);
	look((struct ai_span){ (const char *)p, n < 100 ? n : 100 },
	     (struct ai_span){ blob.p, blob.len });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_span s;

	if (good[0] == NULL) {
		make_good(0);
		make_good(1);
	}
	if (size == 0)
		return 0;
	s = (struct ai_span){ (const char *)data + 1, size - 1 };
	if (*data % 8 < 4) {
		over_good(*data, data + 1, size - 1);
	} else if (*data % 8 == 4) {
		put_file(s.p, s.n);
		look(s, s);
	} else if (*data % 8 == 5) {
		put_file(good[0], good_n[0]);
		look(AI_SPAN("common"), s);
	} else {
		put_file(good[0], good_n[0]);
		look(s, (struct ai_span){ NULL, 0 });
	}
	return 0;
}
