/*
 * tokenizer-sp.c: SentencePiece's .model, a message of protocol buffers.
 *
 * Its BPE has no list of merges: two neighbours merge if what they make is a
 * piece, the one with the best score first.  Of that a list is made.
 */
#include "model/tokenizer.h"

#include "base/utf8.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST 1024

/* ---- protocol buffers ---- */

struct message {
	const unsigned char *p, *end;
};

struct field {
	uint64_t number;
	unsigned wire;       /* 0: v, 1 and 5: v, 2: bytes */
	uint64_t v;
	struct ai_span bytes;
};

static bool varint(struct message *m, uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && m->p < m->end; shift += 7) {
		*v |= (uint64_t)(*m->p & 0x7F) << shift;
		if (*m->p++ < 0x80)
			return true;
	}
	return false;
}

static bool fixed(struct message *m, size_t n, uint64_t *v)
{
	*v = 0;
	if ((size_t)(m->end - m->p) < n)
		return false;
	for (size_t i = 0; i < n; i++)
		*v |= (uint64_t)m->p[i] << (8 * i);
	m->p += n;
	return true;
}

/* 1: the next field; 0: the end; -1: it is no message. */
static int next_field(struct message *m, struct field *f)
{
	uint64_t n;

	if (m->p == m->end)
		return 0;
	if (!varint(m, &n))
		return -1;
	f->number = n >> 3;
	f->wire = n & 7;
	if (f->wire == 0)
		return varint(m, &f->v) ? 1 : -1;
	if (f->wire == 1 || f->wire == 5)
		return fixed(m, f->wire == 1 ? 8 : 4, &f->v) ? 1 : -1;
	if (f->wire != 2 || !varint(m, &n) || n > (size_t)(m->end - m->p))
		return -1;
	f->bytes = (struct ai_span){ (const char *)m->p, n };
	m->p += n;
	return 1;
}

static struct message message_of(struct ai_span bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;

	return (struct message){ p, p + bytes.n };
}

/* ---- what a model has ---- */

enum type { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };

struct piece {
	struct ai_span text;
	double score;
	uint64_t type;
	uint32_t rank;
};

struct model {
	struct piece *piece; /* owned */
	size_t n, cap;
	uint64_t kind;       /* 1: Unigram, 2: BPE */
	bool fallback, suffix;
	bool dummy, squeeze, escape;
	struct ai_span charsmap, rule;
};

static int malformed(struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "it is neither a tokenizer.json nor "
			  "a SentencePiece model, or it is damaged");
}

static int add_piece(struct model *m, struct ai_span bytes, struct ai_err *err)
{
	struct piece piece = { { "", 0 }, 0, NORMAL, 0 }, *v;
	struct message in = message_of(bytes);
	uint32_t bits;
	struct field f;
	float score;
	int rc;

	while ((rc = next_field(&in, &f)) > 0) {
		if (f.number == 1 && f.wire == 2) {
			piece.text = f.bytes;
		} else if (f.number == 2 && f.wire == 5) {
			bits = (uint32_t)f.v;
			memcpy(&score, &bits, sizeof score);
			piece.score = (double)score;
		} else if (f.number == 3 && f.wire == 0) {
			piece.type = f.v;
		}
	}
	if (rc < 0 || !isfinite(piece.score) || piece.type < NORMAL ||
	    piece.type > BYTE)
		return malformed(err);
	if (piece.text.n > LONGEST)
		return ai_err_set(err, AI_E_DATA, "the piece %zu has %zu bytes",
				  m->n, piece.text.n);
	if (m->n == m->cap) {
		size_t cap = m->cap == 0 ? 1024 : 2 * m->cap;

		v = reallocarray(m->piece, cap, sizeof *v);
		if (v == NULL)
			return ai_err_nomem(err);
		m->piece = v;
		m->cap = cap;
	}
	m->piece[m->n++] = piece;
	return 0;
}

static int read_trainer(struct model *m, struct ai_span bytes,
			struct ai_err *err)
{
	struct message in = message_of(bytes);
	struct field f;
	int rc;

	while ((rc = next_field(&in, &f)) > 0) {
		if (f.wire != 0)
			continue;
		if (f.number == 3)
			m->kind = f.v;
		else if (f.number == 24)
			m->suffix = f.v != 0;
		else if (f.number == 35)
			m->fallback = f.v != 0;
	}
	return rc < 0 ? malformed(err) : 0;
}

