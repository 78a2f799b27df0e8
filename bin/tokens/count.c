/* count.c: the member "tokens" of a text. */
#include "tokens.h"

#include "model/chat_tokens.h"

struct count {
	size_t now, before;
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

static int count_chat(struct tokens_worker *w, struct ai_value messages,
		      struct count *c, struct ai_err *err)
{
	if (tokens_settings.encode || tokens_settings.truncate >= 0)
		return ai_err_set(err, AI_E_RECORD,
				  "messages can only be counted; name a text "
				  "with -p, such as messages.0.content");
	c->chat = true;
	return ai_chat_tokens(w->bpe, tokens_flags(), messages, &w->text,
			      &c->now, err);
}

static int truncate_text(struct tokens_worker *w, struct ai_rec *rec,
			 struct count *c, struct ai_err *err)
{
	struct ai_bpe_cut cut;

	if (ai_bpe_truncate(w->bpe, w->text.p, w->text.len, tokens_flags(),
			    (size_t)tokens_settings.truncate, &cut, err) < 0)
		return -1;
	c->before = cut.before;
	c->now = cut.tokens;
	c->cut = cut.keep < w->text.len;
	if (!c->cut)
		return 0;
	w->text.len = cut.keep;
	return ai_rec_rewrite(rec, tokens_path(), w->text.p, cut.keep, err);
}

static int count_text(struct tokens_worker *w, struct ai_rec *rec,
		      struct count *c, struct ai_err *err)
{
	if (ai_rec_text(rec, tokens_path(), &w->text, err) < 0)
		return -1;
	if (tokens_settings.truncate >= 0 &&
	    truncate_text(w, rec, c, err) < 0)
		return -1;
	if (tokens_settings.encode) {
		if (ai_bpe_encode(w->bpe, w->text.p, w->text.len,
				  tokens_flags(), &w->ids, err) < 0)
			return -1;
		c->now = w->ids.n;
		return 0;
	}
	if (tokens_settings.truncate >= 0)
		return 0;
	return ai_bpe_count(w->bpe, w->text.p, w->text.len, tokens_flags(),
			    &c->now, err);
}

static void put_tokens(struct tokens_worker *w, const struct count *c)
{
	struct ai_buf *b = &w->json;

	ai_put_open(b, '{');
	ai_put_key(b, "count");
	ai_put_i64(b, (int64_t)c->now);
	ai_put_key(b, "encoding");
	ai_put_cstr(b, ai_bpe_name(w->bpe));
	ai_put_key(b, "exact");
	ai_put_bool(b, !c->chat);
	ai_put_key(b, "method");
	ai_put_cstr(b, c->chat ? "bpe+chat" : "bpe");
	if (tokens_settings.truncate >= 0) {
		ai_put_key(b, "truncated");
		ai_put_bool(b, c->cut);
		ai_put_key(b, "original_count");
		ai_put_i64(b, (int64_t)c->before);
	}
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
static int emit_plain(struct tokens_worker *w, struct ai_rec *rec,
		      const struct count *c, struct ai_emit *out,
		      struct ai_err *err)
{
	struct ai_buf *b = &w->out;

	if (tokens_settings.encode) {
		for (size_t i = 0; i < w->ids.n; i++)
			ai_buf_fmt(b, "%s%u", i > 0 ? " " : "", w->ids.v[i]);
	} else if (tokens_settings.truncate >= 0) {
		return ai_emit_answer(out, rec, w->text.p, w->text.len, err);
	} else {
		ai_buf_fmt(b, "%zu", c->now);
	}
	return tokens_emit(rec, b, out, err);
}

int tokens_emit(struct ai_rec *rec, struct ai_buf *made, struct ai_emit *out,
		struct ai_err *err)
{
	if (ai_buf_check(made, "the answer", err) < 0)
		return -1;
	if (!ai_loop.plain_out &&
	    ai_rec_set(rec, ai_loop.as == NULL ? "tokens" : ai_loop.as, made,
		       err) < 0)
		return -1;
	return ai_emit_answer(out, rec, ai_buf_cstr(made), made->len, err);
}

int tokens_count(struct tokens_worker *w, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err)
{
	struct ai_value messages = tokens_messages(rec);
	struct count c = { 0 };
	int rc;

	rc = messages.kind == AI_ARRAY ? count_chat(w, messages, &c, err)
				       : count_text(w, rec, &c, err);
	if (rc < 0)
		return -1;
	if (ai_loop.plain_out)
		return emit_plain(w, rec, &c, out, err);
	put_tokens(w, &c);
	return tokens_emit(rec, &w->json, out, err);
}
