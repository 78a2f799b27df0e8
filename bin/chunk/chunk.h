/* chunk.h: what main.c sets and the rest of ai-chunk works with. */
#ifndef CHUNK_CHUNK_H
#define CHUNK_CHUNK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "record/loop.h"

#include "cut.h"
#include "dedup.h"
#include "doc.h"
#include "ids.h"
#include "page.h"

#include <stdint.h>

/* --by: "auto", then enum chunk_by in its order. */
#define CHUNK_BY_CHOICES \
	"auto|recursive|markdown|sentence|paragraph|fixed|prose|code|html|tokens"
#define CHUNK_BY_AUTO 0
#define CHUNK_UNIT_CHOICES "chars|tokens"
enum { CHUNK_UNIT_CHARS, CHUNK_UNIT_TOKENS };

struct chunk_settings {
	int by, unit;
	int64_t size, overlap;
	bool overlap_given; /* else it follows the size */
	const char *encoding;
	struct ai_opt_list separators; /* of --by recursive */
	bool keep_separator;
	bool contextual;
	const char *files_from;
	const struct ai_opt *cutting; /* options that decide where is cut */
	/* Of trees. */
	bool ignore, hidden, follow;
	int64_t max_file;
	struct ai_opt_list include, exclude;
	/* Of what was written before. */
	const char *state;
	bool pending, commit;
	double dedup; /* 0: off */
	int copies;
};

#define CHUNK_COPIES_CHOICES "drop|mark"
enum { CHUNK_COPIES_DROP, CHUNK_COPIES_MARK };

/* Cuts the documents named, or the records of standard input. Returns an
 * exit status, or -1. */
int chunk_run(const struct chunk_settings *set, int argc, char **argv,
	      struct ai_err *err);

/* What one thread works with. */
struct chunk_state {
	int by;               /* --by */
	struct chunk_cutter cutter;
	struct chunk_doc doc;
	struct ai_buf text;   /* of a record */
	struct ai_buf made;   /* by a converter of a document */
	struct ai_buf json;   /* of what is written next */
	struct ai_buf id;
	struct chunk_dedup *dedup; /* shared; NULL: copies are of no interest */
	bool mark;            /* copies are written, and say so */
	struct chunk_prints prints; /* of a document's passages */
	struct chunk_copy *copies;  /* one a passage */
	size_t cap_copies, n_copies; /* n: that are copies */
	size_t kept_from;     /* the first of it that is kept */
	struct chunk_ids ids;
	/* Of the document at hand: */
	struct chunk_page page; /* if it is HTML */
	size_t hidden;          /* of what it hides, so much is written */
	struct ai_buf meta;     /* its metadata as JSON, or nothing */
	struct ai_buf title;
	bool contextual;        /* --contextual, made in: */
	struct ai_buf made_context;
};

/*
 * Decides how the document or record of this name (NULL: none) is cut, and
 * reads its metadata.  *text becomes what is cut: for HTML, what the page
 * shows.
 */
int chunk_prepare(struct chunk_state *s, const char *uri, struct ai_span *text,
		  struct ai_err *err);
const char *chunk_by_name(enum chunk_by by);

/* document.c: the operand of this name. */
int chunk_document(struct chunk_state *s, const char *path,
		   struct ai_emit *out, struct ai_err *err);
/* record.c: the text of a record. */
int chunk_record(struct chunk_state *s, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err);

/* put.c: the members both write. */
/* whole: all of the document is cut here, not a part that came by itself. */
void chunk_put_chunk(struct ai_buf *b, const struct chunk_cut *cut, bool whole,
		     const char *doc, const struct chunk_cutter *cutter);
void chunk_put_range(struct ai_buf *b, const char *name, size_t from,
		     size_t to);
/* Of source: heading, and what a page has: title, links. */
void chunk_put_headings(struct ai_buf *b, const struct chunk_cut *cut);
void chunk_put_page(struct ai_buf *b, const struct chunk_state *s,
		    const struct chunk_cut *cut);
/* The values of hidden and contextual; false: there is none. */
bool chunk_put_hidden(struct ai_buf *b, struct chunk_state *s,
		      const struct chunk_cut *cut);
bool chunk_put_contextual(struct ai_buf *b, struct chunk_state *s,
			  const struct chunk_cut *cut);

#endif
