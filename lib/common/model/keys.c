#include "model/keys.h"

#include "base/clock.h"
#include "base/proc.h"
#include "crypt/keyfile.h"
#include "model/client.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 10) /* of a file, or of what a program writes */
#define ARGS_MAX 32
/* Somebody may have to unlock something. */
#define COMMAND_S 60.0

struct ai_keys {
	struct ai_keys *next;
	char *name;
	enum ai_auth auth;
	bool of_env;             /* the one is a variable's */
	struct ai_value command; /* AI_NONE: done, or none */
	struct ai_err err;       /* of the command */
	size_t n;
	struct ai_key v[AI_KEYS_MAX];
};

/* All that have been found, behind one lock: they are asked for rarely. */
static struct ai_keys *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *env(const char *name)
{
	const char *v = name == NULL ? NULL : getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

/* ---- one key ------------------------------------------------------------ */

/* A header must be one line; a carriage return comes from a file made
 * elsewhere more often than from an attacker. */
static int check(struct ai_span key, const char *where, struct ai_err *err)
{
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] <= ' ' ||
		    (unsigned char)key.p[i] >= 127)
			return ai_err_set(err, AI_E_NOT_ALLOWED,
					  "the key in %s has a blank or "
					  "control character in it", where);
	return key.n <= AI_KEY_BYTES ? 0 :
		ai_err_set(err, AI_E_NOT_ALLOWED, "the key in %s is longer "
			   "than %d bytes", where, AI_KEY_BYTES);
}

/* The same key twice is one. */
static int add(struct ai_keys *k, struct ai_span key, const char *where,
	       struct ai_err *err)
{
	struct ai_key *new = &k->v[k->n];

	if (check(key, where, err) < 0)
		return -1;
	for (size_t i = 0; i < k->n; i++)
		if (ai_span_is(key, k->v[i].text))
			return 0;
	if (k->n == AI_KEYS_MAX)
		return ai_err_set(err, AI_E_NOT_ALLOWED, "%s: more than %d "
				  "keys", where, AI_KEYS_MAX);
	*new = (struct ai_key){ .text = ai_span_dup(key), .auth = k->auth,
				.bit = (uint64_t)1 << k->n };
	if (new->text == NULL)
		return ai_err_nomem(err);
	ai_key_label(new->text, new->label);
	k->n++;
	return 0;
}

/* One a line; lines may be empty or comments. */
static int add_lines(struct ai_keys *k, const struct ai_buf *text,
		     const char *from, struct ai_err *err)
{
	struct ai_span rest = { ai_buf_cstr(text), text->len }, line;
	char where[300];
	int number = 0;

	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		line = (struct ai_span){ rest.p, n };
		n += end != NULL;
		rest = (struct ai_span){ rest.p + n, rest.n - n };
		snprintf(where, sizeof where, "line %d of %.250s", ++number,
			 from);
		if (line.n > 0 && line.p[0] != '#' &&
		    add(k, line, where, err) < 0)
			return -1;
	}
	return k->n > 0 ? 0 : ai_err_set(err, AI_E_NOT_ALLOWED, "there is no "
					 "key in %s: one a line is expected",
					 from);
}

/* ---- variables ---------------------------------------------------------- */

/* The variable that a key is in; NULL: in none. */
static const char *variable(const struct ai_keys_from *from)
{
	for (int i = 0; i < 2; i++)
		if (env(from->env[i]) != NULL)
			return from->env[i];
	return env(from->token_env) != NULL ? from->token_env : NULL;
}

/* 1: there is one. */
static int take_env(struct ai_keys *k, const struct ai_keys_from *from,
		    struct ai_err *err)
{
	const char *name = variable(from);

	if (name == NULL)
		return 0;
	if (name == from->token_env)
		k->auth = AI_AUTH_BEARER;
	if (add(k, ai_span_of(env(name)), name, err) < 0)
		return -1;
	if (strcmp(name, "AWS_ACCESS_KEY_ID") != 0)
		return 1;
	k->v[0].token = env("AWS_SESSION_TOKEN");
	k->v[0].secret = env("AWS_SECRET_ACCESS_KEY");
	return k->v[0].secret != NULL ? 1 :
		ai_err_set(err, AI_E_NOT_ALLOWED, "AWS_ACCESS_KEY_ID is set, "
			   "and AWS_SECRET_ACCESS_KEY is not");
}

