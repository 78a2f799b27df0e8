/*
 * remote.c: vectors from a provider, many texts a request, -j requests at once.
 *
 * A record's text becomes a passage; records with the same text wait for the
 * same passage, and one whose vector is kept needs none.  Passages fill a
 * batch until one more would be too much for a request.  Where the provider
 * refuses a request because of one text, it is asked again with each half, so
 * that only the bad text's record fails.
 *
 *	begin -> find -> passage -> batch -> send -> answered -> end its records
 */
#include "embed.h"

#include "base/msg.h"
#include "base/sig.h"
#include "text/bpe.h"
#include "text/vector.h"

#include <stdlib.h>
#include <string.h>

/* Of text in one request. */
#define REQUEST_BYTES ((size_t)512 << 10)
/* Tokens, where the provider tells no limit. */
#define REQUEST_TOKENS ((size_t)250000)
/* So many texts refused one by one and none taken: it is not the texts. */
#define ALL_REFUSED 4
#define BUCKETS 4096
#define TYPES 3 /* enum ai_input_type */

struct waiter {
	struct waiter *next;
	struct ai_task *task;
};

struct passage {
	struct passage *next; /* in its bucket */
	unsigned char key[AI_CACHE_KEY];
	struct waiter first, **end;
	enum ai_input_type type;
	size_t tokens, n;
	char text[];
};

/* What was one request, and how its parts fared. */
struct group {
	size_t batches, refused, taken;
};

struct batch {
	struct batch *next;
	struct remote *remote;
	struct group *group;
	size_t n, bytes, tokens;
	struct ai_embed_request request;
	struct ai_embed_answer answer;
	struct ai_call call;
	bool cut; /* asked for all dimensions */
	struct passage *items[AI_EMBED_TEXTS_MAX];
	struct ai_span spans[AI_EMBED_TEXTS_MAX];
	unsigned char keys[AI_EMBED_TEXTS_MAX][AI_CACHE_KEY];
};

struct remote {
	struct ai_client *client;
	struct ai_bpe *bpe; /* to count with; NULL: by bytes */
	bool exact;         /* it is the model's own */
	struct ai_buf text, room;
	struct passage *bucket[BUCKETS];
	struct batch *open[TYPES];        /* still filling; NULL: none */
	struct batch *ready, **ready_end; /* to be sent */
	struct batch *spare;
	size_t flying;
	bool cuts;     /* the model has one dimension: it is not asked */
	bool stopping;
};

static struct ai_endpoint endpoint;
static bool look, keep; /* in the cache */

/* ---- records end ---------------------------------------------------------- */

static void write_record(struct ai_task *t, const struct embed_made *made,
			 float *v, size_t dim)
{
	struct ai_rec *rec = ai_task_rec(t);
	struct ai_err err;

	if (embed_set_made(rec, made, v, dim, &err) < 0 ||
	    ai_emit_rec(ai_task_out(t), rec, &err) < 0)
		ai_task_end(t, &err);
	else
		ai_task_end(t, NULL);
}

static const char *name_of(enum ai_input_type type)
{
	if (!endpoint.wire->embed.types || type == AI_INPUT_ANY)
		return NULL;
	return type == AI_INPUT_QUERY ? "query" : "document";
}

/* As asked for, and of length 1. */
static size_t trim(float *v, size_t dim, struct embed_made *made)
{
	size_t want = (size_t)embed_settings.dim;

	made->cut_from = 0;
	if (want > 0 && dim > want) {
		made->cut_from = dim;
		dim = want;
	}
	ai_vector_normalise(v, dim);
	return dim;
}

static int check(const float *v, size_t dim, struct ai_err *err)
{
	if (embed_settings.dim > (int64_t)dim)
		return ai_err_set(err, AI_E_ANSWER, "vectors of dimension %zu, "
				  "asked for %lld", dim,
				  (long long)embed_settings.dim);
	return ai_vector_dot(v, v, dim) >= 0.5f ? 0 :
		ai_err_set(err, AI_E_ANSWER,
			   "the model gave a vector of length 0");
}

/* Takes it out of its bucket; its records are the caller's to end. */
static void passage_leave(struct remote *r, const struct passage *p)
{
	uint32_t at;
	struct passage **to;

	memcpy(&at, p->key, sizeof at);
	for (to = &r->bucket[at % BUCKETS]; *to != NULL; to = &(*to)->next)
		if (*to == p) {
			*to = p->next;
			return;
		}
}

