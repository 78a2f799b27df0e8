/* The files of ai-search's vectors: written, merged, damaged. */
#include "codes-set.h"

#include "codes-kernel.h"
#include "rotation.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ---- rows ---------------------------------------------------------------------------- */

static void test_row_file(void)
{
	float v[3] = { 1, 0, 0 }, bad[3] = { 1, 1, 0 }, spare[3], x;
	float nan_[3] = { NAN, 0, 0 };
	struct search_rows_writer w;
	struct search_rows r;
	struct ai_err err;
	int64_t count;

	unlink(at("r"));
	ok(search_rows_open(&r, at("r"), 3, &err) == 0 && r.n == 0 &&
	   search_rows_at(&r, 1, spare) == NULL, "no file, no rows");
	search_rows_close(&r);
	ok(search_rows_open(&r, at("r"), 0, &err) < 0 &&
	   err.code == AI_E_USAGE, "no dimension");
	ok(search_rows_open(&r, at("r"), 65537, &err) < 0 &&
	   err.code == AI_E_USAGE, "too many");
	ok(search_rows_open(&r, folder, 3, &err) < 0 &&
	   err.code == AI_E_DATA, "a folder");
	ok(search_rows_writer_open(&w, at("none/r"), 3, 1, &err) < 0 &&
	   err.code == AI_E_CREATE, "no folder");
	ok(search_rows_writer_open(&w, at("r"), 3, 1, &err) == 0, "created");
	ok(search_rows_add(&w, 2, v, &err) == 0 &&
	   search_rows_add(&w, 3, v, &err) == 0 &&
	   search_rows_add(&w, 7, v, &err) == 0, "rows with holes between");
	ok(search_rows_add(&w, 7, v, &err) < 0 && err.code == AI_E_BUG,
	   "no row twice");
	ok(search_rows_add(&w, 8, bad, &err) < 0 &&
	   search_rows_add(&w, 8, nan_, &err) < 0, "no row of another length");
	ok(search_rows_flush(&w, true, &err) == 0, "written");
	search_rows_writer_close(&w);
	ok(search_rows_open(&r, at("r"), 3, &err) == 0 && r.n == 8, "opened");
	for (int64_t n = -1; n < 10; n++)
		ok((search_rows_at(&r, n, spare) != NULL) ==
		   (n == 2 || n == 3 || n == 7), "row %lld", (long long)n);
	ok(search_rows_score(&r, 7, false, v, spare, &x) == SEARCH_ROWS_OK && x == 1,
	   "a score");
	ok(search_rows_score(&r, 4, true, v, spare, &x) == SEARCH_ROWS_HOLE,
	   "none of a hole");
	ok(search_rows_verify(&r, 1, 100, &count, &err) == 0 && count == 3,
	   "three rows are right");
	search_rows_close(&r);
	ok(search_rows_writer_open(&w, at("r"), 3, 4, &err) == 0 &&
	   search_rows_add(&w, 5, v, &err) == 0 &&
	   search_rows_flush(&w, false, &err) == 0, "opened again before 7");
	search_rows_writer_close(&w);
	ok(search_rows_open(&r, at("r"), 3, &err) == 0 && r.n == 6 &&
	   search_rows_at(&r, 3, spare) != NULL &&
	   search_rows_at(&r, 4, spare) == NULL &&
	   search_rows_at(&r, 5, spare) != NULL, "what was behind is gone");
	search_rows_close(&r);
}

static void overwrite(const char *name, off_t where, const void *p, size_t n)
{
	int fd = open(at(name), O_WRONLY);

	if (fd < 0 || pwrite(fd, p, n, where) != (ssize_t)n)
		ok(false, "overwriting %s", name);
	if (fd >= 0)
		close(fd);
}

