/*
 * extract.c: local/extract, a model that writes nothing of its own: it picks
 * the sentences of the hits that fit the question best and quotes them.
 *
 * A sentence scores by the share of the question's words it holds, each
 * weighted by how rare it is among the sentences of all hits (idf as in
 * BM25); words that only its headings or the rest of its passage hold count
 * less, words next to each other in both a little more; fragments, rows of tables and code lose.  Sentences are then taken
 * greedily, each losing as it resembles those taken (maximal marginal
 * relevance: Carbonell and Goldstein, SIGIR 1998).  If the best one holds too
 * little of the question, the documents do not say.
 */
#include "complete.h"

#include "base/utf8.h"
#include "text/segment.h"
#include "text/stop.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TERMS_MAX 64     /* of the question: bits of a mask */
#define SHORTLIST 64     /* sentences compared with each other */
#define SIMILAR 0.6      /* share of words from which two say the same */
#define LEAST_OF_BEST 0.7 /* a further sentence must be nearly as good */
#define SET_MAX 128      /* words of a sentence that are compared */
#define OF_ABOUT 0.5    /* what a word counts that only the headings hold, */
#define OF_PASSAGE 0.25 /* and one that only the rest of the passage holds */

static const char do_not_say[] = "the documents do not say";

struct term {
	uint32_t cp[AI_WORD_MAX];
	size_t n, df;
	double idf;
};

/* What is known of a sentence, in the order of the sentences. */
struct rating {
	uint64_t mask;  /* which terms it holds */
	size_t words, pairs;
	double cover, score;
};

struct extract {
	const struct complete_hits *hits;
	struct term terms[TERMS_MAX];
	size_t n_terms;
	double weight; /* of all terms together */
	struct complete_sentences s;
	struct rating *r;
	uint64_t *about;   /* a hit: terms of its headings and its source */
	uint64_t *passage; /* a hit: terms of all its sentences */
	size_t list[SHORTLIST]; /* the best sentences, best first */
	size_t n_list;
};

/* ---- words -------------------------------------------------------------- */

static bool vowel_before(const uint32_t *cp, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp[i] < 128 && cp[i] > 0 &&
		    strchr("aeiouy", (int)cp[i]) != NULL)
			return true;
	return false;
}

