/* admin.c: the ledger as a whole: checked, copied, restored, moved. */
#include "cost.h"

#include "base/msg.h"
#include "base/start.h"
#include "model/paid.h"
#include "record/reader.h"
#include "record/rec.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- check ------------------------------------------------------------------------ */

struct findings {
	struct cost_out *out;
	long n;
};

static void found(void *arg, const char *what)
{
	struct findings *f = arg;

	f->n++;
	ai_put_open(&f->out->line, '{');
	cost_put_text(&f->out->line, "wrong", what);
	ai_put_close(&f->out->line, '}');
	cost_put(f->out);
}

static int check_rows(struct ai_ledger *l, struct cost_out *o,
		      struct ai_err *err)
{
	struct findings f = { o, 0 };

	if (ai_ledger_check(l, found, &f, err) < 0)
		return -1;
	return f.n == 0 ? 0 :
		ai_err_set(err, AI_E_DATA, "the ledger contradicts itself in "
			   "%ld places", f.n);
}

static int check(int argc, char **argv, struct ai_err *err)
{
	return cost_no_operand(argc, argv, err) < 0 ? -1 :
		cost_list(check_rows, NULL, err);
}

/* ---- events ----------------------------------------------------------------------- */

static int put_event(void *arg, const struct ai_event *e)
{
	struct cost_out *o = arg;

	ai_put_open(&o->line, '{');
	cost_put_int(&o->line, "event", e->seq);
	cost_put_time(&o->line, "time", e->created);
	cost_put_text(&o->line, "kind", e->kind);
	ai_put_key(&o->line, "detail");
	ai_put_raw(&o->line, e->detail, strlen(e->detail));
	ai_put_close(&o->line, '}');
	return cost_put(o);
}

static int event_rows(struct ai_ledger *l, struct cost_out *o,
		      struct ai_err *err)
{
	return ai_ledger_events(l, put_event, o, err);
}

static int events(int argc, char **argv, struct ai_err *err)
{
	return cost_no_operand(argc, argv, err) < 0 ? -1 :
		cost_list(event_rows, NULL, err);
}

/* ---- copies ----------------------------------------------------------------------- */

static int backup(int argc, char **argv, struct ai_err *err)
{
	struct ai_ledger *l;
	int rc;

	if (cost_operands(argc, 1, "ledger backup FILE", err) < 0)
		return -1;
	if (strcmp(argv[0], "-") == 0)
		return ai_err_set(err, AI_E_USAGE, "a copy is a file, and goes "
				  "nowhere else; 'ledger export' writes lines");
	if (cost_open(&l, false, err) < 0)
		return -1;
	rc = l == NULL ? 0 : ai_ledger_backup(l, argv[0], cost.force, err);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

static int restore(int argc, char **argv, struct ai_err *err)
{
	char nano[AI_MONEY_TEXT];
	struct ai_restored r;

	if (cost_operands(argc, 1, "ledger restore FILE", err) < 0 ||
	    ai_ledger_restore(ai_paid.ledger, argv[0], cost.force, &r, err) < 0)
		return -1;
	if (r.aside[0] != '\0')
		ai_msg(AI_MSG_WARN, "the ledger was damaged: it is '%s' now",
		       r.aside);
	if (r.transfers > 0 || r.nano != 0 || r.events > 0) {
		ai_money_show(r.nano, nano);
		ai_msg(AI_MSG_WARN, "gone: %lld transfers of %s and %lld events "
		       "('budget', 'forget', ...) since the copy was made",
		       (long long)r.transfers, nano, (long long)r.events);
	}
	return AI_EXIT_OK;
}

static int vacuum_it(struct ai_ledger *l, struct cost_out *o,
		     struct ai_err *err)
{
	int64_t before, after;

	if (ai_ledger_vacuum(l, &before, &after, err) < 0)
		return -1;
	ai_put_open(&o->line, '{');
	cost_put_int(&o->line, "bytes_before", before);
	cost_put_int(&o->line, "bytes", after);
	ai_put_close(&o->line, '}');
	cost_put(o);
	return 0;
}

static int vacuum(int argc, char **argv, struct ai_err *err)
{
	return cost_no_operand(argc, argv, err) < 0 ? -1 :
		cost_list(vacuum_it, NULL, err);
}

/* ---- as text ------------------------------------------------------------------------ */

int cost_put_line(void *arg, const struct ai_buf *line)
{
	struct cost_out *o = arg;

	o->line.max = line->len + 2;
	ai_buf_add(&o->line, line->p, line->len);
	return cost_put(o);
}

static int export_rows(struct ai_ledger *l, struct cost_out *o,
		       struct ai_err *err)
{
	return ai_ledger_export(l, cost_put_line, o, err);
}

static int export(int argc, char **argv, struct ai_err *err)
{
	return cost_no_operand(argc, argv, err) < 0 ? -1 :
		cost_list(export_rows, NULL, err);
}

static int next_line(void *arg, struct ai_span *line, struct ai_err *err)
{
	struct ai_line in;
	int rc = ai_reader_next(arg, &in, err);

	if (rc > 0 && in.too_long)
		return ai_err_set(err, AI_E_TOO_LONG, "line %lu is too long",
				  in.number);
	*line = in.text;
	return rc;
}

/* Whoever writes the lines may take his time, and the ledger is locked while
 * they are imported: so all are there before it is. A file is, anyway. */
static int take_input(struct ai_spool *s, int *fd, struct ai_err *err)
{
	struct stat st;

	*fd = STDIN_FILENO;
	if (isatty(STDIN_FILENO))
		return ai_err_set(err, AI_E_USAGE, "the lines of 'ledger "
				  "export' are expected on standard input: "
				  "ai-cost ledger import <FILE");
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	return ai_spool_read(s, STDIN_FILENO, err) < 0 ? -1 :
		ai_spool_fd(s, fd, err);
}

static int import_from(int fd, struct ai_err *err)
{
	struct ai_reader in;
	struct ai_ledger *l;
	long rows;
	int rc;

	if (cost_open(&l, true, err) < 0)
		return -1;
	ai_reader_init(&in, fd, (size_t)64 << 20);
	rc = ai_ledger_import(l, next_line, &in, &rows, err);
	ai_reader_release(&in);
	ai_ledger_close(l);
	return rc < 0 ? -1 : AI_EXIT_OK;
}

static int import(int argc, char **argv, struct ai_err *err)
{
	struct ai_spool s;
	int fd, rc;

	if (cost_no_operand(argc, argv, err) < 0)
		return -1;
	ai_spool_init(&s);
	rc = take_input(&s, &fd, err);
	if (rc == 0)
		rc = import_from(fd, err);
	ai_spool_release(&s);
	return rc;
}

int cost_ledger(int argc, char **argv, struct ai_err *err)
{
	static const struct cost_word words[] = {
		{ "check", check }, { "events", events }, { "backup", backup },
		{ "restore", restore }, { "vacuum", vacuum },
		{ "export", export }, { "import", import }, { NULL, NULL }
	};

	return cost_pick("ledger", words, argc, argv, err);
}
