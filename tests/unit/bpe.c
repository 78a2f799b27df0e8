/*
 * The encodings against a reference that is as simple as it can be: the
 * tokens as strings, sorted; merging by looking at every pair each time.
 * tests/peer/tiktoken.mjs compares with tiktoken itself.
 */
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/bpe_build.h"
#include "text/bpe_merge.h"
#include "text/bpe_table.h"
#include "text/class.h"
#include "tap.h"

#include <pthread.h>
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

/* ---- the reference ---- */

struct ref {
	struct ai_bpe *b;
	struct ai_buf bytes;      /* of all tokens */
	struct ref_token {
		size_t at, n;
		uint32_t id;
	} *sorted;
	size_t n;
};

static const char *ref_bytes; /* for qsort and bsearch */

static int by_bytes(const void *x, const void *y)
{
	const struct ref_token *a = x, *b = y;
	int c = memcmp(ref_bytes + a->at, ref_bytes + b->at,
		       a->n < b->n ? a->n : b->n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

static void ref_load(struct ref *r, struct ai_bpe *b, uint32_t ids)
{
	struct ai_err err;

	*r = (struct ref){ .b = b, .bytes = AI_BUF_INIT(1 << 24) };
	r->sorted = calloc(ids, sizeof *r->sorted);
	if (r->sorted == NULL)
		abort();
	for (uint32_t i = 0; i < ids; i++) {
		struct ref_token *t = &r->sorted[r->n];

		t->at = r->bytes.len;
		t->id = i;
		if (ai_bpe_decode(b, &i, 1, &r->bytes, &err) < 0)
			continue;
		t->n = r->bytes.len - t->at;
		/* Special tokens take no part in merging. */
		if (t->n > 3 && r->bytes.p[t->at] == '<' &&
		    r->bytes.p[t->at + 1] == '|' && i >= 50256)
			continue;
		r->n++;
	}
	ref_bytes = r->bytes.p;
	qsort(r->sorted, r->n, sizeof *r->sorted, by_bytes);
}

static void ref_release(struct ref *r)
{
	ai_buf_release(&r->bytes);
	free(r->sorted);
}

static uint32_t ref_find(const struct ref *r, const char *p, size_t n)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2, len = r->sorted[mid].n;
		const char *q = r->bytes.p + r->sorted[mid].at;
		int c = memcmp(p, q, n < len ? n : len);

		if (c == 0)
			c = (n > len) - (n < len);
		if (c == 0)
			return r->sorted[mid].id;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return AI_BPE_NONE;
}

/* Merges p[0..n): ends[] gets where each token ends; returns how many. */
static size_t ref_merge(const struct ref *r, const char *p, size_t n,
			uint32_t *ids)
{
	size_t *from = calloc(n + 1, sizeof *from), k = n;
	uint32_t *pair = calloc(n, sizeof *pair);

	if (from == NULL || pair == NULL)
		abort();
	for (size_t i = 0; i <= n; i++)
		from[i] = i;
	for (size_t i = 0; i < n; i++)
		pair[i] = i + 1 < n ? ref_find(r, p + i, 2) : AI_BPE_NONE;
	for (;;) {
		size_t best = 0;

		for (size_t i = 1; i < k; i++)
			if (pair[i] < pair[best])
				best = i;
		if (pair[best] == AI_BPE_NONE)
			break;
		k--;
		memmove(from + best + 1, from + best + 2,
			(k - best) * sizeof *from);
		memmove(pair + best, pair + best + 1,
			(k - best) * sizeof *pair);
		for (size_t i = best > 0 ? best - 1 : 0; i <= best; i++)
			pair[i] = i + 1 >= k ? AI_BPE_NONE :
				ref_find(r, p + from[i], from[i + 2] - from[i]);
	}
	for (size_t i = 0; i < k; i++)
		ids[i] = ref_find(r, p + from[i], from[i + 1] - from[i]);
	free(from);
	free(pair);
	return k;
}

/* ---- pieces ---- */

static bool table_of(struct ai_bpe_table *t, char **file, const char *path)
{
	struct ai_buf all = AI_BUF_INIT(1 << 24);
	FILE *f = fopen(path, "rb");
	char chunk[65536];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		ai_buf_add(&all, chunk, n);
	fclose(f);
	n = all.len;
	*file = ai_buf_take(&all);
	return *file != NULL && ai_bpe_table_map(t, *file, n) == NULL;
}

static bool same_as_ref(const struct ref *r, const struct ai_bpe_table *t,
			const char *p, size_t n)
{
	struct ai_bpe_ids ids = { 0 };
	struct ai_bpe_sink s = { 0, &ids, SIZE_MAX };
	struct ai_err err;
	uint32_t *want = calloc(n, sizeof *want);
	size_t k;
	bool same;

	if (want == NULL || ai_bpe_merge(t, p, n, &s, &err) < 0)
		abort();
	k = ref_merge(r, p, n, want);
	same = ids.n == k && s.count == k &&
	       memcmp(want, ids.v, k * sizeof *want) == 0;
	free(want);
	ai_bpe_ids_release(&ids);
	return same;
}

/* Text that a merger finds hard: few letters, runs, periods, any bytes. */
static void hostile(char *p, size_t n, size_t kind)
{
	static const char *const alphabets[] = {
		"a", "ab", "abc", "etaoinshrdlu", " ", "=-", "\n ", "the ",
		"0123456789", "\xe4\xb8\xad\xe6\x96\x87", "aA", "_",
	};
	size_t kinds = sizeof alphabets / sizeof alphabets[0];
	const char *a = alphabets[kind % kinds];
	size_t len = strlen(a), period = 1 + rnd(40);

	for (size_t i = 0; i < n; i++)
		switch (kind / kinds % 3) {
		case 0:
			p[i] = a[i % len];
			break;
		case 1:
			p[i] = a[rnd(len)];
			break;
		default:
			p[i] = i < period ? (char)rnd(256) : p[i - period];
		}
}

static void test_pieces(const struct ref *r, const struct ai_bpe_table *t,
			const char *name)
{
	static char p[40000];
	static const size_t sizes[] = { 2, 17, 95, 96, 97, 98, 300, 1023,
					1024, 1025, 2048, 4096, 12000 };
	size_t bad = 0, done_n = 0;

	for (size_t kind = 0; kind < 36; kind++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			/* The reference is quadratic. */
			if (sizes[i] > 2048 && kind % 7 != 0)
				continue;
			hostile(p, sizes[i], kind);
			bad += !same_as_ref(r, t, p, sizes[i]);
			done_n++;
		}
	}
	ok(bad == 0, "%s: %zu hostile pieces merge as in the reference (%zu "
	   "do not)", name, done_n, bad);
}

