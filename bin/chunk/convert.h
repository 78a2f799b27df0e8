/*
 * convert.h: documents that another program turns into text.
 *
 * Which one is decided by the end of the file's name, in config.json:
 *
 *	"converters": { ".pdf": ["pdftotext", "-layout", "{}", "-"],
 *	                ".html": null }
 *
 * {} is the file's name; without one the program reads the file from its
 * standard input.  null takes such files as they are.  The built-in list
 * holds for what the configuration does not name.
 */
#ifndef CHUNK_CONVERT_H
#define CHUNK_CONVERT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CHUNK_CONVERT_MAX ((size_t)64 << 20) /* bytes of text */
#define CHUNK_CONVERT_S 60                   /* seconds */
#define CHUNK_CONVERT_ARGS 32

struct chunk_converter {
	const char *argv[CHUNK_CONVERT_ARGS + 1]; /* NULL-terminated */
	bool reads_stdin;
	struct ai_buf texts; /* of argv, if they come from the configuration */
};

/*
 * The converter for a file of this name: 1 with *c filled (release it), 0 if
 * it needs none, -1 with AI_E_CONFIG.
 */
int chunk_converter_find(struct chunk_converter *c, const char *path,
			 struct ai_err *err);
void chunk_converter_release(struct chunk_converter *c);

/*
 * Appends the text of the file to out.  fd is the file, open and at its
 * begin.  AI_E_DOCUMENT names the program, the file and what to do.
 */
int chunk_convert(const struct chunk_converter *c, const char *path, int fd,
		  struct ai_buf *out, struct ai_err *err);

#endif
