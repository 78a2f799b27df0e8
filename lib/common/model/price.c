#include "model/price.h"

#include <inttypes.h>
#include <string.h>

#define NOT_GIVEN AI_NO_RATE

/* How the catalog calls a unit, and what it costs if nothing is said. */
static const struct unit {
	const char *name;
	int kin; /* -1: none */
} units[AI_UNITS] = {
	[AI_UNIT_INPUT] = { "input", -1 },
	[AI_UNIT_CACHED] = { "cached", AI_UNIT_INPUT },
	[AI_UNIT_WRITE_5M] = { "cache_write", AI_UNIT_INPUT },
	[AI_UNIT_WRITE_1H] = { "cache_write_1h", AI_UNIT_WRITE_5M },
	[AI_UNIT_AUDIO_IN] = { "audio_input", AI_UNIT_INPUT },
	[AI_UNIT_AUDIO_CACHED] = { "audio_cached", AI_UNIT_AUDIO_IN },
	[AI_UNIT_AUDIO_WRITE] = { "audio_cache_write", AI_UNIT_AUDIO_IN },
	[AI_UNIT_IMAGE_IN] = { "image_input", AI_UNIT_INPUT },
	[AI_UNIT_OUTPUT] = { "output", -1 },
	[AI_UNIT_REASONING] = { "reasoning", AI_UNIT_OUTPUT },
	[AI_UNIT_AUDIO_OUT] = { "audio_output", AI_UNIT_OUTPUT },
	[AI_UNIT_IMAGE_OUT] = { "image_output", AI_UNIT_OUTPUT },
	[AI_UNIT_VIDEO_OUT] = { "video_output", AI_UNIT_OUTPUT },
	[AI_UNIT_CITATION] = { "citation", AI_UNIT_INPUT },
	[AI_UNIT_SEARCH] = { "search", -1 },
	[AI_UNIT_SEARCH_LOW] = { "search_low", AI_UNIT_SEARCH },
	[AI_UNIT_SEARCH_MEDIUM] = { "search_medium", AI_UNIT_SEARCH },
	[AI_UNIT_SEARCH_HIGH] = { "search_high", AI_UNIT_SEARCH },
	[AI_UNIT_REQUEST] = { "request", -1 },
	[AI_UNIT_QUERY] = { "query", -1 },
	[AI_UNIT_RESULT] = { "result", -1 },
	[AI_UNIT_PER_IMAGE_IN] = { "per_image_in", -1 },
	[AI_UNIT_PER_IMAGE_OUT] = { "per_image_out", -1 },
	[AI_UNIT_PER_PIXEL_IN] = { "per_pixel_in", -1 },
	[AI_UNIT_PER_PIXEL_OUT] = { "per_pixel_out", -1 },
	[AI_UNIT_PER_CHARACTER_IN] = { "per_character_in", -1 },
	[AI_UNIT_PER_CHARACTER_OUT] = { "per_character_out", -1 },
	[AI_UNIT_PER_SECOND_IN] = { "per_second_in", -1 },
	[AI_UNIT_PER_SECOND_OUT] = { "per_second_out", -1 },
	[AI_UNIT_PER_SECOND_OUT_1080P] = { "per_second_out_1080p", AI_UNIT_PER_SECOND_OUT },
	[AI_UNIT_PER_AUDIO_SECOND_IN] = { "per_audio_second_in", -1 },
	[AI_UNIT_PER_VIDEO_SECOND_IN] = { "per_video_second_in", -1 },
	[AI_UNIT_PER_VIDEO_SECOND_IN_8S] = { "per_video_second_in_8s", AI_UNIT_PER_VIDEO_SECOND_IN },
	[AI_UNIT_PER_VIDEO_SECOND_IN_15S] = { "per_video_second_in_15s", AI_UNIT_PER_VIDEO_SECOND_IN },
	[AI_UNIT_PER_VIDEO_SECOND_OUT] = { "per_video_second_out", -1 },
	[AI_UNIT_PER_PAGE] = { "per_page", -1 },
	[AI_UNIT_PER_ANNOTATED_PAGE] = { "per_annotated_page", -1 },
	[AI_UNIT_PER_CREDIT] = { "per_credit", -1 },
	[AI_UNIT_PER_SESSION] = { "per_session", -1 },
	[AI_UNIT_PER_COMPUTER_TOKEN_IN] = { "per_computer_token_in", -1 },
	[AI_UNIT_PER_COMPUTER_TOKEN_OUT] = { "per_computer_token_out", -1 },
	[AI_UNIT_PER_FILE_SEARCH] = { "per_file_search", -1 },
	[AI_UNIT_PER_FILE_GB_DAY] = { "per_file_gb_day", -1 },
	[AI_UNIT_PER_VECTOR_GB_DAY] = { "per_vector_gb_day", -1 },
};

