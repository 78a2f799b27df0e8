/* net/sign and crypt's SHA-256: the examples that AWS and the RFCs publish,
 * and requests that must not be signed. */
#include "crypt/hash.h"
#include "net/sign.h"

#include "tap.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define EMPTY_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_sha256(void)
{
	struct ai_sha256 h;
	char hex[AI_SHA256_HEX];
	unsigned char sum[AI_SHA256_BYTES], zeros[sizeof h] = { 0 };

	ai_sha256_of("", 0, hex);
	ok(strcmp(hex, EMPTY_SHA256) == 0, "SHA-256 of nothing");
	ai_sha256_init(&h);
	ai_sha256_add(&h, "ab", 2);
	ai_sha256_add(&h, "c", 1);
	ai_sha256_end(&h, sum);
	ai_hex(sum, sizeof sum, hex);
	ok(strcmp(hex, "ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad") == 0,
	   "of FIPS 180's \"abc\", in two pieces");
	ok(memcmp(&h, zeros, sizeof h) == 0, "its state is wiped");
}

/* RFC 4231, test cases 2 and 6. */
static void test_hmac(void)
{
	static const char text[] =
		"Test Using Larger Than Block-Size Key - Hash Key First";
	unsigned char key[131], out[AI_SHA256_BYTES];
	char hex[AI_SHA256_HEX];

	ai_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	ai_hex(out, sizeof out, hex);
	ok(strcmp(hex, "5bdcc146bf60754e6a042426089575c7"
		  "5a003f089d2739839dec58b964ec3843") == 0, "HMAC-SHA-256");
	memset(key, 0xAA, sizeof key);
	ai_hmac_sha256(key, sizeof key, text, sizeof text - 1, out);
	ai_hex(out, sizeof out, hex);
	ok(strcmp(hex, "60e431591ee0b67f0d8a26aacbf5b77f"
		  "8e0bc6213728c5140546040f0ee37f54") == 0,
	   "with a key longer than a block");
	memcpy(key, "Jefe", 4);
	memset(key + 4, 0, AI_SHA256_BYTES - 4);
	ai_hmac_sha256(key, AI_SHA256_BYTES, "what do ya want for nothing?",
		       28, key);
	ai_hex(key, AI_SHA256_BYTES, hex);
	ok(strcmp(hex, "5bdcc146bf60754e6a042426089575c7"
		  "5a003f089d2739839dec58b964ec3843") == 0,
	   "the sum may replace the key, which zeros do not change");
	ai_wipe(key, sizeof key);
	ok(key[0] == 0 && memcmp(key, key + 1, sizeof key - 1) == 0,
	   "wiped is zero");
}

/* What AWS's test suite signs ("aws-sig-v4-test-suite"), unless changed. */
static struct ai_sign suite(void)
{
	return (struct ai_sign){
		.method = "GET", .host = "example.amazonaws.com", .path = "/",
		.body_sha256 = EMPTY_SHA256, .region = "us-east-1",
		.service = "service", .access_key = "AKIDEXAMPLE",
		.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		.time_s = 1440938160,
	};
}

/* The signature in a line, "" if there is none. */
static const char *signature_of(const struct ai_signed *s)
{
	const char *at = s->line[0] != NULL ?
			 strstr(s->line[0], "Signature=") : NULL;

	return at != NULL ? at + strlen("Signature=") : "";
}

static void test_vanilla(void)
{
	struct ai_sign q = suite();
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };

	ok(ai_sign_aws(&q, &s, &err) == 0, "get-vanilla %s", err.msg);
	ok(strcmp(s.line[0], "Authorization: AWS4-HMAC-SHA256 "
		  "Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
		  "aws4_request, SignedHeaders=host;x-amz-date, "
		  "Signature=5fa00fa31553b73ebf1942676e86291e"
		  "8372ff2a2260956d9b8aae1d763fbf31") == 0,
	   "%s", s.line[0]);
	ok(strcmp(s.line[1], "X-Amz-Date: 20150830T123600Z") == 0,
	   "%s", s.line[1]);
	ok(s.line[2] == NULL, "and no other line");
	ai_signed_release(&s);
	ok(s.line[0] == NULL && s.text.p == NULL, "released");
}

