/*
 * The vocabulary and the sample: what is known of a collection before its
 * model is fitted.
 *
 * Memory is bounded.  The vocabulary drops its rarest terms when it has
 * VOCABULARY_MAX, as lossy counting does.  The sample is a random one of whole
 * texts: text i is in it if a hash of i is small enough, and when it holds
 * too many terms the bound is halved, and so is the sample.
 */
#include "text/fit-file.h"
#include "text/fit-int.h"
#include "text/ln.h"

#include <stdlib.h>
#include <string.h>

#define TERMS_MAX 65536
#define DF_MIN 2
#define SAMPLE_MAX (UINT32_C(3) << 20)
/* Terms that are counted; those beyond are the rarest. */
#define VOCABULARY_MAX (UINT32_C(1) << 20)
#define DF_COUNTED 4096
#define SLOT_BITS_MIN 12
/* A text has no more of the sample than this part of it. */
#define TEXT_SHARE 16
#define SEED UINT64_C(0x61692d6669740001)

int ai_fit_new(struct ai_fit **out, const struct ai_fit_options *o,
	       struct ai_err *err)
{
	struct ai_fit *f = calloc(1, sizeof *f);

	if (f == NULL)
		return ai_err_nomem(err);
	if (o != NULL)
		f->o = *o;
	if (f->o.topics == 0 && f->o.words == 0 && f->o.hash == 0) {
		f->o.topics = AI_FIT_TOPICS;
		f->o.words = AI_FIT_WORDS;
	}
	if (f->o.terms_max == 0)
		f->o.terms_max = TERMS_MAX;
	if (f->o.df_min == 0)
		f->o.df_min = DF_MIN;
	if (f->o.sample_max == 0)
		f->o.sample_max = SAMPLE_MAX;
	f->analyzer = ai_analyzer_find("english");
	f->keep = UINT64_MAX;
	ai_buf_init(&f->read, AI_FIT_READ_MAX);
	f->slot_bits = SLOT_BITS_MIN;
	f->slots = calloc((size_t)1 << f->slot_bits, sizeof *f->slots);
	/* There is room for as many terms as half of the slots. */
	f->terms = malloc(((size_t)1 << f->slot_bits) / 2 * sizeof *f->terms);
	if (f->o.topics > AI_FIT_PART_MAX || f->o.words > AI_FIT_PART_MAX ||
	    f->o.hash > AI_FIT_PART_MAX || f->o.terms_max > AI_FIT_TERMS_MAX ||
	    f->o.topics + f->o.words == 0) {
		ai_err_set(err, AI_E_USAGE, "a model of %u + %u + %u "
			   "dimensions and %u terms is none", f->o.topics,
			   f->o.words, f->o.hash, f->o.terms_max);
		ai_fit_free(f);
		return -1;
	}
	if (f->slots == NULL || f->terms == NULL) {
		ai_fit_free(f);
		return ai_err_nomem(err);
	}
	*out = f;
	return 0;
}

void ai_fit_free(struct ai_fit *f)
{
	if (f == NULL)
		return;
	ai_fit_seen_free(f->seen);
	ai_buf_release(&f->read);
	free(f->bytes);
	free(f->terms);
	free(f->slots);
	free(f->seq);
	free(f->sample);
	free(f->order);
	free(f->weight);
	free(f->rows);
	free(f->scales);
	free(f);
}

uint64_t ai_fit_texts(const struct ai_fit *f)
{
	return f->texts;
}

/* Makes room for n of size in *p, twice what it was at least. */
static int room(void *p, size_t *cap, size_t n, size_t size,
		struct ai_err *err)
{
	void **at = p, *more;
	size_t want = *cap < 1024 ? 1024 : *cap;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	more = realloc(*at, want * size);
	if (more == NULL)
		return ai_err_nomem(err);
	*at = more;
	*cap = want;
	return 0;
}

/* ---- the vocabulary ----------------------------------------------------- */

/* Puts all terms into the slots, which are new. */
static void fill_slots(struct ai_fit *f)
{
	uint32_t mask = (1u << f->slot_bits) - 1;

	for (uint32_t t = 0; t < f->n_terms; t++) {
		const struct ai_fit_term *e = &f->terms[t];
		uint32_t i = (uint32_t)ai_fit_sum(f->bytes + e->at, e->n);

		while (f->slots[i & mask] != 0)
			i++;
		f->slots[i & mask] = t + 1;
	}
}

