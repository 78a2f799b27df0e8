/*
 * mkphrases.c: for the build: turns phrases (data/guard/phrases, which says what
 * its lines are) into C: lists of words by what they begin with, and the
 * automaton that finds the words that phrases are found by.
 *
 *	mkphrases data/guard/phrases >phrase-table.c
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "text/words.h"

#include "../bin/guard/phrases.h"
#include "put.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 8192
#define PHRASES_MAX 255
#define SIGNS_MAX 255
#define KEYS_MAX 8192
#define KEY_MIN 5   /* bytes of a key that is one word of several */
#define KEY_MAX 7   /* bytes of a key; a longer one is cut */
#define KEY_MAX_WIDE 11
#define KEY_SIGNS 9 /* bytes of signs that are words */
#define TURNS_MAX 8

struct item {
	char *text;
	size_t list;
	bool stem;
};

struct key {
	char *text;
	unsigned of; /* a list, or PHRASE_LISTS_MAX and more: a sign */
	bool whole;  /* a word ends with it */
};

static struct {
	char *name;
	bool leads; /* a phrase is found by it */
} lists[PHRASE_LISTS_MAX];
static struct item items[ITEMS_MAX];
static struct phrase phrases[PHRASES_MAX];
static struct phrase_sign signs[SIGNS_MAX];
static struct key keys[KEYS_MAX];
static char *rules[PHRASE_RULES_MAX];
static size_t n_lists, n_items, n_phrases, n_signs, n_keys, n_rules;
static size_t line_number;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void die(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "mkphrases: line %zu: ", line_number);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(65);
}

/* What was copied, as long as the program runs. */
static struct copied {
	struct copied *next;
	char text[];
} *copies;

static char *copy(const char *p, size_t n)
{
	struct copied *c = malloc(sizeof *c + n + 1);

	if (c == NULL)
		die("no memory");
	memcpy(c->text, p, n);
	c->text[n] = '\0';
	c->next = copies;
	copies = c;
	return c->text;
}

/* The next word of the line, or NULL. */
static char *word(char **line)
{
	char *w;

	do
		w = strsep(line, " ");
	while (w != NULL && *w == '\0');
	return w;
}

/* ---- lists ------------------------------------------------------------------- */

static size_t list_of(const char *name, bool make)
{
	size_t i;

	for (i = 0; i < n_lists; i++)
		if (strcmp(lists[i].name, name) == 0)
			return i;
	if (!make)
		die("there is no list '%s'", name);
	if (n_lists == PHRASE_LISTS_MAX)
		die("too many lists");
	lists[n_lists++].name = copy(name, strlen(name));
	return i;
}

static void add_key(const char *p, size_t n, unsigned of, bool whole)
{
	for (size_t i = 0; i < n_keys; i++)
		if (keys[i].of == of && strlen(keys[i].text) == n &&
		    memcmp(keys[i].text, p, n) == 0) {
			keys[i].whole &= whole;
			return;
		}
	if (n_keys == KEYS_MAX)
		die("too many keys");
	keys[n_keys].text = copy(p, n);
	keys[n_keys].whole = whole;
	keys[n_keys++].of = of;
}

/* The capital letter of a small one. */
static uint32_t upper(uint32_t cp)
{
	if (cp < 0x80 || cp >= 0x600)
		return cp;
	for (uint32_t c = 0xC0; c < 0x600; c++)
		if (c != cp && ai_lower(c) == cp)
			return c;
	return cp;
}

/* How the automaton may meet what words begin with: letters of ASCII in any
 * case, others as they are written here, at the beginning of a sentence, or
 * all in capitals. */
static void add_keys(const char *p, size_t n, unsigned of, bool whole)
{
	char key[3][AI_MATCH_WORD_MAX];
	size_t len[3] = { 0 }, step;
	uint32_t cp;

	for (size_t i = 0; i < n; i += step) {
		/* The rest is compared anyway. */
		if (i >= (p[0] & 0x80 ? KEY_MAX_WIDE : KEY_MAX)) {
			whole = false;
			break;
		}
		step = ai_utf8_decode(p + i, n - i, &cp);
		if (step == 0)
			die("no UTF-8: '%.*s'", (int)n, p);
		for (int k = 0; k < 3; k++)
			len[k] += ai_utf8_encode(
				k == 2 || (k == 1 && i == 0) ? upper(cp) : cp,
				key[k] + len[k]);
	}
	for (int k = 0; k < 3; k++)
		add_key(key[k], len[k], of, whole);
}

