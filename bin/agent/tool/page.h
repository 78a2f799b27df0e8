/* page.h: the text of a page of HTML, for a model: no tags, no scripts; links
 * have their addresses behind them. */
#ifndef AGENT_PAGE_H
#define AGENT_PAGE_H

#include "base/buf.h"
#include "base/str.h"

void agent_page_text(struct ai_span html, struct ai_buf *out);

#endif
