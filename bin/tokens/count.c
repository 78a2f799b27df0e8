/* count.c: the member "tokens" of a text. */
#include "tokens.h"

#include "model/chat_tokens.h"

#include <stdio.h>

struct count {
	struct ai_range now, before;
	bool cut, chat;
};

const char *tokens_path(void)
{
	return ai_loop.path == NULL || *ai_loop.path == '\0' ? "text"
							     : ai_loop.path;
}

struct ai_value tokens_messages(const struct ai_rec *rec)
{
	struct ai_value v = ai_rec_get(rec, tokens_path());
	const struct ai_value none = { AI_NONE };

	if (ai_loop.path == NULL)
		v = v.kind == AI_NONE ? ai_rec_get(rec, "messages") : none;
	return v.kind == AI_ARRAY ? v : none;
}

int tokens_range(const struct tokens_worker *w, const char *p, size_t n,
		 struct ai_range *r, struct ai_err *err)
{
	struct ai_estimate e = { { 0 } };
	int rc = tokens_model.kin == NULL
		? ai_bpe_count(w->bpe, p, n, tokens_flags(), &e.tokens[0], err)
		: ai_estimate_add(&e, w->bpe, p, n, tokens_flags(), err);

	*r = ai_estimate_of(&e, tokens_model.kin);
	return rc;
}

static int count_chat(struct tokens_worker *w, const struct ai_rec *rec,
		      struct ai_value messages, struct count *c,
		      struct ai_err *err)
{
	const struct ai_chat chat = { w->bpe, tokens_flags(),
				      tokens_model.name, tokens_model.kin };
	const struct tokens_settings *s = &tokens_settings;

	if (s->encode || s->truncate >= 0 || s->special == TOKENS_REFUSE)
		return ai_err_set(err, AI_E_RECORD,
				  "messages can only be counted; name a text "
				  "with -p, such as messages.0.content");
	c->chat = true;
	return ai_chat_count(&chat, messages, ai_rec_get(rec, "tools"),
			     &w->text, &c->now, err);
}

static int truncate_text(struct tokens_worker *w, struct ai_rec *rec,
			 struct count *c, struct ai_err *err)
{
	if (tokens_cut(w, &c->now, &c->before, &c->cut, err) < 0)
		return -1;
	return !c->cut ? 0 : ai_rec_rewrite(rec, tokens_path(),
					    ai_buf_cstr(&w->text),
					    w->text.len, err);
}

static int count_text(struct tokens_worker *w, struct ai_rec *rec,
		      struct count *c, struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;

	if (ai_rec_text(rec, tokens_path(), &w->text, err) < 0 ||
	    (s->special == TOKENS_REFUSE &&
	     tokens_refuse_special(w, ai_buf_cstr(&w->text), w->text.len, 0,
				   err) < 0) ||
	    (s->truncate >= 0 && truncate_text(w, rec, c, err) < 0))
		return -1;
	if (s->encode) {
		if (ai_bpe_encode(w->bpe, w->text.p, w->text.len,
				  tokens_flags(), &w->ids, err) < 0)
			return -1;
		c->now = (struct ai_range){ w->ids.n, w->ids.n, w->ids.n };
		return 0;
	}
	return s->truncate >= 0 ? 0 : tokens_range(w, w->text.p, w->text.len,
						   &c->now, err);
}

/* ---- the member --------------------------------------------------------------- */

static void put_method(const struct tokens_worker *w, struct ai_buf *b,
		       const struct count *c)
{
	const struct ai_kin *kin = tokens_model.kin;
	char method[64];

	snprintf(method, sizeof method, "%s%s%s",
		 kin == NULL ? ai_bpe_method(w->bpe) : "estimate:",
		 kin == NULL ? "" : ai_kin_name(kin), c->chat ? "+chat" : "");
	ai_put_key(b, "method");
	ai_put_cstr(b, method);
}

static bool is_exact(const struct count *c)
{
	return tokens_model.kin == NULL && !c->chat;
}

