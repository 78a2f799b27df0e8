/* key.c: a new key for maps and pseudonyms. */
#include "restore.h"

#include "crypt/hash.h"
#include "crypt/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int write_key(int fd)
{
	unsigned char key[AI_KEYFILE_BYTES];
	char hex[2 * AI_KEYFILE_BYTES + 1];
	ssize_t n;

	ai_random(key, sizeof key);
	ai_hex(key, sizeof key, hex);
	ai_wipe(key, sizeof key);
	hex[sizeof hex - 1] = '\n';
	n = write(fd, hex, sizeof hex);
	ai_wipe(hex, sizeof hex);
	return n == (ssize_t)sizeof hex ? fsync(fd) : -1;
}

int guard_key(int argc, char **argv, struct ai_err *err)
{
	const char *path = guard_train_settings.out;
	int fd, rc;

	if (argc > 0 || path == NULL)
		return ai_err_set(err, AI_E_USAGE, argc > 0
				  ? "'key' takes no operand like '%.100s'; -o "
				    "FILE says where the key goes"
				  : "say where the key goes: -o FILE%.0s",
				  argc > 0 ? argv[0] : "");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return ai_err_set(err, AI_E_CREATE, "'%.200s' is there already; "
				  "what an old key has sealed is lost without "
				  "it, so remove it yourself", path);
	if (fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno,
				  "cannot create '%.200s'", path);
	rc = write_key(fd);
	if (rc < 0) {
		ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'", path);
		unlink(path);
	}
	close(fd);
	return rc;
}
