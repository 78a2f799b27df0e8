/*
 * guardhide.c: whether ai-guard sees through what a text is hidden in.
 *
 *	guardhide written WEIGHTS ROWS...  all rows written otherwise, in one
 *	                                   way and in two at a time
 *	guardhide pages WEIGHTS ROWS...    attacks, and pieces of harmless rows
 *	                                   (documents), in pages of HTML and the
 *	                                   like, where nobody sees them
 *	guardhide phrases WEIGHTS ROWS...  attacks and harmless rows that have
 *	                                   each family of phrases
 *
 * A row is found where the classifier or a phrase finds it.  Attacks and
 * harmless rows are written in the same way, so that what is found for being
 * hidden counts against it.  Rows are {"text","label","source"}.  Only numbers
 * are printed.
 */
#include "../../bin/guard/phrases.h"
#include "../../bin/guard/weights.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "crypt/base64.h"
#include "record/json.h"
#include "text/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATES 2
static const double rates[RATES] = { .05, .02 };

struct row {
	char *text;
	size_t n;
	bool attack;
};

#define FAMILIES 32
#define PIECE 400 /* bytes of a document */

static struct row *rows;
static size_t n_rows;
static struct weights weights;

static void die(const char *what, const char *which)
{
	fprintf(stderr, "guardhide: %s '%s'\n", what, which);
	exit(65);
}

static void load(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	if (f == NULL)
		die("cannot open", path);
	while ((len = getline(&line, &cap, f)) > 0) {
		struct ai_buf b = AI_BUF_INIT(64 << 20);
		struct ai_value v, label;
		struct ai_err err;
		struct row *r;

		if (ai_json_check(line, (size_t)len, &v, &err) < 0 ||
		    ai_json_text(ai_json_get(v, "text"), &b) < 0)
			die("bad row in", path);
		rows = reallocarray(rows, n_rows + 1, sizeof *rows);
		r = &rows[n_rows++];
		label = ai_json_get(v, "label");
		r->attack = label.s.n == 1 && label.s.p[0] == '1';
		r->n = b.len;
		ai_buf_cstr(&b);
		r->text = ai_buf_take(&b);
	}
	free(line);
	fclose(f);
}

static uint64_t seed = 3;

static size_t below(size_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (size_t)((seed >> 33) % n);
}

/* ---- what is found ------------------------------------------------------------- */

struct seen {
	enum guard_context context;
	struct guard_findings f;
	struct ai_err err;
	double score; /* the classifier's highest */
};

static int higher(void *arg, const struct weights_window *x)
{
	struct seen *s = arg;

	s->score = x->score > s->score ? x->score : s->score;
	return 0;
}

static int look(void *arg, const struct ai_view *v)
{
	struct seen *s = arg;
	enum weights_table t = s->context == GUARD_USER ? WEIGHTS_USER
							: WEIGHTS_DOCUMENT;
	size_t from, to = 0, done = 0;

	if (phrases_find(v, rates[0], &s->f, &s->err) < 0)
		return -1;
	if (v->better)
		return 0;
	while (v->spaced && ai_view_next_spaced(v->text, &from, &to)) {
		weights_windows(&weights, t, v->text.p + done, from - done,
				higher, s);
		done = to;
	}
	return weights_windows(&weights, t, v->text.p + done,
			       v->text.n - done, higher, s);
}

/* Which rates' scores the text is above, as bits. */
static unsigned found(enum guard_context context, struct ai_buf *b)
{
	enum weights_table t = context == GUARD_USER ? WEIGHTS_USER
						     : WEIGHTS_DOCUMENT;
	struct seen s = { .context = context, .score = -1e9 };
	unsigned bits = 0;

	if (ai_views((struct ai_span){ ai_buf_cstr(b), b->len }, look, &s,
		     &s.err) < 0)
		die("no views:", s.err.msg);
	for (unsigned k = 0; k < RATES; k++)
		for (size_t i = 0; i < s.f.n; i++)
			if (1 - s.f.v[i].score < rates[k] + 1e-9)
				bits |= 1u << k;
	for (unsigned k = 0; k < RATES; k++)
		if (s.score > weights_score(&weights, t, rates[k]))
			bits |= 1u << k;
	guard_findings_release(&s.f);
	return bits;
}

/* ---- ways to write a text otherwise ----------------------------------------------- */

typedef void way(struct ai_buf *out, const char *p, size_t n);

static size_t next_cp(const char *p, size_t n, uint32_t *cp)
{
	size_t len = ai_utf8_decode(p, n, cp);

	if (len == 0)
		*cp = (unsigned char)*p;
	return len > 0 ? len : 1;
}

static void put_cp(struct ai_buf *out, uint32_t cp)
{
	char s[4];

	ai_buf_add(out, s, ai_utf8_encode(cp, s));
}

