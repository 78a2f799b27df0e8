/* Words, the model local/hash, vector arithmetic, base64. */
#include "text/stop.h"
#include "text/vector.h"
#include "text/words.h"
#include "base/utf8.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM AI_VECTOR_HASH_DIM

static const char *words_of(const char *text, size_t n)
{
	static char out[1024];
	struct ai_words w;
	size_t i, at = 0;

	ai_words_init(&w, text, n);
	while (ai_words_next(&w)) {
		if (at > 0)
			out[at++] = ' ';
		for (i = 0; i < w.n && at < sizeof(out) - 8; i++)
			at += ai_utf8_encode(w.cp[i], out + at);
	}
	out[at] = '\0';
	return out;
}

static bool gives(const char *text, const char *words)
{
	const char *got = words_of(text, strlen(text));

	if (strcmp(got, words) == 0)
		return true;
	printf("# \"%s\" gave \"%s\"\n", text, got);
	return false;
}

static void test_words(void)
{
	char longest[200];

	ok(gives("", ""), "no words in nothing");
	ok(gives(" -- ... \t\n", ""), "no words in punctuation");
	ok(gives("Hello, World-42x!", "hello world 42x"), "ASCII");
	ok(gives("STRASSE Ärger ÉCOLE Ÿ Žižek",
		 "strasse ärger école ÿ žižek"), "Latin letters");
	ok(gives("ΑΒΓ Άρης ПРИВЕТ Ёж Հայ", "αβγ άρης привет ёж հայ"),
	   "Greek, Cyrillic, Armenian");
	ok(gives("東京タワー ok", "東 京 タ ワ ー ok"),
	   "ideographs and kana stand alone");
	ok(gives("“a”—b…c\xc2\xa0" "d€e", "a b c d e"),
	   "punctuation beyond ASCII separates");
	ok(strcmp(words_of("ab\xff" "cd\xc3", 6), "ab cd") == 0,
	   "what is no UTF-8 separates");
	memset(longest, 'q', sizeof(longest));
	words_of(longest, sizeof(longest));
	ok(strlen(words_of(longest, sizeof(longest))) == 200 + 3,
	   "a word ends after 64 characters");
}

static void test_stop(void)
{
	ok(ai_stop_word("the", 3) && ai_stop_word("a", 1) &&
	   ai_stop_word("yourselves", 10) && ai_stop_word("nevertheless", 12),
	   "stop words are known");
	ok(!ai_stop_word("system", 6) && !ai_stop_word("th", 2) &&
	   !ai_stop_word("thee", 4) && !ai_stop_word("", 0) &&
	   !ai_stop_word("the\0x", 5) && !ai_stop_word("THE", 3),
	   "other words are not");
}

static float cosine(const char *a, const char *b)
{
	static float x[DIM], y[DIM];
	struct ai_err err;

	if (ai_vector_hash(a, strlen(a), DIM, x, &err) < 0 ||
	    ai_vector_hash(b, strlen(b), DIM, y, &err) < 0)
		return NAN;
	return ai_vector_dot(x, y, DIM);
}

static void test_model(void)
{
	/* From an implementation of the description in vector.h in Python,
	 * written apart: the first components of the 64 of this text. */
	static const float known[] = {
		-0.0715374f, -0.0219515f, -0.2188582f, -0.1211234f,
		0.0000000f, 0.3338414f, -0.0715374f, 0.1430749f,
		-0.1926609f, 0.0000000f, 0.0000000f, 0.0000000f,
	};
	static const char text[] =
		"The Wing in a slipstream: a WING, a propeller. Ünïcode";
	float v[AI_VECTOR_HASH_DIM_MAX], zero = 0;
	struct ai_err err;
	size_t i;
	bool same = true;

	ok(ai_vector_hash(text, strlen(text), 64, v, &err) == 0, "64 wide");
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		same = same && fabsf(v[i] - known[i]) < 1e-6f;
	ok(same, "the components are what the description says");
	ok(fabsf(ai_vector_dot(v, v, 64) - 1) < 1e-6f, "of length 1");
	ok(cosine("the flat plate", "The FLAT, plate!") > .9999f,
	   "case and punctuation do not matter");
	ok(cosine("boundary layers", "boundary layer") >
	   cosine("boundary layers", "electron tubes") + .3f,
	   "forms of a word are near, other words far");
	ok(cosine("what is the flow", "flow") > .8f, "stop words weigh little");
	ok(cosine("the of and", "the of and") > .9999f,
	   "a text of stop words alone has a vector");
	ok(ai_vector_hash("", 0, 64, v, &err) == 0 &&
	   ai_vector_dot(v, v, 64) == zero, "an empty text gives zeros");
	ok(ai_vector_hash("x", 1, 63, v, &err) < 0 &&
	   err.code == AI_E_USAGE && strstr(err.msg, "64 to 4096") != NULL,
	   "too few dimensions");
	ok(ai_vector_hash("x", 1, 4097, v, &err) < 0, "too many dimensions");
	ok(ai_vector_hash("x y", 3, 4096, v, &err) == 0, "the most");
}

