/*
 * sig.h: signals, for a program that has something to finish before it ends.
 *
 * Nothing happens in a handler but that it is noted: the program looks when it
 * can, and ends by the signal itself, so that its shell sees which it was.
 *
 *	SIGINT               soon: begin nothing more
 *	SIGINT once more     now
 *	SIGTERM, SIGHUP      now
 *	SIGPIPE              is ignored; ai_sig_pipe() says what EPIPE means
 *
 * What was ignored when the program began (nohup, a shell's background) stays
 * ignored.  A second after "now" the default action is back: what hangs can
 * still be ended.
 */
#ifndef AI_BASE_SIG_H
#define AI_BASE_SIG_H

#include "base/err.h"

enum ai_sig { AI_SIG_NO, AI_SIG_SOON, AI_SIG_NOW };

/* From now on; once a process.  A read or write that blocks is interrupted by
 * a signal (EINTR), and after "now" every second.  AI_E_OS. */
int ai_sig_catch(struct ai_err *err);
/* What is asked for so far. */
enum ai_sig ai_sig_asked(void);
/* Has something to read from a signal on until ai_sig_asked() is called; -1
 * if nothing is caught. */
int ai_sig_fd(void);
/* A write to standard output failed with EPIPE: whether that is the end, by
 * SIGPIPE, and not an error. */
bool ai_sig_pipe(void);
/* By what it is to end: "SIGINT"; NULL: nothing was asked. */
const char *ai_sig_name(void);
/* Ends the program by the signal; returns if nothing was asked. */
void ai_sig_die(void);

#endif