/* With its vector (to be used up), or why NULL: with what went wrong. */
static void passage_end(struct remote *r, struct passage *p, float *v,
			size_t dim, const struct ai_err *why)
{
	struct embed_made made = { .model = embed_settings.model,
				   .input = name_of(p->type) };
	struct waiter *w, *next;
	struct ai_err err;

	passage_leave(r, p);
	if (why == NULL) {
		dim = trim(v, dim, &made);
		if (check(v, dim, &err) < 0)
			why = &err;
	}
	for (w = &p->first; w != NULL; w = next) {
		next = w->next;
		if (why != NULL)
			ai_task_end(w->task, why);
		else
			write_record(w->task, &made, v, dim);
		/* Those behind the first cost nothing. */
		made.cached = true;
		if (w != &p->first)
			free(w);
	}
	free(p);
}

/* ---- batches -------------------------------------------------------------- */

static struct batch *batch_new(struct remote *r, struct ai_err *err)
{
	struct batch *b = r->spare;

	if (b != NULL)
		r->spare = b->next;
	else if ((b = malloc(sizeof *b)) == NULL)
		goto no_memory;
	b->group = calloc(1, sizeof *b->group);
	if (b->group == NULL) {
		free(b);
		goto no_memory;
	}
	b->group->batches = 1;
	b->next = NULL;
	b->remote = r;
	b->n = b->bytes = b->tokens = 0;
	b->cut = false;
	b->answer = (struct ai_embed_answer){ NULL, 0, 0, -1 };
	return b;
no_memory:
	ai_err_nomem(err);
	return NULL;
}

static void group_leave(struct batch *b)
{
	if (--b->group->batches == 0)
		free(b->group);
	b->group = NULL;
}

static void batch_free(struct batch *b)
{
	struct remote *r = b->remote;

	ai_embed_answer_release(&b->answer);
	group_leave(b);
	b->next = r->spare;
	r->spare = b;
}

static void batch_fail(struct batch *b, const struct ai_err *why)
{
	for (size_t i = 0; i < b->n; i++)
		passage_end(b->remote, b->items[i], NULL, 0, why);
	batch_free(b);
}

static void put_last(struct remote *r, struct batch *b)
{
	b->next = NULL;
	*r->ready_end = b;
	r->ready_end = &b->next;
}

static void put_first(struct remote *r, struct batch *b)
{
	b->next = r->ready;
	r->ready = b;
	if (b->next == NULL)
		r->ready_end = &b->next;
}

static struct batch *take_first(struct remote *r)
{
	struct batch *b = r->ready;

	r->ready = b->next;
	if (r->ready == NULL)
		r->ready_end = &r->ready;
	return b;
}

static void answered(void *arg, int rc, const struct ai_err *why);

static int send(struct remote *r, struct batch *b, struct ai_err *err)
{
	const struct ai_embed_begin begin = {
		.endpoint = &endpoint, .request = &b->request,
		.answer = &b->answer, .call = &b->call,
		.keys = keep ? (const unsigned char(*)[AI_CACHE_KEY])b->keys
			     : NULL,
		.keep_dim = (size_t)embed_settings.dim,
		.done = answered, .arg = b,
	};

	for (size_t i = 0; i < b->n; i++) {
		b->spans[i] = (struct ai_span){ b->items[i]->text,
						b->items[i]->n };
		memcpy(b->keys[i], b->items[i]->key, AI_CACHE_KEY);
	}
	b->cut = r->cuts;
	b->request = (struct ai_embed_request){
		.model = endpoint.model, .texts = b->spans, .n = b->n,
		.dim = b->cut ? 0 : (size_t)embed_settings.dim,
		.type = b->items[0]->type,
	};
	if (ai_client_begin_embed(r->client, &begin, err) < 0)
		return -1;
	r->flying++;
	return 0;
}

/* Sends what is ready, as far as -j allows; open ones if nothing else is and
 * no more is to be waited for. */
static void pump(struct remote *r, bool open)
{
	struct batch *b;
	struct ai_err err;

	while (r->flying < (size_t)ai_loop.jobs && !r->stopping) {
		for (int i = 0; open && r->ready == NULL && i < TYPES; i++)
			if (r->open[i] != NULL) {
				put_last(r, r->open[i]);
				r->open[i] = NULL;
			}
		if (r->ready == NULL)
			return;
		b = take_first(r);
		if (send(r, b, &err) < 0)
			batch_fail(b, &err);
	}
}

