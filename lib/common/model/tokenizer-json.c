/* tokenizer-json.c: HuggingFace's tokenizer.json. */
#include "model/tokenizer.h"

#include "base/utf8.h"
#include "record/json.h"

#include <math.h>
#include <stdio.h>

/* Longer tokens of a Unigram vocabulary would make every word slow. */
#define UNIGRAM_LONGEST 1024
#define ADDED_LONGEST 1024
#define STEPS_MAX 64

struct reader {
	struct ai_tok_spec *s;
	struct ai_buf text, more, bytes;
	bool bytelevel; /* tokens are written in the byte-level alphabet */
	bool changed;   /* text does not come back from its tokens */
	bool meta, prefix;
	struct ai_err *err;
};

/* ---- small things ---- */

static int refuse(struct reader *r, const char *what, const char *which)
{
	return ai_err_set(r->err, AI_E_DATA, "%s '%.*s' is not supported", what,
			  (int)ai_utf8_floor(which, strlen(which), 100),
			  which);
}

/* The decoded text of a string; lone surrogates are no text. */
static int text_of(struct reader *r, struct ai_value v, struct ai_buf *out)
{
	static const char *const escapes[] = { "\\ud", "\\uD" };

	ai_buf_clear(out);
	if (v.kind != AI_STRING)
		return ai_err_set(r->err, AI_E_DATA,
				  "something in it that should be a string is "
				  "none");
	if (ai_json_text(v, out) < 0)
		return ai_buf_check(out, "a string", r->err);
	for (size_t i = 0; i < 2; i++)
		if (memmem(v.s.p, v.s.n, escapes[i], 3) != NULL &&
		    memmem(ai_buf_cstr(out), out->len, "\xEF\xBF\xBD", 3) !=
			    NULL)
			return ai_err_set(r->err, AI_E_DATA,
					  "a string in it has half a surrogate "
					  "pair");
	return 0;
}

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static struct ai_value member(struct ai_value v, const char *name)
{
	const struct ai_value none = { AI_NONE };

	return v.kind == AI_OBJECT ? ai_json_member(v, ai_span_of(name)) : none;
}

/* The "type" of an object in r->text; "" if it has none. */
static int type_of(struct reader *r, struct ai_value v)
{
	struct ai_value type = member(v, "type");

	ai_buf_clear(&r->text);
	return type.kind == AI_NONE ? 0 : text_of(r, type, &r->text);
}

static bool is_type(const struct reader *r, const char *name)
{
	return ai_span_is(span_of(&r->text), name);
}

static bool flag(struct ai_value v, const char *name, bool otherwise)
{
	struct ai_value f = member(v, name);

	return f.kind == AI_BOOL ? ai_json_true(f) : otherwise;
}

/* ---- tokens ---- */

/* What a token is that is written so; *match: a text can have it. */
static struct ai_span token_text(struct reader *r, struct ai_span t,
				 bool *match)
{
	*match = true;
	if (!r->bytelevel)
		return t;
	*match = ai_tokenizer_unmap(t, &r->bytes);
	return *match ? span_of(&r->bytes) : t;
}

/* ---- vocabularies ---- */

static int add_token(struct reader *r, struct ai_value text, uint32_t id,
		     double score)
{
	struct ai_span t;
	bool match;

	if (text_of(r, text, &r->text) < 0)
		return -1;
	t = token_text(r, span_of(&r->text), &match);
	return ai_tok_spec_token(r->s, id, t.p, t.n, match, score, r->err);
}

static int read_vocab(struct reader *r, struct ai_value vocab)
{
	struct ai_json_iter it;
	struct ai_value key, v;
	int64_t id;

	if (vocab.kind != AI_OBJECT)
		return ai_err_set(r->err, AI_E_DATA, "it has no vocabulary");
	ai_json_iter_init(&it, vocab);
	while (ai_json_next(&it, &key, &v)) {
		if (ai_json_i64(v, &id) < 0 || id < 0 || id > UINT32_MAX - 1)
			return ai_err_set(r->err, AI_E_DATA,
					  "'%.*s' is no token id",
					  (int)ai_utf8_floor(v.s.p, v.s.n, 40),
					  v.s.p);
		if (add_token(r, key, (uint32_t)id, 0) < 0)
			return -1;
	}
	return ai_tok_spec_index(r->s, r->err);
}

