/* params.c: how a record wants its answer: flags, its params, the rest. */
#include "complete.h"

#include "base/money.h"
#include "base/msg.h"
#include "base/start.h"
#include "base/utf8.h"
#include "model/turns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_MAX ((size_t)4 << 20)
#define TOOLS_MAX 128 /* what OpenAI allows; others allow no more */

struct complete_settings complete_settings = {
	.temperature = NAN, .top_p = NAN, .seed = AI_CHAT_UNSET,
};

/* ---- what all records share --------------------------------------------- */

static struct ai_buf system_text = AI_BUF_INIT(SYSTEM_MAX + COMPLETE_FILE_ROOM);

static int load_system(const struct complete_settings *s, struct ai_err *err)
{
	const struct complete_file file = {
		.path = s->system_file, .name = s->system_file,
		.max = SYSTEM_MAX, .code = AI_E_OPEN,
	};

	if (s->system != NULL && s->system_file != NULL)
		return ai_err_set(err, AI_E_USAGE,
				  "--system and --system-file: give one");
	if (s->system != NULL)
		ai_buf_str(&system_text, s->system);
	else if (s->system_file != NULL &&
		 complete_file_read(&file, &system_text, err) < 0)
		return -1;
	if (ai_utf8_valid(ai_buf_cstr(&system_text), system_text.len) !=
	    system_text.len)
		return ai_err_set(err, AI_E_UTF8,
				  "the system prompt is not UTF-8");
	return ai_buf_check(&system_text, "the system prompt", err);
}

/* A line of a Batch's output has one shape. */
static int check_lines(struct complete_settings *s, struct ai_err *err)
{
	const char *with = ai_loop.plain_out ? "-r" :
		ai_loop.as != NULL ? "--as" :
		s->stream && ai_start_given(&s->stream) ? "--stream" : NULL;

	if (!s->openai_batch)
		return 0;
	s->stream = false; /* if the configuration says so */
	return with == NULL ? 0 : ai_err_set(err, AI_E_USAGE, "--openai-batch "
					     "and %s: give one", with);
}

int complete_params_load(struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;

	if (check_lines(&complete_settings, err) < 0)
		return -1;
	if (s->stop.n > COMPLETE_STOPS_MAX)
		return ai_err_set(err, AI_E_USAGE,
				  "--stop: at most 4 can be sent");
	for (size_t i = 0; i < s->stop.n; i++)
		if (s->stop.v[i][0] == '\0')
			return ai_err_set(err, AI_E_USAGE, "--stop: no text is "
					  "given");
	return load_system(s, err);
}

void complete_params_unload(void)
{
	ai_buf_release(&system_text);
}

/* ---- one record --------------------------------------------------------- */

void complete_params_init(struct complete_params *p)
{
	memset(p, 0, sizeof *p);
	ai_buf_init(&p->text, SIZE_MAX / 2);
	ai_buf_init(&p->made, COMPLETE_MADE_MAX);
}

void complete_params_release(struct complete_params *p)
{
	ai_buf_release(&p->text);
	ai_buf_release(&p->made);
}

/* What an object may set, in the order of names. */
enum setting {
	MODEL, SYSTEM, MAX_TOKENS, TEMPERATURE, TOP_P, SEED, STOP, EFFORT,
	CACHE, TOOLS, TOOL_CHOICE, SCHEMA, MAX_USD, SETTINGS
};
static const char *const names[SETTINGS] = {
	"model", "system", "max_tokens", "temperature", "top_p", "seed",
	"stop", "effort", "cache", "tools", "tool_choice", "schema",
	"max_usd",
};

/* An object with settings, and what messages call it. */
struct taker {
	struct complete_params *p;
	const char *where;
	struct ai_value v[SETTINGS];
	struct ai_err *err;
};

static int wrong(const struct taker *t, enum setting i, const char *what)
{
	return ai_err_set(t->err, AI_E_RECORD, "%s.%s is not %s", t->where,
			  names[i], what);
}

/* Each of these leaves *to alone where a flag was given or nothing is said. */
static bool says(const struct taker *t, enum setting i, const void *flag)
{
	return (flag == NULL || !ai_start_given(flag)) &&
	       t->v[i].kind != AI_NONE && t->v[i].kind != AI_NULL;
}

static int take_int(const struct taker *t, enum setting i, const void *flag,
		    int64_t min, int64_t max, int64_t *to)
{
	int64_t n;

	if (!says(t, i, flag))
		return 0;
	if (ai_json_i64(t->v[i], &n) < 0 || n < min || n > max)
		return ai_err_set(t->err, AI_E_RECORD, "%s.%s is not a whole "
				  "number from %" PRId64 " to %" PRId64,
				  t->where, names[i], min, max);
	*to = n;
	return 0;
}

static int take_real(const struct taker *t, enum setting i,
		     const void *flag, double max, double *to)
{
	double d;

	if (!says(t, i, flag))
		return 0;
	if (ai_json_f64(t->v[i], &d) < 0 || !(d >= 0 && d <= max))
		return ai_err_set(t->err, AI_E_RECORD, "%s.%s is not a number "
				  "from 0 to %g", t->where, names[i], max);
	*to = d;
	return 0;
}

