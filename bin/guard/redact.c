#include "redact.h"

#include "map.h"
#include "placeholder.h"

#include "base/start.h"
#include "crypt/box.h"
#include "crypt/hash.h"
#include "crypt/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The label of what only looks like a placeholder. */
#define OWN "TEXT"
#define PSEUDONYM 12 /* characters: 60 bits */

struct guard_redact_settings guard_redact_settings;

const struct ai_opt guard_redact_options[] = {
	{ "redact-as", 0, AI_OPT_CHOICE, &guard_redact_settings.style, "STYLE",
	  "what is redacted is replaced by", .initial = "placeholder",
	  .choices = GUARD_STYLE_NAMES, .key = "guard.redact_as" },
	{ "mask-keep", 0, AI_OPT_INT, &guard_redact_settings.keep, "N",
	  "last characters that a mask shows", .initial = "4",
	  .min = 0, .max = 100, .key = "guard.mask_keep" },
	{ "map", 0, AI_OPT_FILE, &guard_redact_settings.map, "FILE",
	  "keep what placeholders stand for here", .key = "guard.map",
	  .env = "AI_GUARD_MAP" },
	{ "map-key", 0, AI_OPT_FILE, &guard_redact_settings.key, "FILE",
	  "the key of the map, and of pseudonyms", .key = "guard.map_key",
	  .env = "AI_GUARD_MAP_KEY" },
	{ 0 }
};

struct guard_redactor {
	guard_turn *turn;
	enum guard_style style;
	size_t keep;
	struct guard_map *map;         /* of placeholders */
	unsigned char key[AI_BOX_KEY]; /* of pseudonyms */
};

static int open_redactor(struct guard_redactor *r, struct ai_err *err)
{
	const struct guard_redact_settings *s = &guard_redact_settings;
	unsigned char key[AI_BOX_KEY];

	/* In the environment it may be for other runs. */
	if (r->style != GUARD_PLACEHOLDER && ai_start_given(&s->map))
		return ai_err_set(err, AI_E_USAGE, "--map keeps what "
				  "placeholders stand for, and --redact-as "
				  "makes none: leave one of them out");
	if (r->style == GUARD_PLACEHOLDER && s->map != NULL) {
		if (s->key == NULL)
			return ai_err_set(err, AI_E_USAGE, "--map needs a key: "
					  "give --map-key; 'ai-guard key -o "
					  "FILE' makes one");
		r->map = guard_map_open(s->map, s->key, GUARD_MAP_WRITE, err);
		return r->map == NULL ? -1 : 0;
	}
	if (r->style == GUARD_PLACEHOLDER) {
		r->map = guard_map_new(GUARD_MAP_WRITE);
		return r->map == NULL ? ai_err_nomem(err) : 0;
	}
	if (r->style != GUARD_PSEUDONYM)
		return 0;
	if (s->key == NULL)
		return ai_err_set(err, AI_E_USAGE, "pseudonyms need a key: give "
				  "--map-key; 'ai-guard key -o FILE' makes one");
	if (ai_keyfile_read(s->key, key, err) < 0)
		return -1;
	ai_box_derive(key, "aiutils pseudonyms", NULL, 0, r->key);
	ai_wipe(key, sizeof key);
	return 0;
}

struct guard_redactor *guard_redactor_new(guard_turn *turn, struct ai_err *err)
{
	struct guard_redactor *r = calloc(1, sizeof *r);

