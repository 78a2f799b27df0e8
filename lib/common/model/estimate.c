#include "model/estimate.h"

#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- who counts alike ------------------------------------------------------ */

/* Thousandths of a token of o200k_base: of nineteen in twenty texts of 1500
 * characters at least, in the middle, at most. */
struct factor {
	uint16_t low, middle, high;
};

struct ai_kin {
	const char *name;
	struct factor of[AI_SCRIPTS];
};

enum {
	CLAUDE_2, CLAUDE_3, CLAUDE_47, CLAUDE_5, GEMINI, LLAMA, QWEN, MISTRAL,
	DEEPSEEK, UNKNOWN,
};

#define CLAUDE_NEW { { 1330, 1620, 1960 }, { 1540, 1850, 2190 },        \
		     { 1250, 1540, 1870 }, { 1240, 1500, 1800 },        \
		     { 1400, 1665, 2010 }, { 1260, 2420, 3950 } }

static const struct ai_kin kins[] = {
	[CLAUDE_2] = { "claude-2", {
		{ 985, 1107, 1275 }, { 1110, 1236, 1400 }, { 975, 1127, 1290 },
		{ 1170, 1360, 1580 }, { 1330, 1508, 1770 },
		{ 1170, 2197, 3550 } } },
	[CLAUDE_3] = { "claude-3", {
		{ 1040, 1218, 1435 }, { 1165, 1360, 1590 },
		{ 1035, 1240, 1460 }, { 1240, 1496, 1780 },
		{ 1400, 1660, 1990 }, { 1260, 2417, 3925 } } },
	[CLAUDE_47] = { "claude-4.7", CLAUDE_NEW },
	[CLAUDE_5] = { "claude-5", CLAUDE_NEW },
	[GEMINI] = { "gemini", {
		{ 945, 1059, 1175 }, { 965, 1040, 1125 }, { 1025, 1159, 1315 },
		{ 765, 972, 1095 }, { 935, 1037, 1125 },
		{ 665, 1066, 1405 } } },
	[LLAMA] = { "llama", {
		{ 980, 1031, 1135 }, { 1045, 1115, 1205 }, { 965, 1006, 1065 },
		{ 925, 994, 1045 }, { 945, 1006, 1105 },
		{ 915, 1842, 3245 } } },
	[QWEN] = { "qwen", {
		{ 980, 1039, 1145 }, { 1045, 1116, 1205 }, { 965, 1047, 1155 },
		{ 895, 1023, 1115 }, { 1055, 1196, 1335 },
		{ 935, 1754, 2705 } } },
	[MISTRAL] = { "mistral", {
		{ 995, 1052, 1135 }, { 995, 1055, 1125 }, { 1015, 1117, 1395 },
		{ 985, 1073, 1165 }, { 1035, 1106, 1185 },
		{ 1105, 1413, 1765 } } },
	[DEEPSEEK] = { "deepseek", {
		{ 975, 1058, 1155 }, { 1035, 1112, 1195 }, { 995, 1075, 1175 },
		{ 925, 1054, 1155 }, { 1085, 1180, 1265 },
		{ 1005, 1287, 1665 } } },
	[UNKNOWN] = { "unknown", {
		{ 940, 1060, 1320 }, { 965, 1110, 1480 }, { 950, 1080, 1400 },
		{ 765, 1050, 1630 }, { 935, 1150, 1800 },
		{ 665, 1600, 3550 } } },
};

/* The first whose stem stands in a model's name. */
static const struct {
	const char *stem;
	uint8_t kin;
} stems[] = {
	{ "claude-2", CLAUDE_2 },
	{ "claude-instant", CLAUDE_2 },
	{ "claude-v", CLAUDE_2 },
	{ "claude-3", CLAUDE_3 },
	{ "claude-opus-4-7", CLAUDE_47 },
	{ "claude-opus-4.7", CLAUDE_47 },
	{ "claude-opus-4-8", CLAUDE_47 },
	{ "claude-opus-4.8", CLAUDE_47 },
	{ "claude-opus-4-9", CLAUDE_47 },
	{ "claude-opus-4.9", CLAUDE_47 },
	{ "claude-opus-4", CLAUDE_3 },
	{ "claude-sonnet-4", CLAUDE_3 },
	{ "claude-haiku-4", CLAUDE_3 },
	{ "claude", CLAUDE_5 },
	{ "gemini", GEMINI },
	{ "gemma", GEMINI },
	{ "llama-2", UNKNOWN },
	{ "llama2", UNKNOWN },
	{ "codellama", UNKNOWN },
	{ "llama", LLAMA }, /* before what was distilled into it */
	{ "qwen", QWEN },
	{ "qwq", QWEN },
	{ "deepseek", DEEPSEEK },
	{ "mistral", MISTRAL },
	{ "mixtral", MISTRAL },
	{ "ministral", MISTRAL },
	{ "codestral", MISTRAL },
	{ "devstral", MISTRAL },
	{ "magistral", MISTRAL },
	{ "pixtral", MISTRAL },
};

