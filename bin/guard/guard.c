/*
 * guard.c: the way of a record: its texts -> views -> detectors -> policy ->
 * verdict, and what that asks for.
 */
#include "events.h"
#include "flow.h"
#include "policy.h"
#include "redact.h"
#include "shape.h"

#include "base/msg.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEEP ((size_t)1 << 20) /* of a buffer, between records */

struct guard_settings guard_settings;

/* Records that were left out. */
static atomic_ulong dropped;

static struct guard_redactor *redactor; /* NULL: the policy redacts nothing */

const struct guard_row guard_rows[] = {
	{ "validate", guard_validate, GUARD_INVALID, false, true },
	{ "secret", guard_secret, GUARD_SECRET, false, true },
	{ "personal", guard_personal, GUARD_PERSONAL, false, true },
	{ "phrase", guard_phrase, GUARD_INJECTION, true, false },
	{ "classifier", guard_classify, GUARD_INJECTION, true, false },
	{ "exfiltration", guard_exfiltrate, GUARD_EXFILTRATION, false, false },
	{ "code", guard_code, GUARD_INJECTION, false, false },
	{ "leak", guard_leak, GUARD_LEAK, false, false },
};
const size_t guard_rows_n = sizeof guard_rows / sizeof *guard_rows;

bool guard_row_asks(const struct guard_row *r, const struct guard_text *text)
{
	return (r->system || (text->context != GUARD_SYSTEM && !text->name &&
			      !text->label)) &&
		guard_policy_wants(text->context, r->kind);
}

/* ---- finding ----------------------------------------------------------------------- */

/* ai_views(): each detector looks at the view. */
static int look(void *arg, const struct ai_view *v)
{
	struct guard_flow *g = arg;
	const struct guard_text *text = &g->texts.v[g->at];

	if (g->explain != NULL)
		guard_explain_view(g, v);
	for (size_t i = 0; i < guard_rows_n; i++)
		if (guard_row_asks(&guard_rows[i], text) &&
		    guard_rows[i].look(v, text->context, &g->found,
				       g->err) < 0)
			return -1;
	return 0;
}

/* The text to g->fresh, with asterisks for what is not to be written: who is
 * asked is somebody else, too. Spans stay what they are. */
static int mask(struct guard_flow *g, size_t from, struct ai_err *err)
{
	const struct ai_span text = { ai_buf_cstr(&g->text), g->text.len };
	struct ai_buf *b = &g->fresh;

	ai_buf_clear(b);
	ai_buf_add(b, text.p, text.n);
	if (ai_buf_check(b, "the text", err) < 0)
		return -1;
	for (size_t i = from; i < g->found.n; i++) {
		struct guard_finding x = g->found.v[i];
		size_t at, to;

		guard_policy_decide(g->texts.v[g->at].context, text, &x, NULL);
		if (!guard_redact_span(text, &x, &at, &to))
			continue;
		memset(b->p + at, '*', to - at);
	}
	return 0;
}

/* The classifier found more than usual if somebody is to be asked. */
static int ask(struct guard_flow *g, size_t from, struct ai_err *err)
{
	enum guard_context context = g->texts.v[g->at].context;
	const struct ai_buf *b = &g->text;

	if (g->opinion == NULL)
		return 0;
	if (guard_policy_redacts()) {
		if (mask(g, from, err) < 0)
			return -1;
		b = &g->fresh;
	}
	return guard_opinion_ask(g->opinion, context, (struct ai_span){
		ai_buf_cstr(b), b->len },
		guard_policy_rate(context, GUARD_INJECTION), &g->found, from,
		err);
}

/* Of the findings from this one on, those that nothing is done about go. */
static int decide(struct guard_flow *g, size_t from, struct ai_err *err)
{
	const struct ai_span text = { ai_buf_cstr(&g->text), g->text.len };
	struct guard_findings *f = &g->found;
	size_t n = from;

	for (size_t i = from; i < f->n; i++) {
		struct guard_finding *x = &f->v[i];

		guard_policy_decide(g->texts.v[g->at].context, text, x, &x->by);
		if (x->cleared)
			x->action = GUARD_PASS;
		if (x->action != GUARD_PASS)
			f->v[n++] = *x;
		else if (g->explain != NULL &&
			 guard_findings_copy(&g->passed, x, err) < 0)
			return -1;
	}
	guard_findings_cut(f, n);
	return 0;
}

