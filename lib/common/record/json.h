/*
 * json.h: JSON text as spans: a strict scanner, look-ups without a tree,
 * and writing.
 *
 * ai_json_check() accepts exactly RFC 8259 in valid UTF-8, at most
 * AI_JSON_DEPTH deep.  Everything else here works on text that passed it and
 * so needs no error paths for syntax.  Values are borrowed spans.
 */
#ifndef AI_RECORD_JSON_H
#define AI_RECORD_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define AI_JSON_DEPTH 128

enum ai_kind {
	AI_NONE, /* no such value */
	AI_NULL,
	AI_BOOL,
	AI_NUMBER,
	AI_STRING,
	AI_ARRAY,
	AI_OBJECT,
};

/* One JSON value: its text without blanks around it (strings: with quotes). */
struct ai_value {
	enum ai_kind kind;
	struct ai_span s;
};

/*
 * Whether p[0..n) is one JSON value with optional blanks around it; if so
 * *v is that value (v may be NULL).  If not, the message names the byte,
 * v->kind is AI_NONE and v->s.p is the place.
 */
int ai_json_check(const char *p, size_t n, struct ai_value *v,
		  struct ai_err *err);

/* The same, telling of each member of an outermost object as it is passed;
 * a callback that returns -1 (no memory) ends the scan. */
typedef int ai_json_member_fn(void *arg, struct ai_value key,
			      struct ai_value val);
int ai_json_scan(const char *p, size_t n, struct ai_value *v,
		 ai_json_member_fn *member, void *arg, struct ai_err *err);

/* Members of an object or elements of an array, in order. */
struct ai_json_iter {
	const char *p, *end;
	bool object;
};
void ai_json_iter_init(struct ai_json_iter *it, struct ai_value v);
/* key (may be NULL) is the raw string with quotes, AI_NONE in arrays. */
bool ai_json_next(struct ai_json_iter *it, struct ai_value *key,
		  struct ai_value *val);

/* Whether a string value, decoded, is this text. */
bool ai_json_is(struct ai_value string, struct ai_span text);
/* What stands between a string's quotes, as it is written; "" of what is no
 * string.  For values in which an escape is no more right than any other
 * letter: names of models, numbers, days. */
struct ai_span ai_json_inside(struct ai_value v);
/* The member of this name; the last of several. Kind AI_NONE if none. */
struct ai_value ai_json_member(struct ai_value object, struct ai_span name);
/* Several members at once: each member costs a walk through the object. */
struct ai_json_want {
	struct ai_span name;
	struct ai_value *to;
};
void ai_json_members(struct ai_value object, const struct ai_json_want *w,
		     size_t n);
/* The same as ai_json_check() goes through the text, if that is an object. */
int ai_json_check_members(const char *p, size_t size, struct ai_value *v,
			  const struct ai_json_want *w, size_t n,
			  struct ai_err *err);
/*
 * The value at a path: names and array indexes with dots between them
 * ("completion.text", "messages.0.content"); "\." is a dot in a name; the
 * empty path is v itself.
 */
struct ai_value ai_json_get(struct ai_value v, const char *path);

/* The first step of a path, without escapes, in name; what it cuts off as
 * too long matches nothing.  Returns the path's bytes used, dot included. */
#define AI_JSON_NAME 256
size_t ai_json_step(const char *path, char *name, size_t size,
		    struct ai_span *step);

/* Appends the decoded text of a string value (a lone surrogate escape
 * becomes U+FFFD). -1: out's limit or memory, see ai_buf_check(). */
int ai_json_text(struct ai_value string, struct ai_buf *out);

/*
 * A string that is written anew in parts.  What is kept of it keeps its bytes,
 * escapes and halves of characters included; out gets the token without its
 * quotes.  Lengths are those of the decoded text, from its beginning on; a part
 * that ends within an escape has all of it.
 */
struct ai_splice {
	const char *p, *end; /* what is left */
	bool json;           /* else a text as it is, to be written so */
	size_t over;         /* bytes of the next part that are done */
	struct ai_buf *out;
};
void ai_splice_string(struct ai_splice *s, struct ai_value string,
		      struct ai_buf *out);
/* The inside of a token, without quotes. */
void ai_splice_inside(struct ai_splice *s, struct ai_span inside,
		      struct ai_buf *out);
void ai_splice_plain(struct ai_splice *s, struct ai_span text,
		     struct ai_buf *out);
void ai_splice_keep(struct ai_splice *s, size_t n);
void ai_splice_skip(struct ai_splice *s, size_t n);
/* New text, UTF-8. */
void ai_splice_put(struct ai_splice *s, const char *p, size_t n);

/* Whole numbers only ("3", "3.0" and "3e0" too). -1: not one, or too big. */
int ai_json_i64(struct ai_value v, int64_t *out);
int ai_json_f64(struct ai_value v, double *out);
bool ai_json_true(struct ai_value v);

/*
 * Writing.  Commas come by themselves: each call puts one where the text
 * written so far needs it.  Check the buffer once at the end.
 *
 *	ai_put_open(b, '{');
 *	ai_put_key(b, "n"); ai_put_i64(b, 3);
 *	ai_put_close(b, '}');
 */
void ai_put_open(struct ai_buf *b, char bracket);
void ai_put_close(struct ai_buf *b, char bracket);
void ai_put_key_text(struct ai_buf *b, const char *name);
/* n bytes that need no escape. */
void ai_put_key_word(struct ai_buf *b, const char *name, size_t n);
/* What stands in the program's own text is a word. */
static inline __attribute__((always_inline)) void
ai_put_key(struct ai_buf *b, const char *name)
{
	if (__builtin_constant_p(strlen(name)))
		ai_put_key_word(b, name, strlen(name));
	else
		ai_put_key_text(b, name);
}
void ai_put_str(struct ai_buf *b, const char *p, size_t n); /* UTF-8 */
/* The same without quotes and comma: a part of a string. */
void ai_put_inside(struct ai_buf *b, const char *p, size_t n);
/* How many bytes that writes. */
size_t ai_put_length(const char *p, size_t n);
void ai_put_cstr(struct ai_buf *b, const char *s); /* NULL writes null */
void ai_put_i64(struct ai_buf *b, int64_t v);
void ai_put_f64(struct ai_buf *b, double v); /* shortest exact; nan: null */
void ai_put_bool(struct ai_buf *b, bool v);
void ai_put_null(struct ai_buf *b);
void ai_put_raw(struct ai_buf *b, const char *p, size_t n);
void ai_put_value(struct ai_buf *b, struct ai_value v);

#endif
