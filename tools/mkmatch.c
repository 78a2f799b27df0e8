/*
 * mkmatch.c: for the build: turns rules for secrets (bin/guard/rules.h) into C:
 * the rules, and the automaton that finds their keys.
 *
 *	mkmatch data/guard/secrets.rules guard_secret_rules >secret-table.c
 *
 * Every pattern is compiled, so that none fails later.
 */
#include "base/buf.h"
#include "text/match.h"
#include "text/regex.h"

#include "../bin/guard/rules.h"
#include "put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int try_one(const struct guard_rule *x, const char *pattern,
		   struct ai_err *err)
{
	struct ai_regex *re;
	struct ai_err why;

	if (pattern == NULL)
		return 0;
	if (ai_regex_new(&re, pattern, strlen(pattern), AI_REGEX_BYTES,
			 &why) < 0)
		return ai_err_set(err, AI_E_DATA, "line %zu: [%s]: %s", x->line,
				  x->name, why.msg);
	ai_regex_free(re);
	return 0;
}

static void put_rules(const struct guard_rules_text *t)
{
	puts("static const struct guard_rule rules[] = {");
	for (size_t i = 0; i < t->n; i++) {
		const struct guard_rule *x = &t->rules[i];

		fputs("{ ", stdout);
		put_string(x->name);
		put_string(x->pattern);
		put_string(x->literal);
		put_string(x->unless);
		put_string(x->unless_name);
		printf("%g, %g, %u, %u, %u, %d, %d, %d, 0 },\n", x->entropy,
		       x->score, x->before, x->reach, x->slack, (int)x->form,
		       (int)x->check, x->word);
	}
	puts("};");
	puts("static const unsigned short rule_of[] = {");
	for (size_t i = 0; i < t->n_keys; i++)
		printf("%u,%s", t->keys[i].rule, i % 16 == 15 ? "\n" : "");
	puts("};\nstatic const unsigned char length_of[] = {");
	for (size_t i = 0; i < t->n_keys; i++)
		printf("%zu,%s", strlen(t->keys[i].word),
		       i % 16 == 15 ? "\n" : "");
	puts("};");
}

static int convert(const char *path, struct guard_rules_text *t,
		   struct ai_buf *in, struct ai_match **m, struct ai_err *err)
{
	struct ai_span *words;
	int rc;

	if (put_read(path, in, err) < 0 ||
	    guard_rules_read(t, (struct ai_span){ ai_buf_cstr(in), in->len },
			     err) < 0)
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (try_one(&t->rules[i], t->rules[i].pattern, err) < 0 ||
		    try_one(&t->rules[i], t->rules[i].unless, err) < 0 ||
		    try_one(&t->rules[i], t->rules[i].unless_name, err) < 0)
			return -1;
	words = calloc(t->n_keys + 1, sizeof *words);
	if (words == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < t->n_keys; i++)
		words[i] = ai_span_of(t->keys[i].word);
	rc = ai_match_new(m, words, t->n_keys, AI_MATCH_CASELESS, err);
	free(words);
	return rc;
}

int main(int argc, char **argv)
{
	struct guard_rules_text t = { 0 };
	struct ai_buf in = AI_BUF_INIT(PUT_INPUT_MAX);
	struct ai_match *m = NULL;
	struct ai_err err;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: mkmatch RULES NAME\n");
		return 64;
	}
	rc = convert(argv[1], &t, &in, &m, &err);
	if (rc < 0)
		fprintf(stderr, "mkmatch: %s: %s\n", argv[1],
			err.msg);
	else {
		puts("/* Made by tools/mkmatch: edit the rules instead. */\n"
		     "#include \"../../bin/guard/rules.h\"\n");
		put_rules(&t);
		put_match(m);
		printf("const struct guard_rules %s = {\n"
		       "\trules, sizeof rules / sizeof *rules, rule_of, "
		       "length_of, &match\n};\n", argv[2]);
	}
	ai_match_free(m);
	guard_rules_release(&t);
	ai_buf_release(&in);
	return rc < 0 || fflush(stdout) != 0;
}
