/* record/progress: the line, at times of our own. */
#include "record/progress.h"

#include "tap.h"

#include <string.h>

static struct ai_progress begun(void)
{
	struct ai_progress p = { .on = true, .begun_s = 100, .n_samples = 1 };

	p.samples[0].at_s = 100;
	return p;
}

static void line_is(struct ai_progress *p, double now, size_t size,
		    const char *wanted)
{
	char line[256];

	ai_progress_text(p, "x", now, line, size);
	tap_ok(strcmp(line, wanted) == 0, "%s (it is: %s)", wanted, line);
}

int main(void)
{
	struct ai_progress p = begun();

	line_is(&p, 101, 200, "x: 0 done");
	p.done = 20;
	p.cost = 83100000;
	p.tokens = 9000;
	p.bytes = 1000;
	p.all_bytes = 4000;
	line_is(&p, 110, 200, "x: 20 done, 2.0/s, $0.0831, 0:30 left, "
		"900 tokens/s");
	p.failed = 3;
	line_is(&p, 110, 60, "x: 20 done, 3 failed, 2.0/s, $0.0831, 0:30 left");
	line_is(&p, 110, 40, "x: 20 done, 3 failed, 2.0/s, $0.0831");
	line_is(&p, 110, 10, "x: 20 don");
	p.all_bytes = 4000000;
	line_is(&p, 110, 60, "x: 20 done, 3 failed, 2.0/s, $0.0831, 11:06:30 "
		"left");
	/* The file has grown since. */
	p.all_bytes = 900;
	line_is(&p, 110, 60, "x: 20 done, 3 failed, 2.0/s, $0.0831, 0:00 left");
	p.all_bytes = 1000000000000;
	line_is(&p, 110, 60, "x: 20 done, 3 failed, 2.0/s, $0.0831, 900 "
		"tokens/s");
	/* Rates are of the last seconds. */
	p.samples[0] = (struct ai_progress_sample){ 105, 19, 0 };
	line_is(&p, 110, 50, "x: 20 done, 3 failed, 0.2/s, $0.0831");
	return tap_done();
}
