/* kept.c: answers that are kept: the journals of batches, and the cache. */
#include "cost.h"

#include "record/loop.h"
#include "record/rec.h"
#include "store/batch.h"
#include "store/cache.h"

/* ---- batches ------------------------------------------------------------------ */

static int list_batch(void *arg, const struct ai_batch_state *s)
{
	struct cost_out *o = arg;
	struct ai_buf *b = &o->line;
	char since[40];

	if (ai_loop.plain_out) {
		cost_time(s->created, since);
		ai_buf_fmt(b, "%8lld %8lld %-25s %s%s", (long long)s->answered,
			   (long long)(s->lines - s->answered), since, s->name,
			   s->pid != 0 ? " (under way)" : "");
		return cost_put(o);
	}
	ai_put_open(b, '{');
	cost_put_text(b, "batch", s->name);
	cost_put_int(b, "answered", s->answered);
	cost_put_int(b, "open", s->lines - s->answered);
	cost_put_time(b, "since", s->created);
	ai_put_key(b, "pid");
	if (s->pid != 0)
		ai_put_i64(b, s->pid);
	else
		ai_put_null(b);
	ai_put_close(b, '}');
	return cost_put(o);
}

static int batch_rows(struct ai_ledger *l, struct cost_out *o,
		      struct ai_err *err)
{
	return ai_batch_list(l, list_batch, o, err);
}

static int remove_batch(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc = 0;

	if (cost_operands(argc, 1, "batch rm NAME", err) < 0 ||
	    cost_open(&l, false, err) < 0)
		return -1;
	if (l != NULL)
		rc = ai_batch_remove(l, argv[0], cost.force, err);
	ai_ledger_close(l);
	if (rc == 0)
		return ai_err_set(err, AI_E_USAGE, "there is no batch '%.80s'",
				  argv[0]);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_batch(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "rm", remove_batch }, { NULL, NULL }
	};

	if (argc == 0)
		return cost_list(batch_rows, "answered     open since         "
				 "            batch", err);
	return cost_pick("batch", words, argc, argv, err);
}

/* ---- the cache ------------------------------------------------------------------- */

static int cache_rows(struct ai_ledger *l, struct cost_out *o,
		      struct ai_err *err)
{
	int64_t entries, bytes;

	if (ai_cache_size(l, &entries, &bytes, err) < 0)
		return -1;
	if (ai_loop.plain_out) {
		ai_buf_fmt(&o->line, "%8lld %12lld", (long long)entries,
			   (long long)bytes);
	} else {
		ai_put_open(&o->line, '{');
		cost_put_int(&o->line, "answers", entries);
		cost_put_int(&o->line, "bytes", bytes);
		ai_put_close(&o->line, '}');
	}
	return cost_put(o) > 0 ? -1 : 0;
}

static int empty(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (cost_no_operand(argc, argv, err) < 0 ||
	    cost_open(&l, false, err) < 0)
		return -1;
	rc = l == NULL ? 0 : ai_cache_prune(l, true, err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

int cost_cache(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "empty", empty }, { NULL, NULL }
	};

	if (argc == 0)
		return cost_list(cache_rows, " answers        bytes", err);
	return cost_pick("cache", words, argc, argv, err);
}
