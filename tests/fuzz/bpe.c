/*
 * Byte-pair encoding. The first byte chooses an encoding, or, above 0x7F, a
 * damaged table; the second a length to truncate to; the rest is the text.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "text/bpe.h"
#include "text/bpe_build.h"
#include "text/bpe_merge.h"
#include "text/bpe_split.h"
#include "text/bpe_table.h"

#include <string.h>
#include <unistd.h>

#define SLOW_MAX 600

/* ---- the real tables ---- */

/* The tables are where the build put them; the fuzzer runs elsewhere. */
static void find_tables(void)
{
	static const char *const tries[] = { "share/aiutils",
					     "../../../share/aiutils" };
	const char *build = getenv("BUILDDIR");
	char path[4096];

	if (build != NULL) {
		snprintf(path, sizeof path, "%s/%s", build, tries[0]);
		setenv("AI_DATADIR", path, 0);
	}
	for (size_t i = 0; i < 2; i++)
		if (access(tries[i], R_OK) == 0)
			setenv("AI_DATADIR", tries[i], 0);
}

static const struct ai_bpe *encoding(size_t i)
{
	static struct ai_bpe *open[3];
	static const char *const names[] = { "o200k_base", "cl100k_base",
					     "p50k_base" };
	struct ai_err err;

	if (open[i] == NULL) {
		find_tables();
		must(ai_bpe_open(&open[i], names[i], &err) == 0);
	}
	return open[i];
}

static void check_cut(const struct ai_bpe *b, const char *p, size_t n,
		      size_t max, size_t count)
{
	struct ai_bpe_cut cut;
	struct ai_err err;
	size_t again;

	must(ai_bpe_truncate(b, p, n, AI_BPE_SPECIAL, max, &cut, &err) == 0);
	must(cut.before == count && cut.keep <= n && cut.tokens <= max);
	must((cut.keep == n) == (count <= max));
	must(ai_bpe_count(b, p, cut.keep, AI_BPE_SPECIAL, &again, &err) == 0);
	must(again == cut.tokens);
	must(ai_utf8_floor(p, n, cut.keep) == cut.keep);
}

static void check_text(const struct ai_bpe *b, const char *p, size_t n,
		       size_t max)
{
	struct ai_buf back = AI_BUF_INIT(1 << 24);
	struct ai_bpe_ids ids = { 0 };
	struct ai_err err;
	size_t count;

	must(ai_bpe_encode(b, p, n, 0, &ids, &err) == 0);
	must(ai_bpe_count(b, p, n, 0, &count, &err) == 0 && count == ids.n);
	must(ai_bpe_decode(b, ids.v, ids.n, &back, &err) == 0);
	must(back.len == n && (n == 0 || memcmp(back.p, p, n) == 0));
	must(ai_bpe_count(b, p, n, AI_BPE_SPECIAL, &count, &err) == 0);
	check_cut(b, p, n, max, count);
	ai_bpe_ids_release(&ids);
	ai_buf_release(&back);
}

static void check_split(ai_bpe_split_fn *split, const char *p, size_t n)
{
	size_t at = 0, end;

	for (; at < n; at = end) {
		end = split(p, n, at);
		must(end > at && end <= n);
		/* No character is cut. */
		if (end < n && ai_utf8_valid(p, n) == n)
			must(((unsigned char)p[end] & 0xC0) != 0x80);
	}
}

/* ---- a small table, whole and damaged ---- */

static void build(struct ai_buf *out)
{
	static const char *const more[] = { "aa", "ab", "ba", "aaaa", "abab",
					    "  ", "bb", "aab", "baa", "abb" };
	static char bytes[256];
	struct ai_span token[256 + sizeof more / sizeof more[0]];
	size_t n = 256;
	struct ai_err err;

	for (size_t i = 0; i < 256; i++) {
		bytes[i] = (char)i;
		token[i] = (struct ai_span){ bytes + i, 1 };
	}
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		token[n++] = ai_span_of(more[i]);
	must(ai_bpe_build(token, n, out, &err) == 0);
}

/* Merging as it is defined, all pairs looked at each time. */
static size_t slow_merge(const struct ai_bpe_table *t, const unsigned char *p,
			 size_t n)
{
	size_t from[SLOW_MAX + 1];
	uint32_t best, id;
	size_t at = 0;

	for (size_t i = 0; i <= n; i++)
		from[i] = i;
	for (;;) {
		best = AI_BPE_NONE;
		for (size_t i = 0; i + 1 < n; i++) {
			id = ai_bpe_find(t, p + from[i], from[i + 2] - from[i]);
			if (id < best) {
				best = id;
				at = i;
			}
		}
		if (best == AI_BPE_NONE)
			return n;
		memmove(from + at + 1, from + at + 2,
			(n - at - 1) * sizeof *from);
		n--;
	}
}

static void check_small(const char *p, size_t n)
{
	static struct ai_buf whole = AI_BUF_INIT(1 << 20);
	struct ai_buf table = AI_BUF_INIT(1 << 20);
	struct ai_bpe_sink s = { 0 };
	struct ai_bpe_table t;
	struct ai_err err;

	if (whole.len == 0)
		build(&whole);
	must(ai_bpe_table_map(&t, whole.p, whole.len) == NULL);
	if (n > 0 && n <= SLOW_MAX) {
		must(ai_bpe_merge(&t, p, n, &s, &err) == 0);
		must(s.count == slow_merge(&t, (const unsigned char *)p, n));
	}
	/* Triples of the text change bytes: place (2), value. */
	ai_buf_add(&table, whole.p, whole.len);
	for (size_t i = 0; i + 2 < n; i += 3) {
		size_t at = (unsigned char)p[i] | (size_t)(unsigned char)
			    p[i + 1] << 8;

		table.p[at % table.len] = p[i + 2];
	}
	if (n > 0 && ai_bpe_table_map(&t, table.p, table.len) == NULL)
		must(ai_bpe_merge(&t, p, n, &s, &err) == 0);
	ai_buf_release(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static ai_bpe_split_fn *const splits[] = {
		ai_bpe_split_o200k, ai_bpe_split_cl100k, ai_bpe_split_r50k,
	};
	const char *p = (const char *)data + 2;
	size_t i;

	if (size < 2)
		return 0;
	if (data[0] > 0x7F) {
		check_small(p, size - 2);
		return 0;
	}
	i = data[0] % 3;
	check_split(splits[i], p, size - 2);
	check_text(encoding(i), p, size - 2, data[1]);
	return 0;
}
