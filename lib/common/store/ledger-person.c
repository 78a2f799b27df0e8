/* ledger-person.c: forgetting somebody. */
#include "store/ledger-int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct forget {
	const char *user;
	bool known;
	struct ai_forgotten *out;
};

/* Runs one statement about the token; how many rows it was. */
static int run(struct ai_ledger *l, const char *sql, const char *token,
	       int64_t *rows, struct ai_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = ai_db_bind(&l->db, &st, sql, err, "t", ai_span_of(token));

	if (rc == 0)
		rc = ai_db_run(&l->db, st, err);
	ai_db_finish(&st);
	*rows = sqlite3_changes(l->db.h);
	return rc;
}

static int remove_all(struct ai_ledger *l, const char *token,
		      struct ai_forgotten *out, struct ai_err *err)
{
	const struct { const char *sql; int64_t *rows; } steps[] = {
		{ "DELETE FROM message WHERE conversation IN"
		  " (SELECT n FROM conversation WHERE person=?)",
		  &out->messages },
		{ "DELETE FROM conversation WHERE person=?",
		  &out->conversations },
		{ "DELETE FROM answer WHERE person=?", &out->answers },
		{ "DELETE FROM cache WHERE person=?", NULL },
		{ "DELETE FROM entry WHERE account IN (SELECT n FROM account"
		  " WHERE scope='user' AND name=?)", NULL },
		{ "DELETE FROM account WHERE scope='user' AND name=?", NULL },
		{ "DELETE FROM budget WHERE scope='user' AND name=?",
		  &out->budgets },
		{ "DELETE FROM person WHERE token=?", NULL },
	};
	int64_t rows;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (run(l, steps[i].sql, token, steps[i].rows != NULL
			? steps[i].rows : &rows, err) < 0)
			return -1;
	return 0;
}

static int forget(struct ai_ledger *l, void *arg, struct ai_err *err)
{
	struct forget *f = arg;
	struct ledger_who who = { l->uid, l->wall_ms() };
	char token[64];
	int rc;

	if (ledger_name(token, f->user, "a user's name", err) < 0)
		return -1;
	rc = ledger_known_person(l, token, err);
	if (rc < 0)
		return -1;
	f->known = rc > 0 && token[0] != '\0';
	if (!f->known)
		return 0;
	return ledger_forget_runs(l, token, &f->out->runs, err) < 0 ||
		remove_all(l, token, f->out, err) < 0 ? -1 :
		ledger_tell(l, &who, err, "forget", "t", "token", token);
}

/* What was overwritten stands in the log until that is emptied, which cannot
 * be done while others read. */
static int empty_log(struct ai_ledger *l, bool *left, struct ai_err *err)
{
	int rc;

	if (ai_queue_lock(&l->queue, err) < 0)
		return -1;
	ai_queue_wipe(&l->queue);
	rc = sqlite3_wal_checkpoint_v2(l->db.h, NULL,
				       SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	ai_queue_unlock(&l->queue);
	*left = rc == SQLITE_BUSY;
	return rc == SQLITE_OK || rc == SQLITE_BUSY ? 0 :
		ai_db_fail(&l->db, rc, err);
}

/* Of versions before this one, whose programs do not open it any more. */
static void remove_old_queues(struct ai_ledger *l)
{
	char name[4096];
	int version;

	for (version = 1; version < LEDGER_VERSION; version++) {
		ledger_queue_path(sqlite3_db_filename(l->db.h, "main"),
				  version, name, sizeof(name));
		unlink(name);
	}
}

int ai_ledger_forget(struct ai_ledger *l, const char *user,
		     struct ai_forgotten *out, struct ai_err *err)
{
	struct forget f = { user, false, out };

	memset(out, 0, sizeof(*out));
	/* What the dead had asked for is done first: it would bring the name
	 * back. */
	if (ai_ledger_sweep(l, err) < 0 ||
	    ledger_drop_draft(l, &out->restoring, err) < 0 ||
	    ledger_alone(l, true, forget, &f, err) < 0)
		return -1;
	remove_old_queues(l);
	if (f.known && empty_log(l, &out->log, err) < 0)
		return -1;
	return f.known;
}

int ai_ledger_beside(struct ai_ledger *l,
		     void (*each)(void *arg, const char *file), void *arg,
		     struct ai_err *err)
{
	const char *path = sqlite3_db_filename(l->db.h, "main");
	const char *name = strrchr(path, '/') + 1;
	size_t n = strlen(name);
	struct dirent *e;
	char file[4096];
	DIR *d;

	snprintf(file, sizeof(file), "%.*s", (int)(name - path), path);
	d = opendir(file);
	if (d == NULL)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot read the "
				  "folder '%.200s'", file);
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, name, n) != 0 || e->d_name[n] != '.')
			continue;
		snprintf(file, sizeof(file), "%.*s%s", (int)(name - path),
			 path, e->d_name);
		each(arg, file);
	}
	closedir(d);
	return 0;
}
