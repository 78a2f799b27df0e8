/*
 * What goes with a run that is removed: random families of runs, runs within
 * them and forks, beside a model that is an array.
 *
 *	ledger-within [SEED [FAMILIES]]
 */
#include "store/ledger-int.h"
#include "store/run.h"
#include "ask.h"
#include "help.h"
#include "tap.h"

#include <string.h>
#include <unistd.h>

#define TREE 40
#define KEYS 5

/* What the ledger should have: who is there, below which root, and whose names
 * its steps have. */
static struct kin {
	bool there;
	char id[AI_RUN_ID];
	int root, keys[KEYS], n_keys; /* indexes */
} kin[TREE];
static int kins;

/* Below kin `by` as its next step, in the outermost one's name; by -1: new. */
static int add_kin(struct ai_ledger *l, int by)
{
	struct kin *k = &kin[kins];
	struct ai_run_change c = { .status = AI_RUN_DONE };
	struct ai_run run;
	struct ai_err err;
	char key[33];
	bool bad;

	*k = (struct kin){ .there = true,
			   .root = by < 0 ? kins : kin[by].root };
	snprintf(key, sizeof(key), "%032x", (unsigned)kins);
	snprintf(k->id, sizeof(k->id), by < 0 ? "r%s" : below(3) == 0
		 ? "d-%s-2" : "d-%s", key);
	const struct ai_run_new r = { .id = k->id, .root = kin[k->root].id,
		.task = AI_SPAN("{}"), .setup = AI_SPAN("{}"), .cap = -1 };

	bad = ai_run_new(l, &r, &run, &err) != 0 ||
		ai_run_put(l, &run, NULL, 0, &c, false, &err) < 0;
	if (by >= 0) {
		const struct ai_step s = { .n = kin[by].n_keys + 1,
			.kind = AI_STEP_CALL, .state = AI_STEP_DONE,
			.key = key, .said = "", .intent = AI_SPAN("{}"),
			.result = AI_SPAN("{}") };

		kin[by].keys[kin[by].n_keys++] = kins;
		bad |= ai_run_take(l, kin[by].id, INT64_MAX, &run, &err) < 0 ||
			ai_run_put(l, &run, &s, 1, &c, false, &err) < 0;
	}
	kins++;
	return bad;
}

static int fork_kin(struct ai_ledger *l, int of)
{
	struct kin *k = &kin[kins];
	struct ai_run_change c = { .status = AI_RUN_DONE };
	struct ai_run run;
	struct ai_err err;

	*k = kin[of];
	k->n_keys = (int)below(k->n_keys + 1);
	k->root = kins;
	snprintf(k->id, sizeof(k->id), "f%d", kins++);
	const struct ai_run_new r = { .id = k->id, .root = k->id,
		.task = AI_SPAN("{}"), .setup = AI_SPAN("{}"), .cap = -1 };

	return ai_run_fork(l, &r, kin[of].id, k->n_keys + 1, &run, &err) < 0 ||
		ai_run_put(l, &run, NULL, 0, &c, false, &err) < 0;
}

/* What is named by some of the marked, into to; as long as there is more. */
static bool mark_named(const bool *from, bool *to, int root, int not)
{
	bool more = false;

	for (int i = 0; i < kins; i++)
		for (int k = 0; from[i] && kin[i].there && k < kin[i].n_keys;
		     k++) {
			const struct kin *c = &kin[kin[i].keys[k]];

			if (!c->there || to[kin[i].keys[k]] ||
			    kin[i].keys[k] == not ||
			    (root >= 0 && c->root != root &&
			     kin[c->root].there))
				continue;
			to[kin[i].keys[k]] = more = true;
		}
	return more;
}

/* How many go with it. */
static int remove_kin(int x)
{
	bool mine[TREE] = { false }, others[TREE], named[TREE] = { false };
	int n = 0;

	for (int i = 0; i < kins; i++)
		mine[i] = kin[i].there && (i == x || kin[i].root == x);
	while (mark_named(mine, mine, kin[x].root, -1))
		;
	for (int i = 0; i < kins; i++)
		others[i] = !mine[i];
	mark_named(others, named, -1, x);
	while (mark_named(named, named, -1, x))
		;
	for (int i = 0; i < kins; i++)
		if (mine[i] && !named[i]) {
			kin[i].there = false;
			n += i != x;
		}
	return n;
}

static bool is_as_kin(struct ai_ledger *l)
{
	char sql[200];
	int n = 0;

	for (int i = 0; i < kins; i++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM run WHERE"
			 " id='%s'", kin[i].id);
		if (ask(l, sql) != kin[i].there)
			return false;
		n += kin[i].there;
	}
	return ask(l, "SELECT count(*) FROM run") == n &&
		ask(l, "SELECT count(*) FROM step WHERE run NOT IN"
		       " (SELECT n FROM run)") == 0;
}

static int one_family(struct ai_ledger *l, int *removed)
{
	int wrong = 0, x;
	struct ai_err err;
	int64_t within;

	kins = 0;
	while (kins < TREE) {
		x = kins == 0 || below(6) == 0 ? -1 : (int)below(kins);
		if (x >= 0 && below(5) == 0)
			wrong += fork_kin(l, x);
		else if (x < 0 || kin[x].n_keys < KEYS)
			wrong += add_kin(l, x);
	}
	while (wrong == 0 && ask(l, "SELECT count(*) FROM run") > 0) {
		do
			x = (int)below(TREE);
		while (!kin[x].there);
		wrong += ai_run_remove(l, kin[x].id, &within, &err) < 0 ||
			within != remove_kin(x) || !is_as_kin(l);
		(*removed)++;
	}
	return wrong;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/ai-ledger-within-XXXXXX", path[100];
	int64_t families = number(argc, argv, 2, 100), i;
	int wrong = 0, removed = 0;
	struct ai_ledger *l;
	struct ai_err err;

	seed = (uint64_t)number(argc, argv, 1, 1);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	if (ai_ledger_open(&l, path, &err) < 0)
		return 1;
	l->no_sync = true;
	for (i = 0; i < families && wrong == 0; i++)
		wrong += one_family(l, &removed);
	ok(wrong == 0, "with a run go those within it that nobody else names: "
	   "%lld families of %d, %d removals", (long long)i, TREE, removed);
	ok(removed > i * TREE / 10 && removed < i * TREE, "some went along");
	ai_ledger_close(l);
	remove_folder(folder);
	return done();
}
