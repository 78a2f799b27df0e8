/*
 * link.c: one pass over the text, which stops at brackets, tags and colons.
 * Where readers differ in what they take for an address, it is one here.
 */
#include "link.h"

#include "text/html.h"
#include "text/view-build.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define OPEN_MAX 32       /* brackets within brackets */
#define LABEL_MAX 999     /* bytes, as in CommonMark */
#define LABELS 1024       /* slots for names of images; a power of two */
#define TAG_MAX 4096
#define TAGS_WITHIN 8
#define PARENS_MAX 32

/* A '[' that waits for its ']'. */
struct open {
	size_t at;
	bool image;
};

struct links {
	struct ai_span text;
	int (*each)(void *arg, const struct guard_link *l);
	void *arg;
	struct open open[OPEN_MAX]; /* in this paragraph */
	size_t n_open;
	size_t deeper; /* that had no room */
	size_t told; /* addresses before this byte were told */
	uint32_t labels[LABELS]; /* of images, hashed; 0: free */
	size_t n_labels;
	/* Tags that begin within others, which do not end where they should. */
	size_t tag_to; /* where the attributes of one ended last */
	unsigned within;
	size_t skip;   /* no tag begins before */
	bool defines; /* there are definitions: they are told in a second round,
		       * when it is known what is made of their names */
	bool second;
};

/* Up to a blank, as one that stands in the text ends there: an attribute whose
 * quote is not closed must not hide what stands behind it. */
static void note_told(struct links *s, size_t from, size_t to)
{
	while (from < to && (unsigned char)s->text.p[from] > ' ')
		from++;
	if (from > s->told)
		s->told = from;
}

static int tell(struct links *s, enum guard_link_use use, size_t from,
		size_t to, struct ai_span words)
{
	struct guard_link l = { use, { s->text.p + from, to - from }, words,
				s->second };

	note_told(s, from, to);
	return from < to ? s->each(s->arg, &l) : 0;
}

static size_t skip_blanks(const struct links *s, size_t at)
{
	while (at < s->text.n && ai_view_blank(s->text.p[at]))
		at++;
	return at;
}

/* ---- names of images ------------------------------------------------------------ */

/* Never 0.  Who makes two names alike makes an image of a link. */
static uint32_t label_of(struct ai_span label)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < label.n && i < LABEL_MAX; i++)
		if (!ai_view_blank(label.p[i]))
			h = (h ^ (unsigned char)ai_view_lower(label.p[i])) *
			    16777619u;
	return h | 1;
}

/* The slot of a name: it, or a free one.  There always is one. */
static uint32_t *slot_of(struct links *s, uint32_t label)
{
	size_t i = (label >> 8) % LABELS;

	while (s->labels[i] != 0 && s->labels[i] != label)
		i = (i + 1) % LABELS;
	return &s->labels[i];
}

static void note_image(struct links *s, struct ai_span label)
{
	uint32_t h = label_of(label), *slot = slot_of(s, h);

	if (*slot == 0 && s->n_labels < LABELS / 2) {
		*slot = h;
		s->n_labels++;
	}
}

/* With more images than there is room for, every name may be one. */
static bool is_image(struct links *s, uint32_t label)
{
	return s->n_labels == LABELS / 2 || *slot_of(s, label) != 0;
}

/* ---- brackets -------------------------------------------------------------------- */

/* Where the address at "at", of a link or a definition, ends; *from is where
 * it begins. */
static size_t destination(const struct links *s, size_t at, bool inside,
			  size_t *from)
{
	const char *p = s->text.p;
	size_t n = s->text.n, depth = 0;

	at = skip_blanks(s, at);
	if (at < n && p[at] == '<') {
		*from = ++at;
		while (at < n && p[at] != '>' && p[at] != '<' && p[at] != '\n')
			at++;
		return at;
	}
	for (*from = at; at < n && (unsigned char)p[at] > ' '; at++) {
		if (p[at] == '\\' && at + 1 < n && p[at + 1] > ' ') {
			at++;
		} else if (inside && p[at] == '(') {
			if (++depth > PARENS_MAX)
				break;
		} else if (inside && p[at] == ')' && depth-- == 0) {
			break;
		}
	}
	return at;
}

