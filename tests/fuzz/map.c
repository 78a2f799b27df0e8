/*
 * The reader of maps: any bytes as the file, as an entry's facts, or written
 * over a good map: it is refused, or says nothing but what was put in.
 */
/* fuzz: bin/guard/map.c bin/guard/map-file.c bin/guard/placeholder.c */
#include "map.h"

#include "../../bin/guard/map-file.h"

static char path[64], key[64];
static int fd;
static char good[4096];
static size_t good_n;
static const char *const values[] = { "a@b.c", "", "<EMAIL_1>" };
#define VALUES (sizeof values / sizeof *values)

static void put_file(const void *p, size_t n)
{
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
}

static void begin(void)
{
	struct guard_map *m;
	struct ai_err err;
	int last;

	fuzz_map_begin(path, key);
	must(sscanf(path, "/proc/self/fd/%d", &fd) == 1);
	m = guard_map_open(path, key, GUARD_MAP_WRITE, &err);
	must(m != NULL);
	for (size_t i = 0; i < VALUES; i++) {
		must(guard_map_begin(m, &err) == 0);
		must(guard_map_add(m, "EMAIL", ai_span_of(values[i]), &err) ==
		     i + 1);
		must(guard_map_take(m, "TEXT_7", &err) == GUARD_MAP_TAKEN);
		must(guard_map_end(m, &err) == 0);
	}
	guard_map_free(m);
	last = (int)pread(fd, good, sizeof good, 0);
	must(last > 0 && last < (int)sizeof good);
	good_n = (size_t)last;
}

/* In both uses; whether it could be opened. */
static struct guard_map *look(void)
{
	static const enum ai_code codes[] = { AI_E_DATA, AI_E_CONFIG,
					      AI_E_NOT_ALLOWED, AI_E_TOO_LONG };
	struct ai_err err = { .code = AI_E_NONE }, also;
	struct guard_map *w = guard_map_open(path, key, GUARD_MAP_WRITE, &also);
	struct guard_map *m = guard_map_open(path, key, GUARD_MAP_READ, &err);
	bool known = m != NULL;

	must((w == NULL) == (m == NULL));
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		known = known || err.code == codes[i];
	must(known);
	guard_map_free(w);
	return m;
}

static void entry(const uint8_t *p, size_t n)
{
	struct map_file f;
	struct ai_err err;

	put_file(good, 88);
	must(map_file_open(&f, path, key, true, &err) == 0);
	must(map_file_add(&f, p, n, &err) == 0);
	map_file_close(&f);
	guard_map_free(look());
}

static void written_over(const uint8_t *p, size_t n)
{
	char body[16];
	struct ai_span value;
	struct guard_map *m;
	size_t at;

	if (n < 4)
		return;
	at = ((size_t)p[0] << 8 | p[1]) % good_n;
	put_file(good, good_n);
	must(pwrite(fd, p + 4, n - 4, (off_t)at) == (ssize_t)(n - 4));
	if (p[2] % 2 != 0)
		must(ftruncate(fd, ((off_t)p[2] << 8 | p[3]) % 1024) == 0);
	m = look();
	for (size_t i = 0; i < VALUES && m != NULL; i++) {
		snprintf(body, sizeof body, "EMAIL_%zu", i + 1);
		if (guard_map_get(m, body, &value) == GUARD_MAP_FREE)
			continue;
		must(ai_span_is(value, values[i]));
	}
	must(m == NULL || guard_map_get(m, "EMAIL_4", NULL) == GUARD_MAP_FREE);
	guard_map_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (good_n == 0)
		begin();
	if (size == 0)
		return 0;
	if (*data % 3 == 0) {
		put_file(data + 1, size - 1);
		guard_map_free(look());
	} else if (*data % 3 == 1) {
		entry(data + 1, size - 1);
	} else {
		written_over(data + 1, size - 1);
	}
	return 0;
}
