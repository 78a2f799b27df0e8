/* entity.h: character references of HTML: &amp; &#65; &#x41; and all names. */
#ifndef AI_TEXT_ENTITY_H
#define AI_TEXT_ENTITY_H

#include <stddef.h>

#define AI_ENTITY_BYTES 8 /* of UTF-8 that one stands for, at most */

/*
 * What the reference at p, a '&', stands for, as a browser reads it in a
 * text: its UTF-8 in out and *len.  Returns its bytes, 0 if it is none.
 */
size_t ai_entity(const char *p, size_t n, char out[AI_ENTITY_BYTES],
		 size_t *len);

#endif
