/* work.c: running the filter over one job. */
#include "record/job.h"

#include "base/msg.h"
#include "base/utf8.h"
#include "crypt/base64.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RAW_MAX ((size_t)1 << 16) /* longest bad line that is quoted */

/* "raw" for UTF-8, "raw_base64" for other bytes, for long lines their
 * length and hash: nothing that came in vanishes without a trace. */
static void put_raw(struct ai_buf *b, const struct entry *e, const char *p)
{
	char hash[AI_HASH_HEX];

	if (e->length > RAW_MAX) {
		if (e->n > 0)
			ai_hash_of(p, e->n, hash);
		ai_emit_put_length(b, e->length);
		ai_put_key(b, "raw_blake2b");
		ai_put_cstr(b, e->n > 0 ? hash : e->hash);
		return;
	}
	if (ai_utf8_valid(p, e->n) == e->n) {
		ai_put_key(b, "raw");
		ai_put_str(b, p, e->n);
		return;
	}
	ai_put_key(b, "raw_base64");
	ai_buf_chr(b, '"');
	ai_base64_encode(b, p, e->n);
	ai_buf_chr(b, '"');
}

/* A line that is no record comes out as a record that says so. */
static int emit_bad(struct ai_emit *out, const struct entry *e,
		    const struct ai_err *why, struct ai_err *err)
{
	struct ai_buf *b = &out->buf;

	if (ai_emit_noted(out, why, e->number))
		return 0;
	if (ai_emit_own(out, NULL, e->number, why))
		return ai_emit_spill(out, err);
	ai_buf_str(b, "{\"error\":");
	ai_rec_put_error(b, out->loop->program, why, e->number);
	if (out->loop->filter->withhold)
		ai_emit_put_length(b, e->length);
	else
		put_raw(b, e, out->job->in.p + e->at);
	ai_buf_str(b, "}\n");
	return ai_emit_spill(out, err);
}

static int do_operand(struct ai_emit *out, void *state, const struct entry *e,
		      struct ai_err *err)
{
	const char *path = out->job->in.p + e->at;
	struct ai_err why = { AI_E_NONE, -1, "" };
	struct ai_buf *b = &out->buf;

	if (out->loop->filter->operand(state, path, out, &why) == 0)
		return 0;
	if (why.code == AI_E_IO && out->loop->writer.err.code != AI_E_NONE) {
		*err = why;
		return -1;
	}
	if (ai_emit_noted(out, &why, 0))
		return 0;
	ai_buf_str(b, "{\"source\":{\"uri\":");
	/* A file name is bytes; what is not UTF-8 cannot stand in JSON. */
	ai_put_str(b, path, ai_utf8_valid(path, strlen(path)));
	ai_buf_str(b, "},\"error\":");
	ai_rec_put_error(b, out->loop->program, &why, 0);
	ai_buf_str(b, "}\n");
	return ai_emit_spill(out, err);
}

/* An error record of an earlier program passes untouched. */
static int pass_error(struct ai_emit *out, struct ai_rec *rec,
		      struct ai_err *err)
{
	char text[sizeof((struct ai_err *)NULL)->msg];
	struct ai_buf code = AI_BUF_INIT(64), msg = AI_BUF_INIT(sizeof text);
	struct ai_err why = { AI_E_NONE, -1, "" };
	int rc = 0;

	out->failed = true;
	ai_json_text(ai_rec_get(rec, "error.code"), &code);
	why.code = ai_code_from_name(ai_buf_cstr(&code), code.len);
	ai_tally_error(&out->job->tally, why.code == AI_E_NONE
			? AI_EXIT_RECORD : ai_code_exit(why.code));
	if (!ai_loop.plain_out && ai_emit_own(out, rec, rec->number, &why)) {
		rc = ai_emit_spill(out, err);
	} else if (!ai_loop.plain_out) {
		rc = ai_emit_rec(out, rec, err);
	} else {
		ai_json_text(ai_rec_get(rec, "error.message"), &msg);
		ai_msg(AI_MSG_ERROR, "line %lu: %s: %s", rec->number,
		       ai_buf_cstr(&code), ai_buf_cstr(&msg));
	}
	ai_buf_release(&code);
	ai_buf_release(&msg);
	return rc;
}

enum fit { FIT_RECORD, FIT_EMPTY, FIT_ERROR, FIT_BAD };

/* Makes the entry a record, or says in why what is wrong with it. */
static enum fit parse_entry(const struct job *j, const struct entry *e,
			    struct ai_rec *rec, struct ai_err *why)
{
	struct ai_span line = { j->in.p + e->at, e->n };