static bool begins_line(const struct links *s, size_t at)
{
	const char *p = s->text.p;

	for (size_t i = 0; i < 16 && at > 0; i++, at--)
		if (p[at - 1] == '\n')
			return true;
		else if (p[at - 1] != ' ' && p[at - 1] != '\t' &&
			 p[at - 1] != '>')
			return false;
	return at == 0;
}

static int define(struct links *s, struct ai_span label, size_t at)
{
	size_t from, to = destination(s, at, false, &from);

	if (label.n > 0 && label.p[0] == '^') /* a footnote */
		return 0;
	s->defines = true;
	note_told(s, from, to);
	if (!s->second)
		return 0;
	return tell(s, is_image(s, label_of(label)) ? GUARD_LINK_FETCHED
						    : GUARD_LINK_CLICKED,
		    from, to, (struct ai_span){ 0 });
}

/* A ']' at byte at. */
static int close_bracket(struct links *s, size_t at)
{
	const char *p = s->text.p;
	size_t n = s->text.n, from, to;
	struct ai_span words, label;
	struct open o;

	if (s->deeper > 0) { /* as the worst that it can be */
		s->deeper--;
		o = (struct open){ at - 1, true };
	} else if (s->n_open > 0) {
		o = s->open[--s->n_open];
	} else {
		return 0;
	}
	words = (struct ai_span){ p + o.at + 1, at - o.at - 1 };
	if (at + 1 < n && p[at + 1] == ':' && begins_line(s, o.at))
		return define(s, words, at + 2);
	if (s->second)
		return 0;
	if (at + 1 < n && p[at + 1] == '(') {
		to = destination(s, at + 2, true, &from);
		return tell(s, o.image ? GUARD_LINK_FETCHED
					: GUARD_LINK_CLICKED,
			    from, to, words);
	}
	label = words;
	if (at + 1 < n && p[at + 1] == '[') {
		const char *end;

		label.p = p + at + 2;
		label.n = n - at - 2 < LABEL_MAX ? n - at - 2 : LABEL_MAX;
		end = memchr(label.p, ']', label.n);
		label.n = end != NULL ? (size_t)(end - label.p) : 0;
		if (label.n == 0)
			label = words;
	}
	if (o.image)
		note_image(s, label);
	return 0;
}

static void open_bracket(struct links *s, size_t at)
{
	if (s->n_open < OPEN_MAX)
		s->open[s->n_open++] = (struct open){
			at, at > 0 && s->text.p[at - 1] == '!'
		};
	else
		s->deeper++;
}

/* A line's end: behind an empty line nothing is open. */
static void end_line(struct links *s, size_t at)
{
	while (++at < s->text.n && (s->text.p[at] == ' ' ||
				    s->text.p[at] == '\t' ||
				    s->text.p[at] == '\r'))
		;
	if (at < s->text.n && s->text.p[at] == '\n')
		s->n_open = s->deeper = 0;
}

/* ---- tags ------------------------------------------------------------------------- */

