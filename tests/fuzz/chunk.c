/*
 * Cutting: the first three bytes choose the rule, the size and the overlap,
 * the rest is the text.  What must hold for all chunks holds for these.
 */
/* fuzz: bin/chunk/cut.c bin/chunk/split.c bin/chunk/markdown.c bin/chunk/measure.c bin/chunk/by-recursive.c bin/chunk/by-tokens.c bin/chunk/code.c bin/chunk/code-lang.c bin/chunk/code-skip.c bin/chunk/meta.c bin/chunk/page.c */
#include "base/utf8.h"
#include "fuzz.h"
#include "text/segment.h"

#include "../../bin/chunk/cut.h"
#include "../../bin/chunk/meta.h"
#include "record/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct seen {
	const struct chunk_how *how;
	const char *p;
	size_t n, from, to, number, at, end;
	struct ai_span doc;   /* what p was made of, or p */
	bool is_plain;        /* a slice of doc reads as it did in it */
};

static size_t newlines(const char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += p[i] == '\n';
	return k;
}

/* Code of a page that it shows is read alone as it was read in it. */
static void check_slice(const struct seen *s, const struct chunk_cut *c)
{
	struct chunk_page page;
	struct ai_err err;
	size_t len = c->end - c->at;

	if (len >= 3 && memcmp(s->doc.p + c->at, "\xEF\xBB\xBF", 3) == 0)
		return;
	chunk_page_init(&page);
	must(chunk_page_read(&page, s->doc.p + c->at, len, &err) == 0);
	must(page.text.len == c->to - c->from);
	must(memcmp(page.text.p, s->p + c->from, page.text.len) == 0);
	chunk_page_release(&page);
}

static void check_source(struct seen *s, const struct chunk_cut *c)
{
	must(c->at < c->end && c->end <= s->doc.n);
	must(c->number == 0 || (c->at >= s->at && c->end >= s->end));
	must(ai_utf8_valid(s->doc.p + c->at, c->end - c->at) ==
	     c->end - c->at);
	must(c->line_from == 1 + newlines(s->doc.p, c->at));
	must(c->line_to == 1 + newlines(s->doc.p, c->end - 1));
	if (s->how->by != CHUNK_HTML)
		must(c->at == c->from && c->end == c->to);
	else if (s->is_plain)
		check_slice(s, c);
	s->at = c->at;
	s->end = c->end;
}

static int check(void *arg, const struct chunk_cut *c, struct ai_err *err)
{
	struct seen *s = arg;
	enum chunk_by by = s->how->by;
	size_t len = c->to - c->from;
	bool forward = c->from > s->from && c->to > s->to;

	(void)err;
	must(c->from < c->to && c->to <= s->n);
	must(c->number == s->number++ && c->number < c->count);
	/* LangChain repeats what is left of a chunk before white space. */
	if (by == CHUNK_RECURSIVE)
		forward = c->from >= s->from && (c->from > s->from ||
						 c->to != s->to);
	must(c->number == 0 || forward);
	/* Nothing visible stands between two chunks. */
	must(c->from <= s->to || by == CHUNK_RECURSIVE ||
	     ai_blank_skip(s->p, c->from, s->to) == c->from);
	must(ai_utf8_valid(s->p + c->from, len) == len);
	must(c->oversize == (ai_utf8_count(s->p + c->from, len) >
			     s->how->size));
	must(!c->oversize || by == CHUNK_MARKDOWN || by == CHUNK_RECURSIVE);
	must(c->from >= s->to || (by == CHUNK_RECURSIVE &&
				  !s->how->separators->keep) ||
	     ai_utf8_count(s->p + c->from, s->to - c->from) <=
		     s->how->overlap);
	check_source(s, c);
	s->from = c->from;
	s->to = c->to;
	return 0;
}

