/* person.c: what is kept of a user: shown, and removed. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/json.h"

static int check(int argc, char **argv, const char *how, struct ai_err *err)
{
	if (cost_no_operand(argc, argv, err) < 0)
		return -1;
	/* AI_USER says whose calls these are, not who is to be forgotten. */
	return ai_start_given(&ai_paid.user) && ai_paid.user[0] != '\0' ? 0 :
		ai_err_set(err, AI_E_USAGE, "usage: ai-cost %s", how);
}

static int user_rows(struct ai_ledger *l, struct cost_out *o,
		     struct ai_err *err)
{
	return ai_ledger_export_user(l, ai_paid.user, cost_put_line, o, err);
}

int cost_export(int argc, char **argv, struct ai_err *err)
{
	return check(argc, argv, "export --user NAME", err) < 0 ? -1 :
		cost_list(user_rows, NULL, err);
}

static void warn_of(void *arg, const char *file)
{
	(void)arg;
	ai_msg(AI_MSG_WARN, "'%s' is not the ledger itself, and may have the "
	       "name: it was left as it is", file);
}

/* Where traces may be that are not the ledger's to remove. */
static int warn(struct ai_ledger *l, const struct ai_forgotten *f,
		struct ai_err *err)
{
	if (f->log)
		ai_msg(AI_MSG_WARN, "other programs read the ledger just now; "
		       "when they have ended, say 'ai-cost ledger vacuum', and "
		       "the last traces go");
	if (f->restoring)
		ai_msg(AI_MSG_WARN, "the ledger is being restored just now; "
		       "when that has ended, forget the user once more");
	return ai_ledger_beside(l, warn_of, NULL, err);
}

static int forget(struct ai_ledger *l, struct cost_out *o, struct ai_err *err)
{
	struct ai_forgotten f;
	int known = ai_ledger_forget(l, ai_paid.user, &f, err);

	if (known < 0)
		return -1;
	if (known == 0)
		return ai_err_set(err, AI_E_USAGE, "the ledger knows no user "
				  "'%.80s'", ai_paid.user);
	ai_put_open(&o->line, '{');
	cost_put_int(&o->line, "budgets", f.budgets);
	cost_put_int(&o->line, "conversations", f.conversations);
	cost_put_int(&o->line, "messages", f.messages);
	cost_put_int(&o->line, "answers", f.answers);
	cost_put_int(&o->line, "runs", f.runs);
	ai_put_close(&o->line, '}');
	cost_put(o);
	return warn(l, &f, err);
}

int cost_forget(int argc, char **argv, struct ai_err *err)
{
	return check(argc, argv, "forget --user NAME", err) < 0 ? -1 :
		cost_list(forget, NULL, err);
}