/* The id of one side of a merge. */
static int side(struct reader *r, struct ai_span text, uint32_t *id,
		struct ai_buf *whole)
{
	bool match;
	struct ai_span t = token_text(r, text, &match);

	*id = match ? ai_tok_spec_find(r->s, t.p, t.n) : AI_TOK_NONE;
	if (*id == AI_TOK_NONE)
		return ai_err_set(r->err, AI_E_DATA,
				  "a merge has '%.*s', which is no token",
				  (int)ai_utf8_floor(text.p, text.n, 60),
				  text.p);
	ai_buf_add(whole, t.p, t.n);
	return 0;
}

static int add_merge(struct reader *r, struct ai_span left,
		     struct ai_span right, uint32_t rank)
{
	struct ai_tok_pair p = { .rank = rank };
	struct ai_buf whole = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	int rc = -1;

	if (side(r, left, &p.left, &whole) == 0 &&
	    side(r, right, &p.right, &whole) == 0)
		rc = ai_buf_check(&whole, "a token", r->err);
	if (rc == 0) {
		p.id = ai_tok_spec_find(r->s, ai_buf_cstr(&whole), whole.len);
		rc = p.id != AI_TOK_NONE
			     ? ai_tok_spec_pair(r->s, p, r->err)
			     : ai_err_set(r->err, AI_E_DATA,
					  "merge %u makes nothing that is a "
					  "token", rank);
	}
	ai_buf_release(&whole);
	return rc;
}

/* Two strings, or one with a blank between them. */
static int read_merge(struct reader *r, struct ai_value v, uint32_t rank)
{
	struct ai_value left = { AI_NONE }, right = { AI_NONE };
	struct ai_json_iter it;
	struct ai_span t;
	const char *blank;
	size_t n;

	if (v.kind == AI_STRING) {
		if (text_of(r, v, &r->text) < 0)
			return -1;
		t = span_of(&r->text);
		blank = memchr(t.p, ' ', t.n);
		n = blank == NULL ? t.n : (size_t)(blank - t.p);
		if (n < t.n && memchr(blank + 1, ' ', t.n - n - 1) == NULL)
			return add_merge(r, (struct ai_span){ t.p, n },
					 (struct ai_span){ blank + 1,
							   t.n - n - 1 },
					 rank);
	} else if (v.kind == AI_ARRAY) {
		ai_json_iter_init(&it, v);
		if (ai_json_next(&it, NULL, &left) &&
		    ai_json_next(&it, NULL, &right) &&
		    !ai_json_next(&it, NULL, &v)) {
			if (text_of(r, left, &r->text) < 0 ||
			    text_of(r, right, &r->more) < 0)
				return -1;
			return add_merge(r, span_of(&r->text),
					 span_of(&r->more), rank);
		}
	}
	return ai_err_set(r->err, AI_E_DATA, "merge %u is not two tokens",
			  rank);
}

static int read_merges(struct reader *r, struct ai_value merges)
{
	struct ai_json_iter it;
	struct ai_value v;
	uint32_t rank = 0;

	if (merges.kind != AI_ARRAY)
		return ai_err_set(r->err, AI_E_DATA, "it has no merges");
	ai_json_iter_init(&it, merges);
	while (ai_json_next(&it, NULL, &v))
		if (read_merge(r, v, rank++) < 0)
			return -1;
	return 0;
}

/* ---- models ---- */

static int unsupported(struct reader *r, struct ai_value model,
		       const char *name)
{
	struct ai_value v = member(model, name);
	double d;

	if (v.kind == AI_NONE || v.kind == AI_NULL ||
	    (v.kind == AI_STRING && v.s.n == 2) ||
	    (v.kind == AI_NUMBER && ai_json_f64(v, &d) == 0 && d == 0))
		return 0;
	return refuse(r, "the model's", name);
}

