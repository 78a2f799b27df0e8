/*
 * Near copies: each pair at or above the threshold is found, each that is told
 * has the similarity it is told with, and what is kept comes back from a state.
 * Both are compared with sets of words that are made and counted the long way.
 */
#include "../../bin/chunk/dedup.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS 400
#define WORDS 600 /* of a text, at most */

static uint64_t state = 1;

static unsigned rnd(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

struct text {
	int words[WORDS];
	size_t n;
};

static struct text texts[TEXTS];

static void random_text(struct text *t)
{
	t->n = 40 + rnd(200);
	for (size_t i = 0; i < t->n; i++)
		t->words[i] = (int)rnd(3000);
}

/* A copy in which some words are others, gone, or new. */
static void near_copy(struct text *to, const struct text *from, unsigned edits)
{
	*to = *from;
	for (unsigned i = 0; i < edits; i++) {
		size_t at = rnd((unsigned)to->n);

		switch (rnd(3)) {
		case 0:
			to->words[at] = (int)rnd(3000);
			break;
		case 1:
			memmove(to->words + at, to->words + at + 1,
				(--to->n - at) * sizeof *to->words);
			break;
		default:
			memmove(to->words + at + 1, to->words + at,
				(to->n++ - at) * sizeof *to->words);
			to->words[at] = (int)rnd(3000);
		}
	}
}

static void write_text(const struct text *t, char *out, size_t size)
{
	static const char *const between[] = { " ", "\n", ", ", ". ", " - " };
	size_t at = 0;

	for (size_t i = 0; i < t->n; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%c%d",
				       i > 0 ? between[rnd(5)] : "",
				       rnd(2) ? 'w' : 'W', t->words[i]);
}

/* ---- the long way -------------------------------------------------------- */

static size_t shingles(const struct text *t, uint64_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i + 2 < t->n; i++) {
		uint64_t s = 0;
		bool known = false;

		for (size_t k = 0; k < 3; k++)
			s = s * 4096 + (uint64_t)t->words[i + k];
		for (size_t j = 0; j < n; j++)
			known |= out[j] == s;
		if (!known)
			out[n++] = s;
	}
	return n;
}

static double similarity(const struct text *a, const struct text *b)
{
	uint64_t x[WORDS], y[WORDS];
	size_t n = shingles(a, x), k = shingles(b, y), both = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k; j++)
			both += x[i] == y[j];
	return (double)both / (double)(n + k - both);
}

/* ---- the same with ours -------------------------------------------------- */

static struct chunk_key key_of(size_t i)
{
	struct chunk_key key = { { 0 } };

	memcpy(key.b, &i, sizeof i);
	return key;
}

static void print_of(struct chunk_prints *ps, size_t i)
{
	static char text[WORDS * 12];
	struct ai_err err;

	write_text(&texts[i], text, sizeof text);
	chunk_prints_clear(ps);
	if (chunk_prints_add(ps, text, strlen(text), key_of(i), &err) < 0)
		exit(99);
}

/* One document a text. */
static void check(double threshold)
{
	struct chunk_prints ps = { .seed = 7 };
	struct chunk_dedup *d;
	struct chunk_copy c;
	struct ai_err err;
	size_t kept[TEXTS], n = 0, from, missed = 0, wrong = 0, copies = 0;

	if (chunk_dedup_new(&d, threshold, 7, &err) < 0)
		exit(99);
	for (size_t i = 0; i < TEXTS; i++) {
		double best = 0;

		print_of(&ps, i);
		if (chunk_dedup_decide(d, &ps, DEDUP_NOBODY, &c, &from,
				       &err) < 0)
			exit(99);
		for (size_t j = 0; j < n; j++) {
			double s = similarity(&texts[i], &texts[kept[j]]);

			best = s > best ? s : best;
		}
		missed += best >= threshold && !c.is_copy;
		wrong += c.is_copy && fabs(best - c.similarity) > 1e-6;
		copies += c.is_copy;
		if (!c.is_copy)
			kept[n++] = i;
	}
	ok(missed == 0 && copies > 3, "T=%.2f: of %zu copies none is missed "
	   "(%zu are)", threshold, copies, missed);
	ok(wrong == 0, "T=%.2f: each is as similar as it is told, and none is "
	   "nearer", threshold);
	chunk_prints_release(&ps);
	chunk_dedup_free(d);
}

