#include "text/match.h"

/* One run through a text. */
struct scan {
	const struct ai_match *m;
	const unsigned char *p;
	size_t n;
	int (*each)(void *arg, unsigned word, size_t end);
	void *arg;
};

static unsigned class_at(const struct scan *s, size_t i)
{
	return i < s->n ? s->m->class_of[s->p[i]] & 63u : 0;
}

/* The next place at or behind i where a word may begin, or n. */
static size_t skip(const struct scan *s, size_t i)
{
	const uint8_t *class_of = s->m->class_of, *begins = s->m->begins;
	uint32_t three = class_at(s, i) << 6 | class_at(s, i + 1);
	const unsigned char *p = s->p;
	size_t n = s->n;

	for (; i + 2 < n; i++) {
		three = (three << 6 | (class_of[p[i + 2]] & 63u)) & 0x3FFFF;
		if (begins[three >> 3] >> (three & 7) & 1)
			return i;
	}
	for (; i < n; i++) {
		three = three << 6 & 0x3FFFF;
		if (begins[three >> 3] >> (three & 7) & 1)
			return i;
	}
	return n;
}

static int ended(const struct scan *s, uint32_t state, size_t end)
{
	const struct ai_match *m = s->m;

	for (uint32_t k = m->ends[state]; k < m->ends[state + 1]; k++) {
		int rc = s->each(s->arg, m->words[k], end);

		if (rc != 0)
			return rc;
	}
	return 0;
}

int ai_match_scan(const struct ai_match *m, struct ai_span text,
		  int (*each)(void *arg, unsigned word, size_t end), void *arg)
{
	const struct scan s = { m, (const unsigned char *)text.p, text.n, each,
				arg };
	size_t i = 0, told = 0; /* what ends up to there was told */

	while ((i = skip(&s, i)) < s.n) {
		size_t from = i;
		uint32_t state = 0;
		int rc;

		do {
			state = m->next[state * m->classes +
					m->class_of[s.p[i++]]];
			if (i <= told || m->ends[state] == m->ends[state + 1])
				continue;
			rc = ended(&s, state, i);
			if (rc != 0)
				return rc;
		} while (i < s.n && (state >= m->deep || i < from + 3));
		if (i > told)
			told = i;
		/* What may go on from here began at most two bytes ago. */
		if (i == s.n)
			break;
		i -= 2;
	}
	return 0;
}
