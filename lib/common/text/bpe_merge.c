/*
 * Why windows are exact.  Call two tokens good neighbours if their bytes
 * together, merged on their own, give just these two.  Then a text merges to
 * t1 t2 ... tm if and only if its neighbours are all good:
 *
 * Merges happen in an order given by rank and place.  Take the first merge
 * over the border of some ti and ti+1 while the whole text is merged.  Until
 * then all merges lay inside the tokens, so within the bytes of these two
 * the order was what it is when they are merged on their own; there the same
 * merge would have happened, and they were not good.  So no merge passes a
 * border, and inside the borders each token comes together as it did alone.
 * The other way round, what is merged without ever passing the outer borders
 * of two neighbours is merged as these two are alone.
 *
 * So a long piece is merged in windows, many side by side.  They overlap, and
 * where two windows have the same token in the overlap, what the first one
 * has before it and what the second one has behind it fit together: in either
 * window its neighbour was a good one.
 *
 * Where windows have no token in common, as in a run of blanks, a larger one
 * takes their place.  Of its tokens those near its right end are dropped, as
 * what follows might change them; what comes next must be a good neighbour to
 * the last one kept.  If it is not, the piece is begun again with windows
 * twice as long; one window for all is right by definition.
 */
#include "text/bpe_merge.h"

#include "text/bpe_large.h"
#include "text/bpe_many.h"
#include "text/bpe_small.h"

/* The longest two neighbours. */
#define TWO_MAX (2 * AI_BPE_MAX_TOKEN)

int ai_bpe_sink_add(struct ai_bpe_sink *s, uint32_t id, struct ai_err *err)
{
	s->count++;
	if (s->keep == NULL || s->keep->n >= s->limit)
		return 0;
	return ai_bpe_ids_add(s->keep, id, err);
}

/* A long piece on its way. */
struct passage {
	const struct ai_bpe_table *t;
	const unsigned char *p;
	size_t n;
	size_t at;   /* what is before this is done */
	size_t last; /* the length of the last token; 0: there is none */
	struct ai_bpe_large large;
	struct ai_bpe_large two; /* for neighbours */
	struct ai_bpe_sink *sink;
};

/* What became of a step: an error, a bad neighbour, or progress. */
enum step { FAILED = -1, STUCK, WENT_ON };

/* Whether a token of so many bytes is a good neighbour to the last one: if
 * not, STUCK. */
static enum step fits(struct passage *w, size_t right, struct ai_err *err)
{
	struct ai_bpe_small s;
	size_t n = w->last + right;
	const unsigned char *p = w->p + w->at - w->last;

	if (w->last == 0)
		return WENT_ON;
	if (n <= AI_BPE_SMALL) {
		ai_bpe_small_merge(w->t, &s, p, n);
		return s.tokens == 2 && s.next[0] == w->last ? WENT_ON : STUCK;
	}
	if (w->two.max == 0 && ai_bpe_large_init(&w->two, TWO_MAX, err) < 0)
		return FAILED;
	ai_bpe_large_merge(w->t, &w->two, p, n);
	return w->two.got.n == 2 && w->two.got.end[0] == w->last ? WENT_ON
								 : STUCK;
}

/* ---- many small windows ---- */

#define OVERLAP 14
#define STRIDE (AI_BPE_SMALL - OVERLAP)

/*
 * Window i is of the bytes from the passage's place plus i times STRIDE on,
 * and piece[of[i]] is what it looks like: in a run, one like the other.
 */
struct windows {
	struct ai_bpe_piece piece[AI_BPE_MANY];
	uint32_t id[AI_BPE_MANY][AI_BPE_SMALL];
	uint8_t of[AI_BPE_MANY];
	size_t n, pieces;
	bool end; /* the last window ends where the piece does */
};

static void cut_windows(const struct passage *w, struct windows *s)
{
	const unsigned char *p = w->p + w->at, *end = w->p + w->n;
	struct ai_bpe_piece *last = NULL;
	size_t len;

	s->end = false;
	s->pieces = 0;
	for (s->n = 0; s->n < AI_BPE_MANY && !s->end; p += STRIDE) {
		len = (size_t)(end - p);
		s->end = len <= AI_BPE_SMALL;
		len = s->end ? len : AI_BPE_SMALL;
		if (last == NULL || last->n != len ||
		    memcmp(last->p, p, len) != 0) {
			last = &s->piece[s->pieces];
			*last = (struct ai_bpe_piece){
				.p = p, .n = (uint32_t)len,
				.id = s->id[s->pieces++],
			};
		}
		s->of[s->n++] = (uint8_t)(last - s->piece);
	}
}

/*
 * Where the first token that both windows have begins, as a place in the
 * second one; OVERLAP if there is none.
 */
static unsigned common_token(uint64_t left, uint64_t right)
{
	uint64_t overlap = ((uint64_t)1 << OVERLAP) - 1;
	uint64_t a = left >> STRIDE & overlap, b = right & overlap, any, both;

	for (any = a | b, both = a & b; any != 0; any &= any - 1) {
		uint64_t rest = any & (any - 1);
		uint64_t first = any & -any, second = rest & -rest;

		if ((both & first) != 0 && (both & second) != 0)
			return (unsigned)__builtin_ctzll(any);
	}
	return OVERLAP;
}