static int read_normalizer(struct model *m, struct ai_span bytes,
			   struct ai_err *err)
{
	struct message in = message_of(bytes);
	struct field f;
	int rc;

	while ((rc = next_field(&in, &f)) > 0) {
		if (f.number == 1 && f.wire == 2)
			m->rule = f.bytes;
		else if (f.number == 2 && f.wire == 2)
			m->charsmap = f.bytes;
		else if (f.number == 3 && f.wire == 0)
			m->dummy = f.v != 0;
		else if (f.number == 4 && f.wire == 0)
			m->squeeze = f.v != 0;
		else if (f.number == 5 && f.wire == 0)
			m->escape = f.v != 0;
	}
	return rc < 0 ? malformed(err) : 0;
}

static int read_message(struct model *m, struct ai_span all,
			struct ai_err *err)
{
	struct message in = message_of(all);
	struct field f;
	int rc, got = 0;

	while (got == 0 && (rc = next_field(&in, &f)) > 0) {
		if (f.wire != 2)
			continue;
		if (f.number == 1)
			got = add_piece(m, f.bytes, err);
		else if (f.number == 2)
			got = read_trainer(m, f.bytes, err);
		else if (f.number == 3)
			got = read_normalizer(m, f.bytes, err);
	}
	if (got < 0)
		return -1;
	return rc < 0 || m->n == 0 ? malformed(err) : 0;
}

static int refuse(const struct model *m, struct ai_err *err)
{
	const char *what = NULL;

	if (m->kind != 1 && m->kind != 2)
		return ai_err_set(err, AI_E_DATA,
				  "SentencePiece's model type %llu is not "
				  "supported", (unsigned long long)m->kind);
	if (m->charsmap.n > 0)
		return ai_err_set(err, AI_E_DATA,
				  "the normalization '%.*s' is not supported",
				  (int)ai_utf8_floor(m->rule.p, m->rule.n, 60),
				  m->rule.n > 0 ? m->rule.p : "");
	if (m->suffix)
		what = "treat_whitespace_as_suffix";
	else if (!m->escape)
		what = "escape_whitespaces: false";
	for (size_t i = 0; m->kind == 2 && i < m->n; i++)
		if (m->piece[i].type == UNUSED)
			what = "unused pieces";
	return what == NULL ? 0
			    : ai_err_set(err, AI_E_DATA,
					 "'%s' is not supported", what);
}

/* ---- the spec ---- */

static bool matches(const struct piece *p)
{
	return p->type == NORMAL || p->type == USER_DEFINED;
}

static int add_byte(struct ai_tok_spec *s, uint32_t id, struct ai_span t,
		    struct ai_err *err)
{
	char room[8];

	for (unsigned c = 0; c < 256; c++) {
		snprintf(room, sizeof room, "<0x%02X>", c);
		if (!ai_span_is(t, room))
			continue;
		s->head.byte[c] = id;
		return 0;
	}
	return ai_err_set(err, AI_E_DATA, "the piece %u is for no byte", id);
}

static int add_tokens(struct ai_tok_spec *s, const struct model *m,
		      struct ai_err *err)
{
	double least = INFINITY;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct piece *p = &m->piece[i];

		if (ai_tok_spec_token(s, i, p->text.p, p->text.n, matches(p),
				      p->score, err) < 0)
			return -1;
		if (p->type == NORMAL && p->score < least)
			least = p->score;
		if (p->type == UNKNOWN)
			s->head.unknown = i;
		if (p->type == BYTE && add_byte(s, i, p->text, err) < 0)
			return -1;
	}
	s->head.unknown_score = (isfinite(least) ? least : 0) - 10;
	if (m->fallback) {
		s->head.flags |= AI_TOK_FALLBACK;
		for (size_t i = 0; i < 256; i++)
			if (s->head.byte[i] == AI_TOK_NONE)
				return ai_err_set(err, AI_E_DATA,
						  "byte_fallback without all "
						  "bytes is not supported");
	}
	return ai_tok_spec_index(s, err);
}

/* Control symbols are special; what users defined is found in any case, and
 * blanks in it are blanks of the text. */
