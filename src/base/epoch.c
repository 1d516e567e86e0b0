/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Epochs. */
#include "base/epoch.h"
#include "base/util.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

void epoch_init(struct epoch *e)
{
	atomic_init(&e->now, 1);
	pthread_mutex_init(&e->lock, NULL);
	e->readers = NULL;
}

void epoch_finish(struct epoch *e)
{
	pthread_mutex_destroy(&e->lock);
}

void epoch_reader_add(struct epoch *e, struct epoch_reader *r)
{
	atomic_init(&r->active, 0);
	pthread_mutex_lock(&e->lock);
	r->next = e->readers;
	e->readers = r;
	pthread_mutex_unlock(&e->lock);
}

void epoch_reader_remove(struct epoch *e, struct epoch_reader *r)
{
	pthread_mutex_lock(&e->lock);
	for (struct epoch_reader **p = &e->readers; *p; p = &(*p)->next) {
		if (*p == r) {
			*p = r->next;
			break;
		}
	}
	pthread_mutex_unlock(&e->lock);
}

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

int epoch_wait(struct epoch *e, uint64_t timeout_ns)
{
	uint64_t target = atomic_fetch_add_explicit(&e->now, 1, memory_order_seq_cst) + 1;
	uint64_t start = 0;
	int ret = 0;

	pthread_mutex_lock(&e->lock);
	for (struct epoch_reader *r = e->readers; r && !ret; r = r->next) {
		for (unsigned int spins = 0;; spins++) {
			uint64_t a = atomic_load_explicit(&r->active, memory_order_seq_cst);

			if (a == 0 || a >= target)
				break;
			if (spins < 64)
				continue;
			if (!start)
				start = mono_ns();
			if (mono_ns() - start > timeout_ns) {
				ret = -ETIMEDOUT;
				break;
			}
			if (spins < 256) {
				sched_yield();
			} else {
				struct timespec ts = {.tv_nsec = 50000};

				nanosleep(&ts, NULL);
			}
		}
	}
	pthread_mutex_unlock(&e->lock);
	return ret;
}