#define HEADERS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void test_suite(void)
{
	const struct {
		const char *name, *method, *path, *query;
		const char *const *headers;
		const char *want;
	} rows[] = {
		{ "post-vanilla", "POST", "/", NULL, NULL,
		  "5da7c1a2acd57cee7505fc6676e4e544"
		  "621c30862966e37dddb68e92efbe5d6b" },
		{ "get-vanilla-query-order-key-case", "GET", "/",
		  "Param2=value2&Param1=value1", NULL,
		  "b97d918cfa904a5beff61c982a1b6f45"
		  "8b799221646efd99d3219ec94cdf2500" },
		{ "get-header-key-duplicate", "GET", "/", NULL,
		  HEADERS("My-Header1:value2", "My-Header1:value2",
			  "My-Header1:value1"),
		  "c9d5ea9f3f72853aea855b47ea873832"
		  "890dbdd183b4468f858259531a5138ea" },
		{ "get-header-value-trim", "GET", "/", NULL,
		  HEADERS("My-Header1: value1",
			  "My-Header2: \"a   b   c\""),
		  "acc3ed3afb60bb290fc8d2dd0098b991"
		  "1fcaa05412b367055dee359757a9c736" },
		{ "post-header-key-sort", "POST", "/", NULL,
		  HEADERS("My-Header1:value1"),
		  "c5410059b04c1ee005303aed430f6e66"
		  "45f61f4dc9e1461ec8f8916fdf18852c" },
		{ "get-utf8", "GET", "/\xE1\x88\xB4", NULL, NULL,
		  "8318018e0b0f223aa2bbf98705b62bb7"
		  "87dc9c0e678f255a891fd03141be5d85" },
		{ "get-space", "GET", "/example space/", NULL, NULL,
		  "652487583200325589f1fba4c7e578f7"
		  "2c47cb61beeca81406b39ddec1366741" },
		{ "get-unreserved", "GET",
		  "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
		  "rstuvwxyz", NULL, NULL,
		  "07ef7494c76fa4850883e2b006601f94"
		  "0f8a34d404d0cfa977f52a65bbf5f24f" },
		{ "get-slashes", "GET", "//example//", NULL, NULL,
		  "9a624bd73a37c9a373b5312afbebe7a7"
		  "14a789de108f0bdfe846570885f57e84" },
		{ "get-slash-dot-slash", "GET", "/./", NULL, NULL,
		  "5fa00fa31553b73ebf1942676e86291e"
		  "8372ff2a2260956d9b8aae1d763fbf31" },
		{ "get-relative-relative", "GET", "/example1/example2/../..",
		  NULL, NULL, "5fa00fa31553b73ebf1942676e86291e"
		  "8372ff2a2260956d9b8aae1d763fbf31" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ai_sign q = suite();
		struct ai_signed s;
		struct ai_err err = { AI_E_NONE, -1, "" };

		q.method = rows[i].method;
		q.path = rows[i].path;
		q.query = rows[i].query;
		q.headers = rows[i].headers;
		ai_sign_aws(&q, &s, &err);
		ok(strcmp(signature_of(&s), rows[i].want) == 0, "%s %s %s",
		   rows[i].name, signature_of(&s), err.msg);
		ai_signed_release(&s);
	}
}

/* The example of IAM's manual. */
static void test_iam(void)
{
	struct ai_sign q = suite();
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };

	q.host = "iam.amazonaws.com";
	q.service = "iam";
	q.query = "Action=ListUsers&Version=2010-05-08";
	q.headers = HEADERS("content-type: application/x-www-form-urlencoded; "
			    "charset=utf-8");
	ai_sign_aws(&q, &s, &err);
	ok(strcmp(signature_of(&s), "5d672d79c15b13162d9279b0855cfba6"
		  "789a8edb4c82c400e06b5924a6f2b5d7") == 0, "iam ListUsers %s",
	   err.msg);
	ai_signed_release(&s);
}

static const char *signed_as(const char *path, const char *query)
{
	static char out[2][80];
	static int turn;
	struct ai_sign q = suite();
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };

	turn = !turn;
	q.path = path;
	q.query = query;
	ai_sign_aws(&q, &s, &err);
	snprintf(out[turn], sizeof out[turn], "%s", signature_of(&s));
	ai_signed_release(&s);
	return out[turn];
}

#define SAME(what, path1, query1, path2, query2)                               \
	ok(strcmp(signed_as(path1, query1), signed_as(path2, query2)) == 0,    \
	   "%s", what)
#define OTHER(what, path1, query1, path2, query2)                              \
	ok(strcmp(signed_as(path1, query1), signed_as(path2, query2)) != 0,    \
	   "%s", what)

static void test_canonical(void)
{
	SAME("no path is /", "", NULL, "/", NULL);
	SAME("a path without its slash", "a", NULL, "/a", NULL);
	SAME("segments of dots", "/a/./b/../c//d/", NULL, "/a/c/d/", NULL);
	SAME("more .. than there is", "/../../a/../..", NULL, "/", NULL);
	OTHER("three dots are a name", "/.../a", NULL, "/a", NULL);
	OTHER("a slash at the end counts", "/a/", NULL, "/a", NULL);
	OTHER("what was sent encoded is encoded again", "/a%3Ab", NULL,
	      "/a:b", NULL);
	SAME("an empty query", "/", "", "/", NULL);
	SAME("a name without =", "/", "a", "/", "a=");
	SAME("empty parameters", "/", "&&a=1&", "/", "a=1");
	SAME("codes that were not needed", "/", "%61=%7e", "/", "a=~");
	SAME("codes in small letters", "/", "a=%c3%bc", "/", "a=%C3%BC");
	SAME("what should have been encoded", "/", "a=b:c/d=e", "/",
	     "a=b%3Ac%2Fd%3De");
	SAME("+ is itself", "/", "a=+", "/", "a=%2B");
	SAME("a % that is no code", "/", "a=%zz%4", "/", "a=%25zz%254");
	SAME("the order does not matter", "/", "b=2&a=2&a=1&a-=0", "/",
	     "a-=0&a=1&a=2&b=2");
	OTHER("but what belongs together does", "/", "a=1&b=2", "/",
	      "a=2&b=1");
}

