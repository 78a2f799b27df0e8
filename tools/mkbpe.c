/*
 * mkbpe.c: for the build: turns a list of merge pairs (its form is described
 * in tools/pack-vocabularies.mjs) into the file that ai_bpe_open() maps.
 *
 *	xz -dc data/o200k_base.pairs.xz | mkbpe o200k_base >o200k_base.bpe
 *
 * What it writes is right or nothing: the tokens must have the SHA-256 that
 * the published rank file has.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "text/bpe_build.h"
#include "text/bpe_table.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)16 << 20)
#define SINGLE 256

/*
 * p50k_base is r50k_base, one gap (the id of <|endoftext|>) and the runs of
 * 2 to 25 blanks.
 */
static const struct recipe {
	const char *name;
	size_t gap, runs;
	const char *sha256;
} recipes[] = {
	{ "o200k_base", 0, 0,
	  "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d" },
	{ "cl100k_base", 0, 0,
	  "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7" },
	{ "p50k_base", 1, 24,
	  "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069" },
	{ "r50k_base", 0, 0,
	  "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930" },
};

struct vocabulary {
	struct ai_span *token;
	size_t n;
	char *bytes; /* of all tokens, one behind the other */
};

static const struct recipe *recipe_named(const char *name)
{
	for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
		if (strcmp(recipes[i].name, name) == 0)
			return &recipes[i];
	return NULL;
}

static int read_all(struct ai_buf *in, struct ai_err *err)
{
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		ai_buf_add(in, chunk, n);
	if (ferror(stdin))
		return ai_err_set(err, AI_E_IO, "cannot read the pairs");
	return ai_buf_check(in, "the list of pairs", err);
}

/* The id that half (0: left, 1: right) of pair i has. */
static size_t id_of(const unsigned char *planes, size_t pairs, size_t half,
		    size_t i)
{
	const unsigned char *p = planes + 3 * half * pairs + i;

	return p[0] | (size_t)p[pairs] << 8 | (size_t)p[2 * pairs] << 16;
}

static int merge_pairs(struct vocabulary *v, const unsigned char *planes,
		       size_t pairs, char *end, struct ai_err *err)
{
	for (size_t i = 0; i < pairs; i++) {
		size_t left = id_of(planes, pairs, 0, i);
		size_t right = id_of(planes, pairs, 1, i);
		struct ai_span *t = &v->token[SINGLE + i];

		if (left >= SINGLE + i || right >= SINGLE + i ||
		    v->token[left].n + v->token[right].n > AI_BPE_MAX_TOKEN)
			return ai_err_set(err, AI_E_DATA,
					  "pair %zu makes no sense", i);
		t->p = end;
		memcpy(end, v->token[left].p, v->token[left].n);
		end += v->token[left].n;
		memcpy(end, v->token[right].p, v->token[right].n);
		end += v->token[right].n;
		t->n = (size_t)(end - t->p);
	}
	return 0;
}

static void add_runs(struct vocabulary *v, const struct recipe *r)
{
	static const char blanks[] = "                         ";

	if (r->runs == 0)
		return;
	v->n += r->gap;
	for (size_t i = 0; i < r->runs; i++)
		v->token[v->n++] = (struct ai_span){ blanks, 2 + i };
}

static int unpack(struct vocabulary *v, const struct ai_buf *in,
		  const struct recipe *r, struct ai_err *err)
{
	const unsigned char *p = (const unsigned char *)in->p;
	size_t n = in->len < 4 ? 0 : ai_bpe_load32(p), pairs = n - SINGLE;

	if (n < SINGLE || n > AI_BPE_ID_MASK ||
	    in->len != 4 + SINGLE + 6 * pairs)
		return ai_err_set(err, AI_E_DATA,
				  "the list of pairs has a wrong length");
	v->token = calloc(n + r->gap + r->runs, sizeof *v->token);
	v->bytes = malloc(n * AI_BPE_MAX_TOKEN);
	if (v->token == NULL || v->bytes == NULL)
		return ai_err_nomem(err);
	memcpy(v->bytes, p + 4, SINGLE);
	for (size_t i = 0; i < SINGLE; i++)
		v->token[i] = (struct ai_span){ v->bytes + i, 1 };
	v->n = n;
	if (merge_pairs(v, p + 4 + SINGLE, pairs, v->bytes + SINGLE, err) < 0)
		return -1;
	add_runs(v, r);
	return 0;
}

/* The rank file as it is published: "base64 id" lines. */
static int verify(const struct vocabulary *v, const struct recipe *r,
		  struct ai_err *err)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	char text[2 * AI_BPE_MAX_TOKEN + 16], hex[65];
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	int len;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < v->n; i++) {
		if (v->token[i].n == 0)
			continue;
		sodium_bin2base64(text, sizeof text,
				  (const unsigned char *)v->token[i].p,
				  v->token[i].n, variant);
		len = (int)strlen(text);
		len += snprintf(text + len, sizeof text - (size_t)len,
				" %zu\n", i);
		crypto_hash_sha256_update(&state, (unsigned char *)text,
					  (unsigned long long)len);
	}
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	if (strcmp(hex, r->sha256) != 0)
		return ai_err_set(err, AI_E_DATA,
				  "the SHA-256 of the tokens is %s, not %s",
				  hex, r->sha256);
	return 0;
}

static int make(const struct recipe *r, struct vocabulary *v,
		struct ai_buf *in, struct ai_buf *out, struct ai_err *err)
{
	if (read_all(in, err) < 0 || unpack(v, in, r, err) < 0 ||
	    verify(v, r, err) < 0 ||
	    ai_bpe_build(v->token, v->n, out, err) < 0)
		return -1;
	if (fwrite(out->p, 1, out->len, stdout) != out->len ||
	    fflush(stdout) != 0)
		return ai_err_set(err, AI_E_IO, "cannot write the table");
	return 0;
}

int main(int argc, char **argv)
{
	const struct recipe *r = argc == 2 ? recipe_named(argv[1]) : NULL;
	struct ai_buf in = AI_BUF_INIT(INPUT_MAX), out = AI_BUF_INIT(INPUT_MAX);
	struct vocabulary v = { 0 };
	struct ai_err err;
	int rc;

	if (r == NULL || isatty(STDOUT_FILENO)) {
		fprintf(stderr, "usage: mkbpe NAME <PAIRS >TABLE\n");
		return AI_EXIT_USAGE;
	}
	rc = make(r, &v, &in, &out, &err);
	if (rc < 0)
		fprintf(stderr, "mkbpe: %s: %s\n", r->name, err.msg);
	free(v.token);
	free(v.bytes);
	ai_buf_release(&in);
	ai_buf_release(&out);
	return rc < 0 ? (int)ai_code_exit(err.code) : 0;
}
