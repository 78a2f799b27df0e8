/* What the validator says: the place, what is wrong there, the way out. */
#include "record/schema-int.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A longer list of choices is not shown, nor searched for near names. */
#define CHOICES_SHOWN 12
#define CHOICES_SEARCHED 256

/* What was written; a message without memory says so instead of nothing. */
static const char *text_of(const struct ai_buf *b)
{
	return b->bad == AI_E_MEMORY ? "(out of memory)" : ai_buf_cstr(b);
}

void ai_say(struct ai_err *err, enum ai_code code, const struct ai_buf *b)
{
	const char *p = ai_buf_cstr(b);
	size_t room = sizeof err->msg - 1;

	if (err == NULL)
		return;
	if (b->bad == AI_E_MEMORY)
		ai_err_nomem(err);
	else
		ai_err_set(err, code, "%.*s",
			   (int)(b->len > room
					 ? ai_utf8_floor(p, b->len, room)
					 : b->len), p);
}

/* "properties.size.minimum" */
static void say_where(const struct ai_check *c)
{
	if (c->where == NULL || c->frame == NULL)
		return;
	ai_buf_clear(c->where);
	ai_node_path(c->frame->sub->node, c->where);
	if (c->rule != NULL)
		ai_buf_fmt(c->where, "%s%s", c->where->len > 0 ? "." : "",
			   ai_keyword_name(c->rule->key));
}

bool ai_check_fail(struct ai_check *c, const struct ai_node *at, int weight,
		   const char *fmt, ...)
{
	struct ai_buf b = AI_BUF_INIT(16384);
	unsigned miss = AI_MISS(at, weight);
	va_list ap;

	if (miss > c->miss)
		c->miss = miss;
	if (c->quiet > 0 || c->stop)
		return false;
	say_where(c);
	ai_node_path(at, &b);
	if (at->up != NULL)
		ai_buf_str(&b, ": ");
	va_start(ap, fmt);
	ai_buf_vfmt(&b, fmt, ap);
	va_end(ap);
	ai_say(c->err, AI_E_RECORD, &b);
	ai_buf_release(&b);
	return false;
}

bool ai_check_stop(struct ai_check *c, enum ai_code code,
		   const struct ai_node *at, const char *message)
{
	struct ai_buf b = AI_BUF_INIT(16384);

	if (c->stop)
		return false;
	c->stop = true;
	if (at != NULL && at->up != NULL) {
		ai_node_path(at, &b);
		ai_buf_str(&b, ": ");
	}
	ai_buf_str(&b, message);
	ai_say(c->err, code, &b);
	ai_buf_release(&b);
	return false;
}

/* Whether a message would be lost, so that its parts need no making. */
static bool mute(const struct ai_check *c)
{
	return c->quiet > 0 || c->stop;
}

bool ai_check_fail_type(struct ai_check *c, const struct ai_node *at,
			unsigned kinds)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ 1u << AI_OBJECT, "an object" },
		{ 1u << AI_ARRAY, "an array" },
		{ 1u << AI_STRING, "a string" },
		{ 1u << AI_NUMBER, "a number" },
		{ AI_WHOLE, "a whole number" },
		{ 1u << AI_BOOL, "true or false" },
		{ 1u << AI_NULL, "null" },
	};
	struct ai_buf want = AI_BUF_INIT(256), is = AI_BUF_INIT(512);

	if (mute(c))
		return ai_check_fail(c, at, AI_WEIGHT_TYPE, "type");
	if (kinds & 1u << AI_NUMBER)
		kinds &= ~AI_WHOLE;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if ((kinds & names[i].bit) == 0)
			continue;
		if (want.len > 0)
			ai_buf_str(&want, " or ");
		ai_buf_str(&want, names[i].name);
	}
	ai_node_show(at, &is);
	ai_check_fail(c, at, AI_WEIGHT_TYPE, "expected %s, not %s",
		      text_of(&want), text_of(&is));
	ai_buf_release(&want);
	ai_buf_release(&is);
	return false;
}

/* Names as C strings, for ai_nearest(); at most CHOICES_SEARCHED. */
struct names {
	char *v[CHOICES_SEARCHED];
	size_t n;
};

static void add_name(struct names *names, struct ai_span name)
{
	char *copy;

	if (names->n == CHOICES_SEARCHED ||
	    (name.n > 0 && memchr(name.p, '\0', name.n) != NULL))
		return;
	copy = ai_span_dup(name);
	if (copy != NULL)
		names->v[names->n++] = copy;
}

/* Appends "; did you mean 'x'?" if one of the names is near. */
static void suggest(const struct names *names, struct ai_span given,
		    struct ai_buf *out)
{
	char *s = ai_span_dup(given);
	const char *near = NULL;

	if (s != NULL && memchr(given.p, '\0', given.n) == NULL)
		near = ai_nearest(s, (const char *const *)names->v, names->n);
	free(s);
	if (near == NULL)
		return;
	ai_buf_str(out, "; did you mean '");
	ai_show_text(ai_span_of(near), 60, out);
	ai_buf_str(out, "'?");
}