static void test_short_pieces(const struct ref *r,
			      const struct ai_bpe_table *t, const char *name)
{
	char p[64];
	size_t bad = 0;

	for (size_t i = 0; i < 6000; i++) {
		size_t n = 1 + rnd(sizeof p);

		hostile(p, n, rnd(36));
		bad += !same_as_ref(r, t, p, n);
	}
	ok(bad == 0, "%s: 6000 short pieces merge as in the reference", name);
}

/*
 * For long pieces: tokens are right if and only if each two neighbours
 * merge, alone, to themselves.
 */
static bool neighbours_good(const struct ref *r, const struct ai_bpe_ids *ids)
{
	struct ai_buf two = AI_BUF_INIT(1 << 16);
	uint32_t got[512];
	struct ai_err err;
	bool good = true;

	for (size_t i = 0; i + 1 < ids->n && good; i++) {
		ai_buf_clear(&two);
		if (ai_bpe_decode(r->b, ids->v + i, 2, &two, &err) < 0)
			abort();
		good = ref_merge(r, two.p, two.len, got) == 2 &&
		       memcmp(got, ids->v + i, 2 * sizeof *got) == 0;
	}
	ai_buf_release(&two);
	return good;
}

static void test_long_pieces(const struct ref *r, const struct ai_bpe_table *t,
			     const char *name)
{
	const size_t n = 400000;
	char *p = malloc(n);
	struct ai_buf back = AI_BUF_INIT(1 << 20);
	struct ai_err err;
	bool good = true;

	for (size_t kind = 0; kind < 36 && p != NULL; kind += 5) {
		struct ai_bpe_ids ids = { 0 };
		struct ai_bpe_sink s = { 0, &ids, SIZE_MAX };

		hostile(p, n, kind);
		ai_buf_clear(&back);
		good = good && ai_bpe_merge(t, p, n, &s, &err) == 0 &&
		       ai_bpe_decode(r->b, ids.v, ids.n, &back, &err) == 0 &&
		       back.len == n && memcmp(back.p, p, n) == 0 &&
		       neighbours_good(r, &ids);
		ai_bpe_ids_release(&ids);
	}
	ok(p != NULL && good, "%s: words of 400 kB", name);
	ai_buf_release(&back);
	free(p);
}