#define EACH_CP(p, n) \
	uint32_t cp; \
	for (size_t i = 0; i < (n); i += next_cp((p) + i, (n) - i, &cp)) \
		if (next_cp((p) + i, (n) - i, &cp))

static bool is_letter(uint32_t cp)
{
	return (cp | 32) - 'a' < 26u;
}

static void plain(struct ai_buf *out, const char *p, size_t n)
{
	ai_buf_add(out, p, n);
}

static void any_case(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n)
		put_cp(out, is_letter(cp) && below(2) ? cp ^ 32 : cp);
}

static void zero_width(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n) {
		put_cp(out, cp);
		put_cp(out, 0x200B);
	}
}

static uint32_t swapped(uint32_t cp, const char *from, const uint32_t *to)
{
	const char *at = cp != 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;

	return at != NULL ? to[at - from] : cp;
}

static void cyrillic(struct ai_buf *out, const char *p, size_t n)
{
	static const uint32_t to[] = { 0x430, 0x441, 0x435, 0x43E, 0x440, 0x445,
				       0x443, 0x456, 0x458, 0x455 };

	EACH_CP(p, n)
		put_cp(out, swapped(cp, "aceopxyijs", to));
}

static void greek(struct ai_buf *out, const char *p, size_t n)
{
	static const uint32_t to[] = { 0x3B1, 0x3B9, 0x3BF, 0x3BD, 0x3C1, 0x3C5,
				       0x391, 0x395, 0x399, 0x39F, 0x3A4 };

	EACH_CP(p, n)
		put_cp(out, swapped(cp, "aiovpuAEIOT", to));
}

static void full_width(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n)
		put_cp(out, cp > 0x20 && cp < 0x7F ? cp + 0xFEE0 : cp);
}

static void tags(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n)
		put_cp(out, cp >= 0x20 && cp < 0x7F ? cp + 0xE0000 : cp);
}

/* Each byte a selector behind a smile. */
static void selectors(struct ai_buf *out, const char *p, size_t n)
{
	put_cp(out, 0x1F642);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		put_cp(out, c < 16 ? 0xFE00u + c : 0xE0100u + c - 16);
	}
}

static void leet(struct ai_buf *out, const char *p, size_t n)
{
	static const uint32_t to[] = { '0', '1', '3', '4', '5', '7' };

	EACH_CP(p, n)
		put_cp(out, swapped(cp, "oieast", to));
}

static void rot13(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n) {
		uint32_t base = (cp & 32) != 0 ? (uint32_t)'a' : (uint32_t)'A';

		put_cp(out, is_letter(cp) ? base + (cp - base + 13) % 26 : cp);
	}
}

static void spaced(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n) {
		if (cp == ' ')
			ai_buf_str(out, "  ");
		put_cp(out, cp);
		ai_buf_chr(out, ' ');
	}
}

/* Without the blanks that were there. */
static void run_on(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n) {
		if (cp == ' ')
			continue;
		put_cp(out, cp);
		ai_buf_chr(out, ' ');
	}
}

static void base64(struct ai_buf *out, const char *p, size_t n)
{
	ai_base64_encode(out, p, n);
}

static void each_byte(struct ai_buf *out, const char *p, size_t n,
		      const char *before, int width)
{
	for (size_t i = 0; i < n; i++)
		ai_buf_fmt(out, "%s%0*x", before, width, (unsigned char)p[i]);
}

static void hex(struct ai_buf *out, const char *p, size_t n)
{
	each_byte(out, p, n, "", 2);
}

static void percent(struct ai_buf *out, const char *p, size_t n)
{
	each_byte(out, p, n, "%", 2);
}

static void entity(struct ai_buf *out, const char *p, size_t n)
{
	EACH_CP(p, n)
		ai_buf_fmt(out, "&#%u;", (unsigned)cp);
}

static void reversed(struct ai_buf *out, const char *p, size_t n)
{
	while (n > 0) {
		size_t from = n - 1;

		while (from > 0 && ((unsigned char)p[from] & 0xC0) == 0x80)
			from--;
		ai_buf_add(out, p + from, n - from);
		n = from;
	}
}

