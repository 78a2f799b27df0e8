/*
 * Words and stems: compared with FTS5's tokenizers (`porter`, and `unicode61
 * remove_diacritics 2`) and, where it is there, with libstemmer, on words that
 * are put together at random and on the text of the manual.
 */
#include "base/utf8.h"
#include "tap.h"
#include "text/analyze.h"
#include "text/class.h"
#include "text/stem.h"

#include <dlfcn.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 1;

static uint64_t next_random(void)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() % n);
}

/* ---- FTS5's tokenizers --------------------------------------------------------- */

struct fts {
	fts5_tokenizer how;
	Fts5Tokenizer *it;
};

static bool fts_open(sqlite3 *db, struct fts *f, const char *name)
{
	const char *args[] = { "unicode61", "remove_diacritics", "2" };
	bool porter = strcmp(name, "porter") == 0;
	fts5_api *api = NULL;
	sqlite3_stmt *st = NULL;
	void *context;

	sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL);
	if (st == NULL)
		return false;
	sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
	sqlite3_step(st);
	sqlite3_finalize(st);
	return api != NULL &&
	       api->xFindTokenizer(api, name, &context, &f->how) == SQLITE_OK &&
	       f->how.xCreate(context, porter ? args : args + 1,
			      porter ? 3 : 2, &f->it) == SQLITE_OK;
}

struct token {
	char s[128];
	size_t n;
	int from, to;
};

struct tokens {
	struct token v[2000];
	size_t n;
};

static int take(void *arg, int flags, const char *s, int n, int from, int to)
{
	struct tokens *t = arg;

	(void)flags;
	if (t->n == 2000 || n > 128)
		return SQLITE_ERROR;
	memcpy(t->v[t->n].s, s, (size_t)n);
	t->v[t->n].n = (size_t)n;
	t->v[t->n].from = from;
	t->v[t->n++].to = to;
	return SQLITE_OK;
}

static bool fts_run(struct fts *f, const char *p, size_t n, struct tokens *t)
{
	t->n = 0;
	return f->how.xTokenize(f->it, t, FTS5_TOKENIZE_DOCUMENT, p, (int)n,
				take) == SQLITE_OK;
}

/* ---- stems ------------------------------------------------------------------------ */

static size_t made_word(char *out)
{
	static const char *const heads[] = {
		"b", "tr", "c", "st", "y", "s", "pl", "", "qu", "w", "x", "ll",
		"h", "f", "n", "z", "ss", "k", "g", "m",
	};
	static const char *const vowels[] = {
		"a", "e", "i", "o", "u", "y", "ea", "io", "oy", "ue",
	};
	static const char *const ends[] = {
		"", "s", "sses", "ies", "ss", "eed", "ed", "ing", "y", "ational",
		"tional", "enci", "anci", "izer", "abli", "alli", "entli", "eli",
		"ousli", "ization", "ation", "ator", "alism", "iveness",
		"fulness", "ousness", "aliti", "iviti", "biliti", "icate",
		"ative", "alize", "iciti", "ical", "ful", "ness", "al", "ance",
		"ence", "er", "ic", "able", "ible", "ant", "ement", "ment",
		"ent", "ion", "sion", "tion", "ou", "ism", "ate", "iti", "ous",
		"ive", "ize", "e", "ll", "at", "bl", "iz", "tt", "logi", "bli",
	};
	size_t i, n = 0, parts = 1 + below(3), tails = below(3);

#define ADD(list)                                                              \
	n += (size_t)sprintf_(out + n,                                         \
			      list[below(sizeof(list) / sizeof(list[0]))])
#define sprintf_(to, s) snprintf(to, 32, "%s", s)
	for (i = 0; i < parts; i++) {
		ADD(heads);
		ADD(vowels);
	}
	ADD(heads);
	for (i = 0; i < tails; i++)
		ADD(ends);
	return n;
}

/*
 * FTS5 knows "bli" and "logi" as Porter's own program does, which his paper
 * does not; it and libstemmer take a doubled y for something else than the
 * paper does, and FTS5 leaves the word "sses" alone.  We are with the paper.
 */
static bool departs(const char *word, size_t n)
{
	char s[200];

	snprintf(s, sizeof(s), "%.*s", (int)n, word);
	return strstr(s, "bli") != NULL || strstr(s, "bly") != NULL ||
	       strstr(s, "logi") != NULL || strstr(s, "logy") != NULL ||
	       strstr(s, "yy") != NULL || strcmp(s, "sses") == 0;
}

static size_t differ;