/* ---- whole vocabularies ---- */

static bool tokens_are_themselves(const struct ref *r)
{
	struct ai_bpe_ids ids = { 0 };
	struct ai_err err;
	uint32_t got[256];
	size_t bad = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct ref_token *t = &r->sorted[i];
		size_t k = ref_merge(r, r->bytes.p + t->at, t->n, got);

		bad += k != 1 || got[0] != t->id;
	}
	ai_bpe_ids_release(&ids);
	return bad == 0 && ai_bpe_check(r->b, &err) == 0;
}

static bool any_bytes_come_back(const struct ai_bpe *b)
{
	struct ai_buf back = AI_BUF_INIT(1 << 20);
	struct ai_bpe_ids ids = { 0 };
	struct ai_err err;
	char p[3000];
	size_t count;
	bool good = true;

	for (size_t i = 0; i < 500 && good; i++) {
		size_t n = rnd(sizeof p);

		if (i % 2 == 0)
			hostile(p, n, rnd(36));
		else
			for (size_t k = 0; k < n; k++)
				p[k] = (char)rnd(256);
		ids.n = 0;
		ai_buf_clear(&back);
		good = ai_bpe_encode(b, p, n, 0, &ids, &err) == 0 &&
		       ai_bpe_count(b, p, n, 0, &count, &err) == 0 &&
		       count == ids.n &&
		       ai_bpe_decode(b, ids.v, ids.n, &back, &err) == 0 &&
		       back.len == n && (n == 0 || !memcmp(back.p, p, n));
	}
	ai_bpe_ids_release(&ids);
	ai_buf_release(&back);
	return good;
}

static void test_vocabulary(const char *name, const char *dir, uint32_t ids)
{
	struct ai_bpe_table t;
	struct ai_err err;
	struct ai_bpe *b;
	struct ref r;
	char path[4096], *file = NULL;

	snprintf(path, sizeof path, "%s/%s.bpe", dir, name);
	if (!ok(ai_bpe_open(&b, name, &err) == 0 &&
		table_of(&t, &file, path), "%s opens", name))
		return;
	ref_load(&r, b, ids);
	ok(tokens_are_themselves(&r), "%s: all %zu tokens merge to themselves",
	   name, r.n);
	ok(any_bytes_come_back(b), "%s: any bytes come back", name);
	test_short_pieces(&r, &t, name);
	/* p50k is r50k and blanks. */
	if (strcmp(name, "p50k_base") != 0) {
		test_pieces(&r, &t, name);
		test_long_pieces(&r, &t, name);
	}
	ref_release(&r);
	ai_bpe_close(b);
	free(file);
}

/* ---- a vocabulary made to break windows ---- */

#define LETTERS 52
#define CHAIN (LETTERS * LETTERS)

static char letter(size_t i)
{
	return (char)(i < 26 ? 'a' + i : 'A' + (i - 26));
}

/* A text in which no two neighbours occur twice: a walk along all edges of
 * the complete graph (Hierholzer). */
static size_t walk(char *text)
{
	static unsigned char used[LETTERS];
	static size_t stack[CHAIN + 2];
	size_t top = 0, n = 0;

	memset(used, 0, sizeof used);
	stack[top++] = 0;
	while (top > 0) {
		size_t v = stack[top - 1];

		if (used[v] < LETTERS)
			stack[top++] = used[v]++;
		else
			text[n++] = letter(stack[--top]);
	}
	return n;
}

/*
 * Every pair in the text is a token, and the later it stands, the lower its
 * rank: the very last pair is merged first, and so decides how all before it
 * pair up.  A window cut anywhere gets half of them wrong.
 */