static int read_unknown(struct reader *r, struct ai_value model)
{
	struct ai_value v = member(model, "unk_token");
	struct ai_span t;
	bool match;

	if (v.kind != AI_STRING)
		return 0;
	if (text_of(r, v, &r->text) < 0)
		return -1;
	t = token_text(r, span_of(&r->text), &match);
	r->s->head.unknown = ai_tok_spec_find(r->s, t.p, t.n);
	if (r->s->head.unknown != AI_TOK_NONE)
		return 0;
	return ai_err_set(r->err, AI_E_DATA,
			  "its unknown token is not in the vocabulary");
}

static int read_bpe(struct reader *r, struct ai_value model)
{
	static const char *const none[] = { "dropout",
					    "continuing_subword_prefix",
					    "end_of_word_suffix" };
	uint32_t *flags = &r->s->head.flags;

	r->s->head.kind = AI_TOK_BPE;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (unsupported(r, model, none[i]) < 0)
			return -1;
	*flags |= (r->bytelevel ? AI_TOK_BYTES : 0) |
		  (flag(model, "ignore_merges", false) ? AI_TOK_WHOLE : 0) |
		  (flag(model, "byte_fallback", false) ? AI_TOK_FALLBACK : 0) |
		  (flag(model, "fuse_unk", false) ? AI_TOK_FUSE : 0);
	if (read_vocab(r, member(model, "vocab")) < 0 ||
	    read_unknown(r, model) < 0)
		return -1;
	return read_merges(r, member(model, "merges"));
}

static int read_scores(struct reader *r, struct ai_value vocab)
{
	struct ai_value v, text = { AI_NONE }, score = { AI_NONE };
	struct ai_json_iter it, pair;
	double d, least = 0;
	uint32_t id = 0;

	if (vocab.kind != AI_ARRAY)
		return ai_err_set(r->err, AI_E_DATA, "it has no vocabulary");
	ai_json_iter_init(&it, vocab);
	for (; ai_json_next(&it, NULL, &v); id++) {
		if (v.kind != AI_ARRAY)
			return ai_err_set(r->err, AI_E_DATA,
					  "token %u has no score", id);
		ai_json_iter_init(&pair, v);
		if (!ai_json_next(&pair, NULL, &text) ||
		    !ai_json_next(&pair, NULL, &score) ||
		    ai_json_f64(score, &d) < 0 || !isfinite(d))
			return ai_err_set(r->err, AI_E_DATA,
					  "token %u has no score", id);
		if (add_token(r, text, id, d) < 0)
			return -1;
		least = id == 0 || d < least ? d : least;
	}
	r->s->head.unknown_score = least - 10;
	if (ai_tok_spec_index(r->s, r->err) < 0)
		return -1;
	if (r->s->head.max_len > UNIGRAM_LONGEST)
		return ai_err_set(r->err, AI_E_DATA,
				  "it has a token of %u bytes",
				  r->s->head.max_len);
	return 0;
}

static int read_unigram(struct reader *r, struct ai_value model)
{
	struct ai_value v = member(model, "unk_id");
	int64_t id;

	r->s->head.kind = AI_TOK_UNIGRAM;
	r->s->head.flags |= AI_TOK_FUSE;
	if (flag(model, "byte_fallback", false))
		r->s->head.flags |= AI_TOK_FALLBACK;
	if (r->bytelevel)
		return refuse(r, "the model 'Unigram' with the pre-tokenizer",
			      "ByteLevel");
	if (read_scores(r, member(model, "vocab")) < 0)
		return -1;
	if (v.kind != AI_NUMBER)
		return 0;
	if (ai_json_i64(v, &id) < 0 || id < 0 || id >= (int64_t)r->s->n_ids)
		return ai_err_set(r->err, AI_E_DATA,
				  "its unknown token is not in the vocabulary");
	r->s->head.unknown = (uint32_t)id;
	return 0;
}

