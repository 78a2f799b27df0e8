/* estimate.c: the member "cost": what it would cost to ask a model this. */
#include "cost.h"

#include "base/msg.h"
#include "record/loop.h"

#include <string.h>

static int worker_open(void **state, struct ai_err *err)
{
	*state = cost_desk_new(err);
	return *state == NULL ? -1 : 0;
}

static void worker_close(void *state)
{
	cost_desk_free(state);
}

/* ---- writing -------------------------------------------------------------------- */

static void put_usd(struct ai_buf *b, const char *key, size_t n, int64_t nano)
{
	char text[AI_MONEY_TEXT];

	ai_buf_add(b, key, n);
	ai_money_text(nano, text);
	ai_buf_str(b, text);
}

static void put_n(struct ai_buf *b, const char *key, size_t n, int64_t v)
{
	ai_buf_add(b, key, n);
	ai_put_i64(b, v);
}

/* A key with its comma and colon, as it stands in the text. */
#define KEY(name) ",\"" name "\":", sizeof(",\"" name "\":") - 1

static void put(const struct cost_figure *f, struct ai_buf *b)
{
	const struct cost_model *m = f->model;

	ai_buf_add(b, m->head.p, m->head.len);
	ai_put_i64(b, (int64_t)f->input.count);
	if (f->input.low != f->input.high) {
		put_n(b, KEY("input_low"), (int64_t)f->input.low);
		put_n(b, KEY("input_high"), (int64_t)f->input.high);
	}
	put_n(b, KEY("output_tokens"), f->output);
	put_n(b, KEY("max_tokens"), f->limit);
	put_usd(b, KEY("expected_usd"), f->expected);
	put_usd(b, KEY("worst_usd"), f->worst);
	ai_buf_add(b, m->price.p, m->price.len);
	if (m->room.left == INT64_MAX)
		ai_buf_str(b, ",\"left_usd\":null");
	else
		put_usd(b, KEY("left_usd"), m->room.left);
	ai_buf_str(b, f->fits ? ",\"fits\":true}" : ",\"fits\":false}");
}

static int each(void *state, struct ai_rec *rec, struct ai_emit *out,
		struct ai_err *err)
{
	struct cost_desk *d = state;
	struct cost_wish q;
	struct cost_figure f;
	char dollars[AI_MONEY_TEXT];

	if (cost_wish_take(&q, rec, err) < 0 ||
	    cost_figure_out(d, &q, &f, err) < 0)
		return -1;
	if (!f.fits)
		ai_emit_no(out);
	if (ai_loop.plain_out) {
		ai_money_text(f.expected, dollars);
		return ai_emit_answer(out, rec, dollars, strlen(dollars), err);
	}
	ai_buf_clear(&d->out);
	put(&f, &d->out);
	if (ai_buf_check(&d->out, "the member", err) < 0 ||
	    ai_rec_set(rec, ai_loop.as != NULL ? ai_loop.as : "cost", &d->out,
		       err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

/* A price that is not there is told before any record is read. */
static int check(struct ai_err *err)
{
	struct ai_tariff t;
	const char *model;

	if (ai_paid_warning() != NULL)
		ai_msg(AI_MSG_WARN, "%s", ai_paid_warning());
	model = cost_wish_begin(err);
	if (model == NULL)
		return -1;
	return *model == '\0' ? 0 : ai_tariff_init(&t, model, "", NULL, err);
}

int cost_estimate(int argc, char **argv, struct ai_err *err)
{
	static const struct ai_filter filter = {
		.each = each, .open = worker_open, .close = worker_close,
	};

	if (cost.dry_run && (ai_loop.as != NULL || ai_loop.exit_no))
		return ai_err_set(err, AI_E_USAGE, "--dry-run writes no "
				  "records: it goes neither with --as nor "
				  "with -e");
	if (check(err) < 0)
		return -1;
	if (cost.dry_run)
		return cost_dry_run(argc, argv, err);
	return ai_loop_run(&filter, argc, argv, err);
}