static void test_chain(void)
{
	static char text[CHAIN + 1], bytes[256];
	static struct ai_span token[256 + CHAIN];
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct ai_bpe_table t;
	struct ai_err err;
	struct ai_bpe *b;
	struct ref r;
	char path[] = "/tmp/aiutils-bpe-XXXXXX";
	size_t n = walk(text), bad = 0;
	int fd = mkstemp(path);

	for (size_t i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		token[i] = (struct ai_span){ bytes + i, 1 };
	}
	for (size_t i = 0; i + 1 < n; i++)
		token[256 + i] = (struct ai_span){ text + n - 2 - i, 2 };
	ok(n == CHAIN + 1 &&
	   ai_bpe_build(token, 256 + n - 1, &out, &err) == 0 &&
	   ai_bpe_table_map(&t, out.p, out.len) == NULL && fd >= 0 &&
	   write(fd, out.p, out.len) == (ssize_t)out.len &&
	   ai_bpe_open_file(&b, "r50k_base", path, &err) == 0,
	   "a vocabulary of one chain");
	close(fd);
	unlink(path);
	ref_load(&r, b, (uint32_t)(256 + n - 1));
	for (size_t len = 1000; len <= n; len += 71)
		bad += !same_as_ref(&r, &t, text + n - len, len);
	bad += !same_as_ref(&r, &t, text, n);
	ok(bad == 0, "a chain through all windows merges as in the reference");
	ref_release(&r);
	ai_bpe_close(b);
	ai_buf_release(&out);
}

static void test_build_refuses(void)
{
	static char bytes[512];
	struct ai_span token[258];
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct ai_err err;

	for (size_t i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		token[i] = (struct ai_span){ bytes + i, 1 };
	}
	ok(ai_bpe_build(token, 255, &out, &err) < 0 &&
	   err.code == AI_E_DATA, "a byte without token: %s", err.msg);
	token[256] = (struct ai_span){ bytes + 'a', 2 };
	token[257] = token[256];
	ai_buf_clear(&out);
	ok(ai_bpe_build(token, 258, &out, &err) < 0, "a token twice: %s",
	   err.msg);
	token[257] = (struct ai_span){ bytes, 129 };
	ai_buf_clear(&out);
	ok(ai_bpe_build(token, 258, &out, &err) < 0, "a token too long: %s",
	   err.msg);
	ai_buf_clear(&out);
	ok(ai_bpe_build(token, 0, &out, &err) < 0, "no tokens: %s", err.msg);
	ai_buf_release(&out);
}

/* ---- damaged tables ---- */

static bool opens(const char *path, const char *p, size_t n)
{
	struct ai_bpe *b;
	struct ai_err err;
	FILE *f = fopen(path, "wb");
	int rc;

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
	rc = ai_bpe_open_file(&b, "r50k_base", path, &err);
	if (rc < 0 && err.code != AI_E_DATA)
		printf("# %s\n", err.msg);
	ai_bpe_close(b);
	return rc == 0;
}

/* Any answer will do, as long as it comes. */
static bool survives(const char *p, size_t n)
{
	static const char text[] = "Hello  world, it's 12345 \n\n tokens "
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct ai_bpe_table t;
	struct ai_bpe_ids ids = { 0 };
	struct ai_bpe_sink s = { 0, &ids, SIZE_MAX };
	struct ai_err err;
	size_t len;
	bool good = ai_bpe_table_map(&t, p, n) == NULL;

	for (size_t at = 0; good && at + 8 < sizeof text; at += 3)
		good = ai_bpe_merge(&t, text + at, 8, &s, &err) == 0 &&
		       ai_bpe_merge(&t, text, sizeof text, &s, &err) == 0;
	for (size_t i = 0; i < ids.n; i++)
		if (ai_bpe_bytes(&t, ids.v[i], &len) != NULL)
			good = good && len <= n;
	ai_bpe_ids_release(&ids);
	return good;
}

