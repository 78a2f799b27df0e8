/*
 * Redaction: restore(redact(x)) is x, byte by byte, whatever x is, whatever was
 * found in it, and however the text is cut into pieces on its way back.
 *
 * AI_REDACT_CHUNKINGS says over how many ways of cutting (30000).
 */
#include "../../bin/guard/placeholder.h"
#include "../../bin/guard/redact.h"
#include "../../bin/guard/restorer.h"
#include "tap.h"

#include "base/start.h"
#include "record/rec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNKINGS 10 /* of one text */
#define TEXTS 500    /* of one map */

static struct ai_err err;
static uint64_t state = 20261129;
static const char map_path[] = "redact.map.tmp", key_path[] = "redact.key.tmp";

/* base/start.h: there is no command line. */
bool ai_start_given(const void *to)
{
	(void)to;
	return false;
}

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

/* ---- texts ------------------------------------------------------------------------ */

static const char *const tokens[] = {
	"<EMAIL_", "<EMAIL_1>", "<EMAIL_2>", "EMAIL_1", "EMAIL_12", "[email_3]",
	"&lt;EMAIL_1&gt;", "\\<EMAIL\\_1>", "\\<EMAIL\\_2\\>", "<email_1>",
	"[TEXT_1]", "<TEXT_1>", "<TEXT_2>", "TEXT_3", "<PHONE_1>", "PHONE_2",
	"\\", "<", ">", "[", "]", "&", "&lt;", "&gt;", "_", "_1", "1", "2", "0",
	"A", "a", "EMAIL", "<EMAIL_01>", "<EMAIL_0>", "<EMAIL_9999999999>",
	"<EMAIL__1>", "<_1>", "<1_1>", "x_1", "alice@example.com", "bob", " ",
	"\n", "\"", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\t", "/",
	"\x01", "", "<EMAIL_1", "EMAIL_1>", "<EMAIL_\xc3\xa9_1>", "\x7f",
};
#define N_TOKENS (sizeof tokens / sizeof *tokens)

static void make_text(struct ai_buf *b)
{
	ai_buf_clear(b);
	for (size_t n = below(14); n > 0; n--)
		ai_buf_str(b, tokens[below(N_TOKENS)]);
	/* A NUL may stand in JSON, too. */
	if (below(20) == 0)
		ai_buf_chr(b, '\0');
}

static void make_findings(struct guard_findings *f, size_t n)
{
	static const char *const rules[] = { "email", "phone", "text", "e-mail",
					     "a.long-name-for_a-rule-that-is-"
					     "cut-somewhere-in-it", "1" };
	size_t from, to;

	guard_findings_clear(f);
	for (size_t k = below(6); k > 0; k--) {
		from = below(n + 1);
		to = from + below(below(2) == 0 ? 4 : n + 3);
		if (f->n == f->cap) {
			f->cap = 2 * f->cap + 8;
			f->v = realloc(f->v, f->cap * sizeof *f->v);
		}
		f->v[f->n++] = (struct guard_finding){
			.kind = GUARD_PERSONAL, .rule = rules[below(6)],
			.view = "text", .score = (double)below(10) / 10,
			.from = from, .to = to,
			.action = below(6) == 0 ? GUARD_FLAG : GUARD_REDACT,
		};
	}
	guard_findings_sort(f);
}

/* ---- there and back ------------------------------------------------------------------ */

static bool same(const struct ai_buf *a, const char *p, size_t n)
{
	return a->len == n && (n == 0 || memcmp(a->p, p, n) == 0);
}

/* In pieces of any length. */
static bool comes_back(struct restorer *r, const struct ai_buf *from,
		       const struct ai_buf *text)
{
	struct ai_buf out = AI_BUF_INIT((size_t)1 << 24);
	size_t most = 1 + below(below(2) == 0 ? 3 : 20), at = 0, n;
	bool good;

	while (at < from->len) {
		n = 1 + below(most);
		n = n < from->len - at ? n : from->len - at;
		/* A copy, so that a read behind it is seen. */
		char *piece = malloc(n);

		memcpy(piece, from->p + at, n);
		if (restorer_add(r, piece, n, &out, &err) < 0)
			return false;
		free(piece);
		at += n;
	}
	good = restorer_end(r, &out, &err) == 0 &&
		same(&out, ai_buf_cstr(text), text->len);
	if (!good)
		printf("# wanted: %s\n# redacted: %s\n# got: %s\n",
		       ai_buf_cstr(text), ai_buf_cstr(from),
		       ai_buf_cstr(&out));
	ai_buf_release(&out);
	return good;
}