static int add_added(struct ai_tok_spec *s, const struct model *m,
		     struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < m->n; i++) {
		const struct piece *p = &m->piece[i];
		const char *at = p->text.p, *end = at + p->text.n;

		if ((p->type != CONTROL && p->type != USER_DEFINED) ||
		    p->text.n == 0)
			continue;
		ai_buf_clear(&text);
		while (at < end) {
			bool blank = end - at >= AI_TOK_BLANK_N &&
				     memcmp(at, AI_TOK_BLANK,
					    AI_TOK_BLANK_N) == 0;

			ai_buf_chr(&text, blank ? ' ' : *at);
			at += blank ? AI_TOK_BLANK_N : 1;
		}
		rc = ai_buf_check(&text, "a piece", err);
		if (rc == 0)
			rc = ai_tok_spec_added(
				s, i, ai_buf_cstr(&text), text.len,
				p->type == CONTROL ? AI_TOK_SPECIAL : 0, err);
	}
	ai_buf_release(&text);
	return rc;
}

static int by_score(const void *x, const void *y)
{
	const struct piece *a = *(const struct piece *const *)x;
	const struct piece *b = *(const struct piece *const *)y;

	return (a->score < b->score) - (a->score > b->score);
}

/* Pieces of one score have one rank: of these the leftmost is merged. */
static int rank_pieces(struct model *m, struct ai_err *err)
{
	struct piece **v = calloc(m->n, sizeof *v);
	uint32_t rank = 0;

	if (v == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < m->n; i++)
		v[i] = &m->piece[i];
	qsort(v, m->n, sizeof *v, by_score);
	for (size_t i = 0; i < m->n; i++) {
		rank += i > 0 && v[i]->score < v[i - 1]->score;
		v[i]->rank = rank;
	}
	free(v);
	return 0;
}

/* All ways to make a piece of two. */
static int add_merges(struct ai_tok_spec *s, struct model *m,
		      struct ai_err *err)
{
	struct ai_tok_pair pair;
	size_t len;

	if (rank_pieces(m, err) < 0)
		return -1;
	for (uint32_t i = 0; i < m->n; i++) {
		const struct ai_span t = m->piece[i].text;

		pair.rank = m->piece[i].rank;
		pair.id = i;
		for (size_t at = 0; matches(&m->piece[i]) && at < t.n;
		     at += len) {
			len = ai_utf8_len(t.p + at, t.n - at);
			len = len > 0 ? len : 1;
			if (at == 0)
				continue;
			pair.left = ai_tok_spec_find(s, t.p, at);
			pair.right = ai_tok_spec_find(s, t.p + at, t.n - at);
			if (pair.left != AI_TOK_NONE &&
			    pair.right != AI_TOK_NONE &&
			    ai_tok_spec_pair(s, pair, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int fill(struct ai_tok_spec *s, struct model *m, struct ai_err *err)
{
	const struct ai_span none = AI_SPAN("");

	s->head.kind = m->kind == 2 ? AI_TOK_BPE : AI_TOK_UNIGRAM;
	s->head.flags = AI_TOK_FUSE | AI_TOK_D_BLANK | AI_TOK_D_BYTES |
			(m->dummy ? AI_TOK_LEAD | AI_TOK_D_STRIP : 0);
	if (m->squeeze &&
	    ai_tok_spec_norm(s, (struct ai_tok_step){ .kind = AI_TOK_SQUEEZE },
			     none, none, err) < 0)
		return -1;
	if (ai_tok_spec_step(s,
			     (struct ai_tok_step){
				     .kind = AI_TOK_META,
				     .arg = m->dummy ? AI_TOK_BEGIN
						     : AI_TOK_NEVER },
			     none, none, err) < 0 ||
	    add_tokens(s, m, err) < 0)
		return -1;
	if (m->kind == 2 && add_merges(s, m, err) < 0)
		return -1;
	return add_added(s, m, err);
}

int ai_tokenizer_read_model(struct ai_tok_spec *s, const char *p, size_t n,
			    struct ai_err *err)
{
	struct model m = { .kind = 1, .dummy = true, .squeeze = true,
			   .escape = true };
	int rc = -1;

	if (read_message(&m, (struct ai_span){ p, n }, err) == 0 &&
	    refuse(&m, err) == 0)
		rc = fill(s, &m, err);
	free(m.piece);
	return rc;
}
