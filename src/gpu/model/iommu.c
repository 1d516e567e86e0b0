// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus of the GPU: which host memory an IOVA is, changed under readers that hold no lock. */
#include <errno.h>
#include <stdlib.h>

#include "gpu/model/model.h"

/*
 * How long an unmap waits for readers before it makes them leave, and after. With the 50 ms that
 * stopping an engine may take this stays within the 100 ms of gpu_ops.iova_unmap.
 */
#define EVICT_AFTER_NS (30 * NSEC_PER_MSEC)
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
}

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
	lock_finish(&mmu->lock);
}

/*
 * Puts `new` in the place of the published map and frees the old one, and `mapping`, when no reader
 * can still see them. -ETIMEDOUT: some reader would not leave; nothing was freed.
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
	if (ret) {
		atomic_fetch_add(&mmu->evictions, 1);
		mmu->ops->evict(mmu->arg);
		ret = epoch_wait(&mmu->epoch, GIVE_UP_NS);
	}
	if (ret)
		atomic_fetch_add(&mmu->timeouts, 1);
	else
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
		/* Readers that linger keep only the old map alive: nothing that the caller must know. */
		publish(mmu, new, NULL, dead);
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
		ret = publish(mmu, new, rangemap_find(old, iova.v)->value, dead);
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
