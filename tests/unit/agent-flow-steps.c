/*
 * The names of a workflow's steps, the table that finds them, and breakers: on
 * random ones, against the plainest way of doing the same.
 *
 *	agent-flow-steps [SEED]
 */
#include "flow/run.h"
#include "help.h"
#include "tap.h"

#include "base/msg.h"

#include <string.h>

struct agent_settings agent;

#define PLACES 20000
#define TASKS 6
#define AGENTS 4
#define ANSWERS 200
#define ROUNDS 300

/* ---- names --------------------------------------------------------------------- */

/* A question of the plan: what is not there in its task is 0 or -1. */
struct place {
	size_t task;
	int64_t item, round, attempt;
	char kind;
	size_t n;
	bool whose;
	char name[FLOW_STEP_NAME];
};

/* Names that try to look like parts of names. */
static char task_names[TASKS][8] = { "a", "a-1", "a_1", "1", "a1", "a-" };
static struct flow_task tasks[TASKS];
static struct place places[PLACES];

static void random_place(const struct flow_work *w, struct place *p)
{
	struct flow_job job;

	memset(p, 0, sizeof(*p));
	p->task = (size_t)below(TASKS);
	p->item = below(3) == 0 ? -1 : below(30);
	/* Before a task begins its round is 0. */
	p->round = tasks[p->task].loop_max > 0 ? below(12) : 0;
	p->attempt = below(12);
	p->kind = "\0\0>?@@"[below(6)];
	p->n = p->kind == 0 ? 0 : (size_t)below(30);
	p->whose = p->kind == '@' && below(2) == 0;
	memset(&job, 0, sizeof(job));
	job.task = p->task;
	job.item = p->item;
	job.round = p->round;
	job.attempt = p->attempt;
	flow_ask_name(w, &job, p->kind, p->n, p->whose, p->name);
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->task == b->task && a->item == b->item &&
		a->round == b->round && a->attempt == b->attempt &&
		a->kind == b->kind && a->n == b->n && a->whose == b->whose;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->name,
		      ((const struct place *)b)->name);
}

static void check_names(void)
{
	struct flow f = { .tasks = tasks, .n_tasks = TASKS };
	struct flow_work w;
	int mixed = 0, twice = 0;

	memset(&w, 0, sizeof(w));
	w.flow = &f;
	for (size_t i = 0; i < TASKS; i++) {
		tasks[i].name = task_names[i];
		tasks[i].loop_max = i % 2 == 0 ? 20 : 0;
	}
	for (size_t i = 0; i < PLACES; i++)
		random_place(&w, &places[i]);
	qsort(places, PLACES, sizeof(places[0]), by_name);
	/* Of one name are those that are one, and only those: all of a name stand
	 * together. */
	for (size_t i = 1; i < PLACES; i++) {
		bool same = strcmp(places[i].name, places[i - 1].name) == 0;

		twice += same;
		mixed += same != same_place(&places[i], &places[i - 1]);
	}
	ok(mixed == 0 && twice > 0, "%d places, %d of them twice: a name is of "
	   "one of them", PLACES, twice);
}

/* ---- the table ------------------------------------------------------------------- */

static void check_table(void)
{
	struct flow_journal j = { .run.hold = -1 };
	size_t wrong = 0, n = 0;
	struct ai_err err;
	char name[40];

	snprintf(j.run.run.id, sizeof(j.run.run.id), "r");
	for (int i = 0; i < 5000; i++) {
		struct flow_step *s, *was;

		snprintf(name, sizeof(name), "t%lld", (long long)below(4000));
		was = NULL;
		for (size_t k = 0; k < j.n; k++)
			if (strcmp(j.v[k]->name, name) == 0)
				was = j.v[k];
		s = flow_journal_find(&j, name);
		wrong += s != was;
		if (s == NULL) {
			s = flow_journal_add(&j, name, &err);
			wrong += s == NULL || s->n != (int64_t)++n;
		}
		wrong += flow_journal_find(&j, name) != s;
	}
	ok(wrong == 0 && j.n == n && n > 2000, "%zu steps are found by their "
	   "names, as a walk through all of them does", n);
	for (size_t i = 0; i < j.n; i++)
		for (size_t k = i < 50 ? 0 : j.n; k < i; k++)
			wrong += strcmp(j.v[i]->key, j.v[k]->key) == 0;
	ok(wrong == 0, "each has a key of its own");
	flow_journal_release(&j);
}