static void test_damage(const char *dir)
{
	struct ai_bpe_table t;
	struct ai_buf copy = AI_BUF_INIT(1 << 24);
	char path[4096], *file = NULL, tmp[] = "/tmp/aiutils-bpe-XXXXXX";
	const struct ai_bpe_header *h;
	size_t n, bad = 0;
	int fd = mkstemp(tmp);

	snprintf(path, sizeof path, "%s/r50k_base.bpe", dir);
	if (!ok(fd >= 0 && table_of(&t, &file, path), "a table to damage"))
		return;
	close(fd);
	h = (const void *)file;
	n = (size_t)le64toh(h->file_len);
	ai_buf_add(&copy, file, n);
	ok(opens(tmp, copy.p, n), "undamaged, it opens");
	ok(!opens(tmp, copy.p, 0) && !opens(tmp, copy.p, 63) &&
	   !opens(tmp, copy.p, 64) && !opens(tmp, copy.p, n - 1) &&
	   !opens(tmp, copy.p, n / 2), "cut short, it does not");
	ai_buf_add(&copy, "x", 1);
	ok(!opens(tmp, copy.p, n + 1), "too long, it does not");
	for (size_t i = 0; i < sizeof *h; i++) {
		copy.p[i] ^= (char)(1 << rnd(8));
		bad += opens(tmp, copy.p, n);
		copy.p[i] = file[i];
	}
	ok(bad == 0, "with a bit of its header changed, it does not");
	for (size_t i = 0; i < 200; i++) {
		for (size_t k = 0; k < 3000; k++)
			copy.p[64 + rnd(n - 64)] = (char)rnd(256);
		bad += !survives(copy.p, n);
		memcpy(copy.p, file, n);
	}
	memset(copy.p + 64, 0xFF, n - 64);
	bad += !survives(copy.p, n);
	ok(bad == 0, "damaged behind its header, it is never read outside");
	unlink(tmp);
	ai_buf_release(&copy);
	free(file);
}

static void test_open_errors(void)
{
	struct ai_bpe *b;
	struct ai_err err;

	ok(ai_bpe_open(&b, "o300k", &err) < 0 && b == NULL &&
	   err.code == AI_E_CONFIG && strstr(err.msg, "cl100k_base") != NULL,
	   "no such encoding: %s", err.msg);
	ok(ai_bpe_open_file(&b, "gpt2", "/nonexistent/x", &err) < 0 &&
	   err.code == AI_E_OPEN, "no such file: %s", err.msg);
	ok(ai_bpe_open_file(&b, "gpt2", "/tmp", &err) < 0 &&
	   err.code == AI_E_DATA, "a folder: %s", err.msg);
	ok(ai_bpe_open_file(&b, "gpt2", "/dev/null", &err) < 0 &&
	   err.code == AI_E_DATA, "a device: %s", err.msg);
}

/* ---- classes ---- */

static void test_classes(void)
{
	size_t count[9] = { 0 }, bad = 0, len;

	for (uint32_t c = 0; c < 0x80; c++)
		bad += ai_class_ascii[c] != ai_class_of(c);
	for (uint32_t c = 0; c <= 0x10FFFF; c++)
		count[ai_class_of(c)]++;
	ok(bad == 0, "the two tables of ASCII agree");
	/* DerivedGeneralCategory.txt and PropList.txt of Unicode 16. */
	ok(count[AI_CLASS_UPPER] == 1858 + 31 &&
	   count[AI_CLASS_LOWER] == 2258 &&
	   count[AI_CLASS_LETTER] == 404 + 136477 &&
	   count[AI_CLASS_MARK] == 2501 && count[AI_CLASS_NUMBER] == 1911 &&
	   count[AI_CLASS_SPACE] == 23 && count[AI_CLASS_NEWLINE] == 2,
	   "as many code points in each class as Unicode %s has",
	   ai_class_unicode());
	ok(ai_class_of(0x110000) == AI_CLASS_OTHER &&
	   ai_class_of(UINT32_MAX) == AI_CLASS_OTHER, "beyond Unicode");
	ok(ai_class_at("\xE4\xB8", 2, 0, &len) == AI_CLASS_OTHER && len == 1 &&
	   ai_class_at("\xE4\xB8\xAD", 3, 0, &len) == AI_CLASS_LETTER &&
	   len == 3 && ai_class_at("a", 1, 1, &len) == AI_CLASS_END &&
	   len == 0, "half a character, a whole one, none");
}

/* ---- special tokens, truncation, models ---- */

static size_t count_of(const struct ai_bpe *b, const char *p, size_t n,
		       unsigned flags)
{
	struct ai_err err;
	size_t count = (size_t)-1;

	ai_bpe_count(b, p, n, flags, &count, &err);
	return count;
}

