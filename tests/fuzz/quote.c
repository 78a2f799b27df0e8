/*
 * local/extract on any text, and citations in any answer.  The input is a
 * question up to the first newline and a hit behind it.
 * fuzz: bin/complete/answer.c bin/complete/cite.c bin/complete/extract.c bin/complete/hits.c bin/complete/split.c lib/common/model/strict.c lib/common/model/wire.c
 */
#include "../../bin/complete/complete.h"
#include "fuzz.h"

#include <string.h>

static struct complete_hits hits;
static struct complete_answer answer;

static void check_quotes(void)
{
	must(answer.n_quotes <= COMPLETE_QUOTES_MAX);
	must(answer.score >= 0 && answer.score <= 1.0001);
	for (size_t i = 0; i < answer.n_quotes; i++) {
		must(answer.quotes[i].hit < hits.n);
		must(answer.quotes[i].from < answer.quotes[i].to);
		must(answer.quotes[i].to <= hits.v[answer.quotes[i].hit].n);
	}
}

static void check_cited(void)
{
	for (size_t i = 0; i < answer.n_cited; i++) {
		must(answer.cited[i] < hits.n);
		for (size_t k = 0; k < i; k++)
			must(answer.cited[i] != answer.cited[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end;
	struct complete_hit hit[2];
	struct ai_err err;
	size_t n;

	end = size == 0 ? NULL : memchr(p, '\n', size);
	n = end == NULL ? size : (size_t)(end - p);
	memset(hit, 0, sizeof hit);
	complete_hits_init(&hits);
	complete_answer_init(&answer);
	ai_buf_add(&hits.text, p + n, size - n);
	hit[0].n = hit[1].n = size - n;
	hits.v = hit;
	hits.n = 2;
	hits.confident = hits.given = true;
	must(complete_extract(&hits, (struct ai_span){ p, n }, 4, 0.1,
			      &answer, &err) == 0);
	check_quotes();
	check_cited();
	complete_answer_clear(&answer);
	ai_buf_add(&answer.chat.text, p, size);
	must(complete_cite(&answer, hits.n, &err) == 0);
	check_cited();
	complete_answer_release(&answer);
	ai_buf_release(&hits.text);
	return 0;
}