/* The text of a string, with a NUL behind it.  There is room for all: it never
 * moves (see complete_params_take). */
static struct ai_span keep(struct complete_params *p, struct ai_value v)
{
	size_t at = p->text.len;

	ai_json_text(v, &p->text);
	ai_buf_chr(&p->text, '\0');
	return (struct ai_span){ p->text.p + at, p->text.len - at - 1 };
}

static int take_text(const struct taker *t, enum setting i,
		     const void *flag, struct ai_span *to)
{
	if (!says(t, i, flag))
		return 0;
	if (t->v[i].kind != AI_STRING)
		return wrong(t, i, "a string");
	*to = keep(t->p, t->v[i]);
	return 0;
}

/* Which of "a|b|c" it is: as AI_OPT_CHOICE counts; -1: none. */
static int choice_of(const char *choices, struct ai_value v)
{
	for (int i = 0;; i++) {
		struct ai_span one = { choices, strcspn(choices, "|") };

		if (ai_json_is(v, one))
			return i;
		if (choices[one.n] == '\0')
			return -1;
		choices += one.n + 1;
	}
}

static int take_choice(const struct taker *t, enum setting i,
		       const void *flag, const char *choices, int *to)
{
	int choice;

	if (!says(t, i, flag))
		return 0;
	choice = choice_of(choices, t->v[i]);
	if (choice < 0)
		return ai_err_set(t->err, AI_E_RECORD, "%s.%s is none of %s",
				  t->where, names[i], choices);
	*to = choice;
	return 0;
}

static int take_stop(const struct taker *t)
{
	struct complete_params *p = t->p;
	struct ai_json_iter it;
	struct ai_value v = t->v[STOP];

	if (!says(t, STOP, &complete_settings.stop))
		return 0;
	p->n_stop = 0;
	if (v.kind == AI_STRING && v.s.n > 2) {
		p->stop[p->n_stop++] = keep(p, v);
		return 0;
	}
	if (v.kind != AI_ARRAY)
		return wrong(t, STOP, "a text or a list of texts");
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &v)) {
		if (p->n_stop == COMPLETE_STOPS_MAX)
			return wrong(t, STOP, "a list of at most 4");
		if (v.kind != AI_STRING || v.s.n == 2)
			return wrong(t, STOP, "a list of texts");
		p->stop[p->n_stop++] = keep(p, v);
	}
	return 0;
}

/* Functions with a name; formats look at the rest. */
static int take_tools(const struct taker *t)
{
	static const char what[] = "a list of at most 128 functions with names";
	struct ai_json_iter it;
	struct ai_value v = t->v[TOOLS], tool;
	size_t n = 0;

	if (!says(t, TOOLS, NULL))
		return 0;
	if (v.kind != AI_ARRAY)
		return wrong(t, TOOLS, what);
	ai_json_iter_init(&it, v);
	for (; ai_json_next(&it, NULL, &tool); n++)
		if (n == TOOLS_MAX ||
		    ai_json_get(tool, "function.name").kind != AI_STRING)
			return wrong(t, TOOLS, what);
	if (n > 0)
		t->p->tools = v;
	return 0;
}

static int take_tool_choice(const struct taker *t)
{
	struct ai_tool_choice choice;

	if (!says(t, TOOL_CHOICE, NULL))
		return 0;
	if (ai_tool_choice_take(t->v[TOOL_CHOICE], &choice, t->err) < 0)
		return -1;
	t->p->tool_choice = t->v[TOOL_CHOICE];
	return 0;
}

static int take_schema(const struct taker *t)
{
	if (!says(t, SCHEMA, &complete_settings.schema))
		return 0;
	if (t->v[SCHEMA].kind != AI_OBJECT)
		return wrong(t, SCHEMA, "an object");
	t->p->schema = t->v[SCHEMA].s;
	return 0;
}

static int take_most(const struct taker *t)
{
	struct ai_err err;

	if (!says(t, MAX_USD, NULL))
		return 0;
	return t->v[MAX_USD].kind == AI_NUMBER &&
		ai_money_parse(t->v[MAX_USD].s, &t->p->max_nano, &err) == 0 &&
		t->p->max_nano > 0 ? 0 : wrong(t, MAX_USD, "an amount of "
					       "dollars above 0");
}