static const struct tag {
	const char *tag, *attribute; /* "" is any */
	enum guard_link_use use;
} tags[] = {
	{ "a", "href", GUARD_LINK_CLICKED },
	{ "a", "ping", GUARD_LINK_FETCHED },
	{ "applet", "code", GUARD_LINK_RUN },
	{ "area", "href", GUARD_LINK_CLICKED },
	{ "audio", "src", GUARD_LINK_FETCHED },
	{ "base", "href", GUARD_LINK_RUN },
	{ "button", "formaction", GUARD_LINK_SENT },
	{ "embed", "src", GUARD_LINK_RUN },
	{ "feimage", "href", GUARD_LINK_FETCHED },
	{ "form", "action", GUARD_LINK_SENT },
	{ "frame", "src", GUARD_LINK_RUN },
	{ "iframe", "src", GUARD_LINK_RUN },
	{ "image", "href", GUARD_LINK_FETCHED },
	{ "image", "xlink:href", GUARD_LINK_FETCHED },
	{ "img", "lowsrc", GUARD_LINK_FETCHED },
	{ "img", "src", GUARD_LINK_FETCHED },
	{ "img", "srcset", GUARD_LINK_FETCHED },
	{ "input", "formaction", GUARD_LINK_SENT },
	{ "input", "src", GUARD_LINK_FETCHED },
	{ "link", "href", GUARD_LINK_FETCHED },
	{ "link", "imagesrcset", GUARD_LINK_FETCHED },
	{ "meta", "content", GUARD_LINK_GONE },
	{ "object", "data", GUARD_LINK_RUN },
	{ "script", "href", GUARD_LINK_RUN },
	{ "script", "src", GUARD_LINK_RUN },
	{ "source", "src", GUARD_LINK_FETCHED },
	{ "source", "srcset", GUARD_LINK_FETCHED },
	{ "track", "src", GUARD_LINK_FETCHED },
	{ "use", "href", GUARD_LINK_FETCHED },
	{ "use", "xlink:href", GUARD_LINK_FETCHED },
	{ "video", "poster", GUARD_LINK_FETCHED },
	{ "video", "src", GUARD_LINK_FETCHED },
	{ "", "background", GUARD_LINK_FETCHED },
};

static bool is(struct ai_span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* "a.png 1x, b.png 2x" */
static int tell_set(struct links *s, enum guard_link_use use, size_t from,
		    size_t to)
{
	const char *p = s->text.p;
	const struct ai_span none = { 0 };
	int rc = 0;

	while (from < to && rc == 0) {
		size_t at;

		while (from < to && (ai_view_blank(p[from]) || p[from] == ','))
			from++;
		for (at = from; at < to && !ai_view_blank(p[at]);)
			at++;
		rc = tell(s, use, from, at, none);
		while (at < to && p[at] != ',')
			at++;
		from = at;
	}
	return rc;
}

/* "0; url='address'" of <meta http-equiv=refresh> */
static int tell_refresh(struct links *s, size_t from, size_t to)
{
	const char *p = s->text.p;

	for (; from + 3 < to; from++)
		if (strncasecmp(p + from, "url", 3) == 0)
			break;
	if (from + 3 >= to)
		return 0;
	for (from += 3; from < to && (ai_view_blank(p[from]) ||
				      strchr("='\"", p[from]) != NULL);)
		from++;
	while (to > from && (p[to - 1] == '\'' || p[to - 1] == '"'))
		to--;
	return tell(s, GUARD_LINK_GONE, from, to, (struct ai_span){ 0 });
}

/* With no name it is of any tag. */
static int on_attribute(struct links *s, struct ai_span name,
			const struct ai_attribute *a)
{
	size_t from = (size_t)(a->value.p - s->text.p), to = from + a->value.n;

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		const struct tag *t = &tags[i];

		if ((*t->tag != '\0' && name.n > 0 && !is(name, t->tag)) ||
		    !is(a->name, t->attribute))
			continue;
		if (t->use == GUARD_LINK_GONE)
			return tell_refresh(s, from, to);
		if (is(a->name, "srcset") || is(a->name, "imagesrcset"))
			return tell_set(s, t->use, from, to);
		return tell(s, t->use, from, to, (struct ai_span){ 0 });
	}
	return 0;
}

static bool is_tag(struct ai_span name)
{
	if (is(name, "body") || is(name, "table") || is(name, "td") ||
	    is(name, "th") || is(name, "tr"))
		return true;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (is(name, tags[i].tag))
			return true;
	return false;
}

/* A '<' at byte at.  A tag that does not end counts: so what stands behind it
 * becomes a part of its address. */
