/*
 * canary-scan.c: a canary in a text, however it was spelled.
 *
 * A text is read as several rows of letters at once: its letters, these with
 * digits and signs for letters, the first and last letters of its words, the
 * first ones of its lines, and those whose numbers in the alphabet it has.  In
 * each row two things are looked for:
 *
 * Half of the canary or more, letter by letter.  What is compared is not the
 * letters but how far each is from the one before it: so one window of nine
 * steps is all 26 ways to move the alphabet, and its mirror image.
 *
 * All of it, with up to four letters between any two, by an automaton whose
 * states are bits.
 *
 * And in the letters its four groups, in any order.  Each takes the same time a
 * letter, whatever the text is.
 */
#include "canary.h"

#include "text/view-build.h"

#include <string.h>

#define LETTERS GUARD_CANARY_LETTERS
#define HALF (LETTERS / 2)
#define BITS 5            /* a letter, or a step */
#define STEPS (HALF - 1)
#define GAP 4             /* letters that may stand between two */
#define REACH (LETTERS * (GAP + 1)) /* letters that it may be spread over */
#define RING 128
#define GROUP 5
#define GROUPS (LETTERS / GROUP)
#define ENOUGH_GROUPS 3
#define NEAR 512          /* bytes that groups may be spread over */
#define WAYS 4            /* forwards, backwards, and both in the mirror */
#define WINDOWS (WAYS * (LETTERS - HALF + 1))

#define LOW(bits) ((UINT64_C(1) << (bits)) - 1)

/* ---- what is looked for ------------------------------------------------------------- */

/* Two automata of LETTERS states in a word: forwards, and from here backwards. */
#define BACK 32
#define FIRST (UINT64_C(1) | UINT64_C(1) << BACK)
#define LAST (FIRST << (LETTERS - 1))

/* As it is, and in rot13. */
typedef uint64_t states __attribute__((vector_size(16)));
#define CIPHERS 2

#define MAYBE 4096

static unsigned hash(uint64_t x)
{
	return (unsigned)(x * UINT64_C(0x9E3779B97F4A7C15) >> 52);
}

struct shape {
	uint64_t windows[WINDOWS];
	uint64_t maybe[MAYBE / 64]; /* their hashes, as bits */
	states mask[26];
	uint32_t groups[2 * GROUPS];
	uint64_t maybe_group;
};

static unsigned step(unsigned from, unsigned to)
{
	return to >= from ? to - from : to + 26 - from;
}

static void make_windows(struct shape *s, const unsigned char *letters)
{
	size_t n = 0;

	for (int way = 0; way < WAYS; way++)
		for (size_t at = 0; at + HALF <= LETTERS; at++) {
			uint64_t x = 0;

			for (size_t i = 0; i < STEPS; i++) {
				size_t k = way & 1 ? at + STEPS - 1 - i : at + i;
				unsigned d = step(letters[k], letters[k + 1]);

				/* Backwards and mirrored is the same step. */
				if (way == 1 || way == 2)
					d = (26 - d) % 26;
				x = x << BITS | d;
			}
			s->windows[n++] = x;
			s->maybe[hash(x) / 64] |= UINT64_C(1) << hash(x) % 64;
		}
}

static void make_groups(struct shape *s, const unsigned char *letters)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (size_t i = 0; i < GROUP; i++) {
			uint32_t *x = &s->groups[g], *back = x + GROUPS;
			size_t first = g * GROUP;

			*x = *x << BITS | letters[first + i];
			*back = *back << BITS | letters[first + GROUP - 1 - i];
		}
	for (size_t g = 0; g < 2 * GROUPS; g++)
		s->maybe_group |= UINT64_C(1) << hash(s->groups[g]) % 64;
}

/* An l and an i are one where a 1 may be either. */
static unsigned fold(unsigned letter, bool folded)
{
	return folded && letter == 'l' - 'a' ? 'i' - 'a' : letter;
}

static void make_shape(struct shape *s, const struct guard_canary *c,
		       bool folded)
{
	unsigned char letters[LETTERS];

	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < LETTERS; i++) {
		unsigned x = fold((unsigned)(c->letters[i] - 'a'), folded);
		uint64_t bits = UINT64_C(1) << i |
				UINT64_C(1) << (BACK + LETTERS - 1 - i);

		letters[i] = (unsigned char)x;
		s->mask[x][0] |= bits;
		s->mask[(x + 13) % 26][1] |= bits;
	}
	make_windows(s, letters);
	make_groups(s, letters);
}

/* ---- a row of letters ---------------------------------------------------------------- */

enum row_name { PLAIN, LEET, FIRSTS, LASTS, LINES, NUMBERS, ROWS };

struct row {
	const struct shape *shape;
	size_t n;                 /* letters so far */
	size_t at[RING];          /* the byte of each of the last ones */
	unsigned char letter[RING];
	uint64_t steps;
	size_t run, run_from, run_to; /* letters of the canary in a row; 0 */
	states recent[GAP + 1];   /* of the automata */
	size_t turn;              /* which of these is the oldest */
};

