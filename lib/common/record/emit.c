/* emit.c: what callbacks write, and how its failures are counted. */
#include "record/job.h"

#include "base/msg.h"

#include <string.h>

void ai_tally_error(struct tally *t, enum ai_exit class)
{
	if (t->bad++ == 0)
		t->only = class;
	else if (t->only != class)
		t->only = AI_EXIT_RECORD;
}

void ai_tally_merge(struct tally *to, const struct tally *from)
{
	if (from->bad > 0) {
		if (to->bad == 0)
			to->only = from->only;
		else if (to->only != from->only)
			to->only = AI_EXIT_RECORD;
	}
	if (to->first.code == AI_E_NONE) {
		to->first = from->first;
		to->first_line = from->first_line;
	}
	to->good += from->good;
	to->bad += from->bad;
	to->no += from->no;
}

static int write_out(struct ai_emit *out, struct ai_err *err)
{
	int rc = ai_writer_add(&out->loop->writer, out->buf.p, out->buf.len,
			       err);

	ai_buf_shrink(&out->buf, SPILL_BYTES * 2);
	return rc;
}

/* With the lock held: until this is the oldest job. */
static int wait_turn(const struct ai_emit *out, struct ai_err *err)
{
	struct loop *l = out->loop;

	while (!ai_loop.unordered && l->order != out->job &&
	       l->fatal.code == AI_E_NONE)
		pthread_cond_wait(&l->done_cond, &l->lock);
	if (l->fatal.code == AI_E_NONE)
		return 0;
	*err = l->fatal;
	return -1;
}

int ai_emit_spill(struct ai_emit *out, struct ai_err *err)
{
	struct loop *l = out->loop;
	int rc;

	if (ai_buf_check(&out->buf, "a record", err) < 0)
		return -1;
	if (out->buf.len < SPILL_BYTES)
		return 0;
	/* A task's output waits for its turn in the job. */
	if (l->filter->begin != NULL && !ai_loop.unordered &&
	    l->order != out->job)
		return 0;
	if (!l->threaded)
		return write_out(out, err);
	pthread_mutex_lock(&l->lock);
	rc = wait_turn(out, err);
	if (rc == 0)
		rc = write_out(out, err);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

int ai_emit_turn(struct ai_emit *out, struct ai_err *err)
{
	struct loop *l = out->loop;
	int rc;

	if (!l->threaded)
		return 0;
	pthread_mutex_lock(&l->lock);
	rc = wait_turn(out, err);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

int ai_emit_rec(struct ai_emit *out, struct ai_rec *rec, struct ai_err *err)
{
	ai_rec_write(rec, &out->buf);
	return ai_emit_spill(out, err);
}

int ai_emit_answer(struct ai_emit *out, struct ai_rec *rec, const char *text,
		   size_t n, struct ai_err *err)
{
	if (!ai_loop.plain_out)
		return ai_emit_rec(out, rec, err);
	return ai_emit_line(out, text, n, err);
}

int ai_emit_line(struct ai_emit *out, const char *json, size_t n,
		 struct ai_err *err)
{
	ai_buf_add(&out->buf, json, n);
	ai_buf_chr(&out->buf, '\n');
	return ai_emit_spill(out, err);
}

int ai_emit_bytes(struct ai_emit *out, const char *p, size_t n,
		  struct ai_err *err)
{
	ai_buf_add(&out->buf, p, n);
	return ai_emit_spill(out, err);
}

static void say_failed(const struct ai_err *why, unsigned long line)
{
	if (line > 0)
		ai_msg(AI_MSG_ERROR, "line %lu: %s: %s", line,
		       ai_code_name(why->code), why->msg);
	else
		ai_msg(AI_MSG_ERROR, "%s: %s", ai_code_name(why->code),
		       why->msg);
}

bool ai_emit_noted(struct ai_emit *out, const struct ai_err *why,
		   unsigned long line)
{
	struct tally *t = &out->job->tally;

	out->failed = true;
	ai_tally_error(t, ai_code_exit(why->code));
	if (t->first.code == AI_E_NONE) {
		t->first = *why;
		t->first_line = line;
	}
	if (ai_loop.plain_out)
		say_failed(why, line);
	return ai_loop.plain_out;
}

bool ai_emit_own(struct ai_emit *out, const struct ai_rec *rec,
		 unsigned long line, const struct ai_err *why)
{
	const struct ai_filter *f = out->loop->filter;

	if (f->put_failed == NULL)
		return false;
	f->put_failed(out->loop->state, rec, line, why, &out->buf);
	ai_buf_chr(&out->buf, '\n');
	return true;
}

int ai_emit_fail_with(struct ai_emit *out, struct ai_rec *rec,
		      const struct ai_err *why, struct ai_value members,
		      struct ai_err *err)
{
	if (ai_emit_noted(out, why, rec->number))
		return 0;
	if (ai_emit_own(out, rec, rec->number, why))
		return ai_emit_spill(out, err);
	if (ai_rec_fail_with(rec, out->loop->program, why, members, err) < 0)
		return -1;
	return ai_emit_rec(out, rec, err);
}

void ai_emit_put_length(struct ai_buf *b, size_t n)
{
	ai_put_key(b, "raw_bytes");
	ai_put_i64(b, (int64_t)n);
}

/* No hash: of a short line one can try what it says. */
static int withhold(struct ai_emit *out, const struct ai_rec *rec,
		    const struct ai_err *why, struct ai_err *err)
{
	static const char *const ids[] = { "id", "custom_id" };
	struct ai_buf *b = &out->buf;

	if (ai_emit_noted(out, why, rec->number))
		return 0;
	ai_put_open(b, '{');
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct ai_value v = ai_rec_get(rec, ids[i]);

		if (v.kind != AI_STRING && v.kind != AI_NUMBER)
			continue;
		ai_put_key(b, ids[i]);
		ai_put_value(b, v);
	}
	ai_put_key(b, "error");
	ai_rec_put_error(b, out->loop->program, why, rec->number);
	ai_emit_put_length(b, rec->line.n);
	ai_buf_str(b, "}\n");
	return ai_emit_spill(out, err);
}

int ai_emit_fail(struct ai_emit *out, struct ai_rec *rec,
		 const struct ai_err *why, struct ai_err *err)
{
	static const struct ai_value none;

	if (rec != NULL && out->loop->filter->withhold)
		return withhold(out, rec, why, err);
	if (rec != NULL) {
		ai_rec_revert(rec);
		return ai_emit_fail_with(out, rec, why, none, err);
	}
	if (ai_emit_noted(out, why, 0))
		return 0;
	if (ai_emit_own(out, NULL, 0, why))
		return ai_emit_spill(out, err);
	ai_buf_str(&out->buf, "{\"error\":");
	ai_rec_put_error(&out->buf, out->loop->program, why, 0);
	ai_buf_str(&out->buf, "}\n");
	return ai_emit_spill(out, err);
}

void ai_emit_no(struct ai_emit *out)
{
	out->job->tally.no++;
}
