/*
 * job.h: the insides that loop.c, emit.c, work.c and intake.c share; nothing
 * for programs.
 */
#ifndef AI_RECORD_JOB_H
#define AI_RECORD_JOB_H

#include "base/sig.h"
#include "record/loop.h"
#include "record/progress.h"
#include "record/reader.h"
#include "record/writer.h"

#include <pthread.h>

#define JOB_BYTES ((size_t)1 << 16)   /* input of a job of single records */
#define BATCH_BYTES ((size_t)1 << 22) /* input of a job for many() */
#define PIPE_BYTES (1 << 20)          /* what a pipe holds at most, by default */
#define SPILL_BYTES ((size_t)1 << 18) /* output kept back in a job */

enum entry_kind {
	ENTRY_RECORD, /* JSON, or made from plain text */
	ENTRY_BAD,    /* cannot become a record: why */
	ENTRY_OPERAND,
};

struct entry {
	enum entry_kind kind;
	size_t at, n;         /* bytes in job.in */
	unsigned long number;
	const char *file;     /* an operand; NULL: standard input */
	enum ai_code code;    /* ENTRY_BAD */
	size_t length;        /* ENTRY_BAD: of the line, if not kept */
	char hash[AI_HASH_HEX];
};

/* What the exit status is made of. */
struct tally {
	unsigned long good, bad, no;
	enum ai_exit only; /* the class all errors share, or AI_EXIT_RECORD */
	struct ai_err first; /* the first error made here, for the summary */
	unsigned long first_line;
};

struct ai_emit {
	struct loop *loop;
	struct job *job;
	struct ai_buf buf;
	bool failed; /* the record at hand does not count as good */
};

struct job {
	struct job *next; /* in loop.order or loop.spare */
	struct ai_buf in;
	struct entry *entries;
	size_t n, cap;
	double since; /* ai_clock_s() of the first, if the filter lingers */
	struct ai_emit out;
	struct tally tally;
	enum { JOB_WAITS, JOB_RUNS, JOB_DONE } stage;
	struct ai_rec rec; /* of a task */
};

struct loop {
	const struct ai_filter *filter;
	const char *program;
	struct ai_writer writer;
	struct tally tally;
	bool cannot_open;
	const char *file; /* being read; NULL: standard input */

	/* One thread: the state of the filter, opened at the first job. */
	void *state;
	bool have_state;

	size_t n_tasks; /* begun and not ended */
	enum ai_sig stop; /* what signals asked for, and was done */
	bool interactive; /* one payload, of the command line */
	unsigned long last; /* line that was begun */
	struct ai_progress progress;

	/* Several threads. */
	pthread_mutex_t lock;
	pthread_cond_t todo_cond;  /* there is work, or an end of it */
	pthread_cond_t done_cond;  /* a job was written, or all is over */
	pthread_cond_t room_cond;  /* half of the window is free, or the same */
	pthread_t *threads;
	size_t n_threads;      /* as many as were needed so far */
	bool threaded;         /* jobs are for threads */
	size_t n_waiting, n_idle; /* jobs for a thread, threads for a job */
	struct job *order, **order_end;  /* all unwritten jobs, oldest first */
	struct job *spare;               /* to be used again */
	size_t n_open, max_open, open_bytes;
	bool closing, waiting; /* no more jobs; the reader waits for input */
	bool turning; /* within a turn, which writes at its end */
	int wake;              /* eventfd: something failed */

	struct ai_err fatal;   /* ends everything; code AI_E_NONE so far */
	struct job *filling;   /* the job being read */
};

/* emit.c */
void ai_tally_merge(struct tally *to, const struct tally *from);
void ai_tally_error(struct tally *t, enum ai_exit class);
/* Appends how long the line was that is left out. */
void ai_emit_put_length(struct ai_buf *b, size_t n);
/* Counts a failure. With -r it also says it and returns true: there is
 * nothing to write. */
bool ai_emit_noted(struct ai_emit *out, const struct ai_err *why,
		   unsigned long line);
/* Writes what failed in the filter's own way, if it has one: true. */
bool ai_emit_own(struct ai_emit *out, const struct ai_rec *rec,
		 unsigned long line, const struct ai_err *why);
/* Hands over what has grown large, once it is this job's turn. */
int ai_emit_spill(struct ai_emit *out, struct ai_err *err);

/* Whether it ends the program instead of failing one record. */
bool ai_error_is_fatal(const struct ai_err *err);
/* work.c: runs the filter over a job. -1: the program cannot go on. */
int ai_job_work(struct job *j, void *state, struct ai_err *err);
/* The same for a job that is one record, which becomes a task: 1 if it was
 * begun (even if it has ended since), 0 if it is done. */
int ai_job_begin(struct job *j, void *state, struct ai_err *err);

/* task.c: whether a signal asks to end; what waits is called off then. */
bool ai_tasks_stopped(struct loop *l);
/* Hands the job over, waits while too many are under way. */
int ai_tasks_dispatch(struct loop *l, struct job *j, struct ai_err *err);
/* Until all are done, or fd (-1: none) has something to read. */
int ai_tasks_run(struct loop *l, int fd, struct ai_err *err);

/* loop.c: the job to read into, and handing it over. */
struct job *ai_loop_filling(struct loop *l, struct ai_err *err);
/* With the lock held, if there are threads: puts the job behind the others. */
void ai_loop_append(struct loop *l, struct job *j);
/* The same: writes what may be written now that this job is done. */
void ai_loop_drain(struct loop *l, struct job *finished);
/* Tasks that are under way at most. */
size_t ai_loop_window(const struct ai_filter *f);
/* Whether n more bytes of input must wait until something was written. */
bool ai_loop_is_full(const struct loop *l, const struct job *next);
/* The filter's state of the one thread, made when it is first needed. */
int ai_loop_open_state(struct loop *l, struct ai_err *err);
int ai_loop_dispatch(struct loop *l, struct ai_err *err);
/* For ai_reader.before: if fd has nothing to read, everything read so far is
 * worked on and everything finished is written. */
int ai_loop_settle(void *loop, int fd, struct ai_err *err);

/* intake.c: reads all the input into jobs. */
int ai_intake(struct loop *l, int argc, char **argv, struct ai_err *err);

#endif