static int grow_slots(struct ai_fit *f, struct ai_err *err)
{
	uint32_t *more = calloc((size_t)2 << f->slot_bits, sizeof *more);

	if (more == NULL)
		return ai_err_nomem(err);
	free(f->slots);
	f->slots = more;
	f->slot_bits++;
	fill_slots(f);
	return 0;
}

static int new_term(struct ai_fit *f, struct ai_span s, uint32_t slot,
		    uint64_t hash, struct ai_err *err)
{
	if (f->bytes_n + s.n > UINT32_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "the vocabulary is too "
				  "large");
	if (room(&f->bytes, &f->bytes_cap, f->bytes_n + s.n, 1, err) < 0)
		return -1;
	memcpy(f->bytes + f->bytes_n, s.p, s.n);
	f->terms[f->n_terms++] = (struct ai_fit_term){
		.at = (uint32_t)f->bytes_n, .n = (uint32_t)s.n,
		.hash = (uint32_t)(hash >> 32) };
	f->bytes_n += s.n;
	f->slots[slot] = f->n_terms;
	return 0;
}

/* Its number, as yet unknown ones are taken in; AI_FIT_NO_TERM where too many
 * stand in its way. */
static int term_of(struct ai_fit *f, struct ai_span s, uint32_t *term,
		   struct ai_err *err)
{
	uint64_t hash = ai_fit_sum(s.p, s.n);
	uint32_t mask, i = (uint32_t)hash, probes = 0;
	struct ai_fit_term *more;

	if (f->n_terms >= 1u << (f->slot_bits - 1)) {
		more = realloc(f->terms, ((size_t)1 << f->slot_bits) *
				sizeof *f->terms);
		if (more == NULL)
			return ai_err_nomem(err);
		f->terms = more;
		if (grow_slots(f, err) < 0)
			return -1;
	}
	mask = (1u << f->slot_bits) - 1;
	for (; f->slots[i & mask] != 0; i++) {
		const struct ai_fit_term *e;

		*term = f->slots[i & mask] - 1;
		e = &f->terms[*term];
		if (e->hash == (uint32_t)(hash >> 32) && e->n == s.n &&
		    memcmp(f->bytes + e->at, s.p, s.n) == 0)
			return 0;
		if (++probes == AI_FIT_PROBES) {
			*term = AI_FIT_NO_TERM;
			return 0;
		}
	}
	*term = f->n_terms;
	return new_term(f, s, i & mask, hash, err);
}

/* The least df whose terms, and those of more, are at most half of all. */
static uint32_t df_of_half(const struct ai_fit *f)
{
	uint32_t counts[DF_COUNTED] = { 0 }, left = f->n_terms, df;

	for (uint32_t t = 0; t < f->n_terms; t++)
		if (f->terms[t].df < DF_COUNTED)
			counts[f->terms[t].df]++;
	for (df = 0; df < DF_COUNTED && left > f->n_terms / 2; df++)
		left -= counts[df];
	return df;
}

/* Drops the rarest half of the terms, or more of the same df. */
static int prune(struct ai_fit *f, struct ai_err *err)
{
	uint32_t df = df_of_half(f), n = 0;
	uint32_t *to = malloc(f->n_terms * sizeof *to);
	size_t bytes = 0;

	if (to == NULL)
		return ai_err_nomem(err);
	for (uint32_t t = 0; t < f->n_terms; t++) {
		struct ai_fit_term e = f->terms[t];

		if (e.df < df) {
			to[t] = AI_FIT_NO_TERM;
			continue;
		}
		memmove(f->bytes + bytes, f->bytes + e.at, e.n);
		e.at = (uint32_t)bytes;
		bytes += e.n;
		to[t] = n;
		f->terms[n++] = e;
	}
	f->n_terms = n;
	f->bytes_n = bytes;
	for (size_t i = 0; i < f->seq_n; i++)
		if (f->seq[i] < AI_FIT_NO_TERM)
			f->seq[i] = to[f->seq[i]];
	free(to);
	memset(f->slots, 0, ((size_t)1 << f->slot_bits) * sizeof *f->slots);
	fill_slots(f);
	return 0;
}

/* ---- the sample --------------------------------------------------------- */

