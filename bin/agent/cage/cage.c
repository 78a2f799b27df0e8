#include "cage/int.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORTS_ABI 4
#define GIB ((int64_t)1 << 30)

/* Address space: Node reserves tens of gigabytes before it runs. */
const struct agent_cage_spec agent_cage_limits = {
	.cpu_s = 600, .memory = 64 * GIB, .file_size = GIB, .files = 1024,
	.processes = 256, .write_total = 4 * GIB,
};

/* ---- making -------------------------------------------------------------- */

static int64_t or_else(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static void add_limit(struct agent_cage *cage, int resource, int64_t most)
{
	cage->limits[cage->n_limits].resource = resource;
	cage->limits[cage->n_limits++].most = (rlim_t)most;
}

static void set_limits(struct agent_cage *cage, const struct agent_cage_spec *s)
{
	const struct agent_cage_spec *d = &agent_cage_limits;

	cage->memory = or_else(s->memory, d->memory);
	add_limit(cage, RLIMIT_CPU, or_else(s->cpu_s, d->cpu_s));
	add_limit(cage, RLIMIT_AS, cage->memory);
	add_limit(cage, RLIMIT_FSIZE, or_else(s->file_size, d->file_size));
	add_limit(cage, RLIMIT_NOFILE, or_else(s->files, d->files));
	/* A core dump would be written where the system wants it, by root. */
	add_limit(cage, RLIMIT_CORE, 0);
	/* Memory of the kernel that no other limit counts. */
	add_limit(cage, RLIMIT_MSGQUEUE, 0);
	cage->processes = or_else(s->processes, d->processes);
	cage->write_total = or_else(s->write_total, d->write_total);
}

static int copy_write(struct agent_cage *cage, const char *const *write,
		      struct ai_err *err)
{
	size_t n = 0;

	while (write != NULL && write[n] != NULL)
		n++;
	cage->write = calloc(n + 1, sizeof *cage->write);
	if (cage->write == NULL)
		return ai_err_nomem(err);
	for (size_t i = 0, to = 0; i < n; i++) {
		cage->write[to] = realpath(write[i], NULL);
		if (cage->write[to] != NULL)
			to++;
		else if (errno == ENOMEM)
			return ai_err_nomem(err);
	}
	return 0;
}

__attribute__((format(printf, 2, 3)))
static void lacks(struct ai_buf *missing, const char *fmt, ...)
{
	va_list ap;

	if (missing->len > 0)
		ai_buf_str(missing, ", ");
	va_start(ap, fmt);
	ai_buf_vfmt(missing, fmt, ap);
	va_end(ap);
}

static void say_missing(const struct agent_cage *cage,
			const struct agent_cage_spec *s, struct ai_buf *missing)
{
	if (cage->abi < 1)
		lacks(missing, "files (Landlock; here: none)");
	if (s->n_ports > 0 && !s->network && cage->abi < PORTS_ABI)
		lacks(missing, "TCP ports (Landlock ABI %d; here: %d), so "
		      "there are none", PORTS_ABI, cage->abi);
	if (!cage_seccomp_filters())
		lacks(missing, "system calls (seccomp filters)");
	else if (!cage_seccomp_asks())
		lacks(missing, "modes and times of files (seccomp "
		      "notifications, Linux 5.6), so they cannot be set");
}

static int make(struct agent_cage *cage, const struct agent_cage_spec *s,
		struct ai_err *err)
{
	bool ports = s->n_ports > 0 && cage->abi >= PORTS_ABI;

	set_limits(cage, s);
	if (copy_write(cage, s->write, err) < 0)
		return -1;
	if (cage->abi > 0 && cage_landlock_new(cage, s, err) < 0)
		return -1;
	if (!cage_seccomp_filters())
		return 0;
	cage->asks = cage_seccomp_asks();
	return cage_seccomp_new(cage, s->network, ports, err);
}

int agent_cage_new(struct agent_cage **cage, const struct agent_cage_spec *s,
		   struct ai_buf *missing, struct ai_err *err)
{
	struct agent_cage *c = calloc(1, sizeof *c);

	*cage = NULL;
	if (c == NULL)
		return ai_err_nomem(err);
	c->ruleset = -1;
	c->abi = cage_landlock_abi();
	if (s->abi_max > 0 && c->abi > s->abi_max)
		c->abi = s->abi_max;
	say_missing(c, s, missing);
	if (ai_buf_check(missing, "what is missing", err) < 0 ||
	    make(c, s, err) < 0) {
		agent_cage_free(c);
		return -1;
	}
	*cage = c;
	return 0;
}

void agent_cage_free(struct agent_cage *cage)
{
	if (cage == NULL)
		return;
	if (cage->ruleset >= 0)
		close(cage->ruleset);
	for (size_t i = 0; cage->write != NULL && cage->write[i] != NULL; i++)
		free(cage->write[i]);
	free(cage->write);
	free(cage->filter.filter);
	free(cage);
}

int agent_cage_fd(const struct agent_cage *cage)
{
	return cage->ruleset;
}

/* ---- entering: system calls only ----------------------------------------- */

static int limit(const struct agent_cage *cage)
{
	for (size_t i = 0; i < cage->n_limits; i++) {
		struct rlimit now, most;

		if (getrlimit((__rlimit_resource_t)cage->limits[i].resource,
			      &now) < 0)
			return errno;
		most.rlim_cur = most.rlim_max = cage->limits[i].most;
		/* SIGXCPU, then SIGKILL for who ignores it. */
		if (cage->limits[i].resource == RLIMIT_CPU)
			most.rlim_max++;
		if (most.rlim_max > now.rlim_max)
			most.rlim_max = now.rlim_max;
		if (most.rlim_cur > now.rlim_cur)
			most.rlim_cur = now.rlim_cur;
		if (most.rlim_cur > most.rlim_max)
			most.rlim_cur = most.rlim_max;
		if (setrlimit((__rlimit_resource_t)cage->limits[i].resource,
			      &most) < 0)
			return errno;
	}
	return 0;
}

/* Of root's powers those remain that say which files it may open, as files are
 * Landlock's to hold. The bounding set is what an execve() of root's gets. */
static int drop_capabilities(void)
{
	const uint32_t keep = 1U << CAP_DAC_OVERRIDE |
		1U << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct head = {
		_LINUX_CAPABILITY_VERSION_3, 0
	};
	struct __user_cap_data_struct data[2];

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((cap >= 32 || !(keep & 1U << cap)) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, data) < 0)
		return errno;
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &head, data) < 0 ? errno : 0;
}

int agent_cage_enter(const struct agent_cage *cage, int fd, int *ask)
{
	int rc = limit(cage);

	*ask = -1;
	if (rc == 0)
		rc = drop_capabilities();
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = errno;
	if (rc == 0 && cage->ruleset >= 0)
		rc = cage_landlock_enter(fd);
	if (rc == 0 && cage->filter.len > 0)
		rc = cage_seccomp_enter(cage, ask);
	return rc;
}
