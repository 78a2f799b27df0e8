/* str.h: spans of borrowed bytes, strict number parsing, near names. */
#ifndef AI_BASE_STR_H
#define AI_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; nothing is said about a NUL behind them. */
struct ai_span {
	const char *p;
	size_t n;
};

#define AI_SPAN(literal) ((struct ai_span){ (literal), sizeof(literal) - 1 })

struct ai_span ai_span_of(const char *s);
bool ai_span_eq(struct ai_span a, struct ai_span b);
bool ai_span_is(struct ai_span a, const char *s);
/* A copy with a NUL behind it, or NULL; free() it. */
char *ai_span_dup(struct ai_span a);

/* How often c stands in p[0..n). */
size_t ai_count_byte(const char *p, size_t n, char c);

/*
 * Whole-string conversions without locale: no blanks, no rest.  Return 0,
 * or -1 if the text is not such a number or out of the type's range.
 */
int ai_parse_i64(struct ai_span s, int64_t *out);
int ai_parse_f64(struct ai_span s, double *out);

/* Edit distance (a transposition counts 1), for names up to 63 bytes. */
size_t ai_distance(const char *a, const char *b);
/* Of count candidates the nearest to s within 1/3 of its length, or NULL. */
const char *ai_nearest(const char *s, const char *const *names, size_t count);

#endif
