/*
 * length.c: whether what is asked fits into a model's context.
 *
 * A text has no more tokens than bytes, so that most need no counting.  Others
 * are counted in the model's own encoding, where that is public.  Where it is
 * not, another is near it: its count is taken to be right within a quarter, so
 * that nothing is refused that might fit.  Tools and a schema are told to the
 * model in a form that the provider does not tell; half their own tokens is
 * taken to be the least.
 */
#include "complete.h"

#include "model/chat_tokens.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SYNTAX 64  /* what a provider puts around a message, bytes at most */
#define THE_ANSWER 3 /* of chat_tokens.h, once a request */

static int64_t bytes_of(const struct complete_length *l)
{
	int64_t sum = SYNTAX + (int64_t)(l->tools.n + l->schema.n);

	for (size_t i = 0; i < l->n; i++)
		sum += SYNTAX + (int64_t)(l->v[i].role != NULL
					  ? l->v[i].text.n : l->v[i].raw.s.n);
	return sum;
}

/* The message as a list of one, as ai_chat_tokens() wants it. */
static int count_one(const struct ai_bpe *bpe, const struct ai_chat_message *m,
		     struct ai_buf *list, struct ai_buf *text, int64_t *tokens,
		     struct ai_err *err)
{
	struct ai_value v;
	size_t n;

	ai_buf_clear(list);
	ai_put_open(list, '[');
	if (m->role != NULL) {
		ai_put_open(list, '{');
		ai_put_key(list, "role");
		ai_put_cstr(list, m->role);
		ai_put_key(list, "content");
		ai_put_str(list, m->text.p, m->text.n);
		ai_put_close(list, '}');
	} else {
		ai_put_value(list, m->raw);
	}
	ai_put_close(list, ']');
	if (ai_buf_check(list, "the prompt", err) < 0 ||
	    ai_json_check(list->p, list->len, &v, err) < 0 ||
	    ai_chat_tokens(bpe, 0, v, text, &n, err) < 0)
		return -1;
	*tokens = (int64_t)n - THE_ANSWER;
	return 0;
}

/* Tokens of each message, and of what goes beside them. */
static int count(struct complete_place *p, const struct complete_length *l,
		 int64_t *each, int64_t *beside, struct ai_err *err)
{
	const char *encoding = p->endpoint.tariff.encoding;
	struct ai_buf list = AI_BUF_INIT((size_t)256 << 20);
	struct ai_buf text = AI_BUF_INIT((size_t)256 << 20);
	size_t tools = 0, schema = 0;
	int rc = 0;

	if (p->bpe == NULL &&
	    ai_bpe_open(&p->bpe, encoding[0] != '\0' ? encoding
						     : AI_BPE_DEFAULT, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n && rc == 0; i++)
		rc = count_one(p->bpe, &l->v[i], &list, &text, &each[i], err);
	if (rc == 0)
		rc = ai_bpe_count(p->bpe, l->tools.p, l->tools.n, 0, &tools,
				  err);
	if (rc == 0)
		rc = ai_bpe_count(p->bpe, l->schema.p, l->schema.n, 0, &schema,
				  err);
	*beside = (int64_t)(tools + schema);
	ai_buf_release(&list);
	ai_buf_release(&text);
	return rc;
}

/* Tokens that it has at least and at most. */
struct bounds {
	int64_t low, high;
};

static struct bounds bounds_of(const struct complete_place *p, int64_t sum,
			       int64_t beside)
{
	int64_t low = sum + beside / 2, high = sum + beside;

	if (p->endpoint.tariff.encoding[0] != '\0')
		return (struct bounds){ low, high };
	return (struct bounds){ low - low / 4, high + high / 4 };
}

static int too_long(const struct complete_place *p, struct bounds b,
		    int64_t output, struct ai_err *err)
{
	const struct ai_tariff *t = &p->endpoint.tariff;

	return ai_err_set(err, AI_E_TOO_LONG, "%.100s takes %" PRId64 " tokens "
			  "in all; the request has %s%" PRId64 ", and %" PRId64
			  " are for the answer", p->model, t->context,
			  b.low == b.high ? "" : "about ",
			  b.low + (b.high - b.low) / 2, output);
}

static bool is_user(const struct ai_chat_message *m)
{
	return m->role != NULL ? strcmp(m->role, "user") == 0 :
		ai_json_is(ai_json_get(m->raw, "role"), AI_SPAN("user"));
}

/* The oldest turn goes, with what was answered to it; its tokens. */
static int64_t leave_out(struct complete_length *l, const int64_t *each)
{
	int64_t sum = 0;

	do
		sum += each[l->from++];
	while (l->from < l->to && !is_user(&l->v[l->from]));
	return sum;
}

static int fit(const struct complete_place *p, struct complete_length *l,
	       const int64_t *each, int64_t beside, struct ai_err *err)
{
	int64_t context = p->endpoint.tariff.context, sum = THE_ANSWER;
	int64_t least = l->output;
	struct bounds b;

	if (l->may_shorten && least > AI_OUTPUT_LEAST)
		least = AI_OUTPUT_LEAST;
	for (size_t i = 0; i < l->n; i++)
		sum += each[i];
	b = bounds_of(p, sum, beside);
	while (b.high > context - least && l->from < l->to) {
		sum -= leave_out(l, each);
		b = bounds_of(p, sum, beside);
	}
	if (b.low > context - least)
		return too_long(p, b, least, err);
	if (l->may_shorten && l->output > context - b.high)
		l->output = context - b.high > least ? context - b.high
						     : least;
	return 0;
}

int complete_length_fit(struct complete_place *p, struct complete_length *l,
			struct ai_err *err)
{
	int64_t context = p->endpoint.tariff.context, *each, beside;
	int rc;

	if (context == 0 || bytes_of(l) <= context - l->output)
		return 0;
	each = calloc(l->n, sizeof *each);
	if (each == NULL)
		return ai_err_nomem(err);
	rc = count(p, l, each, &beside, err);
	if (rc == 0)
		rc = fit(p, l, each, beside, err);
	free(each);
	return rc;
}
