/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of a 64-bit space that do not overlap, each with a value: what both a VM's type-1 map and
 * the model's IOMMU are.
 *
 * A map is immutable once published: insert and remove make a new one, so that readers under an
 * epoch (base/epoch.h) search the one they loaded without a lock. The writer frees the old map after
 * epoch_wait().
 */
#ifndef BASE_RANGEMAP_H
#define BASE_RANGEMAP_H

#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t start;
	uint64_t last; /* included, so that a range may end at 2^64 - 1 */
	void *value;   /* borrowed */
};

struct rangemap {
	size_t count;
	struct range ranges[]; /* sorted by start */
};

/*
 * A copy of `old` (NULL: empty) with [start, start + size) added. *out is owned by the caller.
 * -EINVAL: size 0 or the range wraps; -EEXIST: it overlaps one that is there; -ENOMEM.
 */
int rangemap_insert(const struct rangemap *old, uint64_t start, uint64_t size, void *value,
	struct rangemap **out);

/* A copy of `old` without exactly that range. -ENOENT when no range is exactly so; -ENOMEM. */
int rangemap_remove(
	const struct rangemap *old, uint64_t start, uint64_t size, struct rangemap **out);

/* The range that holds `addr`, or NULL. `m` may be NULL. */
const struct range *rangemap_find(const struct rangemap *m, uint64_t addr);

#endif