/* What is wrong with the record as a whole is said of its first text. */
static int look_at_shape(struct guard_flow *g, size_t i, struct ai_err *err)
{
	const struct ai_span text = { ai_buf_cstr(&g->text), g->text.len };

	if (i == 0 && guard_shape_record(g->rec, &g->found, err) < 0)
		return -1;
	return guard_shape_text(g->texts.v[i].value, text, &g->found, err);
}

static int look_at(struct guard_flow *g, size_t i, struct ai_err *err)
{
	size_t before = g->found.n;
	struct ai_span text;

	ai_buf_clear(&g->text);
	if (ai_json_text(g->texts.v[i].value, &g->text) < 0)
		return ai_buf_check(&g->text, guard_texts_path(&g->texts, i),
				    err);
	g->at = i;
	g->err = err;
	guard_findings_begin(&g->found, i);
	guard_findings_begin(&g->passed, i);
	if (guard_policy_wants(g->texts.v[i].context, GUARD_INVALID) &&
	    look_at_shape(g, i, err) < 0)
		return -1;
	text = (struct ai_span){ ai_buf_cstr(&g->text), g->text.len };
	if (ai_views(text, look, g, err) < 0 ||
	    guard_leak_end(text, g->texts.v[i].context, &g->found, err) < 0 ||
	    ask(g, before, err) < 0 || decide(g, before, err) < 0)
		return -1;
	return g->explain != NULL ? guard_explain_near(g, err) : 0;
}

static int find(struct guard_flow *g, const struct ai_rec *rec,
		struct ai_err *err)
{
	if (guard_texts_take(&g->texts, rec, err) < 0)
		return -1;
	g->rec = rec;
	if (g->texts.n == 0 && guard_shape_empty(rec, err) < 0)
		return -1;
	if (guard_told_read(&g->told, rec, &g->texts, err) < 0)
		return -1;
	for (size_t i = 0; i < g->texts.n; i++)
		if (look_at(g, i, err) < 0)
			return -1;
	guard_findings_sort(&g->found);
	guard_findings_sort(&g->passed);
	guard_findings_sort(&g->near);
	g->verdict = GUARD_PASS;
	for (size_t i = 0; i < g->found.n; i++)
		if (g->found.v[i].action > g->verdict)
			g->verdict = g->found.v[i].action;
	return 0;
}

