// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus of the GPU: which host memory an IOVA is, changed under readers that hold no lock. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "gpu/model/model.h"

/*
 * How long an unmap waits for readers before it makes them leave, and after. Engines are asked to leave
 * at once and do so between two commands, or within 64 KiB of a blit: well under a millisecond of their
 * thread's time. Who is late has no CPU, on a machine that has too few, and a reset would cost the guest
 * its work and come no earlier; so only after a time that a VMM still bears (QEMU gives up after 5 s) is
 * an engine taken for stuck.
 */
#define EVICT_AFTER_NS NSEC_PER_SEC
#define GIVE_UP_NS     (15 * NSEC_PER_MSEC)

struct iommu_dead {
	struct iommu_dead *next;
	struct rangemap *map;	   /* owned */
	struct iommu_map *mapping; /* owned, may be NULL */
};

const char *const fault_reason_names[FAULT_REASONS] = {
	[FAULT_NONE] = "none",
	[FAULT_PTE] = "page table entry not present",
	[FAULT_READONLY] = "bus mapping is read-only",
	[FAULT_IOVA] = "bus address not mapped",
	[FAULT_FDLESS] = "guest RAM without a file descriptor",
};

void iommu_init(struct iommu *mmu, const struct iommu_ops *ops, void *arg)
{
	lock_init(&mmu->lock, LOCK_RANK_IOMMU);
	atomic_init(&mmu->map, NULL);
	epoch_init(&mmu->epoch);
	mmu->ops = ops;
	mmu->arg = arg;
	mmu->dead = NULL;
	lock_init(&mmu->gone_lock, LOCK_RANK_LEAF);
}

/* ------------------------------------------------------------------ what went lately */

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Before the range goes: an engine that misses it finds it here. */
static void remember(struct iommu *mmu, uint64_t start, uint64_t size)
{
	struct iommu_gone *slot;

	lock_acquire(&mmu->gone_lock);
	slot = &mmu->gone[mmu->gone_next++ % IOMMU_GONE];
	for (unsigned int i = 0; i < IOMMU_GONE; i++) {
		if (mmu->gone[i].start == start && mmu->gone[i].last == start + (size - 1))
			slot = &mmu->gone[i]; /* the same one again and again takes one place */
	}
	*slot = (struct iommu_gone){
		.start = start, .last = start + (size - 1), .until_ns = mono_ns() + IOMMU_WAIT_NS};
	lock_release(&mmu->gone_lock);
}

/* Maps clear nothing: what is mapped again is not missed, and what goes again is remembered again. */
uint64_t iommu_gone_until(struct iommu *mmu, struct iova iova)
{
	uint64_t until = 0;

	lock_acquire(&mmu->gone_lock);
	for (unsigned int i = 0; i < IOMMU_GONE; i++) {
		const struct iommu_gone *g = &mmu->gone[i];

		if (g->until_ns && iova.v >= g->start && iova.v <= g->last)
			until = max_u64(until, g->until_ns);
	}
	lock_release(&mmu->gone_lock);
	return until > mono_ns() ? until : 0;
}

void iommu_forget(struct iommu *mmu)
{
	lock_acquire(&mmu->gone_lock);
	memset(mmu->gone, 0, sizeof(mmu->gone));
	lock_release(&mmu->gone_lock);
}

/* ------------------------------------------------------------------ the map */

static void free_dead(struct iommu *mmu)
{
	while (mmu->dead) {
		struct iommu_dead *d = mmu->dead;

		mmu->dead = d->next;
		free(d->map);
		free(d->mapping);
		free(d);
	}
}

void iommu_finish(struct iommu *mmu)
{
	struct rangemap *m = atomic_load(&mmu->map);

	free_dead(mmu);
	if (m) {
		for (size_t i = 0; i < m->count; i++)
			free(m->ranges[i].value);
	}
	free(m);
	epoch_finish(&mmu->epoch);
	lock_finish(&mmu->gone_lock);
	lock_finish(&mmu->lock);
}