static int on_tag(struct links *s, size_t at)
{
	const char *p = s->text.p;
	size_t end = s->text.n - at > TAG_MAX ? at + TAG_MAX : s->text.n;
	size_t i = at + 1;
	struct ai_span name;
	struct ai_attribute a;
	int rc = 0;

	if (at < s->skip || i >= end || !ai_view_alpha(p[i]))
		return 0;
	name.p = p + i;
	i = ai_attribute_name(p, end, i);
	name.n = (size_t)(p + i - name.p);
	if (!is_tag(name))
		return 0;
	s->within = at < s->tag_to ? s->within + 1 : 0;
	/* Whichever of them a reader takes for the tag: each is told. */
	if (s->within > TAGS_WITHIN)
		name.n = 0;
	while (rc == 0 && ai_attribute_next(p, end, &i, &a))
		rc = on_attribute(s, name, &a);
	if (i > s->tag_to)
		s->tag_to = i;
	if (s->within > TAGS_WITHIN)
		s->skip = i;
	return rc;
}

/* ---- addresses as they are ------------------------------------------------------- */

/* url(...) of a style: byte at is its '('. */
static int on_style(struct links *s, size_t at)
{
	const char *p = s->text.p;
	size_t n = s->text.n, from;

	if (at < 3 || strncasecmp(p + at - 3, "url", 3) != 0 ||
	    (at > 3 && ai_view_alpha(p[at - 4])))
		return 0;
	from = skip_blanks(s, at + 1);
	if (from < n && (p[from] == '\'' || p[from] == '"'))
		from++;
	for (at = from; at < n && strchr("()'\"\n", p[at]) == NULL;)
		at++;
	return tell(s, GUARD_LINK_FETCHED, from, at, (struct ai_span){ 0 });
}

/* Characters that stand behind an address rather than in it. */
static size_t trim(const char *p, size_t from, size_t to)
{
	size_t opened = 0, closed = 0;

	for (size_t i = from; i < to; i++) {
		opened += p[i] == '(';
		closed += p[i] == ')';
	}
	while (to > from && strchr(".,;:!?'*_~)]}", p[to - 1]) != NULL) {
		if (p[to - 1] == ')' && closed-- <= opened)
			break;
		to--;
	}
	return to;
}

/* "://" at byte at. */
static int on_address(struct links *s, size_t at)
{
	static const char *const schemes[] = { "https", "http", "ftp", "wss",
					       "ws", "file" };
	const char *p = s->text.p;
	size_t n = s->text.n, len = 0, to = at + 3;

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		len = strlen(schemes[i]);
		if (at >= len && strncasecmp(p + at - len, schemes[i], len) == 0)
			break;
		len = 0;
	}
	if (len == 0 || at - len < s->told)
		return 0;
	while (to < n && (unsigned char)p[to] > ' ' && p[to] != 0x7F &&
	       strchr("<>\"`", p[to]) == NULL)
		to++;
	return tell(s, GUARD_LINK_SHOWN, at - len, trim(p, at - len, to),
		    (struct ai_span){ 0 });
}

static int look(struct links *s)
{
	static const unsigned char stops[256] = {
		['['] = 1, [']'] = 1, ['\n'] = 1, ['<'] = 2, ['('] = 2,
		[':'] = 2,
	};
	const unsigned char *p = (const unsigned char *)s->text.p;
	size_t n = s->text.n;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (!stops[p[i]] || stops[p[i]] > (s->second ? 1 : 2))
			continue;
		if (p[i] == '[')
			open_bracket(s, i);
		else if (p[i] == ']')
			rc = close_bracket(s, i);
		else if (p[i] == '\n')
			end_line(s, i);
		else if (p[i] == '<')
			rc = on_tag(s, i);
		else if (p[i] == '(')
			rc = on_style(s, i);
		else if (i + 2 < n && p[i + 1] == '/' && p[i + 2] == '/')
			rc = on_address(s, i);
	}
	return rc;
}

int guard_links(struct ai_span text,
		int (*each)(void *arg, const struct guard_link *l), void *arg)
{
	struct links s = { .text = text, .each = each, .arg = arg };
	int rc = look(&s);

	if (rc != 0 || !s.defines)
		return rc;
	s.second = true;
	s.n_open = s.deeper = 0;
	return look(&s);
}
