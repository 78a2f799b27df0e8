/* prompt.c: what a record asks. */
#include "complete.h"

#include <string.h>

#define TEMPLATE_MAX ((size_t)4 << 20)

/* ---- what all records share ---------------------------------------------- */

static struct complete_template template;

static int load_template(const char *path, struct ai_err *err)
{
	const struct complete_file file = {
		.path = path, .name = path, .max = TEMPLATE_MAX,
		.code = AI_E_OPEN,
	};
	struct ai_buf text = AI_BUF_INIT(TEMPLATE_MAX + COMPLETE_FILE_ROOM);
	int rc = complete_file_read(&file, &text, err);

	/* The end of the last line is the file's, not the prompt's. */
	if (rc == 0 && text.len > 0 && text.p[text.len - 1] == '\n')
		text.len--;
	complete_template_init(&template);
	if (rc == 0)
		rc = complete_template_parse(&template, (struct ai_span){
			ai_buf_cstr(&text), text.len }, path, err);
	ai_buf_release(&text);
	return rc;
}

int complete_prompt_load(struct ai_err *err)
{
	const char *path = complete_settings.template;

	if (path != NULL && *path == '\0')
		path = complete_settings.template = NULL;
	if (path != NULL && ai_loop.path != NULL)
		return ai_err_set(err, AI_E_USAGE, "--template and -p: give "
				  "one; the template says what is read");
	if (path != NULL && load_template(path, err) < 0)
		return -1;
	return complete_images_load(err);
}

void complete_prompt_unload(void)
{
	complete_template_release(&template);
	complete_images_unload();
}

/* ---- one record ------------------------------------------------------------ */

void complete_prompt_init(struct complete_prompt *q)
{
	memset(q, 0, sizeof *q);
	ai_buf_init(&q->text, COMPLETE_TEXT_MAX);
	ai_buf_init(&q->made, COMPLETE_MADE_MAX);
}

void complete_prompt_release(struct complete_prompt *q)
{
	ai_buf_release(&q->text);
	ai_buf_release(&q->made);
}

void complete_prompt_shrink(struct complete_prompt *q)
{
	ai_buf_shrink(&q->text, COMPLETE_KEEP);
	ai_buf_shrink(&q->made, COMPLETE_KEEP);
}

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

static int check_text(const struct complete_prompt *q, const char *what,
		      struct ai_err *err)
{
	if (ai_buf_check(&q->text, "the prompt", err) < 0)
		return -1;
	for (size_t i = 0; i < q->text.len; i++)
		if ((unsigned char)q->text.p[i] > ' ')
			return 0;
	return ai_err_set(err, AI_E_RECORD, "%.100s is empty", what);
}

long complete_last_user(struct ai_value messages)
{
	struct ai_json_iter it;
	struct ai_value m;
	long last = -1;

	ai_json_iter_init(&it, messages);
	for (long i = 0; ai_json_next(&it, NULL, &m); i++)
		if (ai_json_is(ai_json_get(m, "role"), AI_SPAN("user")))
			last = i;
	return last;
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

/* What -p names, or what is usual. */
static int take_usual(struct complete_prompt *q, const struct ai_rec *rec,
		      struct ai_err *err)
{
	const char *path = prompt_path(rec);
	struct ai_value v;

	if (path == NULL)
		return ai_err_set(err, AI_E_RECORD,
				  "the record has no prompt, query, text or "
				  "messages");
	v = ai_rec_get(rec, path);
	if (v.kind == AI_STRING) {
		ai_json_text(v, &q->text);
		return check_text(q, path, err);
	}
	if (v.kind == AI_ARRAY)
		return take_messages(q, v, path, err);
	return ai_err_set(err, AI_E_RECORD,
			  v.kind == AI_NONE ? "the record has no %.100s" :
			  "%.100s is neither a string nor a list of messages",
			  path);
}

int complete_prompt_take(struct complete_prompt *q,
			 const struct complete_params *p,
			 const struct ai_rec *rec, struct ai_err *err)
{
	int rc;

	complete_prompt_shrink(q);
	q->ordinal = -1;
	q->messages = (struct ai_value){ AI_NONE, { NULL, 0 } };
	if (template.n > 0) {
		rc = complete_template_render(&template, rec, &q->text, err);
		if (rc == 0)
			rc = check_text(q, "what the template makes", err);
	} else if (p->body.kind == AI_OBJECT) {
		rc = take_messages(q, ai_json_get(p->body, "messages"),
				   "messages", err);
	} else {
		rc = take_usual(q, rec, err);
	}
	return rc < 0 ? -1 : complete_images_take(q, rec, err);
}
