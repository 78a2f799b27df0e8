/* model/keys and model/headers: whose turn it is, what is set aside and for how
 * long, what is hidden; from several threads as well. */
#include "model/client.h"

#include "tap.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct ai_err err;

/* Keys that a program gives; command is JSON. */
static struct ai_keys *keys_of(const char *name, const char *command)
{
	static const char *const env[2] = { "AI_TEST_KEY" };
	struct ai_keys_from from = { .name = name, .env = env,
				     .auth = AI_AUTH_X_API_KEY };
	struct ai_keys *k = NULL;

	if (command != NULL)
		ai_json_check(command, strlen(command), &from.command, NULL);
	err.code = AI_E_NONE;
	return ai_keys_find(&k, &from, &err) < 0 ? NULL : k;
}

static const char *next(struct ai_keyring *r, uint64_t tried)
{
	const struct ai_key *key;

	if (ai_keyring_next(r, tried, &key, &err) < 0)
		return "error";
	return key == NULL ? "none" : key->text;
}

/* Where it begins is left to chance: the texts from there on. */
static bool goes_round(struct ai_keyring *r, const char *const *texts,
		       size_t n, int rounds)
{
	const char *first = next(r, 0);
	size_t at = 0;

	while (at < n && strcmp(texts[at], first) != 0)
		at++;
	for (size_t i = 1; i < n * (size_t)rounds; i++)
		if (strcmp(next(r, 0), texts[(at + i) % n]) != 0)
			return false;
	return at < n;
}

static void test_turns(void)
{
	static const char *const abc[] = { "a", "b", "c" };
	struct ai_keys *k = keys_of("turns", "[\"printf\",\"a\\nb\\nc\\n\"]");
	struct ai_keyring *r = ai_keyring_new(k, &err), *other;
	const struct ai_key *key;

	ok(k != NULL && ai_keys_at(k, 0) == NULL, "not run before it must be");
	ok(goes_round(r, abc, 3, 3), "three keys take turns");
	key = ai_keys_at(k, 1);
	ok(key != NULL && key->auth == AI_AUTH_X_API_KEY &&
	   strcmp(key->text, "b") == 0 && strlen(key->label) >= 16 &&
	   strstr(key->label, "b\n") == NULL && ai_keys_at(k, 3) == NULL,
	   "a key and its label: %s", key->label);
	ok(keys_of("turns", "[\"false\"]") == k, "once for a name");
	ai_keyring_set_aside(r, key, HUGE_VAL);
	ok(strcmp(next(r, 0), "b") != 0 && strcmp(next(r, 0), "b") != 0 &&
	   strcmp(next(r, 0), "b") != 0, "one that is set aside is left out");
	other = ai_keyring_new(k, &err);
	ok(goes_round(other, abc, 3, 1), "not for another model");
	ok(strcmp(next(r, ai_keys_at(k, 0)->bit), "c") == 0 &&
	   strcmp(next(r, ai_keys_at(k, 2)->bit), "a") == 0,
	   "nor is one taken that was tried");
	ok(ai_keyring_has(r, ai_keys_at(k, 0)->bit) &&
	   !ai_keyring_has(r, ai_keys_at(k, 0)->bit | ai_keys_at(k, 2)->bit),
	   "whether there is another");
	ok(ai_keyring_wait(r) <= 0, "no wait while there is one");
	ai_keyring_set_aside(r, ai_keys_at(k, 0), 100);
	ai_keyring_set_aside(r, ai_keys_at(k, 2), 50);
	ai_keyring_set_aside(r, ai_keys_at(k, 2), 10);
	ok(strcmp(next(r, 0), "c") == 0 && strcmp(next(r, 0), "c") == 0,
	   "all set aside: the first that may go again");
	ok(ai_keyring_wait(r) > 40 && ai_keyring_wait(r) <= 50,
	   "a shorter time does not end a longer one");
	ai_keyring_set_aside(r, ai_keys_at(k, 0), HUGE_VAL);
	ai_keyring_set_aside(r, ai_keys_at(k, 2), HUGE_VAL);
	ok(isinf(ai_keyring_wait(r)) && !ai_keyring_has(r, 0),
	   "none of any use");
	ok(goes_round(r, abc, 3, 2), "they still take turns");
	ai_keyring_free(r);
	ai_keyring_free(other);
}

static void test_none(void)
{
	struct ai_keyring *r;
	struct ai_keys *k;

	unsetenv("AI_TEST_KEY");
	k = keys_of("none", NULL);
	r = ai_keyring_new(k, &err);
	ok(k == NULL && err.code == AI_E_NONE && strcmp(next(r, 0), "none") == 0 &&
	   !ai_keyring_has(r, 0) && ai_keyring_wait(r) <= 0, "no key");
	ai_keyring_free(r);
	setenv("AI_TEST_KEY", "from-env", 1);
	k = keys_of("none", NULL);
	r = ai_keyring_new(k, &err);
	ok(strcmp(next(r, 0), "from-env") == 0 &&
	   strcmp(next(r, 1), "from-env") == 0, "one that was set meanwhile");
	ai_keyring_free(r);
	setenv("AI_TEST_KEY", "a\nb", 1);
	ok(keys_of("lines", NULL) == NULL && err.code == AI_E_NOT_ALLOWED &&
	   strstr(err.msg, "AI_TEST_KEY") != NULL, "two lines: %s", err.msg);
	unsetenv("AI_TEST_KEY");
	k = keys_of("fails", "\"exit 3\"");
	r = ai_keyring_new(k, &err);
	ok(strcmp(next(r, 0), "error") == 0 && err.code == AI_E_NOT_ALLOWED &&
	   strcmp(next(r, 0), "error") == 0, "a program that fails: %s",
	   err.msg);
	ai_keyring_free(r);
	r = ai_keyring_new(keys_of("half", "\"echo good; printf 'b d'\""),
			   &err);
	ok(strcmp(next(r, 0), "error") == 0 && !ai_keyring_has(r, 0),
	   "one bad key: none of them is used: %s", err.msg);
	ai_keyring_free(r);
}

