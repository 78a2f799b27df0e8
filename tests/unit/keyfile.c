/* Key files: in which forms they may be, and who may read them. */
#include "crypt/keyfile.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char wanted[AI_KEYFILE_BYTES] =
	"\x00\xff\xfe\xfb\xef\xbe 0123456789abcdefghijklmn\n";
#define HEX "00fffefbefbe203031323334353637383961626364656667" \
	    "68696a6b6c6d6e0a"

static struct ai_err err;
static unsigned char key[AI_KEYFILE_BYTES];
static const char path[] = "keyfile.tmp";

static int of(const char *text, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), rc;
	FILE *f = fdopen(fd, "w");

	fwrite(text, 1, n, f);
	fchmod(fd, mode);
	fclose(f);
	memset(key, 1, sizeof key);
	rc = ai_keyfile_read(path, key, &err);
	unlink(path);
	return rc;
}

static bool read_as(const char *text, size_t n)
{
	return of(text, n, 0600) == 0 && memcmp(key, wanted, sizeof key) == 0;
}

static bool refused(const char *text, size_t n)
{
	static const unsigned char wiped[sizeof key];

	return of(text, n, 0600) < 0 && err.code == AI_E_DATA &&
	       memcmp(key, wiped, sizeof key) == 0;
}

int main(void)
{
	static const char alphabets[2][45] = {
		"AP/+++++IDAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbgo=",
		"AP_-----IDAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbgo=",
	};
	static const char spaced[] = " \t" HEX "\r\n";
	char upper[] = HEX, big[4096];

	ok(read_as((const char *)wanted, sizeof wanted), "32 bytes");
	ok(read_as(HEX, 64), "hex");
	ok(read_as(spaced, sizeof spaced - 1), "hex with blanks around it");
	for (char *p = upper; *p != '\0'; p++)
		*p = (char)(*p >= 'a' ? *p - 32 : *p);
	ok(read_as(upper, 64), "hex in capitals");
	ok(read_as(alphabets[0], 44), "base64");
	ok(read_as(alphabets[1], 44), "base64 for addresses");
	ok(read_as(alphabets[0], 43), "base64 without padding");

	memset(big, 'a', sizeof big);
	ok(refused("", 0), "nothing is no key");
	ok(refused(HEX, 63), "nor is half a byte");
	ok(refused(HEX "00", 66), "nor 33 bytes");
	ok(refused(alphabets[0], 40), "nor 30");
	ok(refused("a passphrase is no key", 22), "nor a passphrase");
	ok(refused(big, sizeof big), "nor a long file");
	ok(strstr(err.msg, path) != NULL, "the message names the file: %s",
	   err.msg);

	ok(of(HEX, 64, 0640) < 0 && err.code == AI_E_NOT_ALLOWED &&
	   strstr(err.msg, "chmod 600") != NULL, "others may not read it");
	ok(of(HEX, 64, 0400) == 0, "its owner need not be able to write");
	ok(ai_keyfile_read("no/such/file", key, &err) < 0 &&
	   err.code == AI_E_OPEN, "a file that is not there");
	ok(ai_keyfile_read("/", key, &err) < 0 &&
	   err.code == AI_E_NOT_ALLOWED, "a folder");
	return done();
}