static int read_wordpiece(struct reader *r, struct ai_value model)
{
	if (r->bytelevel)
		return refuse(r, "the model 'WordPiece' with the "
			      "pre-tokenizer", "ByteLevel");
	return ai_tokenizer_wordpiece(r->s, model, r->err) < 0 ||
		read_vocab(r, member(model, "vocab")) < 0 ? -1
		: read_unknown(r, model);
}

static int read_model(struct reader *r, struct ai_value model)
{
	if (model.kind != AI_OBJECT)
		return ai_err_set(r->err, AI_E_DATA, "it has no model");
	if (type_of(r, model) < 0)
		return -1;
	/* Older files do not say it. */
	if (r->text.len == 0 && member(model, "merges").kind == AI_ARRAY)
		return read_bpe(r, model);
	if (is_type(r, "BPE"))
		return read_bpe(r, model);
	if (is_type(r, "Unigram"))
		return read_unigram(r, model);
	if (is_type(r, "WordPiece"))
		return read_wordpiece(r, model);
	return refuse(r, "the model", r->text.len > 0 ? ai_buf_cstr(&r->text)
						       : "without a type");
}

/* ---- normalisers ---- */

/* What is put in a place of something: only strings. */
static int read_pattern(struct reader *r, struct ai_value v, const char *what)
{
	struct ai_value pattern = member(member(v, "pattern"), "String");

	if (pattern.kind != AI_STRING)
		return refuse(r, what, "Replace with a regular expression");
	return text_of(r, pattern, &r->text) < 0 ||
			       text_of(r, member(v, "content"), &r->more) < 0
		       ? -1
		       : 0;
}

static int add_norm(struct reader *r, enum ai_tok_step_kind kind, unsigned arg)
{
	const struct ai_tok_step step = { .kind = kind, .arg = arg };

	r->changed = true;
	if (r->s->n_norms >= STEPS_MAX)
		return ai_err_set(r->err, AI_E_DATA, "it has too many steps");
	return ai_tok_spec_norm(r->s, step, span_of(&r->text),
				span_of(&r->more), r->err);
}

static int read_normalizer(struct reader *r, struct ai_value v)
{
	struct ai_json_iter it;
	unsigned flags;

	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (type_of(r, v) < 0)
		return -1;
	if (is_type(r, "Sequence")) {
		v = member(v, "normalizers");
		if (v.kind != AI_ARRAY)
			return refuse(r, "the normalizer", "Sequence of nothing");
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &v))
			if (read_normalizer(r, v) < 0)
				return -1;
		return 0;
	}
	ai_buf_clear(&r->more);
	if (ai_tokenizer_bert(v, span_of(&r->text), &flags)) {
		ai_buf_clear(&r->text);
		return add_norm(r, AI_TOK_BERT, flags);
	}
	if (is_type(r, "NFC")) {
		ai_buf_clear(&r->text);
		return add_norm(r, AI_TOK_NFC, 0);
	}
	if (is_type(r, "Prepend"))
		return text_of(r, member(v, "prepend"), &r->text) < 0
			       ? -1
			       : add_norm(r, AI_TOK_PREPEND, 0);
	if (is_type(r, "Replace"))
		return read_pattern(r, v, "the normalizer") < 0
			       ? -1
			       : add_norm(r, AI_TOK_REPLACE, 0);
	if (is_type(r, "Strip")) {
		ai_buf_clear(&r->text);
		return add_norm(r, AI_TOK_STRIP,
				flag(v, "strip_left", true) +
					2u * flag(v, "strip_right", true));
	}
	return refuse(r, "the normalizer", ai_buf_cstr(&r->text));
}

/* ---- pre-tokenizers ---- */

static const char *const behaviours[] = {
	[AI_TOK_ISOLATED] = "Isolated",
	[AI_TOK_REMOVED] = "Removed",
	[AI_TOK_WITH_PREVIOUS] = "MergedWithPrevious",
	[AI_TOK_WITH_NEXT] = "MergedWithNext",
	[AI_TOK_CONTIGUOUS] = "Contiguous",
};

