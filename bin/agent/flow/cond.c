/* cond.c: conditions: read, tested, said. */
#include "flow/int.h"

#include "record/dec.h"
#include "text/regex.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *said;
} tests[] = {
	[FLOW_IS] = { "is", "is" },
	[FLOW_CONTAINS] = { "contains", "contains" },
	[FLOW_MATCHES] = { "matches", "matches" },
	[FLOW_LESS] = { "less", "is less than" },
	[FLOW_MORE] = { "more", "is more than" },
	[FLOW_EXISTS] = { "exists", "is there" },
	[FLOW_ALL] = { "all", " and " },
	[FLOW_ANY] = { "any", " or " },
	[FLOW_NOT] = { "not", "not " },
};

#define TESTS (sizeof tests / sizeof tests[0])

/* ---- reading ------------------------------------------------------------------- */

static void release(struct flow_cond *c)
{
	flow_text_release(&c->value);
	free(c->operand);
	ai_schema_free(c->same);
	ai_regex_free(c->regex);
	for (size_t i = 0; i < c->n; i++)
		release(&c->of[i]);
	free(c->of);
}

void flow_cond_free(struct flow_cond *c)
{
	if (c == NULL)
		return;
	release(c);
	free(c);
}

static int read_into(struct flow_reader *r, struct ai_value v,
		     enum flow_name absent, struct flow_cond *c);

/* The one member that says what is tested. */
static int find_test(struct flow_reader *r, struct ai_value v,
		     struct flow_cond *c, struct ai_value *operand)
{
	size_t found = TESTS;
	struct ai_value m;

	for (size_t i = 0; i < TESTS; i++) {
		m = ai_json_member(v, ai_span_of(tests[i].name));
		if (m.kind == AI_NONE)
			continue;
		if (found < TESTS)
			return flow_refuse(r, v, "'%s' and '%s' are two tests; "
					   "\"all\": [{...}, {...}] joins them",
					   tests[found].name, tests[i].name);
		found = i;
		*operand = m;
	}
	if (found == TESTS)
		return flow_refuse(r, v, "it tests nothing; there are is, "
				   "contains, matches, less, more, exists, all, "
				   "any, not");
	c->test = (enum flow_test)found;
	return 0;
}

static int read_list(struct flow_reader *r, struct ai_value list,
		     enum flow_name absent, struct flow_cond *c)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t was;

	c->of = calloc(flow_count(list), sizeof *c->of);
	if (c->of == NULL)
		return ai_err_nomem(r->err);
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		was = flow_down_n(r, c->n++);
		if (read_into(r, v, absent, &c->of[c->n - 1]) < 0)
			return -1;
		flow_up(r, was);
	}
	return 0;
}

static int read_pattern(struct flow_reader *r, struct ai_value v,
			struct flow_cond *c)
{
	struct ai_err why;
	char *text = NULL;
	int rc = flow_take_text(r, v, &text);

	if (rc == 0 && ai_regex_new(&c->regex, text, strlen(text),
				    AI_REGEX_ECMA | AI_REGEX_METERED,
				    &why) < 0)
		rc = flow_refuse(r, v, "%s", why.msg);
	free(text);
	return rc;
}

static int read_same(struct flow_reader *r, struct ai_value v,
		     struct flow_cond *c)
{
	struct ai_buf b = AI_BUF_INIT(FLOW_FILE_MAX + 100);
	struct ai_err why;
	int rc;

	ai_put_open(&b, '{');
	ai_put_key(&b, "const");
	ai_put_value(&b, v);
	ai_put_close(&b, '}');
	rc = ai_buf_check(&b, "a value", r->err);
	if (rc == 0 && ai_schema_new_unchecked(&c->same, b.p, b.len, &why) < 0)
		rc = flow_refuse(r, v, "%s", why.msg);
	ai_buf_release(&b);
	return rc;
}

static int read_operand(struct flow_reader *r, struct ai_value v,
			enum flow_name absent, struct flow_cond *c)
{
	if (c->test == FLOW_ALL || c->test == FLOW_ANY)
		return read_list(r, v, absent, c);
	if (c->test == FLOW_NOT) {
		c->of = calloc(1, sizeof *c->of);
		if (c->of == NULL)
			return ai_err_nomem(r->err);
		c->n = 1;
		return read_into(r, v, absent, c->of);
	}
	if (c->test == FLOW_MATCHES && read_pattern(r, v, c) < 0)
		return -1;
	if (c->test == FLOW_IS && read_same(r, v, c) < 0)
		return -1;
	return flow_take_json(r, v, &c->operand);
}

