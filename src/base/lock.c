/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranked mutexes. */
#include "base/lock.h"
#include "base/util.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#ifndef NDEBUG
/* Bit r: this thread holds a lock of rank r. Two locks of one rank are never held together. */
static _Thread_local uint32_t held;
#endif

void lock_init(struct lock *l, enum lock_rank rank)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->rank = rank;
}

void lock_finish(struct lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

void lock_acquire(struct lock *l)
{
#ifndef NDEBUG
	assert((held >> l->rank) == 0 && "lock order");
	held |= BIT(l->rank);
#endif
	pthread_mutex_lock(&l->mutex);
}

void lock_release(struct lock *l)
{
	pthread_mutex_unlock(&l->mutex);
#ifndef NDEBUG
	held &= ~BIT(l->rank);
#endif
}

void lock_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t a;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
}

int lock_cond_wait(struct lock *l, pthread_cond_t *c, uint64_t deadline_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(deadline_ns % NSEC_PER_SEC),
	};

	if (!deadline_ns)
		return -pthread_cond_wait(c, &l->mutex);
	return -pthread_cond_timedwait(c, &l->mutex, &ts);
}
