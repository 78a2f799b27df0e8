/*
 * fitwords: fits local/words, the model data/words.emb, on the lines that
 * tools/make-words.mjs prints.
 *
 *	node tools/make-words.mjs root | build/tools/fitwords >data/words.emb
 */
#include "text/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* With 256 columns the file has less than 5,000,000 bytes. */
#define TERMS 16900

static int fail(const struct ai_err *err)
{
	fprintf(stderr, "fitwords: %s\n", err->msg);
	return 1;
}

int main(int argc, char **argv)
{
	struct ai_fit_options o = {
		.words = 256, .hash = 256, .terms_max = TERMS, .df_min = 3,
		.sample_max = UINT32_C(16) << 20,
	};
	struct ai_fit *f;
	struct ai_err err;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc > 1)
		o.terms_max = (uint32_t)strtoul(argv[1], NULL, 10);
	if (ai_fit_new(&f, &o, &err) < 0)
		return fail(&err);
	while ((n = getline(&line, &cap, stdin)) > 0)
		if (ai_fit_add(f, line, (size_t)n - 1, &err) < 0)
			return fail(&err);
	if (ferror(stdin) || ai_fit_write(f, STDOUT_FILENO, &err) < 0)
		return fail(&err);
	ai_fit_free(f);
	free(line);
	return 0;
}