static int read_value(struct flow_reader *r, struct ai_value cond,
		      enum flow_name absent, struct flow_cond *c)
{
	struct ai_value v = ai_json_member(cond, AI_SPAN("value"));
	size_t was;
	int rc;

	if (c->test >= FLOW_ALL)
		return v.kind == AI_NONE ? 0 :
			flow_refuse(r, v, "'value' stands in each of '%s', not "
				    "beside it", tests[c->test].name);
	if (v.kind != AI_NONE) {
		was = flow_down(r, "value");
		rc = flow_text_read(r, v, &c->value);
		if (rc == 0)
			flow_up(r, was);
		return rc;
	}
	if (absent == FLOW_NO_NAME)
		return flow_refuse(r, cond, "'value' is missing: what is "
				   "tested, such as \"{{input}}\"");
	return flow_text_of(r, absent, &c->value);
}

static int read_into(struct flow_reader *r, struct ai_value v,
		     enum flow_name absent, struct flow_cond *c)
{
	struct ai_value operand;
	size_t was;

	if (find_test(r, v, c, &operand) < 0 ||
	    read_value(r, v, absent, c) < 0)
		return -1;
	was = flow_down(r, tests[c->test].name);
	if (read_operand(r, operand, absent, c) < 0)
		return -1;
	flow_up(r, was);
	return 0;
}

int flow_cond_read(struct flow_reader *r, struct ai_value v,
		   enum flow_name absent, struct flow_cond **c)
{
	if (v.kind == AI_NONE)
		return 0;
	*c = calloc(1, sizeof **c);
	return *c == NULL ? ai_err_nomem(r->err) : read_into(r, v, absent, *c);
}

/* ---- testing ------------------------------------------------------------------- */

/* What is tested: as a value, if it is just one, and as a text. */
struct tested {
	struct ai_value v;
	struct ai_buf text;
};

static struct ai_value operand_of(const struct flow_cond *c)
{
	struct ai_value v;

	ai_json_check(c->operand, strlen(c->operand), &v, NULL);
	return v;
}

/* The text of a value, as flow_text_put() writes it. */
static void put_text(struct ai_value v, struct ai_buf *out)
{
	if (v.kind == AI_STRING)
		ai_json_text(v, out);
	else
		ai_buf_add(out, v.s.p, v.s.n);
}

/* -1: not to be found out. */
static int same_json(const struct flow_cond *c, struct ai_span json,
		     bool *same, struct ai_err *err)
{
	if (ai_schema_check(c->same, json.p, json.n, err) == 0) {
		*same = true;
		return 0;
	}
	return err->code == AI_E_MEMORY || err->code == AI_E_TOO_LONG ? -1 : 0;
}

/* As JSON, or as text: "3" is 3, and "3.0" is, too. */
static int test_is(const struct flow_cond *c, const struct tested *t,
		   bool *holds, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(FLOW_FILE_MAX);
	struct ai_err why = { 0 };
	int rc = 0;

	put_text(operand_of(c), &text);
	if (ai_buf_check(&text, "a value", err) < 0)
		return -1;
	*holds = text.len == t->text.len && (text.len == 0 ||
		 memcmp(text.p, t->text.p, text.len) == 0);
	if (!*holds && t->v.kind != AI_NONE)
		rc = same_json(c, t->v.s, holds, &why);
	if (rc == 0 && !*holds && t->text.len > 0)
		rc = same_json(c, (struct ai_span){ t->text.p, t->text.len },
			       holds, &why);
	ai_buf_release(&text);
	if (rc < 0)
		*err = why;
	return rc;
}

static bool has_text(const struct ai_buf *in, const struct ai_buf *what)
{
	return what->len == 0 || (in->len > 0 &&
		memmem(in->p, in->len, what->p, what->len) != NULL);
}