struct place { size_t from, to; };

struct scan {
	struct row rows[ROWS];
	uint64_t letters;             /* the last ones of PLAIN */
	size_t leet;                  /* so many letters more go to LEET */
	struct place group[GROUPS];   /* where each was; to is 0: nowhere */
	struct guard_canary_hit hit;  /* not told yet; letters is 0: none */
	guard_canary_each *each;
	void *arg;
};

static int tell(struct scan *s)
{
	struct guard_canary_hit hit = s->hit;

	s->hit.letters = 0;
	return hit.letters == 0 ? 0 : s->each(s->arg, &hit);
}

/* The same canary is seen in several rows: what overlaps is one. */
static int note(struct scan *s, size_t from, size_t to, size_t letters)
{
	struct guard_canary_hit *h = &s->hit;

	if (h->letters > 0 && from < h->to && h->from < to) {
		h->from = from < h->from ? from : h->from;
		h->to = to > h->to ? to : h->to;
		h->letters = letters > h->letters ? letters : h->letters;
		return 0;
	}
	if (tell(s) < 0)
		return -1;
	*h = (struct guard_canary_hit){ from, to, letters };
	return 0;
}

static size_t place_of(const struct row *r, size_t back)
{
	return r->at[(r->n - 1 - back) % RING];
}

/* ---- letter by letter --------------------------------------------------------------------- */

static bool is_window(const struct shape *s, uint64_t x)
{
	if (!(s->maybe[hash(x) / 64] >> hash(x) % 64 & 1))
		return false;
	for (size_t i = 0; i < WINDOWS; i++)
		if (s->windows[i] == x)
			return true;
	return false;
}

static int end_run(struct scan *s, struct row *r)
{
	size_t letters = r->run;

	r->run = 0;
	return letters == 0 ? 0 : note(s, r->run_from, r->run_to, letters);
}

static int add_to_run(struct scan *s, struct row *r)
{
	if (r->n < HALF || !is_window(r->shape, r->steps & LOW(STEPS * BITS)))
		return end_run(s, r);
	if (r->run == 0) {
		r->run_from = place_of(r, HALF - 1);
		/* A letter that the last one had, too. */
		if (r->run_from < r->run_to)
			r->run_from = r->run_to;
		r->run = STEPS;
		/* Its groups are no others. */
		for (size_t g = 0; g < GROUPS; g++)
			if (s->group[g].from >= r->run_from)
				s->group[g].to = 0;
	}
	r->run_to = place_of(r, 0) + 1;
	if (++r->run < LETTERS)
		return 0;
	r->steps = ~UINT64_C(0); /* no step: what follows is another one */
	return end_run(s, r);
}

/* ---- with letters between ----------------------------------------------------------------- */

/* Where what ended with the last letter began: the way back, to the nearest. */
static size_t begin_of(const struct row *r, size_t cipher, uint64_t end)
{
	/* Not from one automaton into the other. */
	uint64_t own = end >> BACK != 0 ? ~LOW(BACK) : LOW(BACK);
	uint64_t recent[GAP + 1] = { end };
	size_t back = 1;

	for (; back < REACH && back < r->n; back++) {
		uint64_t all = 0, now;

		for (size_t i = 0; i <= GAP; i++)
			all |= recent[i];
		now = all >> 1 & own &
		      r->shape->mask[r->letter[(r->n - 1 - back) % RING]][cipher];
		if (now & FIRST)
			break;
		recent[back % (GAP + 1)] = now;
	}
	return place_of(r, back < r->n ? back : r->n - 1);
}

static int add_to_spread(struct scan *s, struct row *r, unsigned c)
{
	const states first = { FIRST, FIRST };
	states now = r->recent[0];

	for (size_t i = 1; i <= GAP; i++)
		now |= r->recent[i];
	now = (now << 1 | first) & r->shape->mask[c];
	r->recent[r->turn] = now;
	r->turn = r->turn == GAP ? 0 : r->turn + 1;
	if (((now[0] | now[1]) & LAST) == 0)
		return 0;
	memset(r->recent, 0, sizeof r->recent);
	for (size_t k = 0; k < CIPHERS; k++) {
		uint64_t end = now[k] & LAST;

		if (end != 0 && note(s, begin_of(r, k, end & -end),
				     place_of(r, 0) + 1, LETTERS) < 0)
			return -1;
	}
	return 0;
}

/* ---- its groups ------------------------------------------------------------------------------ */

