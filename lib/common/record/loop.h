/*
 * loop.h: the loop that all filters share.
 *
 * It reads records (or plain lines with -R), hands them to a callback, and
 * owns everything else: order, worker threads (-j), flushing whenever
 * reading would block, error records, and the exit status.  A program is
 * its options and a callback.
 */
#ifndef AI_RECORD_LOOP_H
#define AI_RECORD_LOOP_H

#include "base/err.h"
#include "base/opt.h"
#include "record/rec.h"

/* What the options below set. */
struct ai_loop_settings {
	int64_t jobs;       /* -j */
	bool unordered;     /* --unordered */
	const char *path;   /* -p: the member to read */
	const char *as;     /* --as: the name of the member added */
	bool plain_in;      /* -R */
	bool slurp;         /* -s */
	bool plain_out;     /* -r */
	bool exit_no;       /* -e */
	int64_t max_line;   /* --max-line, bytes */
	bool progress;      /* --progress; only if it was given */
};
extern struct ai_loop_settings ai_loop;
/* Files of records that were opened, standard input among them. */
extern unsigned long ai_loop_files;
/* Records of the last run that could not be worked on, and lines that are
 * none. */
extern unsigned long ai_loop_failed;

/* -j --unordered -R -s --max-line */
extern const struct ai_opt ai_loop_options[];
/* -p --as -r -e: only for the programs where they mean something */
extern const struct ai_opt ai_loop_option_path[], ai_loop_option_as[],
	ai_loop_option_plain[], ai_loop_option_exit[];
/* --progress, for filters with begin() */
extern const struct ai_opt ai_loop_option_progress[];

/* Where a callback writes; one a job. */
struct ai_emit;

/* Writes the record as it is now. -1: writing failed, give up. */
int ai_emit_rec(struct ai_emit *out, struct ai_rec *rec, struct ai_err *err);
/* Bytes as they are, for answers in pieces. */
int ai_emit_bytes(struct ai_emit *out, const char *p, size_t n,
		  struct ai_err *err);
/* With -r the text (and a newline), else the record. */
int ai_emit_answer(struct ai_emit *out, struct ai_rec *rec, const char *text,
		   size_t n, struct ai_err *err);
/* A line of JSON that is not an edited input record, without its newline. */
int ai_emit_line(struct ai_emit *out, const char *json, size_t n,
		 struct ai_err *err);
/* The record with an error object (with -r: a message on stderr). rec may
 * be NULL: then a record of its own, with the members of context in it. */
int ai_emit_fail(struct ai_emit *out, struct ai_rec *rec,
		 const struct ai_err *why, struct ai_err *err);
/* The record (not NULL) as it was rewritten, with the members of this object in
 * its error. */
int ai_emit_fail_with(struct ai_emit *out, struct ai_rec *rec,
		      const struct ai_err *why, struct ai_value members,
		      struct ai_err *err);
/* Waits until all records before this one have been emitted, unless order is
 * of no interest (--unordered). */
int ai_emit_turn(struct ai_emit *out, struct ai_err *err);
/* With -e the exit status says no. */
void ai_emit_no(struct ai_emit *out);

/*
 * A record that waits for something outside, such as a model's answer, while
 * others are begun.  All of them belong to one thread.
 */
struct ai_task;
struct ai_rec *ai_task_rec(struct ai_task *t);
struct ai_emit *ai_task_out(struct ai_task *t);
/* What it has used, for people who watch: tokens, nano-dollars. */
void ai_task_used(struct ai_task *t, int64_t tokens, int64_t cost);
/* Writes what it has emitted so far, if it is its turn. */
int ai_task_flush(struct ai_task *t, struct ai_err *err);
/* Ends it: what it emits has been emitted, or (why not NULL) it has failed
 * for this reason.  t is gone then. */
void ai_task_end(struct ai_task *t, const struct ai_err *why);
/* It has failed; the members of this object go into its error. */
void ai_task_fail(struct ai_task *t, const struct ai_err *why,
		  struct ai_value members);

typedef int ai_feed_take(void *to, const char *operand, size_t n,
			 struct ai_err *err);