/* A text within it; an element of a list. */
static int test_contains(const struct flow_cond *c, const struct tested *t,
			 bool *holds, struct ai_err *err)
{
	struct ai_buf text = AI_BUF_INIT(FLOW_FILE_MAX);
	struct ai_json_iter it;
	struct ai_value v;

	put_text(operand_of(c), &text);
	if (ai_buf_check(&text, "a value", err) < 0)
		return -1;
	if (t->v.kind == AI_ARRAY) {
		ai_json_iter_init(&it, t->v);
		while (!*holds && ai_json_next(&it, NULL, &v))
			*holds = v.kind == AI_STRING && ai_json_is(v,
				(struct ai_span){ ai_buf_cstr(&text),
						  text.len });
	} else {
		*holds = has_text(&t->text, &text);
	}
	ai_buf_release(&text);
	return 0;
}

static int test_matches(const struct flow_cond *c, const struct tested *t,
			bool *holds, struct ai_err *err)
{
	int rc = ai_regex_match(c->regex, (struct ai_span){
				ai_buf_cstr(&t->text), t->text.len }, 0, NULL,
				0, err);

	*holds = rc == 1;
	return rc < 0 ? -1 : 0;
}

/* What is no number is neither less nor more. */
static int test_size(const struct flow_cond *c, const struct tested *t,
		     bool *holds, struct ai_err *err)
{
	struct ai_value v;
	int cmp;

	(void)err;
	if (t->text.len == 0 ||
	    ai_json_check(t->text.p, t->text.len, &v, NULL) < 0 ||
	    v.kind != AI_NUMBER)
		return 0;
	cmp = ai_dec_cmp(ai_dec_of(v.s), ai_dec_of(operand_of(c).s));
	*holds = c->test == FLOW_LESS ? cmp < 0 : cmp > 0;
	return 0;
}

static int test_exists(const struct flow_cond *c, const struct tested *t,
		       bool *holds, struct ai_err *err)
{
	bool there = t->v.kind == AI_NULL ? false : t->text.len > 0;

	(void)err;
	*holds = there == ai_json_true(operand_of(c));
	return 0;
}

static int test_value(const struct flow_cond *c, const struct flow_scope *s,
		      bool *holds, struct ai_err *err)
{
	static int (*const how[])(const struct flow_cond *,
				  const struct tested *, bool *,
				  struct ai_err *) = {
		[FLOW_IS] = test_is, [FLOW_CONTAINS] = test_contains,
		[FLOW_MATCHES] = test_matches, [FLOW_LESS] = test_size,
		[FLOW_MORE] = test_size, [FLOW_EXISTS] = test_exists,
	};
	struct tested t = { .text = AI_BUF_INIT(4 * FLOW_FILE_MAX) };
	int rc;

	*holds = false;
	t.v = flow_text_value(&c->value, s);
	rc = flow_text_put(&c->value, s, &t.text, err);
	if (rc == 0)
		rc = how[c->test](c, &t, holds, err);
	ai_buf_release(&t.text);
	return rc;
}

int flow_cond_holds(const struct flow_cond *c, const struct flow_scope *s,
		    bool *holds, struct ai_err *err)
{
	if (c->test < FLOW_ALL)
		return test_value(c, s, holds, err);
	for (size_t i = 0; i < c->n; i++) {
		if (flow_cond_holds(&c->of[i], s, holds, err) < 0)
			return -1;
		if (c->test != FLOW_NOT && *holds == (c->test == FLOW_ANY))
			return 0;
	}
	if (c->test == FLOW_NOT)
		*holds = !*holds;
	return 0;
}

/* ---- for people ---------------------------------------------------------------- */

static void say_parts(const struct flow_cond *c, struct ai_buf *out)
{
	bool braces;

	for (size_t i = 0; i < c->n; i++) {
		braces = c->of[i].test == FLOW_ALL || c->of[i].test == FLOW_ANY;
		if (i > 0 || c->test == FLOW_NOT)
			ai_buf_str(out, tests[c->test].said);
		if (braces)
			ai_buf_chr(out, '(');
		flow_cond_say(&c->of[i], out);
		if (braces)
			ai_buf_chr(out, ')');
	}
}

void flow_cond_say(const struct flow_cond *c, struct ai_buf *out)
{
	if (c->test >= FLOW_ALL) {
		say_parts(c, out);
		return;
	}
	flow_text_say(&c->value, out);
	if (c->test == FLOW_EXISTS)
		ai_buf_str(out, strcmp(c->operand, "true") == 0 ?
			   " is there" : " is not there");
	else
		ai_buf_fmt(out, " %s %s", tests[c->test].said, c->operand);
}