/* Gives the tokens of the window that begin at from up to before to. */
static int give_window(struct passage *w, const struct ai_bpe_piece *piece,
		       unsigned from, unsigned to, struct ai_err *err)
{
	uint64_t starts = piece->starts;
	unsigned at, next;

	for (uint32_t k = 0; starts != 0; k++) {
		at = (unsigned)__builtin_ctzll(starts);
		starts &= starts - 1;
		next = starts == 0 ? piece->n :
				     (unsigned)__builtin_ctzll(starts);
		if (at < from)
			continue;
		if (at >= to)
			break;
		if (ai_bpe_sink_add(w->sink, piece->id[k], err) < 0)
			return -1;
		w->last = next - at;
		w->at += w->last;
	}
	return 0;
}

static unsigned first_token(const struct ai_bpe_piece *piece)
{
	uint64_t others = piece->starts & (piece->starts - 1);

	return others == 0 ? piece->n : (unsigned)__builtin_ctzll(others);
}

static enum step small_step(struct passage *w, struct ai_err *err)
{
	struct windows s;
	unsigned from = 0, to;
	size_t begin = w->at;
	enum step step;

	cut_windows(w, &s);
	ai_bpe_merge_many(w->t, s.piece, s.pieces);
	step = fits(w, first_token(&s.piece[0]), err);
	if (step != WENT_ON)
		return step;
	for (size_t i = 0; i < s.n; i++) {
		const struct ai_bpe_piece *piece = &s.piece[s.of[i]];
		bool end = i + 1 == s.n;

		/* The last one of many has nothing to be compared with. */
		if (end && !s.end)
			break;
		to = end ? OVERLAP : common_token(piece->starts,
			s.piece[s.of[i + 1]].starts);
		if (!end && to == OVERLAP)
			break;
		if (give_window(w, piece, from, to + STRIDE, err) < 0)
			return FAILED;
		from = to;
	}
	return w->at > begin ? WENT_ON : STUCK;
}

/* ---- one large window ---- */

static enum step large_step(struct passage *w, struct ai_err *err)
{
	size_t len = w->n - w->at < w->large.max ? w->n - w->at : w->large.max;
	size_t limit = w->at + len == w->n ? len : len - TWO_MAX, from = 0;
	const struct ai_bpe_tokens *got = &w->large.got;
	enum step step;

	ai_bpe_large_merge(w->t, &w->large, w->p + w->at, len);
	step = fits(w, got->end[0], err);
	if (step != WENT_ON)
		return step;
	for (size_t i = 0; i < got->n && (i == 0 || got->end[i] <= limit); i++) {
		if (ai_bpe_sink_add(w->sink, got->id[i], err) < 0)
			return FAILED;
		w->last = got->end[i] - from;
		from = got->end[i];
	}
	w->at += from;
	return WENT_ON;
}

/* ---- all of a long piece ---- */

/* So many large windows are taken, at most, before small ones are tried. */
#define PATIENCE 32

static enum step through(struct passage *w, struct ai_err *err)
{
	size_t larges = 1, left = 0;
	enum step step;

	while (w->at < w->n) {
		step = STUCK;
		if (left == 0)
			step = small_step(w, err);
		if (step == WENT_ON) {
			larges = 1;
			continue;
		}
		if (step == STUCK) {
			if (left == 0) {
				left = larges;
				larges = larges < PATIENCE ? 2 * larges
							   : larges;
			}
			left--;
			if (w->large.max == 0 &&
			    ai_bpe_large_init(&w->large, w->n < AI_BPE_WINDOW ?
					      w->n : AI_BPE_WINDOW, err) < 0)
				return FAILED;
			step = large_step(w, err);
		}
		if (step != WENT_ON)
			return step;
	}
	return WENT_ON;
}

/* Begins again with nothing but large windows, of max bytes. */
static enum step through_large(struct passage *w, size_t max,
			       struct ai_err *err)
{
	enum step step = WENT_ON;

	w->at = w->last = 0;
	ai_bpe_large_release(&w->large);
	if (ai_bpe_large_init(&w->large, max, err) < 0)
		return FAILED;
	while (w->at < w->n && step == WENT_ON)
		step = large_step(w, err);
	return step;
}

static int merge_long(const struct ai_bpe_table *t, const unsigned char *p,
		      size_t n, struct ai_bpe_sink *s, struct ai_err *err)
{
	struct ai_bpe_sink before = *s;
	struct passage w = { .t = t, .p = p, .n = n, .sink = s };
	size_t kept = s->keep == NULL ? 0 : s->keep->n, max = AI_BPE_WINDOW;
	enum step step = through(&w, err);

	while (step == STUCK) {
		*s = before;
		if (s->keep != NULL)
			s->keep->n = kept;
		max = n / 2 < max ? n : 2 * max;
		step = through_large(&w, max, err);
	}
	ai_bpe_large_release(&w.large);
	ai_bpe_large_release(&w.two);
	return step == FAILED ? -1 : 0;
}

int ai_bpe_merge(const struct ai_bpe_table *t, const char *text, size_t n,
		 struct ai_bpe_sink *s, struct ai_err *err)
{
	const unsigned char *p = (const unsigned char *)text;
	struct ai_bpe_small small;
	uint32_t whole = ai_bpe_find(t, p, n);

	/* Every token merges to itself, so a piece that is one is done. */
	if (whole != AI_BPE_NONE)
		return ai_bpe_sink_add(s, whole, err);
	if (n >= UINT32_MAX)
		return ai_err_set(err, AI_E_TOO_LONG,
				  "a word of %zu bytes is too long", n);
	if (n > AI_BPE_SMALL)
		return merge_long(t, p, n, s, err);
	ai_bpe_small_merge(t, &small, p, n);
	for (unsigned i = 0; i < n; i = small.next[i])
		if (ai_bpe_sink_add(s, small.id[i], err) < 0)
			return -1;
	return 0;
}
