/* The classifier's words, windows and reasons, and its file of weights. */
#include "../../bin/guard/features.h"
#include "../../bin/guard/weights.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BITS 12

static signed char table[1 << BITS];
static struct weights w;
static char path[64];

/* Weights for which only this word says anything. */
static void only(const char *word)
{
	struct feature_words words;
	struct feature_word x;
	uint32_t at[FEATURES_MAX];

	memset(table, 0, sizeof table);
	memset(&w, 0, sizeof w);
	w.head.bits = BITS;
	feature_words_init(&words, word, strlen(word));
	if (feature_words_next(&words, &x) &&
	    features_of(&x, NULL, NULL, BITS, at) > 0)
		table[at[0]] = 100;
	for (int t = 0; t < WEIGHTS_TABLES; t++) {
		w.head.table[t].bias = -1;
		w.head.table[t].step = .1f;
		w.table[t] = table;
		for (int i = 0; i < WEIGHTS_POINTS; i++)
			w.head.table[t].points[i] = 4.f - (float)i;
	}
}

struct best {
	struct weights_window w;
	size_t n;
};

static int note(void *arg, const struct weights_window *x)
{
	struct best *b = arg;

	if (b->n++ == 0 || x->score > b->w.score)
		b->w = *x;
	return 0;
}

static struct best look(const char *text)
{
	struct best b = { .n = 0 };

	weights_windows(&w, WEIGHTS_USER, text, strlen(text), note, &b);
	return b;
}

static void test_windows(void)
{
	char text[4000] = "";
	struct best b;
	char reason[40];
	size_t at;

	only("zebra");
	ok(look("").n == 0 && look(" .,!").n == 0, "no words, no window");
	ok(look("one").n == 1, "a word is a window");
	for (int i = 0; i < 300; i++)
		memcpy(text + 6 * i, i == 173 ? "Zebra " : "horse ", 6);
	at = (size_t)(strstr(text, "Zebra") - text);
	b = look(text);
	ok(b.n == (300 + FEATURES_BLOCK - 1) / FEATURES_BLOCK,
	   "300 words are a window a block, not %zu", b.n);
	ok(b.w.from <= at && b.w.to >= at + 5, "the best has the word");
	ok(b.w.to - b.w.from <= (size_t)(FEATURES_BLOCK * 6),
	   "and is a single block, as the others say nothing");
	weights_reason(&w, WEIGHTS_USER, text + b.w.from, b.w.to - b.w.from,
		       reason, sizeof reason);
	ok(strcmp(reason, "\"Zebra\"") == 0, "the reason is the word: %s",
	   reason);
	ok(look("the zebra horse").w.from == 0, "a short text is one window");
	only("z");
	ok(look("z e b r a").w.score < 0 && look("%7a%65").w.score < 0,
	   "letters and numbers that were put apart say nothing");
	only("zebra");
	ok(look("z3br4").w.score > 0 && look("ze$br@").w.score < 0,
	   "digits within a word are letters");
	ok(look("23bra").w.score < 0 && look("ze8ra").w.score > 0,
	   "only such as look like one");
	only("others");
	ok(look("07h3rs").w.score > 0 && look("073").w.score < 0,
	   "also several in a row, beside a letter");
	only("little");
	ok(look("1i7t1e").w.score > 0 && look("li77le").w.score > 0,
	   "a 1 is an i and an l");
	only("zebra");
	ok(look("ZEBRA").w.score > 0 && look("zebras").w.score < 0,
	   "case is nothing, another word is another");
}

/* The best of many windows must score more than that of a few. */
static void test_length(void)
{
	char text[6001], *end = text + sizeof text - 1;

	only("zebra");
	memset(text, ' ', sizeof text - 1);
	*end = '\0';
	memcpy(text, "zebra", 5);
	ok(look("zebra").w.score > look(text).w.score,
	   "the same words say less in a long text");
	ok(features_length(1 << 20) == features_length(1 << 30) &&
	   features_length(0) == 0, "and no less in one that is longer yet");
}

/* What is left of a window that is all of a text. */
static bool narrowed(const char *text, const char *to)
{
	struct weights_window x = { 0, 0, strlen(text) };

	weights_narrow(&w, WEIGHTS_USER, text, strlen(text), &x);
	if (x.to - x.from == strlen(to) &&
	    memcmp(text + x.from, to, strlen(to)) == 0)
		return true;
	printf("# %zu..%zu\n", x.from, x.to);
	return false;
}

