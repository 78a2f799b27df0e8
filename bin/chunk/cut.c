#include "cut.h"

#include "base/utf8.h"
#include "text/segment.h"

#include "markdown.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ------------------------------------------------------------ */

struct counting {
	struct chunk_cutter *c;
	struct ai_hash hash;
};

static void hash_place(struct ai_hash *h, const struct chunk_piece *piece)
{
	unsigned char le[16];

	for (int i = 0; i < 8; i++) {
		le[i] = (unsigned char)((uint64_t)piece->from >> 8 * i);
		le[8 + i] = (unsigned char)((uint64_t)piece->to >> 8 * i);
	}
	ai_hash_add(h, le, sizeof le);
}

static int keep(void *arg, const struct chunk_piece *piece, struct ai_err *err)
{
	struct counting *counting = arg;
	struct chunk_cutter *c = counting->c;
	struct chunk_piece *more;
	size_t cap;

	hash_place(&counting->hash, piece);
	c->count++;
	if (c->n_kept == c->keep)
		return 0;
	if (c->n_kept == c->cap) {
		cap = c->cap * 2 + 64;
		more = reallocarray(c->pieces, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		c->pieces = more;
		c->cap = cap;
	}
	c->pieces[c->n_kept++] = *piece;
	return 0;
}

/*
 * Counts the chunks and takes their fingerprint: of where they lie, not of
 * the options, so that whatever moves a chunk changes it, and nothing else.
 */
static int count(struct chunk_cutter *c, const char *p, size_t n,
		 struct ai_err *err)
{
	struct counting counting = { .c = c };
	int rc;

	c->count = c->n_kept = 0;
	ai_hash_init(&counting.hash);
	if (c->of_text)
		ai_hash_add(&counting.hash, p, n);
	rc = chunk_split(p, n, &c->how, keep, &counting, err);
	ai_hash_hex(&counting.hash, c->print);
	return rc;
}

/* ---- places -------------------------------------------------------------- */

/* Goes through the text once, from chunk to chunk. */
struct walk {
	const char *p;
	size_t n, pos;      /* line and page are those of pos */
	const struct chunk_page *made; /* p was made of it; NULL: as it is */
	size_t line, page, number;
	bool markdown, paged;
	struct chunk_md md;
	int levels[CHUNK_DEPTH]; /* of the headings in cut */
	struct chunk_cut cut;
	int (*put)(void *arg, const struct chunk_cut *cut, struct ai_err *err);
	void *arg;
};

struct ai_span chunk_label(const char *p, size_t n)
{
	return (struct ai_span){
		p, n <= CHUNK_LABEL_MAX
			? n : ai_utf8_floor(p, n, CHUNK_LABEL_MAX)
	};
}

/* Headings of the same depth or deeper end where one begins. */
static void push_heading(struct walk *w, const struct chunk_md_event *e)
{
	size_t k = w->cut.n_headings;

	while (k > 0 && w->levels[k - 1] >= e->level)
		k--;
	if (k < CHUNK_DEPTH) {
		w->cut.heading[k] = chunk_label(e->title.p, e->title.n);
		w->levels[k++] = e->level;
	}
	w->cut.n_headings = k;
}

/* Takes the headings up to the chunk, and those it begins with. */
static void find_headings(struct walk *w, const struct chunk_piece *piece)
{
	struct chunk_md_event *e = &w->md.next;
	size_t visible = ai_blank_skip(w->p, w->n, piece->from);

	for (; e->kind != CHUNK_MD_END && e->from <= visible &&
	       e->from < piece->to; chunk_md_next(&w->md))
		if (e->kind == CHUNK_MD_HEADING) {
			push_heading(w, e);
			visible = ai_blank_skip(w->p, w->n, e->to);
		}
}

static int place(void *arg, const struct chunk_piece *piece,
		 struct ai_err *err)
{
	struct walk *w = arg;
	struct chunk_cut *c = &w->cut;
	const char *doc = w->made != NULL ? w->made->of.p : w->p;

	c->at = piece->from;
	c->end = piece->to;
	if (w->made != NULL)
		chunk_page_span(w->made, piece->from, piece->to, &c->at,
				&c->end);
	w->line += ai_count_byte(doc + w->pos, c->at - w->pos, '\n');
	if (w->paged)
		w->page += ai_count_byte(doc + w->pos, c->at - w->pos, '\f');
	w->pos = c->at;
	if (w->markdown)
		find_headings(w, piece);
	c->from = piece->from;
	c->to = piece->to;
	c->oversize = piece->oversize;
	c->line_from = w->line;
	c->line_to = w->line;
	if (c->end - c->at > 1)
		c->line_to += ai_count_byte(doc + c->at, c->end - c->at - 1, '\n');
	c->page = w->paged ? w->page : 0;
	c->number = w->number++;
	return w->put(w->arg, c, err);
}

/* ---- all of it ----------------------------------------------------------- */

int chunk_cut(struct chunk_cutter *c, const char *p, size_t n,
	      int (*put)(void *arg, const struct chunk_cut *cut,
			 struct ai_err *err),
	      void *arg, struct ai_err *err)
{
	struct walk w = {
		.p = p, .n = n, .line = 1, .page = 1,
		.markdown = c->how.by == CHUNK_MARKDOWN ||
			c->how.by == CHUNK_HTML,
		.made = c->how.by == CHUNK_HTML ? c->how.page : NULL,
		.paged = c->how.by != CHUNK_HTML && n > 0 && memchr(p, '\f', n) != NULL,
		.put = put, .arg = arg,
	};
	int rc;

	rc = count(c, p, n, err);
	if (rc != 0)
		return rc;
	if (w.made != NULL)
		chunk_md_init_list(&w.md, n, w.made->events,
				   w.made->n_events);
	else if (w.markdown)
		chunk_md_init(&w.md, p, n);
	w.cut.p = p;
	w.cut.count = c->count;
	if (c->n_kept < c->count)
		return chunk_split(p, n, &c->how, place, &w, err);
	for (size_t i = 0; i < c->count && rc == 0; i++)
		rc = place(&w, &c->pieces[i], err);
	return rc;
}

void chunk_cutter_release(struct chunk_cutter *c)
{
	free(c->pieces);
	c->pieces = NULL;
	c->cap = 0;
}
