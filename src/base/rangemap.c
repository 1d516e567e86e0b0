/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Immutable maps of non-overlapping ranges. */
#include "base/rangemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rangemap *alloc_map(size_t count)
{
	struct rangemap *m = malloc(sizeof(*m) + count * sizeof(m->ranges[0]));

	if (m)
		m->count = count;
	return m;
}

/* Index of the first range whose last byte is at or after `addr`. */
static size_t lower_bound(const struct rangemap *m, uint64_t addr)
{
	size_t lo = 0, hi = m ? m->count : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->ranges[mid].last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int rangemap_insert(const struct rangemap *old, uint64_t start, uint64_t size, void *value,
	struct rangemap **out)
{
	size_t n = old ? old->count : 0, i;
	struct rangemap *m;
	uint64_t last;

	if (size == 0 || size - 1 > UINT64_MAX - start)
		return -EINVAL;
	last = start + size - 1;
	i = lower_bound(old, start);
	if (i < n && old->ranges[i].start <= last)
		return -EEXIST;
	m = alloc_map(n + 1);
	if (!m)
		return -ENOMEM;
	if (i)
		memcpy(m->ranges, old->ranges, i * sizeof(m->ranges[0]));
	m->ranges[i] = (struct range){.start = start, .last = last, .value = value};
	if (n > i)
		memcpy(&m->ranges[i + 1], &old->ranges[i], (n - i) * sizeof(m->ranges[0]));
	*out = m;
	return 0;
}

int rangemap_remove(
	const struct rangemap *old, uint64_t start, uint64_t size, struct rangemap **out)
{
	size_t n = old ? old->count : 0, i = lower_bound(old, start);
	struct rangemap *m;

	if (size == 0 || i >= n || old->ranges[i].start != start ||
		old->ranges[i].last - start != size - 1)
		return -ENOENT;
	m = alloc_map(n - 1);
	if (!m)
		return -ENOMEM;
	memcpy(m->ranges, old->ranges, i * sizeof(m->ranges[0]));
	memcpy(&m->ranges[i], &old->ranges[i + 1], (n - 1 - i) * sizeof(m->ranges[0]));
	*out = m;
	return 0;
}

const struct range *rangemap_find(const struct rangemap *m, uint64_t addr)
{
	size_t i = lower_bound(m, addr);

	if (!m || i >= m->count || m->ranges[i].start > addr)
		return NULL;
	return &m->ranges[i];
}