/* ---- answers --------------------------------------------------------------- */

static bool speaks_of(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static bool was_refused(const struct batch *b)
{
	return b->call.status == 400 || b->call.status == 413 ||
		b->call.status == 422;
}

/* Whether the model has one dimension only: all of it can be asked for, and
 * cut here. */
static bool minds_dimension(const struct batch *b, const struct ai_err *why)
{
	return embed_settings.dim > 0 && !b->cut && was_refused(b) &&
		(speaks_of(b->call.param, "dimension") ||
		 (b->call.param[0] == '\0' &&
		  speaks_of(why->msg, "dimension")));
}

/* Whether asking with fewer texts may help. */
static bool worth_splitting(const struct batch *b)
{
	return b->n > 1 && was_refused(b) &&
		(b->call.param[0] == '\0' ||
		 strncmp(b->call.param, "input", 5) == 0);
}

/* Its second half becomes a batch of its own. */
static int split(struct remote *r, struct batch *b, struct ai_err *err)
{
	struct batch *half = batch_new(r, err);

	if (half == NULL)
		return -1;
	group_leave(half);
	half->group = b->group;
	half->group->batches++;
	half->n = b->n - b->n / 2;
	b->n /= 2;
	memcpy(half->items, b->items + b->n, half->n * sizeof half->items[0]);
	ai_embed_answer_release(&b->answer);
	put_first(r, half);
	put_first(r, b);
	return 0;
}

static void refused(struct remote *r, struct batch *b,
		    const struct ai_err *why)
{
	struct ai_err err;

	if (r->stopping) {
		batch_fail(b, why);
		return;
	}
	if (minds_dimension(b, why)) {
		r->cuts = true;
		put_first(r, b);
		return;
	}
	if (b->group->taken == 0 && b->group->refused >= ALL_REFUSED) {
		batch_fail(b, why);
	} else if (!worth_splitting(b)) {
		b->group->refused++;
		batch_fail(b, why);
	} else if (split(r, b, &err) < 0) {
		batch_fail(b, &err);
	}
}

/* ai_client_done */
static void answered(void *arg, int rc, const struct ai_err *why)
{
	struct batch *b = arg;
	struct remote *r = b->remote;
	const struct ai_embed_answer *a = &b->answer;

	r->flying--;
	if (rc < 0) {
		refused(r, b, why);
	} else {
		b->group->taken += b->n;
		for (size_t i = 0; i < b->n; i++) {
			ai_task_used(b->items[i]->first.task,
				     i == 0 ? a->tokens : 0,
				     i == 0 ? b->call.cost : 0);
			passage_end(r, b->items[i], a->vectors + i * a->dim,
				    a->dim, NULL);
		}
		batch_free(b);
	}
	pump(r, false);
}

/* ---- records begin ---------------------------------------------------------- */

/* At most so many tokens, as far as one can know. */
static size_t count(struct remote *r, const char *p, size_t n)
{
	struct ai_err err;
	size_t tokens;

	if (r->bpe == NULL || ai_bpe_count(r->bpe, p, n, 0, &tokens, &err) < 0)
		return n / 2 + 1;
	return r->exact ? tokens : tokens + tokens / 2 + 2;
}

static struct passage *find(struct remote *r,
			    const unsigned char key[AI_CACHE_KEY])
{
	struct passage *p;
	uint32_t at;

	memcpy(&at, key, sizeof at);
	p = r->bucket[at % BUCKETS];
	while (p != NULL && memcmp(p->key, key, AI_CACHE_KEY) != 0)
		p = p->next;
	return p;
}

static int wait_for(struct passage *p, struct ai_task *t, struct ai_err *err)
{
	struct waiter *w = calloc(1, sizeof *w);

	if (w == NULL)
		return ai_err_nomem(err);
	w->task = t;
	*p->end = w;
	p->end = &w->next;
	return 0;
}

static struct passage *passage_new(struct remote *r, struct ai_task *t,
				   const unsigned char key[AI_CACHE_KEY],
				   enum ai_input_type type, struct ai_err *err)
{
	struct passage *p = malloc(sizeof *p + r->text.len + 1);
	uint32_t at;

	if (p == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	memcpy(p->key, key, AI_CACHE_KEY);
	p->first = (struct waiter){ NULL, t };
	p->end = &p->first.next;
	p->type = type;
	p->n = r->text.len;
	memcpy(p->text, ai_buf_cstr(&r->text), p->n + 1);
	p->tokens = count(r, p->text, p->n);
	memcpy(&at, key, sizeof at);
	p->next = r->bucket[at % BUCKETS];
	r->bucket[at % BUCKETS] = p;
	return p;
}

static bool fits(const struct batch *b, const struct passage *p)
{
	const size_t max = endpoint.wire->embed.max;
	const size_t most = endpoint.wire->embed.max_tokens;

	return b->n < (size_t)embed_settings.batch &&
		(max == 0 || b->n < max) &&
		b->bytes + p->n <= REQUEST_BYTES &&
		b->tokens + p->tokens <= (most > 0 ? most : REQUEST_TOKENS);
}

/* Into the batch that is filling, or a new one. */
static int add(struct remote *r, struct passage *p, struct ai_err *err)
{
	struct batch **b = &r->open[p->type];

	if (*b != NULL && !fits(*b, p)) {
		put_last(r, *b);
		*b = NULL;
	}
	if (*b == NULL && (*b = batch_new(r, err)) == NULL)
		return -1;
	(*b)->items[(*b)->n++] = p;
	(*b)->bytes += p->n;
	(*b)->tokens += p->tokens;
	if ((*b)->n < (size_t)embed_settings.batch)
		return 0;
	put_last(r, *b);
	*b = NULL;
	return 0;
}

/* 1: the vector is kept, and the record has ended. */
static int look_up(struct remote *r, struct ai_task *t,
		   const unsigned char key[AI_CACHE_KEY],
		   enum ai_input_type type, struct ai_err *err)
{
	struct embed_made made = { .model = embed_settings.model,
				   .input = name_of(type), .cached = true };
	float *v = NULL;
	size_t dim;
	int rc;

	if (!look)
		return 0;
	rc = ai_client_kept_vector(r->client, &endpoint, key, &v, &dim, err);
	if (rc == 0 && ai_client.cache == AI_CACHE_ONLY)
		return ai_err_set(err, AI_E_UNAVAILABLE, "no vector of this "
				  "text is kept, and --cache only asks nobody");
	if (rc <= 0)
		return rc;
	dim = trim(v, dim, &made);
	if (check(v, dim, err) < 0) {
		free(v);
		return -1;
	}
	write_record(t, &made, v, dim);
	free(v);
	return 1;
}

static int ask(struct remote *r, struct ai_task *t,
	       const unsigned char key[AI_CACHE_KEY], enum ai_input_type type,
	       struct ai_err *err)
{
	struct passage *p = passage_new(r, t, key, type, err);

	if (p == NULL)
		return -1;
	if (add(r, p, err) < 0) {
		passage_leave(r, p);
		free(p);
		return -1;
	}
	pump(r, false);
	return 0;
}

static bool taped(void)
{
	return ai_client.record != NULL || ai_client.replay != NULL;
}

static int begin(void *state, struct ai_task *t, struct ai_err *err)
{
	struct remote *r = state;
	enum ai_input_type type = embed_input_type(ai_task_rec(t));
	unsigned char key[AI_CACHE_KEY];
	struct passage *same;
	struct ai_span text;
	struct ai_embed_request q = {
		.model = endpoint.model, .texts = &text, .n = 1,
		.dim = (size_t)embed_settings.dim, .type = type,
	};
	int rc;

	ai_buf_clear(&r->text);
	if (embed_text(ai_task_rec(t), &r->text, err) < 0)
		return -1;
	if (r->text.len == 0)
		return ai_err_set(err, AI_E_RECORD, "the text is empty");
	text = (struct ai_span){ r->text.p, r->text.len };
	if (ai_vector_key(&endpoint, &q, &r->room, key, err) < 0)
		return -1;
	/* What is under way depends on the time: a recording is played by what
	 * was asked, so that each text is asked for there. */
	same = taped() ? NULL : find(r, key);
	if (same != NULL)
		return wait_for(same, t, err);
	rc = look_up(r, t, key, type, err);
	if (rc == 0)
		rc = ask(r, t, key, type, err);
	ai_buf_shrink(&r->text, (size_t)1 << 20);
	ai_buf_shrink(&r->room, (size_t)1 << 20);
	return rc < 0 ? -1 : 0;
}

static int turn(void *state, int fd, bool *readable, struct ai_err *err)
{
	struct remote *r = state;

	pump(r, true);
	return ai_client_turn(r->client, fd, readable, err);
}

/* What was not sent will not be. */
static void stop(void *state, bool now)
{
	struct remote *r = state;
	const char *by = ai_sig_name();
	struct ai_err err;

	r->stopping = true;
	ai_client_stop(r->client, now);
	for (int i = 0; i < TYPES; i++)
		if (r->open[i] != NULL) {
			put_last(r, r->open[i]);
			r->open[i] = NULL;
		}
	ai_err_set(&err, AI_E_TRY_LATER, "%s came before this was sent",
		   by != NULL ? by : "the end of the program");
	while (r->ready != NULL)
		batch_fail(take_first(r), &err);
}

/* ---- the program ------------------------------------------------------------- */

/* What counts the tokens of a request.  Without a table bytes do. */
static void open_bpe(struct remote *r)
{
	const char *own = endpoint.tariff.encoding;
	struct ai_err err;

	r->exact = own[0] != '\0';
	if (ai_bpe_open(&r->bpe, r->exact ? own : AI_BPE_DEFAULT, &err) < 0)
		r->bpe = NULL;
}

static int remote_open(void **state, struct ai_err *err)
{
	struct remote *r = calloc(1, sizeof *r);

	if (r == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&r->text, (size_t)ai_loop.max_line);
	ai_buf_init(&r->room, SIZE_MAX / 2);
	r->ready_end = &r->ready;
	r->client = ai_client_new(err);
	if (r->client == NULL ||
	    ((look || keep || ai_tariff_booked(&endpoint.tariff)) &&
	     ai_client_open_ledger(r->client, err) < 0)) {
		ai_client_free(r->client);
		free(r);
		return -1;
	}
	open_bpe(r);
	*state = r;
	return 0;
}

/* Some passages are there yet, if the program could not go on. */
static void passages_free(struct remote *r)
{
	struct passage *p;
	struct waiter *w, *next;

	for (size_t i = 0; i < BUCKETS; i++)
		while ((p = r->bucket[i]) != NULL) {
			r->bucket[i] = p->next;
			for (w = p->first.next; w != NULL; w = next) {
				next = w->next;
				free(w);
			}
			free(p);
		}
}

static void remote_close(void *state)
{
	struct remote *r = state;
	struct batch *b;

	ai_client_free(r->client);
	passages_free(r);
	for (int i = 0; i < TYPES; i++)
		if (r->open[i] != NULL)
			batch_free(r->open[i]);
	while (r->ready != NULL)
		batch_free(take_first(r));
	while ((b = r->spare) != NULL) {
		r->spare = b->next;
		free(b);
	}
	ai_bpe_close(r->bpe);
	ai_buf_release(&r->text);
	ai_buf_release(&r->room);
	free(r);
}

/* Vectors of what costs nothing are not kept, unless the user says so. */
static void choose_cache(void)
{
	enum ai_cache_use use = (enum ai_cache_use)ai_client.cache;

	if (use == AI_CACHE_PAID)
		use = ai_tariff_booked(&endpoint.tariff) ? AI_CACHE_ON
							 : AI_CACHE_OFF;
	look = use == AI_CACHE_ON || use == AI_CACHE_READ ||
		use == AI_CACHE_ONLY;
	keep = use == AI_CACHE_ON || use == AI_CACHE_WRITE;
}

int embed_remote_run(int argc, char **argv, struct ai_err *err)
{
	const struct ai_filter filter = {
		.batch = 1, .eager = true, .begin = begin, .turn = turn,
		.stop = stop, .tasks = 2 * (size_t)embed_settings.batch,
		.open = remote_open, .close = remote_close,
	};
	int rc;

	if (ai_paid_warning() != NULL)
		ai_msg(AI_MSG_WARN, "%s", ai_paid_warning());
	ai_client_run_begins();
	rc = ai_endpoint_init(&endpoint, embed_settings.model, err);
	choose_cache();
	if (rc == 0 && endpoint.wire->embed.path == NULL)
		rc = ai_err_set(err, AI_E_CONFIG, "%.100s makes no vectors",
				endpoint.provider);
	if (rc == 0)
		rc = ai_loop_run(&filter, argc, argv, err);
	ai_endpoint_release(&endpoint);
	return rc;
}
