#include "model/tokenizer.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

bool ai_tokenizer_is_known(const char *name)
{
	for (size_t i = 0; ai_bpe_encoding_at(i) != NULL; i++)
		if (strcmp(ai_bpe_encoding_at(i), name) == 0)
			return true;
	return false;
}

bool ai_tokenizer_is_file(const char *name)
{
	return !ai_tokenizer_is_known(name) &&
	       (strchr(name, '/') != NULL || access(name, F_OK) == 0);
}

/* What is in a folder goes by one of two names. */
static int open_in_folder(const char *folder, struct ai_err *err)
{
	static const char *const names[] = { "tokenizer.json",
					     "tokenizer.model" };
	char *path;
	int fd;

	for (size_t i = 0; i < 2; i++) {
		if (ai_path_join(folder, names[i], &path, err) < 0)
			return -1;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		free(path);
		if (fd >= 0)
			return fd;
	}
	return ai_err_set(err, AI_E_OPEN,
			  "'%.300s' has no tokenizer.json that can be opened",
			  folder);
}

static int open_file(const char *name, struct ai_err *err)
{
	struct stat st;
	int fd;

	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return open_in_folder(name, err);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : ai_err_sys(err, AI_E_OPEN, errno,
					 "cannot open '%.300s'", name);
}

int ai_tokenizer_compile(const char *p, size_t n, const char *source,
			 struct ai_buf *out, struct ai_err *err)
{
	struct ai_tok_spec s;
	size_t blanks = 0;
	int rc;

	while (blanks < n && memchr(" \t\r\n", p[blanks], 4) != NULL)
		blanks++;
	ai_tok_spec_init(&s);
	memcpy(s.head.source, source, sizeof s.head.source);
	rc = blanks < n && p[blanks] == '{'
		     ? ai_tokenizer_read_json(&s, p, n, err)
		     : ai_tokenizer_read_model(&s, p, n, err);
	if (rc == 0)
		rc = ai_tok_build(&s, out, err);
	ai_tok_spec_release(&s);
	return rc;
}

/* What was meant: names are written in short ("cl100k") or in capitals, too. */
static const char *meant(const char *name, const char *const *names, size_t n)
{
	char longer[64];

	if (*name == '\0')
		return NULL;
	snprintf(longer, sizeof longer, "%s_base", name);
	for (size_t i = 0; i < n; i++)
		if (strncasecmp(names[i], name, strlen(name)) == 0)
			return names[i];
	for (size_t i = 0; i < n; i++)
		if (ai_distance(longer, names[i]) < 2)
			return names[i];
	return ai_nearest(name, names, n);
}

/* As it is no encoding, it may have been meant for one, for a model or for a
 * file. */
static int unknown(const char *name, struct ai_err *err)
{
	const char *names[32], *near, *of_model;
	struct ai_buf all = AI_BUF_INIT(256);
	size_t n = 0;

	for (; n < 32 && ai_bpe_encoding_at(n) != NULL; n++) {
		names[n] = ai_bpe_encoding_at(n);
		ai_buf_fmt(&all, "%s%s", n > 0 ? ", " : "", names[n]);
	}
	of_model = ai_bpe_encoding_for_model(name);
	near = meant(name, names, n);
	if (of_model != NULL)
		ai_err_set(err, AI_E_CONFIG, "no encoding and no file '%.100s'; "
			   "the model of this name has the encoding %s", name,
			   of_model);
	else if (near != NULL)
		ai_err_set(err, AI_E_CONFIG, "no encoding and no file '%.100s'; "
			   "did you mean '%s'? There are %s", name, near,
			   ai_buf_cstr(&all));
	else
		ai_err_set(err, AI_E_CONFIG, "no encoding and no file '%.100s'; "
			   "there are %s, and files such as a tokenizer.json",
			   name, ai_buf_cstr(&all));
	ai_buf_release(&all);
	return -1;
}

int ai_tokenizer_open(struct ai_bpe **out, const char *name,
		      struct ai_err *err)
{
	char why[sizeof err->msg];
	struct ai_tok *tok;
	int fd, rc;

	*out = NULL;
	if (ai_tokenizer_is_known(name))
		return ai_bpe_open(out, name, err);
	if (!ai_tokenizer_is_file(name))
		return unknown(name, err);
	fd = open_file(name, err);
	if (fd < 0)
		return -1;
	rc = ai_tokenizer_cached(&tok, fd, err);
	close(fd);
	if (rc == 0)
		return ai_bpe_from_tok(out, tok, name, err);
	if (err->code != AI_E_MEMORY) {
		memcpy(why, err->msg, sizeof why);
		return ai_err_set(err, AI_E_DATA,
				  "'%.120s' cannot be used: %s", name, why);
	}
	return -1;
}