static bool ends(const uint32_t *cp, size_t n, const char *with)
{
	size_t len = strlen(with);

	if (n < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (cp[n - len + i] != (unsigned char)with[i])
			return false;
	return true;
}

static size_t stem_plural(uint32_t *cp, size_t n)
{
	static const char *const es[] = { "sses", "xes", "ches", "shes",
					  "zes" };

	if (n < 4 || !ends(cp, n, "s") || ends(cp, n, "ss") ||
	    ends(cp, n, "us") || ends(cp, n, "is"))
		return n;
	if (ends(cp, n, "ies"))
		return n - 2;
	for (size_t i = 0; i < sizeof es / sizeof *es; i++)
		if (ends(cp, n, es[i]))
			return n - 2;
	return n - 1;
}

/*
 * A light stemmer for English, just enough for "copy", "copies", "copied" and
 * "copying" to meet; both sides go through it, so that what it makes of other
 * words and languages does no harm.
 */
static size_t stem(uint32_t *cp, size_t n)
{
	size_t was;

	n = was = stem_plural(cp, n);
	if (n > 4 && ends(cp, n, "ed") && vowel_before(cp, n - 2))
		n -= 2;
	else if (n > 5 && ends(cp, n, "ing") && vowel_before(cp, n - 3))
		n -= 3;
	else if (n > 5 && ends(cp, n, "ly"))
		n -= 2;
	if (n < was && n > 3 && cp[n - 1] == cp[n - 2] &&
	    strchr("lsz", (int)(cp[n - 1] & 127)) == NULL)
		n--;
	if (n > 3 && cp[n - 1] == 'e')
		n--;
	if (n > 2 && cp[n - 1] == 'y')
		cp[n - 1] = 'i';
	return n;
}

/* Words of questions that the stop words, made for documents, lack. */
static const char asking[] =
	" does did doing done mean means explain describe tell please ";

static bool is_stop(const struct ai_words *w)
{
	char word[AI_WORD_MAX * 4 + 3] = " ";
	size_t n = 1;

	for (size_t i = 0; i < w->n; i++)
		n += ai_utf8_encode(w->cp[i], word + n);
	word[n] = ' ';
	return ai_stop_word(word + 1, n - 1) ||
	       memmem(asking, sizeof asking - 1, word, n + 1) != NULL;
}

/* The number of the term the word is, or TERMS_MAX. */
static size_t term_of(const struct extract *x, struct ai_words *w)
{
	size_t n = stem(w->cp, w->n);

	for (size_t i = 0; i < x->n_terms; i++)
		if (x->terms[i].n == n &&
		    memcmp(x->terms[i].cp, w->cp, n * sizeof *w->cp) == 0)
			return i;
	w->n = n;
	return TERMS_MAX;
}

/* Without the stop words, unless there is nothing else. */
static void take_question(struct extract *x, struct ai_span question,
			  bool stops)
{
	struct ai_words w;

	ai_words_init(&w, question.p, question.n);
	while (ai_words_next(&w) && x->n_terms < TERMS_MAX) {
		struct term *t = &x->terms[x->n_terms];

		if (!stops && is_stop(&w))
			continue;
		if (term_of(x, &w) < TERMS_MAX)
			continue;
		memcpy(t->cp, w.cp, w.n * sizeof *w.cp);
		t->n = w.n;
		x->n_terms++;
	}
}

/* ---- ratings ------------------------------------------------------------ */

static struct ai_span text_of(const struct extract *x, size_t i)
{
	const struct complete_sentence *s = &x->s.v[i];

	return (struct ai_span){ complete_hit_text(x->hits, s->hit).p +
				 s->from, s->to - s->from };
}

static void read_words(struct extract *x, struct ai_span text,
		       struct rating *r)
{
	size_t last = TERMS_MAX, t;
	struct ai_words w;

	ai_words_init(&w, text.p, text.n);
	for (; ai_words_next(&w); last = t) {
		r->words++;
		t = term_of(x, &w);
		if (t == TERMS_MAX)
			continue;
		r->mask |= (uint64_t)1 << t;
		r->pairs += last + 1 == t;
	}
}

static void read_sentence(struct extract *x, size_t i)
{
	const struct complete_sentence *s = &x->s.v[i];
	struct rating *r = &x->r[i];

	read_words(x, text_of(x, i), r);
	if (s->kind == COMPLETE_HEADING) {
		x->about[s->hit] |= r->mask;
		r->mask = 0;
		return;
	}
	x->passage[s->hit] |= r->mask;
	for (size_t t = 0; t < x->n_terms; t++)
		x->terms[t].df += r->mask >> t & 1;
}

/* The name of a document and the headings above a passage say what it is
 * about, though the passage itself does not. */
static void read_source(struct extract *x, size_t hit, struct ai_value v)
{
	struct ai_buf b = AI_BUF_INIT((size_t)1 << 16);
	struct rating r = { 0 };
	struct ai_json_iter it;

	if (v.kind == AI_ARRAY) {
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &v))
			if (v.kind == AI_STRING)
				read_source(x, hit, v);
	} else if (v.kind == AI_STRING && ai_json_text(v, &b) == 0) {
		read_words(x, (struct ai_span){ ai_buf_cstr(&b), b.len }, &r);
		x->about[hit] |= r.mask;
	}
	ai_buf_release(&b);
}

static double weigh(const struct extract *x, uint64_t mask)
{
	double sum = 0;

	for (size_t t = 0; t < x->n_terms; t++)
		if (mask >> t & 1)
			sum += x->terms[t].idf;
	return x->weight > 0 ? sum / x->weight : 0;
}

static void weigh_terms(struct extract *x)
{
	double n = (double)x->s.n;

	x->weight = 0;
	for (size_t t = 0; t < x->n_terms; t++) {
		double df = (double)x->terms[t].df;

		x->terms[t].idf = log(1 + (n - df + 0.5) / (df + 0.5));
		x->weight += x->terms[t].idf;
	}
}

/* How well it stands alone. */
static double worth(const struct complete_sentence *s, const struct rating *r)
{
	static const double of_kind[] = {
		[COMPLETE_PROSE] = 1, [COMPLETE_ITEM] = 1,
		[COMPLETE_ROW] = 0.6, [COMPLETE_CODE] = 0.35,
		[COMPLETE_HEADING] = 0,
	};
	double w = of_kind[s->kind];

	if (s->cut)
		w *= 0.5;
	if (r->words < 4)
		w *= 0.6;
	else if (r->words > 60)
		w *= 0.8;
	return w;
}

static void rate(struct extract *x, size_t i)
{
	const struct complete_sentence *s = &x->s.v[i];
	struct rating *r = &x->r[i];
	double near = x->n_terms > 1
		? (double)r->pairs / (double)(x->n_terms - 1) : 0;
	uint64_t about = x->about[s->hit] & ~r->mask;
	uint64_t passage = x->passage[s->hit] & ~r->mask & ~about;

	r->cover = r->mask == 0 ? 0 : weigh(x, r->mask) +
		OF_ABOUT * weigh(x, about) + OF_PASSAGE * weigh(x, passage);
	r->score = r->mask == 0 ? 0 :
		r->cover + 0.15 * (near < 1 ? near : 1) +
		0.05 / (1 + (double)s->hit) + (s->first ? 0.02 : 0);
	r->score *= worth(s, r);
}

