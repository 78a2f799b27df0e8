/*
 * report.c: a ledger with many calls, made quickly.
 *
 *	report FILE CALLS RUNS USERS DAYS
 *
 * The calls are spread over the days before now; each has a transfer for its
 * reservation and one for its end.  All else is as the library writes it, so
 * that "ledger check" has nothing to say.
 */
#include "store/ledger-int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 50000

static const char *const models[] = { "gpt-5-mini", "gpt-5", "claude-sonnet-5",
	"claude-opus-5", "gemini-3-flash", "mistral-large", "command-r",
	"<script>alert(1)</script>\"'&", "text-embedding-3-small" };
static const char *const providers[] = { "openai", "openai", "anthropic",
	"anthropic", "google", "mistral", "cohere", "", "openai" };

static uint64_t seed = 1;
static int64_t clock_ms;

static int64_t below(int64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return n <= 0 ? 0 : (int64_t)((seed >> 33) % (uint64_t)n);
}

static int64_t wall(void)
{
	return clock_ms;
}

struct fill {
	int64_t calls, done, runs, users, from, span;
};

static void choose(const struct fill *f, struct ai_labels *l)
{
	int64_t run = f->runs > 0 ? f->done * f->runs / f->calls : -1,
		user = f->users > 0 ? below(f->users) : -1;
	/* A run, or a user, mostly asks one model. */
	int m = run >= 0 ? (int)(run % 9) : user >= 0 ? (int)(user % 9)
		: (int)(below(9) * below(9) / 9),
	    tenant = run >= 0 ? (int)(run % 3) : user >= 0 ? (int)(user % 3)
		: (int)below(3);

	memset(l, 0, sizeof(*l));
	snprintf(l->model, sizeof(l->model), "%s", models[m]);
	snprintf(l->provider, sizeof(l->provider), "%s", providers[m]);
	snprintf(l->tool, sizeof(l->tool), "%s", m == 8 ? "ai-embed"
		 : "ai-complete");
	snprintf(l->tenant, sizeof(l->tenant), "tenant-%d", tenant);
	if (run >= 0)
		snprintf(l->run, sizeof(l->run), "run-%07lld", (long long)run);
	if (user >= 0)
		snprintf(l->user, sizeof(l->user), "user-%07lld",
			 (long long)user);
}

static struct ledger_ending ending(int64_t worst)
{
	int64_t how = below(100);
	struct ledger_ending e = { .kind = LEDGER_POST, .usage = "{\"n\":1}",
				   .amount = worst / 2 + below(worst / 2) };

	e.facts = (struct ai_facts){ AI_ENDED_ANSWERED, 1 + (how > 95),
		200 + below(4000), below(200), 0, 50 + below(900), below(40),
		200000 + below(400000) * below(60), 100000 + below(900000) };
	if (how >= 2)
		return e;
	e.amount = how == 0 ? worst : 0;
	e.kind = how == 0 ? LEDGER_EXPIRE : LEDGER_POST;
	e.usage = "";
	e.facts = (struct ai_facts){ .ended = how == 0 ? AI_ENDED_LOST
		: AI_ENDED_LIMITED + below(2), .attempt = 1 };
	return e;
}

static int one(struct ai_ledger *l, struct fill *f, struct ai_err *err)
{
	unsigned char id[AI_LEDGER_ID];
	struct ledger_transfer t = { .kind = LEDGER_PENDING, .id = id,
				     .usage = "" };
	struct ledger_reserved r = { .open = true };
	struct ledger_ending e;
	struct ai_labels labels;

	clock_ms = f->from + (int64_t)((double)f->span * (double)f->done /
				       (double)f->calls);
	choose(f, &labels);
	memset(id, 0, sizeof(id));
	memcpy(id, &f->done, sizeof(f->done));
	t.amount = 100000 + below(4000000);
	t.created = clock_ms;
	if (ledger_person(l, labels.user, err) < 0 ||
	    ledger_label(l, &labels, &t.label, err) < 0 ||
	    ledger_append(l, &t, err) <= 0)
		return -1;
	r.seq = l->seq;
	r.amount = t.amount;
	r.label = t.label;
	r.created = t.created;
	e = ending(t.amount);
	return ledger_end(l, &r, &e, clock_ms + e.facts.time_us / 1000, err);
}

static int some(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct fill *f = arg;
	int64_t end = f->done + AT_ONCE < f->calls ? f->done + AT_ONCE
						   : f->calls;

	for (; f->done < end; f->done++)
		if (one(l, f, err) < 0)
			return -1;
	return 0;
}

static int hits(struct ai_ledger *l, struct ai_err *err)
{
	struct ai_hit hit = { .hits = 1234, .saved = 5670000000 };
	struct ai_ledger_op op = { .what = AI_LEDGER_HIT, .in.hit = &hit },
			    *list = &op;

	snprintf(hit.labels.tool, sizeof(hit.labels.tool), "ai-complete");
	snprintf(hit.labels.model, sizeof(hit.labels.model), "gpt-5");
	return ai_ledger_many(l, &list, 1, err);
}

int main(int argc, char **argv)
{
	struct ai_ledger *l;
	struct ai_err err = { .msg = "" };
	struct fill f = { .calls = 0 };
	int rc = 0;

	if (argc != 6)
		return 64;
	f.calls = strtoll(argv[2], NULL, 10);
	f.runs = strtoll(argv[3], NULL, 10);
	f.users = strtoll(argv[4], NULL, 10);
	f.span = strtoll(argv[5], NULL, 10) * 86400000;
	if (f.calls < 1 || ai_ledger_open(&l, argv[1], &err) < 0) {
		fprintf(stderr, "report: %s\n", err.msg);
		return 1;
	}
	f.from = l->wall_ms() - f.span;
	l->wall_ms = wall;
	l->no_sync = true;
	while (rc == 0 && f.done < f.calls)
		rc = ledger_alone(l, false, some, &f, &err);
	if (rc == 0)
		rc = hits(l, &err);
	if (rc < 0)
		fprintf(stderr, "report: %s\n", err.msg);
	ai_ledger_close(l);
	return rc < 0;
}
