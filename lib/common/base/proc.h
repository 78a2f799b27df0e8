/*
 * proc.h: other programs, run without a shell.
 *
 * argv[0] is looked for along PATH unless it has a slash in it.  A program
 * that is not there is AI_E_OPEN: "program 'pdftotext' not found".  Every
 * child stands in a process group of its own, so that what it started dies
 * with it.  It gets none of our descriptors beyond 0 to 2, and no signal is
 * blocked.  Exit statuses are those of a shell: 0 to 255, or 128 + the
 * signal's number.
 */
#ifndef AI_BASE_PROC_H
#define AI_BASE_PROC_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Runs a program to its end and appends what it writes to out.  in is its
 * standard input, -1 for /dev/null.  What it writes to stderr goes to errout,
 * as much as fits, or to our own stderr if that is NULL.  -1 when it cannot
 * be run (AI_E_OPEN), writes more than out holds (AI_E_TOO_LONG) or takes
 * longer than timeout_s seconds (AI_E_UNAVAILABLE); in the last two cases its
 * whole group is killed.  A program that ran and failed is a 0 with its
 * *status.
 */
int ai_proc_capture(const char *const *argv, int in, double timeout_s,
		    struct ai_buf *out, struct ai_buf *errout, int *status,
		    struct ai_err *err);

/*
 * A co-process: lines go in, lines come out.  Any number of lines may be
 * sent before the first is received: what the program answers meanwhile is
 * kept in pending, whose maximum bounds both that and one line.
 */
struct ai_proc {
	pid_t pid;             /* 0: not running */
	int to, from;          /* its stdin and stdout; -1: closed */
	int status;            /* once it has ended */
	bool ended;
	double timeout_s;      /* of one send or receive; may be changed */
	struct ai_buf pending; /* received, not handed out yet */
	size_t taken;          /* bytes of pending handed out */
	char name[64];         /* for messages */
};

#define AI_PROC_INIT { 0, -1, -1, 0, false, 0, AI_BUF_INIT(0), 0, "" }
#define AI_PROC_TIMEOUT_S 600
#define AI_PROC_PENDING_MAX ((size_t)64 << 20)

/* Starts it; stderr stays ours.  timeout_s and pending.max are set to the
 * values above and may be changed. */
int ai_proc_start(struct ai_proc *p, const char *const *argv,
		  struct ai_err *err);

/* The same for a program of ours: argv[0] is its name, and it is looked for
 * beside our own first. */
int ai_proc_sibling(struct ai_proc *p, const char *const *argv,
		    struct ai_err *err);
/* One that takes or gives no more is stopped.  The class of its exit status,
 * which says what a missing key, say, is; its own message stands on stderr.
 * AI_E_NONE: it has none. */
enum ai_code ai_proc_ended(struct ai_proc *p, int *status);

/* Sends n bytes, which are one line without its newline, and a newline.
 * AI_E_UNAVAILABLE: it has ended or does not read. */
int ai_proc_send(struct ai_proc *p, const char *line, size_t n,
		 struct ai_err *err);

/* No more lines will be sent: it reads end of file. Receiving goes on. */
void ai_proc_end(struct ai_proc *p);

/*
 * Replaces line by the next line without its newline.  AI_E_UNAVAILABLE: it
 * ended before it wrote a whole line, or the time ran out (then it is
 * killed).
 */
int ai_proc_recv(struct ai_proc *p, struct ai_buf *line, struct ai_err *err);

/*
 * Closes its stdin, drops what it still writes, waits for its end (after
 * timeout_s kills it) and releases p, which may be started again.  *status
 * (may be NULL) is its exit status.  Nothing happens if it was never started.
 */
int ai_proc_stop(struct ai_proc *p, int *status, struct ai_err *err);

#endif
