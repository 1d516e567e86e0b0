/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user client: what tests, tools and benchmarks talk to a server with.
 *
 * One thread a client; calls block until the reply is here, and answer the server's DMA_READ and
 * DMA_WRITE while they wait. 0 or -errno: the server's, -ETIMEDOUT, -ECONNRESET, -EPROTO for a reply
 * that is not what the protocol says.
 */
#ifndef VFU_CLIENT_H
#define VFU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "vfu/protocol.h"
#include "vfu/server.h"
#include "vfu/stream.h"

struct vfu_client;

/* The server's access to memory that came without an fd. Reads fill `data`, writes take it. */
typedef int (*vfu_client_dma_fn)(void *arg, bool write, struct gpa gpa, void *data, size_t len);

/* NULL with `e` filled. Nothing is negotiated yet. */
struct vfu_client *vfu_client_connect(const char *path, struct err *e);
/* Takes `fd`, also when it fails. */
struct vfu_client *vfu_client_create(int fd, struct err *e);
void vfu_client_destroy(struct vfu_client *c);
int vfu_client_fd(const struct vfu_client *c);
/* How long a call waits for its reply; 5 s at first. */
void vfu_client_timeout(struct vfu_client *c, unsigned int ms);
void vfu_client_on_dma(struct vfu_client *c, vfu_client_dma_fn fn, void *arg);

/* VERSION 0.`minor` with `json` (NULL: what QEMU 11.1 says). The reply's JSON is in `answer`. */
int vfu_client_negotiate(struct vfu_client *c, uint16_t minor, const char *json,
	struct vfu_version *version, char *answer, size_t answer_size);

/* `fd` is borrowed, -1: none. */
int vfu_client_dma_map(struct vfu_client *c, struct gpa gpa, uint64_t size, uint32_t flags, int fd,
	uint64_t offset);
int vfu_client_dma_unmap(struct vfu_client *c, struct gpa gpa, uint64_t size);
int vfu_client_dma_unmap_all(struct vfu_client *c);

int vfu_client_info(struct vfu_client *c, struct vfu_device_info *out);
/* Both passes. out->fd is the caller's (-1: none). */
int vfu_client_region_info(struct vfu_client *c, uint32_t index, struct vfu_region *out);
int vfu_client_region_read(
	struct vfu_client *c, uint32_t index, uint64_t offset, void *data, size_t len);
int vfu_client_region_write(
	struct vfu_client *c, uint32_t index, uint64_t offset, const void *data, size_t len);
/* Returns when it is sent. */
int vfu_client_region_post(
	struct vfu_client *c, uint32_t index, uint64_t offset, const void *data, size_t len);

int vfu_client_irq_info(struct vfu_client *c, uint32_t index, struct vfu_irq_info *out);
/* `bools` with DATA_BOOL: `count` bytes. */
int vfu_client_set_irqs(struct vfu_client *c, uint32_t flags, uint32_t index, uint32_t start,
	uint32_t count, const uint8_t *bools, const int *fds, uint32_t nfds);
int vfu_client_reset(struct vfu_client *c);

/* Answers the server's requests until `ms` have gone by without one. */
int vfu_client_serve(struct vfu_client *c, unsigned int ms);

/*
 * Any message. `flags`: VFU_NO_REPLY or 0; *id gets the id that was used (may be NULL). The reply to
 * it is what vfu_client_reply waits for; its payload lies in `m` until the next call, and
 * vfu_msg_finish is the caller's.
 */
int vfu_client_send(struct vfu_client *c, uint16_t cmd, uint32_t flags, const void *fixed,
	size_t fixed_len, const void *data, size_t len, const int *fds, uint32_t nfds,
	uint16_t *id);
int vfu_client_reply(struct vfu_client *c, uint16_t cmd, uint16_t id, struct vfu_msg *m);
/* Bytes as they are. */
int vfu_client_send_raw(
	struct vfu_client *c, const void *data, size_t len, const int *fds, uint32_t nfds);

#endif
