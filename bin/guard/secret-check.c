/* secret-check.c: what a secret says about itself. */
#include "secret.h"

#include "base/str.h"

#include <math.h>
#include <string.h>

double guard_entropy(struct ai_span s)
{
	unsigned count[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < s.n; i++)
		count[(unsigned char)s.p[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (count[i] > 0) {
			double p = (double)count[i] / (double)s.n;

			bits -= p * log2(p);
		}
	return bits;
}

/* ---- GitHub and npm: the last six characters are a checksum ------------------- */

static uint32_t crc32_of(const char *p, size_t n)
{
	uint32_t crc = ~(uint32_t)0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned char)p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	return ~crc;
}

static double github(struct ai_span s, double score, const char **reason)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	const char *body = memchr(s.p, '_', s.n), *last;
	uint32_t crc;

	if (body == NULL || (size_t)(s.p + s.n - ++body) != 36)
		return score;
	crc = crc32_of(body, 30);
	last = body + 36;
	for (int i = 0; i < 6; i++, crc /= 62)
		if (*--last != digits[crc % 62]) {
			*reason = "a token whose checksum is wrong";
			return score * .7;
		}
	*reason = "a token whose checksum is right";
	return 1;
}

/* ---- JSON web tokens ----------------------------------------------------------------- */

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	return c == '_' || c == '/' ? 63 : -1;
}

/* The header says how it is signed. */
static double jwt(struct ai_span s, double score, const char **reason)
{
	char head[256];
	size_t n = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < s.n && n < sizeof head - 1; i++) {
		int d = digit64(s.p[i]);

		if (d < 0)
			break;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 != 0)
			head[n++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	head[n] = '\0';
	if (n > 0 && head[0] == '{' && memmem(head, n, "\"alg\"", 5) != NULL) {
		*reason = "a token whose header names an algorithm";
		return .99;
	}
	*reason = "looks like a signed token";
	return score * .7;
}

/* ---- what only looks like a secret ---------------------------------------------------- */

/* In small letters: what stands in an example. */
static const char *const placeholders[] = {
	"example", "sample", "placeholder", "changeme", "change_me",
	"change-me", "your", "insert", "replace", "redacted", "dummy",
	"foobar", "lorem", "todo", "xxxx", "****", "....", "----", "____",
	"0000", "12345678", "abcdef", "qwerty", "deadbeef", "undefined",
	"process.env", "getenv", "environ", "config.", "settings.", "self.",
	"this.", "secrets.", "request.", "response.", "options.", "params.",
	"localhost", "function", "string", "password", "secret", "token",
};

static bool has_placeholder(struct ai_span s)
{
	char small[160];
	size_t n = s.n < sizeof small ? s.n : sizeof small;

	for (size_t i = 0; i < n; i++)
		small[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z'
					  ? s.p[i] | 0x20 : s.p[i]);
	for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
		if (memmem(small, n, placeholders[i],
			   strlen(placeholders[i])) != NULL)
			return true;
	return false;
}

/* Words are no secrets, nor are names of variables. */
static bool is_words(struct ai_span s)
{
	size_t i = 0;

	while (i < s.n && ((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			   (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			   s.p[i] == '_' || s.p[i] == '.' || s.p[i] == '-'))
		i++;
	return i == s.n;
}

static double generic(struct ai_span s, double score, const char **reason)
{
	if (is_words(s) || has_placeholder(s))
		return 0;
	*reason = "a random value that is assigned to a secret's name";
	return score;
}

/* ---- passwords -------------------------------------------------------------------- */

struct letters {
	size_t small, large, digits, slashes, signs;
};

static struct letters count(struct ai_span s)
{
	struct letters n = { 0, 0, 0, 0, 0 };

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= 'a' && c <= 'z')
			n.small++;
		else if ((c >= 'A' && c <= 'Z') || c & 0x80)
			n.large++;
		else if (c >= '0' && c <= '9')
			n.digits++;
		else if (c == '/')
			n.slashes++;
		else if (c != '_' && c != '-' && c != '.')
			n.signs++;
	}
	return n;
}

/* A call, an element, a field, a template, a path, another's name: what code has
 * where a password would be. */
static bool is_code(struct ai_span s, const struct letters *n)
{
	static const char *const parts[] = {
		"(", ")", "[", "{", "}", "->", "::", "://", "...", "$_",
	};
	static const char *const names[] = { "pass", "pwd", "Pass", "PASS" };
	const char *dot = memchr(s.p, '.', s.n);

	if (strchr("$%<>{[(/*@&#\\-+=~.:|,;!?^_", s.p[0]) != NULL ||
	    n->slashes > 1)
		return true;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (memmem(s.p, s.n, parts[i], strlen(parts[i])) != NULL)
			return true;
	for (size_t i = 0; n->signs == 0 &&
	     i < sizeof names / sizeof *names; i++)
		if (memmem(s.p, s.n, names[i], strlen(names[i])) != NULL)
			return true;
	/* config.value2, and what is an address of mail. */
	return dot != NULL && (n->signs == 0 || memchr(s.p, '@', s.n) != NULL);
}

static double password(struct ai_span s, double score, const char **reason)
{
	struct letters n = count(s);

	if (s.n < 6 || n.small + n.large == 0 || n.digits + n.signs == 0 ||
	    is_code(s, &n) || has_placeholder(s))
		return 0;
	*reason = "a password that is told";
	return score;
}

/* The name and the password of HTTP's simplest login. */
static double basic(struct ai_span s, double score, const char **reason)
{
	uint32_t bits = 0;
	bool colon = false;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		unsigned char c;

		bits = bits << 6 | (uint32_t)digit64(s.p[i]);
		if (i % 4 == 0)
			continue;
		c = (unsigned char)(bits >> (6 - 2 * (i % 4)));
		if (c < ' ' || c == 0x7F)
			return 0;
		colon |= c == ':';
	}
	*reason = "a name and a password in base64";
	return colon ? score : 0;
}

static double last(struct ai_span s, double score, const char **reason)
{
	(void)s;
	(void)reason;
	return score;
}

double guard_check_secret(enum guard_check check, struct ai_span secret,
			  double score, const char **reason)
{
	static double (*const checks[])(struct ai_span, double,
					const char **) = {
		[GUARD_GITHUB] = github, [GUARD_JWT] = jwt,
		[GUARD_GENERIC] = generic, [GUARD_PASSWORD] = password,
		[GUARD_BASIC] = basic, [GUARD_LAST] = last,
	};

	*reason = "has the form of a secret of this kind";
	return check == GUARD_NO_CHECK ? score
				       : checks[check](secret, score, reason);
}
