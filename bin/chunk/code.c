#include "code.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_one_of(struct ai_span word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (ai_span_is(word, *words))
			return true;
	return false;
}

static struct ai_span word_at(const struct chunk_code *c, size_t at)
{
	size_t end = at;

	while (end < c->n && chunk_code_is_word(c->p[end]))
		end++;
	return (struct ai_span){ c->p + at, end - at };
}

/* ---- brackets ------------------------------------------------------------ */

static char kind_of(const struct chunk_code *c, size_t depth)
{
	return depth < CODE_STACK ? c->stack[depth] : 'b';
}

static void push(struct chunk_code *c, char kind)
{
	if (c->depth < CODE_STACK)
		c->stack[c->depth] = kind;
	else
		kind = 'b';
	c->depth++;
	c->blocks += kind != 'c';
}

static void pop(struct chunk_code *c)
{
	c->depth--;
	c->blocks -= kind_of(c, c->depth) != 'c';
}

static void end_statement(struct chunk_code *c, bool by_brace)
{
	c->complete = true;
	c->after_brace = by_brace;
	c->holds = HOLDS_NONE;
	c->is_function = false;
}

static void open_brace(struct chunk_code *c)
{
	bool holds = c->holds != HOLDS_NONE && !c->is_function;

	push(c, holds ? 'c' : 'b');
	/* What stands in it begins anew. */
	if (holds)
		end_statement(c, false);
}

static void close_brace(struct chunk_code *c, size_t at)
{
	/* In the first column it closes all: who lost count, and #if does
	 * that with a brace on both sides, finds it again. */
	bool all = (at == 0 || c->p[at - 1] == '\n') &&
		!(at + 1 < c->n && c->p[at + 1] == ')');

	while (c->depth > 0 && (all || kind_of(c, c->depth - 1) == '('))
		pop(c);
	if (c->depth > 0)
		pop(c);
	end_statement(c, true);
	c->attached = c->attached && c->blocks > 0;
}

static void close_paren(struct chunk_code *c)
{
	if (c->depth > 0 && kind_of(c, c->depth - 1) == '(')
		pop(c);
}

/* ---- a line of code ------------------------------------------------------ */

/* Words that say what a statement's braces hold. */
static void note_word(struct chunk_code *c, struct ai_span word)
{
	static const char *const holders[] = {
		"class", "namespace", "interface", "impl", "trait", "mod",
		"module", "extension", "protocol", "object", "record",
		"extern", "package", NULL,
	};
	static const char *const data[] = { "struct", "enum", "union", NULL };
	static const char *const functions[] = {
		"fn", "func", "fun", "function", "def", "if", "for", "while",
		"switch", "return", NULL,
	};

	if (c->holds != HOLDS_NONE || c->is_function)
		return;
	c->holds = is_one_of(word, holders) ? HOLDS_CODE
		: is_one_of(word, data) ? HOLDS_DATA : HOLDS_NONE;
	c->is_function = is_one_of(word, functions);
}

static void open_paren(struct chunk_code *c)
{
	/* A function of C that returns one, unlike a class of Kotlin. */
	if (c->holds == HOLDS_DATA)
		c->holds = HOLDS_NONE;
	push(c, '(');
}

static void one_byte(struct chunk_code *c)
{
	char x = c->p[c->pos];
	bool shell = c->lang->has & CODE_SHELL;
	bool alone = c->last == '\0' || c->last == ')' || c->last == ';';

	switch (x) {
	case '(':
	case '[':
		if (!shell)
			open_paren(c);
		break;
	case ')':
	case ']':
		if (!shell)
			close_paren(c);
		break;
	case '{':
		if (!shell || (alone && !(c->pos > 0 &&
					  c->p[c->pos - 1] == '$')))
			open_brace(c);
		break;
	case '}':
		if (!shell || alone)
			close_brace(c, c->pos);
		break;
	case ';':
		if (c->depth == 0 || kind_of(c, c->depth - 1) != '(')
			end_statement(c, false);
		c->attached = c->attached && c->blocks > 0;
		break;
	default:
		c->complete = false;
	}
	if (strchr("([", x) != NULL)
		c->complete = false;
	if (x == '=')
		c->holds = HOLDS_NONE;
	c->last = x;
	c->pos++;
}

/* A line of the preprocessor, with those that a backslash adds. */
static void skip_directive(struct chunk_code *c)
{
	while (c->pos < c->n && c->p[c->pos] != '\n')
		c->pos += c->p[c->pos] == '\\' && c->pos + 1 < c->n ? 2 : 1;
	if (c->pos > c->n)
		c->pos = c->n;
}

static void end_line(struct chunk_code *c)
{
	/* A statement goes on behind an operator, or in a bracket. */
	if (c->lang->has & CODE_NEWLINE && c->last != '\0' &&
	    (chunk_code_is_word(c->last) ||
	     strchr(")]\"'`?!", c->last) != NULL) &&
	    (c->depth == 0 || kind_of(c, c->depth - 1) != '('))
		end_statement(c, false);
	c->pos++;
}

/* Over what is a string, which is code, or a comment, which is none, or what
 * stands around the code of PHP. */
static void pass(struct chunk_code *c, size_t to)
{
	const char *p = c->p + c->pos;
	bool comment = (*p == '/' && (p[1] == '/' || p[1] == '*')) ||
		(*p == '#' && c->lang->has & CODE_HASH);

	if (*p == '?') {
		if (c->n - to >= 3 && memcmp(c->p + to, "php", 3) == 0)
			to += 3;
		end_statement(c, false);
	} else if (!comment) {
		c->last = '"';
		c->complete = false;
	}
	c->pos = to;
}

