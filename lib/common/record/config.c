#include "record/config.h"

#include "base/path.h"
#include "base/start.h"
#include "record/comment.h"
#include "record/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)

/* The file as plain JSON, and the option texts made from it; they live as long
 * as the program, since options borrow them. */
static struct {
	char *path;
	struct ai_buf text;
	struct ai_value root, profile;
	struct ai_opt_list values;
} config = { .text = AI_BUF_INIT(2 * CONFIG_MAX) };

static int read_whole(int fd, const char *path, struct ai_buf *b,
		      struct ai_err *err)
{
	if (ai_buf_read(b, fd) == 0)
		return 0;
	return b->bad != AI_E_NONE ? ai_buf_check(b, path, err) :
		ai_err_sys(err, AI_E_CONFIG, errno, "cannot read '%.200s'",
			   path);
}

static int twice(const struct ai_buf *file, struct ai_value key,
		 struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG, "%.150s:%zu: %.*s stands there "
			  "twice", config.path,
			  ai_json_line(ai_buf_cstr(file),
				  (size_t)(key.s.p - file->p)),
			  (int)(key.s.n > 80 ? 80 : key.s.n), key.s.p);
}

/* A name that stands twice in an object was meant to be another one. */
static int check_names(const struct ai_buf *file, struct ai_value v,
		       struct ai_err *err)
{
	struct ai_json_iter it, rest;
	struct ai_value key, val, other, ignored;

	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val)) {
		rest = it;
		while (key.kind == AI_STRING &&
		       ai_json_next(&rest, &other, &ignored))
			if (ai_span_eq(key.s, other.s))
				return twice(file, other, err);
		if (check_names(file, val, err) < 0)
			return -1;
	}
	return 0;
}

/* Comments apart it is strict JSON.  NULL with a message that names the line;
 * the comments are gone from the file's text then. */
static struct json_object *parse_file(struct ai_buf *file, struct ai_err *err)
{
	struct json_object *root;
	struct ai_value v;
	struct ai_err why;

	ai_json_blank_comments(file->p, file->len);
	if (ai_json_check(ai_buf_cstr(file), file->len, &v, &why) < 0) {
		ai_err_set(err, AI_E_CONFIG, "%.150s:%zu: %.200s", config.path,
			   ai_json_line(ai_buf_cstr(file), v.s.p == NULL ? 0 :
				   (size_t)(v.s.p - ai_buf_cstr(file))),
			   why.msg);
		return NULL;
	}
	if (check_names(file, v, err) < 0)
		return NULL;
	root = json_tokener_parse(ai_buf_cstr(file));
	if (root == NULL)
		ai_err_nomem(err);
	return root;
}

