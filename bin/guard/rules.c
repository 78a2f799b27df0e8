/* rules.c: reads rules for secrets. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 16384
#define OP "[ \\t\\w.-]{0,20}[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)" \
	   "[`'\"\\s=]{0,5}"
#define END "(?:[`'\"\\s;]|\\\\[nr]|$)"

/* What was said of the rule that is being read. */
struct said {
	struct ai_span form_re, name, value, unless, unless_name, keys, title;
	size_t line;
};

struct reader {
	struct guard_rules_text *t;
	struct guard_rule rule;
	struct said said;
	size_t line;
	struct ai_err *err;
};

static int bad(const struct reader *r, const char *what, struct ai_span w)
{
	return ai_err_set(r->err, AI_E_DATA, "line %zu: %s: '%.*s'", r->line,
			  what, (int)(w.n < 60 ? w.n : 60), w.p);
}

/* ---- the words of a line ------------------------------------------------------ */

static int word_re(struct reader *r, struct ai_span *at, struct ai_span v)
{
	if (at->p != NULL)
		return bad(r, "said twice", v);
	*at = v;
	return 0;
}

static int set_form(struct reader *r, struct ai_span v, enum guard_form form)
{
	if (r->rule.form != GUARD_NONE)
		return bad(r, "a rule has one form, and this is a second", v);
	r->rule.form = form;
	return word_re(r, form == GUARD_NAME ? &r->said.name
					     : &r->said.form_re, v);
}

static int on_keys(struct reader *r, struct ai_span v)
{
	return word_re(r, &r->said.keys, v);
}

static int on_start(struct reader *r, struct ai_span v)
{
	return set_form(r, v, GUARD_START);
}

static int on_name(struct reader *r, struct ai_span v)
{
	return set_form(r, v, GUARD_NAME);
}

static int on_near(struct reader *r, struct ai_span v)
{
	return set_form(r, v, GUARD_NEAR);
}

static int on_lines(struct reader *r, struct ai_span v)
{
	return set_form(r, v, GUARD_LINES);
}

static int on_value(struct reader *r, struct ai_span v)
{
	return word_re(r, &r->said.value, v);
}

static int on_unless(struct reader *r, struct ai_span v)
{
	return word_re(r, &r->said.unless, v);
}

static int on_not(struct reader *r, struct ai_span v)
{
	return word_re(r, &r->said.unless_name, v);
}

static int number(struct reader *r, struct ai_span v, unsigned *out)
{
	int64_t n;

	if (ai_parse_i64(v, &n) < 0 || n < 0 || n > GUARD_REACH_MAX)
		return bad(r, "not a number of bytes from 0 to 65535", v);
	*out = (unsigned)n;
	return 0;
}

static int on_before(struct reader *r, struct ai_span v)
{
	return number(r, v, &r->rule.before);
}

static int on_reach(struct reader *r, struct ai_span v)
{
	return number(r, v, &r->rule.reach);
}

static int real(struct reader *r, struct ai_span v, double max, double *out)
{
	/* Not "!(x <= max)": a NaN is no number for ai_parse_f64. */
	if (ai_parse_f64(v, out) < 0 || *out < 0 || *out > max)
		return bad(r, "not a number, or too large", v);
	return 0;
}

static int on_entropy(struct reader *r, struct ai_span v)
{
	return real(r, v, 8, &r->rule.entropy);
}

static int on_score(struct reader *r, struct ai_span v)
{
	return real(r, v, 1, &r->rule.score);
}

static int on_check(struct reader *r, struct ai_span v)
{
	static const char *const names[] = {
		[GUARD_GITHUB] = "github", [GUARD_JWT] = "jwt",
		[GUARD_GENERIC] = "generic", [GUARD_PASSWORD] = "password",
		[GUARD_BASIC] = "basic", [GUARD_LAST] = "last",
	};

	for (size_t i = 1; i < sizeof names / sizeof *names; i++)
		if (ai_span_is(v, names[i])) {
			r->rule.check = (enum guard_check)i;
			return 0;
		}
	return bad(r, "not github, jwt, generic, password, basic or last", v);
}

static const struct word {
	const char *name;
	int (*on)(struct reader *r, struct ai_span v);
} words[] = {
	{ "keys", on_keys }, { "start", on_start }, { "name", on_name },
	{ "near", on_near }, { "lines", on_lines }, { "value", on_value },
	{ "unless", on_unless }, { "not", on_not }, { "before", on_before },
	{ "reach", on_reach }, { "entropy", on_entropy },
	{ "score", on_score }, { "check", on_check },
};

