#include "store/queue.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000 /* ns */
/* A wait ends by itself after this: whoever should have woken us may be
 * dead. */
#define WAIT_NS (10 * MS)
/* No wait counts for more: who was stopped himself has not waited, and the
 * holder has perhaps been stopped with him. */
#define WAIT_COUNTS_NS (10 * WAIT_NS)
/* What a leader has in hand is waited for so many times as long, unless he is
 * seen to be stopped: a slow disk is better than an answer that nobody knows. */
#define IN_HAND 5
/* Then another one leads. */
#define ROUNDS 4

enum state {
	EMPTY,
	PENDING, /* a request waits */
	TAKEN,   /* it runs; without a holder of the lock: its leader died */
	DONE,    /* the answer is there */
	LEFT,    /* it runs or has run, and nobody waits for the answer */
};

struct ai_queue_slot {
	_Atomic uint32_t state;
	struct ai_err err; /* code AI_E_NONE: it was run */
	_Alignas(16) char item[AI_QUEUE_ITEM];
};

/*
 * Who has the lock.  Behind the slots, so that a program of before this was
 * here can share the file.
 */
struct ai_queue_holder {
	_Atomic uint32_t beat; /* moves with each thing that a holder does */
	_Atomic int64_t pid, start, space; /* pid 0: nobody, or no one knows */
};

#define SLOTS_SIZE (AI_QUEUE_SLOTS * sizeof(struct ai_queue_slot))
#define FILE_SIZE (SLOTS_SIZE + sizeof(struct ai_queue_holder))

static long futex(_Atomic uint32_t *word, int op, uint32_t value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* ---- locks: byte 0 for the leader, one more for each slot's owner --------- */

static int lock_byte(int fd, short type, off_t at)
{
	struct flock f = { .l_type = type, .l_whence = SEEK_SET,
			   .l_start = at, .l_len = 1 };
	int rc;

	do
		rc = fcntl(fd, F_OFD_SETLK, &f);
	while (rc < 0 && errno == EINTR);
	return rc;
}

static uint32_t beat_of(const struct ai_queue *q)
{
	return q->holder != NULL ? atomic_load(&q->holder->beat) : 0;
}

/* Something has moved, for those who wait. */
static void move_on(struct ai_queue *q)
{
	if (q->holder != NULL)
		atomic_fetch_add(&q->holder->beat, 1);
}

static bool try_lock(struct ai_queue *q)
{
	if (lock_byte(q->fd, F_WRLCK, 0) < 0)
		return false;
	if (q->holder != NULL) {
		atomic_store(&q->holder->start, q->self.start);
		atomic_store(&q->holder->space, q->self.space);
		atomic_store(&q->holder->pid, q->self.pid);
	}
	move_on(q);
	return true;
}

/* Who wants the lock for himself is woken; and of those who have a request,
 * and came too late for the last round, one leads next. */
void ai_queue_unlock(struct ai_queue *q)
{
	int i;

	if (q->holder != NULL)
		atomic_store(&q->holder->pid, 0);
	lock_byte(q->fd, F_UNLCK, 0);
	/* Only now, or one who has just failed to lock it would sleep on. */
	move_on(q);
	if (q->holder != NULL)
		futex(&q->holder->beat, FUTEX_WAKE, INT_MAX, NULL);
	for (i = 0; q->slots != NULL && i < AI_QUEUE_SLOTS; i++)
		if (atomic_load(&q->slots[i].state) == PENDING) {
			futex(&q->slots[i].state, FUTEX_WAKE, 1, NULL);
			return;
		}
}

/* ---- patience ------------------------------------------------------------- */

/* For how long nothing has moved. */
struct patience {
	uint32_t beat;
	int64_t last, waited; /* ns */
};

static struct patience begin_to_wait(const struct ai_queue *q)
{
	return (struct patience){ beat_of(q), ai_clock_ns(), 0 };
}

/* A long queue is none that stands still: it may take any time. */
static bool is_over(struct patience *p, const struct ai_queue *q)
{
	int64_t now = ai_clock_ns(), step = now - p->last;
	uint32_t beat = beat_of(q);

	p->waited = beat != p->beat ? 0 : p->waited +
		(step < WAIT_COUNTS_NS ? step : WAIT_COUNTS_NS);
	p->beat = beat;
	p->last = now;
	return p->waited >= q->wait_ms * MS;
}

/* Until somebody moves *word on from value, or for a moment. */
static void wait_a_moment(_Atomic uint32_t *word, uint32_t value)
{
	static const struct timespec wait = { 0, WAIT_NS };

	if (word != NULL)
		futex(word, FUTEX_WAIT, value, &wait);
	else
		nanosleep(&wait, NULL);
}

/* Who has the lock; false: nobody can tell. */
static bool holder_of(const struct ai_queue *q, struct ai_owner *o)
{
	*o = q->self;
	if (q->holder == NULL)
		return false;
	o->start = atomic_load(&q->holder->start);
	o->space = atomic_load(&q->holder->space);
	o->pid = atomic_load(&q->holder->pid);
	return o->pid != 0 && ai_owner_state(o) == AI_OWNER_ALIVE;
}

/* what: has become of the request. */
static int refuse(const struct ai_queue *q, const char *what,
		  struct ai_err *err)
{
	struct ai_owner o;

	if (!holder_of(q, &o))
		return ai_err_set(err, AI_E_TRY_LATER, "another program holds "
				  "the ledger's lock; %s", what);
	if (!ai_owner_stopped(&o))
		return ai_err_set(err, AI_E_TRY_LATER, "process %lld holds the "
				  "ledger's lock; %s", (long long)o.pid, what);
	return ai_err_set(err, AI_E_TRY_LATER, "process %lld (stopped) holds "
			  "the ledger's lock; let it go on, with 'fg' or 'kill "
			  "-CONT %lld', or end it; %s", (long long)o.pid,
			  (long long)o.pid, what);
}

int ai_queue_lock(struct ai_queue *q, struct ai_err *err)
{
	struct patience p = begin_to_wait(q);
	uint32_t beat = beat_of(q);

	while (!try_lock(q)) {
		if (errno != EAGAIN && errno != EACCES)
			return ai_err_sys(err, AI_E_OS, errno,
					  "cannot lock the queue");
		if (is_over(&p, q))
			return refuse(q, "nothing was done", err);
		wait_a_moment(q->holder != NULL ? &q->holder->beat : NULL,
			      beat);
		beat = beat_of(q);
	}
	return 0;
}

bool ai_queue_shared(struct ai_queue *q)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			   .l_start = 1, .l_len = AI_QUEUE_SLOTS };

	return fcntl(q->fd, F_OFD_GETLK, &f) < 0 || f.l_type != F_UNLCK;
}