static int read_behaviour(struct reader *r, struct ai_value v,
			  enum ai_tok_behaviour *out)
{
	const size_t n = sizeof behaviours / sizeof behaviours[0];

	*out = AI_TOK_ISOLATED;
	v = member(v, "behavior");
	if (v.kind == AI_NONE)
		return 0;
	if (text_of(r, v, &r->more) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!ai_span_is(span_of(&r->more), behaviours[i]))
			continue;
		*out = (enum ai_tok_behaviour)i;
		r->changed |= *out == AI_TOK_REMOVED;
		return 0;
	}
	return refuse(r, "the behavior", ai_buf_cstr(&r->more));
}

static int add_string(struct reader *r, struct ai_span text,
		      enum ai_tok_behaviour behaviour, bool invert)
{
	const struct ai_tok_step step = { .kind = AI_TOK_STRING,
					  .behaviour = behaviour,
					  .invert = invert };

	return ai_tok_spec_step(r->s, step, text, AI_SPAN(""), r->err);
}

static int read_split(struct reader *r, struct ai_value v)
{
	struct ai_value pattern = member(v, "pattern"), text;
	enum ai_tok_behaviour behaviour;
	bool invert = flag(v, "invert", false);

	if (read_behaviour(r, v, &behaviour) < 0)
		return -1;
	text = member(pattern, "Regex");
	if (text.kind == AI_STRING)
		return text_of(r, text, &r->text) < 0
			       ? -1
			       : ai_tokenizer_pattern(r->s, span_of(&r->text),
						      behaviour, invert,
						      r->err);
	if (text_of(r, member(pattern, "String"), &r->text) < 0)
		return -1;
	return add_string(r, span_of(&r->text), behaviour, invert);
}

static int read_bytelevel(struct reader *r, struct ai_value v)
{
	struct ai_tok_step step = { .kind = AI_TOK_PREFIX };

	r->bytelevel = true;
	if (flag(v, "add_prefix_space", true)) {
		if (r->prefix)
			return refuse(r, "the pre-tokenizer",
				      "ByteLevel after another one");
		r->changed = r->prefix = true;
		if (ai_tok_spec_step(r->s, step, AI_SPAN(""), AI_SPAN(""),
				     r->err) < 0)
			return -1;
	}
	if (!flag(v, "use_regex", true))
		return 0;
	step.kind = AI_TOK_RULE;
	step.arg = AI_SPLIT_CONTRACT | AI_SPLIT_BLANKED;
	return ai_tok_spec_step(r->s, step, AI_SPAN(""), AI_SPAN(""), r->err);
}

/* What says when a sign of a blank is put before a text. */
static int read_scheme(struct reader *r, struct ai_value v, unsigned *scheme)
{
	struct ai_value text = member(v, "replacement");

	if (text.kind == AI_STRING) {
		if (text_of(r, text, &r->more) < 0)
			return -1;
		if (!ai_span_is(span_of(&r->more), AI_TOK_BLANK))
			return refuse(r, "Metaspace with the sign",
				      ai_buf_cstr(&r->more));
	}
	*scheme = flag(v, "add_prefix_space", true) ? AI_TOK_ALWAYS
						    : AI_TOK_NEVER;
	text = member(v, "prepend_scheme");
	if (text.kind != AI_STRING)
		return 0;
	if (text_of(r, text, &r->more) < 0)
		return -1;
	if (ai_span_is(span_of(&r->more), "always"))
		*scheme = AI_TOK_ALWAYS;
	else if (ai_span_is(span_of(&r->more), "first"))
		*scheme = AI_TOK_FIRST;
	else if (ai_span_is(span_of(&r->more), "never"))
		*scheme = AI_TOK_NEVER;
	else
		return refuse(r, "the prepend_scheme",
			      ai_buf_cstr(&r->more));
	return 0;
}

