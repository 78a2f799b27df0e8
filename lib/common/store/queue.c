#include "store/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A wait ends by itself after this: whoever should have woken us may be
 * dead. */
#define WAIT_NS 10000000
/* Then another one leads. */
#define ROUNDS 4

enum state {
	EMPTY,
	PENDING, /* a request waits */
	TAKEN,   /* it runs; without a holder of the lock: its leader died */
	DONE,    /* the answer is there */
};

struct ai_queue_slot {
	_Atomic uint32_t state;
	struct ai_err err; /* code AI_E_NONE: it was run */
	_Alignas(16) char item[AI_QUEUE_ITEM];
};

#define FILE_SIZE (AI_QUEUE_SLOTS * sizeof(struct ai_queue_slot))

/* ---- locks: byte 0 for the leader, one more for each slot's owner --------- */

static int lock_byte(int fd, short type, off_t at, bool wait)
{
	struct flock f = { .l_type = type, .l_whence = SEEK_SET,
			   .l_start = at, .l_len = 1 };
	int rc;

	do
		rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &f);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int ai_queue_lock(struct ai_queue *q, struct ai_err *err)
{
	return lock_byte(q->fd, F_WRLCK, 0, true) == 0 ? 0 :
		ai_err_sys(err, AI_E_OS, errno, "cannot lock the queue");
}

static bool try_lock(struct ai_queue *q)
{
	return lock_byte(q->fd, F_WRLCK, 0, false) == 0;
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* Whoever waits still, and came too late for the last round, leads next. */
void ai_queue_unlock(struct ai_queue *q)
{
	int i;

	lock_byte(q->fd, F_UNLCK, 0, false);
	for (i = 0; q->slots != NULL && i < AI_QUEUE_SLOTS; i++)
		if (atomic_load(&q->slots[i].state) == PENDING) {
			futex(&q->slots[i].state, FUTEX_WAKE, 1, NULL);
			return;
		}
}

bool ai_queue_shared(struct ai_queue *q)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = 1, .l_len = AI_QUEUE_SLOTS };

	return fcntl(q->fd, F_OFD_GETLK, &f) < 0 || f.l_type != F_UNLCK;
}

/* ---- opening ---------------------------------------------------------------- */

/* A slot that nobody has; what a dead owner left in it is thrown away, but
 * not while a leader is at it. */
static int claim(struct ai_queue *q, struct ai_err *err)
{
	int i, n;

	for (n = 0; n < AI_QUEUE_SLOTS && q->mine < 0; n++) {
		i = (int)(((unsigned)getpid() + (unsigned)n) % AI_QUEUE_SLOTS);
		if (lock_byte(q->fd, F_WRLCK, 1 + i, false) == 0)
			q->mine = i;
	}
	if (q->mine < 0 || atomic_load(&q->slots[q->mine].state) == EMPTY)
		return 0;
	if (ai_queue_lock(q, err) < 0)
		return -1;
	atomic_store(&q->slots[q->mine].state, EMPTY);
	ai_queue_unlock(q);
	return 0;
}

int ai_queue_open(struct ai_queue *q, const char *path, struct ai_err *err)
{
	struct stat st;
	void *p;

	*q = (struct ai_queue)AI_QUEUE_INIT;
	q->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (q->fd < 0)
		return ai_err_sys(err, AI_E_CREATE, errno, "cannot open '%s'",
				  path);
	/* The bytes must be there: a full disk would be a SIGBUS later. */
	if (fstat(q->fd, &st) < 0 ||
	    (st.st_size < (off_t)FILE_SIZE &&
	     (errno = posix_fallocate(q->fd, 0, FILE_SIZE)) != 0)) {
		ai_err_sys(err, AI_E_IO, errno, "cannot make '%s'", path);
		goto fail;
	}
	p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, q->fd, 0);
	q->slots = p == MAP_FAILED ? NULL : p;
	if (q->slots == NULL || claim(q, err) == 0)
		return 0;
fail:
	ai_queue_close(q);
	return -1;
}

void ai_queue_close(struct ai_queue *q)
{
	if (q->slots != NULL)
		munmap(q->slots, FILE_SIZE);
	if (q->fd >= 0)
		close(q->fd);
	*q = (struct ai_queue)AI_QUEUE_INIT;
}

void ai_queue_wipe(struct ai_queue *q)
{
	int i;

	for (i = 0; q->slots != NULL && i < AI_QUEUE_SLOTS; i++) {
		if (i != q->mine && lock_byte(q->fd, F_WRLCK, 1 + i, false) < 0)
			continue;
		if (atomic_load(&q->slots[i].state) == EMPTY)
			memset(q->slots[i].item, 0, AI_QUEUE_ITEM);
		if (i != q->mine)
			lock_byte(q->fd, F_UNLCK, 1 + i, false);
	}
}

/* ---- running ---------------------------------------------------------------- */

static void answer(struct ai_queue_slot *s, const struct ai_err *err)
{
	s->err = *err;
	atomic_store(&s->state, DONE);
	futex(&s->state, FUTEX_WAKE, 1, NULL);
}

/* Every request that waits, and those of a leader that died. */
static size_t collect(struct ai_queue *q, struct ai_queue_slot **found)
{
	uint32_t pending;
	size_t n = 0;
	int i;

	for (i = 0; i < AI_QUEUE_SLOTS; i++) {
		pending = PENDING;
		if (atomic_compare_exchange_strong(&q->slots[i].state, &pending,
						   TAKEN) ||
		    pending == TAKEN)
			found[n++] = &q->slots[i];
	}
	return n;
}

static void lead(struct ai_queue *q, ai_queue_run *run, void *arg)
{
	struct ai_queue_slot *found[AI_QUEUE_SLOTS];
	void *items[AI_QUEUE_SLOTS];
	struct ai_err err;
	size_t n, i;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		n = collect(q, found);
		if (n == 0)
			return;
		for (i = 0; i < n; i++)
			items[i] = found[i]->item;
		if (run(arg, items, n, &err) == 0)
			err = (struct ai_err){ AI_E_NONE, -1, "" };
		for (i = 0; i < n; i++)
			answer(found[i], &err);
	}
}

static int run_alone(struct ai_queue *q, void *item, ai_queue_run *run,
		     void *arg, struct ai_err *err)
{
	int rc;

	if (ai_queue_lock(q, err) < 0)
		return -1;
	rc = run(arg, &item, 1, err);
	ai_queue_unlock(q);
	return rc;
}

int ai_queue_do(struct ai_queue *q, void *item, size_t size, ai_queue_run *run,
		void *arg, struct ai_err *err)
{
	static const struct timespec wait = { 0, WAIT_NS };
	struct ai_queue_slot *s;
	uint32_t state;

	if (q->mine < 0)
		return run_alone(q, item, run, arg, err);
	s = &q->slots[q->mine];
	memcpy(s->item, item, size);
	atomic_store(&s->state, PENDING);
	while ((state = atomic_load(&s->state)) != DONE) {
		if (try_lock(q)) {
			lead(q, run, arg);
			ai_queue_unlock(q);
		} else {
			futex(&s->state, FUTEX_WAIT, state, &wait);
		}
	}
	memcpy(item, s->item, size);
	/* It may name people. */
	memset(s->item, 0, size);
	atomic_store(&s->state, EMPTY);
	if (s->err.code == AI_E_NONE)
		return 0;
	*err = s->err;
	return -1;
}
