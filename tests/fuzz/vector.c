/* Vectors: base64 there and back, embeddings out of any JSON, and the model
 * local/hash on any bytes. */
#include "base/utf8.h"
#include "fuzz.h"
#include "record/embedding.h"
#include "text/vector.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What was read, written and read again is the same, bit by bit. */
static void check_same(const float *v, size_t dim)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 24);
	float *again = malloc(dim * sizeof(*again));
	struct ai_err err;
	size_t n = 0, i;

	must(again != NULL);
	must(ai_vector_to_base64(v, dim, &b) == 0);
	must(b.len == (dim * 4 + 2) / 3 * 4);
	must(ai_vector_from_base64(b.p, b.len, again, dim, &n, &err) == 0);
	must(n == dim && memcmp(v, again, dim * sizeof(*v)) == 0);
	for (i = 0; i < dim; i++)
		must(isfinite(v[i]));
	free(again);
	ai_buf_release(&b);
}

static void check_hash(const char *p, size_t n)
{
	float v[64], w[64], norm;
	struct ai_words words;
	size_t i;
	bool any = false;

	must(ai_vector_hash(p, n, 64, v, NULL) == 0);
	must(ai_vector_hash(p, n, 64, w, NULL) == 0);
	must(memcmp(v, w, sizeof(v)) == 0);
	ai_words_init(&words, p, n);
	while (ai_words_next(&words)) {
		any = true;
		must(words.n > 0 && words.n <= AI_WORD_MAX);
		for (i = 0; i < words.n; i++)
			must(ai_lower(ai_lower(words.cp[i])) == words.cp[i]);
	}
	must(words.p == words.end);
	norm = ai_vector_dot(v, v, 64);
	/* Features may cancel each other out, but only where there are some. */
	must(norm == 0 || fabsf(norm - 1) < 1e-4f);
	must(any || norm == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct ai_err err;
	struct ai_value v;
	float *vec, out[256];
	size_t dim;

	if (ai_vector_from_base64(p, size, out, 256, &dim, &err) == 0)
		check_same(out, dim);
	else
		must(err.code == AI_E_RECORD);
	check_hash(p, size);
	if (ai_json_check(p, size, &v, NULL) < 0)
		return 0;
	if (ai_embedding_read(v, &vec, &dim, &err) == 0)
		check_same(vec, dim);
	else
		must(err.code == AI_E_RECORD && vec == NULL);
	free(vec);
	return 0;
}