	if (r == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	r->turn = turn;
	r->style = (enum guard_style)guard_redact_settings.style;
	r->keep = (size_t)guard_redact_settings.keep;
	if (open_redactor(r, err) == 0)
		return r;
	guard_redactor_free(r);
	return NULL;
}

void guard_redactor_free(struct guard_redactor *r)
{
	if (r == NULL)
		return;
	guard_map_free(r->map);
	ai_wipe(r->key, sizeof r->key);
	free(r);
}

int guard_redactor_settle(void *redactor, struct ai_err *err)
{
	struct guard_redactor *r = redactor;

	return r == NULL || r->map == NULL ? 0 : guard_map_sync(r->map, err);
}

/* ---- what of the text is replaced --------------------------------------------------- */

struct part {
	size_t from, to;
	char label[PLACEHOLDER_LABEL + 1];
};

bool guard_redact_span(struct ai_span text, const struct guard_finding *x,
		       size_t *from, size_t *to)
{
	*from = x->from < text.n ? x->from : text.n;
	*to = x->to < text.n ? x->to : text.n;
	if (!guard_finding_hides(x) || *from >= *to)
		return false;
	while (*from > 0 && ((unsigned char)text.p[*from] & 0xc0) == 0x80)
		--*from;
	while (*to < text.n && ((unsigned char)text.p[*to] & 0xc0) == 0x80)
		++*to;
	return true;
}

/* The next part from finding *i on; false: there is none. */
static bool next_part(struct ai_span text, const struct guard_findings *found,
		      size_t *i, struct part *part)
{
	const struct guard_finding *best = NULL, *x;
	size_t from, to, longest = 0;

	for (; *i < found->n; ++*i) {
		x = &found->v[*i];
		if (!guard_redact_span(text, x, &from, &to))
			continue;
		if (best != NULL && from >= part->to)
			break;
		if (best == NULL)
			part->from = from;
		if (best == NULL || to > part->to)
			part->to = to;
		if (best == NULL || to - from > longest ||
		    (to - from == longest && x->score > best->score)) {
			best = x;
			longest = to - from;
		}
	}
	if (best != NULL)
		placeholder_label(best->rule, part->label);
	return best != NULL;
}

/* What a pass over a text does with its three kinds of parts. */
struct pass {
	int (*literal)(void *arg, struct ai_span s, struct ai_err *err);
	/* What looks like a placeholder, though we did not write it. */
	int (*like)(void *arg, struct ai_span s, const char *body,
		    struct ai_err *err);
	int (*value)(void *arg, struct ai_span s, const char *label,
		     struct ai_err *err);
};

/* Before it and behind it stands one of ours, or nothing: see placeholder.h. */
static int pass_between(const struct pass *pass, void *arg, struct ai_span s,
			struct ai_err *err)
{
	size_t done = 0, at = 0;
	struct placeholder x;
	bool word = false;

	for (;;) {
		at += placeholder_skip(s.p + at, s.n - at, &word);
		if (at == s.n)
			break;
		if (placeholder_at(s.p + at, s.n - at, true, word, &x) !=
		    PLACEHOLDER_YES) {
			word = placeholder_word(s.p[at++]);
			continue;
		}
		if (at > done && pass->literal != NULL &&
		    pass->literal(arg, (struct ai_span){ s.p + done,
							 at - done }, err) < 0)
			return -1;
		if (pass->like(arg, (struct ai_span){ s.p + at, x.len }, x.body,
			       err) < 0)
			return -1;
		at += x.len;
		done = at;
		word = false;
	}
	return done == s.n || pass->literal == NULL ? 0 :
		pass->literal(arg, (struct ai_span){ s.p + done, s.n - done },
			      err);
}

/* Every form has a '_' with a digit behind it. */
static bool has_likes(struct ai_span s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end && (p = memchr(p, '_', (size_t)(end - p))) != NULL)
		if (++p < end && *p >= '1' && *p <= '9')
			return true;
	return false;
}

static int pass_over(const struct pass *pass, void *arg, struct ai_span text,
		     const struct guard_findings *found, struct ai_err *err)
{
	bool likes = pass->like != NULL && has_likes(text);
	size_t done = 0, i = 0;
	struct part part;
	struct ai_span s;
	bool more;
	int rc = 0;

	do {
		more = next_part(text, found, &i, &part);
		s = (struct ai_span){ text.p + done,
				      (more ? part.from : text.n) - done };
		if (likes)
			rc = pass_between(pass, arg, s, err);
		else if (s.n > 0 && pass->literal != NULL)
			rc = pass->literal(arg, s, err);
		if (rc < 0 || !more)
			return rc;
		rc = pass->value(arg, (struct ai_span){
				 text.p + part.from, part.to - part.from },
				 part.label, err);
		done = part.to;
	} while (rc == 0);
	return rc;
}

/* ---- placeholders: their numbers ----------------------------------------------------- */

struct writing {
	struct guard_redactor *r;
	struct ai_splice to;
	long replaced;
	bool unknown; /* something has no number yet */
};

static int known_like(void *arg, struct ai_span s, const char *body,
		      struct ai_err *err)
{
	struct writing *w = arg;

