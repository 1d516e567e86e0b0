/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server: one device on one socket, one blocking thread a connection.
 *
 * The device is a table of calls (struct vfu_device_ops), the VM's memory a struct mem that the server
 * fills from DMA_MAP and DMA_UNMAP. After a client goes, its memory is unmapped, its interrupts are
 * disarmed, and the server accepts again. A second client while one is attached is refused with
 * EBUSY in its VERSION reply.
 */
#ifndef VFU_SERVER_H
#define VFU_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mem/mem.h"

struct vfu_server;

struct vfu_area {
	uint64_t offset, size;
};

struct vfu_region {
	uint64_t size;
	uint32_t flags; /* VFIO_REGION_INFO_FLAG_READ, _WRITE, _MMAP */
	int fd;		/* with MMAP: borrowed; else -1 */
	uint64_t fd_offset;
	uint32_t area_count;
	struct vfu_area areas[4];
	uint32_t type, subtype; /* device-specific regions; 0: none */
};

/*
 * All on the connection's thread, except irq_count, which is asked in vfu_server_create. Regions are
 * asked for once a client. reset may be NULL: no RESET then; attached and detached too.
 */
struct vfu_device_ops {
	uint32_t num_regions, num_irqs;
	void (*region_info)(void *dev, uint32_t index, struct vfu_region *out);
	uint32_t (*irq_count)(void *dev, uint32_t index);
	int (*region_read)(void *dev, uint32_t index, uint64_t offset, void *data, size_t len);
	int (*region_write)(
		void *dev, uint32_t index, uint64_t offset, const void *data, size_t len);
	void (*reset)(void *dev);
	void (*attached)(void *dev);
	void (*detached)(void *dev);
	/* Optional. INTx was unmasked: raise it again if the line is still up. */
	void (*irq_unmasked)(void *dev, uint32_t index);
};

struct vfu_stats {	       /* atomics inside; a snapshot here */
	uint64_t messages[32]; /* by command */
	uint64_t posted, errors, connections, refused;
	uint64_t irqs;
};

struct vfu_server_config {
	const char *socket_path; /* created 0600, a dead one is replaced; or NULL with fd >= 0 */
	int fd; /* inherited, listening or connected; taken when create succeeds; -1: none */
	const struct vfu_device_ops *ops;
	void *dev;
	struct mem *mem;
	/*
	 * Looks for the next message this long before it sleeps, while messages come that close
	 * together. It costs a core and saves a wake-up; 0: off.
	 */
	uint64_t spin_ns;
	/* Optional. `fd` was a connected socket and its client is gone: no other can come. */
	void (*ended)(void *arg);
	void *ended_arg;
};

/* Binds and listens; no thread yet. NULL with `e` filled. */
struct vfu_server *vfu_server_create(const struct vfu_server_config *config, struct err *e);
/* Starts the thread that accepts and serves. */
int vfu_server_start(struct vfu_server *s, struct err *e);
/* Ends the connection, joins the thread, removes the socket. */
void vfu_server_destroy(struct vfu_server *s);

/* Raises a vector of an interrupt type. Any thread; never blocks. False when nobody listens. */
bool vfu_irq_raise(struct vfu_server *s, uint32_t index, uint32_t vector);

bool vfu_attached(const struct vfu_server *s);
void vfu_stats_get(const struct vfu_server *s, struct vfu_stats *out);

/*
 * DMA_READ and DMA_WRITE to the client: for memory that came without an fd. Not from the connection's
 * own thread and never inside a region access (QEMU would deadlock until its 5 s timeout): -EDEADLK
 * then. 0 or -errno from the client. Waits at most 5 s.
 */
int vfu_dma_read(struct vfu_server *s, struct gpa gpa, void *out, size_t len);
int vfu_dma_write(struct vfu_server *s, struct gpa gpa, const void *data, size_t len);

#endif
