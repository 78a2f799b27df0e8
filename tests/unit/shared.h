/*
 * shared.h: test data outside the repository, in the folder that AI_SHARED
 * names.  Where it is absent a test skips, unless AI_REQUIRE_SHARED=1.
 */
#ifndef TESTS_UNIT_SHARED_H
#define TESTS_UNIT_SHARED_H

#include "base/buf.h"
#include "tap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHARED_MAX ((size_t)64 << 20)

/* AI_SHARED/path; free() it. NULL, with a line of TAP, if it is absent. */
__attribute__((unused))
static char *shared_path(const char *path)
{
	const char *root = getenv("AI_SHARED");
	const char *must = getenv("AI_REQUIRE_SHARED");
	struct ai_buf b = AI_BUF_INIT(4096);
	struct stat st;

	ai_buf_fmt(&b, "%s/%s", root == NULL ? "../shared" : root, path);
	if (b.bad == AI_E_NONE && stat(b.p, &st) == 0)
		return ai_buf_take(&b);
	if (must != NULL && strcmp(must, "1") == 0)
		ok(0, "%s is there", ai_buf_cstr(&b));
	else
		skip("%s is absent", ai_buf_cstr(&b));
	ai_buf_release(&b);
	return NULL;
}

/* The whole file; -1 if it cannot be read. */
__attribute__((unused))
static int shared_read(const char *path, struct ai_buf *out)
{
	FILE *f = fopen(path, "rb");
	char part[65536];
	size_t n;
	int bad;

	ai_buf_init(out, SHARED_MAX);
	if (f == NULL)
		return -1;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		ai_buf_add(out, part, n);
	bad = ferror(f) || out->bad != AI_E_NONE;
	fclose(f);
	return bad ? -1 : 0;
}

/* Calls fn for each file of a folder, sorted by name; the number of files. */
__attribute__((unused))
static int shared_each(const char *dir,
		       void (*fn)(const char *path, const char *name))
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort), files = 0;

	for (int i = 0; i < n; i++) {
		struct ai_buf b = AI_BUF_INIT(4096);
		struct stat st;

		ai_buf_fmt(&b, "%s/%s", dir, list[i]->d_name);
		if (b.bad == AI_E_NONE && stat(b.p, &st) == 0 &&
		    S_ISREG(st.st_mode)) {
			fn(b.p, list[i]->d_name);
			files++;
		}
		ai_buf_release(&b);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return files;
}

#endif