static const char *const tier_names[AI_TIERS] = {
	"standard", "batch", "flex", "priority",
};

const char *ai_unit_name(enum ai_unit unit)
{
	return units[unit].name;
}

int ai_unit_kin(enum ai_unit unit)
{
	return units[unit].kin;
}

int ai_unit_of(struct ai_span name)
{
	for (int u = 0; u < AI_UNITS; u++)
		if (ai_span_is(name, units[u].name))
			return u;
	return -1;
}

int ai_tier_of(struct ai_span name)
{
	for (int t = 0; t < AI_TIERS; t++)
		if (ai_span_is(name, tier_names[t]))
			return t;
	return ai_span_is(name, "default") || ai_span_is(name, "auto") ||
			ai_span_is(name, "standard_only")
		? AI_TIER_STANDARD : -1;
}

const char *ai_tier_name(enum ai_tier tier)
{
	return tier_names[tier];
}

void ai_price_clear(struct ai_price *p)
{
	memset(p, 0, sizeof *p);
	p->bands = 1;
	for (int t = 0; t < AI_TIERS; t++)
		for (int b = 0; b < AI_BANDS; b++)
			for (int u = 0; u < AI_UNITS; u++)
				p->rate[t][b][u] = NOT_GIVEN;
}

/* ---- completing --------------------------------------------------------- */

static int64_t dearer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The dearest that given says of a unit in what (tier, band) falls back to. */
static int64_t elsewhere(const struct ai_price *given, int tier, int band,
			 int unit)
{
	int64_t r = NOT_GIVEN;

	for (int b = 0; b <= band; b++) {
		r = dearer(r, given->rate[AI_TIER_STANDARD][b][unit]);
		if (b < band)
			r = dearer(r, given->rate[tier][b][unit]);
	}
	return r;
}

/* What costs nothing where nobody speaks of it. A result of a query chooses
 * the band of the query's price. */
static bool is_free_of_fee(int unit)
{
	return (unit >= AI_UNIT_SEARCH && unit <= AI_UNIT_REQUEST) ||
		unit == AI_UNIT_RESULT;
}

/* Kin comes before its kind in the enumeration, so it is complete here. */
static void complete_row(struct ai_price *p, const struct ai_price *given,
			 int tier, int band)
{
	bool there = given->rate[tier][band][AI_UNIT_INPUT] != NOT_GIVEN ||
		given->rate[tier][band][AI_UNIT_OUTPUT] != NOT_GIVEN;
	int64_t *row = p->rate[tier][band];

	for (int u = 0; u < AI_UNITS; u++) {
		if (row[u] != NOT_GIVEN)
			continue;
		row[u] = elsewhere(given, tier, band, u);
		if (units[u].kin >= 0 && (there || row[u] == NOT_GIVEN))
			row[u] = dearer(row[u], row[units[u].kin]);
		if (row[u] == NOT_GIVEN && is_free_of_fee(u))
			row[u] = 0;
	}
}

void ai_price_complete(struct ai_price *p)
{
	struct ai_price given = *p;

	for (int u = 0; u < AI_UNITS; u++)
		if (given.rate[AI_TIER_STANDARD][0][u] != NOT_GIVEN)
			p->said |= UINT64_C(1) << u;
	p->kind = AI_PRICE_KNOWN;
	p->tiers |= 1 << AI_TIER_STANDARD | 1 << AI_TIER_BATCH |
		1 << AI_TIER_FLEX;
	for (int t = 0; t < AI_TIERS; t++)
		for (int b = 0; b < p->bands; b++)
			complete_row(p, &given, t, b);
}

static void make_free(struct ai_price *p)
{
	ai_price_clear(p);
	memset(p->rate, 0, sizeof p->rate);
	p->kind = AI_PRICE_FREE;
	p->tiers = (1 << AI_TIERS) - 1;
}

