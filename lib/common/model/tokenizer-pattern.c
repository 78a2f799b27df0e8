/*
 * The patterns of tokenizers: most are put together from the same few
 * alternatives, which text/tokenizer_split.c knows as rules.
 */
#include "model/tokenizer.h"

#include "base/utf8.h"
#include "text/regex.h"

/* The order in which alternatives of a rule come. */
enum role { CONTRACT, WORD, WORD2, NUMBER, SYMBOL, LINES, INNER, BLANKS, ROLES };

#define FOLDED "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define UPPERS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWERS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SYMBOLS " ?[^\\s\\p{L}\\p{N}]+"
#define CASED (AI_SPLIT_PREFIX | AI_SPLIT_CASED)
#define CONTRACT_FOLDED (AI_SPLIT_CONTRACT | AI_SPLIT_FOLD)

static const struct {
	const char *text;
	enum role role;
	unsigned rule;
} alternatives[] = {
	{ FOLDED, CONTRACT, CONTRACT_FOLDED },
	{ "'(?i:[sdmt]|ll|ve|re)", CONTRACT, CONTRACT_FOLDED },
	{ "'(?:[sdmt]|ll|ve|re)", CONTRACT, AI_SPLIT_CONTRACT },
	{ BEFORE "\\p{L}+", WORD, AI_SPLIT_PREFIX },
	{ BEFORE "[\\p{L}\\p{M}]+", WORD, AI_SPLIT_PREFIX | AI_SPLIT_MARKS },
	{ " ?\\p{L}+", WORD, 0 },
	{ BEFORE UPPERS "*" LOWERS "+", WORD, CASED },
	{ BEFORE UPPERS "*" LOWERS "+" FOLDED "?", WORD,
	  CASED | AI_SPLIT_JOINED },
	{ BEFORE UPPERS "+" LOWERS "*", WORD2, CASED },
	{ BEFORE UPPERS "+" LOWERS "*" FOLDED "?", WORD2,
	  CASED | AI_SPLIT_JOINED },
	{ "\\p{N}{1,3}", NUMBER, 3 },
	{ "\\p{N}{1,2}", NUMBER, 2 },
	{ "\\p{N}", NUMBER, 1 },
	{ "\\p{N}+", NUMBER, 0 },
	{ " ?\\p{N}+", NUMBER, AI_SPLIT_BLANKED },
	{ SYMBOLS, SYMBOL, 0 },
	{ SYMBOLS "[\\r\\n]*", SYMBOL, AI_SPLIT_LINES },
	{ SYMBOLS "[\\r\\n/]*", SYMBOL, AI_SPLIT_LINES | AI_SPLIT_SLASH },
	{ " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*", SYMBOL,
	  AI_SPLIT_LINES | AI_SPLIT_MARKS },
	{ "\\s*[\\r\\n]+", LINES, AI_SPLIT_LINES },
	{ "\\s*[\\r\\n]", LINES, AI_SPLIT_LINES },
	{ "\\s+(?!\\S)", INNER, 0 },
	{ "\\s+", BLANKS, 0 },
	{ "\\s", BLANKS, 0 },
};

static const char gpt2_contract[] = "'s|'t|'re|'ve|'m|'ll|'d|";

static const char deepseek[] =
	"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
	"[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|"
	"\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

static const struct {
	const char *text;
	uint32_t max;
} numbers[] = {
	{ "\\p{N}{1,3}", 3 }, { "\\p{N}", 1 }, { "\\p{N}+", 0 },
};

/* Oniguruma and PCRE2 do not agree on what these mean. */
static const char *const disputed[] = {
	"\\h", "\\H", "&&", "(*", "(?C", "\\Q", "\\K", "\\G", "\\X",
	"\\R", "\\O", "\\N", "(?~", "\\g", "\\k",
};

/* Bytes of the alternative that text begins with. */
static size_t alternative_len(struct ai_span text)
{
	bool class = false;
	size_t depth = 0, i = 0;

	for (; i < text.n; i++) {
		if (text.p[i] == '\\')
			i++;
		else if (class)
			class = text.p[i] != ']';
		else if (text.p[i] == '[')
			class = true;
		else if (text.p[i] == '(')
			depth++;
		else if (text.p[i] == ')' && depth > 0)
			depth--;
		else if (text.p[i] == '|' && depth == 0)
			break;
	}
	return i < text.n ? i : text.n;
}