static int take_all(const struct taker *t)
{
	const struct complete_settings *s = &complete_settings;
	struct complete_params *p = t->p;
	struct ai_span model = { NULL, 0 };

	if (take_int(t, MAX_TOKENS, &s->max_tokens, 1,
		     COMPLETE_MAX_TOKENS_MAX, &p->max_tokens) < 0 ||
	    take_int(t, SEED, &s->seed, -COMPLETE_SEED_MAX,
		     COMPLETE_SEED_MAX, &p->seed) < 0 ||
	    take_real(t, TEMPERATURE, &s->temperature, 2,
		      &p->temperature) < 0 ||
	    take_real(t, TOP_P, &s->top_p, 1, &p->top_p) < 0 ||
	    take_choice(t, CACHE, &ai_client.cache, AI_CACHE_USES,
			&p->cache) < 0 ||
	    take_choice(t, EFFORT, &s->effort, COMPLETE_EFFORTS,
			&p->effort) < 0 ||
	    take_text(t, MODEL, &s->model, &model) < 0 ||
	    (!ai_start_given(&s->system_file) &&
	     take_text(t, SYSTEM, &s->system, &p->system) < 0) ||
	    take_stop(t) < 0 || take_tools(t) < 0 || take_tool_choice(t) < 0 ||
	    take_schema(t) < 0 || take_most(t) < 0)
		return -1;
	if (model.p != NULL && strlen(model.p) != model.n)
		return wrong(t, MODEL, "a name");
	if (model.p != NULL)
		p->model = model.p;
	p->has_model = p->has_model || model.p != NULL;
	return 0;
}

/*
 * Members of params that mean nothing here are told, once a run: a setting that
 * is misspelt, or that no provider has under this name, would go unnoticed.
 */
static void tell_unknown(struct ai_value object, unsigned long line)
{
	static bool told;
	struct ai_json_iter it;
	struct ai_value key, v;
	char name[64];
	size_t i;

	ai_json_iter_init(&it, object);
	while (!told && ai_json_next(&it, &key, &v)) {
		for (i = 0; i < SETTINGS; i++)
			if (ai_json_is(key, ai_span_of(names[i])))
				break;
		if (i < SETTINGS)
			continue;
		told = true;
		ai_wire_copy(key, "", name, sizeof name);
		ai_msg(AI_MSG_WARN, "line %lu: params.%s is no setting of "
		       "ai-complete and is not heeded; others are not told",
		       line, name);
	}
}

/* One walk: a body may hold a long conversation as well. */
static int take_object(struct complete_params *p, struct ai_value object,
		       const char *where, struct ai_err *err)
{
	struct taker t = { .p = p, .where = where, .err = err };
	struct ai_json_want want[SETTINGS];

	for (size_t i = 0; i < SETTINGS; i++)
		want[i] = (struct ai_json_want){ ai_span_of(names[i]),
						 &t.v[i] };
	ai_json_members(object, want, SETTINGS);
	return take_all(&t);
}

static void take_settings(struct complete_params *p)
{
	const struct complete_settings *s = &complete_settings;

	p->model = s->model;
	p->has_model = false;
	p->system = (struct ai_span){ ai_buf_cstr(&system_text),
				      system_text.len };
	p->max_tokens = s->max_tokens;
	p->seed = s->seed;
	p->temperature = s->temperature;
	p->top_p = s->top_p;
	p->effort = s->effort;
	p->n_stop = s->stop.n;
	p->cache = ai_client.cache;
	for (size_t i = 0; i < s->stop.n; i++)
		p->stop[i] = ai_span_of(s->stop.v[i]);
	p->schema.n = 0;
	p->max_nano = 0;
	p->tools = p->tool_choice = (struct ai_value){ AI_NONE, { NULL, 0 } };
}

const char *complete_effort(const struct complete_params *p)
{
	static const char *const efforts[] = {
		NULL, COMPLETE_EFFORT_NAMES
	};

	return efforts[p->effort];
}

int complete_params_take(struct complete_params *p, const struct ai_rec *rec,
			 struct ai_err *err)
{
	struct ai_value own = ai_rec_get(rec, "params");
	bool line, whole;

	ai_buf_shrink(&p->text, COMPLETE_KEEP);
	ai_buf_shrink(&p->made, COMPLETE_KEEP);
	take_settings(p);
	if (complete_batch_take(rec, p, err) < 0)
		return -1;
	line = p->body.kind == AI_OBJECT;
	/* An Anthropic line has all of it there. */
	whole = line && strcmp(p->where, "params") == 0;
	if (own.kind > AI_NULL && own.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_RECORD, "params is not an object");
	/* No string is longer than its JSON, quotes included. */
	ai_buf_reserve(&p->text, p->body.s.n + own.s.n);
	if (ai_buf_check(&p->text, "params", err) < 0)
		return -1;
	if (line && take_object(p, p->body, p->where, err) < 0)
		return -1;
	if (own.kind == AI_OBJECT && !whole) {
		tell_unknown(own, rec->number);
		if (take_object(p, own, "params", err) < 0)
			return -1;
	}
	if (p->tool_choice.kind != AI_NONE && p->tools.kind == AI_NONE)
		return ai_err_set(err, AI_E_RECORD, "tool_choice without "
				  "tools");
	return 0;
}

int complete_params_local(const struct complete_params *p,
			  const struct complete_prompt *q, struct ai_err *err)
{
	const char *what = p->tools.kind != AI_NONE ? "call tools" :
		p->schema.n > 0 ? "answer by a schema" :
		ai_chat_media(q->messages).n > 0 ? "see pictures" : NULL;

	return what == NULL ? 0 : ai_err_set(err, AI_E_RECORD, COMPLETE_LOCAL
					     " cannot %s", what);
}