/* ---- a whole rule ---------------------------------------------------------------- */

/* Appends re with <OP> and <end> written out. */
static void expand(struct ai_buf *b, struct ai_span re)
{
	static const struct { struct ai_span name; const char *is; } macros[] = {
		{ { "<OP>", 4 }, OP }, { { "<end>", 5 }, END },
	};

	for (size_t i = 0; i < re.n;) {
		size_t k = 0, left = re.n - i;

		while (k < 2 && (left < macros[k].name.n ||
				 memcmp(re.p + i, macros[k].name.p,
					macros[k].name.n) != 0))
			k++;
		if (k < 2)
			ai_buf_str(b, macros[k].is);
		else
			ai_buf_chr(b, re.p[i]);
		i += k < 2 ? macros[k].name.n : 1;
	}
}

static char *pattern_of(const struct reader *r)
{
	struct ai_buf b = AI_BUF_INIT(PATTERN_MAX);

	if (r->rule.form == GUARD_NAME) {
		ai_buf_str(&b, "\\G(?i)(?:");
		expand(&b, r->said.name);
		ai_buf_str(&b, ")" OP "(");
		expand(&b, r->said.value);
		ai_buf_str(&b, ")" END);
	} else {
		if (r->rule.form == GUARD_START)
			ai_buf_str(&b, "\\G");
		ai_buf_str(&b, "(?:");
		expand(&b, r->said.form_re);
		ai_buf_str(&b, ")");
	}
	if (b.bad != AI_E_NONE)
		ai_buf_release(&b);
	return b.p == NULL ? NULL : ai_buf_take(&b);
}

/* Whether something else may stand for what begins at i: a | of the same
 * group, or of one round it. */
static bool alternates(struct ai_span re, size_t i)
{
	int depth = 0;
	bool in_class = false;

	for (; i < re.n; i++) {
		char c = re.p[i];

		if (c == '\\')
			i++;
		else if (in_class)
			in_class = c != ']';
		else if (c == '[')
			in_class = true;
		else if (c == '|' && depth <= 0)
			return true;
		else
			depth += (c == '(') - (c == ')');
	}
	return false;
}

/* What a match begins with, as far as that is plain to see. */
static char *literal_of(struct ai_span re, bool *word)
{
	size_t i = 0, from;

	*word = re.n > 6 && memcmp(re.p, "(?i)\\b", 6) == 0;
	if (!*word && re.n > 2 && memcmp(re.p, "\\b", 2) == 0) {
		*word = true;
		i = 2;
	}
	*word = *word && !alternates(re, 0);
	if (i + 1 < re.n && re.p[i] == '(' && re.p[i + 1] != '?')
		i++;
	from = i;
	while (i < re.n && strchr("\\[](){}?*+|.^$", re.p[i]) == NULL)
		i++;
	/* A letter that is repeated may be there or not. */
	if (i > from && i < re.n && strchr("?*{", re.p[i]) != NULL)
		i--;
	if (alternates(re, from))
		i = from;
	return ai_span_dup((struct ai_span){ re.p + from, i - from });
}

