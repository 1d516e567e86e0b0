/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One VM's memory: the type-1 map, its mappings, and copies through it. */
#include "mem/mem.h"
#include "base/util.h"
#include "mem/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Readers are copies of at most COPY_MAX bytes: this is far more than one takes. */
#define UNMAP_WAIT_NS (2 * NSEC_PER_SEC)
#define COPY_MAX      KIB(256)

struct mem_entry { /* what the published map points to, with what only the writer needs */
	struct mem_map map;
	void *base; /* of the whole mapping: hugetlbfs maps whole pages around the range */
	size_t base_bytes;
	struct guard_slot *guard; /* owned; NULL when sealed */
	struct mem_entry *next_leaked;
};

/* What somebody may still touch, of whatever VM: kept, and kept in sight of leak checkers. */
static struct mem_entry *_Atomic leaked;

/* Counters: written under the lock, read from anywhere. */
static void count(uint64_t *counter, uint64_t by)
{
	__atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}

int mem_init(struct mem *m)
{
	*m = (struct mem){.max_maps = MEM_MAPS_MAX};
	lock_init(&m->lock, LOCK_RANK_MEM);
	epoch_init(&m->epoch);
	return guard_install();
}

void mem_listen(struct mem *m, const struct mem_listener *l)
{
	lock_acquire(&m->lock);
	m->listener = l;
	lock_release(&m->lock);
}

static void entry_free(struct mem_entry *en)
{
	guard_remove(en->guard);
	if (en->base)
		munmap(en->base, en->base_bytes);
	free(en);
}

/* Maps the file. Hugetlbfs wants whole pages, and QEMU splits low RAM at 640 KiB. */
static int entry_map_fd(struct mem *m, struct mem_entry *en, int fd, uint64_t offset, struct err *e)
{
	int prot = ((en->map.flags & MEM_READ) ? PROT_READ : 0) |
		   ((en->map.flags & MEM_WRITE) ? PROT_WRITE : 0);
	struct mem_fd info;
	uint64_t from, to;
	int ret;

	ret = mem_fd_check(fd, offset, en->map.size_bytes, en->map.flags, &info, e);
	if (ret)
		return ret;
	if (m->stats.maps - m->stats.fdless >= MEM_FD_MAPS_MAX ||
		en->map.size_bytes > MEM_FD_BYTES_MAX - m->stats.bytes)
		return err_set(e, -ENOSPC, NULL,
			"too much memory is mapped: %llu maps, 0x%llx bytes",
			(unsigned long long)m->stats.maps, (unsigned long long)m->stats.bytes);
	from = offset & ~(uint64_t)(info.page_bytes - 1);
	to = (offset + en->map.size_bytes + info.page_bytes - 1) & ~(uint64_t)(info.page_bytes - 1);
	en->base_bytes = (size_t)(to - from);
	en->base = mmap(NULL, en->base_bytes, prot, MAP_SHARED | MAP_NORESERVE, fd, (off_t)from);
	if (en->base == MAP_FAILED) {
		ret = -errno;
		en->base = NULL;
		return err_set(e, ret, NULL, "cannot map 0x%llx bytes",
			(unsigned long long)en->map.size_bytes);
	}
	en->map.hva.p = (char *)en->base + (offset - from);
	en->map.sealed = info.sealed;
	if (info.sealed)
		return 0;
	en->guard = guard_add(
		en->base, en->base_bytes, info.page_bytes, en->map.flags & MEM_WRITE, &m->guard);
	return en->guard ? 0 : err_set(e, -ENOMEM, NULL, "no memory to guard a map");
}

/* Publishes `next`. True when no reader sees the old map any more, which is then freed. */
static bool publish(struct mem *m, struct rangemap *next)
{
	struct rangemap *old = atomic_exchange(&m->map, next);

	if (epoch_wait(&m->epoch, UNMAP_WAIT_NS))
		return false; /* `old` is given up */
	free(old);
	return true;
}

/*
 * The last step of an unmap. When somebody may still touch the memory, zero pages take the guest's
 * place for ever, and the entry stays.
 */