static int read_metaspace(struct reader *r, struct ai_value v)
{
	struct ai_tok_step step = { .kind = AI_TOK_META };
	unsigned scheme;

	if (r->meta)
		return refuse(r, "the pre-tokenizer",
			      "Metaspace after another one");
	r->changed = r->meta = true;
	if (read_scheme(r, v, &scheme) < 0)
		return -1;
	step.arg = scheme;
	if (ai_tok_spec_step(r->s, step, AI_SPAN(""), AI_SPAN(""), r->err) < 0)
		return -1;
	return flag(v, "split", true)
		       ? add_string(r, AI_SPAN(AI_TOK_BLANK), AI_TOK_WITH_NEXT,
				    false)
		       : 0;
}

/* Pre-tokenizers that are a pattern and nothing else. */
static const struct {
	const char *type, *pattern;
	enum ai_tok_behaviour behaviour;
	bool invert;
} patterns[] = {
	{ "Whitespace", "\\w+|[^\\w\\s]+", AI_TOK_REMOVED, true },
	{ "WhitespaceSplit", "\\s", AI_TOK_REMOVED, false },
	{ "Punctuation", "[!-/:-@\\[-`{-~]|\\p{P}", AI_TOK_ISOLATED, false },
};

static int read_known(struct reader *r, struct ai_value v, bool *known)
{
	enum ai_tok_behaviour behaviour;

	*known = true;
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		if (!is_type(r, patterns[i].type))
			continue;
		if (read_behaviour(r, v, &behaviour) < 0)
			return -1;
		if (patterns[i].behaviour == AI_TOK_REMOVED) {
			behaviour = AI_TOK_REMOVED;
			r->changed = true;
		}
		return ai_tokenizer_pattern(r->s,
					    ai_span_of(patterns[i].pattern),
					    behaviour, patterns[i].invert,
					    r->err);
	}
	if (is_type(r, "Digits"))
		return ai_tokenizer_pattern(
			r->s,
			flag(v, "individual_digits", false)
				? AI_SPAN("\\p{N}")
				: AI_SPAN("\\p{N}+"),
			AI_TOK_ISOLATED, false, r->err);
	if (is_type(r, "CharDelimiterSplit")) {
		r->changed = true;
		return text_of(r, member(v, "delimiter"), &r->text) < 0
			       ? -1
			       : add_string(r, span_of(&r->text),
					    AI_TOK_REMOVED, false);
	}
	*known = false;
	return 0;
}

static int read_pretokenizer(struct reader *r, struct ai_value v)
{
	struct ai_json_iter it;
	bool known;

	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (type_of(r, v) < 0)
		return -1;
	if (r->s->n_steps >= STEPS_MAX)
		return ai_err_set(r->err, AI_E_DATA, "it has too many steps");
	if (r->bytelevel)
		return refuse(r, "a pre-tokenizer behind ByteLevel,",
			      ai_buf_cstr(&r->text));
	if (is_type(r, "Sequence")) {
		v = member(v, "pretokenizers");
		if (v.kind != AI_ARRAY)
			return refuse(r, "the pre-tokenizer",
				      "Sequence of nothing");
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &v))
			if (read_pretokenizer(r, v) < 0)
				return -1;
		return 0;
	}
	if (is_type(r, "Split"))
		return read_split(r, v);
	if (is_type(r, "ByteLevel"))
		return read_bytelevel(r, v);
	if (is_type(r, "Metaspace"))
		return read_metaspace(r, v);
	if (is_type(r, "BertPreTokenizer")) {
		r->changed = true;
		return ai_tok_spec_step(r->s, (struct ai_tok_step){
					.kind = AI_TOK_BERT_CUT }, AI_SPAN(""),
					AI_SPAN(""), r->err);
	}
	if (read_known(r, v, &known) < 0)
		return -1;
	return known ? 0 : refuse(r, "the pre-tokenizer",
				  ai_buf_cstr(&r->text));
}

/* ---- decoders ---- */

static bool is_blank_sign(const struct reader *r)
{
	return ai_span_is(span_of(&r->text), AI_TOK_BLANK) &&
	       ai_span_is(span_of(&r->more), " ");
}

