#include "language.h"

#include "base/utf8.h"
#include "text/class.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading: pieces between blanks --------------------------------------------- */

enum sign { PLAIN, MUST, NOT };

/* A piece of the query: [from, to) are its words, without sign and quotes. */
struct piece {
	size_t from, to;
	enum sign sign;
	bool quoted, starred;
};

struct reading {
	struct search_language *l;
	const struct ai_analyzer *a;
	struct ai_span q;
	search_key_fn *is_key;
	void *arg;
	bool shouting;      /* no small letter: NOT is a word like others */
	bool stop;          /* take stop words, too */
	bool next_not;      /* behind NOT */
	size_t clauses_cap, pairs_cap, bytes_n, bytes_cap, terms_n, terms_cap;
	size_t *offsets;    /* of terms in the bytes; owned */
	struct ai_terms terms; /* of one piece */
};

static bool is_blank_at(const struct reading *r, size_t at, size_t *len)
{
	enum ai_class c = ai_class_at(r->q.p, r->q.n, at, len);

	return c == AI_CLASS_SPACE || c == AI_CLASS_NEWLINE;
}

/* Letters and digits in [from, to), and whether one is a letter. */
static size_t count_letters(const struct reading *r, size_t from, size_t to,
			    bool *letter)
{
	size_t n = 0, len;

	for (*letter = false; from < to; from += len) {
		enum ai_class c = ai_class_at(r->q.p, to, from, &len);

		if (c == AI_CLASS_UPPER || c == AI_CLASS_LOWER ||
		    c == AI_CLASS_LETTER)
			*letter = true;
		n += c != AI_CLASS_OTHER && c != AI_CLASS_SPACE &&
		     c != AI_CLASS_NEWLINE;
	}
	return n;
}

/* Quotation marks that open, and those that close them. */
static const struct mark {
	const char *open, *close[2];
} marks[] = {
	{ "\"", { "\"", "\"" } }, { "“", { "”", "”" } }, { "„", { "“", "”" } },
};

static bool is_there(const struct reading *r, size_t at, const char *s)
{
	size_t n = strlen(s);

	return r->q.n - at >= n && memcmp(r->q.p + at, s, n) == 0;
}

/* The mark that opens at at, or NULL. */
static const struct mark *mark_at(const struct reading *r, size_t at)
{
	size_t i;

	for (i = 0; at < r->q.n && i < sizeof(marks) / sizeof(marks[0]); i++)
		if (is_there(r, at, marks[i].open))
			return &marks[i];
	return NULL;
}

/*
 * Words in quotes from at on, which the mark stands at: true, and *end behind
 * the mark that closes.
 */
static bool read_quoted(const struct reading *r, size_t at, struct piece *p,
			size_t *end)
{
	const struct mark *m = mark_at(r, at);
	size_t i, k;

	if (m == NULL)
		return false;
	p->from = at + strlen(m->open);
	for (i = p->from; i < r->q.n; i++) {
		for (k = 0; k < 2; k++) {
			if (!is_there(r, i, m->close[k]))
				continue;
			p->to = i;
			p->quoted = true;
			*end = i + strlen(m->close[k]);
			return true;
		}
	}
	return false;
}

static size_t end_of_piece(const struct reading *r, size_t at)
{
	size_t len;

	while (at < r->q.n && !is_blank_at(r, at, &len))
		at += len;
	return at;
}

/* KEY: at the begin of a piece; its length without the colon, or 0. */
static size_t key_length(const struct reading *r, size_t at)
{
	size_t i;

	for (i = at; i < r->q.n; i++) {
		char c = r->q.p[i];
		bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';

		if (letter || c == '_' || (unsigned char)c >= 0x80)
			continue;
		if (i == at || !((c >= '0' && c <= '9') || c == '.' ||
				 c == '-'))
			break;
	}
	if (i == at || i >= r->q.n || r->q.p[i] != ':' || r->is_key == NULL)
		return 0;
	return r->is_key(r->arg, (struct ai_span){ r->q.p + at, i - at })
		       ? i - at
		       : 0;
}

static int grow(void *v, size_t *cap, size_t n, size_t size,
		struct ai_err *err)
{
	void **p = v, *more;
	size_t want = *cap == 0 ? 16 : *cap;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	more = reallocarray(*p, want, size);
	if (more == NULL)
		return ai_err_nomem(err);
	*p = more;
	*cap = want;
	return 0;
}

/* KEY:VALUE at at: 1, and *end behind it. */
static int read_pair(struct reading *r, size_t at, enum sign sign, size_t *end,
		     struct ai_err *err)
{
	struct search_language *l = r->l;
	size_t n = key_length(r, at);
	struct piece p = { 0 };

