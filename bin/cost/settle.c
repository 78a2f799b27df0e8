/* settle.c: what somebody knows better: a call's cost, a provider's health. */
#include "cost.h"

#include "base/start.h"
#include "record/loop.h"
#include "record/rec.h"

#include <string.h>

static struct {
	const char *hex;
	enum ai_booking how;
	int64_t nano;
} wanted;

static int settle(struct ai_ledger *l, struct cost_out *o, struct ai_err *err)
{
	unsigned char id[AI_LEDGER_ID];
	struct ai_settled s;

	if (ai_ledger_find_id(l, wanted.hex, id, err) < 0 ||
	    ai_ledger_settle(l, id, wanted.how, wanted.nano, cost.force, &s,
			     err) < 0)
		return -1;
	ai_put_open(&o->line, '{');
	cost_put_usd(&o->line, s.open ? "held_usd" : "was_usd", s.was);
	cost_put_usd(&o->line, "is_usd", s.is);
	ai_put_close(&o->line, '}');
	cost_put(o);
	return 0;
}

/* What somebody may know better: calls that were sent or may have been, and
 * had no answer. */
static int list_call(void *arg, const struct ai_hold *h)
{
	struct cost_out *o = arg;
	struct ai_buf *b = &o->line;
	char amount[AI_MONEY_TEXT], age[40];

	if (h->alive)
		return 0;
	if (ai_loop.plain_out) {
		ai_money_show(h->amount, amount);
		cost_age(h->created, age);
		ai_buf_fmt(b, "%s %12s %-6s %-12s %-11s %s", h->id, amount,
			   h->pid != 0 ? "held" : "booked", h->tool, age,
			   h->model);
		return cost_put(o);
	}
	ai_put_open(b, '{');
	cost_put_text(b, "id", h->id);
	cost_put_usd(b, h->pid != 0 ? "held_usd" : "booked_usd", h->amount);
	cost_put_text(b, "tool", h->tool);
	cost_put_text(b, "model", h->model);
	cost_put_time(b, "since", h->created);
	ai_put_close(b, '}');
	return cost_put(o);
}

static int open_questions(struct ai_ledger *l, struct cost_out *o,
			  struct ai_err *err)
{
	return ai_ledger_unanswered(l, list_call, o, err) < 0 ? -1 :
		ai_ledger_holds(l, list_call, o, err);
}

int cost_settle(int argc, char **argv, struct ai_err *err)
{
	static const char *show = "show";

	if (argc == 0 || (argc == 1 && strcmp(argv[0], "show") == 0))
		return cost_list(open_questions, "id                                     a"
				 "mount state  tool         age         model",
				 err);
	if (argc == 1 && ai_nearest(argv[0], &show, 1) != NULL)
		return ai_err_set(err, AI_E_USAGE, "'%.60s' is no verb of "
				  "settle; did you mean 'show'?", argv[0]);
	if (cost_operands(argc, 2, "settle ID DOLLARS|worst|void", err) < 0)
		return -1;
	wanted.how = strcmp(argv[1], "worst") == 0 ? AI_BOOK_WORST :
		strcmp(argv[1], "void") == 0 ? AI_BOOK_NONE : AI_BOOK_AMOUNT;
	if (wanted.how == AI_BOOK_AMOUNT &&
	    ai_money_parse(ai_span_of(argv[1]), &wanted.nano, err) < 0)
		return -1;
	wanted.hex = argv[0];
	return cost_list(settle, NULL, err);
}

/* ---- breakers ------------------------------------------------------------------ */

static int reset(int argc, char **argv, struct ai_err *err)
{
	char name[COST_MODEL_MAX];
	struct ai_ledger *l;
	int rc;

	if ((argc > 0 &&
	     cost_operands(argc, 1, "breaker reset [MODEL]", err) < 0) ||
	    cost_open(&l, false, err) < 0)
		return -1;
	rc = l == NULL ? 0 :
		ai_ledger_reset_breaker(l, argc == 0 ? "*" :
					cost_model_name(argv[0], false, name),
					err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_breaker(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "show", cost_show_breaker }, { "reset", reset },
		{ NULL, NULL }
	};

	if (argc == 0)
		return cost_show_breaker(argc, argv, err);
	return cost_pick("breaker", words, argc, argv, err);
}
