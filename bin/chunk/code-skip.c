/* code-skip.c: strings, comments and what else is no code. */
#include "code.h"

#include <string.h>

#define DELIMITER_MAX 16  /* bytes between R" and ( */
#define CHAR_MAX_LEN 12   /* bytes between ' and ' */
#define REGEX_MAX 1024
#define TEMPLATE_DEPTH 8
#define HEREDOC_MAX 64    /* bytes of the word that ends one */

static bool starts(const struct chunk_code *c, size_t at, const char *with)
{
	size_t n = strlen(with);

	return c->n - at >= n && memcmp(c->p + at, with, n) == 0;
}

/* Behind the next that, from at on; the end of the text if there is none. */
static size_t behind(const struct chunk_code *c, size_t at, const char *that,
		     size_t n)
{
	const char *hit = at < c->n ? memmem(c->p + at, c->n - at, that, n)
				    : NULL;

	return hit != NULL ? (size_t)(hit - c->p) + n : c->n;
}

static size_t line_end(const struct chunk_code *c, size_t at)
{
	const char *nl = at < c->n ? memchr(c->p + at, '\n', c->n - at) : NULL;

	return nl != NULL ? (size_t)(nl - c->p) : c->n;
}

/* ---- strings ------------------------------------------------------------- */

/* Behind the quote that closes, with backslashes as escapes. */
static size_t skip_quoted(const struct chunk_code *c, size_t at, char quote,
			  bool lines)
{
	while (at < c->n && c->p[at] != quote) {
		if (c->p[at] == '\n' && !lines)
			return at; /* never closed */
		at += c->p[at] == '\\' && at + 1 < c->n ? 2 : 1;
	}
	return at < c->n ? at + 1 : c->n;
}

/* Three quotes, or as many more as C# likes, to as many. */
static size_t skip_triple(const struct chunk_code *c, size_t at)
{
	bool verbatim = c->lang->has & CODE_VERBATIM;
	size_t k = 3;

	while (verbatim && at + k < c->n && c->p[at + k] == c->p[at])
		k++;
	for (size_t i = at + k; i < c->n; i++) {
		if (c->p[i] == '\\' && !verbatim)
			i++;
		else if (c->n - i >= k && memcmp(c->p + i, c->p + at, k) == 0)
			return i + k;
	}
	return c->n;
}

/* A character, or a lifetime of Rust: the quote alone. */
static size_t skip_char(const struct chunk_code *c, size_t at)
{
	size_t end = at + 1, most = at + CHAR_MAX_LEN;

	if (end < c->n && c->p[end] == '\\')
		end += 2;
	else if (end < c->n)
		end++;
	while (end < c->n && end < most && c->p[end] != '\'' &&
	       c->p[end] != '\n' && (c->p[at + 1] == '\\' ||
				     (c->p[end] & 0xC0) == 0x80))
		end++;
	return end < c->n && c->p[end] == '\'' ? end + 1 : at + 1;
}

/* ` to `, and in ${...} code that may have another. */
static size_t skip_template(const struct chunk_code *c, size_t at, int depth)
{
	size_t open[TEMPLATE_DEPTH] = { 0 }; /* braces in each ${...} */
	bool in_code = false;

	while (at < c->n) {
		char x = c->p[at];

		if (x == '\\') {
			at += 2;
		} else if (!in_code && x == '`') {
			at++;
			if (depth-- == 0)
				return at;
			in_code = true;
		} else if (!in_code && x == '$' && starts(c, at, "${")) {
			at += 2;
			in_code = true;
			open[depth] = 0;
		} else if (in_code && x == '`' && depth + 1 < TEMPLATE_DEPTH) {
			depth++;
			at++;
			in_code = false;
		} else if (in_code && (x == '"' || x == '\'')) {
			at = skip_quoted(c, at + 1, x, false);
		} else if (in_code && x == '{') {
			open[depth]++;
			at++;
		} else if (in_code && x == '}') {
			in_code = open[depth] > 0;
			open[depth] -= in_code;
			at++;
		} else {
			at++;
		}
	}
	return c->n;
}

/* R"x(...)x", r#"..."#, #"..."#, @"...": at begins one, else it stays. */
static size_t skip_raw(const struct chunk_code *c, size_t at)
{
	const char *p = c->p;
	unsigned has = c->lang->has;
	char end[DELIMITER_MAX + 3];
	size_t i = at, k = 0;

	if (at > 0 && chunk_code_is_word(p[at - 1]) &&
	    chunk_code_is_word(p[at]))
		return at;
	if (has & CODE_CPP_RAW && starts(c, at, "R\"")) {
		end[k++] = ')';
		for (i = at + 2; i < c->n && p[i] != '(' &&
		     k <= DELIMITER_MAX; i++)
			end[k++] = p[i];
		end[k++] = '"';
		return i < c->n && p[i] == '(' ? behind(c, i, end, k) : at;
	}
	if (has & CODE_VERBATIM && starts(c, at, "@\"")) {
		for (i = at + 2; i < c->n; i++)
			if (p[i] == '"' && !starts(c, i, "\"\""))
				return i + 1;
			else if (p[i] == '"')
				i++;
		return c->n;
	}
	if (!(has & CODE_HASH_RAW))
		return at;
	i += p[i] == 'r';
	end[k++] = '"';
	for (; i < c->n && p[i] == '#' && k <= DELIMITER_MAX; i++)
		end[k++] = '#';
	if (i == at || i >= c->n || p[i] != '"')
		return at;
	return behind(c, i + 1, end, k);
}