	if (n == 0)
		return 0;
	if (!read_quoted(r, at + n + 1, &p, end)) {
		p.from = at + n + 1;
		p.to = *end = end_of_piece(r, p.from);
		while (mark_at(r, p.from) != NULL) /* never closed */
			p.from += strlen(mark_at(r, p.from)->open);
		if (p.from == p.to)
			return 0;
	}
	if (l->pairs_n == SEARCH_CLAUSES_MAX)
		return 1;
	if (grow(&l->pairs, &r->pairs_cap, l->pairs_n + 1, sizeof(*l->pairs),
		 err) < 0)
		return -1;
	l->pairs[l->pairs_n++] = (struct search_pair){
		.key = { r->q.p + at, n },
		.value = { r->q.p + p.from, p.to - p.from },
		.not = sign == NOT,
	};
	return 1;
}

/* ---- clauses ----------------------------------------------------------------------- */

/* Keeps a term's bytes; they are offsets until all have been read. */
static int keep_term(struct reading *r, const char *p, size_t n,
		     uint32_t position, struct ai_err *err)
{
	struct search_language *l = r->l;
	size_t cap = r->terms_cap, again = cap;

	if (grow(&l->bytes, &r->bytes_cap, r->bytes_n + n + 1, 1, err) < 0 ||
	    grow(&l->terms, &r->terms_cap, r->terms_n + 1, sizeof(*l->terms),
		 err) < 0 ||
	    grow(&l->positions, &cap, r->terms_n + 1, sizeof(*l->positions),
		 err) < 0 ||
	    grow(&r->offsets, &again, r->terms_n + 1, sizeof(*r->offsets),
		 err) < 0)
		return -1;
	r->offsets[r->terms_n] = r->bytes_n;
	memcpy(l->bytes + r->bytes_n, p, n);
	l->terms[r->terms_n].p = NULL;
	l->terms[r->terms_n].n = n;
	l->positions[r->terms_n++] = position;
	r->bytes_n += n;
	return 0;
}

static bool same_clause(const struct reading *r, const struct search_clause *a,
			size_t terms, const struct search_clause *b)
{
	const struct search_language *l = r->l;
	size_t i, from = r->terms_n - b->n;

	if (a->kind != b->kind || a->not != b->not || a->must != b->must ||
	    a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		size_t n = l->terms[terms + i].n;

		if (n != l->terms[from + i].n ||
		    l->positions[terms + i] != l->positions[from + i] ||
		    memcmp(l->bytes + r->offsets[terms + i],
			   l->bytes + r->offsets[from + i], n) != 0)
			return false;
	}
	return true;
}

/* Adds a clause whose terms were kept last, or counts the one that is there. */
static int add_clause(struct reading *r, struct search_clause c, size_t from,
		      size_t to, struct ai_err *err)
{
	struct search_language *l = r->l;
	size_t i, terms = 0, cap = r->clauses_cap;

	for (i = 0; i < l->clauses_n; terms += l->clauses[i++].n) {
		if (!same_clause(r, &l->clauses[i], terms, &c))
			continue;
		l->clauses[i].count++;
		goto drop;
	}
	if (l->clauses_n == SEARCH_CLAUSES_MAX)
		goto drop;
	if (grow(&l->clauses, &r->clauses_cap, l->clauses_n + 1,
		 sizeof(*l->clauses), err) < 0 ||
	    grow(&l->places, &cap, l->clauses_n + 1, sizeof(*l->places),
		 err) < 0)
		return -1;
	l->places[l->clauses_n] = (struct search_place){ from, to };
	l->clauses[l->clauses_n++] = c;
	return 0;
drop:
	for (; c.n > 0; c.n--)
		r->bytes_n -= l->terms[--r->terms_n].n;
	return 0;
}

/* One term as a clause of its own. */
static int add_word(struct reading *r, const struct piece *p, size_t i,
		    bool prefix, struct ai_err *err)
{
	const struct ai_term *t = &r->terms.v[i];
	struct ai_span s = ai_term_span(&r->terms, i);
	struct search_clause c = {
		.kind = SEARCH_CLAUSE_WORD, .not = p->sign == NOT,
		.must = p->sign == MUST, .count = 1, .n = 1,
	};
	struct ai_fold f;

	if (prefix || t->prefix) {
		/* The letters that were typed, and their stem. */
		c.kind = SEARCH_CLAUSE_PREFIX;
		ai_fold_init(&f, r->q.p + p->from + t->from, t->to - t->from);
		if (ai_fold_next(&f)) {
			if (keep_term(r, f.word, f.n, 0, err) < 0)
				return -1;
			if (s.n != f.n || memcmp(s.p, f.word, s.n) != 0) {
				c.n = 2;
				if (keep_term(r, s.p, s.n, 0, err) < 0)
					return -1;
			}
			return add_clause(r, c, p->from + t->from,
					  p->from + t->to, err);
		}
	}
	if (keep_term(r, s.p, s.n, 0, err) < 0)
		return -1;
	return add_clause(r, c, p->from + t->from, p->from + t->to, err);
}