static const struct {
	const char *name;
	way *first, *then;
} ways[] = {
	{ "as they are", plain, NULL },
	{ "random case", any_case, NULL }, { "zero-width", zero_width, NULL },
	{ "Cyrillic", cyrillic, NULL }, { "Greek", greek, NULL },
	{ "full-width", full_width, NULL }, { "tags", tags, NULL },
	{ "selectors", selectors, NULL }, { "base64", base64, NULL },
	{ "hex", hex, NULL }, { "leet", leet, NULL },
	{ "spaced", spaced, NULL }, { "spaced, no words", run_on, NULL },
	{ "rot13", rot13, NULL },
	{ "reversed", reversed, NULL }, { "entities", entity, NULL },
	{ "percent", percent, NULL },
	{ "leet, base64", leet, base64 },
	{ "rot13, base64", rot13, base64 },
	{ "reversed, hex", reversed, hex },
	{ "spaced, base64", spaced, base64 },
	{ "base64, base64", base64, base64 },
	{ "base64, hex", base64, hex },
	{ "base64, entities", base64, entity },
	{ "base64, zero-width", base64, zero_width },
	{ "zero-width, base64", zero_width, base64 },
	{ "Cyrillic, base64", cyrillic, base64 },
	{ "base64, full-width", base64, full_width },
	{ "percent, percent", percent, percent },
	{ "leet, zero-width", leet, zero_width },
	{ "leet, full-width", leet, full_width },
	{ "leet, reversed", leet, reversed },
	{ "rot13, reversed", rot13, reversed },
	{ "leet, spaced", leet, spaced },
};

/* ---- places where nobody looks ---------------------------------------------------- */

/* A page, and what is hidden in it. */
static const struct {
	const char *name, *before, *after;
} places[] = {
	{ "in sight", "<p>", "</p>" },
	{ "comment", "<!-- ", " -->" },
	{ "display:none", "<div style=\"display:none\">", "</div>" },
	{ "hidden", "<p hidden>", "</p>" },
	{ "visibility", "<span style='visibility: hidden;'>", "</span>" },
	{ "font-size:0", "<p style=\"font-size:0px;color:#222\">", "</p>" },
	{ "white on white", "<p style=\"color:#fff;background-color:#fff\">",
	  "</p>" },
	{ "opacity", "<div style=\"opacity:0\">", "</div>" },
	{ "off screen", "<div style=\"position:absolute;left:-9999px\">",
	  "</div>" },
	{ "class", "<style>.x9 { display : none }</style><p class=\"x9\">",
	  "</p>" },
	{ "template", "<template>", "</template>" },
	{ "noscript", "<noscript>", "</noscript>" },
	{ "script", "<script>var note = \"", "\";</script>" },
	{ "alt", "<img src=\"a.png\" alt=\"", "\">" },
	{ "title", "<a href=\"/\" title=\"", "\">home</a>" },
	{ "aria-label", "<button aria-label=\"", "\">ok</button>" },
	{ "meta", "<meta name=\"description\" content=\"", "\">" },
	{ "input", "<input type=\"hidden\" value=\"", "\">" },
	{ "data-", "<div data-note=\"", "\"></div>" },
	{ "svg", "<svg><desc>", "</desc></svg>" },
	{ "markdown comment", "\n[//]: # (", ")\n" },
	{ "markdown alt", "![", "](a.png)" },
	{ "markdown title", "[home](/ \"", "\")" },
	{ "front matter", "\n---\ndescription: ", "\n---\n" },
	{ "CSS comment", "<style>/* ", " */ p { margin: 0 }</style>" },
	{ "CDATA", "<![CDATA[ ", " ]]>" },
};

static const char page_begin[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><title>Opening hours"
	"</title></head>\n<body class=\"page\">\n<h1>Opening hours</h1>\n"
	"<p>The library is open from nine in the morning to six in the evening "
	"on weekdays, and until noon on Saturdays.</p>\n";
static const char page_end[] =
	"\n<ul><li>Ground floor: newspapers &amp; magazines</li>\n<li>First "
	"floor: children's books and games</li></ul>\n<p>The caf&eacute; on the "
	"ground floor sells sandwiches from eleven o'clock.</p>\n</body></html>"
	"\n";

/* As the attribute's value: without its quotes and the page's signs. */
static void put_quiet(struct ai_buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ai_buf_chr(out, strchr("<>\"'[]()", p[i]) != NULL &&
				p[i] != '\0' ? ' ' : p[i]);
}

/* So much of a document. */
static size_t piece_of(const struct row *r)
{
	size_t n = r->n;

	if (!r->attack && n > PIECE)
		for (n = PIECE; n > 0 && r->text[n] != ' '; n--)
			;
	return n;
}

/* ---- tables ------------------------------------------------------------------------ */

struct line {
	size_t n[2], found[RATES][2];
};

static void count(struct line *x, const struct row *r, unsigned bits)
{
	x->n[r->attack]++;
	for (unsigned k = 0; k < RATES; k++)
		x->found[k][r->attack] += bits >> k & 1;
}

static double share(size_t k, size_t n)
{
	return n == 0 ? 0 : 100 * (double)k / (double)n;
}

static void print(const char *name, const struct line *x,
		  const struct line *clean)
{
	printf("%-20s", name);
	for (unsigned k = 0; k < RATES; k++) {
		double r = share(x->found[k][1], x->n[1]);
		double f = share(x->found[k][0], x->n[0]);
		double r0 = share(clean->found[k][1], clean->n[1]);
		double f0 = share(clean->found[k][0], clean->n[0]);

		printf("  %6.1f %6.1f %8.1f %+6.1f", r, f, (r + 100 - f) / 2,
		       (r - f - r0 + f0) / 2);
	}
	putchar('\n');
}

static void head(const char *what)
{
	printf("%-20s", what);
	for (unsigned k = 0; k < RATES; k++)
		printf("  %22.0f %% score", 100 * rates[k]);
	printf("\n%-20s", "");
	for (unsigned k = 0; k < RATES; k++)
		printf("  %6s %6s %8s %6s", "found", "false", "balanced",
		       "diff");
	putchar('\n');
}

static void written(void)
{
	struct line clean = { 0 };

	head("written as");
	for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
		struct line x = { 0 };

		for (size_t i = 0; i < n_rows; i++) {
			struct ai_buf a = AI_BUF_INIT(64 << 20);
			struct ai_buf b = AI_BUF_INIT(64 << 20);

			ways[k].first(&a, rows[i].text, rows[i].n);
			if (ways[k].then != NULL)
				ways[k].then(&b, ai_buf_cstr(&a), a.len);
			count(&x, &rows[i],
			      found(GUARD_USER, ways[k].then ? &b : &a));
			ai_buf_release(&a);
			ai_buf_release(&b);
		}
		if (k == 0)
			clean = x;
		print(ways[k].name, &x, &clean);
	}
}