const struct ai_kin *ai_kin_of(const char *model)
{
	const char *slash = strrchr(model, '/');

	if (slash != NULL)
		model = slash + 1;
	for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
		if (strcasestr(model, stems[i].stem) != NULL)
			return &kins[stems[i].kin];
	return NULL;
}

const struct ai_kin *ai_kin_unknown(void)
{
	return &kins[UNKNOWN];
}

const char *ai_kin_name(const struct ai_kin *kin)
{
	return kin->name;
}

void ai_range_add(struct ai_range *r, size_t n)
{
	r->low += n;
	r->count += n;
	r->high += n;
}

/* ---- what a text is --------------------------------------------------------- */

struct letters {
	size_t all; /* characters that are not blank */
	size_t marks, accents, cjk, cyrillic, other;
};

static void see_wide(struct letters *l, uint32_t c)
{
	if (c < 0x370)
		l->accents++;
	else if (c >= 0x2E80 && c < 0x1F000)
		l->cjk++;
	else if (c >= 0x400 && c < 0x530)
		l->cyrillic++;
	else
		l->other++;
}

static void see(struct letters *l, const char *p, size_t n)
{
	uint32_t c;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		c = (unsigned char)p[i];
		len = 1;
		if (c <= ' ')
			continue;
		l->all++;
		if (c < 0x80) {
			c |= 0x20;
			l->marks += c < 'a' || c > 'z';
			continue;
		}
		len = ai_utf8_decode(p + i, n - i, &c);
		if (len > 0)
			see_wide(l, c);
		else
			l->marks++, len = 1;
	}
}

enum ai_script ai_script_of(const char *p, size_t n)
{
	struct letters l = { 0 };
	size_t foreign;

	see(&l, p, n);
	foreign = l.cjk + l.cyrillic + l.other;
	if (l.all == 0)
		return AI_SCRIPT_CODE;
	if (foreign * 4 >= l.all)
		return l.cjk * 2 >= foreign ? AI_SCRIPT_CJK
		     : l.cyrillic * 2 >= foreign ? AI_SCRIPT_CYRILLIC
						 : AI_SCRIPT_OTHER;
	if (l.marks * 8 >= l.all)
		return AI_SCRIPT_CODE;
	return l.accents * 100 >= l.all ? AI_SCRIPT_LATIN : AI_SCRIPT_ENGLISH;
}

/* ---- counting --------------------------------------------------------------- */

#define BLOCK_MIN 1024 /* bytes; then to the end of the line, or */
#define BLOCK_MAX 4096 /* at most */

/* Where the block that begins at from ends. */
static size_t block_end(const char *p, size_t n, size_t from)
{
	const char *nl;
	size_t end, far;

	if (n - from <= BLOCK_MAX)
		return n;
	far = from + BLOCK_MAX;
	nl = memchr(p + from + BLOCK_MIN, '\n', BLOCK_MAX - BLOCK_MIN);
	if (nl != NULL)
		return (size_t)(nl - p) + 1;
	end = ai_utf8_floor(p, n, far);
	return end > from ? end : far;
}

/* Blocks that follow each other and are of one kind are counted together. */
int ai_estimate_add(struct ai_estimate *e, const struct ai_bpe *bpe,
		    const char *p, size_t n, unsigned flags,
		    struct ai_err *err)
{
	size_t from = 0, at = block_end(p, n, 0), end = at, tokens;
	enum ai_script now = ai_script_of(p, at), next = now;

	while (from < n) {
		for (; at < n; at = end) {
			end = block_end(p, n, at);
			next = ai_script_of(p + at, end - at);
			if (next != now)
				break;
		}
		if (ai_bpe_count(bpe, p + from, at - from, flags, &tokens,
				 err) < 0)
			return -1;
		e->tokens[now] += tokens;
		from = at;
		at = end;
		now = next;
	}
	return 0;
}

/*
 * The factors' bands are those of texts of some 350 tokens; a text of a few
 * words strays farther.  How far grows with the square root of its length.
 */
static double stray(enum ai_script s)
{
	return s == AI_SCRIPT_OTHER ? 3 : s == AI_SCRIPT_CJK ? 2 : 1;
}

struct ai_range ai_estimate_of(const struct ai_estimate *e,
			       const struct ai_kin *kin)
{
	double low = 0, middle = 0, high = 0, square = 0, far;
	struct ai_range r = { 0, 0, 0 };

	for (int i = 0; i < AI_SCRIPTS; i++) {
		double n = (double)e->tokens[i];

		if (kin == NULL) {
			ai_range_add(&r, e->tokens[i]);
			continue;
		}
		low += n * kin->of[i].low;
		middle += n * kin->of[i].middle;
		high += n * kin->of[i].high;
		square += n * stray(i) * stray(i);
	}
	if (kin == NULL)
		return r;
	far = sqrt(square);
	r.count = (size_t)(middle / 1000 + 0.5);
	r.high = (size_t)ceil(high / 1000 + far);
	/* No tokenizer makes nothing of something. */
	r.low = low / 1000 - far >= 1 ? (size_t)(low / 1000 - far)
				      : r.count > 0;
	return r;
}
