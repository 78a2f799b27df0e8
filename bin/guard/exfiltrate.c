/*
 * exfiltrate.c: addresses that carry something away, when an answer is shown or
 * a link in it is followed; and those that lead where they do not seem to.
 *
 * What is fetched without a click is suspected first, what was clicked by how
 * much it carries.  In documents there are such addresses for other reasons;
 * there only what waits to be filled, or deceives, is told.
 */
#include "guard.h"

#include "address.h"
#include "fence.h"
#include "link.h"
#include "policy.h"

#include "text/view-build.h"

#include <math.h>
#include <string.h>

/* What has a lower score is not told; in code, where it is shown and not
 * rendered, scores are lower by a factor. */
#define TOLD .3
#define IN_CODE .4
#define NOT_ALLOWED "it leads to a host not allowed"

struct search {
	const struct ai_view *v;
	struct guard_findings *f;
	struct ai_err *err;
	bool answer;
	struct guard_fence fence;
	size_t last;  /* where the fence is */
	bool defined; /* definitions have begun: in a second round */
};

/* ---- scores ------------------------------------------------------------------------- */

struct judged {
	double score;
	const char *rule;
	const char *reason; /* static, as is the rule */
};

static void judge(struct judged *j, double score, const char *rule,
		  const char *reason)
{
	if (score <= j->score)
		return;
	j->score = score;
	j->rule = rule;
	j->reason = reason;
}

/* From the first score at least bytes to the second at most. */
static double rising(size_t n, size_t least, size_t most, double from,
		     double to)
{
	if (n < least)
		return 0;
	return fmin(to, from + (to - from) * (double)(n - least) /
				(double)(most - least));
}

/* What is odd whatever it carries. */
static const struct {
	unsigned odd;
	double score;
	const char *rule, *reason;
} oddities[] = {
	{ GUARD_ODD_USER, .8, "odd-host", "what looks like its host is none" },
	{ GUARD_ODD_BACKSLASH, .7, "odd-host",
	  "a backslash, which readers take for different things" },
	{ GUARD_ODD_PERCENT, .7, "odd-host", "a host that is escaped" },
	{ GUARD_ODD_NUMBER, .7, "odd-host",
	  "a number that hides an IP address" },
	{ GUARD_ODD_ALIKE, .7, "lookalike-host",
	  "letters of its host look like others" },
	{ GUARD_ODD_MARKUP, .7, "script-address",
	  "an address that is a page of its own" },
};

static void judge_odd(struct judged *j, const struct guard_address *a,
		      bool linked)
{
	for (size_t i = 0; i < sizeof oddities / sizeof *oddities; i++)
		if (a->odd & oddities[i].odd)
			judge(j, oddities[i].score, oddities[i].rule,
			      oddities[i].reason);
	if (a->scheme == GUARD_SCHEME_SCRIPT && linked)
		judge(j, .9, "script-address", "an address that is a script");
	if (a->scheme == GUARD_SCHEME_FILE && linked)
		judge(j, .5, "file-address", "a file of who reads it");
}

static void judge_fetched(struct judged *j, const struct guard_address *a,
			  bool answer)
{
	if (a->text > 0)
		judge(j, .95, "image-data",
		      "fetched when shown, with a text that is encoded");
	if (answer) {
		judge(j, rising(a->coded, 32, 128, .5, .85), "image-data",
		      "fetched when shown, with what may be encoded");
		judge(j, rising(a->coded_path, 48, 160, .4, .8), "image-data",
		      "fetched when shown, with what may be encoded");
		judge(j, rising(a->words, 16, 64, .5, .9), "image-data",
		      "fetched when shown, with words in its query");
		/* As for links. */
		if (guard_policy_hosts())
			judge(j, .5, "image-host",
			      "fetched when shown, from a host not allowed");
	}
	if (a->open)
		judge(j, .6, "image-open",
		      "fetched when shown, with a query that waits for data");
}

static void judge_followed(struct judged *j, const struct guard_address *a,
			   enum guard_link_use use)
{
	/* Who reads the address sees what it carries. */
	double seen = use == GUARD_LINK_SHOWN ? .8 : 1;

	if (a->text > 0)
		judge(j, seen * rising(a->text, 8, 48, .5, .9), "link-data",
		      "followed with a text that is encoded");
	judge(j, seen * rising(a->coded + a->coded_path, 64, 160, .4, .8), "link-data",
	      "followed with much that may be encoded");
	judge(j, seen * rising(a->words, 120, 300, .4, .8), "link-data",
	      "followed with many words in its query");
	/* Who says which hosts are allowed means these alone. */
	if (guard_policy_hosts() && a->scheme == GUARD_SCHEME_WEB)
		judge(j, use == GUARD_LINK_SHOWN ? .4 : .5, "link-host",
		      NOT_ALLOWED);
	if (use == GUARD_LINK_RUN)
		judge(j, .7, "active-html", "it runs, or frames, another host");
	if (use == GUARD_LINK_SENT)
		judge(j, .6, "form", "a form that is sent to another host");
	if (use == GUARD_LINK_GONE)
		judge(j, .8, "refresh", "it takes the reader to another host");
}