#define PHRASE_MAX 64

/* All terms of a piece as one clause. */
static int add_phrase(struct reading *r, const struct piece *p,
		      struct ai_err *err)
{
	struct search_clause c = {
		.kind = SEARCH_CLAUSE_PHRASE, .not = p->sign == NOT,
		.must = p->sign != NOT, .count = 1,
	};
	const struct ai_terms *t = &r->terms;
	uint32_t first = 0;
	size_t i;

	for (i = 0; i < t->n && c.n < PHRASE_MAX; i++) {
		struct ai_span s = ai_term_span(t, i);

		if (t->v[i].prefix) /* a lone character between words */
			continue;
		if (c.n == 0)
			first = t->v[i].position;
		if (keep_term(r, s.p, s.n, t->v[i].position - first, err) < 0)
			return -1;
		c.n++;
	}
	if (c.n == 0)
		return 0;
	if (c.n > 1)
		return add_clause(r, c, p->from, p->to, err);
	for (i = 0; t->v[i].prefix;)
		i++;
	c.kind = SEARCH_CLAUSE_WORD;
	return add_clause(r, c, p->from + t->v[i].from, p->from + t->v[i].to,
			  err);
}

static int add_piece(struct reading *r, struct piece p, struct ai_err *err)
{
	struct ai_span s = { r->q.p + p.from, p.to - p.from };
	size_t i;

	ai_terms_clear(&r->terms);
	if (ai_analyze(r->a, s, true, &r->terms, err) < 0)
		return -1;
	if (r->terms.n == 0)
		return 0;
	if (r->next_not && p.sign == PLAIN)
		p.sign = NOT;
	r->next_not = false;
	if (r->terms.n == 1 && (p.quoted || p.sign != PLAIN)) {
		if (p.sign == PLAIN)
			p.sign = MUST;
		return add_word(r, &p, 0, p.starred, err);
	}
	if (p.quoted || p.sign != PLAIN)
		return add_phrase(r, &p, err);
	for (i = 0; i < r->terms.n; i++) {
		bool starred = p.starred && i + 1 == r->terms.n;

		if (r->terms.v[i].stop && !r->stop && !starred)
			continue;
		if (add_word(r, &p, i, starred, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the query ---------------------------------------------------------------------- */

/* Whether [from, to) ends in a letter or digit and a star. */
static bool is_starred(const struct reading *r, size_t from, size_t to)
{
	return to - from >= 2 && r->q.p[to - 1] == '*' &&
	       r->q.p[to - 2] != '*' &&
	       ((unsigned char)r->q.p[to - 2] >= 0x80 ||
		ai_class_ascii[(unsigned char)r->q.p[to - 2]] !=
			AI_CLASS_OTHER);
}

/* The sign at at, if it is one: what is behind it must look like words. */
static enum sign read_sign(const struct reading *r, size_t at)
{
	size_t end = end_of_piece(r, at), n, len;
	bool letter;

	if (at + 1 >= r->q.n || (r->q.p[at] != '-' && r->q.p[at] != '+'))
		return PLAIN;
	if (mark_at(r, at + 1) != NULL)
		return r->q.p[at] == '-' ? NOT : MUST;
	switch (ai_class_at(r->q.p, r->q.n, at + 1, &len)) {
	case AI_CLASS_OTHER:
	case AI_CLASS_SPACE:
	case AI_CLASS_NEWLINE:
		return PLAIN;
	default:
		break;
	}
	if (r->q.p[at] == '+')
		return MUST;
	n = count_letters(r, at + 1, end, &letter);
	return (letter && n >= 2) || is_starred(r, at + 1, end) ? NOT : PLAIN;
}

static bool is_not(const struct reading *r, size_t from, size_t to)
{
	return !r->shouting && to - from == 3 &&
	       memcmp(r->q.p + from, "NOT", 3) == 0 && to < r->q.n;
}

static int read_piece(struct reading *r, size_t *at, struct ai_err *err)
{
	struct piece p = { .sign = read_sign(r, *at) };
	size_t from = *at + (p.sign != PLAIN), end;
	int rc = read_pair(r, from, p.sign, &end, err);

	if (rc != 0) {
		*at = end;
		return rc < 0 ? -1 : 0;
	}
	if (read_quoted(r, from, &p, at))
		return add_piece(r, p, err);
	p.from = from;
	p.to = *at = end_of_piece(r, from);
	if (p.sign == PLAIN && is_not(r, p.from, p.to)) {
		r->next_not = true;
		return 0;
	}
	p.starred = is_starred(r, p.from, p.to);
	return add_piece(r, p, err);
}

static int read_all(struct reading *r, struct ai_err *err)
{
	size_t at = 0, len;

	r->next_not = false;
	while (at < r->q.n) {
		if (is_blank_at(r, at, &len))
			at += len;
		else if (read_piece(r, &at, err) < 0)
			return -1;
	}
	return 0;
}

static bool has_small(struct ai_span q)
{
	size_t at, len;

	for (at = 0; at < q.n; at += len)
		if (ai_class_at(q.p, q.n, at, &len) == AI_CLASS_LOWER)
			return true;
	return false;
}

static bool finds_something(const struct search_language *l)
{
	size_t i;

	for (i = 0; i < l->clauses_n; i++)
		if (!l->clauses[i].not)
			return true;
	return false;
}

/* Offsets become pointers. */
static void settle(struct search_language *l, size_t terms)
{
	size_t i, at = 0;

	for (i = 0; i < terms; i++) {
		l->terms[i].p = l->bytes + at;
		at += l->terms[i].n;
	}
	for (i = 0, at = 0; i < l->clauses_n; at += l->clauses[i++].n) {
		l->clauses[i].terms = l->terms + at;
		l->clauses[i].positions = l->positions + at;
	}
}

int search_language_read(struct search_language *l, const struct ai_analyzer *a,
			 struct ai_span query, search_key_fn *is_key,
			 void *arg, struct ai_err *err)
{
	struct reading r = { .l = l, .a = a, .q = query, .is_key = is_key,
			     .arg = arg, .shouting = !has_small(query) };
	int rc;

	memset(l, 0, sizeof(*l));
	l->query = query;
	rc = read_all(&r, err);
	if (rc == 0 && !finds_something(l)) {
		/* Stop words are all there is. */
		l->clauses_n = l->pairs_n = 0;
		r.bytes_n = r.terms_n = 0;
		r.stop = true;
		rc = read_all(&r, err);
	}
	if (rc == 0)
		settle(l, r.terms_n);
	ai_terms_release(&r.terms);
	free(r.offsets);
	return rc;
}

void search_language_release(struct search_language *l)
{
	free(l->clauses);
	free(l->pairs);
	free(l->places);
	free(l->bytes);
	free(l->terms);
	free(l->positions);
	memset(l, 0, sizeof(*l));
}

/* ---- as one could have typed it --------------------------------------------------------- */

/* What stood in the query, without marks that would end the quotes. */
static void put_quoted(struct ai_span s, struct ai_buf *out)
{
	size_t i;

	ai_buf_chr(out, '"');
	for (i = 0; i < s.n; i++)
		ai_buf_chr(out, s.p[i] == '"' ? ' ' : s.p[i]);
	ai_buf_chr(out, '"');
}

int search_language_clause(const struct search_language *l, size_t clause,
			   struct ai_buf *out)
{
	const struct search_clause *c = &l->clauses[clause];
	const struct search_place *at = &l->places[clause];
	struct ai_span s = { l->query.p + at->from, at->to - at->from };
	bool quote = c->kind == SEARCH_CLAUSE_PHRASE || c->not;
	int i;

	if (c->kind == SEARCH_CLAUSE_PREFIX)
		quote = false;
	for (i = 0; i < c->count; i++) {
		if (i > 0)
			ai_buf_chr(out, ' ');
		if (c->not || (c->must && c->kind != SEARCH_CLAUSE_PHRASE))
			ai_buf_chr(out, c->not ? '-' : '+');
		if (quote)
			put_quoted(s, out);
		else if (ai_span_is(s, "NOT"))
			ai_buf_str(out, "not");
		else
			ai_buf_add(out, s.p, s.n);
		if (c->kind == SEARCH_CLAUSE_PREFIX)
			ai_buf_chr(out, '*');
	}
	return out->bad == AI_E_NONE ? 0 : -1;
}

int search_language_pair(const struct search_language *l, size_t pair,
			 struct ai_buf *out)
{
	const struct search_pair *p = &l->pairs[pair];


	if (p->not)
		ai_buf_chr(out, '-');
	ai_buf_add(out, p->key.p, p->key.n);
	ai_buf_chr(out, ':');
	/* In marks that are not in it; what has both stood without. */
	if (memchr(p->value.p, '"', p->value.n) == NULL)
		put_quoted(p->value, out);
	else if (memmem(p->value.p, p->value.n, "”", strlen("”")) == NULL) {
		ai_buf_str(out, "“");
		ai_buf_add(out, p->value.p, p->value.n);
		ai_buf_str(out, "”");
	} else {
		ai_buf_add(out, p->value.p, p->value.n);
	}
	return out->bad == AI_E_NONE ? 0 : -1;
}
