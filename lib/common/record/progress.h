/*
 * progress.h: how far a filter is, for people who wait.
 *
 *	ai-complete: 1204 done, 3 failed, 18.2/s, $0.0831, 2:05 left, 9120 tokens/s
 *
 * loop.c counts records, the program says what they used, and the line is drawn
 * between turns: at most five times a second, and not before a second has
 * passed.
 */
#ifndef AI_RECORD_PROGRESS_H
#define AI_RECORD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AI_PROGRESS_SAMPLES 8

struct ai_progress_sample {
	double at_s;
	uint64_t done, tokens;
};

struct ai_progress {
	bool on;
	bool shared; /* standard output is the same terminal */
	double begun_s, drawn_s;
	uint64_t begun, done, failed; /* records */
	uint64_t bytes, all_bytes;    /* of input; all_bytes 0: not known */
	uint64_t tokens;
	int64_t cost;                 /* nano-dollars */
	/* Of the last seconds, for rates. */
	struct ai_progress_sample samples[AI_PROGRESS_SAMPLES];
	size_t n_samples;
};

/* The run begins.  stdin_read: what it reads is standard input, whose size is
 * looked up. */
void ai_progress_begin(struct ai_progress *p, bool stdin_read);
/* Draws, if it is time; line_open: what was written last has no newline yet. */
void ai_progress_draw(struct ai_progress *p, const char *program,
		      bool line_open);
/* The line at some time, at most size - 1 columns: what does not fit is left
 * out, the least important first. */
void ai_progress_text(struct ai_progress *p, const char *program, double now_s,
		      char *out, size_t size);

#endif