/*
 * Puts `new` in the place of the published map and frees the old one, and `mapping`, when no reader
 * can still see them. -ETIMEDOUT: some reader would not leave; nothing was freed. Readers that linger
 * after a map (`mapping` NULL) keep only the old table alive: no reason to hang an engine.
 */
static int publish(
	struct iommu *mmu, struct rangemap *new, struct iommu_map *mapping, struct iommu_dead *dead)
{
	int ret;

	dead->map = atomic_exchange(&mmu->map, new);
	dead->mapping = mapping;
	dead->next = mmu->dead;
	mmu->dead = dead;

	mmu->ops->invalidate(mmu->arg);
	ret = epoch_wait(&mmu->epoch, EVICT_AFTER_NS);
	if (ret && mapping) {
		atomic_fetch_add(&mmu->evictions, 1);
		mmu->ops->evict(mmu->arg);
		ret = epoch_wait(&mmu->epoch, GIVE_UP_NS);
		if (ret)
			atomic_fetch_add(&mmu->timeouts, 1);
	}
	if (!ret)
		free_dead(mmu);
	return ret;
}

static bool range_granular(uint64_t start, uint64_t size)
{
	return size && !((start | size) & PAGE_MASK_4K) && size - 1 <= UINT64_MAX - start;
}

int iommu_map_range(struct iommu *mmu, struct iova iova, uint64_t size, uint8_t *hva, bool writable)
{
	struct iommu_dead *dead;
	struct iommu_map *mapping;
	struct rangemap *old, *new;
	int ret;

	if (!range_granular(iova.v, size) || ((uintptr_t)hva & PAGE_MASK_4K))
		return -EINVAL;
	dead = malloc(sizeof(*dead));
	mapping = malloc(sizeof(*mapping));
	if (!dead || !mapping) {
		free(dead);
		free(mapping);
		return -ENOMEM;
	}
	*mapping = (struct iommu_map){.hva = hva, .writable = writable};

	lock_acquire(&mmu->lock);
	old = atomic_load(&mmu->map);
	ret = rangemap_insert(old, iova.v, size, mapping, &new);
	if (!ret) {
		atomic_fetch_add_explicit(&mmu->maps, 1, memory_order_relaxed);
		publish(mmu, new, NULL, dead);
		mmu->ops->mapped(mmu->arg);
	}
	lock_release(&mmu->lock);
	if (ret) {
		free(dead);
		free(mapping);
	}
	return ret;
}

int iommu_unmap_range(struct iommu *mmu, struct iova iova, uint64_t size)
{
	struct iommu_dead *dead = malloc(sizeof(*dead));
	struct rangemap *old, *new;
	int ret;

	if (!dead)
		return -ENOMEM;
	lock_acquire(&mmu->lock);
	old = atomic_load(&mmu->map);
	ret = rangemap_remove(old, iova.v, size, &new);
	if (ret) {
		free(dead);
	} else {
		atomic_fetch_sub_explicit(&mmu->maps, 1, memory_order_relaxed);
		remember(mmu, iova.v, size);
		ret = publish(mmu, new, rangemap_find(old, iova.v)->value, dead);
		remember(mmu, iova.v, size); /* the time counts from the answer */
	}
	lock_release(&mmu->lock);
	return ret;
}

uint8_t *iommu_page(struct iommu *mmu, struct iova iova, bool write, enum fault_reason *why)
{
	/* seq_cst pairs with publish(): who entered after the exchange does not see the old map. */
	const struct range *r = rangemap_find(atomic_load(&mmu->map), iova.v);
	const struct iommu_map *m;

	if (!r) {
		*why = FAULT_IOVA;
		return NULL;
	}
	m = r->value;
	if (!m->hva) {
		*why = FAULT_FDLESS;
		return NULL;
	}
	if (write && !m->writable) {
		*why = FAULT_READONLY;
		return NULL;
	}
	return m->hva + ((iova.v - r->start) & ~PAGE_MASK_4K);
}