static bool is_one(const struct ai_bpe *b, const char *text, uint32_t id)
{
	struct ai_bpe_ids ids = { 0 };
	struct ai_err err;
	bool one;

	ai_bpe_encode(b, text, strlen(text), AI_BPE_SPECIAL, &ids, &err);
	one = ids.n == 1 && ids.v[0] == id;
	ai_bpe_ids_release(&ids);
	return one && count_of(b, text, strlen(text), 0) > 1;
}

static void test_special(void)
{
	static const char text[] = "a <|endoftext|><|end|> <|endof <|end|";
	struct ai_buf out = AI_BUF_INIT(1000);
	struct ai_bpe *o, *h;
	struct ai_err err;
	uint32_t id = 200018, bad = 201088;

	ai_bpe_open(&o, "o200k_base", &err);
	ai_bpe_open(&h, "o200k_harmony", &err);
	ok(is_one(o, "<|endoftext|>", 199999) &&
	   is_one(o, "<|endofprompt|>", 200018) &&
	   is_one(h, "<|call|>", 200012) &&
	   is_one(h, "<|reserved_200013|>", 200013) &&
	   is_one(h, "<|reserved_201087|>", 201087) &&
	   !is_one(h, "<|reserved_201088|>", 201088) &&
	   !is_one(o, "<|call|>", 200012), "special tokens");
	ok(count_of(h, text, strlen(text), AI_BPE_SPECIAL) ==
	   count_of(h, "a ", 2, 0) + 2 + count_of(h, " <|endof <|end|", 15, 0),
	   "what stands between special tokens is text of its own");
	ok(ai_bpe_decode(h, &id, 1, &out, &err) == 0 &&
	   strcmp(out.p, "<|endofprompt|>") == 0, "a special token decoded");
	ok(ai_bpe_decode(h, &bad, 1, &out, &err) < 0 &&
	   err.code == AI_E_RECORD, "no token: %s", err.msg);
	ai_buf_release(&out);
	ai_bpe_close(o);
	ai_bpe_close(h);
}

/* Text of words, blanks, contractions, specials and any script. */
static size_t mixed(char *p, size_t n)
{
	static const char *const bits[] = {
		"don't", " ", "\n", "  ", "\r\n", " \n", "word", " Word", "'ll",
		"1234", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\xc3\xa9", "!?",
		"<|endoftext|>", "\t", "'", "r", "e", "\xe2\x80\xa8", "/",
		"\xe1\x9e\x80\xe1\x9e\x81", "\xcc\x81",
	};
	size_t len = 0;

	for (;;) {
		const char *s = bits[rnd(sizeof bits / sizeof *bits)];

		if (len + strlen(s) > n)
			return len;
		memcpy(p + len, s, strlen(s));
		len += strlen(s);
	}
}

static bool cut_is_right(const struct ai_bpe *b, const char *p, size_t n,
			 unsigned flags, size_t max)
{
	struct ai_bpe_cut cut;
	struct ai_err err;

	if (ai_bpe_truncate(b, p, n, flags, max, &cut, &err) < 0)
		return false;
	if (cut.before <= max)
		return cut.keep == n && cut.tokens == cut.before;
	return cut.keep < n && cut.tokens <= max &&
	       cut.before == count_of(b, p, n, flags) &&
	       cut.tokens == count_of(b, p, cut.keep, flags) &&
	       ai_utf8_floor(p, n, cut.keep) == cut.keep &&
	       /* no more is lost than one character or look-ahead needs */
	       cut.tokens + 4 >= max;
}

static void test_truncate(const char *name)
{
	static const char plain[] = "one two three four five";
	struct ai_bpe *b;
	struct ai_bpe_cut cut;
	struct ai_err err;
	char p[400];
	size_t bad = 0;

	ai_bpe_open(&b, name, &err);
	for (size_t i = 0; i < 600; i++) {
		size_t n = mixed(p, rnd(sizeof p));

		for (size_t max = 0; max < 60; max += 1 + rnd(3))
			bad += !cut_is_right(b, p, n, i % 2, max);
	}
	ok(bad == 0, "%s: truncated texts have at most so many tokens", name);
	ok(ai_bpe_truncate(b, plain, strlen(plain), 0, 3, &cut, &err) == 0 &&
	   cut.keep == strlen("one two three") && cut.tokens == 3 &&
	   cut.before == 5, "%s: three of five words", name);
	ok(ai_bpe_truncate(b, "", 0, 0, 0, &cut, &err) == 0 && cut.keep == 0,
	   "%s: nothing of nothing", name);
	ai_bpe_close(b);
}