/* ---- opening ---------------------------------------------------------------- */

/* Only who holds the lock, or nobody, may have it in hand. */
static void empty(struct ai_queue_slot *s)
{
	/* It may name people. */
	memset(s->item, 0, AI_QUEUE_ITEM);
	atomic_store(&s->state, EMPTY);
}

/* A slot that nobody has, an empty one if there is one; what a dead owner left
 * in another is thrown away, but not while a leader is at it. */
static int claim(struct ai_queue *q, struct ai_err *err)
{
	int i, n;

	for (n = 0; n < 2 * AI_QUEUE_SLOTS && q->mine < 0; n++) {
		i = (int)(((unsigned)getpid() + (unsigned)n) % AI_QUEUE_SLOTS);
		if (n < AI_QUEUE_SLOTS &&
		    atomic_load(&q->slots[i].state) != EMPTY)
			continue;
		if (lock_byte(q->fd, F_WRLCK, 1 + i) == 0)
			q->mine = i;
	}
	if (q->mine < 0 || atomic_load(&q->slots[q->mine].state) == EMPTY)
		return 0;
	if (ai_queue_lock(q, err) < 0)
		return -1;
	empty(&q->slots[q->mine]);
	ai_queue_unlock(q);
	return 0;
}

int ai_queue_open(struct ai_queue *q, const char *path,
		  const struct ai_owner *self, struct ai_err *err)
{
	struct stat st;
	void *p;

	*q = (struct ai_queue)AI_QUEUE_INIT;
	q->self = *self;
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
	if (p == MAP_FAILED)
		return 0;
	/* A mapping is a hold on the open file, and so on its locks: a fork that
	 * lives longer than we do would keep ours. */
	if (madvise(p, FILE_SIZE, MADV_DONTFORK) < 0) {
		munmap(p, FILE_SIZE);
		return 0;
	}
	q->slots = p;
	q->holder = (void *)(q->slots + AI_QUEUE_SLOTS);
	if (claim(q, err) == 0)
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
	uint32_t state;
	int i;

	for (i = 0; q->slots != NULL && i < AI_QUEUE_SLOTS; i++) {
		if (i != q->mine && lock_byte(q->fd, F_WRLCK, 1 + i) < 0)
			continue;
		state = atomic_load(&q->slots[i].state);
		if (state != PENDING && state != TAKEN)
			empty(&q->slots[i]);
		if (i != q->mine)
			lock_byte(q->fd, F_UNLCK, 1 + i);
	}
}