/* The events of each text, which is decoded once more: few have any. */
static int tell(struct guard_flow *g, struct ai_err *err)
{
	const struct guard_finding *v = g->found.v;

	for (size_t i = 0, n; i < g->found.n; i += n) {
		size_t at = v[i].text;

		for (n = 1; i + n < g->found.n && v[i + n].text == at;)
			n++;
		ai_buf_clear(&g->text);
		if (ai_json_text(g->texts.v[at].value, &g->text) < 0)
			return ai_buf_check(&g->text, "the text", err);
		if (guard_events_note(&g->events, &(struct guard_case){
			.rec = g->rec, .v = v + i, .n = n,
			.path = guard_texts_path(&g->texts, at),
			.named = ai_loop.path,
			.context = g->texts.v[at].context,
			.text = { ai_buf_cstr(&g->text), g->text.len },
			}, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- doing ---------------------------------------------------------------------------- */

static const char *member_name(void)
{
	return ai_loop.as != NULL ? ai_loop.as : "guard";
}

/* The text to g->text, and as it may be written to g->fresh: the token, or with
 * -r the text.  *at: the first finding of this text or a later one; becomes that
 * of the next text. */
static long redact_text(struct guard_flow *g, size_t i, size_t *at, bool plain,
			struct ai_emit *out, struct ai_err *err)
{
	struct guard_findings own = { .more = g->found.more };
	struct ai_value string = g->texts.v[i].value;
	struct ai_span text;

	while (*at < g->found.n && g->found.v[*at].text < i)
		++*at;
	own.v = g->found.v + *at;
	while (*at < g->found.n && g->found.v[*at].text == i)
		own.n++, ++*at;
	ai_buf_clear(&g->text);
	ai_buf_clear(&g->fresh);
	if (ai_json_text(string, &g->text) < 0)
		return ai_buf_check(&g->text, "the text", err);
	text = (struct ai_span){ ai_buf_cstr(&g->text), g->text.len };
	return plain ? guard_redact(redactor, text, &own, out, &g->fresh, err)
		: guard_redact_string(redactor, string, text, &own, out,
				      &g->fresh, err);
}

static int redact(struct guard_flow *g, struct ai_rec *rec,
		  struct ai_emit *out, struct ai_err *err)
{
	size_t at = 0;
	long n;

	guard_redact_reasons(&g->found, &g->found);
	guard_redact_reasons(&g->passed, &g->found);
	guard_redact_reasons(&g->near, &g->found);
	for (size_t i = 0; i < g->texts.n; i++) {
		n = redact_text(g, i, &at, false, out, err);
		if (n > 0 && g->texts.v[i].name)
			guard_texts_hide(&g->texts, i);
		if (n < 0 || (n > 0 &&
			      ai_rec_rewrite_token(rec, g->texts.v[i].value,
						   (struct ai_span){
						   ai_buf_cstr(&g->fresh),
						   g->fresh.len }, err) < 0))
			return -1;
	}
	return 0;
}

static int block(struct guard_flow *g, struct ai_rec *rec,
		 struct ai_emit *out, struct ai_err *err)
{
	struct ai_value members;
	struct ai_err why;

	if (redactor != NULL && redact(g, rec, out, err) < 0)
		return -1;
	ai_put_open(&g->out, '{');
	ai_put_key(&g->out, member_name());
	guard_put_member(&g->out, g);
	ai_put_close(&g->out, '}');
	if (ai_buf_check(&g->out, "the findings", err) < 0)
		return -1;
	members = (struct ai_value){ AI_OBJECT, { g->out.p, g->out.len } };
	guard_say_blocked(g, &why);
	return ai_emit_fail_with(out, rec, &why, members, err);
}

/* With -r: the text as it is now. */
static int put_plain(struct guard_flow *g, struct ai_emit *out,
		     struct ai_err *err)
{
	size_t at = 0;

	if (g->texts.payload.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "a list is no text that "
				  "could be written; leave -r out");
	for (size_t i = 0; i < g->texts.n && redactor != NULL; i++)
		if (g->texts.v[i].value.s.p == g->texts.payload.s.p)
			return redact_text(g, i, &at, true, out, err) < 0 ? -1 :
				ai_emit_line(out, ai_buf_cstr(&g->fresh),
					     g->fresh.len, err);
	ai_buf_clear(&g->text);
	if (ai_json_text(g->texts.payload, &g->text) < 0)
		return ai_buf_check(&g->text, "the text", err);
	return ai_emit_line(out, ai_buf_cstr(&g->text), g->text.len, err);
}

static int let_go(struct guard_flow *g, struct ai_rec *rec,
		  struct ai_emit *out, struct ai_err *err)
{
	if (ai_loop.plain_out)
		return put_plain(g, out, err);
	if (redactor != NULL && redact(g, rec, out, err) < 0)
		return -1;
	guard_put_member(&g->out, g);
	if (ai_buf_check(&g->out, "the findings", err) < 0 ||
	    ai_rec_set(rec, member_name(), &g->out, err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

static void clear(struct guard_flow *g)
{
	ai_buf_shrink(&g->text, KEEP);
	ai_buf_shrink(&g->fresh, KEEP);
	ai_buf_shrink(&g->out, KEEP);
	guard_findings_clear(&g->found);
	guard_findings_clear(&g->passed);
	guard_findings_clear(&g->near);
	if (g->explain != NULL)
		guard_explain_clear(g->explain);
}

/* Of a document without passages; but one that has other texts is looked at,
 * whatever it says of its passages. */
static bool has_no_text(struct guard_flow *g, const struct ai_rec *rec)
{
	struct ai_err why;

	if (!ai_rec_is_empty(rec))
		return false;
	if (guard_texts_take(&g->texts, rec, &why) < 0)
		return !g->texts.any;
	for (size_t i = 0; i < g->texts.n; i++)
		if (g->texts.v[i].value.s.n > 2)
			return false;
	return true;
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct guard_flow *g = state;

	clear(g);
	if (has_no_text(g, rec))
		return ai_loop.plain_out ? 0 : ai_emit_rec(out, rec, err);
	if (find(g, rec, err) < 0 || tell(g, err) < 0)
		return -1;
	if (g->verdict != GUARD_PASS)
		ai_emit_no(out);
	if (g->verdict == GUARD_DROP) {
		atomic_fetch_add(&dropped, 1);
		return 0;
	}
	return g->verdict == GUARD_BLOCK ? block(g, rec, out, err)
					 : let_go(g, rec, out, err);
}

/* ---- the loop -------------------------------------------------------------------------- */

static void close_guard(void *state)
{
	struct guard_flow *g = state;

	guard_texts_release(&g->texts);
	guard_events_release(&g->events);
	guard_opinion_free(g->opinion);
	guard_told_release(&g->told);
	guard_findings_release(&g->found);
	guard_findings_release(&g->passed);
	guard_findings_release(&g->near);
	guard_explain_free(g->explain);
	ai_buf_release(&g->text);
	ai_buf_release(&g->fresh);
	ai_buf_release(&g->out);
	free(g);
}

static int open_guard(void **state, struct ai_err *err)
{
	struct guard_flow *g = calloc(1, sizeof *g);

	if (g == NULL)
		return ai_err_nomem(err);
	guard_texts_init(&g->texts);
	guard_events_init(&g->events);
	guard_told_init(&g->told);
	g->found.told = &g->told;
	ai_buf_init(&g->text, GUARD_TEXT_MAX);
	ai_buf_init(&g->fresh, 2 * GUARD_TEXT_MAX);
	ai_buf_init(&g->out, GUARD_TEXT_MAX);
	if (guard_opinion_rate() > 0 &&
	    guard_opinion_new(&g->opinion, err) < 0) {
		close_guard(g);
		return -1;
	}
	if (guard_settings.explain &&
	    (g->explain = guard_explain_new(err)) == NULL) {
		close_guard(g);
		return -1;
	}
	*state = g;
	return 0;
}

static int flush(void *state, struct ai_err *err)
{
	struct guard_flow *g = state;

	return guard_events_flush(&g->events, err);
}

static int before_write(struct ai_err *err)
{
	return guard_redactor_settle(redactor, err);
}

static int start_redactor(struct ai_err *err)
{
	if (!guard_policy_redacts())
		return 0;
	redactor = guard_redactor_new(ai_emit_turn, err);
	return redactor == NULL ? -1 : 0;
}

/* The verdict must not stand where the text was. */
static int check_name(struct ai_err *err)
{
	static const char *const usual[] = {
		"text", "prompt", "query", "messages", "hits", "body",
		"params", "instructions", "system", "template", "completion",
	};
	const char *as = ai_loop.as, *path = ai_loop.path;
	bool read = as != NULL && path != NULL && strlen(as) ==
		strcspn(path, ".") && strncmp(path, as, strlen(as)) == 0;

	for (size_t i = 0; as != NULL && i < sizeof usual / sizeof *usual; i++)
		read = read || strcmp(as, usual[i]) == 0;
	return !read ? 0 : ai_err_set(err, AI_E_USAGE, "--as: '%.100s' is a "
				      "text that is looked at; give another "
				      "name", as);
}

int guard_run(int argc, char **argv, struct ai_err *err)
{
	struct ai_filter filter = {
		.each = each, .empty = true, .flush = flush, .before_write = before_write,
		.open = open_guard, .close = close_guard,
	};
	struct ai_err why;
	unsigned long n;
	int rc = check_name(err);

	if (rc == 0)
		rc = guard_policy_load(err);
	if (rc == 0)
		rc = guard_classify_open(err);
	if (rc == 0)
		rc = guard_told_load(err);
	if (rc == 0)
		rc = guard_canary_load(err);
	if (rc == 0)
		rc = guard_shape_open(err);
	if (rc == 0)
		rc = guard_opinion_start(err);
	if (rc == 0)
		rc = start_redactor(err);
	if (rc == 0)
		rc = guard_events_start(err);
	filter.withhold = guard_policy_withholds();
	if (rc == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	n = atomic_load(&dropped);
	if (n > 0)
		ai_msg(AI_MSG_WARN, "%lu record%s left out, as the policy says",
		       n, n == 1 ? " was" : "s were");
	guard_opinion_end();
	if (guard_events_end(rc < 0 ? &why : err) < 0)
		rc = -1;
	guard_redactor_free(redactor);
	redactor = NULL;
	guard_shape_close();
	guard_told_unload();
	guard_canary_unload();
	guard_policy_unload();
	return rc;
}