/* The key of an item as it was read: its longest word; all of it if that is
 * short; of a script without blanks its first signs. */
static void add_item_keys(const char *raw, const struct phrase_words *w,
			  unsigned list)
{
	char key[AI_MATCH_WORD_MAX];
	size_t n = 0, best = 0, k, len;
	bool stem = raw[strlen(raw) - 1] == '*', joined;

	for (k = 1; k < w->n; k++)
		if (w->to[k] - w->from[k] >= w->to[best] - w->from[best])
			best = k;
	joined = w->cost[best] == 1 ||
		 w->to[best] - w->from[best] < KEY_MIN;
	for (k = joined ? 0 : best; k < (joined ? w->n : best + 1); k++) {
		if (n > 0 && w->cost[k] == 2)
			key[n++] = ' ';
		if (w->cost[0] == 1 && n >= KEY_SIGNS)
			break;
		len = (size_t)(w->to[k] - w->from[k]);
		memcpy(key + n, raw + w->from[k], len);
		n += len;
	}
	stem &= k == w->n;
	add_keys(key, n, list, !stem && w->cost[best] == 2);
	/* And without its accents. */
	if (!joined)
		add_keys(w->text + w->at[best],
			 (size_t)(w->at[best + 1] - w->at[best] - 1), list,
			 !stem);
}

static void add_item(const char *raw, size_t list)
{
	struct phrase_words w;
	size_t n = strlen(raw);
	struct item *x = &items[n_items];

	if (n_items == ITEMS_MAX)
		die("too many words");
	phrase_words_read(&w, raw, n, PHRASE_WORDS);
	if (w.n == 0 || w.len < 2)
		die("no word: '%s'", raw);
	*x = (struct item){ copy(w.text, w.len - 1u), list,
			    raw[n - 1] == '*' };
	for (size_t i = 0; i < n_items; i++)
		if (items[i].list == list && items[i].stem == x->stem &&
		    strcmp(items[i].text, x->text) == 0)
			return;
	n_items++;
}

/* ---- lines ------------------------------------------------------------------- */

static struct {
	double rate;
	char *reason;
} now = { .05, NULL };

static void read_say(char *line)
{
	struct phrase *x = &phrases[n_phrases];
	char *w = word(&line), *end;

	if (n_phrases++ == PHRASES_MAX || n_rules == 0 || now.reason == NULL)
		die("too many phrases, or no rule and reason before");
	*x = (struct phrase){ .rule = (uint8_t)(n_rules - 1),
			      .rate = now.rate, .reason = now.reason };
	for (; w != NULL; w = word(&line)) {
		if (x->n == PHRASE_SLOTS)
			die("more than %d lists", PHRASE_SLOTS);
		if (x->n > 0) {
			long between = strtol(w, &end, 10);

			if (*end != '\0' || between < 0 || between > 15)
				die("no number of words: '%s'", w);
			x->between[x->n] = (uint8_t)between;
			w = word(&line);
			if (w == NULL)
				die("a list is missing");
		}
		if (*w == '^') {
			x->anchor = x->n;
			w++;
		}
		x->list[x->n++] = (uint8_t)list_of(w, false);
	}
	if (x->n == 0)
		die("an empty phrase");
	lists[x->list[x->anchor]].leads = true;
}

/* Returns its number. */
static size_t read_sign(const char *p, bool turn)
{
	struct ai_buf b = AI_BUF_INIT(AI_MATCH_WORD_MAX);
	struct phrase_sign *x = &signs[n_signs];
	bool line = strncmp(p, "\\n", 2) == 0;

	ai_buf_fmt(&b, "%s%s", line ? "\n" : "", p + 2 * line);
	for (size_t i = 0; turn && i < n_signs; i++)
		if (signs[i].turn != 0 &&
		    strcmp(signs[i].text, ai_buf_cstr(&b)) == 0) {
			ai_buf_release(&b);
			return i;
		}
	if (n_signs == SIGNS_MAX || n_rules == 0 || now.reason == NULL)
		die("too many signs, or no rule and reason before");
	*x = (struct phrase_sign){ .n = (uint8_t)b.len, .rate = now.rate,
				   .rule = (uint8_t)(n_rules - 1),
				   .reason = now.reason };
	x->text = ai_buf_take(&b);
	add_key(x->text + line, strlen(x->text + line),
		(unsigned)(PHRASE_LISTS_MAX + n_signs), false);
	return n_signs++;
}

