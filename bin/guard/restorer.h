/*
 * restorer.h: puts values back into a text that comes in pieces.
 */
#ifndef GUARD_RESTORER_H
#define GUARD_RESTORER_H

#include "map.h"

#include "record/json.h"

#include <stdbool.h>

struct restorer {
	struct guard_map *map; /* borrowed */
	bool exact;            /* only as they were written */
	bool word;             /* the byte before belongs to a word */
	struct ai_buf held;    /* what may be the beginning of a placeholder */
	struct ai_buf raw;     /* of strings: the same as it was written */
	bool json;             /* it restores strings */
};

void restorer_clear(struct restorer *r);
void restorer_init(struct restorer *r, struct guard_map *map, bool exact);
/* Wipes what is held. */
void restorer_release(struct restorer *r);
/* Appends to out what p[0..n) makes of the text; only what may become a
 * placeholder of the map is held back.  -1: AI_E_DATA (the map), or memory. */
int restorer_add(struct restorer *r, const char *p, size_t n,
		 struct ai_buf *out, struct ai_err *err);
/* The same with a string of a record and its text: to out goes the inside of
 * a token, in which nothing has changed but what was put back.  A restorer has
 * either strings or bytes. */
int restorer_add_string(struct restorer *r, struct ai_value string,
			struct ai_span text, struct ai_buf *out,
			struct ai_err *err);
/* The text is over: appends what was held back.  r may begin another. */
int restorer_end(struct restorer *r, struct ai_buf *out, struct ai_err *err);

#endif