/* ---- files -------------------------------------------------------------- */

static int read_file(int fd, const char *path, struct ai_buf *b,
		     struct ai_err *err)
{
	if (ai_buf_read(b, fd) == 0)
		return 0;
	return b->bad != AI_E_NONE ?
		ai_err_set(err, AI_E_NOT_ALLOWED, "the key file '%.200s' is "
			   "too large", path) :
		ai_err_sys(err, AI_E_NOT_ALLOWED, errno, "cannot read the key "
			   "file '%.200s'", path);
}

static int take_file(struct ai_keys *k, const char *path, struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(TEXT_MAX);
	char from[300];
	/* A pipe without a writer must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return ai_err_sys(err, AI_E_NOT_ALLOWED, errno,
				  "cannot open the key file '%.200s'", path);
	snprintf(from, sizeof from, "the key file '%.200s'", path);
	rc = ai_keyfile_check(fd, path, err);
	if (rc == 0)
		rc = read_file(fd, path, &b, err);
	if (rc == 0)
		rc = add_lines(k, &b, from, err);
	close(fd);
	ai_buf_release(&b);
	return rc < 0 ? -1 : 1;
}

/* OPENAI_API_KEY_FILE: as containers are given their secrets. */
static const char *file_of_env(const struct ai_keys_from *from)
{
	char name[80];

	if (from->env[0] == NULL)
		return NULL;
	snprintf(name, sizeof name, "%s_FILE", from->env[0]);
	return env(name);
}

/* No shell sees the configuration: "~/" is ours to understand. */
static int take_config_file(struct ai_keys *k, struct ai_value v,
			    struct ai_err *err)
{
	struct ai_buf path = AI_BUF_INIT(4096), text = AI_BUF_INIT(4096);
	const char *home = env("HOME"), *p;
	int rc;

	if (v.kind != AI_STRING)
		return 0;
	ai_json_text(v, &text);
	p = ai_buf_cstr(&text);
	if (p[0] == '~' && p[1] == '/' && home != NULL) {
		ai_buf_str(&path, home);
		p++;
	}
	ai_buf_str(&path, p);
	rc = ai_buf_check(&text, "key_file", err);
	if (rc == 0)
		rc = ai_buf_check(&path, "key_file", err);
	if (rc == 0)
		rc = take_file(k, ai_buf_cstr(&path), err);
	ai_buf_release(&text);
	ai_buf_release(&path);
	return rc;
}

/* ---- the program -------------------------------------------------------- */

struct args {
	struct ai_buf text[ARGS_MAX];
	const char *v[ARGS_MAX + 1];
	size_t n;
};

static int add_arg(struct args *a, struct ai_value v, struct ai_err *err)
{
	struct ai_buf *b = &a->text[a->n];

	if (a->n == ARGS_MAX || v.kind != AI_STRING)
		return ai_err_set(err, AI_E_CONFIG, "key_command has at most "
				  "%d parts, all strings", ARGS_MAX);
	ai_buf_init(b, TEXT_MAX);
	ai_json_text(v, b);
	a->v[a->n++] = ai_buf_cstr(b);
	return ai_buf_check(b, "key_command", err);
}

/*
 * A list is a program and its arguments, and no shell sees it.  A string goes
 * to a shell, as Git's credential helpers do: a blank, a quote, a pipe mean
 * what they always mean there, and we need no rules of our own for them.  It
 * is from the user's own configuration; nothing of a record is in it.
 */
static int take_args(struct args *a, struct ai_value command,
		     struct ai_err *err)
{
	struct ai_json_iter it;
	struct ai_value v;

	if (command.kind == AI_STRING) {
		a->v[a->n++] = "sh";
		a->v[a->n++] = "-c";
		return add_arg(a, command, err);
	}
	ai_json_iter_init(&it, command);
	while (ai_json_next(&it, NULL, &v))
		if (add_arg(a, v, err) < 0)
			return -1;
	return a->n > 0 ? 0 : ai_err_set(err, AI_E_CONFIG, "key_command is "
					 "empty");
}

static int run(struct ai_value command, struct ai_buf *out, int *status,
	       struct ai_err *err)
{
	struct args a = { .n = 0 };
	int rc = take_args(&a, command, err);

	if (rc == 0)
		rc = ai_proc_capture(a.v, -1,
				     fmin(COMMAND_S, ai_client.timeout_s), out,
				     NULL, status, err);
	for (size_t i = 0; i < a.n; i++)
		ai_buf_release(&a.text[i]);
	return rc;
}

static int take_command(struct ai_keys *k, struct ai_err *err)
{
	struct ai_buf out = AI_BUF_INIT(TEXT_MAX);
	struct ai_err why;
	char from[200];
	int status = 0, rc = run(k->command, &out, &status, &why);

	snprintf(from, sizeof from, "what the key_command of %.150s wrote",
		 k->name);
	if (rc < 0)
		ai_err_set(err, AI_E_NOT_ALLOWED, "the key_command of %.100s: "
			   "%.200s", k->name, why.msg);
	else if (status != 0)
		rc = ai_err_set(err, AI_E_NOT_ALLOWED, "the key_command of "
				"%.100s failed (exit status %d)", k->name,
				status);
	else
		rc = add_lines(k, &out, from, err);
	ai_buf_release(&out);
	return rc;
}

/* Under the lock: the first that needs a key runs it, and all others wait. */
static int settle(struct ai_keys *k, struct ai_err *err)
{
	if (k->command.kind != AI_NONE) {
		k->err.code = AI_E_NONE;
		if (take_command(k, &k->err) < 0)
			k->n = 0;
		k->command.kind = AI_NONE;
	}
	if (k->err.code == AI_E_NONE)
		return 0;
	*err = k->err;
	return -1;
}

/* ---- all of them -------------------------------------------------------- */

static int read_all(struct ai_keys *k, const struct ai_keys_from *from,
		    struct ai_err *err)
{
	int rc;

	k->auth = from->auth;
	rc = take_env(k, from, err);
	if (rc == 0 && file_of_env(from) != NULL)
		rc = take_file(k, file_of_env(from), err);
	if (rc == 0)
		rc = take_config_file(k, from->file, err);
	if (rc == 0)
		k->command = from->command;
	return rc < 0 ? -1 : 0;
}

static void forget(struct ai_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->v[i].text);
	free(k->name);
	free(k);
}