static int read_all(struct extract *x, struct ai_err *err)
{
	for (size_t h = 0; h < x->hits->n; h++)
		if (complete_split(&x->s, h, complete_hit_text(x->hits, h),
				   err) < 0)
			return -1;
	x->r = calloc(x->s.n + 1, sizeof *x->r);
	x->about = calloc(x->hits->n + 1, sizeof *x->about);
	x->passage = calloc(x->hits->n + 1, sizeof *x->passage);
	if (x->r == NULL || x->about == NULL || x->passage == NULL)
		return ai_err_nomem(err);
	for (size_t h = 0; h < x->hits->n; h++) {
		struct ai_value source = x->hits->v[h].source;

		read_source(x, h, ai_json_get(source, "uri"));
		read_source(x, h, ai_json_get(source, "heading"));
	}
	for (size_t i = 0; i < x->s.n; i++)
		read_sentence(x, i);
	weigh_terms(x);
	for (size_t i = 0; i < x->s.n; i++)
		rate(x, i);
	return 0;
}

/* ---- choosing ----------------------------------------------------------- */

/* Keeps the best, sorted; of equal ones the earlier stays before. */
static void shortlist(struct extract *x)
{
	for (size_t i = 0; i < x->s.n; i++) {
		size_t k = x->n_list;

		if (x->r[i].score <= 0 ||
		    (k == SHORTLIST &&
		     x->r[i].score <= x->r[x->list[k - 1]].score))
			continue;
		if (k == SHORTLIST)
			k--;
		else
			x->n_list++;
		for (; k > 0 && x->r[x->list[k - 1]].score < x->r[i].score; k--)
			x->list[k] = x->list[k - 1];
		x->list[k] = i;
	}
}

/* Hashes of the words, each once (FNV-1a over stemmed code points). */
static size_t word_set(const struct extract *x, size_t i, uint32_t *set)
{
	struct ai_span text = text_of(x, i);
	struct ai_words w;
	size_t n = 0, k;

	ai_words_init(&w, text.p, text.n);
	while (n < SET_MAX && ai_words_next(&w)) {
		uint32_t h = 2166136261u;
		size_t len = stem(w.cp, w.n);

		for (k = 0; k < len; k++)
			h = (h ^ w.cp[k]) * 16777619u;
		for (k = 0; k < n && set[k] != h; k++)
			;
		if (k == n)
			set[n++] = h;
	}
	return n;
}

/* Share of the smaller one's words that the other has too: what a passage
 * repeats of another counts as the same, be it cut elsewhere. */
static double similarity(const struct extract *x, size_t a, size_t b)
{
	uint32_t sa[SET_MAX], sb[SET_MAX];
	size_t na = word_set(x, a, sa), nb = word_set(x, b, sb), both = 0;

	for (size_t i = 0; i < na; i++)
		for (size_t k = 0; k < nb; k++)
			both += sa[i] == sb[k];
	na = na < nb ? na : nb;
	return na == 0 ? 1 : (double)both / (double)na;
}

static double gain(const struct extract *x, size_t i, const size_t *taken,
		   size_t n)
{
	double most = 0, s;
	uint64_t known = 0;

	for (size_t k = 0; k < n; k++) {
		s = similarity(x, i, taken[k]);
		most = s > most ? s : most;
		known |= x->r[taken[k]].mask;
	}
	if (most >= SIMILAR)
		return 0;
	s = x->r[i].score * (1 - 0.5 * most);
	return (x->r[i].mask & ~known) != 0 ? s * 1.15 : s;
}

static size_t choose(const struct extract *x, size_t max, size_t *taken)
{
	size_t n = 0;
	double best;

	while (n < max) {
		size_t at = SHORTLIST;

		best = n == 0 ? 0 : LEAST_OF_BEST * x->r[taken[0]].score;
		for (size_t k = 0; k < x->n_list; k++) {
			double g = gain(x, x->list[k], taken, n);

			if (g > best) {
				best = g;
				at = k;
			}
		}
		if (at == SHORTLIST)
			break;
		taken[n++] = x->list[at];
	}
	return n;
}

/* The hit of the best sentence first; within a hit as in the document. */
static void put_in_order(const struct extract *x, size_t *taken, size_t n)
{
	size_t first[COMPLETE_QUOTES_MAX], i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k <= i; k++)
			if (x->s.v[taken[k]].hit == x->s.v[taken[i]].hit) {
				first[i] = k;
				break;
			}
	for (i = 1; i < n; i++) {
		size_t t = taken[i], f = first[i];

		for (k = i; k > 0 && (first[k - 1] > f ||
				      (first[k - 1] == f &&
				       taken[k - 1] > t)); k--) {
			taken[k] = taken[k - 1];
			first[k] = first[k - 1];
		}
		taken[k] = t;
		first[k] = f;
	}
}