static int add_to_groups(struct scan *s, struct row *r, unsigned c)
{
	size_t to = place_of(r, 0) + 1, from = to, n = 0;
	uint32_t x;
	size_t g = 0;

	s->letters = s->letters << BITS | c;
	x = (uint32_t)(s->letters & LOW(GROUP * BITS));
	if (!(r->shape->maybe_group >> hash(x) % 64 & 1))
		return 0;
	while (g < 2 * GROUPS && r->shape->groups[g] != x)
		g++;
	if (g == 2 * GROUPS || r->n < GROUP || r->run > 0)
		return 0;
	s->group[g % GROUPS] = (struct place){ place_of(r, GROUP - 1), to };
	for (g = 0; g < GROUPS; g++)
		if (s->group[g].to > 0 && to - s->group[g].from <= NEAR) {
			from = s->group[g].from < from ? s->group[g].from
						       : from;
			n++;
		}
	if (n == GROUPS)
		memset(s->group, 0, sizeof s->group);
	return n < ENOUGH_GROUPS ? 0 : note(s, from, to, n * GROUP);
}

/* ---- the text --------------------------------------------------------------------------------- */

/* One more letter of a row, at a byte. */
static int add(struct scan *s, enum row_name name, char letter, size_t at)
{
	struct row *r = &s->rows[name];
	unsigned c = fold((unsigned)(ai_view_lower(letter) - 'a'),
			  name == LEET);
	unsigned last = r->n > 0 ? r->letter[(r->n - 1) % RING] : 0;

	r->letter[r->n % RING] = (unsigned char)c;
	r->at[r->n++ % RING] = at;
	r->steps = r->steps << BITS | step(last, c);
	if (add_to_run(s, r) < 0 || add_to_spread(s, r, c) < 0)
		return -1;
	return name == PLAIN ? add_to_groups(s, r, c) : 0;
}

static bool in_word(char c)
{
	return ai_view_alpha(c) || ai_view_digit(c) || c == '\'' || c & 0x80;
}

/* A sign that stands for a letter.  The letters before it are in no row of that
 * kind if there was no such sign for long. */
static int add_leet(struct scan *s, char letter, size_t at)
{
	const struct row *r = &s->rows[PLAIN], *own = &s->rows[LEET];
	size_t seen = own->n > 0 ? place_of(own, 0) + 1 : 0;

	if (s->leet == 0)
		for (size_t i = r->n > REACH ? r->n - REACH : 0; i < r->n; i++)
			if (r->at[i % RING] >= seen &&
			    add(s, LEET, (char)('a' + r->letter[i % RING]),
				r->at[i % RING]) < 0)
				return -1;
	s->leet = REACH;
	return add(s, LEET, letter, at);
}

static int add_letter(struct scan *s, struct ai_span text, size_t i)
{
	const char *p = text.p;

	if (s->leet > 0) {
		s->leet--;
		if (add(s, LEET, p[i], i) < 0)
			return -1;
	}
	if (add(s, PLAIN, p[i], i) < 0 ||
	    ((i == 0 || !in_word(p[i - 1])) && add(s, FIRSTS, p[i], i) < 0) ||
	    ((i + 1 == text.n || !in_word(p[i + 1])) &&
	     add(s, LASTS, p[i], i) < 0))
		return -1;
	return 0;
}

/* The letter whose number in the alphabet begins at p, or '\0'. */
static char numbered(const char *p, size_t n)
{
	unsigned x = 0;
	size_t i = 0;

	for (; i < n && i < 3 && ai_view_digit(p[i]); i++)
		x = 10 * x + (unsigned)(p[i] - '0');
	return i < 3 && x >= 1 && x <= 26 ? (char)('a' + x - 1) : '\0';
}

static int add_number(struct scan *s, struct ai_span text, size_t i)
{
	bool first = i == 0 || !ai_view_digit(text.p[i - 1]);
	char letter = first ? numbered(text.p + i, text.n - i) : '\0';

	return letter == '\0' ? 0 : add(s, NUMBERS, letter, i);
}

static int read(struct scan *s, struct ai_span text)
{
	const char *p = text.p;
	bool line = true; /* none of its letters was seen yet */

	for (size_t i = 0; i < text.n; i++) {
		char leet = ai_view_leet_letters[(unsigned char)p[i]];

		if (ai_view_alpha(p[i])) {
			if (add_letter(s, text, i) < 0 ||
			    (line && add(s, LINES, p[i], i) < 0))
				return -1;
			line = false;
			continue;
		}
		line |= p[i] == '\n';
		if ((leet != '\0' && add_leet(s, leet, i) < 0) ||
		    (ai_view_digit(p[i]) && add_number(s, text, i) < 0))
			return -1;
	}
	return 0;
}

int guard_canary_find(const struct guard_canary *c, struct ai_span text,
		      guard_canary_each *each, void *arg)
{
	struct shape plain, folded;
	struct scan s = { .each = each, .arg = arg };

	if (text.n < HALF)
		return 0;
	make_shape(&plain, c, false);
	make_shape(&folded, c, true);
	for (int k = 0; k < ROWS; k++)
		s.rows[k].shape = k == LEET ? &folded : &plain;
	if (read(&s, text) < 0)
		return -1;
	for (int k = 0; k < ROWS; k++)
		if (end_run(&s, &s.rows[k]) < 0)
			return -1;
	return tell(&s);
}