static void test_narrow(void)
{
	only("zebra");
	w.head.table[WEIGHTS_USER].points[WEIGHTS_POINTS - 1] = 0;
	ok(narrowed("One horse. A zebra runs! Two horses.", "A zebra runs"),
	   "a window is narrowed to the sentence that says it");
	ok(narrowed("horse\nzebra\nhorse\nzebra\nhorse",
		    "zebra\nhorse\nzebra"), "or to all from first to last");
	ok(narrowed("One horse. Two horses.", "One horse. Two horses."),
	   "and stays where no sentence says anything");
	ok(narrowed("", ""), "nothing is narrowed to nothing");
}

static void test_words(void)
{
	static const char text[] = "a_b  Don\xE2\x80\x99t. \xD0\x98\xD0\xBC\xD1\x8F "
				   "\xE5\xBF\xBD\xE7\x95\xA5\xFFx";
	static const bool first[] = { true, false, false, false, true, false,
				      false, false };
	struct feature_words words;
	struct feature_word x;
	size_t n = 0;
	bool good = true;

	feature_words_init(&words, text, sizeof text - 1);
	for (; n < 8 && feature_words_next(&words, &x); n++)
		good = good && x.first == first[n];
	ok(n == 8, "words as in words.h: %zu", n);
	ok(good, "a word knows whether a sentence begins with it");
}

static void test_rates(void)
{
	bool good = true;

	only("x");
	for (int i = 0; i < WEIGHTS_POINTS; i++)
		good = good && fabs(weights_rate(&w, WEIGHTS_USER, 4. - i) -
				    weights_rates[i]) < 1e-9;
	ok(good, "the points have their rates");
	for (double s = -3; s < 8; s += .37) {
		double r = weights_rate(&w, WEIGHTS_USER, s);

		if (r < 1)
			good = good && fabs(weights_score(&w, WEIGHTS_USER,
							  r) - s) < 1e-6;
	}
	ok(good, "a score's rate has that score");
	ok(weights_rate(&w, WEIGHTS_USER, -100) == 1, "no rate is above 1");
}

/* The file with one byte changed, or cut: what is said of it. */
static const char *bad(size_t at, int byte, size_t cut)
{
	static unsigned char file[1 << 16];
	struct weights r;
	FILE *f = fopen(path, "rbe");
	size_t n = f == NULL ? 0 : fread(file, 1, sizeof file, f);
	const char *wrong;

	if (f != NULL)
		fclose(f);
	if (byte >= 0)
		file[at] = (unsigned char)byte;
	wrong = weights_read(&r, file, n - cut);
	return wrong == NULL ? "" : wrong;
}

static void test_file(void)
{
	struct weights r;
	struct ai_err err;
	size_t head = sizeof(struct weights_header);

	only("zebra");
	snprintf(path, sizeof path, "/tmp/classify.%ld", (long)getpid());
	ok(weights_write(&w, path, &err) == 0, "weights are written");
	ok(weights_open(&r, path, &err) == 0, "and mapped");
	ok(memcmp(r.table[1], table, sizeof table) == 0 &&
	   r.head.table[1].points[0] == 4.f, "they are the same");
	weights_close(&r);
	ok(strcmp(bad(0, -1, 0), "") == 0, "the file is good");
	ok(strcmp(bad(0, 'B', 0), "it is no file of weights") == 0, "magic");
	ok(strstr(bad(8, 3, 0), "newer version") != NULL, "a newer version");
	ok(strstr(bad(8, 0, 0), "another version") != NULL, "an older one");
	ok(strstr(bad(12, 13, 0), "header is damaged") != NULL, "its bits");
	ok(strstr(bad(head + 3, 5, 0), "it is damaged") != NULL, "a weight");
	ok(strstr(bad(0, -1, 1), "length") != NULL, "a byte less");
	ok(strstr(bad(0, -1, sizeof table), "length") != NULL, "a table less");
	ok(strstr(bad(0, -1, head + 2 * sizeof table - 7), "too short") != NULL,
	   "only seven bytes");
	unlink(path);
	ok(weights_open(&r, path, &err) < 0 && err.code == AI_E_OPEN,
	   "no file: %s", err.msg);
}

int main(void)
{
	test_words();
	test_windows();
	test_length();
	test_narrow();
	test_rates();
	test_file();
	return done();
}