static void release_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
}

static void put_choices(const struct ai_node *list, struct ai_buf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			ai_buf_str(out, ", ");
		ai_node_show(&list->kids[i], out);
	}
}

bool ai_check_fail_enum(struct ai_check *c, const struct ai_node *at,
			const struct ai_node *list)
{
	struct ai_buf is = AI_BUF_INIT(512), rest = AI_BUF_INIT(8192);
	struct names names = { .n = 0 };

	if (mute(c))
		return ai_check_fail(c, at, AI_WEIGHT_ENUM, "enum");
	ai_node_show(at, &is);
	if (list->n > CHOICES_SHOWN)
		ai_buf_fmt(&rest, "the %zu values allowed", list->n);
	else
		put_choices(list, &rest);
	for (size_t i = 0; i < list->n; i++)
		if (list->kids[i].kind == AI_STRING)
			add_name(&names, list->kids[i].text);
	if (at->kind == AI_STRING)
		suggest(&names, at->text, &rest);
	ai_check_fail(c, at, AI_WEIGHT_ENUM, "%s is not one of %s",
		      text_of(&is), text_of(&rest));
	release_names(&names);
	ai_buf_release(&is);
	ai_buf_release(&rest);
	return false;
}

/* How far names are looked for through $ref and the like. */
#define NAMES_DEPTH 4

/* The names that a schema has properties for, and those applied in place. */
static void collect_names(struct names *names, const struct ai_sub *sub,
			  unsigned depth)
{
	for (size_t i = 0; i < sub->n_rules; i++) {
		const struct ai_rule *r = &sub->rules[i];

		switch (r->key) {
		case AI_KW_PROPERTIES:
			for (size_t k = 0; k < r->val->n; k++)
				if (!r->subs[k]->never)
					add_name(names, r->val->kids[k].key);
			break;
		case AI_KW_ALL_OF:
		case AI_KW_ANY_OF:
		case AI_KW_ONE_OF:
			for (size_t k = 0; depth > 0 && k < r->val->n; k++)
				collect_names(names, r->subs[k], depth - 1);
			break;
		case AI_KW_REF:
		case AI_KW_DYNAMIC_REF:
		case AI_KW_IF:
		case AI_KW_THEN:
		case AI_KW_ELSE:
			if (depth > 0)
				collect_names(names, r->sub, depth - 1);
			break;
		default:
			break;
		}
	}
}

bool ai_check_fail_key(struct ai_check *c, const struct ai_node *member,
		       const struct ai_sub *sub, bool in_place)
{
	struct ai_buf hint = AI_BUF_INIT(512);
	struct names names = { .n = 0 };

	if (mute(c))
		return ai_check_fail(c, member, AI_WEIGHT_VALUE, "key");
	collect_names(&names, sub, in_place ? NAMES_DEPTH : 0);
	suggest(&names, member->key, &hint);
	ai_check_fail(c, member, AI_WEIGHT_VALUE, "not a known key%s",
		      text_of(&hint));
	release_names(&names);
	ai_buf_release(&hint);
	return false;
}

bool ai_check_fail_const(struct ai_check *c, const struct ai_node *at,
			 const struct ai_node *required)
{
	struct ai_buf is = AI_BUF_INIT(512), want = AI_BUF_INIT(512);

	if (mute(c))
		return ai_check_fail(c, at, AI_WEIGHT_CONST, "const");
	ai_node_show(at, &is);
	ai_node_show(required, &want);
	/* One array is not shown, and two look alike. */
	ai_check_fail(c, at, AI_WEIGHT_CONST, "%s is not the required %s",
		      text_of(&is),
		      required->n > 0 ? "value" : text_of(&want));
	ai_buf_release(&is);
	ai_buf_release(&want);
	return false;
}

bool ai_check_fail_value(struct ai_check *c, const struct ai_node *at,
			 const char *relation, const struct ai_node *to)
{
	struct ai_buf b = AI_BUF_INIT(1024);

	if (mute(c))
		return ai_check_fail(c, at, AI_WEIGHT_VALUE, "value");
	ai_node_show(at, &b);
	ai_buf_fmt(&b, " %s ", relation);
	ai_node_show(to, &b);
	ai_check_fail(c, at, AI_WEIGHT_VALUE, "%s", text_of(&b));
	ai_buf_release(&b);
	return false;
}

bool ai_check_fail_missing(struct ai_check *c, const struct ai_node *at,
			   struct ai_span name, struct ai_span beside)
{
	struct ai_buf b = AI_BUF_INIT(1024);

	if (mute(c))
		return ai_check_fail(c, at, AI_WEIGHT_VALUE, "missing");
	ai_buf_chr(&b, '\'');
	ai_show_text(name, 60, &b);
	ai_buf_str(&b, "' is missing");
	if (beside.p != NULL) {
		ai_buf_str(&b, " beside '");
		ai_show_text(beside, 60, &b);
		ai_buf_chr(&b, '\'');
	}
	ai_check_fail(c, at, AI_WEIGHT_VALUE, "%s", text_of(&b));
	ai_buf_release(&b);
	return false;
}
