/* queries.c: what is asked beside a chat (counts, lists of models; vectors are
 * in vector-query.c), and asking one thing at a time. */
#include "model/exchange.h"

#include <string.h>

#define PAGES_MAX 100
#define PAGE_MAX ((size_t)1024) /* bytes of a page's name */

static const struct ai_media no_media;

/* Costs nothing, and is booked nowhere.  Providers limit these by themselves,
 * if at all: a place at the limit of calls would be one call less, and an
 * answer would tell a breaker nothing of the model. */
static const struct ai_tariff free_of_charge = {
	.price = { .kind = AI_PRICE_FREE },
};

int ai_query_go(struct ai_client *c, struct ai_exchange *x,
		struct ai_media media, struct ai_call *call,
		ai_client_done *done, void *arg, struct ai_err *err)
{
	ai_exchange_report(x, call, done, arg);
	ai_buf_str(&x->url, x->e->query);
	if (ai_exchange_prepare(x, 0, media, err) < 0) {
		ai_exchange_put_back(c, x);
		return -1;
	}
	ai_exchange_enqueue(c, x);
	return 0;
}

/* ---- counts --------------------------------------------------------------------- */

/* OpenAI counts what a chat says too, where it counts its responses; those who
 * only imitate its chats do not. */
static const struct ai_wire *counter_of(const struct ai_endpoint *e)
{
	if (e->wire == &ai_wire_openai && strcmp(e->provider, "openai") == 0)
		return &ai_wire_responses;
	return e->wire->count_path != NULL ? e->wire : NULL;
}

static int take_count(struct ai_exchange *x, struct ai_err *err)
{
	return ai_wire_get_count(x->asked, ai_buf_cstr(&x->answer.body),
				 x->answer.body.len, x->to, err);
}

static int begin_count(struct ai_client *c, const struct ai_endpoint *e,
		       const struct ai_chat_request *q, int64_t *tokens,
		       struct ai_call *call, ai_client_done *done, void *arg,
		       struct ai_err *err)
{
	const struct ai_wire *counter = counter_of(e);
	struct ai_exchange *x;

	if (counter == NULL)
		return ai_err_set(err, AI_E_CONFIG, "%.100s does not tell how "
				  "many tokens a request has; ai-tokens "
				  "without --exact counts by itself",
				  e->provider);
	if (ai_wire_check(counter, e->provider, q, err) < 0)
		return -1;
	x = ai_exchange_new(c, e, err);
	if (x == NULL)
		return -1;
	x->take = take_count;
	x->asked = counter;
	x->to = tokens;
	x->tariff = &free_of_charge;
	ai_wire_put_path(&x->url, counter->count_path, q->model);
	ai_buf_clear(&x->body);
	if (counter->put_count(q, &x->body, err) < 0) {
		ai_exchange_put_back(c, x);
		return -1;
	}
	return ai_query_go(c, x, q->media, call, done, arg, err);
}

int ai_client_begin_count(struct ai_client *c, const struct ai_endpoint *e,
			  const struct ai_chat_request *q, int64_t *tokens,
			  struct ai_call *call, ai_client_done *done,
			  void *arg, struct ai_err *err)
{
	*call = (struct ai_call){ .ttft_s = -1 };
	if (begin_count(c, e, q, tokens, call, done, arg, err) == 0)
		return 0;
	call->failure = ai_failure_of(err->code);
	return -1;
}

/* ---- one at a time -------------------------------------------------------------- */

struct one {
	bool over;
	int rc;
	struct ai_err *err;
};

static void one_over(void *arg, int rc, const struct ai_err *err)
{
	struct one *one = arg;

	one->over = true;
	one->rc = rc;
	if (rc < 0)
		*one->err = *err;
}

static int wait_for(struct ai_client *c, const struct one *one,
		    struct ai_err *err)
{
	bool readable;

	while (!one->over)
		if (ai_client_turn(c, -1, &readable, err) < 0)
			return -1;
	return one->rc;
}

int ai_client_chat(struct ai_client *c, const struct ai_endpoint *e,
		   const struct ai_chat_request *q, struct ai_chat_answer *a,
		   struct ai_call *call, struct ai_err *err)
{
	struct one one = { .err = err };
	const struct ai_chat_begin b = {
		.endpoint = e, .request = q, .cache = AI_CACHE_OFF,
		.answer = a, .call = call, .done = one_over, .arg = &one,
	};

	return ai_client_begin(c, &b, err) < 0 ? -1 : wait_for(c, &one, err);
}

/* ---- models --------------------------------------------------------------------- */

struct page {
	ai_model_each *each;
	void *arg;
	struct ai_buf next; /* of the page behind it */
};

static int take_models(struct ai_exchange *x, struct ai_err *err)
{
	struct page *page = x->to;

	return ai_wire_get_models(x->e->wire, ai_buf_cstr(&x->answer.body),
				  x->answer.body.len, page->each, page->arg,
				  &page->next, err);
}

static int ask_page(struct ai_client *c, const struct ai_endpoint *e,
		    struct page *page, struct ai_err *err)
{
	struct ai_exchange *x = ai_exchange_new(c, e, err);
	struct one one = { .err = err };
	struct ai_call call;

	if (x == NULL)
		return -1;
	x->method = "GET";
	x->take = take_models;
	x->to = page;
	x->tariff = &free_of_charge;
	ai_buf_str(&x->url, e->wire->models.path);
	if (page->next.len > 0) {
		ai_buf_str(&x->url, e->wire->models.page);
		ai_wire_put_path(&x->url, "{}", ai_buf_cstr(&page->next));
	}
	ai_buf_clear(&x->body);
	return ai_query_go(c, x, no_media, &call, one_over, &one, err) < 0
		? -1 : wait_for(c, &one, err);
}

int ai_client_models(struct ai_client *c, const struct ai_endpoint *e,
		     ai_model_each *each, void *arg, struct ai_err *err)
{
	struct page page = { each, arg, AI_BUF_INIT(PAGE_MAX) };
	int pages = 0, rc;

	if (e->wire->models.path == NULL)
		return ai_err_set(err, AI_E_CONFIG, "the models of %.100s "
				  "cannot be listed", e->provider);
	do
		rc = ask_page(c, e, &page, err);
	while (rc == 0 && page.next.len > 0 && ++pages < PAGES_MAX);
	if (rc == 0 && page.next.len > 0)
		rc = ai_err_set(err, AI_E_ANSWER, "%.100s lists its models on "
				"more than %d pages", e->provider, PAGES_MAX);
	ai_buf_release(&page.next);
	return rc;
}
