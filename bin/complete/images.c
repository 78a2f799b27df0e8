/*
 * images.c: pictures that go with a prompt.
 *
 * --image names files of the user's; a record's list "images" comes from
 * anywhere, and what it names is read and sent to a provider.  So it reaches
 * no further than --image-dir, and nothing is sent but what begins as a
 * picture does.
 */
#include "complete.h"

#include "crypt/base64.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMAGES_MAX 100 /* in one record */

static struct ai_buf given = AI_BUF_INIT(COMPLETE_MADE_MAX); /* --image */
static char *root; /* of the files that records may name */

/* ---- one picture ------------------------------------------------------------- */

static const char *type_of(const char *p, size_t n)
{
	static const struct {
		const char *type, *magic;
		size_t n;
	} types[] = {
		{ "image/png", "\x89PNG\r\n\x1A\n", 8 },
		{ "image/jpeg", "\xFF\xD8\xFF", 3 },
		{ "image/gif", "GIF87a", 6 },
		{ "image/gif", "GIF89a", 6 },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (n > types[i].n &&
		    memcmp(p, types[i].magic, types[i].n) == 0)
			return types[i].type;
	if (n > 12 && memcmp(p, "RIFF", 4) == 0 &&
	    memcmp(p + 8, "WEBP", 4) == 0)
		return "image/webp";
	return NULL;
}

static void put_part(struct ai_buf *out, struct ai_span url)
{
	ai_put_open(out, '{');
	ai_wire_put_cstr(out, "type", "image_url");
	ai_wire_put_in(out, "image_url", '{');
	ai_wire_put_span(out, "url", url);
	ai_put_close(out, '}');
	ai_put_close(out, '}');
}

/* base64 needs no escapes, so it goes where it stays. */
static void put_data(struct ai_buf *out, const char *type,
		     const struct ai_buf *data)
{
	ai_put_open(out, '{');
	ai_wire_put_cstr(out, "type", "image_url");
	ai_wire_put_in(out, "image_url", '{');
	ai_put_key(out, "url");
	ai_buf_fmt(out, "\"data:%s;base64,", type);
	ai_base64_encode(out, data->p, data->len);
	ai_buf_chr(out, '"');
	ai_put_close(out, '}');
	ai_put_close(out, '}');
}

static int put_file(const struct complete_file *f, struct ai_buf *out,
		    struct ai_err *err)
{
	struct ai_buf data = AI_BUF_INIT(f->max + COMPLETE_FILE_ROOM);
	const char *type;
	int rc = complete_file_read(f, &data, err);

	if (rc == 0) {
		type = type_of(ai_buf_cstr(&data), data.len);
		if (type != NULL)
			put_data(out, type, &data);
		else
			rc = ai_err_set(err, f->code == AI_E_OPEN ? AI_E_DATA
					: f->code, "'%.200s' is no picture: "
					"PNG, JPEG, GIF and WebP are known",
					f->name);
	}
	ai_buf_release(&data);
	return rc;
}

static bool begins(struct ai_span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && strncasecmp(s.p, with, n) == 0;
}

/* An address, which the provider fetches, or the picture itself. */
static bool is_url(struct ai_span s)
{
	return begins(s, "https://") || begins(s, "http://");
}

static bool is_data(struct ai_span s)
{
	return begins(s, "data:image/") && memmem(s.p, s.n, ";base64,", 8);
}

static int not_data(struct ai_err *err, enum ai_code code)
{
	return ai_err_set(err, code, "a data: address that is no picture: "
			  "data:image/TYPE;base64,... is one");
}

/* ---- those of the options ------------------------------------------------------ */

static int add_given(const char *name, struct ai_err *err)
{
	const struct complete_file file = {
		.path = name, .name = name, .code = AI_E_OPEN,
		.max = (size_t)complete_settings.image_max,
	};
	struct ai_span s = ai_span_of(name);

	if (is_url(s) || is_data(s))
		put_part(&given, s);
	else if (begins(s, "data:"))
		return not_data(err, AI_E_DATA);
	else if (put_file(&file, &given, err) < 0)
		return -1;
	return ai_buf_check(&given, "the pictures of --image", err);
}

static void forget_root(void)
{
	free(root);
	root = NULL;
}

int complete_images_load(struct ai_err *err)
{
	const struct complete_settings *s = &complete_settings;
	const char *dir = s->image_dir != NULL ? s->image_dir : ".";

	for (size_t i = 0; i < s->images.n; i++)
		if (add_given(s->images.v[i], err) < 0)
			return -1;
	root = realpath(dir, NULL);
	if (root == NULL && s->image_dir != NULL)
		return ai_err_sys(err, AI_E_OPEN, errno,
				  "--image-dir: cannot open '%.200s'", dir);
	/* Where a program started from nowhere stands is not meant. */
	if (s->image_dir == NULL && root != NULL && strcmp(root, "/") == 0)
		forget_root();
	return 0;
}

void complete_images_unload(void)
{
	ai_buf_release(&given);
	forget_root();
}

/* ---- those of a record ---------------------------------------------------------- */

/* What the name comes to, links followed; NULL: errno. */
static char *resolve(const char *name)
{
	struct ai_buf path = AI_BUF_INIT(PATH_MAX);
	char *real;

	if (name[0] != '/')
		ai_buf_fmt(&path, "%s/", root == NULL ? "." : root);
	ai_buf_str(&path, name);
	errno = ENAMETOOLONG;
	real = path.bad == AI_E_NONE ? realpath(path.p, NULL) : NULL;
	ai_buf_release(&path);
	return real;
}

static bool is_below_root(const char *path)
{
	size_t n = root == NULL ? 0 : strlen(root);

	if (n == 1) /* all files */
		return true;
	return n > 0 && strncmp(path, root, n) == 0 && path[n] == '/';
}

static int put_named(struct ai_span name, struct ai_buf *out,
		     struct ai_err *err)
{
	char clean[200], *real;
	struct complete_file file = {
		.name = clean, .regular = true, .code = AI_E_DOCUMENT,
		.max = (size_t)complete_settings.image_max,
	};
	int rc;

	ai_wire_clean(name, clean, sizeof clean);
	if (strlen(name.p) != name.n || name.n == 0)
		return ai_err_set(err, AI_E_DOCUMENT, "'%s' is no name of a "
				  "file", clean);
	real = resolve(name.p);
	if (real == NULL)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot read '%s'", clean);
	file.path = real;
	if (is_below_root(real))
		rc = put_file(&file, out, err);
	else
		rc = ai_err_set(err, AI_E_DOCUMENT, "'%s' is not below the "
				"folder that records may name files of; "
				"--image-dir sets it", clean);
	free(real);
	return rc;
}

static int put_one(struct ai_value v, size_t i, struct ai_buf *out,
		   struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(COMPLETE_MADE_MAX);
	struct ai_err why;
	struct ai_span s;
	int rc = 0;

	if (v.kind != AI_STRING)
		return ai_err_set(err, AI_E_RECORD, "images.%zu is not a "
				  "string", i);
	ai_json_text(v, &name);
	s = (struct ai_span){ ai_buf_cstr(&name), name.len };
	if (name.bad != AI_E_NONE)
		rc = ai_buf_check(&name, "a picture", &why);
	else if (is_url(s) || is_data(s))
		put_part(out, s);
	else if (begins(s, "data:"))
		rc = not_data(&why, AI_E_DOCUMENT);
	else
		rc = put_named(s, out, &why);
	ai_buf_release(&name);
	return rc == 0 ? 0 : ai_err_set(err, why.code, "images.%zu: %.300s",
					i, why.msg);
}

/* All pictures, with commas between them. */
static int put_all(const struct ai_rec *rec, struct ai_buf *out, size_t *n,
		   struct ai_err *err)
{
	struct ai_value list = ai_rec_get(rec, "images"), v;
	struct ai_json_iter it;
	size_t i = 0;

	ai_buf_add(out, given.p, given.len);
	if (list.kind == AI_ARRAY) {
		ai_json_iter_init(&it, list);
		for (; ai_json_next(&it, NULL, &v); i++) {
			if (i == IMAGES_MAX)
				return ai_err_set(err, AI_E_TOO_LONG, "images "
						  "has more than %d pictures",
						  IMAGES_MAX);
			if (put_one(v, i, out, err) < 0)
				return -1;
		}
	} else if (list.kind != AI_NONE && list.kind != AI_NULL) {
		return ai_err_set(err, AI_E_RECORD, "images is not a list");
	}
	*n = i + complete_settings.images.n;
	return ai_buf_check(out, "all pictures of a record together", err);
}

/* ---- the message they go into ------------------------------------------------------ */

static void put_text_part(struct ai_buf *out, struct ai_span text)
{
	ai_put_open(out, '{');
	ai_wire_put_cstr(out, "type", "text");
	ai_wire_put_span(out, "text", text);
	ai_put_close(out, '}');
}

/* The message once more, with the pictures behind what it says. */
static void put_message(struct ai_buf *out, struct ai_value m,
			const struct ai_buf *pictures)
{
	struct ai_value key, v, content = ai_json_get(m, "content");
	struct ai_json_iter it;

	ai_put_open(out, '{');
	ai_json_iter_init(&it, m);
	while (ai_json_next(&it, &key, &v)) {
		if (ai_json_is(key, AI_SPAN("content")))
			continue;
		ai_put_raw(out, key.s.p, key.s.n);
		ai_buf_chr(out, ':');
		ai_put_value(out, v);
	}
	ai_wire_put_in(out, "content", '[');
	if (content.kind == AI_STRING) {
		ai_put_open(out, '{');
		ai_wire_put_cstr(out, "type", "text");
		ai_wire_put_value(out, "text", content);
		ai_put_close(out, '}');
	}
	ai_json_iter_init(&it, content);
	while (content.kind == AI_ARRAY && ai_json_next(&it, NULL, &v))
		ai_put_value(out, v);
	ai_put_raw(out, pictures->p, pictures->len);
	ai_put_close(out, ']');
	ai_put_close(out, '}');
}

static int put_messages(struct complete_prompt *q,
			const struct ai_buf *pictures, struct ai_err *err)
{
	struct ai_buf *out = &q->made;
	long last = complete_last_user(q->messages);
	struct ai_json_iter it;
	struct ai_value m;

	if (last < 0)
		return ai_err_set(err, AI_E_RECORD, "there are pictures, and "
				  "no message of the user's to put them into");
	ai_json_iter_init(&it, q->messages);
	for (long i = 0; ai_json_next(&it, NULL, &m); i++)
		if (i == last)
			put_message(out, m, pictures);
		else
			ai_put_value(out, m);
	return 0;
}

static int rewrite(struct complete_prompt *q, const struct ai_buf *pictures,
		   struct ai_err *err)
{
	struct ai_buf *out = &q->made;

	ai_put_open(out, '[');
	if (q->messages.kind != AI_ARRAY) {
		ai_put_open(out, '{');
		ai_wire_put_cstr(out, "role", "user");
		ai_wire_put_in(out, "content", '[');
		put_text_part(out, (struct ai_span){ ai_buf_cstr(&q->text),
						     q->text.len });
		ai_put_raw(out, pictures->p, pictures->len);
		ai_put_close(out, ']');
		ai_put_close(out, '}');
	} else if (put_messages(q, pictures, err) < 0) {
		return -1;
	}
	ai_put_close(out, ']');
	if (ai_buf_check(out, "a prompt with its pictures", err) < 0)
		return -1;
	if (ai_json_check(out->p, out->len, &q->messages, NULL) < 0)
		return ai_err_set(err, AI_E_BUG, "messages with pictures "
				  "became no JSON");
	return 0;
}

int complete_images_take(struct complete_prompt *q, const struct ai_rec *rec,
			 struct ai_err *err)
{
	struct ai_buf pictures = AI_BUF_INIT(COMPLETE_MADE_MAX);
	size_t n = 0;
	int rc = put_all(rec, &pictures, &n, err);

	if (rc == 0 && n > 0)
		rc = rewrite(q, &pictures, err);
	ai_buf_release(&pictures);
	return rc;
}
