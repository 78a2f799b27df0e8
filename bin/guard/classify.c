/*
 * classify.c: windows of a text that read like an attack, by weights that
 * ai-guard train made.
 */
#include "guard.h"
#include "opinion.h"
#include "policy.h"
#include "weights.h"

#include "base/path.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static struct weights weights;
static struct ai_err weights_err;
static int weights_rc;
static pthread_once_t weights_once = PTHREAD_ONCE_INIT;

static void load(void)
{
	char *path;

	if (ai_path_data(WEIGHTS_FILE, &path, &weights_err) < 0) {
		weights_rc = -1;
		return;
	}
	weights_rc = weights_open(&weights, path, &weights_err);
	free(path);
}

int guard_classify_open(struct ai_err *err)
{
	pthread_once(&weights_once, load);
	if (weights_rc < 0)
		*err = weights_err;
	return weights_rc;
}

/* A run of windows above the threshold is one finding. */
struct run {
	const struct ai_view *v;
	enum weights_table t;
	struct guard_findings *f;
	struct ai_err *err;
	double threshold;
	size_t start; /* of the piece that is looked at, in the view */
	struct weights_window best;
	size_t from, to; /* to is 0: there is none */
};

static int end_run(struct run *r)
{
	struct weights_window x = { 0, r->from, r->to };
	char reason[GUARD_REASON];

	if (r->to == 0)
		return 0;
	weights_narrow(&weights, r->t, r->v->text.p, r->v->text.n, &x);
	weights_reason(&weights, r->t, r->v->text.p + r->best.from,
		       r->best.to - r->best.from, reason, sizeof reason);
	if (guard_find(r->f, r->v, GUARD_INJECTION, "classifier",
		       1 - weights_rate(&weights, r->t, r->best.score),
		       x.from, x.to, reason, r->err) < 0)
		return -1;
	r->to = 0;
	return 0;
}

static int look(void *arg, const struct weights_window *x)
{
	struct run *r = arg;

	if (x->score <= r->threshold)
		return end_run(r);
	if (r->to == 0 || r->start + x->from < r->from)
		r->from = r->start + x->from;
	if (r->to == 0 || x->score > r->best.score) {
		r->best = *x;
		r->best.from += r->start;
		r->best.to += r->start;
	}
	r->to = r->start + x->to;
	return 0;
}

/* A piece of the view. */
static int look_at(struct run *r, size_t from, size_t to)
{
	r->start = from;
	if (weights_windows(&weights, r->t, r->v->text.p + from, to - from,
			    look, r) < 0)
		return -1;
	return end_run(r);
}

int guard_classify(const struct ai_view *v, enum guard_context context,
		   struct guard_findings *f, struct ai_err *err)
{
	struct run r = { .v = v, .f = f, .err = err };
	size_t from, to = 0, done = 0;

	/* As it stands it may be no language, and look like nothing known. */
	if (v->better)
		return 0;
	if (guard_classify_open(err) < 0)
		return -1;
	r.t = context == GUARD_USER ? WEIGHTS_USER : WEIGHTS_DOCUMENT;
	/* The score of a finding is one less its rate. */
	r.threshold = weights_score(&weights, r.t,
		fmax(guard_opinion_rate(),
		     guard_policy_rate(context, GUARD_INJECTION)));
	/* Letters with something between them are in a view of their own. */
	while (v->spaced && ai_view_next_spaced(v->text, &from, &to)) {
		if (look_at(&r, done, from) < 0)
			return -1;
		done = to;
	}
	return look_at(&r, done, v->text.n);
}