static struct guard_redactor *redactor(const char *map)
{
	struct guard_redactor *r;

	guard_redact_settings.map = map;
	guard_redact_settings.key = key_path;
	r = guard_redactor_new(NULL, &err);
	if (r == NULL)
		printf("# %s\n", err.msg);
	return r;
}

struct both {
	struct guard_redactor *there;
	struct guard_map *map;
	struct restorer exact, near;
};

static bool open_both(struct both *b)
{
	unlink(map_path);
	b->there = redactor(map_path);
	b->map = guard_map_open(map_path, key_path, GUARD_MAP_READ, &err);
	if (b->there == NULL || b->map == NULL)
		return false;
	restorer_init(&b->exact, b->map, true);
	restorer_init(&b->near, b->map, false);
	return true;
}

static void close_both(struct both *b)
{
	restorer_release(&b->exact);
	restorer_release(&b->near);
	guard_map_free(b->map);
	guard_redactor_free(b->there);
}

/* How many chunkings came back; 0: one did not. */
static long texts_of_a_map(long wanted)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20), out = AI_BUF_INIT(1 << 20);
	struct guard_findings f = { NULL, 0, 0, 0 };
	struct both b;
	long n = 0;
	bool good = open_both(&b);

	for (int i = 0; i < TEXTS && good && n < wanted; i++) {
		make_text(&text);
		make_findings(&f, text.len);
		ai_buf_clear(&out);
		good = guard_redact(b.there, (struct ai_span){
				ai_buf_cstr(&text), text.len }, &f, NULL, &out,
				&err) >= 0;
		for (int k = 0; k < CHUNKINGS && good; k++, n++)
			good = comes_back(k % 2 == 0 ? &b.near : &b.exact, &out,
					  &text);
	}
	close_both(&b);
	ai_buf_release(&text);
	ai_buf_release(&out);
	guard_findings_release(&f);
	return good ? n : 0;
}

static void chunkings(void)
{
	const char *long_one = getenv("AI_REDACT_CHUNKINGS");
	long all = long_one != NULL ? strtol(long_one, NULL, 10) : 30000, n, k;

	for (n = 0; n < all; n += k) {
		k = texts_of_a_map(all - n);
		if (k == 0)
			break;
	}
	ok(n >= all, "restore(redact(x)) is x over %ld chunkings", n);
}

/* ---- within a record ------------------------------------------------------------------ */

/* A text as JSON might have it: each character in any of its forms. */
static void put_escaped(struct ai_buf *b, const struct ai_buf *text)
{
	static const char plain[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *at;

	ai_buf_chr(b, '"');
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->p[i];

		at = c != 0 ? strchr(bytes, c) : NULL;
		if (at != NULL && below(2) == 0)
			ai_buf_fmt(b, "\\%c", plain[at - bytes]);
		else if (c < 32 || c == '"' || c == '\\' ||
			 (c < 128 && below(4) == 0))
			ai_buf_fmt(b, below(2) == 0 ? "\\u%04x" : "\\u%04X", c);
		else
			ai_buf_chr(b, (char)c);
	}
	ai_buf_chr(b, '"');
}

static bool read_text(struct ai_rec *rec, const struct ai_buf *line,
		      struct ai_buf *text)
{
	ai_buf_clear(text);
	return ai_rec_parse(rec, (struct ai_span){ line->p, line->len }, 1,
			    &err) == 0 &&
		ai_rec_text(rec, "text", text, &err) == 0;
}

static bool rewrite(struct ai_rec *rec, const struct ai_buf *token,
		    struct ai_buf *line)
{
	ai_buf_clear(line);
	if (ai_rec_rewrite_token(rec, ai_rec_get(rec, "text"),
				 (struct ai_span){ token->p, token->len },
				 &err) < 0 || ai_rec_write(rec, line) < 0)
		return false;
	line->len--; /* the newline */
	return true;
}

/* How many bytes of the inside of a token one character is. */
static size_t one_character(const char *p, const char *end)
{
	bool high = end - p >= 12 && strchr("dD", p[2]) != NULL &&
		strchr("89abAB", p[3]) != NULL && p[6] == '\\' &&
		p[7] == 'u' && strchr("dD", p[8]) != NULL;
	size_t n = 1;

	if (*p == '\\')
		return p[1] != 'u' ? 2 : high ? 12 : 6;
	while (p + n < end && ((unsigned char)p[n] & 0xC0) == 0x80)
		n++;
	return n;
}