static void read_turns(char *line)
{
	static unsigned n_turns;
	char *a = word(&line), *b = word(&line);
	size_t i, k;

	if (a == NULL || b == NULL)
		die("turns of what?");
	i = read_sign(a, true);
	k = read_sign(b, true);
	for (int j = 0; j < 2; j++) {
		struct phrase_sign *x = &signs[j == 0 ? i : k];

		if (x->turn == 0 && n_turns == TURNS_MAX)
			die("too many turns");
		if (x->turn == 0)
			x->turn = (uint8_t)(1u << n_turns++);
	}
	signs[k].after |= signs[i].turn;
}

static void read_line(char *line)
{
	char *all = line, *w = word(&line);
	size_t list;

	if (w == NULL || *w == '#')
		return;
	if (*w == '@') {
		list = list_of(w + 1, true);
		while ((w = word(&line)) != NULL)
			add_item(w, list);
	} else if (*w == '[' && w[strlen(w) - 1] == ']') {
		if (n_rules == PHRASE_RULES_MAX)
			die("too many rules");
		rules[n_rules++] = copy(w + 1, strlen(w) - 2);
		now.reason = NULL;
	} else if (line == NULL) {
		die("what is '%s'?", all);
	} else if (strcmp(w, "rate") == 0) {
		now.rate = strtod(line, NULL);
		if (!(now.rate > 0 && now.rate < 1))
			die("no rate: '%s'", line);
	} else if (strcmp(w, "reason") == 0) {
		now.reason = copy(line, strlen(line));
	} else if (strcmp(w, "say") == 0) {
		read_say(line);
	} else if (strcmp(w, "sign") == 0) {
		read_sign(line, false);
	} else if (strcmp(w, "turns") == 0) {
		read_turns(line);
	} else {
		die("what is '%s'?", w);
	}
}

/* ---- tables -------------------------------------------------------------------- */

static int by_bucket(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	unsigned i = phrase_bucket(x->text), k = phrase_bucket(y->text);

	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	if (i != k)
		return i < k ? -1 : 1;
	return strcmp(x->text, y->text);
}

static int by_anchor(const void *a, const void *b)
{
	const struct phrase *x = a, *y = b;

	unsigned i = x->list[x->anchor], k = y->list[y->anchor];

	if (i != k)
		return i < k ? -1 : 1;
	return memcmp(x->list, y->list, sizeof x->list);
}

static void put_items(void)
{
	size_t k = 0;

	qsort(items, n_items, sizeof *items, by_bucket);
	puts("static const struct phrase_item items[] = {");
	for (size_t i = 0; i < n_items; i++) {
		fputs("{ ", stdout);
		put_string(items[i].text);
		printf("%zu, %d },\n", strlen(items[i].text), items[i].stem);
	}
	printf("};\nstatic const uint16_t bucket[][%d] = {\n",
	       PHRASE_BUCKETS + 1);
	for (size_t list = 0; list < n_lists; list++) {
		fputs("{", stdout);
		for (unsigned b = 0; b <= PHRASE_BUCKETS; b++) {
			while (k < n_items && items[k].list == list &&
			       phrase_bucket(items[k].text) < b)
				k++;
			printf("%zu,", k);
		}
		puts("},");
	}
	puts("};");
}