/* [https://one.example](https://other.example) */
static void judge_words(struct judged *j, const struct guard_link *l,
			const struct guard_address *to)
{
	struct guard_address shown;
	struct ai_span w = l->words;
	const char *domain;
	size_t dots = 0;

	while (w.n > 0 && ai_view_blank(*w.p))
		w.p++, w.n--;
	while (w.n > 0 && ai_view_blank(w.p[w.n - 1]))
		w.n--;
	if (w.n < 10 || memchr(w.p, ' ', w.n) != NULL ||
	    memmem(w.p, w.n, "://", 3) == NULL)
		return;
	guard_address_read(w, false, &shown);
	if (shown.scheme != GUARD_SCHEME_WEB || *shown.host == '\0')
		return;
	/* www.a.example and a.example are one; so are others that share their
	 * last two names. */
	for (domain = shown.host + strlen(shown.host); domain > shown.host;
	     domain--)
		if (domain[-1] == '.' && ++dots == 2)
			break;
	if (!guard_host_in(to->host, domain))
		judge(j, .7, "other-host", "its words show another host");
}

/* ---- the text ----------------------------------------------------------------------- */

static bool in_code(struct search *s, const struct guard_link *l, size_t at)
{
	if (l->defined && !s->defined) {
		guard_fence_init(&s->fence, s->v->text);
		s->defined = true;
		s->last = 0;
	}
	/* Within a tag, order is not kept. */
	if (at > s->last)
		s->last = at;
	return guard_fence_at(&s->fence, s->last);
}

static int on_link(void *arg, const struct guard_link *l)
{
	struct search *s = arg;
	bool linked = l->use != GUARD_LINK_SHOWN;
	struct judged j = { .score = 0 };
	struct guard_address a;
	size_t from = (size_t)(l->address.p - s->v->text.p);

	guard_address_read(l->address, l->use == GUARD_LINK_FETCHED, &a);
	judge_odd(&j, &a, linked);
	if (!guard_policy_host(a.host, strlen(a.host)) && a.scheme != GUARD_SCHEME_NONE) {
		if (l->use == GUARD_LINK_FETCHED &&
		    a.scheme == GUARD_SCHEME_WEB) {
			judge_fetched(&j, &a, s->answer);
		} else if (s->answer && a.scheme != GUARD_SCHEME_DATA) {
			judge_followed(&j, &a, l->use);
		}
		if (s->answer && *a.host != '\0')
			judge_words(&j, l, &a);
	}
	if (j.score > 0 && in_code(s, l, from))
		j.score *= IN_CODE;
	if (j.score < TOLD)
		return 0;
	return guard_find(s->f, s->v, GUARD_EXFILTRATION, j.rule, j.score,
			  from, from + l->address.n, j.reason, s->err);
}

/* "www.evil.example", which many make a link of though it has no scheme. */
static int on_name(struct search *s, size_t from)
{
	static const char ends[] = "/?#:<>()[]{}\"'`,;!*|\\";
	const char *p = s->v->text.p;
	size_t to = from, n = s->v->text.n;

	while (to < n && (unsigned char)p[to] > ' ' &&
	       strchr(ends, p[to]) == NULL)
		to++;
	while (p[to - 1] == '.' || p[to - 1] == '_')
		to--;
	if (memchr(p + from + 4, '.', to < from + 4 ? 0 : to - from - 4) ==
	    NULL || guard_policy_host(p + from, to - from))
		return 0;
	if (guard_fence_at(&s->fence, from))
		return 0;
	return guard_find(s->f, s->v, GUARD_EXFILTRATION, "link-host", .4,
			  from, to, NOT_ALLOWED, s->err);
}

static int names_only(struct search *s)
{
	const char *p = s->v->text.p, *end = p + s->v->text.n, *at = p;

	guard_fence_init(&s->fence, s->v->text);
	for (; (at = memmem(at, (size_t)(end - at), "www.", 4)) != NULL;
	     at += 4)
		if ((at == p || strchr(" \t\n*_~(", at[-1]) != NULL) &&
		    on_name(s, (size_t)(at - p)) != 0)
			return -1;
	return 0;
}

int guard_exfiltrate(const struct ai_view *v, enum guard_context context,
		     struct guard_findings *f, struct ai_err *err)
{
	struct search s = { .v = v, .f = f, .err = err,
			    .answer = context == GUARD_ANSWER };

	/* What else is decoded, nobody renders. */
	if (context == GUARD_USER ||
	    (v->depth > 0 && strcmp(v->name, "entity") != 0))
		return 0;
	guard_fence_init(&s.fence, v->text);
	if (guard_links(v->text, on_link, &s) != 0)
		return -1;
	return s.answer && guard_policy_hosts() ? names_only(&s) : 0;
}
