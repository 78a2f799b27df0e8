#include "convert.h"

#include "base/proc.h"
#include "record/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SHOWN 120 /* bytes of a name in a message */
#define STDERR_MAX 4096

/* ---- which --------------------------------------------------------------- */

/* pandoc gets --sandbox: a page may not make it read other files or open
 * connections. */
#define PANDOC(format)                                                         \
	{ "pandoc", "--sandbox", "-f", format, "-t", "plain", "--wrap=none",   \
	  "--", "{}", NULL }

static const struct {
	const char *suffix;
	const char *argv[12];
} builtin[] = {
	{ ".pdf", { "pdftotext", "-layout", "-enc", "UTF-8", "--", "{}", "-",
		    NULL } },
	{ ".docx", PANDOC("docx") },
	{ ".odt", PANDOC("odt") },
	{ ".epub", PANDOC("epub") },
};

static const char *suffix_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash : path, '.');

	return dot != NULL ? dot : "";
}

static bool is_place(const char *arg)
{
	return strcmp(arg, "{}") == 0;
}

/* Fills argv with texts that live in c->texts, one behind the other. */
static void point_argv(struct chunk_converter *c, size_t n)
{
	const char *p = ai_buf_cstr(&c->texts);

	for (size_t i = 0; i < n; i++) {
		c->argv[i] = p;
		p += strlen(p) + 1;
	}
	c->argv[n] = NULL;
}

static int bad_config(const char *suffix, const char *why, struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "config.json: converters: '%.20s' %s", suffix, why);
}

/* ["program", "argument", ...] */
static int from_config(struct chunk_converter *c, const char *suffix,
		       struct ai_value list, struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value item;
	size_t n = 0;

	if (list.kind != AI_ARRAY)
		return bad_config(suffix, "is no list of words", err);
	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &item)) {
		size_t from = c->texts.len;

		if (item.kind != AI_STRING || n == CHUNK_CONVERT_ARGS ||
		    ai_json_text(item, &c->texts) < 0)
			return bad_config(suffix, "is no list of up to 32 "
					  "words", err);
		if (c->texts.len > from &&
		    memchr(c->texts.p + from, '\0', c->texts.len - from))
			return bad_config(suffix, "has a NUL character", err);
		ai_buf_chr(&c->texts, '\0');
		n++;
	}
	if (ai_buf_check(&c->texts, "a converter", err) < 0)
		return -1;
	if (n == 0 || c->texts.p[0] == '\0')
		return bad_config(suffix, "names no program", err);
	point_argv(c, n);
	return 1;
}

static bool is_suffix(struct ai_value key, const char *suffix)
{
	char name[24];
	struct ai_buf b = AI_BUF_INIT(sizeof name);
	bool same = ai_json_text(key, &b) == 0 &&
		strcasecmp(ai_buf_cstr(&b), suffix) == 0;

	ai_buf_release(&b);
	return same;
}

static struct ai_value configured(const char *suffix)
{
	struct ai_value all = ai_config_get("converters"), key, val;
	struct ai_value found = { AI_NONE, { NULL, 0 } };
	struct ai_json_iter it;

	if (all.kind != AI_OBJECT)
		return found;
	ai_json_iter_init(&it, all);
	while (ai_json_next(&it, &key, &val))
		if (is_suffix(key, suffix))
			found = val;
	return found;
}

static int find(struct chunk_converter *c, const char *suffix,
		struct ai_err *err)
{
	struct ai_value v = configured(suffix);

	if (v.kind == AI_NULL)
		return 0;
	if (v.kind != AI_NONE)
		return from_config(c, suffix, v, err);
	for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
		if (strcasecmp(builtin[i].suffix, suffix) == 0) {
			memcpy(c->argv, builtin[i].argv,
			       sizeof builtin[i].argv);
			return 1;
		}
	return 0;
}

int chunk_converter_find(struct chunk_converter *c, const char *path,
			 struct ai_err *err)
{
	const char *suffix = suffix_of(path);
	int rc;

	memset(c, 0, sizeof *c);
	ai_buf_init(&c->texts, 1 << 16);
	if (*suffix == '\0' || strcmp(path, "-") == 0)
		return 0;
	rc = find(c, suffix, err);
	c->reads_stdin = true;
	for (size_t i = 0; rc > 0 && c->argv[i] != NULL; i++)
		if (is_place(c->argv[i]))
			c->reads_stdin = false;
	if (rc <= 0)
		chunk_converter_release(c);
	return rc;
}

void chunk_converter_release(struct chunk_converter *c)
{
	ai_buf_release(&c->texts);
}

/* ---- running it ---------------------------------------------------------- */

/* The last line that says something, for a message. */
static const char *last_words(struct ai_buf *b)
{
	char *p;

	while (b->len > 0 && strchr("\n\r \t", b->p[b->len - 1]) != NULL)
		b->p[--b->len] = '\0';
	if (b->len == 0)
		return "no message";
	p = strrchr(b->p, '\n');
	return p != NULL ? p + 1 : b->p;
}

static int failed(const struct chunk_converter *c, const char *path,
		  const struct ai_err *why, struct ai_err *err)
{
	if (why->code == AI_E_OPEN)
		return ai_err_set(err, AI_E_DOCUMENT,
				  "'%.*s' needs a converter: %.100s; install "
				  "it, or set converters in config.json",
				  NAME_SHOWN, path, why->msg);
	return ai_err_set(err, AI_E_DOCUMENT, "cannot convert '%.*s' with "
			  "'%.40s': %.150s", NAME_SHOWN, path, c->argv[0],
			  why->msg);
}

/* argv with the file's name in its place; a leading dash is no option. */
static const char *named(const char *path, char **made)
{
	size_t n = strlen(path);

	*made = NULL;
	if (path[0] != '-')
		return path;
	*made = malloc(n + 3);
	if (*made != NULL) {
		memcpy(*made, "./", 2);
		memcpy(*made + 2, path, n + 1);
	}
	return *made;
}

static int run(const struct chunk_converter *c, const char *name, int fd,
	       struct ai_buf *out, struct ai_buf *said, int *status,
	       struct ai_err *err)
{
	const char *argv[CHUNK_CONVERT_ARGS + 1];
	size_t i;

	for (i = 0; c->argv[i] != NULL; i++)
		argv[i] = is_place(c->argv[i]) ? name : c->argv[i];
	argv[i] = NULL;
	return ai_proc_capture(argv, c->reads_stdin ? fd : -1,
			       CHUNK_CONVERT_S, out, said, status, err);
}

int chunk_convert(const struct chunk_converter *c, const char *path, int fd,
		  struct ai_buf *out, struct ai_err *err)
{
	struct ai_buf said = AI_BUF_INIT(STDERR_MAX);
	struct ai_err why;
	char *made;
	const char *name = named(path, &made);
	int status = 0, rc;

	if (name == NULL)
		return ai_err_nomem(err);
	rc = run(c, name, fd, out, &said, &status, &why);
	if (rc == 0 && status != 0)
		rc = ai_err_set(&why, AI_E_DOCUMENT, "exit status %d: %.100s",
				status, last_words(&said));
	if (rc < 0)
		failed(c, path, &why, err);
	ai_buf_release(&said);
	free(made);
	return rc;
}
