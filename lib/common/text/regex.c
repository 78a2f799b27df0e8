#include "text/regex.h"

#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Backtracking from one starting point; PCRE2 spends some 10 ns on each. */
#define MATCH_LIMIT 2000000
/* KiB for the frames of that backtracking. */
#define HEAP_LIMIT (16 * 1024)
/* Frames grow with the text: after a longer one they are not kept. */
#define KEEP_UP_TO 16384
/* What a metered match may spend, in items tried and bytes moved. */
#define METER_FIXED 5000000
#define METER_PER_BYTE 16

/* What one match needs; kept for the next one. */
struct scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint64_t left; /* of the meter */
	size_t at;     /* where the last callout was */
};

struct ai_regex {
	pcre2_code *code;
	uint32_t groups;
	bool metered, bytes;
	_Atomic(struct scratch *) spare;
};

static void scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	free(s);
}

static int meter(pcre2_callout_block *block, void *arg)
{
	struct scratch *s = arg;
	size_t at = block->current_position;
	uint64_t cost = 1 + (at > s->at ? at - s->at : s->at - at);

	s->at = at;
	if (cost > s->left)
		return PCRE2_ERROR_CALLOUT;
	s->left -= cost;
	return 0;
}

static struct scratch *scratch_new(const struct ai_regex *re)
{
	struct scratch *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->data = pcre2_match_data_create_from_pattern(re->code, NULL);
	s->context = pcre2_match_context_create(NULL);
	if (s->data == NULL || s->context == NULL) {
		scratch_free(s);
		return NULL;
	}
	pcre2_set_match_limit(s->context, MATCH_LIMIT);
	pcre2_set_depth_limit(s->context, MATCH_LIMIT);
	pcre2_set_heap_limit(s->context, HEAP_LIMIT);
	if (re->metered)
		pcre2_set_callout(s->context, meter, s);
	return s;
}

static uint32_t options_of(unsigned flags)
{
	uint32_t o = flags & AI_REGEX_BYTES
			     ? PCRE2_NEVER_UTF
			     : PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;

	if (flags & AI_REGEX_UNICODE)
		o |= PCRE2_UCP;
	if (flags & AI_REGEX_CASELESS)
		o |= PCRE2_CASELESS;
	if (flags & AI_REGEX_LINES)
		o |= PCRE2_MULTILINE;
	if (flags & AI_REGEX_METERED)
		o |= PCRE2_AUTO_CALLOUT;
	if (flags & AI_REGEX_ECMA)
		o |= PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
		     PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_UCP;
	return o;
}

static int compile(struct ai_regex *re, const char *p, size_t n,
		   unsigned flags, struct ai_err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	int code;

	if (context == NULL)
		return ai_err_nomem(err);
	if (flags & AI_REGEX_ECMA)
		pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	re->code = pcre2_compile((PCRE2_SPTR)p, n, options_of(flags), &code,
				 &at, context);
	pcre2_compile_context_free(context);
	if (re->code != NULL)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return ai_err_nomem(err);
	if (pcre2_get_error_message(code, why, sizeof why) < 0)
		why[0] = '\0';
	return ai_err_set(err, AI_E_DATA,
			  "not a regular expression: %s at byte %zu",
			  (const char *)why, (size_t)at);
}

static int compile_ecma(struct ai_regex *re, const char *p, size_t n,
			unsigned flags, struct ai_err *err)
{
	/* \s grows to some 80 bytes. */
	struct ai_buf b = AI_BUF_INIT(AI_REGEX_PATTERN_MAX * 80);
	int rc = ai_regex_from_ecma(p, n, &b, err);

	if (rc == 0)
		rc = ai_buf_check(&b, "the regular expression", err);
	if (rc == 0)
		rc = compile(re, ai_buf_cstr(&b), b.len, flags, err);
	ai_buf_release(&b);
	return rc;
}

