/* say.h: texts of models and tools on a terminal. */
#ifndef AGENT_SAY_H
#define AGENT_SAY_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether it is a character that nobody sees, or that makes others be seen
 * elsewhere. */
bool agent_say_hides(uint32_t c);
/* Appends at most max bytes of the text on one line: control characters, and
 * those that turn the direction of writing, as \xNN or \u{NNNN}; what is cut
 * is said to be. */
void agent_say_text(struct ai_buf *out, struct ai_span text, size_t max);
/* The same over several lines, each behind indent blanks. */
void agent_say_lines(struct ai_buf *out, struct ai_span text, size_t max,
		     size_t indent);

#endif
