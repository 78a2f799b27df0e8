/*
 * Many pieces at once against one after the other: every instruction set that
 * this processor has must cut where text/bpe_split.h cuts, and the cache must
 * not change a count.
 */
#include "text/bpe_build.h"
#include "text/bpe_many.h"
#include "text/bpe_scan.h"
#include "text/bpe_table.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t seed = 88172645463325252u;

static size_t rnd(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

/* ---- texts ---- */

/* Parts of texts: what the rules tell apart, in every neighbourhood. */
static const char *const parts[] = {
	"a", "b", "word", "Word", "WORD", "wOrD", "x", "Z", " ", "  ", "   ",
	"\t", "\n", "\r\n", "\n\n", "\v", "\f", "1", "12", "123", "1234567",
	".", ",", "...", "(", ")", "/", "//", "/*", "-", "=====", "'", "''",
	"'s", "'S", "'t", "'re", "'RE", "'ll", "'lx", "'v", "'ve", "'d", "'m",
	"'\xC5\xBF", "\xC5\xBF", "\"", "#", "_", "\x01", "\x7F",
	"\xC3\xA9", "\xC3\x89", "\xD0\xB6", "\xD0\x96", "\xCE\xB1",
	"\xD8\xA7", "\xD7\x90", "\xE4\xB8\xAD\xE6\x96\x87", "\xE3\x81\x82",
	"\xEA\xB0\x80", "\xE0\xA4\xA8\xE0\xA4\xAE", "\xE0\xA5\x8D",
	"\xCC\x81", "e\xCC\x81", "\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\xA8",
	"\xC2\x85", "\xE2\x80\x9C", "\xE2\x80\x99", "\xE2\x80\xA6",
	"\xE3\x80\x82", "\xC2\xBD", "\xE2\x85\xA7", "\xD9\xA1\xD9\xA2",
	"\xC7\x85", "\xCA\xB0", "\xF0\x9F\x98\x80", "\xF0\x9D\x90\x80",
	"\xF3\xA0\x84\x80", "\xF0\xB0\x80\x80", "\xEF\xBB\xBF",
	/* not UTF-8 */
	"\xFF", "\xC3", "\x80", "\xE4\xB8", "\xF0\x9F\x98", "\xC0\xAF",
	"\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xF5",
};
#define PARTS (sizeof parts / sizeof parts[0])

/* n bytes of parts; narrow: of a few of them only, so that they meet. */
static void make_text(char *p, size_t n)
{
	size_t few = 1 + rnd(PARTS), first = rnd(PARTS), at = 0, len;
	bool any = rnd(3) == 0;

	while (at < n) {
		const char *s = parts[any ? rnd(PARTS)
					  : (first + rnd(few)) % PARTS];
		size_t times = rnd(8) == 0 ? 1 + rnd(90) : 1;

		for (; times > 0 && at < n; times--) {
			len = strlen(s) < n - at ? strlen(s) : n - at;
			memcpy(p + at, s, len);
			at += len;
		}
	}
}

/* ---- where pieces begin ---- */

/* The whole text through batches; false at the first difference. */
static bool cuts_agree(const struct ai_bpe_scanner *s,
		       enum ai_bpe_grammar g, const char *p, size_t n)
{
	static struct ai_bpe_batch b;
	size_t at = 0;

	while (at < n) {
		b.p = (const unsigned char *)p + at;
		b.n = n - at;
		s->pieces[g](&b);
		if (b.pieces == 0 || b.pieces >= AI_BPE_BATCH_ROOM ||
		    b.pos[0] != 0)
			return false;
		for (size_t i = 0; i < b.pieces; i++) {
			size_t end = ai_bpe_split[g](p, n, at + b.pos[i]);

			if (end != at + b.pos[i + 1])
				return false;
		}
		at += b.pos[b.pieces];
	}
	return at == n;
}

/* The text ends where memory does, so that reading beyond it is seen. */
static char *at_the_end(char *room, size_t size, size_t n)
{
	return room + size - n;
}

static void test_cuts(const struct ai_bpe_scanner *s, enum ai_bpe_grammar g)
{
	static const char *const names[] = { "r50k", "cl100k", "o200k" };
	const size_t size = 3000;
	size_t bad = 0, n;

	for (size_t i = 0; i < 30000 && bad == 0; i++) {
		/* Its own memory, for the sanitizer to guard. */
		char *room = malloc(size), *p;

		n = 1 + rnd(i % 100 == 0 ? size : 200);
		p = at_the_end(room, size, n);
		make_text(p, n);
		bad += !cuts_agree(s, g, p, n);
		free(room);
	}
	ok(bad == 0, "%s: %s pieces begin where they should", s->name,
	   names[g]);
}

/* Every pair and triple of parts, also across the borders of blocks. */
static void test_triples(const struct ai_bpe_scanner *s, enum ai_bpe_grammar g)
{
	size_t bad = 0;
	char p[512];

	for (size_t i = 0; i < PARTS * PARTS && bad == 0; i++)
		for (size_t k = 0; k < PARTS; k += 1 + rnd(4)) {
			size_t lead = rnd(70), n = lead;

			memset(p, rnd(2) ? 'a' : '(', lead);
			n += (size_t)snprintf(p + n, sizeof p - n, "%s%s%s",
				parts[i / PARTS], parts[i % PARTS], parts[k]);
			if (rnd(2))
				n += (size_t)snprintf(p + n, sizeof p - n,
					"%s rest of it", parts[rnd(PARTS)]);
			bad += !cuts_agree(s, g, p, n);
		}
	ok(bad == 0, "%s: grammar %d: three parts in every order", s->name,
	   (int)g);
}

/* ---- counts ---- */

static const char *table_bytes(size_t *n)
{
	const char *build = getenv("BUILDDIR");
	char path[4096];
	char *p = NULL;
	FILE *f;

	snprintf(path, sizeof path, "%s/share/aiutils/cl100k_base.bpe",
		 build ? build : ".");
	f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = aligned_alloc(64, (*n + 63) / 64 * 64);
	if (p != NULL && fread(p, 1, *n, f) != *n)
		abort();
	fclose(f);
	return p;
}

static size_t slow_count(const struct ai_bpe_table *t, enum ai_bpe_grammar g,
			 const char *p, size_t n)
{
	struct ai_bpe_sink sink = { 0 };
	struct ai_err err;
	size_t at = 0, end;

	for (; at < n; at = end) {
		end = ai_bpe_split[g](p, n, at);
		if (ai_bpe_merge(t, p + at, end - at, &sink, &err) < 0)
			abort();
	}
	return sink.count;
}

static void test_counts(const struct ai_bpe_scanner *s,
			const struct ai_bpe_table *t)
{
	static char p[20000];
	struct ai_piece_cache cache = AI_PIECE_CACHE_INIT;
	struct ai_err err;
	size_t bad = 0;

	/* Words of few letters, as many as make the cache grow and forget. */
	for (size_t i = 0; i < 600 && bad == 0; i++) {
		struct ai_bpe_sink sink = { 0 };
		size_t n = 1 + rnd(sizeof p);

		if (i % 3 == 0)
			make_text(p, n);
		else
			for (size_t k = 0; k < n; k++)
				p[k] = rnd(6) == 0 ? ' ' :
					(char)('a' + rnd(i % 3 == 1 ? 26 : 3));
		if (ai_bpe_scan(s, t, AI_BPE_CL100K, &cache, p, n, &sink,
				&err) < 0)
			abort();
		bad += sink.count != slow_count(t, AI_BPE_CL100K, p, n);
	}
	ok(bad == 0 && cache.used > 100000, "%s: counts with a cache of %zu "
	   "pieces are those without", s->name, cache.used);
	ai_piece_cache_release(&cache);
}

static void test_ids(const struct ai_bpe_scanner *s,
		     const struct ai_bpe_table *t)
{
	static char p[5000];
	size_t bad = 0;
	struct ai_err err;

	for (size_t i = 0; i < 100; i++) {
		struct ai_bpe_ids x = { 0 }, y = { 0 };
		struct ai_bpe_sink a = { 0, &x, SIZE_MAX };
		struct ai_bpe_sink b = { 0, &y, SIZE_MAX };
		size_t n = 1 + rnd(sizeof p), at = 0, end;

		make_text(p, n);
		if (ai_bpe_scan(s, t, AI_BPE_O200K, NULL, p, n, &a, &err) < 0)
			abort();
		for (; at < n; at = end) {
			end = ai_bpe_split_o200k(p, n, at);
			if (ai_bpe_merge(t, p + at, end - at, &b, &err) < 0)
				abort();
		}
		bad += x.n != y.n || memcmp(x.v, y.v, x.n * sizeof *x.v) != 0;
		ai_bpe_ids_release(&x);
		ai_bpe_ids_release(&y);
	}
	ok(bad == 0, "%s: ids are those of one piece after the other",
	   s->name);
}

static void test_many(const struct ai_bpe_table *t)
{
	static char text[AI_BPE_MANY * AI_BPE_MANY_MAX];
	struct ai_bpe_piece piece[AI_BPE_MANY];
	struct ai_err err;
	size_t bad = 0;

	for (size_t i = 0; i < 2000; i++) {
		size_t n = 1 + rnd(AI_BPE_MANY), at = 0;

		make_text(text, sizeof text);
		for (size_t k = 0; k < n; k++) {
			piece[k].p = (const unsigned char *)text + at;
			piece[k].n = (uint32_t)(1 + rnd(AI_BPE_MANY_MAX));
			piece[k].id = NULL;
			at += rnd(piece[k].n + 1);
		}
		ai_bpe_count_many(t, piece, n);
		for (size_t k = 0; k < n; k++) {
			struct ai_bpe_sink sink = { 0 };

			if (ai_bpe_merge(t, (const char *)piece[k].p,
					 piece[k].n, &sink, &err) < 0)
				abort();
			bad += sink.count != piece[k].tokens;
		}
	}
	ok(bad == 0, "pieces merged side by side are as those merged alone");
}

/* ---- the cache alone ---- */

#define WORDS 40000

static uint64_t few_buckets(struct ai_piece key)
{
	return ai_piece_hash(key) & (uint64_t)7 << 61;
}

static void test_cache(ai_piece_hash_fn *hash, const char *how, size_t least)
{
	static unsigned char word[WORDS][128];
	static size_t len[WORDS];
	struct ai_piece_cache c = AI_PIECE_CACHE_INIT;
	struct ai_err err;
	size_t wrong = 0, known = 0;

	if (ai_piece_cache_ready(&c, hash, &err) < 0)
		abort();
	for (size_t i = 0; i < WORDS; i++) {
		len[i] = 1 + rnd(i % 4 == 0 ? 127 : 15);
		for (size_t k = 0; k < len[i]; k++)
			word[i][k] = (unsigned char)rnd(rnd(2) ? 2 : 256);
		/* What a piece has is what its length says here. */
		if (ai_piece_cache_get(&c, word[i], len[i]) == 0)
			ai_piece_cache_put(&c, word[i], len[i],
					   (unsigned)(1 + len[i] % 15));
	}
	for (size_t i = 0; i < WORDS; i++) {
		unsigned got = ai_piece_cache_get(&c, word[i], len[i]);

		known += got != 0;
		wrong += got != 0 && got != 1 + len[i] % 15;
		wrong += got != 0 && len[i] > AI_PIECE_LONG_MAX;
	}
	ok(wrong == 0 && known >= least, "a cache %s: %zu of %d pieces, none "
	   "wrong", how, known, WORDS);
	ai_piece_cache_release(&c);
}

int main(void)
{
	const struct ai_bpe_scanner *s;
	struct ai_bpe_table t;
	size_t n, sets = 0;
	const char *bytes = table_bytes(&n);

	test_cache(ai_piece_hash, "that grows", WORDS * 9 / 10);
	test_cache(few_buckets, "with a bad hash", 64);
	if (!ok(bytes != NULL && ai_bpe_table_map(&t, bytes, n) == NULL,
		"the table of cl100k_base"))
		return done();
	test_many(&t);
	for (; (s = ai_bpe_scanner_at(sets)) != NULL; sets++) {
		for (int g = 0; g < AI_BPE_GRAMMARS; g++) {
			test_cuts(s, (enum ai_bpe_grammar)g);
			test_triples(s, (enum ai_bpe_grammar)g);
		}
		test_counts(s, &t);
		test_ids(s, &t);
	}
	ok(sets >= 1, "%zu instruction sets", sets);
	free((void *)(uintptr_t)bytes);
	return done();
}
