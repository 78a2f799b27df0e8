#include "base/opt.h"

#include "base/buf.h"
#include "base/start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ai_start_settings ai_start;

int ai_opts_init(struct ai_opts *o, const struct ai_opt *const *tables,
		 struct ai_err *err)
{
	o->tables = tables;
	o->n = 0;
	o->source = NULL;
	o->operand_first = false;
	while (ai_opts_at(o, o->n) != NULL)
		o->n++;
	o->source = calloc(o->n + 1, sizeof *o->source);
	return o->source == NULL ? ai_err_nomem(err) : 0;
}

void ai_opts_release(struct ai_opts *o)
{
	const struct ai_opt *opt;

	for (size_t i = 0; (opt = ai_opts_at(o, i)) != NULL; i++) {
		struct ai_opt_list *list = opt->to;

		if (opt->type != AI_OPT_LIST)
			continue;
		free(list->v);
		*list = (struct ai_opt_list){ NULL, 0 };
	}
	free(o->source);
	o->source = NULL;
}

const struct ai_opt *ai_opts_at(const struct ai_opts *o, size_t i)
{
	for (const struct ai_opt *const *t = o->tables; *t != NULL; t++)
		for (const struct ai_opt *opt = *t; opt->name != NULL; opt++)
			if (i-- == 0)
				return opt;
	return NULL;
}

int ai_opts_find(const struct ai_opts *o, struct ai_span name)
{
	for (size_t i = 0; i < o->n; i++)
		if (ai_span_is(name, ai_opts_at(o, i)->name))
			return (int)i;
	return -1;
}

int ai_opts_find_letter(const struct ai_opts *o, char letter)
{
	for (size_t i = 0; i < o->n; i++)
		if (ai_opts_at(o, i)->letter == letter)
			return (int)i;
	return -1;
}

int ai_opts_find_to(const struct ai_opts *o, const void *to)
{
	for (size_t i = 0; i < o->n; i++)
		if (ai_opts_at(o, i)->to == to)
			return (int)i;
	return -1;
}

/* ---- one value ---------------------------------------------------------- */

/* A whole number with an optional K, M or G (powers of 1024) behind it. */
static int parse_count(struct ai_span s, int64_t *out)
{
	static const char units[] = "KMG";
	const char *u = s.n > 1 ? memchr(units, s.p[s.n - 1], 3) : NULL;
	int64_t scale = 1, v;

	if (u != NULL) {
		scale = (int64_t)1 << (10 * (u - units + 1));
		s.n--;
	}
	if (ai_parse_i64(s, &v) < 0 ||
	    __builtin_mul_overflow(v, scale, &v))
		return -1;
	*out = v;
	return 0;
}

static int bad_range(const struct ai_opt *opt, const char *text,
		     const char *what, const char *kind, struct ai_err *err)
{
	return ai_err_set(err, AI_E_USAGE,
			  "%s: '%.60s' is not %s from %.10g to %.10g", what,
			  text, kind, opt->min, opt->max);
}

static int set_int(const struct ai_opt *opt, const char *text,
		   const char *what, struct ai_err *err)
{
	int64_t v;

	if (parse_count(ai_span_of(text), &v) < 0 || (double)v < opt->min ||
	    (double)v > opt->max)
		return bad_range(opt, text, what, "a whole number", err);
	*(int64_t *)opt->to = v;
	return 0;
}

static int set_real(const struct ai_opt *opt, const char *text,
		    const char *what, struct ai_err *err)
{
	double v;

	if (ai_parse_f64(ai_span_of(text), &v) < 0 || v < opt->min ||
	    v > opt->max)
		return bad_range(opt, text, what, "a number", err);
	*(double *)opt->to = v;
	return 0;
}