/* The finaliser of splitmix64. */
static uint64_t lot(uint64_t no)
{
	uint64_t h = no * UINT64_C(0x9e3779b97f4a7c15) + SEED;

	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* Halves the bound, and drops the texts that are above it. */
static void thin_out(struct ai_fit *f)
{
	size_t n = 0, seq = 0;

	f->keep /= 2;
	for (size_t i = 0; i < f->sample_n; i++) {
		struct ai_fit_text t = f->sample[i];
		size_t to = i + 1 < f->sample_n ? f->sample[i + 1].from
						: f->seq_n;

		if (lot(t.no) > f->keep)
			continue;
		memmove(f->seq + seq, f->seq + t.from,
			(to - t.from) * sizeof *f->seq);
		to -= t.from;
		t.from = (uint32_t)seq;
		seq += to;
		f->sample[n++] = t;
	}
	f->sample_n = n;
	f->seq_n = seq;
}

static int begin_text(struct ai_fit *f, struct ai_err *err)
{
	while (f->seq_n > f->o.sample_max && f->keep > 0)
		thin_out(f);
	if (f->n_terms >= VOCABULARY_MAX && prune(f, err) < 0)
		return -1;
	if (lot(f->texts) > f->keep)
		return 0;
	if (room(&f->sample, &f->sample_cap, f->sample_n + 1,
		 sizeof *f->sample, err) < 0)
		return -1;
	f->sample[f->sample_n++] = (struct ai_fit_text){
		f->texts, (uint32_t)f->seq_n };
	return 0;
}

/* Counts a term, which the sample gets too, unless it has enough. */
static int take_term(struct ai_fit *f, struct ai_span s, size_t *left,
		     struct ai_err *err)
{
	uint32_t term = AI_FIT_NO_TERM;

	if (term_of(f, s, &term, err) < 0)
		return -1;
	if (term != AI_FIT_NO_TERM &&
	    f->terms[term].last != (uint32_t)f->texts) {
		f->terms[term].last = (uint32_t)f->texts;
		f->terms[term].df++;
	}
	if (*left == 0)
		return 0;
	(*left)--;
	if (room(&f->seq, &f->seq_cap, f->seq_n + 2, sizeof *f->seq, err) < 0)
		return -1;
	f->seq[f->seq_n++] = term;
	return 0;
}

/* A term is the number of its bytes, of which a word has few, and those. */
_Static_assert(AI_TERM_MAX + 8 <= UINT8_MAX, "a length is one byte");

void ai_fit_read(const struct ai_fit *f, const char *text, size_t n,
		 struct ai_fit_seen *seen, struct ai_buf *terms)
{
	struct ai_fold words;

	ai_buf_clear(terms);
	ai_fold_init(&words, text, n);
	words.accents = f->analyzer->accents;
	while (ai_fit_next(&words, f->analyzer, seen)) {
		ai_buf_chr(terms, (char)words.n);
		ai_buf_add(terms, words.word, words.n);
	}
}

int ai_fit_take(struct ai_fit *f, const struct ai_buf *terms,
		struct ai_err *err)
{
	size_t left = 0, n;
	bool sampled;

	if (ai_buf_check(terms, "the words of a text", err) < 0)
		return -1;
	if (f->texts >= UINT32_MAX)
		return ai_err_set(err, AI_E_TOO_LONG, "more than %u texts to "
				  "fit a model on", UINT32_MAX);
	if (begin_text(f, err) < 0)
		return -1;
	sampled = f->sample_n > 0 &&
		  f->sample[f->sample_n - 1].no == f->texts;
	if (sampled)
		left = f->o.sample_max / TEXT_SHARE + 1;
	f->texts++;
	for (size_t at = 0; at < terms->len; at += n + 1) {
		n = (unsigned char)terms->p[at];
		if (take_term(f, (struct ai_span){ terms->p + at + 1, n },
			      &left, err) < 0)
			return -1;
	}
	if (!sampled)
		return 0;
	if (room(&f->seq, &f->seq_cap, f->seq_n + 1, sizeof *f->seq, err) < 0)
		return -1;
	f->seq[f->seq_n++] = AI_FIT_END;
	return 0;
}

int ai_fit_add(struct ai_fit *f, const char *text, size_t n,
	       struct ai_err *err)
{
	if (f->seen == NULL)
		f->seen = ai_fit_seen_new();
	ai_fit_read(f, text, n, f->seen, &f->read);
	return ai_fit_take(f, &f->read, err);
}

/* ---- the model ---------------------------------------------------------- */

static int by_df(const void *a, const void *b, void *arg)
{
	const struct ai_fit *f = arg;
	const struct ai_fit_term *x = &f->terms[*(const uint32_t *)a];
	const struct ai_fit_term *y = &f->terms[*(const uint32_t *)b];
	int order;

	if (x->df != y->df)
		return x->df > y->df ? -1 : 1;
	order = memcmp(f->bytes + x->at, f->bytes + y->at,
		       x->n < y->n ? x->n : y->n);
	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* The terms of the model, those in most texts first, so that what is used
 * together lies together. */
static int choose(struct ai_fit *f, struct ai_err *err)
{
	double n = (double)f->texts, df;

	f->order = malloc(((size_t)f->n_terms + 1) * sizeof *f->order);
	if (f->order == NULL)
		return ai_err_nomem(err);
	for (uint32_t t = 0; t < f->n_terms; t++)
		if (f->terms[t].df >= f->o.df_min)
			f->order[f->n++] = t;
	if (f->n == 0)
		return ai_err_set(err, AI_E_DATA, "no word stands in %u texts "
				  "or more: there is nothing to fit a model to",
				  f->o.df_min);
	qsort_r(f->order, f->n, sizeof *f->order, by_df, f);
	if (f->n > f->o.terms_max)
		f->n = f->o.terms_max;
	f->weight = malloc(f->n * sizeof *f->weight);
	f->scales = calloc(f->n, 2 * sizeof *f->scales);
	f->rows = calloc(f->n, f->o.topics + f->o.words);
	if (f->weight == NULL || f->scales == NULL || f->rows == NULL)
		return ai_err_nomem(err);
	for (uint32_t i = 0; i < f->n; i++) {
		df = f->terms[f->order[i]].df;
		f->weight[i] = (float)ai_ln(1 + (n - df + .5) / (df + .5));
	}
	return 0;
}

/* The sample in numbers of the model. */
static int renumber(struct ai_fit *f, struct ai_err *err)
{
	uint32_t *to = malloc(((size_t)f->n_terms + 1) * sizeof *to);

	if (to == NULL)
		return ai_err_nomem(err);
	for (uint32_t t = 0; t < f->n_terms; t++)
		to[t] = AI_FIT_NO_TERM;
	for (uint32_t i = 0; i < f->n; i++)
		to[f->order[i]] = i;
	for (size_t i = 0; i < f->seq_n; i++)
		if (f->seq[i] < AI_FIT_NO_TERM)
			f->seq[i] = to[f->seq[i]];
	free(to);
	return 0;
}

void ai_fit_quantise(struct ai_fit *f, uint32_t i, int part, const float *v)
{
	size_t n = ai_fit_rank(f, part);
	int8_t *row = f->rows + (size_t)i * (f->o.topics + f->o.words) +
		      (part == 0 ? 0 : f->o.topics);
	float most = 0, unit;

	for (size_t k = 0; k < n; k++)
		if (fabsf(v[k]) > most)
			most = fabsf(v[k]);
	if (!(most > 0))
		return;
	unit = 127 / most;
	for (size_t k = 0; k < n; k++)
		row[k] = (int8_t)floorf(v[k] * unit + .5f);
	f->scales[i * 2 + (uint32_t)part] = most / 127 *
		(part == 0 ? (float)ai_fit_topic_weight(f, i) : f->weight[i]);
}

static int make(struct ai_fit *f, struct ai_err *err)
{
	while (f->seq_n > f->o.sample_max && f->keep > 0)
		thin_out(f);
	if (choose(f, err) < 0 || renumber(f, err) < 0)
		return -1;
	if (f->o.topics > 0 && ai_fit_topics(f, err) < 0)
		return -1;
	return f->o.words > 0 ? ai_fit_words(f, err) : 0;
}

int ai_fit_make(struct ai_fit *f, struct ai_err *err)
{
	if (f->begun)
		return ai_err_set(err, AI_E_BUG, "a model is fitted once");
	f->begun = true;
	f->made = make(f, err) == 0;
	return f->made ? 0 : -1;
}

int ai_fit_write(struct ai_fit *f, int fd, struct ai_err *err)
{
	return !f->made && ai_fit_make(f, err) < 0 ? -1
		: ai_fit_save(f, fd, err);
}