/* A row that was spoilt is said, whether by codes or exactly. */
static void test_bad_rows(void)
{
	static const float bad[] = { NAN, INFINITY, 3e38f, 7 };
	struct search_codes c;
	const struct search_codes *list[] = { &c };
	struct search_nears out;
	struct ai_err err = { 0 };
	struct set s;
	int64_t count;
	float zeros[64] = { 0 };

	make_set(&s, 1000, 64, 0);
	ok(make_codes(&c, &s, "c", (struct search_codes_plan){ 0 }), "codes");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		overwrite("rows.f32", 500 * 64 * 4 + 40, &bad[i], 4);
		ok(ask(&s, list, 1, s.v + 499 * 64, &out, &err) < 0 &&
		   err.code == AI_E_DATA && strstr(err.msg, "row 500") != NULL,
		   "by codes: %s", err.msg);
		search_nears_release(&out);
		ok(ask(&s, NULL, 0, s.v, &out, &err) < 0 &&
		   strstr(err.msg, "row 500") != NULL, "exactly: %s", err.msg);
		search_nears_release(&out);
		ok(search_rows_verify(&s.rows, 1, 1001, &count, &err) < 0,
		   "verified: %s", err.msg);
		unlink(at("d"));
		ok(search_codes_build(at("d"), &(struct search_codes_plan){
			   .rows = &s.rows, .from = 1, .to = 1001 }, &err) <
			   0 && access(at("d"), F_OK) < 0,
		   "no codes of it: %s", err.msg);
	}
	overwrite("rows.f32", 500 * 64 * 4, zeros, sizeof(zeros));
	ok(ask(&s, list, 1, s.v + 499 * 64, &out, &err) < 0 &&
	   strstr(err.msg, "row 500") != NULL, "a row with a code is gone");
	search_nears_release(&out);
	search_codes_close(&c);
	free_set(&s);
}

/* ---- merging ------------------------------------------------------------------------------ */

static char *read_all(const char *name, size_t *n)
{
	int fd = open(at(name), O_RDONLY);
	struct stat st;
	char *p = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		p = malloc((size_t)st.st_size + 1);
		*n = (size_t)st.st_size;
		if (read(fd, p, *n) != st.st_size)
			*n = 0;
	}
	if (fd >= 0)
		close(fd);
	return p;
}

static bool same_files(const char *a, const char *b)
{
	size_t n = 0, m = 0;
	char *p = read_all(a, &n), *q = read_all(b, &m);
	bool same = p != NULL && q != NULL && n == m && memcmp(p, q, n) == 0;

	free(p);
	free(q);
	return same;
}

static void test_merge_of(int64_t holes)
{
	struct search_codes a, b, c, d, small;
	const struct search_codes *parts[] = { &a, &b };
	const struct search_codes *two[] = { &small, &b };
	struct search_filter live;
	struct set s;

	make_set(&s, 3000, 100, holes);
	make_codes(&a, &s, "a", (struct search_codes_plan){ .to = 1200 });
	make_codes(&b, &s, "b", (struct search_codes_plan){
		.from = 1300, .to = 2900, .like = &a });
	ok(b.fitted == a.fitted &&
	   memcmp(a.mean, b.mean, 100 * sizeof(float)) == 0,
	   "a segment like another has its mean");
	random_filter(&live, 3001, 1);
	for (int i = 0; i < 400; i++)
		live.bits[next() % 375] &= (unsigned char)next();
	make_codes(&c, &s, "c", (struct search_codes_plan){
		.live = &live, .parts = parts, .parts_n = 2 });
	make_codes(&d, &s, "d", (struct search_codes_plan){
		.live = &live, .like = &a });
	ok(same_files("c", "d"), "merged is as made anew (%lld of 3000)",
	   (long long)c.count);
	ok(c.rows != NULL && c.count < 3000 && c.fitted == a.fitted,
	   "what is dead is gone");
	search_codes_close(&c);
	search_codes_close(&d);
	make_codes(&small, &s, "e", (struct search_codes_plan){ .to = 200 });
	make_codes(&c, &s, "c", (struct search_codes_plan){
		.parts = two, .parts_n = 2 });
	make_codes(&d, &s, "d", (struct search_codes_plan){ 0 });
	ok(same_files("c", "d") && c.fitted == c.count,
	   "parts with two means: a new one");
	search_codes_close(&c);
	search_codes_close(&d);
	two[1] = two[0];
	make_codes(&c, &s, "c", (struct search_codes_plan){
		.parts = two, .parts_n = 1 });
	ok(c.fitted == c.count && c.count > 2000, "a mean of few: a new one");
	search_codes_close(&a);
	search_codes_close(&b);
	search_codes_close(&c);
	search_codes_close(&small);
	free(live.bits);
	free_set(&s);
}