/* One that is not known only means that there is no way back. */
static int read_decoder(struct reader *r, struct ai_value v)
{
	uint32_t *flags = &r->s->head.flags;
	struct ai_json_iter it;
	unsigned scheme;
	int64_t start = 0, stop = 0;

	if (v.kind != AI_OBJECT) {
		*flags |= AI_TOK_D_NONE;
		return 0;
	}
	if (type_of(r, v) < 0)
		return -1;
	if (is_type(r, "Sequence")) {
		v = member(v, "decoders");
		if (v.kind != AI_ARRAY)
			return 0;
		ai_json_iter_init(&it, v);
		while (ai_json_next(&it, NULL, &v))
			if (v.kind == AI_OBJECT && read_decoder(r, v) < 0)
				return -1;
		return 0;
	}
	if (is_type(r, "ByteLevel")) {
		*flags |= r->bytelevel ? 0 : AI_TOK_D_NONE;
	} else if (is_type(r, "ByteFallback")) {
		*flags |= AI_TOK_D_BYTES;
	} else if (is_type(r, "Metaspace")) {
		if (read_scheme(r, v, &scheme) < 0)
			return -1;
		*flags |= AI_TOK_D_BLANK |
			  (scheme != AI_TOK_NEVER ? AI_TOK_D_FIRST : 0);
	} else if (is_type(r, "Replace") &&
		   member(member(v, "pattern"), "String").kind == AI_STRING) {
		if (read_pattern(r, v, "the decoder") < 0)
			return -1;
		*flags |= is_blank_sign(r) ? AI_TOK_D_BLANK : AI_TOK_D_NONE;
	} else if (is_type(r, "Strip")) {
		ai_json_i64(member(v, "start"), &start);
		ai_json_i64(member(v, "stop"), &stop);
		*flags |= stop != 0 || start > 1 ? AI_TOK_D_NONE
			  : start == 1		? AI_TOK_D_STRIP
						: 0;
	} else if (!is_type(r, "Fuse")) {
		*flags |= AI_TOK_D_NONE;
	}
	return 0;
}

/* ---- added tokens ---- */

static int added_id(struct reader *r, struct ai_value v, uint32_t *id)
{
	int64_t n;

	if (ai_json_i64(member(v, "id"), &n) < 0 || n < 0 ||
	    n > UINT32_MAX - 1)
		return ai_err_set(r->err, AI_E_DATA,
				  "an added token has no id");
	*id = (uint32_t)n;
	return 0;
}

/* It may be in the vocabulary, too, but then with this id. */
static int match_vocabulary(struct reader *r, uint32_t id, struct ai_span text)
{
	struct ai_tok_spec *s = r->s;
	bool match;
	struct ai_span t = token_text(r, text, &match);
	uint32_t other = ai_tok_spec_find(s, t.p, t.n);

	if (other != AI_TOK_NONE && other != id && match)
		return ai_err_set(r->err, AI_E_DATA,
				  "the added token '%.*s' has the id %u, and %u "
				  "in the vocabulary",
				  (int)ai_utf8_floor(text.p, text.n, 60),
				  text.p, id, other);
	if (id >= s->n_ids || !s->token[id].known)
		return ai_tok_spec_token(s, id, t.p, t.n, false, 0, r->err);
	if (s->token[id].n == t.n &&
	    memcmp(ai_buf_cstr(&s->bytes) + s->token[id].at, t.p, t.n) == 0)
		return 0;
	return ai_err_set(r->err, AI_E_DATA, "two tokens have the id %u", id);
}