static void show(const char *who, const char *word, size_t n, const char *ours,
		 size_t ours_n, const char *theirs, size_t theirs_n)
{
	if (differ++ < 10)
		printf("# %s: %.*s: %.*s, %s has %.*s\n", who, (int)n, word,
		       (int)ours_n, ours, who, (int)theirs_n, theirs);
}

static size_t departures;

static void one_stem(struct fts *porter, const char *word, size_t n)
{
	static struct tokens t;
	char ours[160];
	size_t ours_n;

	memcpy(ours, word, n);
	ours_n = ai_stem_porter(ours, n);
	if (ours_n == 0 || ours_n > n)
		show("bounds", word, n, ours, ours_n, "", 0);
	if (departs(word, n)) {
		departures++;
	} else if (!fts_run(porter, word, n, &t) || t.n != 1 ||
		   t.v[0].n != ours_n || memcmp(t.v[0].s, ours, ours_n) != 0) {
		show("FTS5", word, n, ours, ours_n, t.v[0].s, t.v[0].n);
	}
}

/* libstemmer, as its header declares it. */
struct snowball {
	void *it;
	void *(*new)(const char *algorithm, const char *encoding);
	void (*delete)(void *it);
	const unsigned char *(*stem)(void *it, const unsigned char *word,
				     int n);
	int (*length)(void *it);
};

static bool find(void *library, const char *name, void *to)
{
	void *p = dlsym(library, name);

	memcpy(to, &p, sizeof(p));
	return p != NULL;
}

static bool snowball_open(struct snowball *s)
{
	void *library = dlopen("libstemmer.so.0d", RTLD_NOW);

	if (library == NULL || !find(library, "sb_stemmer_new", &s->new) ||
	    !find(library, "sb_stemmer_delete", &s->delete) ||
	    !find(library, "sb_stemmer_stem", &s->stem) ||
	    !find(library, "sb_stemmer_length", &s->length))
		return false;
	s->it = s->new("porter", "UTF_8");
	return s->it != NULL;
}

static void one_snowball(const struct snowball *s, const char *word, size_t n)
{
	const unsigned char *theirs;
	char ours[160];
	size_t ours_n;

	if (n < 3 || n > 64 || strstr(word, "yy") != NULL)
		return;
	memcpy(ours, word, n);
	ours_n = ai_stem_porter(ours, n);
	theirs = s->stem(s->it, (const unsigned char *)word, (int)n);
	if ((size_t)s->length(s->it) != ours_n ||
	    memcmp(theirs, ours, ours_n) != 0)
		show("libstemmer", word, n, ours, ours_n, (const char *)theirs,
		     (size_t)s->length(s->it));
}

static void stems(struct fts *porter)
{
	struct snowball snowball;
	char word[256];
	size_t i, n;

	for (i = 0; i < 200000; i++) {
		n = made_word(word);
		one_stem(porter, word, n);
	}
	ok(differ == 0, "%zu made words have FTS5's stems (%zu set aside)", i,
	   departures);
	if (!snowball_open(&snowball)) {
		skip("libstemmer is not there");
		return;
	}
	differ = 0;
	for (i = 0; i < 200000; i++) {
		n = made_word(word);
		one_snowball(&snowball, word, n);
	}
	ok(differ == 0, "%zu made words have libstemmer's stems", i);
	snowball.delete(snowball.it);
}

/* ---- words ------------------------------------------------------------------------- */

/* We mean to differ in: marks of other scripts, accents of Greek and Cyrillic
 * and on letters like ae, scripts without blanks, private use, wide forms. */
static bool same_by_design(uint32_t cp)
{
	return cp < 0x1C4 || (cp >= 0x391 && cp <= 0x3A1) ||
	       (cp >= 0x3B1 && cp <= 0x3C9) ||
	       (cp >= 0x410 && cp <= 0x44F && cp % 32 != 0x19) ||
	       (cp >= 0x1E00 && cp <= 0x1E99) ||
	       (cp >= 0x2010 && cp <= 0x2027) || (cp >= 0x300 && cp <= 0x304);
}

static size_t random_text(char *out, size_t max)
{
	size_t n = 0;
	uint32_t cp;

	while (n + 8 < max) {
		if (below(3) > 0)
			cp = (uint32_t)(below(5) == 0 ? below(128)
						      : 'a' + below(26));
		else
			cp = (uint32_t)below(0x2100);
		if (cp == 0 || !same_by_design(cp))
			continue;
		n += ai_utf8_encode(cp, out + n);
		if (below(8) == 0)
			out[n++] = ' ';
	}
	return n;
}

