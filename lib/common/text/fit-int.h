/* fit-int.h: what the files that fit a model share; for fit*.c only. */
#ifndef AI_TEXT_FIT_INT_H
#define AI_TEXT_FIT_INT_H

#include "text/analyze.h"
#include "text/fit.h"

#include <math.h>

/* In the sample: a term that the model does not have, which still has its
 * place, and the end of a text. */
#define AI_FIT_NO_TERM (UINT32_MAX - 1)
#define AI_FIT_END UINT32_MAX

struct ai_fit_term {
	uint32_t at, n; /* of ai_fit.bytes */
	uint32_t df;    /* texts it stands in */
	uint32_t last;  /* the text that was counted last, from 1 */
	uint32_t hash;  /* the upper half of its bytes' */
};

/* A text of the sample. */
struct ai_fit_text {
	uint64_t no;   /* from 0 */
	uint32_t from; /* of ai_fit.seq */
};

struct ai_fit {
	struct ai_fit_options o;
	const struct ai_analyzer *analyzer;
	uint64_t texts;
	struct ai_buf read; /* the terms of the one at hand */
	struct ai_fit_seen *seen;
	/* The vocabulary. */
	char *bytes;
	size_t bytes_n, bytes_cap;
	struct ai_fit_term *terms;
	uint32_t n_terms;
	uint32_t *slots; /* term + 1, or 0 */
	unsigned slot_bits;
	/* The sample: the terms of its texts, each text with an AI_FIT_END
	 * behind it. Text i is in it if its hash is at most keep. */
	uint32_t *seq;
	size_t seq_n, seq_cap;
	struct ai_fit_text *sample;
	size_t sample_n, sample_cap;
	uint64_t keep;
	/* What ai_fit_write() makes: of each term of the model, in its order. */
	uint32_t *order;  /* the number in terms[] */
	uint32_t n;       /* terms of the model */
	float *weight;    /* ln(1 + (N - df + .5) / (df + .5)) */
	int8_t *rows;     /* n * (topics + words) */
	float *scales;    /* n * 2: what a unit of the row is worth, times
			   * what the term weighs */
	bool begun, made; /* to be made; the model is there */
};

/* The two parts: U or V into column from of the rows. */
int ai_fit_topics(struct ai_fit *f, struct ai_err *err);
int ai_fit_words(struct ai_fit *f, struct ai_err *err);
/* What a term weighs among the topics. */
static inline double ai_fit_topic_weight(const struct ai_fit *f, uint32_t i)
{
	return f->weight[i] * sqrt(f->weight[i]);
}
/* Columns of a part that are fitted, the others are zeros: from few texts many
 * columns learn by heart. */
static inline size_t ai_fit_rank(const struct ai_fit *f, int part)
{
	double n = sqrt((double)f->texts * (part == 0 ? 4 : 12));
	size_t columns = part == 0 ? f->o.topics : f->o.words;

	return n < 1 ? 1 : n < (double)columns ? (size_t)n : columns;
}
/* Power iterations.  Two instead of four take .002 of nDCG from the judged
 * collections (make eval), and a fifth of the time from large ones. */
static inline size_t ai_fit_rounds(const struct ai_fit *f)
{
	return f->n > 32768 ? 2 : 4;
}
/* Row i of a part, which is 0 for the topics, 1 for the words;
 * v has its ai_fit_rank(). */
void ai_fit_quantise(struct ai_fit *f, uint32_t i, int part, const float *v);
/* The model to a file. */
int ai_fit_save(const struct ai_fit *f, int fd, struct ai_err *err);

/* Makes a term of a word, in place; false: it is none that counts. */
bool ai_fit_term(struct ai_fold *f, const struct ai_analyzer *a);
/* The next term of a text that counts for vectors (a letter, more than one
 * byte, no stop word), in f->word[f->n]; false behind the last.  seen is of this
 * thread alone, or NULL. */
bool ai_fit_next(struct ai_fold *f, const struct ai_analyzer *a,
		 struct ai_fit_seen *seen);

#endif