/* A whole file of AI_DATADIR. */
static int read_data(const char *name, struct ai_buf *b, struct ai_err *err)
{
	char *path;
	int fd, rc = -1;

	if (ai_path_data(name, &path, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		ai_err_sys(err, AI_E_CONFIG, errno, "cannot open '%.200s'",
			   path);
	else
		rc = read_whole(fd, path, b, err);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* Appends "'size'" or "'chunk.size'" for each place of the schema that has
 * the key. */
static void add_places(struct ai_value properties, const char *prefix,
		       struct ai_span section, struct ai_span key,
		       struct ai_buf *out)
{
	struct ai_json_iter it;
	struct ai_value name, v;
	struct ai_span bare;

	ai_json_iter_init(&it, properties);
	while (ai_json_next(&it, &name, &v)) {
		bare = (struct ai_span){ name.s.p + 1, name.s.n - 2 };
		if (bare.n == key.n && memcmp(bare.p, key.p, key.n) == 0)
			ai_buf_fmt(out, "%s'%s%.*s%s%.*s'",
				   out->len > 0 ? " or " : "", prefix,
				   (int)section.n, section.p,
				   section.n > 0 ? "." : "", (int)key.n, key.p);
		if (section.n == 0)
			add_places(ai_json_get(v, "properties"), prefix, bare,
				   key, out);
	}
}

/*
 * The schema looks for names like the unknown one where it stands.  Here is
 * the one that stands elsewhere: size, which is chunk.size.
 */
static void where_else(const struct ai_buf *schema, struct ai_err *why)
{
	static const char says[] = ": not a known key";
	struct ai_buf places = AI_BUF_INIT(200);
	const char *end = strstr(why->msg, says), *key = end, *p;
	char prefix[100] = "";
	struct ai_value root;
	size_t at;

	if (end == NULL ||
	    ai_json_check(schema->p, schema->len, &root, NULL) < 0)
		return;
	while (key > why->msg && key[-1] != '.')
		key--;
	/* Within a profile it belongs into the same profile. */
	if (strncmp(why->msg, "profiles.", 9) == 0 &&
	    (p = memchr(why->msg + 9, '.', (size_t)(end - why->msg - 9))))
		snprintf(prefix, sizeof prefix, "%.*s",
			 (int)(p + 1 - why->msg), why->msg);
	add_places(ai_json_get(root, "properties"), prefix, AI_SPAN(""),
		   (struct ai_span){ key, (size_t)(end - key) }, &places);
	at = (size_t)(end - why->msg) + strlen(says);
	if (places.len > 0)
		snprintf(why->msg + at, sizeof why->msg - at,
			 "; did you mean %s?", ai_buf_cstr(&places));
	ai_buf_release(&places);
}

/* Whether the settings are known ones, of the right types. */
static int check_schema(const struct ai_buf *text, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(CONFIG_MAX);
	struct ai_schema *schema = NULL;
	struct ai_err why;
	int rc = read_data("schema/config.json", &b, err);

	if (rc == 0)
		rc = ai_schema_new_unchecked(&schema, b.p, b.len, err);
	if (rc == 0 && ai_schema_check(schema, text->p, text->len, &why) < 0) {
		where_else(&b, &why);
		rc = ai_err_set(err, AI_E_CONFIG, "%.150s: %.240s",
				config.path, why.msg);
	}
	ai_schema_free(schema);
	ai_buf_release(&b);
	return rc;
}

/* The file without its comments, as one value of checked text. */
static int parse(struct ai_buf *file, struct ai_err *err)
{
	struct json_object *root = parse_file(file, err);
	struct ai_buf *text = &config.text;
	int rc;

	if (root == NULL)
		return -1;
	rc = ai_buf_str(text, json_object_to_json_string_ext(root,
						JSON_C_TO_STRING_PLAIN |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	if (rc < 0)
		return ai_buf_check(text, config.path, err);
	if (check_schema(text, err) < 0)
		return -1;
	return ai_json_check(text->p, text->len, &config.root, err);
}

static int choose_profile(struct ai_err *err)
{
	struct ai_value all = ai_json_get(config.root, "profiles");
	const char *name = ai_start.profile;

	if (name == NULL)
		return 0;
	if (config.root.kind == AI_NONE)
		return ai_err_set(err, AI_E_CONFIG,
				  "profile '%.80s': the configuration file "
				  "'%.200s' does not exist; write it, name "
				  "another with --config, or leave the profile "
				  "out", name, config.path);
	config.profile = ai_json_member(all, ai_span_of(name));
	if (config.profile.kind == AI_OBJECT)
		return 0;
	return ai_err_set(err, AI_E_CONFIG, "%.150s has no profile '%.80s'",
			  config.path, name);
}

/* The file is optional unless it was named. */
static int load(struct ai_err *err)
{
	struct ai_buf file = AI_BUF_INIT(CONFIG_MAX);
	const char *named = ai_start.config;
	struct ai_err why;
	int fd, rc;

	if (named != NULL) {
		config.path = strdup(named);
		if (config.path == NULL)
			return ai_err_nomem(err);
	} else if (ai_path_config("config.json", &config.path, &why) < 0) {
		return ai_start.profile == NULL ? 0 :
			ai_err_set(err, AI_E_CONFIG,
				   "profile '%.80s': no configuration file: "
				   "%.200s", ai_start.profile, why.msg);
	}
	fd = open(config.path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && named == NULL)
		return choose_profile(err);
	if (fd < 0)
		return ai_err_sys(err, AI_E_CONFIG, errno, "cannot open '%.200s'",
				  config.path);
	rc = read_whole(fd, config.path, &file, err);
	close(fd);
	if (rc == 0)
		rc = parse(&file, err);
	ai_buf_release(&file);
	return rc < 0 ? -1 : choose_profile(err);
}

/* ---- options ------------------------------------------------------------ */

/* The value as the text of an option, kept for good. */
static const char *keep_text(struct ai_value v, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(CONFIG_MAX);
	const char **more;
	char *text;

	ai_buf_add(&b, "", 0); /* has memory even if it stays empty */
	if (v.kind == AI_STRING)
		ai_json_text(v, &b);
	else
		ai_buf_add(&b, v.s.p, v.s.n);
	more = realloc(config.values.v, (config.values.n + 1) * sizeof *more);
	if (more != NULL)
		config.values.v = more;
	text = more == NULL || b.bad != AI_E_NONE ? NULL : ai_buf_take(&b);
	ai_buf_release(&b);
	if (text == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	config.values.v[config.values.n++] = text;
	return text;
}

static int set_one(struct ai_opts *o, size_t i, enum ai_source source,
		   struct ai_value v, struct ai_err *err)
{
	const char *text = keep_text(v, err);
	char what[400];

	if (text == NULL)
		return -1;
	snprintf(what, sizeof what, "%.200s: %s", config.path,
		 ai_opts_at(o, i)->key);
	return ai_opts_set(o, i, source, text, what, err);
}

static int set_from(struct ai_opts *o, size_t i, enum ai_source source,
		    struct ai_value root, struct ai_err *err)
{
	struct ai_value v = ai_json_get(root, ai_opts_at(o, i)->key), item;
	struct ai_json_iter it;

	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_ARRAY)
		return set_one(o, i, source, v, err);
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, NULL, &item))
		if (set_one(o, i, source, item, err) < 0)
			return -1;
	return 0;
}

int ai_config_apply(struct ai_opts *o, struct ai_err *err)
{
	if (load(err) < 0)
		return -1;
	if (config.root.kind == AI_NONE)
		return 0;
	for (size_t i = 0; i < o->n; i++) {
		if (ai_opts_at(o, i)->key == NULL)
			continue;
		if (set_from(o, i, AI_SOURCE_PROFILE, config.profile, err) < 0 ||
		    set_from(o, i, AI_SOURCE_CONFIG, config.root, err) < 0)
			return -1;
	}
	return 0;
}

struct ai_value ai_config_get(const char *path)
{
	struct ai_value v = ai_json_get(config.profile, path);

	return v.kind != AI_NONE ? v : ai_json_get(config.root, path);
}

struct ai_value ai_config_root(void)
{
	return config.root;
}
