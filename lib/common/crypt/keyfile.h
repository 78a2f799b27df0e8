/*
 * keyfile.h: a secret key in a file of its own.
 *
 * The file holds 32 bytes, as they are or written in hexadecimal digits or
 * base64, with blanks around them:
 *
 *	(umask 077; head -c 32 /dev/urandom >key)
 */
#ifndef AI_CRYPT_KEYFILE_H
#define AI_CRYPT_KEYFILE_H

#include "base/err.h"

#define AI_KEYFILE_BYTES 32

/*
 * Whether the open file is ours alone: a key that others can read is theirs as
 * well.  -1: AI_E_NOT_ALLOWED names the path and says what to do.
 */
int ai_keyfile_check(int fd, const char *path, struct ai_err *err);

/*
 * Reads a key.  -1: AI_E_OPEN, AI_E_NOT_ALLOWED (others may use it), AI_E_DATA
 * (it holds no key); key is wiped then.  Who is done with it wipes it.
 */
int ai_keyfile_read(const char *path, unsigned char key[AI_KEYFILE_BYTES],
		    struct ai_err *err);

#endif
