/*
 * What agents may spend together: random histories of takings and ends beside a
 * model that is an array; at no time is more set aside and spent than the budget
 * has, whoever was killed, paused or done again.
 *
 *	ledger-share [SEED [ROUNDS]]
 */
#include "store/ledger-int.h"
#include "store/share.h"
#include "help.h"
#include "tap.h"

#include <string.h>
#include <unistd.h>

#define RUNS 6
#define OPS 60
#define BUDGET 1000

static char folder[] = "/tmp/ai-ledger-share-XXXXXX", path[100];

struct m_run {
	int64_t held, spent;
	bool lives; /* somebody works on it */
};

static struct m_run m[RUNS];
static struct ai_run handle[RUNS];
static char names[RUNS][16];

static void sums(int64_t *held, int64_t *spent)
{
	*held = *spent = 0;
	for (int i = 0; i < RUNS; i++) {
		*held += m[i].held;
		*spent += m[i].spent;
	}
}

/* What has to be said; it is done in the model, too. */
static enum ai_share_verdict model_take(int i, int64_t wanted, bool patient,
					int64_t *nano)
{
	int64_t held, spent, left, more;

	sums(&held, &spent);
	left = BUDGET - spent - (held - m[i].held);
	more = wanted - m[i].spent;
	for (int k = 0; patient && left < more && k < RUNS; k++)
		if (k != i && m[k].held > 0 && m[k].lives)
			return AI_SHARE_WAIT;
	if (left < more)
		more = left;
	m[i].held = more > 0 ? more : 0;
	*nano = m[i].spent + m[i].held;
	return more > 0 ? AI_SHARE_TAKEN : AI_SHARE_SPENT;
}

static bool step(struct ai_ledger *l, const char *root, struct ai_err *err)
{
	const struct ai_run_change pause = { .status = AI_RUN_PAUSED };
	enum ai_share_verdict want, got = AI_SHARE_WAIT;
	int i = (int)below(RUNS);
	struct ai_share s = { .root = root, .agent = "dora", .run = names[i],
		.budget = BUDGET, .wanted = 1 + below(BUDGET * 3 / 2) };
	int64_t cost = m[i].spent, nano = -1, m_nano = -1;
	bool patient = below(2) == 0;

	switch (below(4)) {
	case 0:
		m[i].lives = below(2) == 0;
		return m[i].lives
			? ai_run_take(l, names[i], INT64_MAX, &handle[i],
				      err) == 0
			: ai_run_put(l, &handle[i], NULL, 0, &pause, false,
				     err) == 0;
	case 1:
		if (m[i].held > 0)
			cost += below(m[i].held + 1);
		m[i] = (struct m_run){ 0, cost, m[i].lives };
		/* Done again it is the same. */
		return ai_share_end(l, &s, cost, err) == 0 &&
			(below(4) > 0 || ai_share_end(l, &s, cost, err) == 0);
	default:
		want = model_take(i, s.wanted, patient, &m_nano);
		return ai_share_take(l, &s, patient, &got, &nano, err) == 0 &&
			got == want && (want == AI_SHARE_WAIT ||
					nano == m_nano);
	}
}

static bool history(struct ai_ledger *l, int round)
{
	int64_t held, spent, in_ledger;
	char root[16], sql[200];
	struct ai_err err;

	snprintf(root, sizeof(root), "root%d", round);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < RUNS; i++) {
		struct ai_run_new n = { .id = names[i], .root = root,
			.cap = -1, .task = AI_SPAN("{}"),
			.setup = AI_SPAN("{}") };

		snprintf(names[i], sizeof(names[i]), "r%d.%d", round, i);
		m[i].lives = true;
		if (ai_run_new(l, &n, &handle[i], &err) != 0)
			return false;
	}
	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(held+spent), 0) FROM"
		 " share WHERE root='%s' AND run<>''", root);
	for (int k = 0; k < OPS; k++) {
		if (!step(l, root, &err))
			return false;
		sums(&held, &spent);
		if (held + spent > BUDGET ||
		    ai_db_int(&l->db, sql, &in_ledger, &err) < 0 ||
		    in_ledger != held + spent)
			return false;
	}
	return true;
}

/* It is nobody else's, and goes with its outermost run. */
static void test_apart(struct ai_ledger *l)
{
	const struct ai_run_new root = { .id = "root", .root = "root",
		.cap = -1, .task = AI_SPAN("{}"), .setup = AI_SPAN("{}") };
	const struct ai_run_change done = { .status = AI_RUN_DONE };
	struct ai_share s = { .root = "root", .agent = "ann", .run = "x",
			      .budget = 10, .wanted = 10 };
	enum ai_share_verdict v;
	struct ai_run run;
	struct ai_err err;
	int64_t nano, n;

	ai_run_new(l, &root, &run, &err);
	ai_share_take(l, &s, true, &v, &nano, &err);
	s.agent = "bob";
	ok(ai_share_take(l, &s, true, &v, &nano, &err) == 0 &&
	   v == AI_SHARE_TAKEN && nano == 10, "each agent has its own");
	s.root = "other";
	ok(ai_share_take(l, &s, true, &v, &nano, &err) == 0 &&
	   v == AI_SHARE_TAKEN && nano == 10, "in each run");
	ai_run_put(l, &run, NULL, 0, &done, false, &err);
	ok(ai_run_remove(l, "root", NULL, &err) == 0 &&
	   ai_db_int(&l->db, "SELECT count(*) FROM share WHERE root='root'",
		     &n, &err) == 0 && n == 0, "it goes with the run");
}

int main(int argc, char **argv)
{
	int64_t rounds;
	struct ai_ledger *l;
	struct ai_err err;
	int good = 0;

	seed = (uint64_t)number(argc, argv, 1, 1);
	rounds = number(argc, argv, 2, 100);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	if (ai_ledger_open(&l, path, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		return 1;
	}
	l->no_sync = true;
	for (int i = 0; i < rounds; i++)
		good += history(l, i);
	ok(good == rounds, "%d of %d histories are as the model's", good,
	   (int)rounds);
	test_apart(l);
	ai_ledger_close(l);
	remove_folder(folder);
	return done();
}
