/*
 * mkguard.c: mkguard N < GRAMMAR: N rows for each root of a grammar, to train
 * and test ai-guard's classifier.  mkguard -l N: N rows for each line, of its
 * own words: {"text","line"}, with a line's end where another list would be.
 *
 * The grammar is lines: "@name" begins a list, "# ..." is a remark, every
 * other line is one alternative of the list.  {name} in it stands for any
 * alternative of that list, {a|b} for a or b; a backslash takes a sign as it
 * is, and \n is a line's end; "3*" before a line makes it as likely as three.
 * Lists named attack.user, benign.document and the like are roots: the label and
 * the context of the rows.  The same grammar gives the same rows everywhere.
 */
#include "base/buf.h"
#include "record/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 1024
#define LINES_MAX 32768
#define DEPTH_MAX 24

static struct list {
	char *name;
	size_t from, n; /* its alternatives */
} lists[LISTS_MAX];
static size_t n_lists;
static char *lines[LINES_MAX];
static size_t number[LINES_MAX]; /* in the file */
static size_t n_lines, now;
static bool own; /* -l: lists are not put in */
static uint64_t seed = 7;

static void die(const char *what, const char *which)
{
	fprintf(stderr, "mkguard: %s '%s'\n", what, which);
	exit(65);
}

static size_t below(size_t n)
{
	uint64_t x = seed += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return (size_t)((x ^ x >> 31) % n);
}

static void add_line(const char *s)
{
	if (n_lists == 0 || n_lines == LINES_MAX)
		die("no room, or no list, for", s);
	number[n_lines] = now;
	lines[n_lines++] = strdup(s);
	lists[n_lists - 1].n++;
}

static void read_line(const char *s)
{
	size_t times = 1;
	char *end;

	if (*s == '\0' || *s == '#')
		return;
	if (*s == '@') {
		if (n_lists == LISTS_MAX)
			die("too many lists at", s);
		lists[n_lists++] = (struct list){ strdup(s + 1), n_lines, 0 };
		return;
	}
	if (*s >= '1' && *s <= '9') {
		times = strtoul(s, &end, 10);
		if (*end == '*')
			s = end + 1;
		else
			times = 1;
	}
	while (times-- > 0)
		add_line(s);
}

static const struct list *find(const char *name, size_t n)
{
	for (size_t i = 0; i < n_lists; i++)
		if (strlen(lists[i].name) == n &&
		    memcmp(lists[i].name, name, n) == 0 && lists[i].n > 0)
			return &lists[i];
	die("there is no list", name);
	return NULL;
}

static void put(struct ai_buf *b, const char *p, size_t n, int depth);

static void put_list(struct ai_buf *b, const struct list *l, int depth)
{
	const char *s = lines[l->from + below(l->n)];

	if (depth > DEPTH_MAX)
		die("a list is in itself:", l->name);
	put(b, s, strlen(s), depth);
}

/* How far the text goes: to the bar or the bracket that ends it. */
static size_t reach(const char *p, size_t n, bool to_bar)
{
	int open = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\') {
			i++;
			continue;
		}
		if (open == 0 && (p[i] == '}' || (to_bar && p[i] == '|')))
			return i;
		open += (p[i] == '{') - (p[i] == '}');
	}
	return n;
}

/* One of the alternatives a|b|c. */
static void put_any(struct ai_buf *b, const char *p, size_t n, int depth)
{
	size_t bars = 0, at, k;

	for (at = reach(p, n, true); at < n; bars++)
		at += 1 + reach(p + at + 1, n - at - 1, true);
	for (k = below(bars + 1), at = 0; k > 0; k--)
		at += 1 + reach(p + at, n - at, true);
	put(b, p + at, reach(p + at, n - at, true), depth);
}

static void put(struct ai_buf *b, const char *p, size_t n, int depth)
{
	for (size_t i = 0, len; i < n; i++) {
		if (p[i] == '\\' && i + 1 < n) {
			i++;
			ai_buf_chr(b, p[i] == 'n' ? '\n' : p[i]);
			continue;
		}
		if (p[i] != '{') {
			ai_buf_chr(b, p[i]);
			continue;
		}
		i++;
		len = reach(p + i, n - i, false);
		if (i + len == n)
			die("a bracket is not closed in", p);
		if (reach(p + i, len, true) < len)
			put_any(b, p + i, len, depth + 1);
		else if (own)
			ai_buf_chr(b, '\n');
		else
			put_list(b, find(p + i, len), depth + 1);
		i += len;
	}
}

static void put_row(const struct list *root)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20), row = AI_BUF_INIT(4 << 20);

	put_list(&text, root, 0);
	ai_put_open(&row, '{');
	ai_put_key(&row, "text");
	ai_put_str(&row, ai_buf_cstr(&text), text.len);
	ai_put_key(&row, "label");
	ai_put_i64(&row, strncmp(root->name, "attack.", 7) == 0);
	ai_put_key(&row, "source");
	ai_put_cstr(&row, "generated");
	if (strcmp(strchr(root->name, '.'), ".any") != 0) {
		ai_put_key(&row, "context");
		ai_put_cstr(&row, strchr(root->name, '.') + 1);
	}
	ai_put_close(&row, '}');
	puts(ai_buf_cstr(&row));
	ai_buf_release(&text);
	ai_buf_release(&row);
}

static void put_line(size_t i)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20), row = AI_BUF_INIT(4 << 20);

	put(&text, lines[i], strlen(lines[i]), 0);
	ai_put_open(&row, '{');
	ai_put_key(&row, "text");
	ai_put_str(&row, ai_buf_cstr(&text), text.len);
	ai_put_key(&row, "line");
	ai_put_i64(&row, (int64_t)number[i]);
	ai_put_close(&row, '}');
	puts(ai_buf_cstr(&row));
	ai_buf_release(&text);
	ai_buf_release(&row);
}

static void put_roots(size_t n)
{
	for (size_t i = 0; i < n_lists; i++)
		if (strncmp(lists[i].name, "attack.", 7) == 0 ||
		    strncmp(lists[i].name, "benign.", 7) == 0)
			for (size_t k = 0; k < n; k++)
				put_row(&lists[i]);
}

static void put_lines(size_t n)
{
	for (size_t i = 0; i < n_lines; i++)
		for (size_t k = 0; k < n; k++)
			if (i == 0 || number[i] != number[i - 1])
				put_line(i);
}

int main(int argc, char **argv)
{
	size_t n, cap = 0;
	char *line = NULL;

	own = argc == 3 && strcmp(argv[1], "-l") == 0;
	n = argc == 2 + own ? strtoul(argv[1 + own], NULL, 10) : 0;
	if (n == 0)
		die("wants the number of rows for each root, not",
		    argc > 1 ? argv[argc - 1] : "");
	while (getline(&line, &cap, stdin) > 0) {
		now++;
		line[strcspn(line, "\n")] = '\0';
		read_line(line);
	}
	free(line);
	if (own)
		put_lines(n);
	else
		put_roots(n);
	return fflush(stdout) != 0;
}