/* ---- a catalog entry ---------------------------------------------------- */

static int bad(struct ai_err *err, const char *where, struct ai_span key,
	       const char *why)
{
	return ai_err_set(err, AI_E_CONFIG, "%s%.*s: %s", where,
			  key.n > 60 ? 60 : (int)key.n, key.p, why);
}

/* Fees are dollars a piece, tokens dollars a million. */
static int read_rate(struct ai_value key, struct ai_value v, int unit,
		     const char *where, int64_t *rate, struct ai_err *err)
{
	struct ai_err why;
	int rc;

	if (v.kind != AI_STRING)
		return bad(err, where, ai_json_inside(key),
			   "a price is a decimal in quotes");
	rc = unit < AI_UNITS_TOKENS ? ai_rate_parse_million(ai_json_inside(v), rate, &why)
				    : ai_rate_parse(ai_json_inside(v), rate, &why);
	return rc < 0 ? bad(err, where, ai_json_inside(key), why.msg) : 0;
}

/* Names of units have no escapes. */
static int unit_of(struct ai_value key)
{
	return ai_unit_of(ai_json_inside(key));
}

/* Members of a row that are no rates. 0: read, 1: not mine, -1 */
typedef int member_fn(struct ai_price *p, int tier, struct ai_value key,
		      struct ai_value v, struct ai_err *err);

/* What a row says of input and output, null included. */
struct said {
	bool input, output;
};

/* Whether it is null, and so needs not be read. */
static bool hear(struct said *said, int unit, struct ai_value v)
{
	said->input |= unit == AI_UNIT_INPUT;
	said->output |= unit == AI_UNIT_OUTPUT;
	return v.kind == AI_NULL && (unit == AI_UNIT_INPUT ||
				     unit == AI_UNIT_OUTPUT);
}

/* A row must say what the first one has a price for. */
static bool check_said(const struct ai_price *p, int tier, int band,
		       const struct said *said)
{
	const int64_t *first = p->rate[AI_TIER_STANDARD][0];

	if (tier == AI_TIER_STANDARD && band == 0)
		return said->input && said->output;
	return (said->input || first[AI_UNIT_INPUT] == NOT_GIVEN) &&
		(said->output || first[AI_UNIT_OUTPUT] == NOT_GIVEN);
}

static int read_row(struct ai_price *p, int tier, int band, struct ai_value v,
		    const char *where, member_fn *other, struct ai_err *err)
{
	int64_t *row = p->rate[tier][band];
	struct ai_value key, val;
	struct ai_json_iter it;
	struct said said = { 0 };
	int u, rc;

	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		u = unit_of(key);
		if (u >= AI_UNITS_TOKENS && tier != 0)
			return bad(err, where, ai_json_inside(key),
				   "fees belong to the price itself");
		if (hear(&said, u, val))
			continue;
		if (u >= 0) {
			if (read_rate(key, val, u, where, &row[u], err) < 0)
				return -1;
			continue;
		}
		rc = other(p, tier, key, val, err);
		if (rc != 0)
			return rc < 0 ? -1 : bad(err, where, ai_json_inside(key),
						 "no such price");
	}
	return check_said(p, tier, band, &said) ? 0 :
		bad(err, where, AI_SPAN("input, output"),
		    "a price needs both, or null");
}

static int no_other(struct ai_price *p, int tier, struct ai_value key,
		    struct ai_value v, struct ai_err *err)
{
	(void)p;
	(void)tier;
	(void)v;
	(void)err;
	return !ai_json_is(key, AI_SPAN("tokens")) &&
		!ai_json_is(key, AI_SPAN("results"));
}

/* The band that begins above so many tokens: the standard tier makes them,
 * in rising order, and the others must name one of those. */
static int band_of(struct ai_price *p, int tier, int64_t above)
{
	if (tier == AI_TIER_STANDARD) {
		if (p->bands == AI_BANDS || above <= p->above[p->bands - 1])
			return -1;
		p->above[p->bands] = above;
		return p->bands++;
	}
	for (int b = 1; b < p->bands; b++)
		if (p->above[b] == above)
			return b;
	return -1;
}

