/* train-set.c: what the weights are fitted to: windows of the rows. */
#include "train.h"

#include <stdlib.h>
#include <string.h>

#define WINDOWS_MAX 80   /* places of a row, at most */
#define DEBIAS_WORDS 1500
#define DEBIAS_SEEN 4    /* rows, for a word to be among them */

uint64_t train_random(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

void train_set_release(struct train_set *s)
{
	free(s->features);
	free(s->v);
	memset(s, 0, sizeof *s);
}

static int grow(struct train_set *s, size_t words, struct ai_err *err)
{
	size_t need = s->n_features + words * FEATURES_MAX;
	void *p;

	if (need > s->cap_features) {
		p = reallocarray(s->features, 2 * need, sizeof *s->features);
		if (p == NULL)
			return ai_err_nomem(err);
		s->features = p;
		s->cap_features = 2 * need;
	}
	if (s->n == s->cap) {
		p = reallocarray(s->v, 2 * s->cap + 1024, sizeof *s->v);
		if (p == NULL)
			return ai_err_nomem(err);
		s->v = p;
		s->cap = 2 * s->cap + 1024;
	}
	return 0;
}

int train_set_add(struct train_set *s, const struct feature_word *words,
		  size_t n, bool attack, struct ai_err *err)
{
	struct train_window *w;

	if (n == 0)
		return 0;
	if (grow(s, n, err) < 0)
		return -1;
	w = &s->v[s->n++];
	*w = (struct train_window){ .at = s->n_features, .attack = attack,
				    .words = (uint32_t)n };
	for (size_t i = 0; i < n; i++)
		s->n_features += features_of(&words[i],
			i > 0 ? &words[i - 1] : NULL,
			i > 1 ? &words[i - 2] : NULL, TRAIN_BITS,
			s->features + s->n_features);
	w->n = s->n_features - w->at;
	return 0;
}

/* What so many words say by weights that are not bytes yet. */
static float score_of(const float *first, const struct feature_word *words,
		      size_t n)
{
	uint32_t at[FEATURES_MAX];
	float sum = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = features_of(&words[i], i > 0 ? &words[i - 1] : NULL,
				       i > 1 ? &words[i - 2] : NULL,
				       TRAIN_BITS, at);

		while (k > 0)
			sum += first[at[--k]];
	}
	return sum * (float)features_scale(n);
}

/* The next window of a text, as score.c has them: one, two, four blocks at
 * each place.  Starts with { 0, 0 }; false behind the last. */
static bool next_window(const struct train_row *r, size_t *from, size_t *n)
{
	size_t most = r->n - *from;

	if (*n == 0) {
		*n = FEATURES_BLOCK;
	} else if (*n < TRAIN_WINDOW && *n < most) {
		*n *= 2;
	} else {
		*from += FEATURES_BLOCK;
		if (*from + FEATURES_BLOCK / 2 > r->n ||
		    *from > WINDOWS_MAX * FEATURES_BLOCK)
			return false;
		*n = FEATURES_BLOCK;
	}
	most = r->n - *from;
	*n = *n < most ? *n : most;
	return true;
}

static int add_windows(struct train_set *s, const struct train_row *r,
		       struct ai_err *err)
{
	for (size_t from = 0, n = 0; next_window(r, &from, &n);)
		if (train_set_add(s, r->words + from, n, false, err) < 0)
			return -1;
	return 0;
}

/* That window of an attack that a first fit finds worst: most of a long text is
 * no attack.  Without a first fit, the beginning. */
static int add_worst(struct train_set *s, const struct train_row *r,
		     const float *first, struct ai_err *err)
{
	size_t best_from = 0, best_n = r->n < TRAIN_WINDOW ? r->n : TRAIN_WINDOW;
	float best = -1e30f, x;

	for (size_t from = 0, n = 0; first != NULL &&
	     next_window(r, &from, &n);) {
		x = score_of(first, r->words + from, n);
		if (x > best) {
			best = x;
			best_from = from;
			best_n = n;
		}
	}
	return train_set_add(s, r->words + best_from, best_n, true, err);
}

/* A random row of these; NULL: there is none. */
static const struct train_row *any_row(const struct train_rows *rows,
				       enum weights_table t, bool attack,
				       bool only, uint64_t *seed)
{
	size_t from = train_below(seed, rows->n);

	for (size_t i = 0; i < rows->n; i++) {
		const struct train_row *r = &rows->v[(from + i) % rows->n];

		if (r->attack == attack && !r->calibrate && r->of[t] &&
		    r->n > 0 && (!only || !r->of[!t]))
			return r;
	}
	return NULL;
}

