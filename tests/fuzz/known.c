/* The file of --state: whatever stands in it, behind a right checksum too, it
 * is refused or read within its bounds, and what is written from it is read
 * again as it was.
 * fuzz: bin/chunk/known.c bin/chunk/known-file.c bin/chunk/dedup.c */
#include "../../bin/chunk/dedup.h"
#include "../../bin/chunk/known.h"
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

static char path[64];

static void put_file(const struct ai_buf *b)
{
	FILE *f = fopen(path, "w");

	must(f != NULL && fwrite(b->p, 1, b->len, f) == b->len);
	must(fclose(f) == 0);
}

/* What the file would be if this program had written it. */
static void sign(struct ai_buf *b, const uint8_t *data, size_t size)
{
	static const char head[] = "{\"ai-chunk-state\":1,\"seed\":"
				   "\"0123456789abcdef\",\"on\":\"\"}\n";
	char sum[AI_HASH_HEX];
	size_t lines = 0;

	ai_buf_str(b, head);
	ai_buf_add(b, data, size);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	ai_hash_of(b->p, b->len, sum);
	ai_buf_fmt(b, "{\"documents\":%zu,\"blake2b\":\"%s\"}\n", lines, sum);
	must(b->bad == AI_E_NONE);
}

static void load(struct chunk_dedup *d, struct ai_value list)
{
	struct chunk_key key;
	struct ai_json_iter it;
	struct ai_value v;
	struct ai_err err;

	if (list.kind != AI_ARRAY)
		return;
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		if (v.kind == AI_STRING) {
			chunk_dedup_key(v.s.p + 1, v.s.n - 2, &key);
			chunk_dedup_load(d, 0, v.s.p + 1, v.s.n - 2, &err);
		}
}

/* All that is in it; the number of documents that can be used. */
static size_t read_all(struct chunk_known *k, bool note)
{
	struct ai_buf uri = AI_BUF_INIT((size_t)1 << 20);
	struct chunk_known_doc doc;
	struct chunk_dedup *d;
	struct ai_err err;
	size_t at, good = 0;

	must(chunk_dedup_new(&d, .8, 1, &err) == 0);
	for (size_t i = 0; i < chunk_known_count(k); i++) {
		if (chunk_known_get(k, i, &doc, &err) < 0 ||
		    chunk_known_uri(k, i, &uri, &err) < 0)
			continue;
		good++;
		load(d, doc.kept);
		if (chunk_known_find(k, uri.p, &at, &err) == 1)
			must(at < chunk_known_count(k));
		if (note)
			must(chunk_known_note(k, uri.p, &doc, &err) == 0);
	}
	chunk_dedup_free(d);
	ai_buf_release(&uri);
	return good;
}

static void use(void)
{
	struct chunk_known *k;
	struct ai_err err;
	size_t n, all;

	if (chunk_known_open(&k, path, false, &err) < 0) {
		must(err.code == AI_E_DATA);
		return;
	}
	all = chunk_known_count(k);
	n = read_all(k, true);
	if (n < all) {
		chunk_known_close(k);
		return;
	}
	must(chunk_known_commit(k, &err) == 0);
	chunk_known_close(k);
	must(chunk_known_open(&k, path, false, &err) == 0);
	must(chunk_known_count(k) <= all && read_all(k, false) <= n);
	chunk_known_close(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 24);

	snprintf(path, sizeof path, "/tmp/fuzz-known-%d", (int)getpid());
	if (size == 0)
		return 0;
	ai_buf_add(&b, data, size);
	put_file(&b);
	use();
	ai_buf_clear(&b);
	sign(&b, data, size);
	put_file(&b);
	use();
	unlink(path);
	ai_buf_release(&b);
	return 0;
}