static void test_lines(void)
{
	struct ai_sign q = suite();
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };

	q.content_sha256 = true;
	q.token = "TOKEN/+=";
	q.headers = HEADERS("Content-Type: application/json",
			    "x-amz-a: 1", "X-Amz-z:2");
	ok(ai_sign_aws(&q, &s, &err) == 0, "all lines %s", err.msg);
	ok(strstr(s.line[0], "SignedHeaders=content-type;host;x-amz-a;"
		  "x-amz-content-sha256;x-amz-date;x-amz-security-token;"
		  "x-amz-z, ") != NULL, "%s", s.line[0]);
	ok(strcmp(s.line[2], "X-Amz-Content-Sha256: " EMPTY_SHA256) == 0,
	   "%s", s.line[2]);
	ok(strcmp(s.line[3], "X-Amz-Security-Token: TOKEN/+=") == 0,
	   "%s", s.line[3]);
	ok(s.line[4] == NULL, "and no more");
	ok(s.text.len <= s.text.max, "in memory that did not move");
	ai_signed_release(&s);
}

static void refused(const struct ai_sign *q, enum ai_code code,
		    const char *what)
{
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };

	ok(ai_sign_aws(q, &s, &err) == -1 && err.code == code &&
	   s.line[0] == NULL, "%s: %s", what, err.msg);
	ok(strstr(err.msg, "SECRET") == NULL, "and the secret is not told");
	ai_signed_release(&s);
}

static void test_keys(void)
{
	static const struct {
		const char *access, *secret, *token;
	} rows[] = {
		{ "", "SECRET", NULL }, { NULL, "SECRET", NULL },
		{ "A", "", NULL }, { "A", NULL, NULL },
		{ "A\n", "SECRET", NULL }, { "A B", "SECRET", NULL },
		{ "A", "SECRET\n", NULL }, { "A", "SECRET\r\nX: 1", NULL },
		{ "A", "SECR\xC3\x89T", NULL }, { "A", "SECRET", "SECRET\n" },
	};
	struct ai_sign q = suite();
	struct ai_signed s;
	struct ai_err err = { AI_E_NONE, -1, "" };
	char secret[AI_SIGN_SECRET_MAX + 2];

	for (size_t i = 0; i < COUNT(rows); i++) {
		q.access_key = rows[i].access;
		q.secret = rows[i].secret;
		q.token = rows[i].token;
		refused(&q, AI_E_NOT_ALLOWED, "a key that cannot be one");
	}
	q = suite();
	memset(secret, 'x', sizeof secret);
	secret[AI_SIGN_SECRET_MAX + 1] = '\0';
	q.secret = secret;
	refused(&q, AI_E_NOT_ALLOWED, "a secret too long");
	secret[AI_SIGN_SECRET_MAX] = '\0';
	ok(ai_sign_aws(&q, &s, &err) == 0, "as long as it may be");
	ai_signed_release(&s);
}

static void test_refused(void)
{
	static const char *const lines[] = {
		"no colon", ": no name", "", "a b: c", "a\t: c", "a(: c",
		"Host: SECRET", "authorization: SECRET", "X-AMZ-DATE: SECRET",
		"x: SECRET\r\ny: 1", "x: SECRET\x7F", "\xC3\xA4: 1",
	};
	const char *many[AI_SIGN_HEADERS_MAX + 1] = { NULL };
	struct ai_sign q = suite();
	char query[4 * AI_SIGN_QUERY_MAX];

	for (size_t i = 0; i < COUNT(lines); i++) {
		q.headers = HEADERS(lines[i]);
		refused(&q, AI_E_CONFIG, "a header that cannot be signed");
	}
	for (size_t i = 0; i + 1 < COUNT(many); i++)
		many[i] = "a: b";
	q.headers = many;
	refused(&q, AI_E_CONFIG, "too many headers");
	q = suite();
	q.region = "us east";
	refused(&q, AI_E_CONFIG, "a region with a blank");
	q = suite();
	q.host = "a\nb";
	refused(&q, AI_E_CONFIG, "a host of two lines");
	q = suite();
	q.time_s = -1;
	refused(&q, AI_E_CONFIG, "before 1970");
	q.time_s = INT64_C(253402300800);
	refused(&q, AI_E_CONFIG, "after 9999");
	q.time_s = INT64_MAX;
	refused(&q, AI_E_CONFIG, "after the end of time");
	q = suite();
	memset(query, '\0', sizeof query);
	for (int i = 0; i <= AI_SIGN_QUERY_MAX; i++)
		memcpy(query + 2 * i, "a&", 2);
	q.query = query;
	refused(&q, AI_E_TOO_LONG, "too many parameters");
}

int main(void)
{
	test_sha256();
	test_hmac();
	test_vanilla();
	test_suite();
	test_iam();
	test_canonical();
	test_lines();
	test_keys();
	test_refused();
	return done();
}
