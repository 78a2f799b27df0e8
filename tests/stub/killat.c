/*
 * killat N COMMAND [ARGUMENT...]: runs a command and kills it with SIGKILL
 * before its Nth system call (every one counts, from 1).  Exit status: 137 if
 * it was killed, else the command's own.  N 0: it runs to its end, and the
 * number of its system calls is written to descriptor 3.
 *
 * For programs of one thread and without children.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void start(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
		perror("killat: ptrace");
		_exit(126);
	}
	raise(SIGSTOP);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* Lets it run up to the next entry or exit of a system call, or its end. */
static int step(pid_t pid, int sig, int *status)
{
	if (ptrace(PTRACE_SYSCALL, pid, NULL, sig) < 0)
		return -1;
	return waitpid(pid, status, 0) == pid ? 0 : -1;
}

static long run(pid_t pid, long at, int *status)
{
	long calls = 0;
	int sig = 0, inside = 0;

	if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status))
		return -1;
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (step(pid, sig, status) == 0 && WIFSTOPPED(*status)) {
		sig = WSTOPSIG(*status);
		if (sig == (SIGTRAP | 0x80)) {
			sig = 0;
			inside = !inside;
			if (inside && ++calls == at) {
				kill(pid, SIGKILL);
				waitpid(pid, status, 0);
				break;
			}
		} else if (sig == SIGTRAP) {
			sig = 0; /* execve */
		}
	}
	return calls;
}

int main(int argc, char **argv)
{
	long at, calls;
	int status = 0;
	pid_t pid;

	if (argc < 3)
		return 64;
	at = strtol(argv[1], NULL, 10);
	pid = fork();
	if (pid < 0)
		return 71;
	if (pid == 0)
		start(argv + 2);
	calls = run(pid, at, &status);
	if (calls < 0)
		return 71;
	if (at == 0)
		dprintf(3, "%ld\n", calls);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
