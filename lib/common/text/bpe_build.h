/* bpe_build.h: makes the mapped file of a vocabulary from its tokens. */
#ifndef AI_TEXT_BPE_BUILD_H
#define AI_TEXT_BPE_BUILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Appends to out (empty before) the file for token[0..n_ids), where the
 * index is the id and the rank; a span of length 0 is a gap.  AI_E_DATA if
 * a byte has no token of its own, a token occurs twice or is longer than
 * 128 bytes, or there are too many.
 */
int ai_bpe_build(const struct ai_span *token, size_t n_ids,
		 struct ai_buf *out, struct ai_err *err);

#endif