static void entry_retire(struct mem *m, struct mem_entry *en, bool quiet)
{
	int prot = PROT_READ | ((en->map.flags & MEM_WRITE) ? PROT_WRITE : 0);

	if (en->map.hva.p)
		count(&m->stats.bytes, -en->map.size_bytes);
	else
		count(&m->stats.fdless, -UINT64_C(1));
	count(&m->stats.maps, -UINT64_C(1));
	if (quiet) {
		entry_free(en);
		return;
	}
	count(&m->stats.leaked, 1);
	if (en->base && mmap(en->base, en->base_bytes, prot,
				MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
				0) != MAP_FAILED) {
		guard_remove(en->guard);
		en->guard = NULL;
	}
	en->next_leaked = atomic_load(&leaked);
	while (!atomic_compare_exchange_weak(&leaked, &en->next_leaked, en))
		;
}

int mem_map(struct mem *m, struct gpa gpa, uint64_t size, uint32_t flags, int fd, uint64_t offset,
	struct err *e)
{
	struct rangemap *next = NULL, *back = NULL;
	struct mem_entry *en;
	int ret;

	if (size == 0 || ((gpa.v | size | offset) & PAGE_MASK_4K))
		return err_set(e, -EINVAL, NULL,
			"map of 0x%llx bytes at 0x%llx, file offset 0x%llx: not whole pages",
			(unsigned long long)size, (unsigned long long)gpa.v,
			(unsigned long long)offset);
	if (size - 1 > UINT64_MAX - gpa.v)
		return err_set(e, -EINVAL, NULL, "map of 0x%llx bytes at 0x%llx wraps",
			(unsigned long long)size, (unsigned long long)gpa.v);
	if (flags == 0 || (flags & ~(uint32_t)(MEM_READ | MEM_WRITE)))
		return err_set(e, -EINVAL, NULL, "map with flags 0x%x", flags);

	lock_acquire(&m->lock);
	if (m->stats.maps >= m->max_maps) {
		ret = err_set(
			e, -ENOSPC, NULL, "more than %llu maps", (unsigned long long)m->max_maps);
		goto unlock;
	}
	en = calloc(1, sizeof(*en));
	if (!en) {
		ret = -ENOMEM;
		goto unlock;
	}
	en->map = (struct mem_map){.gpa = gpa, .size_bytes = size, .flags = flags};
	/* First the map, then the file: an overlap costs no mmap. */
	ret = rangemap_insert(atomic_load(&m->map), gpa.v, size, &en->map, &next);
	if (ret) {
		err_set(e, ret, NULL, "map of 0x%llx bytes at 0x%llx overlaps another",
			(unsigned long long)size, (unsigned long long)gpa.v);
		goto drop;
	}
	if (fd >= 0) {
		ret = entry_map_fd(m, en, fd, offset, e);
		if (ret)
			goto drop;
	}
	publish(m, next);
	count(&m->stats.maps, 1);
	count(&m->stats.maps_ever, 1);
	count(fd >= 0 ? &m->stats.bytes : &m->stats.fdless, fd >= 0 ? size : 1);
	if (m->listener && m->listener->map) {
		ret = m->listener->map(m->listener->arg, &en->map);
		if (ret) {
			err_set(e, ret, NULL, "the device refused a map of 0x%llx bytes at 0x%llx",
				(unsigned long long)size, (unsigned long long)gpa.v);
			/* Readers may have seen it: out of the map first. Out of memory: it stays. */
			if (rangemap_remove(next, gpa.v, size, &back) == 0)
				entry_retire(m, en, publish(m, back));
		}
	}
	lock_release(&m->lock);
	return ret;

drop:
	free(next);
	entry_free(en);
unlock:
	lock_release(&m->lock);
	return ret;
}

static bool listener_unmap(struct mem *m, const struct mem_map *map)
{
	return !m->listener || !m->listener->unmap ||
	       m->listener->unmap(m->listener->arg, map) == 0;
}

int mem_unmap(struct mem *m, struct gpa gpa, uint64_t size, struct err *e)
{
	struct rangemap *next = NULL;
	struct mem_entry *en;
	bool quiet;
	int ret;

	lock_acquire(&m->lock);
	ret = rangemap_remove(atomic_load(&m->map), gpa.v, size, &next);
	if (ret) {
		err_set(e, ret, NULL, "no map is exactly 0x%llx bytes at 0x%llx",
			(unsigned long long)size, (unsigned long long)gpa.v);
		goto unlock;
	}
	en = container_of(rangemap_find(atomic_load(&m->map), gpa.v)->value, struct mem_entry, map);
	quiet = publish(m, next);
	quiet = listener_unmap(m, &en->map) && quiet;
	entry_retire(m, en, quiet);
unlock:
	lock_release(&m->lock);
	return ret;
}

