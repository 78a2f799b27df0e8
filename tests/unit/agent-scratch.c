/* bin/agent/cage/scratch.h: many at once, of which some die without a word: nobody
 * loses his folder while he lives, and the dead leave none. */
#include "cage/scratch.h"

#include "tap.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 6
#define ROUNDS 150

static char base[] = "/tmp/agent-scratch-XXXXXX";

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	return z ^ z >> 31;
}

/* A file below it can be made, now and a moment later. */
static bool is_whole(const struct agent_scratch *s, unsigned us)
{
	char path[300];
	FILE *f;

	usleep(us);
	snprintf(path, sizeof(path), "%s/file", s->path);
	f = fopen(path, "a");
	if (f == NULL)
		return false;
	fclose(f);
	return true;
}

static int work(uint64_t state)
{
	struct agent_scratch s;
	struct ai_err err;

	for (int i = 0; i < ROUNDS; i++) {
		if (agent_scratch_make(&s, &err) < 0) {
			printf("# %s\n", err.msg);
			return 1;
		}
		if (!is_whole(&s, next(&state) % 100) ||
		    !is_whole(&s, next(&state) % 500))
			return 2;
		if (next(&state) % 3 > 0) {
			agent_scratch_release(&s);
			continue;
		}
		/* As a process that is killed leaves it. */
		close(s.lock);
		free(s.path);
	}
	return 0;
}

static size_t names(void)
{
	DIR *dir = opendir(base);
	size_t n = 0;

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

int main(void)
{
	const uint64_t seed = 8;
	struct agent_scratch s;
	int status, bad = 0;

	if (mkdtemp(base) == NULL)
		return 1;
	setenv("TMPDIR", base, 1);
	printf("# seed %" PRIu64 "\n", seed);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			_exit(work(seed + (uint64_t)i));
	while (wait(&status) > 0)
		bad += status != 0;
	ok(bad == 0, "%d processes with %d folders each", PROCESSES, ROUNDS);
	ok(agent_scratch_make(&s, NULL) == 0 && names() == 1,
	   "the next one removes what the dead have left");
	agent_scratch_release(&s);
	ok(names() == 0, "and its own");
	rmdir(base);
	return done();
}