/* What the alternative means; its role, or -1. */
static int role_of(struct ai_span text, unsigned *rule)
{
	for (size_t i = 0; i < sizeof alternatives / sizeof alternatives[0];
	     i++) {
		if (!ai_span_is(text, alternatives[i].text))
			continue;
		*rule = alternatives[i].rule;
		return (int)alternatives[i].role;
	}
	return -1;
}

/* Whether these alternatives are a rule that splits all of a text. */
static bool agrees(const unsigned by[ROLES], const bool has[ROLES])
{
	const unsigned both = AI_SPLIT_CASED | AI_SPLIT_JOINED;
	bool lines = (by[SYMBOL] & AI_SPLIT_LINES) != 0;

	if (!has[WORD] || !has[NUMBER] || !has[SYMBOL] || !has[INNER] ||
	    !has[BLANKS] || has[LINES] != lines)
		return false;
	if ((by[WORD] & AI_SPLIT_CASED) != 0)
		return has[WORD2] && (by[WORD] & both) == (by[WORD2] & both) &&
		       !(by[SYMBOL] & AI_SPLIT_MARKS);
	return !has[WORD2] && (by[WORD] & AI_SPLIT_MARKS) ==
				      (by[SYMBOL] & AI_SPLIT_MARKS);
}

static bool find_rule(struct ai_span text, unsigned *rule)
{
	const size_t gpt2 = sizeof gpt2_contract - 1;
	unsigned by[ROLES] = { 0 };
	bool has[ROLES] = { false };
	int last = -1, role;

	*rule = 0;
	if (text.n > gpt2 && memcmp(text.p, gpt2_contract, gpt2) == 0) {
		*rule = AI_SPLIT_CONTRACT;
		last = CONTRACT;
		text = (struct ai_span){ text.p + gpt2, text.n - gpt2 };
	}
	for (size_t len; text.n > 0;) {
		unsigned one = 0;

		len = alternative_len(text);
		role = role_of((struct ai_span){ text.p, len }, &one);
		if (role <= last)
			return false;
		last = role;
		has[role] = true;
		by[role] = one;
		*rule |= one;
		len += len < text.n;
		text = (struct ai_span){ text.p + len, text.n - len };
	}
	return agrees(by, has);
}

/* A run of characters from ranges beyond ASCII: "[x-yz]+". */
static bool find_ranges(struct ai_span text, struct ai_buf *out)
{
	size_t at = 1, end = text.n - 2, len;
	uint32_t pair[2];

	if (text.n < 4 || text.p[0] != '[' || text.p[end] != ']' ||
	    text.p[end + 1] != '+')
		return false;
	while (at < end) {
		len = ai_utf8_decode(text.p + at, end - at, &pair[0]);
		if (len < 2)
			return false;
		at += len;
		pair[1] = pair[0];
		if (at < end && text.p[at] == '-') {
			len = ai_utf8_decode(text.p + at + 1, end - at - 1,
					     &pair[1]);
			if (len < 2 || pair[1] < pair[0])
				return false;
			at += 1 + len;
		}
		ai_buf_add(out, pair, sizeof pair);
	}
	return out->len > 0 && out->bad == AI_E_NONE;
}

/* "x{1,3}+": thrice as often, or as much as there is and no less.  But what
 * \p{L} says is no number. */
static bool has_counted_plus(struct ai_span text)
{
	size_t open = 0;

	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == '{')
			open = i;
		if (text.p[i] == '}' && text.p[i + 1] == '+' && open > 0 &&
		    memchr("pPxo", text.p[open - 1], 4) == NULL)
			return true;
	}
	return false;
}

static const char *disputed_in(struct ai_span text)
{
	for (size_t i = 0; i < sizeof disputed / sizeof disputed[0]; i++)
		if (memmem(text.p, text.n, disputed[i],
			   strlen(disputed[i])) != NULL)
			return disputed[i];
	return has_counted_plus(text) ? "{..}+" : NULL;
}

static int refuse_disputed(struct ai_span text, const char *what,
			   struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA,
			  "it has a pattern with '%s', which means different "
			  "things to different engines: '%.*s'", what,
			  (int)ai_utf8_floor(text.p, text.n, 120), text.p);
}