static void test_plans(void)
{
	struct search_filter none = { (unsigned char[]){ 0 }, 1, 0 };
	struct search_codes_plan plan = { .from = 1, .to = 11 };
	struct ai_err err;
	struct set s;

	make_set(&s, 10, 5, 0);
	plan.rows = &s.rows;
	unlink(at("f"));
	plan.live = &none;
	ok(search_codes_build(at("f"), &plan, &err) < 0 &&
	   err.code == AI_E_USAGE, "no live row: %s", err.msg);
	plan.live = NULL;
	plan.to = 1;
	ok(search_codes_build(at("f"), &plan, &err) < 0 &&
	   err.code == AI_E_USAGE, "no row: %s", err.msg);
	plan.to = (int64_t)1 << 40;
	ok(search_codes_build(at("f"), &plan, &err) < 0 &&
	   err.code == AI_E_USAGE, "too many: %s", err.msg);
	plan.to = 11;
	ok(search_codes_build(at("f"), &plan, &err) == 0 &&
	   search_codes_build(at("f"), &plan, &err) < 0 &&
	   err.code == AI_E_CREATE && access(at("f"), F_OK) == 0,
	   "a file that is there stays: %s", err.msg);
	ok(search_codes_build(at("no/f"), &plan, &err) < 0 &&
	   err.code == AI_E_CREATE, "no folder: %s", err.msg);
	free_set(&s);
}

/* The same file on every machine, by every kernel. */
static void test_known(void)
{
	char hex[AI_HASH_HEX];
	struct search_codes c;
	struct set s;
	size_t n = 0;
	char *p;

	state = 4711;
	make_set(&s, 300, 100, 9);
	make_codes(&c, &s, "known", (struct search_codes_plan){ .sample = 20 });
	p = read_all("known", &n);
	ai_hash_of(p, n, hex);
	ok(strcmp(hex, "2aa98f91ed83222f5d981a156e226954") == 0, "the bytes of a file of codes: %s", hex);
	free(p);
	search_codes_close(&c);
	free_set(&s);
}

/* ---- damage ----------------------------------------------------------------------------------- */

/* Opens what was damaged, and if that goes asks it; it must not crash, verify
 * must find it, and the question, too, where told is set. */
static bool is_found(const struct set *s, bool told)
{
	struct search_codes c;
	const struct search_codes *list[] = { &c };
	struct search_nears out;
	struct ai_err err = { 0 };
	bool found;

	if (search_codes_open(&c, at("x"), &err) < 0)
		return err.code == AI_E_DATA && strstr(err.msg, "/x is dam");
	found = ask(s, list, 1, s->v, &out, &err) < 0 || !told;
	search_nears_release(&out);
	found = search_codes_verify(&c, &err) < 0 && err.code == AI_E_DATA &&
		found;
	search_codes_close(&c);
	return found;
}

static void test_damage(int64_t holes)
{
	const size_t size = CODES_BLOCK_BYTES(ROTATION_LEAST);
	struct search_codes c;
	struct set s;
	size_t n = 0, from, to;
	bool found = true, told;
	char *p, byte;

	make_set(&s, 260, 20, holes);
	make_codes(&c, &s, "x", (struct search_codes_plan){ .sample = 5 });
	from = (size_t)(c.blocks - c.map);
	to = from + (size_t)codes_blocks(c.count) * size;
	search_codes_close(&c);
	p = read_all("x", &n);
	for (size_t i = 0; i < n && found; i++) {
		byte = (char)(p[i] ^ 1 << next() % 8);
		overwrite("x", (off_t)i, &byte, 1);
		/* Behind a block's sums are 32 zero bytes. */
		told = i >= from && i < to && (i - from) % size < size - 32;
		found = is_found(&s, told);
		if (!found)
			printf("# byte %zu of %zu\n", i, n);
		overwrite("x", (off_t)i, p + i, 1);
	}
	ok(found, "a bit flipped in each of %zu bytes is found, in codes by "
	   "who asks", n);
	for (size_t i = n; i-- > 0 && found;) {
		if (i > 600 && i % 97 != 0)
			continue;
		found = truncate(at("x"), (off_t)i) == 0 && is_found(&s, false);
	}
	ok(found, "a file that was cut off, too");
	free(p);
	free_set(&s);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	printf("# seed %llu\n", (unsigned long long)state);
	test_row_file();
	test_bad_rows();
	test_merge_of(0);
	test_merge_of(13);
	test_plans();
	test_known();
	test_damage(0);
	test_damage(9);
	remove_all();
	return done();
}