/* From pos to the begin of a line that is in no string or comment. */
static void read_line(struct chunk_code *c)
{
	size_t to;

	c->last = '\0';
	while (c->pos < c->n) {
		char x = c->p[c->pos];

		if (x == '\n') {
			end_line(c);
			return;
		}
		if (is_blank(x) || x == '\\') {
			c->pos += x == '\\' && c->pos + 1 < c->n ? 2 : 1;
			continue;
		}
		to = chunk_code_skip(c, c->pos);
		if (to > c->pos) {
			pass(c, to);
		} else if (chunk_code_is_word(x)) {
			struct ai_span word = word_at(c, c->pos);

			note_word(c, word);
			c->complete = false;
			c->pos += word.n;
			c->last = word.p[word.n - 1];
		} else {
			one_byte(c);
		}
	}
}

/* ---- where something begins ---------------------------------------------- */

struct line {
	size_t from, at; /* at: its first byte that is no blank */
	bool comment, attribute;
};

/* The next line that is not empty; false: there is none. */
static bool find_line(struct chunk_code *c, struct line *l)
{
	const char *p = c->p;

	for (;;) {
		l->from = l->at = c->pos;
		while (l->at < c->n && is_blank(p[l->at]))
			l->at++;
		if (l->at >= c->n)
			return false;
		if (p[l->at] != '\n')
			break;
		c->pos = l->at + 1;
		c->blank = true;
	}
	l->comment = (c->lang->has & CODE_SLASH && c->n - l->at > 1 &&
		      p[l->at] == '/' &&
		      (p[l->at + 1] == '/' || p[l->at + 1] == '*')) ||
		(c->lang->has & CODE_HASH && p[l->at] == '#');
	l->attribute = p[l->at] == '@' ||
		(p[l->at] == '#' && c->n - l->at > 1 &&
		 (p[l->at + 1] == '[' || p[l->at + 1] == '!'));
	return true;
}

static bool goes_on(const struct chunk_code *c, const struct line *l)
{
	static const char *const later[] = {
		"else", "elif", "except", "finally", "catch", "then", "do",
		"fi", "done", "esac", "end", "in", "where", NULL,
	};
	char x = c->p[l->at];

	if (c->attached)
		return true;
	return (!chunk_code_is_word(x) && strchr("#/@\"'`$<[(~", x) == NULL) ||
		(x == '(' && !c->complete) ||
		is_one_of(word_at(c, l->at), later);
}

/* What is not indented is outside; in a class, its functions are inside. */
static int level_by_indent(struct chunk_code *c, const struct line *l)
{
	static const char *const members[] = { "def", "class", "async", NULL };
	static const char *const outside[] = { "def", "class", NULL };
	struct ai_span word = word_at(c, l->at);
	size_t indent = l->at - l->from;

	if (indent == 0 && is_one_of(word, outside))
		c->depth = c->blocks = 0; /* a bracket was never closed */
	if (c->depth > 0)
		return -1;
	if (indent == 0) {
		if (!l->comment && !l->attribute) {
			c->in_class = ai_span_is(word, "class");
			c->class_indent = 0;
		}
		return 0;
	}
	if (!c->in_class)
		return -1;
	if (c->class_indent == 0)
		c->class_indent = indent;
	return indent == c->class_indent &&
		(l->attribute || is_one_of(word, members)) ? 1 : -1;
}

static int level_by_brackets(const struct chunk_code *c)
{
	if (!c->complete)
		return -1;
	if (c->depth == 0)
		return 0;
	return c->blocks == 0 && (c->after_brace || c->blank) ? 1 : -1;
}

static bool is_directive_inside(const struct chunk_code *c,
				const struct line *l)
{
	return c->lang->has & CODE_PREPROC && c->p[l->at] == '#' &&
		c->n - l->at > 3 && (memcmp(c->p + l->at, "#e", 2) == 0);
}

/* Looks at the line that begins at pos; its level, or -1. */
static int look_at(struct chunk_code *c, const struct line *l)
{
	bool on = goes_on(c, l) || is_directive_inside(c, l);
	int level = c->lang->has & CODE_INDENT ? level_by_indent(c, l)
					       : level_by_brackets(c);

	/* Unless the line goes on with what is attached. */
	if (c->lang->has & CODE_INDENT ? c->depth == 0 : c->complete)
		c->attached = l->comment || l->attribute;
	c->blank = false;
	return on ? -1 : level;
}

void chunk_code_next(struct chunk_code *c)
{
	struct line l;
	int level;

	while (c->pos < c->n) {
		if (!find_line(c, &l))
			break;
		level = look_at(c, &l);
		c->pos = l.at;
		if (c->lang->has & CODE_PREPROC && c->p[l.at] == '#')
			skip_directive(c);
		read_line(c);
		if (level >= 0) {
			c->next.at = l.at;
			c->next.level = level;
			return;
		}
	}
	c->next.at = c->n;
	c->next.level = 0;
}

void chunk_code_init(struct chunk_code *c, const char *p, size_t n,
		     const struct chunk_lang *lang)
{
	*c = (struct chunk_code){ .p = p, .n = n, .lang = lang,
				  .complete = true };
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		c->pos = 3;
	if (lang->has & CODE_PHP) {
		const char *tag = memmem(p + c->pos, n - c->pos, "<?", 2);

		c->pos = tag != NULL ? (size_t)(tag - p) : n;
	}
	chunk_code_next(c);
}