struct ai_filter {
	/* Records a callback gets at once; 0: one call a record (each). */
	size_t batch;
	/* Bytes of input that a call of many() gets; 0: 4 MB.  While it runs, a
	 * pipe takes in 1 MB at most: with less than that a call, who writes to
	 * it needs not wait. */
	size_t batch_bytes;
	/* How long a job that is not full may wait for more input, in
	 * milliseconds from its first record: for many() whose every call costs
	 * syncs, and where nobody waits for what it emits. */
	int linger_ms;
	/* Ends what many() has left open, a transaction say, when the input has
	 * had nothing to read for rest_ms.  At the input's end that is left to
	 * who called the loop. */
	int (*rest)(void *state, struct ai_err *err);
	int rest_ms;
	/* Whether each job's output is written out at once: for programs whose
	 * every record takes seconds, or money. */
	bool eager;
	/* Whether each() heeds signals (base/sig.h) itself: they are caught, and
	 * once one was nothing more is read. */
	bool signals;
	/* Whether records of documents without passages come to the callbacks
	 * too; else they pass through, as error records do. */
	bool empty;
	/*
	 * One record.  It emits what it likes and returns 0; or returns -1,
	 * and the loop emits the record with err as its error.  Error
	 * records never come here: they pass through.
	 */
	int (*each)(void *state, struct ai_rec *rec, struct ai_emit *out,
		    struct ai_err *err);
	/*
	 * Instead of each: -j records are under way at once, in one thread.
	 * begin() starts one; it may end the task at once, or a later turn()
	 * does.  -1: the record has failed, and the task is gone.
	 *
	 * turn() waits until something happens to one of them, or fd (-1:
	 * none) has something to read, which it tells in *readable; it ends
	 * the tasks that are done.  -1 ends the program.
	 */
	int (*begin)(void *state, struct ai_task *t, struct ai_err *err);
	int (*turn)(void *state, int fd, bool *readable, struct ai_err *err);
	/* With begin(): records under way for each of -j, if not one: of
	 * programs that put many into one request. */
	size_t tasks;
	/* With begin(), may be NULL: how many of the tasks only wait for the
	 * next turn() to end; others are begun in their places before it. */
	size_t (*ending)(void *state);
	/*
	 * With begin(): no more will be begun.  Ends what only waits to be
	 * worked on, then or in a later turn(), and with now everything.
	 */
	void (*stop)(void *state, bool now);
	/* With each(), may be NULL: all records that could be read were worked
	 * on, and none of them is written yet, unless they are large.  -1 ends
	 * the program. */
	int (*flush)(void *state, struct ai_err *err);
	/* Up to batch records; emits each itself.  -1 ends the program. */
	int (*many)(void *state, struct ai_rec *const *recs, size_t n,
		    struct ai_emit *out, struct ai_err *err);
	/*
	 * What an operand is: NULL: a file of records.  Else called for each
	 * operand (ai-chunk's documents), as each is.
	 */
	int (*operand)(void *state, const char *path, struct ai_emit *out,
		       struct ai_err *err);
	/*
	 * With operand(), may be NULL: what the operands stand for.  Hands each
	 * to take(to, ...), which works on it or waits until there is room: a
	 * name, a NUL and what else operand() is to find behind that, n bytes
	 * in all.  Runs in one thread, and -1 ends the program.
	 */
	int (*feed)(int argc, char **argv, ai_feed_take *take, void *to,
		    struct ai_err *err);
	/* The operands together are one payload under this name (ai-complete
	 * "words"); NULL if not. */
	const char *words;
	/*
	 * How a record that failed is written, here or by an earlier program
	 * (then it is one of those, and why has its code if it is one of
	 * ours); without an end of the line.  rec NULL: the line is no record.
	 * NULL: as an error record, see aiutils-records(5).
	 */
	void (*put_failed)(void *state, const struct ai_rec *rec,
			   unsigned long line, const struct ai_err *why,
			   struct ai_buf *out);
	/* Whether what could not be worked on is withheld: of a line that is no
	 * record, and of a record that each() failed on, only the error, the id
	 * and the length go on.  For programs that take things out. */
	bool withhold;
	/* At the end of the input, without -j: what each() has kept back. Not if
	 * there was no record. */
	int (*end)(void *state, struct ai_emit *out, struct ai_err *err);
	/* Before each write of output: what must be on the disk first. -1 ends
	 * the program, and nothing is written. */
	int (*before_write)(struct ai_err *err);
	/* The state of one worker thread; both may be NULL. */
	int (*open)(void **state, struct ai_err *err);
	void (*close)(void *state);
};

/*
 * Runs the filter over the operands, or over standard input without them
 * ("-" is standard input too).  Returns an exit status, or -1 with err when
 * the program cannot go on.
 */
int ai_loop_run(const struct ai_filter *f, int argc, char **argv,
		struct ai_err *err);

#endif
