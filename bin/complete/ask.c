/* ask.c: what a record asks for, and how. */
#include "complete.h"

#include "base/start.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_MAX ((size_t)4 << 20)

struct complete_settings complete_settings = {
	.temperature = NAN, .top_p = NAN, .seed = AI_CHAT_UNSET,
};

/* ---- the system prompt of all records ----------------------------------- */

static struct ai_buf system_text = AI_BUF_INIT(SYSTEM_MAX);

static int read_file(const char *path, struct ai_buf *out, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && ai_buf_reserve(out, 65536) == 0) {
		n = read(fd, out->p + out->len, 65536);
		if (n > 0)
			out->len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		ai_err_sys(err, AI_E_OPEN, errno, "cannot read '%.200s'",
			   path);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -1;
	return ai_buf_check(out, path, err);
}

int complete_params_load(struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;

	if (s->stop.n > 4)
		return ai_err_set(err, AI_E_USAGE,
				  "--stop: at most 4 can be sent");
	if (s->system != NULL && s->system_file != NULL)
		return ai_err_set(err, AI_E_USAGE,
				  "--system and --system-file: give one");
	if (s->system != NULL)
		ai_buf_str(&system_text, s->system);
	else if (s->system_file != NULL &&
		 read_file(s->system_file, &system_text, err) < 0)
		return -1;
	if (ai_utf8_valid(ai_buf_cstr(&system_text), system_text.len) !=
	    system_text.len)
		return ai_err_set(err, AI_E_UTF8,
				  "the system prompt is not UTF-8");
	return ai_buf_check(&system_text, "the system prompt", err);
}

void complete_params_unload(void)
{
	ai_buf_release(&system_text);
}

/* ---- params ------------------------------------------------------------- */

void complete_params_init(struct complete_params *p)
{
	memset(p, 0, sizeof *p);
	ai_buf_init(&p->text, SYSTEM_MAX);
}

void complete_params_release(struct complete_params *p)
{
	ai_buf_release(&p->text);
}

static int wrong(const char *name, const char *what, struct ai_err *err)
{
	return ai_err_set(err, AI_E_RECORD, "params.%s is not %s", name, what);
}

/* Each of these leaves *to alone where a flag was given or nothing is said. */
static bool says(struct ai_value params, const char *name, const void *flag,
		 struct ai_value *v)
{
	*v = ai_json_member(params, ai_span_of(name));
	return !ai_start_given(flag) && v->kind != AI_NONE &&
	       v->kind != AI_NULL;
}

static int take_int(struct ai_value params, const char *name,
		    const void *flag, int64_t min, int64_t max, int64_t *to,
		    struct ai_err *err)
{
	struct ai_value v;
	int64_t n;

	if (!says(params, name, flag, &v))
		return 0;
	if (ai_json_i64(v, &n) < 0 || n < min || n > max)
		return wrong(name, "a whole number in range", err);
	*to = n;
	return 0;
}

static int take_real(struct ai_value params, const char *name,
		     const void *flag, double max, double *to,
		     struct ai_err *err)
{
	struct ai_value v;
	double d;

	if (!says(params, name, flag, &v))
		return 0;
	if (ai_json_f64(v, &d) < 0 || !(d >= 0 && d <= max))
		return wrong(name, "a number in range", err);
	*to = d;
	return 0;
}

/* Offsets first: the buffer may move while it grows. */
static int keep(struct complete_params *p, struct ai_value v, const char *name,
		size_t *at, size_t *n, struct ai_err *err)
{
	if (v.kind != AI_STRING)
		return wrong(name, "a string", err);
	*at = p->text.len;
	ai_json_text(v, &p->text);
	*n = p->text.len - *at;
	ai_buf_chr(&p->text, '\0');
	return ai_buf_check(&p->text, "params", err);
}

struct kept {
	size_t at, n;
};

static int keep_stop(struct complete_params *p, struct ai_value v,
		     struct kept *stop, struct ai_err *err)
{
	struct ai_json_iter it;

	if (v.kind == AI_STRING) {
		p->n_stop = 1;
		return keep(p, v, "stop", &stop->at, &stop->n, err);
	}
	if (v.kind != AI_ARRAY)
		return wrong("stop", "a string or a list", err);
	p->n_stop = 0;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &v)) {
		if (p->n_stop == 4)
			return wrong("stop", "a list of at most 4", err);
		if (keep(p, v, "stop", &stop[p->n_stop].at,
			 &stop[p->n_stop].n, err) < 0)
			return -1;
		p->n_stop++;
	}
	return 0;
}

static int take_cache(struct complete_params *p, struct ai_value params,
		      struct ai_err *err)
{
	static const char *const names[] = {
		[AI_CACHE_OFF] = "off", [AI_CACHE_ON] = "on",
		[AI_CACHE_READ] = "read", [AI_CACHE_WRITE] = "write",
		[AI_CACHE_ONLY] = "only",
	};
	struct ai_value v;

