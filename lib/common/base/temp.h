/* temp.h: files without a name, that are gone with whoever has them open. */
#ifndef AI_BASE_TEMP_H
#define AI_BASE_TEMP_H

#include "base/err.h"

#include <stddef.h>

/* An empty one to write and to read, in TMPDIR or /var/tmp: /tmp often is
 * memory. The caller closes it. */
int ai_temp_open(int *fd, struct ai_err *err);
int ai_temp_write(int fd, const char *p, size_t n, struct ai_err *err);

#endif