static void pages(void)
{
	struct line clean = { 0 };

	head("in a page, as");
	for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
		struct line x = { 0 };

		for (size_t i = 0; i < n_rows; i++) {
			struct ai_buf b = AI_BUF_INIT(64 << 20);

			ai_buf_str(&b, page_begin);
			ai_buf_str(&b, places[k].before);
			put_quiet(&b, rows[i].text, piece_of(&rows[i]));
			ai_buf_str(&b, places[k].after);
			ai_buf_str(&b, page_end);
			count(&x, &rows[i], found(GUARD_DOCUMENT, &b));
			ai_buf_release(&b);
		}
		if (k == 0)
			clean = x;
		print(places[k].name, &x, &clean);
	}
}

/* ---- families -------------------------------------------------------------------------- */

static int look_phrases(void *arg, const struct ai_view *v)
{
	struct seen *s = arg;

	return phrases_find(v, rates[1], &s->f, &s->err);
}

static struct family {
	const char *rule;
	size_t n[2]; /* rows that have it: harmless, attacks */
} families[FAMILIES];

static void count_families(const struct row *r, const struct guard_findings *f)
{
	bool has[FAMILIES] = { false };

	for (size_t i = 0; i < f->n; i++) {
		size_t k = 0;

		while (k < FAMILIES - 1 && families[k].rule != NULL &&
		       strcmp(families[k].rule, f->v[i].rule) != 0)
			k++;
		families[k].rule = f->v[i].rule;
		has[k] = true;
	}
	for (size_t k = 0; k < FAMILIES; k++)
		families[k].n[r->attack] += has[k];
}

static void phrases(void)
{
	size_t n[2] = { 0 }, any[2] = { 0 };

	for (size_t i = 0; i < n_rows; i++) {
		struct seen s = { .context = GUARD_USER };

		if (ai_views((struct ai_span){ rows[i].text, rows[i].n },
			     look_phrases, &s, &s.err) < 0)
			die("no views:", s.err.msg);
		n[rows[i].attack]++;
		any[rows[i].attack] += s.f.n > 0;
		count_families(&rows[i], &s.f);
		guard_findings_release(&s.f);
	}
	printf("%-20s %8s of %5zu %8s of %5zu %8s\n", "rule", "attacks", n[1],
	       "harmless", n[0], "% right");
	for (size_t k = 0; k < FAMILIES && families[k].rule != NULL; k++) {
		const struct family *x = &families[k];

		printf("%-20s %17zu %17zu %8.1f\n", x->rule, x->n[1], x->n[0],
		       share(x->n[1], x->n[0] + x->n[1]));
	}
	printf("%-20s %17zu %17zu %8.1f\n", "any", any[1], any[0],
	       share(any[1], any[0] + any[1]));
}

int main(int argc, char **argv)
{
	struct ai_err err;

	if (argc < 4)
		die("see the top of guardhide.c, not", argc > 1 ? argv[1] : "");
	if (weights_open(&weights, argv[2], &err) < 0)
		die(err.msg, argv[2]);
	for (int i = 3; i < argc; i++)
		load(argv[i]);
	if (strcmp(argv[1], "written") == 0)
		written();
	else if (strcmp(argv[1], "pages") == 0)
		pages();
	else
		phrases();
	for (size_t i = 0; i < n_rows; i++)
		free(rows[i].text);
	free(rows);
	weights_close(&weights);
	return 0;
}