/* A variable that has another value now makes other keys. */
static struct ai_keys *known(const struct ai_keys_from *from)
{
	const char *set = env(variable(from));
	struct ai_keys *k;

	for (k = all; k != NULL; k = k->next)
		if (strcmp(k->name, from->name) == 0 &&
		    (set != NULL) == k->of_env &&
		    (set == NULL || strcmp(k->v[0].text, set) == 0))
			break;
	return k;
}

static struct ai_keys *make(const struct ai_keys_from *from,
			    struct ai_err *err)
{
	struct ai_keys *k = calloc(1, sizeof *k);

	if (k != NULL)
		k->name = strdup(from->name);
	if (k == NULL || k->name == NULL) {
		free(k);
		ai_err_nomem(err);
		return NULL;
	}
	k->of_env = variable(from) != NULL;
	if (read_all(k, from, err) < 0) {
		forget(k);
		return NULL;
	}
	k->next = all;
	all = k;
	return k;
}

int ai_keys_find(struct ai_keys **out, const struct ai_keys_from *from,
		 struct ai_err *err)
{
	struct ai_keys *k;

	pthread_mutex_lock(&lock);
	k = known(from);
	if (k == NULL)
		k = make(from, err);
	pthread_mutex_unlock(&lock);
	*out = k != NULL && (k->n > 0 || k->command.kind != AI_NONE) ? k
								     : NULL;
	return k == NULL ? -1 : 0;
}

bool ai_keys_named(const struct ai_keys_from *from)
{
	return variable(from) != NULL || file_of_env(from) != NULL ||
	       from->file.kind != AI_NONE || from->command.kind != AI_NONE;
}

const struct ai_key *ai_keys_at(const struct ai_keys *k, size_t i)
{
	return k != NULL && i < k->n ? &k->v[i] : NULL;
}

/* ---- whose turn it is --------------------------------------------------- */

struct ai_keyring {
	struct ai_keys *keys;
	size_t turn;
	double until[AI_KEYS_MAX]; /* on the monotonic clock: set aside */
};

