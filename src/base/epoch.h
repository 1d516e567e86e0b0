/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Epochs: how a map is changed under readers that hold no lock.
 *
 * A reader owns an epoch_reader, enters before it loads the published pointer and exits when it has
 * dropped everything it reached through it. A writer publishes, then epoch_wait(): when it returns 0,
 * no reader still sees what was there before. Readers must exit within a bounded time (the engines of
 * the model do so at least once a slice), because an UNMAP is answered only after the wait.
 */
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct epoch_reader {
	_Atomic uint64_t active; /* 0: outside; else the epoch it entered in */
	struct epoch_reader *next;
};

struct epoch {
	_Atomic uint64_t now; /* starts at 1 */
	pthread_mutex_t lock; /* the list of readers */
	struct epoch_reader *readers;
};

void epoch_init(struct epoch *e);
void epoch_finish(struct epoch *e);

void epoch_reader_add(struct epoch *e, struct epoch_reader *r);
void epoch_reader_remove(struct epoch *e, struct epoch_reader *r);

static inline void epoch_enter(struct epoch *e, struct epoch_reader *r)
{
	/* seq_cst: the load of a published pointer must not move before this store. */
	atomic_store_explicit(&r->active, atomic_load_explicit(&e->now, memory_order_relaxed),
		memory_order_seq_cst);
}

static inline void epoch_exit(struct epoch_reader *r)
{
	atomic_store_explicit(&r->active, 0, memory_order_release);
}

/*
 * Waits until every reader that was inside has left. Call it after the new pointer is published, not
 * from inside a reader's section. 0, or -ETIMEDOUT after `timeout_ns`: then nothing may be freed.
 */
int epoch_wait(struct epoch *e, uint64_t timeout_ns);

#endif