/* A token in pieces of any length, each a token; the whole is one again. */
static bool restore_token(struct restorer *r, struct ai_span token,
			  struct ai_buf *out)
{
	struct ai_buf piece = AI_BUF_INIT(1 << 20), text = AI_BUF_INIT(1 << 20);
	const char *p = token.p + 1, *end = token.p + token.n - 1;
	bool good = true;

	ai_buf_chr(out, '"');
	while (p < end && good) {
		ai_buf_clear(&piece);
		ai_buf_clear(&text);
		ai_buf_chr(&piece, '"');
		for (size_t k = below(4); k < 4 && p < end; k++) {
			size_t n = one_character(p, end);

			ai_buf_add(&piece, p, n);
			p += n;
		}
		ai_buf_chr(&piece, '"');
		struct ai_value v = { AI_STRING, { piece.p, piece.len } };

		good = ai_json_text(v, &text) == 0 &&
			restorer_add_string(r, v, (struct ai_span){
				text.p, text.len }, out, &err) == 0;
	}
	good = good && restorer_end(r, out, &err) == 0;
	ai_buf_chr(out, '"');
	ai_buf_release(&piece);
	ai_buf_release(&text);
	return good;
}

static void records(void)
{
	struct ai_buf text = AI_BUF_INIT(1 << 20), line = AI_BUF_INIT(1 << 20),
		      got = AI_BUF_INIT(1 << 20), out = AI_BUF_INIT(1 << 20),
		      back = AI_BUF_INIT(1 << 20), next = AI_BUF_INIT(1 << 20);
	struct guard_findings f = { NULL, 0, 0, 0 };
	struct ai_rec rec;
	struct both b;
	bool good = open_both(&b);
	int i;

	ai_rec_init(&rec);
	for (i = 0; i < 2000 && good; i++) {
		make_text(&text);
		ai_buf_clear(&line);
		ai_buf_clear(&out);
		ai_buf_clear(&back);
		ai_buf_str(&line, "{ \"n\":1.0, \"text\" : ");
		put_escaped(&line, &text);
		ai_buf_str(&line, " ,\"n\":12345678901234567890}");
		good = read_text(&rec, &line, &got) &&
			same(&got, ai_buf_cstr(&text), text.len);
		make_findings(&f, got.len);
		good = good && guard_redact_string(b.there,
				ai_rec_get(&rec, "text"), (struct ai_span){
				ai_buf_cstr(&got), got.len }, &f, NULL, &out,
				&err) >= 0 &&
			rewrite(&rec, &out, &next) &&
			read_text(&rec, &next, &got) &&
			restore_token(&b.near, ai_rec_get(&rec, "text").s,
				      &back) &&
			rewrite(&rec, &back, &line) &&
			read_text(&rec, &line, &got) &&
			same(&got, ai_buf_cstr(&text), text.len) &&
			strstr(ai_buf_cstr(&line), "12345678901234567890") !=
			NULL;
	}
	ok(good, "and in records, through all escapes of JSON (%d)", i);
	ai_rec_release(&rec);
	close_both(&b);
	guard_findings_release(&f);
	ai_buf_release(&text);
	ai_buf_release(&line);
	ai_buf_release(&got);
	ai_buf_release(&out);
	ai_buf_release(&back);
	ai_buf_release(&next);
}

/* ---- what is held back ---------------------------------------------------------------- */

static struct guard_map *small_map(void)
{
	struct guard_map *m = guard_map_new(GUARD_MAP_READ);

	guard_map_begin(m, &err);
	guard_map_add(m, "EMAIL", AI_SPAN("a@b.c"), &err);
	guard_map_add(m, "SSN", AI_SPAN("<&>"), &err);
	guard_map_take(m, "EMAIL_2", &err);
	guard_map_end(m, &err);
	return m;
}

