/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every mutex of the project with its place in the one lock order, asserted in debug builds.
 *
 * A thread may take a lock only while all it holds rank lower. The order, from the outside in:
 * a connection's own lock, memory maps, a device, an engine, the soc's blocks, the interrupt tree,
 * trace and counters.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdint.h>

enum lock_rank {
	LOCK_RANK_CONTROL = 1, /* daemon: control socket, list of devices */
	LOCK_RANK_VFU,	       /* vfu: a connection's send side */
	LOCK_RANK_MEM,	       /* mem: writers of a VM's map */
	LOCK_RANK_DEVICE,      /* pci, bare, vgpu: a device's config space and reset */
	LOCK_RANK_IOMMU,       /* model: writers of the IOVA map */
	LOCK_RANK_ENGINE,      /* model: ELSP, CSB and state of one engine */
	LOCK_RANK_SOC,	       /* soc: display, power, clocks, pcode, GMBUS, AUX of one instance */
	LOCK_RANK_IRQ,	       /* soc: the interrupt tree of one instance */
	LOCK_RANK_LEAF,	       /* trace rings, counters, eventfds */
};

struct lock {
	pthread_mutex_t mutex;
	enum lock_rank rank;
};

void lock_init(struct lock *l, enum lock_rank rank);
void lock_finish(struct lock *l);
void lock_acquire(struct lock *l);
void lock_release(struct lock *l);

/* pthread_cond_wait on a lock; `deadline_ns` (CLOCK_MONOTONIC, 0: none). 0 or -ETIMEDOUT. */
void lock_cond_init(pthread_cond_t *c);
int lock_cond_wait(struct lock *l, pthread_cond_t *c, uint64_t deadline_ns);

#endif