static int set_flag(const struct ai_opt *opt, const char *text,
		    const char *what, struct ai_err *err)
{
	static const char *const yes[] = { "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off", "" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (strcmp(text, yes[i]) == 0) {
			*(bool *)opt->to = true;
			return 0;
		}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (strcmp(text, no[i]) == 0) {
			*(bool *)opt->to = false;
			return 0;
		}
	return ai_err_set(err, AI_E_USAGE, "%s: '%.60s' is not true or false",
			  what, text);
}

/* The number of this choice, or -1. */
static int find_choice(const struct ai_opt *opt, const char *text)
{
	struct ai_span want = ai_span_of(text);
	const char *p = opt->choices;

	for (int i = 0;; i++) {
		size_t n = strcspn(p, "|");

		if (ai_span_eq(want, (struct ai_span){ p, n }))
			return i;
		if (p[n] == '\0')
			return -1;
		p += n + 1;
	}
}

/* Of many choices the nearest is told. */
static void nearest_choice(const struct ai_opt *opt, const char *text,
			   char *near, size_t size)
{
	char list[512];
	const char *names[32], *found;
	size_t n = 0;

	*near = '\0';
	if (strlen(opt->choices) >= sizeof list || strlen(text) > 60)
		return;
	snprintf(list, sizeof list, "%s", opt->choices);
	for (char *rest = list; rest != NULL && n < 32;)
		names[n++] = strsep(&rest, "|");
	found = ai_nearest(text, names, n);
	if (found != NULL)
		snprintf(near, size, "; did you mean '%s'?", found);
}

static int set_choice(const struct ai_opt *opt, const char *text,
		      const char *what, struct ai_err *err)
{
	char near[80];
	int i = find_choice(opt, text);

	if (i >= 0) {
		*(int *)opt->to = i;
		return 0;
	}
	nearest_choice(opt, text, near, sizeof near);
	return ai_err_set(err, AI_E_USAGE, "%s: '%.60s' is not one of %s%s",
			  what, text, opt->choices, near);
}

static int set_text(const struct ai_opt *opt, const char *text,
		    const char *what, struct ai_err *err)
{
	(void)what, (void)err;
	*(const char **)opt->to = text;
	return 0;
}

static int set_list(const struct ai_opt *opt, const char *text,
		    const char *what, struct ai_err *err)
{
	struct ai_opt_list *list = opt->to;
	const char **v = realloc(list->v, (list->n + 1) * sizeof *v);

	(void)what;
	if (v == NULL)
		return ai_err_nomem(err);
	v[list->n++] = text;
	list->v = v;
	return 0;
}

typedef int set_fn(const struct ai_opt *, const char *, const char *,
		   struct ai_err *);

static const struct {
	const char *name;
	set_fn *set;
} types[] = {
	[AI_OPT_FLAG] = { "flag", set_flag },
	[AI_OPT_INT] = { "int", set_int },
	[AI_OPT_REAL] = { "real", set_real },
	[AI_OPT_TEXT] = { "text", set_text },
	[AI_OPT_FILE] = { "file", set_text },
	[AI_OPT_CHOICE] = { "choice", set_choice },
	[AI_OPT_LIST] = { "list", set_list },
};

const char *ai_opt_type_name(enum ai_opt_type type)
{
	return types[type].name;
}

int ai_opts_set(struct ai_opts *o, size_t i, enum ai_source source,
		const char *text, const char *what, struct ai_err *err)
{
	const struct ai_opt *opt = ai_opts_at(o, i);

	if (o->source[i] > source)
		return 0;
	if (types[opt->type].set(opt, text, what, err) < 0) {
		if (err != NULL && source < AI_SOURCE_FLAG &&
		    err->code == AI_E_USAGE)
			err->code = AI_E_CONFIG;
		return -1;
	}
	o->source[i] = source;
	return 0;
}

int ai_opts_show(const struct ai_opts *o, size_t i, struct ai_buf *out)
{
	const struct ai_opt *opt = ai_opts_at(o, i);
	const char *p = opt->choices, *text;
	const struct ai_opt_list *list;

	switch (opt->type) {
	case AI_OPT_FLAG:
		return ai_buf_str(out, *(bool *)opt->to ? "true" : "false");
	case AI_OPT_INT:
		return ai_buf_fmt(out, "%" PRId64, *(int64_t *)opt->to);
	case AI_OPT_REAL:
		return ai_buf_fmt(out, "%.15g", *(double *)opt->to);
	case AI_OPT_TEXT:
	case AI_OPT_FILE:
		text = *(const char **)opt->to;
		return ai_buf_str(out, text == NULL ? "" : text);
	case AI_OPT_CHOICE:
		for (int k = *(int *)opt->to; k > 0; k--)
			p = strchr(p, '|') + 1;
		return ai_buf_add(out, p, strcspn(p, "|"));
	case AI_OPT_LIST:
		list = opt->to;
		for (size_t k = 0; k < list->n; k++)
			ai_buf_fmt(out, "%s%s", k > 0 ? "," : "", list->v[k]);
		return out->bad == AI_E_NONE ? 0 : -1;
	}
	return -1;
}

/* ---- argv --------------------------------------------------------------- */

static int unknown(const struct ai_opts *o, struct ai_span name,
		   struct ai_err *err)
{
	char given[64];
	const char **names = calloc(o->n + 1, sizeof *names), *near;

	if (names == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0; i < o->n; i++)
		names[i] = ai_opts_at(o, i)->name;
	if (name.n >= sizeof given)
		name.n = sizeof given - 1;
	memcpy(given, name.p, name.n);
	given[name.n] = '\0';
	near = ai_nearest(given, names, o->n);
	free(names);
	if (near == NULL)
		return ai_err_set(err, AI_E_USAGE,
				  "unknown option '--%s' (see --help)", given);
	return ai_err_set(err, AI_E_USAGE,
			  "unknown option '--%s'; did you mean '--%s'?", given,
			  near);
}

/* Where parsing stands in argv. */
struct cursor {
	char **argv;
	int argc, i;
};

/* The value of an option: behind "=", glued to a letter, or the next word. */
static const char *value_of(struct cursor *c, const char *glued)
{
	if (glued != NULL)
		return glued;
	return c->i < c->argc ? c->argv[c->i++] : NULL;
}

/* The same where it may be missing: the next word only if it is a choice. */
static const char *value_if_any(struct cursor *c, const struct ai_opt *opt,
				const char *glued)
{
	if (opt->bare == NULL || glued != NULL)
		return value_of(c, glued);
	return c->i < c->argc && find_choice(opt, c->argv[c->i]) >= 0
		? c->argv[c->i++] : opt->bare;
}

static int parse_long(struct ai_opts *o, struct cursor *c, const char *word,
		      struct ai_err *err)
{
	struct ai_span name = { word, strcspn(word, "=") };
	const char *glued = word[name.n] == '=' ? word + name.n + 1 : NULL;
	const struct ai_opt *opt;
	const char *value;
	char what[80];
	int i = ai_opts_find(o, name);
	bool no = false;

	if (i < 0 && name.n > 3 && memcmp(name.p, "no-", 3) == 0) {
		i = ai_opts_find(o, (struct ai_span){ name.p + 3, name.n - 3 });
		no = i >= 0 && (ai_opts_at(o, (size_t)i)->bare != NULL ||
				ai_opts_at(o, (size_t)i)->type == AI_OPT_FLAG);
		if (!no)
			i = -1;
	}
	if (i < 0)
		return unknown(o, name, err);
	opt = ai_opts_at(o, (size_t)i);
	if (opt->type == AI_OPT_FLAG) {
		if (glued != NULL)
			return ai_err_set(err, AI_E_USAGE,
					  "--%s takes no value", opt->name);
		value = no ? "false" : "true";
	} else if (no) {
		value = opt->initial;
	} else {
		value = value_if_any(c, opt, glued);
	}
	if (value == NULL)
		return ai_err_set(err, AI_E_USAGE, "--%s needs a value: %s",
				  opt->name, opt->arg);
	snprintf(what, sizeof what, "--%s", opt->name);
	return ai_opts_set(o, (size_t)i, AI_SOURCE_FLAG, value, what, err);
}

static int parse_letters(struct ai_opts *o, struct cursor *c, const char *p,
			 struct ai_err *err)
{
	const struct ai_opt *opt;
	const char *value;
	char what[4] = "-?";
	int i;

	for (; *p != '\0'; p++) {
		i = ai_opts_find_letter(o, *p);
		if (i < 0)
			return ai_err_set(err, AI_E_USAGE,
					  "unknown option '-%c' (see --help)",
					  *p > ' ' && *p < 127 ? *p : '?');
		opt = ai_opts_at(o, (size_t)i);
		what[1] = *p;
		if (opt->type == AI_OPT_FLAG) {
			if (ai_opts_set(o, (size_t)i, AI_SOURCE_FLAG, "true",
					what, err) < 0)
				return -1;
			continue;
		}
		value = value_if_any(c, opt, p[1] != '\0' ? p + 1 : NULL);
		if (value == NULL)
			return ai_err_set(err, AI_E_USAGE,
					  "-%c needs a value: %s", *p,
					  opt->arg);
		return ai_opts_set(o, (size_t)i, AI_SOURCE_FLAG, value, what,
				   err);
	}
	return 0;
}

int ai_opts_parse(struct ai_opts *o, int argc, char **argv, int *operands,
		  struct ai_err *err)
{
	struct cursor c = { argv, argc, 1 };
	int kept = 1;
	bool rest = false;

	while (c.i < c.argc) {
		char *word = argv[c.i++];

		/* "-5" is a number that somebody should hear about. */
		if (rest || word[0] != '-' || word[1] == '\0' ||
		    (word[1] >= '0' && word[1] <= '9')) {
			o->operand_first |= c.i == 2;
			argv[kept++] = word;
		} else if (strcmp(word, "--") == 0) {
			rest = true;
		} else if (word[1] == '-') {
			if (parse_long(o, &c, word + 2, err) < 0)
				return -1;
		} else if (parse_letters(o, &c, word + 1, err) < 0) {
			return -1;
		}
	}
	*operands = kept - 1;
	return 0;
}

/* ---- the other layers --------------------------------------------------- */

int ai_opts_from_env(struct ai_opts *o, struct ai_err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		const char *name = ai_opts_at(o, i)->env;
		const char *value = name == NULL ? NULL : getenv(name);

		if (value == NULL || *value == '\0')
			continue;
		if (ai_opts_set(o, i, AI_SOURCE_ENV, value, name, err) < 0)
			return -1;
	}
	return 0;
}

int ai_opts_from_builtin(struct ai_opts *o, struct ai_err *err)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct ai_opt *opt = ai_opts_at(o, i);

		if (opt->initial == NULL)
			continue;
		if (ai_opts_set(o, i, AI_SOURCE_BUILTIN, opt->initial,
				opt->name, err) < 0)
			return -1;
	}
	return 0;
}