/* Where a band begins: above so many tokens, or results. */
static int read_edge(struct ai_price *p, struct ai_value v, int64_t *above)
{
	struct ai_value tokens = ai_json_member(v, AI_SPAN("tokens")),
		results = ai_json_member(v, AI_SPAN("results"));
	bool by_results = tokens.kind == AI_NONE && results.kind != AI_NONE;

	if (by_results != p->by_results && p->bands > 1)
		return -1;
	p->by_results = by_results;
	return ai_json_i64(by_results ? results : tokens, above);
}

static int read_above(struct ai_price *p, int tier, struct ai_value list,
		      struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;
	int64_t above;
	int band;

	if (list.kind != AI_ARRAY)
		return bad(err, "", AI_SPAN("above"), "must be a list");
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v)) {
		if (read_edge(p, v, &above) < 0)
			return bad(err, "above.", AI_SPAN("tokens"),
				   "must be a whole number (or 'results', in "
				   "all bands)");
		band = band_of(p, tier, above);
		if (band < 0)
			return bad(err, "above.", AI_SPAN("tokens"),
				   "at most nine, rising, and the same in "
				   "all tiers");
		if (read_row(p, tier, band, v, "above.", no_other, err) < 0)
			return -1;
	}
	return 0;
}

/* Bands are read when the row is known that they stand in. */
static int in_tier(struct ai_price *p, int tier, struct ai_value key,
		   struct ai_value v, struct ai_err *err)
{
	(void)p;
	(void)tier;
	(void)v;
	(void)err;
	return !ai_json_is(key, AI_SPAN("above"));
}

static int read_tier(struct ai_price *p, int tier, struct ai_value v,
		     const char *where, member_fn *other, struct ai_err *err)
{
	struct ai_value above = ai_json_member(v, AI_SPAN("above"));

	if (read_row(p, tier, 0, v, where, other, err) < 0)
		return -1;
	return above.kind == AI_NONE ? 0 : read_above(p, tier, above, err);
}

static int read_factor(struct ai_value key, struct ai_value v, int64_t *factor,
		       struct ai_err *err)
{
	if (read_rate(key, v, AI_UNIT_INPUT, "", factor, err) < 0)
		return -1;
	if (*factor % 1000 != 0 || *factor < 1000000)
		return bad(err, "", ai_json_inside(key), "must be 1 or more, with at "
			   "most three decimals");
	*factor /= 1000;
	return 0;
}

/* Tiers name bands of the standard one, wherever that stands: they are read
 * in a second pass. */
static int in_price(struct ai_price *p, int tier, struct ai_value key,
		    struct ai_value v, struct ai_err *err)
{
	if (ai_json_is(key, AI_SPAN("us")))
		return read_factor(key, v, &p->us, err);
	if (ai_json_is(key, AI_SPAN("eu")))
		return read_factor(key, v, &p->eu, err);
	if (ai_json_is(key, AI_SPAN("fast")))
		return read_factor(key, v, &p->fast, err);
	for (int t = 1; t < AI_TIERS; t++)
		if (ai_json_is(key, ai_span_of(tier_names[t])))
			return 0;
	return in_tier(p, tier, key, v, err);
}

static int read_tiers(struct ai_price *p, struct ai_value v,
		      struct ai_err *err)
{
	for (int t = 1; t < AI_TIERS; t++) {
		struct ai_value row = ai_json_member(
			v, ai_span_of(tier_names[t]));
		char where[16] = "";

		if (row.kind == AI_NONE)
			continue;
		memcpy(where, tier_names[t], strlen(tier_names[t]));
		where[strlen(where)] = '.';
		p->tiers |= 1u << t;
		if (read_tier(p, t, row, where, in_tier, err) < 0)
			return -1;
	}
	return 0;
}

int ai_price_read(struct ai_value v, struct ai_price *p, struct ai_err *err)
{
	ai_price_clear(p);
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (ai_json_is(v, AI_SPAN("free"))) {
		make_free(p);
		return 0;
	}
	if (v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_CONFIG,
				  "a price is an object, \"free\" or null");
	if (read_tier(p, AI_TIER_STANDARD, v, "", in_price, err) < 0 ||
	    read_tiers(p, v, err) < 0)
		return -1;
	ai_price_complete(p);
	return 0;
}

/* ---- two prices for one model -------------------------------------------- */

static int64_t sum_of(const struct ai_price *p)
{
	const int64_t *row = p->rate[AI_TIER_STANDARD][0];

	return row[AI_UNIT_INPUT] / 2 + row[AI_UNIT_OUTPUT] / 2;
}

