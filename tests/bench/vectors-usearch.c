/*
 * vectors-usearch.c: asks usearch, linked with its c/lib.cpp; the index is of
 * vectors-usearch.mjs.
 *
 *	once FILE N DIM QUERIES  maps the file (usearch_view), asks once
 */
#include "usearch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void check(usearch_error_t e)
{
	if (e == NULL)
		return;
	fprintf(stderr, "usearch: %s\n", e);
	exit(1);
}

static const float *map(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd,
			 0);
	if (p == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	return p;
}

int main(int argc, char **argv)
{
	usearch_init_options_t o = { .metric_kind = usearch_metric_cos_k,
				     .quantization = usearch_scalar_f32_k,
				     .connectivity = 16,
				     .expansion_search = 64 };
	usearch_distance_t d[10];
	usearch_key_t keys[10];
	usearch_error_t e = NULL;
	usearch_index_t index;
	size_t n;

	if (argc < 6)
		return 64;
	o.dimensions = strtoul(argv[4], NULL, 10);
	index = usearch_init(&o, &e);
	check(e);
	usearch_view(index, argv[2], &e);
	check(e);
	n = usearch_search(index, map(argv[5]), usearch_scalar_f32_k, 10, keys,
			   d, &e);
	check(e);
	printf("%zu %llu\n", n, (unsigned long long)keys[0]);
	return 0;
}
