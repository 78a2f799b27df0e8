/* tags-block.c: a block of tags, written and read. */
#include "tags.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 8

static uint64_t checksum(const unsigned char *p, size_t n)
{
	uint64_t h = n, word;
	size_t i;

	for (; n > 0; p += i, n -= i) {
		i = n < 8 ? n : 8;
		if (i == 8)
			word = (uint64_t)p[0] | (uint64_t)p[1] << 8 |
				(uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
				(uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
				(uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
		else
			for (word = 0; i-- > 0; )
				word = word << 8 | p[i];
		i = n < 8 ? n : 8;
		h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 32;
	}
	return h;
}

/* ---- reading ------------------------------------------------------------------ */

bool search_tag_open(struct search_tag_iter *it, struct ai_span block)
{
	const unsigned char *p = (const unsigned char *)block.p;
	uint64_t sum = 0;
	int i;

	if (block.p == NULL || block.n <= HEAD)
		return false;
	for (i = HEAD; i-- > 0; )
		sum = sum << 8 | p[i];
	it->p = p + HEAD;
	it->end = p + block.n;
	return checksum(it->p, block.n - HEAD) == sum;
}

static bool get_size(struct search_tag_iter *it, size_t *out)
{
	int shift;

	for (*out = 0, shift = 0; shift < 35 && it->p < it->end; shift += 7) {
		*out |= (size_t)(*it->p & 127) << shift;
		if (*it->p++ < 128)
			return true;
	}
	return false;
}

int search_tag_next(struct search_tag_iter *it, struct search_tag_value *v)
{
	size_t left, bytes;

	if (it->p == it->end)
		return 0;
	v->kind = (enum search_kind)*it->p++;
	if (!get_size(it, &v->value.n) ||
	    v->value.n > (size_t)(it->end - it->p))
		return -1;
	v->value.p = (const char *)it->p;
	it->p += v->value.n;
	if (!get_size(it, &v->count) || v->count > SEARCH_TAG_ROWS)
		return -1;
	left = (size_t)(it->end - it->p);
	v->bits = v->count > SEARCH_TAG_LIST;
	v->rows = it->p;
	bytes = v->bits ? SEARCH_TAG_BITS : 2 * v->count;
	if (bytes > left)
		return -1;
	it->p += bytes;
	return 1;
}

void search_tag_mark(const struct search_tag_value *v,
		     unsigned char bits[SEARCH_TAG_BITS])
{
	unsigned row;
	size_t i;

	if (v->bits) {
		for (i = 0; i < SEARCH_TAG_BITS; i++)
			bits[i] |= v->rows[i];
		return;
	}
	for (i = 0; i < v->count; i++) {
		row = search_tag_row(v, i) % SEARCH_TAG_ROWS;
		bits[row / 8] |= (unsigned char)(1 << row % 8);
	}
}

/* ---- writing ------------------------------------------------------------------ */

static int compare_values(const struct search_tag *a,
			  const struct search_tag *b)
{
	size_t n = a->value.n < b->value.n ? a->value.n : b->value.n;
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0)
		order = memcmp(a->value.p, b->value.p, n);
	if (order == 0)
		order = (a->value.n > b->value.n) - (a->value.n < b->value.n);
	return order;
}

static int compare(const void *x, const void *y)
{
	const struct search_tag *a = x, *b = y;
	int order = compare_values(a, b);

	return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

static void put_size(struct ai_buf *out, size_t n)
{
	for (; n > 127; n >>= 7)
		ai_buf_chr(out, (char)(n | 128));
	ai_buf_chr(out, (char)n);
}

/* The rows of v[0..n), which have one value and may repeat. */
static void put_rows(const struct search_tag *v, size_t n, struct ai_buf *out)
{
	unsigned char bits[SEARCH_TAG_BITS] = { 0 };
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		count += i == 0 || v[i].row != v[i - 1].row;
	put_size(out, count);
	for (i = 0; i < n; i++) {
		bits[v[i].row / 8] |= (unsigned char)(1 << v[i].row % 8);
		if (count > SEARCH_TAG_LIST ||
		    (i > 0 && v[i].row == v[i - 1].row))
			continue;
		ai_buf_chr(out, (char)(v[i].row & 255));
		ai_buf_chr(out, (char)(v[i].row >> 8));
	}
	if (count > SEARCH_TAG_LIST)
		ai_buf_add(out, bits, sizeof(bits));
}

void search_tag_write(struct search_tag *v, size_t n, struct ai_buf *out)
{
	size_t i, end;
	uint64_t sum;

	ai_buf_clear(out);
	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), compare);
	ai_buf_add(out, "\0\0\0\0\0\0\0", HEAD);
	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (compare_values(&v[i], &v[end]) != 0)
				break;
		ai_buf_chr(out, (char)v[i].kind);
		put_size(out, v[i].value.n);
		ai_buf_add(out, v[i].value.p, v[i].value.n);
		put_rows(v + i, end - i, out);
	}
	if (out->bad != AI_E_NONE)
		return;
	sum = checksum((unsigned char *)out->p + HEAD, out->len - HEAD);
	for (i = 0; i < HEAD; i++)
		out->p[i] = (char)(sum >> 8 * i);
}
