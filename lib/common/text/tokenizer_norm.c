#include "text/tokenizer_norm.h"

#include "text/class.h"
#include "text/normal.h"

bool ai_tok_is_normal(const struct ai_tok_step *norms, size_t n_norms,
		      struct ai_span text)
{
	for (size_t i = 0; i < n_norms; i++)
		if (norms[i].kind != AI_TOK_NFC ||
		    ai_normal_next(text.p, text.n, 0) < text.n)
			return false;
	return true;
}

/* A character for a string that is not shorter: what blanks need. */
static void replace_char(struct ai_span text, char from, struct ai_span to,
			 struct ai_buf *out)
{
	size_t hits = 0;
	char *q;

	for (size_t i = 0; i < text.n; i++)
		hits += text.p[i] == from;
	if (ai_buf_reserve(out, text.n + hits * (to.n - 1)) < 0)
		return;
	q = out->p + out->len;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != from) {
			*q++ = text.p[i];
			continue;
		}
		memcpy(q, to.p, to.n);
		q += to.n;
	}
	out->len = (size_t)(q - out->p);
	*q = '\0';
}

void ai_tok_replace(struct ai_span text, struct ai_span from,
		    struct ai_span to, struct ai_buf *out)
{
	const char *p = text.p, *end = text.p + text.n, *hit;

	if (from.n == 1 && to.n > 0 && text.n > 0) {
		replace_char(text, *from.p, to, out);
		return;
	}
	while (p < end && (hit = memmem(p, (size_t)(end - p), from.p,
					from.n)) != NULL) {
		ai_buf_add(out, p, (size_t)(hit - p));
		ai_buf_add(out, to.p, to.n);
		p = hit + from.n;
	}
	ai_buf_add(out, p, (size_t)(end - p));
}

static bool is_blank(enum ai_class c)
{
	return c == AI_CLASS_SPACE || c == AI_CLASS_NEWLINE;
}

static struct ai_span strip(struct ai_span t, unsigned sides)
{
	size_t len, end = 0, at = 0;

	while ((sides & 1) && t.n > 0 &&
	       is_blank(ai_class_at(t.p, t.n, 0, &len))) {
		t.p += len;
		t.n -= len;
	}
	if (!(sides & 2))
		return t;
	for (; at < t.n; at += len)
		if (!is_blank(ai_class_at(t.p, t.n, at, &len)))
			end = at + len;
	t.n = end;
	return t;
}

/* One blank for several, none at the ends of all of the text. */
static void squeeze(struct ai_span t, unsigned edges, struct ai_buf *out)
{
	bool blank = false;

	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == ' ') {
			blank = out->len > 0 || !(edges & AI_TOK_BEGINS);
			continue;
		}
		if (blank)
			ai_buf_chr(out, ' ');
		blank = false;
		ai_buf_chr(out, t.p[i]);
	}
	if (blank && !(edges & AI_TOK_ENDS))
		ai_buf_chr(out, ' ');
}

static void apply(const struct ai_tok_step *s, const char *pool,
		  struct ai_span t, unsigned edges, struct ai_buf *out)
{
	const struct ai_span text = { pool + s->text, s->text_n };
	const struct ai_span more = { pool + s->more, s->more_n };

	switch ((enum ai_tok_step_kind)s->kind) {
	case AI_TOK_NFC:
		ai_normal_nfc(t.p, t.n, out);
		return;
	case AI_TOK_PREPEND:
		if (t.n > 0)
			ai_buf_add(out, text.p, text.n);
		break;
	case AI_TOK_REPLACE:
		if (text.n == 0)
			break;
		ai_tok_replace(t, text, more, out);
		return;
	case AI_TOK_STRIP:
		t = strip(t, s->arg);
		break;
	case AI_TOK_BERT:
		ai_tok_bert_normalise(t, s->arg, out);
		return;
	case AI_TOK_SQUEEZE:
		squeeze(t, edges, out);
		return;
	default:
		break;
	}
	ai_buf_add(out, t.p, t.n);
}

int ai_tok_normalise(const struct ai_tok_step *norms, size_t n_norms,
		     const char *pool, struct ai_span text, unsigned edges,
		     struct ai_buf *out, struct ai_err *err)
{
	struct ai_buf other = AI_BUF_INIT(out->max), *from = &other, *to = out;
	struct ai_buf swap;

	if (n_norms == 0)
		ai_buf_add(out, text.p, text.n);
	for (size_t i = 0; i < n_norms; i++) {
		apply(&norms[i], pool, text, edges, to);
		text = (struct ai_span){ ai_buf_cstr(to), to->len };
		if (to->bad != AI_E_NONE || i + 1 == n_norms)
			break;
		swap = *from;
		*from = *to;
		*to = swap;
		ai_buf_clear(to);
		text.p = ai_buf_cstr(from);
	}
	ai_buf_release(&other);
	return ai_buf_check(out, "the normalised text", err);
}