static int add_key(struct reader *r, struct ai_span w)
{
	struct guard_rules_text *t = r->t;
	struct guard_key *more;

	if (w.n < 2 || w.n > AI_MATCH_WORD_MAX)
		return bad(r, "a key has 2 to 255 bytes", w);
	if (t->n_keys == GUARD_RULES_MAX)
		return bad(r, "too many keys", w);
	if (t->n_keys == t->keys_cap) {
		more = reallocarray(t->keys, 2 * t->keys_cap + 64, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(r->err);
		t->keys = more;
		t->keys_cap = 2 * t->keys_cap + 64;
	}
	t->keys[t->n_keys].word = ai_span_dup(w);
	if (t->keys[t->n_keys].word == NULL)
		return ai_err_nomem(r->err);
	t->keys[t->n_keys++].rule = (unsigned short)(t->n - 1);
	return 0;
}

static int add_keys(struct reader *r)
{
	struct ai_span v = r->said.keys;

	for (size_t i = 0; i < v.n;) {
		size_t from = i;

		while (i < v.n && v.p[i] != ' ')
			i++;
		if (i > from && add_key(r, (struct ai_span){ v.p + from,
							    i - from }) < 0)
			return -1;
		i++;
	}
	return 0;
}

static int copy(const char **out, struct ai_span v)
{
	if (v.p != NULL && (*out = ai_span_dup(v)) == NULL)
		return -1;
	return 0;
}

/* The rule that was read is complete, if there is one. */
static int finish(struct reader *r)
{
	struct guard_rules_text *t = r->t;
	struct guard_rule *more, *x;

	if (r->said.title.p == NULL)
		return 0;
	if (r->said.keys.n == 0 || r->rule.form == GUARD_NONE ||
	    (r->rule.form == GUARD_NAME) != (r->said.value.p != NULL))
		return bad(r, "a rule needs keys, and one of start, near, lines, or name and value",
			   r->said.title);
	if (t->n == GUARD_RULES_MAX)
		return bad(r, "too many rules", r->said.title);
	if (t->n == t->cap) {
		more = reallocarray(t->rules, 2 * t->cap + 32, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(r->err);
		t->rules = more;
		t->cap = 2 * t->cap + 32;
	}
	x = &t->rules[t->n++];
	*x = r->rule;
	x->literal = r->rule.form == GUARD_START
			     ? literal_of(r->said.form_re, &x->word)
			     : strdup("");
	x->pattern = pattern_of(r);
	/* A name that is not plain words may go on behind its key. */
	if (r->said.name.p != NULL &&
	    (memchr(r->said.name.p, '[', r->said.name.n) != NULL ||
	     memchr(r->said.name.p, '.', r->said.name.n) != NULL))
		x->slack = 16;
	if (copy(&x->name, r->said.title) < 0 || x->literal == NULL ||
	    copy(&x->unless, r->said.unless) < 0 ||
	    copy(&x->unless_name, r->said.unless_name) < 0)
		return ai_err_nomem(r->err);
	if (x->pattern == NULL)
		return bad(r, "the pattern is too long", r->said.title);
	return add_keys(r);
}

static int begin(struct reader *r, struct ai_span line)
{
	if (finish(r) < 0)
		return -1;
	if (line.n < 3 || line.p[line.n - 1] != ']')
		return bad(r, "not [NAME]", line);
	r->rule = (struct guard_rule){ .reach = 512, .score = .9,
					.line = r->line };
	r->said = (struct said){ .title = { line.p + 1, line.n - 2 } };
	return 0;
}

static int line_is(struct reader *r, struct ai_span line)
{
	const char *blank;
	struct ai_span name = line, v = { NULL, 0 };

	if (line.n == 0 || line.p[0] == '#')
		return 0;
	if (memchr(line.p, '\0', line.n) != NULL)
		return bad(r, "a NUL", AI_SPAN(""));
	if (line.p[0] == '[')
		return begin(r, line);
	if (r->said.title.p == NULL)
		return bad(r, "not [NAME]", line);
	blank = memchr(line.p, ' ', line.n);
	if (blank != NULL) {
		name.n = (size_t)(blank - line.p);
		v = (struct ai_span){ blank + 1, line.n - name.n - 1 };
	}
	if (v.n == 0)
		return bad(r, "nothing is said", line);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (ai_span_is(name, words[i].name))
			return words[i].on(r, v);
	return bad(r, "no word of a rule", name);
}

int guard_rules_read(struct guard_rules_text *t, struct ai_span text,
		     struct ai_err *err)
{
	struct reader r = { .t = t, .err = err };

	for (size_t i = 0; i < text.n;) {
		const char *nl = memchr(text.p + i, '\n', text.n - i);
		size_t to = nl == NULL ? text.n : (size_t)(nl - text.p);

		r.line++;
		if (line_is(&r, (struct ai_span){ text.p + i, to - i }) < 0)
			return -1;
		i = to + 1;
	}
	return finish(&r);
}

void guard_rules_release(struct guard_rules_text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free((char *)t->rules[i].name);
		free((char *)t->rules[i].pattern);
		free((char *)t->rules[i].literal);
		free((char *)t->rules[i].unless);
		free((char *)t->rules[i].unless_name);
	}
	for (size_t i = 0; i < t->n_keys; i++)
		free(t->keys[i].word);
	free(t->rules);
	free(t->keys);
	memset(t, 0, sizeof *t);
}
