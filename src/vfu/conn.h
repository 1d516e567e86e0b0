/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the server: one connection, the handlers of its messages, and what they share.
 *
 * The parser runs without threads too (fuzzer, tests): vfu_conn_open, vfu_conn_process until it
 * says that nothing is there, vfu_conn_close.
 */
#ifndef VFU_CONN_H
#define VFU_CONN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/lock.h"
#include "vfu/protocol.h"
#include "vfu/server.h"
#include "vfu/stream.h"

/* No client of this protocol waits longer for an answer (QEMU: x-msg-timeout), nor do we for one. */
#define VFU_TIMEOUT_MS 5000

struct vfu_dma_wait { /* a thread that waits for a reply to its DMA_READ or DMA_WRITE */
	struct vfu_dma_wait *next;
	uint16_t id, cmd;
	uint64_t addr;
	void *out; /* DMA_READ: where the data go */
	size_t len;
	bool done;
	int ret;
};

struct vfu_conn {
	struct vfu_server *server; /* borrowed */

	/* The connection's thread only. */
	struct vfu_stream in;
	uint8_t *out;	  /* owned: room for one reply */
	bool negotiated;  /* VERSION was answered well: the device is attached */
	bool done;	  /* close after this message */
	uint64_t recv_ns; /* when the last message came (busy-poll) */

	/* Whoever ends a blocked connection, and its end itself. A leaf: held for no wait. */
	struct lock fd_lock;
	int shut_fd; /* borrowed from `in`; -1: closed */

	/* Anybody, under `lock`: the sending side, and who waits for a reply. */
	struct lock lock;
	pthread_cond_t cond;
	bool open;
	bool ready; /* VERSION's answer is out: requests of our own may follow */
	int fd;	    /* borrowed from `in` while open */
	pthread_t thread;
	uint16_t next_id;
	uint32_t client_max_data; /* what the client takes and gives in one message */
	struct vfu_dma_wait *waiting;
};

struct vfu_reply {
	uint8_t *data; /* room for VFU_MAX_MESSAGE - 16 bytes behind the header */
	size_t len;
	int fd; /* borrowed; -1: none */
};

struct vfu_irq_vector {
	int fd; /* owned eventfd, -1: nobody listens */
	bool masked, pending;
};

struct vfu_irq_index {
	uint32_t count;
	struct vfu_irq_vector *vectors; /* owned */
};

struct vfu_counters {
	_Atomic uint64_t messages[32];
	_Atomic uint64_t posted, errors, connections, refused, irqs;
};

struct vfu_server {
	struct vfu_server_config config;
	struct sockaddr_un addr; /* ours when `bound` */
	bool bound;
	dev_t dev; /* of the socket's inode: is it still ours at the end? */
	ino_t ino;
	int listen_fd;	  /* owned; -1: one connected socket only */
	int connected_fd; /* owned until its connection starts */

	struct vfu_region regions[VFU_MAX_REGIONS];
	struct lock irq_lock; /* leaf */
	struct vfu_irq_index irqs[VFU_MAX_IRQS];
	struct vfu_counters counters;
	_Atomic bool attached;

	struct vfu_conn conn;

	/* Hand-over from the accepting thread to the connection's, under `lock`. */
	struct lock lock;
	pthread_cond_t cond;
	int next_fd; /* owned; -1: none */
	bool busy, stopping, started;
	int wake_fd; /* eventfd: ends the accepting thread */
	pthread_t accept_thread, conn_thread;
};

static inline void vfu_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* conn.c */
int vfu_conn_init(struct vfu_conn *c, struct vfu_server *s);
void vfu_conn_finish(struct vfu_conn *c);
/* Takes `fd`: a connected socket. 0 or -errno (then `fd` is still the caller's). */
int vfu_conn_open(struct vfu_conn *c, int fd);
/*
 * One read, and all whole messages that it completed. `flags`: 0 or MSG_DONTWAIT. 0: go on;
 * -EAGAIN: nothing there; -ECONNRESET: the client went; other -errno: the stream cannot go on.
 */
int vfu_conn_process(struct vfu_conn *c, int flags);
/* The client's memory goes, its interrupts are disarmed, the device is told. */
void vfu_conn_close(struct vfu_conn *c);
/* From any thread: makes a blocked vfu_conn_process end. */
void vfu_conn_shutdown(struct vfu_conn *c);
/* From any thread: the client of an open connection is gone, or no connection is open. */
bool vfu_conn_hung_up(struct vfu_conn *c);

/*
 * Handlers, by family. The payload's size has been checked against the table in conn.c, nothing
 * else. 0 with the reply filled, or -errno for an error reply.
 */
int vfu_on_version(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r); /* negotiate.c */
int vfu_on_dma_map(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r); /* dma.c */
int vfu_on_dma_unmap(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
void vfu_on_dma_reply(struct vfu_conn *c, const struct vfu_msg *m);
void vfu_dma_abort(struct vfu_conn *c);
int vfu_on_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r); /* region.c */
int vfu_on_region_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
int vfu_on_region_io_fds(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
int vfu_on_region_read(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
int vfu_on_region_write(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
void vfu_regions_load(struct vfu_server *s);
int vfu_on_irq_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r); /* irq.c */
int vfu_on_set_irqs(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
int vfu_irqs_init(struct vfu_server *s);
void vfu_irqs_finish(struct vfu_server *s);
void vfu_irqs_disarm(struct vfu_server *s);

/* server.c: everything of a server but sockets and threads, for use without them. */
int vfu_server_init(struct vfu_server *s, const struct vfu_server_config *config, struct err *e);
void vfu_server_finish(struct vfu_server *s);

#endif