/* A window of the harmless text with the attack at a random place. */
static int add_inserted(struct train_set *s, const struct train_row *attack,
			const struct train_row *text, uint64_t *seed,
			struct ai_err *err)
{
	struct feature_word w[TRAIN_WINDOW];
	size_t most = (size_t)FEATURES_BLOCK << train_below(seed, 3);
	size_t a = attack->n < most * 3 / 4 ? attack->n : most * 3 / 4;
	size_t room = most - a;
	size_t k = text->n < room ? text->n : room;
	size_t from = train_below(seed, text->n - k + 1);
	size_t at = train_below(seed, k + 1);

	memcpy(w, text->words + from, at * sizeof *w);
	memcpy(w + at, attack->words, a * sizeof *w);
	memcpy(w + at + a, text->words + from + at, (k - at) * sizeof *w);
	return train_set_add(s, w, k + a, true, err);
}

int train_set_fill(struct train_set *s, const struct train_rows *rows,
		   enum weights_table t, const float *first, uint64_t *seed,
		   struct ai_err *err)
{
	static const size_t copies[WEIGHTS_TABLES] = { 1, 8 };

	for (size_t i = 0; i < rows->n; i++) {
		const struct train_row *r = &rows->v[i], *text;

		if (r->calibrate || !r->of[t])
			continue;
		if ((r->attack ? add_worst(s, r, first, err)
			       : add_windows(s, r, err)) < 0)
			return -1;
		for (size_t k = 0; r->attack && k < copies[t]; k++) {
			text = any_row(rows, t, false, t == WEIGHTS_DOCUMENT,
				       seed);
			if (text == NULL)
				text = any_row(rows, t, false, false, seed);
			if (text != NULL && add_inserted(s, r, text, seed,
							 err) < 0)
				return -1;
		}
	}
	return 0;
}

/* ---- trigger words ------------------------------------------------------------- */

struct trigger {
	struct feature_word word;
	float weight;
	uint32_t seen;
};

static int by_hash(const void *a, const void *b)
{
	const struct trigger *x = a, *y = b;

	return x->word.hash < y->word.hash ? -1 : x->word.hash > y->word.hash;
}

static int by_weight(const void *a, const void *b)
{
	const struct trigger *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return by_hash(a, b);
}

/* What a word says by itself. */
static float weight_of(const float *first, const struct feature_word *x)
{
	uint32_t at[FEATURES_MAX];
	size_t n = features_of(x, NULL, NULL, TRAIN_BITS, at);
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += first[at[i]];
	return sum;
}

static size_t count_words(const struct train_rows *rows, enum weights_table t)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].attack && rows->v[i].of[t])
			n += rows->v[i].n;
	return n;
}

/* The words of the attacks that weigh most; how many. */
static size_t find_triggers(struct trigger *v, const struct train_rows *rows,
			    enum weights_table t, const float *first)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct train_row *r = &rows->v[i];

		if (r->attack && r->of[t])
			for (size_t k = 0; k < r->n; k++)
				v[n++] = (struct trigger){ r->words[k], 0, 1 };
	}
	qsort(v, n, sizeof *v, by_hash);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && v[kept - 1].word.hash == v[i].word.hash)
			v[kept - 1].seen++;
		else
			v[kept++] = v[i];
	}
	for (size_t i = n = 0; i < kept; i++) {
		if (v[i].seen < DEBIAS_SEEN)
			continue;
		v[n] = v[i];
		v[n].word.first = false;
		v[n].weight = weight_of(first, &v[n].word);
		n++;
	}
	qsort(v, n, sizeof *v, by_weight);
	return n < DEBIAS_WORDS ? n : DEBIAS_WORDS;
}

/* A harmless window with one to three of the words in it. */
static int add_triggered(struct train_set *s, const struct train_row *r,
			 const struct trigger *v, size_t n_v, uint64_t *seed,
			 struct ai_err *err)
{
	struct feature_word w[TRAIN_WINDOW];
	size_t k = 1 + train_below(seed, 3), n = TRAIN_WINDOW - k, from, at;

	if (n > r->n)
		n = r->n;
	from = train_below(seed, r->n - n + 1);
	memcpy(w, r->words + from, n * sizeof *w);
	for (; k > 0; k--, n++) {
		at = train_below(seed, n + 1);
		memmove(w + at + 1, w + at, (n - at) * sizeof *w);
		w[at] = v[train_below(seed, n_v)].word;
	}
	return train_set_add(s, w, n, false, err);
}

int train_set_debias(struct train_set *s, const struct train_rows *rows,
		     enum weights_table t, const float *first, uint64_t *seed,
		     struct ai_err *err)
{
	size_t all = count_words(rows, t), n, copies = s->n / 5;
	struct trigger *v = calloc(all + 1, sizeof *v);
	int rc = 0;

	if (v == NULL)
		return ai_err_nomem(err);
	n = find_triggers(v, rows, t, first);
	for (size_t i = 0; n > 0 && i < copies && rc == 0; i++) {
		const struct train_row *r =
			any_row(rows, t, false, false, seed);

		if (r == NULL)
			break;
		rc = add_triggered(s, r, v, n, seed, err);
	}
	free(v);
	return rc;
}
