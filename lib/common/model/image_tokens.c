#include "model/image_tokens.h"

#include "crypt/base64.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* ---- how large it is -------------------------------------------------------- */

static uint32_t be(const unsigned char *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint32_t le(const unsigned char *p, int n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static bool png_size(const unsigned char *p, size_t n, struct ai_image_size *s)
{
	if (n < 24 || memcmp(p, "\x89PNG\r\n\x1A\n", 8) != 0 ||
	    memcmp(p + 12, "IHDR", 4) != 0)
		return false;
	*s = (struct ai_image_size){ be(p + 16, 4), be(p + 20, 4) };
	return true;
}

static bool gif_size(const unsigned char *p, size_t n, struct ai_image_size *s)
{
	if (n < 10 || (memcmp(p, "GIF87a", 6) != 0 &&
		       memcmp(p, "GIF89a", 6) != 0))
		return false;
	*s = (struct ai_image_size){ le(p + 6, 2), le(p + 8, 2) };
	return true;
}

/* From segment to segment, to the one that begins a frame. */
static bool jpeg_size(const unsigned char *p, size_t n, struct ai_image_size *s)
{
	size_t at = 2;

	if (n < 4 || p[0] != 0xFF || p[1] != 0xD8)
		return false;
	while (at + 9 <= n && p[at] == 0xFF) {
		unsigned marker = p[at + 1];

		if (marker == 0xFF) { /* filling */
			at++;
			continue;
		}
		if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 &&
		    marker != 0xC8 && marker != 0xCC) {
			*s = (struct ai_image_size){ be(p + at + 7, 2),
						     be(p + at + 5, 2) };
			return true;
		}
		at += 2 + be(p + at + 2, 2);
	}
	return false;
}

static bool webp_size(const unsigned char *p, size_t n, struct ai_image_size *s)
{
	uint32_t bits;

	if (n < 30 || memcmp(p, "RIFF", 4) != 0 ||
	    memcmp(p + 8, "WEBPVP8", 7) != 0)
		return false;
	if (p[15] == 'X') {
		*s = (struct ai_image_size){ le(p + 24, 3) + 1,
					     le(p + 27, 3) + 1 };
	} else if (p[15] == 'L') {
		bits = le(p + 21, 4);
		*s = (struct ai_image_size){ (bits & 0x3FFF) + 1,
					     (bits >> 14 & 0x3FFF) + 1 };
	} else {
		*s = (struct ai_image_size){ le(p + 26, 2) & 0x3FFF,
					     le(p + 28, 2) & 0x3FFF };
	}
	return true;
}

/* Wider ones no provider takes. */
#define SIDE_MAX 65535

bool ai_image_size(const void *p, size_t n, struct ai_image_size *size)
{
	struct ai_image_size s;

	if (!png_size(p, n, &s) && !jpeg_size(p, n, &s) &&
	    !gif_size(p, n, &s) && !webp_size(p, n, &s))
		return false;
	if (s.width == 0 || s.height == 0 || s.width > SIDE_MAX ||
	    s.height > SIDE_MAX)
		return false;
	*size = s;
	return true;
}

/* A photograph's header stands behind its preview, which may be 64 KiB. */
#define HEAD_CHARS ((size_t)1 << 17)

bool ai_image_size_of_url(struct ai_span url, struct ai_image_size *size)
{
	static const char mark[] = ";base64,";
	unsigned char head[HEAD_CHARS / 4 * 3];
	const char *data, *end;
	size_t n;

	if (url.n < 5 || strncasecmp(url.p, "data:", 5) != 0)
		return false;
	data = memmem(url.p, url.n, mark, sizeof mark - 1);
	if (data == NULL)
		return false;
	data += sizeof mark - 1;
	n = url.n - (size_t)(data - url.p);
	end = memchr(data, '=', n);
	if (end != NULL)
		n = (size_t)(end - data);
	if (n > HEAD_CHARS) /* whole groups of four */
		n = HEAD_CHARS;
	return ai_base64_bytes(n) <= sizeof head &&
		ai_base64_decode(data, n, head) == 0 &&
		ai_image_size(head, ai_base64_bytes(n), size);
}

/* ---- what it counts --------------------------------------------------------- */

/*
 * OpenAI and Anthropic: "Images and vision" of their guides; Google: "Token
 * counting" and "Media resolution".  Of OpenAI's newer small models the guide
 * and the bills disagree: what its users measured in March 2026 is the least,
 * what the guide says the most.
 */
enum kind { TILES, PATCHES, AREA, GRID, FLAT };

struct rule {
	const char *stem; /* in the model's name; NULL: all others */
	enum kind kind;
	/* TILES: base and each tile of 512.  PATCHES: hundredths of a token a
	 * patch of 32, at least and at most, and how many patches.  AREA: the
	 * longest edge, the most tokens; 750 pixels make one.  GRID: each of
	 * 768.  FLAT: the usual, the least, the most. */
	unsigned a, b, c;
};

static const struct rule rules[] = {
	{ "gpt-4o-mini", TILES, 2833, 5667, 0 },
	{ "gpt-4.1-mini", PATCHES, 162, 162, 1536 },
	{ "gpt-4.1-nano", PATCHES, 246, 246, 1536 },
	{ "o4-mini", PATCHES, 172, 172, 1536 },
	{ "codex-mini", PATCHES, 172, 172, 1536 },
	{ "gpt-5-mini", PATCHES, 120, 162, 1536 },
	{ "gpt-5-nano", PATCHES, 150, 246, 1536 },
	{ "gpt-5.4-mini", PATCHES, 120, 162, 1536 },
	{ "gpt-5.4-nano", PATCHES, 120, 246, 1536 },
	{ "gpt-5.2", PATCHES, 100, 120, 1536 },
	{ "gpt-5.3", PATCHES, 100, 120, 1536 },
	{ "gpt-5.", PATCHES, 100, 120, 2500 },
	{ "gpt-5", TILES, 70, 140, 0 },
	{ "o1", TILES, 75, 150, 0 },
	{ "o3", TILES, 75, 150, 0 },
	{ "computer-use", TILES, 65, 129, 0 },
	{ "claude-2", FLAT, 0, 0, 0 },
	{ "claude-3", AREA, 1568, 1600, 0 },
	{ "claude-opus-4-7", AREA, 2576, 4784, 0 },
	{ "claude-opus-4.7", AREA, 2576, 4784, 0 },
	{ "claude-opus-4-8", AREA, 2576, 4784, 0 },
	{ "claude-opus-4.8", AREA, 2576, 4784, 0 },
	{ "claude-opus-4", AREA, 1568, 1600, 0 },
	{ "claude-sonnet-4", AREA, 1568, 1600, 0 },
	{ "claude-haiku-4", AREA, 1568, 1600, 0 },
	{ "claude", AREA, 2576, 4784, 0 },
	{ "gemini-1", GRID, 258, 0, 0 },
	{ "gemini-2", GRID, 258, 0, 0 },
	{ "gemini", FLAT, 1120, 280, 1120 },
	{ "gemma", FLAT, 256, 256, 256 },
	{ NULL, TILES, 85, 170, 0 },
};

static const struct rule *rule_of(const char *model)
{
	const struct rule *r = rules;
	const char *slash = model == NULL ? NULL : strrchr(model, '/');

	if (slash != NULL)
		model = slash + 1;
	while (r->stem != NULL &&
	       (model == NULL || strcasestr(model, r->stem) == NULL))
		r++;
	return r;
}

static double fit(double a, double b)
{
	return a < b ? a : b;
}

static size_t tiles(const struct rule *r, double w, double h)
{
	double scale = fit(1, 2048 / fmax(w, h));

	scale *= fit(1, 768 / (fmin(w, h) * scale));
	return r->a + r->b * (size_t)(ceil(w * scale / 512) *
				      ceil(h * scale / 512));
}

/* If there are too many, it shrinks until whole patches fit both ways. */
static double patches(const struct rule *r, double w, double h)
{
	double all = ceil(w / 32) * ceil(h / 32), scale, x, y;

	if (all <= r->c)
		return all;
	scale = sqrt(r->c * 1024.0 / (w * h));
	x = w * scale / 32;
	y = h * scale / 32;
	if (x >= 1 && y >= 1)
		scale *= fit(floor(x) / x, floor(y) / y);
	/* The nearest, so that what is whole but for rounding stays whole. */
	x = ceil(w * scale / 32 - 1e-6);
	y = ceil(h * scale / 32 - 1e-6);
	return fit(fmax(x, 1) * fmax(y, 1), r->c);
}

static size_t area(const struct rule *r, double w, double h)
{
	double scale = fit(1, r->a / fmax(w, h));
	double tokens = ceil(w * scale * h * scale / 750);

	return (size_t)fit(fmax(tokens, 1), r->b);
}

/* Small ones are one; of larger ones, made no larger than 3072, squares are
 * cut. */
static size_t grid(const struct rule *r, double w, double h)
{
	double scale = fit(1, 3072 / fmax(w, h)), unit;

	if (w <= 384 && h <= 384)
		return r->a;
	w *= scale;
	h *= scale;
	unit = fit(fmax(floor(fmin(w, h) / 1.5), 256), 768);
	return r->a * (size_t)(ceil(w / unit) * ceil(h / unit));
}

static struct ai_range same(size_t n)
{
	return (struct ai_range){ n, n, n };
}

static struct ai_range of_size(const struct rule *r, double w, double h)
{
	double n, most;

	switch (r->kind) {
	case TILES:
		return same(tiles(r, w, h));
	case PATCHES:
		n = patches(r, w, h);
		/* Of what is made smaller, all that is allowed was billed. */
		most = ceil(w / 32) * ceil(h / 32) > r->c ? r->c : n;
		return (struct ai_range){ (size_t)ceil(n * r->a / 100),
					  (size_t)ceil(n * r->b / 100),
					  (size_t)ceil(most * r->b / 100) };
	case AREA:
		return same(area(r, w, h));
	case GRID:
		return same(grid(r, w, h));
	case FLAT:
		break;
	}
	return (struct ai_range){ r->b, r->a, r->c };
}

/* No picture that a provider takes is larger, or has another shape. */
static const struct ai_image_size extremes[] = {
	{ 1, 1 }, { 768, 2048 }, { 2048, 2048 }, { 8000, 8000 },
	{ 2576, 1400 },
};

struct ai_range ai_image_tokens(const char *model, struct ai_image_size size,
				enum ai_detail detail)
{
	const struct rule *r = rule_of(model);
	struct ai_range all, one;

	if (r->kind == TILES && detail == AI_DETAIL_LOW)
		return same(r->a);
	if (size.width > 0)
		return of_size(r, size.width, size.height);
	all = of_size(r, 1024, 1024);
	for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
		one = of_size(r, extremes[i].width, extremes[i].height);
		if (one.low < all.low)
			all.low = one.low;
		if (one.high > all.high)
			all.high = one.high;
	}
	return all;
}