/* ---- breakers ---------------------------------------------------------------------- */

static const struct { const char *result; int says; } answers[] = {
	{ "{\"text\":\"x\"}", 0 },
	{ "{\"text\":\"x\",\"turns\":1}", 0 },
	{ "{\"text\":\"\",\"failed\":true,\"code\":\"unavailable\","
	  "\"error\":\"down\"}", 1 },
	{ "{\"text\":\"\",\"failed\":true,\"code\":\"invalid_answer\","
	  "\"error\":\"no\"}", 1 },
	{ "{\"text\":\"\",\"failed\":true,\"code\":\"limit\",\"error\":\"l\"}",
	  -1 },
	{ "{\"text\":\"\",\"failed\":true,\"code\":\"budget_exceeded\","
	  "\"error\":\"b\"}", -1 },
	/* It was not asked. */
	{ "{\"text\":\"no\",\"failed\":true,\"code\":\"unavailable\"}", -1 },
};

/* What counts of one agent: failures since the last good answer. */
static int64_t plainly(const int *says, const size_t *of, size_t n, size_t who)
{
	int64_t failures = 0;

	while (n > 0 && (of[n - 1] != who || says[n - 1] != 0)) {
		failures += of[n - 1] == who && says[n - 1] > 0;
		n--;
	}
	return failures;
}

static char agent_names[AGENTS][8] = { "a", "b", "c", "d" };

static int one_history(void)
{
	struct flow_agent a[AGENTS];
	struct flow f = { .agents = a, .n_agents = AGENTS };
	struct flow_account online[AGENTS], later[AGENTS];
	struct flow_work w;
	struct ai_err err;
	int says[ANSWERS], wrong = 0;
	size_t of[ANSWERS], n = (size_t)below(ANSWERS);
	char name[20];

	memset(a, 0, sizeof(a));
	memset(online, 0, sizeof(online));
	memset(later, 0, sizeof(later));
	memset(&w, 0, sizeof(w));
	w.flow = &f;
	w.agents = online;
	w.journal.run.hold = -1;
	for (size_t i = 0; i < AGENTS; i++) {
		a[i].name = agent_names[i];
		a[i].failures = 1 + below(4);
		a[i].rest_s = 3600;
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		if (flow_journal_add(&w.journal, name, &err) == NULL)
			return 1;
	}
	/* They end in another order than they were begun in (a prime larger than
	 * n goes through all of them). */
	for (size_t i = 0; i < n; i++) {
		struct flow_step *s = w.journal.v[i * 7919 % n];
		size_t k = (size_t)below(sizeof(answers) / sizeof(answers[0]));

		s->agent = of[i] = (size_t)below(AGENTS);
		s->state = AI_STEP_DONE;
		s->changed = 1000 + (int64_t)i;
		s->result = ai_span_dup(ai_span_of(answers[k].result));
		says[i] = answers[k].says;
		flow_breaker_heed(&w, s);
		wrong += online[of[i]].failures != plainly(says, of, i + 1,
							   of[i]);
	}
	w.agents = later;
	wrong += flow_breaker_recall(&w, &err) < 0;
	for (size_t i = 0; i < AGENTS; i++) {
		bool open = flow_breaker_is_open(&online[i]);

		wrong += later[i].failures != online[i].failures ||
			later[i].failures != plainly(says, of, n, i) ||
			open != (online[i].failures >= a[i].failures);
		/* The answers are fifty years old: its rest is over. */
		wrong += flow_breaker_is_open(&later[i]) ||
			(open && !flow_breaker_is_open(&later[i]));
	}
	flow_journal_release(&w.journal);
	return wrong;
}

static void check_breakers(void)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++)
		wrong += one_history();
	ok(wrong == 0, "%d histories: from the journal a breaker is as it was, "
	   "and its rest has gone on", ROUNDS);
}

int main(int argc, char **argv)
{
	seed = (uint64_t)number(argc, argv, 1, 1);
	printf("# seed %llu\n", (unsigned long long)seed);
	ai_msg_setup("agent-flow-steps", AI_MSG_ERROR, AI_MSG_TEXT);
	check_names();
	check_table();
	check_breakers();
	return done();
}