	(void)err;
	switch (guard_map_get(w->r->map, body, NULL)) {
	case GUARD_MAP_FREE:
		w->unknown = true;
		break;
	case GUARD_MAP_VALUE:
		w->unknown |= guard_map_find(w->r->map, OWN, s) == 0;
		break;
	case GUARD_MAP_TAKEN:
		break;
	}
	return 0;
}

static int known_value(void *arg, struct ai_span s, const char *label,
		       struct ai_err *err)
{
	struct writing *w = arg;

	(void)err;
	w->unknown |= guard_map_find(w->r->map, label, s) == 0;
	return 0;
}

static int take_like(void *arg, struct ai_span s, const char *body,
		     struct ai_err *err)
{
	struct writing *w = arg;

	(void)s;
	return guard_map_take(w->r->map, body, err) == GUARD_MAP_FREE ? -1 : 0;
}

static int skip_value(void *arg, struct ai_span s, const char *label,
		      struct ai_err *err)
{
	(void)arg;
	(void)s;
	(void)label;
	(void)err;
	return 0;
}

static int add_value(void *arg, struct ai_span s, const char *label,
		     struct ai_err *err)
{
	struct writing *w = arg;

	return guard_map_add(w->r->map, label, s, err) == 0 ? -1 : 0;
}

static int add_like(void *arg, struct ai_span s, const char *body,
		    struct ai_err *err)
{
	struct writing *w = arg;

	switch (guard_map_take(w->r->map, body, err)) {
	case GUARD_MAP_FREE:
		return -1;
	case GUARD_MAP_TAKEN:
		return 0;
	default:
		return add_value(w, s, OWN, err);
	}
}

/* The numbers of the text itself are taken before any is given, so that it can
 * mostly stay as it is. */
static int give_numbers(struct writing *w, struct ai_span text,
			const struct guard_findings *found,
			struct ai_emit *emit, struct ai_err *err)
{
	static const struct pass known = { NULL, known_like, known_value };
	static const struct pass take = { NULL, take_like, skip_value };
	static const struct pass add = { NULL, add_like, add_value };
	struct ai_err end;
	int rc;

	w->unknown = false;
	pass_over(&known, w, text, found, err);
	if (!w->unknown)
		return 0;
	if ((w->r->turn != NULL && w->r->turn(emit, err) < 0) ||
	    guard_map_begin(w->r->map, err) < 0)
		return -1;
	rc = pass_over(&take, w, text, found, err);
	if (rc == 0)
		rc = pass_over(&add, w, text, found, err);
	if (guard_map_end(w->r->map, &end) < 0) {
		*err = end;
		rc = -1;
	}
	return rc;
}

/* ---- writing --------------------------------------------------------------------------- */

static int put_literal(void *arg, struct ai_span s, struct ai_err *err)
{
	struct writing *w = arg;

	(void)err; /* of the buffer, checked at the end */
	ai_splice_keep(&w->to, s.n);
	return 0;
}

/* For what stands at s. */
static void replace(struct writing *w, struct ai_span s, const char *by,
		    size_t n)
{
	ai_splice_skip(&w->to, s.n);
	ai_splice_put(&w->to, by, n);
	w->replaced++;
}

static int put_placeholder(void *arg, struct ai_span s, const char *label,
			   struct ai_err *err)
{
	struct writing *w = arg;
	uint32_t n = guard_map_find(w->r->map, label, s);
	char name[PLACEHOLDER_TEXT];

	if (n == 0)
		return ai_err_set(err, AI_E_BUG, "a value has no number");
	snprintf(name, sizeof name, "<%s_%u>", label, n);
	replace(w, s, name, strlen(name));
	return 0;
}

static int put_like(void *arg, struct ai_span s, const char *body,
		    struct ai_err *err)
{
	struct writing *w = arg;

	return guard_map_get(w->r->map, body, NULL) == GUARD_MAP_VALUE
		? put_placeholder(w, s, OWN, err) : put_literal(w, s, err);
}