static void put_phrases(void)
{
	size_t k = 0;

	qsort(phrases, n_phrases, sizeof *phrases, by_anchor);
	puts("static const struct phrase phrases[] = {");
	for (size_t i = 0; i < n_phrases; i++) {
		const struct phrase *x = &phrases[i];

		printf("{ %d, %d, %d, { %d, %d, %d, %d }, { %d, %d, %d, %d }, "
		       "%g, ", x->rule, x->n, x->anchor, x->list[0], x->list[1], x->list[2],
		       x->list[3], x->between[0], x->between[1], x->between[2],
		       x->between[3], x->rate);
		put_string(x->reason);
		puts("},");
	}
	puts("};\nstatic const uint16_t of_list[] = {");
	for (size_t list = 0; list <= n_lists; list++) {
		while (k < n_phrases && phrases[k].list[phrases[k].anchor] < list)
			k++;
		printf("%zu,", k);
	}
	puts("};\nstatic const struct phrase_sign signs[] = {");
	for (size_t i = 0; i < n_signs; i++) {
		fputs("{ ", stdout);
		put_string(signs[i].text);
		printf("%d, %d, %d, %d, %g, ", signs[i].n, signs[i].rule,
		       signs[i].turn, signs[i].after, (double)signs[i].rate);
		put_string(signs[i].reason);
		puts("},");
	}
	puts("};\nstatic const char *const rules[] = {");
	for (size_t i = 0; i < n_rules; i++)
		put_string(rules[i]);
	puts("};");
}

static void put_keys(void)
{
	struct ai_span *words = calloc(n_keys + 1, sizeof *words);
	struct ai_match *m;
	struct ai_err err;

	if (words == NULL)
		die("no memory");
	puts("static const uint16_t key_of[] = {");
	for (size_t i = 0; i < n_keys; i++) {
		words[i] = ai_span_of(keys[i].text);
		printf("%zu,%s", keys[i].of < PHRASE_LISTS_MAX
					 ? (size_t)keys[i].of
					 : keys[i].of - PHRASE_LISTS_MAX + n_lists,
		       i % 16 == 15 ? "\n" : "");
	}
	puts("};\nstatic const uint8_t key_len[] = {");
	for (size_t i = 0; i < n_keys; i++)
		printf("%zu,%s", words[i].n, i % 16 == 15 ? "\n" : "");
	puts("};\nstatic const uint8_t key_whole[] = {");
	for (size_t i = 0; i < n_keys; i++)
		printf("%d,%s", keys[i].whole, i % 16 == 15 ? "\n" : "");
	puts("};");
	if (ai_match_new(&m, words, n_keys, AI_MATCH_CASELESS, &err) < 0)
		die("%s", err.msg);
	put_match(m);
	ai_match_free(m);
	free(words);
}

/* What phrases are found by; when it is known which lists are. */
static void find_keys(char *text)
{
	char *line;

	line_number = 0;
	while ((line = strsep(&text, "\n")) != NULL) {
		char *w = word(&line);
		size_t list;

		line_number++;
		if (w == NULL || *w != '@')
			continue;
		list = list_of(w + 1, false);
		while (lists[list].leads && (w = word(&line)) != NULL) {
			struct phrase_words x;

			phrase_words_read(&x, w, strlen(w), PHRASE_WORDS);
			add_item_keys(w, &x, (unsigned)list);
		}
	}
}

int main(int argc, char **argv)
{
	struct ai_buf in = AI_BUF_INIT(PUT_INPUT_MAX);
	struct ai_err err;
	char *text, *again, *line;

	if (argc != 2) {
		fprintf(stderr, "usage: mkphrases PHRASES\n");
		return 64;
	}
	if (put_read(argv[1], &in, &err) < 0)
		die("%s: %s", argv[1], err.msg);
	text = copy(ai_buf_cstr(&in), in.len);
	again = copy(ai_buf_cstr(&in), in.len);
	ai_buf_release(&in);
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		line_number++;
		read_line(line);
	}
	find_keys(again);
	puts("/* Made by tools/mkphrases: edit data/guard/phrases instead. */\n"
	     "#include \"../../bin/guard/phrases.h\"\n");
	put_items();
	put_phrases();
	put_keys();
	printf("const struct phrases guard_phrases = {\n\titems, bucket, rules, "
	       "%zu, phrases, of_list, %zu, %zu, %zu, signs,\n\tkey_of, "
	       "key_len, key_whole, &match\n};\n", n_rules, n_lists,
	       list_of("not", false), list_of("talk", false));
	return fflush(stdout) != 0;
}