/*
 * A set within a set is a part of it to Oniguruma; to PCRE2 it is a bracket.
 * So the inner brackets go.  NULL, or what cannot be said without them.
 */
static const char *flatten_sets(struct ai_span t, struct ai_buf *out)
{
	size_t depth = 0;
	bool keep;

	for (size_t i = 0; i < t.n; i++) {
		bool named = depth > 0 && i + 1 < t.n && t.p[i] == '[' &&
			     t.p[i + 1] == ':';

		keep = true;
		if (t.p[i] == '\\' && i + 1 < t.n) {
			ai_buf_chr(out, t.p[i++]);
		} else if (named) {
			/* [:alpha:] */
			while (i + 1 < t.n && t.p[i] != ']')
				ai_buf_chr(out, t.p[i++]);
		} else if (t.p[i] == '[') {
			keep = depth++ == 0;
			if (!keep && i + 1 < t.n && t.p[i + 1] == '^')
				return "[..[^..]..]";
		} else if (t.p[i] == ']' && depth > 0) {
			keep = --depth == 0;
		}
		if (keep)
			ai_buf_chr(out, t.p[i]);
	}
	return NULL;
}

static int add_regex(struct ai_tok_spec *s, struct ai_span text,
		     struct ai_tok_step step, struct ai_err *err)
{
	struct ai_buf flat = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	const char *what = disputed_in(text);
	int rc;

	if (what == NULL)
		what = flatten_sets(text, &flat);
	rc = what != NULL ? refuse_disputed(text, what, err)
			  : ai_buf_check(&flat, "a pattern", err);
	step.kind = AI_TOK_REGEX;
	if (rc == 0)
		rc = ai_tok_spec_step(s, step,
				      (struct ai_span){ ai_buf_cstr(&flat),
							flat.len },
				      AI_SPAN(""), err);
	ai_buf_release(&flat);
	return rc;
}

static int add_step(struct ai_tok_spec *s, struct ai_span text,
		    struct ai_tok_step step, struct ai_err *err)
{
	/* A rule says where each piece ends, so all are pieces. */
	bool pieces = step.behaviour == AI_TOK_ISOLATED ||
		      (step.behaviour == AI_TOK_REMOVED && step.invert);
	struct ai_buf ranges = AI_BUF_INIT(AI_TOK_TEXT_MAX);
	unsigned rule;
	int rc;

	step.kind = 0;
	if (pieces && find_rule(text, &rule)) {
		step.kind = AI_TOK_RULE;
		step.arg = rule;
	} else if (step.behaviour == AI_TOK_ISOLATED &&
		   ai_span_is(text, deepseek)) {
		step.kind = AI_TOK_DEEPSEEK;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (!ai_span_is(text, numbers[i].text))
			continue;
		step.kind = AI_TOK_NUMBERS;
		step.arg = numbers[i].max;
	}
	if (step.kind == 0 && find_ranges(text, &ranges)) {
		step.kind = AI_TOK_RANGES;
		text = (struct ai_span){ ai_buf_cstr(&ranges), ranges.len };
	}
	rc = step.kind == 0
		     ? add_regex(s, text, step, err)
		     : ai_tok_spec_step(s, step, text, AI_SPAN(""), err);
	ai_buf_release(&ranges);
	return rc;
}

int ai_tokenizer_pattern(struct ai_tok_spec *s, struct ai_span pattern,
			 enum ai_tok_behaviour behaviour, bool invert,
			 struct ai_err *err)
{
	const struct ai_tok_step step = { .behaviour = behaviour,
					  .invert = invert };
	struct ai_buf text = AI_BUF_INIT(2 * AI_REGEX_PATTERN_MAX);
	int rc;

	/* Newlines can stand in it as such or as escapes. */
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == '\r')
			ai_buf_str(&text, "\\r");
		else if (pattern.p[i] == '\n')
			ai_buf_str(&text, "\\n");
		else
			ai_buf_chr(&text, pattern.p[i]);
	}
	rc = ai_buf_check(&text, "a pattern", err);
	if (rc == 0)
		rc = add_step(s, (struct ai_span){ ai_buf_cstr(&text),
						   text.len }, step, err);
	ai_buf_release(&text);
	return rc;
}