/* ---- quoting ------------------------------------------------------------ */

/*
 * The words as they stand, but with one blank between them: lines are broken
 * elsewhere here.  A word divided at the end of a line (by U+2010, as nroff
 * does) is put together.
 */
static void quote(struct ai_span s, struct ai_buf *out)
{
	size_t i = 0, to, len;

	while (i < s.n) {
		for (to = i; to < s.n && ai_blank_len(s.p + to, s.n - to) == 0;
		     to++)
			;
		len = to - i;
		if (to < s.n && len > 3 && s.p[to] == '\n' &&
		    memcmp(s.p + to - 3, "\xE2\x80\x90", 3) == 0)
			ai_buf_add(out, s.p + i, len - 3);
		else {
			ai_buf_add(out, s.p + i, len);
			if (to < s.n)
				ai_buf_chr(out, ' ');
		}
		i = ai_blank_skip(s.p, s.n, to);
	}
}

/* Numbers in brackets that a document brings along cite nothing of ours: they
 * become numbers in parentheses. */
static void unbracket(char *p, size_t n)
{
	size_t i, end;

	for (i = 0; i < n; i = end + 1) {
		end = i;
		if (p[i] != '[' || i + 1 == n || p[i + 1] < '0' ||
		    p[i + 1] > '9')
			continue;
		for (end++; end < n && strchr("0123456789 ,;-", p[end]); end++)
			;
		if (end == n || p[end] != ']')
			continue;
		p[i] = '(';
		p[end] = ')';
	}
}

static int take(const struct extract *x, size_t i, struct complete_answer *a,
		struct ai_err *err)
{
	const struct complete_sentence *s = &x->s.v[i];
	struct ai_buf *out = &a->chat.text;
	size_t from;

	if (a->n_quotes > 0)
		ai_buf_chr(out, '\n');
	from = out->len;
	quote(text_of(x, i), out);
	if (out->len > from)
		unbracket(out->p + from, out->len - from);
	ai_buf_fmt(out, " [%zu]", s->hit + 1);
	a->quotes[a->n_quotes++] =
		(struct complete_quote){ s->hit, s->from, s->to };
	return complete_cite_add(a, s->hit, err);
}

/*
 * Whether the best sentence is an answer at all.  A passage that shares one
 * word with the question shares no topic, unless one word is all that is
 * asked.
 */
static bool answers(const struct extract *x, size_t best, double threshold)
{
	size_t hit = x->s.v[best].hit;
	uint64_t held = x->about[hit] | x->passage[hit];
	int least = x->n_terms < 2 ? 1 : 2;

	return x->r[best].cover >= threshold &&
	       __builtin_popcountll(held) >= least;
}

static int quote_best(struct extract *x, size_t max, double threshold,
		      struct complete_answer *a, struct ai_err *err)
{
	size_t taken[COMPLETE_QUOTES_MAX], n;

	shortlist(x);
	n = choose(x, max, taken);
	a->score = n == 0 ? 0 : x->r[taken[0]].cover;
	if (n == 0 || !answers(x, taken[0], threshold)) {
		ai_buf_str(&a->chat.text, do_not_say);
		return 0;
	}
	put_in_order(x, taken, n);
	for (size_t i = 0; i < n; i++)
		if (take(x, taken[i], a, err) < 0)
			return -1;
	return ai_buf_check(&a->chat.text, "the answer", err);
}

static void sign(struct complete_answer *a)
{
	static const char model[] = COMPLETE_LOCAL, finish[] = "stop";

	a->extractive = true;
	a->provider = "local";
	memcpy(a->chat.model, model, sizeof model);
	memcpy(a->chat.finish_reason, finish, sizeof finish);
	a->chat.usage = (struct ai_usage){ 0, 0, 0, 0, 0 };
}

int complete_extract(const struct complete_hits *h, struct ai_span question,
		     size_t sentences, double threshold,
		     struct complete_answer *a, struct ai_err *err)
{
	struct extract *x = calloc(1, sizeof *x);
	int rc = 0;

	if (x == NULL)
		return ai_err_nomem(err);
	sign(a);
	x->hits = h;
	take_question(x, question, false);
	if (x->n_terms == 0)
		take_question(x, question, true);
	if (h->confident)
		rc = read_all(x, err);
	if (rc == 0)
		rc = quote_best(x, sentences < COMPLETE_QUOTES_MAX
				? sentences : COMPLETE_QUOTES_MAX,
				threshold, a, err);
	free(x->s.v);
	free(x->r);
	free(x->about);
	free(x->passage);
	free(x);
	return rc;
}
