/* member.c: what is written of a record's findings. */
#include "flow.h"
#include "policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_score(struct ai_buf *b, double score)
{
	ai_put_key(b, "score");
	ai_put_f64(b, round(score * 1e4) / 1e4);
}

static void put_text(struct ai_buf *b, const char *key, const char *text)
{
	ai_put_key(b, key);
	ai_put_cstr(b, text);
}

void guard_put_finding(struct ai_buf *b, const struct guard_flow *g,
		       const struct guard_finding *x)
{
	const struct guard_texts *t = &g->texts;
	enum guard_context context = t->v[x->text].context;

#ifdef __SANITIZE_ADDRESS__
	if (!guard_rule_is_known(x->rule))
		abort(); /* names.c lacks it */
#endif
	put_text(b, "kind", guard_kind_names[x->kind]);
	put_text(b, "rule", x->rule);
	put_score(b, x->score);
	ai_put_key(b, "calibrated");
	ai_put_bool(b, guard_rule_is_calibrated(x->rule));
	if (!guard_texts_is_plain(t, x->text))
		put_text(b, "path", guard_texts_path(t, x->text));
	if (t->v[x->text].name) {
		ai_put_key(b, "name");
		ai_put_bool(b, true);
	}
	if (context != t->context)
		put_text(b, "context", guard_context_names[context]);
	ai_put_key(b, "span");
	ai_put_open(b, '[');
	ai_put_i64(b, (int64_t)x->from);
	ai_put_i64(b, (int64_t)x->to);
	ai_put_close(b, ']');
	put_text(b, "view", x->view);
	put_text(b, "reason", x->why);
}

/* Which of very many are shown: in their order, but of each kind and action the
 * first ones, so that nothing hides behind a thousand others. */
struct showing {
	size_t sure[GUARD_KINDS][GUARD_ACTIONS], rest;
};

static void show_some(struct showing *s, const struct guard_findings *f)
{
	const size_t each = GUARD_FINDINGS_SHOWN / (GUARD_KINDS * GUARD_ACTIONS);

	memset(s, 0, sizeof *s);
	s->rest = GUARD_FINDINGS_SHOWN;
	for (size_t i = 0; i < f->n; i++) {
		size_t *sure = &s->sure[f->v[i].kind][f->v[i].action];

		if (*sure < each) {
			++*sure;
			s->rest--;
		}
	}
}

static bool is_shown(struct showing *s, const struct guard_finding *x)
{
	size_t *left = &s->sure[x->kind][x->action];

	if (*left == 0)
		left = &s->rest;
	if (*left == 0)
		return false;
	--*left;
	return true;
}

static void put_findings(struct ai_buf *b, const struct guard_flow *g)
{
	const struct guard_findings *f = &g->found;
	struct showing s;
	size_t shown = 0;

	show_some(&s, f);
	ai_put_key(b, "findings");
	ai_put_open(b, '[');
	for (size_t i = 0; i < f->n; i++) {
		if (!is_shown(&s, &f->v[i]))
			continue;
		shown++;
		ai_put_open(b, '{');
		guard_put_finding(b, g, &f->v[i]);
		put_text(b, "action", guard_action_names[f->v[i].action]);
		if (guard_settings.explain)
			put_text(b, "by", f->v[i].by);
		ai_put_close(b, '}');
	}
	ai_put_close(b, ']');
	if (f->n + f->more > shown) {
		ai_put_key(b, "more");
		ai_put_i64(b, (int64_t)(f->n + f->more - shown));
	}
}

static double worst(const struct guard_findings *f)
{
	double score = 0;

	for (size_t i = 0; i < f->n; i++)
		score = fmax(score, f->v[i].score);
	return score;
}

void guard_put_member(struct ai_buf *b, const struct guard_flow *g)
{
	ai_put_open(b, '{');
	put_text(b, "verdict", guard_action_names[g->verdict]);
	put_score(b, worst(&g->found));
	put_text(b, "context", guard_context_names[g->texts.context]);
	put_findings(b, g);
	if (guard_settings.explain) {
		ai_put_key(b, "explain");
		guard_put_explain(b, g);
	}
	ai_put_close(b, '}');
}

void guard_say_blocked(const struct guard_flow *g, struct ai_err *why)
{
	const struct guard_finding *x = NULL;

	for (size_t i = 0; i < g->found.n && x == NULL; i++)
		if (g->found.v[i].action == GUARD_BLOCK)
			x = &g->found.v[i];
	if (x != NULL)
		ai_err_set(why, AI_E_BLOCKED, "%s/%.60s in bytes %zu to %zu of "
			   "'%.100s'; %.150s", guard_kind_names[x->kind],
			   x->rule, x->from, x->to,
			   guard_texts_path(&g->texts, x->text),
			   x->by != NULL ? x->by : "");
}