/* Without what closes it. */
static void put_tokens(struct tokens_worker *w, const struct count *c)
{
	struct ai_buf *b = &w->json;

	ai_put_open(b, '{');
	ai_put_key(b, "count");
	ai_put_i64(b, (int64_t)c->now.count);
	ai_put_key(b, "encoding");
	ai_put_cstr(b, tokens_model.kin == NULL ? ai_bpe_name(w->bpe) : NULL);
	ai_put_key(b, "exact");
	ai_put_bool(b, is_exact(c));
	put_method(w, b, c);
	if (c->now.low != c->now.high) {
		ai_put_key(b, "low");
		ai_put_i64(b, (int64_t)c->now.low);
		ai_put_key(b, "high");
		ai_put_i64(b, (int64_t)c->now.high);
	}
	if (tokens_settings.truncate >= 0) {
		ai_put_key(b, "truncated");
		ai_put_bool(b, c->cut);
		ai_put_key(b, "original_count");
		ai_put_i64(b, (int64_t)c->before.count);
	}
	if (tokens_settings.fit != NULL)
		tokens_fit_put(b, c->now.high);
	if (tokens_settings.encode) {
		ai_put_key(b, "ids");
		ai_put_open(b, '[');
		for (size_t i = 0; i < w->ids.n; i++)
			ai_put_i64(b, w->ids.v[i]);
		ai_put_close(b, ']');
	}
	ai_put_close(b, '}');
}

/* With -r: the ids, or the text that was truncated, or the count. */
static void put_plain(struct tokens_worker *w, const struct count *c)
{
	struct ai_buf *b = &w->out;

	if (tokens_settings.encode)
		for (size_t i = 0; i < w->ids.n; i++)
			ai_buf_fmt(b, "%s%u", i > 0 ? " " : "", w->ids.v[i]);
	else
		ai_buf_fmt(b, "%zu", c->now.count);
}

/* ---- writing ------------------------------------------------------------------- */

static int write_answer(struct ai_rec *rec, const struct tokens_answer *a,
			struct ai_emit *out, struct ai_err *err)
{
	if (ai_buf_check(a->made, "the answer", err) < 0)
		return -1;
	if (!ai_loop.plain_out &&
	    ai_rec_set(rec, ai_loop.as == NULL ? "tokens" : ai_loop.as,
		       a->made, err) < 0)
		return -1;
	return ai_emit_answer(out, rec, ai_buf_cstr(a->made), a->made->len,
			      err);
}

/* A line of wc's, with its own end. */
static int write_file(const struct ai_rec *rec, const struct tokens_answer *a,
		      struct ai_emit *out, struct ai_err *err)
{
	ai_buf_clear(a->made);
	tokens_files_put(a->made, a->n.count, rec->file);
	if (ai_buf_check(a->made, "the answer", err) < 0)
		return -1;
	return ai_emit_bytes(out, a->made->p, a->made->len, err);
}

int tokens_emit(struct ai_rec *rec, const struct tokens_answer *a,
		struct ai_emit *out, struct ai_err *err)
{
	const struct tokens_settings *s = &tokens_settings;
	int64_t left;

	if (a->cut || (s->fit != NULL && !tokens_fit(a->n.high, &left)))
		ai_emit_no(out);
	if (s->total || s->top > 0 || tokens_files_asked()) {
		if (tokens_sum_add(rec, rec->file, a, err) < 0)
			return -1;
	}
	if (s->top > 0)
		return 0;
	return tokens_files_asked() ? write_file(rec, a, out, err)
				    : write_answer(rec, a, out, err);
}

int tokens_count(struct tokens_worker *w, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err)
{
	struct ai_value messages = tokens_messages(rec);
	struct count c = { .cut = false };
	struct tokens_answer a;
	int rc;

	rc = messages.kind == AI_ARRAY ? count_chat(w, rec, messages, &c, err)
				       : count_text(w, rec, &c, err);
	if (rc < 0)
		return -1;
	ai_buf_clear(&w->out);
	a = (struct tokens_answer){ .n = c.now, .exact = is_exact(&c),
				    .cut = c.cut };
	if (!ai_loop.plain_out) {
		put_tokens(w, &c);
		a.member = (struct ai_value){ AI_OBJECT,
			{ ai_buf_cstr(&w->json), w->json.len } };
		a.made = &w->json;
	} else if (tokens_settings.truncate >= 0 && !tokens_settings.encode) {
		a.made = &w->text;
	} else {
		put_plain(w, &c);
		a.made = &w->out;
	}
	return tokens_emit(rec, &a, out, err);
}
