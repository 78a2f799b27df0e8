/* Files of arrays: whatever is in one, nothing is read outside of it.
 * fuzz: lib/common/model/safetensors.c */
#include "model/safetensors.h"

#include "fuzz.h"

#include <math.h>
#include <string.h>

static void check(const struct ai_safetensors *s, const char *name,
		  const unsigned char *file, size_t size)
{
	struct ai_tensor t;
	struct ai_err err;
	int rc = ai_safetensors_get(s, name, &t, &err);
	size_t n;

	must(rc >= 0 || err.code == AI_E_DATA);
	if (rc <= 0)
		return;
	n = t.shape[0] * t.shape[1];
	must(t.dims <= 2 && t.p >= file && t.p + t.n <= file + size);
	if (t.width == 0)
		return;
	must(n * t.width == t.n);
	/* The ends, and a number between. */
	for (size_t i = 0; i < n; i += n / 2 + 1)
		(void)ai_tensor_at(&t, i);
	if (n > 0)
		(void)ai_tensor_at(&t, n - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "embeddings", "weights",
					     "mapping", "a", "" };
	/* At its own end, so that a sanitizer sees what goes beyond. */
	unsigned char *file = malloc(size + 1);
	struct ai_safetensors s;
	struct ai_err err;

	must(file != NULL);
	memcpy(file + 1, data, size);
	if (ai_safetensors_open(&s, file + 1, size, &err) < 0)
		must(err.code == AI_E_DATA);
	else
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			check(&s, names[i], file + 1, size);
	free(file);
	return 0;
}