void ai_price_dearer(struct ai_price *p, const struct ai_price *other)
{
	bool alike = p->bands == other->bands &&
		memcmp(p->above, other->above, sizeof p->above) == 0;

	if (!alike && sum_of(other) > sum_of(p))
		*p = *other;
	if (!alike)
		return;
	for (int t = 0; t < AI_TIERS; t++)
		for (int b = 0; b < p->bands; b++)
			for (int u = 0; u < AI_UNITS; u++)
				p->rate[t][b][u] =
					dearer(p->rate[t][b][u],
					       other->rate[t][b][u]);
}

bool ai_price_says_no_more(const struct ai_price *p,
			   const struct ai_price *was)
{
	if (p->kind != AI_PRICE_KNOWN || was->kind != AI_PRICE_KNOWN ||
	    p->bands != was->bands || p->by_results != was->by_results ||
	    memcmp(p->above, was->above, sizeof p->above) != 0 ||
	    (p->us != 0 && p->us != was->us) ||
	    (p->eu != 0 && p->eu != was->eu) ||
	    (p->fast != 0 && p->fast != was->fast))
		return false;
	for (int b = 0; b < p->bands; b++)
		for (int u = 0; u < AI_UNITS; u++)
			if ((p->said & UINT64_C(1) << u) &&
			    p->rate[AI_TIER_STANDARD][b][u] !=
			    was->rate[AI_TIER_STANDARD][b][u])
				return false;
	return true;
}

void ai_price_fill(struct ai_price *p, const struct ai_price *other)
{
	uint64_t missing = other->said & ~p->said;
	int kin;

	if (p->kind != AI_PRICE_KNOWN || other->kind != AI_PRICE_KNOWN)
		return;
	for (int u = 0; u < AI_UNITS; u++) {
		/* What costs as its kin does rises with it. */
		kin = units[u].kin;
		if (kin >= 0 && (missing & UINT64_C(1) << kin) &&
		    !(p->said & UINT64_C(1) << u))
			missing |= UINT64_C(1) << u;
		if (!(missing & UINT64_C(1) << u))
			continue;
		for (int t = 0; t < AI_TIERS; t++)
			for (int b = 0; b < p->bands; b++)
				p->rate[t][b][u] = dearer(p->rate[t][b][u],
					other->rate[AI_TIER_STANDARD][0][u]);
	}
	p->us = p->us != 0 ? p->us : other->us;
	p->eu = p->eu != 0 ? p->eu : other->eu;
	p->fast = p->fast != 0 ? p->fast : other->fast;
}

/* ---- --price ------------------------------------------------------------ */

/* Cuts the text before the next comma off. */
static struct ai_span field(struct ai_span *rest)
{
	const char *comma = rest->n == 0 ? NULL
		: memchr(rest->p, ',', rest->n);
	size_t n = comma == NULL ? rest->n : (size_t)(comma - rest->p);
	struct ai_span f = { rest->p, n };

	rest->p += comma == NULL ? n : n + 1;
	rest->n -= comma == NULL ? n : n + 1;
	return f;
}

int ai_price_parse(struct ai_span text, struct ai_price *p,
		   struct ai_err *err)
{
	static const int order[] = { AI_UNIT_INPUT, AI_UNIT_OUTPUT,
				     AI_UNIT_CACHED };
	struct ai_span rest = text;
	struct ai_err why;
	int64_t rate;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	ai_price_clear(p);
	if (ai_span_is(text, "free")) {
		make_free(p);
	} else {
		if (n < 1 || n > 2)
			return ai_err_set(err, AI_E_USAGE,
					  "'%.*s' is no price: give IN,OUT or "
					  "IN,OUT,CACHED in dollars a million "
					  "tokens, or free",
					  text.n > 60 ? 60 : (int)text.n,
					  text.p);
		for (size_t i = 0; i <= n; i++) {
			if (ai_rate_parse_million(field(&rest), &rate,
						  &why) < 0)
				return ai_err_set(err, AI_E_USAGE,
						  "price: %s", why.msg);
			p->rate[AI_TIER_STANDARD][0][order[i]] = rate;
		}
		ai_price_complete(p);
		p->tiers |= 1 << AI_TIER_PRIORITY; /* the user says so */
	}
	memcpy(p->source, "--price", sizeof "--price");
	return 0;
}