/* ---- threads ---------------------------------------------------------------- */

#define THREADS 4
#define TURNS 3000

struct thread {
	pthread_t id;
	struct ai_keyring *ring;
	int seen[3];
};

static void *turn_often(void *arg)
{
	struct thread *t = arg;
	const struct ai_key *key;
	struct ai_err mine;

	for (int i = 0; i < TURNS; i++) {
		if (ai_keyring_next(t->ring, 0, &key, &mine) < 0)
			return NULL;
		t->seen[key->text[0] - 'a']++;
		if (i % 100 == 0)
			ai_keyring_set_aside(t->ring, key, 0);
		ai_keyring_has(t->ring, key->bit);
	}
	return NULL;
}

static void test_threads(void)
{
	struct ai_keyring *r = ai_keyring_new(keys_of("threads",
		"\"printf 'a\\\\nb\\\\nc\\\\n'\""), &err);
	struct thread t[THREADS] = { { .ring = r } };
	int sum[3] = { 0 };

	for (int i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .ring = r };
		pthread_create(&t[i].id, NULL, turn_often, &t[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i].id, NULL);
		for (int k = 0; k < 3; k++)
			sum[k] += t[i].seen[k];
	}
	ok(sum[0] == THREADS * TURNS / 3 && sum[1] == sum[0] &&
	   sum[2] == sum[0], "as often each: %d %d %d", sum[0], sum[1],
	   sum[2]);
	ai_keyring_free(r);
}

/* ---- messages and headers ------------------------------------------------------ */

static bool hidden(const char *msg, const char *secret, const char *wanted)
{
	char text[200];

	snprintf(text, sizeof text, "%s", msg);
	ai_key_hide(text, secret);
	return strcmp(text, wanted) == 0;
}

static void test_hide(void)
{
	ok(hidden("wrong key: sk-abcdef.", "sk-abcdef", "wrong key: ***"),
	   "a key");
	ok(hidden("sk-abcdef sk-abcdef", "sk-abcdef", "*** ***"), "twice");
	ok(hidden("not sk-a**ef here", "sk-abcdef", "not *** here"), "masked");
	ok(hidden("a ** b", "sk-abcdef", "a ** b") &&
	   hidden("nothing", "sk-abcdef", "nothing") &&
	   hidden("", "sk", "") && hidden("x", NULL, "x") &&
	   hidden("x", "", "x"), "what is none");
	ok(hidden("ab", "ab", "**"), "a short one");
}

static void test_headers(void)
{
	static const char *const own[] = { "anthropic-version: 1", NULL };
	struct ai_headers h = { .n = 0 };
	struct ai_key key = { .text = (char[]){ "k1" }, .auth = AI_AUTH_GOOGLE };
	char line[AI_HEADER_KEY];

	ok(ai_headers_add(&h, own, &err) == 0 &&
	   ai_headers_set(&h, "Anthropic-Version", "2", false, &err) == 0 &&
	   h.n == 1 && strcmp(h.v[0].line, "Anthropic-Version: 2") == 0,
	   "one of the same name is replaced");
	ok(ai_headers_set(&h, "anthropic", "true", true, &err) == 0 &&
	   h.n == 2 && h.v[1].secret == NULL && h.v[0].secret == NULL,
	   "one that begins like it is another; a short value is no secret");
	ok(ai_headers_set(&h, "x", "Bearer abcdefgh", true, &err) == 0 &&
	   strcmp(h.v[2].secret, "abcdefgh") == 0,
	   "the secret is the last word");
	ok(ai_headers_set(&h, "y", "a\r\nb: c", false, &err) < 0 &&
	   ai_headers_set(&h, "y\n", "a", false, &err) < 0 &&
	   ai_headers_set(&h, "", "a", false, &err) < 0 &&
	   ai_headers_set(&h, "y", "", false, &err) < 0 &&
	   ai_headers_set(&h, "HOST", "a", false, &err) < 0 && h.n == 3 &&
	   err.code == AI_E_CONFIG, "what is none: %s", err.msg);
	for (int i = 0; i < AI_HEADERS_MAX; i++) {
		snprintf(line, sizeof line, "x-%d", i);
		ai_headers_set(&h, line, "v", false, &err);
	}
	ok(h.n == AI_HEADERS_MAX && strstr(err.msg, "more than"),
	   "too many: %s", err.msg);
	ok(ai_headers_set(&h, "x-1", "w", false, &err) == 0,
	   "one that is there may change all the same");
	ai_headers_release(&h);
	ai_header_of_key(&key, line);
	ok(strcmp(line, "x-goog-api-key: k1") == 0, "the header of a key");
}

int main(void)
{
	ai_client.timeout_s = 60;
	test_turns();
	test_none();
	test_threads();
	test_hide();
	test_headers();
	return done();
}
