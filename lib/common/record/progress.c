#include "record/progress.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/term.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_S 1.0  /* what is over sooner shows nothing */
#define AGAIN_S 0.2
#define SAMPLE_S 1.0
#define PART 48      /* of the line */
#define COLUMNS 256

void ai_progress_begin(struct ai_progress *p, bool stdin_read)
{
	struct stat st;
	off_t at;

	if (!p->on)
		return;
	p->begun_s = ai_clock_s();
	p->samples[0] = (struct ai_progress_sample){ .at_s = p->begun_s };
	p->n_samples = 1;
	p->shared = ai_term_is_shared();
	if (!stdin_read || fstat(STDIN_FILENO, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	if (at >= 0 && at < st.st_size)
		p->all_bytes = (uint64_t)(st.st_size - at);
}

/* One a second; the oldest goes. */
static void sample(struct ai_progress *p, double now)
{
	struct ai_progress_sample *s = p->samples;

	if (now - s[p->n_samples - 1].at_s < SAMPLE_S)
		return;
	if (p->n_samples == AI_PROGRESS_SAMPLES) {
		memmove(s, s + 1, (AI_PROGRESS_SAMPLES - 1) * sizeof *s);
		p->n_samples--;
	}
	s[p->n_samples++] = (struct ai_progress_sample){ now, p->done,
							 p->tokens };
}

static void add(char *out, size_t size, const char *part)
{
	size_t n = strlen(out);

	if (part[0] != '\0' && n + strlen(part) < size)
		snprintf(out + n, size - n, "%s", part);
}

static void put_left(const struct ai_progress *p, double now, char out[PART])
{
	double share, left;

	out[0] = '\0';
	if (p->all_bytes == 0 || p->bytes == 0)
		return;
	share = (double)p->bytes / (double)p->all_bytes;
	left = share < 1 ? (now - p->begun_s) * (1 - share) / share : 0;
	if (left < 3600)
		snprintf(out, PART, ", %d:%02d left", (int)left / 60,
			 (int)left % 60);
	else if (left < 360000)
		snprintf(out, PART, ", %d:%02d:%02d left", (int)left / 3600,
			 (int)left / 60 % 60, (int)left % 60);
}

/* As many digits as say something. */
static void put_rate(double n, const char *unit, char out[PART])
{
	out[0] = '\0';
	if (n > 0)
		snprintf(out, PART, n < 100 ? ", %.1f%s" : ", %.0f%s", n, unit);
}

void ai_progress_text(struct ai_progress *p, const char *program, double now,
		      char *out, size_t size)
{
	const struct ai_progress_sample *s = &p->samples[0];
	char part[PART], money[AI_MONEY_TEXT];
	double past = now > s->at_s ? now - s->at_s : 1;

	snprintf(out, size, "%s: %" PRIu64 " done", program, p->done);
	if (p->failed > 0) {
		snprintf(part, sizeof part, ", %" PRIu64 " failed", p->failed);
		add(out, size, part);
	}
	put_rate((double)(p->done - s->done) / past, "/s", part);
	add(out, size, part);
	if (p->cost > 0) {
		ai_money_show(p->cost, money);
		snprintf(part, sizeof part, ", %s", money);
		add(out, size, part);
	}
	put_left(p, now, part);
	add(out, size, part);
	put_rate((double)(p->tokens - s->tokens) / past, " tokens/s", part);
	add(out, size, part);
}

void ai_progress_draw(struct ai_progress *p, const char *program,
		      bool line_open)
{
	char line[COLUMNS];
	double now;
	size_t width;

	if (!p->on || p->begun < 2 || (p->shared && line_open))
		return;
	now = ai_clock_s();
	if (now - p->begun_s < FIRST_S || now - p->drawn_s < AGAIN_S ||
	    ai_term_is_behind())
		return;
	p->drawn_s = now;
	sample(p, now);
	width = ai_term_width();
	ai_progress_text(p, program, now, line,
			 width < sizeof line ? width + 1 : sizeof line);
	ai_term_show(line);
}