static bool is_first(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* A short value would be known by its end. */
static int put_mask(void *arg, struct ai_span s, const char *label,
		    struct ai_err *err)
{
	struct writing *w = arg;
	size_t all = 0, keep, i = 0;

	(void)label;
	(void)err;
	for (size_t k = 0; k < s.n; k++)
		all += is_first(s.p[k]);
	keep = all > 2 * w->r->keep ? w->r->keep : 0;
	replace(w, s, "", 0);
	for (size_t k = 0; k < all - keep; k++) {
		ai_splice_put(&w->to, "*", 1);
		do
			i++;
		while (i < s.n && !is_first(s.p[i]));
	}
	ai_splice_put(&w->to, s.p + i, s.n - i);
	return 0;
}

static int put_pseudonym(void *arg, struct ai_span s, const char *label,
			 struct ai_err *err)
{
	struct writing *w = arg;
	unsigned char sum[AI_SEAL_BYTES];
	char name[PSEUDONYM + 1], all[PLACEHOLDER_LABEL + PSEUDONYM + 4];
	struct ai_seal seal;

	(void)err;
	ai_seal_init(&seal, w->r->key);
	ai_seal_add(&seal, label, strlen(label) + 1);
	ai_seal_add(&seal, s.p, s.n);
	ai_seal_end(&seal, sum);
	ai_base32(sum, PSEUDONYM, name);
	snprintf(all, sizeof all, "<%s_%s>", label, name);
	replace(w, s, all, strlen(all));
	return 0;
}

static int put_nothing(void *arg, struct ai_span s, const char *label,
		       struct ai_err *err)
{
	(void)label;
	(void)err;
	replace(arg, s, "", 0);
	return 0;
}

static long redact(struct writing *w, struct ai_span text,
		   const struct guard_findings *found, struct ai_emit *emit,
		   struct ai_err *err)
{
	static const struct pass styles[] = {
		[GUARD_PLACEHOLDER] = { put_literal, put_like,
					put_placeholder },
		[GUARD_MASK] = { put_literal, NULL, put_mask },
		[GUARD_PSEUDONYM] = { put_literal, NULL, put_pseudonym },
		[GUARD_REMOVE] = { put_literal, NULL, put_nothing },
	};
	const struct guard_redactor *r = w->r;

	if (found->more > 0)
		return ai_err_set(err, AI_E_TOO_LONG, "more than %zu findings: "
				  "not all could be redacted; split the text",
				  found->n);
	if (r->map != NULL && give_numbers(w, text, found, emit, err) < 0)
		return -1;
	return pass_over(&styles[r->style], w, text, found, err);
}

long guard_redact(struct guard_redactor *r, struct ai_span text,
		  const struct guard_findings *found, struct ai_emit *emit,
		  struct ai_buf *out, struct ai_err *err)
{
	struct writing w = { .r = r };

	ai_splice_plain(&w.to, text, out);
	return redact(&w, text, found, emit, err) < 0 ||
	       ai_buf_check(out, "the redacted text", err) < 0
		? -1 : w.replaced;
}

long guard_redact_string(struct guard_redactor *r, struct ai_value string,
			 struct ai_span text,
			 const struct guard_findings *found,
			 struct ai_emit *emit, struct ai_buf *out,
			 struct ai_err *err)
{
	struct writing w = { .r = r };

	ai_splice_string(&w.to, string, out);
	ai_buf_chr(out, '"');
	if (redact(&w, text, found, emit, err) < 0)
		return -1;
	ai_buf_chr(out, '"');
	return ai_buf_check(out, "the redacted text", err) < 0 ? -1
							       : w.replaced;
}

/* Only what finds attacks quotes their words. */
static bool quotes(const struct guard_finding *x)
{
	return x->kind == GUARD_INJECTION;
}

/* Whether the finding begins behind x does, in the order of the list. */
static bool begins_behind(const struct guard_finding *f,
			  const struct guard_finding *x)
{
	return f->text > x->text || (f->text == x->text && f->from >= x->from);
}

void guard_redact_reasons(struct guard_findings *list,
			  const struct guard_findings *found)
{
	size_t at = 0, next = 0, text = 0, end = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct guard_finding *x = &list->v[i];
		const struct guard_finding *f;

		/* How far those reach that begin before it ... */
		for (; at < found->n && !begins_behind(&found->v[at], x);
		     at++) {
			f = &found->v[at];
			if (guard_finding_hides(f) && (f->text != text || f->to > end)) {
				text = f->text;
				end = f->to;
			}
		}
		/* ... and the first that does not. */
		next = next > at ? next : at;
		while (next < found->n && !guard_finding_hides(&found->v[next]))
			next++;
		f = next < found->n ? &found->v[next] : NULL;
		if (quotes(x) && !guard_finding_hides(x) &&
		    ((text == x->text && end > x->from) ||
		     (f != NULL && f->text == x->text && f->from < x->to)))
			x->why = "";
	}
}