void mem_unmap_all(struct mem *m)
{
	struct rangemap *old;
	bool quiet;

	lock_acquire(&m->lock);
	old = atomic_exchange(&m->map, NULL);
	quiet = epoch_wait(&m->epoch, UNMAP_WAIT_NS) == 0;
	for (size_t i = 0; old && i < old->count; i++) {
		struct mem_entry *en = container_of(old->ranges[i].value, struct mem_entry, map);

		entry_retire(m, en, listener_unmap(m, &en->map) && quiet);
	}
	if (quiet)
		free(old);
	lock_release(&m->lock);
}

void mem_finish(struct mem *m)
{
	mem_unmap_all(m);
	epoch_finish(&m->epoch);
	lock_finish(&m->lock);
}

/* One piece of a copy: returns how many bytes (at least 1), or -errno. */
static ssize_t copy_piece(struct mem *m, struct epoch_reader *r, struct gpa gpa, void *out,
	const void *in, size_t len)
{
	const struct range *range;
	const struct mem_map *map;
	ssize_t ret;

	epoch_enter(&m->epoch, r);
	range = rangemap_find(atomic_load(&m->map), gpa.v);
	if (!range) {
		ret = -EFAULT;
		goto out;
	}
	map = range->value;
	if (!(map->flags & (out ? MEM_READ : MEM_WRITE))) {
		ret = -EACCES;
	} else if (!map->hva.p) {
		ret = -ENODEV;
	} else {
		char *p = (char *)map->hva.p + (gpa.v - range->start);

		/* last - gpa + 1 cannot be 0: a whole 2^64 range is refused as size 0. */
		len = (size_t)min_u64(min_u64(len, COPY_MAX), range->last - gpa.v + 1);
		if (out)
			memcpy(out, p, len);
		else
			memcpy(p, in, len);
		ret = (ssize_t)len;
	}
out:
	epoch_exit(r);
	return ret;
}

static int copy(struct mem *m, struct gpa gpa, void *out, const void *in, size_t len)
{
	struct epoch_reader r;
	ssize_t n = 0;

	if (len == 0)
		return 0;
	if (len - 1 > UINT64_MAX - gpa.v)
		return -EFAULT;
	epoch_reader_add(&m->epoch, &r);
	for (size_t done = 0; done < len; done += (size_t)n) {
		n = copy_piece(m, &r, (struct gpa){gpa.v + done}, out ? (char *)out + done : NULL,
			in ? (const char *)in + done : NULL, len - done);
		if (n < 0)
			break;
	}
	epoch_reader_remove(&m->epoch, &r);
	return n < 0 ? (int)n : 0;
}

int mem_read(struct mem *m, struct gpa gpa, void *out, size_t len)
{
	return copy(m, gpa, out, NULL, len);
}

int mem_write(struct mem *m, struct gpa gpa, const void *data, size_t len)
{
	return copy(m, gpa, NULL, data, len);
}

void mem_each(struct mem *m, void (*fn)(void *arg, const struct mem_map *map), void *arg)
{
	const struct rangemap *map;
	struct epoch_reader r;

	epoch_reader_add(&m->epoch, &r);
	epoch_enter(&m->epoch, &r);
	map = atomic_load(&m->map);
	for (size_t i = 0; map && i < map->count; i++)
		fn(arg, map->ranges[i].value);
	epoch_exit(&r);
	epoch_reader_remove(&m->epoch, &r);
}

void mem_stats_get(struct mem *m, struct mem_stats *out)
{
	*out = (struct mem_stats){
		.maps = __atomic_load_n(&m->stats.maps, __ATOMIC_RELAXED),
		.maps_ever = __atomic_load_n(&m->stats.maps_ever, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&m->stats.bytes, __ATOMIC_RELAXED),
		.fdless = __atomic_load_n(&m->stats.fdless, __ATOMIC_RELAXED),
		.leaked = __atomic_load_n(&m->stats.leaked, __ATOMIC_RELAXED),
		.sigbus = atomic_load(&m->guard.times),
	};
}

bool mem_shrunk(const struct mem *m)
{
	return atomic_load(&m->guard.shrunk);
}

uint64_t mem_shrunk_times(const struct mem *m)
{
	return atomic_load_explicit(&m->guard.times, memory_order_relaxed);
}