static size_t skip_string(const struct chunk_code *c, size_t at)
{
	unsigned has = c->lang->has;
	char quote = c->p[at];
	bool triple = has & CODE_TRIPLE &&
		(quote == '"' || has & CODE_INDENT) &&
		starts(c, at, quote == '"' ? "\"\"\"" : "'''");

	if (triple)
		return skip_triple(c, at);
	if (quote == '`')
		return has & CODE_TEMPLATE ? skip_template(c, at + 1, 0)
			: has & CODE_GO_RAW ? behind(c, at + 1, "`", 1)
					    : at + 1;
	if (quote == '\'' && has & CODE_CHAR)
		return skip_char(c, at);
	if (quote == '\'' && has & CODE_SHELL &&
	    !(at > 0 && c->p[at - 1] == '$'))
		return behind(c, at + 1, "'", 1);
	return skip_quoted(c, at + 1, quote,
			   has & (CODE_LINES | CODE_SHELL) ? true : false);
}

/* ---- comments ------------------------------------------------------------ */

static size_t skip_block(const struct chunk_code *c, size_t at)
{
	size_t depth = 1;

	if (!(c->lang->has & CODE_NESTED))
		return behind(c, at + 2, "*/", 2);
	for (at += 2; at < c->n && depth > 0; at++)
		if (starts(c, at, "*/")) {
			depth--;
			at++;
		} else if (starts(c, at, "/*")) {
			depth++;
			at++;
		}
	return at < c->n ? at : c->n;
}

/* A regular expression stands where no value has just ended. */
static size_t skip_regex(const struct chunk_code *c, size_t at)
{
	size_t i = at + 1, most = at + REGEX_MAX;
	bool in_set = false;

	if (c->last != '\0' && strchr("(,=:[!&|?{};+-*%<>~^", c->last) == NULL)
		return at;
	for (; i < c->n && i < most && c->p[i] != '\n'; i++) {
		if (c->p[i] == '\\')
			i++;
		else if (c->p[i] == '[')
			in_set = true;
		else if (c->p[i] == ']')
			in_set = false;
		else if (c->p[i] == '/' && !in_set)
			return i + 1;
	}
	return at;
}

static size_t skip_slash(const struct chunk_code *c, size_t at)
{
	if (starts(c, at, "//"))
		return line_end(c, at);
	if (starts(c, at, "/*"))
		return skip_block(c, at);
	return c->lang->has & CODE_REGEX ? skip_regex(c, at) : at;
}

/* ---- heredocs ------------------------------------------------------------ */

/* <<WORD, <<-'WORD', <<<WORD of PHP: behind the line that is the word. */
static size_t skip_heredoc(const struct chunk_code *c, size_t at)
{
	const char *p = c->p;
	bool php = c->lang->has & CODE_PHP;
	size_t i = at + (php ? 3 : 2), from, len;

	if (!starts(c, at, php ? "<<<" : "<<") ||
	    (!php && starts(c, at, "<<<")))
		return at;
	while (i < c->n && (p[i] == '-' || p[i] == ' ' || p[i] == '\'' ||
			    p[i] == '"' || p[i] == '\\'))
		i++;
	for (from = i; i < c->n && chunk_code_is_word(p[i]) &&
	     i - from < HEREDOC_MAX; i++)
		;
	len = i - from;
	if (len == 0 || (p[from] >= '0' && p[from] <= '9'))
		return at;
	for (i = line_end(c, i); i < c->n; i = line_end(c, i)) {
		for (i++; i < c->n && (p[i] == '\t' || (php && p[i] == ' '));)
			i++;
		if (c->n - i >= len && memcmp(p + i, p + from, len) == 0 &&
		    (i + len == c->n || !chunk_code_is_word(p[i + len])))
			return i + len;
	}
	return c->n;
}

/* ---- all of them --------------------------------------------------------- */

static size_t skip_hash(const struct chunk_code *c, size_t at)
{
	bool begins = at == 0 || c->p[at - 1] == '\n' ||
		strchr(" \t;&|(", c->p[at - 1]) != NULL;

	/* $# and ${x#y}; an attribute of PHP. */
	if ((c->lang->has & CODE_SHELL && !begins) ||
	    (c->lang->has & CODE_PHP && starts(c, at, "#[")))
		return at;
	return line_end(c, at);
}

size_t chunk_code_skip(const struct chunk_code *c, size_t at)
{
	unsigned has = c->lang->has;

	switch (c->p[at]) {
	case '"':
	case '\'':
	case '`':
		return skip_string(c, at);
	case '/':
		return has & CODE_SLASH ? skip_slash(c, at) : at;
	case '#':
		if (has & CODE_HASH)
			return skip_hash(c, at);
		return skip_raw(c, at);
	case 'R':
	case 'r':
	case '@':
		return skip_raw(c, at);
	case '<':
		return has & (CODE_SHELL | CODE_PHP) ? skip_heredoc(c, at)
						     : at;
	case '?':
		return has & CODE_PHP && starts(c, at, "?>")
			? behind(c, at, "<?", 2) : at;
	default:
		return at;
	}
}