	if (!says(params, "cache", &ai_client.cache, &v))
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ai_json_is(v, ai_span_of(names[i]))) {
			p->cache = (enum ai_cache_use)i;
			return 0;
		}
	return wrong("cache", "one of off, on, read, write and only", err);
}

static int take_texts(struct complete_params *p, struct ai_value params,
		      struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	struct ai_value model, system, stop;
	bool has_model = says(params, "model", &s->model, &model);
	bool has_stop = says(params, "stop", &s->stop, &stop);
	bool has_system = !ai_start_given(&s->system_file) &&
			  says(params, "system", &s->system, &system);
	struct kept m, y, z[4];

	if ((has_model && keep(p, model, "model", &m.at, &m.n, err) < 0) ||
	    (has_system && keep(p, system, "system", &y.at, &y.n, err) < 0) ||
	    (has_stop && keep_stop(p, stop, z, err) < 0))
		return -1;
	if (has_model)
		p->model = p->text.p + m.at;
	p->has_model = has_model;
	if (has_system)
		p->system = (struct ai_span){ p->text.p + y.at, y.n };
	for (size_t i = 0; has_stop && i < p->n_stop; i++)
		p->stop[i] = (struct ai_span){ p->text.p + z[i].at, z[i].n };
	return 0;
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
	p->n_stop = s->stop.n;
	p->cache = (enum ai_cache_use)ai_client.cache;
	for (size_t i = 0; i < s->stop.n; i++)
		p->stop[i] = ai_span_of(s->stop.v[i]);
}

int complete_params_take(struct complete_params *p, const struct ai_rec *rec,
			 struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	struct ai_value v = ai_rec_get(rec, "params");

	ai_buf_clear(&p->text);
	take_settings(p);
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_RECORD, "params is not an object");
	if (take_int(v, "max_tokens", &s->max_tokens, 1,
		     COMPLETE_MAX_TOKENS_MAX, &p->max_tokens, err) < 0 ||
	    take_int(v, "seed", &s->seed, -COMPLETE_SEED_MAX,
		     COMPLETE_SEED_MAX, &p->seed, err) < 0 ||
	    take_real(v, "temperature", &s->temperature, 2, &p->temperature,
		      err) < 0 ||
	    take_real(v, "top_p", &s->top_p, 1, &p->top_p, err) < 0 ||
	    take_cache(p, v, err) < 0)
		return -1;
	return take_texts(p, v, err);
}

/* ---- the prompt --------------------------------------------------------- */

static int check_messages(struct ai_value list, const char *path,
			  struct ai_value *last, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value m;
	size_t n = 0;

	ai_json_iter_init(&it, list);
	for (; ai_json_next(&it, NULL, &m); n++) {
		if (m.kind != AI_OBJECT ||
		    ai_json_get(m, "role").kind != AI_STRING)
			return ai_err_set(err, AI_E_RECORD,
					  "%.100s.%zu is not a message with "
					  "a role", path, n);
		*last = m;
	}
	return n > 0 ? 0 : ai_err_set(err, AI_E_RECORD,
				      "%.100s has no messages", path);
}

static int take_text(struct complete_prompt *q, struct ai_value v,
		     const char *path, struct ai_err *err)
{
	size_t i;

	ai_json_text(v, &q->text);
	if (ai_buf_check(&q->text, "the prompt", err) < 0)
		return -1;
	for (i = 0; i < q->text.len; i++)
		if ((unsigned char)q->text.p[i] > ' ')
			return 0;
	return ai_err_set(err, AI_E_RECORD, "%.100s is empty", path);
}

static int take_messages(struct complete_prompt *q, struct ai_value v,
			 const char *path, struct ai_err *err)
{
	struct ai_value last = { AI_NONE, { NULL, 0 } };

	if (check_messages(v, path, &last, err) < 0)
		return -1;
	q->messages = v;
	last = ai_json_get(last, "content");
	if (last.kind == AI_STRING)
		ai_json_text(last, &q->text);
	return ai_buf_check(&q->text, "the prompt", err);
}

static const char *prompt_path(const struct ai_rec *rec)
{
	static const char *const usual[] = {
		"prompt", "query", "text", "messages", NULL
	};

	return ai_loop.path != NULL && *ai_loop.path != '\0'
		? ai_loop.path : ai_rec_first(rec, usual);
}

int complete_prompt_take(struct complete_prompt *q, const struct ai_rec *rec,
			 struct ai_err *err)
{
	const char *path = prompt_path(rec);
	struct ai_value v;

	ai_buf_clear(&q->text);
	q->ordinal = -1;
	q->messages = (struct ai_value){ AI_NONE, { NULL, 0 } };
	if (path == NULL)
		return ai_err_set(err, AI_E_RECORD,
				  "the record has no prompt, query, text or "
				  "messages");
	v = ai_rec_get(rec, path);
	if (v.kind == AI_STRING)
		return take_text(q, v, path, err);
	if (v.kind == AI_ARRAY)
		return take_messages(q, v, path, err);
	return ai_err_set(err, AI_E_RECORD,
			  v.kind == AI_NONE ? "the record has no %.100s" :
			  "%.100s is neither a string nor a list of messages",
			  path);
}
