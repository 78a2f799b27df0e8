/*
 * fit.h: embedding models that are fitted on a collection of texts, without
 * labels, network or key.
 *
 * A model gives a text one vector, made of parts of length 1 each:
 *
 *	topics  latent semantic analysis (Deerwester et al., 1990): the right
 *	        singular vectors of the texts' weighted terms
 *	words   the left singular vectors of the positive pointwise mutual
 *	        information of words that stand near each other (Levy and
 *	        Goldberg, 2014), added up over a text's words
 *	hash    for models that are not fitted on the texts they are used for:
 *	        each term in one signed component, the unknown ones too
 *
 * A part weighs as its share says, so that the cosine of two vectors is the
 * weighted mean of the parts' cosines.  A text of no known word gives zeros.
 * The singular vectors are found by subspace iteration from a random start
 * with a fixed seed (Halko, Martinsson and Tropp, 2011).
 *
 * The same texts in the same order give the same bytes, on every machine; the
 * same text and model the same vector.
 */
#ifndef AI_TEXT_FIT_H
#define AI_TEXT_FIT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows are 8-bit integers; each part has 0 (none) to this many columns. */
#define AI_FIT_PART_MAX 1024
/* What the parts of a collection's own model have by default. */
#define AI_FIT_TOPICS 96
#define AI_FIT_WORDS 96
#define AI_FIT_DIM (AI_FIT_TOPICS + AI_FIT_WORDS)
/* Below so many texts local/words is the safer model: it takes nothing from
 * words in any sample, however small. */
#define AI_FIT_TEXTS_MIN 400

/* ---- fitting ------------------------------------------------------------ */

/* All 0: the defaults. */
struct ai_fit_options {
	uint32_t topics, words, hash; /* columns of each part; all 0: 96, 96, 0 */
	uint32_t terms_max;  /* of the vocabulary; 0: 65536 */
	uint32_t df_min;     /* texts that a term must stand in; 0: 2 */
	uint32_t sample_max; /* terms in texts that are kept; 0: 3 million.
			      * Of more texts a sample is fitted; all count
			      * for the terms' weights. */
};

struct ai_fit;

/* o may be NULL. */
int ai_fit_new(struct ai_fit **f, const struct ai_fit_options *o,
	       struct ai_err *err);
void ai_fit_free(struct ai_fit *f);
/* One text more, of any bytes; it is not kept.  Memory grows to a limit (see
 * sample_max, terms_max), not with the number of texts. */
int ai_fit_add(struct ai_fit *f, const char *text, size_t n,
	       struct ai_err *err);
/* The same in two steps: read, which knows of no other text and may be done by
 * any thread, replaces *terms by those of the text, for take.  What is kept of
 * words that were seen makes it faster: one a thread, or NULL.  Where pairs of
 * characters are terms, these take up to 7/3 of the text's bytes. */
#define AI_FIT_READ_MAX ((size_t)3 << 30) /* of a text of 1 GiB */
struct ai_fit_seen;
struct ai_fit_seen *ai_fit_seen_new(void); /* NULL: out of memory */
void ai_fit_seen_free(struct ai_fit_seen *s);
void ai_fit_read(const struct ai_fit *f, const char *text, size_t n,
		 struct ai_fit_seen *seen, struct ai_buf *terms);
int ai_fit_take(struct ai_fit *f, const struct ai_buf *terms,
		struct ai_err *err);
/* How many texts there were. */
uint64_t ai_fit_texts(const struct ai_fit *f);
/* Fits the model to what was added, once; this is what takes time.  AI_E_DATA:
 * no term stands in df_min texts; AI_E_MEMORY. */
int ai_fit_make(struct ai_fit *f, struct ai_err *err);
/* Writes it to fd, which need not be able to seek; not synced.  It is made
 * before if it was not.  As above, and AI_E_IO. */
int ai_fit_write(struct ai_fit *f, int fd, struct ai_err *err);

/* ---- using a model ------------------------------------------------------ */

/* A model file; any number of threads may use it at once. */
struct ai_fitted;

/*
 * Maps a model.  What is read of it is checked as it is read, by the sum of
 * its block and by its bounds: a file of any content is an error or gives
 * vectors, and reads nothing outside.  A file that is cut while it is mapped
 * ends the process, as any mapped file does.  AI_E_OPEN, AI_E_DATA.
 */
int ai_fitted_open(struct ai_fitted **m, const char *path, struct ai_err *err);
/* The same from memory, 8-byte aligned, which must stay until the free. */
int ai_fitted_of(struct ai_fitted **m, const void *p, size_t n,
		 struct ai_err *err);
void ai_fitted_free(struct ai_fitted *m);
/* Compares the sum of every block. AI_E_DATA. */
int ai_fitted_verify(const struct ai_fitted *m, struct ai_err *err);

size_t ai_fitted_dim(const struct ai_fitted *m);
/* Texts that it was fitted on, terms that it knows. */
uint64_t ai_fitted_texts(const struct ai_fitted *m);
size_t ai_fitted_terms(const struct ai_fitted *m);
/* BLAKE2b-128 of the file's head, which has the sums of all the rest, in hex:
 * models are the same if these are.  Borrowed. */
const char *ai_fitted_id(const struct ai_fitted *m);
/* Whether these bytes begin as a model file does. */
bool ai_fitted_magic(const void *p, size_t n);

/* What embedding needs besides; one a thread. Begins as zeros. */
struct ai_fitted_work {
	void *p; /* of the size of the vocabulary at most */
};
void ai_fitted_work_release(struct ai_fitted_work *w);

/*
 * The vector of a text (document or query alike) into out[dim]: of length 1,
 * or zeros if the model knows no word of it.  *known, which may be NULL: how
 * many of its terms the model knows, each counted once.  AI_E_DATA: the file
 * is damaged; AI_E_MEMORY.
 */
int ai_fitted_embed(const struct ai_fitted *m, struct ai_fitted_work *w,
		    const char *text, size_t n, float *out, size_t *known,
		    struct ai_err *err);

#endif