/* What each of the pieces, with '|' between them, makes. */
static bool pieces(struct guard_map *m, bool exact, const char *in,
		   const char *wanted)
{
	struct ai_buf out = AI_BUF_INIT(4096);
	struct restorer r;
	size_t n;
	bool good;

	restorer_init(&r, m, exact);
	for (;; in += n + 1, ai_buf_chr(&out, '|')) {
		n = strcspn(in, "|");
		restorer_add(&r, in, n, &out, &err);
		if (in[n] == '\0')
			break;
	}
	ai_buf_chr(&out, '|');
	restorer_end(&r, &out, &err);
	good = strcmp(ai_buf_cstr(&out), wanted) == 0;
	if (!good)
		printf("# got: %s\n# not: %s\n", ai_buf_cstr(&out), wanted);
	restorer_release(&r);
	ai_buf_release(&out);
	return good;
}

/* What is put back is all that changes: literals in any form of JSON, halves of
 * characters, and placeholders that are escaped themselves. */
static void keeping(void)
{
	static const char *const kept[] = {
		"\\u00e9", "\xc3\xa9", "\\ud83d\\uDE00", "\\ud800 ", "\\udc00",
		"\\/", "/", "\\u0000", "x y", "\\u003c", "<", "EMAIL", "\\n",
		"\\u0041", "_", " ", "\\\"", "<EM\\u0041IL_2>", "<SSN_7>",
	};
	static const char *const ours[] = {
		"<EMAIL_1>", "\\u003cEMAIL_1\\u003E", "<E\\u004dAIL\\u005f1>",
	};
	struct ai_buf in = AI_BUF_INIT(1 << 20), want = AI_BUF_INIT(1 << 20),
		      out = AI_BUF_INIT(1 << 20);
	struct guard_map *m = small_map();
	struct restorer r;
	bool good = true;
	int i;

	restorer_init(&r, m, true);
	for (i = 0; i < 20000 && good; i++) {
		ai_buf_clear(&in);
		ai_buf_clear(&want);
		ai_buf_clear(&out);
		ai_buf_chr(&in, '"');
		ai_buf_chr(&want, '"');
		for (size_t k = below(12); k > 0; k--) {
			const char *one = kept[below(sizeof kept /
						     sizeof *kept)];
			bool own = below(3) == 0;

			ai_buf_str(&in, own ? ours[below(3)] : one);
			ai_buf_str(&want, own ? "a@b.c" : one);
		}
		ai_buf_chr(&in, '"');
		ai_buf_chr(&want, '"');
		good = restore_token(&r, (struct ai_span){ in.p, in.len },
				     &out) && same(&out, want.p, want.len);
	}
	ok(good, "only what is put back changes: %d tokens", i);
	if (!good)
		printf("# in: %s\n# wanted: %s\n# got: %s\n", ai_buf_cstr(&in),
		       ai_buf_cstr(&want), ai_buf_cstr(&out));
	restorer_release(&r);
	guard_map_free(m);
	ai_buf_release(&in);
	ai_buf_release(&want);
	ai_buf_release(&out);
}

static void holding(void)
{
	static const struct {
		const char *in, *wanted;
	} near[] = {
		{ "to <EM|AIL_1> and", "to |a@b.c and|" },
		{ "a < b|, <i> <E|M> <EMAIL|> x", "a < b|, <i> |<EM> |<EMAIL> x|" },
		{ "HELLO W|ORLD E|MAIL|", "HELLO W|ORLD |||EMAIL" },
		{ "<email_1> [EMAIL_1] EMAIL_1", "a@b.c a@b.c |a@b.c" },
		{ "email_1 xEMAIL_1 EMAIL_1x|", "email_1 xEMAIL_1 EMAIL_1x||" },
		{ "\\<EMAIL\\_1\\>, \\<EMAIL\\_1>", "a@b.c, a@b.c|" },
		{ "\\<EMAIL_1> EMAIL\\_1.", "\\a@b.c a@b.c.|" },
		{ "&lt;EMAIL_1&gt; &lt;SSN_1&gt; SSN_1;",
		  "a@b.c &lt;&amp;&gt; <&>;|" },
		{ "&|l|t;SS|N_1|&|g|t;", "||||||&lt;&amp;&gt;|" },
		{ "**EMAIL_1**, {EMAIL_1}, `EMAIL_1`",
		  "**a@b.c**, {a@b.c}, `a@b.c`|" },
		{ "<EMAIL_2> <EMAIL_3> <EMAIL_01> <EMAIL_>",
		  "<EMAIL_2> <EMAIL_3> <EMAIL_01> <EMAIL_>|" },
		{ "EMAIL_1\\|_2 EMAIL_1\\", "|EMAIL_1\\_2 |a@b.c\\" },
		{ "\xe4\xb8\xad" "EMAIL_1\xe4\xb8\xad",
		  "\xe4\xb8\xad" "a@b.c\xe4\xb8\xad|" },
		{ "<<EMAIL_1>> <EMAIL_1<EMAIL_1>", "<a@b.c> <a@b.ca@b.c|" },
	}, exact[] = {
		{ "<EMAIL_1> <email_1> EMAIL_1 [EMAIL_1] <E|",
		  "a@b.c <email_1> EMAIL_1 [EMAIL_1] ||<E" },
		{ "EMAIL|_1 &lt;EMAIL_1&gt; \\<EMAIL\\_1>",
		  "EMAIL|_1 &lt;EMAIL_1&gt; \\<EMAIL\\_1>|" },
	};
	struct guard_map *m = small_map();

	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		ok(pieces(m, false, near[i].in, near[i].wanted), "near: %s",
		   near[i].in);
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
		ok(pieces(m, true, exact[i].in, exact[i].wanted), "exact: %s",
		   exact[i].in);
	guard_map_free(m);
}

