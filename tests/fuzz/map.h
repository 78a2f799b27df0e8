/* map.h: files in memory for the targets that need a map and its key. */
#ifndef TESTS_FUZZ_MAP_H
#define TESTS_FUZZ_MAP_H

#include "../../bin/guard/map.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An empty one, and its path. */
static int fuzz_file(char path[64])
{
	int fd = memfd_create("fuzz", 0);

	must(fd >= 0 && fchmod(fd, 0600) == 0);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* A map without entries, and its key, for as long as the process runs. */
static void fuzz_map_begin(char map[64], char key[64])
{
	char folder[] = "/tmp/fuzz.XXXXXX", path[64], header[128];
	struct guard_map *m;
	struct ai_err err;
	ssize_t n;
	FILE *f;

	must(write(fuzz_file(key), "0123456789abcdef0123456789ABCDEF", 32) ==
	     32);
	must(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/map", folder);
	m = guard_map_open(path, key, GUARD_MAP_WRITE, &err);
	must(m != NULL);
	guard_map_free(m);
	f = fopen(path, "r");
	must(f != NULL);
	n = (ssize_t)fread(header, 1, sizeof header, f);
	fclose(f);
	must(write(fuzz_file(map), header, (size_t)n) == n);
	unlink(path);
	rmdir(folder);
}

#endif
