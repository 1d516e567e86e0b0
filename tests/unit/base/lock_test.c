/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranked locks: the order is asserted in debug builds, waits end at their deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/util.h"

/* True when taking `second` with `first` held aborts the process. */
static bool aborts(enum lock_rank first, enum lock_rank second)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit none = {0, 0};
		struct lock a, b;

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		lock_init(&a, first);
		lock_init(&b, second);
		lock_acquire(&a);
		lock_acquire(&b);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_order(void **state)
{
#ifdef NDEBUG
	skip();
#endif
	assert_false(aborts(LOCK_RANK_VFU, LOCK_RANK_MEM));
	assert_false(aborts(LOCK_RANK_CONTROL, LOCK_RANK_LEAF));
	assert_true(aborts(LOCK_RANK_MEM, LOCK_RANK_VFU));
	assert_true(aborts(LOCK_RANK_LEAF, LOCK_RANK_CONTROL));
	assert_true(aborts(LOCK_RANK_ENGINE, LOCK_RANK_ENGINE)); /* two of one rank */
}

static void test_release(void **state)
{
	struct lock a, b;

	lock_init(&a, LOCK_RANK_MEM);
	lock_init(&b, LOCK_RANK_VFU);
	for (int i = 0; i < 3; i++) {
		lock_acquire(&b);
		lock_acquire(&a);
		lock_release(&a);
		lock_acquire(&a); /* what was released does not count any more */
		lock_release(&b);
		lock_release(&a);
	}
	lock_finish(&a);
	lock_finish(&b);
}

struct shared {
	struct lock lock;
	pthread_cond_t cond;
	int turn;
};

static void *other(void *arg)
{
	struct shared *s = arg;

	lock_acquire(&s->lock);
	for (int i = 0; i < 100; i++) {
		while (s->turn != 1)
			lock_cond_wait(&s->lock, &s->cond, 0);
		s->turn = 0;
		pthread_cond_signal(&s->cond);
	}
	lock_release(&s->lock);
	return NULL;
}

static void test_wait(void **state)
{
	struct shared s = {.turn = 0};
	struct clock clock;
	uint64_t deadline;
	pthread_t t;

	clock_init_real(&clock);
	lock_init(&s.lock, LOCK_RANK_DEVICE);
	lock_cond_init(&s.cond);
	pthread_create(&t, NULL, other, &s);
	lock_acquire(&s.lock);
	for (int i = 0; i < 100; i++) {
		s.turn = 1;
		pthread_cond_signal(&s.cond);
		while (s.turn != 0)
			lock_cond_wait(&s.lock, &s.cond, 0);
	}
	/* Nobody signals: the deadline, on the monotonic clock, ends it; and the lock is held again. */
	deadline = clock_now_ns(&clock) + 2 * NSEC_PER_MSEC;
	while (lock_cond_wait(&s.lock, &s.cond, deadline) != -ETIMEDOUT)
		;
	assert_true(clock_now_ns(&clock) >= deadline);
	lock_release(&s.lock);
	pthread_join(t, NULL);
	pthread_cond_destroy(&s.cond);
	lock_finish(&s.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