struct ai_keyring *ai_keyring_new(struct ai_keys *keys, struct ai_err *err)
{
	struct ai_keyring *r = calloc(1, sizeof *r);
	uint32_t turn = 0;

	if (r == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	/* Many programs that ask once each spread over the keys, too. */
	if (getrandom(&turn, sizeof turn, 0) == (ssize_t)sizeof turn)
		r->turn = turn;
	r->keys = keys;
	return r;
}

void ai_keyring_free(struct ai_keyring *r)
{
	free(r);
}

static bool is_free(const struct ai_keyring *r, size_t i, uint64_t tried,
		    double now)
{
	return (r->keys->v[i].bit & tried) == 0 && r->until[i] <= now;
}

/* Of several that are so for the same time, the next. */
static size_t soonest(const struct ai_keyring *r)
{
	size_t n = r->keys->n, best = r->turn % n, at;

	for (size_t i = 1; i < n; i++) {
		at = (r->turn + i) % n;
		if (r->until[at] < r->until[best])
			best = at;
	}
	return best;
}

static const struct ai_key *choose(struct ai_keyring *r, uint64_t tried)
{
	double now = ai_clock_s();
	size_t n = r->keys->n, at = soonest(r);

	for (size_t i = 0; i < n; i++)
		if (is_free(r, (r->turn + i) % n, tried, now)) {
			at = (r->turn + i) % n;
			break;
		}
	r->turn = at + 1;
	return &r->keys->v[at];
}

int ai_keyring_next(struct ai_keyring *r, uint64_t tried,
		    const struct ai_key **key, struct ai_err *err)
{
	int rc;

	*key = NULL;
	if (r->keys == NULL)
		return 0;
	pthread_mutex_lock(&lock);
	rc = settle(r->keys, err);
	if (rc == 0)
		*key = choose(r, tried);
	pthread_mutex_unlock(&lock);
	return rc;
}

void ai_keyring_set_aside(struct ai_keyring *r, const struct ai_key *key,
			  double s)
{
	double until = ai_clock_s() + s, *mine = &r->until[key - r->keys->v];

	pthread_mutex_lock(&lock);
	if (until > *mine)
		*mine = until;
	pthread_mutex_unlock(&lock);
}

bool ai_keyring_has(struct ai_keyring *r, uint64_t tried)
{
	double now = ai_clock_s();
	bool has = false;

	if (r->keys == NULL)
		return false;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < r->keys->n; i++)
		has = has || is_free(r, i, tried, now);
	pthread_mutex_unlock(&lock);
	return has;
}

double ai_keyring_wait(struct ai_keyring *r)
{
	double until = 0;

	if (r->keys == NULL)
		return 0;
	pthread_mutex_lock(&lock);
	if (r->keys->n > 0)
		until = r->until[soonest(r)];
	pthread_mutex_unlock(&lock);
	return fmax(until - ai_clock_s(), 0);
}

/* ---- messages ----------------------------------------------------------- */

/* Bytes of the secret at p, or 0. */
static size_t match(const char *p, size_t n, const char *secret)
{
	size_t i = 0;

	for (; *secret != '\0'; secret++) {
		if (*secret == '/' && i + 1 < n && p[i] == '\\')
			i++;
		if (i == n || p[i] != *secret)
			return 0;
		i++;
	}
	return i;
}

char *ai_key_in(char *p, size_t n, const char *secret, size_t *len)
{
	char *end = p + n, *at;

	if (n == 0 || *secret == '\0')
		return NULL;
	for (; (at = memchr(p, *secret, (size_t)(end - p))); p = at + 1) {
		*len = match(at, (size_t)(end - at), secret);
		if (*len > 0)
			return at;
	}
	return NULL;
}

void ai_key_hide(char *msg, const char *secret)
{
	size_t n = secret == NULL ? 0 : strlen(secret), len, found;

	if (n == 0)
		return;
	for (char *p = msg; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (ai_key_in(p, len, secret, &found) == NULL &&
		    (memchr(p, '*', len) == NULL || n < 3 ||
		     memmem(p, len, secret, 3) == NULL))
			continue;
		memset(p, '*', len < 3 ? len : 3);
		if (len > 3)
			memmove(p + 3, p + len, strlen(p + len) + 1);
		len = len < 3 ? len : 3;
	}
}
