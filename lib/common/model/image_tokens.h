/*
 * image_tokens.h: what a picture counts, by its size in pixels and by the rule
 * that a vendor publishes for its models.
 */
#ifndef AI_MODEL_IMAGE_TOKENS_H
#define AI_MODEL_IMAGE_TOKENS_H

#include "base/str.h"
#include "model/estimate.h"

#include <stdbool.h>
#include <stdint.h>

struct ai_image_size {
	uint32_t width, height; /* 0, 0: not known */
};

/* The size that the header of a PNG, JPEG, GIF or WebP file says, of which
 * p[0..n) is the beginning. false: it is none of them, or cut too early. */
bool ai_image_size(const void *p, size_t n, struct ai_image_size *size);
/* The same of "data:image/png;base64,..."; other addresses tell nothing. */
bool ai_image_size_of_url(struct ai_span url, struct ai_image_size *size);

enum ai_detail { AI_DETAIL_AUTO, AI_DETAIL_LOW, AI_DETAIL_HIGH };

/*
 * What it counts for this model (NULL: gpt-4o).  Of a size that is not known:
 * from the least that any picture counts to the most, and in the middle what
 * one of 1024 x 1024 does.
 */
struct ai_range ai_image_tokens(const char *model, struct ai_image_size size,
				enum ai_detail detail);

#endif