static void test_models(void)
{
	static const struct {
		const char *model, *encoding;
	} t[] = {
		{ "gpt-5-mini", "o200k_base" },
		{ "openai/gpt-5.1", "o200k_base" },
		{ "gpt-4o", "o200k_base" },
		{ "ft:gpt-4o-mini:org::id", "o200k_base" },
		{ "openrouter/openai/gpt-oss-20b", "o200k_harmony" },
		{ "gpt-4", "cl100k_base" },
		{ "gpt-4-turbo", "cl100k_base" },
		{ "gpt-4.1-nano", "o200k_base" },
		{ "o3-mini", "o200k_base" },
		{ "text-embedding-3-small", "cl100k_base" },
		{ "text-davinci-003", "p50k_base" },
		{ "davinci", "r50k_base" },
	};
	static const char *const unknown[] = {
		"", "gpt", "o1x", "claude-opus-4", "local/extract", "gpt-4x/",
		"gemini-2.5-pro", "o200k_base",
	};
	struct ai_bpe *b;
	struct ai_err err;
	size_t bad = 0;

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		const char *e = ai_bpe_encoding_for_model(t[i].model);

		bad += e == NULL || strcmp(e, t[i].encoding) != 0;
	}
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		bad += ai_bpe_encoding_for_model(unknown[i]) != NULL;
	ok(bad == 0, "models have their encodings, others have none");
	for (size_t i = 0; ai_bpe_encoding_at(i) != NULL; i++) {
		const char *name = ai_bpe_encoding_at(i);

		ok(ai_bpe_open(&b, name, &err) == 0 &&
		   strcmp(ai_bpe_name(b), name) == 0 &&
		   count_of(b, "hello world", 11, 0) == 2, "%s opens", name);
		ai_bpe_close(b);
	}
}

/* ---- threads ---- */

static void *counts(void *arg)
{
	static const char text[] = "any number of threads at once, aaaaaaaaaa";
	const struct ai_bpe *b = arg;
	size_t sum = 0;

	for (size_t i = 0; i < 2000; i++)
		sum += count_of(b, text, i % sizeof text, 0);
	return (void *)(uintptr_t)sum;
}

static void test_threads(void)
{
	pthread_t id[4];
	struct ai_bpe *b;
	struct ai_err err;
	void *want, *got;
	size_t bad = 0;

	ai_bpe_open(&b, AI_BPE_DEFAULT, &err);
	want = counts(b);
	for (size_t i = 0; i < 4; i++)
		bad += pthread_create(&id[i], NULL, counts, b) != 0;
	for (size_t i = 0; i < 4 && bad == 0; i++)
		bad += pthread_join(id[i], &got) != 0 || got != want;
	ok(bad == 0, "four threads count the same with one table");
	ai_bpe_close(b);
}

/* For tests/peer/tiktoken.mjs: the class of each code point, as a digit. */
static int print_classes(void)
{
	for (uint32_t c = 0; c <= 0x10FFFF; c++)
		putchar('0' + (int)ai_class_of(c));
	return putchar('\n') == EOF || fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILDDIR");
	char dir[2048];

	if (argc == 2 && strcmp(argv[1], "classes") == 0)
		return print_classes();
	snprintf(dir, sizeof dir, "%s/share/aiutils", build ? build : ".");
	setenv("AI_DATADIR", dir, 1);
	test_classes();
	test_vocabulary("o200k_base", dir, 200019);
	test_vocabulary("cl100k_base", dir, 100277);
	test_vocabulary("p50k_base", dir, 50281);
	test_vocabulary("r50k_base", dir, 50257);
	test_chain();
	test_build_refuses();
	test_damage(dir);
	test_open_errors();
	test_special();
	test_truncate("o200k_base");
	test_truncate("cl100k_base");
	test_truncate("r50k_base");
	test_models();
	test_threads();
	return done();
}