	if (e->kind == ENTRY_BAD && e->code == AI_E_TOO_LONG) {
		ai_err_set(why, e->code,
			   "the %s has %zu bytes; --max-line allows %" PRId64,
			   ai_loop.plain_in && ai_loop.slurp ? "file" : "line",
			   e->length, ai_loop.max_line);
		return FIT_BAD;
	}
	if (e->kind == ENTRY_BAD) {
		ai_err_set(why, e->code, "the line is not UTF-8");
		return FIT_BAD;
	}
	if (ai_rec_parse(rec, line, e->number, why) < 0)
		return FIT_BAD;
	rec->file = e->file;
	if (ai_rec_is_error(rec))
		return FIT_ERROR;
	return !j->out.loop->filter->empty && ai_rec_is_empty(rec)
		? FIT_EMPTY : FIT_RECORD;
}

static int emit_unfit(struct ai_emit *out, const struct entry *e,
		      struct ai_rec *rec, enum fit fit,
		      const struct ai_err *why, struct ai_err *err)
{
	if (fit == FIT_BAD)
		return emit_bad(out, e, why, err);
	if (fit == FIT_ERROR)
		return pass_error(out, rec, err);
	out->failed = true; /* neither good nor bad */
	return ai_loop.plain_out ? 0 : ai_emit_rec(out, rec, err);
}

bool ai_error_is_fatal(const struct ai_err *err)
{
	return err->code == AI_E_IO || err->code == AI_E_BUG;
}

static int each_record(struct ai_emit *out, void *state,
		       const struct entry *e, struct ai_rec *rec,
		       struct ai_err *err)
{
	struct ai_err why = { AI_E_NONE, -1, "" };
	enum fit fit = parse_entry(out->job, e, rec, &why);

	if (fit != FIT_RECORD)
		return emit_unfit(out, e, rec, fit, &why, err);
	if (out->loop->filter->each(state, rec, out, &why) == 0)
		return 0;
	if (ai_error_is_fatal(&why)) {
		*err = why;
		return -1;
	}
	return ai_emit_fail(out, rec, &why, err);
}

static int do_each(struct job *j, void *state, struct ai_err *err)
{
	struct ai_rec rec;
	int rc = 0;

	ai_rec_init(&rec);
	for (size_t i = 0; i < j->n && rc == 0; i++) {
		const struct entry *e = &j->entries[i];

		j->out.failed = false;
		rc = e->kind == ENTRY_OPERAND
			? do_operand(&j->out, state, e, err)
			: each_record(&j->out, state, e, &rec, err);
		if (rc == 0 && !j->out.failed)
			j->tally.good++;
	}
	if (rc == 0 && j->out.loop->filter->flush != NULL)
		rc = j->out.loop->filter->flush(state, err);
	ai_rec_release(&rec);
	return rc;
}

static int many_records(struct ai_emit *out, void *state,
			struct ai_rec *const *run, size_t n,
			struct ai_err *err)
{
	struct tally *t = &out->job->tally;
	unsigned long before = t->bad;

	if (n == 0)
		return 0;
	if (out->loop->filter->many(state, run, n, out, err) < 0)
		return -1;
	t->good += n - (t->bad - before);
	return 0;
}

/* Runs of records between those that are none; the order stays. */
static int do_many(struct job *j, void *state, struct ai_err *err)
{
	struct ai_rec *recs = calloc(j->n, sizeof *recs);
	struct ai_rec **run = calloc(j->n, sizeof *run);
	size_t n = 0, made = 0;
	int rc = 0;

	if (recs == NULL || run == NULL)
		rc = ai_err_nomem(err);
	for (; made < j->n && rc == 0; made++) {
		struct ai_rec *rec = &recs[made];
		struct ai_err why;
		enum fit fit;

		ai_rec_init(rec);
		fit = parse_entry(j, &j->entries[made], rec, &why);
		if (fit == FIT_RECORD) {
			run[n++] = rec;
			continue;
		}
		rc = many_records(&j->out, state, run, n, err);
		n = 0;
		if (rc == 0)
			rc = emit_unfit(&j->out, &j->entries[made], rec, fit,
					&why, err);
	}
	if (rc == 0)
		rc = many_records(&j->out, state, run, n, err);
	while (made > 0)
		ai_rec_release(&recs[--made]);
	free(recs);
	free(run);
	return rc;
}

int ai_job_begin(struct job *j, void *state, struct ai_err *err)
{
	const struct entry *e = &j->entries[0];
	struct ai_err why = { AI_E_NONE, -1, "" };
	enum fit fit;

	j->out.failed = false;
	fit = parse_entry(j, e, &j->rec, &why);
	if (fit != FIT_RECORD)
		return emit_unfit(&j->out, e, &j->rec, fit, &why, err);
	j->stage = JOB_RUNS;
	if (j->out.loop->filter->begin(state, (struct ai_task *)j, &why) < 0)
		ai_task_end((struct ai_task *)j, &why);
	return 1;
}

int ai_job_work(struct job *j, void *state, struct ai_err *err)
{
	return j->out.loop->filter->many != NULL ? do_many(j, state, err)
						 : do_each(j, state, err);
}