static bool same_words(const char *p, size_t n, const struct tokens *t,
		       const struct ai_terms *terms)
{
	size_t i;

	(void)n;
	for (i = 0; i < t->n && i < terms->n; i++) {
		struct ai_span s = ai_term_span(terms, i);
		const struct token *k = &t->v[i];

		if (s.n != k->n || memcmp(s.p, k->s, s.n) != 0 ||
		    terms->v[i].from != (size_t)k->from ||
		    terms->v[i].to != (size_t)k->to ||
		    terms->v[i].position != i) {
			if (differ++ < 10)
				printf("# word %zu: '%.*s' at %zu-%zu, FTS5 has '%.*s' "
			       "at %d-%d of '%.*s'\n", i, (int)s.n, s.p,
			       terms->v[i].from, terms->v[i].to, (int)k->n,
			       k->s, k->from, k->to, (int)(k->to - k->from),
			       p + k->from);
			return false;
		}
	}
	if (t->n != terms->n && differ++ < 10)
		printf("# %zu words, FTS5 has %zu\n", terms->n, t->n);
	return t->n == terms->n;
}

static void words(struct fts *unicode)
{
	static struct tokens t;
	const struct ai_analyzer *none = ai_analyzer_find("none");
	struct ai_terms terms = { NULL, 0, 0, NULL, 0, 0 };
	char text[600];
	struct ai_err err;
	size_t i, n, bad = 0;

	differ = 0;
	for (i = 0; i < 3000; i++) {
		n = random_text(text, 40 + below(sizeof(text) - 40));
		ai_terms_clear(&terms);
		ai_analyze(none, (struct ai_span){ text, n }, false, &terms,
			   &err);
		if (!fts_run(unicode, text, n, &t) ||
		    !same_words(text, n, &t, &terms))
			bad++;
	}
	ok(bad == 0, "%zu texts have FTS5's words", i);
	ai_terms_release(&terms);
}

/* ---- what is our own ------------------------------------------------------------------ */

/* The terms with blanks between them; "*" behind a prefix, "!" behind a stop
 * word. */
static const char *said(const char *analyzer, const char *text, bool query)
{
	static char out[1000];
	struct ai_terms t = { NULL, 0, 0, NULL, 0, 0 };
	struct ai_err err;
	size_t i, n = 0;

	ai_analyze(ai_analyzer_find(analyzer), ai_span_of(text), query, &t,
		   &err);
	out[0] = '\0';
	for (i = 0; i < t.n; i++) {
		struct ai_span s = ai_term_span(&t, i);

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s%s%s",
				      i > 0 ? " " : "", (int)s.n, s.p,
				      t.v[i].prefix ? "*" : "",
				      t.v[i].stop ? "!" : "");
	}
	ai_terms_release(&t);
	return out;
}

#define says(analyzer, text, query, wanted)                                    \
	ok(strcmp(said(analyzer, text, query), wanted) == 0,                   \
	   "'%s' is '%s' (%s)", text, wanted, said(analyzer, text, query))

static void own_rules(void)
{
	char word[2000];

	says("english", "The Relational databases", false,
	     "the! relat databas");
	says("none", "The Relational", false, "the relational");
	says("none", "日本語", false, "日本 本語 語");
	says("none", "日本語", true, "日本 本語");
	says("none", "x猫y", true, "x 猫* y");
	says("none", "x猫y", false, "x 猫 y");
	says("none", "漢字かな、カナ", true, "漢字 字か かな カナ");
	says("none", "한국어 말", true, "한국 국어 말*");
	says("none", "ＡＢＣ１２", false, "abc12");
	says("none", "naïve Ångström Ναί Ёлка", false,
	     "naive angstrom ναι елка");
	says("none", "nai\xCC\x88ve A\xCC\x8Angstro\xCC\x88m", false,
	     "naive angstrom");
	says("none", "हिन्दी भाषा", false, "हिन्दी भाषा");
	says("none", "שָׁלוֹם مَرْحَبًا", false, "שלום مرحبا");
	says("none", "Ɛwɛ Ɗan ǍŊ ſo µm", false, "ɛwɛ ɗan aŋ so μm");
	says("none", "a\xFF" "b\xC3(c", false, "a b c");
	says("none", "", false, "");
	says("none", "-- ... !", true, "");
	memset(word, 'q', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ok(strlen(said("english", word, false)) > 900,
	   "a very long word is cut into several");
	ok(ai_analyzer_find("klingon") == NULL, "no such analyzer");
}

int main(void)
{
	struct fts porter, unicode;
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
	    !fts_open(db, &porter, "porter") ||
	    !fts_open(db, &unicode, "unicode61")) {
		skip("SQLite has no FTS5");
	} else {
		stems(&porter);
		words(&unicode);
		porter.how.xDelete(porter.it);
		unicode.how.xDelete(unicode.it);
	}
	own_rules();
	sqlite3_close(db);
	return done();
}