/* More distinct features than the table holds. */
static void test_long(void)
{
	size_t n = 4 << 20, at = 0;
	char *text = malloc(n);
	unsigned k = 0;
	float v[DIM];
	struct ai_err err;

	while (text != NULL && at + 16 < n)
		at += (size_t)snprintf(text + at, n - at, "w%x ",
				       k++ * 2654435761u);
	ok(text != NULL && ai_vector_hash(text, at, DIM, v, &err) == 0 &&
	   fabsf(ai_vector_dot(v, v, DIM) - 1) < 1e-5f,
	   "4 MiB of different words");
	free(text);
}

static void test_dot(void)
{
	float a[37], b[37];
	double want = 0;
	size_t i;

	for (i = 0; i < 37; i++) {
		a[i] = (float)i * .25f - 3;
		b[i] = 2 - (float)i * .5f;
		want += (double)a[i] * b[i];
	}
	ok(fabs(ai_vector_dot(a, b, 37) - want) < 1e-3, "37 products");
	ok(ai_vector_dot(a, b, 0) == 0, "none");
	ai_vector_normalise(a, 37);
	ok(fabsf(ai_vector_dot(a, a, 37) - 1) < 1e-6f, "normalised");
}

static bool refused(const char *text, size_t max, const char *why)
{
	float v[8];
	size_t dim;
	struct ai_err err = { 0 };

	if (ai_vector_from_base64(text, strlen(text), v, max, &dim, &err) < 0 &&
	    err.code == AI_E_RECORD && strstr(err.msg, why) != NULL)
		return true;
	printf("# %s: %s\n", text, err.msg);
	return false;
}

static void test_base64(void)
{
	const float in[] = { 1, -2.5f, 0, 3.25e-30f, -0.1f };
	float out[8];
	size_t dim, n;
	struct ai_buf b = AI_BUF_INIT(1000);
	struct ai_err err;

	ok(ai_vector_to_base64(in, 1, &b) == 0 && strcmp(b.p, "AACAPw==") == 0,
	   "1.0 is AACAPw==");
	for (n = 1; n <= 5; n++) {
		ai_buf_clear(&b);
		ok(ai_vector_to_base64(in, n, &b) == 0 &&
		   ai_vector_from_base64(b.p, b.len, out, 8, &dim, &err) == 0 &&
		   dim == n && memcmp(in, out, n * sizeof(*in)) == 0,
		   "there and back: %zu", n);
	}
	ok(ai_vector_from_base64("AACAPw", 6, out, 8, &dim, &err) == 0 &&
	   dim == 1 && out[0] == 1, "padding may be missing");
	ok(refused("", 8, "whole"), "empty");
	ok(refused("AACAP", 8, "whole"), "a letter too few");
	ok(refused("AACA", 8, "whole"), "three bytes");
	ok(refused("AACA!w==", 8, "not base64"), "no base64");
	ok(refused("AAC=Pw==", 8, "not base64"), "padding inside");
	ok(refused("AADAfw==", 8, "finite"), "nan");
	ok(refused("AACAfw==", 8, "finite"), "infinity");
	ok(refused("AACAPwAAgD8AAIA/", 2, "the limit is 2"), "too many");
	ai_buf_release(&b);
	ai_buf_init(&b, 4);
	ok(ai_vector_to_base64(in, 1, &b) < 0 && b.bad == AI_E_TOO_LONG,
	   "the buffer's maximum holds");
	ai_buf_release(&b);
}

int main(void)
{
	test_words();
	test_stop();
	test_model();
	test_long();
	test_dot();
	test_base64();
	return done();
}