static void check_state(void)
{
	struct chunk_prints ps = { .seed = 7 };
	struct ai_buf json = AI_BUF_INIT((size_t)1 << 24);
	struct chunk_dedup *a, *b;
	struct chunk_copy c, e;
	struct chunk_key *keys;
	struct ai_err err;
	size_t from, n, same = 0, lost = 0;
	char *p, *end;

	if (chunk_dedup_new(&a, .8, 7, &err) < 0 ||
	    chunk_dedup_new(&b, .8, 7, &err) < 0)
		exit(99);
	for (size_t i = 0; i < TEXTS / 2; i++) {
		print_of(&ps, i);
		chunk_dedup_decide(a, &ps, DEDUP_NOBODY, &c, &from, &err);
	}
	chunk_dedup_save(a, 0, &json, &err);
	for (p = strchr(json.p, '"'); p != NULL; p = strchr(end + 1, '"')) {
		end = strchr(p + 1, '"');
		lost += chunk_dedup_load(b, 3, p + 1, (size_t)(end - p - 1),
					 &err) < 0;
	}
	ok(lost == 0, "what was saved can be loaded");
	chunk_dedup_keys(b, &keys, &n, &err);
	ok(n > 50, "and has its keys (%zu)", n);
	free(keys);
	for (size_t i = TEXTS / 2; i < TEXTS; i++) {
		print_of(&ps, i);
		chunk_dedup_decide(a, &ps, DEDUP_NOBODY, &c, &from, &err);
		chunk_dedup_decide(b, &ps, DEDUP_NOBODY, &e, &from, &err);
		same += c.is_copy == e.is_copy && c.similarity == e.similarity;
	}
	ok(same == TEXTS / 2, "it finds the same copies");
	print_of(&ps, 0);
	chunk_dedup_decide(b, &ps, 3, &c, &from, &err);
	ok(!c.is_copy, "a document's own passages are no others");
	chunk_dedup_decide(b, &ps, 4, &c, &from, &err);
	ok(c.is_copy, "those of another are");
	ok(chunk_dedup_load(b, 1, "AAAA", 4, &err) < 0 &&
	   chunk_dedup_load(b, 1, "", 0, &err) < 0 &&
	   chunk_dedup_load(b, 1, "!!!!!!!!!!!!!!!!!!!!!!!!!!!!", 28, &err) < 0,
	   "what is no passage is refused");
	ai_buf_release(&json);
	chunk_prints_release(&ps);
	chunk_dedup_free(a);
	chunk_dedup_free(b);
}

/* Which of two texts are the same set. */
static void same(const char *a, const char *b, bool wanted)
{
	struct chunk_prints ps = { .seed = 9 };
	struct chunk_dedup *d;
	struct chunk_copy c[2];
	struct ai_err err;
	size_t from;

	chunk_dedup_new(&d, 1, 9, &err);
	chunk_prints_add(&ps, a, strlen(a), key_of(1), &err);
	chunk_prints_add(&ps, b, strlen(b), key_of(2), &err);
	chunk_dedup_decide(d, &ps, DEDUP_NOBODY, c, &from, &err);
	ok(c[1].is_copy == wanted, "'%s' and '%s' are %sthe same", a, b,
	   wanted ? "" : "not ");
	chunk_dedup_retract(d, from);
	chunk_prints_clear(&ps);
	chunk_prints_add(&ps, a, strlen(a), key_of(1), &err);
	chunk_dedup_decide(d, &ps, DEDUP_NOBODY, c, &from, &err);
	ok(!c[0].is_copy, "what was retracted has no copies");
	chunk_prints_release(&ps);
	chunk_dedup_free(d);
}

int main(void)
{
	for (size_t i = 0; i < TEXTS; i++)
		if (i == 0 || rnd(2) == 0)
			random_text(&texts[i]);
		else
			near_copy(&texts[i], &texts[rnd((unsigned)i)], rnd(24));
	check(.5);
	check(.7);
	check(.8);
	check(.9);
	check(1);
	check_state();
	same("one two three", "One, two -- THREE!", true);
	same("one two three", "one two four", false);
	same("one", "one", true);
	same("one", "two", false);
	same("one two", "two one", false);
	same("...", "...", true);
	same("...", "---", false);
	same("", "", true);
	same("今日は良い", "今日は 良い。", true);
	same("今日は良い", "今日は悪い", false);
	return done();
}
