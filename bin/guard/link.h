/*
 * link.h: the addresses in a text, as who renders it as markdown or HTML finds
 * them, and what each is for.
 */
#ifndef GUARD_LINK_H
#define GUARD_LINK_H

#include "base/str.h"

#include <stdbool.h>

enum guard_link_use {
	GUARD_LINK_SHOWN,   /* it stands in the text */
	GUARD_LINK_CLICKED, /* behind other words, or in <a> */
	GUARD_LINK_FETCHED, /* when the text is shown: images, styles */
	GUARD_LINK_RUN,     /* scripts, frames, objects */
	GUARD_LINK_SENT,    /* forms go there */
	GUARD_LINK_GONE,    /* the reader is taken there */
	GUARD_LINK_USES
};

struct guard_link {
	enum guard_link_use use;
	struct ai_span address; /* in the text, as it stands there */
	struct ai_span words;   /* of a link in markdown; else n is 0 */
	bool defined;           /* it is that of a name */
};

/*
 * Calls each() for the addresses of the text until it returns nonzero: returns
 * that, or 0.  Definitions ("[name]: address") come last, with the use that is
 * made of their names.  Time is linear in the text.
 */
int guard_links(struct ai_span text,
		int (*each)(void *arg, const struct guard_link *l), void *arg);

#endif