int ai_regex_new(struct ai_regex **out, const char *pattern, size_t n,
		 unsigned flags, struct ai_err *err)
{
	struct ai_regex *re;
	int rc;

	*out = NULL;
	if (n > AI_REGEX_PATTERN_MAX)
		return ai_err_set(err, AI_E_DATA,
				  "a regular expression of %zu bytes; the limit is %d",
				  n, AI_REGEX_PATTERN_MAX);
	re = calloc(1, sizeof *re);
	if (re == NULL)
		return ai_err_nomem(err);
	re->metered = (flags & AI_REGEX_METERED) != 0;
	re->bytes = (flags & AI_REGEX_BYTES) != 0;
	rc = (flags & AI_REGEX_ECMA ? compile_ecma : compile)(re, pattern, n,
							      flags, err);
	if (rc < 0) {
		free(re);
		return -1;
	}
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	/* Without the compiler, or without the right to use it, PCRE2
	 * interprets. */
	if (re->bytes)
		pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
	*out = re;
	return 0;
}

void ai_regex_free(struct ai_regex *re)
{
	if (re == NULL)
		return;
	scratch_free(atomic_load(&re->spare));
	pcre2_code_free(re->code);
	free(re);
}

size_t ai_regex_groups(const struct ai_regex *re)
{
	return re->groups;
}

size_t ai_regex_group(const struct ai_regex *re, const char *name)
{
	int n = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name);

	return n > 0 ? (size_t)n : 0;
}

static int match_error(int code, struct ai_err *err)
{
	PCRE2_UCHAR why[128];

	switch (code) {
	case PCRE2_ERROR_NOMEMORY:
		return ai_err_nomem(err);
	case PCRE2_ERROR_CALLOUT:
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_RECURSELOOP:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return ai_err_set(err, AI_E_TOO_LONG,
				  "the regular expression needs too many steps on this text");
	}
	if (pcre2_get_error_message(code, why, sizeof why) < 0)
		why[0] = '\0';
	return ai_err_set(err, AI_E_BUG, "matching failed: %s",
			  (const char *)why);
}

static void captures(const struct scratch *s, struct ai_span text,
		     struct ai_span *caps, size_t n_caps)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(s->data);
	size_t n = pcre2_get_ovector_count(s->data);

	for (size_t i = 0; i < n_caps; i++) {
		caps[i] = (struct ai_span){ NULL, 0 };
		if (i >= n || v[2 * i] == PCRE2_UNSET)
			continue;
		caps[i].p = text.p + v[2 * i];
		/* \K in a lookahead can put the start behind the end. */
		if (v[2 * i + 1] > v[2 * i])
			caps[i].n = v[2 * i + 1] - v[2 * i];
	}
}

static bool starts_char(struct ai_span text, size_t at)
{
	return at >= text.n || ((unsigned char)text.p[at] & 0xC0) != 0x80;
}

int ai_regex_match(const struct ai_regex *re, struct ai_span text, size_t from,
		   struct ai_span *caps, size_t n_caps, struct ai_err *err)
{
	/* The slot is the one thing in it that changes, and atomically. */
	_Atomic(struct scratch *) *spare = &((struct ai_regex *)re)->spare;
	struct scratch *s;
	int rc;

	if (from == 0 && !re->bytes && ai_utf8_valid(text.p, text.n) != text.n)
		return ai_err_set(err, AI_E_UTF8, "the text is not UTF-8");
	if (from > text.n || (!re->bytes && !starts_char(text, from)))
		return ai_err_set(err, AI_E_BUG, "a match cannot start there");
	s = atomic_exchange(spare, NULL);
	if (s == NULL && (s = scratch_new(re)) == NULL)
		return ai_err_nomem(err);
	s->left = METER_FIXED + METER_PER_BYTE * (uint64_t)text.n;
	s->at = from;
	rc = pcre2_match(re->code, (PCRE2_SPTR)(text.p == NULL ? "" : text.p),
			 text.n, from, PCRE2_NO_UTF_CHECK, s->data,
			 s->context);
	if (rc > 0)
		captures(s, text, caps, n_caps);
	if (text.n <= KEEP_UP_TO)
		s = atomic_exchange(spare, s);
	scratch_free(s);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return rc > 0 ? 1 : match_error(rc, err);
}