/* ---- running ---------------------------------------------------------------- */

static bool change(struct ai_queue_slot *s, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&s->state, &from, to);
}

static void answer(struct ai_queue_slot *s, const struct ai_err *err)
{
	s->err = *err;
	if (change(s, TAKEN, DONE))
		futex(&s->state, FUTEX_WAKE, 1, NULL);
	else
		empty(s);
}

/* Every request that waits, and those of a leader that died; but not what was
 * left: its owner has long gone on. */
static size_t collect(struct ai_queue *q, struct ai_queue_slot **found)
{
	struct ai_queue_slot *s;
	size_t n = 0;
	int i;

	for (i = 0; i < AI_QUEUE_SLOTS; i++) {
		s = &q->slots[i];
		if (change(s, PENDING, TAKEN) ||
		    atomic_load(&s->state) == TAKEN)
			found[n++] = s;
		else if (atomic_load(&s->state) == LEFT)
			empty(s);
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
		move_on(q);
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

/*
 * Nothing moves any more.  What waits still is taken back: a leader takes it
 * by the same exchange, so only one of the two gets it, and nobody who wakes
 * up will run it.  What a leader has taken is his: he may have committed it,
 * or do so when he wakes up, and nobody else can know.  So it is left to him,
 * and if he dies no other runs it again.  That is harmless: a reservation made
 * after all counts against the budgets while this process lives, and is given
 * back as all that the dead have not sent; everything else has the same effect
 * said once or twice.  Whoever says it again with the same id is told what has
 * become of it.
 * false: it has moved all the same.
 */
static bool give_up(struct ai_queue *q, struct ai_queue_slot *s,
		    uint32_t state, struct ai_err *err)
{
	if (!change(s, state, state == PENDING ? EMPTY : LEFT))
		return false;
	if (state == PENDING)
		memset(s->item, 0, AI_QUEUE_ITEM);
	refuse(q, state == PENDING ? "nothing was done" : "it has this request "
	       "in hand, which is done or not when it ends, and done when it "
	       "goes on", err);
	return true;
}

static bool is_hopeless(const struct ai_queue *q, const struct patience *p,
			uint32_t state)
{
	struct ai_owner o;

	return state == PENDING || (holder_of(q, &o) && ai_owner_stopped(&o)) ||
		p->waited >= IN_HAND * q->wait_ms * MS;
}

/* 0: the answer is there. */
static int wait_for(struct ai_queue *q, struct ai_queue_slot *s,
		    ai_queue_run *run, void *arg, struct ai_err *err)
{
	struct patience p = begin_to_wait(q);
	uint32_t state;

	while ((state = atomic_load(&s->state)) != DONE) {
		if (try_lock(q)) {
			lead(q, run, arg);
			ai_queue_unlock(q);
			continue;
		}
		if (is_over(&p, q) && is_hopeless(q, &p, state) &&
		    give_up(q, s, state, err))
			return -1;
		wait_a_moment(&s->state, state);
	}
	return 0;
}

int ai_queue_do(struct ai_queue *q, void *item, size_t size, ai_queue_run *run,
		void *arg, struct ai_err *err)
{
	struct ai_queue_slot *s;

	if (q->mine < 0)
		return run_alone(q, item, run, arg, err);
	s = &q->slots[q->mine];
	/* One that was left is still in the leader's hands. */
	if (atomic_load(&s->state) == LEFT) {
		if (ai_queue_lock(q, err) < 0)
			return -1;
		empty(s);
		ai_queue_unlock(q);
	}
	memcpy(s->item, item, size);
	atomic_store(&s->state, PENDING);
	if (wait_for(q, s, run, arg, err) < 0)
		return -1;
	memcpy(item, s->item, size);
	/* It may name people. */
	memset(s->item, 0, size);
	atomic_store(&s->state, EMPTY);
	if (s->err.code == AI_E_NONE)
		return 0;
	*err = s->err;
	return -1;
}
