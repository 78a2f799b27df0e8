/*
 * told-letters.c: what the model was told, letter by letter, whatever stands
 * between the letters.
 *
 * Of the instructions every eighth place is kept, with a hash of the sixteen
 * letters before it; in a text all places are looked up, so that any 23 letters
 * in a row that both have are found.  The hash rolls: a letter costs the same
 * however many are compared.
 */
#include "told.h"

#include <string.h>

#define MASK (GUARD_TOLD_LETTERS - 1)

void guard_told_init_letters(struct guard_told *t)
{
	struct guard_told_letters *l = &t->letters;

	ai_buf_init(&l->hashes, GUARD_TOLD_MAX * sizeof(uint64_t));
	/* Odd, and nobody knows it. */
	l->base = l->weight = t->seed | 1;
	for (size_t i = 1; i < GUARD_TOLD_LETTERS; i *= 2)
		l->weight *= l->weight;
}

/* Takes a letter; false: there are not enough of them, or it is a digit, which
 * numbers of lines are as well. */
static bool roll(const struct guard_told *t, struct guard_told_spelled *s,
		 uint32_t cp)
{
	uint32_t *place = &s->cp[s->n & MASK];

	if (cp - '0' < 10)
		return false;
	s->hash = s->hash * t->letters.base + cp;
	if (s->n++ >= GUARD_TOLD_LETTERS)
		s->hash -= *place * t->letters.weight;
	*place = cp;
	return s->n >= GUARD_TOLD_LETTERS;
}

static uint64_t hash_of(const struct guard_told *t,
			const struct guard_told_spelled *s)
{
	return guard_told_mix(t->seed, s->hash);
}

void guard_told_add_letter(struct guard_told *t, struct guard_told_spelled *s,
			   uint32_t cp)
{
	struct guard_told_letters *l = &t->letters;
	bool enough = roll(t, s, cp);
	uint64_t h;

	if (cp - '0' < 10)
		return;
	l->n++;
	if (!enough || s->n % GUARD_TOLD_STEP != 0 ||
	    l->hashes.len / sizeof h >= GUARD_TOLD_MAX)
		return;
	h = hash_of(t, s);
	ai_buf_add(&l->hashes, &h, sizeof h);
}

/* The slot of the hash, or a free one. */
static uint32_t *slot_of(const struct guard_told_letters *l, uint64_t hash)
{
	const uint64_t *hashes = (const uint64_t *)(const void *)l->hashes.p;
	const struct guard_told_slots *s = &l->slots;
	size_t i = hash & (s->n - 1);

	while (s->v[i] != 0 && hashes[(s->v[i] >> 1) - 1] != hash)
		i = (i + 1) & (s->n - 1);
	return &s->v[i];
}

int guard_told_index_letters(struct guard_told *t, struct ai_err *err)
{
	struct guard_told_letters *l = &t->letters;
	const uint64_t *hashes = (const uint64_t *)(const void *)l->hashes.p;
	size_t n = l->hashes.len / sizeof *hashes;

	memset(l->maybe, 0, sizeof l->maybe);
	if (l->hashes.bad != AI_E_NONE)
		return ai_err_nomem(err);
	if (guard_told_slots_clear(&l->slots, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		uint32_t *slot = slot_of(l, hashes[i]);

		if (*slot == 0)
			*slot = (uint32_t)(i + 1) << 1;
		l->maybe[hashes[i] / 64 % 256] |= UINT64_C(1) << hashes[i] % 64;
	}
	return 0;
}

size_t guard_told_spell(struct guard_told *t, struct guard_told_spelled *s,
			uint32_t cp, bool asked)
{
	const struct guard_told_letters *l = &t->letters;
	uint32_t *slot;
	uint64_t h;

	if (!roll(t, s, cp))
		return SIZE_MAX;
	h = hash_of(t, s);
	if (!(l->maybe[h / 64 % 256] >> h % 64 & 1))
		return SIZE_MAX;
	slot = slot_of(l, h);
	if (*slot == 0)
		return SIZE_MAX;
	if (asked)
		*slot |= 1;
	return *slot & 1 ? SIZE_MAX : (*slot >> 1) - 1;
}