static void cut(const char *p, size_t n, struct ai_span doc,
		const struct chunk_how *how, size_t keep)
{
	struct chunk_cutter cutter = { .how = *how, .keep = keep };
	struct seen s = { .how = how, .p = p, .n = n, .doc = doc };
	struct chunk_md md;
	struct ai_err err;

	/* A byte order mark is in no chunk, and metadata is in none. */
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		s.to = 3;
	if (how->by == CHUNK_MARKDOWN) {
		chunk_md_init(&md, p, n);
		if (md.body > 0)
			s.to = md.body;
	}
	s.is_plain = how->by == CHUNK_HTML &&
		memmem(doc.p, doc.n, "<", 1) != NULL;
	for (size_t i = 0; i + 4 < doc.n; i++)
		if (strncasecmp(doc.p + i, "<pre", 4) == 0 ||
		    strncasecmp(doc.p + i, "<styl", 5) == 0)
			s.is_plain = false;
	must(chunk_cut(&cutter, p, n, check, &s, &err) == 0);
	must(s.number == cutter.count);
	must(ai_blank_skip(p, n, s.to) == n || how->by == CHUNK_RECURSIVE);
	chunk_cutter_release(&cutter);
}

static void cut_twice(const char *p, size_t n, struct ai_span doc,
		      const struct chunk_how *how)
{
	cut(p, n, doc, how, CHUNK_KEEP);
	cut(p, n, doc, how, 1);
}

/* What is written of the metadata is JSON, whatever stands there. */
static void read_meta(const char *p, size_t n)
{
	struct ai_buf out = AI_BUF_INIT(1 << 22), title = AI_BUF_INIT(1 << 22);
	struct ai_value v;
	struct ai_err err;

	chunk_meta_put(&out, &title, p, n);
	must(ai_json_check(ai_buf_cstr(&out), out.len, &v, &err) == 0);
	ai_buf_release(&out);
	ai_buf_release(&title);
}

static void cut_page(const char *p, size_t n, struct chunk_how *how)
{
	struct chunk_page page;
	struct ai_err err;

	chunk_page_init(&page);
	must(chunk_page_read(&page, p, n, &err) == 0);
	must(ai_utf8_valid(ai_buf_cstr(&page.text), page.text.len) ==
	     page.text.len);
	how->page = &page;
	cut_twice(ai_buf_cstr(&page.text), page.text.len,
		  (struct ai_span){ p, n }, how);
	chunk_page_release(&page);
}

static const char *const files[] = {
	"a.c", "a.java", "a.js", "a.go", "a.rs", "a.cs", "a.php", "a.kt",
	"a.swift", "a.scala", "a.py", "a.sh",
};

/* CHUNK_TOKENS needs a vocabulary: tests/peer/chunks.mjs compares it. */
static const enum chunk_by rules[] = {
	CHUNK_RECURSIVE, CHUNK_MARKDOWN, CHUNK_SENTENCE, CHUNK_PARAGRAPH,
	CHUNK_FIXED, CHUNK_PROSE, CHUNK_CODE, CHUNK_HTML,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk_separators separators = { .keep = true };
	struct chunk_how how = { .measure = &chunk_measure_chars,
				 .separators = &separators };
	const char *p = (const char *)data + 3;

	if (size < 3)
		return 0;
	how.by = rules[data[0] % 8];
	how.lang = chunk_lang_of(files[data[0] / 8 % 12]);
	how.size = data[1] + 1u;
	how.overlap = data[2] % how.size;
	chunk_separators_usual(&separators);
	separators.n -= data[0] / 8 % 3;
	separators.keep = data[0] < 128;
	size -= 3;
	/* Looking is safe for any bytes, cutting takes UTF-8. */
	for (size_t i = 0; i <= size; i++)
		ai_break_at(p, size, i);
	if (ai_utf8_valid(p, size) != size)
		return 0;
	read_meta(p, size);
	if (how.by == CHUNK_HTML)
		cut_page(p, size, &how);
	else
		cut_twice(p, size, (struct ai_span){ p, size }, &how);
	return 0;
}
