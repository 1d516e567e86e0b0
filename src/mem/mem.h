/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VM's memory as VFIO type 1 has it: which guest-physical ranges are mapped, where they are in
 * our address space, and who must be told when one goes.
 *
 * Rules (linux/vfio.h, VFIO_IOMMU_MAP_DMA): no two maps overlap, an unmap names exactly a map, sizes
 * and addresses are multiples of 4 KiB. A map without an fd is listed but holds no memory: the first
 * use of it is an error that names the remedy.
 *
 * fds are hostile (DESIGN, decision 12): only regular files of tmpfs, memfd or hugetlbfs are taken,
 * the range must lie inside the file, and unless the file is sealed against shrinking a SIGBUS guard
 * (mem/guard.h) puts zero pages where the file was cut and reports a fault.
 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/epoch.h"
#include "base/err.h"
#include "base/lock.h"
#include "base/rangemap.h"
#include "mem/guard.h"

/* vfio type 1's default limit, and what is left of it for maps that cost a mapping of ours. */
#define MEM_MAPS_MAX	65535
#define MEM_FD_MAPS_MAX 61440
/* All fd-backed maps together: a sparse file must not eat up our address space. */
#define MEM_FD_BYTES_MAX (UINT64_C(1) << 44)

enum mem_flags {
	MEM_READ = 1,
	MEM_WRITE = 2,
};

struct mem_map { /* one DMA_MAP */
	struct gpa gpa;
	uint64_t size_bytes;
	struct hva hva; /* p NULL: no fd came with it */
	uint32_t flags; /* enum mem_flags */
	bool sealed;	/* cannot shrink */
};

/*
 * Who wants to know. Called on the connection's thread with the writers' lock (LOCK_RANK_MEM) held:
 * map after the range can be read, unmap when it no longer can but before the memory goes. When unmap
 * returns 0 nothing of the listener touches the memory any more. An error from map refuses the
 * DMA_MAP; one from unmap (-ETIMEDOUT) puts zero pages in the place of the guest's and keeps that
 * range of our address space for ever (leaked, counted), so that a late access hits nobody's memory.
 */
struct mem_listener {
	int (*map)(void *arg, const struct mem_map *m);
	int (*unmap)(void *arg, const struct mem_map *m);
	void *arg;
};

struct mem_stats {
	uint64_t maps, maps_ever, bytes, fdless, leaked, sigbus;
};

struct mem {
	struct lock lock;		     /* writers */
	struct rangemap *_Atomic map;	     /* published; values are struct mem_map, owned */
	struct epoch epoch;		     /* readers of `map` */
	const struct mem_listener *listener; /* borrowed, may be NULL */
	struct mem_stats stats;		     /* read it with mem_stats_get */
	uint64_t max_maps;		     /* MEM_MAPS_MAX unless set after mem_init */
	struct guard_owner guard;	     /* guard.shrunk: a file was cut while mapped */
};

/* Also installs the SIGBUS guard. 0 or -errno. */
int mem_init(struct mem *m);
/* Unmaps what is left, as mem_unmap_all. */
void mem_finish(struct mem *m);
/* Before the first map. `l` is borrowed; NULL: nobody. */
void mem_listen(struct mem *m, const struct mem_listener *l);

/*
 * DMA_MAP. `fd` -1: none. The fd is borrowed (mapped, not kept).
 * -EINVAL: alignment, size 0, wrap, flags, an fd that is not memory, a range past its end;
 * -EACCES: the fd does not allow what flags ask; -EEXIST: overlap; -ENOSPC: more than max_maps,
 * MEM_FD_MAPS_MAX or MEM_FD_BYTES_MAX; -ENOMEM; or what the listener said.
 */
int mem_map(struct mem *m, struct gpa gpa, uint64_t size, uint32_t flags, int fd, uint64_t offset,
	struct err *e);
/* DMA_UNMAP of exactly one map: -ENOENT otherwise. */
int mem_unmap(struct mem *m, struct gpa gpa, uint64_t size, struct err *e);
/* DMA_UNMAP with the ALL flag, and when a client goes. */
void mem_unmap_all(struct mem *m);

/*
 * Copies through the map in pieces, each inside an epoch section of its own. From any thread that is
 * not inside a section of this map's epoch. -EFAULT: not mapped (what lies before has been copied);
 * -EACCES: flags forbid; -ENODEV: mapped without an fd.
 */
int mem_read(struct mem *m, struct gpa gpa, void *out, size_t len);
int mem_write(struct mem *m, struct gpa gpa, const void *data, size_t len);

/*
 * Calls fn for every map, in order of address (status, dump). Inside an epoch section: fn is short,
 * takes no lock and does not map or unmap.
 */
void mem_each(struct mem *m, void (*fn)(void *arg, const struct mem_map *map), void *arg);

/* A snapshot. Any thread. */
void mem_stats_get(struct mem *m, struct mem_stats *out);
/* A file was cut while it was mapped: the VM's memory is not what its VMM says. Any thread. */
bool mem_shrunk(const struct mem *m);
/* How often that was met by an access, over all clients: a change is news. Any thread. */
uint64_t mem_shrunk_times(const struct mem *m);

#endif