/* ---- what is written -------------------------------------------------------------------- */

static bool redacts(enum guard_style style, const char *text,
		    const struct guard_finding *v, size_t n, const char *wanted)
{
	struct guard_findings f = { NULL, 0, 0, 0 };
	struct ai_buf out = AI_BUF_INIT(1 << 20);
	struct guard_redactor *r;
	bool good;

	guard_redact_settings.style = (int)style;
	guard_redact_settings.keep = 4;
	r = redactor(NULL);
	f.v = calloc(n + 1, sizeof *f.v);
	memcpy(f.v, v, n * sizeof *v);
	f.n = n;
	good = r != NULL && guard_redact(r, ai_span_of(text), &f, NULL, &out,
					 &err) >= 0 &&
		strcmp(ai_buf_cstr(&out), wanted) == 0;
	if (!good)
		printf("# got: %s\n", ai_buf_cstr(&out));
	guard_redactor_free(r);
	free(f.v);
	ai_buf_release(&out);
	guard_redact_settings.style = GUARD_PLACEHOLDER;
	return good;
}

#define FOUND(a, b, name, s) { .rule = (name), .score = (s), .from = (a), \
			       .to = (b), .action = GUARD_REDACT }

static void styles(void)
{
	static const struct guard_finding two[] = { FOUND(0, 5, "email", 1),
						    FOUND(6, 11, "email", 1) },
		over[] = { FOUND(0, 3, "a", 1), FOUND(2, 8, "b-c", .5),
			   FOUND(8, 11, "d", 1) },
		nested[] = { FOUND(0, 11, "out", .5), FOUND(0, 11, "same", .9),
			     FOUND(2, 4, "in", 1) },
		none[] = { FOUND(3, 3, "a", 1), FOUND(7, 99, "z", 1) },
		half[] = { FOUND(1, 2, "x", 1) };

	ok(redacts(GUARD_PLACEHOLDER, "alice alice", two, 2,
		   "<EMAIL_1> <EMAIL_1>"), "the same value, the same number");
	ok(redacts(GUARD_PLACEHOLDER, "alice marvi", two, 2,
		   "<EMAIL_1> <EMAIL_2>"), "another value, another one");
	ok(redacts(GUARD_PLACEHOLDER, "alice marvi <EMAIL_1> [email_2]", two, 2,
		   "<EMAIL_3> <EMAIL_4> <EMAIL_1> [email_2]"),
	   "not those that the text has itself");
	ok(redacts(GUARD_PLACEHOLDER, "01234567890", over, 3, "<B_C_1><D_1>"),
	   "what overlaps is one, what touches is not");
	ok(redacts(GUARD_PLACEHOLDER, "01234567890", nested, 3, "<SAME_1>"),
	   "of equal length the surer one gives the name");
	ok(redacts(GUARD_PLACEHOLDER, "0123456789", none, 2, "0123456<Z_1>"),
	   "nothing is no value, and no text has more than its bytes");
	ok(redacts(GUARD_PLACEHOLDER, "\xe2\x82\xac!", half, 1, "<X_1>!"),
	   "characters stay whole");
	ok(redacts(GUARD_REMOVE, "alice marvi", two, 2, " "), "removal");
	ok(redacts(GUARD_MASK, "alice marvi", two, 2, "***** *****"),
	   "a short value is all mask");
	ok(redacts(GUARD_MASK, "0123\xe2\x82\xac" "56789",
		   &(struct guard_finding)FOUND(0, 99, "x", 1), 1, "******6789"),
	   "a mask keeps the last characters");
	ok(redacts(GUARD_PSEUDONYM, "alice marvi", two, 2,
		   "<EMAIL_mv222276smok> <EMAIL_ltjzchd2aq6v>"),
	   "pseudonyms follow from the key and the value");
	guard_redact_settings.key = NULL;
	guard_redact_settings.style = GUARD_PSEUDONYM;
	ok(guard_redactor_new(NULL, &err) == NULL && err.code == AI_E_USAGE,
	   "without a key there are none");
	guard_redact_settings.style = GUARD_PLACEHOLDER;
}

