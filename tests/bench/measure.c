/*
 * measure.c: what a command costs, from outside.
 *
 *	measure cpu N FILE COMMAND...   user+system milliseconds of one run
 *	                                with FILE as its input: the lower
 *	                                quartile of N runs
 *	measure run FILE COMMAND...     user+system seconds and wall seconds
 *	measure mem FILE COMMAND...     peak anonymous memory (RssAnon) in KiB,
 *	                                and wall seconds
 *
 * Standard output of the command goes to /dev/null. Its exit status must be 0,
 * or 2 (there were error records).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 2000

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static pid_t spawn(const char *file, char **argv)
{
	pid_t pid = fork();
	int in, out;

	if (pid != 0)
		return pid;
	in = open(file, O_RDONLY);
	out = open("/dev/null", O_WRONLY);
	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

/* Whether a command ended well; if not, says how it ended. */
static bool ended_well(int status, char **argv)
{
	if (WIFEXITED(status) &&
	    (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2))
		return true;
	fprintf(stderr, "measure: %s ended with %d\n", argv[0],
		WIFEXITED(status) ? WEXITSTATUS(status)
				  : 128 + WTERMSIG(status));
	return false;
}

/* CPU seconds of one run, negative if it failed. */
static double one_run(const char *file, char **argv)
{
	struct rusage u;
	int status;
	pid_t pid = spawn(file, argv);

	if (pid < 0 || wait4(pid, &status, 0, &u) < 0 ||
	    !ended_well(status, argv))
		return -1;
	return seconds(u.ru_utime) + seconds(u.ru_stime);
}

static int measure_cpu(long n, const char *file, char **argv)
{
	double least = -1, cpu;

	for (long i = 0; i < n; i++) {
		cpu = one_run(file, argv);
		if (cpu < 0)
			return 1;
		if (least < 0 || cpu < least)
			least = cpu;
	}
	printf("%.3f\n", least * 1e3);
	return 0;
}

static int measure_run(const char *file, char **argv)
{
	double start = now(), cpu = one_run(file, argv);

	if (cpu < 0)
		return 1;
	printf("%.3f %.3f\n", cpu, now() - start);
	return 0;
}

/* RssAnon of a process in KiB now, -1 if it has none any more. */
static long anonymous(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "RssAnon: %ld kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static int measure_mem(const char *file, char **argv)
{
	static const struct timespec pause = { 0, 5000000 };
	double start = now();
	long peak = 0, kib;
	int status;
	pid_t pid = spawn(file, argv);

	if (pid < 0)
		return 1;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		kib = anonymous(pid);
		if (kib > peak)
			peak = kib;
		nanosleep(&pause, NULL);
	}
	if (!ended_well(status, argv))
		return 1;
	printf("%ld %.1f\n", peak, now() - start);
	return 0;
}

int main(int argc, char **argv)
{
	char *end;
	long n;

	if (argc > 4 && strcmp(argv[1], "cpu") == 0) {
		n = strtol(argv[2], &end, 10);
		if (*end == '\0' && n > 0 && n <= RUNS_MAX)
			return measure_cpu(n, argv[3], argv + 4);
	} else if (argc > 3 && strcmp(argv[1], "run") == 0) {
		return measure_run(argv[2], argv + 3);
	} else if (argc > 3 && strcmp(argv[1], "mem") == 0) {
		return measure_mem(argv[2], argv + 3);
	}
	fprintf(stderr, "usage: measure cpu N FILE COMMAND...\n"
			"       measure run|mem FILE COMMAND...\n");
	return 64;
}