static int read_added(struct reader *r, struct ai_value v)
{
	static const struct {
		const char *name;
		unsigned flag;
	} flags[] = {
		{ "special", AI_TOK_SPECIAL }, { "lstrip", AI_TOK_LSTRIP },
		{ "rstrip", AI_TOK_RSTRIP }, { "single_word", AI_TOK_SINGLE },
		{ "normalized", AI_TOK_NORMAL },
	};
	unsigned all = 0;
	uint32_t id = 0;

	if (added_id(r, v, &id) < 0 ||
	    text_of(r, member(v, "content"), &r->text) < 0)
		return -1;
	if (r->text.len > ADDED_LONGEST)
		return ai_err_set(r->err, AI_E_DATA,
				  "the added token %u has %zu bytes", id,
				  r->text.len);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (flag(v, flags[i].name, false))
			all |= flags[i].flag;
	r->changed |= (all & (AI_TOK_LSTRIP | AI_TOK_RSTRIP)) != 0;
	if (match_vocabulary(r, id, span_of(&r->text)) < 0)
		return -1;
	return ai_tok_spec_added(r->s, id, ai_buf_cstr(&r->text), r->text.len,
				 all, r->err);
}

static int read_all_added(struct reader *r, struct ai_value added)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (added.kind != AI_ARRAY)
		return 0;
	ai_json_iter_init(&it, added);
	while (ai_json_next(&it, NULL, &v))
		if (read_added(r, v) < 0)
			return -1;
	return 0;
}

/* ---- all of it ---- */

static int read_all(struct reader *r, const char *p, size_t n)
{
	struct ai_value root, model, normalizer, pre, decoder, added;
	const struct ai_json_want want[] = {
		{ AI_SPAN("model"), &model },
		{ AI_SPAN("normalizer"), &normalizer },
		{ AI_SPAN("pre_tokenizer"), &pre },
		{ AI_SPAN("decoder"), &decoder },
		{ AI_SPAN("added_tokens"), &added },
	};

	if (ai_json_check_members(p, n, &root, want, 5, r->err) < 0)
		return -1;
	if (root.kind != AI_OBJECT || model.kind == AI_NONE)
		return ai_err_set(r->err, AI_E_DATA,
				  "it is no tokenizer.json: it has no 'model'");
	if (read_normalizer(r, normalizer) < 0 ||
	    read_pretokenizer(r, pre) < 0 || read_model(r, model) < 0 ||
	    ai_tokenizer_bytes(r->s, r->err) < 0 ||
	    read_decoder(r, decoder) < 0 || read_all_added(r, added) < 0)
		return -1;
	if (r->bytelevel && !r->changed &&
	    !(r->s->head.flags & AI_TOK_D_NONE))
		r->s->head.flags |= AI_TOK_PLAIN;
	for (size_t i = 0; i < 256; i++)
		if (r->s->head.byte[i] == AI_TOK_NONE)
			r->s->head.flags &= ~(unsigned)AI_TOK_PLAIN;
	return 0;
}

int ai_tokenizer_bytes(struct ai_tok_spec *s, struct ai_err *err)
{
	bool bytes = (s->head.flags & AI_TOK_BYTES) != 0;
	size_t found = 0;
	char room[8];

	if (!bytes && !(s->head.flags & AI_TOK_FALLBACK))
		return 0;
	for (unsigned i = 0; i < 256; i++) {
		int n = snprintf(room, sizeof room, "<0x%02X>", i);
		char c = (char)i;

		s->head.byte[i] = bytes ? ai_tok_spec_find(s, &c, 1)
					: ai_tok_spec_find(s, room, (size_t)n);
		found += s->head.byte[i] != AI_TOK_NONE;
	}
	if (bytes || found == 256)
		return 0;
	if (found > 0)
		return ai_err_set(err, AI_E_DATA,
				  "byte_fallback with %zu of 256 bytes is not "
				  "supported", found);
	s->head.flags &= ~(unsigned)AI_TOK_FALLBACK;
	return 0;
}

int ai_tokenizer_read_json(struct ai_tok_spec *s, const char *p, size_t n,
			   struct ai_err *err)
{
	struct reader r = { .s = s, .err = err };
	int rc;

	ai_buf_init(&r.text, AI_TOK_TEXT_MAX);
	ai_buf_init(&r.more, AI_TOK_TEXT_MAX);
	ai_buf_init(&r.bytes, AI_TOK_TEXT_MAX);
	rc = read_all(&r, p, n);
	ai_buf_release(&r.text);
	ai_buf_release(&r.more);
	ai_buf_release(&r.bytes);
	return rc;
}