/* Reasons that may quote what is redacted go, and no others. */
static void reasons(void)
{
#define SAID(t, a, b, act) { .kind = GUARD_INJECTION, .rule = "r", .why = "why", .text = (t), \
			     .from = (a), .to = (b), .action = (act) }
	struct guard_finding v[] = {
		SAID(0, 0, 5, GUARD_FLAG), SAID(0, 0, 50, GUARD_FLAG),
		SAID(0, 5, 10, GUARD_REDACT), SAID(0, 6, 7, GUARD_FLAG),
		SAID(0, 10, 60, GUARD_FLAG), SAID(0, 10, 20, GUARD_FLAG),
		SAID(0, 20, 30, GUARD_REDACT), SAID(0, 29, 31, GUARD_FLAG),
		SAID(0, 30, 31, GUARD_FLAG), SAID(1, 6, 9, GUARD_FLAG),
		SAID(2, 0, 9, GUARD_FLAG), SAID(2, 8, 9, GUARD_REDACT),
	}, other[] = { SAID(0, 4, 6, GUARD_PASS), SAID(0, 12, 14, GUARD_REDACT),
		       SAID(0, 25, 26, GUARD_REDACT) };
	struct guard_findings f = { .v = v, .n = sizeof v / sizeof *v },
			      g = { .v = other, .n = 3 };
	char got[sizeof v / sizeof *v + 4] = "";
	struct guard_finding plain = SAID(0, 0, 50, GUARD_FLAG);
	struct guard_findings h = { .v = &plain, .n = 1 };

	guard_redact_reasons(&f, &f);
	guard_redact_reasons(&g, &f);
	for (size_t i = 0; i < f.n; i++)
		got[i] = *v[i].why != '\0' ? 'y' : '-';
	for (size_t i = 0; i < g.n; i++)
		got[f.n + i] = *other[i].why != '\0' ? 'y' : '-';
	ok(strcmp(got, "y-y--yy-yy-y-yy") == 0, "reasons that may quote what "
	   "is redacted: %s", got);
	plain.kind = GUARD_INVALID;
	guard_redact_reasons(&h, &f);
	ok(*plain.why != '\0', "reasons that quote nothing stay");
}

/* All would not be redacted: so none. */
static void too_many(void)
{
	struct guard_findings f = { .more = 1 };
	struct ai_buf out = AI_BUF_INIT(4096);
	struct guard_redactor *r = redactor(NULL);

	ok(guard_redact(r, AI_SPAN("x"), &f, NULL, &out, &err) < 0 &&
	   err.code == AI_E_TOO_LONG, "more findings than were kept: %s",
	   err.msg);
	guard_redactor_free(r);
	ai_buf_release(&out);
}

static void labels(void)
{
	static const struct {
		const char *rule, *label;
	} t[] = {
		{ "github-pat", "GITHUB_PAT" }, { "email", "EMAIL" },
		{ "1", "VALUE" }, { "--", "VALUE" }, { "a--b.", "A_B" },
		{ "", "VALUE" }, { "\xc3\xa9t\xc3\xa9", "T" },
	};
	char label[PLACEHOLDER_LABEL + 1];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		placeholder_label(t[i].rule, label);
		ok(strcmp(label, t[i].label) == 0, "label of '%s': %s",
		   t[i].rule, label);
	}
}

int main(void)
{
	int fd = open(key_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, "0123456789abcdef0123456789ABCDEF", 32) != 32)
		return 1;
	close(fd);
	labels();
	holding();
	keeping();
	styles();
	reasons();
	too_many();
	records();
	chunkings();
	unlink(key_path);
	unlink(map_path);
	return done();
}
