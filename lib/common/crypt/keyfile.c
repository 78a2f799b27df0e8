#include "crypt/keyfile.h"

#include "crypt/base64.h"
#include "crypt/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No key is longer: 64 digits with blanks around them. */
#define TEXT_MAX 256

int ai_keyfile_check(int fd, const char *path, struct ai_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ai_err_sys(err, AI_E_NOT_ALLOWED, errno,
				  "cannot look at the key file '%.200s'", path);
	if (!S_ISREG(st.st_mode))
		return ai_err_set(err, AI_E_NOT_ALLOWED, "the key file "
				  "'%.200s' is no file", path);
	if (st.st_uid != geteuid())
		return ai_err_set(err, AI_E_NOT_ALLOWED, "the key file "
				  "'%.200s' belongs to somebody else", path);
	if ((st.st_mode & 077) != 0)
		return ai_err_set(err, AI_E_NOT_ALLOWED, "others may use the "
				  "key file '%.140s' (mode %04o): chmod 600 "
				  "'%.140s'", path,
				  (unsigned)st.st_mode & 07777, path);
	return 0;
}

static int is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int from_base64(char *p, size_t n, unsigned char *key)
{
	while (n > 0 && p[n - 1] == '=')
		n--;
	/* The alphabet for addresses stands for the same. */
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(p[i] == '-' ? '+' : p[i] == '_' ? '/' : p[i]);
	return ai_base64_bytes(n) == AI_KEYFILE_BYTES
		       ? ai_base64_decode_secret(p, n, key)
		       : -1;
}

static int take(char *p, size_t n, unsigned char *key)
{
	if (n == AI_KEYFILE_BYTES) {
		memcpy(key, p, n);
		return 0;
	}
	while (n > 0 && is_blank(*p))
		p++, n--;
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	return n == 2 * AI_KEYFILE_BYTES ? ai_unhex(p, n, key)
					 : from_base64(p, n, key);
}

/* All of the file, or the first bytes of one that is too long. */
static ssize_t read_all(int fd, char *p, size_t size)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, p + n, size - n);
		if (got < 0 && errno != EINTR)
			return -1;
		n += got > 0 ? (size_t)got : 0;
	} while (got != 0 && n < size);
	return (ssize_t)n;
}

int ai_keyfile_read(const char *path, unsigned char key[AI_KEYFILE_BYTES],
		    struct ai_err *err)
{
	/* A pipe without a writer must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = -1;
	char text[TEXT_MAX];
	ssize_t n;

	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno,
				  "cannot open the key file '%.200s'", path);
	if (ai_keyfile_check(fd, path, err) == 0) {
		n = read_all(fd, text, sizeof text);
		if (n < 0)
			ai_err_sys(err, AI_E_NOT_ALLOWED, errno,
				   "cannot read the key file '%.200s'", path);
		else if (take(text, (size_t)n, key) == 0)
			rc = 0;
		else
			ai_err_set(err, AI_E_DATA, "the key file '%.140s' "
				   "holds no key of 32 bytes, as they are or "
				   "in hex or base64: make one with 'head -c "
				   "32 /dev/urandom'", path);
	}
	close(fd);
	ai_wipe(text, sizeof text);
	if (rc < 0)
		ai_wipe(key, AI_KEYFILE_BYTES);
	return rc;
}
